//! What opens if one mailbox is taken over today: the way in, and what the scan found to lie there.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Exposure;
use super::impact::{Scanned, day_before};
use super::known::{Known, KnownMailbox};
use super::model::Model;

/// One row a mailbox: those of the exports, and those that were scanned and are in no export.
pub(super) fn exposure(model: &Model, known: &Known, scanned: &Scanned, today: Date) -> Vec<Exposure> {
    let mailboxes = &known.mailboxes;
    let mut rows: Vec<Exposure> =
        mailboxes.iter().map(|mailbox| row(model, &mailbox.name, way_in(mailbox), scanned, today)).collect();
    let full: BTreeSet<String> = mailboxes.iter().map(|mailbox| mailbox.name.to_lowercase()).collect();
    for name in scanned.mailboxes() {
        if !full.contains(name) {
            rows.push(row(model, name, "not known", scanned, today));
        }
    }
    rows.sort_by(|a, b| a.mailbox.cmp(&b.mailbox));
    rows
}

/// A demanded second factor and a merely registered one are different things.
fn way_in(mailbox: &KnownMailbox) -> &'static str {
    // Whoever signs in first where none is registered may register his own.
    match (mailbox.mfa_registered, mailbox.mfa_enforced) {
        (Some(false), _) => "no second factor",
        (_, Some(true)) => "second factor demanded",
        (Some(true), _) => "second factor registered",
        (None, Some(false) | None) => "not known",
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
