//! The process that reads PDF files: one after another from its standard input, each answered on its
//! standard output. It gives up what it does not need before it reads the first byte.

use std::io::{stdin, stdout};

use super::super::mbox::MESSAGE_BYTES;
use super::{PdfAnswer, receive, send};

/// Memory the process may take.
#[cfg(unix)]
const MEMORY_BYTES: u64 = 1024 * 1024 * 1024;
/// Processor time of one file, which a busy machine does not change.
#[cfg(unix)]
const FILE_SECONDS: u64 = 2;

/// Reads files until standard input ends.
pub fn run() {
    // A panic's message may hold text of the file.
    std::panic::set_hook(Box::new(|_| {}));
    give_up();
    let (mut from, mut to) = (stdin().lock(), stdout().lock());
    while let Ok(mut file) = receive(&mut from, MESSAGE_BYTES) {
        limit_time();
        let answer = read(std::mem::take(&mut *file));
        let answer = serde_json::to_vec(&answer).expect("an answer holds only text");
        if send(&mut to, &answer).is_err() {
            break;
        }
    }
}

#[cfg(feature = "pdf")]
fn read(bytes: Vec<u8>) -> PdfAnswer {
    let unreadable = PdfAnswer { texts: Vec::new(), not_inspected: vec![super::Why::UnreadablePart] };
    std::panic::catch_unwind(|| super::text::read(bytes)).unwrap_or(unreadable)
}

#[cfg(not(feature = "pdf"))]
fn read(_: Vec<u8>) -> PdfAnswer {
    PdfAnswer { texts: Vec::new(), not_inspected: vec![super::Why::UnreadablePart] }
}

/// No file can be opened or written, no process started, no core dumped.
#[cfg(unix)]
fn give_up() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits = [
        (Resource::As, MEMORY_BYTES),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 3),
        (Resource::Nproc, 0),
    ];
    for (resource, limit) in limits {
        // Where a system has no such limit, the others still hold.
        let _ = setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) });
    }
}

#[cfg(not(unix))]
const fn give_up() {}

/// Counted in what the process has used so far.
#[cfg(unix)]
fn limit_time() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    use rustix::time::{ClockId, clock_gettime};
    let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
    let _ = setrlimit(Resource::Cpu, Rlimit { current: Some(used + FILE_SECONDS), maximum: None });
}

#[cfg(not(unix))]
const fn limit_time() {}
