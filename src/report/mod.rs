//! Shows what was concluded. Computes nothing that a test of the assessment could not see.

pub mod probe;
