//! One file a verb: reads what the user gave, calls the rooms in order, prints the result.
//!
//! The only room that prints, and the only user of anyhow.
#![expect(clippy::print_stderr, reason = "this room is the program's voice")]

mod args;
mod assess;
mod checks;
mod collect;
mod content;
mod demo;
mod diff;
mod explain;
mod ingest;
mod judging;
mod output;
mod package;
mod plan;
mod probe;
mod questionnaire;
mod receive;
mod register;
mod report;
mod scan;
mod targets;
mod verify;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use args::{Cli, Color, Verb};

use crate::collect::messages::{self, PdfReader};
use crate::text::visible;
use crate::verdict::Ending;

/// Runs one verb and gives the process's exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    // A panic's own words could quote what it was reading, a patient's mail included: only the
    // place is told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        eprintln!("error: a fault of the program at {place}; please report it");
    }));
    let cli = match args::parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for_help = !error.use_stderr();
            // A closed pipe is the reader's choice, not an error.
            let _ = error.print();
            return if asked_for_help { Ending::Clean } else { Ending::Usage }.into();
        }
    };
    let voice = Voice { quiet: cli.quiet, color: colored(cli.color) };
    match dispatch(cli, &voice) {
        Ok(ending) => ending.into(),
        Err(failure) => {
            eprintln!("error: {}", failure.message());
            failure.exit.into()
        }
    }
}

fn dispatch(cli: Cli, voice: &Voice) -> Result<Ending, Failure> {
    match cli.verb {
        Verb::Assess(args) => assess::run(args, voice),
        Verb::Checks(args) => checks::run(args),
        Verb::Collect(args) => collect::run(args, voice),
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut args::command(), "mailassay", &mut std::io::stdout());
            Ok(Ending::Clean)
        }
        Verb::Content(args) => content::run(args),
        Verb::Demo(args) => demo::run(&args, voice),
        Verb::Diff(args) => diff::run(&args),
        Verb::Explain(args) => explain::run(&args, voice),
        Verb::Ingest(args) => ingest::run(args),
        Verb::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(args::command()).render(&mut page).map_err(anyhow::Error::from)?;
            say(&String::from_utf8_lossy(&page));
            Ok(Ending::Clean)
        }
        Verb::PdfText => {
            messages::run_pdf_worker();
            Ok(Ending::Clean)
        }
        Verb::Package(args) => package::run(&args, voice),
        Verb::Plan(action) => plan::run(action, voice),
        Verb::Probe(args) => probe::run(args, voice),
        Verb::Questionnaire(action) => questionnaire::run(action, voice),
        Verb::Receive(args) => receive::run(args, voice),
        Verb::Register(action) => register::run(action, voice),
        Verb::Report(args) => report::run(&args, voice),
        Verb::Scan(args) => scan::run(args, voice),
        Verb::Verify(args) => verify::run(&args, voice),
    }
}

/// Reads PDF files in processes of this program; none where the system does not say where it lies.
fn pdf_reader() -> PdfReader {
    std::env::current_exe().map_or_else(|_| PdfReader::none(), PdfReader::apart)
}

/// How the program speaks beside its result.
#[derive(Clone, Copy, Debug)]
struct Voice {
    quiet: bool,
    color: bool,
}

impl Voice {
    /// A remark for people, on stderr.
    fn remark(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Whether progress may be drawn.
    fn draws_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }
}

fn colored(when: Color) -> bool {
    match when {
        Color::Always => true,
        Color::Never => false,
        // https://no-color.org: set and not empty means no colour.
        Color::Auto => {
            std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

/// Prints the result. A reader that went away (`| head`) is no error.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a value as JSON, one line for each object.
fn say_json(value: &impl serde::Serialize) {
    let mut text = serde_json::to_string_pretty(value).expect("result types hold only text, numbers and lists");
    text.push('\n');
    say(&text);
}

/// Why a verb ended early, and the exit code that says so.
#[derive(Debug)]
struct Failure {
    exit: Ending,
    error: anyhow::Error,
}

impl Failure {
    /// The user has to change a file or an option.
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Ending::Usage, error: error.into() }
    }

    fn message(&self) -> String {
        // Located errors are already escaped and keep their lines.
        let chain: Vec<String> = self.error.chain().map(ToString::to_string).collect();
        chain.join(": ").split('\n').map(visible).collect::<Vec<_>>().join("\n")
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { exit: Ending::Runtime, error }
    }
}
