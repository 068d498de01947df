//! What others report of each domain, as sentences, rows and figures.

use jiff::civil::Date;
use serde::Serialize;

use super::words::{counted, day_or, number, paragraph};
use crate::clock::{date_of, days_between};
use crate::report::charts::{self, Period, Series};
use crate::report::json::v1::reported::{Failures, Reported, ReportedMail, ReportedTls, Reporter, SourceGroup};
use crate::report::json::v1::{Assessment, Published};

/// Domains shown.
const DOMAINS: usize = 10;
/// Days without a report that are nothing to speak of.
const LATE: i64 = 7;
/// Reporters named in a sentence.
const REPORTERS: usize = 5;

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedView {
    pub rows: Vec<ReportedRow>,
    pub rest: Option<String>,
    /// The mail that was searched for reports.
    pub searched: Option<String>,
    /// Whether there is anything of it.
    pub shown: bool,
}

/// One domain.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedRow {
    pub domain: String,
    pub mail: Option<MailView>,
    pub tls: Option<TlsView>,
    /// Why there is none, where reports were given.
    pub mail_not_known: Option<String>,
    pub tls_not_known: Option<String>,
}

/// Mail in its name.
#[derive(Clone, Debug, Serialize)]
pub struct MailView {
    pub said: String,
    /// SVG of our own making; empty where no report has a day.
    pub figure: String,
    pub figure_words: String,
    pub period_word: &'static str,
    pub periods: Vec<PeriodRow>,
    pub sources: Vec<SourceRow>,
    pub sources_rest: Option<String>,
    pub limits: Vec<String>,
}

/// TLS with its mail hosts.
#[derive(Clone, Debug, Serialize)]
pub struct TlsView {
    pub said: String,
    pub figure: String,
    pub figure_words: String,
    pub period_word: &'static str,
    pub periods: Vec<PeriodRow>,
    /// By kind, then by host.
    pub failures: Vec<FailureRow>,
    pub limits: Vec<String>,
}

/// One day or week; without a report its counts are not known.
#[derive(Clone, Debug, Serialize)]
pub struct PeriodRow {
    pub from: String,
    pub reports: String,
    pub counts: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SourceRow {
    pub name: String,
    /// How the name is known.
    pub known_by: &'static str,
    pub servers: String,
    pub messages: String,
    pub counts: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FailureRow {
    pub what: String,
    pub meaning: &'static str,
    pub sessions: String,
}

pub(super) fn reported(assessment: &Assessment) -> ReportedView {
    let mut all: Vec<&Reported> = assessment.reported.iter().collect();
    // A domain of which nothing could be read hides none of which something is told.
    all.sort_by_key(|one| one.mail.is_none() && one.tls.is_none());
    let left = all.len().saturating_sub(DOMAINS);
    let today = date_of(assessment.as_of);
    ReportedView {
        shown: !all.is_empty() || assessment.report_mail.is_some(),
        searched: assessment.report_mail.as_ref().map(|mail| {
            let with = mail.mails.saturating_sub(mail.without_report);
            format!(
                "Reports were looked for in {} {}: {} brought a report, should have, or could not be looked into, and {} held none.",
                number(mail.mails),
                if mail.mails == 1 { "mail" } else { "mails" },
                number(with),
                number(mail.without_report)
            )
        }),
        rows: all.iter().take(DOMAINS).zip(1..).map(|(one, at)| row(one, at, today)).collect(),
        rest: (left > 0).then(|| format!("{} more are in assessment.json.", counted(left, "domain", "domains"))),
    }
}

fn row(reported: &Reported, at: usize, today: Date) -> ReportedRow {
    let not_known = |why: &Option<String>| {
        why.as_ref().map(|why| format!("Not known, since no report was read: {}.", paragraph(why)))
    };
    ReportedRow {
        domain: paragraph(&reported.domain),
        mail: reported.mail.as_ref().map(|mail| mail_view(mail, at, today)),
        tls: reported.tls.as_ref().map(|tls| tls_view(tls, at, today)),
        mail_not_known: not_known(&reported.mail_not_known),
        tls_not_known: not_known(&reported.tls_not_known),
    }
}

const MAIL_PARTS: [&str; 3] = ["passed DMARC", "passed for another domain only", "passed nothing"];
const TLS_PARTS: [&str; 3] = ["agreed on TLS", "", "failed"];

fn mail_view(mail: &ReportedMail, at: usize, today: Date) -> MailView {
    let counts = &mail.counts;
    let said = format!(
        "{} from {} to {}, {}: {} in its name. {} passed DMARC, {} passed for another domain only (forwarded, or sent by a service \
         that is not set up), {} passed nothing (forged, or broken on the way). Of all, {} were put aside and {} refused.",
        reports(mail.reports),
        day_or(mail.first_day, "no day"),
        day_or(mail.last_day, "no day"),
        told_by(&mail.reporters, mail.reporters_more),
        messages(counts.messages()),
        number(counts.aligned),
        number(counts.unaligned),
        number(counts.unauthenticated),
        number(counts.quarantined),
        number(counts.rejected),
    );
    let known: Vec<(Date, u64, [u64; 3])> = mail
        .periods
        .iter()
        .map(|period| {
            let counts = period.counts;
            (period.from, period.reports, [counts.aligned, counts.unaligned, counts.unauthenticated])
        })
        .collect();
    let drawn = Drawn::of(&known, mail.period_days, MAIL_PARTS, today);
    let mut limits = limits(mail.reports_not_placed, &drawn);
    limits.extend(since_last(mail.days_since_last));
    limits.extend(files_not_read(mail.files_not_read, "been sent"));
    if mail.rows_not_read > 0 {
        let rows = number(mail.rows_not_read);
        limits.push(format!("{rows} rows of the reports could not be read and are counted nowhere, so more was sent."));
    }
    if !mail.sources_whole {
        limits.push("Some reports name more servers than were kept.".to_owned());
    }
    let series = drawn.series(&format!("reported-mail-{at}"), "Mail in the domain's name over time");
    MailView {
        said,
        figure: series,
        period_word: drawn.word,
        periods: drawn.rows(),
        figure_words: drawn.words,
        sources: mail.sources.iter().map(source).collect(),
        sources_rest: (mail.sources_more > 0).then(|| {
            format!("Not listed: {} servers with {}.", number(mail.sources_more), messages(mail.messages_more))
        }),
        limits,
    }
}

fn source(group: &SourceGroup) -> SourceRow {
    let counts = &group.counts;
    SourceRow {
        name: paragraph(&group.name),
        known_by: match group.by.as_str() {
            "vendor" => "vendor, by the names its mail passed for",
            "domain" => "domain that its mail passed for",
            "nothing" => "small, and its mail passed nothing",
            _ => "address",
        },
        servers: number(group.servers),
        messages: number(counts.messages()),
        counts: [counts.aligned, counts.unaligned, counts.unauthenticated].map(number).to_vec(),
    }
}

fn tls_view(tls: &ReportedTls, at: usize, today: Date) -> TlsView {
    let counts = &tls.counts;
    let said = format!(
        "{} from {} to {}, {}: {} with its mail hosts. {} agreed on TLS as the domain's policy asks, {} failed: {} of them under a \
         policy that is enforced, by which senders should not deliver over such a session; {}{} as they would if somebody on the way took TLS \
         away, which a fault of one's own looks like too; {} without a reason given.",
        reports(tls.reports),
        day_or(tls.first_day, "no day"),
        day_or(tls.last_day, "no day"),
        told_by(&tls.reporters, tls.reporters_more),
        sessions(counts.sessions()),
        number(counts.succeeded),
        number(counts.failed),
        number(tls.failed_enforced),
        if tls.whole { "" } else { "at least " },
        number(tls.maybe_downgraded),
        number(tls.unexplained),
    );
    let known: Vec<(Date, u64, [u64; 3])> = tls
        .periods
        .iter()
        .map(|period| (period.from, period.reports, [period.counts.succeeded, 0, period.counts.failed]))
        .collect();
    let drawn = Drawn::of(&known, tls.period_days, TLS_PARTS, today);
    let mut limits = limits(tls.reports_not_placed, &drawn);
    limits.extend(since_last(tls.days_since_last));
    limits.extend(files_not_read(tls.files_not_read, "failed"));
    if !tls.whole {
        limits.push("Some reports hold more than was kept, so more may have failed.".to_owned());
    }
    if tls.hosts_more > 0 {
        limits.push(format!("Sessions failed at {} mail hosts more than are listed.", number(tls.hosts_more)));
    }
    let failure = |meaning: &'static str| {
        move |one: &Failures| FailureRow { what: paragraph(&one.what), meaning, sessions: number(one.sessions) }
    };
    let mut failures: Vec<FailureRow> = tls.failures.iter().map(failure("kind of failure")).collect();
    failures.extend(tls.hosts.iter().map(failure("mail host")));
    let series = drawn.series(&format!("reported-tls-{at}"), "Sessions with the domain's mail hosts over time");
    TlsView {
        said,
        figure: series,
        period_word: drawn.word,
        periods: drawn.rows(),
        figure_words: drawn.words,
        failures,
        limits,
    }
}

/// The keys that sign mail.
#[derive(Clone, Debug, Serialize)]
pub struct SigningView {
    pub rows: Vec<KeyRow>,
    pub rest: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct KeyRow {
    pub domain: String,
    pub selector: String,
    pub key_words: String,
    pub learned: String,
    pub first_seen: String,
    pub published: &'static str,
    pub sha256: String,
}

pub(super) fn signing(assessment: &Assessment) -> SigningView {
    let keys = &assessment.dkim_keys;
    SigningView {
        rows: keys
            .iter()
            .take(super::RAW_SHOWN)
            .map(|key| KeyRow {
                domain: paragraph(&key.domain),
                selector: paragraph(&key.selector),
                key_words: match (&key.algorithm, key.bits) {
                    (None, _) => "not known".to_owned(),
                    (Some(name), Some(bits)) => format!("{}, {} bits", paragraph(name), number(bits)),
                    (Some(name), None) => paragraph(name),
                },
                learned: match key.learned.is_empty() {
                    true => "not said".to_owned(),
                    false => paragraph(&key.learned.join(", ")),
                },
                first_seen: date_of(key.first_seen).to_string(),
                published: match key.published {
                    Published::No => "no",
                    Published::NotKnown => "not known",
                    Published::Yes => "yes",
                },
                sha256: paragraph(&key.sha256),
            })
            .collect(),
        rest: super::shown::left_out(keys.len()),
    }
}

fn reports(count: u64) -> String {
    format!("{} {}", number(count), if count == 1 { "report" } else { "reports" })
}

fn messages(count: u64) -> String {
    format!("{} {}", number(count), if count == 1 { "message" } else { "messages" })
}

fn sessions(count: u64) -> String {
    format!("{} {}", number(count), if count == 1 { "session" } else { "sessions" })
}

/// `written by Receiver, Other and 3 more`.
fn told_by(reporters: &[Reporter], more: u64) -> String {
    let names: Vec<String> = reporters
        .iter()
        .take(REPORTERS)
        .map(|one| if one.name.is_empty() { "somebody without a name".to_owned() } else { paragraph(&one.name) })
        .collect();
    let more = more.saturating_add(reporters.len().saturating_sub(REPORTERS) as u64);
    let and = if more > 0 { format!(" and {} more", number(more)) } else { String::new() };
    format!("written by {}{and}", names.join(", "))
}

/// What is not known since the newest report; reports come daily, and a few days late.
fn since_last(days: Option<i64>) -> Option<String> {
    let days = days.filter(|days| *days > LATE)?;
    let days = number(days.unsigned_abs());
    Some(format!("The newest report ends {days} days before this assessment: what happened since is not known."))
}

fn files_not_read(files: u64, more: &str) -> Option<String> {
    (files > 0).then(|| {
        let (count, word) = (number(files), if files == 1 { "file" } else { "files" });
        format!(
            "{count} {word} that should hold reports, of whichever domain, could not be read, so more may have {more}."
        )
    })
}

fn limits(not_placed: u64, drawn: &Drawn) -> Vec<String> {
    let mut limits = Vec::new();
    let gaps = drawn.periods.iter().filter(|period| period.counts.is_none()).count();
    if gaps > 0 {
        limits.push(format!(
            "For {} of {} no report was given: what happened then is not known, and is not zero.",
            number(gaps as u64),
            counted(drawn.periods.len(), drawn.one, drawn.many)
        ));
    }
    if not_placed > 0 {
        limits.push(format!(
            "{} of a span longer than a week, or too far off, stand in the totals and in no {}.",
            reports(not_placed),
            drawn.one
        ));
    }
    limits
}

/// Days or weeks without holes, and what they are called.
struct Drawn {
    periods: Vec<Period>,
    reports: Vec<u64>,
    parts: [&'static str; 3],
    word: &'static str,
    one: &'static str,
    many: &'static str,
    words: String,
}

impl Drawn {
    /// Puts a gap wherever no report speaks of a day or week, and behind the last until `today` where there is
    /// room for it. A document may say what it likes: what is out of order, or too far from the last, is left
    /// out.
    fn of(known: &[(Date, u64, [u64; 3])], step: u32, parts: [&'static str; 3], today: Date) -> Self {
        const MOST: usize = 120;
        let (one, many, word) = if step == 1 { ("day", "days", "Day") } else { ("week", "weeks", "Week from") };
        let days = i64::from(step.clamp(1, 366));
        let span = jiff::Span::new().days(days);
        let (mut periods, mut counted_in): (Vec<Period>, Vec<u64>) = (Vec::new(), Vec::new());
        let mut next = known.last().map(|last| {
            let room = known.first().is_some_and(|first| days_between(first.0, today) / days < MOST as i64);
            let behind = if room { days_between(last.0, today).max(0) / days * days } else { 0 };
            last.0.checked_add(jiff::Span::new().days(behind)).unwrap_or(last.0)
        });
        let mut rest = known.iter().rev().peekable();
        while let (Some(day), Some((from, reports, counts))) = (next, rest.peek()) {
            if periods.len() == MOST {
                break;
            }
            if *from > day {
                rest.next();
                continue;
            }
            let is_here = *from == day;
            periods.push(Period { from: day, counts: is_here.then_some(*counts) });
            counted_in.push(if is_here { *reports } else { 0 });
            if is_here {
                rest.next();
            }
            next = day.checked_sub(span).ok();
        }
        periods.reverse();
        counted_in.reverse();
        let words = in_words(&periods, parts, one, many);
        Self { periods, reports: counted_in, parts, word, one, many, words }
    }

    fn series(&self, id: &str, title: &'static str) -> String {
        charts::series(&Series { id, title, words: &self.words, periods: &self.periods, parts: self.parts })
    }

    fn rows(&self) -> Vec<PeriodRow> {
        let row = |(period, reports): (&Period, &u64)| PeriodRow {
            from: period.from.to_string(),
            reports: if period.counts.is_some() { number(*reports) } else { "none".to_owned() },
            counts: self
                .parts
                .iter()
                .zip(0..)
                .filter(|(part, _)| !part.is_empty())
                .map(|(_, at): (_, usize)| period.counts.map_or_else(|| "not known".to_owned(), |of| number(of[at])))
                .collect(),
        };
        self.periods.iter().zip(&self.reports).map(row).collect()
    }
}

fn in_words(periods: &[Period], parts: [&'static str; 3], one: &str, many: &str) -> String {
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
        return "No report has a day that can be drawn.".to_owned();
    };
    let known: Vec<[u64; 3]> = periods.iter().filter_map(|period| period.counts).collect();
    let sums: Vec<String> = parts
        .iter()
        .zip(0..)
        .filter(|(part, _)| !part.is_empty())
        .map(|(part, at): (_, usize)| {
            format!("{part} {}", number(known.iter().fold(0_u64, |sum, counts| sum.saturating_add(counts[at]))))
        })
        .collect();
    format!(
        "{} from {} to {}, {} without a report: {}.",
        counted(periods.len(), one, many),
        first.from,
        last.from,
        number((periods.len() - known.len()) as u64),
        sums.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_week_without_a_report_is_not_known_and_not_zero() {
        let known = [(date(2026, 9, 7), 2, [5, 0, 1]), (date(2026, 9, 28), 1, [0, 0, 0])];
        let drawn = Drawn::of(&known, 7, MAIL_PARTS, date(2026, 10, 3));
        let rows: Vec<(String, String, String)> =
            drawn.rows().into_iter().map(|row| (row.from, row.reports, row.counts.join(" "))).collect();
        let row = |from: &str, reports: &str, counts: &str| (from.to_owned(), reports.to_owned(), counts.to_owned());
        let gap = "not known not known not known";
        assert_eq!(
            rows,
            [
                row("2026-09-07", "2", "5 0 1"),
                row("2026-09-14", "none", gap),
                row("2026-09-21", "none", gap),
                row("2026-09-28", "1", "0 0 0")
            ]
        );
        assert!(drawn.words.starts_with("4 weeks from 2026-09-07 to 2026-09-28, 2 without a report: passed DMARC 5,"));
        assert!(limits(0, &drawn)[0].starts_with("For 2 of 4 weeks no report was given"));
    }

    #[test]
    fn the_weeks_between_the_last_report_and_the_assessment_are_drawn_and_told() {
        let known = [(date(2026, 9, 7), 2, [5, 0, 1])];
        let drawn = Drawn::of(&known, 7, MAIL_PARTS, date(2026, 10, 3));
        assert!(
            drawn.words.starts_with("4 weeks from 2026-09-07 to 2026-09-28, 3 without a report"),
            "{}",
            drawn.words
        );
        let far = Drawn::of(&known, 7, MAIL_PARTS, date(2036, 10, 3));
        assert_eq!(far.periods.len(), 1, "no gap pushes what is known out of sight");
        assert!(since_last(Some(90)).unwrap().contains("ends 90 days before this assessment"));
        assert_eq!((since_last(Some(3)), since_last(None)), (None, None));
    }

    #[test]
    fn a_document_of_made_up_days_is_drawn_within_bounds() {
        let known =
            [(date(1, 1, 1), 1, [1, 1, 1]), (date(9999, 12, 31), 1, [1, 1, 1]), (date(2026, 9, 30), 1, [1, 1, 1])];
        let drawn = Drawn::of(&known, 0, TLS_PARTS, date(2026, 10, 3));
        assert!(drawn.periods.len() <= 120, "{}", drawn.periods.len());
        assert_eq!(Drawn::of(&[], 7, TLS_PARTS, date(2026, 10, 3)).words, "No report has a day that can be drawn.");
    }
}
