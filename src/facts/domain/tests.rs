use super::*;
use crate::clock::FixedClock;
use crate::collect::dns::tests::World;
use crate::collect::domain::{ask, ask_partner};
use crate::collect::https::Https;
use crate::collect::https::tests::{POLICY, PolicyHost, ok};
use crate::evidence::declared::Declared;
use crate::evidence::{Evidence, Manifest, Observation, Vantage, Writer};
use crate::facts::shape::Subject;
use crate::files;

/// A scope of one invented domain.
pub(crate) fn scope() -> Declared {
    Declared {
        organization: None,
        authorization: None,
        domains: vec![DeclaredDomain {
            name: "c.example".parse().unwrap(),
            sends: true,
            receives: true,
            selectors: vec!["s1".to_owned()],
        }],
        hosts: Vec::new(),
        portals: Vec::new(),
        partners: Vec::new(),
        vendors: Vec::new(),
        exports: Vec::new(),
        messages: Vec::new(),
        retention: None,
        volumes: Vec::new(),
        answers: None,
        registers: None,
        reports: Vec::new(),
        scope_sha256: String::new(),
    }
}

/// Evidence on disk, and the folder that keeps it.
pub(crate) struct Collected {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) evidence: Evidence,
}

impl Collected {
    pub(crate) fn context(&self) -> Context<'_> {
        Context { evidence: &self.evidence, as_of: self.evidence.as_of() }
    }

    /// The evidence read again after a segment was taken away.
    pub(crate) fn without(self, segment: &str) -> Self {
        std::fs::remove_file(self.folder.path().join(format!("{segment}.jsonl"))).unwrap();
        let evidence = Evidence::read(self.folder.path()).unwrap();
        Self { folder: self.folder, evidence }
    }
}

/// Asks a small world about everything in a scope, and writes down what it said.
pub(crate) async fn collect(scope: Declared, lines: &[&str], policy: Option<&str>) -> Collected {
    collect_with(scope, lines, policy, Vec::new()).await
}

/// The same, with what was seen elsewhere.
pub(crate) async fn collect_with(
    scope: Declared,
    lines: &[&str],
    policy: Option<&str>,
    seen: Vec<Observation>,
) -> Collected {
    let world = World::serve(lines, true).await;
    let host = PolicyHost::serve("mta-sts.c.example", &ok(policy.unwrap_or("")), false).await;
    let mut options = host.options(&world);
    if policy.is_none() {
        options.connect_to[0].to = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    }
    let https = Https::new(&options).unwrap();
    let catalogue = VendorCatalogue::shipped();
    let as_of = FixedClock("2026-10-01T12:00:00Z".parse().unwrap()).0;
    let mut observations = vec![Observation {
        subject: SubjectId::new(SubjectKind::Organization, "Test Clinic"),
        source: Source::Declared,
        question: Question::Declared,
        asked_at: as_of,
        took_ms: 0,
        vantage: "here".to_owned(),
        answer: Ok(Answer::Declared(Box::new(scope.clone()))),
    }];
    for domain in &scope.domains {
        observations.extend(ask(&world.dns(), &https, domain, &Default::default(), &catalogue, &[]).await.observations);
    }
    for partner in &scope.partners {
        observations.extend(ask_partner(&world.dns(), &https, &partner.domain, &[]).await.observations);
    }
    observations.extend(seen);
    let manifest = Manifest {
        schema: 1,
        kind: "evidence".to_owned(),
        tool_version: "0".to_owned(),
        scope_sha256: String::new(),
        vantage: Vantage {
            label: "here".to_owned(),
            resolvers: Vec::new(),
            port_25_reachable: None,
            test_network: vec!["--allow-net 127.0.0.0/8".to_owned()],
        },
        started_at: as_of,
        as_of,
        complete: true,
        segments: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let evidence = Writer::create(folder.path()).unwrap().finish(observations, manifest).unwrap();
    Collected { folder, evidence }
}

pub(crate) const TIDY: [&str; 8] = [
    "c.example SOA x",
    "c.example MX 10 m.c.example.",
    "c.example TXT v=spf1 ip4:192.0.2.1 -all",
    "m.c.example A 127.0.0.2",
    "_dmarc.c.example TXT v=DMARC1; p=reject; rua=mailto:d@c.example",
    "_mta-sts.c.example TXT v=STSv1; id=1",
    "mta-sts.c.example A 127.0.0.3",
    "_smtp._tls.c.example TXT v=TLSRPTv1; rua=mailto:t@c.example",
];

async fn one(lines: &[&str], policy: Option<&str>) -> Domain {
    let collected = collect(scope(), lines, policy).await;
    build(collected.context()).subjects.remove(0)
}

#[tokio::test]
async fn facts_come_from_the_stored_bytes_and_name_their_evidence() {
    let collected = collect(scope(), &TIDY, Some(POLICY)).await;
    let built = build(collected.context());
    let domain = &built.subjects[0];
    assert_eq!(domain.exists.seen, Seen::Present(true));
    assert_eq!(domain.spf.seen.present().unwrap().verdict, "pass");
    assert_eq!(domain.dmarc.seen.present().unwrap().found_at, "c.example");
    let sts = domain.mta_sts.seen.present().unwrap();
    assert_eq!((sts.verdict.as_str(), sts.max_age_days), ("enforce", 14));
    assert_eq!(domain.mx.seen.present().unwrap().verdict, "ok", "the test network counts as public");
    assert_eq!(domain.dnssec.seen, Seen::Present("secure".to_owned()));
    assert_eq!(domain.tls_rpt.seen, Seen::Present("ok".to_owned()));
    assert!(domain.mta_sts.evidence.iter().any(|id| id.segment() == "https.domain"));
    for fact in [&domain.spf.evidence, &domain.dmarc.evidence, &domain.mx.evidence, &domain.dkim.evidence] {
        assert!(!fact.is_empty() && fact.iter().all(|id| id.segment() == "dns.domain"));
    }
    assert_eq!(build(collected.context()), built);
}

#[tokio::test]
async fn without_the_dns_segment_nothing_is_absent() {
    let collected = collect(scope(), &TIDY, Some(POLICY)).await.without("dns.domain");
    let domain = build(collected.context()).subjects.remove(0).encode_subject();
    for (name, fact) in &domain.facts {
        let declared = ["mail_reports", "receives", "sends", "tls_reports"].contains(name);
        assert_eq!(fact.value.is_ok(), declared, "{name}");
    }
}

#[tokio::test]
async fn without_the_https_segment_only_the_policy_is_unknown() {
    let collected = collect(scope(), &TIDY, Some(POLICY)).await.without("https.domain");
    let domain = build(collected.context()).subjects.remove(0);
    assert!(matches!(domain.mta_sts.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
    assert!(domain.spf.seen.present().is_some());
}

#[tokio::test]
async fn what_is_not_there_is_absent() {
    let domain = one(&["c.example SOA x"], None).await;
    assert_eq!(domain.spf.seen, Seen::Absent);
    assert_eq!(domain.dmarc.seen, Seen::Absent);
    assert_eq!(domain.mta_sts.seen, Seen::Absent);
    assert_eq!(domain.tls_rpt.seen, Seen::Absent);
    assert_eq!(domain.mx.seen, Seen::Absent);
    assert_eq!(domain.dkim.seen, Seen::Absent);
}

#[tokio::test]
async fn a_selector_nobody_found_leaves_dkim_open() {
    let domain = one(&["c.example SOA x", "x._domainkey.c.example TXT hello"], None).await;
    assert!(matches!(domain.dkim.seen, Seen::Unknown(NotObserved::NotProvided { .. })), "{:?}", domain.dkim.seen);
}

#[tokio::test]
async fn a_failing_include_leaves_spf_open_unless_it_is_decided() {
    let domain = one(&["c.example TXT v=spf1 include:v.example -all", "v.example TXT !fail"], None).await;
    assert!(matches!(domain.spf.seen, Seen::Unknown(NotObserved::Refused { .. })));
    let domain = one(&["c.example TXT v=spf1 include:v.example +all", "v.example TXT !fail"], None).await;
    assert_eq!(domain.spf.seen.present().unwrap().verdict, "pass-open");
}

#[tokio::test]
async fn a_policy_host_that_refuses_leaves_it_open_and_a_bad_policy_does_not() {
    let domain = one(&TIDY, None).await;
    assert!(matches!(domain.mta_sts.seen, Seen::Unknown(NotObserved::Refused { .. })), "{:?}", domain.mta_sts.seen);
    let domain = one(&TIDY, Some("version: STSv1\n")).await;
    assert_eq!(domain.mta_sts.seen.present().unwrap().verdict, "invalid");
}

#[tokio::test]
async fn an_unusable_dmarc_record_is_malformed() {
    let domain = one(&["c.example SOA x", "_dmarc.c.example TXT v=DMARC1; p=block"], None).await;
    assert!(matches!(domain.dmarc.seen, Seen::Malformed(_)));
}

fn reported(id: &str, aligned: u64, unaligned: u64) -> Observation {
    use crate::evidence::authentication::{AggregateReport, MessageCounts, ReportedSelector, ReportedSource};
    let counts = MessageCounts { aligned, unaligned, ..MessageCounts::default() };
    Observation {
        subject: SubjectId::new(SubjectKind::Domain, "c.example"),
        source: Source::Authentication,
        question: Question::AggregateReport { label: format!("reports/{id}.xml") },
        asked_at: "2026-10-01T12:00:00Z".parse().unwrap(),
        took_ms: 0,
        vantage: "here".to_owned(),
        answer: Ok(Answer::AggregateReport(Box::new(AggregateReport {
            sha256: String::new(),
            organization: "Receiver".to_owned(),
            id: id.to_owned(),
            begin: 1_790_640_000,
            end: 1_790_726_399,
            counts,
            sources: vec![ReportedSource {
                address: "192.0.2.1".parse().unwrap(),
                counts,
                signed_for: vec!["c.example".to_owned(), "v.example".to_owned()],
                sent_for: Vec::new(),
            }],
            sources_left_out: 0,
            selectors: vec![ReportedSelector { selector: "k9".to_owned(), passed: aligned, failed: 0 }],
            rows_not_read: 0,
        }))),
    }
}

#[tokio::test]
async fn reports_say_how_much_passed_and_which_selectors_to_read() {
    let key = format!("k9._domainkey.c.example TXT {}", records::dkim::tests::rsa_record(2048));
    let seen = vec![reported("1", 5, 2), reported("1", 5, 2), reported("2", 1, 0)];
    let mut lines = TIDY.to_vec();
    lines.push(&key);
    // Nobody asked for the selector when DNS was asked, so its key is not in the evidence yet.
    let collected = collect_with(scope(), &lines, Some(POLICY), seen).await;
    let domain = build(collected.context()).subjects.remove(0);
    let reports = domain.mail_reports.seen.present().unwrap();
    assert_eq!((reports.reports, reports.messages, reports.aligned, reports.unaligned), (2, 8, 6, 2));
    assert_eq!(
        (reports.first_day.as_str(), reports.passed_for.as_slice()),
        ("2026-09-29", &["v.example".to_owned()][..])
    );
    assert_eq!(domain.mail_reports.evidence.len(), 3);
}

#[tokio::test]
async fn reports_that_were_not_given_are_absent_and_those_not_read_are_unknown() {
    assert_eq!(one(&TIDY, Some(POLICY)).await.mail_reports.seen, Seen::Absent);
    let declared = Declared { reports: vec!["reports".to_owned()], ..scope() };
    let collected = collect(declared.clone(), &TIDY, Some(POLICY)).await;
    let domain = build(collected.context()).subjects.remove(0);
    assert!(matches!(domain.mail_reports.seen, Seen::Unknown(NotObserved::NotProvided { .. })));
    let refused = Observation {
        subject: SubjectId::new(SubjectKind::ExportFile, "reports/x.gz"),
        answer: Err(NotObserved::Unreadable { why: "it cannot be unpacked".to_owned(), line: None }),
        ..reported("x", 1, 1)
    };
    let noted = Observation {
        question: Question::ReportFile { label: "reports: mail".to_owned() },
        answer: Ok(Answer::ReportMail(crate::evidence::authentication::ReportMail::default())),
        ..refused.clone()
    };
    let collected = collect_with(declared.clone(), &TIDY, Some(POLICY), vec![refused.clone(), noted]).await;
    let domain = build(collected.context()).subjects.remove(0);
    assert!(matches!(domain.mail_reports.seen, Seen::Unknown(NotObserved::Unreadable { .. })));
    assert_eq!(domain.tls_reports.seen, Seen::Absent, "a file that is told apart is one of mail");
    let collected = collect_with(declared, &TIDY, Some(POLICY), vec![refused]).await;
    let domain = build(collected.context()).subjects.remove(0);
    assert!(matches!(domain.mail_reports.seen, Seen::Unknown(NotObserved::Unreadable { .. })));
    // Collections that knew no TLS reports told every file so.
    assert!(matches!(domain.tls_reports.seen, Seen::Unknown(NotObserved::Unreadable { .. })));
}

#[tokio::test]
async fn facts_and_report_say_the_same_of_files_not_read_and_of_old_reports() {
    let file = |answer| Observation {
        subject: SubjectId::new(SubjectKind::ExportFile, "reports/x.gz"),
        question: Question::ReportFile { label: "reports/x.gz".to_owned() },
        answer,
        ..reported("x", 1, 1)
    };
    let broken = file(Err(NotObserved::Unreadable { why: "it cannot be unpacked".to_owned(), line: None }));
    let searched =
        file(Ok(Answer::ReportMail(crate::evidence::authentication::ReportMail { mails: 5, without_report: 2 })));
    let seen = vec![reported("1", 5, 0), broken, searched];
    let mut collected = collect_with(scope(), &TIDY, Some(POLICY), seen).await;
    let as_of = "2026-12-15T12:00:00Z".parse().unwrap();
    let domain = build(Context { evidence: &collected.evidence, as_of }).subjects.remove(0);
    let facts = domain.mail_reports.seen.present().unwrap();
    assert_eq!((facts.files_not_read, facts.days_since_last), (1, 76));
    assert!(matches!(domain.tls_reports.seen, Seen::Unknown(NotObserved::Unreadable { .. })));

    let (told, mail) = crate::report::json::v1::reported::reported(&collected.evidence, as_of);
    let told_mail = told[0].mail.as_ref().unwrap();
    assert_eq!((told_mail.files_not_read, told_mail.days_since_last), (1, Some(76)));
    assert_eq!((told_mail.period_days, told_mail.periods.len()), (7, 1));
    assert_eq!(told[0].mail_not_known, None);
    assert!(told[0].tls_not_known.as_ref().unwrap().contains("cannot be unpacked"), "{told:?}");
    assert_eq!(mail.map(|mail| (mail.mails, mail.without_report)), Some((5, 2)));

    collected = collected.without("authentication.domain");
    let (told, _) = crate::report::json::v1::reported::reported(&collected.evidence, as_of);
    assert!(told[0].mail.is_none() && told[0].mail_not_known.is_some(), "what was taken away is not known: {told:?}");
}

#[tokio::test]
async fn evidence_without_a_scope_has_no_complete_list_of_domains() {
    let collected = collect(scope(), &TIDY, Some(POLICY)).await.without("declared.organization");
    let built = build(collected.context());
    assert!(built.subjects.is_empty() && matches!(built.collection, Collection::Incomplete(_)));
    files::read_bounded(&collected.folder.path().join("manifest.json"), 1 << 20).unwrap();
}
