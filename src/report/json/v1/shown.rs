//! What the charts and the attestations of a report show: answers with who gave them, the age of
//! mail that holds PHI, what each service accepts. Counts, dates and words; copied, never judged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Declared, PartnerMail};
use crate::clock::date_of;
use crate::evidence::content::{IncomingMail, RosterCount, SampledMail};
use crate::evidence::declared::{AnswerRow, AnswerWord};
use crate::evidence::{Answer, Evidence, Observation, Source};
use crate::facts::Facts;
use crate::facts::endpoint::Endpoint;
use crate::names::SubjectKind;
use crate::questionnaire::Questionnaire;
use crate::seen::Seen;

/// One question of the questionnaire, with its newest answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    /// The question's id: `risk-analysis`.
    pub id: String,
    /// The question for people.
    pub asks: String,
    /// `None` where nobody answered.
    pub answer: Option<AnswerWord>,
    pub statement: Option<String>,
    pub by: Option<String>,
    pub role: Option<String>,
    pub on: Option<Date>,
    pub file: Option<String>,
    /// `None` where no file was named or it was not there to be read.
    pub file_sha256: Option<String>,
    /// The last day the answer may be relied on.
    pub valid_until: Option<Date>,
    /// Whether that day is past.
    pub expired: bool,
}

/// Messages of one mailbox that likely hold PHI, by age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailAges {
    pub mailbox: String,
    /// `under-1-year`, `1-3-years`, `3-6-years`, `over-6-years`, `undated`.
    pub messages: BTreeMap<String, u64>,
    pub oldest: Option<Date>,
}

/// What a sample of mail says of all of it: an estimate, never a count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailSample {
    /// The vantage point that read the mail.
    pub vantage: String,
    /// How sure each interval is, in percent, taken alone.
    pub confidence: u32,
    #[serde(flatten)]
    pub all: MailEstimate,
    pub mailboxes: BTreeMap<String, MailEstimate>,
}

/// Messages there are, messages examined, and bounds for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailEstimate {
    pub messages: u64,
    pub examined: u64,
    /// Of the examined, likely with PHI.
    pub phi_examined: u64,
    /// Of all, at least and at most, with the confidence stated.
    pub phi_lower: u64,
    pub phi_upper: u64,
    /// The oldest day of the examined that likely hold PHI: there may be older ones.
    #[serde(default)]
    pub oldest_phi: Option<Date>,
}

/// How many patients of the practice's own list the mail speaks of. At least: what was not looked into
/// may name more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterFound {
    /// The vantage point that read the mail.
    pub vantage: String,
    /// Patients on the list.
    pub patients: u64,
    /// Rows of the list that name nobody who could be found.
    pub rows_not_used: u64,
    #[serde(flatten)]
    pub all: PatientsFound,
    pub mailboxes: BTreeMap<String, PatientsFound>,
}

/// Patients found, and those whom only a name or a number speaks for, which may be another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatientsFound {
    pub found: u64,
    pub possible: u64,
}

/// What one mail or web service accepts. `None` is not known, never no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// `host:port`.
    pub name: String,
    pub tls: Option<bool>,
    pub ssl: Option<bool>,
    pub tls1_0: Option<bool>,
    pub tls1_1: Option<bool>,
    pub tls1_2: Option<bool>,
    pub tls1_3: Option<bool>,
    /// Whole days until the certificate expires; negative when it has.
    pub certificate_days: Option<i64>,
}

/// Every question, in the order it is asked; nothing where the scope names no answers.
pub(super) fn attested(evidence: &Evidence, facts: &Facts, as_of: jiff::Timestamp) -> Vec<Attested> {
    let today = date_of(as_of);
    let mut newest: BTreeMap<&str, &AnswerRow> = BTreeMap::new();
    for (_, observation) in evidence.from(Source::Answers) {
        if let Ok(Answer::Answer(row)) = &observation.answer
            && row.answered_at <= today
            && newest.get(row.id.as_str()).is_none_or(|known| known.answered_at < row.answered_at)
        {
            newest.insert(&row.id, row);
        }
    }
    let asked = Questionnaire::built_in().map(|known| known.questions.as_slice()).unwrap_or_default();
    let known: BTreeMap<&str, _> =
        facts.attestations.subjects.iter().map(|attestation| (attestation.name.as_str(), attestation)).collect();
    asked
        .iter()
        .filter(|question| known.contains_key(question.id.as_str()))
        .map(|question| {
            let row = newest.get(question.id.as_str());
            // The questionnaire's own limit, or the day that was given, whichever comes first.
            let by_age =
                row.and_then(|row| row.answered_at.checked_add(jiff::Span::new().days(question.valid_days)).ok());
            let valid_until = [by_age, row.and_then(|row| row.valid_until)].into_iter().flatten().min();
            Attested {
                id: question.id.clone(),
                asks: question.ask.clone(),
                answer: row.map(|row| row.answer),
                statement: row.and_then(|row| row.statement.clone()),
                by: row.map(|row| row.answered_by.clone()),
                role: row.and_then(|row| row.role.clone()),
                on: row.map(|row| row.answered_at),
                file: row.and_then(|row| row.evidence_file.clone()),
                file_sha256: row.and_then(|row| row.evidence_sha256.clone()),
                valid_until,
                expired: valid_until.is_some_and(|until| until < today),
            }
        })
        .collect()
}

/// Messages by band of age.
type Ages = BTreeMap<String, u64>;

/// By mailbox. The same folder counted at several vantages is shown once, with the larger counts. What a
/// sample counted is none of the folder's.
pub(super) fn mail_ages(evidence: &Evidence) -> Vec<MailAges> {
    let mut folders: BTreeMap<(&str, &str), (Ages, Option<Date>)> = BTreeMap::new();
    for (_, observation) in evidence.from(Source::Content) {
        if let Ok(Answer::ContentFolder(counted)) = &observation.answer
            && !counted.sampled
        {
            let (ages, oldest) = folders.entry((&counted.mailbox, &counted.folder)).or_default();
            if counted.ages.values().sum::<u64>() > ages.values().sum() {
                ages.clone_from(&counted.ages);
            }
            *oldest = [*oldest, counted.oldest].into_iter().flatten().min();
        }
    }
    let mut mailboxes: BTreeMap<&str, MailAges> = BTreeMap::new();
    for ((mailbox, _), (ages, oldest)) in folders {
        let all = mailboxes.entry(mailbox).or_insert_with(|| MailAges {
            mailbox: mailbox.to_owned(),
            messages: BTreeMap::new(),
            oldest: None,
        });
        for (age, count) in ages {
            *all.messages.entry(age).or_default() += count;
        }
        all.oldest = [all.oldest, oldest].into_iter().flatten().min();
    }
    mailboxes.into_values().collect()
}

/// What samples said, by vantage, of mailboxes that nothing counted whole.
pub(super) fn mail_samples(evidence: &Evidence) -> Vec<MailSample> {
    let answers = || evidence.from(Source::Content).filter_map(|(_, observation)| observation.answer.as_ref().ok());
    let folders = |sampled: bool| {
        let all =
            answers().filter_map(|answer| if let Answer::ContentFolder(folder) = answer { Some(folder) } else { None });
        let some = all.filter(|folder| folder.sampled == sampled);
        some.map(|folder| (&*folder.mailbox, &*folder.folder)).collect::<BTreeSet<(&str, &str)>>()
    };
    let (whole, of_samples) = (folders(false), folders(true));
    let estimated: BTreeSet<&str> = of_samples.difference(&whole).map(|(mailbox, _)| *mailbox).collect();
    let estimate = |of: &SampledMail| MailEstimate {
        messages: of.messages,
        examined: of.examined,
        phi_examined: of.phi_examined,
        phi_lower: of.phi_lower,
        phi_upper: of.phi_upper,
        oldest_phi: of.oldest_phi,
    };
    let sample = |observation: &Observation| match &observation.answer {
        Ok(Answer::ContentSample(sample)) => {
            let mailboxes = sample.mailboxes.iter().map(|(mailbox, of)| (mailbox.clone(), estimate(of)));
            let is_estimate = |(mailbox, of): &(String, MailEstimate)| {
                of.examined < of.messages && estimated.contains(mailbox.as_str())
            };
            let mailboxes: BTreeMap<String, MailEstimate> = mailboxes.filter(is_estimate).collect();
            (!mailboxes.is_empty()).then(|| MailSample {
                vantage: observation.vantage.clone(),
                confidence: sample.confidence,
                all: estimate(&sample.all),
                mailboxes,
            })
        }
        Ok(_) | Err(_) => None,
    };
    evidence.from(Source::Content).filter_map(|(_, observation)| sample(observation)).collect()
}

/// What lists of patients gave, by vantage.
pub(super) fn roster(evidence: &Evidence) -> Vec<RosterFound> {
    let found = |of: &RosterCount| PatientsFound { found: of.found, possible: of.possible };
    let roster = |observation: &Observation| match &observation.answer {
        Ok(Answer::ContentRoster(counts)) => Some(RosterFound {
            vantage: observation.vantage.clone(),
            patients: counts.patients,
            rows_not_used: counts.rows_not_used,
            all: found(&counts.all),
            mailboxes: counts.mailboxes.iter().map(|(mailbox, of)| (mailbox.clone(), found(of))).collect(),
        }),
        Ok(_) | Err(_) => None,
    };
    evidence.from(Source::Content).filter_map(|(_, observation)| roster(observation)).collect()
}

/// The declared, with what is known of mail to and from partners.
pub(super) fn with_partner_mail(mut declared: Declared, evidence: &Evidence, facts: &Facts) -> Declared {
    let mut arrived: BTreeMap<&str, IncomingMail> = BTreeMap::new();
    let taken_away = evidence.taken_away(Source::Content, SubjectKind::Partner).is_some();
    for (_, observation) in evidence.from(Source::Content).filter(|_| !taken_away) {
        let Ok(Answer::IncomingMail(mail)) = &observation.answer else { continue };
        let mail = IncomingMail::clone(mail);
        let mail = match arrived.remove(observation.subject.name.as_str()) {
            None => mail,
            Some(known) => known.join(mail),
        };
        arrived.insert(&observation.subject.name, mail);
    }
    for partner in &mut declared.partners {
        let known = facts.partners.subjects.iter().find(|subject| subject.name == partner.domain);
        partner.incoming = arrived.remove(partner.domain.as_str()).map(PartnerMail::from);
        partner.tls_delivery = known.and_then(|subject| present(&subject.tls_delivery.seen)).cloned();
    }
    declared
}

impl From<IncomingMail> for PartnerMail {
    fn from(mail: IncomingMail) -> Self {
        Self {
            messages: mail.messages,
            untraced: mail.untraced,
            unproven: mail.unproven,
            tls: mail.tls,
            clear: mail.clear,
            not_told: mail.not_told,
            versions: mail.versions,
            ciphers: mail.ciphers,
            results: mail.results,
            oldest: mail.oldest,
            newest: mail.newest,
            complete: mail.complete,
        }
    }
}

/// By host and port.
pub(super) fn services(facts: &Facts) -> Vec<Service> {
    facts.endpoints.subjects.iter().map(service).collect()
}

fn service(endpoint: &Endpoint) -> Service {
    let known = |fact: &crate::facts::shape::Fact<bool>| present(&fact.seen).copied();
    Service {
        name: endpoint.name.clone(),
        tls: known(&endpoint.tls),
        ssl: known(&endpoint.ssl),
        tls1_0: known(&endpoint.tls1_0),
        tls1_1: known(&endpoint.tls1_1),
        tls1_2: known(&endpoint.tls1_2),
        tls1_3: known(&endpoint.tls1_3),
        certificate_days: present(&endpoint.certificate.seen).map(|certificate| certificate.days_left),
    }
}

fn present<T>(seen: &Seen<T>) -> Option<&T> {
    match seen {
        Seen::Present(value) => Some(value),
        Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => None,
    }
}
