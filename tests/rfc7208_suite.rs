//! The test suite of RFC 7208 (openspf.org, release 2014.04), as Debian's python3-spf ships it.
//!
//! Where the package is not installed the test is skipped, by name; `scripts/test` installs it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test unpacks its suite and says when it is skipped"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use mailassay::records::spf_check::{Lookup, LookupFailed, Message, check};
use serde_json::Value;

/// Where Debian puts the suite.
const SUITE: &str = "/usr/share/doc/python3-spf/rfc7208-tests.yml.gz";

/// The suite's text, if it is on this machine.
fn suite() -> Option<String> {
    if !Path::new(SUITE).is_file() {
        assert!(
            std::env::var_os("MAILASSAY_REAL_SERVERS").is_none_or(|value| value != "required"),
            "{SUITE} is not here; scripts/test installs python3-spf as root"
        );
        eprintln!("skipped: the RFC 7208 suite: python3-spf is not on this machine");
        return None;
    }
    let unpacked = Command::new("gzip").args(["-dc", SUITE]).output().unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    Some(String::from_utf8(unpacked.stdout).unwrap())
}

#[test]
fn every_case_of_the_suite_gives_a_result_it_lists() {
    let Some(text) = suite() else { return };
    let (mut cases, mut wrong) = (0, Vec::new());
    for document in text.split("\n---\n").skip(1) {
        let group: Value = mailassay::yaml::read(Path::new(SUITE), document).unwrap();
        for (name, case) in group["tests"].as_object().unwrap() {
            cases += 1;
            let mut zone = Zone::new(&group["zonedata"]);
            let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
            let message = Message {
                address: text("host").parse().unwrap(),
                mail_from: text("mailfrom"),
                helo: text("helo"),
                receiver: "receiver.example".to_owned(),
            };
            let checked = check(&mut zone, &message);
            let allowed: Vec<&str> = match &case["result"] {
                Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
                word => word.as_str().into_iter().collect(),
            };
            if !allowed.contains(&checked.result.as_str()) {
                wrong.push(format!("{name}: {} instead of {allowed:?}", checked.result.as_str()));
            }
            match case["explanation"].as_str() {
                Some("DEFAULT") if checked.explanation.is_some() => {
                    wrong.push(format!("{name}: explains {:?} instead of nothing", checked.explanation));
                }
                Some("DEFAULT") | None => {}
                Some(expected) if checked.explanation.as_deref() != Some(expected) => {
                    wrong.push(format!("{name}: explains {:?} instead of {expected:?}", checked.explanation));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cases} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(cases, 203);
}

/// The DNS of one group of cases.
struct Zone {
    records: BTreeMap<String, Vec<(String, Value)>>,
    silent: Vec<String>,
}

impl Zone {
    fn new(data: &Value) -> Self {
        let mut zone = Self { records: BTreeMap::new(), silent: Vec::new() };
        for (name, entries) in data.as_object().unwrap() {
            let name = name.to_ascii_lowercase();
            let mut records: Vec<(String, Value)> = Vec::new();
            for entry in entries.as_array().unwrap() {
                match entry {
                    Value::String(_) => zone.silent.push(name.clone()),
                    entry => records
                        .extend(entry.as_object().unwrap().iter().map(|(kind, data)| (kind.clone(), data.clone()))),
                }
            }
            // Records of the dead SPF type stand for TXT, unless TXT is spelled out.
            if !records.iter().any(|(kind, _)| kind == "TXT") {
                let copies: Vec<_> = records.iter().filter(|(kind, _)| kind == "SPF").cloned().collect();
                records.extend(copies.into_iter().map(|(_, data)| ("TXT".to_owned(), data)));
            }
            records.retain(|(_, data)| data.as_str() != Some("NONE"));
            zone.records.insert(name, records);
        }
        zone
    }

    fn find(&self, name: &str, kind: &str) -> Result<Vec<Value>, LookupFailed> {
        let mut name = name.trim_end_matches('.').to_ascii_lowercase();
        for _ in 0..10 {
            let records = self.records.get(&name).map(Vec::as_slice).unwrap_or_default();
            let found: Vec<Value> =
                records.iter().filter(|(found, _)| found == kind).map(|(_, data)| data.clone()).collect();
            if found.iter().any(|data| data.as_str() == Some("TIMEOUT")) {
                return Err(LookupFailed);
            }
            if !found.is_empty() {
                return Ok(found);
            }
            if self.silent.contains(&name) {
                return Err(LookupFailed);
            }
            match records.iter().find(|(kind, _)| kind == "CNAME") {
                Some((_, target)) => name = target.as_str().unwrap().trim_end_matches('.').to_ascii_lowercase(),
                None => return Ok(Vec::new()),
            }
        }
        Err(LookupFailed)
    }
}

impl Lookup for Zone {
    fn addresses(&mut self, name: &str, ipv6: bool) -> Result<Vec<IpAddr>, LookupFailed> {
        let found = self.find(name, if ipv6 { "AAAA" } else { "A" })?;
        Ok(found.iter().filter_map(|data| data.as_str()?.parse().ok()).collect())
    }

    fn mail_exchangers(&mut self, name: &str) -> Result<Vec<String>, LookupFailed> {
        let found = self.find(name, "MX")?;
        Ok(found.iter().map(|data| data[1].as_str().unwrap_or_default().to_owned()).collect())
    }

    fn names(&mut self, address: IpAddr) -> Result<Vec<String>, LookupFailed> {
        let reverse = match address {
            IpAddr::V4(address) => {
                let mut octets = address.octets();
                octets.reverse();
                format!("{}.in-addr.arpa", octets.map(|octet| octet.to_string()).join("."))
            }
            IpAddr::V6(address) => {
                let nibbles: Vec<String> = address
                    .octets()
                    .into_iter()
                    .rev()
                    .flat_map(|byte| [byte & 15, byte >> 4])
                    .map(|nibble| format!("{nibble:x}"))
                    .collect();
                format!("{}.ip6.arpa", nibbles.join("."))
            }
        };
        let found = self.find(&reverse, "PTR")?;
        Ok(found.iter().filter_map(|data| data.as_str().map(str::to_owned)).collect())
    }

    fn texts(&mut self, name: &str) -> Result<Vec<Vec<u8>>, LookupFailed> {
        // A character of the file stands for one byte, so that records beyond ASCII can be written.
        let bytes = |text: &str| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect::<Vec<u8>>();
        let found = self.find(name, "TXT")?;
        Ok(found
            .iter()
            .map(|data| match data {
                Value::Array(strings) => strings.iter().filter_map(Value::as_str).flat_map(bytes).collect(),
                text => bytes(text.as_str().unwrap_or_default()),
            })
            .collect())
    }
}
