//! The lab looked at from outside, as a client sees it.

use std::str::FromStr;
use std::sync::Arc;

use hickory_proto::dnssec::{Proof, TrustAnchors};
use hickory_proto::rr::RecordType;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Resolver, TokioResolver};
use jiff::civil::date;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Lab;
use super::clinic::Quarter;
use super::demo;

#[expect(clippy::disallowed_methods, reason = "the test is a client of the lab")]
async fn connect(lab: &Lab, host: &str, port: u16) -> TcpStream {
    let service = lab.connect_to.iter().find(|service| service.host == host && service.port == port);
    TcpStream::connect(service.unwrap_or_else(|| panic!("{host}:{port}")).to).await.unwrap()
}

async fn says<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, line: &str) -> String {
    if !line.is_empty() {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).await.unwrap();
    String::from_utf8(bytes[..count].to_vec()).unwrap()
}

fn trusting(lab: &Lab) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(lab.ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

async fn secure(lab: &Lab, stream: TcpStream, host: &str) -> Result<TlsStream<TcpStream>, std::io::Error> {
    trusting(lab).connect(ServerName::try_from(host.to_owned()).unwrap(), stream).await
}

fn resolver(lab: &Lab) -> TokioResolver {
    let anchors = TrustAnchors::from_str(&lab.trust_anchor).unwrap();
    let mut server = NameServerConfig::udp_and_tcp(lab.resolver.ip());
    server.connections.iter_mut().for_each(|connection| connection.port = lab.resolver.port());
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let mut builder =
        Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_trust_anchor(Arc::new(anchors));
    builder.options_mut().use_hosts_file = ResolveHosts::Never;
    builder.build().unwrap()
}

#[tokio::test]
async fn a_mail_exchanger_speaks_tls_that_a_client_of_the_private_authority_trusts() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let host = "mx1.clinic.example";
    let mut stream = connect(&lab, host, 25).await;
    assert!(says(&mut stream, "").await.starts_with("220 mx1.clinic.example"));
    assert!(says(&mut stream, "EHLO here.example").await.contains("250 STARTTLS"));
    assert!(says(&mut stream, "STARTTLS").await.starts_with("220"));
    let mut stream = secure(&lab, stream, host).await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let inside = says(&mut stream, "EHLO here.example").await;
    assert!(inside.starts_with("250-") && !inside.contains("STARTTLS"), "{inside}");
    assert!(says(&mut stream, "MAIL FROM:<a@b.example>").await.starts_with("550"));
    assert!(says(&mut stream, "QUIT").await.starts_with("221"));
}

#[tokio::test]
async fn the_second_exchangers_certificate_has_expired_and_is_renewed_a_quarter_later() {
    for (quarter, holds) in [(Quarter::Second, false), (Quarter::Third, true)] {
        let lab = demo::start(quarter).await.unwrap();
        let mut stream = connect(&lab, "mx2.clinic.example", 25).await;
        for line in ["", "EHLO here.example", "STARTTLS"] {
            says(&mut stream, line).await;
        }
        let secured = secure(&lab, stream, "mx2.clinic.example").await;
        assert_eq!(secured.is_ok(), holds, "{quarter:?}");
        if let Err(error) = secured {
            assert!(error.to_string().contains("expired"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_fallback_host_has_no_tls_and_takes_nothing() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let mut stream = connect(&lab, "fallback.clinic.example", 25).await;
    says(&mut stream, "").await;
    assert!(!says(&mut stream, "EHLO here.example").await.contains("STARTTLS"));
    assert!(says(&mut stream, "STARTTLS").await.starts_with("502"));
    assert!(says(&mut stream, "AUTH PLAIN AAAA").await.starts_with("535"));
    assert!(says(&mut stream, "DATA").await.starts_with("550"));
}

#[tokio::test]
async fn what_is_sent_with_starttls_is_forgotten() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let mut stream = connect(&lab, "mx1.clinic.example", 25).await;
    says(&mut stream, "").await;
    says(&mut stream, "EHLO here.example").await;
    assert!(says(&mut stream, "STARTTLS\r\nNOOP").await.ends_with("go ahead\r\n"));
    let mut stream = secure(&lab, stream, "mx1.clinic.example").await.unwrap();
    assert!(says(&mut stream, "HELO here.example").await.starts_with("250 mx1"));
}

/// A ClientHello of at most `version` with two suites, extensions left out.
fn old_hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    suites.iter().for_each(|suite| body.extend(suite.to_be_bytes()));
    body.extend([1, 0]);
    let mut hello = vec![22, 3, 1];
    hello.extend(u16::try_from(body.len() + 4).unwrap().to_be_bytes());
    hello.push(1);
    hello.extend(&u32::try_from(body.len()).unwrap().to_be_bytes()[1..]);
    hello.extend(body);
    hello
}

async fn submission(lab: &Lab) -> TcpStream {
    let mut stream = connect(lab, "smtp.clinic.example", 587).await;
    for line in ["", "EHLO here.example", "STARTTLS"] {
        says(&mut stream, line).await;
    }
    stream
}

#[tokio::test]
async fn the_submission_host_takes_old_hellos_and_new_ones() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    for (version, suites, answer) in [
        (0x0301, [0xc013, 0x000a], [22, 3, 1]),
        (0x0302, [0x002f, 0x000a], [22, 3, 2]),
        (0x0301, [0xc013, 0xc014], [21, 3, 1]),
        (0x0301, [0x002f, 0x5600], [21, 3, 1]),
    ] {
        let mut stream = submission(&lab).await;
        stream.write_all(&old_hello(version, &suites)).await.unwrap();
        let mut reply = [0; 6];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(reply[..3], answer, "{version:x}");
        assert_eq!(reply[5], if answer[0] == 22 { 2 } else { reply[5] });
    }
    let stream = submission(&lab).await;
    let mut stream = secure(&lab, stream, "smtp.clinic.example").await.unwrap();
    assert!(says(&mut stream, "EHLO here.example").await.contains("AUTH PLAIN LOGIN"));
    let mut stream = submission(&lab).await;
    stream.write_all(b"\x80\x2e\x01\x00\x02 no hello").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn passwords_wait_for_tls_except_on_the_forgotten_host() {
    let lab = demo::start(Quarter::Third).await.unwrap();
    let mut stream = connect(&lab, "imap.clinic.example", 143).await;
    assert!(says(&mut stream, "").await.contains("LOGINDISABLED"));
    assert!(says(&mut stream, "a1 STARTTLS").await.starts_with("a1 OK"));
    let mut stream = secure(&lab, stream, "imap.clinic.example").await.unwrap();
    assert!(says(&mut stream, "a2 CAPABILITY").await.contains("AUTH=PLAIN"));
    assert!(says(&mut stream, "a3 LOGIN somebody secret").await.starts_with("a3 NO"));
    let stream = connect(&lab, "imap.clinic.example", 993).await;
    let mut stream = secure(&lab, stream, "imap.clinic.example").await.unwrap();
    assert!(says(&mut stream, "").await.starts_with("* OK"));
    let mut stream = connect(&lab, "oldmail.clinic.example", 143).await;
    let greeting = says(&mut stream, "").await;
    assert!(greeting.contains("AUTH=PLAIN") && !greeting.contains("LOGINDISABLED"), "{greeting}");
}

#[tokio::test]
async fn the_mta_sts_policy_is_served_as_rfc_8461_wants_it() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let host = "mta-sts.clinic.example";
    let stream = connect(&lab, host, 443).await;
    let mut stream = secure(&lab, stream, host).await.unwrap();
    stream.write_all(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.clinic.example\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"), "{reply}");
    assert!(reply.ends_with("mode: testing\r\nmx: mx1.clinic.example\r\nmx: mx2.clinic.example\r\nmx: fallback.clinic.example\r\nmax_age: 604800\r\n"));
    let stream = connect(&lab, host, 443).await;
    let mut stream = secure(&lab, stream, host).await.unwrap();
    stream.write_all(b"GET /elsewhere HTTP/1.1\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_clinics_names_validate_and_its_partners_are_as_planted() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let resolver = resolver(&lab);
    for (name, kind, proof) in [
        ("clinic.example.", RecordType::MX, Proof::Secure),
        ("clinic.example.", RecordType::TXT, Proof::Secure),
        ("_dmarc.clinic.example.", RecordType::TXT, Proof::Secure),
        ("s1._domainkey.clinic.example.", RecordType::TXT, Proof::Secure),
        ("selector1._domainkey.clinic.example.", RecordType::TXT, Proof::Insecure),
        ("maplestreet.example.", RecordType::MX, Proof::Secure),
        ("lab.example.", RecordType::MX, Proof::Insecure),
        ("hospital.example.", RecordType::MX, Proof::Secure),
        ("mail.zendesk.com.", RecordType::TXT, Proof::Insecure),
    ] {
        let lookup = resolver.lookup(name, kind).await.unwrap_or_else(|error| panic!("{name} {kind}: {error}"));
        let record = lookup.answers().iter().find(|record| record.record_type() == kind).unwrap();
        assert_eq!(record.proof, proof, "{name} {kind}");
    }
    let third = demo::start(Quarter::Third).await.unwrap();
    let resolver = self::resolver(&third);
    assert!(resolver.lookup("hospital.example.", RecordType::MX).await.is_err());
    assert!(resolver.lookup("clinic.example.", RecordType::MX).await.is_ok());
}

#[tokio::test]
async fn every_host_has_an_address_on_loopback_and_a_place_to_connect_to() {
    let lab = demo::start(Quarter::Third).await.unwrap();
    let resolver = resolver(&lab);
    let answering = |host: &str| !host.ends_with("hospital.example");
    for service in lab.connect_to.iter().filter(|service| answering(&service.host)) {
        let addresses = resolver.lookup_ip(format!("{}.", service.host)).await.unwrap();
        assert!(addresses.iter().all(|address| address.is_loopback()), "{}", service.host);
        assert!(service.to.ip().is_loopback());
    }
}

#[tokio::test]
async fn the_world_ends_when_the_lab_is_dropped() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let service = lab.connect_to[0].to;
    drop(lab);
    tokio::task::yield_now().await;
    #[expect(clippy::disallowed_methods, reason = "the test is a client of the lab")]
    let refused = TcpStream::connect(service).await;
    assert!(refused.is_err());
}

#[test]
fn the_clients_folder_is_laid_out_with_papers_and_mail() {
    for quarter in Quarter::ALL {
        let folder = tempfile::tempdir().unwrap();
        demo::lay_out(quarter, folder.path()).unwrap();
        for path in [
            "scope.yaml",
            "answers.yaml",
            "registers/training.csv",
            "mail/front-desk/Inbox.mbox",
            "agreements/weave.txt",
        ] {
            assert!(folder.path().join(path).is_file(), "{path}");
        }
        let rules = std::fs::read(folder.path().join("exports/microsoft365/inbox-rules.json")).unwrap();
        assert_eq!(rules[..2], [0xff, 0xfe], "Windows PowerShell writes UTF-16LE");
    }
    assert_eq!(Quarter::Second.day(), date(2026, 6, 30));
}

#[tokio::test]
async fn the_network_options_name_files_that_hold_the_worlds_anchors() {
    let lab = demo::start(Quarter::Second).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = lab.network(folder.path()).unwrap();
    let anchor = std::fs::read_to_string(options.trust_anchor.unwrap()).unwrap();
    assert!(TrustAnchors::from_str(&anchor).unwrap().len() == 1);
    let authority = std::fs::read(options.ca_file.unwrap()).unwrap();
    assert!(CertificateDer::from_pem_slice(&authority).is_ok());
    assert_eq!(options.connect_to, lab.connect_to);
}
