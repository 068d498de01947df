//! The program as a user runs it.
#![expect(clippy::disallowed_methods, reason = "tests start programs and open connections on loopback")]

mod browser;
mod corpora;
mod demo;
mod domains;
mod evidence;
mod oracle;
mod real;
mod report;
mod support;
mod usage;
