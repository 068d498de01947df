//! The scan as a whole: a labelled corpus made from a seed, canaries, hostile mail.
//!
//! Every name, number and sentence here is invented.

mod corpus;
mod foreign;
mod hostile;
mod labelled;
mod leaks;

use super::*;
use crate::evidence::content::ContentFolder;

pub(super) fn options() -> ScanOptions {
    ScanOptions {
        key: ScanKey::from_secret(b"test"),
        message_key: Some(MessageKey::from_file_bytes(b"message key\n")),
        now: "2026-11-21T12:00:00Z".parse().unwrap(),
        vantage: "test".to_owned(),
        traced: Traced::default(),
        own_domains: Vec::new(),
        roster: None,
        pdf: PdfReader::none(),
        sample: None,
    }
}

/// Scans one mbox given as bytes.
fn scan_bytes(mbox: Vec<u8>) -> Scan {
    scan_with(mbox, &options())
}

pub(super) fn scan_with(mbox: Vec<u8>, options: &ScanOptions) -> Scan {
    let from = MailFrom::Stream(Box::new(std::io::Cursor::new(mbox)));
    scan(vec![MailSource { label: "-".to_owned(), mailbox: "front-desk".to_owned(), from }], options)
}

pub(super) fn mbox_of(messages: &[String]) -> Vec<u8> {
    let mut mbox = Vec::new();
    for message in messages {
        mbox.extend_from_slice(b"From a@b.example Thu Jan  1 00:00:00 2026\n");
        mbox.extend_from_slice(message.as_bytes());
        mbox.extend_from_slice(b"\n\n");
    }
    mbox
}

pub(super) fn folders(scan: &Scan) -> Vec<ContentFolder> {
    scan.observations
        .iter()
        .filter_map(|observation| match &observation.answer {
            Ok(Answer::ContentFolder(folder)) => Some(ContentFolder::clone(folder)),
            _ => None,
        })
        .collect()
}

pub(super) fn files(scan: &Scan) -> Vec<ContentFile> {
    scan.observations
        .iter()
        .filter_map(|observation| match &observation.answer {
            Ok(Answer::ContentFile(file)) => Some(ContentFile::clone(file)),
            _ => None,
        })
        .collect()
}

const PHI: &str = "Pt Zorba Quillon, MRN 4455661, biopsy shows melanoma";

fn message(id: &str, date: &str, body: &str) -> String {
    format!(
        "From: nurse@clinic.example\nTo: desk@clinic.example\nMessage-ID: <{id}@clinic.example>\nDate: {date}\nSubject: note\n\n{body}\n"
    )
}

#[test]
fn references_are_the_keyed_message_id_and_levels_follow() {
    let scan = scan_bytes(mbox_of(&[
        message("one", "Wed, 4 Mar 2020 10:00:00 +0000", PHI),
        message("two", "Wed, 4 Mar 2026 10:00:00 +0000", "Lunch at noon?"),
    ]));
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(b"message key").unwrap();
    mac.update(b"one@clinic.example");
    let expected = &hex(&mac.finalize().into_bytes())[..12];
    assert_eq!(scan.messages[0].line(), format!("{{\"ref\":\"{expected}\",\"level\":3}}"));
    assert_eq!(scan.messages[1].level, 0);
    let folder = &folders(&scan)[0];
    assert_eq!((folder.messages, folder.levels["high"]), (2, 1));
    assert_eq!(folder.oldest, Some(jiff::civil::date(2020, 3, 4)));
    assert_eq!(folder.ages["over-6-years"], 1);
    assert_eq!(folder.places.keys().collect::<Vec<_>>(), ["body"]);
    assert_eq!((folder.individuals_lower, folder.individuals_upper), (1, 1));
}

/// The body weighs more than the subject line; what stands in both is told of both.
#[test]
fn an_identifier_in_the_subject_is_told_beside_one_in_the_body() {
    let places = |subject: &str, body: &str| {
        let message = message("one", "Wed, 4 Mar 2020 10:00:00 +0000", body);
        let scan = scan_bytes(mbox_of(&[message.replace("Subject: note", &format!("Subject: {subject}"))]));
        folders(&scan)[0].places.keys().cloned().collect::<Vec<_>>()
    };
    let far_from_the_subject = format!("{}\n\n{PHI}", "and so on, ".repeat(200));
    assert_eq!(places("about MRN 4455661", &far_from_the_subject), ["body", "subject"]);
    assert_eq!(places("note", &far_from_the_subject), ["body"]);
    assert_eq!(places("about MRN 4455661", "Lunch at noon?"), ["subject"], "a record number tells of a patient");
    assert!(places("about SSN 219-09-1234", "Lunch at noon?").is_empty(), "no message with PHI");
}

#[test]
fn an_identifier_in_a_file_name_or_an_invitation_is_told() {
    let part = |kind: &str, text: &str| format!("--x\nContent-Type: {kind}\n\n{text}\n");
    let event = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:visit MRN 4455661\nEND:VEVENT\nEND:VCALENDAR";
    let message = format!(
        "From: nurse@clinic.example\nTo: desk@clinic.example\nSubject: note\nContent-Type: multipart/mixed; boundary=x\n\n{}{}{}--x--\n",
        part("text/plain", PHI),
        part("text/plain; name=\"scan MRN 4455661.txt\"", "see there"),
        part("text/calendar", event),
    );
    let folder = &folders(&scan_bytes(mbox_of(&[message])))[0];
    for place in ["attachment-name", "body", "invite"] {
        assert_eq!(folder.places.get(place), Some(&1), "{place}: {:?}", folder.places);
    }
}

#[test]
fn takeout_labels_are_the_folders() {
    let labelled =
        |labels: &str| format!("X-Gmail-Labels: {labels}\n{}", message("x", "Wed, 4 Mar 2020 10:00:00 +0000", PHI));
    let scan = scan_bytes(mbox_of(&[
        labelled("Important,Opened,Inbox"),
        labelled("Referrals/2019,Inbox"),
        labelled("Archived,Opened"),
    ]));
    let names: Vec<String> = folders(&scan).into_iter().map(|folder| folder.folder).collect();
    assert_eq!(names, ["Archived", "Inbox", "Referrals/2019"]);
}

#[test]
fn a_stream_may_be_one_message_and_nothing_else_is_mail() {
    let one = scan_bytes(message("one", "Wed, 4 Mar 2020 10:00:00 +0000", PHI).into_bytes());
    assert_eq!(folders(&one)[0].levels["high"], 1);
    let nothing = scan_bytes(b"\x89PNG not mail".to_vec());
    assert!(matches!(nothing.observations[0].answer, Err(NotObserved::Unreadable { .. })));
    assert_eq!(nothing.observations.len(), 1);
}

#[test]
fn a_path_that_is_not_there_is_said_to_be_unreadable() {
    let from = MailFrom::Path(PathBuf::from("/nonexistent/mail"));
    let scan = scan(vec![MailSource { label: "mail/".to_owned(), mailbox: "x".to_owned(), from }], &options());
    assert!(matches!(scan.observations[0].answer, Err(NotObserved::Unreadable { .. })));
}

#[test]
fn the_same_mail_gives_the_same_observations() {
    let mbox: Vec<String> = (0..50).map(|n| message(&n.to_string(), "Wed, 4 Mar 2020 10:00:00 +0000", PHI)).collect();
    let one = scan_bytes(mbox_of(&mbox));
    let two = scan_bytes(mbox_of(&mbox));
    assert_eq!(one.observations, two.observations);
    assert_eq!(one.messages, two.messages);
}

#[test]
fn a_number_in_an_answer_to_a_question_of_care_is_one_conversation() {
    let body = "Her social security number is 219-09-1234.\n\n> Can you send what they need for the biopsy referral?\n";
    let scan = scan_bytes(mbox_of(&[message("a", "Wed, 4 Mar 2020 10:00:00 +0000", body)]));
    assert_eq!(scan.messages[0].level, 2);
}

#[test]
fn how_mail_with_phi_was_sent_is_counted() {
    let date = "Wed, 4 Mar 2026 10:00:00 +0000";
    let to = |to: &str, message: String| message.replace("To: desk@clinic.example", &format!("To: {to}"));
    let people: String = ('a'..='l')
        .zip(10..)
        .map(|(c, number)| format!("Pt Xyl{c}ph Quillon, MRN 44556{number}, biopsy\n\n"))
        .collect();
    let messages = [
        to("zq@gmail.com", message("one", date, PHI)),
        to("clerk@lab.example", message("two", date, PHI)).replace("Subject: note", "Subject: chart (1 of 2)"),
        to("clerk@lab.example", message("three", date, "Lunch at noon?")),
        message("four", date, &people).replace("Subject: note", "Auto-Submitted: auto-replied\nSubject: note"),
    ];
    let own_domains = vec!["clinic.example".parse().unwrap()];
    let folder = &folders(&scan_with(mbox_of(&messages), &ScanOptions { own_domains, ..options() }))[0];
    let told: Vec<(&str, u64)> = folder.sendings.iter().map(|(how, count)| (how.as_str(), *count)).collect();
    assert_eq!(
        told,
        [
            ("automatic-reply", 1),
            ("large", 0),
            ("many-individuals", 1),
            ("many-recipients", 0),
            ("part-of-several", 1),
            ("to-consumer-webmail", 1),
            ("to-many-consumers", 0),
            ("to-outside", 2),
        ]
    );
    let folder = &folders(&scan_bytes(mbox_of(&messages)))[0];
    assert!(!folder.sendings.contains_key("to-outside"), "where no domain is known, nobody is outside or inside");
}

#[test]
fn a_password_in_the_thread_of_a_protected_archive_is_counted() {
    let sealed = include_bytes!("../../../fixtures/protected-files/zip-zipcrypto.zip");
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, sealed);
    let with_archive = |id: &str, words: &str| {
        format!(
            "From: nurse@clinic.example\nTo: desk@clinic.example\nMessage-ID: <{id}@clinic.example>\nSubject: chart\n\
             MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{words}\n\
             --b\nContent-Type: application/zip; name=chart.zip\nContent-Transfer-Encoding: base64\n\n{encoded}\n--b--\n"
        )
    };
    let answer = "From: nurse@clinic.example\nTo: desk@clinic.example\nMessage-ID: <c@clinic.example>\n\
                  In-Reply-To: <b@clinic.example>\nSubject: Re: chart\n\nPassword:\nQuillon2026\n";
    let messages = [
        with_archive("a", "The password is Quillon2026."),
        with_archive("b", "As discussed."),
        with_archive("d", "I will call you with the password."),
        answer.to_owned(),
    ];
    let folder = &folders(&scan_bytes(mbox_of(&messages)))[0];
    assert_eq!((folder.protected["zip-zipcrypto"], folder.passwords_beside), (3, Some(2)));
}

#[test]
fn a_password_is_seen_wherever_in_the_message_it_stands() {
    let sealed = include_bytes!("../../../fixtures/protected-files/zip-zipcrypto.zip");
    let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, sealed);
    let archive =
        format!("Content-Type: application/zip; name=chart.zip\nContent-Transfer-Encoding: base64\n\n{encoded}\n");
    let mail = |subject: &str, parts: &[&str]| {
        let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
        format!(
            "From: nurse@clinic.example\nTo: desk@clinic.example\nSubject: {subject}\nMIME-Version: 1.0\n\
             Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
        )
    };
    let stated = "Content-Type: text/plain\n\nPassword: Zx48-quill\n";
    let named = |disposition: &str| {
        format!(
            "Content-Type: text/plain\nContent-Disposition: {disposition}; filename=password.txt\n\nPassword: Zx48-quill\n"
        )
    };
    let forwarded = format!(
        "Content-Type: message/rfc822\n\n{}",
        mail("chart", &[stated, &archive]).replace("=b", "=c").replace("--b", "--c")
    );
    for mail in [
        mail("chart", &[stated, &archive]),
        mail("chart", &[&forwarded]),
        mail("chart", &[&archive, &named("attachment")]),
        mail("chart", &[&named("inline"), &archive]),
        mail("Password: Zx48-quill", &[&archive]),
    ] {
        let folder = &folders(&scan_bytes(mbox_of(std::slice::from_ref(&mail))))[0];
        assert_eq!((folder.protected["zip-zipcrypto"], folder.passwords_beside), (1, Some(1)), "{mail}");
    }
    let folder = &folders(&scan_bytes(mbox_of(&[mail("chart", &[&archive])])))[0];
    assert_eq!(folder.passwords_beside, Some(0));
}

#[test]
fn one_patient_in_many_parts_is_one_patient() {
    let part = format!("--b\nContent-Type: text/plain; name=note.txt\nContent-Disposition: attachment\n\n{PHI}\n");
    let mail = format!(
        "From: nurse@clinic.example\nTo: desk@clinic.example\nSubject: chart\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
        part.repeat(12)
    );
    let folder = &folders(&scan_bytes(mbox_of(&[mail])))[0];
    assert_eq!((folder.individuals_upper, folder.sendings["many-individuals"]), (1, 0));
}
