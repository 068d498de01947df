//! Turns the free text of rules into classes, so that the text itself can stay behind.
//!
//! A class says what kind of words a rule looks for; which word it was, and the name of the rule,
//! are not kept.

use crate::catalogues::rule_scoring::RuleScoring;
use crate::text::is_unsafe;

/// The classes of the words in these texts, sorted.
pub fn keyword_classes<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        RuleScoring::shipped().word_classes(text, &mut found);
    }
    found
}

/// As [`keyword_classes`], with what stands in the addresses of senders it looks for.
pub fn sender_classes<'t>(texts: impl Iterator<Item = &'t str>, found: &mut Vec<String>) {
    for text in texts {
        RuleScoring::shipped().word_classes(text, found);
        RuleScoring::shipped().address_classes(text, found);
    }
}

/// What is known of the folder that a rule moves mail to: `buried`, `archive`, `disposal`, `other`.
pub fn folder_class(folder: &str) -> &'static str {
    RuleScoring::shipped().folder_class(folder)
}

/// Whether a folder, named alone or as a path, is one that nobody looks into.
pub fn hiding_folder(folder: &str) -> bool {
    folder_class(folder) != "other"
}

/// Whether a word that a condition looks for is in nearly every message: an `@`, a full stop, a
/// NUL, one letter; in headers, the name of one that all mail has.
pub fn in_every_message(word: &str, in_headers: bool) -> bool {
    let word = word.trim();
    let scoring = RuleScoring::shipped();
    word.chars().count() <= 1 || word == "\\0" || (in_headers && scoring.header_of_all_mail(word))
}

/// What a rule's name looks like: intruders give names that nobody notices.
pub fn name_class(name: &str) -> &'static str {
    let name = name.trim();
    if name.is_empty() {
        return "empty";
    }
    if name.chars().any(is_unsafe) {
        return "invisible";
    }
    if mixes_alphabets(name) {
        return "lookalike";
    }
    if !name.chars().any(char::is_alphanumeric) {
        return "punctuation";
    }
    let mut characters = name.chars();
    let first = characters.next();
    if name.chars().count() > 1 && characters.all(|c| Some(c) == first) {
        return "repeated";
    }
    if name.chars().count() <= 2 { "short" } else { "plain" }
}

/// Whether one word holds Latin letters beside Cyrillic or Greek ones that look like them.
fn mixes_alphabets(name: &str) -> bool {
    let word_mixes = |word: &str| {
        let latin = word.chars().any(|c| c.is_ascii_alphabetic());
        latin && word.chars().any(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}'))
    };
    name.split(|c: char| !c.is_alphanumeric()).any(word_mixes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_leave_as_classes() {
        assert_eq!(keyword_classes(["Invoice; Wire transfer", "Security Alert"].into_iter()), ["payment", "security"]);
        assert_eq!(keyword_classes(["newsletter"].into_iter()), [""; 0]);
    }

    #[test]
    fn folders_are_known_by_their_last_part() {
        for folder in ["RSS Feeds", r"jane\Conversation History", "abc123:\\RSS Subscriptions", "Deleted Items"] {
            assert!(hiding_folder(folder), "{folder}");
        }
        assert!(!hiding_folder("Newsletters"));
        assert!(!hiding_folder("Archive/Projects"));
    }

    #[test]
    fn names_are_classed() {
        for (name, class) in [
            ("", "empty"),
            (".", "punctuation"),
            (",,", "punctuation"),
            ("aa", "repeated"),
            ("ab", "short"),
            ("x\u{200b}y", "invisible"),
            ("Lab results", "plain"),
            ("Arсhive", "lookalike"),
            ("Архив", "plain"),
        ] {
            assert_eq!(name_class(name), class, "{name:?}");
        }
    }
}
