//! `package`: a report with its evidence and documents as one folder or file to hand over.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;

use super::args::PackageArgs;
use super::judging::read_assessment;
use super::scan::EVIDENCE;
use super::verify::{earlier, read_manifest};
use super::{Failure, Voice, output, say};
use crate::evidence::Evidence;
use crate::report::evidence_package::{
    DOCUMENTS, EARLIER, FILE_BYTES, PACKAGE, PUBLIC_KEY, PackageManifest, REQUESTS, SIGNATURE, SigningKey, THEME,
    is_inside,
};
use crate::report::json::v1::Assessment;
use crate::report::package::{self, Manifest, digest};
use crate::report::request_index::{self, Place};
use crate::report::theme::Theme;
use crate::report::{ASSESSMENT, assessment_bytes, tables};
use crate::text::visible;
use crate::verdict::Ending;
use crate::{files, scope};

/// A key file is at most this large.
const KEY_BYTES: u64 = 16 * 1024;
/// All files of a package together, held in memory while they are hashed.
const PACKAGE_BYTES: u64 = 4 * 1024 * 1024 * 1024;

type Files = BTreeMap<String, Vec<u8>>;

pub(super) fn run(args: &PackageArgs, voice: &Voice) -> Result<Ending, Failure> {
    let key = args.key.as_deref().map(read_key).transpose()?;
    if args.zip {
        if args.out.exists() {
            return Err(Failure::usage(anyhow::anyhow!("{} is there already", args.out.display())));
        }
    } else {
        output::must_be_free(&args.out)?;
    }
    let manifest = read_manifest(&args.folder)?;
    let assessment = read_assessment(&args.folder.join(ASSESSMENT))?;
    let mut held = Files::new();
    for name in manifest.files.iter().map(|file| file.name.as_str()).chain([package::MANIFEST]) {
        if !is_inside(name) || name.contains('/') {
            return Err(Failure::usage(anyhow::anyhow!("the manifest names `{name}`, which is no plain file name")));
        }
        take(&mut held, name.to_owned(), &args.folder.join(name))?;
    }
    for file in &manifest.files {
        if held.get(&file.name).is_none_or(|bytes| digest(bytes) != file.sha256) {
            let what = format!("{} was altered after it was written; run verify first", file.name);
            return Err(Failure::usage(anyhow::anyhow!(what)));
        }
    }
    evidence(args, &manifest, &assessment, &mut held, voice)?;
    theme(args, &manifest, &mut held)?;
    if let Some(since) = manifest.judged_with.as_ref().and_then(|judged| judged.since.as_ref()) {
        let found = match &args.since {
            Some(path) => Some(read_assessment(path)?),
            None => earlier(&args.folder, since),
        };
        match found {
            Some(found) if digest(&assessment_bytes(&found)) != since.sha256 => {
                let what = "the assessment named with --since is not the one the report was compared with";
                return Err(Failure::usage(anyhow::anyhow!(what)));
            }
            Some(found) => {
                held.insert(format!("{EARLIER}/{ASSESSMENT}"), assessment_bytes(&found));
            }
            None => voice.remark(
                "the assessment it was compared with was not found beside it and is not enclosed; name it with --since",
            ),
        }
    }
    let names: Vec<(String, String)> = held.iter().map(|(name, bytes)| (name.clone(), digest(bytes))).collect();
    let mut requests = request_index::index(&assessment, &names);
    if let Some(client) = &args.documents {
        if !client.is_dir() {
            return Err(Failure::usage(anyhow::anyhow!("--documents: {} is no folder", client.display())));
        }
        enclose(client, &mut requests, &mut held);
        if held.values().map(|bytes| bytes.len() as u64).sum::<u64>() > PACKAGE_BYTES {
            return Err(Failure::usage(anyhow::anyhow!("a package holds at most {PACKAGE_BYTES} bytes")));
        }
    }
    held.insert(REQUESTS.to_owned(), tables::csv(&request_index::table(&requests)));

    let listed: Vec<(String, Vec<u8>)> = held.into_iter().collect();
    let manifest = PackageManifest::new(&assessment, requests, &listed);
    let mut all = listed;
    let bytes = manifest.bytes();
    if let Some(key) = &key {
        all.push((SIGNATURE.to_owned(), key.sign(&bytes)));
        all.push((PUBLIC_KEY.to_owned(), key.public_pem().into_bytes()));
    }
    all.push((PACKAGE.to_owned(), bytes));
    if args.zip {
        write_zip(&args.out, &all)?
    } else {
        write_folder(&args.out, &all)?
    }
    say(&told(&manifest, &args.out, key.is_some()));
    Ok(Ending::Clean)
}

fn read_key(path: &Path) -> Result<SigningKey, Failure> {
    let text = files::read_text(path, KEY_BYTES).map_err(Failure::usage)?;
    SigningKey::from_pem(&text)
        .map_err(|error| Failure::usage(anyhow::anyhow!("{} cannot sign: {error}", path.display())))
}

fn take(held: &mut Files, name: String, path: &Path) -> Result<(), Failure> {
    let bytes = files::read_bounded(path, FILE_BYTES).map_err(Failure::usage)?;
    held.insert(name, bytes);
    let all: u64 = held.values().map(|bytes| bytes.len() as u64).sum();
    if all > PACKAGE_BYTES {
        return Err(Failure::usage(anyhow::anyhow!("a package holds at most {PACKAGE_BYTES} bytes")));
    }
    Ok(())
}

/// The evidence the report was made from: each folder's manifest and the segments it names, and
/// nothing else that may lie there.
fn evidence(
    args: &PackageArgs,
    manifest: &Manifest,
    assessment: &Assessment,
    held: &mut Files,
    voice: &Voice,
) -> Result<(), Failure> {
    let beside = args.folder.join(EVIDENCE);
    if args.evidence.is_empty() && !beside.is_dir() {
        if manifest.judged_with.is_none() {
            voice
                .remark("the report was made from a stored assessment; its evidence is not beside it and not enclosed");
            return Ok(());
        }
        let what = format!("the evidence is not at {}; name it with --evidence", beside.display());
        return Err(Failure::usage(anyhow::anyhow!(what)));
    }
    let folders = if args.evidence.is_empty() { vec![beside] } else { args.evidence.clone() };
    let mut read = Vec::new();
    for folder in folders {
        read.push((Evidence::read(&folder).map_err(Failure::usage)?, folder));
    }
    // Observations are named by the place of their folder among several.
    read.sort_by_key(|(evidence, _)| place_among(evidence, assessment));
    let several = read.len() > 1;
    for ((evidence, folder), number) in read.iter().zip(1..) {
        let within = if several { format!("{EVIDENCE}/{number}") } else { EVIDENCE.to_owned() };
        take(held, format!("{within}/{}", package::MANIFEST), &folder.join(package::MANIFEST))?;
        for segment in evidence.manifests.iter().flat_map(|manifest| &manifest.segments) {
            let name = format!("{}.jsonl", segment.name);
            if folder.join(&name).is_file() {
                take(held, format!("{within}/{name}"), &folder.join(&name))?;
            } else {
                voice.remark(&format!("evidence was taken away and is not enclosed: {}", segment.name));
            }
        }
    }
    let whole = Evidence::join(read.into_iter().map(|(evidence, _)| evidence).collect());
    if whole.is_none_or(|evidence| evidence.digest != manifest.evidence_digest) {
        let what = "other evidence: the report was not made from this; name all its folders with --evidence";
        return Err(Failure::usage(anyhow::anyhow!(what)));
    }
    Ok(())
}

/// The number that the assessment names the segments of a folder by.
fn place_among(evidence: &Evidence, assessment: &Assessment) -> usize {
    let first = evidence.manifests.iter().flat_map(|manifest| &manifest.segments).find_map(|segment| {
        let named = assessment.evidence.iter().find(|known| {
            known.sha256 == segment.sha256 && known.name.split_once('/').is_some_and(|(_, name)| name == segment.name)
        })?;
        named.name.split_once('/')?.0.parse().ok()
    });
    first.unwrap_or(usize::MAX)
}

/// The theme the report was made with, whole, so that it can be made again.
fn theme(args: &PackageArgs, manifest: &Manifest, held: &mut Files) -> Result<(), Failure> {
    let Some(wanted) = &manifest.theme_sha256 else { return Ok(()) };
    let Some(folder) = &args.theme else {
        let what = "the report was made with a theme; name it with --theme so that it can be enclosed";
        return Err(Failure::usage(anyhow::anyhow!(what)));
    };
    let theme = Theme::read(folder).map_err(Failure::usage)?;
    if theme.sha256 != *wanted {
        let what = "another theme: the one given is not the one the report was made with";
        return Err(Failure::usage(anyhow::anyhow!(what)));
    }
    held.extend(theme.files.into_iter().map(|(name, bytes)| (format!("{THEME}/{name}"), bytes)));
    Ok(())
}

/// Documents that are in the client's folder with the bytes that were assessed.
fn enclose(client: &Path, requests: &mut [request_index::Requested], held: &mut Files) {
    for row in requests.iter_mut().filter(|row| row.place == Place::NotEnclosed) {
        let (Some(file), Some(sha256)) = (&row.file, &row.sha256) else { continue };
        // What leads out of the folder is not followed.
        let Ok(path) = scope::inside(client, file) else { continue };
        if !is_inside(file) {
            continue;
        }
        match files::read_bounded(&path, FILE_BYTES) {
            Ok(bytes) if digest(&bytes) == *sha256 => {
                let name = format!("{DOCUMENTS}/{file}");
                held.insert(name.clone(), bytes);
                row.file = Some(name);
                row.place = Place::Enclosed;
            }
            Ok(_) => row.place = Place::Other,
            Err(error) if error.is_not_there() => row.place = Place::Missing,
            Err(_) => row.place = Place::Unread,
        }
    }
}

fn write_folder(out: &Path, all: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let broken = |error| Failure::from(anyhow::Error::from(error));
    for (name, bytes) in all {
        let path = out.join(name);
        files::make_folder(path.parent().unwrap_or(out)).map_err(broken)?;
        files::write_whole(&path, bytes).map_err(broken)?;
    }
    Ok(())
}

/// A zip file of the same bytes every time: sorted by the caller, no times.
fn write_zip(out: &Path, all: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let broken = |error: zip::result::ZipError| Failure::from(anyhow::Error::from(error));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default()).large_file(false);
    for (name, bytes) in all {
        zip.start_file(name.as_str(), options).map_err(broken)?;
        zip.write_all(bytes).map_err(anyhow::Error::from)?;
    }
    let bytes = zip.finish().map_err(broken)?.into_inner();
    files::write_whole(out, &bytes).map_err(|error| Failure::from(anyhow::Error::from(error)))
}

fn told(manifest: &PackageManifest, out: &Path, signed: bool) -> String {
    let mut text = String::new();
    for row in &manifest.requests {
        let mark = match row.place {
            Place::Enclosed => '.',
            Place::Missing | Place::Other => 'x',
            Place::NotEnclosed | Place::Unread => '?',
        };
        let file = row.file.as_deref().unwrap_or("no file");
        text.push_str(&visible(&format!(
            "{mark} {}: {} ({file}): {}",
            row.request.in_words(),
            row.what,
            row.place.in_words()
        )));
        text.push('\n');
    }
    let signature = if signed { "signed" } else { "not signed (--key FILE)" };
    text.push_str(&visible(&format!(
        "wrote {}: {} files, {signature}; check it with: mailassay verify",
        out.display(),
        manifest.files.len()
    )));
    text.push('\n');
    text
}
