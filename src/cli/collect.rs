//! `collect`: asks the world and stores the evidence. `scan` begins the same way.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{Area as AreaArg, CollectArgs, SourceArgs};
use super::{Failure, Voice, say};
use crate::clock::{Clock, SystemClock, date_of};
use crate::collect::messages::Roster;
use crate::collect::network::NetworkOptions;
use crate::collect::{self, Area, CollectError, Collected, Progress, Request};
use crate::evidence::Evidence;
use crate::files;
use crate::names::DomainName;
use crate::scope::Scope;
use crate::verdict::Ending;

/// A key is 32 bytes, as HMAC-SHA256 likes it.
const KEY_BYTES: usize = 32;

pub(super) fn run(args: CollectArgs, voice: &Voice) -> Result<Ending, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let scope = read_scope(args.scope.as_deref(), &args.domains, clock.as_ref())?;
    let network = args.network.options(scope.limits);
    let collected = collect_into(&scope, network, &args.sources, &args.out, clock, voice)?;
    let segments: usize = collected.evidence.manifests.iter().map(|manifest| manifest.segments.len()).sum();
    let observations = collected.evidence.all().count();
    say(&format!("{observations} observations in {segments} segments: {}\n", args.out.display()));
    Ok(if collected.interrupted { Ending::Interrupted } else { Ending::Clean })
}

/// The scope of a file, or of bare domains.
pub(super) fn read_scope(file: Option<&Path>, domains: &[String], clock: &dyn Clock) -> Result<Scope, Failure> {
    match file {
        Some(path) => Scope::read(path, date_of(clock.now())).map_err(Failure::usage),
        None => {
            let domains: Result<Vec<DomainName>, _> = domains.iter().map(|domain| domain.parse()).collect();
            Ok(Scope::of_domains(&domains.map_err(Failure::usage)?))
        }
    }
}

/// What `--only` names, or everything.
fn areas(args: &SourceArgs) -> Vec<Area> {
    if args.only.is_empty() {
        return Area::ALL.to_vec();
    }
    let area = |area: &AreaArg| match area {
        AreaArg::Answers => Area::Answers,
        AreaArg::Dns => Area::Dns,
        AreaArg::Exports => Area::Exports,
        AreaArg::Messages => Area::Messages,
        AreaArg::Registers => Area::Registers,
        AreaArg::Reports => Area::Reports,
        AreaArg::Tls => Area::Tls,
    };
    args.only.iter().map(area).collect()
}

/// What of the scope is collected.
pub(super) struct Wanted<'a> {
    areas: &'a [Area],
    earlier: Option<&'a Evidence>,
    roster: Option<Arc<Roster>>,
    sample: Option<u64>,
}

impl Wanted<'_> {
    /// Everything there is.
    pub(super) fn all() -> Self {
        Self { areas: &Area::ALL, earlier: None, roster: None, sample: None }
    }
}

/// Collects into an evidence folder, drawing progress where somebody looks.
pub(super) fn collect_into(
    scope: &Scope,
    network: NetworkOptions,
    sources: &SourceArgs,
    folder: &Path,
    clock: Arc<dyn Clock>,
    voice: &Voice,
) -> Result<Collected, Failure> {
    let earlier = sources.reuse.as_deref().map(Evidence::read).transpose().map_err(Failure::usage)?;
    let areas = areas(sources);
    let asks_of_mail = !sources.roster.is_empty() || sources.sample.is_some();
    if asks_of_mail && (scope.declared.messages.is_empty() || !areas.contains(&Area::Messages)) {
        let why = "--roster and --sample are about mail: name it under `messages` in the scope, and have --only name messages";
        return Err(Failure::usage(anyhow::anyhow!(why)));
    }
    let roster = super::content::roster(&sources.roster, clock.now())?;
    let wanted = Wanted { areas: &areas, earlier: earlier.as_ref(), roster, sample: sources.sample };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    runtime.block_on(collect_on(scope, network, wanted, folder, clock, voice))
}

/// As [`collect_into`], on a runtime that is already there.
pub(super) async fn collect_on(
    scope: &Scope,
    network: NetworkOptions,
    wanted: Wanted<'_>,
    folder: &Path,
    clock: Arc<dyn Clock>,
    voice: &Voice,
) -> Result<Collected, Failure> {
    let key = reference_key(scope)?;
    let bar = voice.draws_progress().then(|| {
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}").expect("the template is sound");
        ProgressBar::new(0).with_style(style)
    });
    let planned = Mutex::new(0_u64);
    let progress = |step: Progress<'_>| {
        let Some(bar) = &bar else { return };
        match step {
            Progress::Planned(units) => {
                let mut planned = planned.lock().expect("no holder of this lock panics");
                *planned += units as u64;
                bar.set_length(*planned);
            }
            Progress::Finished(unit) => {
                bar.inc(1);
                bar.set_message(crate::text::visible(unit));
            }
        }
    };
    let request = Request {
        scope,
        network: Arc::new(network),
        areas: wanted.areas,
        folder,
        earlier: wanted.earlier,
        clock,
        pdf: super::pdf_reader(),
        roster: wanted.roster,
        sample: wanted.sample,
        key: &key,
        progress: &progress,
    };
    let collected = collect::collect(&request).await.map_err(|error| match error {
        CollectError::Evidence(_) | CollectError::File(_) => Failure::from(anyhow::Error::from(error)),
        CollectError::Answers(_)
        | CollectError::Catalog(_)
        | CollectError::Decisions(_)
        | CollectError::Dns(_)
        | CollectError::Https(_)
        | CollectError::Located(_)
        | CollectError::Registers(_)
        | CollectError::Roots(_)
        | CollectError::Unfinished(_) => Failure::usage(error),
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if collected.interrupted {
        voice.remark("interrupted; what was learned is kept, and the same command goes on from here");
    }
    Ok(collected)
}

/// The key of references to outside addresses and people. A client's folder keeps its own, so that
/// two quarters can be compared; it never lies with the evidence.
fn reference_key(scope: &Scope) -> Result<Vec<u8>, Failure> {
    let keeps_references = !scope.declared.exports.is_empty() || !scope.declared.messages.is_empty();
    let path: PathBuf = scope.folder.join("keys").join("references.key");
    if keeps_references && path.exists() {
        return files::read_bounded(&path, 4096).map_err(Failure::usage);
    }
    let mut key = vec![0; KEY_BYTES];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut key)
        .map_err(|_| Failure::from(anyhow::anyhow!("the operating system gives no random bytes")))?;
    if keeps_references {
        files::make_folder(&scope.folder.join("keys")).map_err(anyhow::Error::from)?;
        files::write_whole(&path, &key).map_err(anyhow::Error::from)?;
    }
    Ok(key)
}
