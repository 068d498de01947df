//! Reads the coverage records that the collectors write beside what they collected.
//!
//! "No rules" and "no permission to read rules" look the same in an export. What a collector could
//! not read is told here as a file of that format that could not be read, so that nothing that
//! rests on it passes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;

use super::bundle::Content;
use super::decode::{Decoded, Survey};
use super::recognise::Format;

const FILE_BYTES: u64 = 256 * 1024 * 1024;
const LINE_BYTES: u64 = 64 * 1024;

/// One line: what was asked for, whether it could be read, and what came of it.
#[derive(Debug, Deserialize)]
struct Line {
    what: String,
    ok: bool,
    #[serde(default)]
    why: String,
}

/// What the records of one collector say.
pub struct Coverage {
    pub rows: u64,
    /// Lines that are no coverage record.
    pub faults: u64,
    /// Formats of which something could not be read, how often, and the first reason.
    pub failed: BTreeMap<String, (u64, String)>,
}

/// Reads the file if its name and its lines are those of a collector.
pub fn read(content: &Content, survey: &Survey, label: &str) -> Option<Coverage> {
    let name = label.rsplit('/').next().unwrap_or(label);
    if !(name.starts_with("coverage") && name.ends_with(".jsonl")) || survey.bytes > FILE_BYTES || survey.bytes == 0 {
        return None;
    }
    let mut text = BufReader::new(Decoded::new(content.open().ok()?.take(survey.bytes), survey.encoding));
    let mut coverage = Coverage { rows: 0, faults: 0, failed: BTreeMap::new() };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut text).take(LINE_BYTES).read_until(b'\n', &mut line).ok()?;
        if read == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Line>(&line) {
            Ok(record) => {
                coverage.rows += 1;
                if !record.ok {
                    let failed = coverage.failed.entry(format_of(&record.what)).or_insert((0, reason(&record.why)));
                    failed.0 += 1;
                }
            }
            Err(_) => coverage.faults += 1,
        }
    }
    (coverage.rows > 0).then_some(coverage)
}

/// A collector's fixed words; anything longer may be the message of a program.
fn reason(why: &str) -> String {
    let plain = why.len() <= 120 && !why.is_empty() && !why.contains('@');
    if plain { crate::text::visible(why) } else { "it gave no reason that can be shown".to_owned() }
}

/// The format that a collector's name for an export stands for.
fn format_of(what: &str) -> String {
    let known = match what {
        "asps" => Some("google-workspace.app-passwords"),
        "admins" => Some("google-workspace.admin-roles"),
        "doveconf" => Some("self-hosted.dovecot"),
        "forwardingaddresses" => Some("google-workspace.forwarding-addresses"),
        "login" => Some("google-workspace.login-audit"),
        "postconf" => Some("self-hosted.postfix"),
        "sendas" => Some("google-workspace.send-as"),
        "users" => Some("google-workspace.users-gam"),
        "vaultholds" => Some("google-workspace.vault-holds"),
        what if what == "sieve" || what.starts_with("sieve-") => Some("self-hosted.sieve"),
        what if what.starts_with("forward-") => Some("self-hosted.forward-file"),
        what if what.contains("aliases") => Some("self-hosted.aliases"),
        _ => None,
    };
    let by_name = || {
        let named = |format: &Format| format.as_str().rsplit('.').next() == Some(what);
        Format::ALL.into_iter().find(named).map(Format::as_str)
    };
    known.or_else(by_name).unwrap_or("collector.unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_collector_could_not_read_is_told_by_format() {
        let text = concat!(
            r#"{"what":"inbox-rules","subject":"1","ok":true,"rows":0,"why":""}"#,
            "\n",
            r#"{"what":"inbox-rules","subject":"2","ok":false,"rows":0,"why":"AccessDenied"}"#,
            "\n",
            r#"{"what":"inbox-rules","subject":"3","ok":false,"rows":0,"why":"AccessDenied"}"#,
            "\nnonsense\n",
        );
        let content = Content::Memory(text.as_bytes().into());
        let survey = super::super::decode::survey(&content, 1 << 20).unwrap();
        let found = read(&content, &survey, "x/status/coverage-0.jsonl").unwrap();
        assert_eq!((found.rows, found.faults), (3, 1));
        assert_eq!(found.failed["microsoft365.inbox-rules"], (2, "AccessDenied".to_owned()));
        assert!(read(&content, &survey, "x/rules.jsonl").is_none(), "another file's name");
        assert_eq!(format_of("sieve-ana-clinic.example"), "self-hosted.sieve");
    }
}
