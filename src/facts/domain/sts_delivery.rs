//! Whether senders who enforce a domain's MTA-STS policy could deliver to its mail hosts, as those were
//! seen on port 25 (RFC 8461 §4.2).

use std::collections::BTreeMap;

use super::{Domain, StsDelivery};
use crate::evidence::EvidenceId;
use crate::facts::endpoint::Endpoint;
use crate::facts::shape::Fact;
use crate::seen::{NotObserved, Seen};

/// Holds the mail hosts of every domain with a policy against what was seen of them.
pub(in crate::facts) fn join(domains: &mut [Domain], endpoints: &[Endpoint]) {
    let by_name: BTreeMap<&str, &Endpoint> =
        endpoints.iter().map(|endpoint| (endpoint.name.as_str(), endpoint)).collect();
    for domain in domains {
        domain.mta_sts_delivery = judge(domain, &by_name);
    }
}

fn judge(domain: &Domain, endpoints: &BTreeMap<&str, &Endpoint>) -> Fact<StsDelivery> {
    let mut evidence = domain.mta_sts.evidence.clone();
    let mode = match &domain.mta_sts.seen {
        Seen::Present(sts) => sts.mode.as_str(),
        Seen::Absent | Seen::Malformed(_) => return Fact::new(Seen::Absent, evidence),
        Seen::Unknown(reason) => return Fact::new(Seen::Unknown(reason.clone()), evidence),
    };
    let mx = match &domain.mx.seen {
        Seen::Present(mx) => mx,
        Seen::Absent | Seen::Malformed(_) => return Fact::new(Seen::Absent, evidence),
        Seen::Unknown(reason) => return Fact::new(Seen::Unknown(reason.clone()), evidence),
    };
    let hosts = &mx.hosts;
    if !["enforce", "testing"].contains(&mode) || hosts.is_empty() {
        return Fact::new(Seen::Absent, evidence);
    }
    let mut refused = Vec::new();
    let mut not_seen = None;
    for host in hosts {
        match endpoints.get(format!("{host}:25").as_str()) {
            Some(endpoint) => match obstacle(endpoint, &mut evidence) {
                Ok(Some(why)) => refused.push(format!("{host}: {why}")),
                Ok(None) => {}
                Err(reason) => drop(not_seen.get_or_insert(reason)),
            },
            None => {
                let what = format!("what {host}:25 answers");
                not_seen.get_or_insert(NotObserved::NotProvided { what });
            }
        }
    }
    if mx.notes.iter().any(|note| note == "mx.many") {
        let what = format!("{} mail hosts of {}", hosts.len(), domain.name);
        not_seen.get_or_insert(NotObserved::Limit { what });
    }
    // One host that fails is known to fail whatever the others do.
    let seen = match not_seen {
        Some(reason) if refused.is_empty() => Seen::Unknown(reason),
        Some(_) | None => Seen::Present(StsDelivery { mode: mode.to_owned(), refused }),
    };
    Fact::new(seen, evidence)
}

/// Why a sender would not deliver there; `None` where it would.
fn obstacle(endpoint: &Endpoint, evidence: &mut Vec<EvidenceId>) -> Result<Option<&'static str>, NotObserved> {
    evidence.extend(endpoint.tls.evidence.iter().cloned());
    match &endpoint.tls.seen {
        Seen::Present(true) => {}
        Seen::Present(false) => return Ok(Some("no TLS")),
        Seen::Unknown(reason) => return Err(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => {
            return Err(NotObserved::NotProvided { what: format!("the TLS of {}", endpoint.name) });
        }
    }
    Ok(match &endpoint.certificate.seen {
        Seen::Unknown(reason) => return Err(reason.clone()),
        Seen::Absent | Seen::Malformed(_) => Some("no certificate that can be read"),
        Seen::Present(certificate) if certificate.days_left < 0 => Some("the certificate has expired"),
        Seen::Present(certificate) if certificate.not_yet_valid => Some("the certificate is not valid yet"),
        Seen::Present(certificate) if !certificate.trusted => Some("the certificate leads to no trusted root"),
        Seen::Present(certificate) if !certificate.name_matches => Some("the certificate names another host"),
        Seen::Present(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::https::tests::POLICY;
    use crate::facts::domain::tests::{TIDY, collect, scope};
    use crate::facts::endpoint::tests::good_endpoint;

    async fn domain(policy: &str) -> Domain {
        let collected = collect(scope(), &TIDY, Some(policy)).await;
        crate::facts::domain::build(collected.context()).subjects.remove(0)
    }

    fn delivery(domain: &Domain, endpoints: &[Endpoint]) -> Seen<StsDelivery> {
        let mut domains = [domain.clone()];
        join(&mut domains, endpoints);
        domains[0].mta_sts_delivery.seen.clone()
    }

    #[tokio::test]
    async fn a_host_that_senders_would_refuse_is_named_with_the_reason() {
        let domain = domain(POLICY).await;
        let mut host = good_endpoint();
        host.name = "m.c.example:25".to_owned();
        let nothing = Seen::Present(StsDelivery { mode: "enforce".to_owned(), refused: Vec::new() });
        assert_eq!(delivery(&domain, std::slice::from_ref(&host)), nothing);
        let refused = |host: &Endpoint| match delivery(&domain, std::slice::from_ref(host)) {
            Seen::Present(found) => found.refused,
            other => panic!("{other:?}"),
        };
        let mut expired = host.clone();
        let Seen::Present(certificate) = &mut expired.certificate.seen else { panic!() };
        certificate.days_left = -1;
        assert_eq!(refused(&expired), ["m.c.example: the certificate has expired"]);
        let mut plain = host.clone();
        plain.tls.seen = Seen::Present(false);
        assert_eq!(refused(&plain), ["m.c.example: no TLS"]);
    }

    #[tokio::test]
    async fn a_list_of_hosts_that_was_cut_leaves_it_open() {
        let mut domain = domain(POLICY).await;
        let Seen::Present(mx) = &mut domain.mx.seen else { panic!() };
        mx.notes.push("mx.many".to_owned());
        let mut host = good_endpoint();
        host.name = "m.c.example:25".to_owned();
        assert!(matches!(delivery(&domain, &[host]), Seen::Unknown(NotObserved::Limit { .. })));
    }

    #[tokio::test]
    async fn a_host_nobody_saw_leaves_it_open_and_no_policy_asks_for_nothing() {
        let unseen = delivery(&domain(POLICY).await, &[]);
        assert!(matches!(unseen, Seen::Unknown(NotObserved::NotProvided { .. })), "{unseen:?}");
        let mode_none = POLICY.replace("enforce", "none");
        assert_eq!(delivery(&domain(&mode_none).await, &[]), Seen::Absent);
    }
}
