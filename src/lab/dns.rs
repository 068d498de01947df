//! Answers DNS questions on loopback as a validating recursive resolver would (RFC 4035 §3.2).
//!
//! It knows a private root and the zones it was given, and nothing else: no question is passed
//! on. Data with broken signatures is withheld (SERVFAIL) unless the question says CD.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::LabError;
use super::serve::{LOOPBACK, listen};
use super::zones::{Said, Signing, Tree, Zone};

/// Aliases followed before the answer is SERVFAIL.
const ALIASES: usize = 8;
/// The largest answer over UDP, whatever the question offers.
const UDP_BYTES: u16 = 1232;
/// A TCP connection without a question ends after this long.
const IDLE: Duration = Duration::from_secs(10);

/// What the resolver knows.
#[derive(Debug)]
pub(super) struct Knowledge {
    tree: Tree,
    /// Names at or below which every question fails, as when their servers are down.
    failing: Vec<Name>,
}

impl Knowledge {
    /// Signs the zones; questions at or below a `failing` name end in SERVFAIL.
    pub(super) fn new(zones: Vec<Zone>, failing: &[&str]) -> Result<Self, LabError> {
        let failing = failing.iter().map(|name| Name::from_ascii(name).map_err(LabError::dns));
        Ok(Self { tree: Tree::grow(zones)?, failing: failing.collect::<Result<_, _>>()? })
    }

    /// The private root's key as a DNSKEY line.
    pub(super) fn trust_anchor(&self) -> &str {
        &self.tree.trust_anchor
    }

    /// The answer to one message, or `None` where it is not a question.
    pub(super) fn answer(&self, bytes: &[u8]) -> Option<Message> {
        let question = Message::from_vec(bytes).ok()?;
        if question.metadata.message_type != MessageType::Query {
            return None;
        }
        let mut answer = Message::response(question.metadata.id, question.metadata.op_code);
        answer.metadata.recursion_desired = question.metadata.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.metadata.checking_disabled = question.metadata.checking_disabled;
        answer.add_queries(question.queries.iter().cloned());
        let dnssec = question.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
        if question.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_BYTES).set_dnssec_ok(dnssec);
            answer.set_edns(edns);
        }
        match question.queries.as_slice() {
            [query] if question.metadata.op_code == OpCode::Query => {
                let mut owner = query.name().clone();
                owner.set_fqdn(true);
                self.resolve(&mut answer, owner, query.query_type());
            }
            _ => answer.metadata.response_code = ResponseCode::NotImp,
        }
        let wants_flag = dnssec || question.metadata.authentic_data;
        answer.metadata.authentic_data &= wants_flag;
        Some(answer.maybe_strip_dnssec_records(dnssec))
    }

    fn resolve(&self, answer: &mut Message, mut owner: Name, kind: RecordType) {
        answer.metadata.authentic_data = true;
        for _ in 0..ALIASES {
            let zone = self.tree.zone_for(&owner, kind);
            let signing = self.tree.signing_of(zone);
            let withheld = signing == Signing::Broken && !answer.metadata.checking_disabled;
            if withheld || self.failing.iter().any(|failing| failing.zone_of(&owner)) {
                break;
            }
            answer.metadata.authentic_data &= signing == Signing::Signed;
            match zone.say(&owner, kind) {
                Said::Alias { records, proof, target } => {
                    answer.add_answers(records);
                    answer.add_authorities(proof);
                    owner = target;
                }
                Said::Answer { records, proof } => {
                    answer.add_answers(records);
                    answer.add_authorities(proof);
                    return;
                }
                Said::NoData { proof } => {
                    answer.add_authorities(proof);
                    return;
                }
                Said::NoName { proof } => {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                    answer.add_authorities(proof);
                    return;
                }
            }
        }
        answer.answers.clear();
        answer.authorities.clear();
        answer.metadata.authentic_data = false;
        answer.metadata.response_code = ResponseCode::ServFail;
    }

    /// Starts to answer on one loopback port over UDP and TCP; ends with `tasks`.
    pub(super) async fn serve(self: Arc<Self>, tasks: &mut JoinSet<()>) -> Result<SocketAddr, LabError> {
        // The kernel gives a TCP port; now and then the same UDP port is taken by somebody else.
        for _ in 0..16 {
            let mut attempt = JoinSet::new();
            let knowledge = Arc::clone(&self);
            let address = listen(&mut attempt, move |stream| {
                let knowledge = Arc::clone(&knowledge);
                async move { knowledge.serve_tcp(stream).await }
            })
            .await?;
            let Ok(socket) = UdpSocket::bind((LOOPBACK, address.port())).await else { continue };
            let knowledge = Arc::clone(&self);
            tasks.spawn(async move {
                // Both end together: dropping this task drops the listener's task.
                let _listener = attempt;
                knowledge.serve_udp(&socket).await;
            });
            return Ok(address);
        }
        Err(LabError::Dns("no port is free for both UDP and TCP".to_owned()))
    }

    async fn serve_udp(&self, socket: &UdpSocket) {
        let mut bytes = [0_u8; 4096];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut bytes).await else { continue };
            let Some(answer) = self.answer(&bytes[..length]) else { continue };
            let most = Message::from_vec(&bytes[..length]).map_or(512, |question| question.max_payload());
            let Ok(whole) = answer.to_vec() else { continue };
            let cut = whole.len() > usize::from(most.clamp(512, UDP_BYTES));
            let reply = if cut { answer.truncate().to_vec() } else { Ok(whole) };
            if let Ok(reply) = reply {
                let _ = socket.send_to(&reply, from).await;
            }
        }
    }

    async fn serve_tcp(&self, mut stream: TcpStream) {
        let mut question = Vec::new();
        while let Ok(Ok(length)) = timeout(IDLE, stream.read_u16()).await {
            question.resize(usize::from(length), 0);
            if !matches!(timeout(IDLE, stream.read_exact(&mut question)).await, Ok(Ok(_))) {
                return;
            }
            let Some(reply) = self.answer(&question).and_then(|answer| answer.to_vec().ok()) else { return };
            let Ok(length) = u16::try_from(reply.len()) else { return };
            let mut framed = length.to_be_bytes().to_vec();
            framed.extend(reply);
            if stream.write_all(&framed).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::str::FromStr;

    use hickory_proto::dnssec::rdata::DNSSECRData;
    use hickory_proto::dnssec::{Proof, TrustAnchors};
    use hickory_proto::op::Query;
    use hickory_proto::rr::RData;
    use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
    use hickory_resolver::lookup::Lookup;
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::net::{DnsError, NetError};
    use hickory_resolver::{Resolver, TokioResolver};

    use super::*;

    fn small_world() -> Vec<Zone> {
        vec![
            Zone::new(".", Signing::Signed),
            Zone::new("example", Signing::Signed),
            Zone::new("clinic.example", Signing::Signed)
                .mx("clinic.example", 10, "mx1.clinic.example")
                .a("mx1.clinic.example", Ipv4Addr::new(127, 0, 53, 1))
                .txt("clinic.example", &format!("v=spf1 -all {}", "x".repeat(2000)))
                .cname("alias.clinic.example", "www.plain.example")
                .cname("loop.clinic.example", "loop.clinic.example")
                .txt("*.wild.clinic.example", "any")
                .txt("a.b.deep.clinic.example", "below"),
            Zone::new("plain.example", Signing::Unsigned)
                .a("www.plain.example", Ipv4Addr::new(127, 0, 53, 2))
                .txt("plain.example", "v=spf1 -all"),
            Zone::new("broken.example", Signing::Broken).txt("broken.example", "v=spf1 -all"),
            Zone::new("com", Signing::Unsigned).txt("spf.vendor.com", "v=spf1 -all"),
        ]
    }

    async fn resolver(tasks: &mut JoinSet<()>) -> (TokioResolver, SocketAddr) {
        let knowledge = Arc::new(Knowledge::new(small_world(), &["down.clinic.example."]).unwrap());
        let anchors = TrustAnchors::from_str(knowledge.trust_anchor()).unwrap();
        let address = knowledge.serve(tasks).await.unwrap();
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        let config = ResolverConfig::from_parts(None, vec![], vec![server]);
        let mut builder =
            Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_trust_anchor(Arc::new(anchors));
        builder.options_mut().use_hosts_file = ResolveHosts::Never;
        (builder.build().unwrap(), address)
    }

    fn proofs(lookup: &Lookup, kind: RecordType) -> Vec<Proof> {
        lookup.answers().iter().filter(|record| record.record_type() == kind).map(|record| record.proof).collect()
    }

    #[tokio::test]
    async fn a_validator_finds_signed_zones_secure_and_unsigned_ones_insecure() {
        let mut tasks = JoinSet::new();
        let (resolver, _) = resolver(&mut tasks).await;
        for (name, kind, proof) in [
            ("clinic.example.", RecordType::MX, Proof::Secure),
            ("clinic.example.", RecordType::TXT, Proof::Secure),
            ("mx1.clinic.example.", RecordType::A, Proof::Secure),
            ("clinic.example.", RecordType::DNSKEY, Proof::Secure),
            ("clinic.example.", RecordType::DS, Proof::Secure),
            ("alias.clinic.example.", RecordType::A, Proof::Insecure),
            ("alias.clinic.example.", RecordType::CNAME, Proof::Secure),
            ("plain.example.", RecordType::TXT, Proof::Insecure),
            ("spf.vendor.com.", RecordType::TXT, Proof::Insecure),
        ] {
            let lookup = resolver.lookup(name, kind).await.unwrap_or_else(|error| panic!("{name} {kind}: {error}"));
            assert_eq!(proofs(&lookup, kind).first(), Some(&proof), "{name} {kind}");
        }
    }

    #[tokio::test]
    async fn absence_is_proven() {
        let mut tasks = JoinSet::new();
        let (resolver, _) = resolver(&mut tasks).await;
        for (name, kind, rcode) in [
            ("_domainkey.clinic.example.", RecordType::TXT, ResponseCode::NXDomain),
            ("nobody.example.", RecordType::MX, ResponseCode::NXDomain),
            ("s1._domainkey.spf.vendor.com.", RecordType::TXT, ResponseCode::NXDomain),
            ("clinic.example.", RecordType::AAAA, ResponseCode::NoError),
            ("deep.clinic.example.", RecordType::TXT, ResponseCode::NoError),
            ("some.wild.clinic.example.", RecordType::MX, ResponseCode::NoError),
            ("alias.clinic.example.", RecordType::MX, ResponseCode::NoError),
            ("plain.example.", RecordType::DS, ResponseCode::NoError),
        ] {
            match resolver.lookup(name, kind).await {
                Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                    assert_eq!(none.response_code, rcode, "{name} {kind}");
                }
                other => panic!("{name} {kind}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn broken_signatures_failures_and_alias_loops_are_servfail() {
        let mut tasks = JoinSet::new();
        let (resolver, _) = resolver(&mut tasks).await;
        for name in ["broken.example.", "x.down.clinic.example.", "loop.clinic.example."] {
            match resolver.lookup(name, RecordType::TXT).await {
                Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail))) => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    fn ask(knowledge: &Knowledge, name: &str, kind: RecordType, dnssec: bool, unchecked: bool) -> Message {
        let mut question = Message::query();
        question.metadata.checking_disabled = unchecked;
        question.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        question.set_edns(Edns::new().set_dnssec_ok(dnssec).clone());
        knowledge.answer(&question.to_vec().unwrap()).unwrap()
    }

    #[test]
    fn checking_disabled_brings_the_data_that_was_withheld() {
        let knowledge = Knowledge::new(small_world(), &[]).unwrap();
        let withheld = ask(&knowledge, "broken.example.", RecordType::TXT, true, false);
        assert_eq!(withheld.metadata.response_code, ResponseCode::ServFail);
        let answer = ask(&knowledge, "broken.example.", RecordType::TXT, true, true);
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
        assert!(matches!(answer.answers[0].data, RData::TXT(_)));
        assert!(!answer.metadata.authentic_data);
    }

    #[test]
    fn a_wildcard_answer_says_so_and_proves_that_nothing_is_closer() {
        let knowledge = Knowledge::new(small_world(), &[]).unwrap();
        let answer = ask(&knowledge, "some.wild.clinic.example.", RecordType::TXT, true, false);
        let signature = answer.answers.iter().find_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature),
            _ => None,
        });
        assert_eq!(signature.unwrap().input().num_labels, 3);
        assert!(answer.answers.iter().all(|record| record.name.to_ascii() == "some.wild.clinic.example."));
        assert!(answer.authorities.iter().any(|record| record.record_type() == RecordType::NSEC));
    }

    #[test]
    fn signatures_are_sent_to_those_who_ask_for_them_and_the_flag_tells_validated_data() {
        let knowledge = Knowledge::new(small_world(), &[]).unwrap();
        let plain = ask(&knowledge, "clinic.example.", RecordType::MX, false, false);
        assert_eq!(plain.answers.len(), 1);
        let signed = ask(&knowledge, "clinic.example.", RecordType::MX, true, false);
        assert_eq!(signed.answers.len(), 2);
        assert!(signed.metadata.authentic_data && signed.metadata.recursion_available);
        assert!(!ask(&knowledge, "alias.clinic.example.", RecordType::A, true, false).metadata.authentic_data);
    }

    #[tokio::test]
    async fn a_large_answer_comes_over_tcp_and_noise_gets_none() {
        let mut tasks = JoinSet::new();
        let (resolver, address) = resolver(&mut tasks).await;
        let socket = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        socket.send_to(b"\x00noise", address).await.unwrap();
        let lookup = resolver.lookup("clinic.example.", RecordType::TXT).await.unwrap();
        let text: Vec<u8> = match &lookup.answers()[0].data {
            RData::TXT(text) => text.txt_data.concat(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text.len(), "v=spf1 -all ".len() + 2000);
    }
}
