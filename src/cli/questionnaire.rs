//! `questionnaire`: the questions as a table to fill in, and what came back of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{QuestionnaireAction, QuestionnaireExportArgs, QuestionnaireImportArgs};
use super::judging::read_assessment;
use super::{Failure, Voice, say};
use crate::checks::Catalog;
use crate::clock::{Clock, SystemClock, date_of};
use crate::collect::answers;
use crate::decisions::Conclusions;
use crate::evidence::declared::AnswerRow;
use crate::files;
use crate::questionnaire::Questionnaire;
use crate::questionnaire::sheet::{self, RowOutcome, Seen};
use crate::scope::Scope;
use crate::sheet::{LARGEST, Table};
use crate::verdict::Ending;

pub(super) fn run(action: QuestionnaireAction, voice: &Voice) -> Result<Ending, Failure> {
    match action {
        QuestionnaireAction::Export(args) => export(&args, voice),
        QuestionnaireAction::Import(args) => import(&args, voice),
    }
}

fn export(args: &QuestionnaireExportArgs, voice: &Voice) -> Result<Ending, Failure> {
    let questionnaire = Questionnaire::built_in().map_err(Failure::usage)?;
    let today = date_of(SystemClock.now());
    let (_, given) = match &args.scope {
        Some(scope) => answers_of(scope, questionnaire)?,
        None => (PathBuf::new(), BTreeMap::new()),
    };
    let seen = match &args.assessment {
        Some(path) => {
            let catalog = Catalog::built_in().map_err(Failure::usage)?;
            let conclusions = Conclusions::built_in(&|id| catalog.checks.contains_key(id)).map_err(Failure::usage)?;
            sheet::seen(&read_assessment(path)?, &conclusions)
        }
        None => Seen::new(),
    };
    let is_yaml = args.out.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let bytes = if is_yaml {
        sheet::yaml(questionnaire, &given, Some((&seen, today))).into_bytes()
    } else {
        sheet::sheet(questionnaire, &given, &seen, today).bytes_for(&args.out).map_err(Failure::usage)?
    };
    write_new(&args.out, &bytes)?;
    let (asked, known) = (questionnaire.questions.len(), seen.len());
    voice.remark(&format!(
        "{}: {asked} questions, {} answered, {known} with what was measured beside them",
        args.out.display(),
        given.len()
    ));
    Ok(Ending::Clean)
}

fn import(args: &QuestionnaireImportArgs, voice: &Voice) -> Result<Ending, Failure> {
    let questionnaire = Questionnaire::built_in().map_err(Failure::usage)?;
    let today = date_of(SystemClock.now());
    let (target, given) = answers_of(&args.scope, questionnaire)?;
    let table = read_table(&args.file, &sheet::NEEDED)?;
    let imported = sheet::import(&table, questionnaire, &given, today);
    let (mut changed, mut rejected) = (0, 0);
    for row in &imported.rows {
        match &row.outcome {
            RowOutcome::Changed(said) => {
                changed += 1;
                say(&format!("row {}, {}: {said}\n", row.row, row.id));
            }
            RowOutcome::Rejected(why) => {
                rejected += 1;
                say(&format!("row {}, {}: rejected: {why}\n", row.row, row.id));
            }
            RowOutcome::Unchanged => {}
        }
    }
    let unchanged = imported.rows.len() - changed - rejected;
    say(&format!("{changed} answers change, {rejected} rows are rejected, {unchanged} change nothing\n"));
    if args.write && changed > 0 {
        let text = sheet::yaml(questionnaire, &imported.answers, None);
        files::write_whole(&target, text.as_bytes()).map_err(anyhow::Error::from)?;
        voice.remark(&format!("{} written", target.display()));
    } else if changed > 0 {
        voice.remark("nothing was written; with --write the answers go into the client's answers file");
    }
    Ok(if rejected > 0 { Ending::Usage } else { Ending::Clean })
}

/// Where a client's answers lie, and what they are.
fn answers_of(scope: &Path, questionnaire: &Questionnaire) -> Result<(PathBuf, BTreeMap<String, AnswerRow>), Failure> {
    let today = date_of(SystemClock.now());
    let scope = Scope::read(scope, today).map_err(Failure::usage)?;
    let label = scope.declared.answers.as_deref().unwrap_or("answers.yaml");
    let path = scope.folder.join(label);
    if !path.exists() {
        return Ok((path, BTreeMap::new()));
    }
    let text = files::read_text(&path, LARGEST).map_err(Failure::usage)?;
    let rows = answers::parse(Path::new(label), &text, questionnaire, today).map_err(Failure::usage)?;
    Ok((path, rows))
}

/// Reads a table that has to have these columns.
pub(super) fn read_table(path: &Path, needed: &[&str]) -> Result<Table, Failure> {
    let bytes = files::read_bounded(path, LARGEST).map_err(Failure::usage)?;
    let table = Table::read(path, &bytes).map_err(Failure::usage)?;
    let missing = table.lacks(needed);
    if missing.is_empty() {
        return Ok(table);
    }
    Err(Failure::usage(anyhow::anyhow!(
        "{} lacks the columns {}, or has them twice; export it again and edit that file",
        path.display(),
        missing.join(", ")
    )))
}

/// Writes a file that is not there yet: what somebody filled in is never written over.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path.exists() {
        let what = format!("{} is there already, and may have been filled in", path.display());
        return Err(Failure::usage(anyhow::anyhow!("{what}: choose another name with --out")));
    }
    files::write_whole(path, bytes).map_err(|error| Failure::from(anyhow::Error::from(error)))
}
