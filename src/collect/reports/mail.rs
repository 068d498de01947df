//! Looks for reports in mail: attachments and bodies that are a report, or pack one.
//!
//! A part is taken for what its bytes are, whatever it is called. Names of files, subjects and bodies
//! never come out: a part is named by its number.

use std::io::Read;

use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders, PartType};

use super::{ALL_BYTES, At, FILE_BYTES, PACKINGS, Reading, may_hold_report, unreadable};
use crate::collect::messages::mbox::Mbox;
use crate::collect::messages::source::without_count;

/// Parts of one mail that are looked at.
const PARTS: usize = 1_000;

impl Reading<'_> {
    /// All mail of an mbox.
    pub(super) fn mbox(&mut self, label: &str, from: impl Read) {
        let room = ALL_BYTES.saturating_sub(self.unpacked);
        let read = self.messages(At { label, depth: 0, in_mail: true }, from.take(room));
        self.unpacked = self.unpacked.saturating_add(read);
        if read >= room {
            self.limit(&format!("{label}, the rest"), format!("{ALL_BYTES} bytes of mail and reports"));
        }
    }

    /// All mail of an mbox that was packed; its bytes are counted already.
    pub(super) fn mbox_within(&mut self, at: At<'_>, bytes: &[u8]) {
        self.messages(at, bytes);
    }

    fn messages(&mut self, at: At<'_>, from: impl Read) -> u64 {
        let broken = "the file cannot be read to its end";
        let mut mbox = match Mbox::new(from) {
            Ok(Some(mbox)) => mbox,
            Ok(None) | Err(_) => {
                self.file_note(at.label, Err(unreadable(broken)));
                return 0;
            }
        };
        let mut number = 0_u64;
        loop {
            let messages = match mbox.next_messages() {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => messages,
                Err(_) => {
                    self.file_note(&format!("{}, the rest", at.label), Err(unreadable(broken)));
                    break;
                }
            };
            for message in messages {
                number += 1;
                let label = format!("{}, mail {number}", at.label);
                if message.too_large || message.bytes.len() as u64 > FILE_BYTES {
                    self.mail.mails += 1;
                    self.limit(&label, format!("{FILE_BYTES} bytes of one mail"));
                } else {
                    self.mail(At { label: &label, ..at }, message.bytes);
                }
            }
        }
        mbox.digest().1
    }

    /// One mail. Says whether a report is in it, or should be.
    pub(super) fn mail(&mut self, at: At<'_>, bytes: &[u8]) -> bool {
        self.mail.mails += 1;
        let found = match MessageParser::default().parse(without_count(bytes)) {
            Some(message) => {
                let found = self.parts(at, &message, at.depth, &mut 0);
                if !found && announces_report(&message) {
                    let why = "it announces a report, and holds none that can be read";
                    self.file_note(at.label, Err(unreadable(why)));
                }
                found || announces_report(&message)
            }
            None => {
                self.file_note(at.label, Err(unreadable("it cannot be read as mail")));
                true
            }
        };
        self.mail.without_report += u64::from(!found);
        found
    }

    fn parts(&mut self, at: At<'_>, message: &Message<'_>, depth: usize, number: &mut usize) -> bool {
        let mut found = false;
        for part in &message.parts {
            *number += 1;
            if *number > PARTS || depth > PACKINGS {
                let what = match depth > PACKINGS {
                    true => format!("{PACKINGS} mails in mails"),
                    false => format!("{PARTS} parts of one mail"),
                };
                self.limit(&format!("{}, part {number}", at.label), what);
                // What was not looked at may be one.
                return true;
            }
            found |= match &part.body {
                PartType::Multipart(_) => false,
                PartType::Message(inner) => self.parts(at, inner, depth + 1, number),
                PartType::Binary(_) | PartType::Html(_) | PartType::InlineBinary(_) | PartType::Text(_) => {
                    let (bytes, label) = (part.contents(), format!("{}, part {number}", at.label));
                    // Text that reads like mail is a mail that was quoted, and none that was attached.
                    let is_text = matches!(part.body, PartType::Html(_) | PartType::Text(_));
                    let is_markup = || matches!(bytes.trim_ascii_start().first(), Some(b'<' | b'{'));
                    let found = may_hold_report(bytes)
                        && (!is_text || is_markup())
                        && self.item(At { label: &label, depth: depth + 1, in_mail: true }, bytes);
                    if !found && is_packed_report(part) {
                        self.file_note(&label, Err(unreadable("it is said to hold a report, and it holds none")));
                    }
                    found || is_packed_report(part)
                }
            };
        }
        found
    }
}

/// Whether a mail says that it brings a report (RFC 7489 §7.2.1.1, RFC 8460 §5.3).
fn announces_report(message: &Message<'_>) -> bool {
    let begins = |text: &str, word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    message.subject().is_some_and(|subject| begins(subject.trim_start(), "Report Domain:"))
        || message.header_raw(HeaderName::Other("TLS-Report-Domain".into())).is_some()
}

/// Whether a part says that it is a packed TLS report (RFC 8460 §6.4), or is named as a packed report of
/// either kind: `receiver!domain!begin!end.xml.gz`.
fn is_packed_report(part: &mail_parser::MessagePart<'_>) -> bool {
    let subtype = part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default();
    let name = part.attachment_name().unwrap_or_default().to_ascii_lowercase();
    let ending = [".gz", ".json", ".xml", ".zip"].iter().any(|ending| name.ends_with(ending));
    subtype.to_ascii_lowercase().starts_with("tlsrpt") || (ending && name.matches('!').count() >= 3)
}
