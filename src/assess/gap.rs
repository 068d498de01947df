//! What is missing, why, and what somebody can do about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::{Check, FactPath, Reading};
use crate::facts::shape::EncodedSubject;
use crate::finding::{Disposition, Finding, Fingerprint, Gap, Message, Outcome, Values};
use crate::names::SubjectId;
use crate::seen::NotObserved;

/// A finding about subjects that nobody listed.
pub(super) fn of_the_collection(check: &Check, name: &str, template: String, reason: &NotObserved) -> Finding {
    let id = SubjectId::new(check.subject, name);
    let gap =
        Gap { missing: vec![check.subject.as_str().to_owned()], because: reason.clone(), to_close: to_close(reason) };
    Finding {
        check: check.id.clone(),
        fingerprint: Fingerprint::of(&check.id, &id, ""),
        subject: id,
        outcome: Outcome::NotAssessed(gap),
        severity: check.severity,
        message: Message { template, values: Values::default() },
        evidence: Vec::new(),
        disposition: Disposition::Open,
    }
}

/// What is missing about one subject, why, and what would close it.
pub(super) fn gap(missing: &BTreeSet<FactPath>, subject: &EncodedSubject) -> Gap {
    let mut facts: BTreeMap<String, &NotObserved> = BTreeMap::new();
    for path in missing {
        match path.read(subject) {
            Reading::Unknown(reason) => _ = facts.insert(path.whole_fact(), reason),
            Reading::Known(_) | Reading::Name(_) | Reading::NoSuchFact => {}
        }
    }
    let mut steps: Vec<String> = Vec::new();
    for reason in facts.values() {
        let step = to_close(reason);
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    let because = facts.values().next().copied().cloned().unwrap_or(NotObserved::Interrupted);
    Gap { missing: facts.into_keys().collect(), because, to_close: steps.join(" ") }
}

/// What somebody can do about a gap.
pub fn to_close(reason: &NotObserved) -> String {
    match reason {
        NotObserved::AccessDenied { needs } => format!("Grant {needs}, and collect again."),
        NotObserved::Interrupted => "Let the collection run to its end.".to_owned(),
        NotObserved::Limit { what } => format!("Raise the limit ({what}), and collect again."),
        NotObserved::Lost { why } => format!("Make the export again so that the value survives ({why})."),
        NotObserved::NotInScope { what } => format!("Allow it in scope.yaml: {what}."),
        NotObserved::NotProvided { what } => format!("Provide {what}."),
        NotObserved::Refused { what } => {
            format!("Find out why it was refused ({what}), and collect again, from another network if need be.")
        }
        NotObserved::TimedOut { .. } => "Collect again with a longer deadline, or from another network.".to_owned(),
        NotObserved::Unreadable { why, line: Some(line) } => format!("Correct line {line} ({why}), and collect again."),
        NotObserved::Unreadable { why, line: None } => {
            format!("Correct what cannot be read ({why}), and collect again.")
        }
    }
}
