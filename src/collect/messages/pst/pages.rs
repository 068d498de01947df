//! The lower half of a mailbox file ([MS-PST] §2.2): its header, the two trees that find nodes and
//! blocks, and blocks joined, unpacked and decoded.
//!
//! Nothing in the file is believed: levels only go down, so that no reference leads round in a circle;
//! checksums are compared; lengths are held against the file's; and what is read altogether, unpacked,
//! is bounded by a multiple of the file's length.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use super::super::mapi::{BYTES, UNREADABLE_PART, Why};
use super::encoding;

/// Pages of the trees that are kept.
const PAGES_KEPT: usize = 4_096;
/// The trees are not deeper than this (§2.2.2.7.7.1).
const LEVELS: u8 = 8;
/// Parts of one node, such as the attachments of a message.
const SUBNODES: usize = 100_000;
/// All blocks together may come to so many times the length of the file.
const READ_AGAIN: u64 = 32;
/// What is read for one message, lists of its parts and pages of the trees included.
const MESSAGE_READ: u64 = 4 * BYTES as u64;
/// The longest block, unpacked.
const BLOCK_BYTES: usize = 64 * 1024;

/// The three forms the format has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Until Outlook 2002: addresses of four bytes.
    Ansi,
    /// OST files since Outlook 2013: large pages, blocks packed. Not in [MS-PST]; as such files are.
    LargePages,
    /// Since Outlook 2003.
    Unicode,
}

impl Form {
    pub(super) const fn word(self) -> usize {
        match self {
            Self::Ansi => 4,
            Self::LargePages | Self::Unicode => 8,
        }
    }

    pub(super) const fn page(self) -> usize {
        match self {
            Self::Ansi | Self::Unicode => 512,
            Self::LargePages => 4096,
        }
    }

    /// Where a page's entries end and its checksum stands, and how much of it that is of.
    pub(super) const fn page_marks(self) -> (usize, usize, usize) {
        match self {
            Self::Ansi => (496, 508, 500),
            Self::LargePages => (4056, 4076, 4072),
            Self::Unicode => (488, 500, 496),
        }
    }

    /// Blocks fill so many bytes or multiples of it, their trailer of this length at the end.
    pub(super) const fn block(self) -> (usize, usize) {
        match self {
            Self::Ansi => (64, 12),
            Self::LargePages => (512, 24),
            Self::Unicode => (64, 16),
        }
    }
}

/// A mailbox file that was opened.
pub(super) struct File<R> {
    reader: R,
    length: u64,
    pub(super) form: Form,
    encoding: Encoding,
    /// Where the trees of nodes and of blocks begin.
    roots: [u64; 2],
    pages: HashMap<u64, Rc<Page>>,
    /// Bytes that may still be read of the file, and for the message at hand, unpacked.
    left: u64,
    message_left: u64,
    /// Tests of what lies behind them pass over checksums.
    verifies: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Cyclic,
    Permuted,
    Plain,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tree {
    Blocks,
    Nodes,
}

struct Page {
    level: u8,
    entry: usize,
    count: usize,
    bytes: Vec<u8>,
}

/// A node, or a part of one: its own data and its parts, by number of block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) data: u64,
    pub(super) parts: u64,
}

/// Where a block lies.
struct Place {
    at: u64,
    stored: usize,
    whole: usize,
}

impl<R: Read + Seek> File<R> {
    /// Reads the header (§2.2.2.6); the error is the reason for not looking into the file.
    pub(super) fn open(mut reader: R, verifies: bool) -> Result<Self, Why> {
        let length = reader.seek(SeekFrom::End(0)).map_err(|_| "read-error")?;
        let mut head = [0; 516];
        reader.seek(SeekFrom::Start(0)).map_err(|_| "read-error")?;
        reader.read_exact(&mut head).map_err(|_| "truncated")?;
        if !head.starts_with(b"!BDN") {
            return Err("unknown-format");
        }
        let form = match u16::from_le_bytes([head[10], head[11]]) {
            14 | 15 => Form::Ansi,
            20..=23 => Form::Unicode,
            36 => Form::LargePages,
            // Protected by Windows for one organization.
            37 => return Err("encrypted"),
            _ => return Err("unknown-format"),
        };
        let (roots, method) = match form {
            Form::Ansi => ([188, 196], 461),
            Form::LargePages | Form::Unicode => ([224, 240], 513),
        };
        let encoding = match head[method] {
            0 => Encoding::Plain,
            1 => Encoding::Permuted,
            2 => Encoding::Cyclic,
            0x10 => return Err("encrypted"),
            _ => return Err("unknown-format"),
        };
        let roots = roots.map(|at| word(&head, at, form.word()).unwrap_or(0));
        let left = length.saturating_mul(READ_AGAIN).saturating_add(16 * 1024 * 1024);
        Ok(Self {
            reader,
            length,
            form,
            encoding,
            roots,
            pages: HashMap::new(),
            left,
            message_left: MESSAGE_READ,
            verifies,
        })
    }

    /// From here on it is read for another message, or another list.
    pub(super) fn begin(&mut self) {
        self.message_left = MESSAGE_READ;
    }

    /// The node of this number.
    pub(super) fn node(&mut self, number: u32) -> Result<Option<Node>, Why> {
        let word_bytes = self.form.word();
        let entry = self.find(Tree::Nodes, u64::from(number))?;
        Ok(entry.and_then(|entry| {
            Some(Node { data: word(&entry, word_bytes, word_bytes)?, parts: word(&entry, 2 * word_bytes, word_bytes)? })
        }))
    }

    /// The parts of a node, by their number (§2.2.2.8.3.3).
    pub(super) fn parts(&mut self, of: Node) -> Result<BTreeMap<u32, Node>, Why> {
        let mut parts = BTreeMap::new();
        if of.parts != 0 {
            self.gather_parts(of.parts, 1, &mut parts)?;
        }
        Ok(parts)
    }

    fn gather_parts(&mut self, block: u64, highest: u8, parts: &mut BTreeMap<u32, Node>) -> Result<(), Why> {
        let bytes = self.block(block)?;
        let size = self.form.word();
        let (level, count) = tree_head(&bytes, 2).filter(|(level, _)| *level <= highest).ok_or(UNREADABLE_PART)?;
        // The head is filled up to one word more.
        let entries = bytes.get(if size == 4 { 4 } else { 8 }..).unwrap_or_default();
        let entry = if level == 0 { 3 * size } else { 2 * size };
        let mut entries = entries.chunks_exact(entry);
        for _ in 0..count {
            let entry = entries.next().ok_or(UNREADABLE_PART)?;
            let words = [0, 1, 2].map(|number| word(entry, number * size, size).unwrap_or(0));
            if level > 0 {
                self.gather_parts(words[1], level - 1, parts)?;
            } else {
                let number = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
                parts.insert(number, Node { data: words[1], parts: words[2] });
            }
            if parts.len() > SUBNODES {
                return Err("too-many-parts");
            }
        }
        Ok(())
    }

    /// The blocks of data under a number, in order; together at most `limit` bytes.
    pub(super) fn data(&mut self, block: u64, limit: usize) -> Result<Vec<Vec<u8>>, Why> {
        let mut blocks = Vec::new();
        let mut left = limit;
        if block != 0 {
            self.gather(block, 2, &mut left, &mut blocks)?;
        }
        Ok(blocks)
    }

    fn gather(&mut self, block: u64, highest: u8, left: &mut usize, blocks: &mut Vec<Vec<u8>>) -> Result<(), Why> {
        let bytes = self.block(block)?;
        if !is_internal(block) {
            *left = left.checked_sub(bytes.len()).ok_or("too-large")?;
            blocks.push(bytes);
            return Ok(());
        }
        let (level, count) =
            tree_head(&bytes, 1).filter(|(level, _)| (1..=highest).contains(level)).ok_or(UNREADABLE_PART)?;
        let size = self.form.word();
        for number in 0..count {
            let child = word(&bytes, 8 + number * size, size).ok_or(UNREADABLE_PART)?;
            if is_internal(child) != (level == 2) {
                return Err(UNREADABLE_PART);
            }
            self.gather(child, 1, left, blocks)?;
        }
        Ok(())
    }

    fn block(&mut self, number: u64) -> Result<Vec<u8>, Why> {
        let Place { at, stored, whole } = self.place(number)?.ok_or(UNREADABLE_PART)?;
        let (multiple, trailer) = self.form.block();
        let filled = (stored + trailer).next_multiple_of(multiple);
        let mut bytes = self.read(at, filled)?;
        let mark = filled - trailer;
        let said = usize::from(u16::from_le_bytes([bytes[mark], bytes[mark + 1]]));
        let (sum, own) = match self.form {
            Form::Ansi => (mark + 8, mark + 4),
            Form::LargePages | Form::Unicode => (mark + 4, mark + 8),
        };
        let own = word(&bytes, own, self.form.word()).unwrap_or(0);
        let sound =
            said == stored && own & !1 == number & !1 && word(&bytes, sum, 4) == Some(checksum(&bytes[..stored]));
        if self.verifies && !sound {
            return Err(UNREADABLE_PART);
        }
        bytes.truncate(stored);
        if whole != stored {
            self.spend(whole.saturating_sub(stored) as u64)?;
            bytes = inflated(&bytes, whole)?;
        }
        if !is_internal(number) {
            match self.encoding {
                // A block's key is the lower half of its number (§5.2).
                Encoding::Cyclic => encoding::cyclic(&mut bytes, (number & 0xffff_ffff) as u32),
                Encoding::Permuted => encoding::permuted(&mut bytes),
                Encoding::Plain => {}
            }
        }
        Ok(bytes)
    }

    fn place(&mut self, block: u64) -> Result<Option<Place>, Why> {
        let form = self.form;
        let Some(entry) = self.find(Tree::Blocks, block & !1)? else { return Ok(None) };
        let size = form.word();
        let length = |at| word(&entry, at, 2).and_then(|length| usize::try_from(length).ok());
        let (Some(at), Some(stored)) = (word(&entry, size, size), length(2 * size)) else { return Ok(None) };
        let whole = match form {
            Form::Ansi | Form::Unicode => stored,
            Form::LargePages => length(2 * size + 2).unwrap_or(stored),
        };
        Ok((stored > 0 && whole <= BLOCK_BYTES).then_some(Place { at, stored, whole }))
    }

    /// The entry of this key in the leaves of a tree.
    fn find(&mut self, tree: Tree, key: u64) -> Result<Option<Vec<u8>>, Why> {
        let size = self.form.word();
        let mut at = match tree {
            Tree::Blocks => self.roots[1],
            Tree::Nodes => self.roots[0],
        };
        let mut above = LEVELS + 1;
        loop {
            let page = self.page(tree, at)?;
            if page.level >= above {
                return Err(UNREADABLE_PART);
            }
            above = page.level;
            let key_of = |entry: &[u8]| {
                let key = word(entry, 0, size).unwrap_or(0);
                match tree {
                    Tree::Blocks => key & !1,
                    Tree::Nodes => key & 0xffff_ffff,
                }
            };
            let mut entries = page.bytes.chunks_exact(page.entry).take(page.count);
            if page.level == 0 {
                return Ok(entries.find(|entry| key_of(entry) == key).map(<[u8]>::to_vec));
            }
            let Some(entry) = entries.take_while(|entry| key_of(entry) <= key).last() else { return Ok(None) };
            at = word(entry, 2 * size, size).ok_or(UNREADABLE_PART)?;
        }
    }

    fn page(&mut self, tree: Tree, at: u64) -> Result<Rc<Page>, Why> {
        if let Some(page) = self.pages.get(&at) {
            return Ok(Rc::clone(page));
        }
        let (end, sum, summed) = self.form.page_marks();
        let bytes = self.read(at, self.form.page())?;
        let kind = match tree {
            Tree::Blocks => 0x80,
            Tree::Nodes => 0x81,
        };
        let sound = word(&bytes, sum, 4) == Some(checksum(&bytes[..summed])) || !self.verifies;
        let (count, entry, level) = match self.form {
            Form::Ansi | Form::Unicode => (usize::from(bytes[end]), bytes[end + 2], bytes[end + 3]),
            Form::LargePages => {
                (usize::from(u16::from_le_bytes([bytes[end], bytes[end + 1]])), bytes[end + 4], bytes[end + 5])
            }
        };
        let entry = usize::from(entry);
        // The shortest entry that is read has three words.
        let fits = entry >= 3 * self.form.word() && count * entry <= end;
        // The kind stands at the beginning of the trailer, where the summed part ends.
        if !sound || bytes[summed] != kind || !fits {
            return Err(UNREADABLE_PART);
        }
        let page = Rc::new(Page { level, entry, count, bytes: bytes[..end].to_vec() });
        if self.pages.len() >= PAGES_KEPT {
            self.pages.clear();
        }
        self.pages.insert(at, Rc::clone(&page));
        Ok(page)
    }

    fn read(&mut self, at: u64, count: usize) -> Result<Vec<u8>, Why> {
        let length = count as u64;
        if at.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(UNREADABLE_PART);
        }
        self.spend(length)?;
        let mut bytes = vec![0; count];
        self.reader.seek(SeekFrom::Start(at)).map_err(|_| "read-error")?;
        self.reader.read_exact(&mut bytes).map_err(|_| "read-error")?;
        Ok(bytes)
    }

    fn spend(&mut self, bytes: u64) -> Result<(), Why> {
        self.left = self.left.checked_sub(bytes).ok_or(EXHAUSTED)?;
        self.message_left = self.message_left.checked_sub(bytes).ok_or("too-large")?;
        Ok(())
    }
}

/// The file leads to more than it can hold.
pub(super) const EXHAUSTED: Why = "container-limit";

/// Blocks that hold references rather than data have the second bit of their number set (§2.2.2.2).
const fn is_internal(block: u64) -> bool {
    block & 2 != 0
}

/// Level and number of entries of a block of references of this kind.
fn tree_head(bytes: &[u8], kind: u8) -> Option<(u8, usize)> {
    let head: [u8; 4] = *bytes.first_chunk()?;
    (head[0] == kind).then(|| (head[1], usize::from(u16::from_le_bytes([head[2], head[3]]))))
}

/// A number of two, four or eight bytes, least first.
pub(super) fn word(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn inflated(packed: &[u8], whole: usize) -> Result<Vec<u8>, Why> {
    let mut bytes = Vec::new();
    let unpacked = flate2::read::ZlibDecoder::new(packed).take(whole as u64).read_to_end(&mut bytes);
    if unpacked.is_err() || bytes.len() != whole {
        return Err(UNREADABLE_PART);
    }
    Ok(bytes)
}

/// The checksum of pages and blocks (§5.3): the usual one without its first and last inversion.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let mut value = byte as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    };
    let sum = bytes.iter().fold(0_u32, |sum, byte| sum >> 8 ^ TABLE[usize::from((sum as u8) ^ byte)]);
    u64::from(sum)
}
