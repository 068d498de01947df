//! A private certificate authority for the lab, made anew each time: no key lies in the source.

use std::sync::Arc;

use jiff::civil::Date;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::LabError;

/// Signs the lab's certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The kind of key in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// P-256.
    Ecdsa,
    /// 2048 bits; old cipher suites need it.
    Rsa,
}

/// A server's certificate with its key.
#[derive(Debug)]
pub struct Leaf {
    /// DER.
    pub certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    /// Makes an authority that is valid from 2020 to 2050.
    pub fn new() -> Result<Self, LabError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Maple Street lab root, invented, trust nowhere");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2050, 1, 1);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, key)? })
    }

    /// The root certificate in PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for `names`, valid from the first day to the second.
    pub fn leaf(&self, names: &[&str], kind: KeyKind, from: Date, until: Date) -> Result<Leaf, LabError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names.clone())?;
        let common_name = names.into_iter().next().unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let (year, month, day) = numbers(from);
        params.not_before = rcgen::date_time_ymd(year, month, day);
        let (year, month, day) = numbers(until);
        params.not_after = rcgen::date_time_ymd(year, month, day);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = match kind {
            KeyKind::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            KeyKind::Rsa => {
                params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
                KeyPair::generate_for(&PKCS_RSA_SHA256)?
            }
        };
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok(Leaf { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    }
}

fn numbers(day: Date) -> (i32, u8, u8) {
    (i32::from(day.year()), day.month().unsigned_abs(), day.day().unsigned_abs())
}

impl Leaf {
    /// A TLS 1.2 and 1.3 server with this certificate, as a well-kept host has it.
    pub fn server(&self) -> Result<Arc<ServerConfig>, LabError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())?;
        Ok(Arc::new(config))
    }
}
