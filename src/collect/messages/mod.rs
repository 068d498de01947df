//! Reads mail and counts the health information in it, by mailbox and folder.
//!
//! Mail is read where it lies, streamed in bounded memory, and judged in memory. What leaves is
//! counts, kinds, days and keyed references: no value, no subject, no file name out of a message, no
//! address. Nothing is written.
//!
//! [`scan`] goes through the sources in order: `source` finds files, `mbox` splits, `extract` takes
//! messages apart (with `correspondents`, `attachments`, `documents`, `html`, `quotes`), `fold` makes text plain,
//! `detect` judges, `tally` adds up.

mod attachments;
mod correspondents;
mod detect;
mod documents;
mod extract;
mod fold;
mod html;
pub(super) mod mbox;
mod quotes;
pub(super) mod source;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use detect::DETECTOR;

use crate::clock::date_of;
use crate::evidence::content::ContentFile;
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::names::{SubjectId, SubjectKind};
use crate::seen::NotObserved;
use detect::{Circumstances, examine};
use extract::Place;
use fold::Folded;
use mbox::{MESSAGE_BYTES, Mbox};
use source::{Contents, Format, Unit};
use tally::{MessageReading, Tally};

/// Messages are read together up to this many bytes, and judged side by side.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
const BATCH_MESSAGES: usize = 2048;

/// Mail to read.
pub struct MailSource {
    /// How reports and evidence call it: the path as the scope names it.
    pub label: String,
    /// Whose mail it is.
    pub mailbox: String,
    pub from: MailFrom,
}

/// Where mail comes from.
pub enum MailFrom {
    /// A file or folder.
    Path(PathBuf),
    /// One mbox (or one message) as a stream, such as standard input.
    Stream(Box<dyn Read + Send>),
}

/// The secret that makes references and counts of people unguessable.
#[derive(Clone)]
pub struct ScanKey(Zeroizing<[u8; 32]>);

impl ScanKey {
    /// A key that nobody keeps: two scans cannot be joined.
    pub fn random() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(key.as_mut_slice())
            .expect("the operating system gives random bytes");
        Self(key)
    }

    /// A key made from a secret of the caller's, of any length.
    pub fn from_secret(secret: &[u8]) -> Self {
        Self(Zeroizing::new(Sha256::digest(secret).into()))
    }
}

impl fmt::Debug for ScanKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹redacted›")
    }
}

/// The key of message references: the bytes of a key file without the newline at its end.
#[derive(Clone)]
pub struct MessageKey(Zeroizing<Vec<u8>>);

impl MessageKey {
    /// From the bytes of the file.
    pub fn from_file_bytes(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The reference of a Message-ID without its angle brackets.
    fn reference(&self, message_id: &[u8]) -> [u8; 6] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(message_id);
        let bytes = mac.finalize().into_bytes();
        *bytes.first_chunk::<6>().expect("a SHA-256 has 32 bytes")
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹redacted›")
    }
}

/// How to scan.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// For counting people and replacing names of folders.
    pub key: ScanKey,
    /// Where each message's level is wanted.
    pub message_key: Option<MessageKey>,
    /// The moment of the scan; ages are counted to its day.
    pub now: Timestamp,
    /// The vantage label of the run.
    pub vantage: String,
}

/// The level of one message, by reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLevel {
    reference: [u8; 6],
    /// 3 high, 2 medium, 1 low or a name only, 0 otherwise.
    pub level: u8,
    /// Part or all of it was not looked into.
    pub not_inspected: bool,
}

/// One line of the message list, as written.
#[derive(Serialize, Deserialize)]
struct MessageLine {
    r#ref: String,
    level: u8,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    not_inspected: bool,
}

impl MessageLevel {
    /// The line of JSON that stands for it, without a line end.
    pub fn line(&self) -> String {
        let line = MessageLine { r#ref: hex(&self.reference), level: self.level, not_inspected: self.not_inspected };
        serde_json::to_string(&line).expect("a line holds only text and numbers")
    }
}

/// What a scan gave.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// One of each file and one of each folder.
    pub observations: Vec<Observation>,
    /// In the order of the sources; empty without a message key. Messages without a Message-ID have
    /// no reference and are not here.
    pub messages: Vec<MessageLevel>,
}

/// Reads every source and counts.
pub fn scan(sources: Vec<MailSource>, options: &ScanOptions) -> Scan {
    let mut run = Run { options, today: date_of(options.now), folders: BTreeMap::new(), scan: Scan::default() };
    for source in sources {
        run.source(source);
    }
    run.finish()
}

struct Run<'o> {
    options: &'o ScanOptions,
    today: Date,
    folders: BTreeMap<(String, String), Tally>,
    scan: Scan,
}

/// One message waiting to be judged.
enum Waiting<'p> {
    Bytes { bytes: Vec<u8>, too_large: bool },
    File(&'p Path),
}

/// Counts of one file while it is read.
struct FileCount {
    messages: u64,
    not_inspected: BTreeMap<String, u64>,
}

impl Run<'_> {
    fn source(&mut self, source: MailSource) {
        let MailSource { label, mailbox, from } = source;
        let key = &self.options.key.0;
        match from {
            MailFrom::Path(path) => match source::discover(&path, label.trim_end_matches('/'), key) {
                Ok(units) => {
                    if units.is_empty() {
                        self.file(&label, Err(NotObserved::NotProvided { what: format!("mail in {label}") }));
                    }
                    for unit in units {
                        self.unit(&mailbox, unit);
                    }
                }
                Err(error) => self.file(&label, Err(unreadable(&error))),
            },
            MailFrom::Stream(stream) => self.stream(&mailbox, &label, stream),
        }
    }

    fn unit(&mut self, mailbox: &str, unit: Unit) {
        let Unit { label, folder, format, contents } = unit;
        match (format, &contents) {
            (Format::Mbox, Contents::One(path)) => match fs::File::open(path) {
                Ok(file) => self.mbox(mailbox, &folder, &label, file),
                Err(error) => self.file(&label, Err(unreadable(&error))),
            },
            (Format::Maildir | Format::Messages, Contents::Files(files)) => {
                self.files(mailbox, &folder, &label, format, files);
            }
            (Format::Mbox | Format::Maildir | Format::Messages | Format::NotMail | Format::Unreadable(_), _) => {
                self.not_read(&label, format, &contents);
            }
        }
    }

    /// A file that is no mail, or mail in a format we do not read.
    fn not_read(&mut self, label: &str, format: Format, contents: &Contents) {
        let Contents::One(path) = contents else { return };
        let (sha256, bytes) = match fs::File::open(path).and_then(digest_of) {
            Ok(digest) => digest,
            Err(error) => return self.file(label, Err(unreadable(&error))),
        };
        let mut not_inspected = BTreeMap::new();
        if let Format::Unreadable(kind) = format {
            not_inspected.insert(kind.to_owned(), 1);
        }
        let answer = ContentFile {
            label: label.to_owned(),
            bytes,
            sha256,
            format: format.as_str().to_owned(),
            messages: 0,
            complete: not_inspected.is_empty(),
            not_inspected,
            detector: DETECTOR,
        };
        self.file(label, Ok(Answer::ContentFile(Box::new(answer))));
    }

    fn stream(&mut self, mailbox: &str, label: &str, mut stream: Box<dyn Read + Send>) {
        let mut head = Vec::new();
        if let Err(error) = stream.by_ref().take(8).read_to_end(&mut head) {
            return self.file(label, Err(unreadable(&error)));
        }
        let start = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0xef | 0xbb | 0xbf)).count();
        let is_mbox = b"From ".starts_with(&head[start..head.len().min(start + 5)]) && head.len() > start;
        let whole = std::io::Cursor::new(head).chain(stream);
        if is_mbox {
            self.mbox(mailbox, "mbox", label, whole);
            return;
        }
        // Not an mbox: one message, or nothing we know.
        let mut bytes = Vec::new();
        let limit = MESSAGE_BYTES as u64;
        if let Err(error) = whole.take(limit + 1).read_to_end(&mut bytes) {
            return self.file(label, Err(unreadable(&error)));
        }
        let (sha256, size) = (hex(&Sha256::digest(&bytes)), bytes.len() as u64);
        let too_large = size > limit;
        if source::sniff(&bytes[..bytes.len().min(4096)]) != Format::Messages {
            return self.file(
                label,
                Err(NotObserved::Unreadable { why: "neither an mbox nor a message".to_owned(), line: None }),
            );
        }
        let mut count = FileCount { messages: 0, not_inspected: BTreeMap::new() };
        self.judge(mailbox, "mbox", vec![Waiting::Bytes { bytes, too_large }], &mut count);
        self.counted(label, Format::Messages, size, sha256, count, !too_large);
    }

    fn mbox(&mut self, mailbox: &str, folder: &str, label: &str, reader: impl Read) {
        let mut mbox = match Mbox::new(reader) {
            Ok(Some(mbox)) => mbox,
            Ok(None) => {
                let why = "no message begins where one should".to_owned();
                return self.file(label, Err(NotObserved::Unreadable { why, line: Some(1) }));
            }
            Err(error) => return self.file(label, Err(unreadable(&error))),
        };
        let mut count = FileCount { messages: 0, not_inspected: BTreeMap::new() };
        let mut complete = true;
        let mut ended = false;
        while !ended {
            let mut batch = Vec::new();
            let mut bytes = 0;
            while bytes < BATCH_BYTES && batch.len() < BATCH_MESSAGES {
                match mbox.next_message() {
                    Ok(Some(message)) => {
                        bytes += message.bytes.len();
                        batch.push(Waiting::Bytes { bytes: message.bytes, too_large: message.too_large });
                    }
                    Ok(None) => {
                        ended = true;
                        break;
                    }
                    Err(_) => {
                        // The rest cannot be read; what was read counts, and the file says it is not whole.
                        complete = false;
                        ended = true;
                        *count.not_inspected.entry("read-error".to_owned()).or_default() += 1;
                        break;
                    }
                }
            }
            self.judge(mailbox, folder, batch, &mut count);
        }
        let (sha256, bytes) = mbox.digest();
        self.counted(label, Format::Mbox, bytes, sha256, count, complete);
    }

    /// Single messages: a Maildir's folder or a folder of message files.
    fn files(&mut self, mailbox: &str, folder: &str, label: &str, format: Format, files: &[PathBuf]) {
        let mut count = FileCount { messages: 0, not_inspected: BTreeMap::new() };
        let mut digest = Sha256::new();
        let mut total = 0;
        // A folder without messages was still looked at.
        self.folders.entry((mailbox.to_owned(), folder.to_owned())).or_default();
        for paths in files.chunks(256) {
            let batch = paths.iter().map(|path| Waiting::File(path)).collect();
            for (sha256, bytes) in self.judge(mailbox, folder, batch, &mut count) {
                digest.update(sha256);
                total += bytes;
            }
        }
        let complete = !count.not_inspected.contains_key("read-error");
        self.counted(label, format, total, hex(&digest.finalize()), count, complete);
    }

    /// Judges a batch side by side and adds it up in order. Gives each message's digest and size
    /// where messages are files.
    fn judge(
        &mut self,
        mailbox: &str,
        folder: &str,
        batch: Vec<Waiting<'_>>,
        count: &mut FileCount,
    ) -> Vec<([u8; 32], u64)> {
        let (options, today) = (self.options, self.today);
        let junk = ["junk", "spam", "bulk mail"].iter().any(|word| folder.to_ascii_lowercase().contains(word));
        let readings: Vec<(MessageReading, [u8; 32], u64)> =
            batch.into_par_iter().map(|waiting| read_waiting(waiting, options, today, junk)).collect();
        let mut digests = Vec::with_capacity(readings.len());
        for (reading, sha256, bytes) in readings {
            count.messages += 1;
            for reason in reading.not_inspected.iter().collect::<BTreeSet<_>>() {
                *count.not_inspected.entry((*reason).to_owned()).or_default() += 1;
            }
            if let Some(reference) = reading.reference {
                let not_inspected = !reading.not_inspected.is_empty();
                self.scan.messages.push(MessageLevel { reference, level: reading.level, not_inspected });
            }
            let folder = reading.folder.as_deref().unwrap_or(folder);
            self.folders.entry((mailbox.to_owned(), folder.to_owned())).or_default().add(&reading, today);
            digests.push((sha256, bytes));
        }
        digests
    }

    fn counted(&mut self, label: &str, format: Format, bytes: u64, sha256: String, count: FileCount, complete: bool) {
        let answer = ContentFile {
            label: label.to_owned(),
            bytes,
            sha256,
            format: format.as_str().to_owned(),
            messages: count.messages,
            not_inspected: count.not_inspected,
            complete,
            detector: DETECTOR,
        };
        self.file(label, Ok(Answer::ContentFile(Box::new(answer))));
    }

    fn file(&mut self, label: &str, answer: Result<Answer, NotObserved>) {
        let question = Question::ContentFile { label: label.to_owned() };
        self.observe(label.to_owned(), question, answer);
    }

    fn observe(&mut self, name: String, question: Question, answer: Result<Answer, NotObserved>) {
        self.scan.observations.push(Observation {
            subject: SubjectId::new(SubjectKind::ContentFolder, name),
            source: Source::Content,
            question,
            asked_at: self.options.now,
            took_ms: 0,
            vantage: self.options.vantage.clone(),
            answer,
        });
    }

    fn finish(mut self) -> Scan {
        for ((mailbox, folder), tally) in std::mem::take(&mut self.folders) {
            let name = format!("{mailbox}/{folder}");
            let answer = Answer::ContentFolder(Box::new(tally.finish(&mailbox, &folder)));
            self.observe(name.clone(), Question::ContentFolder { label: name }, Ok(answer));
        }
        self.scan
    }
}

fn unreadable(error: &std::io::Error) -> NotObserved {
    // The error's kind only: its text may carry a path.
    NotObserved::Unreadable { why: error.kind().to_string(), line: None }
}

fn digest_of(mut file: fs::File) -> std::io::Result<(String, u64)> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex(&digest.finalize()), total)),
            count => {
                digest.update(&buffer[..count]);
                total += count as u64;
            }
        }
    }
}

fn read_waiting(
    waiting: Waiting<'_>,
    options: &ScanOptions,
    today: Date,
    junk: bool,
) -> (MessageReading, [u8; 32], u64) {
    match waiting {
        Waiting::Bytes { bytes, too_large } => (read_guarded(&bytes, too_large, options, today, junk), [0; 32], 0),
        Waiting::File(path) => {
            let mut bytes = Vec::new();
            let limit = MESSAGE_BYTES as u64;
            match fs::File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)) {
                Ok(_) => {
                    let too_large = bytes.len() as u64 > limit;
                    let mut reading = read_guarded(source::without_count(&bytes), too_large, options, today, junk);
                    if reading.date.is_none() {
                        reading.date = maildir_date(path, today);
                    }
                    (reading, Sha256::digest(&bytes).into(), bytes.len() as u64)
                }
                Err(_) => {
                    let reading = MessageReading { not_inspected: vec!["read-error"], ..MessageReading::default() };
                    (reading, [0; 32], 0)
                }
            }
        }
    }
}

/// The moment of delivery that a Maildir's file name begins with, in seconds.
fn maildir_date(path: &Path, today: Date) -> Option<Date> {
    let name = path.file_name()?.to_str()?;
    let seconds: i64 = name.split('.').next()?.parse().ok()?;
    let date = date_of(Timestamp::from_second(seconds).ok()?);
    (date.year() >= 1980 && date <= today).then_some(date)
}

/// Judges one message; a fault in a reader spoils that message alone, and is counted.
fn read_guarded(bytes: &[u8], too_large: bool, options: &ScanOptions, today: Date, junk: bool) -> MessageReading {
    let read = std::panic::AssertUnwindSafe(|| read_message(bytes, too_large, options, today, junk));
    std::panic::catch_unwind(read)
        .unwrap_or_else(|_| MessageReading { not_inspected: vec!["reader-fault"], ..MessageReading::default() })
}

/// Judges one message.
fn read_message(bytes: &[u8], too_large: bool, options: &ScanOptions, today: Date, junk: bool) -> MessageReading {
    let Some(parsed) = extract::parse(bytes) else {
        return MessageReading { not_inspected: vec!["unreadable"], ..MessageReading::default() };
    };
    let envelope = parsed.envelope(today);
    let reference = options.message_key.as_ref().zip(envelope.message_id.as_ref()).map(|(key, id)| key.reference(id));
    let folder = envelope.labels.as_deref().map(|labels| folder_of_labels(labels, &options.key.0));
    let mut reading = MessageReading { date: envelope.date, reference, folder, ..MessageReading::default() };
    if too_large {
        reading.not_inspected.push("too-large");
        return reading;
    }
    let junk =
        junk || envelope.labels.as_deref().is_some_and(|labels| labels.split(',').any(|label| label.trim() == "Spam"));
    let who = &envelope.correspondents;
    let circumstances = Circumstances {
        bulk: envelope.bulk || junk,
        personal_sender: who.personal_sender,
        outside_person: who.outside_person,
        to_outside_person: who.to_outside_person,
        correspondents: &who.names,
    };
    let mut joined = Joined::default();
    let not_inspected = parsed.texts(&mut |texts| joined.add(texts, &circumstances, today, options, &mut reading));
    reading.not_inspected.extend(not_inspected);
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
        today: Date,
        options: &ScanOptions,
        reading: &mut MessageReading,
    ) {
        let pieces: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
        let (folded, ends) = Folded::of(&pieces);
        let segment = examine(&folded, circumstances, today);
        reading.identifier |= segment.identifier;
        reading.health |= segment.health;
        let conversation = texts.iter().any(|(place, _)| matches!(place, Place::Body | Place::Quoted));
        if conversation && !circumstances.bulk {
            self.identifier |= segment.undamped_identifier;
            self.act |= segment.act;
        }
        // No identifier is without a digit.
        let shown = texts.iter().filter(|(place, text)| shows_unopened(*place) && text.contains(char::is_numeric));
        let named = shown.filter(|(_, text)| !identifiers_in(text, today).is_empty());
        self.named.extend(named.map(|(place, _)| place.as_str()));
        if segment.level >= 2 {
            let place = ends.iter().zip(texts).find(|(end, _)| segment.at < **end).map(|(_, (place, _))| *place);
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

/// What names a person in one short text that is no mail: its place and its kind. Numbers of social
/// security, of Medicare and of cards by their shape; of records, plans and accounts, and dates of
/// birth, only behind their label. A text that had to be folded to be read is one place, whole.
pub(crate) fn identifiers_in(text: &str, today: Date) -> Vec<(std::ops::Range<usize>, &'static str)> {
    use detect::identifiers::{Kind, Strength, find};
    let (folded, _) = Folded::of(&[text]);
    let read = folded.text();
    let hits = detect::words::WORDS.find(folded.scan());
    let found = find(read, &hits, today, &mut Vec::new()).into_iter().filter(|identifier| match identifier.kind {
        Kind::Card | Kind::MedicareNumber | Kind::SocialSecurity => true,
        Kind::Account | Kind::BirthDate | Kind::PlanNumber | Kind::RecordNumber => {
            identifier.strength == Strength::Labelled && !identifier.needs_setting
        }
        Kind::Name => false,
    });
    // Folded text begins and ends with a line end of its own.
    let as_written = read.strip_prefix(b"\n").and_then(|read| read.strip_suffix(b"\n")) == Some(text.as_bytes());
    let mut places: Vec<(std::ops::Range<usize>, &'static str)> = found
        .map(|identifier| {
            let place = if as_written { identifier.start - 1..identifier.end - 1 } else { 0..text.len() };
            (place, identifier.kind.as_str())
        })
        .collect();
    if !as_written {
        places.truncate(1);
    }
    places
}

#[cfg(test)]
mod tests;
