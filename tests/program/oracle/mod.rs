//! What `probe` says of differently configured servers, against what independent clients can agree
//! on with each of them. `MAILASSAY_ORACLE=full` asks the whole table; without it a part is asked.
//! `MAILASSAY_TLSLITE` may name a Python that has tlslite-ng, for the servers of SSL 3.0.

mod clients;
mod servers;
mod traits;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::Mutex;

use serde_json::Value;

use crate::real::world::World;
use crate::support::{mailassay, needs, told};
use clients::{Client, Found, Place};
use servers::{CASES, Case, Kind, Running};

const PROGRAMS: [&str; 5] = ["openssl", "gnutls-serv", "nginx", "postfix", "dovecot"];
/// Servers asked by the oracle at once.
const AT_ONCE: usize = 4;

/// A port that was free a moment ago.
pub(super) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// One server of the table, running.
struct Row {
    name: String,
    place: Place,
    clients: &'static [Client],
    _running: Option<Running>,
}

#[test]
fn suites_groups_and_order_are_those_that_other_clients_find() {
    if !needs(&PROGRAMS) {
        return;
    }
    let full = std::env::var_os("MAILASSAY_ORACLE").is_some_and(|value| value == "full");
    let there = |case: &Case| !matches!(case.kind, Kind::Tlslite(..)) || clients::tlslite_python().is_some();
    let (asked, left_out): (Vec<&Case>, Vec<&Case>) =
        CASES.iter().filter(|case| full || case.always).partition(|case| there(case));
    for case in left_out {
        println!("not asked, since MAILASSAY_TLSLITE names no Python that has tlslite-ng: {}", case.name);
    }
    let folder = tempfile::tempdir().unwrap();
    servers::keys(folder.path());
    let world = World::without_dns();
    let mut rows: Vec<Row> = asked.iter().map(|case| started(case, folder.path())).collect();
    for (name, port, starttls) in [
        ("postfix, Debian's defaults", 25, "smtp"),
        ("dovecot IMAP, Debian's defaults", 143, "imap"),
        ("dovecot POP3, Debian's defaults", 110, "pop3"),
        ("dovecot IMAP over TLS, Debian's defaults", 993, "none"),
    ] {
        if full || port == 25 || port == 143 {
            let (_, _, here) = world.services.iter().find(|(_, at, _)| *at == port).unwrap();
            let any_certificate = folder.path().join("rsa.pem");
            let place = Place { any_certificate, port: *here, starttls, own_curve: None };
            rows.push(Row { name: name.to_owned(), place, clients: &[Client::OpenSsl], _running: None });
        }
    }

    let probes = probe(&rows, folder.path());
    let found: Mutex<BTreeMap<usize, Found>> = Mutex::default();
    let next = Mutex::new(0..rows.len());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(index) = { next.lock().unwrap().next() } {
                    let answer = clients::ask(&rows[index].place, rows[index].clients);
                    found.lock().unwrap().insert(index, answer);
                }
            });
        }
    });

    let mut table = String::new();
    let mut wrong = Vec::new();
    for (index, found) in found.into_inner().unwrap() {
        let (row, probe) = (&rows[index], &probes[index]);
        let differences = compare(probe, &found);
        let count = |map: &BTreeMap<&str, BTreeSet<String>>| {
            let counts =
                map.iter().map(|(version, names)| format!("{} {}", version.trim_start_matches("TLSv"), names.len()));
            counts.collect::<Vec<_>>().join(", ")
        };
        let verdict = if differences.is_empty() { "equal" } else { "DIFFERENT" };
        let _ = writeln!(
            table,
            "{:<42} {verdict:<9} {:>3} connections; suites {}; groups {}; order {:?}; dh {:?}",
            row.name,
            probe["connections"],
            count(&found.suites),
            count(&found.groups),
            found.order,
            found.dh_bits,
        );
        if !differences.is_empty() {
            wrong.push(format!("{}:\n  {}\n  {probe}", row.name, differences.join("\n  ")));
        }
    }
    println!("{table}{} servers, {} different", rows.len(), wrong.len());
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n"));
}

fn started(case: &Case, folder: &std::path::Path) -> Row {
    let running = case.start(folder);
    let any_certificate = folder.join("rsa.pem");
    let place = Place { any_certificate, port: running.port, starttls: "none", own_curve: case.own_curve };
    Row { name: case.name.to_owned(), place, clients: case.clients(), _running: Some(running) }
}

/// Probes all rows in one run of the program.
fn probe(rows: &[Row], folder: &std::path::Path) -> Vec<Value> {
    let list = folder.join("list");
    let lines = rows.iter().map(|row| {
        format!("127.0.0.1:{},starttls={},server_name=mail.clinic.example\n", row.place.port, row.place.starttls)
    });
    std::fs::write(&list, lines.collect::<String>()).unwrap();
    let output = mailassay()
        .args([
            "probe",
            "--mode",
            "full",
            "--allow-net",
            "127.0.0.0/8",
            "--rate",
            "1000",
            "--max-connections",
            "8",
            "--list",
        ])
        .arg(&list)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let probes: Vec<Value> = output
        .stdout
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    assert_eq!(probes.len(), rows.len(), "{}", told(&output));
    probes
}

/// Where the probe and the clients differ.
fn compare(probe: &Value, found: &Found) -> Vec<String> {
    let mut differences = Vec::new();
    let names = |value: &Value| -> BTreeSet<String> {
        value.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let none = BTreeSet::new();
    for version in ["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"] {
        let (ours, theirs) = (names(&probe["suites"][version]), found.suites.get(version).unwrap_or(&none));
        for missed in theirs.difference(&ours) {
            differences.push(format!("{version}: {missed} is accepted, and the probe does not say so"));
        }
        for more in ours.difference(theirs) {
            differences.push(format!("{version}: the probe says {more}, and no client agrees on it"));
        }
        let word = if theirs.is_empty() { "refused" } else { "accepted" };
        if probe["versions"][version] != word {
            differences.push(format!("{version} is {word}, the probe says {}", probe["versions"][version]));
        }
        if probe["exhaustive"][version] != true {
            differences.push(format!("{version}: the probe does not call its list complete"));
        }
        if ["TLSv1.2", "TLSv1.3"].contains(&version) {
            let (ours, theirs) = (names(&probe["groups"][version]), found.groups.get(version).unwrap_or(&none));
            if ours != *theirs {
                differences.push(format!("{version}: groups {ours:?}, the clients find {theirs:?}"));
            }
        }
        if let Some(order) = found.order.get(version)
            && probe["order"][version] != *order
        {
            differences
                .push(format!("{version}: the order is the {order}'s, the probe says {}", probe["order"][version]));
        }
        if let Some(&bits) = found.dh_bits.get(version)
            && probe["dh"][version]["bits"] != bits
        {
            differences
                .push(format!("{version}: Diffie-Hellman of {bits} bits, the probe says {}", probe["dh"][version]));
        }
    }
    differences
}
