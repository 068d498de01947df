//! What opens if one mailbox is taken over today: the way in, and what the scan found to lie there.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Exposure;
use super::impact::{Scanned, day_before};
use super::model::Model;
use crate::facts::Facts;
use crate::facts::mailbox::Mailbox;
use crate::seen::Seen;

/// One row a mailbox: those of the exports, and those that were scanned and are in no export.
pub(super) fn exposure(model: &Model, facts: &Facts, scanned: &Scanned, today: Date) -> Vec<Exposure> {
    let known = &facts.mailboxes.subjects;
    let mut rows: Vec<Exposure> =
        known.iter().map(|mailbox| row(model, &mailbox.name, way_in(mailbox), scanned, today)).collect();
    let full: BTreeSet<String> = known.iter().map(|mailbox| mailbox.name.to_lowercase()).collect();
    for name in scanned.mailboxes() {
        if !full.contains(name) {
            rows.push(row(model, name, "not known", scanned, today));
        }
    }
    rows.sort_by(|a, b| a.mailbox.cmp(&b.mailbox));
    rows
}

/// A demanded second factor and a merely registered one are different things.
fn way_in(mailbox: &Mailbox) -> &'static str {
    match (&mailbox.mfa_enforced.seen, &mailbox.mfa_registered.seen) {
        (Seen::Present(true), _) => "second factor demanded",
        (_, Seen::Present(true)) => "second factor registered",
        (Seen::Present(false), Seen::Present(false) | Seen::Absent)
        | (Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_), Seen::Present(false)) => "no second factor",
        (Seen::Present(false), Seen::Malformed(_) | Seen::Unknown(_))
        | (
            Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_),
            Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_),
        ) => "not known",
    }
}

fn row(model: &Model, mailbox: &str, way_in: &str, scanned: &Scanned, today: Date) -> Exposure {
    let volume = scanned.of(mailbox);
    let threshold = model.impact.notice_individuals;
    Exposure {
        mailbox: mailbox.to_owned(),
        way_in: way_in.to_owned(),
        individuals_lower: volume.map(|volume| volume.lower),
        individuals_upper: volume.filter(|volume| volume.whole).map(|volume| volume.upper),
        oldest: volume.and_then(|volume| day_before(today, volume.oldest_days?)),
        // Certain only where the bounds agree, and the upper one only where all was looked into.
        over_500: volume.and_then(|volume| {
            if volume.lower >= threshold {
                Some(true)
            } else {
                (volume.whole && volume.upper < threshold).then_some(false)
            }
        }),
    }
}
