//! Lists the files of an export: one file, or a folder walked in the order of names.
//!
//! Links are not followed, so that nothing outside the folder is read; what is not listed is
//! said, never skipped in silence.

use std::path::{Path, PathBuf};

/// At most this many files and folders of one export are looked at.
const ENTRIES: usize = 100_000;
/// Folders in folders.
const DEPTH: usize = 16;

/// One thing found: a file to read, or something that cannot be read and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: PathBuf,
    pub label: String,
    pub refused: Option<String>,
}

/// Lists `path`, which the evidence calls `label`.
pub fn list(path: &Path, label: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    visit(path, label.to_owned(), 0, &mut entries);
    entries
}

fn visit(path: &Path, label: String, depth: usize, entries: &mut Vec<Entry>) {
    if entries.len() >= ENTRIES {
        return;
    }
    let mut refuse =
        |why: String| entries.push(Entry { path: path.to_owned(), label: label.clone(), refused: Some(why) });
    // The path a person named may be a link; what lies inside may not lead out.
    let metadata = if depth == 0 { std::fs::metadata(path) } else { std::fs::symlink_metadata(path) };
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => return refuse(format!("cannot be opened: {}", error.kind())),
    };
    if metadata.is_symlink() {
        return refuse("it is a link; links are not followed".to_owned());
    }
    if metadata.is_file() {
        entries.push(Entry { path: path.to_owned(), label, refused: None });
        return;
    }
    if !metadata.is_dir() {
        return refuse("it is neither a file nor a folder".to_owned());
    }
    if depth >= DEPTH {
        return refuse(format!("folders are nested deeper than {DEPTH}"));
    }
    let names = std::fs::read_dir(path).and_then(|listing| {
        listing.take(ENTRIES + 1).map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
    });
    let mut names = match names {
        Ok(names) => names,
        Err(error) => return refuse(format!("cannot be listed: {}", error.kind())),
    };
    names.sort();
    for name in names {
        if entries.len() >= ENTRIES {
            let why = format!("more than {ENTRIES} entries; the rest was not read");
            entries.push(Entry { path: path.to_owned(), label, refused: Some(why) });
            return;
        }
        let below = if label.is_empty() {
            name.to_string_lossy().into_owned()
        } else {
            format!("{}/{}", label.trim_end_matches('/'), name.to_string_lossy())
        };
        visit(&path.join(&name), below, depth + 1, entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_listed_by_name_and_links_are_said_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        crate::files::write_whole(&outside.path().join("secret.csv"), b"x").unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["z.csv", "b/a.csv", "a.csv"] {
            crate::files::write_whole(&folder.path().join(name), b"x").unwrap();
        }
        std::os::unix::fs::symlink(outside.path(), folder.path().join("c")).unwrap();
        let entries = list(folder.path(), "exports");
        let labels: Vec<_> = entries.iter().map(|entry| (entry.label.as_str(), entry.refused.is_some())).collect();
        assert_eq!(
            labels,
            [("exports/a.csv", false), ("exports/b/a.csv", false), ("exports/c", true), ("exports/z.csv", false)]
        );
    }

    #[test]
    fn a_path_that_is_not_there_is_an_entry_that_says_so() {
        let entries = list(Path::new("/nowhere/at/all"), "x");
        assert_eq!(entries.len(), 1);
        assert!(entries[0].refused.is_some());
    }
}
