//! Files become evidence, evidence facts, facts findings: what these tests share.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use mailassay::assess::{Judgement, assess};
use mailassay::checks::Catalog;
use mailassay::collect::exports;
use mailassay::evidence::declared::{Agreement, Declared, DeclaredDomain, DeclaredRetention, DeclaredVendor};
use mailassay::evidence::{Answer, Evidence, Manifest, Observation, Question, Source, Vantage, Writer};
use mailassay::facts::Facts;
use mailassay::keyed::KeyedReference;
use mailassay::names::{SubjectId, SubjectKind};

pub(super) static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::built_in().unwrap());

const WHEN: &str = "2026-10-01T12:00:00Z";

/// A scope with these own domains, one vendor with an agreement, and an exports folder.
pub(super) fn declared(domains: &[&str]) -> Declared {
    let agreement = Agreement { signed: "2024-01-01".parse().unwrap(), expires: None, file: None, file_sha256: None };
    Declared {
        organization: None,
        authorization: None,
        domains: domains
            .iter()
            .map(|name| DeclaredDomain {
                name: name.parse().unwrap(),
                sends: true,
                receives: true,
                selectors: Vec::new(),
            })
            .collect(),
        hosts: Vec::new(),
        portals: Vec::new(),
        partners: Vec::new(),
        vendors: vec![DeclaredVendor { id: "billing.example".to_owned(), handles: None, agreement: Some(agreement) }],
        exports: vec!["exports".to_owned()],
        messages: Vec::new(),
        volumes: Vec::new(),
        retention: Some(DeclaredRetention {
            mail_min_days: None,
            record_mailboxes: Vec::new(),
            record_references: Default::default(),
            mail_max_days: Some(1095),
            phi_mailboxes: vec!["front-desk@clinic.example".to_owned()],
            decided: None,
            file: None,
            file_sha256: None,
        }),
        answers: None,
        registers: None,
        reports: Vec::new(),
        scope_sha256: String::new(),
    }
}

/// What reading the folder or file gives.
pub(super) fn observed(path: &Path) -> Vec<Observation> {
    let key = KeyedReference::new(b"test");
    let own = ["clinic.example".parse().unwrap()].into();
    exports::read(&[path.to_owned()], &["exports".to_owned()], &own, &key, WHEN.parse().unwrap(), "test")
}

/// Facts from the files of a folder under a scope.
pub(super) fn facts(folder: &Path, declared: Declared) -> Facts {
    let mut observations = observed(folder);
    observations.push(Observation {
        subject: SubjectId::new(SubjectKind::Organization, "clinic"),
        source: Source::Declared,
        question: Question::Declared,
        asked_at: WHEN.parse().unwrap(),
        took_ms: 0,
        vantage: "test".to_owned(),
        answer: Ok(Answer::Declared(Box::new(declared))),
    });
    let kept = tempfile::tempdir().unwrap();
    let as_of = WHEN.parse().unwrap();
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
    let evidence: Evidence = Writer::create(kept.path()).unwrap().finish(observations, manifest).unwrap();
    Facts::from_evidence(&evidence, evidence.as_of())
}

/// The judgement over the files of a folder.
pub(super) fn judged(folder: &Path, declared: Declared) -> Judgement {
    assess(&CATALOG, &facts(folder, declared)).unwrap()
}

/// Check and subject of what passed, and of what did not.
pub(super) fn passed_and_open(judgement: &Judgement) -> [BTreeSet<(String, String)>; 2] {
    let passed = judgement.passed.iter().flat_map(|passed| {
        assert!(passed.count <= passed.subjects.len(), "every subject is named");
        passed.subjects.iter().map(|subject| (passed.check.clone(), subject.clone()))
    });
    let open = judgement.findings.iter().map(|finding| (finding.check.clone(), finding.subject.name.clone()));
    [passed.collect(), open.collect()]
}

/// Writes a file below a folder.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A file of `tests/data`.
pub(super) fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}
