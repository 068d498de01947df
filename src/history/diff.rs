//! What changed between two assessments, each change in exactly one class.
//!
//! Resolved means that the check ran, the subject is there, and it no longer fails. A new
//! catalogue or model makes a method change of everything that looks better.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::clock::date_of;
use crate::report::json::v1::diff::{Change, MethodChange, RiskChange, Side};
use crate::report::json::v1::{
    self, Assessment, ChangeClass, CheckCoverage, Closed, CoverageState, Diff, Disposition, Earlier, Finding, Outcome,
    SCHEMA, Severity, Subject,
};

/// What changed from one assessment to a later one.
pub fn between(from: &Assessment, to: &Assessment) -> Diff {
    let method = method(from, to);
    let judged_otherwise = from.tool.catalogue != to.tool.catalogue;
    let (before, after) = (View::of(from), View::of(to));
    let fingerprints: BTreeSet<&str> = before.findings.keys().chain(after.findings.keys()).copied().collect();
    let mut changes: Vec<Change> = fingerprints
        .into_iter()
        .filter_map(|fingerprint| change(fingerprint, &before, &after))
        .map(|change| if judged_otherwise { neutral(change) } else { change })
        .collect();
    let blind = checks_gone_dark(from, to, &changes);
    changes.extend(blind);
    let place = |class: ChangeClass| ChangeClass::ALL.iter().position(|&listed| listed == class);
    changes.sort_by(|a, b| {
        (place(a.class), b.severity, &a.check, &a.subject, &a.fingerprint).cmp(&(
            place(b.class),
            a.severity,
            &b.check,
            &b.subject,
            &b.fingerprint,
        ))
    });
    let mut counts: BTreeMap<String, usize> =
        ChangeClass::ALL.into_iter().map(|class| (class.as_str().to_owned(), 0)).collect();
    for change in &changes {
        *counts.entry(change.class.as_str().to_owned()).or_default() += 1;
    }
    Diff {
        schema: SCHEMA,
        kind: "diff".to_owned(),
        from: side(from),
        to: side(to),
        counts,
        changes,
        risks: risks(from, to),
        method,
    }
}

/// Puts the drift since `previous` into an assessment, and the ages that follow from it.
pub fn compare(assessment: &mut Assessment, previous: &Assessment) {
    let today = date_of(assessment.as_of);
    let drift = between(previous, assessment);
    let open_since: BTreeMap<&str, Date> =
        previous.findings.iter().map(|finding| (finding.fingerprint.as_str(), finding.opened)).collect();
    for finding in &mut assessment.findings {
        finding.opened = open_since.get(finding.fingerprint.as_str()).copied().unwrap_or(today).min(today);
        finding.age = quarters_open(finding.opened, today);
    }
    let opened: BTreeMap<&str, Date> =
        assessment.findings.iter().map(|finding| (finding.fingerprint.as_str(), finding.opened)).collect();
    for item in &mut assessment.plan {
        let oldest = item.findings.iter().filter_map(|fingerprint| opened.get(fingerprint.as_str())).min();
        item.opened = oldest.copied().unwrap_or(today);
        item.age = quarters_open(item.opened, today);
    }
    assessment.closed = closed(previous, &drift, &opened, today);
    assessment.earlier = earlier(previous);
    assessment.drift = Some(drift);
    assessment.elements = v1::elements(assessment);
}

/// How many earlier assessments are kept: six years of quarters, as long as the Security Rule has the
/// documentation kept (45 CFR 164.316(b)(2)(i)).
const EARLIER: usize = 24;

/// The assessments up to and with `previous`, each later than the one before it.
fn earlier(previous: &Assessment) -> Vec<Earlier> {
    let mut all: Vec<Earlier> = previous.earlier.clone();
    all.push(Earlier::of(previous));
    all.retain(|one| one.as_of <= previous.as_of);
    all.sort_by_key(|one| one.as_of);
    // Where two are of one time, the one compared with stands.
    let mut kept: Vec<Earlier> = Vec::new();
    for one in all {
        if kept.last().is_some_and(|last| last.as_of == one.as_of) {
            kept.pop();
        }
        kept.push(one);
    }
    kept.split_off(kept.len().saturating_sub(EARLIER))
}

/// Calendar quarters from one day to another, both counted.
fn quarters_open(opened: Date, today: Date) -> u32 {
    let quarter = |day: Date| i32::from(day.year()) * 4 + (i32::from(day.month()) - 1) / 3;
    u32::try_from(quarter(today) - quarter(opened) + 1).unwrap_or(1).max(1)
}

/// Everything ever resolved that is not open again.
fn closed(previous: &Assessment, drift: &Diff, open: &BTreeMap<&str, Date>, today: Date) -> Vec<Closed> {
    let now = drift.changes.iter().filter(|change| change.class == ChangeClass::Resolved).filter_map(|change| {
        Some(Closed {
            fingerprint: change.fingerprint.clone()?,
            check: change.check.clone(),
            subject: change.subject.clone()?,
            on: today,
        })
    });
    let all = previous.closed.iter().cloned().chain(now);
    let by_fingerprint: BTreeMap<String, Closed> = all.map(|closed| (closed.fingerprint.clone(), closed)).collect();
    by_fingerprint.into_values().filter(|closed| !open.contains_key(closed.fingerprint.as_str())).collect()
}

fn side(assessment: &Assessment) -> Side {
    Side {
        as_of: assessment.as_of,
        evidence_digest: assessment.evidence_digest.clone(),
        tool: assessment.tool.clone(),
        coverage: assessment.coverage.percent,
    }
}

fn method(from: &Assessment, to: &Assessment) -> Vec<MethodChange> {
    let pairs = [
        ("tool", &from.tool.version, &to.tool.version),
        ("catalogue", &from.tool.catalogue, &to.tool.catalogue),
        ("risk model", &from.tool.risk_model, &to.tool.risk_model),
    ];
    pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(what, before, after)| MethodChange {
            what: what.to_owned(),
            before: before.clone(),
            after: after.clone(),
        })
        .collect()
}

/// One assessment, by what a comparison asks of it.
struct View<'a> {
    findings: BTreeMap<&'a str, &'a Finding>,
    checks: BTreeMap<&'a str, &'a CheckCoverage>,
    subjects: BTreeMap<&'a str, Known<'a>>,
    closed: BTreeSet<&'a str>,
}

/// The subjects of one kind.
struct Known<'a> {
    names: BTreeSet<&'a str>,
    complete: bool,
    /// Whether the list was cut.
    cut: bool,
}

/// Whether a subject was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    No,
    /// Not all subjects of its kind were known.
    Perhaps,
    Yes,
}

impl<'a> View<'a> {
    fn of(assessment: &'a Assessment) -> Self {
        let known = |subjects: &'a v1::Subjects| Known {
            names: subjects.names.iter().map(String::as_str).collect(),
            complete: subjects.complete,
            cut: subjects.names.len() < subjects.count,
        };
        Self {
            findings: assessment.findings.iter().map(|finding| (finding.fingerprint.as_str(), finding)).collect(),
            checks: assessment.coverage.checks.iter().map(|check| (check.check.as_str(), check)).collect(),
            subjects: assessment.subjects.iter().map(|(kind, subjects)| (kind.as_str(), known(subjects))).collect(),
            closed: assessment.closed.iter().map(|closed| closed.fingerprint.as_str()).collect(),
        }
    }

    fn there(&self, subject: &Subject) -> There {
        match self.subjects.get(subject.kind.as_str()) {
            Some(known) if known.names.contains(subject.name.as_str()) => There::Yes,
            Some(known) if known.complete && !known.cut => There::No,
            Some(_) | None => There::Perhaps,
        }
    }

    /// Whether the check was judged at all, and whether it says that it does not apply.
    fn ran(&self, check: &str) -> Option<Ran> {
        Some(match self.checks.get(check)?.state {
            CoverageState::Assessed | CoverageState::PartlyAssessed => Ran::Yes,
            CoverageState::NotApplicable => Ran::NotApplicable,
            CoverageState::NotAssessed | CoverageState::NotProvided => Ran::No,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ran {
    No,
    NotApplicable,
    Yes,
}

fn change(fingerprint: &str, before: &View<'_>, after: &View<'_>) -> Option<Change> {
    match (before.findings.get(fingerprint), after.findings.get(fingerprint)) {
        (Some(was), Some(is)) => both(was, is),
        (None, Some(is)) => appeared(is, before),
        (Some(was), None) => disappeared(was, after),
        (None, None) => None,
    }
}

fn made(finding: &Finding, class: ChangeClass, was: Option<Outcome>, is: Option<Outcome>, why: &str) -> Option<Change> {
    Some(Change {
        class,
        check: finding.check.clone(),
        title: finding.title.clone(),
        subject: Some(finding.subject.clone()),
        fingerprint: Some(finding.fingerprint.clone()),
        severity: finding.severity,
        before: was,
        after: is,
        why: why.to_owned(),
    })
}

/// Listed in both: how bad was it, and how bad is it.
fn both(was: &Finding, is: &Finding) -> Option<Change> {
    /// `None` is not assessed.
    fn badness(finding: &Finding) -> Option<(bool, Severity)> {
        match finding.outcome {
            Outcome::Fail => Some((true, finding.severity)),
            Outcome::NeedsReview => Some((false, finding.severity)),
            Outcome::NotApplicable | Outcome::NotAssessed | Outcome::Pass => None,
        }
    }
    let of = |class, why| made(is, class, Some(was.outcome), Some(is.outcome), why);
    let accepted = |finding: &Finding| matches!(finding.disposition, Disposition::Accepted { .. });
    match (badness(was), badness(is)) {
        (None, None) => None,
        (Some(_), None) => of(ChangeClass::NewlyBlind, "was assessed before and cannot be assessed now"),
        (None, Some(_)) => of(ChangeClass::NewlySeen, "could not be assessed before; since when it is so is not known"),
        (Some(bad), Some(now)) if now > bad => of(ChangeClass::Worsened, "is worse than before"),
        (Some(_), Some((true, _))) if accepted(was) && !accepted(is) => {
            of(ChangeClass::AcceptanceLapsed, "its acceptance no longer holds")
        }
        (Some(bad), Some(now)) if now < bad => of(ChangeClass::Improved, "is milder than before"),
        (Some(_), Some(_)) => None,
    }
}

/// Listed only now.
fn appeared(is: &Finding, before: &View<'_>) -> Option<Change> {
    let of = |class, was, why| made(is, class, was, Some(is.outcome), why);
    let Some(ran) = before.ran(&is.check) else {
        return of(ChangeClass::MethodChanged, None, "the catalogue had no such check before");
    };
    let there = before.there(&is.subject);
    if is.outcome == Outcome::NotAssessed {
        return match (ran, there) {
            (Ran::Yes, There::Yes) => {
                of(ChangeClass::NewlyBlind, Some(Outcome::Pass), "did not fail before and cannot be assessed now")
            }
            // Never assessed for it: nothing changed.
            (Ran::No | Ran::NotApplicable | Ran::Yes, There::No | There::Perhaps | There::Yes) => None,
        };
    }
    if before.closed.contains(is.fingerprint.as_str()) {
        return of(ChangeClass::Reopened, Some(Outcome::Pass), "had been resolved and is there again");
    }
    match (ran, there) {
        (Ran::Yes, There::Yes) => of(ChangeClass::Worsened, Some(Outcome::Pass), "did not fail before"),
        (Ran::No, There::Yes | There::Perhaps) | (Ran::Yes | Ran::NotApplicable, There::Perhaps) => {
            of(ChangeClass::NewlySeen, None, "could not be assessed before; since when it is so is not known")
        }
        (Ran::NotApplicable, There::Yes) => {
            of(ChangeClass::Added, Some(Outcome::NotApplicable), "did not apply before")
        }
        (Ran::No | Ran::NotApplicable | Ran::Yes, There::No) => of(ChangeClass::Added, None, "was not there before"),
    }
}

/// Listed only before.
fn disappeared(was: &Finding, after: &View<'_>) -> Option<Change> {
    let of = |class, is, why| made(was, class, Some(was.outcome), is, why);
    let Some(ran) = after.ran(&was.check) else {
        return of(ChangeClass::MethodChanged, None, "the catalogue no longer has this check");
    };
    let there = after.there(&was.subject);
    if was.outcome == Outcome::NotAssessed {
        return match (ran, there) {
            (Ran::Yes, There::Yes) => {
                of(ChangeClass::NewlySeen, Some(Outcome::Pass), "could not be assessed before and does not fail now")
            }
            (Ran::No | Ran::NotApplicable | Ran::Yes, There::No | There::Perhaps | There::Yes) => None,
        };
    }
    match (ran, there) {
        (Ran::Yes, There::Yes) => of(ChangeClass::Resolved, Some(Outcome::Pass), "no longer fails"),
        (Ran::No | Ran::NotApplicable | Ran::Yes, There::No) => of(ChangeClass::Gone, None, "is no longer there"),
        (Ran::NotApplicable, There::Yes | There::Perhaps) => {
            of(ChangeClass::Gone, Some(Outcome::NotApplicable), "the check no longer applies")
        }
        (Ran::No, There::Yes | There::Perhaps) | (Ran::Yes, There::Perhaps) => {
            of(ChangeClass::NewlyBlind, Some(Outcome::NotAssessed), "was assessed before; what holds now is not known")
        }
    }
}

/// With another catalogue nobody can say that something got better.
fn neutral(mut change: Change) -> Change {
    match change.class {
        ChangeClass::Improved | ChangeClass::Resolved => {
            change.class = ChangeClass::MethodChanged;
            change.why = format!("{}, by another catalogue", change.why);
        }
        ChangeClass::AcceptanceLapsed
        | ChangeClass::Added
        | ChangeClass::Gone
        | ChangeClass::MethodChanged
        | ChangeClass::NewlyBlind
        | ChangeClass::NewlySeen
        | ChangeClass::Reopened
        | ChangeClass::Worsened => {}
    }
    change
}

/// Checks that could be assessed before and cannot now, where no single finding says so.
fn checks_gone_dark(from: &Assessment, to: &Assessment, changes: &[Change]) -> Vec<Change> {
    let said: BTreeSet<&str> = changes
        .iter()
        .filter(|change| change.class == ChangeClass::NewlyBlind)
        .map(|change| change.check.as_str())
        .collect();
    let now: BTreeMap<&str, &CheckCoverage> =
        to.coverage.checks.iter().map(|check| (check.check.as_str(), check)).collect();
    from.coverage
        .checks
        .iter()
        .filter(|was| !said.contains(was.check.as_str()))
        .filter_map(|was| {
            let is = now.get(was.check.as_str())?;
            let why = match (was.state, is.state) {
                (
                    CoverageState::Assessed | CoverageState::PartlyAssessed,
                    CoverageState::NotAssessed | CoverageState::NotProvided,
                ) => "was assessed before and is not now",
                (CoverageState::Assessed, CoverageState::PartlyAssessed) => {
                    "was assessed for every subject before and is not now"
                }
                (CoverageState::PartlyAssessed, CoverageState::PartlyAssessed)
                | (
                    CoverageState::Assessed | CoverageState::PartlyAssessed,
                    CoverageState::Assessed | CoverageState::NotApplicable,
                )
                | (
                    CoverageState::NotApplicable | CoverageState::NotAssessed | CoverageState::NotProvided,
                    CoverageState::Assessed
                    | CoverageState::NotApplicable
                    | CoverageState::NotAssessed
                    | CoverageState::NotProvided
                    | CoverageState::PartlyAssessed,
                ) => return None,
            };
            Some(Change {
                class: ChangeClass::NewlyBlind,
                check: was.check.clone(),
                title: was.title.clone(),
                subject: None,
                fingerprint: None,
                severity: Severity::Info,
                before: None,
                after: Some(Outcome::NotAssessed),
                why: why.to_owned(),
            })
        })
        .collect()
}

fn risks(from: &Assessment, to: &Assessment) -> Vec<RiskChange> {
    let before: BTreeMap<&str, &v1::Risk> = from.risks.iter().map(|risk| (risk.id.as_str(), risk)).collect();
    let after: BTreeMap<&str, &v1::Risk> = to.risks.iter().map(|risk| (risk.id.as_str(), risk)).collect();
    let model_changed = from.tool.risk_model != to.tool.risk_model;
    let judged_otherwise = model_changed || from.tool.catalogue != to.tool.catalogue;
    let ids: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    ids.into_iter()
        .filter_map(|id| {
            let (was, is) = (before.get(id), after.get(id));
            let (old, new) = (was.map(|risk| risk.residual.risk), is.map(|risk| risk.residual.risk));
            let (class, why) = match (old, new) {
                (Some(old), Some(new)) if old == new => return None,
                _ if model_changed => (ChangeClass::MethodChanged, "by another risk model"),
                (Some(old), Some(new)) if new > old => (ChangeClass::Worsened, "is higher than before"),
                (Some(_), Some(_)) if judged_otherwise => (ChangeClass::MethodChanged, "lower, by another catalogue"),
                (Some(_), Some(_)) => (ChangeClass::Improved, "is lower than before"),
                (None, Some(_)) => (ChangeClass::Added, "could not happen before"),
                (Some(_), None) => (ChangeClass::Gone, "can no longer happen"),
                (None, None) => return None,
            };
            Some(RiskChange {
                class,
                id: id.to_owned(),
                title: is.or(was).map_or_else(String::new, |risk| risk.title.clone()),
                before: old,
                after: new,
                why: why.to_owned(),
            })
        })
        .collect()
}
