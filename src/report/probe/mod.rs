//! What `probe` prints: one thing asked now, shown as it was found.

pub mod domain;
pub mod endpoint;
pub mod endpoint_text;
