//! How mail programs find a domain's services (RFC 6186, RFC 8314, autoconfig, autodiscover), and
//! what else DNS says of mail that is worth knowing and never judged: CAA (RFC 8659), SMIMEA (RFC
//! 8162), OPENPGPKEY (RFC 7929), a key directory (draft-koch-openpgp-webkey-service) and BIMI.

use super::dkim::improbable_label;
use super::dns_message::{Rdata, Reader, RecordKind};
use super::note::Note;
use super::txt;
use crate::names::DomainName;
use crate::seen::NotObserved;

/// What a name leads mail programs to: SRV records (RFC 6186 §3, RFC 8314 §5.1), and the hosts they
/// ask for their settings over HTTPS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Autoconfig,
    Autodiscover,
    AutodiscoverSrv,
    Imap,
    Imaps,
    Pop3,
    Pop3s,
    Submission,
    Submissions,
}

impl Service {
    /// Those that SRV records name.
    const BY_SRV: [Self; 7] =
        [Self::AutodiscoverSrv, Self::Imap, Self::Imaps, Self::Pop3, Self::Pop3s, Self::Submission, Self::Submissions];

    /// The name that leads there.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Autoconfig => "autoconfig",
            Self::Autodiscover => "autodiscover",
            Self::AutodiscoverSrv => "_autodiscover._tcp",
            Self::Imap => "_imap._tcp",
            Self::Imaps => "_imaps._tcp",
            Self::Pop3 => "_pop3._tcp",
            Self::Pop3s => "_pop3s._tcp",
            Self::Submission => "_submission._tcp",
            Self::Submissions => "_submissions._tcp",
        }
    }

    /// The port registered for it (IANA Service Name and Transport Protocol Port Number Registry).
    pub const fn port(self) -> u16 {
        match self {
            Self::Autoconfig | Self::Autodiscover | Self::AutodiscoverSrv => 443,
            Self::Imap => 143,
            Self::Imaps => 993,
            Self::Pop3 => 110,
            Self::Pop3s => 995,
            Self::Submission => 587,
            Self::Submissions => 465,
        }
    }

    /// The same service with TLS from the first byte, for one that begins without.
    const fn with_tls(self) -> Option<Self> {
        match self {
            Self::Imap => Some(Self::Imaps),
            Self::Pop3 => Some(Self::Pop3s),
            Self::Submission => Some(Self::Submissions),
            Self::Autoconfig
            | Self::Autodiscover
            | Self::AutodiscoverSrv
            | Self::Imaps
            | Self::Pop3s
            | Self::Submissions => None,
        }
    }
}

/// Servers of one service that are looked into.
const MAX_SERVERS: usize = 4;

/// A service that mail programs are sent to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientService {
    pub host: DomainName,
    pub port: u16,
    pub named_by: Service,
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
    pub not_offered: Vec<Service>,
    /// Services of which nothing is known: a failed query, or a wildcard that answers for every name.
    pub not_known: Vec<Service>,
    /// `0 issue "ca.example"`, the domain's own.
    pub caa: Result<Vec<String>, NotObserved>,
    pub smimea: Published,
    pub openpgpkey: Published,
    /// `openpgpkey.DOMAIN` has an address. A directory on the domain's own web host needs none.
    pub key_directory: Published,
    pub bimi: Result<Option<String>, NotObserved>,
    pub notes: Vec<Note>,
}

/// Reads what a domain publishes beside its mail records.
pub fn audit(domain: &DomainName, reader: &mut Reader<'_>) -> Discovery {
    let wildcard = match domain.child(&improbable_label(domain)) {
        Ok(name) => match reader.ask(&name, RecordKind::Mx) {
            Ok(Some(response)) => response.exists,
            Ok(None) | Err(_) => true,
        },
        Err(_) => true,
    };
    let mut found = Discovery {
        services: Vec::new(),
        not_offered: Vec::new(),
        not_known: Vec::new(),
        caa: caa(domain, reader),
        smimea: below(domain, "_smimecert", &[RecordKind::Txt], wildcard, reader),
        openpgpkey: below(domain, "_openpgpkey", &[RecordKind::Txt], wildcard, reader),
        key_directory: below(domain, "openpgpkey", &[RecordKind::A, RecordKind::Aaaa], wildcard, reader),
        bimi: bimi(domain, reader),
        notes: Vec::new(),
    };
    found.read_services(domain, reader);
    found.read_settings(domain, wildcard, reader);
    found.services.sort();
    found.services.dedup();
    found.not_known.sort();
    found
}

fn not_asked(name: &DomainName, kind: RecordKind) -> NotObserved {
    NotObserved::NotProvided { what: format!("the DNS answer for {name} {}", kind.as_str()) }
}

fn caa(domain: &DomainName, reader: &mut Reader<'_>) -> Result<Vec<String>, NotObserved> {
    let response = reader.ask(domain, RecordKind::Caa)?.ok_or_else(|| not_asked(domain, RecordKind::Caa))?;
    let text = |data: &Rdata| match data {
        Rdata::Caa(text) => Some(text.clone()),
        Rdata::A(_)
        | Rdata::Aaaa(_)
        | Rdata::Mx { .. }
        | Rdata::Other
        | Rdata::Srv { .. }
        | Rdata::Tlsa(_)
        | Rdata::Txt(_) => None,
    };
    Ok(response.data.iter().filter_map(text).collect())
}

fn bimi(domain: &DomainName, reader: &mut Reader<'_>) -> Result<Option<String>, NotObserved> {
    // A name too long to be one has no records.
    let Ok(name) = domain.child("default._bimi") else { return Ok(None) };
    let response = reader.ask(&name, RecordKind::Txt)?.ok_or_else(|| not_asked(&name, RecordKind::Txt))?;
    let texts = txt::texts(&response.data);
    Ok(texts.into_iter().find(|text| txt::starts_with_ignoring_case(text.trim_start(), "v=bimi1")))
}

/// Whether a name exists, for TXT, or has records of one of several kinds. What stands below the name
/// is hashed, so that nobody can list it.
fn below(domain: &DomainName, label: &str, kinds: &[RecordKind], wildcard: bool, reader: &mut Reader<'_>) -> Published {
    let Ok(name) = domain.child(label) else { return Published::No };
    let mut known = true;
    for &kind in kinds {
        match reader.ask(&name, kind) {
            Ok(Some(response)) if !response.exists => return Published::No,
            Ok(Some(response)) if kind != RecordKind::Txt && response.is_empty() => {}
            Ok(Some(_)) if !wildcard => return Published::Yes,
            Ok(None) => return Published::Unknown,
            Ok(Some(_)) | Err(_) => known = false,
        }
    }
    if known { Published::No } else { Published::Unknown }
}

impl Discovery {
    fn note(&mut self, code: &str, detail: String, rule: &str) {
        self.notes.push(Note::new(code, detail, rule));
    }

    /// The hosts of the domain's own that hold settings.
    fn read_settings(&mut self, domain: &DomainName, wildcard: bool, reader: &mut Reader<'_>) {
        for service in [Service::Autoconfig, Service::Autodiscover] {
            let Ok(host) = domain.child(service.as_str()) else { continue };
            match reader.ask(&host, RecordKind::Cname) {
                // An alias is the vendor's host and told there; a name of the domain's own is a service.
                Ok(Some(response)) if !response.exists || !response.aliases.is_empty() => {}
                Ok(Some(_)) if !wildcard => {
                    self.services.push(ClientService { host, port: service.port(), named_by: service });
                }
                Ok(Some(_) | None) | Err(_) => self.not_known.push(service),
            }
        }
    }

    fn read_services(&mut self, domain: &DomainName, reader: &mut Reader<'_>) {
        let Ok(base) = domain.child("_tcp") else { return };
        // Below a name that does not exist there is nothing (RFC 8020 §2): one question instead of seven.
        match reader.ask(&base, RecordKind::Txt) {
            Ok(Some(response)) if response.exists => {}
            Ok(Some(_)) => return,
            Ok(None) | Err(_) => {
                self.not_known.extend(Service::BY_SRV);
                return;
            }
        }
        let mut named = Vec::new();
        for service in Service::BY_SRV {
            let Ok(name) = domain.child(service.as_str()) else { continue };
            let Ok(Some(response)) = reader.ask(&name, RecordKind::Srv) else {
                self.not_known.push(service);
                continue;
            };
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
            servers.sort_unstable();
            if !servers.is_empty() && servers.iter().all(|(_, target, _)| target.is_empty()) {
                self.not_offered.push(service);
                continue;
            }
            servers.retain(|(_, target, port)| !target.is_empty() && *port > 0);
            if !servers.is_empty() {
                named.push(service);
            }
            if servers.len() > MAX_SERVERS {
                let detail = format!("{name}: {} servers, {MAX_SERVERS} looked into", servers.len());
                self.note("client.many", detail, "RFC 2782");
            }
            for (_, target, port) in servers.into_iter().take(MAX_SERVERS) {
                let Ok(host) = target.parse() else {
                    let detail = format!("{name}: `{}` is no host name", super::tags::short(target));
                    self.note("client.bad_target", detail, "RFC 2782");
                    continue;
                };
                if port != service.port() {
                    let detail = format!("{name}: {host}:{port}; port {} is registered", service.port());
                    self.note("client.other_port", detail, "RFC 6335 §5");
                }
                self.services.push(ClientService { host, port, named_by: service });
            }
        }
        for service in named.iter().copied() {
            // Only an answer says that a service is not published.
            if let Some(with_tls) = service.with_tls()
                && !named.contains(&with_tls)
                && !self.not_known.contains(&with_tls)
            {
                let detail = format!("{domain}: {} is published and {} is not", service.as_str(), with_tls.as_str());
                self.note("client.no_implicit_tls", detail, "RFC 8314 §5.1");
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
        assert_eq!(found.not_offered, [Service::Pop3]);
        assert_eq!(found.not_known.len(), 6, "nobody asked about the others: {:?}", found.not_known);
        assert!(codes(&found.notes).is_empty(), "{:?}", found.notes);
    }

    #[test]
    fn only_an_answer_says_that_a_service_is_not_published() {
        let nobody = nobody();
        let notes = |with_tls: &str| {
            let line = format!("_submissions._tcp.c.example SRV {with_tls}");
            let plain = "_submission._tcp.c.example SRV 0 1 587 m.c.example";
            codes(&judge(&[&nobody, "_tcp.c.example TXT !none", plain, &line]).0.notes)
        };
        assert_eq!(notes("!nx"), ["client.no_implicit_tls"]);
        assert_eq!(notes("0 0 0 ."), ["client.no_implicit_tls"]);
        assert_eq!(notes("!fail"), [""; 0]);
        assert_eq!(notes("0 1 465 m.c.example"), [""; 0]);
        assert_eq!(notes("0 1 465 no..name"), ["client.bad_target"]);
        assert_eq!(notes("0 1 22 m.c.example"), ["client.other_port"]);
    }

    #[test]
    fn servers_that_are_not_looked_into_are_told() {
        let nobody = nobody();
        let servers: Vec<String> =
            (0..6).map(|index| format!("_imaps._tcp.c.example SRV 0 1 993 m{index}.c.example")).collect();
        let lines = [nobody.as_str(), "_tcp.c.example TXT !none"].into_iter().chain(servers.iter().map(String::as_str));
        let (found, _) = judge(&lines.collect::<Vec<_>>());
        assert_eq!((found.services.len(), codes(&found.notes)), (4, vec!["client.many".to_owned()]));
    }

    #[test]
    fn what_could_not_be_asked_is_never_no() {
        let nobody = nobody();
        let (found, _) = judge(&[
            &nobody,
            "c.example CAA !fail",
            "default._bimi.c.example TXT !fail",
            "_tcp.c.example TXT !fail",
            "autoconfig.c.example CNAME !fail",
            "openpgpkey.c.example A !none",
            "openpgpkey.c.example AAAA !fail",
        ]);
        assert!(found.caa.is_err() && found.bimi.is_err());
        assert_eq!((found.key_directory, found.not_known.len()), (Published::Unknown, 9));
        let (found, _) = judge(&[&nobody, "openpgpkey.c.example A !none", "openpgpkey.c.example AAAA ::1"]);
        assert_eq!(found.key_directory, Published::Yes);
        let (found, _) = judge(&[&nobody, "c.example CAA !none", "default._bimi.c.example TXT !nx"]);
        assert_eq!((found.caa, found.bimi), (Ok(Vec::new()), Ok(None)));
    }

    #[test]
    fn below_a_name_that_does_not_exist_nothing_is_asked() {
        let nobody = nobody();
        let (with_services, open) = judge(&[&nobody, "_tcp.c.example TXT !none"]);
        let (without, fewer) = judge(&[&nobody, "_tcp.c.example TXT !nx"]);
        assert!(with_services.services.is_empty() && without.services.is_empty());
        assert_eq!(open - fewer, Service::BY_SRV.len());
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
        assert_eq!((found.services[0].port, found.services[0].named_by), (443, Service::Autoconfig));
    }
}
