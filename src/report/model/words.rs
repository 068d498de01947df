//! Turns values into words for people: numbers with separators, dates, states, levels.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use crate::report::json::v1::{Grade, Level, Outcome, Severity};

/// A level or severity as the pages show it: word, number of bars, class of the style sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    pub word: String,
    /// Bars filled, 1 to 5; `None` for what has no rank.
    pub rank: Option<u8>,
    pub class: &'static str,
}

impl From<Level> for Tag {
    fn from(level: Level) -> Self {
        let (rank, class) = match level {
            Level::VeryLow => (1, "level-1"),
            Level::Low => (2, "level-2"),
            Level::Moderate => (3, "level-3"),
            Level::High => (4, "level-4"),
            Level::VeryHigh => (5, "level-5"),
        };
        Self { word: level.in_words().to_owned(), rank: Some(rank), class }
    }
}

impl From<Severity> for Tag {
    fn from(severity: Severity) -> Self {
        let (rank, class) = match severity {
            Severity::Info => (1, "level-1"),
            Severity::Low => (2, "level-2"),
            Severity::Medium => (3, "level-3"),
            Severity::High => (4, "level-4"),
            Severity::Critical => (5, "level-5"),
        };
        Self { word: severity.as_str().to_owned(), rank: Some(rank), class }
    }
}

impl Tag {
    /// A tag that says a state, in ink only.
    pub fn plain(word: &str) -> Self {
        Self { word: word.to_owned(), rank: None, class: "plain" }
    }

    /// The hatched tag of what is not known.
    pub fn unknown(word: &str) -> Self {
        Self { word: word.to_owned(), rank: None, class: "unknown" }
    }
}

/// The symbol and word of an outcome, in a terminal and in Markdown.
pub fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Fail => "x fail",
        Outcome::NeedsReview => "! review",
        Outcome::NotApplicable => "- not applicable",
        Outcome::NotAssessed => "? not assessed",
        Outcome::Pass => ". pass",
    }
}

/// `B, system export, hashed`.
pub fn grade_words(grade: Grade) -> String {
    format!("{}, {}", grade.as_str(), grade.in_words())
}

/// Attested only or unknown: the evidence a level should not be trusted on.
pub fn is_low_confidence(grade: Grade) -> bool {
    match grade {
        Grade::A | Grade::B | Grade::C | Grade::D => false,
        Grade::E | Grade::U => true,
    }
}

/// Digits in groups of three: `12,345`.
pub fn number(value: impl TryInto<u64>) -> String {
    let Ok(value) = value.try_into() else { return "a negative number".to_owned() };
    let digits = value.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 check`, `12 checks`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(count as u64), if count == 1 { one } else { many })
}

/// `2026-10-03 14:05 UTC`.
pub fn moment(instant: Timestamp) -> String {
    let text = instant.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    format!("{day} {} UTC", time.get(..5).unwrap_or(time))
}

/// The date, or the words for none.
pub fn day_or(day: Option<Date>, otherwise: &str) -> String {
    day.map_or_else(|| otherwise.to_owned(), |day| day.to_string())
}

/// `yes` and `no`.
pub fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Our identifiers as words: `sender-identity` as `sender identity`.
pub fn plain_words(identifier: &str) -> String {
    identifier.replace(['-', '_'], " ")
}

/// The same with a capital, for a heading or the first cell of a row.
pub fn heading(identifier: &str) -> String {
    let words = plain_words(&paragraph(identifier));
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What stands where a text was cut.
pub const CUT: &str = " […cut here; whole in assessment.json]";

/// Text of ours or others as one paragraph: runs of white space become one blank. Of a text too
/// long to be shown, just enough is looked at for the page to see that it has to be cut.
pub fn paragraph(text: &str) -> String {
    // A character has at most four bytes, so this is more than is ever shown.
    const LOOKED_AT: usize = 4 * (super::TEXT_SHOWN + 1);
    let head = &text[..text.floor_char_boundary(LOOKED_AT)];
    let mut shown = String::with_capacity(head.len());
    for word in head.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(word);
    }
    if head.len() < text.len() && shown.chars().count() <= super::TEXT_SHOWN {
        shown.push_str(CUT);
    }
    shown
}

/// As [`paragraph`], ending with a full stop.
pub fn sentence(text: &str) -> String {
    let mut text = paragraph(text);
    if !text.is_empty() && !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// As [`sentence`], for clauses of ours that begin in lower case.
pub fn capitalized(text: &str) -> String {
    let text = sentence(text);
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// `1 more lacks a source`; `None` where none does.
pub fn more_lack_a_source(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 more lacks a source".to_owned()),
        more => Some(format!("{} more lack a source", number(more as u64))),
    }
}

/// The same behind other words: `; 1 more lacks a source`, or nothing.
pub fn and_lack_a_source(count: usize) -> String {
    more_lack_a_source(count).map_or_else(String::new, |words| format!("; {words}"))
}

/// The first characters of a hash.
pub fn short_hash(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// What the sources are called.
pub fn source_words(source: &str) -> String {
    match source {
        "answers" => "Answers".to_owned(),
        "authentication" => "DMARC and TLS reports, and signatures".to_owned(),
        "content" => "Mail content".to_owned(),
        "declared" => "Scope".to_owned(),
        "dns" => "DNS".to_owned(),
        "export" => "Exports".to_owned(),
        "https" => "HTTPS".to_owned(),
        "register" => "Registers".to_owned(),
        "service" => "Mail and web services".to_owned(),
        other => heading(other),
    }
}

/// What the subject kinds are called, in the plural.
pub fn kind_words(kind: &str) -> String {
    match kind {
        "attestation" => "answers of the questionnaire".to_owned(),
        "content_folder" => "mail folders read".to_owned(),
        "domain" => "domains".to_owned(),
        "endpoint" => "mail and web services".to_owned(),
        "export_file" => "export files".to_owned(),
        "forwarding_path" => "forwarding paths".to_owned(),
        "forwarding_rule" => "forwarding rules".to_owned(),
        "mailbox" => "mailboxes".to_owned(),
        "organization" => "organizations".to_owned(),
        "partner" => "partners".to_owned(),
        "register" => "registers".to_owned(),
        "tenant" => "tenants".to_owned(),
        "vendor" => "vendors".to_owned(),
        other => plain_words(&paragraph(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        assert_eq!(number(0_u64), "0");
        assert_eq!(number(999_u64), "999");
        assert_eq!(number(1_234_567_u64), "1,234,567");
        assert_eq!(counted(1, "check", "checks"), "1 check");
    }

    #[test]
    fn a_moment_is_a_date_and_minutes() {
        assert_eq!(moment("2026-10-03T14:05:59.123Z".parse().unwrap()), "2026-10-03 14:05 UTC");
        assert_eq!(moment("2026-10-03T00:00:00Z".parse().unwrap()), "2026-10-03 00:00 UTC");
    }

    #[test]
    fn a_text_too_long_to_be_shown_stays_too_long_and_no_longer() {
        let text = paragraph(&"ü".repeat(200_000));
        assert!(text.chars().count() > super::super::TEXT_SHOWN && text.len() < 10_000);
        assert!(paragraph(&format!("a{}b", " ".repeat(200_000))).ends_with(CUT), "what is left out is never silent");
    }

    #[test]
    fn line_breaks_do_not_survive_in_a_paragraph() {
        assert_eq!(sentence(" one\n\ttwo "), "one two.");
    }
}
