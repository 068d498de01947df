//! The POP3 dialogue up to TLS (RFC 1939, RFC 2449, RFC 2595): greeting, CAPA, STLS.
//!
//! In strict order. Never USER, never APOP.

use super::dial::{Connection, Ended};
use super::service::{Stop, keep_line};
use crate::evidence::endpoint::{Dialogue, State};

const MAX_LINE: usize = 4 * 1024;
const MAX_LINES: usize = 256;

/// Leaves the connection where the service waits for a ClientHello. `behind` is empty except for the
/// injection probe.
pub(super) async fn begin_tls(connection: &mut Connection, dialogue: &mut Dialogue, behind: &str) -> Result<(), Stop> {
    let greeting = keep_line(connection, MAX_LINE, &mut dialogue.greeting).await?.to_ascii_uppercase();
    if greeting.starts_with(b"-ERR") {
        // RFC 3206: temporary trouble says so.
        let temporary = greeting.windows(8).any(|window| window == b"SYS/TEMP" || window == b"[IN-USE]");
        return Err(Stop::Settled(if temporary { State::Refused4xx } else { State::Refused5xx }));
    }
    if !greeting.starts_with(b"+OK") {
        return Err(Stop::OtherProtocol);
    }
    connection.send(b"CAPA\r\n").await?;
    let listed = read_capabilities(connection, dialogue).await?;
    if listed == Some(false) {
        return Err(Stop::Settled(State::StarttlsNotOffered));
    }
    connection.send(format!("STLS\r\n{behind}").as_bytes()).await?;
    let reply = keep_line(connection, MAX_LINE, &mut dialogue.starttls_reply).await?;
    match (reply.to_ascii_uppercase().starts_with(b"+OK"), listed) {
        (true, _) => Ok(()),
        // Without a list of capabilities, refusing an unknown command is not offering it.
        (false, None) => Err(Stop::Settled(State::StarttlsNotOffered)),
        (false, Some(_)) => Err(Stop::Settled(State::StarttlsRefused)),
    }
}

/// Whether STLS is listed; `None` where the server lists nothing at all.
async fn read_capabilities(connection: &mut Connection, dialogue: &mut Dialogue) -> Result<Option<bool>, Stop> {
    let first = keep_line(connection, MAX_LINE, &mut dialogue.capabilities).await?;
    if !first.to_ascii_uppercase().starts_with(b"+OK") {
        return Ok(None);
    }
    let mut found = false;
    for _ in 0..MAX_LINES {
        let line = keep_line(connection, MAX_LINE, &mut dialogue.capabilities).await?;
        match line.trim_ascii() {
            b"." => return Ok(Some(found)),
            word => found |= word.eq_ignore_ascii_case(b"STLS"),
        }
    }
    Err(Stop::Ended(Ended::Limit(format!("more than {MAX_LINES} lines"))))
}
