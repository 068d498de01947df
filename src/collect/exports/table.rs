//! Reads delimited text: the dialects of PowerShell, of spreadsheets and of GAM.
//!
//! The first line may be a type or a separator, the delimiter is the one that gives known
//! columns, headers repeat where files were appended. A row with more cells than the header is
//! rejected, since nobody knows which cell is whose.

use std::collections::BTreeSet;
use std::io::{self, Read};

use super::recognise::known_column;
use super::row::{CELL_BYTES, Cell, Row};
use super::watched::{RecordEnd, Watched};

/// A record longer than this ends the reading: most likely a quote that never closes.
const RECORD_BYTES: u64 = 16 * 1024 * 1024;
/// Columns in one header.
const COLUMNS: usize = 2_000;

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    delimiter: u8,
    quote: u8,
    /// Bytes before the header: `#TYPE …`, `sep=;`, empty lines.
    skip: usize,
}

/// Finds the dialect from the first part of the text; `None` where no column is known.
pub fn dialect(head: &str) -> Option<Dialect> {
    let mut rest = head;
    let mut stated = None;
    loop {
        let line = rest.split_inclusive('\n').next()?;
        let text = line.trim();
        let lower = text.to_ascii_lowercase();
        let unquoted = text.trim_matches('"');
        if let Some(separator) = lower.trim_matches('"').strip_prefix("sep=") {
            stated = separator.bytes().next().or(stated);
        } else if !(text.is_empty() || unquoted.starts_with("#TYPE")) {
            break;
        }
        rest = &rest[line.len()..];
    }
    let skip = head.len() - rest.len();
    let line = rest.lines().next()?;
    let known = |delimiter: u8| header(line, delimiter).iter().filter(|name| known_column(name).is_some()).count();
    let delimiter = match stated {
        Some(delimiter) if known(delimiter) > 0 => delimiter,
        _ => {
            let candidates = [b',', b';', b'\t', b'|'];
            // The first of several that come out alike: a single column has no delimiter.
            candidates.into_iter().rev().max_by_key(|delimiter| known(*delimiter))?
        }
    };
    if known(delimiter) == 0 {
        return None;
    }
    // GAM's `formatjson quotechar "'"`: the header shows no quote, the first JSON cell does.
    let json = header(line, delimiter).iter().any(|name| name.eq_ignore_ascii_case("json"));
    let quote = if json && rest.contains(&format!("{}'{{", char::from(delimiter))) { b'\'' } else { b'"' };
    Some(Dialect { delimiter, quote, skip })
}

fn header(line: &str, delimiter: u8) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().take(COLUMNS).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// What stands at the end of one record.
#[derive(Debug)]
pub enum Next {
    End,
    /// The reading cannot go on.
    Failed(String),
    Rejected {
        row: u64,
        why: String,
    },
    Row(Row),
}

/// Reads a table row by row.
pub struct Table<R: Read> {
    reader: csv::Reader<Watched<R>>,
    record_end: RecordEnd,
    columns: Vec<Option<&'static str>>,
    header: Vec<String>,
    record: csv::StringRecord,
    number: u64,
    ended: bool,
    /// Headers met again inside the file.
    pub repeated_headers: u64,
    /// Rows with fewer cells than the header.
    pub short_rows: u64,
}

impl<R: Read> std::fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("columns", &self.columns).field("number", &self.number).finish_non_exhaustive()
    }
}

impl<R: Read> Table<R> {
    /// Reads the header; `text` starts at the very beginning of the file.
    pub fn open(mut text: R, dialect: &Dialect) -> Result<Self, String> {
        io::copy(&mut (&mut text).take(dialect.skip as u64), &mut io::sink()).map_err(|error| error.to_string())?;
        let (text, record_end) = Watched::new(text, RECORD_BYTES);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.delimiter)
            .quote(dialect.quote)
            .from_reader(text);
        let mut record = csv::StringRecord::new();
        let found = reader.read_record(&mut record).map_err(|error| reason(&error))?;
        if !found || record.len() > COLUMNS {
            return Err(format!("no header, or more than {COLUMNS} columns"));
        }
        let header: Vec<String> = record.iter().map(str::to_owned).collect();
        let mut seen = BTreeSet::new();
        // Of two columns with one name the first counts, as it does for the exporter.
        let columns = header.iter().map(|name| known_column(name).filter(|column| seen.insert(*column))).collect();
        Ok(Self {
            reader,
            record_end,
            columns,
            header,
            record,
            number: 0,
            ended: false,
            repeated_headers: 0,
            short_rows: 0,
        })
    }

    /// The text that is read from.
    pub fn text(&self) -> &R {
        &self.reader.get_ref().inner
    }

    /// The known columns of the header.
    pub fn columns(&self) -> BTreeSet<&'static str> {
        self.columns.iter().flatten().copied().collect()
    }

    /// The next row.
    pub fn next_row(&mut self) -> Next {
        loop {
            if self.ended {
                return Next::End;
            }
            self.record_end.mark();
            match self.reader.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return Next::End;
                }
                Err(error) => {
                    if !matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) {
                        self.ended = true;
                        return Next::Failed(reason(&error));
                    }
                    self.number += 1;
                    return Next::Rejected { row: self.number, why: reason(&error) };
                }
            }
            if self.is_noise() {
                continue;
            }
            self.number += 1;
            if self.record.len() > self.columns.len() {
                let why = format!("{} cells under {} columns", self.record.len(), self.columns.len());
                return Next::Rejected { row: self.number, why };
            }
            if self.record.len() < self.columns.len() {
                self.short_rows += 1;
            }
            let known = self.columns.iter().zip(&self.record);
            let cells = known
                .filter_map(|(column, text)| {
                    let cell = if text.len() > CELL_BYTES { Cell::TooLarge } else { Cell::Text(text.to_owned()) };
                    column.map(|column| (column, cell))
                })
                .collect();
            return Next::Row(Row { number: self.number, cells, context: None });
        }
    }

    /// A repeated header, a repeated type line, a line of nothing.
    fn is_noise(&mut self) -> bool {
        let first = self.record.get(0).unwrap_or_default();
        if first.starts_with("#TYPE") {
            return true;
        }
        if self.record.iter().all(|cell| cell.trim().is_empty()) {
            return true;
        }
        let repeated =
            self.record.len() == self.header.len() && self.record.iter().eq(self.header.iter().map(String::as_str));
        self.repeated_headers += u64::from(repeated);
        repeated
    }
}

/// The kind of a fault, without the text it was found in.
fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => "not readable as text".to_owned(),
        _ => "not readable as delimited text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Row>, Vec<u64>, u64, u64) {
        let dialect = dialect(text).unwrap();
        let mut table = Table::open(text.as_bytes(), &dialect).unwrap();
        let (mut rows, mut rejected) = (Vec::new(), Vec::new());
        loop {
            match table.next_row() {
                Next::End => return (rows, rejected, table.repeated_headers, table.short_rows),
                Next::Failed(why) => panic!("{why}"),
                Next::Rejected { row, .. } => rejected.push(row),
                Next::Row(row) => rows.push(row),
            }
        }
    }

    #[test]
    fn type_and_separator_lines_are_no_header() {
        for start in
            ["#TYPE Deserialized.Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n", "sep=;\r\n", "\r\n", ""]
        {
            let (rows, ..) = read(&format!("{start}\"Name\";\"Enabled\"\r\n\"a\";\"True\"\r\n"));
            assert_eq!(rows[0].text("enabled"), Some("True"), "{start}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_gives_known_columns() {
        for delimiter in [",", ";", "\t", "|"] {
            let text = ["PrimarySmtpAddress", "Name, with comma; and more", "Enabled"]
                .map(|name| format!("\"{name}\""))
                .join(delimiter);
            let (rows, ..) = read(&format!("{text}\n\"a@b.example\"{delimiter}\"x\"{delimiter}\"False\"\n"));
            assert_eq!(rows[0].text("primarysmtpaddress"), Some("a@b.example"), "{delimiter}");
        }
    }

    #[test]
    fn a_line_end_inside_quotes_ends_no_row() {
        let (rows, ..) =
            read("Name,Description,Enabled\r\na,\"If the message:\r\n\tforward it\r\n\",True\r\nb,,False\r\n");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].text("enabled"), Some("False"));
    }

    #[test]
    fn appended_files_repeat_headers_and_drop_cells() {
        let text = "Name,Enabled,ForwardTo\na,True,x@y.example\n#TYPE System.Object\nName,Enabled,ForwardTo\nb,True\nc,True,d,e\n";
        let (rows, rejected, repeated, short) = read(text);
        assert_eq!((rows.len(), rejected, repeated, short), (2, vec![3], 1, 1));
        assert!(!rows[1].has("forwardto"), "a cell that is not there was not provided");
    }

    #[test]
    fn gam_writes_json_cells_in_single_quotes() {
        let (rows, ..) = read("User,id,JSON\na@b.example,F1,'{\"id\": \"F1\", \"x\": \"it''s\"}'\n");
        assert_eq!(rows[0].text("json"), Some("{\"id\": \"F1\", \"x\": \"it's\"}"));
        let (rows, ..) = read("User,id,JSON\na@b.example,F1,\"{\"\"id\"\": \"\"F1\"\"}\"\n");
        assert_eq!(rows[0].text("json"), Some("{\"id\": \"F1\"}"));
    }

    #[test]
    fn prose_is_no_table() {
        assert_eq!(dialect("This folder holds exports.\nPlease, read; them.\n"), None);
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_disk() {
        let mut text = "Name,Enabled\n\"a".to_owned();
        text.push_str(&"b".repeat(RECORD_BYTES as usize + 200_000));
        let mut table = Table::open(text.as_bytes(), &dialect(&text[..100]).unwrap()).unwrap();
        assert!(matches!(table.next_row(), Next::Failed(_)));
        assert!(matches!(table.next_row(), Next::End));
    }
}
