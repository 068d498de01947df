//! `explain`: one check, finding or risk in the terminal, in the words of the report.

use std::path::{Path, PathBuf};

use super::args::ExplainArgs;
use super::judging::read_assessment;
use super::{Failure, Voice, say};
use crate::report::json::v1::Assessment;
use crate::report::{ASSESSMENT, explain};
use crate::verdict::Ending;

/// Folders below the current one that are looked through for assessments.
const DEPTH: usize = 3;
const FOLDERS: usize = 2_000;

pub(super) fn run(args: &ExplainArgs, voice: &Voice) -> Result<Ending, Failure> {
    let assessment = match &args.assessment {
        Some(path) if path.is_dir() => newest(path)?,
        Some(path) => Some(read_assessment(path)?),
        None => newest(Path::new("."))?,
    };
    let Some(assessment) = assessment else {
        return Err(Failure::usage(anyhow::anyhow!(
            "no {ASSESSMENT} here or in a folder below; name one: mailassay explain {} REPORT-FOLDER",
            args.term
        )));
    };
    if let Some(text) = explain::explain(&assessment, &args.term) {
        say(&text);
        return Ok(Ending::Clean);
    }
    let like = explain::like(&assessment, &args.term);
    voice.remark("a check's id, the beginning of a fingerprint (8 or more characters) or a risk's id can be explained");
    let offered = if like.is_empty() { String::new() } else { format!("; is it one of {}?", like.join(", ")) };
    Err(Failure::usage(anyhow::anyhow!("the assessment knows no `{}`{offered}", args.term)))
}

/// The assessment with the latest moment in the folder or below it. One that cannot be read is
/// not the newest: it is passed over, unless there is no other.
fn newest(folder: &Path) -> Result<Option<Assessment>, Failure> {
    let mut best: Option<Assessment> = None;
    let mut failed = None;
    for path in assessments(folder) {
        match read_assessment(&path) {
            Ok(found) if best.as_ref().is_none_or(|best| best.as_of < found.as_of) => best = Some(found),
            Ok(_) => {}
            Err(failure) => failed = Some(failure),
        }
    }
    match (best, failed) {
        (None, Some(failure)) => Err(failure),
        (best, _) => Ok(best),
    }
}

/// Every assessment not too deep below the folder, in the order of names.
fn assessments(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut level = vec![folder.to_owned()];
    let mut looked = 0;
    for _ in 0..=DEPTH {
        let mut below = Vec::new();
        for folder in level {
            looked += 1;
            if looked > FOLDERS {
                return found;
            }
            let file = folder.join(ASSESSMENT);
            if file.is_file() {
                found.push(file);
            }
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            let hidden = |path: &Path| {
                path.file_name()
                    .and_then(|name| name.to_str())
                    .is_none_or(|name| name.starts_with('.') || name == "target")
            };
            below.extend(
                entries
                    .flatten()
                    .map(|entry| entry.path())
                    .filter(|path| !hidden(path) && path.is_dir() && !path.is_symlink()),
            );
        }
        below.sort();
        level = below;
    }
    found
}
