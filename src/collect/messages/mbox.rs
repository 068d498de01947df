//! Splits an mbox into messages while reading it: mboxo, mboxrd, CRLF, Thunderbird's and Google
//! Takeout's (RFC 4155 describes the family).
//!
//! Memory is one batch of messages and one chunk, whatever the size of the file. A line that begins with
//! `From ` ends a message only if it has the shape of a separator, so that prose does not. The
//! escapes of `>From ` stay in the text; the reader of bodies knows them.

use std::io::{self, Read};
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::read::Extent;
use super::{BATCH_BYTES, BATCH_MESSAGES};

/// A message larger than this is counted, not read.
pub(in crate::collect) const MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// What is kept of one that is too large: enough for its header.
const HEAD_BYTES: usize = 256 * 1024;
const CHUNK_BYTES: usize = 1024 * 1024;
/// How far past a possible separator is looked.
const LOOK_AHEAD: usize = 2048;

/// One message of an mbox.
pub(in crate::collect) struct MboxMessage<'b> {
    /// The message, without its separator; only its beginning if `too_large`.
    pub(in crate::collect) bytes: &'b [u8],
    pub(in crate::collect) too_large: bool,
    /// Where its separator begins in the file, and how long it is with it.
    pub(super) at: Extent,
}

/// Where a message lies in the buffer.
struct Taken {
    bytes: Range<usize>,
    too_large: bool,
    at: Extent,
}

/// Reads messages one batch after another.
pub(in crate::collect) struct Mbox<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the current message begins in `buffer`, its separator line included.
    start: usize,
    /// Up to where no separator was found.
    searched: usize,
    ended: bool,
    /// Bytes of the current message that were dropped since it is too large.
    dropped: u64,
    /// Where `buffer` begins in the file, dropped bytes of the current message left aside.
    base: u64,
    /// Separators of this file carry no date (`From - `, `From `).
    bare: Option<Vec<u8>>,
    digest: Sha256,
    read: u64,
    /// Why nothing could be read after the messages given last.
    fault: Option<io::Error>,
}

impl<R: Read> Mbox<R> {
    /// Begins to read; `Ok(None)` if this is no mbox.
    pub(in crate::collect) fn new(reader: R) -> io::Result<Option<Self>> {
        let mut mbox = Self {
            reader,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            ended: false,
            dropped: 0,
            base: 0,
            bare: None,
            digest: Sha256::new(),
            read: 0,
            fault: None,
        };
        while mbox.buffer.len() < LOOK_AHEAD && !mbox.ended {
            mbox.fill()?;
        }
        // A byte order mark or empty lines may stand before the first message.
        let mark = usize::from(mbox.buffer.starts_with(b"\xef\xbb\xbf")) * 3;
        let blank = mbox.buffer[mark..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        mbox.start = mark + blank;
        if !mbox.buffer[mbox.start..].starts_with(b"From ") {
            return Ok(None);
        }
        let first = line_at(&mbox.buffer, mbox.start);
        if !has_date(first) {
            mbox.bare = Some(first.to_vec());
        }
        mbox.searched = mbox.start;
        Ok(Some(mbox))
    }

    /// The next messages, as many as are judged together; none at the end. They are not copied.
    pub(in crate::collect) fn next_messages(&mut self) -> io::Result<Vec<MboxMessage<'_>>> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        self.shrink();
        let mut batch = Vec::new();
        while self.start < BATCH_BYTES && batch.len() < BATCH_MESSAGES {
            if let Some(separator) = self.find_separator() {
                batch.push(self.take(separator));
            } else if self.ended {
                if self.start < self.buffer.len() {
                    batch.push(self.take(self.buffer.len()));
                }
                break;
            } else if batch.is_empty() {
                self.shrink();
                self.fill()?;
            } else if self.buffer.len() >= BATCH_BYTES {
                break;
            } else if let Err(fault) = self.fill() {
                // What was read comes first.
                self.fault = Some(fault);
                break;
            }
        }
        let given = |taken: Taken| {
            let Taken { bytes, too_large, at } = taken;
            MboxMessage { bytes: &self.buffer[bytes], too_large, at }
        };
        Ok(batch.into_iter().map(given).collect())
    }

    /// SHA-256 and size of everything read so far.
    pub(in crate::collect) fn digest(self) -> (String, u64) {
        (crate::evidence::hex(&self.digest.finalize()), self.read)
    }

    fn fill(&mut self) -> io::Result<()> {
        let old = self.buffer.len();
        self.buffer.resize(old + CHUNK_BYTES, 0);
        let mut filled = old;
        while filled < self.buffer.len() {
            match self.reader.read(&mut self.buffer[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(filled);
                    return Err(error);
                }
            }
        }
        self.buffer.truncate(filled);
        self.digest.update(&self.buffer[old..]);
        self.read += (filled - old) as u64;
        Ok(())
    }

    /// The place of the next separator after the current one, if it is certain.
    fn find_separator(&mut self) -> Option<usize> {
        loop {
            let from = self.searched;
            let Some(found) = memchr::memmem::find(&self.buffer[from..], b"\nFrom ") else {
                // The last bytes may be the beginning of one.
                self.searched = from.max(self.buffer.len().saturating_sub(8));
                return None;
            };
            let line = from + found + 1;
            if self.buffer.len() - line < LOOK_AHEAD && !self.ended {
                self.searched = from + found;
                return None;
            }
            self.searched = line;
            if line > self.start && self.is_separator(line) {
                return Some(line);
            }
        }
    }

    /// Whether the `From ` line at `at` begins a message.
    fn is_separator(&self, at: usize) -> bool {
        let line = line_at(&self.buffer, at);
        if line.len() > 1000 {
            return false;
        }
        let shaped = has_date(line) || self.bare.as_deref().is_some_and(|bare| bare == line);
        if !shaped {
            return false;
        }
        let after_blank = self.buffer[..at].ends_with(b"\n\n") || self.buffer[..at].ends_with(b"\n\r\n");
        let next = line_at(&self.buffer, (at + line.len() + 1).min(self.buffer.len()));
        let next = next.strip_suffix(b"\r").unwrap_or(next);
        is_header(next) || (after_blank && next.is_empty())
    }

    /// Takes the message that ends at `end`.
    fn take(&mut self, end: usize) -> Taken {
        let whole = &self.buffer[self.start..end];
        let body = memchr::memchr(b'\n', whole).map_or(whole.len(), |line| line + 1);
        let dropped = std::mem::take(&mut self.dropped);
        let too_large = dropped > 0 || whole.len() > MESSAGE_BYTES;
        let at = Extent { offset: self.base + self.start as u64, bytes: whole.len() as u64 + dropped, node: None };
        self.base += dropped;
        let kept = if too_large { whole.len().min(HEAD_BYTES).max(body) } else { whole.len() };
        let message = Taken { bytes: self.start + body..self.start + kept, too_large, at };
        self.start = end;
        self.searched = end;
        message
    }

    /// Forgets what was taken, and the middle of a message that is too large.
    fn shrink(&mut self) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.base += self.start as u64;
            self.start = 0;
        }
        if self.buffer.len() > MESSAGE_BYTES && self.searched > HEAD_BYTES + 4 {
            // Keep the head, and before the place searched what tells an empty line.
            let tail = self.searched - 4;
            self.buffer.drain(HEAD_BYTES..tail);
            self.searched = HEAD_BYTES + 4;
            self.dropped += (tail - HEAD_BYTES) as u64;
        }
    }
}

/// The line at `at` without its end.
fn line_at(buffer: &[u8], at: usize) -> &[u8] {
    let rest = &buffer[at..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// Whether a separator names a sender and a moment: a month, a time of day and a year.
fn has_date(line: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let words = || line.split(|byte| matches!(byte, b' ' | b'\r' | b'\t')).filter(|word| !word.is_empty());
    let month = words().any(|word| MONTHS.contains(&word));
    let time = words().any(|word| {
        word.len() >= 4 && word.contains(&b':') && word.iter().all(|byte| byte.is_ascii_digit() || *byte == b':')
    });
    let year = words().any(|word| {
        word.len() == 4 && (word.starts_with(b"19") || word.starts_with(b"20")) && word.iter().all(u8::is_ascii_digit)
    });
    month && time && year && words().count() >= 5
}

/// Whether a line looks like a header field (RFC 5322 §2.2) or an mbox's own `>From `.
fn is_header(line: &[u8]) -> bool {
    if line.starts_with(b">From ") {
        return true;
    }
    let name = line.iter().take(80).take_while(|byte| byte.is_ascii_graphic() && **byte != b':').count();
    name > 0 && line.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(mbox: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = Mbox::new(mbox).unwrap().unwrap();
        let mut messages = Vec::new();
        while let Some(batch) = next_batch(&mut reader) {
            messages.extend(batch.into_iter().map(|message| message.bytes.to_vec()));
        }
        messages
    }

    fn next_batch<R: Read>(reader: &mut Mbox<R>) -> Option<Vec<MboxMessage<'_>>> {
        Some(reader.next_messages().unwrap()).filter(|batch| !batch.is_empty())
    }

    const FROM: &str = "From a@b.example Thu Jan  1 00:00:00 2026";

    #[test]
    fn prose_that_begins_with_from_is_no_separator() {
        let text = format!(
            "{FROM}\nSubject: x\n\nFrom here on\n\nFrom January 3 we open at 10:00 in 2026 daily\nnot a header\n\n{FROM}\nSubject: y\n\nz\n"
        );
        let messages = split(text.as_bytes());
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[1], b"Subject: y\n\nz\n");
    }

    #[test]
    fn crlf_takeout_and_bare_separators_are_known() {
        let crlf = format!("{FROM}\r\nSubject: x\r\n\r\nb\r\n\r\n{FROM}\r\nSubject: y\r\n\r\nz\r\n");
        assert_eq!(split(crlf.as_bytes()).len(), 2);
        let takeout = "From 1790246351237592834@xxx Sun Dec 06 12:33:55 +0000 2020\r\nX-Gmail-Labels: Inbox\r\n\r\nb\r\n\r\nFrom 17902@xxx Sun Dec 06 12:33:56 +0000 2020\r\nX: y\r\n\r\n";
        assert_eq!(split(takeout.as_bytes()).len(), 2);
        assert_eq!(split(b"From \nA: b\n\nx\n\nFrom \nA: c\n\ny\n").len(), 2);
    }

    #[test]
    fn a_message_that_is_too_large_is_dropped_and_the_next_one_read() {
        let large = "x".repeat(79) + "\n";
        let mut text = format!("{FROM}\nMessage-ID: <a@b>\n\n").into_bytes();
        while text.len() < MESSAGE_BYTES + 3 * CHUNK_BYTES {
            text.extend_from_slice(large.as_bytes());
        }
        text.extend_from_slice(format!("\n{FROM}\nSubject: y\n\nz\n").as_bytes());
        let mut reader = Mbox::new(text.as_slice()).unwrap().unwrap();
        let messages = reader.next_messages().unwrap();
        let [first, second] = messages.as_slice() else { panic!("{} messages", messages.len()) };
        assert!(first.too_large && first.bytes.len() <= HEAD_BYTES && first.bytes.starts_with(b"Message-ID"));
        assert_eq!(first.at, Extent { bytes: second.at.offset, ..Extent::default() });
        assert_eq!(second.at.offset + second.at.bytes, text.len() as u64);
        assert_eq!((second.bytes, second.too_large), (b"Subject: y\n\nz\n".as_slice(), false));
        assert!(reader.next_messages().unwrap().is_empty());
        assert_eq!(reader.digest().1, text.len() as u64);
    }

    #[test]
    fn many_and_large_messages_come_in_several_batches_and_whole() {
        let mut text = Vec::new();
        let mut expected = Vec::new();
        for (count, length) in [(BATCH_MESSAGES + 3, 10), (3, BATCH_BYTES / 3), (1, 2 * BATCH_BYTES), (2, 10)] {
            for number in 0..count {
                let message = format!("Subject: {number}\n\n{}\n\n", "x".repeat(length));
                text.extend_from_slice(format!("{FROM}\n{message}").as_bytes());
                expected.push(message.into_bytes());
            }
        }
        let mut reader = Mbox::new(text.as_slice()).unwrap().unwrap();
        let mut batches = Vec::new();
        let mut number = 0;
        while let Some(batch) = next_batch(&mut reader) {
            batches.push(batch.len());
            for message in batch {
                assert!(message.bytes == expected[number] && !message.too_large);
                let end = (message.at.offset + message.at.bytes) as usize;
                assert!(text[..end].ends_with(message.bytes));
                number += 1;
            }
        }
        assert!(number == expected.len() && batches.len() > 3, "{batches:?}");
        assert!(batches.iter().all(|count| *count <= BATCH_MESSAGES), "{batches:?}");
    }

    #[test]
    fn what_was_read_before_a_fault_comes_first() {
        struct Breaks<'a>(&'a [u8]);
        impl Read for Breaks<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                match self.0.read(to)? {
                    0 => Err(io::ErrorKind::TimedOut.into()),
                    count => Ok(count),
                }
            }
        }
        let one = format!("{FROM}\nSubject: x\n\n{}\n\n", "x".repeat(2 * LOOK_AHEAD));
        let text = one.repeat(2 * CHUNK_BYTES / one.len());
        // What is left of the last chunk is lost with it.
        let mut reader = Mbox::new(Breaks(text.as_bytes())).unwrap().unwrap();
        assert!(next_batch(&mut reader).unwrap().len() > CHUNK_BYTES / one.len() / 2);
        assert!(reader.next_messages().is_err());
    }

    /// Gives a few bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(to.len());
            to[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    proptest! {
        #[test]
        fn every_message_comes_out_as_it_went_in(
            bodies in prop::collection::vec("[a-z \n]{0,300}", 1..8),
            step in 1_usize..700,
        ) {
            let mut text = Vec::new();
            let mut expected = Vec::new();
            for (number, body) in bodies.iter().enumerate() {
                let message = format!("Subject: {number}\n\n{body}\n\n");
                text.extend_from_slice(format!("{FROM}\n{message}").as_bytes());
                expected.push(message.into_bytes());
            }
            let mut reader = Mbox::new(Dribble(&text, step)).unwrap().unwrap();
            let mut found = Vec::new();
            for message in next_batch(&mut reader).unwrap() {
                let (from, length) = (message.at.offset as usize, message.at.bytes as usize);
                prop_assert!(text[from..from + length].starts_with(FROM.as_bytes()));
                prop_assert!(text[from..from + length].ends_with(message.bytes));
                found.push(message.bytes.to_vec());
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn random_bytes_end(bytes: Vec<u8>) {
            if let Some(mut reader) = Mbox::new([b"From ".as_slice(), &bytes].concat().as_slice()).unwrap() {
                while next_batch(&mut reader).is_some() {}
            }
        }
    }
}
