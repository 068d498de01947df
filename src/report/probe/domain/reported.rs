//! What DMARC aggregate reports say was sent in a domain's name: how much of it passed, and from where
//! the rest came.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::wrap;
use crate::evidence::authentication::{MessageCounts, ReportedMail};
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
    pub messages: u64,
    #[serde(flatten)]
    pub counts: MessageCounts,
    pub signed_for: Vec<String>,
    pub sent_for: Vec<String>,
}

/// `None` where there is no report.
pub(super) fn of(observations: &[Observation]) -> Option<Reported> {
    let reports = observations.iter().filter_map(|observation| match &observation.answer {
        Ok(Answer::AggregateReport(report)) => Some(report.as_ref()),
        Ok(_) | Err(_) => None,
    });
    let mail = ReportedMail::join(reports)?;
    let sources_not_shown = mail.sources.len().saturating_sub(SOURCES);
    let sources = mail.sources.into_iter().take(SOURCES).map(|source| Source {
        address: source.address.to_string(),
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
            let mut text = format!(
                "{}: {} messages, {} / {} / {}",
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
