//! Office documents by what [MS-OFFCRYPTO] puts in clear: the stream `EncryptionInfo` of documents of XML, and the
//! heads of the streams of the binary formats ([MS-DOC], [MS-PPT], [MS-XLS]).

use std::io::{Cursor, Read};

use super::{Cipher, Protection, short, word};

/// Bytes of a stream's head that are read: of a workbook the records up to its first.
const HEAD_BYTES: u64 = 64 * 1024;
/// Records of a workbook before the one that tells.
const RECORDS: usize = 100;

type Compound<'b> = cfb::CompoundFile<Cursor<&'b [u8]>>;

/// How a document of XML is protected; `None` where the compound file is no wrapping of one (2.3.4.4).
pub fn package(bytes: &[u8]) -> Option<Protection> {
    let unknown = Protection::Office(Cipher::Unknown);
    let Ok(mut file) = cfb::CompoundFile::open(Cursor::new(bytes)) else {
        // One that is damaged, or cut off, may still say so.
        let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return memchr::memmem::find(bytes, &name).map(|_| unknown);
    };
    if !file.is_stream("/EncryptedPackage") {
        return None;
    }
    Some(match head(&mut file, "/EncryptionInfo") {
        Some(info) => information(&info).unwrap_or(unknown),
        None if file.is_storage("/\u{6}DataSpaces/TransformInfo/DRMEncryptedTransform") => {
            Protection::OfficeRights(Cipher::Unknown)
        }
        None => unknown,
    })
}

/// How a document of the binary formats is protected; `None` where it is not, or is none.
pub fn binary(bytes: &[u8]) -> Option<Protection> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    if let Some(book) = head(&mut file, "/Workbook").or_else(|| head(&mut file, "/Book")) {
        return workbook(&book);
    }
    if let Some(document) = head(&mut file, "/WordDocument") {
        return text(&document, &mut file);
    }
    // [MS-PPT] 2.3.2: the token of a file that is encrypted.
    let user = head(&mut file, "/Current User")?;
    (word(&user, 12)? == 0xf3d1_c4df).then(|| {
        let unknown = Protection::Office(Cipher::Unknown);
        let slides = stream(&mut file, "/PowerPoint Document", bytes.len() as u64).unwrap_or_default();
        // Its `CryptSession10Container` ([MS-PPT] 2.3.7), which may stand anywhere; what is encrypted around it can
        // look like its beginning.
        let sessions = memchr::memmem::find_iter(&slides, &[0x0f, 0, 0x14, 0x2f]);
        let mut told = sessions.filter_map(|at| information(slides.get(at + 8..)?));
        told.find(|told| *told != unknown).unwrap_or(unknown)
    })
}

fn head(file: &mut Compound<'_>, path: &str) -> Option<Vec<u8>> {
    stream(file, path, HEAD_BYTES)
}

fn stream(file: &mut Compound<'_>, path: &str, most: u64) -> Option<Vec<u8>> {
    if !file.is_stream(path) {
        return None;
    }
    let mut bytes = Vec::new();
    file.open_stream(path).ok()?.take(most).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// An `EncryptionInfo`, which begins with its version.
fn information(info: &[u8]) -> Option<Protection> {
    Some(match (short(info, 0)?, short(info, 2)?) {
        (4, 4) => Protection::OfficeAgile(agile(&String::from_utf8_lossy(info.get(8..)?))),
        (1, 1) => Protection::Office(Cipher::rc4(40)),
        (2..=4, 2) => {
            // An `EncryptionHeader` (2.3.2) behind flags and its size.
            let (flags, algorithm, bits) = (word(info, 12)?, word(info, 20)?, word(info, 28)?);
            let is_aes = flags & 0x20 != 0;
            match (algorithm, is_aes) {
                (0, true) => Protection::OfficeStandard(Cipher::Aes128),
                (0 | 0x6801, _) => Protection::Office(Cipher::rc4(if bits == 0 { 40 } else { bits })),
                (_, true) => Protection::OfficeStandard(Cipher::of_alg_id(algorithm, bits)),
                (_, false) => Protection::Office(Cipher::of_alg_id(algorithm, bits)),
            }
        }
        // Ciphers of others (2.3.4.8).
        _ => Protection::Office(Cipher::Unknown),
    })
}

/// By `keyData` (2.3.4.10), whose cipher is that of the package.
fn agile(xml: &str) -> Cipher {
    let element = xml.split('<').find(|element| {
        let name = element.split(char::is_whitespace).next().unwrap_or_default();
        name.rsplit(':').next() == Some("keyData")
    });
    let value = |name: &str| {
        let (_, after) = element?.split_once(&format!(" {name}=\""))?;
        after.split('"').next()
    };
    let bits = value("keyBits").and_then(|bits| bits.parse().ok()).unwrap_or(0);
    match value("cipherAlgorithm").unwrap_or_default() {
        "AES" => Cipher::aes(bits),
        "RC2" => Cipher::Rc2,
        "RC4" => Cipher::rc4(bits),
        "DES" | "DESX" => Cipher::Des,
        "3DES" | "3DES_112" => Cipher::TripleDes,
        _ => Cipher::Unknown,
    }
}

/// By the record `FilePass` ([MS-XLS] 2.4.117), which stands right behind the first.
fn workbook(book: &[u8]) -> Option<Protection> {
    let mut rest = book;
    let mut is_modern = false;
    for _ in 0..RECORDS {
        let (kind, length) = (short(rest, 0)?, usize::from(short(rest, 2)?));
        let record = rest.get(4..4 + length).unwrap_or_default();
        match kind {
            // `BOF`: what comes before Excel 97 knows XOR only.
            0x0809 => is_modern = short(record, 0) == Some(0x0600),
            0x002f => {
                return Some(match short(record, 0) {
                    _ if !is_modern => Protection::Office(Cipher::Xor),
                    Some(0) => Protection::Office(Cipher::Xor),
                    Some(1) => information(&record[2..]).unwrap_or(Protection::Office(Cipher::Unknown)),
                    Some(_) | None => Protection::Office(Cipher::Unknown),
                });
            }
            // `EOF`.
            0x000a => return None,
            _ => {}
        }
        rest = rest.get(4 + length..)?;
    }
    None
}

/// By the head of the document ([MS-DOC] 2.5.2), and of the stream of its tables where it is not XOR.
fn text(document: &[u8], file: &mut Compound<'_>) -> Option<Protection> {
    // Word 6 and Word 95, which know XOR only, have a mark of their own and the same first flag.
    let is_old = match short(document, 0)? {
        0xa5dc => true,
        0xa5ec => false,
        _ => return None,
    };
    let flags = short(document, 10)?;
    if flags & 0x0100 == 0 {
        return None;
    }
    if is_old || flags & 0x8000 != 0 {
        return Some(Protection::Office(Cipher::Xor));
    }
    let tables = if flags & 0x0200 == 0 { "/0Table" } else { "/1Table" };
    let told = head(file, tables).and_then(|tables| information(&tables));
    Some(told.unwrap_or(Protection::Office(Cipher::Unknown)))
}
