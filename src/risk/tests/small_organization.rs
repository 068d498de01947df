//! An invented clinic of twelve mailboxes, computed by hand.
//!
//! The arithmetic: L = min(attempt, success); risk = table I-2 at (L, impact).
//! The organization declares 4,200 individuals: 500 to 9,999 is impact high, by grade E.

use std::path::Path;

use super::clinic::{
    Results, SCENARIOS, TODAY, analyse, cards, clinic, folder, judgement, known_ids, passed, risk, scales,
};
use crate::assess::Grade;
use crate::finding::Severity;
use crate::risk::Level::{High, Low, Moderate, VeryHigh};
use crate::risk::analysis::analyse_known;
use crate::risk::{Level, Model, Position, Risk, Source};

fn levels(position: Position) -> (Level, Level, Level) {
    (position.likelihood, position.impact, position.risk)
}

fn explained(risk: &Risk, words: &str) -> bool {
    risk.explain.iter().any(|line| line.contains(words))
}

/// Nine of twelve mailboxes have a second factor: 75 %, below 90 %, so no credit.
///   inherent: success very high, L = min(high, very high) = high, I-2[high][high] = high
///   residual: 0 steps off very high, the same: high
///   target:   the three mended, 12 of 12: 2 steps off very high = moderate;
///             L = min(high, moderate) = moderate, I-2[moderate][high] = moderate
#[test]
fn three_of_twelve_without_a_second_factor_leave_the_risk_where_it_was() {
    let failing = ["m1@clinic.example", "m2@clinic.example", "m3@clinic.example"];
    let results = Results::from([("mfa", passed(9, Grade::B).failing(&failing))]);
    let analysis = analyse(&results, &clinic());
    let risk = risk(&analysis, "takeover");
    assert_eq!(levels(risk.inherent), (High, High, High));
    assert_eq!(levels(risk.residual), (High, High, High));
    assert_eq!(levels(risk.target), (Moderate, High, Moderate));
    assert!(risk.statement.contains("3 of 12 mailboxes without a second factor"), "{}", risk.statement);
    assert!(risk.statement.contains("up to 4,200 individuals"), "{}", risk.statement);
    assert_eq!(risk.vulnerabilities.len(), 3);
    assert!(
        explained(risk, "primary mfa: effective on 9 of 12, evidence B, worth 0 (on too few)"),
        "{:#?}",
        risk.explain
    );
    // No credit was earned; the impact rests on what the scope states.
    assert_eq!((risk.confidence, risk.impact_grade), (Grade::U, Grade::E));
    assert_eq!(risk.controls, [""; 0]);
}

/// 12 of 12: very high - 2 = moderate; L = min(high, moderate) = moderate; I-2[moderate][high] = moderate.
#[test]
fn a_primary_control_on_all_takes_two_steps() {
    let analysis = analyse(&Results::from([("mfa", passed(12, Grade::B))]), &clinic());
    let risk = risk(&analysis, "takeover");
    assert_eq!(levels(risk.residual), (Moderate, High, Moderate));
    assert_eq!(risk.controls, ["mfa"]);
    assert_eq!((risk.confidence, risk.impact_grade), (Grade::B, Grade::E));
}

/// 11 of 12 is 91.7 %: one step, unless the one left out is the administrator `m12`.
///   ordinary: very high - 1 = high; L = min(high, high) = high: risk high
///   to see the step itself: explain says worth 1, and 0 for the administrator
#[test]
fn one_administrator_left_out_takes_the_credit_away() {
    let ordinary = analyse(&Results::from([("mfa", passed(11, Grade::B).failing(&["m1@clinic.example"]))]), &clinic());
    assert!(explained(risk(&ordinary, "takeover"), "worth 1 (not on all)"));
    let privileged =
        analyse(&Results::from([("mfa", passed(11, Grade::B).failing(&["m12@clinic.example"]))]), &clinic());
    assert!(explained(risk(&privileged, "takeover"), "worth 0 (one without it is, or may be, privileged"));
    // Whose rights nobody knows may be privileged.
    let mut known = clinic();
    known.mailboxes[0].administrator = None;
    let unknown = analyse(&Results::from([("mfa", passed(11, Grade::B).failing(&["m1@clinic.example"]))]), &known);
    assert!(explained(risk(&unknown, "takeover"), "worth 0"));
    // A scan that found 500 individuals makes it heavy.
    let mut known = clinic();
    known.folders.push(folder("m1", 300, 500));
    let heavy = analyse(&Results::from([("mfa", passed(11, Grade::B).failing(&["m1@clinic.example"]))]), &known);
    assert!(explained(risk(&heavy, "takeover"), "worth 0"));
}

/// Not assessed counts like failing: 9 of 12 known to hold is 75 %.
#[test]
fn not_knowing_earns_nothing() {
    let unknown = ["m1@clinic.example", "m2@clinic.example", "m3@clinic.example"];
    let analysis = analyse(&Results::from([("mfa", passed(9, Grade::B).unknown(&unknown))]), &clinic());
    let risk = risk(&analysis, "takeover");
    assert_eq!(risk.residual, risk.inherent);
    assert!(
        risk.statement.contains("not known: the number of mailboxes without a second factor"),
        "{}",
        risk.statement
    );
    assert_eq!(risk.vulnerabilities.len(), 3);
}

/// Where nothing was assessed, the level stands as if no control existed, and confidence is U.
#[test]
fn an_empty_judgement_leaves_the_inherent_risk_with_confidence_u() {
    let analysis = analyse(&Results::new(), &clinic());
    for risk in &analysis.risks {
        assert_eq!(risk.residual, risk.inherent, "{}", risk.scenario);
        assert_eq!(risk.confidence, Grade::U, "{}", risk.scenario);
    }
    assert_eq!(analysis.risks.len(), 4);
}

/// No second factor, old sign-in closed on all (measured) and training attested:
///   compensating controls count once, together, the measured one: very high - 1 = high
/// With training alone (attested): very high - 1 = high, and never below moderate.
#[test]
fn compensating_controls_take_one_step_together() {
    let all: Vec<String> = (1..=12).map(|number| format!("m{number}@clinic.example")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let both = Results::from([
        ("mfa", passed(0, Grade::B).failing(&all)),
        ("old-sign-in-closed", passed(12, Grade::B)),
        ("training", passed(1, Grade::E)),
    ]);
    let analysis = analyse(&both, &clinic());
    assert!(explained(risk(&analysis, "takeover"), "chance of success now: high"));
    assert_eq!(risk(&analysis, "takeover").controls, ["old-sign-in-closed"]);
}

/// A primary control that people only attest: very high - 1 = high, not - 2 = moderate.
///   careless: L = min(very high, high) = high, I-2[high][moderate] = moderate, as without it:
///   I-2[very high][moderate] = moderate. The likelihood shows the step.
#[test]
fn what_is_only_attested_takes_one_step_at_most() {
    let analysis = analyse(&Results::from([("sanctions", passed(1, Grade::D))]), &clinic());
    let risk = risk(&analysis, "careless");
    assert_eq!(levels(risk.inherent), (VeryHigh, Moderate, Moderate));
    assert_eq!(levels(risk.residual), (High, Moderate, Moderate));
    assert_eq!(risk.confidence, Grade::D);
}

/// The tenant forbids forwarding (2 steps), and one mailbox forwards all the same: very high.
///   L = min(moderate, very high) = moderate; I-2[moderate][high] = moderate
///   Without the open way: very high - 2 = moderate; L = min(moderate, moderate) = moderate.
///   Target: mended, 12 of 12 do not forward: the same moderate.
#[test]
fn an_open_way_undoes_every_credit() {
    let open = Results::from([
        ("forwarding-off", passed(1, Grade::B)),
        ("no-outside-forwarding", passed(11, Grade::B).failing(&["m4@clinic.example"])),
    ]);
    let analysis = analyse(&open, &clinic());
    let forwarding = risk(&analysis, "forwarding");
    assert!(explained(forwarding, "no-outside-forwarding fails: a way is open now, so success is very high"));
    assert_eq!(forwarding.controls, [""; 0]);
    assert!(explained(forwarding, "after the open items of the plan: success moderate"));
    // Not having looked is no better than having found it.
    let blind = Results::from([("forwarding-off", passed(1, Grade::B))]);
    let analysis = analyse(&blind, &clinic());
    let forwarding = risk(&analysis, "forwarding");
    assert!(explained(forwarding, "no-outside-forwarding is not known: controls earn no credit"));
    assert!(explained(forwarding, "chance of success now: very high"));
}

/// Both mail hosts offer TLS, probed: high - 2 = low; L = min(low, low) = low; I-2[low][moderate] = low.
#[test]
fn probed_controls_lower_interception() {
    let analysis = analyse(&Results::from([("starttls", passed(2, Grade::A))]), &clinic());
    let risk = risk(&analysis, "interception");
    assert_eq!(levels(risk.inherent), (Low, Moderate, Low));
    assert_eq!(levels(risk.residual), (Low, Moderate, Low));
    assert!(
        risk.tips_on.iter().any(|tip| tip.starts_with("likelihood of an attempt one step lower")),
        "{:?}",
        risk.tips_on
    );
}

/// Nobody declares a number and nothing was scanned: high, with confidence U.
/// All twelve scanned whole, at most 40 each: the worst mailbox holds at most 40 (1 to 99 is low),
/// all together at most 480 (100 to 499 is moderate), both counted: grade C.
#[test]
fn impact_follows_what_was_counted() {
    let mut known = clinic();
    known.individuals = None;
    let results = Results::from([("mfa", passed(12, Grade::B))]);
    let blind = analyse(&results, &known);
    assert_eq!(risk(&blind, "takeover").residual.impact, High);
    assert_eq!(risk(&blind, "takeover").confidence, Grade::U);
    assert!(risk(&blind, "takeover").statement.contains("unknown number of individuals"));

    known.folders = (1..=12).map(|number| folder(&format!("m{number}@clinic.example"), 10, 40)).collect();
    let scanned = analyse(&results, &known);
    assert_eq!(risk(&scanned, "takeover").residual.impact, Low);
    assert_eq!(risk(&scanned, "takeover").confidence, Grade::B);
    assert_eq!(risk(&scanned, "takeover").impact_grade, Grade::C);
    assert_eq!(risk(&scanned, "forwarding").residual.impact, Moderate);

    // One message that could not be looked into makes the upper bound worthless.
    known.folders[3].not_inspected = Some(1);
    let partial = analyse(&results, &known);
    assert_eq!(risk(&partial, "takeover").residual.impact, High);
    assert_eq!(risk(&partial, "takeover").confidence, Grade::U);
}

#[test]
fn a_local_part_that_two_mailboxes_share_covers_neither() {
    let mut known = clinic();
    known.mailboxes.truncate(2);
    known.mailboxes[0].name = "desk@a.example".to_owned();
    known.mailboxes[1].name = "desk@b.example".to_owned();
    known.individuals = None;
    known.folders = vec![folder("desk", 1, 2)];
    let analysis = analyse(&Results::from([("mfa", passed(2, Grade::B))]), &known);
    assert_eq!(risk(&analysis, "takeover").residual.impact, High);
}

/// A scenario without anything it could happen to is listed apart, not rated.
#[test]
fn a_scenario_with_nothing_to_happen_to_is_not_rated() {
    let mut known = clinic();
    known.members.remove(&(crate::names::SubjectKind::Endpoint, None));
    let analysis = analyse(&Results::new(), &known);
    assert!(analysis.risks.iter().all(|risk| risk.scenario != "interception"));
    assert_eq!(analysis.not_applicable[0].scenario, "interception");
    // Where not all of them are known, it is rated.
    known.complete.insert(crate::names::SubjectKind::Endpoint, false);
    assert!(analyse(&Results::new(), &known).not_applicable.is_empty());
}

/// Reduction of each item alone, over all risks:
///   mfa (small, 1):        takeover high -> moderate: 1 step; success very high -> moderate: 2
///   no-outside (small, 1): forwarding stays moderate: 0 steps; success very high -> moderate: 2
///   starttls (medium, 3):  interception L = min(low, .) stays low: 0 steps; success high -> low: 2
/// So: mfa (1/1), then no-outside-forwarding (0, 2/1), then starttls (0, 2/3).
#[test]
fn the_plan_puts_most_risk_per_effort_first() {
    let failing = ["m1@clinic.example", "m2@clinic.example", "m3@clinic.example"];
    let results = Results::from([
        ("forwarding-off", passed(1, Grade::B)),
        ("mfa", passed(9, Grade::B).failing(&failing)),
        ("no-outside-forwarding", passed(11, Grade::B).failing(&["m4@clinic.example"])),
        ("starttls", passed(1, Grade::A).failing(&["mx.clinic.example:25"])),
    ]);
    let analysis = analyse(&results, &clinic());
    let items: Vec<_> = analysis.plan.iter().map(|item| (item.check.as_str(), item.reduction, item.eases)).collect();
    assert_eq!(items, [("mfa", 1, 2), ("no-outside-forwarding", 0, 2), ("starttls", 0, 2)]);
    assert_eq!(analysis.plan[0].findings.len(), 3);
    assert_eq!(analysis.plan[0].specs, ["164.312(d)"]);
    assert_eq!(analysis.plan[0].risks, [risk(&analysis, "takeover").id.clone()]);
}

/// With an attempt high and 20,000 individuals, forwarding is L = min(high, very high) = high and
/// I-2[high][very high] = very high; with every control it would be very high - 2 = moderate, and
/// I-2[moderate][very high] = high. Setting and open way both fail: mending one alone takes nothing
/// away, and each stands in the way of one step. One mailbox of twelve open to old clients bears on
/// nothing (11 of 12 compensate already), so it comes last although it is critical.
#[test]
fn an_item_that_needs_another_stands_before_one_that_bears_on_nothing() {
    let text = SCENARIOS.replacen("initiation: { level: moderate", "initiation: { level: high", 1);
    let scales = scales();
    let model = Source { file: Path::new("model.yaml"), text: &scales };
    let scenarios = Source { file: Path::new("scenarios.yaml"), text: &text };
    let model = Model::read(model, scenarios, &known_ids()).unwrap();
    let mut judgement = judgement(&Results::from([
        ("forwarding-off", passed(0, Grade::B).failing(&["microsoft365"])),
        ("no-outside-forwarding", passed(11, Grade::B).failing(&["m4@clinic.example"])),
        ("old-sign-in-closed", passed(11, Grade::B).failing(&["m1@clinic.example"])),
    ]));
    for finding in judgement.findings.iter_mut().filter(|finding| finding.check == "old-sign-in-closed") {
        finding.severity = Severity::Critical;
    }
    let mut known = clinic();
    known.individuals = Some(20_000);
    let analysis = analyse_known(&model, &cards(), &judgement, &known, TODAY);
    let items: Vec<_> = analysis.plan.iter().map(|item| (item.check.as_str(), item.reduction, item.eases)).collect();
    assert_eq!(items, [("forwarding-off", 0, 0), ("no-outside-forwarding", 0, 0), ("old-sign-in-closed", 0, 0)]);
}

#[test]
fn exposure_says_what_is_certain_and_nothing_else() {
    let mut known = clinic();
    known.mailboxes.truncate(3);
    known.mailboxes[0].mfa_registered = Some(false);
    known.mailboxes[1].mfa_registered = None;
    known.folders = vec![folder("m1", 600, 900), folder("m3", 10, 900), folder("archive", 1, 2)];
    let exposure = analyse(&Results::new(), &known).exposure;
    let rows: Vec<_> = exposure.iter().map(|row| (row.mailbox.as_str(), row.way_in.as_str(), row.over_500)).collect();
    assert_eq!(
        rows,
        [
            ("m1@clinic.example", "no second factor", Some(true)),
            // At least 10, at most 900: nobody can say.
            ("m3@clinic.example", "second factor registered", None),
            ("archive", "not known", Some(false)),
            ("m2@clinic.example", "not known", None),
        ]
    );
    // 400 days before 2026-10-01.
    assert_eq!(exposure[0].oldest, Some(jiff::civil::date(2025, 8, 27)));
}
