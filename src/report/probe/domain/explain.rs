//! What stands behind a domain's verdicts: the SPF tree, the names DMARC asks, what receivers do,
//! what to publish instead, and each question with what came back.

use std::fmt::Write as _;

use serde::Serialize;

use super::{DomainProbe, wrap};
use crate::evidence::{Answer, Observation, Question};
use crate::names::DomainName;
use crate::records::discovery::{Discovery, Published, Service};
use crate::records::dmarc::{DmarcVerdict, Policy};
use crate::records::dns_message::Header;
use crate::records::domain::DomainRecords;
use crate::records::{advice, spf_tree};
use crate::text::visible;

/// Stands where a query failed.
const UNKNOWN: &str = "unknown";

/// How receivers come to their verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    pub spf_lookups: u32,
    pub spf_void_lookups: u32,
    /// False where a part of the tree was not walked, so that the true count may be higher.
    pub spf_lookups_whole: bool,
    pub spf_void_lookups_whole: bool,
    pub spf_tree: Vec<SpfTerm>,
    /// Further terms of the tree that are not listed.
    pub spf_terms_not_shown: usize,
    pub dmarc_walk: Vec<Walked>,
    /// What is done with mail that fails, by RFC 9989: absent where no record applies, `unknown` where
    /// a query failed.
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
    /// False where a part below was not walked.
    pub lookups_whole: bool,
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
    /// `yes`, `no` or `unknown`.
    pub caa_published: &'static str,
    pub caa: Vec<String>,
    pub smimea: &'static str,
    pub openpgpkey: &'static str,
    /// Whether a host of its own serves it; a directory on the domain's web host is not asked for.
    pub openpgp_key_directory: &'static str,
    /// `yes`, `no` or `unknown`.
    pub bimi_published: &'static str,
    pub bimi: Option<String>,
    pub services_not_offered: Vec<&'static str>,
    /// Services of which nothing is known.
    pub services_unknown: Vec<&'static str>,
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
            lookups_whole: line.whole,
            finds_nothing: line.finds_nothing,
        };
        let walked = |(name, found): &(DomainName, &'static str)| Walked { name: name.to_string(), found };
        Self {
            spf_lookups: records.spf.lookups,
            spf_void_lookups: records.spf.void_lookups,
            spf_lookups_whole: records.spf.lookups_whole,
            spf_void_lookups_whole: records.spf.void_lookups_whole,
            spf_terms_not_shown: records.spf.terms_not_shown,
            spf_tree: records.spf.tree.iter().map(term).collect(),
            dmarc_walk: records.dmarc.walked.iter().map(walked).collect(),
            receivers_rfc9989: match records.dmarc.verdict {
                DmarcVerdict::Error => Some(UNKNOWN),
                DmarcVerdict::Invalid | DmarcVerdict::Missing => None,
                DmarcVerdict::Applies(_) | DmarcVerdict::RejectTesting => Some(records.dmarc.effective().as_str()),
            },
            receivers_rfc7489: match &records.dmarc.older {
                Ok(policy) => policy.map(Policy::as_str),
                Err(_) => Some(UNKNOWN),
            },
        }
    }
}

impl Information {
    pub(super) fn of(found: &Discovery) -> Self {
        let caa = found.caa.clone().unwrap_or_default();
        let bimi = found.bimi.as_ref().ok().and_then(|record| record.as_deref().map(visible));
        let published = |known: bool, any: bool| match (known, any) {
            (false, _) => Published::Unknown.as_str(),
            (true, true) => Published::Yes.as_str(),
            (true, false) => Published::No.as_str(),
        };
        let names = |services: &[Service]| services.iter().map(|service| service.as_str()).collect();
        Self {
            caa_published: published(found.caa.is_ok(), !caa.is_empty()),
            caa,
            smimea: found.smimea.as_str(),
            openpgpkey: found.openpgpkey.as_str(),
            openpgp_key_directory: found.key_directory.as_str(),
            bimi_published: published(found.bimi.is_ok(), bimi.is_some()),
            bimi,
            services_not_offered: names(&found.not_offered),
            services_unknown: names(&found.not_known),
        }
    }
}

pub(super) fn publish(domain: &DomainName, records: &DomainRecords, sends: bool) -> Vec<Publish> {
    let shown = |advice: advice::Advice| Publish {
        paste: advice.to_paste(),
        name: advice.name,
        kind: advice.kind,
        value: advice.value,
        why: advice.why,
    };
    advice::advise(domain, records, sends).into_iter().map(shown).collect()
}

pub(super) fn client_services(records: &DomainRecords) -> Vec<ClientService> {
    let found = records.discovery.iter().flat_map(|discovery| &discovery.services);
    found
        .map(|service| ClientService {
            host: service.host.to_string(),
            port: service.port,
            named_by: service.named_by.as_str(),
        })
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
        let least = |whole: bool| if whole { "" } else { "at least " };
        let heading = format!(
            "SPF as receivers walk it: {}{} of 10 lookups, {}{} of 2 that find nothing",
            least(explained.spf_lookups_whole),
            explained.spf_lookups,
            least(explained.spf_void_lookups_whole),
            explained.spf_void_lookups
        );
        out.push('\n');
        wrap(out, "", &heading, 2);
        for line in &explained.spf_tree {
            let indent = 2 + 2 * line.depth.min(12);
            let cost = match (line.lookups, line.finds_nothing) {
                (lookups, true) => format!("{lookups}  finds nothing"),
                (0, false) => String::new(),
                (lookups, false) => format!("{}{lookups}", least(line.lookups_whole)),
            };
            let text = format!("{:<width$} {cost}", line.term, width = 56_usize.saturating_sub(indent));
            wrap(out, &" ".repeat(indent), text.trim_end(), indent + 4);
        }
        if explained.spf_terms_not_shown > 0 {
            let _ = writeln!(out, "  and {} terms more", explained.spf_terms_not_shown);
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
            Some(UNKNOWN) => "does what its own query tells it (ours failed)",
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
    if let Some(found) = &probe.information
        && !found.services_unknown.is_empty()
    {
        let services = found.services_unknown.join(", ");
        wrap(out, "\n", &format!("Not known whether mail programs are sent somewhere by: {services}"), 2);
    }
    if let Some(found) = &probe.information {
        out.push_str("\nAlso published (not judged)\n");
        let caa = if found.caa.is_empty() { found.caa_published.to_owned() } else { found.caa.join(", ") };
        let rows = [
            ("CAA", caa.as_str()),
            ("SMIMEA", found.smimea),
            ("OPENPGPKEY", found.openpgpkey),
            ("OpenPGP key host", found.openpgp_key_directory),
            ("BIMI", found.bimi.as_deref().unwrap_or(found.bimi_published)),
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
