//! A Microsoft 365 or Google Workspace tenant: settings that hold for all mailboxes.
//!
//! A setting that several policies set is as good as the worst of them.

use std::collections::{BTreeMap, BTreeSet};

mod activity;
mod groups;
mod programs;
mod set_up;

use self::activity::Activity;
use self::set_up::{
    ANTI_PHISHING, CONSENT, ENCRYPTION, Export, GRANTS, ORGANIZATION, OUTBOUND_SPAM, POLICIES, ROLES, SetUp, TRANSPORT,
};
pub(super) use self::set_up::{CONDITIONAL_ACCESS, REMOTE_DOMAINS};
use super::exported::{self, Files, joined};
use super::holds::Holds;
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
        /// Whether every policy says on or off: `stated`; `automatic` where one leaves it to the vendor, who describes that in two ways (Microsoft 365).
        auto_forwarding_mode: String,
        /// Organizational units and groups, at least, whose policy lets users forward automatically (Google Workspace).
        units_with_auto_forwarding: i64,
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
        /// Programs, by id, that reach the mail of everybody without a user and that nothing limits to some mailboxes (Microsoft 365).
        programs_unlimited: Vec<String>,
        /// Programs that reach mail without a user and that a policy or the scope of a role limits to some mailboxes, whichever these are.
        programs_limited: Vec<String>,
        /// Groups and lists of the organization that somebody outside is a member of, by address.
        groups_with_outsiders: Vec<String>,
        /// Mailboxes on legal hold of which the register of legal holds has none that runs.
        holds_unregistered: Vec<String>,
        /// Holds of the register of legal holds, by their ids, that run and that do not lie on their mailbox.
        holds_not_in_place: Vec<String>,
        /// Accounts that the register keeps for an emergency.
        emergency_accounts: i64,
        /// Accounts that every policy for a second factor leaves out and that the register of emergency accounts does not have.
        mfa_exceptions_unregistered: Vec<String>,
        /// Accounts of that register, by their ids, that somebody signed in to since their sign-ins were last looked at.
        emergency_sign_ins_not_reviewed: Vec<String>,
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
        Record::Group(group) => Some(&group.provider),
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
        (None, _) if remote.is_empty() => Fact::unknown(NotObserved::not_provided(REMOTE_DOMAINS.what)),
        (None, false) => Fact::unknown(NotObserved::not_provided("AutoForwardEnabled of every remote domain")),
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
    let (holds_unregistered, holds_not_in_place) = match Holds::of(context, provider) {
        Ok(holds) => (holds.unregistered(provider), holds.not_in_place(context, provider)),
        Err(reason) => (Fact::unknown(reason.clone()), Fact::unknown(reason)),
    };
    Tenant {
        name: provider.to_owned(),
        external_auto_forwarding: settings.external_auto_forwarding(provider),
        auto_forwarding_mode: set_up.auto_forwarding_mode(),
        units_with_auto_forwarding: set_up.units_with_auto_forwarding(),
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
        programs_unlimited: programs::unlimited(&settings),
        programs_limited: programs::limited(&settings),
        groups_with_outsiders: groups::with_outsiders(context, provider, &settings),
        holds_unregistered,
        holds_not_in_place,
        emergency_accounts: super::emergency::registered(context),
        mfa_exceptions_unregistered: super::emergency::unregistered_exceptions(context, provider),
        emergency_sign_ins_not_reviewed: super::emergency::sign_ins_not_reviewed(
            context,
            provider,
            &activity.sign_in_log_begins(),
        ),
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
            return Fact::unknown(NotObserved::not_provided(
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
            Seen::Malformed(_) => in_doubt = Some(NotObserved::not_provided(GRANTS.what)),
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
        (!asked).then(|| NotObserved::not_provided(ROLES.what))
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
            return Fact::unknown(NotObserved::not_provided(what));
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
            | Record::Group(_)
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
                missing = Some(NotObserved::not_provided("the registration of every administrator"))
            }
        }
    }
    // The registrations of a large tenant are many; the first few stand for them.
    ids.truncate(20);
    match (stated, missing) {
        (false, _) => Fact::unknown(NotObserved::not_provided("an export that says who administers the tenant")),
        (true, Some(reason)) if without.is_empty() => Fact::new(Seen::Unknown(reason), ids),
        (true, _) => Fact::present(without.into_iter().collect(), ids),
    }
}

#[cfg(test)]
mod tests;
