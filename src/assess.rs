//! Checks times subjects gives outcomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checks::Catalog;
use crate::evidence::EvidenceId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::names::SubjectKind;

/// What kind of evidence a conclusion rests on; the worst of several counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Probed now and repeatable.
    A,
    /// An export of a system, hashed.
    B,
    /// Mail content, counted.
    C,
    /// Attested, with a file.
    D,
    /// Attested only.
    E,
    /// Unknown.
    U,
}

/// Everything the checks concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Fail, needs review and not assessed, sorted by severity (worst first), check, subject.
    pub findings: Vec<Finding>,
    /// One entry for each check that any subject passed.
    pub passed: Vec<Passed>,
    /// One entry for each check, by id.
    pub coverage: BTreeMap<String, CheckCoverage>,
}

/// A control in place: the subjects that passed one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub check: String,
    pub count: usize,
    /// The first 20, by name.
    pub subjects: Vec<String>,
    /// The first 20 observations it rests on.
    pub evidence: Vec<EvidenceId>,
    /// SHA-256 over all observations it rests on, by id.
    pub evidence_sha256: String,
    pub grade: Grade,
}

/// How far one check could be assessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCoverage {
    /// The folder it lies in: `transport`, `sender-identity`, …
    pub area: String,
    pub subject: SubjectKind,
    pub state: CoverageState,
    pub passed: usize,
    pub failed: usize,
    pub needs_review: usize,
    pub not_assessed: usize,
    pub not_applicable: usize,
    /// Why it does not apply, or was not provided.
    pub because: Option<String>,
    /// The worst grade of evidence among the assessed subjects.
    pub grade: Grade,
}

/// Coverage counts checks: one is assessed when every subject of a declared source was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageState {
    Assessed,
    NotApplicable,
    NotAssessed,
    /// The scope names no source for it; it lowers no figure.
    NotProvided,
    PartlyAssessed,
}

/// Judges every subject by every check about its kind.
pub fn assess(catalog: &Catalog, facts: &Facts) -> Result<Judgement, CheckBroken> {
    let _ = (catalog, facts);
    Ok(Judgement { findings: Vec::new(), passed: Vec::new(), coverage: BTreeMap::new() })
}

/// A check that cannot be evaluated: our bug, loud, and neither a pass nor a fail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("check {check} cannot be evaluated: {why}; please report this")]
pub struct CheckBroken {
    pub check: String,
    pub why: String,
}
