//! Finds out how an export's bytes are written and turns them into UTF-8, a chunk at a time.
//!
//! The order is: byte order mark, NULs at odd or even places (UTF-16 without a mark), strict
//! UTF-8 over the whole file, and Windows-1252 as a guess that is said to be one. Nothing here
//! holds more than a chunk.

use std::io::{self, Read};

use encoding_rs::{Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use sha2::{Digest, Sha256};

use super::bundle::Content;

const CHUNK: usize = 64 * 1024;

/// How the bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf16Be,
    Utf16Le,
    Utf8,
    Utf8WithMark,
    /// What is neither of the above; always a guess.
    Windows1252,
}

impl Encoding {
    /// The word used in evidence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf16Be => "utf-16be",
            Self::Utf16Le => "utf-16le",
            Self::Utf8 => "utf-8",
            Self::Utf8WithMark => "utf-8-bom",
            Self::Windows1252 => "windows-1252",
        }
    }

    fn decoder(self) -> Decoder {
        match self {
            Self::Utf16Be => UTF_16BE,
            Self::Utf16Le => UTF_16LE,
            Self::Utf8 | Self::Utf8WithMark => UTF_8,
            Self::Windows1252 => WINDOWS_1252,
        }
        .new_decoder_with_bom_removal()
    }
}

/// What one pass over all bytes tells.
#[derive(Clone, Debug)]
pub struct Survey {
    pub bytes: u64,
    pub sha256: String,
    pub encoding: Encoding,
    /// Whether the encoding was not stated by a mark nor proven by the bytes.
    pub guessed: bool,
    /// The name of a container or picture format, where the first bytes are those of one.
    pub binary: Option<&'static str>,
}

/// Reads the whole file once: size, hash, encoding. Stops at `limit` bytes with an error.
pub fn survey(content: &Content, limit: u64) -> io::Result<Survey> {
    let mut file = content.open()?.take(limit + 1);
    let mut hash = Sha256::new();
    let mut head = Vec::new();
    let mut utf8 = Utf8Watch::default();
    let mut bytes = 0u64;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = &chunk[..read];
        bytes += read as u64;
        if bytes > limit {
            return Err(io::Error::other(format!("larger than {limit} bytes")));
        }
        hash.update(piece);
        if head.len() < CHUNK {
            head.extend_from_slice(&piece[..read.min(CHUNK - head.len())]);
        }
        utf8.take(piece);
    }
    let (encoding, guessed) = encoding(&head, utf8.valid());
    Ok(Survey { bytes, sha256: crate::evidence::hex(&hash.finalize()), encoding, guessed, binary: binary(&head) })
}

fn encoding(head: &[u8], valid_utf8: bool) -> (Encoding, bool) {
    if head.starts_with(&[0xff, 0xfe]) {
        return (Encoding::Utf16Le, false);
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return (Encoding::Utf16Be, false);
    }
    if head.starts_with(&[0xef, 0xbb, 0xbf]) && valid_utf8 {
        return (Encoding::Utf8WithMark, false);
    }
    let sample = &head[..head.len().min(4096)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // Latin text in UTF-16 has a NUL in nearly every second place; a third is plenty.
    let plenty = sample.len() / 6;
    if odd > plenty && even * 8 < odd {
        return (Encoding::Utf16Le, true);
    }
    if even > plenty && odd * 8 < even {
        return (Encoding::Utf16Be, true);
    }
    if valid_utf8 { (Encoding::Utf8, false) } else { (Encoding::Windows1252, true) }
}

fn binary(head: &[u8]) -> Option<&'static str> {
    const MAGIC: [(&[u8], &str); 8] = [
        (b"PK\x03\x04", "an office document, or an archive in an archive"),
        (b"PK\x05\x06", "an empty zip archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"%PDF-", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"\xd0\xcf\x11\xe0", "an old office document"),
    ];
    MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name)
}

/// Checks UTF-8 over chunks; at most three bytes are carried from one to the next.
#[derive(Debug, Default)]
struct Utf8Watch {
    carried: Vec<u8>,
    broken: bool,
}

impl Utf8Watch {
    fn take(&mut self, piece: &[u8]) {
        if self.broken {
            return;
        }
        let mut piece = piece;
        // Complete a character that began in the chunk before.
        while !self.carried.is_empty() && !piece.is_empty() {
            self.carried.push(piece[0]);
            piece = &piece[1..];
            match std::str::from_utf8(&self.carried) {
                Ok(_) => self.carried.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.broken = true;
                    return;
                }
            }
        }
        if let Err(error) = std::str::from_utf8(piece) {
            if error.error_len().is_some() {
                self.broken = true;
            } else {
                self.carried.extend_from_slice(&piece[error.valid_up_to()..]);
            }
        }
    }

    fn valid(&self) -> bool {
        !self.broken && self.carried.is_empty()
    }
}

/// A file as UTF-8 text without a byte order mark.
#[derive(Debug)]
pub struct Decoded<R> {
    inner: R,
    decoder: DebugDecoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    ended: bool,
    replaced: bool,
}

struct DebugDecoder(Decoder);

impl std::fmt::Debug for DebugDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.encoding().name())
    }
}

impl<R: Read> Decoded<R> {
    /// Reads `inner`, which is written in `encoding`.
    pub fn new(inner: R, encoding: Encoding) -> Self {
        Self {
            inner,
            decoder: DebugDecoder(encoding.decoder()),
            raw: vec![0; CHUNK],
            text: Vec::new(),
            at: 0,
            ended: false,
            replaced: false,
        }
    }

    /// Whether bytes were met that mean nothing in the encoding.
    pub fn replaced(&self) -> bool {
        self.replaced
    }

    fn refill(&mut self) -> io::Result<()> {
        let read = loop {
            match self.inner.read(&mut self.raw) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        self.ended = read == 0;
        let needed = self.decoder.0.max_utf8_buffer_length(read).unwrap_or(CHUNK * 3 + 16);
        self.text.resize(needed, 0);
        let (_, _, written, replaced) = self.decoder.0.decode_to_utf8(&self.raw[..read], &mut self.text, self.ended);
        self.text.truncate(written);
        self.at = 0;
        self.replaced |= replaced;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.refill()?;
        }
        let count = into.len().min(self.text.len() - self.at);
        into[..count].copy_from_slice(&self.text[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, &'static str, bool) {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::files::write_whole(file.path(), bytes).unwrap();
        let survey = survey(&Content::File(file.path().to_owned()), 1 << 20).unwrap();
        let mut text = String::new();
        Decoded::new(bytes, survey.encoding).read_to_string(&mut text).unwrap();
        (text, survey.encoding.as_str(), survey.guessed)
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn every_way_the_exporters_write_comes_out_as_the_same_text() {
        let text = "User,Müller\r\n";
        let with = |mark: &[u8], rest: Vec<u8>| [mark, &rest].concat();
        for (bytes, name, guessed) in [
            (text.as_bytes().to_vec(), "utf-8", false),
            (with(&[0xef, 0xbb, 0xbf], text.as_bytes().to_vec()), "utf-8-bom", false),
            (with(&[0xff, 0xfe], utf16(text, true)), "utf-16le", false),
            (with(&[0xfe, 0xff], utf16(text, false)), "utf-16be", false),
            (utf16(text, true), "utf-16le", true),
            (utf16(text, false), "utf-16be", true),
            (b"User,M\xfcller\r\n".to_vec(), "windows-1252", true),
        ] {
            assert_eq!(decoded(&bytes), (text.to_owned(), name, guessed));
        }
    }

    #[test]
    fn a_character_cut_by_a_chunk_is_whole_and_a_late_odd_byte_makes_it_windows_1252() {
        let mut bytes = vec![b'a'; CHUNK - 1];
        bytes.extend_from_slice("ü".as_bytes());
        assert_eq!(decoded(&bytes).1, "utf-8");
        bytes.extend_from_slice(&vec![b'b'; CHUNK]);
        bytes.push(0xfc);
        assert_eq!(decoded(&bytes).1, "windows-1252");
    }

    #[test]
    fn a_file_over_the_limit_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::files::write_whole(file.path(), &[b'a'; 100]).unwrap();
        assert!(survey(&Content::File(file.path().to_owned()), 99).is_err());
        assert!(survey(&Content::File(file.path().to_owned()), 100).is_ok());
    }
}
