//! The practice's own list of patients, held against the mail: how many of them does it speak of?
//!
//! The list is read, turned into keyed hashes in memory, and forgotten with the run: the key is made
//! for it and kept nowhere. No cell of it is shown, stored or quoted in an error.
//!
//! A patient is *found* where a record number of hers stands behind its label, or beside a word of her
//! name or her date of birth, or where her name stands beside her date of birth; a short number needs
//! more than one word of her name. Her name or her number alone make her *possible*: others are called
//! so, and a number may be of anything.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use jiff::civil::Date;

use super::detect::identifiers::{Identifier, Kind, Strength};
use super::detect::values;
use super::fold::Folded;
use crate::evidence::content::{RosterCount, RosterCounts};
use crate::sheet::{Row, SheetError, Table};

/// Letters within which a name, a number and a date are of one person.
const BESIDE: usize = 200;
/// Words that may stand between two words of a name.
const BETWEEN: usize = 2;
/// A number with fewer digits, as a house or a room has, is a record number only behind a label that the
/// detector reads, or beside the patient's whole name or date of birth.
const NUMBER_DIGITS: usize = 5;
/// The longest word or number that is looked at.
const WORD: usize = 40;

/// Names and numbers of one piece of text that are weighed; a list longer than that is one of many.
const EVENTS: usize = 50_000;

const NAME: [&str; 6] = ["name", "patient", "patient_name", "patients_name", "full_name", "nombre_completo"];
const GIVEN: [&str; 6] = ["first_name", "given_name", "given_names", "first", "forename", "nombre"];
const FAMILY: [&str; 7] = ["last_name", "family_name", "surname", "last", "apellido", "apellidos", "lastname"];
const BIRTH: [&str; 6] = ["birth_date", "date_of_birth", "dob", "birthdate", "birthday", "fecha_de_nacimiento"];
const RECORD: [&str; 9] = [
    "record_number",
    "mrn",
    "medical_record_number",
    "chart_number",
    "chart",
    "patient_id",
    "patient_number",
    "record",
    "expediente",
];

/// Patients as keyed hashes.
pub struct Roster {
    key: RandomState,
    patients: u32,
    rows_not_used: u64,
    /// Words of names.
    words: HashSet<u64>,
    /// Whether a word is one of a patient's name.
    words_of: HashSet<(u32, u64)>,
    /// A given and a family name, in either order.
    pairs: HashMap<u64, Vec<u32>>,
    births: HashSet<(u32, u64)>,
    records: HashMap<u64, Vec<u32>>,
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Roster(‹redacted›)")
    }
}

/// Why a list cannot be used. Nothing of its content is told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    #[error(
        "the first row names no column that can be used: it needs `record number`, or a name (`name`, or `first name` and `last name`) with `birth date`"
    )]
    Columns,
    #[error("no row names a patient with a record number, or with a name of two words")]
    Nobody,
    #[error("it cannot be read as a table: a roster is .csv in UTF-8 or .xlsx, of at most 20,000 rows a file")]
    Table,
}

/// Of one message: each patient it may speak of, and whether she was found.
pub(super) type Patients = BTreeMap<u32, bool>;

/// What the scan found of the list, by mailbox and over all.
pub(super) fn counts(roster: &Roster, by_mailbox: &BTreeMap<String, Patients>) -> RosterCounts {
    let mut all = Patients::new();
    for patients in by_mailbox.values() {
        join(&mut all, patients);
    }
    RosterCounts {
        patients: roster.patients(),
        rows_not_used: roster.rows_not_used(),
        all: counted(&all),
        mailboxes: by_mailbox.iter().map(|(mailbox, patients)| (mailbox.clone(), counted(patients))).collect(),
    }
}

/// Adds what one text gave to what is known.
pub(super) fn join(to: &mut Patients, from: &Patients) {
    for (patient, found) in from {
        *to.entry(*patient).or_default() |= found;
    }
}

/// Found, and possible besides.
pub(super) fn counted(patients: &Patients) -> RosterCount {
    let found = patients.values().filter(|found| **found).count() as u64;
    RosterCount { found, possible: patients.len() as u64 - found }
}

impl Roster {
    /// Reads files of one list; a practice with more patients than fit one file gives several.
    pub fn read<'f>(files: impl IntoIterator<Item = (&'f Path, &'f [u8])>, today: Date) -> Result<Self, RosterError> {
        let mut roster = Self {
            key: RandomState::new(),
            patients: 0,
            rows_not_used: 0,
            words: HashSet::new(),
            words_of: HashSet::new(),
            pairs: HashMap::new(),
            births: HashSet::new(),
            records: HashMap::new(),
        };
        for (path, bytes) in files {
            // The reader's own words could quote a cell.
            let table = Table::read(path, bytes).map_err(|_: SheetError| RosterError::Table)?;
            let columns = Columns::of(&table)?;
            for row in &table.rows {
                roster.add(&columns, &table, row, today);
            }
        }
        if roster.patients == 0 { Err(RosterError::Nobody) } else { Ok(roster) }
    }

    /// The patients of the list.
    pub fn patients(&self) -> u64 {
        u64::from(self.patients)
    }

    /// Rows that name nobody who could be found.
    pub fn rows_not_used(&self) -> u64 {
        self.rows_not_used
    }

    fn add(&mut self, columns: &Columns, table: &Table, row: &Row, today: Date) {
        let cell = |column: Option<&'static str>| {
            column.and_then(|column| table.text(row, column).ok()).filter(|text| text.len() <= 200).unwrap_or_default()
        };
        let name = names(cell(columns.name), cell(columns.given), cell(columns.family));
        let record: Vec<u8> = plain(cell(columns.record).as_bytes());
        let record =
            (record.len() >= 3 && record.len() <= WORD && record.iter().any(u8::is_ascii_digit)).then_some(record);
        if record.is_none() && name.is_none() {
            self.rows_not_used += 1;
            return;
        }
        // The same number on two rows is the same patient.
        let known = record.as_ref().and_then(|record| self.records.get(&self.hash(record))).and_then(|of| of.first());
        let patient = known.copied().unwrap_or(self.patients);
        self.patients = self.patients.max(patient + 1);
        if let Some(record) = record {
            let bare = record.iter().position(|byte| *byte != b'0').map_or(&record[..], |first| &record[first..]);
            for number in [&record[..], bare] {
                let of = self.records.entry(self.key.hash_one(number)).or_default();
                if !of.contains(&patient) {
                    of.push(patient);
                }
            }
        }
        if let Some((given, family)) = name {
            for family in &family {
                let of = self.pairs.entry(pair(self.hash(&given), self.hash(family))).or_default();
                if !of.contains(&patient) {
                    of.push(patient);
                }
            }
            for word in family.iter().chain([&given]) {
                let word = self.hash(word);
                self.words.insert(word);
                self.words_of.insert((patient, word));
            }
        }
        let (birth, _) = Folded::of(&[cell(columns.birth)]);
        let birth = birth.text().trim_ascii();
        if let Some((date, length)) = values::date(birth, today)
            && birth[length..].iter().all(|byte| matches!(byte, b' ' | b'0' | b':' | b'T'))
        {
            self.births.insert((patient, self.key.hash_one(date)));
        }
    }

    fn hash(&self, word: &[u8]) -> u64 {
        self.key.hash_one(word)
    }

    /// The patients that a folded text may speak of.
    pub(super) fn find(&self, text: &[u8], identifiers: &[Identifier], today: Date) -> Patients {
        let seen = self.seen(text);
        let mut patients = Patients::new();
        let born_near = |patient: u32, at: usize| {
            let from = at.saturating_sub(BESIDE);
            let until = (at + BESIDE).min(text.len());
            dates(text, from, until, today).any(|date| self.births.contains(&(patient, self.key.hash_one(date))))
        };
        for (at, patient) in &seen.names {
            let found = patients.get(patient) == Some(&true) || born_near(*patient, *at);
            *patients.entry(*patient).or_default() |= found;
        }
        for (at, patient, short) in &seen.numbers {
            if patients.get(patient) == Some(&true) {
                continue;
            }
            // Both lists are sorted by place.
            let after = identifiers.partition_point(|identifier| identifier.start <= *at);
            let labelled = identifiers[..after].iter().rev().take(4).any(|identifier| {
                identifier.kind == Kind::RecordNumber
                    && identifier.strength == Strength::Labelled
                    && (identifier.start..identifier.end).contains(at)
            });
            let beside = |place: usize| place.abs_diff(*at) <= BESIDE;
            let named = || {
                if *short {
                    let first = seen.names.partition_point(|(place, _)| place + BESIDE < *at);
                    let near = seen.names[first..].iter().take_while(|(place, _)| beside(*place));
                    return near.into_iter().any(|(_, named)| named == patient);
                }
                let first = seen.words.partition_point(|(place, _)| place + BESIDE < *at);
                let near = seen.words[first..].iter().take_while(|(place, _)| beside(*place));
                near.into_iter().any(|(_, word)| self.words_of.contains(&(*patient, *word)))
            };
            let found = labelled || named() || born_near(*patient, *at);
            if found || !short {
                *patients.entry(*patient).or_default() |= found;
            }
        }
        patients
    }

    fn seen(&self, text: &[u8]) -> Seen {
        let mut seen = Seen::default();
        let mut word_number = 0;
        let mut recent: Vec<(usize, u64)> = Vec::new();
        let mut at = 0;
        while at < text.len() && seen.names.len() + seen.numbers.len() < EVENTS {
            if !text[at].is_ascii_alphanumeric() {
                at += 1;
                continue;
            }
            let length = text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let token = &text[at..at + length];
            if token.iter().any(u8::is_ascii_digit) {
                self.number(text, at, length, &mut seen);
                recent.clear();
            } else if (2..=WORD).contains(&length) {
                word_number += 1;
                let word = self.hash(&plain(token));
                if self.words.contains(&word) {
                    recent.retain(|(number, _)| word_number - number <= BETWEEN + 1);
                    for (_, other) in &recent {
                        let named = self.pairs.get(&pair(word, *other)).into_iter().flatten();
                        seen.names.extend(named.map(|patient| (at, *patient)));
                    }
                    recent.push((word_number, word));
                    seen.words.push((at, word));
                }
            }
            at += length;
        }
        seen
    }

    /// Takes a token with a digit for a record number: as it is, without letters before it, and with
    /// the groups that hyphens join to it.
    fn number(&self, text: &[u8], at: usize, length: usize, seen: &mut Seen) {
        let token = &text[at..at + length];
        let letters = token.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let joined =
            text[at..].iter().take(WORD).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        let begins = at == 0 || text[at - 1] != b'-';
        for (number, grouped) in [(token, false), (&token[letters..], false), (&text[at..at + joined], true)] {
            if number.len() > WORD || (grouped && (joined == length || !begins)) {
                continue;
            }
            let number = plain(number);
            // A telephone number is written in groups too.
            let short = grouped || number.iter().filter(|byte| byte.is_ascii_digit()).count() < NUMBER_DIGITS;
            let of = self.records.get(&self.hash(&number)).into_iter().flatten();
            seen.numbers.extend(of.map(|patient| (at + if grouped { 0 } else { letters }, *patient, short)));
        }
    }
}

/// Where words of names and numbers of records stand.
#[derive(Default)]
struct Seen {
    words: Vec<(usize, u64)>,
    names: Vec<(usize, u32)>,
    /// The last says that it proves nothing alone.
    numbers: Vec<(usize, u32, bool)>,
}

/// Every date that begins between two places.
fn dates(text: &[u8], from: usize, until: usize, today: Date) -> impl Iterator<Item = Date> + '_ {
    (from..until)
        .filter_map(move |at| {
            let begins = at == 0 || !text[at - 1].is_ascii_alphanumeric();
            (begins && text[at].is_ascii_alphanumeric()).then(|| values::date(&text[at..], today)).flatten()
        })
        .map(|(date, _)| date)
}

/// Letters and digits in capitals.
fn plain(word: &[u8]) -> Vec<u8> {
    word.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase).collect()
}

fn pair(one: u64, other: u64) -> u64 {
    // Both are keyed; their order is not told.
    one.wrapping_add(other) ^ (one.min(other)).rotate_left(17)
}

/// The first given name, and the family name's words: of several the first and the last count.
fn names(whole: &str, given: &str, family: &str) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    const SUFFIXES: [&[u8]; 7] = [b"JR", b"SR", b"II", b"III", b"IV", b"MD", b"PHD"];
    let words = |text: &str| -> Vec<Vec<u8>> {
        let (folded, _) = Folded::of(&[text]);
        let words = folded.text().split(|byte| !byte.is_ascii_alphabetic()).map(plain);
        words.filter(|word| (2..=WORD).contains(&word.len()) && !SUFFIXES.contains(&word.as_slice())).collect()
    };
    let (given, mut family) = match whole.split_once(',') {
        _ if !given.is_empty() && !family.is_empty() => (words(given), words(family)),
        Some((family, given)) => (words(given), words(family)),
        None => {
            let mut all = words(whole);
            let family = all.split_off(all.len().min(1).max(all.len().saturating_sub(1)));
            (all, family)
        }
    };
    if family.len() > 2 {
        let last = family.pop()?;
        family.truncate(1);
        family.push(last);
    }
    (!family.is_empty()).then_some((given.into_iter().next()?, family))
}

/// The columns of a list, by the first name that is known.
struct Columns {
    name: Option<&'static str>,
    given: Option<&'static str>,
    family: Option<&'static str>,
    birth: Option<&'static str>,
    record: Option<&'static str>,
}

impl Columns {
    fn of(table: &Table) -> Result<Self, RosterError> {
        let first = |names: &[&'static str]| names.iter().copied().find(|name| table.has(name));
        let columns = Self {
            name: first(&NAME),
            given: first(&GIVEN),
            family: first(&FAMILY),
            birth: first(&BIRTH),
            record: first(&RECORD),
        };
        let named = columns.name.is_some() || (columns.given.is_some() && columns.family.is_some());
        if columns.record.is_none() && !(named && columns.birth.is_some()) {
            return Err(RosterError::Columns);
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 22);
    const LIST: &str = "Patient Name,DOB,MRN\n\"Quillonberg, Zorbalina M.\",03/14/1951,8837261\nOtto Vandermeer Jr,1970-01-02,0041271\nOtto Vandermeer,1999-09-09,4455661\n,,\nno,,xx\n";

    fn roster() -> Roster {
        Roster::read([(Path::new("r.csv"), LIST.as_bytes())], TODAY).unwrap()
    }

    fn found(text: &str) -> (u64, u64) {
        found_of(&roster(), text)
    }

    fn found_of(roster: &Roster, text: &str) -> (u64, u64) {
        let (folded, _) = Folded::of(&[text]);
        let marks = super::super::detect::words::WORDS.find(&folded);
        let identifiers = super::super::detect::identifiers::find(folded.text(), &marks, TODAY, &mut Vec::new());
        let count = counted(&roster.find(folded.text(), &identifiers, TODAY));
        (count.found, count.possible)
    }

    #[test]
    fn a_patient_is_found_by_what_belongs_to_her_alone() {
        assert_eq!(roster().patients(), 3);
        assert_eq!(roster().rows_not_used(), 1);
        for text in [
            "MRN 8837261",
            "MRN8837261 Zorbalina",
            "Zorbalina Quillonberg, born March 14, 1951",
            "QUILLONBERG ZORBALINA 03-14-51",
            "8837261 (Quillonberg)",
            "MRN: 41271",
        ] {
            assert_eq!(found(text), (1, 0), "{text}");
        }
        assert_eq!(found("Zorbalina Quillonberg"), (0, 1));
        assert_eq!(found("order 8837261"), (0, 1));
        // Two are called so; the date tells which.
        assert_eq!(found("Otto Vandermeer"), (0, 2));
        assert_eq!(found("Vandermeer, Otto 9/9/1999"), (1, 1));
        for text in [
            "room 4127",
            "Zorbalina only",
            "885-7261",
            "Quillonberg 01/01/1990",
            "8837262",
            "Zorbalina met one two three Quillonberg",
        ] {
            assert_eq!(found(text), (0, 0), "{text}");
        }
    }

    #[test]
    fn a_short_number_is_hers_only_beside_her_whole_name() {
        let list = "name,dob,mrn\nAda Main,1970-01-02,4127\nZorbalina Quillonberg,1951-03-14,88-41\n";
        let roster = Roster::read([(Path::new("r.csv"), list.as_bytes())], TODAY).unwrap();
        for text in ["4127 Main Street", "room 4127 was given to Ada", "Quillonberg 88-41", "4127"] {
            assert_eq!(found_of(&roster, text), (0, 0), "{text}");
        }
        for text in ["Ada Main (4127)", "4127, Main, Ada", "4127 born 1970-01-02", "Zorbalina Quillonberg 88-41"] {
            assert_eq!(found_of(&roster, text), (1, 0), "{text}");
        }
    }

    #[test]
    fn errors_and_debug_quote_no_cell() {
        for bytes in
            ["Zorbalina Quillonberg,1951-03-14\n", "name\nZorbalina Quillonberg\n", "mrn\n\"Zorba", "mrn\n\u{0}\n"]
        {
            let error = Roster::read([(Path::new("r.csv"), bytes.as_bytes())], TODAY).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("Zorba"), "{error}");
        }
        let broken = [0xff, 0xfe, b'Z'];
        assert_eq!(Roster::read([(Path::new("r.csv"), &broken[..])], TODAY).unwrap_err(), RosterError::Table);
        assert_eq!(Roster::read([(Path::new("r.xlsx"), &b"PK\x03\x04"[..])], TODAY).unwrap_err(), RosterError::Table);
        assert_eq!(format!("{:?}", roster()), "Roster(‹redacted›)");
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "\\PC{0,200}", more in "[0-9A-Za-z ,./-]{0,200}") {
            let _ = found(&text);
            let _ = found(&more);
        }
    }
}
