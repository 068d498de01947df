//! Reads which servers the lab plays, and makes or reads their certificates.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::civil::{Date, date};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::Behaviour;
use crate::evidence::hex;
use crate::files::{self, FileError};
use crate::lab::LabError;
use crate::lab::authority::{Authority, KeyKind};
use crate::names::DomainName;
use crate::yaml::{self, Located, Spanned};

const SETUP_BYTES: u64 = 64 * 1024;
const CERTIFICATE_BYTES: u64 = 1024 * 1024;
/// Servers of one lab.
const SERVERS: usize = 32;

/// The lab to run.
#[derive(Debug)]
pub struct Setup {
    /// The part of the recipients before the `@`.
    pub token: String,
    pub servers: Vec<Server>,
}

/// One server.
#[derive(Debug)]
pub struct Server {
    pub name: DomainName,
    pub listen: SocketAddr,
    pub behaves: Behaviour,
    /// None where it never speaks TLS, or only the old part does.
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// The certificate of the TLS 1.0 server.
    pub(super) old_certificate: Option<CertificateDer<'static>>,
    /// Whether its message came; one is enough.
    pub(super) taken: AtomicBool,
}

/// Why a setup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(transparent)]
    Certificate(#[from] LabError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{0}")]
    Fault(Box<Located>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: Spanned<u32>,
    servers: Vec<WrittenServer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenServer {
    name: Spanned<DomainName>,
    listen: Spanned<SocketAddr>,
    behaves: Spanned<Behaviour>,
    /// PEM, the server's own certificate first.
    chain: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
}

impl Setup {
    /// Reads the setup file; `token` is the recipients' part before the `@`.
    pub fn read(path: &Path, token: String, today: Date) -> Result<Self, SetupError> {
        let text = files::read_text(path, SETUP_BYTES)?;
        let fault = |fault: Located| SetupError::Fault(Box::new(fault));
        let written: Written = yaml::read(path, &text).map_err(fault)?;
        if written.schema.value != 1 {
            let what = "this version of the file is not known";
            return Err(fault(Located::at_value(path, &text, &written.schema, what, "write `schema: 1`")));
        }
        if written.servers.is_empty() || written.servers.len() > SERVERS {
            let what = format!("a lab has from 1 to {SERVERS} servers");
            return Err(fault(Located::at(path, &text, 0, 0, what, "")));
        }
        let authority = Authority::new()?;
        let mut servers: Vec<Server> = Vec::new();
        for server in written.servers {
            if servers.iter().any(|other| other.listen == server.listen.value) {
                let what = "another server listens here";
                let help = "a sender chooses a server by its address: each needs an address of its own";
                return Err(fault(Located::at_value(path, &text, &server.listen, what, help)));
            }
            let (mut tls, mut old_certificate) = (None, None);
            let made = |kind, from, until| authority.leaf(&[server.name.value.as_str()], kind, from, until);
            match (server.behaves.value, &server.chain, &server.key) {
                (Behaviour::Trusted, Some(chain), Some(key)) => {
                    tls = Some(from_files(path, &text, chain, key)?);
                }
                (Behaviour::Trusted, _, _) => {
                    let what = "a trusted server needs `chain` and `key`";
                    let help = "name PEM files with a certificate for this name that senders trust";
                    return Err(fault(Located::at_value(path, &text, &server.behaves, what, help)));
                }
                (_, Some(file), _) | (_, _, Some(file)) => {
                    let what = "only a trusted server is given a certificate";
                    let help = "take `chain` and `key` away: this server makes its own";
                    return Err(fault(Located::at_value(path, &text, file, what, help)));
                }
                (Behaviour::Stripped | Behaviour::WithoutStarttls, None, None) => {}
                (Behaviour::Tls10Only, None, None) => {
                    old_certificate = Some(made(KeyKind::Rsa, date(2020, 1, 1), date(2050, 1, 1))?.certificate);
                }
                (Behaviour::Expired, None, None) => {
                    let yesterday = today.yesterday().unwrap_or(today);
                    tls = Some(made(KeyKind::Ecdsa, date(2020, 1, 1), yesterday)?.server()?);
                }
                (Behaviour::DaneMismatch | Behaviour::MtaStsMismatch, None, None) => {
                    tls = Some(made(KeyKind::Ecdsa, date(2020, 1, 1), date(2050, 1, 1))?.server()?);
                }
            }
            servers.push(Server {
                name: server.name.value,
                listen: server.listen.value,
                behaves: server.behaves.value,
                tls,
                old_certificate,
                taken: AtomicBool::new(false),
            });
        }
        Ok(Self { token, servers })
    }

    /// The DNS records and policies that must be published for the lab to be found, one a line.
    pub fn to_publish(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for server in &self.servers {
            let (name, address) = (&server.name, server.listen.ip());
            lines.push(format!("{name}. IN MX 10 {name}."));
            if address.is_unspecified() {
                lines.push(format!("{name}. IN A (the address at which senders reach {})", server.listen));
            } else {
                lines.push(format!("{name}. IN {} {address}", if address.is_ipv4() { "A" } else { "AAAA" }));
            }
            match server.behaves {
                Behaviour::DaneMismatch => {
                    let digest = hex(&Sha256::digest(format!("no key of {name}")));
                    lines
                        .push(format!("_25._tcp.{name}. IN TLSA 3 1 1 {digest}    ; in a signed zone; matches no key"));
                }
                Behaviour::MtaStsMismatch => {
                    lines.push(format!("_mta-sts.{name}. IN TXT \"v=STSv1; id={}\"", self.token));
                    lines.push(format!(
                        "https://mta-sts.{name}/.well-known/mta-sts.txt: version: STSv1, mode: enforce, mx: {name}, max_age: 86400"
                    ));
                }
                Behaviour::Expired
                | Behaviour::Stripped
                | Behaviour::Tls10Only
                | Behaviour::Trusted
                | Behaviour::WithoutStarttls => {}
            }
        }
        lines
    }
}

fn from_files(
    path: &Path,
    text: &str,
    chain: &Spanned<PathBuf>,
    key: &Spanned<PathBuf>,
) -> Result<Arc<ServerConfig>, SetupError> {
    let fault = |at: &Spanned<PathBuf>, what: String| {
        SetupError::Fault(Box::new(Located::at_value(path, text, at, what, "name PEM files that belong together")))
    };
    let beside = |file: &Spanned<PathBuf>| path.parent().unwrap_or(Path::new("")).join(&file.value);
    let pem = files::read_bounded(&beside(chain), CERTIFICATE_BYTES)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| fault(chain, "no certificate can be read from this file".to_owned()))?;
    let pem = files::read_bounded(&beside(key), CERTIFICATE_BYTES)?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| fault(key, "no private key can be read from this file".to_owned()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(LabError::from)?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| fault(chain, format!("the certificate cannot be used: {error}")))?;
    Ok(Arc::new(config))
}
