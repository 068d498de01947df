//! Reads which programs were let into mailboxes, and the tenant's rules against leaks.
//!
//! Of a program only its id leaves, and of its permissions only those that reach mail.

use super::row::{Cell, Row};
use crate::evidence::export::{Record, TenantSetting};
use crate::keyed::KeyedReference;
use crate::seen::Seen;

/// Permissions that read, send or steer mail, lower case (Microsoft Graph permissions reference,
/// Gmail API scopes; both read 2026-11).
const MAIL_SCOPES: [&str; 16] = [
    "mail.read",
    "mail.readwrite",
    "mail.readbasic",
    "mail.send",
    "mailboxsettings.readwrite",
    "full_access_as_app",
    "imap.accessasapp",
    "imap.accessasuser.all",
    "pop.accessasuser.all",
    "smtp.send",
    "ews.accessasuser.all",
    "mail-advanced.readwrite",
    "mailboxitem.export",
    "mailboxitem.importexport",
    "mailboxitem.read",
    "mailboxitem.readwrite",
];
const GOOGLE_SCOPES: [&str; 2] = ["https://mail.google.com", "https://www.googleapis.com/auth/gmail."];

fn reaches_mail(scopes: &str) -> bool {
    scopes.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|')).any(|scope| {
        let scope = scope.trim().to_ascii_lowercase();
        let bare = scope.rsplit('/').next().unwrap_or_default();
        let bare = bare.strip_suffix(".all").filter(|bare| MAIL_SCOPES.contains(bare)).unwrap_or(bare);
        let bare = bare.strip_suffix(".shared").unwrap_or(bare);
        MAIL_SCOPES.contains(&bare) || GOOGLE_SCOPES.iter().any(|known| scope.starts_with(known))
    })
}

fn setting(provider: &str, name: &str, of: Option<String>, value: Seen<String>) -> Record {
    Record::TenantSetting(Box::new(TenantSetting {
        provider: provider.to_owned(),
        setting: name.to_owned(),
        of,
        value,
    }))
}

/// The id of a program: letters, digits and what stands in ids, or a keyed reference of it.
fn program(text: &str, key: &KeyedReference) -> String {
    let plain = text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if plain { text.to_ascii_lowercase() } else { key.of(text) }
}

/// Graph's oauth2PermissionGrants: `AllPrincipals` holds for every mailbox.
pub fn app_grant(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let id = row.text("clientid").ok_or_else(|| "clientid is empty".to_owned())?;
    let value = match row.seen("scope") {
        Seen::Present(cell) => {
            let mail = reaches_mail(cell.text().unwrap_or_default());
            match (mail, row.word("consenttype").present().map(String::as_str)) {
                (false, _) => Seen::Present("no-mail".to_owned()),
                (true, Some("allprincipals")) => Seen::Present("mail-of-everybody".to_owned()),
                (true, Some("principal")) => Seen::Present("mail-of-one".to_owned()),
                (true, _) => Seen::Unknown(row.unreadable("consenttype", "an unknown word")),
            }
        }
        Seen::Absent => Seen::Present("no-mail".to_owned()),
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    Ok(vec![setting("microsoft365", "app-grant", Some(program(id, key)), value)])
}

/// Permissions that a program holds without a user and that reach everybody's mail, by the id of the role:
/// Graph's Mail.Read, Mail.ReadBasic, Mail.ReadBasic.All, Mail.ReadWrite, Mail.Send, MailboxItem.Export.All,
/// MailboxItem.ImportExport.All, MailboxItem.Read.All, MailboxSettings.ReadWrite, of which Exchange Online
/// shares some, and its full_access_as_app (Microsoft Graph permissions reference, read 2026-11).
const MAIL_ROLES: [&str; 10] = [
    "693c5e45-0940-467d-9b8a-1022fb9d42ef",
    "6931bccd-447a-43d1-b442-00a195474933",
    "6be147d2-ea4f-4b5a-a3fa-3eab6f3c140a",
    "76577085-e73d-4f1d-b26a-85fb33892327",
    "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce",
    "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "937550e9-33a3-494b-88ae-d9cd394b1fbb",
    "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
    "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
];

/// Roles of Graph that many programs hold and that reach no mail: Application.Read.All, AuditLog.Read.All,
/// DeviceManagementManagedDevices.Read.All, Directory.Read.All, Files.Read.All, GroupMember.Read.All,
/// MailboxSettings.Read, Organization.Read.All, Place.Read.All, Policy.Read.All, Policy.Read.ConditionalAccess,
/// Presence.Read.All, Reports.Read.All, RoleManagement.Read.Directory, SecurityAlert.Read.All,
/// SecurityEvents.Read.All, Sites.Read.All, User.Read.All, User.ReadBasic.All,
/// UserAuthenticationMethod.Read.All (Microsoft Graph permissions reference, read 2026-11).
/// Those that come anew, and those that let a program give itself others or change how people sign in, are not among them.
const OTHER_ROLES: [&str; 20] = [
    "01d4889c-1287-42c6-ac1f-5d1e02578ef6",
    "230c1aed-a721-4c5d-9cb4-a90514e508ef",
    "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "2f51be20-0bb4-4fed-bf7b-db946066c75e",
    "332a536c-c7ef-4017-ab91-336970924f0d",
    "37730810-e9ba-4e46-b07e-8ca78d182097",
    "38d9df27-64da-44fd-b7c5-a6fbac20248f",
    "40f97065-369a-49f4-947c-6a255697ae91",
    "472e4a4d-bb4a-4026-98d1-0b0d74cb74a5",
    "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "913b9306-0ce1-42b8-9137-6a7df690a760",
    "97235f07-e226-4f63-ace3-39588e11d3a1",
    "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "a70e0c2d-e793-494c-94c4-118fa0a67f42",
    "b0afded3-3588-46d8-8b3d-9842eff778da",
    "bf394140-e372-4bf9-a898-299cfc7564e5",
    "df021288-bdef-4463-88db-98f22de89214",
];

/// Graph's appRoleAssignments: what a program may do without anybody signing in. A role of one of the two
/// services that hold mail that is not among those known here may reach mail.
pub fn app_role(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let id = row.text("principalid").ok_or_else(|| "principalid is empty".to_owned())?;
    let role = row.text("approleid").ok_or_else(|| "approleid is empty".to_owned())?;
    let is_among = |roles: &[&str]| roles.iter().any(|known| role.eq_ignore_ascii_case(known));
    let resource = row.text("resourcedisplayname").map(str::to_ascii_lowercase);
    let holds_mail = |name: &str| name == "microsoft graph" || name.contains("exchange");
    let value = if is_among(&MAIL_ROLES) {
        Seen::Present("mail-of-everybody".to_owned())
    } else if is_among(&OTHER_ROLES) || resource.is_some_and(|name| !holds_mail(&name)) {
        Seen::Present("no-mail".to_owned())
    } else {
        Seen::Unknown(row.unreadable("approleid", "a role that is not known here"))
    };
    let mut records = vec![setting("microsoft365", "app-role", Some(program(id, key)), value)];
    if is_among(&ROLES_BEYOND_POLICIES) {
        let beyond = Seen::Present("true".to_owned());
        records.push(setting("microsoft365", "app-role-beyond-policies", Some(program(id, key)), beyond));
    }
    Ok(records)
}

/// Of `MAIL_ROLES` those that no application access policy limits: MailboxItem.Export.All,
/// MailboxItem.ImportExport.All, MailboxItem.Read.All are not among the permissions that Microsoft Learn
/// names ("Limiting application permissions to specific Exchange Online mailboxes", read 2026-11).
const ROLES_BEYOND_POLICIES: [&str; 3] = [
    "76577085-e73d-4f1d-b26a-85fb33892327",
    "7d9f353d-a7bd-4fbb-822a-26d5dd39a3ce",
    "937550e9-33a3-494b-88ae-d9cd394b1fbb",
];

/// `Get-ApplicationAccessPolicy`: of which programs, by their application's id, access is limited to the
/// members of a group (`restrictaccess`) or denied for them alone (`denyaccess`), which leaves everybody else.
pub fn access_policy(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let ids = row.texts("appid");
    if ids.is_empty() {
        return Err("appid is empty".to_owned());
    }
    let right = match row.word("accessright") {
        Seen::Present(right) if ["denyaccess", "restrictaccess"].contains(&right.as_str()) => Seen::Present(right),
        Seen::Present(_) => {
            Seen::Unknown(row.unreadable("accessright", "a number or an unknown word; export with -EnumsAsStrings"))
        }
        Seen::Absent => Seen::not_provided("AccessRight of every application access policy"),
        seen => seen,
    };
    let ids = ids.into_iter().flat_map(|text| text.split([',', ';', ' '])).filter(|id| !id.is_empty());
    Ok(ids.map(|id| setting("microsoft365", "access-policy", Some(program(id, key)), right.clone())).collect())
}

/// `Get-ManagementRoleAssignment`: what a program may do by a role for applications, and whether that is
/// limited to some mailboxes. Assignments of people and groups are not kept. A limit here does not limit
/// what Entra grants beside it: the two add up (Microsoft Learn, "Role Based Access Control for
/// Applications in Exchange Online", read 2026-11).
pub fn role_assignment(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let of = ["roleassignee", "roleassigneename"].into_iter().find_map(|column| row.text(column));
    let of_a_program = row.word("roleassigneetype").present().is_some_and(|kind| kind == "serviceprincipal");
    let role = row.text("role").unwrap_or_default().to_ascii_lowercase();
    let value = match row.word("roleassigneetype") {
        Seen::Present(kind) if kind == "serviceprincipal" => match reaches_mail_as_role(&role) {
            _ if row.flag("enabled").present() == Some(&false) => Seen::Present("no-mail".to_owned()),
            Some(false) => Seen::Present("no-mail".to_owned()),
            Some(true) => limited(row),
            None => Seen::Unknown(row.unreadable("role", "a role that is not known here")),
        },
        // What people and groups may do is no program's permission.
        Seen::Present(kind) if kind.bytes().all(|byte| byte.is_ascii_alphabetic()) => return Ok(Vec::new()),
        Seen::Present(_) => Seen::Unknown(row.unreadable("roleassigneetype", "a number; export with -EnumsAsStrings")),
        Seen::Absent | Seen::Malformed(_) => Seen::not_provided("RoleAssigneeType of every role assignment"),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    // Who may be a person is not named.
    let of = of.map(|of| if of_a_program { program(of, key) } else { key.of(of) });
    Ok(vec![setting("microsoft365", "role-assignment", of, value)])
}

/// Whether a role for applications reaches mail; `None` for a role that is not known here.
fn reaches_mail_as_role(role: &str) -> Option<bool> {
    const OTHER: [&str; 6] = [
        "calendars.read",
        "calendars.readwrite",
        "contacts.read",
        "contacts.readwrite",
        "mailboxfolder.read",
        "mailboxsettings.read",
    ];
    const WHOLE: [&str; 6] = [
        "ews.accessasapp",
        "exchange full access",
        "imap.accessasapp",
        "mail full access",
        "pop.accessasapp",
        "smtp.sendasapp",
    ];
    if role == "applicationimpersonation" {
        return Some(true);
    }
    let bare = role.strip_prefix("application ")?;
    if WHOLE.contains(&bare) || reaches_mail(bare) {
        Some(true)
    } else if OTHER.contains(&bare) {
        Some(false)
    } else {
        None
    }
}

/// Where a role holds: `mail-of-some`, or `mail-of-everybody`.
fn limited(row: &Row) -> Seen<String> {
    let scope = row.filled("customresourcescope");
    let kind = row.word("recipientwritescope");
    if scope.present() == Some(&true) {
        return Seen::Present("mail-of-some".to_owned());
    }
    match (scope, kind) {
        (_, Seen::Present(kind))
            if ["administrativeunit", "customrecipientscope", "group"].contains(&kind.as_str()) =>
        {
            Seen::Present("mail-of-some".to_owned())
        }
        (Seen::Present(false), Seen::Present(kind)) if kind == "organization" => {
            Seen::Present("mail-of-everybody".to_owned())
        }
        (Seen::Unknown(reason), _) | (_, Seen::Unknown(reason)) => Seen::Unknown(reason),
        (_, Seen::Present(_)) => Seen::Unknown(row.unreadable("recipientwritescope", "an unknown word")),
        (_, Seen::Absent | Seen::Malformed(_)) => Seen::not_provided("RecipientWriteScope of every role assignment"),
    }
}

/// `gam print tokens`: what one user let in.
pub fn google_token(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let id = row.text("clientid").ok_or_else(|| "clientid is empty".to_owned())?;
    let value = match row.seen("scopes") {
        Seen::Present(cell) if reaches_mail(cell.text().unwrap_or_default()) => Seen::Present("mail-of-one".to_owned()),
        Seen::Present(_) | Seen::Absent => Seen::Present("no-mail".to_owned()),
        Seen::Malformed(malformed) => Seen::Malformed(malformed),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    };
    Ok(vec![setting("google-workspace", "app-grant", Some(program(id, key)), value)])
}

/// A data loss prevention policy.
pub fn dlp_policy(row: &Row) -> Record {
    let for_mail = match (row.seen("workload"), row.seen("exchangelocation")) {
        (Seen::Present(cell), _) if cell.text().is_some_and(|text| text.to_ascii_lowercase().contains("exchange")) => {
            Seen::Present(true)
        }
        (_, Seen::Present(_)) => Seen::Present(true),
        (Seen::Present(_), Seen::Absent) | (Seen::Absent, Seen::Absent) => Seen::Present(false),
        (_, Seen::Unknown(reason)) | (Seen::Unknown(reason), _) => Seen::Unknown(reason),
        (_, Seen::Malformed(_)) | (Seen::Malformed(_), _) => Seen::not_provided("where the policy holds"),
    };
    let in_force = Seen::Present(row.flag("enabled").present() != Some(&false));
    setting("microsoft365", "dlp-policy", None, state_for_mail(row, for_mail, in_force))
}

/// `Get-RetentionCompliancePolicy`. Its `Workload` names every service that policies are made for, whatever
/// this one is made for; an adaptive scope is one of people, groups or sites, and only `Applications` says
/// whether mail is meant.
pub fn retention_policy(row: &Row, key: &KeyedReference) -> Vec<Record> {
    let names_exchange =
        || row.texts("applications").iter().any(|application| application.to_ascii_lowercase().contains("exchange"));
    let for_mail = match (row.filled("exchangelocation"), row.filled("adaptivescopelocation")) {
        (Seen::Present(true), _) => Seen::Present(true),
        (_, Seen::Present(true)) if names_exchange() => Seen::Present(true),
        (Seen::Present(false), Seen::Present(true)) => {
            Seen::not_provided("Applications of every retention policy with an adaptive scope")
        }
        (Seen::Present(false), other) => other,
        (one, _) => one,
    };
    let state = state_for_mail(row, for_mail, distributed(row));
    let mut records = vec![setting("microsoft365", "retention-policy", None, state.clone())];
    // What places have not taken is no policy in force, and yet one that was switched on may delete or keep
    // somewhere, as one that was switched off may still.
    let here = match (row.word("mode"), taken(row)) {
        (Seen::Present(mode), _) if mode == "pendingdeletion" => {
            Seen::not_provided("whether a retention policy that is being deleted still holds (Mode)")
        }
        (Seen::Present(_), Seen::Present(true)) => state,
        _ if state.present().is_some_and(|state| state == "off") => {
            Seen::not_provided("whether the places of a retention policy have taken it (DistributionStatus Success)")
        }
        _ => state,
    };
    records.extend(super::retention::places(row, &here, key));
    records
}

/// Whether a retention policy is switched on and every place that it is for has taken it.
fn distributed(row: &Row) -> Seen<bool> {
    match (row.flag("enabled"), taken(row)) {
        (Seen::Present(false), _) | (_, Seen::Present(false)) => Seen::Present(false),
        (Seen::Present(true), taken) => taken,
        (enabled, _) => enabled,
    }
}

/// Whether every place that a policy is for has taken it as it is now.
fn taken(row: &Row) -> Seen<bool> {
    match row.word("distributionstatus") {
        Seen::Present(status) if status == "success" => Seen::Present(true),
        Seen::Present(status) if status.bytes().all(|byte| byte.is_ascii_alphabetic()) => Seen::Present(false),
        Seen::Present(_) => Seen::Unknown(row.unreadable("distributionstatus", "a number")),
        seen => seen.map(|_| false),
    }
}

/// The tenants to which Microsoft's own programs belong (Microsoft Learn, "Verify first-party Microsoft
/// applications in sign-in reports").
const MICROSOFT: [&str; 2] = ["f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"];

/// Graph's servicePrincipals: whether somebody vouches for who made the program: `microsoft`,
/// `verified`, `unverified`.
pub fn publisher(row: &Row, key: &KeyedReference) -> Result<Vec<Record>, String> {
    let id = row.text("id").ok_or_else(|| "id is empty".to_owned())?;
    let of_microsoft = row
        .text("appownerorganizationid")
        .is_some_and(|owner| MICROSOFT.iter().any(|known| owner.eq_ignore_ascii_case(known)));
    let value = match row.cell("verifiedpublisher") {
        _ if of_microsoft => Seen::Present("microsoft".to_owned()),
        Some(cell @ Cell::Object(_)) => {
            let named = cell.field("verifiedpublisherid").is_some_and(|id| !id.is_empty());
            Seen::Present(if named { "verified" } else { "unverified" }.to_owned())
        }
        Some(_) => Seen::Unknown(super::row::lost("verifiedpublisher")),
        None => Seen::not_provided("VerifiedPublisher of every program (-Depth 4)"),
    };
    let mut records = vec![setting("microsoft365", "program-publisher", Some(program(id, key)), value)];
    // Policies name a program by its application's id, what it holds is told by the id it has in this tenant.
    if let Some(application) = row.text("appid") {
        let application = Seen::Present(program(application, key));
        records.push(setting("microsoft365", "program-application", Some(program(id, key)), application));
    }
    Ok(records)
}

/// A policy as it bears on mail: `enforced`, `testing`, `off`, `elsewhere`.
fn state_for_mail(row: &Row, for_mail: Seen<bool>, in_force: Seen<bool>) -> Seen<String> {
    let state = match (for_mail, row.word("mode")) {
        (Seen::Present(false), _) => return Seen::Present("elsewhere".to_owned()),
        (Seen::Unknown(reason), _) | (_, Seen::Unknown(reason)) => return Seen::Unknown(reason),
        (_, Seen::Present(mode)) => match mode.as_str() {
            "enable" | "enforce" => "enforced",
            "disable" | "pendingdeletion" => return Seen::Present("off".to_owned()),
            "auditandnotify" | "test" | "testwithnotifications" | "testwithoutnotifications" => "testing",
            _ => return Seen::Unknown(row.unreadable("mode", "a number or an unknown word")),
        },
        (Seen::Absent | Seen::Malformed(_) | Seen::Present(_), Seen::Absent | Seen::Malformed(_)) => {
            return Seen::not_provided("the mode of the policy");
        }
    };
    match in_force {
        Seen::Present(true) => Seen::Present(state.to_owned()),
        Seen::Present(false) => Seen::Present("off".to_owned()),
        Seen::Absent | Seen::Malformed(_) => Seen::not_provided("whether the policy is switched on and distributed"),
        Seen::Unknown(reason) => Seen::Unknown(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scopes_that_reach_mail_count() {
        for scopes in [
            "openid Mail.Read",
            "Mail.ReadWrite.Shared",
            "https://mail.google.com/",
            "IMAP.AccessAsUser.All",
            "MailboxItem.ImportExport",
            "MailboxItem.ReadWrite.All",
            "https://www.googleapis.com/auth/gmail.readonly",
        ] {
            assert!(reaches_mail(scopes), "{scopes}");
        }
        for scopes in ["openid profile email", "User.Read", "https://www.googleapis.com/auth/drive", "mailchimp.all"] {
            assert!(!reaches_mail(scopes), "{scopes}");
        }
    }

    fn row(cells: &[(&'static str, &str)]) -> Row {
        let cells = cells.iter().map(|(column, text)| (*column, Cell::Text((*text).to_owned()))).collect();
        Row { number: 1, cells, context: None }
    }

    fn words(records: &[Record]) -> Vec<(String, String)> {
        let shown = records.iter().map(|record| match record {
            Record::TenantSetting(setting) => (
                setting.of.clone().unwrap_or_default(),
                setting.value.present().cloned().unwrap_or_else(|| "?".to_owned()),
            ),
            other => panic!("{other:?}"),
        });
        shown.collect()
    }

    #[test]
    fn an_access_policy_limits_or_denies_and_a_number_says_neither() {
        let key = KeyedReference::new(b"test");
        let of =
            |right: &str| words(&access_policy(&row(&[("appid", "A1-B2"), ("accessright", right)]), &key).unwrap());
        let is = |word: &str| vec![("a1-b2".to_owned(), word.to_owned())];
        assert_eq!(of("RestrictAccess"), is("restrictaccess"));
        assert_eq!(of("DenyAccess"), is("denyaccess"));
        assert_eq!((of("0"), of("")), (is("?"), is("?")));
        assert!(access_policy(&row(&[("accessright", "RestrictAccess")]), &key).is_err());
    }

    #[test]
    fn a_role_of_a_program_reaches_mail_of_everybody_unless_it_has_a_scope() {
        let key = KeyedReference::new(b"test");
        let of = |role: &str, kind: &str, scope: &str, write: &str| {
            let cells = [
                ("role", role),
                ("roleassigneetype", kind),
                ("roleassignee", "sp-1"),
                ("customresourcescope", scope),
                ("recipientwritescope", write),
            ];
            words(&role_assignment(&row(&cells), &key).unwrap()).into_iter().map(|(_, word)| word).collect::<Vec<_>>()
        };
        const SP: &str = "ServicePrincipal";
        for role in ["Application Mail.Read", "Application EWS.AccessAsApp", "Application Mail Full Access"] {
            assert_eq!(of(role, SP, "", "Organization"), ["mail-of-everybody"], "{role}");
            assert_eq!(of(role, SP, "Front desk", "CustomRecipientScope"), ["mail-of-some"], "{role}");
        }
        assert_eq!(of("Application Mail.Send", SP, "", "AdministrativeUnit"), ["mail-of-some"]);
        assert_eq!(of("Application Calendars.Read", SP, "", "Organization"), ["no-mail"]);
        assert_eq!(of("Application Something.New", SP, "", "Organization"), ["?"]);
        assert_eq!(of("Application Mail.Read", "17", "", "Organization"), ["?"]);
        assert!(of("Mail Recipients", "RoleGroup", "", "Organization").is_empty());
    }
}
