//! Says what an attached file is, by its first bytes before its name, and reads the kinds we can.
//!
//! What cannot be read is named by a reason, never passed over: encrypted, a picture, a format we do
//! not read. File names are used to choose, and go no further.

use super::containers::{self, Inside};
use super::documents;
use super::protection::{self, Cipher, Protection, Protections};

/// What an attachment gave.
pub(super) enum Content {
    /// A picture; `inline` ones are part of a page's looks.
    Image {
        inline: bool,
    },
    /// A calendar entry, as text.
    Invite(String),
    /// A message as a file.
    Message(Vec<u8>),
    /// Why it was not looked into.
    NotInspected(&'static str),
    /// Signatures, keys and the like, which hold no words.
    NothingToRead,
    /// A container's texts, and why some of it was not looked into.
    Several {
        texts: Vec<String>,
        not_inspected: Vec<&'static str>,
    },
    Text(String),
}

impl Content {
    /// Why it was not looked into where it gave no words.
    fn why_empty(&self) -> &[&'static str] {
        match self {
            Self::NotInspected(why) => std::slice::from_ref(why),
            Self::Several { texts, not_inspected } if texts.iter().all(|text| text.trim().is_empty()) => not_inspected,
            Self::Several { .. }
            | Self::Image { .. }
            | Self::Invite(_)
            | Self::Message(_)
            | Self::NothingToRead
            | Self::Text(_) => &[],
        }
    }
}

/// Pictures smaller than this that a page shows are decoration.
pub(super) const DECORATION_BYTES: usize = 64 * 1024;

/// Reads an attachment that mail-parser gave as text.
pub(super) fn text_part(text: &str, kind: &str, name: Option<&str>, inside: &mut Inside<'_>) -> Content {
    if text.starts_with("{\\rtf") {
        return rich_text(text.as_bytes());
    }
    if kind.starts_with("text/calendar") || text.starts_with("BEGIN:VCALENDAR") || extension(name) == "ics" {
        return Content::Invite(documents::calendar_text(text));
    }
    around_armour(text.to_owned(), inside)
}

/// A text, and why the messages in it that are encrypted or signed were not looked into.
fn around_armour(text: String, inside: &mut Inside<'_>) -> Content {
    match protection::armoured(&text) {
        Some(protected) => Content::Several { texts: vec![text], not_inspected: vec![sealed(protected, inside)] },
        None => Content::Text(text),
    }
}

/// Reads any other attachment. `inline` says that a page refers to it.
pub(super) fn read(bytes: &[u8], kind: &str, name: Option<&str>, inline: bool, inside: &mut Inside<'_>) -> Content {
    let extension = extension(name);
    if let Some(protection) = protection::enveloped(bytes) {
        return Content::NotInspected(sealed([protection].into(), inside));
    }
    match protection::signs_content(bytes) {
        Some(true) => return Content::NotInspected(sealed(Protections::new(), inside)),
        Some(false) => return Content::NothingToRead,
        None => {}
    }
    if kind.starts_with("application/pkcs7-mime") || kind.starts_with("application/x-pkcs7-mime") {
        let armour = armoured(bytes);
        // Certificates in letters are no message.
        if armour.is_some() || !bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
            let called = || protection::message(bytes).filter(|_| !kind.ends_with("signed-data")).into_iter().collect();
            return Content::NotInspected(sealed(armour.unwrap_or_else(called), inside));
        }
    }
    if kind.contains("pkcs7-signature") && matches!(bytes, [0x30, 0x80..=0x84, ..]) {
        return Content::NotInspected(sealed(Protections::new(), inside));
    }
    if bytes.is_empty() || is_signature(bytes, kind) {
        return Content::NothingToRead;
    }
    if is_image(bytes) {
        return Content::Image { inline: inline && bytes.len() < DECORATION_BYTES };
    }
    let behind = bytes.starts_with(b"MZ").then(|| protection::in_program(bytes)).flatten();
    let behind = behind.map(|archive| packed(archive, inside));
    if is_zip(bytes) {
        return containers::archive(bytes, inside);
    }
    if let Some(archive) = behind {
        return archive;
    }
    if bytes.starts_with(b"%PDF") || memchr::memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-").is_some() {
        let content = inside.pdfs.read(bytes);
        // One that opens without a password is not protected, and gives words or pictures.
        let why = content.why_empty();
        if !why.is_empty() && !why.contains(&"image") {
            let unnamed = why.contains(&"encrypted").then_some(Protection::Pdf(Cipher::Unknown));
            inside.protected.extend(protection::dictionary(bytes).or(unnamed));
        }
        return content;
    }
    if bytes.starts_with(b"{\\rtf") {
        return rich_text(bytes);
    }
    if bytes.starts_with(&[0x78, 0x9f, 0x3e, 0x22]) {
        return containers::tnef(bytes, inside);
    }
    if bytes.starts_with(b"!BDN") {
        return containers::mailbox_file(bytes, inside);
    }
    if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        if let Some(protection) = protection::package(bytes) {
            return Content::NotInspected(sealed([protection].into(), inside));
        }
        inside.protected.extend(protection::binary(bytes));
        return match super::outlook::to_mail(bytes) {
            Ok(mail) => Content::Message(mail),
            Err(why) => Content::NotInspected(why),
        };
    }
    if kind.starts_with("image/") {
        // What is called a picture and holds letters may say more than a page's looks.
        let is_decoration = inline && bytes.len() < DECORATION_BYTES && documents::as_text(bytes).is_none();
        return Content::Image { inline: is_decoration };
    }
    if kind.starts_with("audio/") || kind.starts_with("video/") {
        return Content::NotInspected("audio-video");
    }
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(b"7z\xbc\xaf") || bytes.starts_with(b"Rar!") {
        return packed(bytes, inside);
    }
    if kind.starts_with("message/rfc822") || extension == "eml" {
        return Content::Message(bytes.to_vec());
    }
    match documents::as_text(bytes) {
        Some(text)
            if extension == "html"
                || extension == "htm"
                || kind.starts_with("text/html")
                || text.trim_start().starts_with("<!DOCTYPE html") =>
        {
            around_armour(super::html::text_of(&text), inside)
        }
        Some(text) => text_part(&text, kind, name, inside),
        None => {
            if let Some(protected) = armoured(bytes) {
                return Content::NotInspected(sealed(protected, inside));
            }
            if matches!(extension.as_str(), "gpg" | "pgp") || kind.starts_with("application/pgp-encrypted") {
                inside.protected.extend(protection::packets(bytes));
            }
            Content::NotInspected("unknown-format")
        }
    }
}

/// Notes how an archive that is not opened is protected.
fn packed(archive: &[u8], inside: &mut Inside<'_>) -> Content {
    inside.protected.extend(protection::seven_zip(archive));
    inside.protected.extend(protection::rar(archive));
    Content::NotInspected("archive")
}

/// Notes how a message within a message is protected, and says why it is not looked into: one that has no protection
/// is signed around its words.
pub(super) fn sealed(protected: Protections, inside: &mut Inside<'_>) -> &'static str {
    let why = if protected.is_empty() { "signed-wrapped" } else { "encrypted" };
    inside.protected.extend(protected);
    why
}

/// How the messages within a file of letters are protected; `None` where it does not begin as one.
fn armoured(bytes: &[u8]) -> Option<Protections> {
    memchr::memmem::find(&bytes[..bytes.len().min(4096)], b"-----BEGIN ")?;
    protection::armoured(&String::from_utf8_lossy(bytes))
}

fn rich_text(bytes: &[u8]) -> Content {
    let documents::RichText { text, not_inspected } = documents::rich_text(bytes);
    Content::Several { texts: vec![text], not_inspected }
}

/// The name's extension in lower case.
fn extension(name: Option<&str>) -> String {
    name.and_then(|name| name.rsplit_once('.'))
        .map(|(_, extension)| extension.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

/// A signature or key of OpenPGP, or the first part of an encrypted message (RFC 3156 §4), by its type and by how
/// such begin.
fn is_signature(bytes: &[u8], kind: &str) -> bool {
    let text = bytes.trim_ascii();
    let is_called = |names: &[&str]| names.iter().any(|name| kind.contains(name));
    if is_called(&["pkcs7-signature", "pgp-signature", "pgp-keys"]) {
        let armour = text.strip_prefix(b"-----BEGIN PGP ").unwrap_or_default();
        return [&b"SIGNATURE"[..], b"PUBLIC", b"PRIVATE"].iter().any(|start| armour.starts_with(start));
    }
    is_called(&["application/pgp-encrypted"]) && text.eq_ignore_ascii_case(b"Version: 1")
}

/// Whether a zip archive begins here, behind the mark of one that was to be split (APPNOTE.TXT 6.3.10 §8.5), or behind
/// a program that unpacks it.
fn is_zip(bytes: &[u8]) -> bool {
    let marked = bytes.strip_prefix(b"PK00").or_else(|| bytes.strip_prefix(b"PK\x07\x08")).unwrap_or(bytes);
    marked.starts_with(b"PK\x03\x04")
        || bytes.starts_with(b"PK\x05\x06")
        || bytes.starts_with(b"MZ") && memchr::memmem::find(bytes, b"PK\x03\x04").is_some()
}

fn is_image(bytes: &[u8]) -> bool {
    let starts: [&[u8]; 8] =
        [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM6", b"\0\0\x01\0", b"\0\0\0\x18ftyphei"];
    starts.iter().any(|start| bytes.starts_with(start))
        || (bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
}
