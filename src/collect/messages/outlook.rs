//! Reads Outlook's single messages (`.msg`): a compound file whose streams hold the properties of the
//! message, of its recipients and of its attachments ([MS-CFB], [MS-OXMSG]).
//!
//! It makes of them the message in the form that mail is sent in, in memory, so that everything after
//! it is read and judged in one way. Every size is bounded; what goes beyond is said, not cut quietly.

use std::fmt::Write as _;
use std::io::{Cursor, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::documents::rtf_text;

/// Bytes of all properties of one message together, attached messages included.
const BYTES: usize = 64 * 1024 * 1024;
/// Attachments and recipients of one message that are read.
const PARTS: usize = 2_000;
/// Attached messages are read to this depth.
const DEPTH: usize = 8;
/// Compressed text is at most so long, unpacked.
const RTF_BYTES: usize = 16 * 1024 * 1024;

/// The first bytes of a compound file.
pub(super) const MAGIC: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// The message as mail; the error is the reason for not looking into it.
pub fn to_mail(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    within(bytes, BYTES)
}

fn within(bytes: &[u8], left: usize) -> Result<Vec<u8>, &'static str> {
    let file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|_| "unreadable")?;
    if !file.is_stream("/__properties_version1.0") {
        return Err("legacy-office");
    }
    let mut reader = Reader { file, left };
    let mut out = Vec::new();
    reader.message("", 32, 0, &mut out)?;
    Ok(out)
}

struct Reader<'b> {
    file: cfb::CompoundFile<Cursor<&'b [u8]>>,
    /// Bytes that may still be read, or made of attached messages.
    left: usize,
}

/// Property tags of [MS-OXPROPS], in hexadecimal as streams are named.
mod tag {
    pub(super) const ATTACH_DATA: &str = "3701";
    pub(super) const ATTACH_FILE_NAMES: [&str; 3] = ["3707", "3704", "3001"];
    pub(super) const ATTACH_TYPE: &str = "370E";
    pub(super) const BODY: &str = "1000";
    pub(super) const DELIVERED: u32 = 0x0e06_0040;
    pub(super) const HTML: &str = "1013";
    pub(super) const INTERNET_CODE_PAGE: u32 = 0x3fde_0003;
    pub(super) const MESSAGE_CODE_PAGE: u32 = 0x3ffd_0003;
    pub(super) const MESSAGE_ID: &str = "1035";
    pub(super) const RECIPIENT_ADDRESSES: [&str; 2] = ["39FE", "3003"];
    pub(super) const RECIPIENT_NAME: &str = "3001";
    pub(super) const RECIPIENT_TYPE: u32 = 0x0c15_0003;
    pub(super) const RTF: &str = "1009";
    pub(super) const SENDER_ADDRESSES: [&str; 3] = ["5D01", "0C1F", "0065"];
    pub(super) const SENDER_NAMES: [&str; 2] = ["0C1A", "0042"];
    pub(super) const SUBJECT: &str = "0037";
    pub(super) const SUBMITTED: u32 = 0x0039_0040;
    pub(super) const TRANSPORT_HEADERS: &str = "007D";
}

impl Reader<'_> {
    fn message(&mut self, at: &str, head: usize, depth: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let fixed = self.fixed(at, head)?;
        let named = |named: u32| {
            let found = fixed.iter().find(|(tag, value)| *tag == named && *value > 0)?;
            u16::try_from(found.1).ok()
        };
        let code_page = named(tag::MESSAGE_CODE_PAGE).unwrap_or(1252);
        let page = named(tag::INTERNET_CODE_PAGE).unwrap_or(code_page);
        let transport = self.text(at, tag::TRANSPORT_HEADERS, code_page)?.unwrap_or_default();
        let mut header = kept_fields(&transport);
        let lacks = |header: &str, name: &str| {
            !header.lines().any(|line| {
                line.get(..name.len() + 1).is_some_and(|start| start.eq_ignore_ascii_case(&format!("{name}:")))
            })
        };
        let subject = self.text(at, tag::SUBJECT, code_page)?.unwrap_or_default();
        field(&mut header, "Subject", &[encoded(&subject)]);
        if lacks(&header, "From") {
            let name = self.first_text(at, &tag::SENDER_NAMES, code_page)?;
            let address = self.first_text(at, &tag::SENDER_ADDRESSES, code_page)?;
            field(&mut header, "From", &[mailbox(&name, &address)]);
        }
        let mut recipients: [Vec<String>; 3] = Default::default();
        for storage in self.storages(at, "__recip_version1.0_#")? {
            let fixed = self.fixed(&storage, 8)?;
            let sort = fixed.iter().find(|(tag, _)| *tag == tag::RECIPIENT_TYPE).map_or(1, |(_, value)| *value & 3);
            let name = self.first_text(&storage, &[tag::RECIPIENT_NAME], code_page)?;
            let address = self.first_text(&storage, &tag::RECIPIENT_ADDRESSES, code_page)?;
            let sort = usize::try_from(sort.clamp(1, 3)).unwrap_or(1) - 1;
            recipients[sort].push(mailbox(&name, &address));
        }
        for (name, addresses) in ["To", "Cc", "Bcc"].into_iter().zip(&recipients) {
            if lacks(&header, name) {
                field(&mut header, name, addresses);
            }
        }
        if lacks(&header, "Message-ID")
            && let Some(id) = self.text(at, tag::MESSAGE_ID, code_page)?
        {
            field(&mut header, "Message-ID", &[id.chars().filter(char::is_ascii_graphic).collect()]);
        }
        let moment =
            |tag: u32| fixed.iter().find(|(known, value)| *known == tag && *value > 0).map(|(_, value)| *value);
        if lacks(&header, "Date")
            && let Some(date) = moment(tag::SUBMITTED).or_else(|| moment(tag::DELIVERED)).and_then(date_of)
        {
            field(&mut header, "Date", &[date]);
        }
        // No content holds its own depth's boundary: everything is in base64.
        let boundary = format!("=_part_{depth}");
        let _ = write!(header, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n");
        out.extend_from_slice(header.as_bytes());
        self.bodies(at, (code_page, page), &boundary, out)?;
        for storage in self.storages(at, "__attach_version1.0_#")? {
            self.attachment(&storage, code_page, depth, &boundary, out)?;
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Ok(())
    }

    fn bodies(
        &mut self,
        at: &str,
        (code_page, page): (u16, u16),
        boundary: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let plain = self.text(at, tag::BODY, code_page)?.filter(|text| !text.trim().is_empty());
        let html = match self.stream(&format!("{at}/__substg1.0_{}0102", tag::HTML))? {
            Some(bytes) => Some(
                String::from_utf8(bytes)
                    .unwrap_or_else(|not_utf8| encoding(page).decode(not_utf8.as_bytes()).0.into_owned()),
            ),
            None => self.text(at, tag::HTML, code_page)?,
        };
        let html = html.filter(|text| !text.trim().is_empty());
        if let Some(text) = &plain {
            part(boundary, "text/plain; charset=utf-8", None, text.as_bytes(), out);
        }
        if let Some(html) = &html {
            part(boundary, "text/html; charset=utf-8", None, html.as_bytes(), out);
        }
        if plain.is_none()
            && html.is_none()
            && let Some(packed) = self.stream(&format!("{at}/__substg1.0_{}0102", tag::RTF))?
        {
            match unpacked(&packed) {
                Some(rtf) => part(boundary, "text/plain; charset=utf-8", None, rtf_text(&rtf).as_bytes(), out),
                None => not_in_it(boundary, "", out),
            }
        }
        Ok(())
    }

    fn attachment(
        &mut self,
        at: &str,
        code_page: u16,
        depth: usize,
        boundary: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let name = self.first_text(at, &tag::ATTACH_FILE_NAMES, code_page)?;
        let inner = format!("{at}/__substg1.0_{}000D", tag::ATTACH_DATA);
        if self.file.is_storage(&inner) {
            if !self.file.is_stream(format!("{inner}/__properties_version1.0")) {
                // An object of another program, drawn into the text.
                not_in_it(boundary, &name, out);
                return Ok(());
            }
            if depth + 1 >= DEPTH {
                return Err("too-deep");
            }
            let mut message = Vec::new();
            self.message(&inner, 24, depth + 1, &mut message)?;
            // It is written again, and longer, in each message around it.
            self.left = self.left.checked_sub(message.len()).ok_or("too-large")?;
            part(boundary, "message/rfc822", Some(&name), &message, out);
            return Ok(());
        }
        let kind = self.text(at, tag::ATTACH_TYPE, code_page)?.unwrap_or_default();
        let sound = kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'+'));
        let kind = if sound && kind.matches('/').count() == 1 { kind.as_str() } else { "application/octet-stream" };
        match self.stream(&format!("{at}/__substg1.0_{}0102", tag::ATTACH_DATA))? {
            // What is a text by its type is read as a file, not as a body.
            Some(bytes) => part(boundary, kind, Some(&name), &bytes, out),
            // Linked, and not in the file.
            None => not_in_it(boundary, &name, out),
        }
        Ok(())
    }

    /// The storages of a folder whose names begin so, sorted.
    fn storages(&self, at: &str, begin: &str) -> Result<Vec<String>, &'static str> {
        let folder = if at.is_empty() { "/" } else { at };
        let entries = self.file.read_storage(folder).map_err(|_| "unreadable-part")?;
        let mut found: Vec<String> = entries
            .filter(|entry| entry.is_storage() && entry.name().starts_with(begin))
            .map(|entry| format!("{at}/{}", entry.name()))
            .take(PARTS + 1)
            .collect();
        if found.len() > PARTS {
            return Err("too-many-parts");
        }
        found.sort();
        Ok(found)
    }

    fn stream(&mut self, path: &str) -> Result<Option<Vec<u8>>, &'static str> {
        if !self.file.is_stream(path) {
            return Ok(None);
        }
        let stream = self.file.open_stream(path).map_err(|_| "unreadable-part")?;
        let mut bytes = Vec::new();
        stream.take(self.left as u64 + 1).read_to_end(&mut bytes).map_err(|_| "unreadable-part")?;
        self.left = self.left.checked_sub(bytes.len()).ok_or("too-large")?;
        Ok(Some(bytes))
    }

    /// A text property, in Unicode or in the message's code page.
    fn text(&mut self, at: &str, tag: &str, code_page: u16) -> Result<Option<String>, &'static str> {
        if let Some(bytes) = self.stream(&format!("{at}/__substg1.0_{tag}001F"))? {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
            return Ok(Some(String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()));
        }
        let Some(bytes) = self.stream(&format!("{at}/__substg1.0_{tag}001E"))? else { return Ok(None) };
        let (text, _, _) = encoding(code_page).decode(&bytes);
        Ok(Some(text.trim_end_matches('\0').to_owned()))
    }

    /// The first of several properties that holds something.
    fn first_text(&mut self, at: &str, tags: &[&str], code_page: u16) -> Result<String, &'static str> {
        for tag in tags {
            if let Some(text) = self.text(at, tag, code_page)?.filter(|text| !text.trim().is_empty()) {
                return Ok(text);
            }
        }
        Ok(String::new())
    }

    /// The properties of fixed length: tag and value, behind a head of so many bytes.
    fn fixed(&mut self, at: &str, head: usize) -> Result<Vec<(u32, u64)>, &'static str> {
        let bytes = self.stream(&format!("{at}/__properties_version1.0"))?.unwrap_or_default();
        let rows = bytes.get(head..).unwrap_or_default().chunks_exact(16).take(PARTS);
        let row = |row: &[u8]| {
            let tag = u32::from_le_bytes([row[0], row[1], row[2], row[3]]);
            let value = u64::from_le_bytes(*row.last_chunk::<8>().expect("a row has 16 bytes"));
            // Types of four bytes leave the other half undefined.
            (tag, if tag & 0xffff == 0x0003 { value & 0xffff_ffff } else { value })
        };
        Ok(rows.map(row).collect())
    }
}

/// The fields that the servers wrote, without those that say how the content is made and the subject,
/// which stands elsewhere.
fn kept_fields(transport: &str) -> String {
    let mut out = String::new();
    let mut keeps = false;
    for line in transport.lines().take(5_000) {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            let is_field = line.contains(':') && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            keeps = is_field && !name.starts_with("content-") && !matches!(name.as_str(), "mime-version" | "subject");
        }
        if keeps && !line.trim().is_empty() {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    out
}

fn field(header: &mut String, name: &str, values: &[String]) {
    if values.iter().any(|value| !value.is_empty()) {
        let _ = write!(header, "{name}: {}\r\n", values.join(",\r\n "));
    }
}

/// Text as encoded words (RFC 2047), which no line end of it can leave.
fn encoded(text: &str) -> String {
    let words: Vec<String> = text
        .chars()
        .collect::<Vec<_>>()
        .chunks(12)
        .map(|some| format!("=?utf-8?B?{}?=", STANDARD.encode(some.iter().collect::<String>())))
        .collect();
    words.join("\r\n ")
}

fn mailbox(name: &str, address: &str) -> String {
    let address: String =
        address.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | '"')).collect();
    match (name.is_empty(), address.contains('@')) {
        (true, false) => String::new(),
        (true, true) => format!("<{address}>"),
        // Addresses of Exchange's own form are no mail addresses.
        (false, false) => format!("{} <>", encoded(name)),
        (false, true) => format!("{} <{address}>", encoded(name)),
    }
}

/// One part, in base64.
fn part(boundary: &str, kind: &str, name: Option<&str>, bytes: &[u8], out: &mut Vec<u8>) {
    let mut head = format!("--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n");
    if let Some(name) = name {
        let name: String = name.bytes().take(512).map(|byte| format!("%{byte:02X}")).collect();
        let _ = write!(head, "Content-Disposition: attachment; filename*=utf-8''{name}\r\n");
    }
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(b"\r\n");
    for line in STANDARD.encode(bytes).as_bytes().chunks(76) {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
}

/// A part that cannot be read: bytes of no known format, which are counted as not looked into.
fn not_in_it(boundary: &str, name: &str, out: &mut Vec<u8>) {
    part(boundary, "application/octet-stream", Some(name), &[0; 16], out);
}

/// A moment in units of 100 ns since 1601, as a Date field has it.
fn date_of(filetime: u64) -> Option<String> {
    let seconds = i64::try_from(filetime / 10_000_000).ok()? - 11_644_473_600;
    let moment = jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(moment.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
}

/// The encoding of a Windows code page.
fn encoding(code_page: u16) -> &'static encoding_rs::Encoding {
    let label = match code_page {
        65001 => "utf-8".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        28591..=28606 => format!("iso-8859-{}", code_page - 28590),
        other => format!("windows-{other}"),
    };
    encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::WINDOWS_1252)
}

/// Unpacks compressed RTF ([MS-OXRTFCP]); `None` where it is none, too long, or not whole.
fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    const START: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
    const WINDOW: usize = 4096;
    let raw = u32::from_le_bytes(*packed.get(4..8)?.first_chunk()?) as usize;
    let kind = packed.get(8..12)?;
    let data = packed.get(16..)?;
    if raw > RTF_BYTES {
        return None;
    }
    if kind == b"MELA" {
        return data.get(..raw).map(<[u8]>::to_vec);
    }
    if kind != b"LZFu" {
        return None;
    }
    let mut window = [b' '; WINDOW];
    window[..START.len()].copy_from_slice(START);
    let mut at = START.len();
    let mut out = Vec::with_capacity(raw);
    let mut bytes = data.iter().copied();
    let mut put = |byte: u8, window: &mut [u8; WINDOW], at: &mut usize| {
        window[*at] = byte;
        *at = (*at + 1) % WINDOW;
        out.push(byte);
        out.len() < RTF_BYTES
    };
    'groups: while let Some(control) = bytes.next() {
        for bit in 0..8 {
            if control & (1 << bit) == 0 {
                let Some(byte) = bytes.next() else { break 'groups };
                if !put(byte, &mut window, &mut at) {
                    return None;
                }
                continue;
            }
            let (Some(high), Some(low)) = (bytes.next(), bytes.next()) else { break 'groups };
            let reference = usize::from(u16::from_be_bytes([high, low]));
            let (mut from, length) = (reference >> 4, (reference & 0xf) + 2);
            // A reference to the place of writing ends the text.
            if from == at {
                break 'groups;
            }
            for _ in 0..length {
                let byte = window[from];
                from = (from + 1) % WINDOW;
                if !put(byte, &mut window, &mut at) {
                    return None;
                }
            }
        }
    }
    out.truncate(raw);
    (out.len() == raw).then_some(out)
}

#[cfg(test)]
mod tests;
