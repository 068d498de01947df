//! Reads the registers an organization keeps as CSV files.
//!
//! A register holds ids, roles, dates, numbers and words of a list, as `checks/registers.yaml` says.
//! Columns that could hold names, addresses or free text are refused before a row is read: they
//! have no place in evidence. Accounts, by whatever name the mail system knows them, leave as keyed references.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::catalogues::registers::{Column, Holds, Register, Registers, Row};
use crate::collect::exports;
use crate::evidence::declared::RegisterRows;
use crate::evidence::export::RejectedRow;
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::files::{self, FileError};
use crate::keyed::KeyedReference;
use crate::names::{SubjectId, SubjectKind};
use crate::scope;
use crate::yaml::Located;

/// A register is at most this large.
pub const LARGEST: u64 = 32 * 1024 * 1024;
/// Rows beyond this are refused.
const ROWS: usize = 200_000;
/// A value is at most this many bytes.
const VALUE: usize = 80;
/// A role or another short text has at most so many characters.
const CODE: usize = 40;
/// What Excel puts before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

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
    key: &KeyedReference,
    asked_at: Timestamp,
    vantage: &str,
) -> Result<Vec<Observation>, RegistersError> {
    let inside = scope::find(folder, label).unwrap_or_else(|| folder.join(label));
    let files = files_in(&inside)?;
    let mut observations = Vec::new();
    for path in files {
        let shown = Path::new(label).join(path.file_name().unwrap_or_default());
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let register = named(&shown, stem).map_err(Box::new)?;
        if let Err(error) = scope::inside(folder, &shown.to_string_lossy()) {
            let help = "put the file itself into the folder of registers";
            return Err(Box::new(Located::at(&shown, "", 0, 0, error.to_string(), help)).into());
        }
        let text = files::read_text(&path, LARGEST)?;
        let rows = parse(&shown, &text, register, key).map_err(Box::new)?;
        observations.push(Observation {
            subject: SubjectId::new(SubjectKind::Register, register.id.clone()),
            source: Source::Register,
            question: Question::Register { name: register.id.clone() },
            asked_at,
            took_ms: 0,
            vantage: vantage.to_owned(),
            answer: Ok(Answer::Register(rows)),
        });
    }
    Ok(observations)
}

/// The register files of a folder, in order.
pub fn files_in(folder: &Path) -> Result<Vec<PathBuf>, RegistersError> {
    let failed = |source| FileError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The register that a file's name stands for.
pub fn named(file: &Path, stem: &str) -> Result<&'static Register, Located> {
    let registers = Registers::built_in()?;
    registers.get(stem).ok_or_else(|| {
        let names: Vec<_> = registers.registers.iter().map(|register| format!("{}.csv", register.id)).collect();
        let help = format!("the registers are named {}", names.join(", "));
        Located::at(file, "", 0, 0, "there is no register of this name", help)
    })
}

/// Reads the text of one register: every row is accepted, or rejected with a reason.
pub fn parse(file: &Path, text: &str, register: &Register, key: &KeyedReference) -> Result<RegisterRows, Located> {
    let sha256 = hex(&Sha256::digest(text));
    let text = text.trim_start_matches(BYTE_ORDER_MARK);
    // Spreadsheets of many countries write semicolons.
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.matches(';').count() > first.matches(',').count() { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| Located::at(file, text, 1, 1, error.to_string(), ""))?.clone();
    let columns = columns(file, text, register, &header)?;
    let mut rows = Vec::new();
    let mut rejected = Vec::new();
    let mut seen: BTreeSet<Vec<String>> = BTreeSet::new();
    for (index, record) in reader.records().enumerate() {
        if index >= ROWS {
            let what = format!("the register has more than {ROWS} rows");
            let help = "keep closed years in files of their own, outside the folder";
            return Err(Located::at(file, "", 0, 0, what, help));
        }
        // The header is row 1, as in a spreadsheet.
        let row = index as u64 + 2;
        let read =
            record.map_err(|error| error.to_string()).and_then(|record| read_row(&record, register, &columns, key));
        let accepted = read.and_then(|values| {
            let named = register.row.iter().map(|column| values[column].clone()).collect();
            if seen.insert(named) { Ok(values) } else { Err(format!("{} came before", register.row.join(", "))) }
        });
        match accepted {
            Ok(values) => rows.push(values),
            Err(why) => rejected.push(RejectedRow { row, why }),
        }
    }
    Ok(RegisterRows { name: register.id.clone(), sha256, rows, rejected })
}

/// The known columns in the order of the file. A column that is not ours is refused, never dropped
/// silently: it would otherwise look as if it had been looked at.
fn columns<'r>(
    file: &Path,
    text: &str,
    register: &'r Register,
    header: &csv::StringRecord,
) -> Result<Vec<&'r Column>, Located> {
    let wanted = register.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let mut found: Vec<&Column> = Vec::new();
    for name in header {
        let at = column_of(text, name);
        let canonical = name.to_lowercase().replace([' ', '-'], "_");
        match register.column(&canonical) {
            Some(known) if found.contains(&known) => {
                let what = format!("the column `{}` is there twice", known.name);
                return Err(Located::at(file, text, 1, at, what, ""));
            }
            Some(known) => found.push(known),
            None => {
                let what = format!("a register has no column `{}`", crate::text::visible(name));
                let help = if speaks_of_people(&canonical) {
                    format!("names, addresses and free text stay out of registers: use ids; the columns are {wanted}")
                } else {
                    format!("the columns are {wanted}")
                };
                return Err(Located::at(file, text, 1, at, what, help));
            }
        }
    }
    match register.columns.iter().find(|column| !found.contains(column)) {
        Some(missing) => {
            let what = format!("there is no column `{}`", missing.name);
            Err(Located::at(file, text, 1, 1, what, format!("the columns are {wanted}")))
        }
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
fn read_row(
    record: &csv::StringRecord,
    register: &Register,
    columns: &[&Column],
    key: &KeyedReference,
) -> Result<Row, String> {
    if record.len() != columns.len() {
        return Err(format!("it has {} values for {} columns", record.len(), columns.len()));
    }
    let mut values = BTreeMap::new();
    for (column, value) in columns.iter().zip(record) {
        let held = if value.is_empty() && register.needs(column) {
            Err("is empty".to_owned())
        } else {
            value_of(column, value, key)
        };
        values.insert(column.name.clone(), held.map_err(|why| format!("`{}` {why}", column.name))?);
    }
    for column in columns {
        let number = |name: &str| values[name].parse::<u64>().ok();
        if let Some(most) = &column.at_most
            && number(&column.name) > number(most)
        {
            return Err(format!("`{}` is more than `{most}`", column.name));
        }
        let day = |name: &str| values[name].parse::<Date>().ok();
        if let Some(earlier) = &column.not_before
            && let (Some(day), Some(first)) = (day(&column.name), day(earlier))
            && day < first
        {
            return Err(format!("`{}` is before `{earlier}`", column.name));
        }
    }
    Ok(values)
}

/// What is kept of a value, or why it is refused.
fn value_of(column: &Column, value: &str, key: &KeyedReference) -> Result<String, String> {
    let refuse = |why: &str| Err(why.to_owned());
    if value.len() > VALUE {
        return Err(format!("is longer than {VALUE} characters"));
    }
    if value.chars().any(crate::text::is_unsafe) {
        return refuse("holds characters that nobody can see");
    }
    if value.is_empty() {
        return Ok(String::new());
    }
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match column.holds {
        Holds::Account => Ok(exports::reference(value, key)),
        Holds::Code if value.contains('@') => refuse("holds an address"),
        Holds::Code if value.chars().count() > CODE => Err(format!("is longer than {CODE} characters")),
        Holds::Code if value.chars().all(|c| c.is_alphanumeric() || " -_./&()+,'".contains(c)) => Ok(value.to_owned()),
        Holds::Code => refuse("is no short text such as a role"),
        Holds::Date if value.parse::<Date>().is_ok() && value.len() == 10 => Ok(value.to_owned()),
        Holds::Date => refuse("is no date: write 2026-05-01"),
        Holds::Key if value.bytes().all(is_key) => Ok(value.to_owned()),
        Holds::Key => refuse("is no id: letters, digits, `-`, `_` and `.` only"),
        // As many digits as any count of ours has.
        Holds::Number if value.len() <= 12 && value.bytes().all(|byte| byte.is_ascii_digit()) => Ok(value.to_owned()),
        Holds::Number => refuse("is no whole number"),
        Holds::Sha256 if value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            Ok(value.to_ascii_lowercase())
        }
        Holds::Sha256 => refuse("is no SHA-256: 64 hexadecimal digits"),
        Holds::Word => {
            let word = value.to_lowercase().replace([' ', '_'], "-");
            match column.words.iter().find(|known| **known == word) {
                Some(known) => Ok(known.clone()),
                None => Err(format!("is none of {}", column.words.join(", "))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAINING: &str = "Person ID,role,course,due,completed
p-001,nurse,mail-basics,2026-03-01,2026-02-11
p-002,front desk,mail-basics,2026-03-01,
";

    fn key() -> KeyedReference {
        KeyedReference::new(b"a key")
    }

    fn read_as(register: &str, text: &str) -> Result<RegisterRows, Located> {
        let register = Registers::built_in().unwrap().get(register).unwrap();
        parse(Path::new("registers/x.csv"), text, register, &key())
    }

    fn read_text(text: &str) -> Result<RegisterRows, Located> {
        read_as("training", text)
    }

    fn why(register: &str, header: &str, row: &str) -> String {
        let rows = read_as(register, &format!("{header}\n{row}\n")).unwrap();
        rows.rejected.first().map_or_else(String::new, |rejected| rejected.why.clone())
    }

    #[test]
    fn every_kind_of_value_is_taken_or_refused_with_a_reason() {
        let leavers = "person_id,account,role,last_day,mail_closed,devices_cleared,forwarding_checked";
        assert_eq!(why("leavers", leavers, "p-1,8F1A-22,nurse,2026-03-01,,None used,yes"), "");
        for (row, said) in [
            ("p-1@clinic.example,,nurse,2026-03-01,,,", "`person_id` is no id"),
            ("p-1,,ana@clinic.example,2026-03-01,,,", "`role` holds an address"),
            ("p-1,,nurse,,,,", "`last_day` is empty"),
            ("p-1,,nurse,2026-03-01,,maybe,", "`devices_cleared` is none of yes, no, none-used"),
            ("p-1,,\"nurse; writes: to all\",2026-03-01,,,", "`role` is no short text"),
            ("p-1,,nurse,2026-3-1,,,", "`last_day` is no date"),
        ] {
            assert!(why("leavers", leavers, row).starts_with(said), "{row}: {}", why("leavers", leavers, row));
        }
        let phishing = "simulation_id,due,completed,sent,gave_in,reported";
        assert_eq!(why("phishing-simulations", phishing, "s,2026-01-01,2026-01-01,10,3,10"), "");
        assert_eq!(why("phishing-simulations", phishing, "s,2026-01-01,,10,11,0"), "`gave_in` is more than `sent`");
        assert_eq!(why("phishing-simulations", phishing, "s,2026-01-01,,-1,0,0"), "`sent` is no whole number");
        assert_eq!(why("phishing-simulations", phishing, "s,2026-01-01,,,,"), "");
        let requests =
            "request_id,kind,received,due,extended,fulfilled,outcome,withheld_reason,channel,warning_version";
        let given = |extended: &str, fulfilled: &str| {
            why("access-requests", requests, &format!("r,own-copy,2026-03-01,,{extended},{fulfilled},given,,paper,"))
        };
        assert_eq!(given("2026-03-01", "2026-03-01"), "");
        assert_eq!(given("", "2025-03-02"), "`fulfilled` is before `received`");
        assert_eq!(given("2026-02-28", ""), "`extended` is before `received`");
        let twice = read_text(&format!("{TRAINING}p-001,nurse,mail-basics,2026-03-01,\n")).unwrap();
        assert_eq!((twice.rows.len(), twice.rejected[0].why.as_str()), (2, "person_id, course, due came before"));
    }

    #[test]
    fn an_account_leaves_as_the_reference_that_exports_have() {
        let text = "person_id;account;role;last_day;mail_closed;devices_cleared;forwarding_checked\np-1;8F1A-22;;2026-03-01;;;\n";
        let rows = read_as("leavers", &format!("\u{feff}{text}")).unwrap();
        assert_eq!(rows.rows[0]["account"], exports::reference("8f1a-22", &key()));
        assert!(!serde_json::to_string(&rows).unwrap().contains("8F1A"));
        let rows = read_as("leavers", &text.replace("8F1A-22", "Ana@clinic.example")).unwrap();
        assert_eq!(rows.rows[0]["account"], exports::reference("ana@clinic.example", &key()));
        assert!(!serde_json::to_string(&rows).unwrap().contains('@'));
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
        assert_eq!(read(folder.path(), "registers/", &key(), asked_at, "here").unwrap().len(), 1);
        files::write_whole(&folder.path().join("registers/patients.csv"), b"name\n").unwrap();
        let error = read(folder.path(), "registers/", &key(), asked_at, "here").unwrap_err();
        assert!(error.to_string().contains("registers/patients.csv"), "{error}");
    }
}
