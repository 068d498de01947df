//! The options of judging, turned into what the method needs. Read before anybody is asked, so
//! that a wrong file costs no question.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;

use super::Failure;
use super::args::JudgingArgs;
use crate::evidence::Evidence;
use crate::files;
use crate::method::Method;
use crate::report::json::v1::{Assessment, SCHEMA};
use crate::report::package::JudgedWith;
use crate::verdict::{self, Ending, Policy};

/// An assessment is at most this large.
const ASSESSMENT_BYTES: u64 = 1024 * 1024 * 1024;

/// Everything `scan` and `assess` judge with.
pub(super) struct Judging {
    method: Method,
    policy: Policy,
    previous: Option<Assessment>,
    exit_zero: bool,
}

impl Judging {
    pub(super) fn load(args: &JudgingArgs) -> Result<Self, Failure> {
        let method =
            Method::load(args.checks.as_deref()).map_err(Failure::usage)?.with_likelihood(args.likelihood.into());
        let previous = args.since.as_deref().map(read_assessment).transpose()?;
        let mut policy = Policy {
            fail_on: Some(args.fail_on.into()),
            min_coverage: u32::from(args.min_coverage),
            require: args.require.iter().cloned().collect(),
            ..Policy::default()
        };
        if !args.fail_on_drift {
            policy.fail_on_drift.clear();
        }
        let means_something = |name: &String| {
            method.model.requirements.contains_key(name)
                || method.catalog.checks.values().any(|check| check.area == *name || check.id == *name)
        };
        if let Some(name) = policy.require.iter().find(|name| !means_something(name)) {
            let areas: Vec<&str> = method.catalog.checks.values().map(|check| check.area.as_str()).collect();
            let areas: std::collections::BTreeSet<&str> = areas.into_iter().collect();
            let names: Vec<&str> = method.model.requirements.keys().map(String::as_str).chain(areas).collect();
            return Err(Failure::usage(anyhow::anyhow!(
                "`--require {name}` names no area or check; areas are {}",
                names.join(", ")
            )));
        }
        Ok(Self { method, policy, previous, exit_zero: args.exit_zero })
    }

    /// Compares the next assessment with `previous`.
    pub(super) fn since(mut self, previous: Option<Assessment>) -> Self {
        self.previous = previous;
        self
    }

    /// The options that the assessment depends on, for the report's manifest.
    pub(super) fn judged_with(&self, interrupted: bool) -> JudgedWith {
        JudgedWith::new(&Policy { interrupted, ..self.policy.clone() }, self.previous.as_ref())
    }

    /// Judges, and says how the run ends.
    pub(super) fn judge(
        &self,
        evidence: &Evidence,
        as_of: Option<Timestamp>,
        interrupted: bool,
    ) -> Result<(Assessment, Ending), Failure> {
        let policy = Policy { interrupted, ..self.policy.clone() };
        let assessment =
            self.method.judge(evidence, as_of, self.previous.as_ref(), &policy).map_err(anyhow::Error::from)?;
        let ending = verdict::ending(&assessment.gates);
        let ending = match ending {
            Ending::Findings | Ending::Drift | Ending::Coverage if self.exit_zero => Ending::Clean,
            _ => ending,
        };
        Ok((assessment, ending))
    }
}

/// Reads a stored assessment. One of an earlier version may quote what this one masks.
pub(super) fn read_assessment(path: &Path) -> Result<Assessment, Failure> {
    let bytes = files::read_bounded(path, ASSESSMENT_BYTES).map_err(Failure::usage)?;
    let shown = path.display().to_string();
    let assessment: Assessment = serde_json::from_slice(&bytes)
        .with_context(|| format!("{shown} is not an assessment this version can read"))
        .map_err(Failure::usage)?;
    if assessment.schema != SCHEMA || assessment.kind != "assessment" {
        let what = format!("{shown} is schema {} of kind `{}`", assessment.schema, assessment.kind);
        return Err(Failure::usage(anyhow::anyhow!("{what}; expected {SCHEMA} of `assessment`")));
    }
    Ok(assessment.masked())
}
