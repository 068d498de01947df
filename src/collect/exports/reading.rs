//! Reads the rows of one file in order, and turns them into records one by one.
//!
//! On one core: rows made on one and turned on another took twice as long, for all they allocate.

use std::collections::BTreeSet;
use std::io::Read;

use super::bundle::Content;
use super::decode::{Decoded, Survey};
use super::recognise::{Format, NotRecognised};
use super::row::Row;
use super::table::{Next, Table};
use super::{REJECTED, Reading, clixml, google_workspace, json, known_only, microsoft365, recognise, table};
use crate::evidence::export::{ExportFile, ExportState, Record, RejectedRow};

/// Rows in one file.
const ROWS: u64 = 20_000_000;
/// Rows looked at to recognise a file.
const SAMPLE: usize = 32;
/// Text looked at to tell a table from JSON.
const HEAD: u64 = 64 * 1024;

type Text = Decoded<std::io::Take<Box<dyn Read>>>;

/// The rows of a file, whatever it is written in.
pub(super) enum Rows {
    Documents(json::Documents<Text>),
    Objects(Box<clixml::Objects<Text>>),
    Table(Table<Text>),
}

impl Rows {
    pub(super) fn next_row(&mut self) -> Next {
        match self {
            Self::Documents(documents) => documents.next_row(),
            Self::Objects(objects) => objects.next_row(),
            Self::Table(table) => table.next_row(),
        }
    }
}

pub(super) fn rows(content: &Content, survey: &Survey) -> Result<Rows, (ExportState, String)> {
    let failed = |error: std::io::Error| (ExportState::Unreadable, format!("cannot be read: {}", error.kind()));
    if survey.bytes == 0 {
        return Err((ExportState::Unreadable, EMPTY.to_owned()));
    }
    if let Some(what) = survey.binary {
        return Err((ExportState::NotAnExport, format!("{what}: unpack it, or save it as CSV or JSON")));
    }
    let mut head = String::new();
    let mut bytes = Vec::new();
    let file = content.open().map_err(failed)?;
    Decoded::new(file.take(survey.bytes), survey.encoding).take(HEAD).read_to_end(&mut bytes).map_err(failed)?;
    // A character may be cut at the end of the head.
    head.push_str(&String::from_utf8_lossy(&bytes));
    let text = Decoded::new(content.open().map_err(failed)?.take(survey.bytes), survey.encoding);
    let start = head.trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
    if head.contains('\0') {
        return Err((ExportState::NotAnExport, "not text".to_owned()));
    }
    if start.is_empty() && bytes.len() as u64 <= HEAD {
        return Err((ExportState::Unreadable, EMPTY.to_owned()));
    }
    if start.starts_with(['{', '[']) {
        return Ok(Rows::Documents(json::Documents::new(text)));
    }
    if start.starts_with('<') && start.contains("<Objs") {
        return Ok(Rows::Objects(Box::new(clixml::Objects::new(text))));
    }
    let dialect = table::dialect(&head)
        .ok_or_else(|| (ExportState::NotAnExport, "no column of a known export is in it".to_owned()))?;
    Table::open(text, &dialect).map(Rows::Table).map_err(|why| (ExportState::Unreadable, why))
}

const EMPTY: &str = "the file is empty: the command gave nothing or failed; it proves nothing";

/// Reads all rows: recognises the format by the first, turns each into records.
pub(super) fn read(
    mut rows: Rows,
    mut file: ExportFile,
    with: &Reading<'_>,
    records: &mut dyn FnMut(Record),
) -> ExportFile {
    let mut sample = Vec::new();
    let mut rejections = Rejections::default();
    let mut ended = None;
    while sample.len() < SAMPLE && ended.is_none() {
        match rows.next_row() {
            Next::End => ended = Some(None),
            Next::Failed(why) => ended = Some(Some(why)),
            Next::Rejected { row, why } => rejections.add(row, why),
            Next::Row(row) => sample.push(row),
        }
        if rejections.count > 10_000 && sample.is_empty() {
            ended = Some(Some("none of the first 10000 records is readable".to_owned()));
        }
    }
    let (columns, context) = match &rows {
        Rows::Documents(documents) => {
            let columns: BTreeSet<_> =
                sample.iter().flat_map(|row| row.cells.iter().map(|(column, _)| *column)).collect();
            (columns, sample.iter().find_map(|row| row.context.as_deref()).or(documents.context()).map(str::to_owned))
        }
        Rows::Objects(_) => (sample.iter().flat_map(|row| row.cells.iter().map(|(column, _)| *column)).collect(), None),
        Rows::Table(table) => (table.columns(), None),
    };
    let format = match recognise::recognise(&columns, &sample, context.as_deref()) {
        Ok(format) => format,
        Err(NotRecognised::Nothing) if known_only::name(&columns).is_some() => {
            file.format = known_only::name(&columns).map(str::to_owned);
            file.rows = sample.len() as u64;
            while ended.is_none() {
                match rows.next_row() {
                    Next::End => ended = Some(None),
                    Next::Failed(why) => ended = Some(Some(why)),
                    Next::Rejected { row, why } => rejections.add(row, why),
                    Next::Row(_) => file.rows += 1,
                }
                if file.rows + rejections.count > ROWS {
                    ended = Some(Some(format!("more than {ROWS} rows")));
                }
            }
            file.notes.push(known_only::NOTE.to_owned());
            return close(&rows, ended.flatten(), rejections, file);
        }
        Err(why) => {
            let why = match why {
                NotRecognised::Nothing => "its columns are those of no known export".to_owned(),
                NotRecognised::Several(one, other) => {
                    format!("its columns fit {} and {} alike", one.as_str(), other.as_str())
                }
            };
            file.state =
                if ended == Some(None) || ended.is_none() { ExportState::NotAnExport } else { ExportState::Unreadable };
            rejections.add(0, why);
            if let Some(Some(why)) = ended {
                rejections.add(0, why);
            }
            file.rejected = rejections.listed;
            return file;
        }
    };
    file.format = Some(format.as_str().to_owned());
    let mut lost = BTreeSet::new();
    let mut one = |row: &Row, rejections: &mut Rejections, file: &mut ExportFile| {
        lost.extend(row.cells.iter().filter(|(_, cell)| cell.is_destroyed()).map(|(column, _)| *column));
        match normalized(format, row, with) {
            Ok(found) => {
                file.rows += 1;
                found.into_iter().for_each(&mut *records);
            }
            Err(why) => rejections.add(row.number, why),
        }
    };
    for row in &sample {
        one(row, &mut rejections, &mut file);
    }
    while ended.is_none() {
        match rows.next_row() {
            Next::End => ended = Some(None),
            Next::Failed(why) => ended = Some(Some(why)),
            Next::Rejected { row, why } => rejections.add(row, why),
            Next::Row(row) => one(&row, &mut rejections, &mut file),
        }
        if file.rows + rejections.count > ROWS {
            ended = Some(Some(format!("more than {ROWS} rows")));
        }
    }
    file.lost_fields = lost.into_iter().map(str::to_owned).collect();
    close(&rows, ended.flatten(), rejections, file)
}

pub(super) fn normalized(format: Format, row: &Row, with: &Reading<'_>) -> Result<Vec<Record>, String> {
    match format.provider() {
        "google-workspace" => google_workspace::records(format, row, with.key),
        _ => microsoft365::records(format, row, with.key, with.own),
    }
}

/// Says how far the file was read.
fn close(rows: &Rows, failed: Option<String>, mut rejections: Rejections, mut file: ExportFile) -> ExportFile {
    let mut cut = failed.is_some();
    if let Some(why) = failed {
        rejections.add(0, why);
    }
    let replaced = match rows {
        Rows::Documents(documents) => documents.text().replaced(),
        Rows::Objects(objects) => objects.text().replaced(),
        Rows::Table(table) => table.text().replaced(),
    };
    if replaced {
        cut = true;
        file.notes.push("some bytes mean nothing in the encoding; they were replaced".to_owned());
    }
    match rows {
        Rows::Documents(documents) => {
            if documents.more_pages() {
                cut = true;
                file.notes.push("the last page names a next page, which was not handed over".to_owned());
            }
        }
        Rows::Objects(_) => {}
        Rows::Table(table) => {
            if table.repeated_headers > 0 {
                file.notes.push(format!("the header is repeated {} times", table.repeated_headers));
            }
            if table.short_rows > 0 {
                file.notes.push(format!("{} rows have fewer cells than the header", table.short_rows));
            }
        }
    }
    if rejections.count > REJECTED as u64 {
        file.notes.push(format!("{} rows were rejected; the first {REJECTED} are listed", rejections.count));
    }
    file.rejected_rows = rejections.count;
    file.state = match (file.rows, cut || rejections.count > 0) {
        (_, false) => ExportState::Read,
        (0, true) => ExportState::Unreadable,
        (_, true) => ExportState::PartlyRead,
    };
    file.rejected = rejections.listed;
    file
}

#[derive(Default)]
pub(super) struct Rejections {
    pub count: u64,
    pub listed: Vec<RejectedRow>,
}

impl Rejections {
    pub fn add(&mut self, row: u64, why: String) {
        self.count += 1;
        if self.listed.len() < REJECTED {
            self.listed.push(RejectedRow { row, why });
        }
    }
}
