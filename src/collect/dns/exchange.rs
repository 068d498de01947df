//! One question to one server: UDP, and TCP where the answer does not fit (RFC 7766 §5).
//!
//! A socket is lent to one question at a time and goes back only after an answer, so that an answer
//! belongs to the question by its connected address, its port, its random number and the question
//! it repeats (RFC 5452 §9). The port changes after some questions. Messages are not read here, only
//! their header.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, Stream};
use hickory_proto::op::{DnsRequest, DnsResponse, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout, timeout_at};

/// Packets sent in one attempt until one is answered.
const PACKETS: u8 = 3;
/// How long one packet waits for its answer before the next is sent.
const PACKET_WAIT: Duration = Duration::from_millis(333);
/// Questions asked from one port before it is given up.
const QUESTIONS_A_PORT: u16 = 100;
/// Sockets kept between questions.
const KEPT_SOCKETS: usize = 128;
/// The longest answer taken over UDP; longer ones are fetched over TCP.
const UDP_BYTES: usize = 4_096;

/// Sends requests to one server and gives back what came.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    attempt: Duration,
    idle: Mutex<Vec<Lent>>,
    /// Questions whose transport somebody waits to hear: how many do, and whether the last answer came
    /// over TCP. The validator gives back no more than the message.
    watched: Mutex<HashMap<Key, (usize, bool)>>,
}

type Key = (Name, RecordType);

/// Hears over what one question is answered, while it lives.
pub(super) struct Watch {
    shared: Arc<Shared>,
    key: Key,
}

impl Watch {
    /// How the last answer came.
    pub(super) fn transport(&self) -> &'static str {
        let watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.get(&self.key).is_some_and(|(_, tcp)| *tcp) { "tcp" } else { "udp" }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((waiting, _)) = watched.get_mut(&self.key) {
            *waiting -= 1;
            if *waiting == 0 {
                watched.remove(&self.key);
            }
        }
    }
}

/// A connected socket and how often it was used.
#[derive(Debug)]
struct Lent {
    socket: UdpSocket,
    questions: u16,
}

/// An answer, unread but for its header.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) code: ResponseCode,
    /// The AD bit: the server says that it checked the answer.
    pub(super) authentic: bool,
    pub(super) bytes: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(address: SocketAddr, attempt: Duration) -> Self {
        let shared = Shared { address, attempt, idle: Mutex::default(), watched: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Asks, and gives the answer's bytes. A refusal is an answer here.
    pub(super) async fn ask(&self, request: DnsRequest) -> Result<Received, NetError> {
        let query = request.to_vec()?;
        let found = timeout(self.shared.attempt, self.over_udp(&query)).await.unwrap_or(Err(NetError::Timeout))?;
        let key = request.queries.first().map(|query| (query.name().clone(), query.query_type()));
        self.tell(key, found.is_none());
        if let Some(received) = found {
            return Ok(received);
        }
        // It owns the connection's task, so it lives until the answer is here.
        let provider = TokioRuntimeProvider::default();
        let stream =
            TcpClientStream::exchange(self.shared.address, None, self.shared.attempt, None, provider.clone()).await?;
        // A stream that ends without an answer ran out of time.
        let response = stream.send(request).first_answer().await?;
        Ok(Received {
            code: response.metadata.response_code,
            authentic: response.metadata.authentic_data,
            bytes: response.into_buffer(),
        })
    }

    /// Begins to listen over what answers to this question come.
    pub(super) fn watch(&self, name: &Name, kind: RecordType) -> Watch {
        let key = (name.clone(), kind);
        let mut watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.entry(key.clone()).or_insert((0, false)).0 += 1;
        Watch { shared: Arc::clone(&self.shared), key }
    }

    fn tell(&self, key: Option<Key>, over_tcp: bool) {
        let mut watched = self.shared.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tcp)) = key.and_then(|key| watched.get_mut(&key)) {
            *tcp = over_tcp;
        }
    }

    /// Sends until an answer comes; `None` is one that does not fit.
    async fn over_udp(&self, query: &[u8]) -> Result<Option<Received>, NetError> {
        let kept = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut lent = match kept {
            Some(lent) => lent,
            None => Lent { socket: self.socket().await?, questions: 0 },
        };
        let mut buffer = vec![0; UDP_BYTES + 1];
        for packet in 1..=PACKETS {
            lent.socket.send(query).await?;
            let until = Instant::now() + if packet == PACKETS { self.shared.attempt } else { PACKET_WAIT };
            while let Ok(length) = timeout_at(until, lent.socket.recv(&mut buffer)).await {
                let length = length?;
                let answer = &buffer[..length];
                if !answers(query, answer) {
                    continue;
                }
                lent.questions += 1;
                if lent.questions < QUESTIONS_A_PORT {
                    let mut idle = self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner);
                    if idle.len() < KEPT_SOCKETS {
                        idle.push(lent);
                    }
                }
                let truncated = answer[2] & 0x02 != 0 || length > UDP_BYTES;
                return Ok((!truncated).then(|| Received {
                    code: ResponseCode::from(0, answer[3] & 0x0f),
                    authentic: answer[3] & 0x20 != 0,
                    bytes: answer.to_vec(),
                }));
            }
        }
        Err(NetError::Timeout)
    }

    /// A socket on a port that the kernel chooses.
    async fn socket(&self) -> Result<UdpSocket, NetError> {
        let any = match self.shared.address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(self.shared.address).await?;
        Ok(socket)
    }
}

/// Length of a header (RFC 1035 §4.1.1).
const HEADER: usize = 12;

/// Whether `answer` is a response with the number of `query` that repeats its question. A server
/// that could not read the question need not repeat it.
fn answers(query: &[u8], answer: &[u8]) -> bool {
    let (Some(header), Some(asked)) = (answer.get(..HEADER), query.get(HEADER..)) else { return false };
    if header[..2] != query[..2] || header[2] & 0x80 == 0 {
        return false;
    }
    if header[4..6] == [0, 0] {
        return header[3] & 0x0f == 1;
    }
    // Our own question: labels up to the root, then type and class.
    let mut name = 0;
    while let Some(&length) = asked.get(name).filter(|length| **length != 0) {
        name += usize::from(length) + 1;
    }
    let (Some(asked_name), Some(asked_kind)) = (asked.get(..=name), asked.get(name + 1..name + 5)) else {
        return false;
    };
    let told = &answer[HEADER..];
    header[4..6] == [0, 1]
        && told.get(..=name).is_some_and(|told| told.eq_ignore_ascii_case(asked_name))
        && told.get(name + 1..name + 5) == Some(asked_kind)
}

impl DnsHandle for Exchange {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    /// For the validator, which reads the message itself.
    fn send(&self, request: DnsRequest) -> Self::Response {
        let exchange = self.clone();
        Box::pin(stream::once(async move {
            let received = exchange.ask(request).await?;
            match received.code {
                ResponseCode::NoError | ResponseCode::NXDomain => Ok(DnsResponse::from_buffer(received.bytes)?),
                code => Err(DnsError::ResponseCode(code).into()),
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{DnsRequestOptions, Query};
    use proptest::prelude::*;

    use super::*;

    fn query() -> Vec<u8> {
        let query = Query::query("c.example.".parse().unwrap(), RecordType::TXT);
        DnsRequest::from_query(query, DnsRequestOptions::default()).to_vec().unwrap()
    }

    #[test]
    fn an_answer_must_carry_the_number_and_the_question() {
        let query = query();
        let mut answer = query.clone();
        assert!(!answers(&query, &answer), "a question is no answer");
        answer[2] |= 0x80;
        assert!(answers(&query, &answer));
        let spoiled = |at: usize| {
            let mut other = answer.clone();
            other[at] ^= 0x01;
            !answers(&query, &other)
        };
        assert!(spoiled(1) && spoiled(13) && spoiled(22) && spoiled(24), "number, name, type, class");
        let mut capitals = answer.clone();
        capitals[13] = b'C';
        assert!(answers(&query, &capitals), "names have no case");
    }

    #[test]
    fn a_format_error_without_a_question_is_an_answer() {
        let query = query();
        let mut answer = query[..HEADER].to_vec();
        answer[2] |= 0x80;
        answer[4..6].copy_from_slice(&[0, 0]);
        answer[3] = 1;
        assert!(answers(&query, &answer));
        answer[3] = 3;
        assert!(!answers(&query, &answer), "nobody may claim absence so cheaply");
    }

    #[test]
    fn only_questions_that_somebody_waits_for_are_remembered() {
        let exchange = Exchange::new("127.0.0.1:53".parse().unwrap(), Duration::from_secs(1));
        let name: Name = "c.example.".parse().unwrap();
        let (one, other) = (exchange.watch(&name, RecordType::TXT), exchange.watch(&name, RecordType::TXT));
        exchange.tell(Some((name.clone(), RecordType::TXT)), true);
        exchange.tell(Some((name.clone(), RecordType::DNSKEY)), true);
        drop(one);
        assert_eq!(other.transport(), "tcp");
        drop(other);
        assert!(exchange.shared.watched.lock().unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_compared_without_a_panic(answer: Vec<u8>, asked: Vec<u8>) {
            let _ = answers(&asked, &answer);
            let mut answer = answer;
            answer.splice(0..0, query()[..4].iter().copied());
            let _ = answers(&query(), &answer);
        }
    }
}
