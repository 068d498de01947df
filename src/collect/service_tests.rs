//! Tests against servers of our own on loopback: honest ones with a made-up certificate, and hostile
//! ones.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::collect::network::{ConnectTo, Network, NetworkOptions};
use crate::records::tls_picture::{Support, Version};
use crate::report::probe::endpoint::{EndpointView, view};

#[path = "service_hostile_tests.rs"]
mod hostile;

const HOST: &str = "mx.clinic.example";

#[expect(clippy::disallowed_methods, reason = "a test listens on loopback")]
async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A server that treats each connection alike.
async fn serve<F, S>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream) -> S + Send + Sync + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    address
}

fn options(port: u16, to: SocketAddr) -> NetworkOptions {
    NetworkOptions {
        allow_net: vec![Network { address: "127.0.0.0".parse().unwrap(), prefix: 8 }],
        connect_to: vec![ConnectTo { host: HOST.to_owned(), port, to }],
        connection_deadline: Duration::from_millis(600),
        endpoint_deadline: Duration::from_secs(20),
        rate: Some(10_000.0),
        max_connections: Some(8),
        ..NetworkOptions::default()
    }
}

async fn look_with(options: NetworkOptions, port: u16, mode: Mode, active: bool) -> EndpointView {
    let dialer = Dialer::new(Arc::new(options));
    let mut target = ServiceTarget::new(HOST, Vec::new(), port);
    target.active_probes = active;
    view(&probe(&dialer, &target, mode).await[0]).unwrap()
}

async fn look(to: SocketAddr, port: u16, mode: Mode) -> EndpointView {
    look_with(options(port, to), port, mode, false).await
}

fn acceptor(versions: &[&'static SupportedProtocolVersion]) -> (TlsAcceptor, Vec<u8>) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec![HOST.to_owned()]).unwrap().self_signed(&key).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem().into_bytes())
}

async fn serve_tls(acceptor: TlsAcceptor) -> SocketAddr {
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                let _ = tls.read(&mut [0; 64]).await;
            }
        }
    })
    .await
}

/// SMTP with these EHLO lines and this answer to STARTTLS; `then` has the stream after a 220.
async fn serve_smtp<F, S>(ehlo: &'static str, starttls: &'static str, then: F) -> SocketAddr
where
    F: Fn(BufReader<TcpStream>) -> S + Send + Sync + Clone + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    serve(move |stream| {
        let then = then.clone();
        async move {
            let mut stream = BufReader::new(stream);
            let _ = stream.write_all(b"220 mx.clinic.example ESMTP\r\n").await;
            loop {
                let mut line = String::new();
                if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
                    return;
                }
                let answer = match line.trim_end() {
                    "STARTTLS" => starttls,
                    "QUIT" => "221 bye\r\n",
                    line if line.starts_with("EHLO ") => ehlo,
                    _ => "502 no\r\n",
                };
                let _ = stream.write_all(answer.as_bytes()).await;
                if line.starts_with("STARTTLS") && starttls.starts_with("220") {
                    return then(stream).await;
                }
            }
        }
    })
    .await
}

const EHLO: &str = "250-mx.clinic.example\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n";

#[tokio::test]
async fn a_whole_picture_of_tls_1_2_and_1_3_is_exact() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let view = look(serve_tls(acceptor).await, 993, Mode::Full).await;
    assert_eq!(view.state, "tls");
    for (version, word) in
        [("TLSv1.3", "accepted"), ("TLSv1.2", "accepted"), ("TLSv1.1", "refused"), ("TLSv1.0", "refused")]
    {
        assert_eq!(view.versions[version], word, "{version}");
    }
    assert_eq!(
        view.suites["TLSv1.3"],
        ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    );
    assert_eq!(
        view.suites["TLSv1.2"],
        [
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ]
    );
    assert_eq!(view.groups["TLSv1.3"], ["secp256r1", "secp384r1", "x25519", "X25519MLKEM768"]);
    assert!(view.exhaustive["TLSv1.3"] && view.exhaustive["TLSv1.2"] && view.exhaustive["TLSv1.1"]);
    assert_eq!(view.order["TLSv1.3"], "client");
    let [certificate] = view.certificates.as_slice() else { panic!("one certificate: {:?}", view.certificates) };
    assert!(certificate.hostname_matches && !certificate.trusted);
    assert_eq!(certificate.problems, ["self-signed", "untrusted"]);
    assert_eq!(view.not_observed, None);
}

#[tokio::test]
async fn starttls_on_port_25_is_judged_with_few_connections() {
    let (acceptor, pem) = acceptor(&[&rustls::version::TLS12]);
    let address = serve_smtp(EHLO, "220 go ahead\r\n", move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut tls) = acceptor.accept(stream).await {
                let _ = tls.read(&mut [0; 64]).await;
            }
        }
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    crate::files::write_whole(file.path(), &pem).unwrap();
    let options = NetworkOptions { ca_file: Some(file.path().to_owned()), ..options(25, address) };
    let view = look_with(options, 25, Mode::Verdict, true).await;
    assert_eq!(view.state, "tls");
    assert_eq!((view.versions["TLSv1.3"], view.versions["TLSv1.2"]), ("refused", "accepted"));
    assert!(view.connections <= 20, "{}", view.connections);
    assert!(view.certificates[0].trusted, "{:?}", view.certificates);
    assert_eq!(view.injection, "not-vulnerable");
}

#[tokio::test]
async fn a_server_that_keeps_what_came_before_tls_is_caught() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let address = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = stream;
            let _ = stream.write_all(b"220 mx ESMTP\r\n").await;
            let mut piece = [0; 512];
            let _ = stream.read(&mut piece).await;
            let _ = stream.write_all(EHLO.as_bytes()).await;
            let count = stream.read(&mut piece).await.unwrap_or(0);
            let kept = piece[..count].strip_prefix(b"STARTTLS\r\n").unwrap_or_default().to_vec();
            let _ = stream.write_all(b"220 go\r\n").await;
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            if !kept.is_empty() {
                let _ = tls.write_all(b"250 ok\r\n").await;
            }
            let _ = tls.read(&mut piece).await;
        }
    })
    .await;
    let view = look_with(options(25, address), 25, Mode::Verdict, true).await;
    assert_eq!(view.injection, "vulnerable");
}

#[tokio::test]
async fn refusals_and_missing_starttls_have_words_of_their_own() {
    async fn nothing(_: BufReader<TcpStream>) {}
    for (ehlo, starttls, state) in [
        ("250-mx.clinic.example\r\n250 SIZE 1000\r\n", "", "starttls-not-offered"),
        ("250-mx.clinic.example\r\n250 XXXXXXXA\r\n", "", "starttls-stripped"),
        ("502 what?\r\n", "", "starttls-not-offered"),
        ("554 no\r\n", "", "refused-554"),
        ("550 no\r\n", "", "refused-5xx"),
        (EHLO, "454 not now\r\n", "starttls-refused-temporary"),
        (EHLO, "554 never\r\n", "starttls-refused"),
        (EHLO, "220 go\r\n", "starttls-broken"),
    ] {
        let address = serve_smtp(ehlo, starttls, nothing).await;
        let view = look(address, 25, Mode::Verdict).await;
        assert_eq!(view.state, state, "{ehlo:?} {starttls:?}");
        assert!(view.versions.values().all(|&word| word != "accepted"));
    }
}

#[tokio::test]
async fn greetings_that_turn_us_away_have_words_of_their_own() {
    for (greeting, state) in [
        ("421 too busy\r\n", "refused-421"),
        ("450 not now\r\n", "refused-4xx"),
        ("554 no\r\n", "refused-554"),
        ("550 no\r\n", "refused-5xx"),
        ("SSH-2.0-x\r\n", "not-tls"),
    ] {
        let address = serve(move |mut stream: TcpStream| async move {
            let _ = stream.write_all(greeting.as_bytes()).await;
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        let options = NetworkOptions { endpoint_deadline: Duration::from_secs(2), ..options(25, address) };
        let view = look_with(options, 25, Mode::Verdict, false).await;
        assert_eq!(view.state, state, "{greeting:?}");
        assert!(view.versions.values().all(|&word| word == "unknown"));
    }
}

#[tokio::test]
async fn hostile_servers_end_by_the_deadline_and_settle_nothing() {
    type Handle = fn(TcpStream) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    let silent: Handle = |stream| {
        Box::pin(async move {
            let _keep = stream;
            std::future::pending::<()>().await;
        })
    };
    let drip: Handle = |mut stream| {
        Box::pin(async move {
            while stream.write_all(b"2").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
    };
    let endless_line: Handle =
        |mut stream| Box::pin(async move { while stream.write_all(&[b'2'; 4096]).await.is_ok() {} });
    let endless_lines: Handle =
        |mut stream| Box::pin(async move { while stream.write_all(&b"220-hello\r\n".repeat(100)).await.is_ok() {} });
    let endless_records: Handle = |mut stream| {
        Box::pin(async move {
            let record = [&[22, 3, 3, 0, 100][..], &[20, 0, 0, 96], &[0; 96]].concat().repeat(50);
            while stream.write_all(&record).await.is_ok() {}
        })
    };
    let closes: Handle = |stream| Box::pin(async move { drop(stream) });
    for (name, handle, port, state) in [
        ("silent", silent, 25, "timeout"),
        ("silent", silent, 993, "timeout"),
        ("drip", drip, 25, "not-tls"),
        ("drip", drip, 993, "not-tls"),
        ("endless line", endless_line, 25, "not-tls"),
        ("endless lines", endless_lines, 25, "limit"),
        ("endless records", endless_records, 993, "not-tls"),
        ("closes", closes, 25, "unreachable"),
        ("closes", closes, 993, "no-tls"),
    ] {
        let address = serve(handle).await;
        let options = NetworkOptions {
            connection_deadline: Duration::from_millis(300),
            endpoint_deadline: Duration::from_millis(1500),
            ..options(port, address)
        };
        let looked = tokio::time::timeout(Duration::from_secs(20), look_with(options, port, Mode::Full, false)).await;
        let view = looked.unwrap_or_else(|_| panic!("{name} on {port} hangs"));
        assert_eq!(view.state, state, "{name} on {port}");
        assert!(view.versions.values().all(|&word| word != "accepted"), "{name} on {port}");
    }
}

#[tokio::test]
async fn a_service_that_turns_us_away_halfway_leaves_the_rest_unknown() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let count = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let address = serve(move |mut stream| {
        let acceptor = acceptor.clone();
        let turned_away = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 2;
        async move {
            if turned_away {
                let _ = stream.write_all(b"421 enough\r\n").await;
                return;
            }
            let mut piece = [0; 512];
            let _ = stream.write_all(b"220 mx ESMTP\r\n").await;
            let _ = stream.read(&mut piece).await;
            let _ = stream.write_all(EHLO.as_bytes()).await;
            let _ = stream.read(&mut piece).await;
            let _ = stream.write_all(b"220 go\r\n").await;
            let _ = acceptor.accept(stream).await;
        }
    })
    .await;
    let options =
        NetworkOptions { endpoint_deadline: Duration::from_secs(3), max_connections: Some(1), ..options(25, address) };
    let view = look_with(options, 25, Mode::Verdict, false).await;
    assert_eq!(view.state, "tls");
    assert_eq!(view.versions["TLSv1.3"], "accepted");
    assert_eq!((view.versions["TLSv1.0"], view.versions["SSLv3"]), ("unknown", "unknown"));
    assert!(view.not_observed.is_some());
}

#[tokio::test]
async fn imap_pop3_and_sieve_come_to_tls_in_order() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    for (port, greeting, script) in [
        (
            143,
            "* OK ready\r\n",
            [
                ("a1 CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK\r\n"),
                ("a2 STARTTLS", "a2 OK go\r\n"),
            ],
        ),
        (110, "+OK ready\r\n", [("CAPA", "+OK\r\nSTLS\r\nUSER\r\n.\r\n"), ("STLS", "+OK go\r\n")]),
        (4190, "\"SIEVE\" \"fileinto\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n", [("STARTTLS", "OK go\r\n"), ("", "")]),
    ] {
        let acceptor = acceptor.clone();
        let address = serve(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let mut stream = BufReader::new(stream);
                let _ = stream.write_all(greeting.as_bytes()).await;
                for (command, answer) in script {
                    if command.is_empty() {
                        break;
                    }
                    let mut line = String::new();
                    let _ = stream.read_line(&mut line).await;
                    assert_eq!(line.trim_end(), command);
                    // Byte by byte, to show that segments do not matter.
                    for byte in answer.as_bytes() {
                        let _ = stream.write_all(&[*byte]).await;
                        let _ = stream.flush().await;
                    }
                }
                if let Ok(mut tls) = acceptor.accept(stream).await {
                    let _ = tls.read(&mut [0; 64]).await;
                }
            }
        })
        .await;
        let view = look(address, port, Mode::Full).await;
        assert_eq!((view.state.as_str(), view.versions["TLSv1.3"]), ("tls", "accepted"), "{port}");
    }
}

#[tokio::test]
async fn imap_pop3_and_sieve_without_starttls_say_so() {
    for (port, greeting, answer, state) in [
        (143, "* OK ready\r\n", "* CAPABILITY IMAP4rev1\r\na1 OK\r\n", "starttls-not-offered"),
        (143, "* BYE busy\r\n", "", "refused-4xx"),
        (110, "+OK ready\r\n", "+OK\r\nUSER\r\n.\r\n", "starttls-not-offered"),
        (110, "-ERR [SYS/TEMP] later\r\n", "", "refused-4xx"),
        (4190, "\"SIEVE\" \"fileinto\"\r\nOK\r\n", "", "starttls-not-offered"),
        (4190, "HTTP/1.1 400 Bad\r\n", "", "not-tls"),
    ] {
        let address = serve(move |mut stream: TcpStream| async move {
            let _ = stream.write_all(greeting.as_bytes()).await;
            let _ = stream.read(&mut [0; 64]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        let options = NetworkOptions { endpoint_deadline: Duration::from_secs(2), ..options(port, address) };
        assert_eq!(look_with(options, port, Mode::Full, false).await.state, state, "{port} {greeting:?}");
    }
}

#[tokio::test]
async fn nothing_is_asked_where_nobody_is_or_may_be_asked() {
    let (_, free) = listen().await;
    assert_eq!(look(free, 25, Mode::Verdict).await.state, "unreachable");
    let fenced = NetworkOptions { allow_net: Vec::new(), ..options(25, free) };
    let view = look_with(fenced, 25, Mode::Verdict, false).await;
    assert_eq!((view.state.as_str(), view.connections), ("not-in-scope", 0));
    let without_address = NetworkOptions { connect_to: Vec::new(), ..options(25, free) };
    assert_eq!(look_with(without_address, 25, Mode::Verdict, false).await.state, "unresolved");
}

/// A TLS 1.2 server of hand-made words, for habits no library has: what it answers is decided by the
/// suites offered.
async fn serve_hand_made(answer: fn(u16, &[u16]) -> Option<Vec<u8>>) -> SocketAddr {
    serve(move |mut stream: TcpStream| async move {
        let mut hello = vec![0; 4096];
        let Ok(count) = stream.read(&mut hello).await else { return };
        // Record 5, handshake header 4, then version, random 32, session id.
        let Some(body) = hello.get(9..count) else { return };
        let Some(&[high, low]) = body.get(..2) else { return };
        let session = usize::from(body.get(34).copied().unwrap_or(0));
        let Some(&[a, b]) = body.get(35 + session..37 + session) else { return };
        let length = usize::from(u16::from_be_bytes([a, b]));
        let suites = body.get(37 + session..37 + session + length).unwrap_or_default();
        let suites: Vec<u16> = suites.as_chunks::<2>().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect();
        let version = if session > 0 { 0x0304 } else { u16::from_be_bytes([high, low]) };
        if let Some(bytes) = answer(version, &suites) {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.read(&mut hello).await;
        }
    })
    .await
}

fn chooses(suite: u16) -> Vec<u8> {
    let mut messages = crate::records::server_hello::tests::server_hello(0x0303, suite, None);
    messages.extend([14, 0, 0, 0]);
    let length = u16::try_from(messages.len()).unwrap().to_be_bytes();
    [&[22, 3, 3][..], &length, &messages].concat()
}

#[tokio::test]
async fn a_suite_that_makes_the_server_close_does_not_hide_the_others() {
    // It prefers DHE, has no parameters for it, and closes without a word on whatever it cannot do.
    let address = serve_hand_made(|version, suites| {
        if version != 0x0303 || suites.iter().any(|&code| (0x9e..=0x9f).contains(&code) || code == 0x33) {
            return None;
        }
        [0xc02f, 0xc030, 0x009c].into_iter().find(|code| suites.contains(code)).map(chooses)
    })
    .await;
    let view = look(address, 993, Mode::Full).await;
    assert_eq!(view.versions["TLSv1.2"], "accepted");
    assert_eq!(view.suites["TLSv1.2"].len(), 3, "{:?}", view.suites);
    assert_eq!((view.versions["TLSv1.0"], view.versions["TLSv1.3"]), ("refused", "refused"));
}

#[tokio::test]
async fn a_server_that_dislikes_long_lists_is_asked_shorter_ones() {
    let address = serve_hand_made(|version, suites| {
        const REFUSED: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
        if suites.len() > 40 {
            return None;
        }
        if version != 0x0303 {
            return Some([21, 3, 3, 0, 2, 2, 70].to_vec());
        }
        Some([0xc02f, 0xc013, 0x009c].into_iter().find(|code| suites.contains(code)).map_or(REFUSED.to_vec(), chooses))
    })
    .await;
    let view = look(address, 993, Mode::Full).await;
    assert_eq!(view.suites["TLSv1.2"].len(), 3, "{:?}", view.suites);
}

#[tokio::test]
async fn a_server_that_chooses_what_nobody_offered_is_believed_nothing() {
    let address = serve_hand_made(|_, _| Some(chooses(0x0005))).await;
    let view = look(address, 993, Mode::Full).await;
    assert!(view.suites.values().all(|suites| suites.len() <= 1), "{:?}", view.suites);
    assert!(view.connections < 60, "{}", view.connections);
}

#[tokio::test]
async fn each_address_is_asked_and_reported_apart() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let address = serve_tls(acceptor).await;
    let options = NetworkOptions { connect_to: Vec::new(), ..options(993, address) };
    let dialer = Dialer::new(Arc::new(options));
    let mut target =
        ServiceTarget::new(HOST, vec!["127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()], address.port());
    target.starttls = StartTls::None;
    let seen = probe_each(&dialer, &target, Mode::Verdict).await;
    let states: Vec<_> = seen.iter().map(|one| view(one).unwrap()).map(|view| (view.address, view.state)).collect();
    let expected = [("127.0.0.1", "tls"), ("10.0.0.1", "not-in-scope")];
    assert_eq!(states, expected.map(|(address, state)| (address.to_owned(), state.to_owned())));
    let Ok(Answer::Endpoint(answer)) = &seen[0].answer else { panic!("an answer") };
    assert_eq!(picture(answer).version(Version::Tls1_3).support, Support::Accepted);
}

#[tokio::test]
async fn a_host_of_others_is_asked_at_one_address_with_few_connections_and_ours_at_each() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let address = serve_tls(acceptor).await;
    let options = NetworkOptions { connect_to: Vec::new(), ..options(993, address) };
    let dialer = Dialer::new(Arc::new(options));
    let addresses = ["127.0.0.1", "127.0.0.2"].map(|address| address.parse().unwrap()).to_vec();
    let ours = ServiceTarget {
        starttls: StartTls::None,
        operated_by: "us".to_owned(),
        ..ServiceTarget::new(HOST, addresses, address.port())
    };
    let theirs = ServiceTarget { operated_by: "google-workspace".to_owned(), ..ours.clone() };
    assert_eq!(probe(&dialer, &ours, Mode::Verdict).await.len(), 2);
    let seen = probe(&dialer, &theirs, Mode::Full).await;
    let [Observation { answer: Ok(Answer::Endpoint(answer)), .. }] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(answer.addresses_not_asked, ["127.0.0.2"]);
    assert_eq!(answer.connections, 16);
    assert!(matches!(answer.cut_short, Some(NotObserved::Limit { .. })), "{:?}", answer.cut_short);
}

#[tokio::test]
async fn an_address_of_others_that_does_not_answer_stays_known_beside_the_one_that_does() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let address = serve_tls(acceptor).await;
    let options = NetworkOptions { connect_to: Vec::new(), ..options(993, address) };
    let dialer = Dialer::new(Arc::new(options));
    let addresses = ["10.0.0.1", "127.0.0.1"].map(|address| address.parse().unwrap()).to_vec();
    let target = ServiceTarget {
        starttls: StartTls::None,
        operated_by: "google-workspace".to_owned(),
        ..ServiceTarget::new(HOST, addresses, address.port())
    };
    let seen = probe(&dialer, &target, Mode::Verdict).await;
    assert_eq!(seen.iter().map(|one| one.answer.is_ok()).collect::<Vec<_>>(), [false, true]);
}
