//! What a conclusion rests on, and how good that evidence is.

use sha2::{Digest, Sha256};

use super::Grade;
use crate::evidence::{EvidenceId, hex};
use crate::facts::shape::{EncodedSubject, Value};

/// The observations that the facts read rest on.
pub(super) fn evidence<'s>(
    facts: &[&'static str],
    subject: &'s EncodedSubject,
) -> impl Iterator<Item = &'s EvidenceId> {
    facts.iter().filter_map(|fact| subject.facts.get(fact)).flat_map(|fact| &fact.evidence)
}

/// SHA-256 over observation ids, one a line.
pub(super) fn digest(ids: &[&EvidenceId]) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.as_str().as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

/// The worst evidence among the facts that decided. A known fact that rests on nothing is worth
/// nothing; an unknown one did not decide. A measurement that is held against what the scope states
/// (a limit, a partner, what is ours) stays a measurement: the scope says what should be, the
/// measurement what is.
pub(super) fn grade(deciding: &[&'static str], subject: &EncodedSubject) -> Grade {
    let mut measured = None;
    let mut stated = None;
    for name in deciding {
        let Some(fact) = subject.facts.get(name).filter(|fact| fact.value.is_ok()) else { continue };
        if fact.evidence.is_empty() {
            measured = Some(Grade::U);
        }
        for id in &fact.evidence {
            let of_fact = Some(grade_of(id, name, subject));
            let scope = id.segment().split('.').next() == Some("declared");
            if scope && !subject.kind.is_stated() {
                stated = stated.max(of_fact);
            } else {
                measured = measured.max(of_fact);
            }
        }
    }
    measured.or(stated).unwrap_or(Grade::U)
}

/// The grade of one observation, from the source in its segment's name.
fn grade_of(id: &EvidenceId, fact: &str, subject: &EncodedSubject) -> Grade {
    let said = |has_file: bool| if has_file { Grade::D } else { Grade::E };
    match id.segment().split('.').next().unwrap_or_default() {
        "dns" | "https" | "service" => Grade::A,
        "authentication" | "export" => Grade::B,
        "content" => Grade::C,
        // A register is itself a document.
        "register" => Grade::D,
        "answers" => said(is_true(subject.facts.get("evidence_file").and_then(|fact| fact.value.as_ref().ok()))),
        "declared" => {
            let value = subject.facts.get(fact).and_then(|fact| fact.value.as_ref().ok());
            said(match value {
                Some(Value::Group(fields)) => is_true(fields.get("file")),
                Some(Value::Boolean(_) | Value::Integer(_) | Value::List(_) | Value::Text(_)) | None => false,
            })
        }
        _ => Grade::U,
    }
}

fn is_true(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Boolean(true)))
}
