//! A sample in place of all mail: which messages are looked at, and what a count among them says of
//! the whole.
//!
//! The choice is made by keyed hash of the place of each message, so that the same mail and key give
//! the same sample and nobody can steer it. The bounds are exact (Clopper and Pearson's way with the
//! hypergeometric distribution, since a sample is drawn without putting back) and hold with at least
//! the stated confidence for the count that the detector would give of all mail: not for what it misses.

use std::collections::{BTreeMap, BinaryHeap};

use hmac::{Hmac, KeyInit, Mac};
use jiff::civil::Date;
use sha2::Sha256;

use crate::evidence::content::SampledMail;

/// How sure each interval is, in percent.
pub const CONFIDENCE: u32 = 95;

/// What a sample tells of one mailbox, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// Messages that could be chosen.
    pub messages: u64,
    /// Messages there are besides, in folders whose list could not be read: none could be chosen.
    pub lost: u64,
    /// Messages looked at.
    pub examined: u64,
    /// Of these, likely with PHI.
    pub phi: u64,
    /// The oldest day of those: there may be older ones.
    pub oldest: Option<Date>,
}

impl Sampled {
    /// How many of all messages the detector would call likely to hold PHI, at least and at most, with
    /// [`CONFIDENCE`].
    pub fn bounds(&self) -> (u64, u64) {
        let tail = (1.0 - f64::from(CONFIDENCE) / 100.0) / 2.0;
        let (lower, upper) = bounds(self.messages, self.examined, self.phi, tail);
        // A sample says nothing of those it was not drawn from.
        (lower, upper + self.lost)
    }

    /// Whether there are messages that were not looked at.
    pub(super) fn is_partial(&self) -> bool {
        self.examined < self.messages + self.lost
    }

    /// Counts one that was looked at.
    pub(super) fn examined(&mut self, is_phi: bool, date: Option<Date>) {
        self.examined += 1;
        if is_phi {
            self.phi += 1;
            self.oldest = [self.oldest, date].into_iter().flatten().min();
        }
    }

    /// As evidence keeps it.
    pub(super) fn estimate(&self) -> SampledMail {
        let (phi_lower, phi_upper) = self.bounds();
        SampledMail {
            messages: self.messages + self.lost,
            examined: self.examined,
            phi_examined: self.phi,
            phi_lower,
            phi_upper,
            oldest_phi: self.oldest,
        }
    }
}

impl std::iter::Sum for Sampled {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            messages: sum.messages + one.messages,
            lost: sum.lost + one.lost,
            examined: sum.examined + one.examined,
            phi: sum.phi + one.phi,
            oldest: [sum.oldest, one.oldest].into_iter().flatten().min(),
        })
    }
}

/// The messages to look at: by the number of the file or folder in order of discovery, the numbers of
/// its messages from 1, sorted.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice(BTreeMap<u64, Vec<u64>>);

impl Choice {
    /// Chooses `size` of the messages that `units` count.
    pub(super) fn of(units: &[u64], size: u64, key: &[u8; 32]) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
        // The smallest hashes stay; the largest of them is on top.
        let mut smallest: BinaryHeap<([u8; 16], u64, u64)> = BinaryHeap::new();
        for (unit, messages) in (0..).zip(units) {
            for message in 1..=*messages {
                let mut hash = keyed.clone();
                hash.update(b"sample\0");
                hash.update(&u64::to_be_bytes(unit));
                hash.update(&u64::to_be_bytes(message));
                let bytes = hash.finalize().into_bytes();
                smallest.push((*bytes.first_chunk().expect("a SHA-256 has 32 bytes"), unit, message));
                if smallest.len() > size {
                    smallest.pop();
                }
            }
        }
        let mut chosen: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (_, unit, message) in smallest {
            chosen.entry(unit).or_default().push(message);
        }
        for messages in chosen.values_mut() {
            messages.sort_unstable();
        }
        Self(chosen)
    }

    pub(super) fn holds(&self, unit: u64, message: u64) -> bool {
        self.0.get(&unit).is_some_and(|messages| messages.binary_search(&message).is_ok())
    }
}

/// The fewest and the most of `population` that can have a trait when `found` of `drawn` have it, each
/// side with an error of at most `tail`.
fn bounds(population: u64, drawn: u64, found: u64, tail: f64) -> (u64, u64) {
    let drawn = drawn.min(population);
    let found = found.min(drawn);
    // What was found is there, and what was seen without it is not.
    let (least, most) = (found, population - (drawn - found));
    // The chance of so many or more grows with their number in the population.
    let lower = first(least, most, |with| upper_tail(population, drawn, with, found) > tail);
    let upper = first(least, most, |with| lower_tail(population, drawn, with + 1, found) <= tail);
    (lower.min(upper), upper)
}

/// The first of a range for which a claim holds that once true stays true; the last where it never does.
fn first(mut low: u64, mut high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// The chance to draw `found` or more.
fn upper_tail(population: u64, drawn: u64, with: u64, found: u64) -> f64 {
    if found == 0 { 1.0 } else { 1.0 - lower_tail(population, drawn, with, found - 1) }
}

/// The chance to draw `found` or fewer.
fn lower_tail(population: u64, drawn: u64, with: u64, found: u64) -> f64 {
    let least = (drawn + with).saturating_sub(population);
    let most = drawn.min(with);
    if found >= most {
        return 1.0;
    }
    if found < least {
        return 0.0;
    }
    // Terms from `found` down, each from the one above it; in logarithms, as they may be tiny or grow.
    let (mut term, mut sum) = (0.0_f64, 0.0_f64);
    for at in (least + 1..=found).rev() {
        let ratio = (at as f64) * ((population - with + at - drawn) as f64)
            / (((with - at + 1) as f64) * ((drawn - at + 1) as f64));
        term += ratio.ln();
        sum = sum.max(term) + (-(sum - term).abs()).exp().ln_1p();
        if term < sum - 45.0 && ratio < 1.0 {
            break;
        }
    }
    (log_chance(population, drawn, with, found) + sum).exp().min(1.0)
}

fn log_chance(population: u64, drawn: u64, with: u64, found: u64) -> f64 {
    log_choose(with, found) + log_choose(population - with, drawn - found) - log_choose(population, drawn)
}

fn log_choose(of: u64, chosen: u64) -> f64 {
    log_factorial(of) - log_factorial(chosen) - log_factorial(of - chosen)
}

/// Stirling's series; exact sums below 64, where it would be coarse.
fn log_factorial(number: u64) -> f64 {
    if number < 64 {
        return (2..=number).map(|factor| (factor as f64).ln()).sum();
    }
    let x = number as f64 + 1.0;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
        + 1.0 / (1260.0 * x.powi(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(of: u64, chosen: u64) -> u128 {
        if chosen > of {
            return 0;
        }
        (1..=u128::from(chosen)).fold(1, |product, factor| product * (u128::from(of - chosen) + factor) / factor)
    }

    /// For every true count, the intervals that miss it are drawn in at most one of twenty samples.
    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        for (population, drawn) in [(40, 1), (40, 7), (60, 20), (25, 24), (25, 25), (90, 30)] {
            let intervals: Vec<(u64, u64)> = (0..=drawn).map(|found| bounds(population, drawn, found, 0.025)).collect();
            for with in 0..=population {
                let missed: u128 = (0..=drawn)
                    .filter(|found| {
                        let (lower, upper) = intervals[usize::try_from(*found).unwrap()];
                        with < lower || with > upper
                    })
                    .map(|found| choose(with, found) * choose(population - with, drawn - found))
                    .sum();
                let share = missed as f64 / choose(population, drawn) as f64;
                assert!(share <= 0.05 + 1e-9, "{population} {drawn} {with}: {share}");
            }
        }
    }

    #[test]
    fn bounds_are_those_of_exact_arithmetic() {
        // None in 100 of 1,000: 35 with it would show in all but one of forty samples.
        let exact = |with: u64| choose(1000 - with, 10) as f64 / choose(1000, 10) as f64;
        let most = (0..=990).rev().find(|with| exact(*with) > 0.025).unwrap();
        assert_eq!(bounds(1000, 10, 0, 0.025), (0, most));
        assert_eq!(bounds(1000, 10, 10, 0.025), (1000 - most, 1000));
        assert_eq!(bounds(50, 50, 7, 0.025), (7, 7));
        assert_eq!(bounds(50, 0, 0, 0.025), (0, 50));
        assert_eq!(bounds(0, 0, 0, 0.025), (0, 0));
        // A large one ends, and lies around a tenth.
        let (lower, upper) = bounds(20_000_000, 50_000, 5_000, 0.025);
        assert!((1_940_000..2_000_000).contains(&lower) && (2_000_000..2_060_000).contains(&upper), "{lower} {upper}");
    }

    #[test]
    fn messages_that_could_not_be_chosen_may_all_be_counted() {
        let sampled = Sampled { messages: 10, lost: 90, examined: 10, phi: 4, oldest: None };
        assert_eq!(sampled.bounds(), (4, 94));
    }

    #[test]
    fn the_same_key_gives_the_same_sample_and_no_more_than_there_are() {
        let count = |choice: &Choice| choice.0.values().map(Vec::len).sum::<usize>();
        let units = [10, 0, 500, 3];
        let one = Choice::of(&units, 50, &[1; 32]);
        assert_eq!((count(&one), &one.0), (50, &Choice::of(&units, 50, &[1; 32]).0));
        assert_ne!(one.0, Choice::of(&units, 50, &[2; 32]).0);
        assert_eq!(count(&Choice::of(&units, 5_000, &[1; 32])), 513);
        assert!(one.0.iter().all(|(unit, messages)| messages.iter().all(|message| one.holds(*unit, *message))));
        assert!(!one.holds(1, 1));
    }
}
