//! Lists of facts about the world that ship with the program: read once, each with its sources.

pub mod consumer_domains;
