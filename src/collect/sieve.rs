//! The ManageSieve dialogue up to TLS (RFC 5804 §2.2): greeting with capabilities, STARTTLS.
//!
//! In strict order. Never AUTHENTICATE.

use super::dial::{Connection, Ended};
use super::service::{Stop, keep_line};
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::{Dialogue, State};

const MAX_LINE: usize = 4 * 1024;
const MAX_LINES: usize = 256;

/// Leaves the connection where the service waits for a ClientHello.
pub(super) async fn begin_tls(connection: &mut Connection, dialogue: &mut Dialogue) -> Result<(), Stop> {
    let (ok, offered) = read_response(connection, &mut dialogue.greeting).await?;
    // The greeting is the list of capabilities.
    dialogue.capabilities = dialogue.greeting.clone();
    if !ok {
        return Err(Stop::Settled(State::Refused4xx));
    }
    if !offered {
        return Err(Stop::Settled(State::StarttlsNotOffered));
    }
    connection.send(b"STARTTLS\r\n").await?;
    match read_response(connection, &mut dialogue.starttls_reply).await? {
        (true, _) => Ok(()),
        (false, _) => Err(Stop::Settled(State::StarttlsRefused)),
    }
}

/// Reads lines up to OK (true), NO or BYE (false), and whether STARTTLS was among them.
async fn read_response(connection: &mut Connection, keep: &mut Option<ReceivedBytes>) -> Result<(bool, bool), Stop> {
    let mut offered = false;
    for _ in 0..MAX_LINES {
        let line = keep_line(connection, MAX_LINE, keep).await?;
        let line = line.trim_ascii().to_ascii_uppercase();
        let says =
            |word: &[u8]| line.strip_prefix(word).is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b' '));
        if says(b"OK") {
            return Ok((true, offered));
        }
        if says(b"NO") || says(b"BYE") {
            return Ok((false, offered));
        }
        if !line.starts_with(b"\"") && !line.starts_with(b"{") {
            return Err(Stop::OtherProtocol);
        }
        offered |= line.starts_with(b"\"STARTTLS\"");
    }
    Err(Stop::Ended(Ended::Limit(format!("more than {MAX_LINES} lines"))))
}
