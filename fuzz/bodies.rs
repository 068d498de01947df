//! What each fuzz target does with bytes from outside. The same functions are run over the stored
//! corpora by the ordinary tests.

use mailassay::evidence::ReceivedBytes;
use mailassay::evidence::endpoint::{Beside, Dialogue, EndpointAnswer, Hello, HelloReply};
use mailassay::names::DomainName;
use mailassay::records::cipher_suites::NOBODY_HAS;
use mailassay::records::tls_picture::picture;
use mailassay::records::tls_traits::traits;
use mailassay::records::{certificate, dkim, dmarc, mta_sts, server_hello, smtp_reply, spf};

/// Reads bytes from outside; only a fault of ours stops it.
pub type Body = fn(&[u8]);

/// The target of a name.
pub fn by_name(name: &str) -> Option<Body> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, body)| *body)
}

/// Every target.
pub const TARGETS: [(&str, Body); 7] = [
    ("certificate", certificate),
    ("dkim", dkim),
    ("dmarc", dmarc),
    ("mta_sts", mta_sts),
    ("server_hello", server_hello),
    ("smtp_reply", smtp_reply),
    ("spf", spf),
];

pub fn certificate(bytes: &[u8]) {
    if let Ok(read) = certificate::read(bytes) {
        let _ = certificate::in_order([bytes, bytes]);
        let _ = (read.strength(), read.is_for("mail.clinic.example"), read.is_for("192.0.2.1"));
    }
}

pub fn dkim(bytes: &[u8]) {
    let _ = dkim::parse(&String::from_utf8_lossy(bytes));
}

pub fn dmarc(bytes: &[u8]) {
    let _ = dmarc::parse(&String::from_utf8_lossy(bytes));
}

pub fn mta_sts(bytes: &[u8]) {
    if let Ok(policy) = mta_sts::parse_policy(bytes) {
        for pattern in &policy.mx {
            let _ = mta_sts::matches(&pattern.to_string(), "mail.clinic.example");
        }
    }
}

/// Bytes from a server: in pieces and whole they give the same flight, and whatever they are, a picture
/// is made of them.
pub fn server_hello(bytes: &[u8]) {
    let (Some((&size, bytes)), mut pieces, mut whole) =
        (bytes.split_first(), server_hello::FlightReader::default(), server_hello::FlightReader::default())
    else {
        return;
    };
    let in_pieces = bytes.chunks(usize::from(size).max(1)).try_for_each(|piece| pieces.push(piece).map(drop));
    let at_once = whole.push(bytes);
    if in_pieces.is_ok() && at_once.is_ok() {
        assert_eq!(pieces.flight(), whole.flight(), "segments do not matter");
    }
    let _ = server_hello::read_ssl2_hello(bytes);
    for finite_field in [false, true] {
        let _ = server_hello::read_key_exchange(bytes, finite_field);
        let _ = server_hello::read_signature_scheme(bytes, finite_field);
    }
    let flight = whole.into_flight();
    let hello = |version: u16, suites: Vec<u16>, reply: HelloReply| Hello {
        version,
        suites,
        groups: vec![0x001d],
        reply,
        beside: vec![Beside::EncryptThenMac, Beside::RenegotiationInfo],
        signatures: Vec::new(),
        asks_certificate: flight.asks_certificate,
        key_exchange: flight.key_exchange.clone().map(ReceivedBytes),
    };
    let chosen = HelloReply::ServerHello { bytes: ReceivedBytes(flight.server_hello.clone().unwrap_or_default()) };
    let raw = HelloReply::ServerHello { bytes: ReceivedBytes(bytes.to_vec()) };
    let hellos = vec![
        hello(0x0303, vec![NOBODY_HAS], HelloReply::Closed),
        hello(0x0303, vec![0xc02f, 0x0033, 0x0018], chosen.clone()),
        hello(0x0304, vec![0x1301, 0x1302], chosen),
        hello(0x0303, vec![0xc02f], raw.clone()),
        hello(0x0002, Vec::new(), raw),
    ];
    let answer = EndpointAnswer { hellos, ..EndpointAnswer::default() };
    let picture = picture(&answer);
    for version in picture.versions.values() {
        let _ = version.suite_names();
    }
    let _ = traits(&answer, &picture);
}

pub fn smtp_reply(bytes: &[u8]) {
    let _ = smtp_reply::read_line(bytes);
    if let Ok(reply) = smtp_reply::read_reply(bytes) {
        let _ = smtp_reply::keywords(&reply);
    }
    for protocol in ["smtp", "imap", "pop3", "sieve"] {
        let received = || Some(ReceivedBytes(bytes.to_vec()));
        let dialogue = Dialogue { greeting: received(), capabilities: received(), starttls_reply: None };
        let _ = mailassay::records::plain_offer::sends_passwords_in_clear(protocol, &dialogue);
        let _ = mailassay::records::plain_offer::offers_starttls_again(protocol, bytes);
    }
}

pub fn spf(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (spf::is_lookalike(&text), spf::explanation(&text));
    let _ = spf::parse(&text);
    let _ = text.parse::<DomainName>();
}
