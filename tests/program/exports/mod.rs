//! Exports from files to findings: every encoding, every source, every recipient, every rule.

mod collectors;
mod encodings;
mod recipients;
mod rules;
mod set_up;
mod sources;
mod taken_away;
mod world;
