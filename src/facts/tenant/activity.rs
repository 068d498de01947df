//! What logs and lists say of accounts: how they were signed in to, what was set up, what was sent,
//! which roles they hold.
//!
//! A log speaks of the days it covers and of nothing else. That nothing happened is said only where
//! the log was read whole and every entry could be told; one entry is enough for the opposite.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::super::Context;
use super::super::exported::{self, Class, Directory, Files};
use super::super::shape::Fact;
use super::not_provided;
use crate::clock::days_between;
use crate::evidence::export::{Record, Tally};
use crate::evidence::{EvidenceId, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

/// Accounts named in one fact; further ones are counted.
const NAMED: usize = 20;
/// Observations that a fact rests on, at most; they stand for the others.
const EVIDENCE: usize = 50;

/// A log or list: what it is called in records, its formats, and what to hand over.
pub(super) struct Log {
    of: &'static str,
    formats: &'static [&'static str],
    what: &'static str,
    /// A word that some entry of a log fits that was not searched for one sort of entries alone; empty
    /// for lists, which hold one sort.
    ordinary: &'static str,
}

const SIGN_INS: Log = Log {
    of: "sign-ins",
    formats: &["microsoft365.sign-ins"],
    what: "the sign-in log (Graph auditLogs/signIns as JSON, or the portal's CSV in English)",
    ordinary: "succeeded",
};
const LOGINS: Log = Log {
    of: "sign-ins",
    formats: &["google-workspace.login-audit"],
    what: "the login audit (gam report login start -30d)",
    ordinary: "succeeded",
};
const AUDIT: Log = Log {
    of: "audit-log",
    formats: &["microsoft365.unified-audit-log"],
    what: "the unified audit log (Search-UnifiedAuditLog with AuditData)",
    ordinary: "other",
};
const TRACE: Log = Log {
    of: "message-trace",
    formats: &["microsoft365.message-trace"],
    what: "the message trace (Get-MessageTraceV2), in which days begin with the year",
    ordinary: "other-domain",
};
const ROLES: Log = Log {
    of: "roles",
    formats: &["microsoft365.directory-roles"],
    what: "who holds directory roles (Graph roleManagement/directory/roleAssignments?$expand=principal)",
    ordinary: "",
};
const ADMINS: Log = Log {
    of: "roles",
    formats: &["google-workspace.admin-roles"],
    what: "who holds administrator roles (gam print admins)",
    ordinary: "",
};
const APP_PASSWORDS: Log = Log {
    of: "app-passwords",
    formats: &["google-workspace.app-passwords"],
    what: "the app passwords of all users (gam all users print asps)",
    ordinary: "",
};
const FORWARDING_ADDRESSES: Log = Log {
    of: "forwarding-addresses",
    formats: &["google-workspace.forwarding-addresses"],
    what: "the forwarding addresses of all users (gam all users print forwardingaddresses)",
    ordinary: "",
};
const SEND_AS: Log = Log {
    of: "send-as",
    formats: &["google-workspace.send-as"],
    what: "the addresses that users send as (gam all users print sendas compact)",
    ordinary: "",
};

/// The tallies of one tenant.
pub(super) struct Activity<'s, 'e> {
    context: Context<'e>,
    provider: &'s str,
    files: Files<'e>,
    /// By what the export lists and the account; several files of one kind together.
    tallies: BTreeMap<(&'e str, &'e str), (&'e EvidenceId, Tally)>,
    /// Mailboxes by the references they are known by.
    mailboxes: BTreeMap<&'e str, Option<&'e str>>,
    gone: Option<NotObserved>,
}

impl<'s, 'e> Activity<'s, 'e> {
    pub(super) fn of(context: Context<'e>, provider: &'s str) -> Self {
        let mut tallies: BTreeMap<(&str, &str), (&EvidenceId, Tally)> = BTreeMap::new();
        let mut mailboxes = Vec::new();
        for (id, record) in exported::records(context) {
            match record {
                Record::Tally(tally) if tally.provider == provider => {
                    match tallies.get_mut(&(tally.of.as_str(), tally.account.as_str())) {
                        Some((_, known)) => known.add(tally),
                        None => _ = tallies.insert((&tally.of, &tally.account), (id, tally.as_ref().clone())),
                    }
                }
                Record::Mailbox(mailbox) => mailboxes.push(mailbox.as_ref()),
                _ => {}
            }
        }
        // Without a log nobody's name is looked up.
        if tallies.is_empty() {
            mailboxes.clear();
        }
        Self {
            context,
            provider,
            files: Files::of(context),
            tallies,
            mailboxes: exported::mailboxes_by_reference(mailboxes.into_iter()),
            gone: context.evidence.taken_away(Source::Export, SubjectKind::Mailbox),
        }
    }

    fn in_log<'a>(&'a self, log: &'a Log) -> impl Iterator<Item = (&'e EvidenceId, &'a Tally)> + 'a {
        self.tallies.values().filter(move |(_, tally)| tally.of == log.of).map(|(id, tally)| (*id, tally))
    }

    fn name(&self, account: &str) -> String {
        match self.mailboxes.get(account).copied().flatten() {
            Some(address) => address.to_owned(),
            None => format!("account {account}"),
        }
    }

    /// The mailbox's name and how often, for each account for which `counts` is not 0. `doubt` are
    /// words that may stand for the same: an entry with one keeps an empty list from being known.
    fn accounts(&self, log: &Log, counts: impl Fn(&Tally) -> u64, doubt: &str) -> Fact<Vec<String>> {
        if let Some(reason) = &self.gone {
            return Fact::unknown(reason.clone());
        }
        let (mut found, mut ids, mut doubtful) = (BTreeMap::new(), Vec::new(), false);
        for (id, tally) in self.in_log(log) {
            let times = counts(tally);
            doubtful |= tally.counts.contains_key(doubt);
            if times > 0 {
                ids.push(id.clone());
                *found.entry(self.name(&tally.account)).or_insert(0u64) += times;
            }
        }
        if found.is_empty() {
            ids.extend(self.files.evidence_of(log.formats));
            if let Err(reason) = self.files.whole(log.formats, log.what) {
                return Fact::new(Seen::Unknown(reason), ids);
            }
            if doubtful {
                let why = "some entries do not say enough to tell".to_owned();
                return Fact::new(Seen::Unknown(NotObserved::Unreadable { why, line: None }), ids);
            }
            if !log.ordinary.is_empty() && !self.in_log(log).any(|(_, tally)| times(tally, log.ordinary) > 0) {
                let what = format!("{}, not searched for one sort of entries alone", log.what);
                return Fact::new(Seen::Unknown(not_provided(&what)), ids);
            }
        }
        ids.truncate(EVIDENCE);
        let more = found.len().saturating_sub(NAMED);
        let mut names: Vec<String> =
            found.into_iter().take(NAMED).map(|(name, times)| format!("{name} ({times})")).collect();
        if more > 0 {
            names.push(format!("and {more} more"));
        }
        Fact::present(names, ids)
    }

    fn with_word(&self, log: &Log, word: &str, doubt: &str) -> Fact<Vec<String>> {
        self.accounts(log, |tally| times(tally, word), doubt)
    }

    /// What follows from the first and the last day that the log speaks of, and from today.
    fn period(&self, log: &Log, read: impl Fn(Date, Date, Date) -> i64) -> Fact<i64> {
        if let Some(reason) = &self.gone {
            return Fact::unknown(reason.clone());
        }
        let all = || self.in_log(log).filter_map(|(_, tally)| tally.counts.get("all"));
        let ids: Vec<_> = self.files.evidence_of(log.formats).collect();
        let bounds = (all().filter_map(|count| count.first).min(), all().filter_map(|count| count.last).max());
        match bounds {
            (Some(first), Some(last)) => Fact::present(read(first, last, self.context.today()), ids),
            _ => match self.files.whole(log.formats, log.what) {
                Err(reason) => Fact::new(Seen::Unknown(reason), ids),
                // An empty log may be a log of an hour.
                Ok(()) => Fact::new(Seen::Unknown(not_provided("a log with entries: this one is empty")), ids),
            },
        }
    }

    fn sign_in_log(&self) -> &'static Log {
        if self.provider == "google-workspace" { &LOGINS } else { &SIGN_INS }
    }

    pub(super) fn sign_in_log_days(&self) -> Fact<i64> {
        self.period(self.sign_in_log(), |first, last, _| days_between(first, last) + 1)
    }

    pub(super) fn sign_in_log_age(&self) -> Fact<i64> {
        self.period(self.sign_in_log(), |_, last, today| days_between(last, today).max(0))
    }

    pub(super) fn old_client_sign_ins(&self) -> Fact<Vec<String>> {
        self.with_word(&SIGN_INS, "old-client", "strange-client")
    }

    pub(super) fn single_factor_sign_ins(&self) -> Fact<Vec<String>> {
        self.with_word(self.sign_in_log(), "single-factor", "factors-not-stated")
    }

    pub(super) fn forwarding_outside_events(&self) -> Fact<Vec<String>> {
        self.with_word(&LOGINS, "forwarding-outside", "")
    }

    pub(super) fn second_factors_switched_off(&self) -> Fact<Vec<String>> {
        self.with_word(&LOGINS, "second-factor-off", "")
    }

    pub(super) fn forwarding_set_up(&self) -> Fact<Vec<String>> {
        self.with_word(&AUDIT, "sends-on", "may-send-on")
    }

    pub(super) fn programs_let_in(&self) -> Fact<Vec<String>> {
        self.with_word(&AUDIT, "consent", "")
    }

    pub(super) fn audit_bypass_set(&self) -> Fact<Vec<String>> {
        self.with_word(&AUDIT, "audit-bypass", "")
    }

    pub(super) fn audit_log_age(&self) -> Fact<i64> {
        self.period(&AUDIT, |_, last, today| days_between(last, today).max(0))
    }

    pub(super) fn audit_log_days(&self) -> Fact<i64> {
        self.period(&AUDIT, |first, last, _| days_between(first, last) + 1)
    }

    pub(super) fn app_passwords(&self) -> Fact<Vec<String>> {
        self.with_word(&APP_PASSWORDS, "app-password", "")
    }

    pub(super) fn send_over_other_servers(&self) -> Fact<Vec<String>> {
        self.with_word(&SEND_AS, "other-server", "")
    }

    /// The highest share, in percent, of consumer webmail among the messages that one account sent to
    /// other domains, and whose it is; accounts that sent few make no share.
    pub(super) fn webmail_share(&self) -> (Fact<i64>, Fact<String>) {
        const ENOUGH: u64 = 20;
        let share = |tally: &Tally| {
            let out = times(tally, "other-domain");
            (out >= ENOUGH).then(|| times(tally, "consumer-webmail") * 100 / out)
        };
        let most = self.in_log(&TRACE).filter_map(|(id, tally)| Some((share(tally)?, &tally.account, id))).max();
        let reason = self.gone.clone().or_else(|| self.files.whole(TRACE.formats, TRACE.what).err());
        match (reason, most) {
            (Some(reason), _) => (Fact::unknown(reason.clone()), Fact::unknown(reason)),
            (None, Some((share, account, id))) => (
                Fact::present(i64::try_from(share).unwrap_or(100), vec![id.clone()]),
                Fact::present(self.name(account), vec![id.clone()]),
            ),
            (None, None) => {
                let ids: Vec<_> = self.files.evidence_of(TRACE.formats).collect();
                (Fact::present(0, ids.clone()), Fact::present("nobody".to_owned(), ids))
            }
        }
    }

    fn role_list(&self) -> &'static Log {
        if self.provider == "google-workspace" { &ADMINS } else { &ROLES }
    }

    /// The accounts that may do everything. Members of a group are not known from here.
    fn with_role(&self, word: &str) -> Result<RoleHolders<'_>, NotObserved> {
        if let Some(reason) = &self.gone {
            return Err(reason.clone());
        }
        let list = self.role_list();
        let group = if word == "administrator" { "group" } else { "global-group" };
        let (mut accounts, mut ids, mut doubt) = (BTreeSet::new(), Vec::new(), None);
        for (id, tally) in self.in_log(list) {
            if times(tally, word) > 0 {
                accounts.insert(tally.account.as_str());
                ids.push(id.clone());
            }
            if times(tally, group) > 0 {
                doubt = Some(not_provided("the members of the groups that hold a role"));
            }
        }
        ids.extend(self.files.evidence_of(list.formats));
        ids.truncate(EVIDENCE);
        let whole = self.files.whole(list.formats, list.what).err();
        Ok(RoleHolders { accounts, ids, doubt: whole.or(doubt) })
    }

    /// How many accounts may do everything; not known where a group is among them.
    pub(super) fn global_administrators(&self) -> Fact<i64> {
        match self.with_role("global-administrator") {
            Err(reason) => Fact::unknown(reason),
            Ok(RoleHolders { ids, doubt: Some(reason), .. }) => Fact::new(Seen::Unknown(reason), ids),
            Ok(RoleHolders { accounts, ids, doubt: None }) => {
                Fact::present(i64::try_from(accounts.len()).unwrap_or(i64::MAX), ids)
            }
        }
    }

    /// Accounts that may do everything and whose mailbox somebody reads mail in.
    pub(super) fn global_administrators_with_mail(&self) -> Fact<Vec<String>> {
        match self.with_role("global-administrator") {
            Err(reason) => Fact::unknown(reason),
            Ok(RoleHolders { accounts, ids, doubt }) => {
                let found: Vec<String> = accounts
                    .iter()
                    .filter_map(|account| self.mailboxes.get(account).copied().flatten())
                    .map(str::to_owned)
                    .collect();
                let no_list = self.mailboxes.is_empty().then(|| not_provided("a list of all mailboxes"));
                match doubt.or(no_list) {
                    Some(reason) if found.is_empty() => Fact::new(Seen::Unknown(reason), ids),
                    Some(_) | None => Fact::present(found, ids),
                }
            }
        }
    }

    /// Accounts that hold a role and have no second factor that the policy allows.
    pub(super) fn role_holders_without_mfa(&self) -> Fact<Vec<String>> {
        let RoleHolders { accounts, mut ids, mut doubt } = match self.with_role("administrator") {
            Err(reason) => return Fact::unknown(reason),
            Ok(found) => found,
        };
        let mut factors: BTreeMap<&str, Seen<bool>> = BTreeMap::new();
        for (_, record) in exported::records(self.context) {
            let (references, factor) = match record {
                Record::MfaRegistration(said) if said.provider == self.provider => {
                    (&said.references, super::super::mailbox::registered(said))
                }
                Record::Mailbox(said) if said.provider == self.provider && said.mfa_enrolled.present().is_some() => {
                    (&said.references, said.mfa_enrolled.clone())
                }
                _ => continue,
            };
            for reference in references.iter().filter(|reference| accounts.contains(reference.as_str())) {
                let known = factors.entry(reference).or_insert_with(|| factor.clone());
                if factor == Seen::Present(false) {
                    *known = factor.clone();
                }
            }
        }
        let mut without = Vec::new();
        for account in &accounts {
            match factors.get(account) {
                Some(Seen::Present(true)) => {}
                Some(Seen::Present(false)) => without.push(self.name(account)),
                Some(Seen::Unknown(reason)) => doubt = Some(reason.clone()),
                Some(Seen::Absent | Seen::Malformed(_)) | None => {
                    doubt = Some(not_provided("the registered methods of every account that holds a role"));
                }
            }
        }
        without.sort();
        ids.truncate(EVIDENCE);
        match doubt {
            Some(reason) if without.is_empty() => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(without, ids),
        }
    }

    /// Mailboxes with an outside address that they may forward to at once.
    pub(super) fn verified_forwarding_outside(&self) -> Fact<Vec<String>> {
        let directory = Directory::of(self.context);
        let mut doubt = None;
        let outside: BTreeSet<&str> = self
            .in_log(&FORWARDING_ADDRESSES)
            .filter(|(_, tally)| {
                tally.targets.iter().any(|target| match directory.class(target) {
                    Ok((class, _)) => matches!(class, Class::External | Class::ConsumerWebmail | Class::Unparseable),
                    Err(reason) => {
                        doubt = Some(reason);
                        false
                    }
                })
            })
            .map(|(_, tally)| tally.account.as_str())
            .collect();
        let fact =
            self.accounts(&FORWARDING_ADDRESSES, |tally| u64::from(outside.contains(tally.account.as_str())), "");
        match (&fact.seen, doubt) {
            (Seen::Present(found), Some(reason)) if found.is_empty() => Fact::new(Seen::Unknown(reason), fact.evidence),
            _ => fact,
        }
    }
}

/// The accounts that hold a role, and why there may be more.
struct RoleHolders<'a> {
    accounts: BTreeSet<&'a str>,
    ids: Vec<EvidenceId>,
    doubt: Option<NotObserved>,
}

fn times(tally: &Tally, word: &str) -> u64 {
    tally.counts.get(word).map_or(0, |count| count.times)
}

#[cfg(test)]
mod tests {
    use super::super::super::exported::tests::{World, context, declared};
    use super::super::{Tenant, build};
    use super::*;

    fn tenant(world: &World, name: &str) -> Tenant {
        let evidence = world.evidence(&[]);
        build(context(&evidence)).subjects.into_iter().find(|tenant| tenant.name == name).unwrap()
    }

    fn logs(without: &[&str]) -> Tenant {
        tenant(&World::new(Some(declared("clinic.example"))).fixture("log-clinic", without), "microsoft365")
    }

    fn list(items: &[&str]) -> Seen<Vec<String>> {
        Seen::Present(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn logs_are_told_by_account_and_the_days_they_cover() {
        let told = logs(&[]);
        assert_eq!(
            (&told.sign_in_log_days.seen, &told.sign_in_log_age_days.seen),
            (&Seen::Present(30), &Seen::Present(1))
        );
        let old = told.old_client_sign_ins.seen.present().unwrap();
        assert!(old.contains(&"ana@clinic.example (2)".to_owned()) && old.len() == 2, "{old:?}");
        assert!(old.iter().any(|name| name.starts_with("account ")), "an account without a mailbox has no name");
        assert_eq!(told.single_factor_sign_ins.seen.present().map(Vec::len), Some(2), "a renewed token is none");
        assert_eq!(told.forwarding_set_up.seen, list(&["ana@clinic.example (1)", "front-desk@clinic.example (1)"]));
        assert_eq!(told.programs_let_in.seen, list(&["ana@clinic.example (1)"]));
        assert_eq!(told.audit_bypass_set.seen, list(&[]));
        assert_eq!(told.audit_log_days.seen, Seen::Present(20));
        assert_eq!(told.highest_webmail_share.seen, Seen::Present(75));
        assert_eq!(told.highest_webmail_sender.seen, Seen::Present("front-desk@clinic.example".to_owned()));
    }

    #[test]
    fn roles_are_joined_with_registrations() {
        let told = logs(&[]);
        assert_eq!(told.global_administrators.seen, Seen::Present(1));
        assert_eq!(told.global_administrators_with_mail.seen, list(&["ana@clinic.example"]));
        assert_eq!(told.role_holders_without_mfa.seen.present().map(Vec::len), Some(1));
        let less = logs(&["mfa-registration.csv"]);
        assert!(less.role_holders_without_mfa.seen.present().is_none());
        let group = br##"[{"roleTemplateId":"62e90394-69f5-4237-9190-012177145e10","members":[{"@odata.type":"#microsoft.graph.group","id":"g1"}]}]"##;
        let world = World::new(Some(declared("clinic.example"))).fixture("log-clinic", &["directory-roles.json"]);
        let told = tenant(&world.file("roles.json", group), "microsoft365");
        assert!(told.global_administrators.seen.present().is_none(), "who is in the group is not known");
    }

    #[test]
    fn without_a_log_nothing_is_known_and_an_entry_that_cannot_be_told_leaves_doubt() {
        let less = logs(&["sign-ins.json", "audit-log.csv", "message-trace.csv", "directory-roles.json"]);
        for seen in [&less.old_client_sign_ins, &less.forwarding_set_up, &less.role_holders_without_mfa] {
            assert!(seen.seen.present().is_none());
        }
        assert!(less.highest_webmail_share.seen.present().is_none() && less.sign_in_log_days.seen.present().is_none());
        let strange = br#"{"createdDateTime":"2026-09-01T08:00:00Z","userPrincipalName":"ana@clinic.example","clientAppUsed":"New client","authenticationRequirement":"multiFactorAuthentication","status":{"errorCode":0}}"#;
        let world = World::new(Some(declared("clinic.example"))).fixture("log-clinic", &["sign-ins.json"]);
        let told = tenant(&world.file("s.json", strange), "microsoft365");
        // A search for one sort of entries shows nothing of the others.
        let searched = b"CreationDate,UserIds,Operations,AuditData\n2026-09-01T00:00:00,a@clinic.example,New-InboxRule,\"{\"\"Operation\"\":\"\"New-InboxRule\"\",\"\"Parameters\"\":[]}\"\n";
        let world = World::new(Some(declared("clinic.example"))).fixture("log-clinic", &["audit-log.csv"]);
        let audit = tenant(&world.file("a.csv", searched), "microsoft365");
        assert!(audit.audit_bypass_set.seen.present().is_none());
        assert!(told.old_client_sign_ins.seen.present().is_none());
        assert_eq!(told.single_factor_sign_ins.seen, list(&[]));
    }

    #[test]
    fn lists_of_google_are_told_by_user() {
        let world = World::new(Some(declared("practice.example"))).fixture("gam7", &[]);
        let told = tenant(&world, "google-workspace");
        let dan = list(&["dan@practice.example (1)"]);
        assert_eq!(told.app_passwords.seen, dan);
        assert_eq!(told.send_over_other_servers.seen, dan);
        assert_eq!(told.verified_forwarding_outside.seen, dan);
        assert_eq!(told.forwarding_outside_events.seen, dan);
        assert_eq!(told.single_factor_sign_ins.seen, dan);
        assert_eq!(told.second_factors_switched_off.seen, list(&[]));
        assert_eq!(told.global_administrators.seen, Seen::Present(1));
        assert_eq!(told.role_holders_without_mfa.seen, list(&[]));
    }
}
