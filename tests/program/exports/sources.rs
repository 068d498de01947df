//! `ingest` over one bundle for each source of exports: the table it prints is kept, and read
//! whenever it changes.

use std::path::{Path, PathBuf};

use crate::support::{mailassay, told};

/// The bundles of `fixtures/exports`, one for each source; all invented.
pub(super) fn bundles() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exports");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

#[test]
fn every_source_is_recognized_and_accounted_for() {
    let mut tables = String::new();
    for bundle in bundles() {
        let name = bundle.file_name().unwrap().to_string_lossy().into_owned();
        let output = mailassay().current_dir(bundle.parent().unwrap()).arg("ingest").arg(&name).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        tables.push_str(&String::from_utf8(output.stdout).unwrap());
        tables.push('\n');
        let output = mailassay()
            .current_dir(bundle.parent().unwrap())
            .args(["ingest", &name, "--format", "json"])
            .output()
            .unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        // An empty file proves nothing, and says so; one of them is meant to be.
        for file in answer["files"].as_array().unwrap().iter().filter(|file| file["bytes"] != 0) {
            assert!(file["format"].is_string(), "{name}: {file:#}");
            assert!(["read", "partly-read"].contains(&file["state"].as_str().unwrap()), "{name}: {file:#}");
        }
    }
    insta::assert_snapshot!("ingest", tables);
}
