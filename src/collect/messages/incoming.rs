//! How mail of partners arrived: over TLS or in clear, as the organization's own hosts recorded it.
//!
//! That a partner handed a message over itself is believed only where an own host recorded that SPF
//! passed for the partner's domain, or that the message came from a host of that domain whose name it
//! confirmed. A passed DKIM or DMARC proves who wrote it and outlives being forwarded by somebody else,
//! and anybody may write a partner's name into From, so the rest is counted apart.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::ScanOptions;
use super::tally::MessageReading;
use crate::evidence::content::IncomingMail;
use crate::evidence::{Answer, Observation, Question, Source};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::trace::{Arrival, AuthResult, Carried, Method, OwnHost, arrival};
use crate::seen::NotObserved;

/// Different cipher suites that are told of one partner.
const CIPHERS: usize = 50;

/// Whose mail is looked at, and whose trace fields are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traced {
    /// The organization's own hosts, by the names they write into Received fields.
    pub own_hosts: Vec<OwnHost>,
    /// Sorted; each gets an observation, also where it sent nothing.
    pub partners: Vec<DomainName>,
}

/// How one message of a partner arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incoming {
    partner: DomainName,
    /// `None` where no own host surely tells.
    arrival: Option<Arrival>,
}

impl Incoming {
    /// Of a message that names `writer` as the domain of its only author.
    pub(super) fn of<'m>(
        writer: &str,
        fields: impl Iterator<Item = (&'m str, &'m str)>,
        traced: &Traced,
    ) -> Option<Self> {
        if traced.partners.is_empty() {
            return None;
        }
        let writer = writer.parse::<DomainName>().ok()?;
        // The nearest of several that hold it.
        let holding = traced.partners.iter().filter(|partner| writer.is_at_or_below(partner));
        let partner = holding.max_by_key(|partner| partner.as_str().len())?.clone();
        Some(Self { partner, arrival: arrival(fields, &traced.own_hosts) })
    }
}

/// Adds up what arrived.
#[derive(Default)]
pub(super) struct Tally {
    partners: BTreeMap<DomainName, IncomingMail>,
    complete: bool,
}

impl Tally {
    pub(super) fn new(traced: &Traced) -> Self {
        let partners = traced.partners.iter().map(|partner| (partner.clone(), IncomingMail::default()));
        Self { partners: partners.collect(), complete: true }
    }

    /// A file that was not read whole may hold more.
    pub(super) fn file(&mut self, answer: &Result<Answer, NotObserved>) {
        self.complete &= match answer {
            Ok(Answer::ContentFile(file)) => file.complete,
            Ok(_) => true,
            Err(_) => false,
        };
    }

    pub(super) fn add(&mut self, reading: &MessageReading) {
        // Without its header nobody knows whose message it was.
        self.complete &= !reading.header_unread;
        let Some(incoming) = &reading.incoming else { return };
        let Some(counts) = self.partners.get_mut(&incoming.partner) else { return };
        counts.messages += 1;
        match &incoming.arrival {
            None => counts.untraced += 1,
            Some(arrival) => count(counts, &incoming.partner, arrival, reading.date),
        }
    }

    pub(super) fn finish(self, options: &ScanOptions) -> Vec<Observation> {
        let complete = self.complete;
        let observation = |(partner, counts): (DomainName, IncomingMail)| Observation {
            subject: SubjectId::new(SubjectKind::Partner, partner.as_str()),
            source: Source::Content,
            question: Question::IncomingMail,
            asked_at: options.now,
            took_ms: 0,
            vantage: options.vantage.clone(),
            answer: Ok(Answer::IncomingMail(Box::new(IncomingMail { complete, ..counts }))),
        };
        self.partners.into_iter().map(observation).collect()
    }
}

fn count(counts: &mut IncomingMail, partner: &DomainName, arrival: &Arrival, date: Option<Date>) {
    for (method, word) in [(Method::Dkim, "dkim"), (Method::Dmarc, "dmarc"), (Method::Spf, "spf")] {
        let of_method = || arrival.results.iter().filter(|one| one.method == method);
        // Several signatures may speak of several domains: the one of the partner counts first.
        let ours = of_method().filter(|one| speaks_of(one.domain.as_ref(), partner));
        let best = ours.clone().find(|one| one.result == "pass").or_else(|| ours.clone().next());
        let told = match (best, of_method().next()) {
            (Some(one), _) => format!("{word} {}", one.result),
            (None, Some(_)) => format!("{word} of another domain"),
            (None, None) => format!("{word} not recorded"),
        };
        *counts.results.entry(told).or_default() += 1;
    }
    let handed_over =
        |one: &AuthResult| one.method == Method::Spf && one.result == "pass" && speaks_of(one.domain.as_ref(), partner);
    if !arrival.results.iter().any(handed_over) && !speaks_of(arrival.from_host.as_ref(), partner) {
        counts.unproven += 1;
        return;
    }
    counts.oldest = [counts.oldest, date].into_iter().flatten().min();
    counts.newest = [counts.newest, date].into_iter().flatten().max();
    match &arrival.carried {
        Carried::Clear => counts.clear += 1,
        Carried::NotTold => counts.not_told += 1,
        Carried::Tls { version, cipher } => {
            counts.tls += 1;
            *counts.versions.entry(version.unwrap_or("not told").to_owned()).or_default() += 1;
            let cipher = cipher.as_deref().unwrap_or("not told");
            let cipher =
                if counts.ciphers.len() < CIPHERS || counts.ciphers.contains_key(cipher) { cipher } else { "others" };
            *counts.ciphers.entry(cipher.to_owned()).or_default() += 1;
        }
    }
}

fn speaks_of(domain: Option<&DomainName>, partner: &DomainName) -> bool {
    domain.is_some_and(|domain| domain.is_at_or_below(partner))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{mbox_of, options, scan_with};
    use super::super::{MailFrom, MailSource, scan};
    use super::*;
    use crate::files::write_whole;

    #[test]
    fn a_message_of_outlook_that_cannot_be_read_may_be_a_partners() {
        let empty = || cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
        let mut later = empty();
        later.create_stream("/__properties_version1.0").unwrap();
        for (mut file, whole) in [(empty(), false), (later, true)] {
            file.flush().unwrap();
            let root = tempfile::tempdir().unwrap();
            write_whole(&root.path().join("one.msg"), &file.into_inner().into_inner()).unwrap();
            let traced = Traced { own_hosts: Vec::new(), partners: vec!["lab.example".parse().unwrap()] };
            let from = MailFrom::Path(root.path().to_owned());
            let source = MailSource { label: "mail".to_owned(), mailbox: "desk".to_owned(), from };
            let scan = scan(vec![source], &ScanOptions { traced, ..options() });
            let complete = scan.observations.iter().find_map(|observation| match &observation.answer {
                Ok(Answer::IncomingMail(mail)) => Some(mail.complete),
                _ => None,
            });
            assert_eq!(complete, Some(whole));
        }
    }

    const HOP: &str = "by mail.clinic.example (Postfix) with";

    fn message(trace: &str, from: &str) -> String {
        format!(
            "{trace}\nFrom: {from}\nTo: desk@clinic.example\nDate: Thu, 1 Oct 2026 10:00:00 +0000\nSubject: x\n\nx\n"
        )
    }

    fn counted(messages: &[String]) -> IncomingMail {
        let own_hosts = vec![OwnHost { name: "mail.clinic.example".parse().unwrap(), removes_foreign_results: false }];
        let partners = vec!["lab.example".parse().unwrap()];
        let options = ScanOptions { traced: Traced { own_hosts, partners }, ..options() };
        let scan = scan_with(mbox_of(messages), &options);
        let found = scan.observations.into_iter().find_map(|observation| match observation.answer {
            Ok(Answer::IncomingMail(mail)) if observation.subject.name == "lab.example" => Some(*mail),
            _ => None,
        });
        found.unwrap()
    }

    #[test]
    fn only_mail_that_the_partner_provably_handed_over_is_weighed() {
        let tls = "(using TLSv1.3 with cipher TLS_AES_128_GCM_SHA256 (128/128 bits))";
        let passed = "Authentication-Results: mail.clinic.example; dmarc=pass header.from=lab.example; dkim=pass header.d=lab.example; spf=pass smtp.mailfrom=x@lab.example";
        let mail = counted(&[
            message(
                &format!("{passed}\nReceived: from a (unknown [192.0.2.9]) {tls} {HOP} ESMTPS id 1; x"),
                "a@lab.example",
            ),
            message(
                &format!("Received: from a (mx.lab.example [192.0.2.9]) {HOP} ESMTP id 1; x"),
                "a@mail.lab.example",
            ),
            // Signed by it and handed over by somebody else, whatever it came over.
            message(
                &format!(
                    "{}\nReceived: from a (mx.forwarder.example [192.0.2.9]) {tls} {HOP} ESMTPS id 1; x",
                    passed.replace("x@lab.example", "x@forwarder.example")
                ),
                "a@lab.example",
            ),
            // Forged.
            message(&format!("Received: from a (unknown [192.0.2.9]) {HOP} ESMTP id 1; x"), "a@lab.example"),
            message(
                &format!(
                    "{}\nReceived: from a (unknown [192.0.2.9]) {HOP} ESMTP id 1; x",
                    passed.replace("=pass", "=fail")
                ),
                "a@lab.example",
            ),
            message("X-A: b", "a@lab.example"),
            message(&format!("Received: from a (mx.lab.example [192.0.2.9]) {HOP} ESMTP id 1; x"), "a@other.example"),
            message(
                &format!("Received: from a (mx.lab.example [192.0.2.9]) {HOP} ESMTP id 1; x"),
                "a@lab.example, b@lab.example",
            ),
        ]);
        assert_eq!((mail.messages, mail.untraced, mail.unproven), (6, 1, 3));
        assert_eq!((mail.tls, mail.clear, mail.not_told), (1, 1, 0));
        assert_eq!(mail.versions, BTreeMap::from([("TLS 1.3".to_owned(), 1)]));
        assert_eq!(mail.results["dmarc pass"], 2);
        assert_eq!(mail.results["spf fail"], 1);
        assert_eq!(mail.results["spf of another domain"], 1);
        assert_eq!(mail.results["dkim not recorded"], 2);
        assert!(mail.complete);
        assert!(!counted(&["\n".to_owned()]).complete, "a message without a header may be anybody's");
    }
}
