//! Reads SMTP replies (RFC 5321 §4.2) and the EHLO keywords in them.
//!
//! Pure and bounded: bytes in, one reply out. Lenient about bare line feeds and mixed codes, since a
//! prober has to read what servers really say.

/// A reply longer than this is given up.
pub const MAX_REPLY: usize = 64 * 1024;
/// A reply of more lines than this is given up.
pub const MAX_LINES: usize = 256;
/// A line longer than this is given up (RFC 5321 §4.5.3.1.5 allows 512).
pub const MAX_LINE: usize = 4 * 1024;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The code of the last line.
    pub code: u16,
    /// The text of each line, without code and line end.
    pub lines: Vec<Vec<u8>>,
}

/// Why bytes are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReply {
    #[error("a line does not begin with a reply code (RFC 5321 §4.2)")]
    NoCode,
    #[error("a line is longer than {MAX_LINE} bytes")]
    LongLine,
    #[error("the reply is longer than {MAX_REPLY} bytes or {MAX_LINES} lines")]
    TooLong,
}

impl NotAReply {
    /// Whether a limit of ours was reached, rather than a rule broken.
    pub fn is_limit(self) -> bool {
        matches!(self, Self::LongLine | Self::TooLong)
    }
}

/// What one line says: its code, whether more lines follow, and its text.
pub fn read_line(line: &[u8]) -> Result<(u16, bool, &[u8]), NotAReply> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let [a @ b'2'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = line else { return Err(NotAReply::NoCode) };
    let code = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
    match rest {
        [] => Ok((code, false, rest)),
        [b' ', text @ ..] => Ok((code, false, text)),
        [b'-', text @ ..] => Ok((code, true, text)),
        _ => Err(NotAReply::NoCode),
    }
}

/// Reads a stored reply: what [`Reply`] was when it was received.
pub fn read_reply(bytes: &[u8]) -> Result<Reply, NotAReply> {
    if bytes.len() > MAX_REPLY {
        return Err(NotAReply::TooLong);
    }
    let mut reply = Reply { code: 0, lines: Vec::new() };
    for line in bytes.split_inclusive(|&byte| byte == b'\n').take(MAX_LINES + 1) {
        let (code, more, text) = read_line(line)?;
        reply.code = code;
        reply.lines.push(text.to_vec());
        if !more {
            return Ok(reply);
        }
    }
    if reply.lines.is_empty() { Err(NotAReply::NoCode) } else { Ok(reply) }
}

/// What an EHLO reply offers, as far as TLS and passwords are concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords {
    pub starttls: bool,
    /// A keyword was written over on the way, as some firewalls do with `STARTTLS`.
    pub overwritten: bool,
    /// Mechanisms of AUTH, upper case, in order; also those of the old `AUTH=` form.
    pub auth: Vec<String>,
}

/// Reads the keywords of an EHLO reply (RFC 5321 §4.1.1.1). The first line is a greeting.
pub fn keywords(reply: &Reply) -> Keywords {
    let mut found = Keywords::default();
    for line in reply.lines.iter().skip(1) {
        let text = String::from_utf8_lossy(line).to_ascii_uppercase();
        let mut words = text.split([' ', '\t', '=']).filter(|word| !word.is_empty());
        let Some(keyword) = words.next() else { continue };
        match keyword {
            "STARTTLS" => found.starttls = true,
            "AUTH" => found.auth.extend(words.map(str::to_owned)),
            // `XXXXXXXX` or `XXXXXXXA`: as long as STARTTLS, and nothing any server says itself.
            _ if keyword.len() == 8 && keyword.starts_with("XXXXXXX") => found.overwritten = true,
            _ => {}
        }
    }
    found
}

/// Whether a SASL mechanism sends a password, or a token as good as one, as it is (RFC 4616, RFC
/// 7628).
pub fn sends_password(mechanism: &str) -> bool {
    matches!(mechanism.to_ascii_uppercase().as_str(), "PLAIN" | "LOGIN" | "XOAUTH2" | "OAUTHBEARER")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_ehlo_reply_gives_its_keywords() {
        let reply = read_reply(b"250-mx.clinic.example\r\n250-AUTH PLAIN LOGIN\r\n250-starttls\n250 AUTH=CRAM-MD5\r\n")
            .unwrap();
        let found = keywords(&reply);
        assert!(found.starttls && !found.overwritten);
        assert_eq!(found.auth, ["PLAIN", "LOGIN", "CRAM-MD5"]);
    }

    #[test]
    fn a_host_called_starttls_does_not_offer_it() {
        let reply = read_reply(b"250-STARTTLS\r\n250 SIZE 1000\r\n").unwrap();
        assert!(!keywords(&reply).starttls);
    }

    #[test]
    fn an_overwritten_keyword_is_seen() {
        let reply = read_reply(b"250-mx.clinic.example\r\n250-XXXXXXXA\r\n250 XFORWARD\r\n").unwrap();
        assert!(keywords(&reply).overwritten && !keywords(&reply).starttls);
    }

    #[test]
    fn other_protocols_are_no_reply() {
        for text in [&b"SSH-2.0-x\r\n"[..], b"+OK\r\n", b"* OK\r\n", b"999 x\r\n", b"22", b"220x\r\n", b""] {
            assert!(read_reply(text).is_err(), "{text:?}");
        }
        assert_eq!(read_reply(b"220\r\n").unwrap().code, 220);
    }

    proptest! {
        #[test]
        fn random_bytes_end_without_panic(bytes: Vec<u8>) {
            if let Ok(reply) = read_reply(&bytes) {
                let _ = keywords(&reply);
            }
            let _ = read_reply(&[b"250-", &bytes[..]].concat()).map(|reply| keywords(&reply));
        }
    }
}
