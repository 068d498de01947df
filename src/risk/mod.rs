//! The risk analysis: scenarios with likelihood, impact and evidence, and the plan that follows.
//!
//! The unit is the scenario (asset, threat, vulnerability), never the failed check. Scales,
//! matrices and credits are data in `checks/risk-model/`; no number stands in code.

mod analysis;
mod card;
mod control;
pub(crate) mod exposure;
mod impact;
mod known;
mod likelihood;
mod model;
mod needed;
mod plan;
mod rule;
mod scenario;
mod statement;

pub use analysis::analyse;
pub use card::{Card, Cards, cards};
pub use exposure::{Change, Exposure, Logs, Notice, Opened, Within};
pub use model::{LikelihoodRule, Model, Source};
pub use needed::{EvidenceItem, Remaining};
pub use rule::{Category, RuleEntry, RuleKind, RuleObligation, SecurityRule};
pub use scenario::{Scenario, ThreatSource, Verified};

use serde::{Deserialize, Serialize};

use crate::assess::Grade;
use crate::finding::{Fingerprint, Severity};

/// The five levels of NIST SP 800-30r1, used for likelihood, impact and risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    VeryLow,
    Low,
    Moderate,
    High,
    VeryHigh,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 5] = [Self::VeryLow, Self::Low, Self::Moderate, Self::High, Self::VeryHigh];

    /// The words for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::VeryLow => "very low",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::VeryHigh => "very high",
        }
    }

    /// 0 for very low to 4 for very high.
    pub const fn index(self) -> usize {
        match self {
            Self::VeryLow => 0,
            Self::Low => 1,
            Self::Moderate => 2,
            Self::High => 3,
            Self::VeryHigh => 4,
        }
    }

    /// So many steps lower, at most to very low.
    pub const fn lowered(self, steps: usize) -> Self {
        Self::ALL[self.index().saturating_sub(steps)]
    }

    /// So many steps higher, at most to very high.
    pub fn raised(self, steps: usize) -> Self {
        Self::ALL[self.index().saturating_add(steps).min(Self::VeryHigh.index())]
    }
}

/// How much work an item of the plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    Small,
    Medium,
    Large,
}

impl Effort {
    /// Every size, smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// Likelihood, impact and the risk they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub likelihood: Level,
    pub impact: Level,
    pub risk: Level,
}

/// One row of the risk register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// Stable: UUID v5 over scenario and asset group.
    pub id: String,
    /// The scenario's id in the model.
    pub scenario: String,
    pub title: String,
    /// Asset, threat, weakness and consequence in one or two sentences, with the numbers known.
    pub statement: String,
    pub assets: Vec<String>,
    pub threat: String,
    /// The failed and unassessed findings it rests on.
    pub vulnerabilities: Vec<Fingerprint>,
    /// The checks that lower it and held, by id.
    pub controls: Vec<String>,
    pub inherent: Position,
    pub residual: Position,
    pub target: Position,
    /// The worst grade of evidence that earned credit; U where nothing did, where a way is open, and
    /// where nobody knows how many individuals.
    pub confidence: Grade,
    /// What the impact rests on: a scan (C), what the scope or the model states (E), nothing (U).
    pub impact_grade: Grade,
    /// Inputs whose one-step move would change the residual level.
    pub tips_on: Vec<String>,
    /// From inputs to level, one step a line.
    pub explain: Vec<String>,
    /// `mitigate`, `accept`, `transfer`, `avoid`; `undecided` until somebody decides.
    pub treatment: String,
    pub owner: Option<String>,
    pub due: Option<jiff::civil::Date>,
}

/// One item of the risk management plan (45 CFR 164.308(a)(1)(ii)(B)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    /// Stable: UUID v5 over the check.
    pub id: String,
    pub check: String,
    pub action: String,
    pub specs: Vec<String>,
    pub risks: Vec<String>,
    pub findings: Vec<Fingerprint>,
    /// `small`, `medium`, `large`.
    pub effort: String,
    /// The check's severity.
    pub severity: Severity,
    /// How many subjects fail and nobody accepted it.
    pub subjects: usize,
    /// Steps of risk level removed over all risks if this item alone were done, from re-running the model.
    pub reduction: u32,
    /// Steps of the chance of success removed likewise: what an item does that needs others to show.
    pub eases: u32,
    pub owner: Option<String>,
    pub due: Option<jiff::civil::Date>,
    pub status: String,
    /// How often its due date was moved to a later day, as the plan says.
    pub deferrals: u32,
    pub milestones: Vec<crate::evidence::decisions::Milestone>,
    pub comment: Option<String>,
}

/// The whole risk analysis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskAnalysis {
    /// `1.0 (lower-of-both)`: the version and the rule for likelihood.
    pub model: String,
    /// Worst residual first.
    pub risks: Vec<Risk>,
    /// Most risk removed per effort first.
    pub plan: Vec<PlanItem>,
    /// Evidence to supply, what would change most first.
    pub evidence_needed: Vec<EvidenceItem>,
    /// Risks that are high or more after the plan, worst first.
    pub remaining: Vec<Remaining>,
    /// By mailbox, the worst first.
    pub exposure: Vec<Exposure>,
    /// Scenarios that cannot happen here, by id.
    pub not_applicable: Vec<RiskNotApplicable>,
}

/// A scenario that cannot happen here, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskNotApplicable {
    pub scenario: String,
    pub title: String,
    pub because: String,
}

#[cfg(test)]
mod tests;
