//! Zones under a private signed root, most of them broken in one way each, and the hosts of
//! MTA-STS policies, on loopback.

use std::fs;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::real::world::{free_port, tool};

/// One domain, its records and what is to be said of it.
pub(crate) struct Case {
    /// `spf-good.test`.
    pub(crate) name: String,
    selector: Option<String>,
    records: Vec<String>,
    pub(crate) expected: Vec<Expected>,
}

/// The verdict of one family of records, and all of its notes.
pub(crate) struct Expected {
    pub(crate) family: String,
    pub(crate) verdict: String,
    pub(crate) notes: Vec<String>,
}

impl Case {
    /// Its line in the list of targets.
    pub(crate) fn target(&self) -> String {
        match &self.selector {
            Some(selector) => format!("{},selector={selector}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Reads cases; the form is told in `truth.txt`.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(written) = line.strip_prefix("  ") else {
            let (name, selector) = line.split_once('+').map_or((line, None), |(name, s)| (name, Some(s.to_owned())));
            cases.push(Case { name: format!("{name}.test"), selector, records: Vec::new(), expected: Vec::new() });
            continue;
        };
        let case = cases.last_mut().expect("a case begins with its name");
        match written.strip_prefix("= ") {
            None => case.records.push(written.to_owned()),
            Some(expected) => {
                let mut words = expected.split(' ').map(str::to_owned);
                case.expected.push(Expected {
                    family: words.next().unwrap(),
                    verdict: words.next().unwrap(),
                    notes: words.collect(),
                });
            }
        }
    }
    cases
}

/// How a zone of its own is broken.
#[derive(Clone, Copy, PartialEq)]
enum Zone {
    /// Signed, and its signatures ran out.
    Expired,
    /// Signed, and its parent does not say so.
    Island,
    Unsigned,
    /// Its parent vouches for another key.
    WrongDs,
}

const ZONES: [(&str, Zone); 4] =
    [("expired", Zone::Expired), ("island", Zone::Island), ("unsigned", Zone::Unsigned), ("wrong-ds", Zone::WrongDs)];
const HEAD: &str = "$TTL 300\n@ IN SOA ns.test. hostmaster.test. 1 3600 900 604800 300\n@ IN NS ns.test.\n";

/// The running servers.
pub(crate) struct World {
    folder: tempfile::TempDir,
    servers: Vec<Child>,
    resolver_port: u16,
    policy_hosts: Vec<(String, u16)>,
    /// Takes questions and never answers.
    _silent: UdpSocket,
}

impl World {
    pub(crate) fn start(cases: &[Case]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let silent = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let nobody = silent.local_addr().unwrap().port();
        let mut world =
            Self { folder, servers: Vec::new(), resolver_port: free_port(), policy_hosts: Vec::new(), _silent: silent };
        world.zones(cases);
        let authority = world.authority();
        let refusing = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let refuses = refusing.local_addr().unwrap().port();
        // It ends with the test program.
        std::thread::spawn(move || refuse(&refusing));
        world.resolver(authority, nobody, refuses);
        world.policies();
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The network options that lead the program into this world.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut options = vec![
            "--resolver".to_owned(),
            format!("127.0.0.1:{}", self.resolver_port),
            "--trust-anchor".to_owned(),
            self.path("root.anchor").display().to_string(),
            "--ca-file".to_owned(),
            self.path("ca.pem").display().to_string(),
        ];
        for (host, port) in &self.policy_hosts {
            options.extend(["--connect-to".to_owned(), format!("{host}:443:127.0.0.1:{port}")]);
        }
        options
    }

    /// The servers' own words, for messages.
    pub(crate) fn logs(&self) -> String {
        ["knotd.log", "unbound.log", "nginx.log"]
            .map(|name| fs::read(self.path(name)).map(|log| String::from_utf8_lossy(&log).into_owned()))
            .into_iter()
            .flatten()
            .collect()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sign(&self, zone: &str, file: &str, more: &[&str]) {
        let folder = self.folder.path();
        tool(folder, "dnssec-keygen", &["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-n", "ZONE", zone]);
        let signed = format!("{file}.signed");
        tool(folder, "dnssec-signzone", &[&["-S", "-z", "-o", zone, "-f", &signed], more, &[file]].concat());
    }

    /// Writes and signs every zone, from the bottom up.
    fn zones(&self, cases: &[Case]) {
        let mut below = String::new();
        for (name, zone) in ZONES {
            let mail = "@ IN TXT \"v=spf1 -all\"\n@ IN MX 10 mail\nmail IN A 198.51.100.9\n";
            let tlsa = format!("_25._tcp.mail IN TLSA 3 1 1 {}\n", "ab".repeat(32));
            self.write(name, &format!("{HEAD}{mail}{tlsa}"));
            below.push_str(&format!("{name} IN NS ns.test.\n"));
            let apex = format!("{name}.test.");
            let dates: &[&str] = match zone {
                Zone::Expired => &["-P", "-s", "20200101000000", "-e", "20200201000000"],
                Zone::Island | Zone::Unsigned | Zone::WrongDs => &[],
            };
            match zone {
                Zone::Unsigned => {
                    fs::copy(self.path(name), self.path(&format!("{name}.signed"))).unwrap();
                }
                Zone::Expired | Zone::Island | Zone::WrongDs => self.sign(&apex, name, dates),
            }
            match zone {
                Zone::Expired => below.push_str(&fs::read_to_string(self.path(&format!("dsset-{apex}"))).unwrap()),
                // A digest of the right form that no key has.
                Zone::WrongDs => below.push_str(&format!("{name} IN DS 12345 13 2 {}\n", "cd".repeat(32))),
                Zone::Island | Zone::Unsigned => {}
            }
        }
        for name in ["refused", "silent"] {
            below.push_str(&format!("{name} IN NS ns.test.\n"));
        }
        let mut test = format!("{HEAD}ns IN A 127.0.0.1\n{below}");
        for case in cases {
            for record in &case.records {
                let (owner, data) = record.split_once(' ').unwrap();
                let owner = if owner == "@" { case.name.clone() } else { format!("{owner}.{}", case.name) };
                test.push_str(&format!("{owner}. IN {data}\n"));
            }
        }
        self.write("test", &test);
        self.sign("test.", "test", &[]);
        let ds = fs::read_to_string(self.path("dsset-test.")).unwrap();
        self.write("root", &format!("{HEAD}test. IN NS ns.test.\nns.test. IN A 127.0.0.1\n{ds}"));
        self.sign(".", "root", &[]);
        let key = fs::read_dir(self.folder.path()).unwrap().flatten().find_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name.starts_with("K.+") && name.ends_with(".key")).then(|| fs::read_to_string(entry.path()).unwrap())
        });
        let key = key.expect("the root has a key");
        let lines: String = key.lines().filter(|line| !line.starts_with(';')).map(|line| format!("{line}\n")).collect();
        self.write("root.anchor", &lines);
    }

    fn authority(&mut self) -> u16 {
        let port = free_port();
        let path = self.folder.path().display().to_string();
        let mut zones =
            "  - domain: \".\"\n    file: root.signed\n  - domain: \"test.\"\n    file: test.signed\n".to_owned();
        for (name, _) in ZONES {
            zones.push_str(&format!("  - domain: \"{name}.test.\"\n    file: {name}.signed\n"));
        }
        self.write(
            "knot.conf",
            &format!(
                "server:\n  rundir: {path}\n  listen: 127.0.0.1@{port}\n  tcp-max-clients: 500\ndatabase:\n  storage: {path}/knot\n\
                 template:\n  - id: default\n    storage: {path}\n    zonefile-sync: -1\n    journal-content: none\n    semantic-checks: off\n\
                 log:\n  - target: stderr\n    any: warning\nzone:\n{zones}"
            ),
        );
        self.serve("knotd", &["-c", "knot.conf"], port);
        port
    }

    fn resolver(&mut self, authority: u16, nobody: u16, refuses: u16) {
        let path = self.folder.path().display().to_string();
        let mut stubs = String::new();
        let zones = ZONES.iter().map(|(name, _)| (format!("{name}.test."), authority));
        let zones = zones.chain([
            (".".to_owned(), authority),
            ("test.".to_owned(), authority),
            ("refused.test.".to_owned(), refuses),
            ("silent.test.".to_owned(), nobody),
        ]);
        for (zone, port) in zones {
            stubs.push_str(&format!("stub-zone:\n  name: \"{zone}\"\n  stub-addr: 127.0.0.1@{port}\n"));
        }
        self.write(
            "unbound.conf",
            &format!(
                "server:\n  interface: 127.0.0.1\n  port: {port}\n  do-ip6: no\n  do-daemonize: no\n  username: \"\"\n  chroot: \"\"\n\
                 \x20 directory: \"{path}\"\n  pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  trust-anchor-file: \"{path}/root.anchor\"\n\
                 \x20 do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow\n  module-config: \"validator iterator\"\n\
                 \x20 local-zone: \"test.\" nodefault\n  incoming-num-tcp: 100\n  num-queries-per-thread: 2048\n  outgoing-range: 4096\n\
                 remote-control:\n  control-enable: no\n{stubs}",
                port = self.resolver_port
            ),
        );
        self.serve("unbound", &["-d", "-c", "unbound.conf"], self.resolver_port);
    }

    /// One certificate for all policy hosts but one, whose certificate names another.
    fn policies(&mut self) {
        let port = free_port();
        let path = self.folder.path().display().to_string();
        let policy = |mode: &str, mx: &str, max_age: u32| {
            format!("version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: {max_age}\r\n")
        };
        let here = "mail.mx-good.test";
        let enforce = policy("enforce", here, 2_592_000);
        let (plain, html) = ("default_type text/plain;", "default_type text/html;");
        let hosts: [(&str, String, &str); 11] = [
            ("sts-enforce", enforce.clone(), plain),
            ("sts-testing", policy("testing", here, 2_592_000), plain),
            ("sts-none", policy("none", here, 2_592_000), plain),
            ("sts-mismatch", policy("enforce", "other.test", 2_592_000), plain),
            ("sts-redirect", enforce.clone(), "return 302 https://mta-sts.sts-enforce.test/;"),
            ("sts-404", enforce.clone(), "return 404;"),
            ("sts-html", enforce.clone(), html),
            ("sts-big", format!("{enforce}{}", "x: y\r\n".repeat(30_000)), plain),
            ("sts-short", policy("enforce", here, 60), plain),
            ("sts-other-name", enforce.clone(), plain),
            ("sts-drip", format!("{enforce}{}", "x: y\r\n".repeat(1_000)), "default_type text/plain; limit_rate 50;"),
        ];
        let folder = self.folder.path().to_owned();
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let ca = ["req", "-x509", "-days", "30", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"];
        tool(&folder, "openssl", &[&ca[..], &new_key].concat());
        let names: Vec<String> = hosts
            .iter()
            .filter(|(name, ..)| *name != "sts-other-name")
            .map(|(name, ..)| format!("DNS:mta-sts.{name}.test"))
            .collect();
        for (certificate, names) in [("hosts", names.join(",")), ("other", "DNS:www.sts-other-name.test".to_owned())] {
            self.write("extensions", &format!("subjectAltName={names}\n"));
            let (key, request) = (format!("{certificate}.key"), format!("{certificate}.csr"));
            let asked = ["req", "-subj", "/CN=policy hosts", "-keyout", &key, "-out", &request];
            tool(&folder, "openssl", &[&asked[..], &new_key].concat());
            let out = format!("{certificate}.pem");
            #[rustfmt::skip]
            tool(&folder, "openssl", &[
                "x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "20", "-extfile", "extensions", "-out", &out,
            ]);
        }
        let mut servers = String::new();
        for (name, text, how) in hosts {
            let host = format!("mta-sts.{name}.test");
            self.write(&format!("web/{name}/.well-known/mta-sts.txt"), &text);
            let certificate = if name == "sts-other-name" { "other" } else { "hosts" };
            servers.push_str(&format!(
                "server {{\n listen 127.0.0.1:{port} ssl;\n server_name {host};\n root {path}/web/{name};\n\
                 \x20ssl_certificate {path}/{certificate}.pem;\n ssl_certificate_key {path}/{certificate}.key;\n\
                 \x20location / {{ types {{ }} {how} }}\n}}\n"
            ));
            self.policy_hosts.push((host, port));
        }
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!(" {kind}_temp_path {path}/nginx-{kind};\n"))
            .concat();
        self.write(
            "nginx.conf",
            &format!(
                "daemon off;\npid {path}/nginx.pid;\nerror_log stderr warn;\nuser root;\nevents {{}}\nhttp {{\n access_log off;\n\
                 {folders}{servers}}}\n"
            ),
        );
        let configuration = self.path("nginx.conf").display().to_string();
        self.serve("nginx", &["-p", &path, "-c", &configuration], port);
    }

    fn serve(&mut self, program: &str, arguments: &[&str], port: u16) {
        let log = fs::File::create(self.path(&format!("{program}.log"))).unwrap();
        let server = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        self.servers.push(server);
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "nothing listens on {port}:\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Answers every question with REFUSED (RFC 1035 §4.1.1).
fn refuse(socket: &UdpSocket) {
    let mut packet = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut packet) {
        if length > 12 {
            packet[2] |= 0x80;
            packet[3] = 5;
            // The additional section is taken away with its count.
            packet[10..12].fill(0);
            let question = packet[12..length].iter().position(|byte| *byte == 0).map_or(length, |end| 12 + end + 5);
            let _ = socket.send_to(&packet[..question.min(length)], from);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // SIGTERM lets a master stop its own children; a kill would leave them behind.
            let _ = Command::new("kill").args(["-TERM", &server.id().to_string()]).status();
        }
        for server in &mut self.servers {
            let started = Instant::now();
            while matches!(server.try_wait(), Ok(None)) && started.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
