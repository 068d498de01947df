//! Reads the organization's answers to the questionnaire.
//!
//! It checks that the answers are answers to our questions and hashes the files they name. What
//! an answer is worth is judged later.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::clock::date_of;
use crate::evidence::declared::{AnswerRow, AnswerWord};
use crate::evidence::{Answer, Observation, Question, Source};
use crate::files::{self, FileError};
use crate::names::{SubjectId, SubjectKind};
use crate::questionnaire::Questionnaire;
use crate::scope;
use crate::yaml::{self, Located, Spanned};

/// The file is at most this large.
const LARGEST: u64 = 1024 * 1024;
/// A statement is at most this many characters.
const STATEMENT: usize = 4_000;

/// Why the answers could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Located(#[from] Box<Located>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Spanned<String>,
    answer: Spanned<String>,
    #[serde(default)]
    statement: Option<Spanned<String>>,
    by: Spanned<String>,
    #[serde(default)]
    role: Option<String>,
    on: Spanned<Date>,
    #[serde(default)]
    evidence_file: Option<Spanned<String>>,
    #[serde(default)]
    valid_until: Option<Spanned<Date>>,
}

/// Reads the answers file `label` of a client's folder: one observation for each answer.
pub fn read(
    folder: &Path,
    label: &str,
    questionnaire: &Questionnaire,
    asked_at: Timestamp,
    vantage: &str,
) -> Result<Vec<Observation>, AnswersError> {
    let path = scope::find(folder, label).unwrap_or_else(|| folder.join(label));
    let text = files::read_text(&path, LARGEST)?;
    let rows = parse(Path::new(label), &text, questionnaire, date_of(asked_at)).map_err(Box::new)?;
    let observations = rows.into_values().map(|mut row| {
        row.evidence_sha256 = row.evidence_file.as_deref().and_then(|label| scope::sha256(folder, label));
        Observation {
            subject: SubjectId::new(SubjectKind::Attestation, row.id.clone()),
            source: Source::Answers,
            question: Question::Answer { id: row.id.clone() },
            asked_at,
            took_ms: 0,
            vantage: vantage.to_owned(),
            answer: Ok(Answer::Answer(row)),
        }
    });
    Ok(observations.collect())
}

/// The answers by question, verified but with no file hashed yet.
pub(crate) fn parse(
    file: &Path,
    text: &str,
    questionnaire: &Questionnaire,
    today: Date,
) -> Result<BTreeMap<String, AnswerRow>, Located> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(BTreeMap::new());
    }
    let written: Vec<Written> = yaml::read(file, text)?;
    let mut rows: BTreeMap<String, AnswerRow> = BTreeMap::new();
    for answer in written {
        let id = answer.id.value.clone();
        if questionnaire.get(&id).is_none() {
            let ids = questionnaire.questions.iter().map(|question| question.id.as_str());
            let nearest = ids.min_by_key(|known| crate::checks::distance(known, &id)).unwrap_or_default();
            let help = format!("did you mean `{nearest}`?");
            return Err(Located::at_value(file, text, &answer.id, "there is no such question", help));
        }
        if rows.contains_key(&id) {
            let what = format!("the question `{id}` is answered twice");
            return Err(Located::at_value(file, text, &answer.id, what, "keep the answer that holds"));
        }
        rows.insert(id, verify(file, text, answer, today)?);
    }
    Ok(rows)
}

fn verify(file: &Path, text: &str, answer: Written, today: Date) -> Result<AnswerRow, Located> {
    let word = match answer.answer.value.as_str() {
        "yes" => AnswerWord::Yes,
        "partly" => AnswerWord::Partly,
        "no" => AnswerWord::No,
        "not-applicable" => AnswerWord::NotApplicable,
        "dont-know" => AnswerWord::DontKnow,
        _ => {
            let help = "one of yes, partly, no, not-applicable, dont-know";
            return Err(Located::at_value(file, text, &answer.answer, "this is no answer", help));
        }
    };
    let statement = answer.statement.as_ref().map(|statement| statement.value.trim()).unwrap_or_default();
    if word == AnswerWord::NotApplicable && statement.is_empty() {
        let help = "say in `statement` why the question does not apply";
        return Err(Located::at_value(file, text, &answer.answer, "`not-applicable` needs a reason", help));
    }
    if let Some(statement) = answer.statement.as_ref().filter(|statement| statement.value.chars().count() > STATEMENT) {
        let what = format!("the statement is longer than {STATEMENT} characters");
        return Err(Located::at_value(file, text, statement, what, "put it into an evidence file"));
    }
    if answer.by.value.trim().is_empty() {
        return Err(Located::at_value(file, text, &answer.by, "nobody gave this answer", "name who answered"));
    }
    if answer.on.value > today {
        return Err(Located::at_value(file, text, &answer.on, "the answer was given in the future", ""));
    }
    if let Some(until) = answer.valid_until.as_ref().filter(|until| until.value < answer.on.value) {
        return Err(Located::at_value(file, text, until, "the answer ran out before it was given", ""));
    }
    if let Some(named) = answer.evidence_file.as_ref().filter(|named| leaves(&named.value)) {
        let help = "copy the file into the client's folder and name it from there";
        return Err(Located::at_value(file, text, named, "this path leaves the client's folder", help));
    }
    Ok(AnswerRow {
        id: answer.id.value,
        answer: word,
        statement: (!statement.is_empty()).then(|| statement.to_owned()),
        answered_by: answer.by.value.trim().to_owned(),
        role: answer.role,
        answered_at: answer.on.value,
        evidence_file: answer.evidence_file.map(|named| named.value),
        evidence_sha256: None,
        valid_until: answer.valid_until.map(|until| until.value),
    })
}

fn leaves(path: &str) -> bool {
    use std::path::Component;
    !Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const GOOD: &str = "- id: risk-analysis
  answer: yes
  by: Ana Ruiz
  role: Security Official
  on: 2026-05-01
  evidence_file: policies/analysis.pdf
- { id: mail-backup, answer: no, by: Ana Ruiz, on: 2026-05-02 }
";

    fn read_text(text: &str) -> Result<BTreeMap<String, AnswerRow>, Located> {
        let questionnaire = Questionnaire::built_in().unwrap();
        parse(Path::new("answers.yaml"), text, questionnaire, date(2026, 10, 1))
    }

    #[test]
    fn answers_are_read() {
        let rows = read_text(GOOD).unwrap();
        assert_eq!(rows["risk-analysis"].answer, AnswerWord::Yes);
        assert_eq!(rows["mail-backup"].answer, AnswerWord::No);
        assert!(read_text("# nothing yet\n").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_answer_is_located() {
        let fault = |from: &str, to: &str| {
            let fault = read_text(&GOOD.replacen(from, to, 1)).unwrap_err();
            (fault.line, fault.column, format!("{} ({})", fault.what, fault.help))
        };
        let (line, column, what) = fault("id: risk-analysis", "id: risk-analisys");
        assert_eq!((line, column, what.as_str()), (1, 7, "there is no such question (did you mean `risk-analysis`?)"));
        assert_eq!(fault("answer: yes", "answer: maybe").0, 2);
        assert!(fault("answer: yes", "answer: not-applicable").2.contains("needs a reason"));
        assert!(fault("on: 2026-05-01", "on: 2027-05-01").2.contains("future"));
        assert!(fault("on: 2026-05-01", "on: 2026-05-01\n  valid_until: 2026-01-01").2.contains("before it was given"));
        assert!(fault("policies/analysis.pdf", "../analysis.pdf").2.contains("leaves"));
        assert_eq!(fault("id: mail-backup", "id: risk-analysis").0, 7);
        assert_eq!(fault("role:", "colour:").0, 4);
        assert_eq!(fault("2026-05-01", "1/5/2026").0, 5);
    }

    #[test]
    fn evidence_files_are_hashed_where_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        files::write_whole(&folder.path().join("answers.yaml"), GOOD.as_bytes()).unwrap();
        let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
        let hashed = || {
            let questionnaire = Questionnaire::built_in().unwrap();
            let observations = read(folder.path(), "answers.yaml", questionnaire, asked_at, "here").unwrap();
            let Ok(Answer::Answer(row)) = &observations[1].answer else { panic!() };
            row.evidence_sha256.is_some()
        };
        assert!(!hashed());
        files::make_folder(&folder.path().join("policies")).unwrap();
        files::write_whole(&folder.path().join("policies/analysis.pdf"), b"%PDF").unwrap();
        assert!(hashed());
        assert!(read(folder.path(), "none.yaml", Questionnaire::built_in().unwrap(), asked_at, "here").is_err());
    }
}
