//! Generated pages say what the program does now. `UPDATE=1 cargo test docs_are_current` writes them.

use std::path::Path;

use mailassay::catalogues::registers::{Registers, page};
use mailassay::checks::{Catalog, reference};

#[test]
fn docs_are_current() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let pages = [("docs/checks.md", reference(&catalog)), ("docs/registers.md", page(Registers::built_in().unwrap()))];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    for (page, text) in pages {
        let path = root.join(page);
        if std::env::var_os("UPDATE").is_some() {
            mailassay::files::make_folder(path.parent().unwrap()).unwrap();
            mailassay::files::write_whole(&path, text.as_bytes()).unwrap();
        } else if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
            stale.push(page);
        }
    }
    assert!(stale.is_empty(), "out of date: {stale:?}; run `UPDATE=1 cargo test docs_are_current`");
}
