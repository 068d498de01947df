//! After how many days mail of a mailbox is deleted that nobody threw away, by what exports say of retention.
//!
//! Two systems delete, each by itself: tags of the retention policy that is assigned to the mailbox, and rules
//! of retention policies for places. Of the latter some keep, and what is kept is not deleted before its time,
//! whoever deletes (Microsoft Learn, "The principles of retention", read 2026-11). What a label does is not looked
//! at: a rule that puts one on mail may delete it. Where two lists say different things, neither is believed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Account;
use crate::evidence::export::Record;
use crate::evidence::{Answer, EvidenceId, Question, Source};
use crate::facts::Context;
use crate::facts::exported::{Files, joined};
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
const PARTLY: &str = "which mail a retention tag or rule deletes (it is for one kind of messages, has a query, or leaves kinds of items out)";
const LABEL: &str = "what the retention label does that a rule puts on mail (Get-ComplianceTag)";
const DIFFER: &str = "which of two lists holds today: they say different things of one mailbox, policy, tag or rule";
const ASSIGNED: &str = "RetentionPolicy of every mailbox (Get-Mailbox)";
const SUSPENDED: &str =
    "whether and until when retention is suspended for the mailbox (RetentionHoldEnabled, ElcProcessingDisabled)";
const HELD: &str = "whether holds of cases keep all mail of the mailbox (InPlaceHolds; one may have a query)";
const NAMES: &str = "every mailbox that a retention policy names, among the mailboxes (Get-Mailbox with Name and DisplayName, and those that -InactiveMailboxOnly lists)";
const ELSEWHERE: &str = "after how many days mail is deleted: no export of this mail system that is read here says so";
/// Kept for ever.
const FOR_EVER: i64 = i64::MAX;

/// What one list says of one name.
struct Value<'e> {
    id: &'e EvidenceId,
    list: (&'e str, &'e str, Timestamp),
    seen: &'e Seen<String>,
}

/// What the tenant's tags, policies and rules say, by keyed references of their names.
pub(super) struct Deletion<'e> {
    gone: Option<NotObserved>,
    by_name: BTreeMap<&'e str, BTreeMap<&'e str, Vec<Value<'e>>>>,
    /// What, and of which name, two lists say differently.
    differ: BTreeSet<(&'e str, &'e str)>,
    /// The addresses of the mailboxes that each name is one of.
    mailboxes: BTreeMap<&'e str, BTreeSet<&'e str>>,
    /// Names of mailboxes of people who left.
    inactive: BTreeSet<&'e str>,
    whole: [Result<(), NotObserved>; 4],
    evidence: Vec<EvidenceId>,
}

impl<'e> Deletion<'e> {
    pub(super) fn of(context: Context<'e>, files: &Files<'e>) -> Self {
        let (mut mailboxes, mut inactive) = (BTreeMap::<&str, BTreeSet<&str>>::new(), BTreeSet::new());
        let mut values = Vec::new();
        for (id, observation) in context.evidence.from(Source::Export) {
            match (&observation.answer, &observation.question) {
                (Ok(Answer::Record(Record::Mailbox(mailbox))), _) if mailbox.listed => {
                    for name in mailbox.references.iter().chain(mailbox.display_name.present()) {
                        mailboxes.entry(name).or_default().insert(&mailbox.address);
                    }
                }
                (Ok(Answer::Record(Record::TenantSetting(setting))), Question::ExportRecord { label, .. }) => {
                    match (setting.setting.as_str(), setting.of.as_deref()) {
                        ("inactive-mailbox-name", _) => inactive.extend(setting.value.present().map(String::as_str)),
                        (what, Some(of)) if what.starts_with("retention-") => {
                            let list = (label.as_str(), observation.vantage.as_str(), observation.asked_at);
                            values.push((what, of, Value { id, list, seen: &setting.value }));
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        let identifiers = identifiers(&values);
        let mut by_name: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for (what, of, value) in values {
            // A tag, or a policy of tags, may have the same name.
            let identifier = identifiers.get(of).copied().flatten();
            let of = identifier.filter(|_| !what.starts_with("retention-tag")).unwrap_or(of);
            by_name.entry(what).or_default().entry(of).or_default().push(value);
        }
        let all = by_name.iter().flat_map(|(what, named)| named.iter().map(|(of, said)| (*what, *of, said)));
        let lists = [TAGS, ASSIGNMENTS, RULES, PLACES];
        Self {
            gone: context.evidence.taken_away(Source::Export, SubjectKind::Tenant),
            differ: all.filter(|(_, _, said)| differ(said)).map(|(what, of, _)| (what, of)).collect(),
            by_name,
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
        let values: Vec<_> = account.mailboxes.iter().map(|(id, mailbox)| (*id, &mailbox.case_holds)).collect();
        let (holds, ids) = joined(&values, |new, known| new > known);
        said.ids.extend(ids);
        if holds != Seen::Present(0) {
            said.may_keep(&NotObserved::not_provided(HELD));
        }
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

    fn named(&self, what: &str, of: &str) -> Result<&[Value<'e>], NotObserved> {
        if self.differ.contains(&(what, of)) {
            return Err(NotObserved::not_provided(DIFFER));
        }
        Ok(self.by_name.get(what).and_then(|named| named.get(of)).map_or(&[], Vec::as_slice))
    }

    fn by_tags(&self, account: &Account<'_>, said: &mut Saying) {
        let values: Vec<_> =
            account.mailboxes.iter().map(|(id, mailbox)| (*id, &mailbox.retention_assignment)).collect();
        let (assigned, ids) = joined(&values, |_, _| false);
        said.ids.extend(ids);
        let told = |seen: &Seen<String>| !matches!(seen, Seen::Unknown(NotObserved::NotProvided { .. }));
        if values.iter().any(|(_, other)| told(other) && **other != assigned) {
            return said.may_delete(&NotObserved::not_provided(DIFFER));
        }
        let policy = match assigned {
            Seen::Present(policy) => policy,
            Seen::Absent => return,
            Seen::Malformed(_) | Seen::Unknown(NotObserved::NotProvided { .. }) => {
                return said.may_delete(&NotObserved::not_provided(ASSIGNED));
            }
            Seen::Unknown(reason) => return said.may_delete(&reason),
        };
        let values: Vec<_> =
            account.mailboxes.iter().map(|(id, mailbox)| (*id, &mailbox.retention_suspended)).collect();
        let (suspended, ids) = joined(&values, |new, _| *new);
        said.ids.extend(ids);
        let [tags, assignments, ..] = &self.whole;
        let links = match self.named("retention-tag-link", &policy) {
            Ok([]) => return said.may_delete(&missing(assignments, ASSIGNMENTS.1)),
            Ok(links) => links,
            Err(reason) => return said.may_delete(&reason),
        };
        for link in links {
            said.ids.push(link.id.clone());
            let known = match link.seen {
                Seen::Present(tag) => self.named("retention-tag", tag),
                Seen::Absent => continue,
                other => Err(unknown(other, ASSIGNMENTS.1)),
            };
            match known {
                Ok([]) => said.may_delete(&missing(tags, TAGS.1)),
                Ok(known) => known.iter().for_each(|tag| by_tag(tag, &suspended, said)),
                Err(reason) => said.may_delete(&reason),
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
        let policies =
            ["retention-policy-state", "retention-rule"].into_iter().filter_map(|what| self.by_name.get(what));
        let policies: BTreeSet<&str> = policies.flat_map(BTreeMap::keys).copied().collect();
        for policy in policies {
            let holds = self.holds_for(account, policy);
            if matches!(holds, Ok(false)) {
                continue;
            }
            match self.named("retention-rule", policy) {
                // What a policy does whose rule is not in the list, nobody knows.
                Ok([]) => said.may_do_either(&missing(rules, RULES.1)),
                Ok(rules) => rules.iter().for_each(|rule| by_rule(rule, &holds, said)),
                Err(reason) => said.may_do_either(&reason),
            }
        }
    }

    /// Whether a retention policy is in force and holds for this mailbox.
    fn holds_for(&self, account: &Account<'_>, policy: &str) -> Result<bool, NotObserved> {
        let states = self.named("retention-policy-state", policy)?;
        if states.is_empty() {
            return Err(missing(&self.whole[3], PLACES.1));
        }
        if let Some(state) = states.iter().find(|state| state.seen.present().is_none()) {
            return Err(unknown(state.seen, PLACES.1));
        }
        let enforced = |state: &&Value<'_>| state.seen.present().is_some_and(|word| word == "enforced");
        match states.iter().filter(enforced).count() {
            0 => return Ok(false),
            some if some < states.len() => return Err(NotObserved::not_provided(DIFFER)),
            _ => {}
        }
        let (mut left_out, mut in_doubt) = (false, None);
        for exception in self.named("retention-exception", policy)? {
            match exception.seen {
                Seen::Present(reference) => match self.is_of(account, reference) {
                    Ok(is) => left_out |= is,
                    Err(reason) => in_doubt = Some(reason),
                },
                Seen::Absent => {}
                // Another list's: of this one nothing is known.
                other => return Err(unknown(other, PLACES.1)),
            }
        }
        if left_out {
            return Ok(false);
        }
        let mut here = false;
        for place in self.named("retention-place", policy)? {
            match place.seen {
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
        let own: BTreeSet<&str> = account.mailboxes.iter().map(|(_, mailbox)| mailbox.address.as_str()).collect();
        let own_of = |of: &BTreeSet<&str>| own.iter().filter(|address| of.contains(*address)).count();
        match (self.mailboxes.get(name), self.inactive.contains(name)) {
            (Some(of), false) if own_of(of) == of.len() => Ok(true),
            (Some(of), _) if own_of(of) == 0 => Ok(false),
            (None, true) => Ok(false),
            (Some(_) | None, _) => Err(NotObserved::not_provided(NAMES)),
        }
    }
}

/// The identifier of each policy that has this name alone: lists call one policy by either.
fn identifiers<'e>(values: &[(&'e str, &'e str, Value<'e>)]) -> BTreeMap<&'e str, Option<&'e str>> {
    let mut identifiers: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for (_, identifier, value) in values.iter().filter(|(what, ..)| *what == "retention-policy-name") {
        let Some(name) = value.seen.present() else { continue };
        let known = identifiers.entry(name).or_insert(Some(identifier));
        *known = known.filter(|known| known == identifier);
    }
    identifiers
}

/// Whether two lists say different things. One that lacks the columns says nothing.
fn differ(values: &[Value<'_>]) -> bool {
    let mut lists: BTreeMap<_, BTreeSet<Option<&str>>> = BTreeMap::new();
    for value in values {
        let word = match value.seen {
            Seen::Present(word) => Some(word.as_str()),
            Seen::Absent => None,
            Seen::Malformed(_) | Seen::Unknown(_) => continue,
        };
        lists.entry(value.list).or_default().insert(word);
    }
    let mut lists = lists.values();
    let first = lists.next();
    lists.any(|list| Some(list) != first)
}

fn by_tag(tag: &Value<'_>, suspended: &Seen<bool>, said: &mut Saying) {
    said.ids.push(tag.id.clone());
    let Some(word) = tag.seen.present() else { return said.may_delete(&unknown(tag.seen, TAGS.1)) };
    let (days, partly) = partly(word);
    match days.parse() {
        Ok(0) => {}
        Ok(days) if partly => said.may_delete_after(days, &NotObserved::not_provided(PARTLY)),
        Ok(days) if *suspended == Seen::Present(false) => said.deletes(days),
        Ok(days) => said.may_delete_after(days, &NotObserved::not_provided(SUSPENDED)),
        Err(_) => said.may_delete(&NotObserved::not_provided(TAGS.1)),
    }
}

fn by_rule(rule: &Value<'_>, holds: &Result<bool, NotObserved>, said: &mut Saying) {
    let (action, days) = match rule.seen {
        Seen::Present(word) if word == "none" => return,
        Seen::Present(word) => word.split_once(' ').unwrap_or((word, "")),
        other => return said.may_do_either(&unknown(other, RULES.1)),
    };
    said.ids.push(rule.id.clone());
    // It is put on some mail, and what it keeps is not all mail.
    if action == "label" {
        return said.may_delete(&NotObserved::not_provided(LABEL));
    }
    let (days, partly) = partly(days);
    let days = if days == "unlimited" { FOR_EVER } else { days.parse().unwrap_or(FOR_EVER) };
    // Some mail is kept by it and other mail is not: of all mail nothing is said.
    if partly {
        if action != "keep" {
            said.may_delete_after(days, &NotObserved::not_provided(PARTLY));
        }
        return;
    }
    match (action, holds) {
        ("delete", Ok(_)) => said.deletes(days),
        ("delete", Err(reason)) => said.may_delete_after(days, reason),
        ("keep", Ok(_)) => said.keeps = said.keeps.max(days),
        ("keep", Err(reason)) => said.may_keep(reason),
        (_, Ok(_)) => {
            said.keeps = said.keeps.max(days);
            said.deletes(days);
        }
        (_, Err(reason)) => {
            said.may_keep(reason);
            said.may_delete_after(days, reason);
        }
    }
}

/// Days, and whether they are those of some mail only.
fn partly(word: &str) -> (&str, bool) {
    word.strip_suffix(" partly").map_or((word, false), |days| (days, true))
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

fn missing(whole: &Result<(), NotObserved>, what: &str) -> NotObserved {
    whole.clone().err().unwrap_or_else(|| NotObserved::not_provided(what))
}

fn unknown(seen: &Seen<String>, what: &str) -> NotObserved {
    match seen {
        Seen::Unknown(reason) => reason.clone(),
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => NotObserved::not_provided(what),
    }
}
