//! The tables of an assessment as one XLSX workbook: typed cells, filters, heads that stay.
//!
//! Writes no formula and no link: every text is a string cell, whatever it begins with.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, XlsxError};

use super::json::v1::Assessment;
use super::tables::{Cell, Table, tables};

/// Why the workbook could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the workbook could not be made: {0}")]
pub struct WorkbookError(#[from] XlsxError);

/// A sheet has so many rows, its head included.
const ROWS: usize = 1_048_576;

/// Height of a line in points, and the most lines of a row that are shown.
const LINE: f64 = 15.0;
const LINES: u16 = 6;
/// Characters beside each other on a page in landscape.
const PAGE: u16 = 170;

struct Formats {
    head: Format,
    text: Format,
    number: Format,
    date: Format,
}

/// The whole workbook. The same assessment gives the same bytes.
pub fn workbook(assessment: &Assessment) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Workbook::new();
    let day = crate::clock::date_of(assessment.as_of);
    let made = date(day)?;
    workbook.set_properties(
        &DocProperties::new()
            .set_title("Risk analysis of e-mail")
            .set_author(format!("{} {}", assessment.tool.name, assessment.tool.version))
            .set_creation_datetime(&made),
    );
    let cell = Format::new().set_align(FormatAlign::Top).set_border_bottom(FormatBorder::Hair);
    let formats = Formats {
        head: Format::new()
            .set_bold()
            .set_border_bottom(FormatBorder::Thin)
            .set_text_wrap()
            .set_align(FormatAlign::Top),
        text: cell.clone().set_text_wrap(),
        number: cell.clone().set_num_format("#,##0"),
        date: cell.set_num_format("yyyy-mm-dd"),
    };
    for table in tables(assessment) {
        write(&mut workbook, &table, &formats)?;
    }
    Ok(workbook.save_to_buffer()?)
}

fn write(workbook: &mut Workbook, table: &Table, formats: &Formats) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name(table.name)?;
    for (column, (title, width)) in (0_u16..).zip(&table.columns) {
        sheet.set_column_width(column, *width)?;
        sheet.write_string_with_format(0, column, *title, &formats.head)?;
    }
    let rows = table.rows.len().min(ROWS - 1);
    for (row, cells) in (1_u32..).zip(&table.rows[..rows]) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                // Spreadsheets know no day before 1900.
                Cell::Date(day) if day.year() < 1900 => {
                    sheet.write_string_with_format(row, column, day.to_string(), &formats.text)?;
                }
                Cell::Date(day) => {
                    sheet.write_datetime_with_format(row, column, &date(*day)?, &formats.date)?;
                }
                Cell::Empty => {
                    sheet.write_blank(row, column, &formats.text)?;
                }
                Cell::Number(number) => {
                    sheet.write_number_with_format(row, column, *number as f64, &formats.number)?;
                }
                Cell::Text(text) => {
                    sheet.write_string_with_format(row, column, text, &formats.text)?;
                }
            }
        }
    }
    for (row, cells) in (1_u32..).zip(&table.rows[..rows]) {
        let lines = cells.iter().zip(&table.columns).map(|(cell, (_, width))| lines(cell, *width)).max().unwrap_or(1);
        if lines > 1 {
            sheet.set_row_height(row, f64::from(lines) * LINE)?;
        }
    }
    let heads = table.columns.iter().map(|(title, width)| wrapped(title.chars().count(), *width)).max().unwrap_or(1);
    sheet.set_row_height(0, f64::from(heads) * LINE)?;
    let last_row = u32::try_from(rows).unwrap_or(u32::MAX);
    let last_column = u16::try_from(table.columns.len() - 1).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, last_row, last_column)?;
    sheet.set_freeze_panes(1, 0)?;
    // All columns on one page would be too small to read: so many pages side by side as it takes.
    let width: u16 = table.columns.iter().map(|(_, width)| *width).sum();
    sheet.set_landscape().set_print_fit_to_pages(width.div_ceil(PAGE).max(1), 0).set_repeat_rows(0, 0)?;
    sheet.set_footer("&L&A&RPage &P of &N");
    Ok(())
}

/// Lines that a cell takes in a column so wide. Not every program that opens a workbook counts them by
/// itself; a text longer than is shown is still whole in its cell.
fn lines(cell: &Cell, width: u16) -> u16 {
    match cell {
        Cell::Date(_) | Cell::Empty | Cell::Number(_) => 1,
        Cell::Text(text) => {
            wrapped(text.chars().take(usize::from(width) * usize::from(LINES)).count(), width).min(LINES)
        }
    }
}

/// Words do not break, so a line holds less than the width.
fn wrapped(characters: usize, width: u16) -> u16 {
    let line = usize::from(width) * 9 / 10;
    u16::try_from(characters.div_ceil(line.max(1))).unwrap_or(u16::MAX).max(1)
}

fn date(day: jiff::civil::Date) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_ymd(day.year().unsigned_abs(), day.month().unsigned_abs(), day.day().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_high_as_its_longest_text_up_to_a_limit() {
        assert_eq!(lines(&Cell::text("short"), 40), 1);
        assert_eq!(lines(&Cell::text(&"word ".repeat(20)), 40), 3);
        assert_eq!(lines(&Cell::text(&"word ".repeat(20_000)), 40), LINES);
        assert_eq!(lines(&Cell::Number(1), 1), 1);
    }
}
