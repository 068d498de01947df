//! Says of one message, found again by its keyed reference, why it was counted and where it lies in
//! the organization's own file. Its text, subject, addresses and file name are not told: whoever may
//! read the file looks there.

use super::read::Extent;
use super::tally::MessageReading;
use super::{MailSource, MessageReference, ScanOptions, hex, run};

/// Places of one message that are told; a Message-ID that somebody used for all mail is no reference.
const PLACES: usize = 1_000;

/// One message with the reference that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub mailbox: String,
    pub folder: String,
    /// The file, or the folder where each message is a file: as the source was named, with parts that
    /// could name somebody replaced.
    pub file: String,
    /// Which message of the file, or which file of the folder by name, from 1.
    pub number: u64,
    /// Where the message begins in its file, in bytes from 0: in an mbox its separator line.
    pub offset: u64,
    pub bytes: u64,
    /// Of the file that holds the message, as the name may not be told whole.
    pub sha256: Option<String>,
    pub level: u8,
    /// The rule that gave the level; empty at level 0.
    pub rule: String,
    /// Kinds of identifiers and classes of terms, sorted.
    pub kinds: Vec<&'static str>,
    /// Each piece of the message that gave a level, an identifier or something of health.
    pub pieces: Vec<ExplainedPiece>,
    /// Why parts of it, or all of it, were not looked into.
    pub not_inspected: Vec<&'static str>,
}

/// One piece of a message: a body, a quoted part, an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedPiece {
    pub place: &'static str,
    pub level: u8,
    pub rule: String,
    pub kinds: Vec<&'static str>,
    pub identifier: bool,
    pub health: bool,
}

/// Every message with this reference, in the order of the sources. `options` must hold the key that
/// the reference was made with.
pub fn explain(sources: Vec<MailSource>, reference: MessageReference, options: &ScanOptions) -> Vec<Explained> {
    let mut explained = run(sources, options, Some(reference)).explained;
    explained.truncate(PLACES);
    explained
}

impl Explained {
    pub(super) fn of(
        reading: &MessageReading,
        at: Extent,
        (mailbox, folder, file): (&str, &str, &str),
        number: u64,
        own_file: Option<([u8; 32], u64)>,
    ) -> Self {
        let mut not_inspected = reading.not_inspected.clone();
        not_inspected.sort_unstable();
        not_inspected.dedup();
        Self {
            mailbox: mailbox.to_owned(),
            folder: reading.folder.as_deref().unwrap_or(folder).to_owned(),
            file: file.to_owned(),
            number,
            offset: at.offset,
            bytes: at.bytes,
            sha256: own_file.map(|(sha256, _)| hex(&sha256)),
            level: reading.level,
            rule: reading.rule.clone(),
            kinds: reading.kinds.iter().copied().collect(),
            pieces: reading.pieces.clone(),
            not_inspected,
        }
    }
}
