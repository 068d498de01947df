//! Why one message was counted and where it lies, as `content explain --format json` and as text for
//! people. Rules, kinds, places and byte offsets; nothing of the message itself.

use std::fmt::Write as _;

use serde::Serialize;

use crate::collect::messages::{MessageReference, Places};
use crate::text::visible;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedMessages {
    pub schema: u32,
    pub kind: &'static str,
    pub r#ref: String,
    /// The version of the detector's rules.
    pub detector: u32,
    /// One of each place where a message with the reference lies.
    pub messages: Vec<ExplainedView>,
    /// There are more places than are told.
    pub cut: bool,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedView {
    pub mailbox: String,
    pub folder: String,
    /// The file, or the folder of files; parts of the name that could name somebody are replaced.
    pub path: String,
    /// Which message of the file, or which file of the folder by name, from 1.
    pub number: u64,
    /// In bytes from 0; in an mbox of the line that separates messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// In Outlook's mailbox files, whose messages have no one offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<u32>,
    /// Of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    pub level: u8,
    pub rule: String,
    pub kinds: Vec<&'static str>,
    pub pieces: Vec<PieceView>,
    pub not_inspected: Vec<&'static str>,
}

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PieceView {
    pub place: &'static str,
    pub level: u8,
    pub rule: String,
    pub kinds: Vec<&'static str>,
    /// It holds a labelled identifier.
    pub identifier: bool,
    /// It holds words of health.
    pub health: bool,
}

/// The answer about one reference.
pub fn report(reference: MessageReference, explained: Places) -> ExplainedMessages {
    let messages = explained.messages.into_iter().map(|message| ExplainedView {
        mailbox: visible(&message.mailbox),
        folder: visible(&message.folder),
        path: visible(&message.file),
        number: message.number,
        offset: message.offset,
        bytes: message.bytes,
        node: message.node,
        sha256: message.sha256,
        level: message.level,
        rule: message.rule,
        kinds: message.kinds,
        pieces: message
            .pieces
            .into_iter()
            .map(|piece| PieceView {
                place: piece.place,
                level: piece.level,
                rule: piece.rule,
                kinds: piece.kinds,
                identifier: piece.identifier,
                health: piece.health,
            })
            .collect(),
        not_inspected: message.not_inspected,
    });
    ExplainedMessages {
        schema: 1,
        kind: "content-explained",
        r#ref: reference.to_string(),
        detector: crate::collect::messages::DETECTOR,
        messages: messages.collect(),
        cut: explained.cut,
    }
}

/// The answer for people.
pub fn text(answer: &ExplainedMessages) -> String {
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{}", text.trim_end()).expect("writing to a String does not fail");
    for message in &answer.messages {
        line(&format!("{}, level {} ({})", answer.r#ref, message.level, word(message.level)));
        line(&format!("  where:   {}/{}", message.mailbox, message.folder));
        line(&format!("  file:    {}, message {}", message.path, message.number));
        if let (Some(bytes), Some(offset)) = (message.bytes, message.offset) {
            line(&format!("  bytes:   {bytes} from offset {offset}"));
        }
        if let Some(node) = message.node {
            line(&format!("  node:    {node} (0x{node:x}); in such a file a message has no byte offset"));
        }
        if let Some(sha256) = &message.sha256 {
            line(&format!("  sha256:  {sha256}"));
        }
        if !message.rule.is_empty() {
            line(&format!("  rule:    {}", message.rule));
            line(&format!("  kinds:   {}", message.kinds.join(", ")));
        }
        for piece in &message.pieces {
            let holds = match (piece.identifier, piece.health) {
                _ if !piece.rule.is_empty() => piece.rule.clone(),
                (true, true) => "an identifier and words of health that no rule joins".to_owned(),
                (true, false) => "an identifier, nothing of health".to_owned(),
                (false, _) => "words of health, nobody identified".to_owned(),
            };
            line(&format!("  {:<16} level {}: {holds}", piece.place, piece.level));
        }
        if message.level == 0 && message.pieces.is_empty() {
            line("  no rule saw an identifier or words of health; that does not show that there are none");
        }
        if !message.not_inspected.is_empty() {
            line(&format!("  not looked into, all or part: {}", message.not_inspected.join(", ")));
        }
    }
    if answer.cut {
        line(&format!("only these {} places are told; more messages have this reference", answer.messages.len()));
    }
    out
}

const fn word(level: u8) -> &'static str {
    match level {
        0 => "not counted",
        1 => "low",
        2 => "medium",
        _ => "high",
    }
}
