//! From judged facts to the risk register: for each scenario the likelihood without controls, now
//! and after the plan, the impact, and the trace that leads there.
//!
//! Two directions hold whatever the input: a failing finding never lowers a risk, and taking
//! evidence away never raises a credit. Order of input never matters.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use uuid::Uuid;

use super::card::Cards;
use super::control::{Control, controls};
use super::impact::{self, Impact, Scanned};
use super::known::{Known, SHOWN};
use super::likelihood::{Success, success};
use super::model::Model;
use super::scenario::Scenario;
use super::{Level, Position, Risk, RiskAnalysis, RiskNotApplicable, exposure, needed, plan, statement};
use crate::assess::{Grade, Judgement};
use crate::facts::Facts;
use crate::finding::Fingerprint;
use crate::names::SubjectKind;

/// Analyses what was judged, as of a day.
pub fn analyse(model: &Model, cards: &Cards, judgement: &Judgement, facts: &Facts, today: Date) -> RiskAnalysis {
    analyse_known(model, cards, judgement, &Known::from(facts), today)
}

pub(super) fn analyse_known(
    model: &Model,
    cards: &Cards,
    judgement: &Judgement,
    known: &Known,
    today: Date,
) -> RiskAnalysis {
    let scanned = Scanned::read(known);
    let controls = controls(model, cards, judgement, known, &scanned);
    let mut rows = Vec::new();
    let mut not_applicable = Vec::new();
    for scenario in &model.scenarios {
        match why_not(scenario, &controls, known) {
            Some(because) => not_applicable.push(RiskNotApplicable {
                scenario: scenario.id.clone(),
                title: scenario.title.clone(),
                because,
            }),
            None => rows.push(Row::new(model, scenario, &controls, known, &scanned)),
        }
    }
    let plan = plan::plan(model, cards, judgement, &rows);
    let evidence_needed = needed::evidence(model, judgement, &rows);
    let remaining = needed::remaining(model, cards, &rows);
    rows.sort_by(|a, b| b.order(model).cmp(&a.order(model)));
    RiskAnalysis {
        model: model.name(),
        risks: rows.iter().map(|row| row.risk(model, cards, known)).collect(),
        plan,
        evidence_needed,
        remaining,
        exposure: exposure::exposure(model, known, &scanned, today),
        not_applicable,
    }
}

/// One scenario with all that its risk is made of.
pub(super) struct Row<'m> {
    pub(super) scenario: &'m Scenario,
    /// The controls that apply, by check.
    pub(super) controls: BTreeMap<&'m str, Control>,
    impact: Impact,
    now: Success,
    then: Success,
}

impl<'m> Row<'m> {
    fn new(
        model: &Model,
        scenario: &'m Scenario,
        controls: &BTreeMap<String, Control>,
        known: &Known,
        scanned: &Scanned,
    ) -> Self {
        let controls: BTreeMap<&str, Control> =
            scenario.checks().filter_map(|check| Some((check, controls.get(check)?.clone()))).collect();
        let mended = controls.iter().map(|(&check, control)| (check, control.mended())).collect();
        Self {
            scenario,
            impact: impact::impact(model, scenario, known, scanned),
            now: success(model, scenario, &controls),
            then: success(model, scenario, &mended),
            controls,
        }
    }

    /// The id of its risk: stable as long as scenario and asset group are.
    pub(super) fn id(&self) -> String {
        let name = format!("mailassay:risk:{}:{}", self.scenario.id, self.scenario.assets);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string()
    }

    /// Likelihood, impact and risk for a chance of success.
    pub(super) fn position(&self, model: &Model, success: Level) -> Position {
        let likelihood = model.likelihood(self.scenario.initiation.level, success);
        let impact = self.impact.level;
        Position { likelihood, impact, risk: model.risk_table.at(likelihood, impact) }
    }

    /// The chance of success now.
    pub(super) fn success_now(&self) -> Level {
        self.now.level
    }

    /// The chance of success if every control held everywhere, for the checks that decide: those
    /// without which the scenario cannot get better.
    pub(super) fn best_success(&self, model: &Model, check: &str) -> Level {
        let decides = self.scenario.primary.iter().chain(&self.scenario.open_path).any(|named| named == check);
        if !decides {
            return self.now.level;
        }
        self.best_success_of_all(model)
    }

    /// The chance of success if every control held everywhere.
    pub(super) fn best_success_of_all(&self, model: &Model) -> Level {
        let ideal = self.controls.iter().map(|(&check, control)| (check, control.ideal())).collect();
        success(model, self.scenario, &ideal).level
    }

    /// The chance of success if what is not known of these checks were shown to hold.
    pub(super) fn success_if_shown(&self, model: &Model, checks: &BTreeSet<&str>) -> Level {
        let shown = |(&check, control): (&&'m str, &Control)| {
            (check, if checks.contains(check) { control.shown() } else { control.clone() })
        };
        let controls = self.controls.iter().map(shown).collect();
        success(model, self.scenario, &controls).level
    }

    /// After the open items of the plan.
    pub(super) fn target(&self, model: &Model) -> Position {
        self.position(model, self.then.level)
    }

    /// The chance of success if one check's open failures were mended.
    pub(super) fn success_without(&self, model: &Model, check: &str) -> Level {
        let mut controls = self.controls.clone();
        if let Some(control) = controls.get_mut(check) {
            *control = control.mended();
        }
        success(model, self.scenario, &controls).level
    }

    /// For sorting: the worst is greatest; the score never leaves this function.
    fn order(&self, model: &Model) -> (Level, u32, u64, std::cmp::Reverse<&str>) {
        let residual = self.position(model, self.now.level);
        let score = model.scores[residual.likelihood.index()] * model.scores[residual.impact.index()];
        let individuals = self.impact.count.as_ref().and_then(|count| count.individuals).unwrap_or(u64::MAX);
        (residual.risk, score, individuals, std::cmp::Reverse(&self.scenario.id))
    }

    fn risk(&self, model: &Model, cards: &Cards, known: &Known) -> Risk {
        let inherent = self.position(model, self.scenario.success);
        let residual = self.position(model, self.now.level);
        let vulnerabilities: BTreeSet<Fingerprint> =
            self.controls.values().flat_map(|control| control.findings.iter().cloned()).collect();
        let confidence = self.confidence();
        Risk {
            id: self.id(),
            scenario: self.scenario.id.clone(),
            title: self.scenario.title.clone(),
            statement: statement::statement(model, self.scenario, &self.controls, cards, self.impact.count.as_ref()),
            assets: assets(self.scenario, known),
            threat: format!("{} ({})", self.scenario.threat.event, self.scenario.threat.source.as_str()),
            vulnerabilities: vulnerabilities.into_iter().collect(),
            controls: self.now.held.clone(),
            inherent,
            residual,
            target: self.target(model),
            confidence,
            impact_grade: self.impact.grade,
            tips_on: self.tips_on(model),
            explain: self.explain(model, confidence),
            treatment: "undecided".to_owned(),
            owner: None,
            due: None,
        }
    }

    /// The worst grade that earned credit; U where nothing did and where what is counted is unknown.
    fn confidence(&self) -> Grade {
        let uncounted = self.impact.count.as_ref().is_some_and(|count| count.individuals.is_none());
        if uncounted { Grade::U } else { self.now.grade.unwrap_or(Grade::U) }
    }

    fn explain(&self, model: &Model, confidence: Grade) -> Vec<String> {
        let start = &self.scenario.initiation;
        let residual = self.position(model, self.now.level);
        let mut lines = vec![
            format!(
                "likelihood of an attempt: {} ({}; {}, {})",
                start.level.in_words(),
                start.reason,
                start.source,
                start.date
            ),
            format!("chance of success without controls: {}", self.scenario.success.in_words()),
        ];
        lines.extend(self.scenario.moved.iter().map(|text| crate::text::visible(text)));
        lines.extend(self.now.explain.iter().cloned());
        lines.push(format!("chance of success now: {}", self.now.level.in_words()));
        lines.push(format!(
            "likelihood = {} of attempt {} and success {} = {}",
            match model.likelihood {
                super::LikelihoodRule::LowerOfBoth => "the lower",
                super::LikelihoodRule::NistG5 => "table G-5 of NIST SP 800-30r1",
            },
            start.level.in_words(),
            self.now.level.in_words(),
            residual.likelihood.in_words()
        ));
        lines.extend(self.impact.explain.iter().cloned());
        lines.push(format!(
            "risk = table I-2 of NIST SP 800-30r1 at likelihood {}, impact {} = {}",
            residual.likelihood.in_words(),
            residual.impact.in_words(),
            residual.risk.in_words()
        ));
        if self.then.level != self.now.level {
            lines.push(format!(
                "after the open items of the plan: success {}, risk {}",
                self.then.level.in_words(),
                self.position(model, self.then.level).risk.in_words()
            ));
        }
        let uncounted = self.impact.count.as_ref().is_some_and(|count| count.individuals.is_none());
        let why = match confidence {
            Grade::U if !self.controls.values().any(Control::seen) => {
                "none of its checks could be assessed, so the level stands as if no control existed"
            }
            Grade::U if uncounted => "nobody knows how many individuals it concerns",
            Grade::U => "no control earned credit, so the level stands as if there were none",
            Grade::A | Grade::B | Grade::C | Grade::D | Grade::E => "the worst evidence that earned credit",
        };
        lines.push(format!("confidence {confidence:?}: {why}; the impact rests on grade {:?}", self.impact.grade));
        lines
    }

    /// Inputs whose one-step move would change the residual level.
    fn tips_on(&self, model: &Model) -> Vec<String> {
        let residual = self.position(model, self.now.level).risk;
        let level = |attempt: Level, success: Level, impact: Level| {
            model.risk_table.at(model.likelihood(attempt, success), impact)
        };
        let attempt = self.scenario.initiation.level;
        let impact = self.impact.level;
        let mut tips = Vec::new();
        let mut moved = |what: &str, step: &str, from: Level, to: Level, risk: Level| {
            if from != to && risk != residual {
                tips.push(format!("{what} one step {step}: {}", risk.in_words()));
            }
        };
        let count = self.impact.count.as_ref();
        for (step, by) in [("lower", Step::Down), ("higher", Step::Up)] {
            let to = by.of(attempt);
            moved("likelihood of an attempt", step, attempt, to, level(to, self.now.level, impact));
            let to = by.of(self.now.level);
            moved("chance of success", step, self.now.level, to, level(attempt, to, impact));
            if let Some(count) = count {
                let to = by.of(count.level);
                let risk = level(attempt, self.now.level, to.max(self.impact.stated));
                moved("number of individuals", step, count.level, to, risk);
            } else {
                let to = by.of(impact);
                moved("impact", step, impact, to, level(attempt, self.now.level, to));
            }
        }
        tips
    }
}

#[derive(Clone, Copy)]
enum Step {
    Down,
    Up,
}

impl Step {
    fn of(self, level: Level) -> Level {
        match self {
            Self::Down => level.lowered(1),
            Self::Up => level.raised(1),
        }
    }
}

/// Why a scenario cannot happen here, if so: there is nothing it could happen to, or none of its
/// checks applies. What may be there, or may apply, counts as being there.
fn why_not(scenario: &Scenario, controls: &BTreeMap<String, Control>, known: &Known) -> Option<String> {
    let kind = scenario.population.kind;
    let all = || scenario.checks().filter_map(|check| controls.get(check));
    let found = all().any(|control| control.failed() + control.unknown > 0);
    if found {
        return None;
    }
    // There is always an organization, also where the scope describes none.
    let always = kind == SubjectKind::Organization;
    if !always && known.is_complete(kind) && known.members(scenario.population).count == 0 {
        return Some(format!("there is no {} it could happen to", kind.in_words()));
    }
    all().all(|control| control.not_applicable).then(|| "none of its checks applies here".to_owned())
}

/// What a scenario is about: mailboxes and rules as a count, since their names are people's.
fn assets(scenario: &Scenario, known: &Known) -> Vec<String> {
    let mut assets = vec![scenario.assets.clone()];
    let kind = scenario.population.kind;
    let members = known.members(scenario.population);
    match kind {
        SubjectKind::Domain
        | SubjectKind::Endpoint
        | SubjectKind::Partner
        | SubjectKind::Tenant
        | SubjectKind::Vendor => {
            assets.extend(members.first.iter().map(|name| crate::text::visible(name)));
            if members.count > SHOWN {
                assets.push(format!("and {} more", members.count - SHOWN));
            }
        }
        SubjectKind::Attestation
        | SubjectKind::ContentFolder
        | SubjectKind::ExportFile
        | SubjectKind::ForwardingPath
        | SubjectKind::ForwardingRule
        | SubjectKind::Mailbox
        | SubjectKind::Register => {
            if members.count > 0 {
                assets.push(statement::counted(kind, members.count));
            }
        }
        SubjectKind::Organization => {}
    }
    assets
}
