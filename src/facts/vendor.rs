//! A vendor that touches the mail: seen in DNS, declared in the scope, or both.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::domain::Stored;
use super::shape::{Fact, fact_group, subject};
use super::{Built, Collection, Context};
use crate::catalogues::vendors::{Place, VendorCatalogue};
use crate::evidence::declared::{Declared, DeclaredVendor, Handles};
use crate::evidence::{EvidenceId, Source};
use crate::names::SubjectKind;
use crate::records::domain::Part;
use crate::seen::{NotObserved, Seen};

fact_group! {
    /// The business associate agreement the scope declares (45 CFR 164.308(b)(3)).
    pub struct Agreement {
        /// Whether one was signed.
        signed: bool = false,
        /// Whether it ran out before `as_of`.
        expired: bool = false,
        /// Whether the file was there to be read.
        file: bool = false,
    }
}

subject! {
    /// A vendor, named by its id in the catalogue or the scope.
    pub struct Vendor is Vendor {
        /// Its name for people.
        title: String,
        /// Whether the scope lists it.
        registered: bool,
        /// Where it was seen: `mx`, `spf`, `dkim`, `autodiscover`, `reports`, `verification`.
        seen_in: Vec<String>,
        /// Whether where it was seen means that mail content passes it.
        carries_mail: bool,
        /// What the scope says it handles: `content`, `metadata`, `nothing`.
        handles: String,
        /// The agreement the scope declares.
        agreement: Agreement = Agreement::absent(),
    }
}

/// Builds every vendor that the scope declares or DNS shows.
pub fn build(context: Context<'_>) -> Built<Vendor> {
    let (declared_id, declared) = match context.evidence.declared() {
        Ok(found) => found,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    let catalogue = VendorCatalogue::shipped();
    let sightings = Sightings::collect(context, declared, &catalogue);
    let mut ids: BTreeSet<&str> = sightings.seen.keys().map(String::as_str).collect();
    ids.extend(declared.vendors.iter().map(|vendor| vendor.id.as_str()));
    let subjects = ids
        .into_iter()
        .map(|id| {
            let entry = declared.vendors.iter().find(|vendor| vendor.id == id);
            one(id, entry, declared_id, &sightings, &catalogue, context.today())
        })
        .collect();
    let collection = match sightings.blind {
        // Vendors that nobody declared may be hidden by what could not be asked.
        Some(reason) => Collection::Incomplete(reason),
        None => Collection::Complete,
    };
    Built { subjects, collection }
}

/// Where vendors were seen, over all domains.
struct Sightings {
    seen: BTreeMap<String, (BTreeSet<Place>, Vec<EvidenceId>)>,
    /// Why something may have been missed.
    blind: Option<NotObserved>,
}

impl Sightings {
    fn collect(context: Context<'_>, declared: &Declared, catalogue: &VendorCatalogue) -> Self {
        let mut sightings =
            Self { seen: BTreeMap::new(), blind: context.evidence.taken_away(Source::Dns, SubjectKind::Domain) };
        if sightings.blind.is_some() {
            return sightings;
        }
        let stored = Stored::new(context);
        for domain in &declared.domains {
            let read = stored.read(domain, catalogue);
            let records = &read.records;
            sightings.blind = sightings
                .blind
                .or_else(|| records.mx.because.clone())
                .or_else(|| records.spf.because.clone())
                .or_else(|| records.exists.clone().err());
            for (id, places) in &records.vendors {
                let entry = sightings.seen.entry(id.clone()).or_default();
                for place in places {
                    entry.0.insert(*place);
                    entry.1.extend(read.evidence(part_of(*place)));
                }
                entry.1.sort();
                entry.1.dedup();
            }
        }
        sightings
    }
}

fn part_of(place: Place) -> Part {
    match place {
        Place::Mx => Part::Mx,
        Place::Spf => Part::Spf,
        Place::Dkim => Part::Dkim,
        Place::Reports => Part::Dmarc,
        Place::Autodiscover | Place::Verification => Part::Vendors,
    }
}

fn one(
    id: &str,
    entry: Option<&DeclaredVendor>,
    declared_id: &EvidenceId,
    sightings: &Sightings,
    catalogue: &VendorCatalogue,
    today: Date,
) -> Vendor {
    let row = catalogue.vendor(id);
    let declared_evidence = vec![declared_id.clone()];
    let (places, evidence) = sightings.seen.get(id).cloned().unwrap_or_default();
    let carries = row.is_some_and(|row| places.iter().any(|place| place.carries_mail(row.kind)));
    // Not seen is worth something only for a vendor we could have recognised, where we could look.
    let unseen = match (&sightings.blind, row) {
        (Some(reason), _) => Some(reason.clone()),
        (None, None) => Some(NotObserved::NotProvided { what: format!("how `{id}` shows in DNS") }),
        (None, Some(_)) => None,
    };
    Vendor {
        name: id.to_owned(),
        title: Fact::present(row.map_or_else(|| id.to_owned(), |row| row.name.clone()), Vec::new()),
        registered: Fact::present(entry.is_some(), declared_evidence.clone()),
        seen_in: match (&unseen, places.is_empty()) {
            (Some(reason), true) => Fact::unknown(reason.clone()),
            (Some(_) | None, _) => {
                Fact::present(places.iter().map(|place| place.as_str().to_owned()).collect(), evidence.clone())
            }
        },
        carries_mail: match (carries, unseen) {
            (true, _) | (false, None) => Fact::present(carries, evidence),
            (false, Some(reason)) => Fact::unknown(reason),
        },
        handles: match entry.and_then(|entry| entry.handles) {
            Some(handles) => Fact::present(
                match handles {
                    Handles::Content => "content",
                    Handles::Metadata => "metadata",
                    Handles::Nothing => "nothing",
                }
                .to_owned(),
                declared_evidence.clone(),
            ),
            None => Fact::unknown(NotObserved::NotProvided { what: format!("what `{id}` handles, in the scope") }),
        },
        agreement: match entry.and_then(|entry| entry.agreement.as_ref()) {
            None => Fact::new(Seen::Absent, declared_evidence),
            Some(agreement) => Fact::present(
                Agreement {
                    signed: agreement.signed <= today,
                    expired: agreement.expires.is_some_and(|expires| expires < today),
                    file: agreement.file_sha256.is_some(),
                },
                declared_evidence,
            ),
        },
    }
}

#[cfg(test)]
mod tests;
