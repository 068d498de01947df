//! The Security Rule paragraph by paragraph, with what the evidence says of each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::words::{Tag, counted, heading, number, paragraph};
use crate::report::json::v1::{
    Assessment, CoverageState, Grade, Obligation, Specification, SpecificationState, Supports,
};

/// One standard or specification.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixRow {
    pub id: String,
    pub title: String,
    pub category: String,
    pub obligation: &'static str,
    pub is_standard: bool,
    pub status: Tag,
    pub grade: String,
    pub basis: Vec<String>,
    pub rest: Option<String>,
}

/// How many specifications have one status.
#[derive(Clone, Debug, Serialize)]
pub struct StatusCount {
    pub status: Tag,
    pub meaning: &'static str,
    pub count: String,
}

/// Paragraphs with more checks than this are counted beyond it.
const BASIS_SHOWN: usize = 8;

fn status(state: SpecificationState) -> Tag {
    match state {
        SpecificationState::Attested => Tag::plain("attested"),
        SpecificationState::Contradicted => Tag { word: "contradicted".to_owned(), rank: None, class: "level-5" },
        SpecificationState::ContradictedInPart => {
            Tag { word: "contradicted in part".to_owned(), rank: None, class: "level-4" }
        }
        SpecificationState::Evidenced => Tag { word: "evidence supports".to_owned(), rank: None, class: "level-2" },
        SpecificationState::NotAssessed => Tag::unknown("not assessed"),
        SpecificationState::Partly => Tag { word: "supported in part".to_owned(), rank: None, class: "level-3" },
    }
}

pub(super) fn matrix(assessment: &Assessment) -> Vec<MatrixRow> {
    let titles: BTreeMap<&str, &str> =
        assessment.coverage.checks.iter().map(|check| (check.check.as_str(), check.title.as_str())).collect();
    assessment.specifications.iter().map(|specification| row(specification, &titles)).collect()
}

fn row(specification: &Specification, titles: &BTreeMap<&str, &str>) -> MatrixRow {
    let mut basis: Vec<_> = specification.by.iter().collect();
    basis.sort_by_key(|basis| (basis.failed == 0, basis.supports == Supports::Indirect, basis.check.as_str()));
    let judged = |state| match state {
        CoverageState::Assessed | CoverageState::PartlyAssessed => true,
        CoverageState::NotApplicable | CoverageState::NotAssessed | CoverageState::NotProvided => false,
    };
    let grade = basis.iter().filter(|basis| judged(basis.state)).map(|basis| basis.grade).max();
    MatrixRow {
        id: paragraph(&specification.id),
        title: paragraph(&specification.title),
        category: heading(&specification.category),
        obligation: match specification.obligation {
            Obligation::Addressable => "addressable",
            Obligation::Required => "required",
            Obligation::Standard => "standard",
        },
        is_standard: specification.obligation == Obligation::Standard,
        status: status(specification.status),
        grade: grade.map_or("U", Grade::as_str).to_owned(),
        rest: (basis.len() > BASIS_SHOWN)
            .then(|| format!("and {}", counted(basis.len() - BASIS_SHOWN, "more check", "more checks"))),
        basis: basis
            .into_iter()
            .take(BASIS_SHOWN)
            .map(|basis| {
                let title =
                    titles.get(basis.check.as_str()).map_or_else(|| paragraph(&basis.check), |title| paragraph(title));
                let how = match basis.supports {
                    Supports::Direct => "direct",
                    Supports::Indirect => "indirect",
                };
                let seen = match basis.state {
                    CoverageState::NotApplicable => "not applicable".to_owned(),
                    CoverageState::NotAssessed => "not assessed".to_owned(),
                    CoverageState::NotProvided => "no source".to_owned(),
                    CoverageState::Assessed | CoverageState::PartlyAssessed => {
                        seen(basis.passed, basis.failed, basis.unknown)
                    }
                };
                format!("{title} ({how}: {seen})")
            })
            .collect(),
    }
}

fn seen(passed: usize, failed: usize, unknown: usize) -> String {
    let mut parts = Vec::new();
    for (count, word) in [(failed, "fail"), (passed, "pass"), (unknown, "not known")] {
        if count > 0 {
            parts.push(format!("{} {word}", number(count as u64)));
        }
    }
    if parts.is_empty() { "nothing judged".to_owned() } else { parts.join(", ") }
}

/// Specifications (standards apart) by status.
pub(super) fn statuses(assessment: &Assessment) -> Vec<StatusCount> {
    [
        (SpecificationState::Contradicted, "a failed check speaks against it"),
        (SpecificationState::ContradictedInPart, "evidence supports a part, and a failed check speaks against another"),
        (SpecificationState::Partly, "evidence supports a part, or speaks to it indirectly"),
        (SpecificationState::Evidenced, "evidence that speaks to it directly supports it, within the scope assessed"),
        (SpecificationState::Attested, "people say so; nothing was measured"),
        (SpecificationState::NotAssessed, "nothing was learned"),
    ]
    .into_iter()
    .map(|(state, meaning)| StatusCount {
        status: status(state),
        meaning,
        count: number(
            assessment
                .specifications
                .iter()
                .filter(|row| row.status == state && row.obligation != Obligation::Standard)
                .count() as u64,
        ),
    })
    .collect()
}
