mod file;
pub(in super::super) mod planted;

use std::io::Cursor;

use jiff::civil::date;
use mail_parser::MessageParser;
use proptest::prelude::*;

use super::super::mapi::tests::assert_fields;
use super::super::tests::{files, folders, mbox_of, options, scan_with};
use super::super::{MailFrom, MailSource, Scan, ScanOptions, explain, scan};
use super::*;
use crate::files::write_whole;
use file::{File, Set, properties, text};

const PHI: &str = "Pt Zorba Quillon, MRN 4455661, biopsy shows melanoma";
const FORMS: [Form; 3] = [Form::Ansi, Form::LargePages, Form::Unicode];
/// 4 March 2020, 10:00 UTC.
const MOMENT: u64 = 132_277_896_000_000_000;

/// Numbers of nodes.
const INBOX: u32 = 0x8042;
const SENT: u32 = 0x8062;
const BY_NAME: u32 = 0x8082;
const MESSAGES: [u32; 4] = [0x20_0004, 0x20_0024, 0x20_0044, 0x20_0064];

/// An invented message: its body, a long text in a file, and a message inside.
fn message(file: &mut File, number: u32, id: &str, (body, attached, inner): (&str, &str, &str)) {
    const RECIPIENTS: u32 = 0x692;
    let list = file.recipients(&[(1, "Desk", "desk@clinic.example", 1), (2, "Lab", "lab@clinic.example", 2)]);
    let long = file.data(attached.as_bytes());
    let by_value = properties(vec![
        (0x3705, 3, Set::Number(1)),
        (0x3707, 0x1f, text("list of numbers.csv")),
        (0x3701, 0x0102, Set::Part(0x1001 << 5 | 0x1f)),
    ]);
    let by_value = file.data(&by_value);
    let by_value_parts = file.parts(&[(0x1001 << 5 | 0x1f, long, 0)]);
    let none = file.recipients(&[]);
    let none = file.parts(&[(RECIPIENTS, none, 0)]);
    let inner = properties(vec![(0x0037, 0x1f, text("inner")), (0x1000, 0x1e, Set::Item(inner.as_bytes().to_vec()))]);
    let inner = file.data(&inner);
    let inside = properties(vec![
        (0x3705, 3, Set::Number(5)),
        (0x3701, 0x000d, Set::Item([(0x1002_u32 << 5 | 4).to_le_bytes(), 0_u32.to_le_bytes()].concat())),
    ]);
    let inside = file.data(&inside);
    let inside_parts = file.parts(&[(0x1002 << 5 | 4, inner, none)]);
    let parts = file.parts(&[
        (RECIPIENTS, list, 0),
        (0x401 << 5 | 5, by_value, by_value_parts),
        (0x402 << 5 | 5, inside, inside_parts),
    ]);
    let values = vec![
        (0x0037, 0x1f, text("\u{1}\u{5}Re: Résumé\r\nBcc: x@y.example")),
        (0x0039, 0x40, Set::Item(MOMENT.to_le_bytes().to_vec())),
        (0x0c1a, 0x1f, text("Zorba Quillon")),
        (0x1000, 0x1f, text(body)),
        (0x1035, 0x1f, text(&format!("<{id}@home.example>"))),
        (0x5d01, 0x1f, text("zq@home.example")),
    ];
    file.node(number, &properties(values), parts);
}

/// A file with three folders: two messages, one of them with somebody's health, two, and none.
fn mailbox(form: Form, method: u8) -> Vec<u8> {
    let mut file = File::new(form, method);
    let [one, two, three, four] = MESSAGES;
    file::folders(
        &mut file,
        &[(INBOX, "Inbox", &[one, two]), (SENT, "Sent Items", &[three, four]), (BY_NAME, "Maria Quillon", &[])],
    );
    let long = "a line without anybody in it\n".repeat(700);
    message(&mut file, one, "one", (PHI, "a,b", "x"));
    message(&mut file, two, "two", ("Lunch at noon?", "a,b", "x"));
    message(&mut file, three, "three", ("see there", &format!("{long}\n{PHI}\n"), "x"));
    message(&mut file, four, "four", ("see there", "a,b", PHI));
    file.bytes()
}

fn scanned(bytes: &[u8], options: &ScanOptions) -> Scan {
    let root = tempfile::tempdir().unwrap();
    write_whole(&root.path().join("old mail.pst"), bytes).unwrap();
    let from = MailFrom::Path(root.path().to_owned());
    scan(vec![MailSource { label: "mail".to_owned(), mailbox: "desk".to_owned(), from }], options)
}

#[test]
fn folders_messages_files_and_attached_messages_are_read_in_every_form() {
    for (form, method) in FORMS.into_iter().flat_map(|form| [0, 1, 2].map(|method| (form, method))) {
        let scan = scanned(&mailbox(form, method), &options());
        let folders = folders(&scan);
        let names: Vec<&str> = folders.iter().map(|folder| folder.folder.as_str()).collect();
        assert_eq!(&names[..2], ["old mail/Inbox", "old mail/Sent Items"], "{form:?} {method}");
        assert!(names[2].starts_with("old mail/folder-"), "a folder named after somebody: {names:?}");
        let counts: Vec<_> =
            folders.iter().map(|folder| (folder.messages, folder.levels.get("high").copied())).collect();
        assert_eq!(counts, [(2, Some(1)), (2, Some(2)), (0, None)], "{form:?} {method}");
        assert_eq!(folders[0].places.keys().collect::<Vec<_>>(), ["body"]);
        assert_eq!(folders[1].places.keys().collect::<Vec<_>>(), ["attached-message", "attachment"]);
        assert_eq!(folders[0].oldest, Some(date(2020, 3, 4)));
        let file = files(&scan).remove(0);
        assert_eq!((file.format.as_str(), file.messages, file.complete), ("pst", 4, true));
        assert!(file.not_inspected.is_empty(), "{:?}", file.not_inspected);
    }
}

#[test]
fn a_mailbox_file_in_mail_counts_for_the_mail_that_carries_it() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("old/mail.pst", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut zip, &mailbox(Form::Unicode, 1)).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let mut sealed = mailbox(Form::Unicode, 1);
    sealed[10] = 37;
    for (attached, high, why) in [
        (mailbox(Form::Ansi, 2), 1, None),
        (mailbox(Form::LargePages, 1), 1, None),
        (zip, 1, None),
        (sealed, 0, Some("encrypted")),
    ] {
        let coded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, attached);
        let mail = format!(
            "From: a@b.example\nSubject: old mail\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\
             Content-Type: application/octet-stream; name=\"old.pst\"\nContent-Transfer-Encoding: base64\n\n{coded}\n--x--\n"
        );
        let folder = folders(&scan_with(mbox_of(&[mail]), &options())).remove(0);
        assert_eq!((folder.messages, folder.levels.get("high").copied().unwrap_or(0)), (1, high));
        assert_eq!(folder.places.contains_key("attachment"), high == 1, "{:?}", folder.places);
        let reasons: Vec<&str> = folder.not_inspected.keys().map(String::as_str).collect();
        assert_eq!(reasons, why.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn fields_hold_what_the_properties_say_and_no_more() {
    let mut pst = Pst::open(Cursor::new(mailbox(Form::Unicode, 1))).unwrap();
    // Without the mark of its beginning.
    assert_fields(&pst.message(MESSAGES[0]).unwrap(), "Re: Résumé");
}

#[test]
fn a_file_of_outlooks_own_making_is_read() {
    let packed = include_bytes!("../../../../tests/data/pst/empty.pst.gz");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
    let scan = scanned(&bytes, &options());
    let names: Vec<(String, u64)> = folders(&scan).into_iter().map(|folder| (folder.folder, folder.messages)).collect();
    assert_eq!(names, [("old mail/Deleted Items".to_owned(), 0)]);
    let file = files(&scan).remove(0);
    assert_eq!((file.complete, file.not_inspected.len()), (true, 0));
}

#[test]
fn one_message_is_told_by_number_and_node() {
    let root = tempfile::tempdir().unwrap();
    write_whole(&root.path().join("old mail.pst"), &mailbox(Form::Unicode, 1)).unwrap();
    let source = || MailSource {
        label: "mail".to_owned(),
        mailbox: "desk".to_owned(),
        from: MailFrom::Path(root.path().to_owned()),
    };
    let reference = options().message_key.unwrap().reference(b"three@home.example");
    let explained = explain(vec![source()], reference, &options()).messages;
    let [one] = explained.as_slice() else { panic!("{explained:?}") };
    assert_eq!((one.folder.as_str(), one.number, one.level), ("old mail/Sent Items", 3, 3));
    assert_eq!((one.node, one.offset, one.bytes), (Some(MESSAGES[2]), None, None));
    assert!(one.sha256.is_some());
}

#[test]
fn a_sample_is_drawn_of_all_messages() {
    let options = ScanOptions { sample: Some(2), ..options() };
    let scan = scanned(&mailbox(Form::Unicode, 1), &options);
    let sampled = &scan.sampled.as_ref().unwrap()["desk"];
    assert_eq!((sampled.messages, sampled.examined), (4, 2));
    let file = files(&scan).remove(0);
    assert_eq!((file.messages, file.not_inspected.get("not-in-sample"), file.complete), (2, Some(&2), false));
}

#[test]
fn folders_in_a_circle_and_messages_listed_twice_are_read_once() {
    let mut file = File::new(Form::Unicode, 0);
    let [one, ..] = MESSAGES;
    file.store(ROOT_FOLDER);
    file.folder(ROOT_FOLDER, "", &[INBOX, ROOT_FOLDER], &[], 0);
    file.folder(INBOX, "Inbox", &[SENT, INBOX], &[one], 1);
    file.folder(SENT, "Sent Items", &[INBOX, ROOT_FOLDER], &[one, one], 2);
    message(&mut file, one, "one", (PHI, "a,b", "x"));
    let found = Pst::open(Cursor::new(file.bytes())).unwrap().folders();
    let folder = |path: &[&str], messages: &[u32]| Folder {
        path: path.iter().map(|name| (*name).to_owned()).collect(),
        messages: messages.to_vec(),
        lost: None,
    };
    assert_eq!(found.folders, [folder(&["Inbox"], &[one]), folder(&["Inbox", "Sent Items"], &[])]);
    assert!(found.not_inspected.is_empty(), "{:?}", found.not_inspected);
}

#[test]
fn what_cannot_be_read_is_counted() {
    // A message of which the folder says, and which is nowhere; and one more than is listed.
    let mut file = File::new(Form::Unicode, 0);
    file::folders(&mut file, &[(INBOX, "Inbox", &MESSAGES[..1])]);
    let counted = files(&scanned(&file.bytes(), &options())).remove(0);
    assert_eq!((counted.messages, counted.not_inspected.get("unreadable")), (1, Some(&1)));
    let mut file = File::new(Form::Unicode, 0);
    file.store(ROOT_FOLDER);
    file.folder(ROOT_FOLDER, "", &[], &[], 3);
    let counted = files(&scanned(&file.bytes(), &options())).remove(0);
    assert_eq!((counted.complete, counted.not_inspected.get("not-in-file")), (false, Some(&3)));
    // A folder that another one lists, and which is nowhere, with both its lists.
    let mut file = File::new(Form::Unicode, 0);
    file.store(ROOT_FOLDER);
    file.folder(ROOT_FOLDER, "", &[INBOX], &[], 0);
    let counted = files(&scanned(&file.bytes(), &options())).remove(0);
    assert_eq!((counted.complete, counted.not_inspected.get("unreadable")), (false, Some(&2)));
    // Forms and encodings that are not read.
    let whole = mailbox(Form::Unicode, 1);
    for (at, byte, why) in [(10, 37, "encrypted"), (513, 0x10, "encrypted"), (10, 99, "unknown-format")] {
        let mut other = whole.clone();
        other[at] = byte;
        let counted = files(&scanned(&other, &options())).remove(0);
        assert_eq!((counted.messages, counted.complete), (0, false));
        assert_eq!(counted.not_inspected.get(why), Some(&1), "{at} {byte}: {:?}", counted.not_inspected);
    }
    for cut in (4..whole.len()).step_by(whole.len() / 30) {
        let counted = files(&scanned(&whole[..cut], &options())).remove(0);
        assert!(!counted.not_inspected.is_empty(), "cut at {cut}");
    }
}

#[test]
fn a_damaged_block_costs_what_is_in_it() {
    let whole = mailbox(Form::Unicode, 0);
    let long = memchr::memmem::find(&whole, b"a line without anybody in it").unwrap();
    let mut damaged = whole.clone();
    damaged[long] ^= 1;
    let counted = files(&scanned(&damaged, &options())).remove(0);
    assert_eq!((counted.messages, counted.not_inspected.get("unknown-format")), (4, Some(&1)));
}

/// An inbox of 40 messages that lists one; of what the test takes away, nothing can be read.
fn inbox_of_40(away: &[u32]) -> Vec<u8> {
    let mut file = File::new(Form::Unicode, 0);
    file.store(ROOT_FOLDER);
    file.folder(ROOT_FOLDER, "", &[INBOX, SENT], &[], 0);
    file.folder(INBOX, "Inbox", &[], &MESSAGES[..1], 40);
    file.folder(SENT, "Sent Items", &[], &MESSAGES[1..2], 1);
    message(&mut file, MESSAGES[0], "one", ("Lunch at noon?", "a,b", "x"));
    message(&mut file, MESSAGES[1], "two", ("Lunch at noon?", "a,b", "x"));
    away.iter().for_each(|number| file.take_away(*number));
    file.bytes()
}

#[test]
fn messages_that_a_folder_does_not_list_are_counted_at_the_folder() {
    let list = INBOX & !KIND | KIND_CONTENTS;
    // Names are found where their folder's own node is read.
    for (away, name, why, messages, lost) in [
        (vec![], "old mail/Inbox", "not-in-file", 40, 39),
        (vec![list], "old mail/Inbox", "unreadable", 40, 40),
        (vec![INBOX], "old mail/no-name", "unreadable", 2, 1),
        (vec![INBOX, list], "old mail/no-name", "unreadable", 1, 1),
    ] {
        let bytes = inbox_of_40(&away);
        let scan = scanned(&bytes, &options());
        let folders = folders(&scan);
        let [folder, sent] = folders.as_slice() else { panic!("{folders:?}") };
        let (folder, sent) = if folder.folder == name { (folder, sent) } else { (sent, folder) };
        assert_eq!((folder.folder.as_str(), folder.messages), (name, messages), "{away:?}");
        assert_eq!(folder.not_inspected.get(why), Some(&lost), "{away:?}");
        assert!(sent.not_inspected.is_empty());
        let file = files(&scan).remove(0);
        assert_eq!((file.complete, file.not_inspected.get(why)), (false, Some(&lost)), "{away:?}");
        // A sample is drawn of the others, and says nothing of these.
        let scan = scanned(&bytes, &ScanOptions { sample: Some(50), ..options() });
        let sampled = &scan.sampled.as_ref().unwrap()["desk"];
        assert_eq!((sampled.lost, sampled.bounds()), (lost, (0, lost)), "{away:?}");
    }
}

#[test]
fn names_of_folders_do_not_grow_with_their_depth_times_their_number() {
    // Folders in folders, each with long names, and with many more that are nowhere.
    let name = "\u{1d4dc}".repeat(NAME);
    let number = |folder: u32| 0x8002 + folder * 0x20;
    let mut file = File::new(Form::Unicode, 0);
    file.store(ROOT_FOLDER);
    file.folder(ROOT_FOLDER, "", &[number(0)], &[], 0);
    for level in 0..60 {
        let mut inner: Vec<u32> = (0..100).map(|other| number(1_000 + level * 100 + other)).collect();
        inner.insert(0, number(level + 1));
        file.folder(number(level), &name, &inner, &[], 0);
    }
    let found = Pst::open(Cursor::new(file.bytes())).unwrap().folders();
    assert!(found.not_inspected.contains(&EXHAUSTED), "{:?}", found.not_inspected.len());
    let names: usize = found.folders.iter().flat_map(|folder| &folder.path).map(String::len).sum();
    assert!((PATHS / 2..PATHS + DEPTH * NAME * 4).contains(&names), "{names}");
}

#[test]
fn items_of_a_heap_come_to_no_more_than_the_heap() {
    // Items that all lie over the same bytes: two of them are more than there is.
    let heap = |named: u32| {
        let records = [0x37_u8, 0, 0x1f, 0, 0, 0, 0, 0].repeat(500);
        let index: Vec<u8> =
            (0..named).flat_map(|one| [vec![0; 2], ((5 + 2 * one) << 5).to_le_bytes().to_vec()].concat()).collect();
        let head = [[0xb5, 2, 6, 1].as_slice(), &(3_u32 << 5).to_le_bytes()].concat();
        let mut block = vec![0; 12];
        let mut bounds = Vec::new();
        for item in [&head, &index] {
            bounds.push(block.len());
            block.extend(item);
            bounds.push(block.len());
        }
        let at = block.len();
        block.extend(&records);
        (0..named).for_each(|_| bounds.extend([at, block.len()]));
        let map = u16::try_from(block.len()).unwrap();
        block[..8].copy_from_slice(&[map.to_le_bytes().as_slice(), &[0xec, 0xbc, 0x20, 0, 0, 0]].concat());
        block.extend(u16::try_from(bounds.len() - 1).unwrap().to_le_bytes());
        block.extend([0, 0]);
        block.extend(bounds.iter().flat_map(|bound| u16::try_from(*bound).unwrap().to_le_bytes()));
        Heap::new(vec![block], false).properties()
    };
    assert_eq!(heap(1).map(|values| values.len()), Some(1));
    assert_eq!(heap(300), None);
}

#[test]
fn an_attachment_may_not_come_to_more_than_a_message() {
    for form in FORMS {
        // One list of blocks that names the same block again and again, and a list of such lists.
        let mut file = File::new(form, 0);
        file::folders(&mut file, &[(INBOX, "Inbox", &MESSAGES[..1])]);
        let again = file.again(&[b'x'; 8_000], 1_000);
        let attachment = properties(vec![(0x3705, 3, Set::Number(1)), (0x3701, 0x0102, Set::Part(0x1001 << 5 | 0x1f))]);
        let attachment = file.data(&attachment);
        let parts = file.parts(&[(0x1001 << 5 | 0x1f, again, 0)]);
        let parts = file.parts(&[(0x401 << 5 | 5, attachment, parts)]);
        file.node(MESSAGES[0], &properties(vec![(0x1000, 0x1f, text("x"))]), parts);
        let bytes = file.bytes();
        let mut pst = Pst::open(Cursor::new(&bytes)).unwrap();
        let why = pst.message(MESSAGES[0]).unwrap_err();
        assert!(["too-large", EXHAUSTED].contains(&why), "{form:?}: {why}");
        // And again: the file is given up before it has led to much more than its length, however small
        // the blocks are packed.
        assert_eq!(pst.message(MESSAGES[0]), Err(EXHAUSTED), "{form:?}");
        assert!(!files(&scanned(&bytes, &options()))[0].complete, "{form:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn changed_files_end(
        form in prop::sample::select(FORMS.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = mailbox(form, 0);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = mails_of(&bytes);
    }
}

/// Files of others, which are not ours to keep: `MAILASSAY_FOREIGN_PST` names them, joined as in `PATH`.
#[test]
fn mailbox_files_of_others_are_read_whole() {
    let named = std::env::var_os("MAILASSAY_FOREIGN_PST").unwrap_or_default();
    for path in std::env::split_paths(&named).filter(|path| path.is_file()) {
        let source =
            MailSource { label: "-".to_owned(), mailbox: "desk".to_owned(), from: MailFrom::Path(path.clone()) };
        let scan = scan(vec![source], &options());
        let mut pst = Pst::open(std::fs::File::open(&path).unwrap()).unwrap();
        let found = pst.folders();
        let (mut attachments, mut bytes) = (0, 0);
        for message in found.folders.iter().flat_map(|folder| &folder.messages) {
            let mail = pst.message(*message).unwrap();
            let mail = MessageParser::default().parse(&mail).unwrap();
            attachments += mail.attachments().count();
            bytes += mail.attachments().map(|attachment| attachment.contents().len()).sum::<usize>();
        }
        for folder in folders(&scan) {
            println!("  {}: {} messages, {:?}", folder.folder, folder.messages, folder.levels);
        }
        let file = files(&scan).remove(0);
        println!(
            "{:?}: {} messages, {attachments} attachments of {bytes} bytes; not inspected {:?}",
            pst.0.form, file.messages, file.not_inspected
        );
        assert_eq!(found.not_inspected, Vec::<Why>::new());
        assert!(file.complete && !file.not_inspected.contains_key("reader-fault"), "{:?}", file.not_inspected);
        // Damaged at many places, and cut off there, it ends too.
        let whole = std::fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 60) {
            let mut damaged = whole.clone();
            damaged[at..].iter_mut().step_by(97).take(40).for_each(|byte| *byte = byte.wrapping_add(1));
            let _ = (mails_of(&damaged), mails_of(&whole[..at]));
        }
    }
}
