//! What may be examined: parsed, validated and authorized, with every fault at its place.
//!
//! A scope is a file in the client's folder. Paths in it are relative to that folder and may not
//! leave it. What it says is turned once into [`Declared`]; nothing later reads the file again.

mod file;
mod paths;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use crate::evidence::declared::{Declared, DeclaredDomain};
use crate::files::FileError;
use crate::names::DomainName;
use crate::yaml::Located;

pub use paths::{PathError, find, inside, sha256};

/// A scope ready for collection.
#[derive(Clone, Debug)]
pub struct Scope {
    pub declared: Declared,
    /// The client's folder: every path of `declared` is relative to it.
    pub folder: PathBuf,
    pub limits: Limits,
}

/// The limits the scope sets for one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub max_connections: Option<usize>,
    pub deadline: Option<Duration>,
}

/// Why a scope cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    #[error(transparent)]
    File(#[from] FileError),
    /// One or more faults in the file, in its order.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: "))]
    Faults(Vec<Located>),
}

impl Scope {
    /// Reads and validates a scope file. `today` decides whether the authorization holds.
    pub fn read(path: &Path, today: Date) -> Result<Self, ScopeError> {
        file::read(path, today)
    }

    /// A scope of bare domains: public questions only, nothing declared.
    pub fn of_domains(domains: &[DomainName]) -> Self {
        let mut domains = domains.to_vec();
        domains.sort();
        domains.dedup();
        let domains = domains
            .into_iter()
            .map(|name| DeclaredDomain { name, sends: true, receives: true, selectors: Vec::new() })
            .collect();
        let declared = Declared {
            organization: None,
            authorization: None,
            domains,
            hosts: Vec::new(),
            portals: Vec::new(),
            partners: Vec::new(),
            vendors: Vec::new(),
            exports: Vec::new(),
            messages: Vec::new(),
            retention: None,
            volumes: Vec::new(),
            answers: None,
            registers: None,
            reports: Vec::new(),
            scope_sha256: String::new(),
        };
        Self { declared, folder: PathBuf::from("."), limits: Limits::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::declared::DeclaredMode;
    use jiff::civil::date;

    const FULL: &str = r#"schema: 1
organization: { name: Maple Street Clinic, role: covered-entity, individuals: 4200, states: [OR], sensitive: [minors, hiv] }
authorization: { granted_by: Ana Ruiz, role: Security Official, on: 2026-10-01, until: 2027-10-01, covers: [clinic.example], active_probes: false }
domains:  [{ name: clinic.example, sends: true, receives: true, selectors: [s1] }]
hosts:    [{ name: mail.clinic.example, ports: [25, 587, 993], operated_by: us }]
portals:  [https://portal.clinic.example]
partners: [{ domain: lab.example, phi: true }]
vendors:  [{ id: microsoft365, handles: content, agreement: { signed: 2024-05-01, expires: null, file: agreements/m365.pdf } }]
exports:  [exports/2026Q4]
messages: [{ path: mail/, mailbox: front-desk }]
retention: { mail_max_days: 1095, phi_mailboxes: [front-desk@clinic.example], decided: 2026-01-10, file: policies/retention.pdf }
answers: answers.yaml
registers: registers/
limits: { max_connections: 4, deadline: 20m }
volumes: [{ mailboxes: [Front-Desk@clinic.example], at_least: 100, at_most: 499 }]
"#;

    fn client_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in ["agreements", "exports/2026Q4", "mail", "policies", "registers"] {
            std::fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        crate::files::write_whole(&folder.path().join("agreements/m365.pdf"), b"signed").unwrap();
        crate::files::write_whole(&folder.path().join("answers.yaml"), b"[]").unwrap();
        folder
    }

    fn read(text: &str) -> Result<Scope, String> {
        let folder = client_folder();
        let path = folder.path().join("scope.yaml");
        crate::files::write_whole(&path, text.as_bytes()).unwrap();
        Scope::read(&path, date(2026, 11, 1)).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_of_the_contract_is_read() {
        let scope = read(FULL).unwrap();
        assert_eq!(scope.declared.organization.as_ref().unwrap().individuals, Some(4200));
        assert_eq!(scope.declared.domains[0].selectors, ["s1"]);
        assert_eq!(scope.declared.hosts[0].operated_by.as_deref(), Some("us"));
        assert_eq!(scope.limits.deadline, Some(Duration::from_secs(1200)));
        let agreement = scope.declared.vendors[0].agreement.as_ref().unwrap();
        assert!(agreement.file_sha256.is_some(), "the file is there and was hashed");
        let retention = scope.declared.retention.as_ref().unwrap();
        assert!(retention.file_sha256.is_none(), "the file is not there: declared, not evidenced");
        let sensitive = scope.declared.organization.as_ref().unwrap().sensitive.as_ref().unwrap();
        assert_eq!(sensitive.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), ["hiv", "minors"]);
        assert_eq!(scope.declared.volumes[0].mailboxes, ["front-desk@clinic.example"]);
    }

    #[test]
    fn volumes_name_each_mailbox_once_and_make_sense() {
        let twice = FULL
            .replace("at_most: 499 }]", "at_most: 9 }, { mailboxes: [front-desk@clinic.example, desk], at_most: 5 }]");
        let error = read(&twice).unwrap_err();
        for part in ["at least 100 and at most 9", "listed twice under `volumes`", "not the address"] {
            assert!(error.contains(part), "{part} is missing in:\n{error}");
        }
    }

    #[test]
    fn a_least_period_and_the_mailboxes_it_holds_for_are_stated_together() {
        let with = |more: &str| read(&FULL.replace("decided: 2026-01-10", &format!("{more}, decided: 2026-01-10")));
        let scope = with("mail_min_days: 2190, record_mailboxes: [Records@clinic.example]").unwrap();
        let retention = scope.declared.retention.unwrap();
        assert_eq!(retention.mail_min_days, Some(2190));
        assert_eq!(retention.record_mailboxes, ["records@clinic.example"]);
        for (more, part) in [
            ("mail_min_days: 2190", "no mailbox that it holds for"),
            ("record_mailboxes: [records@clinic.example]", "not how long they are kept"),
            ("mail_min_days: 0, record_mailboxes: [records@clinic.example]", "`mail_min_days` is 0"),
            ("mail_min_days: 9, record_mailboxes: [records]", "`records` is not the address"),
        ] {
            let error = with(more).unwrap_err();
            assert!(error.contains(part) && error.contains("line 11, column"), "{part} is missing in:\n{error}");
        }
    }

    #[test]
    fn unknown_and_duplicate_keys_are_located_errors() {
        let error = read(&FULL.replace("registers: registers/", "registres: registers/")).unwrap_err();
        assert!(error.contains("registres") && error.contains("line 13"), "{error}");
        let error = read(&FULL.replace("answers: answers.yaml", "schema: 1")).unwrap_err();
        assert!(error.contains("line 12"), "{error}");
    }

    #[test]
    fn all_faults_are_told_at_once_each_at_its_place() {
        let text = FULL
            .replace("name: clinic.example, sends", "name: \"cli nic\", sends")
            .replace("https://portal.clinic.example", "http://portal.clinic.example")
            .replace("exports/2026Q4", "../other-client");
        let error = read(&text).unwrap_err();
        for part in ["line 4, column", "cli nic", "line 6, column", "https://", "line 9, column", "leaves"] {
            assert!(error.contains(part), "{part} is missing in:\n{error}");
        }
    }

    #[test]
    fn an_expired_authorization_and_an_uncovered_domain_are_refused() {
        let error = read(&FULL.replace("until: 2027-10-01", "until: 2026-10-02")).unwrap_err();
        assert!(error.contains("ended on 2026-10-02"), "{error}");
        let error = read(&FULL.replace("covers: [clinic.example]", "covers: [other.example]")).unwrap_err();
        assert!(error.contains("does not cover clinic.example"), "{error}");
    }

    #[test]
    fn a_full_look_is_only_for_hosts_of_our_own() {
        let full = FULL.replace("operated_by: us }", "operated_by: us, mode: full }");
        assert_eq!(read(&full).unwrap().declared.hosts[0].mode, Some(DeclaredMode::Full));
        let error = read(&full.replace("operated_by: us, ", "")).unwrap_err();
        assert!(error.contains("operated_by: us"), "{error}");
        assert!(read(&full.replace("mode: full", "mode: deep")).is_err());
    }

    #[test]
    fn hosts_outside_every_covered_domain_need_to_be_covered_or_run_by_a_vendor() {
        let error = read(&FULL.replace("mail.clinic.example, ports", "mail.elsewhere.example, ports")).unwrap_err();
        assert!(error.contains("mail.elsewhere.example"), "{error}");
    }
}
