//! What DMARC aggregate reports say of mail in one domain's name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::MailReports;
use crate::clock::date_of;
use crate::evidence::authentication::{AggregateReport, ReportedMail};
use crate::evidence::declared::{Declared, DeclaredDomain};
use crate::evidence::{Answer, EvidenceId, Question, Source};
use crate::facts::Context;
use crate::facts::shape::Fact;
use crate::names::{SubjectId, SubjectKind};
use crate::seen::{NotObserved, Seen};

/// Domains named in one list.
const PASSED_FOR: usize = 10;

/// The reports about a domain. None given is absent; some given and not read is unknown.
pub(super) fn read(context: Context<'_>, declared: &Declared, domain: &DeclaredDomain) -> Fact<MailReports> {
    let evidence = context.evidence;
    if let Some(reason) = evidence.taken_away(Source::Authentication, SubjectKind::Domain) {
        return Fact::unknown(reason);
    }
    let subject = SubjectId::new(SubjectKind::Domain, domain.name.as_str());
    let (mut ids, mut reports): (Vec<EvidenceId>, Vec<&AggregateReport>) = (Vec::new(), Vec::new());
    for (id, observation) in evidence.about(&subject) {
        if let Ok(Answer::AggregateReport(report)) = &observation.answer {
            ids.push(id.clone());
            reports.push(report);
        }
    }
    let files = evidence.from(Source::Authentication);
    let mut asked = false;
    let mut not_read: Vec<&NotObserved> = Vec::new();
    for (_, observation) in files.filter(|(_, one)| matches!(one.question, Question::AggregateReport { .. })) {
        asked = true;
        match &observation.answer {
            // A report about another domain was read, and is none of ours.
            Ok(_) | Err(NotObserved::NotInScope { .. }) => {}
            Err(reason) => not_read.push(reason),
        }
    }
    let Some(mail) = ReportedMail::join(reports.iter().copied()) else {
        let seen = match not_read.first() {
            Some(reason) => Seen::Unknown((*reason).clone()),
            None if !declared.reports.is_empty() && !asked => {
                Seen::not_provided("the DMARC reports that the scope names (collect --only reports)")
            }
            None => Seen::Absent,
        };
        return Fact::new(seen, ids);
    };
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let day = |second| Timestamp::from_second(second).map_or_else(|_| "none".to_owned(), |at| date_of(at).to_string());
    let present = MailReports {
        reports: count(mail.reports),
        files_not_read: count(not_read.len() as u64),
        rows_not_read: count(mail.rows_not_read),
        first_day: day(mail.begin),
        last_day: day(mail.end),
        messages: count(mail.counts.messages()),
        aligned: count(mail.counts.aligned),
        unaligned: count(mail.counts.unaligned),
        unauthenticated: count(mail.counts.unauthenticated),
        sources: count(mail.sources.len() as u64),
        passed_for: passed_for(&mail, domain),
    };
    Fact::present(present, ids)
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
    ranked.into_iter().take(PASSED_FOR).map(|(name, _)| name.to_owned()).collect()
}
