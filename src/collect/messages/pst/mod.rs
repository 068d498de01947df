//! Reads Outlook's mailbox files (`.pst`, `.ost`; [MS-PST]): which folders there are, which messages they
//! list, and each message as mail.
//!
//! Nothing is written, and nothing the file says of itself is believed: every message and folder is
//! read once however often it is listed, `pages` bounds what is read, `tables` believes no length.
//! One message is in memory at a time. Messages that no folder lists (deleted, and not yet overwritten)
//! are not looked for.

mod encoding;
mod pages;
mod scan;
mod tables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::{Read, Seek};
use std::rc::Rc;

use super::mapi::{self, Attached, BYTES, PARTS, Properties, UNREADABLE_PART, Why, id};
use pages::{EXHAUSTED, Form, Node, word};
pub(super) use scan::messages_in;
use tables::{Heap, Value, Values, kind};

/// Folders inside folders are followed to this depth.
const DEPTH: usize = 64;
/// At most so many folders and messages of one file are read.
const FOLDERS: usize = 100_000;
const MESSAGES: usize = 10_000_000;
/// Characters of a folder's name.
const NAME: usize = 256;
const NO_NAME: &str = "no-name";
/// The names of all folders, each with those of the folders it is in.
const PATHS: usize = 64 * 1024 * 1024;
/// The list of one folder's messages, or of its folders; it holds texts of each, too.
const TABLE_BYTES: usize = 4 * BYTES;

/// Where mail is in a file that does not name the folder, as OST files do not.
const MAIL_FOLDERS_OF_OST: [&str; 2] = ["Root - Mailbox", "IPM_SUBTREE"];

/// A folder says it has messages that it does not list.
const NOT_IN_FILE: Why = "not-in-file";

/// Numbers of nodes that every file has (§2.4.1).
const ROOT_FOLDER: u32 = 0x122;
const STORE: u32 = 0x21;

/// What a node is, by the last five bits of its number (§2.2.2.1).
const KIND: u32 = 0x1f;
const KIND_ATTACHMENT: u32 = 0x05;
const KIND_CONTENTS: u32 = 0x0e;
const KIND_FOLDER: u32 = 0x02;
const KIND_HIERARCHY: u32 = 0x0d;
const KIND_MESSAGE: u32 = 0x04;
const KIND_RECIPIENTS: u32 = 0x12;

/// Properties of folders and of the file.
const DISPLAY_NAME: u16 = 0x3001;
const MAIL_FOLDERS: u16 = 0x35e0;
const MESSAGE_COUNT: u16 = 0x3602;

/// A mailbox file.
pub(super) struct Pst<R>(pages::File<R>);

/// A folder of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// Its name and those of the folders it is in, as they are.
    pub(super) path: Vec<String>,
    /// Numbers of the nodes of its messages.
    pub(super) messages: Vec<u32>,
    /// Why messages of it are not listed, and how many; 1 where that is not known.
    pub(super) lost: Option<(Why, u64)>,
}

/// A folder that others are in.
struct Above {
    name: String,
    within: Option<Rc<Above>>,
}

impl Above {
    /// The names from the outermost folder on.
    fn path(folder: Option<&Self>) -> Vec<String> {
        let mut path: Vec<String> = std::iter::successors(folder, |folder| folder.within.as_deref())
            .map(|folder| folder.name.clone())
            .collect();
        path.reverse();
        path
    }
}

/// All folders, and what was not read of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Folders {
    pub(super) folders: Vec<Folder>,
    /// Why folders, or lists of the folders in them, were not read.
    pub(super) not_inspected: Vec<Why>,
}

/// Every message of a mailbox file as mail, whatever its checksums say: for trying what is behind them.
pub fn mails_of(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(mut pst) = Pst::opened(std::io::Cursor::new(bytes), false) else { return Vec::new() };
    let messages: Vec<u32> = pst.folders().folders.into_iter().flat_map(|folder| folder.messages).collect();
    messages.into_iter().filter_map(|message| pst.message(message).ok()).collect()
}

impl<R: Read + Seek> Pst<R> {
    /// Opens a file; the error is the reason for not looking into it.
    pub(super) fn open(reader: R) -> Result<Self, Why> {
        Self::opened(reader, true)
    }

    fn opened(reader: R, verifies: bool) -> Result<Self, Why> {
        let mut pst = Self(pages::File::open(reader, verifies)?);
        // Without its first node there is no telling what it is.
        pst.0.node(ROOT_FOLDER).map_err(whole)?.ok_or("unreadable")?;
        Ok(pst)
    }

    /// Goes through all folders from the root, each once.
    pub(super) fn folders(&mut self) -> Folders {
        let mut found = Folders::default();
        let mail = self.mail_folders();
        let mut seen = HashSet::from([ROOT_FOLDER]);
        let mut messages_seen = HashSet::new();
        let mut waiting: Vec<(u32, Option<Rc<Above>>, bool)> = vec![(ROOT_FOLDER, None, false)];
        let mut left = PATHS;
        while let Some((number, above, inside)) = waiting.pop() {
            let described = self.described(number);
            let (name, says) = described.clone().unwrap_or_else(|_| (NO_NAME.to_owned(), 0));
            let mut path = Above::path(above.as_deref());
            if number != ROOT_FOLDER {
                path.push(name.clone());
            }
            let is_mail = mail == Some(number) || path == MAIL_FOLDERS_OF_OST;
            if is_mail {
                // What is in it is called as the user sees it.
                path.clear();
            }
            let inside = inside || is_mail;
            let depth = path.len();
            let here = (depth > 0).then(|| Rc::new(Above { name, within: above }));
            let mut lost = described.err().map(|why| (why, 1));
            let mut messages = Vec::new();
            match self.listed(number, KIND_CONTENTS, KIND_MESSAGE) {
                Ok(listed) => {
                    messages = listed;
                    let missing = says.saturating_sub(messages.len() as u64);
                    lost = lost.or((missing > 0).then_some((NOT_IN_FILE, missing)));
                }
                Err(why) => lost = Some((why, says.max(1))),
            }
            messages.retain(|message| messages_seen.insert(*message));
            let path_left = left.checked_sub(path.iter().map(String::len).sum());
            // Of folders that no user sees, only those that hold something.
            if !messages.is_empty() || lost.is_some() || (inside && depth > 0) {
                found.folders.push(Folder { path, messages, lost });
            }
            let Some(path_left) = path_left.filter(|_| seen.len() <= FOLDERS && messages_seen.len() <= MESSAGES) else {
                found.not_inspected.push(EXHAUSTED);
                break;
            };
            left = path_left;
            let inner = match self.listed(number, KIND_HIERARCHY, KIND_FOLDER) {
                Ok(inner) => inner,
                Err(why) => {
                    found.not_inspected.push(why);
                    continue;
                }
            };
            for folder in inner.into_iter().rev().filter(|folder| *folder != ROOT_FOLDER) {
                if seen.len() > FOLDERS || !seen.insert(folder) {
                    continue;
                }
                if depth >= DEPTH {
                    found.not_inspected.push("too-deep");
                } else {
                    waiting.push((folder, here.clone(), inside));
                }
            }
        }
        found
    }

    /// How many messages there are to read.
    pub(super) fn count(&mut self) -> u64 {
        self.folders().folders.iter().map(|folder| folder.messages.len() as u64).sum()
    }

    /// One message as mail; the error is the reason for not looking into it.
    pub(super) fn message(&mut self, number: u32) -> Result<Vec<u8>, Why> {
        self.0.begin();
        let node = self.0.node(number).map_err(whole)?.ok_or("unreadable")?;
        let mut reading = Reading { file: &mut self.0, left: BYTES };
        let message = reading.thing(node).map_err(whole)?;
        let mut out = Vec::new();
        mapi::write(&mut reading, &message, &mut out).map_err(whole)?;
        Ok(out)
    }

    /// The folder that all folders of mail are in.
    fn mail_folders(&mut self) -> Option<u32> {
        let node = self.0.node(STORE).ok()??;
        let mut reading = Reading { file: &mut self.0, left: BYTES };
        let store = reading.thing(node).ok()?;
        let entry = reading.bytes(&store, MAIL_FOLDERS).ok()??;
        // Flags, the file's own number, then the node's (§2.4.3.2).
        let number = word(&entry, 20, 4)?;
        u32::try_from(number).ok()
    }

    /// A folder's name, and how many messages it says it has.
    fn described(&mut self, folder: u32) -> Result<(String, u64), Why> {
        self.0.begin();
        let node = self.0.node(folder).map_err(whole)?.ok_or("unreadable")?;
        let mut reading = Reading { file: &mut self.0, left: BYTES };
        let thing = reading.thing(node).map_err(whole)?;
        let name = reading.text(&thing, DISPLAY_NAME, 1252).ok().flatten().unwrap_or_default();
        let name: String = name.chars().take(NAME).collect();
        let name = if name.trim().is_empty() { NO_NAME.to_owned() } else { name };
        let says = reading.number(&thing, MESSAGE_COUNT).unwrap_or(0);
        Ok((name, says.min(u64::from(u32::MAX))))
    }

    /// The nodes of this kind that a table of a folder lists.
    fn listed(&mut self, folder: u32, table: u32, of_kind: u32) -> Result<Vec<u32>, Why> {
        self.0.begin();
        // Every folder has both its lists (§2.4.4), be they empty.
        let node = self.0.node(folder & !KIND | table).map_err(whole)?.ok_or("unreadable")?;
        let blocks = self.0.data(node.data, TABLE_BYTES).map_err(whole)?;
        let heap = Heap::new(blocks, self.0.form == Form::LargePages);
        let table = heap.table().ok_or("unreadable")?;
        Ok(table.rows.iter().map(|(number, _)| *number).filter(|number| number & KIND == of_kind).collect())
    }
}

/// What spoils a whole message is not one part of it.
fn whole(why: Why) -> Why {
    if why == UNREADABLE_PART { "unreadable" } else { why }
}

/// One message while it is read.
struct Reading<'f, R> {
    file: &'f mut pages::File<R>,
    /// Bytes that may still be read, or made of attached messages.
    left: usize,
}

/// A message, a recipient or an attachment.
struct Thing {
    values: Values,
    heap: Rc<Heap>,
    parts: Rc<BTreeMap<u32, Node>>,
}

impl<R: Read + Seek> Reading<'_, R> {
    fn thing(&mut self, node: Node) -> Result<Thing, Why> {
        let heap = self.heap(node)?;
        let values = heap.properties().ok_or(UNREADABLE_PART)?;
        Ok(Thing { values, heap: heap.into(), parts: self.parts(node)?.into() })
    }

    fn parts(&mut self, node: Node) -> Result<BTreeMap<u32, Node>, Why> {
        let parts = self.file.parts(node)?;
        self.spend(parts.len() * size_of::<(u32, Node)>())?;
        Ok(parts)
    }

    fn heap(&mut self, node: Node) -> Result<Heap, Why> {
        let blocks = self.data(node.data)?;
        Ok(Heap::new(blocks, self.file.form == Form::LargePages))
    }

    fn data(&mut self, block: u64) -> Result<Vec<Vec<u8>>, Why> {
        let blocks = self.file.data(block, self.left)?;
        self.spend(blocks.iter().map(Vec::len).sum())?;
        Ok(blocks)
    }

    /// What a value refers to; `None` where it is empty.
    fn there(&mut self, of: &Thing, at: u32) -> Result<Option<Vec<u8>>, Why> {
        if at == 0 {
            return Ok(None);
        }
        if at & KIND == 0 {
            let item = of.heap.item(at).ok_or(UNREADABLE_PART)?.to_vec();
            self.spend(item.len())?;
            return Ok(Some(item));
        }
        let part = *of.parts.get(&at).ok_or(UNREADABLE_PART)?;
        Ok(Some(self.data(part.data)?.concat()))
    }

    fn value(&mut self, of: &Thing, id: u16, kinds: &[u16]) -> Result<Option<(u16, Vec<u8>)>, Why> {
        match of.values.get(&id) {
            Some((kind, Value::There(at))) if kinds.contains(kind) => {
                Ok(self.there(of, *at)?.map(|bytes| (*kind, bytes)))
            }
            Some((_, Value::Here(_) | Value::There(_))) | None => Ok(None),
        }
    }
}

impl<R: Read + Seek> Properties for Reading<'_, R> {
    type Object = Thing;

    fn number(&self, of: &Thing, id: u16) -> Option<u64> {
        match of.values.get(&id)? {
            (_, Value::Here(number)) => Some(*number),
            (kind::TIME, Value::There(at)) => word(of.heap.item(*at)?, 0, 8),
            (_, Value::There(_)) => None,
        }
    }

    fn text(&mut self, of: &Thing, id: u16, code_page: u16) -> Result<Option<String>, Why> {
        let value = self.value(of, id, &[kind::STRING, kind::STRING_8])?;
        Ok(value.map(|(kind, bytes)| match kind {
            kind::STRING => mapi::unicode(&bytes),
            _ => mapi::decoded(&bytes, code_page),
        }))
    }

    fn bytes(&mut self, of: &Thing, id: u16) -> Result<Option<Vec<u8>>, Why> {
        Ok(self.value(of, id, &[kind::BINARY])?.map(|(_, bytes)| bytes))
    }

    fn recipients(&mut self, of: &Thing) -> Result<Vec<Thing>, Why> {
        let mut recipients = Vec::new();
        let tables: Vec<Node> =
            of.parts.iter().filter(|(number, _)| *number & KIND == KIND_RECIPIENTS).map(|(_, node)| *node).collect();
        for node in tables {
            let heap = Rc::new(self.heap(node)?);
            let parts = Rc::new(self.parts(node)?);
            let table = heap.table().ok_or(UNREADABLE_PART)?;
            if table.rows.is_empty() {
                continue;
            }
            let at = table.matrix().ok_or(UNREADABLE_PART)?;
            let blocks = match parts.get(&at) {
                Some(part) => self.data(part.data)?,
                None => vec![heap.item(at).ok_or(UNREADABLE_PART)?.to_vec()],
            };
            let blocks: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
            for (_, place) in &table.rows {
                let values = table.row(*place, &blocks).ok_or(UNREADABLE_PART)?;
                recipients.push(Thing { values, heap: heap.clone(), parts: parts.clone() });
                if recipients.len() > PARTS {
                    return Err("too-many-parts");
                }
            }
        }
        Ok(recipients)
    }

    fn attachments(&mut self, of: &Thing) -> Result<Vec<Thing>, Why> {
        let nodes: BTreeSet<u32> =
            of.parts.keys().copied().filter(|number| number & KIND == KIND_ATTACHMENT).take(PARTS + 1).collect();
        if nodes.len() > PARTS {
            return Err("too-many-parts");
        }
        // One that cannot be read is there all the same, without its properties.
        let none = || Thing { values: Values::new(), heap: of.heap.clone(), parts: of.parts.clone() };
        let attachment = |number| match self.thing(of.parts[&number]) {
            Err(UNREADABLE_PART) => Ok(none()),
            read => read,
        };
        nodes.into_iter().map(attachment).collect()
    }

    fn attached(&mut self, of: &Thing) -> Result<Attached<Thing>, Why> {
        let Some((_, object)) = self.value(of, id::ATTACH_DATA, &[kind::OBJECT])? else { return Ok(Attached::File) };
        let number = word(&object, 0, 4).and_then(|number| u32::try_from(number).ok());
        let part = number.and_then(|number| of.parts.get(&number)).copied().ok_or(UNREADABLE_PART)?;
        // Objects of other programs are no node with properties.
        match self.thing(part) {
            Ok(message) => Ok(Attached::Message(message)),
            Err(UNREADABLE_PART) => Ok(Attached::Object),
            Err(why) => Err(why),
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Why> {
        self.left = self.left.checked_sub(bytes).ok_or("too-large")?;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests;
