//! A mailbox of the organization, joined over all exports that speak of it.
//!
//! Only what an export lists as a mailbox is one. An account of another export belongs to the
//! mailbox that shares its address or a keyed reference; an account that belongs to none is left
//! out, except where nobody handed over a list of mailboxes: then accounts stand for them, and
//! the collection says that it is not complete.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

mod deletion;
mod factors;
mod grants;

use self::deletion::Deletion;
use self::grants::Grants;
use super::exported::{self, Class, Directory, Files, NOT_LISTED, joined};
use super::shape::{Fact, fact_group, subject};
use super::tenant::{Policies, Settings};
use super::{Built, Collection, Context};
use crate::evidence::declared::{DeclaredRetention, DeclaredVolume};
use crate::evidence::export::{
    Mailbox as Exported, MailboxGrants, MfaRegistration, NOT_IN_THIS_EXPORT, Record, Target,
};
use crate::evidence::{EvidenceId, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

fact_group! {
    /// Forwarding set on the mailbox itself.
    pub struct Forwarding {
        /// The recipient's class: `none`, `internal`, `external`, `consumer-webmail`, `business-associate`, `unresolved`, `unparseable`.
        target_class: String = "none".to_owned(),
        /// The recipient's domain, for the message.
        target_domain: String = "none".to_owned(),
    }
}

subject! {
    /// A mailbox, named by its address.
    pub struct Mailbox is Mailbox {
        /// `microsoft365`, `google-workspace`, `self-hosted`.
        provider: String,
        /// `user`, `shared`, `room`, `equipment`, `other`.
        mailbox_kind: String,
        /// Whether somebody can sign in.
        enabled: bool,
        /// `allowed`, `blocked`; `not-expected` for a shared, room or equipment mailbox that says nothing of it; `not-stated`.
        sign_in: String,
        /// Whether its user administers the tenant.
        administrator: bool,
        /// Whether the scope lists it as holding PHI.
        holds_phi: bool,
        /// Whether a second factor that the policy allows is registered.
        mfa_registered: bool,
        /// Whether a second factor is demanded at sign-in.
        mfa_enforced: bool,
        /// Where the mailbox forwards to.
        forwarding: Forwarding = Forwarding::absent(),
        /// Where it forwards to by an address (`ForwardingSmtpAddress`), not through the directory.
        forwarding_by_address: Forwarding = Forwarding::absent(),
        /// Where it forwards to by an entry of the tenant's directory (`ForwardingAddress`): a contact, a mail user, a mailbox.
        forwarding_by_entry: Forwarding = Forwarding::absent(),
        /// Whether a copy of what it forwards stays in the mailbox.
        forwarding_keeps_copy: bool,
        /// Whether actions in it are audited.
        audited: bool,
        /// Whether an association takes its account out of auditing.
        audit_bypassed: bool,
        /// Whether a retention policy is assigned.
        retention_policy: bool,
        /// Whether retention is suspended for it.
        retention_suspended: bool,
        /// Whether it is on litigation hold.
        litigation_hold: bool,
        /// Days that a litigation hold keeps every item; a hundred years where it has no end.
        litigation_hold_days: i64,
        /// Whether IMAP is open.
        imap: bool,
        /// Whether POP3 is open.
        pop: bool,
        /// Whether SMTP AUTH is open, by its own setting or the tenant's.
        smtp_auth: bool,
        /// Accounts and groups beside its user that may open it.
        full_access_holders: i64,
        /// Domains and kinds of those that may open it and belong to no account of the organization.
        full_access_outside: Vec<String>,
        /// Accounts that may open it although nobody can sign in to them, or that are deleted.
        full_access_former: Vec<String>,
        /// Accounts that may send in its name as if they were its user.
        send_as_holders: i64,
        /// Accounts it is delegated to (Google Workspace).
        delegates: i64,
        /// Mailboxes of the organization whose user may open it: by full access, by the right to give access, as a delegate.
        opened_by: Vec<String>,
        /// Others that may open it: groups, accounts without a mailbox in the exports, everybody.
        opened_by_others: i64,
        /// Mailboxes whose user may look into one of its folders.
        folders_opened_by: Vec<String>,
        /// Groups and accounts without a mailbox that may look into one of its folders, everybody included.
        folders_opened_by_others: i64,
        /// Mailboxes whose user may send in its name.
        sent_as_by: Vec<String>,
        /// Individuals whose information lies in it, at least, as the scope states (`volumes`).
        declared_individuals_lower: i64,
        /// Individuals whose information lies in it, at most, as the scope states (`volumes`).
        declared_individuals_upper: i64,
        /// Folders that everybody, or anybody without signing in, may look into: `calendar: reviewer (everybody)`.
        open_folders: Vec<String>,
        /// The strongest registered second factor: `phishing-resistant`, `app`, `phone` (calls, text messages, mail), `none`.
        mfa_strength: String,
        /// Whole days since anybody last signed in to its account, or since it was made where nobody ever did; at least so many where only attempts are known.
        days_without_sign_in: i64,
        /// Whether an export tells when somebody got in, and not attempts alone: true, or not known.
        sign_in_told: bool,
        /// Actions by which a theft of mail is seen and that its own choice of audited actions leaves out.
        audit_lacks: Vec<String>,
        /// Days that entries of its audit log are kept.
        audit_days: i64,
        /// Days that deleted messages can be brought back.
        deleted_items_days: i64,
        /// Whether what its user purges can be brought back as well.
        single_item_recovery: bool,
        /// Whether a copy of what others send as this mailbox lies in it.
        sent_as_copied: bool,
        /// Whole days since the oldest item in any of its folders arrived.
        oldest_item_days: i64,
        /// Whether the scope lists it as holding records that are kept for a least time (`retention.record_mailboxes`).
        holds_records: bool,
        /// Days that the organization decided to keep those records at least (`retention.mail_min_days`).
        record_minimum_days: i64,
        /// Days after which tags or retention policies delete mail of it that nobody threw away; 0 where none does (Microsoft 365).
        deleted_after_days: i64,
        /// Days that the organization keeps mail at most, as it decided (`retention.mail_max_days` in the scope).
        retention_limit_days: i64,
    }
}

/// Builds every Mailbox that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Mailbox> {
    if let Err(collection) = exported::given(context) {
        return Built { subjects: Vec::new(), collection };
    }
    let files = Files::of(context);
    let (accounts, of_nobody) = group(context, &files);
    let shared = Shared::of(context, &files, Grants::of(&files, &accounts, &of_nobody), &accounts);
    let subjects = accounts.into_iter().map(|(address, account)| one(address, &account, &shared)).collect();
    Built { subjects, collection: collection(context, &files) }
}

const INVENTORIES_MICROSOFT: [&str; 2] = ["microsoft365.mailboxes", "microsoft365.cas-mailboxes"];
const INVENTORIES_SELF_HOSTED: [&str; 1] = ["self-hosted.zimbra"];
const INVENTORIES_GOOGLE: [&str; 2] = ["google-workspace.users-console", "google-workspace.users-gam"];

/// The formats that list all mailboxes of a provider, and what to hand over.
pub(super) fn inventories(provider: &str) -> (&'static [&'static str], &'static str) {
    match provider {
        "self-hosted" => {
            (&INVENTORIES_SELF_HOSTED, "a list of all mailboxes of the mail server (Zimbra: collect-self-hosted.sh)")
        }
        "google-workspace" => (&INVENTORIES_GOOGLE, "a list of all users (admin console download, or gam print users)"),
        _ => (&INVENTORIES_MICROSOFT, "a list of all mailboxes (Get-EXOMailbox)"),
    }
}

fn collection(context: Context<'_>, files: &Files<'_>) -> Collection {
    let gone = [SubjectKind::Mailbox, SubjectKind::ExportFile];
    if let Some(reason) = gone.into_iter().find_map(|kind| context.evidence.taken_away(Source::Export, kind)) {
        return Collection::Incomplete(reason);
    }
    let providers = files.providers();
    if providers.is_empty() {
        return Collection::Incomplete(NotObserved::NotProvided { what: inventories("microsoft365").1.to_owned() });
    }
    for provider in providers {
        let (formats, what) = inventories(provider);
        let rows: u64 = formats.iter().flat_map(|format| files.of_format(format)).map(|(_, file)| file.rows).sum();
        if let Err(reason) = files.whole(formats, what) {
            return Collection::Incomplete(reason);
        }
        if rows == 0 {
            // A tenant has mailboxes; a list of none was cut or refused.
            return Collection::Incomplete(NotObserved::NotProvided {
                what: format!("{what}: the one given is empty"),
            });
        }
    }
    Collection::Complete
}

/// All records of one account.
#[derive(Debug, Default)]
struct Account<'e> {
    mailboxes: Vec<(&'e EvidenceId, &'e Exported)>,
    grants: Vec<(&'e EvidenceId, &'e MailboxGrants)>,
    registrations: Vec<(&'e EvidenceId, &'e MfaRegistration)>,
}

/// Joins records into accounts, by address of the mailbox,
/// and what belongs to no mailbox.
fn group<'e>(context: Context<'e>, files: &Files<'e>) -> (BTreeMap<String, Account<'e>>, Vec<&'e MailboxGrants>) {
    let mut grants = Vec::new();
    let mut listed = Vec::new();
    let mut others = Vec::new();
    let mut registrations = Vec::new();
    for (id, record) in exported::records(context) {
        match record {
            Record::Mailbox(mailbox) if mailbox.listed => listed.push((id, mailbox.as_ref())),
            Record::Mailbox(mailbox) => others.push((id, mailbox.as_ref())),
            Record::MailboxGrants(found) => grants.push((id, found.as_ref())),
            Record::MfaRegistration(registration) => registrations.push((id, registration)),
            Record::AcceptedDomain { .. }
            | Record::ConditionalAccess(_)
            | Record::ForwardingRule(_)
            | Record::Group(_)
            | Record::Recipient(_)
            | Record::Tally(_)
            | Record::TenantSetting(_) => {}
        }
    }
    // Mailboxes whose kind is stated come first: they name the subject by its main address.
    listed.sort_by_key(|(_, mailbox)| mailbox.mailbox_kind.present().is_none());
    let mut accounts: BTreeMap<String, Account<'e>> = BTreeMap::new();
    let mut by_reference: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for (id, mailbox) in listed {
        let address = belongs_to(&mailbox.address, &mailbox.references, &accounts, &by_reference)
            .unwrap_or_else(|| mailbox.address.clone());
        for reference in &mailbox.references {
            by_reference
                .entry(reference)
                .and_modify(|known| {
                    if known.as_ref() != Some(&address) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(address.clone()));
        }
        accounts.entry(address).or_default().mailboxes.push((id, mailbox));
    }
    let listed_providers: BTreeSet<&str> = accounts
        .values()
        .flat_map(|account| &account.mailboxes)
        .map(|(_, mailbox)| mailbox.provider.as_str())
        .collect();
    // Without a list of mailboxes an account stands for one.
    let stands_for_one = |provider: &str| {
        let given = inventories(provider).0.iter().any(|format| files.of_format(format).next().is_some());
        !given && !listed_providers.contains(provider)
    };
    let mut added: BTreeMap<String, Account<'e>> = BTreeMap::new();
    for (id, registration) in registrations {
        let found = belongs_to(&registration.address, &registration.references, &accounts, &by_reference);
        match found {
            Some(address) => {
                accounts.entry(address).or_default().registrations.push((id, registration));
            }
            None if stands_for_one(&registration.provider) && registration.guest.present() != Some(&true) => {
                added.entry(registration.address.clone()).or_default().registrations.push((id, registration));
            }
            None => {}
        }
    }
    for (id, other) in others {
        let found = belongs_to(&other.address, &other.references, &accounts, &by_reference);
        match found {
            Some(address) => accounts.entry(address).or_default().mailboxes.push((id, other)),
            // What an account export says is added to an account that already stands for a mailbox.
            None => {
                if let Some(account) = added.get_mut(&other.address) {
                    account.mailboxes.push((id, other));
                }
            }
        }
    }
    for (address, account) in added {
        accounts.entry(address).or_insert(account);
    }
    let mut of_nobody = Vec::new();
    for (id, found) in grants {
        let address = found.mailbox.present().map_or("", String::as_str);
        let owner: Vec<String> = found.owner.iter().cloned().collect();
        match belongs_to(address, &owner, &accounts, &by_reference) {
            Some(address) => accounts.entry(address).or_default().grants.push((id, found)),
            None => of_nobody.push(found),
        }
    }
    (accounts, of_nobody)
}

/// The mailbox that an address or, failing that, exactly one shared reference names.
fn belongs_to(
    address: &str,
    references: &[String],
    accounts: &BTreeMap<String, Account<'_>>,
    by_reference: &BTreeMap<&str, Option<String>>,
) -> Option<String> {
    if accounts.contains_key(address) {
        return Some(address.to_owned());
    }
    let named: BTreeSet<&String> = references
        .iter()
        .filter_map(|reference| by_reference.get(reference.as_str()).and_then(Option::as_ref))
        .collect();
    match named.len() {
        1 => named.first().map(|address| (*address).clone()),
        _ => None,
    }
}

/// What all mailboxes share.
struct Shared<'e> {
    directory: Directory<'e>,
    /// Why nothing that exports say of a mailbox is known.
    gone: Option<NotObserved>,
    phi: Result<(EvidenceId, BTreeSet<String>), NotObserved>,
    /// What the scope states of how many individuals' information lies in which mailbox.
    volumes: Volumes,
    tenants: BTreeMap<&'e str, OfTenant<'e>>,
    /// Why no last sign-in is known: an older version read it in another way.
    sign_ins_outdated: Option<NotObserved>,
    /// The same of where own servers send a mailbox's mail.
    self_hosted_outdated: Option<NotObserved>,
    bypass_given: Result<(), NotObserved>,
    grants: Grants,
    today: Date,
    /// What lists of folders say, by the reference of the mailbox.
    folders: factors::Folders<'e>,
    limit: Fact<i64>,
    records: Result<Records, NotObserved>,
    deletion: Deletion<'e>,
}

/// The mailboxes that hold records, and how long these are kept at least, as the scope states.
struct Records {
    id: EvidenceId,
    mailboxes: BTreeSet<String>,
    /// Why a mailbox may be one of them although no name of it says so.
    unlisted: Option<NotObserved>,
    minimum: Option<i64>,
}

impl Records {
    fn of(id: &EvidenceId, retention: Option<&DeclaredRetention>, accounts: &BTreeMap<String, Account<'_>>) -> Self {
        let (mut mailboxes, mut unlisted) = (BTreeSet::new(), None);
        for record in retention.into_iter().flat_map(|retention| &retention.record_mailboxes) {
            let reference = retention.and_then(|retention| retention.record_references.get(record));
            let is = |(address, account): &(&String, &Account<'_>)| {
                let by_name = |mailbox: &Exported| {
                    mailbox.address == *record || reference.is_some_and(|name| mailbox.references.contains(name))
                };
                *address == record || account.mailboxes.iter().any(|(_, mailbox)| by_name(mailbox))
            };
            let found: Vec<&String> = accounts.iter().filter(is).map(|(address, _)| address).collect();
            if found.is_empty() {
                let what = format!("the mailbox {record} of `retention.record_mailboxes`, among the mailboxes");
                unlisted.get_or_insert(NotObserved::NotProvided { what: crate::text::visible(&what) });
            }
            mailboxes.extend(found.into_iter().cloned());
        }
        let minimum = retention.and_then(|retention| retention.mail_min_days).map(i64::from);
        Self { id: id.clone(), mailboxes, unlisted, minimum }
    }

    fn hold(&self, address: &str) -> Fact<bool> {
        match &self.unlisted {
            Some(reason) if !self.mailboxes.contains(address) => Fact::unknown(reason.clone()),
            Some(_) | None => Fact::present(self.mailboxes.contains(address), vec![self.id.clone()]),
        }
    }
}

/// Individuals at least and at most, by mailbox, as the scope states, with its observation.
type Volumes = Result<(EvidenceId, BTreeMap<String, (u64, u64)>), NotObserved>;

/// What a tenant says for all of its mailboxes.
struct OfTenant<'e> {
    auditing_disabled: Fact<bool>,
    security_defaults: Fact<bool>,
    smtp_auth_disabled: Fact<bool>,
    policies: Policies<'e>,
    policies_whole: Result<(), NotObserved>,
    /// Why nothing that the tenant says is known.
    gone: Option<NotObserved>,
}

/// The formats that tell the last sign-in of accounts.
const LAST_SIGN_INS: [&str; 3] = ["google-workspace.users-console", "google-workspace.users-gam", "microsoft365.users"];

impl<'e> Shared<'e> {
    fn of(context: Context<'e>, files: &Files<'e>, grants: Grants, accounts: &BTreeMap<String, Account<'_>>) -> Self {
        let evidence = context.evidence;
        let phi = evidence.declared().and_then(|(id, declared)| match &declared.retention {
            Some(retention) => {
                Ok((id.clone(), retention.phi_mailboxes.iter().map(|address| address.to_lowercase()).collect()))
            }
            None => Err(NotObserved::NotProvided { what: "retention.phi_mailboxes in the scope".to_owned() }),
        });
        let volumes = evidence.declared().map(|(id, declared)| {
            let of = |volume: &DeclaredVolume| {
                let bounds = (volume.at_least, volume.at_most);
                volume.mailboxes.iter().map(|mailbox| (mailbox.to_lowercase(), bounds)).collect::<Vec<_>>()
            };
            (id.clone(), declared.volumes.iter().flat_map(of).collect())
        });
        let mut tenants = BTreeMap::new();
        for provider in ["google-workspace", "microsoft365"] {
            let settings = Settings::of(context, provider);
            tenants.insert(
                provider,
                OfTenant {
                    auditing_disabled: settings.flag(
                        "mailbox-auditing-disabled",
                        true,
                        "the organization's settings (Get-OrganizationConfig)",
                    ),
                    security_defaults: settings.flag("security-defaults", false, ENFORCEMENT),
                    smtp_auth_disabled: settings.flag(
                        "smtp-auth-disabled",
                        false,
                        "the transport settings (Get-TransportConfig)",
                    ),
                    policies: Policies::of(context, provider),
                    policies_whole: files.whole(&["microsoft365.conditional-access"], ENFORCEMENT),
                    gone: evidence.taken_away(Source::Export, SubjectKind::Tenant),
                },
            );
        }
        Self {
            directory: Directory::of(context),
            gone: evidence.taken_away(Source::Export, SubjectKind::Mailbox),
            phi,
            volumes,
            tenants,
            sign_ins_outdated: files.outdated(&LAST_SIGN_INS, "the last sign-in of all accounts"),
            self_hosted_outdated: files
                .outdated(&["self-hosted.zimbra", "self-hosted.zimbra-accounts"], "the accounts (zmprov -l gaa -v)"),
            bypass_given: files.whole(
                &["microsoft365.audit-bypass"],
                "the audit bypass associations (Get-MailboxAuditBypassAssociation)",
            ),
            grants,
            today: context.today(),
            folders: factors::Folders::of(context, files),
            // Where nothing is declared there is nothing to hold against: the rule sets no least period.
            records: evidence.declared().map(|(id, declared)| Records::of(id, declared.retention.as_ref(), accounts)),
            deletion: Deletion::of(context, files),
            limit: match evidence.declared() {
                Err(reason) => Fact::unknown(reason),
                Ok((id, declared)) => match declared.retention.as_ref().and_then(|retention| retention.mail_max_days) {
                    Some(days) => Fact::present(i64::from(days), vec![id.clone()]),
                    None => Fact::unknown(NotObserved::NotProvided {
                        what: "retention.mail_max_days in the scope".to_owned(),
                    }),
                },
            },
        }
    }
}

const ENFORCEMENT: &str =
    "what demands a second factor: security defaults, conditional access policies (-Depth 12) and per-user states";

fn one(address: String, account: &Account<'_>, shared: &Shared<'_>) -> Mailbox {
    let provider = account
        .mailboxes
        .iter()
        .map(|(_, mailbox)| mailbox.provider.as_str())
        .chain(account.registrations.iter().map(|(_, registration)| registration.provider.as_str()))
        .next()
        .unwrap_or_default();
    let said = Said { account, gone: shared.gone.as_ref() };
    let all: Vec<EvidenceId> = account
        .mailboxes
        .iter()
        .map(|(id, _)| (*id).clone())
        .chain(account.registrations.iter().map(|(id, _)| (*id).clone()))
        .collect();
    let tenant = shared.tenants.get(provider);
    let mailbox_kind = said.of(|mailbox| &mailbox.mailbox_kind, |_, _| false);
    let enabled = said.flag(|mailbox| &mailbox.enabled, true);
    let holds_phi = match &shared.phi {
        Ok((id, mailboxes)) => Fact::present(mailboxes.contains(&address), vec![id.clone()]),
        Err(reason) => Fact::unknown(reason.clone()),
    };
    let (holds_records, record_minimum_days, minimum) = match &shared.records {
        Ok(records) => {
            let days = match records.minimum {
                Some(days) => Fact::present(days, vec![records.id.clone()]),
                None => {
                    Fact::unknown(NotObserved::NotProvided { what: "retention.mail_min_days in the scope".to_owned() })
                }
            };
            (records.hold(&address), days, records.minimum)
        }
        Err(reason) => (Fact::unknown(reason.clone()), Fact::unknown(reason.clone()), None),
    };
    let opening = if provider == "google-workspace" {
        shared.grants.mailboxes_with(account, said.gone, "delegate", Some(&["delegate"]))
    } else {
        shared.grants.mailboxes_with(account, said.gone, "mailbox", Some(&["full-access", "change-permission"]))
    };
    let looking = shared.grants.mailboxes_with(account, said.gone, "folder", None);
    let sending = shared.grants.mailboxes_with(account, said.gone, "send-as", Some(&["send-as", "send-on-behalf"]));
    let (least, most) = declared_individuals(&shared.volumes, &address);
    let from = |google: &'static str, microsoft: &'static str| match provider {
        "google-workspace" => google,
        "self-hosted" => "this attribute of the account (Zimbra: zmprov -l gaa -v; other servers keep no such list)",
        _ => microsoft,
    };
    let users = from(
        "the users (admin console download with all columns)",
        "the mailboxes (Get-Mailbox -ResultSize Unlimited)",
    );
    let protocols = from(
        "the protocols of all users (gam print imap, print pop)",
        "the protocols of all mailboxes (Get-EXOCASMailbox)",
    );
    let forwards = from("the forwarding of all users (gam print forwards)", "both forwarding columns (Get-Mailbox)");
    let factors = from(
        "2-Step Verification of all users (admin console download with all columns)",
        "the registered methods (Get-MgReportAuthenticationMethodUserRegistrationDetail -All)",
    );
    let administrators = from("who administers (gam print users fields isadmin,isdelegatedadmin)", factors);
    let sign_ins = from(
        "the last sign-in of all users (gam print users fields lastlogintime,creationtime)",
        "the last sign-in of all accounts (Get-MgUser -All -Property SignInActivity,CreatedDateTime,UserPrincipalName,AccountEnabled)",
    );
    let (days_without_sign_in, sign_in_told) = match &shared.sign_ins_outdated {
        Some(reason) => (Fact::unknown(reason.clone()), Fact::unknown(reason.clone())),
        None => said.days_without_sign_in(shared.today),
    };
    let forwarding_outdated = shared.self_hosted_outdated.as_ref().filter(|_| provider == "self-hosted");
    let forwarding = |by: fn(&Directory<'_>, &Target) -> bool| {
        let fact = match forwarding_outdated {
            Some(reason) => Fact::unknown(reason.clone()),
            None => said.forwarding(&shared.directory, by),
        };
        from_export(fact, forwards)
    };
    let forwarding_keeps_copy = match forwarding_outdated {
        Some(reason) => Fact::unknown(reason.clone()),
        None => said.flag(|mailbox| &mailbox.keeps_copy, false),
    };
    let audits =
        "the mailboxes with DefaultAuditSet, AuditOwner, AuditDelegate, AuditAdmin and AuditLogAgeLimit (Get-Mailbox)";
    let recovery = "the mailboxes with RetainDeletedItemsFor and SingleItemRecoveryEnabled (Get-Mailbox)";
    Mailbox {
        sign_in: sign_in(&mailbox_kind, &enabled, said.gone),
        administrator: from_export(said.administrator(), administrators),
        mfa_registered: from_export(said.mfa_registered(), factors),
        mfa_enforced: from_export(said.mfa_enforced(tenant), factors),
        forwarding: forwarding(|_, _| true),
        forwarding_by_address: forwarding(|directory, target| !directory.leads_on(target)),
        forwarding_by_entry: forwarding(|directory, target| directory.leads_on(target)),
        forwarding_keeps_copy: from_export(forwarding_keeps_copy, forwards),
        audited: said.audited(tenant),
        audit_bypassed: said.audit_bypassed(&shared.bypass_given),
        retention_policy: from_export(said.flag(|mailbox| &mailbox.retention_policy, false), users),
        retention_suspended: from_export(said.flag(|mailbox| &mailbox.retention_suspended, true), users),
        litigation_hold: from_export(said.flag(|mailbox| &mailbox.litigation_hold, false), users),
        litigation_hold_days: from_export(
            days(said.of(|mailbox| &mailbox.litigation_hold_days, |new, known| new < known)),
            "how long litigation holds last (Get-Mailbox -ResultSize Unlimited with LitigationHoldDuration)",
        ),
        imap: from_export(said.flag(|mailbox| &mailbox.imap_enabled, true), protocols),
        pop: from_export(said.flag(|mailbox| &mailbox.pop_enabled, true), protocols),
        smtp_auth: from_export(said.smtp_auth(tenant), protocols),
        full_access_holders: shared.grants.holders(account, said.gone, "mailbox", "full-access"),
        full_access_outside: shared.grants.outside(account, said.gone, &shared.directory),
        full_access_former: shared.grants.former(account, said.gone),
        send_as_holders: shared.grants.holders(account, said.gone, "send-as", "send-as"),
        delegates: shared.grants.holders(account, said.gone, "delegate", "delegate"),
        opened_by: opening.0,
        opened_by_others: opening.1,
        folders_opened_by: looking.0,
        folders_opened_by_others: looking.1,
        sent_as_by: sending.0,
        declared_individuals_lower: least,
        declared_individuals_upper: most,
        open_folders: shared.grants.open_folders(account, said.gone),
        mfa_strength: from_export(said.mfa_strength(), factors),
        days_without_sign_in: from_export(days_without_sign_in, sign_ins),
        sign_in_told: from_export(sign_in_told, sign_ins),
        audit_lacks: from_export(said.of(|mailbox| &mailbox.audit_lacks, |new, known| new.len() > known.len()), audits),
        audit_days: from_export(days(said.of(|mailbox| &mailbox.audit_days, |new, known| new < known)), audits),
        deleted_items_days: from_export(
            days(said.of(|mailbox| &mailbox.deleted_items_days, |new, known| new < known)),
            recovery,
        ),
        single_item_recovery: from_export(said.flag(|mailbox| &mailbox.single_item_recovery, false), recovery),
        sent_as_copied: from_export(
            said.flag(|mailbox| &mailbox.sent_as_copied, false),
            "the mailboxes with MessageCopyForSentAsEnabled (Get-Mailbox -ResultSize Unlimited)",
        ),
        oldest_item_days: said.oldest_item_days(&shared.folders, shared.today),
        retention_limit_days: shared.limit.clone(),
        holds_records,
        record_minimum_days,
        deleted_after_days: shared.deletion.after_days(account, provider, minimum),
        name: address,
        provider: Fact::present(provider.to_owned(), all),
        mailbox_kind: from_export(mailbox_kind, users),
        enabled: from_export(enabled, users),
        holds_phi,
    }
}

/// What the scope states of one mailbox.
fn declared_individuals(volumes: &Volumes, address: &str) -> (Fact<i64>, Fact<i64>) {
    let fact = |bound: fn(&(u64, u64)) -> u64| match volumes {
        Err(reason) => Fact::unknown(reason.clone()),
        Ok((id, volumes)) => match volumes.get(address) {
            Some(bounds) => Fact::present(i64::try_from(bound(bounds)).unwrap_or(i64::MAX), vec![id.clone()]),
            None => {
                Fact::unknown(NotObserved::NotProvided { what: "this mailbox under `volumes` in the scope".to_owned() })
            }
        },
    };
    (fact(|(least, _)| *least), fact(|(_, most)| *most))
}

fn days(fact: Fact<u64>) -> Fact<i64> {
    Fact::new(fact.seen.map(|days| i64::try_from(days).unwrap_or(i64::MAX)), fact.evidence)
}

/// Names the export that would say what none of those handed over does.
fn from_export<T>(fact: Fact<T>, export: &str) -> Fact<T> {
    match fact.seen {
        Seen::Unknown(NotObserved::NotProvided { what }) if what == NOT_IN_THIS_EXPORT || what == NOT_LISTED => {
            Fact::new(Seen::not_provided(export), fact.evidence)
        }
        seen => Fact::new(seen, fact.evidence),
    }
}

/// Whether sign-in is possible, as far as it was stated. A mailbox that says nothing is treated as
/// one that can be signed in to, unless its kind is one that nobody signs in to.
fn sign_in(kind: &Fact<String>, enabled: &Fact<bool>, gone: Option<&NotObserved>) -> Fact<String> {
    if let Some(reason) = gone {
        return Fact::unknown(reason.clone());
    }
    let rests_on = || kind.evidence.iter().chain(&enabled.evidence).cloned().collect();
    let word = match (enabled.seen.present(), kind.seen.present().map(String::as_str)) {
        (Some(true), _) => "allowed",
        (Some(false), _) => "blocked",
        (None, Some("shared" | "room" | "equipment" | "other")) => "not-expected",
        (None, _) => "not-stated",
    };
    Fact::present(word.to_owned(), rests_on())
}

/// Whether a second factor that the policy allows is registered. A method that is registered may
/// be one that the policy forbids, so registration alone proves nothing; its lack does.
pub(super) fn registered(registration: &MfaRegistration) -> Seen<bool> {
    match (&registration.capable, &registration.registered) {
        (Seen::Present(capable), _) => Seen::Present(*capable),
        (_, Seen::Present(false)) => Seen::Present(false),
        (capable, _) => capable.clone(),
    }
}

/// What the records of one account say.
struct Said<'a, 'e> {
    account: &'a Account<'e>,
    gone: Option<&'a NotObserved>,
}

impl Said<'_, '_> {
    fn of<T: Clone>(&self, read: impl Fn(&Exported) -> &Seen<T>, worse: impl Fn(&T, &T) -> bool) -> Fact<T> {
        if let Some(reason) = self.gone {
            return Fact::unknown(reason.clone());
        }
        let values: Vec<_> = self.account.mailboxes.iter().map(|(id, mailbox)| (*id, read(mailbox))).collect();
        let (seen, evidence) = joined(&values, worse);
        Fact::new(seen, evidence)
    }

    /// A yes or no; `worse` is the answer that counts where two exports differ.
    fn flag(&self, read: impl Fn(&Exported) -> &Seen<bool>, worse: bool) -> Fact<bool> {
        self.of(read, |new, _| *new == worse)
    }

    fn administrator(&self) -> Fact<bool> {
        if let Some(reason) = self.gone {
            return Fact::unknown(reason.clone());
        }
        let mut values: Vec<_> =
            self.account.mailboxes.iter().map(|(id, mailbox)| (*id, &mailbox.administrator)).collect();
        values.extend(self.account.registrations.iter().map(|(id, registration)| (*id, &registration.administrator)));
        let (seen, evidence) = joined(&values, |new, _| *new);
        Fact::new(seen, evidence)
    }

    fn mfa_registered(&self) -> Fact<bool> {
        if let Some(reason) = self.gone {
            return Fact::unknown(reason.clone());
        }
        let registrations: Vec<_> =
            self.account.registrations.iter().map(|(id, registration)| (*id, registered(registration))).collect();
        let mut values: Vec<_> = registrations.iter().map(|(id, seen)| (*id, seen)).collect();
        values.extend(self.account.mailboxes.iter().map(|(id, mailbox)| (*id, &mailbox.mfa_enrolled)));
        let (seen, evidence) = joined(&values, |new, _| !*new);
        Fact::new(seen, evidence)
    }

    /// Yes where anything demands it; no only where everything that could demand it was seen.
    fn mfa_enforced(&self, tenant: Option<&OfTenant<'_>>) -> Fact<bool> {
        let own = self.flag(|mailbox| &mailbox.mfa_enforced, false);
        if self.gone.is_some() {
            return own;
        }
        let google = self.account.mailboxes.iter().any(|(_, mailbox)| mailbox.provider == "google-workspace");
        let (Some(tenant), false) = (tenant, google) else { return own };
        if own.seen.present() == Some(&true) {
            return own;
        }
        if let Some(reason) = &tenant.gone {
            return Fact::unknown(reason.clone());
        }
        if tenant.security_defaults.seen.present() == Some(&true) {
            return Fact::present(true, tenant.security_defaults.evidence.clone());
        }
        let mut evidence = tenant.security_defaults.evidence.clone();
        let mut in_doubt = None;
        for (id, policy) in &tenant.policies.all {
            evidence.push((*id).clone());
            match Policies::demands_from_all(policy) {
                Seen::Present(true) => match self.excluded(policy) {
                    Seen::Present(false) => return Fact::present(true, vec![(*id).clone()]),
                    Seen::Present(true) => {}
                    Seen::Absent | Seen::Malformed(_) => {}
                    Seen::Unknown(reason) => in_doubt = Some(reason),
                },
                Seen::Present(false) | Seen::Absent | Seen::Malformed(_) => {}
                Seen::Unknown(reason) => in_doubt = Some(reason),
            }
        }
        if let Some(reason) = in_doubt {
            return Fact::new(Seen::Unknown(reason), evidence);
        }
        // Nothing seen demands it. That is a no only if all three places were looked at.
        let rests = [
            tenant
                .security_defaults
                .seen
                .present()
                .map_or_else(|| Err(unknown(&tenant.security_defaults.seen)), |_| Ok(())),
            tenant.policies_whole.clone(),
            own.seen.present().map_or_else(|| Err(unknown(&own.seen)), |_| Ok(())),
        ];
        match rests.into_iter().find_map(Result::err) {
            Some(NotObserved::NotProvided { .. }) => Fact::new(Seen::not_provided(ENFORCEMENT), evidence),
            Some(reason) => Fact::new(Seen::Unknown(reason), evidence),
            None => {
                evidence.extend(own.evidence);
                Fact::present(false, evidence)
            }
        }
    }

    /// Whether a policy leaves this account out.
    fn excluded(&self, policy: &crate::evidence::export::ConditionalAccess) -> Seen<bool> {
        let references: BTreeSet<&str> = self
            .account
            .mailboxes
            .iter()
            .flat_map(|(_, mailbox)| &mailbox.references)
            .chain(self.account.registrations.iter().flat_map(|(_, registration)| &registration.references))
            .map(String::as_str)
            .collect();
        match &policy.excluded_users {
            Seen::Present(excluded) if excluded.iter().any(|user| references.contains(user.as_str())) => {
                Seen::Present(true)
            }
            Seen::Present(excluded) => match &policy.excludes_groups {
                Seen::Present(false) if excluded.is_empty() || !references.is_empty() => Seen::Present(false),
                Seen::Present(_) => Seen::not_provided("the members of the groups that the policy leaves out"),
                other => other.clone(),
            },
            Seen::Absent => Seen::Present(false),
            Seen::Malformed(malformed) => Seen::Malformed(malformed.clone()),
            Seen::Unknown(reason) => Seen::Unknown(reason.clone()),
        }
    }

    /// Of its recipients those that `by` picks; all that it forwards to is looked at for each picture.
    fn forwarding(&self, directory: &Directory<'_>, by: fn(&Directory<'_>, &Target) -> bool) -> Fact<Forwarding> {
        if let Some(reason) = self.gone {
            return Fact::unknown(reason.clone());
        }
        let classes: Vec<_> = self
            .account
            .mailboxes
            .iter()
            .map(|(id, mailbox)| {
                let picked = match &mailbox.forwards_to {
                    Seen::Present(targets) => {
                        let picked: Vec<_> = targets.iter().filter(|target| by(directory, target)).cloned().collect();
                        match (picked.is_empty(), &mailbox.forwards_incomplete) {
                            (true, Some(reason)) => Seen::Unknown(reason.clone()),
                            (true, None) => Seen::Absent,
                            (false, _) => Seen::Present(picked),
                        }
                    }
                    other => other.clone(),
                };
                (*id, directory.worst(&picked, mailbox.forwards_incomplete.as_ref()))
            })
            .collect();
        let borrowed: Vec<_> = classes.iter().map(|(id, class)| (*id, class)).collect();
        let (seen, mut evidence) = joined(&borrowed, |(new, _), (known, _)| new > known);
        // A class that is not known must not give way to another export's empty cell.
        let doubt = classes.iter().find_map(|(_, class)| match class {
            Seen::Unknown(NotObserved::NotProvided { .. }) => None,
            Seen::Unknown(reason) => Some(reason.clone()),
            Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => None,
        });
        if matches!(seen, Seen::Present(_)) {
            evidence.extend(directory.evidence.iter().cloned());
        }
        match (seen, doubt) {
            (Seen::Absent, Some(reason)) => Fact::new(Seen::Unknown(reason), evidence),
            (seen, _) => Fact::new(
                seen.map(|(class, domains): (Class, Vec<String>)| Forwarding {
                    target_class: class.as_str().to_owned(),
                    target_domain: if domains.is_empty() { "none".to_owned() } else { domains.join(", ") },
                }),
                evidence,
            ),
        }
    }

    /// Auditing is decided for the organization. The mailbox's own switch does not stop it; an
    /// association that bypasses it does.
    fn audited(&self, tenant: Option<&OfTenant<'_>>) -> Fact<bool> {
        let bypassed = self.flag(|mailbox| &mailbox.audit_bypassed, true);
        if self.gone.is_some() {
            return bypassed;
        }
        if bypassed.seen.present() == Some(&true) {
            return Fact::present(false, bypassed.evidence);
        }
        match tenant {
            Some(tenant) => Fact::new(
                tenant.auditing_disabled.seen.clone().map(|disabled| !disabled),
                tenant.auditing_disabled.evidence.clone(),
            ),
            None => Fact::unknown(NotObserved::NotProvided { what: "the organization's settings".to_owned() }),
        }
    }

    /// The export lists accounts; one that it does not list is not bypassed only if it is whole.
    fn audit_bypassed(&self, given: &Result<(), NotObserved>) -> Fact<bool> {
        let said = self.flag(|mailbox| &mailbox.audit_bypassed, true);
        match (&said.seen, given) {
            (Seen::Unknown(NotObserved::NotProvided { .. }), Err(reason)) if self.gone.is_none() => {
                Fact::unknown(reason.clone())
            }
            _ => said,
        }
    }

    /// An empty setting of the mailbox means that the tenant's holds.
    fn smtp_auth(&self, tenant: Option<&OfTenant<'_>>) -> Fact<bool> {
        let own = self.flag(|mailbox| &mailbox.smtp_auth_disabled, false);
        match (&own.seen, tenant) {
            (Seen::Absent, Some(tenant)) => {
                let mut evidence = own.evidence;
                evidence.extend(tenant.smtp_auth_disabled.evidence.iter().cloned());
                Fact::new(tenant.smtp_auth_disabled.seen.clone().map(|disabled| !disabled), evidence)
            }
            _ => Fact::new(own.seen.map(|disabled| !disabled), own.evidence),
        }
    }
}

fn unknown<T>(seen: &Seen<T>) -> NotObserved {
    match seen {
        Seen::Unknown(reason) => reason.clone(),
        Seen::Absent | Seen::Malformed(_) | Seen::Present(_) => {
            NotObserved::NotProvided { what: ENFORCEMENT.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests;
