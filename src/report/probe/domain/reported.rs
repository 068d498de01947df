//! What others report: by DMARC aggregate reports what was sent in a domain's name, how much of it passed
//! and from where the rest came; by TLS reports how sessions with its mail hosts ended.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::wrap;
use crate::catalogues::vendors::VendorCatalogue;
use crate::evidence::authentication::{MessageCounts, ReportedMail};
use crate::evidence::tls_reports::{ReportedSessions, SessionCounts};
use crate::evidence::{Answer, Observation};

/// Sources that are listed.
const SOURCES: usize = 20;

/// Mail in a domain's name, as receivers report it.
#[derive(Clone, Debug, Serialize)]
pub struct Reported {
    pub reports: u64,
    pub first_day: String,
    pub last_day: String,
    pub messages: u64,
    #[serde(flatten)]
    pub counts: MessageCounts,
    /// By number of messages, most first.
    pub sources: Vec<Source>,
    /// At least, where not every report's sources are known whole.
    pub sources_not_shown: usize,
    pub sources_whole: bool,
    /// Rows of the reports that could not be read, or that do not say whether DMARC passed.
    pub rows_not_read: u64,
}

/// A server that sent mail in the domain's name.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    pub address: String,
    /// The vendor whose names its mail passed for, where the catalogue knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    pub messages: u64,
    #[serde(flatten)]
    pub counts: MessageCounts,
    pub signed_for: Vec<String>,
    pub sent_for: Vec<String>,
}

/// TLS sessions with a domain's mail hosts, as senders report them (RFC 8460).
#[derive(Clone, Debug, Serialize)]
pub struct ReportedTls {
    pub reports: u64,
    pub first_day: String,
    pub last_day: String,
    pub sessions: u64,
    #[serde(flatten)]
    pub counts: SessionCounts,
    /// Failed under DANE, or under an MTA-STS policy in mode enforce, that could be used: senders should not
    /// deliver over such a session.
    pub failed_enforced: u64,
    /// Failed, and no report says why.
    pub unexplained: u64,
    /// Failed in a way that somebody on the way could have brought about; at least, where not `whole`.
    pub maybe_downgraded: u64,
    pub failures: Vec<Failed>,
    pub hosts: Vec<Failed>,
    pub reporters: Vec<Reporter>,
    /// Whether everything in the reports was kept.
    pub whole: bool,
}

/// Sessions that failed, by kind or by host.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    pub what: String,
    pub sessions: u64,
}

/// Who reported.
#[derive(Clone, Debug, Serialize)]
pub struct Reporter {
    pub organization: String,
    pub reports: u64,
}

/// `None` where there is no TLS report.
pub(super) fn tls_of(observations: &[Observation]) -> Option<ReportedTls> {
    let reports = observations.iter().filter_map(|observation| match &observation.answer {
        Ok(Answer::TlsReport(report)) => Some(report.as_ref()),
        Ok(_) | Err(_) => None,
    });
    let all = ReportedSessions::join(reports)?;
    Some(ReportedTls {
        reports: all.reports,
        first_day: day(all.begin),
        last_day: day(all.end),
        sessions: all.counts.sessions(),
        counts: all.counts,
        failed_enforced: all.failed_enforced,
        unexplained: all.unexplained,
        maybe_downgraded: all.maybe_downgraded,
        failures: failed(all.kinds.iter().map(|(kind, sessions)| (kind.as_str(), *sessions))),
        hosts: failed(all.hosts.iter().map(|(host, sessions)| (host.as_str(), *sessions))),
        reporters: all
            .reporters
            .into_iter()
            .take(SOURCES)
            .map(|(organization, reports)| Reporter { organization, reports })
            .collect(),
        whole: !all.cut,
    })
}

fn failed<'w>(counts: impl Iterator<Item = (&'w str, u64)>) -> Vec<Failed> {
    counts.take(SOURCES).map(|(what, sessions)| Failed { what: what.to_owned(), sessions }).collect()
}

impl ReportedTls {
    pub(super) fn render(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\nTLS with its mail hosts, by {} reports of {} to {}",
            self.reports, self.first_day, self.last_day
        );
        let text = format!(
            "{} sessions: {} agreed on TLS as the policy asks, {} failed",
            self.sessions, self.counts.succeeded, self.counts.failed
        );
        wrap(out, "  ", &text, 4);
        for (of, all) in [("kind", &self.failures), ("host", &self.hosts)] {
            for one in all {
                wrap(out, "  ", &format!("failed, by {of}: {} {}", one.what, one.sessions), 4);
            }
        }
        let least = if self.whole { "" } else { "at least " };
        for (least, number, words) in [
            (
                "",
                self.failed_enforced,
                "failed under an enforced policy, by which senders should not deliver over such a session",
            ),
            (least, self.maybe_downgraded, "failed as they would if somebody on the way took TLS away"),
            ("", self.unexplained, "failed without a reason given"),
        ] {
            if number > 0 {
                wrap(out, "  ", &format!("{least}{number} {words}"), 4);
            }
        }
        if !self.reporters.is_empty() {
            let names: Vec<&str> = self.reporters.iter().map(|one| one.organization.as_str()).collect();
            wrap(out, "  ", &format!("told by {}", names.join(", ")), 4);
        }
        if !self.whole {
            out.push_str("  and more that was not kept\n");
        }
    }
}

/// `None` where there is no report.
pub(super) fn of(observations: &[Observation], catalogue: &VendorCatalogue) -> Option<Reported> {
    let reports = observations.iter().filter_map(|observation| match &observation.answer {
        Ok(Answer::AggregateReport(report)) => Some(report.as_ref()),
        Ok(_) | Err(_) => None,
    });
    let mail = ReportedMail::join(reports)?;
    let sources_not_shown = mail.sources.len().saturating_sub(SOURCES);
    let sources = mail.sources.into_iter().take(SOURCES).map(|source| Source {
        address: source.address.to_string(),
        vendor: catalogue.sends_as(source.names()).map(|vendor| vendor.name.clone()),
        messages: source.counts.messages(),
        counts: source.counts,
        signed_for: source.signed_for,
        sent_for: source.sent_for,
    });
    Some(Reported {
        reports: mail.reports,
        first_day: day(mail.begin),
        last_day: day(mail.end),
        messages: mail.counts.messages(),
        counts: mail.counts,
        sources: sources.collect(),
        sources_not_shown,
        sources_whole: mail.sources_whole,
        rows_not_read: mail.rows_not_read,
    })
}

/// The day of a moment (UTC).
fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "?".to_owned(), |at| crate::clock::date_of(at).to_string())
}

impl Reported {
    pub(super) fn render(&self, out: &mut String) {
        let _ =
            writeln!(out, "\nMail in its name, by {} reports of {} to {}", self.reports, self.first_day, self.last_day);
        let counts = &self.counts;
        let text = format!(
            "{} messages: {} passed DMARC, {} passed only for another domain, {} passed nothing",
            self.messages, counts.aligned, counts.unaligned, counts.unauthenticated
        );
        wrap(out, "  ", &text, 4);
        for source in &self.sources {
            let of = &source.counts;
            let vendor = source.vendor.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            let mut text = format!(
                "{}{vendor}: {} messages, {} / {} / {}",
                source.address, source.messages, of.aligned, of.unaligned, of.unauthenticated
            );
            for (what, names) in [("signed for", &source.signed_for), ("sent for", &source.sent_for)] {
                if !names.is_empty() {
                    let _ = write!(text, "; {what} {}", names.join(", "));
                }
            }
            wrap(out, "  ", &text, 4);
        }
        match (self.sources_not_shown, self.sources_whole) {
            (0, true) => {}
            (0, false) => out.push_str("  and sources that are not kept\n"),
            (more, true) => drop(writeln!(out, "  and {more} sources more")),
            (more, false) => drop(writeln!(out, "  and at least {more} sources more")),
        }
        if self.rows_not_read > 0 {
            let _ = writeln!(out, "  not counted: {} rows that could not be read", self.rows_not_read);
        }
    }
}
