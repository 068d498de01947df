//! The risk model as data: scales, tables, credits and scenarios, read from two YAML files.
//!
//! Reading is strict: a table that is not monotone, a band that leaves a hole or a scenario that
//! names a check nobody has is refused at its place. It analyses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use super::scenario::{self, Scenario};
use super::{Effort, Level};
use crate::evidence::decisions::{Decided, Estimate, EstimatedInput};
use crate::yaml::{self, Located, Spanned};

const MODEL_FILE: &str = "checks/risk-model/model.yaml";
const SCENARIOS_FILE: &str = "checks/risk-model/scenarios.yaml";

/// How an attempt and its chance of success make a likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LikelihoodRule {
    /// The lower of the two.
    LowerOfBoth,
    /// Table G-5 of NIST SP 800-30r1.
    NistG5,
}

impl LikelihoodRule {
    /// The word on the command line and in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LowerOfBoth => "lower-of-both",
            Self::NistG5 => "nist-g5",
        }
    }

    /// The rule that a model's name, as [`Model::name`] gives it, speaks of.
    pub fn of_model(name: &str) -> Self {
        if name.ends_with("(nist-g5)") { Self::NistG5 } else { Self::LowerOfBoth }
    }
}

/// Five rows of five levels: the first index is the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table([[Level; 5]; 5]);

impl Table {
    /// The cell at a row and a column.
    pub fn at(&self, row: Level, column: Level) -> Level {
        self.0[row.index()][column.index()]
    }
}

/// One row of the primary credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditRow {
    /// Share of the group, in percent.
    pub at_least_percent: u64,
    pub steps: usize,
}

/// The most that attested evidence takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestedCredit {
    pub steps: usize,
    pub not_below: Level,
}

/// What controls take off the chance of success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credits {
    /// Highest share first.
    pub primary: Vec<CreditRow>,
    pub compensating: CreditRow,
    pub attested: AttestedCredit,
    pub floor: Level,
    pub open_path: Level,
}

/// From this many individuals on, this level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub from: u64,
    pub level: Level,
}

/// How numbers of individuals become impact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImpactRules {
    /// Fewest first, from 0.
    pub bands: Vec<Band>,
    pub unknown_volume: Level,
    /// Steps more where a category that other law protects more is known to be there.
    pub sensitive_steps: usize,
    pub heavy_mailbox_individuals: u64,
    pub notice_individuals: u64,
}

impl ImpactRules {
    /// The level for a number of individuals.
    pub fn band(&self, individuals: u64) -> Level {
        let reached = self.bands.iter().rev().find(|band| band.from <= individuals);
        reached.expect("the first band begins at 0, checked on load").level
    }
}

/// What a single mailbox starts from when it is asked what opens if it is phished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExposureRules {
    /// How likely an attempt is within a year.
    pub attempt: Level,
    /// How likely it succeeds where no second factor is demanded.
    pub success: Level,
}

/// What carrying out a plan item costs, relative to the smallest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffortRules {
    pub weights: BTreeMap<Effort, u32>,
    pub default: Effort,
}

/// How long a decision may be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRules {
    /// Where the decision does not say.
    pub default_days: u32,
    pub longest_days: u32,
}

/// What the model knows of one check.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckNote {
    /// What a failing subject is, after a number: "mailboxes without a second factor". A check
    /// about a single thing says it as a clause: "mailbox auditing is switched off".
    pub weakness: String,
    pub effort: Option<Effort>,
}

/// The whole model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    pub version: String,
    pub likelihood: LikelihoodRule,
    pub risk_table: Table,
    pub nist_g5: Table,
    pub scores: [u32; 5],
    pub credits: Credits,
    pub impact: ImpactRules,
    pub exposure: ExposureRules,
    pub effort: EffortRules,
    pub decisions: DecisionRules,
    /// Names for `--require`, and the checks they stand for.
    pub requirements: BTreeMap<String, Vec<String>>,
    /// By check id; every check that a scenario names is here.
    pub checks: BTreeMap<String, CheckNote>,
    /// By id.
    pub scenarios: Vec<Scenario>,
}

/// A text and the name of its file for messages.
#[derive(Clone, Copy, Debug)]
pub struct Source<'t> {
    pub file: &'t Path,
    pub text: &'t str,
}

impl Source<'_> {
    /// A fault of a whole section, pointed at by its key.
    pub(super) fn refuse(&self, key: &str, what: impl Into<String>) -> Located {
        let starts = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
        let line = self.text.lines().position(starts).map_or(0, |index| index as u64 + 1);
        Located::at(self.file, self.text, line, u64::from(line > 0), what, "")
    }
}

impl Model {
    /// The model that is shipped. `known` are the ids of the catalogue's checks.
    pub fn built_in(known: &BTreeSet<&str>) -> Result<Self, Located> {
        Self::read(
            Source { file: Path::new(MODEL_FILE), text: include_str!("../../checks/risk-model/model.yaml") },
            Source { file: Path::new(SCENARIOS_FILE), text: include_str!("../../checks/risk-model/scenarios.yaml") },
            known,
        )
    }

    /// Reads a model. `known` are the ids of the catalogue's checks; a scenario that names
    /// another is refused.
    pub fn read(model: Source<'_>, scenarios: Source<'_>, known: &BTreeSet<&str>) -> Result<Self, Located> {
        let raw: Raw = yaml::read(model.file, model.text)?;
        let at = |value: &Spanned<String>, what: String, help: &str| {
            Located::at_value(model.file, model.text, value, what, help)
        };
        if raw.schema != 1 {
            let what = format!("schema {} of the risk model is not known", raw.schema);
            return Err(Located::at(model.file, model.text, 0, 0, what, "this version reads schema 1"));
        }
        let credits = raw.credits.check(model)?;
        check_bands(&raw.impact, model)?;
        let requirements = read_requirements(&raw.requirements, known, &at)?;
        let (checks, scenarios) = scenario::read(scenarios, known, credits.open_path)?;
        Ok(Self {
            version: raw.version,
            likelihood: raw.likelihood,
            risk_table: read_table("risk_table", &raw.risk_table, model)?,
            nist_g5: read_table("nist_g5", &raw.nist_g5, model)?,
            scores: read_scores(&raw.scores, model)?,
            credits,
            impact: raw.impact,
            exposure: raw.exposure,
            effort: read_effort(raw.effort, model)?,
            decisions: raw.decisions,
            requirements,
            checks,
            scenarios,
        })
    }

    /// The same model with another rule for likelihood.
    pub fn with_likelihood(mut self, rule: LikelihoodRule) -> Self {
        self.likelihood = rule;
        self
    }

    /// The same model with the levels that an organization moved, those that hold on a day. Of two
    /// on one input the higher counts.
    pub fn with_estimates(mut self, estimates: &[Estimate], today: Date) -> Self {
        let holds = |estimate: &&Estimate| estimate.decided.on <= today && today <= estimate.expires;
        let mut holding: Vec<&Estimate> = estimates.iter().filter(holds).collect();
        holding.sort_by_key(|estimate| (estimate.level, estimate.line));
        for estimate in holding {
            let Some(scenario) = self.scenarios.iter_mut().find(|scenario| scenario.id == estimate.risk) else {
                continue;
            };
            let level = match estimate.input {
                EstimatedInput::Attempt => &mut scenario.initiation.level,
                EstimatedInput::Success => &mut scenario.success,
            };
            let was = std::mem::replace(level, estimate.level);
            let Decided { by, role, on } = &estimate.decided;
            scenario.moved.push(format!(
                "the organization moved the {} from {} to {}: {} ({by}, {role}, on {on}, until {})",
                estimate.input.in_words(),
                was.in_words(),
                estimate.level.in_words(),
                estimate.reason,
                estimate.expires
            ));
        }
        self
    }

    /// How documents name it: `1.0 (lower-of-both)`.
    pub fn name(&self) -> String {
        format!("{} ({})", self.version, self.likelihood.as_str())
    }

    /// The likelihood that an attempt is made and succeeds.
    pub fn likelihood(&self, attempt: Level, success: Level) -> Level {
        match self.likelihood {
            LikelihoodRule::LowerOfBoth => attempt.min(success),
            LikelihoodRule::NistG5 => self.nist_g5.at(attempt, success),
        }
    }

    /// The size of an item of the plan.
    pub fn effort_of(&self, check: &str) -> Effort {
        self.checks.get(check).and_then(|note| note.effort).unwrap_or(self.effort.default)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: u32,
    version: String,
    likelihood: LikelihoodRule,
    risk_table: BTreeMap<Level, Vec<Level>>,
    nist_g5: BTreeMap<Level, Vec<Level>>,
    scores: BTreeMap<Level, u32>,
    credits: RawCredits,
    impact: ImpactRules,
    exposure: ExposureRules,
    effort: RawEffort,
    decisions: DecisionRules,
    requirements: BTreeMap<String, Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCredits {
    primary: Vec<CreditRow>,
    compensating: CreditRow,
    attested: AttestedCredit,
    floor: Level,
    open_path: Level,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEffort {
    weights: BTreeMap<Effort, u32>,
    default: Effort,
}

impl RawCredits {
    fn check(self, source: Source<'_>) -> Result<Credits, Located> {
        let falls =
            |pair: &[CreditRow]| pair[0].at_least_percent > pair[1].at_least_percent && pair[0].steps >= pair[1].steps;
        if self.primary.is_empty() || !self.primary.windows(2).all(falls) {
            return Err(source.refuse("primary", "credits must fall with the share, highest share first"));
        }
        let strange = |row: &CreditRow| row.at_least_percent == 0 || row.at_least_percent > 100;
        if self.primary.iter().any(strange) || strange(&self.compensating) {
            return Err(source.refuse("credits", "a share is 1 to 100 percent"));
        }
        Ok(Credits {
            primary: self.primary,
            compensating: self.compensating,
            attested: self.attested,
            floor: self.floor,
            open_path: self.open_path,
        })
    }
}

fn check_bands(impact: &ImpactRules, source: Source<'_>) -> Result<(), Located> {
    if impact.bands.first().is_none_or(|band| band.from != 0) {
        return Err(source.refuse("bands", "the first band begins at 0 individuals"));
    }
    let rises = |pair: &[Band]| pair[0].from < pair[1].from && pair[0].level <= pair[1].level;
    if !impact.bands.windows(2).all(rises) {
        return Err(source.refuse("bands", "bands must rise, in individuals and in level"));
    }
    Ok(())
}

fn read_table(name: &str, rows: &BTreeMap<Level, Vec<Level>>, source: Source<'_>) -> Result<Table, Located> {
    let mut table = [[Level::VeryLow; 5]; 5];
    for level in Level::ALL {
        let row = rows.get(&level).and_then(|row| <[Level; 5]>::try_from(row.as_slice()).ok());
        table[level.index()] = row.ok_or_else(|| {
            let what = format!("table `{name}` needs a row of five levels for `{}`", level.in_words());
            source.refuse(name, what)
        })?;
    }
    // More likelihood or more impact never makes less risk.
    let columns_rise = table.windows(2).all(|pair| pair[0].iter().zip(&pair[1]).all(|(a, b)| a <= b));
    let rows_rise = table.iter().all(|row| row.is_sorted());
    if columns_rise && rows_rise {
        Ok(Table(table))
    } else {
        Err(source.refuse(name, format!("table `{name}` is not monotone: a higher input gives a lower level")))
    }
}

fn read_scores(scores: &BTreeMap<Level, u32>, source: Source<'_>) -> Result<[u32; 5], Located> {
    let mut read = [0; 5];
    for level in Level::ALL {
        let score = scores.get(&level);
        read[level.index()] =
            *score.ok_or_else(|| source.refuse("scores", format!("no score for `{}`", level.in_words())))?;
    }
    if read.is_sorted() { Ok(read) } else { Err(source.refuse("scores", "scores must rise with the level")) }
}

fn read_effort(raw: RawEffort, source: Source<'_>) -> Result<EffortRules, Located> {
    for effort in Effort::ALL {
        if raw.weights.get(&effort).is_none_or(|&weight| weight == 0) {
            return Err(source.refuse("weights", format!("no weight above 0 for `{}`", effort.as_str())));
        }
    }
    Ok(EffortRules { weights: raw.weights, default: raw.default })
}

fn read_requirements(
    raw: &BTreeMap<String, Vec<Spanned<String>>>,
    known: &BTreeSet<&str>,
    at: &dyn Fn(&Spanned<String>, String, &str) -> Located,
) -> Result<BTreeMap<String, Vec<String>>, Located> {
    let mut requirements = BTreeMap::new();
    for (name, checks) in raw {
        for check in checks {
            if !known.contains(check.value.as_str()) {
                let what = format!("requirement `{name}` names the check `{}`, which is not there", check.value);
                return Err(at(check, what, "`mailassay checks list` shows every id"));
            }
        }
        requirements.insert(name.clone(), checks.iter().map(|check| check.value.clone()).collect());
    }
    Ok(requirements)
}
