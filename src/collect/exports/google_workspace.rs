//! Turns rows of Google Workspace exports (admin console, GAM) into records.
//!
//! GAM writes no row for a user without filters, delegates or forwarding unless it is told to, so
//! a user without a row is not known, never clean. Recovery addresses and telephone numbers are
//! not read at all.

use super::apps;
use super::grants;
use super::json;
use super::members;
use super::recipient::{self, reference};
use super::recognise::Format;
use super::row::{Cell, Row};
use super::settings;
use super::tallies;
use super::words;
use crate::evidence::export::{ForwardingRule, Mailbox, Record, Target, TenantSetting};
use crate::keyed::KeyedReference;
use crate::seen::{NotObserved, Seen};

const PROVIDER: &str = "google-workspace";

/// The records of one row; an error says why the row is none.
pub fn records(format: Format, row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    match format {
        Format::GoogleAdmins => tallies::google_admin(row, key),
        Format::GoogleAppPasswords => tallies::app_password(row, key),
        Format::GoogleForwardingAddresses => tallies::forwarding_address(row, key),
        Format::GoogleLoginAudit => tallies::google_login(row, key),
        Format::GoogleSendAs => tallies::send_as(row, key),
        Format::GoogleDelegates => grants::google_delegate(row, key),
        Format::GoogleFilters => filter(row, key),
        Format::GoogleGroupMembers => members::of_google(row, key),
        Format::GoogleVaultHolds => Ok(vec![vault_hold(row, key)]),
        Format::GoogleTokens => apps::google_token(row, key),
        Format::GoogleForwards => forward(row, key),
        Format::GoogleImap => Ok(vec![boxed(Mailbox { imap_enabled: row.flag("enabled"), ..listed(row, key)? })]),
        Format::GooglePolicies => Ok(settings::google_policy(row, key)),
        Format::GooglePop => Ok(vec![boxed(Mailbox { pop_enabled: row.flag("enabled"), ..listed(row, key)? })]),
        Format::GoogleUsersConsole => console_user(row, key),
        Format::GoogleUsersGam => gam_user(row, key),
        Format::AcceptedDomains
        | Format::AccessPolicies
        | Format::AlertPolicies
        | Format::GroupMembers
        | Format::InactiveMailboxes
        | Format::RetentionAssignments
        | Format::RetentionRules
        | Format::RetentionTags
        | Format::RoleAssignments
        | Format::AuditLog
        | Format::DirectoryRoles
        | Format::FolderStatistics
        | Format::MessageTrace
        | Format::SignIns
        | Format::AntiPhishing
        | Format::AppGrants
        | Format::AppRoles
        | Format::AuthorizationPolicy
        | Format::DkimSigning
        | Format::DlpPolicies
        | Format::RetentionPolicies
        | Format::ServicePrincipals
        | Format::Encryption
        | Format::MobilePolicies
        | Format::OutboundConnectors
        | Format::SharingPolicies
        | Format::FolderPermissions
        | Format::JournalRules
        | Format::MailboxPermissions
        | Format::PermissionsExtractor
        | Format::RecipientPermissions
        | Format::SweepRules
        | Format::AdminAuditLog
        | Format::AuditBypass
        | Format::CasMailboxes
        | Format::ConditionalAccess
        | Format::GraphInboxRules
        | Format::InboxRules
        | Format::Mailboxes
        | Format::MfaRegistration
        | Format::Organization
        | Format::OutboundSpam
        | Format::PerUserMfa
        | Format::Recipients
        | Format::RemoteDomains
        | Format::SecurityDefaults
        | Format::TransportConfig
        | Format::TransportRules
        | Format::Users => Err("not a format of this provider".to_owned()),
    }
}

/// A hold of Vault on mail, for one account (`gam print vaultholds oneitemperrow`), for an organizational
/// unit, or for nobody that the row names: `held` and the reference of the hold, `partly` where it keeps by
/// words or days alone.
fn vault_hold(row: &Row, key: &KeyedReference) -> Record {
    let of_mail = row.word("corpus").map(|corpus| corpus == "mail");
    let account = row.text("account.email").map(|account| reference(account, key));
    let value = match of_mail {
        Seen::Present(false) => Seen::Present("elsewhere".to_owned()),
        Seen::Present(true) if account.is_some() => {
            const QUERY: [&str; 3] = ["query.mailquery.endtime", "query.mailquery.starttime", "query.mailquery.terms"];
            let partly = if QUERY.iter().any(|column| row.text(column).is_some()) { " partly" } else { "" };
            match row.text("holdid") {
                Some(hold) => Seen::Present(format!("held {}{partly}", key.of(hold))),
                None => Seen::not_provided("the id of every hold (holdId)"),
            }
        }
        Seen::Present(true) => Seen::not_provided("the accounts of every hold (gam print vaultholds oneitemperrow)"),
        Seen::Absent | Seen::Malformed(_) => Seen::not_provided("what every hold is on (corpus)"),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    Record::TenantSetting(Box::new(TenantSetting {
        provider: PROVIDER.to_owned(),
        setting: "hold".to_owned(),
        of: account,
        value,
    }))
}

fn boxed(mailbox: Mailbox) -> Record {
    Record::Mailbox(Box::new(mailbox))
}

fn own_address(row: &Row) -> Result<String, String> {
    ["user", "primaryemail", "emailaddress"]
        .into_iter()
        .find_map(|column| row.address(column))
        .ok_or_else(|| "no column holds the user's address".to_owned())
}

/// A mailbox whose settings an export shows: it exists.
fn listed(row: &Row, key: &KeyedReference) -> Result<Mailbox, String> {
    let address = own_address(row)?;
    let references = vec![reference(&address, key)];
    Ok(Mailbox { references, ..Mailbox::unstated(PROVIDER, address, true) })
}

fn console_user(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let enabled = match row.word("status") {
        Seen::Present(status) if status == "active" => Seen::Present(true),
        Seen::Present(status) if ["suspended", "archived"].contains(&status.as_str()) => Seen::Present(false),
        Seen::Present(_) => Seen::Unknown(row.unreadable("status", "an unknown word")),
        seen => seen.map(|_| true),
    };
    Ok(vec![boxed(Mailbox {
        mailbox_kind: Seen::Present("user".to_owned()),
        enabled,
        mfa_enrolled: row.flag("2svenrolled"),
        mfa_enforced: row.flag("2svenforced"),
        last_sign_in: row.day("lastsignin"),
        ..listed(row, key)?
    })])
}

fn gam_user(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let enabled = match (row.flag("suspended"), row.flag("archived")) {
        (Seen::Present(true), _) | (_, Seen::Present(true)) => Seen::Present(false),
        (Seen::Present(false), Seen::Present(false)) => Seen::Present(true),
        // An edition without archiving leaves the column out.
        (Seen::Present(false), Seen::Absent | Seen::Unknown(NotObserved::NotProvided { .. })) => Seen::Present(true),
        (Seen::Present(false), other) => other,
        (suspended, _) => suspended,
    };
    let administrator = match (row.flag("isadmin"), row.flag("isdelegatedadmin")) {
        (Seen::Present(true), _) | (_, Seen::Present(true)) => Seen::Present(true),
        (Seen::Present(false), Seen::Present(false)) => Seen::Present(false),
        (Seen::Present(false), other) => other,
        (admin, _) => admin,
    };
    let mailbox = listed(row, key)?;
    Ok(vec![boxed(Mailbox {
        // An account whose Gmail was never set up has no mailbox.
        listed: row.flag("ismailboxsetup").present() != Some(&false),
        mailbox_kind: Seen::Present("user".to_owned()),
        enabled,
        administrator,
        mfa_enrolled: row.flag("isenrolledin2sv"),
        mfa_enforced: row.flag("isenforcedin2sv"),
        last_sign_in: row.day("lastlogintime"),
        created: row.day("creationtime"),
        ..mailbox
    })])
}

fn forward(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let to = recipient::targets(row, "forwardto", key);
    let forwards_to = match row.flag("forwardenabled") {
        Seen::Present(false) => Seen::Absent,
        Seen::Present(true) => match to {
            Seen::Absent => Seen::Unknown(row.unreadable("forwardto", "nothing, although forwarding is on")),
            to => to,
        },
        // A user audited without forwarding has a row with nothing in it.
        Seen::Absent => to,
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => match to {
            Seen::Present(targets) => Seen::Present(targets),
            Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => Seen::Unknown(reason),
        },
    };
    let keeps_copy = match row.word("disposition") {
        Seen::Present(word) if word == "trash" => Seen::Present(false),
        Seen::Present(word) if ["leaveininbox", "archive", "markread"].contains(&word.as_str()) => Seen::Present(true),
        Seen::Present(_) => Seen::Unknown(row.unreadable("disposition", "an unknown word")),
        seen => seen.map(|_| true),
    };
    Ok(vec![boxed(Mailbox { forwards_to, keeps_copy, ..listed(row, key)? })])
}

fn filter(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let mailbox = listed(row, key)?;
    let parsed = match row.seen("json") {
        Seen::Present(Cell::Text(text)) => {
            Some(json::cell(text).ok_or_else(|| "the JSON column is not readable".to_owned())?)
        }
        Seen::Present(cell @ Cell::Object(_)) => Some(cell.clone()),
        _ if row.has("criteria") || row.has("action") => {
            let field = |name: &str| (name.to_owned(), row.cell(name).cloned().unwrap_or(Cell::Null));
            Some(Cell::Object([field("criteria"), field("action")].into()))
        }
        _ => None,
    };
    // With `csv_output_users_audit` a user without filters has a row of nothing but the name.
    if row.text("id").is_none() && parsed.is_none() {
        return Ok(vec![boxed(mailbox)]);
    }
    let identity = row.text("id").or_else(|| parsed.as_ref().and_then(|cell| cell.field("id")).and_then(Cell::text));
    let reference = identity.map_or_else(|| key.of(&format!("row {}", row.number)), |id| key.of(id));
    let read = match &parsed {
        Some(cell) => of_api(cell, key),
        None => of_columns(row, key),
    };
    let mut actions = Vec::new();
    for (holds, action) in [
        (read.targets.present().is_some(), "forward"),
        (read.trash, "delete"),
        (read.archive, "move"),
        (read.mark_read, "mark-read"),
    ] {
        if holds {
            actions.push(action.to_owned());
        }
    }
    Ok(vec![Record::ForwardingRule(Box::new(ForwardingRule {
        mailbox: Seen::Present(mailbox.address),
        // Gmail filters cannot be switched off, only removed.
        enabled: Seen::Present(true),
        actions,
        targets: read.targets,
        deletes: Seen::Present(read.trash),
        marks_read: Seen::Present(read.mark_read),
        has_conditions: Seen::Present(read.conditions),
        keywords: read.keywords,
        name_class: Seen::Absent,
        hidden: Seen::Present(false),
        ..ForwardingRule::unstated(PROVIDER, "filter", reference)
    }))])
}

struct Filter {
    targets: Seen<Vec<Target>>,
    trash: bool,
    archive: bool,
    mark_read: bool,
    conditions: bool,
    keywords: Vec<String>,
}

/// A filter as the Gmail API gives it: criteria and labels to add and remove.
fn of_api(cell: &Cell, key: &KeyedReference) -> Filter {
    let action = cell.field("action");
    let labels = |name: &str, label: &str| match action.and_then(|action| action.field(name)) {
        Some(Cell::List(items)) => items.iter().filter_map(Cell::text).any(|text| text.eq_ignore_ascii_case(label)),
        _ => false,
    };
    let targets = match action.and_then(|action| action.field("forward")) {
        Some(Cell::Text(text)) if !text.trim().is_empty() => Seen::Present(recipient::of_text(text, key)),
        Some(cell) if !cell.is_empty() => Seen::Present(vec![Target::Unparseable]),
        _ => Seen::Absent,
    };
    let criteria = cell.field("criteria");
    let conditions = match criteria {
        Some(Cell::Object(fields)) => fields.values().any(|cell| !cell.is_empty()),
        _ => false,
    };
    let words = ["subject", "query", "from"]
        .into_iter()
        .filter_map(|name| criteria.and_then(|cell| cell.field(name)).and_then(Cell::text));
    Filter {
        targets,
        trash: labels("addlabelids", "TRASH"),
        archive: labels("removelabelids", "INBOX"),
        mark_read: labels("removelabelids", "UNREAD"),
        conditions,
        keywords: words::keyword_classes(words),
    }
}

/// A filter as GAM's plain columns give it: values repeat the keyword, flags hold their own name.
/// A column that is not there is one that no filter of the export uses.
fn of_columns(row: &Row, key: &KeyedReference) -> Filter {
    let value = |column: &str| {
        let text = row.text(column)?;
        Some(match text.get(..column.len()) {
            Some(start) if start.eq_ignore_ascii_case(column) && text[column.len()..].starts_with(' ') => {
                text[column.len()..].trim()
            }
            _ => text,
        })
    };
    const CRITERIA: [&str; 8] =
        ["from", "to", "subject", "query", "negatedquery", "hasattachment", "size", "excludechats"];
    let targets = match row.seen("forward") {
        Seen::Present(_) => Seen::Present(recipient::of_text(value("forward").unwrap_or_default(), key)),
        Seen::Unknown(NotObserved::Lost { why }) => Seen::Unknown(NotObserved::Lost { why }),
        _ => Seen::Absent,
    };
    Filter {
        targets,
        trash: value("trash").is_some(),
        archive: value("archive").is_some(),
        mark_read: value("markread").is_some(),
        conditions: CRITERIA.iter().any(|column| value(column).is_some()),
        keywords: words::keyword_classes(["subject", "query", "from"].into_iter().filter_map(value)),
    }
}
