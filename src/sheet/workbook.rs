//! Reads a workbook that came back, cell by cell, and stops where it holds more than a table of
//! ours could: a file says of itself how large it is, and what it says is not believed.

use std::io::{Cursor, Read};

use calamine::{DataRef, Reader as _, Xlsx};
use jiff::civil::Date;

use super::{CELLS, COLUMNS, Cell, ROWS, SheetError, TEXT, too_large};

/// What is packed in it is at most so many bytes, unpacked.
const UNPACKED: u64 = 256 * 1024 * 1024;

/// The rows of the sheet that is ours, the header among them.
pub(super) fn lines(bytes: &[u8]) -> Result<Vec<Vec<Cell>>, SheetError> {
    check_unpacked(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    // The workbook of a report has the plan among its sheets; a table of ours has one sheet.
    let names = workbook.sheet_names();
    let ours = names.iter().find(|name| matches!(name.to_lowercase().as_str(), "plan" | "questionnaire"));
    let name = ours.or(names.first()).cloned().ok_or_else(|| unreadable(&"it has no sheet"))?;
    let merged = workbook.merge_cells_by_sheet_name(&name).map_err(|error| unreadable(&error))?;
    let mut lines: Vec<Vec<Cell>> = Vec::new();
    let (mut cells, mut text) = (0_usize, 0_usize);
    let mut reader = workbook.worksheet_cells_reader(&name).map_err(|error| unreadable(&error))?;
    // The reader that expands shared formulas makes room for as many as the file numbers.
    while let Some(record) = reader.next_cell_with_formula_metadata().map_err(|error| unreadable(&error))? {
        let cell = if record.formula.is_some() { Cell::NotText("a formula") } else { cell(&record.value) };
        if let Cell::Text(held) = &cell {
            if held.is_empty() {
                continue;
            }
            text += held.len();
        }
        cells += 1;
        let (row, column) = (record.pos.0 as usize, record.pos.1 as usize);
        if row > ROWS || column >= COLUMNS || cells > CELLS || text > TEXT {
            return Err(too_large());
        }
        put(&mut lines, row, column, cell);
    }
    // What lies below the last row that holds something is no row.
    let last = lines.len().saturating_sub(1);
    for region in merged {
        let columns = region.start.1 as usize..=(region.end.1 as usize).min(COLUMNS - 1);
        if columns.is_empty() {
            continue;
        }
        for row in region.start.0 as usize..=(region.end.0 as usize).min(last) {
            for column in columns.clone() {
                cells += 1;
                if cells > CELLS {
                    return Err(too_large());
                }
                put(&mut lines, row, column, Cell::NotText("a merged cell"));
            }
        }
    }
    Ok(lines)
}

fn put(lines: &mut Vec<Vec<Cell>>, row: usize, column: usize, cell: Cell) {
    if lines.len() <= row {
        lines.resize(row + 1, Vec::new());
    }
    let line = &mut lines[row];
    if line.len() <= column {
        line.resize(column + 1, Cell::Text(String::new()));
    }
    line[column] = cell;
}

fn cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Text(String::new()),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Bool(value) => Cell::Text(if *value { "yes" } else { "no" }.to_owned()),
        DataRef::Int(number) => Cell::Text(number.to_string()),
        DataRef::Float(number) => Cell::Text(number.to_string()),
        DataRef::DateTime(when) => {
            let (year, month, day, ..) = when.to_ymd_hms_milli();
            let day = i16::try_from(year)
                .ok()
                .and_then(|year| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok());
            day.map_or(Cell::NotText("no date"), |day| Cell::Text(day.to_string()))
        }
        DataRef::Error(_) => Cell::NotText("an error"),
    }
}

/// Unpacks everything once and keeps nothing: the sizes that a packed file states may be wrong.
fn check_unpacked(bytes: &[u8]) -> Result<(), SheetError> {
    let mut packed = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(&error))?;
    let mut total = 0;
    for at in 0..packed.len() {
        let part = packed.by_index(at).map_err(|error| unreadable(&error))?;
        let left = UNPACKED - total;
        total += std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|error| unreadable(&error))?;
        if total > UNPACKED {
            return Err(unreadable(&"what is packed in it is too large"));
        }
    }
    Ok(())
}

fn unreadable(why: &dyn std::fmt::Display) -> SheetError {
    SheetError::Unreadable(why.to_string())
}
