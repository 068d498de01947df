//! Asks everything about one domain, in rounds: the readers of `records` say what is still open
//! until nothing is, or a bound ends it. Judges nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::dns::Dns;
use super::https::Https;
use crate::catalogues::vendors::VendorCatalogue;
use crate::evidence::declared::DeclaredDomain;
use crate::evidence::network::HttpsAnswer;
use crate::evidence::{Answer, Observation, Question};
use crate::names::{DomainName, SubjectId, SubjectKind};
use crate::records::dane::Chains;
use crate::records::discovery::ClientService;
use crate::records::dns_message::{Answers, DnsQuestion};
use crate::records::domain::{self, Given, SeenSelectors};
use crate::records::mta_sts;
use crate::seen::NotObserved;

/// Rounds of questions; an SPF tree is at most ten deep, and the rest needs three.
const MAX_ROUNDS: usize = 16;
/// Questions about one domain.
const MAX_QUESTIONS: usize = 300;
/// For one domain, so that a dead zone holds nothing else up.
const DOMAIN_DEADLINE: Duration = Duration::from_secs(20);

/// What was asked about one domain, and which hosts take its mail.
#[derive(Debug)]
pub struct DomainAnswers {
    pub observations: Vec<Observation>,
    /// The names in its MX records (or its own, where it has none), by preference.
    pub mail_hosts: Vec<DomainName>,
    /// The MTA-STS policy host, where one answers: it serves TLS like any other.
    pub policy_host: Option<DomainName>,
    /// Services that mail programs are sent to (RFC 6186).
    pub client_services: Vec<ClientService>,
    /// What was read, for those who read it again.
    pub answers: Answers,
    /// Mail hosts whose TLSA records can be judged only against the certificate they serve.
    pub certificates_wanted: Vec<DomainName>,
}

/// Asks about a domain of the organization. `seen`: selectors that signed for it. What an earlier start of the same run `knows` is not
/// asked again.
pub async fn ask(
    dns: &Dns,
    https: &Https,
    declared: &DeclaredDomain,
    seen: &SeenSelectors,
    vendors: &VendorCatalogue,
    knows: &[Observation],
) -> DomainAnswers {
    let subject = SubjectId::new(SubjectKind::Domain, declared.name.as_str());
    let permitted = |address: IpAddr| https.permits(address);
    let reading = |answers: &Answers, policy: mta_sts::Fetched<'_>| {
        let given = Given {
            selectors: &declared.selectors,
            seen,
            sends: declared.sends,
            catalogue: vendors,
            policy,
            chains: &Chains::new(),
            permitted: &permitted,
        };
        let records = domain::read(&declared.name, &given, answers);
        Open {
            wanted: records.wanted,
            wants_policy: records.mta_sts.wants_policy,
            mail_hosts: records.mx.addresses.into_iter().map(|(host, _)| host).collect(),
            certificates_wanted: records.dane.unseen,
            client_services: records.discovery.map(|discovery| discovery.services).unwrap_or_default(),
        }
    };
    rounds(dns, https, &subject, &declared.name, &reading, knows).await
}

/// Asks about a partner: where its mail goes, and whether delivery over TLS can be relied on.
pub async fn ask_partner(dns: &Dns, https: &Https, partner: &DomainName, knows: &[Observation]) -> DomainAnswers {
    let subject = SubjectId::new(SubjectKind::Partner, partner.as_str());
    let permitted = |address: IpAddr| https.permits(address);
    let reading = |answers: &Answers, policy: mta_sts::Fetched<'_>| {
        let records = domain::read_partner(partner, policy, &Chains::new(), &permitted, answers);
        Open {
            wanted: records.wanted,
            wants_policy: records.mta_sts.wants_policy,
            mail_hosts: records.mx.addresses.into_iter().map(|(host, _)| host).collect(),
            certificates_wanted: records.dane.unseen,
            client_services: Vec::new(),
        }
    };
    rounds(dns, https, &subject, partner, &reading, knows).await
}

/// What a reading leaves open.
struct Open {
    wanted: BTreeSet<DnsQuestion>,
    wants_policy: bool,
    mail_hosts: Vec<DomainName>,
    certificates_wanted: Vec<DomainName>,
    client_services: Vec<ClientService>,
}

async fn rounds(
    dns: &Dns,
    https: &Https,
    subject: &SubjectId,
    domain: &DomainName,
    reading: &(dyn Fn(&Answers, mta_sts::Fetched<'_>) -> Open + Sync),
    knows: &[Observation],
) -> DomainAnswers {
    let until = Instant::now() + DOMAIN_DEADLINE;
    let mut answers = Answers::default();
    let mut observations = knows.to_vec();
    let mut policy: Option<Result<HttpsAnswer, NotObserved>> = None;
    for observation in knows {
        match &observation.question {
            Question::Https { .. } => policy = Some(fetched_policy(observation)),
            _ => answers.add(observation, None),
        }
    }
    let host = mta_sts::policy_host(domain);
    let mut ended = None;
    let mut round = 0;
    let last = loop {
        let open = reading(&answers, policy.as_ref());
        let fetch = host.as_ref().filter(|_| open.wants_policy && policy.is_none());
        if open.wanted.is_empty() && fetch.is_none() {
            break open;
        }
        ended = ended.or_else(|| bound_reached(round, answers.len() + open.wanted.len(), until));
        if let Some(because) = &ended {
            // What stays open is written down with the reason, so that it never looks absent.
            for question in &open.wanted {
                let left = dns.not_asked(subject, question, because.clone());
                answers.add(&left, None);
                observations.push(left);
            }
            break open;
        }
        round += 1;
        let fetching = async {
            match fetch {
                Some(host) => Some(https.policy(dns, subject, host).await),
                None => None,
            }
        };
        let (told, fetched) = tokio::join!(ask_all(dns, subject, &open.wanted, until), fetching);
        for observation in told {
            answers.add(&observation, None);
            observations.push(observation);
        }
        if let Some(observation) = fetched {
            policy = Some(fetched_policy(&observation));
            observations.push(observation);
        }
    };
    DomainAnswers {
        observations,
        mail_hosts: last.mail_hosts,
        certificates_wanted: last.certificates_wanted,
        client_services: last.client_services,
        answers,
        policy_host: host.filter(|_| matches!(policy, Some(Ok(_)))),
    }
}

fn fetched_policy(observation: &Observation) -> Result<HttpsAnswer, NotObserved> {
    match &observation.answer {
        Ok(Answer::Https(answer)) => Ok(answer.clone()),
        Ok(_) => Err(NotObserved::Interrupted),
        Err(reason) => Err(reason.clone()),
    }
}

/// Puts all questions of a round at once. Each gets an observation, also those still open when
/// the time is up.
async fn ask_all(
    dns: &Dns,
    subject: &SubjectId,
    questions: &BTreeSet<DnsQuestion>,
    until: Instant,
) -> Vec<Observation> {
    let mut waiting = questions.clone();
    let mut asking: FuturesUnordered<_> =
        questions.iter().map(async |question| (question, dns.query(subject, question).await)).collect();
    let mut observations = Vec::with_capacity(questions.len());
    while let Ok(Some((question, observation))) = timeout_at(until, asking.next()).await {
        waiting.remove(question);
        observations.push(observation);
    }
    let after_ms = u64::try_from(DOMAIN_DEADLINE.as_millis()).unwrap_or(u64::MAX);
    let late = waiting.iter().map(|question| dns.not_asked(subject, question, NotObserved::TimedOut { after_ms }));
    observations.extend(late);
    observations
}

fn bound_reached(round: usize, questions: usize, until: Instant) -> Option<NotObserved> {
    if round >= MAX_ROUNDS {
        Some(NotObserved::Limit { what: format!("{MAX_ROUNDS} rounds of questions about one domain") })
    } else if questions > MAX_QUESTIONS {
        Some(NotObserved::Limit { what: format!("{MAX_QUESTIONS} questions about one domain") })
    } else if Instant::now() >= until {
        Some(NotObserved::Limit { what: format!("{} s for one domain", DOMAIN_DEADLINE.as_secs()) })
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
