//! `diff`, version 1: what changed between two assessments.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::words::{ChangeClass, Level, Outcome, Severity};
use super::{Subject, Tool};

/// What changed between two assessments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// 1.
    pub schema: u32,
    /// `diff`.
    pub kind: String,
    pub from: Side,
    pub to: Side,
    /// Findings by class; every class is here. Risks are counted apart.
    pub counts: BTreeMap<String, usize>,
    /// By class in reading order, then severity (worst first), check and subject.
    pub changes: Vec<Change>,
    /// Risks whose residual level is another, by id.
    pub risks: Vec<RiskChange>,
    /// Differences of method: none of them is an improvement.
    pub method: Vec<MethodChange>,
}

/// One of the two assessments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub as_of: Timestamp,
    pub evidence_digest: String,
    pub tool: Tool,
    /// The coverage figure, in percent.
    pub coverage: u32,
}

/// What became of one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub class: ChangeClass,
    pub check: String,
    pub title: String,
    /// `None` where the change is of the check as a whole.
    pub subject: Option<Subject>,
    pub fingerprint: Option<String>,
    pub severity: Severity,
    /// `None` where there was nothing to judge.
    pub before: Option<Outcome>,
    pub after: Option<Outcome>,
    /// One sentence for people.
    pub why: String,
}

/// What became of one risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskChange {
    /// `worsened`, `improved`, `added`, `gone` or `method-changed`.
    pub class: ChangeClass,
    pub id: String,
    pub title: String,
    pub before: Option<Level>,
    pub after: Option<Level>,
    pub why: String,
}

/// One difference of method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodChange {
    /// `tool`, `catalogue`, `risk model`, `checks`.
    pub what: String,
    pub before: String,
    pub after: String,
}
