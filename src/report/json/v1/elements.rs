//! The nine elements of HHS's guidance on risk analysis (14 July 2010, under 45 CFR
//! 164.308(a)(1)(ii)(A)): which of them this assessment fills, and what is missing in the others.
//!
//! Mail is one system of several: no element here is ever more than the mail's part of it.

use super::{Assessment, Element, ElementState, Level};
use crate::clock::date_of;
use crate::evidence::decisions::Office;

/// All nine, in order.
pub fn elements(assessment: &Assessment) -> Vec<Element> {
    [scope, data, threats, measures, likelihood, impact, level, documentation, review]
        .into_iter()
        .zip(1..)
        .map(|(fill, number)| {
            let (title, missing, filled) = fill(assessment);
            let (state, why) = if missing.is_empty() {
                (ElementState::Filled, filled)
            } else {
                (ElementState::Incomplete, missing.join("; "))
            };
            Element { number, title: title.to_owned(), state, why }
        })
        .collect()
}

/// The title, what is missing, and what fills it where nothing is.
type Filling = (&'static str, Vec<String>, String);

/// Collects those of the texts whose condition holds.
fn those<const N: usize>(texts: [(bool, &str); N]) -> Vec<String> {
    texts.into_iter().filter(|(missing, _)| *missing).map(|(_, text)| text.to_owned()).collect()
}

fn scope(assessment: &Assessment) -> Filling {
    let declared = &assessment.declared;
    let today = date_of(assessment.as_of);
    let ended = declared.authorization.as_ref().is_some_and(|granted| granted.until < today);
    let missing = those([
        (assessment.organization.name.is_empty(), "the scope names no organization"),
        (declared.authorization.is_none(), "nobody is named who authorized the scope"),
        (ended, "the authorization has ended"),
        (declared.domains.is_empty(), "the scope names no mail domain"),
        (declared.exports.is_empty(), "the scope names no export of mailboxes and settings"),
    ]);
    let filled = format!(
        "{} domains, {} hosts, {} vendors, {} partners and {} exports are in scope; other systems with ePHI are not",
        declared.domains.len(),
        declared.hosts.len(),
        declared.vendors.len(),
        declared.partners.len(),
        declared.exports.len()
    );
    ("Scope of the analysis", missing, filled)
}

fn data(assessment: &Assessment) -> Filling {
    let kind = |kind: &str| assessment.subjects.get(kind);
    let count = |name: &str| kind(name).map_or(0, |subjects| subjects.count);
    let complete = |name: &str| kind(name).is_some_and(|subjects| subjects.complete && subjects.count > 0);
    let missing = those([
        (!complete("mailbox"), "not all mailboxes are known"),
        (count("content_folder") == 0, "no mail was scanned, so where ePHI lies and since when is not known"),
        (count("vendor") == 0 && assessment.declared.vendors.is_empty(), "no vendor is known or declared"),
    ]);
    let filled = format!(
        "{} mailboxes, {} scanned folders and {} vendors are known",
        count("mailbox"),
        count("content_folder"),
        count("vendor")
    );
    ("Data collection", missing, filled)
}

fn threats(assessment: &Assessment) -> Filling {
    let coverage = &assessment.coverage;
    let mut missing = those([
        (assessment.risks.is_empty(), "no scenario was analysed"),
        (coverage.assessed + coverage.partly_assessed == 0, "no check could be assessed"),
    ]);
    if coverage.not_assessed > 0 {
        missing.push(format!("{} checks of declared sources could not be assessed", coverage.not_assessed));
    }
    let filled = format!(
        "{} scenarios with threat and weakness were analysed, {} cannot happen here",
        assessment.risks.len(),
        assessment.risks_not_applicable.len()
    );
    ("Potential threats and vulnerabilities", missing, filled)
}

fn measures(assessment: &Assessment) -> Filling {
    let missing = those([
        (assessment.passed.is_empty(), "no measure in place was evidenced"),
        (
            assessment.declared.answers.is_none(),
            "the questionnaire was not answered: what no system shows is not known",
        ),
    ]);
    let filled = format!("{} checks found measures in place, in full or in part", assessment.passed.len());
    ("Current security measures", missing, filled)
}

fn likelihood(assessment: &Assessment) -> Filling {
    let missing = those([(assessment.risks.is_empty(), "no scenario was analysed")]);
    let filled = format!("every scenario has one, by risk model {}", assessment.tool.risk_model);
    ("Likelihood of threat occurrence", missing, filled)
}

fn impact(assessment: &Assessment) -> Filling {
    let nobody_counted = assessment.exposure.iter().all(|exposure| exposure.individuals_upper.is_none());
    let unknown = assessment.organization.individuals.is_none();
    let missing = those([
        (assessment.risks.is_empty(), "no scenario was analysed"),
        (unknown && nobody_counted, "neither the scope nor a scan says how many individuals could be touched"),
    ]);
    let filled = if unknown {
        "every scenario has one; the number of individuals comes from scans of mail".to_owned()
    } else {
        "every scenario has one; the organization states the number of individuals".to_owned()
    };
    ("Potential impact of threat occurrence", missing, filled)
}

fn level(assessment: &Assessment) -> Filling {
    let undecided =
        assessment.risks.iter().filter(|risk| risk.treatment == "undecided" && risk.residual.risk >= Level::Moderate);
    let (undecided, risks) = (undecided.count(), assessment.risks.len());
    let open = assessment.plan.iter().filter(|item| item.subjects > 0);
    let unowned = open.filter(|item| item.owner.is_none() || item.due.is_none()).count();
    let mut missing = those([
        (risks == 0, "no scenario was analysed"),
        (assessment.decisions.appetite.is_none(), "management recorded no acceptable level of risk"),
    ]);
    if undecided > 0 {
        missing.push(format!("{undecided} risks of moderate or more have no decision on their treatment"));
    }
    if unowned > 0 {
        missing.push(format!("{unowned} items of the plan have no owner or no date"));
    }
    let filled = format!("{risks} risks have a level, a decision and corrective actions");
    ("Level of risk and corrective actions", missing, filled)
}

fn documentation(assessment: &Assessment) -> Filling {
    let signed = |office| assessment.decisions.signatures.iter().find(|row| row.counts && row.office == office);
    let management = signed(Office::Management);
    let unsigned = management.is_none();
    let missing = those([(unsigned, "management has not signed this analysis in a form that is recorded here")]);
    let filled =
        management.map_or_else(String::new, |row| format!("signed by {} for management on {}", row.name, row.on));
    ("Documentation", missing, filled)
}

fn review(assessment: &Assessment) -> Filling {
    let next = assessment.decisions.next_review;
    let missing = those([
        (assessment.drift.is_none(), "this is the first assessment on record: it was compared with no other"),
        (next.is_none(), "no date of the next review is recorded (`next_review` in decisions.yaml)"),
        (next.is_some_and(|day| day < date_of(assessment.as_of)), "the date of the next review is past"),
    ]);
    let filled = assessment.drift.as_ref().zip(next).map_or_else(String::new, |(drift, next)| {
        format!("compared with the assessment of {}; the next review is due on {next}", date_of(drift.from.as_of))
    });
    ("Periodic review and update", missing, filled)
}
