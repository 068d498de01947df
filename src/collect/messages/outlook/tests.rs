use std::io::Write as _;

use base64::Engine as _;
use proptest::prelude::*;

use super::super::mapi::tests::assert_fields;
use super::super::mapi::unpacked;
use super::super::tests::{folders, options};
use super::super::{MailFrom, MailSource, scan};
use super::*;
use crate::files::write_whole;

const MESSAGE_CODE_PAGE: u32 = 0x3ffd_0003;
const RECIPIENT_TYPE: u32 = 0x0c15_0003;
const SUBMITTED: u32 = 0x0039_0040;

type File = cfb::CompoundFile<Cursor<Vec<u8>>>;

fn stream(file: &mut File, path: &str, bytes: &[u8]) {
    file.create_stream(path).unwrap().write_all(bytes).unwrap();
}

fn text(file: &mut File, at: &str, tag: &str, value: &str) {
    let bytes: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    stream(file, &format!("{at}/__substg1.0_{tag}001F"), &bytes);
}

fn fixed(file: &mut File, at: &str, head: usize, rows: &[(u32, u64)]) {
    let mut bytes = vec![0; head];
    for (tag, value) in rows {
        bytes.extend(tag.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(value.to_le_bytes());
    }
    stream(file, &format!("{at}/__properties_version1.0"), &bytes);
}

/// An invented message with a body, two recipients, a file and an attached message.
fn message(body: &str, file_text: &str, inner: &str) -> Vec<u8> {
    let mut file = File::create(Cursor::new(Vec::new())).unwrap();
    // 4 March 2020, 10:00 UTC.
    fixed(&mut file, "", 32, &[(SUBMITTED, 132_277_896_000_000_000), (MESSAGE_CODE_PAGE, 1252)]);
    text(&mut file, "", "0037", "Résumé\r\nBcc: x@y.example");
    text(&mut file, "", "1000", body);
    text(&mut file, "", "0C1A", "Zorba Quillon");
    text(&mut file, "", "5D01", "zq@home.example");
    text(&mut file, "", "1035", "<one@home.example>");
    for (number, (sort, address)) in [(1, "desk@clinic.example"), (2, "lab@clinic.example")].iter().enumerate() {
        let at = format!("/__recip_version1.0_#{number:08X}");
        file.create_storage(&at).unwrap();
        fixed(&mut file, &at, 8, &[(RECIPIENT_TYPE, *sort)]);
        text(&mut file, &at, "39FE", address);
    }
    let at = "/__attach_version1.0_#00000000";
    file.create_storage(at).unwrap();
    text(&mut file, at, "3707", "list of numbers.csv");
    stream(&mut file, &format!("{at}/__substg1.0_37010102"), file_text.as_bytes());
    let at = "/__attach_version1.0_#00000001/__substg1.0_3701000D";
    file.create_storage("/__attach_version1.0_#00000001").unwrap();
    file.create_storage(at).unwrap();
    fixed(&mut file, at, 24, &[]);
    text(&mut file, at, "0037", "inner");
    stream(&mut file, &format!("{at}/__substg1.0_1000001E"), inner.as_bytes());
    file.flush().unwrap();
    file.into_inner().into_inner()
}

const PHI: &str = "Pt Zorba Quillon, MRN 4455661, biopsy shows melanoma";

fn counted(bytes: &[u8]) -> crate::evidence::content::ContentFolder {
    let root = tempfile::tempdir().unwrap();
    write_whole(&root.path().join("one.msg"), bytes).unwrap();
    write_whole(&root.path().join("two.MSG"), bytes).unwrap();
    let from = MailFrom::Path(root.path().to_owned());
    let scan = scan(vec![MailSource { label: "mail".to_owned(), mailbox: "desk".to_owned(), from }], &options());
    folders(&scan).remove(0)
}

#[test]
fn bodies_files_and_attached_messages_of_outlook_are_read() {
    for (place, bytes) in [
        ("body", message(PHI, "a,b", "x")),
        ("attachment", message("see there", &format!("note\n{PHI}\n"), "x")),
        ("attached-message", message("see there", "a,b", PHI)),
    ] {
        let folder = counted(&bytes);
        assert_eq!((folder.messages, folder.levels.get("high")), (2, Some(&2)), "{place}");
        assert_eq!(folder.places.get(place), Some(&2), "{place}: {:?}", folder.places);
        assert_eq!(folder.oldest, Some(jiff::civil::date(2020, 3, 4)));
        assert!(folder.not_inspected.is_empty(), "{:?}", folder.not_inspected);
    }
}

#[test]
fn fields_hold_what_the_properties_say_and_no_more() {
    assert_fields(&to_mail(&message("x", "y", "z")).unwrap(), "Résumé");
}

#[test]
fn compressed_text_is_unpacked() {
    // The example of [MS-OXRTFCP] section 4.1.1.
    let packed = b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 bw\x05\xb0ld}\x0a\x80\x0f\xa0";
    assert_eq!(unpacked(packed).unwrap(), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    assert_eq!(unpacked(b"\x2d\0\0\0\xff\xff\xff\xffLZFu\0\0\0\0"), None);
    assert_eq!(unpacked(b"short"), None);
    for cut in 16..packed.len() - 4 {
        assert_eq!(unpacked(&packed[..cut]), None, "cut at {cut}");
    }
    let plain = b"\x10\0\0\0\x04\0\0\0MELA\0\0\0\0{\\x}";
    assert_eq!(unpacked(plain).unwrap(), b"{\\x}");
    assert_eq!(unpacked(&plain[..plain.len() - 1]), None);
}

/// A message with nothing but a body in compressed RTF, and a blank one in HTML.
fn in_rtf(packed: &[u8]) -> Vec<u8> {
    let mut file = File::create(Cursor::new(Vec::new())).unwrap();
    fixed(&mut file, "", 32, &[]);
    stream(&mut file, "/__substg1.0_10130102", b" \r\n");
    stream(&mut file, "/__substg1.0_10090102", packed);
    let at = "/__attach_version1.0_#00000000";
    file.create_storage(at).unwrap();
    text(&mut file, at, "3707", "notes.txt");
    stream(&mut file, &format!("{at}/__substg1.0_37010102"), b"Lunch at noon");
    file.flush().unwrap();
    file.into_inner().into_inner()
}

#[test]
fn a_body_in_rtf_is_read_whole_or_counted_as_not_looked_into() {
    let rtf = format!("{{\\rtf1 {PHI}}}");
    let length = u32::try_from(rtf.len()).unwrap().to_le_bytes();
    let packed = [&[0; 4], &length[..], b"MELA\0\0\0\0", rtf.as_bytes()].concat();
    let folder = counted(&in_rtf(&packed));
    assert_eq!((folder.levels.get("high"), folder.not_inspected.len()), (Some(&2), 0), "{:?}", folder.not_inspected);
    let folder = counted(&in_rtf(&packed[..packed.len() - 20]));
    assert_eq!((folder.messages, folder.not_inspected.get("unknown-format")), (2, Some(&2)));
}

#[test]
fn signed_mail_is_taken_apart() {
    let body = base64::engine::general_purpose::STANDARD.encode(PHI);
    let entity = format!(
        "Content-Type: multipart/signed; micalg=sha-256;\r\n boundary=\"b\"; protocol=\"application/pkcs7-signature\"\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nMCEGCSqGSIb3DQEHAqAUMBICAQExADALBgkqhkiG9w0BBwE=\r\n--b--\r\n"
    );
    let first = |field: &str| format!("{field}\r\n{entity}");
    for (kind, entity) in [
        ("multipart/signed", entity.clone()),
        ("Multipart/Signed; micalg=sha-256", first("")),
        ("multipart/signed", first("MIME-Version: 1.0")),
        ("multipart/signed", first("X-MS-Has-Attach: yes\r\nReceived: from a.example by b.example")),
    ] {
        let mut file = File::create(Cursor::new(Vec::new())).unwrap();
        fixed(&mut file, "", 32, &[]);
        text(&mut file, "", "001A", "IPM.Note.SMIME.MultipartSigned");
        let at = "/__attach_version1.0_#00000000";
        file.create_storage(at).unwrap();
        text(&mut file, at, "3707", "smime.p7m");
        text(&mut file, at, "370E", kind);
        stream(&mut file, &format!("{at}/__substg1.0_37010102"), entity.as_bytes());
        file.flush().unwrap();
        let folder = counted(&file.into_inner().into_inner());
        assert_eq!(folder.levels.get("high"), Some(&2), "{kind}: {:?}", folder.not_inspected);
        assert!(folder.not_inspected.is_empty(), "{:?}", folder.not_inspected);
    }
}

#[test]
fn a_file_that_is_called_multipart_is_read_as_what_it_is() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("a.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(PHI.as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let of = |bytes: &[u8]| {
        let mut file = File::create(Cursor::new(Vec::new())).unwrap();
        fixed(&mut file, "", 32, &[]);
        let at = "/__attach_version1.0_#00000000";
        file.create_storage(at).unwrap();
        text(&mut file, at, "3707", "a");
        text(&mut file, at, "370E", "multipart/x-zip");
        stream(&mut file, &format!("{at}/__substg1.0_37010102"), bytes);
        file.flush().unwrap();
        counted(&file.into_inner().into_inner())
    };
    assert_eq!(of(&zip).levels.get("high"), Some(&2));
    assert_eq!(of(&[0x8b; 400]).not_inspected.get("unknown-format"), Some(&2));
}

#[test]
fn what_a_contact_says_of_a_person_is_read() {
    let mut file = File::create(Cursor::new(Vec::new())).unwrap();
    // 4 March 1971.
    fixed(&mut file, "", 32, &[(0x3a42_0040, 116_813_664_000_000_000)]);
    for (tag, value) in [
        ("001A", "IPM.Contact"),
        ("3A06", "Zorba"),
        ("3A11", "Quillon"),
        ("3A07", "523-81-4467"),
        ("3A09", "555-010-0199"),
        ("3A4A", "4455661"),
    ] {
        text(&mut file, "", tag, value);
    }
    text(&mut file, "", "1000", "melanoma");
    file.flush().unwrap();
    let bytes = file.into_inner().into_inner();
    let mail = to_mail(&bytes).unwrap();
    let mail = mail_parser::MessageParser::default().parse(&mail).unwrap();
    let card = mail.body_text(0).unwrap().replace('\r', "");
    let lines = [
        "Name: Zorba Quillon",
        "Date of birth: 1971-03-04",
        "Government ID, SSN: 523-81-4467",
        "555-010-0199",
        "Customer ID, record number: 4455661",
        "melanoma",
    ];
    assert_eq!(card.lines().collect::<Vec<_>>(), lines);
    let folder = counted(&bytes);
    assert_eq!(folder.levels.get("high"), Some(&2), "{folder:?}");
    assert!(["birth-date", "social-security"].iter().all(|kind| folder.kinds.contains_key(*kind)), "{folder:?}");
}

#[test]
fn attached_messages_count_with_what_is_made_of_them() {
    let inner = |depth: usize| {
        let mut file = File::create(Cursor::new(Vec::new())).unwrap();
        fixed(&mut file, "", 32, &[]);
        let mut at = String::new();
        for _ in 0..depth {
            at += "/__attach_version1.0_#00000000";
            file.create_storage(&at).unwrap();
            at += "/__substg1.0_3701000D";
            file.create_storage(&at).unwrap();
            fixed(&mut file, &at, 24, &[]);
        }
        stream(&mut file, &format!("{at}/__substg1.0_1000001E"), &[b'x'; 10_000]);
        file.flush().unwrap();
        file.into_inner().into_inner()
    };
    // Four thirds of 10,000 at each depth, and what was read.
    assert!(within(&inner(0), 12_000).is_ok());
    assert_eq!(within(&inner(1), 12_000), Err("too-large"));
    assert!(within(&inner(1), 26_000).is_ok());
    assert_eq!(within(&inner(3), 60_000), Err("too-large"));
}

#[test]
fn what_cannot_be_read_is_counted() {
    let whole = message(PHI, "a,b", "x");
    for cut in (8..whole.len()).step_by(whole.len() / 20) {
        let folder = counted(&whole[..cut]);
        assert_eq!(folder.messages, 2, "cut at {cut}");
        assert!(!folder.not_inspected.is_empty() || folder.levels.get("high") == Some(&2), "cut at {cut}");
    }
    let mut empty = File::create(Cursor::new(Vec::new())).unwrap();
    empty.flush().unwrap();
    assert_eq!(to_mail(&empty.into_inner().into_inner()), Err("legacy-office"));
    let mut deep = File::create(Cursor::new(Vec::new())).unwrap();
    fixed(&mut deep, "", 32, &[]);
    let mut at = String::new();
    for _ in 0..12 {
        at += "/__attach_version1.0_#00000000";
        deep.create_storage(&at).unwrap();
        at += "/__substg1.0_3701000D";
        deep.create_storage(&at).unwrap();
        fixed(&mut deep, &at, 24, &[]);
    }
    deep.flush().unwrap();
    assert_eq!(to_mail(&deep.into_inner().into_inner()), Err("too-deep"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_files_and_packed_bytes_end(
        changes in prop::collection::vec((0_usize..8192, any::<u8>()), 1..40),
        packed in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut bytes = message(PHI, "a,b", "x");
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let _ = std::panic::catch_unwind(|| to_mail(&bytes));
        let _ = unpacked(&[b"\0\0\0\0\xff\0\0\0LZFu\0\0\0\0", packed.as_slice()].concat());
    }
}
