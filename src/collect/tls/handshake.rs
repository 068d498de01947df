//! Makes one real handshake, for the certificate, for proof that the service holds its key, and for what
//! can be seen only inside.
//!
//! Accepts every certificate and records it: whether it is to be trusted is judged offline, from
//! what was recorded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionStore, ResolvesClientCert, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::inside;
use crate::collect::dial::Connection;
use crate::collect::service::StartTls;
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::{Handshake, Inside};

/// A chain of more certificates is cut here.
const MAX_CHAIN: usize = 16;
/// A stapled response longer than this is not kept.
const MAX_STAPLE: usize = 16 * 1024;

/// What one handshake brought.
pub(crate) struct Shaken {
    pub handshake: Handshake,
    /// Leaf first, DER; empty where none was shown.
    pub chain: Vec<ReceivedBytes>,
    /// Whether it failed because time ran out.
    pub timed_out: bool,
}

/// A handshake that came to its end, with the connection still open.
pub(crate) struct Open {
    shaken: Shaken,
    stream: Box<TlsStream<Connection>>,
    seen: Arc<Recorder>,
}

impl Open {
    /// What the handshake brought; leaves an empty chain behind.
    pub fn take_shaken(&mut self) -> Shaken {
        Shaken {
            handshake: self.shaken.handshake.clone(),
            chain: std::mem::take(&mut self.shaken.chain),
            timed_out: false,
        }
    }

    /// Looks around inside: asks a mail service what it can do. Another service is told that this was all;
    /// the session tickets that it sends come before its end.
    pub async fn look(&mut self, way: StartTls, greets: bool, ehlo: &str) -> Inside {
        let capabilities = inside::capabilities(self.stream.as_mut(), way, greets, ehlo).await;
        let had_its_turn = capabilities.is_some() || (way == StartTls::None && self.ends_when_told().await);
        let seen = self.seen.seen();
        Inside {
            had_its_turn,
            capabilities: capabilities.map(ReceivedBytes),
            staple: (!seen.staple.is_empty()).then(|| ReceivedBytes(seen.staple.clone())),
            signature: seen.signature,
            tickets: seen.tickets,
            early_data: seen.early_data,
            asks_certificate: seen.asks_certificate,
        }
    }

    /// Ends our side, and says whether the service ended its side in turn.
    async fn ends_when_told(&mut self) -> bool {
        let told = async {
            self.stream.shutdown().await?;
            tokio::io::copy(&mut self.stream, &mut tokio::io::sink()).await
        };
        matches!(tokio::time::timeout(Duration::from_secs(1), told).await, Ok(Ok(_)))
    }

    /// Says goodbye inside TLS and closes, waiting for neither.
    pub async fn leave(mut self, last_word: &[u8]) {
        let _ = tokio::time::timeout(Duration::from_millis(200), async {
            let _ = self.stream.write_all(last_word).await;
            let _ = self.stream.shutdown().await;
        })
        .await;
    }

    /// Whether the service speaks without having been asked, within a time.
    pub async fn speaks_unasked(&mut self, within: Duration) -> bool {
        let mut byte = [0; 1];
        matches!(tokio::time::timeout(within, self.stream.read(&mut byte)).await, Ok(Ok(1..)))
    }
}

/// Shakes hands on a connection where the service waits for a ClientHello.
pub(crate) async fn shake(
    connection: Connection,
    server_name: &str,
    address: std::net::IpAddr,
) -> Result<Open, Shaken> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let seen = Arc::new(Recorder { provider: Arc::clone(&provider), seen: Mutex::default() });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>)
        .with_client_cert_resolver(Arc::clone(&seen) as Arc<dyn ResolvesClientCert>);
    config.resumption = rustls::client::Resumption::store(Arc::clone(&seen) as Arc<dyn ClientSessionStore>);
    let name = ServerName::try_from(server_name.trim_end_matches('.').to_owned())
        .unwrap_or_else(|_| ServerName::from(address));
    let outcome = TlsConnector::from(Arc::new(config)).connect(name, connection).await;
    let (chain, key_proved) = {
        let mut recorded = seen.seen();
        (std::mem::take(&mut recorded.chain), recorded.key_proved)
    };
    match outcome {
        Ok(stream) => {
            let session = stream.get_ref().1;
            let handshake = Handshake::Completed {
                version: session.protocol_version().map_or(0, u16::from),
                suite: session.negotiated_cipher_suite().map_or(0, |suite| u16::from(suite.suite())),
                group: session.negotiated_key_exchange_group().map(|group| u16::from(group.name())),
                key_proved,
            };
            let shaken = Shaken { handshake, chain, timed_out: false };
            Ok(Open { shaken, stream: Box::new(stream), seen })
        }
        Err(error) => {
            let why = crate::text::visible(&error.to_string()).chars().take(200).collect();
            let timed_out = error.kind() == std::io::ErrorKind::TimedOut;
            Err(Shaken { handshake: Handshake::Failed { why }, chain, timed_out })
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<ReceivedBytes>,
    key_proved: bool,
    staple: Vec<u8>,
    signature: Option<u16>,
    tickets: bool,
    early_data: u32,
    asks_certificate: bool,
}

#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

impl Recorder {
    /// Notes whether the proof held. The handshake goes on either way, so that what is served can be
    /// read to the end; nothing secret is ever sent over it.
    fn note(&self, signed: &DigitallySignedStruct, outcome: &Result<HandshakeSignatureValid, rustls::Error>) {
        let mut seen = self.seen();
        seen.key_proved = outcome.is_ok();
        seen.signature = Some(u16::from(signed.scheme));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that a certificate was asked for, and has none.
impl ResolvesClientCert for Recorder {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen().asks_certificate = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Notes that tickets came, and forgets them: nothing is ever resumed.
impl ClientSessionStore for Recorder {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {
        self.seen().tickets = true;
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        let mut seen = self.seen();
        seen.tickets = true;
        seen.early_data = seen.early_data.max(ticket.max_early_data_size());
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(leaf).chain(intermediates).take(MAX_CHAIN);
        let chain = chain.map(|certificate| ReceivedBytes(certificate.as_ref().to_vec())).collect();
        let mut seen = self.seen();
        seen.chain = chain;
        seen.staple = ocsp.get(..ocsp.len().min(MAX_STAPLE)).unwrap_or_default().to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.note(signed, &verify_tls12_signature(message, certificate, signed, algorithms));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.note(signed, &verify_tls13_signature(message, certificate, signed, algorithms));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
