//! A register the organization keeps: counts of what its rows say.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::clock::days_between;
use crate::evidence::declared::RegisterRows;
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::{SubjectId, SubjectKind};
use crate::seen::{NotObserved, Seen};

/// The registers that exist: each is a subject, kept or not.
const KNOWN: [&str; 3] = ["activity-reviews", "restore-tests", "training"];

subject! {
    /// A register, named by its file.
    pub struct Register is Register {
        /// Rows read.
        rows: i64,
        /// Rows that could not be read.
        rejected: i64,
        /// Rows whose due date passed before `as_of` without completion.
        overdue: i64,
        /// Whole days since the newest completion; 36,500 where nothing was ever completed.
        newest_days: i64 = 36_500,
        /// Whole days by which the newest completion came after its due date; 0 where it was in time.
        newest_late_days: i64 = 36_500,
    }
}

/// Builds every register there is a form for, kept or not.
pub fn build(context: Context<'_>) -> Built<Register> {
    let folder = match context.evidence.declared() {
        Ok((_, declared)) => declared.registers.clone(),
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    let Some(folder) = folder else {
        let what = "registers (`registers: registers/` in scope.yaml)".to_owned();
        return Built { subjects: Vec::new(), collection: Collection::NotDeclared(what) };
    };
    let register = |name: &str| {
        let subject = SubjectId::new(SubjectKind::Register, name);
        let mut why = context.evidence.taken_away(Source::Register, SubjectKind::Register).unwrap_or_else(|| {
            NotObserved::NotProvided { what: format!("the register {name}.csv in {}", crate::text::visible(&folder)) }
        });
        for (id, observation) in context.evidence.about(&subject) {
            match &observation.answer {
                Ok(Answer::Register(rows)) => return kept(name, rows, id, context.today()),
                Ok(_) => {}
                Err(reason) => why = reason.clone(),
            }
        }
        not_kept(name, &why)
    };
    Built::complete(KNOWN.into_iter().map(register).collect())
}

fn kept(name: &str, rows: &RegisterRows, id: &EvidenceId, today: Date) -> Register {
    let evidence = vec![id.clone()];
    let count = |count: usize| Fact::present(i64::try_from(count).unwrap_or(i64::MAX), evidence.clone());
    let date = |row: &BTreeMap<String, String>, column: &str| {
        row.get(column).filter(|text| !text.is_empty()).and_then(|text| text.parse::<Date>().ok())
    };
    // What was completed after `as_of` had not been completed then.
    let completed = |row: &BTreeMap<String, String>| date(row, "completed").filter(|day| *day <= today);
    let overdue =
        rows.rows.iter().filter(|row| date(row, "due").is_some_and(|due| due < today) && completed(row).is_none());
    let newest = rows.rows.iter().filter_map(completed).max();
    // Of several done on that day, the one that had been due for longest.
    let late = rows
        .rows
        .iter()
        .filter(|row| newest.is_some() && completed(row) == newest)
        .filter_map(|row| Some(days_between(date(row, "due")?, newest?).max(0)))
        .max();
    Register {
        name: name.to_owned(),
        rows: count(rows.rows.len()),
        rejected: count(rows.rejected.len()),
        overdue: count(overdue.count()),
        newest_days: match newest {
            Some(newest) => Fact::present(days_between(newest, today), evidence.clone()),
            None => Fact::new(Seen::Absent, evidence.clone()),
        },
        newest_late_days: match late {
            Some(days) => Fact::present(days, evidence),
            None => Fact::new(Seen::Absent, evidence),
        },
    }
}

fn not_kept(name: &str, why: &NotObserved) -> Register {
    Register {
        name: name.to_owned(),
        rows: Fact::unknown(why.clone()),
        rejected: Fact::unknown(why.clone()),
        overdue: Fact::unknown(why.clone()),
        newest_days: Fact::unknown(why.clone()),
        newest_late_days: Fact::unknown(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{declared, evidence, observation};
    use crate::evidence::Question;

    fn training(rows: &[(&str, &str)]) -> Register {
        let rows = rows.iter().map(|(due, completed)| {
            BTreeMap::from([
                ("person_id".to_owned(), "p-1".to_owned()),
                ("due".to_owned(), (*due).to_owned()),
                ("completed".to_owned(), (*completed).to_owned()),
            ])
        });
        let rows = RegisterRows {
            name: "training".to_owned(),
            sha256: String::new(),
            rows: rows.collect(),
            rejected: Vec::new(),
        };
        let subject = SubjectId::new(SubjectKind::Register, "training");
        let asked = Question::Register { name: "training".to_owned() };
        let evidence = evidence(vec![
            declared(|declared| declared.registers = Some("registers/".to_owned())),
            observation(subject, Source::Register, asked, Ok(Answer::Register(rows))),
        ]);
        let built = build(Context { evidence: &evidence, as_of: evidence.as_of() });
        built.subjects.into_iter().find(|register| register.name == "training").unwrap()
    }

    #[test]
    fn what_is_due_and_not_completed_is_overdue() {
        let register = training(&[
            ("2026-09-01", "2026-08-01"),
            ("2026-09-01", ""),
            ("2026-09-01", "2026-12-01"),
            ("2026-10-01", ""),
            ("2027-01-01", ""),
        ]);
        assert_eq!(register.overdue.seen, Seen::Present(2));
        assert_eq!(register.newest_days.seen, Seen::Present(61));
        assert_eq!(register.newest_late_days.seen, Seen::Present(0));
        assert_eq!(training(&[("2027-01-01", "")]).newest_days.seen, Seen::Absent);
    }

    #[test]
    fn what_was_done_late_says_by_how_much() {
        let register = training(&[("2026-03-01", "2026-02-01"), ("2026-06-01", "2026-09-01")]);
        assert_eq!((register.overdue.seen, register.newest_late_days.seen), (Seen::Present(0), Seen::Present(92)));
        assert_eq!(training(&[("2027-01-01", "")]).newest_late_days.seen, Seen::Absent);
    }

    #[test]
    fn a_register_that_is_not_kept_is_unknown_and_not_empty() {
        let evidence = evidence(vec![declared(|declared| declared.registers = Some("registers/".to_owned()))]);
        let built = build(Context { evidence: &evidence, as_of: evidence.as_of() });
        assert_eq!(built.subjects.len(), KNOWN.len());
        assert!(built.subjects.iter().all(|register| matches!(register.rows.seen, Seen::Unknown(_))));
    }

    #[test]
    fn the_known_registers_are_those_that_can_be_read() {
        assert_eq!(crate::collect::registers::known().collect::<Vec<_>>(), KNOWN);
    }
}
