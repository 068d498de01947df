//! What is judged: one YAML file a check, read, checked and tested before it may judge.

mod check;

pub use check::{Catalog, Check, Cite, Supports};
