//! DMARC records and the walk, by the paragraphs that decide them.

use super::super::dns_message::tests::{answers, name};
use super::super::note::codes;
use super::*;
use proptest::prelude::*;

fn judge_name(domain: &str, exists: bool, lines: &[&str]) -> DmarcAudit {
    let answers = answers(lines);
    audit(&name(domain), exists, &mut Reader::new(&answers))
}

fn own(text: &str) -> (&'static str, Vec<String>) {
    let lines = [&format!("_dmarc.c.example TXT {text}"), "c.example TXT !none", "_dmarc.example TXT !nx"];
    let audit = judge_name("c.example", true, &lines);
    (audit.verdict.as_str(), codes(&audit.notes))
}

#[test]
fn the_record_decides_as_rfc_9989_says() {
    for (text, verdict, expected) in [
        ("v=DMARC1; p=reject; rua=mailto:d@c.example", "reject", vec![]),
        ("v=DMARC1;p=quarantine;rua=mailto:d@c.example!10m", "quarantine", vec![]),
        ("V = DMARC1 ; P = Reject ; rua = mailto:d@c.example", "reject", vec![]),
        ("v=DMARC1; p=none; rua=mailto:d@c.example", "none", vec!["dmarc.p_none"]),
        ("v=DMARC1; p=reject", "reject", vec!["dmarc.no_rua"]),
        ("v=DMARC1; p=reject; t=y; rua=mailto:d@c.example", "reject-testing", vec!["dmarc.testing"]),
        ("v=DMARC1; p=reject; sp=none; rua=mailto:d@c.example", "reject", vec!["dmarc.sp_weaker"]),
        ("v=DMARC1; p=reject; np=none; rua=mailto:d@c.example", "reject", vec!["dmarc.np_weaker"]),
        ("v=DMARC1; p=reject; pct=10; rua=mailto:d@c.example", "reject", vec!["dmarc.pct"]),
        ("v=DMARC1; p=reject; psd=y; rua=mailto:d@c.example", "reject", vec!["dmarc.psd_misuse"]),
        ("v=DMARC1; p=reject; x=1; rua=mailto:d@c.example", "reject", vec!["dmarc.unknown_tag"]),
        ("v=DMARC1; p=reject; adkim=strict; aspf=S; rua=mailto:d@c.example", "reject", vec!["dmarc.syntax"]),
        ("v=DMARC1; p=reject; t=true; rua=mailto:d@c.example", "reject", vec!["dmarc.syntax"]),
        ("v=DMARC1; p=reject; pct=1000; rua=mailto:d@c.example", "reject", vec!["dmarc.syntax"]),
        ("v=DMARC1; p=reject; fo=1:d; psd=u; t=N; pct=100; rua=mailto:d@c.example", "reject", vec![]),
        ("v=DMARC1; rua=mailto:d@c.example", "none", vec!["dmarc.no_p", "dmarc.p_none"]),
        ("v=DMARC1; p=block; rua=mailto:d@c.example", "none", vec!["dmarc.bad_p", "dmarc.p_none"]),
        ("v=DMARC1; p=block", "invalid", vec!["dmarc.bad_p", "dmarc.no_rua", "dmarc.p_none"]),
        ("v=DMARC1; p=reject; rua=d@c.example", "reject", vec!["dmarc.bad_uri", "dmarc.no_rua"]),
        ("v=DMARC1 p=reject", "missing", vec!["dmarc.missing", "dmarc.syntax"]),
        ("v=dmarc1; p=reject", "missing", vec!["dmarc.missing", "dmarc.syntax"]),
        ("p=reject; v=DMARC1", "missing", vec!["dmarc.missing"]),
        ("some other text", "missing", vec!["dmarc.missing"]),
        ("!fail", "error", vec![]),
    ] {
        let (found, codes) = own(text);
        assert_eq!((found, codes), (verdict, expected.iter().map(|c| (*c).to_owned()).collect()), "{text}");
    }
}

#[test]
fn other_text_beside_the_record_is_ignored_and_a_second_record_is_not() {
    let lines = ["_dmarc.c.example TXT hello", "_dmarc.c.example TXT v=DMARC1; p=reject; rua=mailto:d@c.example"];
    assert_eq!(judge_name("c.example", true, &lines).verdict, DmarcVerdict::Applies(Policy::Reject));
    let lines =
        ["_dmarc.c.example TXT v=DMARC1; p=none", "_dmarc.c.example TXT v=DMARC1; p=reject", "_dmarc.example TXT !nx"];
    let audit = judge_name("c.example", true, &lines);
    assert_eq!((audit.verdict, codes(&audit.notes)), (DmarcVerdict::Missing, vec!["dmarc.multiple".to_owned()]));
}

#[test]
fn a_name_below_takes_sp_or_np_of_the_organization() {
    let record = "_dmarc.c.example TXT v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:d@c.example";
    let lines = ["_dmarc.a.c.example TXT !nx", record, "_dmarc.example TXT !nx"];
    let there = judge_name("a.c.example", true, &lines);
    assert_eq!(there.verdict, DmarcVerdict::Applies(Policy::Quarantine));
    assert_eq!(there.found_at.unwrap().as_str(), "c.example");
    assert_eq!(judge_name("a.c.example", false, &lines).verdict, DmarcVerdict::Applies(Policy::None));
}

#[test]
fn the_walk_stops_at_psd_and_takes_the_highest_record_otherwise() {
    let lines = [
        "_dmarc.a.b.c.example TXT !nx",
        "_dmarc.b.c.example TXT v=DMARC1; p=none; rua=mailto:d@c.example",
        "_dmarc.c.example TXT v=DMARC1; p=reject; rua=mailto:d@c.example",
        "_dmarc.example TXT !nx",
    ];
    assert_eq!(judge_name("a.b.c.example", true, &lines).found_at.unwrap().as_str(), "c.example");
    let lines = ["_dmarc.a.b.c.example TXT !nx", "_dmarc.b.c.example TXT v=DMARC1; p=none; psd=n"];
    assert_eq!(judge_name("a.b.c.example", true, &lines).found_at.unwrap().as_str(), "b.c.example");
}

#[test]
fn older_receivers_see_what_rfc_7489_says() {
    for (text, newer, older) in [
        ("v=DMARC1; p=reject; rua=mailto:d@c.example", Policy::Reject, Some(Policy::Reject)),
        ("v=DMARC1; p=reject; pct=20; rua=mailto:d@c.example", Policy::Reject, Some(Policy::Quarantine)),
        ("v=DMARC1; p=reject; t=y; rua=mailto:d@c.example", Policy::Quarantine, Some(Policy::Reject)),
        ("v=DMARC1; sp=reject; rua=mailto:d@c.example", Policy::None, Some(Policy::None)),
        ("v=DMARC1; sp=reject", Policy::None, None),
    ] {
        let lines = [&format!("_dmarc.c.example TXT {text}"), "_dmarc.example TXT !nx"];
        let audit = judge_name("c.example", true, &lines);
        assert_eq!((audit.effective(), audit.older), (newer, Ok(older)), "{text}");
    }
}

#[test]
fn older_receivers_know_neither_np_nor_records_on_the_way() {
    let record = "_dmarc.c.example TXT v=DMARC1; p=none; np=reject; rua=mailto:d@c.example";
    let lines = ["_dmarc.a.c.example TXT !nx", record, "_dmarc.example TXT !nx"];
    let audit = judge_name("a.c.example", false, &lines);
    assert_eq!((audit.effective(), audit.older), (Policy::Reject, Ok(Some(Policy::None))));
    let lines = [
        "_dmarc.a.b.c.example TXT !nx",
        "_dmarc.b.c.example TXT v=DMARC1; p=reject; psd=n; rua=mailto:d@c.example",
        "_dmarc.c.example TXT !nx",
    ];
    let audit = judge_name("a.b.c.example", true, &lines);
    assert_eq!((audit.effective(), audit.older), (Policy::Reject, Ok(None)));
}

#[test]
fn a_failed_query_leaves_the_older_view_open() {
    let lines = [
        "_dmarc.a.b.c.example TXT !nx",
        "_dmarc.b.c.example TXT v=DMARC1; p=reject; psd=n; rua=mailto:d@c.example",
        "_dmarc.c.example TXT !fail",
    ];
    let audit = judge_name("a.b.c.example", true, &lines);
    assert_eq!(audit.verdict, DmarcVerdict::Applies(Policy::Reject));
    assert!(matches!(audit.older, Err(NotObserved::Refused { .. })), "{:?}", audit.older);
}

#[test]
fn a_failed_query_on_the_way_is_not_missing() {
    let lines = ["_dmarc.a.c.example TXT !nx", "_dmarc.c.example TXT !fail"];
    assert_eq!(judge_name("a.c.example", true, &lines).verdict, DmarcVerdict::Error);
}

#[test]
fn a_long_name_jumps_to_seven_labels() {
    let mut walked = vec![name("a.b.c.d.e.f.g.h.i.j.example")];
    while let Some(next) = next_up(walked.last().unwrap()) {
        walked.push(next);
    }
    assert_eq!(walked[1].as_str(), "e.f.g.h.i.j.example");
    assert_eq!(walked.len(), MAX_WALK);
}

#[test]
fn reports_to_others_need_their_consent() {
    let lines = [
        "_dmarc.c.example TXT v=DMARC1; p=reject; rua=mailto:d@reports.test",
        "c.example._report._dmarc.reports.test TXT !nx",
        "reports.test MX !nx",
    ];
    let found = codes(&judge_name("c.example", true, &lines).notes);
    assert_eq!(found, ["dmarc.ext_unauthorised", "dmarc.rua_undeliverable"]);
    let lines = [
        "_dmarc.c.example TXT v=DMARC1; p=reject; rua=mailto:d@reports.test",
        "c.example._report._dmarc.reports.test TXT v=DMARC1;",
        "reports.test MX 10 m.reports.test",
    ];
    assert!(codes(&judge_name("c.example", true, &lines).notes).is_empty());
}

#[test]
fn a_record_in_the_wrong_place_is_told() {
    let lines = ["_dmarc.c.example TXT !nx", "_dmarc.example TXT !nx", "c.example TXT v=DMARC1; p=reject"];
    assert!(codes(&judge_name("c.example", true, &lines).notes).contains(&"dmarc.wrong_place".to_owned()));
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text: String) {
        let _ = parse(&text);
        let _ = is_dmarc(&text);
        let _ = mail_address_domain(&text);
    }
}
