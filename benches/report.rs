//! How fast an assessment becomes the files of a report.
//!
//! `cargo bench --bench report` takes the invented assessment of the fixtures, grows it to 10,000
//! findings and 300 risks, and makes each file; and judges an invented clinic of 20 domains and
//! 500 mailboxes from stored evidence to all files. Best of three, absolute for this machine.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has nothing to say")]

use std::path::Path;
use std::time::{Duration, Instant};

use mailassay::report::json::v1::Assessment;
use mailassay::report::model::Page;
use mailassay::report::{self, Paper, html, tables, workbook};

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
    if let Some(evidence) = std::env::var_os("MAILASSAY_BENCH_EVIDENCE") {
        from_evidence(Path::new(&evidence));
    }
}

/// Evidence (of 20 domains and 500 mailboxes, say) to all files, as `assess --out` does it.
fn from_evidence(folder: &Path) {
    use mailassay::evidence::Evidence;
    use mailassay::method::Method;
    use mailassay::verdict::Policy;
    timed("from evidence to all files", 5.0, || {
        let out = tempfile::tempdir().unwrap();
        let evidence = Evidence::read(folder).unwrap();
        let method = Method::load(None).unwrap();
        let assessment = method.judge(&evidence, None, None, &Policy::default()).unwrap();
        report::write_all(&assessment, &out.path().join("report"), Paper::Letter, None).unwrap().len()
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
