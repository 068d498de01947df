//! What the analysis and the documents need of a check: its texts, not its expressions.

use std::collections::BTreeMap;

use crate::checks::{Catalog, Check, Cite};
use crate::finding::Severity;
use crate::names::SubjectKind;

/// The texts of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub id: String,
    /// The id in a reference catalogue, such as FWD-001.
    pub catalogue: Option<String>,
    pub area: String,
    pub title: String,
    pub subject: SubjectKind,
    pub severity: Severity,
    pub cites: Vec<Cite>,
    pub why: String,
    pub fix: String,
}

/// Every check's texts, by id.
pub type Cards = BTreeMap<String, Card>;

impl From<&Check> for Card {
    fn from(check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            catalogue: check.catalogue.clone(),
            area: check.area.clone(),
            title: check.title.clone(),
            subject: check.subject,
            severity: check.severity,
            cites: check.cites.clone(),
            why: check.why.clone(),
            fix: check.fix.clone(),
        }
    }
}

/// The texts of a catalogue.
pub fn cards(catalog: &Catalog) -> Cards {
    catalog.checks.iter().map(|(id, check)| (id.clone(), Card::from(check))).collect()
}
