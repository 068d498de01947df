//! From a client's folder to a judgement: answers, registers and the scope's own declarations.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;

use mailassay::assess::{CoverageState, Grade, Judgement, assess};
use mailassay::checks::Catalog;
use mailassay::collect::{answers, registers};
use mailassay::evidence::declared::{Authorization, Declared, DeclaredDomain, Organization, Role};
use mailassay::evidence::{Answer, Manifest, Observation, Question, Source, Vantage, Writer};
use mailassay::facts::Facts;
use mailassay::files;
use mailassay::finding::Outcome;
use mailassay::keyed::KeyedReference;
use mailassay::names::{SubjectId, SubjectKind};
use mailassay::questionnaire::Questionnaire;

const ANSWERS: &str =
    "- { id: risk-analysis, answer: yes, by: Ana Ruiz, on: 2026-08-01, evidence_file: policies/analysis.pdf }
- { id: training-program, answer: partly, by: Ana Ruiz, on: 2026-08-01 }
- { id: mail-policy, answer: yes, by: Ana Ruiz, on: 2024-08-01 }
- { id: restore-test, answer: not-applicable, statement: The provider restores., by: Ana Ruiz, on: 2026-08-01 }
";
const TRAINING: &str =
    "person_id,role,course,due,completed\np-1,nurse,mail,2026-09-01,2026-08-01\np-2,front-desk,mail,2026-09-01,\n";

fn declared(answers: bool) -> Observation {
    let declared = Declared {
        organization: Some(Organization {
            name: "Maple Street Clinic".to_owned(),
            role: Role::CoveredEntity,
            individuals: Some(4200),
            states: vec!["OR".to_owned()],
            sensitive: None,
        }),
        authorization: Some(Authorization {
            granted_by: "Ana Ruiz".to_owned(),
            role: "Security Official".to_owned(),
            on: "2026-09-01".parse().unwrap(),
            until: "2027-09-01".parse().unwrap(),
            covers: vec!["clinic.example".parse().unwrap()],
            active_probes: false,
        }),
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
        answers: answers.then(|| "answers.yaml".to_owned()),
        registers: answers.then(|| "registers/".to_owned()),
        reports: Vec::new(),
        scope_sha256: String::new(),
    };
    Observation {
        subject: SubjectId::new(SubjectKind::Organization, "maple street clinic"),
        source: Source::Declared,
        question: Question::Declared,
        asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
        took_ms: 0,
        vantage: "test".to_owned(),
        answer: Ok(Answer::Declared(Box::new(declared))),
    }
}

fn judge(observations: Vec<Observation>, folder: &Path) -> Judgement {
    let as_of = "2026-10-01T12:00:00Z".parse().unwrap();
    let manifest = Manifest {
        schema: 1,
        kind: "evidence".to_owned(),
        tool_version: "0".to_owned(),
        scope_sha256: String::new(),
        vantage: Vantage {
            label: "test".to_owned(),
            resolvers: Vec::new(),
            port_25_reachable: None,
            test_network: Vec::new(),
        },
        started_at: as_of,
        as_of,
        complete: true,
        segments: Vec::new(),
    };
    let evidence = Writer::create(&folder.join("evidence")).unwrap().finish(observations, manifest).unwrap();
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    assess(&catalog, &Facts::from_evidence(&evidence, as_of)).unwrap()
}

fn clinic() -> Judgement {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        files::make_folder(folder.path().join(path).parent().unwrap()).unwrap();
        files::write_whole(&folder.path().join(path), text.as_bytes()).unwrap();
    };
    write("answers.yaml", ANSWERS);
    write("policies/analysis.pdf", "%PDF invented");
    write("registers/training.csv", TRAINING);
    let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
    let questionnaire = Questionnaire::built_in().unwrap();
    let mut observations = vec![declared(true)];
    observations.extend(answers::read(folder.path(), "answers.yaml", questionnaire, asked_at, "test").unwrap());
    observations
        .extend(registers::read(folder.path(), "registers/", &KeyedReference::new(b"key"), asked_at, "test").unwrap());
    judge(observations, folder.path())
}

fn outcome<'j>(judgement: &'j Judgement, check: &str, subject: &str) -> Option<&'j Outcome> {
    let mut found = judgement.findings.iter().filter(|f| f.check == check && f.subject.name == subject);
    found.next().map(|finding| &finding.outcome)
}

#[test]
fn answers_and_registers_are_judged_and_what_is_missing_is_a_gap() {
    let judgement = clinic();
    let passed = judgement.passed.iter().find(|passed| passed.check == "risk-analysis-current").unwrap();
    assert_eq!((passed.count, passed.grade), (1, Grade::D), "an answer with a file");
    assert_eq!(outcome(&judgement, "training-given", "training-program"), Some(&Outcome::Fail));
    assert_eq!(outcome(&judgement, "training-on-record", "training"), Some(&Outcome::Fail));
    assert_eq!(outcome(&judgement, "answers-current", "mail-policy"), Some(&Outcome::Fail));
    assert!(matches!(outcome(&judgement, "restore-tried", "restore-test"), Some(Outcome::NeedsReview { .. })));
    let Some(Outcome::NotAssessed(gap)) = outcome(&judgement, "mail-policy-written", "mail-policy") else { panic!() };
    assert!(gap.to_close.contains("a new answer to the question `mail-policy`"), "{}", gap.to_close);
    let Some(Outcome::NotAssessed(gap)) = outcome(&judgement, "restore-tests-on-record", "restore-tests") else {
        panic!()
    };
    assert_eq!(gap.to_close, "Provide the register restore-tests.csv in registers/.");
    assert!(judgement.passed.iter().any(|passed| passed.check == "authorization-covers-scope"));
}

#[test]
fn worst_findings_come_first_and_two_runs_agree() {
    let judgement = clinic();
    assert!(
        judgement
            .findings
            .is_sorted_by(|a, b| { (b.severity, &a.check, &a.subject) <= (a.severity, &b.check, &b.subject) })
    );
    assert_eq!(judgement, clinic());
}

#[test]
fn a_scope_without_answers_lowers_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    let judgement = judge(vec![declared(false)], folder.path());
    let coverage = &judgement.coverage["training-given"];
    assert_eq!(coverage.state, CoverageState::NotProvided);
    assert!(coverage.because.as_deref().unwrap().contains("answers.yaml"));
    assert!(!judgement.findings.iter().any(|finding| finding.subject.kind == SubjectKind::Attestation));
}
