//! Debian's own servers on loopback: knot and unbound with a private signed root, postfix and
//! dovecot as Debian configures them, nginx for the MTA-STS policy and a portal.
//!
//! All state lies in one temporary folder, every port was given by the kernel, and each server
//! is stopped by its own process id when the world is dropped. It needs root (postfix and dovecot
//! change users) and the packages that `scripts/test` installs.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What must be on the machine.
const PROGRAMS: [&str; 8] =
    ["knotd", "unbound", "dnssec-keygen", "dnssec-signzone", "postfix", "dovecot", "nginx", "openssl"];
/// Where Debian puts servers, whatever PATH says.
const SERVER_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];
/// Servers listen well within this; without it a broken one would hang the test.
const PATIENCE: Duration = Duration::from_secs(60);

/// A zone of the world.
struct Zone {
    name: &'static str,
    /// Records, relative to the zone.
    records: &'static str,
    signed: Signed,
}

#[derive(Clone, Copy, PartialEq)]
enum Signed {
    /// Its parent has a DS, and its signatures ended in 2021.
    Expired,
    No,
    Yes,
}

/// From the root down: a parent stands before its children.
const ZONES: [Zone; 5] = [
    Zone { name: ".", records: "", signed: Signed::Yes },
    Zone { name: "example.", records: "ns IN A 127.0.0.1\n", signed: Signed::Yes },
    Zone {
        name: "clinic.example.",
        records: "@ IN MX 10 mail\n@ IN TXT \"v=spf1 mx -all\"\n_dmarc IN TXT \"v=DMARC1; p=reject; rua=mailto:reports@clinic.example\"\n\
                  _mta-sts IN TXT \"v=STSv1; id=20260101\"\n_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:reports@clinic.example\"\n\
                  mail IN A 127.0.0.1\nmta-sts IN A 127.0.0.1\nportal IN A 127.0.0.1\n",
        signed: Signed::Yes,
    },
    Zone {
        name: "plain.example.",
        records: "@ IN MX 10 mail.clinic.example.\n@ IN TXT \"v=spf1 ~all\"\n",
        signed: Signed::No,
    },
    Zone { name: "expired.example.", records: "@ IN MX 10 mail.clinic.example.\n", signed: Signed::Expired },
];

/// The names that have certificates of the private authority.
const CERTIFIED: [&str; 3] = ["mail.clinic.example", "mta-sts.clinic.example", "portal.clinic.example"];

/// What is missing for [`RealServers::start`]: programs, or the rights of root.
pub fn missing() -> Vec<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(SERVER_FOLDERS.map(PathBuf::from)).collect();
    let mut missing: Vec<&str> =
        PROGRAMS.into_iter().filter(|program| !folders.iter().any(|folder| folder.join(program).is_file())).collect();
    // Who may read the shadow file may start postfix.
    if fs::File::open("/etc/shadow").is_err() {
        missing.push("the rights of root");
    }
    missing
}

/// Running servers and how to reach them.
pub struct RealServers {
    folder: tempfile::TempDir,
    running: Vec<Child>,
    /// Unbound: validating, recursive.
    pub resolver: SocketAddr,
    /// A file of DNSKEY lines.
    pub trust_anchor: PathBuf,
    /// The private certificate authority, PEM.
    pub ca_file: PathBuf,
    /// Host, port, and where that really is.
    pub connect_to: Vec<(&'static str, u16, SocketAddr)>,
}

impl RealServers {
    /// Starts everything and waits until every port answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("mailassay-real-").tempdir().unwrap();
        // The servers' own users must be able to pass.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut world = Self {
            resolver: free_port(),
            trust_anchor: folder.path().join("root.anchor"),
            ca_file: folder.path().join("ca.pem"),
            running: Vec::new(),
            connect_to: Vec::new(),
            folder,
        };
        world.make_certificates();
        world.sign_zones();
        let authority = world.start_knot();
        world.start_unbound(authority);
        world.start_postfix();
        world.start_dovecot();
        world.start_nginx();
        let listening: Vec<SocketAddr> =
            world.connect_to.iter().map(|(_, _, to)| *to).chain([world.resolver, authority]).collect();
        for address in listening {
            world.wait_for(address);
        }
        world
    }

    /// The command line options that lead the program into this world.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            format!("--resolver={}", self.resolver),
            format!("--trust-anchor={}", self.trust_anchor.display()),
            format!("--ca-file={}", self.ca_file.display()),
            "--allow-net=127.0.0.0/8".to_owned(),
        ];
        arguments.extend(self.connect_to.iter().map(|(host, port, to)| format!("--connect-to={host}:{port}:{to}")));
        arguments
    }

    /// Where a host and port really are.
    pub fn place(&self, host: &str, port: u16) -> SocketAddr {
        let found = self.connect_to.iter().find(|service| service.0 == host && service.1 == port);
        found.unwrap_or_else(|| panic!("nobody serves {host}:{port}")).2
    }

    /// What the servers said, for a failing test's message.
    pub fn logs(&self) -> String {
        let mut logs: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "log"))
            .map(|entry| {
                let said = fs::read(entry.path()).unwrap_or_default();
                format!("== {}\n{}", entry.file_name().display(), String::from_utf8_lossy(&said))
            })
            .collect();
        logs.sort();
        logs.join("\n")
    }

    fn root(&self) -> std::path::Display<'_> {
        self.folder.path().display()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = command(program, self.folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts a server that stays in the foreground, so that its process id is ours to stop.
    fn serve(&mut self, program: &str, arguments: &[&str]) {
        let log = fs::File::create(self.folder.path().join(format!("{program}.log"))).unwrap();
        let mut server = command(program, self.folder.path());
        server.args(arguments).stdout(log.try_clone().unwrap()).stderr(log);
        self.running.push(server.spawn().unwrap_or_else(|error| panic!("{program}: {error}")));
    }

    fn wait_for(&self, address: SocketAddr) {
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "nothing listens on {address}\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn make_certificates(&self) {
        self.run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=Invented test authority",
                "-keyout",
                "ca.key",
                "-out",
                "ca.pem",
            ],
        );
        for name in CERTIFIED {
            let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
            // RSA, as most mail hosts have it: then every RSA suite of the defaults can be chosen.
            self.run(
                "openssl",
                &[
                    "req",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-subj",
                    &format!("/CN={name}"),
                    "-keyout",
                    &key,
                    "-out",
                    &request,
                ],
            );
            self.write("names.ext", &format!("subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n"));
            self.run(
                "openssl",
                &[
                    "x509",
                    "-req",
                    "-in",
                    &request,
                    "-CA",
                    "ca.pem",
                    "-CAkey",
                    "ca.key",
                    "-CAcreateserial",
                    "-days",
                    "20",
                    "-extfile",
                    "names.ext",
                    "-out",
                    &certificate,
                ],
            );
        }
    }

    /// Signs from the leaves up, since a parent needs its children's DS.
    fn sign_zones(&self) {
        for (place, zone) in ZONES.iter().enumerate().rev() {
            let mut text =
                "$TTL 300\n@ IN SOA ns.example. hostmaster.example. 1 3600 900 604800 300\n@ IN NS ns.example.\n"
                    .to_owned();
            text.push_str(zone.records);
            for child in ZONES[place + 1..].iter().filter(|child| parent_of(child.name) == zone.name) {
                text.push_str(&format!("{} IN NS ns.example.\n", child.name));
                if child.signed != Signed::No {
                    text.push_str(
                        &fs::read_to_string(self.folder.path().join(format!("dsset-{}", child.name))).unwrap(),
                    );
                }
            }
            if zone.name == "." {
                text.push_str("ns.example. IN A 127.0.0.1\n");
            }
            let file = zone_file(zone.name);
            self.write(&file, &text);
            let signed = format!("{file}.signed");
            let dates: &[&str] = match zone.signed {
                Signed::Expired => &["-P", "-s", "20200101000000", "-e", "20210101000000"],
                Signed::No => {
                    fs::copy(self.folder.path().join(&file), self.folder.path().join(&signed)).unwrap();
                    continue;
                }
                Signed::Yes => &[],
            };
            self.run("dnssec-keygen", &["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone.name]);
            self.run("dnssec-signzone", &[dates, &["-S", "-z", "-o", zone.name, "-f", &signed, &file][..]].concat());
        }
        let key = fs::read_dir(self.folder.path()).unwrap().flatten().find(|entry| {
            let name = entry.file_name().display().to_string();
            name.starts_with("K.+") && name.ends_with(".key")
        });
        let key = fs::read_to_string(key.expect("the root has a key").path()).unwrap();
        let lines: String = key.lines().filter(|line| !line.starts_with(';')).map(|line| format!("{line}\n")).collect();
        self.write("root.anchor", &lines);
    }

    fn start_knot(&mut self) -> SocketAddr {
        let address = free_port();
        let zones: String = ZONES
            .iter()
            .map(|zone| format!("  - domain: \"{}\"\n    file: {}.signed\n", zone.name, zone_file(zone.name)))
            .collect();
        self.write(
            "knot.conf",
            &format!(
                "server:\n  rundir: {root}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {root}/knot\n\
                 template:\n  - id: default\n    storage: {root}\n    zonefile-sync: -1\n    journal-content: none\n\
                 log:\n  - target: stderr\n    any: warning\nzone:\n{zones}",
                root = self.root(),
                port = address.port(),
            ),
        );
        self.serve("knotd", &["-c", "knot.conf"]);
        address
    }

    fn start_unbound(&mut self, authority: SocketAddr) {
        let stubs: String = ZONES
            .iter()
            .map(|zone| format!("stub-zone:\n  name: \"{}\"\n  stub-addr: 127.0.0.1@{}\n", zone.name, authority.port()))
            .collect();
        self.write(
            "unbound.conf",
            &format!(
                "server:\n  interface: 127.0.0.1\n  port: {port}\n  do-ip6: no\n  do-daemonize: no\n  username: \"\"\n\
                 \x20 chroot: \"\"\n  directory: \"{root}\"\n  pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n\
                 \x20 trust-anchor-file: \"{root}/root.anchor\"\n  do-not-query-localhost: no\n\
                 \x20 access-control: 127.0.0.0/8 allow\n  module-config: \"validator iterator\"\n\
                 remote-control:\n  control-enable: no\n{stubs}",
                root = self.root(),
                port = self.resolver.port(),
            ),
        );
        self.serve("unbound", &["-d", "-c", "unbound.conf"]);
    }

    /// Debian's main.cf and master.cf. Only where postfix listens, keeps state, logs and finds its
    /// certificate is set here; protocols and ciphers stay Debian's.
    fn start_postfix(&mut self) {
        let (smtp, submission, submissions) = (free_port(), free_port(), free_port());
        let root = self.root().to_string();
        let debian =
            |name: &str| fs::read_to_string(Path::new("/etc/postfix").join(name)).expect("postfix is configured");
        let ours = format!(
            "myhostname = mail.clinic.example\nmydestination =\nalias_maps =\nalias_database =\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nqueue_directory = {root}/queue\n\
             data_directory = {root}/postfix-data\nmaillog_file_prefixes = {root}\nmaillog_file = {root}/postfix-mail.log\n\
             smtpd_tls_cert_file = {root}/mail.clinic.example.pem\nsmtpd_tls_key_file = {root}/mail.clinic.example.key\n",
        );
        let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        // Each parameter once: postfix warns of every other, through a log that is not yet read.
        let main: String = debian("main.cf")
            .lines()
            .filter(|line| !ours.lines().any(|own| key(own) == key(line)))
            .chain(ours.lines())
            .map(|line| format!("{line}\n"))
            .collect();
        let mut master: String = debian("master.cf").lines().map(|line| service_line(line, smtp) + "\n").collect();
        // The two services that Debian's file holds as comments, as it holds them, less the
        // options that need accounts.
        master.push_str(&format!(
            "{submission} inet n - n - - smtpd\n  -o syslog_name=postfix/submission\n  -o smtpd_tls_security_level=encrypt\n\
             {submissions} inet n - n - - smtpd\n  -o syslog_name=postfix/smtps\n  -o smtpd_tls_wrappermode=yes\n"
        ));
        self.write("postfix/main.cf", &main);
        self.write("postfix/master.cf", &master);
        for name in ["queue", "postfix-data"] {
            fs::create_dir_all(self.folder.path().join(name)).unwrap();
        }
        self.run("chown", &["postfix", "postfix-data"]);
        let folder = self.folder.path().join("postfix").display().to_string();
        self.run("postfix", &["-c", &folder, "start"]);
        for (port, address) in [(25, smtp), (587, submission), (465, submissions)] {
            self.connect_to.push(("mail.clinic.example", port, address));
        }
    }

    /// Debian's dovecot.conf with its conf.d; ports, state and certificate are set here.
    fn start_dovecot(&mut self) {
        let ports = [143, 993, 110, 995, 4190].map(|port| (port, free_port()));
        let [imap, imaps, pop3, pop3s, sieve] = ports.map(|(_, address)| address.port());
        self.write(
            "dovecot.conf",
            &format!(
                "!include /etc/dovecot/dovecot.conf\nprotocols = imap pop3 sieve\nlisten = 127.0.0.1\n\
                 base_dir = {root}/dovecot\nstate_dir = {root}/dovecot-state\nlog_path = /dev/stderr\n\
                 ssl_cert = <{root}/mail.clinic.example.pem\nssl_key = <{root}/mail.clinic.example.key\n\
                 service imap-login {{\n inet_listener imap {{\n  port = {imap}\n }}\n inet_listener imaps {{\n  port = {imaps}\n  ssl = yes\n }}\n}}\n\
                 service pop3-login {{\n inet_listener pop3 {{\n  port = {pop3}\n }}\n inet_listener pop3s {{\n  port = {pop3s}\n  ssl = yes\n }}\n}}\n\
                 service managesieve-login {{\n inet_listener sieve {{\n  port = {sieve}\n }}\n}}\n",
                root = self.root(),
            ),
        );
        self.serve("dovecot", &["-F", "-c", "dovecot.conf"]);
        self.connect_to.extend(ports.map(|(port, address)| ("mail.clinic.example", port, address)));
    }

    fn start_nginx(&mut self) {
        let address = free_port();
        self.write(
            "web/mta-sts.clinic.example/.well-known/mta-sts.txt",
            "version: STSv1\r\nmode: enforce\r\nmx: mail.clinic.example\r\nmax_age: 2592000\r\n",
        );
        self.write("web/portal.clinic.example/index.html", "<!doctype html><title>Portal</title>\n");
        let names = ["mta-sts.clinic.example", "portal.clinic.example"];
        let servers: String = names
            .iter()
            .map(|name| {
                format!(
                    " server {{\n  listen 127.0.0.1:{port} ssl;\n  server_name {name};\n  root {root}/web/{name};\n\
                     \x20 ssl_certificate {root}/{name}.pem;\n  ssl_certificate_key {root}/{name}.key;\n }}\n",
                    port = address.port(),
                    root = self.root(),
                )
            })
            .collect();
        let folders: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!(" {kind}_temp_path {}/nginx-{kind};\n", self.root()))
            .collect();
        self.write(
            "nginx.conf",
            &format!(
                "daemon off;\npid {root}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\n access_log off;\n{folders}\
                 \x20types {{ text/plain txt; text/html html; }}\n{servers}}}\n",
                root = self.root(),
            ),
        );
        let (root, configuration) = (self.root().to_string(), format!("{}/nginx.conf", self.root()));
        self.serve("nginx", &["-p", &root, "-e", "stderr", "-c", &configuration]);
        self.connect_to.extend(names.map(|name| (name, 443, address)));
    }
}

impl Drop for RealServers {
    fn drop(&mut self) {
        // Postfix leaves its starter and writes down the process id of its master.
        let postfix = fs::read_to_string(self.folder.path().join("queue/pid/master.pid")).unwrap_or_default();
        let signal = |signal: &str, process: &str| {
            let kill = command("kill", self.folder.path()).args([signal, process]).stderr(Stdio::null()).status();
            kill.is_ok_and(|status| status.success())
        };
        // SIGTERM lets a master end its own children; SIGKILL would leave them behind.
        signal("-TERM", postfix.trim());
        for server in &self.running {
            signal("-TERM", &server.id().to_string());
        }
        let begun = Instant::now();
        while signal("-0", postfix.trim()) && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(20));
        }
        for server in &mut self.running {
            let begun = Instant::now();
            while matches!(server.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn command(program: &str, folder: &Path) -> Command {
    let found = SERVER_FOLDERS.iter().map(|place| Path::new(place).join(program)).find(|path| path.is_file());
    let mut command = Command::new(found.unwrap_or_else(|| PathBuf::from(program)));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// A port that is free now; the kernel does not give it again at once.
fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn parent_of(zone: &str) -> &str {
    match zone.split_once('.') {
        Some((_, "")) => ".",
        Some((_, parent)) => parent,
        None => zone,
    }
}

fn zone_file(zone: &str) -> String {
    if zone == "." { "root.zone".to_owned() } else { format!("{zone}zone") }
}

/// A line of master.cf with our address for the SMTP port, and without chroot: the queue folder
/// is bare. A service has eight fields, the fifth says chroot; leading space continues a line.
fn service_line(line: &str, smtp: SocketAddr) -> String {
    let mut fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    if line.starts_with(['#', ' ', '\t']) || fields.len() < 8 {
        return line.to_owned();
    }
    if fields[0] == "smtp" && fields[1] == "inet" {
        fields[0] = smtp.to_string();
    }
    fields[4] = "n".to_owned();
    fields.join(" ")
}
