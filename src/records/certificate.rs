//! Reads X.509 certificates (RFC 5280) and matches them with the name a service is known by (RFC 9525).
//!
//! Pure: DER in, facts of one certificate out. Whether a chain leads to a trusted root is
//! [`trust`](super::certificate_trust)'s work.

use std::net::IpAddr;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::evidence::hex;
use crate::text::visible;

/// A certificate larger than this is not read.
pub const MAX_CERTIFICATE: usize = 64 * 1024;
/// Names beyond this many are not read.
const MAX_NAMES: usize = 1000;

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The subject's distinguished name, safe to show.
    pub subject: String,
    /// The issuer's distinguished name, safe to show.
    pub issuer: String,
    /// Subject alternative names.
    pub names: Vec<SubjectName>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// `rsa`, `ec`, `ed25519`, `ed448` or `other`.
    pub key_type: String,
    /// Size of the key; 0 where it cannot be told.
    pub key_bits: u32,
    /// The signature algorithm: `sha256-rsa`, `ecdsa-sha384`, or its object identifier.
    pub signature: String,
    /// The signature's hash: `sha256`, `sha1`, `md5`; `unknown` where it cannot be told.
    pub signature_hash: String,
    /// Whether it is signed by its own key.
    pub self_signed: bool,
    /// Whether it says that it is to be shown with a stapled OCSP response (RFC 7633).
    pub must_staple: bool,
    /// How many signed timestamps of Certificate Transparency logs are in it (RFC 6962 §3.3).
    pub log_timestamps: u32,
    /// SHA-256 over the public key with its algorithm, in hex: the same key in two certificates has the same.
    pub key_sha256: String,
    /// SHA-256 over the DER, in hex.
    pub sha256: String,
}

/// A subject alternative name that can match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectName {
    /// A DNS name, possibly with a wildcard, as written but in lower case and safe to show.
    Dns(String),
    Ip(IpAddr),
}

impl std::fmt::Display for SubjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => write!(f, "{address}"),
        }
    }
}

/// Why bytes are not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a readable certificate: {why}")]
pub struct NotACertificate {
    pub why: String,
}

/// Reads one certificate.
pub fn read(der: &[u8]) -> Result<Certificate, NotACertificate> {
    let refuse = |why: String| NotACertificate { why };
    if der.len() > MAX_CERTIFICATE {
        return Err(refuse(format!("it is larger than {MAX_CERTIFICATE} bytes")));
    }
    let (_, parsed) = X509Certificate::from_der(der).map_err(|error| refuse(visible(&error.to_string())))?;
    let instant = |seconds| Timestamp::from_second(seconds).map_err(|_| refuse("a date is out of range".to_owned()));
    let (key_type, key_bits) = key_of(&parsed);
    let (signature, signature_hash) = signature_of(&parsed);
    Ok(Certificate {
        subject: visible(&parsed.subject().to_string()),
        issuer: visible(&parsed.issuer().to_string()),
        names: names_of(&parsed),
        not_before: instant(parsed.validity().not_before.timestamp())?,
        not_after: instant(parsed.validity().not_after.timestamp())?,
        key_type: key_type.to_owned(),
        key_bits,
        signature,
        signature_hash,
        self_signed: is_self_signed(&parsed),
        must_staple: must_staple(&parsed),
        log_timestamps: log_timestamps(&parsed),
        key_sha256: hex(&Sha256::digest(parsed.public_key().raw)),
        sha256: hex(&Sha256::digest(der)),
    })
}

/// Whether each certificate of a chain is followed by the one that issued it (RFC 5246 §7.4.2; TLS 1.3 asks
/// for it of whoever wants to be understood by older clients). `None` where one cannot be read.
pub fn in_order<'c>(chain: impl IntoIterator<Item = &'c [u8]>) -> Option<bool> {
    let mut issuer: Option<Vec<u8>> = None;
    for der in chain {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        if issuer.is_some_and(|issuer| issuer != parsed.subject().as_raw()) {
            return Some(false);
        }
        issuer = Some(parsed.issuer().as_raw().to_vec());
    }
    Some(true)
}

/// Whether one of `others` bears the name of a certificate's issuer. One that cannot be read bears none.
pub fn issuer_is_among<'c>(certificate: &[u8], others: impl IntoIterator<Item = &'c [u8]>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let subjects = others.into_iter().filter_map(|der| X509Certificate::from_der(der).ok());
    subjects.map(|(_, other)| other).any(|other| other.subject().as_raw() == certificate.issuer().as_raw())
}

impl Certificate {
    /// Whole days until it expires; negative from the moment it has.
    pub fn days_left(&self, as_of: Timestamp) -> i64 {
        (self.not_after.as_second() - as_of.as_second()).div_euclid(86_400)
    }

    /// Whether its time has not begun.
    pub fn is_not_yet_valid(&self, as_of: Timestamp) -> bool {
        as_of < self.not_before
    }

    /// Whether it is for a name or address (RFC 9525 §6.3): DNS names match label by label, a
    /// wildcard stands for exactly one whole leftmost label, and the common name counts for
    /// nothing.
    pub fn is_for(&self, reference: &str) -> bool {
        let address = reference.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let reference = reference.strip_suffix('.').unwrap_or(reference);
        self.names.iter().any(|name| match (name, address) {
            (SubjectName::Ip(ip), Some(address)) => *ip == address,
            (SubjectName::Dns(pattern), None) => matches_dns(pattern, reference),
            (SubjectName::Ip(_), None) | (SubjectName::Dns(_), Some(_)) => false,
        })
    }

    /// As [`strength`], of its key.
    pub fn strength(&self) -> u32 {
        strength(&self.key_type, self.key_bits)
    }
}

/// How hard a key is to break, in bits of security strength (NIST SP 800-57 part 1 table 2), for
/// comparing keys of different kinds. 0 where it cannot be told.
pub fn strength(key_type: &str, key_bits: u32) -> u32 {
    match (key_type, key_bits) {
        ("rsa", 15_360..) => 256,
        ("rsa", 7680..) => 192,
        ("rsa", 3072..) => 128,
        ("rsa", 2048..) => 112,
        ("rsa", 1024..) => 80,
        ("rsa", bits) => bits / 16,
        ("ed25519", _) => 128,
        ("ed448", _) => 224,
        ("ec", bits) => bits / 2,
        _ => 0,
    }
}

/// How hard collisions of a hash are to find, for comparing: broken ones first.
pub fn hash_rank(hash: &str) -> u8 {
    match hash {
        "md2" | "md5" => 0,
        "sha1" => 1,
        "unknown" => 2,
        "sha224" => 3,
        _ => 4,
    }
}

fn matches_dns(pattern: &str, reference: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    if pattern.eq_ignore_ascii_case(reference) {
        return !pattern.contains('*');
    }
    let Some(parent) = pattern.strip_prefix("*.") else { return false };
    // A wildcard right below the top would cover everybody's names.
    let Some((label, rest)) = reference.split_once('.') else { return false };
    !label.is_empty() && parent.contains('.') && !parent.contains('*') && rest.eq_ignore_ascii_case(parent)
}

fn names_of(certificate: &X509Certificate<'_>) -> Vec<SubjectName> {
    let mut names = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::SubjectAlternativeName(list) = extension.parsed_extension() else { continue };
        for name in list.general_names.iter().take(MAX_NAMES) {
            match name {
                GeneralName::DNSName(text) => names.push(SubjectName::Dns(visible(&text.to_ascii_lowercase()))),
                GeneralName::IPAddress(bytes) => {
                    let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                    let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
                    names.extend(address.ok().map(SubjectName::Ip));
                }
                _ => {}
            }
        }
    }
    names
}

/// The extension TLS feature with status_request, 5 (RFC 7633 §4): a sequence of integers.
fn must_staple(certificate: &X509Certificate<'_>) -> bool {
    let extension =
        certificate.extensions().iter().find(|extension| extension.oid.to_id_string() == "1.3.6.1.5.5.7.1.24");
    let Some([0x30, length, rest @ ..]) = extension.map(|extension| extension.value) else { return false };
    let features = rest.get(..usize::from(*length)).unwrap_or_default();
    features.chunks(3).any(|feature| feature == [0x02, 0x01, 0x05])
}

fn log_timestamps(certificate: &X509Certificate<'_>) -> u32 {
    let lists = certificate.extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SCT(list) => Some(list.len()),
        _ => None,
    });
    u32::try_from(lists.sum::<usize>()).unwrap_or(u32::MAX)
}

fn key_of(certificate: &X509Certificate<'_>) -> (&'static str, u32) {
    let spki = certificate.public_key();
    let curve = || spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    match spki.algorithm.algorithm.to_id_string().as_str() {
        "1.3.101.112" => ("ed25519", 256),
        "1.3.101.113" => ("ed448", 456),
        // rsaEncryption and id-RSASSA-PSS (RFC 8017 appendix C).
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => ("rsa", rsa_bits(&spki.parsed())),
        "1.2.840.10045.2.1" => {
            let bits = match curve().as_deref() {
                Some("1.2.840.10045.3.1.1") => 192,
                Some("1.3.132.0.33") => 224,
                Some("1.2.840.10045.3.1.7" | "1.3.132.0.10" | "1.3.36.3.3.2.8.1.1.7") => 256,
                Some("1.3.132.0.34" | "1.3.36.3.3.2.8.1.1.11") => 384,
                Some("1.3.36.3.3.2.8.1.1.13") => 512,
                Some("1.3.132.0.35") => 521,
                _ => match spki.parsed() {
                    Ok(PublicKey::EC(point)) => u32::try_from(point.key_size()).unwrap_or(0),
                    _ => 0,
                },
            };
            ("ec", bits)
        }
        _ => ("other", 0),
    }
}

fn rsa_bits<E>(key: &Result<PublicKey<'_>, E>) -> u32 {
    let Ok(PublicKey::RSA(rsa)) = key else { return 0 };
    let modulus: &[u8] = rsa.modulus;
    let zeros = modulus.iter().take_while(|&&byte| byte == 0).count();
    let modulus = &modulus[zeros..];
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
    u32::try_from(modulus.len() * 8).unwrap_or(0).saturating_sub(leading)
}

/// The signature algorithm and its hash (RFC 8017 appendix A.2.4, RFC 5758, RFC 8410).
fn signature_of(certificate: &X509Certificate<'_>) -> (String, String) {
    let algorithm = &certificate.signature_algorithm;
    let oid = algorithm.algorithm.to_id_string();
    let (name, hash) = match oid.as_str() {
        "1.2.840.113549.1.1.2" => ("md2-rsa", "md2"),
        "1.2.840.113549.1.1.4" => ("md5-rsa", "md5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => ("sha1-rsa", "sha1"),
        "1.2.840.113549.1.1.14" => ("sha224-rsa", "sha224"),
        "1.2.840.113549.1.1.11" => ("sha256-rsa", "sha256"),
        "1.2.840.113549.1.1.12" => ("sha384-rsa", "sha384"),
        "1.2.840.113549.1.1.13" => ("sha512-rsa", "sha512"),
        "1.2.840.113549.1.1.10" => return pss_hash(certificate),
        "1.2.840.10045.4.1" => ("ecdsa-sha1", "sha1"),
        "1.2.840.10045.4.3.1" => ("ecdsa-sha224", "sha224"),
        "1.2.840.10045.4.3.2" => ("ecdsa-sha256", "sha256"),
        "1.2.840.10045.4.3.3" => ("ecdsa-sha384", "sha384"),
        "1.2.840.10045.4.3.4" => ("ecdsa-sha512", "sha512"),
        "1.2.840.10040.4.3" => ("sha1-dsa", "sha1"),
        // Ed25519 hashes with SHA-512, Ed448 with SHAKE256 (RFC 8032).
        "1.3.101.112" => ("ed25519", "sha512"),
        "1.3.101.113" => ("ed448", "shake256"),
        _ => return (oid, "unknown".to_owned()),
    };
    (name.to_owned(), hash.to_owned())
}

fn pss_hash(certificate: &X509Certificate<'_>) -> (String, String) {
    use x509_parser::signature_algorithm::SignatureAlgorithm;
    let hash = match SignatureAlgorithm::try_from(&certificate.signature_algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => match parameters.hash_algorithm_oid().to_id_string().as_str()
        {
            "1.3.14.3.2.26" => "sha1",
            "2.16.840.1.101.3.4.2.4" => "sha224",
            "2.16.840.1.101.3.4.2.1" => "sha256",
            "2.16.840.1.101.3.4.2.2" => "sha384",
            "2.16.840.1.101.3.4.2.3" => "sha512",
            _ => "unknown",
        },
        _ => "unknown",
    };
    (format!("rsa-pss-{hash}"), hash.to_owned())
}

fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    if certificate.subject().as_raw() != certificate.issuer().as_raw() {
        return false;
    }
    match certificate.verify_signature(None) {
        Ok(()) => true,
        // An algorithm we cannot verify: the same name on both sides is all there is to go by.
        Err(x509_parser::error::X509Error::SignatureUnsupportedAlgorithm) => true,
        Err(_) => same_key_identifiers(certificate),
    }
}

/// Whether the authority's key identifier is the subject's own (RFC 5280 §4.2.1.1): tells a
/// self-signed certificate whose key is too small to be verified from one below a namesake.
fn same_key_identifiers(certificate: &X509Certificate<'_>) -> bool {
    let mut own = None;
    let mut authority = None;
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(identifier) => own = Some(identifier.0),
            ParsedExtension::AuthorityKeyIdentifier(identifier) => {
                authority = identifier.key_identifier.as_ref().map(|identifier| identifier.0);
            }
            _ => {}
        }
    }
    match (own, authority) {
        (Some(own), Some(authority)) => own == authority,
        (_, None) => true,
        (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    fn certificate(names: &[&str]) -> Certificate {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let signed = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        read(signed.der()).unwrap()
    }

    #[test]
    fn a_self_made_certificate_is_read() {
        let read = certificate(&["mx.clinic.example", "192.0.2.7"]);
        assert_eq!((read.key_type.as_str(), read.key_bits, read.signature_hash.as_str()), ("ec", 256, "sha256"));
        assert!(read.self_signed);
        assert_eq!(read.names.len(), 2);
        assert!(read.is_for("MX.clinic.example.") && read.is_for("192.0.2.7"));
        assert!(!read.is_for("clinic.example") && !read.is_for("192.0.2.8"));
    }

    #[test]
    fn must_staple_is_read_and_the_key_is_told_apart_from_the_certificate() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = CertificateParams::new(vec!["mx.clinic.example".to_owned()]).unwrap();
        let plain = read(parameters.self_signed(&key).unwrap().der()).unwrap();
        let feature = rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 24], vec![0x30, 3, 2, 1, 5]);
        parameters.custom_extensions.push(feature);
        let stapled = read(parameters.self_signed(&key).unwrap().der()).unwrap();
        assert!(stapled.must_staple && !plain.must_staple);
        assert_eq!(stapled.key_sha256, plain.key_sha256);
        assert_ne!(stapled.sha256, plain.sha256);
        assert_eq!(plain.log_timestamps, 0);
    }

    #[test]
    fn a_chain_is_in_order_when_each_certificate_is_followed_by_its_issuer() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.distinguished_name.push(rcgen::DnType::CommonName, "Clinic test root");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = authority.self_signed(&key).unwrap();
        let own = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = CertificateParams::new(vec!["mx.clinic.example".to_owned()]).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "mx.clinic.example");
        let leaf = parameters.signed_by(&own, &rcgen::Issuer::new(authority, key)).unwrap();
        let (leaf, root) = (leaf.der().as_ref(), root.der().as_ref());
        assert_eq!(in_order([leaf, root]), Some(true));
        assert_eq!(in_order([leaf]), Some(true));
        assert_eq!(in_order([leaf, leaf, root]), Some(false));
        assert_eq!(in_order([leaf, &b"x"[..]]), None);
        assert!(issuer_is_among(leaf, [root]) && issuer_is_among(leaf, [&b"x"[..], root]));
        assert!(!issuer_is_among(leaf, [leaf]) && !issuer_is_among(leaf, []) && !issuer_is_among(b"x", [root]));
    }

    #[test]
    fn a_wildcard_stands_for_one_whole_label() {
        let read = certificate(&["*.clinic.example", "f*.other.example", "*.example"]);
        assert!(read.is_for("mx.clinic.example"));
        for name in ["clinic.example", "a.mx.clinic.example", "foo.other.example", "f*.other.example", "b.example"] {
            assert!(!read.is_for(name), "{name}");
        }
    }

    #[test]
    fn the_common_name_counts_for_nothing() {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "mx.clinic.example");
        let read = read(parameters.self_signed(&key).unwrap().der()).unwrap();
        assert!(read.subject.contains("mx.clinic.example"));
        assert!(!read.is_for("mx.clinic.example"));
    }

    #[test]
    fn a_second_past_the_end_is_a_day_negative() {
        let read = certificate(&["a.example"]);
        let end = read.not_after;
        assert_eq!(read.days_left(end), 0);
        assert_eq!(read.days_left(Timestamp::from_second(end.as_second() + 1).unwrap()), -1);
        assert_eq!(read.days_left(Timestamp::from_second(end.as_second() - 86_400).unwrap()), 1);
    }

    proptest! {
        #[test]
        fn damaged_certificates_end_without_panic(at in 0usize..400, byte: u8, cut in 0usize..500) {
            let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
            let signed = CertificateParams::new(vec!["a.example".to_owned()]).unwrap().self_signed(&key).unwrap();
            let mut der = signed.der().to_vec();
            let at = at % der.len();
            der[at] = byte;
            let _ = read(&der).map(|read| read.is_for("a.example"));
            der.truncate(cut);
            let _ = read(&der);
        }

        #[test]
        fn random_bytes_are_no_certificate(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
