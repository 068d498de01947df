use super::super::dns_message::tests::{answers, name};
use super::super::note::codes;
use super::*;
use proptest::prelude::*;

fn judge(lines: &[&str]) -> SpfAudit {
    let answers = answers(lines);
    audit(&name("c.example"), &mut Reader::new(&answers))
}

fn word(lines: &[&str]) -> (&'static str, Vec<String>) {
    let audit = judge(lines);
    (audit.verdict.as_str(), codes(&audit.notes))
}

#[test]
fn the_last_term_decides_what_is_asked_of_receivers() {
    for (text, verdict, code) in [
        ("v=spf1 ip4:192.0.2.1 -all", "pass", None),
        ("V=SPF1 ip4:192.0.2.1 -ALL", "pass", None),
        ("v=spf1 ip4:192.0.2.1 ~all", "softfail", Some("spf.soft_all")),
        ("v=spf1 ip4:192.0.2.1 ?all", "weak", Some("spf.neutral_all")),
        ("v=spf1 ip4:192.0.2.1", "weak", Some("spf.no_all")),
        ("v=spf1 ip4:192.0.2.1 +all", "pass-open", Some("spf.plus_all")),
        ("v=spf1 ip4:192.0.2.1 all", "pass-open", Some("spf.plus_all")),
        ("v=spf1 ip4:0.0.0.0/0 -all", "pass-open", Some("spf.too_wide")),
        ("v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 -all", "pass-open", Some("spf.too_wide")),
        ("v=spf1 ip4:10.0.0.0/8 -all", "weak", Some("spf.too_wide")),
        ("v=spf1 -ip4:0.0.0.0/0 -all", "pass", None),
        ("v=spf1 -ip4:0.0.0.0/1 ip4:0.0.0.0/1 -all", "weak", Some("spf.too_wide")),
        ("v=spf1 exists:%{i}.x.example -all", "unknown", Some("spf.macro")),
        ("v=spf1 -all ip4:192.0.2.1", "pass", Some("spf.after_all")),
        ("v=spf1 -all redirect=x.example", "pass", Some("spf.redirect_ignored")),
        ("v=spf1 ip4:192.0.2.300 -all", "permerror", Some("spf.syntax")),
        ("v=spf1 ptr -all", "pass", Some("spf.ptr")),
        ("spf2.0/pra -all", "missing", Some("spf.senderid")),
        ("v=spf1; -all", "missing", Some("spf.lookalike")),
    ] {
        let (found, codes) = word(&[&format!("c.example TXT {text}")]);
        assert_eq!(found, verdict, "{text}: {codes:?}");
        if let Some(code) = code {
            assert!(codes.iter().any(|found| found == code), "{text}: {codes:?}");
        } else {
            assert!(codes.is_empty(), "{text}: {codes:?}");
        }
    }
}

#[test]
fn plus_all_behind_an_include_lets_everybody_send() {
    let (verdict, codes) =
        word(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT v=spf1 ip4:192.0.2.1 +all"]);
    assert_eq!(verdict, "pass-open");
    assert!(codes.contains(&"spf.plus_all".to_owned()));
    let (verdict, _) = word(&["c.example TXT v=spf1 ?include:v.example -all", "v.example TXT v=spf1 +all"]);
    assert_eq!(verdict, "pass", "a neutral include passes nobody");
}

#[test]
fn an_include_that_ends_softly_says_nothing_about_the_domain() {
    let (verdict, codes) =
        word(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT v=spf1 ip4:192.0.2.1 ~all"]);
    assert_eq!((verdict, codes.len()), ("pass", 0));
}

#[test]
fn a_redirect_takes_over_the_end() {
    let (verdict, _) = word(&["c.example TXT v=spf1 redirect=v.example", "v.example TXT v=spf1 ~all"]);
    assert_eq!(verdict, "softfail");
    let (verdict, codes) = word(&["c.example TXT v=spf1 redirect=v.example", "v.example TXT !none"]);
    assert_eq!(verdict, "permerror");
    assert!(codes.contains(&"spf.redirect_no_record".to_owned()), "{codes:?}");
}

#[test]
fn lookups_are_counted_over_the_whole_tree() {
    let mut lines =
        vec!["c.example TXT v=spf1 include:v0.example a mx -all".to_owned(), "c.example A 192.0.2.1".to_owned()];
    lines.push("c.example MX 10 m.example".to_owned());
    for index in 0..8 {
        let next = if index < 7 { format!("include:v{}.example", index + 1) } else { "ip4:192.0.2.9".to_owned() };
        lines.push(format!("v{index}.example TXT v=spf1 {next} -all"));
    }
    let ten: Vec<&str> = lines.iter().map(String::as_str).collect();
    let audit = judge(&ten);
    assert_eq!((audit.lookups, audit.verdict), (10, SpfVerdict::Pass));
    lines[0] = "c.example TXT v=spf1 include:v0.example a mx exists:c.example -all".to_owned();
    let eleven: Vec<&str> = lines.iter().map(String::as_str).collect();
    let audit = judge(&eleven);
    assert_eq!((audit.lookups, audit.verdict), (11, SpfVerdict::PermError));
    assert!(audit.notes.iter().any(|note| note.detail.contains("`include:v0.example` alone costs 8")));
}

#[test]
fn a_term_without_addresses_is_void_once_and_not_once_a_family() {
    let audit = judge(&[
        "c.example TXT v=spf1 a:x.example mx:y.example -all",
        "x.example A !nx",
        "x.example AAAA !nx",
        "y.example MX !none",
    ]);
    assert_eq!((audit.void_lookups, audit.verdict), (2, SpfVerdict::Pass));
    let audit = judge(&[
        "c.example TXT v=spf1 a:x.example a:y.example a:z.example -all",
        "x.example A !nx",
        "x.example AAAA !nx",
        "y.example A !none",
        "y.example AAAA !none",
        "z.example A !none",
        "z.example AAAA !none",
    ]);
    assert_eq!((audit.void_lookups, audit.verdict), (3, SpfVerdict::PermError));
}

#[test]
fn a_name_with_only_ipv6_is_not_void() {
    let audit = judge(&["c.example TXT v=spf1 a -all", "c.example A !none", "c.example AAAA 2001:db8::1"]);
    assert_eq!(audit.void_lookups, 0);
}

#[test]
fn a_circle_of_includes_ends_and_is_an_error() {
    let (verdict, codes) =
        word(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT v=spf1 include:c.example -all"]);
    assert_eq!(verdict, "permerror");
    assert!(codes.contains(&"spf.loop".to_owned()));
}

#[test]
fn an_include_that_does_not_exist_is_told_from_one_without_a_record() {
    let (verdict, codes) = word(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT !nx"]);
    assert_eq!(verdict, "permerror");
    assert!(codes.contains(&"spf.include_nxdomain".to_owned()), "{codes:?}");
    let (verdict, codes) = word(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT hello"]);
    assert_eq!(verdict, "permerror");
    assert!(codes.contains(&"spf.include_no_record".to_owned()), "{codes:?}");
}

#[test]
fn a_failed_lookup_is_never_missing_and_cannot_undo_what_is_decided() {
    assert_eq!(word(&["c.example TXT !fail"]).0, "error");
    let audit = judge(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT !fail"]);
    assert_eq!(audit.verdict, SpfVerdict::Error);
    assert!(matches!(audit.because, Some(NotObserved::Refused { .. })));
    let (verdict, _) = word(&["c.example TXT v=spf1 include:v.example +all", "v.example TXT !fail"]);
    assert_eq!(verdict, "pass-open");
}

#[test]
fn two_records_are_an_error_and_other_text_is_none_of_our_business() {
    assert_eq!(word(&["c.example TXT v=spf1 -all", "c.example TXT v=spf1 ~all"]).0, "permerror");
    assert_eq!(word(&["c.example TXT v=spf1 -all", "c.example TXT site-verification=1"]).0, "pass");
    assert_eq!(
        word(&["c.example TXT v=spf1 ip4:192.0.2.1 | -all"]).0,
        "permerror",
        "the join adds no space to mend it"
    );
    assert_eq!(word(&["c.example TXT v=spf1 ip4:192.0.2 | .1 -all"]).0, "pass");
}

#[test]
fn a_domain_that_sends_nothing_is_told() {
    assert!(judge(&["c.example TXT v=spf1 -all"]).nobody_sends);
    assert!(!judge(&["c.example TXT v=spf1 ip4:192.0.2.1 -all"]).nobody_sends);
}

#[test]
fn what_is_still_wanted_is_remembered() {
    let answers = answers(&["c.example TXT v=spf1 include:v.example a:w.example -all"]);
    let mut reader = Reader::new(&answers);
    audit(&name("c.example"), &mut reader);
    let wanted: Vec<String> =
        reader.wanted.iter().map(|question| format!("{} {}", question.name, question.kind.as_str())).collect();
    assert_eq!(wanted, ["v.example TXT", "w.example A"]);
}

proptest! {
    #[test]
    fn a_range_and_what_is_left_share_nothing(address: u32, prefix in 0u8..=32, other: u32, other_prefix in 0u8..=32) {
        let one = Ranges::network(address, prefix);
        let two = Ranges::network(other, other_prefix);
        let left = one.without(&two);
        prop_assert_eq!(left.both(&two).size(), 0);
        prop_assert_eq!(left.size() + one.both(&two).size(), one.size());
        prop_assert_eq!(one.either(&two).size() + one.both(&two).size(), one.size() + two.size());
    }

    #[test]
    fn any_record_is_judged_without_a_panic(text in "[ a-z0-9:/%{}=.+~?-]{0,60}") {
        judge(&[&format!("c.example TXT v=spf1 {text}")]);
    }
}
