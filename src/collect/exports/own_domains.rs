//! Which domains are the organization's own, as far as the scope and the exports say so.
//!
//! It decides whose messages are counted and nothing else: the classes of recipients are given where
//! facts are built. A message trace is read after everything that may name a domain.

use std::collections::BTreeSet;

use super::bundle::{Archives, Entry};
use crate::evidence::export::Record;
use crate::names::DomainName;

/// Where a file says what it is.
const HEAD: u64 = 64 * 1024;

/// The organization's own domains.
#[derive(Clone, Debug, Default)]
pub struct OwnDomains {
    exact: BTreeSet<DomainName>,
    /// Domains whose subdomains are own as well.
    above: BTreeSet<DomainName>,
    /// The first file that named some, and those it named.
    tenant: Option<(String, BTreeSet<DomainName>)>,
}

impl OwnDomains {
    /// Adds a domain, with those below it where they belong to the tenant too.
    pub fn add(&mut self, domain: DomainName, with_subdomains: bool) {
        if with_subdomains {
            self.above.insert(domain.clone());
        }
        self.exact.insert(domain);
    }

    /// Adds the domains that one file says mail is accepted for, unless it is a file of another tenant: one that
    /// names none of those of the first. Gives the first file's label then.
    pub fn learn(&mut self, label: &str, told: &[(DomainName, bool)]) -> Result<(), String> {
        let named: BTreeSet<DomainName> = told.iter().map(|(domain, _)| domain.clone()).collect();
        if named.is_empty() {
            return Ok(());
        }
        match &mut self.tenant {
            Some((first, known)) if known.is_disjoint(&named) => return Err(first.clone()),
            Some((_, known)) => known.extend(named),
            None => self.tenant = Some((label.to_owned(), named)),
        }
        told.iter().for_each(|(domain, with_subdomains)| self.add(domain.clone(), *with_subdomains));
        Ok(())
    }

    /// The domain that a record says mail is accepted for, and whether for those below it too.
    pub fn told_by(record: &Record) -> Option<(DomainName, bool)> {
        let Record::AcceptedDomain { domain, match_subdomains } = record else { return None };
        Some((domain.parse().ok()?, *match_subdomains))
    }

    /// Whether a domain is own.
    pub fn has(&self, domain: &DomainName) -> bool {
        let mut at_or_above = std::iter::successors(Some(domain.clone()), DomainName::parent);
        self.exact.contains(domain) || at_or_above.any(|name| self.above.contains(&name))
    }
}

/// Whether a file looks like a trace of messages, in whatever encoding. It decides only when the file
/// is read.
pub fn speaks_of_messages(entry: &Entry, archives: &mut Archives) -> bool {
    if entry.refused.is_some() {
        return false;
    }
    let mut head = entry.head(archives, HEAD);
    head.retain(|byte| !matches!(byte, 0 | b' ' | b'_'));
    head.make_ascii_lowercase();
    ["senderaddress", "recipientaddress"].iter().all(|word| memchr::memmem::find(&head, word.as_bytes()).is_some())
}
