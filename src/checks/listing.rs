//! The catalogue as `checks list --format json` shows it. The keys are contract.

use serde::Serialize;

use super::{Catalog, Cite};
use crate::finding::Severity;
use crate::names::SubjectKind;

/// Every check, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing<'c> {
    pub schema: u32,
    pub kind: &'static str,
    pub version: &'c str,
    pub digest: &'c str,
    pub checks: Vec<Listed<'c>>,
}

/// One check of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<'c> {
    pub id: &'c str,
    pub title: &'c str,
    pub area: &'c str,
    pub subject: SubjectKind,
    pub severity: Severity,
    /// The id in a reference catalogue, or null.
    pub catalogue: Option<&'c str>,
    pub cites: &'c [Cite],
    pub since: &'c str,
    /// Added by the organization.
    pub own: bool,
}

/// Lists the catalogue.
pub fn listing(catalog: &Catalog) -> Listing<'_> {
    let checks = catalog.checks.values().map(|check| Listed {
        id: &check.id,
        title: &check.title,
        area: &check.area,
        subject: check.subject,
        severity: check.severity,
        catalogue: check.catalogue.as_deref(),
        cites: &check.cites,
        since: &check.since,
        own: check.own,
    });
    Listing { schema: 1, kind: "checks", version: &catalog.version, digest: &catalog.digest, checks: checks.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_that_others_rely_on() {
        let catalog = Catalog::built_in().unwrap();
        let json = serde_json::to_value(listing(&catalog)).unwrap();
        assert_eq!((json["schema"].as_u64(), json["kind"].as_str()), (Some(1), Some("checks")));
        let check = json["checks"].as_array().unwrap().iter().find(|c| c["id"] == "training-given").unwrap();
        assert_eq!(check["subject"], "attestation");
        assert_eq!(check["severity"], "high");
        assert!(check["catalogue"].is_null());
        assert_eq!(check["cites"][0], serde_json::json!({"spec": "164.308(a)(5)(i)", "supports": "direct"}));
    }
}
