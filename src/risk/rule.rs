//! The standards and specifications of the Security Rule, as an index (45 CFR 164.302 to 164.318).
//!
//! Titles and obligations only; what evidence says of them is the assessment's work.

use std::path::Path;

use serde::Deserialize;

use crate::yaml::{self, Located};

const FILE: &str = "checks/frameworks/security-rule.yaml";

/// The index, in the order of the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityRule {
    /// The day the index was compiled.
    pub compiled: String,
    pub entries: Vec<RuleEntry>,
}

/// One paragraph.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RuleEntry {
    /// `164.312(e)(2)(ii)`.
    pub id: String,
    pub title: String,
    pub category: Category,
    pub kind: RuleKind,
    pub obligation: RuleObligation,
    /// The standard a specification belongs to.
    pub parent: Option<String>,
}

/// The part of the rule a paragraph stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    Administrative,
    Documentation,
    General,
    Organizational,
    Physical,
    Technical,
}

impl Category {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrative => "administrative",
            Self::Documentation => "documentation",
            Self::General => "general",
            Self::Organizational => "organizational",
            Self::Physical => "physical",
            Self::Technical => "technical",
        }
    }

    /// Whether a measurement of systems can speak to it directly. What people do, sign and decide
    /// cannot be measured from outside.
    pub const fn can_be_measured(self) -> bool {
        match self {
            Self::Technical => true,
            Self::Administrative | Self::Documentation | Self::General | Self::Organizational | Self::Physical => false,
        }
    }
}

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleKind {
    /// A general paragraph.
    Rule,
    Spec,
    Standard,
}

/// What a paragraph asks for (45 CFR 164.306(d)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleObligation {
    Addressable,
    Required,
    Rule,
    Standard,
}

#[derive(Deserialize)]
struct Raw {
    meta: Meta,
    security_rule: Vec<RuleEntry>,
}

#[derive(Deserialize)]
struct Meta {
    compiled: String,
}

impl SecurityRule {
    /// The index that is shipped.
    pub fn built_in() -> Result<Self, Located> {
        Self::read(Path::new(FILE), include_str!("../../checks/frameworks/security-rule.yaml"))
    }

    /// Reads an index.
    pub fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let raw: Raw = yaml::read(file, text)?;
        Ok(Self { compiled: raw.meta.compiled, entries: raw.security_rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts agree with NIST SP 800-66r2 and 45 CFR part 164 subpart C, appendix A.
    #[test]
    fn the_shipped_index_has_every_standard_and_specification() {
        let rule = SecurityRule::built_in().unwrap();
        let count = |obligation| rule.entries.iter().filter(|entry| entry.obligation == obligation).count();
        assert_eq!(count(RuleObligation::Standard), 23);
        assert_eq!(count(RuleObligation::Required), 26);
        assert_eq!(count(RuleObligation::Addressable), 22);
    }
}
