//! Acceptances, records on addressable specifications, treatments, and the plan as people keep it.

use std::collections::BTreeMap;

use super::{
    ACCEPTANCE, ADDRESSABLE, ClosedItem, Conclusions, Found, Given, Standing, Tallies, Weighed, Weights, values,
};
use crate::assess::{CheckCoverage, CoverageState, Grade, Judgement};
use crate::evidence::decisions::{Acceptance, AddressableRecord, PlanEntry, PlanStatus};
use crate::names::SubjectKind;
use crate::risk::{Risk, RiskAnalysis};

/// Whether what was accepted has to be decided again.
pub(super) const fn is_open_again(standing: Standing) -> bool {
    match standing {
        Standing::Expired | Standing::Reopened => true,
        Standing::InForce | Standing::NotYet | Standing::Unused => false,
    }
}

/// Each record on an addressable specification; one that ran out is a finding.
pub(super) fn addressable(
    conclusions: &Conclusions,
    given: Given<'_>,
    judgement: &mut Judgement,
    tallies: &mut Tallies,
) -> Vec<Weighed<AddressableRecord>> {
    let records = &given.decisions.addressable;
    let weigh = |record: &AddressableRecord| {
        let standing = Standing::of(record.decided.on, record.expires, given.today);
        match standing {
            Standing::Expired => {
                // A newer record on the same specification takes its place.
                let replaced = records.iter().any(|other| {
                    other.spec == record.spec
                        && other.scope == record.scope
                        && Standing::of(other.decided.on, other.expires, given.today) == Standing::InForce
                });
                if !replaced {
                    let found = Found {
                        kind: SubjectKind::Organization,
                        subject: given.subject,
                        discriminator: &format!("{}:{}:{}", record.spec, record.scope, record.decided.on),
                        template: "The record on {{record.spec}} approved by {{record.by}} ran out on {{record.expires}} (decisions.yaml, line {{record.line}})",
                        values: values([
                            ("record.spec", record.spec.clone()),
                            ("record.by", crate::text::visible(&record.decided.by)),
                            ("record.expires", record.expires.to_string()),
                            ("record.line", record.line.to_string()),
                        ]),
                        evidence: vec![given.evidence.clone()],
                    };
                    tallies.failed(ADDRESSABLE, found, conclusions, judgement);
                }
            }
            Standing::InForce => tallies.passed(ADDRESSABLE),
            Standing::NotYet | Standing::Reopened | Standing::Unused => {}
        }
        let why = format!("until {}", record.expires);
        Weighed { decision: record.clone(), standing, why }
    };
    records.iter().map(weigh).collect()
}

/// Each acceptance against the level its risk has now.
pub(super) fn acceptances(
    conclusions: &Conclusions,
    given: Given<'_>,
    analysis: &RiskAnalysis,
    judgement: &mut Judgement,
    tallies: &mut Tallies,
) -> Vec<Weighed<Acceptance>> {
    let mut weighed = Vec::new();
    for acceptance in &given.decisions.acceptances {
        let risk = analysis.risks.iter().find(|risk| risk.scenario == acceptance.risk);
        let (standing, why) = stands(acceptance, risk, given);
        let newer = given.decisions.acceptances.iter().any(|other| {
            other.risk == acceptance.risk && other != acceptance && stands(other, risk, given).0 == Standing::InForce
        });
        if is_open_again(standing) && !newer {
            let found = Found {
                kind: SubjectKind::Organization,
                subject: given.subject,
                discriminator: &format!("{}:{}", acceptance.risk, acceptance.decided.on),
                template: "The acceptance of the risk {{acceptance.risk}} by {{acceptance.by}} no longer holds: {{acceptance.why}} (decisions.yaml, line {{acceptance.line}})",
                values: values([
                    ("acceptance.risk", acceptance.risk.clone()),
                    ("acceptance.by", crate::text::visible(&acceptance.decided.by)),
                    ("acceptance.why", why.clone()),
                    ("acceptance.line", acceptance.line.to_string()),
                ]),
                evidence: vec![given.evidence.clone()],
            };
            tallies.failed(ACCEPTANCE, found, conclusions, judgement);
        } else if standing == Standing::InForce {
            tallies.passed(ACCEPTANCE);
        }
        weighed.push(Weighed { decision: acceptance.clone(), standing, why });
    }
    weighed
}

fn stands(acceptance: &Acceptance, risk: Option<&Risk>, given: Given<'_>) -> (Standing, String) {
    let by_date = Standing::of(acceptance.decided.on, acceptance.expires, given.today);
    match (by_date, risk) {
        (Standing::Expired, _) => (by_date, format!("it ran out on {}", acceptance.expires)),
        (Standing::InForce, None) => (Standing::Unused, "this risk does not arise here".to_owned()),
        (Standing::InForce, Some(risk)) if risk.residual.risk > acceptance.level => {
            let (now, then) = (risk.residual.risk.in_words(), acceptance.level.in_words());
            (Standing::Reopened, format!("{then} was accepted, and it is {now} now"))
        }
        (Standing::InForce | Standing::NotYet | Standing::Reopened | Standing::Unused, _) => {
            (by_date, format!("until {}", acceptance.expires))
        }
    }
}

/// Writes what was decided into the register and the plan, and finds what a scan has closed.
pub(super) fn enter(given: Given<'_>, judgement: &Judgement, analysis: &mut RiskAnalysis, weights: &mut Weights) {
    for risk in &mut analysis.risks {
        if let Some(treatment) = given.decisions.treatments.iter().find(|decided| decided.risk == risk.scenario) {
            risk.treatment = treatment.treatment.as_str().to_owned();
            risk.owner = Some(treatment.owner.clone());
            risk.due = treatment.due;
        }
        for weighed in weights.acceptances.iter().filter(|weighed| weighed.decision.risk == risk.scenario) {
            let acceptance = &weighed.decision;
            let (by, role) = (&acceptance.decided.by, &acceptance.decided.role);
            if weighed.standing == Standing::InForce {
                risk.treatment = "accept".to_owned();
                risk.owner.get_or_insert_with(|| by.clone());
                risk.due = Some(acceptance.expires);
            }
            risk.explain.push(format!(
                "accepted at {} by {by} ({role}) on {}: {}",
                acceptance.level.in_words(),
                acceptance.decided.on,
                if weighed.standing == Standing::InForce {
                    format!("in force until {}; the level stands as it is", acceptance.expires)
                } else {
                    format!("{}, {}", weighed.standing.in_words(), weighed.why)
                }
            ));
        }
    }
    let mut entries: BTreeMap<&str, &PlanEntry> =
        given.decisions.plan.iter().map(|entry| (entry.check.as_str(), entry)).collect();
    for item in &mut analysis.plan {
        let Some(entry) = entries.remove(item.check.as_str()) else { continue };
        item.owner.clone_from(&entry.owner);
        item.due = entry.due;
        item.deferrals = entry.deferrals;
        item.milestones.clone_from(&entry.milestones);
        item.comment.clone_from(&entry.comment);
        item.status = match entry.status {
            PlanStatus::Done => "said to be done, still fails".to_owned(),
            PlanStatus::Deferred | PlanStatus::InProgress | PlanStatus::Open if item.subjects > 0 => {
                entry.status.as_str().to_owned()
            }
            PlanStatus::Deferred | PlanStatus::InProgress | PlanStatus::Open => item.status.clone(),
        };
    }
    weights.closed = entries.into_values().map(|entry| closed(entry, judgement)).collect();
}

/// An entry whose check fails nowhere: closed by evidence where every subject was looked at.
pub(super) fn closed(entry: &PlanEntry, judgement: &Judgement) -> ClosedItem {
    let coverage = judgement.coverage.get(&entry.check);
    let passed = judgement.passed.iter().find(|passed| passed.check == entry.check);
    let (evidence_sha256, grade, why) = match (coverage.map(|coverage| coverage.state), passed) {
        (Some(CoverageState::Assessed), Some(passed)) if coverage.is_some_and(CheckCoverage::is_settled) => {
            let why = format!("closed: it holds on all {} subjects of this assessment", passed.count);
            (Some(passed.evidence_sha256.clone()), passed.grade, why)
        }
        (Some(CoverageState::Assessed), _) => {
            (None, Grade::U, "not proven: part of it waits for somebody to look at it".to_owned())
        }
        (Some(CoverageState::NotApplicable), _) => {
            (None, Grade::U, "there is nothing left it could apply to".to_owned())
        }
        (None, _) => (None, Grade::U, "no check has this name".to_owned()),
        (Some(CoverageState::NotAssessed | CoverageState::NotProvided | CoverageState::PartlyAssessed), _) => {
            (None, Grade::U, "not proven: part of it could not be assessed".to_owned())
        }
    };
    ClosedItem { entry: entry.clone(), evidence_sha256, grade, why }
}
