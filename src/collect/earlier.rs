//! Takes what services said from an earlier collection, so that no host is asked twice in a day.
//!
//! Whole answers only, as they were kept and with the moment they came: a host that did not answer, or not
//! to everything that is asked now, is asked again.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};

use super::service::{Mode, ServiceTarget};
use crate::evidence::{Answer, Evidence, Observation, Question, Source};
use crate::names::SubjectId;

/// What is older than this is asked again.
const HOURS: i64 = 24;

/// Answers of services that need not be asked again.
#[derive(Debug, Default)]
pub struct Earlier {
    by_service: BTreeMap<SubjectId, Vec<Observation>>,
}

impl Earlier {
    /// The answers of the last day before `now`. Nothing is taken that was asked from another vantage point
    /// than `vantage`, or with other test-network options than `test_network`: it may look different there.
    pub fn of(evidence: &Evidence, vantage: &str, test_network: &[String], now: Timestamp) -> Self {
        let mut by_service: BTreeMap<SubjectId, Vec<Observation>> = BTreeMap::new();
        let mut asked_from = evidence.manifests.iter().map(|manifest| &manifest.vantage);
        let same_place = asked_from.all(|from| from.label == vantage && from.test_network == test_network);
        let oldest = now.checked_sub(HOURS.hours()).unwrap_or(Timestamp::MIN);
        for (_, observation) in evidence.from(Source::Service).filter(|_| same_place) {
            by_service.entry(observation.subject.clone()).or_default().push(observation.clone());
        }
        by_service.retain(|_, all| all.iter().all(|one| (oldest..=now).contains(&one.asked_at)));
        Self { by_service }
    }

    /// What a service said at each of its addresses; empty where it must be asked.
    pub fn answers(&self, target: &ServiceTarget, mode: Mode) -> &[Observation] {
        let all = self.by_service.get(&target.subject()).map(Vec::as_slice).unwrap_or_default();
        if all.iter().all(|observation| answers(observation, target, mode)) { all } else { &[] }
    }
}

fn answers(observation: &Observation, target: &ServiceTarget, mode: Mode) -> bool {
    let Question::Endpoint { port, starttls, role, operated_by, .. } = &observation.question else { return false };
    let Ok(Answer::Endpoint(answer)) = &observation.answer else { return false };
    (*port, starttls.as_str(), role.as_str()) == (target.port, target.starttls.as_str(), target.role.as_str())
        && *operated_by == target.operated_by
        && answer.server_name == target.server_name.trim_end_matches('.')
        && answer.mode == mode.as_str()
        && answer.cut_short.is_none()
        && (answer.injection == "not-tested") != target.active_probes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::service::StartTls;
    use crate::evidence::endpoint::EndpointAnswer;
    use crate::evidence::{Vantage, Writer};
    use crate::facts::endpoint::tests::{good_answer, observation};
    use crate::seen::NotObserved;

    fn now() -> Timestamp {
        "2026-11-02T10:00:00Z".parse().unwrap()
    }

    fn earlier(observations: Vec<Observation>, vantage: &Vantage) -> Earlier {
        let folder = tempfile::tempdir().unwrap();
        let manifest = crate::evidence::tests::manifest();
        let evidence = Writer::create(folder.path()).unwrap().finish(observations, manifest).unwrap();
        Earlier::of(&evidence, &vantage.label, &vantage.test_network, now())
    }

    fn asked(hours_ago: i64, address: &str, answer: Result<EndpointAnswer, NotObserved>) -> Observation {
        Observation { asked_at: now() - hours_ago.hours(), ..observation(address, answer) }
    }

    fn target() -> ServiceTarget {
        ServiceTarget {
            starttls: StartTls::Smtp,
            operated_by: "us".to_owned(),
            ..ServiceTarget::new("mx.clinic.example", Vec::new(), 25)
        }
    }

    #[test]
    fn what_a_service_said_today_is_not_asked_again() {
        let own = crate::evidence::tests::manifest().vantage;
        let good = || asked(23, "192.0.2.1", Ok(good_answer()));
        assert_eq!(earlier(vec![good()], &own).answers(&target(), Mode::Full).len(), 1);
        let elsewhere = Vantage { label: "elsewhere".to_owned(), ..own.clone() };
        let other_network = Vantage { test_network: vec!["--ca-file".to_owned()], ..own.clone() };
        for other in [elsewhere, other_network] {
            assert!(earlier(vec![good()], &other).answers(&target(), Mode::Full).is_empty());
        }
        let yesterday = earlier(vec![asked(25, "192.0.2.1", Ok(good_answer()))], &own);
        assert!(yesterday.answers(&target(), Mode::Full).is_empty());
    }

    #[test]
    fn whoever_left_something_open_is_asked_again() {
        let own = crate::evidence::tests::manifest().vantage;
        let silent = Err(NotObserved::TimedOut { after_ms: 5 });
        let half = vec![asked(1, "192.0.2.1", Ok(good_answer())), asked(1, "192.0.2.2", silent)];
        assert!(earlier(half, &own).answers(&target(), Mode::Full).is_empty());
        let whole = earlier(vec![asked(1, "192.0.2.1", Ok(good_answer()))], &own);
        assert!(whole.answers(&target(), Mode::Verdict).is_empty(), "another look");
        let probed = ServiceTarget { active_probes: true, ..target() };
        assert!(whole.answers(&probed, Mode::Full).is_empty(), "another question");
        let cut = EndpointAnswer { cut_short: Some(NotObserved::Interrupted), ..good_answer() };
        assert!(earlier(vec![asked(1, "192.0.2.1", Ok(cut))], &own).answers(&target(), Mode::Full).is_empty());
    }
}
