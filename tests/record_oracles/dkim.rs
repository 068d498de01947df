//! DKIM key records.

use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dkim::DkimError;
use mailassay::records::dkim::{Key, parse};

use super::Differences;
use super::generator::{self, Chance};

/// The bit mail-auth sets for `t=y`; its name is not public.
const TESTING: u64 = 0x10;

#[derive(Debug, PartialEq)]
enum Reading {
    Broken,
    Key { testing: bool },
    Revoked,
}

/// Public keys made for these tests: kind, bits, Base64.
fn keys() -> Vec<(&'static str, u32, String)> {
    let rows = include_str!("keys.txt").lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let [kind, bits, key] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
        (if kind == "ed25519" { "ed25519" } else { "rsa" }, bits.parse().unwrap(), key.to_owned())
    })
    .collect()
}

#[test]
fn the_size_of_every_real_key_is_read() {
    for (kind, bits, key) in keys() {
        let read = parse(&format!("v=DKIM1; k={kind}; p={key}")).unwrap().key;
        let expected = if kind == "rsa" { Key::Rsa { bits } } else { Key::Ed25519 };
        assert_eq!(read, expected, "{kind} {bits}");
    }
}

pub(crate) fn compare(count: usize, differences: &mut Differences) -> usize {
    let keys: Vec<(&str, String)> = keys().into_iter().map(|(kind, _, key)| (kind, key)).collect();
    let mut chance = Chance::new(6376);
    for _ in 0..count {
        let text = generator::dkim(&mut chance, &keys);
        let (ours, why) = match parse(&text) {
            Ok(record) if record.key == Key::Revoked => (Reading::Revoked, None),
            Ok(record) => (Reading::Key { testing: record.testing }, None),
            Err(fault) => (Reading::Broken, Some(fault)),
        };
        let theirs = match DomainKey::parse(text.as_bytes()) {
            Ok(record) => Reading::Key { testing: record.f & TESTING != 0 },
            Err(mail_auth::Error::Dkim(DkimError::RevokedPublicKey)) => Reading::Revoked,
            Err(_) => Reading::Broken,
        };
        if ours != theirs {
            let class = class(&text, why.as_ref(), &theirs);
            differences.add("dkim mail-auth", class, format!("{text:?}: {ours:?} {why:?}, they {theirs:?}"));
        }
    }
    count
}

fn class(text: &str, why: Option<&(String, &'static str)>, theirs: &Reading) -> String {
    let Some((why, rule)) = why else {
        let class = match theirs {
            Reading::Key { .. } if text.contains("t=Y") || text.contains("T=") => {
                "RFC 6376 §3.2: names and values are case-sensitive, so `t=Y` means nothing; they take it as `t=y`"
            }
            Reading::Broken if text.contains("V=") || text.contains("K=") => {
                "RFC 6376 §3.2: tag names are case-sensitive and unknown ones are ignored; they take `V`, `K` for `v`, `k`"
            }
            Reading::Broken if text.contains("k=") => {
                "RFC 6376 §3.6.1: an empty `p` revokes the key; they refuse the unknown `k` before they look"
            }
            Reading::Broken | Reading::Key { .. } | Reading::Revoked => "unexplained",
        };
        return class.to_owned();
    };
    let what = match why.as_str() {
        why if why.contains("a tag is empty") => "an empty tag makes the list invalid; they go on",
        why if why.contains("stands twice") => "a tag that stands twice makes the list invalid; they take the last",
        why if why.contains("has no `=`") || why.contains("no tag name") => {
            "a piece that is no tag makes the list invalid; they go on"
        }
        why if why.contains("`v` must come first") => "`v` stands first and is DKIM1; they do not look at its place",
        why if why.contains("no `p` tag") => "`p` is required; they take another tag for it",
        why if why.contains("key type") => "`k` has a value, and values are case-sensitive; they are more lenient",
        why if why.contains("not Base64") => "the key is whole Base64; they find out only when a signature is verified",
        why if why.contains("no RSA public key") || why.contains("Ed25519 key has") => {
            "the data is a key of its type; they find out only when a signature is verified"
        }
        _ => return format!("unexplained: {why}"),
    };
    format!("{rule}: {what}")
}
