//! The report in a real browser: headless Chromium, driven over WebDriver.
//!
//! `MAILASSAY_AXE` names axe-core's `axe.min.js` (MPL-2.0, from npm; `scripts/test` fetches it). Without
//! it that one test fails where real programs are required, unless `MAILASSAY_AXE=none` says that it is
//! known to be missing; elsewhere it is skipped, by name.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{demo, needs};

/// A chromedriver with one session; both end with it.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// Held open: a driver that cannot write its log ends.
    _log: BufReader<ChildStdout>,
    _profile: tempfile::TempDir,
}

impl Browser {
    fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut log = BufReader::new(driver.stdout.take().expect("stdout is piped"));
        let port = log
            .by_ref()
            .lines()
            .map_while(Result::ok)
            // It first says "on port 0", then the one it was given.
            .find_map(|line| line.split("on port ").nth(1)?.trim_end_matches('.').parse().ok().filter(|port| *port > 0))
            .expect("chromedriver says its port");
        let profile = tempfile::tempdir().unwrap();
        let arguments = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let mut browser = Self { driver, port, session: String::new(), _log: log, _profile: profile };
        let options = json!({ "args": arguments, "binary": "/usr/bin/chromium" });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } } } });
        let answer = browser.post("/session", &wanted);
        browser.session = answer["sessionId"].as_str().expect("a session").to_owned();
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let value = self.ask("POST", path, &body.to_string()).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(value["value"]["error"].is_null(), "{path}: {}", value["value"]);
        value["value"].clone()
    }

    /// One request. The driver keeps connections open, so the answer ends where it says it does.
    fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(300)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line)?;
            match line.trim().to_ascii_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or(0),
                Some(_) => {}
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    fn open(&self, page: &Path, width: u32, more: &Value) {
        let session = format!("/session/{}", self.session);
        let device = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.cdp("Emulation.setDeviceMetricsOverride", &device);
        self.cdp("Emulation.setEmulatedMedia", more);
        self.post(&format!("{session}/url"), &json!({ "url": format!("file://{}", page.display()) }));
    }

    fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.post(
            &format!("/session/{}/goog/cdp/execute", self.session),
            &json!({ "cmd": command, "params": parameters }),
        )
    }

    fn evaluate(&self, script: &str) -> Value {
        self.post(
            &format!("/session/{}/execute/sync", self.session),
            &json!({ "script": format!("return {script}"), "args": [] }),
        )
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.ask("DELETE", &format!("/session/{}", self.session), "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[test]
fn the_report_fits_narrow_and_wide_windows_and_asks_nothing_of_the_network() {
    if !needs(&["chromedriver", "chromium"]) {
        return;
    }
    let browser = Browser::start();
    for quarter in demo().quarters() {
        let page = quarter.join("report.html");
        for width in [360, 768, 1280] {
            for media in [json!({}), json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] })] {
                browser.open(&page, width, &media);
                let inner = browser.evaluate("window.innerWidth").as_u64().unwrap();
                let scroll = browser.evaluate("document.documentElement.scrollWidth").as_u64().unwrap();
                assert_eq!(inner, u64::from(width));
                assert!(scroll <= inner, "{} at {width} px is {scroll} px wide", page.display());
            }
        }
        let requested = browser.evaluate("performance.getEntriesByType('resource').length").as_u64().unwrap();
        assert_eq!(requested, 0, "the report is one file");
        let sections = browser.evaluate("document.querySelectorAll('main section').length").as_u64().unwrap();
        assert!(sections >= 17, "the skeleton of the full report has 17 sections, found {sections}");
        let log = browser.post(&format!("/session/{}/se/log", browser.session), &json!({ "type": "browser" }));
        let complaints: Vec<&Value> =
            log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE").collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}

#[test]
fn axe_core_finds_no_serious_violation() {
    if !needs(&["chromedriver", "chromium"]) {
        return;
    }
    let named = std::env::var_os("MAILASSAY_AXE");
    let Some(axe) = named.clone().filter(|path| Path::new(path).is_file()) else {
        let required = std::env::var_os("MAILASSAY_REAL_SERVERS").is_some_and(|value| value == "required");
        let given_up = named.is_some_and(|value| value == "none");
        assert!(!required || given_up, "MAILASSAY_AXE names no axe.min.js: see scripts/test, or set it to none");
        eprintln!("skipped: axe_core_finds_no_serious_violation: MAILASSAY_AXE names no axe.min.js");
        return;
    };
    let axe = std::fs::read_to_string(axe).unwrap();
    let browser = Browser::start();
    let session = format!("/session/{}", browser.session);
    browser.post(&format!("{session}/timeouts"), &json!({ "script": 300_000 }));
    let quarters = demo().quarters();
    let quarter = quarters.last().unwrap();
    // Contrast is measured at every one of some thousand places: each look takes a while.
    let all = [
        ("executive-summary.html", 1280, "light"),
        ("report.html", 360, "dark"),
        ("executive-summary.html", 360, "dark"),
        ("report.html", 1280, "light"),
        ("report.html", 1280, "dark"),
    ];
    let looks = if std::env::var_os("MAILASSAY_FULL").is_some() { &all[..] } else { &all[..2] };
    for &(name, width, scheme) in looks {
        browser.open(
            &quarter.join(name),
            width,
            &json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
        browser.evaluate("document.querySelectorAll('details').forEach(row => { row.open = true; })");
        browser.post(&format!("{session}/execute/sync"), &json!({ "script": axe, "args": [] }));
        let script = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(\
            found => done({ passes: found.passes.length, violations: found.violations.map(\
            rule => [rule.id, rule.impact, rule.nodes.length, rule.nodes[0].target.join(' ')]) }))";
        let found = browser.post(&format!("{session}/execute/async"), &json!({ "script": script, "args": [] }));
        eprintln!("{name} at {width} px, {scheme}: {} rules pass, violations {}", found["passes"], found["violations"]);
        assert!(found["passes"].as_u64().unwrap() > 20, "{found}");
        let grave = |rule: &&Value| matches!(rule[1].as_str(), Some("serious" | "critical"));
        let grave: Vec<&Value> = found["violations"].as_array().unwrap().iter().filter(grave).collect();
        assert!(grave.is_empty(), "{name} at {width} px, {scheme}: {grave:?}");
    }
}

#[test]
fn the_script_filters_sorts_and_jumps_with_the_keyboard_alone() {
    if !needs(&["chromedriver", "chromium"]) {
        return;
    }
    let browser = Browser::start();
    let quarters = demo().quarters();
    browser.open(&quarters.last().unwrap().join("report.html"), 1280, &json!({}));
    let keys = |id: &str, text: &str| {
        let session = format!("/session/{}", browser.session);
        let found = browser.post(&format!("{session}/element"), &json!({ "using": "css selector", "value": id }));
        let element = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        browser.post(&format!("{session}/element/{element}/value"), &json!({ "text": text }));
    };
    let count =
        |selector: &str| browser.evaluate(&format!("document.querySelectorAll('{selector}').length")).as_u64().unwrap();
    let all = count("#findings .row");
    assert!(all > 3 && count("#findings .row[hidden]") == 0);
    keys("#findings .tools input", "dmarc");
    let hidden = count("#findings .row[hidden]");
    assert!(hidden > 0 && hidden < all, "{hidden} of {all} hidden");
    let said = browser.evaluate("document.querySelector('#findings .tools [role=status]').textContent");
    assert_eq!(said, json!(format!("{} of {all} shown", all - hidden)), "a screen reader is told");

    let first = "document.querySelector('#matrix table.wide tbody tr').textContent";
    let printed = browser.evaluate(first);
    // Enter presses the head of the column; the third time brings the printed order back.
    let head = "#matrix table.wide thead th:nth-child(2) button";
    keys(head, "\u{e007}");
    assert_eq!(
        browser.evaluate("document.querySelector('#matrix table.wide thead th:nth-child(2)').ariaSort"),
        json!("ascending")
    );
    assert_ne!(browser.evaluate(first), printed);
    keys(head, "\u{e007}");
    keys(head, "\u{e007}");
    assert_eq!(browser.evaluate(first), printed);

    keys("#jump", "dmarc");
    assert!(count(".found a") > 0);
    // A row that is filtered away and closed opens when it is jumped to.
    keys("#findings .tools input", " no such words");
    assert_eq!(count("#findings .row[hidden]"), all);
    let target =
        browser.evaluate("(document.querySelector('.found a').click(), document.querySelector('.found a').hash)");
    let target = target.as_str().unwrap().to_owned();
    assert!(target.starts_with('#'), "{target}");
    let open = format!(
        "(() => {{ const row = document.querySelector('{target}'); return !row.hidden && (row.open ?? true); }})()"
    );
    assert_eq!(browser.evaluate(&open), json!(true), "{target}");
    let requested = browser.evaluate("performance.getEntriesByType('resource').length").as_u64().unwrap();
    assert_eq!(requested, 0, "the script asks nothing of anybody");
}
