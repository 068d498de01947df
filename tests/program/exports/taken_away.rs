//! Taking any file out of any bundle makes nothing better: what failed or was not known does not
//! pass without it. The same folder as a zip archive gives the same findings.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::sources::bundles;
use super::world::{declared, judged, passed_and_open, put};

const OWN: [&str; 3] = ["clinic.example", "practice.example", "surgery.example"];

/// The files below a folder, relative to it, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_file_of_any_bundle_can_be_taken_away_to_make_anything_better() {
    let (mut taken, mut compared) = (0, 0);
    for bundle in bundles() {
        let files = files(&bundle);
        let judged_without = |without: Option<&PathBuf>| {
            let folder = tempfile::tempdir().unwrap();
            for file in files.iter().filter(|file| Some(*file) != without) {
                put(folder.path(), &file.to_string_lossy(), &std::fs::read(bundle.join(file)).unwrap());
            }
            passed_and_open(&judged(folder.path(), declared(&OWN)))
        };
        let [_, open] = judged_without(None);
        for file in &files {
            let [passed, _] = judged_without(Some(file));
            let better: BTreeSet<_> = passed.intersection(&open).collect();
            assert!(better.is_empty(), "{} without {}: {better:?}", bundle.display(), file.display());
            taken += 1;
            compared += open.len();
        }
    }
    eprintln!("{taken} files taken away, {compared} open findings compared");
}

#[test]
fn a_zip_archive_says_what_its_folder_says() {
    let bundle = bundles().into_iter().find(|bundle| bundle.ends_with("leaky-clinic")).unwrap();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for file in files(&bundle) {
        writer.start_file(file.to_string_lossy(), options).unwrap();
        writer.write_all(&std::fs::read(bundle.join(&file)).unwrap()).unwrap();
    }
    let zipped = tempfile::tempdir().unwrap();
    let archive = zipped.path().join("exports");
    std::fs::write(&archive, writer.finish().unwrap().into_inner()).unwrap();
    let told = |path: &Path| {
        let judgement = judged(path, declared(&OWN));
        format!("{:#?}\n{:#?}", judgement.findings, judgement.passed)
    };
    assert_eq!(told(&archive), told(&bundle));
}
