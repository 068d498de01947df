//! Says what stands out about how a message was sent: to whom, by a machine, as a part of several.
//!
//! Addresses and subject lines are read from the header and forgotten with the message; what is left are words.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use mail_parser::{Address, HeaderName, Message};

use super::detect::words::WORDS;
use crate::names::DomainName;

/// So many recipients make a message group mail.
const MANY_RECIPIENTS: usize = 10;
/// So many addresses at providers of mailboxes for everybody are patients or families who see each other.
const MANY_CONSUMERS: usize = 5;
/// A message of this size holds more than a letter.
const LARGE_BYTES: usize = 10 * 1024 * 1024;
/// Recipients of one message that are looked at.
const RECIPIENTS: usize = 10_000;

/// What is told of every message, besides [`TO_OUTSIDE`].
pub(super) const TOLD: [&str; 7] = [
    "automatic-reply",
    "large",
    super::tally::MANY_INDIVIDUALS_WORD,
    "many-recipients",
    "part-of-several",
    "to-consumer-webmail",
    "to-many-consumers",
];
/// What is told where the organization's own domains are known.
pub(super) const TO_OUTSIDE: &str = "to-outside";

/// What stands out of a message of so many bytes. `own` are the organization's domains.
pub(super) fn of(message: &Message<'_>, bytes: usize, own: &[DomainName]) -> BTreeSet<&'static str> {
    let sender = message.from().or_else(|| message.sender());
    let sender = sender.and_then(Address::first).and_then(|address| domain(address.address()?));
    let all = recipients(message, &[HeaderName::To, HeaderName::Cc, HeaderName::Bcc]);
    let shown = recipients(message, &[HeaderName::To, HeaderName::Cc]);
    let is_own = |domain: &str| own.iter().any(|own| is_within(domain, own.as_str()));
    let consumers = |addresses: &BTreeSet<String>| {
        addresses
            .iter()
            .filter(|address| domain(address).is_some_and(|domain| WORDS.is_consumer_domain(domain)))
            .count()
    };
    // Where the own domains are known, others' offices are others' business.
    let of_an_office =
        sender.is_some_and(|sender| !WORDS.is_consumer_domain(sender) && (own.is_empty() || is_own(sender)));
    let leaves = all.iter().any(|address| domain(address).is_some_and(|domain| !is_own(domain)));
    let told = [
        ("automatic-reply", is_automatic_reply(message)),
        ("large", bytes >= LARGE_BYTES),
        ("many-recipients", all.len() >= MANY_RECIPIENTS),
        ("part-of-several", message.subject().is_some_and(is_part_of_several)),
        ("to-consumer-webmail", of_an_office && consumers(&all) > 0),
        ("to-many-consumers", of_an_office && consumers(&shown) >= MANY_CONSUMERS),
        (TO_OUTSIDE, sender.is_some_and(is_own) && leaves),
    ];
    told.into_iter().filter(|(_, is_so)| *is_so).map(|(word, _)| word).collect()
}

/// What a message's thread is known by, and its day with the people it names, in memory only: a password mostly
/// follows in an answer, or in a message of its own to the same people on the same day.
pub(super) fn threads(message: &Message<'_>) -> Vec<u64> {
    let hash = |what: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        what(&mut hasher);
        hasher.finish()
    };
    let first_id = |name: HeaderName<'static>| {
        let ids = message.header_raw(name)?;
        ids.split(['<', '>', ' ', '\t', '\r', '\n']).find(|id| id.contains('@')).map(str::to_owned)
    };
    // The first reference began the thread (RFC 5322 §3.6.4).
    let root = [HeaderName::References, HeaderName::InReplyTo, HeaderName::MessageId].into_iter().find_map(first_id);
    let mut people = recipients(message, &[HeaderName::To, HeaderName::Cc, HeaderName::Bcc]);
    people.extend(message.from().and_then(Address::first).and_then(|address| address.address()).map(lower));
    let day = message.date().map(|date| (date.year, date.month, date.day));
    let by_day = day.filter(|_| people.len() >= 2).map(|day| hash(&|hasher| (day, &people).hash(hasher)));
    root.map(|root| hash(&|hasher| root.hash(hasher))).into_iter().chain(by_day).collect()
}

/// The different addresses of these fields, in lower case; a message may have several of a name, against RFC 5322.
fn recipients(message: &Message<'_>, names: &[HeaderName<'_>]) -> BTreeSet<String> {
    let fields = message.headers().iter().filter(|header| names.contains(&header.name));
    let addresses = fields.filter_map(|field| field.value().as_address()).flat_map(Address::iter).take(RECIPIENTS);
    addresses.filter_map(|address| address.address()).map(lower).collect()
}

fn lower(address: &str) -> String {
    address.trim().to_ascii_lowercase()
}

fn domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain.trim()).filter(|domain| !domain.is_empty())
}

fn is_within(domain: &str, own: &str) -> bool {
    let Some(start) = domain.len().checked_sub(own.len()) else { return false };
    let (below, end) = domain.as_bytes().split_at(start);
    end.eq_ignore_ascii_case(own.as_bytes()) && (below.is_empty() || below.ends_with(b"."))
}

/// By RFC 3834 section 5, the fields that came before it, and the subject lines that Exchange gives its replies.
fn is_automatic_reply(message: &Message<'_>) -> bool {
    let says = |name: &'static str, word: &str| {
        let value = message.header_raw(name).unwrap_or_default().trim();
        value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    const SUBJECTS: [&str; 8] = [
        "auto reply:",
        "auto-reply:",
        "automatic reply:",
        "autoreply:",
        "out of office autoreply:",
        "out of office:",
        "respuesta automatica:",
        "respuesta automática:",
    ];
    let subject = message.subject().unwrap_or_default().trim_start().to_lowercase();
    says("Auto-Submitted", "auto-replied")
        || says("Precedence", "auto_reply")
        || says("Precedence", "auto-reply")
        || message.header_raw("X-Autoreply").is_some_and(|value| !value.trim().eq_ignore_ascii_case("no"))
        || message.header_raw("X-Autorespond").is_some()
        || SUBJECTS.iter().any(|start| subject.starts_with(start))
}

/// Whether a subject numbers its message: `records (2 of 5)`, `part 1/3`. In brackets `3/4` is a day.
fn is_part_of_several(subject: &str) -> bool {
    const MOST: u32 = 99;
    let subject = subject.to_lowercase();
    let number = |text: &str| -> Option<(u32, usize)> {
        let length = text.bytes().take(3).take_while(u8::is_ascii_digit).count();
        Some((text.get(..length)?.parse().ok()?, length))
    };
    let begins = |(at, _): (usize, char)| {
        let before = subject[..at].trim_end_matches(['#', ' ']);
        let is_part = ["part", "parte", "pt", "pt.", "packet"]
            .iter()
            .any(|word| before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric())));
        let is_numbered = is_part || before.ends_with(['(', '[']);
        let Some((one, length)) = number(&subject[at..]).filter(|_| is_numbered) else { return false };
        let rest = subject[at + length..].trim_start();
        let words = if is_part { &["of", "de", "/"][..] } else { &["of", "de"] };
        let all = words.iter().find_map(|word| rest.strip_prefix(word)).map(str::trim_start);
        all.and_then(|all| number(all).map(|(number, length)| (number, &all[length..]))).is_some_and(|(all, after)| {
            let is_date = after.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '/' | '-'));
            (2..=MOST).contains(&all) && (1..=all).contains(&one) && !is_date
        })
    };
    subject.char_indices().filter(|(_, c)| c.is_ascii_digit()).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;

    fn sendings(header: &str, own: &[&str]) -> Vec<&'static str> {
        let mail = format!("{header}\r\n\r\nInvented text.\r\n");
        let own: Vec<DomainName> = own.iter().map(|name| name.parse().unwrap()).collect();
        of(&MessageParser::default().parse(mail.as_bytes()).unwrap(), mail.len(), &own).into_iter().collect()
    }

    #[test]
    fn who_gets_it_is_told_by_the_domains_of_sender_and_recipients() {
        let from = "From: desk@clinic.example\r\nTo:";
        assert!(sendings(&format!("{from} a@clinic.example, b@mail.clinic.example"), &["clinic.example"]).is_empty());
        assert_eq!(sendings(&format!("{from} a@lab.example"), &["clinic.example"]), ["to-outside"]);
        assert_eq!(sendings(&format!("{from} a@notclinic.example"), &["clinic.example"]), ["to-outside"]);
        assert!(sendings(&format!("{from} a@lab.example"), &[]).is_empty(), "own domains are not known");
        assert!(sendings("From: a@lab.example\r\nTo: desk@clinic.example", &["clinic.example"]).is_empty());
        assert_eq!(sendings(&format!("{from} zq@gmail.com"), &[]), ["to-consumer-webmail"]);
        assert!(sendings("From: zq@gmail.com\r\nTo: xq@yahoo.com", &[]).is_empty(), "no office wrote it");
    }

    #[test]
    fn many_are_counted_once_each_and_over_all_fields() {
        let list = |count: usize, domain: &str| {
            (0..count).map(|number| format!("p{number}@{domain}")).collect::<Vec<_>>().join(", ")
        };
        let from = "From: desk@clinic.example\r\nTo:";
        assert_eq!(
            sendings(&format!("{from} {}", list(5, "gmail.com")), &[]),
            ["to-consumer-webmail", "to-many-consumers"]
        );
        let blind = format!("{from} office@clinic.example\r\nBcc: {}", list(6, "gmail.com"));
        assert_eq!(sendings(&blind, &[]), ["to-consumer-webmail"], "nobody sees the others");
        let theirs = format!("From: news@lab.example\r\nTo: {}", list(6, "gmail.com"));
        assert!(sendings(&theirs, &["clinic.example"]).is_empty(), "another office wrote it");
        let copied = format!("{from} {}\r\nCc: {}", list(9, "lab.example"), list(9, "LAB.example"));
        assert!(sendings(&copied, &[]).is_empty(), "nine people named twice");
        assert_eq!(
            sendings(&format!("{from} {}\r\nBcc: x@lab.example", list(9, "lab.example")), &[]),
            ["many-recipients"]
        );
    }

    #[test]
    fn every_field_of_recipients_counts_and_a_sender_stands_for_a_writer() {
        let list: Vec<_> = (0..6).map(|number| format!("p{number}@gmail.com")).collect();
        let told = ["to-consumer-webmail", "to-many-consumers"];
        for fields in [
            format!("From: desk@clinic.example\r\nTo: {}\r\nTo: a@clinic.example", list.join(", ")),
            format!("From: desk@clinic.example\r\nTo: a@clinic.example\r\nTo: {}", list.join(", ")),
            format!("From: desk@clinic.example\r\nCc: {}\r\nCc: {}", list[..3].join(", "), list[3..].join(", ")),
            format!("Sender: desk@clinic.example\r\nTo: {}", list.join(", ")),
        ] {
            assert_eq!(sendings(&fields, &[]), told, "{fields}");
        }
    }

    #[test]
    fn automatic_replies_say_so_and_notices_are_none() {
        for field in [
            "Auto-Submitted: auto-replied (vacation)",
            "X-Autoreply: yes",
            "X-Autorespond:",
            "Precedence: auto_reply",
            "Precedence: auto-reply",
            "Subject: Automatic reply: your refill",
            "Subject: Out of Office AutoReply: your refill",
            "Subject: Auto-Reply: your refill",
            "Subject: Respuesta automatica: su receta",
            "Subject: =?utf-8?q?Respuesta_autom=C3=A1tica=3A?= su receta",
        ] {
            assert_eq!(sendings(field, &[]), ["automatic-reply"], "{field}");
        }
        for field in ["Auto-Submitted: auto-generated\r\nSubject: Your automatic reply settings", "X-Autoreply: no"] {
            assert!(sendings(field, &[]).is_empty(), "{field}");
        }
    }

    #[test]
    fn parts_are_numbered_in_the_subject() {
        for subject in ["records (2 of 5)", "Fwd: Part 1/3 chart", "[3 of 3] scans", "Parte 2 de 4", "pt. 1 of 2"] {
            assert_eq!(sendings(&format!("Subject: {subject}"), &[]), ["part-of-several"], "{subject}");
        }
        for subject in [
            "seen 3/4",
            "(5 of 2)",
            "1 of 3 nurses is out",
            "BP 120/80",
            "(1 of 1)",
            "depart 1/3",
            "part 0/3",
            "Your visit (3/12/2026)",
            "Labs [01/15/26]",
            "Results (10/12)",
            "your email 3/4",
            "pt 3/14/1951",
        ] {
            assert!(sendings(&format!("Subject: {subject}"), &[]).is_empty(), "{subject}");
        }
    }

    #[test]
    fn a_thread_is_its_first_message_or_one_day_with_the_same_people() {
        let known = |header: &str| {
            let mail = format!("{header}\r\n\r\nInvented.\r\n");
            threads(&MessageParser::default().parse(mail.as_bytes()).unwrap())
        };
        let meets = |one: &[u64], other: &[u64]| one.iter().any(|key| other.contains(key));
        let date = "Date: Wed, 4 Mar 2026 10:00:00 +0000";
        let first = known(&format!("Message-ID: <1@a.example>\r\nFrom: a@a.example\r\nTo: B@b.example\r\n{date}"));
        let answer = known("Message-ID: <2@b.example>\r\nReferences: <1@a.example> <x@y.example>");
        let same_day = known(&format!("Message-ID: <3@a.example>\r\nFrom: A@a.example\r\nTo: b@b.example\r\n{date}"));
        let to_another = known(&format!("Message-ID: <4@a.example>\r\nFrom: a@a.example\r\nTo: c@c.example\r\n{date}"));
        assert!(meets(&first, &answer) && meets(&first, &same_day));
        assert!(!meets(&first, &to_another) && !meets(&answer, &same_day));
    }
}
