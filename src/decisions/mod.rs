//! Holds what the organization decided against what is known: which findings are excepted, which
//! acceptances and records still hold, which items of the plan a scan has closed, and where an
//! answer contradicts a measurement.
//!
//! Pure, and it never makes anything better than it is: an excepted finding still fails, an
//! accepted risk keeps its level, and a decision that ran out becomes a finding.

mod conclusions;
mod contradictions;
mod exceptions;
mod due;
mod risks;

pub use conclusions::{Conclusions, Pair};
pub use due::{Due, DueKind, calendar, list};

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::assess::{CheckCoverage, CoverageState, Grade, Judgement};
use crate::evidence::EvidenceId;
use crate::evidence::decisions::{Acceptance, AddressableRecord, Decisions, Exception, PlanEntry};
use crate::facts::Facts;
use crate::facts::shape::Value;
use crate::finding::{Disposition, Finding, Fingerprint, Gap, Message, Outcome};
use crate::names::{SubjectId, SubjectKind};
use crate::risk::RiskAnalysis;

/// How a decision stands on the day of judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It ran out.
    Expired,
    InForce,
    /// It was made after the day of judging.
    NotYet,
    /// The risk is higher than what was accepted.
    Reopened,
    /// It covers nothing that is there.
    Unused,
}

impl Standing {
    /// The words in documents.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Expired => "ran out",
            Self::InForce => "in force",
            Self::NotYet => "made after the day of this assessment",
            Self::Reopened => "no longer covers the risk",
            Self::Unused => "covers nothing",
        }
    }

    fn of(on: Date, expires: Date, today: Date) -> Self {
        if on > today {
            Self::NotYet
        } else if expires < today {
            Self::Expired
        } else {
            Self::InForce
        }
    }
}

/// A decision, how it stands, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed<T> {
    pub decision: T,
    pub standing: Standing,
    pub why: String,
}

/// An item of the plan that people call done, or that no longer fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedItem {
    /// What people say of it.
    pub entry: PlanEntry,
    /// SHA-256 over the observations on which every subject passed; `None` where no scan shows it.
    pub evidence_sha256: Option<String>,
    pub grade: Grade,
    pub why: String,
}

/// Everything that was decided, weighed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    pub acceptances: Vec<Weighed<Acceptance>>,
    pub addressable: Vec<Weighed<AddressableRecord>>,
    pub exceptions: Vec<Weighed<Exception>>,
    pub closed: Vec<ClosedItem>,
}

/// The organization's decisions with the observation they come from.
#[derive(Clone, Copy, Debug)]
pub struct Given<'e> {
    pub decisions: &'e Decisions,
    pub evidence: &'e EvidenceId,
    pub subject: &'e str,
    pub today: Date,
}

/// Before the analysis: excepts findings, weighs records, and compares answers with measurements.
pub fn before_analysis(
    conclusions: &Conclusions,
    given: Option<Given<'_>>,
    facts: &Facts,
    judgement: &mut Judgement,
) -> Weights {
    let mut weights = Weights::default();
    let mut tallies = Tallies::default();
    conclusions.begin(given.is_some(), facts, judgement);
    if let Some(given) = given {
        weights.addressable = risks::addressable(conclusions, given, judgement, &mut tallies);
    }
    contradictions::contradict(conclusions, facts, judgement, &mut tallies);
    // Last, so that what was concluded here can be excepted as well.
    if let Some(given) = given {
        weights.exceptions = exceptions::except(conclusions, given, judgement, &mut tallies);
    }
    tallies.close(conclusions, judgement);
    weights
}

/// After the analysis: weighs acceptances against the levels and writes every decision into the
/// register and the plan. `true` where new findings call for the analysis to be made again.
pub fn weigh_acceptances(
    conclusions: &Conclusions,
    given: Given<'_>,
    analysis: &RiskAnalysis,
    judgement: &mut Judgement,
    weights: &mut Weights,
) -> bool {
    let mut tallies = Tallies::default();
    weights.acceptances = risks::acceptances(conclusions, given, analysis, judgement, &mut tallies);
    tallies.close(conclusions, judgement);
    weights.acceptances.iter().any(|weighed| risks::is_open_again(weighed.standing))
}

/// Writes treatments, owners, dates and what became of items into the analysis.
pub fn enter(given: Given<'_>, judgement: &Judgement, analysis: &mut RiskAnalysis, weights: &mut Weights) {
    risks::enter(given, judgement, analysis, weights);
}

/// Counts for each conclusion.
#[derive(Default)]
struct Tallies {
    /// Passed, failed, not known.
    counts: BTreeMap<&'static str, (usize, usize, usize)>,
}

const ACCEPTANCE: &str = "acceptance-in-force";
const ADDRESSABLE: &str = "addressable-record-in-force";
const ANSWERS: &str = "answers-match-measurements";
const EXPIRED: &str = "exception-in-force";
const UNUSED: &str = "exception-in-use";

impl Tallies {
    fn passed(&mut self, check: &'static str) {
        self.counts.entry(check).or_default().0 += 1;
    }

    /// Adds a finding that was not assessed.
    fn unknown(
        &mut self,
        check: &'static str,
        found: Found<'_>,
        gap: Gap,
        conclusions: &Conclusions,
        judgement: &mut Judgement,
    ) {
        self.counts.entry(check).or_default().2 += 1;
        judgement.findings.push(found.concludes(check, Outcome::NotAssessed(gap), conclusions));
    }

    /// Adds a finding.
    fn failed(&mut self, check: &'static str, found: Found<'_>, conclusions: &Conclusions, judgement: &mut Judgement) {
        self.counts.entry(check).or_default().1 += 1;
        judgement.findings.push(found.concludes(check, Outcome::Fail, conclusions));
    }

    /// Says how far each conclusion counted here could be drawn, and sorts the findings again.
    fn close(self, conclusions: &Conclusions, judgement: &mut Judgement) {
        for (check, (passed, failed, unknown)) in self.counts {
            let state = match (passed + failed, unknown) {
                (0, 0) => CoverageState::NotApplicable,
                (0, _) => CoverageState::NotAssessed,
                (_, 0) => CoverageState::Assessed,
                (_, _) => CoverageState::PartlyAssessed,
            };
            let coverage = CheckCoverage {
                area: conclusions::AREA.to_owned(),
                subject: conclusions.subject(check),
                state,
                passed,
                failed,
                needs_review: 0,
                not_assessed: unknown,
                not_applicable: 0,
                because: (unknown > 0).then(|| "what it is compared with is not known".to_owned()),
                grade: Grade::E,
            };
            judgement.coverage.insert(check.to_owned(), coverage);
        }
        judgement.findings.sort_by(|a, b| {
            (b.severity, &a.check, &a.subject, &a.fingerprint).cmp(&(a.severity, &b.check, &b.subject, &b.fingerprint))
        });
    }
}

/// What is needed for one finding.
struct Found<'f> {
    kind: SubjectKind,
    subject: &'f str,
    discriminator: &'f str,
    template: &'f str,
    values: BTreeMap<String, Value>,
    evidence: Vec<EvidenceId>,
}

impl Found<'_> {
    fn concludes(self, check: &str, outcome: Outcome, conclusions: &Conclusions) -> Finding {
        let subject = SubjectId::new(self.kind, self.subject);
        Finding {
            check: check.to_owned(),
            fingerprint: Fingerprint::of(check, &subject, self.discriminator),
            subject,
            outcome,
            severity: conclusions.severity(check),
            message: Message { template: self.template.to_owned(), values: self.values.into() },
            evidence: self.evidence,
            disposition: Disposition::Open,
        }
    }
}

fn values<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, Value> {
    pairs.into_iter().map(|(name, text)| (name.to_owned(), Value::Text(text))).collect()
}

#[cfg(test)]
mod tests;
