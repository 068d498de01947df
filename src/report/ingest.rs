//! What `ingest` prints: each file with its state, and how many records came of them.
//!
//! The types are the contract of `ingest --format json`; they show and compute nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::evidence::export::{ExportFile, RejectedRow};
use crate::evidence::{Answer, Observation};
use crate::text::visible;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ingest {
    pub schema: u32,
    pub kind: &'static str,
    pub files: Vec<File>,
    /// Records by kind.
    pub records: BTreeMap<String, u64>,
    /// Exports of the providers met here that were not among the files.
    pub missing: Vec<Missing>,
}

/// An export that was not handed over, how it is made, and what cannot be assessed without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub format: &'static str,
    pub export: &'static str,
    pub checks: &'static [&'static str],
}

/// What each provider's checks need: the formats of which one is enough, how it is made, the checks.
type Wanted = (&'static [&'static str], &'static str, &'static [&'static str]);

const WANTED: [Wanted; 63] = [
    (
        &["google-workspace.admin-roles"],
        "gam print admins",
        &["few-global-administrators", "second-factor-on-every-role-holder"],
    ),
    (&["google-workspace.app-passwords"], "gam all users print asps", &["no-app-passwords"]),
    (
        &["google-workspace.delegates"],
        "gam config csv_output_users_audit true all users print delegates",
        &["mail-not-delegated"],
    ),
    (
        &["google-workspace.filters"],
        "gam config csv_output_users_audit true all users print filters formatjson quotechar \"'\"",
        &["no-forwarding-to-consumer-webmail", "rules-do-not-hide-warnings"],
    ),
    (
        &["google-workspace.forwarding-addresses"],
        "gam config csv_output_users_audit true all users print forwardingaddresses",
        &["no-outside-forwarding-address-ready"],
    ),
    (
        &["google-workspace.forwards"],
        "gam config csv_output_users_audit true all users print forwards",
        &["mailbox-forwarding-stays-inside"],
    ),
    (&["google-workspace.imap"], "gam all users print imap", &["imap-and-pop-closed"]),
    (
        &["google-workspace.group-memberships"],
        "gam print group-members fields email,role,type,status",
        &["groups-stay-inside"],
    ),
    (
        &["google-workspace.login-audit"],
        "gam report login start -30d",
        &["no-single-factor-sign-in", "no-forwarding-outside-in-the-login-audit", "second-factors-stay-on"],
    ),
    (
        &["google-workspace.policies"],
        "gam print policies formatjson",
        &["auto-forwarding-off-by-policy", "less-secure-apps-off", "outside-sending-servers-closed"],
    ),
    (&["google-workspace.pop"], "gam all users print pop", &["imap-and-pop-closed"]),
    (
        &["google-workspace.send-as"],
        "gam config csv_output_users_audit true all users print sendas compact",
        &["mail-leaves-over-own-servers"],
    ),
    (
        &["google-workspace.users-console", "google-workspace.users-gam"],
        "admin console, Users, Download users with all columns; or gam print users",
        &["mfa-on-every-mailbox", "mfa-enforced", "second-factor-cannot-be-switched-off"],
    ),
    (
        &["google-workspace.vault-holds"],
        "gam print vaultholds oneitemperrow",
        &["holds-registered", "registered-holds-in-place"],
    ),
    (
        &["microsoft365.accepted-domains"],
        "Get-AcceptedDomain",
        &["mailbox-forwarding-stays-inside", "mailbox-forwarding-by-contact-stays-inside", "no-forwarding-outside"],
    ),
    (&["microsoft365.access-policies"], "Get-ApplicationAccessPolicy", &["programs-with-mail-limited-to-mailboxes"]),
    (&["microsoft365.admin-audit-log"], "Get-AdminAuditLogConfig, in Exchange Online", &["unified-audit-log-on"]),
    (&["microsoft365.alert-policies"], "Get-ProtectionAlert", &["forwarding-alert-on"]),
    (
        &["microsoft365.anti-phishing"],
        "Get-AntiPhishPolicy",
        &["forged-senders-looked-for", "dmarc-followed-on-arrival", "readers-told-of-first-contact"],
    ),
    (&["microsoft365.app-grants"], "Get-MgOauth2PermissionGrant -All", &["no-program-reads-all-mail"]),
    (
        &["microsoft365.app-roles"],
        "Graph servicePrincipals(appId='ID')/appRoleAssignedTo of Microsoft Graph and Exchange Online, all pages",
        &["no-program-reads-all-mail", "programs-with-mail-come-from-verified-publishers"],
    ),
    (&["microsoft365.audit-bypass"], "Get-MailboxAuditBypassAssociation -ResultSize Unlimited", &["no-audit-bypass"]),
    (
        &["microsoft365.authorization-policy"],
        "Get-MgPolicyAuthorizationPolicy | ConvertTo-Json -Depth 12",
        &["users-cannot-let-programs-in"],
    ),
    (
        &["microsoft365.cas-mailboxes"],
        "Get-EXOCASMailbox -PropertySets All",
        &["imap-and-pop-closed", "smtp-auth-closed"],
    ),
    (
        &["microsoft365.conditional-access"],
        "Get-MgIdentityConditionalAccessPolicy -All | ConvertTo-Json -Depth 12",
        &["mfa-enforced", "mfa-demanded-of-everybody", "mfa-exceptions-registered", "legacy-authentication-blocked"],
    ),
    (
        &["microsoft365.directory-roles"],
        "Graph roleManagement/directory/roleAssignments?$expand=principal, all pages",
        &["few-global-administrators", "second-factor-on-every-role-holder"],
    ),
    (&["microsoft365.dlp-policies"], "Get-DlpCompliancePolicy", &["leak-policy-enforced"]),
    (&["microsoft365.encryption"], "Get-IRMConfiguration", &["mail-can-be-encrypted"]),
    (
        &["microsoft365.folder-permissions"],
        "Get-MailboxFolderPermission for Calendar and Inbox of every mailbox",
        &["folders-closed-to-everybody"],
    ),
    (
        &["microsoft365.folder-statistics"],
        "Get-EXOMailboxFolderStatistics -IncludeOldestAndNewestItems for every mailbox with health information",
        &["phi-mailbox-within-stated-limit"],
    ),
    (
        &["microsoft365.group-members"],
        "Get-DistributionGroupMember and Get-UnifiedGroupLinks of every group, with GroupAddress",
        &["groups-stay-inside"],
    ),
    (
        &["microsoft365.inbox-rules", "microsoft365.inbox-rules-graph"],
        "Get-InboxRule -Mailbox <each> -IncludeHidden",
        &["no-forwarding-to-consumer-webmail", "rules-do-not-hide-warnings"],
    ),
    (&["microsoft365.journal-rules"], "Get-JournalRule", &["journaling-stays-with-partners"]),
    (
        &["microsoft365.mailbox-permissions", "microsoft365.mailbox-permissions-extractor"],
        "Get-EXOMailboxPermission for every mailbox",
        &["full-access-stays-inside", "full-access-not-concentrated"],
    ),
    (
        &["microsoft365.mailboxes"],
        "Get-EXOMailbox -PropertySets All",
        &[
            "mailbox-forwarding-stays-inside",
            "mailbox-forwarding-by-contact-stays-inside",
            "retention-policy-on-phi-mailboxes",
            "holds-registered",
        ],
    ),
    (
        &["microsoft365.message-trace"],
        "Get-MessageTraceV2, all pages, with Received as yyyy-MM-dd, beside Get-AcceptedDomain",
        &["little-mail-to-consumer-webmail"],
    ),
    (
        &["microsoft365.mfa-registration"],
        "Get-MgReportAuthenticationMethodUserRegistrationDetail -All",
        &["mfa-on-every-mailbox", "mfa-on-every-administrator", "factors-stronger-than-a-phone"],
    ),
    (&["microsoft365.mobile-policies"], "Get-MobileDeviceMailboxPolicy", &["phones-and-tablets-held-to-a-policy"]),
    (
        &["microsoft365.organization"],
        "Get-OrganizationConfig",
        &["mailbox-auditing-on", "modern-authentication-on", "direct-send-refused", "session-ends-by-itself"],
    ),
    (
        &["microsoft365.outbound-connectors"],
        "Get-OutboundConnector | ConvertTo-Json -EnumsAsStrings",
        &[
            "partner-with-phi-sent-to-over-enforced-tls",
            "partner-with-phi-known-by-certificate",
            "transport-rules-send-over-known-connectors",
        ],
    ),
    (
        &["microsoft365.outbound-spam"],
        "Get-HostedOutboundSpamFilterPolicy",
        &["external-auto-forwarding-off", "auto-forwarding-mode-stated"],
    ),
    (
        &["microsoft365.recipient-permissions", "microsoft365.mailbox-permissions-extractor"],
        "Get-EXORecipientPermission -ResultSize Unlimited",
        &["send-as-not-given"],
    ),
    (
        &["microsoft365.recipients"],
        "Get-EXORecipient, Get-MailContact, Get-MailUser with LegacyExchangeDN",
        &["forwarding-targets-resolved", "mailbox-forwarding-by-contact-stays-inside"],
    ),
    (&["microsoft365.remote-domains"], "Get-RemoteDomain", &["default-remote-domain-blocks-forwarding"]),
    (
        &["microsoft365.retention-compliance"],
        "Get-RetentionCompliancePolicy -DistributionDetail, in the compliance session",
        &["retention-policies-in-force", "records-kept-as-long-as-decided"],
    ),
    (
        &["microsoft365.retention-policies"],
        "Get-RetentionPolicy | ConvertTo-Json",
        &["records-kept-as-long-as-decided"],
    ),
    (
        &["microsoft365.retention-rules"],
        "Get-RetentionComplianceRule, in the compliance session",
        &["records-kept-as-long-as-decided"],
    ),
    (
        &["microsoft365.inactive-mailboxes"],
        "Get-Mailbox -InactiveMailboxOnly -ResultSize Unlimited with WhenSoftDeleted, IsInactiveMailbox, LitigationHoldEnabled, LitigationHoldDuration and InPlaceHolds, and no more than its names beside",
        &["holds-registered", "registered-holds-in-place"],
    ),
    (&["microsoft365.retention-tags"], "Get-RetentionPolicyTag", &["records-kept-as-long-as-decided"]),
    (
        &["microsoft365.role-assignments"],
        "Get-ManagementRoleAssignment, all of them, with CustomResourceScope and RecipientWriteScope",
        &["programs-with-mail-limited-to-mailboxes"],
    ),
    (&["microsoft365.security-defaults"], "Get-MgPolicyIdentitySecurityDefaultEnforcementPolicy", &["mfa-enforced"]),
    (
        &["microsoft365.service-principals"],
        "Get-MgServicePrincipal -All -Property Id,AppId,AppOwnerOrganizationId,VerifiedPublisher | ConvertTo-Json -Depth 4",
        &["programs-with-mail-come-from-verified-publishers"],
    ),
    (&["microsoft365.sharing-policies"], "Get-SharingPolicy", &["calendar-details-stay-inside"]),
    (
        &["microsoft365.sign-ins"],
        "Graph beta auditLogs/signIns of 30 days, signInEventTypes interactiveUser and nonInteractiveUser, all pages",
        &[
            "no-old-client-signed-in",
            "no-single-factor-sign-in",
            "imap-and-pop-not-used",
            "emergency-sign-ins-reviewed",
        ],
    ),
    (&["microsoft365.transport-config"], "Get-TransportConfig", &["smtp-auth-closed", "smtp-auth-off-for-the-tenant"]),
    (
        &["microsoft365.transport-rules"],
        "Get-TransportRule -ResultSize Unlimited | ConvertTo-Json",
        &["transport-rules-stay-inside", "filtering-not-bypassed", "encryption-applied-by-rule"],
    ),
    (
        &["microsoft365.unified-audit-log"],
        "Search-UnifiedAuditLog of 30 days with AuditData, all pages",
        &["no-forwarding-lately-set-up", "no-program-lately-let-in", "no-audit-bypass-lately-set"],
    ),
    (
        &["microsoft365.users"],
        "Get-MgUser -All -Property AccountEnabled,UserPrincipalName,CreatedDateTime,SignInActivity",
        &["accounts-in-use", "accounts-of-leavers-closed"],
    ),
    (
        &["self-hosted.aliases"],
        "the files that postconf alias_maps virtual_alias_maps names: collect-self-hosted.sh",
        &["mail-server-sends-nothing-outside"],
    ),
    (&["self-hosted.dovecot"], "doveconf -n", &["own-server-takes-no-passwords-in-clear"]),
    (
        &["self-hosted.forward-file"],
        ".forward in the home of every user: collect-self-hosted.sh",
        &["mail-server-sends-nothing-outside"],
    ),
    (
        &["self-hosted.postfix"],
        "(postconf -n; echo '# postconf -P'; postconf -P)",
        &["mail-server-sends-nothing-outside"],
    ),
    (
        &["self-hosted.sieve", "self-hosted.zimbra"],
        "doveadm sieve get for every user; Zimbra: collect-self-hosted.sh",
        &["no-forwarding-to-consumer-webmail", "rules-do-not-hide-warnings"],
    ),
];

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    pub path: String,
    pub format: Option<String>,
    pub encoding: String,
    pub bytes: u64,
    pub sha256: String,
    pub rows: u64,
    /// The first rows that could not be read; `rejected_rows` counts all of them.
    pub rejected: Vec<RejectedRow>,
    pub rejected_rows: u64,
    pub lost_fields: Vec<String>,
    pub state: &'static str,
    pub notes: Vec<String>,
    /// What a collector says it wrote, by format.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub collected: BTreeMap<String, u64>,
}

impl Default for Ingest {
    fn default() -> Self {
        Self::new()
    }
}

impl Ingest {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self { schema: 1, kind: "ingest", files: Vec::new(), records: BTreeMap::new(), missing: Vec::new() }
    }

    /// Counts one observation; only those of exports say anything here.
    pub fn add(&mut self, observation: &Observation) {
        match &observation.answer {
            Ok(Answer::ExportFile(file)) => self.files.push(shown(file)),
            Ok(Answer::Record(record)) => {
                *self.records.entry(record.kind().to_owned()).or_default() += record.stands_for()
            }
            Ok(
                Answer::AggregateReport(_)
                | Answer::Answer(_)
                | Answer::ContentFile(_)
                | Answer::ContentFolder(_)
                | Answer::ContentRoster(_)
                | Answer::ContentSample(_)
                | Answer::Decisions(_)
                | Answer::Declared(_)
                | Answer::Dns(_)
                | Answer::Endpoint(_)
                | Answer::ExportedSelectors(_)
                | Answer::Https(_)
                | Answer::IncomingMail(_)
                | Answer::Register(_)
                | Answer::ReportMail(_)
                | Answer::Signatures(_)
                | Answer::TlsReport(_),
            )
            | Err(_) => {}
        }
    }

    /// Files sorted by path, and what was not among them, for output.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        let formats: BTreeSet<&str> = self.files.iter().filter_map(|file| file.format.as_deref()).collect();
        let providers: BTreeSet<&str> =
            formats.iter().filter_map(|format| format.split_once('.')).map(|of| of.0).collect();
        let nothing_to_collect = |format: &str| {
            let said: Vec<u64> = self.files.iter().filter_map(|file| file.collected.get(format).copied()).collect();
            !said.is_empty() && said.iter().all(|written| *written == 0)
        };
        let wanted = WANTED.iter().filter(|(of, ..)| {
            of[0].split_once('.').is_some_and(|(provider, _)| providers.contains(provider))
                && !of.iter().any(|format| formats.contains(format) || nothing_to_collect(format))
        });
        self.missing = wanted.map(|(of, export, checks)| Missing { format: of[0], export, checks }).collect();
        self
    }

    /// As text for people, at most 80 columns where paths allow it.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            out.push_str(&format!("{}\n", visible(&file.path)));
            let format = file.format.as_deref().unwrap_or("no known export");
            out.push_str(&format!("  {}: {format}, {} rows", file.state, file.rows));
            if file.rejected_rows > 0 {
                out.push_str(&format!(", {} rejected", file.rejected_rows));
            }
            out.push('\n');
            if !file.lost_fields.is_empty() {
                out.push_str(&format!("  lost by the exporter: {}\n", visible(&file.lost_fields.join(", "))));
            }
            for rejected in file.rejected.iter().take(3) {
                match rejected.row {
                    0 => out.push_str(&format!("  {}\n", visible(&rejected.why))),
                    row => out.push_str(&format!("  row {row}: {}\n", visible(&rejected.why))),
                }
            }
            for note in &file.notes {
                out.push_str(&format!("  note: {}\n", visible(note)));
            }
        }
        out.push_str("records\n");
        if self.records.is_empty() {
            out.push_str("  none\n");
        }
        for (kind, count) in &self.records {
            out.push_str(&format!("  {kind:<20} {count}\n"));
        }
        if !self.missing.is_empty() {
            out.push_str("not handed over; without it these checks cannot be assessed\n");
        }
        for missing in &self.missing {
            out.push_str(&format!("  {}: {}\n", missing.format, missing.checks.join(", ")));
            out.push_str(&format!("    export it with: {}\n", missing.export));
        }
        out
    }
}

fn shown(file: &ExportFile) -> File {
    File {
        path: file.label.clone(),
        format: file.format.clone(),
        encoding: file.encoding.clone(),
        bytes: file.bytes,
        sha256: file.sha256.clone(),
        rows: file.rows,
        rejected: file.rejected.clone(),
        rejected_rows: file.rejected_rows,
        lost_fields: file.lost_fields.clone(),
        state: file.state.as_str(),
        notes: file.notes.clone(),
        collected: file.collected.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::KeyedReference;

    #[test]
    fn what_is_wanted_is_a_known_format_for_a_check_that_exists() {
        let catalog = crate::checks::Catalog::built_in().unwrap();
        for (formats, _, checks) in WANTED {
            assert!(!formats.is_empty() && !checks.is_empty());
            for check in checks {
                assert!(catalog.checks.contains_key(*check), "{check}");
            }
        }
    }

    #[test]
    fn every_file_has_a_state_and_records_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("users.csv", "primaryEmail,isEnrolledIn2Sv,suspended\na@clinic.example,True,False\nnobody,True,False\n"),
            ("readme.txt", "hello\n"),
            ("empty.json", ""),
        ] {
            crate::files::write_whole(&folder.path().join(name), text.as_bytes()).unwrap();
        }
        let mut ingest = Ingest::new();
        let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
        let (paths, labels) = ([folder.path().to_owned()], ["exports".to_owned()]);
        let key = KeyedReference::new(b"test");
        crate::collect::exports::read_each(
            &paths,
            &labels,
            &BTreeSet::new(),
            &key,
            asked_at,
            "here",
            &mut |observation| {
                ingest.add(&observation);
            },
        );
        let ingest = ingest.sorted();
        let json = serde_json::to_value(&ingest).unwrap();
        assert_eq!(json["schema"], 1);
        assert_eq!(json["kind"], "ingest");
        let states: Vec<_> = ingest.files.iter().map(|file| (file.path.as_str(), file.state)).collect();
        assert_eq!(
            states,
            [
                ("exports/empty.json", "unreadable"),
                ("exports/readme.txt", "not-an-export"),
                ("exports/users.csv", "partly-read")
            ]
        );
        assert_eq!(json["files"][2]["rejected"][0]["row"], 2);
        assert_eq!(json["records"]["mailbox"], 1);
        assert!(ingest.text().contains("row 2: no column holds the user's address"), "{}", ingest.text());
    }
}
