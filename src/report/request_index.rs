//! What an auditor asks for first, and where it is: the analysis, the plan, policies, training,
//! agreements, reviews of activity; each with its file and hash, or the word "missing".
//!
//! It knows what the assessment names. Whether a document says what it should is for people.

use serde::{Deserialize, Serialize};

use super::json::v1::{Assessment, Attested, Outcome};
use super::tables::{Cell, Table};
use crate::questionnaire::Questionnaire;

/// What is asked for, in the order in which requests ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    Analysis,
    Plan,
    Policies,
    Training,
    Agreements,
    ActivityReviews,
}

impl Request {
    pub const ALL: [Self; 6] =
        [Self::Analysis, Self::Plan, Self::Policies, Self::Training, Self::Agreements, Self::ActivityReviews];

    /// The request, with the paragraph it rests on.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Analysis => "Risk analysis (45 CFR 164.308(a)(1)(ii)(A))",
            Self::Plan => "Risk management plan (45 CFR 164.308(a)(1)(ii)(B))",
            Self::Policies => "Policies and procedures (45 CFR 164.316(a))",
            Self::Training => "Training (45 CFR 164.308(a)(5)(i))",
            Self::Agreements => "Business associate agreements (45 CFR 164.308(b)(3))",
            Self::ActivityReviews => "Reviews of system activity (45 CFR 164.308(a)(1)(ii)(D))",
        }
    }
}

/// Where something that was asked for is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In the package, with the hash that is named.
    Enclosed,
    /// Nothing is named, or what is named was not there to be read.
    Missing,
    /// Named with its hash; it stays in the organization's folder.
    NotEnclosed,
    /// In the organization's folder, with other bytes than were assessed.
    Other,
    /// In the organization's folder, and it could not be read now.
    Unread,
}

impl Place {
    /// The words of the index.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Enclosed => "enclosed",
            Self::Missing => "missing",
            Self::NotEnclosed => "named with its hash, not enclosed",
            Self::Other => "changed since it was assessed, not enclosed",
            Self::Unread => "named with its hash, there, and not to be read; not enclosed",
        }
    }
}

/// One row of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    pub request: Request,
    pub what: String,
    /// A path in the package where it is enclosed, otherwise as the organization names it.
    pub file: Option<String>,
    pub sha256: Option<String>,
    pub place: Place,
}

/// Every row, as far as the assessment says; documents of the organization are not enclosed yet.
pub fn index(assessment: &Assessment, files: &[(String, String)]) -> Vec<Requested> {
    let mut rows = Vec::new();
    for (request, names) in [
        (Request::Analysis, ["report.pdf", "report.html", "assessment.json"].as_slice()),
        (Request::Plan, ["plan.csv", "workbook.xlsx"].as_slice()),
    ] {
        for (name, sha256) in files.iter().filter(|(name, _)| names.contains(&name.as_str())) {
            rows.push(Requested {
                request,
                what: name.clone(),
                file: Some(name.clone()),
                sha256: Some(sha256.clone()),
                place: Place::Enclosed,
            });
        }
    }
    if let Some(retention) = assessment.declared.retention.as_ref().filter(|retention| retention.file.is_some()) {
        rows.push(document(Request::Policies, "How long mail is kept", &retention.file, &retention.file_sha256));
    }
    for one in &assessment.attested {
        if one.file.is_some() {
            rows.push(document(request_of(one), &one.asks, &one.file, &one.file_sha256));
        }
    }
    for (register, request) in [("training", Request::Training), ("activity-reviews", Request::ActivityReviews)] {
        rows.extend(register_row(assessment, files, register, request));
    }
    for vendor in &assessment.declared.vendors {
        let agreement = vendor.agreement.as_ref();
        let file = agreement.and_then(|agreement| agreement.file.clone());
        let sha256 = agreement.and_then(|agreement| agreement.file_sha256.clone());
        rows.push(document(Request::Agreements, &vendor.id, &file, &sha256));
    }
    for request in Request::ALL {
        if rows.iter().all(|row| row.request != request) {
            let what = "nothing is named".to_owned();
            rows.push(Requested { request, what, file: None, sha256: None, place: Place::Missing });
        }
    }
    rows.sort_by_key(|row| row.request);
    rows
}

fn document(request: Request, what: &str, file: &Option<String>, sha256: &Option<String>) -> Requested {
    let place = if sha256.is_some() { Place::NotEnclosed } else { Place::Missing };
    Requested { request, what: what.to_owned(), file: file.clone(), sha256: sha256.clone(), place }
}

/// The part of the questionnaire decides which request a document answers.
fn request_of(one: &Attested) -> Request {
    if one.id == "activity-review" {
        return Request::ActivityReviews;
    }
    let known = Questionnaire::built_in().ok().and_then(|all| all.questions.iter().find(|known| known.id == one.id));
    match known.map(|question| question.part.as_str()) {
        Some("training") => Request::Training,
        Some("vendors") => Request::Agreements,
        Some(_) | None => Request::Policies,
    }
}

/// A register stands in the evidence where something was judged of it: every register is asked for,
/// kept or not, so that its name is known says nothing.
fn register_row(
    assessment: &Assessment,
    files: &[(String, String)],
    register: &str,
    request: Request,
) -> Option<Requested> {
    let asked =
        assessment.subjects.get("register").is_some_and(|known| known.names.iter().any(|name| name == register));
    let row = |file: Option<&(String, String)>, sha256: Option<&str>, place| Requested {
        request,
        what: format!("Register {register}"),
        file: file.map(|(name, _)| name.clone()),
        sha256: sha256.map(str::to_owned),
        place,
    };
    let mut segments = assessment.evidence.iter().filter(|segment| segment.kind == "register").peekable();
    if segments.peek().is_none() || !was_judged(assessment, register) {
        return asked.then(|| row(None, None, Place::Missing));
    }
    let first = segments.peek().map(|segment| segment.sha256.as_str());
    let enclosed = segments
        .find_map(|segment| files.iter().find(|(name, sha256)| name.ends_with(".jsonl") && *sha256 == segment.sha256));
    match enclosed {
        Some(file) => Some(row(Some(file), Some(&file.1), Place::Enclosed)),
        None => Some(row(None, first, Place::NotEnclosed)),
    }
}

/// Whether any check came to a conclusion about the register.
fn was_judged(assessment: &Assessment, register: &str) -> bool {
    let about = |check: &str| {
        assessment.coverage.checks.iter().any(|known| known.check == check && known.subject == "register")
    };
    let concluded = |outcome| match outcome {
        Outcome::Fail | Outcome::NeedsReview | Outcome::Pass => true,
        Outcome::NotApplicable | Outcome::NotAssessed => false,
    };
    assessment.passed.iter().any(|passed| about(&passed.check) && passed.subjects.iter().any(|name| name == register))
        || assessment.findings.iter().any(|finding| {
            finding.subject.kind == "register" && finding.subject.name == register && concluded(finding.outcome)
        })
}

/// The index as a table.
pub fn table(rows: &[Requested]) -> Table {
    let cell = |text: &Option<String>| text.as_deref().map_or(Cell::Empty, Cell::text);
    Table {
        name: "Requests",
        columns: vec![("Request", 50), ("What", 60), ("File", 40), ("SHA-256", 66), ("State", 30)],
        rows: rows
            .iter()
            .map(|row| {
                vec![
                    Cell::text(row.request.in_words()),
                    Cell::text(&row.what),
                    cell(&row.file),
                    cell(&row.sha256),
                    Cell::text(row.place.in_words()),
                ]
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_a_row_and_what_nobody_names_is_missing() {
        let mut assessment: Assessment =
            serde_json::from_str(include_str!("../../fixtures/maple-street-assessment/assessment.json")).unwrap();
        let files = [("report.html".to_owned(), "ab".to_owned())];
        let rows = index(&assessment, &files);
        for request in Request::ALL {
            assert!(rows.iter().any(|row| row.request == request), "{request:?}");
        }
        let policy = rows.iter().find(|row| row.file.as_deref() == Some("policies/risk-analysis.pdf")).unwrap();
        assert_eq!((policy.request, policy.place), (Request::Policies, Place::NotEnclosed));
        let unread = rows.iter().find(|row| row.file.as_deref() == Some("policies/restore.pdf")).unwrap();
        assert_eq!(unread.place, Place::Missing, "a file that nobody could read is missing");
        assessment.attested.clear();
        assessment.declared = Default::default();
        assessment.subjects.clear();
        let rows = index(&assessment, &[]);
        assert!(rows.len() == Request::ALL.len() && rows.iter().all(|row| row.place == Place::Missing));
    }

    #[test]
    fn a_register_nobody_provided_is_missing_though_another_one_lies_in_the_evidence() {
        let text = include_str!("../../fixtures/maple-street-assessment/assessment.json");
        let mut assessment: Assessment = serde_json::from_str(text).unwrap();
        let names = ["activity-reviews", "training"].map(str::to_owned).to_vec();
        let known = crate::report::json::v1::Subjects { count: 2, complete: true, because: None, names };
        assessment.subjects.insert("register".to_owned(), known);
        assessment.evidence.retain(|segment| segment.kind != "register");
        let mut segment = assessment.evidence[0].clone();
        (segment.kind, segment.sha256) = ("register".to_owned(), "ab12".to_owned());
        assessment.evidence.push(segment);
        let mut finding = assessment.findings[0].clone();
        finding.subject = crate::report::json::v1::Subject { kind: "register".to_owned(), name: "training".to_owned() };
        let row = |assessment: &Assessment, outcome: Outcome, request: Request| {
            let mut assessment = assessment.clone();
            assessment.findings.push(crate::report::json::v1::Finding { outcome, ..finding.clone() });
            let files = [("evidence/register.register.jsonl".to_owned(), "ab12".to_owned())];
            let rows = index(&assessment, &files);
            rows.into_iter().find(|row| row.request == request && row.what.starts_with("Register")).unwrap()
        };
        let reviews = row(&assessment, Outcome::Fail, Request::ActivityReviews);
        assert_eq!((reviews.place, reviews.file), (Place::Missing, None), "only the other register was provided");
        let unread = row(&assessment, Outcome::NotAssessed, Request::Training);
        assert_eq!(unread.place, Place::Missing, "asked for and not provided");
        let kept = row(&assessment, Outcome::Fail, Request::Training);
        assert_eq!(kept.place, Place::Enclosed, "one that is out of date was provided");
        assert_eq!(kept.file.as_deref(), Some("evidence/register.register.jsonl"));
        assessment.evidence.last_mut().unwrap().sha256 = "cd34".to_owned();
        assert_eq!(row(&assessment, Outcome::Fail, Request::Training).place, Place::NotEnclosed, "other bytes");
    }
}
