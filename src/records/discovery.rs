//! How mail programs find a domain's services (RFC 6186, RFC 8314, autoconfig, autodiscover), and
//! what else DNS says of mail that is worth knowing and never judged: CAA (RFC 8659), SMIMEA (RFC
//! 8162), OPENPGPKEY (RFC 7929), a key directory (draft-koch-openpgp-webkey-service) and BIMI.

use super::dkim::improbable_label;
use super::dns_message::{Rdata, Reader, RecordKind};
use super::note::Note;
use super::txt;
use crate::names::DomainName;

/// Services that SRV records name, each with whether it begins without TLS (RFC 6186 §3, RFC 8314 §5.1).
const SERVICES: [(&str, bool); 7] = [
    ("_autodiscover._tcp", false),
    ("_imap._tcp", true),
    ("_imaps._tcp", false),
    ("_pop3._tcp", true),
    ("_pop3s._tcp", false),
    ("_submission._tcp", true),
    ("_submissions._tcp", false),
];
/// Servers of one service that are looked into.
const MAX_SERVERS: usize = 4;
/// Where mail programs ask for their settings over HTTPS.
const SETTINGS: [&str; 2] = ["autoconfig", "autodiscover"];

/// A service that mail programs are sent to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientService {
    pub host: DomainName,
    pub port: u16,
    /// The name that led there, `_imaps._tcp`.
    pub named_by: &'static str,
}

/// Whether something is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    No,
    /// A failed query, or a wildcard that answers for every name.
    Unknown,
    Yes,
}

impl Published {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Unknown => "unknown",
            Self::Yes => "yes",
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// Sorted, each once.
    pub services: Vec<ClientService>,
    /// Services that are stated not to be there: a target of `.` (RFC 6186 §3.4).
    pub not_offered: Vec<&'static str>,
    /// `0 issue "ca.example"`, the domain's own.
    pub caa: Vec<String>,
    pub smimea: Published,
    pub openpgpkey: Published,
    /// `openpgpkey.DOMAIN` has an address.
    pub key_directory: Published,
    pub bimi: Option<String>,
    pub notes: Vec<Note>,
}

/// Reads what a domain publishes beside its mail records.
pub fn audit(domain: &DomainName, reader: &mut Reader<'_>) -> Discovery {
    let mut found = Discovery {
        services: Vec::new(),
        not_offered: Vec::new(),
        caa: Vec::new(),
        smimea: Published::Unknown,
        openpgpkey: Published::Unknown,
        key_directory: Published::Unknown,
        bimi: None,
        notes: Vec::new(),
    };
    let wildcard = match domain.child(&improbable_label(domain)) {
        Ok(name) => match reader.ask(&name, RecordKind::Mx) {
            Ok(Some(response)) => response.exists,
            Ok(None) | Err(_) => true,
        },
        Err(_) => true,
    };
    found.read_services(domain, reader);
    for label in SETTINGS {
        // An alias is the vendor's host and told there; a name of the domain's own is a service.
        if let Ok(host) = domain.child(label)
            && let Ok(Some(response)) = reader.ask(&host, RecordKind::Cname)
            && response.exists
            && response.aliases.is_empty()
            && !wildcard
        {
            found.services.push(ClientService { host, port: 443, named_by: label });
        }
    }
    found.services.sort();
    found.services.dedup();
    if let Ok(Some(response)) = reader.ask(domain, RecordKind::Caa) {
        found.caa = response
            .data
            .iter()
            .filter_map(|data| match data {
                Rdata::Caa(text) => Some(text.clone()),
                Rdata::A(_)
                | Rdata::Aaaa(_)
                | Rdata::Mx { .. }
                | Rdata::Other
                | Rdata::Srv { .. }
                | Rdata::Tlsa(_)
                | Rdata::Txt(_) => None,
            })
            .collect();
    }
    found.smimea = below(domain, "_smimecert", RecordKind::Txt, wildcard, reader);
    found.openpgpkey = below(domain, "_openpgpkey", RecordKind::Txt, wildcard, reader);
    found.key_directory = below(domain, "openpgpkey", RecordKind::A, wildcard, reader);
    if let Ok(name) = domain.child("default._bimi")
        && let Ok(Some(response)) = reader.ask(&name, RecordKind::Txt)
    {
        let texts = txt::texts(&response.data);
        found.bimi = texts.into_iter().find(|text| txt::starts_with_ignoring_case(text.trim_start(), "v=bimi1"));
    }
    found
}

/// Whether a name exists: what stands below it is hashed, so that nobody can list it.
fn below(domain: &DomainName, label: &str, kind: RecordKind, wildcard: bool, reader: &mut Reader<'_>) -> Published {
    let Ok(name) = domain.child(label) else { return Published::No };
    match reader.ask(&name, kind) {
        Ok(Some(response)) if !response.exists && response.aliases.is_empty() => Published::No,
        Ok(Some(response)) if kind == RecordKind::A && response.is_empty() => Published::No,
        Ok(Some(_)) if !wildcard => Published::Yes,
        Ok(Some(_) | None) | Err(_) => Published::Unknown,
    }
}

impl Discovery {
    fn read_services(&mut self, domain: &DomainName, reader: &mut Reader<'_>) {
        let Ok(base) = domain.child("_tcp") else { return };
        // Below a name that does not exist there is nothing (RFC 8020 §2): one question instead of seven.
        match reader.ask(&base, RecordKind::Txt) {
            Ok(Some(response)) if response.exists => {}
            Ok(Some(_) | None) | Err(_) => return,
        }
        let mut plain = Vec::new();
        for (service, begins_plain) in SERVICES {
            let Ok(name) = domain.child(service) else { continue };
            let Ok(Some(response)) = reader.ask(&name, RecordKind::Srv) else { continue };
            let mut servers: Vec<(u16, &str, u16)> = response
                .data
                .iter()
                .filter_map(|data| match data {
                    Rdata::Srv { priority, port, target, .. } => Some((*priority, target.as_str(), *port)),
                    Rdata::A(_)
                    | Rdata::Aaaa(_)
                    | Rdata::Caa(_)
                    | Rdata::Mx { .. }
                    | Rdata::Other
                    | Rdata::Tlsa(_)
                    | Rdata::Txt(_) => None,
                })
                .collect();
            servers.sort();
            if !servers.is_empty() && servers.iter().all(|(_, target, _)| target.is_empty()) {
                self.not_offered.push(service);
            }
            let hosts = servers.iter().filter(|(_, target, port)| !target.is_empty() && *port > 0);
            for (_, target, port) in hosts.take(MAX_SERVERS) {
                match target.parse() {
                    Ok(host) => {
                        self.services.push(ClientService { host, port: *port, named_by: service });
                        if begins_plain {
                            plain.push(service);
                        }
                    }
                    Err(_) => {
                        let detail = format!("{name}: `{}` is no host name", super::tags::short(target));
                        self.notes.push(Note::new("client.bad_target", detail, "RFC 2782"));
                    }
                }
            }
        }
        plain.dedup();
        for service in plain {
            let with_tls = service.replace("._", "s._");
            if !self.services.iter().any(|found| found.named_by == with_tls) {
                let detail = format!("{domain}: {service} is published and {with_tls} is not");
                self.notes.push(Note::new("client.no_implicit_tls", detail, "RFC 8314 §5.1"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{answers, name};
    use super::super::note::codes;
    use super::*;

    fn judge(lines: &[&str]) -> (Discovery, usize) {
        let answers = answers(lines);
        let mut reader = Reader::new(&answers);
        let found = audit(&name("c.example"), &mut reader);
        (found, reader.wanted.len())
    }

    fn nobody() -> String {
        format!("{}.c.example MX !nx", improbable_label(&name("c.example")))
    }

    #[test]
    fn srv_records_name_services_and_a_dot_refuses() {
        let nobody = nobody();
        let (found, _) = judge(&[
            &nobody,
            "_tcp.c.example TXT !none",
            "_imaps._tcp.c.example SRV 0 1 993 imap.c.example",
            "_submission._tcp.c.example SRV 0 1 587 smtp.c.example",
            "_pop3._tcp.c.example SRV 0 0 0 .",
        ]);
        let hosts: Vec<String> =
            found.services.iter().map(|service| format!("{}:{}", service.host, service.port)).collect();
        assert_eq!(hosts, ["imap.c.example:993", "smtp.c.example:587"]);
        assert_eq!(found.not_offered, ["_pop3._tcp"]);
        assert_eq!(codes(&found.notes), ["client.no_implicit_tls"]);
    }

    #[test]
    fn below_a_name_that_does_not_exist_nothing_is_asked() {
        let nobody = nobody();
        let (with_services, open) = judge(&[&nobody, "_tcp.c.example TXT !none"]);
        let (without, fewer) = judge(&[&nobody, "_tcp.c.example TXT !nx"]);
        assert!(with_services.services.is_empty() && without.services.is_empty());
        assert_eq!(open - fewer, SERVICES.len());
    }

    #[test]
    fn a_wildcard_publishes_nothing_and_a_failure_proves_nothing() {
        let names = |answer: &str| {
            ["_smimecert.c.example TXT", "_openpgpkey.c.example TXT"].map(|name| format!("{name} {answer}"))
        };
        let ask = |wildcard: &str, answer: &str| {
            let lines = names(answer);
            let (found, _) = judge(&[wildcard, &lines[0], &lines[1]]);
            (found.smimea, found.openpgpkey)
        };
        let wild = nobody().replace("!nx", "!none");
        assert_eq!(ask(&nobody(), "!none"), (Published::Yes, Published::Yes));
        assert_eq!(ask(&nobody(), "!nx"), (Published::No, Published::No));
        assert_eq!(ask(&wild, "!none"), (Published::Unknown, Published::Unknown));
        assert_eq!(ask(&nobody(), "!fail"), (Published::Unknown, Published::Unknown));
    }

    #[test]
    fn settings_hosts_of_the_domain_itself_are_services() {
        let nobody = nobody();
        let (found, _) = judge(&[&nobody, "autoconfig.c.example CNAME !none", "autodiscover.c.example CNAME !nx"]);
        assert_eq!(found.services.len(), 1);
        assert_eq!((found.services[0].port, found.services[0].named_by), (443, "autoconfig"));
    }
}
