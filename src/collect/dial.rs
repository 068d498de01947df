//! The only place that opens TCP connections: scope, politeness, deadlines and byte caps are kept
//! here, so that nobody can forget them.
//!
//! Addresses of this machine and of private networks are refused unless the options allow them: a
//! name in somebody else's DNS must not point the prober at the inside of a network.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

use super::network::{Network, NetworkOptions};
use crate::clock::{Clock, SystemClock};
use crate::evidence::endpoint::NO_ROUTE;
use crate::files;
use crate::records::certificate_trust::Roots;
use crate::seen::NotObserved;

/// No connection may bring more bytes than this, whatever is read from it.
const MAX_RECEIVED: u64 = 4 * 1024 * 1024;
/// A CA file larger than this is not read.
const MAX_CA_FILE: u64 = 16 * 1024 * 1024;
/// Connections open at once to one operator (registrable domain) on port 25.
const PER_OPERATOR: usize = 4;
/// Connections begun at once before the rate holds.
const BURST: f64 = 4.0;

/// Opens connections within scope and at a polite pace. Shared by everything that collects.
pub struct Dialer {
    options: Arc<NetworkOptions>,
    clock: Arc<dyn Clock>,
    lanes: Mutex<BTreeMap<(String, u16), Arc<Lane>>>,
    operators: Mutex<BTreeMap<(String, u16), Arc<Semaphore>>>,
    opened: AtomicU32,
    roots: OnceLock<Result<Roots, NotObserved>>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dialer").field("opened", &self.opened).finish_non_exhaustive()
    }
}

/// The pace of connections to one host on one port.
#[derive(Debug)]
struct Lane {
    slots: Arc<Semaphore>,
    pace: Mutex<Pace>,
}

#[derive(Debug)]
struct Pace {
    /// New connections a second.
    rate: f64,
    /// When the next connection would begin if there were no burst.
    next: Option<Instant>,
    /// Nothing begins before this, after the host asked us to slow down.
    not_before: Option<Instant>,
    open_at_most: usize,
    pushed_back: u32,
}

impl Dialer {
    /// A dialer of the machine's own clock.
    pub fn new(options: Arc<NetworkOptions>) -> Self {
        Self::with_clock(options, Arc::new(SystemClock))
    }

    /// A dialer that stamps observations with a given clock.
    pub fn with_clock(options: Arc<NetworkOptions>, clock: Arc<dyn Clock>) -> Self {
        Self {
            options,
            clock,
            lanes: Mutex::default(),
            operators: Mutex::default(),
            opened: AtomicU32::new(0),
            roots: OnceLock::new(),
        }
    }

    /// The network options in force.
    pub fn options(&self) -> &NetworkOptions {
        &self.options
    }

    /// The clock observations are stamped with.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Connections opened so far.
    pub fn opened(&self) -> u32 {
        self.opened.load(Ordering::Relaxed)
    }

    /// The trusted roots the options name: the CA file's, or Mozilla's.
    pub fn roots(&self) -> Result<&Roots, NotObserved> {
        let read = || {
            let Some(path) = &self.options.ca_file else { return Ok(Roots::mozilla()) };
            let pem = files::read_bounded(path, MAX_CA_FILE)
                .map_err(|error| NotObserved::Unreadable { why: error.to_string(), line: None })?;
            Roots::from_pem(&pem).map_err(|error| NotObserved::Unreadable { why: error.to_string(), line: None })
        };
        self.roots.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// Where connections meant for `host` and `port` go instead, if the options say so.
    pub fn redirected(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.options
            .connect_to
            .iter()
            .find(|rule| {
                // As in curl, an empty host or port 0 stands for any.
                (rule.host.is_empty() || rule.host.trim_end_matches('.').eq_ignore_ascii_case(host))
                    && (rule.port == 0 || rule.port == port)
            })
            .map(|rule| rule.to)
    }

    /// Opens a connection to `host` (a name, or an address as text) at one of its addresses. Waits its turn
    /// first; its deadline begins when it is dialled.
    pub async fn dial(&self, host: &str, address: IpAddr, port: u16) -> Result<Connection, NotObserved> {
        self.dial_within(host, address, port, self.options.connection_deadline).await
    }

    /// As [`Self::dial`], with a deadline of its own for dialling and everything after.
    #[expect(clippy::disallowed_methods, reason = "this is the one room that opens connections")]
    pub async fn dial_within(
        &self,
        host: &str,
        address: IpAddr,
        port: u16,
        within: Duration,
    ) -> Result<Connection, NotObserved> {
        let to = self.redirected(host, port).unwrap_or_else(|| SocketAddr::new(address, port));
        self.may_contact(to.ip())?;
        let lane = self.lane(host, port);
        let permits = self.wait_for_turn(&lane, host, port).await?;
        let deadline = Instant::now() + within;
        self.opened.fetch_add(1, Ordering::Relaxed);
        let stream = match tokio::time::timeout_at(deadline, TcpStream::connect(to)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(refusal(&error, within)),
            Err(_) => return Err(NotObserved::TimedOut { after_ms: millis(within) }),
        };
        // Small messages go back and forth; waiting to fill segments only costs time.
        let _ = stream.set_nodelay(true);
        Ok(Connection {
            stream,
            deadline,
            within,
            alarm: Box::pin(sleep_until(deadline)),
            held: Vec::new(),
            received: 0,
            _permits: permits,
        })
    }

    /// Notes that a host asked us to slow down (421, a reset, a refused connection): half as many
    /// connections, half as often, and none for 5, then 15, then 60 s. Returns the wait.
    pub fn push_back(&self, host: &str, port: u16) -> Duration {
        let lane = self.lane(host, port);
        let mut pace = lane.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = Duration::from_secs(match pace.pushed_back {
            0 => 5,
            1 => 15,
            _ => 60,
        });
        pace.pushed_back += 1;
        pace.rate = (pace.rate / 2.0).max(0.25);
        let fewer = (pace.open_at_most / 2).max(1);
        lane.slots.forget_permits(pace.open_at_most - fewer);
        pace.open_at_most = fewer;
        pace.not_before = Some(Instant::now() + wait);
        wait
    }

    /// How many connections to a host on a port may be open at once now.
    pub fn open_at_most(&self, host: &str, port: u16) -> usize {
        self.lane(host, port).pace.lock().unwrap_or_else(PoisonError::into_inner).open_at_most
    }

    fn may_contact(&self, address: IpAddr) -> Result<(), NotObserved> {
        if self.options.offline {
            return Err(NotObserved::NotInScope { what: "network use (--offline)".to_owned() });
        }
        let plain = address.to_canonical();
        let allowed = |network: &Network| network.contains(address) || network.contains(plain);
        if is_public(plain) || self.options.allow_net.iter().any(allowed) {
            return Ok(());
        }
        Err(NotObserved::NotInScope {
            what: format!("{address} is an address of this machine or of a private network; allow it with --allow-net"),
        })
    }

    fn lane(&self, host: &str, port: u16) -> Arc<Lane> {
        let key = (host.trim_end_matches('.').to_ascii_lowercase(), port);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(key).or_insert_with(|| {
            let open_at_most = self.options.max_connections.unwrap_or_else(|| default_connections(port)).max(1);
            let rate = self.options.rate.unwrap_or_else(|| default_rate(port));
            let pace = Pace { rate, next: None, not_before: None, open_at_most, pushed_back: 0 };
            Arc::new(Lane { slots: Arc::new(Semaphore::new(open_at_most)), pace: Mutex::new(pace) })
        });
        Arc::clone(lane)
    }

    async fn wait_for_turn(&self, lane: &Lane, host: &str, port: u16) -> Result<Permits, NotObserved> {
        let interrupted = |_| NotObserved::Interrupted;
        let slot = Arc::clone(&lane.slots).acquire_owned().await.map_err(interrupted)?;
        let operator = match self.operator(host, port) {
            Some(operator) => Some(operator.acquire_owned().await.map_err(interrupted)?),
            None => None,
        };
        let begin = lane.pace.lock().unwrap_or_else(PoisonError::into_inner).take_turn(Instant::now());
        if let Some(begin) = begin {
            sleep_until(begin).await;
        }
        Ok(Permits { _slot: slot, _operator: operator })
    }

    /// Hosts under one registrable domain usually are one operator's.
    fn operator(&self, host: &str, port: u16) -> Option<Arc<Semaphore>> {
        if port != 25 || self.options.max_connections.is_some() {
            return None;
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let domain = psl::domain_str(&host)?.to_owned();
        let mut operators = self.operators.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(operators.entry((domain, port)).or_insert_with(|| Arc::new(Semaphore::new(PER_OPERATOR)))))
    }
}

impl Pace {
    /// When the connection may begin; `None` for at once.
    fn take_turn(&mut self, now: Instant) -> Option<Instant> {
        let step = Duration::from_secs_f64(1.0 / self.rate.clamp(0.01, 10_000.0));
        let after_pause = self.not_before.map_or(now, |pause| pause.max(now));
        let next = self.next.unwrap_or(after_pause).max(after_pause);
        self.next = Some(next + step);
        let begin = next.checked_sub(step.mul_f64(BURST - 1.0)).unwrap_or(now).max(after_pause);
        (begin > now).then_some(begin)
    }
}

struct Permits {
    _slot: OwnedSemaphorePermit,
    _operator: Option<OwnedSemaphorePermit>,
}

fn default_connections(port: u16) -> usize {
    match port {
        25 => 2,
        443 => 8,
        _ => 4,
    }
}

fn default_rate(port: u16) -> f64 {
    if port == 25 { 4.0 } else { 50.0 }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn refusal(error: &io::Error, within: Duration) -> NotObserved {
    match error.kind() {
        io::ErrorKind::TimedOut => NotObserved::TimedOut { after_ms: millis(within) },
        io::ErrorKind::ConnectionRefused => NotObserved::Refused { what: "the connection was refused".to_owned() },
        io::ErrorKind::ConnectionReset => NotObserved::Refused { what: "the connection was reset".to_owned() },
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable => {
            NotObserved::Refused { what: NO_ROUTE.to_owned() }
        }
        other => NotObserved::Refused { what: format!("the connection failed ({other})") },
    }
}

/// Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (18..20).contains(&b);
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_unspecified()
        || address.is_broadcast()
        || a == 0
        || a >= 240
        || shared
        || benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    let site_local = first & 0xffc0 == 0xfec0;
    // 64:ff9b::/96 and 2002::/16 carry a v4 address (RFC 6052, RFC 3056): judge that one.
    let octets = address.octets();
    let embedded = if octets[..12] == [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0] {
        Some(Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]))
    } else if first == 0x2002 {
        Some(Ipv4Addr::new(octets[2], octets[3], octets[4], octets[5]))
    } else {
        // ::a.b.c.d, long deprecated (RFC 4291 §2.5.5.1).
        (octets[..12] == [0; 12]).then(|| Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]))
    };
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || site_local
        || embedded.is_some_and(|v4| !is_public_v4(v4)))
}

/// How reading or writing ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Closed,
    /// A limit of ours, with its value.
    Limit(String),
    Reset,
    TimedOut {
        after_ms: u64,
    },
}

impl From<Ended> for NotObserved {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Closed => Self::Refused { what: "the connection was closed".to_owned() },
            Ended::Limit(what) => Self::Limit { what },
            Ended::Reset => Self::Refused { what: "the connection was reset".to_owned() },
            Ended::TimedOut { after_ms } => Self::TimedOut { after_ms },
        }
    }
}

/// One connection with one deadline over everything done on it, and a cap on what it may bring.
pub struct Connection {
    stream: TcpStream,
    deadline: Instant,
    within: Duration,
    alarm: Pin<Box<Sleep>>,
    /// Received and not yet read.
    held: Vec<u8>,
    received: u64,
    _permits: Permits,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("peer", &self.stream.peer_addr().ok()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Lets the deadline begin anew, for a connection that was opened ahead of its use.
    pub fn begin_again(&mut self) {
        self.deadline = Instant::now() + self.within;
        self.alarm.as_mut().reset(self.deadline);
    }

    /// Sends all of `bytes`.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        match tokio::time::timeout_at(self.deadline, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.ended(&error)),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// Reads a line with its line feed. A longer one than `limit` bytes is not waited for.
    pub async fn read_line(&mut self, limit: usize) -> Result<Vec<u8>, Ended> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.held[searched..].iter().position(|&byte| byte == b'\n') {
                let rest = self.held.split_off(searched + at + 1);
                return Ok(std::mem::replace(&mut self.held, rest));
            }
            searched = self.held.len();
            if searched > limit {
                return Err(Ended::Limit(format!("a line of more than {limit} bytes")));
            }
            self.fill(limit + 1 - searched).await?;
        }
    }

    /// Reads whatever comes next, at most `limit` bytes.
    pub async fn read_some(&mut self, limit: usize) -> Result<Vec<u8>, Ended> {
        if self.held.is_empty() {
            self.fill(limit).await?;
        }
        let rest = self.held.split_off(limit.min(self.held.len()));
        Ok(std::mem::replace(&mut self.held, rest))
    }

    /// What was received and not yet read.
    pub fn unread(&self) -> &[u8] {
        &self.held
    }

    /// Sends a last word and closes, waiting for neither.
    pub async fn leave(mut self, last_word: &[u8]) {
        let soon = Instant::now() + Duration::from_millis(200);
        let _ = tokio::time::timeout_at(soon.min(self.deadline), async {
            let _ = self.stream.write_all(last_word).await;
            let _ = self.stream.shutdown().await;
        })
        .await;
    }

    async fn fill(&mut self, limit: usize) -> Result<(), Ended> {
        let mut piece = [0; 4096];
        let room = limit.clamp(1, piece.len());
        let count = match tokio::time::timeout_at(self.deadline, self.stream.read(&mut piece[..room])).await {
            Ok(Ok(0)) => return Err(Ended::Closed),
            Ok(Ok(count)) => count,
            Ok(Err(error)) => return Err(self.ended(&error)),
            Err(_) => return Err(self.timed_out()),
        };
        self.received += count as u64;
        if self.received > MAX_RECEIVED {
            return Err(Ended::Limit(format!("more than {MAX_RECEIVED} bytes on one connection")));
        }
        self.held.extend_from_slice(&piece[..count]);
        Ok(())
    }

    fn timed_out(&self) -> Ended {
        Ended::TimedOut { after_ms: millis(self.within) }
    }

    fn ended(&self, error: &io::Error) -> Ended {
        match error.kind() {
            io::ErrorKind::TimedOut => self.timed_out(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Ended::Reset
            }
            _ => Ended::Closed,
        }
    }
}

fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the connection's deadline passed")
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.alarm.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(too_late()));
        }
        if !self.held.is_empty() {
            let count = into.remaining().min(self.held.len());
            let rest = self.held.split_off(count);
            into.put_slice(&std::mem::replace(&mut self.held, rest));
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        self.received += (into.filled().len() - before) as u64;
        if self.received > MAX_RECEIVED {
            return Poll::Ready(Err(io::Error::other("too many bytes on one connection")));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.alarm.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(too_late()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::network::ConnectTo;

    fn dialer(change: impl FnOnce(&mut NetworkOptions)) -> Dialer {
        let mut options = NetworkOptions::default();
        change(&mut options);
        Dialer::new(Arc::new(options))
    }

    #[tokio::test]
    async fn inside_addresses_are_refused_in_every_spelling() {
        let dialer = dialer(|_| {});
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "224.0.0.1",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fec0::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
        ] {
            let refused = dialer.dial("mx.clinic.example", address.parse().unwrap(), 25).await.unwrap_err();
            assert!(matches!(refused, NotObserved::NotInScope { .. }), "{address}: {refused}");
        }
        assert_eq!(dialer.opened(), 0);
        assert!(is_public("198.51.100.1".parse().unwrap()) && is_public("2001:db8::1".parse().unwrap()));
    }

    #[tokio::test]
    async fn an_allowed_network_is_contacted_and_offline_means_nothing_is() {
        let network = Network { address: "127.0.0.0".parse().unwrap(), prefix: 8 };
        let port = 1; // nobody listens there
        let dialer_ = dialer(|options| options.allow_net.push(network));
        let refused = dialer_.dial("mx.clinic.example", "127.0.0.1".parse().unwrap(), port).await.unwrap_err();
        assert!(matches!(refused, NotObserved::Refused { .. }), "{refused}");
        let offline = dialer(|options| {
            options.allow_net.push(network);
            options.offline = true;
        });
        let refused = offline.dial("mx.clinic.example", "127.0.0.1".parse().unwrap(), port).await.unwrap_err();
        assert!(matches!(refused, NotObserved::NotInScope { .. }), "{refused}");
    }

    #[test]
    fn networks_contain_what_their_prefix_says() {
        let network = |address: &str, prefix| Network { address: address.parse().unwrap(), prefix };
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(network("127.0.0.0", 8).contains(ip("127.9.9.9")));
        assert!(network("127.0.0.0", 8).contains(ip("::ffff:127.0.0.1")));
        assert!(!network("127.0.0.0", 8).contains(ip("128.0.0.1")));
        assert!(network("0.0.0.0", 0).contains(ip("8.8.8.8")) && !network("0.0.0.0", 0).contains(ip("::2")));
        assert!(network("::1", 128).contains(ip("::1")) && !network("::1", 128).contains(ip("::2")));
        assert!(network("::", 0).contains(ip("2001:db8::1")));
    }

    #[test]
    fn connections_are_redirected_as_curl_does() {
        let to: SocketAddr = "127.0.0.1:2525".parse().unwrap();
        let dialer = dialer(|options| {
            options.connect_to.push(ConnectTo { host: "MX.clinic.example".to_owned(), port: 25, to });
        });
        assert_eq!(dialer.redirected("mx.clinic.example.", 25), Some(to));
        assert_eq!(dialer.redirected("mx.clinic.example", 587), None);
    }

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let now = Instant::now();
        let mut pace = Pace { rate: 4.0, next: None, not_before: None, open_at_most: 2, pushed_back: 0 };
        let waits: Vec<_> = (0..6).map(|_| pace.take_turn(now).map_or(0, |begin| (begin - now).as_millis())).collect();
        assert_eq!(waits, [0, 0, 0, 0, 250, 500]);
    }

    #[test]
    fn a_pushed_back_host_is_asked_by_half_as_many_at_half_the_rate() {
        let dialer = dialer(|_| {});
        assert_eq!(dialer.open_at_most("mail.clinic.example", 587), 4);
        let waits: Vec<_> = (0..4).map(|_| dialer.push_back("mail.clinic.example", 587).as_secs()).collect();
        assert_eq!(waits, [5, 15, 60, 60]);
        assert_eq!(dialer.open_at_most("mail.clinic.example", 587), 1);
        assert_eq!(dialer.open_at_most("other.clinic.example", 587), 4);
    }
}
