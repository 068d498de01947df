//! Assessments over time: what changed, how long it has been open, and what came back.
//!
//! It compares documents, never evidence, and calls nothing an improvement that it did not see
//! improve: what went dark, what disappeared and what is now judged otherwise have their own names.

mod diff;
mod keys;
mod text;

pub use diff::{between, compare};
pub use keys::seen_since;
pub use text::render;

#[cfg(test)]
mod tests;
