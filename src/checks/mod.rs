//! What is judged: one YAML file a check, read, checked and tested before it may judge.
//!
//! [`Catalog`] loads the checks, [`expression`] compiles what they ask under the rules of
//! `rules`, and [`examples`] shows that each says what it means. Nothing here sees evidence.

mod catalog;
mod check;
mod listing;
mod paths;
mod read;
mod reference;
mod rules;
mod thresholds;
mod wording;

#[cfg(test)]
pub(crate) mod testing;

pub mod controls;
pub mod examples;
pub mod expression;
pub mod frameworks;

pub use catalog::{AREAS, Catalog, CheckError};
pub use check::{Check, Cite, Supports, Verdict};
pub use listing::{Listed, Listing, listing};
pub use paths::{FactPath, Reading, distance};
pub use reference::reference;
pub use thresholds::Threshold;
pub use wording::overclaim;
