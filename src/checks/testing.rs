//! Invented subjects for the tests of this room.

use std::collections::BTreeMap;

use crate::facts;
use crate::facts::shape::{EncodedFact, EncodedSubject, Shape, Value};
use crate::names::SubjectKind;
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
