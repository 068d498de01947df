//! Asks a mail service inside TLS what it can do, as every mail program does next: EHLO, CAPABILITY
//! or CAPA. Never a name, never a password.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::collect::service::StartTls;
use crate::records::smtp_reply;

/// What is read inside TLS at most.
const MAX_SAID: usize = 16 * 1024;
/// Longer is not waited for: what is asked here is worth less than the rest.
const PATIENCE: Duration = Duration::from_secs(2);

/// The greeting, where one comes now, and the answer to the question for capabilities. `None` where the
/// protocol has no such question, or no whole answer came.
pub(super) async fn capabilities<S>(stream: &mut S, way: StartTls, greets: bool, ehlo: &str) -> Option<Vec<u8>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let asking = async {
        let mut said = Vec::new();
        if greets && way != StartTls::Sieve {
            read_until(stream, &mut said, |answer| answer_ends(way, answer, true)).await?;
        }
        let question = match way {
            StartTls::Imap => "z2 CAPABILITY\r\n".to_owned(),
            StartTls::None => return None,
            StartTls::Pop3 => "CAPA\r\n".to_owned(),
            // Says it unasked (RFC 5804 §2.2).
            StartTls::Sieve => String::new(),
            StartTls::Smtp => format!("EHLO {ehlo}\r\n"),
        };
        stream.write_all(question.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        read_until(stream, &mut said, |answer| answer_ends(way, answer, false)).await?;
        Some(said)
    };
    tokio::time::timeout(PATIENCE, asking).await.ok().flatten()
}

/// Reads until what came since the call ends an answer.
async fn read_until<S>(stream: &mut S, said: &mut Vec<u8>, ends: impl Fn(&[u8]) -> bool) -> Option<()>
where
    S: AsyncRead + Unpin,
{
    let from = said.len();
    let mut piece = [0; 2048];
    while !ends(&said[from..]) {
        let count = stream.read(&mut piece).await.ok().filter(|&count| count > 0)?;
        said.extend_from_slice(&piece[..count]);
        if said.len() > MAX_SAID {
            return None;
        }
    }
    Some(())
}

/// Whether an answer is all there.
fn answer_ends(way: StartTls, answer: &[u8], is_greeting: bool) -> bool {
    let lines = || {
        let whole = answer.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        whole.map(|line| line.trim_ascii().to_ascii_uppercase())
    };
    match way {
        StartTls::Smtp => lines().any(|line| !matches!(smtp_reply::read_line(&line), Ok((_, true, _)))),
        StartTls::Imap | StartTls::Pop3 if is_greeting => lines().next().is_some(),
        StartTls::Imap => lines().any(|line| line.starts_with(b"Z2 ") || line.starts_with(b"* BYE")),
        StartTls::Pop3 => lines().any(|line| line == b"." || line.starts_with(b"-ERR")),
        StartTls::Sieve => lines().any(|line| [&b"OK"[..], b"NO", b"BYE"].iter().any(|word| line.starts_with(word))),
        StartTls::None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_protocol_is_asked_in_its_own_words_and_its_whole_answer_is_kept() {
        for (way, greets, said, question) in [
            (StartTls::Smtp, false, "250-mx\r\n250 SIZE 10\r\n", "EHLO me.example\r\n"),
            (StartTls::Imap, true, "* OK hello\r\n* CAPABILITY IMAP4rev1\r\nz2 OK done\r\n", "z2 CAPABILITY\r\n"),
            (StartTls::Pop3, false, "+OK\r\nUSER\r\n.\r\n", "CAPA\r\n"),
            (StartTls::Sieve, true, "\"SIEVE\" \"\"\r\nOK \"ready\"\r\n", ""),
        ] {
            let mut stream = tokio_test_stream(said);
            let found = capabilities(&mut stream, way, greets, "me.example").await;
            assert_eq!(found.as_deref(), Some(said.as_bytes()), "{way:?}");
            assert_eq!(String::from_utf8(stream.written).unwrap(), question);
        }
    }

    #[tokio::test]
    async fn half_an_answer_and_an_endless_one_are_none() {
        for said in ["250-mx\r\n".to_owned(), "250-mx\r\n".repeat(10_000)] {
            let mut stream = tokio_test_stream(&said);
            assert_eq!(capabilities(&mut stream, StartTls::Smtp, false, "me.example").await, None);
        }
    }

    /// Says its text in small pieces, then ends.
    struct Scripted {
        said: Vec<u8>,
        written: Vec<u8>,
    }

    fn tokio_test_stream(said: &str) -> Scripted {
        Scripted { said: said.as_bytes().to_vec(), written: Vec::new() }
    }

    impl AsyncRead for Scripted {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            into: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            // One line at a time, so that a greeting does not bring the answer with it.
            let line = self.said.iter().position(|&byte| byte == b'\n').map_or(self.said.len(), |at| at + 1);
            let count = line.min(into.remaining());
            let rest = self.said.split_off(count);
            into.put_slice(&std::mem::replace(&mut self.said, rest));
            std::task::Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Scripted {
        fn poll_write(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            bytes: &[u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            self.written.extend_from_slice(bytes);
            std::task::Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn poll_shutdown(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
    }
}
