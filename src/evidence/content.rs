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
    /// Messages of any level by the rule that gave it: `record-number-labelled+act-near`.
    #[serde(default)]
    pub rules: BTreeMap<String, u64>,
    /// Messages (high or medium) by age: `under-1-year`, `1-3-years`, `3-6-years`, `over-6-years`, `undated`.
    pub ages: BTreeMap<String, u64>,
    pub oldest: Option<Date>,
    pub newest: Option<Date>,
    pub individuals_lower: u64,
    pub individuals_upper: u64,
    /// Those of messages less than a year old on the day of the scan: what would be left if mail
    /// were kept for one year. `None` where the scan did not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_a_year: Option<Individuals>,
    pub not_inspected: BTreeMap<String, u64>,
}

/// How many people, at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Individuals {
    pub lower: u64,
    pub upper: u64,
}
