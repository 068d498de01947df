//! Findings as people read them: one row per check and outcome, with the first subjects in full
//! and the rest counted, so that ten thousand findings are still a page.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::front::owner_or;
use super::plain::Shorthand;
use super::risks::RiskCount;
use super::shown::left_out;
use super::words::{
    Tag, counted, grade_words, kind_words, number, outcome_word, paragraph, plain_words, sentence, short_hash,
};
use super::{RAW_SHOWN, SHOWN};
use crate::report::json::v1::{Assessment, Disposition, Finding, Outcome, PlanItem, Severity, Supports};

/// One check that failed, or asks a person, for one or many subjects.
#[derive(Clone, Debug, Serialize)]
pub struct FindingGroup {
    pub anchor: String,
    pub check: String,
    pub catalogue: Option<String>,
    /// The good condition.
    pub title: String,
    pub area: String,
    pub subject_kind: String,
    #[serde(skip)]
    pub outcome: Outcome,
    pub outcome_word: &'static str,
    pub severity: Tag,
    #[serde(skip)]
    pub severity_is: Severity,
    /// The first subject's sentence.
    pub said: String,
    /// `and 37 more like it`.
    pub more: Option<String>,
    pub count: usize,
    /// `first seen 2026-06-30, grade A, 2 accepted`.
    pub meta: String,
    pub members: Vec<Member>,
    /// What is only counted.
    pub rest: Option<String>,
    pub why: String,
    pub question: Option<String>,
    pub fix: String,
    pub evidence: Vec<String>,
    pub evidence_rest: Option<String>,
    pub grade: String,
    pub command: String,
    pub cites: Vec<CiteView>,
}

/// One subject of a group.
#[derive(Clone, Debug, Serialize)]
pub struct Member {
    pub sentence: String,
    /// Accepted by somebody, or lapsed; `None` where simply open.
    pub disposition: Option<String>,
}

/// A paragraph of the rule and how far the check speaks to it.
#[derive(Clone, Debug, Serialize)]
pub struct CiteView {
    pub spec: String,
    pub title: String,
    pub supports: &'static str,
}

/// One finding in the appendix.
#[derive(Clone, Debug, Serialize)]
pub struct RawFinding {
    pub fingerprint: String,
    pub check: String,
    pub subject: String,
    pub outcome: &'static str,
    pub severity: &'static str,
    pub opened: String,
}

/// A finding that somebody accepted.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptedRow {
    pub sentence: String,
    pub check: String,
    pub by: String,
    pub until: String,
}

/// Failures and questions by check, worst first, in the order of the assessment.
pub(super) fn group(assessment: &Assessment) -> Vec<FindingGroup> {
    let mut order: Vec<(&str, Outcome)> = Vec::new();
    let mut members: BTreeMap<(&str, Outcome), Vec<&Finding>> = BTreeMap::new();
    for finding in &assessment.findings {
        match finding.outcome {
            Outcome::Fail | Outcome::NeedsReview => {}
            Outcome::NotApplicable | Outcome::NotAssessed | Outcome::Pass => continue,
        }
        let key = (finding.check.as_str(), finding.outcome);
        let group = members.entry(key).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(finding);
    }
    let plan: BTreeMap<&str, &PlanItem> = assessment.plan.iter().map(|item| (item.check.as_str(), item)).collect();
    let titles: BTreeMap<&str, &str> = assessment
        .specifications
        .iter()
        .map(|specification| (specification.id.as_str(), specification.title.as_str()))
        .collect();
    let shorthand = Shorthand::of(assessment);
    order
        .into_iter()
        .enumerate()
        .map(|(at, key)| view(at + 1, &members[&key], &titles, plan.get(key.0).copied(), &shorthand))
        .collect()
}

fn view(
    number_of_group: usize,
    members: &[&Finding],
    titles: &BTreeMap<&str, &str>,
    item: Option<&PlanItem>,
    shorthand: &Shorthand<'_>,
) -> FindingGroup {
    let first = members[0];
    let evidence: BTreeSet<(&str, Option<u64>, &str)> =
        members.iter().flat_map(|finding| finding.evidence.iter().map(|id| by_line(id))).collect();
    let worst_grade = members.iter().map(|finding| finding.grade).max().unwrap_or(first.grade);
    FindingGroup {
        anchor: format!("finding-{number_of_group}"),
        check: paragraph(&first.check),
        catalogue: first.catalogue.as_deref().map(paragraph),
        title: paragraph(&first.title),
        area: paragraph(&first.area),
        subject_kind: first.subject.kind.clone(),
        outcome: first.outcome,
        outcome_word: outcome_word(first.outcome),
        severity: Tag::from(first.severity),
        severity_is: first.severity,
        said: sentence(&shorthand.said(first)),
        more: (members.len() > 1).then(|| format!("and {} more like it", number(members.len() as u64 - 1))),
        count: members.len(),
        meta: meta(members, item),
        members: members.iter().take(SHOWN).map(|finding| member(finding, shorthand)).collect(),
        rest: (members.len() > SHOWN).then(|| {
            format!(
                "and {} more {}, counted here and listed in assessment.json",
                number((members.len() - SHOWN) as u64),
                kind_words(&first.subject.kind)
            )
        }),
        why: sentence(&first.why),
        question: first.question.as_deref().map(sentence),
        fix: sentence(&first.fix),
        evidence_rest: (evidence.len() > SHOWN)
            .then(|| format!("and {} more in assessment.json", number((evidence.len() - SHOWN) as u64))),
        evidence: evidence.into_iter().take(SHOWN).map(|(_, _, id)| paragraph(id)).collect(),
        grade: grade_words(worst_grade),
        command: format!("mailassay explain {}", paragraph(&first.check)),
        cites: first
            .cites
            .iter()
            .map(|cite| CiteView {
                spec: paragraph(&cite.spec),
                title: titles.get(cite.spec.as_str()).map_or_else(String::new, |title| paragraph(title)),
                supports: match cite.supports {
                    Supports::Direct => "directly",
                    Supports::Indirect => "indirectly",
                },
            })
            .collect(),
    }
}

/// Sorts observations by segment, then by line as a number: `#2` before `#10`.
fn by_line(id: &str) -> (&str, Option<u64>, &str) {
    let (segment, line) = id.rsplit_once('#').unwrap_or((id, ""));
    (segment, line.parse().ok(), id)
}

fn member(finding: &Finding, shorthand: &Shorthand<'_>) -> Member {
    Member {
        sentence: sentence(&shorthand.said(finding)),
        disposition: match &finding.disposition {
            Disposition::Accepted { by, until } => Some(format!("accepted by {} until {until}", paragraph(by))),
            Disposition::Lapsed => Some("an acceptance ran out".to_owned()),
            Disposition::Open => None,
        },
    }
}

fn meta(members: &[&Finding], item: Option<&PlanItem>) -> String {
    let first = members[0];
    let opened = members.iter().map(|finding| finding.opened).min();
    let age = members.iter().map(|finding| finding.age).max().unwrap_or(1);
    let mut parts = vec![outcome_word(first.outcome).to_owned(), kind_counted(members.len(), &first.subject.kind)];
    parts.push(match opened {
        Some(opened) if age > 1 => format!("first seen {opened}"),
        Some(_) | None => "new this quarter".to_owned(),
    });
    let accepted = members.iter().filter(|finding| matches!(finding.disposition, Disposition::Accepted { .. })).count();
    if accepted > 0 {
        parts.push(format!("{} accepted", number(accepted as u64)));
    }
    let lapsed = members.iter().filter(|finding| finding.disposition == Disposition::Lapsed).count();
    if lapsed > 0 {
        parts.push(counted(lapsed, "acceptance ran out", "acceptances ran out"));
    }
    if let Some(item) = item {
        parts.push(format!("owner: {}", owner_or(item.owner.as_deref())));
    }
    parts.push(paragraph(&first.check));
    if let Some(catalogue) = &first.catalogue {
        parts.push(paragraph(catalogue));
    }
    parts.join(" · ")
}

fn kind_counted(count: usize, kind: &str) -> String {
    let many = kind_words(kind);
    let one = match kind {
        "attestation" => "answer of the questionnaire".to_owned(),
        "content_folder" => "mail folder".to_owned(),
        "endpoint" => "service".to_owned(),
        other => other.replace('_', " "),
    };
    counted(count, &one, &many)
}

/// Failures by severity, worst first; every severity is there.
pub(super) fn counts(assessment: &Assessment) -> Vec<RiskCount> {
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
        .into_iter()
        .map(|severity| RiskCount {
            level: Tag::from(severity),
            count: number(
                assessment
                    .findings
                    .iter()
                    .filter(|finding| finding.outcome == Outcome::Fail && finding.severity == severity)
                    .count() as u64,
            ),
        })
        .collect()
}

/// The first findings one by one, and how many are left out.
pub(super) fn raw(assessment: &Assessment) -> (Vec<RawFinding>, Option<String>) {
    let rows = assessment
        .findings
        .iter()
        .take(RAW_SHOWN)
        .map(|finding| RawFinding {
            fingerprint: short_hash(&finding.fingerprint),
            check: paragraph(&finding.check),
            subject: format!("{} {}", plain_words(&paragraph(&finding.subject.kind)), paragraph(&finding.subject.name)),
            outcome: outcome_word(finding.outcome),
            severity: finding.severity.as_str(),
            opened: finding.opened.to_string(),
        })
        .collect();
    (rows, left_out(assessment.findings.len()))
}

/// Findings somebody accepted, for the plan and the signature page, and how many are left out.
pub(super) fn accepted(assessment: &Assessment) -> (Vec<AcceptedRow>, Option<String>) {
    let all: Vec<AcceptedRow> = assessment
        .findings
        .iter()
        .filter_map(|finding| match &finding.disposition {
            Disposition::Accepted { by, until } => Some(AcceptedRow {
                sentence: sentence(&finding.message),
                check: paragraph(&finding.check),
                by: paragraph(by),
                until: until.to_string(),
            }),
            Disposition::Lapsed | Disposition::Open => None,
        })
        .collect();
    let rest = left_out(all.len());
    (all.into_iter().take(RAW_SHOWN).collect(), rest)
}
