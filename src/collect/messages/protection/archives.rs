//! Archives of 7-Zip (7zFormat.txt of the LZMA SDK) and RAR (technote of RAR 7, and of RAR 4) by their headers.

use super::{Cipher, Protection, Protections, lzma, short, word};

/// The method of 7-Zip's encryption; all that begin with its first two bytes are kinds of encryption.
const SEVEN_ZIP_AES: &[u8] = &[0x06, 0xf1, 0x07, 0x01];
const ENCRYPTIONS: &[u8] = &[0x06, 0xf1];
/// Bytes of a header that are looked at: the coders stand before the names.
const HEADER_BYTES: usize = 1024 * 1024;
/// Headers that are packed in another.
const HEADERS: usize = 4;
const CODERS: u64 = 32;
/// Bytes of the first header of RAR, in a program.
const FIRST_HEADER: usize = 256;
const SEVEN_ZIP: &[u8] = b"7z\xbc\xaf\x27\x1c";
const RAR4: &[u8] = b"Rar!\x1a\x07\x00";
const RAR5: &[u8] = b"Rar!\x1a\x07\x01\x00";

/// How an archive of 7-Zip is protected: its files, or also their names; empty where it is not. One whose header
/// cannot be read so far, as in the first of several volumes, does not show whether it is.
pub fn seven_zip(bytes: &[u8]) -> Protections {
    let mut found = Protections::new();
    if !bytes.starts_with(SEVEN_ZIP) {
        return found;
    }
    if read_seven_zip(bytes, &mut found).is_none() && found.is_empty() {
        found.insert(Protection::SevenZipUnread);
    }
    found
}

/// The archive that a program unpacks from behind itself, from its first byte. A program that only knows how archives
/// begin has no header behind that whose checksum is right.
pub fn in_program(bytes: &[u8]) -> Option<&[u8]> {
    let archives = |start: &'static [u8]| memchr::memmem::find_iter(bytes, start).map(|at| &bytes[at..]);
    let seven_zip = archives(SEVEN_ZIP).find(|archive| is_seven_zip(archive).unwrap_or(false));
    seven_zip.or_else(|| archives(b"Rar!\x1a\x07").find(|archive| is_rar(archive).unwrap_or(false)))
}

fn is_seven_zip(archive: &[u8]) -> Option<bool> {
    Some(word(archive, 8)? == checksum(archive.get(12..32)?))
}

fn is_rar(archive: &[u8]) -> Option<bool> {
    let Some(header) = archive.strip_prefix(RAR5) else {
        let header = archive.strip_prefix(RAR4)?;
        // The archive's own header, of thirteen bytes where no remark stands in it.
        let checked = header.get(2..usize::from(short(header, 5)?).min(FIRST_HEADER))?;
        let [low, high, ..] = checksum(checked).to_le_bytes();
        return Some(header[2] == 0x73 && header[..2] == [low, high]);
    };
    let mut rest = Reader { bytes: header.get(4..)? };
    let length = usize::try_from(rest.vint()?).ok()?.min(FIRST_HEADER);
    let end = header.len() - rest.bytes.len() + length;
    Some(word(header, 0)? == checksum(header.get(4..end)?))
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum()
}

/// Adds what the headers name; `None` where they name more than was read.
fn read_seven_zip(bytes: &[u8], found: &mut Protections) -> Option<()> {
    let mut header = seven_zip_header(bytes)?;
    let mut unpacked;
    // An archive of nothing has none, nor has one that was never finished.
    if header.is_empty() {
        return (bytes.len() == 32).then_some(());
    }
    for _ in 0..HEADERS {
        let mut reader = Reader { bytes: header };
        let mut streams = Streams::default();
        let is_packed = match reader.byte()? {
            0x01 => false,
            0x17 => true,
            _ => return None,
        };
        let whole = if is_packed { reader.streams(&mut streams) } else { reader.main_streams(&mut streams) };
        found.extend(encryptions(&streams.coders));
        if !is_packed || !found.is_empty() {
            return whole;
        }
        whole?;
        unpacked = streams.unpack(bytes)?;
        header = &unpacked;
    }
    None
}

fn seven_zip_header(bytes: &[u8]) -> Option<&[u8]> {
    let number = |at| bytes.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight));
    let start = usize::try_from(number(12)?.checked_add(32)?).ok()?;
    let end = start.checked_add(usize::try_from(number(20)?).ok()?)?;
    bytes.get(start..end).map(|header| &header[..header.len().min(HEADER_BYTES)])
}

fn encryptions(coders: &[Coder<'_>]) -> impl Iterator<Item = Protection> {
    let found = coders.iter().filter(|coder| coder.method.starts_with(ENCRYPTIONS));
    found
        .map(|coder| Protection::SevenZip(if coder.method == SEVEN_ZIP_AES { Cipher::Aes256 } else { Cipher::Unknown }))
}

struct Coder<'b> {
    method: &'b [u8],
    properties: &'b [u8],
}

/// Where packed streams lie, and what packed them.
#[derive(Default)]
struct Streams<'b> {
    at: u64,
    packed: Vec<u64>,
    coders: Vec<Coder<'b>>,
    unpacked: Vec<u64>,
}

impl Streams<'_> {
    /// A header that LZMA alone packed, as 7-Zip does.
    fn unpack(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let [Coder { method: [3, 1, 1], properties }] = &self.coders[..] else { return None };
        let start = usize::try_from(self.at.checked_add(32)?).ok()?;
        let packed = bytes.get(start..start.checked_add(usize::try_from(*self.packed.first()?).ok()?)?)?;
        let length = usize::try_from(*self.unpacked.first()?).ok()?;
        lzma::unpack(properties, packed, length.min(HEADER_BYTES))
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    fn take(&mut self, count: u64) -> Option<&'b [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(usize::try_from(count).ok()?)?;
        self.bytes = rest;
        Some(taken)
    }

    /// A number of 7-Zip: as many ones as its first byte begins with, so many bytes follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let low = self.take(u64::from(more))?;
        let low = low.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let high = if more >= 7 { 0 } else { u64::from(first) & (0x7f >> more) };
        Some(high << (8 * more.min(7)) | low)
    }

    fn count(&mut self, most: u64) -> Option<u64> {
        self.number().filter(|count| *count <= most)
    }

    /// The streams of the files, in a header that is not packed.
    fn main_streams(&mut self, streams: &mut Streams<'b>) -> Option<()> {
        let mut kind = self.byte()?;
        if kind == 0x02 {
            while self.number()? != 0 {
                let length = self.number()?;
                self.take(length)?;
            }
            kind = self.byte()?;
        }
        match kind {
            0x04 => self.streams(streams),
            // The end, or names of files that hold nothing.
            0x00 | 0x05 => Some(()),
            _ => None,
        }
    }

    /// Adds what it reads, also where it stops.
    fn streams(&mut self, streams: &mut Streams<'b>) -> Option<()> {
        let mut kind = self.byte()?;
        if kind == 0x06 {
            streams.at = self.number()?;
            let count = self.number()?;
            loop {
                match self.byte()? {
                    0x00 => break,
                    0x09 => streams.packed = (0..count).map(|_| self.number()).collect::<Option<_>>()?,
                    0x0a => self.digests(count)?,
                    _ => return None,
                }
            }
            kind = self.byte()?;
        }
        if kind != 0x07 || self.byte()? != 0x0b {
            return None;
        }
        let folders = self.number()?;
        if self.byte()? != 0 {
            return None;
        }
        let mut outputs = 0;
        for _ in 0..folders {
            outputs += self.folder(&mut streams.coders)?;
        }
        if self.byte() == Some(0x0c) {
            streams.unpacked = (0..outputs).map_while(|_| self.number()).collect();
        }
        Some(())
    }

    fn digests(&mut self, count: u64) -> Option<()> {
        let defined = match self.byte()? {
            0 => self.take(count.div_ceil(8))?.iter().map(|byte| u64::from(byte.count_ones())).sum(),
            _ => count,
        };
        self.take(defined.checked_mul(4)?).map(|_| ())
    }

    /// Reads the coders of a folder; says how many streams come out of them.
    fn folder(&mut self, coders: &mut Vec<Coder<'b>>) -> Option<u64> {
        let (mut inputs, mut outputs) = (0, 0);
        for _ in 0..self.count(CODERS)? {
            let flags = self.byte()?;
            let method = self.take(u64::from(flags & 0x0f))?;
            let streams = if flags & 0x10 == 0 { (1, 1) } else { (self.count(CODERS)?, self.count(CODERS)?) };
            (inputs, outputs) = (inputs + streams.0, outputs + streams.1);
            let length = if flags & 0x20 == 0 { 0 } else { self.number()? };
            coders.push(Coder { method, properties: self.take(length)? });
        }
        let bound = u64::checked_sub(outputs, 1)?;
        let packed = u64::checked_sub(inputs, bound)?;
        for _ in 0..2 * bound + if packed > 1 { packed } else { 0 } {
            self.number()?;
        }
        Some(outputs)
    }

    /// A number of RAR 5: seven bits a byte, the low ones first.
    fn vint(&mut self) -> Option<u64> {
        let mut number = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(7 * place)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

/// How an archive of RAR is protected: its files, or also their names; empty where it is not. One that cannot be read
/// to its end does not show whether it is.
pub fn rar(bytes: &[u8]) -> Protections {
    let mut found = Protections::new();
    if bytes.starts_with(b"Rar!") && read_rar(bytes, &mut found).is_none() && found.is_empty() {
        found.insert(Protection::RarUnread);
    }
    found
}

/// Adds what the blocks name; `None` where more may follow than was read.
fn read_rar(bytes: &[u8], found: &mut Protections) -> Option<()> {
    if let Some(rest) = bytes.strip_prefix(RAR5) {
        let mut blocks = Reader { bytes: rest };
        while rar5_block(&mut blocks, found)? {}
        return Some(());
    }
    let mut rest = bytes.strip_prefix(RAR4)?;
    // Before RAR 3 nothing but the end of the file ended an archive.
    loop {
        rest = rar4_block(rest, found)?;
        if rest.is_empty() {
            return Some(());
        }
    }
}

/// Reads one block of RAR 5; whether another stands behind it.
fn rar5_block(blocks: &mut Reader<'_>, found: &mut Protections) -> Option<bool> {
    // RAR 5 and later know one cipher, of number 0.
    let cipher = |version: u64| Protection::Rar(if version == 0 { Cipher::Aes256 } else { Cipher::Unknown });
    blocks.take(4)?;
    let length = blocks.vint()?;
    let mut header = Reader { bytes: blocks.take(length)? };
    let (kind, flags) = (header.vint()?, header.vint()?);
    let extra = if flags & 1 == 0 { 0 } else { header.vint()? };
    let data = if flags & 2 == 0 { 0 } else { header.vint()? };
    match kind {
        // All that follows is encrypted.
        4 => {
            found.insert(cipher(header.vint()?));
            return Some(false);
        }
        // A file, or what belongs to one, with its records at the end.
        2 | 3 => {
            let begin = header.bytes.len().checked_sub(usize::try_from(extra).ok()?)?;
            let mut records = Reader { bytes: &header.bytes[begin..] };
            while !records.bytes.is_empty() {
                let length = records.vint()?;
                let mut record = Reader { bytes: records.take(length)? };
                if record.vint()? == 1 {
                    found.insert(cipher(record.vint()?));
                }
            }
        }
        5 => return Some(false),
        _ => {}
    }
    blocks.take(data)?;
    Some(true)
}

/// Reads one block of RAR up to 4; gives what stands behind it, nothing behind the last.
fn rar4_block<'b>(block: &'b [u8], found: &mut Protections) -> Option<&'b [u8]> {
    let (kind, flags, length) = (*block.get(2)?, short(block, 3)?, usize::from(short(block, 5)?));
    match kind {
        // RAR 2.9 brought encrypted names, and AES-128.
        0x73 if flags & 0x80 != 0 => {
            found.insert(Protection::Rar(Cipher::Aes128));
            return Some(&[]);
        }
        0x74 | 0x7a if flags & 0x04 != 0 => {
            // The version that is needed; those before had ciphers of their own.
            let cipher = if *block.get(24)? >= 29 { Cipher::Aes128 } else { Cipher::Unknown };
            found.insert(Protection::Rar(cipher));
        }
        0x7b => return Some(&[]),
        _ => {}
    }
    let is_file = matches!(kind, 0x74 | 0x7a);
    let low = if is_file || flags & 0x8000 != 0 { word(block, 7)? } else { 0 };
    let high = if is_file && flags & 0x0100 != 0 { word(block, 32)? } else { 0 };
    let data = usize::try_from(u64::from(high) << 32 | u64::from(low)).ok()?;
    // A block of no length would be read for ever.
    block.get(length.checked_add(data).filter(|_| length >= 7)?..)
}
