//! What was observed: write-once, hashed, readable for six years without this program.
//!
//! Evidence is JSON Lines in segments plus a manifest. It never judges and never holds a value of
//! PHI: exports and mail leave counts, classes, dates and keyed references here.

mod observation;
mod store;

pub mod authentication;
pub mod content;
pub mod decisions;
pub mod declared;
pub mod endpoint;
pub mod export;
pub mod network;
pub mod reports_given;
pub mod tls_reports;

pub use observation::{Answer, Observation, Question, ReceivedBytes, Source};
pub use store::{Evidence, EvidenceError, Manifest, Segment, Vantage, Writer};

#[cfg(test)]
pub(crate) use store::tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Names one observation: its segment and its line, `dns.domain#12`.
///
/// Shared, not copied: each fact of a subject names the observations it rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct EvidenceId(Arc<str>);

impl From<String> for EvidenceId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<EvidenceId> for String {
    fn from(id: EvidenceId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl EvidenceId {
    /// The `line`-th observation (from 1) of `segment`.
    pub fn new(segment: &str, line: usize) -> Self {
        Self(format!("{segment}#{line}").into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The line in its segment, from 1.
    pub fn line(&self) -> usize {
        self.0.rsplit_once('#').and_then(|(_, line)| line.parse().ok()).unwrap_or(0)
    }

    /// The segment the observation lies in, without the number of its folder where several were
    /// joined.
    pub fn segment(&self) -> &str {
        let segment = self.0.split_once('#').map_or(&*self.0, |(segment, _)| segment);
        segment.rsplit_once('/').map_or(segment, |(_, segment)| segment)
    }
}

impl std::fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    // Called for every reference of every row of an export.
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(bytes.iter().flat_map(digits));
    text
}
