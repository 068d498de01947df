//! What is known of one thing: seen, seen to be absent, seen but unreadable, or not seen at all.
//!
//! Absence and ignorance are different facts. Nothing here turns one into the other, and
//! nothing has a default.

use serde::{Deserialize, Serialize};

/// The result of looking for one thing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "state", content = "is", rename_all = "kebab-case")]
pub enum Seen<T> {
    /// We asked, and the answer was "there is none".
    Absent,
    /// Something is there, and it cannot be read.
    Malformed(Box<Malformed>),
    /// We asked, and this is the answer.
    Present(T),
    /// We could not find out; the reason says why.
    Unknown(NotObserved),
}

impl<T> Seen<T> {
    /// Applies `read` to a present value; the other states pass through unchanged.
    pub fn map<U>(self, read: impl FnOnce(T) -> U) -> Seen<U> {
        match self {
            Self::Absent => Seen::Absent,
            Self::Malformed(malformed) => Seen::Malformed(malformed),
            Self::Present(value) => Seen::Present(read(value)),
            Self::Unknown(reason) => Seen::Unknown(reason),
        }
    }

    /// The present value by reference; the other states pass through, cloned.
    pub fn as_ref(&self) -> Seen<&T> {
        match self {
            Self::Absent => Seen::Absent,
            Self::Malformed(malformed) => Seen::Malformed(malformed.clone()),
            Self::Present(value) => Seen::Present(value),
            Self::Unknown(reason) => Seen::Unknown(reason.clone()),
        }
    }

    /// The present value, if that is the state. Use only where the other states mean the same.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Malformed(_) | Self::Unknown(_) => None,
        }
    }

    /// Shorthand for `Unknown(NotProvided)`.
    pub fn not_provided(what: impl Into<String>) -> Self {
        Self::Unknown(NotObserved::not_provided(what))
    }
}

/// Text that is there and breaks the rule it should follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Malformed {
    /// The text as received, shortened to 512 bytes.
    pub text: String,
    /// Byte offset of the first fault in the whole text.
    pub at: usize,
    /// The paragraph that is broken, for example `RFC 7208 §4.6.1`.
    pub rule: String,
    /// What is wrong, as a clause: "two `p` tags".
    pub why: String,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum NotObserved {
    /// The system was asked with too few rights.
    AccessDenied {
        /// The permission that would do.
        needs: String,
    },
    /// The run was interrupted before this was asked.
    Interrupted,
    /// A limit of ours (bytes, depth, connections) ended the look.
    Limit {
        /// The limit, with its value.
        what: String,
    },
    /// An exporter destroyed the value (for example `System.String[]`).
    Lost {
        /// How it was lost.
        why: String,
    },
    /// The scope or the options do not allow asking.
    NotInScope {
        /// What would have to be allowed.
        what: String,
    },
    /// Nobody handed over the source that holds it.
    NotProvided {
        /// The source that is missing.
        what: String,
    },
    /// The other side refused or failed: connection refused, 421, SERVFAIL.
    Refused {
        /// Who refused, and how.
        what: String,
    },
    /// No answer in time.
    TimedOut {
        /// How long was waited, in milliseconds.
        after_ms: u64,
    },
    /// It was there and could not be read.
    Unreadable {
        /// What is wrong with it.
        why: String,
        /// The line it was found on, where there are lines.
        line: Option<u64>,
    },
}

impl NotObserved {
    /// Shorthand for `NotProvided`.
    pub fn not_provided(what: impl Into<String>) -> Self {
        Self::NotProvided { what: what.into() }
    }
}

impl std::fmt::Display for NotObserved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AccessDenied { needs } => write!(f, "access was denied; it needs {needs}"),
            Self::Interrupted => f.write_str("the run was interrupted before this was asked"),
            Self::Limit { what } => write!(f, "a limit was reached: {what}"),
            Self::Lost { why } => write!(f, "the export lost the value: {why}"),
            Self::NotInScope { what } => write!(f, "not in scope: {what}"),
            Self::NotProvided { what } => write!(f, "not provided: {what}"),
            Self::Refused { what } => write!(f, "refused: {what}"),
            Self::TimedOut { after_ms } => write!(f, "no answer within {:.1} s", *after_ms as f64 / 1000.0),
            Self::Unreadable { why, line: Some(line) } => write!(f, "unreadable at line {line}: {why}"),
            Self::Unreadable { why, line: None } => write!(f, "unreadable: {why}"),
        }
    }
}
