//! Finds the numbers that name a person: by shape in one pass over the digits, and by the label
//! before them.
//!
//! What is found is a kind, a strength and a place. The value stays in the text.

use jiff::civil::Date;

use super::values;
use super::words::{Class, Classes, Hit, Marks};

/// Kinds of identifiers, after 45 CFR 164.514(b)(2)(i).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Account,
    BirthDate,
    Card,
    MedicareNumber,
    Name,
    PlanNumber,
    RecordNumber,
    SocialSecurity,
}

impl Kind {
    /// The word in reports.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::BirthDate => "birth-date",
            Self::Card => "payment-card",
            Self::MedicareNumber => "medicare-number",
            Self::Name => "name",
            Self::PlanNumber => "plan-number",
            Self::RecordNumber => "record-number",
            Self::SocialSecurity => "social-security",
        }
    }
}

/// How sure it is that this is what it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// The shape alone.
    Shape,
    /// The shape is valid and a label says what it is.
    Labelled,
}

/// One identifier, by its place in the folded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identifier {
    pub(crate) kind: Kind,
    pub(crate) strength: Strength,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The label says only "claim" or "member": it needs a health setting beside it.
    pub(crate) needs_setting: bool,
}

/// Labels that say what the number after them is.
const NUMBER_LABELS: Classes = Classes::one(Class::Ssn)
    .and(Class::Medicare)
    .and(Class::Hicn)
    .and(Class::Record)
    .and(Class::Plan)
    .and(Class::Case)
    .and(Class::Card)
    .and(Class::Account)
    .and(Class::Provider)
    .and(Class::Tracking);

const SOCIAL: Classes = Classes::one(Class::Ssn);
const MEDICARE: Classes = Classes::one(Class::Medicare).and(Class::Hicn).and(Class::Plan);

/// At most this many identifiers are kept of one segment; more add nothing to a verdict.
const MOST: usize = 20_000;

/// Every identifier of a segment, in order. Diagnosis codes are added to `codes` by their place.
pub(crate) fn find(text: &[u8], marks: &Marks, today: Date, codes: &mut Vec<usize>) -> Vec<Identifier> {
    let labels: Vec<Hit> =
        marks.hits.iter().copied().filter(|hit| hit.classes.meets(NUMBER_LABELS.and(Class::DiagnosisCode))).collect();
    let mut found = Vec::new();
    let mut seen = Vec::new();
    by_shape(text, &marks.digits, &labels, &mut seen, &mut found);
    // One code without a label may be a room or a version; two are no accident.
    let several = seen.len() >= 2;
    codes.extend(seen.iter().filter(|(_, labelled)| *labelled || several).map(|(at, _)| *at));
    by_label(text, &marks.hits, today, &mut found);
    found.sort_by_key(|identifier| (identifier.start, std::cmp::Reverse(identifier.strength), identifier.kind));
    found.dedup_by(|later, earlier| later.start == earlier.start && later.kind == earlier.kind);
    found.truncate(MOST);
    found
}

/// Looks at each run of letters and digits that has a digit, by the first one.
fn by_shape(
    text: &[u8],
    digits: &[usize],
    labels: &[Hit],
    codes: &mut Vec<(usize, bool)>,
    found: &mut Vec<Identifier>,
) {
    let mut until = 0;
    for &at in digits {
        if at < until {
            continue;
        }
        if text[at - 1].is_ascii_alphanumeric() {
            if let Some((end, labelled)) = diagnosis_code(text, at, labels) {
                codes.push((at - 1, labelled));
                until = end;
            }
        } else if found.len() < MOST {
            let end = at + text[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if let Some(identifier) = token(text, at, end, labels) {
                until = identifier.end;
                found.push(identifier);
            }
        }
    }
}

/// What the token that begins at `start` (and its neighbours after `-`, `.` or a space) can be.
fn token(text: &[u8], start: usize, end: usize, labels: &[Hit]) -> Option<Identifier> {
    let digits = text[start..end].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = end - start;
    let identifier = |kind, strength, end| Some(Identifier { kind, strength, start, end, needs_setting: false });
    match (digits, length) {
        (3, 3) => grouped_social_security(text, start, labels),
        (9, 9) => {
            let nine = text[start..end].first_chunk::<9>()?;
            let labelled = label_of(labels, start, end)?.meets(SOCIAL);
            (labelled && values::social_security(nine))
                .then_some(())
                .and_then(|()| identifier(Kind::SocialSecurity, Strength::Labelled, end))
        }
        // A claim number of the old kind: a social security number and one or two characters.
        (9, 10 | 11) => {
            let nine = text[start..end].first_chunk::<9>()?;
            let labelled = label_of(labels, start, end)?.meets(MEDICARE);
            (labelled && values::social_security(nine) && text[start + 9].is_ascii_alphabetic())
                .then_some(())
                .and_then(|()| identifier(Kind::MedicareNumber, Strength::Labelled, end))
        }
        (1, 11) => medicare_number(text, start, end, labels),
        (1, 4) if text.get(end) == Some(&b'-') => medicare_number(text, start, end + 9, labels),
        (4, 4) | (13..=19, 13..=19) => card(text, start, labels),
        _ => None,
    }
}

/// `ddd-dd-dddd`, with one kind of separator, also with spaces around it.
fn grouped_social_security(text: &[u8], start: usize, labels: &[Hit]) -> Option<Identifier> {
    let (second, separator) = group_after(text, start + 3, 2)?;
    let (third, again) = group_after(text, second + 2, 4)?;
    let end = third + 4;
    if separator != again {
        return None;
    }
    let mut nine = [0; 9];
    nine[..3].copy_from_slice(&text[start..start + 3]);
    nine[3..5].copy_from_slice(&text[second..second + 2]);
    nine[5..].copy_from_slice(&text[third..end]);
    let after = text.get(end).copied().unwrap_or(b'\n');
    let before = text[start - 1];
    // Part of something longer: a part number, a path, a decimal.
    if matches!(before, b'-' | b'/' | b'_' | b'.' | b'+' | b'$')
        || matches!(after, b'/' | b'_')
        || matches!(after, b'-' | b'.' if text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric))
        || !values::social_security(&nine)
    {
        return None;
    }
    let label = label_of(labels, start, end);
    if after.is_ascii_alphabetic() {
        let labelled = label.is_some_and(|label| label.meets(MEDICARE));
        return labelled.then_some(Identifier {
            kind: Kind::MedicareNumber,
            strength: Strength::Labelled,
            start,
            end: end + 1,
            needs_setting: false,
        });
    }
    let strength = match label {
        Some(label) if label.meets(SOCIAL.and(Class::Hicn)) => Strength::Labelled,
        // Another label claims the number: an order, an account, a provider.
        Some(_) => return None,
        None if separator == b'-' => Strength::Shape,
        None => return None,
    };
    Some(Identifier { kind: Kind::SocialSecurity, strength, start, end, needs_setting: false })
}

/// The start of a group of exactly `length` digits after a separator, and the separator.
fn group_after(text: &[u8], at: usize, length: usize) -> Option<(usize, u8)> {
    let mut from = at;
    let spaced = text.get(from) == Some(&b' ') && matches!(text.get(from + 1), Some(b'-' | b'.'));
    from += usize::from(spaced);
    let separator = *text.get(from)?;
    if !matches!(separator, b'-' | b'.' | b' ') {
        return None;
    }
    from += 1;
    from += usize::from(spaced && text.get(from) == Some(&b' '));
    let digits = text[from..].iter().take(length + 1).take_while(|byte| byte.is_ascii_digit()).count();
    (digits == length).then_some((from, separator))
}

fn medicare_number(text: &[u8], start: usize, end: usize, labels: &[Hit]) -> Option<Identifier> {
    let token = text.get(start..end)?;
    let dashed = token.contains(&b'-');
    let mut eleven = [0; 11];
    if dashed {
        if token.len() != 13 || token[4] != b'-' || token[8] != b'-' {
            return None;
        }
        eleven[..4].copy_from_slice(&token[..4]);
        eleven[4..7].copy_from_slice(&token[5..8]);
        eleven[7..].copy_from_slice(&token[9..]);
    } else {
        eleven.copy_from_slice(token.get(..11)?);
    }
    let labelled = label_of(labels, start, end).is_some_and(|label| label.meets(MEDICARE));
    if labelled {
        eleven.make_ascii_uppercase();
    }
    if !values::medicare(&eleven) || text.get(end).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    // One in ten thousand serial numbers has this shape too.
    let strength = if labelled { Strength::Labelled } else { Strength::Shape };
    Some(Identifier { kind: Kind::MedicareNumber, strength, start, end, needs_setting: false })
}

/// Thirteen to nineteen digits, whole or in groups of four, with a valid check digit.
fn card(text: &[u8], start: usize, labels: &[Hit]) -> Option<Identifier> {
    let mut digits = Vec::with_capacity(19);
    let mut at = start;
    let mut grouped = false;
    while digits.len() < 20 {
        match text.get(at) {
            Some(byte) if byte.is_ascii_digit() => digits.push(*byte),
            Some(b' ' | b'-') if digits.len().is_multiple_of(4) && text.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                grouped = true;
            }
            _ => break,
        }
        at += 1;
    }
    if text.get(at).is_some_and(|byte| byte.is_ascii_alphabetic()) || !values::card(&digits) {
        return None;
    }
    let label = label_of(labels, start, at);
    let labelled = label.is_some_and(|label| label.has(Class::Card));
    let other = label.is_some_and(|label| !label.has(Class::Card));
    if other || !(labelled || grouped) {
        return None;
    }
    let strength = if labelled { Strength::Labelled } else { Strength::Shape };
    Some(Identifier { kind: Kind::Card, strength, start, end: at, needs_setting: false })
}

/// The label that speaks of the number at `start..end`: the nearest before it, else one right
/// after it.
fn label_of(labels: &[Hit], start: usize, end: usize) -> Option<Classes> {
    const BEFORE: usize = 60;
    const AFTER: usize = 25;
    let next = labels.partition_point(|label| label.end <= start);
    let before = next.checked_sub(1).map(|index| labels[index]).filter(|label| start - label.end <= BEFORE);
    if let Some(label) = before {
        return Some(label.classes);
    }
    labels[next..].iter().find(|label| label.start >= end).filter(|label| label.start - end <= AFTER).map(|l| l.classes)
}

/// A code of ICD-10-CM around the digit at `at`: letter, digit, digit or A or B, then a point and one
/// to four more. Returns its end and whether a label speaks of it.
fn diagnosis_code(text: &[u8], at: usize, labels: &[Hit]) -> Option<(usize, bool)> {
    let letter = at.checked_sub(1).filter(|&letter| text[letter].is_ascii_uppercase())?;
    if letter > 0 && (text[letter - 1].is_ascii_alphanumeric() || matches!(text[letter - 1], b'.' | b'-' | b'_')) {
        return None;
    }
    let third = *text.get(at + 1)?;
    if !(third.is_ascii_digit() || matches!(third, b'A' | b'B')) {
        return None;
    }
    let mut end = at + 2;
    let dotted = text.get(end) == Some(&b'.');
    if dotted {
        let more = text[end + 1..]
            .iter()
            .take(5)
            .take_while(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            .count();
        if !(1..=4).contains(&more) {
            return None;
        }
        end += 1 + more;
    }
    // `E11.9.2` is a version.
    if text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric())
        || (text.get(end) == Some(&b'.') && text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric))
    {
        return None;
    }
    let labelled = label_of(labels, letter, end).is_some_and(|label| label.has(Class::DiagnosisCode));
    let next_to_label = labels[..labels.partition_point(|label| label.end <= letter)]
        .last()
        .is_some_and(|label| letter - label.end <= 6);
    (dotted || (labelled && next_to_label)).then_some((end, labelled))
}

/// Follows each label to the value after it.
fn by_label(text: &[u8], hits: &[Hit], today: Date, found: &mut Vec<Identifier>) {
    for (index, hit) in hits.iter().enumerate() {
        if found.len() >= MOST {
            return;
        }
        let until = hits.get(index + 1).map_or(text.len(), |next| next.start);
        let classes = hit.classes;
        // "Born" is everybody's word; beside "patient" it is a label.
        let born_patient = || {
            let around = &hits[index.saturating_sub(6)..hits.len().min(index + 6)];
            around.iter().any(|other| other.classes.has(Class::Person) && other.start.abs_diff(hit.start) <= 80)
        };
        if classes.has(Class::Birth) || (classes.has(Class::Born) && born_patient()) {
            found.extend(birth_near(text, *hit, today));
        } else if classes.has(Class::Record) {
            let number = number_after(text, hit.end, until, 5).or_else(|| number_before(text, hit.start, 5));
            found.extend(number.map(|(start, end)| numbered(Kind::RecordNumber, start, end, false)));
        } else if classes.has(Class::Plan) || classes.has(Class::Case) {
            let number = number_after(text, hit.end, until, 6);
            found.extend(number.map(|(start, end)| numbered(Kind::PlanNumber, start, end, true)));
        } else if classes.has(Class::Account) {
            let number = number_after(text, hit.end, until, 6);
            found.extend(number.map(|(start, end)| numbered(Kind::Account, start, end, true)));
        }
    }
}

fn numbered(kind: Kind, start: usize, end: usize, needs_setting: bool) -> Identifier {
    Identifier { kind, strength: Strength::Labelled, start, end, needs_setting }
}

/// The date of birth after a label, or right before one in brackets.
fn birth_near(text: &[u8], hit: Hit, today: Date) -> Option<Identifier> {
    let at = value_start(text, hit.end);
    let after = values::date(&text[at..text.len().min(at + 32)], today).map(|(date, length)| (date, at, at + length));
    let before = || {
        let stop =
            hit.start - text[..hit.start].iter().rev().take(3).take_while(|b| matches!(b, b' ' | b'(' | b'[')).count();
        let start = stop
            - text[..stop].iter().rev().take(10).take_while(|b| b.is_ascii_digit() || matches!(b, b'/' | b'-')).count();
        let (date, length) = values::date(&text[start..stop], today)?;
        (start + length == stop).then_some((date, start, stop))
    };
    let (date, start, end) = after.or_else(before)?;
    values::birth(date, today).then(|| numbered(Kind::BirthDate, start, end, false))
}

/// The identifier after a label that ends at `from`: at least `least` digits, few letters, no date
/// and no telephone number.
fn number_after(text: &[u8], from: usize, until: usize, least: usize) -> Option<(usize, usize)> {
    let start = value_start(text, from);
    // Another label or word of the lists comes first: the number belongs to that one.
    if start > until {
        return None;
    }
    let end =
        start + text[start..].iter().take(25).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    identifier_token(text, start, end, least)
}

fn number_before(text: &[u8], label: usize, least: usize) -> Option<(usize, usize)> {
    let brackets = text[..label].iter().rev().take(3).take_while(|byte| matches!(byte, b' ' | b'(' | b'[')).count();
    let end = label - brackets;
    if brackets == 0 || !text[end..label].iter().any(|byte| matches!(byte, b'(' | b'[')) {
        return None;
    }
    let start = end
        - text[..end].iter().rev().take(25).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    identifier_token(text, start, end, least)
}

fn identifier_token(text: &[u8], start: usize, end: usize, least: usize) -> Option<(usize, usize)> {
    let trimmed = end - text[start..end].iter().rev().take_while(|byte| **byte == b'-').count();
    let token = &text[start..trimmed];
    let digits: Vec<u8> = token.iter().copied().filter(u8::is_ascii_digit).collect();
    let letters = token.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let dashes = token.iter().filter(|byte| **byte == b'-').count();
    let looks_like_telephone = dashes == 2
        && token.len() == 12
        && digits.first_chunk::<10>().is_some_and(|ten| digits.len() == 10 && values::telephone(ten));
    let looks_like_date = (dashes == 2 && letters == 0 && digits.len() <= 8) || text.get(end) == Some(&b'/');
    let fits = (least..=14).contains(&digits.len())
        && letters <= 5
        && dashes <= 3
        && !looks_like_telephone
        && !looks_like_date
        && text.get(end) != Some(&b'@')
        && !values::placeholder(token);
    fits.then_some((start, trimmed))
}

/// Where the value after a label begins: past punctuation, one line end, and words such as "number"
/// and "is".
fn value_start(text: &[u8], from: usize) -> usize {
    const FILLERS: [&[u8]; 22] = [
        b"no",
        b"num",
        b"number",
        b"nbr",
        b"nr",
        b"id",
        b"is",
        b"was",
        b"of",
        b"the",
        b"for",
        b"patient",
        b"es",
        b"numero",
        b"del",
        b"ending",
        b"in",
        b"on",
        b"as",
        b"her",
        b"his",
        b"confirmed",
    ];
    let limit = text.len().min(from + 40);
    let mut at = from;
    let mut lines = 0;
    while at < limit {
        let byte = text[at];
        if byte == b'\n' {
            lines += 1;
            if lines > 1 {
                return at;
            }
            at += 1;
        } else if !byte.is_ascii_alphanumeric() {
            at += 1;
        } else {
            let length = text[at..limit].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let word = &text[at..at + length];
            if length == 0 || !FILLERS.iter().any(|filler| word.eq_ignore_ascii_case(filler)) {
                return at;
            }
            at += length;
        }
    }
    at.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::messages::detect::words::WORDS;
    use crate::collect::messages::fold::Folded;
    use jiff::civil::date;

    fn kinds(text: &str) -> Vec<(Kind, Strength)> {
        let (folded, _) = Folded::of(&[text]);
        let marks = WORDS.find(&folded);
        find(folded.text(), &marks, date(2026, 11, 21), &mut Vec::new())
            .iter()
            .map(|id| (id.kind, id.strength))
            .collect()
    }

    #[test]
    fn a_label_makes_nine_digits_a_social_security_number() {
        let labelled = vec![(Kind::SocialSecurity, Strength::Labelled)];
        for text in [
            "SSN: 219-09-1234",
            "SSN 219091234",
            "social security number is 219 09 1234",
            "219-09-1234 (SSN)",
            "SSN 219 - 09 - 1234.",
        ] {
            assert_eq!(kinds(text), labelled, "{text}");
        }
        assert_eq!(kinds("call about 219-09-1234 please"), vec![(Kind::SocialSecurity, Strength::Shape)]);
        for text in ["219091234", "part 219-09-1234-7", "tracking number 219-09-1234", "v219-09-1234"] {
            assert_eq!(kinds(text), vec![], "{text}");
        }
    }

    #[test]
    fn record_numbers_need_a_label_and_are_no_dates_or_telephones() {
        let record = vec![(Kind::RecordNumber, Strength::Labelled)];
        for text in [
            "MRN: 4455661",
            "MRN4455661",
            "MRN# H-4455661",
            "medical record number is 4455661",
            "4455661 (MRN)",
            "Chart No.\n4455661",
        ] {
            assert_eq!(kinds(text), record, "{text}");
        }
        for text in [
            "MRN: 00000000",
            "MRN pending, call 555-234-7788",
            "chart no later than 03/04/2025",
            "MRN: 2025-03-04",
            "MRN: 123456",
        ] {
            assert_eq!(kinds(text), vec![], "{text}");
        }
    }

    #[test]
    fn births_are_read_after_and_before_their_label() {
        let birth = vec![(Kind::BirthDate, Strength::Labelled)];
        for text in [
            "DOB 3/4/1962",
            "D.O.B.: March 4, 1962",
            "Fecha de nacimiento: 4 de marzo de 1962",
            "03/04/1962 (DOB)",
            "birthday is 3-4-62",
        ] {
            assert_eq!(kinds(text), birth, "{text}");
        }
        assert_eq!(kinds("DOB: 01/01/1900"), vec![]);
        assert_eq!(kinds("meeting on 3/4/1962"), vec![]);
    }

    #[test]
    fn medicare_numbers_are_weak_without_a_word() {
        assert_eq!(kinds("Medicare 7AC2-DE3-FG45"), vec![(Kind::MedicareNumber, Strength::Labelled)]);
        assert_eq!(kinds("MBI: 7ac2de3fg45"), vec![(Kind::MedicareNumber, Strength::Labelled)]);
        assert_eq!(kinds("7AC2DE3FG45"), vec![(Kind::MedicareNumber, Strength::Shape)]);
        assert_eq!(kinds("HICN 219-09-1234A"), vec![(Kind::MedicareNumber, Strength::Labelled)]);
        assert_eq!(kinds("MBI: 1EG4-TE5-MK73"), vec![]);
    }

    #[test]
    fn codes_of_diagnoses_are_told_from_versions_and_rooms() {
        let mut codes = Vec::new();
        let (folded, _) = Folded::of(&["dx E11.9, M54.50; model B12.7.1 in room B12"]);
        let marks = WORDS.find(&folded);
        find(folded.text(), &marks, date(2026, 11, 21), &mut codes);
        assert_eq!(codes.len(), 2);
    }
}
