//! The risk management plan (45 CFR 164.308(a)(1)(ii)(B)): one item a failing check, those that
//! take most risk away for their effort first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::PlanItem;
use super::analysis::Row;
use super::card::Cards;
use super::model::Model;
use crate::assess::Judgement;
use crate::finding::{Disposition, Fingerprint, Outcome, Severity};

/// One item for each check that fails somewhere.
pub(super) fn plan(model: &Model, cards: &Cards, judgement: &Judgement, rows: &[Row<'_>]) -> Vec<PlanItem> {
    let mut failing: BTreeMap<&str, Vec<&Fingerprint>> = BTreeMap::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in judgement.findings.iter().filter(|finding| finding.outcome == Outcome::Fail) {
        let check = finding.check.as_str();
        failing.entry(check).or_default().push(&finding.fingerprint);
        let severity = worst.entry(check).or_insert(finding.severity);
        *severity = finding.severity.max(*severity);
        *open.entry(check).or_default() += match finding.disposition {
            Disposition::Accepted { .. } => 0,
            Disposition::Lapsed | Disposition::Open => 1,
        };
    }
    let mut items: Vec<(u32, PlanItem)> = failing
        .into_iter()
        .map(|(check, findings)| {
            let Worth { reduction, eases, joint, risks } = worth(model, check, rows);
            let specs: BTreeSet<&str> =
                cards.get(check).into_iter().flat_map(|card| &card.cites).map(|cite| cite.spec.as_str()).collect();
            let findings: BTreeSet<&Fingerprint> = findings.into_iter().collect();
            let subjects = open[check];
            let item = PlanItem {
                id: Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("mailassay:plan:{check}").as_bytes()).to_string(),
                check: check.to_owned(),
                action: cards.get(check).map_or_else(String::new, |card| card.fix.clone()),
                specs: specs.into_iter().map(str::to_owned).collect(),
                risks,
                findings: findings.into_iter().cloned().collect(),
                effort: model.effort_of(check).as_str().to_owned(),
                severity: worst[check],
                subjects,
                reduction,
                eases,
                owner: None,
                due: None,
                status: if subjects == 0 { "accepted" } else { "open" }.to_owned(),
                deferrals: 0,
                milestones: Vec::new(),
                comment: None,
            };
            (joint, item)
        })
        .collect();
    items.sort_by(|a, b| order(model, a).cmp(&order(model, b)).then_with(|| a.1.check.cmp(&b.1.check)));
    items.into_iter().map(|(_, item)| item).collect()
}

/// What one item is worth over all risks.
struct Worth {
    /// Steps of risk, by this item alone.
    reduction: u32,
    /// Steps of the chance of success, by this item alone.
    eases: u32,
    /// Steps of risk it stands in the way of: those its risks would lose if every control held.
    joint: u32,
    risks: Vec<String>,
}

fn worth(model: &Model, check: &str, rows: &[Row<'_>]) -> Worth {
    let (mut reduction, mut eases, mut joint, mut risks) = (0, 0, 0, BTreeSet::new());
    for row in rows.iter().filter(|row| row.controls.contains_key(check)) {
        let (now, then) = (row.success_now(), row.success_without(model, check));
        let (risk_now, risk_then) = (row.position(model, now).risk, row.position(model, then).risk);
        reduction += (risk_now.index() - risk_then.index()) as u32;
        eases += (now.index() - then.index()) as u32;
        let best = row.position(model, row.best_success(model, check)).risk;
        joint += risk_now.index().saturating_sub(best.index()) as u32;
        risks.insert(row.id());
    }
    Worth { reduction, eases, joint, risks: risks.into_iter().collect() }
}

/// Open before accepted; then what an item takes away alone and what it stands in the way of, per
/// effort; then severity. Fractions are compared by their numerators over the product of all
/// weights, which every weight divides.
fn order(
    model: &Model,
    (joint, item): &(u32, PlanItem),
) -> (bool, Reverse<u32>, Reverse<u32>, Reverse<u32>, Reverse<Severity>) {
    let weights = &model.effort.weights;
    let product: u32 = weights.values().product();
    let per_effort = |steps: u32| Reverse(steps.saturating_mul(product / weights[&model.effort_of(&item.check)]));
    let alone = (per_effort(item.reduction), per_effort(item.eases));
    (item.subjects == 0, alone.0, alone.1, per_effort(*joint), Reverse(item.severity))
}
