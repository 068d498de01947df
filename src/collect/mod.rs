//! Asks the world and never judges. The only room that opens connections or reads a customer's
//! files.

pub mod messages;
pub mod network;
