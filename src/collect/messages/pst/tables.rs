//! The middle of a mailbox file ([MS-PST] §2.3): the heap inside a node, the tree inside the heap, and
//! what they hold: the properties of one thing, or a table of several.
//!
//! Pure: it is given the blocks of a node. What is not where it should be is absent.

use std::collections::{BTreeMap, HashSet};

use super::pages::word;

/// The heap of one node (§2.3.1).
pub(super) struct Heap {
    blocks: Vec<Vec<u8>>,
    /// In large pages an item's number has other bounds.
    large: bool,
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Itself.
    Here(u64),
    /// In an item of the heap, or in a part of the node.
    There(u32),
}

/// Type and value of properties, by identifier.
pub(super) type Values = BTreeMap<u16, (u16, Value)>;

/// Types of properties ([MS-OXCDATA] §2.11.1).
pub(super) mod kind {
    pub(in super::super) const BINARY: u16 = 0x0102;
    pub(in super::super) const OBJECT: u16 = 0x000d;
    pub(in super::super) const STRING: u16 = 0x001f;
    pub(in super::super) const STRING_8: u16 = 0x001e;
    pub(in super::super) const TIME: u16 = 0x0040;
}

/// Records of one tree: as many as messages are read of a file.
const RECORDS: usize = super::MESSAGES;

/// What a heap holds (its signature).
const PROPERTIES: u8 = 0xbc;
const TABLE: u8 = 0x7c;

impl Heap {
    pub(super) const fn new(blocks: Vec<Vec<u8>>, large: bool) -> Self {
        Self { blocks, large }
    }

    /// Number of the item at the root, where the heap holds this.
    fn root(&self, holds: u8) -> Option<u32> {
        let head = self.blocks.first()?;
        (head.get(2..4)? == [0xec, holds]).then(|| number(head, 4))?
    }

    /// An item (§2.3.1.1, §2.3.1.5).
    pub(super) fn item(&self, item: u32) -> Option<&[u8]> {
        if item & 0x1f != 0 {
            return None;
        }
        let (index, block) =
            if self.large { (item >> 5 & 0x3fff, item >> 19) } else { (item >> 5 & 0x7ff, item >> 16) };
        let block = self.blocks.get(usize::try_from(block).ok()?)?;
        let map = short(block, 0)?;
        let index = usize::try_from(index).ok()?;
        if index == 0 || index > short(block, map)? {
            return None;
        }
        let bound = map + 4 + 2 * (index - 1);
        block.get(short(block, bound)?..short(block, bound + 2)?)
    }

    /// The records of a tree in the heap (§2.3.2): `key` bytes of key, then `rest` bytes.
    fn records(&self, tree: u32, key: usize, rest: usize) -> Option<Vec<&[u8]>> {
        let head = self.item(tree)?;
        if head.get(..3)? != [0xb5, u8::try_from(key).ok()?, u8::try_from(rest).ok()?] {
            return None;
        }
        let levels = *head.get(3)?;
        let mut items = vec![number(head, 4)?];
        // Each item is gone through once, wherever references lead.
        let mut seen: HashSet<u32> = items.iter().copied().collect();
        if items == [0] {
            return Some(Vec::new());
        }
        // Items may lie over each other: together they hold no more than the heap.
        let mut left: usize = self.blocks.iter().map(Vec::len).sum();
        let mut once = |item| {
            let bytes = self.item(item)?;
            left = left.checked_sub(bytes.len())?;
            Some(bytes)
        };
        for _ in 0..levels {
            let mut below = Vec::new();
            for item in items {
                for entry in once(item)?.chunks_exact(key + 4) {
                    let next = number(entry, key)?;
                    if seen.insert(next) {
                        below.push(next);
                    }
                }
            }
            items = below;
        }
        let leaves: Vec<&[u8]> = items.into_iter().map(&mut once).collect::<Option<_>>()?;
        let records: usize = leaves.iter().map(|leaf| leaf.len() / (key + rest)).sum();
        if records > RECORDS {
            return None;
        }
        Some(leaves.into_iter().flat_map(|leaf| leaf.chunks_exact(key + rest)).collect())
    }

    /// The properties of one thing (§2.3.3); `None` where the heap holds none.
    pub(super) fn properties(&self) -> Option<Values> {
        let records = self.records(self.root(PROPERTIES)?, 2, 6)?;
        let property = |record: &&[u8]| {
            let (id, kind, value) = (half(record, 0)?, half(record, 2)?, number(record, 4)?);
            // Numbers of up to four bytes, and logical values.
            let here = matches!(kind, 0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b);
            Some((id, (kind, if here { Value::Here(u64::from(value)) } else { Value::There(value) })))
        };
        Some(records.iter().filter_map(property).collect())
    }

    /// A table (§2.3.4); `None` where the heap holds none.
    pub(super) fn table(&self) -> Option<Table<'_>> {
        let head = self.item(self.root(TABLE)?)?;
        if *head.first()? != TABLE {
            return None;
        }
        // Without deleted rows, which may still stand among the others.
        let rest = if self.has_short_rows(number(head, 10)?)? { 2 } else { 4 };
        let mut rows: Vec<(u32, usize)> = self
            .records(number(head, 10)?, 4, rest)?
            .into_iter()
            .filter_map(|record| Some((number(record, 0)?, usize::try_from(word(record, 4, rest)?).ok()?)))
            .collect();
        rows.sort_unstable();
        Some(Table { head, rows })
    }

    /// Whether a table counts its rows in two bytes, as it did before Unicode.
    fn has_short_rows(&self, tree: u32) -> Option<bool> {
        Some(*self.item(tree)?.get(2)? == 2)
    }
}

/// A table: its columns and which rows it has.
pub(super) struct Table<'h> {
    head: &'h [u8],
    /// Number of the thing that a row is of, and the row's place.
    pub(super) rows: Vec<(u32, usize)>,
}

impl Table<'_> {
    /// Where the rows stand: an item of the heap or a part of the node.
    pub(super) fn matrix(&self) -> Option<u32> {
        number(self.head, 14)
    }

    /// The values of one row (§2.3.4.4) of the blocks that hold them.
    pub(super) fn row(&self, place: usize, blocks: &[&[u8]]) -> Option<Values> {
        // Where the one-byte values end the bits begin that say which columns are there.
        let (bits_at, length) = (short(self.head, 6)?, short(self.head, 8)?);
        let in_block = blocks.first()?.len().checked_div(length)?;
        let block = blocks.get(place.checked_div(in_block)?)?;
        let start = (place % in_block) * length;
        let row = block.get(start..start + length)?;
        let columns = usize::from(*self.head.get(1)?);
        let columns = self.head.get(22..)?.chunks_exact(8).take(columns);
        let value = |column: &[u8]| {
            let (kind, id) = (half(column, 0)?, half(column, 2)?);
            let (at, size, bit) = (short(column, 4)?, usize::from(column[6]), usize::from(column[7]));
            if row.get(bits_at + bit / 8)? & 0x80 >> (bit % 8) == 0 {
                return None;
            }
            let value = word(row, at, size.min(8))?;
            let there = kind & 0x1000 != 0 || matches!(kind, 0x000d | 0x001e | 0x001f | 0x0048 | 0x0102);
            let value = if there { Value::There(u32::try_from(value).ok()?) } else { Value::Here(value) };
            Some((id, (kind, value)))
        };
        Some(columns.filter_map(value).collect())
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    word(bytes, at, 4).and_then(|number| u32::try_from(number).ok())
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    word(bytes, at, 2).and_then(|number| u16::try_from(number).ok())
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    half(bytes, at).map(usize::from)
}
