//! Counts what logs and lists say of each account: sign-ins, entries of audit logs, messages, roles.
//!
//! Of a row nothing is kept but which account it is about (by keyed reference), which of a few words
//! fits it, and its day. Addresses of networks, places, programs, subjects and the other side of a
//! message are not kept. Rows of one account become one record; what is held grows with accounts.

use jiff::civil::Date;

use super::dates;
use super::json;
use super::own_domains::OwnDomains;
use super::recipient::{self, reference};
use super::row::{Cell, Row, address};
use crate::catalogues::consumer_domains::ConsumerDomains;
use crate::evidence::export::{Count, Record, Tally};
use crate::keyed::KeyedReference;
use crate::names::DomainName;
use crate::seen::Seen;

const MICROSOFT: &str = "microsoft365";
const GOOGLE: &str = "google-workspace";

/// A row of one account, dated or not, to which these words fit.
fn tally(provider: &str, of: &str, account: String, day: Option<Date>, words: &[&str]) -> Tally {
    let mut all = Tally {
        provider: provider.to_owned(),
        of: of.to_owned(),
        account,
        counts: [("all".to_owned(), Count::once(day))].into(),
        targets: Vec::new(),
        rows: 1,
    };
    all.counts.extend(words.iter().map(|word| ((*word).to_owned(), Count::once(day))));
    all
}

fn one(tally: Tally) -> Vec<Record> {
    vec![Record::Tally(Box::new(tally))]
}

/// A day that a log has to have: without it nobody could say what time the log covers.
fn dated(row: &Row, columns: &[&'static str]) -> Result<Date, String> {
    let column = columns.iter().copied().find(|column| row.has(column)).unwrap_or(columns[0]);
    match row.day(column) {
        Seen::Present(day) => Ok(day),
        Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => {
            Err(format!("{column} holds no day in a form that does not depend on the country"))
        }
    }
}

fn named(row: &Row, columns: &[&str], key: &KeyedReference) -> Result<String, String> {
    let found = columns.iter().find_map(|column| row.text(column));
    found.map(|text| reference(text, key)).ok_or_else(|| format!("{} is empty", columns[0]))
}

/// Clients that sign in through a browser or with modern authentication (Microsoft Entra sign-in logs,
/// clientAppUsed).
const MODERN: [&str; 2] = ["browser", "mobile apps and desktop clients"];
/// Clients that know no second factor.
const OLD: [&str; 17] = [
    "authenticated smtp",
    "autodiscover",
    "exchange activesync",
    "exchange online powershell",
    "exchange web services",
    "imap",
    "imap4",
    "mapi over http",
    "offline address book",
    "other clients",
    "outlook anywhere (rpc over http)",
    "outlook service",
    "pop",
    "pop3",
    "reporting web services",
    "smtp",
    "universal outlook",
];

/// Those of them that fetch mail.
const IMAP_AND_POP: [&str; 4] = ["imap", "imap4", "pop", "pop3"];

/// A sign-in as Graph gives it, or as the portal writes it into CSV (that layout is from general knowledge
/// and was held against no portal's file). Graph names the factors in its beta version alone.
pub fn sign_in(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let account = named(row, &["userprincipalname", "username", "userid"], key)?;
    let day = dated(row, &["createddatetime", "date(utc)"])?;
    let succeeded = match row.cell("status") {
        // Codes are numbers, 0 where nothing went wrong.
        Some(cell @ Cell::Object(_)) => {
            cell.field("errorcode").and_then(Cell::text).and_then(|code| code.parse::<u64>().ok()).map(|code| code == 0)
        }
        // An interrupted one asked for more and did not get it.
        Some(cell) => match cell.text().map(str::to_ascii_lowercase).as_deref() {
            Some("success") => Some(true),
            Some("failure" | "interrupted") => Some(false),
            _ => None,
        },
        None => None,
    };
    let Some(succeeded) = succeeded else { return Err("status does not say whether the sign-in succeeded".to_owned()) };
    if !succeeded {
        return Ok(one(tally(MICROSOFT, "sign-ins", account, Some(day), &[])));
    }
    let mut words = vec!["succeeded"];
    let client = row.text("clientappused").or_else(|| row.text("clientapp")).unwrap_or_default().to_ascii_lowercase();
    if OLD.contains(&client.as_str()) {
        words.push("old-client");
        // What "other clients" are, the log does not say.
        if IMAP_AND_POP.contains(&client.as_str()) {
            words.push("imap-or-pop");
        } else if client != "other clients" {
            words.push("other-old-client");
        }
    } else if !MODERN.contains(&client.as_str()) {
        words.push("strange-client");
    }
    // `singleFactorAuthentication` in Graph, `Single-factor authentication` in the portal.
    let demanded = row.text("authenticationrequirement").unwrap_or_default().to_ascii_lowercase();
    match row.flag("isinteractive").present() {
        // A token that is renewed without the user is not a sign-in by one factor.
        Some(false) => words.push("not-interactive"),
        Some(true) => {
            words.push("interactive");
            if demanded.starts_with("single") {
                words.push("single-factor");
            } else if !demanded.starts_with("multi") {
                words.push("factors-not-stated");
            }
        }
        None if demanded.starts_with("multi") => {}
        None => words.push("factors-not-stated"),
    }
    Ok(one(tally(MICROSOFT, "sign-ins", account, Some(day), &words)))
}

/// An event of Google's login audit.
pub fn google_login(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let account = named(row, &["actor.email"], key)?;
    let day = dated(row, &["id.time"])?;
    let event = row.word("name").present().cloned().ok_or_else(|| "name holds no event".to_owned())?;
    let words: &[&str] = match event.as_str() {
        "login_success" => match (row.flag("is_second_factor"), row.word("login_type").present().map(String::as_str)) {
            (Seen::Present(true), _) => &["succeeded"],
            // Where another service signs the user in, that one asks for the factor.
            (_, Some("saml")) => &["succeeded", "factors-not-stated"],
            (Seen::Present(false), _) => &["succeeded", "single-factor"],
            (Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_), _) => &["succeeded", "factors-not-stated"],
        },
        "2sv_disable" => &["second-factor-off"],
        "email_forwarding_out_of_domain" => &["forwarding-outside"],
        _ => &[],
    };
    Ok(one(tally(GOOGLE, "sign-ins", account, Some(day), words)))
}

/// What is done in mailboxes and written into the log where their auditing is on (Microsoft Purview,
/// "Mailbox auditing actions"): where none of these is, rules that Outlook makes would not be there either.
const IN_MAILBOXES: [&str; 12] = [
    "create",
    "harddelete",
    "mailboxlogin",
    "mailitemsaccessed",
    "move",
    "movetodeleteditems",
    "searchqueryinitiated",
    "send",
    "sendas",
    "sendonbehalf",
    "softdelete",
    "update",
];
/// Commands whose `Identity` is a mailbox.
const OF_ONE_MAILBOX: [&str; 5] = [
    "add-mailboxfolderpermission",
    "add-mailboxpermission",
    "add-recipientpermission",
    "set-mailbox",
    "set-mailboxauditbypassassociation",
];

fn is(text: &str, word: &str) -> bool {
    text.trim_start_matches('$').eq_ignore_ascii_case(word)
}

/// `Set-CASMailbox`: a verb, a hyphen, a noun.
fn is_cmdlet(operation: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    operation.split_once('-').is_some_and(|(verb, noun)| letters(verb) && letters(noun))
}

/// An entry of the unified audit log or of the log of administrators.
pub fn audit_entry(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let parsed = match row.seen("auditdata") {
        Seen::Present(Cell::Text(text)) => {
            Some(json::cell(text).ok_or_else(|| "auditdata is not readable as JSON".to_owned())?)
        }
        Seen::Present(cell @ Cell::Object(_)) => Some(cell.clone()),
        Seen::Unknown(crate::seen::NotObserved::NotProvided { .. }) => None,
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) | Seen::Unknown(_) => {
            return Err("auditdata cannot be read".to_owned());
        }
    };
    let field = |name: &str| parsed.as_ref().and_then(|cell| cell.field(name)).or_else(|| row.cell(name));
    let text = |name: &str| field(name).and_then(Cell::text).filter(|text| !text.is_empty());
    let day = match text("creationtime").map(dates::day_of) {
        Some(Ok(day)) => day,
        _ => dated(row, &["creationdate", "creationtime", "rundate"])?,
    };
    let operation = text("operation").or_else(|| row.text("operations")).or_else(|| row.text("cmdletname"));
    let operation = operation.ok_or_else(|| "no column names the operation".to_owned())?.to_ascii_lowercase();
    // The directory ends its operations with a full stop.
    let operation = operation.trim_end_matches('.');
    let parameters = field("parameters").or_else(|| field("cmdletparameters"));
    let set = |names: &[&str]| parameters.is_some_and(|cell| names.iter().any(|name| parameter(cell, name).is_some()));
    let whole = parameters.is_some_and(|cell| matches!(cell, Cell::List(_)));
    let is_off = |name: &str| parameters.and_then(|cell| parameter(cell, name)).is_some_and(|word| is(word, "false"));
    let is_on = |name: &str| parameters.and_then(|cell| parameter(cell, name)).is_some_and(|word| is(word, "true"));
    let mut words = Vec::new();
    match operation {
        "new-inboxrule" | "set-inboxrule" if set(&["forwardto", "redirectto", "forwardasattachmentto"]) => {
            words.push("sends-on");
        }
        "new-transportrule" | "set-transportrule"
            if set(&[
                "blindcopyto",
                "copyto",
                "addtorecipients",
                "redirectmessageto",
                "routemessageoutboundconnector",
            ]) =>
        {
            words.push("sends-on");
        }
        // A journal rule does nothing else.
        "new-journalrule" => words.push("sends-on"),
        "set-journalrule" if set(&["journalemailaddress"]) => words.push("sends-on"),
        "new-inboxrule" | "set-inboxrule" | "new-transportrule" | "set-transportrule" | "set-journalrule" if whole => {}
        "new-inboxrule" | "set-inboxrule" | "new-transportrule" | "set-transportrule" | "set-journalrule" => {
            words.push("may-send-on");
        }
        // What a rule does that is switched on stands in another entry.
        "enable-inboxrule" | "enable-journalrule" | "enable-transportrule" => words.push("may-send-on"),
        // Outlook writes what the rule does into one text.
        "updateinboxrules" => {
            let properties = field("operationproperties");
            let actions = properties.and_then(|cell| parameter(cell, "ruleactions")).map(str::to_ascii_lowercase);
            match actions {
                Some(text) if text.contains("forward") || text.contains("redirect") => words.push("sends-on"),
                Some(_) => {}
                None => words.push("may-send-on"),
            }
        }
        "set-mailbox" if whole => {
            if set(&["forwardingsmtpaddress", "forwardingaddress"]) {
                words.push("sends-on");
            }
            if is_off("auditenabled") {
                words.push("audit-bypass");
            }
        }
        "set-mailbox" => words.extend(["may-send-on", "may-end-auditing"]),
        "set-mailboxauditbypassassociation" if is_off("auditbypassenabled") => {}
        "set-mailboxauditbypassassociation" => words.push("audit-bypass"),
        "set-organizationconfig" | "set-adminauditlogconfig" if !whole => words.push("may-end-auditing"),
        "set-organizationconfig" if is_on("auditdisabled") => words.push("audit-bypass"),
        "set-adminauditlogconfig" if is_off("unifiedauditlogingestionenabled") || is_off("adminauditlogenabled") => {
            words.push("audit-bypass");
        }
        "set-organizationconfig" | "set-adminauditlogconfig" => {}
        "consent to application"
        | "add app role assignment to service principal"
        | "add delegated permission grant"
        | "add oauth2permissiongrant" => words.push("consent"),
        // Searched for where somebody looks for rights over mailboxes, so they show nothing of the rest.
        "add-mailboxpermission" | "add-recipientpermission" | "add-mailboxfolderpermission" => {}
        // Entries that nobody searches for show that the log was not cut to a few sorts.
        "userloggedin" | "userloginfailed" => {}
        _ if text("workload").is_some_and(|workload| is(workload, "azureactivedirectory")) => {
            words.push("other-directory");
        }
        // Other services have commands and items of their own.
        _ if text("workload").is_some_and(|workload| !is(workload, "exchange")) => {}
        other if is_cmdlet(other) => words.push("other-cmdlet"),
        other if IN_MAILBOXES.contains(&other) => words.push("in-mailbox"),
        _ => {}
    }
    // The mailbox that was changed, or else whoever did it. What has another identity is no mailbox.
    let about = parameters.and_then(|cell| {
        let identity = || parameter(cell, "identity").filter(|_| OF_ONE_MAILBOX.contains(&operation));
        parameter(cell, "mailbox").or_else(identity)
    });
    let owner = text("mailboxownerupn")
        .or(about)
        .or_else(|| text("userid"))
        .or_else(|| text("userids"))
        .or_else(|| text("caller"));
    let account = reference(owner.ok_or_else(|| "no column names the account".to_owned())?, key);
    Ok(one(tally(MICROSOFT, "audit-log", account, Some(day), &words)))
}

/// The value of a parameter: `[{ Name: …, Value: … }]`, where it has one.
fn parameter<'c>(cell: &'c Cell, name: &str) -> Option<&'c str> {
    let Cell::List(items) = cell else { return None };
    items.iter().find_map(|item| {
        let named = item.field("name").and_then(Cell::text)?;
        let value = item.field("value").and_then(Cell::text).filter(|value| !value.is_empty());
        value.filter(|value| named.eq_ignore_ascii_case(name) && !value.eq_ignore_ascii_case("$null"))
    })
}

/// No address: whoever wrote from a domain that is not own.
const STRANGERS: &str = "strangers";

/// A message trace, for a sender of the organization: whether the recipient is outside, and whether
/// there where people have private mailboxes. Of the recipient nothing is kept, nor of what strangers
/// sent but that it is there: one count for all of them tells which days the trace covers.
pub fn message(row: &Row, key: &KeyedReference, own: &OwnDomains) -> Result<Vec<Record>, String> {
    let day = dated(row, &["received", "datetimereceived", "origin_timestamp_utc", "date"])?;
    let sender =
        row.text("senderaddress").and_then(address).ok_or_else(|| "senderaddress holds no address".to_owned())?;
    let to =
        row.text("recipientaddress").and_then(address).ok_or_else(|| "recipientaddress holds no address".to_owned())?;
    let domain = |text: &str| text.rsplit_once('@').and_then(|(_, domain)| domain.parse::<DomainName>().ok());
    let mut words = Vec::new();
    match (domain(&sender), domain(&to)) {
        (Some(from), Some(_)) if !own.has(&from) => {
            return Ok(one(tally(MICROSOFT, "message-trace", key.of(STRANGERS), Some(day), &["from-outside"])));
        }
        (Some(_), Some(to)) if own.has(&to) => {}
        (Some(_), Some(to)) => {
            words.push("other-domain");
            if ConsumerDomains::shipped().provider(&to).is_some() {
                words.push("consumer-webmail");
            }
        }
        _ => return Err("an address has no domain".to_owned()),
    }
    Ok(one(tally(MICROSOFT, "message-trace", reference(&sender, key), Some(day), &words)))
}

/// The role that may do everything (Microsoft Entra built-in roles, Global Administrator).
const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";

/// As many members does Graph put into an expanded list (Microsoft Graph, $expand on directory objects).
const EXPANDED: usize = 20;

/// A directory role with its members, or one assignment of a role.
pub fn directory_role(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let role = row.text("roletemplateid").or_else(|| row.text("roledefinitionid"));
    let role = role.ok_or_else(|| "no column names the role".to_owned())?;
    let global = role.eq_ignore_ascii_case(GLOBAL_ADMINISTRATOR);
    let of = |member: Option<&Cell>, id: Option<&str>| {
        let text = |name: &str| {
            member.and_then(|member| member.field(name)).and_then(Cell::text).filter(|text| !text.is_empty())
        };
        let group = text("@odata.type").is_some_and(|kind| kind.to_ascii_lowercase().ends_with("group"));
        let program = text("@odata.type").is_some_and(|kind| kind.to_ascii_lowercase().ends_with("serviceprincipal"));
        let name = text("userprincipalname").or_else(|| text("id")).or(id)?;
        let words: &[&str] = match (program, group || text("userprincipalname").is_none(), global) {
            (true, _, _) => &[],
            (false, true, true) => &["group", "global-group"],
            (false, true, false) => &["group"],
            (false, false, true) => &["administrator", "global-administrator"],
            (false, false, false) => &["administrator"],
        };
        Some(Record::Tally(Box::new(tally(MICROSOFT, "roles", reference(name, key), None, words))))
    };
    if let Some(id) = row.text("principalid") {
        return of(row.cell("principal"), Some(id))
            .map(|record| vec![record])
            .ok_or_else(|| "principal is empty".to_owned());
    }
    match row.seen("members") {
        Seen::Present(Cell::List(members)) => {
            let found: Vec<Record> = members.iter().filter_map(|member| of(Some(member), None)).collect();
            if members.len() >= EXPANDED {
                return Err(format!("members may be cut off: Graph expands {EXPANDED} of them at most"));
            }
            if found.len() == members.len() { Ok(found) } else { Err("a member of the role has no name".to_owned()) }
        }
        Seen::Present(member @ Cell::Object(_)) => of(Some(member), None)
            .map(|record| vec![record])
            .ok_or_else(|| "a member of the role has no name".to_owned()),
        Seen::Absent => Ok(Vec::new()),
        Seen::Malformed(_) | Seen::Present(_) | Seen::Unknown(_) => {
            Err("members cannot be read; export with -ExpandProperty members and -Depth 4".to_owned())
        }
    }
}

/// `gam print admins`: who holds a role.
pub fn google_admin(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let role = row.text("role").ok_or_else(|| "role is empty".to_owned())?;
    let Some(user) = row.text("assignedtouser") else {
        // A role may be given to a group or to a program's account.
        let account = named(row, &["assignedto"], key)?;
        let words: &[&str] = if role == "_SEED_ADMIN_ROLE" { &["group", "global-group"] } else { &["group"] };
        return Ok(one(tally(GOOGLE, "roles", account, None, words)));
    };
    let words: &[&str] =
        if role == "_SEED_ADMIN_ROLE" { &["administrator", "global-administrator"] } else { &["administrator"] };
    Ok(one(tally(GOOGLE, "roles", reference(user, key), None, words)))
}

/// `gam print asps`: passwords of programs, which ask for no second factor. GAM7 gives a row for each user
/// with how many there are, 0 among them, or with `oneitemperrow` a row for each password.
pub fn app_password(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let account = named(row, &["user"], key)?;
    let has = match row.count("asps") {
        _ if row.text("asp.codeid").is_some() => true,
        Seen::Present(passwords) => passwords > 0,
        Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => return Err("asps holds no number".to_owned()),
    };
    let words: &[&str] = if has { &["app-password"] } else { &[] };
    Ok(one(tally(GOOGLE, "app-passwords", account, None, words)))
}

/// `gam print forwardingaddresses`: where a user may forward to with one click.
pub fn forwarding_address(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let account = named(row, &["user"], key)?;
    let mut found = tally(GOOGLE, "forwarding-addresses", account, None, &[]);
    match (row.text("forwardingemail"), row.word("verificationstatus").present().map(String::as_str)) {
        (None, _) => {}
        (Some(_), Some("pending")) => {}
        (Some(to), _) => found.targets = recipient::of_text(to, key),
    }
    Ok(one(found))
}

/// `gam print sendas`: a name to send as whose mail leaves over another server.
pub fn send_as(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let account = named(row, &["user"], key)?;
    let words: &[&str] = if row.text("smtpmsa.host").is_some() { &["other-server"] } else { &[] };
    Ok(one(tally(GOOGLE, "send-as", account, None, words)))
}

/// `Get-EXOMailboxFolderStatistics -IncludeOldestAndNewestItems`: the oldest item of any folder.
pub fn folder(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let identity =
        row.text("mailbox").or_else(|| row.text("primarysmtpaddress")).or_else(|| row.text("userprincipalname"));
    // `ana@clinic.example\Inbox`.
    let identity =
        identity.or_else(|| row.text("identity").and_then(|text| text.split_once('\\')).map(|(owner, _)| owner));
    let account = reference(identity.ok_or_else(|| "no column names the mailbox".to_owned())?, key);
    let items = match row.count("itemsinfolder") {
        Seen::Present(items) => items,
        Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => return Err("itemsinfolder holds no number".to_owned()),
    };
    // The folder above all others: where it is listed, so are those below it.
    let root = row.word("foldertype").present().is_some_and(|kind| kind == "root");
    let mut found = tally(MICROSOFT, "folders", account, None, if root { &["root"] } else { &[] });
    if items > 0 {
        let day = match row.day("oldestitemreceiveddate") {
            Seen::Present(day) => Some(day),
            Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => None,
        };
        let word = if day.is_some() { "items" } else { "undated-items" };
        found.counts.insert(word.to_owned(), Count { times: items, first: day, last: day });
    }
    Ok(one(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyedReference {
        KeyedReference::new(b"test")
    }

    fn row(cells: Vec<(&'static str, Cell)>) -> Row {
        Row { number: 1, cells, context: None }
    }

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn words(records: Result<Vec<Record>, String>) -> Vec<String> {
        match records.unwrap().remove(0) {
            Record::Tally(tally) => tally.counts.into_keys().collect(),
            _ => panic!("a tally"),
        }
    }

    #[test]
    fn a_sign_in_is_told_by_its_client_its_factors_and_its_end() {
        let of = |client: &str, requirement: &str, code: &str, interactive: Cell| {
            let status = Cell::Object([("errorcode".to_owned(), Cell::Number(code.to_owned()))].into());
            words(sign_in(
                &row(vec![
                    ("createddatetime", text("2026-09-20T08:00:00Z")),
                    ("userprincipalname", text("ben@clinic.example")),
                    ("clientappused", text(client)),
                    ("authenticationrequirement", text(requirement)),
                    ("isinteractive", interactive),
                    ("status", status),
                ]),
                &key(),
            ))
        };
        let (yes, no) = (|| Cell::Boolean(true), || Cell::Boolean(false));
        let single = "singleFactorAuthentication";
        assert_eq!(
            of("IMAP4", single, "0", yes()),
            ["all", "imap-or-pop", "interactive", "old-client", "single-factor", "succeeded"]
        );
        let other = of("Exchange ActiveSync", single, "0", yes());
        assert!(other.contains(&"other-old-client".to_owned()) && !other.contains(&"imap-or-pop".to_owned()));
        assert!(!of("Other clients", single, "0", yes()).contains(&"other-old-client".to_owned()));
        assert_eq!(of("Browser", "multiFactorAuthentication", "0", yes()), ["all", "interactive", "succeeded"]);
        assert_eq!(of("Browser", single, "0", no()), ["all", "not-interactive", "succeeded"]);
        assert_eq!(of("POP3", single, "50126", yes()), ["all"], "it did not succeed");
        let strange = of("Something new", "", "0", yes());
        assert_eq!(strange, ["all", "factors-not-stated", "interactive", "strange-client", "succeeded"]);
        // It may be a token that was renewed.
        assert_eq!(of("Browser", single, "0", Cell::Null), ["all", "factors-not-stated", "succeeded"]);
    }

    #[test]
    fn a_status_that_no_language_of_ours_has_is_no_failure() {
        let of = |status: Cell| {
            sign_in(
                &row(vec![
                    ("date(utc)", text("2026-09-20T08:00:00Z")),
                    ("username", text("ben@clinic.example")),
                    ("clientapp", text("IMAP4")),
                    ("authenticationrequirement", text("Single-factor authentication")),
                    ("status", status),
                ]),
                &key(),
            )
        };
        assert!(words(of(text("Success"))).contains(&"old-client".to_owned()));
        for ended in ["Failure", "interrupted"] {
            assert_eq!(words(of(text(ended))), ["all"]);
        }
        let strange = Cell::Object([("errorcode".to_owned(), text("none"))].into());
        for status in [text("Erfolg"), text(""), Cell::Null, strange] {
            assert!(of(status.clone()).is_err(), "{status:?}");
        }
    }

    #[test]
    fn an_entry_of_the_audit_log_is_told_by_what_it_set() {
        let of = |operation: &str, parameters: &str| {
            let data = format!(
                r#"{{"Operation":"{operation}","UserId":"ana@clinic.example","CreationTime":"2026-09-20T08:00:00","Parameters":{parameters}}}"#
            );
            words(audit_entry(&row(vec![("auditdata", text(&data)), ("operations", text(operation))]), &key()))
        };
        assert_eq!(of("New-InboxRule", r#"[{"Name":"ForwardTo","Value":"x@gmail.com"}]"#), ["all", "sends-on"]);
        assert_eq!(of("New-InboxRule", r#"[{"Name":"DeleteMessage","Value":"True"}]"#), ["all"]);
        assert_eq!(of("New-InboxRule", "null"), ["all", "may-send-on"]);
        assert_eq!(
            of("Set-Mailbox", r#"[{"Name":"ForwardingSmtpAddress","Value":"smtp:x@gmail.com"}]"#),
            ["all", "sends-on"]
        );
        assert_eq!(of("Set-Mailbox", r#"[{"Name":"ForwardingSmtpAddress","Value":""}]"#), ["all"], "it was taken away");
        assert_eq!(
            of("Set-MailboxAuditBypassAssociation", r#"[{"Name":"AuditBypassEnabled","Value":"True"}]"#),
            ["all", "audit-bypass"]
        );
        for let_in in [
            "Consent to application.",
            "Add app role assignment to service principal.",
            "Add delegated permission grant.",
        ] {
            assert_eq!(of(let_in, "[]"), ["all", "consent"], "{let_in}");
        }
        for (operation, parameter, value, word) in [
            ("New-TransportRule", "BlindCopyTo", "x@gmail.com", "sends-on"),
            ("Set-TransportRule", "RedirectMessageTo", "x@gmail.com", "sends-on"),
            ("Set-TransportRule", "RouteMessageOutboundConnector", "to-archive", "sends-on"),
            ("New-JournalRule", "JournalEmailAddress", "x@gmail.com", "sends-on"),
            ("Set-Mailbox", "AuditEnabled", "False", "audit-bypass"),
            ("Set-OrganizationConfig", "AuditDisabled", "$true", "audit-bypass"),
            ("Set-AdminAuditLogConfig", "UnifiedAuditLogIngestionEnabled", "False", "audit-bypass"),
        ] {
            let set = format!(r#"[{{"Name":"{parameter}","Value":"{value}"}}]"#);
            assert!(of(operation, &set).contains(&word.to_owned()), "{operation}");
            let other = r#"[{"Name":"Comments","Value":"x"}]"#;
            assert!(operation == "New-JournalRule" || of(operation, other) == ["all"], "{operation}");
        }
        assert_eq!(of("Set-OrganizationConfig", "null"), ["all", "may-end-auditing"]);
    }

    #[test]
    fn only_an_entry_of_the_same_sort_shows_that_a_log_was_not_searched() {
        let of = |operation: &str, workload: &str| {
            let data = format!(
                r#"{{"Operation":"{operation}","Workload":"{workload}","UserId":"ana@clinic.example","CreationTime":"2026-09-20T08:00:00"}}"#
            );
            words(audit_entry(&row(vec![("auditdata", text(&data)), ("operations", text(operation))]), &key()))
        };
        assert_eq!(of("Set-CASMailbox", "Exchange"), ["all", "other-cmdlet"]);
        assert_eq!(of("MailItemsAccessed", "Exchange"), ["all", "in-mailbox"]);
        assert_eq!(of("Update user.", "AzureActiveDirectory"), ["all", "other-directory"]);
        assert_eq!(of("UserLoggedIn", "AzureActiveDirectory"), ["all"], "sign-ins are a log of their own");
        assert_eq!(of("FileAccessed", "SharePoint"), ["all"]);
        for (operation, workload) in [("Set-CsTenantFederationConfiguration", "MicrosoftTeams"), ("Create", "Planner")]
        {
            assert_eq!(of(operation, workload), ["all"], "{operation}");
        }
        for switched_on in ["Enable-InboxRule", "Enable-JournalRule", "Enable-TransportRule"] {
            assert_eq!(of(switched_on, "Exchange"), ["all", "may-send-on"]);
        }
    }

    #[test]
    fn passwords_of_programs_are_told_by_their_number_or_one_by_one() {
        let of = |cells: &[(&'static str, &str)]| {
            let mut all = vec![("user", text("dan@practice.example"))];
            all.extend(cells.iter().map(|(column, cell)| (*column, text(cell))));
            app_password(&row(all), &key())
        };
        assert_eq!(words(of(&[("asps", "2")])), ["all", "app-password"]);
        assert_eq!(words(of(&[("asps", "0")])), ["all"], "dan was asked and has none");
        assert_eq!(words(of(&[("asp.codeid", "1")])), ["all", "app-password"]);
        for strange in [&[("asps", "")][..], &[("asps", "some")], &[("asp.codeid", "")]] {
            assert!(of(strange).is_err(), "{strange:?}");
        }
    }

    #[test]
    fn nothing_of_the_other_side_is_kept_of_a_message() {
        let mut own = OwnDomains::default();
        own.add("clinic.example".parse().unwrap(), false);
        own.add("clinic-group.example".parse().unwrap(), true);
        let sent = |from: &str, to: &str| {
            message(
                &row(vec![
                    ("received", text("2026-09-20T08:00:00Z")),
                    ("senderaddress", text(from)),
                    ("recipientaddress", text(to)),
                ]),
                &key(),
                &own,
            )
        };
        let found = sent("ana@clinic.example", "jane.doe@gmail.com");
        let stored = serde_json::to_string(&found.clone().unwrap()).unwrap();
        assert!(!stored.contains("gmail") && !stored.contains("jane") && !stored.contains("ana@"), "{stored}");
        assert_eq!(words(found), ["all", "consumer-webmail", "other-domain"]);
        assert_eq!(words(sent("ana@clinic.example", "desk@north.clinic-group.example")), ["all"], "both are own");
        assert_eq!(words(sent("ana@clinic.example", "desk@north.clinic.example")), ["all", "other-domain"]);
        let stranger = sent("jane.doe@gmail.com", "ana@clinic.example");
        assert_eq!(stranger, sent("x@other.example", "ben@clinic.example"), "nobody tells strangers apart");
        assert_eq!(words(stranger), ["all", "from-outside"]);
    }
}
