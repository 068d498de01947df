//! Exceptions: findings that the organization accepts as they are, for a time.
//!
//! An exception changes the disposition of a finding that fails, never its outcome. A subject that
//! could not be judged is neither covered nor shown not to fail.

use std::collections::BTreeSet;

use super::{Conclusions, EXPIRED, Found, Given, Standing, Tallies, UNUSED, Weighed, values};
use crate::assess::{CoverageState, Judgement, to_close};
use crate::evidence::decisions::Exception;
use crate::finding::{Disposition, Gap, Outcome};
use crate::names::SubjectKind;
use crate::seen::NotObserved;
use crate::text::visible;

/// Sets the disposition of what is excepted; what ran out or covers nothing becomes a finding.
pub(super) fn except(
    conclusions: &Conclusions,
    given: Given<'_>,
    judgement: &mut Judgement,
    tallies: &mut Tallies,
) -> Vec<Weighed<Exception>> {
    let exceptions = &given.decisions.exceptions;
    let covers: Vec<Cover<'_>> = exceptions
        .iter()
        .map(|exception| {
            let standing = Standing::of(exception.on, exception.expires, given.today);
            Cover::of(exception, standing, judgement)
        })
        .collect();
    let mut weighed = Vec::new();
    for (exception, cover) in exceptions.iter().zip(&covers) {
        if cover.standing == Standing::NotYet {
            let why = cover.standing.in_words().to_owned();
            weighed.push(Weighed { decision: exception.clone(), standing: cover.standing, why });
            continue;
        }
        let key = format!("{}:{}:{}", exception.check, exception.subjects.join(","), exception.on);
        let found = |template| Found {
            kind: SubjectKind::Organization,
            subject: given.subject,
            discriminator: &key,
            template,
            values: values([
                ("exception.check", visible(&exception.check)),
                ("exception.expires", exception.expires.to_string()),
                ("exception.owner", visible(&exception.owner)),
                ("exception.uncovered", cover.uncovered.len().to_string()),
                ("exception.unknown", cover.unknown.len().to_string()),
                ("exception.line", exception.line.to_string()),
            ]),
            evidence: vec![given.evidence.clone()],
        };
        let gap = || {
            let because = NotObserved::NotProvided { what: format!("what {} reads", visible(&exception.check)) };
            Gap { missing: Vec::new(), to_close: to_close(&because), because }
        };
        let named = cover.covered.len() + cover.uncovered.len() + cover.unknown.len();
        let mut why = format!("covers {} of the {named} subjects it names", cover.covered.len());
        if !cover.unknown.is_empty() {
            why = format!("{why}; {} could not be judged", cover.unknown.len());
        }
        let renewed = |subject: &&str| {
            covers.iter().zip(exceptions).any(|(other, of)| {
                of.check == exception.check
                    && other.standing == Standing::InForce
                    && (other.covered.contains(subject) || other.unknown.contains(subject))
            })
        };
        let ran_out = cover.standing == Standing::Expired;
        if ran_out && cover.covered.iter().chain(&cover.unknown).all(renewed) {
            tallies.passed(EXPIRED);
            if named > cover.uncovered.len() {
                why = format!("ran out on {}; a newer one takes its place", exception.expires);
            }
        } else if ran_out && !cover.covered.iter().all(&renewed) {
            let template = "The exception from {{exception.check}} that {{exception.owner}} answers for ran out on {{exception.expires}} (exceptions.yaml, line {{exception.line}})";
            tallies.failed(EXPIRED, found(template), conclusions, judgement);
            why = format!("ran out on {}", exception.expires);
        } else if ran_out {
            let template = "The exception from {{exception.check}} ran out on {{exception.expires}}, and {{exception.unknown}} subjects it names could not be judged (exceptions.yaml, line {{exception.line}})";
            tallies.unknown(EXPIRED, found(template), gap(), conclusions, judgement);
            why = format!("ran out on {}; {why}", exception.expires);
        } else {
            tallies.passed(EXPIRED);
        }
        if !cover.uncovered.is_empty() {
            let template = "The exception from {{exception.check}} names {{exception.uncovered}} subjects on which that check does not fail (exceptions.yaml, line {{exception.line}})";
            tallies.failed(UNUSED, found(template), conclusions, judgement);
        } else if !cover.unknown.is_empty() {
            let template = "The exception from {{exception.check}} names {{exception.unknown}} subjects that could not be judged (exceptions.yaml, line {{exception.line}})";
            tallies.unknown(UNUSED, found(template), gap(), conclusions, judgement);
        } else {
            tallies.passed(UNUSED);
        }
        let nothing = cover.covered.is_empty() && cover.unknown.is_empty();
        let standing = if nothing { Standing::Unused } else { cover.standing };
        weighed.push(Weighed { decision: exception.clone(), standing, why });
    }
    weighed
}

/// What became of the subjects that an exception names.
struct Cover<'x> {
    standing: Standing,
    /// They fail.
    covered: BTreeSet<&'x str>,
    /// They do not fail, or are not there.
    uncovered: BTreeSet<&'x str>,
    /// They could not be judged, or not wholly.
    unknown: BTreeSet<&'x str>,
}

impl<'x> Cover<'x> {
    /// Finds what an exception covers and sets the disposition of what fails.
    fn of(exception: &'x Exception, standing: Standing, judgement: &mut Judgement) -> Self {
        let mut left: BTreeSet<&str> = exception.subjects.iter().map(String::as_str).collect();
        let mut cover =
            Self { standing, covered: BTreeSet::new(), uncovered: BTreeSet::new(), unknown: BTreeSet::new() };
        let mut list_not_whole = match judgement.coverage.get(&exception.check).map(|coverage| coverage.state) {
            Some(CoverageState::NotProvided) => true,
            Some(
                CoverageState::Assessed
                | CoverageState::NotApplicable
                | CoverageState::NotAssessed
                | CoverageState::PartlyAssessed,
            )
            | None => false,
        };
        for finding in judgement.findings.iter_mut().filter(|finding| finding.check == exception.check) {
            let named = left.get(finding.subject.name.as_str()).copied();
            match (&finding.outcome, named) {
                (Outcome::Fail, Some(subject)) => {
                    cover.covered.insert(subject);
                    set(&mut finding.disposition, exception, standing);
                }
                (Outcome::NeedsReview { .. } | Outcome::NotAssessed(_), Some(subject)) => {
                    cover.unknown.insert(subject);
                }
                // What speaks of no subject speaks of the list of them.
                (Outcome::NotAssessed(_), None) if crate::assess::is_of_the_collection(&finding.subject.name) => {
                    list_not_whole = true;
                }
                (Outcome::NotApplicable { .. } | Outcome::Pass, _)
                | (Outcome::Fail | Outcome::NeedsReview { .. } | Outcome::NotAssessed(_), None) => {}
            }
        }
        let passed = judgement.passed.iter().find(|passed| passed.check == exception.check);
        let passes = |subject: &str| passed.is_some_and(|passed| passed.subjects.iter().any(|name| name == subject));
        cover.uncovered = left.iter().copied().filter(|subject| passes(subject)).collect();
        left.retain(|subject| {
            !cover.covered.contains(subject) && !cover.unknown.contains(subject) && !cover.uncovered.contains(subject)
        });
        cover.unknown.retain(|subject| !cover.covered.contains(subject));
        if list_not_whole { &mut cover.unknown } else { &mut cover.uncovered }.append(&mut left);
        cover
    }
}

fn set(disposition: &mut Disposition, exception: &Exception, standing: Standing) {
    match (standing, &disposition) {
        (Standing::InForce, Disposition::Lapsed | Disposition::Open) => {
            *disposition = Disposition::Accepted { by: exception.owner.clone(), until: exception.expires };
        }
        // A newer exception may hold where an older one ran out.
        (Standing::Expired, Disposition::Open) => *disposition = Disposition::Lapsed,
        (Standing::InForce, Disposition::Accepted { .. })
        | (Standing::Expired, Disposition::Accepted { .. } | Disposition::Lapsed)
        | (Standing::NotYet | Standing::Reopened | Standing::Unused, _) => {}
    }
}
