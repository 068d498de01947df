//! Reports in every packing, hostile ones too; all of it is invented.

use std::io::Write;

use super::*;
use crate::evidence::authentication::AggregateReport;
use crate::evidence::tls_reports::TlsReport;
use crate::records::dmarc_report::tests::report;
use crate::records::tls_report::tests::report as tls_report;

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archived(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn observed(files: &[(&str, Vec<u8>)]) -> Vec<Observation> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        files::write_whole(&folder.path().join(name), bytes).unwrap();
    }
    let domains = BTreeSet::from(["c.example".parse().unwrap()]);
    read(folder.path(), "reports", &domains, Timestamp::UNIX_EPOCH, "here").unwrap()
}

fn label_of(observation: &Observation) -> &str {
    match &observation.question {
        Question::AggregateReport { label } | Question::ReportFile { label } | Question::TlsReport { label } => label,
        other => panic!("{other:?}"),
    }
}

fn read_files(files: &[(&str, Vec<u8>)]) -> Vec<(String, Result<AggregateReport, NotObserved>)> {
    let one = |observation: Observation| {
        let label = label_of(&observation).to_owned();
        let answer = observation.answer.map(|answer| match answer {
            Answer::AggregateReport(report) => *report,
            other => panic!("{other:?}"),
        });
        (label, answer)
    };
    let is_report = |observation: &Observation| !matches!(observation.answer, Ok(Answer::ReportMail(_)));
    observed(files).into_iter().filter(is_report).map(one).collect()
}

fn tls_reports(observations: &[Observation]) -> Vec<(&str, &TlsReport)> {
    let mut found = Vec::new();
    for observation in observations {
        if let Ok(Answer::TlsReport(report)) = &observation.answer {
            found.push((label_of(observation), report.as_ref()));
        }
    }
    found
}

/// What was not read, with the reasons.
fn faults(observations: &[Observation]) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    for observation in observations {
        if let Err(reason) = &observation.answer {
            found.push((label_of(observation), reason.to_string()));
        }
    }
    found
}

fn mail_of(observations: &[Observation]) -> (u64, u64) {
    let of = |observation: &Observation| match &observation.answer {
        Ok(Answer::ReportMail(mail)) => Some((mail.mails, mail.without_report)),
        Ok(_) | Err(_) => None,
    };
    observations.iter().find_map(of).unwrap_or_default()
}

/// A mail of some parts: content type, file name, bytes. Its text must come out nowhere.
fn mail(subject: &str, parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    use base64::Engine;
    let mut text = format!(
        "From: noreply@r.example\r\nTo: reports@c.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"=b\"\r\n\r\n--=b\r\nContent-Type: text/plain\r\n\r\nCanary Quillon was seen\r\n"
    );
    for (kind, name, bytes) in parts {
        let coded = base64::engine::general_purpose::STANDARD.encode(bytes);
        let lines: Vec<&str> = coded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        text.push_str(&format!(
            "--=b\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        ));
    }
    text.push_str("--=b--\r\n");
    text.into_bytes()
}

#[test]
fn every_packing_brings_the_same_report() {
    let rows = ["192.0.2.1 3 pass fail s1", "192.0.2.1 2 pass pass s2", "2001:db8::1 7 fail fail s1"];
    let text = report("c.example", &rows).into_bytes();
    let read = read_files(&[
        ("a.xml", text.clone()),
        ("b.xml.gz", packed(&text)),
        ("c.zip", archived(&[("inside.xml", &text)])),
    ]);
    let labels: Vec<&str> = read.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["reports/a.xml", "reports/b.xml.gz", "reports/c.zip/inside.xml"]);
    let mut hashes = BTreeSet::new();
    for (_, report) in read {
        let report = report.unwrap();
        let counts = report.counts;
        assert_eq!((counts.aligned, counts.unaligned, counts.unauthenticated), (5, 7, 0));
        let sources: Vec<(String, u64)> =
            report.sources.iter().map(|source| (source.address.to_string(), source.counts.messages())).collect();
        assert_eq!(sources, [("2001:db8::1".to_owned(), 7), ("192.0.2.1".to_owned(), 5)]);
        let selectors: Vec<(&str, u64, u64)> =
            report.selectors.iter().map(|of| (of.selector.as_str(), of.passed, of.failed)).collect();
        assert_eq!(selectors, [("s1", 3, 7), ("s2", 2, 0)]);
        hashes.insert(report.sha256);
    }
    assert_eq!(hashes.len(), 1, "the text's, whatever it was packed in");
}

#[test]
fn reports_without_a_number_in_one_archive_are_told_apart_by_their_text() {
    let numberless = |messages: u32| {
        let text = report("c.example", &[&format!("192.0.2.1 {messages} pass fail s1")]);
        let (head, rest) = text.split_once("<report_id>").unwrap();
        format!("{head}{}", rest.split_once("</report_id>").unwrap().1).into_bytes()
    };
    let (one, other) = (numberless(3), numberless(4));
    let archive = archived(&[("a.xml", &one), ("b.xml", &other), ("c.xml", &one)]);
    let read = read_files(&[("1.zip", archive), ("2.xml.gz", packed(&one))]);
    let reports: Vec<AggregateReport> = read.into_iter().map(|(_, report)| report.unwrap()).collect();
    let joined = crate::evidence::authentication::ReportedMail::join(&reports).unwrap();
    assert_eq!((reports.len(), joined.reports, joined.counts.messages()), (4, 2, 7));
}

#[test]
fn the_name_of_a_packed_mail_comes_out_nowhere() {
    let letter = mail("a", &[("text/xml", "x", b"<feedback>")]);
    let observations = observed(&[
        ("Canary Quillon.eml.gz", packed(&letter)),
        ("Visit of Canary.gz", packed(&letter)),
        ("a.zip", archived(&[("Canary", &letter), ("Quillon.eml.gz", &packed(&letter))])),
        ("Quillon.msg.gz", packed(b"\xd0\xcf\x11\xe0")),
    ]);
    assert_eq!(faults(&observations).len(), 5, "{observations:?}");
    let kept = serde_json::to_string(&observations).unwrap();
    assert!(!kept.contains("Canary") && !kept.contains("Quillon"), "{kept}");
}

#[test]
fn what_is_no_report_is_named_with_the_reason() {
    let bomb = packed(&vec![b' '; usize::try_from(REPORT_BYTES).unwrap() + 10]);
    let read = read_files(&[
        ("bomb.gz", bomb),
        ("broken.gz", vec![0x1f, 0x8b, 1, 2]),
        ("broken.zip", b"PK\x03\x04rest".to_vec()),
        ("other.xml", report("other.example", &["192.0.2.1 3 pass fail s1"]).into_bytes()),
        ("page.html", b"<html></html>".to_vec()),
    ]);
    let reasons: Vec<String> = read.into_iter().map(|(_, report)| report.unwrap_err().to_string()).collect();
    assert!(reasons[0].contains("bytes of one report"), "{reasons:?}");
    assert!(reasons[1].contains("cannot be unpacked"), "{reasons:?}");
    assert!(reasons[2].contains("archive cannot be read"), "{reasons:?}");
    assert!(reasons[3].contains("not in scope: a report about other.example"), "{reasons:?}");
    assert!(reasons[4].contains("no DMARC aggregate report"), "{reasons:?}");
}

#[test]
fn a_report_in_mail_is_the_report_whatever_carries_it() {
    let text = report("c.example", &["192.0.2.1 3 pass fail s1"]).into_bytes();
    let tls = tls_report("c.example", 7, 1, "").into_bytes();
    let zipped = archived(&[("r.example!c.example!1!2.xml", &text)]);
    let plain_body =
        [b"Subject: report\r\nFrom: a@r.example\r\nContent-Type: text/xml\r\n\r\n".as_slice(), &text].concat();
    let whole_zip = {
        use base64::Engine;
        let coded = base64::engine::general_purpose::STANDARD.encode(&zipped);
        let head = "Subject: Report Domain: c.example\r\nFrom: a@r.example\r\nContent-Type: application/zip\r\n\
                    Content-Transfer-Encoding: base64\r\n\r\n";
        format!("{head}{coded}\r\n").into_bytes()
    };
    let forwarded = [
        b"Subject: Fwd\r\nFrom: b@c.example\r\nContent-Type: message/rfc822\r\n\r\n".as_slice(),
        &mail("Report Domain: c.example", &[("application/gzip", "r.xml.gz", &packed(&text))]),
    ]
    .concat();
    let separator = b"From a@r.example Thu Jan  1 00:00:00 2026\r\n".as_slice();
    let mbox = [
        separator,
        &mail("a", &[("application/octet-stream", "x", &packed(&text))]),
        b"\r\n",
        separator,
        &mail("Lab results of Canary Quillon", &[("application/pdf", "Canary_Quillon.pdf", b"%PDF-1.4")]),
        b"\r\n",
        separator,
        &mail("b", &[("application/tlsrpt+json", "x.json", &tls)]),
    ]
    .concat();
    let all = [
        ("1.eml", mail("a", &[("application/gzip", "r.xml.gz", &packed(&text))])),
        ("2.eml", mail("a", &[("application/zip", "r.zip", &zipped)])),
        ("3.eml", mail("a", &[("text/xml", "r.xml", &text)])),
        ("4.eml", plain_body),
        ("5.eml", whole_zip),
        ("6.eml", forwarded),
        ("7.mbox", mbox.clone()),
        ("8.zip", archived(&[("mail/Canary.eml", &mail("a", &[("text/xml", "r.xml", &text)]))])),
        ("9.mbox.gz", packed(&mbox)),
    ];
    let observations = observed(&all);
    assert_eq!(faults(&observations), []);
    let reports = observations.iter().filter(|one| matches!(one.answer, Ok(Answer::AggregateReport(_)))).count();
    assert_eq!((reports, tls_reports(&observations).len()), (9, 2));
    assert_eq!(mail_of(&observations), (13, 2));
    let kept = serde_json::to_string(&observations).unwrap();
    for canary in ["Canary", "Quillon", "eml", "noreply"] {
        assert!(!kept.contains(canary), "{canary}: {kept}");
    }
}

#[test]
fn mail_of_a_person_in_archives_and_folders_is_told_without_the_name() {
    let text = report("c.example", &["192.0.2.1 3 pass fail s1"]).into_bytes();
    let mbox = |mails: usize| -> Vec<u8> {
        let one = mail("a", &[("application/gzip", "r.xml.gz", &packed(&text))]);
        let separator = b"From a@r.example Thu Jan  1 00:00:00 2026\r\n".as_slice();
        (0..mails).flat_map(|_| [separator, &one, b"\r\n"].concat()).collect()
    };
    let takeout = archived(&[
        ("Takeout/Mail/Maria Quillon.mbox", &mbox(2)),
        ("Takeout/Mail/Virginia Quillon", &mbox(1)),
        ("Takeout/Mail/Ana Quillon.mbox", b"no mail"),
        ("Takeout/report.xml", &text),
    ]);
    let all = [
        ("1.zip", takeout),
        ("Maria Quillon.mbox", mbox(1)),
        ("dmarc.mbox", mbox(1)),
        ("packed Maria Quillon.mbox.gz", packed(&mbox(1))),
    ];
    let observations = observed(&all);
    let mut labels: Vec<&str> = observations
        .iter()
        .filter(|one| matches!(one.answer, Ok(Answer::AggregateReport(_))))
        .map(|one| label_of(one).split(", part").next().unwrap())
        .collect();
    labels.sort_unstable();
    let expected = [
        "reports, mails from 1, mail 1",
        "reports, mails from 1, mail 2",
        "reports, mails from 3, mail 1",
        "reports, mails from 4, mail 1",
        "reports, mails from 6, mail 1",
        "reports/1.zip/Takeout/report.xml",
        "reports/dmarc.mbox, mail 1",
    ];
    assert_eq!(labels, expected);
    assert_eq!(faults(&observations)[0].0, "reports/1.zip, file 3");
    let kept = serde_json::to_string(&observations).unwrap();
    assert!(!kept.contains("Quillon"), "{kept}");
}

#[test]
fn in_mail_what_should_be_a_report_is_named_and_the_rest_is_counted() {
    let text = report("c.example", &["192.0.2.1 3 pass fail s1"]).into_bytes();
    let tls = tls_report("c.example", 7, 1, "").into_bytes();
    let letter = archived(&[("Canary.txt", b"Dear Canary"), ("page.xml", b"<page>feedback</page>")]);
    let deep = (0..PACKINGS + 2).fold(text.clone(), |bytes, _| packed(&bytes));
    let all = [
        ("1.eml", mail("Report Domain: c.example Submitter: r.example", &[])),
        ("2.eml", mail("a", &[("application/gzip", "x.gz", &packed(&text)[..40])])),
        ("3.eml", mail("a", &[("application/zip", "x.zip", &archived(&[("a.xml", &text)])[..60])])),
        ("4.eml", mail("a", &[("application/tlsrpt+gzip", "x.json.gz", b"nothing")])),
        ("5.eml", mail("a", &[("text/xml", "x.xml", &text[..text.len() - 30])])),
        ("6.eml", mail("a", &[("application/json", "x.json", &tls[..tls.len() - 3])])),
        ("7.eml", mail("a", &[("application/zip", "r!c.example!1!2.zip", &letter)])),
        ("8.eml", mail("a", &[("application/zip", "letter.zip", &letter), ("text/html", "x", b"<p>feedback</p>")])),
        ("9.eml", mail("a", &[("application/gzip", "x.gz", &deep)])),
    ];
    let observations = observed(&all);
    let named: Vec<(&str, String)> = faults(&observations);
    let part = ", part 3";
    let expected = [
        ("reports, mail 1".to_owned(), "it announces a report"),
        (format!("reports, mail 2{part}"), "cannot be unpacked"),
        (format!("reports, mail 3{part}"), "archive cannot be read"),
        (format!("reports, mail 4{part}"), "said to hold a report"),
        (format!("reports, mail 5{part}"), "not readable as XML"),
        (format!("reports, mail 6{part}"), "no JSON object"),
        (format!("reports, mail 7{part}"), "said to hold a report"),
        (format!("reports, mail 9{part}"), "packings in packings"),
    ];
    assert_eq!(named.len(), expected.len(), "{named:?}");
    for ((label, why), (of, words)) in named.iter().zip(&expected) {
        assert!(label == of && why.contains(words), "{label}: {why}");
    }
    assert_eq!(mail_of(&observations), (9, 1));
    assert!(!serde_json::to_string(&observations).unwrap().contains("Canary"));
}

#[test]
fn a_file_named_as_mail_is_told_by_its_place_even_where_it_is_none() {
    let observations = observed(&[("Canary Quillon.msg", vec![0xd0, 0xcf, 0x11, 0xe0]), ("a.txt", b"x".to_vec())]);
    let labels: Vec<&str> = faults(&observations).into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["reports, file 1", "reports/a.txt"]);
}

#[test]
fn a_tls_report_is_split_by_domain_and_strangers_are_passed_over() {
    let tls = tls_report(
        "c.example",
        7,
        1,
        r#"{"result-type":"tlsa-invalid","receiving-mx-hostname":"mx.c.example","failed-session-count":1}"#,
    );
    let other = tls_report("other.example", 7, 1, "");
    let observations = observed(&[
        ("1.json", tls.clone().into_bytes()),
        ("2.json.gz", packed(tls.as_bytes())),
        ("3.zip", archived(&[("x.json", tls.as_bytes())])),
        ("4.json", other.into_bytes()),
        ("5.json", b"{\"a\": 1}".to_vec()),
    ]);
    let reports = tls_reports(&observations);
    let labels: Vec<&str> = reports.iter().map(|(label, _)| *label).collect();
    assert_eq!(labels, ["reports/1.json", "reports/2.json.gz", "reports/3.zip/x.json"]);
    for (_, report) in reports {
        assert_eq!((report.counts().succeeded, report.counts().failed), (7, 1));
        assert_eq!(report.policies[0].failures[0].sessions, 1);
    }
    let named = faults(&observations);
    assert!(named[0].1.contains("not in scope: a report about other.example"), "{named:?}");
    assert!(named[1].0 == "reports/5.json" && named[1].1.contains("TLS report"), "{named:?}");
}

#[test]
fn a_packing_that_grows_too_much_ends_by_its_ratio() {
    let bomb = packed(&vec![b' '; 8 * 1024 * 1024]);
    let observations = observed(&[
        ("1.gz", bomb.clone()),
        (
            "2.eml",
            mail("a", &[("application/gzip", "x.gz", &packed(&[b"<feedback>".as_slice(), &[b' '; 8 << 20]].concat()))]),
        ),
    ]);
    let named = faults(&observations);
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named.iter().all(|(_, why)| why.contains("bytes of one report, unpacked")), "{named:?}");
}
