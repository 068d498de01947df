//! The chance that an attempt succeeds, from what a scenario's checks say of its controls.
//!
//! Credits come off the level without controls. What is not known earns nothing, what people only
//! say earns little, and a way shown to be open undoes everything. So does a way nobody looked
//! at: otherwise not looking would be better than finding it open.

use std::collections::BTreeMap;

use super::Level;
use super::control::Control;
use super::model::Model;
use super::scenario::Scenario;
use crate::assess::Grade;

/// The chance of success, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Success {
    pub(super) level: Level,
    /// The worst grade among controls that reached their share, also where a limit left them no
    /// step to take off; `None` where none did, or where an open way sets all of them aside.
    pub(super) grade: Option<Grade>,
    /// The checks that earned credit, by id.
    pub(super) held: Vec<String>,
    pub(super) explain: Vec<String>,
}

/// The chance of success against these controls.
pub(super) fn success(model: &Model, scenario: &Scenario, controls: &BTreeMap<&str, Control>) -> Success {
    let mut explain = Vec::new();
    let applying = |ids: &[String]| -> Vec<&Control> {
        ids.iter().filter_map(|id| controls.get(id.as_str())).filter(|control| !control.not_applicable).collect()
    };
    let (open, unlooked) = paths(&applying(&scenario.open_path), &mut explain);
    let primary = primary(model, &applying(&scenario.primary), &mut explain);
    let helping = compensating(model, &applying(&scenario.compensating), &mut explain);

    if let Some(check) = open {
        let level = model.credits.open_path.max(scenario.success);
        explain
            .push(format!("{check} fails: a way is open now, so success is {} whatever else holds", level.in_words()));
        return Success { level, grade: None, held: Vec::new(), explain };
    }
    if let Some(check) = unlooked {
        explain.push(format!("{check} is not known: controls earn no credit while this way was not looked at"));
        return Success { level: scenario.success, grade: None, held: Vec::new(), explain };
    }
    settle(model, scenario.success, &[primary, helping], explain)
}

/// What one group of controls takes off: measured and attested apart, with the controls it rests on.
struct Earned<'c> {
    measured: usize,
    attested: usize,
    by: Vec<&'c Control>,
    /// The grades of all that reached their share.
    reached: Vec<Grade>,
}

fn settle(model: &Model, start: Level, earned: &[Earned<'_>; 2], mut explain: Vec<String>) -> Success {
    let measured: usize = earned.iter().map(|earned| earned.measured).sum();
    let mut level = start.lowered(measured).max(model.credits.floor.min(start));
    if measured > 0 {
        explain.push(format!("measured controls: {measured} off {} = {}", start.in_words(), level.in_words()));
    }
    let attested = earned.iter().map(|earned| earned.attested).sum::<usize>().min(model.credits.attested.steps);
    let before = level;
    let bound = model.credits.attested.not_below;
    if level > bound {
        level = level.lowered(attested).max(bound);
    }
    if attested > 0 {
        explain.push(format!(
            "attested controls: at most {attested} off {}, never below {} = {}",
            before.in_words(),
            bound.in_words(),
            level.in_words()
        ));
    }
    let counts = |control: &&&Control| if control.attested() { level < before } else { before < start };
    let mut held: Vec<&Control> = earned.iter().flat_map(|earned| &earned.by).filter(counts).copied().collect();
    held.sort_by(|a, b| a.check.cmp(&b.check));
    Success {
        level,
        grade: earned.iter().flat_map(|earned| &earned.reached).max().copied(),
        held: held.iter().map(|control| control.check.clone()).collect(),
        explain,
    }
}

/// The first open path and the first that nobody looked at.
fn paths<'c>(controls: &[&'c Control], explain: &mut Vec<String>) -> (Option<&'c str>, Option<&'c str>) {
    for control in controls {
        explain.push(line("open path", control, ""));
    }
    let open = controls.iter().find(|control| control.failed() > 0);
    let unlooked = controls.iter().find(|control| control.is_unknown());
    (open.map(|control| control.check.as_str()), unlooked.map(|control| control.check.as_str()))
}

/// All primary controls are needed, so the least of their credits counts.
fn primary<'c>(model: &Model, controls: &[&'c Control], explain: &mut Vec<String>) -> Earned<'c> {
    let mut least = None;
    for control in controls {
        let credit = control.primary_credit(&model.credits);
        explain.push(line("primary", control, &format!("worth {} ({})", credit.steps, credit.why)));
        least = Some(least.map_or(credit.steps, |least: usize| least.min(credit.steps)));
    }
    let least = least.unwrap_or(0);
    let attested = controls.iter().any(|control| control.attested());
    Earned {
        measured: if attested { 0 } else { least },
        attested: if attested { least } else { 0 },
        by: if least > 0 { controls.to_vec() } else { Vec::new() },
        reached: if least > 0 { controls.iter().map(|control| control.grade).collect() } else { Vec::new() },
    }
}

/// Compensating controls count once, together; a measured one before an attested one.
fn compensating<'c>(model: &Model, controls: &[&'c Control], explain: &mut Vec<String>) -> Earned<'c> {
    for control in controls {
        let worth = if control.compensates(&model.credits) { "counts" } else { "does not count" };
        explain.push(line("compensating", control, worth));
    }
    let steps = model.credits.compensating.steps;
    let counting: Vec<&Control> =
        controls.iter().filter(|control| control.compensates(&model.credits)).copied().collect();
    // The best evidence stands for all of them.
    let best =
        counting.iter().min_by_key(|control| (control.attested(), control.grade, control.check.as_str())).copied();
    let reached = counting.iter().map(|control| control.grade).collect();
    match best {
        None => Earned { measured: 0, attested: 0, by: Vec::new(), reached },
        Some(best) if best.attested() => Earned { measured: 0, attested: steps, by: vec![best], reached },
        Some(best) => Earned { measured: steps, attested: 0, by: vec![best], reached },
    }
}

/// One control in one line, with the first of its evidence.
fn line(role: &str, control: &Control, worth: &str) -> String {
    let mut line = format!("{role} {}: ", control.check);
    if control.group() == 0 {
        line.push_str("not assessed");
    } else {
        line.push_str(&format!("effective on {} of {}", control.passed, control.group()));
        if control.unknown > 0 {
            line.push_str(&format!(", {} not known", control.unknown));
        }
        if control.accepted > 0 {
            line.push_str(&format!(", {} accepted", control.accepted));
        }
        if !control.group_known && control.seen() {
            line.push_str(", and others may be missing");
        }
        line.push_str(&format!(", evidence {:?}", control.grade));
    }
    if !worth.is_empty() {
        line.push_str(", ");
        line.push_str(worth);
    }
    if let Some(first) = control.evidence.first() {
        line.push_str(&format!(" [{first}"));
        if control.evidence.len() > 1 {
            line.push_str(&format!(" and {} more", control.evidence.len() - 1));
        }
        line.push(']');
    }
    line
}
