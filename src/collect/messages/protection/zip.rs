//! Zip archives (APPNOTE.TXT 6.3.10) by their central directory, and OpenDocument by its manifest.

use super::{Cipher, Protection, Protections, short, word};

/// Extra field of WinZip's AES (AE-1 and AE-2).
const WINZIP: u16 = 0x9901;
/// Extra field of PKWARE's strong encryption.
const PKWARE: u16 = 0x0017;
/// Extra fields of a member that are looked at: many headers may claim the same bytes.
const FIELDS: usize = 32;

/// How the members of an archive are protected whose directory begins there.
pub fn members(bytes: &[u8], directory: usize) -> Protections {
    let mut found = Protections::new();
    let mut at = directory;
    while let Some(header) = bytes.get(at..).filter(|header| header.starts_with(b"PK\x01\x02")) {
        let length = |at| short(header, at).map(usize::from);
        let (Some(flags), Some(name), Some(extra), Some(comment)) =
            (short(header, 8), length(28), length(30), length(32))
        else {
            break;
        };
        let fields = header.get(46 + name..46 + name + extra).unwrap_or_default();
        found.extend(member(flags, short(header, 10), fields));
        at += 46 + name + extra + comment;
    }
    found
}

/// How the members of an archive are protected whose directory cannot be read: it may be encrypted itself.
pub fn local_members(bytes: &[u8]) -> Protections {
    let headers = memchr::memmem::find_iter(bytes, b"PK\x03\x04").map(|at| &bytes[at..]);
    let told = headers.filter_map(|header| {
        // Where the bytes of a member or a program look like a header, these are most often none that a version
        // (§4.4.3) and a method have.
        short(header, 4).filter(|version| *version < 100)?;
        let method = short(header, 8).filter(|method| *method < 100)?;
        let (name, extra) = (usize::from(short(header, 26)?), usize::from(short(header, 28)?));
        member(short(header, 6)?, Some(method), header.get(30 + name..30 + name + extra).unwrap_or_default())
    });
    told.collect()
}

fn member(flags: u16, method: Option<u16>, mut fields: &[u8]) -> Option<Protection> {
    if flags & 1 == 0 {
        return None;
    }
    // Only what method 99 says of itself is WinZip's; bit 6 is PKWARE's.
    let (is_winzip, is_pkware) = (method == Some(99), flags & 0x40 != 0);
    for _ in 0..FIELDS {
        let (Some(kind), Some(length)) = (short(fields, 0), short(fields, 2)) else { break };
        let Some(field) = fields.get(4..4 + usize::from(length)) else { break };
        match kind {
            WINZIP if is_winzip => {
                let cipher = match field.get(4) {
                    Some(1) => Cipher::Aes128,
                    Some(2) => Cipher::Aes192,
                    Some(3) => Cipher::Aes256,
                    Some(_) | None => Cipher::Unknown,
                };
                return Some(Protection::Zip(cipher));
            }
            PKWARE if is_pkware => {
                let cipher =
                    word(field, 2).map_or(Cipher::Unknown, |number| Cipher::of_alg_id(number & 0xffff, number >> 16));
                return Some(Protection::ZipPkware(cipher));
            }
            _ => {}
        }
        fields = &fields[4 + usize::from(length)..];
    }
    Some(match (is_pkware, is_winzip) {
        (true, _) => Protection::ZipPkware(Cipher::Unknown),
        (false, true) => Protection::Zip(Cipher::Unknown),
        (false, false) => Protection::Zip(Cipher::ZipCrypto),
    })
}

/// How an OpenDocument file is protected, by `META-INF/manifest.xml` (ODF 1.3 part 2 §4.8.1).
pub fn manifest(xml: &str) -> Protections {
    /// Elements that name the cipher of a file; other algorithms make keys.
    const MOST: usize = 10_000;
    let mut found = Protections::new();
    let remarks = xml.split("<!--").skip(1).map(|remark| remark.split_once("-->").map_or("", |(_, after)| after));
    let xml: String = xml.split("<!--").take(1).chain(remarks).collect();
    for element in xml.split('<').skip(1).take(MOST) {
        let name = element.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        if local == "algorithm" {
            found.insert(Protection::OpenDocument(algorithm(element)));
        }
    }
    if found.is_empty() && xml.contains("encryption-data") {
        found.insert(Protection::OpenDocument(Cipher::Unknown));
    }
    found
}

fn algorithm(element: &str) -> Cipher {
    let value = element.split_once("algorithm-name").and_then(|(_, after)| {
        let after = after.trim_start().strip_prefix('=')?.trim_start();
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        after[1..].split(quote).next()
    });
    let value = value.unwrap_or_default().to_ascii_lowercase();
    // `Blowfish CFB`, `…xmlenc#aes256-cbc`, `…xmlenc11#aes256-gcm`.
    match value.rsplit('#').next().unwrap_or_default() {
        "aes128-cbc" | "aes128-gcm" => Cipher::Aes128,
        "aes192-cbc" | "aes192-gcm" => Cipher::Aes192,
        "aes256-cbc" | "aes256-gcm" => Cipher::Aes256,
        "blowfish" | "blowfish cfb" => Cipher::Blowfish,
        "tripledes-cbc" => Cipher::TripleDes,
        _ => Cipher::Unknown,
    }
}
