//! A file of an export: whether it was read whole.

use super::exported::{self, Files};
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};

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
        /// Why it could not be read, or `none`.
        reason: String,
    }
}

/// Builds every ExportFile that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<ExportFile> {
    if let Err(collection) = exported::given(context) {
        return Built { subjects: Vec::new(), collection };
    }
    let files = Files::of(context);
    let subjects: Vec<_> = files
        .files
        .iter()
        .map(|(id, file)| {
            let evidence = || vec![(*id).clone()];
            ExportFile {
                name: file.label.clone(),
                format: Fact::present(file.format.clone().unwrap_or_else(|| "none".to_owned()), evidence()),
                state: Fact::present(file.state.as_str().to_owned(), evidence()),
                rows: Fact::present(count(file.rows), evidence()),
                rejected: Fact::present(count(file.rejected_rows), evidence()),
                lost_fields: Fact::present(file.lost_fields.clone(), evidence()),
                reason: Fact::present(
                    file.rejected.first().map_or_else(|| "none".to_owned(), |first| first.why.clone()),
                    evidence(),
                ),
            }
        })
        .collect();
    let collection = match files.unknown {
        Some(reason) => Collection::Incomplete(reason),
        None => Collection::Complete,
    };
    Built { subjects, collection }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
