//! `assessment.json`, version 1: everything one assessment concluded, in types of its own.
//!
//! The order of fields here is the order in the file, lists are sorted by what makes them, and no
//! timing is in it, so the same evidence judged by the same version gives the same bytes. It
//! computes nothing beyond what `build` joins; it never judges.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

mod build;
pub mod controls;
mod convert;
pub mod decisions;
pub mod diff;
mod discovered;
mod elements;
mod exposure;
mod masked;
pub mod reported;
pub mod shown;
mod specifications;
pub mod words;

pub use crate::evidence::authentication::ReportMail;
use crate::risk::EvidenceItem;
pub use build::Inputs;
pub use controls::ControlsCovered;
pub use decisions::Decisions;
pub use diff::Diff;
pub use discovered::Discovered;
pub use elements::elements;
pub use exposure::{Exposure, ExposureChange, Individuals, LISTED, Logs, Notice, Opened};
pub use reported::Reported;
pub use shown::{Attested, MailAges, MailEstimate, MailSample, PatientsFound, RosterFound, Service};
pub use words::{
    ChangeClass, CoverageState, ElementState, Grade, Level, Obligation, Outcome, Severity, SpecificationState, Supports,
};

/// The version of every document here.
pub const SCHEMA: u32 = 1;

/// One assessment of one organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assessment {
    /// 1.
    pub schema: u32,
    /// `assessment`.
    pub kind: String,
    pub tool: Tool,
    pub organization: Organization,
    /// The moment everything is judged against: the end of collection, or `--as-of`.
    pub as_of: Timestamp,
    /// SHA-256 of the manifest; of the manifests' digests, sorted, where there are several.
    pub evidence_digest: String,
    /// Where the questions were asked from.
    pub vantages: Vec<Vantage>,
    pub declared: Declared,
    pub coverage: Coverage,
    /// Fail, needs review and not assessed: worst severity first, then check and subject.
    pub findings: Vec<Finding>,
    /// Controls in place, by check.
    pub passed: Vec<Passed>,
    /// Checks that apply to nothing here, by check.
    pub not_applicable: Vec<NotApplicable>,
    /// Worst residual first.
    pub risks: Vec<Risk>,
    /// Scenarios that cannot happen here, by id.
    pub risks_not_applicable: Vec<RiskNotApplicable>,
    /// By mailbox, the worst first.
    pub exposure: Vec<Exposure>,
    /// Most risk removed per effort first.
    pub plan: Vec<PlanItem>,
    /// Evidence to supply, what would change most first; `None` in a document that does not say.
    #[serde(default)]
    pub evidence_needed: Option<Vec<EvidenceItem>>,
    /// Risks that are high or more after the plan, worst first; `None` in a document that does not
    /// say.
    #[serde(default)]
    pub remaining: Option<Vec<Remaining>>,
    /// Domains that were found and that the scope does not name.
    #[serde(default)]
    pub discovered: Vec<Discovered>,
    /// Which controls of published guidance anything here speaks to.
    #[serde(default)]
    pub controls: ControlsCovered,
    /// What the organization decided, and how it stands.
    #[serde(default)]
    pub decisions: Decisions,
    /// The questionnaire with its newest answers, in the order it is asked.
    #[serde(default)]
    pub attested: Vec<Attested>,
    /// The age of mail that likely holds PHI, by mailbox.
    #[serde(default)]
    pub mail_ages: Vec<MailAges>,
    /// Where a sample stood for all mail: what it says of the whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail_samples: Vec<MailSample>,
    /// Where the practice gave its list of patients: how many of them the mail speaks of, at least.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<RosterFound>,
    /// What each mail and web service accepts, by host and port.
    #[serde(default)]
    pub services: Vec<Service>,
    /// The DKIM keys published now, or earlier under a selector that shows no record now, with the assessment
    /// that saw each first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim_keys: Vec<DkimKey>,
    /// The assessments before this one, as each told of those before it; oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// What others report of each domain: mail in its name, and TLS with its mail hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reported: Vec<Reported>,
    /// Mail that was searched for reports; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_mail: Option<ReportMail>,
    /// What changed since the assessment compared with; `None` where there is none.
    pub drift: Option<Diff>,
    /// The gates that hold, in order of precedence; empty where the exit code is 0.
    pub gates: Vec<Gate>,
    /// The nine elements of HHS's guidance on risk analysis (14 July 2010), in order.
    pub elements: Vec<Element>,
    /// Every standard and specification of the Security Rule, in the order of the rule.
    pub specifications: Vec<Specification>,
    /// Which subjects were known, by kind.
    pub subjects: BTreeMap<String, Subjects>,
    /// Findings that were resolved, so that a return is recognised; by fingerprint.
    pub closed: Vec<Closed>,
    /// By segment.
    pub evidence: Vec<EvidenceSegment>,
    /// How many values looked like identifiers of people and were masked, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masked: BTreeMap<String, usize>,
}

/// A DKIM key that is, or was, published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DkimKey {
    pub domain: String,
    pub selector: String,
    /// Of the key, whatever stands around it.
    pub sha256: String,
    /// As of which assessment it was first seen; it may be older.
    pub first_seen: Timestamp,
    /// Whether it is published as of this assessment.
    #[serde(default)]
    pub published: Published,
    /// `rsa` or `ed25519`; `None` where it cannot be read, or in a document that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Of an RSA key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// Where its selector was learned; empty in a document that does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learned: Vec<String>,
}

/// Whether a key is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published {
    /// Its selector was asked for, and shows no key.
    No,
    /// Its selector was not asked for, no answer came, or no selector of its domain that was asked for shows a
    /// key; also in a document that does not say.
    #[default]
    NotKnown,
    Yes,
}

/// An assessment before this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    pub as_of: Timestamp,
    pub tool: Tool,
    /// How many risks had each residual level; a level that none had is left out.
    pub risks: BTreeMap<Level, usize>,
}

impl Earlier {
    /// What later assessments keep of one.
    pub fn of(assessment: &Assessment) -> Self {
        let mut risks = BTreeMap::new();
        for risk in &assessment.risks {
            *risks.entry(risk.residual.risk).or_default() += 1;
        }
        Self { as_of: assessment.as_of, tool: assessment.tool.clone(), risks }
    }
}

/// What made the assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `mailassay`.
    pub name: String,
    pub version: String,
    /// The version or digest of the catalogue of checks.
    pub catalogue: String,
    /// The version of the risk model, with the rule for likelihood: `1.0 (lower-of-both)`.
    pub risk_model: String,
}

/// Who was assessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// Empty where the scope names none (a scan of bare domains).
    pub name: String,
    /// `covered-entity`, `business-associate`, `both`.
    pub role: Option<String>,
    /// Individuals whose information it holds, as declared.
    pub individuals: Option<u64>,
    /// Two-letter codes.
    pub states: Vec<String>,
}

/// Where the questions were asked from, and how far one can see from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vantage {
    pub label: String,
    pub resolvers: Vec<String>,
    /// Whether any host answered on port 25 from here; `None` where none was asked.
    pub port_25_reachable: Option<bool>,
    /// Test-network options in force, printed on the cover.
    pub test_network: Vec<String>,
    /// The end of this collection.
    pub as_of: Timestamp,
    /// Whether this collection came to its end.
    pub complete: bool,
}

/// What the report needs of the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub authorization: Option<Authorization>,
    pub domains: Vec<DeclaredDomain>,
    pub hosts: Vec<DeclaredHost>,
    pub portals: Vec<String>,
    pub partners: Vec<DeclaredPartner>,
    pub vendors: Vec<DeclaredVendor>,
    /// Labels of the export folders.
    pub exports: Vec<String>,
    pub messages: Vec<DeclaredMessages>,
    /// Labels of the files and folders of DMARC and TLS reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<String>,
    pub retention: Option<Retention>,
    pub answers: Option<String>,
    pub registers: Option<String>,
    /// SHA-256 of the scope file; empty for a scan of bare domains.
    pub scope_sha256: String,
}

/// Who allowed the examination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    pub granted_by: String,
    pub role: String,
    pub on: Date,
    pub until: Date,
    pub covers: Vec<String>,
    pub active_probes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredDomain {
    pub name: String,
    pub sends: bool,
    pub receives: bool,
    pub selectors: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredHost {
    pub name: String,
    pub ports: Vec<u16>,
    /// `us` or a vendor id.
    pub operated_by: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredPartner {
    pub domain: String,
    pub phi: bool,
    /// What can be relied on when mail is sent there, where it is known: `enforced`, `opportunistic`, `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_delivery: Option<String>,
    /// How its mail arrived; `None` where no mail was given, and where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<PartnerMail>,
}

/// How mail of a partner arrived, as the organization's own hosts recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerMail {
    /// Messages whose From names the domain, whoever wrote them.
    pub messages: u64,
    /// Those of which no own host surely tells how they arrived.
    pub untraced: u64,
    /// Those of the traced of which nothing shows that the domain handed them over itself.
    pub unproven: u64,
    /// Of those it provably handed over.
    pub tls: u64,
    pub clear: u64,
    pub not_told: u64,
    /// Of those over TLS.
    pub versions: BTreeMap<String, u64>,
    pub ciphers: BTreeMap<String, u64>,
    /// Of the traced, by method and result.
    pub results: BTreeMap<String, u64>,
    pub oldest: Option<Date>,
    pub newest: Option<Date>,
    /// Whether all mail given was read.
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredVendor {
    pub id: String,
    /// `content`, `metadata`, `nothing`.
    pub handles: Option<String>,
    pub agreement: Option<Agreement>,
}

/// A business associate agreement, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub signed: Date,
    pub expires: Option<Date>,
    pub file: Option<String>,
    /// `None` where the file was not there to be read.
    pub file_sha256: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredMessages {
    pub path: String,
    pub mailbox: String,
}

/// The organization's own decision on how long mail is kept. HIPAA sets no period for mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    pub mail_max_days: Option<u32>,
    /// For how many days mail that is a record must stay, and which mailboxes hold such mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_min_days: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub record_mailboxes: Vec<String>,
    pub phi_mailboxes: Vec<String>,
    pub decided: Option<Date>,
    pub file: Option<String>,
    pub file_sha256: Option<String>,
}

/// How much could be assessed. Counts checks, not subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Assessed of those that a declared source speaks to, in whole percent, rounded down.
    /// Not applicable and not provided count in neither figure; 0 where nothing is left.
    pub percent: u32,
    pub assessed: usize,
    pub partly_assessed: usize,
    pub not_assessed: usize,
    pub not_applicable: usize,
    pub not_provided: usize,
    /// By area of the catalogue: `transport`, `sender-identity`, …
    pub areas: BTreeMap<String, AreaCoverage>,
    /// By check.
    pub checks: Vec<CheckCoverage>,
}

/// As [`Coverage`], for one area.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AreaCoverage {
    pub percent: u32,
    pub assessed: usize,
    pub partly_assessed: usize,
    pub not_assessed: usize,
    pub not_applicable: usize,
    pub not_provided: usize,
}

/// How far one check could be assessed, counted in subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCoverage {
    pub check: String,
    pub title: String,
    pub area: String,
    pub subject: String,
    pub state: CoverageState,
    pub passed: usize,
    pub failed: usize,
    pub needs_review: usize,
    pub not_assessed: usize,
    pub not_applicable: usize,
    /// Why it does not apply, or was not provided.
    pub because: Option<String>,
    pub grade: Grade,
}

/// One conclusion that somebody has to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub check: String,
    /// The check's title: the good condition.
    pub title: String,
    pub area: String,
    /// The id in a reference catalogue, such as FWD-001.
    pub catalogue: Option<String>,
    pub subject: Subject,
    pub outcome: Outcome,
    pub severity: Severity,
    /// Rendered as plain text; markup is the output's concern.
    pub message: String,
    pub template: String,
    /// By path.
    pub values: BTreeMap<String, Value>,
    pub why: String,
    pub fix: String,
    /// What a person has to decide, where the outcome is `needs-review`.
    pub question: Option<String>,
    /// What is missing, where the outcome is `not-assessed`.
    pub gap: Option<Gap>,
    pub cites: Vec<Cite>,
    /// Observations: `dns.domain#12`.
    pub evidence: Vec<String>,
    pub grade: Grade,
    pub fingerprint: String,
    pub disposition: Disposition,
    /// The day of the first assessment that had it open.
    pub opened: Date,
    /// Calendar quarters it has been open, this one included; 1 without a history.
    pub age: u32,
}

/// One thing that was judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// `domain`, `mailbox`, …
    pub kind: String,
    pub name: String,
}

/// A value of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Text(String),
    List(Vec<String>),
    Group(BTreeMap<String, Value>),
}

/// What is missing, why, and what would close it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Paths of facts: `domain.dmarc`.
    pub missing: Vec<String>,
    /// The kind of reason: `timed-out`, `not-provided`, …
    pub reason: String,
    /// The reason in words.
    pub because: String,
    pub to_close: String,
}

/// A paragraph of the Security Rule that a check speaks to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cite {
    pub spec: String,
    pub supports: Supports,
}

/// What the organization decided about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Disposition {
    Accepted {
        by: String,
        until: Date,
    },
    /// An acceptance that ran out.
    Lapsed,
    Open,
}

/// A control in place: the subjects that passed one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub check: String,
    pub title: String,
    pub area: String,
    pub count: usize,
    /// The first 20, by name.
    pub subjects: Vec<String>,
    /// The first 20 observations it rests on.
    pub evidence: Vec<String>,
    /// SHA-256 over all observations it rests on.
    pub evidence_sha256: String,
    pub grade: Grade,
    pub cites: Vec<Cite>,
}

/// A check that applies to nothing here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotApplicable {
    pub check: String,
    pub title: String,
    pub area: String,
    pub because: String,
}

/// Likelihood, impact and the risk they make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub likelihood: Level,
    pub impact: Level,
    pub risk: Level,
}

/// One row of the risk register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    pub id: String,
    /// The scenario's id in the model.
    pub scenario: String,
    pub title: String,
    pub statement: String,
    pub assets: Vec<String>,
    pub threat: String,
    /// Fingerprints of the failed and unassessed findings it rests on.
    pub vulnerabilities: Vec<String>,
    /// Checks that lower it and held.
    pub controls: Vec<String>,
    pub inherent: Position,
    pub residual: Position,
    pub target: Position,
    /// The worst grade of evidence that earned credit.
    pub confidence: Grade,
    /// What the impact rests on.
    #[serde(default)]
    pub impact_grade: Option<Grade>,
    /// From inputs to level, one step a line.
    pub explain: Vec<String>,
    /// Inputs whose one-step move would change the residual level.
    pub tips_on: Vec<String>,
    /// `mitigate`, `accept`, `transfer`, `avoid`, `undecided`.
    pub treatment: String,
    pub owner: Option<String>,
    pub due: Option<Date>,
}

/// A scenario that cannot happen here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskNotApplicable {
    pub scenario: String,
    pub title: String,
    pub because: String,
}

/// A risk that stays high after the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// The risk's id.
    pub risk: String,
    pub title: String,
    pub target: Level,
    /// What keeps it there.
    pub why: String,
}

/// One item of the risk management plan (45 CFR 164.308(a)(1)(ii)(B)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    pub id: String,
    pub check: String,
    pub title: String,
    pub action: String,
    /// Paragraphs of the Security Rule it serves.
    pub specs: Vec<String>,
    /// Ids of the risks it bears on.
    pub risks: Vec<String>,
    /// Fingerprints.
    pub findings: Vec<String>,
    /// How many subjects fail.
    pub subjects: usize,
    pub severity: Severity,
    /// `small`, `medium`, `large`.
    pub effort: String,
    /// Steps of risk level removed over all risks if this item alone were done.
    pub reduction: u32,
    /// Steps of the chance of success removed over all risks if this item alone were done.
    pub eases: u32,
    /// The first day any of its findings was open.
    pub opened: Date,
    /// Calendar quarters the oldest of its findings has been open.
    pub age: u32,
    pub owner: Option<String>,
    pub due: Option<Date>,
    pub status: String,
    /// How often its due date was moved to a later day.
    #[serde(default)]
    pub deferrals: u32,
    #[serde(default)]
    pub milestones: Vec<crate::evidence::decisions::Milestone>,
    #[serde(default)]
    pub comment: Option<String>,
}

/// A condition that decides the exit code. Only those that hold are listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// `usage`, `runtime`, `interrupted`, `findings`, `drift`, `coverage`.
    pub gate: String,
    pub exit_code: u8,
    pub why: String,
}

/// One of the nine elements of HHS's guidance on risk analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// 1 to 9.
    pub number: u8,
    pub title: String,
    pub state: ElementState,
    /// What fills it, or what is missing.
    pub why: String,
}

/// What the evidence says of one standard or specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specification {
    /// `164.312(e)(2)(ii)`.
    pub id: String,
    pub title: String,
    /// `administrative`, `physical`, `technical`, `organizational`, `documentation`.
    pub category: String,
    pub obligation: Obligation,
    pub status: SpecificationState,
    /// Which checks speak to it, by check.
    pub by: Vec<SpecificationBasis>,
}

/// One check that speaks to a specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecificationBasis {
    pub check: String,
    pub supports: Supports,
    pub state: CoverageState,
    pub passed: usize,
    pub failed: usize,
    /// Not assessed or waiting for a person.
    pub unknown: usize,
    pub grade: Grade,
}

/// The subjects of one kind that were known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subjects {
    pub count: usize,
    /// Whether these are all of them.
    pub complete: bool,
    /// Why they are not.
    pub because: Option<String>,
    /// By name, at most 10,000; a subject beyond that is never said to be gone.
    pub names: Vec<String>,
}

/// A finding that was resolved in an earlier assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub fingerprint: String,
    pub check: String,
    pub subject: Subject,
    pub on: Date,
}

/// One file of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceSegment {
    pub name: String,
    /// The vantage it was collected from.
    pub vantage: String,
    pub source: String,
    /// The subject kind.
    pub kind: String,
    pub observations: usize,
    pub sha256: String,
    pub grade: Grade,
}

#[cfg(test)]
mod tests;
