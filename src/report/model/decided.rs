//! What the organization decided, as rows: acceptances, records, exceptions, signatures, dates.

use serde::Serialize;

use super::words::{Tag, capitalized, counted, number, paragraph, plain_words, sentence};
use crate::decisions::Standing;
use crate::evidence::decisions::Office;
use crate::report::json::v1::{Assessment, Obligation, SpecificationState};

/// Dates shown in the report; all are in assessment.json.
const DAYS_AHEAD: i64 = 120;

/// Everything that was decided.
#[derive(Clone, Debug, Serialize)]
pub struct DecidedView {
    pub appetite: Option<String>,
    pub acceptances: Vec<DecidedRow>,
    pub records: Vec<RecordRow>,
    /// Addressable specifications that evidence does not support and no record in force speaks of.
    pub unrecorded: Option<String>,
    pub exceptions: Vec<DecidedRow>,
    pub closed: Vec<ClosedRow>,
    pub signatures: Vec<SignatureRow>,
    pub signed: bool,
    pub next_review: Option<String>,
    pub due: Vec<DueRow>,
    pub due_rest: Option<String>,
}

/// An acceptance or an exception.
#[derive(Clone, Debug, Serialize)]
pub struct DecidedRow {
    pub what: String,
    pub level: Option<Tag>,
    pub reason: String,
    pub by: String,
    pub until: String,
    pub standing: Tag,
    pub why: String,
}

/// One record on an addressable specification.
#[derive(Clone, Debug, Serialize)]
pub struct RecordRow {
    pub spec: String,
    pub decision: &'static str,
    pub scope: String,
    pub reason: String,
    pub factors: Vec<Factor>,
    pub alternative: Option<String>,
    pub evidence: Option<String>,
    pub risk: Option<String>,
    pub by: String,
    pub until: String,
    pub standing: Tag,
}

/// One of the four factors.
#[derive(Clone, Debug, Serialize)]
pub struct Factor {
    pub name: &'static str,
    pub weighed: String,
}

/// An item of the plan that fails nowhere any more.
#[derive(Clone, Debug, Serialize)]
pub struct ClosedRow {
    pub check: String,
    pub owner: String,
    pub why: String,
    pub grade: &'static str,
    pub evidence: String,
}

/// One office of the signature page.
#[derive(Clone, Debug, Serialize)]
pub struct SignatureRow {
    pub office: &'static str,
    pub name: String,
    pub on: String,
    /// Why a signature that is there does not count.
    pub note: String,
}

/// Something with a day.
#[derive(Clone, Debug, Serialize)]
pub struct DueRow {
    pub on: String,
    pub what: String,
    pub kind: &'static str,
    pub late: bool,
}

fn standing(standing: Standing) -> Tag {
    let class = match standing {
        Standing::InForce => return Tag::plain(standing.in_words()),
        Standing::Expired | Standing::Reopened => "level-5",
        Standing::NotYet | Standing::Unused => "level-3",
    };
    Tag { word: standing.in_words().to_owned(), rank: None, class }
}

pub(super) fn decided(assessment: &Assessment) -> DecidedView {
    let decisions = &assessment.decisions;
    let title = |scenario: &str| {
        let risk = assessment.risks.iter().find(|risk| risk.scenario == scenario);
        risk.map_or_else(|| plain_words(&paragraph(scenario)), |risk| paragraph(&risk.title))
    };
    let check_title = |check: &str| {
        let known = assessment.coverage.checks.iter().find(|known| known.check == check);
        known.map_or_else(|| paragraph(check), |known| paragraph(&known.title))
    };
    let (due, due_rest) = due(assessment);
    DecidedView {
        appetite: decisions.appetite.as_ref().map(|appetite| {
            let decided = &appetite.decided;
            let (by, role) = (paragraph(&decided.by), paragraph(&decided.role));
            let above = assessment.risks.iter().filter(|risk| risk.residual.risk > appetite.level).count();
            format!(
                "Management accepts risks up to {} ({by}, {role}, {}); {} above it.",
                appetite.level.in_words(),
                decided.on,
                counted(above, "risk is", "risks are")
            )
        }),
        acceptances: decisions
            .acceptances
            .iter()
            .map(|row| DecidedRow {
                what: title(&row.risk),
                level: Some(Tag::from(row.level)),
                reason: sentence(&row.reason),
                by: format!("{}, {}", paragraph(&row.decided.by), paragraph(&row.decided.role)),
                until: row.expires.to_string(),
                standing: standing(row.standing),
                why: capitalized(&row.why),
            })
            .collect(),
        records: records(assessment, &title),
        unrecorded: unrecorded(assessment),
        exceptions: decisions
            .exceptions
            .iter()
            .map(|row| DecidedRow {
                what: check_title(&row.check),
                level: None,
                reason: sentence(&row.reason),
                by: paragraph(&row.owner),
                until: row.expires.to_string(),
                standing: standing(row.standing),
                why: capitalized(&row.why),
            })
            .collect(),
        closed: decisions
            .closed
            .iter()
            .map(|row| ClosedRow {
                check: check_title(&row.check),
                owner: super::front::owner_or(row.owner.as_deref()),
                why: capitalized(&row.why),
                grade: row.grade.as_str(),
                evidence: row.evidence_sha256.clone().unwrap_or_else(|| "none".to_owned()),
            })
            .collect(),
        signatures: Office::ALL.into_iter().map(|office| signature(assessment, office)).collect(),
        signed: is_signed(assessment),
        next_review: decisions.next_review.map(|day| day.to_string()),
        due,
        due_rest,
    }
}

/// Whether management signed this evidence.
pub(super) fn is_signed(assessment: &Assessment) -> bool {
    assessment.decisions.signatures.iter().any(|signature| signature.counts && signature.office == Office::Management)
}

fn signature(assessment: &Assessment, office: Office) -> SignatureRow {
    let of_office = || assessment.decisions.signatures.iter().filter(|signature| signature.office == office);
    // One that counts before one that does not; of several, the newest.
    let best = of_office().max_by_key(|signature| (signature.counts, signature.on));
    let unsigned =
        || SignatureRow { office: office.in_words(), name: String::new(), on: String::new(), note: String::new() };
    best.map_or_else(unsigned, |signature| SignatureRow {
        office: office.in_words(),
        name: paragraph(&signature.name),
        on: signature.on.to_string(),
        note: if signature.counts {
            "recorded in decisions.yaml".to_owned()
        } else {
            "signed for other evidence; it does not count here".to_owned()
        },
    })
}

fn records(assessment: &Assessment, title: &dyn Fn(&str) -> String) -> Vec<RecordRow> {
    let rows = assessment.decisions.addressable.iter();
    rows.map(|row| RecordRow {
        spec: paragraph(&row.spec),
        decision: row.decision.in_words(),
        scope: sentence(&row.scope),
        reason: sentence(&row.reason),
        factors: row.factors.as_ref().map_or_else(Vec::new, |factors| {
            let factor = |name, text: &String| Factor { name, weighed: sentence(text) };
            vec![
                factor("(i) Size, complexity, capabilities", &factors.size_complexity_capabilities),
                factor("(ii) Technical infrastructure", &factors.technical_infrastructure),
                factor("(iii) Costs", &factors.costs),
                factor("(iv) Probability and criticality of risks", &factors.probability_and_criticality),
            ]
        }),
        alternative: row.alternative.as_deref().map(sentence),
        evidence: row.evidence_file.as_ref().map(|file| match &row.evidence_sha256 {
            Some(sha256) => format!("{} (SHA-256 {sha256})", paragraph(file)),
            None => format!("{}, which was not there to be read", paragraph(file)),
        }),
        risk: row.risk.as_deref().map(title),
        by: format!("{}, {}, {}", paragraph(&row.decided.by), paragraph(&row.decided.role), row.decided.on),
        until: row.expires.to_string(),
        standing: standing(row.standing),
    })
    .collect()
}

fn unrecorded(assessment: &Assessment) -> Option<String> {
    let in_force = |spec: &str| {
        assessment.decisions.addressable.iter().any(|row| row.spec == spec && row.standing == Standing::InForce)
    };
    let open: Vec<String> = assessment
        .specifications
        .iter()
        .filter(|row| row.obligation == Obligation::Addressable && !in_force(&row.id))
        .filter(|row| match row.status {
            SpecificationState::Contradicted
            | SpecificationState::ContradictedInPart
            | SpecificationState::NotAssessed
            | SpecificationState::Partly => true,
            SpecificationState::Attested | SpecificationState::Evidenced => false,
        })
        .map(|row| paragraph(&row.id))
        .collect();
    (!open.is_empty()).then(|| {
        format!(
            "{} neither supported whole by evidence nor covered by a record in force: {}.",
            counted(open.len(), "addressable specification is", "addressable specifications are"),
            open.join(", ")
        )
    })
}

fn due(assessment: &Assessment) -> (Vec<DueRow>, Option<String>) {
    let today = super::front::today(assessment);
    let near = |on| crate::clock::days_between(today, on) <= DAYS_AHEAD;
    let all = &assessment.decisions.due;
    let soon = all.iter().filter(|due| near(due.on)).count();
    let rows: Vec<DueRow> = all
        .iter()
        .filter(|due| near(due.on))
        .take(super::RAW_SHOWN)
        .map(|due| DueRow {
            on: due.on.to_string(),
            what: plain_words(&paragraph(&due.what)),
            kind: due.kind.in_words(),
            late: due.on < today,
        })
        .collect();
    let (more, later) = (soon - rows.len(), all.len() - soon);
    let mut rest: Vec<String> = Vec::new();
    if more > 0 {
        rest.push(format!("{} more within four months", number(more as u64)));
    }
    if later > 0 {
        rest.push(format!("{} later", number(later as u64)));
    }
    let rest = (!rest.is_empty()).then(|| format!("{}; all are in assessment.json.", rest.join(", ")));
    (rows, rest)
}
