//! What one mail or web service said: its dialogue before TLS, each hello and its reply, the
//! certificates it served.

use serde::{Deserialize, Serialize};

use super::ReceivedBytes;
use crate::seen::NotObserved;

/// The reason given for an address that cannot be reached from the vantage point at all (IPv6 where there
/// is none): it says nothing of the service.
pub const NO_ROUTE: &str = "there is no route to the address from here";

/// Everything observed of one address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointAnswer {
    /// The address that was asked, without its port.
    pub address: String,
    /// Other addresses of the host, that were not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses_not_asked: Vec<String>,
    /// The name sent as SNI and used as reference identifier.
    pub server_name: String,
    /// How TLS begins: `smtp`, `imap`, `pop3`, `sieve` or `none`.
    pub starttls: String,
    /// `verdict` or `full`.
    pub mode: String,
    /// The service's own words, before TLS.
    pub dialogue: Dialogue,
    /// The contract's `state` word: `tls`, `starttls-not-offered`, `refused-421`, …
    pub state: String,
    /// Each ClientHello sent and what came back, in order.
    pub hellos: Vec<Hello>,
    /// The certificate chains served, leaf first, DER.
    pub chains: Vec<Vec<ReceivedBytes>>,
    /// Connections opened.
    pub connections: u32,
    /// What was found of each chain's trust when it was collected; one entry for each of `chains`.
    #[serde(default)]
    pub trust: Vec<ChainTrust>,
    /// The one whole handshake, where one was made.
    #[serde(default)]
    pub handshake: Option<Handshake>,
    /// What was seen inside that handshake; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<Inside>,
    /// Whether bytes sent in clear behind STARTTLS are acted on inside TLS (RFC 3207 §4.2):
    /// `vulnerable`, `not-vulnerable`, `not-tested` or `unknown`.
    #[serde(default = "not_tested")]
    pub injection: String,
    /// Why asking ended before everything was asked; `None` where it came to its end.
    #[serde(default)]
    pub cut_short: Option<NotObserved>,
}

fn not_tested() -> String {
    "not-tested".to_owned()
}

/// Whether a chain leads to a trusted root, found at collection because the roots (a file of the
/// user's, or Mozilla's of that day) are not part of the evidence. Dates and names are left aside:
/// they are judged from the certificates themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainTrust {
    pub trusted: bool,
    /// Why not; empty where it is trusted.
    pub why: String,
    /// `mozilla`, or `ca-file sha256:…`.
    pub roots: String,
}

/// One whole handshake: what two honest sides agree on, and whether the service proved that it
/// holds the certificate's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Handshake {
    Completed {
        /// On the wire: 0x0304 is TLS 1.3.
        version: u16,
        suite: u16,
        /// The key exchange group; `None` for RSA key transport.
        group: Option<u16>,
        /// Whether the signature with the certificate's key could be verified.
        key_proved: bool,
    },
    Failed {
        why: String,
    },
}

/// What the one whole handshake showed that cannot be seen from outside. Nothing is asked that needs a
/// name or a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inside {
    /// The greeting, where one comes inside TLS, and the reply to EHLO, CAPABILITY or CAPA. `None`
    /// where nothing was asked or nothing came.
    pub capabilities: Option<ReceivedBytes>,
    /// The first 16 KiB of the stapled OCSP response (RFC 6066 §8); `None` where there was none although it was asked for.
    pub staple: Option<ReceivedBytes>,
    /// The signature scheme by which the service proved its key.
    pub signature: Option<u16>,
    /// Whether the service answered something that was sent after the handshake, or ended the connection
    /// when asked to: what it sends unasked, such as tickets, comes before that. Older evidence does not say.
    #[serde(default)]
    pub had_its_turn: bool,
    /// Whether a session ticket came before the connection was left.
    pub tickets: bool,
    /// Bytes of early data that a ticket of TLS 1.3 allows (RFC 8446 §4.6.1); 0 where none is allowed.
    pub early_data: u32,
    /// Whether a client certificate was asked for.
    pub asks_certificate: bool,
}

/// What was said in clear before TLS, as received. `None` where it was not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialogue {
    pub greeting: Option<ReceivedBytes>,
    /// EHLO reply, CAPABILITY or CAPA lines.
    pub capabilities: Option<ReceivedBytes>,
    pub starttls_reply: Option<ReceivedBytes>,
}

/// One hand-made ClientHello and its reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The highest version offered, as on the wire: 0x0301 is TLS 1.0, 0x0002 is SSL 2.0.
    pub version: u16,
    /// Suites offered, in order (IANA code points). Empty for SSL 2.0, where all kinds are offered.
    pub suites: Vec<u16>,
    /// Groups offered, in order.
    pub groups: Vec<u16>,
    pub reply: HelloReply,
    /// What else was offered. Empty in evidence that was collected before it was recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    /// Signature schemes offered, where they were cut to a few; empty where all were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<u16>,
    /// Whether the service asked for a client certificate.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_certificate: bool,
    /// The ServerKeyExchange message (group, or Diffie-Hellman parameters), where one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_exchange: Option<ReceivedBytes>,
}

/// What a hello offers beside suites, groups and signature schemes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// DEFLATE beside no compression (RFC 3749).
    Compression,
    /// RFC 7366.
    EncryptThenMac,
    /// RFC 7627.
    ExtendedMasterSecret,
    /// The suite that says "this is a second try with an older version" (RFC 7507).
    FallbackScsv,
    /// RFC 5746, as extension or (in SSL 3.0) as suite.
    RenegotiationInfo,
    /// An empty session ticket (RFC 5077).
    SessionTicket,
    /// RFC 6066 §7.
    TruncatedHmac,
}

/// What came back for a ClientHello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum HelloReply {
    /// A TLS alert: level and description.
    Alert {
        level: u8,
        description: u8,
    },
    /// The connection was closed without a word.
    Closed,
    /// Not TLS at all, or nothing readable; the first bytes.
    Garbage {
        bytes: ReceivedBytes,
    },
    /// The connection was reset.
    Reset,
    /// A ServerHello (or HelloRetryRequest), as received, without the messages after it. For SSL
    /// 2.0 the whole server hello.
    ServerHello {
        bytes: ReceivedBytes,
    },
    TimedOut,
}

/// How a service answered as a whole: the contract's `state` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Limit,
    /// TLS is spoken, and nothing could be agreed on.
    NoTls,
    NotInScope,
    /// What answers speaks neither TLS nor the protocol of the port.
    NotTls,
    Refused421,
    Refused4xx,
    Refused554,
    Refused5xx,
    /// STARTTLS was accepted and no TLS followed.
    StarttlsBroken,
    StarttlsNotOffered,
    StarttlsRefused,
    StarttlsRefusedTemporary,
    /// Something on the way wrote over the STARTTLS keyword.
    StarttlsStripped,
    Timeout,
    Tls,
    Unreachable,
    Unresolved,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 17] = [
        Self::Limit,
        Self::NoTls,
        Self::NotInScope,
        Self::NotTls,
        Self::Refused421,
        Self::Refused4xx,
        Self::Refused554,
        Self::Refused5xx,
        Self::StarttlsBroken,
        Self::StarttlsNotOffered,
        Self::StarttlsRefused,
        Self::StarttlsRefusedTemporary,
        Self::StarttlsStripped,
        Self::Timeout,
        Self::Tls,
        Self::Unreachable,
        Self::Unresolved,
    ];

    /// The word of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::NoTls => "no-tls",
            Self::NotInScope => "not-in-scope",
            Self::NotTls => "not-tls",
            Self::Refused421 => "refused-421",
            Self::Refused4xx => "refused-4xx",
            Self::Refused554 => "refused-554",
            Self::Refused5xx => "refused-5xx",
            Self::StarttlsBroken => "starttls-broken",
            Self::StarttlsNotOffered => "starttls-not-offered",
            Self::StarttlsRefused => "starttls-refused",
            Self::StarttlsRefusedTemporary => "starttls-refused-temporary",
            Self::StarttlsStripped => "starttls-stripped",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Unreachable => "unreachable",
            Self::Unresolved => "unresolved",
        }
    }

    /// The state with a word; `None` for a word of a later version.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state of a service of which nothing was learned.
    pub const fn of_reason(reason: &NotObserved) -> Self {
        match reason {
            NotObserved::TimedOut { .. } => Self::Timeout,
            NotObserved::Limit { .. } => Self::Limit,
            NotObserved::NotInScope { .. } => Self::NotInScope,
            NotObserved::NotProvided { .. } => Self::Unresolved,
            NotObserved::AccessDenied { .. }
            | NotObserved::Interrupted
            | NotObserved::Lost { .. }
            | NotObserved::Refused { .. }
            | NotObserved::Unreadable { .. } => Self::Unreachable,
        }
    }

    /// Whether mail can pass there over TLS, where that is settled. Temporary refusals, limits and
    /// timeouts settle nothing.
    pub const fn has_tls(self) -> Option<bool> {
        match self {
            Self::Tls => Some(true),
            Self::NoTls
            | Self::NotTls
            | Self::StarttlsBroken
            | Self::StarttlsNotOffered
            | Self::StarttlsRefused
            | Self::StarttlsStripped => Some(false),
            Self::Limit
            | Self::NotInScope
            | Self::Refused421
            | Self::Refused4xx
            | Self::Refused554
            | Self::Refused5xx
            | Self::StarttlsRefusedTemporary
            | Self::Timeout
            | Self::Unreachable
            | Self::Unresolved => None,
        }
    }
}
