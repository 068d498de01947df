//! The list of consumer webmail domains, read once from `checks/consumer-domains.yaml`.
//!
//! A domain is on it by its exact name: neither names below it nor names that end alike are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

use crate::names::DomainName;
use crate::yaml::{self, Located};

const FILE: &str = "checks/consumer-domains.yaml";
const TEXT: &str = include_str!("../../checks/consumer-domains.yaml");

/// How sure the list is that a domain is one for consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    Named,
    /// Commonly listed as such, and not read again at the provider.
    Recalled,
}

/// One provider and its domains.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub provider: String,
    pub domains: Vec<DomainName>,
    pub basis: Basis,
    /// Where it is said.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    date: Date,
    domains: Vec<Provider>,
}

/// The list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerDomains {
    /// When it was collected.
    pub date: Date,
    pub providers: Vec<Provider>,
    by_domain: BTreeMap<DomainName, usize>,
}

impl ConsumerDomains {
    /// The list that is part of the program.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<ConsumerDomains> = LazyLock::new(|| {
            ConsumerDomains::read(Path::new(FILE), TEXT).expect("the list is read by a test before it is shipped")
        });
        &SHIPPED
    }

    /// Reads a list; `file` is only for the error message.
    pub fn read(file: &Path, text: &str) -> Result<Self, Located> {
        let stored: Stored = yaml::read(file, text)?;
        let mut by_domain = BTreeMap::new();
        for (index, provider) in stored.domains.iter().enumerate() {
            for domain in &provider.domains {
                if by_domain.insert(domain.clone(), index).is_some() {
                    return Err(Located::at(file, text, 0, 0, format!("{domain} is listed twice"), "keep one of them"));
                }
            }
        }
        Ok(Self { date: stored.date, providers: stored.domains, by_domain })
    }

    /// Whose consumer mailboxes a domain holds, if it is listed.
    pub fn provider(&self, domain: &DomainName) -> Option<&Provider> {
        self.by_domain.get(domain).map(|index| &self.providers[*index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_listed_by_its_exact_name() {
        let list = ConsumerDomains::shipped();
        let provider = |name: &str| list.provider(&name.parse().unwrap()).map(|provider| provider.provider.as_str());
        assert_eq!(provider("Gmail.com"), Some("Google"));
        assert_eq!(provider("notgmail.com"), None);
        assert_eq!(provider("clinic.gmail.com"), None);
        assert!(list.providers.iter().all(|provider| !provider.source.is_empty()));
    }

    #[test]
    fn a_domain_listed_twice_is_refused() {
        let text = "date: 2026-01-01\ndomains:\n  - { provider: A, domains: [a.example, a.example], basis: named, source: x }\n";
        assert!(ConsumerDomains::read(Path::new("x"), text).is_err());
    }
}
