//! Plants values where mail has them and looks for each in everything that leaves.

use std::io::Write;

use super::*;
use crate::collect::messages::pst::tests::planted;
use crate::report::content;

/// Invented values. Words are chosen so that no list of the program has them.
const CANARIES: [&str; 17] = [
    "219-09-4471",
    "219094471",
    "7AC2DE3FG45",
    "MRN8837261",
    "8837261",
    "Zorbalina",
    "Quillonberg",
    "zorbalina@mailbox.example",
    "W9918273645",
    "03/14/1951",
    "1951-03-14",
    "Canarystrasse",
    "canaryfile",
    "canarysubject",
    "canarylabel",
    "canaryboundary",
    // In every property of the mailbox files.
    "canaryprop",
];

fn canary_message() -> String {
    "From: \"Zorbalina Quillonberg\" <zorbalina@mailbox.example>\r\n\
     To: \"Zorbalina Quillonberg\" <zorbalina@mailbox.example>\r\n\
     Message-ID: <canarysubject.8837261@mailbox.example>\r\n\
     X-Gmail-Labels: canarylabel Zorbalina Quillonberg MRN8837261\r\n\
     Date: Wed, 4 Mar 2020 10:00:00 +0000\r\n\
     Subject: canarysubject Zorbalina Quillonberg MRN 8837261 biopsy\r\n\
     MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"canaryboundary\"\r\n\r\n\
     --canaryboundary\r\nContent-Type: text/plain\r\n\r\n\
     Patient: Zorbalina Quillonberg, SSN 219-09-4471, MBI 7AC2DE3FG45, DOB 03/14/1951,\r\n\
     member ID W9918273645, 12 Canarystrasse, diagnosed with melanoma.\r\n\
     --canaryboundary\r\nContent-Type: text/csv; name=\"canaryfile_Quillonberg_MRN8837261.csv\"\r\n\
     Content-Disposition: attachment; filename=\"canaryfile_Quillonberg_MRN8837261.csv\"\r\n\r\n\
     Name,MRN,DOB,Diagnosis\r\nZorbalina Quillonberg,8837261,1951-03-14,melanoma\r\n\
     --canaryboundary\r\nContent-Type: application/x-canaryfile; name=\"canaryfile.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcICQ==\r\n\
     --canaryboundary--\r\n"
        .to_owned()
}

fn assert_clean(what: &str, text: &str) {
    let lower = text.to_ascii_lowercase();
    for canary in CANARIES {
        assert!(!lower.contains(&canary.to_ascii_lowercase()), "{what} holds `{canary}`:\n{text}");
    }
}

/// A folder tree whose names hold values too.
fn planted() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let inner = root.path().join("Quillonberg, Zorbalina 03-14-1951 MRN8837261");
    crate::files::make_folder(&inner).unwrap();
    crate::files::write_whole(&inner.join("canaryfile219-09-4471.eml"), canary_message().as_bytes()).unwrap();
    let mut mbox = b"From zorbalina@mailbox.example Thu Jan  1 00:00:00 2026\r\n".to_vec();
    mbox.write_all(canary_message().as_bytes()).unwrap();
    crate::files::write_whole(&root.path().join("MRN8837261.mbox"), &mbox).unwrap();
    crate::files::write_whole(&root.path().join("8837261 219-09-4471.pst"), b"!BDN 219-09-4471").unwrap();
    for (number, mailbox_file) in planted::in_every_form().iter().enumerate() {
        let name = format!("canaryfile 8837261 219-09-{number}.ost");
        crate::files::write_whole(&root.path().join(name), mailbox_file).unwrap();
        // One that ends too early.
        let name = format!("canaryfile 8837261 219-09-{number} cut.pst");
        crate::files::write_whole(&root.path().join(name), &mailbox_file[..mailbox_file.len() / 2]).unwrap();
    }
    root
}

#[test]
fn no_planted_value_is_in_anything_that_leaves() {
    let root = planted();
    let from = MailFrom::Path(root.path().to_owned());
    let scan = scan(vec![MailSource { label: "mail/".to_owned(), mailbox: "front-desk".to_owned(), from }], &options());
    let likely: u64 = folders(&scan).iter().filter_map(|folder| folder.levels.get("high")).sum();
    assert_eq!(likely, 2 + 3 * planted::LIKELY, "the planted messages are found");
    for observation in &scan.observations {
        assert_clean("an observation", &serde_json::to_string(observation).unwrap());
        assert_clean("an observation's Debug", &format!("{observation:?}"));
    }
    let report = content::report(&scan.observations);
    assert_clean("the JSON", &serde_json::to_string_pretty(&report).unwrap());
    assert_clean("the text", &content::text(&report));
    assert_clean("the Debug of the report", &format!("{report:?}"));
    for message in &scan.messages {
        assert_clean("the message list", &message.line());
        assert_clean("the message list's Debug", &format!("{message:?}"));
    }
    assert_clean("the options", &format!("{:?}", options()));
}

#[test]
fn errors_say_nothing_of_the_text() {
    // Bytes that fail in every reader: half a document, half a number.
    for broken in ["PK\u{3}\u{4}219-09-4471", "%PDF-219-09-4471", "BEGIN:VCALENDAR\nSUMMARY:219-09-4471"] {
        let message = format!(
            "From: a@b.example\nSubject: x\nContent-Type: application/octet-stream; name=\"canaryfile\"\n\n{broken}"
        );
        let scan = scan_bytes(mbox_of(&[message]));
        assert_clean("an observation", &serde_json::to_string(&scan.observations).unwrap());
    }
}
