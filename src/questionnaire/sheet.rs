//! The questionnaire as a table for people, filled in as far as the facts go, and what came back.
//!
//! Every row that came back is accepted or rejected with a reason, by the same rules as
//! `answers.yaml` itself; an answer that is left empty is no answer and changes nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use jiff::civil::Date;

use super::{Question, Questionnaire};
use crate::clock::days_between;
use crate::collect::answers;
use crate::decisions::Conclusions;
use crate::evidence::declared::{AnswerRow, AnswerWord};
use crate::report::json::v1::{Assessment, CoverageState};
use crate::sheet::{Column, Row, Sheet, Table};

/// The columns that have to come back.
pub const NEEDED: [&str; 5] = ["id", "answer", "statement", "by", "on"];

/// The words that may stand for an answer.
const WORDS: [&str; 5] = ["yes", "partly", "no", "not-applicable", "dont-know"];

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// `no, of 2025-01-02, becomes yes`.
    Changed(String),
    /// Why it cannot be taken.
    Rejected(String),
    Unchanged,
}

/// One row and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRow {
    pub row: u64,
    pub id: String,
    pub outcome: RowOutcome,
}

/// What came back, and the answers it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub rows: Vec<ImportedRow>,
    pub answers: BTreeMap<String, AnswerRow>,
}

/// What is known of a question before anybody answers it.
pub type Seen = BTreeMap<String, String>;

/// What measurements say of questions: the vendors that were seen, and the checks that an answer
/// of yes would have to agree with.
pub fn seen(assessment: &Assessment, conclusions: &Conclusions) -> Seen {
    let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if let Some(vendors) = assessment.subjects.get("vendor").filter(|vendors| vendors.count > 0) {
        let with = |name: &&String| {
            let declared = &assessment.declared.vendors;
            declared.iter().any(|vendor| vendor.id == **name && vendor.agreement.is_some())
        };
        let named = |names: Vec<&String>| match names.len() {
            0 => "none".to_owned(),
            _ => names.into_iter().map(|name| crate::text::visible(name)).collect::<Vec<_>>().join(", "),
        };
        let (agreed, open): (Vec<_>, Vec<_>) = vendors.names.iter().partition(with);
        let text = format!(
            "Seen or named: {} vendors. With an agreement on file: {}. Without: {}.",
            vendors.count,
            named(agreed),
            named(open)
        );
        for question in
            ["agreements-complete", "agreement-terms", "vendor-review", "subcontractors-known", "mail-flow-confirmed"]
        {
            seen.entry(question.to_owned()).or_default().push(text.clone());
        }
    }
    for pair in conclusions.contradictions() {
        let Some(coverage) = assessment.coverage.checks.iter().find(|check| check.check == pair.check) else {
            continue;
        };
        let group = coverage.passed + coverage.failed + coverage.needs_review + coverage.not_assessed;
        let text = match coverage.state {
            CoverageState::Assessed | CoverageState::PartlyAssessed => {
                let open = coverage.needs_review + coverage.not_assessed;
                let open = if open == 0 { String::new() } else { format!("; {open} could not be judged") };
                format!("Measured: \"{}\" fails on {} of {group}{open}.", coverage.title, coverage.failed)
            }
            CoverageState::NotApplicable | CoverageState::NotAssessed | CoverageState::NotProvided => continue,
        };
        seen.entry(pair.question.clone()).or_default().push(text);
    }
    seen.into_iter().map(|(question, texts)| (question, texts.join(" "))).collect()
}

/// The questionnaire with the answers there are.
pub fn sheet(questionnaire: &Questionnaire, answers: &BTreeMap<String, AnswerRow>, seen: &Seen, today: Date) -> Sheet {
    let column = |name, width, filled_in| Column { name, width, filled_in, choices: Vec::new() };
    let mut answer = column("answer", 16, true);
    answer.choices = WORDS.to_vec();
    let columns = vec![
        column("id", 26, false),
        column("part", 24, false),
        column("question", 60, false),
        column("why", 50, false),
        column("seen", 50, false),
        column("paragraphs", 24, false),
        column("state", 24, false),
        answer,
        column("statement", 50, true),
        column("by", 20, true),
        column("role", 20, true),
        column("on", 12, true),
        column("evidence_file", 30, true),
        column("valid_until", 12, true),
    ];
    let rows = questionnaire
        .questions
        .iter()
        .map(|question| {
            let part = questionnaire.parts.iter().find(|part| part.id == question.part);
            let given = answers.get(&question.id);
            let text = |read: fn(&AnswerRow) -> Option<String>| given.and_then(read).unwrap_or_default();
            let cells = [
                question.id.clone(),
                part.map_or_else(String::new, |part| part.title.clone()),
                question.ask.clone(),
                question.why.clone(),
                seen.get(&question.id).cloned().unwrap_or_default(),
                question.cites.join(" "),
                state(question, given, today),
                text(|row| Some(word(row.answer).to_owned())),
                text(|row| row.statement.clone()),
                text(|row| Some(row.answered_by.clone())),
                text(|row| row.role.clone()),
                text(|row| Some(row.answered_at.to_string())),
                text(|row| row.evidence_file.clone()),
                text(|row| row.valid_until.map(|day| day.to_string())),
            ];
            cells.iter().map(|cell| crate::text::visible(cell)).collect()
        })
        .collect();
    Sheet { name: "questionnaire", columns, rows }
}

const fn word(answer: AnswerWord) -> &'static str {
    match answer {
        AnswerWord::DontKnow => "dont-know",
        AnswerWord::No => "no",
        AnswerWord::NotApplicable => "not-applicable",
        AnswerWord::Partly => "partly",
        AnswerWord::Yes => "yes",
    }
}

fn state(question: &Question, given: Option<&AnswerRow>, today: Date) -> String {
    let Some(row) = given else { return "not answered".to_owned() };
    let by_age = days_between(row.answered_at, today) > question.valid_days;
    if by_age || row.valid_until.is_some_and(|until| until < today) {
        format!("ran out: ask again (answered {})", row.answered_at)
    } else {
        format!("current (answered {})", row.answered_at)
    }
}

/// Takes a filled-in table against the answers as they are.
pub fn import(
    table: &Table,
    questionnaire: &Questionnaire,
    answers: &BTreeMap<String, AnswerRow>,
    today: Date,
) -> Imported {
    let mut taken = answers.clone();
    let mut came: BTreeMap<String, u64> = BTreeMap::new();
    let mut rows = Vec::new();
    for row in &table.rows {
        let id = table.text(row, "id").unwrap_or_default().to_owned();
        let outcome = match take(table, row, questionnaire, answers, today) {
            Err(why) => RowOutcome::Rejected(why),
            Ok(Some(_)) if came.contains_key(&id) => {
                RowOutcome::Rejected(format!("the question came before, in row {}", came[&id]))
            }
            Ok(None) => RowOutcome::Unchanged,
            Ok(Some(new)) => {
                came.insert(id.clone(), row.number);
                let old = taken.get(&id).map(|old| AnswerRow { evidence_sha256: None, ..old.clone() });
                if old.as_ref() == Some(&new) {
                    RowOutcome::Unchanged
                } else {
                    let was = old.map_or_else(
                        || "no answer".to_owned(),
                        |old| format!("{}, of {},", word(old.answer), old.answered_at),
                    );
                    let said = format!("{was} becomes {}, of {}", word(new.answer), new.answered_at);
                    taken.insert(id.clone(), new);
                    RowOutcome::Changed(said)
                }
            }
        };
        rows.push(ImportedRow { row: row.number, id: crate::text::visible(&id), outcome });
    }
    Imported { rows, answers: taken }
}

/// One row as an answer; none where it was left empty.
fn take(
    table: &Table,
    row: &Row,
    questionnaire: &Questionnaire,
    answers: &BTreeMap<String, AnswerRow>,
    today: Date,
) -> Result<Option<AnswerRow>, String> {
    let id = table.text(row, "id")?;
    if questionnaire.get(id).is_none() {
        return Err("there is no such question in this version of the questionnaire".to_owned());
    }
    let answer = table.text(row, "answer")?.to_lowercase().replace([' ', '_'], "-").replace('\'', "");
    if answer.is_empty() {
        return Ok(None);
    }
    let on = table.date(row, "on")?.ok_or("`on` is empty: say when the question was answered")?;
    // What a column that did not come back would have said stays as it was.
    let old = answers.get(id);
    let until = match old {
        Some(old) if !table.has("valid_until") => old.valid_until,
        Some(_) | None => table.date(row, "valid_until")?,
    };
    let mut text = format!("- id: {}\n  answer: {}\n  on: {on}\n", quoted(id), quoted(&answer));
    let kept = |read: fn(&AnswerRow) -> Option<&String>| old.and_then(read);
    for (column, was) in [
        ("statement", kept(|row| row.statement.as_ref())),
        ("by", kept(|row| Some(&row.answered_by))),
        ("role", kept(|row| row.role.as_ref())),
        ("evidence_file", kept(|row| row.evidence_file.as_ref())),
    ] {
        // A cell that is as it was written stands for what it was written from.
        let given = table.text(row, column)?;
        let value = match was {
            Some(was) if !table.has(column) || given == crate::text::visible(was).trim() => was.as_str(),
            Some(_) | None => given,
        };
        if !value.is_empty() || column == "by" {
            writeln!(text, "  {column}: {}", quoted(value)).expect("writing into text");
        }
    }
    if let Some(until) = until {
        writeln!(text, "  valid_until: {until}").expect("writing into text");
    }
    match answers::parse(Path::new("the table"), &text, questionnaire, today) {
        Ok(mut parsed) => Ok(parsed.remove(id)),
        Err(fault) if fault.help.is_empty() => Err(fault.what),
        Err(fault) => Err(format!("{}: {}", fault.what, fault.help)),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

/// `answers.yaml` as the collection reads it; with `blank`, every open question stands there as a
/// comment to be filled in.
pub fn yaml(
    questionnaire: &Questionnaire,
    answers: &BTreeMap<String, AnswerRow>,
    blank: Option<(&Seen, Date)>,
) -> String {
    let mut out =
        "# Answers to the questionnaire: yes, partly, no, not-applicable (with a statement), dont-know.\n".to_owned();
    let into = "writing into text";
    for question in &questionnaire.questions {
        let given = answers.get(&question.id);
        if let Some((seen, today)) = blank {
            writeln!(out, "\n# {}", question.ask).expect(into);
            if let Some(seen) = seen.get(&question.id) {
                writeln!(out, "# {}", crate::text::visible(seen)).expect(into);
            }
            writeln!(out, "# {}: {}", question.cites.join(", "), state(question, given, today)).expect(into);
            if given.is_none() {
                writeln!(out, "#- id: {}\n#  answer: \n#  by: \n#  on: {today}", question.id).expect(into);
            }
        }
        let Some(row) = given else { continue };
        writeln!(out, "- id: {}\n  answer: {}", row.id, word(row.answer)).expect(into);
        if let Some(statement) = &row.statement {
            writeln!(out, "  statement: {}", quoted(statement)).expect(into);
        }
        writeln!(out, "  by: {}", quoted(&row.answered_by)).expect(into);
        if let Some(role) = &row.role {
            writeln!(out, "  role: {}", quoted(role)).expect(into);
        }
        writeln!(out, "  on: {}", row.answered_at).expect(into);
        if let Some(file) = &row.evidence_file {
            writeln!(out, "  evidence_file: {}", quoted(file)).expect(into);
        }
        if let Some(until) = row.valid_until {
            writeln!(out, "  valid_until: {until}").expect(into);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 10, 1);

    fn questionnaire() -> &'static Questionnaire {
        Questionnaire::built_in().unwrap()
    }

    fn filled(cells: &[(&str, &str)]) -> Sheet {
        let mut sheet = sheet(questionnaire(), &BTreeMap::new(), &Seen::new(), TODAY);
        for (column, text) in cells {
            let at = sheet.columns.iter().position(|known| known.name == *column).unwrap();
            sheet.rows[0][at] = (*text).to_owned();
        }
        sheet
    }

    const ANSWER: [(&str, &str); 4] =
        [("answer", "Yes"), ("by", "Ana Ruiz"), ("on", "2026-09-30"), ("statement", "=since: \"May\"")];

    fn back(name: &str, cells: &[(&str, &str)], answers: &BTreeMap<String, AnswerRow>) -> Imported {
        let bytes = filled(cells).bytes_for(Path::new(name)).unwrap();
        let table = Table::read(Path::new(name), &bytes).unwrap();
        assert!(table.lacks(&NEEDED).is_empty());
        import(&table, questionnaire(), answers, TODAY)
    }

    #[test]
    fn answers_come_back_from_both_forms_and_are_what_the_collection_reads() {
        for name in ["q.csv", "q.xlsx"] {
            let imported = back(name, &ANSWER, &BTreeMap::new());
            assert_eq!(imported.answers.len(), 1, "{:?}", imported.rows[0]);
            assert!(
                matches!(&imported.rows[0].outcome, RowOutcome::Changed(said) if said.starts_with("no answer becomes yes"))
            );
            assert!(imported.rows[1..].iter().all(|row| row.outcome == RowOutcome::Unchanged));
            let blank = Seen::new();
            for text in [
                yaml(questionnaire(), &imported.answers, None),
                yaml(questionnaire(), &imported.answers, Some((&blank, TODAY))),
            ] {
                let read = answers::parse(Path::new("answers.yaml"), &text, questionnaire(), TODAY).unwrap();
                assert_eq!(read, imported.answers);
            }
            let again = back(name, &ANSWER, &imported.answers);
            assert_eq!(again.rows[0].outcome, RowOutcome::Unchanged);
        }
    }

    #[test]
    fn rows_that_are_no_answers_say_why() {
        let with = |column: &'static str, text: &'static str| {
            let mut cells = ANSWER.to_vec();
            cells.push((column, text));
            back("q.csv", &cells, &BTreeMap::new())
        };
        for (column, text, why) in [
            ("id", "unheard-of", "no such question"),
            ("answer", "maybe", "no answer"),
            ("on", "", "`on` is empty"),
            ("on", "yesterday", "no date"),
            ("on", "2027-09-30", "future"),
            ("by", "", "nobody gave"),
            ("evidence_file", "../x.pdf", "leaves"),
        ] {
            let imported = with(column, text);
            assert!(
                matches!(&imported.rows[0].outcome, RowOutcome::Rejected(said) if said.contains(why)),
                "{imported:?}"
            );
            assert!(imported.answers.is_empty());
        }
    }

    #[test]
    fn answers_that_ran_out_are_marked() {
        let imported = back("q.csv", &[("answer", "no"), ("by", "Ana Ruiz"), ("on", "2024-01-01")], &BTreeMap::new());
        let sheet = sheet(questionnaire(), &imported.answers, &Seen::new(), TODAY);
        assert!(sheet.rows[0][6].starts_with("ran out"), "{}", sheet.rows[0][6]);
        assert_eq!(sheet.rows[1][6], "not answered");
    }
}
