//! Gates and exit codes: the one table that says how a run ends.
//!
//! A gate holds or does not; the first of those that hold, in order of precedence, gives the exit
//! code, and the document lists all of them. Nothing is judged here that the assessment does not
//! already say.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::json::v1::{
    Assessment, ChangeClass, CheckCoverage, CoverageState, Disposition, Gate, Outcome, Severity,
};

/// How a run ends. The order is the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The command line or a file of configuration cannot be used.
    Usage,
    /// Something failed while running.
    Runtime,
    /// The run was interrupted; its state is saved.
    Interrupted,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Drift since the assessment compared with.
    Drift,
    /// Too little could be assessed.
    Coverage,
    /// None of the others.
    Clean,
}

impl Ending {
    /// Every ending, in order of precedence.
    pub const ALL: [Self; 7] =
        [Self::Usage, Self::Runtime, Self::Interrupted, Self::Findings, Self::Drift, Self::Coverage, Self::Clean];

    /// What the process returns.
    pub const fn exit_code(self) -> u8 {
        self.row().0
    }

    /// The word in `gates`.
    pub const fn as_str(self) -> &'static str {
        self.row().1
    }

    /// One line for the reference and the help page.
    pub const fn meaning(self) -> &'static str {
        self.row().2
    }

    /// Whether the files of `--out` are written all the same.
    pub const fn writes_files(self) -> bool {
        match self {
            Self::Clean | Self::Coverage | Self::Drift | Self::Findings | Self::Interrupted => true,
            Self::Runtime | Self::Usage => false,
        }
    }

    const fn row(self) -> (u8, &'static str, &'static str) {
        match self {
            Self::Usage => (64, "usage", "usage error, or a configuration that cannot be read"),
            Self::Runtime => (1, "runtime", "something failed while running"),
            Self::Interrupted => (130, "interrupted", "interrupted; the state is saved"),
            Self::Findings => (2, "findings", "findings at or above --fail-on (default: high)"),
            Self::Drift => (3, "drift", "drift since the assessment compared with"),
            Self::Coverage => (4, "coverage", "too little could be assessed"),
            Self::Clean => (0, "clean", "clean, and as complete as was asked for"),
        }
    }
}

impl From<Ending> for std::process::ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.exit_code())
    }
}

/// What the caller asked to be told by the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `--fail-on`; `None` is `never`.
    pub fail_on: Option<Severity>,
    /// `--fail-on-drift`; it counts only where another assessment was compared with.
    pub fail_on_drift: BTreeSet<ChangeClass>,
    /// `--min-coverage`, in percent.
    pub min_coverage: u32,
    /// `--require`: areas of the catalogue, checks, or names of the model's requirements.
    pub require: BTreeSet<String>,
    /// Whether the run was interrupted.
    pub interrupted: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            fail_on: Some(Severity::High),
            fail_on_drift: BTreeSet::from([
                ChangeClass::AcceptanceLapsed,
                ChangeClass::Added,
                ChangeClass::Reopened,
                ChangeClass::Worsened,
            ]),
            min_coverage: 0,
            require: BTreeSet::new(),
            interrupted: false,
        }
    }
}

/// The gates that hold, in order of precedence. `requirements` are the model's names for `--require`.
pub fn gates(assessment: &Assessment, policy: &Policy, requirements: &BTreeMap<String, Vec<String>>) -> Vec<Gate> {
    let interrupted = policy.interrupted.then(|| "the run was interrupted before everything was asked".to_owned());
    let held = [
        (Ending::Interrupted, interrupted),
        (Ending::Findings, findings(assessment, policy)),
        (Ending::Drift, drift(assessment, policy)),
        (Ending::Coverage, coverage(assessment, policy, requirements)),
    ];
    held.into_iter()
        .filter_map(|(ending, why)| {
            Some(Gate { gate: ending.as_str().to_owned(), exit_code: ending.exit_code(), why: why? })
        })
        .collect()
}

/// How the run ends, given the gates that hold.
pub fn ending(gates: &[Gate]) -> Ending {
    let holds = |ending: &Ending| gates.iter().any(|gate| gate.gate == ending.as_str());
    Ending::ALL.into_iter().find(holds).unwrap_or(Ending::Clean)
}

/// The names of `--require` that mean nothing here, which is a usage error.
pub fn unknown_requirements<'p>(
    assessment: &Assessment,
    policy: &'p Policy,
    requirements: &BTreeMap<String, Vec<String>>,
) -> Vec<&'p str> {
    let means_nothing = |name: &&str| required(assessment, name, requirements).is_none();
    policy.require.iter().map(String::as_str).filter(means_nothing).collect()
}

fn findings(assessment: &Assessment, policy: &Policy) -> Option<String> {
    let fail_on = policy.fail_on?;
    let counts = assessment.findings.iter().filter(|finding| {
        finding.outcome == Outcome::Fail
            && finding.severity >= fail_on
            && !matches!(finding.disposition, Disposition::Accepted { .. })
    });
    let count = counts.count();
    (count > 0).then(|| format!("{count} open findings of severity {} or more", fail_on.as_str()))
}

fn drift(assessment: &Assessment, policy: &Policy) -> Option<String> {
    let counts = &assessment.drift.as_ref()?.counts;
    let held: Vec<String> = ChangeClass::ALL
        .into_iter()
        .filter(|class| policy.fail_on_drift.contains(class))
        .filter_map(|class| {
            let count = counts.get(class.as_str()).copied().unwrap_or(0);
            (count > 0).then(|| format!("{count} {}", class.as_str()))
        })
        .collect();
    (!held.is_empty()).then(|| held.join(", "))
}

fn coverage(assessment: &Assessment, policy: &Policy, requirements: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let mut why = Vec::new();
    if assessment.coverage.percent < policy.min_coverage {
        why.push(format!(
            "{} % of the checks were assessed, {} % are asked for",
            assessment.coverage.percent, policy.min_coverage
        ));
    }
    for name in &policy.require {
        let checks = required(assessment, name, requirements).unwrap_or_default();
        let open = checks.iter().filter(|check| !settled(check.state)).count();
        // A name that means nothing demands what nobody can show.
        if checks.is_empty() || open > 0 {
            why.push(format!("`{name}` is required and {open} of its {} checks were not assessed", checks.len()));
        }
    }
    (!why.is_empty()).then(|| why.join("; "))
}

/// Whether nothing of the check is left to find out.
const fn settled(state: CoverageState) -> bool {
    match state {
        CoverageState::Assessed | CoverageState::NotApplicable => true,
        CoverageState::NotAssessed | CoverageState::NotProvided | CoverageState::PartlyAssessed => false,
    }
}

fn required<'a>(
    assessment: &'a Assessment,
    name: &str,
    requirements: &BTreeMap<String, Vec<String>>,
) -> Option<Vec<&'a CheckCoverage>> {
    let named = requirements.get(name);
    let belongs = |check: &&CheckCoverage| {
        check.area == name || check.check == name || named.is_some_and(|checks| checks.contains(&check.check))
    };
    let checks: Vec<_> = assessment.coverage.checks.iter().filter(belongs).collect();
    (named.is_some() || !checks.is_empty()).then_some(checks)
}
