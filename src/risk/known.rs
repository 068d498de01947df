//! What the analysis needs of the facts: who there is, who may be privileged or hold much PHI,
//! what was scanned, and how many individuals the organization declares.
//!
//! The only file of this room that reads facts. What is not known stays not known.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Categories that other law protects more, as the scope states; `None` where it does not say.
    pub(super) sensitive: Option<Vec<String>>,
    /// Whether the audit log of every tenant takes entries.
    pub(super) unified_log: Option<bool>,
    /// Whether all subjects of a kind are known; a kind that is not here is not.
    pub(super) complete: BTreeMap<SubjectKind, bool>,
    pub(super) members: BTreeMap<(SubjectKind, Option<Only>), Members>,
}

/// One mailbox. The default knows nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KnownMailbox {
    pub(super) name: String,
    pub(super) administrator: Option<bool>,
    /// Whether the scope lists it as holding PHI.
    pub(super) holds_phi: Option<bool>,
    pub(super) mfa_registered: Option<bool>,
    pub(super) mfa_enforced: Option<bool>,
    pub(super) imap: Option<bool>,
    pub(super) pop: Option<bool>,
    pub(super) smtp_auth: Option<bool>,
    pub(super) audited: Option<bool>,
    pub(super) audit_bypassed: Option<bool>,
    /// Mailboxes whose user may open it; the counts are of those without a mailbox.
    pub(super) opened_by: Option<Vec<String>>,
    pub(super) opened_by_others: Option<u64>,
    pub(super) folders_opened_by: Option<Vec<String>>,
    pub(super) folders_opened_by_others: Option<u64>,
    pub(super) sent_as_by: Option<Vec<String>>,
    /// Outside domains that it is known to forward to, by itself or by a rule.
    pub(super) leaves_to: Vec<String>,
    /// Whether there are no others.
    pub(super) leaves_known: bool,
    /// Individuals in it, at least and at most, as the scope states.
    pub(super) declared: Option<(u64, u64)>,
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
    /// Individuals of the last year's messages, at least and at most.
    pub(super) within_a_year: Option<(u64, u64)>,
    /// Categories that other law protects more; `None` where the scan did not tell them apart.
    pub(super) sensitive: Option<Vec<String>>,
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
        let leaving = Leaving::of(facts);
        let declared = facts.organizations.subjects.iter().map(|organization| count(&organization.individuals.seen));
        let mut known = Self {
            mailboxes: facts.mailboxes.subjects.iter().map(|mailbox| known_mailbox(mailbox, &leaving)).collect(),
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
                    within_a_year: count(&folder.within_a_year_lower.seen).zip(count(&folder.within_a_year_upper.seen)),
                    sensitive: folder.sensitive_kinds.seen.present().cloned(),
                })
                .collect(),
            // The largest where several organizations are in scope; nothing where one does not say.
            individuals: declared.collect::<Option<Vec<_>>>().and_then(|counts| counts.into_iter().max()),
            sensitive: facts
                .organizations
                .subjects
                .iter()
                .map(|organization| organization.sensitive_kinds.seen.present().cloned())
                .collect::<Option<Vec<_>>>()
                .filter(|all| !all.is_empty())
                .map(|all| all.into_iter().flatten().collect()),
            unified_log: unified_log(facts),
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

/// One tenant whose log takes no entries is one place where nothing is written down.
fn unified_log(facts: &Facts) -> Option<bool> {
    let logs = facts.tenants.subjects.iter().map(|tenant| flag(&tenant.unified_audit_log.seen));
    let logs: Vec<Option<bool>> = logs.collect();
    if logs.contains(&Some(false)) {
        return Some(false);
    }
    (!logs.is_empty()).then(|| logs.into_iter().collect::<Option<Vec<bool>>>().map(|_| true)).flatten()
}

/// What rules send outside, by mailbox.
struct Leaving<'f> {
    /// The domains known, and whether every rule of the mailbox says where it sends.
    by_mailbox: BTreeMap<String, (BTreeSet<&'f str>, bool)>,
    /// Whether the rules of every mailbox are here.
    every_rule: bool,
}

const OUTSIDE: [&str; 3] = ["business-associate", "consumer-webmail", "external"];
const NOBODY_KNOWS: [&str; 2] = ["unparseable", "unresolved"];

impl<'f> Leaving<'f> {
    fn of(facts: &'f Facts) -> Self {
        let mut by_mailbox: BTreeMap<String, (BTreeSet<&str>, bool)> = BTreeMap::new();
        for rule in &facts.forwarding_rules.subjects {
            let Some(mailbox) = rule.mailbox.seen.present() else { continue };
            if flag(&rule.enabled.seen) == Some(false) {
                continue;
            }
            let class = rule.target_class.seen.present().map(String::as_str);
            let (to, known) = by_mailbox.entry(mailbox.to_lowercase()).or_insert_with(|| (BTreeSet::new(), true));
            if class.is_some_and(|class| OUTSIDE.contains(&class)) {
                to.extend(rule.target_domains.seen.present().into_iter().flatten().map(String::as_str));
            }
            *known &= class.is_some_and(|class| !NOBODY_KNOWS.contains(&class));
        }
        Self { by_mailbox, every_rule: facts.forwarding_rules.collection == Collection::Complete }
    }
}

fn known_mailbox(mailbox: &Mailbox, leaving: &Leaving<'_>) -> KnownMailbox {
    let list = |seen: &Seen<Vec<String>>| seen.present().cloned();
    let (leaves_to, leaves_known) = leaves_to(mailbox, leaving);
    KnownMailbox {
        name: mailbox.name.clone(),
        administrator: flag(&mailbox.administrator.seen),
        holds_phi: flag(&mailbox.holds_phi.seen),
        mfa_registered: flag(&mailbox.mfa_registered.seen),
        mfa_enforced: flag(&mailbox.mfa_enforced.seen),
        imap: flag(&mailbox.imap.seen),
        pop: flag(&mailbox.pop.seen),
        smtp_auth: flag(&mailbox.smtp_auth.seen),
        audited: flag(&mailbox.audited.seen),
        audit_bypassed: flag(&mailbox.audit_bypassed.seen),
        opened_by: list(&mailbox.opened_by.seen),
        opened_by_others: count(&mailbox.opened_by_others.seen),
        folders_opened_by: list(&mailbox.folders_opened_by.seen),
        folders_opened_by_others: count(&mailbox.folders_opened_by_others.seen),
        sent_as_by: list(&mailbox.sent_as_by.seen),
        leaves_to,
        leaves_known,
        declared: count(&mailbox.declared_individuals_lower.seen).zip(count(&mailbox.declared_individuals_upper.seen)),
    }
}

/// Its own forwarding and its rules together, and whether that is all.
fn leaves_to(mailbox: &Mailbox, leaving: &Leaving<'_>) -> (Vec<String>, bool) {
    let rules = leaving.by_mailbox.get(&mailbox.name.to_lowercase());
    let (mut to, mut known) = rules.cloned().unwrap_or((BTreeSet::new(), true));
    match &mailbox.forwarding.seen {
        Seen::Absent => {}
        Seen::Malformed(_) | Seen::Unknown(_) => known = false,
        Seen::Present(forwarding) => {
            let class = forwarding.target_class.as_str();
            known &= !NOBODY_KNOWS.contains(&class);
            if OUTSIDE.contains(&class) {
                to.insert(&forwarding.target_domain);
            }
        }
    }
    (to.into_iter().map(str::to_owned).collect(), known && leaving.every_rule)
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
