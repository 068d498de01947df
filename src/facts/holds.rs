//! Legal holds: those that lie on mailboxes, held against the register of those that somebody decided.
//!
//! The register names a mailbox by the keyed reference that exports have as well.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Context;
use super::exported::{self, Files};
use super::mailbox::inventories;
use super::register;
use super::shape::Fact;
use crate::catalogues::registers::{Registers, Row, text};
use crate::evidence::declared::RegisterRows;
use crate::evidence::export::{Record, UNLIMITED_DAYS};
use crate::evidence::{EvidenceId, Source};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

const GOOGLE: &str = "google-workspace";
const VAULT: (&[&str], &str) =
    (&["google-workspace.vault-holds"], "the holds of Vault (gam print vaultholds oneitemperrow)");
const INACTIVE: (&[&str], &str) = (
    &["microsoft365.inactive-mailboxes"],
    "the inactive mailboxes (Get-Mailbox -InactiveMailboxOnly -ResultSize Unlimited with LitigationHoldEnabled, LitigationHoldDuration and InPlaceHolds)",
);
const JUDGED: [&str; 2] = [GOOGLE, "microsoft365"];
const MICROSOFT: &str =
    "the holds of all mailboxes (Get-Mailbox -ResultSize Unlimited with LitigationHoldEnabled and InPlaceHolds)";

const NOT_LISTED: &str = "the mailbox of a hold among the mailboxes: inactive, deleted, or listed under another name";
const FEWER: &str = "which hold is that of the case: a mailbox of this name has fewer holds on all of its mail, and without an end, than the register has for it";
const SEVERAL: &str = "which mailbox a row of legal-holds.csv means: several have the name it gives as account";

/// What the register says and what the exports say.
pub(super) struct Holds<'e> {
    register: &'e EvidenceId,
    rows: &'e RegisterRows,
    /// The holds that were decided and are not lifted, by account.
    running: BTreeMap<&'e str, Vec<&'e str>>,
    mailboxes: Mailboxes<'e>,
}

impl<'e> Holds<'e> {
    pub(super) fn of(context: Context<'e>, provider: &str) -> Result<Self, NotObserved> {
        let definition = Registers::shipped().get("legal-holds").expect("a test reads the shipped registers");
        let (register, rows) = register::rows(context, definition)?;
        let mut running: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in rows.rows.iter().filter(|row| runs(row, context.today())) {
            running.entry(text(row, "account")).or_default().push(text(row, "hold_id"));
        }
        Ok(Self { register, rows, running, mailboxes: Mailboxes::of(context, provider)? })
    }

    /// Mailboxes on hold of which the register has no hold that runs.
    pub(super) fn unregistered(&self, provider: &str) -> Fact<Vec<String>> {
        let (mut found, mut in_doubt) = (BTreeSet::new(), self.mailboxes.more.clone());
        let mut ids = vec![self.register.clone()];
        for (name, mailbox) in &self.mailboxes.all {
            match mailbox.on_hold() {
                Some(true) => {
                    ids.push(mailbox.id.clone());
                    let mut registered =
                        mailbox.references.iter().filter(|name| self.running.contains_key(*name)).peekable();
                    if registered.peek().is_none() {
                        found.insert(name.clone());
                    } else if !registered.any(|account| self.mailboxes.with(account).nth(1).is_none()) {
                        in_doubt = in_doubt.or_else(|| Some(NotObserved::not_provided(SEVERAL)));
                    }
                }
                Some(false) => {}
                None => in_doubt = in_doubt.or_else(|| Some(not_told(provider))),
            }
        }
        ids.extend(self.mailboxes.files.iter().cloned());
        // A row that could not be read may be the one of any of them.
        if !self.rows.rejected.is_empty() && !found.is_empty() {
            return Fact::new(Seen::Unknown(rejected()), ids);
        }
        exported::named_unless(found, ids, in_doubt)
    }

    /// Holds of the register, by their ids, that run and lie on no mailbox of this tenant although the mailbox is here.
    pub(super) fn not_in_place(&self, context: Context<'_>, provider: &str) -> Fact<Vec<String>> {
        let mut elsewhere: BTreeSet<&str> = BTreeSet::new();
        for (_, record) in exported::records(context) {
            // Where no check looks at holds, a mailbox elsewhere is no answer.
            if let Record::Mailbox(mailbox) = record
                && mailbox.provider != provider
                && JUDGED.contains(&mailbox.provider.as_str())
            {
                elsewhere.extend(mailbox.references.iter().map(String::as_str));
            }
        }
        // As many cases as holds: that one of them is for this case, nobody says otherwise.
        let kept = |mailbox: &&Mailbox<'_>| {
            let holds = mailbox.references.iter().filter_map(|name| self.running.get(name));
            mailbox.keeps_for(holds.map(|holds| holds.len() as u64).sum())
        };
        let (mut found, mut in_doubt) = (BTreeSet::new(), None);
        let mut ids = vec![self.register.clone()];
        for (account, holds) in &self.running {
            let of_account: Vec<&Mailbox<'_>> = self.mailboxes.with(account).collect();
            ids.extend(of_account.iter().map(|mailbox| mailbox.id.clone()));
            let about = |what: &str| {
                let hold = holds.first().map(|hold| crate::text::visible(hold)).unwrap_or_default();
                Some(NotObserved::not_provided(format!("{what} (hold {hold})")))
            };
            if of_account.is_empty() {
                if !elsewhere.contains(account) {
                    in_doubt = about(NOT_LISTED);
                }
            } else if of_account.iter().all(|mailbox| mailbox.on_hold() == Some(false)) {
                found.extend(holds.iter().map(|hold| (*hold).to_owned()));
            } else if of_account.iter().any(|mailbox| mailbox.on_hold().is_none()) {
                in_doubt = Some(not_told(provider));
            } else if !of_account.iter().all(kept) {
                in_doubt = about(FEWER);
            }
        }
        ids.extend(self.mailboxes.files.iter().cloned());
        if !self.rows.rejected.is_empty() {
            in_doubt = Some(rejected());
        }
        exported::named_unless(found, ids, in_doubt)
    }
}

/// Whether a hold was decided and is not lifted. A day to come is not believed.
fn runs(row: &Row, today: Date) -> bool {
    let day = |column: &str| text(row, column).parse::<Date>().ok();
    day("decided").is_none_or(|decided| decided <= today) && day("lifted").is_none_or(|lifted| lifted > today)
}

fn not_told(provider: &str) -> NotObserved {
    NotObserved::not_provided(if provider == GOOGLE { VAULT.1 } else { MICROSOFT })
}

fn rejected() -> NotObserved {
    NotObserved::Unreadable { why: "rows of legal-holds.csv were rejected".to_owned(), line: None }
}

/// The mailboxes of one tenant.
struct Mailboxes<'e> {
    /// With the name each is shown by.
    all: Vec<(String, Mailbox<'e>)>,
    /// Where in `all` those are that have a name.
    by_reference: BTreeMap<&'e str, Vec<usize>>,
    /// Why there may be further mailboxes, or further holds on them.
    more: Option<NotObserved>,
    files: Vec<EvidenceId>,
}

/// A mailbox, or several that only their names are known of.
struct Mailbox<'e> {
    references: BTreeSet<&'e str>,
    /// What each list, and each mailbox of this name, says.
    said: Vec<Held>,
    id: &'e EvidenceId,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Unknown,
    No,
    /// For how many cases the holds on it may be, as far as they keep all of its mail and for good.
    For(u64),
}

impl<'e> Mailboxes<'e> {
    fn of(context: Context<'e>, provider: &str) -> Result<Self, NotObserved> {
        for kind in [SubjectKind::Mailbox, SubjectKind::Tenant] {
            if let Some(reason) = context.evidence.taken_away(Source::Export, kind) {
                return Err(reason);
            }
        }
        let files = Files::of(context);
        let (formats, what) = inventories(provider);
        let mut more = files.whole(formats, what).err();
        let mut all: BTreeMap<String, Mailbox<'_>> = BTreeMap::new();
        for (id, record) in exported::records(context) {
            let Record::Mailbox(exported) = record else { continue };
            if exported.provider != provider || !exported.listed {
                continue;
            }
            let mailbox = all.entry(exported.address.clone()).or_insert_with(|| Mailbox::new(id));
            mailbox.references.extend(exported.references.iter().map(String::as_str));
            let cases = exported.case_holds.present().copied();
            let held = match (&exported.litigation_hold, cases) {
                // It keeps everything, for whatever case, if it does so for good.
                (Seen::Present(true), _) if exported.litigation_hold_days == Seen::Present(UNLIMITED_DAYS) => {
                    Held::For(u64::MAX)
                }
                (Seen::Present(true), cases) => Held::For(cases.unwrap_or(0)),
                (_, Some(cases @ 1..)) => Held::For(cases),
                (Seen::Present(false), Some(0)) => Held::No,
                _ => Held::Unknown,
            };
            // One list has the columns, another need not.
            if held != Held::Unknown {
                mailbox.said.push(held);
                mailbox.id = id;
            }
        }
        let mut evidence: Vec<_> = files.evidence_of(formats).collect();
        if provider == GOOGLE {
            more = more.or(Self::of_vault(context, &files, &mut all));
            evidence.extend(files.evidence_of(VAULT.0));
        } else {
            more = more.or(Self::inactive(context, &files, &mut all));
            evidence.extend(files.evidence_of(INACTIVE.0));
        }
        let all: Vec<_> = all.into_iter().collect();
        let mut by_reference: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (number, (_, mailbox)) in all.iter().enumerate() {
            for name in &mailbox.references {
                by_reference.entry(name).or_default().push(number);
            }
        }
        Ok(Self { all, by_reference, more, files: evidence })
    }

    /// The mailboxes that a name may mean.
    fn with(&self, account: &str) -> impl Iterator<Item = &Mailbox<'e>> {
        self.by_reference.get(account).into_iter().flatten().map(|number| &self.all[*number].1)
    }

    /// Holds of Vault stand in a list of their own; gives back why one of them may be missing.
    fn of_vault(
        context: Context<'e>,
        files: &Files<'e>,
        all: &mut BTreeMap<String, Mailbox<'e>>,
    ) -> Option<NotObserved> {
        let (mut held, mut in_doubt) = (BTreeMap::new(), files.whole(VAULT.0, VAULT.1).err());
        for (id, record) in exported::records(context) {
            let Record::TenantSetting(setting) = record else { continue };
            if setting.provider != GOOGLE || setting.setting != "hold" {
                continue;
            }
            match (&setting.value, &setting.of) {
                (Seen::Present(word), Some(account)) if word.starts_with("held ") => {
                    let (_, holds): &mut (_, BTreeSet<&str>) =
                        held.entry(account.as_str()).or_insert_with(|| (id, BTreeSet::new()));
                    holds.insert(word);
                }
                (Seen::Present(_), _) => {}
                (Seen::Unknown(reason), _) => in_doubt = Some(reason.clone()),
                (Seen::Absent | Seen::Malformed(_), _) => in_doubt = Some(not_told(GOOGLE)),
            }
        }
        // Who left is in no list of users any more, and held all the same.
        let listed: BTreeSet<&str> = all.values().flat_map(|mailbox| mailbox.references.iter().copied()).collect();
        for (account, (id, _)) in held.iter().filter(|(account, _)| !listed.contains(*account)) {
            let gone = all.entry(format!("account-{account}")).or_insert_with(|| Mailbox::new(id));
            gone.references.insert(account);
        }
        for mailbox in all.values_mut() {
            let holds: BTreeSet<&str> = mailbox
                .references
                .iter()
                .filter_map(|name| held.get(name))
                .flat_map(|(_, holds)| holds)
                .copied()
                .collect();
            let for_all_mail = holds.iter().filter(|hold| !hold.ends_with(" partly")).count() as u64;
            mailbox.said = match (holds.is_empty(), &in_doubt) {
                (false, _) => vec![Held::For(for_all_mail)],
                (true, None) => vec![Held::No],
                (true, Some(_)) => Vec::new(),
            };
        }
        in_doubt
    }

    /// Mailboxes of people who left stand in a list of their own, where several may have one address; gives
    /// back why one of them may be missing.
    fn inactive(
        context: Context<'e>,
        files: &Files<'e>,
        all: &mut BTreeMap<String, Mailbox<'e>>,
    ) -> Option<NotObserved> {
        for (id, record) in exported::records(context) {
            let Record::TenantSetting(setting) = record else { continue };
            let Some(address) = &setting.of else { continue };
            let of_name = match setting.setting.as_str() {
                "inactive-mailbox" => false,
                "inactive-mailbox-name" => true,
                _ => continue,
            };
            let mailbox = all.entry(format!("{address} (inactive)")).or_insert_with(|| Mailbox::new(id));
            match &setting.value {
                Seen::Present(name) if of_name => _ = mailbox.references.insert(name),
                Seen::Present(word) => mailbox.said.push(match word.strip_prefix("for ") {
                    Some("all") => Held::For(u64::MAX),
                    Some(cases) => cases.parse().map_or(Held::Unknown, Held::For),
                    None => Held::No,
                }),
                Seen::Absent | Seen::Malformed(_) | Seen::Unknown(_) => mailbox.said.push(Held::Unknown),
            }
        }
        files.whole(INACTIVE.0, INACTIVE.1).err()
    }
}

impl<'e> Mailbox<'e> {
    /// One of which nothing is known yet.
    fn new(id: &'e EvidenceId) -> Self {
        Self { references: BTreeSet::new(), said: Vec::new(), id }
    }

    /// Whether any list has a hold on it.
    fn on_hold(&self) -> Option<bool> {
        if self.said.iter().any(|held| matches!(held, Held::For(_))) {
            return Some(true);
        }
        (!self.said.is_empty() && self.said.iter().all(|held| *held == Held::No)).then_some(false)
    }

    /// Whether by all lists the holds on it may be for so many cases.
    fn keeps_for(&self, cases: u64) -> bool {
        !self.said.is_empty() && self.said.iter().all(|held| matches!(held, Held::For(known) if *known >= cases))
    }
}

#[cfg(test)]
mod tests {
    use super::super::exported::tests::{World, context, declared};
    use super::*;

    const HEADER: &str = "PrimarySmtpAddress,ForwardingSmtpAddress,RecipientTypeDetails,LitigationHoldEnabled,LitigationHoldDuration,InPlaceHolds,EmailAddresses\n";

    fn world(mailboxes: &str, inactive: Option<&str>, holds: &[(&str, &str, &str)]) -> World {
        let mut scope = declared("clinic.example");
        scope.registers = Some("registers/".to_owned());
        let world =
            World::new(Some(scope)).with(registered(holds)).file("m.csv", format!("{HEADER}{mailboxes}").as_bytes());
        match inactive {
            Some(rows) => world.file("inactive.csv", format!("{INACTIVE_HEADER}{rows}").as_bytes()),
            None => world,
        }
    }

    const INACTIVE_HEADER: &str = "PrimarySmtpAddress,IsInactiveMailbox,WhenSoftDeleted,LitigationHoldEnabled,LitigationHoldDuration,InPlaceHolds\n";

    /// The register as somebody writes it: hold, account and the day it was lifted.
    fn registered(holds: &[(&str, &str, &str)]) -> crate::evidence::Observation {
        let row = |(hold, account, lifted): &(&str, &str, &str)| format!("{hold},,{account},,2026-01-01,,{lifted}\n");
        let rows: String = holds.iter().map(row).collect();
        register::tests::read("legal-holds", &format!("hold_id,case_id,account,role,decided,reviewed,lifted\n{rows}"))
    }

    type Both = (Option<Vec<String>>, Option<Vec<String>>);

    fn of(mailboxes: &str, holds: &[(&str, &str, &str)]) -> Both {
        told(&world(mailboxes, Some(""), holds), "microsoft365")
    }

    fn told(world: &World, provider: &str) -> Both {
        let evidence = world.evidence(&[]);
        let context = context(&evidence);
        let known = |fact: Fact<Vec<String>>| fact.seen.present().cloned();
        match Holds::of(context, provider) {
            Ok(holds) => (known(holds.unregistered(provider)), known(holds.not_in_place(context, provider))),
            Err(_) => (None, None),
        }
    }

    fn some(names: &[&str]) -> Option<Vec<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_hold_is_on_the_mailbox_and_in_the_register_or_it_is_found() {
        const ON: &str = "a@clinic.example,,UserMailbox,True,Unlimited,,\n";
        const OFF: &str = "a@clinic.example,,UserMailbox,False,,,\n";
        let registered = [("case-1", "a@clinic.example", "")];
        assert_eq!(of(ON, &registered), (some(&[]), some(&[])));
        assert_eq!(of(ON, &[]), (some(&["a@clinic.example"]), some(&[])));
        assert_eq!(of(OFF, &registered), (some(&[]), some(&["case-1"])));
        let lifted = [("case-1", "a@clinic.example", "2026-08-01")];
        assert_eq!(of(ON, &lifted), (some(&["a@clinic.example"]), some(&[])));
        assert_eq!(of(OFF, &lifted), (some(&[]), some(&[])));
    }

    #[test]
    fn a_retention_policy_is_no_hold_of_a_case_and_a_lost_list_is_not_none() {
        let case = "a@clinic.example,,UserMailbox,False,,UniH0b1c2d3e-0000-4000-8000-000000000001,\n";
        assert_eq!(of(case, &[]).0, some(&["a@clinic.example"]));
        let policy = "a@clinic.example,,UserMailbox,False,,mbx0b1c2d3e000040008000000000000001:2,\n";
        assert_eq!(of(policy, &[]).0, some(&[]));
        let lost = "a@clinic.example,,UserMailbox,False,,System.Collections.ArrayList,\n";
        assert_eq!(of(lost, &[("case-1", "a@clinic.example", "")]), (None, None));
    }

    #[test]
    fn one_hold_is_not_that_of_every_case() {
        let one = "a@clinic.example,,UserMailbox,False,,UniH0b1c2d3e-0000-4000-8000-000000000001,\n";
        let both = [("case-1", "a@clinic.example", ""), ("case-7", "a@clinic.example", "")];
        assert_eq!(of(one, &both[..1]), (some(&[]), some(&[])));
        assert_eq!(of(one, &both), (some(&[]), None), "which case it is for, nobody says");
        let two = one.replace(",\n", ";UniH0b1c2d3e-0000-4000-8000-000000000002,\n");
        assert_eq!(of(&two, &both), (some(&[]), some(&[])));
        assert_eq!(
            of("a@clinic.example,,UserMailbox,True,Unlimited,,\n", &both),
            (some(&[]), some(&[])),
            "it keeps everything"
        );
    }

    #[test]
    fn the_hold_of_somebody_who_left_is_seen() {
        let of = |inactive: Option<&str>, holds: &[(&str, &str, &str)]| {
            told(&world("ana@clinic.example,,UserMailbox,False,,,\n", inactive, holds), "microsoft365")
        };
        const HELD: &str = "gone@clinic.example,True,2026-02-01,True,Unlimited,\n";
        let gone = [("case-1", "gone@clinic.example", "")];
        assert_eq!(of(Some(HELD), &[]), (some(&["gone@clinic.example (inactive)"]), some(&[])));
        assert_eq!(of(Some(HELD), &gone), (some(&[]), some(&[])));
        assert_eq!(of(Some(&HELD.replace(",True,Unlimited,", ",False,,")), &gone), (some(&[]), some(&["case-1"])));
        assert_eq!(of(None, &[]), (None, some(&[])), "nobody asked for inactive mailboxes");
        // All columns of mailboxes: each row says itself that it is none that anybody uses.
        let whole = "PrimarySmtpAddress,ForwardingSmtpAddress,RecipientTypeDetails,IsInactiveMailbox,LitigationHoldEnabled,LitigationHoldDuration,InPlaceHolds\ngone@clinic.example,,UserMailbox,True,True,Unlimited,\n";
        let world = world("ana@clinic.example,,UserMailbox,False,,,\n", None, &gone).file("all.csv", whole.as_bytes());
        assert_eq!(told(&world, "microsoft365"), (None, some(&[])));
        let mailboxes = crate::facts::mailbox::build(context(&world.evidence(&[]))).subjects;
        assert_eq!(mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect::<Vec<_>>(), ["ana@clinic.example"]);
        let both = format!("{HELD}{}", HELD.replace(",True,Unlimited,", ",False,,"));
        assert_eq!(of(Some(&both), &gone), (some(&[]), None), "which of the two is meant, nobody says");
        assert_eq!(of(Some(&format!("{HELD}{HELD}")), &gone), (some(&[]), some(&[])));
    }

    #[test]
    fn a_hold_that_ends_keeps_mail_for_no_case_for_good() {
        let of = |hold: &str| {
            let row = format!("a@clinic.example,,UserMailbox,True,{hold},\n");
            of(&row, &[("case-1", "a@clinic.example", "")])
        };
        assert_eq!(of("30.00:00:00,"), (some(&[]), None));
        assert_eq!(of(","), (some(&[]), None), "how long it lasts is not said");
        let case = "UniH0b1c2d3e-0000-4000-8000-000000000001";
        assert_eq!(of(&format!("30.00:00:00,{case}")), (some(&[]), some(&[])), "that of the case has no such end");
        let inactive = "a@clinic.example,True,2026-02-01,True,30.00:00:00,\n";
        let world = world("", Some(inactive), &[("case-1", "a@clinic.example", "")]);
        assert_eq!(told(&world, "microsoft365"), (some(&[]), None));
    }

    #[test]
    fn a_name_that_two_mailboxes_have_is_answered_where_both_answer_alike() {
        let of = |active: &str, inactive: &str| {
            let names = "\"SMTP:a@clinic.example,smtp:b@clinic.example\"";
            let active = format!("a@clinic.example,,UserMailbox,{active},,{names}\n");
            let inactive = format!("b@clinic.example,True,2026-02-01,{inactive},\n");
            told(&world(&active, Some(&inactive), &[("case-1", "b@clinic.example", "")]), "microsoft365")
        };
        let (on, off) = ("True,Unlimited", "False,");
        assert_eq!(of(off, off), (some(&[]), some(&["case-1"])));
        assert_eq!(of(off, on), (None, None));
        assert_eq!(of(on, off), (None, None));
        assert_eq!(of(on, on), (None, some(&[])), "one of them may be held for nobody");
    }

    #[test]
    fn a_mailbox_that_no_check_of_holds_looks_at_is_no_answer() {
        let of = |name: &str, list: &[u8]| {
            let holds = [("case-1", "b@clinic.example", "")];
            let world = world("a@clinic.example,,UserMailbox,False,,,\n", Some(""), &holds);
            told(&world.file(name, list), "microsoft365").1
        };
        let google = b"primaryEmail,isEnrolledIn2Sv\nb@clinic.example,True\n";
        assert_eq!(of("u.csv", google), some(&[]), "the check of that tenant says it");
        let own = b"# name b@clinic.example\nobjectClass: inetOrgPerson\nobjectClass: zimbraAccount\nzimbraAccountStatus: active\nzimbraId: 1\n";
        assert_eq!(of("accounts.txt", own), None);
    }

    #[test]
    fn a_registered_mailbox_that_nobody_lists_is_not_known_to_be_free() {
        let other = "b@clinic.example,,UserMailbox,False,,,\n";
        assert_eq!(of(other, &[("case-1", "a@clinic.example", "")]), (some(&[]), None));
    }

    #[test]
    fn holds_of_vault_are_told_by_account() {
        let users = b"primaryEmail,isEnrolledIn2Sv\nana@clinic.example,True\nben@clinic.example,True\n";
        let both = |holds: &[u8], registered_holds: &[(&str, &str, &str)]| {
            let mut scope = declared("clinic.example");
            scope.registers = Some("registers/".to_owned());
            let world = World::new(Some(scope)).with(registered(registered_holds));
            told(&world.file("u.csv", users).file("h.csv", holds), GOOGLE)
        };
        let of = |holds: &[u8]| both(holds, &[]).0;
        let head = "matterId,matterName,holdId,name,updateTime,corpus,account.email\n";
        let row = |corpus: &str, email: &str| format!("{head}m,Case,h,Hold,,{corpus},{email}\n").into_bytes();
        let ben = [("case-1", "ben@clinic.example", ""), ("case-7", "ben@clinic.example", "")];
        assert_eq!(both(&row("MAIL", "ben@clinic.example"), &ben[..1]), (some(&[]), some(&[])), "by its address");
        assert_eq!(both(&row("MAIL", "ben@clinic.example"), &ben), (some(&[]), None), "one hold and two cases");
        let gone = both(&row("MAIL", "gone@clinic.example"), &[]);
        assert!(gone.0.is_some_and(|found| found.len() == 1 && found[0].starts_with("account-")), "no user any more");
        let limited = b"matterId,matterName,holdId,name,updateTime,corpus,account.email,query.mailQuery.terms\nm,Case,h,Hold,,MAIL,ben@clinic.example,from:board\n";
        assert_eq!(both(limited, &ben[..1]), (some(&[]), None), "it keeps some mail only");
        assert_eq!(of(&row("MAIL", "ben@clinic.example")), some(&["ben@clinic.example"]));
        assert_eq!(of(&row("DRIVE", "ben@clinic.example")), some(&[]));
        assert_eq!(of(&row("MAIL", "")), None, "a hold on an organizational unit");
        // An older version recognized the list and kept nothing of it.
        let mut scope = declared("clinic.example");
        scope.registers = Some("registers/".to_owned());
        let world = World::new(Some(scope)).with(registered(&[]));
        let world = world.file("u.csv", users).file("h.csv", head.as_bytes()).read_by(9);
        assert_eq!(told(&world, GOOGLE).0, None);
    }
}
