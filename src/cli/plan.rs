//! `plan`: the plan as a table to edit, what came back of it, and what falls due.

use std::path::Path;

use super::args::{DueFormat, PlanAction, PlanDueArgs, PlanExportArgs, PlanImportArgs};
use super::judging::read_assessment;
use super::questionnaire::{read_table, write_new};
use super::{Failure, Voice, say, say_json};
use crate::checks::Catalog;
use crate::clock::{Clock, SystemClock, date_of, days_between};
use crate::collect::decisions::{self, Against};
use crate::decisions::calendar;
use crate::files;
use crate::plan_sheet::{self, RowOutcome};
use crate::risk::{Model, SecurityRule};
use crate::verdict::Ending;

pub(super) fn run(action: PlanAction, voice: &Voice) -> Result<Ending, Failure> {
    match action {
        PlanAction::Due(args) => due(&args),
        PlanAction::Export(args) => export(&args, voice),
        PlanAction::Import(args) => import(&args, voice),
    }
}

fn export(args: &PlanExportArgs, voice: &Voice) -> Result<Ending, Failure> {
    let assessment = read_assessment(&args.assessment)?;
    let sheet = plan_sheet::sheet(&assessment);
    write_new(&args.out, &sheet.bytes_for(&args.out).map_err(Failure::usage)?)?;
    voice.remark(&format!("{}: {} rows", args.out.display(), sheet.rows.len()));
    Ok(Ending::Clean)
}

fn import(args: &PlanImportArgs, voice: &Voice) -> Result<Ending, Failure> {
    let assessment = read_assessment(&args.assessment)?;
    let table = read_table(&args.file, &plan_sheet::NEEDED)?;
    let folder = args.scope.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let catalog = Catalog::built_in().map_err(Failure::usage)?;
    let model = Model::built_in(&catalog.checks.keys().map(String::as_str).collect()).map_err(Failure::usage)?;
    let rule = SecurityRule::built_in().map_err(Failure::usage)?;
    let against = Against { model: &model, rule: &rule, today: date_of(SystemClock.now()) };
    let plan = decisions::read_plan(folder, against).map_err(Failure::usage)?;
    let imported = plan_sheet::import(&table, &assessment, &plan);
    let mut rejected = 0;
    for row in &imported.rows {
        match &row.outcome {
            RowOutcome::Changed(changes) => {
                say(&format!("row {}, {}: accepted\n", row.row, row.check));
                for change in changes {
                    say(&format!("  {change}\n"));
                }
            }
            RowOutcome::Rejected(why) => {
                rejected += 1;
                say(&format!("row {}, {}: rejected: {why}\n", row.row, row.check));
            }
            RowOutcome::Unchanged => {}
        }
    }
    let changed = imported.rows.iter().filter(|row| matches!(row.outcome, RowOutcome::Changed(_))).count();
    let unchanged = imported.rows.len() - changed - rejected;
    say(&format!("{changed} rows change the plan, {rejected} are rejected, {unchanged} change nothing\n"));
    if args.write && changed > 0 {
        let path = folder.join(decisions::PLAN);
        files::write_whole(&path, plan_sheet::yaml(&imported.plan).as_bytes()).map_err(anyhow::Error::from)?;
        voice.remark(&format!("{} written", path.display()));
    } else if changed > 0 {
        voice.remark("nothing was written; with --write the accepted rows go into plan.yaml");
    }
    Ok(if rejected > 0 { Ending::Usage } else { Ending::Clean })
}

fn due(args: &PlanDueArgs) -> Result<Ending, Failure> {
    let assessment = read_assessment(&args.assessment)?;
    let today = date_of(assessment.as_of);
    let within = i64::from(args.within);
    let near: Vec<_> =
        assessment.decisions.due.iter().filter(|due| days_between(today, due.on) <= within).cloned().collect();
    match args.format {
        DueFormat::Ics => say(&calendar(&near, &assessment.organization.name, assessment.as_of)),
        DueFormat::Json => {
            say_json(&serde_json::json!({ "schema": 1, "kind": "due", "as_of": assessment.as_of, "due": near }))
        }
        DueFormat::Text => {
            for due in &near {
                let late = if due.on < today { " (past)" } else { "" };
                say(&format!("{}{late}  {}: {}\n", due.on, due.kind.in_words(), crate::text::visible(&due.what)));
            }
            say(&format!("{} things fall due by {} days after {today}\n", near.len(), args.within));
        }
    }
    Ok(Ending::Clean)
}
