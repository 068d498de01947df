//! What given mail, DMARC aggregate reports and TLS reports bring: selectors to ask for, who sends in a
//! domain's name, and how TLS with its mail hosts went. All of it is invented.

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

/// A mail that brings a TLS report, and one that brings none. Nothing of their text may come out.
fn report_mail() -> String {
    let report = "{\"organization-name\":\"Sender Inc.\",\"date-range\":{\"start-datetime\":\"2026-09-28T00:00:00Z\",\
        \"end-datetime\":\"2026-09-28T23:59:59Z\"},\"contact-info\":\"canary@sender.example\",\"report-id\":\"1\",\"policies\":\
        [{\"policy\":{\"policy-type\":\"sts\",\"policy-string\":[\"mode: enforce\"],\"policy-domain\":\"clinic.example\"},\
        \"summary\":{\"total-successful-session-count\":90,\"total-failure-session-count\":10},\"failure-details\":\
        [{\"result-type\":\"starttls-not-supported\",\"receiving-mx-hostname\":\"mx2.clinic.example\",\"failed-session-count\":9}]}]}";
    let separator = "From a@sender.example Mon Sep 28 00:00:00 2026";
    format!(
        "{separator}\nFrom: a@sender.example\nSubject: Report Domain: clinic.example\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\nContent-Type: text/plain\n\nCanary text\n\
         --b\nContent-Type: application/tlsrpt+json; name=\"Canary.json\"\n\n{report}\n--b--\n\n\
         {separator}\nFrom: Canary Quillon <canary@clinic.example>\nSubject: Canary visit\nContent-Type: application/pdf; \
         name=\"Canary.pdf\"\n\n%PDF-1.4 Canary\n"
    )
}

#[test]
fn tls_reports_in_mail_are_read_judged_and_shown_and_the_mail_is_not() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    std::fs::write(folder.path().join("reports/inbox.mbox"), report_mail()).unwrap();
    let probe = |format: &str| {
        let output = mailassay()
            .args(["probe", "clinic.example", "--offline", "--format", format, "--reports"])
            .arg(folder.path().join("reports"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", told(&output));
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (json, remarks) = probe("json");
    assert!(remarks.contains("2 mails, 1 with no report in it"), "{remarks}");
    let found: Value = serde_json::from_str(&json).unwrap();
    let tls = &found["reported_tls"];
    let number = |name: &str| tls[name].as_u64().unwrap();
    assert_eq!((number("sessions"), number("succeeded"), number("failed")), (100, 90, 10), "{tls}");
    assert_eq!((number("failed_enforced"), number("unexplained"), number("maybe_downgraded")), (10, 1, 9), "{tls}");
    assert_eq!((&tls["hosts"][0]["what"], &tls["hosts"][0]["sessions"]), (&"mx2.clinic.example".into(), &9.into()));
    let (text, _) = probe("text");
    assert!(text.contains("100 sessions: 90 agreed on TLS as the policy asks, 10 failed"), "{text}");

    let scope = "schema: 1\norganization: { name: Test Clinic, role: covered-entity }\nauthorization: { granted_by: A, role: B, \
                 on: 2020-01-01, until: 2999-01-01, covers: [clinic.example] }\ndomains: [{ name: clinic.example }]\nreports: [reports]\n";
    std::fs::write(folder.path().join("scope.yaml"), scope).unwrap();
    let evidence = folder.path().join("evidence");
    let out = folder.path().join("out");
    let output = mailassay()
        .args(["collect", "--offline", "--only", "dns,reports", "--scope"])
        .arg(folder.path().join("scope.yaml"))
        .arg("--out")
        .arg(&evidence)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let output = mailassay().args(["assess", "--exit-zero", "--evidence"]).arg(&evidence).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let finding =
        findings.iter().find(|row| row["check"] == "reported-sessions-use-tls").expect("the check was judged");
    assert_eq!(finding["outcome"], "fail", "{finding}");
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("10 failed") && message.contains("starttls-not-supported: 9"), "{message}");
    std::fs::write(folder.path().join("assessment.json"), &output.stdout).unwrap();
    let output =
        mailassay().arg("report").arg(folder.path().join("assessment.json")).arg("--out").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    for kept in [&evidence, &out] {
        for entry in std::fs::read_dir(kept).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            assert!(!text.contains("canary") && !text.contains("quillon"), "{}", kept.display());
        }
    }
}

#[test]
fn selectors_that_an_export_names_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("exports")).unwrap();
    let export = "Domain,Enabled,Selector1CNAME,SelectorBeforeRotateOnDate\nclinic.example,True,,rotated1\n";
    std::fs::write(folder.path().join("exports/dkim-signing.csv"), export).unwrap();
    let scope = "schema: 1\norganization: { name: Test Clinic, role: covered-entity }\nauthorization: { granted_by: A, role: B, \
                 on: 2020-01-01, until: 2999-01-01, covers: [clinic.example] }\ndomains: [{ name: clinic.example }]\n\
                 exports: [exports]\n";
    std::fs::write(folder.path().join("scope.yaml"), scope).unwrap();
    let evidence = folder.path().join("evidence");
    let output = mailassay()
        .args(["collect", "--offline", "--only", "dns,exports", "--scope"])
        .arg(folder.path().join("scope.yaml"))
        .arg("--out")
        .arg(&evidence)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let kept = |name: &str| std::fs::read_to_string(evidence.join(name)).unwrap();
    assert!(kept("authentication.domain.jsonl").contains("exported-selectors"));
    assert!(kept("dns.domain.jsonl").contains("rotated1._domainkey.clinic.example"));
    assert!(kept("export.export_file.jsonl").contains("microsoft365.dkim-signing"));
}
