//! The SMTP dialogue up to TLS (RFC 5321, RFC 3207): greeting, EHLO, STARTTLS.
//!
//! In strict order, each word after the answer to the last. Never an address, never a password,
//! never a message.

use super::dial::Connection;
use super::service::Stop;
use crate::evidence::ReceivedBytes;
use crate::evidence::endpoint::{Dialogue, State};
use crate::records::smtp_reply::{self, MAX_LINE, MAX_LINES, MAX_REPLY, Reply};

/// Leaves the connection where the service waits for a ClientHello. `behind` is sent in the same
/// breath as STARTTLS, and is empty except for the injection probe.
pub(super) async fn begin_tls(
    connection: &mut Connection,
    ehlo: &str,
    dialogue: &mut Dialogue,
    behind: &str,
) -> Result<(), Stop> {
    let greeting = read_reply(connection, &mut dialogue.greeting).await?;
    if greeting.code != 220 {
        return Err(Stop::Settled(refused(greeting.code)));
    }
    connection.send(format!("EHLO {ehlo}\r\n").as_bytes()).await?;
    let offered = read_reply(connection, &mut dialogue.capabilities).await?;
    match offered.code {
        200..=299 => {}
        // EHLO is not known (RFC 5321 §4.1.4): then neither is any extension.
        500 | 502 => return Err(Stop::Settled(State::StarttlsNotOffered)),
        code => return Err(Stop::Settled(refused(code))),
    }
    let keywords = smtp_reply::keywords(&offered);
    if !keywords.starttls {
        let state = if keywords.overwritten { State::StarttlsStripped } else { State::StarttlsNotOffered };
        return Err(Stop::Settled(state));
    }
    connection.send(format!("STARTTLS\r\n{behind}").as_bytes()).await?;
    match read_reply(connection, &mut dialogue.starttls_reply).await?.code {
        220 => Ok(()),
        400..=499 => Err(Stop::Settled(State::StarttlsRefusedTemporary)),
        _ => Err(Stop::Settled(State::StarttlsRefused)),
    }
}

/// The state of a service that refuses to talk.
fn refused(code: u16) -> State {
    match code {
        421 => State::Refused421,
        400..=499 => State::Refused4xx,
        554 => State::Refused554,
        500..=599 => State::Refused5xx,
        // A greeting that is neither ready nor a refusal is not SMTP as RFC 5321 has it.
        _ => State::NotTls,
    }
}

/// Reads one reply and keeps it as received, however far it came.
async fn read_reply(connection: &mut Connection, keep: &mut Option<ReceivedBytes>) -> Result<Reply, Stop> {
    let mut bytes = Vec::new();
    let mut lines = 0;
    let outcome = loop {
        let line = match connection.read_line(MAX_LINE).await {
            Ok(line) => line,
            Err(ended) => {
                bytes.extend_from_slice(&connection.unread()[..connection.unread().len().min(512)]);
                // A line that began and is no reply needs no waiting for its end.
                let other =
                    !bytes.is_empty() && smtp_reply::read_line(&bytes).is_err() && lines == 0 && bytes.len() > 3;
                break Err(if other { Stop::OtherProtocol } else { Stop::Ended(ended) });
            }
        };
        bytes.extend_from_slice(&line);
        lines += 1;
        match smtp_reply::read_line(&line) {
            Ok((_, false, _)) => break smtp_reply::read_reply(&bytes).map_err(|_| Stop::OtherProtocol),
            Ok((_, true, _)) if bytes.len() > MAX_REPLY || lines >= MAX_LINES => {
                let what = format!("a reply of more than {MAX_REPLY} bytes or {MAX_LINES} lines");
                break Err(Stop::Ended(super::dial::Ended::Limit(what)));
            }
            Ok((_, true, _)) => {}
            Err(_) => break Err(Stop::OtherProtocol),
        }
    };
    if !bytes.is_empty() {
        *keep = Some(ReceivedBytes(bytes));
    }
    outcome
}
