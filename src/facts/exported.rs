//! What the facts about mailboxes, rules, tenants and export files share: which exports were
//! handed over, whose domains are whose, and where a recipient leads.
//!
//! Classes are given here and not when an export is read, since they rest on three things that
//! may come from different places: the scope, the accepted domains and the directory.

use std::collections::{BTreeMap, BTreeSet};

use super::shape::Fact;
use super::{Collection, Context};
use crate::catalogues::consumer_domains::ConsumerDomains;
use crate::evidence::export::{
    ANOTHER_TENANT, ExportFile, ForwardingRule, Mailbox, Record, Target, collectors_count_rows,
};
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::{DomainName, SubjectKind};
use crate::seen::{NotObserved, Seen};

/// The class of a recipient, mildest first: of several recipients the last counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    None,
    Internal,
    BusinessAssociate,
    Unresolved,
    Unparseable,
    External,
    ConsumerWebmail,
}

impl Class {
    /// The word in fact paths and checks.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Internal => "internal",
            Self::BusinessAssociate => "business-associate",
            Self::Unresolved => "unresolved",
            Self::Unparseable => "unparseable",
            Self::External => "external",
            Self::ConsumerWebmail => "consumer-webmail",
        }
    }
}

/// The files that were handed over.
#[derive(Debug)]
pub struct Files<'e> {
    pub files: Vec<(&'e EvidenceId, &'e ExportFile)>,
    /// Why the list of files itself is not known.
    pub unknown: Option<NotObserved>,
}

impl<'e> Files<'e> {
    /// Every file that the evidence speaks of.
    pub fn of(context: Context<'e>) -> Self {
        let files = context
            .evidence
            .from(Source::Export)
            .filter_map(|(id, observation)| match &observation.answer {
                Ok(Answer::ExportFile(file)) => Some((id, file.as_ref())),
                _ => None,
            })
            .collect();
        Self { files, unknown: context.evidence.taken_away(Source::Export, SubjectKind::ExportFile) }
    }

    /// The providers that any file speaks of.
    pub fn providers(&self) -> BTreeSet<&'e str> {
        let formats = self.files.iter().filter_map(|(_, file)| file.format.as_deref());
        formats.filter_map(|format| format.split_once('.')).map(|(provider, _)| provider).collect()
    }

    /// The files of one format.
    pub fn of_format(&self, format: &str) -> impl Iterator<Item = (&'e EvidenceId, &'e ExportFile)> {
        self.files.iter().copied().filter(move |(_, file)| file.format.as_deref() == Some(format))
    }

    /// Whether any of these formats was handed over and read whole, or its collector found nothing
    /// to write; the reason if not. What a collector says it wrote has to be here, and the mailboxes
    /// that it listed have all to be asked. Zimbra's accounts are all there where a collector says so.
    pub fn whole(&self, formats: &[&str], what: &str) -> Result<(), NotObserved> {
        let not_provided = |what: String| self.unknown.clone().unwrap_or(NotObserved::NotProvided { what });
        // What stood in a lost line of a collector's record, nobody knows.
        if let Some(reason) = self.of_format("coverage").find_map(|(_, record)| record.not_whole()) {
            return Err(reason);
        }
        // Of which tenant a file without domains is, nobody knows either.
        if let Some(reason) = self.of_format(ANOTHER_TENANT).find_map(|(_, file)| file.not_whole()) {
            return Err(reason);
        }
        if let Some(reason) = self.outdated(formats, what) {
            return Err(reason);
        }
        let (mut given, mut collected) = (false, false);
        for format in formats {
            let mut files: Vec<&ExportFile> = self.of_format(format).map(|(_, file)| file).collect();
            let of_all = !files.is_empty();
            if *format == ZIMBRA {
                files.extend(self.of_format(ZIMBRA_PART).map(|(_, file)| file));
            }
            if let Some(reason) = files.iter().find_map(|file| file.not_whole()) {
                return Err(reason);
            }
            // A list of one domain's accounts looks like one of all; who collected it knows.
            given |= of_all && *format != ZIMBRA;
            // A part that was not handed over, or a collector that was ended before it was done.
            if let (Some(asked), Some(all)) = (self.asked(format), self.listed())
                && asked < all
            {
                return Err(not_provided(format!("{what}: the collectors asked {asked} of {all} mailboxes")));
            }
            let Some(said) = self.collected(format) else { continue };
            collected = true;
            let (here, unit) = if collectors_count_rows(format) {
                (files.iter().map(|file| file.rows).sum(), "rows")
            } else {
                (files.len() as u64, "files")
            };
            if here < said {
                let missing = said - here;
                return Err(not_provided(format!(
                    "{what}: the collector wrote {said} {unit}, {here} are here, {missing} are missing"
                )));
            }
            if *format == ZIMBRA && said > 0 && !of_all {
                return Err(not_provided(format!("{what}: no account of the server itself is in it")));
            }
        }
        if given || collected { Ok(()) } else { Err(not_provided(what.to_owned())) }
    }

    /// Why files of these formats do not count, where an older version read one of them: what is kept of
    /// it means something else.
    pub fn outdated(&self, formats: &[&str], what: &str) -> Option<NotObserved> {
        let mut files = formats.iter().flat_map(|format| self.of_format(format).map(move |(_, file)| (format, file)));
        files
            .any(|(format, file)| file.reader < means_the_same_since(format))
            .then(|| NotObserved::NotProvided { what: format!("{what}: read by an older version, collect again") })
    }

    /// What collectors say they wrote of one format, where one asked for it.
    pub fn collected(&self, format: &str) -> Option<u64> {
        let said = self.files.iter().filter_map(|(_, file)| file.collected.get(format));
        said.copied().reduce(u64::saturating_add)
    }

    /// How many mailboxes collectors asked for one format, where they asked each.
    fn asked(&self, format: &str) -> Option<u64> {
        let asked = self.files.iter().filter_map(|(_, file)| file.asked.get(format));
        asked.copied().reduce(u64::saturating_add)
    }

    /// How many mailboxes there are to ask: as many as the collectors listed or, where that record is
    /// not here, as the longest list holds.
    fn listed(&self) -> Option<u64> {
        let format = "microsoft365.mailboxes";
        self.collected(format).or_else(|| self.of_format(format).map(|(_, file)| file.rows).max())
    }

    /// The files of these formats, and the collectors' records that speak of them.
    pub fn evidence_of(&self, formats: &[&str]) -> impl Iterator<Item = EvidenceId> {
        let speaks = |file: &ExportFile| {
            let of = |format: &&str| file.format.as_deref() == Some(*format) || file.collected.contains_key(*format);
            formats.iter().any(of)
        };
        self.files.iter().filter(move |(_, file)| speaks(file)).map(|(id, _)| (*id).clone())
    }
}

/// Zimbra's accounts, and a list of them without an account of the server itself.
const ZIMBRA: &str = "self-hosted.zimbra";
const ZIMBRA_PART: &str = "self-hosted.zimbra-accounts";

/// The version of the reader since which what is kept of a format means what facts take it for.
fn means_the_same_since(format: &str) -> u32 {
    match format {
        // Of these nothing was kept before.
        "google-workspace.vault-holds"
        | "microsoft365.retention-compliance"
        | "microsoft365.retention-policies"
        | "microsoft365.retention-rules"
        | "microsoft365.retention-tags" => 10,
        "self-hosted.postfix" | "self-hosted.sieve" => 10,
        "self-hosted.zimbra" => 9,
        "microsoft365.app-grants"
        | "microsoft365.app-roles"
        | "microsoft365.unified-audit-log"
        | "self-hosted.zimbra-accounts" => 8,
        "google-workspace.app-passwords"
        | "microsoft365.conditional-access"
        | "microsoft365.dlp-policies"
        | "microsoft365.message-trace"
        | "microsoft365.outbound-connectors" => 7,
        _ => 6,
    }
}

/// Whether exports are there to build a kind from. An error is the collection to answer with.
pub fn given(context: Context<'_>) -> Result<(), Collection> {
    let evidence = context.evidence;
    if evidence.from(Source::Export).next().is_some() {
        return Ok(());
    }
    if let Some(reason) = evidence.source_taken_away(Source::Export) {
        return Err(Collection::Incomplete(reason));
    }
    Err(match evidence.declared() {
        Err(reason) => Collection::Incomplete(reason),
        Ok((_, declared)) if declared.exports.is_empty() => {
            Collection::NotDeclared("the scope names no exports of tenants or mailboxes".to_owned())
        }
        Ok(_) => {
            Collection::Incomplete(NotObserved::NotProvided { what: "the exports that the scope names".to_owned() })
        }
    })
}

/// Every normalized record, with its observation.
pub fn records<'e>(context: Context<'e>) -> impl Iterator<Item = (&'e EvidenceId, &'e Record)> {
    context.evidence.from(Source::Export).filter_map(|(id, observation)| match &observation.answer {
        Ok(Answer::Record(record)) => Some((id, record)),
        _ => None,
    })
}

/// Knows where recipients lead.
#[derive(Debug)]
pub struct Directory<'e> {
    own: BTreeSet<&'e str>,
    /// Accepted domains whose subdomains count as well.
    own_and_below: BTreeSet<DomainName>,
    associates: BTreeSet<&'e str>,
    /// Where entries lead, by reference and by own address; `None` where two entries disagree.
    entries: BTreeMap<&'e str, Option<&'e Target>>,
    by_address: BTreeMap<&'e Target, &'e Target>,
    /// References of the tenant's own mailboxes.
    mailboxes: BTreeSet<&'e str>,
    /// What the classes rest on, beside the recipient itself.
    pub evidence: Vec<EvidenceId>,
    unknown: Option<NotObserved>,
}

impl<'e> Directory<'e> {
    /// Gathers domains and directory entries.
    pub fn of(context: Context<'e>) -> Self {
        let evidence = context.evidence;
        let mut directory = Self {
            own: BTreeSet::new(),
            own_and_below: BTreeSet::new(),
            associates: BTreeSet::new(),
            entries: BTreeMap::new(),
            by_address: BTreeMap::new(),
            mailboxes: BTreeSet::new(),
            evidence: Vec::new(),
            unknown: evidence.taken_away(Source::Export, SubjectKind::Tenant),
        };
        match evidence.declared() {
            Ok((id, declared)) => {
                directory.evidence.push(id.clone());
                directory.own.extend(declared.domains.iter().map(|domain| domain.name.as_str()));
                // A vendor is known by domain only where the scope uses the domain as its id.
                directory.associates.extend(
                    declared
                        .vendors
                        .iter()
                        .filter(|vendor| in_force(vendor, context))
                        .filter_map(|vendor| vendor.id.contains('.').then_some(vendor.id.as_str())),
                );
            }
            Err(reason) => directory.unknown = Some(reason),
        }
        for (_, record) in records(context) {
            directory.learn(record);
        }
        let files = Files::of(context);
        directory.evidence.extend(files.of_format("microsoft365.accepted-domains").map(|(id, _)| id.clone()));
        if directory.own.is_empty() && directory.own_and_below.is_empty() && directory.unknown.is_none() {
            let what = "the tenant's accepted domains, or domains in the scope".to_owned();
            directory.unknown = Some(NotObserved::NotProvided { what });
        }
        directory
    }

    fn learn(&mut self, record: &'e Record) {
        match record {
            Record::AcceptedDomain { domain, match_subdomains } => {
                self.own.insert(domain);
                if *match_subdomains && let Ok(domain) = domain.parse() {
                    self.own_and_below.insert(domain);
                }
            }
            Record::Mailbox(mailbox) if mailbox.listed => {
                self.mailboxes.extend(mailbox.references.iter().map(String::as_str));
            }
            Record::Recipient(recipient) => {
                for reference in &recipient.references {
                    self.entries
                        .entry(reference)
                        .and_modify(|known| {
                            if *known != Some(&recipient.target) {
                                *known = None;
                            }
                        })
                        .or_insert(Some(&recipient.target));
                }
                if let Some(own) = &recipient.address {
                    self.by_address.insert(own, &recipient.target);
                }
            }
            Record::ConditionalAccess(_)
            | Record::ForwardingRule(_)
            | Record::Group(_)
            | Record::Mailbox(_)
            | Record::MailboxGrants(_)
            | Record::MfaRegistration(_)
            | Record::Tally(_)
            | Record::TenantSetting(_) => {}
        }
    }

    /// Where a recipient's mail goes in the end, and the class of that.
    pub fn class(&self, target: &Target) -> Result<(Class, Option<String>), NotObserved> {
        if let Some(reason) = &self.unknown {
            return Err(reason.clone());
        }
        let target = match target {
            Target::Unresolved { reference } => match self.entries.get(reference.as_str()) {
                Some(Some(target)) => target,
                Some(None) => return Ok((Class::Unresolved, None)),
                None if self.mailboxes.contains(reference.as_str()) => return Ok((Class::Internal, None)),
                None => return Ok((Class::Unresolved, None)),
            },
            // An own address can be that of a contact whose mail goes outside.
            Target::Address { .. } => self.by_address.get(target).copied().unwrap_or(target),
            Target::Unparseable => target,
        };
        Ok(match target {
            Target::Address { domain, .. } => (self.class_of_domain(domain), Some(domain.clone())),
            Target::Unparseable => (Class::Unparseable, None),
            Target::Unresolved { .. } => (Class::Unresolved, None),
        })
    }

    /// Whether a recipient is an entry of the directory, and not an address that stands for itself.
    pub fn leads_on(&self, target: &Target) -> bool {
        match target {
            Target::Address { .. } => self.by_address.contains_key(target),
            Target::Unparseable => false,
            Target::Unresolved { .. } => true,
        }
    }

    /// Exact names only: `evilclinic.example` is not `clinic.example`, and a name below an
    /// accepted domain is another organization's unless the tenant says otherwise.
    pub fn class_of_domain(&self, domain: &str) -> Class {
        // A host named by its number is nobody's domain, so nobody's own either.
        if domain.starts_with('[') {
            return Class::External;
        }
        let Ok(name) = domain.parse::<DomainName>() else { return Class::Unparseable };
        if self.own.contains(name.as_str()) || self.own_and_below.iter().any(|own| name.is_at_or_below(own)) {
            Class::Internal
        } else if self.associates.contains(name.as_str()) {
            Class::BusinessAssociate
        } else if ConsumerDomains::shipped().provider(&name).is_some() {
            Class::ConsumerWebmail
        } else {
            Class::External
        }
    }

    /// The worst class of several recipients and their domains. Where a recipient may be missing,
    /// only a class that cannot get better is known.
    pub fn worst(&self, targets: &Seen<Vec<Target>>, incomplete: Option<&NotObserved>) -> Seen<(Class, Vec<String>)> {
        let targets = match targets {
            Seen::Absent => return Seen::Absent,
            Seen::Malformed(malformed) => return Seen::Malformed(malformed.clone()),
            Seen::Present(targets) => targets,
            Seen::Unknown(reason) => return Seen::Unknown(reason.clone()),
        };
        let mut class = Class::None;
        let mut domains = BTreeSet::new();
        for target in targets {
            match self.class(target) {
                Ok((found, domain)) => {
                    class = class.max(found);
                    domains.extend(domain);
                }
                Err(reason) => return Seen::Unknown(reason),
            }
        }
        match incomplete {
            Some(reason) if class < Class::External => Seen::Unknown(reason.clone()),
            Some(_) | None => Seen::Present((class, domains.into_iter().collect())),
        }
    }
}

fn in_force(vendor: &crate::evidence::declared::DeclaredVendor, context: Context<'_>) -> bool {
    vendor.agreement.as_ref().is_some_and(|agreement| {
        agreement.signed <= context.today() && agreement.expires.is_none_or(|expires| expires >= context.today())
    })
}

/// Names in one fact; further ones are counted.
const NAMED: usize = 20;
/// Observations that a fact about many things rests on, at most; they stand for the others.
const EVIDENCE: usize = 50;

/// A list of things found: the first by name, how many more there are, and what that rests on.
pub fn named(found: BTreeSet<String>, mut evidence: Vec<EvidenceId>) -> Fact<Vec<String>> {
    evidence.truncate(EVIDENCE);
    let more = found.len().saturating_sub(NAMED);
    let mut names: Vec<String> = found.into_iter().take(NAMED).collect();
    if more > 0 {
        names.push(format!("and {more} more"));
    }
    Fact::present(names, evidence)
}

/// The same, where `in_doubt` says why more of them may be there: that nothing was found is no answer then.
pub fn named_unless(
    found: BTreeSet<String>,
    evidence: Vec<EvidenceId>,
    in_doubt: Option<NotObserved>,
) -> Fact<Vec<String>> {
    match in_doubt {
        Some(reason) if found.is_empty() => Fact::new(Seen::Unknown(reason), evidence),
        Some(_) | None => named(found, evidence),
    }
}

/// What is missing where no export speaks of a subject.
pub const NOT_LISTED: &str = "an export that lists it";

/// Joins what several records say of one thing. A known value beats ignorance; of two known values
/// the one counts that `worse` prefers. Gives the value and the observations it rests on.
pub fn joined<T: Clone>(
    said: &[(&EvidenceId, &Seen<T>)],
    worse: impl Fn(&T, &T) -> bool,
) -> (Seen<T>, Vec<EvidenceId>) {
    let mut best: Option<&Seen<T>> = None;
    for (_, seen) in said {
        best = Some(match best {
            None => seen,
            Some(known) => match (known, seen) {
                (Seen::Present(known_value), Seen::Present(value)) => {
                    if worse(value, known_value) {
                        seen
                    } else {
                        known
                    }
                }
                (known, seen) if weight(seen) > weight(known) => seen,
                (known, _) => known,
            },
        });
    }
    let Some(best) = best else {
        return (Seen::not_provided(NOT_LISTED), Vec::new());
    };
    let rests_on = said.iter().filter(|(_, seen)| weight(seen) == weight(best)).map(|(id, _)| (*id).clone()).collect();
    (best.clone(), rests_on)
}

fn weight<T>(seen: &Seen<T>) -> u8 {
    match seen {
        Seen::Present(_) => 4,
        Seen::Absent => 3,
        Seen::Malformed(_) => 2,
        Seen::Unknown(NotObserved::NotProvided { .. }) => 0,
        Seen::Unknown(_) => 1,
    }
}

/// Which mailbox a reference names, over all that are listed; `None` where several have it.
pub fn mailboxes_by_reference<'e>(mailboxes: impl Iterator<Item = &'e Mailbox>) -> BTreeMap<&'e str, Option<&'e str>> {
    let mut found: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for mailbox in mailboxes.filter(|mailbox| mailbox.listed) {
        for reference in &mailbox.references {
            found
                .entry(reference)
                .and_modify(|known| {
                    if *known != Some(mailbox.address.as_str()) {
                        *known = None;
                    }
                })
                .or_insert(Some(&mailbox.address));
        }
    }
    found
}

/// The mailbox a rule belongs to, as far as the exports tell.
pub fn mailbox_of<'e>(rule: &'e ForwardingRule, by_reference: &BTreeMap<&'e str, Option<&'e str>>) -> Option<&'e str> {
    match (&rule.mailbox, &rule.owner) {
        // A rule may name its mailbox by another of its addresses.
        (Seen::Present(mailbox), _) => Some(mailbox),
        (_, Some(owner)) => by_reference.get(owner.as_str()).copied().flatten(),
        (_, None) => None,
    }
}

/// The mailboxes of one provider that are listed, and those for which people made rules. A rule of which
/// no export tells whose it is counts for nobody.
pub fn mailboxes_and_those_with_rules<'e>(
    context: Context<'e>,
    provider: &str,
) -> (BTreeSet<&'e str>, BTreeSet<&'e str>) {
    let (mut mailboxes, mut rules) = (Vec::new(), Vec::new());
    for (_, record) in records(context) {
        if let Record::Mailbox(mailbox) = record
            && mailbox.listed
        {
            mailboxes.push(mailbox.as_ref());
        } else if let Record::ForwardingRule(rule) = record
            && rule.provider == provider
            && ["filter", "inbox", "sieve"].contains(&rule.origin.as_str())
        {
            rules.push(rule.as_ref());
        }
    }
    let by_reference = mailboxes_by_reference(mailboxes.iter().copied());
    let of_here = mailboxes.iter().filter(|mailbox| mailbox.provider == provider);
    (
        of_here.map(|mailbox| mailbox.address.as_str()).collect(),
        rules.into_iter().filter_map(|rule| mailbox_of(rule, &by_reference)).collect(),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use super::*;
    use crate::evidence::declared::{Agreement, Declared, DeclaredDomain, DeclaredRetention, DeclaredVendor};
    use crate::evidence::{Evidence, Observation, Question, Writer};
    use crate::keyed::KeyedReference;
    use crate::names::SubjectId;

    /// A scope that names one domain and an exports folder.
    pub(crate) fn declared(domain: &str) -> Declared {
        Declared {
            organization: None,
            authorization: None,
            domains: vec![DeclaredDomain {
                name: domain.parse().unwrap(),
                sends: true,
                receives: true,
                selectors: Vec::new(),
            }],
            hosts: Vec::new(),
            portals: Vec::new(),
            partners: Vec::new(),
            vendors: Vec::new(),
            exports: vec!["exports".to_owned()],
            messages: Vec::new(),
            retention: Some(DeclaredRetention {
                mail_min_days: None,
                record_mailboxes: Vec::new(),
                record_references: BTreeMap::new(),
                mail_max_days: Some(1095),
                phi_mailboxes: vec!["Front-Desk@clinic.example".to_owned()],
                decided: None,
                file: None,
                file_sha256: None,
            }),
            volumes: Vec::new(),
            answers: None,
            registers: None,
            reports: Vec::new(),
            scope_sha256: String::new(),
        }
    }

    /// Evidence of these files, and of the scope if there is one.
    pub(crate) struct World {
        folder: tempfile::TempDir,
        observations: Vec<Observation>,
    }

    impl World {
        pub(crate) fn new(declared: Option<Declared>) -> Self {
            let mut world = Self { folder: tempfile::tempdir().unwrap(), observations: Vec::new() };
            if let Some(declared) = declared {
                world.observations.push(Observation {
                    subject: SubjectId::new(SubjectKind::Organization, "clinic"),
                    source: Source::Declared,
                    question: Question::Declared,
                    asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
                    took_ms: 0,
                    vantage: "test".to_owned(),
                    answer: Ok(Answer::Declared(Box::new(declared))),
                });
            }
            world
        }

        pub(crate) fn file(mut self, name: &str, bytes: &[u8]) -> Self {
            let path = self.folder.path().join(name);
            crate::files::write_whole(&path, bytes).unwrap();
            self.read(&path, &format!("exports/{name}"));
            self
        }

        /// Every file of a folder of `fixtures/exports` but those named.
        pub(crate) fn fixture(mut self, name: &str, without: &[&str]) -> Self {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exports").join(name);
            let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            for path in files {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if !without.contains(&name.as_str()) {
                    self.read(&path, &format!("exports/{name}"));
                }
            }
            self
        }

        /// Every file of a folder, read as one export.
        pub(crate) fn folder(mut self, path: &Path) -> Self {
            self.read(path, "exports");
            self
        }

        fn read(&mut self, path: &Path, label: &str) {
            let key = KeyedReference::new(b"test");
            let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
            let paths = [path.to_owned()];
            let own: BTreeSet<DomainName> = self
                .observations
                .iter()
                .filter_map(|observation| match &observation.answer {
                    Ok(Answer::Declared(declared)) => Some(declared.domains.iter().map(|domain| domain.name.clone())),
                    _ => None,
                })
                .flatten()
                .collect();
            self.observations.extend(crate::collect::exports::read(
                &paths,
                &[label.to_owned()],
                &own,
                &key,
                asked_at,
                "test",
            ));
        }

        /// With something that no export says.
        pub(crate) fn with(mut self, observation: Observation) -> Self {
            self.observations.push(observation);
            self
        }

        /// As a version read it that kept nothing of logs and lists.
        pub(crate) fn without_tallies(mut self) -> Self {
            self.observations.retain(|observation| !matches!(observation.answer, Ok(Answer::Record(Record::Tally(_)))));
            self
        }

        /// As collected on another day.
        pub(crate) fn asked_on(mut self, day: &str) -> Self {
            for observation in &mut self.observations {
                observation.asked_at = format!("{day}T12:00:00Z").parse().unwrap();
            }
            self
        }

        /// As an older version read the files.
        pub(crate) fn read_by(mut self, reader: u32) -> Self {
            for observation in &mut self.observations {
                if let Ok(Answer::ExportFile(file)) = &mut observation.answer {
                    file.reader = reader;
                }
            }
            self
        }

        /// Writes the evidence, takes segments away, and reads it.
        pub(crate) fn evidence(&self, taken: &[&str]) -> Evidence {
            let folder = tempfile::tempdir().unwrap();
            let writer = Writer::create(folder.path()).unwrap();
            writer.finish(self.observations.clone(), crate::evidence::tests::manifest()).unwrap();
            for segment in taken {
                std::fs::remove_file(folder.path().join(format!("{segment}.jsonl"))).unwrap();
            }
            Evidence::read(folder.path()).unwrap()
        }
    }

    /// The context for a test's evidence.
    pub(crate) fn context(evidence: &Evidence) -> Context<'_> {
        Context { evidence, as_of: evidence.as_of() }
    }

    fn class(world: &World, domain: &str) -> &'static str {
        let evidence = world.evidence(&[]);
        let directory = Directory::of(context(&evidence));
        directory.class(&Target::Address { domain: domain.to_owned(), local: "0".to_owned() }).unwrap().0.as_str()
    }

    #[test]
    fn a_long_list_is_named_in_part_and_counted() {
        let found = (10..35).map(|number| format!("group-{number}")).collect();
        let names = named(found, Vec::new()).seen.present().cloned().unwrap();
        assert_eq!((names.len(), names[20].as_str()), (21, "and 5 more"));
    }

    #[test]
    fn domains_are_compared_whole() {
        let world = World::new(Some(declared("clinic.example")));
        for (domain, expected) in [
            ("clinic.example", "internal"),
            ("CLINIC.example", "internal"),
            ("evilclinic.example", "external"),
            ("mail.clinic.example", "external"),
            ("clinic.example.attacker.example", "external"),
            ("gmail.com", "consumer-webmail"),
            ("notgmail.com", "external"),
        ] {
            assert_eq!(class(&world, domain), expected, "{domain}");
        }
    }

    #[test]
    fn a_subdomain_is_internal_only_where_the_tenant_says_so() {
        let accepted = b"DomainName,DomainType,MatchSubDomains\nhealth.example,Authoritative,True\nother.example,Authoritative,False\n";
        let world = World::new(Some(declared("clinic.example"))).file("d.csv", accepted);
        assert_eq!(class(&world, "a.health.example"), "internal");
        assert_eq!(class(&world, "a.other.example"), "external");
        assert_eq!(class(&world, "evilhealth.example"), "external");
    }

    #[test]
    fn a_vendor_is_a_business_associate_only_by_domain_and_while_its_agreement_runs() {
        let agreement = |expires: Option<&str>| Agreement {
            signed: "2024-01-01".parse().unwrap(),
            expires: expires.map(|date| date.parse().unwrap()),
            file: None,
            file_sha256: None,
        };
        let vendor = |id: &str, agreement| DeclaredVendor { id: id.to_owned(), handles: None, agreement };
        let scope = Declared {
            vendors: vec![
                vendor("billing.example", Some(agreement(None))),
                vendor("late.example", Some(agreement(Some("2025-01-01")))),
                vendor("unsigned.example", None),
                vendor("microsoft365", Some(agreement(None))),
            ],
            ..declared("clinic.example")
        };
        let world = World::new(Some(scope));
        assert_eq!(class(&world, "billing.example"), "business-associate");
        assert_eq!(class(&world, "late.example"), "external");
        assert_eq!(class(&world, "unsigned.example"), "external");
    }

    #[test]
    fn without_any_own_domain_no_class_is_known() {
        let scope = Declared { domains: Vec::new(), ..declared("clinic.example") };
        let evidence = World::new(Some(scope)).evidence(&[]);
        let directory = Directory::of(context(&evidence));
        let target = Target::Address { domain: "gmail.com".to_owned(), local: "0".to_owned() };
        assert!(matches!(directory.class(&target), Err(NotObserved::NotProvided { .. })));
    }

    /// Check and subject.
    type Judged = BTreeSet<(String, String)>;

    /// What passed and what did not.
    fn judged(world: &World) -> (Judged, Judged) {
        static CATALOG: std::sync::LazyLock<crate::checks::Catalog> =
            std::sync::LazyLock::new(|| crate::checks::Catalog::built_in().unwrap());
        let evidence = world.evidence(&[]);
        let facts = crate::facts::Facts::from_evidence(&evidence, evidence.as_of());
        let judgement = crate::assess::assess(&CATALOG, &facts).unwrap();
        let passed = judgement.passed.iter().flat_map(|passed| {
            assert!(passed.count <= passed.subjects.len(), "every subject is named");
            passed.subjects.iter().map(|subject| (passed.check.clone(), subject.clone()))
        });
        let open = judgement.findings.iter().map(|finding| (finding.check.clone(), finding.subject.name.clone()));
        (passed.collect(), open.collect())
    }

    /// The register of emergency accounts as somebody writes it: id, account and the day of the last review.
    pub(in crate::facts) fn emergency_accounts(rows: &[(&str, &str, &str)]) -> String {
        let definition = crate::catalogues::registers::Registers::shipped().get("emergency-accounts").unwrap();
        let header: Vec<&str> = definition.columns.iter().map(|column| column.name.as_str()).collect();
        let row = |(id, account, reviewed): &(&str, &str, &str)| {
            let cells = header.iter().map(|column| match *column {
                "account_id" => *id,
                "account" => *account,
                "sign_ins_reviewed" => *reviewed,
                "reason" => "emergency",
                "watched" => "yes",
                _ => "",
            });
            format!("{}\n", cells.collect::<Vec<_>>().join(","))
        };
        format!("{}\n{}", header.join(","), rows.iter().map(row).collect::<String>())
    }

    /// A scope that names a mailbox with records, with one legal hold and one emergency account on record.
    fn with_registers(domain: &str) -> World {
        let mut scope = Declared { registers: Some("registers/".to_owned()), ..declared(domain) };
        let retention = scope.retention.as_mut().unwrap();
        (retention.mail_min_days, retention.record_mailboxes) = (Some(2190), vec![format!("records@{domain}")]);
        let holds =
            format!("hold_id,case_id,account,role,decided,reviewed,lifted\ncase-7,,records@{domain},,2026-01-01,,\n");
        let accounts = emergency_accounts(&[("glass-1", &format!("glass@{domain}"), "2026-09-01")]);
        let read = crate::facts::register::tests::read;
        World::new(Some(scope)).with(read("legal-holds", &holds)).with(read("emergency-accounts", &accounts))
    }

    #[test]
    fn what_the_records_clinic_does_is_found_and_what_it_does_well_passes() {
        let evidence = with_registers("clinic.example").fixture("records-clinic", &[]).evidence(&[]);
        let context = context(&evidence);
        let tenants = crate::facts::tenant::build(context).subjects;
        let tenant = tenants.iter().find(|tenant| tenant.name == "microsoft365").unwrap();
        let list = |fact: &Fact<Vec<String>>| fact.seen.present().cloned().unwrap();
        let program = |number: u32| format!("0a1b2c3d-0000-4000-8000-{number:012}");
        // The first is limited by a policy, the fourth by the scope of its role; one that is denied some
        // mailboxes has all others.
        assert_eq!(list(&tenant.programs_unlimited), [402, 403, 405].map(program));
        assert_eq!(list(&tenant.programs_limited), [401, 404].map(program));
        assert_eq!(list(&tenant.groups_with_outsiders), ["front-desk@clinic.example"]);
        assert_eq!(list(&tenant.holds_unregistered), ["ana@clinic.example", "ben@clinic.example"]);
        assert_eq!(list(&tenant.holds_not_in_place), ["case-7"]);
        assert_eq!(list(&tenant.mfa_exceptions_unregistered), ["ben@clinic.example"]);
        assert_eq!(list(&tenant.emergency_sign_ins_not_reviewed), ["glass-1"]);
        assert_eq!(tenant.auto_forwarding_mode.seen.present().map(String::as_str), Some("automatic"));
        let mailboxes = crate::facts::mailbox::build(context).subjects;
        let records = mailboxes.iter().find(|mailbox| mailbox.name == "records@clinic.example").unwrap();
        assert_eq!(records.deleted_after_days.seen, Seen::Present(365));
        let (passed, open) = judged(&with_registers("clinic.example").fixture("records-clinic", &[]));
        for check in [
            "programs-with-mail-limited-to-mailboxes",
            "groups-stay-inside",
            "holds-registered",
            "registered-holds-in-place",
            "mfa-exceptions-registered",
            "emergency-sign-ins-reviewed",
            "auto-forwarding-mode-stated",
        ] {
            let subject = (check.to_owned(), "microsoft365".to_owned());
            assert!(open.contains(&subject) && !passed.contains(&subject), "{check}");
        }
        let of = |check: &str, mailbox: &str| (check.to_owned(), format!("{mailbox}@clinic.example"));
        assert!(open.contains(&of("records-kept-as-long-as-decided", "records")));
        assert!(open.contains(&of("mailbox-forwarding-by-contact-stays-inside", "ana")));
        assert!(passed.contains(&of("mailbox-forwarding-stays-inside", "ana")));
    }

    #[test]
    fn what_limits_programs_matters_where_one_reaches_mail() {
        const MAIL: &str = "810c84a8-4a9e-49e6-bf7d-12d183f40d01";
        let roles = include_str!("../../fixtures/exports/records-clinic/app-roles.json");
        let limited = |roles: &str, without: &[&str]| {
            let world =
                with_registers("clinic.example").fixture("records-clinic", &[&["app-roles.json"], without].concat());
            let evidence = world.file("app-roles.json", roles.as_bytes()).evidence(&[]);
            let tenants = crate::facts::tenant::build(context(&evidence)).subjects;
            let tenant = tenants.into_iter().find(|tenant| tenant.name == "microsoft365").unwrap();
            tenant.programs_limited.seen.present().cloned()
        };
        const POLICIES: &[&str] = &["access-policies.csv"];
        let program = "0a1b2c3d-0000-4000-8000-000000000401".to_owned();
        let by_scope = "0a1b2c3d-0000-4000-8000-000000000404".to_owned();
        assert_eq!(limited(roles, &[]), Some(vec![program, by_scope.clone()]));
        let none = roles.replace(MAIL, "df021288-bdef-4463-88db-98f22de89214");
        assert_eq!(limited(&none, POLICIES), Some(vec![by_scope]));
        let roles_of_people = ["access-policies.csv", "role-assignments.csv"];
        assert_eq!(limited(roles, &roles_of_people), None);
    }

    #[test]
    fn who_may_switch_a_second_factor_off_is_not_somebody_of_whom_none_is_asked() {
        let users = b"Email Address [Required],Status [READ ONLY],2sv Enrolled [READ ONLY],2sv Enforced [READ ONLY]\na@practice.example,Active,True,False\nb@practice.example,Active,False,False\nc@practice.example,Active,True,True\nd@practice.example,Active,,False\n";
        let (passed, open) = judged(&World::new(Some(declared("practice.example"))).file("u.csv", users));
        let of = |check: &str, user: &str| (check.to_owned(), format!("{user}@practice.example"));
        const DEMANDED: &str = "mfa-enforced";
        const STAYS: &str = "second-factor-cannot-be-switched-off";
        assert!(open.contains(&of(STAYS, "a")) && !open.contains(&of(DEMANDED, "a")));
        assert!(open.contains(&of(DEMANDED, "b")) && !open.contains(&of(STAYS, "b")));
        assert!(passed.contains(&of(DEMANDED, "c")) && passed.contains(&of(STAYS, "c")));
        assert!(open.contains(&of(DEMANDED, "d")) && open.contains(&of(STAYS, "d")), "nobody knows whether d enrolled");
        assert!(!passed.contains(&of(DEMANDED, "a")));
    }

    #[test]
    fn what_a_mail_server_sends_on_is_judged_by_one_check_and_a_program_is_asked_about() {
        let files: [(&str, &[u8]); 3] = [
            (
                "postconf-n.txt",
                b"mydestination = localhost\nmyhostname = mx.surgery.example\nalways_bcc = all@elsewhere.example\n",
            ),
            (
                "aliases",
                b"postmaster: root\nfax: \"|/usr/local/bin/fax\"\nlab: lab@gmail.com\nown: fay@surgery.example\n",
            ),
            ("fay@surgery.example.sieve", b"require \"vnd.dovecot.pipe\";\npipe :copy \"archive\";\n"),
        ];
        let mut world = World::new(Some(declared("surgery.example")));
        for (name, bytes) in files {
            world = world.file(name, bytes);
        }
        let (passed, open) = judged(&world);
        let judged_by = |all: &Judged, check: &str, owner: &str| {
            all.iter().filter(|(id, rule)| id == check && rule.starts_with(owner)).count()
        };
        const SERVER: &str = "mail-server-sends-nothing-outside";
        const PEOPLE: &str = "no-forwarding-outside";
        assert_eq!(judged_by(&open, SERVER, "postfix/"), 1);
        assert_eq!(
            (judged_by(&open, SERVER, "alias/"), judged_by(&passed, SERVER, "alias/")),
            (1, 1),
            "a program, and fay"
        );
        assert_eq!(judged_by(&open, "no-forwarding-to-consumer-webmail", "alias/"), 1);
        for all in [&passed, &open] {
            for owner in ["alias/", "postfix/"] {
                assert_eq!(judged_by(all, PEOPLE, owner), 0, "{owner}");
            }
        }
        assert_eq!(judged_by(&open, "forwarding-targets-resolved", "fay@"), 1, "a script hands mail to a program");
    }

    #[test]
    fn no_file_can_be_taken_away_to_make_anything_better() {
        for (fixture, domain) in [
            ("google-clinic", "practice.example"),
            ("leaky-clinic", "clinic.example"),
            ("own-server", "surgery.example"),
            ("records-clinic", "clinic.example"),
            ("rights-clinic", "clinic.example"),
        ] {
            let world = |without: &[&str]| with_registers(domain).fixture(fixture, without);
            let (_, open) = judged(&world(&[]));
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exports").join(fixture);
            for entry in std::fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().to_string_lossy().into_owned();
                let (passed, _) = judged(&world(&[&name]));
                let better: Vec<_> = passed.intersection(&open).collect();
                assert!(better.is_empty(), "{fixture} without {name}: {better:?}");
            }
        }
    }
}
