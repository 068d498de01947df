//! The register, the plan and the exposure of mailboxes as rows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::findings::FindingGroup;
use super::front::{due_or, graded, owner_or};
use super::words::{Tag, capitalized, counted, is_low_confidence, number, paragraph, plain_words, sentence};
use crate::report::charts::{Cell, anchor};
use crate::report::json::v1::{Assessment, Level, Position, Risk};

/// Likelihood, impact and level as tags.
#[derive(Clone, Debug, Serialize)]
pub struct PositionView {
    pub likelihood: Tag,
    pub impact: Tag,
    pub risk: Tag,
}

/// One row of the register.
#[derive(Clone, Debug, Serialize)]
pub struct RiskView {
    pub anchor: String,
    /// Where its reasoning stands, in the appendix.
    pub trace: String,
    pub number: usize,
    pub id: String,
    pub scenario: String,
    pub title: String,
    pub statement: String,
    pub assets: String,
    pub threat: String,
    pub inherent: PositionView,
    pub residual: PositionView,
    pub target: PositionView,
    pub confidence: String,
    pub grade: &'static str,
    pub low_confidence: bool,
    /// High or very high now.
    pub above: bool,
    pub tips_on: Vec<String>,
    pub explain: Vec<String>,
    pub treatment: String,
    pub owner: String,
    pub due: String,
    pub weaknesses: Vec<Link>,
    /// How many findings it rests on could not be assessed.
    pub unassessed: Option<String>,
    pub controls: Vec<String>,
    #[serde(skip)]
    pub cell: Cell,
}

/// Words that lead somewhere in the page.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    pub words: String,
    pub target: String,
}

/// How many there are at one level.
#[derive(Clone, Debug, Serialize)]
pub struct RiskCount {
    pub level: Tag,
    pub count: String,
}

/// The risks of one cell of the map.
#[derive(Clone, Debug, Serialize)]
pub struct CellList {
    pub anchor: String,
    pub likelihood: String,
    pub impact: String,
    pub risks: Vec<Link>,
}

/// One threat and what it leads to.
#[derive(Clone, Debug, Serialize)]
pub struct Threat {
    pub threat: String,
    pub scenarios: String,
    pub level: Tag,
    pub likelihood: String,
    pub because: String,
}

/// One item of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct PlanRow {
    pub number: usize,
    pub anchor: String,
    pub title: String,
    pub action: String,
    pub specs: String,
    pub severity: Tag,
    pub effort: String,
    pub reduction: String,
    pub subjects: String,
    pub risks: Vec<Link>,
    pub owner: String,
    pub due: String,
    pub status: String,
    pub age: String,
    pub late: bool,
    /// How often its date was moved.
    pub deferred: Option<String>,
    pub milestones: Vec<String>,
    pub comment: Option<String>,
    pub command: String,
}

fn position(position: &Position) -> PositionView {
    PositionView {
        likelihood: Tag::from(position.likelihood),
        impact: Tag::from(position.impact),
        risk: Tag::from(position.risk),
    }
}

/// Every risk, worst residual first as the assessment has them.
pub(super) fn views(assessment: &Assessment, groups: &[FindingGroup]) -> Vec<RiskView> {
    let by_fingerprint: BTreeMap<&str, &str> =
        assessment.findings.iter().map(|finding| (finding.fingerprint.as_str(), finding.check.as_str())).collect();
    let by_check: BTreeMap<&str, &FindingGroup> =
        groups.iter().rev().map(|group| (group.check.as_str(), group)).collect();
    let titles: BTreeMap<&str, &str> =
        assessment.coverage.checks.iter().map(|check| (check.check.as_str(), check.title.as_str())).collect();
    assessment
        .risks
        .iter()
        .enumerate()
        .map(|(at, risk)| {
            let (weaknesses, unassessed) = weaknesses(risk, &by_fingerprint, &by_check);
            RiskView {
                anchor: format!("risk-{}", at + 1),
                trace: format!("trace-{}", at + 1),
                number: at + 1,
                id: paragraph(&risk.id),
                scenario: plain_words(&paragraph(&risk.scenario)),
                title: paragraph(&risk.title),
                statement: sentence(&risk.statement),
                assets: some_of(&risk.assets),
                threat: sentence(&risk.threat),
                inherent: position(&risk.inherent),
                residual: position(&risk.residual),
                target: position(&risk.target),
                confidence: graded(risk.confidence),
                grade: risk.confidence.as_str(),
                low_confidence: is_low_confidence(risk.confidence),
                above: matches!(risk.residual.risk, Level::High | Level::VeryHigh),
                tips_on: risk.tips_on.iter().map(|input| paragraph(input)).collect(),
                explain: risk.explain.iter().map(|step| paragraph(step)).collect(),
                treatment: paragraph(&risk.treatment),
                owner: owner_or(risk.owner.as_deref()),
                due: due_or(risk.due),
                weaknesses,
                unassessed,
                controls: risk
                    .controls
                    .iter()
                    .map(|check| titles.get(check.as_str()).map_or_else(|| paragraph(check), |title| paragraph(title)))
                    .collect(),
                cell: (risk.residual.likelihood, risk.residual.impact),
            }
        })
        .collect()
}

fn weaknesses(
    risk: &Risk,
    by_fingerprint: &BTreeMap<&str, &str>,
    by_check: &BTreeMap<&str, &FindingGroup>,
) -> (Vec<Link>, Option<String>) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unassessed = 0;
    for fingerprint in &risk.vulnerabilities {
        match by_fingerprint.get(fingerprint.as_str()) {
            Some(check) if by_check.contains_key(check) => *found.entry(check).or_default() += 1,
            Some(_) | None => unassessed += 1,
        }
    }
    let mut groups: Vec<_> = found.into_iter().map(|(check, count)| (by_check[check], count)).collect();
    groups.sort_by(|(a, _), (b, _)| (b.severity_is, &a.check).cmp(&(a.severity_is, &b.check)));
    let links = groups
        .into_iter()
        .map(|(group, count)| Link {
            words: match count {
                1 => group.said.clone(),
                more => format!("{} (and {} more)", group.said, number(more as u64 - 1)),
            },
            target: group.anchor.clone(),
        })
        .collect();
    let unassessed = (unassessed > 0).then(|| {
        let subject = counted(unassessed, "fact bears on it and was", "facts bear on it and were");
        format!("{subject} not assessed.")
    });
    (links, unassessed)
}

/// The first names, and how many more.
pub(super) fn some_of(names: &[String]) -> String {
    if names.is_empty() {
        return "not named".to_owned();
    }
    let mut shown: Vec<String> = names.iter().take(8).map(|name| paragraph(name)).collect();
    if names.len() > 8 {
        shown.push(format!("and {} more", number(names.len() as u64 - 8)));
    }
    shown.join(", ")
}

/// Risks by residual level, worst first; every level is there.
pub(super) fn counts(assessment: &Assessment) -> Vec<RiskCount> {
    Level::ALL
        .into_iter()
        .rev()
        .map(|level| RiskCount {
            level: Tag::from(level),
            count: number(assessment.risks.iter().filter(|risk| risk.residual.risk == level).count() as u64),
        })
        .collect()
}

/// The lists the map's circles lead to, highest likelihood first.
pub(super) fn cells(risks: &[RiskView]) -> Vec<CellList> {
    let mut cells: BTreeMap<Cell, Vec<Link>> = BTreeMap::new();
    for risk in risks {
        cells.entry(risk.cell).or_default().push(Link { words: risk.title.clone(), target: risk.anchor.clone() });
    }
    cells
        .into_iter()
        .rev()
        .map(|(cell, risks)| CellList {
            anchor: anchor(cell),
            likelihood: cell.0.in_words().to_owned(),
            impact: cell.1.in_words().to_owned(),
            risks,
        })
        .collect()
}

/// Threats by the worst risk they lead to.
pub(super) fn threats(assessment: &Assessment) -> Vec<Threat> {
    let mut by_threat: BTreeMap<String, Vec<&Risk>> = BTreeMap::new();
    for risk in &assessment.risks {
        by_threat.entry(paragraph(&risk.threat)).or_default().push(risk);
    }
    let mut threats: Vec<(Level, Threat)> = by_threat
        .into_iter()
        .map(|(threat, risks)| {
            let worst = risks.iter().map(|risk| risk.residual.risk).max().unwrap_or(Level::VeryHigh);
            let likelihood = risks.iter().map(|risk| risk.inherent.likelihood).max().unwrap_or(Level::VeryHigh);
            let scenarios: Vec<String> = risks.iter().map(|risk| paragraph(&risk.title)).collect();
            let row = Threat {
                threat,
                scenarios: scenarios.join("; "),
                level: Tag::from(worst),
                likelihood: likelihood.in_words().to_owned(),
                because: String::new(),
            };
            (worst, row)
        })
        .collect();
    threats.sort_by(|(a, left), (b, right)| b.cmp(a).then_with(|| left.threat.cmp(&right.threat)));
    threats.into_iter().map(|(_, threat)| threat).collect()
}

/// Scenarios that cannot happen here.
pub(super) fn not_applicable(assessment: &Assessment) -> Vec<Threat> {
    assessment
        .risks_not_applicable
        .iter()
        .map(|risk| Threat {
            threat: paragraph(&risk.title),
            scenarios: paragraph(&risk.scenario),
            level: Tag::plain("not applicable"),
            likelihood: String::new(),
            because: capitalized(&super::plain::reason(&risk.because)),
        })
        .collect()
}

/// A count of individuals with its bounds.
pub(super) fn individuals(lower: Option<u64>, upper: Option<u64>) -> String {
    match (lower, upper) {
        (Some(lower), Some(upper)) if lower == upper => number(lower),
        (Some(lower), Some(upper)) => format!("{} to {}", number(lower), number(upper)),
        (Some(lower), None) => format!("at least {}", number(lower)),
        (None, Some(upper)) => format!("at most {}", number(upper)),
        (None, None) => "not known".to_owned(),
    }
}

/// The plan, most risk removed per effort first as the assessment has it.
pub(super) fn plan(assessment: &Assessment, risks: &[RiskView]) -> Vec<PlanRow> {
    let by_id: BTreeMap<&str, &RiskView> = risks.iter().map(|risk| (risk.id.as_str(), risk)).collect();
    let today = super::front::today(assessment);
    assessment
        .plan
        .iter()
        .enumerate()
        .map(|(at, item)| PlanRow {
            number: at + 1,
            anchor: format!("plan-{}", at + 1),
            title: paragraph(&item.title),
            action: sentence(&item.action),
            specs: if item.specs.is_empty() { "none".to_owned() } else { item.specs.join(", ") },
            severity: Tag::from(item.severity),
            effort: paragraph(&item.effort),
            reduction: match (item.reduction, item.eases) {
                (0, 0) => "none alone".to_owned(),
                (0, eases) => format!("0 (eases {eases})"),
                (steps, _) => number(u64::from(steps)),
            },
            subjects: number(item.subjects as u64),
            risks: item
                .risks
                .iter()
                .filter_map(|id| by_id.get(id.as_str()))
                .map(|risk| Link { words: risk.title.clone(), target: risk.anchor.clone() })
                .collect(),
            owner: owner_or(item.owner.as_deref()),
            due: due_or(item.due),
            status: paragraph(&item.status),
            age: format!("since {}", item.opened),
            late: item.due.is_some_and(|due| due < today) && !matches!(item.status.as_str(), "done" | "closed"),
            deferred: (item.deferrals > 0).then(|| match item.deferrals {
                1 => "deferred once".to_owned(),
                times => format!("deferred {times} times"),
            }),
            milestones: item
                .milestones
                .iter()
                .map(|step| {
                    let state = step.done.map_or_else(|| format!("due {}", step.due), |day| format!("done {day}"));
                    format!("{} ({state})", paragraph(&step.what))
                })
                .collect(),
            comment: item.comment.as_deref().map(sentence),
            command: format!("mailassay explain {}", paragraph(&item.check)),
        })
        .collect()
}
