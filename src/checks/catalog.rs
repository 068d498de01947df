//! Every check that may judge: the built-in ones, and an organization's own beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use include_dir::{Dir, include_dir};
use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::check::Check;
use super::examples::{self, Surprise};
use super::frameworks::Framework;
use super::read::{self, Shelf};
use super::thresholds::{self, Threshold};
use crate::evidence::hex;
use crate::files::{self, FileError};
use crate::yaml::{self, Located};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/checks");

/// The folders that hold checks, in the order of a report.
pub const AREAS: [&str; 8] =
    ["transport", "sender-identity", "mailboxes", "identity", "retention", "audit", "vendors", "governance"];
/// The area of an organization's own checks that lie in no area folder.
const OWN_AREA: &str = "own";
const FRAMEWORK: &str = "frameworks/security-rule.yaml";
const THRESHOLDS: &str = "thresholds";
const RELEASE: &str = "catalogue.yaml";
/// A check is a page; anything larger is no check.
const FILE_BYTES: u64 = 64 * 1024;
/// Own checks beyond this number are a mistake in the folder's name.
const OWN_FILES: usize = 2_000;

/// Why checks could not be loaded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CheckError {
    /// Every fault found, in the order of files and lines.
    #[error("{}", listed(.0))]
    Refused(Vec<Located>),
    #[error("{0}")]
    File(String),
    #[error("{} examples of the checks come out otherwise:\n{}", .0.len(), lines(.0))]
    Surprised(Vec<Surprise>),
}

impl From<FileError> for CheckError {
    fn from(error: FileError) -> Self {
        Self::File(error.to_string())
    }
}

fn listed(faults: &[Located]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

fn lines(surprises: &[Surprise]) -> String {
    surprises.iter().map(|surprise| format!("  {surprise}")).collect::<Vec<_>>().join("\n")
}

/// Every check, by id, with the numbers and paragraphs they speak of.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub checks: BTreeMap<String, Check>,
    /// By name.
    pub thresholds: BTreeMap<String, Threshold>,
    pub framework: Framework,
    /// The catalogue's version, with `+own` where an organization's checks were added.
    pub version: String,
    /// SHA-256 over the names and texts of everything that was read.
    pub digest: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    version: String,
    /// Ids that had a meaning once and may not be given another.
    #[serde(default)]
    retired: Vec<String>,
}

/// One text file, by its path inside `checks/`.
struct Source {
    /// As shown in errors.
    file: PathBuf,
    /// `transport`, …
    area: String,
    text: String,
    own: bool,
}

impl Catalog {
    /// The checks the program ships with.
    pub fn built_in() -> Result<Self, CheckError> {
        static READ: OnceLock<Result<Catalog, CheckError>> = OnceLock::new();
        READ.get_or_init(|| Self::read(Vec::new(), Vec::new())).clone()
    }

    /// The built-in checks and those in `own`: `*.yaml` directly in it or in folders named like
    /// ours, and thresholds in its folder `thresholds/`. Their examples must hold.
    pub fn load(own: Option<&Path>) -> Result<Self, CheckError> {
        let Some(folder) = own else { return Self::built_in() };
        let mut checks = own_files(folder, OWN_AREA)?;
        for area in AREAS {
            let inside = folder.join(area);
            if inside.is_dir() {
                checks.extend(own_files(&inside, area)?);
            }
        }
        let thresholds = folder.join(THRESHOLDS);
        let thresholds = if thresholds.is_dir() { own_files(&thresholds, THRESHOLDS)? } else { Vec::new() };
        let catalog = Self::read(checks, thresholds)?;
        let surprises: Vec<_> = catalog.checks.values().filter(|check| check.own).flat_map(examples::run).collect();
        if surprises.is_empty() { Ok(catalog) } else { Err(CheckError::Surprised(surprises)) }
    }

    /// Runs the examples of every check.
    pub fn test(&self) -> Vec<Surprise> {
        self.checks.values().flat_map(examples::run).collect()
    }

    /// How many examples there are.
    pub fn examples(&self) -> usize {
        self.checks.values().map(|check| check.examples().len()).sum()
    }

    fn read(own_checks: Vec<Source>, own_thresholds: Vec<Source>) -> Result<Self, CheckError> {
        let framework_text = embedded_text(FRAMEWORK)?;
        let framework =
            Framework::read(&shown(FRAMEWORK), framework_text).map_err(|fault| CheckError::Refused(vec![fault]))?;
        let release_text = embedded_text(RELEASE)?;
        let release: Release =
            yaml::read(&shown(RELEASE), release_text).map_err(|fault| CheckError::Refused(vec![fault]))?;
        let mut digest = Sha256::new();
        take_in(&mut digest, FRAMEWORK, framework_text);
        take_in(&mut digest, RELEASE, release_text);

        let mut faults = Vec::new();
        let mut thresholds = BTreeMap::new();
        let mut threshold_files = embedded_files(THRESHOLDS)?;
        threshold_files.extend(own_thresholds);
        for source in &threshold_files {
            take_in(&mut digest, &source.file.to_string_lossy(), &source.text);
            if let Err(more) = thresholds::read(&source.file, &source.text, &mut thresholds) {
                faults.extend(more);
            }
        }
        let limits = thresholds.iter().map(|(name, threshold)| (name.clone(), threshold.value)).collect();

        let mut sources = Vec::new();
        for area in AREAS {
            sources.extend(embedded_files(area)?);
        }
        let has_own = !own_checks.is_empty();
        sources.extend(own_checks);
        let shelf = Shelf { framework: &framework, limits: &limits };
        let read: Vec<_> = sources
            .par_iter()
            .map(|source| read::read(&source.file, &source.text, &source.area, source.own, shelf))
            .collect();
        let mut checks: BTreeMap<String, Check> = BTreeMap::new();
        for (source, read) in sources.iter().zip(read) {
            take_in(&mut digest, &source.file.to_string_lossy(), &source.text);
            match read {
                Ok(check) => {
                    let refuse =
                        |what: String| Located::at(&source.file, &source.text, 1, 1, what, "choose another id");
                    if release.retired.contains(&check.id) {
                        faults.push(refuse(format!("the id `{}` is retired", check.id)));
                    } else if checks.contains_key(&check.id) {
                        faults.push(refuse(format!("the id `{}` is already taken", check.id)));
                    } else {
                        checks.insert(check.id.clone(), check);
                    }
                }
                Err(more) => faults.extend(more),
            }
        }
        if !faults.is_empty() {
            return Err(CheckError::Refused(faults));
        }
        let version = if has_own { format!("{}+own", release.version) } else { release.version };
        Ok(Self { checks, thresholds, framework, version, digest: hex(&digest.finalize()) })
    }
}

/// Lengths first, so that no two sets of files give the same bytes.
fn take_in(digest: &mut Sha256, name: &str, text: &str) {
    for part in [name, text] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
}

/// The path of an embedded file as a reader knows it.
fn shown(path: &str) -> PathBuf {
    Path::new("checks").join(path)
}

fn embedded_text(path: &str) -> Result<&'static str, CheckError> {
    EMBEDDED
        .get_file(path)
        .and_then(include_dir::File::contents_utf8)
        .ok_or_else(|| CheckError::File(format!("checks/{path} is missing from the program")))
}

/// The YAML files of an embedded folder, by name. A folder that is not there holds none.
fn embedded_files(area: &str) -> Result<Vec<Source>, CheckError> {
    let Some(folder) = EMBEDDED.get_dir(area) else { return Ok(Vec::new()) };
    let mut sources = Vec::new();
    for file in folder.files().filter(|file| is_yaml(file.path())) {
        let text =
            file.contents_utf8().ok_or_else(|| CheckError::File(format!("{} is not text", file.path().display())))?;
        sources.push(Source {
            file: Path::new("checks").join(file.path()),
            area: area.to_owned(),
            text: text.to_owned(),
            own: false,
        });
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(sources)
}

fn own_files(folder: &Path, area: &str) -> Result<Vec<Source>, CheckError> {
    let failed = |source| FileError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_yaml(&path) && path.is_file() {
            paths.push(path);
        }
        if paths.len() > OWN_FILES {
            let shown = crate::text::visible(&folder.display().to_string());
            return Err(CheckError::File(format!(
                "{shown} holds more than {OWN_FILES} files; it is no folder of checks"
            )));
        }
    }
    paths.sort();
    let read = |path: PathBuf| {
        let text = files::read_text(&path, FILE_BYTES)?;
        Ok(Source { file: path, area: area.to_owned(), text, own: true })
    };
    paths.into_iter().map(read).collect()
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = r#"id: every-domain-sends
title: Every domain sends mail
subject: domain
applies_when: "true"
pass_when: domain.sends
severity: info
cites: [{ spec: 164.306(e), supports: indirect }]
finding: "{{domain.name}} sends mail: {{domain.sends}}"
why: An invented check.
fix: Nothing.
since: "1.0.0"
examples:
  pass: [{ domain: { name: a.example, sends: true } }]
  fail: [{ domain: { name: a.example, sends: false } }]
  unknown: [{ domain: { name: a.example, sends: unknown } }]
"#;

    fn load(files: &[(&str, &str)]) -> Result<Catalog, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            files::make_folder(path.parent().unwrap()).unwrap();
            files::write_whole(&path, text.as_bytes()).unwrap();
        }
        Catalog::load(Some(folder.path())).map_err(|error| error.to_string())
    }

    #[test]
    fn own_checks_stand_beside_ours_and_are_marked() {
        let built_in = Catalog::built_in().unwrap();
        let own = load(&[("every-domain-sends.yaml", OWN)]).unwrap();
        assert_eq!(own.checks.len(), built_in.checks.len() + 1);
        let check = &own.checks["every-domain-sends"];
        assert!(check.own && check.area == "own");
        assert!(built_in.checks.values().all(|check| !check.own));
        assert_eq!(own.version, format!("{}+own", built_in.version));
        assert_ne!(own.digest, built_in.digest);
        let in_area = load(&[("transport/every-domain-sends.yaml", OWN)]).unwrap();
        assert_eq!(in_area.checks["every-domain-sends"].area, "transport");
    }

    #[test]
    fn own_checks_whose_examples_do_not_hold_may_not_judge() {
        let error = load(&[("every-domain-sends.yaml", &OWN.replace("sends: false", "sends: true"))]).unwrap_err();
        assert!(error.contains("every-domain-sends, line 14: expected fail, found pass"), "{error}");
    }

    #[test]
    fn an_id_is_used_once() {
        let taken = OWN.replace("every-domain-sends", "training-given");
        assert!(load(&[("training-given.yaml", &taken)]).unwrap_err().contains("already taken"));
    }

    #[test]
    fn every_fault_of_every_file_is_told_at_once() {
        let one = OWN.replace("domain.sends\n", "domain.sendz\n");
        let other = OWN.replace("every-domain-sends", "another").replace("164.306(e)", "164.306(z)");
        let error = load(&[("every-domain-sends.yaml", &one), ("another.yaml", &other)]).unwrap_err();
        assert!(error.contains("domain.sendz") && error.contains("no such paragraph"), "{error}");
        assert!(error.contains("line 5, column 12"), "{error}");
    }

    #[test]
    fn thresholds_are_named_once_over_all_files() {
        let limit = "own_days: { value: 5, unit: days, source: ours, date: 2026-01-01 }\n";
        let check =
            OWN.replace("pass_when: domain.sends", "pass_when: domain.sends && domain.spf.lookups < limit.own_days");
        let check = check.replace("sends: true }", "sends: true, spf: { lookups: 1 } }");
        let check = check.replace("sends: false }", "sends: false, spf: absent }");
        let check = check.replace("sends: unknown }", "sends: unknown, spf: unknown }");
        let files = [("every-domain-sends.yaml", check.as_str()), ("thresholds/ours.yaml", limit)];
        let catalog = load(&files).unwrap();
        assert_eq!(catalog.thresholds["own_days"].value, 5);
        assert!(load(&files[..1]).unwrap_err().contains("there is no threshold `limit.own_days`"));
        let twice = load(&[("thresholds/a.yaml", limit), ("thresholds/b.yaml", limit)]).unwrap_err();
        assert!(twice.contains("already defined") && twice.contains("b.yaml"), "{twice}");
        let bad = load(&[("thresholds/a.yaml", "Days: { value: 5, unit: days, source: ours, date: 2026-01-01 }\n")]);
        assert!(bad.unwrap_err().contains("cannot be a threshold's name"));
        assert!(
            load(&[("thresholds/a.yaml", "days: { value: 5.5, unit: days, source: ours, date: 2026-01-01 }\n")])
                .is_err()
        );
    }

    #[test]
    fn the_rule_is_whole() {
        let framework = Catalog::built_in().unwrap().framework;
        assert_eq!(framework.all().count(), 105);
        for paragraph in framework.all() {
            if let Some(parent) = &paragraph.parent {
                assert!(framework.get(parent).is_some(), "{}: {parent}", paragraph.id);
            }
        }
    }
}
