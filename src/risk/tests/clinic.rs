//! Builds invented judgements: a check, how many passed, who failed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use jiff::civil::{Date, date};

use crate::assess::{CheckCoverage, CoverageState, Grade, Judgement, Passed};
use crate::checks::{Cite, Supports};
use crate::evidence::EvidenceId;
use crate::finding::{Disposition, Finding, Fingerprint, Gap, Message, Outcome, Severity};
use crate::names::{SubjectId, SubjectKind};
use crate::risk::analysis::analyse_known;
use crate::risk::card::{Card, Cards};
use crate::risk::known::{Known, KnownFolder, KnownMailbox, Members};
use crate::risk::{Model, Risk, RiskAnalysis, Source};
use crate::seen::NotObserved;

pub(super) const SCENARIOS: &str = r#"
schema: 1
checks:
  mfa: { weakness: mailboxes without a second factor, effort: small }
  old-sign-in-closed: { weakness: mailboxes that old clients can sign in to }
  no-outside-forwarding: { weakness: mailboxes that send everything outside, effort: small }
  forwarding-off: { weakness: the tenant lets mail be forwarded outside, effort: small }
  training: { weakness: staff were not trained, effort: large }
  starttls: { weakness: mail hosts that take mail in clear only }
  sanctions: { weakness: no sanction policy is attested }
scenarios:
  - id: takeover
    title: A mailbox is taken over
    assets: Mailboxes
    threat: { event: somebody signs in with a stolen password, source: adversarial }
    statement: "Somebody reads a mailbox: {{weaknesses}}; {{records}}."
    initiation: { level: high, reason: invented, source: test, date: 2026-01-01, verified: judgement }
    success: very-high
    primary: [mfa]
    compensating: [training, old-sign-in-closed]
    population: { kind: mailbox }
    impact:
      confidentiality: { records: worst-mailbox }
      integrity: { level: low, reason: invented }
      availability: { level: low, reason: invented }
  - id: forwarding
    title: Mail is forwarded outside
    assets: Mailboxes
    threat: { event: a rule sends mail outside, source: adversarial }
    statement: "Mail leaves: {{weaknesses}}; {{records}}."
    initiation: { level: moderate, reason: invented, source: test, date: 2026-01-01, verified: judgement }
    success: very-high
    primary: [forwarding-off]
    open_path: [no-outside-forwarding]
    population: { kind: mailbox }
    impact:
      confidentiality: { records: all-mailboxes }
      integrity: { level: very-low, reason: invented }
      availability: { level: very-low, reason: invented }
  - id: interception
    title: Mail is read on the way
    assets: Mail hosts
    threat: { event: somebody listens, source: adversarial }
    statement: "Mail is read on the way: {{weaknesses}}."
    initiation: { level: low, reason: invented, source: test, date: 2026-01-01, verified: judgement }
    success: high
    primary: [starttls]
    population: { kind: endpoint }
    impact:
      confidentiality: { level: moderate, reason: invented }
      integrity: { level: very-low, reason: invented }
      availability: { level: very-low, reason: invented }
  - id: careless
    title: Staff are careless
    assets: People
    threat: { event: somebody errs, source: accidental }
    statement: "Somebody errs: {{weaknesses}}."
    initiation: { level: very-high, reason: invented, source: test, date: 2026-01-01, verified: judgement }
    success: very-high
    primary: [sanctions]
    population: { kind: organization }
    impact:
      confidentiality: { level: moderate, reason: invented }
      integrity: { level: very-low, reason: invented }
      availability: { level: very-low, reason: invented }
"#;

/// Every check of the small model.
pub(super) const CHECKS: [(&str, SubjectKind); 7] = [
    ("forwarding-off", SubjectKind::Tenant),
    ("mfa", SubjectKind::Mailbox),
    ("no-outside-forwarding", SubjectKind::Mailbox),
    ("old-sign-in-closed", SubjectKind::Mailbox),
    ("sanctions", SubjectKind::Attestation),
    ("starttls", SubjectKind::Endpoint),
    ("training", SubjectKind::Attestation),
];

pub(in crate::risk) const TODAY: Date = date(2026, 10, 1);

pub(super) fn known_ids() -> BTreeSet<&'static str> {
    CHECKS.iter().map(|(id, _)| *id).collect()
}

/// The shipped scales without the names for `--require`, whose checks the small model does not have.
pub(super) fn scales() -> String {
    let shipped = include_str!("../../../checks/risk-model/model.yaml");
    let (scales, _) = shipped.split_once("\nrequirements:").unwrap();
    format!("{scales}\nrequirements: {{}}\n")
}

pub(in crate::risk) fn model() -> Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    let read = || {
        let text = scales();
        let model = Source { file: Path::new("model.yaml"), text: &text };
        Model::read(model, Source { file: Path::new("scenarios.yaml"), text: SCENARIOS }, &known_ids()).unwrap()
    };
    MODEL.get_or_init(read).clone()
}

pub(super) fn cards() -> Cards {
    let card = |(id, subject): &(&str, SubjectKind)| Card {
        id: (*id).to_owned(),
        catalogue: None,
        area: "test".to_owned(),
        title: format!("{id} holds"),
        subject: *subject,
        severity: Severity::High,
        cites: vec![Cite { spec: "164.312(d)".to_owned(), supports: Supports::Direct }],
        why: "invented".to_owned(),
        fix: format!("mend {id}"),
    };
    CHECKS.iter().map(|check| (check.0.to_owned(), card(check))).collect()
}

/// What one check concluded: counts of passes, names of those that fail or are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Result {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
    pub(super) unknown: Vec<String>,
    pub(super) not_applicable: usize,
    pub(super) grade: Grade,
}

pub(super) fn passed(passed: usize, grade: Grade) -> Result {
    Result { passed, failed: Vec::new(), unknown: Vec::new(), not_applicable: 0, grade }
}

impl Result {
    pub(super) fn failing(mut self, names: &[&str]) -> Self {
        self.failed.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    pub(super) fn unknown(mut self, names: &[&str]) -> Self {
        self.unknown.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }
}

pub(super) type Results = BTreeMap<&'static str, Result>;

pub(super) fn judgement(results: &Results) -> Judgement {
    let mut judgement = Judgement { findings: Vec::new(), passed: Vec::new(), coverage: BTreeMap::new() };
    for (id, kind) in CHECKS {
        let Some(result) = results.get(id) else {
            judgement.coverage.insert(id.to_owned(), coverage(kind, &passed(0, Grade::U)));
            continue;
        };
        let found = result.failed.iter().map(|name| (name, Outcome::Fail));
        let gap = Gap { missing: Vec::new(), because: NotObserved::Interrupted, to_close: String::new() };
        let missed = result.unknown.iter().map(|name| (name, Outcome::NotAssessed(gap.clone())));
        for (name, outcome) in found.chain(missed) {
            let subject = SubjectId::new(kind, name.clone());
            judgement.findings.push(Finding {
                check: id.to_owned(),
                fingerprint: Fingerprint::of(id, &subject, ""),
                subject,
                outcome,
                severity: Severity::High,
                message: Message { template: String::new(), values: BTreeMap::new().into() },
                evidence: vec![EvidenceId::new("export.mailbox", 1)],
                disposition: Disposition::Open,
            });
        }
        if result.passed > 0 {
            judgement.passed.push(Passed {
                check: id.to_owned(),
                count: result.passed,
                subjects: Vec::new(),
                evidence: vec![EvidenceId::new("export.mailbox", 2)],
                evidence_sha256: String::new(),
                grade: result.grade,
            });
        }
        judgement.coverage.insert(id.to_owned(), coverage(kind, result));
    }
    judgement
}

fn coverage(subject: SubjectKind, result: &Result) -> CheckCoverage {
    let assessed = result.passed + result.failed.len();
    CheckCoverage {
        area: "test".to_owned(),
        subject,
        state: match (assessed, result.unknown.len(), result.not_applicable) {
            (0, 0, 1..) => CoverageState::NotApplicable,
            (0, _, _) => CoverageState::NotAssessed,
            (_, 0, _) => CoverageState::Assessed,
            (_, _, _) => CoverageState::PartlyAssessed,
        },
        passed: result.passed,
        failed: result.failed.len(),
        needs_review: 0,
        not_assessed: result.unknown.len(),
        not_applicable: result.not_applicable,
        because: None,
        grade: if assessed == 0 { Grade::U } else { result.grade },
    }
}

/// Twelve mailboxes `m1` to `m12`, ordinary but for the administrator `m12`; two mail hosts.
pub(in crate::risk) fn clinic() -> Known {
    let mailbox = |number: usize| KnownMailbox {
        name: format!("m{number}@clinic.example"),
        administrator: Some(number == 12),
        holds_phi: Some(false),
        mfa_registered: Some(true),
        mfa_enforced: None,
        ..KnownMailbox::default()
    };
    let members = |count: usize| Members { count, first: Vec::new() };
    Known {
        mailboxes: (1..=12).map(mailbox).collect(),
        folders: Vec::new(),
        individuals: Some(4_200),
        sensitive: None,
        unified_log: None,
        complete: SubjectKind::ALL.into_iter().map(|kind| (kind, true)).collect(),
        members: BTreeMap::from([
            ((SubjectKind::Mailbox, None), members(12)),
            ((SubjectKind::Endpoint, None), members(2)),
            ((SubjectKind::Organization, None), members(1)),
        ]),
    }
}

pub(super) fn folder(mailbox: &str, lower: u64, upper: u64) -> KnownFolder {
    KnownFolder {
        mailbox: Some(mailbox.to_owned()),
        individuals_lower: Some(lower),
        individuals_upper: Some(upper),
        not_inspected: Some(0),
        oldest_days: Some(400),
        within_a_year: None,
        sensitive: Some(Vec::new()),
    }
}

pub(super) fn analyse(results: &Results, known: &Known) -> RiskAnalysis {
    analyse_known(&model(), &cards(), &judgement(results), known, TODAY)
}

pub(super) fn risk<'a>(analysis: &'a RiskAnalysis, scenario: &str) -> &'a Risk {
    analysis.risks.iter().find(|risk| risk.scenario == scenario).unwrap()
}
