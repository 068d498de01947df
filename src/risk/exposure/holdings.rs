//! Whose information lies in which mailbox: counted by a scan, or as the scope states.

use std::collections::BTreeMap;

use super::Within;
use super::access::{Access, AtMost, Reach};
use crate::names::SubjectKind;
use crate::risk::impact::{Scanned, Volume};
use crate::risk::known::Known;

/// What lies in one mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holding {
    /// What the scan found, if it was read.
    pub(super) scanned: Option<Volume>,
    /// What the scope states of it.
    declared: Option<(u64, u64)>,
}

impl Holding {
    /// At least so many individuals, as a scan counted; what is declared proves nobody.
    pub(super) fn lower(&self) -> u64 {
        self.scanned.as_ref().map_or(0, |volume| volume.lower)
    }

    /// At most so many, if anything says so.
    pub(super) fn upper(&self) -> Option<u64> {
        let counted = self.scanned.as_ref().filter(|volume| volume.whole).map(|volume| volume.upper);
        counted.or(self.declared.map(|(_, most)| most.max(self.lower())))
    }

    /// Whether anything at all says how many.
    pub(super) fn is_known(&self) -> bool {
        self.scanned.is_some() || self.declared.is_some()
    }
}

/// What lies in all of them.
#[derive(Debug)]
pub(super) struct Holdings {
    by_place: Vec<Holding>,
    /// Nobody's mail holds more people than the organization knows.
    ceiling: Option<u64>,
    most_in_one: u64,
    everything: Total,
    /// In what anybody of the organization may open.
    of_anybody: Total,
    declares_sensitive: bool,
}

/// What lies in a set of mailboxes together.
#[derive(Clone, Copy, Debug)]
struct Total {
    /// `None` where one of them has no bound.
    upper: Option<u64>,
    sensitive: bool,
}

impl Holdings {
    pub(super) fn of(names: &[String], known: &Known, scanned: &Scanned, access: &Access) -> Self {
        let declared: BTreeMap<String, (u64, u64)> = known
            .mailboxes
            .iter()
            .filter_map(|mailbox| Some((mailbox.name.to_lowercase(), mailbox.declared?)))
            .collect();
        let by_place: Vec<Holding> = names
            .iter()
            .map(|name| Holding { scanned: scanned.of(name).cloned(), declared: declared.get(name).copied() })
            .collect();
        let everything = total(&by_place, 0..names.len());
        // A mailbox that nobody lists may hold anybody's.
        let all_known = known.is_complete(SubjectKind::Mailbox);
        let everything = Total { upper: everything.upper.filter(|_| all_known), ..everything };
        let of_anybody = match access.of_anybody() {
            AtMost::Everything => everything,
            AtMost::These(places) => total(&by_place, places.iter().copied()),
        };
        Self {
            ceiling: known.individuals,
            most_in_one: by_place.iter().map(Holding::lower).max().unwrap_or(0),
            everything,
            of_anybody,
            declares_sensitive: known.sensitive.as_ref().is_some_and(|kinds| !kinds.is_empty()),
            by_place,
        }
    }

    fn total(&self, reach: &Reach) -> Total {
        match &reach.at_most {
            AtMost::Everything => self.everything,
            AtMost::These(places) => {
                let these = total(&self.by_place, places.iter().copied());
                Total {
                    upper: these.upper.zip(self.of_anybody.upper).map(|(a, b)| a.saturating_add(b)),
                    sensitive: these.sensitive || self.of_anybody.sensitive,
                }
            }
        }
    }

    /// Whether a category that other law protects more is known to lie within reach.
    pub(super) fn is_sensitive(&self, reach: &Reach) -> bool {
        self.declares_sensitive || self.total(reach).sensitive
    }

    pub(super) fn at(&self, place: usize) -> &Holding {
        &self.by_place[place]
    }

    /// Individuals within reach. People may be the same in two mailboxes, so at least as many as
    /// the fullest holds, and at most all of them together.
    pub(super) fn within(&self, from: usize, reach: &Reach) -> Within {
        let at_once = reach.at_once.iter().copied().chain([from]);
        let lower = at_once.map(|at| self.by_place[at].lower()).max().unwrap_or(0);
        self.bounded(lower, self.total(reach).upper)
    }

    /// Individuals in one mailbox alone.
    pub(super) fn alone(&self, holding: &Holding) -> Within {
        self.bounded(holding.lower(), holding.upper())
    }

    /// The same after the mailbox at `from` keeps what `kept` says.
    pub(super) fn within_if(&self, from: usize, reach: &Reach, kept: Holding) -> Within {
        let at_once = reach.at_once.iter().map(|&at| self.by_place[at].lower()).max().unwrap_or(0);
        let lower = at_once.max(kept.lower());
        let others = self.total(reach).upper.zip(self.by_place[from].upper()).map(|(all, own)| all.saturating_sub(own));
        let upper = others.zip(kept.upper()).map(|(others, own)| others.saturating_add(own));
        self.bounded(lower, upper)
    }

    /// A count that the scan proves stands above what the organization declares.
    fn bounded(&self, lower: u64, upper: Option<u64>) -> Within {
        let ceiling = self.ceiling.map(|ceiling| ceiling.max(self.most_in_one));
        let upper = match (upper, ceiling) {
            (Some(upper), Some(ceiling)) => Some(upper.min(ceiling)),
            (Some(upper), None) => Some(upper),
            (None, ceiling) => ceiling,
        };
        Within { lower, upper: upper.map(|upper| upper.max(lower)) }
    }
}

fn total(by_place: &[Holding], places: impl Iterator<Item = usize> + Clone) -> Total {
    let upper = places.clone().try_fold(0_u64, |sum, at| Some(sum.saturating_add(by_place[at].upper()?)));
    let found = |at: usize| by_place[at].scanned.as_ref().is_some_and(|volume| !volume.sensitive.is_empty());
    Total { upper, sensitive: places.into_iter().any(found) }
}

/// What would be left of a holding after a year's mail.
pub(super) fn a_year_of(holding: &Holding) -> Option<Holding> {
    let volume = holding.scanned.as_ref()?;
    let (lower, upper) = volume.within_a_year?;
    let kept = Volume { lower, upper: upper.min(volume.upper), ..volume.clone() };
    Some(Holding { scanned: Some(kept), declared: None })
}
