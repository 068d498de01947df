//! The collectors that ship with the program: the shell scripts are run against stand-ins of the
//! programs they ask, the PowerShell script is parsed.

use std::path::Path;
use std::process::Command;

use super::world::{declared, judged, passed_and_open, put};
use crate::support::{mailassay, told};

fn collector(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("collectors").join(name)
}

/// A program that answers as the real one would; invented.
fn stand_in(folder: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    put(folder, name, format!("#!/bin/sh\n{script}\n").as_bytes());
    std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a collector with these stand-ins before everything else on the path.
fn run(script: &str, stand_ins: &Path, out: &Path) -> String {
    let path = format!("{}:{}", stand_ins.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").arg(collector(script)).arg(out).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(out).unwrap());
    assert_eq!(mode & 0o777, 0o700, "nobody else may read what was collected");
    std::fs::read_to_string(out.join("status/coverage.jsonl")).unwrap()
}

#[test]
fn an_own_servers_settings_are_collected_and_what_may_not_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    let map = folder.path().join("virtual");
    std::fs::write(&map, "office@surgery.example\toffice@elsewhere.example\n").unwrap();
    stand_in(
        &bin,
        "postconf",
        &format!(
            "case $1 in -n) echo 'myhostname = mx.surgery.example'; echo 'mydestination = localhost'; echo 'always_bcc = a@elsewhere.example'; echo 'smtp_sasl_password_maps = hash:/etc/secret' ;; -P) echo 'smtps/inet/smtpd_tls_auth_only = no'; echo 'relay/unix/smtp_sasl_password_maps = hash:/etc/secret' ;; *) echo 'hash:{0}, proxy:mysql:/etc/postfix/m.cf, hash:{0}.gone' ;; esac",
            map.display()
        ),
    );
    stand_in(
        &bin,
        "doveconf",
        "echo '# 2.3.21: x'; echo 'ssl = yes'; echo 'protocols = imap'; echo 'ldap_password = hunter2'",
    );
    stand_in(
        &bin,
        "doveadm",
        r#"case "$1 $2" in
"user *") printf 'eve@surgery.example\nfay@surgery.example\ngil@surgery.example\n' ;;
"sieve list") case "$4" in eve*) echo 'main ACTIVE' ;; fay*) : ;; *) exit 77 ;; esac ;;
"sieve get") echo 'redirect "eve@gmail.com";' ;;
esac"#,
    );
    stand_in(&bin, "getent", "exit 2");
    let out = folder.path().join("exports");
    let coverage = run("collect-self-hosted.sh", &bin, &out);
    assert!(coverage.contains(r#"{"what":"sieve-eve@surgery.example","ok":true,"rows":1,"why":""}"#), "{coverage}");
    assert!(coverage.contains(r#"{"what":"sieve-fay@surgery.example","ok":true,"rows":0,"why":""}"#), "{coverage}");
    assert!(coverage.contains(r#"{"what":"sieve-gil@surgery.example","ok":false"#), "{coverage}");
    for (what, ok) in [
        ("aliases-1-virtual", true),
        ("aliases-2-virtual.gone", false),
        ("aliases-not-a-file", false),
        ("forward", false),
    ] {
        assert!(coverage.contains(&format!(r#"{{"what":"{what}","ok":{ok},"#)), "{what}: {coverage}");
    }
    let settings = std::fs::read_to_string(out.join("selfhosted/doveconf-n.txt")).unwrap()
        + &std::fs::read_to_string(out.join("selfhosted/postconf-n.txt")).unwrap();
    assert!(!settings.contains("hunter2") && !settings.contains("secret"), "{settings}");
    assert!(settings.contains("# postconf -P\nsmtps/inet/smtpd_tls_auth_only = no\n"), "{settings}");

    let output = mailassay().arg("ingest").arg(&out).args(["--format", "json"]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let files: Vec<_> = answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["format"].as_str().unwrap_or("none"), file["state"].as_str().unwrap()))
        .collect();
    assert!(files.contains(&("self-hosted.sieve", "read")), "{files:?}");
    assert!(files.contains(&("self-hosted.sieve", "unreadable")), "one user's scripts could not be listed: {files:?}");
    assert!(files.contains(&("self-hosted.postfix", "read")) && files.contains(&("self-hosted.dovecot", "read")));

    // Without the right to read everybody's scripts, "no rule hides mail" passes for those read, and
    // the rest is not assessed.
    let [_, open] = passed_and_open(&judged(&out, declared(&["surgery.example"])));
    assert!(open.contains(&("no-forwarding-to-consumer-webmail".to_owned(), "the rest".to_owned())), "{open:?}");
}

#[test]
fn of_zimbras_accounts_only_what_is_read_is_kept_and_a_cut_script_is_no_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    for name in ["postconf", "doveconf", "doveadm", "getent"] {
        stand_in(&bin, name, "exit 2");
    }
    let accounts = |script: &str| {
        format!(
            "cat <<'END'\n# name eve@surgery.example\nobjectClass: zimbraAccount\nuserPassword: hunter2\nzimbraId: 1\nzimbraIsSystemResource: TRUE\nzimbraMailSieveScript: {script}\nzimbraPrefMailSignature: Eve\nhunter2\nzimbraTwoFactorAuthSecret: hunter2\nEND"
        )
    };
    let read = |script: &str, out: &str| {
        let out = folder.path().join(out);
        // What has been told so far is looked for where it is collected.
        let seen = folder.path().join("seen");
        let look = format!("if grep -rq hunter2 '{}'; then touch '{}'; fi", out.display(), seen.display());
        stand_in(&bin, "zmprov", &format!("{}\n{look}", accounts(script)));
        let coverage = run("collect-self-hosted.sh", &bin, &out);
        assert!(coverage.contains(r#"{"what":"zimbra","ok":true,"rows":1"#), "{coverage}");
        let kept = std::fs::read_to_string(out.join("selfhosted/zimbra-accounts.txt")).unwrap();
        assert!(!kept.contains("hunter2") && !seen.exists(), "{kept}");
        let output = mailassay().arg("ingest").arg(&out).args(["--format", "json"]).output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let files = answer["files"].as_array().unwrap().clone();
        let list = files.iter().find(|file| file["format"] == "self-hosted.zimbra").unwrap().clone();
        (list["state"].as_str().unwrap().to_owned(), answer["records"].clone())
    };
    let redirect = "keep;\n# name is what it is\nif true {\n  redirect \"eve@gmail.com\";\n}";
    let (state, records) = read(redirect, "whole");
    assert_eq!((state.as_str(), records["forwarding-rule"].as_u64()), ("read", Some(2)), "{records}");
    let (state, _) = read(&format!("vacation text:\nphone: 1\nzimbraFoo: 2\n.\n;\n{redirect}"), "cut");
    assert_eq!(state, "partly-read");
}

#[test]
fn scripts_for_everybody_are_told_in_each_form_that_dovecot_gives_them() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    for name in ["postconf", "doveadm", "getent"] {
        stand_in(&bin, name, "exit 2");
    }
    for (number, (settings, told)) in [
        ("# 2.3.21: x\nplugin {\n  sieve_before = /etc/dovecot/sieve\n}", true),
        ("# 2.3.21: x\nplugin {\n  sieve_discard = /etc/dovecot/discard.sieve\n}", true),
        ("# 2.3.21: x\nplugin {\n  sieve = ~/.dovecot.sieve\n}", false),
        ("# 2.4.1: x\nsieve_script first {\n  path = /etc/dovecot/sieve\n  type = before\n}", true),
        ("# 2.4.1: x\nsieve_script last {\n  sieve_script_type = after\n}", true),
        ("# 2.4.1: x\nsieve_script default {\n  path = /etc/dovecot/default.sieve\n}", true),
        ("# 2.4.1: x\nsieve_script personal {\n  path = ~/sieve\n  type = personal\n}", false),
    ]
    .into_iter()
    .enumerate()
    {
        stand_in(&bin, "doveconf", &format!("cat <<'END'\n{settings}\nEND"));
        let coverage = run("collect-self-hosted.sh", &bin, &folder.path().join(number.to_string()));
        assert_eq!(coverage.contains(r#"{"what":"sieve-of-everybody","ok":false"#), told, "{settings}: {coverage}");
    }
}

#[test]
fn a_google_tenants_settings_are_collected_and_a_broken_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    let gam = r#"case "$*" in
*"print users fields"*) printf 'primaryEmail,isEnrolledIn2Sv,suspended\ncleo@practice.example,True,False\n' ;;
*"print forwards"*) echo 'half a row'; exit 50 ;;
*"print imap"*) printf 'User,enabled,autoExpunge\ncleo@practice.example,False,\n' ;;
*) printf 'User\n' ;;
esac"#;
    stand_in(&bin, "gam", gam);
    let out = folder.path().join("exports");
    let coverage = run("collect-google-workspace.sh", &bin, &out);
    assert!(coverage.contains(r#"{"what":"users","ok":true,"rows":1"#), "{coverage}");
    assert!(coverage.contains(r#"{"what":"forwards","ok":false"#), "{coverage}");
    assert!(!out.join("gws/forwards.csv").exists(), "what is not whole is not taken for an export");
    // The second run asks for what is missing alone.
    let again = run("collect-google-workspace.sh", &bin, &out);
    assert_eq!(again.matches(r#""what":"users""#).count(), 1);
    assert_eq!(again.matches(r#""what":"forwards""#).count(), 2);
    let incomplete = out.join("status/forwards.incomplete");
    assert!(incomplete.exists());
    stand_in(&bin, "gam", &gam.replace("echo 'half a row'; exit 50", "printf 'User\\n'"));
    run("collect-google-workspace.sh", &bin, &out);
    assert!(out.join("gws/forwards.csv").exists() && !incomplete.exists(), "what came before is done with");
}

/// Every command that a script runs, and whether it was read without an error.
fn commands(script: &str) -> (Vec<String>, bool) {
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).unwrap();
    let tree = parser.parse(script, None).unwrap();
    let (mut found, mut open) = (Vec::new(), vec![tree.root_node()]);
    while let Some(node) = open.pop() {
        if node.kind() == "command_name" {
            found.push(script[node.byte_range()].to_owned());
        }
        open.extend((0..node.child_count()).filter_map(|at| node.child(at)));
    }
    (found, tree.root_node().has_error())
}

#[test]
fn the_microsoft_365_collector_is_readable_powershell_and_changes_nothing_in_the_tenant() {
    let script = std::fs::read_to_string(collector("Collect-Microsoft365.ps1")).unwrap();
    let (commands, error) = commands(&script);
    assert!(!error, "the grammar finds an error");
    assert!(commands.iter().filter(|name| name.starts_with("Get-")).count() > 15, "{commands:?}");
    // What is not a question is about its own files and its own memory.
    const OWN: [&str; 12] = [
        "Add-Content",
        "ConvertTo-Json",
        "Export-Each",
        "Export-Whole",
        "Join-Path",
        "Move-Item",
        "New-Item",
        "Out-Null",
        "Remove-Item",
        "Set-StrictMode",
        "Test-Path",
        "Where-Object",
    ];
    const OTHERS: [&str; 7] =
        ["chmod", "Invoke-MgGraphRequest", "Select-Object", "Test-Mine", "Write-Line", "Write-Output", "Write-Status"];
    for name in &commands {
        let known = name.starts_with("Get-") || OWN.contains(&name.as_str()) || OTHERS.contains(&name.as_str());
        assert!(known, "{name} is neither a question nor about the collector's own files");
    }
    // The one general way into Graph only asks.
    assert_eq!(
        script.matches("Invoke-MgGraphRequest").count(),
        script.matches("Invoke-MgGraphRequest -Method GET").count()
    );
    assert!(commands_of("Set-Mailbox -Identity x").contains(&"Set-Mailbox".to_owned()));
}

fn commands_of(script: &str) -> Vec<String> {
    commands(script).0
}
