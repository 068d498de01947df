//! Writes the files of one report.

use std::path::{Path, PathBuf};

use super::json::v1::Assessment;
use super::model::Page;
use super::{TemplateError, html, markdown};
use crate::files::{self, FileError};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Writes `assessment.json`, `report.html` and `report.md` into a folder, private to its owner,
/// each whole or not at all. Everything is made before the first file is written.
pub fn write_all(assessment: &Assessment, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let page = Page::of(assessment);
    let mut json = serde_json::to_vec_pretty(assessment).expect("an assessment holds only text, numbers and dates");
    json.push(b'\n');
    let contents = [
        ("assessment.json", json),
        ("report.html", html::render_page(assessment, &page, None)?.into_bytes()),
        ("report.md", markdown::render_page(&page, None)?.into_bytes()),
    ];
    files::make_folder(folder)?;
    let mut written = Vec::with_capacity(contents.len());
    for (name, bytes) in contents {
        let path = folder.join(name);
        files::write_whole(&path, &bytes)?;
        written.push(path);
    }
    Ok(written)
}
