//! Catalogues of the outside world that ship with the program: data, dated and sourced.

pub mod vendors;
//! Lists of facts about the world that ship with the program: read once, each with its sources.

pub mod consumer_domains;
