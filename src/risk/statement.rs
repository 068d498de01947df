//! Puts a risk into words: the model's sentence with the numbers that are known. Never a name of
//! a mailbox, never a value out of mail.

use std::collections::BTreeMap;

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
    count: Option<&Count>,
) -> String {
    let records = match count {
        Some(Count { individuals: Some(individuals), .. }) => {
            format!("information of up to {} individuals", grouped(*individuals))
        }
        Some(Count { individuals: None, .. }) => "information of an unknown number of individuals".to_owned(),
        None => "information of individuals".to_owned(),
    };
    fill(&scenario.statement, &weaknesses(model, scenario, controls), &records)
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

/// "3 of 12 mailboxes without a second factor; not assessed: mailboxes that sign in over POP3".
fn weaknesses(model: &Model, scenario: &Scenario, controls: &BTreeMap<&str, Control>) -> String {
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    // Open ways first, since they decide.
    for check in scenario.open_path.iter().chain(&scenario.primary).chain(&scenario.compensating) {
        let (Some(control), Some(note)) = (controls.get(check.as_str()), model.checks.get(check)) else { continue };
        if control.failed() > 0 {
            found.push(if single(control.subject) {
                note.weakness.clone()
            } else {
                format!("{} of {} {}", grouped(control.failed() as u64), grouped(control.group() as u64), note.weakness)
            });
        } else if control.is_unknown() {
            unknown.push(note.weakness.as_str());
        }
    }
    if !unknown.is_empty() {
        found.push(format!("not assessed: {}", unknown.join(", ")));
    }
    if found.is_empty() { "the checks found no weakness".to_owned() } else { found.join("; ") }
}

/// Kinds of which a check speaks as one thing.
fn single(kind: SubjectKind) -> bool {
    match kind {
        SubjectKind::Attestation | SubjectKind::Organization | SubjectKind::Register | SubjectKind::Tenant => true,
        SubjectKind::ContentFolder
        | SubjectKind::Domain
        | SubjectKind::Endpoint
        | SubjectKind::ExportFile
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
