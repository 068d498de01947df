//! What was assessed, on which evidence, and what was not: why, and what would close each gap.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::plain::Shorthand;
use super::words::{
    Tag, capitalized, counted, grade_words, heading, kind_words, more_lack_a_source, number, paragraph, plain_words,
    sentence, short_hash,
};
use super::{RAW_SHOWN, SHOWN};
use crate::report::charts::{GRADES, evidence_bar};
use crate::report::json::v1::{Assessment, CheckCoverage, CoverageState, Finding, Grade, Outcome};

/// One area of the catalogue.
#[derive(Clone, Debug, Serialize)]
pub struct Area {
    pub name: String,
    /// SVG of our own making.
    pub bar: String,
    /// Checks by grade, A to U.
    pub counts: Vec<String>,
    pub assessed: String,
    pub declared: String,
    pub aside: Option<String>,
}

/// A grade and what it stands for.
#[derive(Clone, Debug, Serialize)]
pub struct GradeWord {
    pub letter: &'static str,
    pub words: &'static str,
}

/// One station of the mail's way.
#[derive(Clone, Debug, Serialize)]
pub struct Hop {
    pub name: &'static str,
    pub grade: String,
    pub known: bool,
    pub weakest: String,
    #[serde(skip)]
    pub grade_is: Option<Grade>,
}

/// A control in place.
#[derive(Clone, Debug, Serialize)]
pub struct Measure {
    pub title: String,
    pub area: String,
    /// `6`, or `2 of 3; 1 failed` where it did not hold for all.
    pub count: String,
    pub subjects: String,
    pub grade: String,
    pub specs: String,
    pub digest: String,
}

/// Findings that could not be assessed for one reason, and what would close them.
#[derive(Clone, Debug, Serialize)]
pub struct GapGroup {
    pub because: String,
    pub to_close: String,
    pub headline: String,
    pub checks: Vec<GapCheck>,
    pub rest: Option<String>,
    #[serde(skip)]
    pub count: usize,
    #[serde(skip)]
    pub check_count: usize,
}

/// One check inside a gap.
#[derive(Clone, Debug, Serialize)]
pub struct GapCheck {
    pub title: String,
    pub check: String,
    pub severity: Tag,
    pub subjects: String,
    pub missing: String,
}

/// A check that says nothing here, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Aside {
    pub title: String,
    pub area: String,
    pub because: String,
}

/// One check of the questionnaire or of a register.
#[derive(Clone, Debug, Serialize)]
pub struct AttestationRow {
    pub title: String,
    pub check: String,
    pub result: String,
    pub grade: String,
}

pub(super) fn grades() -> Vec<GradeWord> {
    GRADES.iter().map(|grade| GradeWord { letter: grade.as_str(), words: grade.in_words() }).collect()
}

/// The grade a check's conclusions rest on; what was not judged rests on nothing.
fn effective(check: &CheckCoverage) -> Option<Grade> {
    match check.state {
        CoverageState::Assessed | CoverageState::PartlyAssessed => Some(check.grade),
        CoverageState::NotAssessed | CoverageState::NotProvided => Some(Grade::U),
        CoverageState::NotApplicable => None,
    }
}

/// By area, in alphabetical order.
pub(super) fn areas(assessment: &Assessment) -> Vec<Area> {
    let mut by_grade: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    for check in &assessment.coverage.checks {
        if let Some(grade) = effective(check) {
            let place = GRADES.iter().position(|known| *known == grade).expect("GRADES lists every grade");
            by_grade.entry(&check.area).or_default()[place] += 1;
        }
    }
    assessment
        .coverage
        .areas
        .iter()
        .map(|(name, area)| {
            let counts = by_grade.get(name.as_str()).copied().unwrap_or_default();
            let mut aside = Vec::new();
            for (count, words) in [
                (area.partly_assessed, "in part"),
                (area.not_provided, "without a source"),
                (area.not_applicable, "not applicable"),
            ] {
                if count > 0 {
                    aside.push(format!("{} {words}", number(count as u64)));
                }
            }
            Area {
                name: heading(name),
                bar: evidence_bar(counts),
                counts: counts.iter().map(|count| number(*count as u64)).collect(),
                assessed: number(area.assessed as u64),
                declared: number((area.assessed + area.partly_assessed + area.not_assessed) as u64),
                aside: (!aside.is_empty()).then(|| aside.join(", ")),
            }
        })
        .collect()
}

/// The five stations of a message, each with its evidence and its worst fact.
pub(super) fn hops(assessment: &Assessment) -> Vec<Hop> {
    vec![
        hop(assessment, "Our mailboxes", &["mailbox", "tenant", "forwarding_path", "forwarding_rule"]),
        hop(assessment, "Our mail hosts", &["endpoint"]),
        hop(assessment, "The wire, and who may send in our name", &["domain"]),
        hop(assessment, "Their mail hosts", &["partner"]),
        Hop {
            name: "Their mailboxes",
            grade: grade_words(Grade::U),
            known: false,
            weakest: "Not assessed: nothing shows from here what happens behind the recipient's host.".to_owned(),
            grade_is: None,
        },
    ]
}

fn hop(assessment: &Assessment, name: &'static str, kinds: &[&str]) -> Hop {
    let judged: Vec<Grade> = assessment
        .coverage
        .checks
        .iter()
        .filter(|check| kinds.contains(&check.subject.as_str()))
        .filter(|check| match check.state {
            CoverageState::Assessed | CoverageState::PartlyAssessed => true,
            CoverageState::NotApplicable | CoverageState::NotAssessed | CoverageState::NotProvided => false,
        })
        .map(|check| check.grade)
        .collect();
    let worst = assessment
        .findings
        .iter()
        .find(|finding| finding.outcome == Outcome::Fail && kinds.contains(&finding.subject.kind.as_str()));
    let weakest = match (worst, judged.is_empty()) {
        (Some(finding), _) => sentence(&Shorthand::of(assessment).said(finding)),
        (None, false) => "Of what was assessed, nothing failed.".to_owned(),
        (None, true) => "Not assessed: no evidence speaks to it.".to_owned(),
    };
    Hop {
        name,
        grade: grade_words(judged.iter().copied().max().unwrap_or(Grade::U)),
        known: !judged.is_empty(),
        weakest,
        grade_is: judged.iter().copied().max(),
    }
}

/// The grades along the way of a message; `None` where no evidence speaks to a station.
pub fn hop_grades(hops: &[Hop]) -> [Option<Grade>; 5] {
    std::array::from_fn(|at| hops.get(at).and_then(|hop| hop.grade_is))
}

/// For how many a measure held, and for how many it did not or nobody knows.
fn held_for(assessment: &Assessment, check: &str, held: usize) -> String {
    let Some(coverage) = assessment.coverage.checks.iter().find(|coverage| coverage.check == check) else {
        return number(held as u64);
    };
    let open = coverage.needs_review + coverage.not_assessed;
    if coverage.failed + open == 0 {
        return number(held as u64);
    }
    let mut words = format!("{} of {}", number(held as u64), number((held + coverage.failed + open) as u64));
    if coverage.failed > 0 {
        words.push_str(&format!("; {} failed", number(coverage.failed as u64)));
    }
    if open > 0 {
        words.push_str(&format!("; {} not known", number(open as u64)));
    }
    words
}

/// Controls in place, by check.
pub(super) fn measures(assessment: &Assessment) -> Vec<Measure> {
    assessment
        .passed
        .iter()
        .map(|passed| Measure {
            title: paragraph(&passed.title),
            area: heading(&passed.area),
            count: held_for(assessment, &passed.check, passed.count),
            subjects: {
                let mut shown: Vec<String> = passed.subjects.iter().take(5).map(|name| paragraph(name)).collect();
                if passed.count > shown.len() {
                    shown.push(format!("and {} more", number((passed.count - shown.len()) as u64)));
                }
                shown.join(", ")
            },
            grade: grade_words(passed.grade),
            specs: passed.cites.iter().map(|cite| cite.spec.as_str()).collect::<Vec<_>>().join(", "),
            digest: short_hash(&passed.evidence_sha256),
        })
        .collect()
}

/// What could not be assessed, by reason, most checks first.
pub(super) fn gaps(assessment: &Assessment) -> Vec<GapGroup> {
    let mut by_reason: BTreeMap<(&str, &str), BTreeMap<&str, Vec<&Finding>>> = BTreeMap::new();
    for finding in &assessment.findings {
        if let (Outcome::NotAssessed, Some(gap)) = (finding.outcome, &finding.gap) {
            let checks = by_reason.entry((&gap.because, &gap.to_close)).or_default();
            checks.entry(&finding.check).or_default().push(finding);
        }
    }
    let mut groups: Vec<GapGroup> =
        by_reason.into_iter().map(|((because, to_close), checks)| gap_group(because, to_close, &checks)).collect();
    groups.sort_by(|a, b| {
        (b.check_count, b.count, &a.because, &a.to_close).cmp(&(a.check_count, a.count, &b.because, &b.to_close))
    });
    groups
}

fn gap_group(because: &str, to_close: &str, checks: &BTreeMap<&str, Vec<&Finding>>) -> GapGroup {
    let mut worst_first: Vec<_> = checks.values().collect();
    worst_first.sort_by_key(|findings| (std::cmp::Reverse(findings[0].severity), findings[0].check.as_str()));
    let count = checks.values().map(Vec::len).sum();
    GapGroup {
        because: capitalized(because),
        to_close: sentence(to_close),
        headline: format!(
            "{} on {} ({})",
            counted(checks.len(), "check", "checks"),
            counted(count, "subject", "subjects"),
            subjects_of(&worst_first)
        ),
        checks: worst_first.iter().take(SHOWN).map(|findings| gap_check(findings)).collect(),
        rest: (checks.len() > SHOWN)
            .then(|| format!("and {}", counted(checks.len() - SHOWN, "more check", "more checks"))),
        count,
        check_count: checks.len(),
    }
}

/// The first subjects a gap touches, each once.
fn subjects_of(checks: &[&Vec<&Finding>]) -> String {
    let names: BTreeSet<&str> =
        checks.iter().flat_map(|findings| findings.iter().map(|finding| finding.subject.name.as_str())).collect();
    let mut shown: Vec<String> = names.iter().take(3).map(|name| paragraph(name)).collect();
    if names.len() > shown.len() {
        shown.push(format!("and {} more", number((names.len() - shown.len()) as u64)));
    }
    shown.join(", ")
}

fn gap_check(findings: &[&Finding]) -> GapCheck {
    let first = findings[0];
    let mut names: Vec<String> = findings.iter().take(5).map(|finding| paragraph(&finding.subject.name)).collect();
    if findings.len() > names.len() {
        names.push(format!("and {} more", number((findings.len() - names.len()) as u64)));
    }
    GapCheck {
        title: paragraph(&first.title),
        check: paragraph(&first.check),
        severity: Tag::from(first.severity),
        subjects: names.join(", "),
        missing: first.gap.as_ref().map_or_else(String::new, |gap| gap.missing.join(", ")),
    }
}

pub(super) fn not_applicable(assessment: &Assessment) -> Vec<Aside> {
    assessment
        .not_applicable
        .iter()
        .map(|check| Aside {
            title: paragraph(&check.title),
            area: heading(&check.area),
            because: capitalized(&super::plain::reason(&check.because)),
        })
        .collect()
}

pub(super) fn not_provided(assessment: &Assessment) -> Vec<Aside> {
    assessment
        .coverage
        .checks
        .iter()
        .filter(|check| check.state == CoverageState::NotProvided)
        .map(|check| Aside {
            title: paragraph(&check.title),
            area: heading(&check.area),
            because: check
                .because
                .as_deref()
                .map_or_else(|| "The scope names no source for it.".to_owned(), capitalized),
        })
        .collect()
}

/// The unknown in one sentence, for the first screen.
pub(super) fn unknown_line(assessment: &Assessment) -> String {
    let coverage = &assessment.coverage;
    let open = coverage.not_assessed + coverage.partly_assessed;
    let mut line = match open {
        0 => "Every check that has a source was assessed.".to_owned(),
        _ => format!("{} could not be assessed, or only in part.", counted(open, "check", "checks")),
    };
    if let Some(lacking) = more_lack_a_source(coverage.not_provided) {
        line.push_str(&format!(" {lacking}."));
    }
    let low = assessment.risks.iter().filter(|risk| super::words::is_low_confidence(risk.confidence)).count();
    if low > 0 {
        line.push_str(&format!(
            " {} of {} rest on unknowns or on attestation only.",
            number(low as u64),
            counted(assessment.risks.len(), "risk", "risks")
        ));
    }
    line
}

/// Checks that rest on answers and registers.
pub(super) fn attestations(assessment: &Assessment) -> Vec<AttestationRow> {
    assessment
        .coverage
        .checks
        .iter()
        .filter(|check| matches!(check.subject.as_str(), "attestation" | "register"))
        .map(|check| AttestationRow {
            title: paragraph(&check.title),
            check: paragraph(&check.check),
            result: result(check),
            grade: effective(check).map_or_else(|| "none".to_owned(), grade_words),
        })
        .collect()
}

fn result(check: &CheckCoverage) -> String {
    let because = || {
        check
            .because
            .as_deref()
            .map_or_else(String::new, |because| format!(": {}", paragraph(&super::plain::reason(because))))
    };
    match check.state {
        CoverageState::NotApplicable => format!("not applicable{}", because()),
        CoverageState::NotAssessed => format!("? not assessed{}", because()),
        CoverageState::NotProvided => format!("? no source{}", because()),
        CoverageState::Assessed | CoverageState::PartlyAssessed => {
            let mut parts = Vec::new();
            for (count, word) in [
                (check.failed, "x fail"),
                (check.needs_review, "! review"),
                (check.not_assessed, "? not assessed"),
                (check.passed, ". pass"),
            ] {
                if count > 0 {
                    parts.push(format!("{word} {}", number(count as u64)));
                }
            }
            if parts.is_empty() { "nothing judged".to_owned() } else { parts.join(", ") }
        }
    }
}

/// What the analysis could not look behind.
fn taken_as_given(assessment: &Assessment) -> Vec<String> {
    let mut lines = vec![
        "What a service showed from one vantage point is taken as what it shows others.".to_owned(),
        "Exports and registers are taken to be whole and unaltered as they were delivered. What was read of them is in the evidence files, whose hashes are in appendix A; the files themselves are not kept."
            .to_owned(),
    ];
    if let Some(individuals) = assessment.organization.individuals {
        lines.push(format!(
            "The organization holds information of {} individuals, as it declares. Where no count of mail says fewer, a mailbox is taken to hold at most all of them.",
            number(individuals)
        ));
    } else {
        lines.push(
            "Nobody declared how many individuals the organization holds information of. Where no count of mail bounds them, impact is taken as high at least, and confidence as low."
                .to_owned(),
        );
    }
    let on_word = assessment.attested.iter().filter(|one| one.answer.is_some() && one.file_sha256.is_none()).count();
    if on_word > 0 {
        lines.push(format!(
            "{} taken on the word of who gave them: no document was there to be read.",
            counted(on_word, "answer is", "answers are")
        ));
    }
    lines
}

/// What was taken as given, and what would move a level if it were otherwise.
pub(super) fn assumptions(assessment: &Assessment) -> Vec<String> {
    let mut lines = taken_as_given(assessment);
    for (kind, subjects) in &assessment.subjects {
        if !subjects.complete {
            lines.push(format!(
                "{}: {} known, possibly not all. {}",
                heading(&kind_words(kind)),
                number(subjects.count as u64),
                subjects.because.as_deref().map_or_else(|| "No reason was recorded.".to_owned(), capitalized)
            ));
        }
    }
    for vantage in assessment.vantages.iter().filter(|vantage| !vantage.complete) {
        lines.push(format!("The collection from {} did not come to its end.", paragraph(&vantage.label)));
    }
    let tipping: Vec<_> = assessment.risks.iter().filter(|risk| !risk.tips_on.is_empty()).collect();
    for risk in tipping.iter().take(RAW_SHOWN) {
        let inputs: Vec<String> = risk.tips_on.iter().map(|input| plain_words(&paragraph(input))).collect();
        lines.push(format!("\"{}\" tips on: {}.", paragraph(&risk.title), inputs.join("; ")));
    }
    if let Some(rest) = super::shown::left_out(tipping.len()) {
        lines.push(format!("Of risks that tip on something, {rest}"));
    }
    lines
}
