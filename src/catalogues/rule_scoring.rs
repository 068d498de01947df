//! What makes a rule suspicious: points by trait, and the words and folders that traits rest on,
//! read once from `checks/rule-scoring.yaml`.
//!
//! Data only: which traits a rule has is told by the reader of exports and by facts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use jiff::civil::Date;
use serde::Deserialize;

use crate::yaml::{self, Located};

const FILE: &str = "checks/rule-scoring.yaml";
const TEXT: &str = include_str!("../../checks/rule-scoring.yaml");

/// Something about a rule that adds to its score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trait {
    AllMail,
    Buried,
    Deletes,
    Hidden,
    MarksRead,
    MatchesEverything,
    NameHardToNotice,
    NameWithUnseenCharacters,
    OutOfSight,
    SendsOutside,
    SendsToConsumerWebmail,
    SendsToNobodyKnowsWhom,
    Stops,
    Unreadable,
    WordsBounce,
    WordsHealth,
    WordsOversight,
    WordsPayment,
    WordsSecurity,
    WordsWarning,
}

impl Trait {
    /// Every trait, in the order of the enum.
    pub const ALL: [Self; 20] = [
        Self::AllMail,
        Self::Buried,
        Self::Deletes,
        Self::Hidden,
        Self::MarksRead,
        Self::MatchesEverything,
        Self::NameHardToNotice,
        Self::NameWithUnseenCharacters,
        Self::OutOfSight,
        Self::SendsOutside,
        Self::SendsToConsumerWebmail,
        Self::SendsToNobodyKnowsWhom,
        Self::Stops,
        Self::Unreadable,
        Self::WordsBounce,
        Self::WordsHealth,
        Self::WordsOversight,
        Self::WordsPayment,
        Self::WordsSecurity,
        Self::WordsWarning,
    ];
}

/// What one trait counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weight {
    #[serde(rename = "trait")]
    pub of: Trait,
    pub points: i64,
    /// Whether tidying one's own mailbox does not explain it.
    pub sign: bool,
    /// The rest of a sentence that begins with "it".
    pub means: String,
    pub source: String,
}

/// From how many points on a rule is of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    pub low: i64,
    pub medium: i64,
    pub high: i64,
    pub critical: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    date: Date,
    levels: Levels,
    ordinary_at_most: i64,
    sensitive_mailbox_percent: i64,
    traits: Vec<Weight>,
    words: BTreeMap<String, Vec<String>>,
    in_addresses: BTreeMap<String, Vec<String>>,
    folders: BTreeMap<String, Vec<String>>,
    headers_of_all_mail: Vec<String>,
}

/// The catalogue.
#[derive(Debug)]
pub struct RuleScoring {
    pub version: u32,
    /// When it was decided.
    pub date: Date,
    pub levels: Levels,
    /// The most points of a rule without any sign.
    pub ordinary_at_most: i64,
    pub sensitive_mailbox_percent: i64,
    weights: BTreeMap<Trait, Weight>,
    /// Class of words and whether anything may follow, by pattern of `search`.
    words: Vec<(String, bool)>,
    search: AhoCorasick,
    in_addresses: BTreeMap<String, Vec<String>>,
    folders: BTreeMap<String, String>,
    headers_of_all_mail: Vec<String>,
}

impl RuleScoring {
    /// The catalogue that is part of the program.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<RuleScoring> = LazyLock::new(|| {
            RuleScoring::read(Path::new(FILE), TEXT).expect("the catalogue is read by a test before it is shipped")
        });
        &SHIPPED
    }

    /// Reads a catalogue; `file` is only for the error message.
    pub fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let stored: Stored = yaml::read(file, text)?;
        let refuse = |what: String, help: &str| Err(Located::at(file, text, 0, 0, what, help));
        let mut weights = BTreeMap::new();
        for weight in stored.traits {
            if let Some(twice) = weights.insert(weight.of, weight) {
                return refuse(format!("the trait {:?} is weighed twice", twice.of), "keep one of them");
            }
        }
        if let Some(missing) = Trait::ALL.into_iter().find(|one| !weights.contains_key(one)) {
            return refuse(format!("the trait {missing:?} has no weight"), "give it points");
        }
        let Levels { low, medium, high, critical } = stored.levels;
        if !(0 < low && low < medium && medium < high && high < critical) {
            return refuse("the levels do not rise".to_owned(), "order them low, medium, high, critical");
        }
        let mut words = Vec::new();
        let mut patterns = Vec::new();
        for (class, list) in &stored.words {
            for word in list {
                patterns.push(word.trim_end_matches('*').to_lowercase());
                words.push((class.clone(), word.ends_with('*')));
            }
        }
        let Ok(search) = AhoCorasick::new(&patterns) else {
            return refuse("the words cannot be searched for".to_owned(), "shorten the list");
        };
        let folders = stored
            .folders
            .iter()
            .flat_map(|(class, list)| list.iter().map(|folder| (folder.to_lowercase(), class.clone())))
            .collect();
        Ok(Self {
            version: stored.version,
            date: stored.date,
            levels: stored.levels,
            ordinary_at_most: stored.ordinary_at_most,
            sensitive_mailbox_percent: stored.sensitive_mailbox_percent,
            weights,
            words,
            search,
            in_addresses: stored.in_addresses,
            folders,
            headers_of_all_mail: stored.headers_of_all_mail,
        })
    }

    /// What a trait counts.
    pub fn weight(&self, of: Trait) -> &Weight {
        self.weights.get(&of).expect("every trait has a weight, checked on reading")
    }

    /// The level of a score: `none`, `low`, `medium`, `high`, `critical`.
    pub fn level(&self, points: i64) -> &'static str {
        let Levels { low, medium, high, critical } = self.levels;
        match points {
            points if points >= critical => "critical",
            points if points >= high => "high",
            points if points >= medium => "medium",
            points if points >= low => "low",
            _ => "none",
        }
    }

    /// The classes of the words in a text, sorted, each once.
    pub fn word_classes(&self, text: &str, found: &mut Vec<String>) {
        let lower = text.to_lowercase();
        for hit in self.search.find_overlapping_iter(&lower) {
            let (class, anything_follows) = &self.words[hit.pattern().as_usize()];
            if found.contains(class) {
                continue;
            }
            let before = lower[..hit.start()].chars().next_back();
            let mut after = lower[hit.end()..].chars();
            let first = after.next();
            let follows = match first {
                Some('s') => after.next(),
                first => first,
            };
            let inside_a_word = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
            if !inside_a_word(before) && (*anything_follows || !inside_a_word(first) || !inside_a_word(follows)) {
                found.push(class.clone());
                found.sort();
            }
        }
    }

    /// The classes of what stands in a sender's address or domain, sorted, each once.
    pub fn address_classes(&self, text: &str, found: &mut Vec<String>) {
        let lower = text.to_lowercase();
        for (class, parts) in &self.in_addresses {
            if !found.contains(class) && parts.iter().any(|part| lower.contains(part.as_str())) {
                found.push(class.clone());
                found.sort();
            }
        }
    }

    /// Whether a word looked for in headers is in nearly every message: the name of a header that
    /// all mail has, and nothing of what stands in it.
    pub fn header_of_all_mail(&self, word: &str) -> bool {
        let name = |text: &str| text.trim().trim_end_matches(':').trim_end().to_lowercase();
        let word = name(word);
        self.headers_of_all_mail.iter().any(|header| name(header) == word)
    }

    /// The class of a folder, named alone or as a path: `buried`, `archive`, `disposal`, or `other`.
    pub fn folder_class(&self, folder: &str) -> &str {
        // Maildir++ and Courier join the names of folders by full stops, below INBOX.
        let below_inbox = folder.get(..6).filter(|start| start.eq_ignore_ascii_case("inbox."));
        let joined = below_inbox.filter(|_| folder.len() > 6).map(|_| folder[6..].replace('.', "/"));
        let folder = joined.as_deref().unwrap_or(folder);
        let parts: Vec<&str> = folder.trim_end_matches(['\\', '/']).split(['\\', '/', ':']).map(str::trim).collect();
        let class = |part: &str| self.folders.get(&part.to_lowercase()).map_or("other", String::as_str);
        let last = parts.last().copied().unwrap_or_default();
        let letters = last.chars().filter(|c| c.is_alphanumeric()).count();
        // Who numbers the folders below one of her own hides nothing.
        const INBOXES: [&str; 5] = ["", "inbox", "posteingang", "boîte de réception", "bandeja de entrada"];
        let above = parts.len().checked_sub(2).map(|at| parts[at].to_lowercase()).unwrap_or_default();
        let numbered =
            parts.len() >= 3 && last.bytes().all(|byte| byte.is_ascii_digit()) && !INBOXES.contains(&above.as_str());
        // The first part may be the mailbox: nobody's mailbox is called as one of these folders is.
        if (letters <= 1 && !numbered) || parts.iter().any(|part| class(part) == "buried") {
            "buried"
        } else {
            class(last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        RuleScoring::shipped().word_classes(text, &mut found);
        found
    }

    #[test]
    fn words_are_found_as_words() {
        for (text, expected) in [
            ("Invoice; Wire transfer", &["payment"][..]),
            ("INVOICES", &["payment"]),
            ("Security Alert: phishing", &["security"]),
            ("wireless preset, embankment, charter, reclaimed", &[]),
            ("results of patients", &["health"]),
            ("[SPAM]", &["junk"]),
            ("ÜBERWEISUNGEN", &["payment"]),
            ("", &[]),
        ] {
            assert_eq!(classes(text), expected, "{text}");
        }
    }

    #[test]
    fn folders_are_known_by_their_last_part() {
        let scoring = RuleScoring::shipped();
        for (folder, class) in [
            ("RSS Feeds", "buried"),
            (r"jane\Conversation History", "buried"),
            (r"Conversation History\h", "buried"),
            (r"Inbox\.", "buried"),
            ("\u{a0}", "buried"),
            ("abc123:\\\\RSS Subscriptions", "buried"),
            ("Archive", "archive"),
            ("Deleted Items", "disposal"),
            ("Newsletters", "other"),
            ("Archive/Projects", "other"),
            (r"Inbox\Projects\7", "other"),
            (r"jane\7", "buried"),
            (r"jane\Inbox\7", "buried"),
            ("INBOX.Trash", "disposal"),
            ("INBOX.Lists.RSS Feeds", "buried"),
            ("INBOX.Newsletters", "other"),
        ] {
            assert_eq!(scoring.folder_class(folder), class, "{folder}");
        }
    }

    #[test]
    fn only_the_bare_name_of_a_header_is_in_all_mail() {
        let scoring = RuleScoring::shipped();
        for word in ["Received:", "from", " Message-ID ", "X-MS-Exchange-Organization-AuthAs:"] {
            assert!(scoring.header_of_all_mail(word), "{word}");
        }
        for word in [
            "From: billing@lab.example",
            "Received: from mx.lab.example",
            "X-MS-Exchange-Organization-AuthAs: Internal",
        ] {
            assert!(!scoring.header_of_all_mail(word), "{word}");
        }
    }

    #[test]
    fn a_catalogue_without_a_weight_or_with_falling_levels_is_refused() {
        let read = |text: &str| RuleScoring::read(Path::new("x"), text);
        assert!(read(TEXT).is_ok());
        let without: Vec<&str> = TEXT.lines().filter(|line| !line.contains("trait: stops")).collect();
        assert!(read(&without.join("\n")).is_err());
        assert!(read(&TEXT.replace("medium: 25", "medium: 65")).is_err());
    }
}
