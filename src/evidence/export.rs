//! What tenant and mailbox exports hold, normalized: no free text, no outside local part.
//!
//! Every field is [`Seen`]: an empty value is absent, one the exporter destroyed is lost, a
//! column that is not there was not provided. A field that this kind of export never holds is
//! left out of the stored line and reads as not provided.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::seen::{NotObserved, Seen};

/// What stands for a length of time without an end.
pub const UNLIMITED_DAYS: u64 = 36_500;

/// How one file of an export was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFile {
    /// Path relative to the export's folder.
    pub label: String,
    pub bytes: u64,
    pub sha256: String,
    /// What it was recognised as: `microsoft365.inbox-rules`, …; `None` where it is no export.
    pub format: Option<String>,
    /// `utf-8`, `utf-8-bom`, `utf-16le`, `utf-16be`, `windows-1252` (always a guess), `none`.
    pub encoding: String,
    /// Rows read into records.
    pub rows: u64,
    /// The first rows that could not be read.
    pub rejected: Vec<RejectedRow>,
    /// How many rows could not be read, with those not listed in `rejected`.
    pub rejected_rows: u64,
    /// Columns whose values the exporter destroyed.
    pub lost_fields: Vec<String>,
    pub state: ExportState,
    /// What a reader of the file should know: a guessed encoding, a repeated header, a next page
    /// that was not handed over. Fixed sentences with counts; never the file's own text.
    pub notes: Vec<String>,
    /// Of a collector's own record: what it says it wrote, by format. Rows for Microsoft 365, files
    /// with anything in them elsewhere ([`collectors_count_rows`]); 0 where it asked and there was nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub collected: BTreeMap<String, u64>,
    /// Of a collector's own record: how many mailboxes it asked, by format.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asked: BTreeMap<String, u64>,
    /// Of a collector's own record or a manifest: the first and the last day it says it was made on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_on: Option<(Date, Date)>,
    /// The version of the reader.
    pub reader: u32,
}

/// The format of what stands beside a file whose accepted domains are another tenant's than the first file's.
pub const ANOTHER_TENANT: &str = "microsoft365.another-tenant";

impl ExportFile {
    /// Why what rests on the whole file is not known, where it was not read whole.
    pub fn not_whole(&self) -> Option<NotObserved> {
        match self.state {
            ExportState::Read => None,
            ExportState::NotAnExport | ExportState::PartlyRead | ExportState::Unreadable => {
                let first = self.rejected.first();
                let note = || self.notes.last().cloned().unwrap_or_else(|| self.state.as_str().to_owned());
                Some(NotObserved::Unreadable {
                    why: first.map_or_else(note, |first| first.why.clone()),
                    line: first.map(|first| first.row).filter(|row| *row > 0),
                })
            }
        }
    }
}

/// Whether collectors count the rows that they wrote of a format, and not the files.
pub fn collectors_count_rows(format: &str) -> bool {
    format.starts_with("microsoft365.") || format == "self-hosted.zimbra"
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

impl ExportState {
    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnExport => "not-an-export",
            Self::PartlyRead => "partly-read",
            Self::Read => "read",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One normalized record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// A domain the tenant accepts mail for.
    AcceptedDomain {
        domain: String,
        /// Whether names below it count as well (`MatchSubDomains`).
        match_subdomains: bool,
    },
    ConditionalAccess(Box<ConditionalAccess>),
    ForwardingRule(Box<ForwardingRule>),
    /// Members of a group or list that mail is sent to.
    Group(Box<Group>),
    Mailbox(Box<Mailbox>),
    MailboxGrants(Box<MailboxGrants>),
    /// Registration of authentication methods for one user.
    MfaRegistration(Box<MfaRegistration>),
    /// An entry of the tenant's directory that is no mailbox of its own.
    Recipient(Box<Recipient>),
    Tally(Box<Tally>),
    TenantSetting(Box<TenantSetting>),
}

impl Record {
    /// How many things of the export it stands for.
    pub fn stands_for(&self) -> u64 {
        match self {
            Self::ForwardingRule(rule) => rule.rules,
            Self::AcceptedDomain { .. }
            | Self::ConditionalAccess(_)
            | Self::Mailbox(_)
            | Self::MfaRegistration(_)
            | Self::Recipient(_)
            | Self::TenantSetting(_) => 1,
            Self::Group(group) => group.rows,
            Self::MailboxGrants(grants) => grants.rows,
            Self::Tally(tally) => tally.rows,
        }
    }

    /// The word used in `ingest --format json`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AcceptedDomain { .. } => "accepted-domain",
            Self::ConditionalAccess(_) => "conditional-access",
            Self::ForwardingRule(_) => "forwarding-rule",
            Self::Group(_) => "group-member",
            Self::Mailbox(_) => "mailbox",
            Self::MailboxGrants(_) => "mailbox-grant",
            Self::MfaRegistration(_) => "mfa-registration",
            Self::Recipient(_) => "recipient",
            Self::Tally(_) => "tally",
            Self::TenantSetting(_) => "tenant-setting",
        }
    }
}

/// A mailbox as the tenant lists it. Exports that list users and exports that list mailboxes both
/// give one; facts join them by address and keyed reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// `microsoft365`, `google-workspace`.
    pub provider: String,
    /// Lower case.
    pub address: String,
    /// Whether the export lists mailboxes; false for one that lists accounts, which may have none.
    pub listed: bool,
    /// Keyed references of the other names it is known by: sign-in name, proxy addresses, GUIDs,
    /// alias, directory name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// `user`, `shared`, `room`, `equipment`, `other`.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub mailbox_kind: Seen<String>,
    /// Whether somebody can sign in.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub enabled: Seen<bool>,
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub administrator: Seen<bool>,
    /// Where the mailbox itself forwards to (not by a rule).
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub forwards_to: Seen<Vec<Target>>,
    /// Why `forwards_to` may lack a target, although it holds some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwards_incomplete: Option<NotObserved>,
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub keeps_copy: Seen<bool>,
    /// The mailbox's own switch. It decides nothing while auditing is on for the organization.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub audit_enabled: Seen<bool>,
    /// Whether an association takes the account out of auditing.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub audit_bypassed: Seen<bool>,
    /// Whether a retention policy is assigned.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub retention_policy: Seen<bool>,
    /// Whether the assigned policy is suspended for this mailbox.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub retention_suspended: Seen<bool>,
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub litigation_hold: Seen<bool>,
    /// After how many days a litigation hold lets go of an item; [`UNLIMITED_DAYS`] where it has no end.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub litigation_hold_days: Seen<u64>,
    /// Keyed reference of the name that people see. Several mailboxes may have the same: nothing is joined by it.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub display_name: Seen<String>,
    /// How many holds of cases lie on it, beside litigation hold.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub case_holds: Seen<u64>,
    /// Keyed reference of the retention policy (of tags) that is assigned; absent where none is.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub retention_assignment: Seen<String>,
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub imap_enabled: Seen<bool>,
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub pop_enabled: Seen<bool>,
    /// Whether SMTP AUTH is switched off; absent means that the tenant's setting holds.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub smtp_auth_disabled: Seen<bool>,
    /// Whether a second factor is enrolled, where this export says so.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub mfa_enrolled: Seen<bool>,
    /// Whether a second factor is demanded of this account, where this export says so.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub mfa_enforced: Seen<bool>,
    /// Actions that matter and that its own choice of what is audited leaves out; empty where the
    /// choice is the vendor's.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub audit_lacks: Seen<Vec<String>>,
    /// How many days entries of its audit log are kept.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub audit_days: Seen<u64>,
    /// How many days deleted messages can be brought back.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub deleted_items_days: Seen<u64>,
    /// Whether what its user purges stays until then.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub single_item_recovery: Seen<bool>,
    /// Whether a copy of what others send as this mailbox lies in it.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub sent_as_copied: Seen<bool>,
    /// The day of the last sign-in; absent where there never was one.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub last_sign_in: Seen<Date>,
    /// The day of the last attempt to sign in, where the export does not tell whether it succeeded.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub last_attempt: Seen<Date>,
    /// The day the account or mailbox was made.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub created: Seen<Date>,
}

impl ForwardingRule {
    /// A rule that is there and does nothing; of its mailbox, conditions and name nothing is known.
    pub fn unstated(provider: &str, origin: &str, reference: String) -> Self {
        Self {
            provider: provider.to_owned(),
            origin: origin.to_owned(),
            mailbox: Seen::Absent,
            owner: None,
            reference,
            enabled: unstated(),
            actions: Vec::new(),
            targets: Seen::Absent,
            targets_incomplete: None,
            deletes: Seen::Present(false),
            hides: Seen::Present(false),
            folder: Seen::Absent,
            marks_read: Seen::Present(false),
            has_conditions: unstated(),
            matches_all: Seen::Present(false),
            hidden: unstated(),
            keywords: Vec::new(),
            name_class: unstated(),
            opaque: Seen::Present(false),
            skips_filter: unstated(),
            encrypts: unstated(),
            routes_to: unstated(),
            rules: 1,
        }
    }
}

impl Mailbox {
    /// A mailbox of which nothing is known but its address.
    pub fn unstated(provider: &str, address: String, listed: bool) -> Self {
        Self {
            provider: provider.to_owned(),
            address,
            listed,
            references: Vec::new(),
            mailbox_kind: unstated(),
            enabled: unstated(),
            administrator: unstated(),
            forwards_to: unstated(),
            forwards_incomplete: None,
            keeps_copy: unstated(),
            audit_enabled: unstated(),
            audit_bypassed: unstated(),
            retention_policy: unstated(),
            retention_suspended: unstated(),
            litigation_hold: unstated(),
            litigation_hold_days: unstated(),
            display_name: unstated(),
            case_holds: unstated(),
            retention_assignment: unstated(),
            imap_enabled: unstated(),
            pop_enabled: unstated(),
            smtp_auth_disabled: unstated(),
            mfa_enrolled: unstated(),
            mfa_enforced: unstated(),
            audit_lacks: unstated(),
            audit_days: unstated(),
            deleted_items_days: unstated(),
            single_item_recovery: unstated(),
            sent_as_copied: unstated(),
            last_sign_in: unstated(),
            last_attempt: unstated(),
            created: unstated(),
        }
    }
}

/// A rule that moves mail: inbox rule, filter, transport rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ForwardingRule {
    /// `microsoft365`, `google-workspace`, `self-hosted`.
    pub provider: String,
    /// `inbox`, `filter`, `sweep`, `transport`, `journal`, `sieve`, `forward-file`, `alias`, `postfix`.
    pub origin: String,
    /// The mailbox's address, lower case. A rule of the mail system belongs to no mailbox: absent.
    pub mailbox: Seen<String>,
    /// Keyed reference of the owner where the export names it by something else than an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A keyed reference of the rule's identity, 12 hex digits.
    pub reference: String,
    pub enabled: Seen<bool>,
    /// `forward`, `redirect`, `forward-as-attachment`, `blind-copy`, `copy`, `add-recipient`,
    /// `delete`, `hide`, `move`, `mark-read`, `stop`; several where the rule does several.
    pub actions: Vec<String>,
    pub targets: Seen<Vec<Target>>,
    /// Why `targets` may lack one, although it holds some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets_incomplete: Option<NotObserved>,
    pub deletes: Seen<bool>,
    /// Whether it moves mail to where nobody looks: RSS feeds, conversation history, junk, trash.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub hides: Seen<bool>,
    /// What is known of the folder it moves mail to: `buried`, `archive`, `disposal`, `other`; absent
    /// where it moves nothing.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub folder: Seen<String>,
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub marks_read: Seen<bool>,
    pub has_conditions: Seen<bool>,
    /// Whether it has a condition, and every message meets it.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub matches_all: Seen<bool>,
    /// Whether its mailbox's owner cannot see it: it came only with the hidden rules.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub hidden: Seen<bool>,
    /// Classes of the words it looks for: `bounce`, `health`, `junk`, `oversight`,
    /// `payment`, `security`, `warning`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// `plain`, `punctuation`, `short`, `repeated`, `invisible`, `lookalike`, `empty`.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub name_class: Seen<String>,
    /// Whether the source itself could not show what the rule does.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub opaque: Seen<bool>,
    /// Of a rule of the mail system: whether it takes mail past the filter for spam and phishing.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub skips_filter: Seen<bool>,
    /// Of a rule of the mail system: whether it encrypts messages, or lets them go over TLS alone.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub encrypts: Seen<bool>,
    /// Of a rule of the mail system: keyed reference of the connector that it sends mail over.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub routes_to: Seen<String>,
    /// How many rules of the mailbox this stands for. Rules that send nothing on and are alike in
    /// everything kept of them are kept once, under the first of their references.
    #[serde(default = "one_rule", skip_serializing_if = "is_one")]
    pub rules: u64,
}

const fn one_rule() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(rules: &u64) -> bool {
    *rules == 1
}

/// Where mail goes. The local part is kept only as a keyed reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Target {
    /// An address: its domain, and 12 hex digits of the keyed local part.
    Address { domain: String, local: String },
    /// Text that is no recipient in any known form.
    Unparseable,
    /// A directory entry, by keyed reference; the tenant's recipients may say where it leads.
    Unresolved { reference: String },
}

/// Who else may open or use one mailbox, as one export says. The mailbox's own rights and those
/// of the mail system itself are left out; that the export speaks of the mailbox is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxGrants {
    pub provider: String,
    /// What the export lists: `mailbox`, `send-as`, `folder`, `delegate`.
    pub of: String,
    pub mailbox: Seen<String>,
    /// Keyed reference of the mailbox where the export names it by something else than an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Sorted; each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// Why a grant may be missing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<NotObserved>,
    /// Rows of the export that this was made of.
    pub rows: u64,
}

/// One right of one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// `full-access`, `change-permission`, `send-as`, `send-on-behalf`, `delegate`; of a folder the
    /// role: `reviewer`, `editor`, …
    pub right: String,
    /// `calendar`, `inbox`, `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    pub to: Trustee,
    /// Given to something above the mailbox and passed down.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherited: bool,
}

/// Who holds a right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Trustee {
    /// An account or group: where its mail goes, and the keyed reference of its name.
    Account { target: Target, reference: String },
    /// Whoever has a link or asks without signing in.
    Anonymous,
    /// Everybody of the organization.
    Everyone,
    /// A security identifier without an account: mostly one that was deleted.
    NoAccount,
}

/// Which authentication methods a user registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MfaRegistration {
    pub provider: String,
    /// The sign-in name, lower case.
    pub address: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Whether a method that the policy allows is registered.
    pub capable: Seen<bool>,
    /// Whether any method is registered, allowed or not.
    pub registered: Seen<bool>,
    pub administrator: Seen<bool>,
    /// Whether the user is a guest from another tenant.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub guest: Seen<bool>,
    pub methods: Seen<Vec<String>>,
    /// The day the report was made.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub updated: Seen<Date>,
}

/// A contact, mail user, group or mailbox of the directory, by keyed references.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    pub provider: String,
    /// Keyed references of the names it is known by.
    pub references: Vec<String>,
    /// Its own address, where that is another one than where its mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Target>,
    /// Where its mail goes: its outside address if it has one, else its own.
    pub target: Target,
    /// `mailbox`, `contact`, `mail-user`, `guest`, `group`, `other`.
    pub recipient_kind: Seen<String>,
}

/// A group or list of the organization, and members of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub provider: String,
    /// Its own address, lower case.
    pub address: String,
    /// Where mail to them goes; sorted, each once.
    pub members: Vec<Target>,
    /// Rows of the export that this was made of.
    pub rows: u64,
}

/// A conditional access policy, as far as it bears on a second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionalAccess {
    pub provider: String,
    pub reference: String,
    /// `enabled`, `disabled`, `enabledforreportingbutnotenforced`.
    pub policy_state: Seen<String>,
    pub requires_mfa: Seen<bool>,
    pub all_users: Seen<bool>,
    pub all_applications: Seen<bool>,
    /// Keyed references of the users left out.
    pub excluded_users: Seen<Vec<String>>,
    /// Whether groups, roles or guests are left out.
    pub excludes_groups: Seen<bool>,
    /// Whether it holds only for some platforms, places, clients, risks or devices.
    pub narrowed: Seen<bool>,
    /// Whether it refuses sign-in by the clients that know no second factor, wherever they are.
    #[serde(default = "unstated", skip_serializing_if = "is_unstated")]
    pub blocks_old_clients: Seen<bool>,
}

/// What a log or list says of one account, counted. Nothing of single entries is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub provider: String,
    /// What the export lists: `app-passwords`, `audit-log`, `folders`, `forwarding-addresses`,
    /// `message-trace`, `roles`, `send-as`, `sign-ins`.
    pub of: String,
    /// Keyed reference of the account or mailbox.
    pub account: String,
    /// How many entries each word fits; `all` fits every entry.
    pub counts: BTreeMap<String, Count>,
    /// Recipients that the list names; sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Rows of the export that this was made of.
    pub rows: u64,
}

impl Tally {
    /// Adds what another file, or another row, says of the same account.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        for (word, count) in &other.counts {
            self.counts.entry(word.clone()).and_modify(|sum| *sum = sum.with(*count)).or_insert(*count);
        }
        self.targets.extend(other.targets.iter().cloned());
    }
}

/// How often, and between which days where the entries are dated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    pub times: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Date>,
}

impl Count {
    /// One entry.
    pub const fn once(day: Option<Date>) -> Self {
        Self { times: 1, first: day, last: day }
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let earlier = |one: Option<Date>, other: Option<Date>| one.into_iter().chain(other).min();
        Self {
            times: self.times.saturating_add(other.times),
            first: earlier(self.first, other.first),
            last: self.last.max(other.last),
        }
    }
}

/// A setting of the whole tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantSetting {
    pub provider: String,
    /// `external-auto-forwarding`, `remote-domain-auto-forwarding`, `mailbox-auditing-disabled`,
    /// `unified-audit-log`, `security-defaults`, …
    pub setting: String,
    /// What within the tenant it holds for: a remote domain, an organizational unit's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The exporter's own word, lower case: `off`, `automatic`, `true`.
    pub value: Seen<String>,
}

/// What every field reads as that an export never holds.
fn unstated<T>() -> Seen<T> {
    Seen::Unknown(NotObserved::NotProvided { what: NOT_IN_THIS_EXPORT.to_owned() })
}

/// What is missing where a kind of export never holds a field.
pub const NOT_IN_THIS_EXPORT: &str = "an export that says so";

fn is_unstated<T>(seen: &Seen<T>) -> bool {
    matches!(seen, Seen::Unknown(NotObserved::NotProvided { what }) if what == NOT_IN_THIS_EXPORT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_export_never_holds_is_left_out_and_reads_as_not_provided() {
        let record = Record::Mailbox(Box::new(Mailbox::unstated("microsoft365", "a@clinic.example".to_owned(), true)));
        let stored = serde_json::to_string(&record).unwrap();
        assert_eq!(
            stored,
            r#"{"kind":"mailbox","provider":"microsoft365","address":"a@clinic.example","listed":true}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&stored).unwrap(), record);
    }
}
