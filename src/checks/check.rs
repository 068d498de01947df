//! The YAML type of a check.

use serde::{Deserialize, Serialize};

use crate::finding::Severity;
use crate::names::SubjectKind;

/// One question about one kind of subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// States the good condition: `dmarc-enforced`.
    pub id: String,
    /// The id in a reference catalogue, such as FWD-001.
    pub catalogue: Option<String>,
    /// The folder the file lies in: `transport`, `sender-identity`, …
    pub area: String,
    pub title: String,
    pub subject: SubjectKind,
    pub severity: Severity,
    pub cites: Vec<Cite>,
    /// One sentence with `{{path}}` holes.
    pub finding: String,
    pub why: String,
    pub fix: String,
    /// What a person has to decide, for checks with `review_when`.
    pub question: Option<String>,
    pub references: Vec<String>,
    /// The first version that had it.
    pub since: String,
    /// Added by the organization, not shipped with the program.
    pub own: bool,
}

/// A paragraph of the Security Rule and how far this check speaks to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cite {
    pub spec: String,
    pub supports: Supports,
}

/// Indirect citations alone never make a specification "evidenced".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supports {
    Direct,
    Indirect,
}

/// Every check, by id.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub checks: std::collections::BTreeMap<String, Check>,
}
