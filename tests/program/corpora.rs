//! What fuzzing kept, read again by ordinary tests.

use std::path::Path;

#[path = "../../fuzz/bodies.rs"]
mod bodies;

#[test]
fn every_stored_input_of_every_fuzz_target_is_read_without_a_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, _) in bodies::TARGETS {
        let body = bodies::by_name(name).unwrap();
        let inputs: Vec<_> = std::fs::read_dir(folder.join(name)).unwrap().flatten().collect();
        assert!(!inputs.is_empty(), "{name} has a corpus");
        for input in inputs {
            let bytes = std::fs::read(input.path()).unwrap();
            for length in [bytes.len(), bytes.len() / 2, bytes.len().saturating_sub(1)] {
                body(&bytes[..length]);
            }
        }
    }
}

#[test]
fn every_fuzz_target_is_built_and_has_a_body() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    assert_eq!(files, bodies::TARGETS.map(|(name, _)| name));
}
