//! Who holds which role, joined with mailboxes and registered methods.
//!
//! That nobody holds a role, or that each holder has a second factor, is said only of a whole list.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::exported;
use super::super::super::mailbox::{self, inventories};
use super::super::super::shape::Fact;
use super::{Activity, EVIDENCE, Log, times};
use crate::evidence::EvidenceId;
use crate::evidence::export::Record;
use crate::seen::{NotObserved, Seen};

const ROLES: Log = Log {
    of: "roles",
    formats: &["microsoft365.directory-roles"],
    what: "who holds directory roles (Graph roleManagement/directory/roleAssignments?$expand=principal)",
    known_by: &[],
};
const ADMINS: Log = Log {
    of: "roles",
    formats: &["google-workspace.admin-roles"],
    what: "who holds administrator roles (gam print admins)",
    known_by: &[],
};
impl Activity<'_, '_> {
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
                doubt = Some(NotObserved::not_provided("the members of the groups that hold a role"));
            }
        }
        ids.extend(self.files.evidence_of(list.formats));
        ids.truncate(EVIDENCE);
        // Somebody may do everything in every tenant: a list that names nobody was cut.
        let nobody = accounts
            .is_empty()
            .then(|| NotObserved::not_provided(format!("{}: nobody of this role is in it", list.what)));
        Ok(RoleHolders { accounts, ids, doubt: self.whole(list).err().or(doubt).or(nobody) })
    }

    /// How many accounts may do everything at this moment; not known where a group is among them. Who is
    /// eligible and takes the role when needed is in no list here, so there may be more.
    pub(in crate::facts::tenant) fn global_administrators(&self) -> Fact<i64> {
        match self.with_role("global-administrator") {
            Err(reason) => Fact::unknown(reason),
            Ok(RoleHolders { ids, doubt: Some(reason), .. }) => Fact::new(Seen::Unknown(reason), ids),
            Ok(RoleHolders { accounts, ids, doubt: None }) => {
                Fact::present(i64::try_from(accounts.len()).unwrap_or(i64::MAX), ids)
            }
        }
    }

    /// Accounts that may do everything and whose mailbox somebody reads mail in. That one has none is
    /// known where all mailboxes are listed and an export tells its other names.
    pub(in crate::facts::tenant) fn global_administrators_with_mail(&self) -> Fact<Vec<String>> {
        let RoleHolders { accounts, ids, mut doubt } = match self.with_role("global-administrator") {
            Err(reason) => return Fact::unknown(reason),
            Ok(found) => found,
        };
        // What else each account is called, by everything that it is called.
        let mut others: BTreeMap<&str, Vec<&Vec<String>>> = BTreeMap::new();
        for (_, record) in exported::records(self.context) {
            let names = match record {
                Record::MfaRegistration(said) if said.provider == self.provider => &said.references,
                Record::Mailbox(said) if said.provider == self.provider && !said.listed => &said.references,
                _ => continue,
            };
            names.iter().for_each(|name| others.entry(name).or_default().push(names));
        }
        let listed = || self.listed.iter().filter(|mailbox| mailbox.provider == self.provider);
        let apart = listed().any(|mailbox| !mailbox.references.iter().any(|name| others.contains_key(name.as_str())));
        let mut found = BTreeSet::new();
        for account in accounts {
            let same = others.get(account).map_or(&[][..], Vec::as_slice);
            let mut names = same.iter().flat_map(|names| names.iter().map(String::as_str)).chain([account]);
            match names.find_map(|name| self.mailboxes.get(name)) {
                Some(mailbox) => _ = found.insert(mailbox.map_or_else(|| self.name(account), str::to_owned)),
                None if same.is_empty() => {
                    doubt = doubt.or(Some(NotObserved::not_provided(
                        "the accounts of all administrators, with id and sign-in name",
                    )));
                }
                // A mailbox that is nobody's by any name may be this account's by a name that is not listed.
                None if apart => {
                    doubt = doubt
                        .or(Some(NotObserved::not_provided("the account of every mailbox, with id and sign-in name")));
                }
                None => {}
            }
        }
        let (formats, what) = inventories(self.provider);
        match doubt.or(self.files.whole(formats, what).err()) {
            Some(reason) if found.is_empty() => Fact::new(Seen::Unknown(reason), ids),
            Some(_) | None => Fact::present(found.into_iter().collect(), ids),
        }
    }

    /// Accounts that hold a role and have no second factor that the policy allows.
    pub(in crate::facts::tenant) fn role_holders_without_mfa(&self) -> Fact<Vec<String>> {
        let RoleHolders { accounts, mut ids, mut doubt } = match self.with_role("administrator") {
            Err(reason) => return Fact::unknown(reason),
            Ok(found) => found,
        };
        let mut factors: BTreeMap<&str, Seen<bool>> = BTreeMap::new();
        for (_, record) in exported::records(self.context) {
            let (references, factor) = match record {
                Record::MfaRegistration(said) if said.provider == self.provider => {
                    (&said.references, mailbox::registered(said))
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
                    doubt =
                        Some(NotObserved::not_provided("the registered methods of every account that holds a role"));
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
}

/// The accounts that hold a role, and why there may be more.
struct RoleHolders<'a> {
    accounts: BTreeSet<&'a str>,
    ids: Vec<EvidenceId>,
    doubt: Option<NotObserved>,
}

#[cfg(test)]
mod tests {
    use super::super::super::super::exported::tests::{World, declared};
    use super::super::tests::{clinic, list, logs, tenant};
    use super::*;

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
    fn a_list_of_roles_that_names_nobody_who_may_do_everything_was_cut() {
        let roles = br##"[{"roleTemplateId":"29232cdf-9323-42fd-ade2-1d097af3e4de","members":[{"@odata.type":"#microsoft.graph.user","id":"u9","userPrincipalName":"admin@clinic.example"}]}]"##;
        let told = tenant(&clinic(&["directory-roles.json"]).file("roles.json", roles), "microsoft365");
        assert!(told.global_administrators.seen.present().is_none());
        assert!(told.global_administrators_with_mail.seen.present().is_none());
        assert_eq!(told.role_holders_without_mfa.seen.present().map(Vec::len), Some(1));
    }

    #[test]
    fn that_an_administrator_has_no_mailbox_is_known_from_all_mailboxes_and_all_names() {
        let roles = |name: &str| {
            format!(
                r##"[{{"roleTemplateId":"62e90394-69f5-4237-9190-012177145e10","members":[{{"@odata.type":"#microsoft.graph.user","userPrincipalName":"{name}"}}]}}]"##
            )
        };
        let desk = b"userPrincipalName,id,userType,isAdmin,isMfaRegistered,isMfaCapable,methodsRegistered\nfront-desk@clinic.example,u2,member,False,False,False,\n";
        let of = |name: &str, without: &[&str]| {
            let without: Vec<&str> = without.iter().copied().chain(["directory-roles.json"]).collect();
            let world = clinic(&without).file("roles.json", roles(name).as_bytes());
            tenant(&world.file("desk.csv", desk), "microsoft365").global_administrators_with_mail.seen
        };
        assert_eq!(of("admin@clinic.example", &[]), list(&[]));
        assert!(of("admin@clinic.example", &["mfa-registration.csv"]).present().is_none(), "it may be an alias");
        assert!(of("admin@clinic.example", &["mailboxes.csv"]).present().is_none());
        // A list of addresses alone does not tell whose mailbox is whose.
        let addresses = b"PrimarySmtpAddress,ImapEnabled,PopEnabled\nboss@clinic.example,True,True\n";
        let world = clinic(&["mailboxes.csv", "directory-roles.json"]).file("cas.csv", addresses);
        let told = tenant(&world.file("roles.json", roles("admin@clinic.example").as_bytes()), "microsoft365");
        assert!(told.global_administrators_with_mail.seen.present().is_none());
        let renamed = b"userPrincipalName,id,userType,isAdmin,isMfaRegistered,isMfaCapable,methodsRegistered\nana@tenant.example,u1,member,True,True,True,fido2SecurityKey\n";
        let world = clinic(&["directory-roles.json", "mfa-registration.csv"]).file("mfa.csv", renamed);
        let told = tenant(&world.file("roles.json", roles("ana@tenant.example").as_bytes()), "microsoft365");
        assert_eq!(told.global_administrators_with_mail.seen, list(&["ana@clinic.example"]), "joined by id");
    }
}
