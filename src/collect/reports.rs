//! Reads what others report of a domain's mail: DMARC aggregate reports (XML) and TLS reports (JSON), as
//! they arrive: plain, packed with gzip, in a zip archive, or inside mail.
//!
//! Each report is summed for its domain; each file that should be one and is none is named with the
//! reason. Of mail nothing is kept but how many there were and how many held no report.

mod mail;
mod sums;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::messages::source::{Format, may_name_somebody, sniff};
use crate::evidence::authentication::ReportMail;
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::files::{self, FileError};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::dmarc_report::{self, ReportError};
use crate::records::tls_report;
use crate::seen::NotObserved;
use crate::text::visible;

/// One file as it arrives; of an mbox, one message.
const FILE_BYTES: u64 = 16 * 1024 * 1024;
/// One report, unpacked.
const REPORT_BYTES: u64 = 64 * 1024 * 1024;
/// All reports, unpacked, and all mail.
const ALL_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// What is packed may grow by this factor, or to the bytes below it. Reports are alike line for line
/// and shrink to a fiftieth.
const RATIO: u64 = 500;
const RATIO_FREE: u64 = 1024 * 1024;
/// Files looked into; a year of reports about one domain has some 5,000.
const FILES: usize = 100_000;
/// Files of one archive that are looked into.
const ARCHIVED: usize = 1_000;
/// Folders in folders.
const DEPTH: usize = 8;
/// Packings in packings, mail in mail.
const PACKINGS: usize = 5;
/// Reports and faults kept; what comes behind is said once.
const KEPT: usize = 200_000;
/// Where a report says what it is.
const HEAD: usize = 4 * 1024;

/// Reads the reports below `path`, which the evidence calls `label`. Reports about other domains than
/// `domains` are passed over and named.
pub fn read(
    path: &Path,
    label: &str,
    domains: &BTreeSet<DomainName>,
    now: Timestamp,
    vantage: &str,
) -> Result<Vec<Observation>, FileError> {
    let mut reading = Reading {
        domains,
        now,
        vantage,
        root: label,
        files: 0,
        unpacked: 0,
        mail: ReportMail::default(),
        observations: Vec::new(),
    };
    reading.visit(path, label, 0)?;
    // Written where no mail was given too: it says that what cannot be read is told apart by kind.
    reading.file_note(&format!("{label}: mail"), Ok(Answer::ReportMail(reading.mail)));
    Ok(reading.observations)
}

struct Reading<'r> {
    domains: &'r BTreeSet<DomainName>,
    now: Timestamp,
    vantage: &'r str,
    /// What the evidence calls all of it.
    root: &'r str,
    files: usize,
    unpacked: u64,
    mail: ReportMail,
    observations: Vec<Observation>,
}

/// Where bytes stand.
#[derive(Clone, Copy)]
struct At<'l> {
    label: &'l str,
    /// Packings and mails around them.
    depth: usize,
    /// In mail most parts are no report, and no name of a file may come out.
    in_mail: bool,
}

impl Reading<'_> {
    fn visit(&mut self, path: &Path, label: &str, depth: usize) -> Result<(), FileError> {
        let failed = |source| FileError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            if depth == DEPTH {
                self.limit(label, format!("{DEPTH} folders in folders"));
                return Ok(());
            }
            let mut below: Vec<(String, PathBuf)> = Vec::new();
            for entry in std::fs::read_dir(path).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                // Links are not followed, so that the reading stays in the folder it was given, and what is
                // no file may never end.
                if entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir()) {
                    below.push((format!("{label}/{}", visible(&entry.file_name().to_string_lossy())), entry.path()));
                }
            }
            below.sort();
            for ((shown, path), number) in below.iter().zip(1..) {
                // Programs name a file of one mail after its subject.
                let is_mail = is_named_as_mail(shown);
                let label = if is_mail { format!("{label}, file {number}") } else { shown.clone() };
                if let Err(error) = self.visit(path, &label, depth + 1) {
                    let why = if is_mail { "it cannot be read".to_owned() } else { error.to_string() };
                    self.file_note(&label, Err(unreadable(&why)));
                }
            }
            return Ok(());
        }
        self.files += 1;
        if self.files > FILES {
            if self.files == FILES + 1 {
                self.limit(label, format!("{FILES} files of reports"));
            }
            return Ok(());
        }
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let mut head = Vec::new();
        Read::by_ref(&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        match sniff(&head) {
            Format::Mbox => {
                // The path that was given is the user's own; what lies below it may be called after a person.
                let below = label.strip_prefix(self.root).unwrap_or(label);
                let stem = |part: &str| part.rsplit_once('.').map_or(part, |(stem, _)| stem).to_owned();
                let names = below.split('/').filter(|part| !part.is_empty()).map(stem);
                let mails = self.mails_from();
                let may_name = depth > 0 && names.into_iter().any(|name| may_name_somebody(&name));
                self.mbox(if may_name { &mails } else { label }, head.chain(file));
            }
            Format::Messages => match files::read_bounded(path, FILE_BYTES) {
                Ok(bytes) => {
                    // A file of one mail may be named after its subject.
                    let number = self.mail.mails + 1;
                    let label = if depth == 0 { label.to_owned() } else { format!("{}, mail {number}", self.root) };
                    self.mail(At { label: &label, depth: 0, in_mail: true }, &bytes);
                }
                Err(error) => {
                    self.mail.mails += 1;
                    let why = if error.is_not_there() { "it is gone" } else { "it is too large, or cannot be read" };
                    self.file_note(&format!("{}, mail {}", self.root, self.mail.mails), Err(unreadable(why)));
                }
            },
            Format::Maildir | Format::NotMail | Format::Pst | Format::Unreadable(_) => {
                match files::read_bounded(path, FILE_BYTES) {
                    Ok(bytes) => {
                        self.item(At { label, depth: 0, in_mail: false }, &bytes);
                    }
                    Err(_) => self.file_note(label, Err(unreadable("it is too large, or cannot be read"))),
                }
            }
        }
        Ok(())
    }

    /// Bytes of whatever kind. Says whether they are a report, or should be one.
    fn item(&mut self, at: At<'_>, bytes: &[u8]) -> bool {
        if at.depth > PACKINGS {
            self.limit(at.label, format!("{PACKINGS} packings in packings"));
            return true;
        }
        let inside = At { depth: at.depth + 1, ..at };
        if bytes.starts_with(b"PK\x03\x04") {
            return self.archive(inside, bytes);
        }
        if bytes.starts_with(&[0x1f, 0x8b]) {
            return match self.unpacked(MultiGzDecoder::new(bytes), bytes.len() as u64, at.in_mail) {
                Ok(Some(bytes)) => self.item(inside, &bytes),
                Ok(None) => false,
                Err(reason) => {
                    self.file_note(at.label, Err(reason));
                    true
                }
            };
        }
        self.plain(at, bytes)
    }

    fn archive(&mut self, at: At<'_>, bytes: &[u8]) -> bool {
        let mut archive = match zip::ZipArchive::new(std::io::Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(_) => {
                self.file_note(at.label, Err(unreadable("the archive cannot be read")));
                return true;
            }
        };
        let mut found = false;
        for index in 0..archive.len().min(ARCHIVED) {
            let name = archive.name_for_index(index).and_then(Result::ok).map(|name| visible(&name));
            if name.as_ref().is_some_and(|name| name.ends_with('/')) {
                continue;
            }
            let label = match name {
                Some(name) if !at.in_mail && !is_named_as_mail(&name) && !is_named_as_mailbox(&name) => {
                    format!("{}/{name}", at.label)
                }
                Some(_) | None => format!("{}, file {}", at.label, index + 1),
            };
            let unpacked = match archive.by_index(index) {
                Ok(entry) => {
                    let packed = entry.compressed_size().min(bytes.len() as u64);
                    self.unpacked(entry, packed, at.in_mail)
                }
                Err(_) => Err(unreadable("the archive does not let it be read")),
            };
            found |= match unpacked {
                Ok(Some(bytes)) => self.item(At { label: &label, ..at }, &bytes),
                Ok(None) => false,
                Err(reason) => {
                    self.file_note(&label, Err(reason));
                    true
                }
            };
        }
        if archive.len() > ARCHIVED {
            self.limit(at.label, format!("{ARCHIVED} files of one archive"));
            found = true;
        }
        found
    }

    /// What comes out of a packing, within bounds; `None` for what begins like no report, where most is
    /// none.
    fn unpacked(
        &mut self,
        mut from: impl Read,
        packed: u64,
        may_be_none: bool,
    ) -> Result<Option<Vec<u8>>, NotObserved> {
        let room =
            REPORT_BYTES.min(packed.saturating_mul(RATIO).max(RATIO_FREE)).min(ALL_BYTES.saturating_sub(self.unpacked));
        let mut bytes = Vec::new();
        let mut read = Read::by_ref(&mut from).take(HEAD as u64).read_to_end(&mut bytes);
        let done = read.is_err() || (may_be_none && !may_hold_report(&bytes));
        if !done && bytes.len() == HEAD {
            read = from.take((room + 1).saturating_sub(HEAD as u64)).read_to_end(&mut bytes);
        }
        self.unpacked = self.unpacked.saturating_add(bytes.len() as u64);
        if bytes.len() as u64 > room {
            return Err(NotObserved::Limit { what: format!("{room} bytes of one report, unpacked") });
        }
        read.map_err(|_| unreadable("it cannot be unpacked"))?;
        Ok((!done).then_some(bytes))
    }

    /// What is packed no more.
    fn plain(&mut self, at: At<'_>, bytes: &[u8]) -> bool {
        let bytes = without_mark(bytes);
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'<') => self.aggregate(at, &String::from_utf8_lossy(bytes)),
            Some(b'{') => self.tls(at, &String::from_utf8_lossy(bytes)),
            _ => match sniff(&bytes[..bytes.len().min(HEAD)]) {
                Format::Mbox => {
                    // What packs it may be named after whose mail it is.
                    let mails = self.mails_from();
                    let label = if at.in_mail { at.label } else { &mails };
                    self.mbox_within(At { label, in_mail: true, ..at }, bytes);
                    true
                }
                Format::Messages if at.in_mail => self.mail(at, bytes),
                Format::Messages => {
                    // What packs one mail may be named after its subject, as the mail is.
                    let label = format!("{}, mail {}", self.root, self.mail.mails + 1);
                    self.mail(At { label: &label, in_mail: true, ..at }, bytes)
                }
                Format::Maildir | Format::NotMail | Format::Pst | Format::Unreadable(_) if at.in_mail => false,
                Format::Maildir | Format::NotMail | Format::Pst | Format::Unreadable(_) => {
                    let why = "it is no DMARC aggregate report and no TLS report";
                    self.file_note(at.label, Err(unreadable(why)));
                    true
                }
            },
        }
    }

    fn aggregate(&mut self, at: At<'_>, text: &str) -> bool {
        let question = |label: &str| Question::AggregateReport { label: label.to_owned() };
        match dmarc_report::read(text) {
            Err(ReportError::DocumentType | ReportError::OtherDocument) if at.in_mail => return false,
            Err(error) => {
                self.note(SubjectKind::ExportFile, at.label, question(at.label), Err(unreadable(&error.to_string())))
            }
            Ok(report) if !self.domains.contains(&report.domain) => {
                let what = format!("a report about {}", report.domain);
                self.note(SubjectKind::ExportFile, at.label, question(at.label), Err(NotObserved::NotInScope { what }));
            }
            Ok(report) => {
                let answer = Answer::AggregateReport(Box::new(sums::aggregate(&report, &sha256(text.as_bytes()))));
                self.note(SubjectKind::Domain, report.domain.as_str(), question(at.label), Ok(answer));
            }
        }
        true
    }

    /// A TLS report may speak of several domains.
    fn tls(&mut self, at: At<'_>, text: &str) -> bool {
        let question = || Question::TlsReport { label: at.label.to_owned() };
        let report = match tls_report::read(text) {
            Ok(report) => report,
            Err(_) if at.in_mail && !may_hold_report(text.as_bytes()) => return false,
            Err(error) => {
                self.note(SubjectKind::ExportFile, at.label, question(), Err(unreadable(&error.to_string())));
                return true;
            }
        };
        let about: BTreeSet<&DomainName> = report.policies.iter().map(|policy| &policy.domain).collect();
        for domain in about.iter().filter(|domain| self.domains.contains(**domain)) {
            let answer = Answer::TlsReport(Box::new(sums::tls(&report, domain, &sha256(text.as_bytes()))));
            self.note(SubjectKind::Domain, domain.as_str(), question(), Ok(answer));
        }
        if report.policies_left_out > 0 {
            self.limit(at.label, format!("{} policies of one report", report.policies.len()));
        } else if !about.iter().any(|domain| self.domains.contains(*domain)) {
            let named = about.first().map_or_else(|| "no domain".to_owned(), ToString::to_string);
            let what = format!("a report about {named}");
            self.note(SubjectKind::ExportFile, at.label, question(), Err(NotObserved::NotInScope { what }));
        }
        true
    }

    /// What a file of mail is called whose name may not come out: by the first of its mails.
    fn mails_from(&self) -> String {
        format!("{}, mails from {}", self.root, self.mail.mails + 1)
    }

    fn limit(&mut self, label: &str, what: String) {
        self.file_note(label, Err(NotObserved::Limit { what }));
    }

    fn file_note(&mut self, label: &str, answer: Result<Answer, NotObserved>) {
        self.note(SubjectKind::ExportFile, label, Question::ReportFile { label: label.to_owned() }, answer);
    }

    fn note(&mut self, kind: SubjectKind, subject: &str, question: Question, answer: Result<Answer, NotObserved>) {
        let observation = |kind, subject: &str, question, answer| Observation {
            subject: SubjectId::new(kind, subject),
            source: Source::Authentication,
            question,
            asked_at: self.now,
            took_ms: 0,
            vantage: self.vantage.to_owned(),
            answer,
        };
        let next = match self.observations.len() {
            0..KEPT => observation(kind, subject, question, answer),
            KEPT => {
                let label = format!("{}: the rest", self.root);
                let reason = NotObserved::Limit { what: format!("{KEPT} reports and faults") };
                observation(SubjectKind::ExportFile, self.root, Question::ReportFile { label }, Err(reason))
            }
            _ => return,
        };
        self.observations.push(next);
    }
}

/// Whether a name is that of a file of one mail, packed or not.
fn is_named_as_mail(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = [".gz", ".zip"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    [".eml", ".emlx", ".mht", ".msg"].iter().any(|ending| name.ends_with(ending))
}

/// Whether a name is that of a file of many mails, packed or not.
fn is_named_as_mailbox(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = [".gz", ".zip"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    [".mbox", ".mbs", ".mbx", ".ost", ".pst"].iter().any(|ending| name.ends_with(ending)) || name.ends_with("/mbox")
}

/// Whether bytes begin like a report, or like something that one is packed in.
fn may_hold_report(bytes: &[u8]) -> bool {
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"PK\x03\x04") {
        return true;
    }
    let bytes = without_mark(bytes);
    let head = &bytes[..bytes.len().min(HEAD)];
    let lower = head.to_ascii_lowercase();
    let holds = |words: &[&str]| words.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some());
    match head.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => holds(&["<feedback", ":feedback"]),
        Some(b'{') => holds(&["\"organization-name\"", "\"date-range\"", "\"report-id\"", "\"policies\""]),
        _ => matches!(sniff(head), Format::Mbox | Format::Messages),
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn unreadable(why: &str) -> NotObserved {
    NotObserved::Unreadable { why: why.to_owned(), line: None }
}

#[cfg(test)]
mod tests;
