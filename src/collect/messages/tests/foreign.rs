//! Messages that others made to break parsers: none may stop the scan, and none holds anybody's health.
//!
//! They are read where they lie: `resources` of the crate mail-parser (Apache-2.0 or MIT), which
//! cargo unpacked to build this program, and what `MAILASSAY_FOREIGN_MAIL` names, joined as in `PATH`,
//! such as `test/test_email/data` of CPython (PSF).

use std::path::Path;

use super::*;

/// Every file below a folder, in order.
fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Where cargo keeps the sources of mail-parser.
fn resources_of_mail_parser() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let below = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let sources = home.into_iter().flat_map(|home| below(home.join("registry/src")));
    let crates = sources
        .flat_map(below)
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mail-parser-")));
    crates.map(|path| path.join("resources")).filter(|path| path.is_dir()).collect()
}

#[test]
fn test_messages_of_other_parsers_neither_stop_the_scan_nor_raise_an_alarm() {
    let named = std::env::var_os("MAILASSAY_FOREIGN_MAIL").unwrap_or_default();
    let named = std::env::split_paths(&named).filter(|folder| !folder.as_os_str().is_empty());
    let mut paths = Vec::new();
    resources_of_mail_parser().into_iter().chain(named).for_each(|folder| files_below(&folder, &mut paths));
    let today = date_of(options().now);
    let (mut levels, mut faults, mut alarms) = ([0_usize; 4], 0, Vec::new());
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        let reading = Reader { options: &options(), today, explain: None }.guarded(&bytes, false, false);
        levels[usize::from(reading.level)] += 1;
        faults += usize::from(reading.not_inspected.contains(&"reader-fault"));
        if reading.level >= 2 {
            alarms.push((path, reading.rule));
        }
    }
    println!("{} messages, by level {levels:?}, faults {faults}, alarms {alarms:?}", paths.len());
    assert!(paths.len() >= 300, "cargo keeps the sources of what it builds; only {} messages", paths.len());
    assert_eq!(faults, 0, "no reader fails");
    assert!(alarms.is_empty(), "{alarms:?}");
}
