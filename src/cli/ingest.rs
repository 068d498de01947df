//! `ingest`: says what export files hold and how far they could be read.

use std::collections::BTreeSet;

use super::args::{Format, IngestArgs};
use super::{Failure, say, say_json};
use crate::clock::{Clock, SystemClock};
use crate::collect::exports;
use crate::keyed::KeyedReference;
use crate::report::ingest::Ingest;
use crate::verdict::Ending;

pub(super) fn run(args: IngestArgs) -> Result<Ending, Failure> {
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        return Err(Failure::usage(anyhow::anyhow!("{} does not exist", missing.display())));
    }
    let labels: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
    // Only counts are shown, so the references need no key that anybody keeps.
    let key = KeyedReference::new(b"");
    let mut ingest = Ingest::new();
    let mut take = |observation| ingest.add(&observation);
    // No scope names the organization's domains here; the exports may.
    exports::read_each(&args.paths, &labels, &BTreeSet::new(), &key, SystemClock.now(), "here", &mut take);
    let ingest = ingest.sorted();
    match args.format {
        Format::Json => say_json(&ingest),
        Format::Text => say(&ingest.text()),
    }
    Ok(Ending::Clean)
}
