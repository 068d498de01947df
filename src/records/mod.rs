//! Pure readers, one module a standard: bytes and text become types, or the first thing wrong
//! with them.
//!
//! Nothing here does I/O, looks at a clock or judges.

pub mod certificate;
pub mod certificate_trust;
mod cipher_suite_names;
pub mod cipher_suites;
pub mod plain_offer;
pub mod server_hello;
pub mod smtp_reply;
pub mod tls_groups;
pub mod tls_picture;
