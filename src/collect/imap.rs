//! The IMAP dialogue up to TLS (RFC 9051 §6.2.1): greeting, CAPABILITY, STARTTLS.
//!
//! In strict order. Never LOGIN, never AUTHENTICATE.

use super::dial::{Connection, Ended};
use super::service::{Stop, keep_line};
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::{Dialogue, State};

const MAX_LINE: usize = 4 * 1024;
const MAX_LINES: usize = 256;

/// Leaves the connection where the service waits for a ClientHello. `behind` is empty except for the
/// injection probe.
pub(super) async fn begin_tls(connection: &mut Connection, dialogue: &mut Dialogue, behind: &str) -> Result<(), Stop> {
    let greeting = keep_line(connection, MAX_LINE, &mut dialogue.greeting).await?.to_ascii_uppercase();
    if greeting.starts_with(b"* BYE") {
        return Err(Stop::Settled(State::Refused4xx));
    }
    if !greeting.starts_with(b"* OK") && !greeting.starts_with(b"* PREAUTH") {
        return Err(Stop::OtherProtocol);
    }
    connection.send(b"a1 CAPABILITY\r\n").await?;
    let capabilities = read_tagged(connection, b"A1 ", &mut dialogue.capabilities).await?;
    if !offers_starttls(&capabilities) {
        return Err(Stop::Settled(State::StarttlsNotOffered));
    }
    connection.send(format!("a2 STARTTLS\r\n{behind}").as_bytes()).await?;
    let reply = read_tagged(connection, b"A2 ", &mut dialogue.starttls_reply).await?;
    if reply.windows(5).any(|window| window.eq_ignore_ascii_case(b"A2 OK")) {
        Ok(())
    } else {
        Err(Stop::Settled(State::StarttlsRefused))
    }
}

/// Reads lines up to the one with the tag.
async fn read_tagged(
    connection: &mut Connection,
    tag: &[u8],
    keep: &mut Option<ReceivedBytes>,
) -> Result<Vec<u8>, Stop> {
    for _ in 0..MAX_LINES {
        let line = keep_line(connection, MAX_LINE, keep).await?;
        let upper = line.to_ascii_uppercase();
        if upper.starts_with(tag) {
            return Ok(keep.as_ref().map(|kept| kept.0.clone()).unwrap_or_default());
        }
        if upper.starts_with(b"* BYE") {
            return Err(Stop::Settled(State::Refused4xx));
        }
    }
    Err(Stop::Ended(Ended::Limit(format!("more than {MAX_LINES} lines"))))
}

fn offers_starttls(capabilities: &[u8]) -> bool {
    words(capabilities).any(|word| word == "STARTTLS")
}

/// The capabilities of CAPABILITY lines, upper case.
fn words(capabilities: &[u8]) -> impl Iterator<Item = String> + '_ {
    capabilities
        .split(|&byte| byte == b'\n')
        .filter(|line| line.to_ascii_uppercase().starts_with(b"* CAPABILITY"))
        .flat_map(|line| line.split(|&byte| byte == b' ' || byte == b'\r'))
        .map(|word| String::from_utf8_lossy(word).to_ascii_uppercase())
}
