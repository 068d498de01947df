//! What logs and lists say of accounts: how they were signed in to, what was set up, what was sent,
//! which roles they hold.
//!
//! A log speaks of the days it covers and of nothing else. That nothing happened is said only where
//! the log was read whole and every entry could be told; one entry is enough for the opposite.

use std::collections::{BTreeMap, BTreeSet};

mod roles;

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::Context;
use super::super::exported::{self, Class, Directory, Files};
use super::super::mailbox::inventories;
use super::super::shape::Fact;
use crate::clock::days_between;
use crate::evidence::export::{Count, Mailbox, Record, Tally};
use crate::evidence::{Answer, EvidenceId, Question, Source};
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
    /// Words of entries that show which days a log speaks of.
    known_by: &'static [&'static str],
}

const SIGN_INS: Log = Log {
    of: "sign-ins",
    formats: &["microsoft365.sign-ins"],
    what: "the sign-in log (Graph beta auditLogs/signIns as JSON, interactive and not interactive)",
    known_by: &["interactive", "not-interactive"],
};
const LOGINS: Log = Log {
    of: "sign-ins",
    formats: &["google-workspace.login-audit"],
    what: "the login audit (gam report login start -30d)",
    known_by: &["succeeded"],
};
const AUDIT: Log = Log {
    of: "audit-log",
    formats: &["microsoft365.unified-audit-log"],
    what: "the unified audit log (Search-UnifiedAuditLog with AuditData)",
    known_by: &["in-mailbox", "other-cmdlet", "other-directory"],
};
const TRACE: Log = Log {
    of: "message-trace",
    formats: &["microsoft365.message-trace"],
    what: "the message trace (Get-MessageTraceV2) beside the accepted domains, in which days begin with the year",
    known_by: &["from-outside"],
};
const APP_PASSWORDS: Log = Log {
    of: "app-passwords",
    formats: &["google-workspace.app-passwords"],
    what: "the app passwords of all users (gam all users print asps)",
    known_by: &[],
};
const FORWARDING_ADDRESSES: Log = Log {
    of: "forwarding-addresses",
    formats: &["google-workspace.forwarding-addresses"],
    what: "the forwarding addresses of all users (gam config csv_output_users_audit true all users print forwardingaddresses)",
    known_by: &[],
};
const SEND_AS: Log = Log {
    of: "send-as",
    formats: &["google-workspace.send-as"],
    what: "the addresses that users send as (gam config csv_output_users_audit true all users print sendas compact)",
    known_by: &[],
};

/// The tallies of one tenant.
pub(super) struct Activity<'s, 'e> {
    context: Context<'e>,
    provider: &'s str,
    files: Files<'e>,
    /// By what the export lists and the account; several files of one kind together.
    tallies: BTreeMap<(&'e str, &'e str), (&'e EvidenceId, Tally)>,
    /// What each file covers, by what it lists and the file.
    covers: BTreeMap<(&'e str, Place<'e>), Covers<'e>>,
    /// Files with rows of which nothing is kept, by format.
    unkept: BTreeSet<&'e str>,
    /// What lists mailboxes.
    listed: Vec<&'e Mailbox>,
    /// Mailboxes by the references they are known by.
    mailboxes: BTreeMap<&'e str, Option<&'e str>>,
    gone: Option<NotObserved>,
}

/// A file by its label, the vantage it was read at, and when: collections of other days use the same labels.
type Place<'e> = (&'e str, &'e str, Timestamp);

/// The first and the last day of a file, and the words that fit any of its entries.
#[derive(Default)]
struct Covers<'e> {
    days: Option<(Date, Date)>,
    words: BTreeSet<&'e str>,
}

/// The files with rows: format, place, bytes.
fn with_rows(context: Context<'_>) -> Vec<(Option<&str>, Place<'_>, &str)> {
    let files = context.evidence.from(Source::Export).filter_map(|(_, observation)| match &observation.answer {
        Ok(Answer::ExportFile(file)) if file.rows > 0 => {
            let place = (file.label.as_str(), observation.vantage.as_str(), observation.asked_at);
            Some((file.format.as_deref(), place, file.sha256.as_str()))
        }
        _ => None,
    });
    files.collect()
}

/// The files that another one stands for: the same bytes under another name are the same entries. Those of
/// the same name stay: of two collections that say the same only one answer is kept, be it the first's.
fn again<'e>(files: &[(Option<&str>, Place<'e>, &'e str)]) -> BTreeSet<Place<'e>> {
    let mut copies: BTreeMap<&str, BTreeSet<Place<'_>>> = BTreeMap::new();
    for (_, place, sha256) in files {
        copies.entry(sha256).or_default().insert(*place);
    }
    let others = copies.into_values().flat_map(|copies| {
        let first = copies.first().map(|(label, vantage, _)| (*label, *vantage));
        copies.into_iter().filter(move |(label, vantage, _)| first != Some((*label, *vantage)))
    });
    others.collect()
}

impl<'s, 'e> Activity<'s, 'e> {
    pub(super) fn of(context: Context<'e>, provider: &'s str) -> Self {
        let with_rows = with_rows(context);
        let again = again(&with_rows);
        let mut tallies: BTreeMap<(&str, &str), (&EvidenceId, Tally)> = BTreeMap::new();
        let mut covers: BTreeMap<(&str, Place<'_>), Covers<'_>> = BTreeMap::new();
        let mut mailboxes = Vec::new();
        for (id, observation) in context.evidence.from(Source::Export) {
            let (Ok(Answer::Record(record)), Question::ExportRecord { label, .. }) =
                (&observation.answer, &observation.question)
            else {
                continue;
            };
            match record {
                Record::Tally(tally) if tally.provider == provider => {
                    let place = (label.as_str(), observation.vantage.as_str(), observation.asked_at);
                    if again.contains(&place) {
                        continue;
                    }
                    let of_file = covers.entry((&tally.of, place)).or_default();
                    let fits = tally.counts.iter().filter(|(_, count)| count.times > 0);
                    of_file.words.extend(fits.map(|(word, _)| word.as_str()));
                    if let Some(Count { first: Some(first), last: Some(last), .. }) = tally.counts.get("all") {
                        let days = of_file.days.map_or((*first, *last), |(from, to)| (from.min(*first), to.max(*last)));
                        of_file.days = Some(days);
                    }
                    match tallies.get_mut(&(tally.of.as_str(), tally.account.as_str())) {
                        Some((_, known)) => known.add(tally),
                        None => _ = tallies.insert((&tally.of, &tally.account), (id, tally.as_ref().clone())),
                    }
                }
                Record::Mailbox(mailbox) => mailboxes.push(mailbox.as_ref()),
                _ => {}
            }
        }
        // What a later collection says alike is kept under the time of the first, so the name is enough here.
        let kept: BTreeSet<_> = covers.keys().map(|(_, (label, vantage, _))| (*label, *vantage)).collect();
        let unkept = with_rows
            .iter()
            .filter(|(_, place, _)| !kept.contains(&(place.0, place.1)) && !again.contains(place))
            .filter_map(|(format, ..)| *format)
            .collect();
        mailboxes.retain(|mailbox| mailbox.listed);
        Self {
            context,
            provider,
            files: Files::of(context),
            tallies,
            covers,
            unkept,
            mailboxes: exported::mailboxes_by_reference(mailboxes.iter().copied()),
            listed: mailboxes,
            gone: context.evidence.taken_away(Source::Export, SubjectKind::Mailbox),
        }
    }

    /// Whether a log or list was read whole, and by a version that keeps something of it.
    fn whole(&self, log: &Log) -> Result<(), NotObserved> {
        self.files.whole(log.formats, log.what)?;
        if log.formats.iter().any(|format| self.unkept.contains(format)) {
            return Err(NotObserved::not_provided(format!(
                "{}: nothing is kept of what was read, collect again",
                log.what
            )));
        }
        Ok(())
    }

    /// Whether a list speaks of every user who can sign in: GAM leaves out those of whom there is
    /// nothing to say, and those of whom it was told nothing.
    fn speaks_of_everybody(&self, log: &Log) -> Result<(), NotObserved> {
        let (formats, what) = inventories(self.provider);
        self.files.whole(formats, what)?;
        let closed = self.listed.iter().filter(|mailbox| mailbox.enabled.present() == Some(&false));
        let closed: BTreeSet<&str> = closed.map(|mailbox| mailbox.address.as_str()).collect();
        let told = |mailbox: &Mailbox| {
            mailbox.references.iter().any(|reference| self.tallies.contains_key(&(log.of, reference.as_str())))
        };
        let of_here = || self.listed.iter().filter(|mailbox| mailbox.provider == self.provider);
        // A tenant has users; a list of none was cut or refused.
        if of_here().next().is_none() {
            return Err(NotObserved::not_provided(format!("{what}: nobody is in it")));
        }
        let missing = of_here().filter(|mailbox| !closed.contains(mailbox.address.as_str()) && !told(mailbox)).count();
        match missing {
            0 => Ok(()),
            _ => Err(NotObserved::not_provided(format!("{}: {missing} listed users are not in it", log.what))),
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

    /// The mailbox's name and how often, for each account for which `counts` is not 0. `doubt` is a
    /// word that may stand for the same: an entry with it keeps an empty list from being known.
    /// `ordinary` are words of entries that a log holds which was not searched for one sort of entries
    /// alone; without them it is a list, which has to speak of everybody.
    fn accounts(&self, log: &Log, counts: impl Fn(&Tally) -> u64, doubt: &str, ordinary: &[&str]) -> Fact<Vec<String>> {
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
            if let Err(reason) = self.whole(log) {
                return Fact::new(Seen::Unknown(reason), ids);
            }
            if doubtful {
                let why = "some entries do not say enough to tell".to_owned();
                return Fact::new(Seen::Unknown(NotObserved::Unreadable { why, line: None }), ids);
            }
            if ordinary.is_empty()
                && let Err(reason) = self.speaks_of_everybody(log)
            {
                return Fact::new(Seen::Unknown(reason), ids);
            }
            if !ordinary.iter().all(|word| self.files_with(log, word).next().is_some()) {
                let what = format!("{}, not searched for one sort of entries alone", log.what);
                return Fact::new(Seen::Unknown(NotObserved::not_provided(&what)), ids);
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

    fn in_log_with(&self, log: &Log, word: &str, doubt: &str, ordinary: &[&str]) -> Fact<Vec<String>> {
        self.accounts(log, |tally| times(tally, word), doubt, ordinary)
    }

    fn in_list_with(&self, list: &Log, word: &str) -> Fact<Vec<String>> {
        self.accounts(list, |tally| times(tally, word), "", &[])
    }

    /// What the files cover that hold an entry to which this word fits.
    fn files_with<'a>(&'a self, log: &Log, word: &str) -> impl Iterator<Item = &'a Covers<'e>> {
        self.covers
            .iter()
            .filter(move |((of, _), covers)| *of == log.of && covers.words.contains(word))
            .map(|(_, covers)| covers)
    }

    /// The first and the last day of the files that hold an entry to which this word fits. Files whose days
    /// touch are one log; of several with days between them that no file covers only the last is.
    fn span(&self, log: &Log, word: &str) -> Option<(Date, Date)> {
        let mut spans: Vec<_> = self.files_with(log, word).filter_map(|covers| covers.days).collect();
        spans.sort_unstable();
        spans.into_iter().reduce(
            |(from, to), (first, last)| {
                if days_between(to, first) <= 1 { (from, to.max(last)) } else { (first, last) }
            },
        )
    }

    /// What follows from the first and the last day that the log speaks of, and from today. A log that is
    /// known by several sorts of entries speaks of the days for which each of those that it holds is there.
    fn period(&self, log: &Log, read: impl Fn(Date, Date, Date) -> i64) -> Fact<i64> {
        if let Some(reason) = &self.gone {
            return Fact::unknown(reason.clone());
        }
        let ids: Vec<_> = self.files.evidence_of(log.formats).collect();
        let Some(all) = self.span(log, "all") else {
            // An empty log may be a log of an hour.
            let empty = || NotObserved::not_provided("a log with entries: this one is empty");
            return Fact::new(Seen::Unknown(self.whole(log).err().unwrap_or_else(empty)), ids);
        };
        let spans = log.known_by.iter().filter_map(|word| self.span(log, word));
        let common = |(from, to): (Date, Date), (first, last)| (from.max(first), to.min(last));
        let (first, last) = spans.reduce(common).unwrap_or(all);
        if first > last {
            let what = format!("{}, with all sorts of entries for the same days", log.what);
            return Fact::new(Seen::Unknown(NotObserved::not_provided(&what)), ids);
        }
        Fact::present(read(first, last, self.context.today()), ids)
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

    /// How many days ago the log begins.
    pub(super) fn sign_in_log_begins(&self) -> Fact<i64> {
        self.period(self.sign_in_log(), |first, _, today| days_between(first, today))
    }

    /// Both halves of the log show such clients.
    pub(super) fn old_client_sign_ins(&self) -> Fact<Vec<String>> {
        self.in_log_with(&SIGN_INS, "old-client", "strange-client", &["interactive", "not-interactive"])
    }

    /// Which old clients were meant is told of every such sign-in, or an empty list is not known.
    pub(super) fn imap_pop_sign_ins(&self) -> Fact<Vec<String>> {
        let fact = self.in_log_with(&SIGN_INS, "imap-or-pop", "strange-client", &["interactive", "not-interactive"]);
        let told = |tally: &Tally| times(tally, "imap-or-pop") + times(tally, "other-old-client");
        let untold = self.in_log(&SIGN_INS).any(|(_, tally)| times(tally, "old-client") > told(tally));
        match &fact.seen {
            Seen::Present(found) if found.is_empty() && untold => {
                let why = "some sign-ins by old clients do not say which client it was".to_owned();
                Fact::new(Seen::Unknown(NotObserved::Unreadable { why, line: None }), fact.evidence)
            }
            _ => fact,
        }
    }

    pub(super) fn single_factor_sign_ins(&self) -> Fact<Vec<String>> {
        let ordinary = if self.provider == "google-workspace" { "succeeded" } else { "interactive" };
        self.in_log_with(self.sign_in_log(), "single-factor", "factors-not-stated", &[ordinary])
    }

    pub(super) fn forwarding_outside_events(&self) -> Fact<Vec<String>> {
        self.in_log_with(&LOGINS, "forwarding-outside", "", &["succeeded"])
    }

    pub(super) fn second_factors_switched_off(&self) -> Fact<Vec<String>> {
        self.in_log_with(&LOGINS, "second-factor-off", "", &["succeeded"])
    }

    pub(super) fn forwarding_set_up(&self) -> Fact<Vec<String>> {
        self.in_log_with(&AUDIT, "sends-on", "may-send-on", &["other-cmdlet", "in-mailbox"])
    }

    pub(super) fn programs_let_in(&self) -> Fact<Vec<String>> {
        self.in_log_with(&AUDIT, "consent", "", &["other-directory"])
    }

    pub(super) fn audit_bypass_set(&self) -> Fact<Vec<String>> {
        self.in_log_with(&AUDIT, "audit-bypass", "may-end-auditing", &["other-cmdlet"])
    }

    pub(super) fn audit_log_age(&self) -> Fact<i64> {
        self.period(&AUDIT, |_, last, today| days_between(last, today).max(0))
    }

    pub(super) fn audit_log_days(&self) -> Fact<i64> {
        self.period(&AUDIT, |first, last, _| days_between(first, last) + 1)
    }

    pub(super) fn app_passwords(&self) -> Fact<Vec<String>> {
        self.in_list_with(&APP_PASSWORDS, "app-password")
    }

    pub(super) fn send_over_other_servers(&self) -> Fact<Vec<String>> {
        self.in_list_with(&SEND_AS, "other-server")
    }

    pub(super) fn message_trace_days(&self) -> Fact<i64> {
        self.period_of_trace(|first, last, _| days_between(first, last) + 1)
    }

    pub(super) fn message_trace_age(&self) -> Fact<i64> {
        self.period_of_trace(|_, last, today| days_between(last, today).max(0))
    }

    /// Mail comes from outside every day; a search for one sender or for recipients outside holds none of it.
    /// A search for one recipient holds it as well, so that everybody was asked for is told by a collector's
    /// record or by many senders here.
    fn period_of_trace(&self, read: impl Fn(Date, Date, Date) -> i64) -> Fact<i64> {
        let fact = self.period(&TRACE, read);
        let from_outside = self.files_with(&TRACE, "from-outside").next().is_some();
        let collected = || TRACE.formats.iter().any(|format| self.files.collected(format).is_some());
        if fact.seen.present().is_some() && !(from_outside && (collected() || self.many_senders())) {
            let what = format!("{}, not searched for one sender or recipient", TRACE.what);
            return Fact::new(Seen::Unknown(NotObserved::not_provided(&what)), fact.evidence);
        }
        fact
    }

    /// Whether the message trace holds messages of at least half of the listed mailboxes.
    fn many_senders(&self) -> bool {
        let of_here = |mailbox: &&&Mailbox| mailbox.provider == self.provider;
        let listed: BTreeSet<&str> =
            self.listed.iter().filter(of_here).map(|mailbox| mailbox.address.as_str()).collect();
        let accounts = self.in_log(&TRACE).filter_map(|(_, tally)| self.mailboxes.get(tally.account.as_str()).copied());
        let senders: BTreeSet<&str> = accounts.flatten().filter(|address| listed.contains(address)).collect();
        listed.len() >= 2 && senders.len() * 2 >= listed.len()
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
        let few = || format!("a message trace with {ENOUGH} messages of one own account to other domains");
        // A sender at a domain that is not known to be own is none of those counted.
        let accepted = || {
            let what = "the accepted domains (Get-AcceptedDomain), collected together with the message trace";
            self.files.whole(&["microsoft365.accepted-domains"], what).err()
        };
        let gap = self.gone.clone().or_else(|| self.whole(&TRACE).err()).or_else(accepted);
        let seen = match (gap, most) {
            (Some(reason), _) => Err(reason),
            (None, None) => Err(NotObserved::not_provided(few())),
            (None, Some(most)) => Ok(most),
        };
        match seen {
            Err(reason) => (Fact::unknown(reason.clone()), Fact::unknown(reason)),
            Ok((share, account, id)) => (
                Fact::present(i64::try_from(share).unwrap_or(100), vec![id.clone()]),
                Fact::present(self.name(account), vec![id.clone()]),
            ),
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
            self.accounts(&FORWARDING_ADDRESSES, |tally| u64::from(outside.contains(tally.account.as_str())), "", &[]);
        match (&fact.seen, doubt) {
            (Seen::Present(found), Some(reason)) if found.is_empty() => Fact::new(Seen::Unknown(reason), fact.evidence),
            _ => fact,
        }
    }
}

fn times(tally: &Tally, word: &str) -> u64 {
    tally.counts.get(word).map_or(0, |count| count.times)
}

#[cfg(test)]
mod tests {
    use super::super::super::exported::tests::{World, context, declared};
    use super::super::{Tenant, build};
    use super::*;

    pub(super) fn tenant(world: &World, name: &str) -> Tenant {
        let evidence = world.evidence(&[]);
        build(context(&evidence)).subjects.into_iter().find(|tenant| tenant.name == name).unwrap()
    }

    pub(super) fn logs(without: &[&str]) -> Tenant {
        tenant(&World::new(Some(declared("clinic.example"))).fixture("log-clinic", without), "microsoft365")
    }

    pub(super) fn list(items: &[&str]) -> Seen<Vec<String>> {
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
        let fetched = told.imap_pop_sign_ins.seen.present().unwrap();
        assert!(fetched.iter().all(|name| old.iter().any(|known| known.split(' ').next() == name.split(' ').next())));
        assert_eq!(told.single_factor_sign_ins.seen.present().map(Vec::len), Some(2), "a renewed token is none");
        assert_eq!(told.forwarding_set_up.seen, list(&["ana@clinic.example (1)", "front-desk@clinic.example (1)"]));
        assert_eq!(told.programs_let_in.seen, list(&["ana@clinic.example (1)"]));
        assert_eq!(told.audit_bypass_set.seen, list(&[]));
        assert_eq!(told.audit_log_days.seen, Seen::Present(20));
        assert_eq!(told.highest_webmail_share.seen, Seen::Present(75));
        assert_eq!(told.highest_webmail_sender.seen, Seen::Present("front-desk@clinic.example".to_owned()));
    }

    #[test]
    fn without_a_log_nothing_is_known_and_an_entry_that_cannot_be_told_leaves_doubt() {
        let less = logs(&["sign-ins.json", "audit-log.csv", "message-trace.csv", "directory-roles.json"]);
        for seen in [&less.old_client_sign_ins, &less.forwarding_set_up, &less.role_holders_without_mfa] {
            assert!(seen.seen.present().is_none());
        }
        assert!(less.highest_webmail_share.seen.present().is_none() && less.sign_in_log_days.seen.present().is_none());
        let strange = br#"{"createdDateTime":"2026-09-01T08:00:00Z","userPrincipalName":"ana@clinic.example","clientAppUsed":"New client","authenticationRequirement":"multiFactorAuthentication","isInteractive":true,"status":{"errorCode":0}}"#;
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
    fn which_old_client_fetched_mail_is_told_or_left_in_doubt() {
        let fetched = |client: &str| {
            let entry = |client: &str, interactive: bool| {
                format!(
                    r#"{{"createdDateTime":"2026-09-01T08:00:00Z","userPrincipalName":"ana@clinic.example","clientAppUsed":"{client}","authenticationRequirement":"multiFactorAuthentication","isInteractive":{interactive},"status":{{"errorCode":0}}}}"#
                )
            };
            let log = format!("[{},{},{}]", entry("Browser", true), entry("Browser", false), entry(client, true));
            let world = World::new(Some(declared("clinic.example"))).fixture("log-clinic", &["sign-ins.json"]);
            tenant(&world.file("s.json", log.as_bytes()), "microsoft365").imap_pop_sign_ins.seen
        };
        assert_eq!(fetched("IMAP4"), list(&["ana@clinic.example (1)"]));
        assert_eq!(fetched("Exchange ActiveSync"), list(&[]));
        assert!(fetched("Other clients").present().is_none());
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

    pub(super) fn clinic(without: &[&str]) -> World {
        World::new(Some(declared("clinic.example"))).fixture("log-clinic", without)
    }

    fn sign_in(day: &str, client: &str, interactive: bool) -> String {
        format!(
            r#"{{"createdDateTime":"{day}T08:00:00Z","userPrincipalName":"ana@clinic.example","clientAppUsed":"{client}","authenticationRequirement":"multiFactorAuthentication","isInteractive":{interactive},"status":{{"errorCode":0}}}}"#
        )
    }

    #[test]
    fn nobody_uses_old_clients_only_where_both_halves_of_the_log_say_so() {
        let of = |rows: &[String]| {
            let world = clinic(&["sign-ins.json"]).file("s.json", format!("[{}]", rows.join(",")).as_bytes());
            tenant(&world, "microsoft365")
        };
        let half = of(&[sign_in("2026-09-20", "Browser", true)]);
        assert!(half.old_client_sign_ins.seen.present().is_none());
        assert_eq!(half.single_factor_sign_ins.seen, list(&[]));
        let other = of(&[sign_in("2026-09-20", "Browser", false)]);
        assert!(other.single_factor_sign_ins.seen.present().is_none(), "nobody's own sign-in is in it");
        let both = of(&[sign_in("2026-09-20", "Browser", true), sign_in("2026-09-21", "Browser", false)]);
        assert_eq!(both.old_client_sign_ins.seen, list(&[]));
    }

    #[test]
    fn the_days_of_a_log_are_those_without_a_gap_and_a_file_counts_once() {
        let file =
            |from: &str, to: &str| format!("[{},{}]", sign_in(from, "IMAP4", true), sign_in(to, "Browser", false));
        let of = |files: &[(&str, &str, &str)]| {
            let none = clinic(&["sign-ins.json"]);
            let world = files.iter().fold(none, |world, (name, from, to)| world.file(name, file(from, to).as_bytes()));
            let told = tenant(&world, "microsoft365");
            let seen = |fact: &Fact<i64>| fact.seen.present().copied().unwrap();
            (seen(&told.sign_in_log_days), seen(&told.sign_in_log_age_days), told.old_client_sign_ins.seen)
        };
        let once = list(&["ana@clinic.example (1)"]);
        let twice = list(&["ana@clinic.example (2)"]);
        let (old, new) = (("a.json", "2026-01-01", "2026-01-31"), ("b.json", "2026-09-25", "2026-09-30"));
        assert_eq!(of(&[old, new]), (6, 1, twice.clone()));
        assert_eq!(of(&[("a.json", "2026-09-01", "2026-09-24"), new]), (30, 1, twice));
        assert_eq!(of(&[new, ("copy.json", new.1, new.2)]), (6, 1, once));
    }

    #[test]
    fn logs_of_two_collections_are_told_apart_by_their_days() {
        let of = |from: &str, to: &str, rows: &str| {
            let log = format!("[{},{}]", sign_in(from, "IMAP4", true), sign_in(to, "Browser", false));
            let head = "userPrincipalName,id,userType,isAdmin,isMfaRegistered,isMfaCapable,methodsRegistered,lastUpdatedDateTime";
            let world = clinic(&["sign-ins.json", "mfa-registration.csv"]).file("s.json", log.as_bytes());
            world.file("mfa.csv", format!("{head}\n{rows}\n").as_bytes())
        };
        let old = "ana@clinic.example,u1,member,True,True,True,fido2SecurityKey,2026-01-31T00:00:00Z";
        let new = "ana@clinic.example,u1,member,True,True,True,fido2SecurityKey,2026-09-30T00:00:00Z";
        let january = of("2026-01-01", "2026-01-31", old).asked_on("2026-02-01").evidence(&[]);
        let now = of("2026-09-25", "2026-09-30", new).evidence(&[]);
        let both = crate::evidence::Evidence::join(vec![january, now]).unwrap();
        let told = build(context(&both)).subjects.into_iter().find(|tenant| tenant.name == "microsoft365").unwrap();
        assert_eq!(told.sign_in_log_days.seen, Seen::Present(6));
        assert_eq!(told.old_client_sign_ins.seen, list(&["ana@clinic.example (2)"]));
        assert_eq!(told.registration_age_days.seen, Seen::Present(243));
    }

    #[test]
    fn a_log_speaks_of_the_days_for_which_every_sort_of_its_entries_is_there() {
        let rows = |days: &[&str], interactive: bool| {
            let rows: Vec<_> = days.iter().map(|day| sign_in(day, "Browser", interactive)).collect();
            format!("[{}]", rows.join(","))
        };
        let of = |other: &[&str]| {
            let world = clinic(&["sign-ins.json"]).file("a.json", rows(&["2026-09-01", "2026-09-30"], true).as_bytes());
            let told = tenant(&world.file("b.json", rows(other, false).as_bytes()), "microsoft365");
            assert_eq!(told.old_client_sign_ins.seen, list(&[]));
            told.sign_in_log_days.seen
        };
        assert_eq!(of(&["2026-09-01", "2026-09-29"]), Seen::Present(29));
        assert_eq!(of(&["2026-09-30"]), Seen::Present(1));
        assert!(of(&["2026-01-01"]).present().is_none(), "not one day has both");

        let entry = |day: &str, operation: &str, workload: &str| {
            format!(
                "{day}T00:00:00,a@clinic.example,{operation},\"{{\"\"Operation\"\":\"\"{operation}\"\",\"\"Workload\"\":\"\"{workload}\"\"}}\"\n"
            )
        };
        let head = "CreationDate,UserIds,Operations,AuditData\n";
        let sign_ins = ["2026-09-01", "2026-09-30"].map(|day| entry(day, "UserLoggedIn", "AzureActiveDirectory"));
        let all = ["2026-09-29", "2026-09-30"].map(|day| {
            entry(day, "Set-CASMailbox", "Exchange")
                + &entry(day, "MailItemsAccessed", "Exchange")
                + &entry(day, "Update user.", "AzureActiveDirectory")
        });
        let world = clinic(&["audit-log.csv"]).file("a.csv", (head.to_owned() + &sign_ins.concat()).as_bytes());
        let told = tenant(&world.file("b.csv", (head.to_owned() + &all.concat()).as_bytes()), "microsoft365");
        assert_eq!(told.forwarding_set_up.seen, list(&[]));
        assert_eq!(told.audit_log_days.seen, Seen::Present(2));
    }

    #[test]
    fn only_entries_of_the_same_sort_show_that_the_audit_log_was_not_searched() {
        let of = |entries: &[(&str, &str)]| {
            let mut text = "CreationDate,UserIds,Operations,AuditData\n".to_owned();
            for (operation, workload) in entries {
                text.push_str(&format!(
                    "2026-09-01T00:00:00,a@clinic.example,{operation},\"{{\"\"Operation\"\":\"\"{operation}\"\",\"\"Workload\"\":\"\"{workload}\"\"}}\"\n"
                ));
            }
            let told = tenant(&clinic(&["audit-log.csv"]).file("a.csv", text.as_bytes()), "microsoft365");
            [told.forwarding_set_up, told.programs_let_in, told.audit_bypass_set]
                .map(|fact| fact.seen.present().is_some())
        };
        let (cmdlet, read) = (("Set-CASMailbox", "Exchange"), ("MailItemsAccessed", "Exchange"));
        assert_eq!(of(&[read]), [false, false, false], "reading mail shows nothing of what is set up");
        assert_eq!(of(&[cmdlet]), [false, false, true], "rules of Outlook are among what is done in mailboxes");
        assert_eq!(of(&[cmdlet, read]), [true, false, true]);
        assert_eq!(of(&[("Update user.", "AzureActiveDirectory")]), [false, true, false]);
    }

    #[test]
    fn few_messages_make_no_share() {
        let few = b"Received,SenderAddress,RecipientAddress,MessageTraceId\n2026-09-01T08:00:00Z,ana@clinic.example,x@gmail.com,m1\n";
        let told = tenant(&clinic(&["message-trace.csv"]).file("m.csv", few), "microsoft365");
        assert!(told.highest_webmail_share.seen.present().is_none());
        assert!(
            told.message_trace_days.seen.present().is_none() && told.message_trace_age_days.seen.present().is_none(),
            "it may have been searched for one sender"
        );
        let strangers = b"Received,SenderAddress,RecipientAddress,MessageTraceId\n2026-09-01T08:00:00Z,x@gmail.com,ana@clinic.example,m1\n";
        let world = clinic(&["message-trace.csv"]).file("m.csv", strangers);
        let for_one = tenant(&world, "microsoft365");
        assert!(for_one.message_trace_days.seen.present().is_none(), "it may have been searched for one recipient");
        let record = br#"{"what":"message-trace","subject":"*","ok":true,"rows":1,"why":""}"#;
        let told = tenant(&world.file("coverage.jsonl", record), "microsoft365");
        let trace = |senders: &[&str]| {
            let mut text = std::str::from_utf8(strangers).unwrap().to_owned();
            for sender in senders {
                text.push_str(&format!("2026-09-02T08:00:00Z,{sender}@clinic.example,x@gmail.com,{sender}\n"));
            }
            let mailboxes = b"PrimarySmtpAddress,ForwardingSmtpAddress\na@clinic.example,\nb@clinic.example,\nc@clinic.example,\nd@clinic.example,\n";
            let world = clinic(&["message-trace.csv", "mailboxes.csv"]).file("mailboxes.csv", mailboxes);
            tenant(&world.file("m.csv", text.as_bytes()), "microsoft365").message_trace_days.seen.present().copied()
        };
        assert_eq!((trace(&["a"]), trace(&["a", "b"]), trace(&["a", "nobody"])), (None, Some(2), None));
        assert_eq!(
            (told.message_trace_days.seen, told.message_trace_age_days.seen),
            (Seen::Present(1), Seen::Present(30)),
            "a day on which nobody here wrote is one of the log"
        );
        assert!(told.highest_webmail_share.seen.present().is_none());
        let unaccepted = logs(&["accepted-domains.csv"]);
        assert!(
            unaccepted.highest_webmail_share.seen.present().is_none(),
            "senders at other own domains are not counted"
        );
    }

    #[test]
    fn an_empty_list_of_google_speaks_of_every_user_or_is_not_known() {
        let of = |rows: &str| {
            let world = World::new(Some(declared("practice.example"))).fixture("gam7", &["asps.csv"]);
            let asps = format!("User,asps\n{rows}");
            tenant(&world.file("asps.csv", asps.as_bytes()), "google-workspace").app_passwords.seen
        };
        assert_eq!(of("cleo@practice.example,0\ndan@practice.example,0\n"), list(&[]));
        assert!(of("cleo@practice.example,0\n").present().is_none(), "dan was not asked");
        assert!(of("").present().is_none());
        let users = |rows: &str| {
            let users = format!("primaryEmail,isAdmin,isEnrolledIn2Sv,isEnforcedIn2Sv,suspended\n{rows}");
            World::new(Some(declared("practice.example"))).file("users.csv", users.as_bytes())
        };
        let addresses = b"User,forwardingEmail,verificationStatus\n";
        let alone = users("cleo@practice.example,True,True,True,False\n").file("forwardingaddresses.csv", addresses);
        let told = tenant(&alone, "google-workspace");
        assert!(told.verified_forwarding_outside.seen.present().is_none(), "cleo was not asked");
        let nobody = users("").file("asps.csv", b"User,asps\ncleo@practice.example,0\n");
        assert!(tenant(&nobody, "google-workspace").app_passwords.seen.present().is_none(), "there are users");
    }

    #[test]
    fn what_an_older_version_read_in_another_way_is_not_known() {
        let world = |reader| World::new(Some(declared("practice.example"))).fixture("gam7", &[]).read_by(reader);
        assert_eq!(tenant(&world(7), "google-workspace").second_factors_switched_off.seen, list(&[]));
        assert!(tenant(&world(5), "google-workspace").second_factors_switched_off.seen.present().is_none());
        let policy = r#"[{"id":"p","state":"enabled","conditions":{"clientAppTypes":["all"],"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}]"#;
        let known = |reader| {
            let world =
                World::new(Some(declared("clinic.example"))).fixture("set-up-clinic", &["conditional-access.json"]);
            let world = world.file("policies.json", policy.as_bytes()).read_by(reader);
            let told = tenant(&world, "microsoft365");
            let evidence = world.evidence(&[]);
            let mailboxes = super::super::super::mailbox::build(context(&evidence)).subjects;
            [
                told.mfa_policy.seen == Seen::Present("everybody".to_owned()),
                told.legacy_authentication.seen.present().is_some(),
                told.forwarding_alert.seen.present().is_some(),
                told.encrypting_rules.seen.present().is_some(),
                mailboxes.iter().any(|mailbox| mailbox.mfa_enforced.seen == Seen::Present(true)),
                mailboxes.iter().any(|mailbox| mailbox.days_without_sign_in.seen.present().is_some()),
            ]
        };
        assert_eq!((known(7), known(5)), ([true; 6], [false; 6]));
    }

    #[test]
    fn what_an_older_version_read_and_did_not_keep_is_not_known() {
        let world = World::new(Some(declared("practice.example"))).fixture("gam7", &[]).without_tallies();
        let told = tenant(&world, "google-workspace");
        for seen in [&told.app_passwords, &told.send_over_other_servers, &told.verified_forwarding_outside] {
            assert!(seen.seen.present().is_none());
        }
        assert!(told.global_administrators.seen.present().is_none());
        assert!(told.role_holders_without_mfa.seen.present().is_none());
    }
}
