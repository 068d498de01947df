//! Asks a service about its TLS: hand-made hellos without cryptography for what it accepts, and one
//! real handshake for the certificate.

pub(crate) mod ask;
pub mod enumerate;
pub mod handshake;
pub mod hello;
mod inside;
