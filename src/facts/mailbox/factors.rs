//! How strong a registered second factor is, and how long nobody has signed in.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::super::Context;
use super::super::exported::{self, Files, joined};
use super::super::shape::Fact;
use super::Said;
use crate::clock::days_between;
use crate::evidence::EvidenceId;
use crate::evidence::export::{Record, Tally};
use crate::seen::{NotObserved, Seen};

/// Factors that a forged sign-in page cannot pass on (CISA, "Implementing Phishing-Resistant MFA", 2022-10;
/// the words are Graph's).
const PHISHING_RESISTANT: [&str; 9] = [
    "certificatebasedauthentication",
    "fido2securitykey",
    "macossecureenclavekey",
    "passkeydevicebound",
    "passkeydeviceboundauthenticator",
    "passkeydeviceboundwindowshello",
    "passkeysynced",
    "windowshelloforbusiness",
    "x509certificatemultifactor",
];
const APPS: [&str; 5] = [
    "externalauthmethod",
    "hardwareonetimepasscode",
    "microsoftauthenticatorpasswordless",
    "microsoftauthenticatorpush",
    "softwareonetimepasscode",
];
const PHONES: [&str; 5] = ["alternatemobilephone", "email", "mobilephone", "officephone", "sms"];
/// Good for one sign-in or for resetting a password, and no second factor.
const NO_FACTORS: [&str; 2] = ["securityquestion", "temporaryaccesspass"];

/// Mildest last.
const RANKED: [&str; 4] = ["none", "phone", "app", "phishing-resistant"];

/// The strongest of these methods; unknown where one that nobody knows could be stronger.
fn strength(methods: &[String]) -> Result<&'static str, NotObserved> {
    let any = |known: &[&str]| methods.iter().any(|method| known.contains(&method.as_str()));
    let known = [&PHISHING_RESISTANT[..], &APPS, &PHONES, &NO_FACTORS];
    let strange = methods.iter().any(|method| !known.iter().any(|words| words.contains(&method.as_str())));
    if any(&PHISHING_RESISTANT) {
        return Ok("phishing-resistant");
    }
    if strange {
        let why = "a registered method is none that is known here".to_owned();
        return Err(NotObserved::Unreadable { why, line: None });
    }
    Ok(if any(&APPS) {
        "app"
    } else if any(&PHONES) {
        "phone"
    } else {
        "none"
    })
}

impl Said<'_, '_> {
    pub(super) fn mfa_strength(&self) -> Fact<String> {
        if let Some(reason) = self.gone {
            return Fact::unknown(reason.clone());
        }
        let of = |methods: &Seen<Vec<String>>| match methods {
            Seen::Present(methods) => match strength(methods) {
                Ok(word) => Seen::Present(word.to_owned()),
                Err(reason) => Seen::Unknown(reason),
            },
            Seen::Absent => Seen::Present("none".to_owned()),
            Seen::Malformed(malformed) => Seen::Malformed(malformed.clone()),
            Seen::Unknown(reason) => Seen::Unknown(reason.clone()),
        };
        let words: Vec<_> = self.account.registrations.iter().map(|(id, said)| (*id, of(&said.methods))).collect();
        let borrowed: Vec<_> = words.iter().map(|(id, seen)| (*id, seen)).collect();
        let rank = |word: &String| RANKED.iter().position(|known| known == word);
        let (seen, evidence) = joined(&borrowed, |new, known| rank(new) < rank(known));
        Fact::new(seen, evidence)
    }

    /// Of several exports the newest day counts. An account that nobody ever signed in to counts from
    /// the day it was made. Nobody got in later than the last attempt: where no export tells more, there
    /// were at least so many days, and whether somebody got in is not known.
    pub(super) fn days_without_sign_in(&self, today: Date) -> (Fact<i64>, Fact<bool>) {
        let last = self.of(|mailbox| &mailbox.last_sign_in, |new, known| new > known);
        let attempt = self.of(|mailbox| &mailbox.last_attempt, |new, known| new > known);
        let (from, told) = match (&last.seen, &attempt.seen) {
            (Seen::Absent, _) => {
                let created = self.of(|mailbox| &mailbox.created, |new, known| new > known);
                (created, Fact::present(true, last.evidence))
            }
            (Seen::Present(_), _) => {
                let told = Fact::present(true, last.evidence.clone());
                (last, told)
            }
            (Seen::Malformed(_) | Seen::Unknown(_), Seen::Present(_)) => {
                let what = "lastSuccessfulSignInDateTime of the account: only attempts are known".to_owned();
                let told = Seen::Unknown(NotObserved::NotProvided { what });
                let told = Fact::new(told, attempt.evidence.clone());
                (attempt, told)
            }
            (Seen::Malformed(_) | Seen::Unknown(_), _) => {
                let told = Fact::new(last.seen.clone().map(|_| true), last.evidence.clone());
                (last, told)
            }
        };
        (Fact::new(from.seen.map(|day| days_between(day, today).max(0)), from.evidence), told)
    }
}

/// What lists of folders say of the items in mailboxes.
#[derive(Debug)]
pub(super) struct Folders<'e> {
    by_account: BTreeMap<&'e str, Vec<(&'e EvidenceId, &'e Tally)>>,
    whole: Result<(), NotObserved>,
}

impl<'e> Folders<'e> {
    pub(super) fn of(context: Context<'e>, files: &Files<'e>) -> Self {
        let mut by_account: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for (id, record) in exported::records(context) {
            if let Record::Tally(tally) = record
                && tally.of == "folders"
            {
                by_account.entry(&tally.account).or_default().push((id, tally.as_ref()));
            }
        }
        Self {
            by_account,
            whole: files.whole(
                &["microsoft365.folder-statistics"],
                "the folders of all mailboxes (Get-EXOMailboxFolderStatistics -IncludeOldestAndNewestItems)",
            ),
        }
    }
}

impl Said<'_, '_> {
    /// The oldest day of any folder; where a folder does not say, or may be missing, it may be older.
    pub(super) fn oldest_item_days(&self, folders: &Folders<'_>, today: Date) -> Fact<i64> {
        if let Some(reason) = self.gone.or(folders.whole.as_ref().err()) {
            return Fact::unknown(reason.clone());
        }
        let references = self.account.mailboxes.iter().flat_map(|(_, mailbox)| &mailbox.references);
        let found: Vec<_> =
            references.filter_map(|reference| folders.by_account.get(reference.as_str())).flatten().collect();
        let Some(first) = found.first() else {
            return Fact::unknown(NotObserved::NotProvided { what: "the folders of this mailbox".to_owned() });
        };
        let ids = vec![first.0.clone()];
        // The list begins with the folder above all others.
        if !found.iter().any(|(_, tally)| tally.counts.contains_key("root")) {
            let what = "all folders of this mailbox with FolderType, the one of type Root among them".to_owned();
            return Fact::new(Seen::Unknown(NotObserved::NotProvided { what }), ids);
        }
        if found.iter().any(|(_, tally)| tally.counts.contains_key("undated-items")) {
            let what = "OldestItemReceivedDate of every folder, with the year first".to_owned();
            return Fact::new(Seen::Unknown(NotObserved::NotProvided { what }), ids);
        }
        let oldest = found.iter().filter_map(|(_, tally)| tally.counts.get("items")?.first).min();
        // Folders without a single item hold nothing old.
        Fact::present(oldest.map_or(0, |day| days_between(day, today).max(0)), ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_method_counts_and_a_strange_one_is_not_guessed() {
        let of = |methods: &[&str]| strength(&methods.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["mobilephone", "microsoftauthenticatorpush"]), Ok("app"));
        assert_eq!(of(&["mobilephone", "email"]), Ok("phone"));
        assert_eq!(of(&["fido2securitykey", "somethingnew"]), Ok("phishing-resistant"));
        assert_eq!(of(&["temporaryaccesspass"]), Ok("none"));
        assert_eq!(of(&[]), Ok("none"));
        assert!(of(&["mobilephone", "somethingnew"]).is_err());
    }
}
