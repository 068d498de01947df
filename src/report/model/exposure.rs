//! What opens if one mailbox is phished, what evidence to supply, and what stays high, as rows.

use std::collections::BTreeSet;

use serde::Serialize;

use super::risks::individuals;
use super::words::{Tag, counted, day_or, number, paragraph, sentence};
use crate::report::charts::between_bar;
use crate::report::json::v1::{Assessment, Exposure, Individuals};

/// Mailboxes shown.
const SHOWN: usize = 50;
/// Pieces of missing evidence shown.
const EVIDENCE: usize = 25;
/// Names in a cell.
const NAMES: usize = 4;

/// The table of mailboxes.
#[derive(Clone, Debug, Serialize)]
pub struct ExposedView {
    pub rows: Vec<ExposedRow>,
    pub shown: String,
    pub count: String,
    pub not_known: Vec<String>,
}

/// One mailbox.
#[derive(Clone, Debug, Serialize)]
pub struct ExposedRow {
    pub rank: String,
    pub mailbox: String,
    pub risk: Option<Tag>,
    pub way_in: String,
    pub individuals: String,
    /// SVG: at least and at most, against the fullest mailbox.
    pub bar: String,
    pub oldest: String,
    pub opens: String,
    pub within: String,
    pub logs: String,
    pub notice: String,
    pub changes: Vec<String>,
}

/// Evidence to supply, and what stays high.
#[derive(Clone, Debug, Serialize)]
pub struct NeededView {
    pub evidence: Vec<EvidenceRow>,
    pub rest: Option<String>,
    pub remaining: Vec<RemainingRow>,
}

#[derive(Clone, Debug, Serialize)]
pub struct EvidenceRow {
    pub supply: String,
    pub checks: String,
    pub risks: String,
    pub reduction: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct RemainingRow {
    pub title: String,
    pub target: String,
    pub why: String,
}

pub(super) fn exposed(assessment: &Assessment) -> ExposedView {
    let rows = &assessment.exposure;
    let most = |row: &Exposure| row.individuals_upper.or(row.individuals_lower);
    let longest = rows.iter().filter_map(most).max().unwrap_or(0);
    let not_known: BTreeSet<&String> = rows.iter().flat_map(|row| &row.not_known).collect();
    ExposedView {
        rows: rows.iter().take(SHOWN).map(|one| row(one, longest)).collect(),
        shown: number(SHOWN as u64),
        count: number(rows.len() as u64),
        not_known: not_known.into_iter().map(|text| paragraph(text)).collect(),
    }
}

fn within(within: Individuals) -> String {
    match (within.lower, within.upper) {
        (0, None) => "not known".to_owned(),
        (lower, upper) => individuals(Some(lower), upper),
    }
}

fn row(exposure: &Exposure, longest: u64) -> ExposedRow {
    let mut way_in = exposure.way_in.clone();
    if !exposure.protocols.is_empty() {
        way_in.push_str(&format!("; open: {}", exposure.protocols.join(", ")));
    }
    ExposedRow {
        // An older document has no order.
        rank: if exposure.rank > 0 { number(exposure.rank as u64) } else { String::new() },
        mailbox: paragraph(&exposure.mailbox),
        risk: exposure.risk.map(Tag::from),
        way_in: paragraph(&way_in),
        individuals: individuals(exposure.individuals_lower, exposure.individuals_upper),
        bar: between_bar(exposure.individuals_lower, exposure.individuals_upper, longest),
        oldest: day_or(exposure.oldest, "not known"),
        opens: paragraph(&opens(exposure)),
        within: within(exposure.within),
        logs: paragraph(&exposure.logs.state),
        notice: paragraph(&exposure.notice.band),
        changes: exposure
            .changes
            .iter()
            .map(|change| {
                let (words, level) = (&change.words, Tag::from(change.risk).word);
                paragraph(&format!("{words}: {} individuals, {level}", within(change.within)))
            })
            .collect(),
    }
}

/// "2 mailboxes at once (a, b), up to 5; may send as 1; sends mail on to x.example".
fn opens(exposure: &Exposure) -> String {
    let mut parts = Vec::new();
    if exposure.opens_at_least > 0 {
        let names: Vec<&str> = exposure.opens.iter().take(NAMES).map(|opened| opened.mailbox.as_str()).collect();
        let more = if exposure.opens_at_least > names.len() { ", \u{2026}" } else { "" };
        let count = counted(exposure.opens_at_least, "mailbox", "mailboxes");
        parts.push(format!("{count} at once ({}{more})", names.join(", ")));
    }
    if exposure.opens_at_most > exposure.opens_at_least {
        parts.push(format!("{} cannot be ruled out", counted(exposure.opens_at_most, "mailbox", "mailboxes")));
    }
    if !exposure.sends_as.is_empty() {
        parts.push(format!("may send as {}", counted(exposure.sends_as.len(), "other", "others")));
    }
    match &exposure.leaves_to {
        Some(domains) if !domains.is_empty() => {
            let names: Vec<&str> = domains.iter().take(NAMES).map(String::as_str).collect();
            parts.push(format!("its mail goes on to {}", names.join(", ")));
        }
        Some(_) | None => {}
    }
    if parts.is_empty() { "nothing else, as far as is known".to_owned() } else { parts.join("; ") }
}

pub(super) fn needed(assessment: &Assessment) -> NeededView {
    let all = &assessment.evidence_needed;
    let more = all.len().saturating_sub(EVIDENCE);
    NeededView {
        evidence: all
            .iter()
            .take(EVIDENCE)
            .map(|item| EvidenceRow {
                supply: sentence(&item.supply),
                checks: number(item.checks.len() as u64),
                risks: number(item.risks.len() as u64),
                reduction: number(item.reduction),
            })
            .collect(),
        rest: (more > 0).then(|| format!("And {}, in assessment.json.", counted(more, "more", "more"))),
        remaining: assessment
            .remaining
            .iter()
            .map(|risk| RemainingRow {
                title: paragraph(&risk.title),
                target: Tag::from(risk.target).word,
                why: sentence(&risk.why),
            })
            .collect(),
    }
}
