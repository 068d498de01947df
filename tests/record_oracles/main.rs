//! Generated SPF, DMARC and DKIM records, judged by us and by others: mail-auth (a dev-dependency)
//! and, for SPF, Debian's python3-spf. Where they differ the difference belongs to a class with the
//! paragraph that decides it, and `differences.txt` says how many there are. A class that is new,
//! or one that grows, fails the test; `UPDATE=1` writes the table anew.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails where it stands, starts the peer and says what was compared"
)]

mod dkim;
mod dmarc;
mod generator;
mod spf;

use std::collections::BTreeMap;
use std::path::Path;

/// Records of each kind.
const SPF_RECORDS: usize = 6_000;
const DMARC_RECORDS: usize = 4_000;
const DKIM_RECORDS: usize = 3_000;

const HEAD: &str = "\
# How often others judge a generated record differently, by the paragraph that decides it.
# Written by `UPDATE=1 cargo test --test record_oracles`; no row may be new and no count may grow.
# peer | records | class
";

/// Differences by peer and class, each with some records.
#[derive(Default)]
pub(crate) struct Differences(BTreeMap<(&'static str, String), Vec<String>>);

impl Differences {
    pub(crate) fn add(&mut self, peer: &'static str, class: impl Into<String>, example: String) {
        self.0.entry((peer, class.into())).or_default().push(example);
    }
}

#[test]
fn others_judge_generated_records_alike_but_for_known_classes() {
    let mut differences = Differences::default();
    let mut compared = spf::compare(SPF_RECORDS, &mut differences);
    compared += dmarc::compare(DMARC_RECORDS, &mut differences);
    compared += dkim::compare(DKIM_RECORDS, &mut differences);
    let differing: usize = differences.0.values().map(Vec::len).sum();
    println!(
        "{} records, {compared} comparisons, {differing} differences in {} classes",
        SPF_RECORDS + DMARC_RECORDS + DKIM_RECORDS,
        differences.0.len()
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/record_oracles/differences.txt");
    if std::env::var_os("UPDATE").is_some() {
        let rows: String =
            differences.0.iter().map(|((peer, class), all)| format!("{peer} | {} | {class}\n", all.len())).collect();
        std::fs::write(&path, format!("{HEAD}{rows}")).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let mut faults = Vec::new();
    for ((peer, class), all) in &differences.0 {
        let known = stored.lines().find_map(|line| {
            let mut cells = line.splitn(3, " | ");
            let (name, count, text) = (cells.next()?, cells.next()?, cells.next()?);
            (name == *peer && text == class).then(|| count.parse::<usize>().unwrap())
        });
        let examples = all.iter().take(6).cloned().collect::<Vec<_>>().join("\n    ");
        match known {
            _ if class.starts_with("unexplained") => {
                faults.push(format!("{peer}: {class}: {}\n    {examples}", all.len()))
            }
            None => faults.push(format!("{peer}: new: {class}: {}\n    {examples}", all.len())),
            Some(count) if all.len() > count => {
                faults.push(format!("{peer}: {class}: {} instead of {count}\n    {examples}", all.len()));
            }
            Some(_) => {}
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
