//! Says whether a chain of certificates leads to a trusted root, dates and names left aside.
//!
//! Pure: roots and chain are given. Dates are left aside by looking for any moment at which the
//! whole chain holds, so that an expired certificate of a public authority is "expired", not
//! "untrusted". Revocation is not looked at.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256};

use super::certificate;
use crate::evidence::endpoint::ChainTrust;
use crate::evidence::{ReceivedBytes, hex};

/// Certificates that are trusted from the start.
#[derive(Clone, Debug)]
pub struct Roots {
    store: Arc<RootCertStore>,
    /// The roots themselves, for services that serve one as their own certificate.
    certificates: Vec<CertificateDer<'static>>,
    label: String,
}

/// Why a file holds no roots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the CA file cannot be used: {why}")]
pub struct NoRoots {
    pub why: String,
}

impl Roots {
    /// Mozilla's roots as shipped with this version of the program.
    pub fn mozilla() -> Self {
        static ROOTS: OnceLock<Roots> = OnceLock::new();
        ROOTS.get_or_init(|| Self::new(webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec(), "mozilla".to_owned())).clone()
    }

    /// The certificates of a PEM file.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NoRoots> {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| NoRoots { why: crate::text::visible(&error.to_string()) })?;
        if certificates.is_empty() {
            return Err(NoRoots { why: "it holds no PEM certificate".to_owned() });
        }
        let roots = Self::new(certificates, format!("ca-file sha256:{}", hex(&Sha256::digest(pem))));
        if roots.store.is_empty() {
            return Err(NoRoots { why: "none of its certificates can be read".to_owned() });
        }
        Ok(roots)
    }

    fn new(certificates: Vec<CertificateDer<'static>>, label: String) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().cloned());
        Self { store: Arc::new(store), certificates, label }
    }

    /// The roots for a TLS client.
    pub fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.store)
    }

    /// Judges a chain, leaf first, as of `now` and, where a date stands in the way, as of any moment at
    /// which all of it holds.
    pub fn judge(&self, chain: &[ReceivedBytes], now: Timestamp) -> ChainTrust {
        let verdict = |why: Option<String>| ChainTrust {
            trusted: why.is_none(),
            why: why.unwrap_or_default(),
            roots: self.label.clone(),
        };
        let certificates: Vec<CertificateDer<'_>> =
            chain.iter().map(|certificate| CertificateDer::from(certificate.0.as_slice())).collect();
        let Some((leaf, intermediates)) = certificates.split_first() else {
            return verdict(Some("no certificate was served".to_owned()));
        };
        if self.certificates.iter().any(|root| root.as_ref() == leaf.as_ref()) {
            return verdict(None);
        }
        let parsed = match ParsedCertificate::try_from(leaf) {
            Ok(parsed) => parsed,
            Err(error) => return verdict(Some(in_words(&error))),
        };
        let algorithms = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all;
        let mut first = None;
        for moment in moments(chain, now) {
            let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(moment));
            match verify_server_cert_signed_by_trust_anchor(&parsed, &self.store, intermediates, moment, algorithms) {
                Ok(()) => return verdict(None),
                Err(error) => {
                    let dates = matches!(
                        &error,
                        rustls::Error::InvalidCertificate(
                            rustls::CertificateError::Expired
                                | rustls::CertificateError::ExpiredContext { .. }
                                | rustls::CertificateError::NotValidYet
                                | rustls::CertificateError::NotValidYetContext { .. }
                        )
                    );
                    // What is wrong besides dates says more than a date.
                    if first.is_none() || !dates {
                        first = Some(in_words(&error));
                    }
                }
            }
        }
        verdict(first)
    }
}

/// Seconds since 1970 at which the chain may hold: now, and just inside each end of each validity.
fn moments(chain: &[ReceivedBytes], now: Timestamp) -> Vec<u64> {
    let mut moments = vec![now.as_second()];
    for read in chain.iter().filter_map(|certificate| certificate::read(&certificate.0).ok()) {
        moments.extend([read.not_after.as_second() - 1, read.not_before.as_second() + 1]);
    }
    let mut seconds: Vec<u64> = moments.into_iter().filter_map(|second| u64::try_from(second).ok()).collect();
    let first = seconds.first().copied();
    seconds.sort_unstable();
    seconds.dedup();
    // Now comes first, whatever the others are.
    first.into_iter().chain(seconds.into_iter().filter(|&second| Some(second) != first)).collect()
}

fn in_words(error: &rustls::Error) -> String {
    use rustls::CertificateError as Fault;
    match error {
        rustls::Error::InvalidCertificate(fault) => match fault {
            Fault::UnknownIssuer => "no chain to a trusted root".to_owned(),
            Fault::Expired | Fault::ExpiredContext { .. } => "no moment at which the whole chain is valid".to_owned(),
            Fault::NotValidYet | Fault::NotValidYetContext { .. } => {
                "no moment at which the whole chain is valid".to_owned()
            }
            Fault::BadEncoding => "a certificate cannot be read".to_owned(),
            Fault::BadSignature => "a signature in the chain does not hold".to_owned(),
            Fault::InvalidPurpose | Fault::InvalidPurposeContext { .. } => {
                "the certificate is not for servers".to_owned()
            }
            other => crate::text::visible(&format!("{other}")),
        },
        other => crate::text::visible(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};

    fn authority(name: &str) -> (rcgen::Certificate, Issuer<'static, KeyPair>) {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).unwrap();
        (certificate, Issuer::new(parameters, key))
    }

    fn leaf(issuer: &Issuer<'_, KeyPair>, until: (i32, u8, u8)) -> ReceivedBytes {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut parameters = CertificateParams::new(vec!["mx.clinic.example".to_owned()]).unwrap();
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(until.0, until.1, until.2);
        ReceivedBytes(parameters.signed_by(&key, issuer).unwrap().der().to_vec())
    }

    fn now() -> Timestamp {
        "2026-10-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_chain_to_a_given_root_is_trusted_and_dates_are_judged_apart() {
        let (root, issuer) = authority("Clinic test root");
        let roots = Roots::from_pem(root.pem().as_bytes()).unwrap();
        for until in [(2030, 1, 1), (2021, 1, 1)] {
            let trust = roots.judge(&[leaf(&issuer, until)], now());
            assert!(trust.trusted, "{trust:?}");
            assert!(trust.roots.starts_with("ca-file sha256:"));
        }
        let (_, other) = authority("Somebody else");
        let trust = roots.judge(&[leaf(&other, (2030, 1, 1))], now());
        assert!(!trust.trusted && trust.why.contains("no chain"), "{trust:?}");
    }

    #[test]
    fn mozilla_does_not_know_our_root_and_an_empty_chain_is_no_chain() {
        let (_, issuer) = authority("Clinic test root");
        assert!(!Roots::mozilla().judge(&[leaf(&issuer, (2030, 1, 1))], now()).trusted);
        assert!(!Roots::mozilla().judge(&[], now()).trusted);
        assert!(!Roots::mozilla().judge(&[ReceivedBytes(b"x".to_vec())], now()).trusted);
    }

    #[test]
    fn a_root_served_as_its_own_certificate_is_trusted() {
        let (root, _) = authority("mx.clinic.example");
        let roots = Roots::from_pem(root.pem().as_bytes()).unwrap();
        assert!(roots.judge(&[ReceivedBytes(root.der().to_vec())], now()).trusted);
    }

    #[test]
    fn a_file_without_certificates_holds_no_roots() {
        assert!(Roots::from_pem(b"hello").is_err());
        assert!(Roots::from_pem(b"-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n").is_err());
    }
}
