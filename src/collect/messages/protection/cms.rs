//! S/MIME messages (RFC 8551) by the content-encryption algorithm of CMS (RFC 5652 §6.1, RFC 5083 §2.1).

use super::{Cipher, Protection};

const DEPTH: usize = 16;

/// How the content is protected; `None` where the bytes are something else, such as a message that is signed.
pub fn enveloped(bytes: &[u8]) -> Option<Protection> {
    let (kind, inner) = content_type(bytes).filter(|(kind, _)| is_sealed(kind))?;
    let mut by_password = false;
    let cipher = algorithm(kind, inner, &mut by_password).unwrap_or(Cipher::Unknown);
    Some(if by_password { Protection::SmimePassword(cipher) } else { Protection::Smime(cipher) })
}

/// How what its sender calls a message is protected. What is none of CMS is taken for what it is called.
pub fn message(bytes: &[u8]) -> Option<Protection> {
    match content_type(bytes) {
        Some(_) => enveloped(bytes),
        None => Some(Protection::Smime(Cipher::Unknown)),
    }
}

/// Whether what is signed stands within the signature; `None` where the bytes are no `SignedData`. Certificates alone,
/// and a signature that stands apart, have nothing there (RFC 5652 §5.1, §5.2).
pub fn signs_content(bytes: &[u8]) -> Option<bool> {
    let (_, inner) = content_type(bytes).filter(|(kind, _)| *kind == SIGNED)?;
    // What cannot be read so far may hold words.
    Some(encapsulated(inner).is_none_or(|behind| !(behind.is_empty() || behind.starts_with(&[0, 0]))))
}

/// What stands behind the type in `encapContentInfo`.
fn encapsulated(inner: &[u8]) -> Option<&[u8]> {
    let explicit = Element::read(inner)?.is(0xa0)?;
    let data = Element::read(explicit.content)?.is(0x30)?;
    let version = Element::read(data.content)?.is(0x02)?;
    let digests = Element::read(version.rest(0)?)?.is(0x31)?;
    let content = Element::read(digests.rest(0)?)?.is(0x30)?;
    Element::read(content.content)?.is(0x06)?.rest(0)
}

/// The type of content, and what stands behind it.
fn content_type(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let info = Element::read(bytes)?.is(0x30)?;
    let kind = Element::read(info.content)?.is(0x06)?;
    Some((kind.content, kind.rest(0)?))
}

const ENCRYPTED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 6];
const ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3];
const SIGNED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const AUTHENTICATED_ENVELOPED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 23];

fn is_sealed(kind: &[u8]) -> bool {
    [ENCRYPTED, ENVELOPED, AUTHENTICATED_ENVELOPED].contains(&kind)
}

fn algorithm(kind: &[u8], inner: &[u8], by_password: &mut bool) -> Option<Cipher> {
    let explicit = Element::read(inner)?.is(0xa0)?;
    let data = Element::read(explicit.content)?.is(0x30)?;
    let version = Element::read(data.content)?.is(0x02)?;
    let mut rest = version.rest(0)?;
    if kind != ENCRYPTED {
        // Certificates of the sender, which may be left out; then the recipients.
        let next = Element::read(rest)?;
        let recipients = if next.tag == 0xa0 { Element::read(next.rest(0)?)? } else { next }.is(0x31)?;
        let mut one = recipients.content;
        // Two zeros end them where their length is open.
        while let Some(recipient) = Element::read(one).filter(|recipient| recipient.tag != 0) {
            // `PasswordRecipientInfo`.
            *by_password |= recipient.tag == 0xa3;
            one = recipient.rest(0)?;
        }
        rest = recipients.rest(0)?;
    }
    let content = Element::read(rest)?.is(0x30)?;
    let inner_kind = Element::read(content.content)?.is(0x06)?;
    let algorithm = Element::read(inner_kind.rest(0)?)?.is(0x30)?;
    let identifier = Element::read(algorithm.content)?.is(0x06)?;
    Some(cipher(identifier.content))
}

/// RFC 3565 and 5084 (AES), RFC 3370 (3DES, RC2), RFC 3657 (Camellia), RFC 2984 (CAST5), RFC 3058 (IDEA),
/// RFC 8103 (ChaCha20). Blowfish by the number of its maker.
fn cipher(identifier: &[u8]) -> Cipher {
    const AES: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1];
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3];
    const CAMELLIA: &[u8] = &[0x2a, 0x83, 0x08, 0x8c, 0x9a, 0x4b, 0x3d, 1, 1, 1];
    if let Some(last) = identifier.strip_prefix(AES) {
        return match last {
            [2 | 6 | 7] => Cipher::Aes128,
            [22 | 26 | 27] => Cipher::Aes192,
            [42 | 46 | 47] => Cipher::Aes256,
            _ => Cipher::Unknown,
        };
    }
    if let Some(last) = identifier.strip_prefix(RSA) {
        return match last {
            [2] => Cipher::Rc2,
            [4] => Cipher::Rc4(None),
            [7] => Cipher::TripleDes,
            _ => Cipher::Unknown,
        };
    }
    if identifier.starts_with(CAMELLIA) {
        return Cipher::Camellia;
    }
    match identifier {
        [0x2b, 14, 3, 2, 7] => Cipher::Des,
        [0x2a, 0x86, 0x48, 0x86, 0xf6, 0x7d, 7, 0x42, 10] => Cipher::Cast5,
        [0x2b, 6, 1, 4, 1, 0x81, 0x3c, 7, 1, 1, 2] => Cipher::Idea,
        [0x2b, 6, 1, 4, 1, 0x97, 0x55, 1, 2] => Cipher::Blowfish,
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 3, 18] => Cipher::ChaCha20,
        _ => Cipher::Unknown,
    }
}

/// An element of BER (X.690 §8.1): senders of long messages leave lengths open, and end with two zeros.
#[derive(Clone, Copy)]
struct Element<'b> {
    tag: u8,
    /// To the end of the bytes, where its length is open.
    content: &'b [u8],
    /// What stands behind it; `None` where its length is open.
    after: Option<&'b [u8]>,
}

impl<'b> Element<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let (&tag, rest) = bytes.split_first()?;
        // Tags of more than one byte stand nowhere in here.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&length, rest) = rest.split_first()?;
        let (length, rest) = match length {
            0x80 => return Some(Self { tag, content: rest, after: None }),
            0..0x80 => (usize::from(length), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            0x85.. => return None,
        };
        // What was cut off still says how it begins.
        let (content, after) = rest.split_at(length.min(rest.len()));
        Some(Self { tag, content, after: Some(after) })
    }

    fn is(self, tag: u8) -> Option<Self> {
        (self.tag == tag).then_some(self)
    }

    /// What stands behind it: where its length is open, behind the elements in it and the two zeros.
    fn rest(&self, depth: usize) -> Option<&'b [u8]> {
        if let Some(after) = self.after {
            return Some(after);
        }
        if depth == DEPTH {
            return None;
        }
        let mut at = self.content;
        loop {
            if let Some(after) = at.strip_prefix(&[0, 0]) {
                return Some(after);
            }
            at = Self::read(at)?.rest(depth + 1)?;
        }
    }
}
