//! Tables that people edit in a spreadsheet and hand back: CSV and XLSX, written and read.
//!
//! Written cells are text, never formulas. What comes back is hostile: a formula, a merged cell or
//! an error is said to be one, so that whoever reads the row can refuse it; nothing is dropped.

use std::io::Cursor;
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx};
use jiff::civil::Date;
use rust_xlsxwriter::{DataValidation, Format, FormatAlign, Workbook, XlsxError};

/// A file that comes back is at most this large, and so is everything packed in it.
pub const LARGEST: u64 = 32 * 1024 * 1024;
const UNPACKED: u64 = 256 * 1024 * 1024;
/// More rows than this are no plan and no questionnaire.
const ROWS: usize = 20_000;
/// A spreadsheet program refuses more choices than fit in 255 characters.
const CHOICES: usize = 255;
/// What Excel needs to read UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// One column to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name in the first row, by which it is found again.
    pub name: &'static str,
    /// In characters.
    pub width: u16,
    /// Whether people are meant to write here.
    pub filled_in: bool,
    /// What may be chosen; empty where any text may stand.
    pub choices: Vec<&'static str>,
}

/// A table to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub name: &'static str,
    pub columns: Vec<Column>,
    /// As many cells as columns.
    pub rows: Vec<Vec<String>>,
}

/// One cell that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Not text: `a formula`, `a merged cell`, `an error`.
    NotText(&'static str),
    Text(String),
}

/// One row that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As the spreadsheet counts; the header is 1.
    pub number: u64,
    cells: Vec<Cell>,
}

/// A table that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    pub rows: Vec<Row>,
}

/// Why a table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error("{0} is neither .csv nor .xlsx")]
    Kind(String),
    #[error("the file cannot be read as a table: {0}")]
    Unreadable(String),
    #[error("the table cannot be written: {0}")]
    Unwritable(#[from] XlsxError),
}

impl Sheet {
    /// The bytes for a file of this name: `.csv` or `.xlsx`.
    pub fn bytes_for(&self, path: &Path) -> Result<Vec<u8>, SheetError> {
        match extension(path).as_str() {
            "csv" => Ok(self.csv()),
            "xlsx" => self.xlsx(),
            _ => Err(SheetError::Kind(path.display().to_string())),
        }
    }

    /// UTF-8 with a byte order mark, cells that would be formulas made text (an apostrophe before
    /// `=`, `+`, `-`, `@`, tab and carriage return, as OWASP advises).
    pub fn csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let written = "a list of cells is written into memory";
        writer.write_record(self.columns.iter().map(|column| column.name)).expect(written);
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| defused(cell))).expect(written);
        }
        let body = writer.into_inner().expect(written);
        [BYTE_ORDER_MARK.as_bytes(), &body].concat()
    }

    /// A workbook with one sheet: the header stays in view, choices are offered, cells are text.
    pub fn xlsx(&self) -> Result<Vec<u8>, SheetError> {
        let mut workbook = Workbook::new();
        // The same table gives the same bytes.
        let epoch = rust_xlsxwriter::ExcelDateTime::from_ymd(2000, 1, 1)?;
        workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_creation_datetime(&epoch));
        let sheet = workbook.add_worksheet().set_name(self.name)?;
        let head = Format::new().set_bold().set_text_wrap().set_align(FormatAlign::Top);
        let given = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let open = Format::new()
            .set_text_wrap()
            .set_align(FormatAlign::Top)
            .set_num_format("@")
            .set_background_color("#FFF8E1");
        let last = u32::try_from(self.rows.len().max(1)).unwrap_or(u32::MAX);
        for (at, column) in (0u16..).zip(&self.columns) {
            sheet.set_column_width(at, f64::from(column.width))?;
            sheet.write_string_with_format(0, at, column.name, &head)?;
            let choices = &column.choices;
            if !choices.is_empty() && choices.iter().map(|choice| choice.len() + 1).sum::<usize>() <= CHOICES {
                sheet.add_data_validation(1, at, last, at, &DataValidation::new().allow_list_strings(choices)?)?;
            }
        }
        for (row, cells) in (1u32..).zip(&self.rows) {
            for ((at, cell), column) in (0u16..).zip(cells).zip(&self.columns) {
                sheet.write_string_with_format(row, at, cell, if column.filled_in { &open } else { &given })?;
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(workbook.save_to_buffer()?)
    }
}

impl Table {
    /// Reads the bytes of a file of this name.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Self, SheetError> {
        match extension(path).as_str() {
            "csv" => Self::from_csv(bytes),
            "xlsx" => Self::from_xlsx(bytes),
            _ => Err(SheetError::Kind(path.display().to_string())),
        }
    }

    fn from_csv(bytes: &[u8]) -> Result<Self, SheetError> {
        let unreadable = |why: &dyn std::fmt::Display| SheetError::Unreadable(why.to_string());
        let text = std::str::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        // Spreadsheets of many countries write semicolons.
        let first = text.lines().next().unwrap_or_default();
        let delimiter = if first.matches(';').count() > first.matches(',').count() { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut lines = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| unreadable(&error))?;
            if lines.len() > ROWS {
                return Err(unreadable(&format!("it has more than {ROWS} rows")));
            }
            lines.push(record.iter().map(|cell| Cell::Text(restored(cell))).collect());
        }
        Self::of_lines(lines)
    }

    fn from_xlsx(bytes: &[u8]) -> Result<Self, SheetError> {
        let unreadable = |why: &dyn std::fmt::Display| SheetError::Unreadable(why.to_string());
        let mut packed = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
        let mut total = 0u64;
        for at in 0..packed.len() {
            total = total.saturating_add(packed.by_index_raw(at).map_err(|error| unreadable(&error))?.size());
        }
        if total > UNPACKED {
            return Err(unreadable(&"what is packed in it is too large"));
        }
        let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
        // The workbook of a report has the plan among its sheets; a table of ours has one sheet.
        let names = workbook.sheet_names();
        let ours = names.iter().find(|name| matches!(name.to_lowercase().as_str(), "plan" | "questionnaire"));
        let name = ours.or(names.first()).cloned().ok_or_else(|| unreadable(&"it has no sheet"))?;
        let range = workbook.worksheet_range(&name).map_err(|error| unreadable(&error))?;
        let formulas = workbook.worksheet_formula(&name).map_err(|error| unreadable(&error))?;
        let merged = workbook.merge_cells_by_sheet_name(&name).map_err(|error| unreadable(&error))?;
        let Some((rows, columns)) = range.end() else { return Self::of_lines(Vec::new()) };
        if rows as usize > ROWS || columns > 200 {
            return Err(unreadable(&format!("it has more than {ROWS} rows or 200 columns")));
        }
        let cell = |row: u32, column: u32| {
            if formulas.get_value((row, column)).is_some_and(|formula| !formula.is_empty()) {
                return Cell::NotText("a formula");
            }
            if merged.iter().any(|region| region.contains(row, column)) {
                return Cell::NotText("a merged cell");
            }
            match range.get_value((row, column)) {
                None | Some(Data::Empty) => Cell::Text(String::new()),
                Some(Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text)) => {
                    Cell::Text(text.clone())
                }
                Some(Data::Bool(value)) => Cell::Text(if *value { "yes" } else { "no" }.to_owned()),
                Some(Data::Int(number)) => Cell::Text(number.to_string()),
                Some(Data::Float(number)) => Cell::Text(number.to_string()),
                Some(Data::DateTime(when)) => {
                    let (year, month, day, ..) = when.to_ymd_hms_milli();
                    let day = i16::try_from(year)
                        .ok()
                        .and_then(|year| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok());
                    day.map_or(Cell::NotText("no date"), |day| Cell::Text(day.to_string()))
                }
                Some(Data::Error(_)) => Cell::NotText("an error"),
            }
        };
        Self::of_lines((0..=rows).map(|row| (0..=columns).map(|column| cell(row, column)).collect()).collect())
    }

    fn of_lines(lines: Vec<Vec<Cell>>) -> Result<Self, SheetError> {
        let mut lines = lines.into_iter();
        let header = lines.next().ok_or_else(|| SheetError::Unreadable("it is empty".to_owned()))?;
        let header = header
            .into_iter()
            .map(|cell| match cell {
                Cell::NotText(what) => what.to_owned(),
                Cell::Text(text) => text.trim().to_lowercase().replace([' ', '-'], "_"),
            })
            .collect();
        let rows = (2u64..)
            .zip(lines)
            .map(|(number, cells)| Row { number, cells })
            .filter(|row| row.cells.iter().any(|cell| *cell != Cell::Text(String::new())))
            .collect();
        Ok(Self { header, rows })
    }

    /// The columns among these that are not there, or there twice.
    pub fn lacks<'n>(&self, names: &[&'n str]) -> Vec<&'n str> {
        let once = |name: &&&str| self.header.iter().filter(|known| known.as_str() == **name).count() == 1;
        names.iter().filter(|name| !once(name)).copied().collect()
    }

    /// The text of a cell without the space around it; what is no text is said.
    pub fn text<'t>(&self, row: &'t Row, column: &str) -> Result<&'t str, String> {
        let at = self.header.iter().position(|known| known == column);
        match at.and_then(|at| row.cells.get(at)) {
            None => Ok(""),
            Some(Cell::NotText(what)) => Err(format!("`{column}` holds {what}")),
            Some(Cell::Text(text)) => Ok(text.trim()),
        }
    }

    /// As [`Self::text`], as a date; empty is none.
    pub fn date(&self, row: &Row, column: &str) -> Result<Option<Date>, String> {
        match self.text(row, column)? {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| format!("`{column}` is no date: write 2027-01-31")),
        }
    }
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

const LEADS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn defused(cell: &str) -> String {
    if cell.starts_with(LEADS) { format!("'{cell}") } else { cell.to_owned() }
}

fn restored(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(LEADS) => rest.to_owned(),
        Some(_) | None => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let column = |name, filled_in| Column { name, width: 20, filled_in, choices: Vec::new() };
        Sheet {
            name: "plan",
            columns: vec![column("id", false), column("due", true)],
            rows: vec![
                vec!["=cmd|' /C calc'!A0".to_owned(), "2027-01-31".to_owned()],
                vec!["-1, \"two\"\nlines".to_owned(), String::new()],
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_again_in_both_forms() {
        for name in ["plan.csv", "plan.xlsx"] {
            let bytes = sheet().bytes_for(Path::new(name)).unwrap();
            assert_eq!(bytes, sheet().bytes_for(Path::new(name)).unwrap(), "the same bytes: {name}");
            let table = Table::read(Path::new(name), &bytes).unwrap();
            assert!(table.lacks(&["id", "due"]).is_empty());
            assert_eq!(table.lacks(&["id", "owner"]), ["owner"]);
            let texts: Vec<_> = table.rows.iter().map(|row| table.text(row, "id").unwrap()).collect();
            assert_eq!(texts, ["=cmd|' /C calc'!A0", "-1, \"two\"\nlines"], "{name}");
            assert_eq!(table.date(&table.rows[0], "due"), Ok(Some(jiff::civil::date(2027, 1, 31))));
            assert_eq!(table.date(&table.rows[1], "due"), Ok(None));
        }
        assert!(Table::read(Path::new("plan.ods"), b"").is_err());
    }

    #[test]
    fn no_cell_of_a_csv_file_begins_a_formula() {
        let text = String::from_utf8(sheet().csv()).unwrap();
        assert!(text.starts_with("\u{feff}id,due\r\n'=cmd"), "{text}");
    }

    #[test]
    fn formulas_merged_cells_and_real_dates_are_told_apart() {
        let mut workbook = Workbook::new();
        let page = workbook.add_worksheet();
        for (column, name) in (0u16..).zip(["id", "due", "owner"]) {
            page.write_string(0, column, name).unwrap();
        }
        page.write_formula(1, 0, "=1+1").unwrap();
        let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2027, 1, 31).unwrap();
        page.write_datetime_with_format(1, 1, &day, &Format::new().set_num_format("yyyy-mm-dd")).unwrap();
        page.merge_range(2, 0, 2, 1, "both", &Format::new()).unwrap();
        page.write_number(2, 2, 7.0).unwrap();
        let bytes = workbook.save_to_buffer().unwrap();
        let table = Table::read(Path::new("a.xlsx"), &bytes).unwrap();
        assert_eq!(table.text(&table.rows[0], "id"), Err("`id` holds a formula".to_owned()));
        assert_eq!(table.date(&table.rows[0], "due"), Ok(Some(jiff::civil::date(2027, 1, 31))));
        assert_eq!(table.text(&table.rows[1], "due"), Err("`due` holds a merged cell".to_owned()));
        assert_eq!(table.text(&table.rows[1], "owner"), Ok("7"));
    }

    #[test]
    fn semicolons_and_broken_files_are_no_surprise() {
        let table = Table::read(Path::new("a.csv"), b"ID;Due\nx;2027-01-31\n\n").unwrap();
        assert_eq!((table.rows.len(), table.text(&table.rows[0], "id")), (1, Ok("x")));
        for (name, bytes) in
            [("a.csv", &b""[..]), ("a.csv", b"\xff\xfe\x00"), ("a.xlsx", b"PK\x03\x04"), ("a.xlsx", b"")]
        {
            assert!(Table::read(Path::new(name), bytes).is_err(), "{name} {bytes:?}");
        }
    }
}
