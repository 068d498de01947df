//! Reads the coverage records that the collectors write beside what they collected.
//!
//! "No rules" and "no permission to read rules" look the same in an export. What a collector could
//! not read is told here as a file of that format that could not be read, so that nothing that
//! rests on it passes.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};

use jiff::civil::Date;
use serde::Deserialize;

use super::bundle::Content;
use super::dates;
use super::decode::{Decoded, Survey};
use super::recognise;
use crate::evidence::export::collectors_count_rows;

const FILE_BYTES: u64 = 64 * 1024 * 1024;
const LINE_BYTES: u64 = 64 * 1024;

/// One line: what was asked for, of whom, whether it could be read, and what came of it.
#[derive(Debug, Deserialize)]
struct Line {
    what: String,
    #[serde(default)]
    subject: String,
    ok: bool,
    #[serde(default)]
    rows: i64,
    #[serde(default)]
    why: String,
    /// The day a collector was started, in a line of its own.
    #[serde(default)]
    at: Option<String>,
}

/// What the records of one collector say.
pub struct Coverage {
    pub rows: u64,
    /// Lines that are no coverage record.
    pub faults: u64,
    /// What could not be read, by its format where it is a known one: how often, and the first reason.
    pub failed: BTreeMap<Option<&'static str>, (u64, String)>,
    /// What was read, by format: rows for Microsoft 365 and Zimbra, files with anything in them elsewhere.
    pub collected: BTreeMap<String, u64>,
    /// How many mailboxes were asked, read or not, by format.
    pub asked: BTreeMap<String, u64>,
    /// The first and the last day on which a collector was started.
    pub collected_on: Option<(Date, Date)>,
}

/// Reads the file if its name and its lines are those of a collector.
pub fn read(content: &Content, survey: &Survey, label: &str) -> Option<Coverage> {
    let name = label.rsplit('/').next().unwrap_or(label);
    if !(name.starts_with("coverage") && name.ends_with(".jsonl")) || survey.bytes > FILE_BYTES || survey.bytes == 0 {
        return None;
    }
    let mut text = BufReader::new(Decoded::new(content.open().ok()?.take(survey.bytes), survey.encoding));
    let (mut rows, mut faults, mut days) = (0, 0, None);
    // A collector that was started again asks again: what it says last of one thing holds.
    let mut last: HashMap<(String, String), Result<u64, String>> = HashMap::new();
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
            Ok(Line { what, subject, ok, rows: written, why, at }) => {
                rows += 1;
                if let Some(day) = at.as_deref().and_then(|at| dates::day_of(at).ok()) {
                    days = Some(days.map_or((day, day), |(from, to): (Date, Date)| (from.min(day), to.max(day))));
                }
                let said = if ok { Ok(u64::try_from(written).unwrap_or(0)) } else { Err(reason(&why)) };
                last.insert((what, subject), said);
            }
            Err(_) => faults += 1,
        }
    }
    let mut coverage = Coverage {
        rows,
        faults,
        failed: BTreeMap::new(),
        collected: BTreeMap::new(),
        asked: BTreeMap::new(),
        collected_on: days,
    };
    for ((what, subject), said) in last {
        let format = format_of(&what);
        // An asterisk is the whole tenant.
        if let Some(format) = format.filter(|_| !["", "*"].contains(&subject.as_str())) {
            *coverage.asked.entry(format.to_owned()).or_default() += 1;
        }
        match (said, format) {
            (Err(why), format) => {
                let failed = coverage.failed.entry(format).or_insert_with(|| (0, why.clone()));
                failed.0 += 1;
                if why < failed.1 {
                    failed.1 = why;
                }
            }
            (Ok(rows), Some(format)) => {
                let written = if collectors_count_rows(format) { rows } else { u64::from(rows > 0) };
                *coverage.collected.entry(format.to_owned()).or_default() += written;
            }
            (Ok(_), None) => {}
        }
    }
    (coverage.rows > 0).then_some(coverage)
}

/// A collector's fixed words; anything longer may be the message of a program.
fn reason(why: &str) -> String {
    let plain = why.len() <= 120 && !why.is_empty() && !why.contains('@');
    if plain { crate::text::visible(why) } else { "it gave no reason that can be shown".to_owned() }
}

/// The format that a collector's name for an export stands for; `None` for a name nobody knows.
fn format_of(what: &str) -> Option<&'static str> {
    Some(match what {
        "asps" => "google-workspace.app-passwords",
        "admins" => "google-workspace.admin-roles",
        "doveconf" => "self-hosted.dovecot",
        "forwardingaddresses" => "google-workspace.forwarding-addresses",
        "login" => "google-workspace.login-audit",
        "postconf" => "self-hosted.postfix",
        "sendas" => "google-workspace.send-as",
        "users" => "google-workspace.users-gam",
        "vaultholds" => "google-workspace.vault-holds",
        what if what == "sieve" || what.starts_with("sieve-") => "self-hosted.sieve",
        what if what == "forward" || what.starts_with("forward-") => "self-hosted.forward-file",
        what if what.contains("aliases") => "self-hosted.aliases",
        what => return recognise::format_named(what),
    })
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
        assert_eq!(found.failed[&Some("microsoft365.inbox-rules")], (2, "AccessDenied".to_owned()));
        assert_eq!(found.collected["microsoft365.inbox-rules"], 0);
        assert_eq!(found.asked["microsoft365.inbox-rules"], 3, "asked, whatever came of it");
        assert!(read(&content, &survey, "x/rules.jsonl").is_none(), "another file's name");
        assert_eq!(format_of("sieve-ana-clinic.example"), Some("self-hosted.sieve"));
        assert_eq!(format_of("weather"), None);
    }

    #[test]
    fn what_a_collector_says_last_of_one_thing_holds() {
        let text = concat!(
            r#"{"what":"inbox-rules","subject":"1","ok":false,"rows":0,"why":"Throttled"}"#,
            "\n",
            r#"{"what":"inbox-rules","subject":"1","ok":true,"rows":4,"why":""}"#,
            "\n",
            r#"{"what":"forwards","ok":true,"rows":-1}"#,
            "\n",
            r#"{"what":"filters","ok":true,"rows":12}"#,
            "\n",
        );
        let content = Content::Memory(text.as_bytes().into());
        let survey = super::super::decode::survey(&content, 1 << 20).unwrap();
        let found = read(&content, &survey, "coverage.jsonl").unwrap();
        assert!(found.failed.is_empty());
        let collected: Vec<_> = found.collected.iter().map(|(format, written)| (format.as_str(), *written)).collect();
        assert_eq!(
            collected,
            [("google-workspace.filters", 1), ("google-workspace.forwards", 0), ("microsoft365.inbox-rules", 4)]
        );
    }
}
