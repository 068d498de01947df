//! What DNS and HTTPS answered, as received.

use serde::{Deserialize, Serialize};

use super::ReceivedBytes;

/// A DNS answer. NXDOMAIN and an empty answer are answers; SERVFAIL and a timeout are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsAnswer {
    /// The server asked, `127.0.0.1:53`.
    pub server: String,
    /// `udp` or `tcp`; empty in evidence that was collected before this was written down.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transport: String,
    /// The response code's mnemonic: `NOERROR`, `NXDOMAIN`.
    pub rcode: String,
    /// What DNSSEC says of the answer: `secure`, `insecure`, `bogus` or `indeterminate`.
    pub dnssec: String,
    /// The whole message (RFC 1035 §4).
    pub message: ReceivedBytes,
}

/// What an HTTPS GET brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpsAnswer {
    /// `None` where TLS failed before HTTP began; `failure` then says how.
    pub status: Option<u16>,
    /// The `Content-Type` header, as received.
    pub content_type: Option<ReceivedBytes>,
    /// The `Location` header; redirects are never followed.
    pub location: Option<ReceivedBytes>,
    /// At most 64 KiB and one byte, so that too large a body can be told.
    pub body: ReceivedBytes,
    /// Why the certificate was not accepted, or how HTTP failed.
    pub failure: Option<HttpsFailure>,
}

/// How an HTTPS fetch failed although the host was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum HttpsFailure {
    Certificate { why: String },
    Protocol { why: String },
    TimedOut { after_ms: u64 },
    TooLarge { limit: u64 },
}
