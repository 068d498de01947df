//! Keeps rules of one mailbox that are alike once, with their count, and the rights over one mailbox
//! together.
//!
//! A tenant has a hundred times as many rules as rules that matter. What sends nothing on and could
//! be read is told from its neighbours by its identity alone where everything kept of it is equal;
//! what memory and evidence hold then grows with mailboxes, not with rules.

use std::collections::HashMap;

use crate::evidence::export::{ForwardingRule, Group, MailboxGrants, Record, Tally};
use crate::seen::{NotObserved, Seen};

/// What was put aside so far.
#[derive(Debug, Default)]
pub struct Alike {
    /// By the rule without its identity: the row of the first, the identity that is kept, how many.
    rules: HashMap<Box<ForwardingRule>, (u64, String, u64)>,
    /// By mailbox and what the export lists.
    grants: HashMap<(String, String), (u64, Box<MailboxGrants>)>,
    /// By address.
    groups: HashMap<String, (u64, Box<Group>)>,
    /// Groups with so many members that the next ones stand in a record of their own.
    full_groups: Vec<(u64, Record)>,
    /// By what the export lists and the account.
    tallies: HashMap<(String, String), (u64, Box<Tally>)>,
}

/// Recipients that one list may name for one account; more of them are no list that people keep.
const TARGETS: usize = 1000;

/// Members of a group in one record; a record is one line of the evidence.
const MEMBERS: usize = 10_000;

/// Rights over one mailbox that are kept where there are more than twice as many.
const GRANTS: usize = 10_000;

impl Alike {
    /// Gives the record back unless it is put aside.
    pub fn take(&mut self, row: u64, record: Record) -> Option<Record> {
        let mut rule = match record {
            Record::ForwardingRule(rule) => rule,
            Record::Group(group) => {
                self.take_group(row, group);
                return None;
            }
            Record::MailboxGrants(grants) => return self.take_grants(row, grants),
            Record::Tally(tally) => {
                self.take_tally(row, tally);
                return None;
            }
            other @ (Record::AcceptedDomain { .. }
            | Record::ConditionalAccess(_)
            | Record::Mailbox(_)
            | Record::MfaRegistration(_)
            | Record::Recipient(_)
            | Record::TenantSetting(_)) => return Some(other),
        };
        if !has_owner(&rule) || !sends_nothing(&rule) {
            return Some(Record::ForwardingRule(rule));
        }
        let reference = std::mem::take(&mut rule.reference);
        let count = std::mem::replace(&mut rule.rules, 1);
        // Which line did not name the mailbox tells rules apart that are alike.
        if let Seen::Unknown(NotObserved::Unreadable { line, .. }) = &mut rule.mailbox {
            *line = None;
        }
        match self.rules.get_mut(&rule) {
            Some((_, known, rules)) => {
                *rules += count;
                // The same rules in another order keep the same name.
                if reference < *known {
                    *known = reference;
                }
            }
            None => _ = self.rules.insert(rule, (row, reference, count)),
        }
        None
    }

    fn take_grants(&mut self, row: u64, grants: Box<MailboxGrants>) -> Option<Record> {
        let mailbox = match (&grants.mailbox, &grants.owner) {
            (Seen::Present(mailbox), _) => mailbox,
            (_, Some(owner)) => owner,
            (_, None) => return Some(Record::MailboxGrants(grants)),
        };
        match self.grants.get_mut(&(mailbox.clone(), grants.of.clone())) {
            Some((_, known)) => {
                known.rows += grants.rows;
                known.grants.extend(grants.grants);
                known.incomplete = known.incomplete.take().or(grants.incomplete);
                if known.grants.len() > 2 * GRANTS {
                    known.grants.sort();
                    known.grants.dedup();
                }
                if known.grants.len() > 2 * GRANTS {
                    known.grants.truncate(GRANTS);
                    let why = format!("one mailbox has more than {} rights", 2 * GRANTS);
                    known.incomplete.get_or_insert(NotObserved::Unreadable { why, line: None });
                }
            }
            None => _ = self.grants.insert((mailbox.clone(), grants.of.clone()), (row, grants)),
        }
        None
    }

    fn take_group(&mut self, row: u64, group: Box<Group>) {
        let address = group.address.clone();
        let Some((_, known)) = self.groups.get_mut(&address) else {
            self.groups.insert(address, (row, group));
            return;
        };
        known.rows += group.rows;
        known.members.extend(group.members);
        if known.members.len() >= MEMBERS {
            known.members.sort();
            known.members.dedup();
            if known.members.len() > MEMBERS / 2
                && let Some((row, full)) = self.groups.remove(&address)
            {
                self.full_groups.push((row, Record::Group(full)));
            }
        }
    }

    fn take_tally(&mut self, row: u64, tally: Box<Tally>) {
        match self.tallies.get_mut(&(tally.of.clone(), tally.account.clone())) {
            // A list without end is cut; that it names somebody is known from the first.
            Some((_, known)) if known.targets.len() < TARGETS => known.add(&tally),
            Some((_, known)) => known.add(&Tally { targets: Vec::new(), ..*tally }),
            None => _ = self.tallies.insert((tally.of.clone(), tally.account.clone()), (row, tally)),
        }
    }

    /// What was put aside, by row.
    pub fn into_records(self) -> Vec<(u64, Record)> {
        let rules = self.rules.into_iter().map(|(mut rule, (row, reference, rules))| {
            (rule.reference, rule.rules) = (reference, rules);
            (row, Record::ForwardingRule(rule))
        });
        let grants = self.grants.into_values().map(|(row, mut grants)| {
            grants.grants.sort();
            grants.grants.dedup();
            (row, Record::MailboxGrants(grants))
        });
        let tallies = self.tallies.into_values().map(|(row, mut tally)| {
            tally.targets.sort();
            tally.targets.dedup();
            (row, Record::Tally(tally))
        });
        let groups = self.groups.into_values().map(|(row, mut group)| {
            group.members.sort();
            group.members.dedup();
            (row, Record::Group(group))
        });
        let mut all: Vec<_> = rules.chain(grants).chain(groups).chain(self.full_groups).chain(tallies).collect();
        // Several accounts can come from one row.
        all.sort_by(|(row, one), (other_row, other)| row.cmp(other_row).then_with(|| account(one).cmp(account(other))));
        all
    }
}

fn account(record: &Record) -> &str {
    match record {
        Record::Tally(tally) => &tally.account,
        Record::AcceptedDomain { .. }
        | Record::ConditionalAccess(_)
        | Record::ForwardingRule(_)
        | Record::Group(_)
        | Record::Mailbox(_)
        | Record::MailboxGrants(_)
        | Record::MfaRegistration(_)
        | Record::Recipient(_)
        | Record::TenantSetting(_) => "",
    }
}

/// A rule nobody owns is kept as it is.
fn has_owner(rule: &ForwardingRule) -> bool {
    rule.mailbox.present().is_some() || rule.owner.is_some()
}

fn sends_nothing(rule: &ForwardingRule) -> bool {
    rule.targets == Seen::Absent && rule.targets_incomplete.is_none() && rule.opaque == Seen::Present(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::export::{Grant, Target, Trustee};

    fn rule(line: u64, reference: &str) -> Record {
        let why = "the rule does not name its mailbox by address".to_owned();
        Record::ForwardingRule(Box::new(ForwardingRule {
            mailbox: Seen::Unknown(NotObserved::Unreadable { why, line: Some(line) }),
            owner: Some("0123456789ab".to_owned()),
            hides: Seen::Present(false),
            ..ForwardingRule::unstated("microsoft365", "inbox", reference.to_owned())
        }))
    }

    #[test]
    fn rules_of_a_mailbox_without_an_address_are_alike_too() {
        let mut alike = Alike::default();
        for (line, reference) in [(1, "b"), (2, "a"), (3, "c")] {
            assert_eq!(alike.take(line, rule(line, reference)), None);
        }
        let kept = alike.into_records();
        let [(1, Record::ForwardingRule(kept))] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!((kept.reference.as_str(), kept.rules), ("a", 3));
    }

    #[test]
    fn a_large_group_stands_in_several_records_and_loses_nobody() {
        let group = |member: usize| {
            let member = Target::Address { domain: "clinic.example".to_owned(), local: format!("{member:012x}") };
            Record::Group(Box::new(Group {
                provider: "microsoft365".to_owned(),
                address: "staff@clinic.example".to_owned(),
                members: vec![member],
                rows: 1,
            }))
        };
        let mut alike = Alike::default();
        // Each member twice, as in a list that was joined with itself.
        for row in 0..6 * MEMBERS {
            assert_eq!(alike.take(row as u64, group(row / 2)), None);
        }
        let (mut members, mut rows) = (std::collections::BTreeSet::new(), 0);
        for (_, record) in alike.into_records() {
            let Record::Group(group) = record else { panic!("{record:?}") };
            assert!(group.members.len() <= MEMBERS);
            rows += group.rows;
            members.extend(group.members);
        }
        assert_eq!((members.len(), rows), (3 * MEMBERS, 6 * MEMBERS as u64));
    }

    #[test]
    fn one_right_in_very_many_rows_is_one_right() {
        let grants = |trustee: usize| {
            let to = Trustee::Account { target: Target::Unparseable, reference: format!("{trustee:012x}") };
            Record::MailboxGrants(Box::new(MailboxGrants {
                provider: "microsoft365".to_owned(),
                of: "folder".to_owned(),
                mailbox: Seen::Present("ana@clinic.example".to_owned()),
                owner: None,
                grants: vec![Grant { right: "editor".to_owned(), folder: None, to, inherited: false }],
                incomplete: None,
                rows: 1,
            }))
        };
        let read = |trustees: usize| {
            let mut alike = Alike::default();
            for row in 0..5 * GRANTS {
                assert_eq!(alike.take(row as u64, grants(row % trustees)), None);
            }
            let kept = alike.into_records();
            let [(_, Record::MailboxGrants(kept))] = kept.as_slice() else { panic!("{kept:?}") };
            (kept.grants.len() <= 2 * GRANTS, kept.incomplete.is_some())
        };
        assert_eq!((read(1), read(3 * GRANTS)), ((true, false), (true, true)));
    }

    #[test]
    fn rights_of_two_sorts_over_one_mailbox_are_each_joined() {
        let grants = |of: &str| {
            Record::MailboxGrants(Box::new(MailboxGrants {
                provider: "microsoft365".to_owned(),
                of: of.to_owned(),
                mailbox: Seen::Present("ana@clinic.example".to_owned()),
                owner: None,
                grants: Vec::new(),
                incomplete: None,
                rows: 1,
            }))
        };
        let mut alike = Alike::default();
        for (row, of) in [(1, "mailbox"), (2, "send-as"), (3, "mailbox"), (4, "send-as")] {
            assert_eq!(alike.take(row, grants(of)), None);
        }
        assert_eq!(alike.into_records().len(), 2);
    }
}
