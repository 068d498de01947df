//! What given mail and DMARC aggregate reports bring: selectors to ask for, and who sends in a domain's
//! name. All of it is invented.

use std::path::Path;

use serde_json::Value;

use crate::support::{mailassay, told};

const MESSAGE: &str = "Received: from a by b\r\nDKIM-Signature: v=1; a=rsa-sha256; d=clinic.example;\r\n\ts=spring2026; b=abc\r\n\
                       Subject: Canary Visit\r\n\r\nCanary body\r\n";

fn report(aligned: u32, unaligned: u32) -> String {
    let row = |count: u32, dkim: &str, selector: &str, source: &str| {
        format!(
            "<record><row><source_ip>{source}</source_ip><count>{count}</count><policy_evaluated><disposition>none\
             </disposition><dkim>{dkim}</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>clinic.example\
             </header_from></identifiers><auth_results><dkim><domain>clinic.example</domain><selector>{selector}</selector>\
             <result>{dkim}</result></dkim><spf><domain>mail.vendor.example</domain><result>pass</result></spf></auth_results></record>"
        )
    };
    format!(
        "<?xml version=\"1.0\"?><feedback><report_metadata><org_name>Receiver</org_name><report_id>7</report_id><date_range>\
         <begin>1790640000</begin><end>1790726399</end></date_range></report_metadata><policy_published><domain>clinic.example\
         </domain><p>none</p></policy_published>{}{}</feedback>",
        row(aligned, "pass", "k1", "192.0.2.1"),
        row(unaligned, "fail", "k2", "192.0.2.2"),
    )
}

fn write(folder: &Path) {
    std::fs::create_dir_all(folder.join("mail")).unwrap();
    std::fs::create_dir_all(folder.join("reports")).unwrap();
    std::fs::write(folder.join("mail/1.eml"), MESSAGE).unwrap();
    std::fs::write(folder.join("reports/1.xml"), report(8, 2)).unwrap();
    std::fs::write(folder.join("reports/notes.txt"), "not a report").unwrap();
}

#[test]
fn a_probe_learns_selectors_from_mail_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let output = mailassay()
        .args(["probe", "clinic.example", "--offline", "--format", "json", "--headers"])
        .arg(folder.path().join("mail"))
        .arg("--reports")
        .arg(folder.path().join("reports"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("notes.txt") && errors.contains("no DMARC aggregate report"), "{errors}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let selectors: Vec<(&str, &str)> = found["selectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|selector| (selector["selector"].as_str().unwrap(), selector["learned_from"][0].as_str().unwrap()))
        .collect();
    assert_eq!(selectors, [("k1", "reports"), ("k2", "reports"), ("spring2026", "signatures")]);
    let mail = &found["reported_mail"];
    assert_eq!(
        (mail["messages"].as_u64(), mail["aligned"].as_u64(), mail["unaligned"].as_u64()),
        (Some(10), Some(8), Some(2))
    );
    assert_eq!(mail["sources"][0]["address"], "192.0.2.1");
    let text = mailassay()
        .args(["probe", "clinic.example", "--offline", "--reports"])
        .arg(folder.path().join("reports"))
        .output()
        .unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("8 passed DMARC, 2 passed only for another domain"), "{text}");
}

#[test]
fn reports_of_a_scope_become_facts_and_a_question() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let scope = "schema: 1\norganization: { name: Test Clinic, role: covered-entity }\nauthorization: { granted_by: A, role: B, \
                 on: 2020-01-01, until: 2999-01-01, covers: [clinic.example] }\ndomains: [{ name: clinic.example }]\nreports: [reports]\n\
                 messages: [{ path: mail, mailbox: front-desk }]\n";
    std::fs::write(folder.path().join("scope.yaml"), scope).unwrap();
    let evidence = folder.path().join("evidence");
    let output = mailassay()
        .args(["collect", "--offline", "--only", "dns,reports,messages", "--scope"])
        .arg(folder.path().join("scope.yaml"))
        .arg("--out")
        .arg(&evidence)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let kept = std::fs::read_to_string(evidence.join("authentication.domain.jsonl")).unwrap();
    assert!(kept.contains("spring2026") && kept.contains("\"k1\"") && !kept.contains("Canary"), "{kept}");
    let questions = std::fs::read_to_string(evidence.join("dns.domain.jsonl")).unwrap();
    assert!(questions.contains("clinic.example"), "{questions}");
    let output = mailassay().args(["assess", "--exit-zero", "--evidence"]).arg(&evidence).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding =
        document["findings"].as_array().unwrap().iter().find(|row| row["check"] == "reported-mail-passes-dmarc");
    let finding = finding.expect("the check was judged");
    assert_eq!(finding["outcome"], "needs-review", "{finding}");
}
