//! Writes ClientHello messages by hand, for versions and suites that no TLS library offers any more.
//!
//! No cryptography: nothing sent here can be completed into a handshake. A TLS 1.3 hello carries an
//! empty key_share (RFC 8446 §4.2.8), which every server answers with its suite and group.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

use crate::evidence::endpoint::Beside;
use crate::records::cipher_suites::{FALLBACK_SCSV, SSL2_KINDS};
use crate::records::server_hello::extension;
use crate::records::tls_picture::Version;

/// What one hello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The only version offered.
    pub version: Version,
    /// Suites, most wanted first.
    pub suites: Vec<u16>,
    /// Groups, most wanted first. SSL cannot offer any.
    pub groups: Vec<u16>,
    /// What else is offered.
    pub beside: Vec<Beside>,
    /// The only signature schemes offered; all of them where this is empty.
    pub signatures: Vec<u16>,
}

impl Offer {
    /// An offer as clients make it.
    pub fn new(version: Version, suites: Vec<u16>, groups: Vec<u16>) -> Self {
        let beside = match version {
            Version::Ssl2 => Vec::new(),
            Version::Ssl3 => vec![Beside::RenegotiationInfo],
            Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2 => vec![
                Beside::EncryptThenMac,
                Beside::ExtendedMasterSecret,
                Beside::RenegotiationInfo,
                Beside::SessionTicket,
            ],
            Version::Tls1_3 => vec![Beside::ExtendedMasterSecret, Beside::RenegotiationInfo],
        };
        Self { version, suites, groups, beside, signatures: Vec::new() }
    }

    /// The same with what nobody should agree to any more, where the version has it.
    pub fn tempting(mut self) -> Self {
        if matches!(self.version, Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2) {
            self.beside.extend([Beside::Compression, Beside::TruncatedHmac]);
        }
        self
    }

    /// The same as a second try after a newer version failed.
    pub fn as_fallback(mut self) -> Self {
        self.beside.push(Beside::FallbackScsv);
        self
    }

    /// The same with these signature schemes alone.
    pub fn signed_by(mut self, signatures: Vec<u16>) -> Self {
        self.signatures = signatures;
        self
    }

    fn offers(&self, what: Beside) -> bool {
        self.beside.contains(&what)
    }
}

/// The whole message on the wire, in one record.
pub fn write(offer: &Offer, server_name: &str) -> Vec<u8> {
    match offer.version {
        Version::Ssl2 => ssl2(),
        Version::Ssl3 | Version::Tls1_0 | Version::Tls1_1 | Version::Tls1_2 | Version::Tls1_3 => {
            client_hello(offer, server_name)
        }
    }
}

fn client_hello(offer: &Offer, server_name: &str) -> Vec<u8> {
    let tls13 = offer.version == Version::Tls1_3;
    let ssl3 = offer.version == Version::Ssl3;
    let mut body = Vec::with_capacity(512);
    // TLS 1.3 says its version in an extension (RFC 8446 §4.1.2).
    let legacy = if tls13 { Version::Tls1_2.wire() } else { offer.version.wire() };
    body.extend(legacy.to_be_bytes());
    body.extend(random());
    if tls13 {
        // A session id makes servers and middleboxes take it for a resumption (RFC 8446 appendix D.4).
        body.push(32);
        body.extend(random());
    } else {
        body.push(0);
    }
    let mut suites: Vec<u8> = offer.suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    if ssl3 && offer.offers(Beside::RenegotiationInfo) {
        // TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 §3.3), as SSL has no extensions.
        suites.extend([0x00, 0xff]);
    }
    if offer.offers(Beside::FallbackScsv) {
        suites.extend(FALLBACK_SCSV.to_be_bytes());
    }
    put_u16(&mut body, &suites);
    // Compression: none, or DEFLATE and none (RFC 3749 §2).
    body.extend(if offer.offers(Beside::Compression) { &[2, 1, 0][..] } else { &[1, 0] });
    if !ssl3 {
        put_u16(&mut body, &extensions(offer, server_name));
    }
    let mut message = vec![1];
    message.extend(&u32::try_from(body.len()).expect("a hello is small").to_be_bytes()[1..]);
    message.extend(body);
    let mut record = vec![22, 3, u8::from(!ssl3)];
    put_u16(&mut record, &message);
    record
}

/// Signature schemes, so that a certificate of any kind can be shown (RFC 8446 §4.2.3).
pub const SIGNATURES: [u16; 24] = [
    0x0403, 0x0804, 0x0401, 0x0807, 0x0503, 0x0805, 0x0501, 0x0808, 0x0603, 0x0806, 0x0601, 0x0809, 0x080a, 0x080b,
    0x081a, 0x081b, 0x081c, 0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0302, 0x0202,
];

fn extensions(offer: &Offer, server_name: &str) -> Vec<u8> {
    let tls13 = offer.version == Version::Tls1_3;
    let mut out = Vec::with_capacity(256);
    // An address is no host name (RFC 6066 §3).
    if !server_name.is_empty() && server_name.parse::<IpAddr>().is_err() && server_name.len() < 256 {
        let mut name = vec![0];
        put_u16(&mut name, server_name.trim_end_matches('.').as_bytes());
        let mut list = Vec::new();
        put_u16(&mut list, &name);
        put_extension(&mut out, 0, &list);
    }
    for (what, number, body) in [
        (Beside::TruncatedHmac, extension::TRUNCATED_HMAC, &[][..]),
        (Beside::EncryptThenMac, extension::ENCRYPT_THEN_MAC, &[]),
        (Beside::ExtendedMasterSecret, extension::EXTENDED_MASTER_SECRET, &[]),
        (Beside::SessionTicket, extension::SESSION_TICKET, &[]),
        (Beside::RenegotiationInfo, extension::RENEGOTIATION_INFO, &[0]),
    ] {
        if offer.offers(what) {
            put_extension(&mut out, number, body);
        }
    }
    if !offer.groups.is_empty() {
        put_extension(&mut out, 10, &list_of(&offer.groups));
        // ec_point_formats: uncompressed (RFC 8422 §5.1.2).
        put_extension(&mut out, 11, &[1, 0]);
    }
    if offer.version >= Version::Tls1_2 {
        let signatures = if offer.signatures.is_empty() { &SIGNATURES[..] } else { &offer.signatures };
        put_extension(&mut out, 13, &list_of(signatures));
    }
    if tls13 {
        put_extension(&mut out, 43, &[2, 3, 4]);
        put_extension(&mut out, 45, &[1, 1]);
        put_extension(&mut out, 51, &[0, 0]);
    }
    out
}

fn list_of(values: &[u16]) -> Vec<u8> {
    let mut list = Vec::with_capacity(values.len() * 2 + 2);
    put_u16(&mut list, &values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<_>>());
    list
}

fn put_u16(into: &mut Vec<u8>, bytes: &[u8]) {
    into.extend(u16::try_from(bytes.len()).expect("parts of a hello are small").to_be_bytes());
    into.extend(bytes);
}

fn put_extension(into: &mut Vec<u8>, number: u16, body: &[u8]) {
    into.extend(number.to_be_bytes());
    put_u16(into, body);
}

/// The one hello of SSL 2.0, with every cipher kind.
fn ssl2() -> Vec<u8> {
    let kinds: Vec<u8> = SSL2_KINDS.iter().flat_map(|(kind, _)| kind.to_be_bytes().into_iter().skip(1)).collect();
    let challenge = &random()[..16];
    let mut body = vec![1, 0, 2];
    for part in [kinds.len(), 0, challenge.len()] {
        body.extend(u16::try_from(part).expect("parts of a hello are small").to_be_bytes());
    }
    body.extend(kinds);
    body.extend(challenge);
    let length = u16::try_from(body.len()).expect("a hello is small") | 0x8000;
    [&length.to_be_bytes()[..], &body].concat()
}

/// Bytes that differ each time. They protect nothing: no key is ever made from them.
fn random() -> [u8; 32] {
    let state = RandomState::new();
    let mut bytes = [0; 32];
    for (index, piece) in bytes.chunks_mut(8).enumerate() {
        let mut hasher = state.build_hasher();
        hasher.write_usize(index);
        piece.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::tls_groups;

    fn offer(version: Version) -> Offer {
        Offer::new(version, vec![0xc02f, 0x002f], vec![29, 23])
    }

    #[test]
    fn lengths_hold_in_every_version() {
        for version in [Version::Ssl3, Version::Tls1_0, Version::Tls1_1, Version::Tls1_2, Version::Tls1_3] {
            let bytes = write(&offer(version), "mx.clinic.example");
            assert_eq!(bytes[0], 22);
            assert_eq!(usize::from(u16::from_be_bytes([bytes[3], bytes[4]])), bytes.len() - 5);
            assert_eq!(u32::from_be_bytes([0, bytes[6], bytes[7], bytes[8]]) as usize, bytes.len() - 9);
        }
    }

    #[test]
    fn what_is_offered_beside_is_on_the_wire_and_nowhere_else() {
        let has = |offer: &Offer, piece: &[u8]| write(offer, "").windows(piece.len()).any(|window| window == piece);
        let plain = offer(Version::Tls1_2);
        let tempting = plain.clone().tempting();
        // Compression methods, and the extension truncated_hmac.
        for piece in [&[0x00, 0x2f, 2, 1, 0][..], &[0, 4, 0, 0]] {
            assert!(has(&tempting, piece) && !has(&plain, piece), "{piece:?}");
        }
        assert!(has(&plain.clone().as_fallback(), &[0x00, 0x2f, 0x56, 0x00]) && !has(&plain, &[0x56, 0x00]));
        let signed = plain.clone().signed_by(vec![0x0201]);
        assert!(has(&signed, &[0, 13, 0, 4, 0, 2, 2, 1]) && !has(&plain, &[0, 13, 0, 4, 0, 2, 2, 1]));
        assert_eq!(offer(Version::Tls1_3).tempting(), offer(Version::Tls1_3), "TLS 1.3 has neither");
    }

    #[test]
    fn ssl_has_no_extensions_and_an_address_is_no_server_name() {
        let ssl = write(&offer(Version::Ssl3), "mx.clinic.example");
        // Header 9, version 2, random 32, session 1, suites 2 + 6, compression 2.
        assert_eq!(ssl.len(), 54);
        let named = write(&offer(Version::Tls1_2), "mx.clinic.example");
        let address = write(&offer(Version::Tls1_2), "192.0.2.1");
        assert!(named.windows(17).any(|window| window == b"mx.clinic.example"));
        assert!(!address.windows(9).any(|window| window == b"192.0.2.1"));
    }

    #[test]
    fn a_real_server_reads_the_hello_and_picks_from_it() {
        use crate::records::server_hello::{FlightReader, read_server_hello};
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["mx.clinic.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let config = std::sync::Arc::new(config);
        for (version, suites, groups) in [
            (Version::Tls1_3, vec![0x1302], tls_groups::TLS13.to_vec()),
            (Version::Tls1_2, vec![0xc02c], tls_groups::TLS12.to_vec()),
        ] {
            let bytes = write(&Offer::new(version, suites.clone(), groups).tempting(), "mx.clinic.example");
            let mut server = rustls::ServerConnection::new(config.clone()).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            let mut answer = Vec::new();
            server.write_tls(&mut answer).unwrap();
            let mut reader = FlightReader::default();
            assert_eq!(reader.push(&answer), Ok(true), "{version:?}");
            let hello = read_server_hello(reader.flight().server_hello.as_ref().unwrap()).unwrap();
            assert_eq!((hello.version, hello.suite), (version.wire(), suites[0]));
        }
    }
}
