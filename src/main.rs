//! Parses the command line, runs one verb, returns its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mailassay::cli::run(std::env::args_os())
}
