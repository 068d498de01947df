//! The flat exports of the invented tenant that say how it is set up, who may what, and what was done.

use super::encodings::File;
use super::encodings::Value::{Flag, List, Nothing, Number, Text};

pub(super) static SET_UP: &[File] = &[
    File {
        name: "journal-rules",
        of: "Deserialized.Microsoft.Exchange.MessagingPolicies.Journaling.JournalRuleObject",
        columns: &["Name", "Enabled", "Scope", "Recipient", "JournalEmailAddress"],
        rows: &[&[Text("All mail"), Flag(true), Text("Global"), Nothing, Text("everything@elsewhere.example")]],
    },
    File {
        name: "sweep-rules",
        of: "Deserialized.Microsoft.Exchange.Management.SweepRule",
        columns: &["Mailbox", "Name", "Enabled", "Provider", "SourceFolder", "DestinationFolder", "KeepForDays"],
        rows: &[&[
            Text("ben@clinic.example"),
            Text("."),
            Flag(true),
            Text("Exchange16"),
            Text("Inbox"),
            Text("Deleted Items"),
            Number(0),
        ]],
    },
    File {
        name: "send-as",
        of: "Deserialized.Microsoft.Exchange.Management.RecipientTasks.RecipientAccessRight",
        columns: &["Identity", "Trustee", "TrusteeSidString", "AccessControlType", "AccessRights"],
        rows: &[
            &[
                Text("front-desk@clinic.example"),
                Text("ana@clinic.example"),
                Text("S-1-5-21-1-2-3-8"),
                Text("Allow"),
                List(&["SendAs"]),
            ],
            &[
                Text("ana@clinic.example"),
                Text("NT AUTHORITY\\SELF"),
                Text("S-1-5-10"),
                Text("Allow"),
                List(&["SendAs"]),
            ],
        ],
    },
    File {
        name: "folder-permissions",
        of: "Deserialized.Microsoft.Exchange.Management.StoreTasks.MailboxFolderPermission",
        columns: &["Identity", "FolderName", "User", "AccessRights"],
        rows: &[
            &[Text("ana@clinic.example:\\Calendar"), Text("Calendar"), Text("Default"), List(&["Reviewer"])],
            &[Text("ben@clinic.example:\\Calendar"), Text("Calendar"), Text("Anonymous"), List(&["None"])],
        ],
    },
    File {
        name: "folder-statistics",
        of: "Deserialized.Microsoft.Exchange.Management.MapiTasks.MailboxFolderConfiguration",
        columns: &["Mailbox", "FolderPath", "FolderType", "ItemsInFolder", "OldestItemReceivedDate"],
        rows: &[
            &[
                Text("front-desk@clinic.example"),
                Text("/Inbox"),
                Text("Inbox"),
                Number(1200),
                Text("2019-03-01T00:00:00Z"),
            ],
            &[Text("front-desk@clinic.example"), Text("/Drafts"), Text("Drafts"), Number(0), Nothing],
        ],
    },
    File {
        name: "audit-bypass",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.Management.MailboxAuditBypassAssociation",
        columns: &["Name", "Identity", "AuditBypassEnabled"],
        rows: &[
            &[Text("Ana Müller"), Text("ana@clinic.example"), Flag(false)],
            &[Text("Ben \"B\" O'Neil"), Text("ben@clinic.example"), Flag(true)],
        ],
    },
    File {
        name: "admin-audit-log",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.AdminAuditLogConfig",
        columns: &["UnifiedAuditLogIngestionEnabled", "AdminAuditLogEnabled"],
        rows: &[&[Flag(false), Flag(true)]],
    },
    File {
        name: "alert-policies",
        of: "Deserialized.Microsoft.Exchange.Management.ProtectionAlert",
        columns: &["Name", "Disabled", "ThreatType", "Operation", "NotificationEnabled", "NotifyUser"],
        rows: &[&[
            Text("Creation of forwarding/redirect rule"),
            Flag(true),
            Text("Activity"),
            List(&["MailRedirect"]),
            Flag(true),
            List(&["it@clinic.example"]),
        ]],
    },
    File {
        name: "anti-phishing",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.AntiPhishPolicy",
        columns: &[
            "Name",
            "Enabled",
            "PhishThresholdLevel",
            "EnableFirstContactSafetyTips",
            "EnableSpoofIntelligence",
            "HonorDmarcPolicy",
        ],
        rows: &[&[Text("Default"), Flag(true), Number(1), Flag(false), Flag(true), Flag(true)]],
    },
    File {
        name: "mobile-policies",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.MobileMailboxPolicy",
        columns: &["Name", "AllowNonProvisionableDevices", "PasswordEnabled", "RequireDeviceEncryption", "IsDefault"],
        rows: &[&[Text("Default"), Flag(true), Flag(false), Flag(false), Flag(true)]],
    },
    File {
        name: "sharing-policies",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.SharingPolicy",
        columns: &["Name", "Domains", "Enabled", "Default"],
        rows: &[&[
            Text("Default Sharing Policy"),
            List(&["*:CalendarSharingFreeBusyDetail", "Anonymous:CalendarSharingFreeBusySimple"]),
            Flag(true),
            Flag(true),
        ]],
    },
    File {
        name: "encryption",
        of: "Deserialized.Microsoft.Exchange.Management.IRMConfiguration",
        columns: &["AzureRMSLicensingEnabled", "SimplifiedClientAccessEnabled"],
        rows: &[&[Flag(false), Flag(true)]],
    },
    File {
        name: "transport-config",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.TransportConfigContainer",
        columns: &["SmtpClientAuthenticationDisabled", "JournalingReportNdrTo", "MaxSendSize", "AllowLegacyTLSClients"],
        rows: &[&[Flag(false), Nothing, Text("35 MB"), Flag(true)]],
    },
    File {
        name: "outbound-connectors",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.OutboundConnector",
        columns: &[
            "Name",
            "Enabled",
            "ConnectorType",
            "UseMXRecord",
            "SmartHosts",
            "RecipientDomains",
            "TlsSettings",
            "IsTransportRuleScoped",
        ],
        rows: &[
            &[
                Text("To the laboratory"),
                Flag(true),
                Text("Partner"),
                Flag(true),
                Nothing,
                List(&["lab.example"]),
                Text("DomainValidation"),
                Flag(false),
            ],
            &[
                Text("Old archive"),
                Flag(false),
                Text("Partner"),
                Flag(false),
                List(&["mx.elsewhere.example"]),
                Nothing,
                Nothing,
                Flag(true),
            ],
        ],
    },
    File {
        name: "routing-rules",
        of: "Deserialized.Microsoft.Exchange.MessagingPolicies.Rules.Tasks.TransportRule",
        columns: &["Name", "State", "Mode", "Priority", "RuleVersion", "RouteMessageOutboundConnector"],
        rows: &[
            &[
                Text("Laboratory"),
                Text("Enabled"),
                Text("Enforce"),
                Number(2),
                Text("14.0.0.0"),
                Text("To the laboratory"),
            ],
            &[Text("Archive"), Text("Enabled"), Text("Enforce"), Number(3), Text("14.0.0.0"), Text("old archive")],
            &[Text("Elsewhere"), Text("Enabled"), Text("Enforce"), Number(4), Text("14.0.0.0"), Text("Nobody's")],
        ],
    },
    File {
        name: "dlp-policies",
        of: "Deserialized.Microsoft.Office.CompliancePolicy.PolicyConfiguration.PsDlpCompliancePolicy",
        columns: &["Name", "Mode", "Workload", "ExchangeLocation", "Enabled"],
        rows: &[
            &[
                Text("Identifiers"),
                Text("TestWithNotifications"),
                Text("Exchange, SharePoint"),
                List(&["All"]),
                Flag(true),
            ],
            &[Text("Documents"), Text("Enable"), Text("SharePoint"), Nothing, Flag(true)],
        ],
    },
    File {
        name: "retention-policies",
        of: "Deserialized.Microsoft.Office.CompliancePolicy.PolicyConfiguration.PsRetentionCompliancePolicy",
        columns: &["Name", "Mode", "Workload", "ExchangeLocation", "Enabled", "RetentionRuleTypes"],
        rows: &[
            &[Text("Mail"), Text("Enforce"), Text("Exchange"), List(&["All"]), Flag(false), Text("KeepAndDelete")],
            &[Text("Chats"), Text("Enforce"), Text("Teams"), Nothing, Flag(true), Text("Delete")],
        ],
    },
    File {
        name: "app-grants",
        of: "Microsoft.Graph.PowerShell.Models.MicrosoftGraphOAuth2PermissionGrant",
        columns: &["clientId", "consentType", "scope"],
        rows: &[
            &[Text("0a1b2c3d-0000-4000-8000-000000000001"), Text("AllPrincipals"), Text("openid Mail.ReadWrite")],
            &[Text("0a1b2c3d-0000-4000-8000-000000000002"), Text("AllPrincipals"), Text("openid User.Read")],
        ],
    },
    File {
        name: "app-roles",
        of: "Microsoft.Graph.PowerShell.Models.MicrosoftGraphAppRoleAssignment",
        columns: &["principalId", "appRoleId", "resourceId", "resourceDisplayName"],
        rows: &[
            &[
                Text("0a1b2c3d-0000-4000-8000-000000000003"),
                Text("b633e1c5-b582-4048-a93e-9f11b44c7e96"),
                Text("r1"),
                Text("Microsoft Graph"),
            ],
            &[
                Text("0a1b2c3d-0000-4000-8000-000000000002"),
                Text("df021288-bdef-4463-88db-98f22de89214"),
                Text("r1"),
                Text("Microsoft Graph"),
            ],
        ],
    },
    File {
        name: "audit-log",
        of: "Deserialized.Microsoft.Exchange.Data.ApplicationLogic.UnifiedAuditLogEvent",
        columns: &["RecordType", "CreationDate", "UserIds", "Operations", "AuditData"],
        rows: &[&[
            Text("ExchangeAdmin"),
            Text("2026-09-01T08:00:00"),
            Text("ana@clinic.example"),
            Text("New-InboxRule"),
            Text(
                r#"{"Operation": "New-InboxRule", "UserId": "ana@clinic.example", "CreationTime": "2026-09-01T08:00:00", "Parameters": [{"Name": "ForwardTo", "Value": "ana.home@gmail.com"}]}"#,
            ),
        ]],
    },
    File {
        name: "message-trace",
        of: "Deserialized.Microsoft.Exchange.Management.FfoReporting.MessageTraceObject",
        columns: &["Received", "SenderAddress", "RecipientAddress", "Status", "MessageTraceId"],
        rows: &[&[
            Text("2026-09-01T08:00:00Z"),
            Text("front-desk@clinic.example"),
            Text("patient0@gmail.com"),
            Text("Delivered"),
            Text("m0"),
        ]],
    },
];
