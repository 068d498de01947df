//! Turns the free text of rules into classes, so that the text itself can stay behind.
//!
//! A class says what kind of words a rule looks for; which word it was, and the name of the rule,
//! are not kept.

use crate::text::is_unsafe;

/// Words that rules of intruders look for, by class. They hide answers about payments, warnings of
/// the account's owner, and pick out mail about patients.
const KEYWORDS: [(&str, &[&str]); 3] = [
    (
        "health",
        &[
            "patient",
            "lab result",
            "results",
            "diagnos",
            "mrn",
            "referral",
            "claim",
            "eob",
            "prescription",
            "hipaa",
            "chart",
            "medical record",
        ],
    ),
    (
        "payment",
        &[
            "invoice",
            "payment",
            "wire",
            "transfer",
            "ach ",
            "remittance",
            "bank",
            "payroll",
            "direct deposit",
            "w-2",
            "rechnung",
            "überweisung",
        ],
    ),
    (
        "security",
        &[
            "phish",
            "hack",
            "fraud",
            "spam",
            "suspicious",
            "security alert",
            "password",
            "reset",
            "mfa",
            "verification",
            "unusual",
            "sign-in",
            "helpdesk",
            "help desk",
            "do not click",
        ],
    ),
];

/// Folders that nobody opens, and where deleted mail lies.
const HIDING_FOLDERS: [&str; 22] = [
    "archive",
    "calendar",
    "clutter",
    "conversation history",
    "deleted items",
    "deleteditems",
    "gelöschte elemente",
    "historique des conversations",
    "junk e-mail",
    "junk email",
    "junkemail",
    "journal",
    "notes",
    "outbox",
    "papierkorb",
    "recoverable items",
    "rss feeds",
    "rss subscriptions",
    "rss-feeds",
    "sync issues",
    "trash",
    "verlauf der unterhaltung",
];

/// The classes of the words in these texts, sorted.
pub fn keyword_classes<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        let lower = format!("{} ", text.to_lowercase());
        for (class, words) in KEYWORDS {
            if !found.iter().any(|known| known == class) && words.iter().any(|word| lower.contains(word)) {
                found.push(class.to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Whether a folder, named alone or as a path, is one that nobody looks into.
pub fn hiding_folder(folder: &str) -> bool {
    let last = folder.trim().trim_end_matches(['\\', '/']).rsplit(['\\', '/', ':']).next().unwrap_or_default();
    let last = last.trim().to_lowercase();
    HIDING_FOLDERS.contains(&last.as_str())
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
        ] {
            assert_eq!(name_class(name), class, "{name:?}");
        }
    }
}
