//! Tables that people edit in a spreadsheet and hand back: CSV and XLSX, written and read.
//!
//! Written cells are text, never formulas. What comes back is hostile: a formula, a merged cell or
//! an error is said to be one, so that whoever reads the row can refuse it; nothing is dropped.

mod workbook;

use std::path::Path;

use jiff::civil::Date;
use rust_xlsxwriter::{DataValidation, Format, FormatAlign, Workbook, XlsxError};

/// A file that comes back is at most this large.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// More rows than this are no plan and no questionnaire.
const ROWS: usize = 20_000;
/// Our widest table has thirty columns; people add some.
const COLUMNS: usize = 100;
/// Cells that hold something, and cells of merged regions.
const CELLS: usize = 1_000_000;
/// All text together, in bytes: one long text may be shared by every cell of a workbook.
const TEXT: usize = 64 * 1024 * 1024;
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

    /// UTF-8 with a byte order mark, cells that would be formulas made text.
    pub fn csv(&self) -> Vec<u8> {
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let written = "a list of cells is written into memory";
        writer.write_record(self.columns.iter().map(|column| column.name)).expect(written);
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| inert(cell))).expect(written);
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
            "xlsx" => Self::of_lines(workbook::lines(bytes)?),
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
        let mut lines: Vec<Vec<Cell>> = Vec::new();
        let mut cells = 0;
        for record in reader.records() {
            let record = record.map_err(|error| unreadable(&error))?;
            // What is empty up to the end of a line is a spreadsheet's own.
            let width = record.iter().zip(1..).filter(|(cell, _)| !cell.is_empty()).last().map_or(0, |(_, at)| at);
            cells += width;
            if lines.len() > ROWS || width > COLUMNS || cells > CELLS {
                return Err(too_large());
            }
            lines.push(record.iter().take(width).map(|cell| Cell::Text(restored(cell))).collect());
        }
        Self::of_lines(lines)
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

    /// Whether there is a column of this name.
    pub fn has(&self, column: &str) -> bool {
        self.header.iter().any(|known| known == column)
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

fn too_large() -> SheetError {
    let most = format!("{ROWS} rows, {COLUMNS} columns, {CELLS} cells or {TEXT} bytes of text");
    SheetError::Unreadable(format!("it holds more than {most}"))
}

fn extension(path: &Path) -> String {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase()
}

/// Text that no spreadsheet calculates: an apostrophe before what would begin a formula (CWE-1236),
/// and before an apostrophe, so that what people wrote with one comes back as well.
pub fn inert(text: &str) -> String {
    if is_active(text) { format!("'{text}") } else { text.to_owned() }
}

fn is_active(text: &str) -> bool {
    const BEGINS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    text.trim_start().starts_with(BEGINS) || text.starts_with(['\t', '\r', '\n', '\0', '\''])
}

fn restored(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if is_active(rest) => rest.to_owned(),
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

    /// A sheet whose only cells are at its first and its last place, as a spreadsheet may write it.
    fn packed(cells: &str) -> Vec<u8> {
        use std::io::Write as _;
        let parts = [
            ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>"),
            (
                "_rels/.rels",
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"a\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>",
            ),
            (
                "xl/workbook.xml",
                "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"plan\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>",
            ),
            (
                "xl/_rels/workbook.xml.rels",
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"a\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>",
            ),
            ("xl/worksheets/sheet1.xml", cells),
        ];
        let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in parts {
            file.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        file.finish().unwrap().into_inner()
    }

    fn sheet_of(rows: &str, more: &str) -> Vec<u8> {
        packed(&format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData>{more}</worksheet>"
        ))
    }

    #[test]
    fn a_small_workbook_does_not_make_a_large_table() {
        let cell = |at: &str| format!("<c r=\"{at}\" t=\"str\"><v>x</v></c>");
        let row = |number: u32, cells: &str| format!("<row r=\"{number}\">{cells}</row>");
        let corners = |at: &str, number: u32| format!("{}{}", row(1, &cell("A1")), row(number, &cell(at)));
        let read = |rows: &str, more: &str| Table::read(Path::new("a.xlsx"), &sheet_of(rows, more));
        assert_eq!(read(&corners("B2", 2), "").unwrap().rows.len(), 1);
        for (at, number) in [("XFD1048576", 1_048_576), ("A1048576", 1_048_576), ("XFD2", 2)] {
            let error = read(&corners(at, number), "").unwrap_err().to_string();
            assert!(error.contains("it holds more than"), "{at}: {error}");
        }
        // A merged region may be as large as the sheet; rows are only those that hold something.
        let merged = "<mergeCells count=\"1\"><mergeCell ref=\"A2:XFD1048576\"/></mergeCells>";
        let table = read(&corners("B2", 2), merged).unwrap();
        assert_eq!((table.rows.len(), table.text(&table.rows[0], "x")), (1, Err("`x` holds a merged cell".to_owned())));
        // A formula that calls itself the four-thousand-millionth shared one needs no room for the others.
        let shared =
            "<row r=\"1\"><c r=\"A1\"><f t=\"shared\" ref=\"A1:A2\" si=\"4000000000\">1+1</f><v>2</v></c></row>";
        assert!(read(shared, "").is_ok());
    }

    #[test]
    fn a_small_csv_file_does_not_make_a_large_table() {
        let read = |text: &str| Table::read(Path::new("a.csv"), text.as_bytes());
        let wide = |cells: usize| vec!["x"; cells].join(",");
        let empty_to_the_end = format!("id,due{}\nx,\n", ",".repeat(16_382));
        assert_eq!(read(&empty_to_the_end).unwrap().header, ["id", "due"]);
        assert!(read(&wide(COLUMNS)).is_ok());
        for text in [wide(COLUMNS + 1), format!("{}\n", wide(60)).repeat(17_000), "x\n".repeat(ROWS + 2)] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains("it holds more than"), "{error}");
        }
    }

    #[test]
    fn an_apostrophe_that_somebody_wrote_comes_back() {
        for text in ["'=x", "''-y", "=z", "'plain", "'", "plain", ""] {
            assert_eq!(restored(&inert(text)), text);
            assert!(!inert(text).starts_with(['=', '-']));
        }
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
