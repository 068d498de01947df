//! How fast a risk analysis is made again: 300 risks over 10,000 findings, and 1,000 mailboxes with
//! rights over each other and every change to them tried.
//!
//! `cargo bench --bench risk` builds an invented organization in memory, analyses it ten times and
//! prints the slowest and the middle time. The target is 2 s on 2 cores.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench stops where it fails")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use mailassay::assess::{CheckCoverage, CoverageState, Grade, Judgement, Passed};
use mailassay::checks::Catalog;
use mailassay::evidence::{EvidenceId, Manifest, Vantage, Writer};
use mailassay::facts::content_folder::ContentFolder;
use mailassay::facts::forwarding_rule::ForwardingRule;
use mailassay::facts::mailbox::{Forwarding, Mailbox};
use mailassay::facts::shape::Fact;
use mailassay::facts::{Built, Facts};
use mailassay::finding::{Disposition, Finding, Fingerprint, Gap, Message, Outcome};
use mailassay::names::{SubjectId, SubjectKind};
use mailassay::risk::{self, Model, Source};
use mailassay::seen::{NotObserved, Seen};

const MAILBOXES: usize = 1_000;
const FINDINGS: usize = 10_000;
const RUNS: usize = 10;
const TARGET: Duration = Duration::from_secs(2);

fn address(number: usize) -> String {
    format!("m{number:04}@clinic.example")
}

fn present<T>(value: T) -> Fact<T> {
    Fact::present(value, vec![EvidenceId::new("export.mailbox", 1)])
}

fn unknown<T>() -> Fact<T> {
    Fact::unknown(NotObserved::Interrupted)
}

/// Every hundredth mailbox is an administrator's, and nobody else's.
const fn administers(number: usize) -> bool {
    number.is_multiple_of(100)
}

/// Who may open a mailbox whole, some of its folders, and send in its name: every other mailbox but
/// the administrators' can be come to from every other, in a graph full of cycles, so that nothing
/// but following the rights bounds what opens.
fn holders(number: usize) -> [Vec<usize>; 3] {
    if administers(number) {
        return Default::default();
    }
    let others = |steps: &[usize]| -> Vec<usize> {
        let others = steps.iter().map(|step| (number + step) % MAILBOXES);
        others
            .map(|other| if administers(other) { other + 1 } else { other })
            .filter(|&other| other != number)
            .collect()
    };
    [others(&[1, number * 7 + 1, number * 13 + 5]), others(&[number * 3 + 2]), others(&[number * 5 + 3])]
}

/// Rights followed over all mailboxes, counted here without the model: each right of each mailbox
/// that opens from one.
fn rights_followed() -> usize {
    let mut opens = vec![Vec::new(); MAILBOXES];
    for number in 0..MAILBOXES {
        for holder in holders(number).concat() {
            opens[holder].push(number);
        }
    }
    let followed = |from: usize| {
        let (mut seen, mut open, mut count) = (vec![false; MAILBOXES], vec![from], 0);
        seen[from] = true;
        while let Some(at) = open.pop() {
            count += opens[at].len();
            for &other in &opens[at] {
                if !std::mem::replace(&mut seen[other], true) {
                    open.push(other);
                }
            }
        }
        count
    };
    (0..MAILBOXES).filter(|number| !administers(*number)).map(followed).sum()
}

fn mailbox(number: usize) -> Mailbox {
    let [open, look, send] = holders(number).map(|all| all.into_iter().map(address).collect::<Vec<_>>());
    let forwarding = Forwarding { target_class: "external".to_owned(), target_domain: "bookkeeper.example".to_owned() };
    let forwards = if number.is_multiple_of(50) { Seen::Present(forwarding) } else { Seen::Absent };
    Mailbox {
        name: address(number),
        provider: present("microsoft365".to_owned()),
        mailbox_kind: present("user".to_owned()),
        enabled: present(true),
        sign_in: present("allowed".to_owned()),
        administrator: present(administers(number)),
        holds_phi: present(number.is_multiple_of(3)),
        mfa_registered: present(!number.is_multiple_of(9)),
        mfa_enforced: present(number.is_multiple_of(2)),
        forwarding_by_address: Fact::new(forwards.clone(), vec![EvidenceId::new("export.mailbox", number + 1)]),
        forwarding_by_entry: Fact::new(Seen::Absent, vec![EvidenceId::new("export.mailbox", number + 1)]),
        forwarding: Fact::new(forwards, vec![EvidenceId::new("export.mailbox", number + 1)]),
        forwarding_keeps_copy: unknown(),
        audited: present(true),
        audit_bypassed: present(false),
        retention_policy: present(true),
        retention_suspended: present(false),
        litigation_hold: present(false),
        litigation_hold_days: present(36500),
        imap: present(number.is_multiple_of(5)),
        pop: present(false),
        smtp_auth: present(false),
        full_access_holders: present(3),
        full_access_outside: present(Vec::new()),
        full_access_former: present(Vec::new()),
        send_as_holders: present(1),
        delegates: unknown(),
        opened_by: present(open),
        opened_by_others: present(0),
        folders_opened_by: present(look),
        folders_opened_by_others: present(0),
        sent_as_by: present(send),
        declared_individuals_lower: unknown(),
        declared_individuals_upper: unknown(),
        open_folders: present(Vec::new()),
        mfa_strength: present("app".to_owned()),
        days_without_sign_in: present(1),
        sign_in_told: present(true),
        audit_lacks: present(Vec::new()),
        audit_days: present(90),
        deleted_items_days: present(14),
        single_item_recovery: present(true),
        sent_as_copied: present(true),
        oldest_item_days: present(400),
        retention_limit_days: present(1_095),
        holds_records: present(false),
        record_minimum_days: unknown(),
        deleted_after_days: present(0),
    }
}

/// Two rules a mailbox; one in twenty sends outside.
fn rule(number: usize) -> ForwardingRule {
    let outside = number.is_multiple_of(20);
    ForwardingRule {
        name: format!("{}/{number:012x}", address(number / 2)),
        mailbox: present(address(number / 2)),
        origin: present("inbox".to_owned()),
        mailbox_listed: present(true),
        enabled: present(!number.is_multiple_of(7)),
        actions: present(vec![if outside { "redirect" } else { "move" }.to_owned()]),
        target_class: present(if outside { "consumer-webmail" } else { "none" }.to_owned()),
        target_domains: present(if outside { vec!["webmail.example".to_owned()] } else { Vec::new() }),
        deletes: present(false),
        hides: present(false),
        conceals: present(false),
        score: present(0),
        score_level: present("none".to_owned()),
        score_parts: present(Vec::new()),
        alike: present(String::new()),
        has_conditions: present(true),
        keywords: present(Vec::new()),
        name_class: present("plain".to_owned()),
        readable: present(true),
        skips_filter: unknown(),
        route: present("none".to_owned()),
    }
}

fn folder(number: usize) -> ContentFolder {
    let people = (number * 37 % 4_000) as i64;
    ContentFolder {
        name: format!("{}/Inbox", address(number)),
        mailbox: present(address(number)),
        messages: present(5_000),
        phi_messages: present(people),
        review_messages: present(10),
        oldest_phi_days: present(2_000),
        undated_phi_messages: present(0),
        limit_days: present(1_095),
        not_inspected: present(0),
        not_inspected_because: present(Vec::new()),
        individuals_lower: present(people / 2),
        individuals_upper: present(people),
        within_a_year_lower: present(people / 10),
        within_a_year_upper: present(people / 5),
        sensitive_kinds: present(Vec::new()),
        phi_in_subjects: present(0),
        phi_in_file_names: present(0),
        phi_in_invitations: present(0),
        phi_in_automatic_replies: present(0),
        phi_to_many: present(0),
        phi_to_consumer_webmail: present(0),
        phi_to_many_consumers: present(0),
        phi_to_outside: present(0),
        phi_of_many_people: present(0),
        large_phi_messages: present(0),
        phi_in_several_parts: present(0),
        passwords_beside_attachments: present(0),
        protections: present(Vec::new()),
        weak_protections: present(Vec::new()),
        unclear_protections: present(Vec::new()),
        folder_kind: present("other".to_owned()),
        declared_phi: present(true),
    }
}

fn facts() -> Facts {
    let folder_of_evidence = tempfile::tempdir().unwrap();
    let as_of = "2026-10-01T12:00:00Z".parse().unwrap();
    let vantage =
        Vantage { label: "bench".to_owned(), resolvers: Vec::new(), port_25_reachable: None, test_network: Vec::new() };
    let manifest = Manifest {
        schema: 1,
        kind: "evidence".to_owned(),
        tool_version: "0".to_owned(),
        scope_sha256: String::new(),
        vantage,
        started_at: as_of,
        as_of,
        complete: true,
        segments: Vec::new(),
    };
    let writer = Writer::create(&folder_of_evidence.path().join("evidence")).unwrap();
    let evidence = writer.finish(Vec::new(), manifest).unwrap();
    let mut facts = Facts::from_evidence(&evidence, as_of);
    facts.mailboxes = Built::complete((0..MAILBOXES).map(mailbox).collect());
    facts.forwarding_rules = Built::complete((0..2 * MAILBOXES).map(rule).collect());
    facts.content_folders = Built::complete((0..MAILBOXES).map(folder).collect());
    facts
}

/// The shipped scenarios ten times over, under other names.
fn model(catalog: &Catalog) -> Model {
    let shipped = include_str!("../checks/risk-model/scenarios.yaml");
    let (head, scenarios) = shipped.split_once("\nscenarios:\n").unwrap();
    let mut text = format!("{head}\nscenarios:\n");
    for copy in 0..10 {
        text.push_str(&scenarios.replace("  - id: ", &format!("  - id: copy-{copy}-")));
    }
    let known = catalog.checks.keys().map(String::as_str).collect();
    let model = Source { file: Path::new("model.yaml"), text: include_str!("../checks/risk-model/model.yaml") };
    Model::read(model, Source { file: Path::new("scenarios.yaml"), text: &text }, &known).unwrap()
}

fn judgement(catalog: &Catalog) -> Judgement {
    let mut judgement = Judgement { findings: Vec::new(), passed: Vec::new(), coverage: BTreeMap::new() };
    let each = FINDINGS.div_ceil(catalog.checks.len());
    for check in catalog.checks.values() {
        for number in 0..each {
            let name =
                if check.subject == SubjectKind::Mailbox { address(number) } else { format!("subject-{number}") };
            let subject = SubjectId::new(check.subject, name);
            let missing = Gap {
                missing: Vec::new(),
                because: NotObserved::Interrupted,
                to_close: format!("Provide what {} waits for.", check.id),
            };
            judgement.findings.push(Finding {
                check: check.id.clone(),
                fingerprint: Fingerprint::of(&check.id, &subject, ""),
                subject,
                outcome: if number.is_multiple_of(3) { Outcome::NotAssessed(missing) } else { Outcome::Fail },
                severity: check.severity,
                message: Message { template: String::new(), values: BTreeMap::new().into() },
                evidence: vec![EvidenceId::new("export.mailbox", number + 1)],
                disposition: Disposition::Open,
            });
        }
        judgement.passed.push(Passed {
            check: check.id.clone(),
            count: 900,
            subjects: Vec::new(),
            evidence: vec![EvidenceId::new("export.mailbox", 1)],
            evidence_sha256: String::new(),
            grade: Grade::B,
        });
        let not_assessed = (0..each).filter(|number| number.is_multiple_of(3)).count();
        judgement.coverage.insert(
            check.id.clone(),
            CheckCoverage {
                area: check.area.clone(),
                subject: check.subject,
                state: CoverageState::PartlyAssessed,
                passed: 900,
                failed: each - not_assessed,
                needs_review: 0,
                not_assessed,
                not_applicable: 0,
                because: None,
                grade: Grade::B,
            },
        );
    }
    judgement
}

fn main() {
    let catalog = Catalog::built_in().unwrap_or_else(|error| panic!("{error}"));
    let (model, cards, judgement, facts) = (model(&catalog), risk::cards(&catalog), judgement(&catalog), facts());
    let today = jiff::civil::date(2026, 10, 1);
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let analysis = risk::analyse(&model, &cards, &judgement, &facts, today);
        times.push(began.elapsed());
        if times.len() == 1 {
            let changes: usize = analysis.exposure.iter().map(|row| row.changes.len()).sum();
            println!(
                "{} risks, {} findings, {} items of the plan, {} mailboxes, {changes} changes tried that make a difference",
                analysis.risks.len(),
                judgement.findings.len(),
                analysis.plan.len(),
                analysis.exposure.len()
            );
            let opened: usize = analysis.exposure.iter().map(|row| row.opens_at_most).sum();
            let leaving =
                analysis.exposure.iter().filter(|row| row.leaves_to.as_ref().is_some_and(|to| !to.is_empty()));
            println!(
                "{} rights followed, {opened} openings of one mailbox from another, {} mailboxes whose mail goes outside",
                rights_followed(),
                leaving.count()
            );
        }
    }
    times.sort();
    let (middle, slowest) = (times[RUNS / 2], times[RUNS - 1]);
    println!("the whole analysis: middle {middle:.0?}, slowest {slowest:.0?} of {RUNS} runs; target {TARGET:.0?}");
    if slowest > TARGET {
        println!("the target is missed");
    }
}
