//! What `probe` prints: one thing asked now, shown as it was found.

pub mod domain;
//! What `probe` prints: one view of one observation, before anything is judged.

pub mod endpoint;
