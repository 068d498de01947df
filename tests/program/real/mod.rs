//! The program against the servers users run.

mod world;

use crate::support::needs;
use world::World;

#[test]
fn world_starts() {
    if !needs(&["knotd", "unbound", "dnssec-signzone", "postfix", "dovecot", "nginx", "openssl"]) {
        return;
    }
    let world = World::start();
    for name in ["clinic.example MX", "nothing.clinic.example A"] {
        let mut args: Vec<String> = vec!["@127.0.0.1".into(), "-p".into(), world.resolver_port.to_string(), "+dnssec".into()];
        args.extend(name.split(' ').map(str::to_owned));
        let output = std::process::Command::new("delv").args(["@127.0.0.1"]).output();
        let _ = output;
        let output = std::process::Command::new("dig").args(args).output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    }
    for (host, port, here) in &world.services {
        let mut a = vec!["s_client".to_owned(), "-connect".into(), format!("127.0.0.1:{here}"), "-servername".into(), host.to_string(), "-brief".into(), "-CAfile".into(), world.path("ca.pem").display().to_string()];
        match port { 25 => a.extend(["-starttls".into(), "smtp".into()]), 143 => a.extend(["-starttls".into(), "imap".into()]), 110 => a.extend(["-starttls".into(), "pop3".into()]), _ => {} }
        let output = std::process::Command::new("openssl").args(&a).stdin(std::process::Stdio::null()).output().unwrap();
        eprintln!("{port} {}", String::from_utf8_lossy(&output.stderr).lines().take(4).collect::<Vec<_>>().join(" | "));
    }
    eprintln!("{}", world.logs());
}
