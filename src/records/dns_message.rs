//! Reads a DNS message (RFC 1035 §4) into the few record types mail needs, and keeps the answers
//! of one subject together so that readers can say what they still want to know.
//!
//! Pure. It follows aliases inside one message; asking again is the work of `collect`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData};

use crate::evidence::{Answer, EvidenceId, Observation, Question};
use crate::names::DomainName;
use crate::seen::NotObserved;

/// The record types that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    A,
    Aaaa,
    Caa,
    Cname,
    Dnskey,
    Mx,
    Soa,
    Srv,
    Tlsa,
    Txt,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::A,
        Self::Aaaa,
        Self::Caa,
        Self::Cname,
        Self::Dnskey,
        Self::Mx,
        Self::Soa,
        Self::Srv,
        Self::Tlsa,
        Self::Txt,
    ];

    /// The mnemonic.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Dnskey => "DNSKEY",
            Self::Mx => "MX",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }

    /// The kind with this mnemonic.
    pub fn from_mnemonic(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One question to DNS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsQuestion {
    pub name: DomainName,
    pub kind: RecordKind,
}

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rdata {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    /// `0 issue "ca.example"` (RFC 8659 §4.1), unsafe characters written out.
    Caa(String),
    Mx {
        preference: u16,
        /// As text, lower case, no final dot; empty for the root. May hold `\DDD` escapes.
        exchange: String,
    },
    /// Of the type asked for, and not looked into.
    Other,
    /// RFC 2782.
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        /// As `exchange`.
        target: String,
    },
    Tlsa(Tlsa),
    /// The character-strings.
    Txt(Vec<Vec<u8>>),
}

/// A TLSA record (RFC 6698 §2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tlsa {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    pub data: Vec<u8>,
}

/// What a message says about one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// False for NXDOMAIN: the name at the end of the aliases does not exist.
    pub exists: bool,
    /// The alias targets followed, in order.
    pub aliases: Vec<String>,
    /// The records of the asked type at the end of the aliases.
    pub data: Vec<Rdata>,
    /// What was found out about the answer's signatures; the message itself does not say.
    pub dnssec: Dnssec,
}

/// RFC 4033 §5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dnssec {
    Bogus,
    Indeterminate,
    Insecure,
    Secure,
}

impl Dnssec {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bogus => "bogus",
            Self::Indeterminate => "indeterminate",
            Self::Insecure => "insecure",
            Self::Secure => "secure",
        }
    }

    /// The state with this word; anything else is not determined.
    pub fn from_word(word: &str) -> Self {
        match word {
            "bogus" => Self::Bogus,
            "insecure" => Self::Insecure,
            "secure" => Self::Secure,
            _ => Self::Indeterminate,
        }
    }
}

/// Why a message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("the DNS message cannot be read: {0}")]
    Broken(String),
    #[error("the answer is {0}, which is no answer")]
    Refused(String),
    #[error("the aliases go in a circle")]
    AliasLoop,
}

/// Aliases followed inside one message before giving up.
const MAX_ALIASES: usize = 16;

impl Response {
    /// Reads the message that answers `question`.
    pub fn read(bytes: &[u8], question: &DnsQuestion) -> Result<Self, MessageError> {
        let message = Message::from_vec(bytes).map_err(|error| MessageError::Broken(error.to_string()))?;
        let exists = match message.metadata.response_code {
            ResponseCode::NoError => true,
            ResponseCode::NXDomain => false,
            other => return Err(MessageError::Refused(format!("{other:?}").to_uppercase())),
        };
        // The aliases are looked up by owner, so that the order of records does not matter.
        let mut alias_of: BTreeMap<String, String> = BTreeMap::new();
        for record in &message.answers {
            if let RData::CNAME(target) = &record.data {
                alias_of.entry(name_text(&record.name)).or_insert_with(|| name_text(&target.0));
            }
        }
        let mut owner = question.name.as_str().to_owned();
        let mut aliases = Vec::new();
        if question.kind != RecordKind::Cname {
            while let Some(target) = alias_of.get(&owner) {
                if aliases.len() == MAX_ALIASES || aliases.contains(target) {
                    return Err(MessageError::AliasLoop);
                }
                aliases.push(target.clone());
                owner.clone_from(target);
            }
        } else if let Some(target) = alias_of.get(&owner) {
            aliases.push(target.clone());
        }
        let mut data: Vec<Rdata> = message
            .answers
            .iter()
            .filter(|record| name_text(&record.name) == owner)
            .filter_map(|record| rdata(&record.data, question.kind))
            .collect();
        data.sort();
        Ok(Self { exists, aliases, data, dnssec: Dnssec::Indeterminate })
    }

    /// True if there is no record of the asked type (RFC 2308: name error or no data).
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
}

fn rdata(data: &RData, kind: RecordKind) -> Option<Rdata> {
    match (kind, data) {
        (RecordKind::A, RData::A(address)) => Some(Rdata::A(address.0)),
        (RecordKind::Aaaa, RData::AAAA(address)) => Some(Rdata::Aaaa(address.0)),
        (RecordKind::Mx, RData::MX(mx)) => {
            Some(Rdata::Mx { preference: mx.preference, exchange: name_text(&mx.exchange) })
        }
        (RecordKind::Txt, RData::TXT(txt)) => {
            Some(Rdata::Txt(txt.txt_data.iter().map(|string| string.to_vec()).collect()))
        }
        (RecordKind::Srv, RData::SRV(srv)) => Some(Rdata::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: name_text(&srv.target),
        }),
        (RecordKind::Caa, RData::CAA(caa)) => Some(Rdata::Caa(crate::text::visible(&caa.to_string()))),
        (RecordKind::Tlsa, RData::TLSA(tlsa)) => Some(Rdata::Tlsa(Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        })),
        (kind, data) => (data.record_type().to_string() == kind.as_str()).then_some(Rdata::Other),
    }
}

/// A name as text: lower case, no final dot, bytes that no host name has as `\DDD`.
pub fn name_text(name: &Name) -> String {
    let mut text = String::new();
    for label in name.iter() {
        if !text.is_empty() {
            text.push('.');
        }
        for &byte in label {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
                text.push(char::from(byte.to_ascii_lowercase()));
            } else {
                text.push_str(&format!("\\{byte:03}"));
            }
        }
    }
    text
}

/// What the header of a message says, and how long its answer may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Of `aa`, `tc`, `rd`, `ra`, `ad`, `cd`, those that are set (RFC 1035 §4.1.1, RFC 4035 §3.2).
    pub flags: Vec<&'static str>,
    /// The shortest time to live among the answers, else among the records that prove absence, in
    /// seconds (RFC 2308 §5).
    pub ttl_seconds: Option<u32>,
    /// Records in the answer.
    pub answers: usize,
}

impl Header {
    /// Reads a message; `None` if it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let message = Message::from_vec(bytes).ok()?;
        let said = &message.metadata;
        let flags = [
            ("aa", said.authoritative),
            ("tc", said.truncation),
            ("rd", said.recursion_desired),
            ("ra", said.recursion_available),
            ("ad", said.authentic_data),
            ("cd", said.checking_disabled),
        ];
        let records = if message.answers.is_empty() { &message.authorities } else { &message.answers };
        Some(Self {
            flags: flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect(),
            ttl_seconds: records.iter().map(|record| record.ttl).min(),
            answers: message.answers.len(),
        })
    }
}

/// What is known about one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Answered(Response),
    Failed(NotObserved),
}

/// The answers about one subject, by question.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    replies: BTreeMap<DnsQuestion, (Reply, Vec<EvidenceId>)>,
}

impl Answers {
    /// Adds a reply. An answer is never replaced by a failure (two vantage points).
    pub fn insert(&mut self, question: DnsQuestion, reply: Reply, evidence: Option<EvidenceId>) {
        let ids: Vec<EvidenceId> = evidence.into_iter().collect();
        match self.replies.entry(question) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert((reply, ids));
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => match (&entry.get().0, &reply) {
                (Reply::Failed(_), Reply::Answered(_)) => {
                    entry.insert((reply, ids));
                }
                (Reply::Answered(_), Reply::Answered(_)) => entry.get_mut().1.extend(ids),
                (Reply::Answered(_) | Reply::Failed(_), Reply::Failed(_)) => {}
            },
        }
    }

    /// Adds what an observation says; observations that are no DNS questions add nothing. A bogus
    /// answer says nothing but that it is bogus, so only the SOA question may be answered by one.
    pub fn add(&mut self, observation: &Observation, evidence: Option<EvidenceId>) {
        let Question::Dns { name, record_type } = &observation.question else { return };
        let (Ok(name), Some(kind)) = (name.parse(), RecordKind::from_mnemonic(record_type)) else { return };
        let question = DnsQuestion { name, kind };
        let reply = match &observation.answer {
            Ok(Answer::Dns(answer)) => {
                let dnssec = Dnssec::from_word(&answer.dnssec);
                match Response::read(&answer.message.0, &question) {
                    Ok(_) if dnssec == Dnssec::Bogus && kind != RecordKind::Soa => {
                        Reply::Failed(NotObserved::Refused {
                            what: format!("{name}: DNSSEC bogus", name = question.name),
                        })
                    }
                    Ok(response) => Reply::Answered(Response { dnssec, ..response }),
                    Err(error) => Reply::Failed(NotObserved::Unreadable { why: error.to_string(), line: None }),
                }
            }
            Ok(_) => return,
            Err(reason) => Reply::Failed(reason.clone()),
        };
        self.insert(question, reply, evidence);
    }

    /// How many questions were put.
    pub fn len(&self) -> usize {
        self.replies.len()
    }

    /// True if nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// The observations that answer these questions.
    pub fn evidence<'q>(&self, questions: impl IntoIterator<Item = &'q DnsQuestion>) -> Vec<EvidenceId> {
        let mut ids: Vec<EvidenceId> = questions
            .into_iter()
            .filter_map(|question| self.replies.get(question))
            .flat_map(|(_, ids)| ids.iter().cloned())
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Every failure, with its question.
    pub fn failures(&self) -> impl Iterator<Item = (&DnsQuestion, &NotObserved)> {
        self.replies.iter().filter_map(|(question, (reply, _))| match reply {
            Reply::Answered(_) => None,
            Reply::Failed(reason) => Some((question, reason)),
        })
    }
}

/// What a reader gets for a question: an answer, a failure, or "not asked yet".
pub type Told<'a> = Result<Option<&'a Response>, NotObserved>;

/// Looks answers up and remembers which were used and which are still wanted. The same readers
/// thus decide what to ask next while collecting and what is known when judging.
#[derive(Debug)]
pub struct Reader<'a> {
    answers: &'a Answers,
    /// Questions whose reply was used.
    pub used: BTreeSet<DnsQuestion>,
    /// Questions that have no reply yet.
    pub wanted: BTreeSet<DnsQuestion>,
}

impl<'a> Reader<'a> {
    /// A reader over some answers.
    pub fn new(answers: &'a Answers) -> Self {
        Self { answers, used: BTreeSet::new(), wanted: BTreeSet::new() }
    }

    /// The reply to a question; `Ok(None)` if it was not asked, which is remembered.
    pub fn ask(&mut self, name: &DomainName, kind: RecordKind) -> Told<'a> {
        let question = DnsQuestion { name: name.clone(), kind };
        match self.answers.replies.get(&question) {
            None => {
                self.wanted.insert(question);
                Ok(None)
            }
            Some((reply, _)) => {
                self.used.insert(question);
                match reply {
                    Reply::Answered(response) => Ok(Some(response)),
                    Reply::Failed(reason) => Err(reason.clone()),
                }
            }
        }
    }

    /// Forgets what was used, so that the next part's evidence is its own.
    pub fn take_used(&mut self) -> BTreeSet<DnsQuestion> {
        std::mem::take(&mut self.used)
    }
}

/// Builds answers by hand for tests of the readers.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hickory_proto::rr::rdata::{CNAME, TXT};
    use hickory_proto::rr::{Record, RecordType};
    use proptest::prelude::*;

    pub(crate) fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    /// Answers from short lines: `name TYPE data`; data `!nx`, `!none`, `!fail`, TXT strings
    /// separated by ` | `.
    pub(crate) fn answers(lines: &[&str]) -> Answers {
        let mut all: BTreeMap<DnsQuestion, Reply> = BTreeMap::new();
        for line in lines {
            let mut words = line.splitn(3, ' ');
            let owner = name(words.next().unwrap());
            let kind = RecordKind::from_mnemonic(words.next().unwrap()).unwrap();
            let data = words.next().unwrap();
            let question = DnsQuestion { name: owner, kind };
            let empty = |exists| {
                Reply::Answered(Response { exists, aliases: Vec::new(), data: Vec::new(), dnssec: Dnssec::Insecure })
            };
            if data == "!fail" {
                all.insert(
                    question,
                    Reply::Failed(NotObserved::Refused { what: "192.0.2.53:53 answered SERVFAIL".to_owned() }),
                );
                continue;
            }
            let reply = all.entry(question).or_insert_with(|| empty(data != "!nx"));
            let Reply::Answered(response) = reply else { continue };
            match data {
                "!nx" | "!none" => {}
                _ if data.starts_with("-> ") => response.aliases.push(data[3..].to_owned()),
                _ => response.data.push(match kind {
                    RecordKind::A => Rdata::A(data.parse().unwrap()),
                    RecordKind::Aaaa => Rdata::Aaaa(data.parse().unwrap()),
                    RecordKind::Mx => {
                        let (preference, exchange) = data.split_once(' ').unwrap();
                        Rdata::Mx {
                            preference: preference.parse().unwrap(),
                            exchange: exchange.trim_end_matches('.').to_owned(),
                        }
                    }
                    RecordKind::Txt => Rdata::Txt(data.split(" | ").map(|s| s.as_bytes().to_vec()).collect()),
                    RecordKind::Srv => {
                        let words: Vec<&str> = data.split(' ').collect();
                        Rdata::Srv {
                            priority: words[0].parse().unwrap(),
                            weight: words[1].parse().unwrap(),
                            port: words[2].parse().unwrap(),
                            target: words[3].trim_end_matches('.').to_owned(),
                        }
                    }
                    RecordKind::Caa => Rdata::Caa(data.to_owned()),
                    RecordKind::Cname | RecordKind::Dnskey | RecordKind::Soa | RecordKind::Tlsa => Rdata::Other,
                }),
            }
        }
        let mut answers = Answers::default();
        for (question, reply) in all {
            answers.insert(question, reply, None);
        }
        answers
    }

    fn message(records: Vec<Record>) -> Vec<u8> {
        let mut message = Message::response(7, hickory_proto::op::OpCode::Query);
        message.add_query(hickory_proto::op::Query::query("a.example.".parse().unwrap(), RecordType::TXT));
        message.add_answers(records);
        message.to_vec().unwrap()
    }

    #[test]
    fn an_alias_is_followed_whatever_the_order_of_records() {
        let text = Record::from_rdata(
            "b.example.".parse().unwrap(),
            60,
            RData::TXT(TXT::new(vec!["one".to_owned(), "two".to_owned()])),
        );
        let alias =
            Record::from_rdata("A.example.".parse().unwrap(), 60, RData::CNAME(CNAME("B.example.".parse().unwrap())));
        let question = DnsQuestion { name: name("a.example"), kind: RecordKind::Txt };
        for records in [vec![text.clone(), alias.clone()], vec![alias, text]] {
            let response = Response::read(&message(records), &question).unwrap();
            assert_eq!(response.aliases, ["b.example"]);
            assert_eq!(response.data, [Rdata::Txt(vec![b"one".to_vec(), b"two".to_vec()])]);
        }
    }

    #[test]
    fn an_alias_loop_is_no_answer() {
        let alias = |from: &str, to: &str| {
            Record::from_rdata(from.parse().unwrap(), 60, RData::CNAME(CNAME(to.parse().unwrap())))
        };
        let bytes = message(vec![alias("a.example.", "b.example."), alias("b.example.", "a.example.")]);
        let question = DnsQuestion { name: name("a.example"), kind: RecordKind::Txt };
        assert_eq!(Response::read(&bytes, &question), Err(MessageError::AliasLoop));
    }

    #[test]
    fn a_name_that_points_at_itself_is_no_answer() {
        let question = DnsQuestion { name: name("a.example"), kind: RecordKind::Txt };
        let header = [0, 7, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0];
        for pointers in [&[0xc0, 0x0c][..], &[0xc0, 0x0e, 0xc0, 0x0c], &[1, b'a', 0xc0, 0x0c]] {
            let bytes = [&header, pointers, &[0, 16, 0, 1]].concat();
            assert!(matches!(Response::read(&bytes, &question), Err(MessageError::Broken(_))));
        }
    }

    #[test]
    fn a_header_that_promises_65535_answers_brings_none() {
        let question = DnsQuestion { name: name("a.example"), kind: RecordKind::Txt };
        let mut bytes = message(Vec::new());
        bytes[6..8].copy_from_slice(&[0xff, 0xff]);
        assert!(matches!(Response::read(&bytes, &question), Err(MessageError::Broken(_))));
    }

    #[test]
    fn as_many_answers_as_a_message_holds_are_read() {
        let owner: Name = "a.example.".parse().unwrap();
        let one = |number: u32| Record::from_rdata(owner.clone(), 60, RData::A(Ipv4Addr::from(number).into()));
        let mut bytes = message((0..2_000).map(one).collect());
        // The question was for TXT; all answers are addresses.
        let question = DnsQuestion { name: name("a.example"), kind: RecordKind::Txt };
        assert!(Response::read(&bytes, &question).unwrap().is_empty());
        let question = DnsQuestion { kind: RecordKind::A, ..question };
        assert_eq!(Response::read(&bytes, &question).unwrap().data.len(), 2_000);
        bytes.truncate(40_000);
        assert!(matches!(Response::read(&bytes, &question), Err(MessageError::Broken(_))));
    }

    #[test]
    fn a_failure_never_replaces_an_answer() {
        let mut answers = answers(&["a.example TXT hello"]);
        let question = DnsQuestion { name: name("a.example"), kind: RecordKind::Txt };
        answers.insert(question.clone(), Reply::Failed(NotObserved::TimedOut { after_ms: 1 }), None);
        assert!(Reader::new(&answers).ask(&question.name, question.kind).unwrap().is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Response::read(&bytes, &DnsQuestion { name: name("a.example"), kind: RecordKind::Txt });
        }
    }
}
