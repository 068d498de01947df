//! The program as a user runs it.
#![expect(clippy::disallowed_methods, reason = "tests start programs and open connections on loopback")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails where it stands, and says why it is skipped"
)]

mod authentication;
mod browser;
mod content;
mod corpora;
mod demo;
mod domains;
mod evidence;
mod exports;
mod governance;
mod mail_scan;
mod oracle;
mod real;
mod receive;
mod report;
mod support;
mod usage;
