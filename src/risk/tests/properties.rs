//! What holds for any judgement: more failures and less evidence never lower a risk, and the
//! order of input never matters.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::clinic::{CHECKS, Result, Results, TODAY, analyse, cards, clinic, judgement, model};
use crate::assess::Grade;
use crate::risk::analysis::analyse_known;
use crate::risk::known::Known;
use crate::risk::{Level, LikelihoodRule, RiskAnalysis};

fn result() -> impl Strategy<Value = Result> {
    let grade = prop_oneof![Just(Grade::A), Just(Grade::B), Just(Grade::D), Just(Grade::E)];
    let names = || proptest::collection::btree_set(1..=14_usize, 0..3);
    (0..24_usize, names(), names(), 0..3_usize, grade).prop_map(|(passed, failed, unknown, not_applicable, grade)| {
        let name = |number: &usize| format!("m{number}@clinic.example");
        let unknown = unknown.difference(&failed).map(name).collect();
        Result { passed, failed: failed.iter().map(name).collect(), unknown, not_applicable, grade }
    })
}

fn results() -> impl Strategy<Value = Results> {
    proptest::collection::vec(proptest::option::of(result()), CHECKS.len())
        .prop_map(|all| CHECKS.iter().zip(all).filter_map(|((id, _), result)| Some((*id, result?))).collect())
}

/// Every scenario's inherent, residual and target; one that is not rated is lower than any.
fn levels(analysis: &RiskAnalysis) -> BTreeMap<String, [Level; 3]> {
    analysis
        .risks
        .iter()
        .map(|risk| (risk.scenario.clone(), [risk.inherent.risk, risk.residual.risk, risk.target.risk]))
        .collect()
}

fn residual(analysis: &RiskAnalysis) -> BTreeMap<String, (Level, Level)> {
    let of = |risk: &crate::risk::Risk| (risk.residual.risk, risk.residual.likelihood);
    analysis.risks.iter().map(|risk| (risk.scenario.clone(), of(risk))).collect()
}

fn never_lower(before: &RiskAnalysis, after: &RiskAnalysis) -> std::result::Result<(), TestCaseError> {
    let after = residual(after);
    for (scenario, was) in residual(before) {
        let is = after.get(&scenario);
        prop_assert!(is.is_some_and(|is| is.0 >= was.0 && is.1 >= was.1), "{scenario}: {was:?} then {is:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_further_failure_never_lowers_a_risk(results in results(), check in 0..CHECKS.len(), number in 1..=14_usize) {
        let before = analyse(&results, &clinic());
        let mut worse = results;
        let (id, _) = CHECKS[check];
        let name = format!("m{number}@clinic.example");
        let result = worse.entry(id).or_insert(super::clinic::passed(0, Grade::B));
        // It was not assessed, passed, or was not there.
        let was_unknown = result.unknown.contains(&name);
        result.unknown.retain(|unknown| *unknown != name);
        if !result.failed.contains(&name) {
            result.failed.push(name);
            if !was_unknown && number % 2 == 0 {
                result.passed = result.passed.saturating_sub(1);
            }
        }
        never_lower(&before, &analyse(&worse, &clinic()))?;
    }

    #[test]
    fn losing_a_result_never_lowers_a_risk(results in results(), check in 0..CHECKS.len(), number in 1..=14_usize) {
        let before = analyse(&results, &clinic());
        let (id, _) = CHECKS[check];
        let name = format!("m{number}@clinic.example");
        let mut blind = results;
        if let Some(result) = blind.get_mut(id) {
            if let Some(at) = result.failed.iter().position(|failed| *failed == name) {
                result.failed.remove(at);
                result.unknown.push(name);
            } else if result.passed > 0 {
                result.passed -= 1;
                if !result.unknown.contains(&name) {
                    result.unknown.push(name);
                } else {
                    result.unknown.push("somebody else".to_owned());
                }
            }
        }
        never_lower(&before, &analyse(&blind, &clinic()))?;
    }

    #[test]
    fn losing_a_whole_check_or_a_whole_export_never_lowers_a_risk(results in results(), check in 0..CHECKS.len()) {
        let before = analyse(&results, &clinic());
        let (id, kind) = CHECKS[check];
        let mut blind = results.clone();
        blind.remove(id);
        never_lower(&before, &analyse(&blind, &clinic()))?;
        let mut known = clinic();
        known.complete.insert(kind, false);
        never_lower(&before, &analyse(&results, &known))?;
    }

    #[test]
    fn not_knowing_rights_never_lowers_a_risk(results in results(), mailbox in 0..12_usize) {
        let before = analyse(&results, &clinic());
        let mut known = clinic();
        known.mailboxes[mailbox].administrator = None;
        known.mailboxes[mailbox].holds_phi = None;
        never_lower(&before, &analyse(&results, &known))?;
        known.mailboxes.remove(mailbox);
        never_lower(&before, &analyse(&results, &known))?;
    }

    /// Two exceptions by definition: 10,000 or more that are declared or certainly counted are very
    /// high, and nobody knowing is high; a mailbox that only the scan knows to be heavy.
    #[test]
    fn losing_a_scan_never_lowers_a_risk(
        results in results(),
        uppers in proptest::collection::vec(0..2_000_u64, 12),
        mailbox in 0..12_usize,
        beyond in proptest::option::of(0..7_000_u64),
    ) {
        let mut uppers = uppers;
        uppers[mailbox] %= 500;
        let folders = uppers.iter().enumerate().map(|(index, &upper)| {
            super::clinic::folder(&format!("m{}@clinic.example", index + 1), upper / 2, upper)
        });
        // Declared fewer than were counted would contradict itself.
        let most = uppers.iter().copied().max().unwrap_or(0);
        let known = Known { folders: folders.collect(), individuals: beyond.map(|beyond| most + beyond), ..clinic() };
        let before = analyse(&results, &known);
        let mut blind = known.clone();
        blind.folders.remove(mailbox);
        never_lower(&before, &analyse(&results, &blind))?;
    }

    #[test]
    fn target_is_never_above_residual_nor_residual_above_inherent(results in results()) {
        for (scenario, [inherent, residual, target]) in levels(&analyse(&results, &clinic())) {
            prop_assert!(inherent >= residual && residual >= target, "{scenario}");
        }
    }

    #[test]
    fn order_never_matters(results in results(), seed in any::<u64>()) {
        let (model, cards, known) = (model(), cards(), clinic());
        let straight = judgement(&results);
        let mut turned = straight.clone();
        turned.findings.sort_by_key(|finding| (finding.fingerprint.as_str().as_bytes()[0] as u64).wrapping_mul(seed));
        turned.findings.reverse();
        turned.passed.reverse();
        let mut shuffled = known.clone();
        shuffled.mailboxes.reverse();
        prop_assert_eq!(
            analyse_known(&model, &cards, &straight, &known, TODAY),
            analyse_known(&model, &cards, &turned, &shuffled, TODAY)
        );
    }

    #[test]
    fn the_tables_are_monotone(a in 0..5_usize, b in 0..5_usize, c in 0..5_usize, nist: bool) {
        let rule = if nist { LikelihoodRule::NistG5 } else { LikelihoodRule::LowerOfBoth };
        let model = model().with_likelihood(rule);
        let [a, b, c] = [a, b, c].map(|index| Level::ALL[index]);
        let risk = |attempt: Level, success: Level, impact: Level| {
            model.risk_table.at(model.likelihood(attempt, success), impact)
        };
        prop_assert!(risk(a.raised(1), b, c) >= risk(a, b, c));
        prop_assert!(risk(a, b.raised(1), c) >= risk(a, b, c));
        prop_assert!(risk(a, b, c.raised(1)) >= risk(a, b, c));
    }
}
