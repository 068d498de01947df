//! What stands behind a domain's verdicts: the SPF tree, the names DMARC asks, what receivers do,
//! what to publish instead, and each question with what came back.

use std::fmt::Write as _;

use serde::Serialize;

use super::{DomainProbe, wrap};
use crate::evidence::{Answer, Observation, Question};
use crate::names::DomainName;
use crate::records::discovery::Discovery;
use crate::records::dns_message::Header;
use crate::records::domain::DomainRecords;
use crate::records::{advice, dmarc, spf_tree};
use crate::text::visible;

/// How receivers come to their verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    pub spf_lookups: u32,
    pub spf_void_lookups: u32,
    pub spf_tree: Vec<SpfTerm>,
    pub dmarc_walk: Vec<Walked>,
    /// What is done with mail that fails, by RFC 9989; absent where no record applies.
    pub receivers_rfc9989: Option<&'static str>,
    /// The same by RFC 7489.
    pub receivers_rfc7489: Option<&'static str>,
}

/// A term of the SPF tree.
#[derive(Clone, Debug, Serialize)]
pub struct SpfTerm {
    pub depth: usize,
    pub term: String,
    /// With everything below it.
    pub lookups: u32,
    pub finds_nothing: bool,
}

/// A name that DMARC asks.
#[derive(Clone, Debug, Serialize)]
pub struct Walked {
    pub name: String,
    pub found: &'static str,
}

/// A record to publish instead.
#[derive(Clone, Debug, Serialize)]
pub struct Publish {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub value: String,
    /// For a zone file; a file's text as it is.
    pub paste: String,
    pub why: String,
}

/// A service that mail programs are sent to.
#[derive(Clone, Debug, Serialize)]
pub struct ClientService {
    pub host: String,
    pub port: u16,
    pub named_by: &'static str,
}

/// Published beside mail: `yes`, `no` or `unknown`.
#[derive(Clone, Debug, Serialize)]
pub struct Information {
    pub caa: Vec<String>,
    pub smimea: &'static str,
    pub openpgpkey: &'static str,
    pub openpgp_key_directory: &'static str,
    pub bimi: Option<String>,
    pub services_not_offered: Vec<&'static str>,
}

/// One question and what came back.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    pub name: String,
    #[serde(rename = "type")]
    pub record_type: String,
    pub server: Option<String>,
    pub transport: Option<String>,
    pub rcode: Option<String>,
    pub flags: Vec<&'static str>,
    pub dnssec: Option<String>,
    pub ttl_seconds: Option<u32>,
    pub answers: Option<usize>,
    pub bytes: Option<usize>,
    pub took_ms: u64,
    /// Why there is no answer.
    pub failure: Option<String>,
}

impl Explained {
    pub(super) fn of(records: &DomainRecords) -> Self {
        let term = |line: &spf_tree::TreeLine| SpfTerm {
            depth: line.depth,
            term: visible(&line.term),
            lookups: line.lookups,
            finds_nothing: line.finds_nothing,
        };
        let walked = |(name, found): &(DomainName, &'static str)| Walked { name: name.to_string(), found };
        Self {
            spf_lookups: records.spf.lookups,
            spf_void_lookups: records.spf.void_lookups,
            spf_tree: records.spf.tree.iter().map(term).collect(),
            dmarc_walk: records.dmarc.walked.iter().map(walked).collect(),
            receivers_rfc9989: records.dmarc.parsed.as_ref().map(|_| records.dmarc.effective().as_str()),
            receivers_rfc7489: records.dmarc.older.map(dmarc::Policy::as_str),
        }
    }
}

impl Information {
    pub(super) fn of(found: &Discovery) -> Self {
        Self {
            caa: found.caa.clone(),
            smimea: found.smimea.as_str(),
            openpgpkey: found.openpgpkey.as_str(),
            openpgp_key_directory: found.key_directory.as_str(),
            bimi: found.bimi.as_deref().map(visible),
            services_not_offered: found.not_offered.clone(),
        }
    }
}

pub(super) fn publish(domain: &DomainName, records: &DomainRecords) -> Vec<Publish> {
    let shown = |advice: advice::Advice| Publish {
        paste: advice.to_paste(),
        name: advice.name,
        kind: advice.kind,
        value: advice.value,
        why: advice.why,
    };
    advice::advise(domain, records).into_iter().map(shown).collect()
}

pub(super) fn client_services(records: &DomainRecords) -> Vec<ClientService> {
    let found = records.discovery.iter().flat_map(|discovery| &discovery.services);
    found
        .map(|service| ClientService { host: service.host.to_string(), port: service.port, named_by: service.named_by })
        .collect()
}

/// The questions to DNS in the order of their names, so that runs can be compared.
pub(super) fn asked(observations: &[Observation]) -> Vec<Asked> {
    let mut all: Vec<Asked> = observations.iter().filter_map(one).collect();
    all.sort_by(|one, other| (&one.name, &one.record_type).cmp(&(&other.name, &other.record_type)));
    all
}

fn one(observation: &Observation) -> Option<Asked> {
    let Question::Dns { name, record_type } = &observation.question else { return None };
    let mut asked = Asked {
        name: visible(name),
        record_type: record_type.clone(),
        server: None,
        transport: None,
        rcode: None,
        flags: Vec::new(),
        dnssec: None,
        ttl_seconds: None,
        answers: None,
        bytes: None,
        took_ms: observation.took_ms,
        failure: None,
    };
    match &observation.answer {
        Ok(Answer::Dns(answer)) => {
            let header = Header::read(&answer.message.0);
            asked.server = Some(answer.server.clone());
            asked.transport = Some(answer.transport.clone()).filter(|transport| !transport.is_empty());
            asked.rcode = Some(answer.rcode.clone());
            asked.dnssec = Some(answer.dnssec.clone());
            asked.bytes = Some(answer.message.0.len());
            asked.answers = header.as_ref().map(|header| header.answers);
            asked.ttl_seconds = header.as_ref().and_then(|header| header.ttl_seconds);
            asked.flags = header.map(|header| header.flags).unwrap_or_default();
        }
        Ok(_) => return None,
        Err(reason) => asked.failure = Some(visible(&reason.to_string())),
    }
    Some(asked)
}

/// Writes what the verdicts rest on.
pub(super) fn render(probe: &DomainProbe, out: &mut String) {
    let explained = &probe.explained;
    if !explained.spf_tree.is_empty() {
        let _ = writeln!(
            out,
            "\nSPF as receivers walk it: {} of 10 lookups, {} of 2 that find nothing",
            explained.spf_lookups, explained.spf_void_lookups
        );
        for line in &explained.spf_tree {
            let indent = 2 + 2 * line.depth.min(12);
            let cost = match (line.lookups, line.finds_nothing) {
                (_, true) => format!("{}  finds nothing", line.lookups),
                (0, false) => String::new(),
                (lookups, false) => lookups.to_string(),
            };
            let text = format!("{:<width$} {cost}", line.term, width = 56_usize.saturating_sub(indent));
            wrap(out, &" ".repeat(indent), text.trim_end(), indent + 4);
        }
    }
    if !explained.dmarc_walk.is_empty() {
        out.push_str("\nDMARC, the names asked\n");
        for step in &explained.dmarc_walk {
            wrap(out, "  ", &format!("{}: {}", step.name, step.found), 4);
        }
        let does = |policy: Option<&'static str>| match policy {
            Some("reject") => "refuses it",
            Some("quarantine") => "treats it as suspicious",
            Some(_) => "takes it, and reports where asked to",
            None => "knows no policy and takes it",
        };
        let text = format!(
            "Mail that forges the domain: a receiver by RFC 9989 {}; one by RFC 7489 {}.",
            does(explained.receivers_rfc9989),
            does(explained.receivers_rfc7489)
        );
        wrap(out, "  ", &text, 2);
    }
    if !probe.client_services.is_empty() {
        out.push_str("\nMail programs are sent to\n");
        for service in &probe.client_services {
            wrap(out, "  ", &format!("{}:{} by {}", service.host, service.port, service.named_by), 4);
        }
    }
    if let Some(found) = &probe.information {
        out.push_str("\nAlso published (not judged)\n");
        let caa = if found.caa.is_empty() { "no".to_owned() } else { found.caa.join(", ") };
        let rows = [
            ("CAA", caa.as_str()),
            ("SMIMEA", found.smimea),
            ("OPENPGPKEY", found.openpgpkey),
            ("key directory", found.openpgp_key_directory),
            ("BIMI", found.bimi.as_deref().unwrap_or("no")),
        ];
        for (name, value) in rows {
            wrap(out, &format!("  {name:<16}  "), value, 20);
        }
    }
    if !probe.publish.is_empty() {
        out.push_str("\nTo publish instead\n");
        for record in &probe.publish {
            wrap(out, "  # ", &format!("{}: {}", record.name, record.why), 4);
            // One line each, whatever its length: it is to be pasted.
            for line in record.paste.lines() {
                let _ = writeln!(out, "  {}", visible(line));
            }
        }
    }
    for (index, asked) in probe.evidence.iter().flatten().enumerate() {
        if index == 0 {
            out.push_str("\nAsked\n");
        }
        let said = match &asked.failure {
            Some(failure) => failure.clone(),
            None => format!(
                "{} over {} from {}, {} records, {} bytes, flags {}, dnssec {}, TTL {} s",
                asked.rcode.as_deref().unwrap_or("?"),
                asked.transport.as_deref().unwrap_or("?"),
                asked.server.as_deref().unwrap_or("?"),
                asked.answers.unwrap_or(0),
                asked.bytes.unwrap_or(0),
                asked.flags.join(" "),
                asked.dnssec.as_deref().unwrap_or("?"),
                asked.ttl_seconds.map_or_else(|| "?".to_owned(), |ttl| ttl.to_string()),
            ),
        };
        wrap(out, "  ", &format!("{} {}: {said}; {} ms", asked.name, asked.record_type, asked.took_ms), 4);
    }
}
