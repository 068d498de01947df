//! Since when each DKIM key has been seen. A key is told by domain, selector and its own bytes, so that
//! a selector with a new key begins anew.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::facts::Facts;
use crate::facts::domain::DkimKeyAge;
use crate::report::json::v1::{Assessment, DkimKey};
use crate::seen::Seen;

/// Every key that is published now with the assessment that saw it first, and in the facts how long
/// those known from `previous` have been seen. What could not be asked this time keeps its dates.
pub fn seen_since(previous: Option<&Assessment>, facts: &mut Facts, as_of: Timestamp) -> Vec<DkimKey> {
    let earlier = previous.map_or(&[][..], |previous| previous.dkim_keys.as_slice());
    let known: BTreeMap<(&str, &str, &str), Timestamp> = earlier
        .iter()
        .map(|key| ((key.domain.as_str(), key.selector.as_str(), key.sha256.as_str()), key.first_seen))
        .collect();
    let mut keys = Vec::new();
    for domain in &mut facts.domains.subjects {
        let dkim = match &domain.dkim.seen {
            Seen::Present(dkim) => dkim,
            Seen::Unknown(reason) => {
                keys.extend(earlier.iter().filter(|key| key.domain == domain.name).cloned());
                domain.dkim_key_age.seen = Seen::Unknown(reason.clone());
                continue;
            }
            Seen::Absent | Seen::Malformed(_) => continue,
        };
        let mut oldest: Option<(Timestamp, &str)> = None;
        for (selector, sha256) in dkim.keys.iter().filter_map(|key| key.split_once(' ')) {
            let before = known.get(&(domain.name.as_str(), selector, sha256)).copied().filter(|seen| *seen <= as_of);
            if let Some(before) = before
                && oldest.is_none_or(|(oldest, _)| before < oldest)
            {
                oldest = Some((before, selector));
            }
            keys.push(DkimKey {
                domain: domain.name.clone(),
                selector: selector.to_owned(),
                sha256: sha256.to_owned(),
                first_seen: before.unwrap_or(as_of),
            });
        }
        if let Some((since, selector)) = oldest {
            let age = DkimKeyAge { seen_days: whole_days(since, as_of), selector: selector.to_owned() };
            domain.dkim_key_age.seen = Seen::Present(age);
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

fn whole_days(since: Timestamp, until: Timestamp) -> i64 {
    (until.as_second() - since.as_second()) / 86_400
}
