//! Tells how an attachment is protected that only a password or a key opens, from what stands in clear around it.
//!
//! It opens nothing and tries no password: formats say in their headers which cipher they use, and that is read.
//! What is protected and does not say how is told as such, never taken for strong. How good the password is, nobody
//! can see from here.

mod archives;
mod armour;
mod cms;
mod lzma;
mod office;
mod openpgp;
mod pdf;
mod zip;

use std::collections::BTreeSet;
use std::fmt;

pub(super) use archives::{in_program, rar, seven_zip};
pub(super) use armour::armoured;
pub(super) use cms::{enveloped, message, signs_content};
pub(super) use office::{binary, package};
pub(super) use openpgp::packets;
pub(super) use pdf::dictionary;
pub(super) use zip::{local_members, manifest, members};

/// Kinds of protection, each once.
pub(super) type Protections = BTreeSet<Protection>;

/// How an attachment is protected: the format's way, and the cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// An Office document of XML with an `EncryptionInfo` of version 4.4 ([MS-OFFCRYPTO] 2.3.4.10).
    OfficeAgile(Cipher),
    /// An Office document of the binary formats ([MS-OFFCRYPTO] 2.3.5 to 2.3.7), or one that does not say which way.
    Office(Cipher),
    /// An Office document of XML that a rights server opens ([MS-OFFCRYPTO] 2.2.6).
    OfficeRights(Cipher),
    /// An Office document of XML with an `EncryptionInfo` of version 2 to 4.2 ([MS-OFFCRYPTO] 2.3.4.5).
    OfficeStandard(Cipher),
    /// A document of OpenDocument, whose manifest names the cipher (ODF 1.3 part 2 §4.8).
    OpenDocument(Cipher),
    /// A message of OpenPGP (RFC 9580) to keys. The cipher mostly stands within what only the key opens.
    OpenPgp(Cipher),
    /// One that a passphrase opens, keys beside it or not.
    OpenPgpPassphrase(Cipher),
    /// The standard handler of PDF: a password (ISO 32000-2 §7.6.4).
    Pdf(Cipher),
    /// A handler of PDF for certificates (ISO 32000-2 §7.6.5).
    PdfPublicKey(Cipher),
    /// Revision 5 of the standard handler: AES-256 whose password one hash tests, so that guesses cost little.
    /// ISO 32000-2 §7.6.4.3 keeps it for reading only.
    PdfRevision5(Cipher),
    Rar(Cipher),
    /// An archive of RAR that does not show whether it is protected.
    RarUnread,
    SevenZip(Cipher),
    /// An archive of 7-Zip that does not show whether it is protected.
    SevenZipUnread,
    /// S/MIME (RFC 8551), enveloped or encrypted.
    Smime(Cipher),
    /// S/MIME that a password opens (RFC 5652 §6.2.4), keys beside it or not.
    SmimePassword(Cipher),
    /// A member of a zip archive.
    Zip(Cipher),
    /// PKWARE's strong encryption (APPNOTE.TXT 6.3.10 §7).
    ZipPkware(Cipher),
}

/// The cipher of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    Blowfish,
    Camellia,
    Cast5,
    ChaCha20,
    Des,
    Idea,
    Rc2,
    /// With the bits of its key, where they are told.
    Rc4(Option<u16>),
    TripleDes,
    Twofish,
    /// The file does not say, or in a way that is not known here.
    Unknown,
    /// XOR with bytes made of the password, in Office documents before 1997.
    Xor,
    ZipCrypto,
}

/// What is known of a cipher, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Nobody is known to read it without the password or key.
    Strong,
    /// Nobody can tell from outside.
    Unclear,
    /// It can be read without the password, or no standard in force allows it any more.
    Weak,
}

impl Protection {
    /// One of each kind, to read words with.
    const KINDS: [fn(Cipher) -> Self; 16] = [
        Self::Office,
        Self::OfficeAgile,
        Self::OfficeRights,
        Self::OfficeStandard,
        Self::OpenDocument,
        Self::OpenPgp,
        Self::OpenPgpPassphrase,
        Self::Pdf,
        Self::PdfPublicKey,
        Self::PdfRevision5,
        Self::Rar,
        Self::SevenZip,
        Self::Smime,
        Self::SmimePassword,
        Self::Zip,
        Self::ZipPkware,
    ];

    /// Whether somebody may type a password to open it. What only a key or a server opens has none to send, and of an
    /// archive that was not read nobody knows.
    pub(super) const fn takes_a_password(self) -> Option<bool> {
        match self {
            Self::OfficeRights(_) | Self::OpenPgp(_) | Self::PdfPublicKey(_) | Self::Smime(_) => Some(false),
            Self::RarUnread | Self::SevenZipUnread => None,
            Self::Office(_)
            | Self::OfficeAgile(_)
            | Self::OfficeStandard(_)
            | Self::OpenDocument(_)
            | Self::OpenPgpPassphrase(_)
            | Self::Pdf(_)
            | Self::PdfRevision5(_)
            | Self::Rar(_)
            | Self::SevenZip(_)
            | Self::SmimePassword(_)
            | Self::Zip(_)
            | Self::ZipPkware(_) => Some(true),
        }
    }

    const fn parts(self) -> (&'static str, Cipher) {
        match self {
            Self::Office(cipher) => ("office", cipher),
            Self::OfficeAgile(cipher) => ("office-agile", cipher),
            Self::OfficeRights(cipher) => ("office-rights", cipher),
            Self::OfficeStandard(cipher) => ("office-standard", cipher),
            Self::OpenDocument(cipher) => ("opendocument", cipher),
            Self::OpenPgp(cipher) => ("openpgp", cipher),
            Self::OpenPgpPassphrase(cipher) => ("openpgp-passphrase", cipher),
            Self::Pdf(cipher) => ("pdf", cipher),
            Self::PdfPublicKey(cipher) => ("pdf-public-key", cipher),
            Self::PdfRevision5(cipher) => ("pdf-r5", cipher),
            Self::Rar(cipher) => ("rar", cipher),
            Self::RarUnread => ("rar-unread", Cipher::Unknown),
            Self::SevenZip(cipher) => ("7z", cipher),
            Self::SevenZipUnread => ("7z-unread", Cipher::Unknown),
            Self::Smime(cipher) => ("smime", cipher),
            Self::SmimePassword(cipher) => ("smime-password", cipher),
            Self::Zip(cipher) => ("zip", cipher),
            Self::ZipPkware(cipher) => ("zip-pkware", cipher),
        }
    }
}

/// The word in evidence: `zip-zipcrypto`, `pdf-aes-256`, `office-agile-aes-256`.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            // A message to a key says its cipher in forms of late years only.
            (kind @ ("7z-unread" | "openpgp" | "rar-unread"), Cipher::Unknown) => f.write_str(kind),
            (kind, cipher) => write!(f, "{kind}-{cipher}"),
        }
    }
}

impl fmt::Display for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes128 => "aes-128",
            Self::Aes192 => "aes-192",
            Self::Aes256 => "aes-256",
            Self::Blowfish => "blowfish",
            Self::Camellia => "camellia",
            Self::Cast5 => "cast5",
            Self::ChaCha20 => "chacha20",
            Self::Des => "des",
            Self::Idea => "idea",
            Self::Rc2 => "rc2",
            Self::Rc4(None) => "rc4",
            Self::Rc4(Some(bits)) => return write!(f, "rc4-{bits}"),
            Self::TripleDes => "3des",
            Self::Twofish => "twofish",
            Self::Unknown => "unknown",
            Self::Xor => "xor",
            Self::ZipCrypto => "zipcrypto",
        })
    }
}

impl Cipher {
    /// All but RC4 with its bits, of which there are many.
    const ALL: [Self; 16] = [
        Self::Aes128,
        Self::Aes192,
        Self::Aes256,
        Self::Blowfish,
        Self::Camellia,
        Self::Cast5,
        Self::ChaCha20,
        Self::Des,
        Self::Idea,
        Self::Rc2,
        Self::Rc4(None),
        Self::TripleDes,
        Self::Twofish,
        Self::Unknown,
        Self::Xor,
        Self::ZipCrypto,
    ];

    /// AES by the bits of its key.
    fn aes(bits: u32) -> Self {
        match bits {
            128 => Self::Aes128,
            192 => Self::Aes192,
            256 => Self::Aes256,
            _ => Self::Unknown,
        }
    }

    /// RC4 by the bits of its key; a number that none has is not told.
    fn rc4(bits: u32) -> Self {
        Self::Rc4(u16::try_from(bits).ok().filter(|bits| (40..=256).contains(bits)))
    }

    /// By Microsoft's number of an algorithm (`ALG_ID`, wincrypt.h), which Office and PKWARE use as well.
    fn of_alg_id(number: u32, bits: u32) -> Self {
        match number {
            0x6601 => Self::Des,
            0x6602 | 0x6702 => Self::Rc2,
            0x6603 | 0x6609 => Self::TripleDes,
            0x660e => Self::Aes128,
            0x660f => Self::Aes192,
            0x6610 => Self::Aes256,
            0x6720 => Self::Blowfish,
            0x6721 => Self::Twofish,
            0x6801 => Self::rc4(bits),
            _ => Self::Unknown,
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        let rc4 = || word.strip_prefix("rc4-")?.parse().ok().map(|bits| Self::Rc4(Some(bits)));
        Self::ALL.into_iter().find(|cipher| cipher.to_string() == word).or_else(rc4)
    }

    /// What is known of it. Weak are:
    /// - the cipher of the first zip programs, read with a few bytes of known text (Biham and Kocher, "A Known
    ///   Plaintext Attack on the PKZIP Stream Cipher", 1994);
    /// - XOR ([MS-OFFCRYPTO] 4.1.3) and DES, whose 56 bits are tried out (FIPS 46-3, withdrawn 2005-05-19);
    /// - 3DES, which NIST disallows for encryption after 2023 (SP 800-131A r2 §2, 2019-03-21), and other ciphers with
    ///   blocks of 64 bits that no standard of NIST ever allowed: Blowfish, CAST5, IDEA, RC2;
    /// - RC4 with keys of any length: 40 bits are tried out, documents use its key stream twice ([MS-OFFCRYPTO] 4.1.3),
    ///   its bytes are biased (RFC 7465), and no standard of NIST ever allowed it.
    const fn strength(self) -> Strength {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 | Self::Camellia | Self::ChaCha20 | Self::Twofish => {
                Strength::Strong
            }
            Self::Blowfish
            | Self::Cast5
            | Self::Des
            | Self::Idea
            | Self::Rc2
            | Self::Rc4(_)
            | Self::TripleDes
            | Self::Xor
            | Self::ZipCrypto => Strength::Weak,
            Self::Unknown => Strength::Unclear,
        }
    }
}

/// What is known of a protection by its word in evidence. One that is not known here is unclear, as are `openpgp`
/// alone, `7z-unread` and `rar-unread`.
pub fn strength(word: &str) -> Strength {
    let cipher = Protection::KINDS.into_iter().find_map(|kind| {
        let cipher = word.strip_prefix(kind(Cipher::Unknown).parts().0)?.strip_prefix('-')?;
        Cipher::of_word(cipher)
    });
    cipher.map_or(Strength::Unclear, Cipher::strength)
}

/// Two bytes, the low one first.
fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Four bytes, the low one first.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
