//! The questionnaire and the plan go out, are edited in a spreadsheet, come back, and a later
//! assessment closes what was done.

use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{Format, Workbook};
use serde_json::Value;

use crate::support::{mailassay, told};

const SCOPE: &str = "schema: 1
organization: { name: Invented Clinic, role: covered-entity, individuals: 4200 }
authorization: { granted_by: Ana Ruiz, role: Security Official, on: 2026-01-01, until: 2036-01-01, covers: [clinic.example] }
domains: [{ name: clinic.example }]
answers: answers.yaml
";

struct Client(tempfile::TempDir);

impl Client {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("scope.yaml"), SCOPE).unwrap();
        std::fs::write(folder.path().join("answers.yaml"), "[]\n").unwrap();
        Self(folder)
    }

    /// Runs the program in the client's folder; what it printed, where it ends as expected.
    fn run(&self, ends: i32, arguments: &[&str]) -> String {
        let output = mailassay().args(arguments).current_dir(self.0.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(ends), "{arguments:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Collects the answers and judges them: what the assessment says.
    fn assess(&self, name: &str) -> Value {
        self.run(0, &["collect", "--scope", "scope.yaml", "--only", "answers", "--out", &format!("evidence-{name}")]);
        let stored = self.run(0, &["assess", "--exit-zero", "--evidence", &format!("evidence-{name}")]);
        std::fs::write(self.0.path().join(format!("{name}.json")), &stored).unwrap();
        serde_json::from_str(&stored).unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// A workbook with some cells changed, saved as another: by row key, column, new text. Text that
    /// begins with `=` is written as a formula. Rows are added below.
    fn edit(
        &self,
        from: &str,
        to: &str,
        key: &str,
        edits: &[(&str, &str, &str)],
        added: &[&[(&str, &str)]],
        merge: Option<&str>,
    ) {
        let mut book: Xlsx<_> = calamine::open_workbook(self.0.path().join(from)).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        let text = |cell: &Data| match cell {
            Data::Empty => String::new(),
            Data::DateTime(moment) => {
                let (year, month, day, ..) = moment.to_ymd_hms_milli();
                format!("{year:04}-{month:02}-{day:02}")
            }
            other => other.to_string(),
        };
        let mut rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(text).collect()).collect();
        let column =
            |name: &str| rows[0].iter().position(|known| known == name).unwrap_or_else(|| panic!("no column {name}"));
        let columns: Vec<(usize, usize, String)> = edits
            .iter()
            .map(|(row, name, text)| {
                let at =
                    rows.iter().position(|cells| cells[column(key)] == *row).unwrap_or_else(|| panic!("no row {row}"));
                (at, column(name), (*text).to_owned())
            })
            .collect();
        let new: Vec<Vec<String>> = added
            .iter()
            .map(|cells| {
                let mut row = vec![String::new(); rows[0].len()];
                for (name, text) in *cells {
                    row[column(name)] = (*text).to_owned();
                }
                row
            })
            .collect();
        let merged = merge.map(|row| rows.iter().position(|cells| cells[column(key)] == row).unwrap());
        let owner = rows[0].iter().position(|name| name == "owner");
        for (row, at, text) in columns {
            rows[row][at] = text;
        }
        rows.extend(new);
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, cells) in rows.iter().enumerate() {
            for (at, text) in cells.iter().enumerate() {
                let (row, at) = (row as u32, at as u16);
                if text.starts_with('=') {
                    sheet.write_formula(row, at, text.as_str()).unwrap();
                } else {
                    sheet.write_string(row, at, text).unwrap();
                }
            }
        }
        if let (Some(row), Some(owner)) = (merged, owner) {
            let (row, owner) = (row as u32, owner as u16);
            sheet.merge_range(row, owner, row + 1, owner, "one for two rows", &Format::new()).unwrap();
        }
        workbook.save(self.0.path().join(to)).unwrap();
    }
}

fn today(assessment: &Value) -> String {
    assessment["as_of"].as_str().unwrap()[..10].to_owned()
}

fn item<'a>(assessment: &'a Value, check: &str) -> Option<&'a Value> {
    assessment["plan"].as_array().unwrap().iter().find(|item| item["check"] == check)
}

fn id_of(assessment: &Value, check: &str) -> String {
    item(assessment, check).unwrap()["id"].as_str().unwrap().to_owned()
}

fn line<'t>(told: &'t str, part: &str) -> &'t str {
    told.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("`{part}` is not in\n{told}"))
}

#[test]
fn what_was_answered_and_planned_in_a_spreadsheet_closes_items_with_evidence() {
    let client = Client::new();
    let first = client.assess("first");
    let today = today(&first);

    // The questionnaire goes out, is filled in and comes back; nothing is written without --write.
    client.run(
        0,
        &["questionnaire", "export", "--scope", "scope.yaml", "--assessment", "first.json", "--out", "q1.xlsx"],
    );
    let answered = |id: &'static str, answer: &'static str| {
        [(id, "answer", answer), (id, "by", "Ana Ruiz"), (id, "role", "Security Official"), (id, "on", today.as_str())]
    };
    let mut edits = Vec::new();
    for (id, answer) in [("security-official", "no"), ("mail-policy", "no"), ("sanction-policy", "yes")] {
        edits.extend(answered(id, answer));
    }
    client.edit("q1.xlsx", "q1-back.xlsx", "id", &edits, &[], None);
    let shown = client.run(0, &["questionnaire", "import", "--scope", "scope.yaml", "q1-back.xlsx"]);
    assert!(line(&shown, "answers change").starts_with("3 answers change, 0 rows are rejected"), "{shown}");
    assert_eq!(client.read("answers.yaml"), "[]\n");
    client.run(0, &["questionnaire", "import", "--scope", "scope.yaml", "--write", "q1-back.xlsx"]);

    let second = client.assess("second");
    assert!(item(&second, "security-official-named").is_some() && item(&second, "mail-policy-written").is_some());

    // The plan goes out and comes back with good rows and bad ones.
    client.run(0, &["plan", "export", "second.json", "--out", "plan.xlsx"]);
    let official = id_of(&second, "security-official-named");
    let policy = id_of(&second, "mail-policy-written");
    let edits = [
        (official.as_str(), "owner", "Ben Ortiz"),
        (official.as_str(), "due", "2031-03-31"),
        (official.as_str(), "status", "in-progress"),
        (official.as_str(), "milestones", "2031-01-31 ask the board"),
        (policy.as_str(), "owner", "Ana Ruiz"),
        (policy.as_str(), "due", "31 March, or so"),
    ];
    let stranger: &[(&str, &str)] =
        &[("item_id", "00000000-0000-5000-8000-000000000000"), ("check", "no-such-check"), ("owner", "Nobody")];
    let other_catalogue: &[(&str, &str)] = &[
        ("item_id", "00000000-0000-5000-8000-000000000001"),
        ("owner", "Nobody"),
        ("source_report", "catalogue 0.0.1, as of 2020-01-01T00:00:00Z"),
    ];
    let formula: &[(&str, &str)] =
        &[("item_id", official.as_str()), ("check", "security-official-named"), ("owner", "=1+1")];
    client.edit("plan.xlsx", "plan-back.xlsx", "item_id", &edits, &[stranger, other_catalogue, formula], None);
    let shown = client.run(
        64,
        &["plan", "import", "--scope", "scope.yaml", "--assessment", "second.json", "--write", "plan-back.xlsx"],
    );
    assert!(line(&shown, "security-official-named").ends_with("accepted"), "{shown}");
    assert!(line(&shown, "mail-policy-written").contains("rejected: `due`"), "{shown}");
    assert!(line(&shown, "no-such-check").contains("rejected: no item"), "{shown}");
    assert!(shown.contains("catalogue 0.0.1"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.contains(": rejected:")).count(), 4, "each bad row says why:\n{shown}");
    let plan = client.read("plan.yaml");
    assert!(plan.contains("Ben Ortiz") && plan.contains("due: 2031-03-31") && !plan.contains("Nobody"), "{plan}");

    // A merged cell stands for two rows: whose it is, nobody can say.
    client.edit("plan.xlsx", "plan-merged.xlsx", "item_id", &[], &[], Some(&official));
    let shown =
        client.run(64, &["plan", "import", "--scope", "scope.yaml", "--assessment", "second.json", "plan-merged.xlsx"]);
    assert!(line(&shown, "security-official-named").contains("rejected: `owner` holds a merged cell"), "{shown}");

    // It is done, answered anew, and a later assessment closes the item by its evidence.
    client.run(
        0,
        &["questionnaire", "export", "--scope", "scope.yaml", "--assessment", "second.json", "--out", "q2.xlsx"],
    );
    client.edit("q2.xlsx", "q2-back.xlsx", "id", &answered("security-official", "yes"), &[], None);
    client.run(0, &["questionnaire", "import", "--scope", "scope.yaml", "--write", "q2-back.xlsx"]);
    let third = client.assess("third");
    assert!(item(&third, "security-official-named").is_none(), "it fails no more");
    let closed = third["decisions"]["closed"].as_array().unwrap();
    let closed = closed.iter().find(|item| item["check"] == "security-official-named").unwrap();
    assert_eq!(closed["owner"], "Ben Ortiz");
    assert_eq!(closed["evidence_sha256"].as_str().map(str::len), Some(64), "{closed}");
    let still = item(&third, "mail-policy-written").unwrap();
    assert_eq!(still["owner"], Value::Null, "a rejected row changed nothing");

    // The questionnaire comes prefilled with what was answered.
    client
        .run(0, &["questionnaire", "export", "--scope", "scope.yaml", "--assessment", "third.json", "--out", "q3.csv"]);
    let prefilled = client.read("q3.csv");
    assert!(line(&prefilled, "security-official").contains("current (answered"), "{prefilled}");
}

/// Everything that passes as the days go by only grows older: no level falls.
#[test]
fn stale_evidence_never_beats_fresh() {
    let client = Client::new();
    let first = client.assess("first");
    let today = today(&first);
    let answers: String = [
        "security-official",
        "mail-policy",
        "sanction-policy",
        "risk-analysis",
        "risk-management",
        "incident-response",
        "mail-backup",
        "restore-test",
        "training-program",
    ]
    .iter()
    .map(|id| format!("- {{ id: {id}, answer: yes, by: Ana Ruiz, on: {today} }}\n"))
    .collect();
    std::fs::write(client.0.path().join("answers.yaml"), answers).unwrap();
    let fresh = client.assess("fresh");
    let levels = |assessment: &Value| -> Vec<(String, usize, usize)> {
        let place = |word: &Value| {
            ["very-low", "low", "moderate", "high", "very-high"].iter().position(|level| word == level).unwrap()
        };
        let risks = assessment["risks"].as_array().unwrap().iter();
        let mut all: Vec<_> = risks
            .map(|risk| {
                let residual = &risk["residual"];
                (
                    risk["scenario"].as_str().unwrap().to_owned(),
                    place(&residual["likelihood"]),
                    place(&residual["risk"]),
                )
            })
            .collect();
        all.sort();
        all
    };
    let mut before = levels(&fresh);
    let mut fell_behind = false;
    let year: i32 = today[..4].parse().unwrap();
    for later in 1..=4 {
        let as_of = format!("{}{}", year + later, &today[4..]).replace("-02-29", "-02-28");
        let stale = client.run(0, &["assess", "--exit-zero", "--evidence", "evidence-fresh", "--as-of", &as_of]);
        let stale = levels(&serde_json::from_str(&stale).unwrap());
        assert_eq!(stale.len(), before.len());
        for (then, now) in before.iter().zip(&stale) {
            assert!(now.0 == then.0 && now.1 >= then.1 && now.2 >= then.2, "{then:?} became {now:?} in {later} years");
            fell_behind |= now.1 > then.1;
        }
        before = stale;
    }
    assert!(fell_behind, "answers run out, and with them what they earned");
}

#[test]
fn registers_go_out_empty_come_back_filled_and_say_what_is_due() {
    let client = Client::new();
    let folder = client.0.path().join("registers");
    std::fs::create_dir(&folder).unwrap();
    let scope = SCOPE.replace("answers: answers.yaml\n", "answers: answers.yaml\nregisters: registers/\n");
    std::fs::write(client.0.path().join("scope.yaml"), scope).unwrap();
    let listed: Value = serde_json::from_str(&client.run(0, &["register", "list", "--format", "json"])).unwrap();
    assert_eq!(listed["registers"].as_array().unwrap().len(), 18);
    client.run(64, &["register", "check", "registers"]);
    client.run(0, &["register", "template", "incidents", "--out", "registers"]);
    client.run(64, &["register", "template", "incidents", "--out", "registers"]);
    client.run(64, &["register", "schema", "patients"]);
    let schema: Value = serde_json::from_str(&client.run(0, &["register", "schema", "incidents"])).unwrap();
    let names: Vec<&str> =
        schema["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!(client.read("registers/incidents.csv").trim_end(), names.join(","));
    let row = |said: &[(&str, &str)]| {
        let of = |name: &&str| said.iter().find(|(column, _)| column == name).map_or("", |(_, text)| *text);
        names.iter().map(of).collect::<Vec<_>>().join(",")
    };
    // Judged thirty days after it was found, so that it is neither overdue nor far off.
    let (day, due, as_of) = ("2098-11-01", "20981231", "2098-12-01T12:00:00Z");
    let open = row(&[("incident_id", "i-1"), ("kind", "misdirected"), ("discovered", day), ("breach", "undecided")]);
    let wrong = row(&[("incident_id", "i-2"), ("kind", "Jane Doe wrote"), ("discovered", day), ("breach", "no")]);
    let table = |rows: &[&String]| {
        let rows: Vec<&str> = rows.iter().map(|row| row.as_str()).collect();
        std::fs::write(folder.join("incidents.csv"), format!("{}\n{}\n", names.join(","), rows.join("\n"))).unwrap();
    };
    table(&[&open, &wrong]);
    let told = client.run(64, &["register", "check", "registers"]);
    assert!(told.contains("row 3: rejected: `kind` is none of misdirected") && !told.contains("Jane"), "{told}");
    table(&[&open]);
    client.run(0, &["register", "check", "registers/incidents.csv"]);
    client.run(0, &["collect", "--scope", "scope.yaml", "--only", "registers", "--out", "evidence"]);
    let stored = client.run(0, &["assess", "--exit-zero", "--evidence", "evidence", "--as-of", as_of]);
    std::fs::write(client.0.path().join("assessment.json"), &stored).unwrap();
    let assessment: Value = serde_json::from_str(&stored).unwrap();
    let passed = assessment["passed"].as_array().unwrap();
    assert!(passed.iter().any(|passed| passed["check"] == "incidents-assessed-and-notified-in-time"), "{passed:?}");
    let calendar = client.run(0, &["plan", "due", "assessment.json", "--format", "ics"]).replace("\r\n ", "");
    assert!(calendar.contains("incidents i-1: notice to individuals is due"), "{calendar}");
    assert!(calendar.contains(&format!("DTSTART;VALUE=DATE:{due}")), "{calendar}");
}

#[test]
fn the_table_of_nist_makes_the_likelihood_where_it_is_asked_for() {
    let client = Client::new();
    client.run(0, &["collect", "--scope", "scope.yaml", "--only", "answers", "--out", "evidence"]);
    let out = ["assess", "--exit-zero", "--evidence", "evidence", "--out", "report", "--likelihood", "nist-g5"];
    client.run(0, &out);
    let assessment: Value = serde_json::from_str(&client.read("report/assessment.json")).unwrap();
    assert!(assessment["tool"]["risk_model"].as_str().unwrap().ends_with("(nist-g5)"));
    let explained = assessment["risks"][0]["explain"].to_string();
    assert!(explained.contains("table G-5 of NIST SP 800-30r1"), "{explained}");
    // The report says by which rule it was made, and is made again by it.
    client.run(0, &["verify", "report", "--evidence", "evidence"]);
}
