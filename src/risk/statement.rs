//! Puts a risk into words: the model's sentence with the numbers that are known. Never a name of
//! a mailbox, never a value out of mail.

use std::collections::BTreeMap;

use super::card::Cards;
use super::control::Control;
use super::impact::{Count, grouped};
use super::model::Model;
use super::scenario::Scenario;
use crate::names::SubjectKind;

/// Fills the scenario's statement.
pub(super) fn statement(
    model: &Model,
    scenario: &Scenario,
    controls: &BTreeMap<&str, Control>,
    cards: &Cards,
    count: Option<&Count>,
) -> String {
    let records = match count {
        Some(Count { individuals: Some(individuals), .. }) => {
            format!("information of up to {} individuals", grouped(*individuals))
        }
        Some(Count { individuals: None, .. }) => "information of an unknown number of individuals".to_owned(),
        None => "information of individuals".to_owned(),
    };
    fill(&scenario.statement, &weaknesses(model, scenario, controls, cards), &records)
}

fn fill(template: &str, weaknesses: &str, records: &str) -> String {
    let mut out = String::with_capacity(template.len() + weaknesses.len() + records.len());
    let mut rest = template;
    while let Some((before, hole_on)) = rest.split_once("{{") {
        out.push_str(before);
        let (hole, after) = hole_on.split_once("}}").unwrap_or((hole_on, ""));
        // The loader lets no other hole through.
        out.push_str(if hole.trim() == "records" { records } else { weaknesses });
        rest = after;
    }
    out.push_str(rest);
    crate::text::visible(&out)
}

/// Weaknesses and gaps named in a statement; the rest is a number, and all are in the findings.
const SHOWN: usize = 4;

/// "3 of 12 mailboxes without a second factor; not known: whether mailbox auditing is switched off".
fn weaknesses(model: &Model, scenario: &Scenario, controls: &BTreeMap<&str, Control>, cards: &Cards) -> String {
    // Open ways first, since they decide.
    let decisive = || scenario.open_path.iter().chain(&scenario.primary);
    let found: Vec<String> = decisive()
        .chain(&scenario.compensating)
        .filter_map(|check| {
            let (control, note) = (controls.get(check.as_str())?, model.checks.get(check)?);
            let (failed, group) = (control.failed() as u64, control.group() as u64);
            (failed > 0).then(|| match single(control.subject) {
                true => note.weakness.clone(),
                false => format!("{} of {} {}", grouped(failed), grouped(group), note.weakness),
            })
        })
        .collect();
    // Only what decides: a compensating control that nobody knows leaves no gap in the analysis.
    let unknown: Vec<String> = decisive()
        .filter(|check| {
            controls.get(check.as_str()).is_some_and(|control| control.failed() == 0 && control.is_unknown())
        })
        .map(|check| {
            // "the number of mailboxes without a second factor", "whether auditing is switched off".
            match (model.checks.get(check), controls.get(check.as_str())) {
                (Some(note), Some(control)) if single(control.subject) => format!("whether {}", note.weakness),
                (Some(note), _) => format!("the number of {}", note.weakness),
                (None, _) => cards.get(check).map_or_else(|| check.clone(), |card| card.title.clone()),
            }
        })
        .collect();
    let mut parts = Vec::new();
    if !found.is_empty() {
        parts.push(shortened(&found, "; "));
    }
    if !unknown.is_empty() {
        parts.push(format!("not known: {}", shortened(&unknown, ", ")));
    }
    if parts.is_empty() { "the checks found no weakness".to_owned() } else { parts.join("; ") }
}

fn shortened(items: &[String], between: &str) -> String {
    let shown = items[..items.len().min(SHOWN)].join(between);
    if items.len() > SHOWN { format!("{shown} and {} more", items.len() - SHOWN) } else { shown }
}

/// Kinds of which a check speaks as one thing.
fn single(kind: SubjectKind) -> bool {
    match kind {
        SubjectKind::Attestation | SubjectKind::Organization | SubjectKind::Register | SubjectKind::Tenant => true,
        SubjectKind::ContentFolder
        | SubjectKind::Domain
        | SubjectKind::Endpoint
        | SubjectKind::ExportFile
        | SubjectKind::ForwardingPath
        | SubjectKind::ForwardingRule
        | SubjectKind::Mailbox
        | SubjectKind::Partner
        | SubjectKind::Vendor => false,
    }
}

/// "1 mailbox", "12 mailboxes".
pub(super) fn counted(kind: SubjectKind, count: usize) -> String {
    let word = kind.in_words();
    let plural = match word.strip_suffix('x') {
        _ if count == 1 => word.to_owned(),
        Some(_) => format!("{word}es"),
        None => format!("{word}s"),
    };
    format!("{} {plural}", grouped(count as u64))
}
