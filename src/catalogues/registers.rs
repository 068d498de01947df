//! The registers an organization keeps, as `checks/registers.yaml` defines them: columns, what a
//! row may say that should not be so, what has to be filled in, and what is due by when.
//!
//! Says what one row says by its definition; how many rows do, and whether that matters, is for
//! facts and checks.

mod page;

pub use page::page;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::yaml::{self, Located, Spanned};

const FILE: &str = "checks/registers.yaml";

/// One row, by column. Every column of the definition is there; an empty value was left empty.
pub type Row = BTreeMap<String, String>;

/// Every register there is a form for, by id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers {
    pub version: String,
    /// What was done too late counts for so many days after it was done.
    pub late_counts_for_days: i64,
    pub registers: Vec<Register>,
}

/// One register.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The name of its file, without `.csv`.
    pub id: String,
    pub title: String,
    /// What one row stands for.
    pub about: String,
    /// Paragraphs of the rule it speaks of.
    pub cites: Vec<String>,
    /// The columns that tell one row from another.
    pub row: Vec<String>,
    /// The column whose latest day says how fresh it is.
    newest: String,
    pub columns: Vec<Column>,
    #[serde(default)]
    pub adverse: Vec<Condition>,
    #[serde(default)]
    pub complete: Vec<Complete>,
    #[serde(default)]
    pub clocks: Vec<Clock>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    pub name: String,
    pub holds: Holds,
    #[serde(default)]
    pub words: Vec<String>,
    #[serde(default)]
    pub required: bool,
    /// A column of numbers that this one is never above.
    pub at_most: Option<String>,
    /// A column of dates that this one never comes before.
    pub not_before: Option<String>,
    pub about: Option<String>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// An id of the mail system; kept as its keyed reference.
    Account,
    /// A short text such as a role.
    Code,
    /// An ISO date.
    Date,
    /// Letters, digits and `-_.`.
    Key,
    /// Not negative.
    Number,
    /// 64 hex digits.
    Sha256,
    /// One of the column's words.
    Word,
}

/// Something a row may say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub column: String,
    /// One of these words.
    #[serde(default)]
    pub is: Vec<String>,
    /// A number above this one.
    pub above: Option<i64>,
    /// Whether anything is there.
    pub given: Option<bool>,
}

/// What has to be filled in, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// Always, where nothing is said.
    #[serde(default)]
    pub when: Vec<Condition>,
    pub needs: Vec<String>,
    /// Which words will do; any, where nothing is said.
    #[serde(default, rename = "as")]
    pub with: Vec<String>,
}

/// Something that is due so many days after a day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    pub id: String,
    /// In words: `a review is due`.
    pub what: String,
    after: String,
    /// Counted from the end of that day's year.
    #[serde(default)]
    from_year_end: bool,
    days: Option<i64>,
    /// The column that says how many days.
    days_in: Option<String>,
    longer: Option<Longer>,
    done: Option<String>,
    #[serde(default)]
    when: Vec<Condition>,
    #[serde(default)]
    unless: Vec<Condition>,
    /// What sets the period.
    pub source: String,
}

/// So many days more, where a day is given that lies within the first period.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Longer {
    given: String,
    days: i64,
}

impl Registers {
    /// The registers that are shipped.
    pub fn built_in() -> Result<&'static Self, Located> {
        static READ: OnceLock<Result<Registers, Located>> = OnceLock::new();
        let text = include_str!("../../checks/registers.yaml");
        READ.get_or_init(|| Self::read(Path::new(FILE), text)).as_ref().map_err(Clone::clone)
    }

    /// As [`Self::built_in`], for code that a test has shown to be able to rely on it.
    pub fn shipped() -> &'static Self {
        Self::built_in().expect("the registers are read by a test")
    }

    /// The register of this name.
    pub fn get(&self, id: &str) -> Option<&Register> {
        self.registers.iter().find(|register| register.id == id)
    }

    fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let raw: RawRegisters = yaml::read(file, text)?;
        if raw.schema != 1 {
            let what = format!("schema {} of the registers is not known", raw.schema);
            return Err(Located::at(file, text, 0, 0, what, "this version reads schema 1"));
        }
        let mut ids = BTreeSet::new();
        let mut registers = Vec::new();
        for written in raw.registers {
            let fault = written
                .value
                .fault()
                .or_else(|| (!ids.insert(written.value.id.clone())).then(|| "it is there twice".to_owned()));
            if let Some(fault) = fault {
                let what = format!("the register `{}`: {fault}", written.value.id);
                return Err(Located::at_value(file, text, &written, what, ""));
            }
            registers.push(written.value);
        }
        registers.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Self { version: raw.version, late_counts_for_days: raw.late_counts_for_days, registers })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegisters {
    schema: u32,
    version: String,
    late_counts_for_days: i64,
    registers: Vec<Spanned<Register>>,
}

impl Register {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a row has to say something in this column.
    pub fn needs(&self, column: &Column) -> bool {
        column.required || self.row.contains(&column.name)
    }

    /// What tells a row from others, for people: `p-1, mail`.
    pub fn name_of(&self, row: &Row) -> String {
        let keys = self.row.iter().filter(|name| self.column(name).is_some_and(|column| column.holds != Holds::Date));
        keys.map(|name| text(row, name)).collect::<Vec<_>>().join(", ")
    }

    /// The day that says how fresh a row is.
    pub fn newest(&self, row: &Row) -> Option<Date> {
        date(row, &self.newest)
    }

    /// Whether a row says what should not be so.
    pub fn is_adverse(&self, row: &Row) -> bool {
        self.adverse.iter().any(|condition| condition.holds(row))
    }

    /// The columns that a row still has to fill in.
    pub fn lacks(&self, row: &Row) -> Vec<&str> {
        let due = self.complete.iter().filter(|complete| complete.when.iter().all(|condition| condition.holds(row)));
        due.flat_map(|complete| complete.needs.iter().map(move |name| (complete, name)))
            .filter(|(complete, name)| match text(row, name) {
                "" => true,
                said => !complete.with.is_empty() && !complete.with.iter().any(|word| word == said),
            })
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// What is wrong with the definition itself.
    fn fault(&self) -> Option<String> {
        let holds = |name: &String, wanted: &[Holds]| match self.column(name) {
            None => Some(format!("there is no column `{name}`")),
            Some(column) if !wanted.is_empty() && !wanted.contains(&column.holds) => {
                Some(format!("`{name}` cannot be used so"))
            }
            Some(_) => None,
        };
        let condition = |condition: &Condition| {
            let said = [!condition.is.is_empty(), condition.above.is_some(), condition.given.is_some()];
            if said.iter().filter(|said| **said).count() != 1 {
                return Some(format!("a condition on `{}` says not one thing", condition.column));
            }
            let kind: &[Holds] = match (condition.above, condition.given) {
                (Some(_), _) => &[Holds::Number],
                (None, Some(_)) => &[],
                (None, None) => &[Holds::Word],
            };
            let known = self.column(&condition.column).map(|column| column.words.as_slice()).unwrap_or_default();
            holds(&condition.column, kind).or_else(|| {
                let unknown = condition.is.iter().find(|word| !known.contains(word));
                unknown.map(|word| format!("`{}` has no word `{word}`", condition.column))
            })
        };
        let names: BTreeSet<&String> = self.columns.iter().map(|column| &column.name).collect();
        if names.len() != self.columns.len() || self.row.is_empty() {
            return Some("a column is there twice, or nothing tells rows apart".to_owned());
        }
        if let Some(column) =
            self.columns.iter().find(|column| (column.holds == Holds::Word) == column.words.is_empty())
        {
            return Some(format!("`{}` has words and holds none, or the other way round", column.name));
        }
        let limits = self.columns.iter().filter_map(|column| holds(column.at_most.as_ref()?, &[Holds::Number]));
        let orders = self.columns.iter().filter_map(|column| {
            let earlier = column.not_before.as_ref()?;
            holds(&column.name, &[Holds::Date]).or_else(|| holds(earlier, &[Holds::Date]))
        });
        let clocks = self.clocks.iter().flat_map(|clock| {
            let days = [&clock.after].into_iter().chain(&clock.done).chain(clock.longer.iter().map(|more| &more.given));
            let dates = days.filter_map(|name| holds(name, &[Holds::Date]));
            let one = (clock.days.is_some() == clock.days_in.is_some())
                .then(|| format!("the clock `{}` counts no days, or days twice", clock.id));
            let counted = clock.days_in.as_ref().and_then(|name| holds(name, &[Holds::Number]));
            dates.chain(one).chain(counted).chain(clock.when.iter().chain(&clock.unless).filter_map(condition))
        });
        self.row
            .iter()
            .filter_map(|name| holds(name, &[Holds::Key, Holds::Code, Holds::Word, Holds::Date]))
            .chain(holds(&self.newest, &[Holds::Date]))
            .chain(limits)
            .chain(orders)
            .chain(self.adverse.iter().filter_map(condition))
            .chain(self.complete.iter().flat_map(|complete| complete.needs.iter().filter_map(|name| holds(name, &[]))))
            .chain(self.complete.iter().flat_map(|complete| complete.when.iter().filter_map(condition)))
            .chain(clocks)
            .next()
    }
}

impl Condition {
    /// Whether a row says so.
    pub fn holds(&self, row: &Row) -> bool {
        let said = text(row, &self.column);
        let above = self.above.is_none_or(|most| said.parse::<i64>().is_ok_and(|number| number > most));
        let given = self.given.is_none_or(|given| given != said.is_empty());
        above && given && (self.is.is_empty() || self.is.iter().any(|word| word == said))
    }
}

impl Clock {
    /// The day by which it has to be done for a row; none where the row does not start it.
    pub fn due(&self, row: &Row) -> Option<Date> {
        if !self.when.iter().all(|condition| condition.holds(row))
            || self.unless.iter().any(|condition| condition.holds(row))
        {
            return None;
        }
        let from = date(row, &self.after)?;
        let from = if self.from_year_end { from.last_of_year() } else { from };
        let days = match &self.days_in {
            Some(column) => text(row, column).parse().ok()?,
            None => self.days.unwrap_or(0),
        };
        let due = later(from, days)?;
        match &self.longer {
            Some(longer) if date(row, &longer.given).is_some_and(|told| told <= due) => later(due, longer.days),
            Some(_) | None => Some(due),
        }
    }

    /// Whether its last day passed without its being done. Where the day it counts from is to be
    /// moved on instead, one that is still to come says that nothing was done.
    pub fn is_overdue(&self, row: &Row, today: Date) -> bool {
        let to_come = || self.done.is_none() && date(row, &self.after).is_some_and(|from| from > today);
        self.due(row).is_some_and(|due| due < today || to_come()) && self.done(row, today).is_none()
    }

    /// The day on which it was done, as of a day: what was done later had not been done then.
    pub fn done(&self, row: &Row, today: Date) -> Option<Date> {
        date(row, self.done.as_ref()?).filter(|day| *day <= today)
    }
}

fn later(day: Date, days: i64) -> Option<Date> {
    day.checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// What a row says in a column.
pub fn text<'r>(row: &'r Row, column: &str) -> &'r str {
    row.get(column).map(String::as_str).unwrap_or_default()
}

fn date(row: &Row, column: &str) -> Option<Date> {
    text(row, column).parse().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn row(register: &str, said: &[(&str, &str)]) -> (&'static Register, Row) {
        let register = Registers::shipped().get(register).unwrap();
        let mut row: Row = register.columns.iter().map(|column| (column.name.clone(), String::new())).collect();
        for (column, text) in said {
            *row.get_mut(*column).unwrap() = (*text).to_owned();
        }
        (register, row)
    }

    fn due(register: &str, clock: &str, said: &[(&str, &str)]) -> Option<Date> {
        let (register, row) = row(register, said);
        register.clocks.iter().find(|known| known.id == clock).unwrap().due(&row)
    }

    #[test]
    fn every_register_cites_paragraphs_that_exist_and_says_what_a_row_is() {
        let catalog = crate::checks::Catalog::built_in().unwrap();
        let registers = Registers::built_in().unwrap();
        assert_eq!(registers.registers.len(), 18);
        for register in &registers.registers {
            for cite in &register.cites {
                assert!(catalog.framework.get(cite).is_some(), "{}: {cite}", register.id);
            }
            let text = format!("{} {}", register.title, register.about);
            assert_eq!(crate::checks::overclaim(&text), None, "{}", register.id);
        }
    }

    /// 45 CFR 164.524(b)(2): thirty days, and thirty more where the individual was told in time.
    #[test]
    fn access_is_due_in_thirty_days_and_once_in_thirty_more() {
        let clock = |said: &[(&str, &str)]| due("access-requests", "access-given", said);
        assert_eq!(clock(&[("received", "2026-01-10")]), Some(date(2026, 2, 9)));
        assert_eq!(clock(&[("received", "2026-01-10"), ("extended", "2026-02-09")]), Some(date(2026, 3, 11)));
        assert_eq!(
            clock(&[("received", "2026-01-10"), ("extended", "2026-02-10")]),
            Some(date(2026, 2, 9)),
            "too late"
        );
        assert_eq!(clock(&[("received", "2026-01-10"), ("outcome", "withdrawn")]), None);
    }

    /// 45 CFR 164.404(b), 164.406, 164.408(b) and (c).
    #[test]
    fn the_clocks_of_a_breach_follow_how_many_it_touched() {
        let clock = |clock: &str, said: &[(&str, &str)]| {
            due("incidents", clock, &[&[("discovered", "2026-03-01"), ("breach", "yes")], said].concat())
        };
        let sixty = Some(date(2026, 4, 30));
        assert_eq!(clock("individuals-told", &[]), sixty);
        assert_eq!(clock("individuals-told", &[("breach", "undecided")]), sixty, "presumed to be one");
        assert_eq!(clock("individuals-told", &[("breach", "no")]), None);
        assert_eq!(
            (clock("media-told", &[("one_state", "500")]), clock("media-told", &[("one_state", "501")])),
            (None, sixty)
        );
        let secretary = |many: &str| {
            let said = [("individuals", many)];
            (clock("secretary-told", &said), clock("secretary-told-yearly", &said))
        };
        assert_eq!(secretary("500"), (sixty, None));
        assert_eq!(secretary("499"), (None, Some(date(2027, 3, 1))));
        let undecided = [("breach", "undecided"), ("individuals", "12")];
        assert_eq!(clock("secretary-told-yearly", &undecided), Some(date(2027, 3, 1)), "presumed to be one");
        assert_eq!(clock("secretary-told-yearly", &[("breach", "no")]), None);
    }

    #[test]
    fn no_breach_needs_all_four_factors() {
        let factors = ["nature_assessed", "recipient_assessed", "acquired_assessed", "mitigation_assessed"];
        let said = |last: &'static str| {
            let mut said = vec![("breach", "no")];
            said.extend(factors.iter().map(|factor| (*factor, "yes")));
            said[4].1 = last;
            row("incidents", &said)
        };
        let (register, whole) = said("yes");
        assert_eq!(register.lacks(&whole), Vec::<&str>::new());
        for last in ["", "no"] {
            assert_eq!(register.lacks(&said(last).1), ["mitigation_assessed"]);
        }
    }

    /// 45 CFR 164.406 turns on the residents of one state: of many people, they have to be counted.
    #[test]
    fn a_large_breach_needs_the_residents_of_one_state() {
        let lacks = |breach: &'static str, individuals: &'static str, one_state: &'static str| {
            let said = [("breach", breach), ("individuals", individuals), ("one_state", one_state)];
            let (register, row) = row("incidents", &said);
            register.lacks(&row).contains(&"one_state")
        };
        assert!(lacks("yes", "5000", "") && lacks("undecided", "501", ""));
        assert!(!lacks("yes", "5000", "12") && !lacks("yes", "500", "") && !lacks("no", "5000", ""));
    }

    #[test]
    fn what_is_to_be_done_again_cannot_have_been_done_on_a_day_to_come() {
        let overdue = |register: &str, clock: &str, said: &[(&str, &str)]| {
            let (register, row) = row(register, said);
            register.clocks.iter().find(|known| known.id == clock).unwrap().is_overdue(&row, date(2026, 10, 1))
        };
        let backup = |last| overdue("backups", "backup-made", &[("last_success", last), ("every_days", "7")]);
        assert_eq!(["2026-10-01", "2026-09-24", "2026-09-23", "2062-03-01"].map(backup), [false, false, true, true]);
        assert!(!overdue("training", "training-completed", &[("due", "2062-03-01")]), "it has a day of its own");
    }

    #[test]
    fn a_backup_is_due_as_often_as_it_is_made() {
        let said = [("last_success", "2026-03-01"), ("every_days", "7")];
        assert_eq!(due("backups", "backup-made", &said), Some(date(2026, 3, 8)));
        assert_eq!(
            due("backups", "backup-made", &[("last_success", "2026-03-01"), ("every_days", "9999999999999")]),
            None
        );
        let (register, notice) = row("agreement-checklist", &[("notice_days", "61")]);
        assert!(register.is_adverse(&notice));
        assert!(!register.is_adverse(&row("agreement-checklist", &[("notice_days", "60")]).1));
    }

    #[test]
    fn a_definition_that_names_what_is_not_there_is_refused() {
        let text = include_str!("../../checks/registers.yaml");
        for (from, to) in [
            ("newest: received", "newest: recieved"),
            ("after: received", "after: outcome"),
            ("{ column: channel, is: [plain-mail] }", "{ column: channel, is: [pigeon] }"),
            ("{ column: notice_days, above: 60 }", "{ column: notice_days }"),
            ("days_in: every_days", "days_in: every_days, days: 1"),
            ("row: [request_id]", "row: []"),
            ("at_most: sent", "at_most: due"),
            ("not_before: received", "not_before: outcome"),
            ("holds: number, at_most: sent", "holds: number, not_before: due"),
            ("id: at-rest", "id: backups"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            let fault = Registers::read(Path::new("registers.yaml"), &changed).unwrap_err();
            assert!(fault.line > 0, "{from}: {fault}");
        }
    }
}
