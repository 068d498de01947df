//! The clinic's papers are what the program's own readers take them for, faults included.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use jiff::civil::Date;
use tempfile::TempDir;

use super::{MailFolder, Quarter, letters, names};
use crate::catalogues::vendors::VendorCatalogue;
use crate::collect::messages::{MailFrom, MailSource, PdfReader, ScanKey, ScanOptions, Traced};
use crate::collect::{exports, messages};
use crate::evidence::export::{ExportFile, ExportState, Record, Target};
use crate::evidence::{Answer, Observation};
use crate::keyed::KeyedReference;
use crate::lab::demo;
use crate::lab::dns::Knowledge;
use crate::names::DomainName;
use crate::records::dkim::DkimVerdict;
use crate::records::dns_message::{Answers, Dnssec, Reply, Response};
use crate::records::domain::{self, DomainRecords, Given};
use crate::records::mx::MxVerdict;
use crate::scope::Scope;

fn laid_out(quarter: Quarter) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    demo::lay_out(quarter, folder.path()).unwrap();
    folder
}

fn exported(quarter: Quarter) -> Vec<Observation> {
    let folder = laid_out(quarter);
    let key = KeyedReference::new(b"a key of the test");
    let paths = [folder.path().join("exports")];
    exports::read(&paths, &["exports".to_owned()], &BTreeSet::new(), &key, quarter.as_of(), "lab")
}

fn files(observations: &[Observation]) -> BTreeMap<String, ExportFile> {
    let file = |observation: &Observation| match &observation.answer {
        Ok(Answer::ExportFile(file)) => Some((file.format.clone().unwrap_or_default(), ExportFile::clone(file))),
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
            assert_eq!(agreement, (vendor.id != "zendesk").then_some(true), "{}", vendor.id);
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

/// What DNS says of a domain, read with the program's own readers.
fn records(quarter: Quarter, domain: &str) -> DomainRecords {
    let world = Knowledge::new(names::zones(quarter), &[]).unwrap();
    let catalogue = VendorCatalogue::shipped();
    let selectors = ["s1".to_owned()];
    let given = Given {
        selectors: &selectors,
        seen: &BTreeMap::new(),
        sends: true,
        catalogue: &catalogue,
        policy: None,
        chains: &BTreeMap::new(),
        permitted: &|address| address.is_loopback(),
    };
    let domain: DomainName = domain.parse().unwrap();
    let mut answers = Answers::default();
    for _ in 0..20 {
        let read = domain::read(&domain, &given, &answers);
        if read.wanted.is_empty() {
            return read;
        }
        for question in read.wanted {
            let kind = RecordType::from_str(question.kind.as_str()).unwrap();
            let mut asked = Message::query();
            asked.metadata.authentic_data = true;
            asked.add_query(Query::query(Name::from_ascii(question.name.fully_qualified()).unwrap(), kind));
            let told = world.answer(&asked.to_vec().unwrap()).unwrap();
            let dnssec = if told.metadata.authentic_data { Dnssec::Secure } else { Dnssec::Insecure };
            let response = Response::read(&told.to_vec().unwrap(), &question).unwrap();
            answers.insert(question, Reply::Answered(Response { dnssec, ..response }), None);
        }
    }
    panic!("the questions about {domain} do not end");
}

#[test]
fn the_clinics_records_are_weak_where_planted_and_strong_elsewhere() {
    let read = records(Quarter::Second, "clinic.example");
    let notes = read.notes();
    for code in ["spf.too_many_lookups", "dmarc.p_none", "dkim.key_1024"] {
        assert!(notes.iter().any(|note| note.code == code), "{code} in {notes:?}");
    }
    assert_eq!(read.spf.lookups, 12);
    assert_eq!(read.mx.verdict, MxVerdict::Ok, "{:?}", read.mx.notes);
    assert_eq!(read.dkim.verdict, DkimVerdict::Weak);
    assert_eq!(read.dnssec, Ok(Dnssec::Secure));
    assert_eq!(read.tls_rpt.verdict.as_str(), "ok");
    let vendors: Vec<&str> = read.vendors.keys().map(String::as_str).collect();
    assert_eq!(vendors, ["mailchimp", "microsoft365", "zendesk"]);
    let third = records(Quarter::Third, "clinic.example");
    assert!(!third.notes().iter().any(|note| note.code == "dmarc.p_none"));
}

#[test]
fn the_parked_domain_is_locked() {
    let read = records(Quarter::Second, "maplestreet.example");
    assert_eq!(read.mx.verdict, MxVerdict::Null);
    assert_eq!(read.spf.verdict.as_str(), "pass");
    assert_eq!(read.dmarc.verdict.as_str(), "reject");
    assert_eq!(read.dnssec, Ok(Dnssec::Secure));
}

/// Messages likely to hold PHI by mailbox and folder, with the oldest one's day.
fn scanned(quarter: Quarter) -> BTreeMap<String, (u64, Date)> {
    let folder = laid_out(quarter);
    let source = |name: &str| MailSource {
        label: format!("mail/{name}"),
        mailbox: format!("{name}@clinic.example"),
        from: MailFrom::Path(folder.path().join("mail").join(name)),
    };
    let options = ScanOptions {
        key: ScanKey::from_secret(b"a key of the test"),
        message_key: None,
        now: quarter.as_of(),
        vantage: "lab".to_owned(),
        traced: Traced::default(),
        own_domains: Vec::new(),
        roster: None,
        pdf: PdfReader::none(),
        sample: None,
    };
    let scan = messages::scan(vec![source("front-desk"), source("scheduling")], &options);
    let folders = scan.observations.into_iter().filter_map(|observation| match observation.answer {
        Ok(Answer::ContentFolder(folder)) => {
            let likely = folder.levels.get("high").unwrap_or(&0) + folder.levels.get("medium").unwrap_or(&0);
            Some((format!("{}/{}", folder.mailbox, folder.folder), (likely, folder.oldest?)))
        }
        _ => None,
    });
    folders.collect()
}

#[test]
fn the_detector_finds_the_letters_that_were_written_to_be_found_and_no_others() {
    for quarter in Quarter::ALL {
        let found = scanned(quarter);
        for (mailbox, folder) in [("front-desk", MailFolder::FrontDesk), ("scheduling", MailFolder::Scheduling)] {
            let written = letters(folder, quarter);
            let mut about_patients = written.iter().filter(|letter| letter.phi);
            let oldest = about_patients.clone().next().unwrap().sent.date();
            let name = format!("{mailbox}@clinic.example/Inbox");
            assert_eq!(found.get(&name), Some(&(about_patients.by_ref().count() as u64, oldest)), "{found:?}");
        }
    }
}
