//! What others report of each domain: mail in its name by DMARC aggregate reports, TLS with its mail
//! hosts by TLS reports. Counts by day or week, by source and by kind of failure; copied, never judged.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalogues::vendors::VendorCatalogue;
use crate::clock::{date_of, days_between};
use crate::evidence::authentication::{self, AggregateReport, MessageCounts, ReportMail, ReportedSource, once};
use crate::evidence::reports_given::{AHEAD, ReportsGiven, days_since_last};
use crate::evidence::tls_reports::{ReportedSessions, SessionCounts, TlsReport};
use crate::evidence::{Answer, Evidence};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::seen::NotObserved;

/// Groups of sources, reporters, kinds and hosts in one list.
const LISTED: usize = 20;
/// Days or weeks of one series: two years.
const PERIODS: i64 = 106;
/// A series no longer than this is told by days.
const BY_DAY: i64 = 35;
const DAY: i64 = 86_400;

/// What is reported of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    pub domain: String,
    /// `None` where no DMARC aggregate report was read.
    pub mail: Option<ReportedMail>,
    /// `None` where no TLS report was read.
    pub tls: Option<ReportedTls>,
    /// Why it is not known what was reported, where reports were given and none of mail was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_not_known: Option<String>,
    /// The same of TLS reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_not_known: Option<String>,
}

/// Mail in the domain's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedMail {
    pub reports: u64,
    pub first_day: Option<Date>,
    pub last_day: Option<Date>,
    #[serde(flatten)]
    pub counts: MessageCounts,
    /// Those who reported most, by reports.
    pub reporters: Vec<Reporter>,
    pub reporters_more: u64,
    /// Who sent most, by messages.
    pub sources: Vec<SourceGroup>,
    /// What is not listed: servers and messages.
    pub sources_more: u64,
    pub messages_more: u64,
    /// Whether every source of every report is known.
    pub sources_whole: bool,
    pub rows_not_read: u64,
    /// Files that should hold reports of mail and could not be read, over all domains.
    #[serde(default)]
    pub files_not_read: u64,
    /// From the end of the newest report to the assessment; `None` where all of them end ahead of it, and in a
    /// document that does not say.
    #[serde(default)]
    pub days_since_last: Option<i64>,
    /// 1 or 7.
    pub period_days: u32,
    /// Days or weeks that reports speak of, in order; the others are not known.
    pub periods: Vec<MailPeriod>,
    /// Reports that no day or week holds: they span more than a week, or lie far off or ahead.
    pub reports_not_placed: u64,
}

/// Servers that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceGroup {
    /// The vendor, the domain that its mail passed for, or the server's address.
    pub name: String,
    /// `vendor`, `domain`, `address`, or `nothing` for small senders whose mail passed nothing.
    pub by: String,
    pub servers: u64,
    #[serde(flatten)]
    pub counts: MessageCounts,
}

/// Mail of one day or week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPeriod {
    /// Its first day.
    pub from: Date,
    pub reports: u64,
    #[serde(flatten)]
    pub counts: MessageCounts,
}

/// TLS with the domain's mail hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedTls {
    pub reports: u64,
    pub first_day: Option<Date>,
    pub last_day: Option<Date>,
    #[serde(flatten)]
    pub counts: SessionCounts,
    /// Failed under a policy that is enforced, and that could be used.
    pub failed_enforced: u64,
    /// Failed without a reason given.
    pub unexplained: u64,
    /// Failed as they would if somebody on the way took TLS away; at least, where not `whole`.
    pub maybe_downgraded: u64,
    pub reporters: Vec<Reporter>,
    pub reporters_more: u64,
    /// Kinds of failure, the most frequent first.
    pub failures: Vec<Failures>,
    /// Mail hosts at which sessions failed, the worst first.
    pub hosts: Vec<Failures>,
    pub hosts_more: u64,
    /// Whether everything in the reports was kept.
    pub whole: bool,
    /// Files that should hold TLS reports and could not be read, over all domains.
    #[serde(default)]
    pub files_not_read: u64,
    #[serde(default)]
    pub days_since_last: Option<i64>,
    pub period_days: u32,
    pub periods: Vec<TlsPeriod>,
    pub reports_not_placed: u64,
}

/// Sessions that failed in one way, or at one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    pub what: String,
    pub sessions: u64,
}

/// Sessions of one day or week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsPeriod {
    pub from: Date,
    pub reports: u64,
    #[serde(flatten)]
    pub counts: SessionCounts,
}

/// Who wrote reports, as it names itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporter {
    pub name: String,
    pub reports: u64,
}

/// By domain of the scope, and the mail that was searched for reports. Domains of which nothing is reported,
/// and nothing given went unread, are left out.
pub(crate) fn reported(evidence: &Evidence, as_of: Timestamp) -> (Vec<Reported>, Option<ReportMail>) {
    let Ok((_, declared)) = evidence.declared() else { return (Vec::new(), None) };
    let given = ReportsGiven::of(evidence, declared);
    let catalogue = VendorCatalogue::shipped();
    let mut all = Vec::new();
    for domain in &declared.domains {
        let subject = SubjectId::new(SubjectKind::Domain, domain.name.as_str());
        let (mut mail, mut tls): (Vec<&AggregateReport>, Vec<&TlsReport>) = (Vec::new(), Vec::new());
        let observations = evidence.about(&subject).filter(|_| given.taken_away.is_none());
        for (_, observation) in observations {
            if let Ok(Answer::AggregateReport(report)) = &observation.answer {
                mail.push(report);
            }
            if let Ok(Answer::TlsReport(report)) = &observation.answer {
                tls.push(report);
            }
        }
        let why = |why: Option<&NotObserved>, is_known: bool| why.filter(|_| !is_known).map(ToString::to_string);
        let one = Reported {
            domain: domain.name.to_string(),
            mail: mail_of(&mail, &domain.name, &catalogue, given.mail.files, as_of),
            tls: tls_of(&tls, given.tls.files, as_of),
            mail_not_known: why(given.why_no_mail(), !mail.is_empty()),
            tls_not_known: why(given.why_no_tls(), !tls.is_empty()),
        };
        let is_known = one.mail.is_some() || one.tls.is_some();
        if is_known || one.mail_not_known.is_some() || one.tls_not_known.is_some() {
            all.push(one);
        }
    }
    all.sort_by(|a, b| a.domain.cmp(&b.domain));
    (all, given.searched)
}

fn mail_of(
    reports: &[&AggregateReport],
    domain: &DomainName,
    catalogue: &VendorCatalogue,
    files_not_read: u64,
    as_of: Timestamp,
) -> Option<ReportedMail> {
    let all = authentication::ReportedMail::join(reports.iter().copied())?;
    let reports: Vec<&AggregateReport> = once(reports.iter().copied(), AggregateReport::identity).collect();
    let (reporters, reporters_more) = reporters(reports.iter().map(|report| report.organization.as_str()));
    let groups = grouped(&all.sources, domain, catalogue);
    let rest = groups.get(LISTED..).unwrap_or_default();
    let placed = Placed::of(reports.iter().map(|report| (report.begin, report.end)), as_of);
    let mut periods: BTreeMap<Date, MailPeriod> = BTreeMap::new();
    for (report, from) in reports.iter().zip(&placed.days) {
        let Some(from) = *from else { continue };
        let period = periods.entry(from).or_insert(MailPeriod { from, reports: 0, counts: MessageCounts::default() });
        period.reports += 1;
        period.counts.add(&report.counts);
    }
    Some(ReportedMail {
        reports: all.reports,
        first_day: day(all.begin),
        last_day: day(all.end),
        counts: all.counts,
        reporters,
        reporters_more,
        sources_more: rest.iter().map(|group| group.servers).sum(),
        messages_more: rest.iter().fold(0, |sum, group| sum.saturating_add(group.counts.messages())),
        sources: groups.into_iter().take(LISTED).collect(),
        sources_whole: all.sources_whole,
        rows_not_read: all.rows_not_read,
        files_not_read,
        days_since_last: days_since_last(reports.iter().map(|report| report.end), as_of),
        period_days: placed.step,
        reports_not_placed: placed.not_placed(),
        periods: periods.into_values().collect(),
    })
}

fn tls_of(reports: &[&TlsReport], files_not_read: u64, as_of: Timestamp) -> Option<ReportedTls> {
    let all = ReportedSessions::join(reports.iter().copied())?;
    let reports: Vec<&TlsReport> = once(reports.iter().copied(), TlsReport::identity).collect();
    let (reporters, reporters_more) = reporters(reports.iter().map(|report| report.organization.as_str()));
    let placed = Placed::of(reports.iter().map(|report| (report.begin, report.end)), as_of);
    let mut periods: BTreeMap<Date, TlsPeriod> = BTreeMap::new();
    for (report, from) in reports.iter().zip(&placed.days) {
        let Some(from) = *from else { continue };
        let period = periods.entry(from).or_insert(TlsPeriod { from, reports: 0, counts: SessionCounts::default() });
        period.reports += 1;
        period.counts.add(&report.counts());
    }
    let failures = |what: &str, sessions: u64| Failures { what: what.to_owned(), sessions };
    Some(ReportedTls {
        reports: all.reports,
        first_day: day(all.begin),
        last_day: day(all.end),
        counts: all.counts,
        failed_enforced: all.failed_enforced,
        unexplained: all.unexplained,
        maybe_downgraded: all.maybe_downgraded,
        reporters,
        reporters_more,
        failures: all.kinds.iter().map(|(kind, sessions)| failures(kind.as_str(), *sessions)).collect(),
        hosts: all.hosts.iter().take(LISTED).map(|(host, sessions)| failures(host.as_str(), *sessions)).collect(),
        hosts_more: all.hosts.len().saturating_sub(LISTED) as u64,
        whole: !all.cut,
        files_not_read,
        days_since_last: days_since_last(reports.iter().map(|report| report.end), as_of),
        period_days: placed.step,
        reports_not_placed: placed.not_placed(),
        periods: periods.into_values().collect(),
    })
}

/// Those who reported most, and how many more there are.
fn reporters<'n>(names: impl Iterator<Item = &'n str>) -> (Vec<Reporter>, u64) {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let more = counts.len().saturating_sub(LISTED) as u64;
    let mut ranked: Vec<Reporter> =
        counts.into_iter().map(|(name, reports)| Reporter { name: name.to_owned(), reports }).collect();
    ranked.sort_by(|a, b| (Reverse(a.reports), &a.name).cmp(&(Reverse(b.reports), &b.name)));
    ranked.truncate(LISTED);
    (ranked, more)
}

/// Sources by the vendor whose names their mail passed for, else by another domain that it passed for, else
/// each by itself; those of most messages first.
fn grouped(sources: &[ReportedSource], domain: &DomainName, catalogue: &VendorCatalogue) -> Vec<SourceGroup> {
    let mut groups: BTreeMap<(&'static str, String), SourceGroup> = BTreeMap::new();
    let all = sources.iter().fold(0_u64, |sum, source| sum.saturating_add(source.counts.messages()));
    // Forgers come from everywhere, a message each.
    let is_small = |source: &ReportedSource| {
        let counts = source.counts;
        counts.aligned == 0 && counts.unaligned == 0 && counts.unauthenticated.saturating_mul(100) < all
    };
    for source in sources {
        let foreign = |name: &&str| name.parse::<DomainName>().is_ok_and(|name| !name.is_at_or_below(domain));
        let other = || {
            let name = source.names().find(foreign)?;
            Some(psl::domain_str(name).unwrap_or(name).to_owned())
        };
        let (by, name) = match (catalogue.sends_as(source.names().filter(foreign)), other()) {
            (Some(vendor), _) => ("vendor", vendor.name.clone()),
            (None, Some(name)) => ("domain", name),
            (None, None) if is_small(source) => ("nothing", "Other servers".to_owned()),
            (None, None) => ("address", source.address.to_string()),
        };
        let group = groups.entry((by, name.clone())).or_insert_with(|| SourceGroup {
            name,
            by: by.to_owned(),
            servers: 0,
            counts: MessageCounts::default(),
        });
        group.servers += 1;
        group.counts.add(&source.counts);
    }
    let mut groups: Vec<SourceGroup> = groups.into_values().collect();
    groups.sort_by(|a, b| {
        (Reverse(a.counts.messages()), &a.by, &a.name).cmp(&(Reverse(b.counts.messages()), &b.by, &b.name))
    });
    groups
}

/// The day or week that each report is counted in.
struct Placed {
    /// Days of one period.
    step: u32,
    /// The period's first day; `None` for a report that fits into none.
    days: Vec<Option<Date>>,
}

impl Placed {
    /// A report stands where the middle of its time lies: receivers begin and end where they like. The series
    /// runs to the assessment, so that a gap before it has its days or weeks too.
    fn of(spans: impl Iterator<Item = (i64, i64)>, as_of: Timestamp) -> Self {
        let spans: Vec<(i64, i64)> = spans.collect();
        let ahead = as_of.as_second().saturating_add(AHEAD);
        let middle = |&(begin, end): &(i64, i64)| {
            let long = end.saturating_sub(begin);
            ((0..=8 * DAY).contains(&long) && end <= ahead).then(|| day(begin + long / 2)).flatten()
        };
        let mut days: Vec<Option<Date>> = spans.iter().map(middle).collect();
        let first = days.iter().flatten().min().copied();
        let last = days.iter().flatten().max().map(|last| date_of(as_of).max(*last));
        let long = spans.iter().zip(&days).any(|((begin, end), day)| day.is_some() && end - begin > DAY + DAY / 2);
        let by_day = !long && first.zip(last).is_none_or(|(first, last)| days_between(first, last) < BY_DAY);
        let step = if by_day { 1 } else { 7 };
        if !by_day {
            days.iter_mut().for_each(|day| *day = day.and_then(monday));
        }
        let last = last.and_then(|last| if by_day { Some(last) } else { monday(last) });
        for day in &mut days {
            let near = |&day: &Date| last.is_some_and(|last| days_between(day, last) < PERIODS * i64::from(step));
            *day = day.filter(near);
        }
        Self { step, days }
    }

    fn not_placed(&self) -> u64 {
        self.days.iter().filter(|day| day.is_none()).count() as u64
    }
}

/// The Monday of the day's week.
fn monday(day: Date) -> Option<Date> {
    day.checked_sub(jiff::Span::new().days(i64::from(day.weekday().to_monday_zero_offset()))).ok()
}

fn day(second: i64) -> Option<Date> {
    Timestamp::from_second(second).ok().map(date_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn placed(spans: &[(i64, i64)]) -> Placed {
        Placed::of(spans.iter().copied(), "2026-10-03T12:00:00Z".parse().unwrap())
    }

    /// Seconds of a day of October 2026, and how many hours behind it.
    fn at(day: i64, hours: i64) -> i64 {
        1_790_812_800 + (day - 1) * DAY + hours * 3_600
    }

    #[test]
    fn days_are_told_where_reports_are_short_and_weeks_where_they_are_not() {
        let days = placed(&[(at(1, 0), at(1, 23)), (at(1, 20), at(2, 20)), (at(-3, 0), at(-2, 0))]);
        assert_eq!((days.step, days.not_placed()), (1, 0));
        assert_eq!(days.days, [Some(date(2026, 10, 1)), Some(date(2026, 10, 2)), Some(date(2026, 9, 27))]);
        let weeks = placed(&[(at(1, 0), at(1, 23)), (at(-60, 0), at(-59, 0))]);
        assert_eq!(weeks.step, 7);
        assert_eq!(weeks.days, [Some(date(2026, 9, 28)), Some(date(2026, 7, 27))]);
    }

    #[test]
    fn a_report_of_made_up_days_moves_no_other_out_of_sight() {
        let far = placed(&[(at(1, 0), at(1, 23)), (at(4_000, 0), at(4_001, 0)), (0, i64::MAX), (5, 4), (0, DAY)]);
        assert_eq!(far.days, [Some(date(2026, 9, 28)), None, None, None, None]);
        assert_eq!(far.not_placed(), 4);
    }

    #[test]
    fn sources_are_joined_under_the_vendor_or_the_domain_their_mail_passed_for() {
        let source = |address: &str, names: &[&str], aligned: u64| ReportedSource {
            address: address.parse().unwrap(),
            counts: MessageCounts { aligned, ..MessageCounts::default() },
            signed_for: names.iter().map(|name| (*name).to_owned()).collect(),
            sent_for: Vec::new(),
        };
        let forger = |address: &str, unauthenticated: u64| ReportedSource {
            counts: MessageCounts { unauthenticated, ..MessageCounts::default() },
            ..source(address, &[], 0)
        };
        let sources = [
            source("192.0.2.1", &["c.example", "c.onmicrosoft.com"], 5),
            source("192.0.2.2", &["d.onmicrosoft.com"], 4),
            source("192.0.2.3", &["bounces.c.example"], 3),
            source("192.0.2.4", &["a.list.example", "b.list.example"], 1_000),
            forger("192.0.2.5", 10),
            forger("192.0.2.6", 3),
            forger("192.0.2.7", 12),
        ];
        let groups = grouped(&sources, &"c.example".parse().unwrap(), &VendorCatalogue::shipped());
        let shown: Vec<(&str, &str, u64, u64)> =
            groups.iter().map(|of| (of.by.as_str(), of.name.as_str(), of.servers, of.counts.aligned)).collect();
        assert_eq!(
            shown,
            [
                ("domain", "list.example", 1, 1_000),
                ("nothing", "Other servers", 2, 0),
                ("address", "192.0.2.7", 1, 0),
                ("vendor", "Microsoft 365 / Exchange Online", 2, 9),
                ("address", "192.0.2.3", 1, 3)
            ]
        );
    }
}
