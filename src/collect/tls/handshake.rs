//! Makes one real handshake, for the certificate and for proof that the service holds its key.
//!
//! Accepts every certificate and records it: whether it is to be trusted is judged offline, from
//! what was recorded.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::collect::dial::Connection;
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::Handshake;

/// A chain of more certificates is cut here.
const MAX_CHAIN: usize = 16;

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
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    let name = ServerName::try_from(server_name.trim_end_matches('.').to_owned())
        .unwrap_or_else(|_| ServerName::from(address));
    let outcome = TlsConnector::from(Arc::new(config)).connect(name, connection).await;
    let recorded = std::mem::take(&mut *seen.seen.lock().unwrap_or_else(PoisonError::into_inner));
    match outcome {
        Ok(stream) => {
            let session = stream.get_ref().1;
            let handshake = Handshake::Completed {
                version: session.protocol_version().map_or(0, u16::from),
                suite: session.negotiated_cipher_suite().map_or(0, |suite| u16::from(suite.suite())),
                group: session.negotiated_key_exchange_group().map(|group| u16::from(group.name())),
                key_proved: recorded.key_proved,
            };
            Ok(Open { shaken: Shaken { handshake, chain: recorded.chain, timed_out: false }, stream: Box::new(stream) })
        }
        Err(error) => {
            let why = crate::text::visible(&error.to_string()).chars().take(200).collect();
            let timed_out = error.kind() == std::io::ErrorKind::TimedOut;
            Err(Shaken { handshake: Handshake::Failed { why }, chain: recorded.chain, timed_out })
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<ReceivedBytes>,
    key_proved: bool,
}

#[derive(Debug)]
struct Recorder {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

impl Recorder {
    /// Notes whether the proof held. The handshake goes on either way, so that what is served can be
    /// read to the end; nothing secret is ever sent over it.
    fn note(&self, outcome: &Result<HandshakeSignatureValid, rustls::Error>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).key_proved = outcome.is_ok();
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(leaf).chain(intermediates).take(MAX_CHAIN);
        let chain = chain.map(|certificate| ReceivedBytes(certificate.as_ref().to_vec())).collect();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).chain = chain;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.note(&verify_tls12_signature(message, certificate, signed, algorithms));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.note(&verify_tls13_signature(message, certificate, signed, algorithms));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
