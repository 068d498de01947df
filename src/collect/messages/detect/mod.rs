//! Judges one piece of a message: does it hold health information of somebody it identifies?
//!
//! Works on folded text, in linear passes: one table for words, one loop over digits, rows under
//! headers, then a verdict that says why by rule ids. Nothing matched leaves this module but as a
//! place, a kind, or a keyed hash.

pub(crate) mod identifiers;
mod names;
mod passwords;
mod people;
mod tables;
pub(crate) mod values;
mod verdict;
pub(crate) mod words;

use jiff::civil::Date;

use super::fold::Folded;
pub(crate) use people::{Person, PersonKey, sender_key};
pub(crate) use verdict::{Circumstances, Reading};

/// The version of the rules and lists: stored with every scan, so that quarters judged by different
/// rules are not compared unawares.
pub const DETECTOR: u32 = 7;

/// Reads one segment.
pub(crate) fn examine(folded: &Folded, circumstances: &Circumstances<'_>, today: Date) -> Reading {
    let mut evidence = gather(folded, today);
    verdict::of(folded.text(), folded.scan(), &mut evidence, circumstances, today)
}

/// Everything found in a segment, by place.
pub(crate) struct Found {
    pub(crate) hits: Vec<words::Hit>,
    pub(crate) identifiers: Vec<identifiers::Identifier>,
    pub(crate) names: Vec<names::Name>,
    /// Words that are somebody's name, in no whole name.
    pub(crate) lone: Vec<names::Name>,
    /// Places of a diagnosis code or a filled cell of a column about health.
    pub(crate) codes: Vec<usize>,
    pub(crate) people_with_health: usize,
}

fn gather(folded: &Folded, today: Date) -> Found {
    let (text, scan) = (folded.text(), folded.scan());
    let marks = words::WORDS.find(folded);
    let mut codes = Vec::new();
    let mut identifiers = identifiers::find(text, &marks, today, &mut codes);
    let mut names = names::find(text, &marks);
    names.extend(names::beside_births(text, &marks.hits, today));
    let rows = tables::read(text, scan, &marks, today);
    identifiers.extend(rows.identifiers);
    identifiers.sort_by_key(|identifier| (identifier.start, std::cmp::Reverse(identifier.strength)));
    identifiers.dedup_by(|later, earlier| later.start == earlier.start);
    names.extend(rows.names);
    names.sort_by_key(|name| (name.start, name.end));
    names.dedup_by(|later, earlier| later.start < earlier.end);
    codes.extend(rows.health);
    codes.sort_unstable();
    // A name alone counts beside words of health only.
    let health = !codes.is_empty() || marks.hits.iter().any(|hit| hit.classes.meets(verdict::STRONG));
    let mut lone = if health { names::lone::find(text, &marks) } else { Vec::new() };
    lone.retain(|lone| {
        let before = names.partition_point(|name| name.start <= lone.start);
        names[..before].last().is_none_or(|name| name.end <= lone.start)
    });
    Found { hits: marks.hits, identifiers, names, lone, codes, people_with_health: rows.people_with_health }
}
