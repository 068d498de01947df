//! Asks the world and never judges. The only room that opens connections or reads a customer's
//! files.

pub mod dial;
pub mod network;
pub mod service;
pub mod tls;

mod imap;
mod pop3;
mod sieve;
mod smtp;
