//! A scan with the mail of the scope: a sample of it is an estimate everywhere, and the practice's list of
//! patients is counted and never kept. All of it is invented.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::{assessment, mailassay, told};

const PATIENT: [&str; 3] = ["Quillonberg, Zorbalina", "03/14/1951", "8837261"];
const CANARIES: [&str; 5] = ["zorbalina", "quillonberg", "03/14/1951", "1951-03-14", "8837261"];

/// What checks read of mail folders.
const COUNTED: [&str; 6] = [
    "content-inspected-whole",
    "phi-mail-dated",
    "phi-mail-within-stated-limit",
    "phi-not-in-subject-lines",
    "phi-only-in-declared-mailboxes",
    "sent-and-unsent-mail-purged",
];

/// A client's folder with two mailboxes: the front desk's mail is about patients, the other's is not.
fn client() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("mail")).unwrap();
    std::fs::create_dir_all(root.path().join("policies")).unwrap();
    let mbox = |name: &str, body: &dyn Fn(usize) -> String| {
        let mail: String = (0..30)
            .map(|number| {
                format!(
                    "From a@b.example Thu Jan  1 00:00:00 2026\r\nFrom: nurse@clinic.example\r\nTo: desk@clinic.example\r\n\
                     Message-ID: <{number}.{name}@clinic.example>\r\nDate: Wed, 4 Mar 2020 10:00:00 +0000\r\n\
                     Subject: note\r\n\r\n{}\r\n\r\n",
                    body(number)
                )
            })
            .collect();
        std::fs::write(root.path().join("mail").join(name), mail).unwrap();
    };
    mbox("desk.mbox", &|number| match number % 3 {
        0 => "Lunch at noon?".to_owned(),
        _ => format!("Patient: Zorbalina Quillonberg, MRN 8837261, visit {number}, biopsy shows melanoma."),
    });
    mbox("works.mbox", &|_| "The elevator is serviced on Monday.".to_owned());
    let scope = "schema: 1\norganization: { name: Invented Clinic, role: covered-entity, individuals: 100, states: [OR] }\nauthorization: { granted_by: Invented Person, role: Security Official, on: 2026-10-01, until: 2099-10-01, covers: [clinic.example] }\ndomains: [{ name: clinic.example }]\nmessages: [{ path: mail/desk.mbox, mailbox: front-desk }, { path: mail/works.mbox, mailbox: works }]\nretention: { mail_max_days: 1095, phi_mailboxes: [front-desk@clinic.example], decided: 2026-01-10 }\n";
    std::fs::write(root.path().join("scope.yaml"), scope).unwrap();
    // A sample is drawn by key: the same one in each run of the test, since one in twenty misses the truth.
    std::fs::create_dir_all(root.path().join("keys")).unwrap();
    std::fs::write(root.path().join("keys/references.key"), [7; 32]).unwrap();
    let row = PATIENT;
    let list = format!("Name,DOB,MRN\n\"{}\",{},{}\nOtto Vandermeer,1970-01-02,0041271\n", row[0], row[1], row[2]);
    std::fs::write(root.path().join("patients.csv"), list).unwrap();
    root
}

fn run(client: &Path, words: &[&str]) -> Output {
    mailassay().current_dir(client).args(words).output().unwrap()
}

/// Collects and judges without writing reports, which take long.
fn judged(client: &Path, out: &str, more: &[&str]) -> serde_json::Value {
    let collect = ["collect", "--scope", "scope.yaml", "--only", "messages", "--offline", "--out", out];
    let collected = run(client, &[&collect[..], more].concat());
    assert!(collected.status.success(), "{}", told(&collected));
    judged_again(client, out)
}

fn judged_again(client: &Path, evidence: &str) -> serde_json::Value {
    let assessed = run(client, &["assess", "--evidence", evidence, "--exit-zero"]);
    assert!(assessed.status.success(), "{}", told(&assessed));
    serde_json::from_slice(&assessed.stdout).unwrap()
}

/// The outcomes of a check on one folder: `fail`, `not-assessed`, `pass`, or `not-applicable` where it
/// applies to no folder.
fn outcome(assessment: &serde_json::Value, check: &str, folder: &str) -> String {
    let finding = assessment["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|finding| finding["check"] == check && finding["subject"]["name"] == folder);
    if let Some(finding) = finding {
        return finding["outcome"].as_str().unwrap().to_owned();
    }
    let passed = assessment["passed"].as_array().unwrap().iter().any(|passed| {
        passed["check"] == check && passed["subjects"].as_array().unwrap().iter().any(|subject| subject == folder)
    });
    if passed { "pass" } else { "not-applicable" }.to_owned()
}

/// The folders that the assessment speaks of, by mailbox.
fn folder_of(assessment: &serde_json::Value, mailbox: &str) -> String {
    let names = assessment["subjects"]["content_folder"]["names"].as_array().unwrap();
    let begins = format!("{mailbox}/");
    names.iter().filter_map(|name| name.as_str()).find(|name| name.starts_with(&begins)).unwrap().to_owned()
}

#[test]
fn a_sample_is_an_estimate_and_known_patients_are_counted_at_least() {
    let client = client();
    let client = client.path();
    let all = judged(client, "all", &["--roster", "patients.csv"]);
    let whole = judged(client, "whole", &["--sample", "60", "--roster", "patients.csv"]);
    assert_eq!(whole["findings"], all["findings"], "a sample of everything is a count");
    let (desk, works) = (folder_of(&whole, "front-desk"), folder_of(&whole, "works"));
    assert_eq!(outcome(&whole, "phi-mail-within-stated-limit", &desk), "fail");
    assert_eq!(outcome(&whole, "phi-mail-within-stated-limit", &works), "not-applicable");
    assert_eq!(outcome(&whole, "content-inspected-whole", &works), "pass");
    let ages = whole["mail_ages"][0]["messages"].as_object().unwrap();
    assert_eq!(ages.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), 20);
    let roster = &all["roster"][0];
    assert_eq!((&roster["patients"], &roster["found"], &roster["possible"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(roster["mailboxes"]["front-desk"]["found"], 1);
    assert_eq!(roster["mailboxes"]["works"]["found"], 0);

    let scan = ["scan", "--scope", "scope.yaml", "--only", "messages", "--offline", "--exit-zero", "--out", "some"];
    let scanned = run(client, &[&scan[..], &["--sample", "24", "--roster", "patients.csv"]].concat());
    assert!(scanned.status.success(), "{}", told(&scanned));
    let some = assessment(&client.join("some"));
    let reports =
        ["report.md", "report.html"].map(|name| std::fs::read_to_string(client.join("some").join(name)).unwrap());
    for folder in [&desk, &works] {
        for check in COUNTED {
            let outcome = outcome(&some, check, folder);
            // Whether it is for sent mail is told by its name, and no sample is needed for that.
            let expected = if check == "sent-and-unsent-mail-purged" { "not-applicable" } else { "not-assessed" };
            assert_eq!(outcome, expected, "{check} {folder}");
        }
    }
    let sample = &some["mail_samples"][0];
    assert_eq!((&sample["messages"], &sample["examined"], &sample["confidence"]), (&60.into(), &24.into(), &95.into()));
    for (mailbox, truth) in [("front-desk", 20), ("works", 0)] {
        let of = &sample["mailboxes"][mailbox];
        let (lower, upper) = (of["phi_lower"].as_u64().unwrap(), of["phi_upper"].as_u64().unwrap());
        assert!(lower <= truth && truth <= upper && lower < upper, "{mailbox}: {of}");
        let finding = some["findings"].as_array().unwrap().iter().find(|finding| {
            finding["check"] == "phi-mail-dated" && finding["subject"]["name"].as_str().unwrap().starts_with(mailbox)
        });
        let because = finding.unwrap()["gap"]["because"].as_str().unwrap();
        let interval = format!("an estimated {lower} to {upper} of all likely hold PHI (95 % interval)");
        assert!(because.contains(&interval), "{because}");
        assert_eq!(because.contains("the oldest found is of 2020-03-04"), mailbox == "front-desk", "{because}");
        let told =
            format!("estimated, {lower} to {upper} of 30 messages likely hold health information (95 % interval)");
        assert!(reports.iter().all(|report| report.contains(&told)), "{told}");
    }
    assert_eq!(some["mail_ages"].as_array().map(Vec::len), Some(0), "no count of a sample stands for a folder");
    let exposed = some["exposure"].as_array().unwrap();
    assert!(exposed.iter().all(|row| row["individuals_upper"].is_null() && row["oldest"].is_null()), "{exposed:?}");
    let of_patients = "own list in the messages examined: at least 1";
    assert!(reports[0].contains(of_patients), "{}", reports[0]);

    // The same evidence judged again says the same.
    let again = judged_again(client, "some/evidence");
    assert_eq!((&again["findings"], &again["mail_samples"]), (&some["findings"], &some["mail_samples"]));

    let output = told(&scanned).to_ascii_lowercase();
    assert!(!CANARIES.iter().any(|canary| output.contains(canary)), "{output}");
    let mut folders: Vec<PathBuf> = ["all", "some", "whole"].map(|folder| client.join(folder)).into();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).to_ascii_lowercase();
            let found = CANARIES.iter().find(|canary| text.contains(**canary));
            assert!(found.is_none(), "{} holds {found:?}", path.display());
        }
    }
    assert!(files > 15, "{files}");
}

#[test]
fn a_list_and_a_sample_need_mail() {
    let client = client();
    for more in [["--roster", "patients.csv"], ["--sample", "5"]] {
        let output = mailassay()
            .current_dir(client.path())
            .args(["scan", "clinic.example", "--offline", "--out", "out"])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{}", told(&output));
        assert!(told(&output).contains("`messages`"), "{}", told(&output));
        assert!(!client.path().join("out").exists());
    }
    std::fs::write(client.path().join("broken.csv"), "Quillonberg,8837261\n").unwrap();
    let output = run(client.path(), &["collect", "--scope", "scope.yaml", "--out", "out", "--roster", "broken.csv"]);
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert!(!told(&output).contains("Quillonberg"), "{}", told(&output));
}
