//! Shows one assessment in many forms; computes nothing that a test of the assessment could not see.

pub mod charts;
pub mod claims;
pub mod content;
pub mod html;
pub mod ingest;
pub mod json;
pub mod markdown;
pub mod model;
pub mod probe;
mod templates;
pub mod terminal;
#[cfg(test)]
mod tests;
mod write;

pub use templates::TemplateError;
pub use write::{ReportError, write_all};
