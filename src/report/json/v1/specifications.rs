//! What the evidence says of each standard and specification of the Security Rule.
//!
//! Never more than the evidence carries: a measurement of systems speaks to technical
//! specifications only, an indirect citation gives a part at most, and a standard is never more
//! than partly supported by what its specifications show.

use std::collections::BTreeMap;

use super::words::{CoverageState, Grade, Obligation, SpecificationState, Supports};
use super::{Specification, SpecificationBasis};
use crate::assess::Judgement;
use crate::risk::{Cards, RuleEntry, RuleObligation, SecurityRule};

/// Every standard and specification, in the order of the rule.
pub(super) fn specifications(rule: &SecurityRule, cards: &Cards, judgement: &Judgement) -> Vec<Specification> {
    let mut by: BTreeMap<&str, Vec<Basis>> = BTreeMap::new();
    for card in cards.values() {
        for cite in &card.cites {
            by.entry(&cite.spec).or_default().push(Basis::new(card, cite.supports.into(), judgement));
        }
    }
    let mut rows: Vec<Specification> = rule
        .entries
        .iter()
        .filter_map(|entry| {
            let obligation = match entry.obligation {
                RuleObligation::Addressable => Obligation::Addressable,
                RuleObligation::Required => Obligation::Required,
                RuleObligation::Rule => return None,
                RuleObligation::Standard => Obligation::Standard,
            };
            let bases = by.get(entry.id.as_str()).map_or(&[][..], Vec::as_slice);
            Some(Specification {
                id: entry.id.clone(),
                title: entry.title.clone(),
                category: entry.category.as_str().to_owned(),
                obligation,
                status: status(entry, bases),
                by: bases.iter().map(|basis| basis.row.clone()).collect(),
            })
        })
        .collect();
    roll_up(rule, &mut rows);
    rows
}

struct Basis {
    row: SpecificationBasis,
    /// Whether people say it: the questionnaire, a register, a declared document.
    said: bool,
}

impl Basis {
    fn new(card: &crate::risk::Card, supports: Supports, judgement: &Judgement) -> Self {
        let coverage = judgement.coverage.get(&card.id);
        let row = SpecificationBasis {
            check: card.id.clone(),
            supports,
            state: coverage.map_or(CoverageState::NotAssessed, |coverage| coverage.state.into()),
            passed: coverage.map_or(0, |coverage| coverage.passed),
            failed: coverage.map_or(0, |coverage| coverage.failed),
            unknown: coverage.map_or(0, |coverage| coverage.needs_review + coverage.not_assessed),
            grade: coverage.map_or(Grade::U, |coverage| coverage.grade.into()),
        };
        Self { said: card.subject.is_stated(), row }
    }
}

fn status(entry: &RuleEntry, bases: &[Basis]) -> SpecificationState {
    // A measurement says nothing directly of what people do, sign and decide.
    let direct =
        |basis: &&Basis| basis.row.supports == Supports::Direct && (entry.category.can_be_measured() || basis.said);
    let direct: Vec<&Basis> = bases.iter().filter(direct).collect();
    let applying = |basis: &&&Basis| basis.row.state != CoverageState::NotApplicable;
    let direct: Vec<&Basis> = direct.iter().filter(applying).copied().collect();
    let passed = direct.iter().any(|basis| basis.row.passed > 0);
    let failed = direct.iter().any(|basis| basis.row.failed > 0);
    let unknown = direct.iter().any(|basis| basis.row.state != CoverageState::Assessed || basis.row.unknown > 0);
    // What is measured speaks to nothing that people do, sign and decide, not even indirectly.
    let speaks = |basis: &&Basis| entry.category.can_be_measured() || basis.said;
    let indirect_passed = bases.iter().filter(speaks).any(|basis| basis.row.passed > 0);
    match (passed, failed) {
        (true, true) => SpecificationState::ContradictedInPart,
        (false, true) if indirect_passed => SpecificationState::ContradictedInPart,
        (false, true) => SpecificationState::Contradicted,
        (true, false) if direct.iter().any(|basis| basis.row.passed > 0 && basis.said) => {
            if unknown {
                SpecificationState::Partly
            } else {
                SpecificationState::Attested
            }
        }
        (true, false) if unknown => SpecificationState::Partly,
        (true, false) => SpecificationState::Evidenced,
        (false, false) if indirect_passed => SpecificationState::Partly,
        (false, false) => SpecificationState::NotAssessed,
    }
}

/// A standard is never more than its specifications: what speaks to it directly supports a part at
/// most, and what contradicts one of them contradicts it in part.
fn roll_up(rule: &SecurityRule, rows: &mut [Specification]) {
    let parents: BTreeMap<&str, &str> =
        rule.entries.iter().filter_map(|entry| Some((entry.id.as_str(), entry.parent.as_deref()?))).collect();
    let mut below: BTreeMap<String, Vec<SpecificationState>> = BTreeMap::new();
    for row in rows.iter() {
        if let Some(parent) = parents.get(row.id.as_str()) {
            below.entry((*parent).to_owned()).or_default().push(row.status);
        }
    }
    for row in rows.iter_mut().filter(|row| row.obligation == Obligation::Standard) {
        let Some(states) = below.get(&row.id) else { continue };
        let all = || states.iter().copied().chain([row.status]);
        let (for_it, against_it) = (all().any(supports), all().any(contradicts));
        row.status = match (for_it, against_it) {
            (true, true) => SpecificationState::ContradictedInPart,
            (false, true) => SpecificationState::Contradicted,
            (true, false) => SpecificationState::Partly,
            (false, false) => SpecificationState::NotAssessed,
        };
    }
}

const fn supports(state: SpecificationState) -> bool {
    match state {
        SpecificationState::Attested
        | SpecificationState::ContradictedInPart
        | SpecificationState::Evidenced
        | SpecificationState::Partly => true,
        SpecificationState::Contradicted | SpecificationState::NotAssessed => false,
    }
}

const fn contradicts(state: SpecificationState) -> bool {
    match state {
        SpecificationState::Contradicted | SpecificationState::ContradictedInPart => true,
        SpecificationState::Attested
        | SpecificationState::Evidenced
        | SpecificationState::NotAssessed
        | SpecificationState::Partly => false,
    }
}
