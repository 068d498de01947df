//! Domains that were found and that the scope does not name: those the tenant accepts mail for, and
//! those outside that mail is forwarded to by what is not switched off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::export::Record;
use crate::evidence::{Answer, Evidence, Source};
use crate::facts::Facts;
use crate::facts::forwarding_rule::ForwardingRule;
use crate::seen::Seen;

/// A domain that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Discovered {
    /// `accepted-domain`, `forwarding-domain`.
    pub kind: String,
    pub name: String,
    /// How many mailboxes, rules or exports name it.
    pub times: usize,
}

/// Sorted by kind and name.
pub(super) fn discovered(evidence: &Evidence, facts: &Facts) -> Vec<Discovered> {
    let declared = evidence.declared().ok().map(|(_, declared)| declared);
    let named = |name: &str| {
        declared.is_some_and(|declared| {
            let domains = declared.domains.iter().map(|domain| domain.name.as_str());
            domains.chain(declared.partners.iter().map(|partner| partner.domain.as_str())).any(|known| known == name)
        })
    };
    let mut found: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let mut add = |kind: &'static str, name: &str| {
        if !named(name) && name != "none" && !name.is_empty() {
            *found.entry((kind, name.to_owned())).or_default() += 1;
        }
    };
    for (_, observation) in evidence.from(Source::Export) {
        if let Ok(Answer::Record(Record::AcceptedDomain { domain, .. })) = &observation.answer {
            add("accepted-domain", domain);
        }
    }
    let outside = |class: Option<&String>| {
        class.is_some_and(|class| ["business-associate", "consumer-webmail", "external"].contains(&class.as_str()))
    };
    // A rule that is known to be switched off sends nothing.
    let on = |rule: &&ForwardingRule| rule.enabled.seen != Seen::Present(false);
    for rule in facts.forwarding_rules.subjects.iter().filter(on) {
        if outside(rule.target_class.seen.present()) {
            for domain in rule.target_domains.seen.present().into_iter().flatten() {
                add("forwarding-domain", domain);
            }
        }
    }
    for mailbox in &facts.mailboxes.subjects {
        if let Some(forwarding) = mailbox.forwarding.seen.present()
            && outside(Some(&forwarding.target_class))
        {
            add("forwarding-domain", &forwarding.target_domain);
        }
    }
    let all = found.into_iter().map(|((kind, name), times)| Discovered { kind: kind.to_owned(), name, times });
    all.collect()
}
