//! Finds names of one word, and initials: `Haugenstad`, `Zorba's`, `Z.Q.`.
//!
//! Most words with a capital letter name nobody, and most people who are named alone work there. So only words that
//! families or people are called count, where somebody is spoken of.

use super::{Between, MOST, Name, Word, capitalised, does_something, is_listed, is_professional, next_word};
use crate::collect::messages::detect::words::{Marks, is_given_name, is_no_name, is_surname};

/// Words that are names of people by themselves, `Haugenstad` or `Zorba's`, where somebody is spoken of: not in a
/// greeting, a signature, or the name of an organization.
pub(crate) fn find(text: &[u8], marks: &Marks) -> Vec<Name> {
    let hits = &marks.hits;
    let mut names = Vec::new();
    let mut until = 0;
    for &start in &marks.capitals {
        if start < until || is_of_a_word(text[start - 1]) || names.len() >= MOST {
            continue;
        }
        if let Some(end) = initials(text, start) {
            names.push(Name { start, end, labelled: false });
            until = end;
            continue;
        }
        let length = capitalised(text, start);
        until = start + length;
        let bare = text[start..start + length].strip_suffix(b"'s").unwrap_or(&text[start..start + length]);
        let end = start + bare.len();
        let short = bare.len() < 3 || bare.len() <= 4 && bare.iter().all(u8::is_ascii_uppercase);
        if short || text.get(start + length).is_some_and(|byte| matches!(byte, b'@' | b'_' | b'/')) {
            continue;
        }
        let parts = || bare.split(|byte| *byte == b'-');
        let called = parts().all(|part| part.first().is_some_and(u8::is_ascii_uppercase))
            && parts().any(|part| is_surname(part) || is_given_name(part));
        if !called
            || is_no_name(bare)
            || is_listed(hits, Word { start, end })
            || is_of_an_organization(text, start, end)
        {
            continue;
        }
        let name = Name { start, end, labelled: false };
        // `Xanthe Quillon, MD`: the trade stands after the whole name.
        let family = next_word(text, end).filter(|(between, _)| *between != Between::Underscore);
        let whole = Name { end: family.map_or(end, |(_, word)| word.end), ..name };
        let index = hits.partition_point(|hit| hit.start < start);
        let opens =
            opens_a_sentence(text, start) && !text[end..].starts_with(b"'s") && !is_followed_up(text, whole.end);
        if !(opens
            || [name, whole].into_iter().any(|name| is_professional(text, name, hits, index))
            || is_of_the_house(text, start)
            || is_greeted(text, name))
        {
            names.push(name);
        }
    }
    names
}

fn opens_a_sentence(text: &[u8], start: usize) -> bool {
    let before = text[..start].iter().rev().find(|byte| !matches!(byte, b' ' | b'"' | b'*' | b'-' | b'>'));
    before.is_none_or(|byte| matches!(byte, b'\n' | b'.' | b'!' | b'?' | b':'))
}

/// Whether what follows is said of a person: a verb, a number, an initial, a bracket or a dash.
fn is_followed_up(text: &[u8], end: usize) -> bool {
    let rest = &text[end..text.len().min(end + 3)];
    does_something(text, end)
        || matches!(rest, [b',' | b'(' | b'-' | b';', ..] | [b' ', b'(' | b'-' | b'x' | b'&' | b'=', ..])
        || matches!(rest, [b' ', b'A'..=b'Z', b' ' | b'.' | b',' | b'\n'])
}

/// `our dietitian Xanthe`: one who works there.
fn is_of_the_house(text: &[u8], start: usize) -> bool {
    const OURS: [&[u8]; 4] = [b"our", b"your", b"nuestra", b"nuestro"];
    let before = &text[start.saturating_sub(32)..start];
    let words = before.rsplit(|byte| matches!(byte, b' ' | b'\n')).filter(|word| !word.is_empty());
    words.take(2).any(|word| OURS.iter().any(|own| word.eq_ignore_ascii_case(own)))
}

/// Where `Z.Q.` or `Z.Q.X.` ends: somebody who is to stay unnamed. Not a degree, a place or a time.
fn initials(text: &[u8], start: usize) -> Option<usize> {
    const OTHERS: [&[u8]; 22] = [
        b"A.M.", b"B.A.", b"B.C.", b"B.S.", b"D.C.", b"D.D.S.", b"D.O.", b"D.O.B.", b"E.R.", b"I.D.", b"I.V.", b"J.D.",
        b"L.A.", b"M.A.", b"M.D.", b"N.Y.", b"O.R.", b"P.C.", b"P.M.", b"P.O.", b"R.N.", b"U.S.",
    ];
    let letters = text[start..]
        .chunks_exact(2)
        .take(4)
        .take_while(|pair| pair[0].is_ascii_uppercase() && pair[1] == b'.')
        .count();
    let end = start + 2 * letters;
    let after = text.get(end).copied().unwrap_or(b' ');
    let apart = !after.is_ascii_alphanumeric()
        && text.get(end + 1).is_none_or(|next| after != b' ' || !next.is_ascii_uppercase());
    ((2..=3).contains(&letters) && apart && !OTHERS.contains(&&text[start..end])).then_some(end)
}

fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'\'' | b'-' | b'_' | b'@' | b'.' | b'/')
}

/// Whether another word with a capital letter stands right beside it that is no name of a person.
fn is_of_an_organization(text: &[u8], start: usize, end: usize) -> bool {
    let after = next_word(text, end).filter(|(between, _)| *between == Between::Space);
    let before = text[..start].strip_suffix(b" ").map(|rest| {
        let length = rest.iter().rev().take(24).take_while(|byte| byte.is_ascii_alphabetic()).count();
        &rest[rest.len() - length..]
    });
    after.is_some_and(|(_, word)| is_no_name(&text[word.start..word.end]))
        || before.is_some_and(|word| word.first().is_some_and(u8::is_ascii_uppercase) && is_no_name(word))
}

/// Whether it opens a line as one who is written to, or ends a message.
fn is_greeted(text: &[u8], name: Name) -> bool {
    const CLOSINGS: [&[u8]; 12] = [
        b"thanks,",
        b"thanks",
        b"thx,",
        b"thx",
        b"best,",
        b"regards,",
        b"love,",
        b"gracias,",
        b"gracias",
        b"saludos,",
        b"atte,",
        b"sincerely,",
    ];
    // A greeting is short.
    let before = &text[name.start.saturating_sub(64)..name.start];
    let line = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    let words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    let opens = words == 0 || words <= 3 && line.first().is_some_and(u8::is_ascii_uppercase);
    let closing = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let closes = CLOSINGS.iter().any(|known| closing.eq_ignore_ascii_case(known));
    let after = text[name.end..].iter().find(|byte| **byte != b' ');
    (opens || closes) && after.is_none_or(|byte| matches!(byte, b'\n' | b',' | b':' | b'-' | b'!' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::messages::detect::names::tests::names_by;

    fn names(text: &str) -> Vec<String> {
        names_by(find, text)
    }

    #[test]
    fn one_name_is_found_where_somebody_is_spoken_of() {
        assert_eq!(names("please see why Haugen has a fever"), ["Haugen"]);
        assert_eq!(names("Sergio's results are here"), ["Sergio"]);
        assert_eq!(names("- Haugen (knee), then Huerta x2"), ["Haugen", "Huerta"]);
        assert_eq!(names("the session with Z.Q. at noon, or with Z.Q.X. later"), ["Z.Q.", "Z.Q.X."]);
    }

    #[test]
    fn who_writes_reads_works_there_or_is_a_firm_is_no_patient() {
        assert!(names("Hi Sergio,\nsee below. Thanks, Ingrid\nHaugen").is_empty());
        assert!(names("with Dr. Haugen or Ingrid Haugen, RN, or our dietitian Ingrid today").is_empty());
        assert!(names("at Haugen Hospital, from info@Haugen.example, in the HAN").is_empty());
        assert!(names("in the U.S. at 5 P.M. by an M.D. from L.A. today").is_empty());
        assert!(names("It works. Long-term use of Haugen-type valves").is_empty());
    }
}
