//! Every check that ships says what its examples say.

use std::collections::BTreeSet;

use mailassay::checks::{AREAS, Catalog};
use mailassay::facts::shape::Shape;
use mailassay::facts::shapes;
use mailassay::names::SubjectKind;
use mailassay::questionnaire::Questionnaire;
use mailassay::risk::{RuleObligation, SecurityRule};

#[test]
fn every_shipped_check_says_what_its_examples_say() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let surprises: Vec<String> = catalog.test().iter().map(ToString::to_string).collect();
    println!("{} checks, {} examples", catalog.checks.len(), catalog.examples());
    for area in AREAS {
        println!("  {area}: {}", catalog.checks.values().filter(|check| check.area == area).count());
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// A question that no check judges would be asked for nothing.
#[test]
fn every_question_is_judged_and_every_name_in_a_check_is_a_question() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let questionnaire = Questionnaire::built_in().unwrap();
    let mut judged = BTreeSet::new();
    for check in catalog.checks.values().filter(|check| check.subject == SubjectKind::Attestation) {
        let names: Vec<&str> = check.applies_when().text().split('"').skip(1).step_by(2).collect();
        for name in &names {
            assert!(questionnaire.get(name).is_some(), "{}: there is no question `{name}`", check.id);
        }
        judged.extend(names);
    }
    for question in &questionnaire.questions {
        assert!(judged.contains(question.id.as_str()), "no check judges the question `{}`", question.id);
    }
}

/// A word that a fact never has would make a check pass or fail for ever. Facts with a fixed set
/// of words list them, in backticks, in their description.
#[test]
fn every_word_that_a_check_compares_with_is_one_that_the_fact_can_have() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let shapes = shapes();
    let mut strange = Vec::new();
    for check in catalog.checks.values() {
        let expressions = [Some(check.applies_when()), check.review_when(), Some(check.pass_when())];
        for (path, word) in expressions.into_iter().flatten().flat_map(|expression| expression.words()) {
            if path.is_name() || path.field == Some("state") {
                continue;
            }
            let fact = shapes[&path.kind].iter().find(|fact| fact.name == path.fact).unwrap();
            let doc = match (fact.shape, path.field) {
                (Shape::Group(fields), Some(field)) => fields.iter().find(|f| f.name == field).unwrap().doc,
                _ => fact.doc,
            };
            if !doc.contains(&format!("`{word}`")) {
                strange.push(format!(
                    "{}: `{path}` is compared with `{word}`, which its description does not list",
                    check.id
                ));
            }
        }
    }
    assert!(strange.is_empty(), "{}", strange.join("\n"));
}

/// Standards and specifications that no check speaks to, neither itself nor by a specification below
/// it: the report shows them as not assessed.
const ROWS_WITHOUT_A_CHECK: [&str; 20] = [
    "164.308(a)(3)(ii)(B)",
    "164.308(a)(4)(ii)(A)",
    "164.308(a)(7)(ii)(E)",
    "164.308(b)(2)",
    "164.310(a)(1)",
    "164.310(a)(2)(i)",
    "164.310(a)(2)(ii)",
    "164.310(a)(2)(iii)",
    "164.310(a)(2)(iv)",
    "164.310(d)(2)(ii)",
    "164.310(d)(2)(iii)",
    "164.310(d)(2)(iv)",
    "164.314(a)(2)(i)(B)",
    "164.314(a)(2)(ii)",
    "164.314(a)(2)(iii)",
    "164.314(b)(1)",
    "164.314(b)(2)(i)",
    "164.314(b)(2)(ii)",
    "164.314(b)(2)(iii)",
    "164.314(b)(2)(iv)",
];

#[test]
fn every_row_of_the_rule_has_a_check_or_is_a_known_gap() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let rule = SecurityRule::built_in().unwrap_or_else(|error| panic!("{error}"));
    let cited: BTreeSet<&str> =
        catalog.checks.values().flat_map(|check| &check.cites).map(|cite| cite.spec.as_str()).collect();
    let rows: Vec<_> = rule.entries.iter().filter(|entry| entry.obligation != RuleObligation::Rule).collect();
    let below = |id: &str| {
        rows.iter().filter(|row| row.parent.as_deref() == Some(id)).any(|row| cited.contains(row.id.as_str()))
    };
    let without: BTreeSet<&str> =
        rows.iter().map(|row| row.id.as_str()).filter(|id| !cited.contains(id) && !below(id)).collect();
    println!("{} rows, {} with a check, {} known gaps", rows.len(), rows.len() - without.len(), without.len());
    assert_eq!(rows.len(), 71);
    let known = BTreeSet::from(ROWS_WITHOUT_A_CHECK);
    let new: Vec<_> = without.difference(&known).collect();
    assert!(new.is_empty(), "no check speaks to {new:?}");
    let carried: Vec<_> = known.difference(&without).collect();
    assert!(carried.is_empty(), "a check speaks to {carried:?} by now: take them out of the list");
}
