//! What one check says as a control: on how many of its group it was found effective, how sure
//! that is, and what it takes off the chance of success. It knows nothing of scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::card::Cards;
use super::impact::Scanned;
use super::known::Known;
use super::model::{Credits, Model};
use crate::assess::{CoverageState, Grade, Judgement};
use crate::evidence::EvidenceId;
use crate::finding::{Disposition, Finding, Fingerprint, Outcome};
use crate::names::SubjectKind;

/// One check, counted over its subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) check: String,
    pub(super) subject: SubjectKind,
    pub(super) passed: usize,
    /// Failing, and nobody accepted it: an item of the plan.
    pub(super) open: usize,
    /// Failing, and accepted for now.
    pub(super) accepted: usize,
    /// Not assessed, or waiting for a person.
    pub(super) unknown: usize,
    /// Whether the check was judged at all, and every subject of it was known.
    pub(super) group_known: bool,
    pub(super) not_applicable: bool,
    pub(super) grade: Grade,
    /// A subject that fails, or may fail, is or may be privileged or heavy with PHI.
    pub(super) open_on_heavy: bool,
    pub(super) unknown_on_heavy: bool,
    /// Shared, since a control is copied to see what mending it would change.
    pub(super) findings: Arc<[Fingerprint]>,
    pub(super) evidence: Arc<[EvidenceId]>,
}

/// What a control takes off the chance of success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Credit {
    pub(super) steps: usize,
    /// Why no more.
    pub(super) why: &'static str,
}

impl Control {
    /// Subjects it applies to.
    pub(super) fn group(&self) -> usize {
        self.passed + self.failed() + self.unknown
    }

    /// Subjects that fail, accepted or not.
    pub(super) fn failed(&self) -> usize {
        self.open + self.accepted
    }

    /// Whether anything was learned of it.
    pub(super) fn seen(&self) -> bool {
        self.passed + self.failed() > 0
    }

    /// Whether it applies, and part of its group is not known.
    pub(super) fn is_unknown(&self) -> bool {
        !self.not_applicable && (self.unknown > 0 || !self.group_known || self.group() == 0)
    }

    /// Whether it rests on what people say, with a file or without, not on a measurement.
    pub(super) fn attested(&self) -> bool {
        match self.grade {
            Grade::A | Grade::B | Grade::C => false,
            Grade::D | Grade::E | Grade::U => true,
        }
    }

    /// The same control after its open failures were mended.
    pub(super) fn mended(&self) -> Self {
        Self {
            passed: self.passed + self.open,
            open: 0,
            open_on_heavy: self.open_on_heavy && self.accepted > 0,
            ..self.clone()
        }
    }

    /// The same control if what is not known of it were shown to hold. Evidence nobody has yet
    /// counts as what its subject would give at best.
    pub(super) fn shown(&self) -> Self {
        let unseen = self.group() == 0;
        let at_best = if self.subject.is_stated() { Grade::D } else { Grade::B };
        Self {
            passed: self.passed + self.unknown + usize::from(unseen),
            unknown: 0,
            group_known: true,
            unknown_on_heavy: false,
            grade: if self.seen() { self.grade } else { at_best },
            ..self.clone()
        }
    }

    /// The same control as it would be if it held everywhere.
    pub(super) fn ideal(&self) -> Self {
        Self {
            passed: self.group().max(1),
            open: 0,
            accepted: 0,
            unknown: 0,
            group_known: true,
            open_on_heavy: false,
            unknown_on_heavy: false,
            grade: if self.subject.is_stated() { Grade::D } else { Grade::A },
            ..self.clone()
        }
    }

    /// What it takes off as a primary control. Only for controls that apply.
    pub(super) fn primary_credit(&self, credits: &Credits) -> Credit {
        let none = |why| Credit { steps: 0, why };
        if !self.group_known || self.group() == 0 {
            return none("not known on how many it holds");
        }
        let covered = self.passed as u64 * 100;
        let reaches = |percent: u64| covered >= percent * self.group() as u64;
        let uncovered = self.passed < self.group();
        if uncovered && (self.open_on_heavy || self.unknown_on_heavy) {
            return none("one without it is, or may be, privileged or heavy with PHI");
        }
        match credits.primary.iter().find(|row| reaches(row.at_least_percent)) {
            Some(row) if uncovered => Credit { steps: row.steps, why: "not on all" },
            Some(row) => Credit { steps: row.steps, why: "on all" },
            None => none("on too few"),
        }
    }

    /// Whether it counts as a compensating control. Only for controls that apply.
    pub(super) fn compensates(&self, credits: &Credits) -> bool {
        let covered = self.passed as u64 * 100;
        let enough = covered >= credits.compensating.at_least_percent * self.group() as u64;
        self.group_known && self.passed > 0 && enough && !self.open_on_heavy && !self.unknown_on_heavy
    }
}

/// Every check as a control, by id.
pub(super) fn controls(
    model: &Model,
    cards: &Cards,
    judgement: &Judgement,
    known: &Known,
    scanned: &Scanned,
) -> BTreeMap<String, Control> {
    let heavy = HeavyMailboxes::find(model, known, scanned);
    let mut findings: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &judgement.findings {
        findings.entry(&finding.check).or_default().push(finding);
    }
    let passed: BTreeMap<&str, &[EvidenceId]> =
        judgement.passed.iter().map(|passed| (passed.check.as_str(), passed.evidence.as_slice())).collect();
    let ids: BTreeSet<&str> = model.scenarios.iter().flat_map(|scenario| scenario.checks()).collect();
    let ids = ids.into_iter().chain(cards.keys().map(String::as_str)).collect::<BTreeSet<_>>();
    ids.into_iter()
        .map(|id| {
            let about = findings.get(id).map_or(&[][..], Vec::as_slice);
            (id.to_owned(), control(id, cards, judgement, known, about, passed.get(id).copied(), &heavy))
        })
        .collect()
}

fn control(
    id: &str,
    cards: &Cards,
    judgement: &Judgement,
    known: &Known,
    findings: &[&Finding],
    passed: Option<&[EvidenceId]>,
    heavy: &HeavyMailboxes,
) -> Control {
    let coverage = judgement.coverage.get(id);
    let subject = cards.get(id).map_or(SubjectKind::Organization, |card| card.subject);
    let mut control = Control {
        check: id.to_owned(),
        subject,
        passed: coverage.map_or(0, |coverage| coverage.passed),
        open: 0,
        accepted: 0,
        unknown: 0,
        group_known: match coverage.map(|coverage| coverage.state) {
            Some(CoverageState::Assessed | CoverageState::PartlyAssessed | CoverageState::NotApplicable) => {
                known.is_complete(subject)
            }
            Some(CoverageState::NotAssessed | CoverageState::NotProvided) | None => false,
        },
        not_applicable: coverage.is_some_and(|coverage| coverage.state == CoverageState::NotApplicable),
        grade: coverage.map_or(Grade::U, |coverage| coverage.grade),
        open_on_heavy: false,
        unknown_on_heavy: false,
        findings: Arc::default(),
        evidence: Arc::default(),
    };
    let mut fingerprints = BTreeSet::new();
    let mut evidence: BTreeSet<EvidenceId> = passed.unwrap_or_default().iter().cloned().collect();
    for finding in findings {
        let on_heavy = mailbox_of(finding).is_some_and(|mailbox| heavy.may_be(mailbox));
        match &finding.outcome {
            Outcome::Fail => {
                match finding.disposition {
                    Disposition::Accepted { .. } => control.accepted += 1,
                    Disposition::Lapsed | Disposition::Open => control.open += 1,
                }
                control.open_on_heavy |= on_heavy;
            }
            Outcome::NeedsReview { .. } | Outcome::NotAssessed(_) => {
                control.unknown += 1;
                control.unknown_on_heavy |= on_heavy;
            }
            Outcome::NotApplicable { .. } | Outcome::Pass => continue,
        }
        fingerprints.insert(finding.fingerprint.clone());
        evidence.extend(finding.evidence.iter().cloned());
    }
    // A failing or unassessed subject overrules a state that was summed up.
    control.not_applicable &= control.group() == 0;
    control.findings = fingerprints.into_iter().collect();
    control.evidence = evidence.into_iter().collect();
    control
}

/// The mailbox that a finding is about: rules and ways out are named after the one they belong to.
fn mailbox_of(finding: &Finding) -> Option<&str> {
    let name = finding.subject.name.as_str();
    match finding.subject.kind {
        SubjectKind::ForwardingPath => name.split_once(" -> ").map(|(mailbox, _)| mailbox),
        SubjectKind::ForwardingRule => name.rsplit_once('/').map(|(mailbox, _)| mailbox),
        SubjectKind::Mailbox => Some(name),
        SubjectKind::Attestation
        | SubjectKind::ContentFolder
        | SubjectKind::Domain
        | SubjectKind::Endpoint
        | SubjectKind::ExportFile
        | SubjectKind::Organization
        | SubjectKind::Partner
        | SubjectKind::Register
        | SubjectKind::Tenant
        | SubjectKind::Vendor => None,
    }
}

/// Mailboxes known to be ordinary: neither an administrator's nor heavy with PHI. Every other
/// one, and one nobody knows, may be either.
struct HeavyMailboxes {
    ordinary: BTreeSet<String>,
}

impl HeavyMailboxes {
    fn find(model: &Model, known: &Known, scanned: &Scanned) -> Self {
        let light = |name: &str| {
            let individuals = scanned.of(name).map(|volume| volume.upper);
            individuals.is_none_or(|individuals| individuals < model.impact.heavy_mailbox_individuals)
        };
        let ordinary = known
            .mailboxes
            .iter()
            .filter(|mailbox| {
                mailbox.administrator == Some(false) && mailbox.holds_phi == Some(false) && light(&mailbox.name)
            })
            .map(|mailbox| mailbox.name.clone())
            .collect();
        Self { ordinary }
    }

    fn may_be(&self, mailbox: &str) -> bool {
        !self.ordinary.contains(mailbox)
    }
}
