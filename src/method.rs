//! How evidence becomes an assessment: the catalogue, the model and the rule, read once, and the
//! one pure way from evidence to the finished document.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use crate::assess::{CheckBroken, Judgement, assess};
use crate::checks::controls::Controls;
use crate::checks::{Catalog, CheckError};
use crate::clock::date_of;
use crate::decisions::{self, Conclusions, Given};
use crate::evidence::Evidence;
use crate::facts::Facts;
use crate::history;
use crate::report::json::v1::{Assessment, Inputs};
use crate::risk::{self, Cards, LikelihoodRule, Model, SecurityRule};
use crate::verdict::{self, Policy};
use crate::yaml::Located;

/// Everything that judges: checks, risk model, Security Rule.
#[derive(Clone, Debug)]
pub struct Method {
    pub catalog: Catalog,
    pub model: Model,
    pub rule: SecurityRule,
    conclusions: Conclusions,
    controls: Controls,
    cards: Cards,
}

/// Why the method cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MethodError {
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Model(#[from] Located),
}

impl Method {
    /// The built-in method, with an organization's own checks added.
    pub fn load(own_checks: Option<&Path>) -> Result<Self, MethodError> {
        let catalog = Catalog::load(own_checks)?;
        let known: BTreeSet<&str> = catalog.checks.keys().map(String::as_str).collect();
        let model = Model::built_in(&known)?;
        let rule = SecurityRule::built_in()?;
        let conclusions = Conclusions::built_in(&|id| known.contains(id))?;
        let controls = Controls::built_in(&catalog)?;
        let mut cards = risk::cards(&catalog);
        cards.extend(conclusions.cards().map(|(id, card)| (id.clone(), card.clone())));
        Ok(Self { catalog, model, rule, conclusions, controls, cards })
    }

    /// The same method with another way to make likelihood of attempt and success.
    pub fn with_likelihood(mut self, rule: LikelihoodRule) -> Self {
        self.model.likelihood = rule;
        self
    }

    /// Judges evidence as of a moment (by default the end of its collection), compares with an
    /// earlier assessment where there is one, and says which gates hold.
    pub fn judge(
        &self,
        evidence: &Evidence,
        as_of: Option<Timestamp>,
        previous: Option<&Assessment>,
        policy: &Policy,
    ) -> Result<Assessment, CheckBroken> {
        let as_of = as_of.unwrap_or_else(|| evidence.as_of());
        let mut facts = Facts::from_evidence(evidence, as_of);
        let dkim_keys = history::seen_since(previous, &mut facts, as_of);
        let facts = facts;
        let today = date_of(as_of);
        let mut judgement = assess(&self.catalog, &facts)?;
        let subject = evidence.declared().ok().and_then(|(_, declared)| declared.organization.as_ref());
        let given = evidence.decisions().map(|(id, decisions)| Given {
            decisions,
            evidence: id,
            subject: subject.map_or("unnamed", |organization| organization.name.as_str()),
            today,
        });
        let mut weights = decisions::before_analysis(&self.conclusions, given, &facts, &mut judgement);
        let estimates = given.map_or(&[][..], |given| &given.decisions.estimates);
        let model = self.model.clone().with_estimates(estimates, today);
        let analyse = |judgement: &Judgement| risk::analyse(&model, &self.cards, judgement, &facts, today);
        let mut analysis = analyse(&judgement);
        if let Some(given) = given {
            let again = decisions::weigh_acceptances(&self.conclusions, given, &analysis, &mut judgement, &mut weights);
            if again {
                analysis = analyse(&judgement);
            }
            decisions::enter(given, &judgement, &mut analysis, &mut weights);
        }
        let due = decisions::list(evidence, &facts, &weights, &analysis, today);
        let mut assessment = Assessment::new(Inputs {
            evidence,
            as_of,
            facts: &facts,
            cards: &self.cards,
            catalogue: &self.catalog.version,
            judgement: &judgement,
            analysis: &analysis,
            rule: &self.rule,
            controls: &self.controls,
            weights: &weights,
            due: &due,
        });
        assessment.dkim_keys = dkim_keys;
        if let Some(previous) = previous {
            // One of an earlier version may quote what this one masks.
            history::compare(&mut assessment, &previous.clone().masked());
        }
        assessment.gates = verdict::gates(&assessment, policy, &self.model.requirements);
        Ok(assessment)
    }
}
