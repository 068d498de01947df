//! What the analysis lacks and what it would change: evidence to supply, and the risks that stay
//! high after everything in the plan is done.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Level;
use super::analysis::Row;
use super::card::Cards;
use super::model::Model;
use crate::assess::{CoverageState, Judgement};
use crate::finding::Outcome;

/// Checks named in a sentence.
const NAMED: usize = 3;

/// Evidence that somebody could supply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// What to do, in words.
    pub supply: String,
    /// Checks that wait for it, by id.
    pub checks: Vec<String>,
    /// Subjects that wait for it.
    pub subjects: usize,
    /// Ids of the risks whose level it bears on.
    pub risks: Vec<String>,
    /// Steps of risk level that would go over all risks if the evidence showed that all holds.
    pub reduction: u32,
}

/// A risk that stays high after the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// The risk's id.
    pub risk: String,
    pub title: String,
    /// After every open item of the plan.
    pub target: Level,
    /// What keeps it there.
    pub why: String,
}

/// What would close gaps, what changes most first.
pub(super) fn evidence(model: &Model, judgement: &Judgement, rows: &[Row<'_>]) -> Vec<EvidenceItem> {
    let mut waiting: BTreeMap<String, (BTreeSet<&str>, usize)> = BTreeMap::new();
    for finding in &judgement.findings {
        if let Outcome::NotAssessed(gap) = &finding.outcome
            && !gap.to_close.is_empty()
        {
            let entry = waiting.entry(gap.to_close.clone()).or_default();
            entry.0.insert(&finding.check);
            entry.1 += 1;
        }
    }
    for (check, coverage) in &judgement.coverage {
        if coverage.state == CoverageState::NotProvided
            && let Some(because) = &coverage.because
        {
            let entry = waiting.entry(format!("Supply what is not provided: {because}.")).or_default();
            entry.0.insert(check);
        }
    }
    // Many pieces are waited for by the same checks, and so are worth the same.
    let mut worth: BTreeMap<BTreeSet<&str>, (u32, BTreeSet<String>)> = BTreeMap::new();
    let mut items: Vec<EvidenceItem> = waiting
        .into_iter()
        .map(|(supply, (checks, subjects))| {
            let (reduction, risks) = worth.entry(checks.clone()).or_insert_with(|| worth_of(model, rows, &checks));
            EvidenceItem {
                supply,
                checks: checks.into_iter().map(str::to_owned).collect(),
                subjects,
                risks: risks.iter().cloned().collect(),
                reduction: *reduction,
            }
        })
        .collect();
    items.sort_by(|a, b| {
        let order =
            |item: &EvidenceItem| (Reverse(item.reduction), Reverse(item.risks.len()), Reverse(item.checks.len()));
        order(a).cmp(&order(b)).then_with(|| a.supply.cmp(&b.supply))
    });
    items
}

/// Steps of risk level that would go if what is not known of these checks held, and the risks.
fn worth_of(model: &Model, rows: &[Row<'_>], checks: &BTreeSet<&str>) -> (u32, BTreeSet<String>) {
    let (mut reduction, mut risks) = (0, BTreeSet::new());
    for row in rows.iter().filter(|row| checks.iter().any(|check| row.controls.contains_key(check))) {
        let now = row.position(model, row.success_now()).risk;
        let then = row.position(model, row.success_if_shown(model, checks)).risk;
        reduction += now.index().saturating_sub(then.index()) as u32;
        risks.insert(row.id());
    }
    (reduction, risks)
}

/// Risks that are high or more after every open item of the plan, worst first.
pub(super) fn remaining(model: &Model, cards: &Cards, rows: &[Row<'_>]) -> Vec<Remaining> {
    let mut remaining: Vec<Remaining> = rows
        .iter()
        .filter_map(|row| {
            let target = row.target(model).risk;
            (target >= Level::High).then(|| Remaining {
                risk: row.id(),
                title: row.scenario.title.clone(),
                target,
                why: why(model, cards, row, target),
            })
        })
        .collect();
    remaining.sort_by(|a, b| (b.target, &a.title).cmp(&(a.target, &b.title)));
    remaining
}

fn why(model: &Model, cards: &Cards, row: &Row<'_>, target: Level) -> String {
    let best = row.position(model, row.best_success_of_all(model)).risk;
    if best >= target {
        return "the controls of the model leave it there: less information at stake, or a decision of management, would change it".to_owned();
    }
    let unknown: Vec<&str> = row
        .scenario
        .primary
        .iter()
        .chain(&row.scenario.open_path)
        .filter(|check| row.controls.get(check.as_str()).is_some_and(super::control::Control::is_unknown))
        .map(|check| cards.get(check).map_or(check.as_str(), |card| card.title.as_str()))
        .collect();
    if unknown.is_empty() {
        return format!(
            "what is in place, once mended, rests on people's word or reaches too few: measured on all, it would be {}",
            best.in_words()
        );
    }
    let named =
        unknown.iter().take(NAMED).map(|title| format!("\u{201c}{title}\u{201d}")).collect::<Vec<_>>().join(", ");
    let more = if unknown.len() > NAMED { format!(" and {} more", unknown.len() - NAMED) } else { String::new() };
    format!("not assessed: {named}{more}; if all of it were shown to hold, it would be {}", best.in_words())
}
