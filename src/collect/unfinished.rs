//! Keeps what an interrupted collection had already learned, so that running again goes on.
//!
//! Each finished unit of work (a domain, a service, an export) is appended as one JSON line.
//! A line that was cut off by the interruption is left out: its unit is asked again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::evidence::Observation;
use crate::files::{self, FileError};

/// The journal in the evidence folder.
pub const NAME: &str = "unfinished.jsonl";
/// What is older than this is asked again.
const HOURS: i64 = 24;
const BYTES: u64 = 4 * 1024 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Head {
    schema: u32,
    scope: String,
    started_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Line {
    unit: String,
    observations: Vec<Observation>,
}

/// Why an unfinished run cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum UnfinishedError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{} holds an unfinished run of another scope, or one with another --sample or --roster; choose another folder", .0.display())]
    OtherScope(PathBuf),
    #[error("{} holds an unfinished run from {started_at}, which is too old to go on with; choose another folder", folder.display())]
    TooOld { folder: PathBuf, started_at: Timestamp },
}

/// The journal of one run.
#[derive(Debug)]
pub struct Unfinished {
    path: PathBuf,
    file: std::fs::File,
    /// When the run began, the first time.
    pub started_at: Timestamp,
    done: BTreeMap<String, Vec<Observation>>,
}

impl Unfinished {
    /// Opens the journal of `folder`, or begins one. `scope` tells runs of different scopes apart.
    pub fn open(folder: &Path, scope: &str, now: Timestamp) -> Result<Self, UnfinishedError> {
        let path = folder.join(NAME);
        let mut done = BTreeMap::new();
        let mut started_at = now;
        let mut whole = 0;
        if path.exists() {
            let bytes = files::read_bounded(&path, BYTES)?;
            let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
            if let Some(head) = lines.next() {
                let head_line: Head =
                    serde_json::from_slice(head).map_err(|_| UnfinishedError::OtherScope(folder.to_owned()))?;
                if head_line.scope != scope || head_line.schema != 1 {
                    return Err(UnfinishedError::OtherScope(folder.to_owned()));
                }
                if head_line.started_at.checked_add(HOURS.hours()).is_ok_and(|end| end < now) {
                    return Err(UnfinishedError::TooOld {
                        folder: folder.to_owned(),
                        started_at: head_line.started_at,
                    });
                }
                started_at = head_line.started_at;
                whole += head.len();
                for line in lines {
                    let Ok(unit) = serde_json::from_slice::<Line>(line) else { break };
                    whole += line.len();
                    done.insert(unit.unit, unit.observations);
                }
            }
        }
        let mut file = files::open_append(&path, whole as u64)?;
        if whole == 0 {
            let head = Head { schema: 1, scope: scope.to_owned(), started_at };
            write_line(&mut file, &path, &head)?;
        }
        Ok(Self { path, file, started_at, done })
    }

    /// What an earlier start of this run learned of a unit.
    pub fn done(&self, unit: &str) -> Option<&[Observation]> {
        self.done.get(unit).map(Vec::as_slice)
    }

    /// Keeps a finished unit.
    pub fn keep(&mut self, unit: &str, observations: &[Observation]) -> Result<(), UnfinishedError> {
        let line = Line { unit: unit.to_owned(), observations: observations.to_vec() };
        Ok(write_line(&mut self.file, &self.path, &line)?)
    }

    /// Removes the journal once the evidence is finished.
    pub fn remove(self) -> Result<(), UnfinishedError> {
        drop(self.file);
        std::fs::remove_file(&self.path)
            .map_err(|source| UnfinishedError::File(FileError::Write { path: self.path, source }))
    }
}

fn write_line(file: &mut std::fs::File, path: &Path, value: &impl Serialize) -> Result<(), FileError> {
    let mut bytes = serde_json::to_vec(value).expect("observations hold only text, numbers and dates");
    bytes.push(b'\n');
    file.write_all(&bytes).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-10-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_finished_unit_is_kept_and_a_cut_off_line_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Unfinished::open(folder.path(), "scope", now()).unwrap();
        run.keep("domain a.example", &[]).unwrap();
        run.keep("domain b.example", &[]).unwrap();
        let path = folder.path().join(NAME);
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 5).unwrap();
        let mut again = Unfinished::open(folder.path(), "scope", now()).unwrap();
        assert!(again.done("domain a.example").is_some());
        assert!(again.done("domain b.example").is_none());
        again.keep("domain b.example", &[]).unwrap();
        let third = Unfinished::open(folder.path(), "scope", now()).unwrap();
        assert!(third.done("domain a.example").is_some() && third.done("domain b.example").is_some());
    }

    #[test]
    fn another_scope_and_an_old_run_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Unfinished::open(folder.path(), "scope", now()).unwrap());
        let other = Unfinished::open(folder.path(), "other", now());
        assert!(matches!(other, Err(UnfinishedError::OtherScope(_))));
        let late = Unfinished::open(folder.path(), "scope", now() + 25.hours());
        assert!(matches!(late, Err(UnfinishedError::TooOld { .. })));
    }
}
