//! How the levels came about: scales, the table, grades of evidence, sources and vantage points.

use serde::Serialize;

use super::words::{Tag, heading, moment, number, paragraph, source_words, yes_no};
use crate::records::tls_traits::NEVER_TRIED;
use crate::report::charts::GRADES;
use crate::report::json::v1::{Assessment, Level, Position};

/// How levels come about, as far as the assessment says.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    pub model: String,
    pub grades: Vec<GradeRow>,
    /// The risk each likelihood (rows, highest first) and impact (columns) make; empty if the
    /// register contradicts the published table, as it may under a model of the organization's own.
    pub matrix: Vec<MatrixLine>,
    pub sources: Vec<Source>,
    pub vantages: Vec<VantageRow>,
    /// Faults of TLS programs that were not looked for.
    pub never_tried: &'static str,
    pub changes: Vec<String>,
}

/// One grade of evidence.
#[derive(Clone, Debug, Serialize)]
pub struct GradeRow {
    pub letter: &'static str,
    pub words: &'static str,
    pub segments: usize,
}

/// One likelihood and what it makes with each impact.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixLine {
    pub likelihood: String,
    pub cells: Vec<Tag>,
}

/// One kind of source.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    pub name: String,
    pub observations: String,
}

/// Where questions were asked from.
#[derive(Clone, Debug, Serialize)]
pub struct VantageRow {
    pub label: String,
    pub resolvers: String,
    pub port_25: &'static str,
    pub until: String,
    pub complete: &'static str,
    pub test_network: String,
}

pub(super) fn method(assessment: &Assessment) -> Method {
    let mut sources: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for segment in &assessment.evidence {
        *sources.entry(&segment.source).or_default() += segment.observations;
    }
    Method {
        model: paragraph(&assessment.tool.risk_model),
        grades: GRADES
            .iter()
            .map(|grade| GradeRow {
                letter: grade.as_str(),
                words: grade.in_words(),
                segments: assessment.evidence.iter().filter(|segment| segment.grade == *grade).count(),
            })
            .collect(),
        matrix: matrix_lines(assessment),
        sources: sources
            .into_iter()
            .map(|(source, count)| Source { name: source_words(source), observations: number(count as u64) })
            .collect(),
        vantages: assessment.vantages.iter().map(vantage_row).collect(),
        never_tried: NEVER_TRIED,
        changes: assessment.drift.iter().flat_map(|drift| &drift.method).map(method_change).collect(),
    }
}

fn method_change(change: &crate::report::json::v1::diff::MethodChange) -> String {
    format!("{}: {} before, {} now", heading(&change.what), paragraph(&change.before), paragraph(&change.after))
}

fn vantage_row(vantage: &crate::report::json::v1::Vantage) -> VantageRow {
    VantageRow {
        label: paragraph(&vantage.label),
        resolvers: if vantage.resolvers.is_empty() { "none".to_owned() } else { vantage.resolvers.join(", ") },
        port_25: vantage.port_25_reachable.map_or("not tried", yes_no),
        until: moment(vantage.as_of),
        complete: yes_no(vantage.complete),
        test_network: if vantage.test_network.is_empty() { "none".to_owned() } else { vantage.test_network.join(" ") },
    }
}

/// NIST SP 800-30r1, Table I-2: the level of risk a likelihood and an impact make.
pub fn published_level(likelihood: Level, impact: Level) -> Level {
    use Level::{High, Low, Moderate, VeryHigh, VeryLow};
    match (likelihood, impact) {
        (_, VeryLow) | (VeryLow, Low | Moderate) => VeryLow,
        (VeryLow, High | VeryHigh) | (_, Low) | (Low, Moderate | High) => Low,
        (Low, VeryHigh) | (Moderate | High | VeryHigh, Moderate) | (Moderate, High) => Moderate,
        (Moderate, VeryHigh) | (High | VeryHigh, High) => High,
        (High | VeryHigh, VeryHigh) => VeryHigh,
    }
}

/// Whether every position in the register agrees with the published table.
pub fn follows_published_table(assessment: &Assessment) -> bool {
    let agrees = |position: &Position| published_level(position.likelihood, position.impact) == position.risk;
    assessment.risks.iter().all(|risk| agrees(&risk.inherent) && agrees(&risk.residual) && agrees(&risk.target))
}

fn matrix_lines(assessment: &Assessment) -> Vec<MatrixLine> {
    if !follows_published_table(assessment) {
        return Vec::new();
    }
    Level::ALL
        .into_iter()
        .rev()
        .map(|likelihood| MatrixLine {
            likelihood: likelihood.in_words().to_owned(),
            cells: Level::ALL.into_iter().map(|impact| Tag::from(published_level(likelihood, impact))).collect(),
        })
        .collect()
}
