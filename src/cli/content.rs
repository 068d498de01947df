//! `content`: counts PHI in mail. No value, subject or name ever comes out.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{ContentArgs, ContentExplainArgs, ContentVerb, Format};
use super::{Failure, say, say_json};
use crate::clock::{Clock, SystemClock, date_of};
use crate::collect::messages::{self, MailFrom, MailSource, MessageKey, Roster, ScanKey, ScanOptions, Traced};
use crate::files;
use crate::names::DomainName;
use crate::records::trace::OwnHost;
use crate::report::{content, explained_message};
use crate::verdict::Ending;

const KEY_FILE_BYTES: u64 = 64 * 1024;
const ROSTER_BYTES: u64 = 64 * 1024 * 1024;

pub(super) fn run(args: ContentArgs) -> Result<Ending, Failure> {
    match args.verb {
        Some(ContentVerb::Explain(args)) => explain(args),
        None => count(args),
    }
}

fn count(args: ContentArgs) -> Result<Ending, Failure> {
    if args.sample.is_some() && args.paths.iter().any(|path| path.as_os_str() == "-") {
        let why = "--sample goes through the mail twice, and standard input comes once: give a file";
        return Err(Failure::usage(anyhow::anyhow!(why)));
    }
    let key_file = args
        .key_file
        .as_deref()
        .map(|path| files::read_bounded(path, KEY_FILE_BYTES))
        .transpose()
        .map_err(Failure::usage)?;
    let now = SystemClock.now();
    let options = ScanOptions {
        key: key_file.as_deref().map_or_else(ScanKey::random, ScanKey::from_secret),
        message_key: args.messages.as_ref().and(key_file.as_deref()).map(MessageKey::from_file_bytes),
        now,
        vantage: "here".to_owned(),
        traced: traced(args.own_hosts, args.partner),
        own_domains: Vec::new(),
        roster: roster(&args.roster, now)?,
        pdf: super::pdf_reader(),
        sample: args.sample,
    };
    let scan = messages::scan(sources(args.paths)?, &options);
    if let Some(path) = &args.messages {
        let lines: String = scan.messages.iter().map(|message| message.line() + "\n").collect();
        files::write_whole(path, lines.as_bytes()).map_err(anyhow::Error::from)?;
    }
    let report =
        content::report(&scan.observations).with_roster(scan.roster.as_ref()).with_sample(scan.sampled.as_ref());
    match args.format {
        Format::Json => say_json(&report),
        Format::Text => say(&content::text(&report)),
    }
    Ok(Ending::Clean)
}

fn explain(args: ContentExplainArgs) -> Result<Ending, Failure> {
    let key = files::read_bounded(&args.key_file, KEY_FILE_BYTES).map_err(Failure::usage)?;
    let options = ScanOptions {
        key: ScanKey::from_secret(&key),
        message_key: Some(MessageKey::from_file_bytes(&key)),
        now: SystemClock.now(),
        vantage: "here".to_owned(),
        traced: Traced::default(),
        own_domains: Vec::new(),
        roster: None,
        pdf: super::pdf_reader(),
        sample: None,
    };
    let explained = messages::explain(sources(args.paths)?, args.reference, &options);
    if explained.messages.is_empty() {
        let what = "no message that was read has this reference; was it made with this key and of this mail?";
        return Err(anyhow::anyhow!("{}: {what}", args.reference).into());
    }
    let report = explained_message::report(args.reference, explained);
    match args.format {
        Format::Json => say_json(&report),
        Format::Text => say(&explained_message::text(&report)),
    }
    Ok(Ending::Clean)
}

/// The list of patients, as keyed hashes.
pub(super) fn roster(paths: &[PathBuf], now: Timestamp) -> Result<Option<Arc<Roster>>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for path in paths {
        files.push((path.as_path(), files::read_bounded(path, ROSTER_BYTES).map_err(Failure::usage)?));
    }
    let read = Roster::read(files.iter().map(|(path, bytes)| (*path, bytes.as_slice())), date_of(now));
    read.map(|roster| Some(Arc::new(roster))).map_err(|error| Failure::usage(anyhow::anyhow!("the roster: {error}")))
}

/// Results of foreign hosts may stand right below a host's own field, unless the scope says otherwise.
fn traced(hosts: Vec<DomainName>, mut partners: Vec<DomainName>) -> Traced {
    partners.sort();
    partners.dedup();
    let own = |name| OwnHost { name, removes_foreign_results: false };
    Traced { own_hosts: hosts.into_iter().map(own).collect(), partners }
}

/// One source is one mailbox: its file or folder name without the ending.
fn sources(paths: Vec<PathBuf>) -> Result<Vec<MailSource>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        let (label, from) = if path.as_os_str() == "-" {
            ("standard input".to_owned(), MailFrom::Stream(Box::new(std::io::stdin())))
        } else {
            if !path.exists() {
                return Err(Failure::usage(anyhow::anyhow!("{} does not exist", path.display())));
            }
            (path.display().to_string(), MailFrom::Path(path.clone()))
        };
        let mailbox = path.file_stem().map_or_else(|| label.clone(), |stem| stem.to_string_lossy().into_owned());
        sources.push(MailSource { label, mailbox, from });
    }
    Ok(sources)
}
