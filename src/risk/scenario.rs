//! Scenarios: asset, threat and weakness, with what starts them, what stops them, and what they
//! would cost. Read from `checks/risk-model/scenarios.yaml`; nothing is computed here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

use super::Level;
use super::model::{CheckNote, Source};
use crate::names::SubjectKind;
use crate::yaml::{self, Located, Spanned};

/// One way in which ePHI in mail comes to harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub id: String,
    pub title: String,
    /// The group of assets it is about: "Mailboxes and what lies in them".
    pub assets: String,
    pub threat: Threat,
    /// One or two sentences with the holes `{{weaknesses}}` and `{{records}}`.
    pub statement: String,
    pub initiation: Initiation,
    /// The chance that an attempt succeeds where no control stands against it.
    pub success: Level,
    /// Controls that stop it; all of them are needed.
    pub primary: Vec<String>,
    /// Controls that help.
    pub compensating: Vec<String>,
    /// Checks whose failure shows a way that is open now.
    pub open_path: Vec<String>,
    pub population: Population,
    pub impact: Impact,
    /// What the organization moved, by whom and why; empty as the model is shipped.
    pub moved: Vec<String>,
}

impl Scenario {
    /// Every check it names: primary, compensating, open path.
    pub fn checks(&self) -> impl Iterator<Item = &str> {
        self.primary.iter().chain(&self.compensating).chain(&self.open_path).map(String::as_str)
    }
}

/// A threat event of NIST SP 800-30r1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threat {
    /// The event in our words.
    pub event: String,
    pub source: ThreatSource,
}

/// The types of threat source of NIST SP 800-30r1, Table D-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThreatSource {
    Accidental,
    Adversarial,
    Environmental,
    Structural,
}

impl ThreatSource {
    /// The word for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accidental => "accidental",
            Self::Adversarial => "adversarial",
            Self::Environmental => "environmental",
            Self::Structural => "structural",
        }
    }
}

/// How likely an attempt (or an accident) is within a year, and why we say so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Initiation {
    pub level: Level,
    pub reason: String,
    pub source: String,
    pub date: Date,
    pub verified: Verified,
}

/// How the source of a row was read. A row from memory is shown as a judgement, never as a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// Our own judgement; the source names what it leans on.
    Judgement,
    /// The source itself was read.
    Read,
    /// Somebody reporting on the source was read.
    Secondary,
}

/// Which subjects the scenario is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    pub kind: SubjectKind,
    /// Some of them only.
    pub only: Option<Only>,
}

impl Population {
    /// Whether the part is one that subjects of this kind can have.
    fn fits(self) -> bool {
        let kinds: &[SubjectKind] = match self.only {
            None => return true,
            Some(Only::Administrators) => &[SubjectKind::Mailbox],
            Some(Only::CarriesMail) => &[SubjectKind::Vendor],
            Some(Only::Ours) => &[SubjectKind::Endpoint],
            Some(Only::Phi) => &[SubjectKind::Mailbox, SubjectKind::Partner],
            Some(Only::Receives | Only::Sends) => &[SubjectKind::Domain],
        };
        kinds.contains(&self.kind)
    }
}

/// A part of a kind of subject. What is not known to lie outside the part counts as inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Only {
    /// Mailboxes of administrators.
    Administrators,
    /// Vendors that mail content passes.
    CarriesMail,
    /// Endpoints that the organization runs itself.
    Ours,
    /// Mailboxes and partners with ePHI.
    Phi,
    /// Domains that receive mail.
    Receives,
    /// Domains that send mail.
    Sends,
}

/// What it would cost, by the three properties of 45 CFR 164.306(a)(1).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Impact {
    pub confidentiality: ImpactInput,
    pub integrity: ImpactInput,
    pub availability: ImpactInput,
}

/// Where the impact on one property comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ImpactInput {
    /// From the number of individuals.
    Records(RecordsInput),
    /// As the model states it.
    Stated(StatedInput),
}

/// From the number of individuals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsInput {
    pub records: Records,
}

/// As the model states it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedInput {
    pub level: Level,
    pub reason: String,
}

/// Whose information is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Records {
    /// Over all mail.
    AllMailboxes,
    /// Everybody whose information the organization holds.
    Organization,
    /// In the one mailbox that holds most.
    WorstMailbox,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: u32,
    checks: BTreeMap<String, CheckNote>,
    scenarios: Vec<RawScenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    id: Spanned<String>,
    title: String,
    assets: String,
    threat: Threat,
    statement: Spanned<String>,
    initiation: Initiation,
    success: Spanned<Level>,
    primary: Vec<Spanned<String>>,
    #[serde(default)]
    compensating: Vec<Spanned<String>>,
    #[serde(default)]
    open_path: Vec<Spanned<String>>,
    population: Population,
    impact: Impact,
}

/// Reads `scenarios.yaml`. `open_path` is the level of a way shown to be open.
pub(super) fn read(
    source: Source<'_>,
    known: &BTreeSet<&str>,
    open_path: Level,
) -> Result<(BTreeMap<String, CheckNote>, Vec<Scenario>), Located> {
    let raw: Raw = yaml::read(source.file, source.text)?;
    if raw.schema != 1 {
        let what = format!("schema {} of the scenarios is not known", raw.schema);
        return Err(Located::at(source.file, source.text, 0, 0, what, "this version reads schema 1"));
    }
    let noted: BTreeSet<&str> = raw.checks.keys().map(String::as_str).collect();
    let mut ids = BTreeSet::new();
    for scenario in &raw.scenarios {
        check_scenario(scenario, source, known, &noted, open_path)?;
        if !ids.insert(scenario.id.value.clone()) {
            let what = format!("scenario `{}` is there twice", scenario.id.value);
            return Err(Located::at_value(source.file, source.text, &scenario.id, what, ""));
        }
    }
    let mut scenarios: Vec<Scenario> = raw.scenarios.into_iter().map(RawScenario::into_scenario).collect();
    let used: BTreeSet<&str> = scenarios.iter().flat_map(Scenario::checks).collect();
    if let Some(unused) = raw.checks.keys().find(|id| !used.contains(id.as_str())) {
        return Err(source.refuse(unused, format!("no scenario names the check `{unused}`")));
    }
    scenarios.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((raw.checks, scenarios))
}

fn check_scenario(
    scenario: &RawScenario,
    source: Source<'_>,
    known: &BTreeSet<&str>,
    noted: &BTreeSet<&str>,
    open_path: Level,
) -> Result<(), Located> {
    let id = &scenario.id.value;
    let mut named = BTreeSet::new();
    for check in scenario.primary.iter().chain(&scenario.compensating).chain(&scenario.open_path) {
        let at = |what: String, help: &str| Located::at_value(source.file, source.text, check, what, help);
        if !known.contains(check.value.as_str()) {
            let what = format!("scenario `{id}` names the check `{}`, which is not there", check.value);
            return Err(at(what, "`mailassay checks list` shows every id"));
        }
        if !noted.contains(check.value.as_str()) {
            return Err(at(
                format!("the check `{}` has no entry under `checks`", check.value),
                "say its weakness there",
            ));
        }
        if !named.insert(check.value.as_str()) {
            return Err(at(format!("scenario `{id}` names the check `{}` twice", check.value), "a check has one role"));
        }
    }
    if scenario.primary.is_empty() {
        let what = format!("scenario `{id}` names no primary check: nothing could lower it");
        return Err(Located::at_value(source.file, source.text, &scenario.id, what, ""));
    }
    // Otherwise not looking at a way would leave a lower level than finding it open.
    if !scenario.open_path.is_empty() && scenario.success.value < open_path {
        let what =
            format!("scenario `{id}` has open-path checks, so without controls success is {}", open_path.in_words());
        return Err(Located::at_value(source.file, source.text, &scenario.success, what, "raise `success`"));
    }
    if !scenario.population.fits() {
        let what = format!("scenario `{id}` asks for a part that subjects of its kind do not have");
        return Err(Located::at_value(source.file, source.text, &scenario.id, what, "see `population`"));
    }
    if let Some(hole) = strange_hole(&scenario.statement.value) {
        let what = format!("the statement has the hole `{hole}`");
        let help = "it may hold {{weaknesses}} and {{records}}";
        return Err(Located::at_value(source.file, source.text, &scenario.statement, what, help));
    }
    Ok(())
}

fn strange_hole(statement: &str) -> Option<String> {
    statement.split("{{").skip(1).find_map(|rest| {
        let name = rest.split("}}").next().unwrap_or(rest).trim();
        (!matches!(name, "records" | "weaknesses")).then(|| name.to_owned())
    })
}

impl RawScenario {
    fn into_scenario(self) -> Scenario {
        let values = |spanned: Vec<Spanned<String>>| spanned.into_iter().map(|id| id.value).collect();
        Scenario {
            id: self.id.value,
            title: self.title,
            assets: self.assets,
            threat: self.threat,
            statement: self.statement.value,
            initiation: self.initiation,
            success: self.success.value,
            primary: values(self.primary),
            compensating: values(self.compensating),
            open_path: values(self.open_path),
            population: self.population,
            impact: self.impact,
            moved: Vec::new(),
        }
    }
}
