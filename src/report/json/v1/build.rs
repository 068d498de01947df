//! Joins what the engine concluded into the document. It copies, sorts, counts and renders; the
//! judging is done.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::convert::{gap, grade_of_segment};
use super::{
    AreaCoverage, Assessment, CheckCoverage, Coverage, CoverageState, EvidenceSegment, Exposure, Finding, Grade,
    NotApplicable, Organization, Outcome, Passed, PlanItem, Risk, RiskNotApplicable, SCHEMA, Severity, Subject,
    Subjects, Tool, Vantage, convert, specifications,
};
use crate::assess::Judgement;
use crate::checks::controls::Controls;
use crate::clock::date_of;
use crate::decisions::{Due, Weights};
use crate::evidence::{Answer, Evidence, Manifest, Segment, Source};
use crate::facts::{Collection, Facts};
use crate::finding;
use crate::names::SubjectKind;
use crate::risk::{Cards, RiskAnalysis, SecurityRule};

/// A subject list in the document is at most this long.
const SUBJECT_NAMES: usize = 10_000;

/// Everything one assessment is made of.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// What it rests on; several collections are joined before.
    pub evidence: &'a Evidence,
    /// The moment everything is judged against.
    pub as_of: Timestamp,
    pub facts: &'a Facts,
    /// The texts of the checks: `risk::cards(&catalog)`.
    pub cards: &'a Cards,
    /// The version of the catalogue, with a digest where it may differ under one version.
    pub catalogue: &'a str,
    pub judgement: &'a Judgement,
    pub analysis: &'a RiskAnalysis,
    pub rule: &'a SecurityRule,
    /// Which controls of published guidance are carried.
    pub controls: &'a Controls,
    /// What was decided, weighed.
    pub weights: &'a Weights,
    /// What falls due.
    pub due: &'a [Due],
}

impl Assessment {
    /// Joins everything. Drift, ages and gates come later, with `history::compare` and
    /// `verdict::judge`: they need another assessment, and the finished one.
    pub fn new(inputs: Inputs<'_>) -> Self {
        let Inputs { evidence, as_of, facts, cards, judgement, analysis, .. } = inputs;
        let declared = evidence.declared().ok().map(|(_, declared)| declared);
        let findings = findings(inputs);
        let (reported, report_mail) = super::reported::reported(evidence, as_of);
        let mut assessment = Self {
            schema: SCHEMA,
            kind: "assessment".to_owned(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                catalogue: inputs.catalogue.to_owned(),
                risk_model: analysis.model.clone(),
            },
            organization: declared.and_then(|declared| declared.organization.as_ref()).map_or_else(
                || Organization { name: String::new(), role: None, individuals: None, states: Vec::new() },
                Organization::from,
            ),
            as_of,
            evidence_digest: evidence.digest.clone(),
            vantages: evidence.manifests.iter().map(vantage).collect(),
            declared: super::shown::with_partner_mail(
                declared.map_or_else(Default::default, Into::into),
                evidence,
                facts,
            ),
            coverage: coverage(judgement, cards),
            passed: passed(judgement, cards),
            not_applicable: not_applicable(judgement, cards),
            risks: analysis.risks.iter().map(Risk::from).collect(),
            risks_not_applicable: analysis.not_applicable.iter().map(RiskNotApplicable::from).collect(),
            exposure: analysis.exposure.iter().map(Exposure::from).collect(),
            plan: plan(analysis, cards, date_of(as_of)),
            evidence_needed: Some(analysis.evidence_needed.clone()),
            remaining: Some(analysis.remaining.iter().map(super::Remaining::from).collect()),
            discovered: super::discovered::discovered(evidence, facts),
            findings,
            decisions: super::Decisions::new(evidence, inputs.weights, inputs.due),
            controls: inputs.controls.into(),
            attested: super::shown::attested(evidence, facts, as_of),
            mail_ages: super::shown::mail_ages(evidence),
            mail_samples: super::shown::mail_samples(evidence),
            roster: super::shown::roster(evidence),
            services: super::shown::services(facts),
            dkim_keys: Vec::new(),
            earlier: Vec::new(),
            reported,
            report_mail,
            drift: None,
            gates: Vec::new(),
            elements: Vec::new(),
            specifications: specifications::specifications(inputs.rule, cards, judgement),
            subjects: subjects(facts),
            closed: Vec::new(),
            evidence: segments(evidence),
            masked: BTreeMap::new(),
        };
        assessment.elements = super::elements(&assessment);
        assessment.masked()
    }
}

fn vantage(manifest: &Manifest) -> Vantage {
    Vantage {
        label: manifest.vantage.label.clone(),
        resolvers: manifest.vantage.resolvers.clone(),
        port_25_reachable: manifest.vantage.port_25_reachable,
        test_network: manifest.vantage.test_network.clone(),
        as_of: manifest.as_of,
        complete: manifest.complete,
    }
}

fn segments(evidence: &Evidence) -> Vec<EvidenceSegment> {
    let several = evidence.manifests.len() > 1;
    let of = |(number, manifest): (usize, &Manifest)| {
        let describe = |segment: &Segment| EvidenceSegment {
            // As observations are named after joining: `2/dns.domain`.
            name: if several { format!("{}/{}", number + 1, segment.name) } else { segment.name.clone() },
            vantage: manifest.vantage.label.clone(),
            source: segment.source.as_str().to_owned(),
            kind: segment.subject_kind.as_str().to_owned(),
            observations: segment.observations,
            sha256: segment.sha256.clone(),
            grade: grade_of_segment(&segment.name),
        };
        manifest.segments.iter().map(describe).collect::<Vec<_>>()
    };
    let mut segments: Vec<_> = evidence.manifests.iter().enumerate().flat_map(of).collect();
    segments.sort_by(|a, b| (&a.name, &a.vantage, &a.sha256).cmp(&(&b.name, &b.vantage, &b.sha256)));
    segments
}

fn findings(inputs: Inputs<'_>) -> Vec<Finding> {
    let with_file = answers_with_file(inputs.evidence);
    let opened = date_of(inputs.as_of);
    let mut findings: Vec<Finding> = inputs
        .judgement
        .findings
        .iter()
        .map(|found| {
            let card = inputs.cards.get(&found.check);
            let text =
                |read: fn(&crate::risk::Card) -> &String| card.map_or_else(String::new, |card| read(card).clone());
            let (question, gap) = match &found.outcome {
                finding::Outcome::NeedsReview { question } => (Some(question.clone()), None),
                finding::Outcome::NotAssessed(missing) => (None, Some(gap(missing))),
                finding::Outcome::Fail | finding::Outcome::NotApplicable { .. } | finding::Outcome::Pass => {
                    (None, None)
                }
            };
            Finding {
                check: found.check.clone(),
                title: text(|card| &card.title),
                area: text(|card| &card.area),
                catalogue: card.and_then(|card| card.catalogue.clone()),
                subject: Subject::from(&found.subject),
                outcome: Outcome::from(&found.outcome),
                severity: found.severity.into(),
                message: found.message.render(),
                template: found.message.template.clone(),
                values: found.message.values.iter().map(|(path, value)| (path.clone(), value.into())).collect(),
                why: text(|card| &card.why),
                fix: text(|card| &card.fix),
                question,
                gap,
                cites: card.map_or_else(Vec::new, convert::cites),
                evidence: found.evidence.iter().map(|id| id.as_str().to_owned()).collect(),
                grade: grade(found, inputs.judgement, &with_file),
                fingerprint: found.fingerprint.as_str().to_owned(),
                disposition: (&found.disposition).into(),
                opened,
                age: 1,
            }
        })
        .collect();
    findings.sort_by(|a, b| {
        (b.severity, &a.check, &a.subject, &a.fingerprint).cmp(&(a.severity, &b.check, &b.subject, &b.fingerprint))
    });
    findings
}

/// The answers that name a file which was there to be read: grade D instead of E.
fn answers_with_file(evidence: &Evidence) -> BTreeSet<String> {
    evidence
        .from(Source::Answers)
        .filter(
            |(_, observation)| matches!(&observation.answer, Ok(Answer::Answer(row)) if row.evidence_sha256.is_some()),
        )
        .map(|(id, _)| id.as_str().to_owned())
        .collect()
}

fn grade(found: &finding::Finding, judgement: &Judgement, with_file: &BTreeSet<String>) -> Grade {
    if matches!(found.outcome, finding::Outcome::NotAssessed(_)) {
        return Grade::U;
    }
    let of = |id: &crate::evidence::EvidenceId| match grade_of_segment(id.segment()) {
        Grade::E if with_file.contains(id.as_str()) => Grade::D,
        grade @ (Grade::A | Grade::B | Grade::C | Grade::D | Grade::E | Grade::U) => grade,
    };
    let worst = found.evidence.iter().map(of).max();
    worst.unwrap_or_else(|| judgement.coverage.get(&found.check).map_or(Grade::U, |coverage| coverage.grade.into()))
}

fn passed(judgement: &Judgement, cards: &Cards) -> Vec<Passed> {
    let mut passed: Vec<Passed> = judgement
        .passed
        .iter()
        .map(|passed| {
            let card = cards.get(&passed.check);
            Passed {
                check: passed.check.clone(),
                title: card.map_or_else(String::new, |card| card.title.clone()),
                area: card.map_or_else(String::new, |card| card.area.clone()),
                count: passed.count,
                subjects: passed.subjects.clone(),
                evidence: passed.evidence.iter().map(|id| id.as_str().to_owned()).collect(),
                evidence_sha256: passed.evidence_sha256.clone(),
                grade: passed.grade.into(),
                cites: card.map_or_else(Vec::new, convert::cites),
            }
        })
        .collect();
    passed.sort_by(|a, b| a.check.cmp(&b.check));
    passed
}

fn not_applicable(judgement: &Judgement, cards: &Cards) -> Vec<NotApplicable> {
    judgement
        .coverage
        .iter()
        .filter(|(_, coverage)| CoverageState::from(coverage.state) == CoverageState::NotApplicable)
        .map(|(check, coverage)| NotApplicable {
            check: check.clone(),
            title: cards.get(check).map_or_else(String::new, |card| card.title.clone()),
            area: coverage.area.clone(),
            because: coverage.because.clone().unwrap_or_else(|| "it applies to none of the subjects".to_owned()),
        })
        .collect()
}

fn coverage(judgement: &Judgement, cards: &Cards) -> Coverage {
    let mut all = AreaCoverage::default();
    let mut areas: BTreeMap<String, AreaCoverage> = BTreeMap::new();
    let mut checks = Vec::new();
    for (check, coverage) in &judgement.coverage {
        let state = CoverageState::from(coverage.state);
        all.count(state);
        areas.entry(coverage.area.clone()).or_default().count(state);
        checks.push(CheckCoverage {
            check: check.clone(),
            title: cards.get(check).map_or_else(String::new, |card| card.title.clone()),
            area: coverage.area.clone(),
            subject: coverage.subject.as_str().to_owned(),
            state,
            passed: coverage.passed,
            failed: coverage.failed,
            needs_review: coverage.needs_review,
            not_assessed: coverage.not_assessed,
            not_applicable: coverage.not_applicable,
            because: coverage.because.clone(),
            grade: coverage.grade.into(),
        });
    }
    let AreaCoverage { percent, assessed, partly_assessed, not_assessed, not_applicable, not_provided } = all;
    Coverage { percent, assessed, partly_assessed, not_assessed, not_applicable, not_provided, areas, checks }
}

impl AreaCoverage {
    fn count(&mut self, state: CoverageState) {
        *match state {
            CoverageState::Assessed => &mut self.assessed,
            CoverageState::NotApplicable => &mut self.not_applicable,
            CoverageState::NotAssessed => &mut self.not_assessed,
            CoverageState::NotProvided => &mut self.not_provided,
            CoverageState::PartlyAssessed => &mut self.partly_assessed,
        } += 1;
        let counted = self.assessed + self.partly_assessed + self.not_assessed;
        let percent = (self.assessed * 100).checked_div(counted).unwrap_or(0);
        self.percent = u32::try_from(percent).expect("a share of the whole is at most 100 percent");
    }
}

fn plan(analysis: &RiskAnalysis, cards: &Cards, opened: Date) -> Vec<PlanItem> {
    analysis
        .plan
        .iter()
        .map(|item| PlanItem {
            id: item.id.clone(),
            check: item.check.clone(),
            title: cards.get(&item.check).map_or_else(String::new, |card| card.title.clone()),
            action: item.action.clone(),
            specs: item.specs.clone(),
            risks: item.risks.clone(),
            findings: item.findings.iter().map(|fingerprint| fingerprint.as_str().to_owned()).collect(),
            subjects: item.subjects,
            severity: Severity::from(item.severity),
            effort: item.effort.clone(),
            reduction: item.reduction,
            eases: item.eases,
            opened,
            age: 1,
            owner: item.owner.clone(),
            due: item.due,
            status: item.status.clone(),
            deferrals: item.deferrals,
            milestones: item.milestones.clone(),
            comment: item.comment.clone(),
        })
        .collect()
}

fn subjects(facts: &Facts) -> BTreeMap<String, Subjects> {
    let of = |kind: SubjectKind| -> Subjects {
        macro_rules! of {
            ($field:ident) => {
                (
                    facts.$field.subjects.iter().map(|subject| subject.name.as_str()).collect::<BTreeSet<_>>(),
                    &facts.$field.collection,
                )
            };
        }
        let (names, collection) = match kind {
            SubjectKind::Attestation => of!(attestations),
            SubjectKind::ContentFolder => of!(content_folders),
            SubjectKind::Domain => of!(domains),
            SubjectKind::Endpoint => of!(endpoints),
            SubjectKind::ExportFile => of!(export_files),
            SubjectKind::ForwardingPath => of!(forwarding_paths),
            SubjectKind::ForwardingRule => of!(forwarding_rules),
            SubjectKind::Mailbox => of!(mailboxes),
            SubjectKind::Organization => of!(organizations),
            SubjectKind::Partner => of!(partners),
            SubjectKind::Register => of!(registers),
            SubjectKind::Tenant => of!(tenants),
            SubjectKind::Vendor => of!(vendors),
        };
        let (complete, because) = match collection {
            Collection::Complete => (true, None),
            Collection::Incomplete(reason) => (false, Some(reason.to_string())),
            Collection::NotDeclared(why) => (false, Some(why.clone())),
        };
        Subjects {
            count: names.len(),
            complete,
            because,
            names: names.into_iter().take(SUBJECT_NAMES).map(str::to_owned).collect(),
        }
    };
    SubjectKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), of(kind))).collect()
}
