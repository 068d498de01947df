use jiff::civil::date;

use super::*;
use crate::assess::assess;
use crate::checks::Catalog;
use crate::checks::testing::{declared, evidence, observation};
use crate::evidence::decisions::Decided;
use crate::evidence::declared::{AnswerRow, AnswerWord};
use crate::evidence::{Answer, Evidence, Observation, Question, Source};
use crate::method::Method;
use crate::report::json::v1::Assessment;
use crate::risk::Level;
use crate::verdict::Policy;

const ORGANIZATION: &str = "maple street clinic";

fn decided(decisions: Decisions) -> Observation {
    let subject = SubjectId::new(SubjectKind::Organization, ORGANIZATION);
    observation(subject, Source::Declared, Question::Decisions, Ok(Answer::Decisions(Box::new(decisions))))
}

fn answer(id: &str) -> Observation {
    let row = AnswerRow {
        id: id.to_owned(),
        answer: AnswerWord::Yes,
        statement: None,
        answered_by: "Ana Ruiz".to_owned(),
        role: None,
        answered_at: date(2026, 9, 1),
        evidence_file: None,
        evidence_sha256: None,
        valid_until: None,
    };
    let subject = SubjectId::new(SubjectKind::Attestation, id);
    observation(subject, Source::Answers, Question::Answer { id: id.to_owned() }, Ok(Answer::Answer(row)))
}

fn assessed(observations: Vec<Observation>) -> Assessment {
    let method = Method::load(None).unwrap();
    method.judge(&evidence(observations), None, None, &Policy::default()).unwrap()
}

fn clinic() -> Vec<Observation> {
    vec![declared(|declared| declared.answers = Some("answers.yaml".to_owned()))]
}

fn with(decisions: Decisions) -> Vec<Observation> {
    let mut all = clinic();
    all.push(decided(decisions));
    all
}

fn by() -> Decided {
    Decided { by: "Ana Ruiz".to_owned(), role: "Security Official".to_owned(), on: date(2026, 5, 1) }
}

fn exception(check: &str, subject: &str, expires: Date) -> Exception {
    Exception {
        check: check.to_owned(),
        subjects: vec![subject.to_owned()],
        owner: "Ana Ruiz".to_owned(),
        reason: "invented".to_owned(),
        on: date(2026, 5, 1),
        expires,
        line: 3,
    }
}

/// A finding that fails in the invented clinic without any other evidence.
fn failing() -> (String, String) {
    let assessment = assessed(clinic());
    let found = assessment.findings.iter().find(|finding| finding.outcome == crate::report::json::v1::Outcome::Fail);
    let found = found.expect("a scope without an authorization fails");
    (found.check.clone(), found.subject.name.clone())
}

fn fails(assessment: &Assessment, check: &str) -> usize {
    let fail = crate::report::json::v1::Outcome::Fail;
    assessment.findings.iter().filter(|finding| finding.check == check && finding.outcome == fail).count()
}

#[test]
fn an_exception_changes_the_disposition_and_never_the_outcome() {
    let (check, subject) = failing();
    let exceptions = vec![exception(&check, &subject, date(2026, 12, 31))];
    let assessment = assessed(with(Decisions { exceptions, ..Decisions::default() }));
    assert_eq!(fails(&assessment, &check), 1);
    let finding = assessment.findings.iter().find(|finding| finding.check == check).unwrap();
    assert!(matches!(finding.disposition, crate::report::json::v1::Disposition::Accepted { .. }));
    assert_eq!((fails(&assessment, EXPIRED), fails(&assessment, UNUSED)), (0, 0));
    let before = assessed(clinic());
    let levels = |assessment: &Assessment| -> Vec<_> {
        assessment.risks.iter().map(|risk| (risk.scenario.clone(), risk.residual)).collect()
    };
    assert_eq!(levels(&assessment), levels(&before), "accepting lowers nothing");
}

#[test]
fn exceptions_that_ran_out_or_cover_nothing_are_findings() {
    let (check, subject) = failing();
    let exceptions = vec![
        exception(&check, &subject, date(2026, 9, 30)),
        exception(&check, "elsewhere.example", date(2026, 12, 31)),
        exception("no-such-check", "x", date(2026, 12, 31)),
    ];
    let assessment = assessed(with(Decisions { exceptions, ..Decisions::default() }));
    let finding = assessment.findings.iter().find(|finding| finding.check == check).unwrap();
    assert_eq!(finding.disposition, crate::report::json::v1::Disposition::Lapsed);
    assert_eq!((fails(&assessment, EXPIRED), fails(&assessment, UNUSED)), (1, 2));
    let standings: Vec<_> = assessment.decisions.exceptions.iter().map(|row| row.standing).collect();
    assert_eq!(standings, [Standing::Expired, Standing::Unused, Standing::Unused]);
}

#[test]
fn an_exception_that_a_newer_one_replaces_is_no_finding() {
    let (check, subject) = failing();
    let old = exception(&check, &subject, date(2026, 9, 30));
    let new = Exception { on: date(2026, 9, 29), ..exception(&check, &subject, date(2026, 12, 31)) };
    for exceptions in [vec![old.clone(), new.clone()], vec![new, old.clone()]] {
        let assessment = assessed(with(Decisions { exceptions, ..Decisions::default() }));
        assert_eq!((fails(&assessment, EXPIRED), fails(&assessment, UNUSED)), (0, 0));
        let row = assessment.decisions.exceptions.iter().find(|row| row.expires == old.expires).unwrap();
        assert_eq!(row.standing, Standing::Expired);
        assert!(row.why.contains("a newer one takes its place"), "{}", row.why);
    }
    // Two that ran out are two findings, told apart.
    let older = Exception { on: date(2026, 4, 1), ..old.clone() };
    let assessment = assessed(with(Decisions { exceptions: vec![old, older], ..Decisions::default() }));
    let prints: std::collections::BTreeSet<_> = assessment
        .findings
        .iter()
        .filter(|finding| finding.check == EXPIRED)
        .map(|finding| &finding.fingerprint)
        .collect();
    assert_eq!(prints.len(), 2);
}

#[test]
fn an_exception_from_what_could_not_be_judged_is_not_called_unused() {
    let not_assessed = assessed(clinic());
    let open = not_assessed
        .findings
        .iter()
        .find(|finding| finding.outcome == crate::report::json::v1::Outcome::NotAssessed)
        .expect("nothing was asked");
    for (check, subject) in
        [(open.check.as_str(), open.subject.name.as_str()), ("mfa-on-every-mailbox", "a@clinic.example")]
    {
        let exceptions = vec![exception(check, subject, date(2026, 12, 31))];
        let assessment = assessed(with(Decisions { exceptions, ..Decisions::default() }));
        assert_eq!(fails(&assessment, UNUSED), 0, "{check}");
        assert_eq!(assessment.decisions.exceptions[0].standing, Standing::InForce, "{check}");
        let unknown = assessment.findings.iter().find(|finding| finding.check == UNUSED).unwrap();
        assert_eq!(unknown.outcome, crate::report::json::v1::Outcome::NotAssessed, "{check}");
    }
}

fn acceptance(risk: &str, level: Level, expires: Date) -> Acceptance {
    Acceptance { risk: risk.to_owned(), level, reason: "invented".to_owned(), decided: by(), expires, line: 9 }
}

#[test]
fn an_accepted_risk_keeps_its_level_and_opens_again() {
    let plain = assessed(clinic());
    let risk = plain.risks[0].clone();
    let accepted = |level, expires| {
        let acceptances = vec![acceptance(&risk.scenario, level, expires)];
        assessed(with(Decisions { acceptances, ..Decisions::default() }))
    };
    let held = accepted(Level::VeryHigh, date(2026, 12, 31));
    assert_eq!((held.risks[0].treatment.as_str(), held.risks[0].residual), ("accept", risk.residual));
    assert_eq!(held.decisions.acceptances[0].standing, Standing::InForce);
    assert!(held.decisions.due.iter().any(|due| due.kind == DueKind::Acceptance));
    for (level, expires, standing) in [
        (Level::VeryLow, date(2026, 12, 31), Standing::Reopened),
        (Level::VeryHigh, date(2026, 9, 30), Standing::Expired),
    ] {
        let lapsed = accepted(level, expires);
        assert_eq!(lapsed.decisions.acceptances[0].standing, standing);
        assert_eq!(lapsed.risks[0].treatment, "undecided");
        assert_eq!(fails(&lapsed, ACCEPTANCE), 1);
        assert!(lapsed.plan.iter().any(|item| item.check == ACCEPTANCE), "it has to be decided again");
    }
}

#[test]
fn a_record_that_ran_out_is_a_finding_unless_a_newer_one_holds() {
    let record = |expires| AddressableRecord {
        spec: "164.312(a)(2)(iii)".to_owned(),
        decision: crate::evidence::decisions::AddressableWord::Implemented,
        scope: "desk".to_owned(),
        why: "invented".to_owned(),
        factors: None,
        alternative: None,
        evidence_file: None,
        evidence_sha256: None,
        risk: None,
        decided: by(),
        expires,
        line: 5,
    };
    let judged = |addressable| assessed(with(Decisions { addressable, ..Decisions::default() }));
    assert_eq!(fails(&judged(vec![record(date(2026, 9, 30))]), ADDRESSABLE), 1);
    assert_eq!(fails(&judged(vec![record(date(2026, 9, 30)), record(date(2027, 9, 30))]), ADDRESSABLE), 0);
    assert_eq!(fails(&judged(vec![record(date(2027, 9, 30))]), ADDRESSABLE), 0);
}

#[test]
fn a_yes_that_a_measurement_contradicts_is_a_finding_of_its_own() {
    // The scope declares a vendor for content and no agreement with it.
    let vendor = declared(|declared| {
        declared.answers = Some("answers.yaml".to_owned());
        declared.vendors = vec![crate::evidence::declared::DeclaredVendor {
            id: "microsoft365".to_owned(),
            handles: Some(crate::evidence::declared::Handles::Content),
            agreement: None,
        }];
    });
    let contradicted = assessed(vec![vendor.clone(), answer("agreements-complete")]);
    assert!(fails(&contradicted, ANSWERS) >= 1);
    // It is excepted like any other.
    let exceptions = vec![exception(ANSWERS, "agreements-complete", date(2026, 12, 31))];
    let decisions = decided(Decisions { exceptions, ..Decisions::default() });
    let excepted = assessed(vec![vendor.clone(), answer("agreements-complete"), decisions]);
    assert_eq!((fails(&excepted, UNUSED), excepted.decisions.exceptions[0].standing), (0, Standing::InForce));
    assert_eq!(fails(&assessed(vec![vendor]), ANSWERS), 0, "without an answer nothing is contradicted");
}

#[test]
fn the_plan_carries_what_people_say_and_a_scan_decides_whether_it_is_done() {
    let (check, _) = failing();
    let entry = |check: &str, status| PlanEntry {
        check: check.to_owned(),
        owner: Some("Ana Ruiz".to_owned()),
        due: Some(date(2026, 12, 1)),
        status,
        deferrals: 2,
        milestones: Vec::new(),
        comment: None,
        line: 3,
    };
    use crate::evidence::decisions::PlanStatus;
    let plan = vec![entry(&check, PlanStatus::Done), entry("dmarc-enforced", PlanStatus::Done)];
    let assessment = assessed(with(Decisions { plan, ..Decisions::default() }));
    let item = assessment.plan.iter().find(|item| item.check == check).unwrap();
    assert_eq!((item.status.as_str(), item.deferrals), ("said to be done, still fails", 2));
    assert_eq!(assessment.decisions.closed.len(), 1);
    assert_eq!(assessment.decisions.closed[0].evidence_sha256, None, "nobody looked at DMARC here");
}

#[test]
fn an_item_that_waits_for_a_person_is_not_closed_and_agrees_with_no_answer() {
    let settled = CheckCoverage {
        area: "governance".to_owned(),
        subject: SubjectKind::Organization,
        state: CoverageState::Assessed,
        passed: 3,
        failed: 0,
        needs_review: 0,
        not_assessed: 0,
        not_applicable: 0,
        because: None,
        grade: Grade::B,
    };
    let waits = CheckCoverage { needs_review: 1, ..settled.clone() };
    assert!(settled.is_settled() && !waits.is_settled());
    let entry = PlanEntry {
        check: "dmarc-enforced".to_owned(),
        owner: None,
        due: None,
        status: crate::evidence::decisions::PlanStatus::Done,
        deferrals: 0,
        milestones: Vec::new(),
        comment: None,
        line: 1,
    };
    let passed = crate::assess::Passed {
        check: entry.check.clone(),
        count: 3,
        subjects: Vec::new(),
        evidence: Vec::new(),
        evidence_sha256: "ab".to_owned(),
        grade: Grade::B,
    };
    let judged = |coverage: CheckCoverage| {
        let judgement = Judgement {
            findings: Vec::new(),
            passed: vec![passed.clone()],
            coverage: BTreeMap::from([(entry.check.clone(), coverage)]),
        };
        risks::closed(&entry, &judgement).evidence_sha256
    };
    assert_eq!((judged(settled), judged(waits)), (Some("ab".to_owned()), None));
}

#[test]
fn the_calendar_folds_and_escapes() {
    let due = [Due { on: date(2026, 12, 1), kind: DueKind::PlanItem, what: "a; b, c\\d ".repeat(12) }];
    let text = calendar(&due, "Maple Street Clinic", "2026-10-01T12:00:00Z".parse().unwrap());
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    assert!(text.contains("DTSTART;VALUE=DATE:20261201") && text.contains("a\\; b\\, c\\\\d"), "{text}");
    assert!(text.ends_with("END:VCALENDAR\r\n"));
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 1);
}

#[test]
fn the_shipped_conclusions_name_questions_and_checks_that_exist() {
    let catalog = Catalog::built_in().unwrap();
    let conclusions = Conclusions::built_in(&|id| catalog.checks.contains_key(id)).unwrap();
    assert!(conclusions.contradictions().len() >= 12);
    for (id, card) in conclusions.cards() {
        let text = format!("{} {} {}", card.title, card.why, card.fix);
        assert_eq!(crate::checks::overclaim(&text), None, "{id}");
        for cite in &card.cites {
            assert!(catalog.framework.get(&cite.spec).is_some(), "{id}: {}", cite.spec);
        }
    }
    let built: Evidence = evidence(clinic());
    let facts = Facts::from_evidence(&built, built.as_of());
    assert!(!assess(&catalog, &facts).unwrap().findings.is_empty());
}
