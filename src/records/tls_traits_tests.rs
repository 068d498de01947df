//! Tests of the traits: made-up answers in, statements out.

use super::*;
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::Inside;
use crate::records::server_hello::tests::{server_hello, server_hello_with, signed_ecdh_exchange};
use crate::records::tls_groups;
use crate::records::tls_picture::picture;

const EVERYTHING: [Beside; 6] = [
    Beside::Compression,
    Beside::EncryptThenMac,
    Beside::ExtendedMasterSecret,
    Beside::RenegotiationInfo,
    Beside::SessionTicket,
    Beside::TruncatedHmac,
];
const REFUSED: HelloReply = HelloReply::Alert { level: 2, description: 40 };

fn hello(suites: &[u16], reply: HelloReply) -> Hello {
    Hello {
        version: Version::Tls1_2.wire(),
        suites: suites.to_vec(),
        groups: tls_groups::TLS12.to_vec(),
        beside: EVERYTHING.to_vec(),
        signatures: Vec::new(),
        asks_certificate: false,
        reply,
        key_exchange: None,
    }
}

fn chose(suite: u16, compression: u8, extensions: &[u16]) -> HelloReply {
    HelloReply::ServerHello { bytes: ReceivedBytes(server_hello_with(suite, compression, extensions)) }
}

fn of(hellos: Vec<Hello>) -> TlsTraits {
    with_inside(hellos, None)
}

fn with_inside(hellos: Vec<Hello>, inside: Option<Inside>) -> TlsTraits {
    let answer = EndpointAnswer { hellos, inside, starttls: "smtp".to_owned(), ..EndpointAnswer::default() };
    traits(&answer, &picture(&answer))
}

#[test]
fn what_was_never_offered_is_unknown() {
    let mut old = hello(&[0xc02f], chose(0xc02f, 0, &[]));
    old.beside.clear();
    for found in [of(Vec::new()), of(vec![old])] {
        for told in [
            found.compression,
            found.truncated_hmac,
            found.extended_master_secret,
            found.secure_renegotiation,
            found.session_tickets,
            found.fallback_refused,
            found.early_data,
            found.asks_client_certificate,
            found.starttls_inside,
            found.staple,
            found.common_group,
        ] {
            assert_eq!(told, Told::Unknown);
        }
        assert!(!found.cbc_without_encrypt_then_mac.settled && !found.weak_signatures.settled);
    }
}

#[test]
fn one_answer_without_the_extension_is_enough_to_miss_it() {
    let good = hello(&[0xc02f], chose(0xc02f, 0, &[extension::EXTENDED_MASTER_SECRET, extension::RENEGOTIATION_INFO]));
    let bare = hello(&[0xc013], chose(0xc013, 0, &[extension::RENEGOTIATION_INFO]));
    let found = of(vec![good.clone(), bare]);
    assert_eq!((found.extended_master_secret, found.secure_renegotiation), (Told::No, Told::Yes));
    assert_eq!(of(vec![good]).extended_master_secret, Told::Yes);
}

#[test]
fn one_answer_that_agrees_is_enough_to_have_it() {
    let plain = hello(&[0xc02f], chose(0xc02f, 0, &[]));
    let agrees = hello(&[0xc013], chose(0xc013, 1, &[extension::TRUNCATED_HMAC, extension::SESSION_TICKET]));
    let found = of(vec![plain.clone(), agrees]);
    assert_eq!((found.compression, found.truncated_hmac, found.session_tickets), (Told::Yes, Told::Yes, Told::Yes));
    let found = of(vec![plain]);
    assert_eq!((found.compression, found.truncated_hmac), (Told::No, Told::No));
    assert_eq!(found.session_tickets, Told::Unknown, "TLS 1.3 was not looked into");
}

#[test]
fn where_only_tls_1_3_is_spoken_older_questions_do_not_arise() {
    let gone = HelloReply::Alert { level: 2, description: 70 };
    let mut hellos = vec![Hello {
        version: Version::Tls1_3.wire(),
        groups: tls_groups::TLS13.to_vec(),
        ..hello(&[0x1301], HelloReply::ServerHello { bytes: ReceivedBytes(server_hello(0x0304, 0x1301, Some(29))) })
    }];
    for version in [Version::Ssl3, Version::Tls1_0, Version::Tls1_1, Version::Tls1_2] {
        hellos.push(Hello { version: version.wire(), ..hello(&[0x002f], gone.clone()) });
    }
    let found = of(hellos);
    for told in [found.compression, found.extended_master_secret, found.secure_renegotiation, found.fallback_refused] {
        assert_eq!(told, Told::DoesNotArise);
    }
    assert_eq!(found.common_group, Told::Yes);
    assert!(found.weak_signatures.settled && found.weak_signatures.accepted.is_empty());
}

#[test]
fn a_second_try_is_refused_by_its_own_alert_alone() {
    let second_try = |reply| {
        let mut hello = hello(&[0xc013], reply);
        hello.beside.push(Beside::FallbackScsv);
        of(vec![hello]).fallback_refused
    };
    assert_eq!(second_try(HelloReply::Alert { level: 2, description: 86 }), Told::Yes);
    assert_eq!(second_try(chose(0xc013, 0, &[])), Told::No);
    assert_eq!(second_try(REFUSED), Told::Unknown);
    assert_eq!(second_try(HelloReply::Closed), Told::Unknown);
    let control = hello(&[cipher_suites::NOBODY_HAS], HelloReply::Closed);
    let mut closes = hello(&[0xc013], HelloReply::Closed);
    closes.beside.push(Beside::FallbackScsv);
    assert_eq!(of(vec![control, closes]).fallback_refused, Told::Yes, "closing is how it always refuses");
}

#[test]
fn weak_signatures_need_their_own_question() {
    let mut signed = hello(&[0xc02f], chose(0xc02f, 0, &[]));
    signed.key_exchange = Some(ReceivedBytes(signed_ecdh_exchange(23, 0x0804)));
    let mut asked = hello(&[0xc02f], REFUSED);
    asked.signatures = signature_schemes::WEAK.to_vec();
    // Everything else is refused, so that the only key is one of RSA.
    let others = |version: Version| {
        let suites: Vec<u16> = version.candidates().map(|suite| suite.code).filter(|&code| code != 0xc02f).collect();
        let gone = HelloReply::Alert { level: 2, description: if version == Version::Tls1_2 { 40 } else { 70 } };
        Hello { version: version.wire(), ..hello(&suites, gone) }
    };
    let versions = [Version::Ssl3, Version::Tls1_0, Version::Tls1_1, Version::Tls1_2, Version::Tls1_3];
    let with = |hellos: &[Hello]| of([&versions.map(others)[..], hellos].concat()).weak_signatures;
    assert_eq!(with(&[signed.clone(), asked.clone()]), ClassPicture { accepted: Vec::new(), settled: true });
    assert!(!with(&[signed.clone()]).settled);
    assert!(!of(vec![signed.clone(), asked.clone()]).weak_signatures.settled, "there may be another key");
    let mut weak = asked;
    weak.reply = chose(0xc02f, 0, &[]);
    weak.key_exchange = Some(ReceivedBytes(signed_ecdh_exchange(23, 0x0201)));
    assert_eq!(of(vec![signed, weak]).weak_signatures.accepted, ["rsa_pkcs1_sha1"]);
}

#[test]
fn a_hello_refused_for_its_signatures_refuses_no_suite() {
    let mut cut = hello(&[0xc02f], REFUSED);
    cut.signatures = vec![0x0201];
    let answer = EndpointAnswer { hellos: vec![cut], ..EndpointAnswer::default() };
    assert!(picture(&answer).version(Version::Tls1_2).refused.is_empty());
}

#[test]
fn cbc_suites_without_encrypt_then_mac_are_named() {
    let with = hello(&[0xc013], chose(0xc013, 0, &[extension::ENCRYPT_THEN_MAC]));
    let without = hello(&[0xc014], chose(0xc014, 0, &[]));
    let gcm = hello(&[0xc02f], chose(0xc02f, 0, &[]));
    let found = of(vec![with, without, gcm]).cbc_without_encrypt_then_mac;
    assert_eq!(found.accepted, ["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"]);
}

#[test]
fn no_common_group_is_said_only_after_both_were_refused_with_an_accepted_suite() {
    let mut other = hello(&[0xc02f], chose(0xc02f, 0, &[]));
    other.key_exchange = Some(ReceivedBytes(signed_ecdh_exchange(24, 0x0804)));
    let mut rest = hello(&[0xc02f], REFUSED);
    assert_eq!(of(vec![other.clone()]).common_group, Told::Unknown);
    assert_eq!(of(vec![other.clone(), rest.clone()]).common_group, Told::No);
    rest.groups.retain(|&group| group != 0x001d);
    assert_eq!(of(vec![other, rest]).common_group, Told::Unknown);
}

#[test]
fn what_shows_inside_is_told() {
    let inside = Inside {
        capabilities: Some(ReceivedBytes(b"250-mx\r\n250 STARTTLS\r\n".to_vec())),
        staple: Some(ReceivedBytes(vec![0x30, 0])),
        asks_certificate: true,
        ..Inside::default()
    };
    let found = with_inside(vec![hello(&[0xc02f], chose(0xc02f, 0, &[]))], Some(inside));
    assert_eq!((found.starttls_inside, found.staple, found.asks_client_certificate), (Told::Yes, Told::Yes, Told::Yes));
    let found = with_inside(vec![hello(&[0xc02f], chose(0xc02f, 0, &[]))], Some(Inside::default()));
    assert_eq!((found.starttls_inside, found.staple, found.session_tickets), (Told::Unknown, Told::No, Told::Unknown));
    let waited = Inside { had_its_turn: true, ..Inside::default() };
    let found = with_inside(vec![hello(&[0xc02f], chose(0xc02f, 0, &[]))], Some(waited));
    assert_eq!((found.session_tickets, found.starttls_inside), (Told::No, Told::DoesNotArise));
}
