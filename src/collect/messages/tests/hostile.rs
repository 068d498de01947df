//! Mail made to exhaust, confuse or break the reader: every message ends and is counted.

use proptest::prelude::*;

use super::*;

fn counted(message: String) -> (ContentFolder, ContentFile) {
    let scan = scan_bytes(mbox_of(&[message]));
    (folders(&scan).remove(0), files(&scan).remove(0))
}

#[test]
fn deep_multiparts_and_messages_end() {
    let mut deep = String::from("Subject: x\n");
    for level in 0..2000 {
        deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"));
    }
    assert_eq!(counted(deep).0.messages, 1);
    let nested = "Subject: x\nContent-Type: message/rfc822\n\n".repeat(3000) + "Subject: y\n\nend\n";
    let (folder, _) = counted(nested);
    assert_eq!(folder.messages, 1);
    assert_eq!(folder.not_inspected.get("too-deep"), Some(&1));
}

#[test]
fn boundary_header_and_word_bombs_end() {
    let boundaries = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned() + &"--b\n\n".repeat(50_000);
    assert_eq!(counted(boundaries).0.not_inspected.get("too-many-parts"), Some(&1));
    let headers = "X-A: b\n".repeat(100_000) + "Subject: x\n\nbody";
    assert_eq!(counted(headers).0.messages, 1);
    let words = format!("Subject: {}\n\nbody", "=?utf-8?B?eA==?=\n ".repeat(40_000));
    assert_eq!(counted(words).0.messages, 1);
    let tags = format!("Subject: x\nContent-Type: text/html\n\n{}", "<a \"".repeat(100_000));
    assert_eq!(counted(tags).0.messages, 1);
    let quotes = format!("Subject: x\n\n{}", "> ".repeat(200_000));
    assert_eq!(counted(quotes).0.messages, 1);
    let labels =
        format!("Subject: x\n\n{}", "SSN MRN DOB member id claim no 219-09-1234 Maria Quillon biopsy ".repeat(5_000));
    assert_eq!(counted(labels).0.levels["high"], 1);
}

#[test]
fn a_text_longer_than_a_window_is_read_to_its_end() {
    let long = "nothing to see here, only words on a line\n".repeat(60_000) + PHI;
    let (folder, _) = counted(format!("From: a@b.example\nSubject: x\n\n{long}\n"));
    assert_eq!(folder.levels["high"], 1);
}

#[test]
fn truncated_mail_is_counted() {
    let whole = "From: a@b.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nUHQgTVJOIDQ0NTU2NjEgYmlvcHN5\n--b--\n";
    for cut in (1..whole.len()).step_by(7) {
        let scan = scan_bytes(mbox_of(&[whole[..cut].to_owned()]));
        assert_eq!(folders(&scan)[0].messages, 1, "cut at {cut}");
    }
}

#[test]
fn a_reader_that_breaks_leaves_a_file_that_is_not_whole() {
    struct Breaks(std::io::Cursor<Vec<u8>>);
    impl Read for Breaks {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(to)? {
                0 => Err(std::io::Error::other("gone")),
                count => Ok(count),
            }
        }
    }
    let mut mbox = mbox_of(&[message("a", "Wed, 4 Mar 2020 10:00:00 +0000", PHI)]);
    mbox.extend(mbox_of(&[message("b", "Wed, 4 Mar 2020 10:00:00 +0000", &"x\n".repeat(4000))]));
    let from = MailFrom::Stream(Box::new(Breaks(std::io::Cursor::new(mbox))));
    let scan = scan(vec![MailSource { label: "-".to_owned(), mailbox: "m".to_owned(), from }], &options());
    let incomplete = scan.observations.iter().any(|observation| match &observation.answer {
        Ok(Answer::ContentFile(file)) => !file.complete,
        Ok(_) => false,
        Err(_) => true,
    });
    assert!(incomplete);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_are_counted(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let mut mbox = b"From a@b.example Thu Jan  1 00:00:00 2026\nSubject: x\n\n".to_vec();
        mbox.extend(bytes);
        let scan = scan_bytes(mbox);
        prop_assert!(folders(&scan)[0].messages >= 1);
    }

    #[test]
    fn random_words_of_the_trade_are_judged(
        text in "((SSN|MRN|DOB|member id|Medicare|born|Mrs\\. Quill|Maria Quillon|claim no|dx)[ :#(\n]{0,3}([0-9]{1,4}[-/. ]?){0,4}[A-Z,;\t|]{0,3} ?){0,30}"
    ) {
        let scan = scan_bytes(mbox_of(&[format!("Subject: x\n\n{text}")]));
        prop_assert_eq!(folders(&scan)[0].messages, 1);
    }

    #[test]
    fn random_attachments_are_judged(kind in 0_usize..7, bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        use base64::Engine;
        let magic: [&[u8]; 7] = [b"PK\x03\x04", b"%PDF-1.4", b"{\\rtf1", b"\x78\x9f\x3e\x22", b"\xd0\xcf\x11\xe0", b"BEGIN:VCALENDAR\n", b""];
        let coded = base64::engine::general_purpose::STANDARD.encode([magic[kind], &bytes].concat());
        let message = format!("Subject: x\nContent-Type: application/octet-stream; name=a.bin\nContent-Transfer-Encoding: base64\n\n{coded}\n");
        let scan = scan_bytes(mbox_of(&[message]));
        prop_assert_eq!(folders(&scan)[0].messages, 1);
    }
}
