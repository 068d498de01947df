//! What `probe` prints: one view of one observation, before anything is judged.

pub mod endpoint;
