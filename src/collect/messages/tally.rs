//! Adds up what messages gave, by folder. Counts, kinds, days; and for telling people apart, keyed
//! hashes that live no longer than the scan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::detect::identifiers::Kind;
use super::detect::{Person, PersonKey};
use crate::clock::days_between;
use crate::evidence::content::ContentFolder;

/// Different identifiers kept for one folder; beyond this each person counts anew, so that the
/// upper bound stays one.
const KEYS: usize = 2_000_000;

/// What one message gave. It holds no text.
#[derive(Debug, Default)]
pub(super) struct MessageReading {
    pub(super) level: u8,
    pub(super) rule: String,
    pub(super) kinds: BTreeSet<&'static str>,
    pub(super) places: BTreeSet<&'static str>,
    pub(super) date: Option<Date>,
    pub(super) identifier: bool,
    pub(super) health: bool,
    /// Why parts of it, or all of it, were not looked into.
    pub(super) not_inspected: Vec<&'static str>,
    pub(super) people: Vec<Person>,
    /// Six bytes that stand for the Message-ID, where a key was given and there is one.
    pub(super) reference: Option<[u8; 6]>,
    /// The folder a label of the message names.
    pub(super) folder: Option<String>,
}

/// The counts of one folder while it is read.
#[derive(Debug, Default)]
pub(super) struct Tally {
    messages: u64,
    levels: BTreeMap<String, u64>,
    identifier_only: u64,
    health_only: u64,
    kinds: BTreeMap<String, u64>,
    places: BTreeMap<String, u64>,
    rules: BTreeMap<String, u64>,
    ages: BTreeMap<String, u64>,
    oldest: Option<Date>,
    newest: Option<Date>,
    not_inspected: BTreeMap<String, u64>,
    people: People,
}

impl Tally {
    /// Adds one message.
    pub(super) fn add(&mut self, reading: &MessageReading, today: Date) {
        self.messages += 1;
        let reasons: BTreeSet<&str> = reading.not_inspected.iter().copied().collect();
        for reason in reasons {
            *self.not_inspected.entry(reason.to_owned()).or_default() += 1;
        }
        let level = match reading.level {
            0 => None,
            1 => Some("low"),
            2 => Some("medium"),
            _ => Some("high"),
        };
        if let Some(level) = level {
            *self.levels.entry(level.to_owned()).or_default() += 1;
            *self.rules.entry(reading.rule.clone()).or_default() += 1;
        } else if reading.identifier {
            self.identifier_only += 1;
        } else if reading.health {
            self.health_only += 1;
        }
        if reading.level < 2 {
            return;
        }
        for kind in &reading.kinds {
            *self.kinds.entry((*kind).to_owned()).or_default() += 1;
        }
        for place in &reading.places {
            *self.places.entry((*place).to_owned()).or_default() += 1;
        }
        *self.ages.entry(age_band(reading.date, today).to_owned()).or_default() += 1;
        if let Some(date) = reading.date {
            self.oldest = Some(self.oldest.map_or(date, |oldest| oldest.min(date)));
            self.newest = Some(self.newest.map_or(date, |newest| newest.max(date)));
        }
        self.people.add(&reading.people);
    }

    /// The counts, for evidence.
    pub(super) fn finish(self, mailbox: &str, folder: &str) -> ContentFolder {
        let (individuals_lower, individuals_upper) = self.people.bounds();
        ContentFolder {
            mailbox: mailbox.to_owned(),
            folder: folder.to_owned(),
            messages: self.messages,
            levels: self.levels,
            identifier_only: self.identifier_only,
            health_only: self.health_only,
            kinds: self.kinds,
            places: self.places,
            rules: self.rules,
            ages: self.ages,
            oldest: self.oldest,
            newest: self.newest,
            individuals_lower,
            individuals_upper,
            not_inspected: self.not_inspected,
        }
    }
}

fn age_band(date: Option<Date>, today: Date) -> &'static str {
    let Some(date) = date else { return "undated" };
    let years = |years: i64| days_between(date, today) < years * 365 + years / 4;
    if years(1) {
        "under-1-year"
    } else if years(3) {
        "1-3-years"
    } else if years(6) {
        "3-6-years"
    } else {
        "over-6-years"
    }
}

/// How many people it is about. Identifiers that stood together are one person's; identifiers that
/// never met may be one person's or two's, which is what the bounds are for.
#[derive(Debug, Default)]
struct People {
    /// Each identifier's group; groups are joined by parent links.
    groups: HashMap<PersonKey, u32>,
    parents: Vec<u32>,
    /// Messages likely to hold PHI of somebody we could not tell from others, and people past the
    /// limit.
    unnamed: u64,
    messages: u64,
}

impl People {
    fn add(&mut self, people: &[Person]) {
        self.messages += 1;
        if people.is_empty() {
            self.unnamed += 1;
        }
        for person in people {
            if self.groups.len() >= KEYS {
                self.unnamed += 1;
                continue;
            }
            let mut joined: Option<u32> = None;
            for key in person {
                let group = match self.groups.get(key) {
                    Some(group) => self.root(*group),
                    None => {
                        let group = joined.unwrap_or_else(|| {
                            let next = u32::try_from(self.parents.len()).expect("keys are limited");
                            self.parents.push(next);
                            next
                        });
                        self.groups.insert(*key, group);
                        group
                    }
                };
                if let Some(earlier) = joined
                    && earlier != group
                {
                    self.parents[group.max(earlier) as usize] = group.min(earlier);
                    joined = Some(group.min(earlier));
                } else {
                    joined = Some(group);
                }
            }
        }
    }

    fn root(&mut self, group: u32) -> u32 {
        let mut at = group;
        while self.parents[at as usize] != at {
            let above = self.parents[at as usize];
            self.parents[at as usize] = self.parents[above as usize];
            at = above;
        }
        at
    }

    /// At least: the most different values of one kind that a person has one of. At most: the groups,
    /// and everybody we could not tell from others.
    fn bounds(&self) -> (u64, u64) {
        let groups = self.parents.iter().enumerate().filter(|(index, parent)| **parent as usize == *index).count();
        let upper = groups as u64 + self.unnamed;
        let of_kind = |kind: Kind| self.groups.keys().filter(|key| key.kind == kind).count() as u64;
        let single = [Kind::SocialSecurity, Kind::MedicareNumber, Kind::BirthDate, Kind::RecordNumber];
        let lower = single.into_iter().map(of_kind).max().unwrap_or(0).max(u64::from(self.messages > 0));
        (lower.min(upper), upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn key(kind: Kind, hash: u64) -> PersonKey {
        PersonKey { kind, hash }
    }

    #[test]
    fn identifiers_that_stood_together_are_one_person() {
        let mut people = People::default();
        people.add(&[vec![key(Kind::Name, 1), key(Kind::RecordNumber, 10)]]);
        people.add(&[vec![key(Kind::Name, 2), key(Kind::SocialSecurity, 20)]]);
        assert_eq!(people.bounds(), (1, 2));
        people.add(&[vec![key(Kind::RecordNumber, 10), key(Kind::SocialSecurity, 20)]]);
        assert_eq!(people.bounds(), (1, 1));
        people.add(&[]);
        assert_eq!(people.bounds(), (1, 2));
    }

    #[test]
    fn bands_of_age_follow_the_calendar() {
        let today = date(2026, 11, 21);
        assert_eq!(age_band(Some(date(2026, 1, 1)), today), "under-1-year");
        assert_eq!(age_band(Some(date(2025, 11, 21)), today), "1-3-years");
        assert_eq!(age_band(Some(date(2021, 1, 1)), today), "3-6-years");
        assert_eq!(age_band(Some(date(2019, 1, 1)), today), "over-6-years");
        assert_eq!(age_band(None, today), "undated");
    }
}
