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
    let formats = Formats {
        head: Format::new()
            .set_bold()
            .set_border_bottom(FormatBorder::Thin)
            .set_text_wrap()
            .set_align(FormatAlign::Top),
        text: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        number: Format::new().set_num_format("#,##0").set_align(FormatAlign::Top),
        date: Format::new().set_num_format("yyyy-mm-dd").set_align(FormatAlign::Top),
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
                Cell::Empty => {}
                Cell::Number(number) => {
                    sheet.write_number_with_format(row, column, *number as f64, &formats.number)?;
                }
                Cell::Text(text) => {
                    sheet.write_string_with_format(row, column, text, &formats.text)?;
                }
            }
        }
    }
    let last_row = u32::try_from(rows).unwrap_or(u32::MAX);
    let last_column = u16::try_from(table.columns.len() - 1).unwrap_or(u16::MAX);
    sheet.autofilter(0, 0, last_row, last_column)?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    Ok(())
}

fn date(day: jiff::civil::Date) -> Result<ExcelDateTime, XlsxError> {
    ExcelDateTime::from_ymd(day.year().unsigned_abs(), day.month().unsigned_abs(), day.day().unsigned_abs())
}
