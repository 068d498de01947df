//! Every check that ships says what its examples say.

use mailassay::checks::{AREAS, Catalog};
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
