use super::*;
use crate::evidence::content::SampledMail;
use crate::evidence::declared::{DeclaredMessages, DeclaredRetention};
use crate::evidence::{Evidence, Observation, Writer};
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
        sendings: BTreeMap::new(),
        protected: BTreeMap::new(),
        passwords_beside: None,
        rules: BTreeMap::new(),
        ages: if oldest.is_some() { one("3-6-years") } else { one("undated") },
        oldest,
        newest: oldest,
        oldest_message: None,
        newest_message: None,
        undated_messages: None,
        individuals_lower: 2,
        individuals_upper: 3,
        within_a_year: None,
        roster: None,
        sampled: false,
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
    let manifest = crate::evidence::tests::manifest();
    Writer::create(folder.path()).unwrap().finish(observations, manifest).unwrap();
    if let Some(segment) = segment {
        std::fs::remove_file(folder.path().join(segment)).unwrap();
    }
    let evidence = Evidence::read(folder.path()).unwrap();
    build(Context { evidence: &evidence, as_of: as_of() })
}

fn retention(mailboxes: &[&str]) -> DeclaredRetention {
    DeclaredRetention {
        mail_min_days: None,
        record_mailboxes: Vec::new(),
        record_references: Default::default(),
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
fn protections_are_weighed_by_their_words_where_the_scan_told_them() {
    let scanned = |by: u32| {
        let (mut folder, mut read) = (counted(None), file(true));
        let Ok(Answer::ContentFolder(counts)) = &mut folder.answer else { panic!() };
        let words = ["zip-zipcrypto", "pdf-rc4-40", "zip-aes-256", "openpgp", "rar-of-the-future"];
        counts.protected = words.iter().map(|word| ((*word).to_owned(), 1)).collect();
        let Ok(Answer::ContentFile(read_by)) = &mut read.answer else { panic!() };
        read_by.detector = by;
        let folder = built(vec![scope(&["mail/"], None), folder, read]).subjects.remove(0);
        (folder.protections.seen, folder.weak_protections.seen, folder.unclear_protections.seen)
    };
    let words = |words: &[&str]| Seen::Present(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let (all, weak, unclear) = scanned(TELLS_PROTECTION);
    assert_eq!(all, words(&["openpgp", "pdf-rc4-40", "rar-of-the-future", "zip-aes-256", "zip-zipcrypto"]));
    assert_eq!(weak, words(&["pdf-rc4-40", "zip-zipcrypto"]));
    assert_eq!(unclear, words(&["openpgp", "rar-of-the-future"]));
    let (all, weak, unclear) = scanned(TELLS_PROTECTION - 1);
    for fact in [all, weak, unclear] {
        assert!(matches!(fact, Seen::Unknown(NotObserved::NotProvided { .. })));
    }
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

/// Front desk's inbox as a sample saw it.
fn of_a_sample(phi: u64) -> Vec<Observation> {
    let (mut folder, mut file) = (counted(Some(date(2019, 10, 1))), file(false));
    let Ok(Answer::ContentFolder(counts)) = &mut folder.answer else { panic!() };
    counts.sampled = true;
    counts.levels = BTreeMap::from([("high".to_owned(), phi)]);
    let Ok(Answer::ContentFile(read)) = &mut file.answer else { panic!() };
    read.not_inspected = BTreeMap::from([("not-in-sample".to_owned(), 40)]);
    let mail = SampledMail {
        messages: 50,
        examined: 10,
        phi_examined: phi,
        phi_lower: phi,
        phi_upper: 21,
        oldest_phi: (phi > 0).then(|| date(2019, 10, 1)),
    };
    let sample =
        ContentSample { confidence: 95, all: mail, mailboxes: BTreeMap::from([("front-desk".to_owned(), mail)]) };
    let sample = observation(
        Source::Content,
        SubjectKind::ContentFolder,
        "sample",
        Question::ContentSample,
        Ok(Answer::ContentSample(Box::new(sample))),
    );
    vec![folder, file, sample]
}

#[test]
fn a_sample_is_an_estimate_and_no_count() {
    for phi in [0, 4] {
        let scope = scope(&["mail/"], Some(retention(&["front-desk"])));
        let built = built([vec![scope], of_a_sample(phi)].concat());
        assert!(matches!(built.collection, Collection::Incomplete(_)));
        let [folder] = built.subjects.as_slice() else { panic!() };
        let Seen::Unknown(reason) = &folder.phi_messages.seen else { panic!("{:?}", folder.phi_messages) };
        let estimated = format!(
            "of 50 a sample of 10 was examined (--sample), and an estimated {phi} to 21 of all likely hold PHI (95 % interval){}",
            if phi > 0 { "; the oldest found is of 2019-10-01" } else { "" }
        );
        assert!(reason.to_string().ends_with(&estimated), "{reason}");
        for fact in [
            &folder.messages,
            &folder.oldest_phi_days,
            &folder.undated_phi_messages,
            &folder.review_messages,
            &folder.not_inspected,
            &folder.individuals_upper,
            &folder.phi_in_subjects,
        ] {
            assert!(matches!(fact.seen, Seen::Unknown(_)), "{fact:?}");
        }
        assert!(matches!(folder.sensitive_kinds.seen, Seen::Unknown(_)));
        assert_eq!(folder.individuals_lower.seen, Seen::Present(2), "at least");
        assert_eq!(folder.declared_phi.seen, Seen::Present(true));
    }
}

#[test]
fn a_scan_of_all_mail_goes_before_a_sample() {
    for sample_first in [true, false] {
        let whole = vec![counted(Some(date(2022, 10, 1))), file(true)];
        let mut observations = vec![scope(&["mail/"], Some(retention(&["front-desk"])))];
        let sample = of_a_sample(9);
        observations.extend(if sample_first { [sample, whole].concat() } else { [whole, sample].concat() });
        let folder = built(observations).subjects.remove(0);
        assert_eq!((folder.phi_messages.seen, folder.oldest_phi_days.seen), (Seen::Present(3), Seen::Present(1461)));
    }
}

#[test]
fn what_either_of_two_scans_found_stays() {
    let words = |words: &[(&str, u64)]| words.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
    let scanned = |messages: u64, change: &dyn Fn(&mut Counted)| {
        let mut folder = counted(Some(date(2022, 10, 1)));
        let Ok(Answer::ContentFolder(counts)) = &mut folder.answer else { panic!() };
        counts.messages = messages;
        change(counts);
        folder
    };
    for a_first in [true, false] {
        let a = scanned(100, &|counts| {
            counts.sendings = words(&[("large", 0), ("many-recipients", 1)]);
            counts.levels = words(&[("high", 3), ("low", 7)]);
            counts.ages = words(&[("undated", 1)]);
            counts.individuals_upper = 9;
            counts.within_a_year = Some(Individuals { lower: 1, upper: 6 });
        });
        let b = scanned(90, &|counts| {
            counts.levels = words(&[("high", 5), ("low", 1)]);
            counts.individuals_lower = 4;
            counts.within_a_year = Some(Individuals { lower: 2, upper: 3 });
            counts.places = words(&[("subject", 2)]);
            counts.kinds = words(&[("sensitive-hiv", 1)]);
            counts.protected = words(&[("zip-zipcrypto", 4)]);
            counts.passwords_beside = Some(3);
            counts.sendings = words(&[("large", 2), ("automatic-reply", 1), ("many-recipients", 0), ("to-outside", 0)]);
        });
        let mut read = file(true);
        let Ok(Answer::ContentFile(read_by)) = &mut read.answer else { panic!() };
        read_by.detector = TELLS_PROTECTION;
        let folders = if a_first { [a, b] } else { [b, a] };
        let built = built([vec![scope(&["mail/"], None), read], folders.to_vec()].concat());
        let [folder] = built.subjects.as_slice() else { panic!() };
        for (fact, count) in [
            (&folder.messages, 100),
            (&folder.phi_messages, 5),
            (&folder.review_messages, 7),
            (&folder.undated_phi_messages, 1),
            (&folder.individuals_lower, 4),
            (&folder.individuals_upper, 9),
            (&folder.within_a_year_lower, 2),
            (&folder.within_a_year_upper, 6),
            (&folder.phi_in_subjects, 2),
            (&folder.passwords_beside_attachments, 3),
            (&folder.large_phi_messages, 2),
            (&folder.phi_to_many, 1),
            (&folder.phi_in_automatic_replies, 1),
        ] {
            assert_eq!(fact.seen, Seen::Present(count), "{fact:?}");
        }
        assert_eq!(folder.weak_protections.seen, Seen::Present(vec!["zip-zipcrypto".to_owned()]));
        assert_eq!(folder.sensitive_kinds.seen, Seen::Present(vec!["hiv".to_owned()]));
        // One of them did not tell, and the other found none in its part.
        assert!(matches!(folder.phi_to_outside.seen, Seen::Unknown(_)));
    }
}

#[test]
fn a_password_beside_an_archive_that_was_not_read_leaves_the_question_open() {
    let mut folder = counted(None);
    let Ok(Answer::ContentFolder(counts)) = &mut folder.answer else { panic!() };
    counts.protected = BTreeMap::from([("rar-unread".to_owned(), 1)]);
    let folder = built(vec![scope(&["mail/"], None), folder, file(true)]).subjects.remove(0);
    assert!(matches!(folder.passwords_beside_attachments.seen, Seen::Unknown(NotObserved::Unreadable { .. })));
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
    let built =
        built_without(vec![scope(&["mail/"], None), counted(None), file(true)], Some("content.content_folder.jsonl"));
    assert!(matches!(built.collection, Collection::Incomplete(NotObserved::NotProvided { .. })));
    assert!(built.subjects.is_empty());
}
