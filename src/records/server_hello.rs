//! Reads what a server sends in answer to a ClientHello: records, alerts, ServerHello,
//! HelloRetryRequest, and (up to TLS 1.2, where they come in clear) Certificate and
//! ServerKeyExchange.
//!
//! Pure and bounded, with no cryptography: bytes in, the parts of the flight out. Nothing here
//! decides whether a reply means "refused".

/// A flight larger than this is given up (the largest honest ones carry a few certificates).
pub const MAX_FLIGHT: usize = 256 * 1024;
/// A certificate chain longer than this is cut here.
const MAX_CHAIN: usize = 16;

/// SHA-256 of "HelloRetryRequest", the random that marks one (RFC 8446 §4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Numbers of extensions that a server's answer is read for (IANA "TLS ExtensionType Values").
pub mod extension {
    /// RFC 6066 §7.
    pub const TRUNCATED_HMAC: u16 = 4;
    /// RFC 7366.
    pub const ENCRYPT_THEN_MAC: u16 = 22;
    /// RFC 7627.
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    /// RFC 5077.
    pub const SESSION_TICKET: u16 = 35;
    /// RFC 5746.
    pub const RENEGOTIATION_INFO: u16 = 0xff01;
}

/// Why bytes are not a server's flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlightFault {
    #[error("the bytes are not TLS records (RFC 8446 §5.1)")]
    NotTls,
    #[error("the handshake is larger than {MAX_FLIGHT} bytes")]
    TooLarge,
    #[error("a handshake message breaks its own length")]
    Broken,
}

/// A server's first flight, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// Level and description of the first alert.
    pub alert: Option<(u8, u8)>,
    /// The ServerHello message, with its four header bytes.
    pub server_hello: Option<Vec<u8>>,
    /// The certificates, leaf first, DER.
    pub certificates: Option<Vec<Vec<u8>>>,
    /// The ServerKeyExchange message, with its four header bytes.
    pub key_exchange: Option<Vec<u8>>,
    /// Whether the server asked for a client certificate.
    pub asks_certificate: bool,
    /// Whether nothing more is to be read.
    pub complete: bool,
}

/// Reads a flight piece by piece. Every byte is looked at a bounded number of times.
#[derive(Debug, Default)]
pub struct FlightReader {
    record: Vec<u8>,
    handshake: Vec<u8>,
    taken: usize,
    flight: Flight,
}

impl FlightReader {
    /// What was read so far.
    pub fn flight(&self) -> &Flight {
        &self.flight
    }

    /// As [`Self::flight`], at the end of reading.
    pub fn into_flight(self) -> Flight {
        self.flight
    }

    /// Takes the next bytes from the wire. True when the flight is complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<bool, FlightFault> {
        if self.flight.complete {
            return Ok(true);
        }
        self.taken = self.taken.saturating_add(bytes.len());
        if self.taken > MAX_FLIGHT {
            return Err(FlightFault::TooLarge);
        }
        self.record.extend_from_slice(bytes);
        let mut start = 0;
        while let Some((kind, payload, next)) = next_record(&self.record, start)? {
            match kind {
                ALERT => {
                    if let [level, description, ..] = *payload {
                        self.flight.alert = Some((level, description));
                    }
                    // A warning about the name (unrecognized_name) comes before a ServerHello.
                    if !matches!(payload, [1, 112, ..]) {
                        self.flight.complete = true;
                    }
                }
                HANDSHAKE => {
                    self.handshake.extend_from_slice(payload);
                    // At once, so that nothing behind the end is looked at however it is cut.
                    take_messages(&mut self.handshake, &mut self.flight)?;
                }
                // What follows is encrypted: the flight in clear is over.
                _ => self.flight.complete = true,
            }
            start = next;
            if self.flight.complete {
                break;
            }
        }
        self.record.drain(..start);
        Ok(self.flight.complete)
    }
}

fn take_messages(handshake: &mut Vec<u8>, flight: &mut Flight) -> Result<(), FlightFault> {
    let mut start = 0;
    while let Some((kind, message, next)) = next_message(handshake, start)? {
        match kind {
            SERVER_HELLO if flight.server_hello.is_none() => {
                let hello = read_server_hello(message).ok_or(FlightFault::Broken)?;
                flight.server_hello = Some(message.to_vec());
                if hello.version >= 0x0304 {
                    flight.complete = true;
                }
            }
            CERTIFICATE if flight.certificates.is_none() => {
                flight.certificates = Some(read_certificates(message).ok_or(FlightFault::Broken)?);
            }
            SERVER_KEY_EXCHANGE => flight.key_exchange = Some(message.to_vec()),
            CERTIFICATE_REQUEST => flight.asks_certificate = true,
            SERVER_HELLO_DONE => flight.complete = true,
            _ => {}
        }
        start = next;
        if flight.complete {
            break;
        }
    }
    handshake.drain(..start);
    Ok(())
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;

/// A kind, its bytes and where the next one begins; `None` while it is not all there.
type Next<'a> = Result<Option<(u8, &'a [u8], usize)>, FlightFault>;

/// The record that begins at `start`.
fn next_record(bytes: &[u8], start: usize) -> Next<'_> {
    let rest = bytes.get(start..).unwrap_or_default();
    // Each byte is judged as soon as it is there, so that a text banner is not waited on.
    if rest.first().is_some_and(|kind| !(20..=23).contains(kind)) || rest.get(1).is_some_and(|&major| major != 3) {
        return Err(FlightFault::NotTls);
    }
    let [kind, _, _, high, low, after @ ..] = rest else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    // 2^14 and what encryption may add (RFC 5246 §6.2.3).
    if length > 16_384 + 2048 {
        return Err(FlightFault::NotTls);
    }
    Ok(after.get(..length).map(|payload| (*kind, payload, start + 5 + length)))
}

fn next_message(bytes: &[u8], start: usize) -> Next<'_> {
    let rest = bytes.get(start..).unwrap_or_default();
    let [kind, a, b, c, ..] = *rest else { return Ok(None) };
    let length = u24([a, b, c]);
    if length > MAX_FLIGHT {
        return Err(FlightFault::TooLarge);
    }
    Ok(rest.get(..4 + length).map(|message| (kind, message, start + 4 + length)))
}

fn u24([a, b, c]: [u8; 3]) -> usize {
    usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)
}

/// A ServerHello or HelloRetryRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHello {
    /// The version agreed on, on the wire: 0x0304 is TLS 1.3.
    pub version: u16,
    /// The suite agreed on.
    pub suite: u16,
    /// The group of the key share or of the retry request (TLS 1.3).
    pub group: Option<u16>,
    pub retry: bool,
    /// The compression method; 0 is none (RFC 9325 §3.3).
    pub compression: u8,
    /// Extensions echoed, by number, in order.
    pub extensions: Vec<u16>,
}

/// Reads a ServerHello message with its header (RFC 5246 §7.4.1.3, RFC 8446 §4.1.3). `None` where it
/// breaks its own lengths.
pub fn read_server_hello(message: &[u8]) -> Option<ServerHello> {
    let mut input = Input(message);
    let [kind, a, b, c] = input.array()?;
    if kind != SERVER_HELLO || u24([a, b, c]) != input.0.len() {
        return None;
    }
    let legacy_version = input.u16()?;
    let random: [u8; 32] = input.array()?;
    let session = usize::from(input.u8()?);
    if session > 32 {
        return None;
    }
    input.take(session)?;
    let suite = input.u16()?;
    let compression = input.u8()?;
    let retry = random == RETRY_RANDOM;
    let mut hello =
        ServerHello { version: legacy_version, suite, group: None, retry, compression, extensions: Vec::new() };
    if input.0.is_empty() {
        return Some(hello);
    }
    let length = usize::from(input.u16()?);
    if length != input.0.len() {
        return None;
    }
    while !input.0.is_empty() {
        let number = input.u16()?;
        let length = usize::from(input.u16()?);
        let body = input.take(length)?;
        hello.extensions.push(number);
        match number {
            // supported_versions
            43 => hello.version = u16::from_be_bytes(body.try_into().ok()?),
            // key_share: the group comes first in both forms.
            51 => hello.group = Some(Input(body).u16()?),
            _ => {}
        }
    }
    Some(hello)
}

fn read_certificates(message: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut input = Input(message.get(4..)?);
    let length = u24(input.array()?);
    let mut list = Input(input.take(length)?);
    let mut chain = Vec::new();
    while !list.0.is_empty() && chain.len() < MAX_CHAIN {
        let length = u24(list.array()?);
        chain.push(list.take(length)?.to_vec());
    }
    Some(chain)
}

/// The parameters of an ephemeral key exchange (RFC 5246 §7.4.3, RFC 8422 §5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyExchangeParameters {
    /// Diffie-Hellman: the prime, without leading zeros.
    Dh { prime: Vec<u8> },
    /// A named elliptic curve.
    Ecdh { group: u16 },
}

/// Reads a ServerKeyExchange message with its header; `finite_field` says whether the suite is one of
/// finite-field Diffie-Hellman. `None` where it is anything else.
pub fn read_key_exchange(message: &[u8], finite_field: bool) -> Option<KeyExchangeParameters> {
    let mut input = Input(message);
    let [kind, a, b, c] = input.array()?;
    if kind != SERVER_KEY_EXCHANGE || u24([a, b, c]) != input.0.len() {
        return None;
    }
    if finite_field {
        let length = usize::from(input.u16()?);
        let prime = input.take(length)?;
        let zeros = prime.iter().take_while(|&&byte| byte == 0).count();
        let prime = prime[zeros..].to_vec();
        return (!prime.is_empty()).then_some(KeyExchangeParameters::Dh { prime });
    }
    // named_curve
    (input.u8()? == 3).then_some(())?;
    Some(KeyExchangeParameters::Ecdh { group: input.u16()? })
}

/// The signature scheme under the parameters of a ServerKeyExchange of TLS 1.2 (RFC 5246 §7.4.3); older
/// versions do not name theirs. `None` where nothing is signed, or it cannot be read.
pub fn read_signature_scheme(message: &[u8], finite_field: bool) -> Option<u16> {
    let mut input = Input(message);
    let [kind, a, b, c] = input.array()?;
    if kind != SERVER_KEY_EXCHANGE || u24([a, b, c]) != input.0.len() {
        return None;
    }
    if finite_field {
        // Prime, generator, public value.
        for _ in 0..3 {
            let length = usize::from(input.u16()?);
            input.take(length)?;
        }
    } else {
        // named_curve, the curve, the public point.
        (input.u8()? == 3).then_some(())?;
        input.u16()?;
        let length = usize::from(input.u8()?);
        input.take(length)?;
    }
    input.u16()
}

/// An SSL 2.0 server hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssl2Hello {
    /// The cipher kinds that both sides have.
    pub kinds: Vec<u32>,
    /// The certificate, DER; empty where there is none.
    pub certificate: Vec<u8>,
}

/// How far an SSL 2.0 server hello could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ssl2Progress {
    NeedMore,
    NotSsl2,
    Read(Ssl2Hello),
}

/// Reads an SSL 2.0 server hello with its two- or three-byte record header.
pub fn read_ssl2_hello(bytes: &[u8]) -> Ssl2Progress {
    let [first, second, rest @ ..] = bytes else { return Ssl2Progress::NeedMore };
    let (length, body) = if first & 0x80 != 0 {
        (usize::from(first & 0x7f) << 8 | usize::from(*second), rest)
    } else {
        let Some((_, body)) = rest.split_first() else { return Ssl2Progress::NeedMore };
        (usize::from(first & 0x3f) << 8 | usize::from(*second), body)
    };
    // SERVER-HELLO is message 4, and its version is 0x0002.
    let plausible = length >= 11
        && body.first().is_none_or(|&kind| kind == 4)
        && body.get(3).is_none_or(|&high| high == 0)
        && body.get(4).is_none_or(|&low| low == 2);
    if !plausible {
        return Ssl2Progress::NotSsl2;
    }
    let Some(body) = body.get(..length) else { return Ssl2Progress::NeedMore };
    let read = || {
        let mut input = Input(body.get(5..)?);
        let certificate = usize::from(input.u16()?);
        let kinds = usize::from(input.u16()?);
        let _connection_id = input.u16()?;
        let certificate = input.take(certificate)?.to_vec();
        let kinds = input.take(kinds)?;
        let kinds = kinds.as_chunks::<3>().0.iter().map(|&[a, b, c]| u32::from_be_bytes([0, a, b, c])).collect();
        Some(Ssl2Hello { kinds, certificate })
    };
    read().map_or(Ssl2Progress::NotSsl2, Ssl2Progress::Read)
}

/// A reader that never goes past its end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A ServerHello message for tests.
    pub(crate) fn server_hello(version: u16, suite: u16, group: Option<u16>) -> Vec<u8> {
        let tls13 = version == 0x0304;
        let mut body = if tls13 { 0x0303 } else { version }.to_be_bytes().to_vec();
        body.extend(if tls13 { RETRY_RANDOM } else { [7; 32] });
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(0);
        if tls13 {
            let mut extensions = vec![0, 43, 0, 2, 3, 4];
            if let Some(group) = group {
                extensions.extend([0, 51, 0, 2]);
                extensions.extend(group.to_be_bytes());
            }
            body.extend((extensions.len() as u16).to_be_bytes());
            body.extend(extensions);
        }
        message(SERVER_HELLO, &body)
    }

    /// A ServerKeyExchange of TLS 1.2 on a named curve for tests.
    pub(crate) fn signed_ecdh_exchange(group: u16, scheme: u16) -> Vec<u8> {
        let mut body = vec![3];
        body.extend(group.to_be_bytes());
        body.extend([1, 4]);
        body.extend(scheme.to_be_bytes());
        body.extend([0, 1, 9]);
        message(SERVER_KEY_EXCHANGE, &body)
    }

    /// A ServerHello of TLS 1.2 with extensions for tests.
    pub(crate) fn server_hello_with(suite: u16, compression: u8, extensions: &[u16]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.push(0);
        body.extend(suite.to_be_bytes());
        body.push(compression);
        let list: Vec<u8> = extensions.iter().flat_map(|number| [number.to_be_bytes(), [0, 0]].concat()).collect();
        body.extend((list.len() as u16).to_be_bytes());
        body.extend(list);
        message(SERVER_HELLO, &body)
    }

    /// As [`signed_ecdh_exchange`], without a signature.
    pub(crate) fn ecdh_exchange(group: u16) -> Vec<u8> {
        let mut body = vec![3];
        body.extend(group.to_be_bytes());
        body.extend([1, 4]);
        message(SERVER_KEY_EXCHANGE, &body)
    }

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend(&(body.len() as u32).to_be_bytes()[1..]);
        message.extend(body);
        message
    }

    fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 3, 3];
        record.extend((payload.len() as u16).to_be_bytes());
        record.extend(payload);
        record
    }

    fn whole_flight() -> Vec<u8> {
        let mut flight = server_hello(0x0303, 0xc02f, None);
        let certificate = [&[0, 0, 6, 0, 0, 3][..], &[0x30, 1, 0]].concat();
        flight.extend(message(CERTIFICATE, &certificate));
        flight.extend(ecdh_exchange(29));
        flight.extend(message(SERVER_HELLO_DONE, &[]));
        flight
    }

    #[test]
    fn what_follows_a_complete_flight_is_not_looked_at() {
        let bytes = [record(HANDSHAKE, &server_hello(0x0304, 0x1301, Some(29))), record(ALERT, &[2, 40])].concat();
        let (mut whole, mut pieces) = (FlightReader::default(), FlightReader::default());
        assert_eq!(whole.push(&bytes), Ok(true));
        bytes.chunks(3).for_each(|piece| assert!(pieces.push(piece).is_ok()));
        assert_eq!(whole.flight().alert, None);
        assert_eq!(whole.flight(), pieces.flight());
    }

    #[test]
    fn a_flight_reads_the_same_in_one_record_or_byte_by_byte_in_many() {
        let messages = whole_flight();
        let mut whole = FlightReader::default();
        assert_eq!(whole.push(&record(HANDSHAKE, &messages)), Ok(true));
        let mut pieces = FlightReader::default();
        let small: Vec<u8> = messages.chunks(3).flat_map(|piece| record(HANDSHAKE, piece)).collect();
        for byte in small {
            pieces.push(&[byte]).unwrap();
        }
        assert_eq!(whole.flight(), pieces.flight());
        let flight = whole.into_flight();
        assert_eq!(flight.certificates, Some(vec![vec![0x30, 1, 0]]));
        let exchange = read_key_exchange(&flight.key_exchange.unwrap(), false);
        assert_eq!(exchange, Some(KeyExchangeParameters::Ecdh { group: 29 }));
    }

    #[test]
    fn a_retry_request_gives_version_suite_and_group() {
        let hello = read_server_hello(&server_hello(0x0304, 0x1301, Some(0x11ec))).unwrap();
        assert_eq!((hello.version, hello.suite, hello.group, hello.retry), (0x0304, 0x1301, Some(0x11ec), true));
    }

    #[test]
    fn text_is_not_waited_on_as_if_it_were_tls() {
        assert_eq!(FlightReader::default().push(b"2"), Err(FlightFault::NotTls));
        assert_eq!(FlightReader::default().push(&[22, b'x']), Err(FlightFault::NotTls));
    }

    #[test]
    fn an_endless_flight_is_given_up() {
        let mut reader = FlightReader::default();
        let piece = record(HANDSHAKE, &message(20, &[0; 4000]));
        let end = (0..1000).find_map(|_| reader.push(&piece).err());
        assert_eq!(end, Some(FlightFault::TooLarge));
    }

    #[test]
    fn the_scheme_stands_behind_the_parameters() {
        let curve = message(SERVER_KEY_EXCHANGE, &[3, 0, 29, 2, 9, 9, 8, 4, 0, 1, 5]);
        assert_eq!(read_signature_scheme(&curve, false), Some(0x0804));
        let finite = message(SERVER_KEY_EXCHANGE, &[0, 1, 23, 0, 1, 5, 0, 1, 7, 2, 1, 0, 1, 5]);
        assert_eq!(read_signature_scheme(&finite, true), Some(0x0201));
        let anonymous = message(SERVER_KEY_EXCHANGE, &[0, 1, 23, 0, 1, 5, 0, 1, 7]);
        assert_eq!(read_signature_scheme(&anonymous, true), None);
    }

    #[test]
    fn leading_zeros_are_no_part_of_a_prime() {
        let exchange = message(SERVER_KEY_EXCHANGE, &[0, 3, 0, 0, 23, 0, 1, 2]);
        assert_eq!(read_key_exchange(&exchange, true), Some(KeyExchangeParameters::Dh { prime: vec![23] }));
    }

    #[test]
    fn an_ssl_2_hello_lists_its_cipher_kinds() {
        let body = [4, 0, 1, 0, 2, 0, 2, 0, 6, 0, 1, 0xAA, 0xBB, 7, 0, 0xc0, 1, 0, 0x80, 9];
        let mut bytes = vec![0x80, body.len() as u8];
        bytes.extend(body);
        let Ssl2Progress::Read(hello) = read_ssl2_hello(&bytes) else { panic!("it is one") };
        assert_eq!(hello.kinds, [0x07_00c0, 0x01_0080]);
        assert_eq!(read_ssl2_hello(&bytes[..9]), Ssl2Progress::NeedMore);
        assert_eq!(read_ssl2_hello(&record(ALERT, &[2, 70])), Ssl2Progress::NotSsl2);
    }

    proptest! {
        #[test]
        fn random_bytes_end_without_panic(bytes: Vec<u8>, first in 20u8..24) {
            let _ = FlightReader::default().push(&bytes);
            let _ = FlightReader::default().push(&[&[first, 3, 1][..], &bytes].concat());
            let _ = FlightReader::default().push(&record(HANDSHAKE, &bytes));
            let _ = read_server_hello(&bytes);
            let _ = read_server_hello(&message(SERVER_HELLO, &bytes));
            let _ = read_key_exchange(&message(SERVER_KEY_EXCHANGE, &bytes), bytes.len() % 2 == 0);
            let _ = read_signature_scheme(&message(SERVER_KEY_EXCHANGE, &bytes), bytes.len() % 2 == 0);
            let _ = read_ssl2_hello(&bytes);
        }

        #[test]
        fn cut_or_damaged_flights_end_without_panic(cut in 0usize..120, at in 0usize..120, byte: u8) {
            let mut bytes = record(HANDSHAKE, &whole_flight());
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut.min(bytes.len()));
            let _ = FlightReader::default().push(&bytes);
        }
    }
}
