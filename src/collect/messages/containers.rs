//! Reads attachments that hold files: zip archives, documents of Office and OpenDocument, `winmail.dat`,
//! Outlook's mailbox files.
//!
//! Entries, bytes and ratio are capped over all that lies within one another, and what goes past a cap is
//! named.

use std::io::{Cursor, Read};

use super::attachments::{self, Content, DECORATION_BYTES};
use super::documents::as_text;
use super::extract;
use super::mapi::Why;
use super::office::{self, Document, Part};
use super::pdf::{MessagePdfs, PdfReader};
use super::protection::{self, Cipher, Protection, Protections};
use super::pst::Pst;

/// Entries of a container that are looked at; of a mailbox file its messages.
const ENTRIES: usize = 1000;
/// Bytes taken out of one container, all entries together.
const INFLATED_BYTES: u64 = 64 * 1024 * 1024;
/// A container may grow by this factor at most.
const RATIO: u64 = 200;
/// Bytes of a manifest that are looked at.
const MANIFEST_BYTES: u64 = 256 * 1024;
/// Containers inside containers.
const CONTAINERS: usize = 2;

/// Where in an attachment reading is.
pub(super) struct Inside<'p> {
    /// Containers that are open around it.
    containers: usize,
    /// Bytes that may still be taken out of the outermost of them, and of all within.
    left: u64,
    /// How what was met so far is protected.
    pub(super) protected: Protections,
    pub(super) pdfs: MessagePdfs<'p>,
}

impl<'p> Inside<'p> {
    /// At the attachments of one message.
    pub(super) fn message(pdf: &'p PdfReader) -> Self {
        Self { containers: 0, left: 0, protected: Protections::new(), pdfs: pdf.message() }
    }

    /// Opens a container; `None` where too many are open already.
    fn open<T>(&mut self, size: usize, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.containers == CONTAINERS {
            return None;
        }
        if self.containers == 0 {
            self.left = (size as u64).saturating_mul(RATIO).min(INFLATED_BYTES);
        }
        self.containers += 1;
        let read = read(self);
        self.containers -= 1;
        Some(read)
    }
}

/// The texts of a zip container: Office and OpenDocument files as documents, others by entry.
pub(super) fn archive(bytes: &[u8], inside: &mut Inside<'_>) -> Content {
    let mut taken = Taken::default();
    read_archive(bytes, &mut taken, inside);
    taken.not_inspected.sort_unstable();
    taken.not_inspected.dedup();
    taken.content()
}

#[derive(Default)]
struct Taken {
    texts: Vec<String>,
    not_inspected: Vec<&'static str>,
    /// Of the texts.
    bytes: u64,
}

impl Taken {
    /// Takes over what a file in the container gave.
    fn file(&mut self, name: &str, content: Content, inside: &mut Inside<'_>) {
        match content {
            Content::Text(text) | Content::Invite(text) => self.text(format!("{name}\n{text}")),
            Content::Several { mut texts, not_inspected } => {
                if let Some(first) = texts.first_mut().filter(|_| !name.is_empty()) {
                    first.insert_str(0, &format!("{name}\n"));
                }
                texts.into_iter().for_each(|text| self.text(text));
                self.not_inspected.extend(not_inspected);
            }
            Content::Message(bytes) => self.message(name, &bytes, inside),
            Content::NotInspected(why) => self.not_inspected.push(why),
            Content::Image { .. } => self.not_inspected.push("image"),
            Content::NothingToRead => {}
        }
    }

    /// Takes the texts of a message, each with those that stand by it, in a folder or file of this name.
    fn message(&mut self, name: &str, bytes: &[u8], inside: &mut Inside<'_>) {
        let mut texts = Vec::new();
        let not_inspected = extract::attached_texts(bytes, inside, &mut |pieces| {
            let pieces: Vec<&str> =
                pieces.iter().map(|(_, text)| text.trim()).filter(|text| !text.is_empty()).collect();
            texts.extend((!pieces.is_empty()).then(|| pieces.join("\n")));
        });
        self.file(name, Content::Several { texts, not_inspected }, inside);
    }

    fn content(self) -> Content {
        Content::Several { texts: self.texts, not_inspected: self.not_inspected }
    }

    /// Whether as much text was taken out as may be; some formats hold more than their bytes.
    fn is_full(&mut self) -> bool {
        let is_full = self.bytes > INFLATED_BYTES;
        if is_full {
            self.not_inspected.push("container-limit");
        }
        is_full
    }

    fn text(&mut self, text: String) {
        self.bytes += text.len() as u64;
        self.texts.push(text);
    }

    /// Takes an entry out, or says why not.
    fn entry(&mut self, archive: &mut Zip<'_>, index: usize, inside: &mut Inside<'_>) -> Option<Vec<u8>> {
        let entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::UnsupportedArchive(_) | zip::result::ZipError::InvalidPassword) => {
                self.not_inspected.push("encrypted");
                return None;
            }
            Err(_) => {
                self.not_inspected.push("unreadable-part");
                return None;
            }
        };
        let mut bytes = Vec::new();
        let limit = inside.left;
        let read = entry.take(limit + 1).read_to_end(&mut bytes);
        inside.left = inside.left.saturating_sub(bytes.len() as u64);
        if bytes.len() as u64 > limit {
            self.not_inspected.push("container-limit");
            return None;
        }
        if read.is_err() {
            self.not_inspected.push("unreadable-part");
            return None;
        }
        Some(bytes)
    }

    /// Takes an entry of a document out; one that is no XML is protected in the document's way, or damaged where
    /// it has none.
    fn xml(
        &mut self,
        archive: &mut Zip<'_>,
        index: usize,
        sealed: &Protections,
        inside: &mut Inside<'_>,
    ) -> Option<String> {
        let bytes = self.entry(archive, index, inside)?;
        let xml = as_text(&bytes).unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
        let is_xml = xml.trim_start().starts_with('<');
        // A document with a password keeps the names of its parts.
        if !is_xml && !bytes.is_empty() {
            self.not_inspected.push(if sealed.is_empty() { "unreadable-part" } else { "encrypted" });
            inside.protected.extend(sealed);
        }
        is_xml.then_some(xml)
    }
}

fn read_archive(bytes: &[u8], taken: &mut Taken, inside: &mut Inside<'_>) {
    if inside.open(bytes.len(), |inside| read_entries(bytes, taken, inside)).is_none() {
        taken.not_inspected.push("container-limit");
        inside.protected.extend(protection::local_members(bytes));
    }
}

fn read_entries(bytes: &[u8], taken: &mut Taken, inside: &mut Inside<'_>) {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        taken.not_inspected.push("unreadable-part");
        inside.protected.extend(protection::local_members(bytes));
        return;
    };
    let directory = usize::try_from(archive.central_directory_start()).unwrap_or(usize::MAX);
    inside.protected.extend(protection::members(bytes, directory));
    // Another archive may stand before this one, which knows nothing of it.
    let starts = (0..archive.len()).filter_map(|index| Some(archive.by_index_raw(index).ok()?.header_start()));
    let first = starts.min().and_then(|start| usize::try_from(start).ok()).unwrap_or(directory);
    let before = bytes.get(..first).unwrap_or_default();
    if memchr::memmem::find(before, b"PK\x03\x04").is_some() {
        taken.not_inspected.push("unreadable-part");
        inside.protected.extend(protection::local_members(before));
    }
    let names: Vec<String> =
        (0..archive.len().min(ENTRIES + 1)).filter_map(|index| entry_name(&archive, index)).collect();
    if names.len() > ENTRIES {
        taken.not_inspected.push("container-limit");
    }
    // Of two files of one name only one is found.
    if archive.has_duplicate_names() {
        taken.not_inspected.push("unreadable-part");
    }
    let is = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    // Some writers number the main part.
    let is_word = |name: &String| name.to_ascii_lowercase().starts_with("word/document") && name.ends_with(".xml");
    let document = if names.iter().any(is_word) {
        Some(Document::Word)
    } else if is("xl/workbook.xml") {
        workbook(&mut archive, taken, inside);
        Some(Document::Workbook)
    } else if is("content.xml") && is("mimetype") {
        Some(Document::Open)
    } else if is("ppt/presentation.xml") {
        Some(Document::Slides)
    } else {
        None
    };
    // Office encrypts a document around its zip archive, never within ([MS-OFFCRYPTO] 2.3.4.4).
    let is_open = matches!(document, Some(Document::Open) | None) && is("mimetype");
    let told = if is_open { manifest(&mut archive, inside) } else { Protections::new() };
    let mut sealed = told.clone();
    let is_package = is("encrypted-package");
    if is_open && told.is_empty() && (document.is_some() || is_package) {
        sealed.insert(Protection::OpenDocument(Cipher::Unknown));
    }
    // Where its parts stand by themselves, they show whether they are protected.
    if document.is_none() || is_package {
        inside.protected.extend(&sealed);
    }
    for index in indices(&mut archive, |_| true) {
        if taken.is_full() {
            break;
        }
        let name = entry_name(&archive, index);
        match document.and_then(|document| document.part(name.as_deref().unwrap_or_default())) {
            Some(Part::Text(markup)) => {
                let Some(xml) = taken.xml(&mut archive, index, &sealed, inside) else {
                    // What is damaged does not show that the manifest is wrong.
                    inside.protected.extend(&told);
                    continue;
                };
                let text = office::markup_text(&xml, markup);
                if !text.trim().is_empty() {
                    taken.text(text);
                }
            }
            Some(Part::Picture) => {
                let is_large = archive.by_index_raw(index).is_ok_and(|entry| entry.size() >= DECORATION_BYTES as u64);
                taken.not_inspected.extend(is_large.then_some("image"));
            }
            Some(Part::Silent) => {}
            Some(Part::Unread) => taken.not_inspected.push("unreadable-part"),
            None => other_entry(&mut archive, index, name.as_deref(), taken, inside),
        }
    }
}

/// How a document of OpenDocument says that it is protected.
fn manifest(archive: &mut Zip<'_>, inside: &mut Inside<'_>) -> Protections {
    let Ok(entry) = archive.by_name("META-INF/manifest.xml") else { return Protections::new() };
    let mut bytes = Vec::new();
    // One that breaks off still names what it named.
    let _ = entry.take(inside.left.min(MANIFEST_BYTES)).read_to_end(&mut bytes);
    inside.left = inside.left.saturating_sub(bytes.len() as u64);
    protection::manifest(&String::from_utf8_lossy(&bytes))
}

/// A file in a container, read as what it is.
fn other_entry(archive: &mut Zip<'_>, index: usize, name: Option<&str>, taken: &mut Taken, inside: &mut Inside<'_>) {
    let Some(entry) = taken.entry(archive, index, inside) else { return };
    if entry.starts_with(b"PK\x03\x04") {
        read_archive(&entry, taken, inside);
        return;
    }
    // The entry's own name says as much as an attachment's.
    let named = name.map(|name| name.replace(['_', '/'], " ")).unwrap_or_default();
    let content = attachments::read(&entry, "", name, false, inside);
    taken.file(&named, content, inside);
}

type Zip<'b> = zip::ZipArchive<Cursor<&'b [u8]>>;

/// An entry's name, where it can be read.
fn entry_name(archive: &Zip<'_>, index: usize) -> Option<String> {
    archive.name_for_index(index)?.ok().map(std::borrow::Cow::into_owned)
}

/// The entries whose name is wanted, by name, so that the order of the container does not matter.
fn indices(archive: &mut Zip<'_>, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
    let mut found: Vec<(String, usize)> = (0..archive.len().min(ENTRIES))
        .filter_map(|index| entry_name(archive, index).map(|name| (name, index)))
        .filter(|(name, _)| wanted(name))
        .collect();
    found.sort();
    found.into_iter().map(|(_, index)| index).collect()
}

/// The sheets of a workbook as lines of tabs.
fn workbook(archive: &mut Zip<'_>, taken: &mut Taken, inside: &mut Inside<'_>) {
    let sealed = Protections::new();
    let mut shared = Vec::new();
    for index in indices(archive, |name| office::part_name(name) == office::SHARED) {
        if let Some(xml) = taken.xml(archive, index, &sealed, inside) {
            shared = office::shared_strings(&xml);
        }
    }
    for index in indices(archive, |name| office::is_sheet(&office::part_name(name))) {
        let Some(xml) = taken.xml(archive, index, &sealed, inside) else { continue };
        let sheet = office::sheet(&xml, &shared, INFLATED_BYTES.saturating_sub(taken.bytes));
        if !sheet.is_whole {
            taken.not_inspected.push("unreadable-part");
        }
        taken.text(sheet.text);
        if taken.is_full() {
            return;
        }
    }
}

/// The messages of one of Outlook's mailbox files: their texts, and those of their attachments.
pub(super) fn mailbox_file(bytes: &[u8], inside: &mut Inside<'_>) -> Content {
    let read = inside.open(bytes.len(), |inside| {
        let mut taken = Taken::default();
        if let Err(why) = read_mailbox_file(bytes, &mut taken, inside) {
            taken.not_inspected.push(why);
        }
        taken.not_inspected.sort_unstable();
        taken.not_inspected.dedup();
        taken.content()
    });
    read.unwrap_or(Content::NotInspected("container-limit"))
}

fn read_mailbox_file(bytes: &[u8], taken: &mut Taken, inside: &mut Inside<'_>) -> Result<(), Why> {
    let mut pst = Pst::open(Cursor::new(bytes))?;
    let found = pst.folders();
    taken.not_inspected.extend(found.not_inspected);
    let mut messages = 0;
    for folder in found.folders {
        taken.not_inspected.extend(folder.lost.map(|(why, _)| why));
        let name = folder.path.join(" ");
        for node in folder.messages {
            messages += 1;
            if messages > ENTRIES {
                return Err("container-limit");
            }
            let mail = match pst.message(node) {
                Ok(mail) => mail,
                Err(why) => {
                    taken.not_inspected.push(why);
                    continue;
                }
            };
            inside.left = inside.left.checked_sub(mail.len() as u64).ok_or("container-limit")?;
            taken.message(&name, &mail, inside);
            if taken.is_full() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The parts of a `winmail.dat` (TNEF): body and attached files as text where they are.
pub(super) fn tnef(bytes: &[u8], inside: &mut Inside<'_>) -> Content {
    let read = inside.open(bytes.len(), |inside| read_tnef(bytes, inside));
    read.map_or(Content::NotInspected("container-limit"), Taken::content)
}

fn read_tnef(bytes: &[u8], inside: &mut Inside<'_>) -> Taken {
    let mut taken = Taken::default();
    let mut at = 6;
    while let Some(header) = bytes.get(at..at + 9) {
        let id = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
        let length = u32::from_le_bytes([header[5], header[6], header[7], header[8]]) as usize;
        let Some(value) = bytes.get(at + 9..(at + 9).saturating_add(length)) else {
            taken.not_inspected.push("unreadable-part");
            break;
        };
        match id & 0xffff {
            // attBody, attSubject, attAttachTitle.
            0x800c | 0x8004 | 0x8010 => as_text(value).into_iter().for_each(|text| taken.text(text)),
            // attAttachData.
            0x800f => {
                let content = attachments::read(value, "", None, false, inside);
                taken.file("", content, inside);
            }
            // attMsgProps and attAttachment hold compressed properties that are not read.
            0x9003 if length > 4096 => taken.not_inspected.push("tnef-properties"),
            _ => {}
        }
        at = at + 9 + length + 2;
        if taken.is_full() {
            break;
        }
        if taken.texts.len() + taken.not_inspected.len() > ENTRIES {
            taken.not_inspected.push("container-limit");
            break;
        }
    }
    taken
}

#[cfg(test)]
mod tests;
