//! A receiving lab: mail servers that are good, broken or stripped on purpose, to which an
//! organization sends one test message each. What arrives, and how, shows whether its outgoing TLS
//! is enforced or only hoped for.
//!
//! It takes the first message for one recipient per server that nobody can guess, keeps the trace
//! fields of its header and nothing else, relays nothing, checks no password, and ends by itself.

mod conclude;
mod session;
mod setup;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use conclude::{Conclusion, Regard, Sender, conclude};
pub use setup::{Server, Setup, SetupError};

use crate::clock::Clock;

/// Connections open at once on one server.
const OPEN: usize = 16;
/// One connection, from accept to close.
const CONNECTION: Duration = Duration::from_secs(120);
/// Attempts kept for one server; a port that faces the internet is visited by strangers.
const ATTEMPTS: usize = 200;

/// What a server does on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// A TLSA record is published that its certificate does not match (RFC 7672 §2.2): a sender
    /// that validates DANE delivers nothing.
    DaneMismatch,
    /// Its certificate ran out.
    Expired,
    /// Its MTA-STS policy is `enforce`, and its certificate is trusted by nobody (RFC 8461 §4.1): a
    /// sender that honours the policy delivers nothing.
    MtaStsMismatch,
    /// It hides STARTTLS behind `XXXXXXXX` and refuses the command, as an attacker on the way does.
    Stripped,
    /// It speaks TLS 1.0 and nothing newer.
    #[serde(rename = "tls-1.0-only")]
    Tls10Only,
    /// TLS 1.2 and 1.3 with a certificate that senders trust.
    Trusted,
    /// It never offers STARTTLS.
    WithoutStarttls,
}

impl Behaviour {
    /// The word in files and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DaneMismatch => "dane-mismatch",
            Self::Expired => "expired",
            Self::MtaStsMismatch => "mta-sts-mismatch",
            Self::Stripped => "stripped",
            Self::Tls10Only => "tls-1.0-only",
            Self::Trusted => "trusted",
            Self::WithoutStarttls => "without-starttls",
        }
    }

    /// What it is, for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::DaneMismatch => "certificate against its TLSA record",
            Self::Expired => "expired certificate",
            Self::MtaStsMismatch => "certificate against its MTA-STS policy",
            Self::Stripped => "STARTTLS stripped on the way",
            Self::Tls10Only => "TLS 1.0 only",
            Self::Trusted => "good TLS",
            Self::WithoutStarttls => "no TLS at all",
        }
    }
}

/// How far TLS came in one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum TlsState {
    Agreed {
        version: String,
        suite: String,
    },
    /// The handshake ended without a session.
    Failed {
        why: String,
    },
    /// The sender ended the handshake because of the version (alert 70, RFC 8446 §6.2).
    #[serde(rename = "tls-1.0-refused")]
    Tls10Refused,
    /// The sender went on after a TLS 1.0 server hello: it would have agreed.
    #[serde(rename = "tls-1.0-taken")]
    Tls10Taken,
    NotStarted,
}

/// One connection of a sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    pub at: Timestamp,
    pub from: IpAddr,
    /// The name of the EHLO or HELO command.
    pub greeting: Option<String>,
    pub tls: TlsState,
    /// Whether the tokened message was sent, and over what.
    pub delivered: Option<Delivery>,
}

/// A message that the sender sent: what came of it crossed the network, whether or not it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// False: anybody on the way could read it.
    pub over_tls: bool,
    /// Its Received fields, newest first; the rest of the message was not kept.
    pub received: Vec<String>,
}

/// All that one server saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub name: String,
    pub behaves: Behaviour,
    /// Where to send the message.
    pub recipient: String,
    pub attempts: Vec<Attempt>,
    /// More attempts than are listed.
    pub attempts_left_out: u64,
}

/// Why the lab could not start.
#[derive(Debug, thiserror::Error)]
#[error("{name} cannot listen on {address}: {error}")]
pub struct ListenError {
    name: String,
    address: std::net::SocketAddr,
    error: io::Error,
}

/// Listens until every server has its message, `until` is over, or the future `stopped` ends.
pub async fn run(
    setup: Setup,
    until: Duration,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce(&[Seen]),
    stopped: impl Future<Output = ()>,
) -> Result<Vec<Seen>, ListenError> {
    let (tell, mut told) = mpsc::channel::<(usize, Attempt)>(64);
    let mut seen = Vec::new();
    let mut tasks = JoinSet::new();
    for (number, server) in setup.servers.into_iter().enumerate() {
        #[expect(clippy::disallowed_methods, reason = "the receiving lab is there to be reached")]
        let listener = TcpListener::bind(server.listen).await.map_err(|error| ListenError {
            name: server.name.to_string(),
            address: server.listen,
            error,
        })?;
        seen.push(Seen {
            name: server.name.to_string(),
            behaves: server.behaves,
            recipient: format!("{}@{}", setup.token, server.name),
            attempts: Vec::new(),
            attempts_left_out: 0,
        });
        let (server, tell, clock) = (Arc::new(server), tell.clone(), Arc::clone(&clock));
        let token: Arc<str> = setup.token.as_str().into();
        tasks.spawn(async move {
            let room = Arc::new(Semaphore::new(OPEN));
            let mut open = JoinSet::new();
            loop {
                while open.try_join_next().is_some() {}
                let Ok(seat) = Arc::clone(&room).acquire_owned().await else { return };
                let Ok((stream, peer)) = listener.accept().await else {
                    // Out of file handles, most likely: wait for some to come back.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                };
                let (server, tell, token) = (Arc::clone(&server), tell.clone(), Arc::clone(&token));
                let at = clock.now();
                open.spawn(async move {
                    let _seat = seat;
                    let mut attempt = Attempt {
                        at,
                        from: peer.ip().to_canonical(),
                        greeting: None,
                        tls: TlsState::NotStarted,
                        delivered: None,
                    };
                    // Who dawdles is cut off; what was seen until then still counts.
                    let _ = timeout(CONNECTION, session::talk(&server, &token, stream, &mut attempt)).await;
                    let _ = tell.send((number, attempt)).await;
                });
            }
        });
    }
    ready(&seen);
    let collect = async {
        while let Some((number, attempt)) = told.recv().await {
            let server = &mut seen[number];
            if server.attempts.len() < ATTEMPTS || attempt.delivered.is_some() {
                server.attempts.push(attempt);
            } else {
                server.attempts_left_out += 1;
            }
            if seen.iter().all(|server| server.attempts.iter().any(|attempt| attempt.delivered.is_some())) {
                return;
            }
        }
    };
    tokio::select! {
        () = collect => {}
        () = tokio::time::sleep(until) => {}
        () = stopped => {}
    }
    for server in &mut seen {
        server.attempts.sort_by(|a, b| (a.at, a.from, &a.greeting).cmp(&(b.at, b.from, &b.greeting)));
    }
    Ok(seen)
}

#[cfg(test)]
mod tests;
