//! Tests of the picture: made-up hellos in, statements out.

use super::*;
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::Dialogue;
use crate::records::server_hello::tests::{ecdh_exchange, server_hello};
use crate::records::tls_groups;

fn hello(version: Version, suites: &[u16], reply: HelloReply) -> Hello {
    let groups = match version {
        Version::Tls1_3 => tls_groups::TLS13.to_vec(),
        Version::Ssl2 | Version::Ssl3 | Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2 => {
            tls_groups::TLS12.to_vec()
        }
    };
    Hello {
        version: version.wire(),
        suites: suites.to_vec(),
        groups,
        reply,
        beside: Vec::new(),
        signatures: Vec::new(),
        asks_certificate: false,
        key_exchange: None,
    }
}

fn chose(version: Version, suite: u16) -> HelloReply {
    HelloReply::ServerHello { bytes: ReceivedBytes(server_hello(version.wire(), suite, Some(29))) }
}

const REFUSED: HelloReply = HelloReply::Alert { level: 2, description: 40 };

fn answer(hellos: Vec<Hello>) -> EndpointAnswer {
    EndpointAnswer {
        address: "192.0.2.1".to_owned(),
        addresses_not_asked: Vec::new(),
        server_name: "mx.clinic.example".to_owned(),
        starttls: "smtp".to_owned(),
        mode: "full".to_owned(),
        dialogue: Dialogue::default(),
        state: "tls".to_owned(),
        hellos,
        chains: Vec::new(),
        connections: 0,
        trust: Vec::new(),
        handshake: None,
        inside: None,
        injection: "not-tested".to_owned(),
        cut_short: None,
    }
}

fn all_of(version: Version) -> Vec<u16> {
    version.candidates().map(|suite| suite.code).collect()
}

#[test]
fn silence_resets_and_strange_alerts_refuse_nothing() {
    for reply in [
        HelloReply::TimedOut,
        HelloReply::Closed,
        HelloReply::Reset,
        HelloReply::Alert { level: 2, description: 80 },
        HelloReply::Alert { level: 2, description: 47 },
        HelloReply::Garbage { bytes: ReceivedBytes(b"?".to_vec()) },
    ] {
        let picture = picture(&answer(vec![hello(Version::Tls1_2, &all_of(Version::Tls1_2), reply.clone())]));
        let known = picture.version(Version::Tls1_2);
        assert_eq!((known.support, known.exhaustive), (Support::Unknown, false), "{reply:?}");
        assert!(!picture.class(Suite::is_anonymous).settled);
    }
}

#[test]
fn a_protocol_version_alert_refuses_the_version_and_an_empty_offer_nothing() {
    let alert = HelloReply::Alert { level: 2, description: 70 };
    let picture = picture(&answer(vec![hello(Version::Tls1_0, &[0x002f], alert)]));
    assert_eq!(picture.version(Version::Tls1_0).support, Support::Refused);
    assert_eq!(picture.version(Version::Tls1_1).support, Support::Unknown);
}

#[test]
fn answering_with_an_older_version_refuses_the_newer() {
    let picture = picture(&answer(vec![hello(Version::Tls1_2, &[0x002f, 0x0035], chose(Version::Tls1_0, 0x002f))]));
    assert_eq!(picture.version(Version::Tls1_2).support, Support::Refused);
    assert_eq!(picture.version(Version::Tls1_0).support, Support::Accepted);
}

#[test]
fn a_close_refuses_only_where_that_is_the_style_and_for_one_family() {
    let control = hello(Version::Tls1_2, &[NOBODY_HAS], HelloReply::Closed);
    let ecdhe = hello(Version::Tls1_2, &[0xc02f, 0xc030], HelloReply::Closed);
    let mixed = hello(Version::Tls1_2, &[0xc02f, 0x0033], HelloReply::Closed);
    let with_style = picture(&answer(vec![control, ecdhe.clone()]));
    assert!(with_style.version(Version::Tls1_2).refused.contains(&0xc02f));
    let mixed_families = picture(&answer(vec![hello(Version::Tls1_2, &[NOBODY_HAS], HelloReply::Closed), mixed]));
    assert!(mixed_families.version(Version::Tls1_2).refused.is_empty());
    let alert_style = picture(&answer(vec![hello(Version::Tls1_2, &[NOBODY_HAS], REFUSED), ecdhe]));
    assert!(!alert_style.version(Version::Tls1_2).refused.contains(&0xc02f));
}

#[test]
fn an_internal_error_refuses_one_family_and_settles_nothing_over_several() {
    let internal = HelloReply::Alert { level: 2, description: 80 };
    let refused = |suites: &[u16]| {
        let picture = picture(&answer(vec![hello(Version::Tls1_1, suites, internal.clone())]));
        picture.version(Version::Tls1_1).refused.len()
    };
    assert_eq!(refused(&[0xc013, 0xc014]), 2);
    assert_eq!(refused(&[0xc013, 0xc009]), 0, "RSA and ECDSA certificates are two");
    assert_eq!(refused(&[0xc013, 0x0033]), 0);
}

#[test]
fn elimination_to_a_clear_refusal_is_exhaustive() {
    let mut rest = all_of(Version::Tls1_2);
    let first = hello(Version::Tls1_2, &rest, chose(Version::Tls1_2, 0xc02f));
    rest.retain(|&code| code != 0xc02f);
    let last = hello(Version::Tls1_2, &rest, REFUSED);
    let picture = picture(&answer(vec![first, last]));
    let known = picture.version(Version::Tls1_2);
    assert!(known.exhaustive);
    assert_eq!(known.suite_names(), ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]);
}

#[test]
fn a_suite_that_was_not_offered_is_not_accepted() {
    let picture = picture(&answer(vec![hello(Version::Tls1_2, &[0xc02f], chose(Version::Tls1_2, 0x0004))]));
    assert_eq!(picture.version(Version::Tls1_2).support, Support::Unknown);
}

#[test]
fn order_needs_proof_either_way() {
    let two = |first, second, chosen| hello(Version::Tls1_2, &[first, second], chose(Version::Tls1_2, chosen));
    let order = |hellos| picture(&answer(hellos)).version(Version::Tls1_2).order;
    assert_eq!(order(vec![two(0xc02f, 0xc030, 0xc02f)]), Order::Unknown);
    assert_eq!(order(vec![two(0xc02f, 0xc030, 0xc02f), two(0xc030, 0xc02f, 0xc030)]), Order::Client);
    assert_eq!(order(vec![two(0xc02f, 0xc030, 0xc02f), two(0xc030, 0xc02f, 0xc02f)]), Order::Unknown);
    let alone = hello(Version::Tls1_2, &[0xc030], chose(Version::Tls1_2, 0xc030));
    assert_eq!(order(vec![two(0xc030, 0xc02f, 0xc02f), alone]), Order::Server);
}

#[test]
fn the_group_of_a_key_exchange_is_seen() {
    let mut one = hello(Version::Tls1_2, &[0xc02f], chose(Version::Tls1_2, 0xc02f));
    one.key_exchange = Some(ReceivedBytes(ecdh_exchange(23)));
    let retry = hello(Version::Tls1_3, &[0x1301], chose(Version::Tls1_3, 0x1301));
    let picture = picture(&answer(vec![one, retry]));
    assert_eq!(picture.version(Version::Tls1_2).groups, BTreeSet::from([23]));
    assert_eq!(picture.version(Version::Tls1_3).groups, BTreeSet::from([29]));
}

#[test]
fn a_class_is_settled_only_when_every_accepted_version_was_asked() {
    let anonymous: Vec<u16> =
        Version::Tls1_2.candidates().filter(|suite| suite.is_anonymous()).map(|suite| suite.code).collect();
    let refused_old = |version| hello(version, &[0x002f], HelloReply::Alert { level: 2, description: 70 });
    let mut hellos = vec![
        hello(Version::Tls1_2, &[0xc02f], chose(Version::Tls1_2, 0xc02f)),
        hello(Version::Tls1_2, &anonymous, REFUSED),
        refused_old(Version::Ssl3),
        refused_old(Version::Tls1_0),
    ];
    assert!(!picture(&answer(hellos.clone())).class(Suite::is_anonymous).settled, "TLS 1.1 was not asked");
    hellos.push(refused_old(Version::Tls1_1));
    let class = picture(&answer(hellos)).class(Suite::is_anonymous);
    assert_eq!(class, ClassPicture { accepted: Vec::new(), settled: true }, "TLS 1.3 has no anonymous suites");
}

#[test]
fn a_close_after_an_ssl_2_hello_refuses_it_where_tls_is_spoken() {
    let closed = hello(Version::Ssl2, &[], HelloReply::Closed);
    let spoken = hello(Version::Tls1_2, &[0xc02f], REFUSED);
    let support = |hellos| picture(&answer(hellos)).version(Version::Ssl2).support;
    assert_eq!(support(vec![closed.clone(), spoken]), Support::Refused);
    assert_eq!(support(vec![closed]), Support::Unknown);
}
