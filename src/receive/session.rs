//! One SMTP conversation (RFC 5321, RFC 3207), as the receiver. Nothing is pipelined or relayed;
//! the only mail taken is the first message to the tokened recipient, and then the conversation ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::setup::Server;
use super::{Attempt, Behaviour, Delivery, TlsState};
use crate::lab::tls::{AfterOldHello, take_tls1_0};
use crate::text::visible;

/// The longest command line (RFC 5321 §4.5.3.1.4 asks for 512) and line of a message.
const LINE_BYTES: usize = 16 * 1024;
/// Commands in one conversation.
const COMMANDS: usize = 64;
/// The largest message; a test message is small.
const MESSAGE_BYTES: usize = 1024 * 1024;
/// Of the header, what may be trace fields.
const HEADER_BYTES: usize = 64 * 1024;
const TRACE_FIELDS: usize = 16;
const SHOWN_CHARACTERS: usize = 500;
/// The alert of who does not take the version (RFC 8446 §6.2); others may be about the suites or the
/// certificate.
const PROTOCOL_VERSION: u8 = 70;

/// Why a conversation went on or ended.
enum End {
    Closed,
    StartTls,
}

/// Holds one conversation and writes what it showed into `attempt`.
pub(super) async fn talk(server: &Server, token: &str, mut stream: TcpStream, attempt: &mut Attempt) -> Option<()> {
    stream.write_all(format!("220 {} ESMTP\r\n", server.name).as_bytes()).await.ok()?;
    let mut conversation = Conversation { server, token, attempt, secured: false };
    match conversation.converse(&mut stream).await? {
        End::Closed => return Some(()),
        End::StartTls => {}
    }
    if let Some(certificate) = &server.old_certificate {
        attempt.tls = match take_tls1_0(&mut stream, certificate).await {
            AfterOldHello::WentOn => TlsState::Tls10Taken,
            AfterOldHello::Alert(PROTOCOL_VERSION) => TlsState::Tls10Refused,
            AfterOldHello::Alert(code) => {
                TlsState::Failed { why: format!("the sender ended the handshake with alert {code}") }
            }
            AfterOldHello::Nothing => TlsState::Failed { why: "the sender closed the connection".to_owned() },
        };
        return Some(());
    }
    let config = server.tls.as_ref()?;
    let mut secured = match TlsAcceptor::from(Arc::clone(config)).accept(stream).await {
        Ok(secured) => secured,
        Err(error) => {
            attempt.tls = TlsState::Failed { why: visible(&error.to_string()) };
            return Some(());
        }
    };
    let session = secured.get_ref().1;
    attempt.tls = TlsState::Agreed {
        version: session.protocol_version().and_then(|version| version.as_str()).unwrap_or("unknown").replace('_', "."),
        suite: session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .unwrap_or("unknown")
            .replace("TLS13_", "TLS_"),
    };
    let mut conversation = Conversation { server, token, attempt, secured: true };
    conversation.converse(&mut secured).await;
    let _ = secured.shutdown().await;
    Some(())
}

struct Conversation<'t> {
    server: &'t Server,
    token: &'t str,
    attempt: &'t mut Attempt,
    secured: bool,
}

impl Conversation<'_> {
    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Option<End> {
        let mut lines = Lines::default();
        let mut expected = false;
        for _ in 0..COMMANDS {
            let line = lines.next(stream).await?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let reply = match verb.to_ascii_uppercase().as_str() {
                "EHLO" => {
                    self.attempt.greeting = Some(shown(rest));
                    self.capabilities()
                }
                "HELO" => {
                    self.attempt.greeting = Some(shown(rest));
                    format!("250 {}\r\n", self.server.name)
                }
                "STARTTLS" if self.offers_tls() => {
                    stream.write_all(b"220 2.0.0 go ahead\r\n").await.ok()?;
                    stream.flush().await.ok()?;
                    // What was read ahead goes with `lines` (RFC 3207 §4.2).
                    return Some(End::StartTls);
                }
                "MAIL" | "RSET" => {
                    expected = false;
                    "250 2.0.0 ok\r\n".to_owned()
                }
                "RCPT" => {
                    expected = self.is_expected(rest);
                    if expected { "250 2.1.5 ok\r\n" } else { "550 5.7.1 only the test message is taken here\r\n" }
                        .to_owned()
                }
                "DATA" if expected => {
                    stream.write_all(b"354 go ahead\r\n").await.ok()?;
                    stream.flush().await.ok()?;
                    let ended = message(&mut lines, stream, self.secured, &mut self.attempt.delivered).await;
                    self.server.taken.fetch_or(self.attempt.delivered.is_some(), Ordering::Relaxed);
                    let reply: &[u8] = match ended {
                        Message::Whole => b"250 2.0.0 taken; only its trace fields are kept\r\n",
                        Message::TooLarge => b"552 5.3.4 too large; a test message is small\r\n",
                        Message::Cut => return None,
                    };
                    // Who keeps the connection for later must not keep the result back.
                    let _ = stream.write_all(reply).await;
                    let _ = stream.flush().await;
                    return Some(End::Closed);
                }
                "DATA" => "503 5.5.1 no recipient\r\n".to_owned(),
                "NOOP" => "250 2.0.0 ok\r\n".to_owned(),
                "QUIT" => {
                    let _ = stream.write_all(b"221 2.0.0 bye\r\n").await;
                    let _ = stream.flush().await;
                    return Some(End::Closed);
                }
                _ => "502 5.5.1 not offered\r\n".to_owned(),
            };
            stream.write_all(reply.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
        }
        None
    }

    fn offers_tls(&self) -> bool {
        let plays = match self.server.behaves {
            Behaviour::Stripped | Behaviour::WithoutStarttls => false,
            Behaviour::DaneMismatch
            | Behaviour::Expired
            | Behaviour::MtaStsMismatch
            | Behaviour::Tls10Only
            | Behaviour::Trusted => true,
        };
        plays && !self.secured
    }

    fn capabilities(&self) -> String {
        let hidden = self.server.behaves == Behaviour::Stripped;
        let extra = match (self.offers_tls(), hidden) {
            (true, _) => "250-STARTTLS\r\n",
            (false, true) => "250-XXXXXXXX\r\n",
            (false, false) => "",
        };
        format!("250-{}\r\n{extra}250 SIZE {MESSAGE_BYTES}\r\n", self.server.name)
    }

    fn is_expected(&self, argument: &str) -> bool {
        let address = argument.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
        let Some((local, domain)) = address.and_then(|address| address.rsplit_once('@')) else { return false };
        !self.server.taken.load(Ordering::Relaxed)
            && local.eq_ignore_ascii_case(self.token)
            && domain.eq_ignore_ascii_case(self.server.name.as_str())
    }
}

fn shown(text: &str) -> String {
    visible(text.trim()).chars().take(SHOWN_CHARACTERS).collect()
}

/// How the reading of a message ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    /// The connection ended first.
    Cut,
    TooLarge,
    Whole,
}

/// Reads a message to its end and keeps its Received fields (RFC 5321 §4.4). With its first line it
/// has crossed the network, whatever becomes of the rest.
async fn message<S: AsyncRead + Unpin>(
    lines: &mut Lines,
    stream: &mut S,
    over_tls: bool,
    delivered: &mut Option<Delivery>,
) -> Message {
    let (mut bytes, mut in_header, mut in_trace) = (0, true, false);
    loop {
        let Some(line) = lines.next(stream).await else { return Message::Cut };
        let received = &mut delivered.get_or_insert(Delivery { over_tls, received: Vec::new() }).received;
        if line == b".\r\n" || line == b".\n" {
            return Message::Whole;
        }
        bytes += line.len();
        if bytes > MESSAGE_BYTES {
            return Message::TooLarge;
        }
        if line == b"\r\n" || line == b"\n" || bytes > HEADER_BYTES {
            in_header = false;
        }
        if !in_header {
            continue;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.starts_with([' ', '\t']) {
            if let Some(field) = received.last_mut().filter(|_| in_trace) {
                let room = SHOWN_CHARACTERS.saturating_sub(field.chars().count());
                field.extend(format!(" {}", visible(text.trim_start())).chars().take(room));
            }
            continue;
        }
        in_trace = text.len() > 9 && text.as_bytes()[..9].eq_ignore_ascii_case(b"received:");
        in_trace &= received.len() < TRACE_FIELDS;
        if in_trace {
            received.push(shown(&text[9..]));
        }
    }
}

/// Reads lines with a bound.
#[derive(Default)]
struct Lines {
    read: Vec<u8>,
    /// Bytes of `read` that hold no line end.
    searched: usize,
}

impl Lines {
    async fn next<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.read[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.read.drain(..=self.searched + end).collect();
                self.searched = 0;
                return Some(line);
            }
            self.searched = self.read.len();
            if self.read.len() > LINE_BYTES {
                return None;
            }
            let mut bytes = [0; 4096];
            match stream.read(&mut bytes).await {
                Ok(count @ 1..) => self.read.extend_from_slice(&bytes[..count]),
                Ok(0) | Err(_) => return None,
            }
        }
    }
}
