//! What is known of each subject: observations joined, nothing judged.
//!
//! Each kind has a file that declares its facts (with their absent values) and builds them from
//! evidence. Nothing here asks the world, looks at a clock or draws a conclusion.

pub mod shape;

pub mod attestation;
pub mod content_folder;
pub mod domain;
mod emergency;
pub mod endpoint;
pub mod export_file;
mod exported;
pub mod forwarding_path;
pub mod forwarding_rule;
mod holds;
mod leavers;
pub mod mailbox;
pub mod organization;
pub mod partner;
pub mod register;
pub mod tenant;
pub mod vendor;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock::date_of;
use crate::evidence::Evidence;
use crate::names::SubjectKind;
use crate::seen::NotObserved;
use shape::{EncodedSubject, FactShape, Subject};

/// Whether all subjects of a kind are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collection {
    Complete,
    /// Some or all may be missing.
    Incomplete(NotObserved),
    /// The scope names no source for them; they lower no figure.
    NotDeclared(String),
}

/// The subjects of one kind and whether they are all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built<T> {
    pub subjects: Vec<T>,
    pub collection: Collection,
}

impl<T> Built<T> {
    /// All of them.
    pub fn complete(subjects: Vec<T>) -> Self {
        Self { subjects, collection: Collection::Complete }
    }
}

/// What every builder is given.
#[derive(Clone, Copy, Debug)]
pub struct Context<'e> {
    pub evidence: &'e Evidence,
    /// The moment everything is judged against.
    pub as_of: Timestamp,
}

impl Context<'_> {
    /// `as_of` as a date.
    pub fn today(&self) -> Date {
        date_of(self.as_of)
    }
}

/// Everything that is known.
#[derive(Clone, Debug)]
pub struct Facts {
    pub attestations: Built<attestation::Attestation>,
    pub content_folders: Built<content_folder::ContentFolder>,
    pub domains: Built<domain::Domain>,
    pub endpoints: Built<endpoint::Endpoint>,
    pub export_files: Built<export_file::ExportFile>,
    pub forwarding_paths: Built<forwarding_path::ForwardingPath>,
    pub forwarding_rules: Built<forwarding_rule::ForwardingRule>,
    pub mailboxes: Built<mailbox::Mailbox>,
    pub organizations: Built<organization::Organization>,
    pub partners: Built<partner::Partner>,
    pub registers: Built<register::Register>,
    pub tenants: Built<tenant::Tenant>,
    pub vendors: Built<vendor::Vendor>,
}

impl Facts {
    /// Joins the evidence into facts, as of a moment.
    pub fn from_evidence(evidence: &Evidence, as_of: Timestamp) -> Self {
        let context = Context { evidence, as_of };
        // These two grow with the organization.
        let (forwarding_rules, mailboxes) = rayon::join(|| forwarding_rule::build(context), || mailbox::build(context));
        let endpoints = endpoint::build(context);
        let mut domains = domain::build(context);
        domain::sts_delivery::join(&mut domains.subjects, &endpoints.subjects);
        Self {
            attestations: attestation::build(context),
            content_folders: content_folder::build(context),
            domains,
            endpoints,
            export_files: export_file::build(context),
            forwarding_paths: forwarding_path::build(context, &forwarding_rules, &mailboxes),
            forwarding_rules,
            mailboxes,
            organizations: organization::build(context),
            partners: partner::build(context),
            registers: register::build(context),
            tenants: tenant::build(context),
            vendors: vendor::build(context),
        }
    }

    /// The subjects of one kind, ready for expressions, sorted by name.
    pub fn encoded(&self, kind: SubjectKind) -> Built<EncodedSubject> {
        fn encode<T: Subject>(built: &Built<T>) -> Built<EncodedSubject> {
            let mut subjects: Vec<_> = built.subjects.iter().map(Subject::encode_subject).collect();
            subjects.sort_by(|a, b| a.name.cmp(&b.name));
            Built { subjects, collection: built.collection.clone() }
        }
        match kind {
            SubjectKind::Attestation => encode(&self.attestations),
            SubjectKind::ContentFolder => encode(&self.content_folders),
            SubjectKind::Domain => encode(&self.domains),
            SubjectKind::Endpoint => encode(&self.endpoints),
            SubjectKind::ExportFile => encode(&self.export_files),
            SubjectKind::ForwardingPath => encode(&self.forwarding_paths),
            SubjectKind::ForwardingRule => encode(&self.forwarding_rules),
            SubjectKind::Mailbox => encode(&self.mailboxes),
            SubjectKind::Organization => encode(&self.organizations),
            SubjectKind::Partner => encode(&self.partners),
            SubjectKind::Register => encode(&self.registers),
            SubjectKind::Tenant => encode(&self.tenants),
            SubjectKind::Vendor => encode(&self.vendors),
        }
    }
}

/// The facts of every kind, as declared.
pub fn shapes() -> BTreeMap<SubjectKind, &'static [FactShape]> {
    BTreeMap::from([
        (SubjectKind::Attestation, attestation::Attestation::FACTS),
        (SubjectKind::ContentFolder, content_folder::ContentFolder::FACTS),
        (SubjectKind::Domain, domain::Domain::FACTS),
        (SubjectKind::Endpoint, endpoint::Endpoint::FACTS),
        (SubjectKind::ExportFile, export_file::ExportFile::FACTS),
        (SubjectKind::ForwardingPath, forwarding_path::ForwardingPath::FACTS),
        (SubjectKind::ForwardingRule, forwarding_rule::ForwardingRule::FACTS),
        (SubjectKind::Mailbox, mailbox::Mailbox::FACTS),
        (SubjectKind::Organization, organization::Organization::FACTS),
        (SubjectKind::Partner, partner::Partner::FACTS),
        (SubjectKind::Register, register::Register::FACTS),
        (SubjectKind::Tenant, tenant::Tenant::FACTS),
        (SubjectKind::Vendor, vendor::Vendor::FACTS),
    ])
}

/// The declared absent values of the facts of one kind, by fact.
pub fn absent_values(kind: SubjectKind) -> BTreeMap<&'static str, shape::Value> {
    match kind {
        SubjectKind::Attestation => attestation::Attestation::absent_values(),
        SubjectKind::ContentFolder => content_folder::ContentFolder::absent_values(),
        SubjectKind::Domain => domain::Domain::absent_values(),
        SubjectKind::Endpoint => endpoint::Endpoint::absent_values(),
        SubjectKind::ExportFile => export_file::ExportFile::absent_values(),
        SubjectKind::ForwardingPath => forwarding_path::ForwardingPath::absent_values(),
        SubjectKind::ForwardingRule => forwarding_rule::ForwardingRule::absent_values(),
        SubjectKind::Mailbox => mailbox::Mailbox::absent_values(),
        SubjectKind::Organization => organization::Organization::absent_values(),
        SubjectKind::Partner => partner::Partner::absent_values(),
        SubjectKind::Register => register::Register::absent_values(),
        SubjectKind::Tenant => tenant::Tenant::absent_values(),
        SubjectKind::Vendor => vendor::Vendor::absent_values(),
    }
}
