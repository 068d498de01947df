//! The report folder: verified whole, after changes, and read by other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{assessment, demo, mailassay, needs, told};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Both quarters of the demo in a folder of their own; the later one.
fn copied() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let mut last = PathBuf::new();
    for quarter in demo().quarters() {
        last = folder.path().join(quarter.file_name().unwrap());
        copy(&quarter, &last);
    }
    (folder, last)
}

/// Runs `verify`; whether all was the same, and what was said.
fn verify(folder: &Path) -> (bool, String) {
    let output = mailassay().arg("verify").arg(folder).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", told(&output));
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn every_file_of_the_demo_is_made_again_byte_for_byte() {
    for quarter in demo().quarters() {
        let (same, said) = verify(&quarter);
        assert!(same, "{said}");
        for name in ["assessment.json", "report.html", "report.md", "workbook.xlsx", "plan.csv"] {
            assert!(said.contains(&format!(". {name}: identical")), "{said}");
        }
    }
}

#[test]
fn one_flipped_byte_of_evidence_or_of_the_report_is_named() {
    let (_folder, quarter) = copied();
    flip(&quarter.join("report.md"));
    let (same, said) = verify(&quarter);
    assert!(!same && said.contains("x report.md: altered"), "{said}");
    assert!(said.contains(". report.html: identical"), "{said}");

    flip(&quarter.join("evidence").join("dns.domain.jsonl"));
    let (same, said) = verify(&quarter);
    assert!(!same && said.contains("evidence was altered: dns.domain"), "{said}");
    assert!(said.contains("? report.html: as written, not made again"), "{said}");
}

#[test]
fn a_segment_taken_away_and_a_missing_earlier_assessment_are_named() {
    let (folder, quarter) = copied();
    std::fs::remove_file(quarter.join("evidence").join("dns.domain.jsonl")).unwrap();
    let (same, said) = verify(&quarter);
    assert!(!same && said.contains("x evidence was taken away: dns.domain"), "{said}");
    assert!(said.contains("x assessment.json: made again, it differs: other"), "{said}");

    let alone = folder.path().join("alone").join("report");
    copy(demo().quarters().last().unwrap(), &alone);
    let (same, said) = verify(&alone);
    assert!(!same && said.contains("was not found beside it; name it with --since"), "{said}");
}

#[test]
fn an_explanation_is_found_without_naming_the_assessment() {
    let (folder, quarter) = copied();
    let stored = assessment(&quarter);
    let finding = &stored["findings"][0];
    for term in [finding["check"].as_str().unwrap(), &finding["fingerprint"].as_str().unwrap()[..12]] {
        let output = mailassay().args(["explain", term]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains(finding["check"].as_str().unwrap()), "{said}");
        assert!(said.contains(stored["evidence_digest"].as_str().unwrap()), "the newest is told: {said}");
    }
    let output = mailassay().args(["explain", "no-such-thing"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
}

fn shown(program: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "{program}: {}", told(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(feature = "pdf")]
#[test]
fn qpdf_and_poppler_find_sound_tagged_files_with_embedded_fonts() {
    if !needs(&["qpdf", "pdfinfo", "pdffonts"]) {
        return;
    }
    for quarter in demo().quarters() {
        for (name, pages) in [("report.pdf", None), ("executive-summary.pdf", Some(1))] {
            let file = quarter.join(name);
            let checked = shown("qpdf", &["--check"], &file);
            assert!(checked.contains("No syntax or stream encoding errors found"), "{checked}");
            let info = shown("pdfinfo", &[], &file);
            let field = |name: &str| {
                info.lines()
                    .find_map(|line| line.strip_prefix(name))
                    .unwrap_or_else(|| panic!("{name} in {info}"))
                    .trim()
            };
            assert_eq!(field("Tagged:"), "yes");
            assert!(field("Page size:").contains("letter"), "{info}");
            if let Some(pages) = pages {
                assert_eq!(field("Pages:"), pages.to_string());
            }
            let fonts = shown("pdffonts", &[], &file);
            let rows: Vec<&str> = fonts.lines().skip(2).collect();
            assert!(!rows.is_empty());
            for row in rows {
                // The last columns are: embedded, subset, Unicode map, object number and generation.
                let columns: Vec<&str> = row.split_whitespace().rev().collect();
                assert_eq!(columns[2..5], ["yes"; 3], "{fonts}");
            }
        }
    }
}

#[test]
fn a_package_is_verified_whole_signed_and_after_a_flipped_byte() {
    if !needs(&["openssl"]) {
        return;
    }
    let (folder, quarter) = copied();
    let key = folder.path().join("key.pem");
    shown("openssl", &["genpkey", "-algorithm", "ed25519", "-out"], &key);
    let package = folder.path().join("handed-over").join("package");
    let pack = |out: &Path, more: &[&str]| {
        let output =
            mailassay().arg("package").arg(&quarter).args(more).arg("--key").arg(&key).arg("--out").arg(out).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = pack(&package, &[]);
    assert!(said.contains(". Risk analysis (45 CFR 164.308(a)(1)(ii)(A)): report.html"), "{said}");
    assert!(said.contains("x Business associate agreements"), "an agreement nobody has is missing: {said}");

    let (same, said) = verify(&package);
    assert!(
        same && said.contains("files are as package.json names them")
            && said.contains("signed with the key of SHA-256"),
        "{said}"
    );
    let signature = package.join("package.sig");
    let arguments = ["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"].map(str::to_owned);
    let output = Command::new("openssl")
        .args(arguments)
        .arg(package.join("package.pub"))
        .arg("-in")
        .arg(package.join("package.json"))
        .arg("-sigfile")
        .arg(&signature)
        .output()
        .unwrap();
    assert!(output.status.success(), "openssl agrees: {}", told(&output));

    flip(&package.join("requests.csv"));
    flip(&signature);
    let (same, said) = verify(&package);
    assert!(!same && said.contains("x requests.csv: other bytes than package.json names"), "{said}");
    assert!(said.contains("x the signature does not hold for this key"), "{said}");

    std::fs::write(package.join("evidence").join("planted.jsonl"), b"{}").unwrap();
    std::fs::remove_file(&signature).unwrap();
    std::fs::create_dir(&signature).unwrap();
    let (_, said) = verify(&package);
    assert!(said.contains("x evidence/planted.jsonl: it lies in the package"), "{said}");
    assert!(said.contains("x the signature cannot be read"), "what cannot be read is not called unsigned: {said}");
    std::fs::remove_dir(&signature).unwrap();
    let (_, said) = verify(&package);
    assert!(said.contains(". the package is not signed: nothing says who wrote package.json"), "{said}");

    let zips = ["one.zip", "two.zip"].map(|name| folder.path().join(name));
    zips.iter().for_each(|zip| drop(pack(zip, &["--zip"])));
    assert!(std::fs::read(&zips[0]).unwrap() == std::fs::read(&zips[1]).unwrap(), "two runs, the same bytes");
}

/// A report with a theme and the appendix of cases, judged again from evidence that lies elsewhere, as
/// one is that was signed after it was read.
#[test]
fn a_themed_report_of_evidence_elsewhere_is_packaged_with_both_and_verified() {
    let (folder, quarter) = copied();
    let theme = folder.path().join("look");
    std::fs::create_dir_all(theme.join("templates").join("partials")).unwrap();
    std::fs::write(theme.join("theme.yaml"), "schema: 1\nprepared_by: Hartley & Sons\n").unwrap();
    let claims = "<section id=\"claims\"><h2>Our own words</h2></section>";
    std::fs::write(theme.join("templates").join("partials").join("claims.html.hbs"), claims).unwrap();
    let report = folder.path().join("again").join("report");
    let evidence = quarter.join("evidence");
    let run = |arguments: &[&std::ffi::OsStr]| mailassay().args(arguments).output().unwrap();
    let output = run(&[
        "assess".as_ref(),
        "--exit-zero".as_ref(),
        "--enforcement".as_ref(),
        "--evidence".as_ref(),
        evidence.as_ref(),
        "--theme".as_ref(),
        theme.as_ref(),
        "--out".as_ref(),
        report.as_ref(),
    ]);
    assert!(output.status.success(), "{}", told(&output));
    let page = std::fs::read_to_string(report.join("report.html")).unwrap();
    assert!(page.contains("in place of the program's: claims") && page.contains("Children&#39;s Hospital Colorado"));

    let package = folder.path().join("handed-over").join("package");
    let pack = |more: &[&std::ffi::OsStr]| {
        let mut all: Vec<&std::ffi::OsStr> =
            vec!["package".as_ref(), report.as_ref(), "--out".as_ref(), package.as_ref()];
        all.extend(more);
        run(&all)
    };
    let refused = pack(&[]);
    assert_eq!(refused.status.code(), Some(64), "{}", told(&refused));
    assert!(told(&refused).contains("name it with --evidence"), "{}", told(&refused));
    let other = folder.path().join(demo().quarters()[0].file_name().unwrap()).join("evidence");
    let refused = pack(&["--evidence".as_ref(), other.as_ref(), "--theme".as_ref(), theme.as_ref()]);
    assert!(told(&refused).contains("other evidence"), "{}", told(&refused));
    let refused = pack(&["--evidence".as_ref(), evidence.as_ref()]);
    assert!(told(&refused).contains("name it with --theme"), "{}", told(&refused));
    let packed = pack(&["--evidence".as_ref(), evidence.as_ref(), "--theme".as_ref(), theme.as_ref()]);
    assert!(packed.status.success(), "{}", told(&packed));
    let (same, said) = verify(&package);
    assert!(same, "theme, cases and evidence are in it: {said}");
}

#[test]
fn openpyxl_finds_every_sheet_with_a_filter_a_fixed_head_typed_cells_and_no_formula() {
    if !needs(&["python3"]) {
        return;
    }
    let script = "import sys
try:
    import openpyxl
except ImportError:
    sys.exit(7)
book = openpyxl.load_workbook(sys.argv[1])
for sheet in book:
    types = sorted({cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None})
    print(sheet.title, sheet.freeze_panes, bool(sheet.auto_filter.ref), ''.join(types), sheet.max_row)
";
    let workbook = demo().quarters().last().unwrap().join("workbook.xlsx");
    let output = Command::new("/usr/bin/python3").args(["-c", script]).arg(workbook).output().unwrap();
    if output.status.code() == Some(7) {
        let required = std::env::var_os("MAILASSAY_REAL_SERVERS").is_some_and(|value| value == "required");
        assert!(!required, "openpyxl is missing: apt-get install python3-openpyxl");
        eprintln!("skipped: python3 has no openpyxl");
        return;
    }
    assert!(output.status.success(), "{}", told(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), 8, "{said}");
    for sheet in said.lines() {
        let mut words = sheet.rsplit(' ');
        let (rows, types, filter, frozen) =
            (words.next().unwrap(), words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        assert_eq!((filter, frozen), ("True", "A2"), "{sheet}");
        assert!(rows.parse::<usize>().unwrap() >= 2 && !types.contains('f'), "{sheet}");
    }
    for typed in ["Risk register A2 True ns", "Findings A2 True dns", "Plan A2 True dns"] {
        assert!(said.contains(typed), "{typed} in {said}");
    }
}
