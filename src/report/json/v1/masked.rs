//! Masks what looks like an identifier of a person: names, answers and reasons of an organization are
//! data, and may quote what no report should print.
//!
//! The value is kept nowhere; its kind and how often are. Numbers of social security, of Medicare and
//! of cards count by their shape, numbers of records and plans and dates of birth by the label before
//! them. A name alone is none: names of mailboxes and of those who decide have to be printed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::Assessment;
use crate::clock::date_of;
use crate::collect::messages::identifiers_in;

/// Digits in a text that could hold an identifier.
const DIGITS: usize = 5;

impl Assessment {
    /// The document with such values masked and counted. What was masked before stays so.
    pub fn masked(self) -> Self {
        let today = date_of(self.as_of);
        let mut whole = serde_json::to_value(&self).expect("an assessment holds only text, numbers and dates");
        let mut found = BTreeMap::new();
        walk(&mut whole, today, &mut found);
        if found.is_empty() {
            return self;
        }
        let mut masked: Self =
            serde_json::from_value(whole).expect("only free text is masked: dates, levels and hashes have no label");
        for (kind, count) in found {
            *masked.masked.entry(kind.to_owned()).or_default() += count;
        }
        masked
    }
}

fn walk(value: &mut Value, today: Date, found: &mut BTreeMap<&'static str, usize>) {
    match value {
        Value::String(text) => {
            if let Some(masked) = masked_text(text, today, found) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, today, found)),
        Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, today, found)),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

/// The text with each identifier masked; `None` where it holds none.
fn masked_text(text: &str, today: Date, found: &mut BTreeMap<&'static str, usize>) -> Option<String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash || text.bytes().filter(u8::is_ascii_digit).count() < DIGITS {
        return None;
    }
    let places = identifiers_in(text, today);
    if places.is_empty() {
        return None;
    }
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for (place, kind) in places {
        if place.start < from {
            continue;
        }
        *found.entry(kind).or_default() += 1;
        masked.push_str(&text[from..place.start]);
        masked.push_str(&format!("‹masked: {}›", kind.replace('-', " ")));
        from = place.end;
    }
    masked.push_str(&text[from..]);
    Some(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(text: &str) -> (String, BTreeMap<&'static str, usize>) {
        let mut found = BTreeMap::new();
        let masked = masked_text(text, jiff::civil::date(2026, 10, 3), &mut found);
        (masked.unwrap_or_else(|| text.to_owned()), found)
    }

    #[test]
    fn an_identifier_is_masked_and_the_words_around_it_stay() {
        let (masked, found) = mask("536-22-8714 was asked about by phone this morning, and MRN 84421907 too");
        assert_eq!(
            masked,
            "‹masked: social security› was asked about by phone this morning, and MRN ‹masked: record number› too"
        );
        assert_eq!(found, BTreeMap::from([("record-number", 1), ("social-security", 1)]));
        let (masked, _) = mask("naïve – 536-22-8714");
        assert!(!masked.contains("8714"), "a text that is folded before it is read is masked whole: {masked}");
    }

    #[test]
    fn what_a_report_is_made_of_is_no_identifier() {
        for text in [
            "dns.domain#12",
            "2026-10-03T14:05:59Z",
            "164.312(e)(2)(ii)",
            "the certificate ends on 2026-12-01, in 59 days",
            "4f1c2a60-0000-5000-8000-123456789012",
            "mail.maple-street.example:587",
            "20,000 individuals, 189,763 at most",
            "192.0.2.17 and 2001:db8::1234:5678",
            "+1 555 010 0199",
            "0123456789abcdef0123456789012345678901234567890123456789abcdef01",
        ] {
            assert_eq!(mask(text).0, text);
        }
    }

    #[test]
    fn masking_twice_changes_nothing_and_the_sample_holds_none() {
        let text = include_str!("../../../../fixtures/maple-street-assessment/assessment.json");
        let sample: Assessment = serde_json::from_str(text).unwrap();
        assert_eq!(sample.clone().masked(), sample);
        let mut quoting = sample;
        quoting.findings[0].subject.name = "room of SSN 536-22-8714".to_owned();
        let once = quoting.masked();
        assert_eq!(once.masked, BTreeMap::from([("social-security".to_owned(), 1)]));
        assert_eq!(once.clone().masked(), once);
    }
}
