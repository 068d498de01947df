//! Makes the files of one report, and writes them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::json::v1::Assessment;
use super::model::Page;
use super::package::{self, JudgedWith, Manifest};
use super::theme::Theme;
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

/// How a report looks: its paper, and whose colours it has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    pub paper: Paper,
    pub theme: Option<&'a Theme>,
    /// Whether the appendix on enforcement holds its cases.
    pub enforcement: bool,
}

/// Every file of a report: its name and its bytes, made whole before anything is written.
pub fn all_files(assessment: &Assessment, paper: Paper) -> Result<Vec<(&'static str, Vec<u8>)>, ReportError> {
    files_in(assessment, Look { paper, ..Look::default() })
}

/// As [`all_files`], in a look.
pub fn files_in(assessment: &Assessment, look: Look<'_>) -> Result<Vec<(&'static str, Vec<u8>)>, ReportError> {
    let page = if look.enforcement { Page::of(assessment).with_cases() } else { Page::of(assessment) };
    let (paper, theme) = (look.paper, look.theme);
    Ok(vec![
        (ASSESSMENT, json(assessment)),
        ("report.html", html::render_page(assessment, &page, theme)?.into_bytes()),
        ("report.md", markdown::render_page(&page, theme)?.into_bytes()),
        #[cfg(feature = "pdf")]
        ("report.pdf", super::pdf::report_with(assessment, &page, look)?),
        ("executive-summary.html", html::render_summary(assessment, &page, paper, theme)?.into_bytes()),
        #[cfg(feature = "pdf")]
        ("executive-summary.pdf", super::pdf::summary_with(assessment, &page, look)?),
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
    write_in(assessment, folder, Look { paper, ..Look::default() }, judged_with)
}

/// As [`write_all`], in a look.
pub fn write_in(
    assessment: &Assessment,
    folder: &Path,
    look: Look<'_>,
    judged_with: Option<JudgedWith>,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut contents = files_in(assessment, look)?;
    let mut manifest = Manifest::of(assessment, look.paper, judged_with, &contents);
    manifest.theme_sha256 = look.theme.map(|theme| theme.sha256.clone());
    manifest.enforcement = look.enforcement;
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
