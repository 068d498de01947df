//! Every check that ships says what its examples say.

use mailassay::checks::{AREAS, Catalog};

#[test]
fn every_shipped_check_says_what_its_examples_say() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let surprises: Vec<String> = catalog.test().iter().map(ToString::to_string).collect();
    println!("{} checks, {} examples", catalog.checks.len(), catalog.examples());
    for area in AREAS {
        println!("  {area}: {}", catalog.checks.values().filter(|check| check.area == area).count());
    }
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}
