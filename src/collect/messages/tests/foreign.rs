//! Messages that others made to break parsers: none may stop the scan, and none holds anybody's health.
//!
//! They are read where they lie: `MAILASSAY_FOREIGN_MAIL` names folders, joined as in `PATH`, such as
//! `resources/eml` of the crate mail-parser (Apache-2.0 or MIT) and `test/test_email/data` of CPython (PSF).

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

#[test]
fn test_messages_of_other_parsers_neither_stop_the_scan_nor_raise_an_alarm() {
    let Some(folders) = std::env::var_os("MAILASSAY_FOREIGN_MAIL") else {
        println!("skipped: MAILASSAY_FOREIGN_MAIL names no folders");
        return;
    };
    let mut paths = Vec::new();
    std::env::split_paths(&folders).for_each(|folder| files_below(&folder, &mut paths));
    let today = date_of(options().now);
    let (mut levels, mut faults, mut alarms) = ([0_usize; 4], 0, Vec::new());
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        let reading = read_guarded(&bytes, false, &options(), today, false);
        levels[usize::from(reading.level)] += 1;
        faults += usize::from(reading.not_inspected.contains(&"reader-fault"));
        if reading.level >= 2 {
            alarms.push((path, reading.rule));
        }
    }
    println!("{} messages, by level {levels:?}, faults {faults}, alarms {alarms:?}", paths.len());
    assert!(!paths.is_empty(), "MAILASSAY_FOREIGN_MAIL names folders with messages");
    assert_eq!(faults, 0, "no reader fails");
    assert!(alarms.is_empty(), "{alarms:?}");
}
