//! The servers of the table: differently configured openssl, GnuTLS, nginx, rustls and tlslite-ng,
//! on loopback ports of the kernel's choice, in one temporary folder.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::clients::Client;

/// How a server is made.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A priority string of `gnutls-serv`, with the RSA key.
    GnuTls(&'static str),
    /// Lines of nginx's `server` block.
    Nginx(&'static str),
    /// Options of `openssl s_server`.
    OpenSsl(&'static str),
    /// Groups of an in-process rustls server, by code point.
    Rustls(&'static [u16]),
    /// Lowest and highest minor version and cipher names of tlslite-ng.
    Tlslite(&'static str, &'static str, &'static str),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub name: &'static str,
    pub kind: Kind,
    /// The curve of its only, elliptic-curve key.
    pub own_curve: Option<&'static str>,
    /// Asked in every run of the tests; the rest only when the whole table is wanted.
    pub always: bool,
}

pub(super) const fn case(name: &'static str, kind: Kind) -> Case {
    Case { name, kind, own_curve: None, always: false }
}

const fn always(case: Case) -> Case {
    Case { always: true, ..case }
}

const fn on_curve(case: Case, curve: &'static str) -> Case {
    Case { own_curve: Some(curve), ..case }
}

use Kind::{GnuTls, Nginx, OpenSsl, Rustls, Tlslite};

/// Every server of the table.
pub(super) const CASES: &[Case] = &[
    case("openssl RSA, default", OpenSsl("-cert rsa.pem -key rsa.key")),
    always(on_curve(case("openssl P-256, default", OpenSsl("-cert p256.pem -key p256.key")), "prime256v1")),
    on_curve(case("openssl P-384, default", OpenSsl("-cert p384.pem -key p384.key")), "secp384r1"),
    on_curve(case("openssl P-521, default", OpenSsl("-cert p521.pem -key p521.key")), "secp521r1"),
    always(case("openssl Ed25519", OpenSsl("-cert ed25519.pem -key ed25519.key"))),
    always(case("openssl RSA-PSS", OpenSsl("-cert pss.pem -key pss.key"))),
    case("openssl DSA", OpenSsl("-cert dsa.pem -key dsa.key -cipher ALL:@SECLEVEL=0 -no_tls1_3 -dhparam dh2048.pem")),
    always(case("openssl RSA and P-256", OpenSsl("-cert rsa.pem -key rsa.key -dcert p256.pem -dkey p256.key"))),
    always(case(
        "openssl everything, TLS 1.0 to 1.3",
        OpenSsl("-cert rsa.pem -key rsa.key -cipher ALL:COMPLEMENTOFALL:@SECLEVEL=0 -dhparam dh2048.pem"),
    )),
    case("openssl TLS 1.0 only", OpenSsl("-cert rsa.pem -key rsa.key -tls1 -cipher ALL:@SECLEVEL=0")),
    always(case("openssl TLS 1.1 only", OpenSsl("-cert rsa.pem -key rsa.key -tls1_1 -cipher ALL:@SECLEVEL=0"))),
    case("openssl TLS 1.2 only", OpenSsl("-cert rsa.pem -key rsa.key -tls1_2")),
    always(case("openssl TLS 1.3 only", OpenSsl("-cert rsa.pem -key rsa.key -tls1_3"))),
    always(case("openssl NULL", OpenSsl("-cert rsa.pem -key rsa.key -no_tls1_3 -cipher eNULL:@SECLEVEL=0"))),
    always(case("openssl anonymous", OpenSsl("-nocert -no_tls1_3 -cipher aNULL:@SECLEVEL=0 -dhparam dh1024.pem"))),
    always(case(
        "openssl DHE of 1024 bits",
        OpenSsl("-cert rsa.pem -key rsa.key -no_tls1_3 -cipher kDHE:!aNULL:@SECLEVEL=0 -dhparam dh1024.pem"),
    )),
    case(
        "openssl DHE of 2048 bits",
        OpenSsl("-cert rsa.pem -key rsa.key -no_tls1_3 -cipher kDHE:!aNULL -dhparam dh2048.pem"),
    ),
    case(
        "openssl Camellia",
        OpenSsl("-cert rsa.pem -key rsa.key -no_tls1_3 -cipher CAMELLIA:!aNULL -dhparam dh2048.pem"),
    ),
    case(
        "openssl CCM",
        OpenSsl(
            "-cert rsa.pem -key rsa.key -cipher AESCCM:AESCCM8 -ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
        ),
    ),
    case("openssl ARIA", OpenSsl("-cert rsa.pem -key rsa.key -no_tls1_3 -cipher ARIA:!aNULL -dhparam dh2048.pem")),
    always(case("openssl static RSA", OpenSsl("-cert rsa.pem -key rsa.key -no_tls1_3 -cipher kRSA"))),
    always(case("openssl server's order", OpenSsl("-cert rsa.pem -key rsa.key -serverpref"))),
    case(
        "openssl server's order, ChaCha20 first",
        OpenSsl(
            "-cert rsa.pem -key rsa.key -serverpref -cipher ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256 -ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
        ),
    ),
    case("openssl X25519 alone", OpenSsl("-cert rsa.pem -key rsa.key -groups X25519")),
    always(case("openssl P-384 alone", OpenSsl("-cert rsa.pem -key rsa.key -groups P-384"))),
    always(on_curve(
        case("openssl P-256 key, X25519 and P-256", OpenSsl("-cert p256.pem -key p256.key -groups X25519:P-256")),
        "prime256v1",
    )),
    always(case(
        "openssl small and binary curves",
        OpenSsl(
            "-cert rsa.pem -key rsa.key -cipher ECDHE:@SECLEVEL=0 -no_tls1_3 -groups sect163k1:secp160r1:prime192v1:secp224r1:secp256k1:sect571r1:brainpoolP384r1",
        ),
    )),
    case(
        "openssl finite-field groups in TLS 1.3",
        OpenSsl("-cert rsa.pem -key rsa.key -tls1_3 -groups ffdhe2048:ffdhe3072"),
    ),
    case(
        "openssl one suite in each version",
        OpenSsl("-cert rsa.pem -key rsa.key -cipher ECDHE-RSA-AES256-GCM-SHA384 -ciphersuites TLS_AES_256_GCM_SHA384"),
    ),
    case(
        "openssl CBC with SHA-2",
        OpenSsl(
            "-cert rsa.pem -key rsa.key -no_tls1_3 -cipher ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256:AES128-SHA256",
        ),
    ),
    always(case("gnutls NORMAL", GnuTls("NORMAL"))),
    always(case(
        "gnutls 3DES, RC4 and TLS 1.0",
        GnuTls(
            "NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+3DES-CBC:+ARCFOUR-128:+MD5:+RSA:%VERIFY_ALLOW_BROKEN",
        ),
    )),
    case("gnutls SECURE256, server's order", GnuTls("SECURE256:%SERVER_PRECEDENCE")),
    case(
        "gnutls NULL",
        GnuTls(
            "NONE:+VERS-TLS1.2:+NULL:+RSA:+ECDHE-RSA:+SHA1:+SHA256:+MD5:+SIGN-ALL:+GROUP-ALL:+COMP-NULL:+CTYPE-X509",
        ),
    ),
    always(case("nginx, Debian's defaults", Nginx(""))),
    case(
        "nginx, Mozilla intermediate",
        Nginx(
            "ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve X25519:prime256v1:secp384r1; ssl_prefer_server_ciphers off; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;",
        ),
    ),
    always(on_curve(case("rustls with hybrid groups", Rustls(&[0x11ec, 0x11eb, 0x001d, 0x0017])), "prime256v1")),
    always(on_curve(case("rustls, X25519MLKEM768 alone", Rustls(&[0x11ec])), "prime256v1")),
    case("tlslite-ng SSL 3.0, RC4 and 3DES", Tlslite("0", "0", "rc4,3des,aes128")),
    case("tlslite-ng SSL 3.0 to TLS 1.2", Tlslite("0", "3", "rc4,3des,aes256,null")),
];

/// A running server; stopped when dropped.
#[derive(Debug)]
pub(super) struct Running {
    pub port: u16,
    child: Option<Child>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            std::thread::sleep(Duration::from_millis(5));
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Case {
    /// The clients that can tell what this server does.
    pub fn clients(&self) -> &'static [Client] {
        match self.kind {
            OpenSsl(_) | Nginx(_) => &[Client::OpenSsl],
            GnuTls(_) => &[Client::OpenSsl, Client::GnuTls],
            Rustls(_) => &[Client::OpenSsl, Client::Rustls],
            Tlslite(..) => &[Client::OpenSsl, Client::Tlslite],
        }
    }

    /// Starts it in the folder of [`keys`].
    pub fn start(&self, folder: &Path) -> Running {
        let port = super::free_port();
        let child = match self.kind {
            OpenSsl(options) => {
                let accept = format!("127.0.0.1:{port}");
                let words = ["s_server", "-www", "-quiet", "-accept", &accept].into_iter().chain(options.split(' '));
                Some(spawn(folder, "openssl", words))
            }
            GnuTls(priority) => {
                let port = port.to_string();
                let words = ["--http", "--quiet", "--disable-client-cert", "--port", &port, "--priority", priority];
                let keys = ["--x509keyfile", "rsa.key", "--x509certfile", "rsa.pem", "--dhparams", "dh2048.pem"];
                Some(spawn(folder, "gnutls-serv", words.into_iter().chain(keys)))
            }
            Nginx(lines) => {
                let path = folder.display();
                let name = format!("nginx-{port}.conf");
                let conf = format!(
                    "daemon off;\npid {path}/nginx-{port}.pid;\nerror_log stderr crit;\nevents {{}}\nhttp {{\n access_log off;\n\
                     \x20client_body_temp_path {path}/b{port};\n proxy_temp_path {path}/p{port};\n fastcgi_temp_path {path}/f{port};\n\
                     \x20uwsgi_temp_path {path}/u{port};\n scgi_temp_path {path}/s{port};\n server {{\n  listen 127.0.0.1:{port} ssl;\n\
                     \x20 ssl_certificate {path}/rsa.pem;\n  ssl_certificate_key {path}/rsa.key;\n  {lines}\n }}\n}}\n"
                );
                std::fs::write(folder.join(&name), conf).unwrap();
                Some(spawn(folder, "nginx", ["-p", ".", "-c", folder.join(&name).to_str().unwrap()].into_iter()))
            }
            Rustls(groups) => {
                serve_rustls(port, groups);
                None
            }
            Tlslite(lowest, highest, ciphers) => {
                let python = super::clients::tlslite_python().expect("asked only where it is there");
                let port = port.to_string();
                let words =
                    ["-c", include_str!("tlslite_server.py"), &port, "rsa.key", "rsa.pem", lowest, highest, ciphers];
                Some(spawn(folder, python.to_str().unwrap(), words.into_iter()))
            }
        };
        let mut running = Running { port, child };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = running.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_))));
            assert!(!ended && started.elapsed() < Duration::from_secs(30), "`{}` does not listen", self.name);
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }
}

fn spawn<'a>(folder: &Path, program: &str, words: impl Iterator<Item = &'a str>) -> Child {
    Command::new(program)
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Makes the keys and certificates of the table.
pub(super) fn keys(folder: &Path) {
    let run = |words: &str| {
        let output = Command::new("openssl").args(words.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let leaf = "-nodes -days 20 -subj /CN=mail.clinic.example -addext subjectAltName=DNS:mail.clinic.example";
    for (name, key) in [
        ("rsa", "rsa:2048"),
        ("p256", "ec -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "ec -pkeyopt ec_paramgen_curve:P-384"),
        ("p521", "ec -pkeyopt ec_paramgen_curve:P-521"),
        ("ed25519", "ed25519"),
        ("pss", "rsa-pss -pkeyopt rsa_keygen_bits:2048"),
    ] {
        run(&format!("req -x509 -newkey {key} -keyout {name}.key -out {name}.pem {leaf}"));
    }
    // Published groups, so that no prime has to be searched for.
    run("genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dh2048.pem");
    std::fs::write(folder.join("dh1024.pem"), DH_1024).unwrap();
    run("dsaparam -out dsa.params 1024");
    run("gendsa -out dsa.key dsa.params");
    run("req -x509 -key dsa.key -out dsa.pem -days 20 -subj /CN=mail.clinic.example");
}

/// RFC 2409 section 6.2: the second Oakley group.
const DH_1024: &str = "-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
";

/// An in-process server that shakes hands and waits for the client to go.
fn serve_rustls(port: u16, groups: &[u16]) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let names = vec!["mail.clinic.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let kx_groups: Vec<_> =
        aws_lc_rs::ALL_KX_GROUPS.iter().copied().filter(|group| groups.contains(&u16::from(group.name()))).collect();
    assert_eq!(kx_groups.len(), groups.len());
    let provider = CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() };
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || answer(stream, config));
        }
    });
}

fn answer(mut stream: TcpStream, config: Arc<rustls::ServerConfig>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let Ok(mut session) = rustls::ServerConnection::new(config) else { return };
    while session.is_handshaking() {
        if session.complete_io(&mut stream).is_err() {
            let _ = session.write_tls(&mut stream);
            break;
        }
    }
    let _ = session.complete_io(&mut stream);
    session.send_close_notify();
    let _ = session.write_tls(&mut stream);
    let _ = stream.flush();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 512]);
}
