//! A Microsoft 365 or Google Workspace tenant: settings that hold for all mailboxes.
//!
//! A setting that several policies set is as good as the worst of them.

use std::collections::{BTreeMap, BTreeSet};

mod activity;
mod set_up;

use self::activity::Activity;
pub(super) use self::set_up::REMOTE_DOMAINS;
use self::set_up::{
    ANTI_PHISHING, CONDITIONAL_ACCESS, CONSENT, ENCRYPTION, Export, GRANTS, ORGANIZATION, OUTBOUND_SPAM, POLICIES,
    ROLES, SetUp, TRANSPORT,
};
use super::exported::{self, Files, joined};
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::evidence::EvidenceId;
use crate::evidence::Source;
use crate::evidence::export::{ConditionalAccess, Record, TenantSetting, Trustee};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

subject! {
    /// A tenant, named by its provider.
    pub struct Tenant is Tenant {
        /// Whether mail may be forwarded outside automatically: `off`, `on`, `automatic`.
        external_auto_forwarding: String,
        /// Whether the default remote domain (`*`) lets mail be forwarded automatically.
        default_remote_domain_forwards: bool,
        /// Named remote domains that mail may be forwarded to automatically.
        forwarding_remote_domains: Vec<String>,
        /// Whether mailbox auditing is on for the organization.
        mailbox_auditing: bool,
        /// Whether the unified audit log takes entries.
        unified_audit_log: bool,
        /// Whether security defaults demand a second factor from everybody.
        security_defaults: bool,
        /// Of whom a conditional access policy for all applications demands a second factor: `everybody`, `with-exceptions`, `none`.
        mfa_policy: String,
        /// Whether SMTP AUTH is open for mailboxes that do not say otherwise.
        smtp_auth: bool,
        /// Mailboxes that the one account with the most full access may open.
        widest_full_access: i64,
        /// Programs, by id, that may read or send the mail of everybody.
        programs_with_all_mail: Vec<String>,
        /// The strictest state of a leak policy for mail: `enforced`, `testing`, `off`, `none`.
        leak_policy: String,
        /// Leak policies for mail that only test.
        leak_policies_on_trial: i64,
        /// Retention policies for mail that are switched off, only test or are not yet everywhere.
        retention_policies_idle: i64,
        /// Retention policies for mail that are in force.
        retention_policies_in_force: i64,
        /// Programs, by id, that reach mail and whose publisher nobody verified.
        programs_unverified: Vec<String>,
        /// Services that are switched on and that Google's agreement for health information is not known to cover (Google Workspace).
        services_outside_agreement: Vec<String>,
        /// Whether a server of one's own takes passwords before TLS.
        clear_passwords: bool,
        /// Mailboxes that an export lists.
        mailboxes_listed: i64,
        /// Mailboxes for which people made rules.
        mailboxes_with_rules: i64,
        /// Days after which a password has to be changed; 0 where it never has to (Google Workspace).
        password_expires_days: i64,
        /// Administrators, by sign-in name, that have no mailbox of their own and no registered second factor.
        other_administrators_without_mfa: Vec<String>,
        /// People who left, by their number in the register of leavers, whose account can still be signed in to.
        leavers_with_open_account: Vec<String>,
        /// Whether clients sign in to Exchange with modern authentication.
        modern_authentication: bool,
        /// Whether unauthenticated mail in the tenant's own name is refused (Direct Send).
        direct_send_refused: bool,
        /// Hours after which a session in the browser ends (Microsoft 365: without activity); 0 where it never does.
        session_hours: i64,
        /// Whether the processing of retention is switched off for all mailboxes.
        retention_suspended: bool,
        /// Whether a sender is told that a recipient is outside.
        external_recipient_tip: bool,
        /// Whether a reader is told of a sender who never wrote before.
        first_contact_tip: bool,
        /// Whether forged senders are looked for by every policy.
        spoof_protection: bool,
        /// Whether the sender's DMARC policy is followed by every policy.
        dmarc_honored: bool,
        /// Whether clients may send mail with TLS 1.0 or 1.1.
        old_tls_clients: bool,
        /// Whether messages can be encrypted for any recipient.
        mail_encryption: bool,
        /// The strictest state of a transport rule that encrypts messages or asks for TLS: `enforced`, `off`, `none`.
        encrypting_rules: String,
        /// What the policies for phones and tablets leave open.
        mobile_policy_gaps: Vec<String>,
        /// What users may let programs do without an administrator: `none`, `limited`, `any`.
        user_consent: String,
        /// Whether an alert tells of new forwarding: `on`, `off`, `none`.
        forwarding_alert: String,
        /// Outsiders whom a sharing policy lets see more of calendars than free and busy times.
        calendar_details_open_to: Vec<String>,
        /// Whether sign-in by clients that know no second factor is blocked: `blocked`, `with-exceptions`, `open`.
        legacy_authentication: String,
        /// Policies that would demand a second factor and only report.
        mfa_policies_on_trial: i64,
        /// Whole days since the report on registered methods was made.
        registration_age_days: i64,
        /// Rules that their mailbox's owner cannot see and that do something.
        hidden_rules: i64,
        /// Whether programs that know a password alone may sign in (Google Workspace).
        less_secure_apps: bool,
        /// Whether users may send their mail over servers outside (Google Workspace).
        outside_sending_servers: bool,
        /// Whether users may delegate their mailbox (Google Workspace).
        mail_delegation: bool,
        /// `imap`, `pop`, where a policy lets users open them (Google Workspace).
        imap_pop_by_policy: Vec<String>,
        /// When policies demand a second factor: `enforced`, `later` (Google Workspace).
        second_factor_policy: String,
        /// Days that a new account has before a second factor is demanded (Google Workspace).
        second_factor_grace_days: i64,
        /// Characters that a password has at least (Google Workspace).
        password_length: i64,
        /// Whether an old password may be taken again (Google Workspace).
        password_reuse: bool,
        /// Days from the first to the last entry of the sign-in log.
        sign_in_log_days: i64,
        /// Whole days since the last entry of the sign-in log.
        sign_in_log_age_days: i64,
        /// Accounts that signed in by a client that knows no second factor, with how often: `ana@clinic.example (3)`.
        old_client_sign_ins: Vec<String>,
        /// Accounts that signed in to IMAP or POP by a client that knows no second factor, with how often.
        imap_pop_sign_ins: Vec<String>,
        /// Mailboxes of which no export says that both IMAP and POP are closed for them.
        imap_pop_perhaps_open: i64,
        /// Accounts that somebody signed in to with one factor, with how often.
        single_factor_sign_ins: Vec<String>,
        /// Accounts that set up forwarding to outside, as the login audit says (Google Workspace).
        forwarding_outside_events: Vec<String>,
        /// Accounts that switched their second factor off, as the login audit says (Google Workspace).
        second_factors_switched_off: Vec<String>,
        /// Days from the first to the last entry of the unified audit log.
        audit_log_days: i64,
        /// Whole days since the last entry of the unified audit log.
        audit_log_age_days: i64,
        /// Mailboxes or accounts for which a rule or setting that sends mail on was made, as the audit log says.
        forwarding_set_up: Vec<String>,
        /// Accounts that let a program in, as the audit log says.
        programs_let_in: Vec<String>,
        /// Accounts that were taken out of auditing or that switched it off, as the audit log says.
        audit_bypass_set: Vec<String>,
        /// Days from the first to the last message of the message trace.
        message_trace_days: i64,
        /// Whole days since the last message of the message trace.
        message_trace_age_days: i64,
        /// Highest share, in percent, of consumer webmail among what one account sent to other domains.
        highest_webmail_share: i64,
        /// The account with that share.
        highest_webmail_sender: String,
        /// Accounts with passwords for programs, which ask for no second factor (Google Workspace).
        app_passwords: Vec<String>,
        /// Accounts whose mail leaves over a server of somebody else (Google Workspace).
        send_over_other_servers: Vec<String>,
        /// Accounts with an outside address that they may forward to at once (Google Workspace).
        verified_forwarding_outside: Vec<String>,
        /// Accounts that may do everything, at least: global administrators, super administrators. Who is merely eligible is not counted.
        global_administrators: i64,
        /// Those of them that have a mailbox.
        global_administrators_with_mail: Vec<String>,
        /// Accounts that hold a role and have no second factor that the policy allows.
        role_holders_without_mfa: Vec<String>,
    }
}

/// Builds every Tenant that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Tenant> {
    if let Err(collection) = exported::given(context) {
        return Built { subjects: Vec::new(), collection };
    }
    let files = Files::of(context);
    let mut providers: BTreeSet<&str> = files.providers();
    providers.extend(exported::records(context).filter_map(|(_, record)| provider(record)));
    // An own server stands for a tenant where an export says how it is set up.
    let set_up =
        |record: &Record| matches!(record, Record::TenantSetting(setting) if setting.provider == "self-hosted");
    if !exported::records(context).any(|(_, record)| set_up(record)) {
        providers.remove("self-hosted");
    }
    let subjects: Vec<_> = providers.into_iter().map(|provider| one(context, provider)).collect();
    let gone =
        [SubjectKind::ExportFile, SubjectKind::Tenant].map(|kind| context.evidence.taken_away(Source::Export, kind));
    let collection = match gone.into_iter().flatten().next() {
        Some(reason) => Collection::Incomplete(reason),
        None if subjects.is_empty() => {
            Collection::Incomplete(NotObserved::NotProvided { what: "an export of a known format".to_owned() })
        }
        None => Collection::Complete,
    };
    Built { subjects, collection }
}

fn provider(record: &Record) -> Option<&str> {
    match record {
        Record::AcceptedDomain { .. } => None,
        Record::ConditionalAccess(policy) => Some(&policy.provider),
        Record::ForwardingRule(rule) => Some(&rule.provider),
        Record::Mailbox(mailbox) => Some(&mailbox.provider),
        Record::MailboxGrants(grants) => Some(&grants.provider),
        Record::MfaRegistration(registration) => Some(&registration.provider),
        Record::Recipient(recipient) => Some(&recipient.provider),
        Record::Tally(tally) => Some(&tally.provider),
        Record::TenantSetting(setting) => Some(&setting.provider),
    }
}

fn one(context: Context<'_>, provider: &str) -> Tenant {
    let settings = Settings::of(context, provider);
    let remote: Vec<_> = settings.named("remote-domain-auto-forwarding").collect();
    let default_remote: Vec<_> =
        remote.iter().filter(|(_, setting)| setting.of.as_deref() == Some("*")).copied().collect();
    let open =
        |setting: &&(&EvidenceId, &TenantSetting)| setting.1.value.present().is_some_and(|value| value == "true");
    let named: Vec<String> = remote
        .iter()
        .filter(|(_, setting)| setting.of.as_deref() != Some("*"))
        .filter(open)
        .filter_map(|(_, setting)| setting.of.clone())
        .collect();
    let forwarding_remote_domains = match (&settings.unknown, remote.iter().all(|(_, s)| s.value.present().is_some())) {
        (Some(reason), _) => Fact::unknown(reason.clone()),
        (None, _) if remote.is_empty() => Fact::unknown(not_provided(REMOTE_DOMAINS.what)),
        (None, false) => Fact::unknown(not_provided("AutoForwardEnabled of every remote domain")),
        (None, true) => settings.if_whole(
            Fact::present(named, remote.iter().map(|(id, _)| (*id).clone()).collect()),
            |named| !named.is_empty(),
            &REMOTE_DOMAINS,
        ),
    };
    let set_up = SetUp::of(context, provider, &settings);
    let activity = Activity::of(context, provider);
    let (highest_webmail_share, highest_webmail_sender) = activity.webmail_share();
    let opposite = |fact: Fact<bool>| Fact::new(fact.seen.map(|value| !value), fact.evidence);
    Tenant {
        name: provider.to_owned(),
        external_auto_forwarding: settings.external_auto_forwarding(provider),
        default_remote_domain_forwards: settings.if_whole(
            settings.flag_of(&default_remote, true, REMOTE_DOMAINS.what),
            |forwards| *forwards,
            &REMOTE_DOMAINS,
        ),
        forwarding_remote_domains,
        mailbox_auditing: opposite(settings.flag(
            "mailbox-auditing-disabled",
            true,
            "the organization's settings (Get-OrganizationConfig)",
        )),
        unified_audit_log: settings.flag(
            "unified-audit-log",
            false,
            "the audit log's settings (Get-AdminAuditLogConfig, run in Exchange Online)",
        ),
        security_defaults: settings.flag(
            "security-defaults",
            false,
            "security defaults (Get-MgPolicyIdentitySecurityDefaultEnforcementPolicy)",
        ),
        mfa_policy: mfa_policy(context, provider),
        smtp_auth: opposite(settings.flag("smtp-auth-disabled", false, "the transport settings (Get-TransportConfig)")),
        widest_full_access: widest_full_access(context, &Files::of(context)),
        programs_with_all_mail: programs_with_all_mail(context, provider, &settings),
        leak_policy: leak_policy(context, &settings),
        leak_policies_on_trial: set_up.leak_policies_on_trial(),
        retention_policies_idle: set_up.retention_policies_idle(),
        retention_policies_in_force: set_up.retention_policies_in_force(),
        programs_unverified: set_up.programs_unverified(),
        services_outside_agreement: set_up.services_outside_agreement(),
        clear_passwords: set_up.clear_passwords(),
        mailboxes_listed: set_up.mailboxes_listed(),
        mailboxes_with_rules: set_up.mailboxes_with_rules(),
        password_expires_days: set_up.number(
            "password-expires-days",
            |one, other| match (one, other) {
                (0, other) => other,
                (one, 0) => one,
                (one, other) => one.min(other),
            },
            &POLICIES,
        ),
        other_administrators_without_mfa: other_administrators_without_mfa(context, provider),
        leavers_with_open_account: super::leavers::with_open_account(context, provider),
        modern_authentication: set_up.flag("modern-authentication", false, &ORGANIZATION),
        direct_send_refused: set_up.flag("direct-send-refused", false, &ORGANIZATION),
        session_hours: set_up.session_hours(),
        retention_suspended: set_up.flag("retention-processing-disabled", true, &ORGANIZATION),
        external_recipient_tip: set_up.flag("external-recipient-tip", false, &ORGANIZATION),
        first_contact_tip: set_up.flag("first-contact-tip", false, &ANTI_PHISHING),
        spoof_protection: set_up.flag("spoof-protection", false, &ANTI_PHISHING),
        dmarc_honored: set_up.flag("dmarc-honored", false, &ANTI_PHISHING),
        old_tls_clients: set_up.flag("old-tls-clients", true, &TRANSPORT),
        mail_encryption: set_up.flag("mail-encryption", false, &ENCRYPTION),
        encrypting_rules: set_up.encrypting_rules(),
        mobile_policy_gaps: set_up.mobile_policy_gaps(),
        user_consent: set_up.word("user-consent", &["none", "limited", "any"], &CONSENT),
        forwarding_alert: set_up.forwarding_alert(),
        calendar_details_open_to: set_up.calendar_details_open_to(),
        legacy_authentication: set_up.legacy_authentication(),
        mfa_policies_on_trial: set_up.mfa_policies_on_trial(),
        registration_age_days: set_up.registration_age_days(),
        hidden_rules: set_up.hidden_rules(),
        less_secure_apps: set_up.flag("less-secure-apps", true, &POLICIES),
        outside_sending_servers: set_up.flag("outside-sending-servers", true, &POLICIES),
        mail_delegation: set_up.flag("mail-delegation", true, &POLICIES),
        imap_pop_by_policy: set_up.imap_pop_by_policy(),
        second_factor_policy: set_up.second_factor_policy(),
        second_factor_grace_days: set_up.number("second-factor-grace-days", i64::max, &POLICIES),
        password_length: set_up.number("password-length", i64::min, &POLICIES),
        password_reuse: set_up.flag("password-reuse", true, &POLICIES),
        sign_in_log_days: activity.sign_in_log_days(),
        sign_in_log_age_days: activity.sign_in_log_age(),
        old_client_sign_ins: activity.old_client_sign_ins(),
        imap_pop_sign_ins: activity.imap_pop_sign_ins(),
        imap_pop_perhaps_open: set_up.imap_pop_perhaps_open(),
        single_factor_sign_ins: activity.single_factor_sign_ins(),
        forwarding_outside_events: activity.forwarding_outside_events(),
        second_factors_switched_off: activity.second_factors_switched_off(),
        audit_log_days: activity.audit_log_days(),
        audit_log_age_days: activity.audit_log_age(),
        forwarding_set_up: activity.forwarding_set_up(),
        programs_let_in: activity.programs_let_in(),
        audit_bypass_set: activity.audit_bypass_set(),
        message_trace_days: activity.message_trace_days(),
        message_trace_age_days: activity.message_trace_age(),
        highest_webmail_share,
        highest_webmail_sender,
        app_passwords: activity.app_passwords(),
        send_over_other_servers: activity.send_over_other_servers(),
        verified_forwarding_outside: activity.verified_forwarding_outside(),
        global_administrators: activity.global_administrators(),
        global_administrators_with_mail: activity.global_administrators_with_mail(),
        role_holders_without_mfa: activity.role_holders_without_mfa(),
    }
}

/// The programs of one tenant that reach the mail of everybody. Only the whole list shows that
/// there are none.
fn programs_with_all_mail(context: Context<'_>, provider: &str, settings: &Settings<'_>) -> Fact<Vec<String>> {
    if let Some(reason) = &settings.unknown {
        return Fact::unknown(reason.clone());
    }
    let exports = match provider {
        "google-workspace" => {
            return Fact::unknown(not_provided(
                "the programs with domain-wide delegation (admin console, API controls)",
            ));
        }
        // What users or administrators gave for a user, and what a program holds without one.
        _ => [&GRANTS, &ROLES],
    };
    let mut programs = BTreeSet::new();
    let (mut ids, mut in_doubt) = (Vec::new(), None);
    for (id, setting) in settings.named("app-grant").chain(settings.named("app-role")) {
        match &setting.value {
            Seen::Present(value) if value == "mail-of-everybody" => {
                programs.extend(setting.of.clone());
                ids.push(id.clone());
            }
            Seen::Present(_) | Seen::Absent => {}
            Seen::Malformed(_) => in_doubt = Some(not_provided(GRANTS.what)),
            Seen::Unknown(reason) => in_doubt = Some(reason.clone()),
        }
    }
    let files = Files::of(context);
    ids.extend(exports.iter().flat_map(|export| files.evidence_of(export.formats)));
    let missing = exports.iter().find_map(|export| files.whole(export.formats, export.what).err());
    let missing = missing.or_else(|| settings.roles_not_asked());
    match missing.or(in_doubt) {
        Some(reason) if programs.is_empty() => Fact::new(Seen::Unknown(reason), ids),
        Some(_) | None => Fact::present(programs.into_iter().collect(), ids),
    }
}

fn leak_policy(context: Context<'_>, settings: &Settings<'_>) -> Fact<String> {
    if let Some(reason) = &settings.unknown {
        return Fact::unknown(reason.clone());
    }
    let said: Vec<_> = settings.named("dlp-policy").collect();
    let ids: Vec<_> = said.iter().map(|(id, _)| (*id).clone()).collect();
    let is = |word: &str| said.iter().any(|(_, setting)| setting.value.present().is_some_and(|value| value == word));
    let files = Files::of(context);
    let (formats, what) = (&["microsoft365.dlp-policies"], "the leak policies (Get-DlpCompliancePolicy)");
    // One policy that holds is enough; without one, every policy must have been read.
    if is("enforced") && files.outdated(formats, what).is_none() {
        return Fact::present("enforced".to_owned(), ids);
    }
    let unread = said.iter().find_map(|(_, setting)| match &setting.value {
        Seen::Unknown(reason) => Some(reason.clone()),
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => None,
    });
    if let Some(reason) = files.whole(formats, what).err().or(unread) {
        return Fact::new(Seen::Unknown(reason), ids);
    }
    let word = ["testing", "off"].into_iter().find(|word| is(word)).unwrap_or("none");
    let ids = ids.into_iter().chain(files.evidence_of(formats));
    Fact::present(word.to_owned(), ids.collect())
}

/// How many mailboxes the account with the most full access may open.
fn widest_full_access(context: Context<'_>, files: &Files<'_>) -> Fact<i64> {
    if let Some(reason) = context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
        return Fact::unknown(reason);
    }
    let mut mailboxes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut lost = None;
    for (_, record) in exported::records(context) {
        let Record::MailboxGrants(grants) = record else { continue };
        if grants.of != "mailbox" {
            continue;
        }
        lost = lost.or_else(|| grants.incomplete.clone());
        let Some(mailbox) = grants.mailbox.present().or(grants.owner.as_ref()) else { continue };
        for grant in grants.grants.iter().filter(|grant| grant.right == "full-access") {
            if let Trustee::Account { reference, .. } = &grant.to {
                mailboxes.entry(reference).or_default().insert(mailbox);
            }
        }
    }
    if let Some(reason) = files.whole(&FULL_ACCESS, FULL_ACCESS_EXPORT).err().or(lost) {
        return Fact::unknown(reason);
    }
    let widest = mailboxes.values().map(BTreeSet::len).max().unwrap_or(0);
    let ids = files.evidence_of(&FULL_ACCESS).collect();
    Fact::present(i64::try_from(widest).unwrap_or(i64::MAX), ids)
}

/// The formats that say who may open which mailbox, and what to hand over instead.
pub(super) const FULL_ACCESS: [&str; 2] =
    ["microsoft365.mailbox-permissions", "microsoft365.mailbox-permissions-extractor"];
pub(super) const FULL_ACCESS_EXPORT: &str = "the permissions of all mailboxes (Get-EXOMailboxPermission)";

fn not_provided(what: &str) -> NotObserved {
    NotObserved::NotProvided { what: what.to_owned() }
}

/// The settings of one tenant.
#[derive(Debug)]
pub(super) struct Settings<'e> {
    all: Vec<(&'e EvidenceId, &'e TenantSetting)>,
    files: Files<'e>,
    unknown: Option<NotObserved>,
}

impl<'e> Settings<'e> {
    pub(super) fn of(context: Context<'e>, provider: &str) -> Self {
        let all = exported::records(context)
            .filter_map(|(id, record)| match record {
                Record::TenantSetting(setting) if setting.provider == provider => Some((id, setting.as_ref())),
                _ => None,
            })
            .collect();
        let unknown = context.evidence.taken_away(Source::Export, SubjectKind::Tenant);
        Self { all, files: Files::of(context), unknown }
    }

    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = (&'e EvidenceId, &'e TenantSetting)> {
        self.all.iter().copied().filter(move |(_, setting)| setting.setting == name)
    }

    /// Why the permissions that programs hold without a user are not whole: each of the two services that
    /// hold mail has a list of its own, and rows over both may be the list of what one program holds. Only
    /// a collector's record says that both were asked for everything.
    pub(super) fn roles_not_asked(&self) -> Option<NotObserved> {
        let asked = ROLES.formats.iter().any(|format| self.files.collected(format).is_some());
        (!asked).then(|| not_provided(ROLES.what))
    }

    /// Whether mail may be forwarded outside automatically: the worst of all policies.
    pub(super) fn external_auto_forwarding(&self, provider: &str) -> Fact<String> {
        let export = if provider == "google-workspace" { &POLICIES } else { &OUTBOUND_SPAM };
        let fact = self.word("external-auto-forwarding", &["off", "automatic", "on"], export.what);
        self.if_whole(fact, |word| word == "on", export)
    }

    /// Keeps a good value only where everything that could say a worse one was read.
    pub(super) fn if_whole<T>(&self, fact: Fact<T>, bad: impl Fn(&T) -> bool, export: &Export) -> Fact<T> {
        match (&fact.seen, self.files.whole(export.formats, export.what)) {
            (Seen::Present(value), Err(reason)) if !bad(value) => Fact::new(Seen::Unknown(reason), fact.evidence),
            _ => fact,
        }
    }

    /// A word; of several the last in `ranked`, mildest first, counts.
    fn word(&self, name: &str, ranked: &[&str], what: &str) -> Fact<String> {
        let said: Vec<_> = self.named(name).map(|(id, setting)| (id, &setting.value)).collect();
        let rank = |word: &String| ranked.iter().position(|known| known == word);
        self.checked(&said, |new, known| rank(new) > rank(known), what)
    }

    /// A yes or no; `worse` is the answer that counts where several policies differ.
    pub(super) fn flag(&self, name: &str, worse: bool, what: &str) -> Fact<bool> {
        let said: Vec<_> = self.named(name).collect();
        self.flag_of(&said, worse, what)
    }

    fn flag_of(&self, said: &[(&EvidenceId, &TenantSetting)], worse: bool, what: &str) -> Fact<bool> {
        let said: Vec<_> = said.iter().map(|(id, setting)| (*id, &setting.value)).collect();
        let fact = self.checked(&said, |new, _| *new == worse.to_string(), what);
        Fact::new(fact.seen.map(|word| word == "true"), fact.evidence)
    }

    fn checked(
        &self,
        said: &[(&EvidenceId, &Seen<String>)],
        worse: impl Fn(&String, &String) -> bool,
        what: &str,
    ) -> Fact<String> {
        if let Some(reason) = &self.unknown {
            return Fact::unknown(reason.clone());
        }
        if said.is_empty() {
            return Fact::unknown(not_provided(what));
        }
        // One policy that could not be read may be the worst of them.
        let unread = said.iter().find_map(|(_, seen)| match seen {
            Seen::Unknown(reason) => Some(reason.clone()),
            Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => None,
        });
        let (seen, evidence) = joined(said, worse);
        match unread {
            Some(reason) => Fact::new(Seen::Unknown(reason), evidence),
            None => Fact::new(seen, evidence),
        }
    }
}

/// Conditional access policies as they bear on a second factor.
pub(super) struct Policies<'e> {
    pub all: Vec<(&'e EvidenceId, &'e ConditionalAccess)>,
}

impl<'e> Policies<'e> {
    /// None where an older version read them in another way: their list is not whole then.
    pub(super) fn of(context: Context<'e>, provider: &str) -> Self {
        if Files::of(context).outdated(CONDITIONAL_ACCESS.formats, CONDITIONAL_ACCESS.what).is_some() {
            return Self { all: Vec::new() };
        }
        let all = exported::records(context)
            .filter_map(|(id, record)| match record {
                Record::ConditionalAccess(policy) if policy.provider == provider => Some((id, policy.as_ref())),
                _ => None,
            })
            .collect();
        Self { all }
    }

    /// Whether a policy demands a second factor from all users, everywhere, for everything.
    pub(super) fn demands_from_all(policy: &ConditionalAccess) -> Seen<bool> {
        let needed = [&policy.requires_mfa, &policy.all_users, &policy.all_applications];
        if policy.policy_state.present().is_some_and(|state| state != "enabled")
            || needed.iter().any(|seen| seen.present() == Some(&false))
            || policy.narrowed.present() == Some(&true)
        {
            return Seen::Present(false);
        }
        for seen in needed.into_iter().chain([&policy.narrowed]) {
            if let Seen::Unknown(reason) = seen {
                return Seen::Unknown(reason.clone());
            }
        }
        match &policy.policy_state {
            Seen::Unknown(reason) => Seen::Unknown(reason.clone()),
            Seen::Absent | Seen::Malformed(_) => Seen::not_provided("the state of the policy"),
            Seen::Present(_) => Seen::Present(true),
        }
    }
}

fn mfa_policy(context: Context<'_>, provider: &str) -> Fact<String> {
    let evidence = context.evidence;
    if let Some(reason) = evidence.taken_away(Source::Export, SubjectKind::Tenant) {
        return Fact::unknown(reason);
    }
    let files = Files::of(context);
    let policies = Policies::of(context, provider);
    let ids: Vec<_> = policies.all.iter().map(|(id, _)| (*id).clone()).collect();
    let demands: Vec<_> =
        policies.all.iter().map(|(_, policy)| (*policy, Policies::demands_from_all(policy))).collect();
    let everybody = |policy: &ConditionalAccess| {
        policy.excludes_groups.present() == Some(&false) && policy.excluded_users.present().is_some_and(Vec::is_empty)
    };
    let holds = |(_, demands): &&(_, Seen<bool>)| demands.present() == Some(&true);
    if demands.iter().filter(holds).any(|(policy, _)| everybody(policy)) {
        return Fact::present("everybody".to_owned(), ids);
    }
    if demands.iter().any(|entry| holds(&entry)) {
        return Fact::present("with-exceptions".to_owned(), ids);
    }
    if let Err(reason) = files.whole(CONDITIONAL_ACCESS.formats, CONDITIONAL_ACCESS.what) {
        return Fact::unknown(reason);
    }
    match demands.into_iter().find_map(|(_, demands)| match demands {
        Seen::Unknown(reason) => Some(reason),
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => None,
    }) {
        Some(reason) => Fact::unknown(reason),
        None => Fact::present("none".to_owned(), ids),
    }
}

/// Administrators without a mailbox whose registration says that no allowed second factor is
/// there. They are no mailbox subjects, and are the most powerful accounts.
fn other_administrators_without_mfa(context: Context<'_>, provider: &str) -> Fact<Vec<String>> {
    if let Some(reason) = context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
        return Fact::unknown(reason);
    }
    let listed: Vec<_> = exported::records(context)
        .filter_map(|(_, record)| match record {
            Record::Mailbox(mailbox) if mailbox.listed => Some(mailbox.as_ref()),
            _ => None,
        })
        .collect();
    let by_reference = exported::mailboxes_by_reference(listed.iter().copied());
    let addresses: BTreeSet<&str> = listed.iter().map(|mailbox| mailbox.address.as_str()).collect();
    let has_mailbox = |address: &str, references: &[String]| {
        addresses.contains(address)
            || references.iter().any(|reference| by_reference.get(reference.as_str()).is_some_and(Option::is_some))
    };
    let mut without = BTreeSet::new();
    let (mut ids, mut stated, mut missing) = (Vec::new(), false, None);
    for (id, record) in exported::records(context) {
        let (address, references, administrator, factor) = match record {
            Record::MfaRegistration(account) if account.provider == provider => {
                (&account.address, &account.references, &account.administrator, super::mailbox::registered(account))
            }
            Record::Mailbox(account) if account.provider == provider && account.enabled.present() != Some(&false) => {
                (&account.address, &account.references, &account.administrator, account.mfa_enrolled.clone())
            }
            Record::AcceptedDomain { .. }
            | Record::ConditionalAccess(_)
            | Record::ForwardingRule(_)
            | Record::Mailbox(_)
            | Record::MailboxGrants(_)
            | Record::MfaRegistration(_)
            | Record::Recipient(_)
            | Record::Tally(_)
            | Record::TenantSetting(_) => continue,
        };
        if administrator.present().is_some() {
            stated = true;
            ids.push(id.clone());
        }
        if administrator.present() != Some(&true) || has_mailbox(address, references) {
            continue;
        }
        match factor {
            Seen::Present(true) => {}
            Seen::Present(false) => {
                without.insert(address.clone());
            }
            Seen::Unknown(reason) => missing = Some(reason),
            Seen::Absent | Seen::Malformed(_) => {
                missing = Some(not_provided("the registration of every administrator"))
            }
        }
    }
    // The registrations of a large tenant are many; the first few stand for them.
    ids.truncate(20);
    match (stated, missing) {
        (false, _) => Fact::unknown(not_provided("an export that says who administers the tenant")),
        (true, Some(reason)) if without.is_empty() => Fact::new(Seen::Unknown(reason), ids),
        (true, _) => Fact::present(without.into_iter().collect(), ids),
    }
}

#[cfg(test)]
mod tests {
    use super::super::exported::tests::{World, context, declared};
    use super::*;

    fn leaky(without: &[&str]) -> World {
        World::new(Some(declared("clinic.example"))).fixture("leaky-clinic", without)
    }

    fn tenant(world: &World, taken: &[&str]) -> Tenant {
        let evidence = world.evidence(taken);
        build(context(&evidence)).subjects.into_iter().find(|tenant| tenant.name == "microsoft365").unwrap()
    }

    #[test]
    fn settings_are_read_from_their_exports() {
        let tenant = tenant(&leaky(&[]), &[]);
        assert_eq!(tenant.external_auto_forwarding.seen, Seen::Present("automatic".to_owned()));
        assert_eq!(tenant.mailbox_auditing.seen, Seen::Present(true));
        assert_eq!(tenant.unified_audit_log.seen, Seen::Present(true));
        assert_eq!(tenant.security_defaults.seen, Seen::Present(false));
        assert_eq!(tenant.default_remote_domain_forwards.seen, Seen::Present(true));
        assert_eq!(tenant.forwarding_remote_domains.seen, Seen::Present(vec!["billing.example".to_owned()]));
        assert!(matches!(tenant.mfa_policy.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
    }

    #[test]
    fn the_worst_of_several_policies_counts_and_a_number_is_no_word() {
        let modes = |text: &str| {
            tenant(&leaky(&["outbound-spam.csv"]).file("o.csv", text.as_bytes()), &[]).external_auto_forwarding.seen
        };
        assert_eq!(modes("Name,AutoForwardingMode\na,Off\nb,On\n"), Seen::Present("on".to_owned()));
        assert_eq!(modes("Name,AutoForwardingMode\na,Off\nb,Off\n"), Seen::Present("off".to_owned()));
        assert!(matches!(modes("Name,AutoForwardingMode\na,Off\nb,1\n"), Seen::Unknown(_)));
        // A policy that is not here may be milder.
        let of_two = |mode: &str| {
            let policies = format!("Name,AutoForwardingMode\na,{mode}\n");
            let world = leaky(&["outbound-spam.csv"]).file("o.csv", policies.as_bytes());
            let listed = br#"{"what":"outbound-spam","subject":"*","ok":true,"rows":2}"#;
            tenant(&world.file("coverage.jsonl", listed), &[]).external_auto_forwarding.seen
        };
        assert!(matches!(of_two("Off"), Seen::Unknown(_)));
        assert_eq!(of_two("On"), Seen::Present("on".to_owned()));
    }

    #[test]
    fn a_remote_domain_that_is_not_here_may_let_mail_go() {
        let said = |text: &str, rows: u32| {
            let listed = format!(r#"{{"what":"remote-domains","subject":"*","ok":true,"rows":{rows}}}"#);
            let world = leaky(&["remote-domains.csv"]).file("r.csv", text.as_bytes());
            let tenant = tenant(&world.file("coverage.jsonl", listed.as_bytes()), &[]);
            (tenant.default_remote_domain_forwards.seen, tenant.forwarding_remote_domains.seen)
        };
        let closed = "Name,DomainName,AutoForwardEnabled\nDefault,*,False\nlab,lab.example,False\n";
        assert_eq!(said(closed, 2), (Seen::Present(false), Seen::Present(Vec::new())));
        assert!(matches!(said(closed, 3), (Seen::Unknown(_), Seen::Unknown(_))));
        let open = closed.replace("False", "True");
        assert_eq!(said(&open, 3), (Seen::Present(true), Seen::Present(vec!["lab.example".to_owned()])));
    }

    #[test]
    fn administrators_without_a_mailbox_count() {
        let tenant = tenant(&leaky(&[]), &[]);
        assert_eq!(
            tenant.other_administrators_without_mfa.seen,
            Seen::Present(vec!["admin@clinic.example".to_owned()])
        );
    }

    #[test]
    fn a_segment_taken_away_leaves_nothing_known_of_it() {
        let tenant = tenant(&leaky(&[]), &["export.tenant"]);
        for seen in [&tenant.mailbox_auditing, &tenant.unified_audit_log, &tenant.security_defaults] {
            assert!(matches!(seen.seen, Seen::Unknown(_)));
        }
        assert!(matches!(tenant.mfa_policy.seen, Seen::Unknown(_)));
    }

    #[test]
    fn programs_leak_policies_and_the_widest_access_are_told() {
        let with = |without: &[&str]| {
            tenant(&World::new(Some(declared("clinic.example"))).fixture("rights-clinic", without), &[])
        };
        let all = with(&[]);
        assert_eq!(
            all.programs_with_all_mail.seen,
            Seen::Present(vec!["0a1b2c3d-0000-4000-8000-000000000001".to_owned()])
        );
        assert_eq!(all.leak_policy.seen, Seen::Present("testing".to_owned()));
        assert_eq!(all.widest_full_access.seen, Seen::Present(1));
        let less = with(&["app-grants.json", "dlp-policies.csv", "mailbox-permissions.csv"]);
        assert!(matches!(less.programs_with_all_mail.seen, Seen::Unknown(_)));
        assert!(matches!(less.leak_policy.seen, Seen::Unknown(_)));
        assert!(matches!(less.widest_full_access.seen, Seen::Unknown(_)));
    }

    fn clinic(without: &[&str]) -> Tenant {
        tenant(&World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", without), &[])
    }

    #[test]
    fn how_a_tenant_is_set_up_is_told_by_its_settings() {
        let all = clinic(&[]);
        for (fact, expected) in [
            (&all.modern_authentication, true),
            (&all.direct_send_refused, false),
            (&all.retention_suspended, false),
            (&all.external_recipient_tip, false),
            (&all.first_contact_tip, false),
            (&all.spoof_protection, true),
            (&all.dmarc_honored, true),
            (&all.old_tls_clients, false),
            (&all.mail_encryption, true),
            (&all.smtp_auth, true),
        ] {
            assert_eq!(fact.seen, Seen::Present(expected));
        }
        for (fact, expected) in [
            (&all.user_consent, "any"),
            (&all.forwarding_alert, "off"),
            (&all.encrypting_rules, "off"),
            (&all.legacy_authentication, "with-exceptions"),
            (&all.mfa_policy, "none"),
        ] {
            assert_eq!(fact.seen, Seen::Present(expected.to_owned()));
        }
        for (fact, expected) in [
            (&all.session_hours, 6),
            (&all.mfa_policies_on_trial, 1),
            (&all.hidden_rules, 1),
            (&all.registration_age_days, 92),
        ] {
            assert_eq!(fact.seen, Seen::Present(expected));
        }
        assert_eq!(all.mobile_policy_gaps.seen.present().map(Vec::len), Some(3));
        assert_eq!(
            all.calendar_details_open_to.seen,
            Seen::Present(vec!["anybody without signing in".to_owned(), "every domain".to_owned()])
        );
    }

    #[test]
    fn a_report_of_registrations_is_as_old_as_its_newest_row_and_the_oldest_report_counts() {
        let row = |id: &str, day: &str| {
            format!(
                r#"{{"id":"{id}","userPrincipalName":"{id}@clinic.example","isMfaCapable":true,"isMfaRegistered":true,"lastUpdatedDateTime":"{day}T00:00:00Z"}}"#
            )
        };
        let of = |files: &[&[(&str, &str)]]| {
            let mut world =
                World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &["mfa-registration.json"]);
            for (number, rows) in files.iter().enumerate() {
                let rows: Vec<String> = rows.iter().map(|(id, day)| row(id, day)).collect();
                world = world.file(&format!("r{number}.json"), format!("[{}]", rows.join(",")).as_bytes());
            }
            tenant(&world, &[]).registration_age_days.seen
        };
        let new: &[_] = &[("ana", "2025-01-01"), ("ben", "2026-09-30")];
        assert_eq!(of(&[new]), Seen::Present(1), "ana changed nothing since");
        assert_eq!(of(&[new, &[("cleo", "2026-09-01")]]), Seen::Present(30));
    }

    #[test]
    fn what_a_list_does_not_say_is_known_from_the_whole_list_alone() {
        let less = clinic(&[
            "alert-policies.json",
            "anti-phishing.csv",
            "conditional-access.json",
            "inbox-rules.json",
            "mobile-policies.csv",
            "organization.csv",
            "security-defaults.json",
            "sharing-policies.csv",
            "transport-rules.csv",
        ]);
        for unknown in [
            less.forwarding_alert.seen.present().is_none(),
            less.spoof_protection.seen.present().is_none(),
            less.legacy_authentication.seen.present().is_none(),
            less.mfa_policies_on_trial.seen.present().is_none(),
            less.hidden_rules.seen.present().is_none(),
            less.mobile_policy_gaps.seen.present().is_none(),
            less.modern_authentication.seen.present().is_none(),
            less.session_hours.seen.present().is_none(),
            less.calendar_details_open_to.seen.present().is_none(),
            less.encrypting_rules.seen.present().is_none(),
        ] {
            assert!(unknown);
        }
        // A list of which a part could not be read says nothing good.
        let cut = World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &["anti-phishing.csv"]).file(
            "a.json",
            br#"[{"Name":"a","PhishThresholdLevel":1,"EnableSpoofIntelligence":true,"EnableFirstContactSafetyTips":false},{"Name":"#,
        );
        let cut = tenant(&cut, &[]);
        assert!(cut.spoof_protection.seen.present().is_none());
        assert_eq!(cut.first_contact_tip.seen, Seen::Present(false), "one policy without is enough");
    }

    #[test]
    fn the_policies_of_google_say_what_they_state() {
        let world = World::new(Some(declared("practice.example"))).fixture("policy-api", &[]);
        let evidence = world.evidence(&[]);
        let built = build(context(&evidence));
        let tenant = built.subjects.iter().find(|tenant| tenant.name == "google-workspace").unwrap();
        assert_eq!(tenant.less_secure_apps.seen, Seen::Present(true));
        assert_eq!(tenant.outside_sending_servers.seen, Seen::Present(false));
        assert_eq!(tenant.mail_delegation.seen, Seen::Present(true));
        assert_eq!(tenant.imap_pop_by_policy.seen, Seen::Present(vec!["imap".to_owned()]));
        assert_eq!(tenant.second_factor_policy.seen, Seen::Present("later".to_owned()));
        assert_eq!(tenant.second_factor_grace_days.seen, Seen::Present(7));
        assert_eq!(tenant.session_hours.seen, Seen::Present(336));
        assert_eq!(
            (&tenant.password_length.seen, &tenant.password_reuse.seen),
            (&Seen::Present(12), &Seen::Present(true))
        );
        assert_eq!(tenant.password_expires_days.seen, Seen::Present(90));
        assert_eq!(tenant.services_outside_agreement.seen, Seen::Present(vec!["youtube".to_owned()]));
    }

    /// What a collector says of the permissions that programs hold without a user.
    const ROLES_ASKED: &[u8] = br#"{"what":"app-roles","subject":"*","ok":true,"rows":1,"why":""}"#;

    #[test]
    fn a_program_that_needs_no_user_reaches_the_mail_of_everybody() {
        let with = |role: &str, resource: &str, record: &[u8]| {
            let roles = format!(
                r#"[{{"principalId":"0a1b2c3d-0000-4000-8000-000000000009","appRoleId":"{role}","resourceId":"r","resourceDisplayName":"{resource}"}}]"#
            );
            let grants = br#"[{"clientId":"0a1b2c3d-0000-4000-8000-000000000002","consentType":"AllPrincipals","scope":"User.Read"}]"#;
            let world = World::new(Some(declared("clinic.example"))).file("g.json", grants);
            let world = world.file("r.json", roles.as_bytes()).file("coverage.jsonl", record);
            tenant(&world, &[]).programs_with_all_mail.seen
        };
        let of = |role: &str, resource: &str| with(role, resource, ROLES_ASKED);
        let found = Seen::Present(vec!["0a1b2c3d-0000-4000-8000-000000000009".to_owned()]);
        assert_eq!(of("E2A3A72E-5f79-4c64-b1b1-878b674786c9", "Microsoft Graph"), found);
        assert_eq!(of("dc890d15-9560-4a4c-9b7f-a736ec74ec40", "Office 365 Exchange Online"), found);
        for mailbox_item in ["76577085-e73d-4f1d-b26a-85fb33892327", "937550e9-33a3-494b-88ae-d9cd394b1fbb"] {
            assert_eq!(of(mailbox_item, "Microsoft Graph"), found, "{mailbox_item}");
        }
        assert_eq!(of("df021288-bdef-4463-88db-98f22de89214", "Microsoft Graph"), Seen::Present(Vec::new()));
        assert_eq!(of("00000000-0000-0000-0000-000000000000", "Office 365 Management APIs"), Seen::Present(Vec::new()));
        for service in ["Office 365 Exchange Online", "Microsoft Graph"] {
            assert!(of("00000000-0000-0000-0000-000000000000", service).present().is_none(), "{service}");
        }
        let over_both = World::new(Some(declared("clinic.example")))
            .file("g.json", br#"[{"clientId":"0a1b2c3d-0000-4000-8000-000000000002","consentType":"AllPrincipals","scope":"User.Read"}]"#)
            .file("r.json", br#"[{"principalId":"p","appRoleId":"df021288-bdef-4463-88db-98f22de89214","resourceId":"r","resourceDisplayName":"Microsoft Graph"},{"principalId":"p","appRoleId":"40f97065-369a-49f4-947c-6a255697ae91","resourceId":"s","resourceDisplayName":"Office 365 Exchange Online"}]"#);
        assert!(tenant(&over_both, &[]).programs_with_all_mail.seen.present().is_none(), "of one program, perhaps");
        // Microsoft Graph's half alone does not show what programs hold over Exchange Online.
        let half = with("df021288-bdef-4463-88db-98f22de89214", "Microsoft Graph", b"");
        assert!(matches!(half, Seen::Unknown(NotObserved::NotProvided { .. })), "{half:?}");
        assert!(rights(&["app-roles.json"]).programs_unverified.seen.present().is_some(), "one is enough");
    }

    fn rights(without: &[&str]) -> Tenant {
        tenant(&World::new(Some(declared("clinic.example"))).fixture("rights-clinic", without), &[])
    }

    #[test]
    fn policies_that_do_nothing_are_counted_and_their_list_has_to_be_whole() {
        let whole = rights(&[]);
        assert_eq!(
            (&whole.leak_policies_on_trial.seen, &whole.retention_policies_idle.seen),
            (&Seen::Present(1), &Seen::Present(1))
        );
        let less = rights(&["dlp-policies.csv", "retention-compliance.csv"]);
        assert!(
            less.leak_policies_on_trial.seen.present().is_none()
                && less.retention_policies_idle.seen.present().is_none()
        );
        let retention = |rows: &str| {
            let world = World::new(Some(declared("clinic.example")));
            let header = "Name,Mode,Workload,ExchangeLocation,AdaptiveScopeLocation,Enabled,DistributionStatus,RetentionRuleTypes,Applications\n";
            let tenant = tenant(&world.file("r.csv", format!("{header}{rows}").as_bytes()), &[]);
            let of = |fact: Fact<i64>| fact.seen.present().copied();
            (of(tenant.retention_policies_in_force), of(tenant.retention_policies_idle))
        };
        const ALL: &str = "\"Exchange, SharePoint, OneDriveForBusiness, Skype, ModernGroup\"";
        for (row, found) in [
            (format!("a,Enforce,{ALL},All,,True,Success,Keep,\n"), (Some(1), Some(0))),
            (
                format!("a,Enforce,{ALL},,Staff,True,Success,Keep,\"User:Exchange,User:OneDriveForBusiness\"\n"),
                (Some(1), Some(0)),
            ),
            // An adaptive scope may be one of sites.
            (format!("a,Enforce,{ALL},,All project sites,True,Success,Keep,\n"), (None, None)),
            (format!("a,Enforce,{ALL},,Staff,True,Success,Keep,User:OneDriveForBusiness\n"), (None, None)),
            (format!("a,Enforce,{ALL},All,Staff,True,Success,Keep,\n"), (Some(1), Some(0))),
            // `Workload` names every service, whatever the policy is for.
            (format!("a,Enforce,{ALL},,,True,Success,Keep,\n"), (Some(0), Some(0))),
            (format!("a,Test,{ALL},All,,True,Success,Keep,\n"), (Some(0), Some(1))),
            (format!("a,Enforce,{ALL},All,,True,Pending,Keep,\n"), (Some(0), Some(1))),
            (format!("a,Enforce,{ALL},All,,True,,Keep,\n"), (None, None)),
            (format!("a,Enforce,{ALL},All,,,Success,Keep,\n"), (None, None)),
        ] {
            assert_eq!(retention(&row), found, "{row}");
        }
        // A policy that keeps mail looks for no leak.
        assert!(rights(&["dlp-policies.csv"]).leak_policy.seen.present().is_none());
    }

    #[test]
    fn a_program_that_reaches_mail_is_verified_only_where_the_list_of_programs_says_so() {
        let unverified = |tenant: Tenant| tenant.programs_unverified.seen;
        assert_eq!(unverified(rights(&[])), Seen::Present(vec!["0a1b2c3d-0000-4000-8000-000000000001".to_owned()]));
        assert!(unverified(rights(&["service-principals.json"])).present().is_none());
        let of = |publisher: &str| {
            let text = format!(
                r#"[{{"id":"0a1b2c3d-0000-4000-8000-000000000001","appId":"b1","verifiedPublisher":{publisher}}}]"#
            );
            let world =
                World::new(Some(declared("clinic.example"))).fixture("rights-clinic", &["service-principals.json"]);
            let world = world.file("s.json", text.as_bytes());
            (unverified(tenant(&world, &[])), unverified(tenant(&world.file("coverage.jsonl", ROLES_ASKED), &[])))
        };
        let (half, whole) = of(r#"{"verifiedPublisherId":"7"}"#);
        assert_eq!(whole, Seen::Present(Vec::new()));
        assert!(half.present().is_none(), "the list of what programs hold over Exchange Online is not here");
        assert!(of(r#""@{verifiedPublisherId=7}""#).1.present().is_none(), "cut by the exporter");
    }

    #[test]
    fn an_own_server_takes_no_passwords_in_clear_only_where_both_programs_say_so() {
        const DOVECOT: &str = "# 2.3.21: x\nauth_mechanisms = plain\nprotocols = imap\n";
        const POSTFIX: &str = "myhostname = mx.surgery.example\nmydestination = localhost\n";
        let clear = |dovecot: &str, postfix: Option<&str>| {
            let mut world = World::new(Some(declared("surgery.example")));
            world = world.file("doveconf-n.txt", format!("{DOVECOT}{dovecot}").as_bytes());
            if let Some(postfix) = postfix {
                world = world.file("postconf-n.txt", format!("{POSTFIX}{postfix}").as_bytes());
            }
            let evidence = world.evidence(&[]);
            let built = build(context(&evidence));
            built.subjects.iter().find(|tenant| tenant.name == "self-hosted").unwrap().clear_passwords.seen.clone()
        };
        assert_eq!(clear("disable_plaintext_auth = no\n", None), Seen::Present(true));
        assert_eq!(clear("", Some("smtpd_sasl_auth_enable = yes\n")), Seen::Present(true));
        assert_eq!(clear("", Some("smtpd_tls_auth_only = yes\n# postconf -P\n")), Seen::Present(false));
        for without_services in ["", "smtpd_tls_auth_only = yes\n"] {
            assert!(clear("", Some(without_services)).present().is_none(), "a service of Postfix may take them");
        }
        assert!(clear("", None).present().is_none());
    }

    #[test]
    fn a_server_in_doubt_beside_one_that_takes_no_passwords_in_clear_is_not_passed_over() {
        const OF_BOTH: &str =
            "myhostname = mx.surgery.example\nmydestination = localhost\nsmtpd_sasl_auth_enable = yes\n";
        let clear = |other: &str, reader: u32| {
            let world = World::new(Some(declared("surgery.example")))
                .file("doveconf-n.txt", b"# 2.3.21: x\nauth_mechanisms = plain\nprotocols = imap\n")
                .file("postconf-n.txt", format!("{OF_BOTH}smtpd_tls_auth_only = yes\n# postconf -P\n").as_bytes())
                .file("postconf-n-2.txt", format!("{OF_BOTH}{other}").as_bytes());
            let evidence = world.read_by(reader).evidence(&[]);
            let built = build(context(&evidence));
            built.subjects.iter().find(|tenant| tenant.name == "self-hosted").unwrap().clear_passwords.seen.clone()
        };
        const EXCEPTED: &str = "# postconf -P\nsmtp/inet/smtpd_sasl_auth_enable = no\n";
        assert!(matches!(clear(EXCEPTED, 9), Seen::Unknown(NotObserved::Unreadable { .. })));
        assert!(clear("smtpd_tls_auth_only = yes\n", 9).present().is_none(), "its services are not told");
        assert_eq!(clear("smtpd_tls_auth_only = yes\n# postconf -P\n", 9), Seen::Present(false));
        assert_eq!(clear("# postconf -P\n", 9), Seen::Present(true));
        assert!(clear("# postconf -P\n", 8).present().is_none(), "an older version read it in another way");
    }

    #[test]
    fn imap_and_pop_are_closed_where_an_export_says_so_of_every_mailbox() {
        let open = |rows: &str| {
            let world = World::new(Some(declared("clinic.example")))
                .file("m.csv", b"PrimarySmtpAddress,ForwardingSmtpAddress\na@clinic.example,\nb@clinic.example,\n");
            let cas = format!("PrimarySmtpAddress,PopEnabled,ImapEnabled\n{rows}");
            tenant(&world.file("c.csv", cas.as_bytes()), &[]).imap_pop_perhaps_open.seen
        };
        assert_eq!(open("a@clinic.example,False,False\nb@clinic.example,False,False\n"), Seen::Present(0));
        assert_eq!(open("a@clinic.example,False,False\nb@clinic.example,False,True\n"), Seen::Present(1));
        assert_eq!(open("a@clinic.example,False,False\n"), Seen::Present(1));
    }

    #[test]
    fn an_empty_list_of_rules_is_told_from_one_that_nobody_gave() {
        let said = |rules: Option<&str>| {
            let mut world = World::new(Some(declared("clinic.example"))).file(
                "m.csv",
                b"PrimarySmtpAddress,Alias,ForwardingSmtpAddress\na@clinic.example,ana,\nb@clinic.example,ben,\n",
            );
            if let Some(rules) = rules {
                world = world.file("r.csv", rules.as_bytes());
            }
            let of = |world: &World| {
                let tenant = tenant(world, &[]);
                (tenant.mailboxes_listed.seen, tenant.mailboxes_with_rules.seen)
            };
            let found = of(&world);
            const LONGER: &[u8] = br#"{"what":"inbox-rules","subject":"*","ok":true,"rows":9,"why":""}"#;
            let cut = of(&world.file("coverage.jsonl", LONGER)).1;
            assert!(cut.present().is_none(), "the collector wrote more than is here");
            found
        };
        const HEADER: &str = "MailboxOwnerId,RuleIdentity,Name,Enabled,ForwardTo,RedirectTo,SupportedByTask\n";
        assert_eq!(said(Some(HEADER)), (Seen::Present(2), Seen::Present(0)));
        let one = "a@clinic.example,1,x,True,,,True\na@clinic.example,2,y,True,b@clinic.example,,True\n";
        assert_eq!(said(Some(&format!("{HEADER}{one}"))).1, Seen::Present(1), "of one mailbox");
        let two = format!("{HEADER}{one}b@clinic.example,3,z,True,,,True\n");
        assert_eq!(said(Some(&two)).1, Seen::Present(2));
        let nobody = format!("{HEADER}{one}stranger,3,z,True,,,True\n");
        assert_eq!(said(Some(&nobody)).1, Seen::Present(1), "a rule of which nobody tells whose it is");
        let alias = format!("{HEADER}{one}ana,3,z,True,,,True\n");
        assert_eq!(said(Some(&alias)).1, Seen::Present(1), "the same mailbox under another name");
        assert!(said(None).1.present().is_none());
    }
}
