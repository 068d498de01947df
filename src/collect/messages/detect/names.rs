//! Finds what looks like the name of a person other than a professional or the writer.
//!
//! A name alone identifies nobody for us: it supports other evidence, or makes a message worth a
//! look. Signatures (a name alone on its line) and names with a title or degree of the trade are
//! left out.

pub(crate) mod lone;

use jiff::civil::Date;

use super::words::{Class, Classes, Hit, Marks, is_given_name, is_no_name};

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
pub(crate) fn find(text: &[u8], marks: &Marks) -> Vec<Name> {
    let hits = &marks.hits;
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
            let name = name
                .filter(|name| !text[name.start..name.end].split(|byte| !byte.is_ascii_alphabetic()).any(is_no_name));
            name.map(|name| Name { labelled: true, ..name })
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
    names.extend(pairs(text, marks));
    names.sort_by_key(|name| (name.start, std::cmp::Reverse(name.labelled)));
    names.dedup_by(|later, earlier| later.start < earlier.end);
    names
}

/// A word with a capital letter.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
}

/// What stands between two words of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Comma,
    Space,
    Underscore,
}

/// Two words with capital letters of which one is a given name, or which stand where people do.
fn pairs(text: &[u8], marks: &Marks) -> Vec<Name> {
    let hits = &marks.hits;
    let mut names = Vec::new();
    let mut until = 0;
    for &start in &marks.capitals {
        if start < until || names.len() >= MOST {
            continue;
        }
        let first = Word { start, end: start + capitalised(text, start) };
        until = first.end;
        let Some(name) = pair(text, hits, first) else { continue };
        let index = hits.partition_point(|hit| hit.start < name.start);
        until = name.end;
        if !(is_professional(text, name, hits, index) || is_placeholder(name, hits) || alone_on_line(text, name)) {
            names.push(name);
        }
    }
    names
}

fn pair(text: &[u8], hits: &[Hit], first: Word) -> Option<Name> {
    let word = |word: Word| &text[word.start..word.end];
    let (between, second) = next_word(text, first.end)?;
    let strange = |word: Word| is_no_name(&text[word.start..word.end]) || is_listed(hits, word);
    let name = Name { start: first.start, end: second.end, labelled: false };
    let lone = |word: Word| word.end - word.start == 1;
    if lone(first) {
        // `for O. Quillon`: an initial counts where somebody is spoken of.
        return (between == Between::Space && !lone(second) && !strange(second) && is_introduced(text, first.start))
            .then_some(name);
    }
    if lone(second) || is_saint(word(first)) {
        return None;
    }
    let loud = |w: Word| word(w).iter().all(|byte| !byte.is_ascii_lowercase());
    match between {
        Between::Comma => {
            let given = is_given_name(word(second)) && (!is_given_name(word(first)) || loud(first));
            // `DUNNELLY, XANTHIPPA`, as systems print patients.
            let printed = loud(first) && loud(second) && first.end - first.start >= 4 && second.end - second.start >= 4;
            ((given || printed && !strange(second)) && !strange(first)).then_some(name)
        }
        Between::Underscore => {
            let given = is_given_name(word(first)) || is_given_name(word(second));
            (given && !strange(first) && !strange(second)).then_some(name)
        }
        Between::Space => {
            if strange(second) {
                return None;
            }
            // `Ana Ruiz Clinic`, `Agnes Quillon Street`.
            let third = next_word(text, second.end).filter(|(between, _)| *between == Between::Space);
            if third.is_some_and(|(_, third)| is_no_name(word(third)) && third.end - third.start > 2) {
                return None;
            }
            let given = is_given_name(word(first)) && !is_listed(hits, first);
            let reversed = loud(first) && loud(second) && is_given_name(word(second)) && !strange(first);
            let spoken_of = || {
                !strange(first)
                    && (is_introduced(text, first.start)
                        || (!is_a_thing(text, first.start) && does_something(text, second.end)))
            };
            (given || reversed || spoken_of()).then_some(name)
        }
    }
}

/// The next word with a capital letter, past a space, a comma, an underscore, an initial, or `de la`.
fn next_word(text: &[u8], end: usize) -> Option<(Between, Word)> {
    let mut at = end;
    let between = match text.get(at)? {
        b' ' => Between::Space,
        b'_' => Between::Underscore,
        b',' => Between::Comma,
        b'.' if at >= 1 && (at == 1 || !text[at - 2].is_ascii_alphanumeric()) => {
            at += 1;
            if text.get(at) != Some(&b' ') {
                at -= 1;
            }
            Between::Space
        }
        _ => return None,
    };
    at += 1;
    if between == Between::Comma && text.get(at) == Some(&b' ') {
        at += 1;
    }
    for link in [&b"de la "[..], b"de los ", b"de ", b"del ", b"van ", b"von ", b"y "] {
        if between == Between::Space && text[at..].starts_with(link) {
            at += link.len();
            break;
        }
    }
    let mut length = capitalised(text, at);
    // A middle initial.
    if length == 1 && matches!(text.get(at + 1), Some(b'.' | b' ')) {
        let after = at + 1 + usize::from(text[at + 1] == b'.');
        let further = after + usize::from(text.get(after) == Some(&b' '));
        let longer = capitalised(text, further);
        if longer >= 2 {
            at = further;
            length = longer;
        }
    }
    (length > 0).then_some((between, Word { start: at, end: at + length }))
}

/// Whether a word is on a list of words of health, labels or trades.
fn is_listed(hits: &[Hit], word: Word) -> bool {
    const KEPT: Classes = Classes::one(Class::FirstPerson).and(Class::Title);
    hits[hits.partition_point(|hit| hit.end <= word.start)..]
        .iter()
        .take_while(|hit| hit.start < word.end)
        .any(|hit| !hit.classes.meets(KEPT))
}

fn is_saint(word: &[u8]) -> bool {
    [&b"san"[..], b"santa", b"saint", b"st", b"fort", b"port", b"lake", b"mount"]
        .iter()
        .any(|saint| word.eq_ignore_ascii_case(saint))
}

/// Whether the word before says that a person follows.
fn is_introduced(text: &[u8], start: usize) -> bool {
    const WORDS: [&[u8]; 58] = [
        b"for",
        b"of",
        b"re",
        b"about",
        b"on",
        b"patient",
        b"pt",
        b"resident",
        b"student",
        b"client",
        b"member",
        b"sister",
        b"brother",
        b"aunt",
        b"uncle",
        b"mother",
        b"father",
        b"mom",
        b"dad",
        b"son",
        b"daughter",
        b"wife",
        b"husband",
        b"grandson",
        b"granddaughter",
        b"nephew",
        b"niece",
        b"neighbor",
        b"friend",
        b"is",
        b"am",
        b"named",
        b"called",
        b"saw",
        b"see",
        b"nombre",
        b"soy",
        b"de",
        b"para",
        b"sobre",
        b"que",
        b"paciente",
        b"hijo",
        b"hija",
        b"mama",
        b"papa",
        b"esposo",
        b"esposa",
        b"hermano",
        b"hermana",
        b"abuela",
        b"abuelo",
        b"trabajador",
        b"trabajadora",
        b"alumno",
        b"alumna",
        b"asegurado",
        b"asegurada",
    ];
    let end = start - text[..start].iter().rev().take(3).take_while(|byte| matches!(byte, b' ' | b':' | b'-')).count();
    let length = text[..end].iter().rev().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
    end < start && WORDS.iter().any(|word| text[end - length..end].eq_ignore_ascii_case(word))
}

/// Whether the word before makes what follows a thing: `our Spam Filter is`.
fn is_a_thing(text: &[u8], start: usize) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"the", b"our", b"your", b"a", b"an", b"this", b"that", b"their", b"its", b"any", b"each", b"every", b"un",
        b"una", b"nuestro", b"este",
    ];
    let length =
        text[..start.saturating_sub(1)].iter().rev().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let end = start.saturating_sub(1);
    text.get(end) == Some(&b' ') && WORDS.iter().any(|word| text[end - length..end].eq_ignore_ascii_case(word))
}

/// Whether what follows two words is what people do: a verb, an age, a number in brackets.
fn does_something(text: &[u8], end: usize) -> bool {
    const VERBS: [&[u8]; 62] = [
        b"is",
        b"was",
        b"has",
        b"had",
        b"needs",
        b"need",
        b"called",
        b"calls",
        b"says",
        b"said",
        b"told",
        b"wants",
        b"wanted",
        b"came",
        b"comes",
        b"went",
        b"will",
        b"would",
        b"cannot",
        b"can't",
        b"didn't",
        b"doesn't",
        b"hasn't",
        b"isn't",
        b"wasn't",
        b"won't",
        b"refuses",
        b"refused",
        b"reports",
        b"reported",
        b"states",
        b"stated",
        b"denies",
        b"denied",
        b"complains",
        b"asks",
        b"asked",
        b"saw",
        b"took",
        b"takes",
        b"started",
        b"stopped",
        b"fell",
        b"died",
        b"left",
        b"got",
        b"gets",
        b"returned",
        b"tiene",
        b"tuvo",
        b"esta",
        b"estaba",
        b"fue",
        b"vino",
        b"dice",
        b"dijo",
        b"pide",
        b"necesita",
        b"quiere",
        b"no",
        b"ya",
        b"llego",
    ];
    let rest = &text[end..text.len().min(end + 16)];
    if rest.starts_with(b"'s ") {
        return true;
    }
    let mark = rest.iter().take(3).take_while(|byte| matches!(byte, b' ' | b'(' | b',' | b'-')).count();
    let word = &rest[mark.min(rest.len())..];
    let length = word.iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'\'').count();
    mark > 0 && (word.first().is_some_and(u8::is_ascii_digit) || VERBS.contains(&&word[..length]))
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
        let before = start - gap;
        let Some(name) = two_words_before(text, before).or_else(|| initials_before(text, before)) else { continue };
        let listed =
            hits[hits.partition_point(|hit| hit.end <= name.start)..].first().is_some_and(|hit| hit.start < name.end);
        let born = super::values::date(&text[start..text.len().min(start + 12)], today)
            .is_some_and(|(date, _)| super::values::birth(date, today) && today.year() - date.year() > YEARS);
        if born && !listed {
            names.push(Name { labelled: true, ..name });
        }
    }
    names
}

/// `Z.Q.` right before `end`.
fn initials_before(text: &[u8], end: usize) -> Option<Name> {
    let start = end.checked_sub(4)?;
    let [first, b'.', second, b'.'] = text[start..end] else { return None };
    let apart = start == 0 || !text[start - 1].is_ascii_alphanumeric();
    (apart && first.is_ascii_uppercase() && second.is_ascii_uppercase()).then_some(Name { start, end, labelled: true })
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
    hits[hits.partition_point(|hit| hit.end <= name.start)..]
        .iter()
        .take_while(|hit| hit.start < name.end)
        .any(|hit| hit.classes.has(Class::PlaceholderName))
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
        names_by(find, text)
    }

    pub(super) fn names_by(find: impl Fn(&[u8], &Marks) -> Vec<Name>, text: &str) -> Vec<String> {
        let (folded, _) = Folded::of(&[text]);
        find(folded.text(), &WORDS.find(&folded))
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
    fn a_strange_name_is_known_by_what_stands_around_it() {
        assert_eq!(names("then Xyloph Quillon called again"), ["Xyloph Quillon"]);
        assert_eq!(names("the chart of Xyloph Quillon and more"), ["Xyloph Quillon"]);
        assert_eq!(names("wound_Hester_Quillon_1925.doc"), ["Hester_Quillon"]);
        assert_eq!(names("result for X. Quillon came"), ["X. Quillon"]);
        assert!(names("our Xyloph Quillon is set to block this").is_empty());
        assert!(names("at Agnes Quillon Hospital or the Maria Street office").is_empty());
        assert!(names("Open Monday, Friday Hours, Virginia Beach, San Juan").is_empty());
    }

    #[test]
    fn a_day_of_years_ago_after_two_words_makes_them_a_name() {
        let text = "about Xanthe Quillon (7/2/48) and Health Fair (7/2/2026)";
        let (folded, _) = Folded::of(&[text]);
        let hits = WORDS.find(&folded).hits;
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
