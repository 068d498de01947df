//! The worked sheets of `docs/method/`, computed on paper by somebody who had not seen this code,
//! against the shipped model and scenarios.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::clinic::TODAY;
use crate::assess::{CheckCoverage, CoverageState, Grade, Judgement, Passed};
use crate::checks::Catalog;
use crate::finding::{Disposition, Finding, Fingerprint, Gap, Message, Outcome, Severity};
use crate::names::{SubjectId, SubjectKind};
use crate::risk::analysis::analyse_known;
use crate::risk::card::{Cards, cards};
use crate::risk::known::{Known, KnownMailbox, Members};
use crate::risk::{Level, LikelihoodRule, Model, Risk, Scenario};
use crate::seen::NotObserved;
use crate::yaml;

const SHEETS: [(&str, &str); 3] = [
    ("clinic", include_str!("../../../docs/method/clinic.yaml")),
    ("health-system", include_str!("../../../docs/method/health-system.yaml")),
    ("solo-practice", include_str!("../../../docs/method/solo-practice.yaml")),
];

#[derive(Deserialize)]
struct Sheet {
    scenarios: Vec<Worked>,
}

#[derive(Deserialize)]
struct Worked {
    scenario: String,
    records: Records,
    sensitive: bool,
    checks: BTreeMap<String, Counted>,
    plan: Vec<String>,
    expected: Expected,
    expected_nist_g5: Option<NistExpected>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Records {
    Known(u64),
    Word(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    passed: usize,
    failed: usize,
    not_assessed: usize,
    grade: Grade,
    heavy_or_privileged_uncovered: bool,
    expired: bool,
}

#[derive(Debug, Deserialize)]
struct Expected {
    initiation: Level,
    success_inherent: Level,
    success_residual: Level,
    likelihood_inherent: Level,
    likelihood_residual: Level,
    impact: Level,
    inherent: Level,
    residual: Level,
    target: Level,
    confidence: Grade,
}

#[derive(Deserialize)]
struct NistExpected {
    likelihood_residual: Level,
    residual: Level,
}

/// What is not among the ordinary ones may be privileged or heavy.
fn subject(kind: SubjectKind, number: usize, heavy: bool) -> SubjectId {
    let whose = if heavy { "heavy".to_owned() } else { format!("ordinary-{number}") };
    let name = match kind {
        SubjectKind::ForwardingRule => format!("{whose}@clinic.example/{number}"),
        SubjectKind::Mailbox => format!("{whose}@clinic.example"),
        _ => format!("subject-{number}"),
    };
    SubjectId::new(kind, name)
}

/// Expired evidence earns no credit, and a failure that it showed remains (reading R5). What it
/// showed to hold is no longer known; of an open path it is the failure that counts, and the item
/// that mends it closes with new evidence for all of it (R7).
/// Checks that apply to Google Workspace alone.
const OF_GOOGLE: [&str; 2] = ["auto-forwarding-off-by-policy", "second-factor-cannot-be-switched-off"];

fn judged(worked: &Worked, scenario: &Scenario, cards: &Cards) -> Judgement {
    let mut judgement = Judgement { findings: Vec::new(), passed: Vec::new(), coverage: BTreeMap::new() };
    for check in scenario.checks() {
        let card = &cards[check];
        let counted = worked.checks.get(check);
        let (passed, failed, unknown) = match counted {
            None => (0, 0, 0),
            Some(counted) if counted.expired && counted.failed > 0 => (0, counted.failed, 0),
            Some(counted) if counted.expired => (0, 0, counted.passed + counted.not_assessed),
            Some(counted) => (counted.passed, counted.failed, counted.not_assessed),
        };
        let heavy = counted.is_some_and(|counted| counted.heavy_or_privileged_uncovered);
        for number in 0..failed + unknown {
            let gap = Gap { missing: Vec::new(), because: NotObserved::Interrupted, to_close: String::new() };
            let subject = subject(card.subject, number, heavy && number == 0);
            judgement.findings.push(Finding {
                check: check.to_owned(),
                fingerprint: Fingerprint::of(check, &subject, ""),
                subject,
                outcome: if number < failed { Outcome::Fail } else { Outcome::NotAssessed(gap) },
                severity: Severity::High,
                message: Message { template: String::new(), values: BTreeMap::new().into() },
                evidence: Vec::new(),
                disposition: Disposition::Open,
            });
        }
        let grade = counted.map_or(Grade::U, |counted| counted.grade);
        if passed > 0 {
            judgement.passed.push(Passed {
                check: check.to_owned(),
                count: passed,
                subjects: Vec::new(),
                evidence: Vec::new(),
                evidence_sha256: String::new(),
                grade,
            });
        }
        // The sheets assess every check of an open path that applies, and their organizations have their mail
        // at Microsoft.
        let beside_the_point =
            counted.is_none() && (scenario.open_path.iter().any(|open| open == check) || OF_GOOGLE.contains(&check));
        judgement.coverage.insert(
            check.to_owned(),
            CheckCoverage {
                area: card.area.clone(),
                subject: card.subject,
                state: match (passed + failed, unknown) {
                    _ if beside_the_point => CoverageState::NotApplicable,
                    (0, _) => CoverageState::NotAssessed,
                    (_, 0) => CoverageState::Assessed,
                    _ => CoverageState::PartlyAssessed,
                },
                passed,
                failed,
                needs_review: 0,
                not_assessed: unknown,
                not_applicable: usize::from(beside_the_point),
                because: None,
                grade,
            },
        );
    }
    judgement
}

fn known(worked: &Worked, scenario: &Scenario) -> Known {
    let ordinary = |number: usize| KnownMailbox {
        name: format!("ordinary-{number}@clinic.example"),
        administrator: Some(false),
        holds_phi: Some(false),
        ..KnownMailbox::default()
    };
    let members = Members { count: 1, first: Vec::new() };
    Known {
        mailboxes: (0..600).map(ordinary).collect(),
        folders: Vec::new(),
        individuals: match &worked.records {
            Records::Known(individuals) => Some(*individuals),
            Records::Word(word) => {
                assert_eq!(word, "unknown");
                None
            }
        },
        sensitive: worked.sensitive.then(|| vec!["as the sheet says".to_owned()]),
        unified_log: None,
        complete: SubjectKind::ALL.into_iter().map(|kind| (kind, true)).collect(),
        members: BTreeMap::from([((scenario.population.kind, scenario.population.only), members)]),
    }
}

fn computed(model: &Model, cards: &Cards, worked: &Worked) -> Risk {
    let scenario = model.scenarios.iter().find(|scenario| scenario.id == worked.scenario).expect("a scenario");
    let named: BTreeSet<&str> = scenario.checks().collect();
    for check in worked.checks.keys() {
        assert!(named.contains(check.as_str()), "{}: `{check}` is none of its checks", worked.scenario);
    }
    // Items of the plan are the checks with a failing subject.
    let failing: BTreeSet<&str> =
        worked.checks.iter().filter(|(_, counted)| counted.failed > 0).map(|(check, _)| check.as_str()).collect();
    assert_eq!(failing, worked.plan.iter().map(String::as_str).collect(), "{}", worked.scenario);
    let judgement = judged(worked, scenario, cards);
    let analysis = analyse_known(model, cards, &judgement, &known(worked, scenario), TODAY);
    let risk = analysis.risks.into_iter().find(|risk| risk.scenario == worked.scenario);
    risk.unwrap_or_else(|| panic!("{} was not rated", worked.scenario))
}

fn shipped() -> (Model, Cards) {
    let catalog = Catalog::built_in().unwrap();
    let model = Model::built_in(&catalog.checks.keys().map(String::as_str).collect()).unwrap();
    (model, cards(&catalog))
}

fn sheets() -> impl Iterator<Item = (&'static str, Sheet)> {
    SHEETS.into_iter().map(|(name, text)| (name, yaml::read(Path::new(name), text).unwrap()))
}

#[test]
fn three_organizations_come_out_as_on_paper() {
    let (model, cards) = shipped();
    let (mut compared, mut differ) = (0, Vec::new());
    for (name, sheet) in sheets() {
        for worked in &sheet.scenarios {
            let scenario = model.scenarios.iter().find(|scenario| scenario.id == worked.scenario).unwrap();
            let risk = computed(&model, &cards, worked);
            let now = risk.explain.iter().find_map(|line| line.strip_prefix("chance of success now: "));
            let success = Level::ALL.into_iter().find(|level| Some(level.in_words()) == now).unwrap();
            let expected = &worked.expected;
            let levels = [
                ("initiation", expected.initiation, scenario.initiation.level),
                ("success inherent", expected.success_inherent, scenario.success),
                ("success residual", expected.success_residual, success),
                ("likelihood inherent", expected.likelihood_inherent, risk.inherent.likelihood),
                ("likelihood residual", expected.likelihood_residual, risk.residual.likelihood),
                ("impact", expected.impact, risk.residual.impact),
                ("inherent", expected.inherent, risk.inherent.risk),
                ("residual", expected.residual, risk.residual.risk),
                ("target", expected.target, risk.target.risk),
            ];
            compared += levels.len() + 1;
            for (what, paper, program) in levels {
                if paper != program {
                    differ.push(format!(
                        "{name} {}: {what} {paper:?} on paper, {program:?} here: {:#?}",
                        worked.scenario, risk.explain
                    ));
                }
            }
            if expected.confidence != risk.confidence {
                differ.push(format!(
                    "{name} {}: confidence {:?} on paper, {:?} here",
                    worked.scenario, expected.confidence, risk.confidence
                ));
            }
        }
    }
    assert!(differ.is_empty(), "{} of {compared} differ:\n{}", differ.len(), differ.join("\n"));
    assert_eq!(compared, 300, "thirty scenarios, nine levels and a confidence each");
}

#[test]
fn the_table_of_nist_comes_out_as_on_paper() {
    let (model, cards) = shipped();
    let model = model.with_likelihood(LikelihoodRule::NistG5);
    let mut compared = 0;
    for (name, sheet) in sheets() {
        for worked in &sheet.scenarios {
            let Some(expected) = &worked.expected_nist_g5 else { continue };
            let risk = computed(&model, &cards, worked);
            let (likelihood, level) = (risk.residual.likelihood, risk.residual.risk);
            assert_eq!(
                (likelihood, level),
                (expected.likelihood_residual, expected.residual),
                "{name} {}",
                worked.scenario
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 10);
}
