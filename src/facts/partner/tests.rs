use super::super::domain::tests::{TIDY, collect, collect_with, scope};
use super::*;
use crate::collect::https::tests::POLICY;
use crate::evidence::declared::{Declared, DeclaredMessages, DeclaredPartner};
use crate::evidence::endpoint::{Dialogue, EndpointAnswer};
use crate::evidence::{Observation, Question};

async fn delivery(lines: &[&str], policy: Option<&str>) -> Seen<String> {
    delivery_seeing(lines, policy, Vec::new()).await
}

async fn delivery_seeing(
    lines: &[&str],
    policy: Option<&str>,
    answers: Vec<Result<&str, NotObserved>>,
) -> Seen<String> {
    let partners = vec![DeclaredPartner { domain: "c.example".parse().unwrap(), phi: true }];
    let seen = answers.into_iter().map(|answer| at_port_25("m.c.example", answer)).collect();
    let declared = Declared { partners, domains: Vec::new(), ..scope() };
    let collected = collect_with(declared, lines, policy, seen).await;
    build(collected.context()).subjects.remove(0).tls_delivery.seen
}

/// What a partner's host answered as a sender asks it.
fn at_port_25(host: &str, answer: Result<&str, NotObserved>) -> Observation {
    Observation {
        subject: SubjectId::new(SubjectKind::Partner, format!("{host}:25")),
        source: Source::Service,
        question: Question::Endpoint {
            port: 25,
            starttls: "smtp".to_owned(),
            address: "127.0.0.2".to_owned(),
            role: "partner-exchange".to_owned(),
            operated_by: "unknown".to_owned(),
        },
        asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
        took_ms: 0,
        vantage: "here".to_owned(),
        answer: answer.map(|state| {
            Answer::Endpoint(Box::new(EndpointAnswer {
                address: "127.0.0.2".to_owned(),
                addresses_not_asked: Vec::new(),
                server_name: host.to_owned(),
                starttls: "smtp".to_owned(),
                mode: "verdict".to_owned(),
                dialogue: Dialogue::default(),
                state: state.to_owned(),
                hellos: Vec::new(),
                chains: Vec::new(),
                connections: 1,
                trust: Vec::new(),
                handshake: None,
                inside: None,
                injection: "not-tested".to_owned(),
                cut_short: None,
            }))
        }),
    }
}

const PLAIN: [&str; 4] =
    ["c.example MX 10 m.c.example.", "m.c.example A 127.0.0.2", "m.c.example AAAA !none", "_mta-sts.c.example TXT !nx"];

#[tokio::test]
async fn what_the_hosts_offer_is_said_only_where_they_were_seen() {
    let late = NotObserved::TimedOut { after_ms: 1 };
    assert!(matches!(delivery(&PLAIN, None).await, Seen::Unknown(NotObserved::NotProvided { .. })));
    for (answers, expected) in [
        (vec![Ok("tls")], Some("opportunistic")),
        (vec![Ok("starttls-not-offered")], Some("none")),
        (vec![Ok("tls"), Ok("no-tls")], Some("none")),
        (vec![Ok("refused-421")], None),
        (vec![Err(late.clone())], None),
        (vec![Err(NotObserved::Refused { what: "connection refused".to_owned() })], None),
    ] {
        let seen = delivery_seeing(&PLAIN, None, answers.clone()).await;
        match expected {
            Some(word) => assert_eq!(seen, Seen::Present(word.to_owned()), "{answers:?}"),
            None => assert!(matches!(seen, Seen::Unknown(_)), "{answers:?} {seen:?}"),
        }
    }
}

#[tokio::test]
async fn only_a_policy_in_force_is_relied_on() {
    assert_eq!(delivery(&TIDY, Some(POLICY)).await, Seen::Present("enforced".to_owned()));
    let testing = POLICY.replace("enforce", "testing");
    let seen = delivery_seeing(&TIDY, Some(&testing), vec![Ok("tls")]).await;
    assert_eq!(seen, Seen::Present("opportunistic".to_owned()));
}

#[tokio::test]
async fn a_policy_that_could_not_be_fetched_leaves_it_open() {
    assert!(matches!(delivery(&TIDY, None).await, Seen::Unknown(NotObserved::Refused { .. })));
    assert!(matches!(delivery(&["c.example MX !fail"], None).await, Seen::Unknown(_)));
    assert!(matches!(delivery(&["c.example MX 0 ."], None).await, Seen::Unknown(_)));
}

#[tokio::test]
async fn a_scope_without_partners_lowers_no_figure() {
    let collected = collect(scope(), &TIDY, Some(POLICY)).await;
    assert!(matches!(build(collected.context()).collection, Collection::NotDeclared(_)));
}

/// What mail given tells of `c.example`.
async fn incoming_seeing(mails: Vec<IncomingMail>, named: bool) -> Partner {
    let partners = vec![DeclaredPartner { domain: "c.example".parse().unwrap(), phi: true }];
    let observation = |mail| Observation {
        subject: SubjectId::new(SubjectKind::Partner, "c.example"),
        source: Source::Content,
        question: Question::IncomingMail,
        asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
        took_ms: 0,
        vantage: "here".to_owned(),
        answer: Ok(Answer::IncomingMail(Box::new(mail))),
    };
    let messages = vec![DeclaredMessages { path: "mail/".to_owned(), mailbox: "desk".to_owned() }];
    let messages = if named { messages } else { Vec::new() };
    let declared = Declared { partners, messages, domains: Vec::new(), ..scope() };
    let collected = collect_with(declared, &TIDY, None, mails.into_iter().map(observation).collect()).await;
    build(collected.context()).subjects.remove(0)
}

#[tokio::test]
async fn mail_that_nobody_traced_tells_nothing_and_one_message_in_clear_is_enough() {
    let tls = IncomingMail {
        messages: 9,
        tls: 5,
        unproven: 4,
        versions: [("TLS 1.3".to_owned(), 5)].into(),
        complete: true,
        ..IncomingMail::default()
    };
    let always = incoming_seeing(vec![tls.clone()], true).await;
    assert_eq!(always.incoming_messages.seen, Seen::Present(5));
    assert_eq!(always.incoming_tls.seen, Seen::Present("always-tls".to_owned()));
    assert_eq!(always.incoming_old_tls.seen, Seen::Present(0));
    let unknown = |seen: &Seen<String>| matches!(seen, Seen::Unknown(_));
    for mail in [
        IncomingMail { complete: false, ..tls.clone() },
        IncomingMail { not_told: 1, ..tls.clone() },
        IncomingMail { messages: 9, unproven: 9, complete: true, ..IncomingMail::default() },
    ] {
        assert!(unknown(&incoming_seeing(vec![mail], true).await.incoming_tls.seen));
    }
    let clear = IncomingMail { clear: 1, complete: false, ..tls.clone() };
    for mails in [vec![clear.clone()], vec![tls.clone(), clear.clone()], vec![clear, tls.clone()]] {
        let some = incoming_seeing(mails, true).await;
        assert_eq!(some.incoming_tls.seen, Seen::Present("some-clear".to_owned()));
        assert_eq!(some.incoming_clear.seen, Seen::Present(1));
    }
    let old = IncomingMail { versions: [("TLS 1.0".to_owned(), 2), ("not told".to_owned(), 3)].into(), ..tls.clone() };
    // What one vantage saw is not outweighed by another that saw more.
    let (earlier, more) =
        (IncomingMail { not_told: 1, ..old.clone() }, IncomingMail { tls: 12, messages: 12, ..tls.clone() });
    for mails in [vec![earlier.clone(), more.clone()], vec![more, earlier]] {
        let joined = incoming_seeing(mails, true).await;
        assert_eq!(joined.incoming_old_tls.seen, Seen::Present(2));
        assert!(unknown(&joined.incoming_tls.seen));
    }
    // A vantage that saw no mail of hers takes none of another's away.
    let (none, untraced) =
        (IncomingMail::default(), IncomingMail { messages: 3, untraced: 3, ..IncomingMail::default() });
    for mails in [vec![none.clone(), untraced.clone()], vec![untraced, none]] {
        let joined = incoming_seeing(mails, true).await;
        assert!(unknown(&joined.incoming_tls.seen));
        assert_eq!(joined.incoming_messages.seen.present(), None);
    }
    assert_eq!(incoming_seeing(vec![old], true).await.incoming_old_tls.seen, Seen::Present(2));
    let not_told = IncomingMail { versions: [("not told".to_owned(), 5)].into(), ..tls };
    assert!(matches!(incoming_seeing(vec![not_told], true).await.incoming_old_tls.seen, Seen::Unknown(_)));
    // No mail was named: there is none to speak of. Named and not read: not known.
    assert_eq!(incoming_seeing(Vec::new(), false).await.incoming_messages.seen, Seen::Present(0));
    assert!(matches!(incoming_seeing(Vec::new(), true).await.incoming_messages.seen, Seen::Unknown(_)));
}
