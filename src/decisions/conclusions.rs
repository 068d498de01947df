//! The texts of conclusions and the pairs that can contradict each other, from
//! `checks/conclusions.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::assess::{CheckCoverage, CoverageState, Grade, Judgement};
use crate::checks::{Cite, Supports};
use crate::facts::{Collection, Facts};
use crate::finding::Severity;
use crate::names::SubjectKind;
use crate::risk::Card;
use crate::yaml::{self, Located, Spanned};

const FILE: &str = "checks/conclusions.yaml";
/// The area conclusions are counted under.
pub(super) const AREA: &str = "governance";

/// What can be concluded, and the pairs that can contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusions {
    cards: BTreeMap<String, Card>,
    contradictions: Vec<Pair>,
}

/// An answer and a check that contradict each other where one says yes and the other fails.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    pub question: String,
    pub check: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: u32,
    #[expect(dead_code, reason = "for people; the catalogue's digest covers the checks")]
    version: String,
    conclusions: Vec<RawConclusion>,
    contradictions: Vec<Spanned<Pair>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConclusion {
    id: Spanned<String>,
    title: String,
    severity: Severity,
    cites: Vec<RawCite>,
    why: String,
    fix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCite {
    spec: String,
    supports: Supports,
}

impl Conclusions {
    /// The conclusions that are shipped. `known` says whether there is a check of that id.
    pub fn built_in(known: &dyn Fn(&str) -> bool) -> Result<Self, Located> {
        Self::read(Path::new(FILE), include_str!("../../checks/conclusions.yaml"), known)
    }

    fn read(file: &Path, text: &str, known: &dyn Fn(&str) -> bool) -> Result<Self, Located> {
        let raw: Raw = yaml::read(file, text)?;
        if raw.schema != 1 {
            let what = format!("schema {} of the conclusions is not known", raw.schema);
            return Err(Located::at(file, text, 0, 0, what, "this version reads schema 1"));
        }
        let mut cards = BTreeMap::new();
        for written in raw.conclusions {
            let id = written.id.value.clone();
            if known(&id) {
                let what = format!("a check is called `{id}` as well");
                return Err(Located::at_value(file, text, &written.id, what, ""));
            }
            let card = Card {
                id: id.clone(),
                catalogue: None,
                area: AREA.to_owned(),
                title: written.title,
                subject: subject_of(&id),
                severity: written.severity,
                cites: written
                    .cites
                    .into_iter()
                    .map(|cite| Cite { spec: cite.spec, supports: cite.supports })
                    .collect(),
                why: written.why,
                fix: written.fix,
            };
            cards.insert(id, card);
        }
        let ours = [super::ACCEPTANCE, super::ADDRESSABLE, super::ANSWERS, super::EXPIRED, super::UNUSED];
        if let Some(missing) = ours.into_iter().find(|id| !cards.contains_key(*id)) {
            return Err(Located::at(file, text, 0, 0, format!("the conclusion `{missing}` is missing"), ""));
        }
        let questionnaire = crate::questionnaire::Questionnaire::built_in()?;
        let mut contradictions = Vec::new();
        for pair in raw.contradictions {
            if questionnaire.get(&pair.value.question).is_none() || !known(&pair.value.check) {
                let what = format!("`{}` and `{}` are no question and check", pair.value.question, pair.value.check);
                return Err(Located::at_value(file, text, &pair, what, ""));
            }
            contradictions.push(pair.value);
        }
        Ok(Self { cards, contradictions })
    }

    /// The answers and checks that can contradict each other.
    pub fn contradictions(&self) -> &[Pair] {
        &self.contradictions
    }

    /// The texts, as those of checks.
    pub fn cards(&self) -> impl Iterator<Item = (&String, &Card)> {
        self.cards.iter()
    }

    /// Enters every conclusion as one that nothing calls for yet: nothing was decided or answered,
    /// or nothing that could be compared.
    pub(super) fn begin(&self, decided: bool, facts: &Facts, judgement: &mut Judgement) {
        for id in self.cards.keys() {
            let (given, what) = if id == super::ANSWERS {
                let given = !matches!(facts.attestations.collection, Collection::NotDeclared(_));
                (given, "answers to the questionnaire (`answers: answers.yaml` in scope.yaml)")
            } else {
                (decided, "decisions (decisions.yaml, exceptions.yaml beside scope.yaml)")
            };
            let (state, because) = if given {
                (CoverageState::NotApplicable, "there is nothing to compare")
            } else {
                (CoverageState::NotProvided, what)
            };
            let coverage = CheckCoverage {
                area: AREA.to_owned(),
                subject: subject_of(id),
                state,
                passed: 0,
                failed: 0,
                needs_review: 0,
                not_assessed: 0,
                not_applicable: 0,
                because: Some(because.to_owned()),
                grade: Grade::U,
            };
            judgement.coverage.insert(id.clone(), coverage);
        }
    }

    pub(super) fn severity(&self, id: &str) -> Severity {
        self.cards.get(id).map_or(Severity::Medium, |card| card.severity)
    }

    pub(super) fn subject(&self, id: &str) -> SubjectKind {
        subject_of(id)
    }
}

fn subject_of(id: &str) -> SubjectKind {
    if id == super::ANSWERS { SubjectKind::Attestation } else { SubjectKind::Organization }
}
