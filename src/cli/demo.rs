//! `demo`: assesses an invented clinic on this machine at two quarters, with the same code as
//! `scan`.

use std::sync::Arc;

use super::args::DemoArgs;
use super::collect::{Wanted, collect_on};
use super::judging::Judging;
use super::scan::{EVIDENCE, conclude};
use super::{Failure, Voice, output, say};
use crate::clock::{Clock, FixedClock, date_of};
use crate::files::FileError;
use crate::lab::clinic::Quarter;
use crate::lab::demo;
use crate::report::json::v1::Assessment;
use crate::scope::Scope;
use crate::verdict::Ending;

pub(super) fn run(args: &DemoArgs, voice: &Voice) -> Result<Ending, Failure> {
    output::must_be_free(&args.out)?;
    let theme = args.paper.theme().map_err(Failure::usage)?;
    let look = args.paper.look(theme.as_ref());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let mut previous: Option<Assessment> = None;
    for quarter in Quarter::ALL {
        let clock: Arc<dyn Clock> = Arc::new(FixedClock(quarter.as_of()));
        let client = tempfile::tempdir().map_err(anyhow::Error::from)?;
        demo::lay_out(quarter, client.path()).map_err(broken)?;
        let scope = Scope::read(&client.path().join(demo::SCOPE), date_of(clock.now())).map_err(Failure::usage)?;
        let out = args.out.join(quarter.label());
        voice.remark(&format!("{}: asking the invented Maple Street Clinic on loopback", quarter.label()));
        let collected = runtime.block_on(async {
            let lab = demo::start(quarter).await.map_err(anyhow::Error::from)?;
            let network = lab.network(&client.path().join("lab")).map_err(broken)?;
            collect_on(&scope, network, Wanted::all(), &out.join(EVIDENCE), Arc::clone(&clock), voice).await
        })?;
        let judging = Judging::load(&super::args::JudgingArgs::default())?.since(previous.take());
        let (assessment, files, _) = conclude(&judging, &collected, &out, look)?;
        say(&output::summary(&assessment, files, voice));
        say("\n");
        previous = Some(assessment);
        if collected.interrupted {
            return Ok(Ending::Interrupted);
        }
    }
    Ok(Ending::Clean)
}

fn broken(error: FileError) -> Failure {
    Failure::from(anyhow::Error::from(error))
}
