use super::super::domain::tests::{TIDY, collect, scope};
use super::*;
use crate::collect::https::tests::POLICY;
use crate::evidence::declared::{Declared, DeclaredPartner};

async fn delivery(lines: &[&str], policy: Option<&str>) -> Seen<String> {
    let partners = vec![DeclaredPartner { domain: "c.example".parse().unwrap(), phi: true }];
    let collected = collect(Declared { partners, domains: Vec::new(), ..scope() }, lines, policy).await;
    build(collected.context()).subjects.remove(0).tls_delivery.seen
}

#[tokio::test]
async fn only_a_policy_in_force_is_relied_on() {
    assert_eq!(delivery(&TIDY, Some(POLICY)).await, Seen::Present("enforced".to_owned()));
    let testing = POLICY.replace("enforce", "testing");
    assert_eq!(delivery(&TIDY, Some(&testing)).await, Seen::Present("opportunistic".to_owned()));
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
