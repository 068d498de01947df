//! The questions that no measurement answers, read from `checks/questionnaire.yaml`.
//!
//! What the answers mean is for the governance checks to say; here is only what is asked, which
//! paragraphs it is about, and how long an answer may be relied on.

pub mod sheet;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::yaml::{self, Located, Spanned};

const FILE: &str = "checks/questionnaire.yaml";

/// Everything that is asked, in the order it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Questionnaire {
    pub version: String,
    pub parts: Vec<Part>,
    pub questions: Vec<Question>,
}

/// Questions that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub id: String,
    pub title: String,
}

/// One question to the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub id: String,
    /// The part it belongs to.
    pub part: String,
    /// The question itself; `yes` is the good answer.
    pub ask: String,
    /// Why it is asked, in plain words.
    pub why: String,
    /// Paragraphs of the rule.
    pub cites: Vec<String>,
    /// Rows of `checks/frameworks/controls.csv` that it covers.
    pub controls: Vec<String>,
    /// An answer may be relied on for this many days at most.
    pub valid_days: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: String,
    parts: Vec<Part>,
    questions: Vec<Spanned<WrittenQuestion>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenQuestion {
    id: String,
    part: String,
    ask: String,
    why: String,
    cites: Vec<String>,
    #[serde(default)]
    controls: Vec<String>,
    valid_days: i64,
}

impl Questionnaire {
    /// The questions the program ships with.
    pub fn built_in() -> Result<&'static Self, Located> {
        static READ: OnceLock<Result<Questionnaire, Located>> = OnceLock::new();
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/checks/questionnaire.yaml"));
        READ.get_or_init(|| Self::read(Path::new(FILE), text)).as_ref().map_err(Clone::clone)
    }

    /// The question with this id.
    pub fn get(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let written: Written = yaml::read(file, text)?;
        let mut ids = BTreeSet::new();
        let mut questions = Vec::new();
        for spanned in written.questions {
            let refuse = |what: String| Err(Located::at_value(file, text, &spanned, what, ""));
            let question = &spanned.value;
            if !ids.insert(question.id.clone()) {
                return refuse(format!("the question `{}` is there twice", question.id));
            }
            if !written.parts.iter().any(|part| part.id == question.part) {
                return refuse(format!("there is no part `{}`", question.part));
            }
            if question.valid_days < 1 || question.cites.is_empty() {
                return refuse(format!("the question `{}` has no validity or cites nothing", question.id));
            }
            let WrittenQuestion { id, part, ask, why, cites, controls, valid_days } = spanned.value;
            questions.push(Question { id, part, ask, why, cites, controls, valid_days });
        }
        Ok(Self { version: written.version, parts: written.parts, questions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{Catalog, overclaim};

    #[test]
    fn every_question_cites_paragraphs_and_controls_that_exist() {
        let questionnaire = Questionnaire::built_in().unwrap();
        let catalog = Catalog::built_in().unwrap();
        let controls = include_str!("../checks/frameworks/controls.csv");
        assert_eq!((questionnaire.questions.len(), questionnaire.parts.len()), (71, 9));
        for question in &questionnaire.questions {
            for cite in &question.cites {
                assert!(catalog.framework.get(cite).is_some(), "{}: {cite}", question.id);
            }
            for control in &question.controls {
                assert!(controls.contains(&format!("\n{control},")), "{}: {control}", question.id);
            }
            assert!(question.ask.ends_with('?'), "{}", question.id);
            assert_eq!(overclaim(&format!("{} {}", question.ask, question.why)), None, "{}", question.id);
        }
    }

    #[test]
    fn a_question_asked_twice_is_refused() {
        let question = "{ id: a, part: p, ask: 'Q?', why: w, cites: ['164.306(a)'], valid_days: 1 }";
        let text =
            format!("version: '1'\nparts: [{{ id: p, title: P }}]\nquestions:\n  - {question}\n  - {question}\n");
        let fault = Questionnaire::read(Path::new("q.yaml"), &text).unwrap_err();
        assert_eq!(fault.line, 5, "{fault}");
    }
}
