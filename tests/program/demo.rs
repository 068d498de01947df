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
    for quarter in demo().quarters() {
        let judge = || {
            let output = mailassay()
                .args(["assess", "--exit-zero", "--evidence"])
                .arg(quarter.join("evidence"))
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", told(&output));
            output.stdout
        };
        let first = judge();
        assert_eq!(first, judge());
        let mut stored = assessment(&quarter);
        let mut again: serde_json::Value = serde_json::from_slice(&first).unwrap();
        // The stored one was compared with the quarter before; that comparison is not evidence.
        for document in [&mut stored, &mut again] {
            document["drift"] = serde_json::Value::Null;
            document["gates"] = serde_json::Value::Null;
        }
        assert_eq!(stored, again);
    }
}
