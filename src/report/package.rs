//! The manifest of a report folder, and what verifying a folder says.
//!
//! The manifest names every file with its hash and how the assessment was judged, so that anybody
//! with the evidence, the same version and the same options can make every byte again. Comparing
//! judges nothing: it says what is the same and what is not.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::json::v1::{Assessment, ChangeClass, Severity, Tool};
use super::write::Paper;
use crate::evidence::hex;
use crate::files;
use crate::verdict::Policy;

/// The name of the manifest in the folder.
pub const MANIFEST: &str = "manifest.json";
/// No file of a report is larger.
pub const FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// What a report folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// 1.
    pub schema: u32,
    /// `report`.
    pub kind: String,
    pub tool: Tool,
    pub as_of: Timestamp,
    pub evidence_digest: String,
    pub paper: Paper,
    /// Over the files of the theme it was made with; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme_sha256: Option<String>,
    /// Whether the appendix on enforcement holds its cases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enforcement: bool,
    /// `None` where a stored assessment was only shown again.
    pub judged_with: Option<JudgedWith>,
    /// In the order they are written; without the manifest itself.
    pub files: Vec<FileHash>,
}

/// The options an assessment depends on besides evidence, catalogue and model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedWith {
    pub fail_on: Option<Severity>,
    pub fail_on_drift: BTreeSet<ChangeClass>,
    pub min_coverage: u32,
    pub require: BTreeSet<String>,
    pub interrupted: bool,
    /// The assessment compared with.
    pub since: Option<Since>,
}

/// An earlier assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    pub as_of: Timestamp,
    /// SHA-256 of its `assessment.json`.
    pub sha256: String,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

impl JudgedWith {
    /// What was asked of the exit code, and what was compared with.
    pub fn new(policy: &Policy, previous: Option<&Assessment>) -> Self {
        Self {
            fail_on: policy.fail_on,
            fail_on_drift: policy.fail_on_drift.clone(),
            min_coverage: policy.min_coverage,
            require: policy.require.clone(),
            interrupted: policy.interrupted,
            since: previous
                .map(|previous| Since { as_of: previous.as_of, sha256: digest(&super::assessment_bytes(previous)) }),
        }
    }

    /// The same options again.
    pub fn policy(&self) -> Policy {
        Policy {
            fail_on: self.fail_on,
            fail_on_drift: self.fail_on_drift.clone(),
            min_coverage: self.min_coverage,
            require: self.require.clone(),
            interrupted: self.interrupted,
        }
    }
}

impl Manifest {
    /// The manifest of files about to be written.
    pub fn of(
        assessment: &Assessment,
        paper: Paper,
        judged_with: Option<JudgedWith>,
        files: &[(&str, Vec<u8>)],
    ) -> Self {
        Self {
            schema: 1,
            kind: "report".to_owned(),
            tool: assessment.tool.clone(),
            as_of: assessment.as_of,
            evidence_digest: assessment.evidence_digest.clone(),
            paper,
            theme_sha256: None,
            enforcement: false,
            judged_with,
            files: files
                .iter()
                .map(|(name, bytes)| FileHash {
                    name: (*name).to_owned(),
                    bytes: bytes.len() as u64,
                    sha256: digest(bytes),
                })
                .collect(),
        }
    }

    /// The manifest as it stands in the folder.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest holds only text, numbers and dates");
        bytes.push(b'\n');
        bytes
    }
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// What became of one file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// The bytes in the folder differ from what the manifest says: somebody altered the file.
    Altered {
        expected: String,
        found: String,
    },
    /// Untouched since it was written, and made again with other bytes.
    Differs {
        why: String,
    },
    Identical,
    /// Named in the manifest, and not there or not readable.
    Missing {
        why: String,
    },
    /// Untouched, but this program cannot make it again.
    NotMade {
        why: String,
    },
}

/// One file of the folder and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVerdict {
    pub name: String,
    pub state: FileState,
}

/// Compares the folder with its manifest and with what was made again. `made` is `Err` with the
/// reason where nothing could be made again.
pub fn compare(folder: &Path, manifest: &Manifest, made: Result<&[(&str, Vec<u8>)], &str>) -> Vec<FileVerdict> {
    manifest
        .files
        .iter()
        .map(|file| FileVerdict { name: file.name.clone(), state: state(folder, file, made) })
        .collect()
}

fn state(folder: &Path, file: &FileHash, made: Result<&[(&str, Vec<u8>)], &str>) -> FileState {
    // A name from a file is not a path: only a plain name is looked for.
    if Path::new(&file.name).components().count() != 1 || file.name.contains(['/', '\\']) || file.name.starts_with('.')
    {
        return FileState::Missing { why: "the manifest names something that is no plain file name".to_owned() };
    }
    let stored = match files::read_bounded(&folder.join(&file.name), FILE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => return FileState::Missing { why: error.to_string() },
    };
    let found = digest(&stored);
    if found != file.sha256 {
        return FileState::Altered { expected: file.sha256.clone(), found };
    }
    match made {
        Err(why) => FileState::NotMade { why: why.to_owned() },
        Ok(made) => match made.iter().find(|(name, _)| *name == file.name) {
            None => FileState::NotMade { why: "this program was built without it".to_owned() },
            Some((_, bytes)) if *bytes == stored => FileState::Identical,
            Some((_, bytes)) => FileState::Differs { why: difference(&file.name, &stored, bytes) },
        },
    }
}

/// Where two versions of one file part.
fn difference(name: &str, stored: &[u8], made: &[u8]) -> String {
    if name == super::ASSESSMENT
        && let (Ok(serde_json::Value::Object(stored)), Ok(serde_json::Value::Object(made))) =
            (serde_json::from_slice(stored), serde_json::from_slice(made))
    {
        let names: BTreeSet<&String> = stored.keys().chain(made.keys()).collect();
        let parts: Vec<&str> =
            names.into_iter().filter(|name| stored.get(*name) != made.get(*name)).map(String::as_str).collect();
        if !parts.is_empty() {
            return format!("other {}", parts.join(", "));
        }
    }
    let at = stored.iter().zip(made).take_while(|(a, b)| a == b).count();
    format!("{} bytes here, {} made again; the first difference is at byte {at}", stored.len(), made.len())
}

/// What of the method is another: each line names what, then and now.
pub fn method_differences(then: &Tool, now: &Tool) -> Vec<String> {
    [
        ("program", format!("{} {}", then.name, then.version), format!("{} {}", now.name, now.version)),
        ("catalogue of checks", then.catalogue.clone(), now.catalogue.clone()),
        ("risk model", then.risk_model.clone(), now.risk_model.clone()),
    ]
    .into_iter()
    .filter(|(_, then, now)| then != now)
    .map(|(what, then, now)| format!("another {what}: {then} made the report, this is {now}"))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(bytes: &[u8]) -> (tempfile::TempDir, Manifest) {
        let folder = tempfile::tempdir().unwrap();
        files::write_whole(&folder.path().join("report.md"), bytes).unwrap();
        let assessment: Assessment =
            serde_json::from_str(include_str!("../../fixtures/maple-street-assessment/assessment.json")).unwrap();
        let manifest = Manifest::of(&assessment, Paper::Letter, None, &[("report.md", b"as written".to_vec())]);
        (folder, manifest)
    }

    #[test]
    fn a_flipped_byte_is_altered_and_not_another_version() {
        let (folder, manifest) = folder_with(b"as writteN");
        let made = [("report.md", b"as written".to_vec())];
        let verdicts = compare(folder.path(), &manifest, Ok(&made));
        assert!(matches!(verdicts[0].state, FileState::Altered { .. }));
    }

    #[test]
    fn untouched_bytes_made_otherwise_differ_and_say_where() {
        let (folder, manifest) = folder_with(b"as written");
        let made = [("report.md", b"as wrought".to_vec())];
        let verdicts = compare(folder.path(), &manifest, Ok(&made));
        let FileState::Differs { why } = &verdicts[0].state else { panic!("{verdicts:?}") };
        assert!(why.ends_with("at byte 5"), "{why}");
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_not_followed() {
        let (folder, mut manifest) = folder_with(b"as written");
        manifest.files[0].name = "../secret".to_owned();
        let verdicts = compare(folder.path(), &manifest, Err("not made"));
        assert!(matches!(verdicts[0].state, FileState::Missing { .. }));
    }
}
