//! Mail exchangers (RFC 5321 §5.1, RFC 7505): which hosts receive a domain's mail, and whether
//! they can.

use std::net::IpAddr;

use super::dns_message::{Rdata, Reader, RecordKind};
use super::note::Note;
use super::tags::short;
use crate::names::DomainName;
use crate::seen::NotObserved;

/// Hosts looked into; a domain with more is cut here, and says so.
pub const MAX_HOSTS: usize = 20;

/// The contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MxVerdict {
    Error,
    Implicit,
    Invalid,
    Missing,
    Null,
    Ok,
}

impl MxVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Implicit => "implicit",
            Self::Invalid => "invalid",
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Ok => "ok",
        }
    }
}

/// What was found out about where a domain's mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MxAudit {
    pub verdict: MxVerdict,
    /// Names as published, by preference, then name; the domain itself where it is implicit.
    pub hosts: Vec<String>,
    /// The hosts whose names are names, with their addresses, as far as they are known.
    pub addresses: Vec<(DomainName, Vec<IpAddr>)>,
    /// `10 mail.example`, for the probe's output.
    pub records: Vec<String>,
    pub notes: Vec<Note>,
    /// With [`MxVerdict::Error`]: the query that failed.
    pub because: Option<NotObserved>,
}

/// Reads where a domain's mail goes. `permitted` says which loopback or private addresses the run
/// was told to take as public (a test network).
pub fn audit(domain: &DomainName, permitted: &dyn Fn(IpAddr) -> bool, reader: &mut Reader<'_>) -> MxAudit {
    let mut audit = MxAudit {
        verdict: MxVerdict::Error,
        hosts: Vec::new(),
        addresses: Vec::new(),
        records: Vec::new(),
        notes: Vec::new(),
        because: None,
    };
    let response = match reader.ask(domain, RecordKind::Mx) {
        Ok(Some(response)) => response,
        Ok(None) => return audit,
        Err(reason) => {
            audit.because = Some(reason);
            return audit;
        }
    };
    let mut entries: Vec<(u16, String)> = response
        .data
        .iter()
        .filter_map(|record| match record {
            Rdata::Mx { preference, exchange } => Some((*preference, exchange.clone())),
            Rdata::A(_)
            | Rdata::Aaaa(_)
            | Rdata::Caa(_)
            | Rdata::Other
            | Rdata::Srv { .. }
            | Rdata::Tlsa(_)
            | Rdata::Txt(_) => None,
        })
        .collect();
    entries.sort();
    audit.records = entries.iter().map(|(preference, host)| format!("{preference} {}", dotted(host))).collect();
    if entries.is_empty() {
        audit.without_records(domain, permitted, reader);
        return audit;
    }
    let null = entries.iter().filter(|(_, host)| host.is_empty()).count();
    if null == entries.len() {
        audit.note("mx.null", format!("{domain} states that it receives no mail"), "RFC 7505 §3");
        audit.verdict = MxVerdict::Null;
        return audit;
    }
    let mut invalid = false;
    if null > 0 {
        audit.note("mx.null_plus_others", format!("{domain}: a null MX stands beside others"), "RFC 7505 §3");
        invalid = true;
    }
    if entries.len() > MAX_HOSTS {
        audit.note("mx.many", format!("{domain}: {} entries, {MAX_HOSTS} looked into", entries.len()), "RFC 5321 §5.1");
    }
    for (_, host) in entries.iter().filter(|(_, host)| !host.is_empty()).take(MAX_HOSTS) {
        if !audit.hosts.contains(host) {
            audit.hosts.push(host.clone());
            invalid |= !audit.can_receive(domain, host, permitted, reader);
        }
    }
    audit.wildcard(domain, reader);
    audit.verdict = match (invalid, &audit.because) {
        (true, _) => MxVerdict::Invalid,
        (false, Some(_)) => MxVerdict::Error,
        (false, None) => MxVerdict::Ok,
    };
    audit
}

fn dotted(host: &str) -> String {
    if host.is_empty() { ".".to_owned() } else { host.to_owned() }
}

impl MxAudit {
    fn note(&mut self, code: &str, detail: String, rule: &str) {
        self.notes.push(Note::new(code, detail, rule));
    }

    /// No MX: the domain's own address takes the mail (RFC 5321 §5.1).
    fn without_records(&mut self, domain: &DomainName, permitted: &dyn Fn(IpAddr) -> bool, reader: &mut Reader<'_>) {
        match addresses(domain, reader) {
            Err(reason) => self.because = Some(reason),
            Ok((addresses, _)) if addresses.is_empty() => {
                self.note("mx.missing", format!("{domain} has no mail exchanger and no address"), "RFC 5321 §5.1");
                self.verdict = MxVerdict::Missing;
            }
            Ok((addresses, _)) => {
                self.note("mx.implicit", format!("{domain} has no MX; its address takes mail"), "RFC 5321 §5.1");
                self.verdict = MxVerdict::Implicit;
                if addresses.iter().all(|address| is_private(*address) && !permitted(*address)) {
                    self.note("mx.private_address", format!("{domain}: only private addresses"), "RFC 1918 §3");
                    self.verdict = MxVerdict::Invalid;
                }
                self.hosts.push(domain.as_str().to_owned());
                self.addresses.push((domain.clone(), addresses));
            }
        }
    }

    fn can_receive(
        &mut self,
        domain: &DomainName,
        host: &str,
        permitted: &dyn Fn(IpAddr) -> bool,
        reader: &mut Reader<'_>,
    ) -> bool {
        if host.parse::<IpAddr>().is_ok() || host.split('.').all(|label| label.bytes().all(|b| b.is_ascii_digit())) {
            self.note(
                "mx.ip_literal",
                format!("{domain}: `{}` is an address, not a name", short(host)),
                "RFC 5321 §5.1",
            );
            return false;
        }
        let Ok(name) = host.parse::<DomainName>() else {
            self.note("mx.no_address", format!("{domain}: `{}` is no host name", short(host)), "RFC 1123 §2.1");
            return false;
        };
        if name.as_str() == "invalid" || name.as_str().ends_with(".invalid") {
            self.note("mx.placeholder", format!("{domain}: {name} is a placeholder"), "RFC 6761 §6.4");
            return false;
        }
        match addresses(&name, reader) {
            Err(reason) => {
                self.addresses.push((name, Vec::new()));
                self.because.get_or_insert(reason);
                // Not known is not the same as cannot.
                true
            }
            Ok((addresses, aliased)) => {
                if aliased {
                    self.note("mx.cname", format!("{domain}: {name} is an alias"), "RFC 2181 §10.3");
                }
                let receives = if addresses.is_empty() {
                    self.note("mx.no_address", format!("{domain}: {name} has no address"), "RFC 5321 §5.1");
                    false
                } else if addresses.iter().all(|address| is_private(*address) && !permitted(*address)) {
                    self.note(
                        "mx.private_address",
                        format!("{domain}: {name} has only private addresses"),
                        "RFC 1918 §3",
                    );
                    false
                } else {
                    if addresses.iter().all(IpAddr::is_ipv6) {
                        self.note("mx.ipv6_only", format!("{domain}: {name} has no IPv4 address"), "RFC 5321 §5.2");
                    }
                    true
                };
                self.addresses.push((name, addresses));
                receives
            }
        }
    }

    fn wildcard(&mut self, domain: &DomainName, reader: &mut Reader<'_>) {
        let Ok(name) = domain.child(&super::dkim::improbable_label(domain)) else { return };
        if let Ok(Some(response)) = reader.ask(&name, RecordKind::Mx)
            && !response.is_empty()
        {
            self.note("mx.wildcard", format!("{domain}: every name below it receives mail"), "RFC 4592 §2.1");
        }
    }
}

/// The addresses of a name, and whether an alias led there. A failure of one family hides
/// nothing if the other answered with addresses.
fn addresses(name: &DomainName, reader: &mut Reader<'_>) -> Result<(Vec<IpAddr>, bool), NotObserved> {
    let mut found = Vec::new();
    let mut aliased = false;
    let mut failure = None;
    for kind in [RecordKind::A, RecordKind::Aaaa] {
        match reader.ask(name, kind) {
            Ok(Some(response)) => {
                aliased |= !response.aliases.is_empty();
                found.extend(response.data.iter().filter_map(|record| match record {
                    Rdata::A(address) => Some(IpAddr::V4(*address)),
                    Rdata::Aaaa(address) => Some(IpAddr::V6(*address)),
                    Rdata::Caa(_)
                    | Rdata::Mx { .. }
                    | Rdata::Other
                    | Rdata::Srv { .. }
                    | Rdata::Tlsa(_)
                    | Rdata::Txt(_) => None,
                }));
            }
            Ok(None) => {
                let what = format!("the DNS answer for {name} {}", kind.as_str());
                failure = failure.or(Some(NotObserved::NotProvided { what }));
            }
            Err(reason) => failure = failure.or(Some(reason)),
        }
    }
    match failure {
        Some(reason) if found.is_empty() => Err(reason),
        Some(_) | None => Ok((found, aliased)),
    }
}

/// True for addresses that mail from elsewhere cannot reach.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || first == 0
                // Shared address space of carriers (RFC 6598).
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => {
                v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_multicast()
                    || v6.is_unique_local()
                    || v6.is_unicast_link_local()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{answers, name};
    use super::super::note::codes;
    use super::*;

    fn judge(lines: &[&str]) -> (&'static str, Vec<String>) {
        let answers = answers(lines);
        let audit = audit(&name("c.example"), &|_| false, &mut Reader::new(&answers));
        (audit.verdict.as_str(), codes(&audit.notes))
    }

    #[test]
    fn a_host_that_cannot_receive_spoils_the_whole() {
        let good = ["c.example MX 10 m.example.", "m.example A 192.0.2.1", "m.example AAAA !none"];
        assert_eq!(judge(&good), ("ok", vec![]));
        for (extra, code) in [
            (vec!["c.example MX 20 192.0.2.7"], "mx.ip_literal"),
            (vec!["c.example MX 20 ms1.msv1.invalid"], "mx.placeholder"),
            (vec!["c.example MX 20 n.example", "n.example A !nx", "n.example AAAA !nx"], "mx.no_address"),
            (vec!["c.example MX 20 n.example", "n.example A 127.0.0.1", "n.example AAAA ::1"], "mx.private_address"),
            (vec!["c.example MX 0 ."], "mx.null_plus_others"),
        ] {
            let lines: Vec<&str> = good.iter().copied().chain(extra).collect();
            assert_eq!(judge(&lines), ("invalid", vec![code.to_owned()]));
        }
    }

    #[test]
    fn a_null_mx_a_missing_one_and_an_implicit_one_are_three_things() {
        assert_eq!(judge(&["c.example MX 0 ."]).0, "null");
        assert_eq!(judge(&["c.example MX !none", "c.example A !none", "c.example AAAA !none"]).0, "missing");
        assert_eq!(judge(&["c.example MX !none", "c.example A 192.0.2.1", "c.example AAAA !none"]).0, "implicit");
    }

    #[test]
    fn a_failed_address_lookup_is_neither_good_nor_bad() {
        let lines = ["c.example MX 10 m.example", "m.example A !fail", "m.example AAAA !fail"];
        assert_eq!(judge(&lines).0, "error");
        let lines = ["c.example MX 10 m.example", "m.example A 192.0.2.1", "m.example AAAA !fail"];
        assert_eq!(judge(&lines).0, "ok");
        assert_eq!(judge(&["c.example MX !fail"]).0, "error");
    }

    #[test]
    fn a_test_network_may_be_taken_as_public() {
        let answers = answers(&["c.example MX 10 m.example", "m.example A 127.0.0.1", "m.example AAAA !none"]);
        let audit = audit(&name("c.example"), &|address| address.is_loopback(), &mut Reader::new(&answers));
        assert_eq!(audit.verdict, MxVerdict::Ok);
    }
}
