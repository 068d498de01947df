//! Exports from files to findings: every encoding, every source, every recipient, every rule.

mod encodings;
mod recipients;
mod rules;
mod world;
