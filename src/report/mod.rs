//! Shows one assessment in many forms; computes nothing that a test of the assessment could not see.

pub mod json;
