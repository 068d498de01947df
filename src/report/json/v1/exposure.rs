//! What opens if one mailbox is taken over today, as the document tells it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Level;
use crate::risk;

/// Names a list of the document holds at most; a list as long as this may go on.
pub const LISTED: usize = risk::exposure::SHOWN;

/// What opens if one mailbox is taken over today. What was not in an older document reads as
/// unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    pub mailbox: String,
    /// 1 for the worst; 0 in a document that has no order.
    #[serde(default)]
    pub rank: usize,
    /// By the model's tables, for this mailbox alone.
    #[serde(default)]
    pub risk: Option<Level>,
    pub way_in: String,
    /// Protocols open on it that a second factor does not guard.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// Individuals whose information lies in it.
    pub individuals_lower: Option<u64>,
    pub individuals_upper: Option<u64>,
    pub oldest: Option<Date>,
    /// Whether 500 or more individuals could be touched (45 CFR 164.406, 164.408).
    pub over_500: Option<bool>,
    /// Categories found in it that other law protects more; `None` where it was not read.
    #[serde(default)]
    pub sensitive: Option<Vec<String>>,
    /// Mailboxes that open at once, the first 20.
    #[serde(default)]
    pub opens: Vec<Opened>,
    #[serde(default)]
    pub opens_at_least: usize,
    #[serde(default)]
    pub opens_at_most: usize,
    /// Mailboxes in whose name it may send, the first 20.
    #[serde(default)]
    pub sends_as: Vec<String>,
    /// Outside domains that its mail goes to by itself; `None` where that is not known.
    #[serde(default)]
    pub leaves_to: Option<Vec<String>>,
    /// Individuals whose information lies in it and in what opens from it.
    #[serde(default)]
    pub within: Individuals,
    #[serde(default)]
    pub logs: Logs,
    #[serde(default)]
    pub notice: Notice,
    /// The same after one change.
    #[serde(default)]
    pub changes: Vec<ExposureChange>,
    /// What is not known and widened the bounds.
    #[serde(default)]
    pub not_known: Vec<String>,
}

/// A mailbox that opens from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub mailbox: String,
    pub how: String,
}

/// At least and at most; `upper` is `null` where nothing bounds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Individuals {
    pub lower: u64,
    pub upper: Option<u64>,
}

/// What the logs would show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// `kept`, `not kept`, `not known`.
    pub state: String,
    pub why: String,
}

impl Default for Logs {
    fn default() -> Self {
        Self { state: "not known".to_owned(), why: String::new() }
    }
}

/// Whom one would have to tell (45 CFR 164.404 to 164.408).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub individuals: Individuals,
    /// `500 or more`, `fewer than 500`, `500 cannot be ruled out`, `nobody known`.
    pub band: String,
}

impl Default for Notice {
    fn default() -> Self {
        Self { individuals: Individuals::default(), band: "500 cannot be ruled out".to_owned() }
    }
}

/// One change and what it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureChange {
    /// `one-year-retention`, `only-its-user`, `second-factor`.
    pub change: String,
    pub words: String,
    pub within: Individuals,
    pub band: String,
    pub risk: Level,
}

impl From<risk::Within> for Individuals {
    fn from(within: risk::Within) -> Self {
        Self { lower: within.lower, upper: within.upper }
    }
}

impl From<&risk::Exposure> for Exposure {
    fn from(exposure: &risk::Exposure) -> Self {
        let exposure = exposure.clone();
        Self {
            mailbox: exposure.mailbox,
            rank: exposure.rank,
            risk: Some(exposure.risk.into()),
            way_in: exposure.way_in,
            protocols: exposure.protocols,
            individuals_lower: exposure.individuals_lower,
            individuals_upper: exposure.individuals_upper,
            oldest: exposure.oldest,
            over_500: exposure.over_500,
            sensitive: exposure.sensitive,
            opens: exposure.opens.into_iter().map(|risk::Opened { mailbox, how }| Opened { mailbox, how }).collect(),
            opens_at_least: exposure.opens_at_least,
            opens_at_most: exposure.opens_at_most,
            sends_as: exposure.sends_as,
            leaves_to: exposure.leaves_to,
            within: exposure.within.into(),
            logs: Logs { state: exposure.logs.state, why: exposure.logs.why },
            notice: Notice { individuals: exposure.notice.individuals.into(), band: exposure.notice.band },
            changes: exposure
                .changes
                .into_iter()
                .map(|change| ExposureChange {
                    change: change.change,
                    words: change.words,
                    within: change.within.into(),
                    band: change.band,
                    risk: change.risk.into(),
                })
                .collect(),
            not_known: exposure.not_known,
        }
    }
}
