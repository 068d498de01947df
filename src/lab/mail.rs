//! SMTP and IMAP servers that greet, tell what they can do and start TLS, and no more.
//!
//! No mail is taken and no password is checked: MAIL, DATA, AUTH and LOGIN are refused whatever
//! they say, so that nothing the lab listens on can be misused.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tls::Tls;

/// The longest command line; RFC 5321 §4.5.3.1.4 asks for 512.
const LINE_BYTES: usize = 2048;
/// Commands in one conversation.
const COMMANDS: usize = 64;

/// A mail service at one port.
#[derive(Clone, Debug)]
pub struct MailService {
    pub protocol: Protocol,
    /// The name it greets with.
    pub name: String,
    pub security: Security,
    /// Whether passwords are asked for before TLS.
    pub passwords_in_clear: bool,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Imap,
    /// Server to server: AUTH is never offered.
    Smtp,
    /// SMTP for a user's mail program (RFC 6409).
    Submission,
}

/// Where TLS comes in.
#[derive(Clone, Debug)]
pub enum Security {
    /// Never.
    Clear,
    /// From the first byte.
    Implicit(Tls),
    StartTls(Tls),
}

/// Why a conversation ended.
#[derive(PartialEq, Eq)]
enum End {
    Closed,
    StartTls,
}

impl MailService {
    /// Holds one conversation.
    pub(super) async fn talk(&self, mut stream: TcpStream) {
        let tls = match &self.security {
            Security::Clear => {
                self.converse(&mut stream, false, false).await;
                return;
            }
            Security::Implicit(tls) => tls,
            Security::StartTls(tls) => {
                if self.converse(&mut stream, true, false).await != Some(End::StartTls) {
                    return;
                }
                tls
            }
        };
        if let Some(mut secured) = tls.accept(stream).await {
            let greet = matches!(self.security, Security::Implicit(_));
            self.converse_secured(&mut secured, greet).await;
            let _ = secured.shutdown().await;
        }
    }

    async fn converse<S>(&self, stream: &mut S, starttls: bool, secured: bool) -> Option<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.greet(stream, starttls, secured).await?;
        self.answer_commands(stream, starttls, secured).await
    }

    async fn converse_secured<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: &mut S, greet: bool) {
        if greet {
            self.converse(stream, false, true).await;
        } else {
            self.answer_commands(stream, false, true).await;
        }
    }

    async fn greet<S: AsyncWrite + Unpin>(&self, stream: &mut S, starttls: bool, secured: bool) -> Option<()> {
        let greeting = match self.protocol {
            Protocol::Imap => format!("* OK [CAPABILITY {}] {} ready\r\n", self.imap_can(starttls, secured), self.name),
            Protocol::Smtp | Protocol::Submission => format!("220 {} ESMTP\r\n", self.name),
        };
        stream.write_all(greeting.as_bytes()).await.ok()
    }

    async fn answer_commands<S>(&self, stream: &mut S, starttls: bool, secured: bool) -> Option<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut lines = Lines::default();
        for _ in 0..COMMANDS {
            let line = lines.next(stream).await?;
            let (reply, end) = match self.protocol {
                Protocol::Imap => self.imap(&line, starttls, secured),
                Protocol::Smtp | Protocol::Submission => self.smtp(&line, starttls, secured),
            };
            stream.write_all(reply.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
            if end.is_some() {
                // What was read ahead goes with `lines`: nothing sent in clear is obeyed inside
                // TLS (RFC 3207 §4.2).
                return end;
            }
        }
        None
    }

    fn smtp(&self, line: &str, starttls: bool, secured: bool) -> (String, Option<End>) {
        let verb = line.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => {
                let mut can = vec![self.name.clone(), "SIZE 26214400".to_owned(), "8BITMIME".to_owned()];
                if starttls {
                    can.push("STARTTLS".to_owned());
                }
                if self.protocol == Protocol::Submission && (secured || self.passwords_in_clear) {
                    can.push("AUTH PLAIN LOGIN".to_owned());
                }
                let last = can.pop().unwrap_or_default();
                can.iter().map(|word| format!("250-{word}\r\n")).collect::<String>() + &format!("250 {last}\r\n")
            }
            "HELO" => format!("250 {}\r\n", self.name),
            "NOOP" | "RSET" => "250 2.0.0 ok\r\n".to_owned(),
            "QUIT" => return ("221 2.0.0 bye\r\n".to_owned(), Some(End::Closed)),
            "STARTTLS" if starttls => return ("220 2.0.0 go ahead\r\n".to_owned(), Some(End::StartTls)),
            "STARTTLS" => "502 5.5.1 not offered\r\n".to_owned(),
            "AUTH" => "535 5.7.8 a demonstration: no password is right\r\n".to_owned(),
            "MAIL" | "RCPT" | "DATA" => "550 5.7.1 a demonstration: no mail is taken\r\n".to_owned(),
            _ => "500 5.5.2 not understood\r\n".to_owned(),
        };
        (reply, None)
    }

    fn imap(&self, line: &str, starttls: bool, secured: bool) -> (String, Option<End>) {
        let mut words = line.split_ascii_whitespace();
        let tag = words.next().unwrap_or("*");
        let verb = words.next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "CAPABILITY" => {
                format!("* CAPABILITY {}\r\n{tag} OK done\r\n", self.imap_can(starttls, secured))
            }
            "NOOP" => format!("{tag} OK done\r\n"),
            "LOGOUT" => return (format!("* BYE bye\r\n{tag} OK done\r\n"), Some(End::Closed)),
            "STARTTLS" if starttls => return (format!("{tag} OK begin TLS\r\n"), Some(End::StartTls)),
            "LOGIN" | "AUTHENTICATE" => format!("{tag} NO a demonstration: no password is right\r\n"),
            _ => format!("{tag} BAD not understood\r\n"),
        };
        (reply, None)
    }

    fn imap_can(&self, starttls: bool, secured: bool) -> &'static str {
        match (starttls, secured || self.passwords_in_clear) {
            (true, true) => "IMAP4rev1 STARTTLS AUTH=PLAIN",
            (true, false) => "IMAP4rev1 STARTTLS LOGINDISABLED",
            (false, true) => "IMAP4rev1 AUTH=PLAIN",
            (false, false) => "IMAP4rev1 LOGINDISABLED",
        }
    }
}

/// Reads lines with a bound.
#[derive(Default)]
struct Lines {
    read: Vec<u8>,
}

impl Lines {
    async fn next<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> Option<String> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.read.len() > LINE_BYTES {
                return None;
            }
            let mut bytes = [0; 512];
            match stream.read(&mut bytes).await {
                Ok(count @ 1..) => self.read.extend_from_slice(&bytes[..count]),
                Ok(0) | Err(_) => return None,
            }
        }
    }
}
