//! The assessment as tables with typed cells: for the workbook, whole, and for `plan.csv`.
//!
//! Text cells hold data as it is, with what no reader can see written out; whatever writes a table
//! keeps text from being read as a formula.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::json::v1::{
    Assessment, CoverageState, Disposition, Level, Obligation, Outcome, SpecificationState, Supports,
};
use super::model::words::{moment, plain_words};
use super::model::{masked, state};
use crate::sheet::inert;
use crate::text::visible;

/// One value. A date and a number stay what they are, so that a spreadsheet can sort and count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Date(Date),
    Empty,
    Number(u64),
    Text(String),
}

/// A column's title and width in characters.
pub type Column = (&'static str, u16);

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// A spreadsheet holds so many characters in a cell.
const CELL_CHARACTERS: usize = 32_767;
const CUT: &str = " […cut here; whole in assessment.json]";

impl Cell {
    /// Foreign or own text, made visible and cut to what a cell holds.
    pub fn text(text: &str) -> Self {
        let head = &text[..text.floor_char_boundary(4 * CELL_CHARACTERS)];
        let shown = visible(head);
        // Spreadsheets count UTF-16 units.
        let mut units = 0;
        let end = shown.char_indices().find_map(|(at, character)| {
            units += character.len_utf16();
            (units > CELL_CHARACTERS - CUT.len()).then_some(at)
        });
        Self::Text(match end {
            Some(end) => format!("{}{CUT}", &shown[..end]),
            None => shown,
        })
    }

    fn maybe(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let joined = texts.into_iter().collect::<Vec<_>>().join("; ");
        if joined.is_empty() { Self::Empty } else { Self::text(&joined) }
    }

    fn day(day: Option<Date>) -> Self {
        day.map_or(Self::Empty, Self::Date)
    }

    fn count(count: usize) -> Self {
        Self::Number(count as u64)
    }

    fn maybe_number(number: Option<u64>) -> Self {
        number.map_or(Self::Empty, Self::Number)
    }
}

/// Every table of the workbook, in its order.
pub fn tables(assessment: &Assessment) -> Vec<Table> {
    vec![
        about(assessment),
        register(assessment),
        plan(assessment),
        findings(assessment),
        specifications(assessment),
        vendors(assessment),
        exposure(assessment),
        evidence(assessment),
    ]
}

fn about(assessment: &Assessment) -> Table {
    let tool = &assessment.tool;
    let coverage = &assessment.coverage;
    let row = |name: &str, value: Cell| vec![Cell::text(name), value];
    let mut rows = vec![
        row("Organization", Cell::text(&assessment.organization.name)),
        row("Role", Cell::maybe(assessment.organization.role.as_deref())),
        row("Individuals, as declared", Cell::maybe_number(assessment.organization.individuals)),
        row("Judged as of", Cell::text(&moment(assessment.as_of))),
        row("State", Cell::text(&state(assessment))),
        row("Program", Cell::text(&format!("{} {}", tool.name, tool.version))),
        row("Catalogue of checks", Cell::text(&tool.catalogue)),
        row("Risk model", Cell::text(&tool.risk_model)),
        row("Evidence (SHA-256)", Cell::text(&assessment.evidence_digest)),
        row("Checks assessed", Cell::count(coverage.assessed)),
        row("Checks assessed in part", Cell::count(coverage.partly_assessed)),
        row("Checks not assessed", Cell::count(coverage.not_assessed)),
        row("Checks without a source", Cell::count(coverage.not_provided)),
        row("Classification", Cell::text("Confidential: this workbook shows where the organization is weak.")),
        row("Limits", Cell::text("One moment, e-mail only, partly attested, no advice on law. The report says more.")),
    ];
    if let Some(masked) = masked(assessment) {
        rows.push(row("Masked values", Cell::text(&masked)));
    }
    for vantage in &assessment.vantages {
        for option in &vantage.test_network {
            rows.push(row("Made with test-network option", Cell::text(option)));
        }
    }
    Table { name: "About", columns: vec![("What", 30), ("Value", 90)], rows }
}

fn level(level: Level) -> Cell {
    Cell::text(level.in_words())
}

fn register(assessment: &Assessment) -> Table {
    let columns = vec![
        ("No.", 6),
        ("Risk", 34),
        ("Statement", 70),
        ("Assets", 30),
        ("Threat", 40),
        ("Inherent likelihood", 12),
        ("Inherent impact", 12),
        ("Inherent risk", 12),
        ("Likelihood now", 12),
        ("Impact now", 12),
        ("Risk now", 12),
        ("Target risk", 12),
        ("Confidence", 11),
        ("Tips on", 40),
        ("Weaknesses", 11),
        ("Measures that lower it", 50),
        ("Treatment", 12),
        ("Owner", 20),
        ("Due", 12),
        ("How the level came about", 80),
        ("Scenario", 30),
        ("Risk id", 30),
    ];
    let rows = assessment
        .risks
        .iter()
        .enumerate()
        .map(|(at, risk)| {
            vec![
                Cell::count(at + 1),
                Cell::text(&risk.title),
                Cell::text(&risk.statement),
                Cell::list(risk.assets.iter().map(String::as_str)),
                Cell::text(&risk.threat),
                level(risk.inherent.likelihood),
                level(risk.inherent.impact),
                level(risk.inherent.risk),
                level(risk.residual.likelihood),
                level(risk.residual.impact),
                level(risk.residual.risk),
                level(risk.target.risk),
                Cell::text(risk.confidence.as_str()),
                Cell::list(risk.tips_on.iter().map(String::as_str)),
                Cell::count(risk.vulnerabilities.len()),
                Cell::list(risk.controls.iter().map(String::as_str)),
                Cell::text(&risk.treatment),
                Cell::maybe(risk.owner.as_deref()),
                Cell::day(risk.due),
                Cell::list(risk.explain.iter().map(String::as_str)),
                Cell::text(&risk.scenario),
                Cell::text(&risk.id),
            ]
        })
        .collect();
    Table { name: "Risk register", columns, rows }
}

/// The risk management plan, with columns to be filled by people.
pub fn plan(assessment: &Assessment) -> Table {
    let columns = vec![
        ("item_id", 30),
        ("priority", 9),
        ("title", 50),
        ("action", 80),
        ("acceptance_test", 40),
        ("severity", 10),
        ("effort", 9),
        ("steps_removed", 14),
        ("subjects", 9),
        ("inherent", 11),
        ("residual", 11),
        ("target", 11),
        ("spec_ids", 30),
        ("required_or_addressable", 22),
        ("risk_ids", 30),
        ("finding_ids", 30),
        ("opened", 12),
        ("age_quarters", 13),
        ("owner", 20),
        ("due", 12),
        ("status", 12),
        ("milestones", 30),
        ("closed", 12),
        ("closure_evidence", 30),
        ("approver", 20),
        ("comments", 40),
        ("source_report", 24),
    ];
    let risks: BTreeMap<&str, _> = assessment.risks.iter().map(|risk| (risk.id.as_str(), risk)).collect();
    let obligations: BTreeMap<&str, Obligation> =
        assessment.specifications.iter().map(|one| (one.id.as_str(), one.obligation)).collect();
    let source = format!("as of {}", moment(assessment.as_of));
    let rows = assessment
        .plan
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let touched: Vec<_> = item.risks.iter().filter_map(|id| risks.get(id.as_str())).collect();
            let worst = |of: fn(&super::json::v1::Risk) -> Level| {
                touched.iter().map(|risk| of(risk)).max().map_or(Cell::Empty, level)
            };
            let mut asks: Vec<&str> = item
                .specs
                .iter()
                .filter_map(|spec| obligations.get(spec.as_str()))
                .map(|obligation| match obligation {
                    Obligation::Addressable => "addressable",
                    Obligation::Required => "required",
                    Obligation::Standard => "standard",
                })
                .collect();
            asks.sort_unstable();
            asks.dedup();
            vec![
                Cell::text(&item.id),
                Cell::count(at + 1),
                Cell::text(&item.title),
                Cell::text(&item.action),
                Cell::text(&format!("mailassay explain {}", item.check)),
                Cell::text(item.severity.as_str()),
                Cell::text(&item.effort),
                Cell::Number(u64::from(item.reduction)),
                Cell::count(item.subjects),
                worst(|risk| risk.inherent.risk),
                worst(|risk| risk.residual.risk),
                worst(|risk| risk.target.risk),
                Cell::list(item.specs.iter().map(String::as_str)),
                Cell::list(asks),
                Cell::list(item.risks.iter().map(String::as_str)),
                Cell::list(item.findings.iter().map(String::as_str)),
                Cell::Date(item.opened),
                Cell::Number(u64::from(item.age)),
                Cell::maybe(item.owner.as_deref()),
                Cell::day(item.due),
                Cell::text(&item.status),
                Cell::text(&crate::plan_sheet::steps(&item.milestones)),
                Cell::Empty,
                Cell::Empty,
                Cell::Empty,
                Cell::maybe(item.comment.as_deref()),
                Cell::text(&source),
            ]
        })
        .collect();
    Table { name: "Plan", columns, rows }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fail => "fail",
        Outcome::NeedsReview => "needs review",
        Outcome::NotApplicable => "not applicable",
        Outcome::NotAssessed => "not assessed",
        Outcome::Pass => "pass",
    }
}

fn findings(assessment: &Assessment) -> Table {
    let columns = vec![
        ("Outcome", 13),
        ("Severity", 10),
        ("Finding", 80),
        ("Subject kind", 16),
        ("Subject", 34),
        ("Check", 34),
        ("Good condition", 50),
        ("Area", 16),
        ("Catalogue", 12),
        ("Why it matters", 60),
        ("What to do", 60),
        ("Question", 40),
        ("Not assessed because", 40),
        ("To close", 40),
        ("Paragraphs", 34),
        ("Grade", 8),
        ("Evidence", 40),
        ("Open since", 12),
        ("Quarters open", 13),
        ("Disposition", 14),
        ("Accepted by", 20),
        ("Accepted until", 14),
        ("Fingerprint", 66),
    ];
    let rows = assessment
        .findings
        .iter()
        .map(|finding| {
            let (is, by, until) = match &finding.disposition {
                Disposition::Accepted { by, until } => ("accepted", Cell::text(by), Cell::Date(*until)),
                Disposition::Lapsed => ("acceptance ran out", Cell::Empty, Cell::Empty),
                Disposition::Open => ("open", Cell::Empty, Cell::Empty),
            };
            vec![
                Cell::text(outcome(finding.outcome)),
                Cell::text(finding.severity.as_str()),
                Cell::text(&finding.message),
                Cell::text(&plain_words(&finding.subject.kind)),
                Cell::text(&finding.subject.name),
                Cell::text(&finding.check),
                Cell::text(&finding.title),
                Cell::text(&finding.area),
                Cell::maybe(finding.catalogue.as_deref()),
                Cell::text(&finding.why),
                Cell::text(&finding.fix),
                Cell::maybe(finding.question.as_deref()),
                Cell::maybe(finding.gap.as_ref().map(|gap| gap.because.as_str())),
                Cell::maybe(finding.gap.as_ref().map(|gap| gap.to_close.as_str())),
                Cell::list(finding.cites.iter().map(|cite| cite.spec.as_str())),
                Cell::text(finding.grade.as_str()),
                Cell::list(finding.evidence.iter().map(String::as_str)),
                Cell::Date(finding.opened),
                Cell::Number(u64::from(finding.age)),
                Cell::text(is),
                by,
                until,
                Cell::text(&finding.fingerprint),
            ]
        })
        .collect();
    Table { name: "Findings", columns, rows }
}

fn specifications(assessment: &Assessment) -> Table {
    let columns = vec![
        ("45 CFR", 22),
        ("Title", 44),
        ("Category", 16),
        ("Asks", 12),
        ("Status", 18),
        ("Subjects passed", 15),
        ("Subjects failed", 15),
        ("Subjects not known", 18),
        ("Direct checks", 50),
        ("Indirect checks", 50),
    ];
    let rows = assessment
        .specifications
        .iter()
        .map(|one| {
            let judged = one.by.iter().filter(|basis| match basis.state {
                CoverageState::Assessed | CoverageState::PartlyAssessed | CoverageState::NotAssessed => true,
                CoverageState::NotApplicable | CoverageState::NotProvided => false,
            });
            let sum = |of: fn(&super::json::v1::SpecificationBasis) -> usize| judged.clone().map(of).sum();
            let by = |supports: Supports| {
                Cell::list(one.by.iter().filter(|basis| basis.supports == supports).map(|basis| basis.check.as_str()))
            };
            vec![
                Cell::text(&one.id),
                Cell::text(&one.title),
                Cell::text(&one.category),
                Cell::text(match one.obligation {
                    Obligation::Addressable => "addressable",
                    Obligation::Required => "required",
                    Obligation::Standard => "standard",
                }),
                Cell::text(match one.status {
                    SpecificationState::Attested => "attested",
                    SpecificationState::Contradicted => "contradicted",
                    SpecificationState::ContradictedInPart => "contradicted in part",
                    SpecificationState::Evidenced => "evidence supports",
                    SpecificationState::NotAssessed => "not assessed",
                    SpecificationState::Partly => "supported in part",
                }),
                Cell::count(sum(|basis| basis.passed)),
                Cell::count(sum(|basis| basis.failed)),
                Cell::count(sum(|basis| basis.unknown)),
                by(Supports::Direct),
                by(Supports::Indirect),
            ]
        })
        .collect();
    Table { name: "Specifications", columns, rows }
}

fn vendors(assessment: &Assessment) -> Table {
    let columns = vec![
        ("Vendor", 28),
        ("Declared", 10),
        ("Handles", 14),
        ("Agreement signed", 17),
        ("Agreement expires", 17),
        ("File", 40),
        ("SHA-256", 66),
    ];
    let declared = &assessment.declared.vendors;
    let mut rows: Vec<Vec<Cell>> = declared
        .iter()
        .map(|vendor| {
            let agreement = vendor.agreement.as_ref();
            vec![
                Cell::text(&vendor.id),
                Cell::text("yes"),
                Cell::text(vendor.handles.as_deref().unwrap_or("not declared")),
                Cell::day(agreement.map(|agreement| agreement.signed)),
                Cell::day(agreement.and_then(|agreement| agreement.expires)),
                Cell::maybe(agreement.and_then(|agreement| agreement.file.as_deref())),
                Cell::maybe(agreement.and_then(|agreement| agreement.file_sha256.as_deref())),
            ]
        })
        .collect();
    let discovered = assessment.subjects.get("vendor").map(|known| known.names.as_slice()).unwrap_or_default();
    for name in discovered.iter().filter(|name| !declared.iter().any(|vendor| vendor.id == **name)) {
        let mut row = vec![Cell::text(name), Cell::text("no"), Cell::text("not declared")];
        row.resize(columns.len(), Cell::Empty);
        rows.push(row);
    }
    Table { name: "Vendors", columns, rows }
}

fn exposure(assessment: &Assessment) -> Table {
    let columns = vec![
        ("Rank", 7),
        ("Mailbox", 34),
        ("Level", 12),
        ("Way in", 26),
        ("Open protocols", 20),
        ("Individuals in it, at least", 14),
        ("Individuals in it, at most", 14),
        ("Oldest", 12),
        ("500 or more in it", 12),
        ("Opens at once", 12),
        ("Cannot be ruled out", 12),
        ("Mail goes on to", 30),
        ("Within reach, at least", 14),
        ("Within reach, at most", 14),
        ("Logs", 12),
        ("To be told", 24),
        ("Not known", 50),
    ];
    let rows = assessment
        .exposure
        .iter()
        .map(|row| {
            // An older document has no order, and does not say what opens.
            let said = |cell: Cell| if row.rank > 0 { cell } else { Cell::Empty };
            vec![
                said(Cell::count(row.rank)),
                Cell::text(&row.mailbox),
                row.risk.map_or(Cell::Empty, level),
                Cell::text(&row.way_in),
                Cell::list(row.protocols.iter().map(String::as_str)),
                Cell::maybe_number(row.individuals_lower),
                Cell::maybe_number(row.individuals_upper),
                Cell::day(row.oldest),
                Cell::text(match row.over_500 {
                    Some(true) => "yes",
                    Some(false) => "no",
                    None => "not known",
                }),
                said(Cell::count(row.opens_at_least)),
                said(Cell::count(row.opens_at_most)),
                match &row.leaves_to {
                    None => Cell::text("not known"),
                    Some(domains) if domains.is_empty() => Cell::text("nowhere, as far as is known"),
                    Some(domains) => Cell::list(domains.iter().map(String::as_str)),
                },
                said(Cell::Number(row.within.lower)),
                row.within.upper.map_or_else(|| Cell::text("not known"), Cell::Number),
                Cell::text(&row.logs.state),
                Cell::text(&row.notice.band),
                Cell::list(row.not_known.iter().map(String::as_str)),
            ]
        })
        .collect();
    Table { name: "Exposure", columns, rows }
}

fn evidence(assessment: &Assessment) -> Table {
    let columns = vec![
        ("File", 40),
        ("Source", 14),
        ("About", 18),
        ("Observations", 13),
        ("Collected from", 20),
        ("Grade", 8),
        ("SHA-256", 66),
    ];
    let rows = assessment
        .evidence
        .iter()
        .map(|segment| {
            vec![
                Cell::text(&segment.name),
                Cell::text(&segment.source),
                Cell::text(&plain_words(&segment.kind)),
                Cell::count(segment.observations),
                Cell::text(&segment.vantage),
                Cell::text(segment.grade.as_str()),
                Cell::text(&segment.sha256),
            ]
        })
        .collect();
    Table { name: "Evidence", columns, rows }
}

/// The plan as CSV: UTF-8 with a byte order mark, as spreadsheets want it, and no cell that one
/// would calculate (CWE-1236).
pub fn plan_csv(assessment: &Assessment) -> Vec<u8> {
    csv(&plan(assessment))
}

/// A table as CSV, as [`plan_csv`] writes it.
pub fn csv(table: &Table) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer("\u{feff}".as_bytes().to_vec());
    let mut write = |row: Vec<String>| writer.write_record(row).expect("a vector takes every byte, and rows are equal");
    write(table.columns.iter().map(|(title, _)| (*title).to_owned()).collect());
    for row in &table.rows {
        write(
            row.iter()
                .map(|cell| match cell {
                    Cell::Date(day) => day.to_string(),
                    Cell::Empty => String::new(),
                    Cell::Number(number) => number.to_string(),
                    Cell::Text(text) => inert(text),
                })
                .collect(),
        );
    }
    writer.into_inner().expect("a vector takes every byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_data_is_text_in_a_csv() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "＝1"] {
            assert!(inert(text).starts_with('\''), "{text}");
        }
        assert_eq!(inert("v=spf1 -all"), "v=spf1 -all");
    }

    #[test]
    fn a_cell_holds_what_a_spreadsheet_can_hold() {
        let Cell::Text(text) = Cell::text(&"😀".repeat(40_000)) else { panic!() };
        assert!(text.encode_utf16().count() <= CELL_CHARACTERS && text.ends_with(CUT));
        assert_eq!(Cell::text("a\u{202e}b"), Cell::Text("a⟨U+202E⟩b".to_owned()));
    }
}
