//! What others saw when they sent mail to a domain: TLS reports (RFC 8460). Counts, kinds of failure and
//! names of mail hosts; never an address of a person or free text.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::authentication::{ReportIdentity, once};
use crate::names::DomainName;
use crate::records::tls_report::{FailureKind, PolicyMode, PolicyType};

/// One report, as far as it speaks of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsReport {
    /// Of its text, unpacked, whatever it came in.
    pub sha256: String,
    /// Who sent mail and reports, as it names itself.
    pub organization: String,
    pub id: String,
    /// The period it speaks of, in seconds since 1970 (UTC).
    pub begin: i64,
    pub end: i64,
    pub policies: Vec<ReportedPolicy>,
    /// Policies of the report beyond the bound, of whatever domain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub policies_left_out: u64,
}

/// What happened under one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedPolicy {
    pub policy: PolicyType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PolicyMode>,
    pub succeeded: u64,
    pub failed: u64,
    /// The most frequent first; they may add up to less than `failed`.
    pub failures: Vec<ReportedFailure>,
    /// Kinds of failure at hosts beyond the bound; their sessions are in `failed`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures_left_out: u64,
    /// Sessions of those; in a collection that does not say, they count as unexplained.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sessions_left_out: u64,
}

/// One kind of failure at one mail host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedFailure {
    pub kind: FailureKind,
    /// The mail host, where it is told by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<DomainName>,
    pub sessions: u64,
}

/// Sessions, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCounts {
    /// TLS was agreed on as the policy asks.
    pub succeeded: u64,
    pub failed: u64,
}

impl SessionCounts {
    /// All sessions.
    pub fn sessions(&self) -> u64 {
        self.succeeded.saturating_add(self.failed)
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

impl TlsReport {
    /// Over all policies.
    pub fn counts(&self) -> SessionCounts {
        let mut all = SessionCounts::default();
        for policy in &self.policies {
            all.add(&SessionCounts { succeeded: policy.succeeded, failed: policy.failed });
        }
        all
    }
}

/// What several reports say of one domain, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedSessions {
    /// Reports, each counted once however often it was given.
    pub reports: u64,
    /// The first and the last second that they speak of (UTC).
    pub begin: i64,
    pub end: i64,
    pub counts: SessionCounts,
    /// Failed sessions under an MTA-STS policy that says `enforce`, or under DANE, by which senders should
    /// not deliver over such a session (RFC 8461 §5, RFC 7672 §2.2). Without those for which the policy
    /// could not be used.
    pub failed_enforced: u64,
    /// Sessions by kind of failure, the most frequent first.
    pub kinds: Vec<(FailureKind, u64)>,
    /// Failed sessions by mail host, the most frequent first.
    pub hosts: Vec<(DomainName, u64)>,
    /// Failed sessions of which no report says why.
    pub unexplained: u64,
    /// Failed sessions of a kind that somebody on the way could have brought about; at least, where `cut`.
    pub maybe_downgraded: u64,
    /// Who reported, with the reports of each, the most first.
    pub reporters: Vec<(String, u64)>,
    /// Something of the reports was not kept.
    pub cut: bool,
}

impl ReportedSessions {
    /// Joins reports; `None` where there are none. The same report may arrive twice (by mail and as a
    /// file): who reports, its number and its period tell it (RFC 8460 §4.4).
    pub fn join<'r>(reports: impl IntoIterator<Item = &'r TlsReport>) -> Option<Self> {
        let mut kinds: BTreeMap<FailureKind, u64> = BTreeMap::new();
        let mut hosts: BTreeMap<&DomainName, u64> = BTreeMap::new();
        let mut reporters: BTreeMap<&str, u64> = BTreeMap::new();
        let mut joined: Option<Self> = None;
        for report in once(reports, TlsReport::identity) {
            let all = joined.get_or_insert_with(|| Self {
                reports: 0,
                begin: report.begin,
                end: report.end,
                counts: SessionCounts::default(),
                failed_enforced: 0,
                kinds: Vec::new(),
                hosts: Vec::new(),
                unexplained: 0,
                maybe_downgraded: 0,
                reporters: Vec::new(),
                cut: false,
            });
            all.reports += 1;
            all.begin = all.begin.min(report.begin);
            all.end = all.end.max(report.end);
            all.counts.add(&report.counts());
            all.cut |= report.policies_left_out > 0;
            *reporters.entry(&report.organization).or_default() += 1;
            for policy in &report.policies {
                let enforced = policy.policy == PolicyType::Tlsa || policy.mode == Some(PolicyMode::Enforce);
                all.cut |= policy.failures_left_out > 0;
                let (mut detailed, mut unused) = (policy.sessions_left_out, 0_u64);
                for failure in &policy.failures {
                    detailed = detailed.saturating_add(failure.sessions);
                    let had_no_policy = failure.kind.means_no_policy();
                    unused = unused.saturating_add(if had_no_policy { failure.sessions } else { 0 });
                    let of_kind = kinds.entry(failure.kind).or_default();
                    *of_kind = of_kind.saturating_add(failure.sessions);
                    if let Some(host) = &failure.host {
                        let at_host = hosts.entry(host).or_default();
                        *at_host = at_host.saturating_add(failure.sessions);
                    }
                }
                if enforced {
                    all.failed_enforced = all.failed_enforced.saturating_add(policy.failed.saturating_sub(unused));
                }
                all.unexplained = all.unexplained.saturating_add(policy.failed.saturating_sub(detailed));
            }
        }
        let mut joined = joined?;
        let downgrades = kinds.iter().filter(|(kind, _)| kind.may_be_a_downgrade());
        joined.maybe_downgraded = downgrades.fold(0, |all, (_, sessions)| all.saturating_add(*sessions));
        joined.kinds = ranked(kinds);
        joined.hosts = ranked(hosts).into_iter().map(|(host, sessions)| (host.clone(), sessions)).collect();
        joined.reporters = ranked(reporters).into_iter().map(|(name, reports)| (name.to_owned(), reports)).collect();
        Some(joined)
    }
}

impl TlsReport {
    /// Without a number two reports of one day are told apart by their text alone.
    pub fn identity(&self) -> ReportIdentity<'_> {
        let id = if self.id.is_empty() { &self.sha256 } else { &self.id };
        (&self.organization, id, self.begin, self.end)
    }
}

fn ranked<K: Ord + Clone>(counts: BTreeMap<K, u64>) -> Vec<(K, u64)> {
    let mut ranked: Vec<(K, u64)> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    ranked.sort_by_key(|(key, count)| (Reverse(*count), key.clone()));
    ranked
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_joined_once_and_what_they_do_not_explain_is_counted() {
        let report = |id: &str, mode| TlsReport {
            sha256: String::new(),
            organization: "Sender".to_owned(),
            id: id.to_owned(),
            begin: 0,
            end: 86_399,
            policies: vec![ReportedPolicy {
                policy: PolicyType::Sts,
                mode,
                succeeded: 90,
                failed: 10,
                failures: vec![
                    ReportedFailure {
                        kind: FailureKind::StarttlsNotSupported,
                        host: Some("mx1.c.example".parse().unwrap()),
                        sessions: 6,
                    },
                    ReportedFailure { kind: FailureKind::CertificateExpired, host: None, sessions: 1 },
                ],
                failures_left_out: 0,
                sessions_left_out: 0,
            }],
            policies_left_out: 0,
        };
        let all = [report("1", None), report("1", None), report("2", Some(PolicyMode::Enforce))];
        let joined = ReportedSessions::join(&all).unwrap();
        assert_eq!((joined.reports, joined.counts.sessions(), joined.counts.failed), (2, 200, 20));
        assert_eq!((joined.failed_enforced, joined.unexplained, joined.maybe_downgraded), (10, 6, 12));
        assert_eq!(joined.kinds, [(FailureKind::StarttlsNotSupported, 12), (FailureKind::CertificateExpired, 2)]);
        assert_eq!(joined.hosts, [("mx1.c.example".parse().unwrap(), 12)]);
        assert_eq!(ReportedSessions::join(&[]), None);

        let mut without = report("3", Some(PolicyMode::Enforce));
        without.policies[0].failures[0].kind = FailureKind::StsPolicyFetchError;
        without.policies[0].sessions_left_out = 2;
        let joined = ReportedSessions::join(&[without]).unwrap();
        assert_eq!((joined.failed_enforced, joined.unexplained), (4, 1), "under no policy nothing is enforced");
    }
}
