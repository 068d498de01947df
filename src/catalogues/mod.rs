//! Catalogues of the outside world that ship with the program: data, dated and sourced.

pub mod registers;
pub mod rule_scoring;
pub mod tls_profiles;
pub mod vendors;

pub mod consumer_domains;
