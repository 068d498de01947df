//! Since when each DKIM key has been seen. A key is told by domain, selector and its own bytes, so that
//! a selector with a new key begins anew.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::Facts;
use crate::facts::domain::DkimKeyAge;
use crate::report::json::v1::{Assessment, DkimKey, Published};
use crate::seen::Seen;

/// Every key with the assessment that saw it first: those published now, and earlier ones under a selector
/// that shows no record now, since it may not have been asked for; and in the facts how long
/// those known from `previous` have been seen. What could not be asked this time keeps its dates, and whether
/// it is published is not known.
pub fn seen_since(previous: Option<&Assessment>, facts: &mut Facts, as_of: Timestamp) -> Vec<DkimKey> {
    let earlier = previous.map_or(&[][..], |previous| previous.dkim_keys.as_slice());
    let known: BTreeMap<(&str, &str, &str), Timestamp> = earlier
        .iter()
        .map(|key| ((key.domain.as_str(), key.selector.as_str(), key.sha256.as_str()), key.first_seen))
        .collect();
    let mut keys = Vec::new();
    for domain in &mut facts.domains.subjects {
        let name = domain.name.clone();
        let own = |published| {
            let own = earlier.iter().filter(|key| key.domain == name);
            own.map(|key| DkimKey { published, ..key.clone() }).collect::<Vec<_>>()
        };
        let dkim = match &domain.dkim.seen {
            Seen::Present(dkim) => dkim,
            Seen::Unknown(reason) => {
                keys.extend(own(Published::NotKnown));
                domain.dkim_key_age.seen = Seen::Unknown(reason.clone());
                continue;
            }
            // Where nothing is below `_domainkey`, none of them is published.
            Seen::Absent => {
                keys.extend(own(Published::No));
                continue;
            }
            Seen::Malformed(_) => {
                keys.extend(own(Published::NotKnown));
                continue;
            }
        };
        let mut oldest: Option<(Timestamp, &str)> = None;
        for (selector, sha256) in dkim.keys.iter().filter_map(|key| key.split_once(' ')) {
            let before = known.get(&(domain.name.as_str(), selector, sha256)).copied().filter(|seen| *seen <= as_of);
            if let Some(before) = before
                && oldest.is_none_or(|(oldest, _)| before < oldest)
            {
                oldest = Some((before, selector));
            }
            let (algorithm, bits) = kind(&dkim.key_kinds, selector);
            keys.push(DkimKey {
                domain: domain.name.clone(),
                selector: selector.to_owned(),
                sha256: sha256.to_owned(),
                first_seen: before.unwrap_or(as_of),
                published: Published::Yes,
                algorithm,
                bits,
                learned: learned(&dkim.learned, selector),
            });
        }
        let unseen = |key: &&DkimKey| key.domain == domain.name && !dkim.selectors.contains(&key.selector);
        keys.extend(earlier.iter().filter(unseen).cloned().map(|key| {
            let published = match dkim.without_key.contains(&key.selector) {
                true => Published::No,
                false => Published::NotKnown,
            };
            DkimKey { published, ..key }
        }));
        if let Some((since, selector)) = oldest {
            let age = DkimKeyAge { seen_days: whole_days(since, as_of), selector: selector.to_owned() };
            domain.dkim_key_age.seen = Seen::Present(age);
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// What kind the keys of a selector are; nothing where it has several.
fn kind(kinds: &[String], selector: &str) -> (Option<String>, Option<u32>) {
    let mut own = kinds.iter().filter_map(|kind| kind.strip_prefix(selector)?.strip_prefix(' '));
    match (own.next(), own.next()) {
        (Some(kind), None) => {
            let (algorithm, bits) = kind.split_once(' ').map_or((kind, None), |(name, bits)| (name, bits.parse().ok()));
            (Some(algorithm.to_owned()), bits)
        }
        _ => (None, None),
    }
}

/// Where a selector was learned: of `s1: reports, signatures` the words behind it.
fn learned(all: &[String], selector: &str) -> Vec<String> {
    let own = all.iter().find_map(|one| one.strip_prefix(selector)?.strip_prefix(": "));
    own.map(|words| words.split(", ").map(str::to_owned).collect()).unwrap_or_default()
}

fn whole_days(since: Timestamp, until: Timestamp) -> i64 {
    (until.as_second() - since.as_second()) / 86_400
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::domain::tests::{TIDY, collect, scope};
    use crate::records::dkim::tests::rsa_record;
    use crate::seen::NotObserved;

    async fn facts() -> (Facts, Timestamp) {
        let record = rsa_record(2048);
        let (left, right) = record.split_at(200);
        let key = format!("s1._domainkey.c.example TXT {left} | {right}");
        let lines: Vec<&str> = TIDY.iter().copied().chain([key.as_str()]).collect();
        let collected = collect(scope(), &lines, None).await;
        let as_of = collected.evidence.as_of();
        (Facts::from_evidence(&collected.evidence, as_of), as_of)
    }

    fn domain_of(facts: &mut Facts) -> &mut crate::facts::domain::Dkim {
        match &mut facts.domains.subjects[0].dkim.seen {
            Seen::Present(dkim) => dkim,
            other => panic!("{other:?}"),
        }
    }

    fn assessment(keys: Vec<DkimKey>) -> Assessment {
        let mut assessment = crate::history::tests::quarter("2026-07-01T00:00:00Z", Vec::new());
        assessment.dkim_keys = keys;
        assessment
    }

    #[tokio::test]
    async fn a_key_is_as_old_as_the_first_assessment_that_saw_it_and_a_new_one_begins_anew() {
        let (mut facts, as_of) = facts().await;
        let first = seen_since(None, &mut facts, as_of);
        assert_eq!((first.len(), first[0].first_seen), (1, as_of));
        assert_eq!(facts.domains.subjects[0].dkim_key_age.seen, Seen::Absent, "nobody has seen it before");

        assert_eq!((first[0].algorithm.as_deref(), first[0].bits), (Some("rsa"), Some(2048)));
        assert!(!first[0].learned.is_empty());
        let earlier = DkimKey { first_seen: "2026-03-01T12:00:00Z".parse().unwrap(), ..first[0].clone() };
        let again = seen_since(Some(&assessment(vec![earlier.clone()])), &mut facts, as_of);
        assert_eq!(again, std::slice::from_ref(&earlier));
        let age = facts.domains.subjects[0].dkim_key_age.seen.present().unwrap();
        assert_eq!((age.seen_days, age.selector.as_str()), (214, "s1"));

        let elsewhere = DkimKey { selector: "s2".to_owned(), ..earlier.clone() };
        let beside = seen_since(Some(&assessment(vec![elsewhere.clone()])), &mut facts, as_of);
        let not_known = DkimKey { published: Published::NotKnown, ..elsewhere.clone() };
        assert!(beside.contains(&not_known), "nobody asked for s2");
        domain_of(&mut facts).without_key = vec!["s2".to_owned()];
        let gone = DkimKey { published: Published::No, ..elsewhere.clone() };
        let beside = seen_since(Some(&assessment(vec![elsewhere])), &mut facts, as_of);
        assert!(beside.contains(&gone), "s2 was asked for, and shows no key");

        let (mut facts, _) = self::facts().await;
        let other = DkimKey { sha256: "another".to_owned(), ..earlier };
        assert_eq!(seen_since(Some(&assessment(vec![other])), &mut facts, as_of), first);
        assert_eq!(facts.domains.subjects[0].dkim_key_age.seen, Seen::Absent);
    }

    #[tokio::test]
    async fn what_could_not_be_asked_keeps_its_dates() {
        let (mut facts, as_of) = facts().await;
        let first = seen_since(None, &mut facts, as_of);
        facts.domains.subjects[0].dkim.seen = Seen::Unknown(NotObserved::Interrupted);
        let kept: Vec<DkimKey> =
            first.iter().map(|key| DkimKey { published: Published::NotKnown, ..key.clone() }).collect();
        assert_eq!(seen_since(Some(&assessment(first)), &mut facts, as_of), kept);
        assert!(matches!(facts.domains.subjects[0].dkim_key_age.seen, Seen::Unknown(NotObserved::Interrupted)));
        // A domain that lost its last key has not lost its history.
        facts.domains.subjects[0].dkim.seen = Seen::Absent;
        let gone: Vec<DkimKey> = kept.iter().map(|key| DkimKey { published: Published::No, ..key.clone() }).collect();
        assert_eq!(seen_since(Some(&assessment(kept)), &mut facts, as_of), gone);
    }
}
