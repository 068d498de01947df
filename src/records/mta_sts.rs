//! Reads the MTA-STS record and policy (RFC 8461 §3) and holds the policy against the mail hosts.

use super::dns_message::{Reader, RecordKind};
use super::note::Note;
use super::tags::{self, short};
use super::txt;
use crate::evidence::network::{HttpsAnswer, HttpsFailure};
use crate::names::DomainName;
use crate::seen::NotObserved;

/// More than this is not read of a policy.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;
/// The longest `max_age` (RFC 8461 §3.2), in seconds: 366 days.
const MAX_AGE_SECONDS: u64 = 31_557_600;
/// Below this the protection lapses between two messages; the standard speaks of weeks.
const SHORT_AGE_SECONDS: u64 = 7 * 86_400;
/// Lines of a policy that are read.
const MAX_LINES: usize = 1_000;

/// RFC 8461 §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Enforce,
    None,
    Testing,
}

impl Mode {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::None => "none",
            Self::Testing => "testing",
        }
    }
}

/// A policy that follows RFC 8461 §3.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsPolicy {
    pub mode: Mode,
    pub max_age_seconds: u64,
    /// Host names, or `*.` and a name, lower case.
    pub mx: Vec<String>,
}

/// What is wrong with a policy: its note code, the fault, the paragraph.
pub type PolicyFault = (&'static str, String, &'static str);

/// Reads a policy file.
pub fn parse_policy(body: &[u8]) -> Result<StsPolicy, PolicyFault> {
    let wrong = |why: String| ("sts.bad_policy", why, "RFC 8461 §3.2");
    let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    let (mut version, mut mode, mut max_age) = (None, None, None);
    let mut mx = Vec::new();
    for (number, line) in text.split('\n').enumerate().take(MAX_LINES) {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_end_matches([' ', '\t']);
        if line.is_empty() {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            return Err(wrong(format!("line {}: `{}` has no `:`", number + 1, short(line))));
        };
        let value = value.trim_matches([' ', '\t']);
        match key {
            // Of fields that stand twice the first counts (RFC 8461 §3.2).
            "version" => drop(version.get_or_insert(value)),
            "mode" => drop(mode.get_or_insert(value)),
            "max_age" => drop(max_age.get_or_insert(value)),
            "mx" => mx.push(pattern(value).ok_or_else(|| wrong(format!("`mx: {}` is no host name", short(value))))?),
            _ => {}
        }
    }
    if version != Some("STSv1") {
        return Err(wrong("the version is not STSv1".to_owned()));
    }
    let mode = match mode {
        Some("enforce") => Mode::Enforce,
        Some("testing") => Mode::Testing,
        Some("none") => Mode::None,
        Some(other) => return Err(wrong(format!("the mode `{}` is not known", short(other)))),
        None => return Err(wrong("there is no mode".to_owned())),
    };
    let bad_age = |why: String| ("sts.bad_max_age", why, "RFC 8461 §3.2");
    let max_age = max_age.ok_or_else(|| bad_age("there is no max_age".to_owned()))?;
    let digits = !max_age.is_empty() && max_age.len() <= 10 && max_age.bytes().all(|byte| byte.is_ascii_digit());
    let max_age_seconds = match max_age.parse::<u64>() {
        Ok(seconds) if digits && seconds <= MAX_AGE_SECONDS => seconds,
        _ => return Err(bad_age(format!("max_age `{}` is not 0 to {MAX_AGE_SECONDS}", short(max_age)))),
    };
    if mx.is_empty() && mode != Mode::None {
        return Err(("sts.no_mx", "no mail host is named".to_owned(), "RFC 8461 §3.2"));
    }
    Ok(StsPolicy { mode, max_age_seconds, mx })
}

fn pattern(value: &str) -> Option<String> {
    let (star, name) = match value.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", value),
    };
    let name: DomainName = name.parse().ok()?;
    Some(format!("{star}{name}"))
}

/// RFC 8461 §4.1: `*.` stands for exactly one label.
pub fn matches(pattern: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        None => pattern == host,
        Some(suffix) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == suffix),
    }
}

/// The contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsVerdict {
    Error,
    Invalid,
    Mismatch,
    Missing,
    Mode(Mode),
}

impl StsVerdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Invalid => "invalid",
            Self::Mismatch => "mismatch",
            Self::Missing => "missing",
            Self::Mode(mode) => mode.as_str(),
        }
    }
}

/// What was found out about a domain's MTA-STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsAudit {
    pub verdict: StsVerdict,
    pub record: Option<String>,
    /// The policy as received, as text.
    pub policy_text: Option<String>,
    pub policy: Option<StsPolicy>,
    /// The policy should be fetched.
    pub wants_policy: bool,
    pub notes: Vec<Note>,
    /// With [`StsVerdict::Error`]: set where the failure may be ours (timeout, refused), and not
    /// set where the policy host's answer itself is the fault.
    pub because: Option<NotObserved>,
}

/// What the fetch of the policy brought; `None` if it was not tried.
pub type Fetched<'f> = Option<&'f Result<HttpsAnswer, NotObserved>>;

/// The host that must serve the policy.
pub fn policy_host(domain: &DomainName) -> Option<DomainName> {
    domain.child("mta-sts").ok()
}

/// Reads a domain's MTA-STS. `mail_hosts` are the names in its MX records.
pub fn audit(domain: &DomainName, mail_hosts: &[String], fetched: Fetched<'_>, reader: &mut Reader<'_>) -> StsAudit {
    let mut audit = StsAudit {
        verdict: StsVerdict::Error,
        record: None,
        policy_text: None,
        policy: None,
        wants_policy: false,
        notes: Vec::new(),
        because: None,
    };
    let (Ok(name), Some(host)) = (domain.child("_mta-sts"), policy_host(domain)) else {
        audit.verdict = StsVerdict::Missing;
        return audit;
    };
    let texts = match reader.ask(&name, RecordKind::Txt) {
        Ok(Some(response)) => txt::texts(&response.data),
        Ok(None) => return audit,
        Err(reason) => {
            audit.because = Some(reason);
            return audit;
        }
    };
    // Records that do not begin with the version are discarded (RFC 8461 §3.1).
    let records: Vec<&String> = texts.iter().filter(|text| is_sts(text)).collect();
    match records.as_slice() {
        [] => {
            audit.verdict = StsVerdict::Missing;
            audit.without_record(&host, fetched, reader);
            return audit;
        }
        [text] => {
            audit.record = Some((*text).clone());
            audit.read_id(&name, text);
        }
        several => {
            let detail = format!("{name} has {} records; senders use none", several.len());
            audit.note("sts.multiple", detail, "RFC 8461 §3.1");
        }
    }
    let record_is_fine = audit.notes.is_empty();
    // The host's addresses are asked for by name, so that "does not exist" is told from "does not
    // answer".
    let addresses = [RecordKind::A, RecordKind::Aaaa].map(|kind| reader.ask(&host, kind));
    audit.wants_policy = addresses.iter().any(|told| matches!(told, Ok(Some(response)) if !response.is_empty()));
    let nowhere = addresses.iter().all(|told| matches!(told, Ok(Some(response)) if response.is_empty()));
    let verdict = match fetched {
        _ if nowhere => {
            audit.note("sts.no_host", format!("{host} has no address"), "RFC 8461 §3.3");
            StsVerdict::Error
        }
        None => {
            let what = format!("https://{host}/.well-known/mta-sts.txt");
            let failed = addresses.into_iter().find_map(Result::err);
            audit.because = Some(failed.unwrap_or(NotObserved::NotProvided { what }));
            StsVerdict::Error
        }
        Some(Err(reason)) => {
            if matches!(reason, NotObserved::TimedOut { .. }) {
                audit.note("sts.timeout", format!("{host} did not answer in time"), "RFC 8461 §3.3");
            }
            audit.because = Some(reason.clone());
            StsVerdict::Error
        }
        Some(Ok(answer)) => audit.read_answer(&host, mail_hosts, answer),
    };
    audit.verdict = if record_is_fine { verdict } else { StsVerdict::Invalid };
    if !record_is_fine {
        audit.because = None;
    }
    audit
}

fn is_sts(text: &str) -> bool {
    text.strip_prefix("v=STSv1").is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with(';'))
}

impl StsAudit {
    fn note(&mut self, code: &str, detail: impl AsRef<str>, rule: &str) {
        self.notes.push(Note::new(code, detail, rule));
    }

    fn read_id(&mut self, name: &DomainName, text: &str) {
        let (tags, faults) = tags::split(text);
        match tags.iter().find(|tag| tag.name == "id").map(|tag| tag.value) {
            None | Some("") => self.note("sts.no_id", format!("{name}: there is no id"), "RFC 8461 §3.1"),
            Some(id) if id.len() <= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                for fault in faults {
                    self.note("sts.syntax", format!("{name}: byte {}: {}", fault.at, fault.why), "RFC 8461 §3.1");
                }
            }
            Some(id) => {
                let detail = format!("{name}: the id `{}` is not 1 to 32 letters and digits", short(id));
                self.note("sts.bad_id", detail, "RFC 8461 §3.1");
            }
        }
    }

    /// A policy without a record is never looked at by senders.
    fn without_record(&mut self, host: &DomainName, fetched: Fetched<'_>, reader: &mut Reader<'_>) {
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            if let Ok(Some(response)) = reader.ask(host, kind) {
                self.wants_policy |= !response.is_empty();
            }
        }
        if let Some(Ok(answer)) = fetched
            && answer.status == Some(200)
            && parse_policy(&answer.body.0).is_ok()
        {
            let detail = format!("{host} serves a policy that no record announces");
            self.note("sts.policy_without_record", detail, "RFC 8461 §3.1");
        }
    }

    fn read_answer(&mut self, host: &DomainName, mail_hosts: &[String], answer: &HttpsAnswer) -> StsVerdict {
        match &answer.failure {
            Some(HttpsFailure::Certificate { why }) => {
                self.note("sts.cert", format!("{host}: {why}"), "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
            Some(HttpsFailure::Protocol { why }) => {
                self.note("sts.http_status", format!("{host}: {why}"), "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
            Some(HttpsFailure::TimedOut { after_ms }) => {
                let detail = format!("{host}: the policy did not arrive within {after_ms} ms");
                self.note("sts.timeout", detail, "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
            Some(HttpsFailure::TooLarge { limit }) => {
                self.note("sts.too_large", format!("{host}: more than {limit} bytes"), "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
            None => {}
        }
        match answer.status {
            Some(200) => {}
            Some(status @ 300..=399) => {
                self.note("sts.redirect", format!("{host}: status {status} redirects"), "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
            Some(status) => {
                self.note("sts.http_status", format!("{host}: status {status}"), "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
            None => {
                self.note("sts.http_status", format!("{host}: no status"), "RFC 8461 §3.3");
                return StsVerdict::Error;
            }
        }
        self.policy_text = Some(String::from_utf8_lossy(&answer.body.0).into_owned());
        let media = answer.content_type.as_ref().map(|value| String::from_utf8_lossy(&value.0).into_owned());
        let media_type = media.as_deref().unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        let plain = media_type == "text/plain";
        if !plain {
            self.note("sts.content_type", format!("{host}: served as `{}`", short(&media_type)), "RFC 8461 §3.3");
        }
        match parse_policy(&answer.body.0) {
            Err((code, why, rule)) => {
                self.note(code, format!("{host}: {why}"), rule);
                StsVerdict::Invalid
            }
            Ok(policy) => {
                let verdict = self.read_policy(host, mail_hosts, &policy);
                self.policy = Some(policy);
                if plain { verdict } else { StsVerdict::Invalid }
            }
        }
    }

    fn read_policy(&mut self, host: &DomainName, mail_hosts: &[String], policy: &StsPolicy) -> StsVerdict {
        match policy.mode {
            Mode::Enforce => {}
            Mode::None => self.note("sts.mode_none", format!("{host}: the mode is none"), "RFC 8461 §5"),
            Mode::Testing => self.note("sts.testing", format!("{host}: the mode is testing"), "RFC 8461 §5"),
        }
        if policy.max_age_seconds < SHORT_AGE_SECONDS {
            let detail = format!("{host}: max_age is {} seconds; weeks are expected", policy.max_age_seconds);
            self.note("sts.short_max_age", detail, "RFC 8461 §3.2");
        }
        let stray: Vec<&str> = mail_hosts
            .iter()
            .map(String::as_str)
            .filter(|mail_host| !policy.mx.iter().any(|pattern| matches(pattern, mail_host)))
            .collect();
        if !stray.is_empty() && policy.mode != Mode::None {
            let detail = format!("{host}: the policy does not name {}", stray.join(", "));
            self.note("sts.mx_mismatch", detail, "RFC 8461 §4.1");
            return StsVerdict::Mismatch;
        }
        StsVerdict::Mode(policy.mode)
    }
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{answers, name};
    use super::super::note::codes;
    use super::*;
    use crate::evidence::ReceivedBytes;
    use proptest::prelude::*;

    const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: m.c.example\r\nmax_age: 1209600\r\n";

    fn served(body: &str) -> HttpsAnswer {
        HttpsAnswer {
            status: Some(200),
            content_type: Some(ReceivedBytes(b"text/plain; charset=utf-8".to_vec())),
            location: None,
            body: ReceivedBytes(body.as_bytes().to_vec()),
            failure: None,
        }
    }

    fn judge(record: &str, fetched: Result<HttpsAnswer, NotObserved>) -> (&'static str, Vec<String>) {
        let record = format!("_mta-sts.c.example TXT {record}");
        let lines = [record.as_str(), "mta-sts.c.example A 192.0.2.1", "mta-sts.c.example AAAA !none"];
        let answers = answers(&lines);
        let hosts = ["m.c.example".to_owned()];
        let audit = audit(&name("c.example"), &hosts, Some(&fetched), &mut Reader::new(&answers));
        (audit.verdict.as_str(), codes(&audit.notes))
    }

    fn policy(body: &str) -> (&'static str, Vec<String>) {
        judge("v=STSv1; id=20261001", Ok(served(body)))
    }

    #[test]
    fn the_policy_decides() {
        assert_eq!(policy(GOOD), ("enforce", vec![]));
        assert_eq!(policy(&GOOD.replace("\r\n", "\n")), ("enforce", vec![]));
        for (from, to, verdict, code) in [
            ("enforce", "testing", "testing", "sts.testing"),
            ("enforce", "none", "none", "sts.mode_none"),
            ("enforce", "strict", "invalid", "sts.bad_policy"),
            ("STSv1", "STSv2", "invalid", "sts.bad_policy"),
            ("m.c.example", "n.c.example", "mismatch", "sts.mx_mismatch"),
            ("m.c.example", "*.example", "mismatch", "sts.mx_mismatch"),
            ("m.c.example", "*.*.example", "invalid", "sts.bad_policy"),
            ("mx: m.c.example\r\n", "", "invalid", "sts.no_mx"),
            ("1209600", "31557601", "invalid", "sts.bad_max_age"),
            ("1209600", "-1", "invalid", "sts.bad_max_age"),
            ("1209600", "", "invalid", "sts.bad_max_age"),
            ("1209600", "3600", "enforce", "sts.short_max_age"),
        ] {
            let (found, codes) = policy(&GOOD.replace(from, to));
            assert_eq!((found, codes.as_slice()), (verdict, [code.to_owned()].as_slice()), "{from} -> {to}");
        }
        assert_eq!(policy(&GOOD.replace("m.c.example", "*.c.example")).0, "enforce");
        assert_eq!(policy(&GOOD.replace("1209600", "31557600")).0, "enforce");
        assert_eq!(policy(&format!("{GOOD}mode: none\r\nother: x\r\n")).0, "enforce", "the first of two counts");
    }

    #[test]
    fn a_record_that_breaks_the_standard_is_invalid() {
        for (record, code) in [
            ("v=STSv1;", "sts.no_id"),
            ("v=STSv1", "sts.no_id"),
            ("v=STSv1; id=2026-10-01", "sts.bad_id"),
            ("v=STSv1; id=012345678901234567890123456789012", "sts.bad_id"),
        ] {
            assert_eq!(judge(record, Ok(served(GOOD))), ("invalid", vec![code.to_owned()]), "{record}");
        }
        assert_eq!(judge("v=STSv10; id=1", Ok(served(GOOD))).0, "missing");
        assert_eq!(judge("!nx", Ok(served(GOOD))).1, ["sts.policy_without_record"]);
        assert_eq!(judge("!fail", Ok(served(GOOD))).0, "error");
    }

    #[test]
    fn each_way_a_fetch_fails_is_told_apart() {
        let failed = |failure| HttpsAnswer { status: None, failure: Some(failure), ..served("") };
        let why = "expired".to_owned();
        for (answer, code) in [
            (failed(HttpsFailure::Certificate { why: why.clone() }), "sts.cert"),
            (failed(HttpsFailure::Protocol { why }), "sts.http_status"),
            (failed(HttpsFailure::TimedOut { after_ms: 1 }), "sts.timeout"),
            (failed(HttpsFailure::TooLarge { limit: 1 }), "sts.too_large"),
            (HttpsAnswer { status: Some(301), ..served("") }, "sts.redirect"),
            (HttpsAnswer { status: Some(404), ..served("") }, "sts.http_status"),
        ] {
            assert_eq!(judge("v=STSv1; id=1", Ok(answer)), ("error", vec![code.to_owned()]));
        }
        assert_eq!(judge("v=STSv1; id=1", Err(NotObserved::TimedOut { after_ms: 1 })).0, "error");
        let html = HttpsAnswer { content_type: Some(ReceivedBytes(b"text/html".to_vec())), ..served(GOOD) };
        assert_eq!(judge("v=STSv1; id=1", Ok(html)), ("invalid", vec!["sts.content_type".to_owned()]));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(matches("*.c.example", "m.C.example"));
        assert!(!matches("*.c.example", "a.m.c.example") && !matches("*.c.example", "c.example"));
        assert!(!matches("*.c.example", ".c.example"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body: Vec<u8>, text: String) {
            let _ = parse_policy(&body);
            let _ = parse_policy(text.as_bytes());
            let _ = matches(&text, "m.c.example");
        }
    }
}
