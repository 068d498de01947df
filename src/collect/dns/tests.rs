use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, SOA, TXT};
use hickory_proto::rr::{RData, Record};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::*;
use crate::clock::FixedClock;
use crate::names::SubjectKind;

/// A small resolver on loopback that answers from lines: `name TYPE data`, where data may be
/// `!nx`, `!none`, `!fail` (SERVFAIL), `!bogus` (SERVFAIL unless checking is disabled), `!silent`,
/// `!long` (does not fit UDP) or `-> target`. Names that no line speaks of do not exist.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

type Zone = BTreeMap<(String, String), Vec<String>>;

impl World {
    /// `vouches`: sets the AD bit for every name but those under `unsigned.example`.
    #[expect(clippy::disallowed_methods, reason = "a test server on loopback")]
    pub(crate) async fn serve(lines: &[&str], vouches: bool) -> Self {
        let mut zone = Zone::new();
        for line in lines {
            let mut words = line.splitn(3, ' ').map(str::to_owned);
            let key = (words.next().unwrap().to_ascii_lowercase(), words.next().unwrap());
            zone.entry(key).or_default().push(words.next().unwrap());
        }
        let zone = Arc::new(zone);
        let asked = Arc::new(AtomicUsize::new(0));
        // TCP must listen on the port the kernel gave for UDP; another process may hold it.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            if let Ok(tcp) = tokio::net::TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let (udp_zone, count) = (zone.clone(), asked.clone());
        let udp_task = tokio::spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
                count.fetch_add(1, Ordering::SeqCst);
                if let Some(reply) = reply(&buffer[..length], &udp_zone, vouches, false) {
                    let _ = udp.send_to(&reply, from).await;
                }
            }
        });
        let tcp_task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let zone = zone.clone();
                tokio::spawn(async move {
                    let length = stream.read_u16().await.unwrap();
                    let mut request = vec![0; usize::from(length)];
                    stream.read_exact(&mut request).await.unwrap();
                    let reply = reply(&request, &zone, vouches, true).unwrap();
                    stream.write_u16(u16::try_from(reply.len()).unwrap()).await.unwrap();
                    stream.write_all(&reply).await.unwrap();
                    let _ = stream.read_u8().await;
                });
            }
        });
        Self { address, asked, tasks: vec![udp_task, tcp_task] }
    }

    pub(crate) fn dns(&self) -> Dns {
        Dns::new(&self.options(), Arc::new(FixedClock("2026-10-01T12:00:00Z".parse().unwrap()))).unwrap()
    }

    pub(crate) fn options(&self) -> NetworkOptions {
        NetworkOptions {
            resolvers: vec![self.address],
            dns_deadline: Duration::from_millis(600),
            ..NetworkOptions::default()
        }
    }
}

fn reply(bytes: &[u8], zone: &Zone, vouches: bool, tcp: bool) -> Option<Vec<u8>> {
    let request = Message::from_vec(bytes).unwrap();
    let query = request.queries[0].clone();
    let mut response = Message::response(request.metadata.id, request.metadata.op_code);
    response.add_query(query.clone());
    response.metadata.recursion_available = true;
    let mut owner = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    response.metadata.authentic_data = vouches && !owner.ends_with("unsigned.example");
    let kind = query.query_type().to_string();
    let known = |owner: &str| zone.keys().any(|(name, _)| name == owner || name.ends_with(&format!(".{owner}")));
    for _ in 0..20 {
        let name: Name = format!("{owner}.").parse().unwrap();
        let exact = zone.get(&(owner.clone(), kind.clone()));
        let alias = zone.get(&(owner.clone(), "CNAME".to_owned()));
        let lines = match (exact, alias) {
            (Some(lines), _) => lines,
            (None, Some(targets)) => {
                let target = format!("{}.", targets[0]);
                response.add_answer(Record::from_rdata(name, 60, RData::CNAME(CNAME(target.parse().unwrap()))));
                owner = targets[0].clone();
                continue;
            }
            (None, None) => {
                if !known(&owner) && !owner.is_empty() {
                    response.metadata.response_code = ResponseCode::NXDomain;
                }
                break;
            }
        };
        for line in lines {
            let data = match line.as_str() {
                "!nx" => {
                    response.metadata.response_code = ResponseCode::NXDomain;
                    continue;
                }
                "!none" => continue,
                "!silent" => return None,
                "!bogus" if request.metadata.checking_disabled => continue,
                "!fail" | "!bogus" => {
                    response.metadata.response_code = ResponseCode::ServFail;
                    response.metadata.authentic_data = false;
                    continue;
                }
                "!long" if !tcp => {
                    response.metadata.truncation = true;
                    continue;
                }
                "!long" => RData::TXT(TXT::new(vec!["x".repeat(250); 40])),
                line => rdata(&kind, line),
            };
            response.add_answer(Record::from_rdata(name.clone(), 60, data));
        }
        break;
    }
    Some(response.to_vec().unwrap())
}

fn rdata(kind: &str, line: &str) -> RData {
    match kind {
        "A" => RData::A(A(line.parse().unwrap())),
        "AAAA" => RData::AAAA(AAAA(line.parse().unwrap())),
        "MX" => {
            let (preference, host) = line.split_once(' ').unwrap();
            RData::MX(MX::new(preference.parse().unwrap(), host.parse().unwrap()))
        }
        "SOA" => RData::SOA(SOA::new("ns.example.".parse().unwrap(), "h.example.".parse().unwrap(), 1, 2, 3, 4, 5)),
        "TXT" => RData::TXT(TXT::new(line.split(" | ").map(str::to_owned).collect())),
        "CNAME" => RData::CNAME(CNAME(format!("{line}.").parse().unwrap())),
        other => panic!("no {other} in tests"),
    }
}

fn subject() -> SubjectId {
    SubjectId::new(SubjectKind::Domain, "c.example")
}

async fn ask(dns: &Dns, name: &str, kind: RecordKind) -> Result<DnsAnswer, NotObserved> {
    let question = DnsQuestion { name: name.parse().unwrap(), kind };
    match dns.query(&subject(), &question).await.answer {
        Ok(Answer::Dns(answer)) => Ok(answer),
        Ok(other) => panic!("{other:?}"),
        Err(reason) => Err(reason),
    }
}

#[tokio::test]
async fn absence_refusal_and_silence_are_three_things() {
    let world = World::serve(&["c.example MX !none", "c.example TXT !fail", "c.example A !silent"], false).await;
    let dns = world.dns();
    assert_eq!(ask(&dns, "c.example", RecordKind::Mx).await.unwrap().rcode, "NOERROR");
    assert_eq!(ask(&dns, "d.example", RecordKind::Mx).await.unwrap().rcode, "NXDOMAIN");
    let refused = ask(&dns, "c.example", RecordKind::Txt).await.unwrap_err();
    assert_eq!(refused, NotObserved::Refused { what: format!("{} answered SERVFAIL", world.address) });
    assert_eq!(ask(&dns, "c.example", RecordKind::A).await.unwrap_err(), NotObserved::TimedOut { after_ms: 600 });
}

#[tokio::test]
async fn an_answer_too_long_for_udp_is_fetched_over_tcp() {
    let world = World::serve(&["c.example TXT !long"], false).await;
    let answer = ask(&world.dns(), "c.example", RecordKind::Txt).await.unwrap();
    assert!(answer.message.0.len() > 10_000);
}

#[tokio::test]
async fn a_bogus_zone_is_told_from_a_broken_one() {
    let world = World::serve(&["c.example SOA !bogus", "d.example SOA !fail", "c.example MX !bogus"], true).await;
    let dns = world.dns();
    assert_eq!(ask(&dns, "c.example", RecordKind::Soa).await.unwrap().dnssec, "bogus");
    assert!(ask(&dns, "d.example", RecordKind::Soa).await.is_err());
    assert!(ask(&dns, "c.example", RecordKind::Mx).await.is_err());
}

#[tokio::test]
async fn insecure_is_said_only_where_the_resolver_vouches_for_the_root() {
    let lines = ["c.example SOA x", "unsigned.example SOA x"];
    let vouching = World::serve(&lines, true).await;
    let dns = vouching.dns();
    assert_eq!(ask(&dns, "c.example", RecordKind::Soa).await.unwrap().dnssec, "secure");
    assert_eq!(ask(&dns, "unsigned.example", RecordKind::Soa).await.unwrap().dnssec, "insecure");
    let plain = World::serve(&lines, false).await;
    assert_eq!(ask(&plain.dns(), "c.example", RecordKind::Soa).await.unwrap().dnssec, "indeterminate");
}

#[tokio::test]
async fn a_second_server_answers_where_the_first_refuses() {
    let bad = World::serve(&["c.example MX !fail"], false).await;
    let good = World::serve(&["c.example MX 10 m.c.example."], false).await;
    let options = NetworkOptions { resolvers: vec![bad.address, good.address], ..good.options() };
    let dns = Dns::new(&options, Arc::new(FixedClock("2026-10-01T12:00:00Z".parse().unwrap()))).unwrap();
    assert_eq!(ask(&dns, "c.example", RecordKind::Mx).await.unwrap().server, good.address.to_string());
}

#[tokio::test]
async fn what_others_may_ask_is_asked_for_once_and_a_failure_again() {
    let lines = ["c.example TXT v=spf1 -all", "spf.v.example TXT v=spf1 -all", "d.example TXT !fail"];
    let world = World::serve(&lines, true).await;
    let dns = world.dns();
    for (name, asked) in [("spf.v.example", 1), ("d.example", 2), ("c.example", 2)] {
        let before = world.asked.load(Ordering::SeqCst);
        for _ in 0..2 {
            let _ = ask(&dns, name, RecordKind::Txt).await;
        }
        assert_eq!(world.asked.load(Ordering::SeqCst) - before, asked, "{name}");
    }
}

#[tokio::test]
async fn nothing_is_sent_offline() {
    let world = World::serve(&[], false).await;
    let options = NetworkOptions { offline: true, ..world.options() };
    let dns = Dns::new(&options, Arc::new(FixedClock("2026-10-01T12:00:00Z".parse().unwrap()))).unwrap();
    assert!(matches!(ask(&dns, "c.example", RecordKind::Mx).await, Err(NotObserved::NotInScope { .. })));
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_trust_anchor_file_without_keys_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("anchor");
    files::write_whole(&path, b"; nothing here\n").unwrap();
    let options = NetworkOptions {
        trust_anchor: Some(path),
        resolvers: vec!["127.0.0.1:9".parse().unwrap()],
        ..NetworkOptions::default()
    };
    let clock = Arc::new(FixedClock("2026-10-01T12:00:00Z".parse().unwrap()));
    assert!(matches!(Dns::new(&options, clock), Err(DnsSetupError::TrustAnchor { .. })));
}
