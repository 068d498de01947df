//! The same mailbox after one change, by running the same model again: a second factor, one year of
//! mail, nobody but its user's rights.

use super::access::Reach;
use super::holdings::a_year_of;
use super::row::{Door, band, rated};
use super::{Change, Level, Within, World};

/// The changes that would make a difference here.
pub(super) fn changes(
    world: &World<'_>,
    at: usize,
    reach: &Reach,
    within: Within,
    door: &Door,
    sensitive: bool,
    now: Level,
) -> Vec<Change> {
    let model = world.model;
    let success = door.success(model);
    let mut changes = Vec::new();
    let mut change = |name: &str, words: &str, after: Within, success: Level| {
        let (risk, _) = rated(model, success, after, sensitive);
        if risk != now || after != within {
            let (change, words) = (name.to_owned(), words.to_owned());
            changes.push(Change { change, words, within: after, band: band(model, after).to_owned(), risk });
        }
    };
    if let Some(kept) = a_year_of(world.holdings.at(at)) {
        let after = world.holdings.within_if(at, reach, kept);
        change("one-year-retention", "mail in this mailbox kept for one year", after, success);
    }
    let alone = world.holdings.alone(world.holdings.at(at));
    if reach.opens_others(at) || !world.access.known_of_all() {
        change("only-its-user", "no rights over other mailboxes, shown by exports", alone, success);
    }
    if !door.is_guarded() {
        let guarded = Door::guarded().success(model);
        change("second-factor", "a second factor demanded, IMAP and POP3 closed", within, guarded);
    }
    changes
}
