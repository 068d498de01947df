//! Takes a message apart into the texts a reader would see, and says what could not be read.
//!
//! Decoding is mail-parser's work (RFC 5322, MIME, charsets); this decides what each part is, by its
//! first bytes before its name, and hands over texts with their place. The header area is not
//! searched except for the subject and the names of attachments. Nothing is written anywhere.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::Date;
use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};
use mail_parser::{Address, Encoding, HeaderName, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::attachments::{self, Content};
use super::containers::Inside;
use super::correspondents::Correspondents;
use super::documents::{as_text, begins_a_file, has_controls, has_told_letters, is_bytes};
use super::incoming::{Incoming, Traced};
use super::{html, protection, quotes, sending};
use crate::names::DomainName;

/// Messages inside messages are read to this depth.
const DEPTH: usize = 8;
/// At most this many parts of one message are read, attached messages included.
const PARTS: usize = 10_000;
/// Text is read in windows of this size, so that memory does not grow with it.
const WINDOW: usize = 1024 * 1024;

/// What takes the texts of one segment, each with its place.
pub(super) type Sink<'s> = dyn FnMut(&[(Place, &str)]) + 's;

/// Where in a message a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    AttachedMessage,
    Attachment,
    AttachmentName,
    Body,
    Invite,
    Quoted,
    Subject,
}

impl Place {
    /// The word in reports.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AttachedMessage => "attached-message",
            Self::Attachment => "attachment",
            Self::AttachmentName => "attachment-name",
            Self::Body => "body",
            Self::Invite => "invite",
            Self::Quoted => "quoted",
            Self::Subject => "subject",
        }
    }
}

/// What a message says of itself, without its text.
#[derive(Default)]
pub(super) struct Envelope {
    /// Without angle brackets.
    pub(super) message_id: Option<Vec<u8>>,
    pub(super) date: Option<Date>,
    /// The sender's address, for telling one writer from another.
    pub(super) sender: Option<String>,
    pub(super) correspondents: Correspondents,
    pub(super) bulk: bool,
    /// Google Takeout's labels, as one line.
    pub(super) labels: Option<String>,
}

/// A parsed message.
pub(super) struct Parsed<'a>(Message<'a>);

/// Parses the bytes of a message; `None` where there is no header at all.
pub(super) fn parse(raw: &[u8]) -> Option<Parsed<'_>> {
    MessageParser::default().parse(raw).filter(|message| !message.headers().is_empty()).map(Parsed)
}

impl Parsed<'_> {
    /// What the header says.
    pub(super) fn envelope(&self, today: Date) -> Envelope {
        let message = &self.0;
        let sender = message.from().and_then(first_address);
        let has = |name: HeaderName<'static>| message.header_raw(name).is_some();
        let precedence = message.header_raw("Precedence").unwrap_or_default().trim().to_ascii_lowercase();
        Envelope {
            message_id: message.header_raw(HeaderName::MessageId).map(bare_message_id).filter(|id| !id.is_empty()),
            date: date_of(message, today),
            sender,
            correspondents: Correspondents::of(message),
            bulk: has(HeaderName::ListId)
                || has(HeaderName::ListUnsubscribe)
                || matches!(precedence.as_str(), "bulk" | "list" | "junk"),
            labels: message.header("X-Gmail-Labels").and_then(|value| value.as_text()).map(str::to_owned),
        }
    }

    /// What stands out about how the message was sent, and what its thread is known by.
    pub(super) fn sending(&self, own: &[DomainName]) -> (BTreeSet<&'static str>, Vec<u64>) {
        (sending::of(&self.0, self.0.raw_message.len(), own), sending::threads(&self.0))
    }

    /// How the message arrived, if it is one of a partner's.
    pub(super) fn incoming(&self, traced: &Traced) -> Option<Incoming> {
        let message = &self.0;
        let mut from = message.headers().iter().filter(|header| header.name == HeaderName::From);
        // Two writers, or two fields, name nobody for sure.
        let (Some(field), None) = (from.next(), from.next()) else { return None };
        let mut writers = field.value().as_address()?.iter();
        let (Some(writer), None) = (writers.next(), writers.next()) else { return None };
        let (_, domain) = writer.address()?.rsplit_once('@')?;
        Incoming::of(domain.trim(), message.headers_raw(), traced)
    }

    /// Hands every text to `sink`, in the message's order. Returns why parts were not looked into; how any are
    /// protected stays with `inside`.
    pub(super) fn texts(&self, inside: &mut Inside<'_>, sink: &mut Sink<'_>) -> Vec<&'static str> {
        self.texts_at(0, inside, sink)
    }

    fn texts_at(&self, depth: usize, inside: &mut Inside<'_>, sink: &mut Sink<'_>) -> Vec<&'static str> {
        let mut walk = Walk { sink, inside, not_inspected: Vec::new(), parts: 0, texts: 0, images: 0 };
        walk.message(&self.0, depth);
        // A message that is only a picture says nothing we can read.
        if walk.texts == 0 && walk.images > 0 && walk.not_inspected.is_empty() {
            walk.not_inspected.push("image-only");
        }
        walk.not_inspected
    }
}

/// Hands every text of a message in an attachment to `sink`. Returns why parts were not looked into.
pub(super) fn attached_texts(bytes: &[u8], inside: &mut Inside<'_>, sink: &mut Sink<'_>) -> Vec<&'static str> {
    match parse(bytes).filter(|parsed| is_mail(&parsed.0, bytes)) {
        Some(parsed) => parsed.texts_at(1, inside, sink),
        None => {
            as_text(bytes).iter().for_each(|text| sink(&[(Place::AttachedMessage, text)]));
            vec!["unreadable-part"]
        }
    }
}

struct Walk<'s, 'k, 'p> {
    sink: &'s mut Sink<'k>,
    inside: &'s mut Inside<'p>,
    not_inspected: Vec<&'static str>,
    parts: usize,
    /// Bodies that had words.
    texts: usize,
    images: usize,
}

impl Walk<'_, '_, '_> {
    fn message(&mut self, message: &Message<'_>, depth: usize) {
        let subject = message.subject().unwrap_or_default();
        let mut names: Vec<String> = Vec::new();
        let mut subject_seen = false;
        for part in &message.parts {
            self.parts += 1;
            if self.parts > PARTS {
                self.not_inspected.push("too-many-parts");
                break;
            }
            let name = part.attachment_name().map(readable_name);
            match &part.body {
                PartType::Multipart(_) => {}
                PartType::Message(nested) if !is_mail(nested, &raw_part(message, part)) => {
                    self.file(&raw_part(message, part), "", name.as_deref(), depth);
                    self.not_inspected.push("unreadable-part");
                }
                PartType::Message(nested) => {
                    if depth + 1 > DEPTH {
                        self.not_inspected.push("too-deep");
                    } else {
                        self.message(nested, depth + 1);
                    }
                }
                PartType::Text(text) | PartType::Html(text) if is_body(part, name.as_deref()) => {
                    let raw = is_bytes(text).then(|| raw_part(message, part));
                    // Letters that its encoding gave would be lost in another.
                    let is_told = || has_told_letters(text) && !has_controls(text.as_bytes());
                    let is_other = |raw: &&[u8]| !begins_a_file(raw) && !is_told();
                    let decoded = raw.as_deref().filter(is_other).and_then(as_text);
                    let text = decoded.as_deref().unwrap_or(text);
                    if matches!(part.body, PartType::Html(_)) {
                        self.body(subject, &html::text_of(text), depth);
                    } else {
                        self.body(subject, text, depth);
                    }
                    subject_seen = true;
                    if decoded.is_none()
                        && let Some(raw) = raw
                    {
                        self.file(&raw, "", None, depth);
                    }
                }
                PartType::Text(text) | PartType::Html(text) if is_bytes(text) => {
                    self.file(&raw_part(message, part), &part_type(part), name.as_deref(), depth);
                }
                PartType::Text(text) => {
                    let kind = part_type(part);
                    let content = attachments::text_part(text, &kind, name.as_deref(), self.inside);
                    self.attachment(name.as_deref(), content, depth);
                }
                PartType::Html(text) => {
                    self.attachment(name.as_deref(), Content::Text(html::text_of(text)), depth);
                }
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                    let inline = matches!(part.body, PartType::InlineBinary(_)) || part.content_id().is_some();
                    let content = attachments::read(bytes, &part_type(part), name.as_deref(), inline, self.inside);
                    self.attachment(name.as_deref(), content, depth);
                }
            }
            names.extend(name);
        }
        if !names.is_empty() || !subject_seen {
            let names = names.join("\n");
            (self.sink)(&[(placed(Place::Subject, depth), subject), (placed(Place::AttachmentName, depth), &names)]);
        }
    }

    fn body(&mut self, subject: &str, body: &str, depth: usize) {
        if let Some(protected) = protection::armoured(body) {
            self.not_inspected.push(attachments::sealed(protected, self.inside));
        }
        let parted = quotes::part(body);
        self.texts += usize::from(body.bytes().filter(u8::is_ascii_alphanumeric).nth(8).is_some());
        let mut lead = subject;
        for window in windows(&parted.own) {
            (self.sink)(&[(placed(Place::Subject, depth), lead), (placed(Place::Body, depth), window)]);
            lead = "";
        }
        for window in windows(&parted.quoted) {
            (self.sink)(&[(placed(Place::Quoted, depth), window)]);
        }
    }

    /// A part whose bytes are not what the sender calls it.
    fn file(&mut self, bytes: &[u8], kind: &str, name: Option<&str>, depth: usize) {
        let content = attachments::read(bytes, kind, name, false, self.inside);
        self.attachment(name, content, depth);
    }

    fn attachment(&mut self, name: Option<&str>, content: Content, depth: usize) {
        match content {
            Content::Image { inline } => {
                self.images += 1;
                if !inline {
                    self.not_inspected.push("image");
                }
            }
            Content::NotInspected(why) => self.not_inspected.push(why),
            Content::NothingToRead => {}
            Content::Invite(text) => self.attached(name, &text, Place::Invite, depth),
            Content::Text(text) => self.attached(name, &text, Place::Attachment, depth),
            Content::Several { texts, not_inspected } => {
                for text in texts {
                    self.attached(name, &text, Place::Attachment, depth);
                }
                self.not_inspected.extend(not_inspected);
            }
            Content::Message(bytes) => {
                match MessageParser::default().parse(&bytes).filter(|message| is_mail(message, &bytes)) {
                    Some(message) if depth < DEPTH => self.message(&message, depth + 1),
                    Some(_) => self.not_inspected.push("too-deep"),
                    None => {
                        as_text(&bytes).iter().for_each(|text| self.attached(name, text, Place::Attachment, depth));
                        self.not_inspected.push("unreadable-part");
                    }
                }
            }
        }
    }

    fn attached(&mut self, name: Option<&str>, text: &str, place: Place, depth: usize) {
        let mut lead = name.unwrap_or_default();
        for window in windows(text) {
            (self.sink)(&[(placed(Place::AttachmentName, depth), lead), (placed(place, depth), window)]);
            lead = "";
        }
    }
}

/// Everything in an attached message stands in the attached message.
const fn placed(place: Place, depth: usize) -> Place {
    if depth == 0 { place } else { Place::AttachedMessage }
}

/// Whether a text part is what the reader sees first, rather than a file.
fn is_body(part: &MessagePart<'_>, name: Option<&str>) -> bool {
    let attached = part.content_disposition().is_some_and(|disposition| disposition.is_attachment());
    let plain = part.content_type().is_none_or(|kind| {
        kind.subtype()
            .is_none_or(|subtype| ["plain", "html", "enriched"].iter().any(|s| subtype.eq_ignore_ascii_case(s)))
    });
    !attached && plain && name.is_none()
}

/// A part's bytes without their transfer encoding, before anybody took them for text.
fn raw_part<'m>(message: &'m Message<'_>, part: &MessagePart<'_>) -> Cow<'m, [u8]> {
    let raw = message.raw_message.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
    let decoded = match part.encoding {
        Encoding::Base64 => base64_decode(raw),
        Encoding::None => None,
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    };
    decoded.map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Whether these bytes are the message that was made of them: what is called one may be any file, whose
/// words would be taken for unknown fields and not be searched.
pub(super) fn is_mail(message: &Message<'_>, bytes: &[u8]) -> bool {
    let has_fields = message.headers().iter().any(|header| !matches!(header.name, HeaderName::Other(_)));
    // Japanese mail changes its alphabets by the escape character (RFC 1468).
    let start: Vec<u8> = bytes.iter().copied().take(4096).filter(|byte| *byte != 0x1b).collect();
    has_fields && !begins_a_file(bytes) && !has_controls(&start)
}

/// The content type as `text/csv`, lower case; empty where there is none.
fn part_type(part: &MessagePart<'_>) -> String {
    part.content_type()
        .map(|kind| {
            let encrypted = kind.attribute("smime-type").unwrap_or_default();
            format!("{}/{};{encrypted}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase()
        })
        .unwrap_or_default()
}

/// A file name as words: `Quillon_Zorba-MRN4455661.pdf`.
fn readable_name(name: &str) -> String {
    name.chars().take(512).map(|character| if matches!(character, '_' | '+') { ' ' } else { character }).collect()
}

/// Text in windows that end at line ends.
fn windows(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut first = true;
    std::iter::from_fn(move || {
        if rest.is_empty() && !std::mem::take(&mut first) {
            return None;
        }
        first = false;
        let mut end = rest.len().min(WINDOW);
        if end < rest.len() {
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            end = memchr::memrchr(b'\n', &rest.as_bytes()[..end]).map_or(end, |line| line + 1);
        }
        let (window, after) = rest.split_at(end);
        rest = after;
        Some(window)
    })
}

fn first_address(addresses: &Address<'_>) -> Option<String> {
    addresses.first().and_then(|address| address.address()).map(str::to_ascii_lowercase)
}

/// What stands between the angle brackets, without folding.
fn bare_message_id(raw: &str) -> Vec<u8> {
    let id: String = raw.chars().filter(|character| !character.is_whitespace()).collect();
    let id = id.strip_prefix('<').unwrap_or(&id);
    id.split('>').next().unwrap_or_default().as_bytes().to_vec()
}

/// The message's day in UTC: its Date field, else the newest Received; nothing before e-mail was
/// common or after tomorrow.
fn date_of(message: &Message<'_>, today: Date) -> Option<Date> {
    let plausible = |date: &mail_parser::DateTime| {
        let timestamp = jiff::Timestamp::from_second(date.to_timestamp()).ok()?;
        let day = crate::clock::date_of(timestamp);
        (day.year() >= 1980 && crate::clock::days_between(today, day) <= 1).then_some(day)
    };
    let valid = |date: &&mail_parser::DateTime| date.is_valid();
    message
        .date()
        .filter(valid)
        .and_then(plausible)
        .or_else(|| message.received_all().filter_map(|received| received.date()).find_map(|date| plausible(&date)))
}

#[cfg(test)]
mod tests {
    use super::super::pdf::PdfReader;
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2026, 11, 21);

    fn texts(raw: &[u8]) -> (Vec<(Place, String)>, Vec<&'static str>) {
        let mut texts = Vec::new();
        let parsed = parse(raw).unwrap();
        let not_inspected = parsed.texts(&mut Inside::message(&PdfReader::none()), &mut |segment| {
            texts.extend(segment.iter().map(|(place, text)| (*place, (*text).to_owned())));
        });
        (texts, not_inspected)
    }

    fn holds(texts: &[(Place, String)], place: Place, words: &str) -> bool {
        texts.iter().any(|(found, text)| *found == place && text.contains(words))
    }

    #[test]
    fn subject_body_quote_and_attachment_are_told_apart() {
        let raw = b"Subject: =?utf-8?B?QmlvcHN5?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nse=F1or\r\n> old words\r\n\
            --b\r\nContent-Type: text/csv; name=\"list_of.csv\"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiLGMK\r\n--b--\r\n";
        let (texts, not_inspected) = texts(raw);
        assert!(holds(&texts, Place::Subject, "Biopsy"));
        assert!(holds(&texts, Place::Body, "señor"));
        assert!(holds(&texts, Place::Quoted, "old words"));
        assert!(holds(&texts, Place::AttachmentName, "list of.csv"));
        assert!(holds(&texts, Place::Attachment, "a,b,c"));
        assert!(not_inspected.is_empty());
    }

    #[test]
    fn a_message_inside_a_message_is_read() {
        let raw = b"Subject: outer\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner words\r\n\r\ninner body\r\n";
        let (texts, _) = texts(raw);
        assert!(holds(&texts, Place::AttachedMessage, "inner words"));
        assert!(holds(&texts, Place::AttachedMessage, "inner body"));
    }

    /// An attached file in base64 that its sender calls by this type.
    fn attached(kind: &str, bytes: &[u8]) -> Vec<u8> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename=a\r\nContent-Transfer-Encoding: base64\r\n\r\n{bytes}\r\n--b--\r\n").into_bytes()
    }

    #[test]
    fn what_a_file_is_called_does_not_go_before_its_bytes() {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("a.txt", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, b"MRN 445566").unwrap();
        let zip = zip.finish().unwrap().into_inner();
        let gzip = [&[0x1f, 0x8b, 8, 0], &[0x9c; 40][..]].concat();
        for kind in [
            "text/plain",
            "text/csv",
            "text/html",
            "text/plain; charset=iso-8859-1",
            "message/rfc822",
            "application/x-pkcs7-signature",
            "application/pgp-signature",
            "application/pgp-keys",
            "application/pgp-encrypted",
            "image/png",
        ] {
            let (found, _) = texts(&attached(kind, &zip));
            assert!(found.iter().any(|(_, text)| text.contains("MRN 445566")), "{kind}");
            let (_, why) = texts(&attached(kind, &gzip));
            assert!(!why.is_empty(), "{kind}");
            // As the only part of a message.
            let alone = String::from_utf8(attached(kind, &zip)).unwrap().replace("multipart/mixed; boundary=b", kind);
            let alone = alone.replacen("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1);
            let (head, data) = (alone.split("\r\n\r\n").next().unwrap(), alone.split("\r\n\r\n").nth(2).unwrap());
            let (found, _) = texts(format!("{head}\r\n\r\n{}", data.replace("--b--", "")).as_bytes());
            assert!(found.iter().any(|(_, text)| text.contains("MRN 445566")), "{kind} alone");
        }
        // `SignedData` without content.
        let signature = b"0!\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x140\x12\x02\x01\x011\x000\x0b\x06\x09*\x86H\x86\xf7\r\x01\x07\x01";
        assert!(texts(&attached("application/pkcs7-signature", signature)).1.is_empty());
        assert!(texts(&attached("application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----\n")).1.is_empty());
        assert!(texts(&attached("application/pgp-encrypted", b"Version: 1\n")).1.is_empty());
        assert_eq!(texts(&attached("message/rfc822", &[0x8b; 300])).1, ["unknown-format", "unreadable-part"]);
        // What reads as a field is none, and a word that begins as a signature does not make one.
        for (kind, note) in [
            ("message/rfc822", "Name: Zorba\nMRN: 445566\n"),
            ("message/rfc822; x=y", "Zorba Quillon\nMRN 445566\n"),
            ("application/octet-stream; name=a.eml", "Name: Zorba\nMRN: 445566\n"),
            ("application/pkcs7-signature", "0123 Main St, MRN 445566"),
            ("application/pgp-encrypted", "Version: 1\nMRN 445566"),
        ] {
            let (found, why) = texts(&attached(kind, note.as_bytes()));
            assert!(found.iter().any(|(_, text)| text.contains("445566")), "{kind}");
            assert_eq!(why.contains(&"unreadable-part"), kind.starts_with("message"), "{kind}");
        }
    }

    #[test]
    fn an_attached_message_in_japanese_is_one() {
        let words = "\u{1b}$B45<T\u{1b}(B MRN 445566\n".repeat(20);
        let inner = format!("Subject: x\nContent-Type: text/plain; charset=iso-2022-jp\n\n{words}");
        let (found, why) = texts(&attached("message/rfc822", inner.as_bytes()));
        assert!(holds(&found, Place::AttachedMessage, "\u{60a3}\u{8005} MRN 445566"), "{found:?}");
        assert!(why.is_empty(), "{why:?}");
    }

    #[test]
    fn a_body_in_an_encoding_that_is_not_told_is_read() {
        let latin = b"Subject: x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\nse\xf1or, ma\xf1ana, ni\xf1o, a\xf1o MRN 445566\r\n";
        let (found, why) = texts(latin);
        assert!(holds(&found, Place::Body, "se\u{f1}or, ma\u{f1}ana") && why.is_empty(), "{why:?}");
        // One that nobody decodes any more (as the Encoding Standard has it) is read as letters.
        let refused = b"Subject: x\r\nContent-Type: text/plain; charset=hz-gb-2312\r\n\r\nMRN 445566\r\n";
        assert!(holds(&texts(refused).0, Place::Body, "MRN 445566"));
        // One that nothing tells is read as far as it goes, and counted.
        let other = [&latin[..latin.len() - 12], b"MRN 445566 ", &[0xc4; 40][..]].concat();
        let (found, why) = texts(&other);
        assert!(holds(&found, Place::Body, "MRN 445566"));
        assert_eq!(why, ["unknown-format"]);
    }

    #[test]
    fn damaged_bytes_do_not_cost_the_letters_around_them() {
        let words = "Ana Ruiz tiene diagn\u{f3}stico de c\u{e1}ncer y depresi\u{f3}n".as_bytes();
        let damage = |length: usize| [words, &[0xff; 40][..length]].concat();
        let body = |damaged: &[u8]| {
            let head =
                b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
            texts(&[head, damaged].concat())
        };
        let (found, why) = body(&damage(2));
        assert!(holds(&found, Place::Body, "c\u{e1}ncer y depresi\u{f3}n") && why.is_empty(), "{found:?} {why:?}");
        let (found, why) = texts(&attached("text/csv; charset=utf-8", &damage(2)));
        assert!(holds(&found, Place::Attachment, "diagn\u{f3}stico de c\u{e1}ncer") && why.is_empty(), "{found:?}");
        // More damage than letters: what the bytes may be instead is looked at, too.
        let (found, why) = body(&damage(40));
        assert!(holds(&found, Place::Body, "c\u{e1}ncer y depresi\u{f3}n"), "{found:?}");
        assert_eq!(why, ["unknown-format"]);
    }

    #[test]
    fn encrypted_messages_are_counted_as_not_inspected() {
        let raw = b"Subject: x\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CA\r\n";
        assert_eq!(texts(raw).1, ["encrypted"]);
        let pgp = b"Subject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n";
        assert_eq!(texts(pgp).1, ["encrypted"]);
    }

    #[test]
    fn the_message_id_is_what_stands_between_the_brackets() {
        let envelope = parse(b"Message-ID:\r\n  <a.b@c.example>\r\nDate: Wed, 4 Mar 2026 23:30:00 -0500\r\n\r\nx")
            .unwrap()
            .envelope(TODAY);
        assert_eq!(envelope.message_id.as_deref(), Some(b"a.b@c.example".as_slice()));
        assert_eq!(envelope.date, Some(date(2026, 3, 5)));
    }

    #[test]
    fn an_impossible_date_gives_way_to_received() {
        let raw =
            b"Date: Wed, 4 Mar 2099 23:30:00 +0000\r\nReceived: from a by b; Thu, 5 Mar 2026 10:00:00 +0000\r\n\r\nx";
        assert_eq!(parse(raw).unwrap().envelope(TODAY).date, Some(date(2026, 3, 5)));
    }
}
