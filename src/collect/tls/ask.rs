//! Carries one hello to a service and its reply back, with the dialogue before it, patience and
//! back-off, and keeps everything that was learned on the way.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::handshake::{Open, shake};
use super::hello::{self, Offer};
use crate::collect::dial::{Connection, Dialer, Ended};
use crate::collect::service::{StartTls, Stop};
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::{Dialogue, Handshake, Hello, HelloReply, Inside, State};
use crate::records::server_hello::{
    Flight, FlightFault, FlightReader, ServerHello, Ssl2Progress, read_server_hello, read_ssl2_hello,
};
use crate::records::tls_picture::{Version, is_refusal};
use crate::seen::NotObserved;

/// A banner that did not come in time is waited for this long, once.
const PATIENCE: Duration = Duration::from_secs(60);
/// What was being opened ahead when the questions ended is given this long, to leave politely.
const LAST_MOMENTS: Duration = Duration::from_secs(1);
/// Chains beyond this many are not kept.
const MAX_CHAINS: usize = 8;
/// An SSL 2.0 server hello carries one certificate and is small.
const MAX_SSL2: usize = 32 * 1024;
/// What is kept of bytes that are not TLS.
const KEPT_GARBAGE: usize = 256;

/// Where and how to ask.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub host: String,
    pub address: IpAddr,
    pub port: u16,
    pub starttls: StartTls,
    pub server_name: String,
    /// When the whole look at this endpoint ends.
    pub deadline: Instant,
    /// Connections that may be opened.
    pub at_most: u32,
}

/// The place of a hello in the evidence: its chain of questions and its number in it. Chains run side by
/// side, so the order of answers says nothing.
pub(crate) type Place = (u32, u32);

/// Asks hellos of one address.
pub(crate) struct Asker<'d> {
    dialer: &'d Dialer,
    pub(crate) route: Route,
    learned: Mutex<Learned>,
    warm: tokio::sync::Mutex<Option<mpsc::Receiver<Connection>>>,
}

/// What was learned so far.
#[derive(Default)]
pub(crate) struct Learned {
    pub hellos: Vec<(Place, Hello)>,
    pub chains: BTreeSet<Vec<ReceivedBytes>>,
    pub dialogue: Dialogue,
    pub connections: u32,
    pub handshake: Option<Handshake>,
    pub inside: Option<Inside>,
    /// What came of the injection probe, where it was tried: `unknown`, `vulnerable`, `not-vulnerable`.
    pub injection: Option<&'static str>,
    /// Why no more is asked.
    pub stopped: Option<Stop>,
    /// The control hello's reply: how refusals look here.
    pub style: Option<HelloReply>,
    patient: bool,
    pushed_back: u32,
}

/// What came of a hello.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// Version, suite and group were chosen.
    Chosen(ServerHello),
    /// It could not be asked; the reason is with what was learned.
    Stopped,
    /// Everything offered was clearly refused; with the version itself where that is true.
    Refused { version: bool },
    /// An answer that settles nothing.
    Unclear,
}

impl<'d> Asker<'d> {
    pub fn new(dialer: &'d Dialer, route: Route) -> Self {
        Self { dialer, route, learned: Mutex::default(), warm: tokio::sync::Mutex::default() }
    }

    pub fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn into_learned(self) -> Learned {
        self.learned.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one hello and reads the reply.
    pub async fn ask(&self, place: Place, offer: Offer) -> Asked {
        // Many chains of questions run side by side: in a box each of them stays small.
        Box::pin(self.ask_now(place, offer)).await
    }

    async fn ask_now(&self, place: Place, offer: Offer) -> Asked {
        let Some(connection) = self.ready().await else { return Asked::Stopped };
        let (reply, flight) = exchange(connection, &offer, &self.route.server_name).await;
        let chosen = match &reply {
            HelloReply::ServerHello { bytes } => read_server_hello(&bytes.0),
            HelloReply::Alert { .. }
            | HelloReply::Closed
            | HelloReply::Garbage { .. }
            | HelloReply::Reset
            | HelloReply::TimedOut => None,
        };
        let wire = offer.version.wire();
        let hello = Hello {
            version: wire,
            suites: offer.suites,
            groups: offer.groups,
            beside: offer.beside,
            signatures: offer.signatures,
            asks_certificate: flight.asks_certificate,
            reply,
            key_exchange: flight.key_exchange.map(ReceivedBytes),
        };
        let mut learned = self.learned();
        if let Some(chain) = flight.certificates.filter(|chain| !chain.is_empty()) {
            learned.keep_chain(chain.into_iter().map(ReceivedBytes).collect());
        }
        let refused = is_refusal(&hello, learned.style.as_ref());
        let protocol_version = matches!(hello.reply, HelloReply::Alert { description: 70, .. });
        learned.hellos.push((place, hello));
        match chosen {
            Some(chosen) if chosen.version < wire => Asked::Refused { version: true },
            Some(chosen) => Asked::Chosen(chosen),
            None if refused => Asked::Refused { version: protocol_version },
            None => Asked::Unclear,
        }
    }

    /// Makes the one real handshake and keeps what it showed.
    pub async fn handshake(&self) {
        let Some(connection) = self.ready().await else { return };
        let way = self.route.starttls.inside(self.route.port);
        let greets = self.route.starttls == StartTls::None;
        let (shaken, inside) = match shake(connection, &self.route.server_name, self.route.address).await {
            Ok(mut open) => {
                let inside = open.look(way, greets, &self.dialer.options().ehlo).await;
                let shaken = open.take_shaken();
                open.leave(way.last_word()).await;
                (shaken, Some(inside))
            }
            Err(shaken) => (shaken, None),
        };
        let mut learned = self.learned();
        if !shaken.chain.is_empty() {
            learned.keep_chain(shaken.chain);
        }
        learned.handshake = Some(shaken.handshake);
        learned.inside = inside;
    }

    /// Sends a harmless command behind STARTTLS and says whether it was acted on inside TLS (RFC 3207
    /// §4.2, CVE-2011-0411). An active probe: only with permission.
    pub async fn injection(&self) -> &'static str {
        let Some(behind) = self.route.starttls.harmless_command() else { return "not-tested" };
        let connection = match self.open(behind).await {
            Ok(connection) => connection,
            // Refusing the pipelined command is a way not to act on it.
            Err(Stop::Settled(State::StarttlsRefused | State::StarttlsRefusedTemporary)) => return "not-vulnerable",
            Err(_) => return "unknown",
        };
        let mut open: Open = match shake(connection, &self.route.server_name, self.route.address).await {
            Ok(open) => open,
            Err(shaken) if shaken.timed_out => return "unknown",
            // What stood behind STARTTLS was taken for TLS: that ends the connection, and acts on nothing.
            Err(_) => return "not-vulnerable",
        };
        let vulnerable = open.speaks_unasked(Duration::from_secs(2)).await;
        open.leave(self.route.starttls.last_word()).await;
        if vulnerable { "vulnerable" } else { "not-vulnerable" }
    }

    /// Runs questions while the next connections are brought to where the service waits for a
    /// ClientHello: four of the five round trips of a question behind STARTTLS do not depend on it. Never
    /// more connections than the limits of the host allow. Where TLS begins at once nothing is gained,
    /// and a service that takes one connection at a time would wait for the idle one.
    pub async fn warmed(&self, questions: impl Future<Output = ()>) {
        let openers = self.dialer.open_at_most(&self.route.host, self.route.port);
        if self.route.starttls == StartTls::None || openers < 2 {
            return questions.await;
        }
        let (sender, receiver) = mpsc::channel(openers);
        *self.warm.lock().await = Some(receiver);
        let open_ahead = async {
            let sender = sender;
            join_all((0..openers).map(|_| async {
                while let Ok(place) = sender.reserve().await {
                    let over = async {
                        sender.closed().await;
                        tokio::time::sleep(LAST_MOMENTS).await;
                    };
                    tokio::select! {
                        connection = Box::pin(self.fresh()) => {
                            let Some(connection) = connection else { return };
                            place.send(connection);
                        }
                        // Nobody needs what takes longer, such as a wait that the service asked for.
                        () = over => return,
                    }
                }
            }))
            .await;
        };
        tokio::join!(open_ahead, async {
            questions.await;
            self.enough().await;
            // What was opened ahead and is not needed leaves as politely as the rest.
            let receiver = self.warm.lock().await.take();
            if let Some(mut receiver) = receiver {
                while let Some(connection) = receiver.recv().await {
                    connection.leave(self.route.starttls.last_word()).await;
                }
            }
        });
    }

    /// No more connections are opened ahead; those that are there can still be used.
    pub async fn enough(&self) {
        if let Some(receiver) = self.warm.lock().await.as_mut() {
            receiver.close();
        }
    }

    /// A connection where the service waits for a ClientHello: one opened ahead, or a new one. `None` when
    /// asking is over.
    async fn ready(&self) -> Option<Connection> {
        if let Some(receiver) = self.warm.lock().await.as_mut() {
            match receiver.recv().await {
                Some(mut connection) => {
                    connection.begin_again();
                    return Some(connection);
                }
                None if self.learned().stopped.is_some() => return None,
                None => {}
            }
        }
        self.fresh().await
    }

    /// A new connection where the service waits for a ClientHello. Slows down and tries again where the
    /// service asks for that; `None` when asking is over.
    async fn fresh(&self) -> Option<Connection> {
        loop {
            if self.learned().stopped.is_some() {
                return None;
            }
            let stop = match self.open("").await {
                Ok(connection) => return Some(connection),
                Err(stop) => stop,
            };
            if !self.tries_again(&stop).await {
                let mut learned = self.learned();
                learned.stopped.get_or_insert(stop);
                return None;
            }
        }
    }

    async fn open(&self, behind: &str) -> Result<Connection, Stop> {
        let route = &self.route;
        let (patient, first) = {
            let mut learned = self.learned();
            if learned.connections >= route.at_most {
                let what = format!("{} connections", route.at_most);
                return Err(Stop::NotObserved(NotObserved::Limit { what }));
            }
            learned.connections += 1;
            (learned.patient, learned.hellos.is_empty())
        };
        let usual = self.dialer.options().connection_deadline;
        let left = route.deadline.saturating_duration_since(Instant::now());
        let within = if patient { (usual + PATIENCE).min(left) } else { usual };
        let dialled = self.dialer.dial_within(&route.host, route.address, route.port, within).await;
        let mut connection = match dialled {
            Ok(connection) => connection,
            Err(reason) => {
                if matches!(reason, NotObserved::NotInScope { .. }) {
                    self.learned().connections -= 1;
                }
                return Err(Stop::NotObserved(reason));
            }
        };
        let mut dialogue = Dialogue::default();
        let outcome = route.starttls.begin(&mut connection, &self.dialer.options().ehlo, &mut dialogue, behind).await;
        let before_greeting = dialogue.greeting.is_none();
        // The first dialogue that came far enough is the one that is kept.
        if first || outcome.is_ok() {
            let mut learned = self.learned();
            if learned.dialogue.starttls_reply.is_none() && behind.is_empty() {
                learned.dialogue = dialogue;
            }
        }
        match outcome {
            Ok(()) => Ok(connection),
            Err(Stop::Settled(state)) => {
                connection.leave(route.starttls.last_word()).await;
                Err(Stop::Settled(state))
            }
            Err(Stop::Ended(ended)) if before_greeting => Err(Stop::BeforeGreeting(ended)),
            Err(stop) => Err(stop),
        }
    }

    /// Whether another connection may bring what this one did not; waits where the service asked for it.
    async fn tries_again(&self, stop: &Stop) -> bool {
        let route = &self.route;
        let answered_before = !self.learned().hellos.is_empty();
        match stop {
            Stop::BeforeGreeting(Ended::TimedOut { .. } | Ended::Closed) if !self.learned().patient => {
                // One patient connection: some services let strangers wait.
                let mut learned = self.learned();
                learned.patient = true;
                Instant::now() < route.deadline
            }
            Stop::Settled(State::Refused421 | State::Refused4xx)
            | Stop::Ended(Ended::Reset | Ended::Closed)
            | Stop::BeforeGreeting(Ended::Reset | Ended::Closed) => self.waits_for_another_turn().await,
            // Nothing listens, or a service that answered a moment ago has had enough of us.
            Stop::NotObserved(NotObserved::Refused { .. } | NotObserved::TimedOut { .. })
            | Stop::Settled(_)
            | Stop::Ended(_)
            | Stop::BeforeGreeting(_)
                if answered_before =>
            {
                self.waits_for_another_turn().await
            }
            Stop::Settled(_)
            | Stop::Ended(_)
            | Stop::BeforeGreeting(_)
            | Stop::NotObserved(_)
            | Stop::OtherProtocol => false,
        }
    }

    /// Slows down, unless that was done often enough or there is no time left for it.
    async fn waits_for_another_turn(&self) -> bool {
        let often_enough = {
            let mut learned = self.learned();
            learned.pushed_back += 1;
            // A first contact that is turned away is tried once more, later ones three times.
            learned.pushed_back > if learned.hellos.is_empty() { 1 } else { 3 }
        };
        if often_enough {
            return false;
        }
        let wait = self.dialer.push_back(&self.route.host, self.route.port);
        if Instant::now() + wait >= self.route.deadline {
            return false;
        }
        tokio::time::sleep(wait).await;
        true
    }
}

impl Learned {
    fn keep_chain(&mut self, chain: Vec<ReceivedBytes>) {
        if self.chains.len() < MAX_CHAINS {
            self.chains.insert(chain);
        }
    }
}

/// Sends the hello and reads the flight that answers it. Never goes further.
async fn exchange(mut connection: Connection, offer: &Offer, server_name: &str) -> (HelloReply, Flight) {
    let bytes = hello::write(offer, server_name);
    if let Err(ended) = connection.send(&bytes).await {
        return (reply_to(ended), Flight::default());
    }
    if offer.version == Version::Ssl2 {
        return exchange_ssl2(connection).await;
    }
    let mut reader = FlightReader::default();
    let mut received = Vec::new();
    let ended = loop {
        match connection.read_some(16 * 1024).await {
            Ok(piece) => {
                let room = KEPT_GARBAGE.saturating_sub(received.len());
                received.extend_from_slice(&piece[..piece.len().min(room)]);
                match reader.push(&piece) {
                    Ok(true) => break None,
                    Ok(false) => {}
                    Err(fault) => break Some(Err(fault)),
                }
            }
            Err(ended) => break Some(Ok(ended)),
        }
    };
    if ended.is_none() {
        // close_notify: we are leaving, and there is nothing wrong with you.
        connection.leave(&[21, 3, 1, 0, 2, 1, 0]).await;
    }
    let mut flight = reader.into_flight();
    let reply = match (flight.server_hello.take(), flight.alert, ended) {
        // What broke off after the choice takes nothing from the choice.
        (Some(message), _, _) => HelloReply::ServerHello { bytes: ReceivedBytes(message) },
        (None, Some((level, description)), _) => HelloReply::Alert { level, description },
        (None, None, Some(Ok(ended))) => reply_to(ended),
        (None, None, Some(Err(FlightFault::NotTls | FlightFault::TooLarge | FlightFault::Broken)) | None) => {
            HelloReply::Garbage { bytes: ReceivedBytes(received) }
        }
    };
    (reply, flight)
}

async fn exchange_ssl2(mut connection: Connection) -> (HelloReply, Flight) {
    let mut flight = Flight::default();
    let mut received = Vec::new();
    let reply = loop {
        match connection.read_some(4096).await {
            Ok(piece) => received.extend_from_slice(&piece),
            Err(ended) => break reply_to(ended),
        }
        match read_ssl2_hello(&received) {
            Ssl2Progress::Read(hello) => {
                if !hello.certificate.is_empty() {
                    flight.certificates = Some(vec![hello.certificate]);
                }
                break HelloReply::ServerHello { bytes: ReceivedBytes(received) };
            }
            Ssl2Progress::NeedMore if received.len() <= MAX_SSL2 => {}
            Ssl2Progress::NeedMore | Ssl2Progress::NotSsl2 => {
                break match received.as_slice() {
                    // A TLS alert record.
                    [21, 3, _, 0, 2, level, description, ..] => {
                        HelloReply::Alert { level: *level, description: *description }
                    }
                    [21, ..] | [] if received.len() < 7 => continue,
                    _ => {
                        received.truncate(KEPT_GARBAGE);
                        HelloReply::Garbage { bytes: ReceivedBytes(received) }
                    }
                };
            }
        }
    };
    (reply, flight)
}

fn reply_to(ended: Ended) -> HelloReply {
    match ended {
        Ended::Closed => HelloReply::Closed,
        Ended::Limit(_) => HelloReply::Garbage { bytes: ReceivedBytes::default() },
        Ended::Reset => HelloReply::Reset,
        Ended::TimedOut { .. } => HelloReply::TimedOut,
    }
}
