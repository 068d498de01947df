//! Checks times subjects gives outcomes.
//!
//! Only the verdict is shared between subjects whose relevant facts are equal; message, evidence
//! and gap are each subject's own. That a list of subjects may be incomplete is a result too: what
//! was not listed was not assessed. Nothing here knows what a check is about.

mod gap;
mod grade;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::gap::{gap, of_the_collection};
use self::grade::{digest, evidence, grade};
use crate::checks::{Catalog, Check, FactPath, Reading, Verdict};
use crate::evidence::EvidenceId;
use crate::facts::shape::EncodedSubject;
use crate::facts::{Built, Collection, Facts};
use crate::finding::{Disposition, Finding, Fingerprint, Outcome};
use crate::names::{SubjectId, SubjectKind};
use crate::seen::NotObserved;

pub use self::gap::to_close;

/// Subjects and observations named in full for a control in place.
const NAMED: usize = 20;
/// Subjects gone through at a time, on one core.
const CHUNK: usize = 8_192;
/// The subject of a finding about a list that could not be made at all.
const ALL: &str = "all";
/// The subject of a finding about those missing from an incomplete list.
const REST: &str = "the rest";

/// Whether a finding's subject stands for a list that is missing or not whole, not for one of it.
pub fn is_of_the_collection(subject: &str) -> bool {
    subject == ALL || subject == REST
}

/// What kind of evidence a conclusion rests on; the worst of several counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Probed now and repeatable.
    A,
    /// An export of a system, hashed.
    B,
    /// Mail content, counted.
    C,
    /// Attested, with a file.
    D,
    /// Attested only.
    E,
    /// Unknown.
    U,
}

/// Everything the checks concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Fail, needs review and not assessed, sorted by severity (worst first), check, subject.
    pub findings: Vec<Finding>,
    /// One entry for each check that any subject passed.
    pub passed: Vec<Passed>,
    /// One entry for each check, by id.
    pub coverage: BTreeMap<String, CheckCoverage>,
}

/// A control in place: the subjects that passed one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub check: String,
    pub count: usize,
    /// The first 20, by name.
    pub subjects: Vec<String>,
    /// The first 20 observations it rests on.
    pub evidence: Vec<EvidenceId>,
    /// SHA-256 over all observations it rests on, by id.
    pub evidence_sha256: String,
    pub grade: Grade,
}

/// How far one check could be assessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCoverage {
    /// The folder it lies in: `transport`, `sender-identity`, …
    pub area: String,
    pub subject: SubjectKind,
    pub state: CoverageState,
    pub passed: usize,
    pub failed: usize,
    pub needs_review: usize,
    pub not_assessed: usize,
    pub not_applicable: usize,
    /// Why it does not apply, or was not provided.
    pub because: Option<String>,
    /// The worst grade of evidence among the assessed subjects.
    pub grade: Grade,
}

impl CheckCoverage {
    /// Whether every subject passed or failed: none waits for a person, none was out of reach.
    pub fn is_settled(&self) -> bool {
        self.state == CoverageState::Assessed && self.needs_review == 0 && self.not_assessed == 0
    }
}

/// Coverage counts checks: one is assessed when every subject of a declared source was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoverageState {
    Assessed,
    NotApplicable,
    NotAssessed,
    /// The scope names no source for it; it lowers no figure.
    NotProvided,
    PartlyAssessed,
}

/// Judges every subject by every check about its kind.
pub fn assess(catalog: &Catalog, facts: &Facts) -> Result<Judgement, CheckBroken> {
    let kinds: BTreeSet<SubjectKind> = catalog.checks.values().map(|check| check.subject).collect();
    let mut judged: BTreeMap<&str, Judged> = BTreeMap::new();
    // One kind after the other: what expressions read of a hundred thousand mailboxes is large, and
    // of no use to the checks of another kind.
    for kind in kinds {
        let subjects = facts.encoded(kind);
        let checks: Vec<&Check> = catalog.checks.values().filter(|check| check.subject == kind).collect();
        let of_kind: Vec<(&str, Judged)> = checks
            .par_iter()
            .map(|check| Ok((check.id.as_str(), judge(check, &subjects)?)))
            .collect::<Result<_, CheckBroken>>()?;
        judged.extend(of_kind);
    }

    let mut judgement = Judgement { findings: Vec::new(), passed: Vec::new(), coverage: BTreeMap::new() };
    for (check, judged) in judged {
        judgement.findings.extend(judged.findings);
        judgement.passed.extend(judged.passed);
        judgement.coverage.insert(check.to_owned(), judged.coverage);
    }
    judgement.findings.par_sort_by(|a, b| (b.severity, &a.check, &a.subject).cmp(&(a.severity, &b.check, &b.subject)));
    Ok(judgement)
}

/// What one check concluded.
#[derive(Debug)]
struct Judged {
    findings: Vec<Finding>,
    passed: Option<Passed>,
    coverage: CheckCoverage,
}

/// One check over all subjects of its kind.
fn judge(check: &Check, built: &Built<EncodedSubject>) -> Result<Judged, CheckBroken> {
    let reads = Reads::of(check);
    let tallies: Vec<Tally<'_>> =
        built.subjects.par_chunks(CHUNK).map(|subjects| tally(check, &reads, subjects)).collect::<Result<_, _>>()?;
    let mut whole = Tally::default();
    for tally in tallies {
        whole.join(tally);
    }
    Ok(whole.close(check, built))
}

/// Goes through some subjects. Those that look alike to the check share one verdict.
fn tally<'s>(check: &Check, reads: &Reads, subjects: &'s [EncodedSubject]) -> Result<Tally<'s>, CheckBroken> {
    let mut tally = Tally::default();
    let mut verdicts: BTreeMap<Vec<Reading<'_>>, Verdict> = BTreeMap::new();
    for subject in subjects {
        let key = key(&reads.verdict, subject);
        let verdict = match verdicts.get(&key) {
            Some(verdict) => verdict.clone(),
            None => verdicts.entry(key).or_insert(check.verdict(subject)?).clone(),
        };
        tally.take(check, reads, subject, verdict);
    }
    Ok(tally)
}

/// What a check reads, by purpose: made once, used for each of perhaps a million subjects.
struct Reads {
    verdict: Vec<FactPath>,
    /// The facts that decide between pass and fail.
    deciding: Vec<&'static str>,
    /// The facts that the expressions or the message read.
    all: Vec<&'static str>,
}

impl Reads {
    fn of(check: &Check) -> Self {
        let facts = |paths: BTreeSet<FactPath>| {
            let facts: BTreeSet<_> = paths.iter().filter(|path| !path.is_name()).map(|path| path.fact).collect();
            facts.into_iter().collect()
        };
        Self {
            verdict: check.verdict_reads().into_iter().collect(),
            deciding: facts(check.deciding_reads()),
            all: facts(check.all_reads()),
        }
    }
}

/// Everything the verdict depends on. Why something is unknown makes no difference to it.
fn key<'s>(reads: &[FactPath], subject: &'s EncodedSubject) -> Vec<Reading<'s>> {
    static UNKNOWN: NotObserved = NotObserved::Interrupted;
    reads
        .iter()
        .map(|path| match path.read(subject) {
            Reading::Unknown(_) => Reading::Unknown(&UNKNOWN),
            reading @ (Reading::Known(_) | Reading::Name(_) | Reading::NoSuchFact) => reading,
        })
        .collect()
}

/// The outcomes of one check while its subjects are gone through.
#[derive(Default)]
struct Tally<'s> {
    findings: Vec<Finding>,
    passed: usize,
    /// The first of them, by name.
    passed_first: BTreeSet<&'s str>,
    /// In no order, with repetitions: there may be millions.
    passed_on: Vec<&'s EvidenceId>,
    failed: usize,
    needs_review: usize,
    not_assessed: usize,
    not_applicable: usize,
    passed_grade: Option<Grade>,
    grade: Option<Grade>,
}

impl<'s> Tally<'s> {
    fn take(&mut self, check: &Check, reads: &Reads, subject: &'s EncodedSubject, verdict: Verdict) {
        let outcome = match verdict {
            Verdict::NotApplicable => {
                self.not_applicable += 1;
                return;
            }
            Verdict::Pass => {
                self.worsen(reads, subject);
                self.passed_grade = self.passed_grade.max(Some(grade(&reads.deciding, subject)));
                self.passed += 1;
                self.passed_first.insert(&subject.name);
                if self.passed_first.len() > NAMED {
                    self.passed_first.pop_last();
                }
                for id in evidence(&reads.all, subject) {
                    // The facts of one subject mostly rest on one observation.
                    if self.passed_on.last() != Some(&id) {
                        self.passed_on.push(id);
                    }
                }
                return;
            }
            Verdict::Fail => {
                self.worsen(reads, subject);
                self.failed += 1;
                Outcome::Fail
            }
            Verdict::NeedsReview => {
                self.worsen(reads, subject);
                self.needs_review += 1;
                Outcome::NeedsReview { question: check.question.clone().unwrap_or_default() }
            }
            Verdict::NotAssessed(missing) => {
                self.not_assessed += 1;
                Outcome::NotAssessed(gap(&missing, subject))
            }
        };
        let id = SubjectId::new(subject.kind, subject.name.clone());
        self.findings.push(Finding {
            check: check.id.clone(),
            fingerprint: Fingerprint::of(&check.id, &id, ""),
            subject: id,
            outcome,
            severity: check.severity,
            message: check.message(subject),
            evidence: evidence(&reads.all, subject).collect::<BTreeSet<_>>().into_iter().cloned().collect(),
            disposition: Disposition::Open,
        });
    }

    /// Adds what was found among later subjects.
    fn join(&mut self, later: Self) {
        let Self {
            findings,
            passed,
            passed_first,
            passed_on,
            failed,
            needs_review,
            not_assessed,
            not_applicable,
            passed_grade,
            grade,
        } = later;
        self.findings.extend(findings);
        self.passed += passed;
        self.passed_first.extend(passed_first);
        while self.passed_first.len() > NAMED {
            self.passed_first.pop_last();
        }
        self.passed_on.extend(passed_on);
        self.failed += failed;
        self.needs_review += needs_review;
        self.not_assessed += not_assessed;
        self.not_applicable += not_applicable;
        self.passed_grade = self.passed_grade.max(passed_grade);
        self.grade = self.grade.max(grade);
    }

    fn worsen(&mut self, reads: &Reads, subject: &EncodedSubject) {
        self.grade = self.grade.max(Some(grade(&reads.deciding, subject)));
    }

    /// Adds what the state of the collection says, and counts.
    fn close(mut self, check: &Check, built: &Built<EncodedSubject>) -> Judged {
        let kind = check.subject.in_words();
        let nobody = built.subjects.is_empty();
        let mut not_provided = None;
        let mut because = None;
        match &built.collection {
            Collection::Complete if nobody => {
                self.not_applicable += 1;
                because = Some(format!("there is no {kind} in scope"));
            }
            Collection::Complete => {}
            Collection::Incomplete(reason) => {
                let (name, template) = if nobody {
                    (ALL, format!("No {kind} could be examined: {}", check.title))
                } else {
                    (
                        REST,
                        format!(
                            "The list of every {kind} is not complete, so the rest could not be examined: {}",
                            check.title
                        ),
                    )
                };
                self.not_assessed += 1;
                self.findings.push(of_the_collection(check, name, template, reason));
            }
            Collection::NotDeclared(what) if nobody => not_provided = Some(what.clone()),
            Collection::NotDeclared(_) => {}
        }
        let assessed = self.passed + self.failed + self.needs_review;
        let state = match (assessed, self.not_assessed) {
            (0, 0) if not_provided.is_some() => CoverageState::NotProvided,
            (0, 0) => CoverageState::NotApplicable,
            (0, _) => CoverageState::NotAssessed,
            (_, 0) => CoverageState::Assessed,
            (_, _) => CoverageState::PartlyAssessed,
        };
        let because = match state {
            CoverageState::Assessed => None,
            CoverageState::NotApplicable => because.or_else(|| {
                Some(format!("it applies to none of the {} looked at", kind_counted(kind, self.not_applicable)))
            }),
            CoverageState::NotAssessed | CoverageState::PartlyAssessed => self.first_reason(),
            CoverageState::NotProvided => not_provided,
        };
        let coverage = CheckCoverage {
            area: check.area.clone(),
            subject: check.subject,
            state,
            passed: self.passed,
            failed: self.failed,
            needs_review: self.needs_review,
            not_assessed: self.not_assessed,
            not_applicable: self.not_applicable,
            because,
            grade: self.grade.unwrap_or(Grade::U),
        };
        // Subjects come by name and so, mostly, do their observations: a stable sort finds the runs.
        self.passed_on.sort();
        self.passed_on.dedup();
        let passed = (self.passed > 0).then(|| Passed {
            check: check.id.clone(),
            count: self.passed,
            subjects: self.passed_first.iter().map(|name| (*name).to_owned()).collect(),
            evidence: self.passed_on.iter().take(NAMED).map(|id| (*id).clone()).collect(),
            evidence_sha256: digest(&self.passed_on),
            grade: self.passed_grade.unwrap_or(Grade::U),
        });
        Judged { findings: self.findings, passed, coverage }
    }

    /// The reason given most often; of several, the first.
    fn first_reason(&self) -> Option<String> {
        let mut reasons: BTreeMap<&NotObserved, usize> = BTreeMap::new();
        for finding in &self.findings {
            if let Outcome::NotAssessed(gap) = &finding.outcome {
                *reasons.entry(&gap.because).or_default() += 1;
            }
        }
        let (reason, _) = reasons.into_iter().rev().max_by_key(|(_, count)| *count)?;
        Some(reason.to_string())
    }
}

/// A check that cannot be evaluated: our bug, loud, and neither a pass nor a fail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("check {check} cannot be evaluated: {why}; please report this")]
pub struct CheckBroken {
    pub check: String,
    pub why: String,
}

/// "1 mailbox", "12 mailboxes".
fn kind_counted(kind: &str, count: usize) -> String {
    match (count, kind.strip_suffix('x')) {
        (1, _) => format!("1 {kind}"),
        (_, Some(_)) => format!("{count} {kind}es"),
        (_, None) => format!("{count} {kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::shape::EncodedFact;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::built_in().unwrap());

    /// A check of the catalogue, and subjects of its kind made from its own examples.
    fn checks() -> impl Iterator<Item = &'static Check> {
        CATALOG.checks.values()
    }

    fn subjects(check: &Check) -> Vec<EncodedSubject> {
        check.examples().iter().map(|example| example.subject.clone()).collect()
    }

    fn any_check() -> &'static Check {
        &CATALOG.checks["authorization-covers-scope"]
    }

    fn judged(built: &Built<EncodedSubject>) -> Judged {
        judge(any_check(), built).unwrap()
    }

    fn passing(evidence: &[EvidenceId]) -> EncodedSubject {
        let mut subject = any_check().examples()[0].subject.clone();
        for fact in subject.facts.values_mut() {
            fact.evidence = evidence.to_vec();
        }
        subject
    }

    #[test]
    fn nothing_to_judge_is_not_applicable_only_when_the_list_is_complete() {
        let reason = NotObserved::TimedOut { after_ms: 100 };
        let complete = judged(&Built::complete(Vec::new()));
        assert_eq!((complete.coverage.state, complete.coverage.not_applicable), (CoverageState::NotApplicable, 1));
        assert!(complete.findings.is_empty());

        let incomplete = judged(&Built { subjects: Vec::new(), collection: Collection::Incomplete(reason.clone()) });
        assert_eq!((incomplete.coverage.state, incomplete.findings.len()), (CoverageState::NotAssessed, 1));
        assert_eq!(incomplete.findings[0].subject.name, "all");

        let partial = judged(&Built { subjects: vec![passing(&[])], collection: Collection::Incomplete(reason) });
        assert_eq!((partial.coverage.state, partial.coverage.passed), (CoverageState::PartlyAssessed, 1));
        assert_eq!(partial.findings[0].subject.name, "the rest");

        let undeclared =
            judged(&Built { subjects: Vec::new(), collection: Collection::NotDeclared("answers".to_owned()) });
        assert_eq!((undeclared.coverage.state, undeclared.findings.len()), (CoverageState::NotProvided, 0));
        assert_eq!(undeclared.coverage.because.as_deref(), Some("answers"));
    }

    #[test]
    fn a_gap_names_the_fact_the_reason_and_the_way_out() {
        let mut subject = passing(&[]);
        let reason = NotObserved::NotProvided { what: "an authorization".to_owned() };
        subject.facts.get_mut("authorization").unwrap().value = Err(reason.clone());
        let judged = judged(&Built::complete(vec![subject]));
        let Outcome::NotAssessed(gap) = &judged.findings[0].outcome else { panic!() };
        assert_eq!(gap.missing, ["organization.authorization"]);
        assert_eq!((&gap.because, gap.to_close.as_str()), (&reason, "Provide an authorization."));
    }

    #[test]
    fn the_worst_evidence_counts() {
        let grade_on = |segments: &[&str]| {
            let ids: Vec<_> = segments.iter().map(|segment| EvidenceId::new(segment, 1)).collect();
            judged(&Built::complete(vec![passing(&ids)])).passed.unwrap().grade
        };
        assert_eq!(grade_on(&["dns.domain"]), Grade::A);
        assert_eq!(grade_on(&["dns.domain", "export.mailbox.0002"]), Grade::B);
        assert_eq!(grade_on(&["authentication.domain"]), Grade::B);
        assert_eq!(grade_on(&["declared.organization"]), Grade::E);
        assert_eq!(grade_on(&[]), Grade::U);
        assert_eq!(grade_on(&["elsewhere.domain"]), Grade::U);
    }

    #[test]
    fn passing_subjects_keep_their_evidence() {
        let ids: Vec<_> = (1..=30).map(|line| EvidenceId::new("dns.domain", line)).collect();
        let passed = judged(&Built::complete(vec![passing(&ids)])).passed.unwrap();
        assert_eq!((passed.count, passed.subjects.len(), passed.evidence.len()), (1, 1, NAMED));
        let fewer = judged(&Built::complete(vec![passing(&ids[1..])])).passed.unwrap();
        assert_ne!(passed.evidence_sha256, fewer.evidence_sha256);
    }

    #[test]
    fn a_long_list_is_counted_as_a_short_one() {
        let number = 2 * CHUNK + 1;
        let subjects = (0..number).rev().map(|number| {
            let mut subject = passing(&[EvidenceId::new("dns.domain", number)]);
            subject.name = format!("clinic {number:05}");
            if number % 1_000 == 0 {
                subject.facts.get_mut("authorization").unwrap().value = Err(NotObserved::Interrupted);
            }
            subject
        });
        let judged = judged(&Built::complete(subjects.collect()));
        let gaps = number.div_ceil(1_000);
        assert_eq!((judged.coverage.passed, judged.findings.len()), (number - gaps, gaps));
        let passed = judged.passed.unwrap();
        assert_eq!(passed.subjects.len(), NAMED);
        assert_eq!(passed.subjects[0], "clinic 00001");
        assert!(passed.subjects.is_sorted() && passed.evidence.is_sorted());
    }

    /// Taking knowledge away may only turn a verdict into "not assessed": every set of facts, in
    /// every example of every check that ships.
    #[test]
    fn removing_facts_only_ever_makes_a_verdict_not_assessed() {
        for check in checks() {
            let facts: BTreeSet<&'static str> = check.verdict_reads().iter().map(|path| path.fact).collect();
            let facts: Vec<_> = facts.into_iter().filter(|fact| *fact != "name").collect();
            assert!(facts.len() <= 12, "{}: too many facts for one question", check.id);
            for subject in subjects(check) {
                let before = check.verdict(&subject).unwrap();
                for removed in 0..1_u32 << facts.len() {
                    let mut poorer = subject.clone();
                    for (_, fact) in facts.iter().enumerate().filter(|(bit, _)| removed & (1 << bit) != 0) {
                        let unknown = EncodedFact { value: Err(NotObserved::Interrupted), evidence: Vec::new() };
                        poorer.facts.insert(fact, unknown);
                    }
                    let after = check.verdict(&poorer).unwrap();
                    assert!(
                        after == before || matches!(after, Verdict::NotAssessed(_)),
                        "{}: {before:?} became {after:?} without {removed:b} of {facts:?}",
                        check.id
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_order_of_subjects_never_matters(seed in proptest::collection::vec(any::<u32>(), 40)) {
            for check in checks() {
                let mut all = subjects(check);
                for (number, subject) in all.iter_mut().enumerate() {
                    subject.name = format!("{}-{number}", subject.name);
                }
                let mut shuffled: Vec<_> = all.iter().cloned().zip(seed.iter().cycle()).collect();
                shuffled.sort_by_key(|(_, key)| **key);
                let shuffled = shuffled.into_iter().map(|(subject, _)| subject).collect();
                let mut one = judge(check, &Built::complete(all)).unwrap();
                let mut other = judge(check, &Built::complete(shuffled)).unwrap();
                one.findings.sort_by(|a, b| a.subject.cmp(&b.subject));
                other.findings.sort_by(|a, b| a.subject.cmp(&b.subject));
                prop_assert_eq!(one.findings, other.findings);
                prop_assert_eq!(one.passed, other.passed);
                prop_assert_eq!(one.coverage, other.coverage);
            }
        }
    }
}
