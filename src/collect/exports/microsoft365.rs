//! Turns rows of Microsoft 365 exports into records.
//!
//! Names of rules, the words they look for and display names stay here: classes and keyed
//! references leave. A row without the address it speaks of is rejected, never guessed.

use std::collections::BTreeSet;

use super::apps;
use super::conditional_access::conditional_access;
use super::dates;
use super::dkim;
use super::grants;
use super::members;
use super::own_domains::OwnDomains;
use super::recipient::{self, over, reference, targets};
use super::recognise::Format;
use super::retention;
use super::row::{Cell, Row, address};
use super::settings;
use super::tallies;
use super::words;
use crate::evidence::export::{
    ForwardingRule, Mailbox, MfaRegistration, Recipient, Record, Target, TenantSetting, UNLIMITED_DAYS,
};
use crate::keyed::KeyedReference;
use crate::names::DomainName;
use crate::seen::{NotObserved, Seen};

pub(super) const PROVIDER: &str = "microsoft365";

/// The records of one row; an error says why the row is none.
pub fn records(format: Format, row: &Row, key: &KeyedReference, own: &OwnDomains) -> Result<Vec<Record>, String> {
    match format {
        Format::AcceptedDomains => accepted_domain(row),
        Format::AdminAuditLog => {
            Ok(vec![setting("unified-audit-log", None, flag_word(row, "unifiedauditlogingestionenabled"))])
        }
        Format::AccessPolicies => apps::access_policy(row, key),
        Format::GroupMembers => members::of_microsoft(row, key),
        Format::InactiveMailboxes => inactive_mailbox(row, key),
        Format::RetentionAssignments => retention::assignment(row, key),
        Format::RetentionRules => retention::rule(row, key),
        Format::RetentionTags => retention::tag(row, key),
        Format::RoleAssignments => apps::role_assignment(row, key),
        Format::AuditLog => tallies::audit_entry(row, key),
        Format::DirectoryRoles => tallies::directory_role(row, key),
        Format::FolderStatistics => tallies::folder(row, key),
        Format::MessageTrace => tallies::message(row, key, own),
        Format::SignIns => tallies::sign_in(row, key),
        Format::AlertPolicies => Ok(settings::alert_policy(row)),
        Format::AntiPhishing => Ok(settings::anti_phishing(row)),
        Format::AppGrants => apps::app_grant(row, key),
        Format::AppRoles => apps::app_role(row, key),
        Format::AuditBypass => audit_bypass(row, key),
        Format::AuthorizationPolicy => Ok(settings::authorization_policy(row)),
        // What it names was read before DNS was asked.
        Format::DkimSigning => dkim::of_row(row).map(|_| Vec::new()),
        Format::DlpPolicies => Ok(vec![apps::dlp_policy(row)]),
        Format::RetentionPolicies => Ok(apps::retention_policy(row, key)),
        Format::ServicePrincipals => apps::publisher(row, key),
        Format::Encryption => Ok(settings::encryption(row)),
        Format::FolderPermissions => grants::folder(row, key),
        Format::JournalRules => journal_rule(row, key),
        Format::MailboxPermissions => grants::mailbox(row, key),
        Format::PermissionsExtractor => grants::extractor(row, key),
        Format::RecipientPermissions => grants::send_as(row, key),
        Format::SweepRules => sweep_rule(row, key),
        Format::ConditionalAccess => Ok(vec![conditional_access(row, key)]),
        Format::GraphInboxRules => graph_rule(row, key),
        Format::InboxRules => inbox_rule(row, key),
        // One reader for both: people join the two in one file.
        Format::CasMailboxes | Format::Mailboxes => mailbox(row, key),
        Format::MfaRegistration => registration(row, key),
        Format::MobilePolicies => Ok(settings::mobile_policy(row)),
        Format::Organization => Ok(settings::organization(row)),
        Format::OutboundConnectors => outbound_connector(row, key),
        Format::OutboundSpam => Ok(vec![setting("external-auto-forwarding", None, forwarding_mode(row))]),
        Format::PerUserMfa => per_user_mfa(row, key),
        Format::Recipients => recipient(row, key),
        Format::RemoteDomains => remote_domain(row),
        Format::SecurityDefaults => Ok(vec![setting("security-defaults", None, flag_word(row, "isenabled"))]),
        Format::SharingPolicies => Ok(settings::sharing_policy(row)),
        Format::TransportConfig => Ok(settings::transport_config(row)),
        Format::TransportRules => Ok(vec![transport_rule(row, key)]),
        Format::Users => user(row, key),
        Format::GoogleDelegates
        | Format::GoogleAdmins
        | Format::GoogleAppPasswords
        | Format::GoogleForwardingAddresses
        | Format::GoogleLoginAudit
        | Format::GoogleSendAs
        | Format::GoogleFilters
        | Format::GoogleGroupMembers
        | Format::GoogleVaultHolds
        | Format::GoogleTokens
        | Format::GoogleForwards
        | Format::GoogleImap
        | Format::GooglePolicies
        | Format::GooglePop
        | Format::GoogleUsersConsole
        | Format::GoogleUsersGam => Err("not a format of this provider".to_owned()),
    }
}

fn setting(name: &str, of: Option<String>, value: Seen<String>) -> Record {
    Record::TenantSetting(Box::new(TenantSetting {
        provider: PROVIDER.to_owned(),
        setting: name.to_owned(),
        of,
        value,
    }))
}

fn flag_word(row: &Row, column: &'static str) -> Seen<String> {
    row.flag(column).map(|flag| flag.to_string())
}

/// `Automatic`, `On`, `Off`. A number says nothing that Microsoft documents for this list.
fn forwarding_mode(row: &Row) -> Seen<String> {
    match row.word("autoforwardingmode") {
        Seen::Present(mode) if ["automatic", "off", "on"].contains(&mode.as_str()) => Seen::Present(mode),
        Seen::Present(_) => Seen::Unknown(
            row.unreadable("autoforwardingmode", "a number or an unknown word; export with -EnumsAsStrings"),
        ),
        seen => seen,
    }
}

fn accepted_domain(row: &Row) -> Result<Vec<Record>, String> {
    let domain: DomainName = row
        .text("domainname")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "domainname holds no domain name".to_owned())?;
    let match_subdomains = row.flag("matchsubdomains").present().copied().unwrap_or(false);
    Ok(vec![Record::AcceptedDomain { domain: domain.to_string(), match_subdomains }])
}

fn remote_domain(row: &Row) -> Result<Vec<Record>, String> {
    let text = row.text("domainname").ok_or_else(|| "domainname is empty".to_owned())?;
    let named = text == "*" || text.trim_start_matches("*.").parse::<DomainName>().is_ok();
    if !named {
        return Err("domainname holds no domain name".to_owned());
    }
    let of = Some(text.to_lowercase());
    Ok(vec![setting("remote-domain-auto-forwarding", of, flag_word(row, "autoforwardenabled"))])
}

/// Every name a mailbox or account is known by, keyed.
fn references(row: &Row, key: &KeyedReference) -> Vec<String> {
    const NAMES: [&str; 12] = [
        "alias",
        "distinguishedname",
        "exchangeguid",
        "externaldirectoryobjectid",
        "guid",
        "id",
        "identity",
        "legacyexchangedn",
        "name",
        "primarysmtpaddress",
        "userprincipalname",
        "userid",
    ];
    let mut found: Vec<String> =
        NAMES.iter().filter_map(|column| row.text(column)).map(|name| reference(name, key)).collect();
    // Old directory names and further addresses; telephone and conferencing ones match nothing.
    for text in row.texts("emailaddresses").into_iter().filter(|text| !Cell::Text((*text).to_owned()).is_destroyed()) {
        found.extend(proxies(text).map(|proxy| reference(proxy, key)));
    }
    found.sort();
    found.dedup();
    found
}

/// `SMTP:a@b smtp:c@d X500:/o=…`: cut before each known prefix, since directory names hold spaces.
fn proxies(text: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = Vec::new();
    let lower = text.to_ascii_lowercase();
    for prefix in ["smtp:", "x500:", "sip:", "spo:", "eum:"] {
        starts.extend(lower.match_indices(prefix).map(|(at, _)| at));
    }
    starts.sort_unstable();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .filter_map(move |(from, to)| text.get(from..to))
        .map(|proxy| proxy.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '{' | '}')))
        .filter(|proxy| ["smtp:", "x500:"].iter().any(|prefix| proxy.to_ascii_lowercase().starts_with(prefix)))
}

/// The address a row of mailboxes or accounts is about.
fn own_address(row: &Row) -> Result<String, String> {
    ["primarysmtpaddress", "userprincipalname", "windowsemailaddress", "user", "emailaddress"]
        .into_iter()
        .find_map(|column| row.address(column))
        .ok_or_else(|| "no column holds the mailbox's address".to_owned())
}

fn mailbox_kind(row: &Row) -> Seen<String> {
    row.word("recipienttypedetails").map(|word| {
        // Numbers are those of msExchRecipientTypeDetails, as ConvertTo-Json writes them.
        match word.as_str() {
            "usermailbox" | "linkedmailbox" | "legacymailbox" | "1" | "2" | "8" => "user",
            "sharedmailbox" | "4" => "shared",
            "roommailbox" | "16" => "room",
            "equipmentmailbox" | "32" => "equipment",
            _ => "other",
        }
        .to_owned()
    })
}

fn mailbox(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    if row.flag("isinactivemailbox") == Seen::Present(true) {
        return inactive_mailbox(row, key);
    }
    let (forwards_to, forwards_incomplete) =
        over(&[targets(row, "forwardingsmtpaddress", key), targets(row, "forwardingaddress", key)]);
    Ok(vec![Record::Mailbox(Box::new(Mailbox {
        references: references(row, key),
        mailbox_kind: mailbox_kind(row),
        enabled: row.flag("accountdisabled").map(|disabled| !disabled),
        forwards_to,
        forwards_incomplete,
        keeps_copy: row.flag("delivertomailboxandforward"),
        audit_enabled: row.flag("auditenabled"),
        retention_policy: row.filled("retentionpolicy"),
        retention_suspended: either(row.flag("retentionholdenabled"), row.flag("elcprocessingdisabled")),
        litigation_hold: row.flag("litigationholdenabled"),
        litigation_hold_days: row.days("litigationholdduration"),
        display_name: retention::name_of(row, "displayname", key),
        case_holds: case_holds(row),
        retention_assignment: retention::name_of(row, "retentionpolicy", key),
        imap_enabled: row.flag("imapenabled"),
        pop_enabled: row.flag("popenabled"),
        smtp_auth_disabled: row.flag("smtpclientauthenticationdisabled"),
        audit_lacks: audit_lacks(row),
        audit_days: row.days("auditlogagelimit"),
        deleted_items_days: row.days("retaindeleteditemsfor"),
        single_item_recovery: row.flag("singleitemrecoveryenabled"),
        sent_as_copied: row.flag("messagecopyforsentasenabled"),
        created: row.day("whenmailboxcreated"),
        ..Mailbox::unstated(PROVIDER, own_address(row)?, true)
    }))])
}

/// A mailbox of somebody who left, which is there for its hold alone (`Get-Mailbox -InactiveMailboxOnly`). It
/// stands among no mailboxes: nobody signs in to it. For how many cases it is held is told by its address: `for 2`,
/// `for all` where a litigation hold has no end, `no`; further names of it lead there.
fn inactive_mailbox(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let address = own_address(row)?;
    let held = match (row.flag("litigationholdenabled"), case_holds(row)) {
        (Seen::Present(true), _) if row.days("litigationholdduration") == Seen::Present(UNLIMITED_DAYS) => {
            Seen::Present("for all".to_owned())
        }
        (Seen::Present(true), holds) => Seen::Present(format!("for {}", holds.present().unwrap_or(&0))),
        (_, Seen::Present(holds @ 1..)) => Seen::Present(format!("for {holds}")),
        (Seen::Present(false), Seen::Present(0)) => Seen::Present("no".to_owned()),
        (Seen::Unknown(reason), _) | (_, Seen::Unknown(reason)) => Seen::Unknown(reason),
        _ => Seen::not_provided("LitigationHoldEnabled and InPlaceHolds of every inactive mailbox"),
    };
    let names = references(row, key).into_iter();
    let mut records = vec![setting("inactive-mailbox", Some(address.clone()), held)];
    records.extend(names.map(|name| setting("inactive-mailbox-name", Some(address.clone()), Seen::Present(name))));
    Ok(records)
}

/// How many holds of cases lie on a mailbox, by what its `InPlaceHolds` begin with: `UniH` of eDiscovery
/// cases, `cld` or a bare identifier of in-place holds. `mbx`, `skp`, `grp` and `-mbx` are retention
/// policies (Microsoft Learn, "Identify the type of hold placed on an Exchange Online mailbox", read 2026-11).
/// Beside anything else the number is not known: it may be a hold as well.
fn case_holds(row: &Row) -> Seen<u64> {
    let cases = |hold: &str| -> Option<u64> {
        let hold = hold.to_ascii_lowercase();
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| hold.starts_with(prefix));
        let bare = hold.replace('-', "");
        if begins(&["cld", "unih"]) || (bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return Some(1);
        }
        begins(&["-mbx", "grp", "mbx", "skp"]).then_some(0)
    };
    let holds = match row.seen("inplaceholds") {
        Seen::Present(Cell::Text(text)) => Seen::Present(vec![text.as_str()]),
        Seen::Absent => Seen::Present(Vec::new()),
        _ => row.names("inplaceholds"),
    };
    match holds {
        Seen::Present(holds) => {
            let holds = holds.into_iter().flat_map(|text| text.split([',', ';', ' ', '{', '}', '\n'])).map(str::trim);
            let count: Option<u64> = holds.filter(|hold| !hold.is_empty()).map(cases).sum();
            count.map_or_else(|| Seen::Unknown(row.unreadable("inplaceholds", "no known kind of hold")), Seen::Present)
        }
        seen => seen.map(|_| 0),
    }
}

/// What a mailbox's own choice of audited actions leaves out of those by which a theft of mail is
/// seen. Where `DefaultAuditSet` names all three roles the choice is Microsoft's, which holds them.
fn audit_lacks(row: &Row) -> Seen<Vec<String>> {
    const SETS: [(&str, &str, &[&str]); 3] = [
        ("admin", "auditadmin", &["mailitemsaccessed", "send", "updateinboxrules"]),
        ("delegate", "auditdelegate", &["mailitemsaccessed", "sendas", "updateinboxrules"]),
        ("owner", "auditowner", &["mailitemsaccessed", "send", "updateinboxrules"]),
    ];
    let words = |column: &'static str| {
        row.seen(column).map(|cell| {
            let texts: Vec<&str> = match cell {
                Cell::List(items) => items.iter().filter_map(Cell::text).collect(),
                cell => cell.text().unwrap_or_default().split([',', ';', ' ', '{', '}']).collect(),
            };
            texts.into_iter().map(str::trim).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase).collect()
        })
    };
    let defaults: Seen<Vec<String>> = words("defaultauditset");
    let is_default = |role: &str| defaults.present().is_some_and(|roles| roles.iter().any(|known| known == role));
    let mut lacks = Vec::new();
    for (role, column, needed) in SETS {
        if is_default(role) {
            continue;
        }
        // Without the list of defaults a role's own list is all there is.
        let audited: Vec<String> = match words(column) {
            Seen::Present(audited) => audited,
            Seen::Absent => Vec::new(),
            Seen::Malformed(malformed) => return Seen::Malformed(malformed),
            Seen::Unknown(reason) => {
                return Seen::Unknown(match &defaults {
                    Seen::Unknown(reason) => reason.clone(),
                    Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => reason,
                });
            }
        };
        let missing = needed.iter().filter(|action| !audited.iter().any(|known| known == *action));
        lacks.extend(missing.map(|action| format!("{action} by {role}")));
    }
    Seen::Present(lacks)
}

/// Yes if one of two says yes; no only if both say no.
fn either(one: Seen<bool>, other: Seen<bool>) -> Seen<bool> {
    match (one, other) {
        (Seen::Present(true), _) | (_, Seen::Present(true)) => Seen::Present(true),
        (Seen::Present(false), Seen::Present(false)) => Seen::Present(false),
        (Seen::Present(false), other) => other,
        (one, _) => one,
    }
}

fn user(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    Ok(vec![Record::Mailbox(Box::new(Mailbox {
        references: references(row, key),
        enabled: row.flag("accountenabled"),
        created: row.day("createddatetime"),
        ..with_last_sign_in(row, Mailbox::unstated(PROVIDER, own_address(row)?, false))
    }))])
}

/// What `signInActivity` tells. `lastSuccessfulSignInDateTime` alone is the day somebody got in; the other
/// days are those of attempts, and a stranger who guesses passwords makes them as well (Microsoft Graph,
/// signInActivity). An account that never signed in has no such object in Graph's answer, and one that
/// was not asked for neither; only an empty one says "never".
fn with_last_sign_in(row: &Row, account: Mailbox) -> Mailbox {
    const SUCCEEDED: &str = "lastsuccessfulsignindatetime";
    const ATTEMPTS: [&str; 2] = ["lastnoninteractivesignindatetime", "lastsignindatetime"];
    let unknown = |reason: NotObserved| Mailbox { last_sign_in: Seen::Unknown(reason), ..account.clone() };
    let activity = match row.seen("signinactivity") {
        Seen::Present(cell @ Cell::Object(_)) => cell,
        Seen::Present(_) => return unknown(row.unreadable("signinactivity", "no days; export with -Depth 4")),
        Seen::Malformed(malformed) => return Mailbox { last_sign_in: Seen::Malformed(malformed), ..account },
        Seen::Unknown(reason) => return unknown(reason),
        Seen::Absent => {
            let what = "signInActivity of every account (AuditLog.Read.All)".to_owned();
            return unknown(NotObserved::NotProvided { what });
        }
    };
    let newest = |names: &[&str]| {
        let mut newest = None;
        for cell in names.iter().filter_map(|name| activity.field(name)).filter(|cell| !cell.is_empty()) {
            match cell.text().map(dates::day_of) {
                Some(Ok(day)) => newest = newest.max(Some(day)),
                Some(Err(dates::NotADay::Unset)) => {}
                Some(Err(dates::NotADay::Unreadable)) | None => {
                    return Err(row.unreadable("signinactivity", "no day in a known form"));
                }
            }
        }
        Ok(newest)
    };
    match (newest(&[SUCCEEDED]), newest(&ATTEMPTS)) {
        (Ok(Some(day)), _) => Mailbox { last_sign_in: Seen::Present(day), ..account },
        (Err(reason), _) | (Ok(None), Err(reason)) => unknown(reason),
        (Ok(None), Ok(None)) => Mailbox { last_sign_in: Seen::Absent, ..account },
        (Ok(None), Ok(Some(day))) => {
            let what = "lastSuccessfulSignInDateTime in signInActivity of every account".to_owned();
            Mailbox { last_attempt: Seen::Present(day), ..unknown(NotObserved::NotProvided { what }) }
        }
    }
}

fn per_user_mfa(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    // `enabled` means that the user is asked to register, `enforced` that sign-in demands it.
    let mfa_enforced = match row.word("perusermfastate") {
        Seen::Present(word) if word == "enforced" => Seen::Present(true),
        Seen::Present(word) if ["enabled", "disabled"].contains(&word.as_str()) => Seen::Present(false),
        Seen::Present(_) => Seen::Unknown(row.unreadable("perusermfastate", "an unknown word")),
        Seen::Absent => Seen::Absent,
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    let address = own_address(row)?;
    Ok(vec![Record::Mailbox(Box::new(Mailbox {
        references: references(row, key),
        mfa_enforced,
        ..Mailbox::unstated(PROVIDER, address, false)
    }))])
}

fn audit_bypass(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    // The export names accounts by directory name; one without an address is joined by reference.
    let address = ["primarysmtpaddress", "userprincipalname", "identity", "name"]
        .into_iter()
        .find_map(|column| row.address(column));
    let references = references(row, key);
    if address.is_none() && references.is_empty() {
        return Err("no column names the account".to_owned());
    }
    Ok(vec![Record::Mailbox(Box::new(Mailbox {
        references,
        audit_bypassed: row.flag("auditbypassenabled"),
        ..Mailbox::unstated(PROVIDER, address.unwrap_or_default(), false)
    }))])
}

fn registration(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let methods = row.seen("methodsregistered").map(|cell| {
        let texts: Vec<&str> = match cell {
            Cell::List(items) => items.iter().filter_map(Cell::text).collect(),
            cell => cell.text().unwrap_or_default().split([',', ';', ' ']).collect(),
        };
        let mut words: Vec<String> = texts
            .into_iter()
            .map(|word| word.trim().to_ascii_lowercase())
            .filter(|word| {
                !word.is_empty() && word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            })
            .collect();
        words.sort();
        words.dedup();
        words
    });
    Ok(vec![Record::MfaRegistration(Box::new(MfaRegistration {
        provider: PROVIDER.to_owned(),
        address: row.address("userprincipalname").ok_or_else(|| "userprincipalname holds no address".to_owned())?,
        references: references(row, key),
        capable: row.flag("ismfacapable"),
        registered: row.flag("ismfaregistered"),
        administrator: row.flag("isadmin"),
        guest: row.word("usertype").map(|word| word == "guest"),
        methods,
        updated: row.day("lastupdateddatetime"),
    }))])
}

fn recipient(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let recipient_kind = row.word("recipienttypedetails").map(|word| {
        match word.as_str() {
            word if word.ends_with("mailbox") => "mailbox",
            "mailcontact" | "mailforestcontact" => "contact",
            "guestmailuser" => "guest",
            "mailuser" => "mail-user",
            word if word.contains("group") || word.contains("list") => "group",
            _ => "other",
        }
        .to_owned()
    });
    let one = |column: &str| match row.text(column).map(|text| recipient::of_text(text, key)) {
        Some(mut found) if found.len() == 1 => Some(found.remove(0)),
        Some(_) => Some(Target::Unparseable),
        None => None,
    };
    let own = one("primarysmtpaddress");
    let target = one("externalemailaddress").or_else(|| own.clone()).unwrap_or(Target::Unparseable);
    let address = own.filter(|own| *own != target);
    Ok(vec![Record::Recipient(Box::new(Recipient {
        provider: PROVIDER.to_owned(),
        references: references(row, key),
        address,
        target,
        recipient_kind,
    }))])
}

/// The mailbox a rule belongs to: an address, or a keyed reference of what stands there instead.
pub(super) fn owner(row: &Row, key: &KeyedReference) -> (Seen<String>, Option<String>) {
    const NAMED: [&str; 9] = [
        "mailboxaddress",
        "mailbox",
        "primarysmtpaddress",
        "userprincipalname",
        "username",
        "user",
        "owner",
        "mailboxownerid",
        "userid",
    ];
    // `Identity` is `alias\id` or `guid\id`.
    let identity = row.text("identity").and_then(|text| text.rsplit_once('\\')).map(|(owner, _)| owner);
    let context = row.context.as_deref().and_then(context_user);
    let candidates: Vec<&str> =
        NAMED.iter().filter_map(|column| row.text(column)).chain(identity).chain(context.as_deref()).collect();
    match candidates.iter().find_map(|text| address(text)) {
        Some(address) => (Seen::Present(address), None),
        None => {
            let reason = NotObserved::Unreadable {
                why: "the rule does not name its mailbox by address".to_owned(),
                line: Some(row.number),
            };
            (Seen::Unknown(reason), candidates.first().map(|text| reference(text, key)))
        }
    }
}

/// `…#users('jane%40clinic.example')/mailFolders('inbox')/messageRules` names the user.
fn context_user(context: &str) -> Option<String> {
    let (_, rest) = context.split_once("users('")?;
    let (user, _) = rest.split_once('\'')?;
    Some(user.replace("%40", "@"))
}

/// A rule's identity as a keyed reference: its own number, or else its name.
pub(super) fn rule_reference(row: &Row, key: &KeyedReference) -> String {
    let own = row.text("ruleidentity").or_else(|| row.text("id"));
    let in_identity = row.text("identity").map(|text| text.rsplit_once('\\').map_or(text, |(_, id)| id));
    let name = ["name", "rulename", "displayname"].into_iter().find_map(|column| row.text(column));
    match own.or(in_identity).or(name) {
        Some(identity) => key.of(identity),
        None => key.of(&format!("row {}", row.number)),
    }
}

fn inbox_rule(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    const CONDITIONS: [&str; 20] = [
        "bodycontainswords",
        "flaggedforaction",
        "from",
        "fromaddresscontainswords",
        "hasattachment",
        "headercontainswords",
        "messagetypematches",
        "mynameinccbox",
        "mynameintobox",
        "mynameintoorccbox",
        "mynamenotintobox",
        "receivedafterdate",
        "receivedbeforedate",
        "recipientaddresscontainswords",
        "sentonlytome",
        "sentto",
        "subjectcontainswords",
        "subjectorbodycontainswords",
        "withinsizerangemaximum",
        "withinsizerangeminimum",
    ];
    let forward = targets(row, "forwardto", key);
    let redirect = targets(row, "redirectto", key);
    // Microsoft-Extractor-Suite writes the shorter name.
    let attached = if row.has("forwardasattachmentto") {
        targets(row, "forwardasattachmentto", key)
    } else {
        targets(row, "forwardasattachment", key)
    };
    let deletes = any_flag(row, &["deletemessage", "softdeletemessage", "permanentdelete", "delete"]);
    // What is copied out of sight and then deleted is moved there.
    let copied = row.filled("copytofolder").present() == Some(&true) && deletes.present() == Some(&true);
    let to_folder = if copied && row.text("movetofolder").is_none() { "copytofolder" } else { "movetofolder" };
    // A folder that is named by white space alone has a name.
    let blank = row.cell(to_folder).is_some_and(
        |cell| matches!(cell, Cell::Text(text) if text.chars().any(|c| c == '\u{a0}') && text.trim().is_empty()),
    );
    let folder = match row.seen(to_folder) {
        _ if blank => Seen::Present(words::folder_class("\u{a0}").to_owned()),
        // A folder written as an object has no name here.
        Seen::Present(cell) => match cell.text() {
            Some(folder) => Seen::Present(words::folder_class(folder).to_owned()),
            None => Seen::Unknown(row.unreadable(to_folder, "no name of a folder")),
        },
        Seen::Absent => Seen::Absent,
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    let hides = or_false(folder.clone().map(|class| class != "other"));
    let marks_read = or_false(row.flag("markasread"));
    let mut actions = Vec::new();
    for (seen, action) in [(&forward, "forward"), (&attached, "forward-as-attachment"), (&redirect, "redirect")] {
        if seen.present().is_some() {
            actions.push(action.to_owned());
        }
    }
    let does = |seen: &Seen<bool>| seen.present() == Some(&true);
    for (holds, action) in [
        (does(&deletes), "delete"),
        (does(&hides), "hide"),
        (does(&row.filled("movetofolder")) && !does(&hides), "move"),
        (does(&marks_read), "mark-read"),
        (does(&row.flag("stopprocessingrules")), "stop"),
    ] {
        if holds {
            actions.push(action.to_owned());
        }
    }
    let stated: Vec<&str> = CONDITIONS.into_iter().filter(|column| row.has(column)).collect();
    let has_conditions = if stated.iter().any(|column| row.cell(column).is_some_and(filled)) {
        Seen::Present(true)
    } else if stated.len() >= 3 {
        Seen::Present(false)
    } else {
        Seen::not_provided("the columns of the rule's conditions")
    };
    let looked_for = ["subjectcontainswords", "subjectorbodycontainswords", "bodycontainswords", "headercontainswords"];
    let mut keywords = words::keyword_classes(looked_for.into_iter().flat_map(|column| row.texts(column)));
    let senders = ["from", "fromaddresscontainswords"];
    words::sender_classes(senders.into_iter().flat_map(|column| row.texts(column)), &mut keywords);
    let matches_all = has_conditions.clone().map(|any| any && every_message_meets(row, &stated));
    let opaque =
        either(or_false(row.flag("inerror")), or_false(row.flag("supportedbytask").map(|supported| !supported)));
    // Every mailbox has this rule of the system's own; it cannot be shown, and sends nothing.
    let of_the_system = row.text("name").is_some_and(|name| name.eq_ignore_ascii_case("Junk E-mail Rule"));
    let opaque = if of_the_system { Seen::Present(false) } else { opaque };
    let (targets, targets_incomplete) = match over(&[forward, redirect, attached]) {
        // What cannot be shown may well send mail on.
        (Seen::Absent, incomplete) if opaque.present() == Some(&true) => {
            let why = "the rule holds something that the export cannot show".to_owned();
            (Seen::Unknown(NotObserved::Lost { why }), incomplete)
        }
        shown => shown,
    };
    // Exchange's own rule is hidden in every mailbox; one that sends or deletes only has its name.
    let harmless = of_the_system && targets == Seen::Absent && deletes.present() != Some(&true);
    let hidden = if harmless { Seen::Present(false) } else { row.flag("hidden") };
    let (mailbox, owner) = owner(row, key);
    Ok(vec![Record::ForwardingRule(Box::new(ForwardingRule {
        rules: 1,
        provider: PROVIDER.to_owned(),
        origin: "inbox".to_owned(),
        mailbox,
        owner,
        reference: rule_reference(row, key),
        enabled: row.flag("enabled"),
        actions,
        targets,
        targets_incomplete,
        deletes,
        hides,
        folder,
        marks_read,
        has_conditions,
        matches_all,
        hidden,
        keywords,
        name_class: name_class(row),
        opaque,
        ..ForwardingRule::unstated(PROVIDER, "inbox", String::new())
    }))])
}

/// Whether the stated conditions leave nothing out: a size from nearly nothing on, words that
/// stand in every message. One condition that does leave something out is enough.
fn every_message_meets(row: &Row, stated: &[&str]) -> bool {
    stated.iter().filter(|column| row.cell(column).is_some_and(filled)).all(|column| match *column {
        "withinsizerangeminimum" => row.text(column).and_then(kilobytes).is_some_and(|size| size <= 1),
        // Larger than any message that Exchange takes.
        "withinsizerangemaximum" => row.text(column).and_then(kilobytes).is_some_and(|size| size >= 150 * 1024),
        // Mail to oneself is nearly all there is.
        "mynameintobox" | "mynameintoorccbox" | "sentonlytome" => true,
        "bodycontainswords"
        | "headercontainswords"
        | "subjectorbodycontainswords"
        | "fromaddresscontainswords"
        | "recipientaddresscontainswords"
        | "subjectcontainswords" => {
            let in_headers = *column == "headercontainswords";
            row.texts(column).into_iter().any(|word| words::in_every_message(word, in_headers))
        }
        _ => false,
    })
}

/// A size as Exchange writes it, in whole kilobytes: `1 KB (1,024 bytes)`; a number alone is one
/// of kilobytes.
fn kilobytes(text: &str) -> Option<u64> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u64>().ok();
    match text.split_once('(') {
        Some((_, bytes)) => digits(bytes).map(|bytes| bytes / 1024),
        None => digits(text),
    }
}

/// Whether a condition's cell says anything.
fn filled(cell: &Cell) -> bool {
    !cell.is_empty() && cell.text().is_none_or(|text| !text.eq_ignore_ascii_case("false"))
}

fn name_class(row: &Row) -> Seen<String> {
    match ["name", "rulename", "displayname"].into_iter().find(|column| row.has(column)) {
        Some(column) => match row.seen(column) {
            Seen::Absent => Seen::Present("empty".to_owned()),
            seen => seen.map(|cell| words::name_class(cell.text().unwrap_or_default()).to_owned()),
        },
        None => Seen::not_provided("the column name"),
    }
}

/// An empty cell of a switch is off.
fn or_false(seen: Seen<bool>) -> Seen<bool> {
    match seen {
        Seen::Absent => Seen::Present(false),
        seen => seen,
    }
}

/// Yes if one of the columns says yes; no if one says no and none is lost.
fn any_flag(row: &Row, columns: &[&'static str]) -> Seen<bool> {
    let mut result: Option<Seen<bool>> = None;
    for column in columns.iter().filter(|column| row.has(column)) {
        let seen = or_false(row.flag(column));
        result = Some(match result {
            None => seen,
            Some(before) => either(before, seen),
        });
    }
    result.unwrap_or_else(|| Seen::not_provided(format!("the column {}", columns[0])))
}

/// A rule as Graph gives it. One that Graph cannot show is read-only and has no actions.
fn graph_rule(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let actions = match row.seen("actions") {
        Seen::Present(cell @ Cell::Object(_)) => Some(cell),
        Seen::Unknown(NotObserved::Lost { .. } | NotObserved::NotProvided { .. }) | Seen::Absent => None,
        Seen::Malformed(_) | Seen::Present(_) | Seen::Unknown(_) => return Err("actions is no object".to_owned()),
    };
    let read_only = row.flag("isreadonly").present() == Some(&true);
    let in_error = row.flag("haserror").present() == Some(&true);
    let hidden_by_graph = actions.is_none_or(|cell| matches!(cell, Cell::Object(fields) if fields.is_empty()));
    let field = |name: &str| actions.and_then(|cell| cell.field(name)).filter(|cell| !cell.is_empty());
    let on = |name: &str| field(name).and_then(Cell::text) == Some("true");
    let mut found = Vec::new();
    let mut words_of_actions = Vec::new();
    for (name, word) in
        [("forwardto", "forward"), ("forwardasattachmentto", "forward-as-attachment"), ("redirectto", "redirect")]
    {
        let Some(cell) = field(name) else { continue };
        let one = Row { number: row.number, cells: vec![("forwardto", cell.clone())], context: None };
        match targets(&one, "forwardto", key) {
            Seen::Present(targets) => found.extend(targets),
            _ => found.push(Target::Unparseable),
        }
        words_of_actions.push(word.to_owned());
    }
    found.sort();
    found.dedup();
    let deletes = on("delete") || on("permanentdelete");
    for (holds, word) in [
        (deletes, "delete"),
        (field("movetofolder").is_some(), "move"),
        (on("markasread"), "mark-read"),
        (on("stopprocessingrules"), "stop"),
    ] {
        if holds {
            words_of_actions.push(word.to_owned());
        }
    }
    let lost = NotObserved::Lost { why: "Graph does not show what this rule does".to_owned() };
    let unless_hidden = |value: bool| if hidden_by_graph { Seen::Unknown(lost.clone()) } else { Seen::Present(value) };
    let conditions = row.cell("conditions").filter(|cell| !cell.is_empty());
    let has_conditions = match conditions {
        Some(Cell::Object(fields)) => unless_hidden(fields.values().any(|cell| !cell.is_empty())),
        _ => unless_hidden(false),
    };
    let looked_for = ["subjectcontains", "bodycontains", "bodyorsubjectcontains", "sendercontains"];
    let texts =
        looked_for.into_iter().filter_map(|name| conditions.and_then(|cell| cell.field(name))).flat_map(|cell| {
            match cell {
                Cell::List(items) => items.iter().filter_map(Cell::text).collect::<Vec<_>>(),
                cell => cell.text().into_iter().collect(),
            }
        });
    let keywords = words::keyword_classes(texts);
    let targets = match (hidden_by_graph, found.is_empty()) {
        (true, _) => Seen::Unknown(lost.clone()),
        (false, true) => Seen::Absent,
        (false, false) => Seen::Present(found),
    };
    let (mailbox, owner) = owner(row, key);
    Ok(vec![Record::ForwardingRule(Box::new(ForwardingRule {
        rules: 1,
        provider: PROVIDER.to_owned(),
        origin: "inbox".to_owned(),
        mailbox,
        owner,
        reference: rule_reference(row, key),
        enabled: row.flag("isenabled"),
        actions: words_of_actions,
        targets,
        targets_incomplete: None,
        deletes: unless_hidden(deletes),
        // Graph gives the folder's id, which says nothing of its name.
        hides: if field("movetofolder").is_some() {
            Seen::not_provided("the name of the folder")
        } else {
            unless_hidden(false)
        },
        folder: if field("movetofolder").is_some() {
            Seen::not_provided("the name of the folder")
        } else if hidden_by_graph {
            Seen::Unknown(lost.clone())
        } else {
            Seen::Absent
        },
        marks_read: unless_hidden(on("markasread")),
        has_conditions,
        matches_all: unless_hidden(false),
        hidden: Seen::Present(false),
        keywords,
        name_class: name_class(row),
        opaque: Seen::Present(in_error || (read_only && hidden_by_graph)),
        ..ForwardingRule::unstated(PROVIDER, "inbox", String::new())
    }))])
}

/// A transport rule. It belongs to no mailbox; audit mode and a disabled state send nothing.
fn transport_rule(row: &Row, key: &KeyedReference) -> Record {
    let columns = [
        ("blindcopyto", "blind-copy"),
        ("copyto", "copy"),
        ("addtorecipients", "add-recipient"),
        ("redirectmessageto", "redirect"),
    ];
    let seen: Vec<_> = columns.iter().map(|(column, _)| targets(row, column, key)).collect();
    let actions =
        columns.iter().zip(&seen).filter(|(_, seen)| seen.present().is_some()).map(|((_, word), _)| (*word).to_owned());
    let mut actions: Vec<String> = actions.collect();
    let deletes = any_flag(row, &["deletemessage"]);
    if deletes.present() == Some(&true) {
        actions.push("delete".to_owned());
    }
    let (targets, targets_incomplete) = over(&seen);
    // `Mode` missing means Enforce, which is its default; a state that is not there is not known.
    let enforced = match row.word("mode") {
        Seen::Present(mode) => mode == "enforce",
        Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => true,
    };
    let enabled = match row.word("state") {
        Seen::Present(state) => Seen::Present(state == "enabled" && enforced),
        Seen::Absent => Seen::Absent,
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    Record::ForwardingRule(Box::new(ForwardingRule {
        enabled,
        actions,
        targets,
        targets_incomplete,
        deletes,
        has_conditions: Seen::not_provided("the conditions of transport rules"),
        matches_all: Seen::not_provided("the conditions of transport rules"),
        name_class: name_class(row),
        skips_filter: match row.word("setscl") {
            // An empty cell sets nothing.
            Seen::Absent => Seen::Present(false),
            word => word.map(|level| level == "-1"),
        },
        encrypts: any_flag(row, &["applyome", "routemessageoutboundrequiretls"])
            .map(|on| on || row.filled("applyrightsprotectiontemplate").present() == Some(&true)),
        routes_to: match row.seen("routemessageoutboundconnector") {
            Seen::Present(cell) => match cell.text().or_else(|| cell.field("name").and_then(Cell::text)) {
                Some(name) => Seen::Present(reference(name, key)),
                None => Seen::Unknown(row.unreadable("routemessageoutboundconnector", "no name")),
            },
            seen => seen.map(|_| String::new()),
        },
        ..ForwardingRule::unstated(PROVIDER, "transport", rule_reference(row, key))
    }))
}

/// What a connector insists on, and the name by which rules choose it.
fn outbound_connector(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let mut found = settings::outbound_connector(row)?;
    let on = row.flag("enabled").map(|on| if on { "on" } else { "off" }.to_owned());
    let names: BTreeSet<&str> = ["name", "identity"].into_iter().filter_map(|column| row.text(column)).collect();
    found.extend(names.into_iter().map(|name| setting("connector-name", Some(reference(name, key)), on.clone())));
    Ok(found)
}

/// A journal rule sends a copy of everything to one address.
fn journal_rule(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let targets = targets(row, "journalemailaddress", key);
    if targets == Seen::Absent {
        return Err("journalemailaddress is empty".to_owned());
    }
    Ok(vec![Record::ForwardingRule(Box::new(ForwardingRule {
        enabled: row.flag("enabled"),
        actions: vec!["blind-copy".to_owned()],
        targets,
        has_conditions: row.filled("recipient"),
        name_class: name_class(row),
        ..ForwardingRule::unstated(PROVIDER, "journal", rule_reference(row, key))
    }))])
}

/// A sweep rule moves what one sender sent, or deletes it after some days.
fn sweep_rule(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let folder = row.seen("destinationfolder").map(|cell| cell.text().unwrap_or_default().to_owned());
    let folder = folder.map(|folder| words::folder_class(&folder).to_owned());
    let deletes = or_false(folder.clone().map(|class| class == "disposal"));
    let hides = or_false(folder.clone().map(|class| class != "other"));
    let (mailbox, owner) = owner(row, key);
    let mut actions = vec!["move".to_owned()];
    for (seen, action) in [(&deletes, "delete"), (&hides, "hide")] {
        if seen.present() == Some(&true) {
            actions.push(action.to_owned());
        }
    }
    Ok(vec![Record::ForwardingRule(Box::new(ForwardingRule {
        mailbox,
        owner,
        enabled: row.flag("enabled"),
        actions,
        deletes,
        hides,
        folder,
        // A sweep rule names a sender or the provider of a newsletter.
        has_conditions: Seen::Present(true),
        name_class: name_class(row),
        ..ForwardingRule::unstated(PROVIDER, "sweep", rule_reference(row, key))
    }))])
}
