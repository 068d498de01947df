use super::super::domain::tests::{TIDY, collect, collect_with, scope};
use super::*;
use crate::collect::https::tests::POLICY;
use crate::evidence::declared::{Declared, DeclaredPartner};
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
