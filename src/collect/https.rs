//! Fetches an MTA-STS policy: one GET to one fixed path, no redirects, within 10 seconds and
//! 64 KiB. Names are resolved by our own resolver, and private addresses are refused.
//!
//! It keeps apart how a fetch fails: a certificate, a redirect, a status and a slow server are
//! findings about the policy host; a refused connection says only that we do not know.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::{Instant, timeout_at};

use super::dns::Dns;
use super::network::{ConnectTo, Network, NetworkOptions};
use crate::evidence::network::{HttpsAnswer, HttpsFailure};
use crate::evidence::{Answer, Observation, Question, ReceivedBytes, Source};
use crate::files;
use crate::names::{DomainName, SubjectId};
use crate::records::mta_sts::MAX_POLICY_BYTES;
use crate::records::mx::is_private;
use crate::seen::NotObserved;

/// From the first packet to the last byte (RFC 8461 §3.3 leaves the bound to senders).
const DEADLINE: Duration = Duration::from_secs(10);
/// Fetches under way at once, over the whole run.
const MAX_IN_FLIGHT: usize = 32;
/// The largest CA file read.
const CA_BYTES: u64 = 16 * 1024 * 1024;
/// The longest header value kept.
const HEADER_BYTES: usize = 1_024;

/// Why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
pub enum HttpsSetupError {
    #[error(transparent)]
    File(#[from] files::FileError),
    #[error("the CA file {path} cannot be read: {why}; it must hold PEM certificates")]
    Roots { path: String, why: String },
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// Fetches policies.
#[derive(Debug)]
pub struct Https {
    tls: rustls::ClientConfig,
    connect_to: Vec<ConnectTo>,
    allow_net: Vec<Network>,
    deadline: Duration,
    in_flight: tokio::sync::Semaphore,
    offline: bool,
}

impl Https {
    /// Prepares to fetch; nothing is sent yet. Certificates are checked against Mozilla's roots, or
    /// against the CA file.
    pub fn new(options: &NetworkOptions) -> Result<Self, HttpsSetupError> {
        let mut roots = rustls::RootCertStore::empty();
        match &options.ca_file {
            None => {
                roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
            }
            Some(path) => {
                let bytes = files::read_bounded(path, CA_BYTES)?;
                let refuse = |why: String| HttpsSetupError::Roots {
                    path: crate::text::visible(&path.display().to_string()),
                    why,
                };
                for certificate in CertificateDer::pem_slice_iter(&bytes) {
                    let certificate = certificate.map_err(|error| refuse(format!("{error:?}")))?;
                    roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(refuse("it holds no certificate".to_owned()));
                }
            }
        }
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls,
            connect_to: options.connect_to.clone(),
            allow_net: options.allow_net.clone(),
            deadline: DEADLINE.min(options.connection_deadline),
            in_flight: tokio::sync::Semaphore::new(MAX_IN_FLIGHT),
            offline: options.offline,
        })
    }

    /// True for a private address that the run was told to take as public.
    pub fn permits(&self, address: IpAddr) -> bool {
        self.allow_net.iter().any(|network| network.contains(address))
    }

    /// Fetches `https://HOST/.well-known/mta-sts.txt`.
    pub async fn policy(&self, dns: &Dns, subject: &SubjectId, host: &DomainName) -> Observation {
        let url = policy_url(host);
        let asked_at = dns.clock().now();
        let started = Instant::now();
        let answer = self.get(dns, host, &url).await;
        Observation {
            subject: subject.clone(),
            source: Source::Https,
            question: Question::Https { url },
            asked_at,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            vantage: dns.vantage().to_owned(),
            answer: answer.map(Answer::Https),
        }
    }

    async fn get(&self, dns: &Dns, host: &DomainName, url: &str) -> Result<HttpsAnswer, NotObserved> {
        if self.offline {
            return Err(NotObserved::NotInScope { what: "the network (--offline)".to_owned() });
        }
        let addresses = self.targets(dns, host).await?;
        let _turn = self.in_flight.acquire().await.map_err(|_| NotObserved::Interrupted)?;
        let until = Instant::now() + self.deadline;
        let after_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .https_only(true)
            .http1_only()
            .connect_timeout(self.deadline / 2)
            .pool_max_idle_per_host(0)
            .referer(false)
            .user_agent(concat!("mailassay/", env!("CARGO_PKG_VERSION")))
            .resolve_to_addrs(host.as_str(), &addresses)
            .build()
            .map_err(|error| NotObserved::Unreadable { why: error.to_string(), line: None })?;
        let mut answer = HttpsAnswer {
            status: None,
            content_type: None,
            location: None,
            body: ReceivedBytes::default(),
            failure: None,
        };
        let mut response = match timeout_at(until, client.get(url).send()).await {
            Err(_) => {
                answer.failure = Some(HttpsFailure::TimedOut { after_ms });
                return Ok(answer);
            }
            Ok(Err(error)) => {
                answer.failure = Some(failure_of(&error, host, self.deadline / 2)?);
                return Ok(answer);
            }
            Ok(Ok(response)) => response,
        };
        answer.status = Some(response.status().as_u16());
        let header = |name: reqwest::header::HeaderName| {
            response.headers().get(name).map(|value| {
                let bytes = value.as_bytes();
                ReceivedBytes(bytes[..bytes.len().min(HEADER_BYTES)].to_vec())
            })
        };
        answer.content_type = header(reqwest::header::CONTENT_TYPE);
        answer.location = header(reqwest::header::LOCATION);
        loop {
            match timeout_at(until, response.chunk()).await {
                Err(_) => {
                    answer.failure = Some(HttpsFailure::TimedOut { after_ms });
                    break;
                }
                Ok(Err(error)) => {
                    answer.failure = Some(HttpsFailure::Protocol { why: in_words(&error) });
                    break;
                }
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => {
                    let room = MAX_POLICY_BYTES + 1 - answer.body.0.len();
                    answer.body.0.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if answer.body.0.len() > MAX_POLICY_BYTES {
                        answer.failure = Some(HttpsFailure::TooLarge { limit: MAX_POLICY_BYTES as u64 });
                        break;
                    }
                }
            }
        }
        Ok(answer)
    }

    /// Where to connect: what `--connect-to` says, else the host's public addresses.
    async fn targets(&self, dns: &Dns, host: &DomainName) -> Result<Vec<SocketAddr>, NotObserved> {
        let told: Vec<SocketAddr> = self
            .connect_to
            .iter()
            .filter(|rule| rule.port == 443 && rule.host.trim_end_matches('.').eq_ignore_ascii_case(host.as_str()))
            .map(|rule| rule.to)
            .collect();
        if !told.is_empty() {
            return Ok(told);
        }
        let found = dns.addresses(host).await?;
        if found.is_empty() {
            return Err(NotObserved::Refused { what: format!("{host} has no address") });
        }
        let public: Vec<SocketAddr> = found
            .iter()
            .filter(|address| !is_private(**address) || self.permits(**address))
            .map(|address| SocketAddr::new(*address, 443))
            .collect();
        if public.is_empty() {
            let what = format!("{host} at {}, a private address (--allow-net)", found[0]);
            return Err(NotObserved::NotInScope { what });
        }
        Ok(public)
    }
}

/// The one address a policy is served at (RFC 8461 §3.3).
pub fn policy_url(host: &DomainName) -> String {
    format!("https://{host}/.well-known/mta-sts.txt")
}

/// Tells the host's own faults from failures that may be ours.
fn failure_of(error: &reqwest::Error, host: &DomainName, connect: Duration) -> Result<HttpsFailure, NotObserved> {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    let mut refused = None;
    while let Some(cause) = source {
        match cause.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(why)) => {
                return Ok(HttpsFailure::Certificate { why: why.to_string() });
            }
            Some(other) => return Ok(HttpsFailure::Protocol { why: other.to_string() }),
            None => {}
        }
        source = match cause.downcast_ref::<std::io::Error>() {
            // An I/O error hides what it wraps from `source`.
            Some(io) => match io.get_ref() {
                Some(inner) => Some(inner),
                None => {
                    refused = Some(io.kind());
                    None
                }
            },
            None => cause.source(),
        };
    }
    if error.is_timeout() && error.is_connect() {
        return Err(NotObserved::TimedOut { after_ms: u64::try_from(connect.as_millis()).unwrap_or(u64::MAX) });
    }
    if error.is_connect() {
        let how = refused.map_or_else(|| in_words(error), |kind| kind.to_string());
        return Err(NotObserved::Refused { what: format!("{host} port 443: {how}") });
    }
    Ok(HttpsFailure::Protocol { why: in_words(error) })
}

/// The innermost cause, which says most.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    crate::text::visible(&innermost.to_string())
}

#[cfg(test)]
pub(crate) mod tests;
