//! What the receiving lab saw, as `receive --format json` and as text for people.

use std::fmt::Write as _;

use serde::Serialize;

use crate::receive::{Conclusion, Seen, TlsState};

/// The whole result.
#[derive(Debug, Serialize)]
pub struct Received<'s> {
    pub schema: u32,
    pub kind: &'static str,
    pub servers: &'s [Seen],
    pub conclusion: &'s Conclusion,
    /// What the test does not show.
    pub notes: [&'static str; 2],
}

/// Said with every result.
const NOTES: [&str; 2] = [
    "The test shows what this sender did today with these servers; other routes of the same organization may differ.",
    "Anything but a message or a known sender at a server shows nothing: a message may be in a queue still.",
];

/// Puts the result together.
pub fn received<'s>(servers: &'s [Seen], conclusion: &'s Conclusion) -> Received<'s> {
    Received { schema: 1, kind: "received", servers, conclusion, notes: NOTES }
}

/// For people.
pub fn text(result: &Received<'_>) -> String {
    let mut out = format!("Outgoing TLS is {}.\n\n", result.conclusion.outgoing_tls.in_words());
    for (server, sentence) in result.servers.iter().zip(&result.conclusion.because) {
        let _ = writeln!(out, "{sentence}");
        for attempt in &server.attempts {
            let greeting = attempt.greeting.as_deref().unwrap_or("no greeting");
            let tls = match &attempt.tls {
                TlsState::Agreed { version, suite } => format!("{version} {suite}"),
                TlsState::Failed { why } => format!("TLS failed: {why}"),
                TlsState::Tls10Refused => "refused TLS 1.0".to_owned(),
                TlsState::Tls10Taken => "took TLS 1.0".to_owned(),
                TlsState::NotStarted => "no TLS".to_owned(),
            };
            let end = match &attempt.delivered {
                Some(delivery) if delivery.over_tls => "delivered over TLS",
                Some(_) => "delivered in clear",
                None => "delivered nothing",
            };
            let _ = writeln!(out, "    {} ({greeting}): {tls}; {end}", attempt.from);
        }
    }
    let left_out: u64 = result.servers.iter().map(|server| server.attempts_left_out).sum();
    if left_out > 0 {
        let _ = writeln!(out, "{left_out} more visits without a message are not listed.");
    }
    let _ = writeln!(out, "\nDANE (RFC 7672): {}", result.conclusion.dane.in_words());
    let _ = writeln!(out, "MTA-STS (RFC 8461): {}", result.conclusion.mta_sts.in_words());
    let old = match result.conclusion.takes_tls_1_0 {
        Some(true) => "taken",
        Some(false) => "refused",
        None => "not shown by this test",
    };
    let _ = writeln!(out, "TLS 1.0: {old}\n");
    for note in result.notes {
        let _ = writeln!(out, "{note}");
    }
    out
}
