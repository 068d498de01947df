//! Finds what looks like the name of a person other than a professional or the writer.
//!
//! A name alone identifies nobody for us: it supports other evidence, or makes a message worth a
//! look. Signatures (a name alone on its line) and names with a title or degree of the trade are
//! left out.

use jiff::civil::Date;

use super::words::{Class, Hit};

/// Where a name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// A label says that it is a patient's.
    pub(crate) labelled: bool,
}

const MOST: usize = 20_000;

/// Every name of a segment, in order.
pub(crate) fn find(text: &[u8], hits: &[Hit]) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for (index, hit) in hits.iter().enumerate() {
        if names.len() >= MOST {
            break;
        }
        if names.last().is_some_and(|name| name.end > hit.start) {
            continue;
        }
        let name = if hit.classes.has(Class::Title) {
            words_after(text, hit.end, 1)
        } else if hit.classes.has(Class::Person) {
            let name = words_after(text, hit.end, 2).or_else(|| before_a_date(text, hit.end));
            name.map(|name| Name { labelled: true, ..name })
        } else if hit.classes.has(Class::GivenName) {
            around(text, *hit)
        } else if hit.classes.has(Class::Act) {
            before_an_act(text, hit.start)
        } else {
            None
        };
        let Some(name) = name else { continue };
        let titled = hit.classes.has(Class::Title) || hit.classes.has(Class::Person);
        if is_professional(text, name, hits, index)
            || is_placeholder(name, hits)
            || (!titled && alone_on_line(text, name))
        {
            continue;
        }
        names.push(name);
    }
    names
}

/// Capitalised words after a title or label: at least `least`, at most three.
fn words_after(text: &[u8], from: usize, least: usize) -> Option<Name> {
    let mut at = from;
    let mut start = None;
    let mut count = 0;
    while count < 3 {
        let gap = text[at..]
            .iter()
            .take(3)
            .take_while(|byte| matches!(byte, b' ' | b'.' | b':' | b',' | b'\t' | b'-' | b'*'))
            .count();
        // The first word follows the label directly, the next ones each other.
        let word = at + gap;
        let length = capitalised(text, word);
        if (gap == 0 && at == from) || length == 0 {
            break;
        }
        start.get_or_insert(word);
        count += 1;
        at = word + length;
    }
    let start = start?;
    let long_enough = text[start..at].iter().filter(|byte| byte.is_ascii_alphabetic()).count() >= 3;
    (count >= least && long_enough).then_some(Name { start, end: at, labelled: false })
}

/// Two capitalised words with a day of years ago right after them, as in `Zorba Quillon (7/2/48)`: a
/// person and her birth, whatever the name. Words of the lists are no names.
pub(crate) fn beside_births(text: &[u8], hits: &[Hit], today: Date) -> Vec<Name> {
    const YEARS: i16 = 2;
    let mut names = Vec::new();
    for mark in memchr::memchr2_iter(b'/', b'-', text) {
        let digits = text[..mark].iter().rev().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let start = mark - digits;
        let gap = text[..start]
            .iter()
            .rev()
            .take(3)
            .take_while(|b| matches!(b, b' ' | b'(' | b'|' | b',' | b'\t' | b'"'))
            .count();
        if !(1..=2).contains(&digits) || gap == 0 || names.len() >= MOST {
            continue;
        }
        let Some(name) = two_words_before(text, start - gap) else { continue };
        let listed = hits[hits.partition_point(|hit| hit.end <= name.start)..]
            .first()
            .is_some_and(|hit| hit.start < name.end && !hit.classes.has(Class::GivenName));
        let born = super::values::date(&text[start..text.len().min(start + 12)], today)
            .is_some_and(|(date, _)| super::values::birth(date, today) && today.year() - date.year() > YEARS);
        if born && !listed {
            names.push(Name { labelled: true, ..name });
        }
    }
    names
}

/// One capitalised word after a label, and a date or number after it: `pt Quillon 8/13/90`.
fn before_a_date(text: &[u8], from: usize) -> Option<Name> {
    let name = words_after(text, from, 1)?;
    let after = text[name.end..].iter().find(|byte| !matches!(byte, b' ' | b',' | b'('))?;
    after.is_ascii_digit().then_some(name)
}

/// Two capitalised words right before words such as `was seen`: whatever the name, it is somebody's.
fn before_an_act(text: &[u8], act: usize) -> Option<Name> {
    if !text[act].is_ascii_lowercase() || text[act - 1] != b' ' {
        return None;
    }
    two_words_before(text, act - 1)
}

/// Two capitalised words that end at `end`.
fn two_words_before(text: &[u8], end: usize) -> Option<Name> {
    let word_start = |end: usize| {
        let letters =
            text[..end].iter().rev().take(24).take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'\'' | b'-'));
        let start = end - letters.count();
        (end - start >= 2 && text[start].is_ascii_uppercase() && text[start + 1].is_ascii_lowercase()).then_some(start)
    };
    let second = word_start(end)?;
    if second < 2 || text[second - 1] != b' ' {
        return None;
    }
    let first = word_start(second - 1)?;
    // Words that begin sentences are no given names.
    const OPENERS: [&[u8]; 14] = [
        b"The", b"This", b"That", b"Your", b"Our", b"My", b"His", b"Her", b"Their", b"Dr", b"Patient", b"Please",
        b"Each", b"All",
    ];
    (!OPENERS.contains(&&text[first..second - 1])).then_some(Name { start: first, end, labelled: false })
}

/// A given name with a surname after it (`Ana Q. Ruiz`) or before it (`Ruiz, Ana`).
fn around(text: &[u8], hit: Hit) -> Option<Name> {
    if !text[hit.start].is_ascii_uppercase() {
        return None;
    }
    let end = hit.start + text[hit.start..].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let mut at = end;
    if text.get(at) == Some(&b' ')
        && text.get(at + 1).is_some_and(u8::is_ascii_uppercase)
        && matches!(text.get(at + 2), Some(b'.' | b' '))
    {
        at += 2 + usize::from(text[at + 2] == b'.');
    }
    if text.get(at) == Some(&b' ') {
        let length = capitalised(text, at + 1);
        if length >= 2 {
            return Some(Name { start: hit.start, end: at + 1 + length, labelled: false });
        }
    }
    let comma = hit.start - text[..hit.start].iter().rev().take(1).take_while(|byte| **byte == b' ').count();
    if comma > 0 && text[comma - 1] == b',' {
        let length =
            text[..comma - 1].iter().rev().take(24).take_while(|b| b.is_ascii_alphabetic() || **b == b'-').count();
        let start = comma - 1 - length;
        if length >= 2 && text[start].is_ascii_uppercase() {
            return Some(Name { start, end, labelled: false });
        }
    }
    None
}

/// The length of a capitalised word (`Ruiz`, `O'Neil`, `RUIZ`, `Diaz-Leon`) at `at`, or 0.
fn capitalised(text: &[u8], at: usize) -> usize {
    if !text.get(at).is_some_and(u8::is_ascii_uppercase) {
        return 0;
    }
    text[at..].iter().take(24).take_while(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-')).count()
}

fn is_professional(text: &[u8], name: Name, hits: &[Hit], index: usize) -> bool {
    let before = hits[..index]
        .last()
        .is_some_and(|hit| hit.classes.has(Class::Professional) && hit.end <= name.start && name.start - hit.end <= 2);
    let after = hits[index..].iter().find(|hit| hit.start >= name.end).is_some_and(|hit| {
        hit.classes.has(Class::Credential) && hit.start - name.end <= 3 && is_credential(text, *hit)
    });
    before || after
}

/// `MD` and `DO` are degrees in capitals only.
fn is_credential(text: &[u8], hit: Hit) -> bool {
    hit.end - hit.start > 3 || text[hit.start].is_ascii_uppercase()
}

fn is_placeholder(name: Name, hits: &[Hit]) -> bool {
    hits.iter().any(|hit| hit.classes.has(Class::PlaceholderName) && hit.start < name.end && hit.end > name.start)
}

fn alone_on_line(text: &[u8], name: Name) -> bool {
    let before = text[..name.start].iter().rev().find(|byte| !matches!(byte, b' ' | b'-' | b'~' | b'*'));
    let after = text[name.end..].iter().find(|byte| !matches!(byte, b' ' | b',' | b'.' | b'*'));
    before.is_none_or(|byte| *byte == b'\n') && after.is_none_or(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::messages::detect::words::WORDS;
    use crate::collect::messages::fold::Folded;

    fn names(text: &str) -> Vec<String> {
        let (folded, _) = Folded::of(&[text]);
        let hits = WORDS.find(folded.scan());
        find(folded.text(), &hits)
            .iter()
            .map(|name| String::from_utf8(folded.text()[name.start..name.end].to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn names_follow_titles_and_labels_or_join_a_given_name() {
        assert_eq!(names("saw Mrs. Quill today"), ["Quill"]);
        assert_eq!(names("Patient: Zorba Quillon"), ["Zorba Quillon"]);
        assert_eq!(names("about Maria T. Quillon and Quillon, Robert now"), ["Maria T. Quillon", "Quillon, Robert"]);
    }

    #[test]
    fn a_day_of_years_ago_after_two_words_makes_them_a_name() {
        let text = "about Xanthe Quillon (7/2/48) and Health Fair (7/2/2026)";
        let (folded, _) = Folded::of(&[text]);
        let hits = WORDS.find(folded.scan());
        assert_eq!(beside_births(folded.text(), &hits, jiff::civil::date(2026, 11, 21)).len(), 1);
    }

    #[test]
    fn professionals_signatures_and_placeholders_are_no_patients() {
        assert!(names("Dr. Maria Quillon will see you").is_empty());
        assert!(names("with Maria Quillon, RN at noon").is_empty());
        assert!(names("Thanks,\nMaria Quillon\n").is_empty());
        assert!(names("the form for Jane Doe is").is_empty());
        assert!(names("the patient was seen").is_empty());
    }
}
