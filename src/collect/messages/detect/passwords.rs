//! Sees that a password is stated: `Password: Zx48-quill`. The password itself stays in the text.

use super::words::{Class, Hit};

/// Whether one of the words for a password is followed by one.
pub(super) fn is_stated(text: &[u8], hits: &[Hit]) -> bool {
    hits.iter().filter(|hit| hit.classes.has(Class::Password)).any(|hit| {
        let before = text[..hit.start].rsplit(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        states_one(&text[hit.end..], before.trim_ascii_end().ends_with(b":"))
    })
}

/// Whether a colon, an equals sign or `is` stands further on the line, and after it what nobody says in words. In a
/// form the line above is a label too.
fn states_one(rest: &[u8], in_form: bool) -> bool {
    /// Words between, as in `password for the attached file is`.
    const REACH: usize = 60;
    const VERBS: [&[u8]; 4] = [b"is ", b"es ", b"sera ", b"will be "];
    let rest = &rest[..rest.len().min(2 * REACH)];
    let mut lines = rest.split(|byte| *byte == b'\n');
    let line = lines.next().unwrap_or_default();
    let reach = line.len().min(REACH);
    let mark = line[..reach].iter().position(|byte| matches!(byte, b':' | b'=')).map(|at| at..at + 1);
    let verb = (0..reach).filter(|at| *at == 0 || line[at - 1] == b' ').find_map(|at| {
        let verb = VERBS.iter().find(|verb| line[at..].starts_with(verb))?;
        Some(at..at + verb.len())
    });
    // Pages give it on a line of its own.
    let next = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty()).unwrap_or_default();
    let verb_end = verb.as_ref().map(|verb| verb.end);
    let places = [(mark, true), (verb, false)].map(|(place, is_mark)| Some((place?, is_mark)));
    let first = places.iter().flatten().map(|(place, _)| place.start).min().unwrap_or_default();
    places.into_iter().flatten().any(|(place, is_mark)| {
        // The next sentence may speak of something else.
        let ends = |pair: &[u8]| matches!(pair, [b'.' | b'!' | b'?', b' ']);
        if line[first..place.start].windows(2).any(ends) {
            return false;
        }
        // `Password expires: 11/30/2026`.
        let may_be_day = !line[..place.start].iter().any(u8::is_ascii_alphabetic);
        let opens = match verb_end {
            Some(end) if is_mark && end <= place.start => Opens::of(&line[end..place.start]),
            _ if is_mark => Opens::Alone,
            _ => Opens::Sign,
        };
        let may_be_alone = match opens {
            Opens::Alone => true,
            Opens::Sign => false,
            Opens::Nothing => return false,
        };
        match line[place.end..].trim_ascii() {
            // A form that nobody filled in goes on with its day.
            [] if is_mark => is_no_talk(next, false, may_be_day && !in_form),
            value => is_no_talk(value, may_be_alone, may_be_day),
        }
    })
}

/// What the words in front of a value say of it.
enum Opens {
    /// A password comes, and may be one word alone.
    Alone,
    /// None: `is sent by text message to: 5550100123`.
    Nothing,
    /// One may come that has a digit or a sign within, or stands in quotes.
    Sign,
}

impl Opens {
    /// By what stands between a verb and a colon or an equals sign.
    fn of(between: &[u8]) -> Self {
        const FOLLOWS: [&[u8]; 4] = [b"", b"as follows", b"la siguiente", b"the following"];
        const BIRTH_DATE: [&[u8]; 2] = [b"your date of birth", b"your dob"];
        let between = between.trim_ascii();
        let is_one_of = |openings: &[&[u8]]| openings.iter().any(|opening| between.eq_ignore_ascii_case(opening));
        // `is (without quotes):`, `(it is case sensitive):`.
        let in_brackets = |inner: &[u8]| !inner.contains(&b'(') && !inner.contains(&b')');
        if is_one_of(&FOLLOWS) {
            Self::Alone
        } else if is_one_of(&BIRTH_DATE)
            || between.strip_suffix(b")").is_some_and(|inner| in_brackets(inner.strip_prefix(b"(").unwrap_or(inner)))
        {
            Self::Sign
        } else {
            Self::Nothing
        }
    }
}

/// Whether a value begins with a word that has a digit or a sign within, or that stands in quotes; or, where words
/// may be alone, is one word.
fn is_no_talk(value: &[u8], may_be_alone: bool, may_be_day: bool) -> bool {
    /// What forms and people say in place of one.
    const TALK: [&[u8]; 26] = [
        b"aparte",
        b"attached",
        b"changed",
        b"confidential",
        b"disabled",
        b"enabled",
        b"expired",
        b"follows",
        b"forgotten",
        b"incorrect",
        b"invalid",
        b"needed",
        b"optional",
        b"pending",
        b"protected",
        b"provided",
        b"requerida",
        b"required",
        b"secret",
        b"separate",
        b"separately",
        b"shared",
        b"telephone",
        b"tomorrow",
        b"unchanged",
        b"verbally",
    ];
    let quotes: &[u8] = b"\"'`";
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"(").unwrap_or(value);
    let is_quoted = value.first().is_some_and(|byte| quotes.contains(byte));
    let value = &value[usize::from(is_quoted)..];
    let token = value.split(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'`')).next().unwrap_or_default();
    let ends = token.iter().rev().take_while(|byte| matches!(byte, b'.' | b',' | b';' | b')' | b'\'')).count();
    let token = &token[..token.len() - ends];
    let letters = token.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    let signs = token.len() - letters - digits;
    let is_link = memchr::memmem::find(token, b"://").is_some() || token.contains(&b'/') && letters > 8;
    // `Date: 11/23/2026` below it.
    let is_label = !is_quoted && token.ends_with(b":");
    let is_day = letters == 0 && token.iter().all(|byte| byte.is_ascii_digit() || b"/-.:".contains(byte)) && signs > 0;
    // `Password: wintergreen`, and nothing else on the line.
    let is_alone = may_be_alone
        && token.len() >= 6
        && value.trim_ascii_end().len() <= token.len() + ends
        && !TALK.iter().any(|word| token.eq_ignore_ascii_case(word));
    (4..=64).contains(&token.len())
        && !(is_label || is_link || is_day && !may_be_day)
        && letters + digits >= 3
        && (digits > 0 || is_quoted || is_alone || signs > 0 && !token.contains(&b'-') && !token.contains(&b'\''))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::messages::detect::words::WORDS;
    use crate::collect::messages::fold::Folded;

    fn is_stated_in(text: &str) -> bool {
        let (folded, _) = Folded::of(&[text]);
        is_stated(folded.text(), &WORDS.find(&folded).hits)
    }

    #[test]
    fn a_password_is_told_from_talk_of_one() {
        for text in [
            "Password: Zx48-quill",
            "the password for the attached file is Quillon2026.",
            "PW = 4455quill",
            "Passcode is \"wintergreen\"",
            "La contraseña es Abeto77",
            "pwd:quill!zorba",
            "The password is Quillon2026 (ref: see note)",
            "Password:\nQuillon2026",
            "Password: wintergreen\nRegards",
            "Password:\n\nQuillon2026",
            "Password: (Quillon2026)",
            "The password is as follows: Zx48-quill",
            "The password is the following: wintergreen",
            "La contraseña es la siguiente: Abeto77",
            "Password (it is case sensitive): Zx48-quill",
            "The password is (without quotes): Zx48-quill",
            "Password is your DOB: 03141951",
            "password: 03/14/1951",
            "Password is 03/14/1951.",
            "Password:\n03-14-1951",
            "passwd: Zx48-quill",
            "The password is : wintergreen",
            "The password is the following:\nQuillon2026",
            "The password is your date of birth: 03141951",
            "Clinic portal\nPassword:\n03-14-1951",
            "User name:\nPassword:\nQuillon2026",
        ] {
            assert!(is_stated_in(text), "{text}");
        }
        for text in [
            "Your password is about to expire.",
            "Reset your password: https://portal.clinic.example/reset/4455",
            "The file needs a password. I will call you with it.",
            "password is required",
            "Password: ********",
            "Forgot your password? See page 12.",
            "password-protected file, 3 pages",
            "Please change the password.\nRoom: 1204a",
            "Password: required",
            "Password: see below",
            "Password: (see separate mail)",
            "Password: (sent separately)",
            "Password expires: 11/30/2026",
            "Password expires:\n11/30/2026",
            "The password is required until: 11/30/2026",
            "Your password is about to expire. Ticket: 4455661",
            "Password: see below. The room is 1204a",
            "Password: tomorrow",
            "Password: Confidential",
            "Password:\nRegards,\nZorba",
            "PIN:",
            "The password is sent by text message to: 5550100123",
            "The password is given by phone: 5550100",
            "The password is in a separate e-mail (ref: 4455661).",
            "The password will be sent separately; case no: 4455661",
            "The password is your date of birth in the format: MMDDYYYY",
            "Your password is known to you - questions to: desk@clinic.example",
            "A password is needed to open it; open it with: 7-Zip",
            "The password is the same as last month, name of file: statement_2026.pdf",
            "User name:\nPassword:\n11/23/2026",
            "Password:\nDate: 11/23/2026",
        ] {
            assert!(!is_stated_in(text), "{text}");
        }
    }
}
