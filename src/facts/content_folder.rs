//! A mail folder that was scanned: how much PHI lies in it, and since when. Counts only.
//!
//! Where a sample stood for all mail, what it counted is no count of the folder: those facts are unknown,
//! with the estimate as the reason. What a sample proves stays: individuals at least, categories found.

use std::collections::{BTreeMap, BTreeSet};

use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::clock::days_between;
use crate::collect::messages::protection::{Strength, strength};
use crate::evidence::content::{ContentFile, ContentFolder as Counted, ContentSample, Individuals};
use crate::evidence::declared::Declared;
use crate::evidence::{Answer, EvidenceId, Question, Source};
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
        /// Categories that other law protects more, as words and birth dates of the messages with PHI name them: `genetic`, `hiv`, `minors`, `psychotherapy`, `reproductive`, `substance-use`.
        sensitive_kinds: Vec<String>,
        /// Messages with PHI likely and an identifier in the subject line; one where a name alone stands there may not be counted.
        phi_in_subjects: i64,
        /// Messages with PHI likely and an identifier in the name of an attachment; one where a name alone stands there may not be counted.
        phi_in_file_names: i64,
        /// Messages with PHI likely and an identifier in an invitation; one where a name alone stands there may not be counted.
        phi_in_invitations: i64,
        /// Messages with PHI likely that a machine sent in answer (RFC 3834).
        phi_in_automatic_replies: i64,
        /// Messages with PHI likely to ten recipients or more.
        phi_to_many: i64,
        /// Messages with PHI likely of an office to somebody at a provider of mailboxes for everybody.
        phi_to_consumer_webmail: i64,
        /// Those of them that name five such recipients or more in To and Cc, who see each other's addresses.
        phi_to_many_consumers: i64,
        /// Messages with PHI likely from an own domain to another one. Not known where the scope names no domain.
        phi_to_outside: i64,
        /// Messages with PHI likely that identify ten people or more.
        phi_of_many_people: i64,
        /// Messages with PHI likely of 10 MiB or more.
        large_phi_messages: i64,
        /// Messages with PHI likely whose subject numbers them as one of several.
        phi_in_several_parts: i64,
        /// Messages with an attachment that needs a password, whose password stands in them, or in another of the folder that is of the thread or went to the same people on that day.
        passwords_beside_attachments: i64,
        /// How attachments are protected that only a password or a key opens, sorted: `zip-zipcrypto`, `pdf-aes-256`.
        protections: Vec<String>,
        /// Of these, the ones with a cipher that is broken or that no standard in force allows any more.
        weak_protections: Vec<String>,
        /// Of these, the ones that do not say which cipher they use, or whether they are protected at all (`7z-unread`, `rar-unread`).
        unclear_protections: Vec<String>,
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
        let whole = folder(name, &counted, &ids, &declared, detector, context);
        subjects.push(if counted.sampled {
            of_a_sample(whole, &estimate(&counted.mailbox, context), &ids)
        } else {
            whole
        });
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
    if file.not_inspected.contains_key("not-in-sample") {
        let what = format!("a scan of all messages of {}: a sample was examined (--sample)", file.label);
        return Some(NotObserved::NotProvided { what });
    }
    let reasons: Vec<&str> = file.not_inspected.keys().map(String::as_str).collect();
    let why = format!("{} was not read whole ({})", file.label, reasons.join(", "));
    Some(NotObserved::Unreadable { why, line: None })
}

/// Sources that the scope names and nothing was observed of.
fn unread_sources(declared: &Declared, context: Context<'_>) -> Vec<NotObserved> {
    let labels: Vec<&str> = context
        .evidence
        .from(Source::Content)
        .filter(|(_, observation)| matches!(observation.question, Question::ContentFile { .. }))
        .map(|(_, observation)| observation.subject.name.as_str())
        .collect();
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

/// The same folder scanned at another vantage: both read the same mail or parts of it, so the count with the most PHI
/// stands, and what the other found besides. What looked at all of it goes before a sample.
fn join(to: &mut Counted, other: &Counted) {
    if to.sampled != other.sampled {
        if to.sampled {
            to.clone_from(other);
        }
        return;
    }
    let mut other = other.clone();
    if (phi(&other), other.messages) > (phi(to), to.messages) {
        std::mem::swap(to, &mut other);
    }
    to.messages = to.messages.max(other.messages);
    to.oldest = [other.oldest, to.oldest].into_iter().flatten().min();
    for (to, other) in [
        (&mut to.ages, other.ages),
        (&mut to.kinds, other.kinds),
        (&mut to.places, other.places),
        (&mut to.protected, other.protected),
        (&mut to.not_inspected, other.not_inspected),
    ] {
        for (word, count) in other {
            let to = to.entry(word).or_default();
            *to = count.max(*to);
        }
    }
    // Of PHI likely the levels stay those of one scan, which add up.
    if let Some(low) = other.levels.get("low") {
        let to = to.levels.entry("low".to_owned()).or_default();
        *to = (*low).max(*to);
    }
    to.individuals_lower = to.individuals_lower.max(other.individuals_lower);
    to.individuals_upper = to.individuals_upper.max(other.individuals_upper);
    if let (Some(to), Some(other)) = (&mut to.within_a_year, other.within_a_year) {
        *to = Individuals { lower: to.lower.max(other.lower), upper: to.upper.max(other.upper) };
    }
    to.not_inspected_messages = larger(to.not_inspected_messages, other.not_inspected_messages);
    to.passwords_beside = larger(to.passwords_beside, other.passwords_beside);
    let words: BTreeSet<String> = to.sendings.keys().chain(other.sendings.keys()).cloned().collect();
    let sent = words.into_iter().filter_map(|word| {
        let messages = larger(to.sendings.get(&word).copied(), other.sendings.get(&word).copied())?;
        Some((word, messages))
    });
    to.sendings = sent.collect();
}

/// Of two counts the larger. Where one was not told, the other is one at least, and none says nothing.
fn larger(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    let larger = one.max(other);
    larger.filter(|count| *count > 0 || (one.is_some() && other.is_some()))
}

/// Messages judged to hold PHI likely.
fn phi(counted: &Counted) -> u64 {
    ["high", "medium"].iter().filter_map(|level| counted.levels.get(*level)).sum()
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
    let phi = phi(counted);
    let at = |place: &str| match counted.places.get(place).copied().unwrap_or(0) {
        // Earlier versions named one place of a message and passed over the others.
        0 if detector < TELLS_EACH_PLACE => {
            Fact::new(Seen::not_provided("a scan that looks into each place of a message"), evidence())
        }
        messages => Fact::present(whole(messages), evidence()),
    };
    let told = |messages: Option<u64>| match messages {
        Some(messages) => Fact::present(whole(messages), evidence()),
        None => Fact::new(Seen::not_provided("a scan that tells how mail was sent"), evidence()),
    };
    let sent = |how: &str| told(counted.sendings.get(how).copied());
    let is_unread = |word: &String| word.ends_with("-unread");
    let passwords_beside_attachments = match counted.passwords_beside {
        None if counted.protected.keys().any(is_unread) => {
            let why = "an archive does not show whether a password beside it opens it".to_owned();
            Fact::new(Seen::Unknown(NotObserved::Unreadable { why, line: None }), evidence())
        }
        messages => told(messages),
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
        review_messages: Fact::present(whole(counted.levels.get("low").copied().unwrap_or(0)), evidence()),
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
        phi_in_automatic_replies: sent("automatic-reply"),
        phi_to_many: sent("many-recipients"),
        phi_to_consumer_webmail: sent("to-consumer-webmail"),
        phi_to_many_consumers: sent("to-many-consumers"),
        phi_to_outside: sent("to-outside"),
        phi_of_many_people: sent("many-individuals"),
        large_phi_messages: sent("large"),
        phi_in_several_parts: sent("part-of-several"),
        passwords_beside_attachments,
        protections: protections(counted, detector, ids, |_| true),
        weak_protections: protections(counted, detector, ids, |strength| strength == Strength::Weak),
        unclear_protections: protections(counted, detector, ids, |strength| strength == Strength::Unclear),
        folder_kind: Fact::present(folder_kind(&counted.folder).to_owned(), evidence()),
        declared_phi,
    }
}

/// Why the counts of a mailbox are not known where only a sample of it was examined, and what that says.
fn estimate(mailbox: &str, context: Context<'_>) -> NotObserved {
    let samples = context.evidence.from(Source::Content).filter_map(|(_, observation)| match &observation.answer {
        Ok(Answer::ContentSample(sample)) => Some(sample),
        Ok(_) | Err(_) => None,
    });
    // Of several, the one that looked at most.
    let of = |sample: &ContentSample| Some((sample.mailboxes.get(mailbox).copied()?, sample.confidence));
    let what = match samples.filter_map(|sample| of(sample)).max_by_key(|(mail, _)| mail.examined) {
        Some((mail, confidence)) => {
            let oldest = mail.oldest_phi.map_or_else(String::new, |day| format!("; the oldest found is of {day}"));
            format!(
                "a scan of all messages of the mailbox: of {} a sample of {} was examined (--sample), and an estimated {} to {} of all likely hold PHI ({confidence} % interval){oldest}",
                mail.messages, mail.examined, mail.phi_lower, mail.phi_upper
            )
        }
        None => "a scan of all messages of the mailbox: a sample was examined (--sample)".to_owned(),
    };
    NotObserved::NotProvided { what }
}

/// The folder of a mailbox of which only a sample was examined.
fn of_a_sample(folder: ContentFolder, reason: &NotObserved, ids: &[EvidenceId]) -> ContentFolder {
    let count = || Fact::new(Seen::Unknown(reason.clone()), ids.to_vec());
    let list = || Fact::new(Seen::Unknown(reason.clone()), ids.to_vec());
    let finds_some = folder.sensitive_kinds.seen.present().is_some_and(|kinds| !kinds.is_empty());
    ContentFolder {
        messages: count(),
        phi_messages: count(),
        review_messages: count(),
        oldest_phi_days: count(),
        undated_phi_messages: count(),
        not_inspected: count(),
        not_inspected_because: list(),
        individuals_upper: count(),
        within_a_year_upper: count(),
        phi_in_subjects: count(),
        phi_in_file_names: count(),
        phi_in_invitations: count(),
        phi_in_automatic_replies: count(),
        phi_to_many: count(),
        phi_to_consumer_webmail: count(),
        phi_to_many_consumers: count(),
        phi_to_outside: count(),
        phi_of_many_people: count(),
        large_phi_messages: count(),
        phi_in_several_parts: count(),
        passwords_beside_attachments: count(),
        protections: list(),
        weak_protections: list(),
        unclear_protections: list(),
        // None among some says nothing of the others.
        sensitive_kinds: if finds_some { folder.sensitive_kinds } else { list() },
        name: folder.name,
        mailbox: folder.mailbox,
        limit_days: folder.limit_days,
        individuals_lower: folder.individuals_lower,
        within_a_year_lower: folder.within_a_year_lower,
        folder_kind: folder.folder_kind,
        declared_phi: folder.declared_phi,
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
const TELLS_CATEGORIES: u32 = 7;
/// The first version of the detector that looks for identifiers in each subject line, attachment's
/// name and invitation of a message with PHI.
const TELLS_EACH_PLACE: u32 = 4;
/// The first version of the detector that tells how attachments are protected.
const TELLS_PROTECTION: u32 = 7;

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

/// The protections whose strength is wanted.
fn protections(
    counted: &Counted,
    detector: u32,
    ids: &[EvidenceId],
    wanted: fn(Strength) -> bool,
) -> Fact<Vec<String>> {
    // A version that told nothing cannot have told that there are none.
    if detector < TELLS_PROTECTION {
        return Fact::new(Seen::not_provided("a scan that tells how attachments are protected"), ids.to_vec());
    }
    let words = counted.protected.keys().filter(|word| wanted(strength(word)));
    Fact::present(words.cloned().collect(), ids.to_vec())
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
mod tests;
