//! Exceptions: findings that the organization accepts as they are, for a time.
//!
//! An exception changes the disposition of a finding that fails, never its outcome.

use super::{Conclusions, EXPIRED, Found, Given, Standing, Tallies, UNUSED, Weighed, values};
use crate::assess::Judgement;
use crate::evidence::decisions::Exception;
use crate::finding::{Disposition, Outcome};
use crate::names::SubjectKind;
use crate::text::visible;

/// Sets the disposition of what is excepted; what ran out or covers nothing becomes a finding.
pub(super) fn except(
    conclusions: &Conclusions,
    given: Given<'_>,
    judgement: &mut Judgement,
    tallies: &mut Tallies,
) -> Vec<Weighed<Exception>> {
    let mut weighed = Vec::new();
    for exception in &given.decisions.exceptions {
        let standing = Standing::of(exception.on, exception.expires, given.today);
        let (covered, uncovered) = cover(exception, standing, judgement);
        if standing == Standing::NotYet {
            weighed.push(Weighed { decision: exception.clone(), standing, why: standing.in_words().to_owned() });
            continue;
        }
        let key = format!("{}:{}", exception.check, exception.subjects.join(","));
        let found = |template| Found {
            kind: SubjectKind::Organization,
            subject: given.subject,
            discriminator: &key,
            template,
            values: values([
                ("exception.check", visible(&exception.check)),
                ("exception.expires", exception.expires.to_string()),
                ("exception.owner", visible(&exception.owner)),
                ("exception.uncovered", uncovered.len().to_string()),
                ("exception.line", exception.line.to_string()),
            ]),
            evidence: vec![given.evidence.clone()],
        };
        let mut why = format!("covers {covered} of the {} subjects it names", exception.subjects.len());
        if standing == Standing::Expired && covered > 0 {
            let template = "The exception from {{exception.check}} that {{exception.owner}} answers for ran out on {{exception.expires}} (exceptions.yaml, line {{exception.line}})";
            tallies.failed(EXPIRED, found(template), conclusions, judgement);
            why = format!("ran out on {}", exception.expires);
        } else {
            tallies.passed(EXPIRED);
        }
        if uncovered.is_empty() {
            tallies.passed(UNUSED);
        } else {
            let template = "The exception from {{exception.check}} names {{exception.uncovered}} subjects on which that check does not fail (exceptions.yaml, line {{exception.line}})";
            tallies.failed(UNUSED, found(template), conclusions, judgement);
        }
        let standing = if covered == 0 { Standing::Unused } else { standing };
        weighed.push(Weighed { decision: exception.clone(), standing, why });
    }
    weighed
}

/// How many of its subjects fail, and those that do not.
fn cover<'x>(exception: &'x Exception, standing: Standing, judgement: &mut Judgement) -> (usize, Vec<&'x str>) {
    let mut uncovered: Vec<&str> = exception.subjects.iter().map(String::as_str).collect();
    let mut covered = 0;
    for finding in judgement
        .findings
        .iter_mut()
        .filter(|finding| finding.check == exception.check && finding.outcome == Outcome::Fail)
    {
        let Some(at) = uncovered.iter().position(|subject| *subject == finding.subject.name) else { continue };
        uncovered.remove(at);
        covered += 1;
        match (standing, &finding.disposition) {
            (Standing::InForce, Disposition::Lapsed | Disposition::Open) => {
                finding.disposition = Disposition::Accepted { by: exception.owner.clone(), until: exception.expires };
            }
            // A newer exception may hold where an older one ran out.
            (Standing::Expired, Disposition::Open) => finding.disposition = Disposition::Lapsed,
            (Standing::InForce, Disposition::Accepted { .. })
            | (Standing::Expired, Disposition::Accepted { .. } | Disposition::Lapsed)
            | (Standing::NotYet | Standing::Reopened | Standing::Unused, _) => {}
        }
    }
    (covered, uncovered)
}
