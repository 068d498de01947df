//! Sets of IPv4 addresses, and which of them a list of SPF terms lets pass.

use super::super::spf::Qualifier;

/// Works out which addresses pass, term by term: the first match counts. Neighbouring terms with
/// one qualifier are joined first, which keeps records of thousands of ranges cheap.
pub(super) struct Permitted {
    pass: Ranges,
    left: Ranges,
    pending: Vec<(u32, u32)>,
    qualifier: Qualifier,
}

impl Permitted {
    pub(super) fn new() -> Self {
        Self { pass: Ranges::default(), left: Ranges::all(), pending: Vec::new(), qualifier: Qualifier::Pass }
    }

    pub(super) fn take(&mut self, qualifier: Qualifier, matched: Ranges) {
        if qualifier != self.qualifier {
            self.settle();
            self.qualifier = qualifier;
        }
        self.pending.extend(matched.0);
    }

    fn settle(&mut self) {
        let matched = Ranges::from_any(std::mem::take(&mut self.pending));
        if matched.0.is_empty() {
            return;
        }
        if self.qualifier == Qualifier::Pass {
            self.pass = self.pass.either(&self.left.both(&matched));
        }
        self.left = self.left.without(&matched);
    }

    pub(super) fn finish(mut self) -> Ranges {
        self.settle();
        self.pass
    }
}

/// A set of IPv4 addresses as sorted ranges that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    pub(super) fn all() -> Self {
        Self(vec![(0, u32::MAX)])
    }

    pub(super) fn network(address: u32, prefix: u8) -> Self {
        let hosts = if prefix == 0 { u32::MAX } else { u32::MAX.checked_shr(prefix.into()).unwrap_or(0) };
        let first = address & !hosts;
        Self(vec![(first, first | hosts)])
    }

    pub(super) fn size(&self) -> u64 {
        self.0.iter().map(|(first, last)| u64::from(last - first) + 1).sum()
    }

    pub(super) fn either(&self, other: &Self) -> Self {
        Self::from_any(self.0.iter().chain(&other.0).copied().collect())
    }

    fn from_any(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(previous) if first <= previous.1.saturating_add(1) => previous.1 = previous.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// Both lists are sorted, so one walk over them is enough.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut kept = Vec::with_capacity(self.0.len());
        let mut cuts = other.0.iter().copied().peekable();
        for &(first, last) in &self.0 {
            let mut from = u64::from(first);
            while cuts.next_if(|(_, cut_last)| *cut_last < first).is_some() {}
            let mut ahead = cuts.clone();
            while let Some((cut_first, cut_last)) = ahead.next_if(|(cut_first, _)| *cut_first <= last) {
                if u64::from(cut_first) > from {
                    kept.push((low(from), cut_first - 1));
                }
                from = u64::from(cut_last) + 1;
            }
            if from <= u64::from(last) {
                kept.push((low(from), last));
            }
        }
        Self(kept)
    }

    pub(super) fn both(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }
}

/// A number known to be at most `u32::MAX`.
fn low(number: u64) -> u32 {
    u32::try_from(number).expect("a range starts at or before its last address")
}
