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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    /// Individuals, at least: those of its fullest folder, since folders share people.
    pub(super) lower: u64,
    /// Individuals, at most: those of all its folders together.
    pub(super) upper: u64,
    /// Whether everything in it was looked into.
    pub(super) whole: bool,
    /// Whole days from its oldest message with PHI to `as_of`.
    pub(super) oldest_days: Option<i64>,
    /// Of the last year's messages, at least and at most; `None` where the scan did not tell.
    pub(super) within_a_year: Option<(u64, u64)>,
    /// Categories that other law protects more.
    pub(super) sensitive: BTreeSet<String>,
    /// Whether every scan of it told them apart.
    pub(super) sensitive_told: bool,
}

impl Volume {
    /// An empty mailbox, read whole.
    fn empty() -> Self {
        Self {
            lower: 0,
            upper: 0,
            whole: true,
            oldest_days: None,
            within_a_year: Some((0, 0)),
            sensitive: BTreeSet::new(),
            sensitive_told: true,
        }
    }
}

/// What was scanned, by mailbox: the name in the exports where it is one of theirs, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    by_mailbox: BTreeMap<String, Volume>,
    /// Over the whole organization; `None` where a mailbox has no bound or not all are known.
    bound: Option<Bound>,
}

/// The most that can lie in mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    in_one: u64,
    in_all: u64,
    /// Whether a scan counted it, or the scope states part of it.
    counted: bool,
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
            let volume = by_mailbox.entry(full_names.resolve(mailbox)).or_insert_with(Volume::empty);
            let (lower, upper) = (folder.individuals_lower, folder.individuals_upper);
            volume.lower = volume.lower.max(lower.unwrap_or(0));
            volume.upper = volume.upper.saturating_add(upper.or(lower).unwrap_or(0));
            volume.whole &= upper.is_some() && folder.not_inspected == Some(0);
            volume.oldest_days = volume.oldest_days.max(folder.oldest_days);
            // As for all messages: folders share people.
            let both = volume.within_a_year.zip(folder.within_a_year);
            volume.within_a_year =
                both.map(|((least, most), (lower, upper))| (least.max(lower), most.saturating_add(upper)));
            volume.sensitive.extend(folder.sensitive.iter().flatten().cloned());
            volume.sensitive_told &= folder.sensitive.is_some();
        }
        // What was not read may belong to any of them.
        by_mailbox.values_mut().for_each(|volume| volume.whole &= complete);
        let bound = Bound::over(&by_mailbox, known);
        Self { by_mailbox, bound }
    }

    /// What lies in a mailbox.
    pub(super) fn of(&self, mailbox: &str) -> Option<&Volume> {
        self.by_mailbox.get(&mailbox.to_lowercase())
    }

    /// Whether a category that other law protects more was found anywhere.
    fn is_sensitive(&self) -> bool {
        self.by_mailbox.values().any(|volume| !volume.sensitive.is_empty())
    }

    /// Every mailbox that was scanned, by name.
    pub(super) fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.by_mailbox.keys().map(String::as_str)
    }
}

impl Bound {
    /// Only where every mailbox is known and each was scanned whole or has a bound in the scope.
    fn over(by_mailbox: &BTreeMap<String, Volume>, known: &Known) -> Option<Self> {
        if !known.is_complete(SubjectKind::Mailbox) || known.mailboxes.is_empty() {
            return None;
        }
        let mut bound = Self { in_one: 0, in_all: 0, counted: true };
        let mut add = |individuals: u64| {
            bound.in_one = bound.in_one.max(individuals);
            bound.in_all = bound.in_all.saturating_add(individuals);
        };
        let mut counted = true;
        let mut listed = BTreeSet::new();
        for mailbox in &known.mailboxes {
            let name = mailbox.name.to_lowercase();
            let volume = by_mailbox.get(&name);
            match (volume.filter(|volume| volume.whole), mailbox.declared) {
                (Some(volume), _) => add(volume.upper),
                (None, Some((_, most))) => {
                    add(most.max(volume.map_or(0, |volume| volume.lower)));
                    counted = false;
                }
                (None, None) => return None,
            }
            listed.insert(name);
        }
        for (_, volume) in by_mailbox.iter().filter(|(name, _)| !listed.contains(*name)) {
            if !volume.whole {
                return None;
            }
            add(volume.upper);
        }
        bound.counted = counted;
        Some(bound)
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
    let sensitive = scanned.is_sensitive() || known.sensitive.as_ref().is_some_and(|kinds| !kinds.is_empty());
    let mut explain = Vec::new();
    let mut count = None;
    let mut stated = Level::VeryLow;
    for (property, input) in inputs {
        match input {
            ImpactInput::Records(input) => {
                let mut found = individuals(model, input.records, known, scanned);
                if sensitive && found.individuals != Some(0) {
                    let steps = model.impact.sensitive_steps;
                    found.level = found.level.raised(steps);
                    found.words.push_str(&format!(
                        "; {steps} step more for categories that other law protects more, {}",
                        if scanned.is_sensitive() { "named by words of the mail" } else { "stated to be among it" }
                    ));
                }
                explain.push(format!("impact on {property}: {} ({})", found.level.in_words(), found.words));
                if count.as_ref().is_none_or(|known: &Count| known.level < found.level) {
                    count = Some(found);
                }
            }
            ImpactInput::Stated(input) => {
                // What nobody else sees is no worse for being of such a category.
                let raised = property == "confidentiality" && sensitive && input.level > Level::VeryLow;
                let level = if raised { input.level.raised(model.impact.sensitive_steps) } else { input.level };
                let more = if raised { "; more for categories that other law protects more" } else { "" };
                explain.push(format!("impact on {property}: {} ({}{more})", level.in_words(), input.reason));
                stated = stated.max(level);
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
    let least = scanned.by_mailbox.values().map(|volume| volume.lower).max().unwrap_or(0);
    let bound = match records {
        Records::AllMailboxes => scanned.bound.map(|bound| bound.in_all),
        Records::WorstMailbox => scanned.bound.map(|bound| bound.in_one),
        Records::Organization => None,
    };
    let counted = scanned.bound.is_some_and(|bound| bound.counted);
    let whose = match records {
        Records::AllMailboxes => "in all mail",
        Records::Organization => "of the organization",
        Records::WorstMailbox => "in the mailbox that holds most",
    };
    // What is not known. An upper bound alone is no worse than this: it proves nobody.
    let unknown = model.impact.unknown_volume.max(model.impact.band(least));
    // Nobody's mail holds more people than the organization knows, unless the scan proves it.
    let ceiling = known.individuals.map(|declared| declared.max(least));
    match (bound, ceiling) {
        (Some(bound), ceiling) if ceiling.is_none_or(|ceiling| bound <= ceiling) => Count {
            individuals: Some(bound),
            level: model.impact.band(bound).min(unknown),
            grade: if counted { Grade::C } else { Grade::E },
            words: format!(
                "at least {} and at most {} individuals {whose}, {}",
                grouped(least),
                grouped(bound),
                if counted { "counted" } else { "in part as the scope states" }
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
