//! Asks the world and never judges. The only room that opens connections or reads a customer's
//! files.

pub mod dns;
pub mod domain;
pub mod https;
pub mod network;
