//! Makes the files of one report, and writes them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::json::v1::Assessment;
use super::model::Page;
use super::package::{self, JudgedWith, Manifest};
use super::{TemplateError, html, markdown, tables, workbook};
use crate::files::{self, FileError};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[cfg(feature = "pdf")]
    #[error(transparent)]
    Pdf(#[from] super::pdf::PdfError),
    #[error(transparent)]
    Workbook(#[from] workbook::WorkbookError),
}

/// The paper of the PDF files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paper {
    A4,
    #[default]
    Letter,
}

impl Paper {
    /// What typst calls it.
    #[cfg(feature = "pdf")]
    pub(super) const fn typst_name(self) -> &'static str {
        match self {
            Self::A4 => "a4",
            Self::Letter => "us-letter",
        }
    }
}

/// The name of the assessment among the files; everything else is made from it.
pub const ASSESSMENT: &str = "assessment.json";

/// Every file of a report: its name and its bytes, made whole before anything is written.
pub fn all_files(assessment: &Assessment, paper: Paper) -> Result<Vec<(&'static str, Vec<u8>)>, ReportError> {
    let page = Page::of(assessment);
    Ok(vec![
        (ASSESSMENT, json(assessment)),
        ("report.html", html::render_page(assessment, &page, None)?.into_bytes()),
        ("report.md", markdown::render_page(&page, None)?.into_bytes()),
        #[cfg(feature = "pdf")]
        ("report.pdf", super::pdf::report(assessment, &page, paper)?),
        ("executive-summary.html", html::render_summary(assessment, &page, paper, None)?.into_bytes()),
        #[cfg(feature = "pdf")]
        ("executive-summary.pdf", super::pdf::executive_summary(assessment, &page, paper)?),
        ("workbook.xlsx", workbook::workbook(assessment)?),
        ("plan.csv", tables::plan_csv(assessment)),
    ])
}

/// The bytes of `assessment.json`.
pub fn json(assessment: &Assessment) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(assessment).expect("an assessment holds only text, numbers and dates");
    json.push(b'\n');
    json
}

/// Writes every file of a report into a folder, private to its owner, each whole or not at all;
/// the manifest last.
pub fn write_all(
    assessment: &Assessment,
    folder: &Path,
    paper: Paper,
    judged_with: Option<JudgedWith>,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut contents = all_files(assessment, paper)?;
    let manifest = Manifest::of(assessment, paper, judged_with, &contents);
    contents.push((package::MANIFEST, manifest.bytes()));
    files::make_folder(folder)?;
    let mut written = Vec::with_capacity(contents.len());
    for (name, bytes) in contents {
        let path = folder.join(name);
        files::write_whole(&path, &bytes)?;
        written.push(path);
    }
    Ok(written)
}
