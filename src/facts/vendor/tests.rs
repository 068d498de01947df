use super::super::domain::tests::{TIDY, collect, scope};
use super::*;
use crate::evidence::declared::Agreement as Declaration;

fn vendor(id: &str, handles: Option<Handles>, agreement: Option<Declaration>) -> DeclaredVendor {
    DeclaredVendor { id: id.to_owned(), handles, agreement }
}

fn agreement(signed: &str, expires: Option<&str>, file: bool) -> Declaration {
    Declaration {
        signed: signed.parse().unwrap(),
        expires: expires.map(|date| date.parse().unwrap()),
        file: None,
        file_sha256: file.then(|| "00".to_owned()),
    }
}

async fn built(vendors: Vec<DeclaredVendor>, lines: &[&str]) -> Built<Vendor> {
    let collected = collect(Declared { vendors, ..scope() }, lines, None).await;
    build(collected.context())
}

const SEEN: [&str; 3] = [
    "c.example SOA x",
    "c.example MX 10 c-example.mail.protection.outlook.com.",
    "c.example TXT google-site-verification=1",
];

#[tokio::test]
async fn a_vendor_in_mx_carries_mail_and_a_token_proves_nothing() {
    let built = built(Vec::new(), &SEEN).await;
    let microsoft = built.subjects.iter().find(|vendor| vendor.name == "microsoft365").unwrap();
    assert_eq!(microsoft.seen_in.seen, Seen::Present(vec!["mx".to_owned()]));
    assert_eq!(microsoft.carries_mail.seen, Seen::Present(true));
    assert_eq!(microsoft.registered.seen, Seen::Present(false));
    assert!(matches!(microsoft.handles.seen, Seen::Unknown(_)));
    assert_eq!(microsoft.agreement.seen, Seen::Absent);
    let google = built.subjects.iter().find(|vendor| vendor.name == "google-workspace").unwrap();
    assert_eq!(google.carries_mail.seen, Seen::Present(false));
}

#[tokio::test]
async fn an_agreement_is_dated_against_the_evidence() {
    for (signed, expires, expected) in [
        ("2024-05-01", None, (true, false)),
        ("2024-05-01", Some("2026-09-30"), (true, true)),
        ("2024-05-01", Some("2026-10-01"), (true, false)),
        ("2026-10-02", None, (false, false)),
    ] {
        let entry = vendor("microsoft365", Some(Handles::Content), Some(agreement(signed, expires, true)));
        let built = built(vec![entry], &SEEN).await;
        let microsoft = built.subjects.iter().find(|vendor| vendor.name == "microsoft365").unwrap();
        let found = microsoft.agreement.seen.present().unwrap();
        assert_eq!((found.signed, found.expired), expected, "{signed} {expires:?}");
        assert!(found.file);
    }
}

#[tokio::test]
async fn a_vendor_that_dns_cannot_show_is_not_said_to_carry_nothing() {
    let built = built(vec![vendor("own-archive", Some(Handles::Content), None)], &TIDY).await;
    let own = built.subjects.iter().find(|vendor| vendor.name == "own-archive").unwrap();
    assert!(matches!(own.carries_mail.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
    assert_eq!(own.agreement.seen, Seen::Absent);
}

#[tokio::test]
async fn what_could_not_be_asked_may_hide_vendors() {
    let built = built(vec![vendor("microsoft365", None, None)], &["c.example MX !fail", "c.example TXT !fail"]).await;
    assert!(matches!(built.collection, Collection::Incomplete(NotObserved::Refused { .. })));
    assert!(matches!(built.subjects[0].carries_mail.seen, Seen::Unknown(_)));
    assert!(matches!(built.subjects[0].seen_in.seen, Seen::Unknown(_)));
}
