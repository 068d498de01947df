//! One question of the questionnaire and the organization's current answer.

use super::exported::Files;
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::clock::days_between;
use crate::evidence::declared::{AnswerRow, AnswerWord};
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::{SubjectId, SubjectKind};
use crate::questionnaire::{Question, Questionnaire};
use crate::seen::{NotObserved, Seen};

subject! {
    /// A question, named by its id in the questionnaire.
    pub struct Attestation is Attestation {
        /// The question for people.
        asks: String,
        /// `yes`, `partly`, `no`, `not-applicable`. "Don't know", no answer and an expired answer are unknown.
        answer: String,
        /// Whether an answer was given at all, current or not.
        answered: bool,
        /// Whether an answer was given and has run out.
        expired: bool,
        /// Whole days since the answer was given.
        age_days: i64,
        /// Whether an evidence file was named and was there to be read.
        evidence_file: bool,
        /// Whether mail of the organization lies at Google Workspace, as exports or the vendors of the scope say.
        google_workspace: bool,
    }
}

/// Builds one attestation for each question, answered or not.
pub fn build(context: Context<'_>) -> Built<Attestation> {
    let declared = match context.evidence.declared() {
        Ok((_, declared)) => declared,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    if declared.answers.is_none() {
        let what = "answers to the questionnaire (`answers: answers.yaml` in scope.yaml)".to_owned();
        return Built { subjects: Vec::new(), collection: Collection::NotDeclared(what) };
    }
    let questionnaire = Questionnaire::built_in().expect("the questionnaire is read by a test");
    let taken_away = context.evidence.taken_away(Source::Answers, SubjectKind::Attestation);
    let google = google_workspace(context);
    let attest = |question: &Question| {
        let attestation = match newest_answer(context, &question.id) {
            Ok(Some((id, row))) => answered(question, row, id, context),
            Ok(None) => unanswered(question, taken_away.clone()),
            Err(reason) => unanswered(question, Some(reason)),
        };
        Attestation { google_workspace: google.clone(), ..attestation }
    };
    Built::complete(questionnaire.questions.iter().map(attest).collect())
}

/// That it does not is said only where something says whose mail system is used.
fn google_workspace(context: Context<'_>) -> Fact<bool> {
    const GOOGLE: &str = "google-workspace";
    const OTHERS: [&str; 2] = ["microsoft365", "self-hosted"];
    let files = Files::of(context);
    let of_google = |format: &str| format.split_once('.').is_some_and(|(provider, _)| provider == GOOGLE);
    let speaks = files.files.iter().find(|(_, file)| file.format.as_deref().is_some_and(of_google));
    if let Some((id, _)) = speaks {
        return Fact::present(true, vec![(*id).clone()]);
    }
    let (id, declared) = match context.evidence.declared() {
        Ok(declared) => declared,
        Err(reason) => return Fact::unknown(reason),
    };
    if declared.vendors.iter().any(|vendor| vendor.id == GOOGLE) {
        return Fact::present(true, vec![id.clone()]);
    }
    match &files.unknown {
        Some(reason) => Fact::unknown(reason.clone()),
        // A vendor may be anybody: a payroll office, or the same provider under its domain.
        None if OTHERS.iter().any(|other| {
            files.providers().contains(other) || declared.vendors.iter().any(|vendor| vendor.id == *other)
        }) =>
        {
            Fact::present(false, vec![id.clone()])
        }
        None => Fact::unknown(NotObserved::NotProvided {
            what: "whose mail system is used: its exports, or its id among the `vendors` in the scope".to_owned(),
        }),
    }
}

/// The newest answer to a question that had been given by `as_of`, or why it could not be read.
fn newest_answer<'e>(
    context: Context<'e>,
    question: &str,
) -> Result<Option<(&'e EvidenceId, &'e AnswerRow)>, NotObserved> {
    let subject = SubjectId::new(SubjectKind::Attestation, question);
    let mut newest: Option<(&EvidenceId, &AnswerRow)> = None;
    let mut not_read = None;
    for (id, observation) in context.evidence.about(&subject) {
        match &observation.answer {
            Ok(Answer::Answer(row)) if row.answered_at <= context.today() => {
                if newest.is_none_or(|(_, known)| known.answered_at < row.answered_at) {
                    newest = Some((id, row));
                }
            }
            Ok(_) => {}
            Err(reason) => not_read = Some(reason.clone()),
        }
    }
    match (newest, not_read) {
        (None, Some(reason)) => Err(reason),
        (newest, _) => Ok(newest),
    }
}

/// A question that was answered: what the answer is still good for is decided by its age.
fn answered(question: &Question, row: &AnswerRow, id: &EvidenceId, context: Context<'_>) -> Attestation {
    let evidence = vec![id.clone()];
    let age_days = days_between(row.answered_at, context.today());
    let ran_out = row.valid_until.is_some_and(|until| until < context.today());
    let expired = ran_out || age_days > question.valid_days;
    let word = match row.answer {
        AnswerWord::DontKnow => None,
        AnswerWord::No => Some("no"),
        AnswerWord::NotApplicable => Some("not-applicable"),
        AnswerWord::Partly => Some("partly"),
        AnswerWord::Yes => Some("yes"),
    };
    let answer = match word {
        Some(word) if !expired => Seen::Present(word.to_owned()),
        Some(_) => Seen::not_provided(format!(
            "a new answer to the question `{}` (the last one, of {}, ran out)",
            question.id, row.answered_at
        )),
        None => Seen::not_provided(format!("an answer other than \"don't know\" to the question `{}`", question.id)),
    };
    Attestation {
        name: question.id.clone(),
        asks: Fact::present(question.ask.clone(), evidence.clone()),
        answer: Fact::new(answer, evidence.clone()),
        answered: Fact::present(true, evidence.clone()),
        expired: Fact::present(expired, evidence.clone()),
        age_days: Fact::present(age_days, evidence.clone()),
        evidence_file: Fact::present(row.evidence_sha256.is_some(), evidence),
        google_workspace: not_asked(),
    }
}

/// Filled in where all attestations are built: it is the same for each.
fn not_asked() -> Fact<bool> {
    Fact::unknown(NotObserved::NotProvided { what: "whose mail system is used".to_owned() })
}

/// A question without an answer, because there is none or because it could not be read.
fn unanswered(question: &Question, because: Option<NotObserved>) -> Attestation {
    let there_is_none = because.is_none();
    let reason = because
        .unwrap_or_else(|| NotObserved::NotProvided { what: format!("an answer to the question `{}`", question.id) });
    let no = || if there_is_none { Fact::present(false, Vec::new()) } else { Fact::unknown(reason.clone()) };
    Attestation {
        name: question.id.clone(),
        asks: Fact::present(question.ask.clone(), Vec::new()),
        answer: Fact::unknown(reason.clone()),
        answered: no(),
        expired: no(),
        age_days: Fact::unknown(reason.clone()),
        evidence_file: no(),
        google_workspace: not_asked(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{declared, evidence, observation};
    use crate::evidence::declared::DeclaredVendor;
    use crate::evidence::{Evidence, Observation, Question as Asked};
    use jiff::civil::{Date, date};

    fn answer(id: &str, answer: AnswerWord, on: Date, valid_until: Option<Date>) -> Observation {
        let row = AnswerRow {
            id: id.to_owned(),
            answer,
            statement: None,
            answered_by: "Ana Ruiz".to_owned(),
            role: None,
            answered_at: on,
            evidence_file: None,
            evidence_sha256: None,
            valid_until,
        };
        let subject = SubjectId::new(SubjectKind::Attestation, id);
        observation(subject, Source::Answers, Asked::Answer { id: id.to_owned() }, Ok(Answer::Answer(row)))
    }

    fn with_answers(answers: Vec<Observation>) -> Evidence {
        let mut all = vec![declared(|declared| declared.answers = Some("answers.yaml".to_owned()))];
        all.extend(answers);
        evidence(all)
    }

    fn build_from(evidence: &Evidence) -> Built<Attestation> {
        build(Context { evidence, as_of: evidence.as_of() })
    }

    fn of<'b>(built: &'b Built<Attestation>, id: &str) -> &'b Attestation {
        built.subjects.iter().find(|attestation| attestation.name == id).unwrap()
    }

    #[test]
    fn only_a_current_answer_is_an_answer() {
        let built = build_from(&with_answers(vec![
            answer("risk-analysis", AnswerWord::Yes, date(2026, 9, 1), None),
            answer("mail-policy", AnswerWord::Yes, date(2024, 9, 1), None),
            answer("evaluation", AnswerWord::Yes, date(2026, 9, 1), Some(date(2026, 9, 30))),
            answer("mail-backup", AnswerWord::DontKnow, date(2026, 9, 1), None),
        ]));
        assert_eq!(of(&built, "risk-analysis").answer.seen, Seen::Present("yes".to_owned()));
        for expired in ["mail-policy", "evaluation"] {
            assert!(matches!(of(&built, expired).answer.seen, Seen::Unknown(_)), "{expired}");
            assert_eq!(of(&built, expired).expired.seen, Seen::Present(true));
        }
        assert!(matches!(of(&built, "mail-backup").answer.seen, Seen::Unknown(_)));
        assert_eq!(of(&built, "mail-backup").answered.seen, Seen::Present(true));
        assert!(matches!(of(&built, "restore-test").answer.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
        assert_eq!(of(&built, "restore-test").answered.seen, Seen::Present(false));
    }

    #[test]
    fn the_newest_answer_counts_and_one_from_after_as_of_does_not() {
        let built = build_from(&with_answers(vec![
            answer("risk-analysis", AnswerWord::No, date(2026, 9, 2), None),
            answer("risk-analysis", AnswerWord::Yes, date(2026, 9, 1), None),
            answer("risk-analysis", AnswerWord::Yes, date(2026, 12, 1), None),
        ]));
        assert_eq!(of(&built, "risk-analysis").answer.seen, Seen::Present("no".to_owned()));
    }

    #[test]
    fn whose_mail_system_is_used_is_said_by_the_scope_or_not_at_all() {
        let google = |vendors: &[&str]| {
            let scope = declared(|declared| {
                declared.answers = Some("answers.yaml".to_owned());
                let vendor = |id: &&str| DeclaredVendor { id: (*id).to_owned(), handles: None, agreement: None };
                declared.vendors = vendors.iter().map(vendor).collect();
            });
            let built = build_from(&evidence(vec![scope]));
            of(&built, "vault-default-rule").google_workspace.seen.present().copied()
        };
        assert_eq!(google(&["microsoft365", "google-workspace"]), Some(true));
        assert_eq!(google(&["microsoft365"]), Some(false));
        assert_eq!(google(&["billing.example", "microsoft365"]), Some(false));
        for nobody in [&[][..], &["billing.example"], &["google.com"]] {
            assert_eq!(google(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn without_an_answers_file_nothing_is_declared() {
        let built = build_from(&evidence(vec![declared(|_| {})]));
        assert!(matches!(built.collection, Collection::NotDeclared(_)));
        let built = build_from(&evidence(Vec::new()));
        assert!(matches!(built.collection, Collection::Incomplete(_)));
    }
}
