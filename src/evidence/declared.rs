//! What the organization says of itself: the scope, its answers, its registers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::names::DomainName;

/// The scope, validated. It lies in the evidence so that judging needs nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// `None` for a scan of bare domains.
    pub organization: Option<Organization>,
    pub authorization: Option<Authorization>,
    pub domains: Vec<DeclaredDomain>,
    pub hosts: Vec<DeclaredHost>,
    /// HTTPS addresses of portals and webmail.
    pub portals: Vec<String>,
    pub partners: Vec<DeclaredPartner>,
    pub vendors: Vec<DeclaredVendor>,
    /// Labels of the export folders; empty where the scope names none.
    pub exports: Vec<String>,
    pub messages: Vec<DeclaredMessages>,
    pub retention: Option<DeclaredRetention>,
    /// How many individuals' information lies in which mailboxes, where the scope says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<DeclaredVolume>,
    /// The label of the answers file.
    pub answers: Option<String>,
    /// The label of the registers folder.
    pub registers: Option<String>,
    /// Labels of files and folders of DMARC aggregate reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
    /// SHA-256 of the scope file; empty for a scan of bare domains.
    pub scope_sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    pub name: String,
    pub role: Role,
    /// How many individuals' information the organization holds.
    pub individuals: Option<u64>,
    /// Two-letter codes.
    pub states: Vec<String>,
    /// Categories that other law protects more, as the scope states: `genetic`, `hiv`, `minors`,
    /// `psychotherapy`, `substance-use`. `None` where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<Vec<SensitiveKind>>,
}

/// A category of health information that other law protects more than 45 CFR part 160 and 164 do
/// for all: 42 CFR part 2 for substance use, 45 CFR 164.508(a)(2) for psychotherapy notes,
/// 164.502(a)(5)(i) for genetic information, state law for HIV and for minors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SensitiveKind {
    Genetic,
    Hiv,
    Minors,
    Psychotherapy,
    SubstanceUse,
}

impl SensitiveKind {
    /// The word in scopes and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genetic => "genetic",
            Self::Hiv => "hiv",
            Self::Minors => "minors",
            Self::Psychotherapy => "psychotherapy",
            Self::SubstanceUse => "substance-use",
        }
    }
}

/// How many individuals' information lies in each of some mailboxes, as the scope states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredVolume {
    pub mailboxes: Vec<String>,
    /// In each of them.
    pub at_least: u64,
    /// In each of them.
    pub at_most: u64,
}

/// 45 CFR 160.103.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Both,
    BusinessAssociate,
    CoveredEntity,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    pub granted_by: String,
    pub role: String,
    pub on: Date,
    pub until: Date,
    pub covers: Vec<DomainName>,
    pub active_probes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredDomain {
    pub name: DomainName,
    pub sends: bool,
    pub receives: bool,
    pub selectors: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredHost {
    pub name: DomainName,
    pub ports: Vec<u16>,
    /// `us` or a vendor id; `None` where the scope does not say.
    pub operated_by: Option<String>,
    /// How thoroughly its TLS is looked at; `None` leaves it to the port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DeclaredMode>,
    /// It takes Authentication-Results in its name out of mail that arrives (RFC 8601 §5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removes_foreign_results: bool,
}

/// How thoroughly a host's TLS is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeclaredMode {
    /// Every version, suite and group; only of hosts that the organization runs.
    Full,
    /// With few connections, whether forbidden classes are accepted.
    Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredPartner {
    pub domain: DomainName,
    /// Whether ePHI is exchanged with it.
    pub phi: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredVendor {
    /// An id of the vendor catalogue, or the organization's own.
    pub id: String,
    /// What the vendor handles.
    pub handles: Option<Handles>,
    pub agreement: Option<Agreement>,
}

/// What of the mail a vendor sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handles {
    Content,
    Metadata,
    Nothing,
}

/// A business associate agreement (45 CFR 164.308(b)(3), 164.314(a)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub signed: Date,
    pub expires: Option<Date>,
    pub file: Option<String>,
    /// SHA-256 of the file at collection; `None` where it was not there to be read.
    pub file_sha256: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredMessages {
    pub path: String,
    pub mailbox: String,
}

/// The organization's own decision on how long mail is kept. HIPAA sets no period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredRetention {
    pub mail_max_days: Option<u32>,
    pub phi_mailboxes: Vec<String>,
    /// The least period that it decided for the mailboxes that hold records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_min_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_mailboxes: Vec<String>,
    /// The keyed reference of each of them, as exports have it: the mailbox may be listed by another address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub record_references: BTreeMap<String, String>,
    pub decided: Option<Date>,
    pub file: Option<String>,
    pub file_sha256: Option<String>,
}

/// One answer of the questionnaire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRow {
    pub id: String,
    pub answer: AnswerWord,
    /// Required with `not-applicable`.
    pub statement: Option<String>,
    pub answered_by: String,
    pub role: Option<String>,
    pub answered_at: Date,
    pub evidence_file: Option<String>,
    pub evidence_sha256: Option<String>,
    pub valid_until: Option<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerWord {
    DontKnow,
    No,
    NotApplicable,
    Partly,
    Yes,
}

/// The rows of one register, by column. Columns of names, addresses or free text are refused
/// before this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRows {
    pub name: String,
    pub sha256: String,
    pub rows: Vec<BTreeMap<String, String>>,
    pub rejected: Vec<super::export::RejectedRow>,
}
