//! Shows what was found. Computes nothing of its own.

pub mod probe;
