//! `report`: writes the reports of a stored assessment again.

use super::args::ReportArgs;
use super::judging::read_assessment;
use super::{Failure, Voice, output, say};
use crate::report;
use crate::verdict::Ending;

pub(super) fn run(args: &ReportArgs, voice: &Voice) -> Result<Ending, Failure> {
    let theme = args.paper.theme().map_err(Failure::usage)?;
    let look = args.paper.look(theme.as_ref());
    let assessment = read_assessment(&args.assessment)?;
    output::must_be_free(&args.out)?;
    let files = report::write_in(&assessment, &args.out, look, None).map_err(anyhow::Error::from)?;
    say(&output::summary(&assessment, files, voice));
    Ok(Ending::Clean)
}
