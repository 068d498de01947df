//! What others report of one domain: DMARC aggregate reports of mail in its name, TLS reports of sessions
//! with its mail hosts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{MailReports, TlsReports};
use crate::clock::date_of;
use crate::evidence::authentication::{AggregateReport, ReportedMail};
use crate::evidence::declared::{Declared, DeclaredDomain};
use crate::evidence::tls_reports::{ReportedSessions, TlsReport};
use crate::evidence::{Answer, EvidenceId, Question, Source};
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
        if let Some(reason) = evidence.source_taken_away(Source::Authentication) {
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
        let mut asked = false;
        let (mut mail_not_read, mut tls_not_read): (Vec<&NotObserved>, Vec<&NotObserved>) = (Vec::new(), Vec::new());
        for (_, observation) in evidence.from(Source::Authentication) {
            // What was packed and cannot be read may be a report of either kind.
            let (of_mail, of_tls) = match &observation.question {
                Question::AggregateReport { .. } => (true, false),
                Question::ReportFile { .. } => (true, true),
                Question::TlsReport { .. } => (false, true),
                Question::Answer { .. }
                | Question::ContentFile { .. }
                | Question::ContentFolder { .. }
                | Question::Decisions
                | Question::Declared
                | Question::Dns { .. }
                | Question::Endpoint { .. }
                | Question::ExportFile { .. }
                | Question::ExportRecord { .. }
                | Question::ExportedSelectors { .. }
                | Question::Https { .. }
                | Question::IncomingMail
                | Question::Register { .. }
                | Question::Signatures { .. } => continue,
            };
            asked = true;
            match &observation.answer {
                // A report about another domain was read, and is none of ours.
                Ok(_) | Err(NotObserved::NotInScope { .. }) => {}
                Err(reason) => {
                    mail_not_read.extend(of_mail.then_some(reason));
                    tls_not_read.extend(of_tls.then_some(reason));
                }
            }
        }
        let none = |not_read: &[&NotObserved]| match not_read.first() {
            Some(reason) => Seen::Unknown((*reason).clone()),
            None if !declared.reports.is_empty() && !asked => Seen::Unknown(NotObserved::NotProvided {
                what: "the reports that the scope names (collect --only reports)".to_owned(),
            }),
            None => Seen::Absent,
        };
        Self {
            mail: match ReportedMail::join(mail) {
                Some(joined) => Fact::present(mail_reports(&joined, domain, mail_not_read.len()), mail_ids),
                None => Fact::new(none(&mail_not_read).map(|never: std::convert::Infallible| match never {}), mail_ids),
            },
            tls: match ReportedSessions::join(tls) {
                Some(joined) => Fact::present(tls_reports(&joined, tls_not_read.len()), tls_ids),
                None => Fact::new(none(&tls_not_read).map(|never: std::convert::Infallible| match never {}), tls_ids),
            },
        }
    }
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn day(second: i64) -> String {
    Timestamp::from_second(second).map_or_else(|_| "none".to_owned(), |at| date_of(at).to_string())
}

fn mail_reports(mail: &ReportedMail, domain: &DeclaredDomain, files_not_read: usize) -> MailReports {
    MailReports {
        reports: count(mail.reports),
        files_not_read: count(files_not_read as u64),
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

fn tls_reports(sessions: &ReportedSessions, files_not_read: usize) -> TlsReports {
    let counts = sessions.counts;
    // Up, so that no failure becomes none; 128 bits hold the product.
    let percent = (u128::from(counts.failed) * 100).div_ceil(u128::from(counts.sessions().max(1)));
    TlsReports {
        reports: count(sessions.reports),
        files_not_read: count(files_not_read as u64),
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
