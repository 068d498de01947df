//! The clinic's papers are what the program's own readers take them for, faults included.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::Quarter;
use crate::collect::exports;
use crate::evidence::export::{ExportFile, ExportState, Record, Target};
use crate::evidence::{Answer, Observation};
use crate::keyed::KeyedReference;
use crate::lab::demo;
use crate::scope::Scope;

fn laid_out(quarter: Quarter) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    demo::lay_out(quarter, folder.path()).unwrap();
    folder
}

fn exported(quarter: Quarter) -> Vec<Observation> {
    let folder = laid_out(quarter);
    let key = KeyedReference::new(b"a key of the test");
    exports::read(&[folder.path().join("exports")], &["exports".to_owned()], &key, quarter.as_of(), "lab")
}

fn files(observations: &[Observation]) -> BTreeMap<String, ExportFile> {
    let file = |observation: &Observation| match &observation.answer {
        Ok(Answer::ExportFile(file)) => Some((file.format.clone().unwrap_or_default(), file.clone())),
        _ => None,
    };
    observations.iter().filter_map(file).collect()
}

/// The outside domains that switched-on rules send mail to.
fn forwarded_to(observations: &[Observation]) -> Vec<String> {
    let mut domains: Vec<String> = observations
        .iter()
        .filter_map(|observation| match &observation.answer {
            Ok(Answer::Record(Record::ForwardingRule(rule))) if rule.enabled.present() == Some(&true) => {
                rule.targets.present()
            }
            _ => None,
        })
        .flatten()
        .filter_map(|target| match target {
            Target::Address { domain, .. } => Some(domain.clone()),
            _ => None,
        })
        .collect();
    domains.sort();
    domains
}

#[test]
fn the_scope_is_read_on_the_day_and_its_papers_are_there() {
    for quarter in Quarter::ALL {
        let folder = laid_out(quarter);
        let scope = Scope::read(&folder.path().join(demo::SCOPE), quarter.day()).unwrap();
        let retention = scope.declared.retention.unwrap();
        assert!(retention.file_sha256.is_some());
        for vendor in scope.declared.vendors {
            let agreement = vendor.agreement.map(|agreement| agreement.file_sha256.is_some());
            assert_eq!(agreement, (vendor.id != "sendgrid").then_some(true), "{}", vendor.id);
        }
    }
}

#[test]
fn every_export_is_recognised_and_read_whole() {
    for (quarter, count) in [(Quarter::Second, 9), (Quarter::Third, 8)] {
        let files = files(&exported(quarter));
        assert_eq!(files.len(), count, "{:?}", files.keys());
        for (format, file) in &files {
            assert_eq!(file.state, ExportState::Read, "{format}: {file:?}");
            assert!(file.rejected.is_empty(), "{format}");
        }
        assert!(files["microsoft365.inbox-rules"].encoding.to_ascii_lowercase().starts_with("utf-16"));
        assert_eq!(files.contains_key("microsoft365.outbound-spam"), quarter == Quarter::Second);
    }
}

#[test]
fn mail_is_forwarded_outside_by_two_rules_and_later_by_one() {
    assert_eq!(forwarded_to(&exported(Quarter::Second)), ["bookkeeper.example", "gmail.com"]);
    assert_eq!(forwarded_to(&exported(Quarter::Third)), ["bookkeeper.example"]);
}

#[test]
fn two_users_have_no_second_factor_and_later_three_and_one_of_them_administers() {
    let without = |quarter| {
        let registered = exported(quarter);
        let mut users: Vec<(String, bool)> = registered
            .iter()
            .filter_map(|observation| match &observation.answer {
                Ok(Answer::Record(Record::MfaRegistration(user))) if user.capable.present() == Some(&false) => {
                    Some((user.address.clone(), user.administrator.present() == Some(&true)))
                }
                _ => None,
            })
            .collect();
        users.sort();
        users
    };
    let user = |name: &str, administrator| (format!("{name}@clinic.example"), administrator);
    assert_eq!(without(Quarter::Second), [user("ben.cho", true), user("front-desk", false)]);
    assert_eq!(without(Quarter::Third), [user("ben.cho", true), user("front-desk", false), user("t.nguyen", false)]);
}
