//! What a scan of mail content found, as `content --format json` and as text for people.
//!
//! Counts only, joined from the observations of the scan. It has types of its own, so that renaming
//! a field of the evidence changes no output.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Serialize;

use crate::collect::messages::{CONFIDENCE, Sampled};
use crate::evidence::content::{ContentFile, ContentFolder, IncomingMail, RosterCount, RosterCounts};
use crate::evidence::{Answer, Observation};
use crate::report::json::v1::PartnerMail;
use crate::text::visible;

/// The whole result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentReport {
    pub schema: u32,
    pub kind: &'static str,
    /// The version of the detector's rules.
    pub detector: u32,
    pub totals: Totals,
    pub mailboxes: Vec<MailboxView>,
    pub files: Vec<FileView>,
    /// How mail of partners arrived, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incoming: Vec<IncomingView>,
    /// Patients of the practice's own list, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster: Option<RosterView>,
    /// Where a sample stood for all mail: every other count is one of the messages examined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleView>,
    /// Sources that could not be read at all, and why.
    pub unread: Vec<UnreadView>,
    /// What the figures mean and do not mean.
    pub notes: Vec<&'static str>,
}

/// Sums over everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub messages: u64,
    /// PHI likely: high and medium together.
    pub phi: u64,
    pub high: u64,
    pub medium: u64,
    /// A name and something of health: worth a look.
    pub low: u64,
    pub identifier_only: u64,
    pub health_only: u64,
    pub kinds: BTreeMap<String, u64>,
    pub places: BTreeMap<String, u64>,
    /// Messages likely to hold PHI by what stands out about how they were sent.
    pub sendings: BTreeMap<String, u64>,
    /// Messages of any level with an attachment that needs a password or key, by how it is protected.
    pub protected: BTreeMap<String, u64>,
    /// Those of them that have their password beside them. Null where a scan did not tell.
    pub passwords_beside: Option<u64>,
    pub ages: BTreeMap<String, u64>,
    /// The days of the messages that likely hold PHI.
    pub oldest: Option<Date>,
    pub newest: Option<Date>,
    /// The days of all messages, whatever they hold.
    pub oldest_message: Option<Date>,
    pub newest_message: Option<Date>,
    /// Messages of all without a date to believe.
    pub undated_messages: u64,
    pub individuals: Bounds,
    /// Messages of which all or part was not looked into, by reason.
    pub not_inspected: BTreeMap<String, u64>,
}

/// At least and at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bounds {
    pub lower: u64,
    pub upper: u64,
}

/// One mailbox with its folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailboxView {
    pub mailbox: String,
    #[serde(flatten)]
    pub totals: Totals,
    pub folders: Vec<FolderView>,
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FolderView {
    pub folder: String,
    #[serde(flatten)]
    pub totals: Totals,
    /// Messages by the rule that gave their level.
    pub rules: BTreeMap<String, u64>,
    /// Patients of the practice's own list, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roster: Option<RosterCount>,
}

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileView {
    pub path: String,
    pub format: String,
    pub bytes: u64,
    pub sha256: String,
    pub messages: u64,
    pub complete: bool,
    pub not_inspected: BTreeMap<String, u64>,
}

/// How many patients of a list the mail speaks of. At least: what was not looked into may name more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RosterView {
    /// On the list.
    pub patients: u64,
    /// Rows of the list that name nobody who could be found.
    pub rows_not_used: u64,
    /// In all mail given.
    pub found: u64,
    /// Besides, by a name or a number alone, which may be another's.
    pub possible: u64,
    pub mailboxes: Vec<RosterMailbox>,
}

/// In one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RosterMailbox {
    pub mailbox: String,
    pub found: u64,
    pub possible: u64,
}

/// What a sample says of all mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SampleView {
    /// How sure each interval is, in percent, taken alone.
    pub confidence: u32,
    #[serde(flatten)]
    pub all: SampledView,
    pub mailboxes: Vec<SampledMailbox>,
}

/// How many messages would be called likely to hold PHI if each were examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SampledView {
    /// Messages there are.
    pub messages: u64,
    pub examined: u64,
    /// Of the examined.
    pub phi_examined: u64,
    /// Of all, with the confidence stated.
    pub phi: Bounds,
}

/// Of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SampledMailbox {
    pub mailbox: String,
    #[serde(flatten)]
    pub of: SampledView,
}

impl SampledView {
    fn of(sampled: Sampled) -> Self {
        let (lower, upper) = sampled.bounds();
        let Sampled { messages, lost, examined, phi, oldest: _ } = sampled;
        Self { messages: messages + lost, examined, phi_examined: phi, phi: Bounds { lower, upper } }
    }

    fn words(&self) -> String {
        format!(
            "{} to {} of {}; {} of {} examined",
            self.phi.lower, self.phi.upper, self.messages, self.phi_examined, self.examined
        )
    }
}

impl ContentReport {
    /// Says that the counts are those of a sample, and what it tells of the whole.
    #[must_use]
    pub fn with_sample(mut self, sampled: Option<&BTreeMap<String, Sampled>>) -> Self {
        let Some(sampled) = sampled else { return self };
        let all: Sampled = sampled.values().copied().sum();
        let mailbox = |(mailbox, one): (&String, &Sampled)| SampledMailbox {
            mailbox: mailbox.clone(),
            of: SampledView::of(*one),
        };
        self.sample = Some(SampleView {
            confidence: CONFIDENCE,
            all: SampledView::of(all),
            mailboxes: sampled.iter().map(mailbox).collect(),
        });
        self.notes.push(SAMPLE_NOTE);
        self
    }

    /// Adds what a list of patients gave.
    #[must_use]
    pub fn with_roster(mut self, roster: Option<&RosterCounts>) -> Self {
        self.roster = roster.map(|roster| RosterView {
            patients: roster.patients,
            rows_not_used: roster.rows_not_used,
            found: roster.all.found,
            possible: roster.all.possible,
            mailboxes: roster
                .mailboxes
                .iter()
                .map(|(mailbox, count)| RosterMailbox {
                    mailbox: mailbox.clone(),
                    found: count.found,
                    possible: count.possible,
                })
                .collect(),
        });
        self
    }
}

/// How mail of one partner arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IncomingView {
    pub partner: String,
    #[serde(flatten)]
    pub mail: PartnerMail,
}

impl IncomingView {
    fn of(partner: &str, mail: &IncomingMail) -> Self {
        Self { partner: visible(partner), mail: mail.clone().into() }
    }

    fn lines(&self) -> Vec<String> {
        let mail = &self.mail;
        let proven = mail.tls + mail.clear + mail.not_told;
        let mut lines = vec![format!("{}: {} messages name it as their writer", self.partner, mail.messages)];
        if proven > 0 {
            let not_told = if mail.not_told > 0 { format!(", {} not told", mail.not_told) } else { String::new() };
            lines.push(format!(
                "  {proven} it provably handed over: {} over TLS, {} in clear{not_told}",
                mail.tls, mail.clear
            ));
        } else {
            lines.push("  of none is it shown that it handed them over itself, and how".to_owned());
        }
        if mail.tls > 0 {
            lines.push(format!("  TLS: {}", counts(&mail.versions)));
            lines.push(format!("  cipher suites: {}", counts(&mail.ciphers)));
        }
        if mail.messages > mail.untraced {
            lines.push(format!("  recorded: {}", counts(&mail.results)));
        }
        if mail.unproven + mail.untraced > 0 {
            let (unproven, untraced) = (mail.unproven, mail.untraced);
            lines.push(format!(
                "  not weighed: {unproven} without proof of who handed them over, {untraced} without a trace of an own host"
            ));
        }
        if !mail.complete {
            lines.push("  not all mail given was read: there may be more".to_owned());
        }
        lines
    }
}

/// A source that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnreadView {
    pub path: String,
    pub why: String,
}

const NOTES: [&str; 4] = [
    "Counts are made by rules and are an estimate; a message that is not counted is not shown to hold no PHI.",
    "PHI likely means high or medium: an identifier of somebody and something of that person's health, care or payment.",
    "Messages or parts under not_inspected were not looked into and may hold PHI.",
    "HIPAA sets no period for keeping mail; compare the dates with the organization's own decision.",
];

const SAMPLE_NOTE: &str = "A sample was examined: all counts, people, kinds and dates are of the messages examined. The bounds are exact for what the detector would count in all mail (hypergeometric, Clopper-Pearson), each for itself; they say nothing of what the detector misses or cannot look into, nor of files and folders whose messages could not be counted.";

/// Joins the observations of a scan.
pub fn report(observations: &[Observation]) -> ContentReport {
    let mut mailboxes: BTreeMap<&str, MailboxView> = BTreeMap::new();
    let (mut files, mut unread, mut incoming) = (Vec::new(), Vec::new(), Vec::new());
    let mut detector = crate::collect::messages::DETECTOR;
    for observation in observations {
        match &observation.answer {
            Ok(Answer::ContentFolder(folder)) => {
                let mailbox = mailboxes.entry(&folder.mailbox).or_insert_with(|| MailboxView {
                    mailbox: folder.mailbox.clone(),
                    totals: Totals::none(),
                    folders: Vec::new(),
                });
                let totals = Totals::of(folder);
                mailbox.totals.add(&totals);
                mailbox.folders.push(FolderView {
                    folder: folder.folder.clone(),
                    totals,
                    rules: folder.rules.clone(),
                    roster: folder.roster,
                });
            }
            Ok(Answer::ContentFile(file)) => {
                detector = file.detector;
                files.push(FileView::of(file));
            }
            Ok(Answer::IncomingMail(mail)) => incoming.push(IncomingView::of(&observation.subject.name, mail)),
            Ok(_) => {}
            Err(reason) => unread.push(UnreadView { path: observation.subject.name.clone(), why: reason.to_string() }),
        }
    }
    let mut mailboxes: Vec<MailboxView> = mailboxes.into_values().collect();
    let mut totals = Totals::none();
    for mailbox in &mut mailboxes {
        mailbox.folders.sort_by(|a, b| a.folder.cmp(&b.folder));
        totals.add(&mailbox.totals);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    unread.sort_by(|a, b| a.path.cmp(&b.path));
    incoming.sort_by(|a, b| a.partner.cmp(&b.partner));
    ContentReport {
        schema: 1,
        kind: "content",
        detector,
        totals,
        mailboxes,
        files,
        incoming,
        roster: None,
        sample: None,
        unread,
        notes: NOTES.to_vec(),
    }
}

impl Totals {
    fn of(folder: &ContentFolder) -> Self {
        let level = |name: &str| folder.levels.get(name).copied().unwrap_or(0);
        Self {
            messages: folder.messages,
            phi: level("high") + level("medium"),
            high: level("high"),
            medium: level("medium"),
            low: level("low"),
            identifier_only: folder.identifier_only,
            health_only: folder.health_only,
            kinds: folder.kinds.clone(),
            places: folder.places.clone(),
            sendings: folder.sendings.clone(),
            protected: folder.protected.clone(),
            passwords_beside: folder.passwords_beside,
            ages: folder.ages.clone(),
            oldest: folder.oldest,
            newest: folder.newest,
            oldest_message: folder.oldest_message,
            newest_message: folder.newest_message,
            // A scan of this program tells them.
            undated_messages: folder.undated_messages.unwrap_or(0),
            individuals: Bounds { lower: folder.individuals_lower, upper: folder.individuals_upper },
            not_inspected: folder.not_inspected.clone(),
        }
    }

    /// What no folder gives.
    fn none() -> Self {
        Self { passwords_beside: Some(0), ..Self::default() }
    }

    /// Folders may speak of the same people: at least the most of one folder, at most all of them.
    fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.phi += other.phi;
        self.high += other.high;
        self.medium += other.medium;
        self.low += other.low;
        self.identifier_only += other.identifier_only;
        self.health_only += other.health_only;
        for (to, from) in [
            (&mut self.kinds, &other.kinds),
            (&mut self.places, &other.places),
            (&mut self.sendings, &other.sendings),
            (&mut self.protected, &other.protected),
            (&mut self.ages, &other.ages),
            (&mut self.not_inspected, &other.not_inspected),
        ] {
            for (name, count) in from {
                *to.entry(name.clone()).or_default() += count;
            }
        }
        // What is not known of one leaves of all only that there are some.
        let beside = [self.passwords_beside, other.passwords_beside];
        let some = beside.iter().flatten().sum();
        self.passwords_beside = (some > 0 || !beside.contains(&None)).then_some(some);
        self.oldest = [self.oldest, other.oldest].into_iter().flatten().min();
        self.newest = [self.newest, other.newest].into_iter().flatten().max();
        self.oldest_message = [self.oldest_message, other.oldest_message].into_iter().flatten().min();
        self.newest_message = [self.newest_message, other.newest_message].into_iter().flatten().max();
        self.undated_messages += other.undated_messages;
        self.individuals.lower = self.individuals.lower.max(other.individuals.lower);
        self.individuals.upper += other.individuals.upper;
    }
}

impl FileView {
    fn of(file: &ContentFile) -> Self {
        Self {
            path: visible(&file.label),
            format: file.format.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            messages: file.messages,
            complete: file.complete,
            not_inspected: file.not_inspected.clone(),
        }
    }
}

/// The result for people, at most 80 columns wide where names allow.
pub fn text(report: &ContentReport) -> String {
    let mut out = String::new();
    let totals = &report.totals;
    if let Some(sample) = &report.sample {
        line(&mut out, &format!("a sample: messages that likely hold PHI, with {} % confidence", sample.confidence));
        line(&mut out, &format!("  all mail: {}", sample.all.words()));
        if sample.mailboxes.len() > 1 {
            for mailbox in &sample.mailboxes {
                line(&mut out, &format!("  {}: {}", visible(&mailbox.mailbox), mailbox.of.words()));
            }
        }
        line(&mut out, "");
        line(&mut out, "of the messages examined");
    }
    // Those that could not be read are among them.
    let messages = report.sample.as_ref().map_or(totals.messages, |sample| sample.all.examined);
    line(&mut out, &format!("{messages} messages, {} likely hold PHI", totals.phi));
    if totals.phi > 0 {
        let people = totals.individuals;
        line(&mut out, &format!("  about {} to {} individuals", people.lower, people.upper));
        line(&mut out, &format!("  {}", span(totals.oldest, totals.newest)));
        line(&mut out, &format!("  by age:   {}", counts(&totals.ages)));
        line(&mut out, &format!("  by place: {}", counts(&totals.places)));
        line(&mut out, &format!("  by kind:  {}", counts(&totals.kinds)));
        let sendings = totals.sendings.iter().filter(|(_, count)| **count > 0);
        let sendings: BTreeMap<String, u64> = sendings.map(|(name, count)| (name.clone(), *count)).collect();
        if !sendings.is_empty() {
            line(&mut out, &format!("  as sent:  {}", counts(&sendings)));
        }
    }
    if messages > 0 {
        line(&mut out, &format!("whatever they hold, messages are {}", all_days(totals)));
    }
    line(&mut out, &format!("{} more name somebody beside something of health: worth a look", totals.low));
    line(&mut out, &format!("{} hold an identifier and nothing of health", totals.identifier_only));
    if !totals.protected.is_empty() {
        line(&mut out, &format!("protected attachments: {}", counts(&totals.protected)));
    }
    if let Some(messages) = totals.passwords_beside.filter(|messages| *messages > 0) {
        line(&mut out, &format!("  of {messages} messages with one the password stands beside it"));
    }
    if !totals.not_inspected.is_empty() {
        line(&mut out, &format!("not looked into, all or part: {}", counts(&totals.not_inspected)));
    }
    for mailbox in &report.mailboxes {
        line(&mut out, "");
        line(&mut out, &visible(&mailbox.mailbox));
        line(
            &mut out,
            &format!(
                "  {:<30} {:>8} {:>6} {:>6} {:>6}  {}",
                "folder", "messages", "high", "medium", "low", "PHI since"
            ),
        );
        for folder in &mailbox.folders {
            let totals = &folder.totals;
            let since = totals.oldest.map_or_else(|| "-".to_owned(), |date| date.to_string());
            let name = visible(&folder.folder);
            line(
                &mut out,
                &format!(
                    "  {name:<30} {:>8} {:>6} {:>6} {:>6}  {since}",
                    totals.messages, totals.high, totals.medium, totals.low
                ),
            );
        }
        line(&mut out, "  messages by day, whatever they hold");
        for folder in &mailbox.folders {
            line(&mut out, &format!("  {:<30} {}", visible(&folder.folder), all_days(&folder.totals)));
        }
    }
    let partly: Vec<&FileView> = report.files.iter().filter(|file| !file.complete).collect();
    if !partly.is_empty() || !report.unread.is_empty() {
        line(&mut out, "");
        line(&mut out, "not read whole");
        for file in partly {
            line(&mut out, &format!("  {}: {}", file.path, counts(&file.not_inspected)));
        }
        for source in &report.unread {
            line(&mut out, &format!("  {}: {}", visible(&source.path), visible(&source.why)));
        }
    }
    if let Some(roster) = &report.roster {
        line(&mut out, "");
        line(&mut out, &format!("of {} patients on the list", roster.patients));
        line(
            &mut out,
            &format!(
                "  at least {} are in this mail, {} more by a name or number alone",
                roster.found, roster.possible
            ),
        );
        if roster.mailboxes.len() > 1 {
            for mailbox in &roster.mailboxes {
                let (name, found, possible) = (visible(&mailbox.mailbox), mailbox.found, mailbox.possible);
                line(&mut out, &format!("  {name:<30} at least {found:>6}, {possible:>6} more perhaps"));
            }
        }
        if roster.rows_not_used > 0 {
            line(&mut out, &format!("  {} rows of the list name nobody who could be found", roster.rows_not_used));
        }
    }
    if !report.incoming.is_empty() {
        line(&mut out, "");
        line(&mut out, "how mail of partners arrived");
        for told in report.incoming.iter().flat_map(IncomingView::lines) {
            line(&mut out, &format!("  {told}"));
        }
    }
    line(&mut out, "");
    for note in &report.notes {
        line(&mut out, note);
    }
    out
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end()).expect("writing to a String does not fail");
}

fn span(oldest: Option<Date>, newest: Option<Date>) -> String {
    match (oldest, newest) {
        (Some(oldest), Some(newest)) => format!("from {oldest} to {newest}"),
        _ => "without a date to believe".to_owned(),
    }
}

/// The days of all messages, and how many have none.
fn all_days(totals: &Totals) -> String {
    let days = span(totals.oldest_message, totals.newest_message);
    match (totals.messages, totals.undated_messages) {
        (0, _) => "-".to_owned(),
        (_, 0) => days,
        (messages, undated) if messages == undated => days,
        (_, undated) => format!("{days}, {undated} without a date"),
    }
}

/// `a 3, b 2`, the most first.
fn counts(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    sorted.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, high: u64, lower: u64) -> ContentFolder {
        let one = |name: &str, count: u64| BTreeMap::from([(name.to_owned(), count)]);
        ContentFolder {
            mailbox: "front-desk".to_owned(),
            folder: name.to_owned(),
            messages: 10,
            levels: one("high", high),
            identifier_only: 0,
            health_only: 1,
            kinds: one("record-number", high),
            places: one("body", high),
            sendings: one("to-outside", high),
            protected: one("zip-zipcrypto", 1),
            passwords_beside: Some(1),
            rules: one("record-number-labelled+act-near", high),
            ages: one("1-3-years", high),
            oldest: Some(jiff::civil::date(2024, 1, 2)),
            newest: Some(jiff::civil::date(2025, 1, 2)),
            oldest_message: Some(jiff::civil::date(2011, 1, 2)),
            newest_message: Some(jiff::civil::date(2026, 1, 2)),
            undated_messages: Some(2),
            individuals_lower: lower,
            individuals_upper: high,
            within_a_year: None,
            roster: None,
            sampled: false,
            not_inspected: one("encrypted", 1),
            not_inspected_messages: Some(1),
        }
    }

    fn observed(answer: Answer, name: &str) -> Observation {
        Observation {
            subject: crate::names::SubjectId::new(crate::names::SubjectKind::ContentFolder, name),
            source: crate::evidence::Source::Content,
            question: crate::evidence::Question::ContentFolder { label: name.to_owned() },
            asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
            took_ms: 0,
            vantage: "test".to_owned(),
            answer: Ok(answer),
        }
    }

    #[test]
    fn passwords_that_one_folder_does_not_tell_are_not_none() {
        let total = |counts: &[Option<u64>]| {
            let folders = counts.iter().map(|count| {
                let folder = ContentFolder { passwords_beside: *count, ..folder("Inbox", 0, 0) };
                observed(Answer::ContentFolder(Box::new(folder)), "a/Inbox")
            });
            report(&folders.collect::<Vec<_>>()).totals.passwords_beside
        };
        assert_eq!(total(&[Some(0), Some(0)]), Some(0));
        assert_eq!(total(&[Some(1), Some(2)]), Some(3));
        assert_eq!(total(&[Some(0), None]), None);
        assert_eq!(total(&[None, Some(2)]), Some(2));
        assert_eq!(total(&[None, None]), None);
    }

    #[test]
    fn people_of_two_folders_may_be_the_same_people() {
        let observations = [
            observed(Answer::ContentFolder(Box::new(folder("Inbox", 5, 4))), "front-desk/Inbox"),
            observed(Answer::ContentFolder(Box::new(folder("Sent", 3, 2))), "front-desk/Sent"),
        ];
        let report = report(&observations);
        assert_eq!(report.totals.individuals, Bounds { lower: 4, upper: 8 });
        assert_eq!(report.totals.phi, 8);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["mailboxes"][0]["folders"][1]["folder"], "Sent");
        assert_eq!(json["mailboxes"][0]["folders"][1]["individuals"]["lower"], 2);
        assert_eq!(
            (&json["totals"]["oldest"], &json["totals"]["oldest_message"]),
            (&"2024-01-02".into(), &"2011-01-02".into())
        );
        assert_eq!(json["mailboxes"][0]["undated_messages"], 4);
        assert!(text(&report).contains("  from 2024-01-02 to 2025-01-02\n"));
        assert!(
            text(&report)
                .contains("  Sent                           from 2011-01-02 to 2026-01-02, 2 without a date\n")
        );
        assert!(text(&report).contains("20 messages, 8 likely hold PHI"));
        let sampled = Sampled { messages: 15, lost: 5, examined: 12, phi: 8, oldest: None };
        let of_a_sample = report.with_sample(Some(&BTreeMap::from([("front-desk".to_owned(), sampled)])));
        assert!(text(&of_a_sample).contains("12 messages, 8 likely hold PHI"));
    }
}
