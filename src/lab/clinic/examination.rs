//! The clinic examined from end to end: what was planted is found.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Quarter;
use crate::assess::{Judgement, assess};
use crate::checks::Catalog;
use crate::clock::FixedClock;
use crate::collect::messages::PdfReader;
use crate::collect::{self, Area, Request};
use crate::facts::Facts;
use crate::finding::Outcome;
use crate::lab::demo;
use crate::lab::expected::{Conclusion, planted};
use crate::scope::Scope;

async fn examined(quarter: Quarter, catalog: &Catalog) -> Judgement {
    let folder = tempfile::tempdir().unwrap();
    demo::lay_out(quarter, folder.path()).unwrap();
    let lab = demo::start(quarter).await.unwrap();
    let network = lab.network(&folder.path().join("lab")).unwrap();
    let scope = Scope::read(&folder.path().join(demo::SCOPE), quarter.day()).unwrap();
    let request = Request {
        scope: &scope,
        network: Arc::new(network),
        areas: &Area::ALL,
        folder: &folder.path().join("evidence"),
        earlier: None,
        pdf: PdfReader::none(),
        roster: None,
        sample: None,
        clock: Arc::new(FixedClock(quarter.as_of())),
        key: b"a key of the test",
        progress: &|_| {},
    };
    let collected = collect::collect(&request).await.unwrap();
    assess(catalog, &Facts::from_evidence(&collected.evidence, quarter.as_of())).unwrap()
}

/// Every conclusion: check, subject, what was concluded.
fn conclusions(judged: &Judgement) -> BTreeSet<(&str, &str, Conclusion)> {
    let found = judged.findings.iter().filter_map(|finding| {
        let conclusion = match &finding.outcome {
            Outcome::Fail => Conclusion::Fail,
            Outcome::NeedsReview { .. } => Conclusion::NeedsReview,
            Outcome::NotApplicable { .. } => return None,
            Outcome::NotAssessed(_) => Conclusion::NotAssessed,
            Outcome::Pass => Conclusion::Pass,
        };
        Some((finding.check.as_str(), finding.subject.name.as_str(), conclusion))
    });
    let passed = judged.passed.iter().flat_map(|passed| {
        passed.subjects.iter().map(|subject| (passed.check.as_str(), subject.as_str(), Conclusion::Pass))
    });
    found.chain(passed).collect()
}

async fn finds_what_was_planted(quarter: Quarter) {
    let catalog = Catalog::built_in().unwrap();
    let judged = examined(quarter, &catalog).await;
    let conclusions = conclusions(&judged);
    let is = |planted: &str, found: &str| found == planted || planted.ends_with('/') && found.starts_with(planted);
    let missed: Vec<String> = planted(quarter)
        .into_iter()
        .filter(|planted| {
            let found = conclusions.iter().any(|(check, subject, conclusion)| {
                planted.check == *check && planted.conclusion == *conclusion && is(planted.subject, subject)
            });
            !found
        })
        .map(|planted| {
            let about: Vec<_> = conclusions
                .iter()
                .filter(|(check, subject, _)| planted.check == *check && is(planted.subject, subject))
                .map(|(_, _, conclusion)| conclusion)
                .collect();
            format!("{planted:?}, found {about:?}")
        })
        .collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test]
async fn the_second_quarter_is_found_as_planted() {
    finds_what_was_planted(Quarter::Second).await;
}

#[tokio::test]
async fn the_third_quarter_is_found_as_planted() {
    finds_what_was_planted(Quarter::Third).await;
}
