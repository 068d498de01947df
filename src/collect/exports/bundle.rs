//! Lists the files of an export: one file, a folder walked in the order of names, or a zip archive
//! of which nothing is written to disk.
//!
//! Links are not followed, so that nothing outside the folder is read; what is not listed is
//! said, never skipped in silence. A `manifest.yaml` may say what lies beside it: a file that it
//! names and that is not here, or is not the one that was named, is said as well.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use zip::ZipArchive;

use super::dates;
use crate::yaml;

/// At most this many files and folders of one export are looked at.
const ENTRIES: usize = 100_000;
/// Files in one archive.
const ARCHIVED: usize = 5_000;
/// Folders in folders.
const DEPTH: usize = 16;
/// One file of an archive, unpacked: it is held in memory.
const UNPACKED_BYTES: u64 = 256 * 1024 * 1024;
/// All files of an archive, unpacked.
const ARCHIVE_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Bytes that one packed byte may become. Small files are let be.
const RATIO: u64 = 100;
const RATIO_FROM: u64 = 1024 * 1024;
const MANIFEST: &str = "manifest.yaml";
const MANIFEST_BYTES: u64 = 1024 * 1024;
/// Manifests of one export: each is held against what lies beside it.
const MANIFESTS: usize = 100;
/// An archive that says it holds more files is not opened: its whole list would be read.
const LISTED: u64 = 100_000;
/// The end of an archive, where it says how many files it holds: a comment of 64 KiB and the record.
const END_BYTES: u64 = 66 * 1024;

/// One thing found: a file to read, or something that cannot be read and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub place: Place,
    pub label: String,
    pub refused: Option<String>,
    /// What the bundle's manifest says of it.
    pub stated: Stated,
}

/// Where the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    Zipped { archive: PathBuf, index: usize },
}

/// What a manifest says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    pub is_manifest: bool,
    /// Of the manifest itself: the day it says the bundle was collected on.
    pub collected_on: Option<Date>,
    pub kind: Option<String>,
    pub sha256: Option<String>,
    pub rows: Option<u64>,
}

/// The bytes of one file, to be read as often as needed.
#[derive(Clone, Debug)]
pub enum Content {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

impl Content {
    /// Reads from the beginning.
    pub fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }
}

impl Entry {
    fn at(place: Place, label: String) -> Self {
        Self { place, label, refused: None, stated: Stated::default() }
    }

    fn refuse(place: Place, label: String, why: impl Into<String>) -> Self {
        Self { refused: Some(why.into()), ..Self::at(place, label) }
    }

    /// The bytes; those of an archived file are unpacked into memory, within limits.
    pub fn content(&self, archives: &mut Archives) -> io::Result<Content> {
        match &self.place {
            Place::File(path) => Ok(Content::File(path.clone())),
            Place::Zipped { archive, index } => archives.unpack(archive, *index),
        }
    }
}

impl Entry {
    /// The first bytes, at most `limit`; nothing where they cannot be had.
    pub fn head(&self, archives: &mut Archives, limit: u64) -> Vec<u8> {
        let mut head = Vec::new();
        let read = match &self.place {
            Place::File(path) => File::open(path).and_then(|file| file.take(limit).read_to_end(&mut head)),
            Place::Zipped { archive, index } => archives.open(archive).and_then(|open| {
                let entry =
                    open.by_index(*index).map_err(|_| io::Error::other("the archive does not let it be read"))?;
                entry.take(limit).read_to_end(&mut head)
            }),
        };
        if read.is_err() {
            head.clear();
        }
        head
    }
}

/// The archive that was read from last, so that its list of files is read once and not for each of
/// them, and how much of it was unpacked.
#[derive(Debug, Default)]
pub struct Archives {
    open: Option<(PathBuf, ZipArchive<File>)>,
    unpacked: BTreeMap<PathBuf, u64>,
}

impl Archives {
    fn open(&mut self, path: &Path) -> io::Result<&mut ZipArchive<File>> {
        if self.open.as_ref().is_none_or(|(known, _)| known != path) {
            let archive = ZipArchive::new(File::open(path)?).map_err(io::Error::other)?;
            self.open = Some((path.to_owned(), archive));
        }
        Ok(&mut self.open.as_mut().expect("opened above").1)
    }

    fn unpack(&mut self, path: &Path, index: usize) -> io::Result<Content> {
        self.open(path)?;
        let (_, archive) = self.open.as_mut().expect("opened above");
        let entry = archive.by_index(index).map_err(|_| io::Error::other("the archive does not let it be read"))?;
        // What the archive says of the size is not believed, and files in it may share their bytes.
        let unpacked = self.unpacked.entry(path.to_owned()).or_default();
        let allowed = allowed_bytes(entry.compressed_size()).min(ARCHIVE_BYTES.saturating_sub(*unpacked));
        let mut bytes = Vec::new();
        entry.take(allowed + 1).read_to_end(&mut bytes)?;
        *unpacked += bytes.len() as u64;
        if bytes.len() as u64 > allowed {
            return Err(io::Error::other(too_large(allowed)));
        }
        Ok(Content::Memory(bytes.into()))
    }
}

fn allowed_bytes(packed: u64) -> u64 {
    packed.saturating_mul(RATIO).clamp(RATIO_FROM, UNPACKED_BYTES)
}

fn too_large(allowed: u64) -> String {
    format!("it unpacks to more than {allowed} bytes; unpack the archive and hand over the folder")
}

/// Lists `path`, which the evidence calls `label`.
pub fn list(path: &Path, label: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    visit(path, label.to_owned(), 0, &mut entries);
    let is_manifest = |entry: &Entry| entry.refused.is_none() && entry.label.rsplit('/').next() == Some(MANIFEST);
    let manifests: Vec<usize> = (0..entries.len()).rev().filter(|at| is_manifest(&entries[*at])).collect();
    if manifests.is_empty() {
        return entries;
    }
    let by_label: BTreeMap<String, usize> =
        entries.iter().enumerate().map(|(index, entry)| (entry.label.clone(), index)).collect();
    let mut archives = Archives::default();
    for (number, at) in manifests.into_iter().enumerate() {
        if number < MANIFESTS {
            apply_manifest(at, &by_label, &mut archives, &mut entries);
        } else {
            entries[at].refused = Some(format!("more than {MANIFESTS} manifests; this one was not read"));
        }
    }
    entries
}

/// `manifest.yaml` of a bundle. What else stands in it but the day (tenant, collector, operator) is for people.
#[derive(Debug, Deserialize)]
struct Manifest {
    #[serde(default)]
    collected_at: Option<String>,
    #[serde(default)]
    files: Vec<StatedFile>,
}

#[derive(Debug, Deserialize)]
struct StatedFile {
    path: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    rows: Option<u64>,
}

fn apply_manifest(at: usize, by_label: &BTreeMap<String, usize>, archives: &mut Archives, entries: &mut Vec<Entry>) {
    let read = entries[at].content(archives).and_then(|content| {
        let mut text = String::new();
        content.open()?.take(MANIFEST_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MANIFEST_BYTES {
            return Err(io::Error::other(format!("larger than {MANIFEST_BYTES} bytes")));
        }
        Ok(text)
    });
    let parsed = read.map_err(|error| format!("cannot be read: {error}")).and_then(|text| {
        yaml::read::<Manifest>(Path::new(MANIFEST), &text)
            .map_err(|fault| format!("line {}: {}", fault.line, fault.what))
    });
    let manifest = match parsed {
        Ok(manifest) => manifest,
        Err(why) => {
            entries[at].refused = Some(why);
            return;
        }
    };
    entries[at].stated.is_manifest = true;
    entries[at].stated.collected_on = manifest.collected_at.and_then(|at| dates::day_of(&at).ok());
    let folder = entries[at].label[..entries[at].label.len() - MANIFEST.len()].to_owned();
    for file in manifest.files {
        let label = format!("{folder}{}", file.path);
        let stated = Stated {
            is_manifest: false,
            collected_on: None,
            kind: file.kind,
            sha256: file.sha256.map(|digest| digest.to_ascii_lowercase()),
            rows: file.rows,
        };
        match by_label.get(&label) {
            Some(&index) if index == at => {}
            Some(&index) => entries[index].stated = stated,
            None if entries.len() >= ENTRIES => {
                entries[at].refused = Some(format!("more than {ENTRIES} entries; the rest of it was not read"));
                return;
            }
            None => {
                let label = crate::text::visible(&label);
                let why = "the manifest names it, and it was not handed over";
                let missing = Entry::refuse(Place::File(PathBuf::new()), label, why);
                entries.push(Entry { stated, ..missing });
            }
        }
    }
}

/// Whether a collector was still writing it when it was ended: what it holds reads as if it were whole.
fn unfinished(label: &str) -> bool {
    let label = label.to_ascii_lowercase();
    label.ends_with(".part") || label.ends_with(".incomplete")
}

const UNFINISHED: &str = "its collector did not finish it; it is not the whole";

/// What is wrong with a path inside an archive, if it is one that could lead out of it.
fn leads_out(name: &str) -> bool {
    name.starts_with(['/', '\\'])
        || name.contains(':')
        || name.chars().any(char::is_control)
        || name.split(['/', '\\']).any(|part| part == "..")
}

/// The files of a zip archive, by name; `None` where it is none, or a document that is packed as one.
fn archived(path: &Path, label: &str) -> Option<Vec<Entry>> {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).ok()?;
    if &magic != b"PK\x03\x04" {
        return None;
    }
    let whole = Place::File(path.to_owned());
    if listed(path).is_ok_and(|listed| listed > LISTED) {
        let why =
            format!("the archive says that it holds more than {LISTED} files, or does not say at its end how many");
        return Some(vec![Entry::refuse(whole, label.to_owned(), why)]);
    }
    let mut archive = ZipArchive::new(File::open(path).ok()?).ok()?;
    let count = archive.len();
    let names: Vec<Option<String>> = (0..count.min(ARCHIVED))
        .map(|index| archive.name_for_index(index)?.ok().map(|name| name.into_owned()))
        .collect();
    if names.iter().flatten().any(|name| name == "[Content_Types].xml" || name == "mimetype") {
        return None;
    }
    let mut entries = Vec::new();
    if archive.has_duplicate_names() {
        let why = "several files in the archive have the same name; only the last of each was read";
        entries.push(Entry::refuse(whole.clone(), label.to_owned(), why));
    }
    if count > ARCHIVED {
        let why = format!("more than {ARCHIVED} files in the archive; the rest was not read");
        entries.push(Entry::refuse(whole.clone(), label.to_owned(), why));
    }
    let mut order: Vec<(usize, &String)> =
        names.iter().enumerate().filter_map(|(index, name)| name.as_ref().map(|name| (index, name))).collect();
    order.sort_by(|a, b| a.1.cmp(b.1));
    let mut unpacked = 0_u64;
    for (index, name) in order {
        if name.ends_with('/') {
            continue;
        }
        let below = format!("{label}/{}", crate::text::visible(name));
        let place = Place::Zipped { archive: path.to_owned(), index };
        if leads_out(name) {
            entries.push(Entry::refuse(place, below, "its name leads out of the archive"));
            continue;
        }
        if unfinished(name) {
            entries.push(Entry::refuse(place, below, UNFINISHED));
            continue;
        }
        let refused = match archive.by_index(index) {
            Err(_) => Some("the archive does not let it be read: encrypted, or packed in an unknown way".to_owned()),
            Ok(entry) if entry.is_symlink() => Some("it is a link; links are not followed".to_owned()),
            Ok(entry) => {
                unpacked = unpacked.saturating_add(entry.size());
                let allowed = allowed_bytes(entry.compressed_size());
                if unpacked > ARCHIVE_BYTES {
                    Some(format!("the archive unpacks to more than {ARCHIVE_BYTES} bytes"))
                } else {
                    (entry.size() > allowed).then(|| too_large(allowed))
                }
            }
        };
        entries.push(Entry { refused, ..Entry::at(place, below) });
    }
    Some(entries)
}

/// How many files an archive says it holds: the most that any record at its end claims (APPNOTE
/// 4.3.14 and 4.3.16), whichever of them a reader takes. A locator (4.3.15) may lead a reader
/// anywhere: what it leads to has to be a record among those that were looked at.
fn listed(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(END_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(END_BYTES).read_to_end(&mut end)?;
    let claims = |at: usize| -> Option<u64> {
        let record = &end[at..];
        if record.starts_with(b"PK\x05\x06") {
            Some(u64::from(u16::from_le_bytes(record.get(10..12)?.try_into().ok()?)))
        } else if record.starts_with(b"PK\x06\x06") {
            Some(u64::from_le_bytes(record.get(32..40)?.try_into().ok()?))
        } else if record.starts_with(b"PK\x06\x07") && record.get(20..24)? == b"PK\x05\x06" {
            let leads_to = u64::from_le_bytes(record.get(8..16)?.try_into().ok()?);
            let looked_at = leads_to.checked_sub(start).and_then(|at| end.get(usize::try_from(at).ok()?..));
            (!looked_at.is_some_and(|record| record.starts_with(b"PK\x06\x06"))).then_some(u64::MAX)
        } else {
            None
        }
    };
    Ok((0..end.len()).filter_map(claims).max().unwrap_or(0))
}

fn visit(path: &Path, label: String, depth: usize, entries: &mut Vec<Entry>) {
    if entries.len() >= ENTRIES {
        return;
    }
    let mut refuse = |why: String| entries.push(Entry::refuse(Place::File(path.to_owned()), label.clone(), why));
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
        if unfinished(&label) {
            return refuse(UNFINISHED.to_owned());
        }
        match archived(path, &label) {
            Some(inside) => entries.extend(inside),
            None => entries.push(Entry::at(Place::File(path.to_owned()), label)),
        }
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
            entries.push(Entry::refuse(Place::File(path.to_owned()), label, why));
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

    fn zipped(files: &[(&str, &[u8])]) -> tempfile::NamedTempFile {
        use std::io::Write;
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::files::write_whole(file.path(), &writer.finish().unwrap().into_inner()).unwrap();
        file
    }

    fn text(entry: &Entry) -> String {
        let mut text = String::new();
        entry.content(&mut Archives::default()).unwrap().open().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn an_archive_is_read_where_it_lies_and_names_that_lead_out_are_refused() {
        let file = zipped(&[("m365/b.csv", b"two"), ("a.csv", b"one"), ("../evil.csv", b"x"), ("/etc/x.csv", b"x")]);
        let entries = list(file.path(), "exports.zip");
        let told: Vec<_> = entries.iter().map(|entry| (entry.label.as_str(), entry.refused.is_some())).collect();
        assert_eq!(
            told,
            [
                ("exports.zip/../evil.csv", true),
                ("exports.zip//etc/x.csv", true),
                ("exports.zip/a.csv", false),
                ("exports.zip/m365/b.csv", false)
            ]
        );
        assert_eq!((text(&entries[2]).as_str(), text(&entries[3]).as_str()), ("one", "two"));
    }

    #[test]
    fn a_bomb_and_an_archive_in_an_archive_stay_closed() {
        let bomb = zipped(&[("zeros.csv", &vec![0; 20 * 1024 * 1024]), ("fine.csv", b"fine")]);
        let entries = list(bomb.path(), "z");
        assert!(entries[1].refused.as_ref().is_some_and(|why| why.contains("unpacks to more")), "{entries:?}");
        assert_eq!(entries[0].refused, None);
        let inner = std::fs::read(zipped(&[("a.csv", b"x")]).path()).unwrap();
        let entries = list(zipped(&[("inner.zip", &inner)]).path(), "z");
        assert_eq!(entries.len(), 1);
        assert!(matches!(entries[0].place, Place::Zipped { .. }), "its bytes are looked at, it is not opened");
    }

    #[test]
    fn a_manifest_names_what_is_missing_and_what_each_file_is() {
        let manifest = "schema: 1\ntenant: clinic\ncollected_at: 2026-10-01T12:00:00Z\nfiles:\n  - { path: m365/a.csv, kind: microsoft365.mailboxes, sha256: AB, rows: 3 }\n  - { path: m365/gone.csv, kind: microsoft365.inbox-rules }\n";
        let file = zipped(&[("manifest.yaml", manifest.as_bytes()), ("m365/a.csv", b"x")]);
        let entries = list(file.path(), "z");
        let of = |label: &str| entries.iter().find(|entry| entry.label == label).unwrap();
        assert_eq!(of("z/m365/a.csv").stated.kind.as_deref(), Some("microsoft365.mailboxes"));
        assert_eq!(of("z/m365/a.csv").stated.sha256.as_deref(), Some("ab"));
        assert!(of("z/m365/gone.csv").refused.is_some());
        assert_eq!(of("z/m365/gone.csv").stated.kind.as_deref(), Some("microsoft365.inbox-rules"));
        assert!(of("z/manifest.yaml").stated.is_manifest);
        assert_eq!(of("z/manifest.yaml").stated.collected_on, Some("2026-10-01".parse().unwrap()));
        let broken = zipped(&[("manifest.yaml", b"files: [")]);
        assert!(list(broken.path(), "z")[0].refused.is_some());
        // Cut where it is too large it would still read, and name less.
        let long = format!("files:\n{}", "  - { path: a.csv }\n".repeat(60_000));
        let entries = list(zipped(&[("manifest.yaml", long.as_bytes()), ("a.csv", b"x")]).path(), "z");
        assert!(entries.iter().find(|entry| entry.label == "z/manifest.yaml").unwrap().refused.is_some());
    }

    #[test]
    fn an_archive_that_claims_too_many_files_is_not_opened() {
        let file = zipped(&[("a.csv", b"x")]);
        let mut bytes = std::fs::read(file.path()).unwrap();
        assert_eq!(listed(file.path()).unwrap(), 1);
        bytes.extend_from_slice(b"PK\x06\x06");
        bytes.extend_from_slice(&[0; 28]);
        bytes.extend_from_slice(&u64::MAX.to_le_bytes());
        let claims = tempfile::NamedTempFile::new().unwrap();
        crate::files::write_whole(claims.path(), &bytes).unwrap();
        let entries = list(claims.path(), "z");
        assert_eq!(entries.len(), 1);
        assert!(entries[0].refused.as_ref().is_some_and(|why| why.contains("says that it holds")), "{entries:?}");
    }

    #[test]
    fn an_archive_whose_count_is_not_at_its_end_is_not_opened() {
        let inner = zipped(&[("a.csv", b"x")]);
        let whole = std::fs::read(inner.path()).unwrap();
        // The record of 4.3.16 is the last 22 bytes. The longer one stands before the padding.
        let (files, end) = whole.split_at(whole.len() - 22);
        let with = |padding: usize, leads_to: usize| {
            let mut bytes = files.to_vec();
            bytes.extend_from_slice(b"PK\x06\x06");
            bytes.extend_from_slice(&[0; 28]);
            bytes.extend_from_slice(&1_u64.to_le_bytes());
            bytes.resize(bytes.len() + 16 + padding, 0);
            bytes.extend_from_slice(b"PK\x06\x07");
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&(leads_to as u64).to_le_bytes());
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            bytes.extend_from_slice(end);
            let file = tempfile::NamedTempFile::new().unwrap();
            crate::files::write_whole(file.path(), &bytes).unwrap();
            listed(file.path()).unwrap()
        };
        assert_eq!(with(0, files.len()), 1);
        assert_eq!(with(100_000, files.len()), u64::MAX, "further from the end than is looked at");
        for elsewhere in [0, files.len() + 1, usize::MAX] {
            assert_eq!(with(0, elsewhere), u64::MAX, "{elsewhere}");
        }
    }

    #[test]
    fn what_a_collector_did_not_finish_is_refused_in_folders_and_archives() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a.csv", "b.csv.part", "c.incomplete", "part"];
        for name in names {
            crate::files::write_whole(&folder.path().join(name), b"x").unwrap();
        }
        let archive = zipped(&names.map(|name| (name, &b"x"[..])));
        for path in [folder.path(), archive.path()] {
            let refused: Vec<_> = list(path, "x").into_iter().map(|entry| entry.refused.is_some()).collect();
            assert_eq!(refused, [false, true, true, false], "{}", path.display());
        }
    }

    #[test]
    fn what_is_unpacked_counts_and_not_what_the_archive_says() {
        let file = zipped(&[("a.csv", b"twelve bytes")]);
        let entries = list(file.path(), "z");
        let mut archives = Archives::default();
        entries[0].content(&mut archives).unwrap();
        entries[0].content(&mut archives).unwrap();
        assert_eq!(archives.unpacked.values().sum::<u64>(), 24);
        archives.unpacked.insert(file.path().to_owned(), ARCHIVE_BYTES - 5);
        assert!(entries[0].content(&mut archives).is_err());
    }
}
