//! Servers that lie, stall and flood, on loopback.

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::{RData, Record};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::clock::FixedClock;
use crate::names::SubjectKind;

fn dns(address: SocketAddr) -> Dns {
    let options = NetworkOptions {
        resolvers: vec![address],
        dns_deadline: Duration::from_millis(600),
        ..NetworkOptions::default()
    };
    Dns::new(&options, Arc::new(FixedClock("2026-10-01T12:00:00Z".parse().unwrap()))).unwrap()
}

async fn ask(dns: &Dns) -> Result<DnsAnswer, NotObserved> {
    let subject = SubjectId::new(SubjectKind::Domain, "c.example");
    let question = DnsQuestion { name: "c.example".parse().unwrap(), kind: RecordKind::Txt };
    match dns.query(&subject, &question).await.answer {
        Ok(Answer::Dns(answer)) => Ok(answer),
        Ok(other) => panic!("{other:?}"),
        Err(reason) => Err(reason),
    }
}

/// A response to `query` with one text.
fn response(query: &[u8], text: &str) -> Message {
    let request = Message::from_vec(query).unwrap();
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.add_query(request.queries[0].clone());
    let owner = "c.example.".parse().unwrap();
    response.add_answer(Record::from_rdata(owner, 60, RData::TXT(TXT::new(vec![text.to_owned()]))));
    response
}

/// Answers each question with what `say` makes of it.
async fn serve(say: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            for packet in say(&buffer[..length]) {
                let _ = socket.send_to(&packet, from).await;
            }
        }
    });
    address
}

#[tokio::test]
async fn forged_answers_before_the_right_one_are_passed_over() {
    let address = serve(|query| {
        let mut other_number = response(query, "forged").to_vec().unwrap();
        other_number[0] ^= 0xff;
        let mut other_question = response(query, "forged").to_vec().unwrap();
        other_question[13] = b'x';
        let no_response = query.to_vec();
        let right = response(query, "right").to_vec().unwrap();
        vec![other_number, other_question, no_response, vec![], b"short".to_vec(), right]
    })
    .await;
    let dns = dns(address);
    for _ in 0..3 {
        let answer = ask(&dns).await.unwrap();
        assert!(answer.message.0.windows(5).any(|bytes| bytes == b"right"));
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test server on loopback")]
async fn a_truncated_answer_whose_connection_stalls_ends_by_the_deadline() {
    let (address, listener) = loop {
        let address = serve(|query| {
            let mut cut = response(query, "cut");
            cut.metadata.truncation = true;
            vec![cut.to_vec().unwrap()]
        })
        .await;
        if let Ok(listener) = TcpListener::bind(address).await {
            break (address, listener);
        }
    };
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
        }
    });
    assert!(matches!(ask(&dns(address)).await, Err(NotObserved::TimedOut { .. })));
    held.abort();
}

#[tokio::test]
async fn a_truncated_answer_without_a_connection_is_never_half_an_answer() {
    let address = serve(|query| {
        let mut cut = response(query, "v=spf1 -all");
        cut.metadata.truncation = true;
        vec![cut.to_vec().unwrap()]
    })
    .await;
    assert!(ask(&dns(address)).await.is_err());
}

#[tokio::test]
async fn noise_is_no_answer_and_ends_by_the_deadline() {
    let address = serve(|_| (0_u8..200).map(|byte| vec![byte; usize::from(byte)]).collect()).await;
    assert!(matches!(ask(&dns(address)).await, Err(NotObserved::TimedOut { .. })));
}

#[tokio::test]
async fn a_socket_is_used_again_and_its_port_changes_in_time() {
    let ports = Arc::new(Mutex::new(std::collections::BTreeMap::<u16, usize>::new()));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let seen = ports.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            *seen.lock().unwrap().entry(from.port()).or_default() += 1;
            let _ = socket.send_to(&response(&buffer[..length], "x").to_vec().unwrap(), from).await;
        }
    });
    let exchange = Exchange::new(address, Duration::from_millis(600));
    for _ in 0..250 {
        let query = Query::query("c.example.".parse().unwrap(), RecordType::TXT);
        exchange.ask(request(query, false)).await.unwrap();
    }
    let ports = ports.lock().unwrap();
    assert_eq!(ports.values().max(), Some(&100));
    assert!(ports.len() >= 3);
}
