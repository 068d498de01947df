//! One view of everything: an [`Assessment`] as the pages tell it.
//!
//! Plain structs of text for the templates of every format. Text here is raw: whatever shows it
//! escapes it. The model groups, counts and words; it judges nothing and reads nothing but the
//! assessment, so a stored assessment gives the same pages again.

mod controls;
mod coverage;
mod decided;
mod exposure;
mod findings;
mod front;
mod glossary;
mod method;
mod places;
mod plain;
mod reported;
mod risks;
mod rule;
mod sections;
mod shown;
pub mod words;

use serde::Serialize;

use crate::report::enforcement::{self, CasesView};
use crate::report::json::v1::Assessment;

pub use coverage::{Area, GapGroup, GradeWord, Hop, Measure, hop_grades};
pub use findings::{FindingGroup, Member, RawFinding};
pub use front::{About, Control, Decision, Figure};
pub(crate) use front::{masked, state};
pub use glossary::Term;
pub use method::{Method, follows_published_table, published_level};
pub use places::{Places, Vendor};
pub use risks::{PlanRow, RiskCount, RiskView, Threat};
pub use rule::{MatrixRow, StatusCount};
pub use sections::{MissingElement, Section, Sections};
pub use words::Tag;

/// Subjects and observations shown for one check before the rest is only counted.
pub const SHOWN: usize = 20;
/// A single text is shown up to so many characters; the whole of it is in assessment.json.
pub const TEXT_SHOWN: usize = 2_000;
/// Raw findings listed in the appendix before the rest is only counted.
pub const RAW_SHOWN: usize = 300;

/// Everything a page shows, in the order of its sections.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    pub about: About,
    /// For the index.
    pub contents: Vec<Section>,
    pub sections: Sections,
    pub missing_headline: String,
    pub missing: Vec<MissingElement>,
    pub figures: Vec<Figure>,
    pub decisions: Vec<Decision>,
    /// What is not known, in one sentence.
    pub unknown_line: String,
    pub control: Vec<Control>,
    pub risk_counts: Vec<RiskCount>,
    pub top_risks: Vec<RiskView>,
    /// The worst three, for the first screen.
    pub first_risks: Vec<RiskView>,
    pub areas: Vec<Area>,
    pub grades: Vec<GradeWord>,
    pub limits: Vec<String>,
    pub limits_line: String,
    pub places: Places,
    pub hops: Vec<Hop>,
    pub method: Method,
    pub threats: Vec<Threat>,
    pub scenarios_not_applicable: Vec<Threat>,
    pub measures: Vec<Measure>,
    pub findings: Vec<FindingGroup>,
    pub finding_counts: Vec<RiskCount>,
    pub gaps: Vec<GapGroup>,
    pub not_applicable: Vec<coverage::Aside>,
    pub not_provided: Vec<coverage::Aside>,
    pub risks: Vec<RiskView>,
    pub cells: Vec<risks::CellList>,
    /// What opens if one mailbox is phished, in full.
    pub exposed: exposure::ExposedView,
    /// Evidence to supply, and risks that stay high after the plan.
    pub needed: exposure::NeededView,
    pub statuses: Vec<StatusCount>,
    pub matrix: Vec<MatrixRow>,
    pub plan: Vec<PlanRow>,
    pub accepted: Vec<findings::AcceptedRow>,
    pub accepted_rest: Option<String>,
    /// What no check, question or reader speaks to.
    pub controls: controls::ControlsView,
    /// What the organization decided.
    pub decided: decided::DecidedView,
    pub attestations: Vec<coverage::AttestationRow>,
    pub attested: shown::AttestedView,
    pub ages: shown::AgesView,
    /// What a sample of mail says of all of it, and how many known patients mail speaks of.
    pub estimates: Vec<String>,
    pub services: Vec<shown::ServiceRow>,
    pub services_rest: Option<String>,
    /// What others report of each domain.
    pub reported: reported::ReportedView,
    /// The keys that sign mail.
    pub signing: reported::SigningView,
    /// The figure of the risks over time in words; `None` where nothing was compared.
    pub trend_words: Option<String>,
    /// The plan over time in words.
    pub timeline_words: Option<String>,
    /// Risks high or very high, ready to be signed.
    pub to_sign: Vec<shown::ToSign>,
    /// Said where no acceptable level of risk is recorded.
    pub no_appetite: Option<String>,
    pub drift: Option<places::Drift>,
    pub evidence: Vec<places::EvidenceRow>,
    pub assumptions: Vec<String>,
    pub raw: Vec<RawFinding>,
    pub raw_rest: Option<String>,
    pub glossary: &'static [Term],
    /// Cases of enforcement; empty where nobody asked for them.
    pub cases: CasesView,
}

impl Page {
    /// The same with the cases of the appendix on enforcement.
    pub fn with_cases(self) -> Self {
        Self { cases: enforcement::cases(), ..self }
    }

    /// The page of an assessment.
    pub fn of(assessment: &Assessment) -> Self {
        let groups = findings::group(assessment);
        let risks = risks::views(assessment, &groups);
        let sections = sections::sections(assessment);
        let missing = sections::missing(assessment);
        let (raw, raw_rest) = findings::raw(assessment);
        let limits = front::limits(assessment);
        let accepted = findings::accepted(assessment);
        Self {
            about: front::about(assessment),
            contents: sections.in_order(),
            sections,
            missing_headline: sections::missing_headline(missing.len()),
            missing,
            figures: front::figures(assessment),
            decisions: front::decisions(assessment, &risks, &groups),
            unknown_line: coverage::unknown_line(assessment),
            control: front::control(assessment),
            risk_counts: risks::counts(assessment),
            first_risks: risks.iter().take(3).cloned().collect(),
            top_risks: risks.iter().take(5).cloned().collect(),
            areas: coverage::areas(assessment),
            grades: coverage::grades(),
            limits_line: front::limits_line(assessment),
            limits,
            places: places::places(assessment, &groups),
            hops: coverage::hops(assessment),
            method: method::method(assessment),
            threats: risks::threats(assessment),
            scenarios_not_applicable: risks::not_applicable(assessment),
            measures: coverage::measures(assessment),
            finding_counts: findings::counts(assessment),
            gaps: coverage::gaps(assessment),
            not_applicable: coverage::not_applicable(assessment),
            not_provided: coverage::not_provided(assessment),
            cells: risks::cells(&risks),
            exposed: exposure::exposed(assessment),
            needed: exposure::needed(assessment),
            statuses: rule::statuses(assessment),
            matrix: rule::matrix(assessment),
            plan: risks::plan(assessment, &risks),
            accepted: accepted.0,
            accepted_rest: accepted.1,
            controls: controls::controls(assessment),
            decided: decided::decided(assessment),
            attestations: coverage::attestations(assessment),
            attested: shown::attested(assessment),
            ages: shown::ages(assessment),
            estimates: shown::estimates(assessment),
            services: shown::services(assessment),
            services_rest: shown::services_rest(assessment),
            reported: reported::reported(assessment),
            signing: reported::signing(assessment),
            trend_words: shown::trend_words(assessment),
            timeline_words: shown::timeline_words(assessment),
            to_sign: shown::to_sign(assessment),
            no_appetite: shown::appetite(assessment),
            drift: places::drift(assessment),
            evidence: places::evidence(assessment),
            assumptions: coverage::assumptions(assessment),
            raw,
            raw_rest,
            glossary: glossary::GLOSSARY,
            cases: CasesView::default(),
            risks,
            findings: groups,
        }
    }
}
