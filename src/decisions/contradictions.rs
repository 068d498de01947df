//! Where an answer says yes and a measurement says no.

use std::collections::BTreeSet;

use super::{ANSWERS, Conclusions, Found, Tallies, values};
use crate::assess::{CoverageState, Judgement, to_close};
use crate::evidence::EvidenceId;
use crate::facts::{Collection, Facts};
use crate::finding::{Gap, Outcome};
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

/// Observations shown for one contradiction, beside the answer.
const SHOWN: usize = 20;

/// One finding for each pair that contradicts itself. An answer other than "yes" contradicts
/// nothing; where the check was not assessed, neither is the agreement.
pub(super) fn contradict(conclusions: &Conclusions, facts: &Facts, judgement: &mut Judgement, tallies: &mut Tallies) {
    if let Collection::Incomplete(reason) = &facts.attestations.collection {
        let found = Found {
            kind: SubjectKind::Attestation,
            subject: "answers",
            discriminator: "",
            template: "Not every answer is there to be compared with what was measured",
            values: values([]),
            evidence: Vec::new(),
        };
        let gap = missing(SubjectKind::Attestation.as_str(), reason);
        tallies.unknown(ANSWERS, found, gap, conclusions, judgement);
    }
    for pair in conclusions.contradictions() {
        let Some(answer) = facts.attestations.subjects.iter().find(|answer| answer.name == pair.question) else {
            continue;
        };
        let not_compared = |template: &'static str| Found {
            kind: SubjectKind::Attestation,
            subject: &pair.question,
            discriminator: &pair.check,
            template,
            values: values([("attestation.name", pair.question.clone()), ("check.id", pair.check.clone())]),
            evidence: answer.answer.evidence.to_vec(),
        };
        let is_yes = match &answer.answer.seen {
            Seen::Present(given) => given == "yes",
            Seen::Absent | Seen::Malformed(_) => false,
            Seen::Unknown(reason) => {
                let found =
                    not_compared("The answer to {{attestation.name}} is not known; {{check.id}} would measure it");
                let gap = missing("attestation.answer", reason);
                tallies.unknown(ANSWERS, found, gap, conclusions, judgement);
                false
            }
        };
        if !is_yes {
            continue;
        }
        let Some(coverage) = judgement.coverage.get(&pair.check) else { continue };
        if coverage.failed == 0 {
            match coverage.state {
                CoverageState::Assessed if coverage.is_settled() => tallies.passed(ANSWERS),
                CoverageState::Assessed | CoverageState::NotAssessed | CoverageState::PartlyAssessed => {
                    let gap = gap(&pair.check, judgement);
                    let found = not_compared(
                        "The answer to {{attestation.name}} is yes, and {{check.id}} that would measure it was not assessed, or waits for somebody to look",
                    );
                    tallies.unknown(ANSWERS, found, gap, conclusions, judgement);
                }
                CoverageState::NotApplicable | CoverageState::NotProvided => {}
            }
            continue;
        }
        let group = coverage.passed + coverage.failed + coverage.needs_review + coverage.not_assessed;
        let measured: BTreeSet<&EvidenceId> = judgement
            .findings
            .iter()
            .filter(|finding| finding.check == pair.check && finding.outcome == Outcome::Fail)
            .flat_map(|finding| &finding.evidence)
            .collect();
        let evidence: Vec<EvidenceId> =
            answer.answer.evidence.iter().chain(measured.into_iter().take(SHOWN)).cloned().collect();
        let found = Found {
            kind: SubjectKind::Attestation,
            subject: &pair.question,
            discriminator: &pair.check,
            template: "The answer to {{attestation.name}} is yes, but {{check.id}} fails on {{check.failed}} of {{check.group}}",
            values: values([
                ("attestation.name", pair.question.clone()),
                ("check.id", pair.check.clone()),
                ("check.failed", coverage.failed.to_string()),
                ("check.group", group.to_string()),
            ]),
            evidence,
        };
        tallies.failed(ANSWERS, found, conclusions, judgement);
    }
}

fn missing(fact: &str, reason: &NotObserved) -> Gap {
    Gap { missing: vec![fact.to_owned()], because: reason.clone(), to_close: to_close(reason) }
}

/// Why the check that would measure an answer was not assessed.
fn gap(check: &str, judgement: &Judgement) -> Gap {
    let gaps = judgement.findings.iter().filter(|finding| finding.check == check).filter_map(|finding| {
        let Outcome::NotAssessed(gap) = &finding.outcome else { return None };
        Some(gap.clone())
    });
    gaps.min().unwrap_or_else(|| Gap {
        missing: Vec::new(),
        because: NotObserved::NotProvided { what: format!("what {check} reads") },
        to_close: format!("Provide what {check} reads."),
    })
}
