use jiff::civil::date;

use super::*;
use crate::checks::Catalog;

const GOOD: &str = "schema: 1
approvers:
  - { name: Ana Ruiz, role: Security Official, accepts_up_to: moderate }
  - { name: Lee Park, role: Chief Executive, accepts_up_to: very-high }
  - { name: Kim Doe, role: Office Manager }
appetite: { level: moderate, by: Lee Park, on: 2026-01-10 }
risks:
  - { risk: RISK, treatment: mitigate, owner: Ana Ruiz, due: 2027-01-31 }
acceptances:
  - { risk: RISK, level: moderate, reason: the vendor ends in spring, by: Ana Ruiz, on: 2026-05-01, expires: 2027-03-01 }
addressable:
  - spec: 164.312(a)(2)(iii)
    decision: alternative
    scope: workstations at the front desk
    why: a logoff after minutes stops registration
    factors:
      size_complexity_capabilities: one desk
      technical_infrastructure: screens lock with a badge
      costs: small
      probability_and_criticality: the desk is never left alone
    alternative: screens lock when the badge leaves
    evidence_file: policies/desk.pdf
    by: Ana Ruiz
    on: 2026-05-01
signatures:
  - { office: management, name: Lee Park, on: 2026-05-02, evidence_digest: 0123456789ab }
next_review: 2026-12-01
";

const EXCEPTED: &str = "schema: 1
exceptions:
  - check: dnssec-signed
    subjects: [clinic.example]
    owner: Ana Ruiz
    reason: the registrar cannot sign
    on: 2026-05-01
    expires: 2026-12-31
";

fn read_texts(decisions: &str, exceptions: &str, plan: &str) -> Result<Option<Decisions>, DecisionsError> {
    let catalog = Catalog::built_in().unwrap();
    let known = catalog.checks.keys().map(String::as_str).collect();
    let (model, rule) = (Model::built_in(&known).unwrap(), SecurityRule::built_in().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let scenario = model.scenarios[0].id.clone();
    for (name, text) in [(DECISIONS, decisions), (EXCEPTIONS, exceptions), (PLAN, plan)] {
        if !text.is_empty() {
            files::write_whole(&folder.path().join(name), text.replace("RISK", &scenario).as_bytes()).unwrap();
        }
    }
    read_folder(folder.path(), Against { model: &model, rule: &rule, today: date(2026, 10, 1) })
}

fn fault(from: &str, to: &str) -> String {
    let changed = GOOD.replacen(from, to, 1);
    assert_ne!(changed, GOOD, "{from}");
    read_texts(&changed, "", "").unwrap_err().to_string()
}

#[test]
fn decisions_are_read_whole() {
    let plan = "schema: 1\nitems:\n  - { check: dmarc-enforced, owner: Ana Ruiz, due: 2027-01-01, status: in-progress, deferrals: 2 }\n";
    let decisions = read_texts(GOOD, EXCEPTED, plan).unwrap().unwrap();
    assert_eq!(decisions.files.len(), 3);
    assert_eq!(decisions.appetite.unwrap().decided.role, "Chief Executive");
    assert_eq!((decisions.treatments.len(), decisions.acceptances.len(), decisions.exceptions.len()), (1, 1, 1));
    // Twelve months where nothing is said.
    assert_eq!(decisions.addressable[0].expires, date(2027, 5, 1));
    assert_eq!(decisions.addressable[0].evidence_sha256, None);
    assert_eq!((decisions.plan[0].deferrals, decisions.plan[0].line), (2, 3));
    assert_eq!(read_texts("", "", "").unwrap(), None);
}

const ESTIMATED: &str = "estimates:
  - { risk: RISK, input: attempt, level: low, reason: nobody knows our addresses, by: Lee Park, on: 2026-05-01 }
  - { risk: RISK, input: success, level: high, reason: shown by an exercise, by: Lee Park, on: 2026-05-01, expires: 2026-06-01 }
risks:
";

#[test]
fn a_level_is_moved_with_a_reason_by_somebody_who_may() {
    let text = GOOD.replacen("risks:\n", ESTIMATED, 1);
    let decisions = read_texts(&text, "", "").unwrap().unwrap();
    assert_eq!((decisions.estimates.len(), decisions.estimates[0].expires), (2, date(2027, 5, 1)));
    let catalog = Catalog::built_in().unwrap();
    let shipped = Model::built_in(&catalog.checks.keys().map(String::as_str).collect()).unwrap();
    let moved = shipped.clone().with_estimates(&decisions.estimates, date(2026, 10, 1));
    let (before, after) = (&shipped.scenarios[0], &moved.scenarios[0]);
    assert_eq!((after.initiation.level, after.success), (Level::Low, before.success), "the second ran out");
    assert_eq!(after.moved.len(), 1);
    assert!(after.moved[0].contains("nobody knows our addresses (Lee Park, Chief Executive"), "{}", after.moved[0]);
    assert_eq!(moved.scenarios[1..], shipped.scenarios[1..]);
    let text = text.replace("by: Lee Park, on: 2026-05-01, expires", "by: Sam Poe, on: 2026-05-01, expires");
    assert!(read_texts(&text, "", "").unwrap_err().to_string().contains("not among the approvers"));
    // Whoever takes away what the model puts there has to be one who may accept as much.
    let text = GOOD.replacen("risks:\n", &ESTIMATED.replace("addresses, by: Lee Park", "addresses, by: Kim Doe"), 1);
    let error = read_texts(&text, "", "").unwrap_err().to_string();
    assert!(error.contains("Kim Doe may accept no risk at most"), "{error}");
    // Ways that may be open are not talked away.
    let open = shipped.scenarios.iter().find(|scenario| !scenario.open_path.is_empty()).unwrap();
    let text = GOOD.replacen("risks:\n", &ESTIMATED.replace("RISK", &open.id), 1);
    assert!(read_texts(&text, "", "").unwrap_err().to_string().contains("ways that may be open"));
}

#[test]
fn a_required_specification_is_not_decided_away() {
    let error = fault("164.312(a)(2)(iii)", "164.312(a)(2)(i)");
    assert!(error.contains("is required") && error.contains("decisions.yaml, line 12, column 11"), "{error}");
    let error = fault("164.312(a)(2)(iii)", "164.312(b)");
    assert!(error.contains("no implementation specification"), "{error}");
    assert!(fault("164.312(a)(2)(iii)", "164.999").contains("there is no paragraph"));
}

#[test]
fn nobody_accepts_above_their_authority() {
    let error = fault("level: moderate, reason", "level: high, reason");
    assert!(error.contains("Ana Ruiz may accept moderate at most") && error.contains("line 10"), "{error}");
    let error = fault("the vendor ends in spring, by: Ana Ruiz", "the vendor ends in spring, by: Kim Doe");
    assert!(error.contains("may accept no risk"), "{error}");
    let error = fault("the vendor ends in spring, by: Ana Ruiz", "the vendor ends in spring, by: Bo Li");
    assert!(error.contains("not among the approvers"), "{error}");
}

#[test]
fn a_record_weighs_all_four_factors_and_names_the_alternative() {
    assert!(fault("      costs: small\n", "").contains("costs"));
    assert!(fault("      costs: small\n", "      costs: ''\n").contains("the third factor is missing"));
    assert!(fault("    alternative: screens lock when the badge leaves\n", "").contains("no alternative measure"));
    assert!(fault("policies/desk.pdf", "../desk.pdf").contains("leaves the client's folder"));
}

#[test]
fn dates_are_real_and_bounded() {
    assert!(fault("expires: 2027-03-01", "expires: 2036-03-01").contains("longer than"));
    assert!(fault("expires: 2027-03-01", "expires: 2026-03-01").contains("ran out before"));
    assert!(fault("on: 2026-05-01, expires", "on: 2026-11-01, expires").contains("future"));
    assert!(fault("risk: RISK, treatment", "risk: nothing-like-it, treatment").contains("did you mean"));
    assert!(fault("0123456789ab", "0123").contains("no evidence digest"));
    let error = read_texts("", &EXCEPTED.replace("[clinic.example]", "[]"), "").unwrap_err().to_string();
    assert!(error.contains("names no subject") && error.contains("exceptions.yaml, line 4"), "{error}");
}

/// The example of docs/decisions.md under a heading.
fn documented(name: &str) -> &'static str {
    let page = include_str!("../../../docs/decisions.md");
    let (_, section) = page.split_once(&format!("## {name}\n")).unwrap();
    let (_, block) = section.split_once("```yaml\n").unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn the_documented_examples_are_read() {
    let decisions = read_texts(documented(DECISIONS), documented(EXCEPTIONS), documented(PLAN)).unwrap().unwrap();
    assert_eq!((decisions.acceptances.len(), decisions.addressable.len(), decisions.signatures.len()), (1, 1, 1));
    assert_eq!((decisions.exceptions.len(), decisions.plan[0].milestones.len()), (1, 1));
}

#[cfg(unix)]
#[test]
fn a_file_that_is_a_link_out_of_the_folder_is_refused_and_not_passed_over() {
    let catalog = Catalog::built_in().unwrap();
    let known = catalog.checks.keys().map(String::as_str).collect();
    let (model, rule) = (Model::built_in(&known).unwrap(), SecurityRule::built_in().unwrap());
    let outside = tempfile::tempdir().unwrap();
    files::write_whole(&outside.path().join(EXCEPTIONS), EXCEPTED.as_bytes()).unwrap();
    for target in [outside.path().join(EXCEPTIONS), outside.path().join("nowhere.yaml")] {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join(EXCEPTIONS)).unwrap();
        let read = read_folder(folder.path(), Against { model: &model, rule: &rule, today: date(2026, 10, 1) });
        assert!(read.unwrap_err().to_string().contains("exceptions.yaml"), "{}", target.display());
    }
}
