//! OpenPGP messages (RFC 9580) by their first packets, which stand in clear.

use super::{Cipher, Protection};

const PACKETS: usize = 200;

/// How a message whose armour was taken off is protected. What are no packets is taken for what it is called.
pub fn message(bytes: &[u8]) -> Option<Protection> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        packets(bytes)
    } else {
        Some(Protection::OpenPgp(Cipher::Unknown))
    }
}

/// How a message in bytes is protected; `None` where its first packets are none of an encrypted message.
pub fn packets(bytes: &[u8]) -> Option<Protection> {
    let mut rest = bytes;
    // Of the passphrases that open it and name the cipher; a key's packet names none.
    let mut named = None;
    let (mut by_passphrase, mut by_key) = (false, false);
    let sealed = |by_passphrase| if by_passphrase { Protection::OpenPgpPassphrase } else { Protection::OpenPgp };
    for _ in 0..PACKETS {
        let Some(packet) = Packet::read(rest) else { break };
        let told = match (packet.tag, packet.body) {
            (1, _) => {
                by_key = true;
                None
            }
            (3, [4, number, specifier @ ..]) => {
                by_passphrase = true;
                // What follows the specifier is the key of the content, which may be another cipher's.
                let length = match specifier.first() {
                    Some(0) => 2,
                    Some(1) => 10,
                    Some(3) => 11,
                    Some(4) => 20,
                    _ => 0,
                };
                if specifier.len() == length {
                    named = Some(*number);
                }
                None
            }
            (3, _) => {
                by_passphrase = true;
                None
            }
            (10, _) => None,
            // Behind the version, of those that encrypt and authenticate at once.
            (18, [2, number, ..]) | (20, [1, number, ..]) => Some(cipher(*number)),
            (9 | 18 | 20, _) => Some(named.filter(|_| !by_key).map_or(Cipher::Unknown, cipher)),
            _ => break,
        };
        if let Some(cipher) = told {
            return Some(sealed(by_passphrase)(cipher));
        }
        rest = packet.after;
    }
    (by_passphrase || by_key).then(|| sealed(by_passphrase)(Cipher::Unknown))
}

/// §9.3.
const fn cipher(number: u8) -> Cipher {
    match number {
        1 => Cipher::Idea,
        2 => Cipher::TripleDes,
        3 => Cipher::Cast5,
        4 => Cipher::Blowfish,
        7 => Cipher::Aes128,
        8 => Cipher::Aes192,
        9 => Cipher::Aes256,
        10 => Cipher::Twofish,
        11..=13 => Cipher::Camellia,
        _ => Cipher::Unknown,
    }
}

/// A packet (§4.2), or how it begins.
struct Packet<'b> {
    tag: u8,
    body: &'b [u8],
    after: &'b [u8],
}

impl<'b> Packet<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let (&first, rest) = bytes.split_first()?;
        if first & 0x80 == 0 {
            return None;
        }
        let is_new = first & 0x40 != 0;
        let tag = if is_new { first & 0x3f } else { first >> 2 & 0x0f };
        let octets = |count: usize| {
            let (digits, rest) = rest.split_at_checked(count)?;
            Some((digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest))
        };
        let (length, rest) = match (is_new, first & 3, *rest.first()?) {
            (true, _, length @ 0..192) => (usize::from(length), &rest[1..]),
            (true, _, high @ 192..224) => {
                (((usize::from(high) - 192) << 8) + usize::from(*rest.get(1)?) + 192, &rest[2..])
            }
            (true, _, 255) => octets(5).map(|(length, rest)| (length & 0xffff_ffff, rest))?,
            // Part of a length: only the content is written so.
            (true, _, 224..255) => (rest.len() - 1, &rest[1..]),
            (false, 0, _) => octets(1)?,
            (false, 1, _) => octets(2)?,
            (false, 2, _) => octets(4)?,
            (false, _, _) => (rest.len(), rest),
        };
        let (body, after) = rest.split_at(length.min(rest.len()));
        Some(Self { tag, body, after })
    }
}
