//! The conclusions, over deliveries that are written down here. Real senders are in the program tests.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::*;

fn attempt(tls: TlsState, delivered: Option<bool>) -> Attempt {
    Attempt {
        at: Timestamp::UNIX_EPOCH,
        from: Ipv4Addr::LOCALHOST.into(),
        greeting: Some("out.clinic.example".to_owned()),
        tls,
        delivered: delivered.map(|over_tls| Delivery { over_tls, received: Vec::new() }),
    }
}

fn agreed() -> TlsState {
    TlsState::Agreed { version: "TLSv1.3".to_owned(), suite: "TLS_AES_256_GCM_SHA384".to_owned() }
}

fn server(behaves: Behaviour, attempts: Vec<Attempt>) -> Seen {
    let name = format!("{}.lab.example", behaves.as_str());
    Seen { recipient: format!("t@{name}"), name, behaves, attempts, attempts_left_out: 0 }
}

#[test]
fn a_sender_that_falls_back_to_clear_is_opportunistic_even_if_all_else_is_encrypted() {
    let servers = [
        server(Behaviour::Trusted, vec![attempt(agreed(), Some(true))]),
        server(Behaviour::Expired, vec![attempt(agreed(), Some(true))]),
        server(Behaviour::Stripped, vec![attempt(TlsState::NotStarted, Some(false))]),
    ];
    assert_eq!(conclude(&servers).outgoing_tls, Sender::Opportunistic);
}

#[test]
fn where_nobody_came_nothing_is_concluded() {
    let servers = [
        server(Behaviour::Trusted, Vec::new()),
        server(Behaviour::Stripped, Vec::new()),
        server(Behaviour::Expired, Vec::new()),
    ];
    let conclusion = conclude(&servers);
    assert_eq!(conclusion.outgoing_tls, Sender::Undetermined);
    assert_eq!(
        (conclusion.dane, conclusion.mta_sts, conclusion.takes_tls_1_0),
        (Regard::NotShown, Regard::NotShown, None)
    );
}

#[test]
fn a_stranger_who_leaves_without_delivering_shows_no_enforcement() {
    let mut stranger = attempt(TlsState::NotStarted, None);
    stranger.from = Ipv4Addr::new(192, 0, 2, 7).into();
    stranger.greeting = Some("scanner.invalid".to_owned());
    let servers = [
        server(Behaviour::Trusted, vec![attempt(agreed(), Some(true))]),
        server(Behaviour::Expired, vec![attempt(agreed(), Some(true))]),
        server(Behaviour::Stripped, vec![stranger]),
    ];
    assert_eq!(conclude(&servers).outgoing_tls, Sender::Undetermined);
}

#[test]
fn a_sender_that_verifies_everything_shows_nothing_about_policies() {
    let left = || vec![attempt(agreed(), None)];
    let servers = [
        server(Behaviour::Trusted, vec![attempt(agreed(), Some(true))]),
        server(Behaviour::Expired, left()),
        server(Behaviour::WithoutStarttls, left()),
        server(Behaviour::DaneMismatch, left()),
    ];
    let conclusion = conclude(&servers);
    assert_eq!(conclusion.outgoing_tls, Sender::EnforcedAndVerified);
    assert_eq!(conclusion.dane, Regard::NotShown, "its certificate is refused in any case");
}

#[test]
fn a_policy_is_honoured_only_where_an_expired_certificate_was_taken() {
    let left = || vec![attempt(agreed(), None)];
    let with_expired = |expired| {
        conclude(&[
            server(Behaviour::Trusted, vec![attempt(agreed(), Some(true))]),
            server(Behaviour::Expired, expired),
            server(Behaviour::WithoutStarttls, vec![attempt(TlsState::NotStarted, Some(false))]),
            server(Behaviour::DaneMismatch, left()),
        ])
    };
    assert_eq!(with_expired(vec![attempt(agreed(), Some(true))]).dane, Regard::Honoured);
    assert_eq!(with_expired(left()).dane, Regard::NotShown, "it may refuse every bad certificate");
    assert_eq!(with_expired(Vec::new()).dane, Regard::NotShown);
}

#[test]
fn tls_1_0_is_refused_only_where_the_version_was_the_reason() {
    let with = |tls| {
        conclude(&[
            server(Behaviour::Trusted, vec![attempt(agreed(), Some(true))]),
            server(Behaviour::Tls10Only, vec![attempt(tls, None)]),
        ])
        .takes_tls_1_0
    };
    assert_eq!(with(TlsState::Tls10Refused), Some(false));
    assert_eq!(with(TlsState::Tls10Taken), Some(true));
    assert_eq!(with(TlsState::Failed { why: "the sender closed the connection".to_owned() }), None);
}
