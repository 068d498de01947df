//! Sums a report for one domain: counts, servers, keys and kinds of failure instead of rows.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::evidence::authentication::{AggregateReport, MessageCounts, ReportedSelector, ReportedSource};
use crate::evidence::tls_reports::{ReportedFailure, ReportedPolicy, TlsReport};
use crate::names::DomainName;
use crate::records::dmarc_report::{self, Disposition, ReportRow};
use crate::records::tls_report;

/// Sources, and selectors, kept of one report.
const SOURCES: usize = 1_000;
const SELECTORS: usize = 100;
/// Names kept of one source.
const NAMES: usize = 10;

fn counts(row: &ReportRow) -> MessageCounts {
    let when = |holds: bool| if holds { row.messages } else { 0 };
    MessageCounts {
        aligned: when(row.aligned()),
        unaligned: when(!row.aligned() && row.authenticated()),
        unauthenticated: when(!row.authenticated()),
        quarantined: when(row.disposition == Disposition::Quarantined),
        rejected: when(row.disposition == Disposition::Rejected),
    }
}

/// A report without its rows: what each source sent, and which keys signed for the domain.
pub(super) fn aggregate(report: &dmarc_report::AggregateReport, sha256: &str) -> AggregateReport {
    let mut all = MessageCounts::default();
    let mut by_source: BTreeMap<IpAddr, ReportedSource> = BTreeMap::new();
    let mut selectors: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for row in &report.rows {
        let counts = counts(row);
        all.add(&counts);
        let source = by_source.entry(row.source).or_insert_with(|| ReportedSource {
            address: row.source,
            counts: MessageCounts::default(),
            signed_for: Vec::new(),
            sent_for: Vec::new(),
        });
        source.counts.add(&counts);
        for signed in &row.dkim {
            if signed.passed {
                remember(&mut source.signed_for, &signed.domain);
            }
            if let Some(selector) = signed.selector.as_ref().filter(|_| signed.domain == report.domain)
                && (selectors.len() < SELECTORS || selectors.contains_key(selector.as_str()))
            {
                let (passed, failed) = selectors.entry(selector.to_string()).or_default();
                let of = if signed.passed { passed } else { failed };
                *of = of.saturating_add(row.messages);
            }
        }
        row.spf.iter().filter(|spf| spf.passed).for_each(|spf| remember(&mut source.sent_for, &spf.domain));
    }
    let mut sources: Vec<ReportedSource> = by_source.into_values().collect();
    sources.sort_by_key(|source| (std::cmp::Reverse(source.counts.messages()), source.address));
    let left_out = sources.len().saturating_sub(SOURCES);
    sources.truncate(SOURCES);
    AggregateReport {
        sha256: sha256.to_owned(),
        organization: report.organization.clone(),
        id: report.id.clone(),
        begin: report.begin,
        end: report.end,
        counts: all,
        sources,
        sources_left_out: left_out as u64,
        selectors: selectors
            .into_iter()
            .map(|(selector, (passed, failed))| ReportedSelector { selector, passed, failed })
            .collect(),
        rows_not_read: report.rows_not_read as u64,
    }
}

fn remember(names: &mut Vec<String>, name: &DomainName) {
    if names.len() < NAMES
        && let Err(at) = names.binary_search_by(|other| other.as_str().cmp(name.as_str()))
    {
        names.insert(at, name.to_string());
    }
}

/// What a TLS report says of one domain.
pub(super) fn tls(report: &tls_report::TlsReport, domain: &DomainName, sha256: &str) -> TlsReport {
    let failure = |failure: &tls_report::Failure| ReportedFailure {
        kind: failure.kind,
        host: failure.mx.clone(),
        sessions: failure.sessions,
    };
    let policies = report.policies.iter().filter(|policy| policy.domain == *domain).map(|policy| ReportedPolicy {
        policy: policy.policy,
        mode: policy.mode,
        succeeded: policy.successful,
        failed: policy.failed,
        failures: policy.failures.iter().map(failure).collect(),
        failures_left_out: policy.failures_left_out,
        sessions_left_out: policy.sessions_left_out,
    });
    TlsReport {
        sha256: sha256.to_owned(),
        organization: report.organization.clone(),
        id: report.id.clone(),
        begin: report.begin,
        end: report.end,
        policies: policies.collect(),
        policies_left_out: report.policies_left_out,
    }
}
