//! Values planted in every format of mail and attachment that is read, and looked for in everything
//! the program writes or says. All of them are invented.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use base64::Engine;

use crate::support::{mailassay, needs, told};

/// No list of the program holds these words, and no message of its own these numbers.
const CANARIES: [&str; 13] = [
    "219-09-4471",
    "219094471",
    "7AC2DE3FG45",
    "8837261",
    "Zorbalina",
    "Quillonberg",
    "W9918273645",
    "03/14/1951",
    "1951-03-14",
    "Canarystrasse",
    "canaryfile",
    "canarysubject",
    "canaryprop",
];

const NOTE: &str = "Patient: Zorbalina Quillonberg, MRN 8837261, SSN 219-09-4471, MBI 7AC2DE3FG45, DOB 03/14/1951, \
                    member ID W9918273645, 12 Canarystrasse, diagnosed with melanoma.";
const TABLE: [&str; 2] = ["Name,MRN,DOB,Diagnosis", "Zorbalina Quillonberg,8837261,1951-03-14,melanoma"];

/// Outlook's mailbox file with a value in every property that is read, and how many messages it has, each of
/// them likely. An object of another program in one cannot be read. See `tests/data/pst/README.md`.
const MAILBOX_FILE: &[u8] = include_bytes!("../data/pst/planted.pst");
const IN_MAILBOX_FILE: usize = 6;

/// The same person on a page of HTML, printed by Chromium.
const DISCHARGE_NOTE: &[u8] = include_bytes!("../data/pdf/discharge-note.pdf");

fn zip_of(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// One record of a `winmail.dat`.
fn tnef(attribute: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x78, 0x9f, 0x3e, 0x22, 1, 0, 1];
    bytes.extend(attribute.to_le_bytes());
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes.extend([0, 0]);
    bytes
}

/// Every kind of attachment that is read, by its type and the ending of its name.
fn attachments() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let cells = |tag: &str, inner: &str| -> String {
        let rows = TABLE.iter().map(|row| {
            let cells: String = row.split(',').map(|cell| inner.replace("VALUE", cell)).collect();
            tag.replace("CELLS", &cells)
        });
        rows.collect()
    };
    let sheet = cells("<row>CELLS</row>", "<c t=\"inlineStr\"><is><t>VALUE</t></is></c>");
    let table = cells(
        "<table:table-row>CELLS</table:table-row>",
        "<table:table-cell><text:p>VALUE</text:p></table:table-cell>",
    );
    let word = format!("<w:document><w:body><w:p><w:t>{NOTE}</w:t></w:p></w:body></w:document>");
    let invite = format!(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:8837261\r\nSUMMARY:canarysubject biopsy\r\nDESCRIPTION:{}\r\n\
         ATTENDEE;CN=Zorbalina Quillonberg:mailto:zorbalina@mailbox.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        NOTE.replace(',', "\\,")
    );
    vec![
        ("text/plain", "txt", NOTE.into()),
        ("text/html", "html", format!("<html><body><p>{NOTE}</p></body></html>").into_bytes()),
        ("text/csv", "csv", TABLE.join("\r\n").into_bytes()),
        ("text/calendar", "ics", invite.into_bytes()),
        ("application/rtf", "rtf", format!("{{\\rtf1\\ansi {NOTE}\\par}}").into_bytes()),
        ("application/zip", "zip", zip_of(&[("canaryfile_Quillonberg.txt", NOTE)])),
        ("application/octet-stream", "docx", zip_of(&[("word/document.xml", &word)])),
        (
            "application/octet-stream",
            "xlsx",
            zip_of(&[
                ("xl/workbook.xml", "<workbook/>"),
                ("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>")),
            ]),
        ),
        (
            "application/octet-stream",
            "ods",
            zip_of(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &table)]),
        ),
        (
            "application/octet-stream",
            "odt",
            zip_of(&[
                ("mimetype", "application/vnd.oasis.opendocument.text"),
                ("content.xml", &format!("<text:p>{NOTE}</text:p>")),
            ]),
        ),
        (
            "application/octet-stream",
            "pptx",
            zip_of(&[
                ("ppt/presentation.xml", "<p/>"),
                ("ppt/slides/slide1.xml", &format!("<a:p><a:t>{NOTE}</a:t></a:p>")),
            ]),
        ),
        ("application/pdf", "pdf", DISCHARGE_NOTE.into()),
        ("application/ms-tnef", "dat", tnef(0x0002_800c, NOTE.as_bytes())),
        ("application/ms-tnef", "dat", tnef(0x0006_800f, DISCHARGE_NOTE)),
        ("message/rfc822", "eml", format!("Subject: canarysubject\r\n\r\n{NOTE}\r\n").into_bytes()),
        // What cannot be read must say so without a word of it.
        ("application/pdf", "pdf", format!("%PDF-1.7 {NOTE}").into_bytes()),
        ("application/octet-stream", "bin", [&[0, 1, 2, 3, 0xff, 0xfe][..], NOTE.as_bytes()].concat()),
    ]
}

/// A message whose only health information stands in one attachment.
fn message(number: usize, kind: &str, ending: &str, bytes: &[u8]) -> String {
    let encoded = base64::prelude::BASE64_STANDARD.encode(bytes);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let encoding = if kind == "message/rfc822" { "7bit" } else { "base64" };
    let body = if kind == "message/rfc822" { String::from_utf8_lossy(bytes).into_owned() } else { lines.join("\r\n") };
    format!(
        "From: \"Zorbalina Quillonberg\" <zorbalina@mailbox.example>\r\nTo: desk@clinic.example\r\n\
         Message-ID: <canarysubject.{number}.8837261@mailbox.example>\r\nDate: Wed, 4 Mar 2020 10:00:00 +0000\r\n\
         Subject: canarysubject\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"canaryfile\"\r\n\r\n\
         --canaryfile\r\nContent-Type: text/plain\r\n\r\nsee attached\r\n\
         --canaryfile\r\nContent-Type: {kind}\r\n\
         Content-Disposition: attachment; filename=\"canaryfile_{number}.{ending}\"\r\n\
         Content-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n--canaryfile--\r\n"
    )
}

/// An mbox, a Maildir and single files, each with every kind of attachment.
fn plant(root: &Path) {
    let messages: Vec<String> = attachments()
        .iter()
        .enumerate()
        .map(|(number, (kind, ending, bytes))| message(number, kind, ending, bytes))
        .collect();
    let mail = root.join("mail");
    for folder in ["Maildir/new", "Maildir/cur", "Maildir/tmp", "files"] {
        std::fs::create_dir_all(mail.join(folder)).unwrap();
    }
    let mut mbox = String::new();
    for (number, message) in messages.iter().enumerate() {
        mbox += &format!("From zorbalina@mailbox.example Thu Jan  1 00:00:00 2026\r\n{message}\r\n");
        std::fs::write(mail.join(format!("Maildir/cur/1583316000.{number}.canaryfile:2,S")), message).unwrap();
        std::fs::write(mail.join(format!("files/canaryfile Quillonberg {number}.eml")), message).unwrap();
    }
    std::fs::write(mail.join("8837261 canaryfile.mbox"), mbox).unwrap();
    // Folders are gone through before what lies beside them, and this one after the others.
    std::fs::create_dir_all(mail.join("outlook")).unwrap();
    std::fs::write(mail.join("outlook/Quillonberg, Zorbalina.pst"), MAILBOX_FILE).unwrap();
    std::fs::write(mail.join("outlook/canaryfile 8837261 cut.pst"), &MAILBOX_FILE[..MAILBOX_FILE.len() / 2]).unwrap();
    std::fs::write(root.join("key"), "a key\n").unwrap();
}

fn assert_clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    for canary in CANARIES {
        assert!(!text.contains(&canary.to_ascii_lowercase()), "{what} holds `{canary}`:\n{text}");
    }
}

fn assert_silent(output: &Output) {
    assert_clean("the output", told(output).as_bytes());
}

/// Everything below a folder but the planted mail.
fn written(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "mail") {
            continue;
        }
        if path.is_dir() { files.extend(written(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn no_planted_value_of_any_format_leaves_the_program() {
    let root = tempfile::tempdir().unwrap();
    plant(root.path());
    let run = |words: &[&str]| {
        let mut command = mailassay();
        command.current_dir(root.path()).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").args(words);
        command.output().unwrap()
    };
    let counted = run(&["content", "mail", "--format", "json", "--messages", "messages.jsonl", "--key-file", "key"]);
    assert!(counted.status.success(), "{}", told(&counted));
    assert_silent(&counted);
    assert_silent(&run(&["content", "mail"]));

    // Each format was read and seen, thrice; the two that are not read are said.
    let lines = std::fs::read_to_string(root.path().join("messages.jsonl")).unwrap();
    let likely = lines.lines().filter(|line| line.contains("\"level\":3") || line.contains("\"level\":2")).count();
    assert_eq!(likely, 3 * (attachments().len() - 2) + IN_MAILBOX_FILE, "{lines}");
    assert_eq!(lines.lines().filter(|line| line.contains("not_inspected")).count(), 3 * 2 + 1, "{lines}");

    // Each message is found again by its reference in all three places, and told without its words.
    let mbox = std::fs::read(root.path().join("mail/8837261 canaryfile.mbox")).unwrap();
    for line in lines.lines().take(attachments().len()).step_by(4) {
        let reference = serde_json::from_str::<serde_json::Value>(line).unwrap()["ref"].as_str().unwrap().to_owned();
        let told_json = run(&["content", "explain", &reference, "mail", "--key-file", "key", "--format", "json"]);
        assert_silent(&told_json);
        assert_silent(&run(&["content", "explain", &reference, "mail", "--key-file", "key"]));
        let explained: serde_json::Value = serde_json::from_slice(&told_json.stdout).unwrap();
        let places = explained["messages"].as_array().unwrap();
        assert_eq!(places.len(), 3, "{explained}");
        for place in places {
            let (offset, bytes) = (place["offset"].as_u64().unwrap(), place["bytes"].as_u64().unwrap());
            let level = place["level"].as_u64().unwrap();
            assert!(line.contains(&format!("\"level\":{level}")), "{line} {place}");
            assert_eq!(place["rule"] == "", level == 0, "{place}");
            if offset > 0 {
                let here = &mbox[usize::try_from(offset).unwrap()..][..usize::try_from(bytes).unwrap()];
                assert!(here.starts_with(b"From zorbalina@mailbox.example"));
            }
        }
    }
    let last = lines.lines().last().unwrap();
    let reference = serde_json::from_str::<serde_json::Value>(last).unwrap()["ref"].as_str().unwrap().to_owned();
    let told_json = run(&["content", "explain", &reference, "mail", "--key-file", "key", "--format", "json"]);
    assert_silent(&told_json);
    let explained: serde_json::Value = serde_json::from_slice(&told_json.stdout).unwrap();
    assert!(explained["messages"][0]["node"].is_u64(), "{explained}");
    let nobody = run(&["content", "explain", "0123456789ab", "mail", "--key-file", "key"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert_silent(&nobody);

    // The list of patients: as text and as a workbook, sound and without a header.
    let lists = root.path().join("lists/mail");
    std::fs::create_dir_all(&lists).unwrap();
    let row = ["Quillonberg, Zorbalina", "03/14/1951", "8837261"];
    std::fs::write(lists.join("roster.csv"), format!("Name,DOB,MRN\n\"{}\",{},{}\n", row[0], row[1], row[2])).unwrap();
    std::fs::write(lists.join("broken.csv"), format!("\"{}\",{},{}\n", row[0], row[1], row[2])).unwrap();
    std::fs::write(lists.join("torn.xlsx"), format!("PK\u{3}\u{4}{}", row.join(" "))).unwrap();
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (line, cells) in (0..).zip([["Name", "DOB", "MRN"], row]) {
        sheet.write_row(line, 0, cells).unwrap();
    }
    workbook.save(lists.join("roster.xlsx")).unwrap();
    for list in ["lists/mail/roster.csv", "lists/mail/roster.xlsx"] {
        let counted = run(&["content", "mail/files", "--roster", list, "--format", "json"]);
        assert_silent(&counted);
        let counted: serde_json::Value = serde_json::from_slice(&counted.stdout).unwrap();
        assert_eq!((&counted["roster"]["patients"], &counted["roster"]["found"]), (&1.into(), &1.into()), "{list}");
        assert_eq!(counted["mailboxes"][0]["folders"][0]["roster"]["found"], 1);
    }
    assert_silent(&run(&["content", "mail/files", "--roster", "lists/mail/roster.csv"]));
    for list in ["lists/mail/broken.csv", "lists/mail/torn.xlsx"] {
        let refused = run(&["content", "mail/files", "--roster", list]);
        assert_eq!(refused.status.code(), Some(64));
        assert_silent(&refused);
    }

    // A sample examines no more than it says, and gives bounds that hold all there is.
    let sampled = run(&["content", "mail", "--sample", "12", "--key-file", "key", "--format", "json"]);
    assert_silent(&sampled);
    let sampled: serde_json::Value = serde_json::from_slice(&sampled.stdout).unwrap();
    let sample = &sampled["sample"];
    let all = 3 * attachments().len() + IN_MAILBOX_FILE;
    assert_eq!((&sample["examined"], &sample["messages"]), (&12.into(), &all.into()), "{sample}");
    assert!(sample["phi"]["lower"].as_u64() <= Some(likely as u64), "{sample}");
    assert!(sample["phi"]["upper"].as_u64() >= Some(likely as u64), "{sample}");
    assert_eq!(sampled["totals"]["messages"], 12);
    assert_silent(&run(&["content", "mail", "--sample", "12"]));

    let scope = "schema: 1\norganization: { name: Invented Clinic, role: covered-entity, individuals: 100, states: [OR] }\nauthorization: { granted_by: Invented Person, role: Security Official, on: 2026-10-01, until: 2099-10-01, covers: [clinic.example] }\ndomains: [{ name: clinic.example }]\nmessages: [{ path: mail/, mailbox: front-desk }]\n";
    std::fs::write(root.path().join("scope.yaml"), scope).unwrap();
    // Reports are made from evidence alone, so evidence is where a value would come in.
    let scanned = run(&[
        "collect",
        "--scope",
        "scope.yaml",
        "--only",
        "messages",
        "--out",
        "evidence",
        "--roster",
        "lists/mail/roster.csv",
    ]);
    let counted = std::fs::read_to_string(root.path().join("evidence/content.content_folder.jsonl"));
    let counted = counted.unwrap_or_else(|error| panic!("{error}: {}", told(&scanned)));
    let of = |line: &str| -> u64 {
        let observation: serde_json::Value = serde_json::from_str(line).unwrap();
        let answer = &observation["answer"]["answer"];
        // The files that were read lie beside the folders that were counted.
        let levels = &answer["of"]["levels"];
        assert_eq!(levels.is_object(), answer["is"] == "content-folder", "{line}");
        ["high", "medium"].iter().filter_map(|level| levels[*level].as_u64()).sum()
    };
    assert_eq!(counted.lines().map(of).sum::<u64>(), likely as u64, "what was found is what was kept: {counted}");
    assert_silent(&scanned);
    let files = written(root.path());
    assert!(files.iter().any(|file| file.to_string_lossy().contains("evidence")), "{files:?}");
    for file in files {
        assert_clean(
            &file.display().to_string(),
            file.to_string_lossy().strip_prefix(&*root.path().to_string_lossy()).unwrap().as_bytes(),
        );
        assert_clean(&file.display().to_string(), &std::fs::read(&file).unwrap());
    }
}

/// What the process that reads PDF files says of one.
fn pdf_text(file: &[u8]) -> serde_json::Value {
    let mut process = mailassay().arg("pdf-text").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut to = process.stdin.take().unwrap();
    to.write_all(&u32::try_from(file.len()).unwrap().to_le_bytes()).unwrap();
    to.write_all(file).unwrap();
    drop(to);
    let answer = process.wait_with_output().unwrap().stdout;
    serde_json::from_slice(&answer[4..]).unwrap()
}

#[test]
fn a_pdf_gives_the_words_that_poppler_reads() {
    if !needs(&["pdftotext", "qpdf"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let of = |words: &[&str]| {
        let output = std::process::Command::new(words[0]).args(&words[1..]).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let words = |text: &str| -> Vec<String> {
        let mut words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
        words.retain(|word| !word.is_empty());
        words.sort();
        words
    };
    std::fs::write(folder.path().join("note.pdf"), DISCHARGE_NOTE).unwrap();
    // A password that only forbids changes hides nothing; one to open the file does.
    of(&["qpdf", "--encrypt", "", "owner", "256", "--", "note.pdf", "owner.pdf"]);
    of(&["qpdf", "--encrypt", "user", "owner", "256", "--", "note.pdf", "locked.pdf"]);
    of(&["qpdf", "--linearize", "--object-streams=generate", "note.pdf", "linearized.pdf"]);
    let expected = words(&of(&["pdftotext", "-enc", "UTF-8", "note.pdf", "-"]));
    assert!(expected.len() > 60, "{expected:?}");
    for file in ["note.pdf", "owner.pdf", "linearized.pdf"] {
        let answer = pdf_text(&std::fs::read(folder.path().join(file)).unwrap());
        assert_eq!(answer["not_inspected"], serde_json::json!([]), "{file}");
        // The title comes first, which poppler tells elsewhere; then the page.
        let texts = answer["texts"].as_array().unwrap();
        assert_eq!(texts[0], "Discharge note (invented)", "{file}");
        assert_eq!(words(texts[1].as_str().unwrap()), expected, "{file}");
        assert!(texts[1].as_str().unwrap().contains("Quillonberg 8837261 03/14/1951\tmelanoma\n"), "{answer}");
    }
    let locked = pdf_text(&std::fs::read(folder.path().join("locked.pdf")).unwrap());
    assert_eq!(locked, serde_json::json!({ "texts": [], "not_inspected": ["encrypted"] }));
}

/// A page that draws itself ten times, ten levels deep.
fn pdf_bomb() -> Vec<u8> {
    let mut file = "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
                    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<</XObject<</X 5 0 R>>>>>>endobj\n\
                    4 0 obj<</Length 5>>stream\n/X Do\nendstream endobj\n".to_owned();
    for number in 5..15 {
        let drawn = "/X Do ".repeat(10);
        let next = number + 1;
        file += &format!(
            "{number} 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {next} 0 R>>>>/Length 60>>stream\n{drawn}\nendstream endobj\n"
        );
    }
    (file + "trailer<</Root 1 0 R>>\n%%EOF\n").into_bytes()
}

#[test]
fn a_pdf_that_takes_too_long_costs_its_own_message_and_no_other() {
    let root = tempfile::tempdir().unwrap();
    let files = [pdf_bomb(), DISCHARGE_NOTE.to_vec()];
    let mail: String = (0..)
        .zip(&files)
        .map(|(number, file)| {
            format!(
                "From a@b.example Thu Jan  1 00:00:00 2026\r\n{}\r\n",
                message(number, "application/pdf", "pdf", file)
            )
        })
        .collect();
    std::fs::write(root.path().join("desk.mbox"), mail).unwrap();
    let counted = mailassay().current_dir(&root).args(["content", "desk.mbox", "--format", "json"]).output().unwrap();
    let counted: serde_json::Value = serde_json::from_slice(&counted.stdout).unwrap();
    assert_eq!(counted["files"][0]["not_inspected"], serde_json::json!({ "too-slow": 1 }), "{counted}");
    let totals = &counted["totals"];
    assert_eq!(totals["high"].as_u64().unwrap() + totals["medium"].as_u64().unwrap(), 1, "{counted}");
}
