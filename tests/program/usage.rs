//! What users do wrong: located errors, exit 64, nothing lost.

use crate::support::{mailassay, told};

fn refused(arguments: &[&str], says: &[&str]) {
    let output = mailassay().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{arguments:?}: {}", told(&output));
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", told(&output));
    let text = String::from_utf8_lossy(&output.stderr);
    for part in says {
        assert!(text.contains(part), "{arguments:?} does not say {part:?}: {}", told(&output));
    }
}

#[test]
fn a_wrong_command_line_exits_64_and_says_why() {
    refused(&["scna"], &["scan"]);
    refused(&["scan"], &["--scope"]);
    refused(&["scan", "not a domain"], &["not a domain"]);
    refused(&["assess", "--evidence", "no-such-folder"], &["no-such-folder"]);
    refused(&["diff", "no-such-file", "other"], &["no-such-file"]);
    refused(&["scan", "--scope", "no-such-scope.yaml"], &["no-such-scope.yaml"]);
    refused(&["probe", "host:99999"], &["99999"]);
}

#[test]
fn help_and_version_go_to_stdout_and_exit_0() {
    for arguments in [["--help"], ["--version"]] {
        let output = mailassay().args(arguments).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn a_fault_in_the_scope_is_shown_at_its_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let scope = folder.path().join("scope.yaml");
    std::fs::write(&scope, "schema: 1\norganization: { name: A, role: covered-entity }\ndomain: []\n").unwrap();
    let out = folder.path().join("out");
    let output = mailassay().arg("scan").arg("--scope").arg(&scope).arg("--out").arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("line 3") && text.contains("domain"), "{text}");
    assert!(!out.exists());
}

#[test]
fn a_folder_with_finished_work_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "keep").unwrap();
    let output =
        mailassay().args(["scan", "clinic.example", "--offline", "--out"]).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    assert_eq!(std::fs::read_to_string(folder.path().join("letter.txt")).unwrap(), "keep");
}

#[test]
fn an_offline_scan_of_a_domain_assesses_nothing_and_passes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = mailassay()
        .args(["scan", "clinic.example", "--offline", "--min-coverage", "50", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    let assessment = crate::support::assessment(&out);
    assert_eq!(assessment["passed"].as_array().unwrap().len(), 0, "{}", assessment["passed"]);
    let failed =
        assessment["findings"].as_array().unwrap().iter().filter(|finding| finding["outcome"] == "fail").count();
    assert_eq!(failed, 0);
}
