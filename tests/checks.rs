//! Every check that ships says what its examples say.

use mailassay::checks::{AREAS, Catalog};
use mailassay::facts::shape::Shape;
use mailassay::facts::shapes;
use mailassay::names::SubjectKind;
use mailassay::questionnaire::Questionnaire;

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
    let mut judged = std::collections::BTreeSet::new();
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
