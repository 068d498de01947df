use super::*;
use crate::collect::dns::tests::World;
use crate::collect::https::tests::{POLICY, PolicyHost, ok};
use crate::evidence::Question;
use crate::records::dkim::tests::rsa_record;
use crate::report::probe::domain::DomainProbe;

fn declared(selectors: &[&str]) -> DeclaredDomain {
    DeclaredDomain {
        name: "c.example".parse().unwrap(),
        sends: true,
        receives: true,
        selectors: selectors.iter().map(|selector| (*selector).to_owned()).collect(),
    }
}

async fn probe(lines: &[&str], policy: &str, selectors: &[&str]) -> DomainProbe {
    let world = World::serve(lines, true).await;
    let host = PolicyHost::serve("mta-sts.c.example", policy, false).await;
    let https = Https::new(&host.options(&world)).unwrap();
    let catalogue = VendorCatalogue::shipped();
    let declared = declared(selectors);
    let asked = ask(&world.dns(), &https, &declared, &SeenSelectors::new(), &catalogue, &[]).await;
    DomainProbe::new(
        &declared,
        &SeenSelectors::new(),
        &asked.observations,
        &asked.answers,
        &catalogue,
        &|_| false,
        &Chains::new(),
    )
}

const TIDY: [&str; 12] = [
    "c.example SOA x",
    "c.example MX 10 m.c.example.",
    "c.example TXT v=spf1 include:spf.v.example -all",
    "spf.v.example TXT v=spf1 ip4:192.0.2.0/24 -all",
    "m.c.example A 192.0.2.1",
    "_dmarc.c.example TXT v=DMARC1; p=reject; rua=mailto:d@c.example",
    "_mta-sts.c.example TXT v=STSv1; id=1",
    "mta-sts.c.example A 192.0.2.9",
    "_smtp._tls.c.example TXT v=TLSRPTv1; rua=mailto:t@c.example",
    "autodiscover.c.example CNAME autodiscover.outlook.com",
    "s1._domainkey.c.example CNAME s1.dkim.v.example",
    "v.example SOA x",
];

#[tokio::test]
async fn a_tidy_domain_is_read_whole() {
    let key = format!("s1.dkim.v.example TXT {}", {
        let record = rsa_record(2048);
        let (left, right) = record.split_at(200);
        format!("{left} | {right}")
    });
    let lines: Vec<&str> = TIDY.iter().copied().chain([key.as_str()]).collect();
    let found = probe(&lines, &ok(POLICY), &["s1"]).await;
    let verdicts = &found.verdicts;
    assert_eq!(
        [verdicts.spf, verdicts.dmarc, verdicts.dkim, verdicts.mta_sts, verdicts.tls_rpt, verdicts.mx],
        ["pass", "reject", "ok", "enforce", "ok", "ok"],
        "{:#?}",
        found.notes
    );
    assert_eq!([verdicts.dane, verdicts.dnssec, verdicts.sending, verdicts.resolve], ["absent", "secure", "yes", "ok"]);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    assert_eq!(found.vendors[0].id, "microsoft365");
    assert!(found.queries < 40, "{}", found.queries);
}

#[tokio::test]
async fn a_domain_that_does_not_exist_is_soon_done() {
    let found = probe(&["other.example SOA x"], "", &[]).await;
    let verdicts = &found.verdicts;
    assert_eq!(
        [verdicts.resolve, verdicts.spf, verdicts.mx, verdicts.dkim],
        ["nxdomain", "missing", "missing", "absent"]
    );
}

#[tokio::test]
async fn a_broken_zone_is_never_missing_anything() {
    let lines = [
        "c.example SOA !fail",
        "c.example MX !fail",
        "c.example TXT !fail",
        "_dmarc.c.example TXT !fail",
        "_domainkey.c.example TXT !fail",
        "_mta-sts.c.example TXT !fail",
        "_smtp._tls.c.example TXT !fail",
    ];
    let found = probe(&lines, "", &[]).await;
    let verdicts = &found.verdicts;
    assert_eq!([verdicts.spf, verdicts.mx, verdicts.dmarc, verdicts.mta_sts, verdicts.tls_rpt], ["error"; 5]);
    assert_eq!([verdicts.resolve, verdicts.dkim, verdicts.dnssec], ["servfail", "unknown", "indeterminate"]);
    assert_eq!(verdicts.dane, "error", "nobody knows which hosts to ask about");
    assert!(found.queries < 20, "guessing goes on: {}", found.queries);
    assert!(!found.notes.iter().any(|note| note.code.ends_with(".missing")), "{:?}", found.notes);
}

#[tokio::test]
async fn a_bogus_zone_says_nothing_but_that() {
    let found = probe(&["c.example SOA !bogus", "c.example TXT !bogus", "c.example MX !bogus"], "", &[]).await;
    assert_eq!([found.verdicts.dnssec, found.verdicts.spf, found.verdicts.resolve], ["bogus", "error", "servfail"]);
}

#[tokio::test]
async fn a_bound_that_ends_the_asking_is_told_as_the_reason() {
    let selectors: Vec<String> = (0..300).map(|index| format!("s{index}")).collect();
    let lines =
        ["c.example TXT v=spf1 include:v.example -all", "v.example TXT v=spf1 -all", "x._domainkey.c.example TXT a"];
    let found = probe(&lines, "", &selectors.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(found.verdicts.spf, "error", "{:?}", found.notes);
    let told =
        |what: &str| found.notes.iter().any(|note| note.code == "dns.lookup_failed" && note.detail.contains(what));
    assert!(told("300 questions about one domain"), "{:?}", found.notes);
}

#[tokio::test]
async fn every_question_is_asked_once_and_the_tree_ends() {
    let mut lines: Vec<String> = vec!["c.example TXT v=spf1 include:a0.example include:a1.example -all".to_owned()];
    for index in 0..60 {
        let (left, right) = (2 * index + 2, 2 * index + 3);
        lines.push(format!("a{index}.example TXT v=spf1 include:a{left}.example include:a{right}.example -all"));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let world = World::serve(&lines, true).await;
    let https = Https::new(&world.options()).unwrap();
    let asked =
        ask(&world.dns(), &https, &declared(&["s1"]), &SeenSelectors::new(), &VendorCatalogue::shipped(), &[]).await;
    let questions: Vec<&Question> = asked.observations.iter().map(|observation| &observation.question).collect();
    let mut once = questions.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), questions.len());
    let tree = questions
        .iter()
        .filter(|question| matches!(question, Question::Dns { name, .. } if name.starts_with('a') && name.len() < 13))
        .count();
    // A full binary tree is asked level by level until it is sure to be an error.
    assert!(tree <= 40, "{tree}");
}

#[tokio::test]
async fn a_partner_is_asked_about_delivery_only() {
    let world = World::serve(&TIDY, true).await;
    let host = PolicyHost::serve("mta-sts.c.example", &ok(POLICY), false).await;
    let https = Https::new(&host.options(&world)).unwrap();
    let asked = ask_partner(&world.dns(), &https, &"c.example".parse().unwrap(), &[]).await;
    assert_eq!(asked.mail_hosts, ["m.c.example".parse().unwrap()]);
    assert_eq!(asked.policy_host.unwrap().as_str(), "mta-sts.c.example");
    assert!(asked.observations.iter().all(|observation| observation.subject.kind == SubjectKind::Partner));
    assert!(asked.observations.len() < 12);
}
