//! The document as it leaves: built from an invented clinic, stable, and read back whole.

use std::collections::BTreeMap;

use super::*;
use crate::assess::{self, CheckCoverage as Covered, Judgement};
use crate::checks;
use crate::evidence::{self, Evidence, EvidenceId, Question, Source, Writer, declared};
use crate::facts::Facts;
use crate::finding::{self, Fingerprint, Message};
use crate::names::{SubjectId, SubjectKind};
use crate::risk::{Card, Cards, RiskAnalysis, SecurityRule};
use crate::seen::NotObserved;

const CHECKS: [(&str, SubjectKind, &str, checks::Supports); 5] = [
    ("agreements-signed", SubjectKind::Vendor, "164.308(b)(3)", checks::Supports::Direct),
    ("dmarc-enforced", SubjectKind::Domain, "164.312(e)(2)(i)", checks::Supports::Indirect),
    ("mfa-on-every-mailbox", SubjectKind::Mailbox, "164.312(d)", checks::Supports::Direct),
    ("tls-offered", SubjectKind::Endpoint, "164.312(e)(2)(ii)", checks::Supports::Direct),
    ("training-given", SubjectKind::Endpoint, "164.308(a)(5)(i)", checks::Supports::Direct),
];

fn cards() -> Cards {
    let card = |(id, subject, spec, supports): (&str, SubjectKind, &str, checks::Supports)| Card {
        id: id.to_owned(),
        catalogue: None,
        area: "test".to_owned(),
        title: format!("{id} holds"),
        subject,
        severity: finding::Severity::High,
        cites: vec![checks::Cite { spec: spec.to_owned(), supports }],
        why: "invented".to_owned(),
        fix: "invented".to_owned(),
    };
    CHECKS.into_iter().map(|check| (check.0.to_owned(), card(check))).collect()
}

fn covered(subject: SubjectKind, passed: usize, failed: usize, unknown: usize, grade: assess::Grade) -> Covered {
    Covered {
        area: "test".to_owned(),
        subject,
        state: match (passed + failed, unknown) {
            (0, _) => assess::CoverageState::NotAssessed,
            (_, 0) => assess::CoverageState::Assessed,
            (_, _) => assess::CoverageState::PartlyAssessed,
        },
        passed,
        failed,
        needs_review: 0,
        not_assessed: unknown,
        not_applicable: 0,
        because: None,
        grade,
    }
}

fn found(check: &str, kind: SubjectKind, name: &str, outcome: finding::Outcome) -> finding::Finding {
    let subject = SubjectId::new(kind, name);
    finding::Finding {
        check: check.to_owned(),
        fingerprint: Fingerprint::of(check, &subject, ""),
        subject,
        outcome,
        severity: finding::Severity::High,
        message: Message { template: "it \u{1b}[31m fails".to_owned(), values: BTreeMap::new().into() },
        evidence: vec![EvidenceId::new("export.mailbox", 1), EvidenceId::new("dns.domain", 1)],
        disposition: finding::Disposition::Open,
    }
}

fn judgement() -> Judgement {
    let gap = finding::Gap {
        missing: vec!["domain.dmarc".to_owned()],
        because: NotObserved::TimedOut { after_ms: 500 },
        to_close: "ask again".to_owned(),
    };
    let mailbox = SubjectKind::Mailbox;
    Judgement {
        findings: vec![
            found("mfa-on-every-mailbox", mailbox, "b@clinic.example", finding::Outcome::Fail),
            found("mfa-on-every-mailbox", mailbox, "a@clinic.example", finding::Outcome::Fail),
            found("dmarc-enforced", SubjectKind::Domain, "clinic.example", finding::Outcome::NotAssessed(gap)),
        ],
        passed: Vec::new(),
        coverage: BTreeMap::from([
            ("agreements-signed".to_owned(), covered(SubjectKind::Vendor, 2, 0, 0, assess::Grade::E)),
            ("dmarc-enforced".to_owned(), covered(SubjectKind::Domain, 0, 0, 1, assess::Grade::U)),
            ("mfa-on-every-mailbox".to_owned(), covered(mailbox, 0, 2, 0, assess::Grade::B)),
            ("tls-offered".to_owned(), covered(SubjectKind::Endpoint, 2, 0, 0, assess::Grade::A)),
            ("training-given".to_owned(), covered(SubjectKind::Endpoint, 2, 0, 0, assess::Grade::A)),
        ]),
    }
}

fn evidence(folder: &std::path::Path) -> Evidence {
    let manifest = evidence_manifest();
    let declared = declared::Declared {
        organization: Some(declared::Organization {
            name: "Maple Street Clinic".to_owned(),
            role: declared::Role::CoveredEntity,
            individuals: Some(4_200),
            states: vec!["OR".to_owned()],
            sensitive: None,
        }),
        authorization: None,
        domains: Vec::new(),
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
        scope_sha256: "00".to_owned(),
    };
    let observation = evidence::Observation {
        subject: SubjectId::new(SubjectKind::Organization, "Maple Street Clinic"),
        source: Source::Declared,
        question: Question::Declared,
        asked_at: manifest.as_of,
        took_ms: 0,
        vantage: "test".to_owned(),
        answer: Ok(evidence::Answer::Declared(Box::new(declared))),
    };
    Writer::create(folder).unwrap().finish(vec![observation], manifest).unwrap()
}

fn evidence_manifest() -> evidence::Manifest {
    let as_of: Timestamp = "2026-10-01T12:00:00Z".parse().unwrap();
    evidence::Manifest {
        schema: 1,
        kind: "evidence".to_owned(),
        tool_version: "0".to_owned(),
        scope_sha256: String::new(),
        vantage: evidence::Vantage {
            label: "test".to_owned(),
            resolvers: Vec::new(),
            port_25_reachable: Some(false),
            test_network: Vec::new(),
        },
        started_at: as_of,
        as_of,
        complete: true,
        segments: Vec::new(),
    }
}

fn assessment(judgement: &Judgement) -> Assessment {
    let folder = tempfile::tempdir().unwrap();
    let evidence = evidence(folder.path());
    let as_of = evidence.as_of();
    let analysis = RiskAnalysis {
        model: "1.0 (lower-of-both)".to_owned(),
        risks: Vec::new(),
        plan: Vec::new(),
        evidence_needed: Vec::new(),
        remaining: Vec::new(),
        exposure: Vec::new(),
        not_applicable: Vec::new(),
    };
    Assessment::new(Inputs {
        evidence: &evidence,
        as_of,
        facts: &Facts::from_evidence(&evidence, as_of),
        cards: &cards(),
        catalogue: "test",
        judgement,
        analysis: &analysis,
        rule: &SecurityRule::built_in().unwrap(),
        controls: &checks::controls::Controls { rows: 0, letters: Vec::new() },
        weights: &crate::decisions::Weights::default(),
        due: &[],
    })
}

fn status(assessment: &Assessment, id: &str) -> SpecificationState {
    assessment.specifications.iter().find(|row| row.id == id).unwrap().status
}

#[test]
fn the_document_survives_a_round_trip_and_order_leaves_no_trace() {
    let one = assessment(&judgement());
    let mut turned = judgement();
    turned.findings.reverse();
    let other = assessment(&turned);
    let text = serde_json::to_string_pretty(&one).unwrap();
    assert_eq!(text, serde_json::to_string_pretty(&other).unwrap());
    assert_eq!(serde_json::from_str::<Assessment>(&text).unwrap(), one);
}

#[test]
fn mail_of_partners_is_not_told_where_some_of_it_was_taken_away() {
    let mail = evidence::Observation {
        subject: SubjectId::new(SubjectKind::Partner, "lab.example"),
        source: Source::Content,
        question: Question::IncomingMail,
        asked_at: evidence_manifest().as_of,
        took_ms: 0,
        vantage: "test".to_owned(),
        answer: Ok(evidence::Answer::IncomingMail(Default::default())),
    };
    let folder = tempfile::tempdir().unwrap();
    let paths = ["one", "two"].map(|name| folder.path().join(name));
    for (path, tool_version) in paths.iter().zip(["0", "1"]) {
        let manifest = evidence::Manifest { tool_version: tool_version.to_owned(), ..evidence_manifest() };
        Writer::create(path).unwrap().finish(vec![mail.clone()], manifest).unwrap();
    }
    let told = || {
        let evidence = Evidence::join(paths.iter().map(|path| Evidence::read(path).unwrap()).collect()).unwrap();
        let partner =
            DeclaredPartner { domain: "lab.example".to_owned(), phi: true, tls_delivery: None, incoming: None };
        let declared = Declared { partners: vec![partner], ..Declared::default() };
        let facts = Facts::from_evidence(&evidence, evidence.as_of());
        shown::with_partner_mail(declared, &evidence, &facts).partners.remove(0).incoming
    };
    assert!(told().is_some());
    std::fs::remove_file(paths[1].join("content.partner.jsonl")).unwrap();
    assert_eq!(told(), None);
}

/// Others rely on these keys.
#[test]
fn the_keys_of_the_contract_are_there() {
    let value = serde_json::to_value(assessment(&judgement())).unwrap();
    for key in [
        "schema",
        "kind",
        "tool",
        "organization",
        "as_of",
        "evidence_digest",
        "coverage",
        "findings",
        "passed",
        "not_applicable",
        "risks",
        "exposure",
        "plan",
        "drift",
        "gates",
        "vantages",
        "declared",
        "evidence",
        "elements",
        "specifications",
    ] {
        assert!(value.get(key).is_some(), "{key}");
    }
    for key in ["name", "version", "catalogue", "risk_model"] {
        assert!(value["tool"].get(key).is_some(), "{key}");
    }
    assert_eq!((&value["schema"], &value["kind"]), (&1.into(), &"assessment".into()));
}

#[test]
fn findings_carry_the_worst_grade_and_no_control_bytes() {
    let assessment = assessment(&judgement());
    let by_subject: Vec<_> =
        assessment.findings.iter().map(|finding| (finding.subject.name.as_str(), finding.grade)).collect();
    assert_eq!(
        by_subject,
        [("clinic.example", Grade::U), ("a@clinic.example", Grade::B), ("b@clinic.example", Grade::B)]
    );
    assert_eq!(assessment.findings[0].gap.as_ref().unwrap().reason, "timed-out");
    assert!(assessment.findings[1].message.contains("U+001B"));
}

/// Five checks: four assessed, one not: 80 %.
#[test]
fn coverage_counts_checks() {
    let assessment = assessment(&judgement());
    assert_eq!(assessment.coverage.percent, 80);
    assert_eq!((assessment.coverage.assessed, assessment.coverage.not_assessed), (4, 1));
}

#[test]
fn a_specification_is_never_more_than_its_evidence() {
    let assessment = assessment(&judgement());
    // Probed, direct, technical.
    assert_eq!(status(&assessment, "164.312(e)(2)(ii)"), SpecificationState::Evidenced);
    assert_eq!(status(&assessment, "164.312(d)"), SpecificationState::Contradicted);
    // Cited only indirectly, and not assessed.
    assert_eq!(status(&assessment, "164.312(e)(2)(i)"), SpecificationState::NotAssessed);
    // Declared by people.
    assert_eq!(status(&assessment, "164.308(b)(3)"), SpecificationState::Attested);
    // A probe that claims to prove training proves nothing of it.
    assert_eq!(status(&assessment, "164.308(a)(5)(i)"), SpecificationState::NotAssessed);
    // Nobody cites it.
    assert_eq!(status(&assessment, "164.310(d)(2)(i)"), SpecificationState::NotAssessed);
    // A standard is never evidenced by what lies below it.
    assert_eq!(status(&assessment, "164.312(e)(1)"), SpecificationState::Partly);
    assert_eq!(assessment.specifications.len(), 71);
}

#[test]
fn an_indirect_citation_alone_gives_a_part_at_most() {
    let mut judgement = judgement();
    judgement.coverage.insert("dmarc-enforced".to_owned(), covered(SubjectKind::Domain, 1, 0, 0, assess::Grade::A));
    assert_eq!(status(&assessment(&judgement), "164.312(e)(2)(i)"), SpecificationState::Partly);
}

#[test]
fn one_unknown_subject_keeps_a_specification_from_being_evidenced() {
    let mut judgement = judgement();
    judgement.coverage.insert("tls-offered".to_owned(), covered(SubjectKind::Endpoint, 9, 0, 1, assess::Grade::A));
    assert_eq!(status(&assessment(&judgement), "164.312(e)(2)(ii)"), SpecificationState::Partly);
}

#[test]
fn every_element_is_there_and_says_what_is_missing() {
    let assessment = assessment(&judgement());
    assert_eq!(
        assessment.elements.iter().map(|element| element.number).collect::<Vec<_>>(),
        (1..=9).collect::<Vec<_>>()
    );
    assert!(assessment.elements.iter().all(|element| !element.why.is_empty()));
    assert_eq!(assessment.elements[0].state, ElementState::Incomplete);
    assert!(assessment.elements[0].why.contains("authorized"));
}

#[test]
fn a_mailbox_keeps_its_estimate_until_each_of_its_folders_was_counted_whole() {
    let observation = |subject: &str, question, answer| evidence::Observation {
        subject: SubjectId::new(SubjectKind::ContentFolder, subject),
        source: Source::Content,
        question,
        asked_at: evidence_manifest().as_of,
        took_ms: 0,
        vantage: "test".to_owned(),
        answer: Ok(answer),
    };
    let folder = |folder: &str, sampled: bool| {
        let counted = serde_json::json!({
            "mailbox": "front-desk", "folder": folder, "messages": 50, "levels": {}, "identifier_only": 0,
            "health_only": 0, "kinds": {}, "places": {}, "ages": {}, "oldest": null, "newest": null,
            "individuals_lower": 0, "individuals_upper": 0, "not_inspected": {}, "sampled": sampled,
        });
        let label = format!("front-desk/{folder}");
        let answer = evidence::Answer::ContentFolder(Box::new(serde_json::from_value(counted).unwrap()));
        observation(&label, Question::ContentFolder { label: label.clone() }, answer)
    };
    let mail =
        serde_json::json!({ "messages": 100, "examined": 20, "phi_examined": 2, "phi_lower": 2, "phi_upper": 40 });
    let sample = serde_json::json!({ "confidence": 95, "all": mail, "mailboxes": { "front-desk": mail } });
    let sample = evidence::Answer::ContentSample(Box::new(serde_json::from_value(sample).unwrap()));
    let sampled = [observation("sample", Question::ContentSample, sample), folder("Inbox", true), folder("Sent", true)];
    let estimates = |whole: &[&str]| {
        let kept = tempfile::tempdir().unwrap();
        let whole = whole.iter().map(|name| folder(name, false));
        let all = sampled.iter().cloned().chain(whole).collect();
        let evidence = Writer::create(kept.path()).unwrap().finish(all, evidence_manifest()).unwrap();
        shown::mail_samples(&evidence).len()
    };
    assert_eq!((estimates(&[]), estimates(&["Inbox"]), estimates(&["Inbox", "Sent"])), (1, 1, 0));
}
