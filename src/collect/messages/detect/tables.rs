//! Reads rows under a header: spreadsheets, CSV attachments, tables of HTML mail.
//!
//! A cell has no label beside it; its label stands at the top of the column. This carries the header
//! down to each row. It reads columns it knows and leaves the others alone.

use jiff::civil::Date;

use super::identifiers::{Identifier, Kind, Strength};
use super::names::Name;
use super::values;
use super::words::{Class, Classes, Hit, Marks};

/// What rows under headers gave.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) names: Vec<Name>,
    /// Where a cell of a column about health is filled.
    pub(crate) health: Vec<usize>,
    /// Rows that have a person and something of health.
    pub(crate) people_with_health: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Birth,
    Health,
    Medicare,
    Name,
    Other,
    Plan,
    Record,
    Social,
}

const MOST: usize = 20_000;

/// Finds headers and reads the rows below them.
pub(crate) fn read(text: &[u8], scan: &[u8], marks: &Marks, today: Date) -> Rows {
    let mut rows = Rows::default();
    let mut header: Option<(u8, Vec<Column>)> = None;
    let (mut next_hit, mut next_digit) = (0, 0);
    let mut at = 0;
    while at < text.len() && rows.identifiers.len() + rows.names.len() < MOST {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
        if text[at..end].starts_with(b"PID|") {
            patient_segment(text, at, end, today, &mut rows);
        } else if end > at {
            let delimiter = delimiter_of(&text[at..end]);
            match (&header, delimiter) {
                (Some((known, columns)), Some(found)) if *known == found => {
                    row(text, at, end, *known, columns, today, &mut rows);
                }
                (_, Some(found)) => {
                    next_hit += marks.hits[next_hit..].partition_point(|hit| hit.start < at);
                    next_digit += marks.digits[next_digit..].partition_point(|digit| *digit < at);
                    // A header has words, not values.
                    let has_words = !has_more_digits(text, end, &marks.digits[next_digit..], 6);
                    let columns = || header_of(text, scan, at, end, found, &marks.hits[next_hit..]);
                    header = has_words.then(columns).flatten().map(|columns| (found, columns));
                }
                // A line of prose ends the table; a short one may be a wrapped cell.
                (Some(_), None) if end - at > 60 => header = None,
                (_, None) => {}
            }
        }
        at = end + 1;
    }
    rows
}

/// The patient segment of an HL7 v2 message: field 3 is the record number, 5 the name, 7 the birth,
/// 19 the social security number.
fn patient_segment(text: &[u8], start: usize, end: usize, today: Date, rows: &mut Rows) {
    rows.health.push(start);
    for ((from, to), field) in cells(text, start, end, b'|').zip(0..) {
        // Only the first component of a field.
        let to = from + memchr::memchr2(b'^', b'~', &text[from..to]).unwrap_or(to - from);
        let cell = &text[from..to];
        let digits: Vec<u8> = cell.iter().copied().filter(u8::is_ascii_digit).take(20).collect();
        let kind = match field {
            3 => (digits.len() >= 4).then_some(Kind::RecordNumber),
            7 => values::date(&cell[..cell.len().min(8)], today)
                .is_some_and(|(date, _)| values::birth(date, today))
                .then_some(Kind::BirthDate),
            19 => digits
                .first_chunk::<9>()
                .is_some_and(|nine| digits.len() == 9 && values::social_security(nine))
                .then_some(Kind::SocialSecurity),
            _ => None,
        };
        rows.identifiers.extend(kind.map(|kind| Identifier {
            kind,
            strength: Strength::Labelled,
            start: from,
            end: to,
            needs_setting: false,
        }));
    }
}

/// Whether there are more than so many digits before `end`. `runs` are the places where digits begin.
fn has_more_digits(text: &[u8], end: usize, runs: &[usize], most: usize) -> bool {
    let runs = runs.iter().take_while(|run| **run < end);
    let digits = runs.flat_map(|run| text[*run..end].iter().take_while(|byte| byte.is_ascii_alphanumeric()));
    digits.filter(|byte| byte.is_ascii_digit()).nth(most).is_some()
}

/// The delimiter that occurs at least twice, the most frequent first.
fn delimiter_of(line: &[u8]) -> Option<u8> {
    if line.len() > 8 * 1024 {
        return None;
    }
    // Most lines are prose, with commas alone.
    let [others @ .., commas] = DELIMITERS;
    let has_others = memchr::memchr3(others[0], others[1], others[2], line).is_some();
    let count = |delimiter| memchr::memchr_iter(delimiter, line).count();
    let counts = DELIMITERS.map(|delimiter| if has_others || delimiter == commas { count(delimiter) } else { 0 });
    // The most frequent, the earlier of equals; one tab is enough, of the others it takes two.
    let (kind, count) = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
    (*count >= 2 || (kind == 0 && *count == 1)).then_some(DELIMITERS[kind])
}

const DELIMITERS: [u8; 4] = [b'\t', b'|', b';', b','];

/// The cells of a line, as ranges without surrounding spaces and quotes.
fn cells(text: &[u8], start: usize, end: usize, delimiter: u8) -> impl Iterator<Item = (usize, usize)> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'"' | b'*');
    let mut next = Some(start);
    std::iter::from_fn(move || {
        let from = next?;
        let at = cell_end(text, from, end, delimiter);
        next = (at < end).then_some(at + 1);
        let lead = text[from..at].iter().take_while(blank).count();
        let tail = text[from + lead..at].iter().rev().take_while(blank).count();
        Some((from + lead, at - tail))
    })
}

/// Where the cell that begins at `from` ends; a delimiter in quotes ends none.
fn cell_end(text: &[u8], from: usize, end: usize, delimiter: u8) -> usize {
    let mut at = from;
    loop {
        let Some(found) = memchr::memchr2(delimiter, b'"', &text[at..end]) else { return end };
        at += found;
        if text[at] == delimiter {
            return at;
        }
        let Some(closing) = memchr::memchr(b'"', &text[at + 1..end]) else { return end };
        at += closing + 2;
    }
}

/// The columns of a header line: at least two known, one of them a person's.
fn header_of(text: &[u8], scan: &[u8], start: usize, end: usize, delimiter: u8, hits: &[Hit]) -> Option<Vec<Column>> {
    let columns = || {
        cells(text, start, end, delimiter).map(|(from, to)| {
            let inside = || hits.iter().take_while(|hit| hit.start < to).find(|hit| hit.start >= from && hit.end <= to);
            column_of(&scan[from..to], || inside().map(|hit| hit.classes))
        })
    };
    // Most lines with commas are prose: only the columns of a header are kept.
    let known = columns().filter(|column| *column != Column::Other).count();
    let is_header = known >= 2 && columns().any(|column| !matches!(column, Column::Other | Column::Health));
    is_header.then(|| columns().collect())
}

fn column_of(scan: &[u8], classes: impl FnOnce() -> Option<Classes>) -> Column {
    const NAMES: [&[u8]; 12] = [
        b"name",
        b"last name",
        b"first name",
        b"last",
        b"first",
        b"full name",
        b"patient",
        b"patient name",
        b"lastname",
        b"firstname",
        b"nombre",
        b"apellido",
    ];
    const HEALTH: [&[u8]; 28] = [
        b"diagnosis",
        b"dx",
        b"icd",
        b"icd10",
        b"icd 10",
        b"medication",
        b"medications",
        b"drug",
        b"procedure",
        b"cpt",
        b"reason",
        b"reason for visit",
        b"visit reason",
        b"test",
        b"result",
        b"results",
        b"condition",
        b"allergies",
        b"allergy",
        b"rx",
        b"treatment",
        b"visit type",
        b"problem",
        b"complaint",
        b"chief complaint",
        b"dx code",
        b"appt reason",
        b"diagnostico",
    ];
    let word = scan.trim_ascii();
    if word.len() > 40 {
        return Column::Other;
    }
    if word.len() <= 16 && NAMES.contains(&word) {
        return Column::Name;
    }
    if word.len() <= 16 && HEALTH.contains(&word) {
        return Column::Health;
    }
    let Some(classes) = classes() else { return Column::Other };
    if classes.has(Class::Ssn) {
        Column::Social
    } else if classes.has(Class::Birth) {
        Column::Birth
    } else if classes.has(Class::Record) {
        Column::Record
    } else if classes.has(Class::Hicn) || classes.has(Class::Medicare) {
        Column::Medicare
    } else if classes.has(Class::Plan) {
        Column::Plan
    } else if classes.has(Class::Person) {
        Column::Name
    } else if classes.meets(Classes::one(Class::Act).and(Class::Condition).and(Class::Test).and(Class::DiagnosisCode)) {
        Column::Health
    } else {
        Column::Other
    }
}

fn row(text: &[u8], start: usize, end: usize, delimiter: u8, columns: &[Column], today: Date, rows: &mut Rows) {
    let (mut person, mut health) = (false, false);
    for ((from, to), column) in cells(text, start, end, delimiter).zip(columns) {
        let cell = &text[from..to];
        if cell.is_empty() {
            continue;
        }
        let digits: Vec<u8> = cell.iter().copied().filter(u8::is_ascii_digit).take(20).collect();
        let kind = match column {
            Column::Birth => {
                values::date(cell, today).is_some_and(|(date, _)| values::birth(date, today)).then_some(Kind::BirthDate)
            }
            Column::Medicare => (digits.len() >= 5 && cell.len() <= 14).then_some(Kind::MedicareNumber),
            Column::Plan => (digits.len() >= 6 && cell.len() <= 24).then_some(Kind::PlanNumber),
            Column::Record => (digits.len() >= 4 && cell.len() <= 20).then_some(Kind::RecordNumber),
            Column::Social => digits
                .first_chunk::<9>()
                .is_some_and(|nine| digits.len() == 9 && values::social_security(nine))
                .then_some(Kind::SocialSecurity),
            Column::Name => {
                if cell[0].is_ascii_alphabetic() && cell.len() <= 60 {
                    person = true;
                    rows.names.push(Name { start: from, end: to, labelled: true });
                }
                None
            }
            Column::Health => {
                health = true;
                rows.health.push(from);
                None
            }
            Column::Other => None,
        };
        if let Some(kind) = kind.filter(|kind| *kind == Kind::BirthDate || !values::placeholder(cell)) {
            person = true;
            rows.identifiers.push(Identifier {
                kind,
                strength: Strength::Labelled,
                start: from,
                end: to,
                needs_setting: kind == Kind::PlanNumber,
            });
        }
    }
    rows.people_with_health += usize::from(person && health);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::messages::detect::words::WORDS;
    use crate::collect::messages::fold::Folded;
    use jiff::civil::date;

    fn rows(text: &str) -> Rows {
        let (folded, _) = Folded::of(&[text]);
        read(folded.text(), folded.scan(), &WORDS.find(&folded), date(2026, 11, 21))
    }

    #[test]
    fn headers_label_the_cells_below_them() {
        let found =
            rows("Name,MRN,DOB,Diagnosis\n\"Quillon, Zorba\",4455661,3/4/1962,E11.9\nB Quill,4455662,1/2/1970,\n");
        assert_eq!(found.identifiers.len(), 4);
        assert_eq!(found.names.len(), 2);
        assert_eq!(found.people_with_health, 1);
    }

    #[test]
    fn a_patient_segment_of_hl7_is_read() {
        let found = rows("MSH|^~\\&|LAB\nPID|1||4455661^^^HOSP^MR||QUILLON^ZORBA||19620304|F\n");
        assert_eq!(
            found.identifiers.iter().map(|id| id.kind).collect::<Vec<_>>(),
            [Kind::RecordNumber, Kind::BirthDate]
        );
    }

    #[test]
    fn tables_about_things_have_no_people() {
        let found = rows("Item,Qty,Price\nchair,4455661,3/4/1962\n");
        assert!(found.identifiers.is_empty() && found.names.is_empty());
    }
}
