//! What a check concluded of a subject, and how sure a reader may be of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::evidence::EvidenceId;
use crate::facts::shape::Value;
use crate::names::SubjectId;
use crate::seen::NotObserved;

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
    /// The word used everywhere.
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

/// What a check concluded. There is no default: nothing is good until it was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Outcome {
    Fail,
    NeedsReview {
        /// What a person has to decide.
        question: String,
    },
    NotApplicable {
        /// Why the check does not apply.
        because: String,
    },
    NotAssessed(Gap),
    Pass,
}

impl Outcome {
    /// The word used in JSON and tables.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NeedsReview { .. } => "needs-review",
            Self::NotApplicable { .. } => "not-applicable",
            Self::NotAssessed(_) => "not-assessed",
            Self::Pass => "pass",
        }
    }
}

/// What is missing, why, and what would close it: the honest counterpart of remediation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The facts that are not known, as paths: `domain.dmarc`.
    pub missing: Vec<String>,
    pub because: NotObserved,
    /// What to do so that it can be assessed.
    pub to_close: String,
}

/// What the organization decided about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Disposition {
    /// Accepted by somebody until a day.
    Accepted {
        by: String,
        until: jiff::civil::Date,
    },
    /// An acceptance that ran out.
    Lapsed,
    Open,
}

/// Identifies a finding over time: the same check and subject give the same fingerprint, whatever
/// the severity, the wording, the date or the address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// SHA-256 over the length-prefixed parts, in hex.
    pub fn of(check: &str, subject: &SubjectId, discriminator: &str) -> Self {
        let mut hash = Sha256::new();
        for part in ["1", check, subject.kind.as_str(), &subject.name, discriminator] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(crate::evidence::hex(&hash.finalize()))
    }

    /// The hex text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A sentence with holes and the values that fill them; each output renders and escapes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Text with `{{path}}` holes.
    pub template: String,
    /// By path. A path whose fact is not known is not here.
    pub values: Values,
}

/// What fills the holes of a message, by path. Few and never changed, and held for each of perhaps a
/// million findings: a map's nodes would take ten times the room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Value>", into = "BTreeMap<String, Value>")]
pub struct Values(Box<[(String, Value)]>);

impl Values {
    /// The value for a path.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.iter().find(|(known, _)| *known == path).map(|(_, value)| value)
    }

    /// In the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().map(|(path, value)| (path, value))
    }
}

impl From<BTreeMap<String, Value>> for Values {
    fn from(values: BTreeMap<String, Value>) -> Self {
        Self(values.into_iter().collect())
    }
}

impl From<Values> for BTreeMap<String, Value> {
    fn from(values: Values) -> Self {
        values.0.into_vec().into_iter().collect()
    }
}

impl FromIterator<(String, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        BTreeMap::from_iter(values).into()
    }
}

impl Message {
    /// Fills the holes as plain text. Unsafe characters are written out; markup is the output's
    /// concern. A hole without a value reads "unknown".
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(self.template.len() + 32);
        let mut rest = self.template.as_str();
        while let Some((before, hole_on)) = rest.split_once("{{") {
            out.push_str(before);
            let Some((path, after)) = hole_on.split_once("}}") else {
                out.push_str("{{");
                rest = hole_on;
                continue;
            };
            match self.values.get(path.trim()) {
                Some(value) => out.push_str(&in_words(value)),
                None => out.push_str("unknown"),
            }
            rest = after;
        }
        out.push_str(rest);
        crate::text::visible(&out)
    }
}

/// A value as words: lists with commas, `true` as yes.
pub fn in_words(value: &Value) -> String {
    match value {
        Value::Boolean(true) => "yes".to_owned(),
        Value::Boolean(false) => "no".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(items) if items.is_empty() => "none".to_owned(),
        Value::List(items) => items.join(", "),
        Value::Group(fields) => {
            fields.iter().map(|(name, value)| format!("{name} {}", in_words(value))).collect::<Vec<_>>().join(", ")
        }
    }
}

/// One check's conclusion about one subject, with all that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub check: String,
    pub subject: SubjectId,
    pub outcome: Outcome,
    pub severity: Severity,
    pub message: Message,
    pub evidence: Vec<EvidenceId>,
    pub fingerprint: Fingerprint,
    pub disposition: Disposition,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::SubjectKind;

    #[test]
    fn parts_cannot_run_into_each_other() {
        let one = Fingerprint::of("ab", &SubjectId::new(SubjectKind::Domain, "c"), "");
        let other = Fingerprint::of("a", &SubjectId::new(SubjectKind::Domain, "bc"), "");
        assert_ne!(one, other);
    }

    #[test]
    fn a_hole_without_a_value_reads_unknown_and_control_bytes_are_shown() {
        let message = Message {
            template: "{{domain.name}}: policy {{domain.dmarc.policy}}".to_owned(),
            values: [("domain.name".to_owned(), Value::Text("a\u{1b}[0m".to_owned()))].into_iter().collect(),
        };
        assert_eq!(message.render(), "a⟨U+001B⟩[0m: policy unknown");
    }
}
