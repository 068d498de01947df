//! Shows what was found. It computes nothing that a test of the assessment could not see.

pub mod ingest;
