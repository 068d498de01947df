//! A mailbox file with an invented value in every property that is read: for the tests that look for such
//! values in all that leaves. `tests/data/pst/planted.pst` is it, for the tests of the whole program.

use std::io::Write as _;
use std::time::SystemTime;

use mail_parser::{MimeHeaders, PartType};

use super::file::{self, File, Set, properties, text};
use super::*;

/// Messages of the file, each likely to hold PHI.
pub(in super::super::super) const LIKELY: u64 = 6;

const NOTE: &str = "Patient: Zorbalina Quillonberg, MRN 8837261, SSN 219-09-4471, MBI 7AC2DE3FG45, DOB 03/14/1951, \
                    member ID W9918273645, 12 Canarystrasse, diagnosed with melanoma.";
/// 14 March 1951.
const BIRTHDAY: u64 = 110_510_784_000_000_000;
const BIRTHDAY_ID: u16 = 0x3a42;
const RECIPIENTS: u32 = 0x692;
/// Names, numbers and addresses of a person.
const CARD: std::ops::RangeInclusive<u16> = 0x3a00..=0x3a5f;
/// Other texts that are read: of messages, of senders, of recipients, of attachments.
const TEXTS: [u16; 15] = [
    0x0037, 0x007d, 0x1000, 0x1009, 0x1013, 0x1035, 0x0c1a, 0x0042, 0x5d01, 0x0c1f, 0x0065, 0x39fe, 0x3003, 0x3707,
    0x3704,
];

/// The file in every form there is.
pub(in super::super::super) fn in_every_form() -> Vec<Vec<u8>> {
    FORMS.into_iter().map(bytes).collect()
}

/// The value planted in a property.
fn word(id: u16) -> String {
    format!("canaryprop{id:04x}")
}

fn planted(id: u16) -> (u16, u16, Set) {
    (id, 0x1f, text(&word(id)))
}

fn address(id: u16) -> String {
    format!("{}@mailbox.example", word(id))
}

fn addressed(id: u16) -> (u16, u16, Set) {
    (id, 0x1f, text(&address(id)))
}

fn binary(id: u16, bytes: &[u8]) -> (u16, u16, Set) {
    (id, 0x0102, Set::Item(bytes.to_vec()))
}

fn moment(id: u16, moment: u64) -> (u16, u16, Set) {
    (id, 0x40, Set::Item(moment.to_le_bytes().to_vec()))
}

/// An attachment: its properties, and in a part of it what it holds.
struct Attachment {
    values: Vec<(u16, u16, Set)>,
    holds: Vec<u8>,
}

impl Attachment {
    fn file(name: (u16, u16, Set), kind: &str, holds: &[u8]) -> Self {
        let at = Set::Part(0x1001 << 5 | 0x1f);
        Self {
            values: vec![(0x3705, 3, Set::Number(1)), name, (0x370e, 0x1f, text(kind)), (0x3701, 0x0102, at)],
            holds: holds.to_vec(),
        }
    }

    /// A thing inside, which is a message or another program's.
    fn object(method: u32, holds: Vec<u8>) -> Self {
        let object = [(0x1001_u32 << 5 | 0x1f).to_le_bytes(), 0_u32.to_le_bytes()].concat();
        let name = (0x3707, 0x1f, text("canaryfile Quillonberg"));
        Self { values: vec![(0x3705, 3, Set::Number(method)), name, (0x3701, 0x000d, Set::Item(object))], holds }
    }
}

/// Adds a message with recipients and attachments.
fn message(file: &mut File, number: u32, values: Vec<(u16, u16, Set)>, address_id: u16, attachments: Vec<Attachment>) {
    let to = address(address_id);
    let list =
        file.recipients_by(address_id, &[(1, "Zorbalina Quillonberg canaryprop3001", &to, 1), (2, "Lab", &to, 3)]);
    let mut parts = vec![(RECIPIENTS, list, 0)];
    for (attachment, place) in attachments.into_iter().zip(0x401..) {
        let none = file.recipients(&[]);
        let none = file.parts(&[(RECIPIENTS, none, 0)]);
        let holds = file.data(&attachment.holds);
        let within = file.parts(&[(0x1001 << 5 | 0x1f, holds, none)]);
        let attachment = file.data(&properties(attachment.values));
        parts.push((place << 5 | 5, attachment, within));
    }
    let parts = file.parts(&parts);
    file.node(number, &properties(values), parts);
}

/// A message of Outlook's as a file of its own.
fn outlook_message() -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    file.create_stream("/__properties_version1.0").unwrap().write_all(&[0; 32]).unwrap();
    for (id, value) in [(0x0037, word(0x0037)), (0x1000, NOTE.to_owned()), (0x0c1a, "Zorbalina Quillonberg".to_owned())]
    {
        let bytes: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
        file.create_stream(format!("/__substg1.0_{id:04X}001F")).unwrap().write_all(&bytes).unwrap();
    }
    // The same bytes whenever it is made.
    file.set_created_time("/", SystemTime::UNIX_EPOCH).unwrap();
    file.set_modified_time("/", SystemTime::UNIX_EPOCH).unwrap();
    file.flush().unwrap();
    file.into_inner().into_inner()
}

fn bytes(form: Form) -> Vec<u8> {
    let mut file = File::new(form, 1);
    let numbers: Vec<u32> = (0..6).map(|number| 0x20_0004 + 0x20 * number).collect();
    let [plain, html, rich, signed, contact, with_files] = numbers[..] else { panic!("six of them") };
    file::folders(
        &mut file,
        &[
            (INBOX, "Zorbalina Quillonberg 8837261 canaryprop3001", &numbers[..4]),
            (SENT, "Sent Items", &numbers[4..5]),
            (BY_NAME, "Inbox", &numbers[5..]),
        ],
    );
    let id = |name: &str| (0x1035, 0x1f, text(&format!("<canaryprop1035.{name}.8837261@mailbox.example>")));
    let note = |of: u16| format!("{NOTE} {}", word(of));
    message(
        &mut file,
        plain,
        vec![
            planted(0x0037),
            moment(0x0039, MOMENT),
            planted(0x0c1a),
            (0x1000, 0x1f, text(&note(0x1000))),
            id("plain"),
            addressed(0x5d01),
        ],
        0x39fe,
        vec![],
    );
    let page = format!("<html><body><p>{}</p></body></html>", note(0x1013));
    message(
        &mut file,
        html,
        vec![
            planted(0x0037),
            planted(0x0042),
            addressed(0x0c1f),
            moment(0x0e06, MOMENT),
            binary(0x1013, page.as_bytes()),
            id("html"),
        ],
        0x3003,
        vec![],
    );
    let rtf = format!("{{\\rtf1\\ansi {}\\par}}", note(0x1009));
    let length = u32::try_from(rtf.len()).unwrap().to_le_bytes();
    let packed = [&[0; 4][..], &length, b"MELA", &[0; 4], rtf.as_bytes()].concat();
    message(
        &mut file,
        rich,
        vec![addressed(0x0065), moment(0x3007, MOMENT), binary(0x1009, &packed), id("rich")],
        0x39fe,
        vec![],
    );
    let transport = format!(
        "Received: from canaryprop007d.mailbox.example by mx.clinic.example; Wed, 4 Mar 2020 10:00:00 +0000\r\n\
         From: \"Zorbalina Quillonberg\" <{0}>\r\nTo: <{0}>\r\nMessage-ID: <{0}>\r\nDate: Wed, 4 Mar 2020 10:00:00 +0000\r\n",
        address(0x007d)
    );
    let whole = format!(
        "Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n{NOTE}\r\n--x--\r\n"
    );
    message(
        &mut file,
        signed,
        vec![(0x007d, 0x1f, text(&transport)), planted(0x0037)],
        0x39fe,
        vec![Attachment::file(planted(0x3707), "multipart/signed", whole.as_bytes())],
    );
    // A contact: names, telephone numbers, addresses, numbers of a person, and notes on her.
    let mut card: Vec<(u16, u16, Set)> = vec![planted(0x0037), (0x1000, 0x1e, Set::Item(NOTE.as_bytes().to_vec()))];
    card.extend(CARD.filter(|id| *id != BIRTHDAY_ID).map(planted));
    card.push(moment(BIRTHDAY_ID, BIRTHDAY));
    card.push(id("contact"));
    card.sort_by_key(|(id, _, _)| *id);
    message(&mut file, contact, card, 0x39fe, vec![]);
    let inner = properties(vec![planted(0x0037), (0x1000, 0x1e, Set::Item(NOTE.as_bytes().to_vec()))]);
    message(
        &mut file,
        with_files,
        vec![planted(0x0037), (0x1000, 0x1f, text("see attached")), id("files")],
        0x39fe,
        vec![
            Attachment::file(planted(0x3704), "application/x-canaryprop370e", NOTE.as_bytes()),
            Attachment::file((0x3707, 0x1f, text("canaryfile.msg")), "application/vnd.ms-outlook", &outlook_message()),
            Attachment::object(5, inner),
            Attachment::object(6, b"an object of another program, 219-09-4471".to_vec()),
        ],
    );
    file.bytes()
}

/// Everything that a message made of the file says.
fn said(mail: &mail_parser::Message<'_>, out: &mut String) {
    let mut add = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    mail.headers_raw().for_each(|(_, value)| add(value));
    add(mail.subject().unwrap_or_default());
    for list in [mail.from(), mail.to(), mail.cc(), mail.bcc()].into_iter().flatten() {
        for one in list.iter() {
            add(one.name().unwrap_or_default());
            add(one.address().unwrap_or_default());
        }
    }
    for part in &mail.parts {
        out.push_str(part.attachment_name().unwrap_or_default());
        out.push_str(part.content_type().and_then(|kind| kind.subtype()).unwrap_or_default());
        match &part.body {
            PartType::Message(inner) => said(inner, out),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
            PartType::Html(text) | PartType::Text(text) => out.push_str(text),
            PartType::Multipart(_) => {}
        }
        out.push('\n');
    }
}

#[test]
fn every_property_that_is_read_holds_a_planted_value() {
    for form in FORMS {
        let mails = mails_of(&bytes(form));
        assert_eq!(mails.len(), 6);
        let mut all = String::new();
        mails.iter().for_each(|mail| said(&MessageParser::default().parse(mail).unwrap(), &mut all));
        for id in TEXTS.into_iter().chain(CARD.filter(|id| *id != BIRTHDAY_ID)).chain([0x3001, 0x370e]) {
            assert!(all.contains(&word(id)), "{id:04x} is not read, {form:?}");
        }
        assert!(all.contains("Date of birth: 1951-03-14"));
    }
}

#[test]
fn the_file_of_the_program_tests_is_the_one_made_here() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pst/planted.pst");
    let made = bytes(Form::Unicode);
    if std::env::var_os("UPDATE").is_some() {
        write_whole(&path, &made).unwrap();
    }
    assert!(std::fs::read(&path).is_ok_and(|kept| kept == made), "run it once with UPDATE=1");
}
