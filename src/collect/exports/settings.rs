//! Turns exports that say how a tenant is set up into settings: one word each.
//!
//! A column that an export does not have says nothing and gives no setting. Names of policies,
//! alerts and connectors stay here; domains of partners leave, since connectors are told by them.

use std::collections::BTreeSet;

use super::row::{Cell, Row};
use crate::evidence::export::{Record, TenantSetting};
use crate::keyed::KeyedReference;
use crate::names::DomainName;
use crate::seen::Seen;

const MICROSOFT: &str = "microsoft365";

fn setting(name: &str, of: Option<String>, value: Seen<String>) -> Record {
    Record::TenantSetting(Box::new(TenantSetting {
        provider: MICROSOFT.to_owned(),
        setting: name.to_owned(),
        of,
        value,
    }))
}

fn flag_word(row: &Row, column: &'static str) -> Seen<String> {
    row.flag(column).map(|flag| flag.to_string())
}

/// One setting for each of these columns that the row has.
fn flags(row: &Row, columns: &[(&'static str, &str)]) -> Vec<Record> {
    let there = columns.iter().filter(|(column, _)| row.has(column));
    there.map(|(column, name)| setting(name, None, flag_word(row, column))).collect()
}

/// One setting for each of these columns: of a policy that does not state one it is not known, whatever
/// other policies state.
fn flags_of_policy(row: &Row, columns: &[(&'static str, &str)]) -> Vec<Record> {
    columns.iter().map(|(column, name)| setting(name, None, flag_word(row, column))).collect()
}

/// `Get-OrganizationConfig`.
pub fn organization(row: &Row) -> Vec<Record> {
    let mut found = vec![setting("mailbox-auditing-disabled", None, flag_word(row, "auditdisabled"))];
    found.extend(flags(
        row,
        &[
            ("elcprocessingdisabled", "retention-processing-disabled"),
            ("mailtipsexternalrecipientstipsenabled", "external-recipient-tip"),
            ("oauth2clientprofileenabled", "modern-authentication"),
            ("rejectdirectsend", "direct-send-refused"),
        ],
    ));
    if row.has("activitybasedauthenticationtimeoutenabled") {
        let hours = match row.flag("activitybasedauthenticationtimeoutenabled") {
            Seen::Present(false) => Seen::Present("0".to_owned()),
            Seen::Present(true) => {
                row.hours("activitybasedauthenticationtimeoutinterval").map(|hours| hours.to_string())
            }
            seen => seen.map(|_| String::new()),
        };
        found.push(setting("session-hours", None, hours));
    }
    found
}

/// `Get-TransportConfig`.
pub fn transport_config(row: &Row) -> Vec<Record> {
    let mut found = vec![setting("smtp-auth-disabled", None, flag_word(row, "smtpclientauthenticationdisabled"))];
    found.extend(flags(row, &[("allowlegacytlsclients", "old-tls-clients")]));
    found
}

/// `Get-IRMConfiguration`: whether messages can be encrypted for anybody at all.
pub fn encryption(row: &Row) -> Vec<Record> {
    flags(row, &[("azurermslicensingenabled", "mail-encryption")])
}

/// `Get-MobileDeviceMailboxPolicy`: what each policy asks of a device.
pub fn mobile_policy(row: &Row) -> Vec<Record> {
    flags_of_policy(
        row,
        &[
            ("allownonprovisionabledevices", "mobile-any-device"),
            ("passwordenabled", "mobile-password"),
            ("requiredeviceencryption", "mobile-encryption"),
        ],
    )
}

/// `Get-AntiPhishPolicy`.
pub fn anti_phishing(row: &Row) -> Vec<Record> {
    flags_of_policy(
        row,
        &[
            ("enablefirstcontactsafetytips", "first-contact-tip"),
            ("enablespoofintelligence", "spoof-protection"),
            ("honordmarcpolicy", "dmarc-honored"),
        ],
    )
}

/// `Get-ProtectionAlert`: whether anybody is told when forwarding is set up.
pub fn alert_policy(row: &Row) -> Vec<Record> {
    // The name of the vendor's own alert, and the operations that it or one of one's own watches
    // (Microsoft Learn, "Alert policies in Microsoft 365", from general knowledge).
    const NAME: &str = "creation of forwarding/redirect rule";
    const OPERATIONS: [&str; 3] = ["mailredirect", "new-inboxrule", "set-inboxrule"];
    let operations = row.texts("operation");
    let mut operations = operations.iter().flat_map(|text| text.split([',', ';', ' ']));
    let watches = row.text("name").is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        || operations.any(|text| OPERATIONS.iter().any(|operation| text.eq_ignore_ascii_case(operation)));
    let word = |on: bool| if on { "on" } else { "off" }.to_owned();
    let value = match row.flag("disabled") {
        Seen::Present(true) => Seen::Present(word(false)),
        // One that tells nobody is none.
        Seen::Present(false) => match (row.flag("notificationenabled"), row.filled("notifyuser")) {
            (Seen::Present(false), _) | (_, Seen::Present(false)) => Seen::Present(word(false)),
            (Seen::Present(true), told) => told.map(word),
            (Seen::Absent, _) => Seen::not_provided("NotificationEnabled and NotifyUser of every alert policy"),
            (unread, _) => unread.map(word),
        },
        seen => seen.map(word),
    };
    let of = if watches { "forwarding" } else { "other" };
    vec![setting("alert", Some(of.to_owned()), value)]
}

/// Graph's authorizationPolicy: which permissions a user may give a program without an
/// administrator: `any`, `limited`, `none`.
pub fn authorization_policy(row: &Row) -> Vec<Record> {
    let nested = row.cell("defaultuserrolepermissions").and_then(|cell| cell.field("permissiongrantpoliciesassigned"));
    let found = nested.or_else(|| row.cell("permissiongrantpolicyidsassignedtodefaultuserrole"));
    let value = match found {
        None => Seen::not_provided("permissionGrantPoliciesAssigned of the default user role (-Depth 12)"),
        Some(cell)
            if cell.is_destroyed()
                || matches!(cell, Cell::TooLarge | Cell::Object(_))
                || matches!(cell, Cell::List(items) if items.iter().any(|item| matches!(item, Cell::Object(_)))) =>
        {
            Seen::Unknown(super::row::lost("permissiongrantpoliciesassigned"))
        }
        // Only a list that is there and holds nothing says that nothing is given.
        Some(cell) if cell.is_empty() && !matches!(cell, Cell::List(items) if items.is_empty()) => {
            Seen::not_provided("permissionGrantPoliciesAssigned of the default user role (-Depth 12)")
        }
        Some(cell) => {
            let policies: Vec<String> = match cell {
                Cell::List(items) => items.iter().filter_map(Cell::text).map(str::to_ascii_lowercase).collect(),
                cell => cell.text().into_iter().map(str::to_ascii_lowercase).collect(),
            };
            // Policies that are about resources a user owns let nothing into mail.
            let own = |policy: &&String| policy.starts_with("managepermissiongrantsforself.");
            let limited = |policy: &&String| {
                policy.ends_with("microsoft-user-default-low") || policy.ends_with("microsoft-user-default-recommended")
            };
            let word = match policies.iter().filter(own).collect::<Vec<_>>().as_slice() {
                [] => "none",
                given if given.iter().all(limited) => "limited",
                _ => "any",
            };
            Seen::Present(word.to_owned())
        }
    };
    vec![setting("user-consent", None, value)]
}

/// `Get-SharingPolicy`: who outside sees how much of a calendar: `free-busy`, `detail`. Contacts are
/// counted as detail.
pub fn sharing_policy(row: &Row) -> Vec<Record> {
    let enabled = match row.flag("enabled") {
        Seen::Present(false) => return vec![setting("calendar-sharing", None, Seen::Present("off".to_owned()))],
        Seen::Present(true) => None,
        Seen::Absent | Seen::Malformed(_) => {
            Some(crate::seen::NotObserved::NotProvided { what: "whether the sharing policy is switched on".to_owned() })
        }
        Seen::Unknown(reason) => Some(reason),
    };
    let value = |level: &str| match &enabled {
        Some(reason) => Seen::Unknown(reason.clone()),
        None => Seen::Present(level.to_owned()),
    };
    let domains = match row.seen("domains") {
        Seen::Present(_) => row.texts("domains"),
        Seen::Absent => return vec![setting("calendar-sharing", None, Seen::Present("off".to_owned()))],
        Seen::Malformed(malformed) => return vec![setting("calendar-sharing", None, Seen::Malformed(malformed))],
        Seen::Unknown(reason) => return vec![setting("calendar-sharing", None, Seen::Unknown(reason))],
    };
    let mut found = Vec::new();
    for text in domains {
        // `*:CalendarSharingFreeBusyDetail, ContactsSharing`; several of them in one cell are cut
        // before each name that a colon follows.
        let mut whom: Option<String> = None;
        for part in text.split([',', ';', ' ', '{', '}']).filter(|part| !part.is_empty()) {
            let level = match part.split_once(':') {
                Some((name, level)) => {
                    whom = Some(name.trim().to_lowercase());
                    level
                }
                None => part,
            };
            let level = level.trim().to_ascii_lowercase();
            let Some(word) = (match level.as_str() {
                "" => None,
                "calendarsharingfreebusysimple" => Some("free-busy"),
                _ => Some("detail"),
            }) else {
                continue;
            };
            let of = match whom.as_deref() {
                Some("*") => "every-domain".to_owned(),
                Some("anonymous") => "anybody".to_owned(),
                Some(name) if name.contains('.') && name.parse::<DomainName>().is_ok() => name.to_owned(),
                Some(_) | None => "not-readable".to_owned(),
            };
            found.push(setting("calendar-sharing", Some(of), value(word)));
        }
    }
    if found.is_empty() {
        let reason = row.unreadable("domains", "nobody in a known form");
        found.push(setting("calendar-sharing", None, Seen::Unknown(reason)));
    }
    found
}

/// `Get-OutboundConnector`, for each domain it sends to: `off`, `clear`, `encrypted`, `verified` (the
/// certificate is held against a name), and with `-by-gateway` where mail goes over a smart host that is
/// not below that domain; a connector that rules choose is one of `rules`.
pub fn outbound_connector(row: &Row) -> Result<Vec<Record>, String> {
    let name = "outbound-connector";
    if row.flag("enabled").present() == Some(&false) {
        return Ok(vec![setting(name, None, Seen::Present("off".to_owned()))]);
    }
    let tls = match row.word("tlssettings") {
        Seen::Absent => Seen::Present("clear"),
        Seen::Present(word) => match word.as_str() {
            // Any host's certificate of a known authority will do for CertificateValidation.
            "certificatevalidation" | "encryptiononly" => Seen::Present("encrypted"),
            "domainvalidation" => Seen::Present("verified"),
            _ => {
                Seen::Unknown(row.unreadable("tlssettings", "a number or an unknown word; export with -EnumsAsStrings"))
            }
        },
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    let tls = match row.flag("enabled") {
        Seen::Present(_) => tls,
        Seen::Absent | Seen::Malformed(_) => Seen::not_provided("whether the connector is switched on"),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    if row.flag("istransportrulescoped").present() == Some(&true) {
        return Ok(vec![setting(name, Some("rules".to_owned()), tls.map(str::to_owned))]);
    }
    let hosts = row.texts("smarthosts");
    let hosts: Vec<&str> =
        hosts.iter().flat_map(|text| text.split([',', ';', ' '])).filter(|host| !host.is_empty()).collect();
    let over_one_host = match (row.flag("usemxrecord"), hosts.is_empty()) {
        (Seen::Present(false), _) | (_, false) => Some(true),
        (Seen::Present(true), true) => Some(false),
        (Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_), true) => None,
    };
    let only_below = |domain: &str| {
        let below = |host: &&str| match (host.parse::<DomainName>(), domain.parse::<DomainName>()) {
            (Ok(host), Ok(domain)) => host.is_at_or_below(&domain),
            _ => false,
        };
        !hosts.is_empty() && hosts.iter().all(below)
    };
    let domains = match row.seen("recipientdomains") {
        Seen::Present(_) => row.texts("recipientdomains"),
        Seen::Absent => Vec::new(),
        Seen::Malformed(malformed) => return Ok(vec![setting(name, None, Seen::Malformed(malformed))]),
        Seen::Unknown(reason) => return Ok(vec![setting(name, None, Seen::Unknown(reason))]),
    };
    let mut found = Vec::new();
    for domain in domains.into_iter().flat_map(|text| text.split([',', ';', ' '])).map(str::trim) {
        // `smtp:clinic.example;1` is a domain with its cost.
        let domain = domain.strip_prefix("smtp:").unwrap_or(domain).to_lowercase();
        if domain.is_empty() || domain.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let dotted = domain.trim_start_matches("*.");
        let named = domain == "*" || (dotted.contains('.') && dotted.parse::<DomainName>().is_ok());
        if !named {
            return Err("recipientdomains holds something else than domains".to_owned());
        }
        let way = match over_one_host {
            Some(true) if !only_below(dotted) => tls.clone().map(|word| format!("{word}-by-gateway")),
            Some(_) => tls.clone().map(str::to_owned),
            None => Seen::not_provided("UseMXRecord and SmartHosts of every connector"),
        };
        found.push(setting(name, Some(domain), way));
    }
    if found.is_empty() {
        found.push(setting(name, None, tls.map(str::to_owned)));
    }
    Ok(found)
}

/// Policies of Google's Policy API that say yes or no, or a number, by the end of their type.
const GOOGLE: [(&str, &str, &str, Reads); 12] = [
    ("gmail.auto_forwarding", "enableautoforwarding", "external-auto-forwarding", Reads::OnOff),
    ("gmail.imap_access", "enableimapaccess", "imap-access", Reads::OnOff),
    ("gmail.mail_delegation", "enablemaildelegation", "mail-delegation", Reads::Flag),
    ("gmail.per_user_outbound_gateway", "allowuserstouseexternalsmtpservers", "outside-sending-servers", Reads::Flag),
    ("gmail.pop_access", "enablepopaccess", "pop-access", Reads::OnOff),
    ("security.less_secure_apps", "allowlesssecureapps", "less-secure-apps", Reads::Flag),
    ("security.password", "allowreuse", "password-reuse", Reads::Flag),
    ("security.password", "expirationduration", "password-expires-days", Reads::Days),
    ("security.password", "minimumlength", "password-length", Reads::Number),
    ("security.session_controls", "websessionduration", "session-hours", Reads::Hours),
    ("security.two_step_verification_enforcement", "enforcedfrom", "second-factor-from", Reads::Day),
    ("security.two_step_verification_grace_period", "enrollmentgraceperiod", "second-factor-grace-days", Reads::Days),
];

#[derive(Clone, Copy, Debug)]
enum Reads {
    Day,
    Days,
    Flag,
    Hours,
    Number,
    OnOff,
}

/// The policies that are read, each once.
pub fn google_policies() -> BTreeSet<&'static str> {
    GOOGLE.into_iter().map(|(kind, ..)| kind).collect()
}

/// A policy of the Policy API: one setting for an organizational unit or a group. What a policy does
/// not state is the default, which the export does not say.
pub fn google_policy(row: &Row, key: &KeyedReference) -> Vec<Record> {
    let whole = row.cell("setting");
    let kind = whole.and_then(|cell| cell.field("type")).and_then(Cell::text).unwrap_or_default();
    let value = whole.and_then(|cell| cell.field("value"));
    let query = row.cell("policyquery");
    let of = query
        .and_then(|query| query.field("group").or_else(|| query.field("orgunit")))
        .and_then(Cell::text)
        .map(|unit| key.of(unit));
    // Whether a service is switched on: the part before the dot names it.
    let last = kind.rsplit('/').next().unwrap_or_default();
    if let Some(service) = last.strip_suffix(".service_status")
        && !service.is_empty()
        && service.len() <= 40
        && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        let state = value.and_then(|value| value.field("servicestate")).and_then(Cell::text);
        let value = match state.map(str::to_ascii_lowercase).as_deref() {
            Some("enabled") => Seen::Present("on".to_owned()),
            Some("disabled") => Seen::Present("off".to_owned()),
            _ => Seen::not_provided(format!("whether the service {service} is on")),
        };
        return vec![Record::TenantSetting(Box::new(TenantSetting {
            provider: "google-workspace".to_owned(),
            setting: "service".to_owned(),
            of: Some(service.to_owned()),
            value,
        }))];
    }
    let matching = GOOGLE.into_iter().filter(|(suffix, ..)| kind.rsplit('/').next() == Some(suffix));
    let records = matching.map(|(_, field, name, reads)| {
        // The readers of rows read one cell under a name that is known.
        let cell = value.and_then(|value| value.field(field)).cloned().unwrap_or(Cell::Null);
        let one = Row { number: row.number, cells: vec![("value", cell)], context: None };
        let read = match reads {
            Reads::Day => one.day("value").map(|day| day.to_string()),
            Reads::Days => one.days("value").map(|days| days.to_string()),
            Reads::Flag => flag_word(&one, "value"),
            Reads::Hours => one.hours("value").map(|hours| hours.to_string()),
            Reads::Number => one.count("value").map(|count| count.to_string()),
            Reads::OnOff => one.flag("value").map(|on| if on { "on" } else { "off" }.to_owned()),
        };
        let value = match read {
            Seen::Present(word) => Seen::Present(word),
            Seen::Malformed(malformed) => Seen::Malformed(malformed),
            Seen::Absent | Seen::Unknown(_) => Seen::not_provided(format!("the value of the policy {name}")),
        };
        Record::TenantSetting(Box::new(TenantSetting {
            provider: "google-workspace".to_owned(),
            setting: name.to_owned(),
            of: of.clone(),
            value,
        }))
    });
    records.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[(&'static str, &str)]) -> Row {
        let cells = cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned()))).collect();
        Row { number: 1, cells, context: None }
    }

    fn words(records: &[Record]) -> Vec<(String, String)> {
        records
            .iter()
            .map(|record| match record {
                Record::TenantSetting(setting) => (
                    setting.of.clone().unwrap_or_default(),
                    setting.value.present().cloned().unwrap_or_else(|| "?".to_owned()),
                ),
                _ => panic!("a setting"),
            })
            .collect()
    }

    #[test]
    fn a_connector_is_told_by_its_domains_and_what_it_insists_on() {
        let of = |cells: &[(&'static str, &str)]| words(&outbound_connector(&row(cells)).unwrap());
        let one = |of: &str, word: &str| vec![(of.to_owned(), word.to_owned())];
        let lab =
            [("enabled", "True"), ("recipientdomains", "smtp:lab.example;1"), ("tlssettings", "DomainValidation")];
        assert_eq!(of(&lab), one("lab.example", "?"), "it may go over a gateway");
        assert_eq!(of(&[&lab[..], &[("usemxrecord", "True")]].concat()), one("lab.example", "verified"));
        assert_eq!(
            of(&[("enabled", "True"), ("recipientdomains", "*"), ("tlssettings", ""), ("usemxrecord", "False")]),
            one("*", "clear-by-gateway")
        );
        let over = |host: &'static str| {
            of(&[
                ("enabled", "True"),
                ("recipientdomains", "lab.example"),
                ("tlssettings", "DomainValidation"),
                ("usemxrecord", "False"),
                ("smarthosts", host),
            ])
        };
        assert_eq!(over("mx.lab.example"), one("lab.example", "verified"));
        for gateway in ["[192.0.2.1]", "gateway.example", "evillab.example", "mx.lab.example,gateway.example", ""] {
            assert_eq!(over(gateway), one("lab.example", "verified-by-gateway"), "{gateway}");
        }
        let any_name = [
            ("enabled", "True"),
            ("recipientdomains", "lab.example"),
            ("tlssettings", "CertificateValidation"),
            ("usemxrecord", "True"),
        ];
        assert_eq!(of(&any_name), one("lab.example", "encrypted"), "no name is held against it");
        assert_eq!(of(&[("enabled", "False"), ("recipientdomains", "lab.example")]), one("", "off"));
        assert_eq!(
            of(&[("enabled", "True"), ("recipientdomains", "lab.example"), ("tlssettings", "2")]),
            one("lab.example", "?")
        );
        assert_eq!(
            of(&[("enabled", "True"), ("recipientdomains", "System.String[]"), ("tlssettings", "EncryptionOnly")]),
            one("", "?")
        );
        assert!(
            outbound_connector(&row(&[("enabled", "True"), ("recipientdomains", "Jane Doe"), ("tlssettings", "")]))
                .is_err()
        );
    }

    #[test]
    fn a_sharing_policy_is_told_by_whom_it_lets_see_what() {
        let of = |text: &str| words(&sharing_policy(&row(&[("enabled", "True"), ("domains", text)])));
        let said =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
        assert_eq!(
            of("Anonymous:CalendarSharingFreeBusyReviewer, *:CalendarSharingFreeBusySimple"),
            said(&[("anybody", "detail"), ("every-domain", "free-busy")])
        );
        assert_eq!(
            of("*:CalendarSharingFreeBusySimple,ContactsSharing"),
            said(&[("every-domain", "free-busy"), ("every-domain", "detail")])
        );
        assert_eq!(of("System.String[]"), said(&[("", "?")]));
        assert_eq!(words(&sharing_policy(&row(&[("enabled", "False"), ("domains", "*:X")]))), said(&[("", "off")]));
    }

    #[test]
    fn what_users_may_let_in_is_one_of_three_words() {
        let of = |policies: &[&str]| {
            let list = Cell::List(policies.iter().map(|text| Cell::Text((*text).to_owned())).collect());
            let inner = Cell::Object([("permissiongrantpoliciesassigned".to_owned(), list)].into());
            let row = Row { number: 1, cells: vec![("defaultuserrolepermissions", inner)], context: None };
            words(&authorization_policy(&row)).remove(0).1
        };
        assert_eq!(of(&["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]), "any");
        assert_eq!(of(&["ManagePermissionGrantsForSelf.microsoft-user-default-low"]), "limited");
        assert_eq!(of(&["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed"]), "none");
        assert_eq!(of(&[]), "none");
        let cut = row(&[("defaultuserrolepermissions", "@{permissionGrantPoliciesAssigned=}")]);
        assert_eq!(words(&authorization_policy(&cut)).remove(0).1, "?");
        let flat = |cell| {
            let cells = vec![("permissiongrantpolicyidsassignedtodefaultuserrole", cell)];
            words(&authorization_policy(&Row { number: 1, cells, context: None })).remove(0).1
        };
        assert_eq!((flat(Cell::Null), flat(Cell::Text(" ".to_owned()))), ("?".to_owned(), "?".to_owned()));
        assert_eq!(flat(Cell::List(vec![Cell::Null])), "?");
        assert_eq!(flat(Cell::List(Vec::new())), "none");
    }

    #[test]
    fn an_alert_is_told_by_its_whole_name_or_its_operations_and_by_whom_it_tells() {
        let of = |name: &str, operation: &str, notified: &str, whom: &str| {
            let cells =
                [("name", name), ("operation", operation), ("notificationenabled", notified), ("notifyuser", whom)];
            let cells = cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned())));
            let cells = cells.chain([("disabled", Cell::Boolean(false))]).collect();
            words(&alert_policy(&Row { number: 1, cells, context: None })).remove(0)
        };
        let is = |of: &str, value: &str| (of.to_owned(), value.to_owned());
        let vendors = "Creation of forwarding/redirect rule";
        assert_eq!(of(vendors, "", "True", "TenantAdmins"), is("forwarding", "on"));
        assert_eq!(of("Ours", "MailRedirect", "True", "it@clinic.example"), is("forwarding", "on"));
        assert_eq!(of("No more forwarding of phish", "SearchStarted", "True", "x"), is("other", "on"));
        assert_eq!(of("Ours", "Remove-MailRedirect", "True", "x"), is("other", "on"));
        assert_eq!(of(vendors, "", "False", "TenantAdmins"), is("forwarding", "off"));
        assert_eq!(of(vendors, "", "True", ""), is("forwarding", "off"), "it tells nobody");
        let silent = row(&[("name", vendors), ("disabled", "False")]);
        assert_eq!(words(&alert_policy(&silent)).remove(0), is("forwarding", "?"));
    }

    #[test]
    fn a_policy_that_does_not_state_a_setting_leaves_it_unknown() {
        let mobile = words(&mobile_policy(&row(&[("allownonprovisionabledevices", "False")])));
        assert_eq!(mobile.iter().filter(|(_, value)| value == "?").count(), 2);
        let phishing = words(&anti_phishing(&row(&[("enablespoofintelligence", "True")])));
        assert_eq!(phishing.iter().filter(|(_, value)| value == "?").count(), 2);
    }
}
