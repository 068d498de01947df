//! Messages of OpenPGP (RFC 9580 §6.2) and S/MIME (RFC 7468 §§8, 9) in letters of text.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Protection, Protections, cms, openpgp};

type Read = fn(&[u8]) -> Option<Protection>;

/// What each begins with, and how its bytes are read.
const KINDS: [(&str, Read); 3] = [
    ("-----BEGIN PGP MESSAGE-----", openpgp::message),
    ("-----BEGIN PKCS7-----", cms::message),
    ("-----BEGIN CMS-----", cms::message),
];
/// Letters of a message that are looked at: its keys come first.
const LETTERS: usize = 64 * 1024;

/// Part of a message may end anywhere.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How the messages within a text are protected; nothing of one that says that it is only signed or compressed. One
/// that cannot be read is taken for what it is called. `None` where there is no message, but certificates at most.
pub fn armoured(text: &str) -> Option<Protections> {
    // Most texts hold none, and are searched but once.
    memchr::memmem::find(text.as_bytes(), b"-----BEGIN ")?;
    let mut found = None;
    for (begin, of) in KINDS {
        for after in text.split(begin).skip(1) {
            let bytes = bytes_of(after);
            if cms::signs_content(&bytes) != Some(false) {
                found.get_or_insert_with(Protections::new).extend(of(&bytes));
            }
        }
    }
    found
}

/// The bytes of one message, from behind its first line; none where they cannot be read.
fn bytes_of(after: &str) -> Vec<u8> {
    // Headers stand before the first empty line, the checksum behind `=`.
    let lines =
        after.lines().skip(1).skip_while(|line| line.contains(": ")).take_while(|line| !line.starts_with(['-', '=']));
    let mut letters: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).take(LETTERS).collect();
    while letters.ends_with('=') {
        letters.pop();
    }
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    LENIENT.decode(letters).unwrap_or_default()
}
