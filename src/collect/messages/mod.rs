//! Reads mail and counts the health information in it, by mailbox and folder.
//!
//! Mail is read where it lies, streamed in bounded memory, and judged in memory. What leaves is
//! counts, kinds, days and keyed references: no value, no subject, no file name out of a message, no
//! address. Nothing is written.
//!
//! [`scan`] goes through the sources in order: `source` finds files, `mbox` splits, `outlook` and `pst`
//! make mail (with `mapi`) of Outlook's files, `extract` takes
//! messages apart (with `correspondents`, `attachments`, `documents`, `containers`, `office`, `html`, `quotes`, `pdf`), `fold` makes text plain,
//! `detect` judges, `read` joins that for one message, `tally` adds up. [`explain()`] says of one message
//! why it was counted and where it lies. Where a `sample` stands for all mail, its counts are its own.

mod attachments;
mod containers;
mod correspondents;
mod detect;
mod documents;
mod explain;
mod extract;
mod fold;
mod html;
mod incoming;
mod mapi;
pub(super) mod mbox;
mod office;
mod outlook;
mod pdf;
pub mod protection;
mod pst;
mod quotes;
mod read;
mod roster;
mod sample;
mod sending;
pub(super) mod source;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use detect::DETECTOR;
pub use explain::{Explained, ExplainedPiece, Places, explain};
pub use incoming::Traced;
pub use outlook::to_mail as mail_of_outlook;
pub use pdf::{PdfReader, run_worker as run_pdf_worker};
pub use pst::mails_of as mails_of_mailbox_file;
pub use roster::{Roster, RosterError};
pub use sample::{CONFIDENCE, Sampled};

use crate::clock::date_of;
use crate::evidence::content::{ContentFile, ContentSample, RosterCounts};
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::seen::NotObserved;
use fold::Folded;
use mbox::{MESSAGE_BYTES, Mbox, MboxMessage};
use read::{Extent, Reader, Waiting, WasRead};
use sample::Choice;
use source::{Contents, Format, Unit};
use tally::Tally;

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
    fn reference(&self, message_id: &[u8]) -> MessageReference {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(message_id);
        let bytes = mac.finalize().into_bytes();
        MessageReference(*bytes.first_chunk::<6>().expect("a SHA-256 has 32 bytes"))
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹redacted›")
    }
}

/// Stands for a message: the first 48 bits of the keyed hash of its Message-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageReference([u8; 6]);

impl fmt::Display for MessageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::str::FromStr for MessageReference {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        let number = number.ok_or("a reference of a message is 12 hexadecimal digits")?;
        let bytes = number.to_be_bytes();
        Ok(Self(*bytes.last_chunk::<6>().expect("eight bytes hold six")))
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
    /// Whose mail is looked at for how it arrived, and whose word is believed.
    pub traced: Traced,
    /// What reads PDF files.
    pub pdf: PdfReader,
    /// The organization's own domains; where there are none, nobody is told to be outside.
    pub own_domains: Vec<DomainName>,
    /// The practice's own list of patients.
    pub roster: Option<Arc<Roster>>,
    /// Look at so many messages of all, chosen by keyed hash; `None` looks at each.
    pub sample: Option<u64>,
}

/// The level of one message, by reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageLevel {
    reference: MessageReference,
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
        let line =
            MessageLine { r#ref: self.reference.to_string(), level: self.level, not_inspected: self.not_inspected };
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
    /// Where a list of patients was given.
    pub roster: Option<RosterCounts>,
    /// Where a sample stood for all mail, by mailbox: everything else counts only what was examined.
    pub sampled: Option<BTreeMap<String, Sampled>>,
}

/// Reads every source and counts.
pub fn scan(sources: Vec<MailSource>, options: &ScanOptions) -> Scan {
    run(sources, options, None).finish()
}

fn run(sources: Vec<MailSource>, options: &ScanOptions, explain: Option<MessageReference>) -> Run<'_> {
    let reader = Reader { options, today: date_of(options.now), explain };
    let mut run = Run {
        options,
        reader,
        folders: BTreeMap::new(),
        scan: Scan::default(),
        explained: Places::default(),
        incoming: incoming::Tally::new(&options.traced),
        patients: BTreeMap::new(),
        unit: 0,
        choice: None,
        sampled: BTreeMap::new(),
    };
    run.choice = options.sample.map(|size| Choice::of(&count(&sources, options), size, &options.key.0));
    for source in sources {
        run.source(source);
    }
    run
}

/// How many messages each file or folder has, as they are numbered when they are read.
fn count(sources: &[MailSource], options: &ScanOptions) -> Vec<u64> {
    let mut counts = Vec::new();
    for source in sources {
        // A stream comes once: nothing of it can be counted first.
        let MailFrom::Path(path) = &source.from else { continue };
        let units = source::discover(path, source.label.trim_end_matches('/'), &options.key.0).unwrap_or_default();
        for Unit { format, contents, .. } in units {
            counts.push(match (format, contents) {
                (Format::Mbox, Contents::One(path)) => fs::File::open(&path).map_or(0, messages_in),
                (Format::Pst, Contents::One(path)) => pst::messages_in(&path),
                (Format::Maildir | Format::Messages, Contents::Files(files)) => files.len() as u64,
                (
                    Format::Mbox
                    | Format::Maildir
                    | Format::Messages
                    | Format::NotMail
                    | Format::Pst
                    | Format::Unreadable(_),
                    _,
                ) => 0,
            });
        }
    }
    counts
}

fn messages_in(file: fs::File) -> u64 {
    let Ok(Some(mut mbox)) = Mbox::new(file) else { return 0 };
    let mut messages = 0;
    // What cannot be read now is not read later either.
    while let Ok(batch) = mbox.next_messages() {
        if batch.is_empty() {
            break;
        }
        messages += batch.len() as u64;
    }
    messages
}

struct Run<'o> {
    options: &'o ScanOptions,
    reader: Reader<'o>,
    folders: BTreeMap<(String, String), Tally>,
    scan: Scan,
    explained: Places,
    incoming: incoming::Tally,
    /// By mailbox.
    patients: BTreeMap<String, roster::Patients>,
    /// The number of the file or folder at hand, in order of discovery.
    unit: u64,
    /// The messages that are examined, where a sample is.
    choice: Option<Choice>,
    sampled: BTreeMap<String, Sampled>,
}

/// Why a message was not looked into, where a sample was.
const NOT_IN_SAMPLE: &str = "not-in-sample";

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
                        self.unit += 1;
                    }
                }
                Err(error) => self.file(&label, Err(unreadable(&error))),
            },
            MailFrom::Stream(_) if self.choice.is_some() => {
                let what = format!("a file to draw a sample from, in place of {label}");
                self.file(&label, Err(NotObserved::NotProvided { what }));
            }
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
            (Format::Pst, Contents::One(path)) => self.pst(mailbox, &folder, &label, path),
            (
                Format::Mbox
                | Format::Maildir
                | Format::Messages
                | Format::NotMail
                | Format::Pst
                | Format::Unreadable(_),
                _,
            ) => {
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
        let at = Extent { bytes: size, ..Extent::default() };
        self.judge(mailbox, "mbox", label, vec![Waiting::Bytes { bytes: &bytes, too_large, at }], &mut count);
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
        let mut number = 0;
        loop {
            let messages = match mbox.next_messages() {
                Ok(messages) if messages.is_empty() => break,
                Ok(messages) => messages,
                Err(_) => {
                    // The rest cannot be read; what was read counts, and the file says it is not whole.
                    complete = false;
                    *count.not_inspected.entry("read-error".to_owned()).or_default() += 1;
                    break;
                }
            };
            let mut batch = Vec::with_capacity(messages.len());
            for MboxMessage { bytes, too_large, at } in messages {
                number += 1;
                if self.examines(mailbox, number, &mut count) {
                    batch.push(Waiting::Bytes { bytes, too_large, at });
                }
            }
            self.judge(mailbox, folder, label, batch, &mut count);
        }
        complete &= !count.not_inspected.contains_key(NOT_IN_SAMPLE);
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
        let mut chosen: Vec<&PathBuf> = Vec::with_capacity(files.len());
        for (number, path) in (1..).zip(files) {
            if self.examines(mailbox, number, &mut count) {
                chosen.push(path);
            }
        }
        for paths in chosen.chunks(256) {
            let batch = paths.iter().map(|path| Waiting::File(path)).collect();
            for (sha256, bytes) in self.judge(mailbox, folder, label, batch, &mut count) {
                digest.update(sha256);
                total += bytes;
            }
        }
        let complete = !["read-error", NOT_IN_SAMPLE].iter().any(|why| count.not_inspected.contains_key(*why));
        self.counted(label, format, total, hex(&digest.finalize()), count, complete);
    }

    /// Whether the message of this number of the file at hand is examined; counts those that are not.
    fn examines(&mut self, mailbox: &str, number: u64, count: &mut FileCount) -> bool {
        let Some(choice) = &self.choice else { return true };
        let chosen = choice.holds(self.unit, number);
        self.sampled.entry(mailbox.to_owned()).or_default().messages += 1;
        if !chosen {
            *count.not_inspected.entry(NOT_IN_SAMPLE.to_owned()).or_default() += 1;
        }
        chosen
    }

    /// Judges a batch side by side and adds it up in order. Gives each message's digest and size
    /// where messages are files.
    fn judge(
        &mut self,
        mailbox: &str,
        folder: &str,
        label: &str,
        batch: Vec<Waiting<'_>>,
        count: &mut FileCount,
    ) -> Vec<([u8; 32], u64)> {
        let reader = self.reader;
        let junk = ["junk", "spam", "bulk mail"].iter().any(|word| folder.to_ascii_lowercase().contains(word));
        let read: Vec<WasRead> = batch.into_par_iter().map(|waiting| reader.read(waiting, junk)).collect();
        let mut digests = Vec::with_capacity(read.len());
        for WasRead { reading, at, file } in read {
            count.messages += 1;
            if reader.explain.is_some() && reader.explain == reading.reference {
                let explained = || Explained::of(&reading, at, (mailbox, folder, label), count.messages, file);
                self.explained.add(explained);
            }
            for reason in reading.not_inspected.iter().collect::<BTreeSet<_>>() {
                *count.not_inspected.entry((*reason).to_owned()).or_default() += 1;
            }
            if let Some(sampled) = self.sampled.get_mut(mailbox) {
                sampled.examined(reading.level >= 2, reading.date);
            }
            self.incoming.add(&reading);
            if !reading.patients.is_empty() {
                roster::join(self.patients.entry(mailbox.to_owned()).or_default(), &reading.patients);
            }
            if let Some(reference) = reading.reference {
                let not_inspected = !reading.not_inspected.is_empty();
                self.scan.messages.push(MessageLevel { reference, level: reading.level, not_inspected });
            }
            let folder = reading.folder.as_deref().unwrap_or(folder);
            self.folders.entry((mailbox.to_owned(), folder.to_owned())).or_default().add(&reading, reader.today);
            digests.extend(file);
        }
        digests
    }

    fn counted(&mut self, label: &str, format: Format, bytes: u64, sha256: String, count: FileCount, complete: bool) {
        // Messages of one file get their file's digest now that it was read to its end.
        for explained in self.explained.messages.iter_mut().filter(|explained| explained.file == label) {
            explained.sha256.get_or_insert_with(|| sha256.clone());
        }
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
        self.incoming.file(&answer);
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
            self.patients.entry(mailbox.clone()).or_default();
            let mut counted = tally.finish(&mailbox, &folder);
            if !self.options.own_domains.is_empty() {
                counted.sendings.entry(sending::TO_OUTSIDE.to_owned()).or_default();
            }
            counted.roster = counted.roster.filter(|_| self.options.roster.is_some());
            // Labels name folders, so that messages left out may be of any folder of the mailbox.
            counted.sampled = self.sampled.get(&mailbox).is_some_and(Sampled::is_partial);
            let answer = Answer::ContentFolder(Box::new(counted));
            self.observe(name.clone(), Question::ContentFolder { label: name }, Ok(answer));
        }
        self.scan.sampled = self.choice.as_ref().map(|_| std::mem::take(&mut self.sampled));
        self.scan.roster = self.options.roster.as_deref().map(|roster| roster::counts(roster, &self.patients));
        if let Some(sampled) = &self.scan.sampled {
            let sample = ContentSample {
                confidence: CONFIDENCE,
                all: sampled.values().copied().sum::<Sampled>().estimate(),
                mailboxes: sampled.iter().map(|(mailbox, of)| (mailbox.clone(), of.estimate())).collect(),
            };
            let answer = Answer::ContentSample(Box::new(sample));
            self.observe("sample".to_owned(), Question::ContentSample, Ok(answer));
        }
        if let Some(roster) = &self.scan.roster {
            let answer = Answer::ContentRoster(Box::new(roster.clone()));
            self.observe("roster".to_owned(), Question::ContentRoster, Ok(answer));
        }
        let incoming = std::mem::take(&mut self.incoming);
        self.scan.observations.extend(incoming.finish(self.options));
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

/// What names a person in one short text that is no mail: its place and its kind. Numbers of social
/// security, of Medicare and of cards by their shape; of records, plans and accounts, and dates of
/// birth, only behind their label. A text that had to be folded to be read is one place, whole.
pub(crate) fn identifiers_in(text: &str, today: Date) -> Vec<(std::ops::Range<usize>, &'static str)> {
    use detect::identifiers::{Kind, Strength, find};
    let (folded, _) = Folded::of(&[text]);
    let read = folded.text();
    let marks = detect::words::WORDS.find(&folded);
    let found = find(read, &marks, today, &mut Vec::new()).into_iter().filter(|identifier| match identifier.kind {
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
