//! A note: one thing seen in a record, by code. A note is an observation, never a verdict.

use serde::{Deserialize, Serialize};

/// One thing seen, with the paragraph that speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// The code, `spf.plus_all`.
    pub code: String,
    /// What was seen and where, as a clause. Foreign text in it was made visible.
    pub detail: String,
    /// The paragraph, `RFC 7208 §5.1`.
    pub rule: String,
}

impl Note {
    /// A note; `detail` may hold foreign text, which is made visible and cut to 300 characters.
    pub fn new(code: &str, detail: impl AsRef<str>, rule: &str) -> Self {
        let shown = crate::text::visible_cow(detail.as_ref()).chars().take(300).collect();
        Self { code: code.to_owned(), detail: shown, rule: rule.to_owned() }
    }
}

/// The codes of some notes, sorted, each once.
pub fn codes(notes: &[Note]) -> Vec<String> {
    let mut codes: Vec<String> = notes.iter().map(|note| note.code.clone()).collect();
    codes.sort();
    codes.dedup();
    codes
}
