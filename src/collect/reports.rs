//! Reads DMARC aggregate reports as they arrive: XML, packed with gzip, or in a zip archive. Each
//! report is summed for its domain; each file that is none is named with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::evidence::authentication::{AggregateReport, MessageCounts, ReportedSelector, ReportedSource};
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::files::{self, FileError};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::dmarc_report::{self, Disposition, ReportRow};
use crate::seen::NotObserved;
use crate::text::visible;

/// One file as it arrives.
const FILE_BYTES: u64 = 16 * 1024 * 1024;
/// One report, unpacked.
const REPORT_BYTES: u64 = 64 * 1024 * 1024;
/// All reports, unpacked.
const ALL_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Files looked into; a year of reports about one domain has some 5,000.
const FILES: usize = 100_000;
/// Files of one archive that are looked into.
const ARCHIVED: usize = 1_000;
/// Folders in folders.
const DEPTH: usize = 8;
/// Sources, and selectors, kept of one report.
const SOURCES: usize = 1_000;
const SELECTORS: usize = 100;
/// Names kept of one source.
const NAMES: usize = 10;

/// Reads the reports below `path`, which the evidence calls `label`. Reports about other domains than
/// `domains` are passed over and named.
pub fn read(
    path: &Path,
    label: &str,
    domains: &BTreeSet<DomainName>,
    now: Timestamp,
    vantage: &str,
) -> Result<Vec<Observation>, FileError> {
    let mut reading = Reading { domains, now, vantage, files: 0, unpacked: 0, observations: Vec::new() };
    reading.visit(path, label, 0)?;
    Ok(reading.observations)
}

struct Reading<'r> {
    domains: &'r BTreeSet<DomainName>,
    now: Timestamp,
    vantage: &'r str,
    files: usize,
    unpacked: u64,
    observations: Vec<Observation>,
}

impl Reading<'_> {
    fn visit(&mut self, path: &Path, label: &str, depth: usize) -> Result<(), FileError> {
        let failed = |source| FileError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            if depth == DEPTH {
                let what = format!("{DEPTH} folders in folders");
                self.note(label, SubjectKind::ExportFile, label, Err(NotObserved::Limit { what }));
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
            for (label, path) in &below {
                if let Err(error) = self.visit(path, label, depth + 1) {
                    self.note(label, SubjectKind::ExportFile, label, Err(unreadable(&error.to_string())));
                }
            }
            return Ok(());
        }
        self.files += 1;
        if self.files > FILES {
            if self.files == FILES + 1 {
                let what = format!("{FILES} files of reports");
                self.note(label, SubjectKind::ExportFile, label, Err(NotObserved::Limit { what }));
            }
            return Ok(());
        }
        match files::read_bounded(path, FILE_BYTES) {
            Ok(bytes) => self.file(label, &bytes),
            Err(error) => {
                let why = error.to_string();
                self.note(label, SubjectKind::ExportFile, label, Err(NotObserved::Unreadable { why, line: None }));
            }
        }
        Ok(())
    }

    fn file(&mut self, label: &str, bytes: &[u8]) {
        let sha256 = hex(&Sha256::digest(bytes));
        if !bytes.starts_with(b"PK\x03\x04") {
            let text = self.unpack(bytes);
            return self.report(label, &sha256, text);
        }
        let mut archive = match zip::ZipArchive::new(std::io::Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(_) => return self.report(label, &sha256, Err(unreadable("the archive cannot be read"))),
        };
        for index in 0..archive.len().min(ARCHIVED) {
            let name = archive.name_for_index(index).and_then(Result::ok).map(|name| visible(&name));
            let below = format!("{label}/{}", name.unwrap_or_else(|| index.to_string()));
            if below.ends_with('/') {
                continue;
            }
            let text = match archive.by_index(index) {
                Ok(entry) => self.bounded(entry),
                Err(_) => Err(unreadable("the archive does not let it be read")),
            };
            self.report(&below, &sha256, text);
        }
        if archive.len() > ARCHIVED {
            let what = format!("{ARCHIVED} files of one archive");
            self.note(label, SubjectKind::ExportFile, label, Err(NotObserved::Limit { what }));
        }
    }

    fn unpack(&mut self, bytes: &[u8]) -> Result<String, NotObserved> {
        if bytes.starts_with(&[0x1f, 0x8b]) { self.bounded(MultiGzDecoder::new(bytes)) } else { self.bounded(bytes) }
    }

    fn bounded(&mut self, from: impl Read) -> Result<String, NotObserved> {
        let room = REPORT_BYTES.min(ALL_BYTES.saturating_sub(self.unpacked));
        let mut bytes = Vec::new();
        let read = from.take(room + 1).read_to_end(&mut bytes);
        self.unpacked = self.unpacked.saturating_add(bytes.len() as u64);
        if bytes.len() as u64 > room {
            return Err(NotObserved::Limit { what: format!("{room} bytes of one report, unpacked") });
        }
        read.map_err(|_| unreadable("it cannot be unpacked"))?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
    }

    fn report(&mut self, label: &str, sha256: &str, text: Result<String, NotObserved>) {
        let read = text.and_then(|text| dmarc_report::read(&text).map_err(|error| unreadable(&error.to_string())));
        match read {
            Err(reason) => self.note(label, SubjectKind::ExportFile, label, Err(reason)),
            Ok(report) if !self.domains.contains(&report.domain) => {
                let what = format!("a report about {}", report.domain);
                self.note(label, SubjectKind::ExportFile, label, Err(NotObserved::NotInScope { what }));
            }
            Ok(report) => {
                let answer = Answer::AggregateReport(Box::new(summed(&report, sha256)));
                self.note(report.domain.as_str(), SubjectKind::Domain, label, Ok(answer));
            }
        }
    }

    fn note(&mut self, subject: &str, kind: SubjectKind, label: &str, answer: Result<Answer, NotObserved>) {
        self.observations.push(Observation {
            subject: SubjectId::new(kind, subject),
            source: Source::Authentication,
            question: Question::AggregateReport { label: label.to_owned() },
            asked_at: self.now,
            took_ms: 0,
            vantage: self.vantage.to_owned(),
            answer,
        });
    }
}

fn unreadable(why: &str) -> NotObserved {
    NotObserved::Unreadable { why: why.to_owned(), line: None }
}

fn counts(row: &ReportRow) -> MessageCounts {
    let when = |holds: bool| if holds { row.messages } else { 0 };
    MessageCounts {
        aligned: when(row.aligned()),
        unaligned: when(!row.aligned() && row.authenticated()),
        unauthenticated: when(!row.authenticated()),
        quarantined: when(row.disposition == Disposition::Quarantined),
        rejected: when(row.disposition == Disposition::Rejected),
    }
}

/// A report without its rows: what each source sent, and which keys signed for the domain.
fn summed(report: &dmarc_report::AggregateReport, sha256: &str) -> AggregateReport {
    let mut all = MessageCounts::default();
    let mut by_source: BTreeMap<IpAddr, ReportedSource> = BTreeMap::new();
    let mut selectors: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in &report.rows {
        let counts = counts(row);
        all.add(&counts);
        let source = by_source.entry(row.source).or_insert_with(|| ReportedSource {
            address: row.source,
            counts: MessageCounts::default(),
            signed_for: Vec::new(),
            sent_for: Vec::new(),
        });
        source.counts.add(&counts);
        for signed in &row.dkim {
            if signed.passed {
                remember(&mut source.signed_for, &signed.domain);
            }
            if let Some(selector) = signed.selector.as_ref().filter(|_| signed.domain == report.domain)
                && (selectors.len() < SELECTORS || selectors.contains_key(selector.as_str()))
            {
                let (passed, failed) = selectors.entry(selector.to_string()).or_default();
                let of = if signed.passed { passed } else { failed };
                *of = of.saturating_add(row.messages);
            }
        }
        row.spf.iter().filter(|spf| spf.passed).for_each(|spf| remember(&mut source.sent_for, &spf.domain));
    }
    let mut sources: Vec<ReportedSource> = by_source.into_values().collect();
    sources.sort_by_key(|source| (std::cmp::Reverse(source.counts.messages()), source.address));
    let left_out = sources.len().saturating_sub(SOURCES);
    sources.truncate(SOURCES);
    AggregateReport {
        sha256: sha256.to_owned(),
        organization: report.organization.clone(),
        id: report.id.clone(),
        begin: report.begin,
        end: report.end,
        counts: all,
        sources,
        sources_left_out: left_out as u64,
        selectors: selectors
            .into_iter()
            .map(|(selector, (passed, failed))| ReportedSelector { selector, passed, failed })
            .collect(),
        rows_not_read: report.rows_not_read as u64,
    }
}

fn remember(names: &mut Vec<String>, name: &DomainName) {
    if names.len() < NAMES
        && let Err(at) = names.binary_search_by(|other| other.as_str().cmp(name.as_str()))
    {
        names.insert(at, name.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::records::dmarc_report::tests::report;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn archived(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read_files(files: &[(&str, Vec<u8>)]) -> Vec<(String, Result<AggregateReport, NotObserved>)> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            files::write_whole(&folder.path().join(name), bytes).unwrap();
        }
        let domains = BTreeSet::from(["c.example".parse().unwrap()]);
        let read = read(folder.path(), "reports", &domains, Timestamp::UNIX_EPOCH, "here").unwrap();
        let one = |observation: Observation| {
            let Question::AggregateReport { label } = observation.question else { panic!() };
            let answer = observation.answer.map(|answer| match answer {
                Answer::AggregateReport(report) => *report,
                other => panic!("{other:?}"),
            });
            (label, answer)
        };
        read.into_iter().map(one).collect()
    }

    #[test]
    fn every_packing_brings_the_same_report() {
        let rows = ["192.0.2.1 3 pass fail s1", "192.0.2.1 2 pass pass s2", "2001:db8::1 7 fail fail s1"];
        let text = report("c.example", &rows).into_bytes();
        let read = read_files(&[
            ("a.xml", text.clone()),
            ("b.xml.gz", packed(&text)),
            ("c.zip", archived(&[("inside.xml", &text)])),
        ]);
        let labels: Vec<&str> = read.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["reports/a.xml", "reports/b.xml.gz", "reports/c.zip/inside.xml"]);
        let mut hashes = BTreeSet::new();
        for (_, report) in read {
            let report = report.unwrap();
            let counts = report.counts;
            assert_eq!((counts.aligned, counts.unaligned, counts.unauthenticated), (5, 7, 0));
            let sources: Vec<(String, u64)> =
                report.sources.iter().map(|source| (source.address.to_string(), source.counts.messages())).collect();
            assert_eq!(sources, [("2001:db8::1".to_owned(), 7), ("192.0.2.1".to_owned(), 5)]);
            let selectors: Vec<(&str, u64, u64)> =
                report.selectors.iter().map(|of| (of.selector.as_str(), of.passed, of.failed)).collect();
            assert_eq!(selectors, [("s1", 3, 7), ("s2", 2, 0)]);
            hashes.insert(report.sha256);
        }
        assert_eq!(hashes.len(), 3);
    }

    #[test]
    fn what_is_no_report_is_named_with_the_reason() {
        let bomb = packed(&vec![b' '; usize::try_from(REPORT_BYTES).unwrap() + 10]);
        let read = read_files(&[
            ("bomb.gz", bomb),
            ("broken.gz", vec![0x1f, 0x8b, 1, 2]),
            ("broken.zip", b"PK\x03\x04rest".to_vec()),
            ("other.xml", report("other.example", &["192.0.2.1 3 pass fail s1"]).into_bytes()),
            ("page.html", b"<html></html>".to_vec()),
        ]);
        let reasons: Vec<String> = read.into_iter().map(|(_, report)| report.unwrap_err().to_string()).collect();
        assert!(reasons[0].contains("bytes of one report"), "{reasons:?}");
        assert!(reasons[1].contains("cannot be unpacked"), "{reasons:?}");
        assert!(reasons[2].contains("archive cannot be read"), "{reasons:?}");
        assert!(reasons[3].contains("not in scope: a report about other.example"), "{reasons:?}");
        assert!(reasons[4].contains("no DMARC aggregate report"), "{reasons:?}");
    }
}
