//! Debian's servers on loopback: knot and unbound with a private signed root, postfix and dovecot
//! as Debian configures them, nginx for the MTA-STS policy. Everything lies in one temporary
//! folder, listens on ports the kernel gave, and is stopped by its own process id.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ZONES: [(&str, &str); 3] = [(".", "root"), ("example.", "example"), ("clinic.example.", "clinic.example")];

/// The running servers.
pub(crate) struct World {
    folder: tempfile::TempDir,
    servers: Vec<Child>,
    pub(crate) resolver_port: u16,
    /// Host, port as the world knows it, port on loopback.
    pub(crate) services: Vec<(&'static str, u16, u16)>,
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Runs a tool to its end.
pub(crate) fn tool(folder: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl World {
    /// Starts everything and waits until each server accepts connections.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The servers give up root and must still reach their files.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut world = Self { folder, servers: Vec::new(), resolver_port: free_port(), services: Vec::new() };
        world.certificates();
        let authority = world.zones();
        world.resolver(authority);
        world.postfix();
        world.dovecot();
        world.nginx();
        let ports: Vec<u16> = world.services.iter().map(|service| service.2).chain([world.resolver_port]).collect();
        for port in ports {
            world.wait_for(port);
        }
        world
    }

    /// The mail servers alone, as Debian configures them.
    pub(crate) fn without_dns() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut world = Self { folder, servers: Vec::new(), resolver_port: 0, services: Vec::new() };
        world.certificates();
        world.postfix();
        world.dovecot();
        let ports: Vec<u16> = world.services.iter().map(|service| service.2).collect();
        for port in ports {
            world.wait_for(port);
        }
        world
    }

    /// The folder of all state.
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
            "--allow-net".to_owned(),
            "127.0.0.0/8".to_owned(),
        ];
        for (host, port, here) in &self.services {
            options.extend(["--connect-to".to_owned(), format!("{host}:{port}:127.0.0.1:{here}")]);
        }
        options
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn serve(&mut self, program: &str, arguments: &[&str]) {
        let log = fs::File::create(self.path(&format!("{}.log", program.replace('/', "_")))).unwrap();
        let server = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        self.servers.push(server);
    }

    fn wait_for(&self, port: u16) {
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(30), "nothing listens on {port}:\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The servers' own words, for messages.
    pub(crate) fn logs(&self) -> String {
        let mut logs = String::new();
        for entry in fs::read_dir(self.folder.path()).unwrap().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "log") {
                let text = fs::read(entry.path()).unwrap_or_default();
                logs.push_str(&format!("== {}\n{}\n", entry.path().display(), String::from_utf8_lossy(&text)));
            }
        }
        logs
    }

    fn certificates(&self) {
        let folder = self.folder.path();
        let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let ca = ["req", "-x509", "-days", "30", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"];
        tool(folder, "openssl", &[&ca[..], &new_key[..]].concat());
        for name in ["mail.clinic.example", "mta-sts.clinic.example"] {
            let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
            let subject = format!("/CN={name}");
            // RSA, as most mail hosts have it: then every RSA suite of the defaults is in play.
            tool(
                folder,
                "openssl",
                &["req", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout", &key, "-out", &request],
            );
            self.write("extensions", &format!("subjectAltName=DNS:{name}\n"));
            tool(
                folder,
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
                    "extensions",
                    "-out",
                    &certificate,
                ],
            );
        }
    }

    /// SHA-256 of a certificate's public key, by openssl: what a TLSA record `3 1 1` holds.
    fn key_digest(&self, certificate: &str) -> String {
        let folder = self.folder.path();
        tool(folder, "openssl", &["x509", "-in", certificate, "-noout", "-pubkey", "-out", "key.pub"]);
        tool(folder, "openssl", &["pkey", "-pubin", "-in", "key.pub", "-outform", "DER", "-out", "key.der"]);
        tool(folder, "openssl", &["dgst", "-sha256", "-r", "-out", "key.sha256", "key.der"]);
        let digest = fs::read_to_string(self.path("key.sha256")).unwrap();
        digest.split(' ').next().unwrap().to_owned()
    }

    /// Signs the zones from the bottom up and serves them; gives the authority's port.
    fn zones(&mut self) -> u16 {
        let head = "$TTL 300\n@ IN SOA ns.example. hostmaster.example. 1 3600 900 604800 300\n@ IN NS ns.example.\n";
        let body = [
            "example. IN NS ns.example.\nns.example. IN A 127.0.0.1\n",
            "ns IN A 127.0.0.1\nclinic IN NS ns.example.\nlab IN MX 10 mail.lab.example.\nmail.lab IN A 127.0.0.1\n",
            "@ IN MX 10 mail.clinic.example.\n@ IN TXT \"v=spf1 mx -all\"\n\
             _dmarc IN TXT \"v=DMARC1; p=reject; rua=mailto:reports@clinic.example\"\n\
             _mta-sts IN TXT \"v=STSv1; id=20261001\"\n_smtp._tls IN TXT \"v=TLSRPTv1; rua=mailto:reports@clinic.example\"\n\
             mail IN A 127.0.0.1\nmta-sts IN A 127.0.0.1\n",
        ];
        let tlsa = format!("_25._tcp.mail IN TLSA 3 1 1 {}\n", self.key_digest("mail.clinic.example.pem"));
        let folder = self.folder.path().to_owned();
        for (number, (zone, file)) in ZONES.iter().enumerate().rev() {
            tool(&folder, "dnssec-keygen", &["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-n", "ZONE", zone]);
            let below = ZONES.get(number + 1).map(|(below, _)| {
                fs::read_to_string(self.path(&format!("dsset-{below}"))).expect("the zone below was signed before")
            });
            self.write(file, &format!("{head}{}{}", body[number], below.unwrap_or_else(|| tlsa.clone())));
            tool(&folder, "dnssec-signzone", &["-S", "-z", "-o", zone, "-f", &format!("{file}.signed"), file]);
        }
        let anchor = fs::read_dir(&folder).unwrap().flatten().find_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name.starts_with("K.+") && name.ends_with(".key")).then(|| fs::read_to_string(entry.path()).unwrap())
        });
        let records: String = anchor
            .expect("the root has a key")
            .lines()
            .filter(|line| !line.starts_with(';'))
            .map(|line| format!("{line}\n"))
            .collect();
        self.write("root.anchor", &records);
        let port = free_port();
        let zones: String =
            ZONES.iter().map(|(zone, file)| format!("  - domain: \"{zone}\"\n    file: {file}.signed\n")).collect();
        let path = folder.display();
        self.write(
            "knot.conf",
            &format!(
                "server:\n  rundir: {path}\n  listen: 127.0.0.1@{port}\ndatabase:\n  storage: {path}/knot\n\
             template:\n  - id: default\n    storage: {path}\n    zonefile-sync: -1\n    journal-content: none\n\
             log:\n  - target: stderr\n    any: warning\nzone:\n{zones}"
            ),
        );
        self.serve("knotd", &["-c", "knot.conf"]);
        self.wait_for(port);
        port
    }

    fn resolver(&mut self, authority: u16) {
        let stubs: String = ZONES
            .iter()
            .map(|(zone, _)| format!("stub-zone:\n  name: \"{zone}\"\n  stub-addr: 127.0.0.1@{authority}\n"))
            .collect();
        let path = self.folder.path().display().to_string();
        self.write("unbound.conf", &format!(
            "server:\n  interface: 127.0.0.1\n  port: {}\n  do-ip6: no\n  do-daemonize: no\n  username: \"\"\n  chroot: \"\"\n\
             \x20 directory: \"{path}\"\n  pidfile: \"\"\n  use-syslog: no\n  logfile: \"\"\n  trust-anchor-file: \"{path}/root.anchor\"\n\
             \x20 do-not-query-localhost: no\n  access-control: 127.0.0.0/8 allow\n  module-config: \"validator iterator\"\n\
             remote-control:\n  control-enable: no\n{stubs}",
            self.resolver_port
        ));
        self.serve("unbound", &["-d", "-c", "unbound.conf"]);
    }

    /// Debian's own main.cf and master.cf; only where it listens, keeps state and finds its
    /// certificate is changed, never protocols or ciphers.
    fn postfix(&mut self) {
        let port = free_port();
        let path = self.folder.path().display().to_string();
        let main = fs::read_to_string("/etc/postfix/main.cf").expect("postfix is configured");
        let kept: String = main
            .lines()
            .filter(|line| {
                let key = line.split('=').next().unwrap_or_default().trim();
                ![
                    "smtpd_tls_cert_file",
                    "smtpd_tls_key_file",
                    "myhostname",
                    "inet_interfaces",
                    "inet_protocols",
                    "alias_maps",
                    "alias_database",
                    "mydestination",
                ]
                .contains(&key)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        self.write("postfix/main.cf", &format!(
            "{kept}\nmyhostname = mail.clinic.example\nmydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             alias_maps =\nalias_database =\nqueue_directory = {path}/queue\ndata_directory = {path}/postfix-data\n\
             smtpd_tls_cert_file = {path}/mail.clinic.example.pem\nsmtpd_tls_key_file = {path}/mail.clinic.example.key\n\
             maillog_file_prefixes = {path}\nmaillog_file = {path}/postfix.log\n"
        ));
        let master = fs::read_to_string("/etc/postfix/master.cf").expect("postfix is configured");
        let master: String = master
            .lines()
            .map(|line| {
                let mut fields: Vec<&str> = line.split_whitespace().collect();
                let listen = format!("127.0.0.1:{port}");
                // Leading space continues a line; a service line has eight fields, the fifth is chroot.
                if line.starts_with(['#', ' ', '\t']) || fields.len() < 8 {
                    return format!("{line}\n");
                }
                if fields[0] == "smtp" && fields[1] == "inet" {
                    fields[0] = &listen;
                }
                fields[4] = "n";
                format!("{}\n", fields.join(" "))
            })
            .collect();
        self.write("postfix/master.cf", &master);
        for name in ["queue", "postfix-data"] {
            fs::create_dir_all(self.path(name)).unwrap();
        }
        tool(self.folder.path(), "chown", &["postfix", "postfix-data"]);
        let configuration = self.path("postfix").display().to_string();
        tool(self.folder.path(), "postfix", &["-c", &configuration, "start"]);
        self.services.extend([("mail.clinic.example", 25, port), ("mail.lab.example", 25, port)]);
    }

    fn dovecot(&mut self) {
        let ports: [(u16, u16); 4] = [143, 993, 110, 995].map(|port| (port, free_port()));
        let [imap, imaps, pop3, pop3s] = ports.map(|(_, here)| here);
        let path = self.folder.path().display().to_string();
        self.write("dovecot.conf", &format!(
            "!include /etc/dovecot/dovecot.conf\nprotocols = imap pop3\nbase_dir = {path}/dovecot\nlisten = 127.0.0.1\n\
             log_path = {path}/dovecot.log\nssl_cert = <{path}/mail.clinic.example.pem\nssl_key = <{path}/mail.clinic.example.key\n\
             service imap-login {{\n inet_listener imap {{\n  port = {imap}\n }}\n inet_listener imaps {{\n  port = {imaps}\n  ssl = yes\n }}\n}}\n\
             service pop3-login {{\n inet_listener pop3 {{\n  port = {pop3}\n }}\n inet_listener pop3s {{\n  port = {pop3s}\n  ssl = yes\n }}\n}}\n"
        ));
        self.serve("dovecot", &["-F", "-c", "dovecot.conf"]);
        self.services.extend(ports.map(|(port, here)| ("mail.clinic.example", port, here)));
    }

    fn nginx(&mut self) {
        let port = free_port();
        let path = self.folder.path().display().to_string();
        self.write(
            "web/.well-known/mta-sts.txt",
            "version: STSv1\r\nmode: enforce\r\nmx: mail.clinic.example\r\nmax_age: 2592000\r\n",
        );
        self.write("nginx.conf", &format!(
            "daemon off;\npid {path}/nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\n access_log off;\n\
             \x20client_body_temp_path {path}/nginx-body;\n proxy_temp_path {path}/nginx-proxy;\n fastcgi_temp_path {path}/nginx-fcgi;\n\
             \x20uwsgi_temp_path {path}/nginx-uwsgi;\n scgi_temp_path {path}/nginx-scgi;\n types {{ text/plain txt; }}\n server {{\n\
             \x20 listen 127.0.0.1:{port} ssl;\n  server_name mta-sts.clinic.example;\n  root {path}/web;\n\
             \x20 ssl_certificate {path}/mta-sts.clinic.example.pem;\n  ssl_certificate_key {path}/mta-sts.clinic.example.key;\n }}\n}}\n"
        ));
        self.serve("nginx", &["-p", &path, "-c", &self.path("nginx.conf").display().to_string()]);
        self.services.push(("mta-sts.clinic.example", 443, port));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let configuration = self.path("postfix").display().to_string();
        let _ = Command::new("postfix")
            .args(["-c", &configuration, "stop"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
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
