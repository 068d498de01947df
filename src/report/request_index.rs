//! What an auditor asks for first, and where it is: the analysis, the plan, policies, training,
//! agreements, reviews of activity; each with its file and hash, or the word "missing".
//!
//! It knows what the assessment names. Whether a document says what it should is for people.

use serde::{Deserialize, Serialize};

use super::json::v1::{Assessment, Attested};
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
}

impl Place {
    /// The words of the index.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Enclosed => "enclosed",
            Self::Missing => "missing",
            Self::NotEnclosed => "named with its hash, not enclosed",
            Self::Other => "changed since it was assessed, not enclosed",
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
        rows.extend(register_row(assessment, register, request));
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

/// A register that was read is in the evidence, in the segment that is named.
fn register_row(assessment: &Assessment, register: &str, request: Request) -> Option<Requested> {
    let known =
        assessment.subjects.get("register").is_some_and(|known| known.names.iter().any(|name| name == register));
    let segment = assessment.evidence.iter().find(|segment| segment.kind == "register")?;
    known.then(|| Requested {
        request,
        what: format!("Register {register}"),
        file: Some(format!("evidence/{}.jsonl", segment.name)),
        sha256: Some(segment.sha256.clone()),
        place: Place::Enclosed,
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
}
