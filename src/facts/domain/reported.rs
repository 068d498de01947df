//! What others report of one domain: DMARC aggregate reports of mail in its name, TLS reports of sessions
//! with its mail hosts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{MailReports, TlsReports};
use crate::clock::date_of;
use crate::evidence::authentication::{AggregateReport, ReportedMail};
use crate::evidence::declared::{Declared, DeclaredDomain};
use crate::evidence::reports_given::{ReportsGiven, days_since_last};
use crate::evidence::tls_reports::{ReportedSessions, TlsReport};
use crate::evidence::{Answer, EvidenceId};
use crate::facts::Context;
use crate::facts::shape::Fact;
use crate::names::{SubjectId, SubjectKind};
use crate::seen::{NotObserved, Seen};

/// Domains, and hosts, named in one list.
const NAMED: usize = 10;

/// The reports about a domain. None given is absent; some given and not read is unknown.
pub(super) struct Reports {
    pub(super) mail: Fact<MailReports>,
    pub(super) tls: Fact<TlsReports>,
}

impl Reports {
    pub(super) fn read(context: Context<'_>, declared: &Declared, domain: &DeclaredDomain) -> Self {
        let evidence = context.evidence;
        let given = ReportsGiven::of(evidence, declared);
        if let Some(reason) = given.taken_away {
            return Self { mail: Fact::unknown(reason.clone()), tls: Fact::unknown(reason) };
        }
        let subject = SubjectId::new(SubjectKind::Domain, domain.name.as_str());
        let (mut mail_ids, mut mail): (Vec<EvidenceId>, Vec<&AggregateReport>) = (Vec::new(), Vec::new());
        let (mut tls_ids, mut tls): (Vec<EvidenceId>, Vec<&TlsReport>) = (Vec::new(), Vec::new());
        for (id, observation) in evidence.about(&subject) {
            if let Ok(Answer::AggregateReport(report)) = &observation.answer {
                mail_ids.push(id.clone());
                mail.push(report);
            }
            if let Ok(Answer::TlsReport(report)) = &observation.answer {
                tls_ids.push(id.clone());
                tls.push(report);
            }
        }
        let mail_days = days_since_last(mail.iter().map(|report| report.end), context.as_of).unwrap_or(i64::MAX);
        let tls_days = days_since_last(tls.iter().map(|report| report.end), context.as_of).unwrap_or(i64::MAX);
        Self {
            mail: match ReportedMail::join(mail) {
                Some(joined) => Fact::present(mail_reports(&joined, domain, given.mail.files, mail_days), mail_ids),
                None => Fact::new(without_report(given.why_no_mail()), mail_ids),
            },
            tls: match ReportedSessions::join(tls) {
                Some(joined) => Fact::present(tls_reports(&joined, given.tls.files, tls_days), tls_ids),
                None => Fact::new(without_report(given.why_no_tls()), tls_ids),
            },
        }
    }
}

/// None given is absent.
fn without_report<T>(why: Option<&NotObserved>) -> Seen<T> {
    why.map_or(Seen::Absent, |why| Seen::Unknown(why.clone()))
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn day(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| "none".to_owned(), |at| date_of(at).to_string())
}

fn mail_reports(
    mail: &ReportedMail,
    domain: &DeclaredDomain,
    files_not_read: u64,
    days_since_last: i64,
) -> MailReports {
    MailReports {
        reports: count(mail.reports),
        files_not_read: count(files_not_read),
        days_since_last,
        rows_not_read: count(mail.rows_not_read),
        first_day: day(mail.begin),
        last_day: day(mail.end),
        messages: count(mail.counts.messages()),
        aligned: count(mail.counts.aligned),
        unaligned: count(mail.counts.unaligned),
        unauthenticated: count(mail.counts.unauthenticated),
        sources: count(mail.sources.len() as u64),
        passed_for: passed_for(mail, domain),
    }
}

fn tls_reports(sessions: &ReportedSessions, files_not_read: u64, days_since_last: i64) -> TlsReports {
    let counts = sessions.counts;
    // Up, so that no failure becomes none; 128 bits hold the product.
    let percent = (u128::from(counts.failed) * 100).div_ceil(u128::from(counts.sessions().max(1)));
    TlsReports {
        reports: count(sessions.reports),
        files_not_read: count(files_not_read),
        days_since_last,
        whole: !sessions.cut,
        first_day: day(sessions.begin),
        last_day: day(sessions.end),
        reporters: count(sessions.reporters.len() as u64),
        sessions: count(counts.sessions()),
        succeeded: count(counts.succeeded),
        failed: count(counts.failed),
        failed_percent: i64::try_from(percent).unwrap_or(100),
        failed_enforced: count(sessions.failed_enforced),
        unexplained: count(sessions.unexplained),
        maybe_downgraded: count(sessions.maybe_downgraded),
        failures: sessions.kinds.iter().map(|(kind, number)| format!("{}: {number}", kind.as_str())).collect(),
        hosts: sessions.hosts.iter().take(NAMED).map(|(host, number)| format!("{host}: {number}")).collect(),
    }
}

/// For whom unaligned mail passed, by messages of the sources.
fn passed_for(mail: &ReportedMail, domain: &DeclaredDomain) -> Vec<String> {
    let mut domains: BTreeMap<&str, u64> = BTreeMap::new();
    for source in mail.sources.iter().filter(|source| source.counts.unaligned > 0) {
        for name in source.signed_for.iter().chain(&source.sent_for).filter(|name| *name != domain.name.as_str()) {
            let messages = domains.entry(name).or_default();
            *messages = messages.saturating_add(source.counts.unaligned);
        }
    }
    let mut ranked: Vec<(&str, u64)> = domains.into_iter().collect();
    ranked.sort_by_key(|(name, messages)| (Reverse(*messages), *name));
    ranked.into_iter().take(NAMED).map(|(name, _)| name.to_owned()).collect()
}
