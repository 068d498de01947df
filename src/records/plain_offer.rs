//! Reads what a service offers: before TLS whether passwords may be sent in clear, and inside TLS whether
//! STARTTLS is offered once more (RFC 3207 §4.2 forbids it). For passwords: AUTH of SMTP (RFC 4954),
//! LOGINDISABLED of IMAP (RFC 9051 §7.2.2), USER of POP3 (RFC 2449 §6.2), SASL of ManageSieve (RFC
//! 5804 §1.7).

use super::smtp_reply::{keywords, read_reply, sends_password};
use crate::evidence::endpoint::Dialogue;

/// Whether the service, asked in the way of `starttls`, takes passwords before TLS; `None` where
/// it did not say.
pub fn sends_passwords_in_clear(starttls: &str, dialogue: &Dialogue) -> Option<bool> {
    let said = &dialogue.capabilities.as_ref()?.0;
    match starttls {
        "smtp" => {
            let reply = read_reply(said).ok().filter(|reply| (200..300).contains(&reply.code))?;
            Some(keywords(&reply).auth.iter().any(|mechanism| sends_password(mechanism)))
        }
        "imap" => imap(said),
        "pop3" => pop3(said),
        "sieve" => sieve(said),
        _ => None,
    }
}

/// Whether what was said inside TLS offers STARTTLS, by the way TLS began; `None` where it is no list of
/// capabilities. Where TLS began at once (`none`) the answer shows the protocol.
pub fn offers_starttls_again(starttls: &str, said: &[u8]) -> Option<bool> {
    let lines = || said.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    match starttls {
        "none" => ["smtp", "imap", "pop3", "sieve"].iter().find_map(|way| offers_starttls_again(way, said)),
        "smtp" => {
            // The greeting comes inside TLS where TLS began at once.
            let greeting = said.split_inclusive(|&byte| byte == b'\n').take_while(|line| line.starts_with(b"220"));
            let said = &said[greeting.map(<[u8]>::len).sum()..];
            let reply = read_reply(said).ok().filter(|reply| (200..300).contains(&reply.code))?;
            Some(keywords(&reply).starttls)
        }
        "imap" => {
            let mut listed = lines().filter(|line| starts_with(line, "* CAPABILITY ")).peekable();
            listed.peek()?;
            Some(listed.any(|line| line.split(|&byte| byte == b' ').any(|word| word.eq_ignore_ascii_case(b"STARTTLS"))))
        }
        "pop3" => {
            let listed = starts_with(lines().next()?, "+OK") && lines().any(|line| line == b".");
            listed.then(|| lines().any(|line| line.eq_ignore_ascii_case(b"STLS")))
        }
        "sieve" => {
            let listed = lines().any(|line| starts_with(line, "OK"));
            listed.then(|| lines().any(|line| starts_with(line, "\"STARTTLS\"")))
        }
        _ => None,
    }
}

fn imap(said: &[u8]) -> Option<bool> {
    let lines = said.split(|&byte| byte == b'\n').filter(|line| starts_with(line, "* CAPABILITY "));
    let words: Vec<String> = lines
        .flat_map(|line| line.split(|&byte| byte == b' ' || byte == b'\r'))
        .map(|word| String::from_utf8_lossy(word).to_ascii_uppercase())
        .collect();
    if words.is_empty() {
        return None;
    }
    let login = !words.iter().any(|word| word == "LOGINDISABLED");
    Some(login || words.iter().filter_map(|word| word.strip_prefix("AUTH=")).any(sends_password))
}

fn pop3(said: &[u8]) -> Option<bool> {
    let mut lines = said.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    if !starts_with(lines.next()?, "+OK") {
        return None;
    }
    let mut complete = false;
    let mut takes = false;
    for line in lines {
        let text = String::from_utf8_lossy(line).to_ascii_uppercase();
        let mut words = text.split_whitespace();
        match words.next() {
            Some(".") => complete = true,
            Some("USER") => takes = true,
            Some("SASL") => takes |= words.any(sends_password),
            Some(_) | None => {}
        }
    }
    (complete || takes).then_some(takes)
}

fn sieve(said: &[u8]) -> Option<bool> {
    let mut lines = said.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.find(|line| starts_with(line, "\"SASL\""))?;
    let text = String::from_utf8_lossy(&line[6..]).into_owned();
    Some(text.split(|c: char| c.is_whitespace() || c == '"').any(sends_password))
}

fn starts_with(line: &[u8], word: &str) -> bool {
    line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::ReceivedBytes;
    use proptest::prelude::*;

    fn said(starttls: &str, capabilities: &str) -> Option<bool> {
        let dialogue =
            Dialogue { capabilities: Some(ReceivedBytes(capabilities.as_bytes().to_vec())), ..Dialogue::default() };
        sends_passwords_in_clear(starttls, &dialogue)
    }

    #[test]
    fn each_protocol_says_it_in_its_own_way() {
        assert_eq!(said("smtp", "250-mx\r\n250 AUTH PLAIN\r\n"), Some(true));
        assert_eq!(said("smtp", "250-mx\r\n250 AUTH SCRAM-SHA-256\r\n"), Some(false));
        assert_eq!(said("smtp", "250-mx\r\n250 SIZE\r\n"), Some(false));
        assert_eq!(said("smtp", "502 no\r\n"), None);
        assert_eq!(said("imap", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK\r\n"), Some(false));
        assert_eq!(said("imap", "* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n"), Some(true));
        assert_eq!(said("imap", "* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN\r\na1 OK\r\n"), Some(true));
        assert_eq!(said("imap", "a1 BAD\r\n"), None);
        assert_eq!(said("pop3", "+OK\r\nUSER\r\n.\r\n"), Some(true));
        assert_eq!(said("pop3", "+OK\r\nSTLS\r\nSASL\r\n.\r\n"), Some(false));
        assert_eq!(said("pop3", "-ERR\r\n"), None);
        assert_eq!(said("sieve", "\"SASL\" \"PLAIN LOGIN\"\r\nOK\r\n"), Some(true));
        assert_eq!(said("sieve", "\"SASL\" \"\"\r\nOK\r\n"), Some(false));
        assert_eq!(said("none", "x"), None);
    }

    #[test]
    fn starttls_inside_tls_is_seen_in_every_protocol() {
        let again = |way: &str, said: &str| offers_starttls_again(way, said.as_bytes());
        assert_eq!(again("smtp", "250-mx\r\n250 STARTTLS\r\n"), Some(true));
        assert_eq!(again("smtp", "250-mx\r\n250 SIZE\r\n"), Some(false));
        assert_eq!(again("smtp", "502 no\r\n"), None);
        assert_eq!(again("imap", "* CAPABILITY IMAP4rev1 STARTTLS\r\nz2 OK\r\n"), Some(true));
        assert_eq!(again("imap", "* CAPABILITY IMAP4rev1\r\nz2 OK STARTTLS\r\n"), Some(false));
        assert_eq!(again("imap", "z2 BAD\r\n"), None);
        assert_eq!(again("pop3", "+OK\r\nSTLS\r\n.\r\n"), Some(true));
        assert_eq!(again("pop3", "+OK\r\nUSER\r\n.\r\n"), Some(false));
        assert_eq!(again("pop3", "-ERR\r\n"), None);
        assert_eq!(again("sieve", "\"STARTTLS\"\r\nOK\r\n"), Some(true));
        assert_eq!(again("sieve", "\"SASL\" \"PLAIN\"\r\nOK\r\n"), Some(false));
        // Where TLS began at once, the greeting comes first.
        assert_eq!(again("none", "220 mx\r\n250-mx\r\n250 STARTTLS\r\n"), Some(true));
        assert_eq!(again("none", "220-mx\r\n220 ready\r\n250-mx\r\n250 SIZE\r\n"), Some(false));
        assert_eq!(again("none", "* OK ready\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\nz2 OK\r\n"), Some(true));
        assert_eq!(again("none", "+OK ready\r\n+OK\r\nUSER\r\n.\r\n"), Some(false));
        assert_eq!(again("none", "220 mx\r\n"), None);
        assert_eq!(again("none", "HTTP/1.1 400\r\n"), None);
    }

    proptest! {
        #[test]
        fn random_bytes_end_without_panic(bytes: Vec<u8>, way in 0usize..4) {
            let _ = offers_starttls_again("none", &bytes);
            let _ = offers_starttls_again(["smtp", "imap", "pop3", "sieve"][way], &bytes);
            let dialogue = Dialogue { capabilities: Some(ReceivedBytes(bytes)), ..Dialogue::default() };
            let _ = sends_passwords_in_clear(["smtp", "imap", "pop3", "sieve"][way], &dialogue);
        }
    }
}
