//! Reads PDF files in a process of its own.
//!
//! A PDF reader is the largest thing that meets a sender's bytes here, so it runs apart: this program
//! again, with its hidden verb `pdf-text` (`worker`), without environment, open files, core dumps or
//! much memory. Files and texts go through its pipes and nowhere else. A file that makes it fail or
//! takes too long costs the process, not the scan: it is counted as not looked into.

#[cfg(feature = "pdf")]
mod text;
mod worker;

use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use worker::run as run_worker;

use super::attachments::Content;
use super::protection;

/// The PDF files of one message are waited for this long, all together. What a file may take of the
/// processor is less (`worker`), so this ends only what waits for something.
const MESSAGE_TIME: Duration = Duration::from_secs(10);
/// Why a file was given up that took too long.
const TOO_SLOW: &str = "too-slow";
/// Text taken from one file.
const TEXT_BYTES: usize = 16 * 1024 * 1024;
/// An answer with its marks: JSON can make six bytes of one.
const ANSWER_BYTES: usize = 6 * TEXT_BYTES + 1024;

/// Reads PDF files, or counts them as not looked into.
#[derive(Clone, Default)]
pub struct PdfReader(Option<Arc<Pool>>);

impl PdfReader {
    /// Reads none.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Reads them in processes of this program, which must know the verb `pdf-text`; none where nothing would
    /// hold such a process.
    pub fn apart(program: PathBuf) -> Self {
        if cfg!(all(unix, feature = "pdf")) {
            Self(Some(Arc::new(Pool { program, idle: Mutex::default() })))
        } else {
            Self::none()
        }
    }

    /// What is read of one message.
    pub(super) fn message(&self) -> MessagePdfs<'_> {
        MessagePdfs { pool: self.0.as_deref(), left: MESSAGE_TIME }
    }
}

impl fmt::Debug for PdfReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "PdfReader::apart" } else { "PdfReader::none" })
    }
}

/// Processes that wait for a file; as many as were ever at work at once.
struct Pool {
    program: PathBuf,
    idle: Mutex<Vec<Worker>>,
}

/// The PDF files of one message share its time.
pub(super) struct MessagePdfs<'p> {
    pool: Option<&'p Pool>,
    left: Duration,
}

impl MessagePdfs<'_> {
    pub(super) fn read(&mut self, bytes: &[u8]) -> Content {
        let Some(pool) = self.pool else {
            let is_sealed = protection::dictionary(bytes).is_some();
            return Content::NotInspected(if is_sealed { "encrypted" } else { "pdf" });
        };
        let begun = Instant::now();
        if self.left.is_zero() {
            return Content::NotInspected(TOO_SLOW);
        }
        let idle = pool.idle.lock().expect("no holder of this lock panics").pop();
        let Some(mut worker) = idle.or_else(|| Worker::start(&pool.program)) else {
            return Content::NotInspected("pdf");
        };
        let answer = worker.read(bytes, self.left);
        self.left = self.left.saturating_sub(begun.elapsed());
        match answer {
            Ok(PdfAnswer { texts, not_inspected }) => {
                pool.idle.lock().expect("no holder of this lock panics").push(worker);
                Content::Several { texts, not_inspected: not_inspected.into_iter().map(Why::as_str).collect() }
            }
            Err(why) => {
                if why == TOO_SLOW {
                    // Its sender has had what a message may take.
                    self.left = Duration::ZERO;
                }
                Content::NotInspected(why)
            }
        }
    }
}

/// What was read of one file.
#[derive(Default, Serialize, Deserialize)]
struct PdfAnswer {
    texts: Vec<String>,
    not_inspected: Vec<Why>,
}

/// Why some of a file was not looked into.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Why {
    ContainerLimit,
    Encrypted,
    Image,
    UnreadablePart,
}

impl Why {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ContainerLimit => "container-limit",
            Self::Encrypted => "encrypted",
            Self::Image => "image",
            Self::UnreadablePart => "unreadable-part",
        }
    }
}

/// A process that reads one file after another. Dropping it ends it.
struct Worker {
    process: Child,
    files: SyncSender<Zeroizing<Vec<u8>>>,
    answers: Receiver<Option<PdfAnswer>>,
}

impl Worker {
    #[expect(clippy::disallowed_methods, reason = "this program again, to read PDF files apart from everything")]
    fn start(program: &Path) -> Option<Self> {
        let mut process = Command::new(program)
            .arg("pdf-text")
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let (mut to, mut from) = (process.stdin.take()?, process.stdout.take()?);
        let (files, waiting) = sync_channel::<Zeroizing<Vec<u8>>>(1);
        let (done, answers) = sync_channel(1);
        // Pipes have no deadline: a thread waits for them, and ends with the process.
        std::thread::spawn(move || {
            while let Ok(file) = waiting.recv() {
                let answer = send(&mut to, &file).ok().and_then(|()| receive(&mut from, ANSWER_BYTES).ok());
                let answer = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
                if done.send(answer).is_err() {
                    break;
                }
            }
        });
        Some(Self { process, files, answers })
    }

    fn read(&mut self, bytes: &[u8], time: Duration) -> Result<PdfAnswer, &'static str> {
        if self.files.send(Zeroizing::new(bytes.to_vec())).is_err() {
            return Err(self.end());
        }
        match self.answers.recv_timeout(time) {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(RecvTimeoutError::Disconnected) => Err(self.end()),
            Err(RecvTimeoutError::Timeout) => Err(TOO_SLOW),
        }
    }

    /// Why a process that gives no answer ended.
    #[cfg(unix)]
    fn end(&mut self) -> &'static str {
        use std::os::unix::process::ExitStatusExt;
        let _ = self.process.kill();
        let signal = self.process.wait().ok().and_then(|status| status.signal());
        if signal == Some(rustix::process::Signal::XCPU.as_raw()) { TOO_SLOW } else { "reader-fault" }
    }

    #[cfg(not(unix))]
    fn end(&mut self) -> &'static str {
        "reader-fault"
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it stays.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends one block of bytes behind its length.
fn send(to: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)?;
    to.flush()
}

/// Receives one block of bytes of at most `limit`.
fn receive(from: &mut impl Read, limit: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > limit {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program in place of ours; what it answers is not what was asked.
    #[cfg(unix)]
    fn said_by(script: &str, within: Duration) -> &'static str {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        crate::files::write_whole(&program, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let reader = PdfReader(Some(Arc::new(Pool { program, idle: Mutex::default() })));
        let mut message = MessagePdfs { pool: reader.0.as_deref(), left: within };
        match message.read(b"%PDF-1.7") {
            Content::NotInspected(why) => why,
            _ => "read",
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_fails_lies_or_hangs_costs_one_file() {
        // However busy the machine is, these answer before that.
        let long = Duration::from_secs(60);
        assert_eq!(said_by("exit 1", long), "reader-fault");
        assert_eq!(said_by("printf '\\377\\377\\377\\377'", long), "reader-fault");
        assert_eq!(said_by("printf '\\002\\000\\000\\000[]'", long), "reader-fault");
        assert_eq!(said_by("exec sleep 60", Duration::from_millis(500)), "too-slow");
    }

    #[test]
    fn without_a_process_a_pdf_is_counted_and_an_encrypted_one_told_apart() {
        let said = |bytes: &[u8]| match PdfReader::none().message().read(bytes) {
            Content::NotInspected(why) => why,
            _ => "read",
        };
        assert_eq!(said(b"%PDF-1.7"), "pdf");
        assert_eq!(said(b"%PDF-1.7 trailer<</Encrypt 3 0 R>>"), "encrypted");
    }
}
