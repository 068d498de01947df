//! A check: one question about one kind of subject, and how it judges one of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::examples::Example;
use super::expression::{Expression, Truth};
use super::paths::FactPath;
use crate::assess::CheckBroken;
use crate::facts::shape::{EncodedSubject, Value};
use crate::finding::{Message, Severity};
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
    pub(super) applies_when: Expression,
    pub(super) review_when: Option<Expression>,
    pub(super) pass_when: Expression,
    /// The holes of `finding`, by path.
    pub(super) holes: BTreeMap<String, Hole>,
    pub(super) examples: Vec<Example>,
}

/// What fills a hole of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    Fact(FactPath),
    Limit(i64),
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

/// What a check says of one subject, before it is put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fail,
    NeedsReview,
    NotApplicable,
    /// The facts that would have to be known.
    NotAssessed(BTreeSet<FactPath>),
    Pass,
}

impl Check {
    /// Judges one subject: `applies_when`, then `review_when`, then `pass_when`. What cannot be
    /// evaluated for want of a fact is not assessed, never "not applicable" and never a pass.
    pub fn verdict(&self, subject: &EncodedSubject) -> Result<Verdict, CheckBroken> {
        let evaluate = |expression: &Expression| {
            expression.evaluate(subject).map_err(|why| CheckBroken { check: self.id.clone(), why })
        };
        match evaluate(&self.applies_when)? {
            Truth::False => return Ok(Verdict::NotApplicable),
            Truth::Unknown(missing) => return Ok(Verdict::NotAssessed(missing)),
            Truth::True => {}
        }
        if let Some(review_when) = &self.review_when {
            match evaluate(review_when)? {
                Truth::True => return Ok(Verdict::NeedsReview),
                Truth::Unknown(missing) => return Ok(Verdict::NotAssessed(missing)),
                Truth::False => {}
            }
        }
        Ok(match evaluate(&self.pass_when)? {
            Truth::True => Verdict::Pass,
            Truth::False => Verdict::Fail,
            Truth::Unknown(missing) => Verdict::NotAssessed(missing),
        })
    }

    /// The message about one subject. What is not known leaves its hole empty.
    pub fn message(&self, subject: &EncodedSubject) -> Message {
        let values = self.holes.iter().filter_map(|(path, hole)| match hole {
            Hole::Fact(fact) => fact.read(subject).value().map(|value| (path.clone(), value)),
            Hole::Limit(value) => Some((path.clone(), Value::Integer(*value))),
        });
        Message { template: self.finding.clone(), values: values.collect() }
    }

    /// When the check applies, as written.
    pub fn applies_when(&self) -> &Expression {
        &self.applies_when
    }

    /// When a person has to decide, as written.
    pub fn review_when(&self) -> Option<&Expression> {
        self.review_when.as_ref()
    }

    /// When the check passes, as written.
    pub fn pass_when(&self) -> &Expression {
        &self.pass_when
    }

    /// The verdict depends on these values and on nothing else.
    pub fn verdict_reads(&self) -> BTreeSet<FactPath> {
        self.expressions().flat_map(|expression| expression.reads().iter().copied()).collect()
    }

    /// The values that decide between pass and fail. What only says whether the check applies is
    /// not evidence for a control.
    pub fn deciding_reads(&self) -> BTreeSet<FactPath> {
        let review = self.review_when.iter().flat_map(|expression| expression.reads().iter().copied());
        self.pass_when.reads().iter().copied().chain(review).collect()
    }

    /// Everything read by the expressions or the message.
    pub fn all_reads(&self) -> BTreeSet<FactPath> {
        let mut reads = self.verdict_reads();
        reads.extend(self.holes.values().filter_map(|hole| match hole {
            Hole::Fact(path) => Some(*path),
            Hole::Limit(_) => None,
        }));
        reads
    }

    /// The thresholds it compares with.
    pub fn limits(&self) -> BTreeSet<&str> {
        self.expressions().flat_map(Expression::limits).collect()
    }

    /// Its examples, in the order of the file.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        std::iter::once(&self.applies_when).chain(&self.review_when).chain(std::iter::once(&self.pass_when))
    }
}
