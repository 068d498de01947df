//! Makes small mailbox files in all three forms, for tests. Everything in them is invented.

use std::io::Write as _;

use super::super::pages::{Form, checksum};
use super::super::{KIND_CONTENTS, KIND_HIERARCHY, ROOT_FOLDER, STORE, encoding};

/// A value of a property.
pub(super) enum Set {
    Number(u32),
    /// In the heap.
    Item(Vec<u8>),
    /// In a part of the node.
    Part(u32),
}

/// Blocks and nodes of a file to be.
pub(super) struct File {
    form: Form,
    method: u8,
    blocks: Vec<(u64, Vec<u8>)>,
    nodes: Vec<(u32, u64, u64)>,
}

pub(super) fn text(text: &str) -> Set {
    Set::Item(text.encode_utf16().flat_map(u16::to_le_bytes).collect())
}

/// The heap of one block that holds these items, the first of which is its root.
fn heap(kind: u8, items: &[Vec<u8>]) -> Vec<u8> {
    let mut block = vec![0; 12];
    let mut bounds = vec![12_u16];
    for item in items {
        block.extend(item);
        bounds.push(u16::try_from(block.len()).unwrap());
    }
    let map = u16::try_from(block.len()).unwrap();
    block[..2].copy_from_slice(&map.to_le_bytes());
    block[2..8].copy_from_slice(&[0xec, kind, 0x20, 0, 0, 0]);
    block.extend(u16::try_from(items.len()).unwrap().to_le_bytes());
    block.extend([0, 0]);
    block.extend(bounds.iter().flat_map(|bound| bound.to_le_bytes()));
    block
}

/// The number of an item of a heap, from 1.
fn item(number: usize) -> u32 {
    u32::try_from(number).unwrap() << 5
}

pub(super) fn properties(values: Vec<(u16, u16, Set)>) -> Vec<u8> {
    let mut head = vec![0xb5, 2, 6, 0];
    head.extend(item(2).to_le_bytes());
    let mut items = vec![head, Vec::new()];
    for (id, kind, value) in values {
        let value = match value {
            Set::Number(number) | Set::Part(number) => number,
            Set::Item(bytes) => {
                items.push(bytes);
                item(items.len())
            }
        };
        items[1].extend(id.to_le_bytes());
        items[1].extend(kind.to_le_bytes());
        items[1].extend(value.to_le_bytes());
    }
    heap(0xbc, &items)
}

/// A table of rows; of recipients with their name, address (in this property) and sort, which others leave
/// empty.
fn table(form: Form, address_id: u16, rows: &[(u32, &str, &str, u32)]) -> Vec<u8> {
    let short = form == Form::Ansi;
    let mut index_head = vec![0xb5, 4, if short { 2 } else { 4 }, 0];
    index_head.extend(if rows.is_empty() { 0 } else { item(3) }.to_le_bytes());
    let (mut index, mut matrix, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (number, name, address, sort)) in rows.iter().enumerate() {
        index.extend(number.to_le_bytes());
        index.extend(&u32::try_from(place).unwrap().to_le_bytes()[..if short { 2 } else { 4 }]);
        matrix.extend(number.to_le_bytes());
        matrix.extend(1_u32.to_le_bytes());
        matrix.extend(sort.to_le_bytes());
        for text in [name, address] {
            texts.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
            matrix.extend(item(4 + texts.len()).to_le_bytes());
        }
        // All columns are there.
        matrix.push(0xf8);
    }
    let mut head = vec![0x7c, 5];
    for end in [20_u16, 20, 20, 21] {
        head.extend(end.to_le_bytes());
    }
    head.extend(item(2).to_le_bytes());
    head.extend(if rows.is_empty() { 0 } else { item(4) }.to_le_bytes());
    head.extend([0; 4]);
    for (bit, (kind, id, at)) in
        [(3_u16, 0x67f2_u16, 0_u16), (3, 0x67f3, 4), (3, 0x0c15, 8), (0x1f, 0x3001, 12), (0x1f, address_id, 16)]
            .into_iter()
            .enumerate()
    {
        head.extend(kind.to_le_bytes());
        head.extend(id.to_le_bytes());
        head.extend(at.to_le_bytes());
        head.extend([4, u8::try_from(bit).unwrap()]);
    }
    let mut items = vec![head, index_head, index, matrix];
    items.extend(texts);
    heap(0x7c, &items)
}

impl File {
    pub(super) fn new(form: Form, method: u8) -> Self {
        Self { form, method, blocks: Vec::new(), nodes: Vec::new() }
    }

    fn block(&mut self, bytes: Vec<u8>, internal: bool) -> u64 {
        let number = (self.blocks.len() as u64 + 1) * 4 + if internal { 2 } else { 0 };
        self.blocks.push((number, bytes));
        number
    }

    /// Data in one block, or in as many as it takes.
    pub(super) fn data(&mut self, bytes: &[u8]) -> u64 {
        const FULL: usize = 8_000;
        if bytes.len() <= FULL {
            return self.block(bytes.to_vec(), false);
        }
        let blocks: Vec<u64> = bytes.chunks(FULL).map(|some| self.block(some.to_vec(), false)).collect();
        let mut list = vec![1, 1];
        list.extend(u16::try_from(blocks.len()).unwrap().to_le_bytes());
        list.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        blocks.iter().for_each(|block| self.word(*block, &mut list));
        self.block(list, true)
    }

    /// Data that is one block, `times` times `times` over.
    pub(super) fn again(&mut self, bytes: &[u8], times: u16) -> u64 {
        let mut below = self.block(bytes.to_vec(), false);
        for level in [1, 2] {
            let mut list = vec![1, level];
            list.extend(times.to_le_bytes());
            list.extend([0; 4]);
            (0..times).for_each(|_| self.word(below, &mut list));
            below = self.block(list, true);
        }
        below
    }

    /// Parts of a node: number, data, parts; over two blocks, so that there is a level above.
    pub(super) fn parts(&mut self, parts: &[(u32, u64, u64)]) -> u64 {
        let fill: &[u8] = if self.form == Form::Ansi { &[] } else { &[0; 4] };
        let halves = [&parts[..parts.len() / 2], &parts[parts.len() / 2..]];
        let mut above = vec![2, 1, 2, 0];
        above.extend(fill);
        for half in halves {
            let mut list = vec![2, 0, u8::try_from(half.len()).unwrap(), 0];
            list.extend(fill);
            for (number, data, below) in half {
                [u64::from(*number), *data, *below].iter().for_each(|word| self.word(*word, &mut list));
            }
            let below = self.block(list, true);
            let first = half.first().map_or(0, |part| u64::from(part.0));
            [first, below].iter().for_each(|word| self.word(*word, &mut above));
        }
        self.block(above, true)
    }

    pub(super) fn node(&mut self, number: u32, data: &[u8], parts: u64) {
        let data = self.data(data);
        self.nodes.push((number, data, parts));
    }

    /// The first nodes of any file: it names the folder of mail.
    pub(super) fn store(&mut self, mail: u32) {
        let entry = [[0; 20].as_slice(), &mail.to_le_bytes()].concat();
        self.node(STORE, &properties(vec![(0x35e0, 0x0102, Set::Item(entry))]), 0);
    }

    pub(super) fn folder(&mut self, number: u32, name: &str, inner: &[u32], messages: &[u32], says: u32) {
        let rows = |numbers: &[u32]| numbers.iter().map(|number| (*number, "", "", 0)).collect::<Vec<_>>();
        self.node(number, &properties(vec![(0x3001, 0x1f, text(name)), (0x3602, 3, Set::Number(says))]), 0);
        self.node(number & !0x1f | KIND_HIERARCHY, &table(self.form, 0x39fe, &rows(inner)), 0);
        self.node(number & !0x1f | KIND_CONTENTS, &table(self.form, 0x39fe, &rows(messages)), 0);
    }

    /// Leaves a node of which nothing can be read.
    pub(super) fn take_away(&mut self, number: u32) {
        let node = self.nodes.iter_mut().find(|node| node.0 == number).unwrap();
        node.1 = 0xfff0;
    }

    pub(super) fn recipients(&mut self, rows: &[(u32, &str, &str, u32)]) -> u64 {
        self.recipients_by(0x39fe, rows)
    }

    /// Recipients whose address stands in this property.
    pub(super) fn recipients_by(&mut self, address_id: u16, rows: &[(u32, &str, &str, u32)]) -> u64 {
        let table = table(self.form, address_id, rows);
        self.data(&table)
    }

    fn word(&self, word: u64, to: &mut Vec<u8>) {
        to.extend(&word.to_le_bytes()[..if self.form == Form::Ansi { 4 } else { 8 }]);
    }

    /// The file.
    pub(super) fn bytes(mut self) -> Vec<u8> {
        let (multiple, trailer) = self.form.block();
        let mut file = vec![0; 0x400];
        let mut index: Vec<Vec<u8>> = Vec::new();
        for (number, mut bytes) in std::mem::take(&mut self.blocks) {
            let whole = bytes.len();
            if number & 2 == 0 {
                match self.method {
                    0 => {}
                    1 => encoding::permuted_forth(&mut bytes),
                    _ => encoding::cyclic(&mut bytes, u32::try_from(number).unwrap()),
                }
            }
            if self.form == Form::LargePages && whole > 200 {
                let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                packed.write_all(&bytes).unwrap();
                bytes = packed.finish().unwrap();
            }
            let (at, stored) = (file.len() as u64, bytes.len());
            let sum = u32::try_from(checksum(&bytes)).unwrap();
            bytes.resize((stored + trailer).next_multiple_of(multiple) - trailer, 0);
            let size = u16::try_from(stored).unwrap().to_le_bytes();
            bytes.extend(size);
            bytes.extend([0, 0]);
            if self.form != Form::Ansi {
                bytes.extend(sum.to_le_bytes());
            }
            self.word(number, &mut bytes);
            if self.form == Form::Ansi {
                bytes.extend(sum.to_le_bytes());
            }
            bytes.resize(bytes.len().next_multiple_of(multiple), 0);
            file.extend(bytes);
            let mut entry = Vec::new();
            [number, at].iter().for_each(|word| self.word(*word, &mut entry));
            entry.extend(size);
            entry.extend(u16::try_from(whole).unwrap().to_le_bytes());
            entry.resize(if self.form == Form::Ansi { 12 } else { 24 }, 0);
            index.push(entry);
        }
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.sort_unstable();
        let nodes = nodes.into_iter().map(|(number, data, parts)| {
            let mut entry = Vec::new();
            [u64::from(number), data, parts].iter().for_each(|word| self.word(*word, &mut entry));
            entry.resize(if self.form == Form::Ansi { 16 } else { 32 }, 0);
            entry
        });
        let nodes: Vec<Vec<u8>> = nodes.collect();
        index.sort_by_key(|entry| super::super::pages::word(entry, 0, self.form.word()));
        let roots = [self.tree(0x81, nodes, &mut file), self.tree(0x80, index, &mut file)];
        file[..4].copy_from_slice(b"!BDN");
        file[8..10].copy_from_slice(b"SM");
        let (version, places, method) = match self.form {
            Form::Ansi => (15, [188, 196], 461),
            Form::LargePages => (36, [224, 240], 513),
            Form::Unicode => (23, [224, 240], 513),
        };
        file[10] = version;
        file[method] = self.method;
        for (at, root) in places.into_iter().zip(roots) {
            file[at..at + self.form.word()].copy_from_slice(&root.to_le_bytes()[..self.form.word()]);
        }
        file
    }

    /// A tree with one level above its leaves; where its root is.
    fn tree(&self, kind: u8, entries: Vec<Vec<u8>>, file: &mut Vec<u8>) -> u64 {
        let mut above = Vec::new();
        for some in entries.chunks(10) {
            let at = self.page(kind, 0, some, file);
            let mut entry = some[0][..self.form.word()].to_vec();
            [0, at].iter().for_each(|word| self.word(*word, &mut entry));
            above.push(entry);
        }
        self.page(kind, 1, &above, file)
    }

    fn page(&self, kind: u8, level: u8, entries: &[Vec<u8>], file: &mut Vec<u8>) -> u64 {
        let at = file.len() as u64;
        let (end, sum, summed) = self.form.page_marks();
        let mut page = entries.concat();
        page.resize(self.form.page(), 0);
        let wide = usize::from(self.form == Form::LargePages);
        page[end] = u8::try_from(entries.len()).unwrap();
        page[end + 2 + 2 * wide] = u8::try_from(entries[0].len()).unwrap();
        page[end + 3 + 2 * wide] = level;
        page[summed] = kind;
        let check = u32::try_from(checksum(&page[..summed])).unwrap();
        page[sum..sum + 4].copy_from_slice(&check.to_le_bytes());
        file.extend(page);
        at
    }
}

/// The root, the folder of mail, and in it the folders that are given with their messages.
pub(super) fn folders(file: &mut File, folders: &[(u32, &str, &[u32])]) {
    const MAIL: u32 = 0x8022;
    file.store(MAIL);
    let numbers: Vec<u32> = folders.iter().map(|(number, _, _)| *number).collect();
    file.folder(ROOT_FOLDER, "", &[MAIL], &[], 0);
    file.folder(MAIL, "Top of Outlook data file", &numbers, &[], 0);
    for (number, name, messages) in folders {
        file.folder(*number, name, &[], messages, u32::try_from(messages.len()).unwrap());
    }
}
