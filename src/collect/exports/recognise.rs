//! Tells what an export holds from its columns; a file's name is no more than a hint.
//!
//! Each format names the columns that identify it. Every identifying set that is wholly there
//! counts by how many columns it has; the largest wins. Two formats that come out alike are not
//! guessed between.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::row::{Row, comparable};

/// The format of this name, whole (`microsoft365.mailboxes`) or without its provider.
pub fn format_named(name: &str) -> Option<&'static str> {
    const ELSEWHERE: [&str; 9] = [
        "self-hosted.aliases",
        "self-hosted.dovecot",
        "self-hosted.forward-file",
        "self-hosted.opendkim",
        "self-hosted.postfix",
        "self-hosted.rspamd-dkim",
        "self-hosted.sieve",
        "self-hosted.zimbra",
        "self-hosted.zimbra-accounts",
    ];
    let all = || Format::ALL.into_iter().map(Format::as_str).chain(ELSEWHERE);
    all().find(|format| *format == name).or_else(|| all().find(|format| format.rsplit('.').next() == Some(name)))
}

/// What a file was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    AcceptedDomains,
    AccessPolicies,
    AdminAuditLog,
    AlertPolicies,
    AntiPhishing,
    AppGrants,
    AppRoles,
    AuditBypass,
    AuditLog,
    AuthorizationPolicy,
    CasMailboxes,
    ConditionalAccess,
    DirectoryRoles,
    DkimSigning,
    DlpPolicies,
    Encryption,
    FolderPermissions,
    FolderStatistics,
    GoogleAdmins,
    GoogleAppPasswords,
    GoogleDelegates,
    GoogleFilters,
    GoogleForwardingAddresses,
    GoogleForwards,
    GoogleGroupMembers,
    GoogleImap,
    GoogleLoginAudit,
    GooglePolicies,
    GooglePop,
    GoogleSendAs,
    GoogleTokens,
    GoogleUsersConsole,
    GoogleUsersGam,
    GoogleVaultHolds,
    GraphInboxRules,
    GroupMembers,
    InactiveMailboxes,
    InboxRules,
    JournalRules,
    MailboxPermissions,
    Mailboxes,
    MessageTrace,
    MfaRegistration,
    MobilePolicies,
    Organization,
    OutboundConnectors,
    OutboundSpam,
    PerUserMfa,
    PermissionsExtractor,
    RecipientPermissions,
    Recipients,
    RemoteDomains,
    RetentionAssignments,
    RetentionPolicies,
    RetentionRules,
    RetentionTags,
    RoleAssignments,
    SecurityDefaults,
    ServicePrincipals,
    SharingPolicies,
    SignIns,
    SweepRules,
    TransportConfig,
    TransportRules,
    Users,
}

impl Format {
    /// Every format, in the order of the enum.
    pub const ALL: [Self; 65] = [
        Self::AcceptedDomains,
        Self::AccessPolicies,
        Self::AdminAuditLog,
        Self::AlertPolicies,
        Self::AntiPhishing,
        Self::AppGrants,
        Self::AppRoles,
        Self::AuditBypass,
        Self::AuditLog,
        Self::AuthorizationPolicy,
        Self::CasMailboxes,
        Self::ConditionalAccess,
        Self::DirectoryRoles,
        Self::DkimSigning,
        Self::DlpPolicies,
        Self::Encryption,
        Self::FolderPermissions,
        Self::FolderStatistics,
        Self::GoogleAdmins,
        Self::GoogleAppPasswords,
        Self::GoogleDelegates,
        Self::GoogleFilters,
        Self::GoogleForwardingAddresses,
        Self::GoogleForwards,
        Self::GoogleGroupMembers,
        Self::GoogleImap,
        Self::GoogleLoginAudit,
        Self::GooglePolicies,
        Self::GooglePop,
        Self::GoogleSendAs,
        Self::GoogleTokens,
        Self::GoogleUsersConsole,
        Self::GoogleUsersGam,
        Self::GoogleVaultHolds,
        Self::GraphInboxRules,
        Self::GroupMembers,
        Self::InactiveMailboxes,
        Self::InboxRules,
        Self::JournalRules,
        Self::MailboxPermissions,
        Self::Mailboxes,
        Self::MessageTrace,
        Self::MfaRegistration,
        Self::MobilePolicies,
        Self::Organization,
        Self::OutboundConnectors,
        Self::OutboundSpam,
        Self::PerUserMfa,
        Self::PermissionsExtractor,
        Self::RecipientPermissions,
        Self::Recipients,
        Self::RemoteDomains,
        Self::RetentionAssignments,
        Self::RetentionPolicies,
        Self::RetentionRules,
        Self::RetentionTags,
        Self::RoleAssignments,
        Self::SecurityDefaults,
        Self::ServicePrincipals,
        Self::SharingPolicies,
        Self::SignIns,
        Self::SweepRules,
        Self::TransportConfig,
        Self::TransportRules,
        Self::Users,
    ];

    /// The name in evidence and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AcceptedDomains => "microsoft365.accepted-domains",
            Self::AccessPolicies => "microsoft365.access-policies",
            Self::GoogleGroupMembers => "google-workspace.group-memberships",
            Self::GoogleVaultHolds => "google-workspace.vault-holds",
            Self::GroupMembers => "microsoft365.group-members",
            Self::InactiveMailboxes => "microsoft365.inactive-mailboxes",
            Self::RetentionAssignments => "microsoft365.retention-policies",
            Self::RetentionRules => "microsoft365.retention-rules",
            Self::RetentionTags => "microsoft365.retention-tags",
            Self::RoleAssignments => "microsoft365.role-assignments",
            Self::AuditLog => "microsoft365.unified-audit-log",
            Self::DirectoryRoles => "microsoft365.directory-roles",
            Self::FolderStatistics => "microsoft365.folder-statistics",
            Self::GoogleAdmins => "google-workspace.admin-roles",
            Self::GoogleAppPasswords => "google-workspace.app-passwords",
            Self::GoogleForwardingAddresses => "google-workspace.forwarding-addresses",
            Self::GoogleLoginAudit => "google-workspace.login-audit",
            Self::GoogleSendAs => "google-workspace.send-as",
            Self::MessageTrace => "microsoft365.message-trace",
            Self::SignIns => "microsoft365.sign-ins",
            Self::FolderPermissions => "microsoft365.folder-permissions",
            Self::GoogleDelegates => "google-workspace.delegates",
            Self::GoogleTokens => "google-workspace.tokens",
            Self::AlertPolicies => "microsoft365.alert-policies",
            Self::AntiPhishing => "microsoft365.anti-phishing",
            Self::AppGrants => "microsoft365.app-grants",
            Self::AppRoles => "microsoft365.app-roles",
            Self::AuthorizationPolicy => "microsoft365.authorization-policy",
            Self::Encryption => "microsoft365.encryption",
            Self::MobilePolicies => "microsoft365.mobile-policies",
            Self::OutboundConnectors => "microsoft365.outbound-connectors",
            Self::SharingPolicies => "microsoft365.sharing-policies",
            Self::DkimSigning => "microsoft365.dkim-signing",
            Self::DlpPolicies => "microsoft365.dlp-policies",
            Self::JournalRules => "microsoft365.journal-rules",
            Self::MailboxPermissions => "microsoft365.mailbox-permissions",
            Self::PermissionsExtractor => "microsoft365.mailbox-permissions-extractor",
            Self::RecipientPermissions => "microsoft365.recipient-permissions",
            Self::SweepRules => "microsoft365.sweep-rules",
            Self::AdminAuditLog => "microsoft365.admin-audit-log",
            Self::AuditBypass => "microsoft365.audit-bypass",
            Self::CasMailboxes => "microsoft365.cas-mailboxes",
            Self::ConditionalAccess => "microsoft365.conditional-access",
            Self::GoogleFilters => "google-workspace.filters",
            Self::GoogleForwards => "google-workspace.forwards",
            Self::GoogleImap => "google-workspace.imap",
            Self::GooglePolicies => "google-workspace.policies",
            Self::GooglePop => "google-workspace.pop",
            Self::GoogleUsersConsole => "google-workspace.users-console",
            Self::GoogleUsersGam => "google-workspace.users-gam",
            Self::GraphInboxRules => "microsoft365.inbox-rules-graph",
            Self::InboxRules => "microsoft365.inbox-rules",
            Self::Mailboxes => "microsoft365.mailboxes",
            Self::MfaRegistration => "microsoft365.mfa-registration",
            Self::Organization => "microsoft365.organization",
            Self::OutboundSpam => "microsoft365.outbound-spam",
            Self::PerUserMfa => "microsoft365.per-user-mfa",
            Self::Recipients => "microsoft365.recipients",
            Self::RemoteDomains => "microsoft365.remote-domains",
            Self::RetentionPolicies => "microsoft365.retention-compliance",
            Self::ServicePrincipals => "microsoft365.service-principals",
            Self::SecurityDefaults => "microsoft365.security-defaults",
            Self::TransportConfig => "microsoft365.transport-config",
            Self::TransportRules => "microsoft365.transport-rules",
            Self::Users => "microsoft365.users",
        }
    }

    /// The provider whose tenant it speaks of.
    pub fn provider(self) -> &'static str {
        self.as_str().split_once('.').map_or("", |(provider, _)| provider)
    }

    /// Sets of columns, each of which identifies the format.
    const fn identified_by(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::AcceptedDomains => &[&["domainname", "domaintype"]],
            Self::AccessPolicies => &[&["appid", "accessright"], &["appid", "policyscopegroupid", "accessright"]],
            Self::GoogleGroupMembers => &[&["group", "email", "role"], &["group", "email", "type"]],
            Self::GoogleVaultHolds => &[&["matterid", "holdid", "corpus"]],
            Self::GroupMembers => &[
                &["groupaddress", "recipienttypedetails"],
                &["groupaddress", "primarysmtpaddress"],
                &["groupaddress", "externalemailaddress"],
            ],
            Self::InactiveMailboxes => &[&["isinactivemailbox", "primarysmtpaddress", "whensoftdeleted"]],
            Self::RetentionAssignments => &[&["retentionpolicytaglinks"]],
            Self::RetentionRules => &[&["retentioncomplianceaction"]],
            Self::RetentionTags => &[&["agelimitforretention"]],
            Self::RoleAssignments => &[&["role", "roleassigneetype"]],
            Self::AuditLog => &[
                &["auditdata", "operations"],
                &["auditdata", "operation"],
                &["recordtype", "operation", "workload"],
                &["cmdletname", "caller", "objectmodified"],
            ],
            Self::DirectoryRoles => &[&["roletemplateid", "members"], &["roledefinitionid", "principalid"]],
            Self::FolderStatistics => &[&["foldertype", "itemsinfolder"]],
            Self::GoogleAdmins => {
                &[&["roleassignmentid", "role", "assignedto"], &["roleassignmentid", "role", "assignedtouser"]]
            }
            Self::GoogleAppPasswords => &[&["user", "asps"], &["user", "asp.codeid"]],
            Self::GoogleForwardingAddresses => &[&["user", "forwardingemail"]],
            Self::GoogleLoginAudit => &[&["actor.email", "id.time", "login_type"], &["actor.email", "id.time", "name"]],
            Self::GoogleSendAs => &[&["user", "sendasemail", "verificationstatus"]],
            Self::MessageTrace => &[
                &["senderaddress", "recipientaddress", "messagetraceid"],
                &["senderaddress", "recipientaddress", "received"],
            ],
            Self::SignIns => &[
                &["clientappused", "userprincipalname"],
                &["clientapp", "username", "authenticationrequirement", "status"],
            ],
            Self::FolderPermissions => &[&["foldername", "accessrights", "user"], &["foldername", "accessrights"]],
            Self::GoogleDelegates => &[&["user", "delegateaddress"], &["user", "delegateemail"]],
            Self::GoogleTokens => &[&["user", "clientid", "scopes"]],
            Self::AlertPolicies => &[&["threattype", "disabled"], &["aggregationtype", "disabled"]],
            Self::AntiPhishing => {
                &[&["enablefirstcontactsafetytips"], &["phishthresholdlevel", "enablespoofintelligence"]]
            }
            Self::AppGrants => &[&["clientid", "consenttype", "scope"]],
            Self::AppRoles => &[&["approleid", "principalid", "resourceid"]],
            Self::AuthorizationPolicy => {
                &[&["defaultuserrolepermissions"], &["permissiongrantpolicyidsassignedtodefaultuserrole"]]
            }
            Self::Encryption => &[&["azurermslicensingenabled"]],
            Self::MobilePolicies => &[&["allownonprovisionabledevices"]],
            Self::OutboundConnectors => &[&["connectortype", "recipientdomains"], &["tlssettings", "recipientdomains"]],
            Self::SharingPolicies => &[&["domains", "enabled", "default"]],
            Self::DkimSigning => &[&["selector1cname"], &["selectorbeforerotateondate"]],
            Self::DlpPolicies => &[&["mode", "workload", "exchangelocation"]],
            Self::RetentionPolicies => &[
                &["mode", "workload", "exchangelocation", "retentionruletypes"],
                &["mode", "workload", "exchangelocation", "restrictiveretention"],
                &["exchangelocation", "retentionruletypes"],
                &["exchangelocation", "restrictiveretention"],
            ],
            Self::ServicePrincipals => {
                &[&["id", "appid", "verifiedpublisher"], &["id", "appid", "appownerorganizationid"]]
            }
            Self::JournalRules => &[&["journalemailaddress"]],
            Self::MailboxPermissions => &[&["user", "accessrights", "isinherited"], &["user", "accessrights", "deny"]],
            Self::PermissionsExtractor => &[&["fullaccessusers", "sendasusers"]],
            Self::RecipientPermissions => &[&["trustee", "accessrights"]],
            Self::SweepRules => &[&["keepfordays", "destinationfolder"]],
            Self::AdminAuditLog => &[&["unifiedauditlogingestionenabled"]],
            Self::AuditBypass => &[&["auditbypassenabled"]],
            Self::CasMailboxes => &[
                &["popenabled", "imapenabled"],
                &["primarysmtpaddress", "imapenabled"],
                &["primarysmtpaddress", "popenabled"],
            ],
            Self::ConditionalAccess => &[&["conditions", "grantcontrols"]],
            Self::GoogleFilters => &[
                &["user", "id", "json"],
                &["user", "id", "forward"],
                &["user", "id", "label"],
                &["user", "id", "trash"],
                &["user", "id", "archive"],
                &["user", "id", "markread"],
                &["user", "id", "neverspam"],
                &["user", "id", "criteria"],
            ],
            Self::GoogleForwards => &[&["user", "forwardenabled"], &["user", "forwardto", "disposition"]],
            Self::GoogleImap => &[&["user", "enabled", "autoexpunge"], &["user", "enabled", "expungebehavior"]],
            Self::GooglePolicies => &[&["policyquery", "setting"]],
            Self::GooglePop => &[&["user", "enabled", "accesswindow"]],
            Self::GoogleUsersConsole => {
                &[&["emailaddress", "2svenrolled"], &["emailaddress", "2svenforced"], &["emailaddress", "orgunitpath"]]
            }
            Self::GoogleUsersGam => &[&["primaryemail"]],
            Self::GraphInboxRules => &[&["sequence", "isenabled", "actions"], &["sequence", "isreadonly"]],
            Self::InboxRules => &[
                &["ruleidentity", "supportedbytask"],
                &["ruleidentity", "forwardto"],
                &["ruleidentity", "enabled"],
                &["mailboxownerid", "forwardto"],
                &["mailboxownerid", "redirectto"],
                &["mailboxownerid", "enabled"],
                &["forwardto", "redirectto", "forwardasattachmentto"],
                &["rulename", "forwardto"],
            ],
            Self::Mailboxes => &[
                &["forwardingsmtpaddress", "delivertomailboxandforward"],
                &["primarysmtpaddress", "forwardingsmtpaddress"],
                &["userprincipalname", "forwardingsmtpaddress"],
                &["primarysmtpaddress", "recipienttypedetails", "auditenabled"],
                &["primarysmtpaddress", "recipienttypedetails", "exchangeguid"],
                &["primarysmtpaddress", "recipienttypedetails", "retentionpolicy"],
                &["primarysmtpaddress", "recipienttypedetails", "litigationholdenabled"],
            ],
            Self::MfaRegistration => {
                &[&["userprincipalname", "ismfacapable"], &["userprincipalname", "ismfaregistered"]]
            }
            Self::Organization => &[&["auditdisabled"]],
            Self::OutboundSpam => &[&["autoforwardingmode"]],
            Self::PerUserMfa => &[&["perusermfastate"]],
            Self::Recipients => {
                &[&["recipienttypedetails", "primarysmtpaddress"], &["recipienttypedetails", "externalemailaddress"]]
            }
            Self::RemoteDomains => &[&["domainname", "autoforwardenabled"]],
            Self::SecurityDefaults => &[&["isenabled", "displayname"], &["isenabled", "id"]],
            Self::TransportConfig => {
                &[&["journalingreportndrto"], &["smtpclientauthenticationdisabled", "maxsendsize"]]
            }
            Self::TransportRules => &[
                &["state", "mode", "priority", "redirectmessageto"],
                &["state", "mode", "priority", "blindcopyto"],
                &["state", "mode", "priority", "ruleversion"],
                &["state", "mode", "priority", "description"],
            ],
            Self::Users => &[&["userprincipalname", "accountenabled"]],
        }
    }

    /// False for formats whose columns many others have as well: they give way.
    const fn is_specific(self) -> bool {
        !matches!(self, Self::CasMailboxes | Self::Recipients | Self::Users)
    }

    /// The words of an OData context that say what a page holds, even one without records.
    const fn context(self) -> &'static [&'static str] {
        match self {
            Self::AuthorizationPolicy => &["policies/authorizationpolicy"],
            Self::DirectoryRoles => &["#directoryroles", "rolemanagement/directory/roleassignments"],
            Self::SignIns => &["auditlogs/signins"],
            Self::ConditionalAccess => &["conditionalaccess/policies"],
            Self::GraphInboxRules => &["messagerules"],
            Self::MfaRegistration => &["userregistrationdetails"],
            Self::SecurityDefaults => &["identitysecuritydefaultsenforcementpolicy"],
            Self::Users => &["#users", "#microsoft.graph.user"],
            Self::AcceptedDomains
            | Self::AccessPolicies
            | Self::GoogleGroupMembers
            | Self::GoogleVaultHolds
            | Self::GroupMembers
            | Self::InactiveMailboxes
            | Self::RetentionAssignments
            | Self::RetentionRules
            | Self::RetentionTags
            | Self::RoleAssignments
            | Self::AdminAuditLog
            | Self::AlertPolicies
            | Self::AntiPhishing
            | Self::AuditLog
            | Self::FolderStatistics
            | Self::MessageTrace
            | Self::GoogleAdmins
            | Self::GoogleAppPasswords
            | Self::GoogleForwardingAddresses
            | Self::GoogleLoginAudit
            | Self::GoogleSendAs
            | Self::AuditBypass
            | Self::Encryption
            | Self::MobilePolicies
            | Self::OutboundConnectors
            | Self::SharingPolicies
            | Self::FolderPermissions
            | Self::GoogleDelegates
            | Self::GoogleTokens
            | Self::AppGrants
            | Self::AppRoles
            | Self::DkimSigning
            | Self::DlpPolicies
            | Self::RetentionPolicies
            | Self::ServicePrincipals
            | Self::JournalRules
            | Self::MailboxPermissions
            | Self::PermissionsExtractor
            | Self::RecipientPermissions
            | Self::SweepRules
            | Self::CasMailboxes
            | Self::GoogleFilters
            | Self::GoogleForwards
            | Self::GoogleImap
            | Self::GooglePolicies
            | Self::GooglePop
            | Self::GoogleUsersConsole
            | Self::GoogleUsersGam
            | Self::InboxRules
            | Self::Mailboxes
            | Self::Organization
            | Self::OutboundSpam
            | Self::PerUserMfa
            | Self::Recipients
            | Self::RemoteDomains
            | Self::TransportConfig
            | Self::TransportRules => &[],
        }
    }

    /// What columns alone cannot tell: security defaults look like many other things of Graph.
    fn agrees(self, rows: &[Row], context: Option<&str>) -> bool {
        if self == Self::SecurityDefaults {
            let named = |row: &Row| {
                row.text("displayname").is_some_and(|name| name.to_ascii_lowercase().contains("security defaults"))
                    || row.text("id") == Some(SECURITY_DEFAULTS_ID)
            };
            return context.is_some_and(|context| context.to_ascii_lowercase().contains(self.context()[0]))
                || rows.iter().any(named);
        }
        true
    }
}

/// The id of the one policy object of Graph's identitySecurityDefaultsEnforcementPolicy.
const SECURITY_DEFAULTS_ID: &str = "00000000-0000-0000-0000-000000000005";

/// Why a file's columns name no format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRecognised {
    /// No set of identifying columns is there.
    Nothing,
    /// Two formats fit alike.
    Several(Format, Format),
}

/// Recognises a file by its columns, its first rows and the context of its pages.
pub fn recognise(
    columns: &BTreeSet<&'static str>,
    rows: &[Row],
    context: Option<&str>,
) -> Result<Format, NotRecognised> {
    let lower = context.map(str::to_ascii_lowercase).unwrap_or_default();
    if let Some(format) =
        Format::ALL.into_iter().find(|format| format.context().iter().any(|part| lower.contains(part)))
    {
        return Ok(format);
    }
    let mut best: Vec<((usize, bool), Format)> = Format::ALL
        .into_iter()
        .filter(|format| format.agrees(rows, context))
        .filter_map(|format| {
            let sets = format.identified_by().iter();
            let matched = sets.filter(|set| set.iter().all(|column| columns.contains(column)));
            // Sets are counted by their columns together: a full record fits several of them.
            let together: BTreeSet<&str> = matched.flat_map(|set| set.iter().copied()).collect();
            (!together.is_empty()).then_some(((together.len(), format.is_specific()), format))
        })
        .collect();
    best.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    match best.as_slice() {
        [] => Err(NotRecognised::Nothing),
        [(_, format)] => Ok(*format),
        [(first, format), (second, _), ..] if first > second => Ok(*format),
        [(_, one), (_, other), ..] => Err(NotRecognised::Several(*one, *other)),
    }
}

/// The columns that some reader reads, beside those that identify a format.
const READ: &[&str] = &[
    "account.email",
    "query.mailquery.endtime",
    "query.mailquery.starttime",
    "query.mailquery.terms",
    "customresourcescope",
    "contentmatchquery",
    "excludeditemclasses",
    "exchangelocationexception",
    "inplaceholds",
    "litigationholdduration",
    "messageclass",
    "policy",
    "publishcompliancetag",
    "recipientwritescope",
    "retentionaction",
    "retentionduration",
    "retentionenabled",
    "roleassignee",
    "roleassigneename",
    "accesscontroltype",
    "accessrights",
    "adaptivescopelocation",
    "anonymous",
    "applications",
    "applycompliancetag",
    "calendarusers",
    "clientid",
    "consenttype",
    "delegateaddress",
    "distributionstatus",
    "delegateemail",
    "delegationstatus",
    "deny",
    "destinationfolder",
    "displaytext",
    "domain",
    "foldername",
    "fullaccessusers",
    "grantsendonbehalfto",
    "inboxusers",
    "isinherited",
    "journalemailaddress",
    "keepfordays",
    "recipient",
    "scope",
    "scopes",
    "sendasusers",
    "sendonbehalfusers",
    "selector2cname",
    "selectorafterrotateondate",
    "sourcefolder",
    "trustee",
    "trusteesidstring",
    "usersid",
    "2svenforced",
    "2svenrolled",
    "accountdisabled",
    "accountenabled",
    "action",
    "actions",
    "addtorecipients",
    "alias",
    "applycategory",
    "archived",
    "auditenabled",
    "autoforwardenabled",
    "autoforwardingmode",
    "blindcopyto",
    "bodycontainswords",
    "conditions",
    "copyto",
    "copytofolder",
    "criteria",
    "default",
    "deletemessage",
    "description",
    "displayname",
    "disposition",
    "distinguishedname",
    "domainname",
    "emailaddress",
    "emailaddresses",
    "enabled",
    "exceptions",
    "exchangeguid",
    "excludechats",
    "externaldirectoryobjectid",
    "externalemailaddress",
    "error",
    "flaggedforaction",
    "forward",
    "forwardasattachment",
    "forwardasattachmentto",
    "forwardenabled",
    "forwardingaddress",
    "forwardingsmtpaddress",
    "forwardto",
    "from",
    "fromaddresscontainswords",
    "grantcontrols",
    "guid",
    "hasattachment",
    "haserror",
    "hidden",
    "headercontainswords",
    "id",
    "identity",
    "imapenabled",
    "inerror",
    "isadmin",
    "isdefault",
    "isdelegatedadmin",
    "isenabled",
    "isenforcedin2sv",
    "isenrolledin2sv",
    "ismailboxsetup",
    "ismfacapable",
    "ismfaregistered",
    "isreadonly",
    "json",
    "legacyexchangedn",
    "litigationholdenabled",
    "mailbox",
    "mailboxaddress",
    "mailboxownerid",
    "markasread",
    "markread",
    "matchsubdomains",
    "messagetypematches",
    "methodsregistered",
    "mode",
    "movetofolder",
    "name",
    "negatedquery",
    "newstatus",
    "permanentdelete",
    "policyquery",
    "popenabled",
    "primarysmtpaddress",
    "priority",
    "query",
    "receivedafterdate",
    "receivedbeforedate",
    "recipientaddresscontainswords",
    "recipienttype",
    "recipienttypedetails",
    "redirectmessageto",
    "redirectto",
    "retentionholdenabled",
    "retentionpolicy",
    "ruleidentity",
    "rulename",
    "sentonlytome",
    "sentto",
    "sequence",
    "setting",
    "size",
    "smtpclientauthenticationdisabled",
    "softdeletemessage",
    "state",
    "status",
    "stopprocessingrules",
    "subject",
    "subjectcontainswords",
    "subjectorbodycontainswords",
    "supportedbytask",
    "suspended",
    "to",
    "trash",
    "type",
    "user",
    "userid",
    "username",
    "userprincipalname",
    "usertype",
    "windowsemailaddress",
    "withinsizerangemaximum",
    "withinsizerangeminimum",
    "ccortome",
    "delete",
    "neverspam",
    "archive",
    "label",
    "perusermfastate",
    "auditdisabled",
    "unifiedauditlogingestionenabled",
    "auditbypassenabled",
    "samaccountname",
    "orgunitpath",
    "mynameintobox",
    "mynameinccbox",
    "mynameintoorccbox",
    "mynamenotintobox",
    "senttorecipients",
    "withimportance",
    "withsensitivity",
    "forwardstoaddress",
    "owner",
    "value",
    "elcprocessingdisabled",
    "activitybasedauthenticationtimeoutenabled",
    "activitybasedauthenticationtimeoutinterval",
    "aggregationtype",
    "allowlegacytlsclients",
    "applyome",
    "applyrightsprotectiontemplate",
    "auditadmin",
    "auditdelegate",
    "auditlogagelimit",
    "auditowner",
    "createddatetime",
    "creationtime",
    "defaultauditset",
    "disabled",
    "domains",
    "enablespoofintelligence",
    "honordmarcpolicy",
    "isinactivemailbox",
    "istransportrulescoped",
    "lastlogintime",
    "lastsignin",
    "lastupdateddatetime",
    "mailtipsexternalrecipientstipsenabled",
    "messagecopyforsentasenabled",
    "oauth2clientprofileenabled",
    "operation",
    "passwordenabled",
    "recipientdomains",
    "rejectdirectsend",
    "requiredeviceencryption",
    "retaindeleteditemsfor",
    "routemessageoutboundrequiretls",
    "setscl",
    "signinactivity",
    "singleitemrecoveryenabled",
    "smarthosts",
    "notificationenabled",
    "notifyuser",
    "threattype",
    "tlssettings",
    "usemxrecord",
    "whenmailboxcreated",
    "assignedto",
    "assignedtouser",
    "authenticationrequirement",
    "caller",
    "clientapp",
    "clientappused",
    "cmdletname",
    "cmdletparameters",
    "asp.codeid",
    "asps",
    "creationdate",
    "date",
    "date(utc)",
    "datetimereceived",
    "id.time",
    "is_second_factor",
    "isinteractive",
    "itemsinfolder",
    "login_type",
    "mailboxownerupn",
    "members",
    "oldestitemreceiveddate",
    "operationcount",
    "operationproperties",
    "operations",
    "origin_timestamp_utc",
    "parameters",
    "principal",
    "principalid",
    "received",
    "recipientaddress",
    "recordtype",
    "role",
    "roledefinitionid",
    "roletemplateid",
    "rundate",
    "senderaddress",
    "smtpmsa.host",
    "userids",
    "appid",
    "appownerorganizationid",
    "resourcedisplayname",
    "routemessageoutboundconnector",
    "verificationstatus",
    "verifiedpublisher",
    "workload",
];

static KNOWN: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let identifying = Format::ALL.into_iter().flat_map(|format| format.identified_by().iter().copied().flatten());
    let others = super::known_only::columns();
    identifying.chain(READ).copied().chain(others).map(|column| (column, column)).collect()
});

/// The known column that a header or key names, however it is written.
pub fn known_column(header: &str) -> Option<&'static str> {
    if let Some(column) = KNOWN.get(header) {
        return Some(column);
    }
    if header.len() > 80 {
        return None;
    }
    KNOWN.get(comparable(header).as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(columns: &[&'static str]) -> Result<Format, NotRecognised> {
        let known: BTreeSet<&'static str> = columns.iter().filter_map(|column| known_column(column)).collect();
        recognise(&known, &[], None)
    }

    #[test]
    fn formats_are_told_apart_by_their_columns() {
        for (columns, format) in [
            (&["DomainName", "DomainType", "Default"][..], Format::AcceptedDomains),
            (&["DomainName", "AutoForwardEnabled", "AllowedOOFType"], Format::RemoteDomains),
            (&["User", "enabled", "autoExpunge", "expungeBehavior"], Format::GoogleImap),
            (&["User", "enabled", "accessWindow", "disposition"], Format::GooglePop),
            (&["User", "forwardEnabled", "forwardTo", "disposition"], Format::GoogleForwards),
            (
                &["Email Address [Required]", "2sv Enrolled [READ ONLY]", "Status [READ ONLY]"],
                Format::GoogleUsersConsole,
            ),
            (&["primaryEmail", "isEnrolledIn2Sv"], Format::GoogleUsersGam),
            (&["userPrincipalName", "isMfaCapable", "isAdmin"], Format::MfaRegistration),
            (&["PrimarySmtpAddress", "RecipientTypeDetails", "ExternalEmailAddress"], Format::Recipients),
            (&["PrimarySmtpAddress", "RecipientTypeDetails", "ForwardingSmtpAddress"], Format::Mailboxes),
            (&["PrimarySmtpAddress", "PopEnabled", "ImapEnabled"], Format::CasMailboxes),
            (&["RuleIdentity", "SupportedByTask", "Name", "Enabled", "Priority"], Format::InboxRules),
        ] {
            assert_eq!(by(columns), Ok(format), "{columns:?}");
        }
    }

    #[test]
    fn a_vacation_export_is_not_taken_for_imap() {
        assert_eq!(by(&["User", "enabled", "contactsonly", "startdate", "enddate"]), Err(NotRecognised::Nothing));
    }

    #[test]
    fn something_enabled_is_not_security_defaults() {
        assert_eq!(by(&["displayName", "isEnabled"]), Err(NotRecognised::Nothing));
    }
}
