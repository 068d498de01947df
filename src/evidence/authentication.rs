//! What authenticated mail in a domain's name: DMARC aggregate reports, and the selectors that signed
//! given mail. Counts, domains and addresses of servers; never a sender, a recipient or a subject.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// One aggregate report (RFC 7489 Appendix C, RFC 9990), summed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AggregateReport {
    /// Of its text, unpacked, whatever it came in.
    pub sha256: String,
    /// The receiver that wrote it, as it names itself.
    pub organization: String,
    pub id: String,
    /// The days it speaks of, in seconds since 1970 (UTC).
    pub begin: i64,
    pub end: i64,
    pub counts: MessageCounts,
    /// By number of messages, most first.
    pub sources: Vec<ReportedSource>,
    /// Sources beyond the bound; their messages are in `counts`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sources_left_out: u64,
    /// Keys that signed for the domain, sorted.
    pub selectors: Vec<ReportedSelector>,
    /// Rows that could not be read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows_not_read: u64,
}

/// How many messages, by what authenticated them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts {
    /// DMARC passed.
    pub aligned: u64,
    /// SPF or DKIM passed, and only for another domain: a forwarder, or a service not set up for this one.
    pub unaligned: u64,
    /// Nothing passed: forged, or broken on the way.
    pub unauthenticated: u64,
    /// Of all: put aside.
    pub quarantined: u64,
    /// Of all: refused.
    pub rejected: u64,
}

impl MessageCounts {
    /// All messages.
    pub fn messages(&self) -> u64 {
        self.aligned.saturating_add(self.unaligned).saturating_add(self.unauthenticated)
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.aligned = self.aligned.saturating_add(other.aligned);
        self.unaligned = self.unaligned.saturating_add(other.unaligned);
        self.unauthenticated = self.unauthenticated.saturating_add(other.unauthenticated);
        self.quarantined = self.quarantined.saturating_add(other.quarantined);
        self.rejected = self.rejected.saturating_add(other.rejected);
    }
}

/// A server that sent mail in the domain's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedSource {
    pub address: IpAddr,
    pub counts: MessageCounts,
    /// Domains for which DKIM passed, sorted.
    pub signed_for: Vec<String>,
    /// Domains for which SPF passed, sorted.
    pub sent_for: Vec<String>,
}

impl ReportedSource {
    /// Domains that its mail passed for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.signed_for.iter().chain(&self.sent_for).map(String::as_str)
    }
}

/// A key that signed, with how often its signatures passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedSelector {
    pub selector: String,
    pub passed: u64,
    pub failed: u64,
}

/// Keys that signed given mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSelectors {
    /// Messages whose header sections were read, whoever signed them.
    pub messages: u64,
    /// Each with the messages it signed, sorted by selector.
    pub selectors: Vec<(String, u64)>,
}

/// Mail that was searched for reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportMail {
    pub mails: u64,
    /// Of those: with no report in it.
    pub without_report: u64,
}

/// What several reports say of one domain, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedMail {
    /// Reports, each counted once however often it was given.
    pub reports: u64,
    /// The first and the last second that they speak of (UTC).
    pub begin: i64,
    pub end: i64,
    pub counts: MessageCounts,
    /// Every source, by number of messages, most first.
    pub sources: Vec<ReportedSource>,
    /// Whether some report knew of more sources.
    pub sources_whole: bool,
    pub rows_not_read: u64,
}

impl ReportedMail {
    /// Joins reports; `None` where there are none. The same report may arrive twice (by mail and as a
    /// file): receiver, number and days tell it (RFC 7489 §7.2.1.1).
    pub fn join<'r>(reports: impl IntoIterator<Item = &'r AggregateReport>) -> Option<Self> {
        let mut by_source: BTreeMap<IpAddr, ReportedSource> = BTreeMap::new();
        let mut joined: Option<Self> = None;
        for report in once(reports, AggregateReport::identity) {
            let all = joined.get_or_insert_with(|| Self {
                reports: 0,
                begin: report.begin,
                end: report.end,
                counts: MessageCounts::default(),
                sources: Vec::new(),
                sources_whole: true,
                rows_not_read: 0,
            });
            all.reports += 1;
            all.begin = all.begin.min(report.begin);
            all.end = all.end.max(report.end);
            all.counts.add(&report.counts);
            all.sources_whole &= report.sources_left_out == 0;
            all.rows_not_read = all.rows_not_read.saturating_add(report.rows_not_read);
            for source in &report.sources {
                let known = by_source.entry(source.address).or_insert_with(|| ReportedSource {
                    address: source.address,
                    counts: MessageCounts::default(),
                    signed_for: Vec::new(),
                    sent_for: Vec::new(),
                });
                known.counts.add(&source.counts);
                for (names, more) in
                    [(&mut known.signed_for, &source.signed_for), (&mut known.sent_for, &source.sent_for)]
                {
                    names.extend(more.iter().cloned());
                    names.sort();
                    names.dedup();
                    names.truncate(NAMES);
                }
            }
        }
        let mut joined = joined?;
        joined.sources = by_source.into_values().collect();
        joined.sources.sort_by_key(|source| (std::cmp::Reverse(source.counts.messages()), source.address));
        Some(joined)
    }
}

/// What tells one report from another: who wrote it, its number and its period.
pub type ReportIdentity<'r> = (&'r str, &'r str, i64, i64);

/// Each report once, in the order given: the same may come in several packings.
pub fn once<'r, R: 'r>(
    reports: impl IntoIterator<Item = &'r R>,
    identity: fn(&R) -> ReportIdentity<'_>,
) -> impl Iterator<Item = &'r R> {
    let mut known = BTreeSet::new();
    reports.into_iter().filter(move |report| known.insert(identity(report)))
}

impl AggregateReport {
    /// Without a number two reports of one day are told apart by their text alone.
    pub fn identity(&self) -> ReportIdentity<'_> {
        let id = if self.id.is_empty() { &self.sha256 } else { &self.id };
        (&self.organization, id, self.begin, self.end)
    }
}

/// Names kept of one source.
const NAMES: usize = 10;

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_came_twice_counts_once() {
        let report = |id: &str, begin: i64| AggregateReport {
            sha256: String::new(),
            organization: "Receiver".to_owned(),
            id: id.to_owned(),
            begin,
            end: begin + 86_399,
            counts: MessageCounts { aligned: 3, unaligned: 1, ..MessageCounts::default() },
            sources: vec![ReportedSource {
                address: "192.0.2.1".parse().unwrap(),
                counts: MessageCounts { aligned: 3, unaligned: 1, ..MessageCounts::default() },
                signed_for: vec!["c.example".to_owned()],
                sent_for: Vec::new(),
            }],
            sources_left_out: 0,
            selectors: Vec::new(),
            rows_not_read: 0,
        };
        let joined = ReportedMail::join(&[report("1", 86_400), report("1", 86_400), report("2", 0)]).unwrap();
        assert_eq!((joined.reports, joined.counts.messages(), joined.begin, joined.end), (2, 8, 0, 172_799));
        assert_eq!(joined.sources.len(), 1);
        assert_eq!(joined.sources[0].signed_for, ["c.example"]);
        assert_eq!(ReportedMail::join(&[]), None);
    }
}
