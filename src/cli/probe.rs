//! `probe`: asks one service or domain, or a list of them, and shows what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::args::{Format, Mode as ModeArg, ProbeArgs};
use super::judging::read_assessment;
use super::targets::{self, Host, Target};
use super::{Failure, Voice, say};
use crate::catalogues::vendors::VendorCatalogue;
use crate::clock::{Clock, SystemClock};
use crate::collect::dial::Dialer;
use crate::collect::dns::Dns;
use crate::collect::domain;
use crate::collect::https::Https;
use crate::collect::network::NetworkOptions;
use crate::collect::reports;
use crate::collect::service::{self, ServiceTarget, StartTls};
use crate::collect::signed_mail::SignedMail;
use crate::collect::tls::enumerate::Mode;
use crate::evidence::declared::DeclaredDomain;
use crate::evidence::{Answer, Observation, Question};
use crate::files;
use crate::names::DomainName;
use crate::records::dane::{self, Chains};
use crate::records::domain::seen_selectors;
use crate::report::json::v1::DkimKey;
use crate::report::probe::domain::DomainProbe;
use crate::report::probe::{endpoint, endpoint_text};
use crate::verdict::Ending;

/// Mail hosts of one domain whose certificates are held against their TLSA records.
const CERTIFICATE_HOSTS: usize = 8;
const LIST_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn run(args: ProbeArgs, voice: &Voice) -> Result<Ending, Failure> {
    let is_list = args.list.is_some();
    let list = args.list.as_deref().map(read_list).transpose()?;
    let one = match &args.target {
        Some(text) if !is_list => Some(single(&args, text)?),
        Some(_) | None => None,
    };
    let targets = || one.iter().cloned().chain(list.iter().flat_map(|text| targets::of_list(text)));
    let seen = seen_mail(&args, targets(), voice)?;
    let keys = match &args.since {
        Some(path) => read_assessment(path)?.dkim_keys,
        None => Vec::new(),
    };
    let options = args.network.options(crate::scope::Limits::default());
    let deadline = options.deadline;
    let prober = Arc::new(Prober {
        evidence: args.evidence,
        seen,
        keys,
        ..Prober::new(options, args.mode, args.active_probes, voice.color)?
    });
    // A list is for programs: one JSON object a line. A single target is for people unless asked.
    let format = if is_list { Format::Json } else { args.format };
    // Reading answers takes time too, so a list uses every core that there is.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let total = targets().count();
    let at_once = usize::from(args.at_once);
    let finished = runtime.block_on(async {
        let all = async {
            let ask = |target: Target| {
                let prober = Arc::clone(&prober);
                let name = target.to_string();
                let asked = tokio::spawn(async move { prober.ask(target, format).await });
                async move { (name, asked.await) }
            };
            let mut shown = stream::iter(targets()).map(ask).buffered(at_once);
            let mut broken = 0_usize;
            while let Some((name, text)) = shown.next().await {
                match text {
                    Ok(text) => say(&text),
                    // A fault of ours at one target leaves the others their answers.
                    Err(_) => {
                        eprintln!("error: {name} was not asked: a fault in this program");
                        broken += 1;
                    }
                }
            }
            broken
        };
        tokio::time::timeout(deadline, all).await
    });
    match finished {
        Ok(0) => Ok(Ending::Clean),
        Ok(_) => Ok(Ending::Runtime),
        Err(_) => {
            voice.remark(&format!("the deadline ended the run before all {total} targets were asked (--deadline)"));
            Ok(Ending::Coverage)
        }
    }
}

/// A list in which every line is a target.
fn read_list(path: &Path) -> Result<String, Failure> {
    let text = files::read_text(path, LIST_BYTES).map_err(Failure::usage)?;
    match targets::faults(path, &text).as_slice() {
        [] => Ok(text),
        faults => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Err(Failure::usage(anyhow::anyhow!(faults.join("\nerror: "))))
        }
    }
}

/// Reads the mail and the reports that were given, for the domains that are asked.
fn seen_mail(
    args: &ProbeArgs,
    targets: impl Iterator<Item = Target>,
    voice: &Voice,
) -> Result<BTreeMap<String, Vec<Observation>>, Failure> {
    if args.headers.is_empty() && args.reports.is_empty() {
        return Ok(BTreeMap::new());
    }
    let domains: BTreeSet<DomainName> = targets
        .filter_map(|target| match target {
            Target::Domain { name, .. } => Some(name),
            Target::Service { .. } => None,
        })
        .collect();
    let (now, vantage) = (SystemClock.now(), args.network.vantage.as_str());
    let mut observations = Vec::new();
    if !args.headers.is_empty() {
        let mail = SignedMail::read(&args.headers).map_err(Failure::usage)?;
        if mail.cut {
            voice.remark("the given mail was not read whole");
        }
        observations.extend(mail.observations("--headers", &domains, now, vantage));
    }
    for path in &args.reports {
        let label = crate::text::visible(&path.display().to_string());
        observations.extend(reports::read(path, &label, &domains, now, vantage).map_err(Failure::usage)?);
    }
    let mut by_domain: BTreeMap<String, Vec<Observation>> = BTreeMap::new();
    for observation in observations {
        match (&observation.answer, &observation.question) {
            (
                Err(reason),
                Question::AggregateReport { label } | Question::ReportFile { label } | Question::TlsReport { label },
            ) => voice.remark(&format!("{label}: {reason}")),
            (Ok(Answer::ReportMail(mail)), _) if mail.mails == 0 => {}
            (Ok(Answer::ReportMail(mail)), _) => voice.remark(&format!(
                "{}: {} mails, {} with no report in it",
                observation.subject.name, mail.mails, mail.without_report
            )),
            _ => by_domain.entry(observation.subject.name.clone()).or_default().push(observation),
        }
    }
    Ok(by_domain)
}

/// The one target of the command line, with its options.
fn single(args: &ProbeArgs, text: &str) -> Result<Target, Failure> {
    let mut target = targets::target(text).map_err(|why| Failure::usage(anyhow::anyhow!(why)))?;
    match &mut target {
        Target::Domain { selectors, .. } => {
            for selector in &args.selector {
                let name: DomainName = selector.parse().map_err(Failure::usage)?;
                selectors.push(name.to_string());
            }
        }
        Target::Service { starttls, server_name, .. } => {
            starttls.clone_from(&args.starttls);
            if let Some(name) = &args.server_name {
                let name: DomainName = name.parse().map_err(Failure::usage)?;
                *server_name = Some(name.to_string());
            }
        }
    }
    Ok(target)
}

struct Prober {
    dns: Dns,
    https: Https,
    dialer: Dialer,
    vendors: VendorCatalogue,
    mode: Option<ModeArg>,
    active_probes: bool,
    offline: bool,
    /// What given mail and reports say of domains, by name.
    seen: BTreeMap<String, Vec<Observation>>,
    /// DKIM keys that an earlier assessment saw.
    keys: Vec<DkimKey>,
    /// Show each question with what came back.
    evidence: bool,
    color: bool,
}

impl Prober {
    fn new(options: NetworkOptions, mode: Option<ModeArg>, active_probes: bool, color: bool) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let offline = options.offline;
        let dns = Dns::new(&options, Arc::clone(&clock)).map_err(Failure::usage)?;
        let https = Https::new(&options).map_err(Failure::usage)?;
        let dialer = Dialer::with_clock(Arc::new(options), clock);
        dialer.roots().map_err(|reason| Failure::usage(anyhow::anyhow!("the CA file cannot be used: {reason}")))?;
        Ok(Self {
            dns,
            https,
            dialer,
            vendors: VendorCatalogue::shipped(),
            mode,
            active_probes,
            offline,
            seen: BTreeMap::new(),
            keys: Vec::new(),
            evidence: false,
            color,
        })
    }

    async fn ask(&self, target: Target, format: Format) -> String {
        match target {
            Target::Domain { name, selectors } => {
                let declared = DeclaredDomain { name, sends: true, receives: true, selectors };
                self.domain(&declared, format).await
            }
            Target::Service { host, port, starttls, server_name } => {
                self.service(host, port, starttls, server_name, format).await
            }
        }
    }

    async fn domain(&self, declared: &DeclaredDomain, format: Format) -> String {
        let started = Instant::now();
        let mail = self.seen.get(declared.name.as_str()).map_or(&[][..], Vec::as_slice);
        let seen = seen_selectors(mail);
        let answers = domain::ask(&self.dns, &self.https, declared, &seen, &self.vendors, &[]).await;
        let chains = self.chains(&answers.certificates_wanted).await;
        let permitted = |address: IpAddr| self.https.permits(address);
        let elapsed = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut probe = DomainProbe::new(
            declared,
            &seen,
            &answers.observations,
            &answers.answers,
            &self.vendors,
            &permitted,
            &chains,
        );
        probe.elapsed_ms = elapsed;
        probe = probe.with_mail(mail, &self.vendors).with_known_keys(&self.keys);
        if self.evidence {
            probe = probe.with_evidence(&answers.observations);
        }
        match format {
            Format::Json => json_line(&probe),
            Format::Text => probe.render(),
        }
    }

    /// The certificates that TLSA records are held against, as a sender sees them.
    async fn chains(&self, hosts: &[DomainName]) -> Chains {
        let asked = hosts.iter().take(CERTIFICATE_HOSTS).map(|host| async move {
            let addresses = self.dns.addresses(host).await.unwrap_or_default();
            let target = ServiceTarget::new(host.as_str(), addresses, 25);
            service::probe_each(&self.dialer, &target, Mode::Verdict).await
        });
        let observations = futures_util::future::join_all(asked).await;
        dane::chains(observations.iter().flatten())
    }

    async fn service(
        &self,
        host: Host,
        port: u16,
        starttls: Option<String>,
        server_name: Option<String>,
        format: Format,
    ) -> String {
        let addresses = match &host {
            Host::Address(address) => vec![*address],
            // What cannot be resolved is a state of the target, told by the probe itself.
            Host::Name(name) if !self.offline => self.dns.addresses(name).await.unwrap_or_default(),
            Host::Name(_) => Vec::new(),
        };
        let named = match &host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.to_string(),
        };
        let mut target = ServiceTarget::new(named, addresses, port);
        target.active_probes = self.active_probes;
        if let Some(way) = starttls.as_deref().and_then(StartTls::from_word) {
            target.starttls = way;
        }
        if let Some(name) = server_name {
            target.server_name = name;
        }
        let mode = match self.mode {
            Some(ModeArg::Full) => Mode::Full,
            Some(ModeArg::Verdict) => Mode::Verdict,
            None if port == 25 => Mode::Verdict,
            None => Mode::Full,
        };
        let observations = service::probe_each(&self.dialer, &target, mode).await;
        let views = observations.iter().filter_map(endpoint::view);
        views
            .map(|view| match format {
                Format::Json => json_line(&view),
                Format::Text => endpoint_text::text(&view, self.color),
            })
            .collect()
    }
}

fn json_line(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("views hold only text, numbers and lists") + "\n"
}
