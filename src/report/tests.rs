//! The pages as a reader gets them, from stored assessments.

use super::hostile_tests::{HOSTILE, everywhere, nothing_invisible};
use super::json::v1::{Assessment, ElementState};
use super::{html, markdown, terminal};

const MAPLE_STREET: &str = include_str!("../../fixtures/maple-street-assessment/assessment.json");

pub(super) fn maple_street() -> Assessment {
    serde_json::from_str(MAPLE_STREET).unwrap()
}

/// An assessment in which nothing is known but the time.
fn empty() -> Assessment {
    let mut assessment = maple_street();
    assessment.organization.name.clear();
    assessment.organization.role = None;
    assessment.organization.individuals = None;
    assessment.vantages.clear();
    assessment.declared = Default::default();
    assessment.coverage.areas.clear();
    assessment.coverage.checks.clear();
    assessment.findings.clear();
    assessment.passed.clear();
    assessment.not_applicable.clear();
    assessment.risks.clear();
    assessment.risks_not_applicable.clear();
    assessment.exposure.clear();
    assessment.plan.clear();
    assessment.earlier.clear();
    assessment.drift = None;
    assessment.gates.clear();
    assessment.specifications.clear();
    assessment.subjects.clear();
    assessment.closed.clear();
    assessment.evidence.clear();
    for element in &mut assessment.elements {
        element.state = ElementState::Incomplete;
    }
    assessment
}

fn section<'a>(page: &'a str, key: &str) -> &'a str {
    let from = page.find(&format!("<section id=\"{key}\">")).unwrap_or_else(|| panic!("no section {key}"));
    let to = page[from..].find("</section>").unwrap();
    &page[from..from + to]
}

const SECTIONS: [&str; 25] = [
    "control",
    "summary",
    "claims",
    "scope",
    "inventory",
    "method",
    "threats",
    "measures",
    "findings",
    "coverage",
    "register",
    "matrix",
    "plan",
    "vendors",
    "attestations",
    "drift",
    "review",
    "sign-off",
    "evidence",
    "assumptions",
    "raw",
    "enforcement",
    "proposed",
    "glossary",
    "traces",
];

#[test]
fn the_whole_markdown_report_reads_as_agreed() {
    // UPDATE_PAGES=FOLDER also writes the pages to where they can be looked at.
    if let Ok(folder) = std::env::var("UPDATE_PAGES") {
        let folder = std::path::Path::new(&folder);
        super::write_all(&maple_street(), folder, super::Paper::Letter, None).unwrap();
        for (name, assessment) in [("empty", empty()), ("many", many(10_000)), ("hostile", everywhere(HOSTILE[0]))] {
            let page = html::render(&assessment).unwrap();
            crate::files::write_whole(&folder.join(format!("{name}.html")), page.as_bytes()).unwrap();
        }
    }
    insta::assert_snapshot!("markdown", markdown::render(&maple_street()).unwrap());
}

#[test]
fn the_first_screen_and_a_finding_read_as_agreed() {
    let page = html::render(&maple_street()).unwrap();
    let cover = &page[page.find("<header").unwrap()..page.find("</header>").unwrap()];
    let cover = &cover[..cover.find("<figure>").unwrap()];
    insta::assert_snapshot!("first_screen", cover);
    let findings = section(&page, "findings");
    let first = findings.find("<details").unwrap();
    let one = &findings[findings[first + 1..].find("<details").unwrap() + first + 1..];
    insta::assert_snapshot!("finding", &one[..one.find("</details>").unwrap()]);
}

#[test]
fn the_terminal_summary_reads_as_agreed_and_fits_80_columns() {
    let options = terminal::Options { color: false, files: vec!["reports/2026-10-03/report.html".into()], next: None };
    let text = terminal::summary(&maple_street(), &options);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!("terminal", text);
    let coloured = terminal::summary(&maple_street(), &terminal::Options { color: true, ..options });
    assert_ne!(coloured, text);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = escape.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text, "colour lies on top of the words and changes none of them");
}

#[test]
fn the_page_needs_no_network_and_has_one_script_that_is_the_same_for_all() {
    use base64::Engine;
    use sha2::Digest;
    let page = html::render(&maple_street()).unwrap();
    let script = include_str!("../../report-templates/report.js");
    assert!(page.contains(&format!("<script>{script}</script>")));
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script.as_bytes()));
    assert!(
        page.contains(&format!("script-src &#39;sha256-{hash}&#39;;").replace("&#39;", "'"))
            || page.contains(&format!("script-src &#39;sha256-{hash}&#39;;"))
    );
    for reaches in ["fetch", "XMLHttpRequest", "innerHTML", "eval", "Function(", "localStorage", "cookie", "import"] {
        assert!(!script.contains(reaches), "{reaches}");
    }
    let page = page.replace(script, "");
    assert_eq!(page.matches("<script").count(), 1);
    for made_by_the_script in ["type=\"search\"", "<button", "class=\"tools\""] {
        assert!(!page.contains(made_by_the_script), "without it nothing stands there that does nothing");
    }
    assert!(!page.contains(" style=\""), "inline styles are not let in by the policy");
    assert!(
        page.contains("default-src 'none'; script-src &#39;sha256-")
            || page.contains("default-src 'none'; script-src 'sha256-")
    );
    for loads in ["src=", "@import", "url(http", "<link", "<img", "<iframe"] {
        assert!(!page.contains(loads), "{loads}");
    }
    for (at, _) in page.match_indices("href=\"") {
        assert!(page[at + 6..].starts_with('#'), "{}", &page[at..at + 40]);
    }
}

#[test]
fn the_policy_names_the_hash_of_each_style() {
    use base64::Engine;
    use sha2::Digest;
    let page = html::render(&maple_street()).unwrap();
    let mut styles = 0;
    for (at, _) in page.match_indices("<style>") {
        let style = &page[at + 7..at + page[at..].find("</style>").unwrap()];
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
        assert!(page.contains(&format!("sha256-{hash}")));
        styles += 1;
    }
    assert_eq!(styles, 2);
}

#[test]
fn every_link_leads_to_something_on_the_page_and_ids_are_unique() {
    for assessment in [maple_street(), empty()] {
        let page = html::render(&assessment).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for (at, _) in page.match_indices(" id=\"") {
            let id = page[at + 5..].split('"').next().unwrap();
            assert!(ids.insert(id), "{id} twice");
        }
        for (at, _) in page.match_indices("href=\"#") {
            let target = page[at + 7..].split('"').next().unwrap();
            assert!(ids.contains(target), "{target} is nowhere");
        }
    }
}

#[test]
fn headings_go_down_one_level_at_a_time_and_tables_have_captions_and_scopes() {
    let page = html::render(&maple_street()).unwrap();
    let mut before = 0;
    for (at, _) in page.match_indices("<h") {
        let Some(level) = page[at + 2..].chars().next().and_then(|digit| digit.to_digit(10)) else { continue };
        assert!(level <= before + 1, "h{level} after h{before}");
        before = level;
    }
    assert_eq!(page.matches("<h1").count(), 1);
    assert_eq!(page.matches("<table").count(), page.matches("<caption").count());
    assert_eq!(page.matches("<th ").count() + page.matches("<th>").count(), page.matches(" scope=\"").count());
}

#[test]
fn an_empty_assessment_fills_no_section_with_good_news() {
    let page = html::render(&empty()).unwrap();
    for key in SECTIONS {
        let text = section(&page, key);
        assert!(text.len() > 120, "{key} is empty");
    }
    for number in 1..=9 {
        assert!(page.contains(&format!("incomplete: element {number}")), "element {number} is not said to be missing");
    }
    assert!(section(&page, "findings").contains("That says nothing about what was not assessed."));
    assert!(!page.contains("NaN"));
    assert!(page.contains("not known: no scenario was analysed"), "an empty register is not a zero");
    markdown::render(&empty()).unwrap();
    assert!(terminal::summary(&empty(), &terminal::Options::default()).contains("incomplete: elements 1, 2, 3"));
}

#[test]
fn an_element_that_is_not_filled_is_named_on_the_first_screen_and_in_its_section() {
    let page = html::render(&maple_street()).unwrap();
    let cover = &page[..page.find("</header>").unwrap()];
    assert!(cover.contains("incomplete: element 2"));
    assert!(!cover.contains("incomplete: element 1,"));
    assert!(section(&page, "inventory").contains("class=\"incomplete\">incomplete: element 2"));
    assert!(section(&page, "review").contains("class=\"incomplete\">incomplete: element 9"));
}

#[test]
fn the_sentences_the_program_adds_promise_nothing() {
    for assessment in [maple_street(), empty()] {
        let claims = super::claims::lint(&markdown::render(&assessment).unwrap());
        assert_eq!(claims, []);
    }
}

#[test]
fn test_network_options_stand_on_the_cover() {
    let mut assessment = maple_street();
    assessment.vantages[0].test_network = vec!["--allow-net 127.0.0.0/8".to_owned()];
    let page = html::render(&assessment).unwrap();
    assert!(page[..page.find("</header>").unwrap()].contains("--allow-net 127.0.0.0/8"));
    assert!(markdown::render(&assessment).unwrap().contains("--allow-net 127.0.0.0/8"));
    assert!(terminal::summary(&assessment, &terminal::Options::default()).contains("--allow-net 127.0.0.0/8"));
}

#[test]
fn a_stored_assessment_gives_the_same_bytes() {
    let once = maple_street();
    let again: Assessment = serde_json::from_slice(&serde_json::to_vec(&once).unwrap()).unwrap();
    assert_eq!(html::render(&once).unwrap(), html::render(&again).unwrap());
    assert_eq!(markdown::render(&once).unwrap(), markdown::render(&again).unwrap());
}

#[test]
fn files_are_written_whole_and_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let files = super::write_all(&maple_street(), &out, super::Paper::Letter, None).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    for name in ["assessment.json", "report.html", "report.md", "executive-summary.html", "workbook.xlsx", "plan.csv"] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names.last(), Some(&"manifest.json"), "the manifest is written last");
    #[cfg(unix)]
    for file in &files {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let stored: Assessment = serde_json::from_slice(&std::fs::read(&files[0]).unwrap()).unwrap();
    assert_eq!(stored, maple_street());
}

/// So many findings, over a few checks, as a large tenant gives them.
fn many(count: usize) -> Assessment {
    let mut assessment = maple_street();
    let kinds = std::mem::take(&mut assessment.findings);
    for number in 0..count {
        let mut finding = kinds[number % kinds.len()].clone();
        finding.subject.name = format!("mailbox-{number:06}");
        finding.fingerprint = format!("{number:064x}");
        finding.evidence = vec![format!("export.mailbox#{number}")];
        assessment.findings.push(finding);
    }
    assessment.risks[0].vulnerabilities =
        assessment.findings.iter().map(|finding| finding.fingerprint.clone()).collect();
    assessment
}

#[test]
fn ten_thousand_findings_are_still_a_page() {
    let size = |count| {
        let assessment = many(count);
        let page = html::render(&assessment).unwrap();
        let text = markdown::render(&assessment).unwrap();
        page.len() + text.len() + terminal::summary(&assessment, &terminal::Options::default()).len()
    };
    let (small, large) = (size(1_000), size(10_000));
    assert!(large < small * 2, "the page grows with groups, not with findings: {small} then {large} bytes");
    let page = html::render(&many(10_000)).unwrap();
    assert!(page.contains("more mailboxes, counted here and listed in assessment.json"));
}

/// The sheets of a workbook as another program reads them: the cells, and whether it holds formulas.
pub(super) fn opened(bytes: &[u8]) -> Vec<(String, calamine::Range<calamine::Data>)> {
    use calamine::Reader;
    let mut workbook = calamine::Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let names = workbook.sheet_names();
    names
        .into_iter()
        .map(|name| {
            let formulas = workbook.worksheet_formula(&name).unwrap();
            assert!(formulas.used_cells().next().is_none(), "{name} holds a formula");
            let range = workbook.worksheet_range(&name).unwrap();
            (name, range)
        })
        .collect()
}

#[test]
fn the_workbook_opens_again_with_every_finding_in_typed_cells() {
    let assessment = many(10_000);
    let bytes = super::workbook::workbook(&assessment).unwrap();
    assert_eq!(bytes, super::workbook::workbook(&assessment).unwrap(), "two runs, the same bytes");
    let sheets = opened(&bytes);
    let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["About", "Risk register", "Plan", "Findings", "Specifications", "Vendors", "Exposure", "Evidence"]
    );
    let rows = |name: &str| &sheets.iter().find(|(sheet, _)| sheet == name).unwrap().1;
    assert_eq!(rows("Findings").height(), 10_001);
    assert_eq!(rows("Risk register").height(), assessment.risks.len() + 1);
    assert_eq!(rows("Specifications").height(), assessment.specifications.len() + 1);
    let column = |sheet: &str, title: &str| {
        let range = rows(sheet);
        let at = range.rows().next().unwrap().iter().position(|cell| *cell == *title).unwrap();
        range.rows().nth(1).unwrap()[at].clone()
    };
    assert!(matches!(column("Findings", "Open since"), calamine::Data::DateTime(_)));
    assert!(matches!(column("Findings", "Quarters open"), calamine::Data::Float(_)));
    assert!(matches!(column("Findings", "Finding"), calamine::Data::String(_)));
}

#[test]
fn the_summary_in_html_needs_no_network_and_promises_nothing() {
    for assessment in [maple_street(), empty(), everywhere(HOSTILE[0])] {
        let page = super::model::Page::of(&assessment);
        let summary = html::render_summary(&assessment, &page, super::Paper::Letter, None).unwrap();
        assert!(!summary.contains("<script") && !summary.contains(" style=\"") && !summary.contains("<img"));
        assert!(summary.contains("size:letter"));
        nothing_invisible(&summary, "the summary");
    }
}
