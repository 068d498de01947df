//! What the loader refuses.

use std::path::Path;

use super::clinic::{SCENARIOS, known_ids, scales};
use crate::risk::{Level, LikelihoodRule, Model, Source};
use crate::yaml::Located;

fn read(model: &str, scenarios: &str) -> Result<Model, Located> {
    Model::read(
        Source { file: Path::new("model.yaml"), text: model },
        Source { file: Path::new("scenarios.yaml"), text: scenarios },
        &known_ids(),
    )
}

fn refused(model: &str, scenarios: &str) -> Located {
    read(model, scenarios).unwrap_err()
}

#[test]
fn a_check_nobody_has_is_refused_at_its_place() {
    let fault = refused(&scales(), &SCENARIOS.replace("primary: [starttls]", "primary: [startssl]"));
    assert!(fault.what.contains("`startssl`"), "{fault}");
    let line = SCENARIOS.lines().position(|line| line.contains("primary: [starttls]")).unwrap() as u64 + 1;
    assert_eq!((fault.line, fault.column), (line, 15), "{fault}");
}

#[test]
fn a_table_that_is_not_monotone_is_refused() {
    let bent = scales().replacen(
        "very-high: [very-low, low, moderate, high, very-high]",
        "very-high: [very-low, low, low, high, very-high]",
        1,
    );
    let fault = refused(&bent, SCENARIOS);
    assert!(fault.what.contains("not monotone"), "{fault}");
    assert!(fault.line > 0, "{fault}");
}

#[test]
fn bands_credits_and_scores_must_be_whole() {
    for (from, to, word) in [
        ("{ from: 0, level: very-low }", "{ from: 1, level: very-low }", "begins at 0"),
        ("{ from: 500, level: high }", "{ from: 500, level: low }", "must rise"),
        ("at_least_percent: 90, steps: 1 }\n  #", "at_least_percent: 100, steps: 1 }\n  #", "must fall"),
        ("moderate: 5", "moderate: 9", "scores must rise"),
        ("medium: 3", "medium: 0", "no weight above 0"),
    ] {
        assert!(scales().contains(from), "{from}");
        let fault = refused(&scales().replacen(from, to, 1), SCENARIOS);
        assert!(fault.what.contains(word), "{fault}");
    }
}

#[test]
fn a_scenario_must_hang_together() {
    for (from, to, word) in [
        ("{{records}}.", "{{recrods}}.", "hole `recrods`"),
        (
            "success: very-high\n    primary: [forwarding-off]",
            "success: high\n    primary: [forwarding-off]",
            "open-path",
        ),
        ("  - id: careless", "  - id: takeover", "twice"),
        ("compensating: [training, old-sign-in-closed]", "compensating: [mfa]", "names the check `mfa` twice"),
        ("compensating: [training, old-sign-in-closed]", "compensating: [training]", "no scenario names"),
        ("population: { kind: endpoint }", "population: { kind: endpoint, only: phi }", "a part that"),
        ("population: { kind: endpoint }", "population: { kind: endpoint, colour: red }", "colour"),
    ] {
        assert!(SCENARIOS.contains(from), "{from}");
        let fault = refused(&scales(), &SCENARIOS.replacen(from, to, 1));
        assert!(fault.what.contains(word), "{fault}");
        assert!(fault.line > 0, "{fault}");
    }
}

#[test]
fn a_requirement_names_checks_that_are_there() {
    let text = scales().replace("requirements: {}", "requirements: { mfa: [mfa, mfaa] }");
    let fault = refused(&text, SCENARIOS);
    assert!(fault.what.contains("`mfaa`"), "{fault}");
    let text = scales().replace("requirements: {}", "requirements: { mfa: [mfa] }");
    assert_eq!(read(&text, SCENARIOS).unwrap().requirements["mfa"], ["mfa"]);
}

/// NIST SP 800-30r1, Table G-5: low initiation, very high success gives moderate.
#[test]
fn the_table_of_nist_can_be_asked_for() {
    let model = read(&scales(), SCENARIOS).unwrap();
    assert_eq!(model.likelihood(Level::Low, Level::VeryHigh), Level::Low);
    assert_eq!(model.name(), "1.0 (lower-of-both)");
    let nist = model.with_likelihood(LikelihoodRule::NistG5);
    assert_eq!(nist.likelihood(Level::Low, Level::VeryHigh), Level::Moderate);
    assert_eq!(nist.name(), "1.0 (nist-g5)");
}

/// What the model's own comment says of Table G-5.
#[test]
fn fourteen_cells_of_the_table_of_nist_exceed_the_lower_input() {
    let nist = read(&scales(), SCENARIOS).unwrap().with_likelihood(LikelihoodRule::NistG5);
    let pairs = Level::ALL.into_iter().flat_map(|attempt| Level::ALL.map(|success| (attempt, success)));
    let above = pairs.filter(|&(attempt, success)| nist.likelihood(attempt, success) > attempt.min(success));
    assert_eq!(above.count(), 14);
}

/// Given the ids it names itself: whether the catalogue has them is told where both are loaded.
#[test]
fn the_shipped_scenarios_hang_together() {
    #[derive(serde::Deserialize)]
    struct Named {
        checks: std::collections::BTreeMap<String, serde::de::IgnoredAny>,
    }
    let text = include_str!("../../../checks/risk-model/scenarios.yaml");
    let named: Named = crate::yaml::read(Path::new("scenarios.yaml"), text).unwrap();
    let model = Model::built_in(&named.checks.keys().map(String::as_str).collect()).unwrap();
    assert!(model.scenarios.len() >= 25, "{}", model.scenarios.len());
    for scenario in &model.scenarios {
        assert!(scenario.statement.contains("{{weaknesses}}"), "{}", scenario.id);
        let all = [&scenario.title, &scenario.assets, &scenario.initiation.reason, &scenario.initiation.source];
        assert!(all.iter().all(|text| !text.trim().is_empty()), "{}", scenario.id);
    }
}
