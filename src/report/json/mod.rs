//! JSON documents that others rely on. Each has types of its own, so that renaming a Rust type
//! elsewhere never changes a file.

pub mod v1;
