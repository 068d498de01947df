//! SPF: the result of each record for one sender.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::spf::Spf as SpfRecord;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{DnssecStatus, MX, MessageAuthenticator, Parameters, RecordSet, ResolverCache, Txt};
use mailassay::records::spf::parse;
use mailassay::records::spf_check::{Lookup, LookupFailed, Message, check};

use super::Differences;
use super::generator::{self, Chance, SENDERS, ZONE, found};

/// Whether Debian's python3-spf is here; without it a plain `cargo test` compares less.
fn python_is_here() -> bool {
    let here = Path::new("/usr/lib/python3/dist-packages/spf.py").is_file();
    assert!(
        here || std::env::var_os("MAILASSAY_REAL_SERVERS").is_none_or(|value| value != "required"),
        "python3-spf is not here; scripts/test installs it as root"
    );
    if !here {
        eprintln!("skipped: python3-spf is not on this machine; only mail-auth is compared");
    }
    here
}

pub(crate) fn compare(count: usize, differences: &mut Differences) -> usize {
    let mut chance = Chance::new(7208);
    let cases: Vec<(String, &str)> =
        (0..count).map(|_| (generator::spf(&mut chance), SENDERS[chance.below(SENDERS.len())])).collect();
    let mut compared = 0;
    let mut mail_auth = MailAuth::new();
    let python = if python_is_here() { python(&cases) } else { Vec::new() };
    for (index, (record, sender)) in cases.iter().enumerate() {
        let (ours, asked) = ours(record, sender);
        let theirs = mail_auth.check(record, sender);
        compared += 1;
        if ours != theirs {
            let example = format!("{sender} {record:?}: {ours}, they {theirs}");
            differences.add("spf mail-auth", mail_auth_class(record, sender, &ours, &asked), example);
        }
        if let Some(theirs) = python.get(index) {
            compared += 1;
            if ours != *theirs {
                let example = format!("{sender} {record:?}: {ours}, they {theirs}");
                differences.add("spf python3-spf", python_class(record, theirs), example);
            }
        }
    }
    compared
}

/// What our own evaluation asked.
#[derive(Default)]
struct Asked {
    names: Vec<String>,
    voids: usize,
}

fn mail_auth_class(record: &str, sender: &str, ours: &str, asked: &Asked) -> String {
    let names = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
    let as_modifier = record.split(' ').any(|term| {
        term.split_once('=').is_some_and(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)))
    });
    let lower = record.to_ascii_lowercase();
    if ours == "none" {
        return "RFC 7208 §4.5: a record begins with exactly `v=spf1`; they skip white space".to_owned();
    }
    if let Err(fault) = parse(record) {
        return format!(
            "{}: a term that breaks the grammar makes the record a permanent error; they go on",
            fault.rule
        );
    }
    let class = if ours == "permerror" && asked.names.iter().any(|name| name == "bad.example") {
        "RFC 7208 §4.6.1: so does one in a record that is included or redirected to; they go on"
    } else if as_modifier {
        "RFC 7208 §6, §12: `all=1` is a modifier nobody knows and ignored; they take it for a broken mechanism"
    } else if asked.voids > 2 {
        "RFC 7208 §4.6.4: more than two lookups that find nothing are a permanent error; they do not count them"
    } else if lower.contains("ip6:") && sender.contains('.') {
        "RFC 7208 §5.6, §5: an IPv4 sender matches no `ip6`; they match it as ::ffff:0:0/96"
    } else if lower.contains("ptr") {
        "RFC 7208 §5.5: the name that is asked for matches itself; they match only names below it"
    } else {
        "unexplained"
    };
    class.to_owned()
}

fn python_class(record: &str, theirs: &str) -> &'static str {
    let lower = record.to_ascii_lowercase();
    let terms = || lower.split(' ').map(|term| term.trim_start_matches(['+', '-', '~', '?']));
    let own = ["c.example", "c.example.", "%{d}", "%{d2}", "%{o}"];
    let modifiers: Vec<&str> = terms().filter_map(|term| Some(term.split_once('=')?.0)).collect();
    let twice = modifiers.iter().any(|name| modifiers.iter().filter(|other| *other == name).count() > 1);
    if theirs == "permerror"
        && terms().any(|term| term.strip_prefix("include:").is_some_and(|name| own.contains(&name)))
    {
        "RFC 7208 §4.6.2, §5.2: an include of the record itself counts only when it is reached; they refuse it unreached"
    } else if terms().any(|term| term == "exists") {
        "RFC 7208 §5.7: `exists` needs a name; they go on without"
    } else if record.contains('\t') {
        "RFC 7208 §4.6.1, §12: only a space stands between terms; they take a tab as one too"
    } else if twice && theirs == "permerror" {
        "RFC 7208 §6: modifiers nobody knows may stand any number of times; they refuse the second"
    } else if theirs == "temperror" {
        "RFC 7208 §4.6: a broken term makes the record a permanent error before anything is asked; they ask first"
    } else {
        "unexplained"
    }
}

fn ours(record: &str, sender: &str) -> (String, Asked) {
    struct Zone<'r>(&'r str, Asked);
    impl Lookup for Zone<'_> {
        fn addresses(&mut self, name: &str, ipv6: bool) -> Result<Vec<IpAddr>, LookupFailed> {
            let found = found(name, if ipv6 { "AAAA" } else { "A" })?;
            self.1.voids += usize::from(found.is_empty());
            Ok(found.into_iter().map(|data| data.parse().unwrap()).collect())
        }
        fn mail_exchangers(&mut self, name: &str) -> Result<Vec<String>, LookupFailed> {
            let found = found(name, "MX")?;
            self.1.voids += usize::from(found.is_empty());
            Ok(found.into_iter().map(str::to_owned).collect())
        }
        fn names(&mut self, address: IpAddr) -> Result<Vec<String>, LookupFailed> {
            Ok(found(&address.to_string(), "PTR")?.into_iter().map(str::to_owned).collect())
        }
        fn texts(&mut self, name: &str) -> Result<Vec<Vec<u8>>, LookupFailed> {
            if name.trim_end_matches('.').eq_ignore_ascii_case("c.example") {
                return Ok(vec![self.0.as_bytes().to_vec()]);
            }
            self.1.names.push(name.trim_end_matches('.').to_ascii_lowercase());
            Ok(found(name, "TXT")?.into_iter().map(|data| data.as_bytes().to_vec()).collect())
        }
    }
    let message = Message {
        address: sender.parse().unwrap(),
        mail_from: "user@c.example".to_owned(),
        helo: "mail.c.example".to_owned(),
        receiver: "r.example".to_owned(),
    };
    let mut zone = Zone(record, Asked::default());
    let result = check(&mut zone, &message).result.as_str().to_owned();
    (result, zone.1)
}

/// Answers mail-auth from a map; what is not in it, mail-auth's `test` feature calls absent, and
/// names with `_dns_error.` a failure.
struct Known<K, V>(HashMap<K, V>);

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Known<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

/// The zone as mail-auth takes it.
struct MailAuth {
    runtime: tokio::runtime::Runtime,
    authenticator: MessageAuthenticator,
    texts: Known<Box<str>, Txt>,
    mx: Known<Box<str>, RecordSet<MX>>,
    v4: Known<Box<str>, RecordSet<Ipv4Addr>>,
    v6: Known<Box<str>, RecordSet<Ipv6Addr>>,
    names: Known<IpAddr, RecordSet<Box<str>>>,
}

fn set<T: Clone>(all: &[T]) -> RecordSet<T> {
    RecordSet { rrset: Arc::from(all), dnssec_status: DnssecStatus::Indeterminate }
}

impl MailAuth {
    fn new() -> Self {
        let mut peer = Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            authenticator: MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap(),
            texts: Known(HashMap::new()),
            mx: Known(HashMap::new()),
            v4: Known(HashMap::new()),
            v6: Known(HashMap::new()),
            names: Known(HashMap::new()),
        };
        for (name, kind, data) in ZONE.iter().filter(|(_, _, data)| *data != "!fail") {
            let key: Box<str> = format!("{name}.").into();
            match *kind {
                "TXT" => drop(peer.texts.0.insert(key, SpfRecord::parse(data.as_bytes()).into())),
                "MX" => {
                    let exchanges = Box::from([Box::from(format!("{data}."))]);
                    peer.mx.0.insert(key, set(&[MX { exchanges, preference: 10 }]));
                }
                "A" => {
                    let mut all = peer.v4.0.get(&key).map(|set| set.rrset.to_vec()).unwrap_or_default();
                    all.push(data.parse().unwrap());
                    peer.v4.0.insert(key, set(&all));
                }
                "AAAA" => drop(peer.v6.0.insert(key, set(&[data.parse().unwrap()]))),
                _ => drop(peer.names.0.insert(name.parse().unwrap(), set(&[Box::from(format!("{data}."))]))),
            }
        }
        peer
    }

    fn check(&mut self, record: &str, sender: &str) -> String {
        self.texts.0.insert("c.example.".into(), SpfRecord::parse(record.as_bytes()).into());
        let message =
            SpfParameters::verify_mail_from(sender.parse().unwrap(), "mail.c.example", "r.example", "user@c.example");
        let parameters = Parameters::new(message)
            .with_txt_cache(&self.texts)
            .with_mx_cache(&self.mx)
            .with_ipv4_cache(&self.v4)
            .with_ipv6_cache(&self.v6)
            .with_ptr_cache(&self.names);
        let output = self.runtime.block_on(self.authenticator.check_host(parameters));
        output.result().to_string().to_ascii_lowercase()
    }
}

fn python(cases: &[(String, &str)]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/record_oracles/pyspf.py");
    let mut program =
        Command::new("/usr/bin/python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = program.stdin.take().unwrap();
    let mut text = serde_json::to_string(ZONE).unwrap() + "\n";
    for (record, sender) in cases {
        text.push_str(&format!("{}\n", serde_json::json!({"record": record, "sender": sender})));
    }
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = program.wait_with_output().unwrap();
    writer.join().unwrap();
    let results: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(output.status.success(), "python3-spf ended with {}", output.status);
    assert_eq!(results.len(), cases.len(), "python3-spf judges every record");
    results
}
