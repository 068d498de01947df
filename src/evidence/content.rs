//! What a scan of mail content counted. Counts, kinds and dates only.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How one mail file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentFile {
    /// The path as the scope names it; never a name out of a patient's mail.
    pub label: String,
    pub bytes: u64,
    pub sha256: String,
    pub format: String,
    pub messages: u64,
    /// Why parts or messages were not looked into, and how many: `encrypted`, `image-only`.
    pub not_inspected: BTreeMap<String, u64>,
    /// Whether the file was read to its end.
    pub complete: bool,
    /// The version of the detector's rules.
    pub detector: u32,
}

/// What one folder of one mailbox holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentFolder {
    pub mailbox: String,
    pub folder: String,
    pub messages: u64,
    /// Messages by level: `high`, `medium`, `low`.
    pub levels: BTreeMap<String, u64>,
    /// Messages with an identifier and nothing of health: counted apart, not called "not PHI".
    pub identifier_only: u64,
    pub health_only: u64,
    /// Messages (high or medium) by kind of identifier or term class.
    pub kinds: BTreeMap<String, u64>,
    /// Messages (high or medium) by place: `subject`, `body`, `attachment`, …
    pub places: BTreeMap<String, u64>,
    /// Messages (high or medium) by what stands out about how they were sent: `automatic-reply`, `large`,
    /// `many-individuals`, `many-recipients`, `part-of-several`, `to-consumer-webmail`, `to-many-consumers`, `to-outside`.
    /// What the scan did not tell is not there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sendings: BTreeMap<String, u64>,
    /// Messages of any level with an attachment that only a password or a key opens, by how it is protected:
    /// `zip-zipcrypto`, `pdf-aes-256`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub protected: BTreeMap<String, u64>,
    /// Messages with such an attachment whose password stands in them, or in another of the thread or of the day to
    /// the same people. `None` where the scan did not tell, or where passwords stand only beside archives that do not
    /// show whether they need one (`7z-unread`, `rar-unread`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passwords_beside: Option<u64>,
    /// Messages of any level by the rule that gave it: `record-number-labelled+act-near`.
    #[serde(default)]
    pub rules: BTreeMap<String, u64>,
    /// Messages (high or medium) by age: `under-1-year`, `1-3-years`, `3-6-years`, `over-6-years`, `undated`.
    pub ages: BTreeMap<String, u64>,
    /// The days of the messages (high or medium) with a date to believe.
    pub oldest: Option<Date>,
    pub newest: Option<Date>,
    /// The days of all messages with a date to believe, whatever they hold. `None` also where the scan
    /// did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_message: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_message: Option<Date>,
    /// Messages of all without one. `None` where the scan did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undated_messages: Option<u64>,
    pub individuals_lower: u64,
    pub individuals_upper: u64,
    /// Those of messages less than a year old on the day of the scan: what would be left if mail
    /// were kept for one year. `None` where the scan did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_a_year: Option<Individuals>,
    /// Patients of the practice's own list, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<RosterCount>,
    /// Only some messages of the mailbox were examined: every figure here is one of those, and says of
    /// the folder "at least" at most.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sampled: bool,
    /// Messages by reason of which all or part was not looked into; one may have several.
    pub not_inspected: BTreeMap<String, u64>,
    /// Those messages, each once. `None` where the scan did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_inspected_messages: Option<u64>,
}

/// How mail of one partner arrived, as the trace fields say that the organization's own hosts wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncomingMail {
    /// Messages whose From names the domain or one below it, whoever wrote them.
    pub messages: u64,
    /// Of these: no field that surely is an own host's tells how it arrived.
    pub untraced: u64,
    /// Of the traced: nothing shows that the domain handed it over itself. It may be forged, or have come
    /// by way of somebody else, and counts for nothing.
    pub unproven: u64,
    /// Of the others, those that came in clear.
    pub clear: u64,
    /// Those of which the field does not tell.
    pub not_told: u64,
    /// Those that came over TLS.
    pub tls: u64,
    /// Of those over TLS, by version: `TLS 1.3`, `not told`.
    pub versions: BTreeMap<String, u64>,
    /// Of those over TLS, by cipher suite as the host wrote it.
    pub ciphers: BTreeMap<String, u64>,
    /// Of the traced, by method and result: `dkim pass`, `spf none`, `dmarc not recorded`.
    pub results: BTreeMap<String, u64>,
    /// The days of the proven ones.
    pub oldest: Option<Date>,
    pub newest: Option<Date>,
    /// Whether all mail given was read: if not, more may have come in clear.
    pub complete: bool,
}

impl IncomingMail {
    /// Messages that the partner provably handed over to an own host, as that host recorded.
    pub fn proven(&self) -> u64 {
        self.clear.saturating_add(self.not_told).saturating_add(self.tls)
    }

    /// What was counted at two vantages, which may be the same mail: the count with the most proven
    /// messages stands, or with the most messages where none are proven, and what speaks against it anywhere stays.
    pub fn join(self, other: Self) -> Self {
        let (clear, not_told) = (self.clear.max(other.clear), self.not_told.max(other.not_told));
        let complete = self.complete && other.complete;
        let mut versions = self.versions.clone();
        for (version, count) in &other.versions {
            let of = versions.entry(version.clone()).or_default();
            *of = (*of).max(*count);
        }
        let more = if (other.proven(), other.messages) > (self.proven(), self.messages) { other } else { self };
        Self { clear, not_told, versions, complete, ..more }
    }
}

/// How many patients of a list mail speaks of, as far as it was looked into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterCount {
    /// By a record number behind its label or beside her name or birth date, or by name and birth date.
    pub found: u64,
    /// Besides, by her name or a number alone, which may be another's.
    pub possible: u64,
}

/// What a list of patients gave over all mail of one scan. Nothing of the list is in it but its length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterCounts {
    /// Patients on the list, rows with the same record number taken together.
    pub patients: u64,
    /// Rows that name nobody who could be found.
    pub rows_not_used: u64,
    /// Over all mail, each patient once.
    pub all: RosterCount,
    pub mailboxes: BTreeMap<String, RosterCount>,
}

/// What was examined where a sample stood for all mail, and what that says of the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentSample {
    /// How sure each interval is, in percent, taken alone.
    pub confidence: u32,
    pub all: SampledMail,
    pub mailboxes: BTreeMap<String, SampledMail>,
}

/// How many messages the detector would call likely to hold PHI if each were examined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledMail {
    /// Messages there are.
    pub messages: u64,
    pub examined: u64,
    /// Of the examined, likely with PHI.
    pub phi_examined: u64,
    /// Of all, at least and at most, with the confidence stated: an estimate, never a count.
    pub phi_lower: u64,
    pub phi_upper: u64,
    /// The oldest day of the examined that likely hold PHI: there may be older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_phi: Option<Date>,
}

/// How many people, at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Individuals {
    pub lower: u64,
    pub upper: u64,
}
