//! Tests of the facts of services: made-up observations in, facts out.

use super::*;
use crate::evidence::declared::{Declared, DeclaredDomain, DeclaredHost};
use crate::evidence::endpoint::{ChainTrust, Dialogue, Hello, HelloReply, Inside};
use crate::evidence::network::DnsAnswer;
use crate::evidence::{Evidence, ReceivedBytes, Writer};
use crate::facts::shape::Subject;
use crate::names::SubjectId;
use crate::records::server_hello::tests::server_hello;
use crate::records::tls_groups;

const NAME: &str = "mx.clinic.example:25";

fn hello(version: Version, suites: Vec<u16>, reply: HelloReply) -> Hello {
    let groups = if version == Version::Tls1_3 { tls_groups::TLS13.to_vec() } else { tls_groups::TLS12.to_vec() };
    Hello {
        version: version.wire(),
        suites,
        groups,
        reply,
        beside: Vec::new(),
        signatures: Vec::new(),
        asks_certificate: false,
        key_exchange: None,
    }
}

fn all_of(version: Version, keep: impl Fn(Suite) -> bool) -> Vec<u16> {
    version.candidates().filter(|&suite| keep(suite)).map(|suite| suite.code).collect()
}

/// A service with TLS 1.2 and one good suite, everything else clearly refused.
pub(crate) fn good_answer() -> EndpointAnswer {
    let chosen = HelloReply::ServerHello { bytes: ReceivedBytes(server_hello(0x0303, 0xc02f, None)) };
    let no = HelloReply::Alert { level: 2, description: 40 };
    let not_this_version = HelloReply::Alert { level: 2, description: 70 };
    let mut hellos = vec![
        hello(Version::Tls1_2, vec![0xc02f], chosen),
        hello(Version::Tls1_2, all_of(Version::Tls1_2, |suite| suite.code != 0xc02f), no),
        hello(Version::Ssl2, Vec::new(), HelloReply::Closed),
    ];
    for version in [Version::Ssl3, Version::Tls1_0, Version::Tls1_1, Version::Tls1_3] {
        hellos.push(hello(version, vec![0x002f], not_this_version.clone()));
    }
    EndpointAnswer {
        address: "192.0.2.1".to_owned(),
        addresses_not_asked: Vec::new(),
        server_name: "mx.clinic.example".to_owned(),
        starttls: "smtp".to_owned(),
        mode: "full".to_owned(),
        dialogue: Dialogue {
            capabilities: Some(ReceivedBytes(b"250-mx.clinic.example\r\n250 STARTTLS\r\n".to_vec())),
            ..Dialogue::default()
        },
        state: "tls".to_owned(),
        hellos,
        chains: vec![vec![leaf()]],
        connections: 7,
        trust: vec![ChainTrust { trusted: true, why: String::new(), roots: "mozilla".to_owned() }],
        handshake: None,
        inside: None,
        injection: "not-tested".to_owned(),
        cut_short: None,
    }
}

fn leaf() -> ReceivedBytes {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec!["mx.clinic.example".to_owned()]).unwrap();
    parameters.not_before = rcgen::date_time_ymd(2026, 1, 1);
    // The manifest of the tests is judged at noon of 2026-10-01.
    parameters.not_after = rcgen::date_time_ymd(2026, 10, 31);
    ReceivedBytes(parameters.self_signed(&key).unwrap().der().to_vec())
}

pub(crate) fn observation(address: &str, answer: Result<EndpointAnswer, NotObserved>) -> Observation {
    Observation {
        subject: SubjectId::new(SubjectKind::Endpoint, NAME),
        source: Source::Service,
        question: Question::Endpoint {
            port: 25,
            starttls: "smtp".to_owned(),
            address: address.to_owned(),
            role: "mail-exchange".to_owned(),
            operated_by: "us".to_owned(),
        },
        asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
        took_ms: 5,
        vantage: "test".to_owned(),
        answer: answer.map(|answer| Answer::Endpoint(Box::new(answer))),
    }
}

fn mx_answer(domain: &str, answer: Result<Option<&str>, NotObserved>) -> Observation {
    use hickory_proto::rr::{Name, Record, rdata::MX};
    let answer = answer.map(|exchange| {
        let mut message = Message::query();
        if let Some(exchange) = exchange {
            let mx = RData::MX(MX::new(10, Name::from_ascii(exchange).unwrap()));
            message.answers.push(Record::from_rdata(Name::from_ascii(domain).unwrap(), 300, mx));
        }
        Answer::Dns(DnsAnswer {
            server: "127.0.0.1:53".to_owned(),
            transport: "udp".to_owned(),
            rcode: "NOERROR".to_owned(),
            dnssec: "insecure".to_owned(),
            message: ReceivedBytes(message.to_vec().unwrap()),
        })
    });
    Observation {
        subject: SubjectId::new(SubjectKind::Domain, domain),
        source: Source::Dns,
        question: Question::Dns { name: domain.to_owned(), record_type: "MX".to_owned() },
        answer,
        ..observation("", Err(NotObserved::Interrupted))
    }
}

fn declared(hosts: Vec<DeclaredHost>) -> Observation {
    let domain =
        DeclaredDomain { name: "clinic.example".parse().unwrap(), sends: true, receives: true, selectors: Vec::new() };
    let declared = Declared {
        organization: None,
        authorization: None,
        domains: vec![domain],
        hosts,
        portals: Vec::new(),
        partners: Vec::new(),
        vendors: Vec::new(),
        exports: Vec::new(),
        messages: Vec::new(),
        retention: None,
        volumes: Vec::new(),
        answers: None,
        registers: None,
        reports: Vec::new(),
        scope_sha256: String::new(),
    };
    Observation {
        subject: SubjectId::new(SubjectKind::Organization, "the organization"),
        source: Source::Declared,
        question: Question::Declared,
        answer: Ok(Answer::Declared(Box::new(declared))),
        ..observation("", Err(NotObserved::Interrupted))
    }
}

fn built(observations: Vec<Observation>) -> Built<Endpoint> {
    let folder = tempfile::tempdir().unwrap();
    let manifest = crate::evidence::tests::manifest();
    let as_of = manifest.as_of;
    let evidence: Evidence = Writer::create(folder.path()).unwrap().finish(observations, manifest).unwrap();
    build(Context { evidence: &evidence, as_of })
}

/// An invented mail host that everything is right about, but for the days its certificate has left.
pub(crate) fn good_endpoint() -> Endpoint {
    one(vec![observation("192.0.2.1", Ok(good_answer()))])
}

fn one(observations: Vec<Observation>) -> Endpoint {
    built(observations).subjects.pop().unwrap()
}

#[test]
fn a_good_service_is_known_in_every_fact_that_was_asked() {
    let endpoint = one(vec![observation("192.0.2.1", Ok(good_answer()))]);
    assert_eq!(endpoint.tls.seen, Seen::Present(true));
    assert_eq!((endpoint.tls1_2.seen, endpoint.tls1_3.seen), (Seen::Present(true), Seen::Present(false)));
    assert_eq!((endpoint.ssl.seen, endpoint.tls1_0.seen), (Seen::Present(false), Seen::Present(false)));
    for list in [endpoint.anonymous_suites, endpoint.broken_suites, endpoint.static_key_suites] {
        assert_eq!(list.seen, Seen::Present(Vec::new()));
    }
    assert_eq!(endpoint.strong_suite.seen, Seen::Present(true));
    assert_eq!(endpoint.password_in_clear.seen, Seen::Present(false));
    assert_eq!(endpoint.dh_bits.seen, Seen::Absent);
    let Seen::Present(certificate) = endpoint.certificate.seen else { panic!("a certificate") };
    assert_eq!((certificate.days_left, certificate.key_bits), (29, 256));
    assert!(certificate.trusted && certificate.name_matches && certificate.self_signed);
    assert!(matches!(endpoint.injection.seen, Seen::Unknown(NotObserved::NotInScope { .. })));
}

#[test]
fn a_timeout_leaves_every_judged_fact_unknown() {
    let endpoint = one(vec![observation("192.0.2.1", Err(NotObserved::TimedOut { after_ms: 5 }))]);
    let encoded = endpoint.encode_subject();
    let known = ["host", "port", "role", "operated_by", "state", "addresses_refusing", "addresses_out_of_reach"];
    for (name, fact) in &encoded.facts {
        assert_eq!(fact.value.is_ok(), known.contains(name), "{name}: {:?}", fact.value);
    }
    assert_eq!(endpoint.state.seen, Seen::Present("timeout".to_owned()));
}

#[test]
fn a_temporary_refusal_is_not_a_service_without_tls() {
    for state in ["refused-421", "starttls-refused-temporary", "timeout", "limit", "a-word-of-tomorrow"] {
        let answer =
            EndpointAnswer { state: state.to_owned(), hellos: Vec::new(), chains: Vec::new(), ..good_answer() };
        let endpoint = one(vec![observation("192.0.2.1", Ok(answer))]);
        assert!(matches!(endpoint.tls.seen, Seen::Unknown(_)), "{state}");
        assert!(matches!(endpoint.certificate.seen, Seen::Unknown(_)), "{state}");
    }
}

#[test]
fn without_starttls_there_is_certainly_no_certificate() {
    let answer = EndpointAnswer {
        state: "starttls-not-offered".to_owned(),
        hellos: Vec::new(),
        chains: Vec::new(),
        trust: Vec::new(),
        ..good_answer()
    };
    let endpoint = one(vec![observation("192.0.2.1", Ok(answer))]);
    assert_eq!((endpoint.tls.seen, endpoint.certificate.seen), (Seen::Present(false), Seen::Absent));
}

#[test]
fn no_tls_needs_every_version_refused() {
    let answer = EndpointAnswer {
        state: "no-tls".to_owned(),
        hellos: vec![hello(Version::Tls1_2, vec![0xc02f], HelloReply::Alert { level: 2, description: 47 })],
        chains: Vec::new(),
        ..good_answer()
    };
    assert!(matches!(one(vec![observation("192.0.2.1", Ok(answer))]).tls.seen, Seen::Unknown(_)));
}

#[test]
fn of_several_addresses_the_worst_counts() {
    let plain = EndpointAnswer {
        address: "192.0.2.2".to_owned(),
        state: "starttls-not-offered".to_owned(),
        hellos: Vec::new(),
        chains: Vec::new(),
        ..good_answer()
    };
    let endpoint = one(vec![observation("192.0.2.1", Ok(good_answer())), observation("192.0.2.2", Ok(plain))]);
    assert_eq!(endpoint.tls.seen, Seen::Present(false));
    assert_eq!(endpoint.state.seen, Seen::Present("starttls-not-offered".to_owned()));
    assert_eq!(endpoint.tls.evidence.len(), 2);
}

#[test]
fn addresses_that_accept_different_suites_differ_and_one_alone_does_not() {
    let mut other = EndpointAnswer { address: "192.0.2.2".to_owned(), ..good_answer() };
    other.hellos[0].suites = vec![0xc030];
    other.hellos[0].reply = HelloReply::ServerHello { bytes: ReceivedBytes(server_hello(0x0303, 0xc030, None)) };
    other.hellos[1].suites = all_of(Version::Tls1_2, |suite| suite.code != 0xc030);
    let first = || observation("192.0.2.1", Ok(good_answer()));
    assert_eq!(one(vec![first()]).addresses_differ.seen, Seen::Present(false));
    assert_eq!(one(vec![first(), observation("192.0.2.2", Ok(other))]).addresses_differ.seen, Seen::Present(true));
    let silent = observation("192.0.2.2", Err(NotObserved::TimedOut { after_ms: 5 }));
    assert!(matches!(one(vec![first(), silent]).addresses_differ.seen, Seen::Unknown(_)));
    let left_out = EndpointAnswer { addresses_not_asked: vec!["192.0.2.2".to_owned()], ..good_answer() };
    let of_one = one(vec![observation("192.0.2.1", Ok(left_out))]);
    assert!(matches!(of_one.addresses_differ.seen, Seen::Unknown(_)), "one of two was asked");
    assert!(matches!(of_one.addresses_refusing.seen, Seen::Unknown(_)) && of_one.tls.seen == Seen::Present(true));
    let mut short = EndpointAnswer { address: "192.0.2.2".to_owned(), ..good_answer() };
    short.hellos.remove(1);
    let compared = one(vec![first(), observation("192.0.2.2", Ok(short))]).addresses_differ.seen;
    assert!(matches!(compared, Seen::Unknown(_)), "lists that are not whole cannot be compared");
}

#[test]
fn the_same_key_on_another_host_is_told_and_on_another_port_is_not() {
    let answer = good_answer();
    let at = |name: &str| Observation {
        subject: SubjectId::new(SubjectKind::Endpoint, name),
        ..observation("192.0.2.1", Ok(answer.clone()))
    };
    let shared = |names: &[&str]| {
        let all = built(names.iter().map(|name| at(name)).collect()).subjects;
        all.into_iter().find(|endpoint| endpoint.name == NAME).unwrap().key_shared_with.seen
    };
    assert_eq!(shared(&[NAME, "old.clinic.example:25"]), Seen::Present(vec!["old.clinic.example".to_owned()]));
    assert_eq!(shared(&[NAME, "mx.clinic.example:465"]), Seen::Present(Vec::new()));
    let silent = observation("192.0.2.2", Err(NotObserved::TimedOut { after_ms: 5 }));
    let of_one_address = one(vec![at(NAME), silent]).key_shared_with.seen;
    assert!(matches!(of_one_address, Seen::Unknown(_)), "the other address may have another key");
}

#[test]
fn a_short_look_fails_on_what_it_saw_and_says_why_it_knows_no_more() {
    let mut short = EndpointAnswer { mode: "verdict".to_owned(), ..good_answer() };
    short.hellos.remove(1);
    let short = one(vec![observation("192.0.2.1", Ok(short))]);
    let Seen::Unknown(reason) = short.outside_sp_800_52.seen else { panic!("{:?}", short.outside_sp_800_52.seen) };
    assert!(reason.to_string().contains("`mode: full`"), "{reason}");
}

#[test]
fn of_two_certificates_the_staple_of_one_says_nothing_of_the_other() {
    let mut answer = good_answer();
    answer.inside = Some(Inside { staple: Some(ReceivedBytes(vec![0x30, 0])), ..Inside::default() });
    let stapled = |answer: &EndpointAnswer| one(vec![observation("192.0.2.1", Ok(answer.clone()))]).stapled.seen;
    assert_eq!(stapled(&answer), Seen::Present(true));
    let mut other = answer.chains[0].clone();
    other[0].0.push(0);
    answer.chains.push(other);
    assert!(matches!(stapled(&answer), Seen::Unknown(_)));
}

#[test]
fn what_is_outside_a_profile_is_named_and_nothing_is_only_said_of_whole_lists() {
    let good = one(vec![observation("192.0.2.1", Ok(good_answer()))]);
    assert_eq!(good.outside_sp_800_52.seen, Seen::Present(Vec::new()));
    let mut chacha = good_answer();
    chacha.hellos[0].suites = vec![0xcca8];
    chacha.hellos[0].reply = HelloReply::ServerHello { bytes: ReceivedBytes(server_hello(0x0303, 0xcca8, None)) };
    let chacha = one(vec![observation("192.0.2.1", Ok(chacha))]);
    let names = vec!["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256".to_owned()];
    assert_eq!(chacha.outside_sp_800_52.seen, Seen::Present(names));
    let mut short = good_answer();
    short.hellos.remove(1);
    assert!(matches!(one(vec![observation("192.0.2.1", Ok(short))]).outside_sp_800_52.seen, Seen::Unknown(_)));
}

#[test]
fn an_address_that_timed_out_holds_back_the_good_news_and_one_that_refuses_does_not() {
    let with = |reason| one(vec![observation("192.0.2.1", Ok(good_answer())), observation("2001:db8::1", Err(reason))]);
    let silent = with(NotObserved::TimedOut { after_ms: 5 });
    assert!(matches!(silent.tls.seen, Seen::Unknown(_)) && matches!(silent.ssl.seen, Seen::Unknown(_)));
    let refusing = with(NotObserved::Refused { what: "the connection was refused".to_owned() });
    assert_eq!(refusing.tls.seen, Seen::Present(true));
    assert_eq!(refusing.addresses_refusing.seen, Seen::Present(vec!["2001:db8::1".to_owned()]));
    let no_route = with(NotObserved::Refused { what: NO_ROUTE.to_owned() });
    assert_eq!(no_route.addresses_refusing.seen, Seen::Present(Vec::new()));
    assert_eq!(no_route.addresses_out_of_reach.seen, Seen::Present(vec!["2001:db8::1".to_owned()]));
}

#[test]
fn an_answer_from_one_vantage_beats_none_from_another() {
    let mut blocked = observation("192.0.2.1", Err(NotObserved::TimedOut { after_ms: 5 }));
    blocked.vantage = "office".to_owned();
    let endpoint = one(vec![blocked, observation("192.0.2.1", Ok(good_answer()))]);
    assert_eq!(endpoint.tls.seen, Seen::Present(true));
}

#[test]
fn what_was_not_asked_is_not_an_empty_list() {
    let mut answer = good_answer();
    answer.hellos.remove(1);
    answer.cut_short = Some(NotObserved::TimedOut { after_ms: 5 });
    let endpoint = one(vec![observation("192.0.2.1", Ok(answer))]);
    assert_eq!(endpoint.anonymous_suites.seen, Seen::Unknown(NotObserved::TimedOut { after_ms: 5 }));
    assert_eq!(endpoint.strong_suite.seen, Seen::Present(true));
}

#[test]
fn a_certificate_expires_by_the_day_it_is_judged_on() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = crate::evidence::tests::manifest();
    let seen = vec![observation("192.0.2.1", Ok(good_answer()))];
    let evidence = Writer::create(folder.path()).unwrap().finish(seen, manifest).unwrap();
    let later = Context { evidence: &evidence, as_of: "2026-11-01T00:00:00Z".parse().unwrap() };
    let endpoint = build(later).subjects.pop().unwrap();
    let Seen::Present(certificate) = endpoint.certificate.seen else { panic!("a certificate") };
    assert_eq!(certificate.days_left, -1);
}

#[test]
fn the_collection_is_complete_only_when_every_mail_host_was_asked() {
    let seen = || observation("192.0.2.1", Ok(good_answer()));
    let mx = |answer| mx_answer("clinic.example", answer);
    let collection = |observations| built(observations).collection;
    assert_eq!(
        collection(vec![declared(Vec::new()), mx(Ok(Some("mx.clinic.example."))), seen()]),
        Collection::Complete
    );
    let incomplete = [
        vec![declared(Vec::new()), seen()],
        vec![declared(Vec::new()), mx(Err(NotObserved::TimedOut { after_ms: 5 })), seen()],
        vec![declared(Vec::new()), mx(Ok(Some("mx2.clinic.example."))), seen()],
        vec![seen()],
    ];
    for observations in incomplete {
        assert!(matches!(collection(observations), Collection::Incomplete(_)));
    }
    let host = DeclaredHost {
        name: "mail.clinic.example".parse().unwrap(),
        ports: vec![993],
        operated_by: None,
        mode: None,
        removes_foreign_results: false,
    };
    let missing = collection(vec![declared(vec![host]), mx(Ok(Some("mx.clinic.example."))), seen()]);
    assert!(matches!(missing, Collection::Incomplete(_)));
    assert_eq!(collection(vec![declared(Vec::new()), mx(Ok(None))]), Collection::Complete);
}
