//! The TLS side of the lab's servers: rustls, and in front of it, where asked for, an old-style
//! server that takes TLS 1.0 and 1.1.
//!
//! The old part needs no cryptography. It reads the hello, answers with ServerHello, Certificate
//! and ServerHelloDone (RFC 2246 §7.4), and has nothing more to say: a probe has seen enough by
//! then, and a client that goes on gets no key out of it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How a server speaks TLS.
#[derive(Clone, Debug)]
pub struct Tls {
    pub config: Arc<ServerConfig>,
    /// With it, hellos of TLS 1.0 and 1.1 are taken too, and this certificate shown.
    pub legacy: Option<CertificateDer<'static>>,
}

/// Suites of the old part, in its own order: RSA key exchange with AES and 3DES.
const LEGACY_SUITES: [u16; 3] = [0x002f, 0x0035, 0x000a];
const TLS1_0: u16 = 0x0301;
const TLS1_1: u16 = 0x0302;
/// RFC 7507 §3: the client says that it could do better.
const FALLBACK_SCSV: u16 = 0x5600;
/// The extensions of a server hello with an empty renegotiation_info (RFC 5746 §3.6). Without it a
/// client of today refuses for that reason, and nothing is learned of TLS 1.0.
const SECURE_RENEGOTIATION: [u8; 7] = [0, 5, 0xff, 0x01, 0, 1, 0];
const HANDSHAKE_FAILURE: u8 = 40;
const INAPPROPRIATE_FALLBACK: u8 = 86;

impl Tls {
    /// Takes the client's hello; `None` where no session came about.
    pub(super) async fn accept(&self, mut stream: TcpStream) -> Option<TlsStream<Replayed>> {
        let mut read = Vec::new();
        if let Some(certificate) = &self.legacy {
            read = first_record(&mut stream).await?;
            if let Some(hello) = Hello::read(&read).filter(|hello| matches!(hello.version, TLS1_0 | TLS1_1)) {
                let reply = hello.answer(certificate, &[]);
                if stream.write_all(&reply).await.is_ok() {
                    // Wait until the client goes, so that it reads the reply before the close.
                    while matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {}
                }
                return None;
            }
        }
        TlsAcceptor::from(Arc::clone(&self.config)).accept(Replayed { read, stream }).await.ok()
    }
}

/// What a client did after a server hello of TLS 1.0.
pub(crate) enum AfterOldHello {
    /// It sent an alert with this number.
    Alert(u8),
    Nothing,
    /// It sent its part of the handshake: it takes TLS 1.0.
    WentOn,
}

/// Plays a server that knows TLS 1.0 only, whatever the client offers, up to the client's answer.
pub(crate) async fn take_tls1_0(stream: &mut TcpStream, certificate: &CertificateDer<'_>) -> AfterOldHello {
    let Some(mut hello) = first_record(stream).await.as_deref().and_then(Hello::read) else {
        return AfterOldHello::Nothing;
    };
    hello.version = TLS1_0;
    if stream.write_all(&hello.answer(certificate, &SECURE_RENEGOTIATION)).await.is_err() {
        return AfterOldHello::Nothing;
    }
    match first_record(stream).await.as_deref() {
        Some([22, ..]) => AfterOldHello::WentOn,
        Some([21, ..]) => AfterOldHello::Alert(stream_alert(stream).await),
        Some(_) | None => AfterOldHello::Nothing,
    }
}

/// The description of an alert whose record header was read.
async fn stream_alert(stream: &mut TcpStream) -> u8 {
    let mut alert = [0; 2];
    let _ = stream.read_exact(&mut alert).await;
    alert[1]
}

async fn first_record(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).await.ok()?;
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    // Anything that is no handshake record goes to rustls as it is, which knows what to say.
    if record[0] == 22 && length <= 1 << 14 {
        record.resize(5 + length, 0);
        stream.read_exact(&mut record[5..]).await.ok()?;
    }
    Some(record)
}

/// What the old part needs of a ClientHello.
struct Hello {
    /// The highest version offered.
    version: u16,
    suites: Vec<u16>,
    digest: [u8; 32],
}

impl Hello {
    fn read(record: &[u8]) -> Option<Self> {
        let mut rest = record.get(5..)?;
        if take(&mut rest, 1)? != [1] {
            return None;
        }
        take(&mut rest, 3)?;
        let legacy_version = number(take(&mut rest, 2)?);
        take(&mut rest, 32)?;
        vector(&mut rest, 1)?;
        let suites = vector(&mut rest, 2)?.chunks_exact(2).map(number).collect();
        vector(&mut rest, 1)?;
        let mut version = legacy_version;
        let mut extensions = if rest.is_empty() { rest } else { vector(&mut rest, 2)? };
        while !extensions.is_empty() {
            let kind = number(take(&mut extensions, 2)?);
            let mut body = vector(&mut extensions, 2)?;
            if kind == 43 {
                // supported_versions (RFC 8446 §4.2.1); GREASE values have two equal bytes xA.
                let offered = vector(&mut body, 1)?.chunks_exact(2).map(number);
                version = offered.filter(|offer| offer & 0x0f0f != 0x0a0a).max().unwrap_or(legacy_version);
            }
        }
        Some(Self { version, suites, digest: Sha256::digest(record).into() })
    }

    fn answer(&self, certificate: &CertificateDer<'_>, extensions: &[u8]) -> Vec<u8> {
        if self.suites.contains(&FALLBACK_SCSV) {
            return self.record(21, &[2, INAPPROPRIATE_FALLBACK]);
        }
        let Some(suite) = LEGACY_SUITES.iter().find(|suite| self.suites.contains(suite)) else {
            return self.record(21, &[2, HANDSHAKE_FAILURE]);
        };
        let mut server_hello = self.version.to_be_bytes().to_vec();
        server_hello.extend(self.digest);
        server_hello.push(0);
        server_hello.extend(suite.to_be_bytes());
        server_hello.push(0);
        server_hello.extend(extensions);
        let chain = with_length(&with_length(certificate));
        let mut messages = handshake(2, &server_hello);
        messages.extend(handshake(11, &chain));
        messages.extend(handshake(14, &[]));
        self.record(22, &messages)
    }

    fn record(&self, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut record = vec![kind];
        record.extend(self.version.to_be_bytes());
        record.extend(u16::try_from(body.len()).expect("one certificate fits a record").to_be_bytes());
        record.extend(body);
        record
    }
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn vector<'b>(rest: &mut &'b [u8], length_bytes: usize) -> Option<&'b [u8]> {
    let length = take(rest, length_bytes)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    take(rest, length)
}

fn number(pair: &[u8]) -> u16 {
    pair.iter().fold(0, |sum, byte| sum << 8 | u16::from(*byte))
}

fn with_length(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("a certificate is small").to_be_bytes();
    [&length[1..], bytes].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], with_length(body).as_slice()].concat()
}

/// A connection whose first bytes were read already.
#[derive(Debug)]
pub(super) struct Replayed {
    read: Vec<u8>,
    stream: TcpStream,
}

impl AsyncRead for Replayed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, into);
        }
        let count = self.read.len().min(into.remaining());
        into.put_slice(&self.read[..count]);
        self.read.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Replayed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
