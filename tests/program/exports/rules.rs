//! A set of rules that somebody labelled who had not seen the detector: how many of the rules that
//! send mail outside, and of those that hide it, are found, and how many findings are right.
//!
//! `tests/data/rules/README.md` says what the labels mean. The figures are printed; the test fails
//! below the least that is promised.

use std::collections::BTreeMap;

use mailassay::facts::forwarding_rule::ForwardingRule;

use super::world::{data, declared, facts, put};

/// What the labels say of one rule.
struct Label {
    external: String,
    hiding: String,
    why: String,
}

/// Labels by mailbox and identity of the rule.
fn labels() -> Vec<(String, String, Label)> {
    let mut reader = csv::Reader::from_path(data("rules/labels.csv")).unwrap();
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| {
        let label = Label { external: row[2].to_owned(), hiding: row[3].to_owned(), why: row[4].to_owned() };
        (row[0].to_lowercase(), row[1].to_owned(), label)
    })
    .collect()
}

#[derive(Default)]
struct Counts {
    found: usize,
    missed: usize,
    false_alarms: usize,
}

impl Counts {
    fn add(&mut self, predicted: bool, labelled: bool) -> bool {
        match (predicted, labelled) {
            (true, true) => self.found += 1,
            (false, true) => self.missed += 1,
            (true, false) => self.false_alarms += 1,
            (false, false) => {}
        }
        predicted == labelled
    }

    fn recall(&self) -> f64 {
        self.found as f64 / (self.found + self.missed) as f64
    }

    fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.false_alarms) as f64
    }
}

#[test]
fn labelled_rules_are_found() {
    // A file for each rule: rules that are alike are kept once for a file, and each is looked for here.
    let folder = tempfile::tempdir().unwrap();
    for name in ["accepted-domains.csv", "mailboxes.csv"] {
        put(folder.path(), name, &std::fs::read(data("rules").join(name)).unwrap());
    }
    let text = std::fs::read_to_string(data("rules/inbox-rules.json")).unwrap();
    let rules: Vec<serde_json::Value> = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    for (number, rule) in rules.iter().enumerate() {
        put(folder.path(), &format!("rule-{number}.json"), serde_json::json!([rule]).to_string().as_bytes());
    }
    let facts = facts(folder.path(), declared(&["cedar-valley.example"]));
    let key = mailassay::keyed::KeyedReference::new(b"test");
    let by_name: BTreeMap<&str, &ForwardingRule> =
        facts.forwarding_rules.subjects.iter().map(|rule| (rule.name.as_str(), rule)).collect();
    let (mut external, mut hiding, mut medium) = (Counts::default(), Counts::default(), Counts::default());
    let (mut wrong, mut unmatched, mut undecidable) = (Vec::new(), 0, [0, 0]);
    let labels = labels();
    for (mailbox, identity, label) in &labels {
        let number = identity.rsplit('\\').next().unwrap();
        let found = by_name.get(format!("{mailbox}/{}", key.of(number)).as_str());
        let enabled = found.is_some_and(|rule| rule.enabled.seen.present() == Some(&true));
        let class = found.and_then(|rule| rule.target_class.seen.present().cloned()).unwrap_or_else(|| "?".to_owned());
        unmatched += usize::from(found.is_none());
        let sends = enabled && ["external", "consumer-webmail"].contains(&class.as_str());
        let conceals = enabled && found.is_some_and(|rule| rule.conceals.seen.present() == Some(&true));
        let of_note = enabled
            && found.is_some_and(|rule| {
                rule.score_level
                    .seen
                    .present()
                    .is_some_and(|level| ["medium", "high", "critical"].contains(&level.as_str()))
            });
        let mut as_labelled = external.add(sends, label.external == "yes");
        as_labelled &= hiding.add(conceals, label.hiding == "yes");
        if label.external == "undecidable" {
            if class == "internal" || class == "none" {
                wrong.push(format!("{mailbox} {number}: class {class}, labelled undecidable: {}", label.why));
            }
            undecidable[usize::from(sends || class == "internal" || class == "none")] += 1;
        } else {
            medium.add(of_note, label.external == "yes" || label.hiding == "yes");
        }
        if !as_labelled {
            let parts = found.and_then(|rule| rule.score_parts.seen.present().cloned()).unwrap_or_default();
            wrong.push(format!(
                "{mailbox} {number}: class {class}, conceals {conceals}; labelled external {}, hiding {}: {} {parts:?}",
                label.external, label.hiding, label.why
            ));
        }
    }
    eprintln!("{} rules labelled", labels.len());
    assert_eq!(unmatched, 0, "every labelled rule is read");
    for (name, counts) in [("sends outside", &external), ("hides mail", &hiding), ("medium or worse", &medium)] {
        eprintln!(
            "{name}: {} found, {} missed, {} false alarms: recall {:.3}, precision {:.3}",
            counts.found,
            counts.missed,
            counts.false_alarms,
            counts.recall(),
            counts.precision()
        );
    }
    eprintln!("undecidable recipients: {} said so, {} decided", undecidable[0], undecidable[1]);
    for line in &wrong {
        eprintln!("  otherwise than labelled: {line}");
    }
    assert!(labels.len() >= 500);
    assert!(external.recall() >= 0.98, "recall of rules that send outside");
    assert!(hiding.recall() >= 0.95, "recall of rules that hide mail");
    assert!(external.precision() >= 0.90 && hiding.precision() >= 0.90 && medium.precision() >= 0.90, "precision");
}
