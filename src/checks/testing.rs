//! Invented subjects and evidence for tests.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::evidence::declared::{Declared, DeclaredDomain, Organization, Role};
use crate::evidence::{Answer, Evidence, Observation, Question, Source, Writer};
use crate::facts;
use crate::facts::shape::{EncodedFact, EncodedSubject, Shape, Value};
use crate::names::{SubjectId, SubjectKind};
use crate::seen::NotObserved;

fn known(value: Value) -> EncodedFact {
    EncodedFact { value: Ok(value), evidence: Vec::new() }
}

fn texts(items: &[&str]) -> Value {
    Value::List(items.iter().map(|item| (*item).to_owned()).collect())
}

/// A domain of which everything is known.
pub(super) fn domain() -> EncodedSubject {
    let mut facts: BTreeMap<&'static str, EncodedFact> = facts::shapes()[&SubjectKind::Domain]
        .iter()
        .map(|shape| {
            let mut value = facts::absent_values(SubjectKind::Domain).remove(shape.name).unwrap_or(match shape.shape {
                Shape::Boolean => Value::Boolean(true),
                Shape::Integer => Value::Integer(1),
                Shape::List | Shape::Group(_) => texts(&[]),
                Shape::Text => Value::Text("secure".to_owned()),
            });
            if let Value::Group(fields) = &mut value {
                fields.insert("state".to_owned(), Value::Text("present".to_owned()));
            }
            (shape.name, known(value))
        })
        .collect();
    let mut set = |fact: &'static str, field: &str, value: Value| {
        let Some(EncodedFact { value: Ok(Value::Group(fields)), .. }) = facts.get_mut(fact) else { panic!("a group") };
        fields.insert(field.to_owned(), value);
    };
    set("dmarc", "policy", Value::Text("reject".to_owned()));
    set("spf", "lookups", Value::Integer(3));
    set("spf", "notes", texts(&["spf.soft_all"]));
    set("mx", "hosts", texts(&["mx1.a.example", "mx2.a.example"]));
    EncodedSubject { kind: SubjectKind::Domain, name: "a.example".to_owned(), facts }
}

/// The same domain, some of whose facts timed out.
pub(super) fn unknown_domain(unknown: &[&'static str]) -> EncodedSubject {
    let mut subject = domain();
    for fact in unknown {
        subject.facts.get_mut(fact).unwrap().value = Err(NotObserved::TimedOut { after_ms: 2_000 });
    }
    subject
}

/// Noon of 2026-10-01: when everything in these tests is asked and judged.
fn noon() -> Timestamp {
    "2026-10-01T12:00:00Z".parse().unwrap()
}

/// One observation, made at noon.
pub(crate) fn observation(
    subject: SubjectId,
    source: Source,
    question: Question,
    answer: Result<Answer, NotObserved>,
) -> Observation {
    Observation { subject, source, question, asked_at: noon(), took_ms: 0, vantage: "test".to_owned(), answer }
}

/// The scope of an invented clinic with one domain, changed.
pub(crate) fn declared(change: impl FnOnce(&mut Declared)) -> Observation {
    let mut declared = Declared {
        organization: Some(Organization {
            name: "Maple Street Clinic".to_owned(),
            role: Role::CoveredEntity,
            individuals: None,
            states: vec!["OR".to_owned()],
            sensitive: None,
        }),
        authorization: None,
        domains: vec![DeclaredDomain {
            name: "clinic.example".parse().unwrap(),
            sends: true,
            receives: true,
            selectors: Vec::new(),
        }],
        hosts: Vec::new(),
        portals: Vec::new(),
        partners: Vec::new(),
        vendors: Vec::new(),
        exports: Vec::new(),
        messages: Vec::new(),
        retention: None,
        volumes: Vec::new(),
        answers: None,
        registers: None,
        reports: Vec::new(),
        scope_sha256: String::new(),
    };
    change(&mut declared);
    let subject = SubjectId::new(SubjectKind::Organization, "maple street clinic");
    observation(subject, Source::Declared, Question::Declared, Ok(Answer::Declared(Box::new(declared))))
}

/// Evidence that holds these observations, written and read again.
pub(crate) fn evidence(observations: Vec<Observation>) -> Evidence {
    let folder = tempfile::tempdir().unwrap();
    let manifest = crate::evidence::tests::manifest();
    Writer::create(folder.path()).unwrap().finish(observations, manifest).unwrap()
}
