//! Reads one message: what it says of itself, what its texts hold, and what could not be looked into.
//!
//! It keeps no text. A fault of a reader spoils one message, which is then counted as not looked into.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::containers::Inside;
use super::detect::{self, Circumstances, examine};
use super::explain::ExplainedPiece;
use super::extract::{self, Place};
use super::fold::Folded;
use super::mbox::MESSAGE_BYTES;
use super::tally::MessageReading;
use super::{MessageReference, ScanOptions, identifiers_in, outlook, roster, source};
use crate::clock::date_of;

/// Pieces of one message that are explained.
const EXPLAINED_PIECES: usize = 1_000;

/// One message waiting to be judged.
pub(super) enum Waiting<'p> {
    Bytes {
        bytes: &'p [u8],
        too_large: bool,
        at: Extent,
    },
    File(&'p Path),
    /// A node of a mailbox file, made into mail.
    OfNode {
        mail: Result<Vec<u8>, &'static str>,
        node: u32,
    },
}

/// Where the bytes of a message lie in the file that holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    /// In files that have no place for a message, what stands for it there.
    pub(super) node: Option<u32>,
}

/// One message that was read.
#[derive(Default)]
pub(super) struct WasRead {
    pub(super) reading: MessageReading,
    pub(super) at: Extent,
    /// Digest and size of the file, where the message is one.
    pub(super) file: Option<([u8; 32], u64)>,
}

/// How messages are read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'o> {
    pub(super) options: &'o ScanOptions,
    pub(super) today: Date,
    /// The one message that is to be explained; the others are passed over.
    pub(super) explain: Option<MessageReference>,
}

impl Reader<'_> {
    /// Reads one message; a fault in a reader spoils that message alone, and is counted.
    pub(super) fn read(&self, waiting: Waiting<'_>, junk: bool) -> WasRead {
        match waiting {
            Waiting::Bytes { bytes, too_large, at } => {
                WasRead { reading: self.guarded(bytes, too_large, junk), at, file: None }
            }
            Waiting::File(path) => self.file(path, junk),
            Waiting::OfNode { mail, node } => {
                let reading = match mail {
                    Ok(mail) => self.guarded(&mail, false, junk),
                    Err(why) => MessageReading::unread(why),
                };
                WasRead { reading, at: Extent { node: Some(node), ..Extent::default() }, file: None }
            }
        }
    }

    fn file(&self, path: &Path, junk: bool) -> WasRead {
        let mut bytes = Vec::new();
        let limit = MESSAGE_BYTES as u64;
        if fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).is_err() {
            let reading = MessageReading::unread("read-error");
            return WasRead { reading, file: Some(([0; 32], 0)), ..WasRead::default() };
        }
        let size = bytes.len() as u64;
        if bytes.starts_with(&outlook::MAGIC) {
            let reading = self.outlook(&bytes, size > limit, junk);
            let file = Some((Sha256::digest(&bytes).into(), size));
            return WasRead { reading, at: Extent { bytes: size, ..Extent::default() }, file };
        }
        let message = source::without_count(&bytes);
        let offset = (bytes.len() - message.len()) as u64;
        let mut reading = self.guarded(message, bytes.len() as u64 > limit, junk);
        if reading.date.is_none() {
            reading.date = maildir_date(path, self.today);
        }
        WasRead {
            reading,
            at: Extent { offset, bytes: message.len() as u64, node: None },
            file: Some((Sha256::digest(&bytes).into(), size)),
        }
    }

    /// A message in Outlook's own form.
    fn outlook(&self, bytes: &[u8], too_large: bool, junk: bool) -> MessageReading {
        let mail = if too_large { Ok(Err("too-large")) } else { std::panic::catch_unwind(|| outlook::to_mail(bytes)) };
        let why = match mail {
            Ok(Ok(mail)) => return self.guarded(&mail, false, junk),
            Ok(Err(why)) => why,
            Err(_) => "reader-fault",
        };
        MessageReading::unread(why)
    }

    pub(super) fn guarded(&self, bytes: &[u8], too_large: bool, junk: bool) -> MessageReading {
        let read = std::panic::AssertUnwindSafe(|| self.message(bytes, too_large, junk));
        std::panic::catch_unwind(read).unwrap_or_else(|_| MessageReading::unread("reader-fault"))
    }

    fn message(&self, bytes: &[u8], too_large: bool, junk: bool) -> MessageReading {
        let options = self.options;
        let Some(parsed) = extract::parse(bytes) else {
            return MessageReading::unread("unreadable");
        };
        let envelope = parsed.envelope(self.today);
        let reference =
            options.message_key.as_ref().zip(envelope.message_id.as_ref()).map(|(key, id)| key.reference(id));
        let folder = envelope.labels.as_deref().map(|labels| folder_of_labels(labels, &options.key.0));
        let mut reading = MessageReading { date: envelope.date, reference, folder, ..MessageReading::default() };
        if self.explain.is_some() && self.explain != reference {
            return reading;
        }
        reading.incoming = parsed.incoming(&options.traced);
        (reading.sendings, reading.threads) = parsed.sending(&options.own_domains);
        if too_large {
            reading.not_inspected.push("too-large");
            return reading;
        }
        let spam = |labels: &str| labels.split(',').any(|label| label.trim() == "Spam");
        let junk = junk || envelope.labels.as_deref().is_some_and(spam);
        let who = &envelope.correspondents;
        let circumstances = Circumstances {
            bulk: envelope.bulk || junk,
            campaign: envelope.sender.as_deref().is_some_and(|sender| detect::words::WORDS.is_campaign_sender(sender)),
            personal_sender: who.personal_sender,
            outside_person: who.outside_person,
            to_outside_person: who.to_outside_person,
            correspondents: &who.names,
        };
        let mut joined = Joined::default();
        let mut inside = Inside::message(&options.pdf);
        let not_inspected =
            parsed.texts(&mut inside, &mut |texts| joined.add(texts, &circumstances, self, &mut reading));
        reading.not_inspected.extend(not_inspected);
        reading.protected = inside.protected;
        joined.finish(&mut reading);
        if reading.level >= 2
            && reading.rule.starts_with("personal-sender")
            && let Some(sender) = envelope.sender
        {
            // She writes of herself: her address tells her from others.
            let person = detect::sender_key(&options.key.0, &sender);
            reading.people.push(vec![person]);
        }
        reading
    }
}

/// The moment of delivery that a Maildir's file name begins with, in seconds.
fn maildir_date(path: &Path, today: Date) -> Option<Date> {
    let name = path.file_name()?.to_str()?;
    let seconds: i64 = name.split('.').next()?.parse().ok()?;
    let date = date_of(Timestamp::from_second(seconds).ok()?);
    (date.year() >= 1980 && date <= today).then_some(date)
}

/// Evidence that is spread over the parts of one message.
#[derive(Default)]
struct Joined {
    identifier: bool,
    act: bool,
    /// Where an identifier shows without the message being opened.
    named: BTreeSet<&'static str>,
}

impl Joined {
    fn add(
        &mut self,
        texts: &[(Place, &str)],
        circumstances: &Circumstances<'_>,
        reader: &Reader<'_>,
        reading: &mut MessageReading,
    ) {
        let (today, options) = (reader.today, reader.options);
        let pieces: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
        let (folded, ends) = Folded::of(&pieces);
        let segment = examine(&folded, circumstances, today);
        reading.identifier |= segment.identifier;
        reading.health |= segment.health;
        if let Some(roster) = &options.roster {
            let marks = detect::words::WORDS.find(&folded);
            let identifiers = detect::identifiers::find(folded.text(), &marks, today, &mut Vec::new());
            roster::join(&mut reading.patients, &roster.find(folded.text(), &identifiers, today));
        }
        let conversation = texts.iter().any(|(place, _)| matches!(place, Place::Body | Place::Quoted));
        if conversation && !circumstances.bulk {
            self.identifier |= segment.undamped_identifier;
            self.act |= segment.act;
        }
        reading.password |= segment.password;
        // No identifier is without a digit.
        let shown = texts.iter().filter(|(place, text)| shows_unopened(*place) && text.contains(char::is_numeric));
        let named = shown.filter(|(_, text)| !identifiers_in(text, today).is_empty());
        self.named.extend(named.map(|(place, _)| place.as_str()));
        let place = || ends.iter().zip(texts).find(|(end, _)| segment.at < **end).map(|(_, (place, _))| *place);
        let says_something = segment.level > 0 || segment.identifier || segment.health;
        if reader.explain.is_some() && says_something && reading.pieces.len() < EXPLAINED_PIECES {
            // Where nothing decided, the text that was given last is the one of the piece.
            let place = if segment.level > 0 { place() } else { texts.last().map(|(place, _)| *place) };
            reading.pieces.push(ExplainedPiece {
                place: place.map_or("", Place::as_str),
                level: segment.level,
                rule: segment.rule.clone(),
                kinds: segment.kinds.iter().copied().collect(),
                identifier: segment.identifier,
                health: segment.health,
            });
        }
        if segment.level >= 2 {
            let place = place();
            reading.places.extend(place.map(Place::as_str));
            reading.people.extend(segment.people(folded.text(), &options.key.0));
        }
        if segment.level >= 1 {
            reading.kinds.extend(segment.kinds.iter().copied());
        }
        if segment.level > reading.level {
            reading.level = segment.level;
            reading.rule = segment.rule;
        }
    }

    /// An answer that gives a number to a question about somebody's care is one conversation.
    fn finish(self, reading: &mut MessageReading) {
        if reading.level < 2 && self.identifier && self.act {
            reading.level = 2;
            reading.rule = "identifier+act-in-conversation".to_owned();
            reading.places.insert(Place::Body.as_str());
        }
        if reading.level >= 2 {
            reading.places.extend(self.named);
        }
    }
}

/// Whether it is seen without the message being opened, and is to name nobody.
const fn shows_unopened(place: Place) -> bool {
    match place {
        Place::AttachmentName | Place::Invite | Place::Subject => true,
        Place::AttachedMessage | Place::Attachment | Place::Body | Place::Quoted => false,
    }
}

/// The folder that Google's labels name: the first that is a place rather than a state.
fn folder_of_labels(labels: &str, key: &[u8; 32]) -> String {
    const STATES: [&str; 7] = ["important", "opened", "unread", "starred", "archived", "chat", "muted"];
    let mut names = labels.split(',').map(|label| label.trim().trim_matches('"').trim()).filter(|label| {
        let lower = label.to_ascii_lowercase();
        !label.is_empty() && !STATES.contains(&lower.as_str()) && !lower.starts_with("category ")
    });
    let Some(name) = names.next() else { return "Archived".to_owned() };
    name.split('/').map(|part| source::shown(part, key)).collect::<Vec<_>>().join("/")
}
