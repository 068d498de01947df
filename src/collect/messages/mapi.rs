//! Makes mail of what Outlook keeps of a message: properties of the message, of its recipients and of
//! its attachments ([MS-OXPROPS], [MS-OXCMSG]), whichever kind of file holds them.
//!
//! It makes the message in the form that mail is sent in, in memory, so that everything after it is
//! read and judged in one way. Reading the files is the work of `outlook` (`.msg`) and `pst`.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::documents::rich_text;
use super::extract::is_mail;

/// Bytes of all properties of one message together, attached messages included.
pub(super) const BYTES: usize = 64 * 1024 * 1024;
/// Attachments and recipients of one message that are read.
pub(super) const PARTS: usize = 2_000;
/// Attached messages are read to this depth.
const DEPTH: usize = 8;
/// Compressed text is at most so long, unpacked.
const RTF_BYTES: usize = 16 * 1024 * 1024;

/// Why a message, or some of it, is not looked into.
pub(super) type Why = &'static str;

/// What is there cannot be read, or does not hold what it should: the part is lost, not the message.
pub(super) const UNREADABLE_PART: Why = "unreadable-part";

/// Identifiers of properties ([MS-OXPROPS]).
pub(super) mod id {
    pub(super) const ACCOUNT: u16 = 0x3a00;
    pub(in super::super) const ATTACH_DATA: u16 = 0x3701;
    pub(super) const ATTACH_FILE_NAMES: [u16; 3] = [0x3707, 0x3704, 0x3001];
    pub(super) const ATTACH_TYPE: u16 = 0x370e;
    pub(super) const BIRTHDAY: u16 = 0x3a42;
    pub(super) const BODY: u16 = 0x1000;
    pub(super) const CREATED: u16 = 0x3007;
    pub(super) const CUSTOMER_ID: u16 = 0x3a4a;
    pub(super) const DELIVERED: u16 = 0x0e06;
    pub(super) const GIVEN_NAME: u16 = 0x3a06;
    pub(super) const GOVERNMENT_ID: u16 = 0x3a07;
    pub(super) const HTML: u16 = 0x1013;
    pub(super) const INTERNET_CODE_PAGE: u16 = 0x3fde;
    pub(super) const MESSAGE_CODE_PAGE: u16 = 0x3ffd;
    pub(super) const MESSAGE_ID: u16 = 0x1035;
    /// Names, numbers and addresses of a person ([MS-OXOCNTC]).
    pub(super) const OF_A_PERSON: std::ops::RangeInclusive<u16> = 0x3a00..=0x3a5f;
    pub(super) const RECIPIENT_ADDRESSES: [u16; 2] = [0x39fe, 0x3003];
    pub(super) const RECIPIENT_NAME: u16 = 0x3001;
    pub(super) const RECIPIENT_TYPE: u16 = 0x0c15;
    pub(super) const RTF: u16 = 0x1009;
    pub(super) const SENDER_ADDRESSES: [u16; 3] = [0x5d01, 0x0c1f, 0x0065];
    pub(super) const SENDER_NAMES: [u16; 2] = [0x0c1a, 0x0042];
    pub(super) const SUBJECT: u16 = 0x0037;
    pub(super) const SUBMITTED: u16 = 0x0039;
    pub(super) const SURNAME: u16 = 0x3a11;
    pub(super) const TRANSPORT_HEADERS: u16 = 0x007d;
}

/// A file of Outlook's, as far as one message of it is concerned.
pub(super) trait Properties {
    /// A message, a recipient or an attachment.
    type Object;

    /// A number or a moment.
    fn number(&self, of: &Self::Object, id: u16) -> Option<u64>;
    /// A text, in Unicode or in this code page.
    fn text(&mut self, of: &Self::Object, id: u16, code_page: u16) -> Result<Option<String>, Why>;
    /// Bytes that are no text, or whose code page another property tells.
    fn bytes(&mut self, of: &Self::Object, id: u16) -> Result<Option<Vec<u8>>, Why>;
    fn recipients(&mut self, of: &Self::Object) -> Result<Vec<Self::Object>, Why>;
    fn attachments(&mut self, of: &Self::Object) -> Result<Vec<Self::Object>, Why>;
    /// What an attachment is.
    fn attached(&mut self, of: &Self::Object) -> Result<Attached<Self::Object>, Why>;
    /// Takes so many bytes off what this message may come to.
    fn spend(&mut self, bytes: usize) -> Result<(), Why>;
}

/// What an attachment is.
pub(super) enum Attached<Object> {
    /// Bytes, if the file holds them.
    File,
    Message(Object),
    /// An object of another program, drawn into the text.
    Object,
}

/// Appends the message as mail.
pub(super) fn write<P: Properties>(from: &mut P, message: &P::Object, out: &mut Vec<u8>) -> Result<(), Why> {
    message_at(from, message, 0, out)
}

fn message_at<P: Properties>(from: &mut P, of: &P::Object, depth: usize, out: &mut Vec<u8>) -> Result<(), Why> {
    let named = |id: u16| from.number(of, id).filter(|page| *page > 0).and_then(|page| u16::try_from(page).ok());
    let code_page = named(id::MESSAGE_CODE_PAGE).unwrap_or(1252);
    let page = named(id::INTERNET_CODE_PAGE).unwrap_or(code_page);
    let transport = from.text(of, id::TRANSPORT_HEADERS, code_page)?.unwrap_or_default();
    let mut header = kept_fields(&transport);
    let lacks = |header: &str, name: &str| {
        !header
            .lines()
            .any(|line| line.get(..name.len() + 1).is_some_and(|start| start.eq_ignore_ascii_case(&format!("{name}:"))))
    };
    let subject = from.text(of, id::SUBJECT, code_page)?.unwrap_or_default();
    field(&mut header, "Subject", &[encoded(bare_subject(&subject))]);
    if lacks(&header, "From") {
        let name = first_text(from, of, &id::SENDER_NAMES, code_page)?;
        let address = first_text(from, of, &id::SENDER_ADDRESSES, code_page)?;
        field(&mut header, "From", &[mailbox(&name, &address)]);
    }
    let mut recipients: [Vec<String>; 3] = Default::default();
    let (found, mut lost) = match from.recipients(of) {
        Ok(found) => (found, false),
        Err(UNREADABLE_PART) => (Vec::new(), true),
        Err(why) => return Err(why),
    };
    for recipient in found {
        let sort = from.number(&recipient, id::RECIPIENT_TYPE).map_or(1, |sort| sort & 3);
        let name = first_text(from, &recipient, &[id::RECIPIENT_NAME], code_page)?;
        let address = first_text(from, &recipient, &id::RECIPIENT_ADDRESSES, code_page)?;
        let sort = usize::try_from(sort.clamp(1, 3)).unwrap_or(1) - 1;
        recipients[sort].push(mailbox(&name, &address));
    }
    for (name, addresses) in ["To", "Cc", "Bcc"].into_iter().zip(&recipients) {
        if lacks(&header, name) {
            field(&mut header, name, addresses);
        }
    }
    if lacks(&header, "Message-ID")
        && let Some(id) = from.text(of, id::MESSAGE_ID, code_page)?
    {
        field(&mut header, "Message-ID", &[id.chars().filter(char::is_ascii_graphic).collect()]);
    }
    // Drafts, contacts and tasks were never sent.
    let moments = [id::SUBMITTED, id::DELIVERED, id::CREATED];
    if lacks(&header, "Date")
        && let Some(date) = moments.iter().find_map(|id| from.number(of, *id).filter(|moment| *moment > 0))
        && let Some(date) = date_of(date)
    {
        field(&mut header, "Date", &[date]);
    }
    // No content holds its own depth's boundary: everything is in base64.
    let boundary = format!("=_part_{depth}");
    let _ = write!(header, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n");
    out.extend_from_slice(header.as_bytes());
    lost |= !or_lost(bodies(from, of, (code_page, page), &boundary, out))?;
    if lost {
        not_in_it(&boundary, "", out);
    }
    for attachment in from.attachments(of)? {
        if !or_lost(attach(from, &attachment, code_page, depth, &boundary, out))? {
            not_in_it(&boundary, "", out);
        }
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(())
}

/// Whether a part was written; what concerns the whole message goes on.
fn or_lost(written: Result<(), Why>) -> Result<bool, Why> {
    match written {
        Ok(()) => Ok(true),
        Err(UNREADABLE_PART) => Ok(false),
        Err(why) => Err(why),
    }
}

fn bodies<P: Properties>(
    from: &mut P,
    of: &P::Object,
    (code_page, page): (u16, u16),
    boundary: &str,
    out: &mut Vec<u8>,
) -> Result<(), Why> {
    let plain = from.text(of, id::BODY, code_page)?.filter(|text| !text.trim().is_empty());
    // Notes on a person are read beside who it is.
    let mut text = card(from, of, code_page)?;
    text.push_str(plain.as_deref().unwrap_or_default());
    if !text.is_empty() {
        part(boundary, "text/plain; charset=utf-8", None, text.as_bytes(), out);
    }
    let html = match from.bytes(of, id::HTML)? {
        Some(bytes) => Some(
            String::from_utf8(bytes)
                .unwrap_or_else(|not_utf8| encoding(page).decode(not_utf8.as_bytes()).0.into_owned()),
        ),
        None => from.text(of, id::HTML, code_page)?,
    };
    let html = html.filter(|text| !text.trim().is_empty());
    if let Some(html) = &html {
        part(boundary, "text/html; charset=utf-8", None, html.as_bytes(), out);
    }
    if plain.is_none()
        && html.is_none()
        && let Some(packed) = from.bytes(of, id::RTF)?
    {
        match unpacked(&packed) {
            Some(rtf) => {
                let rich = rich_text(&rtf);
                part(boundary, "text/plain; charset=utf-8", None, rich.text.as_bytes(), out);
                if !rich.not_inspected.is_empty() {
                    not_in_it(boundary, "", out);
                }
            }
            None => not_in_it(boundary, "", out),
        }
    }
    Ok(())
}

/// What a contact says of a person, a line each; empty in mail. Some have a label in Outlook's form
/// only, without which a number would say nothing.
fn card<P: Properties>(from: &mut P, of: &P::Object, code_page: u16) -> Result<String, Why> {
    let mut card = String::new();
    let mut name = Vec::new();
    for id in id::OF_A_PERSON {
        let Some(text) = from.text(of, id, code_page)?.filter(|text| !text.trim().is_empty()) else { continue };
        let label = match id {
            id::ACCOUNT => "Account number: ",
            id::CUSTOMER_ID => "Customer ID, record number: ",
            // In the United States most often that of social security.
            id::GOVERNMENT_ID => "Government ID, SSN: ",
            id::GIVEN_NAME | id::SURNAME => {
                name.push(text);
                continue;
            }
            _ => "",
        };
        let _ = writeln!(card, "{label}{text}");
    }
    if let Some(birthday) = from.number(of, id::BIRTHDAY).and_then(moment_of) {
        card.insert_str(0, &format!("Date of birth: {}\n", birthday.date()));
    }
    if !name.is_empty() {
        card.insert_str(0, &format!("Name: {}\n", name.join(" ")));
    }
    Ok(card)
}

fn attach<P: Properties>(
    from: &mut P,
    of: &P::Object,
    code_page: u16,
    depth: usize,
    boundary: &str,
    out: &mut Vec<u8>,
) -> Result<(), Why> {
    let name = first_text(from, of, &id::ATTACH_FILE_NAMES, code_page)?;
    match from.attached(of)? {
        Attached::File => {}
        Attached::Message(inner) => {
            if depth + 1 >= DEPTH {
                return Err("too-deep");
            }
            let mut message = Vec::new();
            message_at(from, &inner, depth + 1, &mut message)?;
            // It is written again, and longer, in each message around it.
            from.spend(message.len())?;
            part(boundary, "message/rfc822", Some(&name), &message, out);
            return Ok(());
        }
        Attached::Object => {
            not_in_it(boundary, &name, out);
            return Ok(());
        }
    }
    let kind = from.text(of, id::ATTACH_TYPE, code_page)?.unwrap_or_default();
    let several = kind.get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
    let sound = kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'.' | b'+'));
    let kind = match kind.as_str() {
        kind if sound && !several && kind.matches('/').count() == 1 => kind,
        _ => "application/octet-stream",
    };
    match from.bytes(of, id::ATTACH_DATA) {
        // Signed mail is kept as one file ([MS-OXOSMIME]), which begins with its own fields.
        Ok(Some(bytes)) if several && begins_as_mail(bytes.trim_ascii_start()) => {
            part(boundary, "message/rfc822", Some(&name), bytes.trim_ascii_start(), out);
        }
        // What is a text by its type is read as a file, not as a body.
        Ok(Some(bytes)) => part(boundary, kind, Some(&name), &bytes, out),
        // Linked, and not in the file; or not to be read, which leaves its name.
        Ok(None) | Err(UNREADABLE_PART) => not_in_it(boundary, &name, out),
        Err(why) => return Err(why),
    }
    Ok(())
}

fn begins_as_mail(bytes: &[u8]) -> bool {
    mail_parser::MessageParser::default().parse_headers(bytes).is_some_and(|message| is_mail(&message, bytes))
}

/// The first of several properties that holds something.
fn first_text<P: Properties>(from: &mut P, of: &P::Object, ids: &[u16], code_page: u16) -> Result<String, Why> {
    for id in ids {
        if let Some(text) = from.text(of, *id, code_page)?.filter(|text| !text.trim().is_empty()) {
            return Ok(text);
        }
    }
    Ok(String::new())
}

/// Without the two characters that say, in a mailbox file, how long the `RE: ` before it is
/// ([MS-PST] §2.5.3.1.1.1).
fn bare_subject(subject: &str) -> &str {
    let marked = subject.strip_prefix('\u{1}').map(|rest| {
        let mut rest = rest.chars();
        rest.next();
        rest.as_str()
    });
    marked.unwrap_or(subject)
}

/// A text of 8-bit characters.
pub(super) fn decoded(bytes: &[u8], code_page: u16) -> String {
    encoding(code_page).decode(bytes).0.trim_end_matches('\0').to_owned()
}

/// A text in UTF-16.
pub(super) fn unicode(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
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

/// A moment in units of 100 ns since 1601.
fn moment_of(filetime: u64) -> Option<jiff::Zoned> {
    let seconds = i64::try_from(filetime / 10_000_000).ok()? - 11_644_473_600;
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC))
}

/// It as a Date field has it.
fn date_of(filetime: u64) -> Option<String> {
    Some(moment_of(filetime)?.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string())
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
pub(super) fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
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
pub(super) mod tests;
