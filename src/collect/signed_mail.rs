//! Reads which DKIM selectors signed given mail: single messages, folders of them, and mbox files.
//! Only header sections are looked at; bodies are passed over and nothing of them is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::evidence::authentication::SigningSelectors;
use crate::evidence::{Answer, Observation, Question, Source};
use crate::files::FileError;
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::dkim_signature::signatures;

/// One header section; what is longer is not looked at beyond.
const HEADER_BYTES: usize = 256 * 1024;
/// Of one file with many messages.
const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// Of all files together.
const ALL_BYTES: u64 = 512 * 1024 * 1024;
/// Files looked into.
const FILES: usize = 50_000;
/// Folders in folders.
const DEPTH: usize = 16;
/// One line; longer ones are read in pieces.
const LINE_BYTES: u64 = 64 * 1024;
/// Selectors kept for one domain, and domains with selectors.
const SELECTORS: usize = 100;
const DOMAINS: usize = 10_000;

/// What signed the mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedMail {
    pub messages: u64,
    /// By domain and selector, the messages signed.
    pub selectors: BTreeMap<DomainName, BTreeMap<String, u64>>,
    /// Something was not read: a bound ended the reading, or a file could not be opened.
    pub cut: bool,
    read: u64,
    files: usize,
}

impl SignedMail {
    /// Reads files, and folders with all that lies in them. Links inside folders are not followed.
    pub fn read(paths: &[PathBuf]) -> Result<Self, FileError> {
        let mut mail = Self::default();
        for path in paths {
            mail.visit(path, 0).map_err(|source| FileError::Read { path: path.clone(), source })?;
        }
        Ok(mail)
    }

    /// What the mail says of each of some domains.
    pub fn observations(
        &self,
        label: &str,
        domains: &BTreeSet<DomainName>,
        now: Timestamp,
        vantage: &str,
    ) -> Vec<Observation> {
        let one = |domain: &DomainName| {
            let selectors = self.selectors.get(domain).into_iter().flatten();
            Observation {
                subject: SubjectId::new(SubjectKind::Domain, domain.as_str()),
                source: Source::Authentication,
                question: Question::Signatures { label: label.to_owned() },
                asked_at: now,
                took_ms: 0,
                vantage: vantage.to_owned(),
                answer: Ok(Answer::Signatures(SigningSelectors {
                    messages: self.messages,
                    selectors: selectors.map(|(selector, messages)| (selector.clone(), *messages)).collect(),
                })),
            }
        };
        domains.iter().map(one).collect()
    }

    /// The selectors that signed for a domain, sorted.
    pub fn of(&self, domain: &DomainName) -> Vec<String> {
        self.selectors.get(domain).into_iter().flat_map(|selectors| selectors.keys().cloned()).collect()
    }

    fn visit(&mut self, path: &Path, depth: usize) -> std::io::Result<()> {
        if std::fs::metadata(path)?.is_dir() {
            if depth == DEPTH {
                self.cut = true;
                return Ok(());
            }
            let mut below: Vec<PathBuf> = Vec::new();
            for entry in std::fs::read_dir(path)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_file() || kind.is_dir() {
                    below.push(entry.path());
                }
            }
            below.sort();
            for path in &below {
                // What cannot be opened inside a folder is a gap in what is known, not the end of reading.
                if self.visit(path, depth + 1).is_err() {
                    self.cut = true;
                }
            }
            return Ok(());
        }
        if self.files == FILES || self.read >= ALL_BYTES {
            self.cut = true;
            return Ok(());
        }
        self.files += 1;
        let mut file = File::open(path)?;
        let mut start = Vec::new();
        Read::by_ref(&mut file).take(HEADER_BYTES as u64).read_to_end(&mut start)?;
        self.read += start.len() as u64;
        if start.starts_with(b"From ") {
            self.mbox(BufReader::new(start.chain(file).take(FILE_BYTES)))
        } else {
            self.message(&start);
            Ok(())
        }
    }

    fn message(&mut self, header: &[u8]) {
        self.messages += 1;
        for signature in signatures(header) {
            if self.selectors.len() == DOMAINS && !self.selectors.contains_key(&signature.domain) {
                self.cut = true;
                continue;
            }
            let of_domain = self.selectors.entry(signature.domain).or_default();
            let selector = signature.selector.to_string();
            if of_domain.len() == SELECTORS && !of_domain.contains_key(&selector) {
                self.cut = true;
                continue;
            }
            *of_domain.entry(selector).or_default() += 1;
        }
    }

    /// A message begins at a line `From ` behind an empty one (RFC 4155).
    fn mbox(&mut self, mut lines: impl BufRead) -> std::io::Result<()> {
        let mut header = Vec::new();
        let (mut in_header, mut after_empty) = (false, true);
        let mut line = Vec::new();
        let mut read = 0;
        loop {
            line.clear();
            if Read::by_ref(&mut lines).take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            read += line.len() as u64;
            let empty = matches!(line.as_slice(), b"\n" | b"\r\n");
            if after_empty && line.starts_with(b"From ") {
                header.clear();
                in_header = true;
            } else if in_header && empty {
                self.message(&header);
                in_header = false;
            } else if in_header && header.len() + line.len() <= HEADER_BYTES {
                header.extend_from_slice(&line);
            }
            after_empty = empty;
        }
        if in_header {
            self.message(&header);
        }
        self.read += read;
        self.cut |= read >= FILE_BYTES;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write_whole;

    fn signed(selector: &str) -> String {
        format!(
            "DKIM-Signature: v=1; d=c.example; s={selector}; b=x\r\nSubject: y\r\n\r\nDKIM-Signature: d=c.example; s=body\r\n"
        )
    }

    #[test]
    fn single_messages_folders_and_mbox_files_are_read_and_bodies_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("cur");
        std::fs::create_dir(&inside).unwrap();
        write_whole(&inside.join("1.eml"), signed("s1").as_bytes()).unwrap();
        let mbox = format!("From a@b.example Thu\r\n{}\r\nFrom a@b.example Thu\r\n{}", signed("s2"), signed("s2"));
        write_whole(&folder.path().join("archive.mbox"), mbox.as_bytes()).unwrap();
        write_whole(&folder.path().join("noise"), &[0xff; 1_000]).unwrap();
        let mail = SignedMail::read(&[folder.path().to_owned()]).unwrap();
        assert_eq!(mail.of(&"c.example".parse().unwrap()), ["s1", "s2"]);
        assert_eq!(mail.selectors[&"c.example".parse().unwrap()]["s2"], 2);
        assert!(!mail.cut);
    }

    #[test]
    fn a_header_that_never_ends_costs_no_more_than_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.eml");
        let mut text = "X: y\r\n".repeat(HEADER_BYTES / 6 + 10);
        text.push_str(&signed("late"));
        write_whole(&path, text.as_bytes()).unwrap();
        assert!(SignedMail::read(&[path]).unwrap().selectors.is_empty());
        assert!(SignedMail::read(&[folder.path().join("nowhere")]).is_err());
    }
}
