//! What a scenario would cost: individuals whose information could be touched, and the levels
//! that the model states for integrity and availability.
//!
//! Measured numbers count before declared ones only where every mailbox was scanned whole. Where
//! nobody knows, the model's level for the unknown holds, and the confidence says so.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Level;
use super::known::Known;
use super::model::Model;
use super::scenario::{ImpactInput, Records, Scenario};
use crate::assess::Grade;
use crate::names::SubjectKind;

/// What the scan of one mailbox found, over its folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// Individuals, at least: those of its fullest folder, since folders share people.
    pub(super) lower: u64,
    /// Individuals, at most: those of all its folders together.
    pub(super) upper: u64,
    /// Whether everything in it was looked into.
    pub(super) whole: bool,
    /// Whole days from its oldest message with PHI to `as_of`.
    pub(super) oldest_days: Option<i64>,
}

/// What was scanned, by mailbox: the name in the exports where it is one of theirs, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    by_mailbox: BTreeMap<String, Volume>,
    complete: bool,
}

impl Scanned {
    pub(super) fn read(known: &Known) -> Self {
        let mut by_mailbox: BTreeMap<String, Volume> = BTreeMap::new();
        let mut complete = known.is_complete(SubjectKind::ContentFolder);
        let full_names = FullNames::of(known);
        for folder in &known.folders {
            // A folder of a mailbox nobody can name may belong to any.
            let Some(mailbox) = &folder.mailbox else {
                complete = false;
                continue;
            };
            let nothing = Volume { lower: 0, upper: 0, whole: true, oldest_days: None };
            let volume = by_mailbox.entry(full_names.resolve(mailbox)).or_insert(nothing);
            let (lower, upper) = (folder.individuals_lower, folder.individuals_upper);
            volume.lower = volume.lower.max(lower.unwrap_or(0));
            volume.upper = volume.upper.saturating_add(upper.or(lower).unwrap_or(0));
            volume.whole &= upper.is_some() && folder.not_inspected == Some(0);
            volume.oldest_days = volume.oldest_days.max(folder.oldest_days);
        }
        Self { by_mailbox, complete }
    }

    /// What lies in a mailbox.
    pub(super) fn of(&self, mailbox: &str) -> Option<Volume> {
        self.by_mailbox.get(&mailbox.to_lowercase()).copied()
    }

    /// Every mailbox that was scanned, by name.
    pub(super) fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.by_mailbox.keys().map(String::as_str)
    }

    /// Whether every mailbox of the organization was scanned whole.
    fn covers_everything(&self, known: &Known) -> bool {
        self.complete
            && known.is_complete(SubjectKind::Mailbox)
            && !known.mailboxes.is_empty()
            && known.mailboxes.iter().all(|mailbox| self.of(&mailbox.name).is_some_and(|volume| volume.whole))
            && self.by_mailbox.values().all(|volume| volume.whole)
    }
}

/// The scope may name a mailbox by its address or, where no other shares it, by the part before
/// the `@`.
struct FullNames {
    full: BTreeSet<String>,
    /// `None` where several mailboxes share the part.
    by_local: BTreeMap<String, Option<String>>,
}

impl FullNames {
    fn of(known: &Known) -> Self {
        let full: BTreeSet<String> = known.mailboxes.iter().map(|mailbox| mailbox.name.to_lowercase()).collect();
        let mut by_local: BTreeMap<String, Option<String>> = BTreeMap::new();
        for name in &full {
            let local = name.split('@').next().unwrap_or(name).to_owned();
            by_local.entry(local).and_modify(|known| *known = None).or_insert_with(|| Some(name.clone()));
        }
        Self { full, by_local }
    }

    fn resolve(&self, mailbox: &str) -> String {
        let mailbox = mailbox.to_lowercase();
        if self.full.contains(&mailbox) {
            return mailbox;
        }
        self.by_local.get(&mailbox).cloned().flatten().unwrap_or(mailbox)
    }
}

/// How many individuals, how sure, and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Count {
    /// `None` where nobody knows.
    pub(super) individuals: Option<u64>,
    pub(super) level: Level,
    pub(super) grade: Grade,
    pub(super) words: String,
}

/// The impact of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Impact {
    pub(super) level: Level,
    pub(super) grade: Grade,
    /// Where it depends on a number of individuals.
    pub(super) count: Option<Count>,
    /// The highest of the levels that do not depend on it.
    pub(super) stated: Level,
    pub(super) explain: Vec<String>,
}

/// Works out the impact of one scenario.
pub(super) fn impact(model: &Model, scenario: &Scenario, known: &Known, scanned: &Scanned) -> Impact {
    let inputs = [
        ("confidentiality", &scenario.impact.confidentiality),
        ("integrity", &scenario.impact.integrity),
        ("availability", &scenario.impact.availability),
    ];
    let mut explain = Vec::new();
    let mut count = None;
    let mut stated = Level::VeryLow;
    for (property, input) in inputs {
        match input {
            ImpactInput::Records(input) => {
                let found = individuals(model, input.records, known, scanned);
                explain.push(format!("impact on {property}: {} ({})", found.level.in_words(), found.words));
                if count.as_ref().is_none_or(|known: &Count| known.level < found.level) {
                    count = Some(found);
                }
            }
            ImpactInput::Stated(input) => {
                explain.push(format!("impact on {property}: {} ({})", input.level.in_words(), input.reason));
                stated = stated.max(input.level);
            }
        }
    }
    let level = count.as_ref().map_or(stated, |count| count.level.max(stated));
    // What the model states was measured by nobody.
    let grade = count.as_ref().filter(|count| count.level == level).map_or(Grade::E, |count| count.grade);
    explain.push(format!("impact = the highest of the three = {}", level.in_words()));
    Impact { level, grade, count, stated, explain }
}

fn individuals(model: &Model, records: Records, known: &Known, scanned: &Scanned) -> Count {
    let uppers = || scanned.by_mailbox.values().map(|volume| volume.upper);
    let least = scanned.by_mailbox.values().map(|volume| volume.lower).max().unwrap_or(0);
    let measured = match records {
        Records::AllMailboxes => scanned.covers_everything(known).then(|| uppers().fold(0, u64::saturating_add)),
        Records::WorstMailbox => scanned.covers_everything(known).then(|| uppers().max().unwrap_or(0)),
        Records::Organization => None,
    };
    let whose = match records {
        Records::AllMailboxes => "in all scanned mail",
        Records::Organization => "of the organization",
        Records::WorstMailbox => "in the mailbox that holds most",
    };
    // What is not known. An upper bound alone is no worse than this: it proves nobody.
    let unknown = model.impact.unknown_volume.max(model.impact.band(least));
    // Nobody's mail holds more people than the organization knows, unless the scan proves it.
    let ceiling = known.individuals.map(|declared| declared.max(least));
    match (measured, ceiling) {
        (Some(measured), ceiling) if ceiling.is_none_or(|ceiling| measured <= ceiling) => Count {
            individuals: Some(measured),
            level: model.impact.band(measured).min(unknown),
            grade: Grade::C,
            words: format!(
                "at least {} and at most {} individuals {whose}, counted",
                grouped(least),
                grouped(measured)
            ),
        },
        (_, Some(ceiling)) => Count {
            individuals: Some(ceiling),
            level: model.impact.band(ceiling),
            grade: Grade::E,
            words: format!("at most {} individuals, as the organization declares", grouped(ceiling)),
        },
        (_, None) => Count {
            individuals: None,
            level: unknown,
            grade: Grade::U,
            words: if least > 0 {
                format!("at least {} individuals were counted, how many more is not known", grouped(least))
            } else {
                "how many individuals is not known".to_owned()
            },
        },
    }
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The day so many whole days before `today`.
pub(super) fn day_before(today: Date, days: i64) -> Option<Date> {
    today.checked_sub(jiff::Span::new().try_days(days).ok()?).ok()
}
