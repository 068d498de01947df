//! `check_host` of RFC 7208 §4: what SPF says about one message. The audit of a domain does not
//! need it; it is here so that the reading of records can be held against the standard's own test
//! suite, and so that a sample message can be explained.
//!
//! Pure: it is given something that answers DNS questions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::spf::{self, DomainSpec, MacroExpand, MacroPart, Mechanism, Qualifier, SpfRecord};

/// RFC 7208 §2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpfResult {
    Fail,
    Neutral,
    None,
    Pass,
    PermError,
    SoftFail,
    TempError,
}

impl SpfResult {
    /// The word, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Neutral => "neutral",
            Self::None => "none",
            Self::Pass => "pass",
            Self::PermError => "permerror",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
        }
    }
}

/// The query failed: a timeout, or a response code other than 0 and 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookupFailed;

/// Answers DNS questions. An empty list means no data or no such name.
pub trait Lookup {
    /// The addresses of one family.
    fn addresses(&mut self, name: &str, ipv6: bool) -> Result<Vec<IpAddr>, LookupFailed>;
    /// Mail exchangers, by preference.
    fn mail_exchangers(&mut self, name: &str) -> Result<Vec<String>, LookupFailed>;
    /// Names of an address.
    fn names(&mut self, address: IpAddr) -> Result<Vec<String>, LookupFailed>;
    /// TXT records, joined, as bytes.
    fn texts(&mut self, name: &str) -> Result<Vec<Vec<u8>>, LookupFailed>;
}

/// One message to check.
#[derive(Clone, Debug)]
pub struct Message {
    pub address: IpAddr,
    /// `local@domain`; empty for the null sender.
    pub mail_from: String,
    pub helo: String,
    /// Our own name, for explanations.
    pub receiver: String,
}

/// The result and, for a fail, the domain's explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub result: SpfResult,
    pub explanation: Option<String>,
}

/// Includes and redirects followed one inside the other.
const MAX_DEPTH: usize = 20;
/// The longest name in DNS.
const MAX_NAME: usize = 253;

/// Checks a message.
pub fn check(dns: &mut dyn Lookup, message: &Message) -> Checked {
    let sender = match message.mail_from.rsplit_once('@') {
        Some((local, domain)) if !local.is_empty() => (local.to_owned(), domain.to_owned()),
        // Without a local part `postmaster` stands in (§4.3), without a sender HELO (§2.4).
        Some((_, domain)) => ("postmaster".to_owned(), domain.to_owned()),
        None if message.mail_from.is_empty() => ("postmaster".to_owned(), message.helo.clone()),
        None => ("postmaster".to_owned(), message.mail_from.clone()),
    };
    let domain = sender.1.trim_end_matches('.').to_owned();
    let address = match message.address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    let mut check = Check { dns, message, address, sender, lookups: 0, voids: 0, explanation: None };
    if !is_domain(&domain) {
        return Checked { result: SpfResult::None, explanation: None };
    }
    let result = check.domain(&domain, 0).unwrap_or_else(|stop| stop);
    let explanation = match (result, check.explanation.take()) {
        (SpfResult::Fail, Some((at, spec))) => check.explain(&at, &spec),
        _ => None,
    };
    Checked { result, explanation }
}

/// §4.3: a multi-label name that DNS can hold.
fn is_domain(name: &str) -> bool {
    name.contains('.')
        && name.len() <= MAX_NAME
        && !name.starts_with('[')
        && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

struct Check<'d> {
    dns: &'d mut dyn Lookup,
    message: &'d Message,
    address: IpAddr,
    sender: (String, String),
    lookups: u32,
    voids: u32,
    explanation: Option<(String, DomainSpec)>,
}

/// An error that ends the check carries its result.
type Step<T> = Result<T, SpfResult>;

impl Check<'_> {
    fn domain(&mut self, domain: &str, depth: usize) -> Step<SpfResult> {
        if depth > MAX_DEPTH {
            return Err(SpfResult::PermError);
        }
        let texts = self.dns.texts(domain).map_err(|LookupFailed| SpfResult::TempError)?;
        let mut records = texts.iter().filter(|text| {
            let start = String::from_utf8_lossy(&text[..text.len().min(7)]);
            spf::is_spf(&start)
        });
        let text = match (records.next(), records.next()) {
            (None, _) => return Ok(SpfResult::None),
            (Some(text), None) => text,
            (Some(_), Some(_)) => return Err(SpfResult::PermError),
        };
        let text = std::str::from_utf8(text).map_err(|_| SpfResult::PermError)?;
        let record = spf::parse(text).map_err(|_| SpfResult::PermError)?;
        self.record(domain, &record, depth)
    }

    fn record(&mut self, domain: &str, record: &SpfRecord, depth: usize) -> Step<SpfResult> {
        for directive in &record.directives {
            if self.matches(domain, &directive.mechanism, depth)? {
                return Ok(match directive.qualifier {
                    Qualifier::Fail => {
                        self.explanation = record.explanation.clone().map(|spec| (domain.to_owned(), spec));
                        SpfResult::Fail
                    }
                    Qualifier::Neutral => SpfResult::Neutral,
                    Qualifier::Pass => SpfResult::Pass,
                    Qualifier::SoftFail => SpfResult::SoftFail,
                });
            }
        }
        let Some(spec) = &record.redirect else { return Ok(SpfResult::Neutral) };
        self.count()?;
        let target = self.expand(domain, spec);
        if !is_domain(&target) {
            return Err(SpfResult::PermError);
        }
        match self.domain(&target, depth + 1)? {
            SpfResult::None => Err(SpfResult::PermError),
            result => Ok(result),
        }
    }

    /// §4.6.4.
    fn count(&mut self) -> Step<()> {
        self.lookups += 1;
        if self.lookups > super::spf_tree::MAX_LOOKUPS { Err(SpfResult::PermError) } else { Ok(()) }
    }

    fn void(&mut self) -> Step<()> {
        self.voids += 1;
        if self.voids > super::spf_tree::MAX_VOID_LOOKUPS { Err(SpfResult::PermError) } else { Ok(()) }
    }

    fn matches(&mut self, domain: &str, mechanism: &Mechanism, depth: usize) -> Step<bool> {
        match mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip4 { network, prefix } => {
                Ok(matches!(self.address, IpAddr::V4(address) if within4(address, *network, *prefix)))
            }
            Mechanism::Ip6 { network, prefix } => {
                Ok(matches!(self.address, IpAddr::V6(address) if within6(address, *network, *prefix)))
            }
            Mechanism::A { domain: spec, prefix4, prefix6 } => {
                self.count()?;
                let Some(target) = self.target(domain, spec.as_ref()) else { return Ok(false) };
                let found = self.addresses(&target)?;
                if found.is_empty() {
                    self.void()?;
                }
                Ok(found.into_iter().any(|address| self.within(address, *prefix4, *prefix6)))
            }
            Mechanism::Mx { domain: spec, prefix4, prefix6 } => {
                self.count()?;
                let Some(target) = self.target(domain, spec.as_ref()) else { return Ok(false) };
                let hosts = self.dns.mail_exchangers(&target).map_err(|LookupFailed| SpfResult::TempError)?;
                if hosts.is_empty() {
                    self.void()?;
                }
                if hosts.len() > 10 {
                    return Err(SpfResult::PermError);
                }
                for host in hosts {
                    let found = self.addresses(&host)?;
                    if found.into_iter().any(|address| self.within(address, *prefix4, *prefix6)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Mechanism::Exists(spec) => {
                self.count()?;
                let Some(target) = self.target(domain, Some(spec)) else { return Ok(false) };
                // Always A, whatever the family of the message (§5.7).
                let found = self.dns.addresses(&target, false).map_err(|LookupFailed| SpfResult::TempError)?;
                if found.is_empty() {
                    self.void()?;
                }
                Ok(!found.is_empty())
            }
            Mechanism::Include(spec) => {
                self.count()?;
                let target = self.expand(domain, spec);
                if !is_domain(&target) {
                    return Err(SpfResult::PermError);
                }
                // An explanation of an included record is never used (§6.2).
                let kept = self.explanation.take();
                let result = self.domain(&target, depth + 1)?;
                self.explanation = kept;
                match result {
                    SpfResult::Pass => Ok(true),
                    SpfResult::Fail | SpfResult::Neutral | SpfResult::SoftFail => Ok(false),
                    SpfResult::TempError => Err(SpfResult::TempError),
                    SpfResult::None | SpfResult::PermError => Err(SpfResult::PermError),
                }
            }
            Mechanism::Ptr(spec) => {
                self.count()?;
                let Some(target) = self.target(domain, spec.as_ref()) else { return Ok(false) };
                let target = target.to_ascii_lowercase();
                // §4.6.4 counts terms whose queries find nothing; a failed query is no match (§5.5).
                if self.dns.names(self.address).is_ok_and(|names| names.is_empty()) {
                    self.void()?;
                }
                let names = self.validated_names();
                Ok(names.iter().any(|name| name == &target || name.ends_with(&format!(".{target}"))))
            }
        }
    }

    /// The name a mechanism speaks of; `None` where DNS cannot hold it, which matches nothing.
    fn target(&mut self, domain: &str, spec: Option<&DomainSpec>) -> Option<String> {
        match spec {
            None => Some(domain.to_owned()),
            Some(spec) => Some(self.expand(domain, spec)).filter(|name| is_domain(name)),
        }
    }

    fn addresses(&mut self, name: &str) -> Step<Vec<IpAddr>> {
        self.dns.addresses(name, self.address.is_ipv6()).map_err(|LookupFailed| SpfResult::TempError)
    }

    fn within(&self, found: IpAddr, prefix4: u8, prefix6: u8) -> bool {
        match (self.address, found) {
            (IpAddr::V4(address), IpAddr::V4(found)) => within4(address, found, prefix4),
            (IpAddr::V6(address), IpAddr::V6(found)) => within6(address, found, prefix6),
            (IpAddr::V4(_) | IpAddr::V6(_), IpAddr::V4(_) | IpAddr::V6(_)) => false,
        }
    }

    /// §5.5: names of the address that lead back to it; errors count as no match.
    fn validated_names(&mut self) -> Vec<String> {
        let names = self.dns.names(self.address).unwrap_or_default();
        let mut valid = Vec::new();
        for name in names.into_iter().take(10) {
            let found = self.dns.addresses(&name, self.address.is_ipv6()).unwrap_or_default();
            if found.contains(&self.address) {
                valid.push(name.trim_end_matches('.').to_ascii_lowercase());
            }
        }
        valid
    }

    /// A domain-spec with its macros filled in; cut from the left to what DNS can hold (§7.3).
    fn expand(&mut self, domain: &str, spec: &DomainSpec) -> String {
        let expanded = self.expand_parts(domain, &spec.parts);
        let mut name = expanded.strip_suffix('.').unwrap_or(&expanded);
        while name.len() > MAX_NAME {
            let Some((_, rest)) = name.split_once('.') else { break };
            name = rest;
        }
        name.to_owned()
    }

    fn expand_parts(&mut self, domain: &str, parts: &[MacroPart]) -> String {
        let mut out = String::new();
        for part in parts {
            match part {
                MacroPart::Literal(literal) => out.push_str(literal),
                MacroPart::Expand(expand) => out.push_str(&self.value(domain, expand)),
            }
        }
        out
    }

    fn value(&mut self, domain: &str, expand: &MacroExpand) -> String {
        let value = match expand.letter {
            's' => format!("{}@{}", self.sender.0, self.sender.1),
            'l' => self.sender.0.clone(),
            'o' => self.sender.1.clone(),
            'd' => domain.to_owned(),
            'h' => self.message.helo.clone(),
            'i' => match self.address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => {
                    let nibbles = address.octets().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
                    nibbles.map(|nibble| format!("{nibble:X}")).collect::<Vec<_>>().join(".")
                }
            },
            'v' if self.address.is_ipv4() => "in-addr".to_owned(),
            'v' => "ip6".to_owned(),
            'p' => {
                let names = self.validated_names();
                let domain = domain.to_ascii_lowercase();
                let exact = names.iter().find(|name| **name == domain);
                let below = names.iter().find(|name| name.ends_with(&format!(".{domain}")));
                exact.or(below).or(names.first()).cloned().unwrap_or_else(|| "unknown".to_owned())
            }
            'c' => self.address.to_string(),
            'r' => self.message.receiver.clone(),
            // Explanations may show the time; a fixed one keeps the result reproducible.
            _ => "0".to_owned(),
        };
        expand.apply(&value)
    }

    /// §6.2: anything wrong with an explanation means that there is none.
    fn explain(&mut self, domain: &str, spec: &DomainSpec) -> Option<String> {
        let target = self.expand(domain, spec);
        if !is_domain(&target) {
            return None;
        }
        let texts = self.dns.texts(&target).ok()?;
        let [text] = texts.as_slice() else { return None };
        let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii())?;
        let parts = spf::explanation(text)?;
        Some(self.expand_parts(domain, &parts))
    }
}

fn within4(address: Ipv4Addr, network: Ipv4Addr, prefix: u8) -> bool {
    let differ = u32::from(address) ^ u32::from(network);
    differ.checked_shr(32 - u32::from(prefix.min(32))).unwrap_or(0) == 0
}

fn within6(address: Ipv6Addr, network: Ipv6Addr, prefix: u8) -> bool {
    let differ = u128::from(address) ^ u128::from(network);
    differ.checked_shr(128 - u32::from(prefix.min(128))).unwrap_or(0) == 0
}
