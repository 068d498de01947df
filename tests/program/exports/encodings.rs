//! One invented tenant, written in every way exporters write: the findings are the same to the
//! last byte.

use std::path::Path;

use super::set_up::SET_UP;
use super::world::{declared, judged, put};

/// A value as it is, before an exporter writes it.
pub(super) enum Value {
    Flag(bool),
    List(&'static [&'static str]),
    Nothing,
    Number(u64),
    Text(&'static str),
}
use Value::{Flag, List, Nothing, Number, Text};

/// One file: the type PowerShell gives its objects, columns, rows.
pub(super) struct File {
    pub name: &'static str,
    pub of: &'static str,
    pub columns: &'static [&'static str],
    pub rows: &'static [&'static [Value]],
}

const OUTSIDE: &str = "\"Ana; M\" [SMTP:ana@gmail.com]";
const COLLEAGUE: &str = "\"ben@clinic.example\" [SMTP:b@partner.example]";

static TENANT: &[File] = &[
    File {
        name: "accepted-domains",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.AcceptedDomain",
        columns: &["DomainName", "DomainType", "Default", "MatchSubDomains"],
        rows: &[
            &[Text("clinic.example"), Text("Authoritative"), Flag(true), Flag(false)],
            &[Text("health.example"), Text("Authoritative"), Flag(false), Flag(true)],
        ],
    },
    File {
        name: "mailboxes",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.Management.Mailbox",
        columns: &[
            "PrimarySmtpAddress",
            "UserPrincipalName",
            "RecipientTypeDetails",
            "Name",
            "ForwardingSmtpAddress",
            "ForwardingAddress",
            "DeliverToMailboxAndForward",
            "EmailAddresses",
            "AuditEnabled",
            "RetentionPolicy",
            "RetentionHoldEnabled",
            "ElcProcessingDisabled",
            "LitigationHoldEnabled",
            "AccountDisabled",
        ],
        rows: &[
            &[
                Text("ana@clinic.example"),
                Text("ana@clinic.example"),
                Text("UserMailbox"),
                Text("Ana Müller"),
                Nothing,
                Nothing,
                Flag(false),
                List(&["SMTP:ana@clinic.example", "smtp:a.mueller@clinic.example"]),
                Flag(true),
                Text("Default MRM Policy"),
                Flag(false),
                Flag(false),
                Flag(false),
                Flag(false),
            ],
            &[
                Text("ben@clinic.example"),
                Text("benjamin@clinic.example"),
                Text("UserMailbox"),
                Text("Ben \"B\" O'Neil"),
                Text("smtp:ben.home@gmail.com"),
                Nothing,
                Flag(false),
                List(&["SMTP:ben@clinic.example"]),
                Flag(false),
                Nothing,
                Flag(true),
                Flag(false),
                Flag(false),
                Flag(false),
            ],
            &[
                Text("front-desk@clinic.example"),
                Text("front-desk@clinic.example"),
                Text("SharedMailbox"),
                Text("Front, Desk"),
                Nothing,
                Text("Outside Desk"),
                Flag(true),
                List(&["SMTP:front-desk@clinic.example"]),
                Flag(true),
                Nothing,
                Flag(false),
                Flag(true),
                Flag(true),
                Flag(false),
            ],
        ],
    },
    File {
        name: "recipients",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.Management.ReducedRecipient",
        columns: &["PrimarySmtpAddress", "RecipientTypeDetails", "Name", "ExternalEmailAddress", "LegacyExchangeDN"],
        rows: &[&[
            Text("outside.desk@clinic.example"),
            Text("MailContact"),
            Text("Outside Desk"),
            Text("SMTP:desk@partner.example"),
            Text("/o=ExchangeLabs/ou=X/cn=Recipients/cn=outside"),
        ]],
    },
    File {
        name: "inbox-rules",
        of: "Deserialized.Microsoft.Exchange.Management.Common.InboxRule",
        columns: &[
            "MailboxOwnerId",
            "RuleIdentity",
            "Name",
            "Enabled",
            "Priority",
            "InError",
            "SupportedByTask",
            "ForwardTo",
            "RedirectTo",
            "ForwardAsAttachmentTo",
            "DeleteMessage",
            "SoftDeleteMessage",
            "MoveToFolder",
            "MarkAsRead",
            "StopProcessingRules",
            "From",
            "FromAddressContainsWords",
            "SubjectContainsWords",
            "SubjectOrBodyContainsWords",
            "BodyContainsWords",
            "Description",
        ],
        rows: &[
            &[
                Text("ana@clinic.example"),
                Number(15_394_007_230_974_001_153),
                Text("Müller, home"),
                Flag(true),
                Number(1),
                Flag(false),
                Flag(true),
                List(&[OUTSIDE, COLLEAGUE]),
                Nothing,
                Nothing,
                Flag(true),
                Flag(false),
                Nothing,
                Flag(false),
                Flag(true),
                Nothing,
                Nothing,
                List(&["lab result", "MRN; 4711"]),
                Nothing,
                Nothing,
                Text("If:\r\n\tthe subject, or\r\n\t\"x\""),
            ],
            &[
                Text("ben"),
                Number(2),
                Text("."),
                Flag(true),
                Number(2),
                Flag(false),
                Flag(true),
                Nothing,
                List(&["\"R\" [EX:/o=ExchangeLabs/ou=X/cn=Recipients/cn=outside]"]),
                Nothing,
                Flag(false),
                Flag(false),
                Nothing,
                Flag(false),
                Flag(false),
                Nothing,
                Nothing,
                Nothing,
                Nothing,
                Nothing,
                Nothing,
            ],
            &[
                Text("front-desk@clinic.example"),
                Number(3),
                Text("aa"),
                Flag(true),
                Number(1),
                Flag(false),
                Flag(true),
                Nothing,
                Nothing,
                Nothing,
                Flag(false),
                Flag(false),
                Text("front-desk:\\RSS Feeds"),
                Flag(true),
                Flag(true),
                Nothing,
                List(&["helpdesk@clinic.example"]),
                Nothing,
                List(&["invoice", "wire transfer"]),
                Nothing,
                Nothing,
            ],
            &[
                Text("ana@clinic.example"),
                Number(4),
                Text("Newsletters"),
                Flag(true),
                Number(2),
                Flag(false),
                Flag(true),
                Nothing,
                Nothing,
                Nothing,
                Flag(false),
                Flag(false),
                Text("ana:\\Newsletters"),
                Flag(false),
                Flag(false),
                List(&["\"News\" [SMTP:news@letters.example]"]),
                Nothing,
                Nothing,
                Nothing,
                Nothing,
                Nothing,
            ],
        ],
    },
    File {
        name: "cas-mailboxes",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.Management.CASMailbox",
        columns: &["PrimarySmtpAddress", "PopEnabled", "ImapEnabled", "SmtpClientAuthenticationDisabled"],
        rows: &[
            &[Text("ana@clinic.example"), Flag(false), Flag(true), Nothing],
            &[Text("ben@clinic.example"), Flag(true), Flag(false), Flag(false)],
            &[Text("front-desk@clinic.example"), Flag(false), Flag(false), Flag(true)],
        ],
    },
    File {
        name: "registration",
        of: "Microsoft.Graph.PowerShell.Models.MicrosoftGraphUserRegistrationDetails",
        columns: &["userPrincipalName", "isAdmin", "isMfaCapable", "isMfaRegistered", "userType", "methodsRegistered"],
        rows: &[
            &[
                Text("ana@clinic.example"),
                Flag(true),
                Flag(true),
                Flag(true),
                Text("member"),
                List(&["microsoftAuthenticatorPush", "mobilePhone"]),
            ],
            &[
                Text("benjamin@clinic.example"),
                Flag(false),
                Flag(false),
                Flag(true),
                Text("member"),
                List(&["mobilePhone"]),
            ],
        ],
    },
    File {
        name: "remote-domains",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.DomainContentConfig",
        columns: &["DomainName", "AutoForwardEnabled", "AllowedOOFType"],
        rows: &[&[Text("*"), Flag(true), Text("External")], &[Text("partner.example"), Flag(true), Text("External")]],
    },
    File {
        name: "outbound-spam",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.SystemConfiguration.HostedOutboundSpamFilterPolicy",
        columns: &["Name", "AutoForwardingMode", "IsDefault"],
        rows: &[&[Text("Default"), Text("Automatic"), Flag(true)]],
    },
    File {
        name: "organization",
        of: "Deserialized.Microsoft.Exchange.Data.Directory.Management.OrganizationConfig",
        columns: &["AuditDisabled", "OAuth2ClientProfileEnabled"],
        rows: &[&[Flag(false), Flag(true)]],
    },
    File {
        name: "permissions",
        of: "Deserialized.Microsoft.Exchange.Management.RecipientTasks.MailboxAcePresentationObject",
        columns: &["Identity", "User", "AccessRights", "IsInherited", "Deny"],
        rows: &[
            &[
                Text("ana@clinic.example"),
                Text("NT AUTHORITY\\SELF"),
                List(&["FullAccess, ReadPermission"]),
                Flag(false),
                Flag(false),
            ],
            &[
                Text("front-desk@clinic.example"),
                Text("guest@partner.example"),
                List(&["FullAccess"]),
                Flag(false),
                Flag(false),
            ],
        ],
    },
    File {
        name: "transport-rules",
        of: "Deserialized.Microsoft.Exchange.MessagingPolicies.Rules.Tasks.TransportRule",
        columns: &[
            "Name",
            "State",
            "Mode",
            "Priority",
            "RuleVersion",
            "SentToScope",
            "BlindCopyTo",
            "RedirectMessageTo",
        ],
        rows: &[
            &[
                Text("Copy"),
                Text("Enabled"),
                Text("Enforce"),
                Number(0),
                Text("14.0.0.0"),
                Nothing,
                List(&["archive@partner.example"]),
                Nothing,
            ],
            &[
                Text("Later"),
                Text("Disabled"),
                Text("Enforce"),
                Number(1),
                Text("14.0.0.0"),
                Nothing,
                Nothing,
                List(&["x@gmail.com"]),
            ],
        ],
    },
];

/// As `Export-Csv` writes after `-join ", "`; addresses of a mailbox are joined by spaces.
fn csv(file: &File, delimiter: &str) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut out = file.columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(delimiter);
    out.push_str("\r\n");
    for row in file.rows {
        let cells = row.iter().zip(file.columns).map(|(value, column)| match value {
            Flag(true) => quoted("True"),
            Flag(false) => quoted("False"),
            List(items) => quoted(&items.join(if *column == "EmailAddresses" { " " } else { ", " })),
            Nothing => String::new(),
            Number(number) => quoted(&number.to_string()),
            Text(text) => quoted(text),
        });
        out.push_str(&cells.collect::<Vec<_>>().join(delimiter));
        out.push_str("\r\n");
    }
    out
}

fn objects(file: &File) -> Vec<String> {
    let object = |row: &&[Value]| {
        let fields: serde_json::Map<String, serde_json::Value> = file
            .columns
            .iter()
            .zip(row.iter())
            .map(|(column, value)| {
                let value = match value {
                    Flag(flag) => (*flag).into(),
                    List(items) => items.to_vec().into(),
                    Nothing => serde_json::Value::Null,
                    Number(number) => (*number).into(),
                    Text(text) => (*text).into(),
                };
                ((*column).to_owned(), value)
            })
            .collect();
        serde_json::Value::Object(fields).to_string()
    };
    file.rows.iter().map(object).collect()
}

fn clixml(file: &File) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace("\r\n", "_x000D__x000A_").replace('\t', "_x0009_")
    };
    let mut out = r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">"#.to_owned();
    for (number, row) in file.rows.iter().enumerate() {
        let reference = number * 100;
        let names = match number {
            0 => format!(r#"<TN RefId="0"><T>{}</T><T>System.Object</T></TN>"#, file.of),
            _ => r#"<TNRef RefId="0" />"#.to_owned(),
        };
        out.push_str(&format!(r#"<Obj RefId="{reference}">{names}<Props>"#));
        for (at, (column, value)) in file.columns.iter().zip(row.iter()).enumerate() {
            out.push_str(&match value {
                Flag(flag) => format!(r#"<B N="{column}">{flag}</B>"#),
                List(items) => {
                    let items: String = items.iter().map(|item| format!("<S>{}</S>", escaped(item))).collect();
                    format!(r#"<Obj N="{column}" RefId="{}"><LST>{items}</LST></Obj>"#, reference + at + 1)
                }
                Nothing => format!(r#"<Nil N="{column}" />"#),
                Number(number) => format!(r#"<U64 N="{column}">{number}</U64>"#),
                Text(text) => format!(r#"<S N="{column}">{}</S>"#, escaped(text)),
            });
        }
        out.push_str("</Props></Obj>");
    }
    out + "</Objs>"
}

fn utf16le(text: &str, mark: bool) -> Vec<u8> {
    let mark: &[u8] = if mark { &[0xff, 0xfe] } else { &[] };
    mark.iter().copied().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

/// How a file is written.
type Written = (&'static str, fn(&File) -> Vec<u8>);

const ENCODINGS: [Written; 9] = [
    ("CSV, UTF-8", |file| csv(file, ",").into_bytes()),
    ("CSV, UTF-16LE without a byte order mark", |file| utf16le(&csv(file, ","), false)),
    ("semicolon CSV", |file| csv(file, ";").into_bytes()),
    ("JSON", |file| format!("[{}]", objects(file).join(",\r\n  ")).into_bytes()),
    ("JSON Lines", |file| (objects(file).join("\n") + "\n").into_bytes()),
    ("CLIXML", |file| clixml(file).into_bytes()),
    ("JSON, UTF-16LE with a byte order mark", |file| utf16le(&format!("[{}]", objects(file).join(",")), true)),
    ("CLIXML, UTF-16LE with a byte order mark", |file| utf16le(&clixml(file), true)),
    ("tab-separated, UTF-16LE with a byte order mark", |file| utf16le(&csv(file, "\t"), true)),
];

fn findings(folder: &Path) -> (String, usize, usize) {
    let judgement = judged(folder, declared(&["clinic.example"]));
    let text = format!("{:#?}\n{:#?}", judgement.findings, judgement.passed);
    // More subjects pass than are named.
    (text, judgement.passed.iter().map(|passed| passed.count).sum(), judgement.findings.len())
}

#[test]
fn the_same_facts_in_every_encoding_give_identical_findings() {
    let mut first: Option<String> = None;
    for (name, write) in ENCODINGS {
        let folder = tempfile::tempdir().unwrap();
        for file in TENANT.iter().chain(SET_UP) {
            put(folder.path(), file.name, &write(file));
        }
        let (found, passed, open) = findings(folder.path());
        eprintln!("{name}: {passed} passed, {open} open, {} bytes of findings", found.len());
        assert!(passed > 30 && open > 30, "{name}: the tenant says too little to compare");
        for check in [
            "no-forwarding-to-consumer-webmail",
            "rules-do-not-hide-warnings",
            "mailbox-forwarding-stays-inside",
            // Exports that say nothing, or not the same, in some encoding would leave these out.
            "forwarding-alert-on",
            "readers-told-of-first-contact",
            "phones-and-tablets-held-to-a-policy",
            "calendar-details-stay-inside",
            "no-leak-policy-left-on-trial",
            "retention-policies-in-force",
            "transport-rules-send-over-known-connectors",
            "no-program-reads-all-mail",
            "send-as-not-given",
            "folders-closed-to-everybody",
            "no-forwarding-lately-set-up",
            "journaling-stays-with-partners",
        ] {
            assert!(found.contains(check), "{name}: {check}");
        }
        let expected = first.get_or_insert_with(|| found.clone());
        if found != *expected {
            let differs = expected.lines().zip(found.lines()).find(|(one, other)| one != other);
            panic!("{name} differs from {}: {differs:?}", ENCODINGS[0].0);
        }
    }
}
