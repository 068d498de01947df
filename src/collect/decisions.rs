//! Reads what the organization decided: `decisions.yaml`, `exceptions.yaml` and `plan.yaml` beside
//! `scope.yaml`.
//!
//! It refuses, at its place, what nobody may decide: a record on a required specification, an
//! acceptance above its approver's authority, a period longer than the model allows. Whether a
//! decision still holds is judged later.

mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::clock::{date_of, days_between};
use crate::evidence::decisions::{
    Acceptance, AddressableRecord, AddressableWord, Appetite, Decided, Decisions, Estimate, EstimatedInput, Exception,
    Factors, Milestone, PlanEntry, Signature, Treatment,
};
use crate::evidence::{Answer, Observation, Question, Source, hex};
use crate::files::{self, FileError};
use crate::names::{SubjectId, SubjectKind};
use crate::risk::{Level, Model, RuleObligation, SecurityRule};
use crate::scope;
use crate::yaml::{self, Located, Spanned};
use written::{
    AcceptanceFile, AddressableFile, AppetiteFile, ApproverFile, DecisionsFile, EstimateFile, ExceptionsFile,
    PlanEntryFile, PlanFile, SignatureFile,
};

/// Where decisions are written.
pub const DECISIONS: &str = "decisions.yaml";
/// Where exceptions are written.
pub const EXCEPTIONS: &str = "exceptions.yaml";
/// Where the plan is written.
pub const PLAN: &str = "plan.yaml";

/// Each of the files is at most this large.
const LARGEST: u64 = 4 * 1024 * 1024;
/// A reason, a step or any other text is at most this many characters.
pub const PROSE: usize = 4_000;

/// Why the decisions could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecisionsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Located(#[from] Box<Located>),
}

impl From<Located> for DecisionsError {
    fn from(fault: Located) -> Self {
        Self::Located(Box::new(fault))
    }
}

/// What decisions are read against.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    pub model: &'a Model,
    pub rule: &'a SecurityRule,
    /// The day of reading: nothing was decided later.
    pub today: Date,
}

/// Reads the three files of a client's folder; `None` where none is there.
pub fn read(
    folder: &Path,
    organization: &str,
    against: Against<'_>,
    asked_at: Timestamp,
    vantage: &str,
) -> Result<Option<Observation>, DecisionsError> {
    let Some(decisions) = read_folder(folder, Against { today: date_of(asked_at), ..against })? else {
        return Ok(None);
    };
    Ok(Some(Observation {
        subject: SubjectId::new(SubjectKind::Organization, organization),
        source: Source::Declared,
        question: Question::Decisions,
        asked_at,
        took_ms: 0,
        vantage: vantage.to_owned(),
        answer: Ok(Answer::Decisions(Box::new(decisions))),
    }))
}

/// As [`read`], without wrapping it as an observation.
pub fn read_folder(folder: &Path, against: Against<'_>) -> Result<Option<Decisions>, DecisionsError> {
    let mut decisions = Decisions::default();
    for name in [DECISIONS, EXCEPTIONS, PLAN] {
        let Some(path) = placed(folder, name)? else { continue };
        let text = files::read_text(&path, LARGEST)?;
        decisions.files.insert(name.to_owned(), hex(&Sha256::digest(&text)));
        let reader = Reader { file: Path::new(name), text: &text, against };
        match name {
            DECISIONS => reader.decisions(&mut decisions)?,
            EXCEPTIONS => decisions.exceptions = reader.exceptions()?,
            _ => decisions.plan = reader.plan()?,
        }
    }
    if decisions.files.is_empty() {
        return Ok(None);
    }
    for record in &mut decisions.addressable {
        record.evidence_sha256 = record.evidence_file.as_deref().and_then(|label| scope::sha256(folder, label));
    }
    Ok(Some(decisions))
}

/// The plan as `plan.yaml` in a folder has it; empty where there is none.
pub fn read_plan(folder: &Path, against: Against<'_>) -> Result<Vec<PlanEntry>, DecisionsError> {
    Ok(read_folder(folder, against)?.map(|decisions| decisions.plan).unwrap_or_default())
}

/// Where a file of this name lies, if there is one. A link that leads out of the folder is no file
/// of ours, and none that may be passed over.
fn placed(folder: &Path, name: &str) -> Result<Option<PathBuf>, DecisionsError> {
    if let Err(source) = folder.join(name).symlink_metadata() {
        let path = folder.join(name);
        return if source.kind() == std::io::ErrorKind::NotFound {
            Ok(None)
        } else {
            Err(FileError::Read { path, source }.into())
        };
    }
    scope::inside(folder, name).map(Some).map_err(|error| {
        let help = "put the file itself into the client's folder";
        Located::at(Path::new(name), "", 0, 0, error.to_string(), help).into()
    })
}

struct Reader<'r> {
    file: &'r Path,
    text: &'r str,
    against: Against<'r>,
}

type Approvers<'w> = BTreeMap<&'w str, &'w ApproverFile>;

impl Reader<'_> {
    fn refuse<T>(&self, at: &Spanned<T>, what: impl Into<String>, help: impl Into<String>) -> Located {
        Located::at_value(self.file, self.text, at, what, help)
    }

    fn schema(&self, schema: &Spanned<u32>) -> Result<(), Located> {
        if schema.value == 1 {
            return Ok(());
        }
        Err(self.refuse(schema, format!("schema {} is not known", schema.value), "this version reads schema 1"))
    }

    fn decisions(&self, into: &mut Decisions) -> Result<(), Located> {
        let file: DecisionsFile = yaml::read(self.file, self.text)?;
        self.schema(&file.schema)?;
        let approvers: Approvers<'_> =
            file.approvers.iter().map(|approver| (approver.name.value.trim(), approver)).collect();
        if let Some(approver) = file.approvers.iter().find(|approver| approver.name.value.trim().is_empty()) {
            return Err(self.refuse(&approver.name, "an approver has no name", ""));
        }
        into.appetite = file.appetite.as_ref().map(|appetite| self.appetite(appetite, &approvers)).transpose()?;
        for estimate in &file.estimates {
            into.estimates.push(self.estimate(estimate, &approvers)?);
        }
        for treatment in &file.risks {
            self.scenario(&treatment.risk)?;
            if into.treatments.iter().any(|known| known.risk == treatment.risk.value) {
                let what = format!("the risk `{}` is treated twice", treatment.risk.value);
                return Err(self.refuse(&treatment.risk, what, "keep one entry for each risk"));
            }
            into.treatments.push(Treatment {
                risk: treatment.risk.value.clone(),
                treatment: treatment.treatment,
                owner: self.prose(&treatment.owner, "an owner")?,
                due: treatment.due,
                line: treatment.risk.referenced.line(),
            });
        }
        for acceptance in &file.acceptances {
            into.acceptances.push(self.acceptance(acceptance, &approvers)?);
        }
        for record in &file.addressable {
            into.addressable.push(self.addressable(record, &approvers)?);
        }
        for signature in &file.signatures {
            into.signatures.push(self.signature(signature)?);
        }
        into.next_review = file.next_review;
        Ok(())
    }

    fn appetite(&self, appetite: &AppetiteFile, approvers: &Approvers<'_>) -> Result<Appetite, Located> {
        let decided = self.decided(&appetite.by, &appetite.on, approvers)?;
        self.within_authority(&appetite.level, appetite.level.value, &appetite.by, approvers)?;
        Ok(Appetite { level: appetite.level.value, decided })
    }

    /// Only with a reason, by somebody who may decide, and for a time. Whoever moves a level down
    /// takes away what the model puts there, so it takes the authority to accept that much.
    fn estimate(&self, written: &EstimateFile, approvers: &Approvers<'_>) -> Result<Estimate, Located> {
        self.scenario(&written.risk)?;
        let scenario = self.against.model.scenarios.iter().find(|scenario| scenario.id == written.risk.value);
        let open = scenario.is_some_and(|scenario| !scenario.open_path.is_empty());
        if written.input == EstimatedInput::Success
            && open
            && written.level.value < self.against.model.credits.open_path
        {
            let what =
                "some checks of this risk show ways that may be open, so its chance of success cannot be moved down";
            return Err(self.refuse(&written.level, what, "show with evidence that the ways are closed"));
        }
        let shipped = scenario.map(|scenario| match written.input {
            EstimatedInput::Attempt => scenario.initiation.level,
            EstimatedInput::Success => scenario.success,
        });
        if let Some(shipped) = shipped.filter(|shipped| written.level.value < *shipped) {
            self.within_authority(&written.level, shipped, &written.by, approvers)?;
        }
        Ok(Estimate {
            risk: written.risk.value.clone(),
            input: written.input,
            level: written.level.value,
            reason: self.prose(&written.reason, "a reason")?,
            decided: self.decided(&written.by, &written.on, approvers)?,
            expires: self.expires(written.expires.as_ref(), &written.on)?,
            line: written.risk.referenced.line(),
        })
    }

    fn acceptance(&self, written: &AcceptanceFile, approvers: &Approvers<'_>) -> Result<Acceptance, Located> {
        self.scenario(&written.risk)?;
        let decided = self.decided(&written.by, &written.on, approvers)?;
        self.within_authority(&written.level, written.level.value, &written.by, approvers)?;
        Ok(Acceptance {
            risk: written.risk.value.clone(),
            level: written.level.value,
            reason: self.prose(&written.reason, "a reason")?,
            expires: self.expires(written.expires.as_ref(), &written.on)?,
            decided,
            line: written.risk.referenced.line(),
        })
    }

    fn addressable(&self, written: &AddressableFile, approvers: &Approvers<'_>) -> Result<AddressableRecord, Located> {
        let entry = self.against.rule.entries.iter().find(|entry| entry.id == written.spec.value);
        match entry.map(|entry| entry.obligation) {
            Some(RuleObligation::Addressable) => {}
            Some(RuleObligation::Required) => {
                let what = format!("{} is required: it may not be decided away", written.spec.value);
                return Err(self.refuse(
                    &written.spec,
                    what,
                    "45 CFR 164.306(d)(2); carry it out, and put it into the plan",
                ));
            }
            Some(RuleObligation::Rule | RuleObligation::Standard) => {
                let what = format!("{} is no implementation specification", written.spec.value);
                return Err(self.refuse(&written.spec, what, "name one of its addressable specifications"));
            }
            None => {
                let what = format!("there is no paragraph `{}`", crate::text::visible(&written.spec.value));
                return Err(self.refuse(&written.spec, what, "write it as 164.312(a)(2)(iii)"));
            }
        }
        let why = self.prose(&written.why, "a reason")?;
        let factors = match (&written.factors, written.decision.value) {
            (Some(factors), _) => Some(Factors {
                size_complexity_capabilities: self.prose(&factors.size_complexity_capabilities, "the first factor")?,
                technical_infrastructure: self.prose(&factors.technical_infrastructure, "the second factor")?,
                costs: self.prose(&factors.costs, "the third factor")?,
                probability_and_criticality: self.prose(&factors.probability_and_criticality, "the fourth factor")?,
            }),
            (None, AddressableWord::Implemented) => None,
            (None, AddressableWord::Alternative | AddressableWord::StandardMetOtherwise) => {
                let help = "weigh size_complexity_capabilities, technical_infrastructure, costs and probability_and_criticality";
                return Err(self.refuse(&written.spec, "the four factors of 45 CFR 164.306(b)(2) are missing", help));
            }
        };
        let alternative = written.alternative.as_ref().map(|text| self.prose(text, "the alternative")).transpose()?;
        if written.decision.value == AddressableWord::Alternative && alternative.is_none() {
            return Err(self.refuse(
                &written.decision,
                "no alternative measure is named",
                "describe it under `alternative`",
            ));
        }
        if let Some(risk) = &written.risk {
            self.scenario(risk)?;
        }
        if let Some(named) = written.evidence_file.as_ref().filter(|named| leaves(&named.value)) {
            let help = "copy the file into the client's folder and name it from there";
            return Err(self.refuse(named, "this path leaves the client's folder", help));
        }
        Ok(AddressableRecord {
            spec: written.spec.value.clone(),
            decision: written.decision.value,
            scope: self.prose(&written.scope, "a scope")?,
            why,
            factors,
            alternative,
            evidence_file: written.evidence_file.as_ref().map(|named| named.value.clone()),
            evidence_sha256: None,
            risk: written.risk.as_ref().map(|risk| risk.value.clone()),
            decided: self.decided(&written.by, &written.on, approvers)?,
            expires: self.expires(written.expires.as_ref(), &written.on)?,
            line: written.spec.referenced.line(),
        })
    }

    fn signature(&self, written: &SignatureFile) -> Result<Signature, Located> {
        let digest = written.evidence_digest.value.trim().to_ascii_lowercase();
        if !(12..=64).contains(&digest.len()) || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let help = "copy it from the signature page of the report: 12 characters or more";
            return Err(self.refuse(&written.evidence_digest, "this is no evidence digest", help));
        }
        Ok(Signature {
            office: written.office,
            name: self.prose(&written.name, "a name")?,
            on: self.not_later(&written.on)?,
            evidence_digest: digest,
        })
    }

    fn exceptions(&self) -> Result<Vec<Exception>, Located> {
        let file: ExceptionsFile = yaml::read(self.file, self.text)?;
        self.schema(&file.schema)?;
        let mut exceptions = Vec::new();
        for written in &file.exceptions {
            if written.subjects.value.is_empty() {
                let help = "name each subject as the finding does; there is no pattern for all of them";
                return Err(self.refuse(&written.subjects, "the exception names no subject", help));
            }
            exceptions.push(Exception {
                check: written.check.value.trim().to_owned(),
                subjects: written.subjects.value.clone(),
                owner: self.prose(&written.owner, "an owner")?,
                reason: self.prose(&written.reason, "a reason")?,
                on: self.not_later(&written.on)?,
                expires: self.expires(Some(&written.expires), &written.on)?,
                line: written.check.referenced.line(),
            });
        }
        Ok(exceptions)
    }

    fn plan(&self) -> Result<Vec<PlanEntry>, Located> {
        let file: PlanFile = yaml::read(self.file, self.text)?;
        self.schema(&file.schema)?;
        let mut plan: Vec<PlanEntry> = Vec::new();
        for written in &file.items {
            let entry = self.plan_entry(written)?;
            if plan.iter().any(|known| known.check == entry.check) {
                let what = format!("the item `{}` is there twice", crate::text::visible(&entry.check));
                return Err(self.refuse(&written.check, what, "keep one entry for each check"));
            }
            plan.push(entry);
        }
        Ok(plan)
    }

    fn plan_entry(&self, written: &PlanEntryFile) -> Result<PlanEntry, Located> {
        let optional = |text: &Option<Spanned<String>>| -> Result<Option<String>, Located> {
            text.as_ref().map(|text| self.prose(text, "a text")).transpose()
        };
        let milestones = written
            .milestones
            .iter()
            .map(|step| Ok(Milestone { what: self.prose(&step.what, "a step")?, due: step.due, done: step.done }))
            .collect::<Result<Vec<_>, Located>>()?;
        Ok(PlanEntry {
            check: written.check.value.trim().to_owned(),
            owner: optional(&written.owner)?,
            due: written.due,
            status: written.status,
            deferrals: written.deferrals,
            milestones,
            comment: optional(&written.comment)?,
            line: written.check.referenced.line(),
        })
    }

    fn prose(&self, text: &Spanned<String>, what: &str) -> Result<String, Located> {
        let trimmed = text.value.trim();
        if trimmed.is_empty() {
            return Err(self.refuse(text, format!("{what} is missing here"), ""));
        }
        if trimmed.chars().count() > PROSE {
            let what = format!("this is longer than {PROSE} characters");
            return Err(self.refuse(text, what, "put it into a document and name the document"));
        }
        Ok(trimmed.to_owned())
    }

    fn scenario(&self, risk: &Spanned<String>) -> Result<(), Located> {
        let ids = || self.against.model.scenarios.iter().map(|scenario| scenario.id.as_str());
        if ids().any(|id| id == risk.value) {
            return Ok(());
        }
        let nearest = ids().min_by_key(|id| crate::checks::distance(id, &risk.value)).unwrap_or_default();
        let what = format!("there is no risk `{}`", crate::text::visible(&risk.value));
        Err(self.refuse(risk, what, format!("did you mean `{nearest}`?")))
    }

    fn approver<'w>(&self, by: &Spanned<String>, approvers: &Approvers<'w>) -> Result<&'w ApproverFile, Located> {
        approvers.get(by.value.trim()).copied().ok_or_else(|| {
            let what = format!("{} is not among the approvers", crate::text::visible(by.value.trim()));
            self.refuse(by, what, "name everybody who may decide under `approvers`, with role and authority")
        })
    }

    fn decided(&self, by: &Spanned<String>, on: &Spanned<Date>, approvers: &Approvers<'_>) -> Result<Decided, Located> {
        let approver = self.approver(by, approvers)?;
        Ok(Decided {
            by: by.value.trim().to_owned(),
            role: self.prose(&approver.role, "a role")?,
            on: self.not_later(on)?,
        })
    }

    fn within_authority(
        &self,
        at: &Spanned<Level>,
        level: Level,
        by: &Spanned<String>,
        approvers: &Approvers<'_>,
    ) -> Result<(), Located> {
        let approver = self.approver(by, approvers)?;
        if approver.accepts_up_to.is_some_and(|most| level <= most) {
            return Ok(());
        }
        let most = approver.accepts_up_to.map_or("no risk", Level::in_words);
        let what = format!(
            "{} may accept {most} at most, and this is {}",
            crate::text::visible(by.value.trim()),
            level.in_words()
        );
        Err(self.refuse(at, what, "somebody with the authority has to decide"))
    }

    fn not_later(&self, on: &Spanned<Date>) -> Result<Date, Located> {
        if on.value > self.against.today {
            return Err(self.refuse(on, "this lies in the future", "a decision counts from the day it was made"));
        }
        Ok(on.value)
    }

    fn expires(&self, written: Option<&Spanned<Date>>, on: &Spanned<Date>) -> Result<Date, Located> {
        let rules = self.against.model.decisions;
        let Some(written) = written else {
            let days = jiff::Span::new().days(i64::from(rules.default_days));
            return on.value.checked_add(days).map_err(|_| self.refuse(on, "this date is out of range", ""));
        };
        if written.value < on.value {
            return Err(self.refuse(written, "it ran out before it was decided", ""));
        }
        if days_between(on.value, written.value) > i64::from(rules.longest_days) {
            let what = format!("this is longer than {} days", rules.longest_days);
            return Err(self.refuse(written, what, "decide for a shorter time, and again then"));
        }
        Ok(written.value)
    }
}

fn leaves(path: &str) -> bool {
    use std::path::Component;
    !Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests;
