//! Tells from the header who writes to whom: a person from outside or a colleague, a person or an
//! office.
//!
//! A patient's mail mostly looks like this: it comes from another domain than the one it goes to, and
//! its sender is called like a person. Nothing here is shown or kept; addresses and names are read
//! from the header and forgotten with the message.

use mail_parser::{Addr, Address, Message};

use super::detect::words::{WORDS, is_given_name, is_no_name, is_surname};
use super::fold::Folded;

/// Who takes part in a message.
#[derive(Default)]
pub(super) struct Correspondents {
    /// The sender writes from a provider of mailboxes for everybody.
    pub(super) personal_sender: bool,
    /// The sender is called like a person and writes from another domain than all recipients.
    pub(super) outside_person: bool,
    /// The message goes to one address, of another domain, that is called like a person.
    pub(super) to_outside_person: bool,
    /// The words of the name of each who writes or reads for the office, in lower case: they are
    /// mostly no patients. A person outside to whom the office writes may well be one.
    pub(super) names: Vec<Vec<Vec<u8>>>,
}

impl Correspondents {
    /// Reads From, To and Cc.
    pub(super) fn of(message: &Message<'_>) -> Self {
        let from = message.from().and_then(Address::first);
        let to: Vec<&Addr<'_>> = message.to().into_iter().flat_map(Address::iter).take(100).collect();
        let cc: Vec<&Addr<'_>> = message.cc().into_iter().flat_map(Address::iter).take(100).collect();
        let sender_domain = from.and_then(domain);
        let mut domains = to.iter().chain(&cc).filter_map(|address| domain(address)).peekable();
        let elsewhere = domains.peek().is_some() && domains.all(|domain| Some(&domain) != sender_domain.as_ref());
        let personal_sender = sender_domain.as_deref().is_some_and(|domain| WORDS.is_consumer_domain(domain));
        let outside_person = elsewhere && from.is_some_and(is_person);
        let of_the_office =
            |address: &&&Addr<'_>| outside_person || domain(address) == sender_domain || !is_person(address);
        let reading = to.iter().chain(&cc).filter(of_the_office).copied();
        let names = from.into_iter().chain(reading).map(|address| {
            let words = display(address).into_iter().map(|word| word.to_ascii_lowercase());
            words.filter(|word| word.len() >= 2).collect::<Vec<_>>()
        });
        let names = names.filter(|words| !words.is_empty()).collect();
        Self {
            personal_sender,
            outside_person,
            to_outside_person: elsewhere && to.len() == 1 && cc.is_empty() && is_person(to[0]),
            names,
        }
    }
}

fn domain(address: &Addr<'_>) -> Option<String> {
    let (_, domain) = address.address()?.rsplit_once('@')?;
    Some(domain.trim().to_ascii_lowercase())
}

/// The words of the display name, in ASCII.
fn display(address: &Addr<'_>) -> Vec<Vec<u8>> {
    let shown: String = address.name().unwrap_or_default().chars().take(128).collect();
    let (folded, _) = Folded::of(&[&shown]);
    folded
        .text()
        .split(|byte| !(byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-' | b'.' | b'&')))
        .filter(|word| !word.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// Whether an address belongs to a person rather than to an office, and to none who cures for a living.
fn is_person(address: &Addr<'_>) -> bool {
    const TITLES: [&[u8]; 11] =
        [b"dr", b"dr.", b"dra", b"dra.", b"prof", b"prof.", b"pa-c", b"phd", b"cpa", b"pharmd", b"lic."];
    /// Degrees in capitals; otherwise names of people, as `Maria Do` and `Md Rahman`.
    const DEGREES: [&[u8]; 5] = [b"MD", b"RN", b"DO", b"NP", b"ESQ"];
    let words = display(address);
    let full = address.address().unwrap_or_default();
    let local = full.split('@').next().unwrap_or_default().to_ascii_lowercase();
    // Where everything is in capitals a degree cannot be told from a name.
    let in_capitals = words.iter().all(|word| !word.iter().any(u8::is_ascii_lowercase));
    let cures = |word: &Vec<u8>| {
        TITLES.contains(&&*word.to_ascii_lowercase()) || (!in_capitals && DEGREES.contains(&word.as_slice()))
    };
    if words.iter().any(cures) {
        return false;
    }
    let parts: Vec<&str> = local.split(['.', '_', '-']).filter(|part| !part.is_empty()).collect();
    let called = |part: &str| is_given_name(part.trim_end_matches(|c: char| c.is_ascii_digit()).as_bytes());
    let dotted = parts.len() == 2
        && !parts.iter().any(|part| is_no_name(part.as_bytes()))
        && (called(parts[0]) || parts[0].len() == 1);
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => {
            let office = words.iter().any(|word| word.len() > 2 && is_no_name(word) && !is_given_name(word));
            let in_address = last.len() >= 3 && local.contains(&*String::from_utf8_lossy(last).to_ascii_lowercase());
            let family = words.len() >= 2 && last.split(|byte| *byte == b'-').any(is_surname);
            !office
                && words.len() <= 5
                && (is_given_name(first) || family || (words.len() >= 2 && in_address) || dotted)
                || (dotted && words.len() <= 3)
        }
        _ => dotted || full.rsplit('@').next().is_some_and(|domain| WORDS.is_consumer_domain(domain)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;

    fn of(header: &str) -> Correspondents {
        let raw = format!("{header}\r\nSubject: x\r\n\r\nx");
        Correspondents::of(&MessageParser::default().parse(raw.as_bytes()).unwrap())
    }

    #[test]
    fn people_from_outside_are_told_from_offices_and_colleagues() {
        for from in ["Zorba Quillon <zquillon@home.example>", "ana.quillon@home.example", "Maria <m77@home.example>"] {
            assert!(of(&format!("From: {from}\r\nTo: desk@clinic.example")).outside_person, "{from}");
        }
        for from in [
            "Maria Quillon <mquillon@clinic.example>",
            "Regional Imaging <images@scans.example>",
            "billing@plan.example",
            "Dr. Maria Quillon <maria@cardio.example>",
        ] {
            assert!(!of(&format!("From: {from}\r\nTo: desk@clinic.example")).outside_person, "{from}");
        }
    }

    #[test]
    fn a_family_name_is_no_degree() {
        assert!(of("From: Maria Do <maria.do@home.example>\r\nTo: desk@clinic.example").outside_person);
        assert!(!of("From: \"Maria Quillon, DO\" <maria@cardio.example>\r\nTo: desk@clinic.example").outside_person);
    }

    #[test]
    fn the_person_outside_who_reads_is_no_member_of_the_office() {
        let header = "From: Ana Ruiz <ana@clinic.example>\r\nTo: Maria Quillon <mq@home.example>\r\nCc: Bo Li <bo@clinic.example>";
        let names: Vec<_> = of(header).names.iter().map(|words| words.join(&b' ')).collect();
        assert_eq!(names, [b"ana ruiz".to_vec(), b"bo li".to_vec()]);
    }

    #[test]
    fn a_letter_to_one_person_outside_is_told_from_one_to_many() {
        let to = "From: desk@clinic.example\r\nTo: Zorba Quillon <zquillon@home.example>";
        assert!(of(to).to_outside_person);
        assert!(!of(&format!("{to}, Ana Quillon <ana@home.example>")).to_outside_person);
    }
}
