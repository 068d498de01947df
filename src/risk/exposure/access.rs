//! Who opens whose mailbox, as a graph: edges that are certain, and edges that cannot be ruled out.
//!
//! Following it ends on cycles and stops at a bound; what was not followed counts as open.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::SubjectKind;
use crate::risk::known::{Known, KnownMailbox};

/// Steps followed for one mailbox; beyond that every mailbox counts as open from it.
const STEPS: usize = 20_000;

/// The graph. Mailboxes are places in the sorted list of names.
#[derive(Debug)]
pub(super) struct Access {
    /// Mailboxes whose mail is there at once, whole.
    opens: Vec<Vec<usize>>,
    /// Mailboxes of which some folders are there at once.
    looks_into: Vec<Vec<usize>>,
    sends_as: Vec<Vec<usize>>,
    /// Mailboxes that anybody of the organization may open, as far as is known (by a group nobody
    /// listed the members of, or because nobody says who may), and all that may open from those;
    /// everything where the list of mailboxes is not whole.
    of_anybody: AtMost,
    /// Whether its user administers the mail system; `None` where nobody says.
    administers: Vec<Option<bool>>,
}

/// What opens from one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Whole and at once, itself left out.
    pub(super) at_once: Vec<usize>,
    /// In part and at once.
    pub(super) in_part: Vec<usize>,
    /// Everything that cannot be ruled out, itself and the two above included.
    pub(super) at_most: AtMost,
}

impl Reach {
    /// Whether anything beside itself opens, or cannot be ruled out.
    pub(super) fn opens_others(&self, from: usize) -> bool {
        let alone = |places: &BTreeSet<usize>| places.iter().all(|&at| at == from);
        match &self.at_most {
            AtMost::Everything => true,
            AtMost::These(places) => !alone(places),
        }
    }
}

/// An upper bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AtMost {
    Everything,
    /// These, beside what anybody may open.
    These(BTreeSet<usize>),
}

impl Access {
    pub(super) fn of(names: &[String], known: &Known) -> Self {
        let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let mut access = Self {
            opens: vec![Vec::new(); names.len()],
            looks_into: vec![Vec::new(); names.len()],
            sends_as: vec![Vec::new(); names.len()],
            of_anybody: AtMost::Everything,
            administers: vec![None; names.len()],
        };
        let mut of_anybody = Vec::new();
        let mut listed = vec![false; names.len()];
        for mailbox in &known.mailboxes {
            let at = place[mailbox.name.to_lowercase().as_str()];
            listed[at] = true;
            if !access.add(at, mailbox, &place) {
                of_anybody.push(at);
            }
        }
        // Of a mailbox that no export lists nobody says who may open it.
        of_anybody.extend((0..names.len()).filter(|&at| !listed[at]));
        for edges in access.opens.iter_mut().chain(&mut access.looks_into).chain(&mut access.sends_as) {
            edges.sort_unstable();
            edges.dedup();
        }
        // Through a mailbox that no list shows, anybody may come to any other.
        if known.is_complete(SubjectKind::Mailbox) {
            access.of_anybody = access.follow(of_anybody, &BTreeSet::new(), usize::MAX);
        }
        access
    }

    /// Adds one mailbox; whether it is known of everybody who may open it.
    fn add(&mut self, at: usize, mailbox: &KnownMailbox, place: &BTreeMap<&str, usize>) -> bool {
        let places = |names: &Option<Vec<String>>| -> Vec<usize> {
            let names = names.iter().flatten();
            names
                .filter_map(|name| place.get(name.to_lowercase().as_str()).copied())
                .filter(|&other| other != at)
                .collect()
        };
        for holder in places(&mailbox.opened_by) {
            self.opens[holder].push(at);
        }
        for holder in places(&mailbox.folders_opened_by) {
            self.looks_into[holder].push(at);
        }
        for holder in places(&mailbox.sent_as_by) {
            self.sends_as[holder].push(at);
        }
        let nobody_else = mailbox.opened_by.is_some()
            && mailbox.opened_by_others == Some(0)
            && mailbox.folders_opened_by.is_some()
            && mailbox.folders_opened_by_others == Some(0);
        self.administers[at] = match (self.administers[at], mailbox.administrator) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (_, known) => known,
        };
        nobody_else
    }

    pub(super) fn sends_as(&self, from: usize) -> &[usize] {
        &self.sends_as[from]
    }

    pub(super) fn administers(&self, from: usize) -> Option<bool> {
        self.administers[from]
    }

    /// What anybody of the organization may open, as far as is known.
    pub(super) fn of_anybody(&self) -> &AtMost {
        &self.of_anybody
    }

    /// Whether it is known of every mailbox who may open it.
    pub(super) fn known_of_all(&self) -> bool {
        self.of_anybody == AtMost::These(BTreeSet::new())
    }

    /// What opens from a mailbox. The upper bound follows rights in as many steps as there are:
    /// whoever reads and sends another's mail can have its passwords sent to himself. An
    /// administrator, and one who may be, can give himself every right.
    pub(super) fn reach(&self, from: usize) -> Reach {
        let at_once = self.opens[from].clone();
        let in_part: Vec<usize> =
            self.looks_into[from].iter().copied().filter(|other| at_once.binary_search(other).is_err()).collect();
        let at_most = match (&self.of_anybody, self.administers[from]) {
            (AtMost::These(anybody), Some(false)) => self.follow(vec![from], anybody, STEPS),
            (AtMost::Everything, _) | (_, Some(true) | None) => AtMost::Everything,
        };
        Reach { at_once, in_part, at_most }
    }

    /// Everything that can be got to from some mailboxes, but for what was followed before.
    fn follow(&self, mut open: Vec<usize>, before: &BTreeSet<usize>, most: usize) -> AtMost {
        open.retain(|at| !before.contains(at));
        let mut found: BTreeSet<usize> = open.iter().copied().collect();
        let mut steps = 0_usize;
        while let Some(at) = open.pop() {
            if self.administers[at] != Some(false) {
                return AtMost::Everything;
            }
            for &other in self.opens[at].iter().chain(&self.looks_into[at]).chain(&self.sends_as[at]) {
                steps += 1;
                if steps > most {
                    return AtMost::Everything;
                }
                if !before.contains(&other) && found.insert(other) {
                    open.push(other);
                }
            }
        }
        AtMost::These(found)
    }
}
