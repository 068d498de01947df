//! What `ingest` prints: each file with its state, and how many records came of them.
//!
//! The types are the contract of `ingest --format json`; they show and compute nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evidence::export::{ExportFile, RejectedRow};
use crate::evidence::{Answer, Observation};
use crate::text::visible;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ingest {
    pub schema: u32,
    pub kind: &'static str,
    pub files: Vec<File>,
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    pub path: String,
    pub format: Option<String>,
    pub encoding: String,
    pub bytes: u64,
    pub sha256: String,
    pub rows: u64,
    /// The first rows that could not be read; `rejected_rows` counts all of them.
    pub rejected: Vec<RejectedRow>,
    pub rejected_rows: u64,
    pub lost_fields: Vec<String>,
    pub state: &'static str,
    pub notes: Vec<String>,
}

impl Default for Ingest {
    fn default() -> Self {
        Self::new()
    }
}

impl Ingest {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self { schema: 1, kind: "ingest", files: Vec::new(), records: BTreeMap::new() }
    }

    /// Counts one observation; only those of exports say anything here.
    pub fn add(&mut self, observation: &Observation) {
        match &observation.answer {
            Ok(Answer::ExportFile(file)) => self.files.push(shown(file)),
            Ok(Answer::Record(record)) => {
                *self.records.entry(record.kind().to_owned()).or_default() += record.stands_for()
            }
            Ok(
                Answer::Answer(_)
                | Answer::ContentFile(_)
                | Answer::ContentFolder(_)
                | Answer::Decisions(_)
                | Answer::Declared(_)
                | Answer::Dns(_)
                | Answer::Endpoint(_)
                | Answer::Https(_)
                | Answer::Register(_),
            )
            | Err(_) => {}
        }
    }

    /// Files sorted by path, for output.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self
    }

    /// As text for people, at most 80 columns where paths allow it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            out.push_str(&format!("{}\n", visible(&file.path)));
            let format = file.format.as_deref().unwrap_or("no known export");
            out.push_str(&format!("  {}: {format}, {} rows", file.state, file.rows));
            if file.rejected_rows > 0 {
                out.push_str(&format!(", {} rejected", file.rejected_rows));
            }
            out.push('\n');
            if !file.lost_fields.is_empty() {
                out.push_str(&format!("  lost by the exporter: {}\n", visible(&file.lost_fields.join(", "))));
            }
            for rejected in file.rejected.iter().take(3) {
                match rejected.row {
                    0 => out.push_str(&format!("  {}\n", visible(&rejected.why))),
                    row => out.push_str(&format!("  row {row}: {}\n", visible(&rejected.why))),
                }
            }
            for note in &file.notes {
                out.push_str(&format!("  note: {}\n", visible(note)));
            }
        }
        out.push_str("records\n");
        if self.records.is_empty() {
            out.push_str("  none\n");
        }
        for (kind, count) in &self.records {
            out.push_str(&format!("  {kind:<20} {count}\n"));
        }
        out
    }
}

fn shown(file: &ExportFile) -> File {
    File {
        path: file.label.clone(),
        format: file.format.clone(),
        encoding: file.encoding.clone(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        rows: file.rows,
        rejected: file.rejected.clone(),
        rejected_rows: file.rejected_rows,
        lost_fields: file.lost_fields.clone(),
        state: file.state.as_str(),
        notes: file.notes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::KeyedReference;

    #[test]
    fn every_file_has_a_state_and_records_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("users.csv", "primaryEmail,isEnrolledIn2Sv,suspended\na@clinic.example,True,False\nnobody,True,False\n"),
            ("readme.txt", "hello\n"),
            ("empty.json", ""),
        ] {
            crate::files::write_whole(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        let mut ingest = Ingest::new();
        let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
        let (paths, labels) = ([folder.path().to_owned()], ["exports".to_owned()]);
        let key = KeyedReference::new(b"test");
        crate::collect::exports::read_each(&paths, &labels, &key, asked_at, "here", &mut |observation| {
            ingest.add(&observation);
        });
        let ingest = ingest.sorted();
        let json = serde_json::to_value(&ingest).unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["kind"], "ingest");
        let states: Vec<_> = ingest.files.iter().map(|file| (file.path.as_str(), file.state)).collect();
        assert_eq!(
            states,
            [
                ("exports/empty.json", "unreadable"),
                ("exports/readme.txt", "not-an-export"),
                ("exports/users.csv", "partly-read")
            ]
        );
        assert_eq!(json["files"][2]["rejected"][0]["row"], 2);
        assert_eq!(json["records"]["mailbox"], 1);
        assert!(ingest.text().contains("row 2: no column holds the user's address"), "{}", ingest.text());
    }
}
