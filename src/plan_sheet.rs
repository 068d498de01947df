//! The plan as a table for people, and what came back of it.
//!
//! Every row that came back is accepted or rejected with a reason. What people may change is the
//! owner, the day, the status, the steps and a remark; nothing else of a row is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::collect::decisions;
use crate::evidence::decisions::{Milestone, PlanEntry, PlanStatus};
use crate::report::json::v1::Assessment;
use crate::sheet::{Column, Row, Sheet, Table};

/// The columns that have to come back; the plan that `scan` writes has them as well.
pub const NEEDED: [&str; 5] = ["item_id", "owner", "due", "status", "milestones"];

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// What it changes, one a line.
    Changed(Vec<String>),
    /// Why it cannot be taken.
    Rejected(String),
    Unchanged,
}

/// One row and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedRow {
    pub row: u64,
    pub check: String,
    pub outcome: RowOutcome,
}

/// What came back, and the plan it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    pub rows: Vec<ImportedRow>,
    pub plan: Vec<PlanEntry>,
}

/// The plan of an assessment as a table.
pub fn sheet(assessment: &Assessment) -> Sheet {
    let column = |name, width, filled_in| Column { name, width, filled_in, choices: Vec::new() };
    let mut status = column("status", 14, true);
    status.choices = PlanStatus::ALL.iter().map(|status| status.as_str()).collect();
    let columns = vec![
        column("item_id", 38, false),
        column("check", 30, false),
        column("title", 40, false),
        column("action", 60, false),
        column("acceptance_test", 36, false),
        column("severity", 10, false),
        column("effort", 10, false),
        column("reduction", 10, false),
        column("subjects", 10, false),
        column("spec_ids", 24, false),
        column("risk_ids", 40, false),
        column("opened", 12, false),
        column("owner", 20, true),
        column("due", 12, true),
        status,
        column("milestones", 40, true),
        column("deferral_count", 10, false),
        column("comments", 40, true),
        column("closure_evidence_sha256", 40, false),
        column("source_report", 40, false),
    ];
    let source = format!("catalogue {}, as of {}", assessment.tool.catalogue, assessment.as_of);
    let open = assessment.plan.iter().map(|item| {
        vec![
            item.id.clone(),
            item.check.clone(),
            item.title.clone(),
            item.action.clone(),
            format!("mailassay explain {}", item.check),
            item.severity.as_str().to_owned(),
            item.effort.clone(),
            item.reduction.to_string(),
            item.subjects.to_string(),
            item.specs.join(" "),
            item.risks.join(" "),
            item.opened.to_string(),
            item.owner.clone().unwrap_or_default(),
            item.due.map(|day| day.to_string()).unwrap_or_default(),
            item.status.clone(),
            steps(&item.milestones),
            item.deferrals.to_string(),
            item.comment.clone().unwrap_or_default(),
            String::new(),
            source.clone(),
        ]
    });
    let closed = assessment.decisions.closed.iter().map(|item| {
        let mut row = vec![String::new(); columns.len()];
        row[0] = id_of(&item.check);
        row[1].clone_from(&item.check);
        row[3].clone_from(&item.why);
        row[12] = item.owner.clone().unwrap_or_default();
        row[13] = item.due.map(|day| day.to_string()).unwrap_or_default();
        row[14] = item.status.map(|status| status.as_str().to_owned()).unwrap_or_default();
        row[15] = steps(&item.milestones);
        row[16] = item.deferrals.to_string();
        row[17] = item.comment.clone().unwrap_or_default();
        row[18] = item.evidence_sha256.clone().unwrap_or_default();
        row[19].clone_from(&source);
        row
    });
    let rows = open.chain(closed).map(|row| row.iter().map(|cell| crate::text::visible(cell)).collect()).collect();
    Sheet { name: "plan", columns, rows }
}

/// As `risk::plan` makes it.
fn id_of(check: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, format!("mailassay:plan:{check}").as_bytes()).to_string()
}

/// One step after the other: `2027-01-31 what [done 2027-01-20]; …`.
pub(crate) fn steps(milestones: &[Milestone]) -> String {
    let line = |step: &Milestone| match step.done {
        Some(done) => format!("{} {} [done {done}]", step.due, step.what),
        None => format!("{} {}", step.due, step.what),
    };
    milestones.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// A step begins at the start, and where a day follows a semicolon or the end of a line: what people
/// write may hold semicolons.
fn read_steps(text: &str) -> Result<Vec<Milestone>, String> {
    let mut parts: Vec<String> = Vec::new();
    for piece in text.split_inclusive([';', '\n']) {
        let begins = piece.trim_start().split_once(' ').is_some_and(|(day, _)| day.parse::<Date>().is_ok());
        match parts.last_mut() {
            Some(last) if !begins => last.push_str(piece),
            Some(_) | None => parts.push(piece.to_owned()),
        }
    }
    let parts = parts.iter().map(|part| part.trim_matches(|c: char| c.is_whitespace() || c == ';'));
    parts.filter(|part| !part.is_empty()).map(read_step).collect()
}

fn read_step(part: &str) -> Result<Milestone, String> {
    let wrong = || format!("`milestones`: write `2027-01-31 what`, not `{}`", crate::text::visible(part));
    let (due, rest) = part.split_once(' ').ok_or_else(wrong)?;
    let due: Date = due.parse().map_err(|_| wrong())?;
    let (what, done) = match rest.rsplit_once("[done ") {
        Some((what, done)) => {
            let done = done.trim_end_matches(']').trim().parse().map_err(|_| wrong())?;
            (what.trim(), Some(done))
        }
        None => (rest.trim(), None),
    };
    if what.is_empty() {
        return Err(wrong());
    }
    short(what)?;
    Ok(Milestone { what: what.to_owned(), due, done })
}

/// What `plan.yaml` takes as one text.
fn short(text: &str) -> Result<(), String> {
    if text.chars().count() <= decisions::PROSE {
        return Ok(());
    }
    Err(format!("a text is longer than {} characters", decisions::PROSE))
}

/// Takes an edited table against the assessment it belongs to and the plan as it is.
pub fn import(table: &Table, assessment: &Assessment, plan: &[PlanEntry]) -> Imported {
    let mut by_check: BTreeMap<String, PlanEntry> =
        plan.iter().map(|entry| (entry.check.clone(), entry.clone())).collect();
    let items: BTreeMap<&str, &str> =
        assessment.plan.iter().map(|item| (item.id.as_str(), item.check.as_str())).collect();
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for row in &table.rows {
        let id = table.text(row, "item_id").unwrap_or_default();
        let check = items.get(id).copied().or_else(|| table.text(row, "check").ok()).unwrap_or_default().to_owned();
        let outcome = match take(table, row, assessment, &items, &by_check, &mut seen) {
            Err(why) => RowOutcome::Rejected(why),
            Ok((_, changes)) if changes.is_empty() => RowOutcome::Unchanged,
            Ok((entry, changes)) => {
                by_check.insert(entry.check.clone(), entry);
                RowOutcome::Changed(changes)
            }
        };
        rows.push(ImportedRow { row: row.number, check: crate::text::visible(&check), outcome });
    }
    Imported { rows, plan: by_check.into_values().collect() }
}

fn take(
    table: &Table,
    row: &Row,
    assessment: &Assessment,
    items: &BTreeMap<&str, &str>,
    plan: &BTreeMap<String, PlanEntry>,
    seen: &mut BTreeSet<String>,
) -> Result<(PlanEntry, Vec<String>), String> {
    let id = table.text(row, "item_id")?;
    let check = table.text(row, "check")?;
    let known = match items.get(id) {
        Some(known) => (*known).to_owned(),
        // An item that a scan closed since is no longer in the plan of the assessment.
        None => plan.keys().find(|known| id_of(known) == id).cloned().ok_or_else(|| unknown(table, row, assessment))?,
    };
    if !check.is_empty() && check != known {
        return Err(format!("`check` is not the one of this item, which is `{known}`"));
    }
    if !seen.insert(id.to_owned()) {
        return Err("the same item came before: which of the two holds is not clear".to_owned());
    }
    let old = plan.get(&known);
    // A cell that is as it was written, or whose column did not come back, changes nothing.
    let kept = |column: &str, was: &str| -> Result<bool, String> {
        Ok(!table.has(column) || table.text(row, column)? == crate::text::visible(was).trim())
    };
    let prose = |column: &str, was: Option<&String>| -> Result<Option<String>, String> {
        if kept(column, was.map_or("", String::as_str))? {
            return Ok(was.cloned());
        }
        let text = table.text(row, column)?;
        short(text)?;
        Ok((!text.is_empty()).then(|| text.to_owned()))
    };
    let owner = prose("owner", old.and_then(|old| old.owner.as_ref()))?;
    let comment = prose("comments", old.and_then(|old| old.comment.as_ref()))?;
    let due = table.date(row, "due")?;
    let before = old.map_or(&[][..], |old| &old.milestones);
    let milestones =
        if kept("milestones", &steps(before))? { before.to_vec() } else { read_steps(table.text(row, "milestones")?)? };
    let word = table.text(row, "status")?;
    let status = match PlanStatus::ALL.into_iter().find(|status| status.as_str() == word) {
        Some(status) => status,
        // What the report says of an item is not a word people choose.
        None if word.is_empty() || word == "accepted" || word.starts_with("said to be done") => {
            old.map_or(PlanStatus::Open, |old| old.status)
        }
        None => {
            let words: Vec<_> = PlanStatus::ALL.iter().map(|status| status.as_str()).collect();
            return Err(format!("`status` is `{}`: choose one of {}", crate::text::visible(word), words.join(", ")));
        }
    };
    let later = old.and_then(|old| old.due).zip(due).is_some_and(|(before, now)| now > before);
    let deferrals = old.map_or(0, |old| old.deferrals).saturating_add(u32::from(later));
    let line = old.map_or(0, |old| old.line);
    let entry = PlanEntry { check: known, owner, due, status, deferrals, milestones, comment, line };
    Ok((entry.clone(), changes(old, &entry)))
}

fn unknown(table: &Table, row: &Row, assessment: &Assessment) -> String {
    let source = table.text(row, "source_report").unwrap_or_default();
    let ours = format!("catalogue {}", assessment.tool.catalogue);
    if source.starts_with(&ours) || source.is_empty() {
        "no item of this assessment's plan has this id".to_owned()
    } else {
        format!(
            "no item of this assessment's plan has this id; the table was made by {}, this assessment by {ours}",
            crate::text::visible(source)
        )
    }
}

fn changes(old: Option<&PlanEntry>, new: &PlanEntry) -> Vec<String> {
    let blank = PlanEntry {
        check: new.check.clone(),
        owner: None,
        due: None,
        status: PlanStatus::Open,
        deferrals: 0,
        milestones: Vec::new(),
        comment: None,
        line: new.line,
    };
    let old = old.unwrap_or(&blank);
    let mut changes = Vec::new();
    let mut note = |what: &str, before: String, after: String| {
        if before != after {
            let shown = |text: String| if text.is_empty() { "nothing".to_owned() } else { crate::text::visible(&text) };
            changes.push(format!("{what}: {} becomes {}", shown(before), shown(after)));
        }
    };
    let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
    note("owner", old.owner.clone().unwrap_or_default(), new.owner.clone().unwrap_or_default());
    note("due", day(old.due), day(new.due));
    note("status", old.status.as_str().to_owned(), new.status.as_str().to_owned());
    note("deferrals", old.deferrals.to_string(), new.deferrals.to_string());
    note("milestones", steps(&old.milestones), steps(&new.milestones));
    note("comment", old.comment.clone().unwrap_or_default(), new.comment.clone().unwrap_or_default());
    changes
}

/// `plan.yaml` as the collection reads it.
pub fn yaml(plan: &[PlanEntry]) -> String {
    let text = |text: &str| serde_json::to_string(text).expect("text is JSON");
    let mut out = "# The risk management plan as people keep it. Written by `mailassay plan import`; edit it as you like.\nschema: 1\nitems:".to_owned();
    if plan.is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    let into = "writing into text";
    for entry in plan {
        writeln!(out, "  - check: {}", text(&entry.check)).expect(into);
        if let Some(owner) = &entry.owner {
            writeln!(out, "    owner: {}", text(owner)).expect(into);
        }
        if let Some(due) = entry.due {
            writeln!(out, "    due: {due}").expect(into);
        }
        writeln!(out, "    status: {}\n    deferrals: {}", entry.status.as_str(), entry.deferrals).expect(into);
        if !entry.milestones.is_empty() {
            out.push_str("    milestones:\n");
        }
        for step in &entry.milestones {
            let done = step.done.map(|day| format!(", done: {day}")).unwrap_or_default();
            writeln!(out, "      - {{ what: {}, due: {}{done} }}", text(&step.what), step.due).expect(into);
        }
        if let Some(comment) = &entry.comment {
            writeln!(out, "    comment: {}", text(comment)).expect(into);
        }
    }
    out
}

#[cfg(test)]
mod tests;
