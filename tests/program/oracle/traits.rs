//! What servers do beside versions and suites: what `probe` says of them against how they were set up, and
//! the signature schemes against what openssl's client can agree on, one a connection.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::servers::{self, Kind, case};
use super::{Row, probe, started};
use crate::support::needs;

/// A server and what is true of it.
struct Known {
    name: &'static str,
    kind: Kind,
    features: &'static [(&'static str, &'static str)],
    /// Problems its certificate has, and does not have.
    problem: Option<(&'static str, bool)>,
}

const SERVERS: &[Known] = &[
    Known {
        name: "openssl that asks for a certificate and staples a response",
        kind: Kind::OpenSsl("-cert staple.pem -key staple.key -status_file response.der -verify 1"),
        features: &[("ocsp_staple", "yes"), ("client_certificate_asked", "yes"), ("early_data", "no")],
        problem: Some(("not-stapled", false)),
    },
    Known {
        name: "openssl whose certificate demands a staple that is not sent",
        kind: Kind::OpenSsl("-cert staple.pem -key staple.key"),
        features: &[
            ("ocsp_staple", "no"),
            ("client_certificate_asked", "no"),
            ("compression", "no"),
            ("truncated_hmac", "no"),
            ("extended_master_secret", "yes"),
            ("secure_renegotiation", "yes"),
            ("fallback_refused", "yes"),
            ("session_tickets", "yes"),
            ("cbc_without_encrypt_then_mac", "no"),
            ("weak_signatures", "no"),
            ("starttls_inside", "not-applicable"),
        ],
        problem: Some(("not-stapled", true)),
    },
    Known {
        name: "openssl with early data and without encrypt-then-MAC",
        kind: Kind::OpenSsl("-cert rsa.pem -key rsa.key -max_early_data 4096 -no_etm"),
        features: &[("early_data", "yes"), ("cbc_without_encrypt_then_mac", "yes"), ("ocsp_staple", "no")],
        problem: None,
    },
    Known {
        name: "openssl without tickets and with SHA-1",
        kind: Kind::OpenSsl("-cert rsa.pem -key rsa.key -num_tickets 0 -no_ticket -cipher ALL:@SECLEVEL=0"),
        features: &[("session_tickets", "no"), ("weak_signatures", "yes")],
        problem: None,
    },
    Known {
        name: "openssl with TLS 1.2 alone",
        kind: Kind::OpenSsl("-cert rsa.pem -key rsa.key -tls1_2"),
        features: &[("fallback_refused", "not-applicable"), ("early_data", "not-applicable")],
        problem: None,
    },
    Known {
        name: "openssl with TLS 1.3 alone",
        kind: Kind::OpenSsl("-cert rsa.pem -key rsa.key -tls1_3"),
        features: &[
            ("compression", "not-applicable"),
            ("extended_master_secret", "not-applicable"),
            ("secure_renegotiation", "not-applicable"),
            ("weak_signatures", "no"),
        ],
        problem: None,
    },
    Known {
        name: "gnutls without what was added to TLS 1.2",
        kind: Kind::GnuTls("NORMAL:%NO_SESSION_HASH:%DISABLE_SAFE_RENEGOTIATION:%NO_ETM"),
        features: &[
            ("extended_master_secret", "no"),
            ("secure_renegotiation", "no"),
            ("cbc_without_encrypt_then_mac", "yes"),
        ],
        problem: None,
    },
    Known {
        name: "openssl, P-256",
        kind: Kind::OpenSsl("-cert p256.pem -key p256.key -cipher DEFAULT:@SECLEVEL=0"),
        features: &[("weak_signatures", "yes")],
        problem: None,
    },
    Known {
        name: "openssl, RSA-PSS",
        kind: Kind::OpenSsl("-cert pss.pem -key pss.key"),
        features: &[("weak_signatures", "no")],
        problem: None,
    },
    Known {
        name: "openssl, Ed25519",
        kind: Kind::OpenSsl("-cert ed25519.pem -key ed25519.key"),
        features: &[("weak_signatures", "no")],
        problem: None,
    },
    Known {
        name: "openssl, two signature schemes",
        kind: Kind::OpenSsl("-cert rsa.pem -key rsa.key -sigalgs RSA+SHA512:RSA-PSS+SHA256"),
        features: &[("weak_signatures", "no")],
        problem: None,
    },
];

#[test]
fn what_servers_do_beside_suites_is_as_they_were_set_up() {
    if !needs(&["openssl", "gnutls-serv"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    servers::keys(folder.path());
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout staple.key -out staple.pem -nodes -days 20 \
                 -subj /CN=mail.clinic.example -addext tlsfeature=status_request";
    let made = Command::new("openssl").args(words.split_whitespace()).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // OCSPResponse with the status tryLater (RFC 6960 section 4.2.1): that one is sent is all that is looked at.
    std::fs::write(folder.path().join("response.der"), [0x30, 3, 0x0a, 1, 3]).unwrap();
    let rows: Vec<Row> = SERVERS.iter().map(|known| started(&case(known.name, known.kind), folder.path())).collect();
    let probes = probe(&rows, folder.path());
    let mut wrong = Vec::new();
    for ((known, row), found) in SERVERS.iter().zip(&rows).zip(&probes) {
        for (feature, word) in known.features {
            if found["features"][feature] != *word {
                wrong.push(format!(
                    "{}: {feature} is {word}, the probe says {}",
                    known.name, found["features"][feature]
                ));
            }
        }
        if let Some((problem, there)) = known.problem {
            let says = found["certificates"][0]["problems"].as_array().unwrap().iter().any(|word| word == problem);
            if says != there {
                wrong.push(format!("{}: {problem} {there}, the probe says {}", known.name, found["certificates"]));
            }
        }
        if !matches!(known.kind, Kind::GnuTls(_)) {
            let (ours, theirs) = (schemes(found), by_openssl(row.place.port));
            if ours != theirs {
                wrong.push(format!("{}: signed with {ours:?}, openssl agrees on {theirs:?}", known.name));
            }
        }
        println!("{:<60} {} {}", known.name, found["features"], found["signatures"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn schemes(probe: &Value) -> BTreeSet<String> {
    let names = probe["signatures"]["TLSv1.2"].as_array().into_iter().flatten();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// openssl's words for signature schemes, and the registered names.
const SCHEMES: [(&str, &str); 19] = [
    ("RSA+SHA1", "rsa_pkcs1_sha1"),
    ("RSA+SHA224", "rsa_pkcs1_sha224"),
    ("RSA+SHA256", "rsa_pkcs1_sha256"),
    ("RSA+SHA384", "rsa_pkcs1_sha384"),
    ("RSA+SHA512", "rsa_pkcs1_sha512"),
    ("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha256"),
    ("rsa_pss_rsae_sha384", "rsa_pss_rsae_sha384"),
    ("rsa_pss_rsae_sha512", "rsa_pss_rsae_sha512"),
    ("rsa_pss_pss_sha256", "rsa_pss_pss_sha256"),
    ("rsa_pss_pss_sha384", "rsa_pss_pss_sha384"),
    ("rsa_pss_pss_sha512", "rsa_pss_pss_sha512"),
    ("ECDSA+SHA1", "ecdsa_sha1"),
    ("ECDSA+SHA224", "ecdsa_sha224"),
    ("ECDSA+SHA256", "ecdsa_secp256r1_sha256"),
    ("ECDSA+SHA384", "ecdsa_secp384r1_sha384"),
    ("ECDSA+SHA512", "ecdsa_secp521r1_sha512"),
    ("DSA+SHA256", "dsa_sha256"),
    ("ed25519", "ed25519"),
    ("ed448", "ed448"),
];

/// The schemes that openssl's client can be signed for with, each offered alone in TLS 1.2.
fn by_openssl(port: u16) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (word, name) in SCHEMES {
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-tls1_2", "-sigalgs", word])
            .args(["-cipher", "ECDHE:DHE:@SECLEVEL=0", "-no-CAfile", "-no-CApath", "-no-CAstore"])
            .env("OPENSSL_CONF", "/dev/null")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.lines().any(|line| line.starts_with("New, TLSv1.2") && !line.contains("(NONE)")) {
            found.insert(name.to_owned());
        }
    }
    found
}
