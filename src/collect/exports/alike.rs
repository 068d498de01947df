//! Keeps rules that do nothing of note once, with their count, and the rights over one mailbox
//! together.
//!
//! A tenant has a hundred times as many rules as rules that matter. One that sends nothing on,
//! deletes nothing, hides nothing and could be read is told from its neighbours by its identity
//! alone; what memory and evidence hold then grows with mailboxes, not with rules.

use std::collections::HashMap;

use crate::evidence::export::{ForwardingRule, MailboxGrants, Record};
use crate::seen::Seen;

/// The rules put aside so far, by owner: the record of the first of each sort, and its row.
#[derive(Debug, Default)]
pub struct Alike {
    by_owner: HashMap<String, Vec<(u64, Box<ForwardingRule>)>>,
    grants: HashMap<String, (u64, Box<MailboxGrants>)>,
}

impl Alike {
    /// Gives the record back unless it is put aside.
    pub fn take(&mut self, row: u64, record: Record) -> Option<Record> {
        let rule = match record {
            Record::ForwardingRule(rule) => rule,
            Record::MailboxGrants(grants) => return self.take_grants(row, grants),
            other @ (Record::AcceptedDomain { .. }
            | Record::ConditionalAccess(_)
            | Record::Mailbox(_)
            | Record::MfaRegistration(_)
            | Record::Recipient(_)
            | Record::TenantSetting(_)) => return Some(other),
        };
        let Some(owner) = owner(&rule).filter(|_| does_nothing_of_note(&rule)) else {
            return Some(Record::ForwardingRule(rule));
        };
        if !self.by_owner.contains_key(owner) {
            self.by_owner.insert(owner.to_owned(), vec![(row, rule)]);
            return None;
        }
        let known = self.by_owner.get_mut(owner).expect("looked up above");
        match known.iter_mut().find(|(_, known)| alike(known, &rule)) {
            Some((_, known)) => {
                known.rules += 1;
                // The same rules in another order keep the same name.
                if rule.reference < known.reference {
                    known.reference = rule.reference;
                }
            }
            None => known.push((row, rule)),
        }
        None
    }

    fn take_grants(&mut self, row: u64, grants: Box<MailboxGrants>) -> Option<Record> {
        let mailbox = match (&grants.mailbox, &grants.owner) {
            (Seen::Present(mailbox), _) => mailbox,
            (_, Some(owner)) => owner,
            (_, None) => return Some(Record::MailboxGrants(grants)),
        };
        match self.grants.get_mut(mailbox.as_str()) {
            Some((_, known)) if known.of == grants.of => {
                known.rows += grants.rows;
                known.grants.extend(grants.grants);
                known.incomplete = known.incomplete.take().or(grants.incomplete);
                None
            }
            Some(_) => Some(Record::MailboxGrants(grants)),
            None => {
                self.grants.insert(mailbox.clone(), (row, grants));
                None
            }
        }
    }

    /// What was put aside, by row.
    pub fn into_records(self) -> Vec<(u64, Record)> {
        let rules = self.by_owner.into_values().flatten().map(|(row, rule)| (row, Record::ForwardingRule(rule)));
        let grants = self.grants.into_values().map(|(row, mut grants)| {
            grants.grants.sort();
            grants.grants.dedup();
            (row, Record::MailboxGrants(grants))
        });
        let mut all: Vec<_> = rules.chain(grants).collect();
        all.sort_by_key(|(row, _)| *row);
        all
    }
}

fn owner(rule: &ForwardingRule) -> Option<&str> {
    match (&rule.mailbox, &rule.owner) {
        (Seen::Present(mailbox), _) => Some(mailbox),
        (_, Some(owner)) => Some(owner),
        // A rule nobody owns is kept as it is.
        (_, None) => None,
    }
}

fn does_nothing_of_note(rule: &ForwardingRule) -> bool {
    let no = |seen: &Seen<bool>| *seen == Seen::Present(false);
    rule.targets == Seen::Absent
        && rule.targets_incomplete.is_none()
        && no(&rule.deletes)
        && no(&rule.hides)
        && no(&rule.opaque)
}

/// Equal in everything but identity and count.
fn alike(one: &ForwardingRule, other: &ForwardingRule) -> bool {
    let ForwardingRule {
        provider,
        origin,
        mailbox,
        owner,
        reference: _,
        enabled,
        actions,
        targets,
        targets_incomplete,
        deletes,
        hides,
        folder,
        marks_read,
        has_conditions,
        matches_all,
        hidden,
        keywords,
        name_class,
        opaque,
        rules: _,
    } = one;
    (provider, origin, mailbox, owner, enabled, actions)
        == (&other.provider, &other.origin, &other.mailbox, &other.owner, &other.enabled, &other.actions)
        && (targets, targets_incomplete, deletes, hides, marks_read)
            == (&other.targets, &other.targets_incomplete, &other.deletes, &other.hides, &other.marks_read)
        && (folder, has_conditions, matches_all, hidden)
            == (&other.folder, &other.has_conditions, &other.matches_all, &other.hidden)
        && (keywords, name_class, opaque) == (&other.keywords, &other.name_class, &other.opaque)
}
