//! The scope file as a person writes it, and its translation into what is declared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Limits, Scope, ScopeError, inside, sha256};
use crate::evidence::declared::{
    Agreement, Authorization, Declared, DeclaredDomain, DeclaredHost, DeclaredMessages, DeclaredMode, DeclaredPartner,
    DeclaredRetention, DeclaredVendor, DeclaredVolume, Handles, Organization, Role, SensitiveKind,
};
use crate::evidence::hex;
use crate::files;
use crate::names::DomainName;
use crate::yaml::{self, Located, Spanned};

/// A scope is written by hand; more than this is not one.
const SCOPE_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeFile {
    schema: Spanned<u32>,
    organization: OrganizationFile,
    authorization: Option<AuthorizationFile>,
    #[serde(default)]
    domains: Vec<DomainFile>,
    #[serde(default)]
    hosts: Vec<HostFile>,
    #[serde(default)]
    portals: Vec<Spanned<String>>,
    #[serde(default)]
    partners: Vec<PartnerFile>,
    #[serde(default)]
    vendors: Vec<VendorFile>,
    #[serde(default)]
    exports: Vec<Spanned<String>>,
    #[serde(default)]
    messages: Vec<MessagesFile>,
    retention: Option<RetentionFile>,
    #[serde(default)]
    volumes: Vec<VolumeFile>,
    answers: Option<Spanned<String>>,
    registers: Option<Spanned<String>>,
    #[serde(default)]
    reports: Vec<Spanned<String>>,
    #[serde(default)]
    limits: LimitsFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrganizationFile {
    name: Spanned<String>,
    role: Role,
    individuals: Option<u64>,
    #[serde(default)]
    states: Vec<Spanned<String>>,
    sensitive: Option<Vec<SensitiveKind>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorizationFile {
    granted_by: String,
    role: String,
    on: Spanned<String>,
    until: Spanned<String>,
    covers: Vec<Spanned<String>>,
    #[serde(default)]
    active_probes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DomainFile {
    name: Spanned<String>,
    #[serde(default = "yes")]
    sends: bool,
    #[serde(default = "yes")]
    receives: bool,
    #[serde(default)]
    selectors: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostFile {
    name: Spanned<String>,
    ports: Vec<Spanned<u16>>,
    operated_by: Option<String>,
    mode: Option<Spanned<DeclaredMode>>,
    #[serde(default)]
    removes_foreign_results: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartnerFile {
    domain: Spanned<String>,
    #[serde(default)]
    phi: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    id: Spanned<String>,
    handles: Option<Handles>,
    agreement: Option<AgreementFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementFile {
    signed: Spanned<String>,
    expires: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagesFile {
    path: Spanned<String>,
    mailbox: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionFile {
    mail_max_days: Option<u32>,
    #[serde(default)]
    phi_mailboxes: Vec<Spanned<String>>,
    mail_min_days: Option<Spanned<u32>>,
    #[serde(default)]
    record_mailboxes: Vec<Spanned<String>>,
    decided: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VolumeFile {
    mailboxes: Vec<Spanned<String>>,
    #[serde(default)]
    at_least: u64,
    at_most: Spanned<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    max_connections: Option<Spanned<usize>>,
    deadline: Option<Spanned<String>>,
}

const fn yes() -> bool {
    true
}

/// Collects faults instead of stopping at the first.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    folder: &'a Path,
    faults: Vec<Located>,
}

impl Reader<'_> {
    fn fault<T>(&mut self, at: &Spanned<T>, what: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Located::at_value(self.path, self.text, at, what, help));
    }

    fn domain(&mut self, written: &Spanned<String>) -> Option<DomainName> {
        match written.value.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                self.fault(written, format!("{error}"), "write it as in DNS, for example clinic.example");
                None
            }
        }
    }

    fn date(&mut self, written: &Spanned<String>) -> Option<Date> {
        match written.value.parse() {
            Ok(date) => Some(date),
            Err(_) => {
                self.fault(written, format!("`{}` is not a date", written.value), "write it as 2026-10-01");
                None
            }
        }
    }

    /// The path as written, if it stays inside the folder.
    fn path(&mut self, written: &Spanned<String>) -> Option<String> {
        match inside(self.folder, &written.value) {
            Ok(_) => Some(written.value.clone()),
            Err(error) => {
                self.fault(written, error.to_string(), "put the file below the scope's folder and name it from there");
                None
            }
        }
    }

    /// The path, which must exist: what is named and missing is a mistake, not a gap.
    fn existing(&mut self, written: &Spanned<String>) -> Option<String> {
        let path = self.path(written)?;
        if !self.folder.join(&path).exists() {
            self.fault(written, format!("`{path}` does not exist"), "correct the path, or leave the key out");
            return None;
        }
        Some(path)
    }

    /// The hash of a document that is named; `None` where it is not there to be read.
    fn document(&mut self, written: Option<&Spanned<String>>) -> (Option<String>, Option<String>) {
        let Some(path) = written.and_then(|written| self.path(written)) else { return (None, None) };
        let sha256 = sha256(self.folder, &path);
        (Some(path), sha256)
    }
}

pub(super) fn read(path: &Path, today: Date) -> Result<Scope, ScopeError> {
    let text = files::read_text(path, SCOPE_BYTES)?;
    let file: ScopeFile = yaml::read(path, &text).map_err(|fault| ScopeError::Faults(vec![fault]))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    let mut reader = Reader { path, text: &text, folder: &folder, faults: Vec::new() };
    if file.schema.value != 1 {
        let what = format!("schema {} is not known", file.schema.value);
        reader.fault(&file.schema, what, "this version reads schema 1");
    }
    let domains = domains(&mut reader, &file);
    let authorization = authorization(&mut reader, &file, today);
    let declared = Declared {
        organization: Some(organization(&mut reader, &file.organization)),
        hosts: hosts(&mut reader, &file, authorization.as_ref(), &domains),
        portals: portals(&mut reader, &file.portals),
        partners: partners(&mut reader, &file.partners),
        vendors: vendors(&mut reader, &file.vendors),
        exports: file.exports.iter().filter_map(|path| reader.existing(path)).collect(),
        messages: file
            .messages
            .iter()
            .filter_map(|entry| {
                let path = reader.existing(&entry.path)?;
                Some(DeclaredMessages { path, mailbox: entry.mailbox.value.to_lowercase() })
            })
            .collect(),
        retention: file.retention.as_ref().map(|retention| retention_decision(&mut reader, retention)),
        volumes: volumes(&mut reader, &file.volumes),
        answers: file.answers.as_ref().and_then(|path| reader.existing(path)),
        registers: file.registers.as_ref().and_then(|path| reader.existing(path)),
        reports: file.reports.iter().filter_map(|path| reader.existing(path)).collect(),
        scope_sha256: hex(&Sha256::digest(text.as_bytes())),
        authorization,
        domains,
    };
    let limits = limits(&mut reader, &file.limits);
    let mut faults = reader.faults;
    if faults.is_empty() {
        return Ok(Scope { declared, folder, limits });
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    Err(ScopeError::Faults(faults))
}

fn organization(reader: &mut Reader<'_>, file: &OrganizationFile) -> Organization {
    if file.name.value.trim().is_empty() {
        reader.fault(&file.name, "the organization has no name", "write the name that stands on its notices");
    }
    for state in &file.states {
        if state.value.len() != 2 || !state.value.bytes().all(|byte| byte.is_ascii_uppercase()) {
            reader.fault(
                state,
                format!("`{}` is not a state", state.value),
                "write two capital letters, for example OR",
            );
        }
    }
    Organization {
        name: file.name.value.trim().to_owned(),
        role: file.role,
        individuals: file.individuals,
        states: file.states.iter().map(|state| state.value.clone()).collect(),
        sensitive: file
            .sensitive
            .as_ref()
            .map(|kinds| kinds.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()),
    }
}

fn domains(reader: &mut Reader<'_>, file: &ScopeFile) -> Vec<DeclaredDomain> {
    let mut domains: Vec<DeclaredDomain> = Vec::new();
    for entry in &file.domains {
        let Some(name) = reader.domain(&entry.name) else { continue };
        if domains.iter().any(|other| other.name == name) {
            reader.fault(&entry.name, format!("{name} is listed twice"), "keep one entry for each domain");
            continue;
        }
        let mut selectors = Vec::new();
        for selector in &entry.selectors {
            // A selector is one or more labels (RFC 6376 §3.1).
            match selector.value.parse::<DomainName>() {
                Ok(labels) => selectors.push(labels.to_string()),
                Err(error) => reader.fault(selector, error.to_string(), "write the selector alone, for example s1"),
            }
        }
        domains.push(DeclaredDomain { name, sends: entry.sends, receives: entry.receives, selectors });
    }
    domains
}

fn authorization(reader: &mut Reader<'_>, file: &ScopeFile, today: Date) -> Option<Authorization> {
    let written = file.authorization.as_ref()?;
    let on = reader.date(&written.on);
    let until = reader.date(&written.until);
    let covers: Vec<DomainName> = written.covers.iter().filter_map(|name| reader.domain(name)).collect();
    if let Some(until) = until
        && until < today
    {
        let help = "nothing is asked without a valid authorization: have it renewed, then correct this date";
        reader.fault(&written.until, format!("the authorization ended on {until}"), help);
    }
    if let Some(on) = on
        && on > today
    {
        reader.fault(&written.on, format!("the authorization begins only on {on}"), "run again from that day on");
    }
    for entry in &file.domains {
        if let Ok(name) = entry.name.value.parse::<DomainName>()
            && !covers.iter().any(|covered| name.is_at_or_below(covered))
        {
            let help = "add it to authorization.covers once its owner agreed, or take the domain out";
            reader.fault(&entry.name, format!("the authorization does not cover {name}"), help);
        }
    }
    Some(Authorization {
        granted_by: written.granted_by.clone(),
        role: written.role.clone(),
        on: on?,
        until: until?,
        covers,
        active_probes: written.active_probes,
    })
}

fn hosts(
    reader: &mut Reader<'_>,
    file: &ScopeFile,
    authorization: Option<&Authorization>,
    domains: &[DeclaredDomain],
) -> Vec<DeclaredHost> {
    let mut hosts = Vec::new();
    for entry in &file.hosts {
        let Some(name) = reader.domain(&entry.name) else { continue };
        let covered = authorization.into_iter().flat_map(|authorization| &authorization.covers);
        let ours = covered.chain(domains.iter().map(|domain| &domain.name)).any(|domain| name.is_at_or_below(domain));
        let by_vendor = entry.operated_by.as_deref().is_some_and(|operator| operator != "us");
        if !ours && !by_vendor {
            let help = "add its domain to authorization.covers, or name the vendor in operated_by";
            reader.fault(&entry.name, format!("{name} lies in no covered domain"), help);
        }
        if let Some(mode) = entry.mode.as_ref().filter(|mode| mode.value == DeclaredMode::Full)
            && entry.operated_by.as_deref() != Some("us")
        {
            let help = "write `operated_by: us`, or leave `mode` out: others' hosts are asked as little as possible";
            reader.fault(mode, "`mode: full` is only for hosts that the organization runs".to_owned(), help);
        }
        for port in &entry.ports {
            if port.value == 0 {
                reader.fault(port, "port 0 cannot be asked", "name a port from 1 to 65535");
            }
        }
        let ports = entry.ports.iter().map(|port| port.value).collect();
        let mode = entry.mode.as_ref().map(|mode| mode.value);
        hosts.push(DeclaredHost {
            name,
            ports,
            operated_by: entry.operated_by.clone(),
            mode,
            removes_foreign_results: entry.removes_foreign_results,
        });
    }
    hosts
}

fn portals(reader: &mut Reader<'_>, written: &[Spanned<String>]) -> Vec<String> {
    let mut portals = Vec::new();
    for portal in written {
        let host = portal.value.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or(rest));
        let (name, port) = match host.map(|host| host.split_once(':').unwrap_or((host, "443"))) {
            Some(parts) => parts,
            None => {
                let what = format!("`{}` does not begin with https://", portal.value);
                reader.fault(portal, what, "a portal is named by its https:// address");
                continue;
            }
        };
        match (name.parse::<DomainName>(), port.parse::<u16>()) {
            (Ok(_), Ok(_)) => portals.push(portal.value.clone()),
            (Err(error), _) => reader.fault(portal, error.to_string(), "name the host as in DNS"),
            (Ok(_), Err(_)) => reader.fault(portal, format!("`{port}` is not a port"), "name a port from 1 to 65535"),
        }
    }
    portals
}

fn partners(reader: &mut Reader<'_>, written: &[PartnerFile]) -> Vec<DeclaredPartner> {
    let read = |partner: &PartnerFile| {
        reader.domain(&partner.domain).map(|domain| DeclaredPartner { domain, phi: partner.phi })
    };
    written.iter().filter_map(read).collect()
}

fn vendors(reader: &mut Reader<'_>, written: &[VendorFile]) -> Vec<DeclaredVendor> {
    let mut vendors: Vec<DeclaredVendor> = Vec::new();
    for vendor in written {
        let id = vendor.id.value.trim().to_lowercase();
        if id.is_empty() || id == "us" {
            reader.fault(
                &vendor.id,
                format!("`{}` cannot name a vendor", vendor.id.value),
                "use the catalogue's id or your own word",
            );
            continue;
        }
        if vendors.iter().any(|other| other.id == id) {
            reader.fault(&vendor.id, format!("vendor {id} is listed twice"), "keep one entry for each vendor");
            continue;
        }
        let agreement = vendor.agreement.as_ref().and_then(|agreement| {
            let (file, file_sha256) = reader.document(agreement.file.as_ref());
            let expires = agreement.expires.as_ref().and_then(|date| reader.date(date));
            Some(Agreement { signed: reader.date(&agreement.signed)?, expires, file, file_sha256 })
        });
        vendors.push(DeclaredVendor { id, handles: vendor.handles, agreement });
    }
    vendors
}

fn retention_decision(reader: &mut Reader<'_>, written: &RetentionFile) -> DeclaredRetention {
    let (file, file_sha256) = reader.document(written.file.as_ref());
    DeclaredRetention {
        mail_max_days: written.mail_max_days,
        phi_mailboxes: written.phi_mailboxes.iter().map(|mailbox| mailbox.value.to_lowercase()).collect(),
        mail_min_days: written.mail_min_days.as_ref().map(|days| days.value),
        record_mailboxes: record_mailboxes(reader, written),
        record_references: BTreeMap::new(),
        decided: written.decided.as_ref().and_then(|date| reader.date(date)),
        file,
        file_sha256,
    }
}

/// The mailboxes that hold records, and the least period for them: one says nothing without the other.
fn record_mailboxes(reader: &mut Reader<'_>, written: &RetentionFile) -> Vec<String> {
    match (&written.mail_min_days, written.record_mailboxes.first()) {
        (Some(days), _) if days.value == 0 => {
            reader.fault(
                days,
                "`mail_min_days` is 0: nothing is kept for no days",
                "leave it out where no period was decided",
            );
        }
        (Some(days), None) => {
            let what = "`mail_min_days` is stated, and no mailbox that it holds for";
            reader.fault(days, what, "name the mailboxes that hold records under `record_mailboxes`");
        }
        (None, Some(first)) => {
            let what = "`record_mailboxes` is stated, and not how long they are kept at least";
            reader.fault(first, what, "state the period that the organization decided as `mail_min_days`");
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    let mut mailboxes = Vec::new();
    for mailbox in &written.record_mailboxes {
        let name = mailbox.value.trim().to_lowercase();
        if name.contains('@') {
            mailboxes.push(name);
        } else {
            reader.fault(mailbox, format!("`{name}` is not the address of a mailbox"), "write the whole address");
        }
    }
    mailboxes
}

/// What is stated of how much lies in which mailbox, each mailbox once.
fn volumes(reader: &mut Reader<'_>, written: &[VolumeFile]) -> Vec<DeclaredVolume> {
    let mut named = BTreeSet::new();
    let mut volumes = Vec::new();
    for volume in written {
        if volume.at_least > volume.at_most.value {
            let what =
                format!("at least {} and at most {} contradict each other", volume.at_least, volume.at_most.value);
            reader.fault(&volume.at_most, what, "`at_most` is the larger of the two");
        }
        let mut mailboxes = Vec::new();
        for mailbox in &volume.mailboxes {
            let name = mailbox.value.trim().to_lowercase();
            if !name.contains('@') {
                reader.fault(mailbox, format!("`{name}` is not the address of a mailbox"), "write the whole address");
            } else if !named.insert(name.clone()) {
                reader.fault(mailbox, format!("{name} is listed twice under `volumes`"), "keep it in one entry");
            } else {
                mailboxes.push(name);
            }
        }
        volumes.push(DeclaredVolume { mailboxes, at_least: volume.at_least, at_most: volume.at_most.value });
    }
    volumes
}

fn limits(reader: &mut Reader<'_>, written: &LimitsFile) -> Limits {
    let mut limits = Limits::default();
    if let Some(most) = &written.max_connections {
        if (1..=64).contains(&most.value) {
            limits.max_connections = Some(most.value);
        } else {
            reader.fault(most, format!("{} connections at once", most.value), "allowed are 1 to 64");
        }
    }
    if let Some(deadline) = &written.deadline {
        match crate::units::duration(&deadline.value) {
            Some(length) if length > Duration::ZERO => limits.deadline = Some(length),
            _ => {
                reader.fault(deadline, format!("`{}` is not a length of time", deadline.value), "write 90s, 20m or 2h")
            }
        }
    }
    limits
}
