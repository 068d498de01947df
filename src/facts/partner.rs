//! A partner domain that mail is exchanged with: whether it can receive over enforced TLS.

use super::domain::Stored;
use super::shape::{Fact, subject};
use super::{Built, Collection, Context};
use crate::evidence::{Answer, EvidenceId, Source};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::domain::read_partner;
use crate::records::mta_sts::{Mode, StsVerdict};
use crate::records::mx::MxVerdict;
use crate::seen::{NotObserved, Seen};

subject! {
    /// A partner domain.
    pub struct Partner is Partner {
        /// Whether ePHI is exchanged with it.
        phi: bool,
        /// What can be relied on when mail is sent to it: `enforced`, `opportunistic`, `none`.
        tls_delivery: String,
    }
}

/// Builds every partner the scope declares.
pub fn build(context: Context<'_>) -> Built<Partner> {
    let (declared_id, declared) = match context.evidence.declared() {
        Ok(found) => found,
        Err(reason) => return Built { subjects: Vec::new(), collection: Collection::Incomplete(reason) },
    };
    if declared.partners.is_empty() {
        return Built {
            subjects: Vec::new(),
            collection: Collection::NotDeclared("the scope names no partner domains".to_owned()),
        };
    }
    let stored = Stored::new(context);
    let subjects = declared
        .partners
        .iter()
        .map(|partner| Partner {
            name: partner.domain.to_string(),
            phi: Fact::present(partner.phi, vec![declared_id.clone()]),
            tls_delivery: match context.evidence.taken_away(Source::Dns, SubjectKind::Partner) {
                Some(reason) => Fact::unknown(reason),
                None => tls_delivery(context, &stored, &partner.domain),
            },
        })
        .collect();
    Built::complete(subjects)
}

fn tls_delivery(context: Context<'_>, stored: &Stored<'_>, partner: &DomainName) -> Fact<String> {
    let subject = SubjectId::new(SubjectKind::Partner, partner.as_str());
    let (answers, policy) = stored.answers(&subject);
    let permitted = |address| stored.permits(address);
    let fetched = policy.as_ref().map(|(_, fetched)| fetched);
    let records = read_partner(partner, fetched, &permitted, &answers);
    let mut evidence = answers.evidence(&records.used);
    if let Some((id, Ok(_))) = &policy {
        evidence.push(id.clone());
    }
    let word = match (records.mta_sts.verdict, records.mx.verdict) {
        (StsVerdict::Mode(Mode::Enforce), _) => Seen::Present("enforced".to_owned()),
        // A policy that may be there and was not obtained leaves it open.
        (StsVerdict::Error, _) if records.mta_sts.because.is_some() => {
            Seen::Unknown(records.mta_sts.because.clone().unwrap_or(NotObserved::Interrupted))
        }
        (_, MxVerdict::Error) => Seen::Unknown(
            records
                .mx
                .because
                .clone()
                .unwrap_or_else(|| NotObserved::NotProvided { what: format!("the DNS answers about {partner}") }),
        ),
        (_, MxVerdict::Null | MxVerdict::Missing | MxVerdict::Invalid) => {
            Seen::not_provided(format!("a mail host of {partner} that receives"))
        }
        (_, MxVerdict::Ok | MxVerdict::Implicit) => {
            let (states, ids) = port_25_states(context, &records.mx.hosts);
            evidence.extend(ids);
            // One host that takes mail in clear is enough for a message to travel so.
            let clear = states.iter().any(|state| CLEAR.contains(&state.as_str()));
            Seen::Present(if clear { "none" } else { "opportunistic" }.to_owned())
        }
    };
    Fact::new(word, evidence)
}

/// The endpoint states that mean mail is taken without TLS.
const CLEAR: [&str; 4] = ["no-tls", "starttls-not-offered", "starttls-refused", "starttls-stripped"];

/// What was seen on port 25 of these hosts, if anything was.
fn port_25_states(context: Context<'_>, hosts: &[String]) -> (Vec<String>, Vec<EvidenceId>) {
    let mut states = Vec::new();
    let mut ids = Vec::new();
    for (id, observation) in context.evidence.from(Source::Service) {
        let Ok(Answer::Endpoint(endpoint)) = &observation.answer else { continue };
        if let Some((host, "25")) = observation.subject.name.rsplit_once(':')
            && hosts.iter().any(|known| known == host)
        {
            states.push(endpoint.state.clone());
            ids.push(id.clone());
        }
    }
    (states, ids)
}

#[cfg(test)]
mod tests;
