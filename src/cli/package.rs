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
use crate::files;
use crate::report::evidence_package::{
    DOCUMENTS, EARLIER, FILE_BYTES, PACKAGE, PUBLIC_KEY, PackageManifest, REQUESTS, SIGNATURE, SigningKey,
};
use crate::report::package::{self, digest};
use crate::report::request_index::{self, Place};
use crate::report::{ASSESSMENT, assessment_bytes, tables};
use crate::text::visible;
use crate::verdict::Ending;

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
        if Path::new(name).components().count() != 1 {
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
    evidence(&args.folder.join(EVIDENCE), &mut held)?;
    if let Some(since) = manifest.judged_with.as_ref().and_then(|judged| judged.since.as_ref()) {
        match earlier(&args.folder, since) {
            Some(earlier) => {
                held.insert(format!("{EARLIER}/{ASSESSMENT}"), assessment_bytes(&earlier));
            }
            None => voice.remark("the assessment it was compared with was not found beside it and is not enclosed"),
        }
    }
    let names: Vec<(String, String)> = held.iter().map(|(name, bytes)| (name.clone(), digest(bytes))).collect();
    let mut requests = request_index::index(&assessment, &names);
    if let Some(client) = &args.documents {
        enclose(client, &mut requests, &mut held);
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

/// The manifest of the evidence and its segments; nothing else that may lie there.
fn evidence(folder: &Path, held: &mut Files) -> Result<(), Failure> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Err(Failure::usage(anyhow::anyhow!("the evidence is not at {}", folder.display())));
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name == package::MANIFEST || name.ends_with(".jsonl"));
    names.sort();
    for name in names {
        take(held, format!("{EVIDENCE}/{name}"), &folder.join(&name))?;
    }
    Ok(())
}

/// Documents that are in the client's folder with the bytes that were assessed.
fn enclose(client: &Path, requests: &mut [request_index::Requested], held: &mut Files) {
    for row in requests.iter_mut().filter(|row| row.place == Place::NotEnclosed) {
        let (Some(file), Some(sha256)) = (&row.file, &row.sha256) else { continue };
        let down = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
        if !Path::new(file).components().all(down) {
            continue;
        }
        match files::read_bounded(&client.join(file), FILE_BYTES) {
            Ok(bytes) if digest(&bytes) == *sha256 => {
                let name = format!("{DOCUMENTS}/{file}");
                held.insert(name.clone(), bytes);
                row.file = Some(name);
                row.place = Place::Enclosed;
            }
            Ok(_) => row.place = Place::Other,
            Err(_) => row.place = Place::Missing,
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
            Place::NotEnclosed => '?',
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
