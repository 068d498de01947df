use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::collect::dns::tests::World;
use crate::names::SubjectKind;

/// A policy host on loopback that answers every request with the same bytes, or drips them.
pub(crate) struct PolicyHost {
    pub(crate) address: SocketAddr,
    pub(crate) ca_file: tempfile::NamedTempFile,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for PolicyHost {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PolicyHost {
    #[expect(clippy::disallowed_methods, reason = "a test server on loopback")]
    pub(crate) async fn serve(name: &str, answer: &str, drip: bool) -> Self {
        let certificate = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let mut ca_file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut ca_file, certificate.cert.pem().as_bytes()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = answer.to_owned();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, answer) = (acceptor.clone(), answer.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut request = [0; 2048];
                    let _ = stream.read(&mut request).await;
                    if !drip {
                        let _ = stream.write_all(answer.as_bytes()).await;
                        let _ = stream.shutdown().await;
                        return;
                    }
                    for byte in answer.bytes() {
                        if stream.write_all(&[byte]).await.is_err() {
                            return;
                        }
                        let _ = stream.flush().await;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                });
            }
        });
        Self { address, ca_file, task }
    }

    pub(crate) fn options(&self, world: &World) -> NetworkOptions {
        NetworkOptions {
            ca_file: Some(self.ca_file.path().to_owned()),
            connect_to: vec![ConnectTo { host: "mta-sts.c.example".to_owned(), port: 443, to: self.address }],
            connection_deadline: Duration::from_millis(1_500),
            ..world.options()
        }
    }
}

pub(crate) const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: m.c.example\r\nmax_age: 1209600\r\n";

pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn fetch(host: &PolicyHost, options: impl FnOnce(&mut NetworkOptions)) -> Result<HttpsAnswer, NotObserved> {
    let world = World::serve(&["mta-sts.c.example A 127.0.0.1"], false).await;
    let mut given = host.options(&world);
    options(&mut given);
    let subject = SubjectId::new(SubjectKind::Domain, "c.example");
    let https = Https::new(&given).unwrap();
    match https.policy(&world.dns(), &subject, &"mta-sts.c.example".parse().unwrap()).await.answer {
        Ok(Answer::Https(answer)) => Ok(answer),
        Ok(other) => panic!("{other:?}"),
        Err(reason) => Err(reason),
    }
}

#[tokio::test]
async fn a_policy_is_fetched() {
    let host = PolicyHost::serve("mta-sts.c.example", &ok(POLICY), false).await;
    let answer = fetch(&host, |_| {}).await.unwrap();
    assert_eq!((answer.status, answer.failure), (Some(200), None));
    assert_eq!(answer.body.0, POLICY.as_bytes());
    assert_eq!(answer.content_type.unwrap().0, b"text/plain");
}

#[tokio::test]
async fn a_redirect_is_shown_and_not_followed() {
    let redirect = "HTTP/1.1 301 Moved\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n";
    let host = PolicyHost::serve("mta-sts.c.example", redirect, false).await;
    let answer = fetch(&host, |_| {}).await.unwrap();
    assert_eq!((answer.status, answer.failure), (Some(301), None));
    assert_eq!(answer.location.unwrap().0, b"https://evil.example/");
}

#[tokio::test]
async fn a_wrong_name_and_an_unknown_issuer_are_faults_of_the_certificate() {
    let host = PolicyHost::serve("other.example", &ok(POLICY), false).await;
    assert!(matches!(fetch(&host, |_| {}).await.unwrap().failure, Some(HttpsFailure::Certificate { .. })));
    let host = PolicyHost::serve("mta-sts.c.example", &ok(POLICY), false).await;
    let answer = fetch(&host, |options| options.ca_file = None).await.unwrap();
    assert!(matches!(answer.failure, Some(HttpsFailure::Certificate { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_flood_and_a_drip_both_end() {
    let host = PolicyHost::serve("mta-sts.c.example", &ok(&"x".repeat(200_000)), false).await;
    let answer = fetch(&host, |_| {}).await.unwrap();
    assert_eq!(answer.failure, Some(HttpsFailure::TooLarge { limit: 65_536 }));
    assert_eq!(answer.body.0.len(), 65_537);
    let host = PolicyHost::serve("mta-sts.c.example", &ok(&"x".repeat(5_000)), true).await;
    let answer = fetch(&host, |options| options.connection_deadline = Duration::from_millis(400)).await.unwrap();
    assert_eq!(answer.failure, Some(HttpsFailure::TimedOut { after_ms: 400 }));
}

#[tokio::test]
async fn what_is_not_http_is_a_fault_of_the_protocol() {
    let host = PolicyHost::serve("mta-sts.c.example", "220 ready\r\n", false).await;
    assert!(matches!(fetch(&host, |_| {}).await.unwrap().failure, Some(HttpsFailure::Protocol { .. })));
}

#[tokio::test]
async fn a_refused_connection_says_only_that_we_do_not_know() {
    let host = PolicyHost::serve("mta-sts.c.example", "", false).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = fetch(&host, |options| options.connect_to[0].to = nobody).await.unwrap_err();
    assert!(matches!(refused, NotObserved::Refused { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_private_address_is_never_contacted_unasked() {
    let host = PolicyHost::serve("mta-sts.c.example", &ok(POLICY), false).await;
    let refused = fetch(&host, |options| options.connect_to.clear()).await.unwrap_err();
    assert!(matches!(refused, NotObserved::NotInScope { .. }), "{refused:?}");
}
