//! The controls that published guidance on health information in mail names, and what carries
//! each: a check on probed, exported or scanned facts, a question, a register, or a printed reason.
//!
//! Every letter of every row has a carrier or stands in the table of known gaps, which the report
//! prints. A letter in both, or in neither, is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Catalog;
use crate::names::SubjectKind;
use crate::questionnaire::Questionnaire;
use crate::yaml::{self, Located};

const ROWS: &str = "checks/frameworks/controls.csv";
const CARRIERS: &str = "checks/frameworks/controls-carriers.yaml";
const GAPS: &str = "checks/frameworks/controls-gaps.yaml";

/// How a control can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// Attested: a question, a register, a declared document.
    A,
    /// Content of mail, counted.
    C,
    /// Ingested exports.
    I,
    /// Out of scope, with a printed reason.
    O,
    /// Probed from outside.
    P,
}

impl Mode {
    /// The words for people.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::A => "attested",
            Self::C => "mail content",
            Self::I => "export",
            Self::O => "out of scope",
            Self::P => "probe",
        }
    }

    /// Whether facts of this kind come from where the letter says. Vendors are joined from what
    /// was probed and what was declared.
    const fn speaks_of(self, kind: SubjectKind) -> bool {
        match kind {
            SubjectKind::Attestation | SubjectKind::Organization | SubjectKind::Register => matches!(self, Self::A),
            SubjectKind::ContentFolder => matches!(self, Self::C | Self::A),
            // Domains are joined from what was probed and from the reports of receivers that were handed over.
            SubjectKind::Domain => matches!(self, Self::I | Self::P),
            SubjectKind::Endpoint => matches!(self, Self::P),
            // Partners are joined from what was probed, what the own tenant's connectors say, and the trace
            // fields of mail that was given.
            SubjectKind::Partner => matches!(self, Self::C | Self::I | Self::P),
            SubjectKind::ExportFile
            | SubjectKind::ForwardingPath
            | SubjectKind::ForwardingRule
            | SubjectKind::Mailbox
            | SubjectKind::Tenant => matches!(self, Self::I),
            SubjectKind::Vendor => matches!(self, Self::A | Self::P),
        }
    }
}

/// What carries one letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// Checks, by id.
    Checks(Vec<String>),
    /// Nothing yet: what is missing.
    Gap(String),
    /// Printed in the report.
    Printed(String),
    /// Questions, by id.
    Questions(Vec<String>),
}

/// One letter of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// `F001`.
    pub control: String,
    pub title: String,
    pub mode: Mode,
    pub carrier: Carrier,
}

/// Every letter of every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controls {
    /// Rows, those of context data included.
    pub rows: usize,
    /// By control, in the order of the row's letters.
    pub letters: Vec<Letter>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    control: String,
    modes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCarriers {
    schema: u32,
    carriers: BTreeMap<String, BTreeMap<Mode, RawCarrier>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawCarrier {
    Checks(Vec<String>),
    Printed(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGaps {
    schema: u32,
    gaps: BTreeMap<String, BTreeMap<Mode, String>>,
}

impl Controls {
    /// The controls that are shipped, against the shipped checks and questions.
    pub fn built_in(catalog: &Catalog) -> Result<Self, Located> {
        Self::read(
            include_str!("../../checks/frameworks/controls.csv"),
            include_str!("../../checks/frameworks/controls-carriers.yaml"),
            include_str!("../../checks/frameworks/controls-gaps.yaml"),
            catalog,
        )
    }

    fn read(rows: &str, carriers: &str, gaps: &str, catalog: &Catalog) -> Result<Self, Located> {
        let refuse = |file: &str, what: String| Located::at(Path::new(file), "", 0, 0, what, "");
        let mut raw: RawCarriers = yaml::read(Path::new(CARRIERS), carriers)?;
        let mut missing: RawGaps = yaml::read(Path::new(GAPS), gaps)?;
        if (raw.schema, missing.schema) != (1, 1) {
            return Err(refuse(CARRIERS, "this version reads schema 1".to_owned()));
        }
        let questionnaire = Questionnaire::built_in()?;
        let mut letters = Vec::new();
        let mut count = 0;
        for row in csv::Reader::from_reader(rows.as_bytes()).deserialize::<Row>() {
            let row = row.map_err(|error| refuse(ROWS, error.to_string()))?;
            count += 1;
            let mut carried = raw.carriers.remove(&row.id).unwrap_or_default();
            let mut open = missing.gaps.remove(&row.id).unwrap_or_default();
            for mode in modes(&row.modes).map_err(|what| refuse(ROWS, format!("{}: {what}", row.id)))? {
                let at = format!("{} {mode:?}", row.id);
                let asked: Vec<String> = questionnaire
                    .questions
                    .iter()
                    .filter(|question| mode == Mode::A && question.controls.contains(&row.id))
                    .map(|question| question.id.clone())
                    .collect();
                let carrier = match (carried.remove(&mode), open.remove(&mode)) {
                    (Some(_), Some(_)) => return Err(refuse(GAPS, format!("{at} has a carrier and is a gap"))),
                    (Some(RawCarrier::Printed(reason)), None) if mode == Mode::O => Carrier::Printed(reason),
                    (Some(RawCarrier::Checks(checks)), None) if mode != Mode::O => {
                        check_all(&checks, mode, catalog).map_err(|what| refuse(CARRIERS, format!("{at}: {what}")))?;
                        Carrier::Checks(checks)
                    }
                    (Some(RawCarrier::Checks(_) | RawCarrier::Printed(_)), None) => {
                        return Err(refuse(CARRIERS, format!("{at}: a reason is for O, checks are for the others")));
                    }
                    (None, Some(_)) if !asked.is_empty() => {
                        return Err(refuse(GAPS, format!("{at} is asked for and is a gap")));
                    }
                    (None, Some(what)) => Carrier::Gap(what),
                    (None, None) if !asked.is_empty() => Carrier::Questions(asked),
                    (None, None) => return Err(refuse(CARRIERS, format!("{at} has no carrier and is no known gap"))),
                };
                letters.push(Letter { control: row.id.clone(), title: row.control.clone(), mode, carrier });
            }
            if let Some(mode) = carried.keys().chain(open.keys()).next() {
                return Err(refuse(CARRIERS, format!("{} has no letter {mode:?}", row.id)));
            }
        }
        match raw.carriers.keys().chain(missing.gaps.keys()).next() {
            Some(unknown) => Err(refuse(CARRIERS, format!("there is no control `{unknown}`"))),
            None => Ok(Self { rows: count, letters }),
        }
    }

    /// The letters that nothing carries.
    pub fn gaps(&self) -> impl Iterator<Item = (&Letter, &str)> {
        self.letters.iter().filter_map(|letter| match &letter.carrier {
            Carrier::Gap(what) => Some((letter, what.as_str())),
            Carrier::Checks(_) | Carrier::Printed(_) | Carrier::Questions(_) => None,
        })
    }
}

/// The letters of a row; none for rows of context data.
fn modes(written: &str) -> Result<BTreeSet<Mode>, String> {
    written
        .split_whitespace()
        .filter(|word| *word != "data")
        .map(|word| match word {
            "A" => Ok(Mode::A),
            "C" => Ok(Mode::C),
            "I" => Ok(Mode::I),
            "O" => Ok(Mode::O),
            "P" => Ok(Mode::P),
            _ => Err(format!("there is no mode `{word}`")),
        })
        .collect()
}

fn check_all(checks: &[String], mode: Mode, catalog: &Catalog) -> Result<(), String> {
    if checks.is_empty() {
        return Err("it names no check".to_owned());
    }
    for id in checks {
        let Some(check) = catalog.checks.get(id) else { return Err(format!("there is no check `{id}`")) };
        if !mode.speaks_of(check.subject) {
            return Err(format!("`{id}` is about a {}, not a {}", check.subject.in_words(), mode.in_words()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Verdict;
    use crate::checks::examples::Expected;

    fn catalog() -> Catalog {
        Catalog::built_in().unwrap()
    }

    #[test]
    fn every_letter_of_every_control_has_a_carrier_or_is_a_known_gap() {
        let controls = Controls::built_in(&catalog()).unwrap();
        assert_eq!((controls.rows, controls.letters.len()), (166, 241));
        let gaps: Vec<_> = controls.gaps().collect();
        for (letter, what) in &gaps {
            assert!(what.len() > 20 && what.ends_with('.'), "{}: {what}", letter.control);
            assert!(matches!(letter.mode, Mode::C | Mode::I | Mode::P), "{}: a question can be asked", letter.control);
        }
        let mut by_mode: BTreeMap<Mode, (usize, usize)> = BTreeMap::new();
        for letter in &controls.letters {
            let counts = by_mode.entry(letter.mode).or_default();
            counts.0 += 1;
            counts.1 += usize::from(matches!(letter.carrier, Carrier::Gap(_)));
        }
        let said = by_mode.iter().map(|(mode, (all, gaps))| format!("{mode:?}: {all} letters, {gaps} known gaps"));
        let said: Vec<_> = said.collect();
        // The gaps are counted here so that one more is noticed.
        insta::assert_snapshot!(format!(
            "{} rows, {} letters, {} known gaps\n{}",
            controls.rows,
            controls.letters.len(),
            gaps.len(),
            said.join("\n")
        ));
    }

    /// One failing and one passing fixture for each letter that a check carries.
    #[test]
    fn the_checks_that_carry_a_letter_fail_and_pass_on_their_fixtures() {
        let catalog = catalog();
        let controls = Controls::built_in(&catalog).unwrap();
        for letter in &controls.letters {
            let Carrier::Checks(checks) = &letter.carrier else { continue };
            for id in checks {
                let check = &catalog.checks[id];
                let verdicts = |expected: Expected| {
                    check
                        .examples()
                        .iter()
                        .filter(move |example| example.expected == Some(expected))
                        .map(|example| check.verdict(&example.subject).unwrap())
                        .collect::<Vec<_>>()
                };
                let (failing, passing) = (verdicts(Expected::Fail), verdicts(Expected::Pass));
                assert!(!failing.is_empty() && failing.iter().all(|verdict| *verdict == Verdict::Fail), "{id}");
                assert!(!passing.is_empty() && passing.iter().all(|verdict| *verdict == Verdict::Pass), "{id}");
            }
        }
    }

    /// F026: knowing who sent a message says nothing of who could read it.
    #[test]
    fn sender_authentication_never_supports_an_encryption_specification() {
        for check in catalog().checks.values() {
            if ["spf-", "dkim-", "dmarc-"].iter().any(|prefix| check.id.starts_with(prefix)) {
                let encrypts = |spec: &str| matches!(spec, "164.312(e)(2)(ii)" | "164.312(a)(2)(iv)");
                assert!(!check.cites.iter().any(|cite| encrypts(&cite.spec)), "{}", check.id);
            }
        }
    }

    #[test]
    fn a_letter_in_both_tables_or_in_none_is_refused() {
        let catalog = catalog();
        let rows = "id,group,control,modes,cites,other_law,evidence\nF001,a,SPF,P O,,,\n";
        let read = |carriers: &str, gaps: &str| {
            Controls::read(
                rows,
                &format!("schema: 1\ncarriers: {{ {carriers} }}\n"),
                &format!("schema: 1\ngaps: {{ {gaps} }}\n"),
                &catalog,
            )
            .map_err(|fault| fault.what)
        };
        let good = "F001: { P: [spf-published], O: because }";
        assert_eq!(read(good, "").unwrap().letters.len(), 2);
        assert!(read(good, "F001: { P: missing }").unwrap_err().contains("has a carrier and is a gap"));
        assert!(read("F001: { O: because }", "").unwrap_err().contains("F001 P has no carrier"));
        assert!(read("F001: { P: [no-such], O: because }", "").unwrap_err().contains("there is no check"));
        assert!(read("F001: { P: [training-given], O: b }", "").unwrap_err().contains("is about a"));
        assert!(read("F001: { P: because, O: because }", "").unwrap_err().contains("a reason is for O"));
        assert!(read(good, "F009: { P: missing }").unwrap_err().contains("there is no control"));
        assert!(read("F001: { P: [spf-published], O: b, C: [x] }", "").unwrap_err().contains("has no letter"));
    }
}
