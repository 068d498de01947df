//! A report with its evidence, documents and request index as one package that can be handed over:
//! a manifest of every file with its hash, and where somebody wants it, a signature.
//!
//! A signature says that whoever holds the key signed these bytes; whose key it is, it cannot say.
//! Nothing here judges.

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

/// A file of a package is at most this large.
pub const FILE_BYTES: u64 = 1024 * 1024 * 1024;
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

/// What is wrong with the files of a package; nothing where all are as the manifest says.
pub fn altered(folder: &Path, manifest: &PackageManifest) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in &manifest.files {
        if !is_inside(&file.name) {
            wrong.push(format!("{}: the manifest names something outside the package", file.name));
            continue;
        }
        match files::read_bounded(&folder.join(&file.name), FILE_BYTES) {
            Err(error) => wrong.push(format!("{}: missing: {error}", file.name)),
            Ok(bytes) if digest(&bytes) != file.sha256 => {
                wrong.push(format!("{}: altered after it was packed: SHA-256 {}", file.name, digest(&bytes)));
            }
            Ok(_) => {}
        }
    }
    wrong
}

/// A name from a file is followed only downwards.
fn is_inside(name: &str) -> bool {
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
}
