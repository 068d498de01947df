//! Every field of an assessment, with hostile text in it, through every output.
//!
//! The fields are found by walking a whole assessment, not by a list: a field that no sample fills
//! fails the test, so that a new one cannot come without a case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::json::v1::Assessment;
use super::model::Page;
use super::tests::{maple_street, opened};
use super::{Paper, explain, html, markdown, tables, terminal, workbook};

pub(super) const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>' onmouseover='x",
    "</style></title></textarea><!-- --><b>",
    "\u{1b}[2J\u{1b}]8;;http://e.example\u{7}\u{0}\u{8}\r\nnew\u{9b}31m",
    "\u{202e}gpj.exe\u{2066}\u{200b}\u{feff}\u{e0041}",
    "{{about.organization}}{{{policy.style}}}{{> head}}{{#each x}}",
    "# h\n- [x](javascript:alert(1)) | ` `` ``` | ![i](http://e.example/x) <http://e.example> *b* _e_ ~~s~~ $x$\n---",
    "`<b>` `{{x}}` `a|b`",
];

/// Maps whose keys are data: their entries are one field.
const MAPS: [&str; 6] = [".values", ".messages", ".areas", ".counts", ".subjects", ".masked"];

/// The sample with every field filled. All of it is invented.
pub(super) fn full() -> Value {
    let decided = json!({ "by": "Ana Ruiz", "role": "Security Official", "on": "2026-05-12" });
    let standing = serde_json::to_value(crate::decisions::Standing::InForce).unwrap();
    let mut whole = serde_json::to_value(maple_street()).unwrap();
    whole["decisions"] = json!({
        "evidence": "declared.organization#2",
        "files": [["decisions.yaml", "ab12"]],
        "appetite": { "level": "moderate", "decided": decided },
        "acceptances": [{ "risk": "wrong-recipient", "level": "moderate", "reason": "few messages", "decided": decided,
            "expires": "2027-05-12", "standing": standing, "why": "it holds" }],
        "addressable": [{ "spec": "164.312(e)(2)(ii)", "decision": "alternative", "scope": "all mail", "reason": "cost",
            "factors": { "size_complexity_capabilities": "small", "technical_infrastructure": "hosted",
                "costs": "high", "probability_and_criticality": "low" },
            "alternative": "a portal", "evidence_file": "policies/portal.pdf", "evidence_sha256": "cd34",
            "risk": "wrong-recipient", "decided": decided, "expires": "2027-05-12", "standing": standing }],
        "exceptions": [{ "check": "mta-sts-enforced", "subjects": ["a.example"], "owner": "Ben Cho", "reason": "moving",
            "on": "2026-05-12", "expires": "2026-12-01", "standing": standing, "why": "it holds" }],
        "closed": [{ "check": "dmarc-enforced", "owner": "Ben Cho", "evidence_sha256": "ef56", "grade": "A",
            "why": "it passes everywhere" }],
        "signatures": [{ "office": "management", "name": "Dana Wu", "on": "2026-10-04", "evidence_digest": "58e2",
            "counts": true }],
        "next_review": "2027-01-04",
        "due": [{ "on": "2026-12-01", "kind": "exception", "what": "mta-sts-enforced" }],
    });
    whole["controls"] = json!({ "controls": 2, "letters": 3,
        "gaps": [{ "control": "F001", "title": "Enforced TLS", "mode": "I", "note": "no reader" }],
        "out_of_scope": [{ "control": "F002", "title": "Fax", "mode": "O", "note": "not mail" }] });
    whole["vantages"][0]["test_network"] = json!(["--allow-net 127.0.0.0/8"]);
    for kind in whole["subjects"].as_object_mut().unwrap().values_mut() {
        kind["because"] = json!("an export is missing");
    }
    let item = &mut whole["plan"][0];
    item["deferrals"] = json!(2);
    item["milestones"] = json!([{ "what": "order keys", "due": "2026-11-01", "done": "2026-10-30" }]);
    item["comment"] = json!("ordered");
    whole["discovered"] = json!([{ "kind": "forwarding-domain", "name": "bookkeeper.example", "times": 2 }]);
    whole["evidence_needed"] = json!([{ "supply": "Provide the audit log.", "checks": ["mailbox-auditing-on"],
        "subjects": 3, "risks": ["wrong-recipient"], "reduction": 2 }]);
    whole["remaining"] = json!([{ "risk": "wrong-recipient", "title": "Mail goes astray", "target": "high", "why": "nothing stops it" }]);
    whole["risks"][0]["impact_grade"] = json!("B");
    let within = json!({ "lower": 3, "upper": 700 });
    let exposure = &mut whole["exposure"][0];
    exposure["risk"] = json!("high");
    exposure["protocols"] = json!(["IMAP"]);
    exposure["sensitive"] = json!(["hiv"]);
    exposure["opens"] = json!([{ "mailbox": "shared@a.example", "how": "full access" }]);
    exposure["sends_as"] = json!(["info@a.example"]);
    exposure["leaves_to"] = json!(["bookkeeper.example"]);
    exposure["within"] = within.clone();
    exposure["notice"] = json!({ "individuals": within, "band": "500 or more" });
    exposure["changes"] = json!([{ "change": "second-factor", "words": "with a second factor", "within": within,
        "band": "fewer than 500", "risk": "low" }]);
    exposure["not_known"] = json!(["who may open it"]);
    let counts = json!({ "aligned": 90, "unaligned": 6, "unauthenticated": 4, "quarantined": 2, "rejected": 1 });
    let of = |counts: &Value, more: Value| {
        let mut whole = more;
        whole.as_object_mut().unwrap().extend(counts.as_object().unwrap().clone());
        whole
    };
    let sessions = json!({ "succeeded": 90, "failed": 10 });
    let reporters = json!([{ "name": "Receiver Inc.", "reports": 3 }]);
    whole["reported"] = json!([{ "domain": "a.example",
        "mail": of(&counts, json!({ "reports": 3, "first_day": "2026-09-01", "last_day": "2026-09-28", "reporters": reporters,
            "reporters_more": 2, "sources": [of(&counts, json!({ "name": "Somebody", "by": "domain", "servers": 3 }))],
            "sources_more": 4, "messages_more": 9, "sources_whole": false, "rows_not_read": 1, "period_days": 7,
            "files_not_read": 2, "days_since_last": 90,
            "periods": [of(&counts, json!({ "from": "2026-08-31", "reports": 1 })), of(&counts, json!({ "from": "2026-09-14", "reports": 2 }))],
            "reports_not_placed": 1 })),
        "tls": of(&sessions, json!({ "reports": 3, "first_day": "2026-09-01", "last_day": "2026-09-28", "failed_enforced": 5, "unexplained": 2,
            "maybe_downgraded": 3, "reporters": reporters, "reporters_more": 1, "failures": [{ "what": "certificate-expired", "sessions": 8 }],
            "hosts": [{ "what": "mx.a.example", "sessions": 8 }], "hosts_more": 1, "whole": false, "period_days": 7,
            "periods": [of(&sessions, json!({ "from": "2026-08-31", "reports": 1 })), of(&sessions, json!({ "from": "2026-09-14", "reports": 2 }))],
            "reports_not_placed": 1, "files_not_read": 2, "days_since_last": 90 })) },
        { "domain": "b.example", "mail": null, "tls": null, "mail_not_known": "no file was read", "tls_not_known": "no file was read" }]);
    whole["report_mail"] = json!({ "mails": 9, "without_report": 4 });
    whole["dkim_keys"] = json!([{ "domain": "a.example", "selector": "s1", "sha256": "ab12", "first_seen": "2026-09-01T00:00:00Z",
        "published": "no", "algorithm": "rsa", "bits": 2048, "learned": ["reports"] }]);
    whole["masked"] = json!({ "social-security": 2 });
    whole
}

/// The field a place belongs to: list places and the keys of maps left out.
fn inside(path: &str, name: &str) -> String {
    if MAPS.iter().any(|map| path.ends_with(map)) { format!("{path}.*") } else { format!("{path}.{name}") }
}

fn visit(value: &mut Value, path: &str, see: &mut dyn FnMut(&str, &mut Value)) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter_mut().for_each(|item| visit(item, &format!("{path}[]"), see));
        }
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter_mut().for_each(|(name, value)| visit(value, &inside(path, name), see));
        }
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::String(_) => {
            see(path, value);
        }
    }
}

fn set(whole: &mut Value, fields: &dyn Fn(&str) -> bool, text: &mut dyn FnMut() -> String) {
    visit(whole, "", &mut |path, value| {
        if value.is_string() && fields(path) {
            *value = Value::String(text());
        }
    });
}

/// Fields of free text: those whose type takes any text. Dates and closed words refuse it.
static FREE: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut texts = BTreeSet::new();
    visit(&mut full(), "", &mut |path, value| {
        if value.is_string() {
            texts.insert(path.to_owned());
        }
    });
    texts
        .into_iter()
        .filter(|path| {
            let mut whole = full();
            set(&mut whole, &|field| field == path, &mut || HOSTILE[0].to_owned());
            serde_json::from_value::<Assessment>(whole).is_ok()
        })
        .collect()
});

/// The whole sample with every free text replaced.
pub(super) fn everywhere(text: &str) -> Assessment {
    let mut whole = full();
    set(&mut whole, &|field| FREE.contains(field), &mut || text.to_owned());
    serde_json::from_value(whole).unwrap()
}

#[test]
fn no_field_is_without_a_case() {
    let mut filled: BTreeMap<String, bool> = BTreeMap::new();
    visit(&mut full(), "", &mut |path, value| {
        let empty = match value {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        };
        *filled.entry(path.to_owned()).or_default() |= !empty;
    });
    let deeper = |path: &str| {
        filled
            .iter()
            .any(|(other, is)| *is && other.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '['])))
    };
    let without: Vec<&String> =
        filled.iter().filter(|(path, is)| !**is && !deeper(path)).map(|(path, _)| path).collect();
    assert!(without.is_empty(), "give these fields a value in `full`: {without:?}");
    assert!(FREE.len() > 100, "{} fields of free text", FREE.len());
}

/// The page's tags, without the text between them.
fn tags(page: &str) -> BTreeSet<&str> {
    let end = page.find("<script>").or(page.find("</body>")).unwrap_or(page.len());
    let page = &page[page.find("<body>").unwrap()..end];
    page.match_indices('<')
        .map(|(at, _)| page[at + 1..].split(|c: char| !c.is_ascii_alphanumeric() && c != '/').next().unwrap())
        .collect()
}

pub(super) fn nothing_invisible(shown: &str, from: &str) {
    if let Some(bad) = shown.chars().find(|character| *character != '\n' && crate::text::is_unsafe(*character)) {
        panic!("U+{:04X} came through from {from:?}", u32::from(bad));
    }
}

fn check_html(page: &str, known: &BTreeSet<&str>, text: &str) {
    // Our one script, the same in every report, is no foreign one.
    let page = &page.replace(&format!("<script>{}</script>", include_str!("../../report-templates/report.js")), "");
    for tag in tags(page) {
        assert!(known.contains(tag) || tag == "em", "a foreign tag <{tag}> came from {text:?}");
    }
    for (at, _) in page.match_indices("href=\"") {
        assert!(page[at + 6..].starts_with('#'));
    }
    for forbidden in ["<script", "<img", " style=\""] {
        assert!(!page.contains(forbidden), "{forbidden} from {text:?}");
    }
    nothing_invisible(page, text);
    assert!(!page.contains("Maple Street"), "a template in data was filled");
}

#[test]
fn hostile_text_stays_text_in_every_field_and_output() {
    let sample: Assessment = serde_json::from_value(full()).unwrap();
    let (sample_page, sample_summary) = (html::render(&sample).unwrap(), {
        let page = Page::of(&sample);
        html::render_summary(&sample, &page, Paper::Letter, None).unwrap()
    });
    let mut outputs = BTreeSet::new();
    for text in HOSTILE {
        let assessment = everywhere(text);
        let page = Page::of(&assessment);

        outputs.insert("report.html");
        check_html(&html::render_page(&assessment, &page, None).unwrap(), &tags(&sample_page), text);
        outputs.insert("executive-summary.html");
        let summary = html::render_summary(&assessment, &page, Paper::Letter, None).unwrap();
        check_html(&summary, &tags(&sample_summary), text);

        outputs.insert("report.md");
        let written = markdown::render_page(&page, None).unwrap();
        nothing_invisible(&written, text);
        for forbidden in ["<script", "<img", "<svg", "<b>", "](javascript", "](http", "\n# h", "\n---\n---"] {
            assert!(!written.replace("\\]", "").contains(forbidden), "{forbidden} from {text:?}");
        }

        outputs.insert("terminal");
        let shown = terminal::summary(&assessment, &terminal::Options::default());
        nothing_invisible(&shown, text);
        assert!(shown.lines().all(|line| line.chars().count() <= 80));
        outputs.insert("explain");
        nothing_invisible(&explain::explain(&assessment, "risk 1").unwrap(), text);

        outputs.insert("workbook.xlsx");
        outputs.insert("plan.csv");
        check_tables(&assessment);

        outputs.insert("assessment.json");
        let json = String::from_utf8(super::assessment_bytes(&assessment)).unwrap();
        assert!(!json.chars().any(|character| character.is_ascii_control() && character != '\n'));
    }
    #[cfg(feature = "pdf")]
    {
        // Setting type is slow in a test build: both documents once, with all the texts in turn.
        outputs.extend(["executive-summary.pdf", "report.pdf"]);
        let mut whole = full();
        let mut turn = HOSTILE.into_iter().cycle();
        let mut next = || turn.next().unwrap_or_default().to_owned();
        set(&mut whole, &|field| FREE.contains(field), &mut next);
        let assessment: Assessment = serde_json::from_value(whole).unwrap();
        let page = Page::of(&assessment);
        for made in [super::pdf::report, super::pdf::executive_summary] {
            assert!(made(&assessment, &page, Paper::Letter).unwrap().starts_with(b"%PDF"));
        }
    }
    told(HOSTILE.len(), &outputs);
}

fn told(texts: usize, outputs: &BTreeSet<&str>) {
    let names: Vec<&str> = outputs.iter().copied().collect();
    eprintln!("{} fields x {texts} texts x {} outputs: {}", FREE.len(), outputs.len(), names.join(", "));
}

fn check_tables(assessment: &Assessment) {
    opened(&workbook::workbook(assessment).unwrap());
    let csv = tables::plan_csv(assessment);
    assert!(csv.starts_with("\u{feff}item_id,".as_bytes()));
    let mut reader = csv::Reader::from_reader(&csv[3..]);
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        }
    }
}

#[test]
fn data_that_looks_like_a_formula_stays_text_in_workbook_and_csv() {
    for text in
        ["=HYPERLINK(\"http://e.example\",\"x\")", "+1+1", "-2", "@SUM(1)", "\t=1", "\u{1b}[2J\u{202e}", "<a&b>"]
    {
        check_tables(&everywhere(text));
    }
}

#[test]
fn an_identifier_of_a_person_is_masked_in_every_field_and_output_and_the_report_is_written() {
    let planted = everywhere("told of SSN 536-22-8714 on the phone");
    let masked = planted.masked();
    assert!(masked.masked["social-security"] > FREE.len(), "{:?}", masked.masked);
    let page = Page::of(&masked);
    let mut outputs = vec![
        super::assessment_bytes(&masked),
        html::render_page(&masked, &page, None).unwrap().into_bytes(),
        html::render_summary(&masked, &page, Paper::Letter, None).unwrap().into_bytes(),
        markdown::render_page(&page, None).unwrap().into_bytes(),
        terminal::summary(&masked, &terminal::Options::default()).into_bytes(),
        tables::plan_csv(&masked),
    ];
    for (_, range) in opened(&workbook::workbook(&masked).unwrap()) {
        let cells: Vec<String> = range.cells().map(|(_, _, cell)| cell.to_string()).collect();
        outputs.push(cells.join("\n").into_bytes());
    }
    for output in &outputs {
        let text = String::from_utf8_lossy(output);
        assert!(!text.contains("536-22-8714"), "{}", &text[..text.len().min(200)]);
    }
    let said = "look like identifiers of people";
    for at in [1, 3, 4] {
        let text = String::from_utf8_lossy(&outputs[at]);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(said), "output {at}");
    }
}

/// MAILASSAY_FULL=1 takes a megabyte in the first place of every field; otherwise 20 KiB do.
#[test]
fn a_huge_text_in_each_field_is_cut_and_says_so() {
    let bytes = if std::env::var_os("MAILASSAY_FULL").is_some() { 1 << 20 } else { 20 << 10 };
    let mut done = BTreeSet::new();
    let mut whole = full();
    visit(&mut whole, "", &mut |path, value| {
        if value.is_string() && FREE.contains(path) && done.insert(path.to_owned()) {
            *value = Value::String("x".repeat(bytes));
        }
    });
    let assessment: Assessment = serde_json::from_value(whole).unwrap();
    let page = Page::of(&assessment);
    let written = html::render_page(&assessment, &page, None).unwrap();
    assert!(written.contains("[…cut here; whole in assessment.json]"));
    assert!(written.len() < 8 << 20, "{} bytes", written.len());
    assert!(markdown::render_page(&page, None).unwrap().len() < 8 << 20);
    assert!(html::render_summary(&assessment, &page, Paper::A4, None).unwrap().len() < 1 << 20);
    assert!(terminal::summary(&assessment, &terminal::Options::default()).len() < 16 << 10);
    check_tables(&assessment);
}
