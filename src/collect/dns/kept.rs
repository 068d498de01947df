//! Answers kept for the run, so that what many domains include is asked for once. Bounded: what was
//! not asked for again is forgotten, so that a list of any length takes the same memory.

use std::collections::HashMap;

use crate::evidence::network::DnsAnswer;
use crate::names::SubjectId;
use crate::records::dns_message::{DnsQuestion, RecordKind};

/// Answers of one generation; there are two.
const ANSWERS: usize = 2_048;
/// Longer answers are not kept.
const ANSWER_BYTES: usize = 4_096;
/// All answers of one generation.
const BYTES: usize = 1024 * 1024;

/// Whether another subject, or another part of the run, may ask the same. What lies below a subject's
/// own name is asked for once; the addresses of its hosts are wanted again when they are connected to.
pub(super) fn is_shared(subject: &SubjectId, question: &DnsQuestion) -> bool {
    match question.kind {
        RecordKind::A | RecordKind::Aaaa => true,
        RecordKind::Caa
        | RecordKind::Cname
        | RecordKind::Dnskey
        | RecordKind::Mx
        | RecordKind::Soa
        | RecordKind::Srv
        | RecordKind::Tlsa
        | RecordKind::Txt => {
            let below = question.name.as_str().strip_suffix(subject.name.as_str());
            !below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
        }
    }
}

/// Two generations: an answer that is asked for again moves to the younger one, and the older one is
/// dropped when the younger is full.
#[derive(Debug, Default)]
pub(super) struct Kept {
    young: HashMap<DnsQuestion, DnsAnswer>,
    young_bytes: usize,
    old: HashMap<DnsQuestion, DnsAnswer>,
}

impl Kept {
    pub(super) fn get(&mut self, question: &DnsQuestion) -> Option<DnsAnswer> {
        if let Some(answer) = self.young.get(question) {
            return Some(answer.clone());
        }
        let answer = self.old.remove(question)?;
        self.insert(question, &answer);
        Some(answer)
    }

    pub(super) fn insert(&mut self, question: &DnsQuestion, answer: &DnsAnswer) {
        let bytes = answer.message.0.len();
        if bytes > ANSWER_BYTES {
            return;
        }
        if self.young.len() == ANSWERS || self.young_bytes + bytes > BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        if self.young.insert(question.clone(), answer.clone()).is_none() {
            self.young_bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ReceivedBytes;
    use crate::names::SubjectKind;

    fn question(name: &str, kind: RecordKind) -> DnsQuestion {
        DnsQuestion { name: name.parse().unwrap(), kind }
    }

    fn answer(bytes: usize) -> DnsAnswer {
        DnsAnswer {
            server: "192.0.2.53:53".to_owned(),
            transport: "udp".to_owned(),
            rcode: "NOERROR".to_owned(),
            dnssec: "insecure".to_owned(),
            message: ReceivedBytes(vec![0; bytes]),
        }
    }

    #[test]
    fn a_list_of_any_length_is_kept_in_the_same_memory_and_what_all_share_stays() {
        let mut kept = Kept::default();
        let shared = question("spf.v.example", RecordKind::Txt);
        kept.insert(&shared, &answer(300));
        for index in 0..50_000 {
            kept.insert(&question(&format!("d{index}.example"), RecordKind::Txt), &answer(400 + index % 4_000));
            assert!(kept.get(&shared).is_some());
            assert!(kept.young.len() <= ANSWERS && kept.old.len() <= ANSWERS && kept.young_bytes <= BYTES);
        }
        assert!(kept.get(&question("d0.example", RecordKind::Txt)).is_none());
    }

    #[test]
    fn what_lies_below_the_subject_is_its_own() {
        let subject = SubjectId::new(SubjectKind::Domain, "c.example");
        for (name, kind, shared) in [
            ("c.example", RecordKind::Mx, false),
            ("_dmarc.c.example", RecordKind::Txt, false),
            ("m.c.example", RecordKind::A, true),
            ("abc.example", RecordKind::Txt, true),
            ("spf.v.example", RecordKind::Txt, true),
        ] {
            assert_eq!(is_shared(&subject, &question(name, kind)), shared, "{name}");
        }
    }
}
