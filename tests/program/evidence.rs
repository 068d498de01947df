//! Evidence that is taken away or altered.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{assessment, demo, mailassay, told};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The (check, subject) pairs that passed. Of a longer list only the first 20 are named; there
/// the count stands for the others.
fn passed(assessment: &serde_json::Value) -> BTreeSet<(String, String)> {
    let mut pairs = BTreeSet::new();
    for control in assessment["passed"].as_array().unwrap() {
        let check = control["check"].as_str().unwrap();
        let (subjects, count) = (control["subjects"].as_array().unwrap(), control["count"].as_u64().unwrap());
        if count > subjects.len() as u64 {
            pairs.extend((1..=count).map(|number| (check.to_owned(), format!("number {number}"))));
            continue;
        }
        pairs.extend(subjects.iter().map(|subject| (check.to_owned(), subject.as_str().unwrap().to_owned())));
    }
    pairs
}

#[test]
fn taking_a_segment_away_never_makes_anything_pass() {
    let mut segments = 0;
    for quarter in demo().quarters() {
        let whole = assessment(&quarter);
        let before = passed(&whole);
        let evidence = quarter.join("evidence");
        for entry in std::fs::read_dir(&evidence).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.ends_with(".jsonl") {
                continue;
            }
            segments += 1;
            let folder = tempfile::tempdir().unwrap();
            copy(&evidence, folder.path());
            std::fs::remove_file(folder.path().join(&name)).unwrap();
            let output = mailassay().args(["assess", "--exit-zero", "--evidence"]).arg(folder.path()).output().unwrap();
            assert!(output.status.success(), "without {name}: {}", told(&output));
            let without: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            // Without the mailbox list a rule is named by its owner's reference: the same rule.
            let same_rule = |(check, name): &(String, String)| {
                let Some(reference) = name.strip_prefix("owner-").and_then(|name| name.split_once('/')) else {
                    return false;
                };
                before.iter().any(|(other, known)| other == check && known.ends_with(&format!("/{}", reference.1)))
            };
            let now = passed(&without);
            let more: Vec<_> = now.difference(&before).filter(|pair| !same_rule(pair)).collect();
            assert!(more.is_empty(), "without {name} these pass: {more:?}");
            // Every failure of before is still a failure, or is not assessed now.
            let segment = name.trim_end_matches(".jsonl");
            for finding in whole["findings"].as_array().unwrap() {
                let rested = finding["evidence"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|id| id.as_str().is_some_and(|id| id.split('#').next() == Some(segment)));
                if finding["outcome"] != "fail" || !rested {
                    continue;
                }
                let after = without["findings"].as_array().unwrap().iter().find(|other| {
                    other["check"] == finding["check"]
                        && (other["subject"] == finding["subject"] || other["outcome"] == "not-assessed")
                });
                let checks = without["coverage"]["checks"].as_array().unwrap();
                let coverage = checks.iter().find(|coverage| coverage["check"] == finding["check"]).unwrap();
                assert!(
                    after.is_some() || coverage["state"] == "not-assessed" || coverage["state"] == "not-provided",
                    "without {name}, {} of {} is silent",
                    finding["check"],
                    finding["subject"]
                );
            }
        }
    }
    assert!(segments >= 12, "each source of the demo has a segment, found {segments}");
}

#[test]
fn altered_evidence_is_refused() {
    let quarter = &demo().quarters()[0];
    let folder = tempfile::tempdir().unwrap();
    copy(&quarter.join("evidence"), folder.path());
    let segment = folder.path().join("dns.domain.jsonl");
    let text = std::fs::read_to_string(&segment).unwrap();
    std::fs::write(&segment, text.replacen("clinic", "clinik", 1)).unwrap();
    let output = mailassay().arg("assess").arg("--evidence").arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("altered"), "{}", told(&output));
}
