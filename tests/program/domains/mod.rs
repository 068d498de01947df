//! What `probe` says of domains of every kind, against knot, unbound and nginx, held against
//! `truth.txt`, which was written from the RFCs.

mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{mailassay, needs, told};
use world::{Case, World};

const SERVERS: [&str; 5] = ["knotd", "unbound", "dnssec-signzone", "nginx", "openssl"];

/// What is expected of the zones that stand by themselves.
const ZONES: &str = "\
unsigned
  = dnssec insecure
  = spf pass
  = dane unusable no_dnssec
island
  = dnssec insecure island
  = spf pass
expired
  = dnssec bogus bogus
  = resolve servfail
  = spf error
  = mx error
  = dmarc error
wrong-ds
  = dnssec bogus bogus
  = resolve servfail
  = spf error
refused
  = resolve servfail
  = spf error
  = mx error
  = mta_sts error
nosuch
  = resolve nxdomain
  = dns - nxdomain
  = dnssec secure
";

/// Cases that end by a deadline: asked once, since each takes as long as the deadline.
const SLOW: [&str; 2] = ["sts-drip", "silent"];
const SILENT: &str = "\
silent
  = spf error
  = mx error
  = dmarc error
";

/// Runs the probe over all cases and gives its answers by domain, without timings.
fn probe(world: &World, cases: &[Case], at_once: &str) -> BTreeMap<String, Value> {
    let list: String = cases.iter().map(|case| format!("{}\n", case.target())).collect();
    let path = world.path("targets");
    std::fs::write(&path, list).unwrap();
    let output =
        mailassay().args(["probe", "--at-once", at_once, "--list"]).arg(&path).args(world.options()).output().unwrap();
    assert!(output.status.success(), "{}\n{}", told(&output), world.logs());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let mut answer: Value = serde_json::from_str(line).unwrap();
            answer.as_object_mut().unwrap().remove("elapsed_ms");
            (answer["domain"].as_str().unwrap().to_owned(), answer)
        })
        .collect()
}

/// Everything that was said wrongly.
fn wrong(cases: &[Case], answers: &BTreeMap<String, Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    for case in cases {
        let Some(answer) = answers.get(&case.name) else {
            wrong.push(format!("{}: no answer", case.name));
            continue;
        };
        for expected in &case.expected {
            let prefix = match expected.family.as_str() {
                "mta_sts" => "sts",
                "tls_rpt" => "tlsrpt",
                family => family,
            };
            let notes: BTreeSet<&str> = answer["notes"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|note| note["code"].as_str()?.split_once('.'))
                .filter(|(family, _)| *family == prefix)
                .map(|(_, code)| code)
                .collect();
            let verdict = answer["verdicts"][&expected.family].as_str().unwrap_or("-");
            let wanted: BTreeSet<&str> = expected.notes.iter().map(String::as_str).collect();
            if verdict != expected.verdict || notes != wanted {
                wrong.push(format!(
                    "{} {}: {verdict} {notes:?} instead of {} {wanted:?}",
                    case.name, expected.family, expected.verdict
                ));
            }
        }
    }
    wrong
}

#[test]
fn domains_of_every_kind_are_judged_as_the_rfcs_say_each_time() {
    if !needs(&SERVERS) {
        return;
    }
    let cases = world::cases(include_str!("truth.txt"));
    let world = World::start(&cases);
    let mut all = cases;
    all.extend(world::cases(ZONES));
    all.extend(world::cases(SILENT));
    let first = probe(&world, &all, "64");
    let faults = wrong(&all, &first);
    let verdicts: usize = all.iter().map(|case| case.expected.len()).sum();
    println!("{} domains, {verdicts} verdicts with their notes, {} wrong", all.len(), faults.len());
    assert!(faults.is_empty(), "{} of {verdicts} are wrong:\n{}", faults.len(), faults.join("\n"));

    // A slow domain delays no other, and asking again changes nothing, whether one domain is asked
    // after the other or 64 at once.
    all.retain(|case| !SLOW.iter().any(|slow| case.name.starts_with(slow)));
    let runs = if std::env::var_os("MAILASSAY_EVERY_RUN").is_some() { 20 } else { 1 };
    for at_once in ["64", "1"] {
        for run in 0..runs {
            let answers = probe(&world, &all, at_once);
            for (domain, answer) in &answers {
                assert_eq!(Some(answer), first.get(domain), "run {run}, {at_once} at once, {domain}");
            }
            assert_eq!(answers.len(), all.len());
        }
    }
    println!("{runs} runs with 64 at once and {runs} with 1: the same {} answers without timings", all.len());
}
