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
    /// Where the message begins in its file, in bytes from 0: in an mbox its separator line. Messages
    /// of Outlook's mailbox files have no one place.
    pub offset: Option<u64>,
    pub bytes: Option<u64>,
    /// The number of its node in Outlook's mailbox files.
    pub node: Option<u32>,
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

/// The messages with one reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// In the order of the sources.
    pub messages: Vec<Explained>,
    /// There are more of them, which are not told.
    pub cut: bool,
}

/// Every message with this reference, as far as [`Places`] tells them. `options` must hold the key that
/// the reference was made with.
pub fn explain(sources: Vec<MailSource>, reference: MessageReference, options: &ScanOptions) -> Places {
    run(sources, options, Some(reference)).explained
}

impl Places {
    pub(super) fn add(&mut self, explained: impl FnOnce() -> Explained) {
        if self.messages.len() < PLACES {
            self.messages.push(explained());
        } else {
            self.cut = true;
        }
    }
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
            offset: at.node.is_none().then_some(at.offset),
            bytes: at.node.is_none().then_some(at.bytes),
            node: at.node,
            sha256: own_file.map(|(sha256, _)| hex(&sha256)),
            level: reading.level,
            rule: reading.rule.clone(),
            kinds: reading.kinds.iter().copied().collect(),
            pieces: reading.pieces.clone(),
            not_inspected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::MailFrom;
    use super::super::tests::{mbox_of, options};
    use super::*;

    #[test]
    fn more_places_than_are_told_are_said() {
        let reference = options().message_key.unwrap().reference(b"one@clinic.example");
        for (number, told) in [(PLACES, (PLACES, false)), (PLACES + 1, (PLACES, true))] {
            let mail = vec!["Message-ID: <one@clinic.example>\nSubject: x\n\nx\n".to_owned(); number];
            let from = MailFrom::Stream(Box::new(std::io::Cursor::new(mbox_of(&mail))));
            let source = MailSource { label: "-".to_owned(), mailbox: "desk".to_owned(), from };
            let explained = explain(vec![source], reference, &options());
            assert_eq!((explained.messages.len(), explained.cut), told);
        }
    }
}
