//! A Microsoft 365 or Google Workspace tenant: settings that hold for all mailboxes.
//!
//! A setting that several policies set is as good as the worst of them.

use std::collections::BTreeSet;

use super::exported::{self, Files, joined};
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::evidence::EvidenceId;
use crate::evidence::Source;
use crate::evidence::export::{ConditionalAccess, Record, TenantSetting};
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
        /// Whether a conditional access policy demands a second factor from all users for all applications.
        mfa_policy: String,
        /// Whether SMTP AUTH is open for mailboxes that do not say otherwise.
        smtp_auth: bool,
        /// Administrators, by sign-in name, that have no mailbox of their own and no registered second factor.
        other_administrators_without_mfa: Vec<String>,
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
        Record::MfaRegistration(registration) => Some(&registration.provider),
        Record::Recipient(recipient) => Some(&recipient.provider),
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
        (None, _) if remote.is_empty() => Fact::unknown(not_provided("the remote domains (Get-RemoteDomain)")),
        (None, false) => Fact::unknown(not_provided("AutoForwardEnabled of every remote domain")),
        (None, true) => Fact::present(named, remote.iter().map(|(id, _)| (*id).clone()).collect()),
    };
    let opposite = |fact: Fact<bool>| Fact::new(fact.seen.map(|value| !value), fact.evidence);
    Tenant {
        name: provider.to_owned(),
        external_auto_forwarding: settings.word(
            "external-auto-forwarding",
            &["off", "automatic", "on"],
            match provider {
                "google-workspace" => "the Gmail policies of all organizational units (gam print policies)",
                _ => "the outbound spam policies (Get-HostedOutboundSpamFilterPolicy)",
            },
        ),
        default_remote_domain_forwards: settings.flag_of(
            &default_remote,
            true,
            "the remote domains (Get-RemoteDomain)",
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
        other_administrators_without_mfa: other_administrators_without_mfa(context, provider),
    }
}

fn not_provided(what: &str) -> NotObserved {
    NotObserved::NotProvided { what: what.to_owned() }
}

/// The settings of one tenant.
#[derive(Debug)]
pub(super) struct Settings<'e> {
    all: Vec<(&'e EvidenceId, &'e TenantSetting)>,
    unknown: Option<NotObserved>,
}

impl<'e> Settings<'e> {
    pub(super) fn of(context: Context<'e>, provider: &str) -> Self {
        let all = exported::records(context)
            .filter_map(|(id, record)| match record {
                Record::TenantSetting(setting) if setting.provider == provider => Some((id, setting)),
                _ => None,
            })
            .collect();
        Self { all, unknown: context.evidence.taken_away(Source::Export, SubjectKind::Tenant) }
    }

    fn named(&self, name: &str) -> impl Iterator<Item = (&'e EvidenceId, &'e TenantSetting)> {
        self.all.iter().copied().filter(move |(_, setting)| setting.setting == name)
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
    pub(super) fn of(context: Context<'e>, provider: &str) -> Self {
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
    if let Err(reason) = files.whole(
        &["microsoft365.conditional-access"],
        "the conditional access policies (Get-MgIdentityConditionalAccessPolicy, -Depth 12)",
    ) {
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
            | Record::MfaRegistration(_)
            | Record::Recipient(_)
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
}
