//! Shows one assessment in many forms; computes nothing that a test of the assessment could not see.

pub mod charts;
pub mod claims;
pub mod content;
pub mod enforcement;
pub mod evidence_package;
pub mod explain;
pub mod explained_message;
#[cfg(test)]
mod hostile_tests;
pub mod html;
pub mod ingest;
pub mod json;
pub mod markdown;
pub mod model;
pub mod package;
#[cfg(feature = "pdf")]
pub mod pdf;
pub mod probe;
pub mod receive;
pub mod request_index;
pub mod tables;
mod templates;
pub mod terminal;
pub mod theme;
#[cfg(test)]
mod same_tests;
#[cfg(test)]
mod tests;
pub mod workbook;
mod write;

pub use templates::TemplateError;
pub use write::{
    ASSESSMENT, Look, Paper, ReportError, all_files, files_in, json as assessment_bytes, write_all, write_in,
};
