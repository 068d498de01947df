//! The three files as a person writes them.

use jiff::civil::Date;
use serde::Deserialize;

use crate::evidence::decisions::{AddressableWord, EstimatedInput, Office, PlanStatus, TreatmentWord};
use crate::risk::Level;
use crate::yaml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionsFile {
    pub(super) schema: Spanned<u32>,
    /// Who may decide.
    #[serde(default)]
    pub(super) approvers: Vec<ApproverFile>,
    pub(super) appetite: Option<AppetiteFile>,
    #[serde(default)]
    pub(super) estimates: Vec<EstimateFile>,
    #[serde(default)]
    pub(super) risks: Vec<TreatmentFile>,
    #[serde(default)]
    pub(super) acceptances: Vec<AcceptanceFile>,
    #[serde(default)]
    pub(super) addressable: Vec<AddressableFile>,
    #[serde(default)]
    pub(super) signatures: Vec<SignatureFile>,
    pub(super) next_review: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproverFile {
    pub(super) name: Spanned<String>,
    pub(super) role: Spanned<String>,
    /// The highest level of risk this person may accept; none where it is not said.
    pub(super) accepts_up_to: Option<Level>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppetiteFile {
    pub(super) level: Spanned<Level>,
    pub(super) by: Spanned<String>,
    pub(super) on: Spanned<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EstimateFile {
    pub(super) risk: Spanned<String>,
    pub(super) input: EstimatedInput,
    pub(super) level: Spanned<Level>,
    pub(super) reason: Spanned<String>,
    pub(super) by: Spanned<String>,
    pub(super) on: Spanned<Date>,
    pub(super) expires: Option<Spanned<Date>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TreatmentFile {
    pub(super) risk: Spanned<String>,
    pub(super) treatment: TreatmentWord,
    pub(super) owner: Spanned<String>,
    pub(super) due: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptanceFile {
    pub(super) risk: Spanned<String>,
    pub(super) level: Spanned<Level>,
    pub(super) reason: Spanned<String>,
    pub(super) by: Spanned<String>,
    pub(super) on: Spanned<Date>,
    pub(super) expires: Option<Spanned<Date>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressableFile {
    pub(super) spec: Spanned<String>,
    pub(super) decision: Spanned<AddressableWord>,
    pub(super) scope: Spanned<String>,
    pub(super) why: Spanned<String>,
    pub(super) factors: Option<FactorsFile>,
    pub(super) alternative: Option<Spanned<String>>,
    pub(super) evidence_file: Option<Spanned<String>>,
    pub(super) risk: Option<Spanned<String>>,
    pub(super) by: Spanned<String>,
    pub(super) on: Spanned<Date>,
    pub(super) expires: Option<Spanned<Date>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FactorsFile {
    pub(super) size_complexity_capabilities: Spanned<String>,
    pub(super) technical_infrastructure: Spanned<String>,
    pub(super) costs: Spanned<String>,
    pub(super) probability_and_criticality: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureFile {
    pub(super) office: Office,
    pub(super) name: Spanned<String>,
    pub(super) on: Spanned<Date>,
    pub(super) evidence_digest: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionsFile {
    pub(super) schema: Spanned<u32>,
    pub(super) exceptions: Vec<ExceptionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionFile {
    pub(super) check: Spanned<String>,
    pub(super) subjects: Spanned<Vec<String>>,
    pub(super) owner: Spanned<String>,
    pub(super) reason: Spanned<String>,
    pub(super) on: Spanned<Date>,
    pub(super) expires: Spanned<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanFile {
    pub(super) schema: Spanned<u32>,
    pub(super) items: Vec<PlanEntryFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanEntryFile {
    pub(super) check: Spanned<String>,
    pub(super) owner: Option<Spanned<String>>,
    pub(super) due: Option<Date>,
    #[serde(default = "open")]
    pub(super) status: PlanStatus,
    #[serde(default)]
    pub(super) deferrals: u32,
    #[serde(default)]
    pub(super) milestones: Vec<MilestoneFile>,
    pub(super) comment: Option<Spanned<String>>,
}

const fn open() -> PlanStatus {
    PlanStatus::Open
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MilestoneFile {
    pub(super) what: Spanned<String>,
    pub(super) due: Date,
    pub(super) done: Option<Date>,
}
