//! Reads TLS reports (RFC 8460 section 4): what others saw when they sent mail to a domain.
//!
//! Pure: it is given the JSON. Of a report its sender's name, its period and its counts are kept;
//! addresses of people and free text are left where they stand. Counts that are missing or no numbers
//! make the report unreadable: a failure that was not counted must not look like none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::DomainName;
use crate::text::visible;

/// Policies of one report that are read.
const POLICIES: usize = 1_000;
/// Different failures kept of one report, over its policies.
const FAILURES: usize = 1_000;
/// Characters kept of the reporter's name and of the report's identity.
const NAME_CHARACTERS: usize = 80;
/// Lines of one policy that are looked at for its mode.
const POLICY_LINES: usize = 100;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsReport {
    /// Who sent mail and reports, as it calls itself, cut.
    pub organization: String,
    pub id: String,
    /// The period it speaks of, in seconds since 1970 (UTC).
    pub begin: i64,
    pub end: i64,
    pub policies: Vec<PolicyResult>,
    /// Policies that were not kept.
    pub policies_left_out: u64,
}

/// What happened under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyResult {
    pub policy: PolicyType,
    /// The domain that mail went to.
    pub domain: DomainName,
    /// The mode of an MTA-STS policy, where the report repeats it.
    pub mode: Option<PolicyMode>,
    /// Sessions in which TLS was agreed on as the policy asks.
    pub successful: u64,
    /// Sessions that failed; at least as many as are detailed.
    pub failed: u64,
    /// The most frequent first. Their counts may add up to less than `failed`: not all are detailed.
    pub failures: Vec<Failure>,
    /// Kinds of failure at hosts that were not kept; their sessions are in `failed`.
    pub failures_left_out: u64,
    /// The sessions of those.
    pub sessions_left_out: u64,
}

/// The policy a sender applied (section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyType {
    NoPolicyFound,
    /// A word the standard does not have.
    Other,
    Sts,
    Tlsa,
}

/// What an MTA-STS policy asks senders to do (RFC 8461 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyMode {
    Enforce,
    None,
    Testing,
}

/// One kind of failure at one mail exchange.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// The mail exchange that was spoken to, where it is told by name.
    pub mx: Option<DomainName>,
    pub sessions: u64,
}

/// Result types (section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    CertificateExpired,
    CertificateHostMismatch,
    CertificateNotTrusted,
    DaneRequired,
    DnssecInvalid,
    /// A word the standard does not have.
    Other,
    StarttlsNotSupported,
    StsPolicyFetchError,
    StsPolicyInvalid,
    StsWebpkiInvalid,
    TlsaInvalid,
    ValidationFailure,
}

impl FailureKind {
    /// The word of the standard.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::DaneRequired => "dane-required",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::Other => "other",
            Self::StarttlsNotSupported => "starttls-not-supported",
            Self::StsPolicyFetchError => "sts-policy-fetch-error",
            Self::StsPolicyInvalid => "sts-policy-invalid",
            Self::StsWebpkiInvalid => "sts-webpki-invalid",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::ValidationFailure => "validation-failure",
        }
    }

    fn of(word: &str) -> Self {
        const ALL: [FailureKind; 11] = [
            FailureKind::CertificateExpired,
            FailureKind::CertificateHostMismatch,
            FailureKind::CertificateNotTrusted,
            FailureKind::DaneRequired,
            FailureKind::DnssecInvalid,
            FailureKind::StarttlsNotSupported,
            FailureKind::StsPolicyFetchError,
            FailureKind::StsPolicyInvalid,
            FailureKind::StsWebpkiInvalid,
            FailureKind::TlsaInvalid,
            FailureKind::ValidationFailure,
        ];
        ALL.into_iter().find(|kind| word.trim().eq_ignore_ascii_case(kind.as_str())).unwrap_or(Self::Other)
    }

    /// Whether the policy, or the TLSA records, could not be used (section 4.3.2), so that nothing was enforced
    /// by them.
    pub const fn means_no_policy(self) -> bool {
        match self {
            Self::StsPolicyFetchError | Self::StsPolicyInvalid | Self::StsWebpkiInvalid | Self::TlsaInvalid => true,
            Self::CertificateExpired
            | Self::CertificateHostMismatch
            | Self::CertificateNotTrusted
            | Self::DaneRequired
            | Self::DnssecInvalid
            | Self::Other
            | Self::StarttlsNotSupported
            | Self::ValidationFailure => false,
        }
    }

    /// Whether somebody on the way could have brought it about: TLS was not offered, who answered could
    /// not show that it is the one meant, or the policy could not be had (RFC 8461 section 10.2). A fault
    /// of one's own gives the same.
    pub const fn may_be_a_downgrade(self) -> bool {
        match self {
            Self::CertificateHostMismatch
            | Self::CertificateNotTrusted
            | Self::DaneRequired
            | Self::DnssecInvalid
            | Self::Other
            | Self::StarttlsNotSupported
            | Self::StsPolicyFetchError
            | Self::StsWebpkiInvalid
            | Self::TlsaInvalid
            | Self::ValidationFailure => true,
            // It takes the key of the host itself, or an answer that its own policy host signed.
            Self::CertificateExpired | Self::StsPolicyInvalid => false,
        }
    }
}

/// Why a text is no TLS report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as a TLS report (RFC 8460), {0}")]
pub struct NoTlsReport(&'static str);

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "organization-name", default)]
    organization: Option<String>,
    #[serde(rename = "report-id", default)]
    id: Option<String>,
    #[serde(rename = "date-range")]
    period: Period,
    policies: Vec<WrittenPolicy>,
}

#[derive(Deserialize)]
struct Period {
    #[serde(rename = "start-datetime")]
    begin: String,
    #[serde(rename = "end-datetime")]
    end: String,
}

#[derive(Deserialize)]
struct WrittenPolicy {
    policy: Policy,
    summary: Summary,
    #[serde(rename = "failure-details", default)]
    failures: Option<Vec<WrittenFailure>>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(rename = "policy-type")]
    kind: String,
    #[serde(rename = "policy-domain")]
    domain: String,
    /// An array of lines; some write one text.
    #[serde(rename = "policy-string", default)]
    lines: Option<Value>,
}

#[derive(Deserialize)]
struct Summary {
    #[serde(rename = "total-successful-session-count")]
    successful: u64,
    #[serde(rename = "total-failure-session-count")]
    failed: u64,
}

#[derive(Deserialize)]
struct WrittenFailure {
    #[serde(rename = "result-type")]
    kind: String,
    #[serde(rename = "receiving-mx-hostname", default)]
    mx: Option<String>,
    #[serde(rename = "failed-session-count")]
    sessions: u64,
}

/// Reads a report; its text is bounded by the caller.
pub fn read(text: &str) -> Result<TlsReport, NoTlsReport> {
    let written: Written =
        serde_json::from_str(text).map_err(|_| NoTlsReport("it is no JSON object with the parts of a report"))?;
    let moment = |text: &str| text.trim().parse::<Timestamp>().map_err(|_| NoTlsReport("its period cannot be read"));
    let (begin, end) = (moment(&written.period.begin)?.as_second(), moment(&written.period.end)?.as_second());
    if end < begin {
        return Err(NoTlsReport("its period ends before it begins"));
    }
    let short = |text: Option<String>| -> String {
        visible(text.unwrap_or_default().trim()).chars().take(NAME_CHARACTERS).collect()
    };
    let policies_left_out = written.policies.len().saturating_sub(POLICIES) as u64;
    let mut room = FAILURES;
    let policies = written.policies.into_iter().take(POLICIES);
    let policies = policies.map(|policy| result(policy, &mut room)).collect::<Result<_, _>>()?;
    let (organization, id) = (short(written.organization), short(written.id));
    Ok(TlsReport { organization, id, begin, end, policies, policies_left_out })
}

/// A policy with as many of its failures as there is room for.
fn result(written: WrittenPolicy, room: &mut usize) -> Result<PolicyResult, NoTlsReport> {
    let domain = written.policy.domain.trim();
    let domain = domain.parse().map_err(|_| NoTlsReport("a policy's domain is no domain name"))?;
    let policy = match written.policy.kind.trim().to_ascii_lowercase().as_str() {
        "no-policy-found" => PolicyType::NoPolicyFound,
        "sts" => PolicyType::Sts,
        "tlsa" => PolicyType::Tlsa,
        _ => PolicyType::Other,
    };
    let mut by_kind: BTreeMap<(FailureKind, Option<DomainName>), u64> = BTreeMap::new();
    let (mut detailed, mut failures_left_out, mut sessions_left_out) = (0_u64, 0, 0_u64);
    for failure in written.failures.unwrap_or_default() {
        let mx = failure.mx.and_then(|name| name.trim().parse().ok());
        let key = (FailureKind::of(&failure.kind), mx);
        detailed = detailed.saturating_add(failure.sessions);
        if !by_kind.contains_key(&key) {
            if *room == 0 {
                failures_left_out += 1;
                sessions_left_out = sessions_left_out.saturating_add(failure.sessions);
                continue;
            }
            *room -= 1;
        }
        let sessions = by_kind.entry(key).or_default();
        *sessions = sessions.saturating_add(failure.sessions);
    }
    let mut failures: Vec<Failure> =
        by_kind.into_iter().map(|((kind, mx), sessions)| Failure { kind, mx, sessions }).collect();
    failures.sort_by(|a, b| b.sessions.cmp(&a.sessions).then_with(|| a.cmp(b)));
    let Summary { successful, failed } = written.summary;
    let mode = (policy == PolicyType::Sts).then(|| mode(written.policy.lines.as_ref())).flatten();
    // A summary that counts fewer failures than its details does not make them good.
    let failed = failed.max(detailed);
    Ok(PolicyResult { policy, domain, mode, successful, failed, failures, failures_left_out, sessions_left_out })
}

/// The mode among the lines of a policy (RFC 8461 section 3.2).
fn mode(lines: Option<&Value>) -> Option<PolicyMode> {
    let of = |line: &str| {
        let (name, value) = line.split_once(':')?;
        match (name.trim(), value.trim().to_ascii_lowercase().as_str()) {
            ("mode", "enforce") => Some(PolicyMode::Enforce),
            ("mode", "none") => Some(PolicyMode::None),
            ("mode", "testing") => Some(PolicyMode::Testing),
            _ => None,
        }
    };
    match lines? {
        Value::Array(lines) => lines.iter().take(POLICY_LINES).filter_map(Value::as_str).find_map(of),
        Value::String(text) => text.split(['\n', ',']).take(POLICY_LINES).find_map(of),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A report as others write it; invented.
    pub(crate) fn report(domain: &str, successful: u64, failed: u64, failures: &str) -> String {
        format!(
            r#"{{"organization-name":"Sender Inc.","date-range":{{"start-datetime":"2026-09-01T00:00:00Z","end-datetime":"2026-09-01T23:59:59Z"}},"contact-info":"mailto:someone@sender.example","report-id":"2026-09-01@sender.example","policies":[{{"policy":{{"policy-type":"sts","policy-string":["version: STSv1","mode: testing"],"policy-domain":"{domain}","mx-host":"*.mail.{domain}"}},"summary":{{"total-successful-session-count":{successful},"total-failure-session-count":{failed}}},"failure-details":[{failures}]}}]}}"#
        )
    }

    #[test]
    fn counts_are_read_and_failures_are_summed_by_kind_and_host() {
        let failures = r#"{"result-type":"certificate-expired","sending-mta-ip":"2001:db8:abcd:0012::1","receiving-mx-hostname":"mx1.c.example","failed-session-count":100},
            {"result-type":"starttls-not-supported","receiving-mx-hostname":"mx2.c.example.","receiving-ip":"192.0.2.2","failed-session-count":200,"additional-information":"https://reports.sender.example/x"},
            {"result-type":"certificate-expired","receiving-mx-hostname":"mx1.c.example","failed-session-count":3},
            {"result-type":"a-new-word","failed-session-count":1}"#;
        let read = read(&report("c.example", 5326, 304, failures)).unwrap();
        assert_eq!((read.organization.as_str(), read.id.as_str()), ("Sender Inc.", "2026-09-01@sender.example"));
        let policy = &read.policies[0];
        assert_eq!(
            (policy.policy, policy.mode, policy.successful, policy.failed),
            (PolicyType::Sts, Some(PolicyMode::Testing), 5326, 304)
        );
        let of = |failure: &Failure| (failure.kind, failure.mx.as_ref().map(ToString::to_string), failure.sessions);
        assert_eq!(
            policy.failures.iter().map(of).collect::<Vec<_>>(),
            [
                (FailureKind::StarttlsNotSupported, Some("mx2.c.example".to_owned()), 200),
                (FailureKind::CertificateExpired, Some("mx1.c.example".to_owned()), 103),
                (FailureKind::Other, None, 1)
            ]
        );
        assert!(!format!("{read:?}").contains("someone"), "addresses of people stay behind");
    }

    #[test]
    fn what_is_no_report_or_counts_nothing_is_refused() {
        let whole = report("c.example", 1, 0, "");
        for text in [
            String::new(),
            "{}".to_owned(),
            "[".repeat(100_000),
            whole.replace("total-failure-session-count\":0", "total-failure-session-count\":\"none\""),
            whole.replace("total-failure-session-count\":0", "total-failure-session-count\":-1"),
            whole.replace("\"total-failure-session-count\":0", "\"x\":0"),
            whole.replace("\"c.example\"", "\"c example\""),
            whole.replace("2026-09-01T23", "2026-08-01T23"),
            whole.replace("2026-09-01T00:00:00Z", "yesterday"),
        ] {
            assert!(read(&text).is_err(), "{text:.120}");
        }
    }

    #[test]
    fn more_than_can_be_kept_is_counted() {
        let failure = |number: usize| {
            format!(
                r#"{{"result-type":"validation-failure","receiving-mx-hostname":"mx{number}.c.example","failed-session-count":1}}"#
            )
        };
        let failures: Vec<String> = (0..FAILURES + 7).map(failure).collect();
        let read = read(&report("c.example", 0, 2_000, &failures.join(","))).unwrap();
        let policy = &read.policies[0];
        assert_eq!((policy.failures.len(), policy.failures_left_out, policy.failed), (FAILURES, 7, 2_000));
        assert_eq!(policy.sessions_left_out, 7);
    }

    #[test]
    fn all_policies_of_a_report_share_one_room_for_failures() {
        let failures: Vec<String> = (0..FAILURES)
            .map(|number| format!(r#"{{"result-type":"other","receiving-mx-hostname":"m{number}.c.example","failed-session-count":1}}"#))
            .collect();
        let one = report("c.example", 0, 0, &failures.join(","));
        let (head, policies) = one.split_once("\"policies\":[").unwrap();
        let policy = policies.strip_suffix("]}").unwrap();
        let read = read(&format!("{head}\"policies\":[{policy},{policy}]}}")).unwrap();
        let kept: Vec<(usize, u64)> =
            read.policies.iter().map(|policy| (policy.failures.len(), policy.sessions_left_out)).collect();
        assert_eq!(kept, [(FAILURES, 0), (0, FAILURES as u64)]);
    }

    #[test]
    fn a_summary_does_not_hide_the_failures_it_does_not_count() {
        let failure = r#"{"result-type":"starttls-not-supported","failed-session-count":9}"#;
        assert_eq!(read(&report("c.example", 5, 0, failure)).unwrap().policies[0].failed, 9);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, cut in 0..1_000_usize) {
            let _ = read(&text);
            let good = report("c.example", 1, 1, r#"{"result-type":"tlsa-invalid","failed-session-count":1}"#);
            let mut broken: String = good.chars().take(cut).collect();
            broken.push_str(&text);
            let _ = read(&broken);
        }
    }
}
