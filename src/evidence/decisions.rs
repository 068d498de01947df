//! What the organization decided, as its own files say it: how risks are treated, which are
//! accepted, which addressable specifications are not implemented as they stand, which findings
//! are excepted, who carries out which item of the plan, and who signed.
//!
//! Only what the files say. Whether a decision still holds is judged later, against `as_of`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::risk::Level;

/// The organization's decisions, from `decisions.yaml`, `exceptions.yaml` and `plan.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    /// SHA-256 by file name; only files that were there.
    pub files: BTreeMap<String, String>,
    /// The level of risk management accepts without a decision of its own.
    pub appetite: Option<Appetite>,
    /// Levels of the model that the organization moved, each with a reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub estimates: Vec<Estimate>,
    pub treatments: Vec<Treatment>,
    pub acceptances: Vec<Acceptance>,
    pub addressable: Vec<AddressableRecord>,
    pub exceptions: Vec<Exception>,
    pub plan: Vec<PlanEntry>,
    pub signatures: Vec<Signature>,
    /// The day of the next review (45 CFR 164.306(e)).
    pub next_review: Option<Date>,
}

/// Who decided, and when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Decided {
    pub by: String,
    pub role: String,
    pub on: Date,
}

/// The highest level of risk that needs no decision of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appetite {
    pub level: Level,
    pub decided: Decided,
}

/// The organization's own level in place of the model's, with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// The scenario's id.
    pub risk: String,
    pub input: EstimatedInput,
    pub level: Level,
    pub reason: String,
    pub decided: Decided,
    pub expires: Date,
    /// Line in `decisions.yaml`.
    pub line: u64,
}

/// Which level of a scenario is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatedInput {
    /// How likely an attempt or accident is within a year.
    Attempt,
    /// How likely it succeeds where no control stands against it.
    Success,
}

impl EstimatedInput {
    /// The words in documents.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Attempt => "likelihood of an attempt",
            Self::Success => "chance of success without controls",
        }
    }
}

/// What is done about one risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Treatment {
    /// The scenario's id.
    pub risk: String,
    pub treatment: TreatmentWord,
    pub owner: String,
    pub due: Option<Date>,
    /// Line in `decisions.yaml`.
    pub line: u64,
}

/// What can be done about a risk, besides accepting it, which takes a record of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreatmentWord {
    Avoid,
    Mitigate,
    Transfer,
}

impl TreatmentWord {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avoid => "avoid",
            Self::Mitigate => "mitigate",
            Self::Transfer => "transfer",
        }
    }
}

/// A risk that is accepted for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The scenario's id.
    pub risk: String,
    /// The level that was accepted; a higher one reopens the risk.
    pub level: Level,
    pub reason: String,
    pub decided: Decided,
    pub expires: Date,
    /// Line in `decisions.yaml`.
    pub line: u64,
}

/// What was decided of an addressable specification (45 CFR 164.306(d)(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressableWord {
    /// An equivalent measure stands in its place.
    Alternative,
    /// It is implemented as it stands.
    Implemented,
    /// The standard is met without it.
    StandardMetOtherwise,
}

impl AddressableWord {
    /// The words in documents.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Alternative => "an alternative measure",
            Self::Implemented => "implemented as it stands",
            Self::StandardMetOtherwise => "the standard is met without it",
        }
    }
}

/// The four factors of 45 CFR 164.306(b)(2), each weighed in writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// (i) Size, complexity and capabilities.
    pub size_complexity_capabilities: String,
    /// (ii) Technical infrastructure, hardware and software.
    pub technical_infrastructure: String,
    /// (iii) Costs of security measures.
    pub costs: String,
    /// (iv) Probability and criticality of potential risks.
    pub probability_and_criticality: String,
}

/// The record of a decision on an addressable specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressableRecord {
    /// `164.312(a)(2)(iii)`.
    pub spec: String,
    pub decision: AddressableWord,
    /// What it covers.
    pub scope: String,
    /// Why the specification as it stands is not reasonable and appropriate.
    pub why: String,
    /// `None` only where the specification is implemented as it stands.
    pub factors: Option<Factors>,
    pub alternative: Option<String>,
    /// A document that shows the alternative, and its SHA-256 at collection.
    pub evidence_file: Option<String>,
    pub evidence_sha256: Option<String>,
    /// The scenario that remains.
    pub risk: Option<String>,
    pub decided: Decided,
    pub expires: Date,
    /// Line in `decisions.yaml`.
    pub line: u64,
}

/// Findings that are accepted as they are, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    pub check: String,
    /// Exact names; there is no pattern, so that nothing is excepted by accident.
    pub subjects: Vec<String>,
    pub owner: String,
    pub reason: String,
    pub on: Date,
    pub expires: Date,
    /// Line in `exceptions.yaml`.
    pub line: u64,
}

/// How far an item of the plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanStatus {
    Deferred,
    Done,
    InProgress,
    Open,
}

impl PlanStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Deferred, Self::Done, Self::InProgress, Self::Open];

    /// The word in documents and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deferred => "deferred",
            Self::Done => "done",
            Self::InProgress => "in-progress",
            Self::Open => "open",
        }
    }
}

/// A step on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestone {
    pub what: String,
    pub due: Date,
    pub done: Option<Date>,
}

/// What people say of one item of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// The check that the item is about.
    pub check: String,
    pub owner: Option<String>,
    pub due: Option<Date>,
    pub status: PlanStatus,
    /// How often the due date was moved to a later day.
    pub deferrals: u32,
    pub milestones: Vec<Milestone>,
    pub comment: Option<String>,
    /// Line in `plan.yaml`.
    pub line: u64,
}

/// In which office somebody signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Office {
    Management,
    PrivacyOfficial,
    SecurityOfficial,
}

impl Office {
    /// Every office, in the order of the signature page.
    pub const ALL: [Self; 3] = [Self::SecurityOfficial, Self::PrivacyOfficial, Self::Management];

    /// The words on the signature page.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Management => "Management",
            Self::PrivacyOfficial => "Privacy official (45 CFR 164.530(a)(1))",
            Self::SecurityOfficial => "Security official (45 CFR 164.308(a)(2))",
        }
    }
}

/// Somebody signed the analysis made from certain evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub office: Office,
    pub name: String,
    pub on: Date,
    /// The evidence digest printed on the signature page, or its first 12 characters or more:
    /// a signature is good for that analysis only.
    pub evidence_digest: String,
}
