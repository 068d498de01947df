//! Asks DNS. Every answer is kept as the bytes that came, with the server and what DNSSEC says.
//!
//! NXDOMAIN and an empty answer are answers. SERVFAIL, REFUSED and silence are not: they say that
//! we do not know. Names are always asked whole, never with a search list, and no hosts file is
//! read.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_proto::dnssec::{Proof, TrustAnchors};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use super::network::NetworkOptions;
use crate::clock::Clock;
use crate::evidence::network::DnsAnswer;
use crate::evidence::{Answer, Observation, Question, ReceivedBytes, Source};
use crate::files;
use crate::names::{DomainName, SubjectId};
use crate::records::dns_message::{DnsQuestion, Dnssec, Rdata, RecordKind, Response};
use crate::records::domain::ANSWERED;
use crate::seen::NotObserved;

mod exchange;
mod kept;
use exchange::{Exchange, Received};
use kept::Kept;

/// Questions under way at once, over the whole run.
const MAX_IN_FLIGHT: usize = 128;
/// Each server is asked this often before the next one is.
const ATTEMPTS: u32 = 2;
/// The longest one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);
/// The largest trust anchor file read.
const ANCHOR_BYTES: u64 = 1024 * 1024;

/// Why DNS cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum DnsSetupError {
    #[error(transparent)]
    File(#[from] files::FileError),
    #[error("the trust anchor file {path} cannot be read: {why}; it must hold DNSKEY records")]
    TrustAnchor { path: String, why: String },
    #[error("the system's resolvers cannot be found ({why}); name one with --resolver")]
    NoResolver { why: String },
}

struct Server {
    address: SocketAddr,
    exchange: Exchange,
    /// Own validation, with the trust anchors the user gave.
    validator: Option<DnssecDnsHandle<Exchange>>,
    /// Whether the server itself validates: it vouches for the root zone.
    vouches: OnceCell<bool>,
}

/// Asks recursive resolvers.
pub struct Dns {
    servers: Vec<Server>,
    in_flight: Semaphore,
    kept: Mutex<Kept>,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    attempt: Duration,
    vantage: String,
    offline: bool,
}

impl std::fmt::Debug for Dns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dns").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

impl Dns {
    /// Prepares to ask; nothing is sent yet. Own validation is on where a trust anchor was given,
    /// else the resolver's word counts.
    pub fn new(options: &NetworkOptions, clock: Arc<dyn Clock>) -> Result<Self, DnsSetupError> {
        let anchors = match &options.trust_anchor {
            None => None,
            Some(path) => {
                let text = files::read_text(path, ANCHOR_BYTES)?;
                let refuse = |why: String| DnsSetupError::TrustAnchor {
                    path: crate::text::visible(&path.display().to_string()),
                    why,
                };
                let anchors: TrustAnchors = text.parse().map_err(|error| refuse(format!("{error}")))?;
                if anchors.is_empty() {
                    return Err(refuse("it holds no key of the root zone".to_owned()));
                }
                Some(Arc::new(anchors))
            }
        };
        let addresses = match options.resolvers.as_slice() {
            [] if options.offline => Vec::new(),
            [] => system_resolvers()?,
            given => given.to_vec(),
        };
        let attempt = ATTEMPT.min(options.dns_deadline / 2);
        let servers = addresses
            .into_iter()
            .map(|address| {
                let exchange = Exchange::new(address, attempt);
                let validator = anchors
                    .as_ref()
                    .map(|anchors| DnssecDnsHandle::with_trust_anchor(exchange.clone(), anchors.clone()));
                Server { address, exchange, validator, vouches: OnceCell::new() }
            })
            .collect();
        Ok(Self {
            servers,
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            kept: Mutex::default(),
            clock,
            deadline: options.dns_deadline,
            attempt,
            vantage: options.vantage.clone(),
            offline: options.offline,
        })
    }

    /// The servers asked, in order.
    pub fn servers(&self) -> Vec<SocketAddr> {
        self.servers.iter().map(|server| server.address).collect()
    }

    /// The run's clock, for others who make observations beside DNS.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The vantage label.
    pub fn vantage(&self) -> &str {
        &self.vantage
    }

    /// Asks one question about a subject.
    pub async fn query(&self, subject: &SubjectId, question: &DnsQuestion) -> Observation {
        let asked_at = self.clock.now();
        let started = Instant::now();
        let answer = self.answer(question, kept::is_shared(subject, question)).await.map(Answer::Dns);
        Observation {
            subject: subject.clone(),
            source: Source::Dns,
            question: question_of(question),
            asked_at,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            vantage: self.vantage.clone(),
            answer,
        }
    }

    /// An observation of a question that was not put.
    pub fn not_asked(&self, subject: &SubjectId, question: &DnsQuestion, because: NotObserved) -> Observation {
        Observation {
            subject: subject.clone(),
            source: Source::Dns,
            question: question_of(question),
            asked_at: self.clock.now(),
            took_ms: 0,
            vantage: self.vantage.clone(),
            answer: Err(because),
        }
    }

    /// The addresses of a host, IPv4 first; empty where it has none. A failure of one family is a
    /// failure only if the other brought nothing.
    pub async fn addresses(&self, host: &DomainName) -> Result<Vec<IpAddr>, NotObserved> {
        let ask = async |kind| {
            let question = DnsQuestion { name: host.clone(), kind };
            let answer = self.answer(&question, true).await?;
            Response::read(&answer.message.0, &question)
                .map_err(|error| NotObserved::Unreadable { why: error.to_string(), line: None })
        };
        let mut found = Vec::new();
        let mut failure = None;
        for told in [ask(RecordKind::A).await, ask(RecordKind::Aaaa).await] {
            match told {
                Ok(response) => found.extend(response.data.iter().filter_map(|record| match record {
                    Rdata::A(address) => Some(IpAddr::V4(*address)),
                    Rdata::Aaaa(address) => Some(IpAddr::V6(*address)),
                    Rdata::Caa(_)
                    | Rdata::Mx { .. }
                    | Rdata::Other
                    | Rdata::Srv { .. }
                    | Rdata::Tlsa(_)
                    | Rdata::Txt(_) => None,
                })),
                Err(reason) => failure = failure.or(Some(reason)),
            }
        }
        match failure {
            Some(reason) if found.is_empty() => Err(reason),
            Some(_) | None => Ok(found),
        }
    }

    /// `keep`: whether others may ask the same.
    async fn answer(&self, question: &DnsQuestion, keep: bool) -> Result<DnsAnswer, NotObserved> {
        if self.offline {
            return Err(NotObserved::NotInScope { what: "the network (--offline)".to_owned() });
        }
        if let Some(answer) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(question) {
            return Ok(answer);
        }
        let _turn = self.in_flight.acquire().await.map_err(|_| NotObserved::Interrupted)?;
        let late = NotObserved::TimedOut { after_ms: u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX) };
        let answer = tokio::time::timeout(self.deadline, self.ask_servers(question, &late)).await;
        let answer = answer.unwrap_or(Err(late))?;
        if keep {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(question, &answer);
        }
        Ok(answer)
    }

    /// Asks one server after the other until one answers; silence is tried again.
    async fn ask_servers(&self, question: &DnsQuestion, late: &NotObserved) -> Result<DnsAnswer, NotObserved> {
        let mut failure = None;
        for server in &self.servers {
            for _ in 0..ATTEMPTS {
                match server.ask(question).await {
                    Ok(answer) => return Ok(answer),
                    Err(Failure::Silent) => drop(failure.get_or_insert_with(|| late.clone())),
                    Err(Failure::Other(reason)) => {
                        // A refusal says more than silence.
                        failure = Some(reason);
                        break;
                    }
                }
            }
        }
        Err(failure.unwrap_or_else(|| NotObserved::NotProvided { what: "a resolver".to_owned() }))
    }

    /// How long one attempt may take.
    pub fn attempt(&self) -> Duration {
        self.attempt
    }
}

fn question_of(question: &DnsQuestion) -> Question {
    Question::Dns { name: question.name.to_string(), record_type: question.kind.as_str().to_owned() }
}

fn system_resolvers() -> Result<Vec<SocketAddr>, DnsSetupError> {
    let no_resolver = |why: String| DnsSetupError::NoResolver { why };
    let (config, _) =
        hickory_resolver::system_conf::read_system_conf().map_err(|error| no_resolver(error.to_string()))?;
    let servers: Vec<SocketAddr> = config
        .name_servers()
        .iter()
        .map(|server| SocketAddr::new(server.ip, server.connections.first().map_or(53, |connection| connection.port)))
        .collect();
    if servers.is_empty() { Err(no_resolver("the system names none".to_owned())) } else { Ok(servers) }
}

/// Why one attempt brought nothing.
enum Failure {
    Other(NotObserved),
    Silent,
}

impl Server {
    async fn ask(&self, question: &DnsQuestion) -> Result<DnsAnswer, Failure> {
        let record_type = match question.kind {
            RecordKind::A => RecordType::A,
            RecordKind::Aaaa => RecordType::AAAA,
            RecordKind::Caa => RecordType::CAA,
            RecordKind::Cname => RecordType::CNAME,
            RecordKind::Dnskey => RecordType::DNSKEY,
            RecordKind::Mx => RecordType::MX,
            RecordKind::Soa => RecordType::SOA,
            RecordKind::Srv => RecordType::SRV,
            RecordKind::Tlsa => RecordType::TLSA,
            RecordKind::Txt => RecordType::TXT,
        };
        let name = Name::from_ascii(question.name.fully_qualified())
            .map_err(|error| Failure::Other(NotObserved::Unreadable { why: error.to_string(), line: None }))?;
        let watch = self.exchange.watch(&name, record_type);
        let query = Query::query(name, record_type);
        let (answer, own) = match &self.validator {
            None => (self.exchange.ask(request(query.clone(), false)).await, None),
            Some(validator) => match validated(validator, &query).await {
                // A lost packet on the way to a key looks like a broken signature, so bogus is
                // believed only when it is found twice.
                (Ok(_), Some(Proof::Bogus)) => validated(validator, &query).await,
                found => found,
            },
        };
        let transport = watch.transport();
        match answer {
            Ok(received) => match received.code {
                ResponseCode::NoError | ResponseCode::NXDomain => {
                    let dnssec = self.dnssec(own, received.authentic).await;
                    Ok(self.kept(received.code, dnssec, transport, received.bytes))
                }
                code => self.refused(code, question, query, transport).await,
            },
            Err(NetError::Dns(DnsError::ResponseCode(code))) => self.refused(code, question, query, transport).await,
            Err(NetError::Timeout) => Err(Failure::Silent),
            Err(NetError::Io(error)) if error.kind() == std::io::ErrorKind::TimedOut => Err(Failure::Silent),
            Err(NetError::Io(error)) => {
                Err(Failure::Other(NotObserved::Refused { what: format!("{}: {}", self.address, error.kind()) }))
            }
            Err(error) => {
                Err(Failure::Other(NotObserved::Unreadable { why: format!("{}: {error}", self.address), line: None }))
            }
        }
    }

    /// A resolver that validates hides bogus data behind SERVFAIL. Asking again with checking
    /// disabled (RFC 4035 §3.2.2) tells bogus from broken; once a domain is enough.
    async fn refused(
        &self,
        code: ResponseCode,
        question: &DnsQuestion,
        query: Query,
        transport: &str,
    ) -> Result<DnsAnswer, Failure> {
        if code == ResponseCode::ServFail
            && question.kind == RecordKind::Soa
            && let Ok(unchecked) = self.exchange.ask(request(query, true)).await
            && matches!(unchecked.code, ResponseCode::NoError | ResponseCode::NXDomain)
        {
            return Ok(self.kept(unchecked.code, Dnssec::Bogus, transport, unchecked.bytes));
        }
        let what = format!("{}{ANSWERED}{}", self.address, mnemonic(code));
        Err(Failure::Other(NotObserved::Refused { what }))
    }

    fn kept(&self, code: ResponseCode, dnssec: Dnssec, transport: &str, bytes: Vec<u8>) -> DnsAnswer {
        DnsAnswer {
            server: self.address.to_string(),
            transport: transport.to_owned(),
            rcode: mnemonic(code),
            dnssec: dnssec.as_str().to_owned(),
            message: ReceivedBytes(bytes),
        }
    }

    /// Joins our own proof with the resolver's word (the AD bit). Where the two contradict each
    /// other nothing is claimed.
    async fn dnssec(&self, own: Option<Proof>, vouched: bool) -> Dnssec {
        match (own, vouched) {
            (Some(Proof::Secure), _) | (None | Some(Proof::Indeterminate), true) => Dnssec::Secure,
            (Some(Proof::Insecure | Proof::Bogus), true) => Dnssec::Indeterminate,
            (Some(Proof::Insecure), false) => Dnssec::Insecure,
            // A resolver that validates would have hidden bogus data: it found none.
            (Some(Proof::Bogus), false) if self.vouches().await => Dnssec::Indeterminate,
            (Some(Proof::Bogus), false) => Dnssec::Bogus,
            (Some(Proof::Indeterminate), false) => Dnssec::Indeterminate,
            (None, false) if self.vouches().await => Dnssec::Insecure,
            (None, false) => Dnssec::Indeterminate,
        }
    }

    /// Only a resolver that vouches for the root says anything by not vouching for a name.
    async fn vouches(&self) -> bool {
        let asked = self.vouches.get_or_try_init(async || {
            let query = Query::query(Name::root(), RecordType::SOA);
            let received = self.exchange.ask(request(query, false)).await?;
            Ok::<bool, NetError>(received.authentic)
        });
        asked.await.copied().unwrap_or(false)
    }
}

/// One validated lookup: the response, and what our own validation says of it.
async fn validated(
    validator: &DnssecDnsHandle<Exchange>,
    query: &Query,
) -> (Result<Received, NetError>, Option<Proof>) {
    let received = |response: DnsResponse| Received {
        code: response.metadata.response_code,
        authentic: response.metadata.authentic_data,
        bytes: response.into_buffer(),
    };
    match validator.lookup(query.clone(), DnsRequestOptions::default()).first_answer().await {
        Ok(response) => {
            let proof = proof_of(&response);
            (Ok(received(response)), Some(proof))
        }
        Err(NetError::Dns(DnsError::Nsec { response, proof, .. })) => (Ok(received(*response)), Some(proof)),
        Err(error) => (Err(error), None),
    }
}

/// A request that asks the resolver to say whether it checked the answer (RFC 6840 §5.7).
fn request(query: Query, checking_disabled: bool) -> DnsRequest {
    let mut request = DnsRequest::from_query(query, DnsRequestOptions::default());
    request.metadata.authentic_data = true;
    request.metadata.checking_disabled = checking_disabled;
    request
}

/// The worst proof among the answers; for an empty answer, among the records that prove it.
fn proof_of(response: &DnsResponse) -> Proof {
    let rank = |proof: Proof| match proof {
        Proof::Bogus => 0,
        Proof::Indeterminate => 1,
        Proof::Insecure => 2,
        Proof::Secure => 3,
    };
    let records = if response.answers.is_empty() { &response.authorities } else { &response.answers };
    records
        .iter()
        .filter(|record| record.record_type() != RecordType::RRSIG)
        .map(|record| record.proof)
        .min_by_key(|proof| rank(*proof))
        .unwrap_or(Proof::Indeterminate)
}

fn mnemonic(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => format!("RCODE {}", u16::from(other)),
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
pub(crate) mod tests;
