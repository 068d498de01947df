//! Adds up what messages gave, by folder. Counts, kinds, days; and for telling people apart, keyed
//! hashes that live no longer than the scan.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use super::detect::identifiers::Kind;
use super::detect::{Person, PersonKey};
use super::protection::Protections;
use crate::clock::days_between;
use crate::evidence::content::{ContentFolder, Individuals};

/// Different identifiers kept for one folder; beyond this each person counts anew, so that the
/// upper bound stays one.
const KEYS: usize = 2_000_000;
/// The same for the messages of the last year, which are counted a second time.
const RECENT_KEYS: usize = 500_000;

/// A message that identifies so many people is a list of them.
const MANY_INDIVIDUALS: usize = 10;
pub(super) const MANY_INDIVIDUALS_WORD: &str = "many-individuals";

/// What one message gave. It holds no text.
#[derive(Debug, Default)]
pub(super) struct MessageReading {
    pub(super) level: u8,
    pub(super) rule: String,
    pub(super) kinds: BTreeSet<&'static str>,
    pub(super) places: BTreeSet<&'static str>,
    /// What stands out about how it was sent, as [`ContentFolder::sendings`] names it.
    pub(super) sendings: BTreeSet<&'static str>,
    /// How its attachments are protected, as [`ContentFolder::protected`] names it.
    pub(super) protected: Protections,
    /// It states a password.
    pub(super) password: bool,
    /// What its thread and its day with these people are known by.
    pub(super) threads: Vec<u64>,
    pub(super) date: Option<Date>,
    pub(super) identifier: bool,
    pub(super) health: bool,
    /// Why parts of it, or all of it, were not looked into.
    pub(super) not_inspected: Vec<&'static str>,
    /// Not even its header was read: it may be anybody's.
    pub(super) header_unread: bool,
    pub(super) people: Vec<Person>,
    /// Six bytes that stand for the Message-ID, where a key was given and there is one.
    pub(super) reference: Option<super::MessageReference>,
    /// The folder a label of the message names.
    pub(super) folder: Option<String>,
    /// The patients of the list that it speaks of.
    pub(super) patients: super::roster::Patients,
    /// How a message of a partner arrived.
    pub(super) incoming: Option<super::incoming::Incoming>,
    /// Where the message is to be explained: what each piece of it gave.
    pub(super) pieces: Vec<super::explain::ExplainedPiece>,
}

impl MessageReading {
    /// A message of which nothing was read.
    pub(super) fn unread(why: &'static str) -> Self {
        Self { not_inspected: vec![why], header_unread: true, ..Self::default() }
    }
}

/// The counts of one folder while it is read.
#[derive(Debug)]
pub(super) struct Tally {
    messages: u64,
    levels: BTreeMap<String, u64>,
    identifier_only: u64,
    health_only: u64,
    kinds: BTreeMap<String, u64>,
    places: BTreeMap<String, u64>,
    sendings: BTreeMap<String, u64>,
    protected: BTreeMap<String, u64>,
    passwords: Passwords,
    rules: BTreeMap<String, u64>,
    ages: BTreeMap<String, u64>,
    /// Of messages likely to hold PHI.
    days: Days,
    /// Of all messages.
    all_days: Days,
    /// Messages of all without a date to believe.
    undated: u64,
    not_inspected: BTreeMap<String, u64>,
    /// Messages with any of these reasons.
    uninspected: u64,
    people: People,
    /// Those of messages under a year old, and of those without a date to believe.
    recent: People,
    patients: super::roster::Patients,
}

/// The first and the last of some days.
#[derive(Clone, Copy, Debug, Default)]
struct Days {
    oldest: Option<Date>,
    newest: Option<Date>,
}

impl Days {
    fn add(&mut self, date: Date) {
        self.oldest = Some(self.oldest.map_or(date, |oldest| oldest.min(date)));
        self.newest = Some(self.newest.map_or(date, |newest| newest.max(date)));
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            messages: 0,
            levels: BTreeMap::new(),
            identifier_only: 0,
            health_only: 0,
            kinds: BTreeMap::new(),
            places: BTreeMap::new(),
            sendings: BTreeMap::new(),
            protected: BTreeMap::new(),
            passwords: Passwords::default(),
            rules: BTreeMap::new(),
            ages: BTreeMap::new(),
            days: Days::default(),
            all_days: Days::default(),
            undated: 0,
            not_inspected: BTreeMap::new(),
            uninspected: 0,
            people: People::keeping(KEYS),
            recent: People::keeping(RECENT_KEYS),
            patients: super::roster::Patients::new(),
        }
    }
}

impl Tally {
    /// Adds one message.
    pub(super) fn add(&mut self, reading: &MessageReading, today: Date) {
        self.messages += 1;
        match reading.date {
            Some(date) => self.all_days.add(date),
            None => self.undated += 1,
        }
        super::roster::join(&mut self.patients, &reading.patients);
        let reasons: BTreeSet<&str> = reading.not_inspected.iter().copied().collect();
        self.uninspected += u64::from(!reasons.is_empty());
        for reason in reasons {
            *self.not_inspected.entry(reason.to_owned()).or_default() += 1;
        }
        for protection in &reading.protected {
            *self.protected.entry(protection.to_string()).or_default() += 1;
        }
        self.passwords.add(reading);
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
        for sending in &reading.sendings {
            *self.sendings.entry((*sending).to_owned()).or_default() += 1;
        }
        if identifies_many(&reading.people) {
            *self.sendings.entry(MANY_INDIVIDUALS_WORD.to_owned()).or_default() += 1;
        }
        let age = age_band(reading.date, today);
        *self.ages.entry(age.to_owned()).or_default() += 1;
        if matches!(age, UNDER_A_YEAR | UNDATED) {
            self.recent.add(&reading.people);
        }
        reading.date.into_iter().for_each(|date| self.days.add(date));
        self.people.add(&reading.people);
    }

    /// Counts messages that are in the folder and were not found.
    pub(super) fn lose(&mut self, why: &str, messages: u64) {
        self.messages += messages;
        self.undated += messages;
        self.uninspected += messages;
        *self.not_inspected.entry(why.to_owned()).or_default() += messages;
    }

    /// The counts, for evidence.
    pub(super) fn finish(self, mailbox: &str, folder: &str) -> ContentFolder {
        let (individuals_lower, individuals_upper) = self.people.bounds();
        let (lower, upper) = self.recent.bounds();
        // A message without a date may be any age: it proves nobody to be left.
        let lower = if self.ages.contains_key(UNDATED) { 0 } else { lower };
        let mut sendings = self.sendings;
        for told in super::sending::TOLD {
            sendings.entry(told.to_owned()).or_default();
        }
        let within_a_year = Individuals { lower: lower.min(individuals_lower), upper: upper.min(individuals_upper) };
        ContentFolder {
            mailbox: mailbox.to_owned(),
            folder: folder.to_owned(),
            messages: self.messages,
            levels: self.levels,
            identifier_only: self.identifier_only,
            health_only: self.health_only,
            kinds: self.kinds,
            places: self.places,
            sendings,
            protected: self.protected,
            passwords_beside: self.passwords.beside(),
            rules: self.rules,
            ages: self.ages,
            oldest: self.days.oldest,
            newest: self.days.newest,
            oldest_message: self.all_days.oldest,
            newest_message: self.all_days.newest,
            undated_messages: Some(self.undated),
            individuals_lower,
            individuals_upper,
            within_a_year: Some(within_a_year),
            roster: Some(super::roster::counted(&self.patients)),
            // The scan knows what of the mailbox was left out.
            sampled: false,
            not_inspected: self.not_inspected,
            not_inspected_messages: Some(self.uninspected),
        }
    }
}

const UNDATED: &str = "undated";
const UNDER_A_YEAR: &str = "under-1-year";

fn age_band(date: Option<Date>, today: Date) -> &'static str {
    let Some(date) = date else { return UNDATED };
    let years = |years: i64| days_between(date, today) < years * 365 + years / 4;
    if years(1) {
        UNDER_A_YEAR
    } else if years(3) {
        "1-3-years"
    } else if years(6) {
        "3-6-years"
    } else {
        "over-6-years"
    }
}

/// Whether a message is about many, though each of its parts names them anew.
fn identifies_many(people: &[Person]) -> bool {
    people.len() >= MANY_INDIVIDUALS && {
        let mut different = People::keeping(KEYS);
        different.add(people);
        different.bounds().0 >= MANY_INDIVIDUALS as u64
    }
}

/// Which messages with a protected attachment have their password beside it; of many, at least.
#[derive(Debug, Default)]
struct Passwords {
    sealed: Vec<Sealed>,
    /// The threads in which a password is stated.
    stated: HashSet<u64>,
}

/// A message with an attachment that needs a password.
#[derive(Debug)]
struct Sealed {
    /// Whether it surely does.
    is_sure: bool,
    states_one: bool,
    threads: Vec<u64>,
}

impl Passwords {
    const MOST: usize = 200_000;

    fn add(&mut self, reading: &MessageReading) {
        if reading.password && self.stated.len() < Self::MOST {
            self.stated.extend(&reading.threads);
        }
        let takes = |answer| reading.protected.iter().any(|protection| protection.takes_a_password() == answer);
        let is_sure = takes(Some(true));
        if (is_sure || takes(None)) && self.sealed.len() < Self::MOST {
            self.sealed.push(Sealed { is_sure, states_one: reading.password, threads: reading.threads.clone() });
        }
    }

    /// `None` where passwords stand only beside archives that do not show whether they need one.
    fn beside(&self) -> Option<u64> {
        let is_beside =
            |sealed: &&Sealed| sealed.states_one || sealed.threads.iter().any(|thread| self.stated.contains(thread));
        let (sure, unsure): (Vec<_>, Vec<_>) = self.sealed.iter().filter(is_beside).partition(|sealed| sealed.is_sure);
        (!sure.is_empty() || unsure.is_empty()).then_some(sure.len() as u64)
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
    limit: usize,
}

impl People {
    fn keeping(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    fn add(&mut self, people: &[Person]) {
        self.messages += 1;
        if people.is_empty() {
            self.unnamed += 1;
        }
        for person in people {
            if self.groups.len() >= self.limit {
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
    use crate::collect::messages::protection::{Cipher, Protection};
    use jiff::civil::date;

    fn key(kind: Kind, hash: u64) -> PersonKey {
        PersonKey { kind, hash }
    }

    #[test]
    fn identifiers_that_stood_together_are_one_person() {
        let mut people = People::keeping(KEYS);
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

    #[test]
    fn a_password_beside_what_it_opens_is_counted_whichever_comes_first() {
        let today = date(2026, 11, 21);
        let sealed = |thread| MessageReading {
            protected: Protections::from([Protection::Zip(Cipher::ZipCrypto)]),
            threads: vec![thread],
            ..MessageReading::default()
        };
        let mut tally = Tally::default();
        for thread in [1, 2, 3] {
            tally.add(&sealed(thread), today);
        }
        tally.add(&MessageReading { password: true, threads: vec![1, 7], ..MessageReading::default() }, today);
        tally.add(&MessageReading { password: true, ..sealed(8) }, today);
        tally.add(&MessageReading { threads: vec![2], ..MessageReading::default() }, today);
        let to_a_key = [Protection::Smime(Cipher::Aes256), Protection::OpenPgp(Cipher::Unknown)];
        tally.add(&MessageReading { protected: to_a_key.into(), password: true, ..sealed(9) }, today);
        // By a passphrase as well, in a message that says of itself nothing else.
        let by_both = Protections::from([Protection::OpenPgpPassphrase(Cipher::Unknown)]);
        tally.add(&MessageReading { protected: by_both, password: true, ..MessageReading::default() }, today);
        let folder = tally.finish("desk", "Inbox");
        assert_eq!((folder.protected["zip-zipcrypto"], folder.passwords_beside), (4, Some(3)));
    }

    #[test]
    fn a_password_beside_an_archive_that_was_not_read_may_open_it() {
        let today = date(2026, 11, 21);
        let beside = |protections: &[Protection], password| {
            let protected = protections.iter().copied().collect();
            let mut tally = Tally::default();
            tally.add(&MessageReading { protected, password, ..MessageReading::default() }, today);
            tally.finish("desk", "Inbox").passwords_beside
        };
        for unread in [Protection::RarUnread, Protection::SevenZipUnread] {
            assert_eq!(beside(&[unread], true), None);
            assert_eq!(beside(&[unread], false), Some(0));
            assert_eq!(beside(&[unread, Protection::Zip(Cipher::Aes256)], true), Some(1));
            assert_eq!(beside(&[unread, Protection::Smime(Cipher::Aes256)], true), None);
        }
    }

    #[test]
    fn a_message_with_several_reasons_is_one_message() {
        let today = date(2026, 11, 21);
        let mut tally = Tally::default();
        let reading = |not_inspected| MessageReading { not_inspected, ..MessageReading::default() };
        tally.add(&reading(vec!["image", "encrypted", "image", "archive"]), today);
        tally.add(&reading(vec![]), today);
        tally.lose("unreadable", 2);
        let folder = tally.finish("desk", "Inbox");
        assert_eq!((folder.messages, folder.not_inspected_messages), (4, Some(3)));
        assert_eq!(folder.not_inspected.len(), 4);
    }

    #[test]
    fn days_of_all_messages_are_told_apart_from_those_with_phi() {
        let today = date(2026, 11, 21);
        let reading = |level, date| MessageReading { level, date, ..MessageReading::default() };
        let mut tally = Tally::default();
        for (level, date) in [
            (3, Some(date(2021, 5, 1))),
            (2, Some(date(2020, 5, 1))),
            (1, Some(date(2025, 1, 1))),
            (0, Some(date(2011, 1, 1))),
            (0, None),
        ] {
            tally.add(&reading(level, date), today);
        }
        tally.lose("not-in-file", 3);
        let folder = tally.finish("desk", "Inbox");
        assert_eq!((folder.oldest, folder.newest), (Some(date(2020, 5, 1)), Some(date(2021, 5, 1))));
        assert_eq!((folder.oldest_message, folder.newest_message), (Some(date(2011, 1, 1)), Some(date(2025, 1, 1))));
        assert_eq!(folder.undated_messages, Some(4));
    }

    #[test]
    fn a_year_of_mail_names_fewer_people_than_all_of_it() {
        let today = date(2026, 11, 21);
        let reading = |number: u64, date| MessageReading {
            level: 3,
            date,
            people: vec![vec![key(Kind::RecordNumber, number)]],
            ..MessageReading::default()
        };
        let mut tally = Tally::default();
        for number in 0..5 {
            tally.add(&reading(number, Some(date(2026, 10, 1))), today);
        }
        for number in 3..40 {
            tally.add(&reading(number, Some(date(2019, 1, 1))), today);
        }
        let folder = tally.finish("desk", "Inbox");
        assert_eq!((folder.individuals_lower, folder.individuals_upper), (40, 40));
        assert_eq!(folder.within_a_year, Some(Individuals { lower: 5, upper: 5 }));
        let mut undated = Tally::default();
        undated.add(&reading(1, None), today);
        let folder = undated.finish("desk", "Inbox");
        assert_eq!(folder.within_a_year, Some(Individuals { lower: 0, upper: 1 }));
    }
}
