//! The demo: planted weak spots are found, strong points are seen, drift is told.

use crate::support::{assessment, demo, mailassay, told};

#[test]
fn each_quarter_has_its_files_and_the_second_tells_what_changed() {
    let quarters = demo().quarters();
    assert_eq!(quarters.len(), 2, "{}", told(&demo().output));
    for quarter in &quarters {
        for file in ["report.html", "report.md", "assessment.json", "evidence/manifest.json"] {
            assert!(quarter.join(file).is_file(), "{file} is missing in {}", quarter.display());
        }
    }
    assert!(assessment(&quarters[0])["drift"].is_null());
    let drift = &assessment(&quarters[1])["drift"];
    for class in ["added", "resolved", "newly-blind"] {
        assert!(drift["counts"][class].as_u64().unwrap_or(0) > 0, "{class} in {}", drift["counts"]);
    }
}

#[test]
fn judging_the_stored_evidence_again_gives_the_same_bytes() {
    let quarters = demo().quarters();
    for (number, quarter) in quarters.iter().enumerate() {
        let mut assess = mailassay();
        assess.args(["assess", "--exit-zero", "--evidence"]).arg(quarter.join("evidence"));
        if let Some(before) = number.checked_sub(1) {
            assess.arg("--since").arg(quarters[before].join("assessment.json"));
        }
        let (first, second) = (assess.output().unwrap(), assess.output().unwrap());
        assert!(first.status.success(), "{}", told(&first));
        assert!(first.stdout == second.stdout, "two runs differ");
        assert!(first.stdout == std::fs::read(quarter.join("assessment.json")).unwrap(), "{}", quarter.display());
    }
}
