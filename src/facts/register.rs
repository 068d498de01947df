//! A register the organization keeps: counts of what its rows say.

use jiff::civil::Date;

use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::catalogues::registers::{self, Registers, Row};
use crate::clock::days_between;
use crate::evidence::declared::{Declared, DeclaredVendor, Handles, RegisterRows};
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::{SubjectId, SubjectKind};
use crate::seen::{NotObserved, Seen};

subject! {
    /// A register, named by its file.
    pub struct Register is Register {
        /// Rows read.
        rows: i64,
        /// Rows that could not be read.
        rejected: i64,
        /// Rows with something whose last day passed before `as_of` without its being done.
        overdue: i64,
        /// Rows with something that was done after its last day, within the time for which that counts.
        late: i64,
        /// Rows that say what should not be so.
        adverse: i64,
        /// Rows that lack what has to be filled in.
        incomplete: i64,
        /// Vendors of the scope that handle content, or do not say, and have no row; 0 where a row stands for no vendor.
        unlisted: i64,
        /// Whole days since the newest day in the column that says how fresh it is; 36,500 where there is none.
        newest_days: i64 = 36_500,
        /// Whole days by which what was done last came after its last day; 0 where it was in time.
        newest_late_days: i64 = 36_500,
    }
}

/// Builds every register there is a form for, kept or not.
pub fn build(context: Context<'_>) -> Built<Register> {
    let declared = match context.evidence.declared() {
        Ok(declared) => declared,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    if declared.1.registers.is_none() {
        let what = "registers (`registers: registers/` in scope.yaml)".to_owned();
        return Built { subjects: Vec::new(), collection: Collection::NotDeclared(what) };
    }
    let registers = Registers::shipped();
    let built = registers.registers.iter().map(|definition| match rows(context, definition) {
        Ok((id, rows)) => {
            let unlisted = unlisted(definition, rows, id, declared);
            kept(definition, rows, id, unlisted, context.today(), registers.late_counts_for_days)
        }
        Err(why) => not_kept(&definition.id, &why),
    });
    Built::complete(built.collect())
}

/// The rows of one register, or why they are not known.
pub(super) fn rows<'e>(
    context: Context<'e>,
    definition: &registers::Register,
) -> Result<(&'e EvidenceId, &'e RegisterRows), NotObserved> {
    let name = &definition.id;
    let folder = context.evidence.declared()?.1.registers.as_deref().unwrap_or("registers/");
    let mut why = context.evidence.taken_away(Source::Register, SubjectKind::Register).unwrap_or_else(|| {
        NotObserved::NotProvided { what: format!("the register {name}.csv in {}", crate::text::visible(folder)) }
    });
    // `about` borrows the subject for its range alone.
    let subject = SubjectId::new(SubjectKind::Register, name.clone());
    for (id, observation) in context.evidence.about(&subject) {
        match &observation.answer {
            Ok(Answer::Register(rows)) => {
                let has = |column: &str| rows.rows.first().is_none_or(|row| row.contains_key(column));
                // What an older form did not ask for is not known.
                let Some(missing) = definition.columns.iter().find(|column| !has(&column.name)) else {
                    return Ok((id, rows));
                };
                why = NotObserved::NotProvided { what: format!("the column {} of {name}.csv", missing.name) };
            }
            Ok(_) => {}
            Err(reason) => why = reason.clone(),
        }
    }
    Err(why)
}

fn kept(
    definition: &registers::Register,
    rows: &RegisterRows,
    id: &EvidenceId,
    unlisted: Fact<i64>,
    today: Date,
    late_counts_for_days: i64,
) -> Register {
    let evidence = vec![id.clone()];
    let count = |count: usize| Fact::present(i64::try_from(count).unwrap_or(i64::MAX), evidence.clone());
    let with = |says: &dyn Fn(&Row) -> bool| count(rows.rows.iter().filter(|row| says(row)).count());
    let newest_of = |row: &Row| definition.newest(row).filter(|day| *day <= today);
    let newest = rows.rows.iter().filter_map(newest_of).max();
    let done = |row: &Row| {
        let clocks = definition.clocks.iter();
        let done = clocks.filter_map(|clock| Some((clock.done(row, today)?, clock.due(row)?)));
        done.map(|(done, due)| (done, days_between(due, done).max(0))).collect::<Vec<_>>()
    };
    // Of several done on that day, the one that had been due for longest.
    let last = rows.rows.iter().flat_map(done).max();
    let counts = |done: Date| days_between(done, today) <= late_counts_for_days;
    Register {
        name: definition.id.clone(),
        rows: count(rows.rows.len()),
        rejected: count(rows.rejected.len()),
        overdue: with(&|row| definition.clocks.iter().any(|clock| clock.is_overdue(row, today))),
        late: with(&|row| done(row).into_iter().any(|(done, days)| days > 0 && counts(done))),
        adverse: with(&|row| definition.is_adverse(row)),
        incomplete: with(&|row| !definition.lacks(row).is_empty()),
        unlisted,
        newest_days: match newest {
            Some(newest) => Fact::present(days_between(newest, today), evidence.clone()),
            None => Fact::new(Seen::Absent, evidence.clone()),
        },
        newest_late_days: match last {
            Some((_, days)) => Fact::present(days, evidence),
            None => Fact::new(Seen::Absent, evidence),
        },
    }
}

fn unlisted(
    definition: &registers::Register,
    rows: &RegisterRows,
    id: &EvidenceId,
    (declared_id, declared): (&EvidenceId, &Declared),
) -> Fact<i64> {
    if definition.row != ["vendor"] {
        return Fact::present(0, vec![id.clone()]);
    }
    let has = |vendor: &str| rows.rows.iter().any(|row| registers::text(row, "vendor").eq_ignore_ascii_case(vendor));
    let lacks = |vendor: &&DeclaredVendor| match vendor.handles {
        Some(Handles::Content) | None => !has(&vendor.id),
        Some(Handles::Metadata | Handles::Nothing) => false,
    };
    let count = declared.vendors.iter().filter(lacks).count();
    Fact::present(i64::try_from(count).unwrap_or(i64::MAX), vec![id.clone(), declared_id.clone()])
}

fn not_kept(name: &str, why: &NotObserved) -> Register {
    let unknown = || Fact::unknown(why.clone());
    Register {
        name: name.to_owned(),
        rows: unknown(),
        rejected: unknown(),
        overdue: unknown(),
        late: unknown(),
        adverse: unknown(),
        incomplete: unknown(),
        unlisted: unknown(),
        newest_days: unknown(),
        newest_late_days: unknown(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::testing::{declared, evidence, observation};
    use crate::evidence::{Evidence, Observation, Question};

    /// A register as the collection would have read it: the columns that are not named are empty.
    pub(in crate::facts) fn register(name: &str, rows: &[&[(&str, &str)]]) -> Observation {
        let definition = Registers::shipped().get(name).unwrap();
        let row = |said: &&[(&str, &str)]| {
            let mut row: Row = definition.columns.iter().map(|column| (column.name.clone(), String::new())).collect();
            for (column, text) in *said {
                *row.get_mut(*column).unwrap() = (*text).to_owned();
            }
            row
        };
        let rows = RegisterRows {
            name: name.to_owned(),
            sha256: String::new(),
            rows: rows.iter().map(row).collect(),
            rejected: Vec::new(),
        };
        let subject = SubjectId::new(SubjectKind::Register, name);
        let asked = Question::Register { name: name.to_owned() };
        observation(subject, Source::Register, asked, Ok(Answer::Register(rows)))
    }

    /// A register as it is collected from the file that somebody wrote.
    pub(in crate::facts) fn read(name: &str, text: &str) -> Observation {
        let definition = Registers::shipped().get(name).unwrap();
        let key = crate::keyed::KeyedReference::new(b"test");
        let rows = crate::collect::registers::parse(std::path::Path::new(name), text, definition, &key).unwrap();
        let subject = SubjectId::new(SubjectKind::Register, name);
        let asked = Question::Register { name: name.to_owned() };
        observation(subject, Source::Register, asked, Ok(Answer::Register(rows)))
    }

    fn with(register: Observation) -> Evidence {
        evidence(vec![declared(|declared| declared.registers = Some("registers/".to_owned())), register])
    }

    fn built(name: &str, rows: &[&[(&str, &str)]]) -> Register {
        let evidence = with(register(name, rows));
        let built = build(Context { evidence: &evidence, as_of: evidence.as_of() });
        built.subjects.into_iter().find(|register| register.name == name).unwrap()
    }

    fn training(rows: &[(&str, &str)]) -> Register {
        let rows: Vec<_> = rows
            .iter()
            .map(|(due, completed)| [("person_id", "p-1"), ("due", *due), ("completed", *completed)])
            .collect();
        built("training", &rows.iter().map(|row| &row[..]).collect::<Vec<_>>())
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
        assert_eq!(register.late.seen, Seen::Present(1));
        assert_eq!(training(&[("2025-06-01", "2025-09-01")]).late.seen, Seen::Present(0), "more than a year ago");
        assert_eq!(training(&[("2027-01-01", "")]).newest_late_days.seen, Seen::Absent);
    }

    #[test]
    fn an_incident_without_its_four_factors_is_not_complete() {
        let told = [
            ("discovered", "2026-05-01"),
            ("breach", "yes"),
            ("individuals", "12"),
            ("individuals_told", "2026-07-15"),
        ];
        let not_one = [("discovered", "2026-09-01"), ("breach", "no"), ("nature_assessed", "yes")];
        let open = [("discovered", "2026-08-01"), ("breach", "undecided")];
        let register = built("incidents", &[&told, &not_one, &open]);
        assert_eq!((register.incomplete.seen, register.late.seen), (Seen::Present(1), Seen::Present(1)));
        // Sixty days after the first of August is the thirtieth of September.
        assert_eq!(register.overdue.seen, Seen::Present(1));
        assert_eq!(built("incidents", &[]).rows.seen, Seen::Present(0));
    }

    #[test]
    fn a_vendor_without_a_row_is_counted_where_rows_are_vendors() {
        let vendor = |id: &str, handles| DeclaredVendor { id: id.to_owned(), handles, agreement: None };
        let unlisted = |name: &str, row: &[(&str, &str)]| {
            let scope = declared(|declared| {
                declared.registers = Some("registers/".to_owned());
                declared.vendors = vec![
                    vendor("weave", Some(Handles::Content)),
                    vendor("zendesk", None),
                    vendor("zixcorp", Some(Handles::Content)),
                    vendor("statuspage", Some(Handles::Nothing)),
                ];
            });
            let evidence = evidence(vec![scope, register(name, &[row])]);
            let built = build(Context { evidence: &evidence, as_of: evidence.as_of() });
            built.subjects.into_iter().find(|register| register.name == name).unwrap().unlisted.seen
        };
        for name in ["agreement-checklist", "vendor-reviews"] {
            assert_eq!(unlisted(name, &[("vendor", "Weave")]), Seen::Present(2), "{name}");
        }
        assert_eq!(unlisted("training", &[("person_id", "p-1")]), Seen::Present(0));
    }

    #[test]
    fn what_a_leaver_s_row_leaves_open_is_not_filled_in() {
        let left = |mail_closed: &'static str, devices: &'static str, forwarding: &'static str| {
            let row = [("mail_closed", mail_closed), ("devices_cleared", devices), ("forwarding_checked", forwarding)];
            built("leavers", &[&[&[("person_id", "p-1"), ("last_day", "2026-09-01")], &row[..]].concat()])
                .incomplete
                .seen
        };
        assert_eq!(left("2026-09-01", "", "yes"), Seen::Present(1));
        assert_eq!(left("2026-09-01", "none-used", ""), Seen::Present(1));
        assert_eq!(left("2026-09-01", "none-used", "yes"), Seen::Present(0));
        assert_eq!(left("", "", ""), Seen::Present(0), "its clock runs");
    }

    #[test]
    fn a_register_of_an_older_form_is_unknown() {
        let mut old = register("training", &[&[("person_id", "p-1"), ("due", "2026-09-01")]]);
        let Ok(Answer::Register(rows)) = &mut old.answer else { panic!() };
        rows.rows[0].remove("course");
        let evidence = with(old);
        let built = build(Context { evidence: &evidence, as_of: evidence.as_of() });
        let training = built.subjects.iter().find(|register| register.name == "training").unwrap();
        let Seen::Unknown(reason) = &training.overdue.seen else { panic!() };
        assert!(reason.to_string().contains("the column course of training.csv"), "{reason}");
    }

    #[test]
    fn a_register_that_is_not_kept_is_unknown_and_not_empty() {
        let evidence = evidence(vec![declared(|declared| declared.registers = Some("registers/".to_owned()))]);
        let built = build(Context { evidence: &evidence, as_of: evidence.as_of() });
        assert_eq!(built.subjects.len(), Registers::shipped().registers.len());
        assert!(built.subjects.iter().all(|register| matches!(register.rows.seen, Seen::Unknown(_))));
    }
}
