//! Reads exports of tenants and mailboxes and gives normalized records, never their free text.
//!
//! Every file ends in exactly one state and is accounted for: what was read, what was rejected,
//! what the exporter had destroyed. An empty file proves nothing. Nothing here judges, and
//! addresses outside leave as domain and keyed reference.

mod alike;
mod apps;
mod assessors;
mod bundle;
mod clixml;
mod conditional_access;
mod coverage;
mod dates;
mod decode;
pub mod dkim;
mod google_workspace;
mod grants;
mod json;
mod known_only;
mod members;
mod microsoft365;
mod own_domains;
mod reading;
mod recipient;
mod recognise;
mod retention;
mod row;
mod self_hosted;
mod settings;
mod table;
mod tallies;
#[cfg(test)]
mod tests;
mod watched;
mod words;
mod zimbra;

pub(crate) use recipient::reference;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use crate::evidence::export::{ANOTHER_TENANT, ExportFile, ExportState, Record, RejectedRow};
use crate::evidence::{Answer, Observation, Question, Source};
use crate::keyed::KeyedReference;
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::seen::Seen;

use alike::Alike;
use bundle::{Archives, Content, Entry};
use decode::Survey;
use own_domains::{OwnDomains, speaks_of_messages};
use reading::Rejections;

/// Raised when the same file would give other records.
const READER: u32 = 10;
/// A file larger than this is not read.
const FILE_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// Rejected rows that are listed; the others are counted.
const REJECTED: usize = 200;

/// Reads every file at and below `paths`; `labels` names each path in the evidence, `own` the
/// organization's domains beside those that the exports name.
///
/// One observation for each file, one for each record. Records of mailboxes, rules and the tenant
/// lie under their own subject kinds.
pub fn read(
    paths: &[PathBuf],
    labels: &[String],
    own: &BTreeSet<DomainName>,
    key: &KeyedReference,
    asked_at: Timestamp,
    vantage: &str,
) -> Vec<Observation> {
    let mut observations = Vec::new();
    read_each(paths, labels, own, key, asked_at, vantage, &mut |observation| observations.push(observation));
    observations
}

/// As [`read`], giving each observation to `take` as it comes, so that a caller who only counts
/// holds none.
pub fn read_each(
    paths: &[PathBuf],
    labels: &[String],
    own: &BTreeSet<DomainName>,
    key: &KeyedReference,
    asked_at: Timestamp,
    vantage: &str,
    take: &mut dyn FnMut(Observation),
) {
    let mut own_domains = OwnDomains::default();
    own.iter().for_each(|domain| own_domains.add(domain.clone(), false));
    let mut sources: Vec<(Archives, Vec<(bool, Entry)>)> = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        let label = labels.get(index).cloned().unwrap_or_else(|| path.display().to_string());
        let mut archives = Archives::default();
        let entries = bundle::list(path, &label).into_iter();
        let entries = entries.map(|entry| (speaks_of_messages(&entry, &mut archives), entry)).collect();
        sources.push((archives, entries));
    }
    // Whose messages a trace tells of is known when everything else was read.
    for last in [false, true] {
        for (archives, entries) in &mut sources {
            for (_, entry) in entries.iter().filter(|(of_messages, _)| *of_messages == last) {
                let mut give = |subject, question, answer| {
                    take(Observation {
                        subject,
                        source: Source::Export,
                        question,
                        asked_at,
                        took_ms: 0,
                        vantage: vantage.to_owned(),
                        answer: Ok(answer),
                    });
                };
                one_file(entry, archives, key, &mut own_domains, &mut give);
            }
        }
    }
}

/// Reads one file and gives what came of it.
fn one_file(
    entry: &Entry,
    archives: &mut Archives,
    key: &KeyedReference,
    own: &mut OwnDomains,
    give: &mut dyn FnMut(SubjectId, Question, Answer),
) {
    let of_row = |row| Question::ExportRecord { label: entry.label.clone(), row };
    let mut row_number = 0;
    let mut alike = Alike::default();
    let mut accepted = Vec::new();
    let mut records = |record: Record| {
        row_number += 1;
        if matches!(record, Record::AcceptedDomain { .. }) {
            accepted.push((row_number, record));
        } else if let Some(record) = alike.take(row_number, record) {
            give(subject_of(&record), of_row(row_number), Answer::Record(record));
        }
    };
    let mut parts = Vec::new();
    let file = match &entry.refused {
        Some(why) => ExportFile { format: stated_format(entry), ..unreadable(&entry.label, why.clone()) },
        None if entry.stated.is_manifest => manifest(entry, archives),
        None => read_entry(entry, archives, &Reading { key, own }, &mut records, &mut parts),
    };
    // A forward to the other tenant must not pass for one within.
    let told: Vec<_> = accepted.iter().filter_map(|(_, record)| OwnDomains::told_by(record)).collect();
    match own.learn(&entry.label, &told) {
        Ok(()) => {
            for (row, record) in accepted {
                give(subject_of(&record), of_row(row), Answer::Record(record));
            }
        }
        Err(first) => {
            let why = format!(
                "none of the domains that {first} accepts mail for is here: files of two tenants; hand over each tenant's in a folder of its own"
            );
            let format = Some(ANOTHER_TENANT.to_owned());
            parts.push(ExportFile { format, ..unreadable(&format!("{}#another-tenant", entry.label), why) });
        }
    }
    for (row, record) in alike.into_records() {
        give(subject_of(&record), of_row(row), Answer::Record(record));
    }
    for file in parts.into_iter().chain([file]) {
        let subject = SubjectId::new(SubjectKind::ExportFile, file.label.clone());
        give(subject, Question::ExportFile { label: file.label.clone() }, Answer::ExportFile(Box::new(file)));
    }
}

/// What rows are read with.
struct Reading<'r> {
    key: &'r KeyedReference,
    own: &'r OwnDomains,
}

/// Under which subject a record is kept.
fn subject_of(record: &Record) -> SubjectId {
    let (kind, name) = match record {
        Record::AcceptedDomain { .. } => (SubjectKind::Tenant, "microsoft365".to_owned()),
        Record::ConditionalAccess(policy) => (SubjectKind::Tenant, policy.provider.clone()),
        Record::Group(group) => (SubjectKind::Tenant, group.provider.clone()),
        Record::ForwardingRule(rule) => {
            let owner = match (&rule.mailbox, &rule.owner) {
                (Seen::Present(mailbox), _) => mailbox.clone(),
                (_, Some(owner)) => format!("owner-{owner}"),
                (_, None) => rule.origin.clone(),
            };
            (SubjectKind::ForwardingRule, format!("{owner}/{}", rule.reference))
        }
        Record::Mailbox(mailbox) if mailbox.address.is_empty() => (
            SubjectKind::Mailbox,
            mailbox.references.first().map_or_else(String::new, |first| format!("account-{first}")),
        ),
        Record::Mailbox(mailbox) => (SubjectKind::Mailbox, mailbox.address.clone()),
        Record::MailboxGrants(grants) => {
            let name = match (&grants.mailbox, &grants.owner) {
                (Seen::Present(mailbox), _) => mailbox.clone(),
                (_, Some(owner)) => format!("owner-{owner}"),
                (_, None) => String::new(),
            };
            (SubjectKind::Mailbox, name)
        }
        Record::MfaRegistration(registration) => (SubjectKind::Mailbox, registration.address.clone()),
        Record::Recipient(recipient) => (SubjectKind::Tenant, recipient.provider.clone()),
        Record::Tally(tally) => (SubjectKind::Mailbox, format!("account-{}", tally.account)),
        Record::TenantSetting(setting) => (SubjectKind::Tenant, setting.provider.clone()),
    };
    SubjectId::new(kind, name)
}

fn unreadable(label: &str, why: String) -> ExportFile {
    ExportFile {
        label: label.to_owned(),
        bytes: 0,
        sha256: String::new(),
        format: None,
        encoding: "none".to_owned(),
        rows: 0,
        rejected: vec![RejectedRow { row: 0, why }],
        rejected_rows: 0,
        lost_fields: Vec::new(),
        state: ExportState::Unreadable,
        notes: Vec::new(),
        collected: BTreeMap::new(),
        asked: BTreeMap::new(),
        collected_on: None,
        reader: READER,
    }
}

/// The bundle's own list of its files.
fn manifest(entry: &Entry, archives: &mut Archives) -> ExportFile {
    let mut file = ExportFile { format: Some("manifest".to_owned()), ..unreadable(&entry.label, String::new()) };
    file.rejected.clear();
    file.state = ExportState::Read;
    file.collected_on = entry.stated.collected_on.map(|day| (day, day));
    if let Ok(survey) = entry.content(archives).and_then(|content| decode::survey(&content, FILE_BYTES)) {
        file.bytes = survey.bytes;
        file.encoding = survey.encoding.as_str().to_owned();
        file.sha256 = survey.sha256;
    }
    file
}

/// The format that the bundle's manifest gives a file, where it is one that is known.
fn stated_format(entry: &Entry) -> Option<String> {
    entry.stated.kind.as_deref().and_then(recognise::format_named).map(str::to_owned)
}

/// Reads one file and holds against it what the bundle's manifest says of it.
fn read_entry(
    entry: &Entry,
    archives: &mut Archives,
    with: &Reading<'_>,
    records: &mut dyn FnMut(Record),
    parts: &mut Vec<ExportFile>,
) -> ExportFile {
    // What cannot be read leaves a gap in what the manifest says it is.
    let unreadable = |why| ExportFile { format: stated_format(entry), ..unreadable(&entry.label, why) };
    let content = match entry.content(archives) {
        Ok(content) => content,
        Err(error) => return unreadable(error.to_string()),
    };
    let survey = match decode::survey(&content, FILE_BYTES) {
        Ok(survey) => survey,
        Err(error) => return unreadable(error.to_string()),
    };
    if entry.stated.sha256.as_ref().is_some_and(|stated| *stated != survey.sha256) {
        let why = "its SHA-256 is another one than the manifest says: it was changed after collection".to_owned();
        return ExportFile { bytes: survey.bytes, sha256: survey.sha256, ..unreadable(why) };
    }
    let mut file = read_file(&content, survey, &entry.label, with, records, parts);
    let contradiction = match (&entry.stated.kind, &file.format) {
        (Some(stated), Some(found)) if stated != found && found.rsplit('.').next() != Some(stated) => {
            Some("the manifest says that it holds something else than its columns say".to_owned())
        }
        _ => None,
    };
    let short = entry.stated.rows.filter(|rows| *rows != file.rows && file.state == ExportState::Read);
    let short = short.map(|rows| format!("the manifest says {rows} rows, {} were read", file.rows));
    for why in contradiction.into_iter().chain(short) {
        file.state = ExportState::PartlyRead;
        file.rejected_rows += 1;
        file.rejected.insert(0, RejectedRow { row: 0, why });
    }
    file
}

/// Reads one file and gives its records.
fn read_file(
    content: &Content,
    survey: Survey,
    label: &str,
    with: &Reading<'_>,
    records: &mut dyn FnMut(Record),
    parts: &mut Vec<ExportFile>,
) -> ExportFile {
    let mut file = ExportFile {
        bytes: survey.bytes,
        sha256: survey.sha256.clone(),
        encoding: survey.encoding.as_str().to_owned(),
        ..unreadable(label, String::new())
    };
    file.rejected.clear();
    if survey.guessed {
        file.notes.push(format!("the encoding is a guess: {}", survey.encoding.as_str()));
    }
    if let Some(found) = zimbra::read(content, &survey, with.key, records) {
        file.format = Some(found.format.to_owned());
        file.rows = found.rows;
        file.state = if found.faults.is_empty() { ExportState::Read } else { ExportState::PartlyRead };
        file.rejected_rows = found.faults.len() as u64;
        file.rejected = found.faults.into_iter().map(|why| RejectedRow { row: 0, why }).collect();
        file.notes.push(zimbra::NOTE.to_owned());
        return file;
    }
    if let Some(found) = self_hosted::read(content, label, &survey, with.key) {
        file.format = Some(found.format.to_owned());
        file.rows = found.rows;
        file.state = if found.faults.is_empty() { ExportState::Read } else { ExportState::PartlyRead };
        file.rejected_rows = found.faults.len() as u64;
        file.rejected = found.faults.into_iter().map(|why| RejectedRow { row: 0, why }).collect();
        found.records.into_iter().for_each(&mut *records);
        return file;
    }
    if let Some(coverage) = coverage::read(content, &survey, label) {
        file.format = Some("coverage".to_owned());
        file.rows = coverage.rows;
        file.state = if coverage.faults == 0 { ExportState::Read } else { ExportState::PartlyRead };
        file.rejected_rows = coverage.faults;
        if coverage.faults > 0 {
            file.rejected
                .push(RejectedRow { row: 0, why: format!("{} lines are no coverage records", coverage.faults) });
        }
        for (format, (times, why)) in coverage.failed {
            let why = format!("the collector could not read it {times} times: {why}");
            // A name that is no export's speaks of no provider.
            let label = format!("{label}#{}", format.unwrap_or("unknown"));
            let refused = RejectedRow { row: 0, why };
            parts.push(ExportFile {
                format: format.map(str::to_owned),
                rows: 0,
                rejected: vec![refused],
                rejected_rows: times,
                state: ExportState::Unreadable,
                label,
                ..file.clone()
            });
        }
        file.collected_on = coverage.collected_on;
        file.collected = coverage.collected;
        file.asked = coverage.asked;
        return file;
    }
    if let Some(document) = assessors::read(content, &survey) {
        file.format = Some(document.format.to_owned());
        file.state = ExportState::Read;
        for part in document.parts {
            let part = taken_apart(part, &file, with, records);
            file.rows += part.rows;
            if part.state != ExportState::Read {
                file.state = ExportState::PartlyRead;
                file.rejected_rows += part.rejected_rows;
                file.rejected.extend(part.rejected.iter().take(REJECTED.saturating_sub(file.rejected.len())).cloned());
            }
            parts.push(part);
        }
        return file;
    }
    match reading::rows(content, &survey) {
        Ok(rows) => reading::read(rows, file, with, records),
        Err((state, why)) => {
            file.state = state;
            file.rejected.push(RejectedRow { row: 0, why });
            file
        }
    }
}

/// Reads one export inside another assessor's document.
fn taken_apart(
    part: assessors::Part,
    whole: &ExportFile,
    with: &Reading<'_>,
    records: &mut dyn FnMut(Record),
) -> ExportFile {
    let mut file = ExportFile {
        label: format!("{}#{}", whole.label, part.key),
        format: Some(part.format.as_str().to_owned()),
        notes: Vec::new(),
        ..whole.clone()
    };
    (file.rows, file.rejected_rows) = (0, 0);
    file.rejected.clear();
    let mut rejections = Rejections::default();
    if let Some(why) = part.failed {
        rejections.add(0, why);
    }
    let mut lost = BTreeSet::new();
    for row in part.rows {
        let normal = row.and_then(|row| {
            lost.extend(row.cells.iter().filter(|(_, cell)| cell.is_destroyed()).map(|(column, _)| *column));
            reading::normalized(part.format, &row, with).map_err(|why| format!("row {}: {why}", row.number))
        });
        match normal {
            Ok(found) => {
                file.rows += 1;
                found.into_iter().for_each(&mut *records);
            }
            Err(why) => rejections.add(0, why),
        }
    }
    file.lost_fields = lost.into_iter().map(str::to_owned).collect();
    file.rejected_rows = rejections.count;
    file.state = match (file.rows, rejections.count) {
        (_, 0) => ExportState::Read,
        (0, _) => ExportState::Unreadable,
        (_, _) => ExportState::PartlyRead,
    };
    file.rejected = rejections.listed;
    file
}
