//! What the analysis needs of the facts: who there is, who may be privileged or hold much PHI,
//! what was scanned, and how many individuals the organization declares.
//!
//! The only file of this room that reads facts. What is not known stays not known.

use std::collections::BTreeMap;

use super::scenario::{Only, Population};
use crate::facts::mailbox::Mailbox;
use crate::facts::{Built, Collection, Facts};
use crate::names::SubjectKind;
use crate::seen::Seen;

/// Names shown of a group; the rest is a number.
pub(super) const SHOWN: usize = 20;

/// What the analysis needs of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) mailboxes: Vec<KnownMailbox>,
    pub(super) folders: Vec<KnownFolder>,
    /// What the scope says of the number of individuals.
    pub(super) individuals: Option<u64>,
    /// Whether all subjects of a kind are known; a kind that is not here is not.
    pub(super) complete: BTreeMap<SubjectKind, bool>,
    pub(super) members: BTreeMap<(SubjectKind, Option<Only>), Members>,
}

/// One mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownMailbox {
    pub(super) name: String,
    pub(super) administrator: Option<bool>,
    /// Whether the scope lists it as holding PHI.
    pub(super) holds_phi: Option<bool>,
    pub(super) mfa_registered: Option<bool>,
    pub(super) mfa_enforced: Option<bool>,
}

/// One folder that was scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownFolder {
    /// As the scope names it.
    pub(super) mailbox: Option<String>,
    pub(super) individuals_lower: Option<u64>,
    pub(super) individuals_upper: Option<u64>,
    pub(super) not_inspected: Option<u64>,
    /// Whole days from the oldest message with PHI to `as_of`; `None` where there is none.
    pub(super) oldest_days: Option<i64>,
}

/// A group of subjects: how many, and the first by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) count: usize,
    pub(super) first: Vec<String>,
}

impl Known {
    pub(super) fn is_complete(&self, kind: SubjectKind) -> bool {
        self.complete.get(&kind).copied().unwrap_or(false)
    }

    pub(super) fn members(&self, population: Population) -> Members {
        self.members.get(&(population.kind, population.only)).cloned().unwrap_or_default()
    }
}

fn flag(seen: &Seen<bool>) -> Option<bool> {
    match seen {
        Seen::Absent => Some(false),
        Seen::Malformed(_) | Seen::Unknown(_) => None,
        Seen::Present(holds) => Some(*holds),
    }
}

fn count(seen: &Seen<i64>) -> Option<u64> {
    seen.present().and_then(|&number| u64::try_from(number).ok())
}

/// What is not known to lie outside counts as inside.
fn may(seen: &Seen<bool>) -> bool {
    flag(seen) != Some(false)
}

impl From<&Facts> for Known {
    fn from(facts: &Facts) -> Self {
        let declared = facts.organizations.subjects.iter().map(|organization| count(&organization.individuals.seen));
        let mut known = Self {
            mailboxes: facts.mailboxes.subjects.iter().map(KnownMailbox::from).collect(),
            folders: facts
                .content_folders
                .subjects
                .iter()
                .map(|folder| KnownFolder {
                    mailbox: folder.mailbox.seen.present().cloned(),
                    individuals_lower: count(&folder.individuals_lower.seen),
                    individuals_upper: count(&folder.individuals_upper.seen),
                    not_inspected: count(&folder.not_inspected.seen),
                    oldest_days: count(&folder.phi_messages.seen)
                        .filter(|&messages| messages > 0)
                        .and(folder.oldest_phi_days.seen.present().copied()),
                })
                .collect(),
            // The largest where several organizations are in scope; nothing where one does not say.
            individuals: declared.collect::<Option<Vec<_>>>().and_then(|counts| counts.into_iter().max()),
            complete: BTreeMap::new(),
            members: BTreeMap::new(),
        };
        known.group(SubjectKind::Attestation, &facts.attestations, |subject| &subject.name);
        known.group(SubjectKind::ContentFolder, &facts.content_folders, |subject| &subject.name);
        known.group(SubjectKind::Domain, &facts.domains, |subject| &subject.name);
        known.group(SubjectKind::Endpoint, &facts.endpoints, |subject| &subject.name);
        known.group(SubjectKind::ExportFile, &facts.export_files, |subject| &subject.name);
        known.group(SubjectKind::ForwardingPath, &facts.forwarding_paths, |subject| &subject.name);
        known.group(SubjectKind::ForwardingRule, &facts.forwarding_rules, |subject| &subject.name);
        known.group(SubjectKind::Mailbox, &facts.mailboxes, |subject| &subject.name);
        known.group(SubjectKind::Organization, &facts.organizations, |subject| &subject.name);
        known.group(SubjectKind::Partner, &facts.partners, |subject| &subject.name);
        known.group(SubjectKind::Register, &facts.registers, |subject| &subject.name);
        known.group(SubjectKind::Tenant, &facts.tenants, |subject| &subject.name);
        known.group(SubjectKind::Vendor, &facts.vendors, |subject| &subject.name);
        known.parts(facts);
        known
    }
}

impl From<&Mailbox> for KnownMailbox {
    fn from(mailbox: &Mailbox) -> Self {
        Self {
            name: mailbox.name.clone(),
            administrator: flag(&mailbox.administrator.seen),
            holds_phi: flag(&mailbox.holds_phi.seen),
            mfa_registered: flag(&mailbox.mfa_registered.seen),
            mfa_enforced: flag(&mailbox.mfa_enforced.seen),
        }
    }
}

impl Known {
    fn group<T>(&mut self, kind: SubjectKind, built: &Built<T>, name: impl Fn(&T) -> &String) {
        self.complete.insert(kind, built.collection == Collection::Complete);
        self.put(kind, None, built.subjects.iter().map(name));
    }

    fn parts(&mut self, facts: &Facts) {
        let administrators = facts.mailboxes.subjects.iter().filter(|mailbox| may(&mailbox.administrator.seen));
        self.put(SubjectKind::Mailbox, Some(Only::Administrators), administrators.map(|mailbox| &mailbox.name));
        let phi = facts.mailboxes.subjects.iter().filter(|mailbox| may(&mailbox.holds_phi.seen));
        self.put(SubjectKind::Mailbox, Some(Only::Phi), phi.map(|mailbox| &mailbox.name));
        let partners = facts.partners.subjects.iter().filter(|partner| may(&partner.phi.seen));
        self.put(SubjectKind::Partner, Some(Only::Phi), partners.map(|partner| &partner.name));
        let carriers = facts.vendors.subjects.iter().filter(|vendor| may(&vendor.carries_mail.seen));
        self.put(SubjectKind::Vendor, Some(Only::CarriesMail), carriers.map(|vendor| &vendor.name));
        let ours = facts
            .endpoints
            .subjects
            .iter()
            .filter(|endpoint| endpoint.operated_by.seen.present().is_none_or(|by| by == "us" || by == "unknown"));
        self.put(SubjectKind::Endpoint, Some(Only::Ours), ours.map(|endpoint| &endpoint.name));
        let receiving = facts.domains.subjects.iter().filter(|domain| may(&domain.receives.seen));
        self.put(SubjectKind::Domain, Some(Only::Receives), receiving.map(|domain| &domain.name));
        let sending = facts.domains.subjects.iter().filter(|domain| may(&domain.sends.seen));
        self.put(SubjectKind::Domain, Some(Only::Sends), sending.map(|domain| &domain.name));
    }

    fn put<'n>(&mut self, kind: SubjectKind, only: Option<Only>, names: impl Iterator<Item = &'n String>) {
        let mut names: Vec<&String> = names.collect();
        names.sort();
        let members = Members { count: names.len(), first: names.into_iter().take(SHOWN).cloned().collect() };
        self.members.insert((kind, only), members);
    }
}
