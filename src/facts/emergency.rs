//! Accounts kept for an emergency: those that the policies for a second factor leave out, held against the
//! register of those that somebody decided to keep, and whether anybody looks at their sign-ins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Context;
use super::exported::{self, Files};
use super::register;
use super::shape::Fact;
use super::tenant::{CONDITIONAL_ACCESS, Policies};
use crate::catalogues::registers::{Registers, text};
use crate::evidence::export::Record;
use crate::evidence::{EvidenceId, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

const SEVERAL: &str = "which account a row of emergency-accounts.csv means: several have the name it gives";

/// The accounts of the register, and every name that exports know each of them by.
struct Kept<'e> {
    id: &'e EvidenceId,
    accounts: Vec<Account<'e>>,
    /// Why a row may mean an account that it is not taken for.
    in_doubt: Option<NotObserved>,
}

struct Account<'e> {
    name: &'e str,
    references: BTreeSet<&'e str>,
    /// Whether a list of users has it, and so the name that logs know it by.
    listed: bool,
    reviewed: Option<Date>,
}

fn kept<'e>(context: Context<'e>) -> Result<Kept<'e>, NotObserved> {
    let definition = Registers::shipped().get("emergency-accounts").expect("a test reads the shipped registers");
    let (id, rows) = register::rows(context, definition)?;
    let mut accounts: Vec<Account<'_>> = rows
        .rows
        .iter()
        .map(|row| Account {
            name: text(row, "account_id"),
            references: BTreeSet::from([text(row, "account")]),
            listed: false,
            // A review of a day to come was not made.
            reviewed: text(row, "sign_ins_reviewed").parse().ok().filter(|day| *day <= context.today()),
        })
        .collect();
    let ambiguous = ambiguous(context);
    let mut of: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (number, account) in accounts.iter().enumerate() {
        account.references.iter().for_each(|name| _ = of.entry(*name).or_default().insert(number));
    }
    let several = of.keys().any(|name| ambiguous.contains(name));
    // Twice: one list may know it by a name that only another list tells.
    for known in known_by(context).chain(known_by(context)) {
        let names = || known.references.iter().map(String::as_str).filter(|name| !ambiguous.contains(name));
        let numbers: BTreeSet<usize> = names().filter_map(|name| of.get(name)).flatten().copied().collect();
        for number in numbers {
            accounts[number].listed |= known.of_users;
            for name in names() {
                accounts[number].references.insert(name);
                of.entry(name).or_default().insert(number);
            }
        }
    }
    let rejected =
        || NotObserved::Unreadable { why: "rows of emergency-accounts.csv were rejected".to_owned(), line: None };
    let in_doubt =
        (!rows.rejected.is_empty()).then(rejected).or_else(|| several.then(|| NotObserved::not_provided(SEVERAL)));
    Ok(Kept { id, accounts, in_doubt })
}

/// Names that two accounts of one list have: nothing is joined by them.
fn ambiguous<'e>(context: Context<'e>) -> BTreeSet<&'e str> {
    let mut of: BTreeMap<(List, &str), &str> = BTreeMap::new();
    let mut several = BTreeSet::new();
    for known in known_by(context) {
        for name in known.references {
            let first = of.entry((known.list, name.as_str())).or_insert(known.address);
            if *first != known.address {
                several.insert(name.as_str());
            }
        }
    }
    several
}

/// An account that an export lists.
struct Known<'e> {
    address: &'e str,
    references: &'e [String],
    list: List<'e>,
    /// Whether the list is one of users, by the names they sign in with.
    of_users: bool,
}

/// Provider, and whether it is the list of mailboxes, of users or of second factors.
type List<'e> = (&'e str, u8);

fn known_by<'e>(context: Context<'e>) -> impl Iterator<Item = Known<'e>> {
    exported::records(context).filter_map(|(_, record)| match record {
        Record::Mailbox(account) => Some(Known {
            address: &account.address,
            references: &account.references,
            list: (&account.provider, u8::from(account.listed)),
            // A list of mailboxes may leave the names out; elsewhere the address is that name.
            of_users: account.provider != "microsoft365"
                || (!account.listed && !matches!(account.enabled, Seen::Unknown(NotObserved::NotProvided { .. }))),
        }),
        Record::MfaRegistration(account) => Some(Known {
            address: &account.address,
            references: &account.references,
            list: (&account.provider, 2),
            of_users: true,
        }),
        _ => None,
    })
}

/// How many accounts the register keeps for an emergency.
pub(super) fn registered(context: Context<'_>) -> Fact<i64> {
    match kept(context) {
        Err(reason) => Fact::unknown(reason),
        Ok(Kept { id, accounts, in_doubt: Some(reason) }) if accounts.is_empty() => {
            Fact::new(Seen::Unknown(reason), vec![id.clone()])
        }
        Ok(kept) => Fact::present(i64::try_from(kept.accounts.len()).unwrap_or(i64::MAX), vec![kept.id.clone()]),
    }
}

/// Accounts that no policy demands a second factor of, because each that demands it of everybody leaves them
/// out, and that the register does not have.
pub(super) fn unregistered_exceptions(context: Context<'_>, provider: &str) -> Fact<Vec<String>> {
    let kept = match kept(context) {
        Ok(kept) => kept,
        Err(reason) => return Fact::unknown(reason),
    };
    if let Some(reason) = context.evidence.taken_away(Source::Export, SubjectKind::Tenant) {
        return Fact::unknown(reason);
    }
    // A policy that is not here may demand it of whom these leave out.
    if let Err(reason) = Files::of(context).whole(CONDITIONAL_ACCESS.formats, CONDITIONAL_ACCESS.what) {
        return Fact::unknown(reason);
    }
    let policies = Policies::of(context, provider);
    let mut ids = vec![kept.id.clone()];
    let mut left_out = LeftOut::default();
    let mut in_doubt = None;
    for (id, policy) in &policies.all {
        match Policies::demands_from_all(policy) {
            Seen::Present(true) => {}
            Seen::Unknown(reason) => {
                in_doubt = Some(reason);
                continue;
            }
            Seen::Present(false) | Seen::Absent | Seen::Malformed(_) => continue,
        }
        ids.push((*id).clone());
        let groups = match &policy.excludes_groups {
            Seen::Present(false) | Seen::Absent => None,
            Seen::Present(true) => {
                Some(NotObserved::not_provided("the members of the groups and roles that a policy leaves out"))
            }
            Seen::Malformed(_) => Some(NotObserved::not_provided(CONDITIONAL_ACCESS.what)),
            Seen::Unknown(reason) => Some(reason.clone()),
        };
        match &policy.excluded_users {
            Seen::Present(users) => left_out.also(users.iter().map(String::as_str).collect(), groups),
            Seen::Absent => left_out.also(BTreeSet::new(), groups),
            Seen::Malformed(_) => {
                left_out.also(BTreeSet::new(), Some(NotObserved::not_provided(CONDITIONAL_ACCESS.what)))
            }
            Seen::Unknown(reason) => left_out.also(BTreeSet::new(), Some(reason.clone())),
        }
    }
    let has = |user: &str| kept.accounts.iter().any(|account| account.references.contains(user));
    let addresses: BTreeMap<&str, &str> = known_by(context)
        .flat_map(|known| known.references.iter().map(move |reference| (reference.as_str(), known.address)))
        .collect();
    let found: BTreeSet<String> = left_out
        .certainly
        .iter()
        .flatten()
        .filter(|user| !has(user))
        .map(|user| addresses.get(user).map_or_else(|| format!("account-{user}"), |address| (*address).to_owned()))
        .collect();
    if let (Some(reason), false) = (&kept.in_doubt, found.is_empty()) {
        return Fact::new(Seen::Unknown(reason.clone()), ids);
    }
    let further = left_out.perhaps(has);
    exported::named_unless(found, ids, further.or(in_doubt.filter(|_| left_out.certainly.is_none())))
}

/// Whom all policies together leave out.
#[derive(Default)]
struct LeftOut<'e> {
    /// Those whom each of them names; none where there is no such policy.
    certainly: Option<BTreeSet<&'e str>>,
    /// Those whom each policy that names all of its exceptions names.
    at_most: Option<BTreeSet<&'e str>>,
    /// Why a policy may leave out more than it names.
    open: Option<NotObserved>,
}

impl<'e> LeftOut<'e> {
    fn also(&mut self, users: BTreeSet<&'e str>, open: Option<NotObserved>) {
        let narrowed = |known: Option<BTreeSet<&'e str>>| match known {
            Some(known) => known.intersection(&users).copied().collect(),
            None => users.clone(),
        };
        match open {
            None => self.at_most = Some(narrowed(self.at_most.take())),
            Some(reason) => self.open = Some(reason),
        }
        self.certainly = Some(narrowed(self.certainly.take()));
    }

    /// Why somebody whom the register does not have may be left out as well.
    fn perhaps(&self, has: impl Fn(&str) -> bool) -> Option<NotObserved> {
        let reason = self.open.clone()?;
        match &self.at_most {
            // One policy that names its exceptions bounds those of all.
            Some(at_most) if at_most.iter().all(|user| has(user)) => None,
            Some(_) | None => Some(reason),
        }
    }
}

/// Accounts of the register, by their ids there, that somebody signed in to since their sign-ins were last looked at.
/// The log begins so many days ago.
pub(super) fn sign_ins_not_reviewed(context: Context<'_>, provider: &str, log_begins: &Fact<i64>) -> Fact<Vec<String>> {
    let kept = match kept(context) {
        Ok(kept) => kept,
        Err(reason) => return Fact::unknown(reason),
    };
    if let Some(reason) = context.evidence.taken_away(Source::Export, SubjectKind::Mailbox) {
        return Fact::unknown(reason);
    }
    let (mut found, mut ids, mut same_day) = (BTreeSet::new(), vec![kept.id.clone()], None);
    for (id, record) in exported::records(context) {
        let Record::Tally(tally) = record else { continue };
        if tally.provider != provider || tally.of != "sign-ins" {
            continue;
        }
        let Some(last) = tally.counts.get("succeeded").and_then(|count| count.last) else { continue };
        for account in kept.accounts.iter().filter(|account| account.references.contains(tally.account.as_str())) {
            ids.push(id.clone());
            if account.reviewed.is_none_or(|reviewed| reviewed < last) {
                found.insert(account.name.to_owned());
            } else if account.reviewed == Some(last) {
                let account = crate::text::visible(account.name);
                let what =
                    format!("which came first on the last day, the review of {account} or a sign-in to it: look again");
                same_day = Some(NotObserved::NotProvided { what });
            }
        }
    }
    let files = Files::of(context);
    let (formats, what): (&[&str], _) = match provider {
        "google-workspace" => (&["google-workspace.login-audit"], "the login audit (gam report login start -30d)"),
        _ => (&["microsoft365.sign-ins"], "the sign-in log (Graph beta auditLogs/signIns)"),
    };
    ids.extend(files.evidence_of(formats));
    // An account that no list of users has may have signed in under another name than the register's.
    let days_ago = |day: Date| i64::from((context.today() - day).get_days());
    let before = kept.accounts.iter().find(|account| match (account.reviewed, log_begins.seen.present()) {
        (Some(reviewed), Some(begins)) => days_ago(reviewed) > *begins,
        (Some(_), None) => false,
        (None, _) => true,
    });
    let unlogged = before.map(|account| {
        let account = crate::text::visible(account.name);
        NotObserved::not_provided(format!(
            "a sign-in log from the last review of {account} on: look now, and enter the day"
        ))
    });
    let unnamed = kept.accounts.iter().any(|account| !account.listed).then(|| {
        NotObserved::not_provided("a list of users that has every account of emergency-accounts.csv (Get-MgUser -All)")
    });
    exported::named_unless(
        found,
        ids,
        files.whole(formats, what).err().or(kept.in_doubt).or(unnamed).or(same_day).or(unlogged),
    )
}

#[cfg(test)]
mod tests {
    use super::super::exported::tests::{World, context, declared, emergency_accounts};
    use super::*;

    const USERS: &[u8] = br#"[{"id":"00000000-0000-4000-8000-00000000000a","userPrincipalName":"glass@clinic.example","accountEnabled":true,"createdDateTime":"2024-01-01T00:00:00Z"},{"id":"00000000-0000-4000-8000-00000000000b","userPrincipalName":"ben@clinic.example","accountEnabled":true,"createdDateTime":"2024-01-01T00:00:00Z"}]"#;

    fn world(accounts: &[(&str, &str, &str)]) -> World {
        let mut scope = declared("clinic.example");
        scope.registers = Some("registers/".to_owned());
        World::new(Some(scope)).with(register::tests::read("emergency-accounts", &emergency_accounts(accounts)))
    }

    fn policy(users: &[&str], groups: &[&str]) -> String {
        let list = |ids: &[&str]| ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(",");
        format!(
            r#"{{"id":"{}","state":"enabled","conditions":{{"clientAppTypes":["all"],"users":{{"includeUsers":["All"],"excludeUsers":[{}],"excludeGroups":[{}],"excludeRoles":[]}},"applications":{{"includeApplications":["All"],"excludeApplications":[]}}}},"grantControls":{{"operator":"OR","builtInControls":["mfa"]}}}}"#,
            users.len() + groups.len() * 10,
            list(users),
            list(groups)
        )
    }

    const GLASS: &str = "00000000-0000-4000-8000-00000000000a";
    const BEN: &str = "00000000-0000-4000-8000-00000000000b";

    fn exceptions(accounts: &[(&str, &str, &str)], policies: &[String]) -> Option<Vec<String>> {
        let text = format!("[{}]", policies.join(","));
        let evidence = world(accounts).file("u.json", USERS).file("ca.json", text.as_bytes()).evidence(&[]);
        unregistered_exceptions(context(&evidence), "microsoft365").seen.present().cloned()
    }

    fn some(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn who_is_left_out_and_not_registered_is_named() {
        let registered = [("glass-1", "glass@clinic.example", "")];
        assert_eq!(exceptions(&registered, &[policy(&[GLASS], &[])]), some(&[]));
        assert_eq!(exceptions(&registered, &[policy(&[GLASS, BEN], &[])]), some(&["ben@clinic.example"]));
        assert_eq!(exceptions(&[], &[policy(&[GLASS], &[])]), some(&["glass@clinic.example"]));
        let both = [policy(&[GLASS, BEN], &[]), policy(&[GLASS], &[])];
        assert_eq!(exceptions(&registered, &both), some(&[]), "another policy demands it of ben");
    }

    #[test]
    fn a_name_that_two_accounts_have_joins_nothing() {
        let mailboxes = format!(
            "PrimarySmtpAddress,ForwardingSmtpAddress,Name,ExternalDirectoryObjectId\nglass@clinic.example,,Front Desk,{GLASS}\nben@clinic.example,,Front Desk,{BEN}\n"
        );
        let of = |account: &str| {
            let text = format!("[{}]", policy(&[GLASS, BEN], &[]));
            let world = world(&[("glass-1", account, "")]).file("u.json", USERS).file("m.csv", mailboxes.as_bytes());
            let evidence = world.file("ca.json", text.as_bytes()).evidence(&[]);
            unregistered_exceptions(context(&evidence), "microsoft365").seen.present().cloned()
        };
        assert_eq!(of("glass@clinic.example"), some(&["ben@clinic.example"]));
        assert_eq!(of("Front Desk"), None, "either of them");
    }

    #[test]
    fn a_group_that_is_left_out_may_hold_anybody() {
        let registered = [("glass-1", "glass@clinic.example", "")];
        assert_eq!(exceptions(&registered, &[policy(&[GLASS], &["g"])]), None);
        assert_eq!(exceptions(&registered, &[policy(&[GLASS, "GuestsOrExternalUsers"], &[])]), None, "any guest");
        let bounded = [policy(&[GLASS], &["g"]), policy(&[GLASS], &[])];
        assert_eq!(exceptions(&registered, &bounded), some(&[]));
        assert_eq!(exceptions(&registered, &[policy(&[BEN], &["g"])]), some(&["ben@clinic.example"]));
    }

    #[test]
    fn a_sign_in_after_the_last_review_is_one_nobody_looked_at() {
        let sign_ins = br#"[{"id":"1","createdDateTime":"2026-09-20T10:00:00Z","userPrincipalName":"glass@clinic.example","clientAppUsed":"Browser","status":{"errorCode":0},"authenticationRequirement":"singleFactorAuthentication","isInteractive":true}]"#;
        let of = |reviewed: &str, log: bool| {
            let world = world(&[("glass-1", GLASS, reviewed)]).file("u.json", USERS);
            let world = if log { world.file("s.json", sign_ins) } else { world };
            let evidence = world.evidence(&[]);
            not_reviewed(&evidence)
        };
        assert_eq!(of("2026-09-01", true), some(&["glass-1"]));
        assert_eq!(of("", true), some(&["glass-1"]));
        assert_eq!(of("2026-09-21", true), some(&[]));
        assert_eq!(of("2027-09-21", true), some(&["glass-1"]), "a review of a day to come was not made");
        assert_eq!(of("2026-09-21", false), None, "no log was handed over");
        assert_eq!(of("2026-09-20", true), None, "before or after it on that day");
        // Ben signed in later, and glass not in the days of the log.
        let later = String::from_utf8_lossy(sign_ins).replace("glass@", "ben@");
        let others = |reviewed: &str, accounts: &[&str]| {
            let accounts: Vec<_> = accounts.iter().map(|name| (*name, GLASS, reviewed)).collect();
            not_reviewed(&world(&accounts).file("u.json", USERS).file("s.json", later.as_bytes()).evidence(&[]))
        };
        assert_eq!(others("2026-09-20", &["glass-1"]), some(&[]));
        assert_eq!(others("2026-09-20", &["glass-1", "glass-2"]), some(&[]), "two rows for one account");
        assert_eq!(others("2026-08-20", &["glass-1"]), None, "what was before the log, it does not tell");
        assert_eq!(others("", &["glass-1"]), None, "nobody ever looked");
        // By two names, and by none that the log has.
        let mailboxes = b"PrimarySmtpAddress,ForwardingSmtpAddress,Alias\nglass@mail.example,,glass\n";
        let evidence = world(&[("glass-1", "glass", "2026-09-21")])
            .file("m.csv", mailboxes)
            .file("s.json", sign_ins)
            .evidence(&[]);
        assert_eq!(not_reviewed(&evidence), None);
    }

    fn not_reviewed(evidence: &crate::evidence::Evidence) -> Option<Vec<String>> {
        let tenants = crate::facts::tenant::build(context(evidence)).subjects;
        let tenant = tenants.into_iter().find(|tenant| tenant.name == "microsoft365").unwrap();
        tenant.emergency_sign_ins_not_reviewed.seen.present().cloned()
    }

    #[test]
    fn a_register_of_which_no_row_can_be_read_is_not_an_empty_one() {
        let of = |accounts: &[(&str, &str, &str)]| {
            let evidence = world(accounts).file("u.json", USERS).evidence(&[]);
            registered(context(&evidence)).seen.present().copied()
        };
        assert_eq!(of(&[]), Some(0));
        assert_eq!(of(&[("glass 1", "glass@clinic.example", "")]), None);
        assert_eq!(of(&[("glass 1", "a@clinic.example", ""), ("glass-2", "b@clinic.example", "")]), Some(1));
    }
}
