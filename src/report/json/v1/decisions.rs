//! What the organization decided, as the document tells it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Grade, Level};
use crate::decisions::{Standing, Weighed, Weights};
use crate::evidence::Evidence;
use crate::evidence::decisions::{Decided, Factors, Milestone, Office, PlanStatus};
use crate::evidence::{EvidenceId, decisions};

pub use crate::decisions::{Due, DueKind};

/// Everything that was decided, and how it stands on the day of the assessment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    /// The observation it was read into; `None` where the client's folder holds no such file.
    pub evidence: Option<String>,
    /// `decisions.yaml`, `exceptions.yaml`, `plan.yaml`, each with its SHA-256.
    pub files: Vec<(String, String)>,
    pub appetite: Option<Appetite>,
    pub acceptances: Vec<Acceptance>,
    pub addressable: Vec<AddressableRecord>,
    pub exceptions: Vec<Exception>,
    /// Items of the plan whose check fails nowhere any more, or nowhere that was looked at.
    pub closed: Vec<ClosedItem>,
    pub signatures: Vec<Signature>,
    pub next_review: Option<Date>,
    /// Everything with a day, the nearest first.
    pub due: Vec<Due>,
}

/// The highest level of risk management accepts without a decision of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appetite {
    pub level: Level,
    pub decided: Decided,
}

/// An accepted risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The scenario's id.
    pub risk: String,
    pub level: Level,
    pub reason: String,
    pub decided: Decided,
    pub expires: Date,
    pub standing: Standing,
    pub why: String,
}

/// The record of a decision on an addressable specification (45 CFR 164.306(d)(3)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressableRecord {
    pub spec: String,
    /// `alternative`, `implemented`, `standard-met-otherwise`.
    pub decision: decisions::AddressableWord,
    pub scope: String,
    pub reason: String,
    pub factors: Option<Factors>,
    pub alternative: Option<String>,
    pub evidence_file: Option<String>,
    pub evidence_sha256: Option<String>,
    pub risk: Option<String>,
    pub decided: Decided,
    pub expires: Date,
    pub standing: Standing,
}

/// Findings accepted as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    pub check: String,
    pub subjects: Vec<String>,
    pub owner: String,
    pub reason: String,
    pub on: Date,
    pub expires: Date,
    pub standing: Standing,
    pub why: String,
}

/// An item of the plan with nothing left to do, or nothing that a scan could see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedItem {
    pub check: String,
    pub owner: Option<String>,
    #[serde(default)]
    pub due: Option<Date>,
    /// What people say of it; `None` in documents of before this was kept.
    #[serde(default)]
    pub status: Option<PlanStatus>,
    #[serde(default)]
    pub deferrals: u32,
    #[serde(default)]
    pub milestones: Vec<Milestone>,
    #[serde(default)]
    pub comment: Option<String>,
    /// Over the observations on which every subject passed; `None` where no scan shows it.
    pub evidence_sha256: Option<String>,
    pub grade: Grade,
    pub why: String,
}

/// Somebody signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub office: Office,
    pub name: String,
    pub on: Date,
    pub evidence_digest: String,
    /// Whether it was given for this evidence; one for other evidence signs nothing here.
    pub counts: bool,
}

impl Decisions {
    /// Joins what was given with how it stands. A decision made into evidence changes that
    /// evidence's digest, so a signature may name the collection it was given for: it counts where
    /// the others add nothing but decisions.
    pub(super) fn new(evidence: &Evidence, weights: &Weights, due: &[Due]) -> Self {
        let Some((id, given)) = evidence.decisions() else {
            return Self { due: due.to_vec(), ..Self::default() };
        };
        let counts = |digest: &str| evidence.digest.starts_with(digest) || evidence.rests_on(digest);
        Self {
            evidence: Some(EvidenceId::as_str(id).to_owned()),
            files: given.files.iter().map(|(name, sha256)| (name.clone(), sha256.clone())).collect(),
            appetite: given
                .appetite
                .as_ref()
                .map(|appetite| Appetite { level: appetite.level.into(), decided: appetite.decided.clone() }),
            acceptances: weights.acceptances.iter().map(Acceptance::from).collect(),
            addressable: weights.addressable.iter().map(AddressableRecord::from).collect(),
            exceptions: weights.exceptions.iter().map(Exception::from).collect(),
            closed: weights
                .closed
                .iter()
                .map(|item| ClosedItem {
                    check: item.entry.check.clone(),
                    owner: item.entry.owner.clone(),
                    due: item.entry.due,
                    status: Some(item.entry.status),
                    deferrals: item.entry.deferrals,
                    milestones: item.entry.milestones.clone(),
                    comment: item.entry.comment.clone(),
                    evidence_sha256: item.evidence_sha256.clone(),
                    grade: item.grade.into(),
                    why: item.why.clone(),
                })
                .collect(),
            signatures: given
                .signatures
                .iter()
                .map(|signature| Signature {
                    office: signature.office,
                    name: signature.name.clone(),
                    on: signature.on,
                    evidence_digest: signature.evidence_digest.clone(),
                    counts: counts(&signature.evidence_digest),
                })
                .collect(),
            next_review: given.next_review,
            due: due.to_vec(),
        }
    }
}

impl From<&Weighed<decisions::Acceptance>> for Acceptance {
    fn from(weighed: &Weighed<decisions::Acceptance>) -> Self {
        let acceptance = &weighed.decision;
        Self {
            risk: acceptance.risk.clone(),
            level: acceptance.level.into(),
            reason: acceptance.reason.clone(),
            decided: acceptance.decided.clone(),
            expires: acceptance.expires,
            standing: weighed.standing,
            why: weighed.why.clone(),
        }
    }
}

impl From<&Weighed<decisions::AddressableRecord>> for AddressableRecord {
    fn from(weighed: &Weighed<decisions::AddressableRecord>) -> Self {
        let record = weighed.decision.clone();
        Self {
            spec: record.spec,
            decision: record.decision,
            scope: record.scope,
            reason: record.why,
            factors: record.factors,
            alternative: record.alternative,
            evidence_file: record.evidence_file,
            evidence_sha256: record.evidence_sha256,
            risk: record.risk,
            decided: record.decided,
            expires: record.expires,
            standing: weighed.standing,
        }
    }
}

impl From<&Weighed<decisions::Exception>> for Exception {
    fn from(weighed: &Weighed<decisions::Exception>) -> Self {
        let exception = weighed.decision.clone();
        Self {
            check: exception.check,
            subjects: exception.subjects,
            owner: exception.owner,
            reason: exception.reason,
            on: exception.on,
            expires: exception.expires,
            standing: weighed.standing,
            why: weighed.why.clone(),
        }
    }
}
