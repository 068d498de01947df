//! Where results go: a folder that must be free, and the summary on the terminal.

use std::path::{Path, PathBuf};

use super::{Failure, Voice};
use crate::report::json::v1::Assessment;
use crate::report::terminal;

/// Refuses a folder with something in it: finished work is never written over.
pub(super) fn must_be_free(folder: &Path) -> Result<(), Failure> {
    let Ok(mut entries) = std::fs::read_dir(folder) else {
        if folder.exists() {
            return Err(Failure::usage(anyhow::anyhow!("{} is not a folder", folder.display())));
        }
        return Ok(());
    };
    if entries.next().is_none() {
        return Ok(());
    }
    Err(Failure::usage(anyhow::anyhow!(
        "{} is not empty; finished work is never written over: choose another folder with --out",
        folder.display()
    )))
}

/// The summary for people, with the files that were written.
pub(super) fn summary(assessment: &Assessment, files: Vec<PathBuf>, voice: &Voice) -> String {
    terminal::summary(assessment, &terminal::Options { color: voice.color, files, next: None })
}
