//! Cases in which the Office for Civil Rights acted after something went wrong with mail: an appendix
//! for those who ask for it.
//!
//! Context only: nothing is judged by a case and no sum is computed from one. A row that nobody read
//! in a source is never shown.

use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::model::words::{number, sentence};
use crate::yaml::{self, Located};

const CASES: &str = include_str!("../../checks/enforcement.yaml");

static SHIPPED: LazyLock<File> =
    LazyLock::new(|| read(CASES).unwrap_or_else(|error| panic!("the shipped cases are read in a test: {error}")));

/// What the appendix prints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CasesView {
    /// What the rows are and what they are not; empty where nobody asked for them.
    pub said: String,
    pub rows: Vec<CaseRow>,
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseRow {
    pub anchor: String,
    pub announced: String,
    pub who: String,
    pub what: String,
    pub found: String,
    pub paragraphs: String,
    pub outcome: String,
    pub individuals: String,
    pub sources: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    read: Date,
    caution: String,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    who: String,
    announced: String,
    kind: String,
    amount_usd: u64,
    individuals: Option<u64>,
    #[serde(default)]
    about: bool,
    what: String,
    found: Vec<String>,
    paragraphs: Vec<String>,
    cited: Cited,
    known: Known,
    sources: Vec<String>,
}

/// Whose word the paragraphs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Cited {
    Named,
    Ours,
}

/// How a row came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Known {
    Memory,
    Read,
}

fn read(text: &str) -> Result<File, Located> {
    yaml::read(Path::new("enforcement.yaml"), text)
}

/// The shipped cases.
pub fn cases() -> CasesView {
    view(&SHIPPED)
}

fn view(file: &File) -> CasesView {
    let printed = |case: &&Case| case.known == Known::Read && !case.sources.is_empty();
    CasesView {
        said: format!(
            "Context only. Settlements admit nothing and prove nothing, no case tells what could happen here, and no sum can be computed from one. {} Read on {}.",
            sentence(&file.caution),
            file.read
        ),
        rows: file.cases.iter().filter(printed).map(row).collect(),
    }
}

fn row(case: &Case) -> CaseRow {
    let whose = match case.cited {
        Cited::Named => "named in a source",
        Cited::Ours => "our mapping",
    };
    CaseRow {
        anchor: format!("case-{}", case.id),
        announced: case.announced.clone(),
        who: case.who.clone(),
        what: sentence(&case.what),
        found: case.found.join("; "),
        paragraphs: format!("{} ({whose})", case.paragraphs.join(", ")),
        outcome: format!("{} of ${}", case.kind, number(case.amount_usd)),
        individuals: match (case.individuals, case.about) {
            (None, _) => "not known".to_owned(),
            (Some(count), true) => format!("about {}", number(count)),
            (Some(count), false) => number(count),
        },
        sources: case.sources.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_case_has_a_source_a_day_and_paragraphs_and_is_there_once() {
        assert!(SHIPPED.cases.len() >= 10);
        let mut ids = std::collections::BTreeSet::new();
        for case in &SHIPPED.cases {
            assert!(ids.insert(&case.id), "{} twice", case.id);
            assert!(!case.sources.is_empty() && !case.paragraphs.is_empty(), "{}", case.id);
        }
        assert!(!cases().rows.is_empty());
        assert!(SHIPPED.cases.windows(2).all(|two| two[0].announced >= two[1].announced), "newest first");
    }

    #[test]
    fn what_is_known_from_memory_or_without_a_source_is_never_printed() {
        let row = |id: &str, known: &str, sources: &str| {
            format!(
                "  - {{ id: {id}, who: {id}, announced: \"2021\", kind: settlement, amount_usd: 1, what: x, found: [y], \
                 paragraphs: [z], cited: ours, known: {known}, sources: {sources} }}\n"
            )
        };
        let text = format!(
            "read: 2026-11-21\ncaution: look\ncases:\n{}{}{}",
            row("remembered", "memory", "[somewhere]"),
            row("unsourced", "read", "[]"),
            row("sound", "read", "[somewhere]")
        );
        let rows = view(&read(&text).unwrap()).rows;
        assert_eq!(rows.iter().map(|row| row.who.as_str()).collect::<Vec<_>>(), ["sound"]);
    }
}
