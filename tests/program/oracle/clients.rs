//! What independent TLS clients can agree on with a server, one suite or one group a connection:
//! openssl's, GnuTLS's, rustls' and tlslite-ng's. None of them shares code with the prober's hellos.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mailassay::records::cipher_suites;

/// A client to ask with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    GnuTls,
    OpenSsl,
    Rustls,
    Tlslite,
}

/// What the clients found together, in the words of `probe`'s JSON.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub suites: BTreeMap<&'static str, BTreeSet<String>>,
    pub groups: BTreeMap<&'static str, BTreeSet<String>>,
    /// Where two suites or more are accepted.
    pub order: BTreeMap<&'static str, &'static str>,
    /// Bits of the Diffie-Hellman parameters.
    pub dh_bits: BTreeMap<&'static str, u64>,
}

/// A server to ask.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// A file for clients that want one; nothing is verified with it.
    pub any_certificate: PathBuf,
    pub port: u16,
    pub starttls: &'static str,
    /// The curve of its elliptic-curve key, where it has no other: TLS 1.2 needs it among the groups.
    pub own_curve: Option<&'static str>,
}

const VERSIONS: [(&str, &str); 4] =
    [("TLSv1.0", "tls1"), ("TLSv1.1", "tls1_1"), ("TLSv1.2", "tls1_2"), ("TLSv1.3", "tls1_3")];

/// openssl's words for groups, and the registered names.
const CURVES: [(&str, &str); 30] = [
    ("sect163k1", "sect163k1"),
    ("sect163r1", "sect163r1"),
    ("sect163r2", "sect163r2"),
    ("sect193r1", "sect193r1"),
    ("sect193r2", "sect193r2"),
    ("sect233k1", "sect233k1"),
    ("sect233r1", "sect233r1"),
    ("sect239k1", "sect239k1"),
    ("sect283k1", "sect283k1"),
    ("sect283r1", "sect283r1"),
    ("sect409k1", "sect409k1"),
    ("sect409r1", "sect409r1"),
    ("sect571k1", "sect571k1"),
    ("sect571r1", "sect571r1"),
    ("secp160k1", "secp160k1"),
    ("secp160r1", "secp160r1"),
    ("secp160r2", "secp160r2"),
    ("secp192k1", "secp192k1"),
    ("prime192v1", "secp192r1"),
    ("secp224k1", "secp224k1"),
    ("secp224r1", "secp224r1"),
    ("secp256k1", "secp256k1"),
    ("prime256v1", "secp256r1"),
    ("secp384r1", "secp384r1"),
    ("secp521r1", "secp521r1"),
    ("brainpoolP256r1", "brainpoolP256r1"),
    ("brainpoolP384r1", "brainpoolP384r1"),
    ("brainpoolP512r1", "brainpoolP512r1"),
    ("X25519", "x25519"),
    ("X448", "x448"),
];
const GROUPS_OF_TLS13: [(&str, &str); 10] = [
    ("prime256v1", "secp256r1"),
    ("secp384r1", "secp384r1"),
    ("secp521r1", "secp521r1"),
    ("X25519", "x25519"),
    ("X448", "x448"),
    ("ffdhe2048", "ffdhe2048"),
    ("ffdhe3072", "ffdhe3072"),
    ("ffdhe4096", "ffdhe4096"),
    ("ffdhe6144", "ffdhe6144"),
    ("ffdhe8192", "ffdhe8192"),
];

/// Asks with every client.
pub(super) fn ask(place: &Place, clients: &[Client]) -> Found {
    let mut found = Found::default();
    for client in clients {
        match client {
            Client::GnuTls => by_gnutls(place, &mut found),
            Client::OpenSsl => by_openssl(place, &mut found),
            Client::Rustls => by_rustls(place, &mut found),
            Client::Tlslite => by_tlslite(place, &mut found),
        }
    }
    found
}

fn run(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Suites of a version that this openssl has: its own name and the registered one.
fn openssl_suites(version: &str) -> Vec<(String, String)> {
    static LISTS: OnceLock<BTreeMap<&str, Vec<(String, String)>>> = OnceLock::new();
    let all = LISTS.get_or_init(|| {
        let list = |word: &str| {
            let mut command = Command::new("openssl");
            command.args(["ciphers", "-stdname", "-s", &format!("-{word}"), "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]);
            let read = |line: &str| {
                let mut words = line.split_whitespace();
                match (words.next()?, words.next()?, words.next()?) {
                    (iana, "-", name) => Some((name.to_owned(), iana.to_owned())),
                    _ => None,
                }
            };
            run(command).lines().filter_map(read).collect()
        };
        let mut lists: BTreeMap<&str, Vec<_>> = VERSIONS.iter().map(|&(_, word)| (word, list(word))).collect();
        // Those that openssl has, and does not list.
        let ccm = ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"];
        lists.entry("tls1_3").or_default().extend(ccm.map(|name| (name.to_owned(), name.to_owned())));
        lists
    });
    all[version].clone()
}

/// One connection of `openssl s_client`; its whole output.
fn s_client(place: &Place, version: &str, suites: &str, groups: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("127.0.0.1:{}", place.port), &format!("-{version}")]);
    command.args(["-groups", groups, "-servername", "mail.clinic.example"]);
    // Reading the machine's roots and settings takes most of the time, and says nothing here.
    command.args(["-no-CAfile", "-no-CApath", "-no-CAstore"]).env("OPENSSL_CONF", "/dev/null");
    if version == "tls1_3" {
        command.args(["-ciphersuites", suites, "-cipher", "DEFAULT:@SECLEVEL=0"]);
    } else {
        command.args(["-cipher", &format!("{suites}:@SECLEVEL=0")]);
    }
    if place.starttls != "none" {
        command.args(["-starttls", place.starttls]);
    }
    run(command)
}

/// The suite agreed on, by openssl's name.
fn agreed(output: &str) -> Option<&str> {
    let line = output.lines().find(|line| line.starts_with("New, "))?;
    line.split_once("Cipher is ").map(|(_, name)| name.trim()).filter(|name| *name != "(NONE)")
}

fn by_openssl(place: &Place, found: &mut Found) {
    let every_curve = CURVES.map(|(name, _)| name).join(":");
    let every_group = GROUPS_OF_TLS13.map(|(name, _)| name).join(":");
    for (version, word) in VERSIONS {
        let tls13 = word == "tls1_3";
        let groups = if tls13 { &every_group } else { &every_curve };
        let names: Vec<(String, String)> = openssl_suites(word);
        let all = names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(":");
        if s_client(place, word, &all, groups).contains("alert protocol version") {
            continue;
        }
        let mut accepted: Vec<&str> = Vec::new();
        for (name, iana) in &names {
            let output = s_client(place, word, name, groups);
            if agreed(&output) == Some(name) {
                accepted.push(name);
                found.suites.entry(version).or_default().insert(iana.clone());
                let bits = output.lines().find_map(|line| line.strip_prefix("Server Temp Key: DH, "));
                if let (false, Some(bits)) = (tls13, bits.and_then(|bits| bits.split(' ').next()?.parse::<u64>().ok()))
                {
                    found.dh_bits.entry(version).and_modify(|least| *least = bits.min(*least)).or_insert(bits);
                }
            }
        }
        if accepted.len() > 1 {
            let forward = accepted.join(":");
            let backward = accepted.iter().rev().copied().collect::<Vec<_>>().join(":");
            let [first, second] =
                [forward, backward].map(|list| agreed(&s_client(place, word, &list, groups)).map(str::to_owned));
            if let (Some(first), Some(second)) = (first, second) {
                found.order.insert(version, if first == second { "server" } else { "client" });
            }
        }
        let ephemeral: Vec<&str> = accepted
            .iter()
            .copied()
            .filter(|name| tls13 || name.starts_with("ECDHE-") || name.starts_with("AECDH-"))
            .collect();
        if ephemeral.is_empty() || !(tls13 || word == "tls1_2") {
            continue;
        }
        let candidates = if tls13 { &GROUPS_OF_TLS13[..] } else { &CURVES[..] };
        for (name, iana) in candidates {
            let with_own = match place.own_curve.filter(|own| !tls13 && own != name) {
                Some(own) => format!("{name}:{own}"),
                None => (*name).to_owned(),
            };
            let output = s_client(place, word, &ephemeral.join(":"), &with_own);
            let key = output.lines().find_map(|line| line.strip_prefix("Server Temp Key: "));
            let ours = key.is_some_and(|key| {
                key.contains(&format!("{name},"))
                    || name.strip_prefix("ffdhe").is_some_and(|bits| key == format!("DH, {bits} bits"))
            });
            if agreed(&output).is_some() && ours {
                found.groups.entry(version).or_default().insert((*iana).to_owned());
            }
        }
    }
}

/// GnuTLS' name of a suite, its code point, and the priority words that allow only it.
fn gnutls_suites() -> Vec<(u16, String)> {
    let mut command = Command::new("gnutls-cli");
    command.arg("--list");
    let read = |line: &str| {
        let (name, rest) = line.split_once(char::is_whitespace)?;
        let kind = name.strip_prefix("TLS_").filter(|kind| !kind.contains("PSK") && !kind.contains("SRP"))?;
        let byte = |text: &str| u16::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
        let mut words = rest.trim().split([',', '\t']).map(str::trim);
        let code = byte(words.next()?)? << 8 | byte(words.next()?)?;
        if words.next()? == "TLS1.3" {
            let cipher = kind.strip_suffix("_SHA256").or_else(|| kind.strip_suffix("_SHA384"))?.replace('_', "-");
            return Some((code, format!("+{cipher}:+AEAD:+SHA256:+SHA384")));
        }
        const EXCHANGES: [(&str, &str); 7] = [
            ("DHE_RSA_", "DHE-RSA"),
            ("DHE_DSS_", "DHE-DSS"),
            ("ECDHE_RSA_", "ECDHE-RSA"),
            ("ECDHE_ECDSA_", "ECDHE-ECDSA"),
            ("DH_ANON_", "ANON-DH"),
            ("ECDH_ANON_", "ANON-ECDH"),
            ("RSA_", "RSA"),
        ];
        let (exchange, rest) =
            EXCHANGES.iter().find_map(|(prefix, word)| kind.strip_prefix(prefix).map(|rest| (word, rest)))?;
        let aead = ["GCM", "CCM", "POLY1305"].iter().any(|word| rest.contains(word));
        let (cipher, mac) = if aead {
            let cipher = rest.strip_suffix("_SHA256").or_else(|| rest.strip_suffix("_SHA384")).unwrap_or(rest);
            (cipher, "AEAD")
        } else {
            rest.rsplit_once('_')?
        };
        let cipher = match cipher {
            "3DES_EDE_CBC" => "3DES-CBC".to_owned(),
            other => other.replace('_', "-"),
        };
        Some((code, format!("+{exchange}:+{cipher}:+{mac}")))
    };
    run(command).lines().filter_map(read).collect()
}

fn by_gnutls(place: &Place, found: &mut Found) {
    static SUITES: OnceLock<Vec<(u16, String)>> = OnceLock::new();
    let suites = SUITES.get_or_init(gnutls_suites);
    assert!(suites.len() > 80, "gnutls-cli --list was read: {suites:?}");
    let connect = |priority: &str| {
        let mut command = Command::new("gnutls-cli");
        command
            .args(["--port", &place.port.to_string(), "--no-ca-verification", "--x509cafile"])
            .arg(&place.any_certificate);
        command.args(["--priority", priority, "127.0.0.1"]);
        run(command).contains("Handshake was completed")
    };
    for (version, word) in [("TLSv1.0", "TLS1.0"), ("TLSv1.1", "TLS1.1"), ("TLSv1.2", "TLS1.2"), ("TLSv1.3", "TLS1.3")]
    {
        let common = format!("NONE:+VERS-{word}:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:+CTYPE-ALL");
        for (code, words) in suites {
            let name = cipher_suites::name_of(*code);
            let fits = cipher_suites::by_code(*code).is_some_and(|suite| match word {
                "TLS1.0" => suite.fits(0x0301),
                "TLS1.1" => suite.fits(0x0302),
                "TLS1.2" => suite.fits(0x0303),
                _ => suite.fits(0x0304),
            });
            let known = found.suites.get(version).is_some_and(|suites| suites.contains(&name));
            if fits && !known && connect(&format!("{common}:{words}")) {
                found.suites.entry(version).or_default().insert(name);
            }
        }
    }
}

/// Everything that rustls with aws-lc has, one at a time.
fn by_rustls(place: &Place, found: &mut Found) {
    use rustls::crypto::aws_lc_rs;
    let whole = aws_lc_rs::default_provider();
    let every_group = aws_lc_rs::ALL_KX_GROUPS.to_vec();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let word = if version.version == rustls::ProtocolVersion::TLSv1_3 { "TLSv1.3" } else { "TLSv1.2" };
        for &suite in &whole.cipher_suites {
            let mut provider = whole.clone();
            provider.cipher_suites = vec![suite];
            provider.kx_groups.clone_from(&every_group);
            if rustls_connects(place, provider, version).is_some() {
                let name = cipher_suites::name_of(u16::from(suite.suite()));
                found.suites.entry(word).or_default().insert(name);
            }
        }
        for &group in &every_group {
            let mut provider = whole.clone();
            provider.kx_groups = vec![group];
            if let Some(agreed) = rustls_connects(place, provider, version) {
                found.groups.entry(word).or_default().insert(mailassay::records::tls_groups::name_of(agreed));
            }
        }
    }
}

/// The group agreed on, 0 where it cannot be told.
fn rustls_connects(
    place: &Place,
    provider: rustls::crypto::CryptoProvider,
    version: &'static rustls::SupportedProtocolVersion,
) -> Option<u16> {
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider.clone()))
        .with_protocol_versions(&[version])
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let name = "mail.clinic.example".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).ok()?;
    let mut stream = TcpStream::connect(("127.0.0.1", place.port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    while session.is_handshaking() {
        session.complete_io(&mut stream).ok()?;
    }
    let group = session.negotiated_key_exchange_group().map_or(0, |group| u16::from(group.name()));
    session.send_close_notify();
    let _ = session.write_tls(&mut stream);
    let _ = stream.flush();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0; 64]);
    Some(group)
}

#[derive(Debug)]
struct AnyCertificate(rustls::crypto::CryptoProvider);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The Python that has tlslite-ng, where `MAILASSAY_TLSLITE` names one.
pub(super) fn tlslite_python() -> Option<PathBuf> {
    std::env::var_os("MAILASSAY_TLSLITE").map(PathBuf::from).filter(|path| path.is_file())
}

fn by_tlslite(place: &Place, found: &mut Found) {
    let Some(python) = tlslite_python() else { return };
    let mut command = Command::new(python);
    command.args(["-c", include_str!("tlslite_client.py"), &place.port.to_string()]);
    for line in run(command).lines() {
        let mut words = line.split(' ');
        let (Some(version), Some(code)) = (words.next(), words.next()) else { continue };
        let Some(version) =
            ["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"].into_iter().find(|known| *known == version)
        else {
            continue;
        };
        let code: u16 = code.parse().unwrap();
        found.suites.entry(version).or_default().insert(cipher_suites::name_of(code));
    }
}
