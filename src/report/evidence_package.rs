//! A report with its evidence, documents and request index as one package that can be handed over:
//! a manifest of every file with its hash, and where somebody wants it, a signature.
//!
//! A signature says that whoever holds the key signed these bytes; whose key it is, it cannot say.
//! Nothing here judges.

use std::collections::BTreeSet;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::json::v1::{Assessment, Tool};
use super::package::{FileHash, digest};
use super::request_index::Requested;
use crate::files;
use crate::scope::inside;

/// The manifest of the package.
pub const PACKAGE: &str = "package.json";
/// 64 bytes: the signature of the manifest's bytes.
pub const SIGNATURE: &str = "package.sig";
/// The public key, as openssl reads it.
pub const PUBLIC_KEY: &str = "package.pub";
/// The request index as a table.
pub const REQUESTS: &str = "requests.csv";
/// Where documents of the organization lie in the package.
pub const DOCUMENTS: &str = "documents";
/// Where the assessment compared with lies in the package.
pub const EARLIER: &str = "earlier";
/// Where the theme lies in the package, if the report was made with one.
pub const THEME: &str = "theme";

/// A file of a package is at most this large.
pub const FILE_BYTES: u64 = 1024 * 1024 * 1024;
/// Files a folder of a package may hold, and folders in each other.
const ENTRIES: usize = 50_000;
const DEPTH: usize = 16;
/// What comes before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 section 4).
const KEY_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a package holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageManifest {
    /// 1.
    pub schema: u32,
    /// `package`.
    pub kind: String,
    pub tool: Tool,
    pub organization: String,
    pub as_of: Timestamp,
    pub evidence_digest: String,
    pub requests: Vec<Requested>,
    /// By path; without the manifest and its signature.
    pub files: Vec<FileHash>,
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is no Ed25519 private key in PEM (PKCS #8); make one with: openssl genpkey -algorithm ed25519")]
    NotAPrivateKey,
    #[error("it is no Ed25519 public key in PEM; print one with: openssl pkey -in KEY -pubout")]
    NotAPublicKey,
}

impl PackageManifest {
    /// The manifest of files about to be written, given by path.
    pub fn new(assessment: &Assessment, requests: Vec<Requested>, files: &[(String, Vec<u8>)]) -> Self {
        let mut files: Vec<FileHash> = files
            .iter()
            .map(|(name, bytes)| FileHash { name: name.clone(), bytes: bytes.len() as u64, sha256: digest(bytes) })
            .collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            schema: 1,
            kind: "package".to_owned(),
            tool: assessment.tool.clone(),
            organization: assessment.organization.name.clone(),
            as_of: assessment.as_of,
            evidence_digest: assessment.evidence_digest.clone(),
            requests,
            files,
        }
    }

    /// The manifest as it stands in the package.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a manifest holds only text, numbers and dates");
        bytes.push(b'\n');
        bytes
    }
}

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SigningKey(‹redacted›)")
    }
}

impl SigningKey {
    /// Reads a private key in PEM.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let der = pem(text, "PRIVATE KEY").ok_or(KeyError::NotAPrivateKey)?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| KeyError::NotAPrivateKey)
    }

    /// The signature of some bytes; the same every time (RFC 8032).
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }

    /// The public key in PEM.
    pub fn public_pem(&self) -> String {
        let der = [KEY_INFO.as_slice(), self.0.public_key().as_ref()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }
}

/// The 32 bytes of a public key in PEM.
pub fn public_key(text: &str) -> Result<Vec<u8>, KeyError> {
    let der = pem(text, "PUBLIC KEY").ok_or(KeyError::NotAPublicKey)?;
    let key = der.strip_prefix(KEY_INFO.as_slice()).filter(|key| key.len() == 32);
    key.map(<[u8]>::to_vec).ok_or(KeyError::NotAPublicKey)
}

/// Whether the key made the signature of these bytes.
pub fn is_signed(public_key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(bytes, signature).is_ok()
}

fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let packed: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    STANDARD.decode(packed).ok()
}

/// What is wrong with the files of a package; nothing where all are as the manifest says, and no
/// other lies there.
pub fn altered(folder: &Path, manifest: &PackageManifest) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in &manifest.files {
        let path = match inside(folder, &file.name) {
            Ok(path) if is_inside(&file.name) => path,
            Ok(_) | Err(_) => {
                wrong.push(format!("{}: the manifest names something outside the package", file.name));
                continue;
            }
        };
        match files::read_bounded(&path, FILE_BYTES) {
            Err(error) if error.is_not_there() => wrong.push(format!("{}: missing", file.name)),
            Err(error) => wrong.push(format!("{}: it is there and cannot be read: {error}", file.name)),
            Ok(bytes) if digest(&bytes) != file.sha256 => {
                wrong.push(format!("{}: other bytes than package.json names: SHA-256 {}", file.name, digest(&bytes)));
            }
            Ok(_) => {}
        }
    }
    let mut known: BTreeSet<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    known.extend([PACKAGE, SIGNATURE, PUBLIC_KEY]);
    let mut there = Vec::new();
    let whole = names_below(folder, "", 0, &mut there);
    there.retain(|name| !known.contains(name.as_str()));
    wrong.extend(
        there.into_iter().map(|name| format!("{name}: it lies in the package, and package.json does not name it")),
    );
    if !whole {
        wrong.push("not every file of the folder could be listed".to_owned());
    }
    wrong
}

/// Adds every file below a folder, links included and not followed; whether all could be listed.
fn names_below(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut whole = depth < DEPTH;
    let mut found: Vec<_> = entries.take(ENTRIES).collect();
    whole &= found.len() < ENTRIES;
    found.sort_by_key(|entry| entry.as_ref().ok().map(std::fs::DirEntry::file_name));
    for entry in found {
        let Ok(entry) = entry else {
            whole = false;
            continue;
        };
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                whole &= depth < DEPTH && names_below(&entry.path(), &format!("{name}/"), depth + 1, names);
            }
            Ok(_) => names.push(name),
            Err(_) => whole = false,
        }
    }
    whole && names.len() < ENTRIES
}

/// A name from a file is followed only downwards.
pub fn is_inside(name: &str) -> bool {
    let down = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
    !name.is_empty() && !name.contains('\\') && Path::new(name).components().all(down)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
        let text = STANDARD.encode(pkcs8.as_ref());
        SigningKey::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")).unwrap()
    }

    #[test]
    fn a_signature_holds_for_its_bytes_and_its_key_only() {
        let (key, other) = (key(), key());
        let signature = key.sign(b"manifest");
        assert_eq!(signature, key.sign(b"manifest"), "the same bytes, the same signature");
        let of = |key: &SigningKey| public_key(&key.public_pem()).unwrap();
        assert!(is_signed(&of(&key), b"manifest", &signature));
        assert!(!is_signed(&of(&key), b"manifesT", &signature));
        assert!(!is_signed(&of(&other), b"manifest", &signature));
        assert!(!is_signed(b"short", b"manifest", b""));
        assert!(!format!("{key:?}").contains("MC4C"), "a key is not printed");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "secret"] {
            assert_eq!(SigningKey::from_pem(text).err(), Some(KeyError::NotAPrivateKey), "{text}");
            assert_eq!(public_key(text), Err(KeyError::NotAPublicKey));
        }
    }

    #[test]
    fn a_name_that_leads_out_of_the_package_is_not_followed() {
        for name in ["../x", "/etc/x", "a/../../x", "", "a\\..\\x"] {
            assert!(!is_inside(name), "{name}");
        }
        assert!(is_inside("evidence/dns.domain.jsonl"));
    }

    #[test]
    fn a_file_more_a_file_less_and_a_link_out_are_each_told() {
        let folder = tempfile::tempdir().unwrap();
        let package = folder.path().join("package");
        files::make_folder(&package.join("evidence")).unwrap();
        let write = |name: &str| files::write_whole(&package.join(name), name.as_bytes()).unwrap();
        let names = ["report.html", "evidence/dns.domain.jsonl"];
        names.iter().for_each(|name| write(name));
        write(PACKAGE);
        let held: Vec<(String, Vec<u8>)> =
            names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect();
        let assessment: Assessment =
            serde_json::from_str(include_str!("../../fixtures/maple-street-assessment/assessment.json")).unwrap();
        let manifest = PackageManifest::new(&assessment, Vec::new(), &held);
        assert_eq!(altered(&package, &manifest), Vec::<String>::new());
        write("evidence/planted.jsonl");
        let told = altered(&package, &manifest);
        assert!(told.len() == 1 && told[0].starts_with("evidence/planted.jsonl: it lies in the package"), "{told:?}");
        std::fs::remove_file(package.join("evidence/planted.jsonl")).unwrap();
        std::fs::remove_file(package.join("report.html")).unwrap();
        assert_eq!(altered(&package, &manifest), ["report.html: missing"]);
        files::make_folder(&package.join("report.html")).unwrap();
        assert!(altered(&package, &manifest)[0].contains("there and cannot be read"));
        #[cfg(unix)]
        {
            std::fs::remove_dir(package.join("report.html")).unwrap();
            files::write_whole(&folder.path().join("outside"), b"report.html").unwrap();
            std::os::unix::fs::symlink(folder.path().join("outside"), package.join("report.html")).unwrap();
            assert!(altered(&package, &manifest)[0].contains("outside the package"), "the same bytes, elsewhere");
        }
    }
}
