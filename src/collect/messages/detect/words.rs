//! The word lists by their first words: labels, terms of health, dampers. Given names and surnames, which count
//! only where a capital letter begins them, are sets beside them.
//!
//! The lists are data in `checks/phi/`. They are matched as whole words in folded text, the longest
//! of several that begin at one place. What the words mean together is not decided here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::LazyLock;

use foldhash::fast::FixedState;
use serde::Deserialize;

use crate::collect::messages::fold::Folded;

/// What a word or phrase can be. One may be several: "medicare" is a label and a word of care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Class {
    // Labels, as in `labels.yaml`.
    Ssn,
    Medicare,
    Hicn,
    Record,
    Plan,
    Case,
    Birth,
    Born,
    Card,
    Account,
    Provider,
    DiagnosisCode,
    Tracking,
    Person,
    Password,
    // Terms, as in `terms.yaml`.
    Act,
    Condition,
    Medicine,
    Test,
    Payment,
    Care,
    // Categories that other law protects more, as in `terms.yaml`.
    Genetic,
    Hiv,
    Minor,
    Psychotherapy,
    Reproductive,
    SubstanceUse,
    Sign,
    // Dampers, as in `dampers.yaml`.
    Employer,
    Loyalty,
    Absence,
    Animal,
    Sample,
    Notice,
    Bulletin,
    FirstPerson,
    Title,
    Professional,
    Credential,
    PlaceholderName,
}

/// A set of [`Class`]es.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes(u64);

impl Classes {
    pub(crate) const fn one(class: Class) -> Self {
        Self(1 << class as u8)
    }

    pub(crate) const fn and(self, class: Class) -> Self {
        Self(self.0 | 1 << class as u8)
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, class: Class) -> bool {
        self.0 & (1 << class as u8) != 0
    }

    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One word or phrase found. It says where and what it is, never the word itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) classes: Classes,
    /// Which entry of the lists it was, to count different ones.
    pub(crate) entry: u32,
}

/// What one walk over the words of a text finds.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The words of the lists, in order.
    pub(crate) hits: Vec<Hit>,
    /// Capital letters that no letter and no digit stands before.
    pub(crate) capitals: Vec<usize>,
    /// The first digit of each run of letters and digits that has one.
    pub(crate) digits: Vec<usize>,
}

impl Marks {
    /// Marks what stands in a word behind its first letters.
    fn after_letters(&mut self, text: &[u8], start: usize, end: usize) {
        let mut is_new = true;
        for at in start..end {
            if text[at] == b'\'' {
                is_new = true;
                self.capitals.extend(text.get(at + 1).filter(|next| next.is_ascii_uppercase()).map(|_| at + 1));
            } else if is_new && text[at].is_ascii_digit() {
                is_new = false;
                self.digits.push(at);
            }
        }
    }
}

/// Which words a list may hold, by their first eight characters and their length. Most words of a text are turned
/// away by one look at these 16 KiB.
struct Sieve(Box<[u64]>);

impl Sieve {
    /// The binary logarithm of how many rows of 64 bits there are.
    const ROWS: u32 = 11;

    /// Of words, each with the letter that the next one has to begin with, or 0.
    fn of<'w>(words: impl Iterator<Item = (&'w [u8], u8)>) -> Self {
        let mut rows = vec![0; 1 << Self::ROWS];
        for (word, next) in words {
            let (row, bit) = Self::place(first_eight(word), word.len());
            rows[row] |= bit.rotate_left(next.into());
        }
        Self(rows.into_boxed_slice())
    }

    /// Whether a word may be there, alone or before one that begins with `next`. `eight` may be more than the word,
    /// which is so long.
    fn may_hold(&self, eight: u64, length: usize, next: u8) -> bool {
        let (row, bit) = Self::place(eight, length);
        self.0[row] & (bit | bit.rotate_left(next.into())) != 0
    }

    /// The row of a word, and the bit that says that it may stand alone.
    fn place(eight: u64, length: usize) -> (usize, u64) {
        let hash = (eight & mask_of(length) ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((hash >> (64 - Self::ROWS)) as usize, 1_u64.rotate_left((hash >> 32) as u32))
    }
}

/// The bits of so many bytes of [`first_eight`].
fn mask_of(length: usize) -> u64 {
    if length < 8 { (1 << (8 * length)) - 1 } else { u64::MAX }
}

/// The first eight bytes, the first one lowest; zeros after the end.
fn first_eight(text: &[u8]) -> u64 {
    let padded = || {
        let mut eight = [0; 8];
        eight.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        eight
    };
    u64::from_le_bytes(text.first_chunk().copied().unwrap_or_else(padded))
}

/// An entry of which the first word may be there: dozens begin with one small word, and few of them go on as the text
/// does.
struct Begun {
    /// At most eight bytes after the first word and its space, as of [`first_eight`].
    next: u64,
    /// Which of the eight bytes there are.
    mask: u64,
    entry: u32,
}

/// The lists, ready to match.
pub(crate) struct Words {
    /// In the order of their words.
    entries: Vec<(Box<[u8]>, Classes)>,
    /// The first words of the entries, each with the letter that the second begins with.
    beginnings: Sieve,
    /// The entries by the first eight characters of their first word and its length; the longest first.
    beginning: HashMap<(u64, usize), Vec<Begun>, FixedState>,
    consumer_domains: Vec<String>,
    campaign_senders: Vec<String>,
}

/// Given names, in lower case.
static GIVEN_NAMES: LazyLock<WordSet> =
    LazyLock::new(|| words_of(include_str!("../../../../checks/phi/given-names.txt")));

/// Surnames, in lower case.
static SURNAMES: LazyLock<WordSet> = LazyLock::new(|| words_of(include_str!("../../../../checks/phi/surnames.txt")));

/// Words that stand with a capital letter without being names of people, in lower case.
static NO_NAMES: LazyLock<WordSet> = LazyLock::new(|| words_of(include_str!("../../../../checks/phi/no-names.txt")));

/// The words of a list. Its hashes have no secret: what is in the set is ours, and cannot be made to collide.
struct WordSet {
    sieve: Sieve,
    words: HashSet<&'static [u8], FixedState>,
}

fn words_of(list: &'static str) -> WordSet {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let words: HashSet<_, _> = lines.flat_map(str::split_ascii_whitespace).map(str::as_bytes).collect();
    WordSet { sieve: Sieve::of(words.iter().map(|word| (*word, 0))), words }
}

/// Whether a word stands in a set, whatever its case.
fn holds(set: &WordSet, word: &[u8]) -> bool {
    // Lower case of letters; an apostrophe and a hyphen stay what they are.
    const LOWER: u64 = u64::from_ne_bytes([b' '; 8]);
    // The longest word of the sets is shorter.
    let mut small = [0; 32];
    let Some(small) = small.get_mut(..word.len()) else { return false };
    set.sieve.may_hold(first_eight(word) | LOWER, word.len(), 0) && {
        small.copy_from_slice(word);
        small.make_ascii_lowercase();
        set.words.contains(&*small)
    }
}

/// Whether people are called so, whatever the case.
pub(crate) fn is_given_name(word: &[u8]) -> bool {
    word.len() >= 2 && holds(&GIVEN_NAMES, word)
}

/// Whether families are called so, whatever the case.
pub(crate) fn is_surname(word: &[u8]) -> bool {
    holds(&SURNAMES, word)
}

/// Whether this is an ordinary word, a place or a part of an organization's name.
pub(crate) fn is_no_name(word: &[u8]) -> bool {
    holds(&NO_NAMES, word)
}

/// The shipped lists.
pub(crate) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let lists = Lists::shipped().unwrap_or_else(|error| panic!("the shipped word lists are read in a test: {error}"));
    Words::of(lists)
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelFile {
    labels: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermFile {
    terms: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DamperFile {
    dampers: BTreeMap<String, Vec<String>>,
    consumer_domains: Vec<String>,
    campaign_senders: Vec<String>,
    placeholder_names: Vec<String>,
}

struct Lists {
    words: Vec<(Class, Vec<String>)>,
    consumer_domains: Vec<String>,
    campaign_senders: Vec<String>,
}

impl Lists {
    fn shipped() -> Result<Self, String> {
        fn read<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, String> {
            crate::yaml::read(Path::new(name), text).map_err(|error| error.to_string())
        }
        let labels: LabelFile = read("labels.yaml", include_str!("../../../../checks/phi/labels.yaml"))?;
        let terms: TermFile = read("terms.yaml", include_str!("../../../../checks/phi/terms.yaml"))?;
        let dampers: DamperFile = read("dampers.yaml", include_str!("../../../../checks/phi/dampers.yaml"))?;
        let mut words = Vec::new();
        for (name, list) in labels.labels.into_iter().chain(terms.terms).chain(dampers.dampers) {
            words.push((class_named(&name).ok_or_else(|| format!("no list is called `{name}`"))?, list));
        }
        words.push((Class::PlaceholderName, dampers.placeholder_names));
        let (consumer_domains, campaign_senders) = (dampers.consumer_domains, dampers.campaign_senders);
        Ok(Self { words, consumer_domains, campaign_senders })
    }
}

fn class_named(name: &str) -> Option<Class> {
    Some(match name {
        "ssn" => Class::Ssn,
        "medicare" => Class::Medicare,
        "hicn" => Class::Hicn,
        "record" => Class::Record,
        "plan" => Class::Plan,
        "case" => Class::Case,
        "birth" => Class::Birth,
        "born" => Class::Born,
        "card" => Class::Card,
        "account" => Class::Account,
        "provider" => Class::Provider,
        "diagnosis" => Class::DiagnosisCode,
        "tracking" => Class::Tracking,
        "person" => Class::Person,
        "password" => Class::Password,
        "act" => Class::Act,
        "condition" => Class::Condition,
        "medicine" => Class::Medicine,
        "test" => Class::Test,
        "payment" => Class::Payment,
        "care" => Class::Care,
        "genetic" => Class::Genetic,
        "hiv" => Class::Hiv,
        "minor" => Class::Minor,
        "psychotherapy" => Class::Psychotherapy,
        "reproductive" => Class::Reproductive,
        "substance-use" => Class::SubstanceUse,
        "sign" => Class::Sign,
        "employer" => Class::Employer,
        "loyalty" => Class::Loyalty,
        "absence" => Class::Absence,
        "animal" => Class::Animal,
        "sample" => Class::Sample,
        "notice" => Class::Notice,
        "bulletin" => Class::Bulletin,
        "first-person" => Class::FirstPerson,
        "title" => Class::Title,
        "professional" => Class::Professional,
        "credential" => Class::Credential,
        _ => return None,
    })
}

impl Words {
    fn of(lists: Lists) -> Self {
        let mut classes: BTreeMap<Vec<u8>, Classes> = BTreeMap::new();
        for (class, list) in lists.words {
            for word in list {
                let of = classes.entry(word.to_ascii_lowercase().into_bytes()).or_default();
                *of = of.and(class);
            }
        }
        let entries: Vec<(Box<[u8]>, Classes)> =
            classes.into_iter().map(|(entry, classes)| (entry.into_boxed_slice(), classes)).collect();
        let mut beginning: HashMap<(u64, usize), Vec<Begun>, FixedState> = HashMap::default();
        for (number, (entry, _)) in (0..).zip(&entries) {
            let (first, rest) = parted(entry);
            let begun = Begun { next: first_eight(rest), mask: mask_of(rest.len()), entry: number };
            beginning.entry((first_eight(first), first.len())).or_default().push(begun);
        }
        for begun in beginning.values_mut() {
            begun.sort_by_key(|begun| std::cmp::Reverse(entries[begun.entry as usize].0.len()));
        }
        let (consumer_domains, campaign_senders) = (lists.consumer_domains, lists.campaign_senders);
        let parts = entries.iter().map(|(entry, _)| parted(entry));
        let beginnings = Sieve::of(parts.map(|(first, rest)| (first, rest.first().copied().unwrap_or(0))));
        Self { entries, beginnings, beginning, consumer_domains, campaign_senders }
    }

    /// Walks over the words of folded text once. The hits do not overlap: a label that begins within another
    /// entry, as `patient id` does in `new patient id 4455`, ends that.
    pub(crate) fn find(&self, folded: &Folded) -> Marks {
        let (text, scan) = (folded.text(), folded.scan());
        let mut marks = Marks::default();
        // What stands after a label in the same word, a number, begins nothing.
        let mut labelled = 0;
        let mut at = 0;
        while at < scan.len() {
            if scan[at] == b' ' {
                at += 1;
                continue;
            }
            let eight = first_eight(&scan[at..]);
            let letters = match first_letters(eight) {
                8 => 8 + scan[at + 8..].iter().take_while(|byte| byte.is_ascii_lowercase()).count(),
                few => few,
            };
            let end = at + letters + first_word(&scan[at + letters..]).len();
            if text[at].is_ascii_uppercase() {
                marks.capitals.push(at);
            }
            marks.after_letters(text, at + letters, end);
            if at >= labelled
                && let Some(hit) = self.at(scan, at, eight, letters, end)
            {
                let is_label = hit.classes.meets(LABELS);
                let within = marks.hits.last_mut().filter(|last| at < last.end);
                if is_label {
                    within.into_iter().for_each(|last| last.end = at - 1);
                    labelled = hit.end + first_word(&scan[hit.end..]).len();
                    marks.hits.push(hit);
                } else if within.is_none() {
                    marks.hits.push(hit);
                }
            }
            at = end;
        }
        marks
    }

    /// The longest entry that begins with the word at `start..end`, which has these `eight` characters first and so
    /// many `letters` before another character.
    fn at(&self, scan: &[u8], start: usize, eight: u64, letters: usize, end: usize) -> Option<Hit> {
        let of = |length: usize| {
            let next = scan.get(start + length + 1).copied().unwrap_or(0);
            let eight = eight & mask_of(length);
            if self.beginnings.may_hold(eight, length, next) {
                self.beginning_with(scan, start, eight, length)
            } else {
                None
            }
        };
        let length = end - start;
        let whole = of(length);
        if whole.is_some() {
            return whole;
        }
        // In the plural, of somebody, or with its number: the entry is a part of the word.
        if matches!(scan[end - 1], b's' | b'\'') {
            let endings =
                [&b"'"[..], b"'s", b"s"].into_iter().filter_map(|ending| scan[start..end].strip_suffix(ending));
            let singular = endings.map(<[u8]>::len).find_map(of);
            if singular.is_some() {
                return singular;
            }
        }
        if 0 < letters && letters < length { of(letters) } else { None }
    }

    /// The longest entry that stands at `start`, whose first word is so long and begins with these `eight`.
    // Kept out of the walk: most words end at the sieve.
    #[inline(never)]
    fn beginning_with(&self, scan: &[u8], start: usize, eight: u64, length: usize) -> Option<Hit> {
        let begun = self.beginning.get(&(eight, length))?;
        let next = first_eight(scan.get(start + length + 1..).unwrap_or_default());
        begun.iter().filter(|begun| next & begun.mask == begun.next).find_map(|begun| {
            let (entry, classes) = &self.entries[begun.entry as usize];
            let is_whole = scan[start..].starts_with(entry);
            let end = is_whole.then(|| word_end(scan, start + entry.len(), *classes))??;
            Some(Hit { start, end, classes: *classes, entry: begun.entry })
        })
    }

    /// Whether addresses of this domain belong to people rather than organizations.
    pub(crate) fn is_consumer_domain(&self, domain: &str) -> bool {
        self.consumer_domains.iter().any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// Whether an address is one that writes to everybody at once.
    pub(crate) fn is_campaign_sender(&self, address: &str) -> bool {
        address
            .split_once('@')
            .is_some_and(|(local, _)| self.campaign_senders.iter().any(|known| known.eq_ignore_ascii_case(local)))
    }
}

/// The first word of an entry and what comes after it.
fn parted(entry: &[u8]) -> (&[u8], &[u8]) {
    let first = first_word(entry);
    (first, entry.get(first.len() + 1..).unwrap_or_default())
}

/// How many of the first eight characters of scanned text are letters, up to another one.
fn first_letters(eight: u64) -> usize {
    /// The bit that of all scanned bytes only letters have.
    const LETTER: u64 = u64::from_ne_bytes([0x40; 8]);
    ((!eight & LETTER).trailing_zeros() / 8) as usize
}

/// Up to the next space.
fn first_word(text: &[u8]) -> &[u8] {
    &text[..text.iter().position(|byte| *byte == b' ').unwrap_or(text.len())]
}

/// Where the word that an entry begins really ends, or `None` where it goes on to be another.
fn word_end(scan: &[u8], end: usize, classes: Classes) -> Option<usize> {
    let after = |at: usize| scan.get(at).copied().unwrap_or(b' ');
    match after(end) {
        b' ' => Some(end),
        b's' if after(end + 1) == b' ' => Some(end + 1),
        b'\'' if after(end + 1) == b's' && after(end + 2) == b' ' => Some(end + 2),
        b'\'' if after(end + 1) == b' ' => Some(end),
        // `MRN445566`, `DOB3/4/1962`.
        byte if byte.is_ascii_digit() && classes.meets(GLUED) => Some(end),
        _ => None,
    }
}

/// What stands before an identifier or a name and says what it is.
const LABELS: Classes = Classes::one(Class::Ssn)
    .and(Class::Medicare)
    .and(Class::Hicn)
    .and(Class::Record)
    .and(Class::Plan)
    .and(Class::Case)
    .and(Class::Birth)
    .and(Class::Born)
    .and(Class::Card)
    .and(Class::Account)
    .and(Class::Provider)
    .and(Class::DiagnosisCode)
    .and(Class::Tracking)
    .and(Class::Person);

/// Labels that people write without a space before the number.
const GLUED: Classes = Classes::one(Class::Record).and(Class::Ssn).and(Class::Birth).and(Class::Hicn);

#[cfg(test)]
mod tests {
    use super::*;

    fn classes_in(text: &str) -> Vec<Classes> {
        WORDS.find(&Folded::of(&[text]).0).hits.into_iter().map(|hit| hit.classes).collect()
    }

    /// A word of a category that were in no other list would hide a shorter one behind it.
    #[test]
    fn categories_only_mark_words_that_are_there_already() {
        let categories = Classes::one(Class::Genetic)
            .and(Class::Hiv)
            .and(Class::Minor)
            .and(Class::Psychotherapy)
            .and(Class::Reproductive)
            .and(Class::SubstanceUse);
        let marked: Vec<Classes> =
            WORDS.entries.iter().map(|(_, classes)| *classes).filter(|classes| classes.meets(categories)).collect();
        assert!(marked.len() > 20, "{}", marked.len());
        for classes in marked {
            assert_ne!(classes.0 & !categories.0, 0, "a word of a category alone");
        }
        assert!(classes_in("suboxone")[0].has(Class::SubstanceUse));
    }

    #[test]
    fn every_entry_is_found_where_it_stands() {
        for (entry, classes) in &WORDS.entries {
            let text = format!("xyz: {}, xyz", String::from_utf8(entry.to_vec()).unwrap());
            let hits = WORDS.find(&Folded::of(&[&text]).0).hits;
            assert!(hits.iter().any(|hit| hit.start == 6 && hit.classes == *classes), "{text}");
        }
    }

    #[test]
    fn only_whole_words_count() {
        assert!(classes_in("the mrna of a descriptor").is_empty());
        assert!(classes_in("MRN")[0].has(Class::Record));
        assert!(classes_in("mrn445566")[0].has(Class::Record));
    }

    #[test]
    fn words_side_by_side_share_their_space() {
        let found = classes_in("metformin, lisinopril\nbiopsies");
        assert_eq!(found.len(), 3);
        assert!(found[0].has(Class::Medicine) && found[2].has(Class::Act));
    }

    #[test]
    fn a_shorter_entry_is_found_where_a_longer_one_breaks_off() {
        // "date of birth" is an entry; here "dates of service" must not hide behind "dat…".
        let found = classes_in("prior authorized; diabetes insipidus; medical recordings");
        assert!(found.iter().any(|classes| classes.has(Class::Condition)), "{found:?}");
    }

    #[test]
    fn a_phrase_does_not_hide_the_label_that_begins_in_it() {
        for text in
            ["new patient id 4455661", "epic chart no 4455661", "denied by medicare id 2", "bill her insurance id 8"]
        {
            let found = WORDS.find(&Folded::of(&[text]).0).hits;
            let last = found.last().unwrap();
            assert!(last.classes.meets(LABELS), "{text}");
            assert!(found.windows(2).all(|pair| pair[0].end < pair[1].start), "{text}");
        }
    }

    #[test]
    fn a_phrase_may_run_over_a_line_end_and_punctuation() {
        assert!(classes_in("Date-of\nBirth")[0].has(Class::Birth));
        assert!(classes_in("D.O.B. 1")[0].has(Class::Birth));
    }
}
