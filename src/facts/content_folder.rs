//! A mail folder that was scanned: how much PHI lies in it, and since when. Counts only.

use std::collections::BTreeMap;

use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::clock::days_between;
use crate::evidence::content::{ContentFile, ContentFolder as Counted, Individuals};
use crate::evidence::declared::Declared;
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

subject! {
    /// A folder of a mailbox, named `mailbox/folder`.
    pub struct ContentFolder is ContentFolder {
        /// The mailbox.
        mailbox: String,
        /// Messages in it.
        messages: i64,
        /// Messages judged to hold PHI likely (high and medium).
        phi_messages: i64,
        /// Messages with a name and something of health, worth a look by a person.
        review_messages: i64,
        /// Whole days from the oldest PHI message with a date to `as_of`; 0 where there is none.
        oldest_phi_days: i64,
        /// PHI messages without a date to believe: their age is not known.
        undated_phi_messages: i64,
        /// The organization's own limit in days.
        limit_days: i64,
        /// Messages of which all or part could not be looked into.
        not_inspected: i64,
        /// Why they could not be, sorted.
        not_inspected_because: Vec<String>,
        /// Individuals, at least.
        individuals_lower: i64,
        /// Individuals, at most.
        individuals_upper: i64,
        /// Individuals, at least, of messages less than a year old on the day of the scan.
        within_a_year_lower: i64,
        /// Individuals, at most, of messages less than a year old on the day of the scan.
        within_a_year_upper: i64,
        /// Categories that other law protects more, as words of the messages with PHI name them: `genetic`, `hiv`, `psychotherapy`, `substance-use`.
        sensitive_kinds: Vec<String>,
        /// Messages with PHI likely and an identifier in the subject line; one where a name alone stands there may not be counted.
        phi_in_subjects: i64,
        /// Messages with PHI likely and an identifier in the name of an attachment; one where a name alone stands there may not be counted.
        phi_in_file_names: i64,
        /// Messages with PHI likely and an identifier in an invitation; one where a name alone stands there may not be counted.
        phi_in_invitations: i64,
        /// What the folder's name says it is for: `sent`, `drafts`, `deleted`; `other` where the name is none of those known.
        folder_kind: String,
        /// Whether the scope lists the mailbox as holding PHI.
        declared_phi: bool,
    }
}

/// Builds every ContentFolder that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<ContentFolder> {
    let evidence = context.evidence;
    let taken_away = evidence.taken_away(Source::Content, SubjectKind::ContentFolder);
    let declared = evidence.declared();
    let mut subjects = Vec::new();
    let mut gaps = Vec::new();
    let mut seen_anything = false;
    let mut detector = u32::MAX;
    let mut folders: BTreeMap<&str, (Counted, Vec<EvidenceId>)> = BTreeMap::new();
    for (id, observation) in evidence.from(Source::Content) {
        seen_anything = true;
        match &observation.answer {
            Ok(Answer::ContentFolder(counted)) => match folders.get_mut(observation.subject.name.as_str()) {
                Some((joined, ids)) => {
                    join(joined, counted);
                    ids.push(id.clone());
                }
                None => {
                    folders.insert(&observation.subject.name, (Counted::clone(counted), vec![id.clone()]));
                }
            },
            Ok(Answer::ContentFile(file)) => {
                gaps.extend(gap_of(file));
                detector = detector.min(file.detector);
            }
            Ok(_) => {}
            Err(reason) => gaps.push(reason.clone()),
        }
    }
    for (name, (counted, ids)) in folders {
        subjects.push(folder(name, &counted, &ids, &declared, detector, context));
    }
    let collection = match (taken_away, &declared) {
        (Some(reason), _) => Collection::Incomplete(reason),
        (None, Err(reason)) if !seen_anything => Collection::Incomplete(reason.clone()),
        (None, Ok((_, declared))) if !seen_anything && declared.messages.is_empty() => {
            Collection::NotDeclared("the scope names no mail to read".to_owned())
        }
        (None, Ok(_)) if !seen_anything => {
            Collection::Incomplete(NotObserved::NotProvided { what: "the mail that the scope names".to_owned() })
        }
        (None, Ok((_, declared))) => {
            gaps.extend(unread_sources(declared, context));
            gaps.into_iter().min().map_or(Collection::Complete, Collection::Incomplete)
        }
        (None, Err(_)) => gaps.into_iter().min().map_or(Collection::Complete, Collection::Incomplete),
    };
    Built { subjects, collection }
}

/// Why a file was not read whole, if it was not.
fn gap_of(file: &ContentFile) -> Option<NotObserved> {
    if file.complete {
        return None;
    }
    let reasons: Vec<&str> = file.not_inspected.keys().map(String::as_str).collect();
    let why = format!("{} was not read whole ({})", file.label, reasons.join(", "));
    Some(NotObserved::Unreadable { why, line: None })
}

/// Sources that the scope names and nothing was observed of.
fn unread_sources(declared: &Declared, context: Context<'_>) -> Vec<NotObserved> {
    let labels: Vec<&str> =
        context.evidence.from(Source::Content).map(|(_, observation)| observation.subject.name.as_str()).collect();
    declared
        .messages
        .iter()
        .filter(|source| {
            let path = source.path.trim_end_matches('/');
            !labels.iter().any(|label| {
                let label = label.trim_end_matches('/');
                label == path || label.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
            })
        })
        .map(|source| NotObserved::NotProvided { what: format!("the mail in {}", source.path) })
        .collect()
}

/// The same folder scanned at another vantage: the larger count of each, since both read the same
/// mail or parts of it.
fn join(to: &mut Counted, other: &Counted) {
    if other.messages > to.messages {
        let earlier = std::mem::replace(to, other.clone());
        to.oldest = [earlier.oldest, to.oldest].into_iter().flatten().min();
    } else {
        to.oldest = [other.oldest, to.oldest].into_iter().flatten().min();
    }
}

fn folder(
    name: &str,
    counted: &Counted,
    ids: &[EvidenceId],
    declared: &Result<(&EvidenceId, &Declared), NotObserved>,
    detector: u32,
    context: Context<'_>,
) -> ContentFolder {
    let evidence = || ids.to_vec();
    let count = |level: &str| counted.levels.get(level).copied().unwrap_or(0);
    let phi = count("high") + count("medium");
    let at = |place: &str| match counted.places.get(place).copied().unwrap_or(0) {
        // Earlier versions named one place of a message and passed over the others.
        0 if detector < TELLS_EACH_PLACE => {
            Fact::new(Seen::not_provided("a scan that looks into each place of a message"), evidence())
        }
        messages => Fact::present(whole(messages), evidence()),
    };
    let undated = counted.ages.get("undated").copied().unwrap_or(0);
    let days = counted.oldest.map(|oldest| days_between(oldest, context.today()).max(0));
    // Undated messages alone leave the age unknown; it is not zero.
    let oldest_phi_days = match (phi, days) {
        (0, _) => Seen::Present(0),
        (_, Some(days)) => Seen::Present(days),
        (_, None) => Seen::Unknown(NotObserved::Lost { why: "no message with PHI has a date to believe".to_owned() }),
    };
    let limit_days = match declared {
        Err(reason) => Fact::unknown(reason.clone()),
        Ok((id, declared)) => match declared.retention.as_ref().and_then(|retention| retention.mail_max_days) {
            Some(days) => Fact::present(i64::from(days), vec![(*id).clone()]),
            None => Fact::unknown(NotObserved::NotProvided {
                what: "the organization's own limit on keeping mail (`retention.mail_max_days` in the scope)"
                    .to_owned(),
            }),
        },
    };
    let declared_phi = match declared {
        Err(reason) => Fact::unknown(reason.clone()),
        Ok((id, declared)) => match &declared.retention {
            Some(retention) => {
                let listed = retention.phi_mailboxes.iter().any(|mailbox| same_mailbox(mailbox, &counted.mailbox));
                Fact::present(listed, vec![(*id).clone()])
            }
            None => Fact::unknown(NotObserved::NotProvided {
                what: "the mailboxes meant to hold PHI (`retention.phi_mailboxes` in the scope)".to_owned(),
            }),
        },
    };
    ContentFolder {
        name: name.to_owned(),
        mailbox: Fact::present(counted.mailbox.clone(), evidence()),
        messages: Fact::present(whole(counted.messages), evidence()),
        phi_messages: Fact::present(whole(phi), evidence()),
        review_messages: Fact::present(whole(count("low")), evidence()),
        oldest_phi_days: Fact::new(oldest_phi_days, evidence()),
        undated_phi_messages: Fact::present(whole(undated), evidence()),
        limit_days,
        not_inspected: Fact::new(not_inspected(counted), evidence()),
        not_inspected_because: Fact::present(counted.not_inspected.keys().cloned().collect(), evidence()),
        individuals_lower: Fact::present(whole(counted.individuals_lower), evidence()),
        individuals_upper: Fact::present(whole(counted.individuals_upper), evidence()),
        within_a_year_lower: within_a_year(counted, ids, |individuals| individuals.lower),
        within_a_year_upper: within_a_year(counted, ids, |individuals| individuals.upper),
        sensitive_kinds: sensitive_kinds(counted, detector >= TELLS_CATEGORIES, ids),
        phi_in_subjects: at("subject"),
        phi_in_file_names: at("attachment-name"),
        phi_in_invitations: at("invite"),
        folder_kind: Fact::present(folder_kind(&counted.folder).to_owned(), evidence()),
        declared_phi,
    }
}

/// By the names that mail programs give in English, French, German and Spanish.
fn folder_kind(folder: &str) -> &'static str {
    const KINDS: [(&str, &[&str]); 3] = [
        (
            "deleted",
            &[
                "deleted",
                "deleted items",
                "deleted messages",
                "trash",
                "bin",
                "corbeille",
                "gelöschte elemente",
                "papierkorb",
                "elementos eliminados",
                "papelera",
                "éléments supprimés",
            ],
        ),
        ("drafts", &["drafts", "draft", "brouillons", "entwürfe", "borradores"]),
        (
            "sent",
            &[
                "sent",
                "sent items",
                "sent mail",
                "sent messages",
                "envoyés",
                "éléments envoyés",
                "gesendet",
                "gesendete elemente",
                "elementos enviados",
                "enviados",
            ],
        ),
    ];
    let kind = |part: &str| {
        let part = part.trim().to_lowercase();
        KINDS.into_iter().find(|(_, names)| names.contains(&part.as_str())).map(|(kind, _)| kind)
    };
    // What lies in a folder of deleted mail is deleted too; the innermost name decides.
    folder.rsplit('/').find_map(kind).unwrap_or("other")
}

/// The first version of the detector that tells the categories which other law protects more.
const TELLS_CATEGORIES: u32 = 2;
/// The first version of the detector that looks for identifiers in each subject line, attachment's
/// name and invitation of a message with PHI.
const TELLS_EACH_PLACE: u32 = 4;

fn not_inspected(counted: &Counted) -> Seen<i64> {
    // Earlier versions told reasons only, of which one message may have several.
    let told: Vec<u64> = counted.not_inspected.values().copied().collect();
    match (&counted.not_inspected_messages, &told[..]) {
        (Some(messages), _) | (None, [messages]) => Seen::Present(whole(*messages)),
        (None, []) => Seen::Present(0),
        (None, [_, _, ..]) => Seen::not_provided("a scan that counts each message once that was not looked into"),
    }
}

fn sensitive_kinds(counted: &Counted, told: bool, ids: &[EvidenceId]) -> Fact<Vec<String>> {
    let kinds = counted.kinds.keys().filter_map(|kind| kind.strip_prefix("sensitive-"));
    let kinds: Vec<String> = kinds.map(str::to_owned).collect();
    if kinds.is_empty() && !told {
        return Fact::new(Seen::not_provided("a scan that tells the categories of mail apart"), ids.to_vec());
    }
    Fact::present(kinds, ids.to_vec())
}

fn within_a_year(counted: &Counted, ids: &[EvidenceId], bound: fn(Individuals) -> u64) -> Fact<i64> {
    match counted.within_a_year {
        Some(individuals) => Fact::present(whole(bound(individuals)), ids.to_vec()),
        None => Fact::new(Seen::not_provided("a scan that counts individuals by age"), ids.to_vec()),
    }
}

/// `front-desk` names the mailbox `front-desk@clinic.example`; two full addresses are compared whole.
fn same_mailbox(declared: &str, scanned: &str) -> bool {
    let local = |name: &str| name.split_once('@').map_or(name, |(local, _)| local).to_ascii_lowercase();
    if declared.contains('@') && scanned.contains('@') {
        return declared.eq_ignore_ascii_case(scanned);
    }
    local(declared) == local(scanned)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::declared::{DeclaredMessages, DeclaredRetention};
    use crate::evidence::{Evidence, Manifest, Observation, Question, Vantage, Writer};
    use crate::names::SubjectId;
    use jiff::Timestamp;
    use jiff::civil::date;

    #[test]
    fn folders_of_sent_and_unsent_mail_are_known_by_their_names() {
        for (name, kind) in [
            ("Sent Items", "sent"),
            ("[Gmail]/Sent Mail", "sent"),
            ("Archive/Entwürfe", "drafts"),
            ("INBOX/Trash", "deleted"),
            ("Deleted Items/2019", "deleted"),
            ("Inbox", "other"),
            ("Sent to the lab", "other"),
            ("", "other"),
        ] {
            assert_eq!(folder_kind(name), kind, "{name}");
        }
    }

    fn as_of() -> Timestamp {
        "2026-10-01T12:00:00Z".parse().unwrap()
    }

    fn observation(
        source: Source,
        kind: SubjectKind,
        name: &str,
        question: Question,
        answer: Result<Answer, NotObserved>,
    ) -> Observation {
        Observation {
            subject: SubjectId::new(kind, name),
            source,
            question,
            asked_at: as_of(),
            took_ms: 0,
            vantage: "test".to_owned(),
            answer,
        }
    }

    fn scope(messages: &[&str], retention: Option<DeclaredRetention>) -> Observation {
        let declared = Declared {
            organization: None,
            authorization: None,
            domains: Vec::new(),
            hosts: Vec::new(),
            portals: Vec::new(),
            partners: Vec::new(),
            vendors: Vec::new(),
            exports: Vec::new(),
            messages: messages
                .iter()
                .map(|path| DeclaredMessages { path: (*path).to_owned(), mailbox: "front-desk".to_owned() })
                .collect(),
            retention,
            volumes: Vec::new(),
            answers: None,
            registers: None,
            reports: Vec::new(),
            scope_sha256: String::new(),
        };
        observation(
            Source::Declared,
            SubjectKind::Organization,
            "invented clinic",
            Question::Declared,
            Ok(Answer::Declared(Box::new(declared))),
        )
    }

    fn counted(oldest: Option<jiff::civil::Date>) -> Observation {
        let one = |name: &str| BTreeMap::from([(name.to_owned(), 3)]);
        let folder = Counted {
            mailbox: "front-desk".to_owned(),
            folder: "Inbox".to_owned(),
            messages: 10,
            levels: one("high"),
            identifier_only: 1,
            health_only: 2,
            kinds: BTreeMap::new(),
            places: BTreeMap::new(),
            rules: BTreeMap::new(),
            ages: if oldest.is_some() { one("3-6-years") } else { one("undated") },
            oldest,
            newest: oldest,
            individuals_lower: 2,
            individuals_upper: 3,
            within_a_year: None,
            roster: None,
            not_inspected: one("encrypted"),
            not_inspected_messages: None,
        };
        let question = Question::ContentFolder { label: "front-desk/Inbox".to_owned() };
        observation(
            Source::Content,
            SubjectKind::ContentFolder,
            "front-desk/Inbox",
            question,
            Ok(Answer::ContentFolder(Box::new(folder))),
        )
    }

    fn file(complete: bool) -> Observation {
        let file = ContentFile {
            label: "mail/Inbox".to_owned(),
            bytes: 1,
            sha256: String::new(),
            format: "mbox".to_owned(),
            messages: 10,
            not_inspected: BTreeMap::new(),
            complete,
            detector: 1,
        };
        let question = Question::ContentFile { label: "mail/Inbox".to_owned() };
        observation(
            Source::Content,
            SubjectKind::ContentFolder,
            "mail/Inbox",
            question,
            Ok(Answer::ContentFile(Box::new(file))),
        )
    }

    fn built(observations: Vec<Observation>) -> Built<ContentFolder> {
        built_without(observations, None)
    }

    fn built_without(observations: Vec<Observation>, segment: Option<&str>) -> Built<ContentFolder> {
        let folder = tempfile::tempdir().unwrap();
        let manifest = manifest();
        Writer::create(folder.path()).unwrap().finish(observations, manifest).unwrap();
        if let Some(segment) = segment {
            std::fs::remove_file(folder.path().join(segment)).unwrap();
        }
        let evidence = Evidence::read(folder.path()).unwrap();
        build(Context { evidence: &evidence, as_of: as_of() })
    }

    fn manifest() -> Manifest {
        Manifest {
            schema: 1,
            kind: "evidence".to_owned(),
            tool_version: "0".to_owned(),
            scope_sha256: String::new(),
            vantage: Vantage {
                label: "test".to_owned(),
                resolvers: Vec::new(),
                port_25_reachable: None,
                test_network: Vec::new(),
            },
            started_at: as_of(),
            as_of: as_of(),
            complete: true,
            segments: Vec::new(),
        }
    }

    fn retention(mailboxes: &[&str]) -> DeclaredRetention {
        DeclaredRetention {
            mail_max_days: Some(1095),
            phi_mailboxes: mailboxes.iter().map(|name| (*name).to_owned()).collect(),
            decided: None,
            file: None,
            file_sha256: None,
        }
    }

    #[test]
    fn a_folder_carries_its_counts_its_age_and_the_organizations_limit() {
        let built = built(vec![
            scope(&["mail/"], Some(retention(&["front-desk@clinic.example"]))),
            counted(Some(date(2022, 10, 1))),
            file(true),
        ]);
        assert_eq!(built.collection, Collection::Complete);
        let folder = &built.subjects[0];
        assert_eq!(folder.oldest_phi_days.seen, Seen::Present(1461));
        assert_eq!(folder.limit_days.seen, Seen::Present(1095));
        assert_eq!(folder.declared_phi.seen, Seen::Present(true));
        assert_eq!(folder.not_inspected.seen, Seen::Present(3));
        assert_eq!(folder.mailbox.evidence.len(), 1);
    }

    #[test]
    fn without_a_declared_limit_the_limit_is_unknown_and_no_number() {
        let built = built(vec![scope(&["mail/"], None), counted(Some(date(2022, 10, 1))), file(true)]);
        assert!(matches!(built.subjects[0].limit_days.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
        assert!(matches!(built.subjects[0].declared_phi.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
    }

    #[test]
    fn a_scan_that_named_one_place_says_nothing_of_the_others() {
        let scanned = |by: u32, subjects: Option<u64>| {
            let (mut folder, mut file) = (counted(None), file(true));
            let Ok(Answer::ContentFolder(counts)) = &mut folder.answer else { panic!() };
            counts.places = subjects.map(|many| ("subject".to_owned(), many)).into_iter().collect();
            let Ok(Answer::ContentFile(read)) = &mut file.answer else { panic!() };
            read.detector = by;
            built(vec![scope(&["mail/"], None), folder, file]).subjects.remove(0).phi_in_subjects.seen
        };
        assert!(matches!(scanned(3, None), Seen::Unknown(NotObserved::NotProvided { .. })));
        assert_eq!(scanned(3, Some(2)), Seen::Present(2));
        assert_eq!(scanned(TELLS_EACH_PLACE, None), Seen::Present(0));
    }

    #[test]
    fn a_message_that_was_not_looked_into_for_two_reasons_is_one_message() {
        let not_inspected = |told: Option<u64>, reasons: &[&str]| {
            let mut folder = counted(None);
            let Ok(Answer::ContentFolder(counts)) = &mut folder.answer else { panic!() };
            counts.not_inspected = reasons.iter().map(|reason| ((*reason).to_owned(), 1)).collect();
            counts.not_inspected_messages = told;
            built(vec![scope(&["mail/"], None), folder, file(true)]).subjects.remove(0).not_inspected.seen
        };
        assert_eq!(not_inspected(Some(1), &["encrypted", "image"]), Seen::Present(1));
        assert_eq!(not_inspected(None, &["encrypted"]), Seen::Present(1));
        assert_eq!(not_inspected(None, &[]), Seen::Present(0));
        assert!(matches!(not_inspected(None, &["encrypted", "image"]), Seen::Unknown(NotObserved::NotProvided { .. })));
    }

    #[test]
    fn undated_phi_has_an_unknown_age_and_not_age_zero() {
        let built = built(vec![scope(&["mail/"], Some(retention(&[]))), counted(None), file(true)]);
        assert!(matches!(built.subjects[0].oldest_phi_days.seen, Seen::Unknown(_)));
        assert_eq!(built.subjects[0].declared_phi.seen, Seen::Present(false));
    }

    #[test]
    fn a_file_not_read_whole_makes_the_collection_incomplete() {
        let built = built(vec![scope(&["mail/"], None), counted(None), file(false)]);
        assert!(matches!(built.collection, Collection::Incomplete(NotObserved::Unreadable { .. })));
    }

    #[test]
    fn a_source_nobody_read_makes_the_collection_incomplete() {
        let one = built(vec![scope(&["mail/", "old/"], None), counted(None), file(true)]);
        assert!(matches!(one.collection, Collection::Incomplete(NotObserved::NotProvided { .. })));
        let none = built(vec![scope(&["mail/"], None)]);
        assert!(matches!(none.collection, Collection::Incomplete(NotObserved::NotProvided { .. })));
    }

    #[test]
    fn no_mail_in_the_scope_is_not_declared() {
        assert!(matches!(built(vec![scope(&[], None)]).collection, Collection::NotDeclared(_)));
    }

    #[test]
    fn a_segment_taken_away_is_not_an_empty_mailbox() {
        let built = built_without(
            vec![scope(&["mail/"], None), counted(None), file(true)],
            Some("content.content_folder.jsonl"),
        );
        assert!(matches!(built.collection, Collection::Incomplete(NotObserved::NotProvided { .. })));
        assert!(built.subjects.is_empty());
    }
}
