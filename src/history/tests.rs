//! Two invented quarters, and what became of each finding.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::{between, compare, render};
use crate::report::json::v1::*;
use crate::verdict::{self, Ending, Policy};

fn check(id: &str, state: CoverageState) -> CheckCoverage {
    CheckCoverage {
        check: id.to_owned(),
        title: format!("{id} holds"),
        area: "test".to_owned(),
        subject: "domain".to_owned(),
        state,
        passed: 1,
        failed: 0,
        needs_review: 0,
        not_assessed: 0,
        not_applicable: 0,
        because: None,
        grade: Grade::A,
    }
}

fn finding(check: &str, domain: &str, outcome: Outcome, severity: Severity) -> Finding {
    Finding {
        check: check.to_owned(),
        title: format!("{check} holds"),
        area: "test".to_owned(),
        catalogue: None,
        subject: Subject { kind: "domain".to_owned(), name: domain.to_owned() },
        outcome,
        severity,
        message: String::new(),
        template: String::new(),
        values: BTreeMap::new(),
        why: String::new(),
        fix: String::new(),
        question: None,
        gap: None,
        cites: Vec::new(),
        evidence: Vec::new(),
        grade: Grade::A,
        fingerprint: format!("{check}/{domain}"),
        disposition: Disposition::Open,
        opened: date(2026, 7, 1),
        age: 1,
    }
}

fn fails(check: &str, domain: &str) -> Finding {
    finding(check, domain, Outcome::Fail, Severity::High)
}

/// An assessment of domains `a` and `b`, with the checks `one` and `two` assessed.
pub(super) fn quarter(as_of: &str, findings: Vec<Finding>) -> Assessment {
    let names = ["a", "b"].map(str::to_owned).to_vec();
    let mut assessment = Assessment {
        schema: 1,
        kind: "assessment".to_owned(),
        tool: Tool {
            name: "mailassay".to_owned(),
            version: "0".to_owned(),
            catalogue: "1".to_owned(),
            risk_model: "1".to_owned(),
        },
        organization: Organization { name: String::new(), role: None, individuals: None, states: Vec::new() },
        as_of: as_of.parse().unwrap(),
        evidence_digest: String::new(),
        vantages: Vec::new(),
        declared: Declared::default(),
        coverage: Coverage {
            percent: 100,
            assessed: 2,
            partly_assessed: 0,
            not_assessed: 0,
            not_applicable: 0,
            not_provided: 0,
            areas: BTreeMap::new(),
            checks: vec![check("one", CoverageState::Assessed), check("two", CoverageState::Assessed)],
        },
        findings,
        passed: Vec::new(),
        not_applicable: Vec::new(),
        risks: vec![risk(Level::High)],
        risks_not_applicable: Vec::new(),
        exposure: Vec::new(),
        evidence_needed: Some(Vec::new()),
        remaining: Some(Vec::new()),
        discovered: Vec::new(),
        plan: Vec::new(),
        controls: Default::default(),
        attested: Vec::new(),
        mail_ages: Vec::new(),
        mail_samples: Vec::new(),
        roster: Vec::new(),
        services: Vec::new(),
        decisions: Default::default(),
        dkim_keys: Vec::new(),
        earlier: Vec::new(),
        reported: Vec::new(),
        report_mail: None,
        drift: None,
        gates: Vec::new(),
        elements: Vec::new(),
        specifications: Vec::new(),
        subjects: BTreeMap::from([("domain".to_owned(), Subjects { count: 2, complete: true, because: None, names })]),
        closed: Vec::new(),
        masked: Default::default(),
        evidence: Vec::new(),
    };
    let today = crate::clock::date_of(assessment.as_of);
    for finding in &mut assessment.findings {
        finding.opened = today;
    }
    assessment
}

fn risk(level: Level) -> Risk {
    let position = Position { likelihood: level, impact: level, risk: level };
    Risk {
        id: "r".to_owned(),
        scenario: "s".to_owned(),
        title: "A mailbox is taken over".to_owned(),
        statement: String::new(),
        assets: Vec::new(),
        threat: String::new(),
        vulnerabilities: Vec::new(),
        controls: Vec::new(),
        inherent: position,
        residual: position,
        target: position,
        confidence: Grade::A,
        impact_grade: None,
        explain: Vec::new(),
        tips_on: Vec::new(),
        treatment: "undecided".to_owned(),
        owner: None,
        due: None,
    }
}

const THIRD: &str = "2026-07-01T12:00:00Z";
const FOURTH: &str = "2026-10-01T12:00:00Z";
const NEXT: &str = "2027-01-04T12:00:00Z";

fn classes(from: &Assessment, to: &Assessment) -> Vec<(ChangeClass, String)> {
    let name = |change: diff::Change| change.fingerprint.unwrap_or_else(|| change.check.clone());
    between(from, to).changes.into_iter().map(|change| (change.class, name(change))).collect()
}

#[test]
fn nothing_changed_between_an_assessment_and_itself() {
    let one = quarter(THIRD, vec![fails("one", "a")]);
    let diff = between(&one, &one);
    assert!(diff.changes.is_empty() && diff.risks.is_empty() && diff.method.is_empty());
    assert_eq!(diff.counts.len(), ChangeClass::ALL.len());
}

#[test]
fn pass_to_fail_is_worse_and_fail_to_pass_is_resolved() {
    let from = quarter(THIRD, vec![fails("one", "a")]);
    let to = quarter(FOURTH, vec![fails("two", "a")]);
    assert_eq!(
        classes(&from, &to),
        [(ChangeClass::Worsened, "two/a".to_owned()), (ChangeClass::Resolved, "one/a".to_owned())]
    );
}

#[test]
fn a_subject_that_is_not_there_is_gone_and_not_resolved() {
    let from = quarter(THIRD, vec![fails("one", "b")]);
    let mut to = quarter(FOURTH, Vec::new());
    let domains = to.subjects.get_mut("domain").unwrap();
    domains.names.pop();
    domains.count = 1;
    assert_eq!(classes(&from, &to), [(ChangeClass::Gone, "one/b".to_owned())]);
    // Where not all are known, it is not known either.
    to.subjects.get_mut("domain").unwrap().complete = false;
    assert_eq!(classes(&from, &to), [(ChangeClass::NewlyBlind, "one/b".to_owned())]);
    // The way back: it was not there before.
    to.subjects.get_mut("domain").unwrap().complete = true;
    assert_eq!(classes(&to, &from), [(ChangeClass::Added, "one/b".to_owned())]);
}

#[test]
fn what_went_dark_is_never_resolved() {
    let from = quarter(THIRD, vec![fails("one", "a")]);
    let mut to = quarter(FOURTH, vec![finding("one", "a", Outcome::NotAssessed, Severity::High)]);
    assert_eq!(classes(&from, &to), [(ChangeClass::NewlyBlind, "one/a".to_owned())]);
    to.findings.clear();
    to.coverage.checks[0].state = CoverageState::NotProvided;
    assert_eq!(classes(&from, &to), [(ChangeClass::NewlyBlind, "one/a".to_owned())]);
    // And back: since when it fails is not known.
    assert_eq!(classes(&to, &from), [(ChangeClass::NewlySeen, "one/a".to_owned())]);
    // A check that passed and went dark is said once, as a whole.
    let passed = quarter(THIRD, Vec::new());
    assert_eq!(classes(&passed, &to), [(ChangeClass::NewlyBlind, "one".to_owned())]);
}

#[test]
fn severity_and_review_have_a_direction() {
    let low = quarter(THIRD, vec![finding("one", "a", Outcome::Fail, Severity::Low)]);
    let high = quarter(FOURTH, vec![fails("one", "a")]);
    let review = quarter(FOURTH, vec![finding("one", "a", Outcome::NeedsReview, Severity::High)]);
    assert_eq!(classes(&low, &high)[0].0, ChangeClass::Worsened);
    assert_eq!(classes(&high, &low)[0].0, ChangeClass::Improved);
    assert_eq!(classes(&review, &low)[0].0, ChangeClass::Worsened);
    assert_eq!(classes(&low, &review)[0].0, ChangeClass::Improved);
}

#[test]
fn an_acceptance_that_ran_out_is_a_change() {
    let mut from = quarter(THIRD, vec![fails("one", "a")]);
    from.findings[0].disposition = Disposition::Accepted { by: "Ana Ruiz".to_owned(), until: date(2026, 9, 1) };
    let mut to = quarter(FOURTH, vec![fails("one", "a")]);
    to.findings[0].disposition = Disposition::Lapsed;
    assert_eq!(classes(&from, &to)[0].0, ChangeClass::AcceptanceLapsed);
}

#[test]
fn another_catalogue_or_model_is_stated_and_improves_nothing() {
    let from = quarter(THIRD, vec![fails("one", "a")]);
    let mut to = quarter(FOURTH, Vec::new());
    to.tool.catalogue = "2".to_owned();
    to.risks = vec![risk(Level::Low)];
    to.coverage.checks.push(check("three", CoverageState::Assessed));
    to.findings.push(fails("three", "a"));
    let diff = between(&from, &to);
    assert_eq!(diff.method[0].what, "catalogue");
    assert!(diff.changes.iter().all(|change| change.class == ChangeClass::MethodChanged), "{:?}", diff.changes);
    assert_eq!(diff.risks[0].class, ChangeClass::MethodChanged);
    // What looks worse stays worse: only a new model makes that a question of method.
    let back = between(&to, &from);
    assert_eq!(back.risks[0].class, ChangeClass::Worsened);
    to.tool.risk_model = "2".to_owned();
    assert_eq!(between(&to, &from).risks[0].class, ChangeClass::MethodChanged);
}

/// Third quarter: fails. Fourth: resolved. First of the next year: there again.
#[test]
fn a_return_is_recognised() {
    let third = quarter(THIRD, vec![fails("one", "a"), fails("two", "a")]);
    let mut fourth = quarter(FOURTH, vec![fails("two", "a")]);
    compare(&mut fourth, &third);
    assert_eq!(fourth.closed[0].fingerprint, "one/a");
    let mut next = quarter(NEXT, vec![fails("one", "a"), fails("two", "a")]);
    compare(&mut next, &fourth);
    let drift = next.drift.as_ref().unwrap();
    assert_eq!(drift.changes.len(), 1);
    assert_eq!(drift.changes[0].class, ChangeClass::Reopened);
    assert!(next.closed.is_empty());
    // Open since July: the third, the fourth and the first quarter.
    let ages: Vec<_> = next.findings.iter().map(|finding| (finding.check.as_str(), finding.age)).collect();
    assert_eq!(ages, [("one", 1), ("two", 3)]);
    // Compared, but no day is set for the next review.
    assert_eq!(next.elements[8].state, ElementState::Incomplete);
    next.decisions.next_review = Some(crate::clock::date_of(next.as_of));
    assert_eq!(elements(&next)[8].state, ElementState::Filled);
}

#[test]
fn the_text_fits_eighty_columns_whatever_the_names() {
    let from = quarter(THIRD, Vec::new());
    let mut long = fails("one", "a");
    long.subject.name = format!("{}\u{1b}[2J.example", "verylonglabel.".repeat(20));
    long.fingerprint = "long".to_owned();
    let mut to = quarter(FOURTH, vec![long, fails("two", "b")]);
    to.risks = vec![risk(Level::VeryHigh)];
    let text = render(&between(&from, &to));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains('\u{1b}'));
    assert!(text.contains("A mailbox is taken over: high before, very high now (worse)"), "{text}");
}

#[test]
fn a_diff_survives_a_round_trip() {
    let diff = between(&quarter(THIRD, vec![fails("one", "a")]), &quarter(FOURTH, vec![fails("two", "b")]));
    let text = serde_json::to_string(&diff).unwrap();
    assert!(text.starts_with(r#"{"schema":1,"kind":"diff""#));
    assert_eq!(serde_json::from_str::<Diff>(&text).unwrap(), diff);
}

#[test]
fn all_gates_that_hold_are_listed_and_the_first_decides() {
    let from = quarter(THIRD, Vec::new());
    let mut to = quarter(FOURTH, vec![fails("one", "a")]);
    compare(&mut to, &from);
    to.coverage.percent = 40;
    let policy = Policy { min_coverage: 50, ..Policy::default() };
    let gates = verdict::gates(&to, &policy, &BTreeMap::new());
    assert_eq!(gates.iter().map(|gate| gate.exit_code).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(verdict::ending(&gates), Ending::Findings);
    let interrupted = Policy { interrupted: true, ..policy };
    assert_eq!(verdict::ending(&verdict::gates(&to, &interrupted, &BTreeMap::new())).exit_code(), 130);
}

#[test]
fn a_required_area_that_was_not_provided_is_too_little() {
    let mut assessment = quarter(THIRD, Vec::new());
    assessment.coverage.checks[1].state = CoverageState::NotProvided;
    let requirements = BTreeMap::from([("mfa".to_owned(), vec!["two".to_owned()])]);
    let require = |name: &str| Policy { require: [name.to_owned()].into(), ..Policy::default() };
    assert_eq!(verdict::ending(&verdict::gates(&assessment, &require("mfa"), &requirements)), Ending::Coverage);
    assert_eq!(verdict::ending(&verdict::gates(&assessment, &require("one"), &requirements)), Ending::Clean);
    let policy = require("mistyped");
    assert_eq!(verdict::unknown_requirements(&assessment, &policy, &requirements), ["mistyped"]);
    // Should it be asked all the same, it is not met.
    assert_eq!(verdict::ending(&verdict::gates(&assessment, &policy, &requirements)), Ending::Coverage);
}

#[test]
fn accepted_and_unassessed_findings_do_not_fail_a_run_and_lapsed_ones_do() {
    let mut assessment =
        quarter(THIRD, vec![finding("two", "b", Outcome::NotAssessed, Severity::Critical), fails("one", "a")]);
    assessment.findings[1].disposition = Disposition::Accepted { by: String::new(), until: date(2027, 1, 1) };
    let end =
        |assessment: &Assessment| verdict::ending(&verdict::gates(assessment, &Policy::default(), &BTreeMap::new()));
    assert_eq!(end(&assessment), Ending::Clean);
    assessment.findings[1].disposition = Disposition::Lapsed;
    assert_eq!(end(&assessment), Ending::Findings);
}

/// 64 > 1 > 130 > 2 > 3 > 4 > 0.
#[test]
fn exit_codes_have_one_order() {
    assert_eq!(Ending::ALL.map(Ending::exit_code), [64, 1, 130, 2, 3, 4, 0]);
    assert!(Ending::ALL.is_sorted());
}

#[test]
fn each_assessment_tells_of_those_before_it_for_six_years() {
    let days = |assessment: &Assessment| -> Vec<String> {
        assessment.earlier.iter().map(|one| crate::clock::date_of(one.as_of).to_string()).collect()
    };
    let mut before = quarter("2020-01-05T00:00:00Z", Vec::new());
    for number in 1..30 {
        let day = date(2020, 1, 5) + jiff::Span::new().months(3 * number);
        let mut now = quarter(&format!("{day}T00:00:00Z"), Vec::new());
        compare(&mut now, &before);
        assert_eq!(now.earlier.last().unwrap().as_of, before.as_of);
        assert_eq!(now.earlier.last().unwrap().risks, BTreeMap::from([(Level::High, 1)]));
        before = now;
    }
    let kept = days(&before);
    assert_eq!((kept.len(), kept[0].as_str(), kept[23].as_str()), (24, "2021-04-05", "2027-01-05"));
    let mut again = quarter("2027-05-01T00:00:00Z", Vec::new());
    before.earlier.push(Earlier::of(&quarter("2031-01-01T00:00:00Z", Vec::new())));
    before.earlier.push(Earlier::of(&quarter("2027-04-05T00:00:00Z", Vec::new())));
    compare(&mut again, &before);
    assert_eq!(days(&again).last().unwrap(), "2027-04-05", "nothing later, and nothing twice");
    assert_eq!(days(&again).len(), 24);
}
