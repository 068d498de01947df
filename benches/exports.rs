//! How fast exports of a large tenant become findings, and how much memory that takes.
//!
//! `cargo bench --bench exports` makes an invented tenant (100,000 mailboxes, a million rules,
//! 300,000 rights over mailboxes; `MAILASSAY_BENCH_MAILBOXES` for another size), reads it, keeps it as
//! evidence, builds facts, judges them, and reads the same files with plain readers of Python and with polars in
//! the same run. Figures are ratios to those, and absolute for this machine only.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench may ask the clock, write its own files and start its peer"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use mailassay::collect::exports;
use mailassay::evidence::{Evidence, Manifest, Observation, Vantage, Writer};
use mailassay::facts::Facts;
use mailassay::keyed::KeyedReference;

const COLUMNS: [&str; 24] = [
    "MailboxOwnerId",
    "RuleIdentity",
    "Name",
    "Enabled",
    "Priority",
    "InError",
    "SupportedByTask",
    "ForwardTo",
    "RedirectTo",
    "ForwardAsAttachmentTo",
    "DeleteMessage",
    "SoftDeleteMessage",
    "MoveToFolder",
    "MarkAsRead",
    "StopProcessingRules",
    "From",
    "FromAddressContainsWords",
    "SubjectContainsWords",
    "SubjectOrBodyContainsWords",
    "BodyContainsWords",
    "HasAttachment",
    "SentTo",
    "ReceivedAfterDate",
    "WithinSizeRangeMinimum",
];

/// A small generator of numbers; the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

fn address(number: u64) -> String {
    format!("user{number:06}@clinic.example")
}

/// The cells of one rule: most file newsletters, one in fifty sends on, one in twenty deletes.
fn rule(number: u64, mailboxes: u64, numbers: &mut Numbers) -> [String; 24] {
    let mut cells: [String; 24] = std::array::from_fn(|_| String::new());
    cells[0] = address(number % mailboxes);
    cells[1] = format!("{}", 15_394_007_230_000_000_000_u64 + number);
    cells[2] = format!("Newsletters of sender {}", number % 977);
    for (at, value) in [
        (3, "True"),
        (4, "1"),
        (5, "False"),
        (6, "True"),
        (10, "False"),
        (11, "False"),
        (13, "False"),
        (14, "True"),
        (20, "False"),
    ] {
        cells[at] = value.to_owned();
    }
    match numbers.below(100) {
        0 => cells[7] = format!("\"Jane Home\" [SMTP:jane{number}@gmail.com]"),
        1 => cells[8] = format!("\"Partner, A\" [SMTP:p{number}@partner.example]"),
        2..=6 => cells[10] = "True".to_owned(),
        _ => cells[12] = format!("Inbox\\Projects\\{}", number % 31),
    }
    cells[15] = format!("\"Sender {number}\" [SMTP:news{number}@letters.example]");
    cells[17] = "newsletter, weekly digest, offers and announcements of the month".to_owned();
    cells
}

fn csv_line(cells: &[String], out: &mut String) {
    for (at, cell) in cells.iter().enumerate() {
        let _ = write!(out, "{}\"{}\"", if at > 0 { "," } else { "" }, cell.replace('"', "\"\""));
    }
    out.push_str("\r\n");
}

fn rules_csv(count: u64, mailboxes: u64) -> String {
    let mut numbers = Numbers(1);
    let mut out = COLUMNS.join(",") + "\r\n";
    (0..count).for_each(|number| csv_line(&rule(number, mailboxes, &mut numbers), &mut out));
    out
}

fn rules_json(count: u64, mailboxes: u64, lines: bool) -> String {
    let mut numbers = Numbers(1);
    let mut out = String::from(if lines { "" } else { "[" });
    for number in 0..count {
        let cells = rule(number, mailboxes, &mut numbers);
        let fields: serde_json::Map<String, serde_json::Value> = COLUMNS
            .iter()
            .zip(cells)
            .map(|(column, cell)| {
                ((*column).to_owned(), if cell.is_empty() { serde_json::Value::Null } else { cell.into() })
            })
            .collect();
        if !lines && number > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::Object(fields).to_string());
        out.push('\n');
    }
    out.push_str(if lines { "" } else { "]" });
    out
}

fn rules_clixml(count: u64, mailboxes: u64) -> String {
    let mut numbers = Numbers(1);
    let mut out = String::from(r#"<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">"#);
    for number in 0..count {
        let _ = write!(out, r#"<Obj RefId="{number}"><MS>"#);
        for (column, cell) in COLUMNS.iter().zip(rule(number, mailboxes, &mut numbers)) {
            if cell.is_empty() {
                let _ = write!(out, r#"<Nil N="{column}" />"#);
            } else {
                let _ = write!(out, r#"<S N="{column}">{cell}</S>"#);
            }
        }
        out.push_str("</MS></Obj>\n");
    }
    out + "</Objs>"
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn tenant(folder: &Path, mailboxes: u64) {
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let mut out = String::from(
        "PrimarySmtpAddress,UserPrincipalName,RecipientTypeDetails,ForwardingSmtpAddress,ForwardingAddress,DeliverToMailboxAndForward,AuditEnabled,RetentionPolicy,RetentionHoldEnabled,ElcProcessingDisabled,LitigationHoldEnabled,AccountDisabled,ExchangeGuid,Alias\r\n",
    );
    for number in 0..mailboxes {
        let forward = if number % 200 == 0 { "smtp:home@gmail.com" } else { "" };
        let _ = write!(
            out,
            "{0},{0},UserMailbox,{forward},,False,True,Default,False,False,False,False,{number:032x},user{number:06}\r\n",
            address(number)
        );
    }
    write("mailboxes.csv", &out);
    let mut out = String::from("userPrincipalName,isMfaCapable,isMfaRegistered,isAdmin,userType,methodsRegistered\r\n");
    for number in 0..mailboxes {
        let _ = write!(
            out,
            "{},{},True,False,member,\"microsoftAuthenticatorPush;mobilePhone\"\r\n",
            address(number),
            number % 50 != 0
        );
    }
    write("registration.csv", &out);
    let mut out = String::from("PrimarySmtpAddress,PopEnabled,ImapEnabled,SmtpClientAuthenticationDisabled\r\n");
    for number in 0..mailboxes {
        let _ = write!(out, "{},False,{},\r\n", address(number), number % 10 == 0);
    }
    write("cas.csv", &out);
    let mut out = String::from("Identity,User,AccessRights,IsInherited,Deny\r\n");
    let mut numbers = Numbers(2);
    for number in 0..mailboxes * 3 {
        let holder =
            if number < mailboxes { "NT AUTHORITY\\SELF".to_owned() } else { address(numbers.below(mailboxes)) };
        let _ = write!(out, "{},{holder},\"FullAccess, ReadPermission\",False,False\r\n", address(number % mailboxes));
    }
    write("permissions.csv", &out);
    write("domains.csv", "DomainName,DomainType\r\nclinic.example,Authoritative\r\n");
    write("organization.csv", "AuditDisabled\r\nFalse\r\n");
    write("spam.csv", "Name,AutoForwardingMode\r\nDefault,Automatic\r\n");
    write("remote.csv", "DomainName,AutoForwardEnabled,AllowedOOFType\r\n*,True,External\r\n");
    std::fs::write(folder.join("rules.csv"), rules_csv(mailboxes * 10, mailboxes)).unwrap();
}

/// Starts counting the peak of resident memory anew (Linux).
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|rest| rest.split_whitespace().next());
    kilobytes.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn stage<T>(name: &str, work: impl FnOnce() -> T) -> (T, f64) {
    reset_peak();
    let started = Instant::now();
    let done = work();
    let seconds = started.elapsed().as_secs_f64();
    println!("{name:<44} {seconds:>8.2} s  peak {:>6} MiB", peak_mib());
    (done, seconds)
}

fn key() -> KeyedReference {
    KeyedReference::new(b"bench")
}

fn count(path: &Path) -> (u64, u64) {
    let (mut records, mut rows) = (0, 0);
    let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
    exports::read_each(
        &[path.to_owned()],
        &["exports".to_owned()],
        &BTreeSet::new(),
        &key(),
        asked_at,
        "bench",
        &mut |observation| {
            records += 1;
            if let Ok(mailassay::evidence::Answer::ExportFile(file)) = observation.answer {
                assert!(file.format.is_some(), "{}: {:?}", file.label, file.rejected);
                rows += file.rows;
            }
        },
    );
    (records, rows)
}

fn manifest() -> Manifest {
    let as_of = "2026-10-01T12:00:00Z".parse().unwrap();
    Manifest {
        schema: 1,
        kind: "evidence".to_owned(),
        tool_version: "0".to_owned(),
        scope_sha256: String::new(),
        vantage: Vantage {
            label: "bench".to_owned(),
            resolvers: Vec::new(),
            port_25_reachable: None,
            test_network: Vec::new(),
        },
        started_at: as_of,
        as_of,
        complete: true,
        segments: Vec::new(),
    }
}

/// What a plain reader needs for the same files: rows looked at, nothing concluded.
const PLAIN: &str = r#"
import csv, json, resource, sys, time
started = time.time()
rows = 0
for path in sys.argv[1:]:
    if path.endswith('.csv'):
        with open(path, newline='', encoding='utf-8') as file:
            for row in csv.DictReader(file):
                rows += 1
    else:
        encoding = 'utf-16' if 'utf16' in path else 'utf-8'
        with open(path, encoding=encoding) as file:
            if path.endswith('.jsonl'):
                for line in file:
                    json.loads(line); rows += 1
            elif path.endswith('.json'):
                rows += len(json.load(file))
            else:
                import xml.etree.ElementTree as tree
                rows += sum(1 for _, element in tree.iterparse(path) if element.tag.endswith('Obj'))
print('%.2f %d %d' % (time.time() - started, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
"#;

/// The same with polars, which reads into columns on all cores, in memory; it has no reader of CLIXML.
const POLARS: &str = r#"
import io, resource, sys, time
import polars
started = time.time()
rows = 0
for path in sys.argv[1:]:
    if path.endswith('.csv'):
        frame = polars.read_csv(path, infer_schema=False)
    elif path.endswith('.jsonl'):
        frame = polars.read_ndjson(path)
    elif 'utf16' in path:
        frame = polars.read_json(io.BytesIO(open(path, 'rb').read().decode('utf-16').encode()))
    elif path.endswith('.json'):
        frame = polars.read_json(path)
    else:
        sys.exit()
    rows += frame.height
print('%.2f %d %d' % (time.time() - started, rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
"#;

/// Starts `program` on the same files and says how long it took beside `ours`; nothing where it does not run.
/// `MAILASSAY_BENCH_PYTHON` names a Python that has polars.
fn peer(name: &str, program: &str, paths: &[PathBuf], ours: f64) {
    let python = std::env::var("MAILASSAY_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let Ok(output) = Command::new(python).arg("-c").arg(program).args(paths).output() else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let (Some(Ok(theirs)), Some(peak)) = (words.first().map(|word| word.parse::<f64>()), words.get(2)) else {
        return println!("    {name}: does not run here");
    };
    println!("    {name}: {theirs:.2} s, peak {peak} MiB; ours took {:.1} times as long", ours / theirs);
}

fn main() {
    let mailboxes: u64 =
        std::env::var("MAILASSAY_BENCH_MAILBOXES").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("tenant");
    std::fs::create_dir(&whole).unwrap();
    tenant(&whole, mailboxes);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&whole).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let bytes: u64 = files.iter().map(|path| path.metadata().unwrap().len()).sum();
    println!("{mailboxes} mailboxes, {} rules, {} rights, {} MB", mailboxes * 10, mailboxes * 3, bytes / 1_000_000);

    let ((records, rows), ours) = stage("read, nothing kept", || count(&whole));
    println!("    {rows} rows became {records} observations, {:.0} MB/s", bytes as f64 / 1e6 / ours);
    peer("csv.DictReader", PLAIN, &files, ours);
    peer("polars", POLARS, &files, ours);
    let asked_at = "2026-10-01T12:00:00Z".parse().unwrap();
    let (observations, _): (Vec<Observation>, _) = stage("read, kept in memory", || {
        exports::read(
            std::slice::from_ref(&whole),
            &["exports".to_owned()],
            &BTreeSet::new(),
            &key(),
            asked_at,
            "bench",
        )
    });
    let kept = folder.path().join("evidence");
    let (evidence, _) =
        stage("written as evidence", || Writer::create(&kept).unwrap().finish(observations, manifest()).unwrap());
    drop(evidence);
    let (evidence, _) = stage("evidence read and verified", || Evidence::read(&kept).unwrap());
    let (facts, _) = stage("facts", || Facts::from_evidence(&evidence, evidence.as_of()));
    let catalog = mailassay::checks::Catalog::built_in().unwrap();
    let (judgement, _) = stage("findings", || mailassay::assess::assess(&catalog, &facts).unwrap());
    println!("    {} findings", judgement.findings.len());
    drop((judgement, facts, evidence));

    let some = (mailboxes * 2).max(1_000);
    println!("{some} rules in each format");
    for (name, bytes) in [
        ("rules.csv", rules_csv(some, mailboxes).into_bytes()),
        ("rules.jsonl", rules_json(some, mailboxes, true).into_bytes()),
        ("rules.json", rules_json(some, mailboxes, false).into_bytes()),
        ("rules-utf16.json", utf16(&rules_json(some, mailboxes, false))),
        ("rules.xml", rules_clixml(some, mailboxes).into_bytes()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let megabytes = bytes.len() as f64 / 1e6;
        drop(bytes);
        let (_, ours) = stage(name, || count(&path));
        println!("    {megabytes:.0} MB, {:.0} MB/s", megabytes / ours);
        peer("Python's own reader", PLAIN, std::slice::from_ref(&path), ours);
        peer("polars", POLARS, std::slice::from_ref(&path), ours);
    }
}
