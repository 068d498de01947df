//! The world of Debian's servers that the real-server tests look at is what they take it for.
#![expect(clippy::disallowed_methods, reason = "tests start programs and open connections on loopback")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails where it stands, and says why it is skipped"
)]

#[path = "support/real.rs"]
mod real;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::dnssec::{Proof, TrustAnchors};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::{Resolver, TokioResolver};
use real::RealServers;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Says why the test is skipped; fails instead where `scripts/test` promised the servers.
fn skipped() -> bool {
    let missing = real::missing();
    let required = std::env::var("MAILASSAY_REAL_SERVERS").is_ok_and(|value| value == "required");
    assert!(missing.is_empty() || !required, "missing: {missing:?}; scripts/test installs them as root");
    if !missing.is_empty() {
        eprintln!("skipped: {}: missing {missing:?}", std::thread::current().name().unwrap_or("a test"));
    }
    !missing.is_empty()
}

fn resolver(world: &RealServers) -> TokioResolver {
    let anchors = TrustAnchors::from_str(&std::fs::read_to_string(&world.trust_anchor).unwrap()).unwrap();
    let mut server = NameServerConfig::udp_and_tcp(world.resolver.ip());
    server.connections.iter_mut().for_each(|connection| connection.port = world.resolver.port());
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let mut builder =
        Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_trust_anchor(Arc::new(anchors));
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    builder.build().unwrap()
}

fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads until `end` is there.
fn until(stream: &mut impl Read, end: &str) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&text).contains(end) {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {}", String::from_utf8_lossy(&text)));
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn secure(world: &RealServers, stream: TcpStream, host: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&world.ca_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut secured = StreamOwned::new(ClientConnection::new(config, name).unwrap(), stream);
    secured.conn.complete_io(&mut secured.sock).unwrap_or_else(|error| panic!("{host}: {error}"));
    secured
}

fn mail_speaks_tls(world: &RealServers) {
    let host = "mail.clinic.example";
    for port in [25, 587] {
        let mut stream = dial(world.place(host, port));
        assert!(until(&mut stream, "\r\n").starts_with("220 mail.clinic.example ESMTP Postfix (Debian/GNU)"));
        stream.write_all(b"EHLO test.example\r\n").unwrap();
        assert!(until(&mut stream, "250 CHUNKING\r\n").contains("250-STARTTLS"));
        stream.write_all(b"STARTTLS\r\n").unwrap();
        assert!(until(&mut stream, "\r\n").starts_with("220"));
        secure(world, stream, host);
    }
    for (port, ask, end) in [(143, "a STARTTLS\r\n", "a OK"), (110, "STLS\r\n", "+OK"), (4190, "STARTTLS\r\n", "OK")] {
        let mut stream = dial(world.place(host, port));
        until(&mut stream, if port == 4190 { "OK \"" } else { "\r\n" });
        until_quiet(&mut stream);
        stream.write_all(ask.as_bytes()).unwrap();
        until(&mut stream, end);
        until(&mut stream, "\r\n");
        secure(world, stream, host);
    }
    for port in [465, 993, 995] {
        let mut secured = secure(world, dial(world.place(host, port)), host);
        assert!(!until(&mut secured, "\r\n").is_empty());
    }
}

/// Reads the rest of a greeting.
fn until_quiet(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let _ = stream.read(&mut [0; 1024]);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
}

fn policy_is_served(world: &RealServers) {
    let host = "mta-sts.clinic.example";
    let mut secured = secure(world, dial(world.place(host, 443)), host);
    secured.write_all(format!("GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).unwrap();
    let reply = until(&mut secured, "max_age: 2592000\r\n");
    assert!(reply.contains("Content-Type: text/plain") && reply.contains("mode: enforce"), "{reply}");
}

async fn names_validate(world: &RealServers) {
    let resolver = resolver(world);
    for (name, kind, proof) in [
        ("clinic.example.", RecordType::MX, Proof::Secure),
        ("_dmarc.clinic.example.", RecordType::TXT, Proof::Secure),
        ("plain.example.", RecordType::TXT, Proof::Insecure),
    ] {
        let lookup =
            resolver.lookup(name, kind).await.unwrap_or_else(|error| panic!("{name}: {error}\n{}", world.logs()));
        assert_eq!(lookup.answers()[0].proof, proof, "{name} {kind}");
    }
    match resolver.lookup("_domainkey.clinic.example.", RecordType::TXT).await {
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => assert_eq!(none.response_code, ResponseCode::NXDomain),
        other => panic!("{other:?}"),
    }
    // Unbound withholds what does not validate.
    match resolver.lookup("expired.example.", RecordType::MX).await {
        Err(NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail))) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn debians_servers_answer_as_the_tests_take_them_to() {
    if skipped() {
        return;
    }
    let world = RealServers::start();
    names_validate(&world).await;
    mail_speaks_tls(&world);
    policy_is_served(&world);
    assert!(
        world.arguments().iter().any(|argument| argument.starts_with("--connect-to=mail.clinic.example:25:127.0.0.1:"))
    );
    let ports: Vec<SocketAddr> = world.connect_to.iter().map(|service| service.2).chain([world.resolver]).collect();
    drop(world);
    for port in ports {
        assert!(TcpStream::connect(port).is_err(), "{port} still listens");
    }
}
