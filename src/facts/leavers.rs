//! People who left, held against the accounts of the mail system.
//!
//! The register names an account by the keyed reference that exports have as well, so that nobody's
//! name is needed to see whether it can still be signed in to.

use std::collections::BTreeMap;

use super::exported::{self, Files};
use super::shape::Fact;
use super::{Context, register};
use crate::catalogues::registers::{Registers, text};
use crate::evidence::EvidenceId;
use crate::evidence::export::Record;
use crate::seen::{NotObserved, Seen};

/// The people, by their number in the register, whose last day is over and whose account in this
/// tenant can still be signed in to.
pub(super) fn with_open_account(context: Context<'_>, provider: &str) -> Fact<Vec<String>> {
    let definition = Registers::shipped().get("leavers").expect("a test reads the shipped registers");
    let (register, rows) = match register::rows(context, definition) {
        Ok(rows) => rows,
        Err(reason) => return Fact::unknown(reason),
    };
    let accounts = accounts(context, provider);
    let today = context.today();
    let gone = rows.rows.iter().filter(|row| definition.newest(row).is_some_and(|last_day| last_day < today));
    let (mut open, mut ids, mut in_doubt) = (Vec::new(), vec![register.clone()], None);
    let files = Files::of(context);
    let (formats, what) = match provider {
        "google-workspace" => (
            &["google-workspace.users-console", "google-workspace.users-gam"][..],
            "a list of all users (admin console download, or gam print users)",
        ),
        _ => (&["microsoft365.users"][..], "which accounts can be signed in to (Get-MgUser -All, AccountEnabled)"),
    };
    for row in gone {
        let account = text(row, "account");
        let person = || text(row, "person_id").to_owned();
        match accounts.get(account) {
            _ if account.is_empty() => {
                let what = format!("the account of {} in the register leavers.csv", crate::text::visible(&person()));
                in_doubt.get_or_insert(NotObserved::NotProvided { what });
            }
            Some(Said { enabled: Some(true), id }) => {
                ids.push((*id).clone());
                open.push(person());
            }
            Some(Said { enabled: Some(false), id }) => ids.push((*id).clone()),
            Some(Said { enabled: None, .. }) => {
                in_doubt.get_or_insert_with(|| NotObserved::NotProvided { what: what.to_owned() });
            }
            // Deleted, or listed by an id or an address alone that the register does not have.
            None => {
                let person = crate::text::visible(&person());
                let what = format!("the account of {person} among the users: deleted, or listed under another name");
                in_doubt.get_or_insert(NotObserved::NotProvided { what });
            }
        }
    }
    open.sort();
    ids.extend(formats.iter().flat_map(|format| files.of_format(format)).map(|(id, _)| id.clone()));
    match in_doubt {
        Some(reason) if open.is_empty() => Fact::new(Seen::Unknown(reason), ids),
        Some(_) | None => Fact::present(open, ids),
    }
}

/// What exports say of one account.
struct Said<'e> {
    /// Whether it can be signed in to; open where two of them differ.
    enabled: Option<bool>,
    id: &'e EvidenceId,
}

fn accounts<'e>(context: Context<'e>, provider: &str) -> BTreeMap<&'e str, Said<'e>> {
    let mut accounts: BTreeMap<&str, Said<'_>> = BTreeMap::new();
    for (id, record) in exported::records(context) {
        let Record::Mailbox(mailbox) = record else { continue };
        if mailbox.provider != provider {
            continue;
        }
        let enabled = mailbox.enabled.present().copied();
        for reference in &mailbox.references {
            let said = accounts.entry(reference).or_insert(Said { enabled: None, id });
            if enabled.is_some() && said.enabled != Some(true) {
                *said = Said { enabled, id };
            }
        }
    }
    accounts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{declared, evidence, observation};
    use crate::evidence::export::{ExportFile, ExportState, Mailbox};
    use crate::evidence::{Answer, Observation, Question, Source};
    use crate::names::{SubjectId, SubjectKind};

    fn account(reference: &str, enabled: Option<bool>) -> Observation {
        let mut mailbox = Mailbox::unstated("microsoft365", format!("{reference}@clinic.example"), true);
        mailbox.references = vec![reference.to_owned()];
        if let Some(enabled) = enabled {
            mailbox.enabled = Seen::Present(enabled);
        }
        let subject = SubjectId::new(SubjectKind::Mailbox, mailbox.address.clone());
        observation(subject, Source::Export, question(), Ok(Answer::Record(Record::Mailbox(Box::new(mailbox)))))
    }

    fn question() -> Question {
        Question::ExportRecord { label: "users.csv".to_owned(), row: 1 }
    }

    fn users_file() -> Observation {
        let file = ExportFile {
            label: "users.csv".to_owned(),
            bytes: 1,
            sha256: String::new(),
            format: Some("microsoft365.users".to_owned()),
            encoding: "utf-8".to_owned(),
            rows: 3,
            collected: BTreeMap::new(),
            asked: BTreeMap::new(),
            collected_on: None,
            rejected: Vec::new(),
            rejected_rows: 0,
            lost_fields: Vec::new(),
            state: ExportState::Read,
            notes: Vec::new(),
            reader: 7,
        };
        let subject = SubjectId::new(SubjectKind::ExportFile, "users.csv");
        observation(subject, Source::Export, question(), Ok(Answer::ExportFile(Box::new(file))))
    }

    fn found(leavers: &[(&str, &str, &str)], exports: Vec<Observation>) -> Fact<Vec<String>> {
        let rows: Vec<_> = leavers
            .iter()
            .map(|(person, account, last_day)| [("person_id", *person), ("account", *account), ("last_day", *last_day)])
            .collect();
        let rows: Vec<&[(&str, &str)]> = rows.iter().map(|row| &row[..]).collect();
        let mut all = vec![
            declared(|declared| declared.registers = Some("registers/".to_owned())),
            register::tests::register("leavers", &rows),
        ];
        all.extend(exports);
        let evidence = evidence(all);
        with_open_account(Context { evidence: &evidence, as_of: evidence.as_of() }, "microsoft365")
    }

    #[test]
    fn who_left_and_can_still_sign_in_is_named_by_number() {
        let leavers = [("p-1", "aa", "2026-08-01"), ("p-2", "bb", "2026-08-01"), ("p-3", "cc", "2027-01-01")];
        let accounts = || vec![account("aa", Some(true)), account("bb", Some(false)), account("cc", Some(true))];
        assert_eq!(found(&leavers, accounts()).seen, Seen::Present(vec!["p-1".to_owned()]), "the third works on");
        assert_eq!(found(&leavers[1..], accounts()).seen, Seen::Present(Vec::new()));
    }

    #[test]
    fn an_account_that_nobody_lists_may_be_listed_under_another_name() {
        let leavers = [("p-1", "aa", "2026-08-01")];
        let other = || account("bb", Some(true));
        assert!(matches!(found(&leavers, vec![other()]).seen, Seen::Unknown(_)));
        let Seen::Unknown(reason) = found(&leavers, vec![other(), users_file()]).seen else { panic!() };
        assert!(reason.to_string().contains("p-1 among the users: deleted, or listed under another name"), "{reason}");
        assert!(matches!(found(&leavers, vec![account("aa", None), users_file()]).seen, Seen::Unknown(_)));
        assert!(matches!(found(&[("p-1", "", "2026-08-01")], vec![other(), users_file()]).seen, Seen::Unknown(_)));
    }
}
