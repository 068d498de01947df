//! How fast mail is read for health information, and how much memory that takes.
//!
//! `cargo bench --bench content` makes two invented mailboxes (mostly text, 200 MB; mostly pictures,
//! 300 MB; `MAILASSAY_BENCH_MEGABYTES=text,pictures` for other sizes), scans each with one and with two
//! cores, and searches the same files with ripgrep for four patterns of ASCII in the same run, where
//! `rg` is on the machine. ripgrep searches the bytes as they lie: it decodes nothing and joins
//! nothing. Figures are for this machine only.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench may ask the clock, write its own files and start its peer"
)]

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use mailassay::collect::messages::{MailFrom, MailSource, PdfReader, ScanKey, ScanOptions, Traced, scan};

/// A small generator of numbers; the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

const SENTENCES: [&str; 16] = [
    "Please find the minutes of Tuesday's meeting below, with the open points in the order we took them.",
    "The printer on the second floor jams when the tray is more than half full; a part is on its way.",
    "Can you send me the numbers for March before noon, so that I can put them into the summary?",
    "We moved the training to room 14 because the projector in the large one is still being repaired.",
    "The invoice of the cleaning company is attached; it is higher than last month and nobody knows why.",
    "Maria Quillon called about her biopsy and would like to know when the results are in.",
    "Lunch is at a quarter past twelve; tell Ana if there is something you do not eat.",
    "Pt Zorba Quillon, DOB 03/04/1962, MRN 4455661, needs a refill of metformin before Friday.",
    "The new badges are at the front desk. Old ones stop working at the end of the week.",
    "Nobody has looked at the shared folder since the move, and half of the links in it are dead.",
    "Thank you for your patience while we sort out the telephone lines with the carrier.",
    "As discussed, the contract runs until the end of June and renews by itself unless we write in April.",
    "The roof over the waiting room leaks again, this time in the corner by the fish tank.",
    "Attached is the list of suppliers with their telephone numbers and the days they deliver.",
    "If the alarm goes off at night, call the number on the sticker first and me afterwards.",
    "There are two openings left in the afternoon, at three and at twenty to five.",
];

fn header(out: &mut impl Write, number: usize) {
    write!(
        out,
        "From desk@clinic.example Thu Jan  1 00:00:00 2026\nFrom: desk@clinic.example\nTo: office@clinic.example\n\
         Message-ID: <{number}@clinic.example>\nDate: Wed, 4 Mar 2026 10:00:00 +0000\nSubject: Note {number}\n\
         MIME-Version: 1.0\n"
    )
    .unwrap();
}

fn prose(numbers: &mut Numbers, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        text += numbers.pick(&SENTENCES);
        text.push(if numbers.below(4) == 0 { '\n' } else { ' ' });
    }
    text
}

/// Plain, quoted-printable and HTML mail, one in ten with a small table attached.
fn text_heavy(path: &Path, bytes: u64) {
    let mut numbers = Numbers(1);
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    let mut written = 0;
    for number in 0.. {
        if written >= bytes {
            break;
        }
        let size = 1500 + numbers.below(4000);
        let text = prose(&mut numbers, size);
        written += text.len() as u64 + 300;
        header(&mut out, number);
        match numbers.below(10) {
            0..=4 => write!(out, "Content-Type: text/plain; charset=utf-8\n\n{text}\n\n").unwrap(),
            5 | 6 => write!(
                out,
                "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n{}\n\n",
                text.replace('\n', "=\n")
            )
            .unwrap(),
            7 | 8 => write!(
                out,
                "Content-Type: text/html; charset=utf-8\n\n<html><body><p>{}</p></body></html>\n\n",
                text.replace('\n', "</p>\n<p>")
            )
            .unwrap(),
            _ => {
                let table = "Name,Item,Count\nZorba,paper,4\nAna,toner,1\n".repeat(20);
                write!(
                    out,
                    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{text}\n--b\n\
                     Content-Type: text/csv; name=list.csv\nContent-Disposition: attachment\n\n{table}\n--b--\n\n"
                )
                .unwrap();
            }
        }
    }
}

/// Short mail with pictures.
fn picture_heavy(path: &Path, bytes: u64) {
    let mut numbers = Numbers(2);
    let mut picture = vec![0; 512 * 1024];
    picture.iter_mut().for_each(|byte| *byte = u8::try_from(numbers.below(256)).unwrap());
    picture[..4].copy_from_slice(b"\xff\xd8\xff\xe0");
    let encoded = base64::prelude::BASE64_STANDARD.encode(&picture);
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let encoded = lines.join("\n");
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    let mut written = 0;
    for number in 0.. {
        if written >= bytes {
            break;
        }
        let text = prose(&mut numbers, 1200);
        written += (text.len() + encoded.len()) as u64;
        header(&mut out, number);
        write!(
            out,
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n{text}\n--b\n\
             Content-Type: image/jpeg; name=scan.jpg\nContent-Disposition: attachment\n\
             Content-Transfer-Encoding: base64\n\n{encoded}\n--b--\n\n"
        )
        .unwrap();
    }
}

/// Wall and processor time of a scan with so many cores, and how many messages were read.
fn scanned(path: &Path, cores: usize) -> (Duration, Duration, usize) {
    let options = ScanOptions {
        key: ScanKey::from_secret(b"bench"),
        message_key: None,
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
        vantage: "bench".to_owned(),
        traced: Traced::default(),
        own_domains: Vec::new(),
        roster: None,
        pdf: PdfReader::none(),
        sample: None,
    };
    let source = || MailSource {
        label: "mail".to_owned(),
        mailbox: "bench".to_owned(),
        from: MailFrom::Path(PathBuf::from(path)),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build().unwrap();
    let (begun, used) = (Instant::now(), processor_time());
    let found = pool.install(|| scan(vec![source()], &options));
    (begun.elapsed(), processor_time() - used, found.observations.len())
}

/// Processor time of this process, from the kernel, in its ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

/// The most memory this process has held, in MiB.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn main() {
    let wanted = std::env::var("MAILASSAY_BENCH_MEGABYTES").unwrap_or_else(|_| "200,300".to_owned());
    let sizes: Vec<u64> = wanted.split(',').map(|size| size.parse().unwrap()).collect();
    let folder = tempfile::tempdir().unwrap();
    let (text, pictures) = (folder.path().join("text.mbox"), folder.path().join("pictures.mbox"));
    text_heavy(&text, sizes[0] * 1_000_000);
    picture_heavy(&pictures, sizes[1] * 1_000_000);
    println!("{:10} {:24} {:>9} {:>9} {:>12} {:>12}", "mail", "work", "wall s", "cpu s", "MB/s wall", "MB/s cpu");
    for (name, path) in [("text", &text), ("pictures", &pictures)] {
        let megabytes = std::fs::metadata(path).unwrap().len() as f64 / 1e6;
        let row = |work: &str, wall: Duration, used: Option<Duration>| {
            let rate = |time: Duration| megabytes / time.as_secs_f64().max(0.001);
            let (cpu, per_cpu) = used.map_or(("-".to_owned(), "-".to_owned()), |used| {
                (format!("{:.2}", used.as_secs_f64()), format!("{:.0}", rate(used)))
            });
            println!("{name:10} {work:24} {:>9.2} {cpu:>9} {:>12.0} {per_cpu:>12}", wall.as_secs_f64(), rate(wall));
        };
        for cores in [1, 2] {
            let (wall, used, _) = scanned(path, cores);
            row(&format!("scan, {cores} core(s)"), wall, Some(used));
        }
        let begun = Instant::now();
        let peer = Command::new("rg")
            .args(["--no-unicode", "--count-matches", "--text", "--threads", "1"])
            .args(["-e", r"\b\d{3}-\d{2}-\d{4}\b", "-e", r"(?i)\bmrn\b", "-e", r"(?i)\bdob\b"])
            .args(["-e", r"\b\d{1,2}/\d{1,2}/\d{4}\b"])
            .arg(path)
            .output();
        match peer {
            Ok(_) => row("ripgrep, four patterns", begun.elapsed(), None),
            Err(_) => println!("{name:10} ripgrep is not on this machine"),
        }
        println!("{name:10} peak memory so far {} MiB", peak_memory());
    }
}
