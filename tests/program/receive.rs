//! The receiving lab against postfix as the sender, at each of its security levels.
//!
//! Names, zones and certificates are made for the test; everything stays on loopback. Postfix's
//! client asks the resolver of its chroot, so a signed root zone of our own decides what it finds.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::real::world::{free_port, tool};
use crate::support::{mailassay, needs};

const BEHAVIOURS: [&str; 7] =
    ["trusted", "expired", "without-starttls", "stripped", "tls-1.0-only", "mta-sts-mismatch", "dane-mismatch"];
const TOKEN: &str = "test-message-7";

/// A level of postfix, what the lab has to conclude, and how each server's message has to come.
struct Expected {
    level: &'static str,
    outgoing_tls: &'static str,
    dane: &'static str,
    mta_sts: &'static str,
    /// In the order of [`BEHAVIOURS`]: (c)lear, over (t)ls, or (w)ithheld. After a handshake that
    /// failed postfix falls back to clear at a later try only, which the test does not wait for.
    came: &'static str,
}

const LEVELS: [Expected; 5] = [
    Expected { level: "none", outgoing_tls: "never", dane: "ignored", mta_sts: "ignored", came: "ccccccc" },
    Expected { level: "may", outgoing_tls: "opportunistic", dane: "ignored", mta_sts: "ignored", came: "ttccwtt" },
    Expected { level: "encrypt", outgoing_tls: "enforced", dane: "ignored", mta_sts: "ignored", came: "ttwwwtt" },
    Expected { level: "dane", outgoing_tls: "opportunistic", dane: "honoured", mta_sts: "ignored", came: "ttccwtw" },
    Expected {
        level: "verify",
        outgoing_tls: "enforced-and-verified",
        dane: "not-shown",
        mta_sts: "not-shown",
        came: "twwwwww",
    },
];

struct Lab {
    folder: tempfile::TempDir,
    servers: Vec<Child>,
    /// Where the resolver listens: port 53, since a resolv.conf names no port.
    resolver: String,
    /// The port of each behaviour's server.
    ports: Vec<u16>,
}

impl Drop for Lab {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn name(behaviour: &str) -> String {
    format!("{}.lab.example", behaviour.replace('.', "-"))
}

impl Lab {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Two runs on one machine must not meet: the address follows the process id.
        let id = std::process::id();
        let resolver = format!("127.{}.{}.{}", 64 + (id >> 16) % 64, (id >> 8) % 256, id % 254 + 1);
        let ports = BEHAVIOURS.iter().map(|_| free_port()).collect();
        let mut lab = Self { folder, servers: Vec::new(), resolver, ports };
        lab.certificate();
        lab.names();
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn certificate(&self) {
        let folder = self.folder.path();
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let ca = ["req", "-x509", "-days", "30", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"];
        tool(folder, "openssl", &[&ca[..], &key[..]].concat());
        let name = name("trusted");
        let (subject, names) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
        let leaf = [
            "req", "-x509", "-days", "20", "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "leaf.key", "-out",
            "leaf.pem",
        ];
        let leaf =
            [&leaf[..], &key[..], &["-subj", &subject, "-addext", &names, "-addext", "basicConstraints=CA:FALSE"]];
        tool(folder, "openssl", &leaf.concat());
    }

    /// One signed zone, the root, holds every name.
    fn names(&mut self) {
        let mut zone =
            "$TTL 300\n. IN SOA ns. hostmaster. 1 3600 900 604800 300\n. IN NS ns.\nns. IN A 127.0.0.1\n".to_owned();
        for (behaviour, port) in BEHAVIOURS.iter().zip(&self.ports) {
            let name = name(behaviour);
            zone += &format!("{name}. IN A 127.0.0.1\n");
            if *behaviour == "dane-mismatch" {
                zone += &format!("_{port}._tcp.{name}. IN TLSA 3 1 1 {}\n", "ab".repeat(32));
            }
        }
        self.write("root", &zone);
        let folder = self.folder.path().to_owned();
        tool(&folder, "dnssec-keygen", &["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-n", "ZONE", "."]);
        tool(&folder, "dnssec-signzone", &["-S", "-z", "-o", ".", "-f", "root.signed", "root"]);
        let anchor = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).find(|path| {
            path.extension().is_some_and(|extension| extension == "key") && path.to_string_lossy().contains("K.+")
        });
        let path = folder.display();
        let port = free_port();
        self.write(
            "knot.conf",
            &format!(
                "server:\n  rundir: {path}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {path}/knot\n\
             template:\n  - id: default\n    storage: {path}\n    zonefile-sync: -1\n    journal-content: none\n\
             log:\n  - target: stderr\n    any: warning\nzone:\n  - domain: .\n    file: root.signed\n"
            ),
        );
        self.serve("knotd", &["-c", "knot.conf"], ("127.0.0.1", port));
        self.write("unbound.conf", &format!(
            "server:\n  interface: {resolver}\n  port: 53\n  do-ip6: no\n  do-daemonize: no\n  username: \"\"\n  chroot: \"\"\n\
             \x20 directory: \"{path}\"\n  pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  trust-anchor-file: \"{}\"\n\
             \x20 do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow\n  module-config: \"validator iterator\"\n\
             \x20 local-zone: \"example.\" nodefault\nremote-control:\n  control-enable: no\n\
             stub-zone:\n  name: \".\"\n  stub-addr: 127.0.0.1@{port}\n",
            anchor.unwrap().display(),
            resolver = self.resolver,
        ));
        let resolver = self.resolver.clone();
        self.serve("unbound", &["-d", "-c", "unbound.conf"], (&resolver, 53));
    }

    fn serve(&mut self, program: &str, arguments: &[&str], listens: (&str, u16)) {
        let log = fs::File::create(self.path(&format!("{program}.log"))).unwrap();
        let server = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.servers.push(server);
        let started = Instant::now();
        while TcpStream::connect(listens).is_err() {
            let log = fs::read_to_string(self.path(&format!("{program}.log"))).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(30), "{program} does not listen: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The setup file of the lab under test.
    fn setup(&self) -> PathBuf {
        let servers: String = BEHAVIOURS
            .iter()
            .zip(&self.ports)
            .map(|(behaves, port)| {
                let certificate = if *behaves == "trusted" { ", chain: leaf.pem, key: leaf.key" } else { "" };
                format!(
                    "  - {{ name: {}, listen: \"127.0.0.1:{port}\", behaves: {behaves}{certificate} }}\n",
                    name(behaves)
                )
            })
            .collect();
        self.write("receive.yaml", &format!("schema: 1\nservers:\n{servers}"));
        self.path("receive.yaml")
    }

    /// Postfix as a sender of this level; gives its configuration folder and its log.
    fn sender(&self, level: &str) -> (PathBuf, PathBuf) {
        let path = self.path(level).display().to_string();
        let authority = self.path("ca.pem").display().to_string();
        let dnssec = if level == "dane" { "smtp_dns_support_level = dnssec\n" } else { "" };
        self.write(&format!("{level}/etc/main.cf"), &format!(
            "compatibility_level = 3.6\nmyhostname = out.clinic.example\nmyorigin = clinic.example\nmydestination =\n\
             inet_interfaces = loopback-only\ninet_protocols = ipv4\nalias_maps =\nalias_database =\n\
             queue_directory = {path}/queue\ndata_directory = {path}/data\nmaillog_file_prefixes = {path}\nmaillog_file = {path}/log\n\
             transport_maps = texthash:{path}/etc/transport\nsmtp_tls_security_level = {level}\nsmtp_tls_CAfile = {authority}\n{dnssec}"
        ));
        let transport: String = BEHAVIOURS
            .iter()
            .zip(&self.ports)
            .map(|(behaves, port)| format!("{name} smtp:[{name}]:{port}\n", name = name(behaves)))
            .collect();
        self.write(&format!("{level}/etc/transport"), &transport);
        self.write(
            &format!("{level}/etc/master.cf"),
            "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
             defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nsmtp unix - - y - - smtp\nerror unix - - n - - error\n\
             retry unix - - n - - error\nscache unix - - n - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n",
        );
        self.write(
            &format!("{level}/queue/etc/resolv.conf"),
            &format!("nameserver {}\noptions edns0 trust-ad\n", self.resolver),
        );
        fs::create_dir_all(self.path(&format!("{level}/data"))).unwrap();
        tool(self.folder.path(), "chown", &["postfix", &format!("{level}/data")]);
        let configuration = self.path(&format!("{level}/etc"));
        tool(self.folder.path(), "postfix", &["-c", &configuration.display().to_string(), "start"]);
        (configuration, self.path(&format!("{level}/log")))
    }
}

/// Sends each server its message and waits until postfix has decided about all of them.
fn send_all(configuration: &Path, log: &Path) {
    use std::io::Write;
    for behaviour in BEHAVIOURS {
        let recipient = format!("{TOKEN}@{}", name(behaviour));
        let mut sendmail = Command::new("/usr/sbin/sendmail")
            .arg("-C")
            .arg(configuration)
            .args(["-f", "ana@clinic.example", &recipient])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let text = "Subject: invented secret subject\n\nAn invented body that nobody may keep.\n";
        sendmail.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(sendmail.wait().unwrap().success());
    }
    let started = Instant::now();
    loop {
        let told = fs::read_to_string(log).unwrap_or_default();
        let decided = BEHAVIOURS.iter().all(|behaviour| {
            let recipient = format!("to=<{TOKEN}@{}>", name(behaviour));
            told.lines().any(|line| line.contains(&recipient) && line.contains("status="))
        });
        if decided {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(120), "postfix has not decided:\n{told}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What the lab says after postfix sent at this level.
fn at_level(lab: &Lab, level: &str) -> (Value, String, String) {
    let setup = lab.setup();
    let mut receiving = mailassay()
        .arg("receive")
        .arg(&setup)
        .args(["--token", TOKEN, "--wait", "5m", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(receiving.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("Waiting for messages") {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "the lab does not start");
    }
    let (configuration, log) = lab.sender(level);
    send_all(&configuration, &log);
    // It has ended by itself where every message came.
    let _ = Command::new("kill").args(["-INT", &receiving.id().to_string()]).stderr(Stdio::null()).status();
    let output = receiving.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    tool(lab.folder.path(), "postfix", &["-c", &configuration.display().to_string(), "stop"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let log = fs::read_to_string(log).unwrap_or_default();
    (serde_json::from_str(&text).unwrap(), text, log)
}

fn came(server: &Value) -> char {
    let deliveries: Vec<&Value> = server["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["delivered"])
        .filter(|delivery| !delivery.is_null())
        .collect();
    match deliveries.first() {
        None => 'w',
        Some(delivery) if delivery["over_tls"] == true => 't',
        Some(_) => 'c',
    }
}

#[test]
fn postfix_at_each_security_level_is_told_right() {
    if !needs(&["postfix", "sendmail", "knotd", "unbound", "dnssec-signzone", "openssl"]) {
        return;
    }
    let lab = Lab::start();
    for expected in &LEVELS {
        let (result, text, log) = at_level(&lab, expected.level);
        let came: String = result["servers"].as_array().unwrap().iter().map(came).collect();
        assert_eq!(came, expected.came, "at level {}:\n{text}\n{log}", expected.level);
        let conclusion = &result["conclusion"];
        assert_eq!(conclusion["outgoing_tls"], expected.outgoing_tls, "at level {}: {text}", expected.level);
        assert_eq!(conclusion["dane"], expected.dane, "at level {}: {text}", expected.level);
        assert_eq!(conclusion["mta_sts"], expected.mta_sts, "at level {}: {text}", expected.level);
        // Postfix lowers what OpenSSL asks and takes TLS 1.0 by default; at level none nothing shakes hands.
        let takes_old = if expected.level == "none" { Value::Null } else { Value::Bool(true) };
        assert_eq!(conclusion["takes_tls_1_0"], takes_old, "at level {}: {text}", expected.level);
        assert!(!text.contains("invented"), "only trace fields are kept: {text}");
        if came.contains('t') {
            assert!(text.contains("TLSv1.3"), "{text}");
        }
    }
}

fn quietly_receiving(setup: &Path) -> Child {
    mailassay()
        .arg("receive")
        .arg(setup)
        .args(["--token", TOKEN, "--wait", "2m", "--format", "json", "--quiet"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn the_lab_takes_nothing_but_its_test_message() {
    if !needs(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let setup = folder.path().join("receive.yaml");
    fs::write(
        &setup,
        format!("schema: 1\nservers: [{{ name: clear.lab.example, listen: \"127.0.0.1:{port}\", behaves: without-starttls }}]\n"),
    )
    .unwrap();
    let receiving = quietly_receiving(&setup);
    let started = Instant::now();
    let stream = loop {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            break stream;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "the lab does not listen");
        std::thread::sleep(Duration::from_millis(20));
    };
    let replies = dialogue(
        stream,
        &[
            "EHLO stranger.example",
            "MAIL FROM:<a@stranger.example>",
            "RCPT TO:<victim@elsewhere.example>",
            "RCPT TO:<guess@clear.lab.example>",
            "DATA",
            "VRFY root",
            "AUTH PLAIN AGEAYg==",
            &format!("RCPT TO:<{TOKEN}@clear.lab.example>"),
            "DATA",
            "Received: from a by b;\r\n\t1 Jan 2026\r\nSubject: invented\r\n\r\ntext\r\n.",
            // With the message the conversation ends: who keeps it open keeps no result back.
            "NOOP",
        ],
    );
    assert_eq!(replies, ["220", "250", "250", "550", "550", "503", "502", "502", "250", "354", "250", ""]);
    let output = receiving.wait_with_output().unwrap();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let delivered = &result["servers"][0]["attempts"][0]["delivered"];
    assert_eq!(delivered["received"], serde_json::json!(["from a by b; 1 Jan 2026"]));
    assert_eq!(result["conclusion"]["outgoing_tls"], "opportunistic");
}

#[test]
fn a_message_that_is_too_large_or_never_ends_was_still_read_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let ports = [free_port(), free_port()];
    let setup = folder.path().join("receive.yaml");
    let server = |name: &str, port: u16| {
        format!("{{ name: {name}.lab.example, listen: \"127.0.0.1:{port}\", behaves: without-starttls }}")
    };
    let text = format!("schema: 1\nservers: [{}, {}]\n", server("large", ports[0]), server("cut", ports[1]));
    fs::write(&setup, text).unwrap();
    let receiving = quietly_receiving(&setup);
    let large = format!("Subject: invented\r\n\r\n{}.", format!("{}\r\n", "x".repeat(998)).repeat(1100));
    for (name, port, body) in [("large", ports[0], large.as_str()), ("cut", ports[1], "Received: from a by b")] {
        let started = Instant::now();
        let stream = loop {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
                break stream;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "the lab does not listen");
            std::thread::sleep(Duration::from_millis(20));
        };
        let recipient = format!("RCPT TO:<{TOKEN}@{name}.lab.example>");
        let before = ["EHLO out.clinic.example", "MAIL FROM:<a@clinic.example>", &recipient, "DATA"];
        let mut writer = stream.try_clone().unwrap();
        assert_eq!(dialogue(stream, &before), ["220", "250", "250", "250", "354"]);
        let _ = std::io::Write::write_all(&mut writer, format!("{body}\r\n").as_bytes());
        let _ = writer.shutdown(std::net::Shutdown::Both);
    }
    let output = receiving.wait_with_output().unwrap();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    for server in result["servers"].as_array().unwrap() {
        assert_eq!(server["attempts"][0]["delivered"]["over_tls"], false, "{server}");
    }
}

/// Sends lines one by one and gives the code of each last reply line.
fn dialogue(stream: TcpStream, lines: &[&str]) -> Vec<String> {
    use std::io::Write;
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    let mut reply = || {
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return String::new();
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.chars().take(3).collect::<String>();
            }
        }
    };
    let mut replies = vec![reply()];
    for line in lines {
        // A conversation that is over takes nothing more.
        let _ = writer.write_all(format!("{line}\r\n").as_bytes());
        replies.push(reply());
    }
    replies
}
