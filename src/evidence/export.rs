//! What tenant and mailbox exports hold, normalized: no free text, no outside local part.
//!
//! Every field is [`Seen`]: an empty value is absent, one the exporter destroyed is lost, a
//! column that is not there was not provided.

use serde::{Deserialize, Serialize};

use crate::seen::Seen;

/// How one file of an export was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFile {
    /// Path relative to the export's folder.
    pub label: String,
    pub bytes: u64,
    pub sha256: String,
    /// What it was recognised as: `microsoft365.inbox-rules`, …; `None` where it is no export.
    pub format: Option<String>,
    pub encoding: String,
    pub rows: u64,
    pub rejected: Vec<RejectedRow>,
    /// Columns whose values the exporter destroyed.
    pub lost_fields: Vec<String>,
    pub state: ExportState,
    /// The version of the reader.
    pub reader: u32,
}

/// A row that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    pub row: u64,
    pub why: String,
}

/// How far a file could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExportState {
    NotAnExport,
    PartlyRead,
    Read,
    Unreadable,
}

/// One normalized record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// A domain the tenant accepts mail for.
    AcceptedDomain {
        domain: String,
    },
    ForwardingRule(ForwardingRule),
    Mailbox(Box<Mailbox>),
    /// Registration of authentication methods for one user.
    MfaRegistration(MfaRegistration),
    TenantSetting(TenantSetting),
}

/// A mailbox as the tenant lists it. Exports that list users and exports that list mailboxes both
/// give one; facts join them by address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// `microsoft365`, `google-workspace`.
    pub provider: String,
    pub address: String,
    /// `user`, `shared`, `room`, `equipment`, `other`.
    pub mailbox_kind: Seen<String>,
    pub enabled: Seen<bool>,
    pub administrator: Seen<bool>,
    /// Where the mailbox itself forwards to (not by a rule).
    pub forwards_to: Seen<Target>,
    pub keeps_copy: Seen<bool>,
    pub audit_enabled: Seen<bool>,
    pub retention_policy: Seen<bool>,
    pub litigation_hold: Seen<bool>,
    pub imap_enabled: Seen<bool>,
    pub pop_enabled: Seen<bool>,
    /// Whether a second factor is enrolled and whether it is enforced, where this export says so.
    pub mfa_enrolled: Seen<bool>,
    pub mfa_enforced: Seen<bool>,
}

/// A rule that moves mail: inbox rule, filter, forwarding entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardingRule {
    pub provider: String,
    /// The mailbox, or what the export names instead.
    pub mailbox: Seen<String>,
    /// A keyed reference of the rule's identity, 12 hex digits.
    pub reference: String,
    pub enabled: Seen<bool>,
    /// `forward`, `redirect`, `forward-as-attachment`; several where the rule does several.
    pub actions: Vec<String>,
    pub targets: Seen<Vec<Target>>,
    pub deletes: Seen<bool>,
    pub has_conditions: Seen<bool>,
}

/// Where mail goes. The local part is kept only as a keyed reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Target {
    /// An address: its domain, and 12 hex digits of the keyed local part.
    Address { domain: String, local: String },
    /// A directory entry that the export does not resolve.
    Unresolved,
    /// Text that is no recipient in any known form.
    Unparseable,
}

/// Which authentication methods a user registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaRegistration {
    pub provider: String,
    pub address: String,
    pub capable: Seen<bool>,
    pub registered: Seen<bool>,
    pub administrator: Seen<bool>,
    pub methods: Seen<Vec<String>>,
}

/// A setting of the whole tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSetting {
    pub provider: String,
    /// `external-auto-forwarding`, `mailbox-auditing`, `unified-audit-log`, `security-defaults`, …
    pub setting: String,
    /// The exporter's own word, lower case: `off`, `automatic`, `true`.
    pub value: Seen<String>,
}
