//! Reads what `probe` is given: `host:port`, `[address]:port`, `domain`, or a file of those.

use std::net::IpAddr;
use std::path::Path;

use crate::names::DomainName;
use crate::yaml::Located;

/// One thing to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Domain { name: DomainName, selectors: Vec<String> },
    Service { host: Host, port: u16, starttls: Option<String>, server_name: Option<String> },
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Domain { name, .. } => name.fmt(f),
            Self::Service { host, port, .. } => write!(f, "{host}:{port}"),
        }
    }
}

/// A host by name or by address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    Name(DomainName),
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => name.fmt(f),
        }
    }
}

const FORMS: &str = "write host:port, [address]:port or a domain";
const STARTTLS: [&str; 5] = ["imap", "none", "pop3", "sieve", "smtp"];

/// Reads one target without options.
pub(super) fn target(text: &str) -> Result<Target, String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once("]:").ok_or_else(|| format!("`{text}` has no port: {FORMS}"))?;
        let address: IpAddr = address.parse().map_err(|_| format!("`{address}` is not an address: {FORMS}"))?;
        return Ok(service(Host::Address(address), self::port(port)?));
    }
    match text.rsplit_once(':') {
        None => {
            if text.parse::<IpAddr>().is_ok() {
                return Err(format!("`{text}` has no port: {FORMS}"));
            }
            let name = text.parse::<DomainName>().map_err(|error| format!("{error}: {FORMS}"))?;
            Ok(Target::Domain { name, selectors: Vec::new() })
        }
        Some((host, _)) if host.contains(':') => {
            Err(format!("`{text}` is an address without brackets: write [{text}]:port"))
        }
        Some((host, port)) => {
            let port = self::port(port)?;
            let host = match host.parse::<IpAddr>() {
                Ok(address) => Host::Address(address),
                Err(_) => Host::Name(host.parse().map_err(|error| format!("{error}: {FORMS}"))?),
            };
            Ok(service(host, port))
        }
    }
}

const fn service(host: Host, port: u16) -> Target {
    Target::Service { host, port, starttls: None, server_name: None }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse::<u16>()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| format!("`{text}` is not a port from 1 to 65535: {FORMS}"))
}

/// Looks through a list, a target a line, `,key=value` behind it, `#` begins a comment, for lines that
/// are no target.
pub(super) fn faults(path: &Path, text: &str) -> Vec<Located> {
    let help = "a line is host:port[,starttls=KIND][,server_name=NAME] or domain[,selector=NAME]";
    written(text)
        .filter_map(|(line, written)| Some(Located::at(path, text, line, 1, list_line(written).err()?, help)))
        .collect()
}

/// The targets of a list without faults, each read when its turn comes: a line takes less room.
pub(super) fn of_list(text: &str) -> impl Iterator<Item = Target> {
    written(text).filter_map(|(_, written)| list_line(written).ok())
}

/// What lines say, with their numbers.
fn written(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let lines = (1..).zip(text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()));
    lines.filter(|(_, written)| !written.is_empty())
}

fn list_line(written: &str) -> Result<Target, String> {
    let mut parts = written.split(',').map(str::trim);
    let mut read = target(parts.next().unwrap_or_default())?;
    for option in parts {
        let (key, value) = option.split_once('=').ok_or_else(|| format!("`{option}` is not key=value"))?;
        match (&mut read, key) {
            (Target::Service { starttls, .. }, "starttls") if STARTTLS.contains(&value) => {
                *starttls = Some(value.to_owned())
            }
            (Target::Service { .. }, "starttls") => {
                return Err(format!("`{value}` is none of {}", STARTTLS.join(", ")));
            }
            (Target::Service { server_name, .. }, "server_name") => {
                let name: DomainName = value.parse().map_err(|error| format!("{error}"))?;
                *server_name = Some(name.to_string());
            }
            (Target::Domain { selectors, .. }, "selector") => {
                let selector: DomainName = value.parse().map_err(|error| format!("{error}"))?;
                selectors.push(selector.to_string());
            }
            (Target::Service { .. } | Target::Domain { .. }, _) => return Err(format!("`{key}` means nothing here")),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_addresses_and_domains_are_told_apart() {
        let name = |text: &str| Host::Name(text.parse().unwrap());
        assert_eq!(target("mx1.clinic.example:25"), Ok(service(name("mx1.clinic.example"), 25)));
        assert_eq!(target("[::1]:993"), Ok(service(Host::Address("::1".parse().unwrap()), 993)));
        assert_eq!(target("192.0.2.1:465"), Ok(service(Host::Address("192.0.2.1".parse().unwrap()), 465)));
        assert!(matches!(target("clinic.example"), Ok(Target::Domain { .. })));
        for text in ["", "host:", "host:0", "host:99999", "::1", "192.0.2.1", "[::1]", "a b:25", "2001:db8::1:25"] {
            assert!(target(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_tells_every_fault_with_its_line() {
        let text = "# hosts\nmx.example:25,starttls=smtp\nclinic.example,selector=s1,selector=s2\nmx.example:25,starttls=ftp\nclinic.example,port=3\n";
        let told = faults(Path::new("targets"), text);
        assert_eq!(told.iter().map(|fault| fault.line).collect::<Vec<_>>(), [4, 5]);
        let targets: Vec<Target> = of_list(text).collect();
        assert_eq!(targets.len(), 2);
        assert!(matches!(&targets[1], Target::Domain { selectors, .. } if selectors == &["s1", "s2"]));
    }
}
