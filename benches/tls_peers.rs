//! `cargo bench --bench tls_peers`: the whole TLS picture of one server by `mailassay probe`, and by
//! sslscan, sslyze and cipherrun where they are found, over a relay that delays 10 ms each way and
//! counts connections. Then 1,000 endpoints on loopback.
//!
//! Everybody is asked for the same: versions, suites, groups, order, certificate, signature schemes,
//! compression, renegotiation and fallback, as far as each can; none looks for Heartbleed and its like.
//! `MAILASSAY_SSLSCAN`, `MAILASSAY_SSLYZE` and `MAILASSAY_CIPHERRUN` may name the peers' programs, and
//! `MAILASSAY_BENCH_RUNS` says how often each is run. Debian's nginx, postfix and dovecot must be
//! installed. Figures, not thresholds.
#![expect(clippy::disallowed_methods, reason = "a bench starts programs and listens on loopback")]
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures and may stop")]

#[path = "../tests/program/real/world.rs"]
#[expect(dead_code, reason = "the bench needs the mail servers alone")]
mod world;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Each way; a round trip is twice this.
const DELAY: Duration = Duration::from_millis(10);
const ENDPOINTS: usize = 1000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let world = world::World::without_dns();
    let port_of = |port: u16| world.services.iter().find(|(_, at, _)| *at == port).unwrap().2;
    let folder = tempfile::tempdir().unwrap();
    let (nginx, mut child) = nginx(folder.path());

    let runs = runs();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    println!("round trip {} ms; medians of {runs} runs; load of the machine before: {load}", 2 * DELAY.as_millis());
    for (name, server, way) in [
        ("nginx, Mozilla intermediate, TLS port", nginx, Way::Tls),
        ("the same behind SMTP STARTTLS", nginx, Way::SmtpFront),
        ("postfix, Debian's defaults, SMTP STARTTLS", port_of(25), Way::Smtp),
    ] {
        let relay = runtime.block_on(Relay::start(server, way));
        println!("\n{name}");
        compare(&relay, way);
    }
    many(&runtime);
    let _ = child.kill();
    let _ = child.wait();
}

fn runs() -> usize {
    std::env::var("MAILASSAY_BENCH_RUNS").ok().and_then(|count| count.parse().ok()).unwrap_or(3).max(1)
}

/// What stands behind the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Smtp,
    /// The relay itself speaks SMTP up to STARTTLS, and hands over to a TLS port.
    SmtpFront,
    Tls,
}

/// One program's figures.
#[derive(Clone, Copy, Debug)]
struct Figures {
    wall: Duration,
    cpu: Duration,
    peak_kib: u64,
    connections: u32,
}

fn compare(relay: &Relay, way: Way) {
    let target = format!("127.0.0.1:{}", relay.port);
    let smtp = way != Way::Tls;
    let at_once = if smtp { "4" } else { "8" };
    let starttls = if smtp { "smtp" } else { "none" };
    let ours = format!(
        "probe {target} --starttls {starttls} --mode full --format json --allow-net 127.0.0.0/8 --rate 1000 --max-connections {at_once}"
    );
    let with = |smtp_option: &str| if smtp { format!("{smtp_option} ") } else { String::new() };
    let sslscan = format!("--no-colour --no-heartbleed --show-sigs {}{target}", with("--starttls-smtp"));
    let sslyze = format!(
        "--sslv2 --sslv3 --tlsv1 --tlsv1_1 --tlsv1_2 --tlsv1_3 --elliptic_curves --certinfo --compression --fallback --reneg --ems --mozilla_config disable {}{target}",
        with("--starttls smtp")
    );
    let cipherrun = format!("-p -E -P --allow-private {}{target}", with("--starttls smtp"));
    let peer =
        |name: &str| std::env::var(format!("MAILASSAY_{}", name.to_uppercase())).unwrap_or_else(|_| name.to_owned());
    let us = env!("CARGO_BIN_EXE_mailassay").to_owned();
    let mut base: Option<Figures> = None;
    for (name, program, arguments) in [
        ("mailassay", us, ours),
        ("sslscan", peer("sslscan"), sslscan),
        ("sslyze", peer("sslyze"), sslyze),
        ("cipherrun", peer("cipherrun"), cipherrun),
    ] {
        let Some(figures) = median(&program, &arguments, relay) else {
            println!("  {name:<10} not found");
            continue;
        };
        let against = base.map_or_else(String::new, |base| {
            let ratio = |theirs: f64, ours: f64| theirs / ours.max(0.001);
            format!(
                "; {:.1}x our wall, {:.1}x our CPU, {:.1}x our connections",
                ratio(figures.wall.as_secs_f64(), base.wall.as_secs_f64()),
                ratio(figures.cpu.as_secs_f64(), base.cpu.as_secs_f64()),
                ratio(f64::from(figures.connections), f64::from(base.connections)),
            )
        });
        println!(
            "  {name:<10} {:>6.2} s wall, {:>5.2} s CPU, {:>3} MiB, {:>4} connections{against}\n             {arguments}",
            figures.wall.as_secs_f64(),
            figures.cpu.as_secs_f64(),
            figures.peak_kib / 1024,
            figures.connections,
        );
        base.get_or_insert(figures);
    }
}

fn median(program: &str, arguments: &str, relay: &Relay) -> Option<Figures> {
    let mut all = Vec::new();
    for _ in 0..runs() {
        relay.count.store(0, Ordering::SeqCst);
        let mut figures = run(program, arguments)?;
        figures.connections = relay.count.load(Ordering::SeqCst);
        all.push(figures);
    }
    all.sort_by_key(|figures| figures.wall);
    all.get(all.len() / 2).copied()
}

/// Runs a program to its end; `None` where there is none.
fn run(program: &str, arguments: &str) -> Option<Figures> {
    let before = children_cpu();
    let begun = Instant::now();
    let mut child = Command::new(program)
        .args(arguments.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let ended = loop {
        if let Some(ended) = child.try_wait().ok()? {
            break ended;
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let seen = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak_kib = peak_kib.max(seen.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(3));
    };
    let wall = begun.elapsed();
    if !ended.success() {
        println!("  {program}: {ended}");
    }
    Some(Figures { wall, cpu: children_cpu() - before, peak_kib, connections: 0 })
}

/// CPU time of all children that ended, in steps of 10 ms (proc(5): cutime and cstime).
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(") ").unwrap().1;
    let ticks: u64 = after_name.split(' ').skip(13).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Delays everything between a client and a server, and counts connections.
struct Relay {
    port: u16,
    count: Arc<AtomicU32>,
}

impl Relay {
    async fn start(server: u16, way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = client.set_nodelay(true);
                    // The kernel answered the connection at once; a distant server takes a round trip.
                    tokio::time::sleep(2 * DELAY).await;
                    let _ = carry(client, server, way).await;
                });
            }
        });
        Self { port, count }
    }
}

async fn carry(client: TcpStream, server: u16, way: Way) -> std::io::Result<()> {
    let client = if way == Way::SmtpFront {
        let mut client = BufReader::new(client);
        client.write_all(b"220 mail.clinic.example ESMTP\r\n").await?;
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(2 * DELAY).await;
            let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            let answer: &[u8] = match verb.as_str() {
                "EHLO" => b"250-mail.clinic.example\r\n250 STARTTLS\r\n",
                "STARTTLS" => b"220 go ahead\r\n",
                "QUIT" => b"221 bye\r\n",
                _ => b"250 ok\r\n",
            };
            client.write_all(answer).await?;
            if verb == "STARTTLS" {
                break client.into_inner();
            }
        }
    } else {
        client
    };
    let server = TcpStream::connect(("127.0.0.1", server)).await?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(delayed(from_client, to_server), delayed(from_server, to_client));
    Ok(())
}

async fn delayed(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
    let reading = async move {
        loop {
            let mut piece = vec![0; 16 * 1024];
            match from.read(&mut piece).await {
                Ok(count @ 1..) => {
                    piece.truncate(count);
                    let _ = sender.send((tokio::time::Instant::now() + DELAY, piece));
                }
                Ok(0) | Err(_) => return,
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(DELAY).await;
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

fn nginx(folder: &std::path::Path) -> (u16, std::process::Child) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let names = vec!["mail.clinic.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    let path = folder.display();
    let conf = format!(
        "daemon off;\npid {path}/nginx.pid;\nerror_log stderr emerg;\nworker_processes 1;\nevents {{ worker_connections 1024; }}\n\
         http {{\n access_log off;\n client_body_temp_path {path}/b;\n proxy_temp_path {path}/p;\n fastcgi_temp_path {path}/f;\n\
         \x20uwsgi_temp_path {path}/u;\n scgi_temp_path {path}/s;\n server {{\n  listen 127.0.0.1:{port} ssl;\n\
         \x20 ssl_certificate {path}/certificate.pem;\n  ssl_certificate_key {path}/key.pem;\n  ssl_protocols TLSv1.2 TLSv1.3;\n\
         \x20 ssl_prefer_server_ciphers off;\n  ssl_ecdh_curve X25519:prime256v1:secp384r1;\n\
         \x20 ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305;\n }}\n}}\n"
    );
    std::fs::write(folder.join("nginx.conf"), conf).unwrap();
    let child = Command::new("nginx")
        .args(["-p", ".", "-c"])
        .arg(folder.join("nginx.conf"))
        .stdin(Stdio::null())
        .spawn()
        .expect("nginx is installed");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    (port, child)
}

/// 1,000 addresses of loopback, one TLS server behind all of them.
fn many(runtime: &tokio::runtime::Runtime) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let names = vec!["mail.clinic.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let port = runtime.block_on(async {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut session) = acceptor.accept(stream).await {
                        let _ = session.read(&mut [0; 64]).await;
                    }
                });
            }
        });
        port
    });
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let lines: String = (0..ENDPOINTS)
        .map(|n| format!("127.1.{}.{}:{port},starttls=none,server_name=mail.clinic.example\n", n / 250, n % 250 + 1))
        .collect();
    std::fs::write(&list, lines).unwrap();
    println!("\n{ENDPOINTS} endpoints on loopback, rustls behind a TLS port, without delay");
    for mode in ["full", "verdict"] {
        let arguments = format!("probe --mode {mode} --allow-net 127.0.0.0/8 --rate 1000 --list {}", list.display());
        let figures = run(env!("CARGO_BIN_EXE_mailassay"), &arguments).unwrap();
        println!(
            "  {mode:<8} {:>6.2} s wall, {:>5.2} s CPU (the server shares the cores), {} MiB",
            figures.wall.as_secs_f64(),
            figures.cpu.as_secs_f64(),
            figures.peak_kib / 1024
        );
    }
}
