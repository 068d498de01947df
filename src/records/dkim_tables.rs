//! Reads which DKIM selectors a mail server signs with: OpenDKIM's KeyTable and settings, Rspamd's
//! `dkim_signing`.
//!
//! Pure: it is given the text. Paths of keys, and keys that stand in a table, are passed over.

use crate::names::DomainName;

/// Selectors of one file.
const KEYS: usize = 10_000;
/// Blocks in blocks of Rspamd's settings.
const DEPTH: usize = 16;

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    /// `self-hosted.opendkim` or `self-hosted.rspamd-dkim`.
    pub format: &'static str,
    /// Selectors with the domain they sign for; none for one that signs for every domain.
    pub keys: Vec<(Option<DomainName>, DomainName)>,
}

/// Reads the file if it is one of these.
pub fn read(text: &str) -> Option<Signing> {
    let (format, mut keys) = key_table(text)
        .or_else(|| opendkim(text))
        .map(|keys| ("self-hosted.opendkim", keys))
        .or_else(|| rspamd(text).map(|keys| ("self-hosted.rspamd-dkim", keys)))?;
    keys.sort();
    keys.dedup();
    keys.truncate(KEYS);
    Some(Signing { format, keys })
}

type Keys = Vec<(Option<DomainName>, DomainName)>;

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// `name domain:selector:/path/to/key` in every line; `%` stands for the sender's domain.
fn key_table(text: &str) -> Option<Keys> {
    let mut keys = Vec::new();
    for line in lines(text) {
        let (_, value) = line.split_once(char::is_whitespace)?;
        let mut parts = value.trim_start().splitn(3, ':');
        let (domain, selector, key) = (parts.next()?.trim(), parts.next()?.trim(), parts.next()?);
        if key.trim().is_empty() {
            return None;
        }
        let domain = if domain == "%" { None } else { Some(domain.parse().ok()?) };
        keys.push((domain, selector.parse().ok()?));
    }
    (!keys.is_empty()).then_some(keys)
}

/// `Domain`, `Selector` and at least one more of its settings, each in a line of its own.
fn opendkim(text: &str) -> Option<Keys> {
    const OTHERS: [&str; 7] = ["canonicalization", "keyfile", "keytable", "mode", "signingtable", "socket", "umask"];
    let (mut domains, mut selector, mut known): (Vec<DomainName>, Option<DomainName>, bool) = (Vec::new(), None, false);
    for line in lines(text) {
        let Some((name, value)) = line.split_once(char::is_whitespace) else { continue };
        match name.to_ascii_lowercase().as_str() {
            "domain" => domains.extend(value.split(',').filter_map(|name| name.trim().parse().ok())),
            "selector" => selector = value.trim().parse().ok(),
            other => known |= OTHERS.contains(&other),
        }
    }
    let selector = selector.filter(|_| known)?;
    // Without a domain it signs for whatever its tables name.
    let of_domains: Keys = domains.into_iter().map(|domain| (Some(domain), selector.clone())).collect();
    Some(if of_domains.is_empty() { vec![(None, selector)] } else { of_domains })
}

/// `selector = "s1";` of all domains, and within `domain { clinic.example { … } }` of one.
fn rspamd(text: &str) -> Option<Keys> {
    const SETTINGS: [&str; 6] =
        ["allow_username_mismatch", "path_map", "selector_map", "sign_authenticated", "sign_local", "try_fallback"];
    let mut keys: Keys = Vec::new();
    let (mut open, mut words): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut known = false;
    for token in Tokens(text) {
        match token {
            Token::Word(word) => {
                // Two are a name and its value; of more only the last says something, as the name of a block.
                words.truncate(2);
                words.push(word);
            }
            Token::Sign('{' | '[') => {
                if open.len() == DEPTH {
                    return None;
                }
                open.push(words.last().cloned().unwrap_or_default());
                words.clear();
            }
            Token::Sign(sign) => {
                if let [name, value] = &words[..] {
                    let name = name.to_ascii_lowercase();
                    known |= SETTINGS.contains(&name.as_str());
                    let within = open.iter().position(|block| block.eq_ignore_ascii_case("domain"));
                    let domain = within.and_then(|at| open.get(at + 1)?.parse::<DomainName>().ok());
                    if name == "selector"
                        && let Ok(selector) = value.parse()
                        && keys.len() < KEYS
                    {
                        keys.push((domain, selector));
                    }
                }
                words.clear();
                if sign == '}' || sign == ']' {
                    open.pop()?;
                }
            }
        }
    }
    let of_domains = keys.iter().any(|(domain, _)| domain.is_some());
    (!keys.is_empty() && (known || of_domains)).then_some(keys)
}

enum Token {
    Sign(char),
    Word(String),
}

/// Words, quoted or not, and signs; `=` and `:` between a name and its value are passed over.
struct Tokens<'t>(&'t str);

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            self.0 = self.0.trim_start_matches([' ', '\t', '\r', '=', ':']);
            if self.0.starts_with('#') {
                self.0 = self.0.find('\n').map_or("", |end| &self.0[end..]);
                continue;
            }
            if let Some(rest) = self.0.strip_prefix("/*") {
                self.0 = rest.split_once("*/").map_or("", |(_, rest)| rest);
                continue;
            }
            break;
        }
        let first = self.0.chars().next()?;
        match first {
            '{' | '}' | '[' | ']' | ';' | ',' | '\n' => {
                self.0 = &self.0[1..];
                Some(Token::Sign(if first == '\n' { ';' } else { first }))
            }
            '"' | '\'' => {
                let rest = &self.0[1..];
                let end = rest.find(first).unwrap_or(rest.len());
                let word = rest[..end].to_owned();
                self.0 = rest.get(end + 1..).unwrap_or_default();
                Some(Token::Word(word))
            }
            _ => {
                let ends =
                    |c: char| c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | ';' | ',' | '=' | '"' | ':');
                let end = self.0.find(ends).unwrap_or(self.0.len()).max(first.len_utf8());
                let (word, rest) = self.0.split_at(end);
                self.0 = rest;
                Some(Token::Word(word.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let shown = |(domain, selector): &(Option<DomainName>, DomainName)| {
            format!("{} {selector}", domain.as_ref().map_or("*", DomainName::as_str))
        };
        read(text).map(|signing| signing.keys.iter().map(shown).collect()).unwrap_or_default()
    }

    #[test]
    fn a_key_table_names_domain_and_selector_and_settings_name_both() {
        let table = "# keys\nmail._domainkey.c.example c.example:mail:/etc/dkim/mail.private\nany %:s2:/etc/dkim/s2\n";
        assert_eq!(keys(table), ["* s2", "c.example mail"]);
        let settings = "Canonicalization relaxed/simple\nDomain c.example, d.example\nSelector 2026\nKeyFile /etc/x\n";
        assert_eq!(keys(settings), ["c.example 2026", "d.example 2026"]);
        assert_eq!(keys("Mode sv\nSelector 2026\n"), ["* 2026"]);
    }

    #[test]
    fn settings_of_rspamd_name_selectors_of_all_and_of_one_domain() {
        let text = "# x\nsign_local = true;\nselector = \"dkim\";\ndomain {\n  c.example {\n    path = \"/x/$domain.key\";\n    \
                    selector = \"s1\";\n  }\n  d.example { selectors [ { selector: \"a\"; path: \"/y\" }, { selector: \"b\" } ] }\n}\n";
        assert_eq!(keys(text), ["* dkim", "c.example s1", "d.example a", "d.example b"]);
        let lines = "domain {\n c.example {\n  selector = s1\n }\n}\n";
        assert_eq!(keys(lines), ["c.example s1"]);
    }

    #[test]
    fn other_files_are_none_of_these() {
        for text in [
            "",
            "root: postmaster\n",
            "myhostname = mail.c.example\n",
            "redirect \"a@b.example\";",
            "a b:c:\n",
            "a b:c\n",
            "selector = \"x\";",
            "Selector x\n",
            &"{".repeat(100),
            "}}}",
            "{\"selector\": 1}",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn many_words_without_a_sign_are_no_setting_and_the_last_names_the_block() {
        let words = "selector s1 ".repeat(1_000);
        assert_eq!(read(&format!("{words}; selector = s2; sign_local = true;")).unwrap().keys.len(), 1);
        let block = read("a b c d domain { c.example { selector = s3; } }").unwrap();
        assert_eq!(block.keys, [(Some("c.example".parse().unwrap()), "s3".parse().unwrap())]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, words in "[a-z{}\\[\\]=:;,\"'/*# \n%.]{0,200}") {
            let _ = read(&text);
            let _ = read(&words);
        }
    }
}
