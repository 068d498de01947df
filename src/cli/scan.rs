//! `scan`: collect, assess and report in one go.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::ScanArgs;
use super::collect::{collect_into, read_scope};
use super::judging::Judging;
use super::{Failure, Voice, output, say};
use crate::clock::{Clock, SystemClock, date_of};
use crate::collect::Collected;
use crate::report::json::v1::Assessment;
use crate::report::{self, Look};
use crate::verdict::Ending;

/// Where the evidence lies below the output folder.
pub(super) const EVIDENCE: &str = "evidence";

pub(super) fn run(args: ScanArgs, voice: &Voice) -> Result<Ending, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let theme = args.paper.theme().map_err(Failure::usage)?;
    let judging = Judging::load(&args.judging)?;
    let scope = read_scope(args.scope.as_deref(), &args.domains, clock.as_ref())?;
    let out = args.out.unwrap_or_else(|| scope.folder.join("reports").join(date_of(clock.now()).to_string()));
    free_or_unfinished(&out)?;
    let network = args.network.options(scope.limits);
    let collected = collect_into(&scope, network, &args.sources, &out.join(EVIDENCE), clock, voice)?;
    let look = args.paper.look(theme.as_ref());
    let (assessment, files, ending) = conclude(&judging, &collected, &out, look)?;
    say(&output::summary(&assessment, files, voice));
    Ok(ending)
}

/// Judges what was collected and writes the reports beside it.
pub(super) fn conclude(
    judging: &Judging,
    collected: &Collected,
    out: &Path,
    look: Look<'_>,
) -> Result<(Assessment, Vec<PathBuf>, Ending), Failure> {
    let (assessment, ending) = judging.judge(&collected.evidence, None, collected.interrupted)?;
    let judged_with = Some(judging.judged_with(collected.interrupted));
    let files = report::write_in(&assessment, out, look, judged_with).map_err(anyhow::Error::from)?;
    Ok((assessment, files, ending))
}

/// The folder is free, or an interrupted run can go on in it.
fn free_or_unfinished(out: &Path) -> Result<(), Failure> {
    if out.join(EVIDENCE).join(crate::collect::unfinished::NAME).is_file() { Ok(()) } else { output::must_be_free(out) }
}
