//! What each fuzz target does with bytes from outside. The same functions are run over the stored
//! corpora by the ordinary tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use base64::Engine;
use mailassay::catalogues::vendors::VendorCatalogue;
use mailassay::collect::messages::{
    self, MailFrom, MailSource, PdfReader, ScanKey, ScanOptions, mail_of_outlook, mails_of_mailbox_file,
};
use mailassay::evidence::endpoint::{Beside, Dialogue, EndpointAnswer, Hello, HelloReply};
use mailassay::evidence::{Answer, ReceivedBytes};
use mailassay::names::DomainName;
use mailassay::records::cipher_suites::NOBODY_HAS;
use mailassay::records::dane::Chains;
use mailassay::records::dns_message::{Answers, DnsQuestion, Dnssec, Header, Rdata, RecordKind, Reply, Response, Tlsa};
use mailassay::records::spf_check::{Lookup, LookupFailed, Message, check};
use mailassay::records::tls_picture::picture;
use mailassay::records::tls_traits::traits;
use mailassay::records::trace::{OwnHost, arrival};
use mailassay::records::{
    advice, certificate, dkim, dkim_signature, dmarc, dmarc_report, domain, mta_sts, server_hello, smtp_reply, spf,
    tls_report,
};
use mailassay::seen::NotObserved;

/// Reads bytes from outside; only a fault of ours stops it.
pub type Body = fn(&[u8]);

/// The target of a name.
pub fn by_name(name: &str) -> Option<Body> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, body)| *body)
}

/// Every target.
pub const TARGETS: [(&str, Body); 18] = [
    ("attachment", attachment),
    ("certificate", certificate),
    ("dkim", dkim),
    ("dkim_signature", dkim_signature),
    ("dmarc", dmarc),
    ("dmarc_report", dmarc_report),
    ("dns_message", dns_message),
    ("domain", domain_records),
    ("mailbox_file", mailbox_file),
    ("mbox", mbox),
    ("mta_sts", mta_sts),
    ("outlook", outlook),
    ("server_hello", server_hello),
    ("smtp_reply", smtp_reply),
    ("spf", spf),
    ("spf_check", spf_check),
    ("tls_report", tls_report),
    ("trace", trace),
];

pub fn certificate(bytes: &[u8]) {
    if let Ok(read) = certificate::read(bytes) {
        let _ = certificate::in_order([bytes, bytes]);
        let _ = (read.strength(), read.is_for("mail.clinic.example"), read.is_for("192.0.2.1"));
    }
}

/// Lines of a header section, a name and a value each.
pub fn trace(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let own = [false, true].map(|removes_foreign_results| OwnHost {
        name: "mail.clinic.example".parse().expect("a name in DNS"),
        removes_foreign_results,
    });
    let fields = || text.lines().filter_map(|line| line.split_once(':'));
    for host in own {
        let _ = arrival(fields(), &[host]);
    }
}

pub fn dkim(bytes: &[u8]) {
    let _ = dkim::parse(&String::from_utf8_lossy(bytes));
}

pub fn dkim_signature(bytes: &[u8]) {
    let _ = dkim_signature::signatures(bytes);
}

pub fn dmarc_report(bytes: &[u8]) {
    if let Ok(report) = dmarc_report::read(&String::from_utf8_lossy(bytes)) {
        for row in &report.rows {
            let _ = (row.aligned(), row.authenticated());
        }
    }
}

pub fn tls_report(bytes: &[u8]) {
    if let Ok(report) = tls_report::read(&String::from_utf8_lossy(bytes)) {
        for policy in &report.policies {
            let detailed = policy.failures.iter().fold(0_u64, |all, failure| all.saturating_add(failure.sessions));
            assert!(policy.failed >= detailed, "no failure is lost");
        }
    }
}

pub fn dmarc(bytes: &[u8]) {
    let _ = dmarc::parse(&String::from_utf8_lossy(bytes));
}

pub fn mta_sts(bytes: &[u8]) {
    if let Ok(policy) = mta_sts::parse_policy(bytes) {
        for pattern in &policy.mx {
            let _ = mta_sts::matches(&pattern.to_string(), "mail.clinic.example");
        }
    }
}

/// One of Outlook's messages; what is made of it begins as mail does.
pub fn outlook(bytes: &[u8]) {
    if let Ok(mail) = mail_of_outlook(bytes) {
        assert!(mail.windows(4).any(|end| end == b"\r\n\r\n"), "the header ends");
    }
}

/// One of Outlook's mailbox files; what is made of its messages begins as mail does.
pub fn mailbox_file(bytes: &[u8]) {
    for mail in mails_of_mailbox_file(bytes) {
        assert!(mail.windows(4).any(|end| end == b"\r\n\r\n"), "the header ends");
    }
}

/// An mbox from standard input, and every message in it.
pub fn mbox(bytes: &[u8]) {
    let begins = bytes.windows(5).filter(|window| *window == b"From ").count() as u64;
    assert!(counted(bytes) <= begins + 1, "a message begins at a line of its own");
}

/// What is attached to a message: the first byte says under which type and name.
pub fn attachment(bytes: &[u8]) {
    const SENT_AS: [(&str, &str); 13] = [
        ("application/ms-tnef", "winmail.dat"),
        ("application/octet-stream", "a.bin"),
        ("application/octet-stream", "a.doc"),
        ("application/octet-stream", "a.docx"),
        ("application/octet-stream", "a.xlsb"),
        ("application/pdf", "a.pdf"),
        ("application/pkcs7-mime", "smime.p7m"),
        ("application/rtf", "a.rtf"),
        ("application/zip", "a.zip"),
        ("message/rfc822", "a.eml"),
        ("text/calendar", "a.ics"),
        ("text/csv", "a.csv"),
        ("text/html", "a.html"),
    ];
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let (kind, name) = SENT_AS[usize::from(*choice) % SENT_AS.len()];
    let coded = base64::engine::general_purpose::STANDARD.encode(bytes);
    let mail = format!(
        "From a@clinic.example Thu Jan  1 00:00:00 2026\nContent-Type: {kind}; name={name}\n\
         Content-Transfer-Encoding: base64\n\n{coded}\n"
    );
    assert_eq!(counted(mail.as_bytes()), 1);
}

/// The messages that a scan of this mbox counts; none of our readers may fail on one.
fn counted(mbox: &[u8]) -> u64 {
    let from = MailFrom::Stream(Box::new(std::io::Cursor::new(mbox.to_vec())));
    let options = ScanOptions {
        key: ScanKey::from_secret(b"fuzz"),
        message_key: None,
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        vantage: "fuzz".to_owned(),
        traced: messages::Traced::default(),
        pdf: PdfReader::none(),
        own_domains: vec![clinic()],
        roster: None,
        sample: None,
    };
    let source = MailSource { label: "-".to_owned(), mailbox: "m".to_owned(), from };
    let answers = messages::scan(vec![source], &options).observations.into_iter().map(|seen| seen.answer);
    answers
        .map(|answer| match answer {
            Ok(Answer::ContentFolder(folder)) => {
                assert!(!folder.not_inspected.contains_key("reader-fault"));
                folder.messages
            }
            Ok(_) | Err(_) => 0,
        })
        .sum()
}

/// Bytes from a server: in pieces and whole they give the same flight, and whatever they are, a picture
/// is made of them.
pub fn server_hello(bytes: &[u8]) {
    let (Some((&size, bytes)), mut pieces, mut whole) =
        (bytes.split_first(), server_hello::FlightReader::default(), server_hello::FlightReader::default())
    else {
        return;
    };
    let in_pieces = bytes.chunks(usize::from(size).max(1)).try_for_each(|piece| pieces.push(piece).map(drop));
    let at_once = whole.push(bytes);
    if in_pieces.is_ok() && at_once.is_ok() {
        assert_eq!(pieces.flight(), whole.flight(), "segments do not matter");
    }
    let _ = server_hello::read_ssl2_hello(bytes);
    for finite_field in [false, true] {
        let _ = server_hello::read_key_exchange(bytes, finite_field);
        let _ = server_hello::read_signature_scheme(bytes, finite_field);
    }
    let flight = whole.into_flight();
    let hello = |version: u16, suites: Vec<u16>, reply: HelloReply| Hello {
        version,
        suites,
        groups: vec![0x001d],
        reply,
        beside: vec![Beside::EncryptThenMac, Beside::RenegotiationInfo],
        signatures: Vec::new(),
        asks_certificate: flight.asks_certificate,
        key_exchange: flight.key_exchange.clone().map(ReceivedBytes),
    };
    let chosen = HelloReply::ServerHello { bytes: ReceivedBytes(flight.server_hello.clone().unwrap_or_default()) };
    let raw = HelloReply::ServerHello { bytes: ReceivedBytes(bytes.to_vec()) };
    let hellos = vec![
        hello(0x0303, vec![NOBODY_HAS], HelloReply::Closed),
        hello(0x0303, vec![0xc02f, 0x0033, 0x0018], chosen.clone()),
        hello(0x0304, vec![0x1301, 0x1302], chosen),
        hello(0x0303, vec![0xc02f], raw.clone()),
        hello(0x0002, Vec::new(), raw),
    ];
    let answer = EndpointAnswer { hellos, ..EndpointAnswer::default() };
    let picture = picture(&answer);
    for version in picture.versions.values() {
        let _ = version.suite_names();
    }
    let _ = traits(&answer, &picture);
}

pub fn smtp_reply(bytes: &[u8]) {
    let _ = smtp_reply::read_line(bytes);
    if let Ok(reply) = smtp_reply::read_reply(bytes) {
        let _ = smtp_reply::keywords(&reply);
    }
    for protocol in ["smtp", "imap", "pop3", "sieve"] {
        let received = || Some(ReceivedBytes(bytes.to_vec()));
        let dialogue = Dialogue { greeting: received(), capabilities: received(), starttls_reply: None };
        let _ = mailassay::records::plain_offer::sends_passwords_in_clear(protocol, &dialogue);
        let _ = mailassay::records::plain_offer::offers_starttls_again(protocol, bytes);
    }
}

pub fn spf(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (spf::is_lookalike(&text), spf::explanation(&text));
    let _ = spf::parse(&text);
    let _ = text.parse::<DomainName>();
}

/// A whole DNS message, as the answer to a question of every kind.
pub fn dns_message(bytes: &[u8]) {
    let _ = Header::read(bytes);
    for kind in RecordKind::ALL {
        let question = DnsQuestion { name: clinic(), kind };
        let _ = Response::read(bytes, &question);
    }
}

fn clinic() -> DomainName {
    "clinic.example".parse().expect("a name")
}

/// What is left of the input; at its end all bytes are zero.
struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    fn text(&mut self) -> String {
        let length = usize::from(self.byte()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }

    fn reply(&mut self, kind: RecordKind) -> Reply {
        let what = self.byte();
        if what.is_multiple_of(8) {
            return Reply::Failed(NotObserved::TimedOut { after_ms: 1 });
        }
        let mut response =
            Response { exists: what % 8 != 1, aliases: Vec::new(), data: Vec::new(), dnssec: Dnssec::Insecure };
        if what & 0x80 != 0 {
            response.dnssec = Dnssec::Secure;
        }
        if what & 0x40 != 0 {
            response.aliases.push(self.text());
        }
        for _ in 0..(what % 8).saturating_sub(2) {
            response.data.push(self.data(kind));
        }
        Reply::Answered(response)
    }

    fn data(&mut self, kind: RecordKind) -> Rdata {
        const BEGINNINGS: [&str; 8] =
            ["", "v=spf1 ", "v=DMARC1; ", "v=DKIM1; ", "v=STSv1; ", "v=TLSRPTv1; ", "v=BIMI1; ", "v=spf1 include:"];
        match kind {
            RecordKind::A => Rdata::A(Ipv4Addr::new(self.byte(), self.byte(), 0, 1)),
            RecordKind::Aaaa => Rdata::Aaaa(Ipv6Addr::from(u128::from(self.byte()) << 120 | u128::from(self.byte()))),
            RecordKind::Caa => Rdata::Caa(self.text()),
            RecordKind::Mx => Rdata::Mx { preference: self.byte().into(), exchange: self.text() },
            RecordKind::Srv => Rdata::Srv {
                priority: self.byte().into(),
                weight: 0,
                port: u16::from(self.byte()) * 5,
                target: self.text(),
            },
            RecordKind::Tlsa => Rdata::Tlsa(Tlsa {
                usage: self.byte(),
                selector: self.byte(),
                matching: self.byte(),
                data: self.text().into_bytes(),
            }),
            RecordKind::Txt => {
                let beginning = BEGINNINGS[usize::from(self.byte() % 8)];
                Rdata::Txt(vec![beginning.as_bytes().to_vec(), self.text().into_bytes()])
            }
            RecordKind::Cname | RecordKind::Dnskey | RecordKind::Soa => Rdata::Other,
        }
    }
}

/// A domain whose every answer comes from the input: all readers of records, what they ask next,
/// and what they would publish instead.
pub fn domain_records(bytes: &[u8]) {
    static CATALOGUE: OnceLock<VendorCatalogue> = OnceLock::new();
    let given = domain::Given {
        selectors: &["s1".to_owned()],
        seen: &domain::SeenSelectors::new(),
        sends: bytes.len().is_multiple_of(2),
        catalogue: CATALOGUE.get_or_init(VendorCatalogue::shipped),
        policy: None,
        chains: &Chains::new(),
        permitted: &|_| false,
    };
    let (name, mut input, mut answers) = (clinic(), Input(bytes), Answers::default());
    for _ in 0..8 {
        let records = domain::read(&name, &given, &answers);
        for published in advice::advise(&name, &records, given.sends) {
            let _ = published.to_paste();
        }
        let _ = records.notes();
        if records.wanted.is_empty() {
            break;
        }
        for question in records.wanted {
            let reply = input.reply(question.kind);
            answers.insert(question, reply, None);
        }
    }
}

impl Lookup for Input<'_> {
    fn addresses(&mut self, _: &str, ipv6: bool) -> Result<Vec<IpAddr>, LookupFailed> {
        match self.byte() {
            0 => Err(LookupFailed),
            1 => Ok(Vec::new()),
            last if ipv6 => Ok(vec![IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last.into()))]),
            last => Ok(vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))]),
        }
    }

    fn mail_exchangers(&mut self, _: &str) -> Result<Vec<String>, LookupFailed> {
        let count = self.byte() % 16;
        Ok((0..count).map(|_| self.text()).collect())
    }

    fn names(&mut self, _: IpAddr) -> Result<Vec<String>, LookupFailed> {
        let count = self.byte() % 16;
        Ok((0..count).map(|_| self.text()).collect())
    }

    fn texts(&mut self, _: &str) -> Result<Vec<Vec<u8>>, LookupFailed> {
        match self.byte() {
            0 => Err(LookupFailed),
            1 => Ok(Vec::new()),
            _ => Ok(vec![format!("v=spf1 {}", self.text()).into_bytes()]),
        }
    }
}

/// One message judged by records that come from the input.
pub fn spf_check(bytes: &[u8]) {
    let mut input = Input(bytes);
    let message = Message {
        address: if input.byte().is_multiple_of(2) {
            [192, 0, 2, 1].into()
        } else {
            "2001:db8::1".parse().expect("an address")
        },
        mail_from: format!("{}@clinic.example", input.text()),
        helo: input.text(),
        receiver: "receiver.example".to_owned(),
    };
    let _ = check(&mut input, &message);
}
