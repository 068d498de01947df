//! What became of the reports of others that were given: what should be one and was not read, and how old
//! the newest is. Facts and report count it here, once.

use jiff::Timestamp;

use super::authentication::ReportMail;
use super::declared::Declared;
use super::{Answer, Evidence, Question, Source};
use crate::seen::NotObserved;

const DAY: i64 = 86_400;
/// A clock may be a day off; what lies further ahead of the assessment is made up.
pub const AHEAD: i64 = 2 * DAY;

/// What was given besides the reports that were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportsGiven {
    /// What should be a report of mail and was not read, over all domains.
    pub mail: NotRead,
    /// The same of TLS reports.
    pub tls: NotRead,
    /// The mail that was searched for reports, where there was some.
    pub searched: Option<ReportMail>,
    /// Why nothing that was read counts either.
    pub taken_away: Option<NotObserved>,
    /// Why nothing was read.
    not_asked: Option<NotObserved>,
}

/// Files, or parts of mail, that should hold reports and could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NotRead {
    pub files: u64,
    /// What is wrong with the first of them.
    pub why: Option<NotObserved>,
}

impl NotRead {
    fn add(&mut self, reason: &NotObserved) {
        self.files += 1;
        self.why.get_or_insert_with(|| reason.clone());
    }
}

impl ReportsGiven {
    /// What the evidence says.
    pub fn of(evidence: &Evidence, declared: &Declared) -> Self {
        let mut given = Self::default();
        if let Some(reason) = evidence.source_taken_away(Source::Authentication) {
            return Self { taken_away: Some(reason), ..given };
        }
        let questions = || evidence.from(Source::Authentication).map(|(_, observation)| &observation.question);
        // Earlier collections told everything unreadable as a report of mail.
        let told_apart =
            questions().any(|question| matches!(question, Question::ReportFile { .. } | Question::TlsReport { .. }));
        let mut asked = false;
        for (_, observation) in evidence.from(Source::Authentication) {
            // What was packed and cannot be read may be a report of either kind.
            let (of_mail, of_tls) = match &observation.question {
                Question::AggregateReport { .. } => (true, !told_apart),
                Question::ReportFile { .. } => (true, true),
                Question::TlsReport { .. } => (false, true),
                Question::Answer { .. }
                | Question::ContentFile { .. }
                | Question::ContentFolder { .. }
                | Question::ContentRoster
                | Question::ContentSample
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
                Ok(Answer::ReportMail(mail)) => {
                    let all = given.searched.get_or_insert_default();
                    all.mails = all.mails.saturating_add(mail.mails);
                    all.without_report = all.without_report.saturating_add(mail.without_report);
                }
                // A report about another domain was read, and is none of ours.
                Ok(_) | Err(NotObserved::NotInScope { .. }) => {}
                Err(reason) => {
                    if of_mail {
                        given.mail.add(reason);
                    }
                    if of_tls {
                        given.tls.add(reason);
                    }
                }
            }
        }
        given.searched = given.searched.filter(|mail| mail.mails > 0);
        if !declared.reports.is_empty() && !asked {
            let what = "the reports that the scope names (collect --only reports)".to_owned();
            given.not_asked = Some(NotObserved::NotProvided { what });
        }
        given
    }

    /// Why it is not known what reports of mail say of a domain that none was read about; `None` where
    /// none was given.
    pub fn why_no_mail(&self) -> Option<&NotObserved> {
        self.taken_away.as_ref().or(self.not_asked.as_ref()).or(self.mail.why.as_ref())
    }

    /// The same of TLS reports.
    pub fn why_no_tls(&self) -> Option<&NotObserved> {
        self.taken_away.as_ref().or(self.not_asked.as_ref()).or(self.tls.why.as_ref())
    }
}

/// Whole days from the end of the newest report to the assessment; a report that ends ahead of it is no sign
/// that somebody still reports, and `None` stands where all do.
pub fn days_since_last(ends: impl IntoIterator<Item = i64>, as_of: Timestamp) -> Option<i64> {
    let now = as_of.as_second();
    let last = ends.into_iter().filter(|end| *end <= now.saturating_add(AHEAD)).max()?;
    Some((now.saturating_sub(last) / DAY).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_of_made_up_days_is_no_newer_one() {
        let as_of: Timestamp = "2026-10-03T12:00:00Z".parse().unwrap();
        let now = as_of.as_second();
        assert_eq!(days_since_last([now - 90 * DAY, now - 70 * DAY], as_of), Some(70));
        assert_eq!(days_since_last([now - 70 * DAY, now + 3 * DAY, i64::MAX], as_of), Some(70));
        assert_eq!(days_since_last([now + DAY], as_of), Some(0));
        assert_eq!(days_since_last([now + 400 * DAY], as_of), None);
    }
}
