//! Asks the world and never judges. The only room that opens connections or reads a customer's
//! files.
//!
//! Work is cut into units: a domain, a service, the exports, all mail. Each unit ends by its own
//! deadline and fails alone; the whole ends by the run's deadline, and what was not reached by then is
//! said for each subject. Mail is one unit, since the people in it are told apart by what is never stored.

pub mod answers;
pub mod decisions;
pub mod dial;
pub mod dns;
pub mod domain;
mod earlier;
pub mod exports;
pub mod https;
pub(crate) mod imap;
pub mod messages;
pub mod network;
mod pop3;
pub mod registers;
pub mod reports;
pub mod service;
pub mod signed_mail;
mod sieve;
mod smtp;
pub mod tls;
pub mod unfinished;

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::catalogues::vendors::VendorCatalogue;
use crate::checks::Catalog;
use crate::clock::{Clock, date_of};
use crate::evidence::{Answer, Evidence, EvidenceError, Manifest, Observation, Question, Source, Vantage, Writer};
use crate::files;
use crate::keyed::KeyedReference;
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::questionnaire::Questionnaire;
use crate::records::domain::{SeenSelectors, seen_selectors};
use crate::risk::{Model, SecurityRule};
use crate::scope::Scope;
use crate::seen::NotObserved;
use dial::Dialer;
use dns::Dns;
use domain::DomainAnswers;
use earlier::Earlier;
use https::Https;
use messages::PdfReader;
use network::NetworkOptions;
use plan::Services;
use service::ServiceTarget;
use unfinished::{Unfinished, UnfinishedError};

/// Domains asked at once.
const DOMAINS_AT_ONCE: usize = 32;
/// Services asked at once, over all hosts; each host has its own limits beside.
const SERVICES_AT_ONCE: usize = 64;

/// What can be collected by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    Answers,
    Dns,
    Exports,
    Messages,
    Registers,
    Reports,
    Tls,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 7] =
        [Self::Answers, Self::Dns, Self::Exports, Self::Messages, Self::Registers, Self::Reports, Self::Tls];
}

/// One collection.
pub struct Request<'r> {
    pub scope: &'r Scope,
    pub network: Arc<NetworkOptions>,
    /// What to collect; what is left out is "not asked" and can be joined from elsewhere.
    pub areas: &'r [Area],
    /// The evidence folder.
    pub folder: &'r Path,
    /// What services said in a collection of the same day.
    pub earlier: Option<&'r Evidence>,
    pub clock: Arc<dyn Clock>,
    /// What reads PDF files in mail.
    pub pdf: PdfReader,
    /// Patients of the practice's own list, to be counted in the mail.
    pub roster: Option<Arc<messages::Roster>>,
    /// Look at so many messages of all mail; `None` looks at each.
    pub sample: Option<u64>,
    /// Makes references to outside addresses, rules and people; 32 random bytes the client keeps.
    pub key: &'r [u8],
    /// Told of each unit begun and finished.
    pub progress: &'r (dyn Fn(Progress<'_>) + Sync),
}

/// A step of the collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'p> {
    Planned(usize),
    Finished(&'p str),
}

/// What a collection came to.
#[derive(Debug)]
pub struct Collected {
    pub evidence: Evidence,
    /// Somebody asked to stop: what was learned is kept, and running again goes on.
    pub interrupted: bool,
}

/// Why nothing was collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error(transparent)]
    Answers(#[from] answers::AnswersError),
    #[error(transparent)]
    Catalog(#[from] crate::checks::CheckError),
    #[error(transparent)]
    Decisions(#[from] decisions::DecisionsError),
    #[error(transparent)]
    Dns(#[from] dns::DnsSetupError),
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    File(#[from] files::FileError),
    #[error(transparent)]
    Https(#[from] https::HttpsSetupError),
    #[error(transparent)]
    Located(#[from] crate::yaml::Located),
    #[error(transparent)]
    Registers(#[from] registers::RegistersError),
    #[error("the roots in the CA file cannot be used: {0}")]
    Roots(NotObserved),
    #[error(transparent)]
    Unfinished(#[from] UnfinishedError),
}

/// Collects what the request names and writes the evidence.
pub async fn collect(request: &Request<'_>) -> Result<Collected, CollectError> {
    let run = Run::prepare(request)?;
    let deadline = request.network.deadline;
    let interrupted = tokio::select! {
        result = tokio::time::timeout(deadline, run.everything()) => {
            if result.is_err() {
                let what = format!("the deadline of {} for the whole run (--deadline)", in_words(deadline));
                run.give_up(&NotObserved::Limit { what });
            }
            false
        }
        _ = tokio::signal::ctrl_c() => {
            run.give_up(&NotObserved::Interrupted);
            true
        }
    };
    run.finish(interrupted)
}

fn in_words(length: Duration) -> String {
    match length.as_secs() {
        0 => format!("{} ms", length.as_millis()),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// Everything learned so far, and what is still owed.
struct State {
    observations: Vec<Observation>,
    journal: Unfinished,
    /// Observations that stand for units not reached, by unit.
    owed: BTreeMap<String, Vec<Observation>>,
}

struct Run<'r> {
    request: &'r Request<'r>,
    dns: Dns,
    https: Https,
    dialer: Dialer,
    vendors: VendorCatalogue,
    earlier: Earlier,
    /// Selectors that signed, by domain.
    seen: BTreeMap<String, SeenSelectors>,
    state: Mutex<State>,
}

impl<'r> Run<'r> {
    /// Reads what lies in the client's own files, so that a mistake in them costs no question.
    fn prepare(request: &'r Request<'r>) -> Result<Self, CollectError> {
        let now = request.clock.now();
        let writer = Writer::create(request.folder)?;
        drop(writer);
        let declared = &request.scope.declared;
        let mut names: Vec<&str> = declared.domains.iter().map(|domain| domain.name.as_str()).collect();
        names.sort_unstable();
        let mut identity = format!("{} {}", declared.scope_sha256, names.join(" "));
        // What was learned of a sample is no scan of all mail. Of the list of patients nothing is kept, not
        // even its digest.
        if let Some(sample) = request.sample {
            identity.push_str(&format!(" sample {sample}"));
        }
        if request.roster.is_some() {
            identity.push_str(" roster");
        }
        let journal = Unfinished::open(request.folder, &identity, now)?;
        let dialer = Dialer::with_clock(Arc::clone(&request.network), Arc::clone(&request.clock));
        dialer.roots().map_err(CollectError::Roots)?;
        let mail = Self::authentication(request)?;
        let mut by_domain: BTreeMap<String, Vec<&Observation>> = BTreeMap::new();
        for observation in mail.iter().filter(|observation| observation.kind() == SubjectKind::Domain) {
            by_domain.entry(observation.subject.name.clone()).or_default().push(observation);
        }
        let run = Self {
            request,
            seen: by_domain.into_iter().map(|(domain, all)| (domain, seen_selectors(all))).collect(),
            dns: Dns::new(&request.network, Arc::clone(&request.clock))?,
            https: Https::new(&request.network)?,
            dialer,
            vendors: VendorCatalogue::shipped(),
            earlier: request.earlier.map_or_else(Earlier::default, |evidence| {
                Earlier::of(evidence, &request.network.vantage, &plan::test_network(&request.network), now)
            }),
            state: Mutex::new(State { observations: Vec::new(), journal, owed: Default::default() }),
        };
        run.learn(vec![run.declared()]);
        run.learn(mail);
        let (folder, vantage) = (&request.scope.folder, &request.network.vantage);
        if let Some(organization) = &declared.organization {
            run.learn(run.decisions(&organization.name)?.into_iter().collect());
        }
        if let (true, Some(label)) = (run.wants(Area::Answers), &declared.answers) {
            let questionnaire = Questionnaire::built_in()?;
            run.learn(answers::read(folder, label, questionnaire, now, vantage)?);
        }
        if let (true, Some(label)) = (run.wants(Area::Registers), &declared.registers) {
            let key = KeyedReference::new(request.key);
            run.learn(registers::read(folder, label, &key, now, vantage)?);
        }
        Ok(run)
    }

    /// What authenticated mail in the names of the domains, by reports, exports and given mail. It is read
    /// before anything is asked, since it names selectors to ask for.
    fn authentication(request: &Request<'_>) -> Result<Vec<Observation>, CollectError> {
        let declared = &request.scope.declared;
        let domains: BTreeSet<DomainName> = declared.domains.iter().map(|domain| domain.name.clone()).collect();
        let (folder, now, vantage) = (&request.scope.folder, request.clock.now(), request.network.vantage.as_str());
        let mut observations = Vec::new();
        if request.areas.contains(&Area::Reports) {
            for label in &declared.reports {
                observations.extend(reports::read(&folder.join(label), label, &domains, now, vantage)?);
            }
        }
        if request.areas.contains(&Area::Exports) {
            for label in &declared.exports {
                observations.extend(exports::dkim::selectors(&folder.join(label), label, &domains, now, vantage));
            }
        }
        if request.areas.contains(&Area::Messages) {
            for source in &declared.messages {
                // What cannot be read there is named by the scan of the messages.
                let Ok(mail) = signed_mail::SignedMail::read(&[folder.join(&source.path)]) else { continue };
                observations.extend(mail.observations(&source.path, &domains, now, vantage));
            }
        }
        Ok(observations)
    }

    fn wants(&self, area: Area) -> bool {
        self.request.areas.contains(&area)
    }

    fn learn(&self, observations: Vec<Observation>) {
        self.state.lock().expect("no holder of this lock panics").observations.extend(observations);
    }

    /// What the organization decided, where its folder holds a file that says so.
    fn decisions(&self, organization: &str) -> Result<Option<Observation>, CollectError> {
        let catalog = Catalog::built_in()?;
        let model = Model::built_in(&catalog.checks.keys().map(String::as_str).collect())?;
        let rule = SecurityRule::built_in()?;
        let now = self.request.clock.now();
        let against = decisions::Against { model: &model, rule: &rule, today: date_of(now) };
        let vantage = &self.request.network.vantage;
        Ok(decisions::read(&self.request.scope.folder, organization, against, now, vantage)?)
    }

    /// The scope itself, so that judging needs nothing else.
    fn declared(&self) -> Observation {
        let mut declared = self.request.scope.declared.clone();
        if let Some(retention) = &mut declared.retention {
            let key = KeyedReference::new(self.request.key);
            let of = |mailbox: &String| (mailbox.clone(), exports::reference(mailbox, &key));
            retention.record_references = retention.record_mailboxes.iter().map(of).collect();
        }
        let name = declared.organization.as_ref().map_or("unnamed", |organization| organization.name.as_str());
        Observation {
            subject: SubjectId::new(SubjectKind::Organization, name),
            source: Source::Declared,
            question: Question::Declared,
            asked_at: self.request.clock.now(),
            took_ms: 0,
            vantage: self.request.network.vantage.clone(),
            answer: Ok(Answer::Declared(Box::new(declared))),
        }
    }

    async fn everything(&self) {
        tokio::join!(self.network(), self.client_files());
    }

    /// Domains first, since they name the mail hosts; then every service.
    async fn network(&self) {
        let declared = &self.request.scope.declared;
        let mut services = Services::new(&self.request.scope.declared, &self.vendors);
        let asks_dns = self.wants(Area::Dns) || self.wants(Area::Tls);
        if asks_dns {
            let domains = declared.domains.iter().map(|domain| (domain.name.clone(), Some(domain)));
            let partners = declared.partners.iter().map(|partner| (partner.domain.clone(), None));
            let all: Vec<_> = domains.chain(partners).collect();
            (self.request.progress)(Progress::Planned(all.len()));
            for (name, declared) in &all {
                let kind = if declared.is_some() { SubjectKind::Domain } else { SubjectKind::Partner };
                self.owe(&format!("{kind} {name}"), SubjectId::new(kind, name.as_str()));
            }
            let asked = stream::iter(all).map(|(name, declared)| async move {
                let asked = self.domain(&name, declared).await;
                (declared.is_none(), name, asked.mail_hosts, asked.policy_host, asked.client_services)
            });
            let mut asked: Vec<_> = asked.buffer_unordered(DOMAINS_AT_ONCE).collect().await;
            // What a service is for does not depend on which domain answered first.
            asked.sort();
            for (partner, _, mail_hosts, policy_host, client_services) in asked {
                if partner {
                    services.add_partner_hosts(mail_hosts);
                } else {
                    services.add_mail_hosts(mail_hosts);
                    services.add_policy_host(policy_host);
                    services.add_client_services(client_services);
                }
            }
        }
        if self.wants(Area::Tls) {
            let targets = services.into_targets();
            (self.request.progress)(Progress::Planned(targets.len()));
            for target in &targets {
                self.owe(&format!("service {}", target.subject().name), target.subject());
            }
            stream::iter(targets)
                .for_each_concurrent(SERVICES_AT_ONCE, |target| async move { self.service(target).await })
                .await;
        }
    }

    async fn domain(
        &self,
        name: &DomainName,
        declared: Option<&crate::evidence::declared::DeclaredDomain>,
    ) -> DomainAnswers {
        let kind = if declared.is_some() { SubjectKind::Domain } else { SubjectKind::Partner };
        let unit = format!("{kind} {name}");
        let knows = self.known(&unit);
        let answers = match declared {
            Some(declared) => {
                let nothing = SeenSelectors::new();
                let seen = self.seen.get(name.as_str()).unwrap_or(&nothing);
                domain::ask(&self.dns, &self.https, declared, seen, &self.vendors, &knows).await
            }
            None => domain::ask_partner(&self.dns, &self.https, name, &knows).await,
        };
        self.keep(&unit, &answers.observations);
        answers
    }

    async fn service(&self, mut target: ServiceTarget) {
        let unit = format!("service {}", target.subject().name);
        let mut observations = self.known(&unit);
        if observations.is_empty() {
            observations = self.earlier.answers(&target, plan::mode(&target)).to_vec();
        }
        if observations.is_empty() {
            let started = Instant::now();
            observations = match self.addresses(&target).await {
                Ok(addresses) => {
                    target.addresses = addresses;
                    service::probe(&self.dialer, &target, plan::mode(&target)).await
                }
                Err(reason) => vec![self.not_asked(&target.subject(), reason, started.elapsed())],
            };
        }
        self.keep(&unit, &observations);
    }

    async fn addresses(&self, target: &ServiceTarget) -> Result<Vec<IpAddr>, NotObserved> {
        if self.request.network.offline {
            return Err(NotObserved::NotInScope { what: "any network (--offline)".to_owned() });
        }
        let host: DomainName =
            target.host.parse().map_err(|error| NotObserved::NotInScope { what: format!("{error}") })?;
        self.dns.addresses(&host).await
    }

    /// Exports and mail, one after the other on a thread of their own.
    async fn client_files(&self) {
        let scope = self.request.scope;
        let (now, vantage) = (self.request.clock.now(), self.request.network.vantage.clone());
        if self.wants(Area::Exports) && !scope.declared.exports.is_empty() {
            let unit = "exports".to_owned();
            (self.request.progress)(Progress::Planned(1));
            self.owe(&unit, SubjectId::new(SubjectKind::ExportFile, "all"));
            // Not journaled: reading the files again is quicker than keeping what they held.
            let labels = scope.declared.exports.clone();
            let paths: Vec<_> = labels.iter().map(|label| scope.folder.join(label)).collect();
            let key = KeyedReference::new(self.request.key);
            let vantage = vantage.clone();
            let own = scope.declared.domains.iter().map(|domain| domain.name.clone()).collect();
            let read = tokio::task::spawn_blocking(move || exports::read(&paths, &labels, &own, &key, now, &vantage));
            // A reader that panicked leaves its unit owed, and the evidence says so.
            let Ok(observations) = read.await else { return };
            let mut state = self.state.lock().expect("no holder of this lock panics");
            state.observations.extend(observations);
            state.owed.remove(&unit);
            drop(state);
            (self.request.progress)(Progress::Finished(&unit));
        }
        if self.wants(Area::Messages) && !scope.declared.messages.is_empty() {
            let unit = "messages".to_owned();
            (self.request.progress)(Progress::Planned(1));
            self.owe(&unit, SubjectId::new(SubjectKind::ContentFolder, "all"));
            // Another list of patients may be given now.
            let mut observations = if self.request.roster.is_some() { Vec::new() } else { self.known(&unit) };
            if observations.is_empty() {
                let sources = plan::mail_sources(scope);
                let options = messages::ScanOptions {
                    key: messages::ScanKey::from_secret(self.request.key),
                    message_key: None,
                    now,
                    vantage,
                    traced: plan::traced(&scope.declared),
                    own_domains: scope.declared.domains.iter().map(|domain| domain.name.clone()).collect(),
                    roster: self.request.roster.clone(),
                    pdf: self.request.pdf.clone(),
                    sample: self.request.sample,
                };
                let read = tokio::task::spawn_blocking(move || messages::scan(sources, &options).observations);
                // A reader that panicked leaves its unit owed, and the evidence says so.
                let Ok(read) = read.await else { return };
                observations = read;
            }
            self.keep(&unit, &observations);
        }
    }

    /// What an earlier start of this run had learned of a unit; empty where it was not reached.
    fn known(&self, unit: &str) -> Vec<Observation> {
        self.state.lock().expect("no holder of this lock panics").journal.done(unit).unwrap_or_default().to_vec()
    }

    fn keep(&self, unit: &str, observations: &[Observation]) {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        // The journal only saves asking again; the run does not end for it.
        if let Err(error) = state.journal.keep(unit, observations) {
            tracing::warn!("{error}");
        }
        state.observations.extend_from_slice(observations);
        state.owed.remove(unit);
        drop(state);
        (self.request.progress)(Progress::Finished(unit));
    }

    /// Notes a unit that is to be asked: if it is never reached, its subject still stands in the
    /// evidence, with the reason.
    fn owe(&self, unit: &str, subject: SubjectId) {
        let placeholder = self.not_asked(&subject, NotObserved::Interrupted, Duration::ZERO);
        self.state.lock().expect("no holder of this lock panics").owed.insert(unit.to_owned(), vec![placeholder]);
    }

    fn not_asked(&self, subject: &SubjectId, reason: NotObserved, took: Duration) -> Observation {
        let port = subject.name.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        let (source, question) = match subject.kind {
            SubjectKind::Domain => {
                (Source::Dns, Question::Dns { name: subject.name.clone(), record_type: "MX".to_owned() })
            }
            // A partner's domain, not one of its mail hosts: no domain name holds a colon.
            SubjectKind::Partner if port.is_none() => {
                (Source::Dns, Question::Dns { name: subject.name.clone(), record_type: "MX".to_owned() })
            }
            SubjectKind::Endpoint | SubjectKind::Partner => {
                let port = port.unwrap_or(0);
                let role = if subject.kind == SubjectKind::Partner {
                    service::Role::PartnerExchange
                } else {
                    service::Role::for_port(port)
                };
                let question = Question::Endpoint {
                    port,
                    starttls: service::StartTls::for_port(port).as_str().to_owned(),
                    address: String::new(),
                    role: role.as_str().to_owned(),
                    operated_by: "unknown".to_owned(),
                };
                (Source::Service, question)
            }
            SubjectKind::ContentFolder => (Source::Content, Question::ContentFile { label: subject.name.clone() }),
            SubjectKind::ExportFile => (Source::Export, Question::ExportFile { label: subject.name.clone() }),
            SubjectKind::Attestation
            | SubjectKind::ForwardingPath
            | SubjectKind::ForwardingRule
            | SubjectKind::Mailbox
            | SubjectKind::Organization
            | SubjectKind::Register
            | SubjectKind::Tenant
            | SubjectKind::Vendor => (Source::Declared, Question::Declared),
        };
        Observation {
            subject: subject.clone(),
            source,
            question,
            asked_at: self.request.clock.now(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            vantage: self.request.network.vantage.clone(),
            answer: Err(reason),
        }
    }

    /// Turns everything still owed into observations with a reason.
    fn give_up(&self, reason: &NotObserved) {
        let mut state = self.state.lock().expect("no holder of this lock panics");
        let owed = std::mem::take(&mut state.owed);
        for mut observation in owed.into_values().flatten() {
            observation.answer = Err(reason.clone());
            state.observations.push(observation);
        }
    }

    fn finish(self, interrupted: bool) -> Result<Collected, CollectError> {
        let state = self.state.into_inner().expect("no holder of this lock panics");
        let declared = &self.request.scope.declared;
        let network = &self.request.network;
        let manifest = Manifest {
            schema: 1,
            kind: "evidence".to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            scope_sha256: declared.scope_sha256.clone(),
            vantage: Vantage {
                label: network.vantage.clone(),
                resolvers: self.dns.servers().iter().map(ToString::to_string).collect(),
                port_25_reachable: plan::port_25_reachable(&state.observations),
                test_network: plan::test_network(network),
            },
            started_at: state.journal.started_at,
            as_of: self.request.clock.now(),
            complete: !interrupted,
            segments: Vec::new(),
        };
        let writer = Writer::create(self.request.folder)?;
        let evidence = writer.finish(state.observations, manifest)?;
        if !interrupted {
            state.journal.remove()?;
        }
        Ok(Collected { evidence, interrupted })
    }
}
