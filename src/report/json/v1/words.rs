//! The closed vocabularies of the documents. They repeat the engine's enums on purpose: a rename
//! there must not change a file here.

use serde::{Deserialize, Serialize};

/// How bad it is if a check fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What a check concluded about one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Fail,
    NeedsReview,
    NotApplicable,
    NotAssessed,
    Pass,
}

impl Outcome {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NeedsReview => "needs-review",
            Self::NotApplicable => "not-applicable",
            Self::NotAssessed => "not-assessed",
            Self::Pass => "pass",
        }
    }
}

/// What kind of evidence a statement rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Probed and repeatable.
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

impl Grade {
    /// The letter in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::U => "U",
        }
    }

    /// What the letter stands for.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::A => "probed and repeatable",
            Self::B => "system export, hashed",
            Self::C => "mail content, counted",
            Self::D => "attested, with a file",
            Self::E => "attested only",
            Self::U => "unknown",
        }
    }
}

/// The five levels of NIST SP 800-30r1.
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

    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Moderate => "moderate",
            Self::High => "high",
            Self::VeryHigh => "very-high",
        }
    }

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
}

/// How far a check could be assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageState {
    Assessed,
    NotApplicable,
    NotAssessed,
    /// The scope names no source for it; it lowers no figure.
    NotProvided,
    PartlyAssessed,
}

impl CoverageState {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assessed => "assessed",
            Self::NotApplicable => "not-applicable",
            Self::NotAssessed => "not-assessed",
            Self::NotProvided => "not-provided",
            Self::PartlyAssessed => "partly-assessed",
        }
    }
}

/// How far a check speaks to the paragraph it cites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Supports {
    Direct,
    Indirect,
}

/// Whether one of the nine elements of HHS's 2010 guidance is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ElementState {
    Filled,
    Incomplete,
}

/// 45 CFR 164.306(d): what an implementation specification asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obligation {
    Addressable,
    Required,
    /// A standard; its specifications carry the obligation.
    Standard,
}

/// What the evidence says of a standard or specification. Never "met" or "compliant".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecificationState {
    /// People say so; nothing was measured.
    Attested,
    /// Evidence contradicts it.
    Contradicted,
    /// Evidence supports a part of it and contradicts another.
    ContradictedInPart,
    /// Evidence that speaks to it directly supports it, within the scope assessed.
    Evidenced,
    /// Nothing was learned.
    NotAssessed,
    /// Evidence supports a part, or speaks to it indirectly only.
    Partly,
}

impl SpecificationState {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attested => "attested",
            Self::Contradicted => "contradicted",
            Self::ContradictedInPart => "contradicted-in-part",
            Self::Evidenced => "evidenced",
            Self::NotAssessed => "not-assessed",
            Self::Partly => "partly",
        }
    }
}

/// What became of a finding, a subject or a risk between two assessments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeClass {
    /// An acceptance ran out, or no longer covers the finding.
    AcceptanceLapsed,
    /// Fails now; the subject was not there before.
    Added,
    /// The subject is no longer there.
    Gone,
    /// Milder than before: lower severity, or a question where there was a failure.
    Improved,
    /// Another catalogue, model or rule; never counted as better or worse.
    MethodChanged,
    /// Was assessed before and is not now.
    NewlyBlind,
    /// Was not assessed before and is now.
    NewlySeen,
    /// Fails again after it had been resolved.
    Reopened,
    /// Failed before; the check ran, the subject is there, and it no longer fails.
    Resolved,
    /// Passed before and fails now, or fails with a higher severity.
    Worsened,
}

impl ChangeClass {
    /// Every class, in the order in which a reader wants them.
    pub const ALL: [Self; 10] = [
        Self::Worsened,
        Self::Reopened,
        Self::Added,
        Self::AcceptanceLapsed,
        Self::NewlyBlind,
        Self::NewlySeen,
        Self::Resolved,
        Self::Improved,
        Self::Gone,
        Self::MethodChanged,
    ];

    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AcceptanceLapsed => "acceptance-lapsed",
            Self::Added => "added",
            Self::Gone => "gone",
            Self::Improved => "improved",
            Self::MethodChanged => "method-changed",
            Self::NewlyBlind => "newly-blind",
            Self::NewlySeen => "newly-seen",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::Worsened => "worsened",
        }
    }
}
