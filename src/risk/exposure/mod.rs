//! If one mailbox is phished today: how somebody gets in, what else opens from there, whose
//! information lies there, what the logs would show, and whom one would have to tell.
//!
//! Bounds, never guesses: what is certain makes the lower bound, what cannot be ruled out the
//! upper one, and an input nobody knows widens both. A grant more never makes it smaller.

mod access;
mod holdings;
mod row;
#[cfg(test)]
mod tests;
mod what_if;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::access::{Access, AtMost};
use self::holdings::Holdings;
use super::known::{Known, KnownMailbox};
use super::model::Model;
use super::{Level, impact::Scanned};

/// Names shown of a list; the rest is a number.
pub const SHOWN: usize = 20;

/// What opens if one mailbox is taken over today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    pub mailbox: String,
    /// 1 for the worst.
    pub rank: usize,
    /// By the model's tables, for this mailbox alone.
    pub risk: Level,
    /// `no second factor`, `second factor registered`, `second factor demanded`, `not known`.
    pub way_in: String,
    /// Protocols open on it that a second factor does not guard: `IMAP`, `POP3`, `SMTP AUTH`.
    pub protocols: Vec<String>,
    /// Individuals whose information lies in it; `None` where nothing says.
    pub individuals_lower: Option<u64>,
    pub individuals_upper: Option<u64>,
    pub oldest: Option<Date>,
    /// Whether notice to media and Secretary could be due for it alone (45 CFR 164.406, 164.408).
    pub over_500: Option<bool>,
    /// Categories found in it that other law protects more; `None` where it was not read.
    pub sensitive: Option<Vec<String>>,
    /// Mailboxes that open at once, the first 20, and how.
    pub opens: Vec<Opened>,
    /// How many open at once.
    pub opens_at_least: usize,
    /// How many cannot be ruled out: in further steps, through groups, by rights nobody knows.
    pub opens_at_most: usize,
    /// Mailboxes in whose name it may send, the first 20.
    pub sends_as: Vec<String>,
    /// Outside domains that its mail goes to by itself, as far as is known; `None` where none is
    /// known and there may be some.
    pub leaves_to: Option<Vec<String>>,
    /// Individuals whose information lies in it and in what opens from it.
    pub within: Within,
    pub logs: Logs,
    pub notice: Notice,
    /// The same after one change, by running the model again.
    pub changes: Vec<Change>,
    /// What is not known and widened the bounds, in words.
    pub not_known: Vec<String>,
}

/// A mailbox that opens from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opened {
    pub mailbox: String,
    /// `may open it`, `may look into folders of it`.
    pub how: String,
}

/// At least and at most; `upper` is `None` where nothing bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    pub lower: u64,
    pub upper: Option<u64>,
}

/// What the logs would show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// `kept`, `not kept`, `not known`.
    pub state: String,
    pub why: String,
}

/// Whom one would have to tell (45 CFR 164.404 to 164.408; 164.402(2) presumes a breach).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub individuals: Within,
    /// `500 or more`, `fewer than 500`, `500 cannot be ruled out`, `nobody known`.
    pub band: String,
}

/// One change and what it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// `one-year-retention`, `only-its-user`, `second-factor`.
    pub change: String,
    pub words: String,
    pub within: Within,
    pub band: String,
    pub risk: Level,
}

/// One row a mailbox, the worst first: those of the exports, and those that were scanned and are in
/// no export.
pub(super) fn exposure(model: &Model, known: &Known, scanned: &Scanned, today: Date) -> Vec<Exposure> {
    let names = names(known, scanned);
    let by_name: BTreeMap<String, &KnownMailbox> =
        known.mailboxes.iter().map(|mailbox| (mailbox.name.to_lowercase(), mailbox)).collect();
    let access = Access::of(&names, known);
    let world = World {
        model,
        known,
        mailboxes: names.iter().map(|name| by_name.get(name).copied()).collect(),
        holdings: Holdings::of(&names, known, scanned, &access),
        anybodys: match access.of_anybody() {
            AtMost::Everything => names.len(),
            AtMost::These(places) => places.len(),
        },
        access,
        names,
        today,
    };
    let mut rows: Vec<(row::Order, Exposure)> = (0..world.names.len()).map(|at| row::row(&world, at)).collect();
    rows.sort_by(|(a, left), (b, right)| b.cmp(a).then_with(|| left.mailbox.cmp(&right.mailbox)));
    let ranked = rows.into_iter().zip(1..).map(|((_, row), rank)| Exposure { rank, ..row });
    ranked.collect()
}

/// What every row is worked out from.
struct World<'k> {
    model: &'k Model,
    known: &'k Known,
    /// Every mailbox, in lower case, sorted; elsewhere a mailbox is its place here.
    names: Vec<String>,
    /// What exports say of each; `None` where only a scan knows it.
    mailboxes: Vec<Option<&'k KnownMailbox>>,
    access: Access,
    /// How many mailboxes anybody of the organization may open, as far as is known.
    anybodys: usize,
    holdings: Holdings,
    today: Date,
}

fn names(known: &Known, scanned: &Scanned) -> Vec<String> {
    let listed = known.mailboxes.iter().map(|mailbox| mailbox.name.to_lowercase());
    let all: BTreeSet<String> = listed.chain(scanned.mailboxes().map(str::to_owned)).collect();
    all.into_iter().collect()
}
