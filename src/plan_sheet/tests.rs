use std::path::Path;

use jiff::civil::date;

use super::*;

/// The invented clinic's assessment, before anybody took an item of its plan.
fn assessment() -> Assessment {
    let text = include_str!("../../fixtures/maple-street-assessment/assessment.json");
    let mut assessment: Assessment = serde_json::from_str(text).unwrap();
    for item in &mut assessment.plan {
        (item.owner, item.due, item.status) = (None, None, "open".to_owned());
    }
    assessment
}

/// Writes the plan, changes the cells of its first row, and reads it again.
fn edited(name: &str, cells: &[(&str, &str)]) -> Table {
    let mut sheet = sheet(&assessment());
    for (column, text) in cells {
        let at = sheet.columns.iter().position(|known| known.name == *column).unwrap();
        sheet.rows[0][at] = (*text).to_owned();
    }
    let bytes = sheet.bytes_for(Path::new(name)).unwrap();
    Table::read(Path::new(name), &bytes).unwrap()
}

fn first(name: &str, cells: &[(&str, &str)], plan: &[PlanEntry]) -> (RowOutcome, Vec<PlanEntry>) {
    let imported = import(&edited(name, cells), &assessment(), plan);
    (imported.rows[0].outcome.clone(), imported.plan)
}

const EDIT: [(&str, &str); 4] = [
    ("owner", "Ana Ruiz"),
    ("due", "2027-01-31"),
    ("status", "in-progress"),
    ("milestones", "2026-12-01 ask the registrar [done 2026-12-02]; 2027-01-15 publish"),
];

#[test]
fn an_edited_plan_comes_back_whole_from_both_forms() {
    for name in ["plan.csv", "plan.xlsx"] {
        let untouched = import(&edited(name, &[]), &assessment(), &[]);
        assert_eq!(untouched.rows.len(), assessment().plan.len());
        assert!(untouched.rows.iter().all(|row| row.outcome == RowOutcome::Unchanged), "{name}: {untouched:?}");
        let (outcome, plan) = first(name, &EDIT, &[]);
        assert!(matches!(&outcome, RowOutcome::Changed(changes) if changes.len() == 4), "{name}: {outcome:?}");
        assert_eq!((plan.len(), plan[0].due, plan[0].milestones.len()), (1, Some(date(2027, 1, 31)), 2));
        assert_eq!(plan[0].milestones[0].done, Some(date(2026, 12, 2)));
    }
}

#[test]
fn a_later_day_counts_as_a_deferral() {
    let (_, plan) = first("plan.csv", &EDIT, &[]);
    let (_, again) =
        first("plan.csv", &[("owner", "Ana Ruiz"), ("due", "2027-03-31"), ("status", "in-progress")], &plan);
    assert_eq!(again[0].deferrals, 1);
    let (_, sooner) =
        first("plan.csv", &[("owner", "Ana Ruiz"), ("due", "2027-01-01"), ("status", "in-progress")], &again);
    assert_eq!(sooner[0].deferrals, 1);
}

#[test]
fn rows_that_cannot_be_taken_say_why_and_lose_nothing() {
    let (_, plan) = first("plan.csv", &EDIT, &[]);
    for (cells, why) in [
        (vec![("item_id", "nonsense")], "has this id"),
        (vec![("item_id", "nonsense"), ("source_report", "catalogue 9.9, as of 2026")], "was made by catalogue 9.9"),
        (vec![("check", "another-check")], "is not the one of this item"),
        (vec![("due", "31.1.2027")], "is no date"),
        (vec![("status", "soon")], "choose one of"),
        (vec![("milestones", "by summer")], "`milestones`"),
    ] {
        let (outcome, kept) = first("plan.csv", &cells, &plan);
        assert!(matches!(&outcome, RowOutcome::Rejected(said) if said.contains(why)), "{outcome:?}");
        assert_eq!(kept, plan, "a rejected row changes nothing");
    }
    let mut twice = sheet(&assessment());
    let copy = twice.rows[0].clone();
    twice.rows.push(copy);
    let table = Table::read(Path::new("a.csv"), &twice.csv()).unwrap();
    let imported = import(&table, &assessment(), &[]);
    assert!(matches!(&imported.rows.last().unwrap().outcome, RowOutcome::Rejected(why) if why.contains("came before")));
}

#[test]
fn what_is_written_is_what_the_collection_reads() {
    let (_, plan) = first("plan.csv", &[EDIT[0], EDIT[1], EDIT[2], EDIT[3], ("comments", "say \"so\": #1")], &[]);
    let folder = tempfile::tempdir().unwrap();
    crate::files::write_whole(&folder.path().join("plan.yaml"), yaml(&plan).as_bytes()).unwrap();
    let catalog = crate::checks::Catalog::built_in().unwrap();
    let known = catalog.checks.keys().map(String::as_str).collect();
    let (model, rule) = (crate::risk::Model::built_in(&known).unwrap(), crate::risk::SecurityRule::built_in().unwrap());
    let against = decisions::Against { model: &model, rule: &rule, today: date(2026, 12, 3) };
    let mut read = decisions::read_plan(folder.path(), against).unwrap();
    read.iter_mut().for_each(|entry| entry.line = 0);
    assert_eq!(read, plan);
    assert!(crate::yaml::read::<serde_json::Value>(Path::new("plan.yaml"), &yaml(&[])).is_ok());
}

/// The plan that `scan` writes, and what a spreadsheet leaves of it.
#[test]
fn columns_that_did_not_come_back_erase_nothing() {
    let edit = [EDIT[0], EDIT[1], EDIT[2], EDIT[3], ("comments", "ask; again: \"soon\"")];
    let (_, plan) = first("plan.csv", &edit, &[]);
    let mut sheet = sheet(&assessment());
    let at = |sheet: &Sheet, name: &str| sheet.columns.iter().position(|known| known.name == name).unwrap();
    let comments = at(&sheet, "comments");
    sheet.columns.remove(comments);
    for row in &mut sheet.rows {
        row.remove(comments);
    }
    let (owner, due, status, steps_at) =
        (at(&sheet, "owner"), at(&sheet, "due"), at(&sheet, "status"), at(&sheet, "milestones"));
    sheet.rows[0][owner] = "Sam Poe".to_owned();
    sheet.rows[0][due] = "2027-01-31".to_owned();
    sheet.rows[0][status] = "in-progress".to_owned();
    sheet.rows[0][steps_at] = steps(&plan[0].milestones);
    let table = Table::read(Path::new("a.csv"), &sheet.csv()).unwrap();
    let imported = import(&table, &assessment(), &plan);
    assert_eq!(imported.rows[0].outcome, RowOutcome::Changed(vec!["owner: Ana Ruiz becomes Sam Poe".to_owned()]));
    assert_eq!(imported.plan[0].comment.as_deref(), Some("ask; again: \"soon\""));
}

#[test]
fn the_report_s_own_plan_comes_back_unchanged() {
    let mut assessment = assessment();
    let entry = PlanEntry {
        check: assessment.plan[0].check.clone(),
        owner: Some("Ana Ruiz".to_owned()),
        due: Some(date(2027, 1, 31)),
        status: PlanStatus::InProgress,
        deferrals: u32::MAX,
        milestones: vec![Milestone {
            what: "read; then publish\n2027-02-01 [done soon]".to_owned(),
            due: date(2026, 12, 1),
            done: None,
        }],
        comment: Some("two\nlines".to_owned()),
        line: 3,
    };
    let item = &mut assessment.plan[0];
    (item.owner, item.due, item.status) = (entry.owner.clone(), entry.due, "in-progress".to_owned());
    (item.milestones, item.comment, item.deferrals) =
        (entry.milestones.clone(), entry.comment.clone(), entry.deferrals);
    assessment.decisions.closed = vec![crate::report::json::v1::decisions::ClosedItem {
        check: "no-broken-suites".to_owned(),
        owner: entry.owner.clone(),
        due: entry.due,
        status: Some(PlanStatus::Deferred),
        deferrals: 1,
        milestones: entry.milestones.clone(),
        comment: entry.comment.clone(),
        evidence_sha256: Some("ab".to_owned()),
        grade: crate::report::json::v1::Grade::B,
        why: "closed".to_owned(),
    }];
    let closed =
        PlanEntry { check: "no-broken-suites".to_owned(), status: PlanStatus::Deferred, deferrals: 1, ..entry.clone() };
    let plan = vec![entry, closed];
    let of_report = crate::report::tables::plan_csv(&assessment);
    for (name, bytes) in [
        ("plan.csv", sheet(&assessment).csv()),
        ("plan.xlsx", sheet(&assessment).xlsx().unwrap()),
        ("plan.csv", of_report),
    ] {
        let table = Table::read(Path::new(name), &bytes).unwrap();
        let imported = import(&table, &assessment, &plan);
        assert!(imported.rows.iter().all(|row| row.outcome == RowOutcome::Unchanged), "{name}: {:?}", imported.rows);
        assert_eq!(imported.plan.len(), 2);
    }
    // The largest count there is does not go round to nothing.
    let mut later = sheet(&assessment);
    let due = later.columns.iter().position(|known| known.name == "due").unwrap();
    later.rows[0][due] = "2027-03-31".to_owned();
    let table = Table::read(Path::new("a.csv"), &later.csv()).unwrap();
    assert_eq!(import(&table, &assessment, &plan).plan.iter().map(|entry| entry.deferrals).max(), Some(u32::MAX));
}

#[test]
fn a_step_needs_words_and_may_hold_a_semicolon() {
    let read = read_steps("2026-12-01 ask; then wait; 2027-01-15 publish [done 2027-01-16]").unwrap();
    assert_eq!(read.iter().map(|step| step.what.as_str()).collect::<Vec<_>>(), ["ask; then wait", "publish"]);
    assert_eq!(read_steps("").unwrap(), []);
    for text in ["2026-12-01 [done 2026-12-02]", "2026-12-01", "soon", &format!("2026-12-01 {}", "x".repeat(4_001))] {
        assert!(read_steps(text).is_err(), "{text}");
    }
}
