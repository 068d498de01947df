//! `diff`: what changed between two assessments.

use super::args::{DiffArgs, Format};
use super::judging::read_assessment;
use super::{Failure, say, say_json};
use crate::history;
use crate::verdict::{Ending, Policy};

pub(super) fn run(args: &DiffArgs) -> Result<Ending, Failure> {
    let old = read_assessment(&args.old)?;
    let new = read_assessment(&args.new)?;
    let drift = history::between(&old, &new);
    match args.format {
        Format::Json => say_json(&drift),
        Format::Text => say(&history::render(&drift)),
    }
    let gated = Policy::default().fail_on_drift;
    let drifted = gated.iter().any(|class| drift.counts.get(class.as_str()).is_some_and(|count| *count > 0));
    Ok(if args.fail_on_drift && drifted { Ending::Drift } else { Ending::Clean })
}
