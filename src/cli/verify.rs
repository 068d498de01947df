//! `verify`: makes a report again from its evidence and says what is the same and what is not.

use std::path::{Path, PathBuf};

use super::args::VerifyArgs;
use super::judging::read_assessment;
use super::scan::EVIDENCE;
use super::{Failure, Voice, say};
use crate::evidence::{Evidence, EvidenceError};
use crate::files;
use crate::method::Method;
use crate::report::evidence_package::{
    EARLIER, PACKAGE, PUBLIC_KEY, PackageManifest, SIGNATURE, THEME, altered, is_signed, public_key,
};
use crate::report::json::v1::{Assessment, Tool};
use crate::report::package::{self, FileState, FileVerdict, JudgedWith, Manifest, Since};
use crate::report::theme::Theme;
use crate::report::{ASSESSMENT, Look, assessment_bytes, files_in};
use crate::risk::LikelihoodRule;
use crate::text::visible;
use crate::verdict::Ending;

/// A manifest is at most this large.
const MANIFEST_BYTES: u64 = 1024 * 1024;
/// A package's manifest is at most this large, its keys and signature as well.
const PACKAGE_BYTES: u64 = 64 * 1024 * 1024;
const KEY_BYTES: u64 = 16 * 1024;
/// Folders beside the report that are looked through for the assessment it was compared with.
const NEIGHBOURS: usize = 500;

pub(super) fn run(args: &VerifyArgs, voice: &Voice) -> Result<Ending, Failure> {
    let manifest = read_manifest(&args.folder)?;
    let mut told = Told::default();
    packed(args, &mut told)?;
    let made = make_again(args, &manifest, &mut told)?;
    let files = match &made {
        Ok(files) => Ok(files.as_slice()),
        Err(why) => Err(why.as_str()),
    };
    let verdicts = package::compare(&args.folder, &manifest, files);
    for verdict in &verdicts {
        told.file(verdict);
    }
    let identical = verdicts.iter().filter(|verdict| verdict.state == FileState::Identical).count();
    let same = told.sound && identical == verdicts.len() && !verdicts.is_empty();
    told.line(&match same {
        true => format!("identical: all {identical} files were made again from the evidence, byte for byte"),
        false => format!("not identical: {identical} of {} files were made again byte for byte", verdicts.len()),
    });
    say(&told.text);
    if !same && made.is_err() {
        voice.remark("what could not be made again is neither confirmed nor refuted");
    }
    Ok(if same { Ending::Clean } else { Ending::Runtime })
}

/// Where the folder is a package: its files, and its signature.
fn packed(args: &VerifyArgs, told: &mut Told) -> Result<(), Failure> {
    let path = args.folder.join(PACKAGE);
    if !path.is_file() {
        if args.public_key.is_some() {
            told.bad("no package: there is no package.json, so nothing is signed");
        }
        return Ok(());
    }
    let bytes = files::read_bounded(&path, PACKAGE_BYTES).map_err(Failure::usage)?;
    let manifest: PackageManifest = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::usage(anyhow::anyhow!("{} is not a package's manifest: {error}", path.display())))?;
    let wrong = altered(&args.folder, &manifest);
    for what in &wrong {
        told.bad(what);
    }
    if wrong.is_empty() {
        told.note(&format!(
            "all {} files are as package.json names them, and no other lies there",
            manifest.files.len()
        ));
    }
    signature(args, &bytes, told)
}

/// Who signed the manifest of the package, as far as keys say.
fn signature(args: &VerifyArgs, manifest: &[u8], told: &mut Told) -> Result<(), Failure> {
    let wanted = args.public_key.as_deref().map(|path| files::read_text(path, KEY_BYTES)).transpose();
    let wanted = wanted.map_err(Failure::usage)?;
    let signature = match files::read_bounded(&args.folder.join(SIGNATURE), KEY_BYTES) {
        Ok(signature) => signature,
        Err(error) if error.is_not_there() => {
            let unsigned = "the package is not signed: nothing says who wrote package.json";
            if wanted.is_some() {
                told.bad(unsigned)
            } else {
                told.note(unsigned)
            }
            return Ok(());
        }
        Err(error) => {
            told.bad(&format!("the signature cannot be read: {error}"));
            return Ok(());
        }
    };
    let key = match &wanted {
        Some(key) => key.clone(),
        None => match files::read_text(&args.folder.join(PUBLIC_KEY), KEY_BYTES) {
            Ok(key) => key,
            Err(error) => {
                told.bad(&format!(
                    "signed, and the key it came with cannot be read: {error}; name one with --public-key"
                ));
                return Ok(());
            }
        },
    };
    match public_key(&key) {
        Err(error) => told.bad(&format!("the public key cannot be read: {error}")),
        Ok(key) if !is_signed(&key, manifest, &signature) => told.bad("the signature does not hold for this key"),
        Ok(_) if wanted.is_some() => told.note("signed with the key that was given"),
        Ok(key) => told.note(&format!(
            "signed with the key of SHA-256 {}; whose key that is, --public-key FILE would say",
            package::digest(&key)
        )),
    }
    Ok(())
}

pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, Failure> {
    let path = folder.join(package::MANIFEST);
    let bytes = files::read_bounded(&path, MANIFEST_BYTES).map_err(Failure::usage)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::usage(anyhow::anyhow!("{} is not the manifest of a report: {error}", path.display()))
    })?;
    if manifest.schema != 1 || manifest.kind != "report" {
        let what = format!("{} is schema {} of kind `{}`", path.display(), manifest.schema, manifest.kind);
        return Err(Failure::usage(anyhow::anyhow!("{what}; expected 1 of `report`")));
    }
    Ok(manifest)
}

type Made = Vec<(&'static str, Vec<u8>)>;

/// The files made again from the evidence; the reason where they cannot be.
fn make_again(args: &VerifyArgs, manifest: &Manifest, told: &mut Told) -> Result<Result<Made, String>, Failure> {
    let enclosed = Some(args.folder.join(THEME)).filter(|folder| manifest.theme_sha256.is_some() && folder.is_dir());
    let theme = args.theme.clone().or(enclosed);
    let theme = match theme.as_deref().map(Theme::read).transpose() {
        Ok(theme) => theme,
        Err(error) if args.theme.is_some() => return Err(Failure::usage(error)),
        Err(error) => {
            let why = format!("the theme cannot be read: {error}");
            told.bad(&why);
            return Ok(Err(why));
        }
    };
    match (&manifest.theme_sha256, &theme) {
        (Some(_), None) => {
            let why = "the report was made with a theme; name it with --theme".to_owned();
            told.bad(&why);
            return Ok(Err(why));
        }
        (then, Some(theme)) if then.as_ref() != Some(&theme.sha256) => {
            told.bad("another theme: the one given is not the one the report was made with");
        }
        (Some(_) | None, Some(_)) | (None, None) => {}
    }
    let look = Look { paper: manifest.paper, theme: theme.as_ref(), enforcement: manifest.enforcement };
    let Some(judged_with) = &manifest.judged_with else {
        // A report shown again from a stored assessment: that assessment is all there is.
        told.note("this report was made from a stored assessment; the evidence is not beside it");
        let Ok(assessment) = read_assessment(&args.folder.join(ASSESSMENT)) else {
            let why = format!("{ASSESSMENT} cannot be read");
            told.bad(&why);
            return Ok(Err(why));
        };
        told.method(&assessment.tool, None);
        return files_in(&assessment, look).map(Ok).map_err(|error| Failure::from(anyhow::Error::from(error)));
    };
    let evidence = match read_evidence(args, manifest, told) {
        Ok(evidence) => evidence,
        Err(why) => return Ok(Err(why)),
    };
    // The report says by which rule it was made, in the name of its model.
    let rule = LikelihoodRule::of_model(&manifest.tool.risk_model);
    let method = Method::load(args.checks.as_deref()).map_err(Failure::usage)?.with_likelihood(rule);
    told.method(
        &manifest.tool,
        Some(&Tool {
            name: manifest.tool.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            catalogue: method.catalog.version.clone(),
            // The model's version is compared below, where the assessment made again carries it.
            risk_model: manifest.tool.risk_model.clone(),
        }),
    );
    let previous = match &judged_with.since {
        None => None,
        Some(since) => match previous(args, since)? {
            Some(previous) => Some(previous),
            None => {
                let why = format!(
                    "the assessment of {} it was compared with was not found beside it; name it with --since",
                    crate::clock::date_of(since.as_of)
                );
                told.bad(&why);
                return Ok(Err(why));
            }
        },
    };
    let assessment = method
        .judge(&evidence, Some(manifest.as_of), previous.as_ref(), &judged_with.policy())
        .map_err(anyhow::Error::from)?;
    if assessment.tool.risk_model != manifest.tool.risk_model {
        let (then, now) = (&manifest.tool.risk_model, &assessment.tool.risk_model);
        told.bad(&format!("another risk model: {then} made the report, this is {now}"));
    }
    manifest_agrees(manifest, judged_with, previous.as_ref(), told);
    files_in(&assessment, look).map(Ok).map_err(|error| Failure::from(anyhow::Error::from(error)))
}

/// What the manifest says of the earlier assessment holds for the one that was found.
fn manifest_agrees(manifest: &Manifest, judged_with: &JudgedWith, previous: Option<&Assessment>, told: &mut Told) {
    if let (Some(since), Some(previous)) = (&judged_with.since, previous)
        && since.as_of != previous.as_of
    {
        told.bad("the manifest gives the assessment compared with another moment than its file");
    }
    if manifest.files.iter().all(|file| file.name != ASSESSMENT) {
        told.bad(&format!("the manifest names no {ASSESSMENT}"));
    }
}

fn read_evidence(args: &VerifyArgs, manifest: &Manifest, told: &mut Told) -> Result<Evidence, String> {
    let folders = if args.evidence.is_empty() { enclosed_evidence(&args.folder) } else { args.evidence.clone() };
    let mut read = Vec::new();
    for folder in &folders {
        match Evidence::read(folder) {
            Ok(evidence) => {
                for segment in evidence.manifests.iter().flat_map(|manifest| &manifest.segments) {
                    if evidence.taken_away(segment.source, segment.subject_kind).is_some()
                        && !folder.join(format!("{}.jsonl", segment.name)).is_file()
                    {
                        told.bad(&format!("evidence was taken away: {}", segment.name));
                    }
                }
                read.push(evidence);
            }
            Err(error) => {
                let what = match &error {
                    EvidenceError::Altered { .. } => error.to_string(),
                    other => format!("the evidence cannot be read: {other}"),
                };
                told.bad(&what);
                return Err(what);
            }
        }
    }
    let evidence = Evidence::join(read).ok_or_else(|| "no evidence folder".to_owned())?;
    if evidence.digest != manifest.evidence_digest {
        told.bad(&format!(
            "other evidence: this has SHA-256 {}, the report was made from {}",
            evidence.digest, manifest.evidence_digest
        ));
    } else {
        told.note(&format!("the manifest of the evidence is as collected: SHA-256 {}", evidence.digest));
    }
    Ok(evidence)
}

/// The evidence in the report folder: one collection, or several that were joined, by number.
fn enclosed_evidence(folder: &Path) -> Vec<PathBuf> {
    let whole = folder.join(EVIDENCE);
    let several: Vec<PathBuf> =
        (1..).map(|number: usize| whole.join(number.to_string())).take_while(|folder| folder.is_dir()).collect();
    if several.is_empty() || whole.join(package::MANIFEST).is_file() { vec![whole] } else { several }
}

/// The earlier assessment: the one that was named, or the one with the right hash beside the report.
fn previous(args: &VerifyArgs, since: &Since) -> Result<Option<Assessment>, Failure> {
    if let Some(path) = &args.since {
        return read_assessment(path).map(Some);
    }
    Ok(earlier(&args.folder, since))
}

/// The assessment with that hash, in the package or in a folder beside the report.
pub(super) fn earlier(folder: &Path, since: &Since) -> Option<Assessment> {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let entries = std::fs::read_dir(folder.parent()?).ok()?;
    let mut candidates: Vec<PathBuf> = entries
        .flatten()
        .take(NEIGHBOURS)
        .map(|entry| entry.path().join(ASSESSMENT))
        .chain([folder.join(EARLIER).join(ASSESSMENT)])
        .filter(|path| path.is_file())
        .collect();
    candidates.sort();
    for path in candidates {
        let Ok(found) = read_assessment(&path) else { continue };
        if package::digest(&assessment_bytes(&found)) == since.sha256 {
            return Some(found);
        }
    }
    None
}

/// What is said, and whether nothing spoke against the report so far.
struct Told {
    text: String,
    sound: bool,
}

impl Default for Told {
    fn default() -> Self {
        Self { text: String::new(), sound: true }
    }
}

impl Told {
    fn line(&mut self, words: &str) {
        self.text.push_str(&visible(words));
        self.text.push('\n');
    }

    fn note(&mut self, words: &str) {
        self.line(&format!(". {words}"));
    }

    fn bad(&mut self, words: &str) {
        self.sound = false;
        self.line(&format!("x {words}"));
    }

    fn method(&mut self, then: &Tool, now: Option<&Tool>) {
        let Some(now) = now else { return };
        let differences = package::method_differences(then, now);
        if differences.is_empty() {
            self.note(&format!("the same program ({}) and catalogue ({})", now.version, now.catalogue));
        }
        for difference in differences {
            self.bad(&difference);
        }
    }

    fn file(&mut self, verdict: &FileVerdict) {
        let name = &verdict.name;
        match &verdict.state {
            FileState::Altered { expected, found } => {
                self.line(&format!("x {name}: altered after it was written: SHA-256 {found}, written as {expected}"));
            }
            FileState::Differs { why } => self.line(&format!("x {name}: made again, it differs: {why}")),
            FileState::Identical => self.line(&format!(". {name}: identical")),
            FileState::Missing { why } => self.line(&format!("x {name}: missing or not to be read: {why}")),
            FileState::NotMade { why } => self.line(&format!("? {name}: as written, not made again: {why}")),
        }
    }
}
