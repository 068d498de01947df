//! Asks one mail or web service at one host and port: its dialogue before TLS, and its TLS.
//!
//! Each look is bounded: one deadline over all connections to an address, politeness in
//! [`dial`](super::dial). What was learned before a deadline is kept; what was not asked is unknown,
//! never "not offered".

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::dial::{Connection, Dialer, Ended};
use super::tls::ask::{Asker, Learned, Route};
use super::tls::enumerate::enumerate;
use super::{imap, pop3, sieve, smtp};
use crate::evidence::endpoint::{Dialogue, EndpointAnswer, Handshake, HelloReply, State};
use crate::evidence::{Answer, Observation, Question, ReceivedBytes, Source};
use crate::names::{SubjectId, SubjectKind};
use crate::records::certificate_trust::Roots;
use crate::records::tls_picture::picture;
use crate::seen::NotObserved;

pub use super::tls::enumerate::Mode;

/// How TLS begins on a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartTls {
    Imap,
    /// TLS from the first byte.
    None,
    Pop3,
    /// ManageSieve.
    Sieve,
    Smtp,
}

impl StartTls {
    /// How TLS begins on a port, by its registration.
    pub const fn for_port(port: u16) -> Self {
        match port {
            25 | 587 | 2525 => Self::Smtp,
            110 => Self::Pop3,
            143 => Self::Imap,
            4190 => Self::Sieve,
            _ => Self::None,
        }
    }

    /// The word of the command line and the evidence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::None => "none",
            Self::Pop3 => "pop3",
            Self::Sieve => "sieve",
            Self::Smtp => "smtp",
        }
    }

    /// The way with a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Imap, Self::None, Self::Pop3, Self::Sieve, Self::Smtp].into_iter().find(|way| way.as_str() == word)
    }

    /// What is said on leaving.
    pub(super) const fn last_word(self) -> &'static [u8] {
        match self {
            Self::Imap => b"z9 LOGOUT\r\n",
            Self::None => b"",
            Self::Pop3 | Self::Smtp => b"QUIT\r\n",
            Self::Sieve => b"LOGOUT\r\n",
        }
    }

    /// What is spoken inside TLS; where TLS begins at once the port's registration says it.
    pub(super) const fn inside(self, port: u16) -> Self {
        match (self, port) {
            (Self::None, 465) => Self::Smtp,
            (Self::None, 993) => Self::Imap,
            (Self::None, 995) => Self::Pop3,
            (Self::Imap | Self::None | Self::Pop3 | Self::Sieve | Self::Smtp, _) => self,
        }
    }

    /// A command that changes nothing, for the injection probe. ManageSieve speaks unasked after TLS,
    /// so that nothing could be told there.
    pub(super) const fn harmless_command(self) -> Option<&'static str> {
        match self {
            Self::Imap => Some("z1 NOOP\r\n"),
            Self::None | Self::Sieve => None,
            Self::Pop3 => Some("CAPA\r\n"),
            Self::Smtp => Some("NOOP\r\n"),
        }
    }

    pub(super) async fn begin(
        self,
        connection: &mut Connection,
        ehlo: &str,
        dialogue: &mut Dialogue,
        behind: &str,
    ) -> Result<(), Stop> {
        match self {
            Self::Imap => imap::begin_tls(connection, dialogue, behind).await,
            Self::None => Ok(()),
            Self::Pop3 => pop3::begin_tls(connection, dialogue, behind).await,
            Self::Sieve => sieve::begin_tls(connection, dialogue).await,
            Self::Smtp => smtp::begin_tls(connection, ehlo, dialogue, behind).await,
        }
    }
}

/// What a service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    MailExchange,
    MailboxAccess,
    /// Takes the mail of a partner: looked at as a sender does, judged only for the partner.
    PartnerExchange,
    /// The host of an MTA-STS policy.
    PolicyHost,
    Submission,
    Web,
}

impl Role {
    /// The word in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MailExchange => "mail-exchange",
            Self::MailboxAccess => "mailbox-access",
            Self::PartnerExchange => "partner-exchange",
            Self::PolicyHost => "policy-host",
            Self::Submission => "submission",
            Self::Web => "web",
        }
    }

    /// What a port is for, where nothing else says so.
    pub const fn for_port(port: u16) -> Self {
        match port {
            25 => Self::MailExchange,
            465 | 587 | 2525 => Self::Submission,
            110 | 143 | 993 | 995 | 4190 => Self::MailboxAccess,
            _ => Self::Web,
        }
    }
}

/// One service to ask, its addresses already found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    /// The name (or an address as text) that the subject is named by.
    pub host: String,
    /// Its addresses; empty where the name gave none.
    pub addresses: Vec<IpAddr>,
    pub port: u16,
    pub starttls: StartTls,
    /// The name for SNI and for matching certificates; usually the host.
    pub server_name: String,
    pub role: Role,
    /// `us`, a vendor id, or `unknown`.
    pub operated_by: String,
    /// Whether probes that send more than questions are permitted (the injection probe).
    pub active_probes: bool,
    /// How thoroughly to look, where the scope says it.
    pub mode: Option<Mode>,
}

impl ServiceTarget {
    /// A service as its port has it, operated by nobody known.
    pub fn new(host: impl Into<String>, addresses: Vec<IpAddr>, port: u16) -> Self {
        let host = host.into();
        Self {
            server_name: host.clone(),
            host,
            addresses,
            port,
            starttls: StartTls::for_port(port),
            role: Role::for_port(port),
            operated_by: "unknown".to_owned(),
            active_probes: false,
            mode: None,
        }
    }

    /// Whether somebody else runs it, as far as is known: a partner, or a vendor.
    fn is_run_by_others(&self) -> bool {
        self.role == Role::PartnerExchange || !matches!(self.operated_by.as_str(), "unknown" | "us")
    }

    /// The subject it is judged as: `host:port`. A partner's host is no endpoint of the organization.
    pub fn subject(&self) -> SubjectId {
        let host = self.host.trim_end_matches('.').to_ascii_lowercase();
        let name = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{}", self.port)
        } else {
            format!("{host}:{}", self.port)
        };
        let kind = match self.role {
            Role::PartnerExchange => SubjectKind::Partner,
            Role::MailExchange | Role::MailboxAccess | Role::PolicyHost | Role::Submission | Role::Web => {
                SubjectKind::Endpoint
            }
        };
        SubjectId::new(kind, name)
    }
}

/// Why a dialogue did not come to TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The connection ended before the service said a word.
    BeforeGreeting(Ended),
    /// The connection ended later.
    Ended(Ended),
    NotObserved(NotObserved),
    /// What answers does not speak the protocol asked for.
    OtherProtocol,
    /// The service said how it stands.
    Settled(State),
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl Stop {
    fn as_state(&self) -> State {
        match self {
            Self::BeforeGreeting(ended) | Self::Ended(ended) => match ended {
                Ended::Limit(_) => State::Limit,
                Ended::TimedOut { .. } => State::Timeout,
                Ended::Closed | Ended::Reset => State::Unreachable,
            },
            Self::NotObserved(reason) => State::of_reason(reason),
            Self::OtherProtocol => State::NotTls,
            Self::Settled(state) => *state,
        }
    }

    fn as_reason(&self) -> NotObserved {
        match self {
            Self::BeforeGreeting(ended) | Self::Ended(ended) => ended.clone().into(),
            Self::NotObserved(reason) => reason.clone(),
            Self::OtherProtocol => {
                NotObserved::Unreadable { why: "it does not speak the protocol of the port".to_owned(), line: None }
            }
            Self::Settled(state) => NotObserved::Refused { what: format!("the service answered {}", state.as_str()) },
        }
    }
}

/// Reads one line and keeps it with those before it, however far it came.
pub(super) async fn keep_line(
    connection: &mut Connection,
    limit: usize,
    keep: &mut Option<ReceivedBytes>,
) -> Result<Vec<u8>, Stop> {
    match connection.read_line(limit).await {
        Ok(line) => {
            keep.get_or_insert_default().0.extend_from_slice(&line);
            Ok(line)
        }
        Err(ended) => {
            let rest = connection.unread();
            if !rest.is_empty() {
                keep.get_or_insert_default().0.extend_from_slice(&rest[..rest.len().min(512)]);
            }
            Err(Stop::Ended(ended))
        }
    }
}

/// Connections to one address of a host that the organization runs.
const MAX_CONNECTIONS: u32 = 400;
/// Connections to a host that others run.
const MAX_CONNECTIONS_TO_OTHERS: u32 = 16;
/// A host's addresses beyond this many are not asked.
const MAX_ADDRESSES: usize = 8;

/// Asks a service of the organization at each of its addresses. What others run is asked at the first
/// address that answers, with no more connections than a guest may open.
pub async fn probe(dialer: &Dialer, target: &ServiceTarget, mode: Mode) -> Vec<Observation> {
    if !target.is_run_by_others() {
        return probe_each(dialer, target, mode).await;
    }
    let mut addresses = addresses(dialer, target);
    let mut at_most = MAX_CONNECTIONS_TO_OTHERS;
    let mut seen = Vec::new();
    while !addresses.is_empty() && at_most > 0 {
        let address = addresses.remove(0);
        let (mut observation, opened) = probe_address(dialer, target, address, mode, at_most).await;
        at_most = at_most.saturating_sub(opened);
        let rest = std::mem::take(&mut addresses);
        match &mut observation.answer {
            Ok(Answer::Endpoint(answer)) => {
                answer.addresses_not_asked = rest.iter().map(IpAddr::to_string).collect();
            }
            Ok(_) | Err(_) => addresses = rest,
        }
        seen.push(observation);
    }
    if seen.is_empty() { vec![unresolved(dialer, target)] } else { seen }
}

/// Asks a service at each of its addresses, whoever runs it, and gives one observation for each, in their
/// order.
pub async fn probe_each(dialer: &Dialer, target: &ServiceTarget, mode: Mode) -> Vec<Observation> {
    let addresses = addresses(dialer, target);
    if addresses.is_empty() {
        return vec![unresolved(dialer, target)];
    }
    let (asked, rest) = addresses.split_at(addresses.len().min(MAX_ADDRESSES));
    let asked = asked.iter().map(|&address| probe_address(dialer, target, address, mode, MAX_CONNECTIONS));
    let mut seen: Vec<Observation> =
        futures_util::future::join_all(asked).await.into_iter().map(|(observation, _)| observation).collect();
    for observation in &mut seen {
        if let Ok(Answer::Endpoint(answer)) = &mut observation.answer {
            answer.addresses_not_asked = rest.iter().map(IpAddr::to_string).collect();
        }
    }
    seen
}

/// The addresses to ask: where connections are redirected there is one.
fn addresses(dialer: &Dialer, target: &ServiceTarget) -> Vec<IpAddr> {
    if let Some(to) = dialer.redirected(&target.host, target.port) {
        return vec![to.ip()];
    }
    let mut addresses = target.addresses.clone();
    addresses.dedup();
    if addresses.is_empty() {
        addresses.extend(target.host.trim_matches(['[', ']']).parse::<IpAddr>());
    }
    addresses
}

fn unresolved(dialer: &Dialer, target: &ServiceTarget) -> Observation {
    let reason = NotObserved::NotProvided { what: format!("an address of {}", crate::text::visible(&target.host)) };
    observation(dialer, target, None, dialer.clock().now(), Duration::ZERO, Err(reason))
}

fn observation(
    dialer: &Dialer,
    target: &ServiceTarget,
    address: Option<IpAddr>,
    asked_at: jiff::Timestamp,
    took: Duration,
    answer: Result<EndpointAnswer, NotObserved>,
) -> Observation {
    Observation {
        subject: target.subject(),
        source: Source::Service,
        question: Question::Endpoint {
            port: target.port,
            starttls: target.starttls.as_str().to_owned(),
            address: address.map(|address| address.to_string()).unwrap_or_default(),
            role: target.role.as_str().to_owned(),
            operated_by: target.operated_by.clone(),
        },
        asked_at,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        vantage: dialer.options().vantage.clone(),
        answer: answer.map(|answer| Answer::Endpoint(Box::new(answer))),
    }
}

/// Asks at one address, and says how many connections that took.
async fn probe_address(
    dialer: &Dialer,
    target: &ServiceTarget,
    address: IpAddr,
    mode: Mode,
    at_most: u32,
) -> (Observation, u32) {
    let asked_at = dialer.clock().now();
    let begun = Instant::now();
    let (answer, opened) = match dialer.roots() {
        Ok(roots) => {
            let learned = ask_address(dialer, target, address, mode, at_most, begun).await;
            let opened = learned.connections;
            (answer(target, address, mode, learned, roots, asked_at), opened)
        }
        Err(reason) => (Err(reason), 0),
    };
    (observation(dialer, target, Some(address), asked_at, begun.elapsed(), answer), opened)
}

/// What the service shows at one address, with the outcome of the injection probe.
async fn ask_address(
    dialer: &Dialer,
    target: &ServiceTarget,
    address: IpAddr,
    mode: Mode,
    at_most: u32,
    begun: Instant,
) -> Learned {
    let whole = dialer.options().endpoint_deadline.min(dialer.options().deadline);
    let route = Route {
        host: target.host.clone(),
        address,
        port: target.port,
        starttls: target.starttls,
        server_name: target.server_name.clone(),
        deadline: begun + whole,
        at_most,
    };
    let asker = Asker::new(dialer, route);
    let questions = async {
        enumerate(&asker, mode).await;
        let completed = matches!(asker.learned().handshake, Some(Handshake::Completed { .. }));
        if target.active_probes && completed {
            asker.learned().injection = Some("unknown");
            let outcome = asker.injection().await;
            asker.learned().injection = Some(outcome);
        }
    };
    let in_time = tokio::time::timeout_at(begun + whole, questions).await.is_ok();
    let mut learned = asker.into_learned();
    if !in_time {
        let after_ms = u64::try_from(whole.as_millis()).unwrap_or(u64::MAX);
        learned.stopped.get_or_insert(Stop::NotObserved(NotObserved::TimedOut { after_ms }));
    }
    learned
}

fn answer(
    target: &ServiceTarget,
    address: IpAddr,
    mode: Mode,
    mut learned: Learned,
    roots: &Roots,
    asked_at: jiff::Timestamp,
) -> Result<EndpointAnswer, NotObserved> {
    if learned.hellos.is_empty() && learned.dialogue == Dialogue::default() {
        return Err(learned.stopped.map_or(NotObserved::Interrupted, |stop| stop.as_reason()));
    }
    learned.hellos.sort_by_key(|(place, _)| *place);
    let chains: Vec<_> = std::mem::take(&mut learned.chains).into_iter().collect();
    let trust = chains.iter().map(|chain| roots.judge(chain, asked_at)).collect();
    let mut answer = EndpointAnswer {
        address: address.to_string(),
        addresses_not_asked: Vec::new(),
        server_name: target.server_name.trim_end_matches('.').to_owned(),
        starttls: target.starttls.as_str().to_owned(),
        mode: mode.as_str().to_owned(),
        dialogue: std::mem::take(&mut learned.dialogue),
        state: String::new(),
        hellos: std::mem::take(&mut learned.hellos).into_iter().map(|(_, hello)| hello).collect(),
        chains,
        connections: learned.connections,
        trust,
        handshake: learned.handshake.take(),
        inside: learned.inside.take(),
        injection: learned.injection.unwrap_or("not-tested").to_owned(),
        cut_short: learned.stopped.as_ref().map(Stop::as_reason),
    };
    answer.state = state(&answer, &learned, target.starttls).as_str().to_owned();
    Ok(answer)
}

/// How the service stands as a whole.
fn state(answer: &EndpointAnswer, learned: &Learned, starttls: StartTls) -> State {
    if picture(answer).any_accepted() {
        return State::Tls;
    }
    if let Some(stop) = &learned.stopped {
        return stop.as_state();
    }
    let any = |is: fn(&HelloReply) -> bool| answer.hellos.iter().any(|hello| is(&hello.reply));
    let behind_starttls = starttls != StartTls::None;
    if any(|reply| matches!(reply, HelloReply::Alert { .. } | HelloReply::ServerHello { .. })) {
        State::NoTls
    } else if any(|reply| matches!(reply, HelloReply::Garbage { .. })) {
        if behind_starttls { State::StarttlsBroken } else { State::NotTls }
    } else if any(|reply| matches!(reply, HelloReply::TimedOut)) {
        State::Timeout
    } else if behind_starttls {
        State::StarttlsBroken
    } else {
        State::NoTls
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
