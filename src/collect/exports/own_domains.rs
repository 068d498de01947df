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
}

impl OwnDomains {
    /// Adds a domain, with those below it where they belong to the tenant too.
    pub fn add(&mut self, domain: DomainName, with_subdomains: bool) {
        if with_subdomains {
            self.above.insert(domain.clone());
        }
        self.exact.insert(domain);
    }

    /// Adds the domain that a record says mail is accepted for.
    pub fn learn(&mut self, record: &Record) {
        if let Record::AcceptedDomain { domain, match_subdomains } = record
            && let Ok(domain) = domain.parse()
        {
            self.add(domain, *match_subdomains);
        }
    }

    /// Whether a domain is own.
    pub fn has(&self, domain: &DomainName) -> bool {
        self.exact.contains(domain) || self.above.iter().any(|own| domain.is_at_or_below(own))
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
