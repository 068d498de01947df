//! What one mail or web service said: its dialogue before TLS, each hello and its reply, the
//! certificates it served.

use serde::{Deserialize, Serialize};

use super::ReceivedBytes;

/// Everything observed of one address and port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointAnswer {
    /// The address that was asked, without its port.
    pub address: String,
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
    /// The highest version offered, as on the wire: 0x0301 is TLS 1.0.
    pub version: u16,
    /// Suites offered, in order (IANA code points).
    pub suites: Vec<u16>,
    /// Groups offered, in order.
    pub groups: Vec<u16>,
    pub reply: HelloReply,
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
    /// A ServerHello (or HelloRetryRequest), as received, without the messages after it.
    ServerHello {
        bytes: ReceivedBytes,
    },
    TimedOut,
}
