//! How fast an assessment becomes the files of a report.
//!
//! `cargo bench --bench report` takes the invented assessment of the fixtures, grows it to 10,000
//! findings and 300 risks, and makes each file; and judges an invented clinic of 20 domains and
//! 500 mailboxes, made from the demo's evidence, from stored evidence to all files. Best of three,
//! absolute for this machine.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to say")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mailassay::report::json::v1::Assessment;
use mailassay::report::model::Page;
use mailassay::report::{self, Paper, html, tables, workbook};
use serde_json::Value;

const SAMPLE: &str = include_str!("../fixtures/maple-street-assessment/assessment.json");
const FINDINGS: usize = 10_000;
const RISKS: usize = 300;

fn main() {
    let sample: Assessment = serde_json::from_str(SAMPLE).unwrap();
    let large = grown(&sample, FINDINGS, RISKS);
    println!("{} findings, {} risks:", large.findings.len(), large.risks.len());
    let page = Page::of(&large);
    timed("report.html", 2.0, || html::render(&large).unwrap().len());
    timed("workbook.xlsx", 1.0, || workbook::workbook(&large).unwrap().len());
    timed("plan.csv", 1.0, || tables::plan_csv(&large).len());
    timed("report.md", 2.0, || report::markdown::render_page(&page, None).unwrap().len());
    #[cfg(feature = "pdf")]
    {
        timed("report.pdf of all 300 risks", f64::INFINITY, || {
            report::pdf::report(&large, &page, Paper::Letter).unwrap().len()
        });
        // The invented clinic's own report.
        let page = Page::of(&sample);
        timed("report.pdf of the first sample", 1.0, || {
            report::pdf::report(&sample, &page, Paper::Letter).unwrap().len()
        });
        timed("executive-summary.pdf", 1.0, || {
            report::pdf::executive_summary(&sample, &page, Paper::Letter).unwrap().len()
        });
    }
    let clinic = tempfile::tempdir().unwrap();
    let observations = invented_clinic(clinic.path());
    println!("{DOMAINS} domains, {MAILBOXES} mailboxes, {observations} observations:");
    from_evidence(&clinic.path().join("large"));
}

const DOMAINS: usize = 20;
const MAILBOXES: usize = 500;

/// Evidence of an invented clinic: the demo's, over and over under other names of equal length, so
/// that DNS messages stay messages. Gives the number of observations.
#[expect(clippy::disallowed_methods, reason = "a bench runs the program as a user does")]
fn invented_clinic(folder: &Path) -> usize {
    use mailassay::evidence::{Manifest, Observation, Writer};
    let demo = folder.join("demo");
    let ran = Command::new(env!("CARGO_BIN_EXE_mailassay")).args(["--quiet", "demo", "--out"]).arg(&demo).output();
    assert!(ran.unwrap().status.success(), "the demo runs");
    let mut quarters: Vec<_> = std::fs::read_dir(&demo).unwrap().map(|entry| entry.unwrap().path()).collect();
    quarters.sort();
    let evidence = quarters.last().unwrap().join("evidence");
    let manifest: Manifest = serde_json::from_slice(&std::fs::read(evidence.join("manifest.json")).unwrap()).unwrap();
    let mut lines: Vec<(String, Value)> = Vec::new();
    for segment in &manifest.segments {
        let text = std::fs::read_to_string(evidence.join(format!("{}.jsonl", segment.name))).unwrap();
        lines.extend(text.lines().map(|line| (segment.name.clone(), serde_json::from_str(line).unwrap())));
    }
    let of = |prefix: &[&str]| -> Vec<Value> {
        let lines = lines.iter().filter(|(name, _)| prefix.contains(&name.as_str()));
        lines.map(|(_, line)| line.clone()).collect()
    };
    let mut all: Vec<Value> = Vec::new();
    for mut line in of(&["declared.organization"]) {
        let declared = &mut line["answer"]["answer"]["of"];
        for list in ["domains", "hosts"] {
            let known = declared[list].as_array().unwrap().clone();
            let more = (1..DOMAINS).flat_map(|number| known[..1].iter().map(move |one| renamed(one, number)));
            declared[list].as_array_mut().unwrap().extend(more);
        }
        all.push(line);
    }
    let perdomain = of(&["dns.domain", "https.domain", "service.endpoint"]);
    for number in 0..DOMAINS {
        all.extend(perdomain.iter().map(|line| if number == 0 { line.clone() } else { renamed(line, number) }));
    }
    let mail = of(&["content.content_folder", "export.forwarding_rule", "export.mailbox"]);
    let known: BTreeSet<String> =
        of(&["export.mailbox"]).iter().map(|line| line["subject"]["name"].to_string()).collect();
    for copy in 0..MAILBOXES.div_ceil(known.len()) {
        all.extend(mail.iter().map(|line| other_people(line, copy)));
    }
    let rest: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let rest: Vec<&str> = rest
        .into_iter()
        .filter(|name| !name.ends_with(".domain") && !name.ends_with(".endpoint") && !name.starts_with("declared"))
        .filter(|name| !["content.content_folder", "export.forwarding_rule", "export.mailbox"].contains(name))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    all.extend(of(&rest));
    let observations: Vec<Observation> = all.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let count = observations.len();
    Writer::create(&folder.join("large")).unwrap().finish(observations, manifest).unwrap();
    count
}

/// The same of another domain, in text and in DNS messages.
fn renamed(value: &Value, number: usize) -> Value {
    let other = format!("cl{number:04}");
    changed(value, &|text| match text.strip_prefix("base64:").and_then(|rest| STANDARD.decode(rest).ok()) {
        Some(mut bytes) => {
            let label = b"\x06clinic\x07example";
            for at in 0..bytes.len().saturating_sub(label.len()) {
                if bytes[at..].starts_with(label) {
                    bytes[at + 1..at + 7].copy_from_slice(other.as_bytes());
                }
            }
            format!("base64:{}", STANDARD.encode(bytes))
        }
        None => text.replace("clinic.example", &format!("{other}.example")),
    })
}

/// The same of other mailboxes: their addresses and the keyed references to them.
fn other_people(value: &Value, copy: usize) -> Value {
    changed(value, &|text| {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return format!("{copy:03x}{}", &text[3..]);
        }
        text.replace("@clinic.example", &format!("{copy:03}@clinic.example"))
    })
}

fn changed(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| changed(item, change)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), changed(value, change))).collect())
        }
        Value::Bool(_) | Value::Null | Value::Number(_) => value.clone(),
    }
}

/// Evidence to all files, as `assess --out` does it.
fn from_evidence(folder: &Path) {
    use mailassay::evidence::Evidence;
    use mailassay::method::Method;
    use mailassay::verdict::Policy;
    timed("from evidence to all files", 5.0, || {
        let out = tempfile::tempdir().unwrap();
        let evidence = Evidence::read(folder).unwrap();
        let method = Method::load(None).unwrap();
        let assessment = method.judge(&evidence, None, None, &Policy::default()).unwrap();
        let files = report::write_all(&assessment, &out.path().join("report"), Paper::Letter, None).unwrap().len();
        let subjects = |kind: &str| assessment.subjects.get(kind).map_or(0, |subjects| subjects.count);
        format!(
            "{files} files; {} domains, {} mailboxes, {} findings",
            subjects("domain"),
            subjects("mailbox"),
            assessment.findings.len()
        )
    });
}

fn grown(sample: &Assessment, findings: usize, risks: usize) -> Assessment {
    let mut large = sample.clone();
    let kinds = std::mem::take(&mut large.findings);
    large.findings = (0..findings)
        .map(|number| {
            let mut finding = kinds[number % kinds.len()].clone();
            finding.subject.name = format!("mailbox-{number:06}@clinic.example");
            finding.fingerprint = format!("{number:064x}");
            finding.evidence = vec![format!("export.mailbox#{number}")];
            finding
        })
        .collect();
    let scenarios = std::mem::take(&mut large.risks);
    large.risks = (0..risks)
        .map(|number| {
            let mut risk = scenarios[number % scenarios.len()].clone();
            risk.id = format!("{number:08x}-0000-5000-8000-000000000000");
            risk.vulnerabilities = (0..40).map(|at| format!("{:064x}", (number * 33 + at) % findings)).collect();
            risk
        })
        .collect();
    large
}

fn timed<T: std::fmt::Display>(what: &str, target: f64, mut work: impl FnMut() -> T) {
    let mut best = Duration::MAX;
    let mut made = None;
    for _ in 0..3 {
        let from = Instant::now();
        made = Some(work());
        best = best.min(from.elapsed());
    }
    let seconds = best.as_secs_f64();
    let verdict = if target.is_infinite() {
        String::new()
    } else {
        format!("  (target {target} s: {})", if seconds <= target { "held" } else { "NOT held" })
    };
    println!("  {seconds:8.3} s  {what}: {}{verdict}", made.map_or_else(String::new, |made| made.to_string()));
}
