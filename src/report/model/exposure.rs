//! What opens if one mailbox is phished, what evidence to supply, and what stays high, as rows.

use std::collections::BTreeSet;

use serde::Serialize;

use super::risks::individuals;
use super::words::{Tag, capitalized, counted, day_or, number, paragraph, sentence};
use crate::report::charts::between_bar;
use crate::report::json::v1::{Assessment, Exposure, Individuals, LISTED};

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
    /// `Mailboxes, the worst first: 50 of 500`.
    pub caption: String,
    /// Whether one change of any row is said.
    pub has_changes: bool,
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
    /// Shares of the longest bar in whole percent, at least and at most: for paper.
    pub at_least: u64,
    pub at_most: Option<u64>,
    pub known: bool,
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
    /// What is said where no row stands.
    pub no_evidence: Option<&'static str>,
    pub remaining: Vec<RemainingRow>,
    pub no_remaining: Option<&'static str>,
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
        caption: match rows.len() {
            all if all > SHOWN => {
                format!(
                    "Mailboxes, the worst {} of {}; all are in assessment.json",
                    number(SHOWN as u64),
                    number(all as u64)
                )
            }
            all => format!("{}, the worst first", counted(all, "mailbox", "mailboxes")),
        },
        has_changes: rows.iter().take(SHOWN).any(|row| !row.changes.is_empty()),
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
    let share = |count: u64| count.saturating_mul(100) / longest.max(1);
    ExposedRow {
        at_least: share(exposure.individuals_lower.unwrap_or(0)),
        at_most: exposure.individuals_upper.map(share),
        known: exposure.individuals_lower.is_some() || exposure.individuals_upper.is_some(),
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
        let names: Vec<&str> = exposure.opens.iter().map(|opened| opened.mailbox.as_str()).collect();
        let count = counted(exposure.opens_at_least, "mailbox", "mailboxes");
        parts.push(format!("{count} at once ({})", first_of(&names, exposure.opens_at_least)));
    }
    if exposure.opens_at_most > exposure.opens_at_least {
        parts.push(format!("{} cannot be ruled out", counted(exposure.opens_at_most, "mailbox", "mailboxes")));
    }
    match exposure.sends_as.len() {
        0 => {}
        // The document names no more, so the list is no count.
        LISTED.. => parts.push(format!("may send as {} others or more", number(exposure.sends_as.len() as u64))),
        count => parts.push(format!("may send as {}", counted(count, "other", "others"))),
    }
    let nothing = parts.is_empty();
    match &exposure.leaves_to {
        Some(domains) if !domains.is_empty() => {
            let names: Vec<&str> = domains.iter().map(String::as_str).collect();
            parts.push(format!("its mail goes on to {}", first_of(&names, names.len())));
        }
        Some(_) if nothing => parts.push("nothing else, as far as is known".to_owned()),
        Some(_) => {}
        None if nothing => {
            parts.push("nothing else is known; whether its mail goes on by itself is not known".to_owned());
        }
        None => parts.push("whether its mail goes on by itself is not known".to_owned()),
    }
    parts.join("; ")
}

/// The first names, and how many of all are left.
fn first_of(names: &[&str], all: usize) -> String {
    let shown = names.len().min(NAMES);
    let mut words = names[..shown].join(", ");
    if all > shown {
        words.push_str(&format!(" and {}", counted(all - shown, "other", "others")));
    }
    words
}

const NOT_SAID: &str =
    "Not known: the assessment does not say. It was made by an earlier version; judge the evidence again.";

pub(super) fn needed(assessment: &Assessment) -> NeededView {
    let all = assessment.evidence_needed.as_deref();
    let more = all.map_or(0, |all| all.len().saturating_sub(EVIDENCE));
    let remaining = assessment.remaining.as_deref();
    NeededView {
        evidence: all
            .unwrap_or_default()
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
        no_evidence: match all {
            None => Some(NOT_SAID),
            Some([]) => Some("No check waits for evidence."),
            Some(_) => None,
        },
        remaining: remaining
            .unwrap_or_default()
            .iter()
            .map(|risk| RemainingRow {
                title: paragraph(&risk.title),
                target: Tag::from(risk.target).word,
                why: capitalized(&risk.why),
            })
            .collect(),
        no_remaining: match remaining {
            None => Some(NOT_SAID),
            Some([]) => Some(
                "No risk is high or more after everything in the plan is done, if it is done and shown by a later scan.",
            ),
            Some(_) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed_row() -> Exposure {
        let text = include_str!("../../../fixtures/maple-street-assessment/assessment.json");
        let assessment: Assessment = serde_json::from_str(text).unwrap();
        let mut row = assessment.exposure[0].clone();
        (row.opens, row.opens_at_least, row.opens_at_most) = (Vec::new(), 0, 0);
        (row.sends_as, row.leaves_to) = (Vec::new(), Some(Vec::new()));
        row
    }

    #[test]
    fn a_list_that_was_cut_is_no_count() {
        let mut row = exposed_row();
        let names = |count: usize| (0..count).map(|at| format!("m{at}@a.example")).collect::<Vec<_>>();
        row.sends_as = names(LISTED);
        assert_eq!(opens(&row), "may send as 20 others or more");
        row.sends_as = names(LISTED - 1);
        assert_eq!(opens(&row), "may send as 19 others");
        row.sends_as.clear();
        row.leaves_to = Some(names(6));
        assert!(opens(&row).ends_with("m3@a.example and 2 others"), "{}", opens(&row));
        row.opens_at_least = 50;
        row.opens = vec![crate::report::json::v1::Opened { mailbox: "b".to_owned(), how: "may open it".to_owned() }];
        assert!(opens(&row).starts_with("50 mailboxes at once (b and 49 others)"), "{}", opens(&row));
    }

    #[test]
    fn where_mail_goes_on_to_is_unknown_and_not_nowhere() {
        let mut row = exposed_row();
        assert_eq!(opens(&row), "nothing else, as far as is known");
        row.leaves_to = None;
        assert!(opens(&row).contains("whether its mail goes on by itself is not known"));
        row.opens_at_most = 3;
        assert!(opens(&row).contains("is not known"));
    }

    #[test]
    fn a_document_that_does_not_say_is_no_document_that_says_none() {
        let text = include_str!("../../../fixtures/maple-street-assessment/assessment.json");
        let mut whole: serde_json::Value = serde_json::from_str(text).unwrap();
        for name in ["evidence_needed", "remaining"] {
            whole.as_object_mut().unwrap().remove(name);
        }
        let mut assessment: Assessment = serde_json::from_value(whole).unwrap();
        let view = needed(&assessment);
        assert_eq!((view.no_evidence, view.no_remaining), (Some(NOT_SAID), Some(NOT_SAID)));
        (assessment.evidence_needed, assessment.remaining) = (Some(Vec::new()), Some(Vec::new()));
        let view = needed(&assessment);
        assert_eq!(view.no_evidence, Some("No check waits for evidence."));
        assert!(view.no_remaining.unwrap().starts_with("No risk is high"));
    }
}
