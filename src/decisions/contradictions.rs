//! Where an answer says yes and a measurement says no.

use std::collections::BTreeSet;

use super::{ANSWERS, Conclusions, Found, Tallies, values};
use crate::assess::{CoverageState, Judgement};
use crate::evidence::EvidenceId;
use crate::facts::Facts;
use crate::finding::Outcome;
use crate::names::SubjectKind;
use crate::seen::Seen;

/// Observations shown for one contradiction, beside the answer.
const SHOWN: usize = 20;

/// One finding for each pair that contradicts itself. An answer other than "yes", or a check that
/// was not assessed, contradicts nothing.
pub(super) fn contradict(conclusions: &Conclusions, facts: &Facts, judgement: &mut Judgement, tallies: &mut Tallies) {
    for pair in conclusions.contradictions() {
        let Some(answer) = facts.attestations.subjects.iter().find(|answer| answer.name == pair.question) else {
            continue;
        };
        if answer.answer.seen != Seen::Present("yes".to_owned()) {
            continue;
        }
        let Some(coverage) = judgement.coverage.get(&pair.check) else { continue };
        if coverage.failed == 0 {
            match coverage.state {
                CoverageState::Assessed => tallies.passed(ANSWERS),
                CoverageState::NotAssessed | CoverageState::PartlyAssessed => tallies.unknown(ANSWERS),
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
