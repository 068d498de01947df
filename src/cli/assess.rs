//! `assess`: judges stored evidence, without network.

use super::args::AssessArgs;
use super::judging::Judging;
use super::{Failure, Voice, output, say, say_json};
use crate::evidence::Evidence;
use crate::report;
use crate::verdict::Ending;

pub(super) fn run(args: AssessArgs, voice: &Voice) -> Result<Ending, Failure> {
    let theme = args.paper.theme().map_err(Failure::usage)?;
    let judging = Judging::load(&args.judging)?;
    if let Some(out) = &args.out {
        output::must_be_free(out)?;
    }
    let folders = args.evidence.iter().map(|folder| Evidence::read(folder)).collect::<Result<Vec<_>, _>>();
    let evidence = Evidence::join(folders.map_err(Failure::usage)?).expect("clap demands at least one folder");
    let (assessment, ending) = judging.judge(&evidence, args.as_of, false)?;
    match &args.out {
        None => say_json(&assessment),
        Some(out) => {
            let judged_with = Some(judging.judged_with(false));
            let look = args.paper.look(theme.as_ref());
            let files = report::write_in(&assessment, out, look, judged_with).map_err(anyhow::Error::from)?;
            say(&output::summary(&assessment, files, voice));
        }
    }
    Ok(ending)
}
