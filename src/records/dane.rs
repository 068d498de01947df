//! DANE for SMTP (RFC 7672): whether mail hosts publish TLSA records, and whether senders can use
//! them. Holding them against a certificate is possible only where one was collected.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256, Sha512};
use x509_parser::prelude::FromDer;

use super::certificate;
use super::dns_message::{Dnssec, Rdata, Reader, RecordKind, Tlsa};
use super::note::Note;
use crate::evidence::{Answer, Observation, Question};
use crate::names::DomainName;
use crate::seen::NotObserved;

/// The contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaneVerdict {
    Absent,
    Error,
    Match,
    Mismatch,
    Unusable,
}

impl DaneVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Error => "error",
            Self::Match => "match",
            Self::Mismatch => "mismatch",
            Self::Unusable => "unusable",
        }
    }

    /// Worst first, for several hosts.
    fn rank(self) -> u8 {
        match self {
            Self::Error => 0,
            Self::Mismatch => 1,
            Self::Unusable => 2,
            Self::Match => 3,
            Self::Absent => 4,
        }
    }
}

/// What was found out about DANE at a domain's mail hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaneAudit {
    pub verdict: DaneVerdict,
    /// `host: usage selector matching hex`.
    pub records: Vec<String>,
    pub notes: Vec<Note>,
    /// With [`DaneVerdict::Error`]: why.
    pub because: Option<NotObserved>,
    /// Hosts whose certificates no record matches.
    pub mismatched: Vec<String>,
    /// Hosts that publish usable records and whose certificate was not seen.
    pub unseen: Vec<DomainName>,
}

impl DaneAudit {
    /// Nothing asked and nothing found.
    pub fn nothing() -> Self {
        Self {
            verdict: DaneVerdict::Absent,
            records: Vec::new(),
            notes: Vec::new(),
            because: None,
            mismatched: Vec::new(),
            unseen: Vec::new(),
        }
    }
}

/// A certificate chain as served: leaf first, DER.
pub type Chain = Vec<Vec<u8>>;

/// Every chain served on port 25, by host. A host with several addresses or several key types
/// serves several, and a sender may meet any of them.
pub type Chains = BTreeMap<String, Vec<Chain>>;

/// The chains that observations of services on port 25 hold.
pub fn chains<'o>(observations: impl IntoIterator<Item = &'o Observation>) -> Chains {
    let mut chains = Chains::new();
    for observation in observations {
        if let (Question::Endpoint { port: 25, .. }, Ok(Answer::Endpoint(endpoint))) =
            (&observation.question, &observation.answer)
            && let Some((host, _)) = observation.subject.name.rsplit_once(':')
        {
            let served = endpoint.chains.iter().filter(|chain| !chain.is_empty());
            let served: Vec<Chain> =
                served.map(|chain| chain.iter().map(|certificate| certificate.0.clone()).collect()).collect();
            if !served.is_empty() {
                chains.entry(host.to_owned()).or_default().extend(served);
            }
        }
    }
    chains
}

/// Reads the TLSA records of the mail hosts.
pub fn audit(mail_hosts: &[DomainName], chains: &Chains, reader: &mut Reader<'_>) -> DaneAudit {
    let mut audit = DaneAudit::nothing();
    for host in mail_hosts {
        let Ok(name) = host.child("_25._tcp") else { continue };
        let verdict = match reader.ask(&name, RecordKind::Tlsa) {
            Ok(None) => continue,
            Err(reason) => {
                audit.because.get_or_insert(reason);
                DaneVerdict::Error
            }
            Ok(Some(response)) => {
                let records: Vec<&Tlsa> = response
                    .data
                    .iter()
                    .filter_map(|record| match record {
                        Rdata::Tlsa(tlsa) => Some(tlsa),
                        Rdata::A(_)
                        | Rdata::Aaaa(_)
                        | Rdata::Mx { .. }
                        | Rdata::Other
                        | Rdata::Caa(_)
                        | Rdata::Srv { .. }
                        | Rdata::Txt(_) => None,
                    })
                    .collect();
                audit.host(host, &records, response.dnssec, chains.get(host.as_str()))
            }
        };
        if verdict.rank() < audit.verdict.rank() {
            audit.verdict = verdict;
        }
    }
    audit
}

impl DaneAudit {
    fn note(&mut self, code: &str, detail: String, rule: &str) {
        self.notes.push(Note::new(code, detail, rule));
    }

    fn host(
        &mut self,
        host: &DomainName,
        records: &[&Tlsa],
        dnssec: Dnssec,
        chains: Option<&Vec<Chain>>,
    ) -> DaneVerdict {
        if records.is_empty() {
            return DaneVerdict::Absent;
        }
        for tlsa in records {
            let hex = crate::evidence::hex(&tlsa.data);
            self.records.push(format!("{host}: {} {} {} {hex}", tlsa.usage, tlsa.selector, tlsa.matching));
        }
        if dnssec != Dnssec::Secure {
            self.note("dane.no_dnssec", format!("{host}: the records are not signed"), "RFC 7672 §2.2");
            return DaneVerdict::Unusable;
        }
        let mut usable = Vec::new();
        for tlsa in records {
            if matches!(tlsa.usage, 0 | 1) {
                let detail = format!("{host}: usage {} is not for SMTP", tlsa.usage);
                self.note("dane.usage_pkix", detail, "RFC 7672 §3.1.3");
            } else if !well_formed(tlsa) {
                self.note("dane.bad_data", format!("{host}: a record cannot be used"), "RFC 6698 §2.1");
            } else {
                usable.push(*tlsa);
            }
        }
        if usable.is_empty() {
            return DaneVerdict::Unusable;
        }
        let Some(chains) = chains.filter(|chains| !chains.is_empty()) else {
            let what = format!("the certificate of {host} on port 25");
            self.because.get_or_insert(NotObserved::NotProvided { what });
            self.unseen.push(host.clone());
            return DaneVerdict::Error;
        };
        if chains.iter().all(|chain| usable.iter().any(|tlsa| matches_chain(tlsa, chain, host))) {
            return DaneVerdict::Match;
        }
        self.note("dane.mismatch", format!("{host}: no record matches its certificate"), "RFC 7672 §2.2");
        self.mismatched.push(host.to_string());
        DaneVerdict::Mismatch
    }
}

fn well_formed(tlsa: &Tlsa) -> bool {
    let length = match tlsa.matching {
        0 => !tlsa.data.is_empty(),
        1 => tlsa.data.len() == 32,
        2 => tlsa.data.len() == 64,
        _ => false,
    };
    matches!(tlsa.usage, 2 | 3) && tlsa.selector <= 1 && length
}

/// Usage 3 speaks of the leaf, whatever its names and dates; usage 2 of an authority in the chain,
/// and then the leaf must name the host (RFC 7672 §3.1).
fn matches_chain(tlsa: &Tlsa, chain: &[Vec<u8>], host: &DomainName) -> bool {
    let leaf = chain.first().map(Vec::as_slice).unwrap_or_default();
    let candidates = match tlsa.usage {
        3 => chain.get(..1).unwrap_or_default(),
        _ if certificate::read(leaf).is_ok_and(|leaf| leaf.is_for(host.as_str())) => chain,
        _ => return false,
    };
    candidates.iter().any(|certificate| {
        let selected: &[u8] = match tlsa.selector {
            0 => certificate,
            _ => match x509_parser::certificate::X509Certificate::from_der(certificate) {
                Ok((_, parsed)) => parsed.tbs_certificate.subject_pki.raw,
                Err(_) => return false,
            },
        };
        match tlsa.matching {
            0 => selected == tlsa.data,
            1 => Sha256::digest(selected).as_slice() == tlsa.data,
            _ => Sha512::digest(selected).as_slice() == tlsa.data,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::{Answers, DnsQuestion, Reply, Response};
    use super::*;

    fn judge(tlsa: Tlsa, dnssec: Dnssec, chain: Option<&[u8]>) -> &'static str {
        let host: DomainName = "m.c.example".parse().unwrap();
        let mut answers = Answers::default();
        answers.insert(
            DnsQuestion { name: host.child("_25._tcp").unwrap(), kind: RecordKind::Tlsa },
            Reply::Answered(Response { exists: true, aliases: Vec::new(), data: vec![Rdata::Tlsa(tlsa)], dnssec }),
            None,
        );
        let chains = chain.map(|leaf| (host.to_string(), vec![vec![leaf.to_vec()]])).into_iter().collect();
        audit(&[host], &chains, &mut Reader::new(&answers)).verdict.as_str()
    }

    #[test]
    fn a_record_is_usable_only_signed_and_for_smtp() {
        let leaf = b"a certificate";
        let good = Tlsa { usage: 3, selector: 0, matching: 1, data: Sha256::digest(leaf).to_vec() };
        assert_eq!(judge(good.clone(), Dnssec::Secure, Some(leaf)), "match");
        assert_eq!(judge(good.clone(), Dnssec::Secure, Some(b"another")), "mismatch");
        assert_eq!(judge(good.clone(), Dnssec::Secure, None), "error");
        assert_eq!(judge(good.clone(), Dnssec::Insecure, Some(leaf)), "unusable");
        assert_eq!(judge(Tlsa { usage: 1, ..good.clone() }, Dnssec::Secure, Some(leaf)), "unusable");
        assert_eq!(judge(Tlsa { data: vec![1], ..good }, Dnssec::Secure, Some(leaf)), "unusable");
    }

    fn two_hosts(served: &[&[&[u8]]]) -> DaneAudit {
        let hosts: Vec<DomainName> = ["m1.c.example", "m2.c.example"].map(|name| name.parse().unwrap()).into();
        let tlsa = Tlsa { usage: 3, selector: 0, matching: 1, data: Sha256::digest(b"a certificate").to_vec() };
        let mut answers = Answers::default();
        for host in &hosts {
            answers.insert(
                DnsQuestion { name: host.child("_25._tcp").unwrap(), kind: RecordKind::Tlsa },
                Reply::Answered(Response {
                    exists: true,
                    aliases: Vec::new(),
                    data: vec![Rdata::Tlsa(tlsa.clone())],
                    dnssec: Dnssec::Secure,
                }),
                None,
            );
        }
        let served = hosts.iter().zip(served);
        let chains = served
            .map(|(host, chains)| (host.to_string(), chains.iter().map(|leaf| vec![leaf.to_vec()]).collect()))
            .collect();
        audit(&hosts, &chains, &mut Reader::new(&answers))
    }

    #[test]
    fn every_chain_that_a_sender_may_meet_has_to_match() {
        assert_eq!(two_hosts(&[&[b"a certificate"], &[b"a certificate"]]).verdict, DaneVerdict::Match);
        let audit = two_hosts(&[&[b"a certificate"], &[b"a certificate", b"another"]]);
        assert_eq!((audit.verdict, audit.mismatched), (DaneVerdict::Mismatch, vec!["m2.c.example".to_owned()]));
    }

    #[test]
    fn a_host_nobody_reached_hides_no_mismatch_at_another() {
        let audit = two_hosts(&[&[b"another"]]);
        assert_eq!(audit.verdict, DaneVerdict::Error);
        assert_eq!((audit.mismatched, audit.unseen.len()), (vec!["m1.c.example".to_owned()], 1));
    }
}
