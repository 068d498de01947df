//! Reads from a message's header how it arrived: the Received fields (RFC 5321 §4.4) and the
//! Authentication-Results (RFC 8601) that the organization's own hosts wrote, and no others.
//!
//! Anybody can write a field into a message he sends. Each host puts its own above what was there, so
//! only the topmost unbroken chain is believed: a Received field of an own host, and the next below it
//! only where the own host recorded that it took the message from itself or from another own host. The
//! name in EHLO is what the other side says of itself and proves nothing. Where the chain does not
//! begin at the top, or leads to somebody who may be an own host and is not confirmed, nothing is known.

use std::net::IpAddr;

use crate::names::DomainName;
use crate::records::mx::is_private;

/// Fields of one message that are looked at.
const FIELDS: usize = 300;
/// One field; what is longer is not believed.
const FIELD_BYTES: usize = 4 * 1024;
/// Results taken from one message.
const RESULTS: usize = 100;

/// A host whose fields are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnHost {
    pub name: DomainName,
    /// It takes Authentication-Results that name it out of mail that arrives (RFC 8601 §5), so that one
    /// right below its own Received field is its own.
    pub removes_foreign_results: bool,
}

/// How the last hop from outside was protected, as the receiving host recorded it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carried {
    Clear,
    /// The field does not tell.
    NotTold,
    Tls {
        /// `TLS 1.3`.
        version: Option<&'static str>,
        /// As the host wrote it: `TLS_AES_256_GCM_SHA384`.
        cipher: Option<String>,
    },
}

/// One result of an own host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuthResult {
    pub method: Method,
    /// `pass`, `fail`, …: a word of RFC 8601 §2.7, `other` for any else.
    pub result: &'static str,
    /// Whom it speaks of: `header.from`, `header.d`, the domain of `smtp.mailfrom`.
    pub domain: Option<DomainName>,
}

/// The methods that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Dkim,
    Dmarc,
    Spf,
}

/// How a message came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub carried: Carried,
    /// The name of the host it came from, where software that confirms names recorded it.
    pub from_host: Option<DomainName>,
    pub results: Vec<AuthResult>,
}

/// Reads the fields of a header section in their order, names and unfolded or folded values. `None`
/// where no field that an own host surely wrote tells how the message arrived.
pub fn arrival<'m>(fields: impl Iterator<Item = (&'m str, &'m str)>, own: &[OwnHost]) -> Option<Arrival> {
    let known = |name: &str| {
        let name = name.trim_end_matches('.');
        own.iter().find(|host| host.name.as_str().eq_ignore_ascii_case(name))
    };
    let mut above: Vec<AuthResult> = Vec::new();
    let mut boundary: Option<(Hop, &OwnHost)> = None;
    for (name, value) in fields.take(FIELDS) {
        if name.eq_ignore_ascii_case("Received") {
            // Below the hop from outside everything may be a stranger's.
            let Some(hop) = hop(value).filter(|_| boundary.is_none()) else { break };
            let Some(host) = hop.by.as_deref().and_then(known) else { break };
            if hop.is_inside(&known) {
                continue;
            }
            if hop.from.is_none() || hop.claims_inside(&known) {
                // It was written on the machine itself, or by an own host that nobody confirmed: the
                // hop from outside is further down, where nothing is sure.
                break;
            }
            boundary = Some((hop, host));
        } else if name.eq_ignore_ascii_case("Authentication-Results") {
            let believed = |service: &str| match boundary {
                None => known(service).is_some(),
                Some((_, host)) => {
                    host.removes_foreign_results && known(service).is_some_and(|known| known.name == host.name)
                }
            };
            above.extend(results(value, &believed));
        }
    }
    let (hop, _) = boundary?;
    above.sort();
    above.dedup();
    above.truncate(RESULTS);
    Some(Arrival { carried: hop.carried(), from_host: hop.confirmed_name(), results: above })
}

/// One Received field, in its clauses.
#[derive(Debug, Default)]
struct Hop {
    from: Option<String>,
    /// The comments of the `from` clause.
    from_comments: Vec<String>,
    by: Option<String>,
    with: Option<String>,
    /// Every other comment.
    comments: Vec<String>,
}

/// Takes a Received field apart; `None` where it is not written as RFC 5321 has it, has a clause
/// twice, or an address whose quoted part may hold anything: then somebody's text may have become
/// part of it.
fn hop(value: &str) -> Option<Hop> {
    if value.len() > FIELD_BYTES || value.contains("<\"") {
        return None;
    }
    let mut hop = Hop::default();
    let mut clause = "";
    let mut wants_value = false;
    for token in tokens(value)? {
        match token {
            Token::Comment(text) if clause == "from" => hop.from_comments.push(text),
            Token::Comment(text) => hop.comments.push(text),
            Token::End => break,
            Token::Word(word) => {
                let lower = word.to_ascii_lowercase();
                if wants_value {
                    wants_value = false;
                    let slot = match clause {
                        "from" => &mut hop.from,
                        "by" => &mut hop.by,
                        "with" => &mut hop.with,
                        _ => continue,
                    };
                    *slot = Some(word);
                } else {
                    let (taken, name) = match lower.as_str() {
                        "from" => (hop.from.is_some() || hop.by.is_some() || hop.with.is_some(), "from"),
                        "by" => (hop.by.is_some(), "by"),
                        "with" => (hop.with.is_some(), "with"),
                        "via" | "id" | "for" => (false, "other"),
                        // `with Microsoft SMTP Server`: words that go on.
                        _ => continue,
                    };
                    if taken {
                        return None;
                    }
                    clause = name;
                    wants_value = true;
                }
            }
        }
    }
    Some(hop)
}

enum Token {
    Comment(String),
    /// The semicolon before the date.
    End,
    Word(String),
}

/// Words and comments (RFC 5322 §3.2.2), a quoted value (`reason="a b"`) as part of its word; `None`
/// where a comment or a quoted value never ends, and where a quotation mark stands anywhere else.
fn tokens(value: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if matches!(character, ' ' | '\t' | '\r' | '\n' | '(' | ';') && !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(&mut word)));
        }
        match character {
            ' ' | '\t' | '\r' | '\n' => {}
            ';' => tokens.push(Token::End),
            '(' => {
                let (mut depth, mut text) = (1_usize, String::new());
                loop {
                    match characters.next()? {
                        '\\' => text.extend(characters.next()),
                        '(' => {
                            depth += 1;
                            text.push('(');
                        }
                        ')' if depth == 1 => break,
                        ')' => {
                            depth -= 1;
                            text.push(')');
                        }
                        '\r' | '\n' => {}
                        other => text.push(other),
                    }
                }
                tokens.push(Token::Comment(text));
            }
            '"' if word.ends_with('=') => {
                word.push('"');
                loop {
                    match characters.next()? {
                        '\\' => word.extend(characters.next()),
                        '"' => break,
                        other => word.push(other),
                    }
                }
                word.push('"');
            }
            '"' => return None,
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        tokens.push(Token::Word(word));
    }
    Some(tokens)
}

/// Software that writes the name of the other side only where it leads back to its address, or says so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Software {
    Exim,
    Postfix,
    Sendmail,
    Unknown,
}

impl Hop {
    fn software(&self) -> Software {
        let starts = |text: &str| self.comments.iter().any(|comment| comment.starts_with(text));
        let versions = |comment: &String| {
            let mut halves = comment.split('/');
            let is_version = |half: &str| half.starts_with("8.") && half.bytes().all(|b| b.is_ascii_graphic());
            matches!((halves.next(), halves.next()), (Some(a), Some(b)) if is_version(a) && is_version(b))
        };
        if starts("Postfix") {
            Software::Postfix
        } else if starts("Exim") {
            Software::Exim
        } else if self.comments.iter().any(versions) {
            Software::Sendmail
        } else {
            Software::Unknown
        }
    }

    /// The name and the address of the other side, read only where the software puts them: what
    /// stands elsewhere is the other side's own word.
    fn other_side(&self) -> Option<(&str, IpAddr)> {
        let comment = self.from_comments.first()?;
        let (name, rest) = match self.software() {
            // `from HELO (name [192.0.2.1])`; `unknown` where the name does not lead back. sendmail
            // writes an answer to IDENT before them, so the last address is the software's.
            Software::Postfix | Software::Sendmail => match comment.strip_prefix('[') {
                Some(rest) => ("", rest),
                None => comment.rsplit_once(" [")?,
            },
            // `from name ([192.0.2.1] helo=HELO)`; without a name the address stands in its place, and
            // the comment begins with what the other side says.
            Software::Exim => (self.from.as_deref()?, comment.strip_prefix('[')?),
            Software::Unknown => return None,
        };
        let (address, _) = rest.split_once(']')?;
        Some((name, address.strip_prefix("IPv6:").unwrap_or(address).parse().ok()?))
    }

    /// The name of the other side that the software confirmed by asking back and forth.
    fn confirmed_name(&self) -> Option<DomainName> {
        let forged = self.from_comments.first()?.contains("may be forged");
        let (name, _) = self.other_side().filter(|_| !forged)?;
        let name = name.rsplit(['@', ' ']).next()?;
        name.parse::<DomainName>().ok().filter(|name| name.as_str().contains('.'))
    }

    /// Whether an own host handed it to an own host.
    fn is_inside<'h>(&self, known: &impl Fn(&str) -> Option<&'h OwnHost>) -> bool {
        // Local delivery, which no stranger reaches.
        let with = self.with.as_deref().unwrap_or_default().to_ascii_uppercase();
        if with.starts_with("LMTP") || with.starts_with("UTF8LMTP") {
            return true;
        }
        self.other_side().is_some_and(|(_, address)| address.to_canonical().is_loopback())
            || self.confirmed_name().is_some_and(|name| known(name.as_str()).is_some())
    }

    /// Whether anything of the other side's names an own host, or an address that mail from outside
    /// does not come from.
    fn claims_inside<'h>(&self, known: &impl Fn(&str) -> Option<&'h OwnHost>) -> bool {
        let claims = |word: &str| {
            let address = word.strip_prefix("IPv6:").unwrap_or(word).parse::<IpAddr>();
            address.is_ok_and(is_private) || word.eq_ignore_ascii_case("localhost") || known(word).is_some()
        };
        let said = self.from.iter().chain(self.from_comments.first());
        said.flat_map(|text| text.split([' ', '[', ']', '(', ')', '=', '@'])).any(claims)
    }

    fn carried(&self) -> Carried {
        // The first comment of `from` holds names that the other side chose, and others may hold an
        // envelope's address: only one that begins as the software's own is read.
        let told = || {
            let own =
                |comment: &&String| ["TLS", "using TLS", "version="].iter().any(|start| comment.starts_with(start));
            self.from_comments.iter().skip(1).chain(&self.comments).filter(own)
        };
        let version = told().find_map(|comment| version_in(comment));
        let cipher = told().find_map(|comment| cipher_in(comment));
        let with = self.with.as_deref().unwrap_or_default().to_ascii_uppercase();
        // RFC 3848 and RFC 6531: an S at the end says TLS.
        let says_tls = matches!(
            with.as_str(),
            "ESMTPS"
                | "ESMTPSA"
                | "SMTPS"
                | "LMTPS"
                | "LMTPSA"
                | "UTF8SMTPS"
                | "UTF8SMTPSA"
                | "UTF8LMTPS"
                | "UTF8LMTPSA"
        );
        let says_clear = matches!(with.as_str(), "ESMTP" | "ESMTPA" | "SMTP" | "UTF8SMTP" | "UTF8SMTPA");
        match (says_tls || version.is_some(), says_clear) {
            (true, false) => Carried::Tls { version, cipher },
            (false, true) => Carried::Clear,
            // Two words against each other tell as much as none.
            (true, true) | (false, false) => Carried::NotTold,
        }
    }
}

/// The version in a comment of Postfix (`using TLSv1.3 with cipher …`), Exim (`TLS1.3`), sendmail and
/// others (`version=TLSv1.3`, `version=TLS1_3`).
fn version_in(comment: &str) -> Option<&'static str> {
    let word = match comment.strip_prefix("using ") {
        Some(rest) => rest.split_whitespace().next()?,
        None => match comment.strip_prefix("version=") {
            Some(rest) => rest.split([' ', ',', ';', '\t']).next()?,
            None => comment.split_whitespace().next()?,
        },
    };
    match word.to_ascii_uppercase().replace(['V', '_'], "").replace("TLS.", "TLS").as_str() {
        "SSL2" => Some("SSL 2.0"),
        "SSL3" => Some("SSL 3.0"),
        "TLS1" | "TLS1.0" | "TLS10" => Some("TLS 1.0"),
        "TLS1.1" | "TLS11" => Some("TLS 1.1"),
        "TLS1.2" | "TLS12" => Some("TLS 1.2"),
        "TLS1.3" | "TLS13" => Some("TLS 1.3"),
        _ => None,
    }
}

fn cipher_in(comment: &str) -> Option<String> {
    let rest = comment.split_once("with cipher ").or_else(|| comment.split_once("cipher="))?.1;
    let word = rest.split([' ', ',', ';', '\t', ')']).next()?;
    let sound = (3..=64).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    sound.then(|| word.to_owned())
}

/// The results of one field, if the service it names is believed.
fn results(value: &str, believed: &impl Fn(&str) -> bool) -> Vec<AuthResult> {
    if value.len() > FIELD_BYTES {
        return Vec::new();
    }
    let Some(tokens) = tokens(value) else { return Vec::new() };
    let mut groups: Vec<Vec<String>> = vec![Vec::new()];
    for token in tokens {
        match token {
            // Where an address with a quoted part was put into a comment, it may have ended it.
            Token::Comment(text) if text.contains('"') => return Vec::new(),
            Token::Comment(_) => {}
            Token::End => groups.push(Vec::new()),
            Token::Word(word) => groups.last_mut().expect("one group is always open").push(word),
        }
    }
    let mut groups = groups.into_iter();
    let Some(service) = groups.next().and_then(|group| group.into_iter().next()) else { return Vec::new() };
    if !believed(&service) {
        return Vec::new();
    }
    groups.filter_map(|group| result(&group)).collect()
}

fn result(words: &[String]) -> Option<AuthResult> {
    let (method, result) = words.first()?.split_once('=')?;
    let method = match method.split('/').next()?.to_ascii_lowercase().as_str() {
        "dkim" => Method::Dkim,
        "dmarc" => Method::Dmarc,
        "spf" => Method::Spf,
        _ => return None,
    };
    const WORDS: [&str; 9] =
        ["fail", "hardfail", "neutral", "none", "pass", "permerror", "policy", "softfail", "temperror"];
    let result = WORDS.into_iter().find(|word| result.eq_ignore_ascii_case(word)).unwrap_or("other");
    let property = |name: &str| {
        let mut found =
            words.iter().filter_map(|word| word.split_once('=')).filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        // A property that comes twice says nothing.
        if found.next().is_some() {
            return None;
        }
        value.trim_matches('"').rsplit('@').next()?.trim_matches(['<', '>']).parse::<DomainName>().ok()
    };
    let domain = match method {
        Method::Dkim => property("header.d").or_else(|| property("header.i")),
        Method::Dmarc => property("header.from"),
        Method::Spf => property("smtp.mailfrom"),
    };
    Some(AuthResult { method, result, domain })
}

#[cfg(test)]
mod tests;
