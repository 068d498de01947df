//! Who beside its user may open a mailbox, send in its name or look into its folders.
//!
//! Rights are known only of mailboxes that a whole export was asked about. An export that shows
//! some mailbox's own right (`SELF`) and says nothing of another did not ask about that one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::exported::{Class, Directory, Files};
use super::super::shape::Fact;
use super::super::tenant::{FULL_ACCESS, FULL_ACCESS_EXPORT};
use super::Account;
use crate::evidence::EvidenceId;
use crate::evidence::export::{Grant, MailboxGrants, Trustee};
use crate::seen::{NotObserved, Seen};

/// What each sort of rights is read from, and what to hand over.
const SORTS: [(&str, &[&str], &str); 4] = [
    ("delegate", &["google-workspace.delegates"], "the delegates of all users (gam print delegates)"),
    (
        "folder",
        &["microsoft365.folder-permissions"],
        "the folder permissions of all mailboxes (Get-MailboxFolderPermission)",
    ),
    ("mailbox", &FULL_ACCESS, FULL_ACCESS_EXPORT),
    (
        "send-as",
        &["microsoft365.recipient-permissions", "microsoft365.mailbox-permissions-extractor"],
        "who may send in the name of others (Get-EXORecipientPermission)",
    ),
];

/// What holds for the rights over all mailboxes.
#[derive(Debug)]
pub(super) struct Grants {
    sorts: BTreeMap<&'static str, Sort>,
    /// Accounts that nobody can sign in to, by each of their references.
    blocked: BTreeMap<String, String>,
    /// Whether any export says of accounts whether they can be signed in to.
    states_given: bool,
    /// The mailboxes behind those who hold a right, by keyed reference; `None` where two share it.
    holders: BTreeMap<String, Option<String>>,
}

#[derive(Debug)]
struct Sort {
    given: Result<(), NotObserved>,
    files: Vec<EvidenceId>,
    /// Why nothing follows where a mailbox has no row.
    silence: Option<NotObserved>,
}

impl Grants {
    pub(super) fn of(
        files: &Files<'_>,
        accounts: &BTreeMap<String, Account<'_>>,
        of_nobody: &[&MailboxGrants],
    ) -> Self {
        let sorts = SORTS.into_iter().map(|(of, formats, what)| {
            let all = accounts.values().flat_map(|account| &account.grants).map(|(_, grants)| *grants);
            let own_rows = all.filter(|grants| grants.of == of).any(|grants| grants.grants.is_empty());
            let stray = of_nobody.iter().any(|grants| grants.of == of && !grants.grants.is_empty());
            let silence = match (own_rows || of == "folder", stray) {
                (true, _) => Some(format!("{what}: this mailbox is not among them")),
                (false, true) => Some(format!("{what}: some rows name a mailbox that no export lists")),
                (false, false) => None,
            };
            let sort = Sort {
                given: files.whole(formats, what),
                files: files.evidence_of(formats).collect(),
                silence: silence.map(|what| NotObserved::NotProvided { what }),
            };
            (of, sort)
        });
        let sorts = sorts.collect();
        let mut blocked = BTreeMap::new();
        let mut states_given = false;
        for (address, account) in accounts {
            let states: Vec<bool> =
                account.mailboxes.iter().filter_map(|(_, mailbox)| mailbox.enabled.present().copied()).collect();
            states_given |= !states.is_empty();
            if states.is_empty() || states.contains(&true) {
                continue;
            }
            for reference in account.mailboxes.iter().flat_map(|(_, mailbox)| &mailbox.references) {
                blocked.insert(reference.clone(), address.clone());
            }
        }
        Self { sorts, blocked, states_given, holders: mailboxes_of_holders(accounts) }
    }

    /// The mailboxes whose user holds one of these rights over a mailbox, and how many others hold
    /// one: groups, accounts without a mailbox, everybody.
    pub(super) fn mailboxes_with(
        &self,
        account: &Account<'_>,
        gone: Option<&NotObserved>,
        of: &str,
        rights: Option<&[&str]>,
    ) -> (Fact<Vec<String>>, Fact<i64>) {
        let (grants, ids) = match self.said(account, gone, of) {
            Err(reason) => return (Fact::unknown(reason.clone()), Fact::unknown(reason)),
            Ok(said) => said,
        };
        let mut named = BTreeSet::new();
        let mut others: BTreeSet<&Trustee> = BTreeSet::new();
        for grant in grants {
            if rights.is_some_and(|rights| !rights.contains(&grant.right.as_str())) {
                continue;
            }
            match &grant.to {
                Trustee::Account { reference, .. } => match self.holders.get(reference).and_then(Option::as_ref) {
                    Some(mailbox) => _ = named.insert(mailbox.clone()),
                    None => _ = others.insert(&grant.to),
                },
                Trustee::Anonymous | Trustee::Everyone => _ = others.insert(&grant.to),
                // Nobody can sign in with it any more.
                Trustee::NoAccount => {}
            }
        }
        let count = i64::try_from(others.len()).unwrap_or(i64::MAX);
        (Fact::present(named.into_iter().collect(), ids.clone()), Fact::present(count, ids))
    }

    /// The grants of one sort over one mailbox, inherited ones left out.
    fn said<'a>(
        &'a self,
        account: &'a Account<'_>,
        gone: Option<&NotObserved>,
        of: &str,
    ) -> Result<(Vec<&'a Grant>, Vec<EvidenceId>), NotObserved> {
        if let Some(reason) = gone {
            return Err(reason.clone());
        }
        let sort = &self.sorts[of];
        let said: Vec<_> = account.grants.iter().filter(|(_, grants)| grants.of == of).collect();
        sort.given.clone()?;
        if let Some(reason) = said.iter().find_map(|(_, grants)| grants.incomplete.clone()) {
            return Err(reason);
        }
        match (said.is_empty(), &sort.silence) {
            (true, Some(reason)) => Err(reason.clone()),
            (true, None) => Ok((Vec::new(), sort.files.clone())),
            (false, _) => Ok((
                said.iter().flat_map(|(_, grants)| &grants.grants).filter(|grant| !grant.inherited).collect(),
                said.iter().map(|(id, _)| (*id).clone()).collect(),
            )),
        }
    }

    pub(super) fn holders(
        &self,
        account: &Account<'_>,
        gone: Option<&NotObserved>,
        of: &str,
        right: &str,
    ) -> Fact<i64> {
        match self.said(account, gone, of) {
            Err(reason) => Fact::unknown(reason),
            Ok((grants, ids)) => {
                let holders: BTreeSet<&Trustee> =
                    grants.iter().filter(|grant| grant.right == right).map(|grant| &grant.to).collect();
                Fact::present(i64::try_from(holders.len()).unwrap_or(i64::MAX), ids)
            }
        }
    }

    pub(super) fn outside(
        &self,
        account: &Account<'_>,
        gone: Option<&NotObserved>,
        directory: &Directory<'_>,
    ) -> Fact<Vec<String>> {
        let (grants, mut ids) = match self.said(account, gone, "mailbox") {
            Err(reason) => return Fact::unknown(reason),
            Ok(said) => said,
        };
        let mut outside = BTreeSet::new();
        for grant in grants {
            let Trustee::Account { target, .. } = &grant.to else { continue };
            match directory.class(target) {
                Ok((Class::External | Class::ConsumerWebmail | Class::BusinessAssociate, domain)) => {
                    outside.insert(domain.unwrap_or_else(|| "unknown domain".to_owned()));
                }
                // A group has no address in this list; it is no outsider by itself.
                Ok((Class::Internal | Class::None | Class::Unparseable | Class::Unresolved, _)) => {}
                Err(reason) => return Fact::new(Seen::Unknown(reason), ids),
            }
        }
        ids.extend(directory.evidence.iter().cloned());
        Fact::present(outside.into_iter().collect(), ids)
    }

    pub(super) fn former(&self, account: &Account<'_>, gone: Option<&NotObserved>) -> Fact<Vec<String>> {
        let (grants, ids) = match self.said(account, gone, "mailbox") {
            Err(reason) => return Fact::unknown(reason),
            Ok(said) => said,
        };
        let mut former = BTreeSet::new();
        for grant in &grants {
            match &grant.to {
                Trustee::Account { reference, .. } => former.extend(self.blocked.get(reference).cloned()),
                Trustee::NoAccount => _ = former.insert("a deleted account".to_owned()),
                Trustee::Anonymous | Trustee::Everyone => {}
            }
        }
        if former.is_empty() && !grants.is_empty() && !self.states_given {
            let what = "which accounts can be signed in to (Get-MgUser, AccountEnabled)";
            return Fact::new(Seen::not_provided(what), ids);
        }
        Fact::present(former.into_iter().collect(), ids)
    }

    pub(super) fn open_folders(&self, account: &Account<'_>, gone: Option<&NotObserved>) -> Fact<Vec<String>> {
        let (grants, ids) = match self.said(account, gone, "folder") {
            Err(reason) => return Fact::unknown(reason),
            Ok(said) => said,
        };
        let mut open = BTreeSet::new();
        for grant in grants {
            let who = match &grant.to {
                Trustee::Anonymous => "anybody without signing in",
                Trustee::Everyone => "everybody",
                Trustee::Account { .. } | Trustee::NoAccount => continue,
            };
            let folder = grant.folder.as_deref().unwrap_or("other");
            open.insert(format!("{folder}: {} ({who})", grant.right));
        }
        Fact::present(open.into_iter().collect(), ids)
    }
}

/// Only references that some right names are kept: an organization has many more accounts than
/// accounts with rights over others.
fn mailboxes_of_holders(accounts: &BTreeMap<String, Account<'_>>) -> BTreeMap<String, Option<String>> {
    let grants = accounts.values().flat_map(|account| &account.grants).flat_map(|(_, grants)| &grants.grants);
    let wanted: BTreeSet<&str> = grants
        .filter_map(|grant| match &grant.to {
            Trustee::Account { reference, .. } => Some(reference.as_str()),
            Trustee::Anonymous | Trustee::Everyone | Trustee::NoAccount => None,
        })
        .collect();
    let mut holders: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (address, account) in accounts {
        for reference in account.mailboxes.iter().flat_map(|(_, mailbox)| &mailbox.references) {
            if !wanted.contains(reference.as_str()) {
                continue;
            }
            holders
                .entry(reference.clone())
                .and_modify(|known| {
                    if known.as_ref() != Some(address) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(address.clone()));
        }
    }
    holders
}

#[cfg(test)]
mod tests {
    use super::super::super::exported::tests::{World, context, declared};
    use super::super::{Mailbox, build};
    use super::*;

    fn built(without: &[&str]) -> Vec<Mailbox> {
        let evidence = World::new(Some(declared("clinic.example"))).fixture("rights-clinic", without).evidence(&[]);
        build(context(&evidence)).subjects
    }

    fn find<'m>(mailboxes: &'m [Mailbox], name: &str) -> &'m Mailbox {
        mailboxes.iter().find(|mailbox| mailbox.name == name).expect("the mailbox is listed")
    }

    #[test]
    fn who_may_open_a_mailbox_is_told() {
        let mailboxes = built(&[]);
        let ana = find(&mailboxes, "ana@clinic.example");
        assert_eq!(ana.full_access_outside.seen, Seen::Present(vec!["elsewhere.example".to_owned()]));
        assert_eq!(ana.full_access_holders.seen, Seen::Present(1));
        assert_eq!(ana.open_folders.seen, Seen::Present(vec!["calendar: reviewer (everybody)".to_owned()]));
        let desk = find(&mailboxes, "desk@clinic.example");
        assert_eq!(
            desk.full_access_former.seen,
            Seen::Present(vec!["a deleted account".to_owned(), "old@clinic.example".to_owned()])
        );
        assert_eq!(desk.full_access_outside.seen, Seen::Present(Vec::new()));
        assert_eq!(desk.send_as_holders.seen, Seen::Present(1));
    }

    #[test]
    fn those_with_a_mailbox_of_their_own_are_named() {
        let mailboxes = built(&[]);
        let desk = find(&mailboxes, "desk@clinic.example");
        assert_eq!(
            desk.opened_by.seen,
            Seen::Present(vec!["ana@clinic.example".to_owned(), "old@clinic.example".to_owned()])
        );
        assert_eq!(desk.opened_by_others.seen, Seen::Present(0), "a deleted account opens nothing");
        assert_eq!(find(&mailboxes, "ana@clinic.example").opened_by_others.seen, Seen::Present(1), "an outsider");
        assert!(matches!(find(&mailboxes, "ben@clinic.example").opened_by.seen, Seen::Unknown(_)));
    }

    #[test]
    fn a_mailbox_that_the_export_was_not_asked_about_is_not_clean() {
        let mailboxes = built(&[]);
        let ben = find(&mailboxes, "ben@clinic.example");
        assert!(matches!(ben.full_access_holders.seen, Seen::Unknown(_)), "others have a row of their own");
        assert!(matches!(find(&mailboxes, "old@clinic.example").open_folders.seen, Seen::Unknown(_)));
        assert!(matches!(ben.delegates.seen, Seen::Unknown(_)));
        for mailbox in built(&["mailbox-permissions.csv"]) {
            assert!(matches!(mailbox.full_access_outside.seen, Seen::Unknown(_)), "{}", mailbox.name);
        }
    }
}
