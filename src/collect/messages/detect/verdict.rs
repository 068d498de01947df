//! Joins what was found in one segment into a level, with the rules that gave it.
//!
//! An identifier alone is not health information of somebody, and a word of health alone identifies
//! nobody: only together, and near each other, do they weigh. Levels: 3 a labelled identifier beside
//! health; 2 one elsewhere in the segment, or weaker evidence of both; 1 a name and health, worth a
//! look; 0 otherwise.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::Date;

use super::Found;
use super::identifiers::{Identifier, Kind, Strength};
use super::names::Name;
use super::passwords;
use super::people::{self, Person};
use super::words::{Class, Classes, Hit};

/// What is known of the message around the segment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Circumstances<'h> {
    /// List-Id, List-Unsubscribe, Precedence: bulk, or a junk folder.
    pub(crate) bulk: bool,
    /// The sender is called as those who write to everybody at once.
    pub(crate) campaign: bool,
    /// The sender writes from an address of a person rather than an organization.
    pub(crate) personal_sender: bool,
    /// The sender is called like a person and writes from outside.
    pub(crate) outside_person: bool,
    /// The message goes to one person outside.
    pub(crate) to_outside_person: bool,
    /// The words of the name of each who writes or reads for the office, in lower case.
    pub(crate) correspondents: &'h [Vec<Vec<u8>>],
}

/// What one segment gave. It holds no text.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) level: u8,
    /// The rule that gave the level: `social-security-labelled+act-near`.
    pub(crate) rule: String,
    /// Kinds of identifiers and classes of terms.
    pub(crate) kinds: BTreeSet<&'static str>,
    /// Where the deciding evidence stands.
    pub(crate) at: usize,
    /// A labelled identifier is here, health or not.
    pub(crate) identifier: bool,
    /// Words of health are here, of somebody or not.
    pub(crate) health: bool,
    /// Something done for one person's health is here.
    pub(crate) act: bool,
    /// A password is stated here.
    pub(crate) password: bool,
    /// A labelled identifier that no damper explains.
    pub(crate) undamped_identifier: bool,
    pub(crate) people: People,
}

/// Places of the people of a segment, until they are hashed.
#[derive(Debug, Default)]
pub(crate) struct People {
    identifiers: Vec<Identifier>,
    names: Vec<Name>,
}

impl Reading {
    /// The people of this segment as keyed hashes; `text` is the text that was read.
    pub(crate) fn people(&self, text: &[u8], key: &[u8; 32]) -> Vec<Person> {
        people::group(text, &self.people.identifiers, &self.people.names, key)
    }
}

/// The kind of messages about people under 18.
const MINORS: &str = "sensitive-minors";
/// Characters within which two things are beside each other.
const NEAR: usize = 300;
/// Characters within which a name and a date or an act make one statement.
const STATEMENT: usize = 150;

const ACT: Classes = Classes::one(Class::Act);
const TOPIC: Classes = Classes::one(Class::Condition).and(Class::Medicine).and(Class::Test);
/// Words of somebody's health, everyday signs aside.
pub(super) const STRONG: Classes = ACT.and(Class::Condition).and(Class::Medicine).and(Class::Test);
const SETTING: Classes = Classes::one(Class::Care).and(Class::Payment).and(Class::Act).and(Class::Condition);

/// The verdict on a segment.
pub(super) fn of(
    text: &[u8],
    scan: &[u8],
    found: &mut Found,
    circumstances: &Circumstances<'_>,
    today: Date,
) -> Reading {
    silence_notices(text, &mut found.hits);
    let weights = Weights::of(&found.hits, &found.codes, &found.names, circumstances);
    let mut best = Candidate::default();
    for identifier in &found.identifiers {
        best = best.max(judge(*identifier, &weights, circumstances));
    }
    best = best.max(statement(text, found, &weights, circumstances));
    best = best.max(first_person(text, scan, &weights, circumstances));
    best = best.max(addressed(text, scan, &weights, circumstances));
    best = best.max(rows(text, found, &weights, circumstances));
    if weights.count(Class::Animal) >= 2 {
        best.level = 0;
    }
    if best.level >= 1 && !found.lone.is_empty() {
        let others = others(text, found, &weights, circumstances);
        found.names.extend(others);
        found.names.sort_by_key(|name| name.start);
    }
    let labelled = |identifier: &&Identifier| identifier.strength == Strength::Labelled;
    let mut kinds = BTreeSet::new();
    if best.level >= 1 {
        kinds.extend(found.identifiers.iter().filter(labelled).map(|identifier| identifier.kind.as_str()));
        kinds.extend(weights.kinds());
        if found.identifiers.iter().any(|identifier| is_of_a_minor(text, *identifier, today)) {
            kinds.insert(MINORS);
        }
        if !found.names.is_empty() {
            kinds.insert(Kind::Name.as_str());
        }
        if best.level >= 2 {
            kinds.extend(found.identifiers.iter().map(|identifier| identifier.kind.as_str()));
        }
    }
    let identifier = found.identifiers.iter().any(|identifier| {
        !identifier.needs_setting
            && !matches!(identifier.kind, Kind::BirthDate)
            && (identifier.strength == Strength::Labelled || identifier.kind == Kind::SocialSecurity)
    });
    let labelled_identifier = found
        .identifiers
        .iter()
        .any(|identifier| labelled(&identifier) && !identifier.needs_setting && identifier.kind != Kind::BirthDate);
    let people = if best.level >= 1 {
        People { identifiers: std::mem::take(&mut found.identifiers), names: std::mem::take(&mut found.names) }
    } else {
        People::default()
    };
    Reading {
        level: best.level,
        rule: best.rule.concat(),
        kinds,
        at: best.at,
        identifier,
        health: weights.health(),
        act: weights.classes.meets(ACT),
        password: passwords::is_stated(text, &found.hits),
        undamped_identifier: labelled_identifier
            && weights.count(Class::Employer) == 0
            && weights.count(Class::Sample) == 0
            && weights.count(Class::Animal) < 2,
        people,
    }
}

/// Whether this is the birth date of somebody who is under 18.
fn is_of_a_minor(text: &[u8], identifier: Identifier, today: Date) -> bool {
    let date = || super::values::date(&text[identifier.start..identifier.end], today);
    let years_ago = |years: i16| today.checked_sub(years.years()).expect("eighteen years ago is a day");
    identifier.kind == Kind::BirthDate && date().is_some_and(|(born, _)| born > years_ago(18))
}

/// Names of one word beside health that are no word of a whole name: each may be somebody else.
fn others(text: &[u8], found: &Found, weights: &Weights<'_>, circumstances: &Circumstances<'_>) -> Vec<Name> {
    let words = |name: &Name| text[name.start..name.end].split(|byte| !byte.is_ascii_alphabetic());
    let known: BTreeSet<Vec<u8>> = found.names.iter().flat_map(words).map(<[u8]>::to_ascii_lowercase).collect();
    let is_other = |name: &&Name| {
        different_near(&weights.strong, name.start, name.end, NEAR) > 0
            && !known.contains(&text[name.start..name.end].to_ascii_lowercase())
            && !is_correspondent(text, **name, circumstances)
    };
    found.lone.iter().filter(is_other).copied().collect()
}

/// One reason for a level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Candidate {
    level: u8,
    /// The parts of the rule's id.
    rule: [&'static str; 3],
    at: usize,
}

impl Candidate {
    /// The higher level; the earlier of equals.
    fn max(self, other: Self) -> Self {
        if other.level > self.level { other } else { self }
    }
}

/// The terms and dampers of a segment.
struct Weights<'f> {
    hits: &'f [Hit],
    codes: &'f [usize],
    names: Vec<usize>,
    /// Words of health by place, with their entry in the lists.
    strong: Vec<(usize, u32)>,
    /// Everyday words of the body and of complaints.
    signs: Vec<(usize, u32)>,
    /// Different entries by class.
    different: [usize; 40],
    classes: Classes,
}

impl<'f> Weights<'f> {
    fn of(hits: &'f [Hit], codes: &'f [usize], names: &[Name], circumstances: &Circumstances<'_>) -> Self {
        let listed = |classes: Classes| -> Vec<(usize, u32)> {
            hits.iter().filter(|hit| hit.classes.meets(classes)).map(|hit| (hit.start, hit.entry)).collect()
        };
        let mut strong = listed(STRONG);
        strong.extend(codes.iter().map(|place| (*place, u32::MAX)));
        strong.sort_unstable();
        let mut different = [0; 40];
        let mut entries: Vec<(u32, Classes)> = hits.iter().map(|hit| (hit.entry, hit.classes)).collect();
        // Of an entry that stands at several places the first counts, as a notice may silence the others.
        entries.sort_by_key(|(entry, _)| *entry);
        entries.dedup_by_key(|(entry, _)| *entry);
        for (_, classes) in entries {
            for class in COUNTED {
                different[class as usize] += usize::from(classes.has(class));
            }
        }
        different[Class::Bulletin as usize] += usize::from(circumstances.campaign);
        Self {
            hits,
            codes,
            names: names.iter().map(|name| name.start).collect(),
            strong,
            signs: listed(Classes::one(Class::Sign)),
            different,
            classes: hits.iter().fold(Classes::default(), |all, hit| all.with(hit.classes)),
        }
    }

    fn count(&self, class: Class) -> usize {
        self.different[class as usize]
    }

    fn health(&self) -> bool {
        self.classes.meets(STRONG) || !self.codes.is_empty()
    }

    fn is_sample(&self) -> bool {
        self.classes.has(Class::Sample)
    }

    /// What the words are that begin in these bytes.
    fn within(&self, bytes: Range<usize>) -> Classes {
        let first = self.hits.partition_point(|hit| hit.start < bytes.start);
        let hits = self.hits[first..].iter().take_while(|hit| hit.start < bytes.end);
        hits.fold(Classes::default(), |all, hit| all.with(hit.classes))
    }

    /// What the words beside `at` are.
    fn beside(&self, at: usize) -> Classes {
        self.within(at.saturating_sub(NEAR)..at + NEAR + 1)
    }

    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let named = [
            (Class::Act, "clinical-act"),
            (Class::Condition, "condition"),
            (Class::Medicine, "medicine"),
            (Class::Test, "test"),
            (Class::Payment, "payment"),
            (Class::Genetic, "sensitive-genetic"),
            (Class::Hiv, "sensitive-hiv"),
            (Class::Minor, MINORS),
            (Class::Psychotherapy, "sensitive-psychotherapy"),
            (Class::Reproductive, "sensitive-reproductive"),
            (Class::SubstanceUse, "sensitive-substance-use"),
        ];
        named.into_iter().filter(|(class, _)| self.classes.has(*class)).map(|(_, name)| name)
    }
}

/// The classes whose different entries are counted.
const COUNTED: [Class; 15] = [
    Class::Absence,
    Class::Act,
    Class::Animal,
    Class::Bulletin,
    Class::Care,
    Class::Condition,
    Class::Employer,
    Class::FirstPerson,
    Class::Loyalty,
    Class::Medicine,
    Class::Notice,
    Class::Payment,
    Class::Sample,
    Class::Sign,
    Class::Test,
];

/// Whether one of the sorted `places` lies within `reach` of `at`.
fn near(places: &[usize], at: usize, reach: usize) -> bool {
    let next = places.partition_point(|place| *place < at);
    places.get(next).is_some_and(|place| place - at <= reach)
        || next.checked_sub(1).is_some_and(|before| at - places[before] <= reach)
}

/// What one identifier and the health around it make.
fn judge(identifier: Identifier, weights: &Weights<'_>, circumstances: &Circumstances<'_>) -> Candidate {
    let at = identifier.start;
    let beside = weights.beside(at);
    if beside.has(Class::Sample) {
        return Candidate::default();
    }
    let act = beside.meets(ACT);
    // One code may be a room; a labelled one was let through, two are no accident.
    let topic = beside.meets(TOPIC) || near(weights.codes, at, NEAR);
    let payment = beside.has(Class::Payment);
    let setting = beside.meets(SETTING);
    let named = near(&weights.names, at, NEAR);
    let patient = beside.has(Class::Person);
    if identifier.needs_setting && (!setting || (beside.has(Class::Loyalty) && !topic)) {
        return Candidate::default();
    }
    let (mut level, reason): (u8, &str) = match (identifier.strength, identifier.kind) {
        (_, Kind::Account | Kind::Card) => {
            if act && (patient || topic) {
                (2, "act-near")
            } else {
                (0, "")
            }
        }
        (_, Kind::Name) => (0, ""),
        (Strength::Labelled, kind) => {
            if topic {
                (3, "topic-near")
            } else if act {
                (3, "act-near")
            } else if payment && kind != Kind::SocialSecurity {
                (3, "payment-near")
            } else if payment {
                (2, "payment-near")
            } else if weights.health() {
                (2, "health-in-segment")
            } else if matches!(kind, Kind::RecordNumber | Kind::MedicareNumber) {
                // The number itself says that somebody is a patient or a beneficiary.
                (2, "itself")
            } else if patient && (kind != Kind::PlanNumber || named) {
                (2, "patient-near")
            } else if setting && named && matches!(kind, Kind::BirthDate | Kind::PlanNumber) {
                (2, "name-and-setting")
            } else {
                (0, "")
            }
        }
        (Strength::Shape, Kind::SocialSecurity | Kind::MedicareNumber) => {
            // The shape alone may be a part of a kit; somebody has to be there.
            let somebody = patient || named || beside.has(Class::Care);
            if (act || topic) && somebody {
                (2, if act { "act-near" } else { "topic-near" })
            } else if (patient || named) && setting {
                (2, "patient-near")
            } else {
                (0, "")
            }
        }
        (Strength::Shape, Kind::BirthDate | Kind::PlanNumber | Kind::RecordNumber) => (0, ""),
    };
    if level == 0 {
        return Candidate::default();
    }
    // An employer's own papers: the number is there for wages, the plan for enrolment.
    let employer = weights.count(Class::Employer);
    if employer >= 2
        && matches!(
            identifier.kind,
            Kind::SocialSecurity | Kind::BirthDate | Kind::PlanNumber | Kind::Account | Kind::Card
        )
    {
        let clinical = weights.count(Class::Condition) + weights.count(Class::Medicine) + weights.count(Class::Test);
        level = if clinical == 0 || employer > clinical + weights.count(Class::Act) { 0 } else { level - 1 };
    }
    if weights.is_sample() {
        level = level.saturating_sub(1);
    }
    let sure = matches!(identifier.kind, Kind::SocialSecurity | Kind::MedicareNumber | Kind::RecordNumber) && named;
    if (circumstances.bulk || weights.count(Class::Bulletin) >= 3) && !sure {
        level = level.saturating_sub(1);
    }
    let strength = match identifier.strength {
        Strength::Labelled => "-labelled+",
        Strength::Shape => "-shape+",
    };
    Candidate { level, rule: [identifier.kind.as_str(), strength, reason], at }
}

/// How many different entries lie within `reach` of `from..to`.
fn different_near(places: &[(usize, u32)], from: usize, to: usize, reach: usize) -> usize {
    let first = places.partition_point(|(place, _)| *place < from.saturating_sub(reach));
    let beside = places[first..].iter().take_while(|(place, _)| *place <= to + reach);
    different(beside.map(|(_, entry)| *entry))
}

fn different(entries: impl Iterator<Item = u32>) -> usize {
    let mut entries: Vec<u32> = entries.collect();
    entries.sort_unstable();
    entries.dedup();
    entries.len()
}

/// Somebody who is named beside words of her health.
fn statement(text: &[u8], found: &Found, weights: &Weights<'_>, circumstances: &Circumstances<'_>) -> Candidate {
    let mut best = Candidate::default();
    if circumstances.bulk || weights.count(Class::Bulletin) >= 2 {
        return best;
    }
    let topics = weights.count(Class::Condition) + weights.count(Class::Medicine) + weights.count(Class::Test);
    // Staff who stay away or are hired are written of as staff.
    let staff = weights.count(Class::Absence) > 0
        || (weights.count(Class::Employer) >= 1 && (topics == 0 || weights.count(Class::Employer) > topics));
    let whole = found.names.iter().map(|name| (name, false));
    for (name, lone) in whole.chain(found.lone.iter().map(|name| (name, true))) {
        if best.level == 2 {
            break;
        }
        let beside = weights.beside(name.start);
        if beside.has(Class::Sample) || is_correspondent(text, *name, circumstances) {
            continue;
        }
        let strong = different_near(&weights.strong, name.start, name.end, NEAR);
        let signs = different_near(&weights.signs, name.start, name.end, NEAR);
        let paid = usize::from(beside.has(Class::Payment));
        let dated = strong > 0 && dated(text, name.start);
        let close = different_near(&weights.strong, name.start, name.end, STATEMENT) > 0;
        let score = 2 * strong + signs + paid + usize::from(name.labelled) + usize::from(dated);
        let level = match score {
            0 => continue,
            1 | 2 if !close => 1,
            _ if lone && (!close || score < 4) => 1,
            _ if staff => 1,
            _ => 2,
        };
        let rule = if dated {
            "name+date+health"
        } else if strong > 0 {
            "name+health"
        } else {
            "name+signs"
        };
        best = best.max(Candidate { level, rule: [rule, "", ""], at: name.start });
    }
    best
}

/// Whether every word of a name is one of the same correspondent's.
fn is_correspondent(text: &[u8], name: Name, circumstances: &Circumstances<'_>) -> bool {
    let words = || {
        text[name.start..name.end]
            .split(|byte| !(byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-')))
            .filter(|word| word.len() >= 2)
    };
    let called = |known: &Vec<Vec<u8>>| words().all(|word| known.iter().any(|part| part.eq_ignore_ascii_case(word)));
    words().next().is_some() && circumstances.correspondents.iter().any(called)
}

/// Whether a full date stands within a statement of `at`.
fn dated(text: &[u8], at: usize) -> bool {
    let window = &text[at.saturating_sub(STATEMENT)..text.len().min(at + STATEMENT)];
    let numeric = numeric_date(window);
    let worded = || {
        let words = || window.split(|byte| !byte.is_ascii_alphanumeric());
        let month =
            |word: &[u8]| word.first().is_some_and(u8::is_ascii_uppercase) && super::values::month_name(word).is_some();
        let day = |word: &[u8]| (1..=2).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
        words().zip(words().skip(1)).any(|(one, next)| (day(next) && month(one)) || (day(one) && month(next)))
    };
    numeric || worded()
}

/// Words of the writer about herself and those she cares for.
const OWN: [&[u8]; 22] = [
    b"i", b"i'm", b"i've", b"i'd", b"im", b"ive", b"me", b"my", b"we", b"our", b"us", b"mine", b"mi", b"mis", b"tengo",
    b"estoy", b"soy", b"nuestro", b"nuestra", b"yo", b"traigo", b"siento",
];
/// Words to the reader about herself.
const YOURS: [&[u8]; 8] = [b"your", b"yours", b"you", b"su", b"sus", b"tu", b"tus", b"usted"];

/// Of these words of health, the different ones that one of `speakers` stands before in the sentence.
fn spoken_by(text: &[u8], scan: &[u8], places: &[(usize, u32)], speakers: &[&[u8]]) -> usize {
    const REACH: usize = 60;
    let spoken = places.iter().filter(|(place, _)| {
        let from = place.saturating_sub(REACH);
        let from = memchr::memrchr3(b'.', b'?', b'!', &text[from..*place]).map_or(from, |end| from + end);
        scan[from..*place].split(|byte| *byte == b' ').any(|word| speakers.contains(&word))
    });
    different(spoken.map(|(_, entry)| *entry))
}

/// Somebody writes of her own health, or her family's, from an address of her own.
fn first_person(text: &[u8], scan: &[u8], weights: &Weights<'_>, circumstances: &Circumstances<'_>) -> Candidate {
    if !(circumstances.personal_sender || circumstances.outside_person) || circumstances.bulk {
        return Candidate::default();
    }
    if weights.is_sample() || weights.count(Class::Employer) >= 2 || weights.count(Class::Bulletin) >= 2 {
        return Candidate::default();
    }
    let strong = spoken_by(text, scan, &weights.strong, &OWN);
    let signs = spoken_by(text, scan, &weights.signs, &OWN);
    let topics = weights.count(Class::Condition) + weights.count(Class::Medicine) + weights.count(Class::Test);
    let all = topics + weights.count(Class::Act);
    let score = 3 * strong + signs + 2 * usize::from(all > strong) + usize::from(weights.count(Class::Payment) > 0);
    let at = weights.strong.first().or(weights.signs.first()).map_or(0, |(place, _)| *place);
    let absent = weights.count(Class::Absence) > 0;
    let level = match score {
        0 => 0,
        1 | 2 => 1,
        _ if absent || strong + signs == 0 => 1,
        _ => 2,
    };
    Candidate { level, rule: ["personal-sender+first-person+health", "", ""], at }
}

/// An office writes to one person outside of her health.
fn addressed(text: &[u8], scan: &[u8], weights: &Weights<'_>, circumstances: &Circumstances<'_>) -> Candidate {
    let campaign = circumstances.bulk || weights.count(Class::Bulletin) >= 2 || weights.is_sample();
    if !circumstances.to_outside_person || campaign || weights.count(Class::Employer) >= 2 {
        return Candidate::default();
    }
    let strong = spoken_by(text, scan, &weights.strong, &YOURS);
    let signs = spoken_by(text, scan, &weights.signs, &YOURS);
    let level = match 2 * strong + signs {
        0 => return Candidate::default(),
        1 | 2 => 1,
        _ => 2,
    };
    let at = weights.strong.first().or(weights.signs.first()).map_or(0, |(place, _)| *place);
    Candidate { level, rule: ["outside-recipient+health", "", ""], at }
}

/// Three rows or more of people with a filled column about their health.
fn rows(text: &[u8], found: &Found, weights: &Weights<'_>, circumstances: &Circumstances<'_>) -> Candidate {
    let mailing = circumstances.bulk || weights.count(Class::Bulletin) >= 2;
    if weights.is_sample() || mailing || weights.count(Class::Animal) >= 2 {
        return Candidate::default();
    }
    if found.people_with_health < 3 && lines_of_people(text, found, weights) < 3 {
        return Candidate::default();
    }
    let at = found.codes.first().or(weights.names.first()).copied().unwrap_or(0);
    Candidate { level: 2, rule: ["rows-of-people+health-column", "", ""], at }
}

/// Lines that hold a name, a full date and something of health: a list without a header.
fn lines_of_people(text: &[u8], found: &Found, weights: &Weights<'_>) -> usize {
    let mut count = 0;
    let mut until = 0;
    for name in &found.names {
        if name.start < until || count >= 3 {
            continue;
        }
        let start = memchr::memrchr(b'\n', &text[..name.start]).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', &text[name.end..]).map_or(text.len(), |length| name.end + length);
        until = end;
        let code = || weights.codes[weights.codes.partition_point(|place| *place < start)..].first();
        let topic = || weights.within(start..end).meets(TOPIC) || code().is_some_and(|place| *place < end);
        let short = end - start <= 240;
        count += usize::from(short && topic() && numeric_date(&text[start..end]));
    }
    count
}

/// Whether a date in figures stands in these bytes.
fn numeric_date(window: &[u8]) -> bool {
    let mark = |byte: &u8| matches!(byte, b'/' | b'-');
    window.split(|byte| !(byte.is_ascii_digit() || mark(byte))).any(|run| {
        (6..=10).contains(&run.len())
            && run.iter().filter(|byte| mark(byte)).count() == 2
            && run[0].is_ascii_digit()
            && run[run.len() - 1].is_ascii_digit()
    })
}

/// Takes the weight from words inside notices and footers: a paragraph with two different phrases of
/// the kind speaks of nobody.
fn silence_notices(text: &[u8], hits: &mut [Hit]) {
    let notices: Vec<Hit> = hits.iter().copied().filter(|hit| hit.classes.has(Class::Notice)).collect();
    let mut until = 0;
    for (index, notice) in notices.iter().enumerate() {
        if notice.start < until {
            continue;
        }
        let (start, end) = paragraph(text, notice.start);
        let same = notices[index..].iter().take_while(|other| other.start < end);
        let different: BTreeSet<u32> = same.map(|other| other.entry).collect();
        if different.len() >= 2 {
            let first = hits.partition_point(|hit| hit.start < start);
            for hit in hits[first..].iter_mut().take_while(|hit| hit.start < end) {
                hit.classes = Classes::one(Class::Notice);
            }
        }
        until = end;
    }
}

/// The lines around `at` up to an empty one, at most 1,000 bytes each way.
fn paragraph(text: &[u8], at: usize) -> (usize, usize) {
    const REACH: usize = 1000;
    let from = at.saturating_sub(REACH);
    let to = text.len().min(at + REACH);
    let start = memchr::memmem::rfind(&text[from..at], b"\n\n").map_or(from, |found| from + found);
    let end = memchr::memmem::find(&text[at..to], b"\n\n").map_or(to, |found| at + found);
    (start, end)
}

#[cfg(test)]
mod tests;
