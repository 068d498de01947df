//! Reads attachments that hold files: zip archives, documents of Office and OpenDocument, `winmail.dat`.
//!
//! Entries, bytes and ratio are capped over all that lies within one another, and what goes past a cap is
//! named.

use std::io::{Cursor, Read};

use super::attachments::{self, Content, DECORATION_BYTES};
use super::documents::as_text;
use super::office::{self, Document, Part};
use super::pdf::{MessagePdfs, PdfReader};

/// Entries of a container that are looked at.
const ENTRIES: usize = 1000;
/// Bytes taken out of one container, all entries together.
const INFLATED_BYTES: u64 = 64 * 1024 * 1024;
/// A container may grow by this factor at most.
const RATIO: u64 = 200;
/// Containers inside containers.
const CONTAINERS: usize = 2;

/// Where in an attachment reading is.
pub(super) struct Inside<'p> {
    /// Containers that are open around it.
    containers: usize,
    /// Bytes that may still be taken out of the outermost of them, and of all within.
    left: u64,
    pub(super) pdfs: MessagePdfs<'p>,
}

impl<'p> Inside<'p> {
    /// At the attachments of one message.
    pub(super) fn message(pdf: &'p PdfReader) -> Self {
        Self { containers: 0, left: 0, pdfs: pdf.message() }
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
    fn file(&mut self, name: &str, content: Content) {
        match content {
            Content::Text(text) | Content::Invite(text) => self.text(format!("{name}\n{text}")),
            Content::Several { mut texts, not_inspected } => {
                if let Some(first) = texts.first_mut().filter(|_| !name.is_empty()) {
                    first.insert_str(0, &format!("{name}\n"));
                }
                texts.into_iter().for_each(|text| self.text(text));
                self.not_inspected.extend(not_inspected);
            }
            Content::Message(_) => self.not_inspected.push("message-in-archive"),
            Content::NotInspected(why) => self.not_inspected.push(why),
            Content::Image { .. } => self.not_inspected.push("image"),
            Content::NothingToRead => {}
        }
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

    /// Takes an entry of a document out.
    fn xml(&mut self, archive: &mut Zip<'_>, index: usize, inside: &mut Inside<'_>) -> Option<String> {
        let bytes = self.entry(archive, index, inside)?;
        let xml = as_text(&bytes).unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
        let is_xml = xml.trim_start().starts_with('<');
        // A document with a password keeps the names of its parts.
        if !is_xml && !bytes.is_empty() {
            self.not_inspected.push("encrypted");
        }
        is_xml.then_some(xml)
    }
}

fn read_archive(bytes: &[u8], taken: &mut Taken, inside: &mut Inside<'_>) {
    if inside.open(bytes.len(), |inside| read_entries(bytes, taken, inside)).is_none() {
        taken.not_inspected.push("container-limit");
    }
}

fn read_entries(bytes: &[u8], taken: &mut Taken, inside: &mut Inside<'_>) {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        taken.not_inspected.push("unreadable-part");
        return;
    };
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
    for index in indices(&mut archive, |_| true) {
        if taken.is_full() {
            break;
        }
        let name = entry_name(&archive, index);
        match document.and_then(|document| document.part(name.as_deref().unwrap_or_default())) {
            Some(Part::Text(markup)) => {
                let Some(xml) = taken.xml(&mut archive, index, inside) else { continue };
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

/// A file in a container, read as what it is.
fn other_entry(archive: &mut Zip<'_>, index: usize, name: Option<&str>, taken: &mut Taken, inside: &mut Inside<'_>) {
    let Some(entry) = taken.entry(archive, index, inside) else { return };
    if entry.starts_with(b"PK\x03\x04") {
        read_archive(&entry, taken, inside);
        return;
    }
    // The entry's own name says as much as an attachment's.
    let named = name.map(|name| name.replace(['_', '/'], " ")).unwrap_or_default();
    taken.file(&named, attachments::read(&entry, "", name, false, inside));
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
    let mut shared = Vec::new();
    for index in indices(archive, |name| office::part_name(name) == office::SHARED) {
        if let Some(xml) = taken.xml(archive, index, inside) {
            shared = office::shared_strings(&xml);
        }
    }
    for index in indices(archive, |name| office::is_sheet(&office::part_name(name))) {
        let Some(xml) = taken.xml(archive, index, inside) else { continue };
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
            0x800f => taken.file("", attachments::read(value, "", None, false, inside)),
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
mod tests {
    use super::*;
    use std::io::Write;

    fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Content {
        archive(bytes, &mut Inside::message(&PdfReader::none()))
    }

    fn texts(content: Content) -> (Vec<String>, Vec<&'static str>) {
        match content {
            Content::Several { texts, not_inspected } => (texts, not_inspected),
            Content::Text(text) => (vec![text], Vec::new()),
            Content::NotInspected(why) => (Vec::new(), vec![why]),
            Content::Image { .. } | Content::Invite(_) | Content::Message(_) | Content::NothingToRead => {
                panic!("unexpected")
            }
        }
    }

    #[test]
    fn a_word_document_gives_paragraphs_and_cells() {
        let xml = b"<w:document><w:body><w:p><w:r><w:t>MRN 44</w:t></w:r><w:r><w:t>5566</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p><w:t>a</w:t></w:p></w:tc><w:tc><w:p><w:t>b &amp; c</w:t></w:p></w:tc></w:tr></w:tbl></w:body></w:document>";
        let (found, why) = texts(read(&zip_of(&[("word/document.xml", xml)])));
        assert_eq!(found, ["MRN 445566\na \tb & c \t\n"]);
        assert!(why.is_empty());
    }

    #[test]
    fn a_workbook_gives_rows_with_dates_as_dates() {
        let shared = b"<sst><si><t>DOB</t></si><si><r><t>Na</t></r><r><t>me</t></r></si></sst>";
        let sheet = b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"s\"><v>1</v></c></row><row><c r=\"A2\"><v>22709</v></c><c r=\"C2\" t=\"inlineStr\"><is><t>Quillon</t></is></c></row></sheetData></worksheet>";
        let (found, _) = texts(read(&zip_of(&[
            ("xl/workbook.xml", b"<workbook/>"),
            ("xl/sharedStrings.xml", shared),
            ("xl/worksheets/sheet1.xml", sheet),
        ])));
        assert_eq!(found, ["DOB\t\tName\t\n22709 1962-03-04\t\tQuillon\t\n"]);
        // A prefix before every name, as some writers put one.
        let prefixed = b"<x:worksheet><x:sheetData><x:row r=\"1\"><x:c r=\"A1\" t=\"inlineStr\"><x:is><x:t>MRN</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>";
        let of = |sheet: &[u8]| {
            texts(read(&zip_of(&[("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", sheet)])))
        };
        assert_eq!(of(prefixed), (vec!["MRN\t\n".to_owned()], vec![]));
        assert_eq!(of(b"<worksheet><sheetData><other/></sheetData></worksheet>").1, ["unreadable-part"]);
        assert!(of(b"<worksheet><sheetData/></worksheet>").1.is_empty());
    }

    #[test]
    fn what_lies_beside_a_documents_text_is_read_or_counted() {
        let word = ("word/document.xml", &b"<w:p><w:t>See below</w:t></w:p>"[..]);
        let of = |more: (&str, &[u8])| texts(read(&zip_of(&[word, more])));
        assert_eq!(of(("word/media/image1.jpeg", &[0; 70_000])).1, ["image"]);
        assert!(of(("word/media/logo.png", b"small")).1.is_empty());
        assert!(of(("word/theme/theme1.xml", b"<a:theme/>")).1.is_empty());
        assert_eq!(of(("patients.csv", b"MRN 445566")).0, ["patients.csv\nMRN 445566", "See below\n"]);
        let sheet = b"<worksheet><row><c t=\"inlineStr\"><is><t>MRN</t></is></c></row></worksheet>";
        let table = zip_of(&[("xl/workbook.xml", b"<workbook/>"), ("xl/worksheets/sheet1.xml", sheet)]);
        assert_eq!(of(("word/embeddings/table.xlsx", &table)).0, ["See below\n", "MRN\t\n"]);
        let book = [
            ("xl/workbook.xml", &b"<workbook/>"[..]),
            (
                "xl/comments1.xml",
                b"<comments><authors><author>Ana Ruiz</author></authors><comment><text><r><t>MRN </t></r><r><t>445566</t></r></text></comment><comment><text><t>DOB 03/14/1951</t></text></comment></comments>",
            ),
            ("xl/pivotCache/pivotCacheRecords1.xml", b"<pivotCacheRecords/>"),
            ("xl/styles.xml", b"<styleSheet/>"),
        ];
        let (found, why) = texts(read(&zip_of(&book)));
        let lines: Vec<&str> = found[0].lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, ["Ana Ruiz", "MRN 445566", "DOB 03/14/1951"]);
        assert_eq!(why, ["unreadable-part"]);
        assert_eq!(of(("word/afchunk1.mht", b"MRN 445566")).0, ["word afchunk1.mht\nMRN 445566", "See below\n"]);
        let open = |styles: &[u8]| {
            let text = ("content.xml", &b"<text:p>See above</text:p>"[..]);
            texts(read(&zip_of(&[
                ("mimetype", b"application/vnd.oasis.opendocument.text"),
                text,
                ("styles.xml", styles),
            ])))
        };
        assert_eq!(open(b"<style:header><text:p>MRN 445566</text:p></style:header>").0[1], "MRN 445566\n");
        assert_eq!(open(b"\x8e\x12 garbage").1, ["encrypted"]);
    }

    #[test]
    fn names_are_compared_without_case_and_no_file_hides_behind_another() {
        let book = [
            ("XL/Workbook.xml", &b"<workbook><sheets><sheet name=\"Zorba Quillon\"/></sheets></workbook>"[..]),
            ("xl/SharedStrings.xml", b"<sst><si><t>MRN 445566</t></si></sst>"),
            ("xl/Worksheets/Sheet1.xml", b"<sheetData><row><c t=\"s\"><v>0</v></c></row></sheetData>"),
        ];
        let (found, why) = texts(read(&zip_of(&book)));
        assert_eq!(found, ["MRN 445566\t\n", "Zorba Quillon\n"]);
        assert!(why.is_empty(), "{why:?}");
        assert_eq!(texts(read(&zip_of(&[book[0], book[2]]))).1, ["unreadable-part"]);
        // Two of one name.
        let mut twice = zip_of(&[("one.txt", b"MRN 445566"), ("two.txt", b"Lunch at noon")]);
        let at: Vec<usize> = memchr::memmem::find_iter(&twice, b"one.txt").collect();
        at.iter().for_each(|at| twice[*at..at + 3].copy_from_slice(b"two"));
        assert_eq!(texts(read(&twice)).1, ["unreadable-part"]);
        let numbered = ("word/document2.xml", &b"<w:t>MRN 44</w:t><w:t>5566</w:t>"[..]);
        assert_eq!(texts(read(&zip_of(&[numbered]))).0, ["MRN 445566"]);
        // A folder that holds words is none.
        let mut folder = zip_of(&[("notes.", b"MRN 445566")]);
        let at: Vec<usize> = memchr::memmem::find_iter(&folder, b"notes.").collect();
        at.iter().for_each(|at| folder[at + 5] = b'/');
        assert_eq!(texts(read(&folder)).0, ["notes \nMRN 445566"]);
    }

    #[test]
    fn a_document_in_another_encoding_is_read() {
        let wide = |text: &str| -> Vec<u8> {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        };
        let word = wide("<?xml version=\"1.0\"?><w:p><w:t>MRN 445566</w:t></w:p>");
        assert_eq!(texts(read(&zip_of(&[("word/document.xml", &word)]))), (vec!["MRN 445566\n".to_owned()], vec![]));
        let sheet = wide("<sheetData><row><c><v>445566</v></c></row></sheetData>");
        let book = [("xl/workbook.xml", &b"<workbook/>"[..]), ("xl/worksheets/sheet1.xml", &sheet)];
        assert_eq!(texts(read(&zip_of(&book))), (vec!["445566\t\n".to_owned()], vec![]));
        let sealed = [book[0], ("xl/worksheets/sheet1.xml", b"\x8e\x12 sealed")];
        assert_eq!(texts(read(&zip_of(&sealed))).1, ["encrypted"]);
    }

    #[test]
    fn one_long_text_in_every_cell_ends_at_the_limit() {
        let shared = format!("<sst><si><t>{}</t></si></sst>", "word ".repeat(1024 * 1024));
        let cells = "<c t=\"s\"><v>0</v></c>".repeat(1000);
        let sheet = format!("<worksheet><sheetData><row>{cells}</row><row>{cells}</row></sheetData></worksheet>");
        let (found, why) = texts(read(&zip_of(&[
            ("xl/workbook.xml", b"<workbook/>"),
            ("xl/sharedStrings.xml", shared.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ])));
        assert!(found.iter().map(String::len).sum::<usize>() < 80 * 1024 * 1024);
        assert_eq!(why, ["container-limit"]);
    }

    #[test]
    fn containers_in_a_container_share_what_may_be_taken_out() {
        let bomb = zip_of(&[("a.txt", &vec![b'a'; 40 * 1024 * 1024])]);
        let several: Vec<(String, &[u8])> = (0..4).map(|number| (format!("{number}.zip"), &bomb[..])).collect();
        let several: Vec<(&str, &[u8])> = several.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        let (found, why) = texts(read(&zip_of(&several)));
        assert!(found.iter().map(String::len).sum::<usize>() <= 64 * 1024 * 1024);
        assert_eq!(why, ["container-limit"]);
    }

    #[test]
    fn bombs_end_at_the_limit_and_say_so() {
        let bomb = zip_of(&[("a.txt", &vec![b'a'; 100 * 1024 * 1024])]);
        let (found, why) = texts(read(&bomb));
        assert!(found.is_empty());
        assert_eq!(why, ["container-limit"]);
        assert_eq!(texts(read(b"PK\x03\x04 garbage")).1, ["unreadable-part"]);
    }

    #[test]
    fn containers_of_two_kinds_inside_one_another_end_at_the_limit() {
        let tnef = |file: &[u8]| {
            let mut bytes = vec![0x78, 0x9f, 0x3e, 0x22, 0, 0, 2, 0x0f, 0x80, 0, 0];
            bytes.extend(u32::try_from(file.len()).unwrap().to_le_bytes());
            bytes.extend(file);
            bytes.extend([0, 0]);
            bytes
        };
        let mut innermost = b"MRN 445566".to_vec();
        for _ in 0..1000 {
            innermost = tnef(&innermost);
        }
        let (found, why) = texts(read(&zip_of(&[("winmail.dat", &innermost)])));
        assert!(found.is_empty());
        assert_eq!(why, ["container-limit"]);
        let (found, why) = texts(read(&zip_of(&[("winmail.dat", &tnef(b"MRN 445566"))])));
        assert_eq!(found, ["winmail.dat\n\nMRN 445566"]);
        assert!(why.is_empty());
    }
}
