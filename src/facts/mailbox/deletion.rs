//! After how many days mail of a mailbox is deleted that nobody threw away, by what exports say of retention.
//!
//! Two systems delete, each by itself: tags of the retention policy that is assigned to the mailbox, and rules
//! of retention policies for places. Of the latter some keep, and what is kept is not deleted before its time,
//! whoever deletes (Microsoft Learn, "The principles of retention", read 2026-11). Labels are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use super::Account;
use crate::evidence::export::{Record, TenantSetting};
use crate::evidence::{EvidenceId, Source};
use crate::facts::Context;
use crate::facts::exported::{self, Files, joined};
use crate::facts::shape::Fact;
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

const TAGS: (&[&str], &str) = (&["microsoft365.retention-tags"], "the retention tags (Get-RetentionPolicyTag)");
const ASSIGNMENTS: (&[&str], &str) =
    (&["microsoft365.retention-policies"], "the tags of every retention policy (Get-RetentionPolicy, as JSON)");
const RULES: (&[&str], &str) =
    (&["microsoft365.retention-rules"], "the rules of retention policies (Get-RetentionComplianceRule)");
const PLACES: (&[&str], &str) = (
    &["microsoft365.retention-compliance"],
    "where retention policies hold (Get-RetentionCompliancePolicy -DistributionDetail with Guid and ExchangeLocationException)",
);
const PARTLY: &str = "which mail a retention rule deletes (it has a query, or leaves kinds of items out)";
const NAMES: &str = "every mailbox that a retention policy names, among the mailboxes (Get-Mailbox with Name and DisplayName, and those that -InactiveMailboxOnly lists)";
const ELSEWHERE: &str = "after how many days mail is deleted: no export of this mail system that is read here says so";
/// Kept for ever.
const FOR_EVER: i64 = i64::MAX;

/// A value, with its observation.
type Value<'e> = (&'e EvidenceId, &'e Seen<String>);

/// What the tenant's tags, policies and rules say, by keyed references of their names.
pub(super) struct Deletion<'e> {
    gone: Option<NotObserved>,
    by_name: BTreeMap<&'e str, BTreeMap<&'e str, Vec<Value<'e>>>>,
    rules: Vec<(&'e EvidenceId, &'e TenantSetting)>,
    /// Policies for places of which the list of rules has none.
    without_rule: Vec<&'e str>,
    /// The addresses of the mailboxes that each name is one of.
    mailboxes: BTreeMap<&'e str, BTreeSet<&'e str>>,
    /// Names of mailboxes of people who left.
    inactive: BTreeSet<&'e str>,
    whole: [Result<(), NotObserved>; 4],
    evidence: Vec<EvidenceId>,
}

impl<'e> Deletion<'e> {
    pub(super) fn of(context: Context<'e>, files: &Files<'e>) -> Self {
        let (mut by_name, mut rules): (BTreeMap<_, BTreeMap<_, Vec<_>>>, _) = (BTreeMap::new(), Vec::new());
        let mut mailboxes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut inactive = BTreeSet::new();
        for (id, record) in exported::records(context) {
            if let Record::Mailbox(mailbox) = record
                && mailbox.listed
            {
                for name in mailbox.references.iter().chain(mailbox.display_name.present()) {
                    mailboxes.entry(name).or_default().insert(&mailbox.address);
                }
            }
            let Record::TenantSetting(setting) = record else { continue };
            match (setting.setting.as_str(), setting.of.as_deref()) {
                ("retention-rule", Some(_)) => rules.push((id, setting.as_ref())),
                ("inactive-mailbox-name", Some(_)) => inactive.extend(setting.value.present().map(String::as_str)),
                (name, Some(of)) if name.starts_with("retention-") => {
                    by_name.entry(name).or_default().entry(of).or_default().push((id, &setting.value));
                }
                _ => {}
            }
        }
        let lists = [TAGS, ASSIGNMENTS, RULES, PLACES];
        Self {
            gone: context.evidence.taken_away(Source::Export, SubjectKind::Tenant),
            without_rule: without_rule(&by_name, &rules),
            by_name,
            rules,
            mailboxes,
            inactive,
            whole: lists.map(|(formats, what)| files.whole(formats, what)),
            evidence: lists.into_iter().flat_map(|(formats, _)| files.evidence_of(formats)).collect(),
        }
    }

    /// Days after which mail is gone; 0 where nothing deletes it. Where something deletes sooner than
    /// `minimum` for certain, what else deletes need not be known.
    pub(super) fn after_days(&self, account: &Account<'_>, provider: &str, minimum: Option<i64>) -> Fact<i64> {
        if let Some(reason) = &self.gone {
            return Fact::unknown(reason.clone());
        }
        if provider != "microsoft365" {
            return Fact::unknown(NotObserved::NotProvided { what: ELSEWHERE.to_owned() });
        }
        let mut said =
            Saying { minimum, deletes: None, keeps: 0, may_delete: None, may_keep: None, ids: self.evidence.clone() };
        self.by_tags(account, &mut said);
        self.by_rules(account, &mut said);
        let days = said.deletes.map_or(0, |days| days.max(said.keeps));
        let sooner = said.deletes.is_some() && minimum.is_none_or(|minimum| days < minimum);
        match (said.may_keep, said.may_delete) {
            // What else keeps mail matters where it is deleted too soon, what else deletes it where it is not.
            (Some(reason), _) if sooner => Fact::new(Seen::Unknown(reason), said.ids),
            (_, Some(reason)) if !sooner || minimum.is_none() => Fact::new(Seen::Unknown(reason), said.ids),
            // What is kept for ever is not deleted.
            _ if days == FOR_EVER => Fact::present(0, said.ids),
            _ => Fact::present(days, said.ids),
        }
    }

    fn named(&self, what: &'static str, of: &str) -> &[Value<'e>] {
        self.by_name.get(what).and_then(|named| named.get(of)).map_or(&[], Vec::as_slice)
    }

    fn by_tags(&self, account: &Account<'_>, said: &mut Saying) {
        let values: Vec<_> =
            account.mailboxes.iter().map(|(id, mailbox)| (*id, &mailbox.retention_assignment)).collect();
        let (assigned, ids) = joined(&values, |_, _| false);
        said.ids.extend(ids);
        let policy = match assigned {
            Seen::Present(policy) => policy,
            Seen::Absent => return,
            Seen::Malformed(_) => {
                return said.may_delete(&not_provided("RetentionPolicy of every mailbox (Get-Mailbox)"));
            }
            Seen::Unknown(NotObserved::NotProvided { .. }) => {
                return said.may_delete(&not_provided("RetentionPolicy of every mailbox (Get-Mailbox)"));
            }
            Seen::Unknown(reason) => return said.may_delete(&reason),
        };
        let [tags, assignments, ..] = &self.whole;
        let links = self.named("retention-tag-link", &policy);
        if links.is_empty() {
            return said.may_delete(&missing(assignments, ASSIGNMENTS.1));
        }
        for (id, link) in links {
            said.ids.push((*id).clone());
            let tag = match link {
                Seen::Present(tag) => tag,
                Seen::Absent => continue,
                other => {
                    said.may_delete(&unknown(other, ASSIGNMENTS.1));
                    continue;
                }
            };
            let known = self.named("retention-tag", tag);
            if known.is_empty() {
                said.may_delete(&missing(tags, TAGS.1));
            }
            for (id, days) in known {
                said.ids.push((*id).clone());
                match days.present().map(|days| days.parse::<i64>()) {
                    Some(Ok(0)) => {}
                    Some(Ok(days)) => said.deletes(days),
                    Some(Err(_)) | None => said.may_delete(&unknown(days, TAGS.1)),
                }
            }
        }
    }

    fn by_rules(&self, account: &Account<'_>, said: &mut Saying) {
        let [.., rules, places] = &self.whole;
        for whole in [rules, places] {
            if let Err(reason) = whole {
                said.may_do_either(reason);
            }
        }
        // What a policy does whose rule is not in the list, nobody knows.
        for of in &self.without_rule {
            if !matches!(self.holds_for(account, of), Ok(false)) {
                said.may_do_either(&missing(rules, RULES.1));
            }
        }
        for (id, rule) in &self.rules {
            let of = rule.of.as_deref().unwrap_or_default();
            let holds = self.holds_for(account, of);
            let (action, days) = match (&rule.value, &holds) {
                (_, Ok(false)) => continue,
                (Seen::Present(word), _) if word == "none" => continue,
                (Seen::Present(word), _) => word.split_once(' ').unwrap_or((word, "")),
                (other, _) => {
                    said.may_do_either(&unknown(other, RULES.1));
                    continue;
                }
            };
            said.ids.push((*id).clone());
            let (days, partly) = days.strip_suffix(" partly").map_or((days, false), |days| (days, true));
            let days = if days == "unlimited" { FOR_EVER } else { days.parse().unwrap_or(FOR_EVER) };
            // Some mail is kept by it and other mail is not: of all mail nothing is said.
            if partly {
                if action != "keep" {
                    said.may_delete_after(days, &not_provided(PARTLY));
                }
                continue;
            }
            match (action, holds) {
                ("delete", Ok(_)) => said.deletes(days),
                ("delete", Err(reason)) => said.may_delete_after(days, &reason),
                ("keep", Ok(_)) => said.keeps = said.keeps.max(days),
                ("keep", Err(reason)) => said.may_keep(&reason),
                (_, Ok(_)) => {
                    said.keeps = said.keeps.max(days);
                    said.deletes(days);
                }
                (_, Err(reason)) => {
                    said.may_keep(&reason);
                    said.may_delete_after(days, &reason);
                }
            }
        }
    }

    /// Whether a retention policy is in force and holds for this mailbox.
    fn holds_for(&self, account: &Account<'_>, policy: &str) -> Result<bool, NotObserved> {
        let states = self.named("retention-policy-state", policy);
        if states.is_empty() {
            return Err(missing(&self.whole[3], PLACES.1));
        }
        for (_, state) in states {
            match state {
                Seen::Present(word) if word == "enforced" => {}
                Seen::Present(_) => return Ok(false),
                other => return Err(unknown(other, PLACES.1)),
            }
        }
        let mut in_doubt = None;
        for (_, exception) in self.named("retention-exception", policy) {
            match exception {
                Seen::Present(reference) => match self.is_of(account, reference) {
                    Ok(true) => return Ok(false),
                    Ok(false) => {}
                    Err(reason) => in_doubt = Some(reason),
                },
                Seen::Absent => {}
                other => in_doubt = Some(unknown(other, PLACES.1)),
            }
        }
        let mut here = false;
        for (_, place) in self.named("retention-place", policy) {
            match place {
                Seen::Present(all) if all == "all" => here = true,
                Seen::Present(reference) => match self.is_of(account, reference) {
                    Ok(is) => here |= is,
                    Err(reason) => in_doubt = Some(reason),
                },
                Seen::Absent => {}
                other => in_doubt = Some(unknown(other, PLACES.1)),
            }
        }
        match (here, in_doubt) {
            (_, Some(reason)) => Err(reason),
            (here, None) => Ok(here),
        }
    }

    /// Whether a name is one of this mailbox. One that no mailbox has, in use or inactive, may be anybody's, as
    /// one of several is.
    fn is_of(&self, account: &Account<'_>, name: &str) -> Result<bool, NotObserved> {
        let own = |address: &&str| account.mailboxes.iter().any(|(_, mailbox)| mailbox.address == **address);
        match (self.mailboxes.get(name), self.inactive.contains(name)) {
            (Some(of), false) if of.iter().all(own) => Ok(true),
            (Some(of), _) if !of.iter().any(own) => Ok(false),
            (None, true) => Ok(false),
            (Some(_) | None, _) => Err(not_provided(NAMES)),
        }
    }
}

/// The policies that no rule names, by their identifier or their name.
fn without_rule<'e>(
    by_name: &BTreeMap<&'e str, BTreeMap<&'e str, Vec<Value<'e>>>>,
    rules: &[(&'e EvidenceId, &'e TenantSetting)],
) -> Vec<&'e str> {
    let Some(policies) = by_name.get("retention-policy-state") else { return Vec::new() };
    let names = |of: &str| {
        let names = by_name.get("retention-policy-name").and_then(|named| named.get(of)).into_iter().flatten();
        names.filter_map(|(_, name)| name.present()).map(String::as_str)
    };
    let named: BTreeSet<&str> = rules.iter().filter_map(|(_, rule)| rule.of.as_deref()).collect();
    let also: BTreeSet<&str> = named.iter().flat_map(|of| names(of)).collect();
    let has_rule = |of: &str| named.contains(of) || also.contains(of) || names(of).any(|name| named.contains(name));
    policies.keys().copied().filter(|of| !has_rule(of)).collect()
}

/// What is said of one mailbox.
struct Saying {
    /// For how many days mail must stay.
    minimum: Option<i64>,
    deletes: Option<i64>,
    keeps: i64,
    may_delete: Option<NotObserved>,
    may_keep: Option<NotObserved>,
    ids: Vec<EvidenceId>,
}

impl Saying {
    fn deletes(&mut self, days: i64) {
        self.deletes = Some(self.deletes.map_or(days, |known| known.min(days)));
    }

    fn may_delete(&mut self, reason: &NotObserved) {
        self.may_delete.get_or_insert_with(|| reason.clone());
    }

    /// What cannot be too soon counts as if it did.
    fn may_delete_after(&mut self, days: i64, reason: &NotObserved) {
        match self.minimum {
            Some(minimum) if days >= minimum => self.deletes(days),
            Some(_) | None => self.may_delete(reason),
        }
    }

    fn may_keep(&mut self, reason: &NotObserved) {
        self.may_keep.get_or_insert_with(|| reason.clone());
    }

    fn may_do_either(&mut self, reason: &NotObserved) {
        self.may_delete(reason);
        self.may_keep(reason);
    }
}

fn not_provided(what: &str) -> NotObserved {
    NotObserved::NotProvided { what: what.to_owned() }
}

fn missing(whole: &Result<(), NotObserved>, what: &str) -> NotObserved {
    whole.clone().err().unwrap_or_else(|| not_provided(what))
}

fn unknown(seen: &Seen<String>, what: &str) -> NotObserved {
    match seen {
        Seen::Unknown(reason) => reason.clone(),
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => not_provided(what),
    }
}
