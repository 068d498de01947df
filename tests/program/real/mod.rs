//! The program against the servers users run.

pub(crate) mod world;

use std::path::Path;

use serde_json::Value;

use crate::support::{assessment, mailassay, needs, told};
use world::World;

const SERVERS: [&str; 7] = ["knotd", "unbound", "dnssec-signzone", "postfix", "dovecot", "nginx", "openssl"];

const SCOPE: &str = "\
schema: 1
organization: { name: Maple Street Clinic, role: covered-entity, individuals: 4200, states: [OR] }
authorization: { granted_by: Ana Ruiz, role: Security Official, on: 2020-01-01, until: 2099-12-31, covers: [clinic.example] }
domains: [{ name: clinic.example }]
partners: [{ domain: lab.example, phi: true }]
hosts: [{ name: mail.clinic.example, ports: [25, 110, 143, 993, 995], operated_by: us }]
";

/// The outcome of one check for one subject: `pass`, `fail`, `not-assessed`, …
fn outcome<'a>(assessment: &'a Value, check: &str, subject: &str) -> Option<&'a str> {
    let failed = assessment["findings"].as_array().unwrap().iter();
    let found = failed.clone().find(|finding| finding["check"] == check && finding["subject"]["name"] == subject);
    let passed = assessment["passed"].as_array().unwrap().iter().find(|control| {
        control["check"] == check && control["subjects"].as_array().unwrap().iter().any(|name| name == subject)
    });
    found.and_then(|finding| finding["outcome"].as_str()).or(passed.map(|_| "pass"))
}

fn probe(world: &World, target: &str) -> Value {
    let output = mailassay()
        .args(["probe", target, "--mode", "full", "--format", "json", "--rate", "500", "--max-connections", "8"])
        .args(world.options())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", told(&output)))
}

/// Suites that `openssl s_client` can agree on with a service, one connection a suite: an oracle
/// that is not ours.
fn by_openssl(world: &World, port: u16, starttls: &str, version: &str) -> Vec<String> {
    let (_, _, here) = world.services.iter().find(|(_, at, _)| *at == port).unwrap();
    let listed = std::process::Command::new("openssl")
        .args(["ciphers", "-stdname", "-s", &format!("-{version}"), "ALL:COMPLEMENTOFALL:@SECLEVEL=0"])
        .output()
        .unwrap();
    let mut accepted = Vec::new();
    for line in String::from_utf8_lossy(&listed.stdout).lines() {
        let mut words = line.split_whitespace();
        let (Some(iana), Some("-"), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        let cipher = format!("{name}:@SECLEVEL=0");
        let output = std::process::Command::new("openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{here}"), "-starttls", starttls, &format!("-{version}")])
            .args(if version == "tls1_3" { ["-ciphersuites", iana] } else { ["-cipher", cipher.as_str()] })
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let agreed = text.lines().any(|line| {
            line.trim().strip_prefix("Cipher    : ").is_some_and(|cipher| cipher == name)
                || (line.starts_with("New, ") && line.ends_with(&format!("Cipher is {name}")))
        });
        if agreed {
            accepted.push(iana.to_owned());
        }
    }
    accepted.sort();
    accepted
}

fn suites(probe: &Value, version: &str) -> Vec<String> {
    let listed = probe["suites"][version].as_array().into_iter().flatten();
    let mut suites: Vec<String> = listed.map(|suite| suite.as_str().unwrap().to_owned()).collect();
    suites.sort();
    suites
}

fn scan(world: &World, folder: &Path) -> Value {
    let scope = folder.join("scope.yaml");
    std::fs::write(&scope, SCOPE).unwrap();
    let out = folder.join("out");
    let output = mailassay()
        .args(["scan", "--exit-zero", "--rate", "200", "--scope"])
        .arg(&scope)
        .arg("--out")
        .arg(&out)
        .args(world.options())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{}", told(&output), world.logs());
    assessment(&out)
}

#[test]
fn debians_servers_are_seen_as_they_are() {
    if !needs(&SERVERS) {
        return;
    }
    let world = World::start();

    let domain = probe(&world, "clinic.example");
    assert_eq!((&domain["verdicts"]["dane"], &domain["verdicts"]["dnssec"]), (&"match".into(), &"secure".into()));

    // Debian's postfix still speaks TLS 1.0 and suites without authentication.
    let postfix = probe(&world, "mail.clinic.example:25");
    assert_eq!(postfix["state"], "tls", "{postfix}");
    for version in ["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
        assert_eq!(postfix["versions"][version], "accepted", "{postfix}");
    }
    for (ours, theirs) in [("TLSv1.0", "tls1"), ("TLSv1.2", "tls1_2"), ("TLSv1.3", "tls1_3")] {
        assert_eq!(postfix["exhaustive"][ours], true, "{postfix}");
        let oracle = by_openssl(&world, 25, "smtp", theirs);
        // The oracle offers only what its build knows; we may see more, never less.
        let seen = suites(&postfix, ours);
        let missed: Vec<&String> = oracle.iter().filter(|suite| !seen.contains(suite)).collect();
        assert!(!oracle.is_empty() && missed.is_empty(), "{ours}: missed {missed:?} of {oracle:?}");
        println!("postfix {ours}: {} suites, openssl agrees on {}", seen.len(), oracle.len());
    }
    assert!(suites(&postfix, "TLSv1.0").iter().any(|suite| suite.contains("_anon_")));

    // Debian's dovecot closes without a word where a suite does not suit it; TLS 1.2 is on.
    for (port, starttls) in [(143, "imap"), (110, "pop3")] {
        let dovecot = probe(&world, &format!("mail.clinic.example:{port}"));
        assert_eq!(dovecot["versions"]["TLSv1.2"], "accepted", "{dovecot}");
        assert_eq!(dovecot["versions"]["TLSv1.0"], "refused", "{dovecot}");
        let oracle = by_openssl(&world, port, starttls, "tls1_2");
        assert_eq!(suites(&dovecot, "TLSv1.2"), oracle);
        println!("dovecot {port} TLSv1.2: {} suites, equal to openssl's", oracle.len());
    }

    let folder = tempfile::tempdir().unwrap();
    let assessment = scan(&world, folder.path());
    let port_25 = "mail.clinic.example:25";
    let expected = [
        ("old-tls-refused", port_25, "fail"),
        ("no-anonymous-suites-on-mail-exchanges", port_25, "fail"),
        ("modern-tls-accepted", port_25, "pass"),
        ("modern-tls-accepted", "mail.clinic.example:143", "pass"),
        ("modern-tls-accepted", "mail.clinic.example:993", "pass"),
        ("old-tls-refused", "mail.clinic.example:993", "pass"),
        ("certificate-trusted-on-mail-exchanges", port_25, "pass"),
        ("mta-sts-enforced", "clinic.example", "pass"),
        ("dmarc-enforced", "clinic.example", "pass"),
        ("spf-published", "clinic.example", "pass"),
        ("dnssec-signed", "clinic.example", "pass"),
        ("dane-matches-certificate", "clinic.example", "pass"),
        // The partner's host offers TLS, and nothing makes senders insist on it.
        ("partner-with-phi-offers-tls", "lab.example", "pass"),
        ("partner-with-phi-takes-enforced-tls", "lab.example", "fail"),
    ];
    for (check, subject, outcome) in expected {
        assert_eq!(self::outcome(&assessment, check, subject), Some(outcome), "{check} of {subject}");
    }
    let judged = assessment["findings"].as_array().unwrap().iter();
    assert!(judged.clone().all(|finding| finding["subject"]["name"] != "mail.lab.example:25"), "a partner's host");
    let report = std::fs::read_to_string(folder.path().join("out/report.md")).unwrap();
    assert!(report.contains("TLS 1.0") && report.contains("anon"), "the report says what postfix accepts");
}
