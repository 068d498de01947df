//! Shows results; computes nothing that a test of the assessment could not see.

pub mod content;
