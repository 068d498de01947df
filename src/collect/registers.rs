//! Reads the registers an organization keeps as CSV files.
//!
//! A register holds ids, roles, dates and short codes. Columns that could hold names, addresses
//! or free text are refused before a row is read: they have no place in evidence.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::evidence::declared::RegisterRows;
use crate::evidence::export::RejectedRow;
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::files::{self, FileError};
use crate::names::{SubjectId, SubjectKind};
use crate::scope;
use crate::yaml::Located;

/// A register is at most this large.
const LARGEST: u64 = 32 * 1024 * 1024;
/// Rows beyond this are refused.
const ROWS: usize = 200_000;
/// A value is at most this many bytes.
const VALUE: usize = 80;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// A short text without signs of a name or an address.
    Code,
    /// An ISO date; may be empty.
    Date,
    /// An ISO date.
    RequiredDate,
    /// A key: letters, digits and `-_.`.
    Key,
}

/// The columns of a register we know.
struct Layout {
    name: &'static str,
    columns: &'static [(&'static str, Holds)],
}

/// Every register we can read.
const LAYOUTS: [Layout; 3] = [
    // Reviews of information system activity: 45 CFR 164.308(a)(1)(ii)(D).
    Layout {
        name: "activity-reviews",
        columns: &[
            ("review_id", Holds::Key),
            ("role", Holds::Code),
            ("due", Holds::RequiredDate),
            ("completed", Holds::Date),
        ],
    },
    // Restores that were tried: 45 CFR 164.308(a)(7)(ii)(D).
    Layout {
        name: "restore-tests",
        columns: &[
            ("test_id", Holds::Key),
            ("system", Holds::Code),
            ("due", Holds::RequiredDate),
            ("completed", Holds::Date),
        ],
    },
    // Security training: 45 CFR 164.308(a)(5)(i).
    Layout {
        name: "training",
        columns: &[
            ("person_id", Holds::Key),
            ("role", Holds::Code),
            ("course", Holds::Code),
            ("due", Holds::RequiredDate),
            ("completed", Holds::Date),
        ],
    },
];

/// The names of the registers that can be read, in order.
pub fn known() -> impl Iterator<Item = &'static str> {
    LAYOUTS.iter().map(|layout| layout.name)
}

/// Why the registers could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RegistersError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Located(#[from] Box<Located>),
}

/// Reads every register in the folder `label` of a client's folder.
pub fn read(
    folder: &Path,
    label: &str,
    asked_at: Timestamp,
    vantage: &str,
) -> Result<Vec<Observation>, RegistersError> {
    let inside = scope::find(folder, label).unwrap_or_else(|| folder.join(label));
    let failed = |source| FileError::Read { path: inside.clone(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&inside).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
            files.push(path);
        }
    }
    files.sort();
    let mut observations = Vec::new();
    for path in files {
        let shown = Path::new(label).join(path.file_name().unwrap_or_default());
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let Some(layout) = LAYOUTS.iter().find(|layout| layout.name == stem) else {
            let help = format!(
                "the registers are named {}",
                known().map(|n| format!("{n}.csv")).collect::<Vec<_>>().join(", ")
            );
            return Err(Box::new(Located::at(&shown, "", 0, 0, "there is no register of this name", help)).into());
        };
        let text = files::read_text(&path, LARGEST)?;
        let rows = parse(&shown, &text, layout).map_err(Box::new)?;
        observations.push(Observation {
            subject: SubjectId::new(SubjectKind::Register, layout.name),
            source: Source::Register,
            question: Question::Register { name: layout.name.to_owned() },
            asked_at,
            took_ms: 0,
            vantage: vantage.to_owned(),
            answer: Ok(Answer::Register(rows)),
        });
    }
    Ok(observations)
}

fn parse(file: &Path, text: &str, layout: &Layout) -> Result<RegisterRows, Located> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| Located::at(file, text, 1, 1, error.to_string(), ""))?.clone();
    let columns = columns(file, text, layout, &header)?;
    let mut rows = Vec::new();
    let mut rejected = Vec::new();
    for (index, record) in reader.records().enumerate() {
        if index >= ROWS {
            let what = format!("the register has more than {ROWS} rows");
            return Err(Located::at(
                file,
                "",
                0,
                0,
                what,
                "keep closed years in files of their own, outside the folder",
            ));
        }
        // The header is row 1, as in a spreadsheet.
        let row = index as u64 + 2;
        match record.map_err(|error| error.to_string()).and_then(|record| read_row(&record, &columns)) {
            Ok(values) => rows.push(values),
            Err(why) => rejected.push(RejectedRow { row, why }),
        }
    }
    Ok(RegisterRows { name: layout.name.to_owned(), sha256: hex(&Sha256::digest(text)), rows, rejected })
}

/// The known columns in the order of the file. A column that is not ours is refused, never dropped
/// silently: it would otherwise look as if it had been looked at.
fn columns(
    file: &Path,
    text: &str,
    layout: &Layout,
    header: &csv::StringRecord,
) -> Result<Vec<(&'static str, Holds)>, Located> {
    let wanted = layout.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let mut found: Vec<(&'static str, Holds)> = Vec::new();
    for name in header {
        let column = column_of(text, name);
        let canonical = name.to_lowercase().replace([' ', '-'], "_");
        match layout.columns.iter().find(|(known, _)| *known == canonical) {
            Some(known) if found.contains(known) => {
                let what = format!("the column `{}` is there twice", known.0);
                return Err(Located::at(file, text, 1, column, what, ""));
            }
            Some(known) => found.push(*known),
            None => {
                let what = format!("a register has no column `{}`", crate::text::visible(name));
                let help = if speaks_of_people(&canonical) {
                    format!("names, addresses and free text stay out of registers: use ids; the columns are {wanted}")
                } else {
                    format!("the columns are {wanted}")
                };
                return Err(Located::at(file, text, 1, column, what, help));
            }
        }
    }
    match layout.columns.iter().find(|column| !found.contains(column)) {
        Some((missing, _)) => Err(Located::at(
            file,
            text,
            1,
            1,
            format!("there is no column `{missing}`"),
            format!("the columns are {wanted}"),
        )),
        None => Ok(found),
    }
}

/// Column names that speak of people, places or prose.
fn speaks_of_people(name: &str) -> bool {
    ["name", "mail", "address", "phone", "birth", "dob", "patient", "ssn", "mrn", "note", "comment", "remark", "text"]
        .iter()
        .any(|word| name.contains(word))
}

/// Where a column's name begins in the first line, from 1.
fn column_of(text: &str, name: &str) -> u64 {
    let first = text.lines().next().unwrap_or_default();
    first.find(name).map_or(1, |at| first[..at].chars().count() as u64 + 1)
}

/// One row, or why it is refused. The reason never repeats a value.
fn read_row(record: &csv::StringRecord, columns: &[(&'static str, Holds)]) -> Result<BTreeMap<String, String>, String> {
    if record.len() != columns.len() {
        return Err(format!("it has {} values for {} columns", record.len(), columns.len()));
    }
    let mut values = BTreeMap::new();
    for (&(name, holds), value) in columns.iter().zip(record) {
        let refuse = |why: &str| Err(format!("`{name}` {why}"));
        if value.len() > VALUE {
            return refuse(&format!("is longer than {VALUE} characters"));
        }
        if value.chars().any(crate::text::is_unsafe) {
            return refuse("holds characters that nobody can see");
        }
        match holds {
            Holds::Key if value.is_empty() => return refuse("is empty"),
            Holds::Key if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) => {
                return refuse("is no id: letters, digits, `-`, `_` and `.` only");
            }
            Holds::RequiredDate if value.is_empty() => return refuse("is empty"),
            Holds::RequiredDate | Holds::Date if !value.is_empty() && value.parse::<Date>().is_err() => {
                return refuse("is no date: write 2026-05-01");
            }
            Holds::Code if value.contains('@') => return refuse("holds an address"),
            Holds::Code | Holds::Date | Holds::Key | Holds::RequiredDate => {}
        }
        values.insert(name.to_owned(), value.to_owned());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINING: &str = "Person ID,role,course,due,completed
p-001,nurse,mail-basics,2026-03-01,2026-02-11
p-002,front desk,mail-basics,2026-03-01,
";

    fn layout() -> &'static Layout {
        &LAYOUTS[2]
    }

    fn read_text(text: &str) -> Result<RegisterRows, Located> {
        parse(Path::new("registers/training.csv"), text, layout())
    }

    #[test]
    fn a_register_is_read() {
        let rows = read_text(TRAINING).unwrap();
        assert_eq!((rows.rows.len(), rows.rejected.len()), (2, 0));
        assert_eq!(rows.rows[1]["completed"], "");
    }

    #[test]
    fn columns_about_people_are_refused_where_they_stand() {
        let fault = read_text(&TRAINING.replace("role", "Full Name")).unwrap_err();
        assert_eq!((fault.line, fault.column), (1, 11));
        assert!(fault.help.contains("names, addresses and free text stay out"), "{fault}");
        assert!(read_text(&TRAINING.replace(",role", ",role,notes")).is_err());
        assert!(read_text(&TRAINING.replace(",role", ",due")).unwrap_err().what.contains("twice"));
        assert!(read_text("person_id,role,course,due\n").unwrap_err().what.contains("no column `completed`"));
    }

    #[test]
    fn rows_that_cannot_be_read_are_rejected_without_repeating_them() {
        let text = format!(
            "{TRAINING}Jane Doe,nurse,x,2026-03-01,\np-3,jane@clinic.example,x,2026-03-01,\np-4,a,b,3/1/2026,\np-5,a\n"
        );
        let rows = read_text(&text).unwrap();
        assert_eq!(rows.rows.len(), 2);
        assert_eq!(rows.rejected.iter().map(|rejected| rejected.row).collect::<Vec<_>>(), [4, 5, 6, 7]);
        let said = serde_json::to_string(&rows.rejected).unwrap();
        assert!(!said.contains("Jane") && !said.contains("jane@"), "{said}");
    }

    #[test]
    fn only_known_registers_are_read() {
        let folder = tempfile::tempdir().unwrap();
        files::make_folder(&folder.path().join("registers")).unwrap();
        let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
        files::write_whole(&folder.path().join("registers/training.csv"), TRAINING.as_bytes()).unwrap();
        files::write_whole(&folder.path().join("registers/README.md"), b"ours").unwrap();
        assert_eq!(read(folder.path(), "registers/", asked_at, "here").unwrap().len(), 1);
        files::write_whole(&folder.path().join("registers/patients.csv"), b"name\n").unwrap();
        let error = read(folder.path(), "registers/", asked_at, "here").unwrap_err();
        assert!(error.to_string().contains("registers/patients.csv"), "{error}");
    }
}
