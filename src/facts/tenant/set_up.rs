//! How a tenant is set up: what its settings, policies and rules say, each by the worst that any of
//! them says.
//!
//! That nothing is wrong is said only where the whole list was read; one that says something wrong
//! is enough for the opposite. A setting that no export states is unknown, whatever its default.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::exported;
use super::super::shape::Fact;
use super::super::{Context, tenant::Policies};
use super::Settings;
use crate::clock::days_between;
use crate::evidence::export::{Record, TenantSetting};
use crate::evidence::{Answer, EvidenceId, Question, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

/// Where a setting stands: the formats that hold it, and what to hand over.
#[derive(Debug)]
pub(in crate::facts) struct Export {
    pub formats: &'static [&'static str],
    pub what: &'static str,
}

pub(super) const ORGANIZATION: Export = Export {
    formats: &["microsoft365.organization"],
    what: "the organization's settings with all columns (Get-OrganizationConfig)",
};
pub(super) const TRANSPORT: Export = Export {
    formats: &["microsoft365.transport-config"],
    what: "the transport settings with all columns (Get-TransportConfig)",
};
pub(super) const ANTI_PHISHING: Export =
    Export { formats: &["microsoft365.anti-phishing"], what: "the policies against phishing (Get-AntiPhishPolicy)" };
pub(super) const CONSENT: Export = Export {
    formats: &["microsoft365.authorization-policy"],
    what: "what users may consent to (Get-MgPolicyAuthorizationPolicy, -Depth 12)",
};
pub(super) const ENCRYPTION: Export =
    Export { formats: &["microsoft365.encryption"], what: "the settings of encryption (Get-IRMConfiguration)" };
pub(super) const POLICIES: Export = Export {
    formats: &["google-workspace.policies", "google-workspace.scubagoggles"],
    what: "the policies of all organizational units, with this value (gam print policies formatjson)",
};
pub(in crate::facts) const OUTBOUND_SPAM: Export = Export {
    formats: &["microsoft365.outbound-spam"],
    what: "the outbound spam policies (Get-HostedOutboundSpamFilterPolicy)",
};
pub(in crate::facts) const REMOTE_DOMAINS: Export =
    Export { formats: &["microsoft365.remote-domains"], what: "the remote domains (Get-RemoteDomain)" };
const MOBILE: Export = Export {
    formats: &["microsoft365.mobile-policies"],
    what: "the policies for phones and tablets (Get-MobileDeviceMailboxPolicy)",
};
const ALERTS: Export =
    Export { formats: &["microsoft365.alert-policies"], what: "the alert policies (Get-ProtectionAlert)" };
const SHARING: Export =
    Export { formats: &["microsoft365.sharing-policies"], what: "the sharing policies (Get-SharingPolicy)" };
const RULES: Export = Export {
    formats: &["microsoft365.transport-rules"],
    what: "the transport rules with all columns (Get-TransportRule | ConvertTo-Json)",
};
pub(in crate::facts) const CONDITIONAL_ACCESS: Export = Export {
    formats: &["microsoft365.conditional-access"],
    what: "the conditional access policies (Get-MgIdentityConditionalAccessPolicy, -Depth 12)",
};

const LEAK_POLICIES: Export =
    Export { formats: &["microsoft365.dlp-policies"], what: "the leak policies (Get-DlpCompliancePolicy)" };
const RETENTION_POLICIES: Export = Export {
    formats: &["microsoft365.retention-compliance"],
    what: "the retention policies with all columns (Get-RetentionCompliancePolicy -DistributionDetail)",
};
pub(super) const ROLES: Export = Export {
    formats: &["microsoft365.app-roles"],
    what: "the permissions of programs without a user (Graph servicePrincipals/ID/appRoleAssignedTo of Microsoft Graph and Exchange Online), with the collector's record",
};
pub(super) const GRANTS: Export = Export {
    formats: &["microsoft365.app-grants"],
    what: "the permissions of programs (Get-MgOauth2PermissionGrant -All)",
};
const PROGRAMS: Export = Export {
    formats: &["microsoft365.service-principals"],
    what: "all programs with their publishers (Get-MgServicePrincipal -All, Id, AppId, AppOwnerOrganizationId, VerifiedPublisher)",
};
const OWN_SERVER: [Export; 2] = [
    Export { formats: &["self-hosted.dovecot"], what: "the settings of Dovecot (doveconf -n)" },
    Export {
        formats: &["self-hosted.postfix"],
        what: "the settings of Postfix and of its services (postconf -n, then a line `# postconf -P`, then postconf -P)",
    },
];
const INBOX_RULES: Export = Export {
    formats: &["microsoft365.inbox-rules", "microsoft365.inbox-rules-graph"],
    what: "the inbox rules of all mailboxes (Get-InboxRule)",
};
const FILTERS: Export =
    Export { formats: &["google-workspace.filters"], what: "the filters of all users (gam all users print filters)" };
const SCRIPTS: Export = Export {
    formats: &["self-hosted.sieve", "self-hosted.zimbra"],
    what: "the Sieve scripts of all mailboxes (doveadm sieve get; Zimbra: collect-self-hosted.sh)",
};
/// Services under Google's agreement for health information, by their names in the Policy API (Google
/// Workspace, "HIPAA Included Functionality", from general knowledge, 2026-11; the list changes).
const COVERED: [&str; 18] = [
    "appsheet",
    "apps_script",
    "calendar",
    "chat",
    "cloud_search",
    "docs",
    "drive",
    "drive_and_docs",
    "gemini_app",
    "gmail",
    "groups",
    "groups_for_business",
    "keep",
    "meet",
    "sites",
    "tasks",
    "vault",
    "voice",
];

/// The settings of one tenant, with what they stand in.
pub(super) struct SetUp<'s, 'e> {
    context: Context<'e>,
    provider: &'s str,
    settings: &'s Settings<'e>,
}

impl<'s, 'e> SetUp<'s, 'e> {
    pub(super) fn of(context: Context<'e>, provider: &'s str, settings: &'s Settings<'e>) -> Self {
        Self { context, provider, settings }
    }

    pub(super) fn flag(&self, name: &str, worse: bool, export: &Export) -> Fact<bool> {
        self.settings.if_whole(self.settings.flag(name, worse, export.what), |value| *value == worse, export)
    }

    /// A word; of several the last in `ranked`, mildest first, counts.
    pub(super) fn word(&self, name: &str, ranked: &[&str], export: &Export) -> Fact<String> {
        let fact = self.settings.word(name, ranked, export.what);
        self.settings.if_whole(fact, |value| ranked.last() == Some(&value.as_str()), export)
    }

    /// A number; of several the one that `worse` picks counts, and only the whole list shows it.
    pub(super) fn number(&self, name: &str, worse: fn(i64, i64) -> i64, export: &Export) -> Fact<i64> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let (mut found, mut ids, mut in_doubt) = (None, Vec::new(), None);
        for (id, setting) in self.settings.named(name) {
            ids.push(id.clone());
            match &setting.value {
                Seen::Present(text) => match text.parse::<i64>() {
                    Ok(number) => found = Some(found.map_or(number, |known| worse(known, number))),
                    Err(_) => in_doubt = Some(NotObserved::not_provided(export.what)),
                },
                Seen::Unknown(reason) => in_doubt = Some(reason.clone()),
                Seen::Absent | Seen::Malformed(_) => in_doubt = Some(NotObserved::not_provided(export.what)),
            }
        }
        match (found, in_doubt) {
            (_, Some(reason)) => Fact::new(Seen::Unknown(reason), ids),
            (None, None) => Fact::unknown(NotObserved::not_provided(export.what)),
            (Some(number), None) => self.settings.if_whole(Fact::present(number, ids), |_| false, export),
        }
    }

    /// Nothing ends a session is the worst, then the longest.
    pub(super) fn session_hours(&self) -> Fact<i64> {
        let export = if self.provider == "google-workspace" { &POLICIES } else { &ORGANIZATION };
        let worse = |one: i64, other: i64| if one == 0 || other == 0 { 0 } else { one.max(other) };
        self.number("session-hours", worse, export)
    }

    /// Each text that a setting of several policies gives, where the list is whole or not empty.
    fn listed(
        &self,
        names: &[&str],
        read: impl Fn(&TenantSetting, &str) -> Option<String>,
        export: &Export,
    ) -> Fact<Vec<String>> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let (mut found, mut ids, mut in_doubt, mut said) = (BTreeSet::new(), Vec::new(), None, 0usize);
        for (id, setting) in names.iter().flat_map(|name| self.settings.named(name)) {
            ids.push(id.clone());
            match &setting.value {
                Seen::Present(value) => {
                    said += 1;
                    found.extend(read(setting, value));
                }
                Seen::Unknown(reason) => in_doubt = Some(reason.clone()),
                Seen::Absent | Seen::Malformed(_) => in_doubt = Some(NotObserved::not_provided(export.what)),
            }
        }
        ids.extend(self.settings.files.evidence_of(export.formats));
        let whole = self.settings.files.whole(export.formats, export.what).err();
        let silent = (said == 0).then(|| NotObserved::not_provided(export.what));
        match in_doubt.or(whole).or(silent) {
            Some(reason) if found.is_empty() => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(found.into_iter().collect(), ids),
        }
    }

    /// One policy that nobody set is enough, whatever others say.
    pub(super) fn auto_forwarding_mode(&self) -> Fact<String> {
        let automatic = |_: &TenantSetting, mode: &str| (mode == "automatic").then(|| mode.to_owned());
        let fact = self.listed(&["external-auto-forwarding"], automatic, &OUTBOUND_SPAM);
        let word = |left: Vec<String>| if left.is_empty() { "stated" } else { "automatic" }.to_owned();
        Fact::new(fact.seen.map(word), fact.evidence)
    }

    /// Each unit counts for itself: what one is told holds for those below it that are told nothing.
    pub(super) fn units_with_auto_forwarding(&self) -> Fact<i64> {
        let open =
            |setting: &TenantSetting, state: &str| (state == "on").then(|| setting.of.clone().unwrap_or_default());
        let fact = self.listed(&["external-auto-forwarding"], open, &POLICIES);
        Fact::new(fact.seen.map(|units| i64::try_from(units.len()).unwrap_or(i64::MAX)), fact.evidence)
    }

    /// What the policies for devices leave open. A policy that does not state one of the three is one
    /// of which that is not known.
    pub(super) fn mobile_policy_gaps(&self) -> Fact<Vec<String>> {
        let open = |setting: &TenantSetting, value: &str| match (setting.setting.as_str(), value) {
            ("mobile-any-device", "true") => Some("devices that cannot follow the policy are let in".to_owned()),
            ("mobile-encryption", "false") => Some("encryption is not demanded".to_owned()),
            ("mobile-password", "false") => Some("no password is demanded".to_owned()),
            _ => None,
        };
        let names = ["mobile-any-device", "mobile-encryption", "mobile-password"];
        let fact = self.listed(&names, open, &MOBILE);
        match (&fact.seen, names.iter().any(|name| self.settings.named(name).next().is_none())) {
            (Seen::Present(gaps), true) if gaps.is_empty() => {
                let what = "PasswordEnabled, RequireDeviceEncryption and AllowNonProvisionableDevices of every policy";
                Fact::new(Seen::Unknown(NotObserved::not_provided(what)), fact.evidence)
            }
            _ => fact,
        }
    }

    pub(super) fn calendar_details_open_to(&self) -> Fact<Vec<String>> {
        let open = |setting: &TenantSetting, value: &str| match (setting.of.as_deref(), value) {
            (Some("every-domain"), "detail") => Some("every domain".to_owned()),
            (Some("anybody"), "detail") => Some("anybody without signing in".to_owned()),
            (Some(domain), "detail") => Some(domain.to_owned()),
            _ => None,
        };
        self.listed(&["calendar-sharing"], open, &SHARING)
    }

    pub(super) fn imap_pop_by_policy(&self) -> Fact<Vec<String>> {
        let open = |setting: &TenantSetting, value: &str| match (setting.setting.as_str(), value) {
            ("imap-access", "on") => Some("imap".to_owned()),
            ("pop-access", "on") => Some("pop".to_owned()),
            _ => None,
        };
        let fact = self.listed(&["imap-access", "pop-access"], open, &POLICIES);
        let silent = ["imap-access", "pop-access"].iter().any(|name| self.settings.named(name).next().is_none());
        match &fact.seen {
            Seen::Present(open) if open.is_empty() && silent => {
                Fact::new(Seen::Unknown(NotObserved::not_provided(POLICIES.what)), fact.evidence)
            }
            _ => fact,
        }
    }

    /// One alert that is switched on is enough.
    pub(super) fn forwarding_alert(&self) -> Fact<String> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let alerts: Vec<_> =
            self.settings.named("alert").filter(|(_, alert)| alert.of.as_deref() == Some("forwarding")).collect();
        let ids: Vec<EvidenceId> = alerts.iter().map(|(id, _)| (*id).clone()).collect();
        let is = |word: &str| alerts.iter().any(|(_, alert)| alert.value.present().is_some_and(|value| value == word));
        if is("on") && self.settings.files.outdated(ALERTS.formats, ALERTS.what).is_none() {
            return Fact::present("on".to_owned(), ids);
        }
        let unread = alerts.iter().find_map(|(_, alert)| unknown(&alert.value));
        if let Some(reason) = self.settings.files.whole(ALERTS.formats, ALERTS.what).err().or(unread) {
            return Fact::new(Seen::Unknown(reason), ids);
        }
        let ids = ids.into_iter().chain(self.settings.files.evidence_of(ALERTS.formats)).collect();
        Fact::present(if is("off") { "off" } else { "none" }.to_owned(), ids)
    }

    /// One rule that is enforced is enough; that there is none is known from the whole list.
    pub(super) fn encrypting_rules(&self) -> Fact<String> {
        let outdated = || self.settings.files.outdated(RULES.formats, RULES.what);
        let gone = self.context.evidence.taken_away(Source::Export, SubjectKind::ForwardingRule);
        if let Some(reason) = gone.or_else(outdated) {
            return Fact::unknown(reason);
        }
        let (mut ids, mut off, mut in_doubt) = (Vec::new(), false, None);
        for (id, record) in exported::records(self.context) {
            let Record::ForwardingRule(rule) = record else { continue };
            if rule.provider != self.provider || rule.origin != "transport" {
                continue;
            }
            match (&rule.encrypts, &rule.enabled) {
                (Seen::Present(true), Seen::Present(true)) => {
                    return Fact::present("enforced".to_owned(), vec![id.clone()]);
                }
                (Seen::Present(true), Seen::Present(false)) => {
                    off = true;
                    ids.push(id.clone());
                }
                (Seen::Present(true), _) => in_doubt = Some(NotObserved::not_provided("State of every transport rule")),
                (Seen::Present(false), _) => {}
                (Seen::Unknown(reason), _) => in_doubt = Some(reason.clone()),
                (Seen::Absent | Seen::Malformed(_), _) => in_doubt = Some(NotObserved::not_provided(RULES.what)),
            }
        }
        if let Some(reason) = self.settings.files.whole(RULES.formats, RULES.what).err().or(in_doubt) {
            return Fact::new(Seen::Unknown(reason), ids);
        }
        let ids = ids.into_iter().chain(self.settings.files.evidence_of(RULES.formats)).collect();
        Fact::present(if off { "off" } else { "none" }.to_owned(), ids)
    }

    /// Security defaults block such clients; so does a conditional access policy for all users and
    /// all applications.
    pub(super) fn legacy_authentication(&self) -> Fact<String> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let defaults = self.settings.flag("security-defaults", false, "security defaults");
        if defaults.seen.present() == Some(&true) {
            return Fact::present("blocked".to_owned(), defaults.evidence);
        }
        let policies = Policies::of(self.context, self.provider);
        let (mut ids, mut excepted, mut in_doubt) = (Vec::new(), false, None);
        for (id, policy) in &policies.all {
            ids.push((*id).clone());
            let needed = [&policy.blocks_old_clients, &policy.all_users, &policy.all_applications];
            if policy.policy_state.present().is_some_and(|state| state != "enabled")
                || needed.iter().any(|seen| seen.present() == Some(&false))
            {
                continue;
            }
            if let Some(reason) = needed.into_iter().find_map(unknown) {
                in_doubt = Some(reason);
            } else if policy.policy_state.present().is_none() {
                in_doubt = Some(NotObserved::not_provided("the state of the policy"));
            } else if policy.excludes_groups.present() == Some(&false)
                && policy.excluded_users.present().is_some_and(Vec::is_empty)
            {
                return Fact::present("blocked".to_owned(), vec![(*id).clone()]);
            } else {
                excepted = true;
            }
        }
        if excepted {
            return Fact::present("with-exceptions".to_owned(), ids);
        }
        ids.extend(defaults.evidence);
        let whole = self.settings.files.whole(CONDITIONAL_ACCESS.formats, CONDITIONAL_ACCESS.what).err();
        match in_doubt.or(whole).or_else(|| unknown(&defaults.seen)) {
            Some(reason) => Fact::new(Seen::Unknown(reason), ids),
            None => Fact::present("open".to_owned(), ids),
        }
    }

    pub(super) fn mfa_policies_on_trial(&self) -> Fact<i64> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let policies = Policies::of(self.context, self.provider);
        let ids = policies.all.iter().map(|(id, _)| (*id).clone()).collect();
        let (mut count, mut in_doubt) = (0i64, None);
        for (_, policy) in &policies.all {
            let reports = policy.policy_state.clone().map(|state| state == "enabledforreportingbutnotenforced");
            match (&reports, &policy.requires_mfa) {
                (Seen::Present(true), Seen::Present(true)) => count += 1,
                (Seen::Present(false), _) | (_, Seen::Present(false)) => {}
                (one, other) => {
                    in_doubt = unknown(one).or_else(|| unknown(other)).or(in_doubt);
                }
            }
        }
        let whole = self.settings.files.whole(CONDITIONAL_ACCESS.formats, CONDITIONAL_ACCESS.what).err();
        match in_doubt.or(whole) {
            Some(reason) if count == 0 => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(count, ids),
        }
    }

    /// How many policies are in one of these states.
    fn policies_in(&self, name: &str, words: &[&str], export: &Export) -> Fact<i64> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let (mut count, mut ids, mut in_doubt) = (0i64, Vec::new(), None);
        for (id, setting) in self.settings.named(name) {
            ids.push(id.clone());
            match &setting.value {
                Seen::Present(word) if words.contains(&word.as_str()) => count += 1,
                Seen::Present(_) => {}
                other => in_doubt = unknown(other),
            }
        }
        ids.extend(self.settings.files.evidence_of(export.formats));
        match in_doubt.or(self.settings.files.whole(export.formats, export.what).err()) {
            Some(reason) if count == 0 => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(count, ids),
        }
    }

    pub(super) fn leak_policies_on_trial(&self) -> Fact<i64> {
        self.policies_in("dlp-policy", &["testing"], &LEAK_POLICIES)
    }

    pub(super) fn retention_policies_in_force(&self) -> Fact<i64> {
        self.policies_in("retention-policy", &["enforced"], &RETENTION_POLICIES)
    }

    pub(super) fn retention_policies_idle(&self) -> Fact<i64> {
        self.policies_in("retention-policy", &["off", "testing"], &RETENTION_POLICIES)
    }

    /// Services that are switched on and that Google's list of what its agreement covers does not name.
    pub(super) fn services_outside_agreement(&self) -> Fact<Vec<String>> {
        let outside = |setting: &TenantSetting, value: &str| {
            setting.of.clone().filter(|of| value == "on" && !COVERED.contains(&of.as_str()))
        };
        let fact = self.listed(&["service"], outside, &POLICIES);
        // A list that speaks of covered services alone was cut: what it leaves out is on by default.
        let speaks_of_others = self
            .settings
            .named("service")
            .any(|(_, setting)| setting.of.as_deref().is_some_and(|of| !COVERED.contains(&of)));
        match &fact.seen {
            Seen::Present(found) if found.is_empty() && !speaks_of_others => Fact::new(
                Seen::Unknown(NotObserved::not_provided("the status of every service of Google Workspace")),
                fact.evidence,
            ),
            _ => fact,
        }
    }

    /// Programs that reach mail and that nobody vouches for. One whose publisher no list names is in doubt.
    pub(super) fn programs_unverified(&self) -> Fact<Vec<String>> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let publishers: BTreeMap<&str, &Seen<String>> = self
            .settings
            .named("program-publisher")
            .filter_map(|(_, setting)| Some((setting.of.as_deref()?, &setting.value)))
            .collect();
        let (mut found, mut ids, mut in_doubt) = (BTreeSet::new(), Vec::new(), None);
        for (id, grant) in self.settings.named("app-grant").chain(self.settings.named("app-role")) {
            match &grant.value {
                Seen::Present(word) if word == "no-mail" => continue,
                Seen::Present(_) => {}
                other => {
                    in_doubt = unknown(other);
                    continue;
                }
            }
            let Some(program) = grant.of.as_deref() else { continue };
            match publishers.get(program) {
                Some(Seen::Present(word)) if word == "unverified" => {
                    found.insert(program.to_owned());
                    ids.push(id.clone());
                }
                Some(Seen::Present(_)) => {}
                Some(other) => in_doubt = unknown(other),
                None => in_doubt = Some(NotObserved::not_provided(PROGRAMS.what)),
            }
        }
        ids.extend(self.settings.files.evidence_of(PROGRAMS.formats));
        let whole = |export: &Export| self.settings.files.whole(export.formats, export.what).err();
        let whole = || [&GRANTS, &ROLES, &PROGRAMS].into_iter().find_map(whole);
        match in_doubt.or_else(whole).or_else(|| self.settings.roles_not_asked()) {
            Some(reason) if found.is_empty() => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(found.into_iter().collect(), ids),
        }
    }

    /// Whether a server of one's own takes passwords before TLS. One setting that lets it is enough; that
    /// none does has to be stated by both Dovecot and Postfix, on every server of which there is a file.
    pub(super) fn clear_passwords(&self) -> Fact<bool> {
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        let said: Vec<_> = self.settings.named("passwords-in-clear").collect();
        let ids: Vec<EvidenceId> = said.iter().map(|(id, _)| (*id).clone()).collect();
        let is = |of: &str, word: &str| {
            said.iter().any(|(_, setting)| {
                setting.of.as_deref() == Some(of) && setting.value.present().is_some_and(|value| value == word)
            })
        };
        let by = ["dovecot", "postfix"];
        let old = |export: &Export| self.settings.files.outdated(export.formats, export.what).is_some();
        if by.iter().zip(&OWN_SERVER).any(|(of, export)| is(of, "true") && !old(export)) {
            return Fact::present(true, ids);
        }
        let in_doubt = said.iter().find_map(|(_, setting)| unknown(&setting.value));
        let whole = OWN_SERVER.iter().find_map(|export| self.settings.files.whole(export.formats, export.what).err());
        let silent = by.iter().zip(&OWN_SERVER).find(|(of, _)| !is(of, "false"));
        match whole.or(in_doubt).or(silent.map(|(_, export)| NotObserved::not_provided(export.what))) {
            Some(reason) => Fact::new(Seen::Unknown(reason), ids),
            None => Fact::present(false, ids),
        }
    }

    /// Mailboxes that an export lists.
    pub(super) fn mailboxes_listed(&self) -> Fact<i64> {
        if let Some(reason) = self.context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
            return Fact::unknown(reason);
        }
        let (listed, _) = exported::mailboxes_and_those_with_rules(self.context, self.provider);
        let (formats, what) = super::super::mailbox::inventories(self.provider);
        if listed.is_empty() {
            return Fact::unknown(NotObserved::not_provided(what));
        }
        let ids = self.settings.files.evidence_of(formats).collect();
        Fact::present(i64::try_from(listed.len()).unwrap_or(i64::MAX), ids)
    }

    /// Mailboxes of which no export says that both IMAP and POP are closed for them.
    pub(super) fn imap_pop_perhaps_open(&self) -> Fact<i64> {
        if let Some(reason) = self.context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
            return Fact::unknown(reason);
        }
        let (mut listed, mut closed, mut open) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (_, record) in exported::records(self.context) {
            let Record::Mailbox(mailbox) = record else { continue };
            if mailbox.provider != self.provider {
                continue;
            }
            let address = mailbox.address.as_str();
            if mailbox.listed {
                listed.insert(address);
            }
            for (protocol, enabled) in [("imap", &mailbox.imap_enabled), ("pop", &mailbox.pop_enabled)] {
                match enabled {
                    Seen::Present(true) => _ = open.insert(address),
                    Seen::Present(false) => _ = closed.insert((protocol, address)),
                    Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => {}
                }
            }
        }
        let is_closed = |address: &str| ["imap", "pop"].iter().all(|protocol| closed.contains(&(*protocol, address)));
        let count = listed.iter().filter(|address| open.contains(*address) || !is_closed(address)).count();
        let (formats, what) = super::super::mailbox::inventories(self.provider);
        let ids = self.settings.files.evidence_of(formats).collect();
        let nobody = || listed.is_empty().then(|| NotObserved::not_provided(what));
        match self.settings.files.whole(formats, what).err().or_else(nobody) {
            Some(reason) if count == 0 => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(i64::try_from(count).unwrap_or(i64::MAX), ids),
        }
    }

    /// Mailboxes for which people made rules, where the whole list of rules was read.
    pub(super) fn mailboxes_with_rules(&self) -> Fact<i64> {
        if let Some(reason) = self.context.evidence.taken_away(Source::Export, SubjectKind::ForwardingRule) {
            return Fact::unknown(reason);
        }
        // Who a rule belongs to may take the list of mailboxes.
        if let Some(reason) = self.context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
            return Fact::unknown(reason);
        }
        let (_, with_rules) = exported::mailboxes_and_those_with_rules(self.context, self.provider);
        let export = match self.provider {
            "google-workspace" => &FILTERS,
            "self-hosted" => &SCRIPTS,
            _ => &INBOX_RULES,
        };
        let ids = self.settings.files.evidence_of(export.formats).collect();
        match self.settings.files.whole(export.formats, export.what) {
            Err(reason) => Fact::new(Seen::Unknown(reason), ids),
            Ok(()) => Fact::present(i64::try_from(with_rules.len()).unwrap_or(i64::MAX), ids),
        }
    }

    /// A row's day is that of the user's last change, so the newest of a file's days is when it was made; of
    /// several files the oldest counts.
    pub(super) fn registration_age_days(&self) -> Fact<i64> {
        if let Some(reason) = self.context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
            return Fact::unknown(reason);
        }
        // Collections of other days use the same labels.
        let mut newest_of_file: BTreeMap<(&str, &str, Timestamp), (&Date, &EvidenceId)> = BTreeMap::new();
        for (id, observation) in self.context.evidence.from(Source::Export) {
            if let (Ok(Answer::Record(Record::MfaRegistration(row))), Question::ExportRecord { label, .. }) =
                (&observation.answer, &observation.question)
                && row.provider == self.provider
                && let Some(day) = row.updated.present()
            {
                let file = (label.as_str(), observation.vantage.as_str(), observation.asked_at);
                let newest = newest_of_file.entry(file).or_insert((day, id));
                *newest = (*newest).max((day, id));
            }
        }
        match newest_of_file.into_values().min() {
            Some((day, id)) => Fact::present(days_between(*day, self.context.today()), vec![id.clone()]),
            None => Fact::unknown(NotObserved::not_provided(
                "the registered methods with lastUpdatedDateTime (Get-MgReportAuthenticationMethodUserRegistrationDetail -All)",
            )),
        }
    }

    /// Known where an export tells which rules their owner sees; no command says so of one rule, so
    /// rules are read with and without `-IncludeHidden`.
    pub(super) fn hidden_rules(&self) -> Fact<i64> {
        const WHAT: &str =
            "which inbox rules are hidden (Get-InboxRule with and without -IncludeHidden, in a column Hidden)";
        if let Some(reason) = self.context.evidence.taken_away(Source::Export, SubjectKind::ForwardingRule) {
            return Fact::unknown(reason);
        }
        let (mut count, mut ids, mut in_doubt, mut said) = (0i64, Vec::new(), None, false);
        for (id, record) in exported::records(self.context) {
            let Record::ForwardingRule(rule) = record else { continue };
            if rule.provider != self.provider || rule.origin != "inbox" {
                continue;
            }
            match &rule.hidden {
                Seen::Present(true) if !rule.actions.is_empty() => {
                    count += i64::try_from(rule.rules).unwrap_or(i64::MAX);
                    ids.push(id.clone());
                }
                Seen::Present(_) => said = true,
                Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => {
                    in_doubt = Some(NotObserved::not_provided(WHAT))
                }
            }
        }
        // Graph shows no hidden rules at all, so only Exchange's own list says that there are none.
        let whole = self.settings.files.whole(&["microsoft365.inbox-rules"], WHAT).err();
        let silent = (!said).then(|| NotObserved::not_provided(WHAT));
        match in_doubt.or(whole).or(silent) {
            Some(reason) if count == 0 => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(count, ids),
        }
    }

    /// The latest day from which any policy demands a second factor.
    pub(super) fn second_factor_policy(&self) -> Fact<String> {
        let today = self.context.today().to_string();
        let said: Vec<_> = self.settings.named("second-factor-from").collect();
        let ids: Vec<EvidenceId> = said.iter().map(|(id, _)| (*id).clone()).collect();
        if let Some(reason) = &self.settings.unknown {
            return Fact::unknown(reason.clone());
        }
        if said.iter().any(|(_, setting)| setting.value.present().is_some_and(|day| *day > today)) {
            return Fact::present("later".to_owned(), ids);
        }
        let unread = said.iter().find_map(|(_, setting)| unknown(&setting.value));
        let silent = said.is_empty().then(|| NotObserved::not_provided(POLICIES.what));
        match unread.or(silent) {
            Some(reason) => Fact::new(Seen::Unknown(reason), ids),
            None => self.settings.if_whole(Fact::present("enforced".to_owned(), ids), |_| false, &POLICIES),
        }
    }
}

/// Why a value is not known; absent and malformed ones say nothing either.
fn unknown<T>(seen: &Seen<T>) -> Option<NotObserved> {
    match seen {
        Seen::Present(_) => None,
        Seen::Unknown(reason) => Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => Some(NotObserved::not_provided("a value that can be read")),
    }
}
