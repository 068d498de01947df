//! Reads one SPF record as RFC 7208 §12 defines it. Any term that breaks the grammar makes the
//! whole record an error (§4.6), even after a match.
//!
//! What a record means together with those it includes is `spf_tree`'s work.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::tags::short;
use crate::seen::Malformed;

/// What a match means (RFC 7208 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qualifier {
    Fail,
    Neutral,
    Pass,
    SoftFail,
}

/// RFC 7208 §5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    A { domain: Option<DomainSpec>, prefix4: u8, prefix6: u8 },
    All,
    Exists(DomainSpec),
    Include(DomainSpec),
    Ip4 { network: Ipv4Addr, prefix: u8 },
    Ip6 { network: Ipv6Addr, prefix: u8 },
    Mx { domain: Option<DomainSpec>, prefix4: u8, prefix6: u8 },
    Ptr(Option<DomainSpec>),
}

/// A mechanism with its qualifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    pub qualifier: Qualifier,
    pub mechanism: Mechanism,
    /// As written.
    pub text: String,
    /// Byte offset in the record.
    pub at: usize,
}

/// A name with macros in it (RFC 7208 §7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainSpec {
    pub parts: Vec<MacroPart>,
    /// As written.
    pub text: String,
}

/// A piece of a macro string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MacroPart {
    /// `%{...}`.
    Expand(MacroExpand),
    Literal(String),
}

/// One macro (RFC 7208 §7.1): the letter in lower case and how its value is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MacroExpand {
    pub letter: char,
    /// Written as a capital: the value is URL-escaped.
    pub escape: bool,
    /// Right-hand parts kept; `None` keeps all.
    pub keep: Option<u32>,
    pub reverse: bool,
    /// Where the value is split; a dot if none were written.
    pub delimiters: String,
}

/// A record that follows the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpfRecord {
    pub directives: Vec<Directive>,
    pub redirect: Option<DomainSpec>,
    pub explanation: Option<DomainSpec>,
}

/// True for `v=spf1` followed by a space or the end, in any case (RFC 7208 §4.5).
pub fn is_spf(text: &str) -> bool {
    super::txt::starts_with_ignoring_case(text, "v=spf1") && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// True for a text that was surely meant to be SPF and is not (a lookalike).
pub fn is_lookalike(text: &str) -> bool {
    let start: String = text
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\u{feff}'))
        .chars()
        .take(12)
        .collect::<String>()
        .to_ascii_lowercase();
    !is_spf(text) && (start.starts_with("v=spf") || start.starts_with("spf1") || start.starts_with("v = spf"))
}

/// Reads a record for which [`is_spf`] holds.
pub fn parse(text: &str) -> Result<SpfRecord, Malformed> {
    let mut record = SpfRecord { directives: Vec::new(), redirect: None, explanation: None };
    for (start, term) in terms(text) {
        read_term(&mut record, term, start).map_err(|(why, rule)| Malformed {
            text: text.chars().take(512).collect(),
            at: start,
            rule: rule.to_owned(),
            why: format!("`{}`: {why}", short(term)),
        })?;
    }
    Ok(record)
}

/// The terms behind the version, each with its byte offset. Several spaces between terms are allowed,
/// so empty pieces are no terms.
pub fn terms(record: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 6.min(record.len());
    record.get(6..).unwrap_or_default().split(' ').filter_map(move |term| {
        let start = at;
        at += term.len() + 1;
        (!term.is_empty()).then_some((start, term))
    })
}

type Fault = (String, &'static str);

fn fault<T>(why: impl Into<String>, rule: &'static str) -> Result<T, Fault> {
    Err((why.into(), rule))
}

fn read_term(record: &mut SpfRecord, term: &str, at: usize) -> Result<(), Fault> {
    if let Some((name, value)) = modifier(term) {
        let slot = if name.eq_ignore_ascii_case("redirect") {
            &mut record.redirect
        } else if name.eq_ignore_ascii_case("exp") {
            &mut record.explanation
        } else {
            macro_string(value)?;
            return Ok(());
        };
        if slot.is_some() {
            return fault("the modifier stands twice", "RFC 7208 §6");
        }
        *slot = Some(domain_spec(value)?);
        return Ok(());
    }
    let (qualifier, rest) = match term.as_bytes()[0] {
        b'+' => (Qualifier::Pass, &term[1..]),
        b'-' => (Qualifier::Fail, &term[1..]),
        b'~' => (Qualifier::SoftFail, &term[1..]),
        b'?' => (Qualifier::Neutral, &term[1..]),
        _ => (Qualifier::Pass, term),
    };
    let mechanism = mechanism(rest)?;
    record.directives.push(Directive { qualifier, mechanism, text: short(term), at });
    Ok(())
}

/// `name=value`, where the `=` comes before any `:` or `/` (RFC 7208 §12).
fn modifier(term: &str) -> Option<(&str, &str)> {
    let at = term.find([':', '/', '='])?;
    let (name, value) = term.split_at(at);
    let value = value.strip_prefix('=')?;
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    (starts && goes_on).then_some((name, value))
}

fn mechanism(text: &str) -> Result<Mechanism, Fault> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let name = name.to_ascii_lowercase();
    let after_colon = |rule| match rest.strip_prefix(':') {
        Some(value) => Ok(value),
        None => fault("a value after `:` is required", rule),
    };
    match name.as_str() {
        "all" if rest.is_empty() => Ok(Mechanism::All),
        "all" => fault("`all` takes no value", "RFC 7208 §5.1"),
        "include" => Ok(Mechanism::Include(domain_spec(after_colon("RFC 7208 §5.2")?)?)),
        "exists" => Ok(Mechanism::Exists(domain_spec(after_colon("RFC 7208 §5.7")?)?)),
        "ptr" if rest.is_empty() => Ok(Mechanism::Ptr(None)),
        "ptr" => Ok(Mechanism::Ptr(Some(domain_spec(after_colon("RFC 7208 §5.5")?)?))),
        "a" | "mx" => {
            let (rest, prefix4, prefix6) = dual_prefix(rest)?;
            let domain = match rest {
                "" => None,
                _ => match rest.strip_prefix(':') {
                    Some(value) => Some(domain_spec(value)?),
                    None => return fault("the prefix length cannot be read", "RFC 7208 §5.6"),
                },
            };
            Ok(match name.as_str() {
                "a" => Mechanism::A { domain, prefix4, prefix6 },
                _ => Mechanism::Mx { domain, prefix4, prefix6 },
            })
        }
        "ip4" => {
            let (network, prefix) = network(after_colon("RFC 7208 §5.6")?, 32)?;
            match network.parse() {
                Ok(network) => Ok(Mechanism::Ip4 { network, prefix }),
                Err(_) => fault("this is no IPv4 network", "RFC 7208 §5.6"),
            }
        }
        "ip6" => {
            let (network, prefix) = network(after_colon("RFC 7208 §5.6")?, 128)?;
            match network.parse() {
                Ok(network) => Ok(Mechanism::Ip6 { network, prefix }),
                Err(_) => fault("this is no IPv6 network", "RFC 7208 §5.6"),
            }
        }
        _ => fault("there is no such mechanism", "RFC 7208 §4.6.1"),
    }
}

fn prefix_length(digits: &str, most: u8) -> Result<u8, Fault> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    match digits.parse::<u8>() {
        Ok(length) if plain && !leading_zero && length <= most => Ok(length),
        _ => fault("the prefix length cannot be read", "RFC 7208 §5.6"),
    }
}

fn network(text: &str, most: u8) -> Result<(&str, u8), Fault> {
    match text.split_once('/') {
        Some((network, digits)) => Ok((network, prefix_length(digits, most)?)),
        None => Ok((text, most)),
    }
}

/// Takes `/24`, `//64` or `/24//64` off the end. A slash may also be part of a name (§7.1), so
/// only slashes followed by digits and the end count.
fn dual_prefix(text: &str) -> Result<(&str, u8, u8), Fault> {
    let digits_after = |text: &str, at: usize| !text[at..].is_empty() && text[at..].bytes().all(|b| b.is_ascii_digit());
    let (mut rest, mut prefix4, mut prefix6) = (text, 32, 128);
    if let Some(at) = rest.rfind("//")
        && digits_after(rest, at + 2)
    {
        prefix6 = prefix_length(&rest[at + 2..], 128)?;
        rest = &rest[..at];
    }
    if let Some(at) = rest.rfind('/')
        && digits_after(rest, at + 1)
    {
        prefix4 = prefix_length(&rest[at + 1..], 32)?;
        rest = &rest[..at];
    }
    Ok((rest, prefix4, prefix6))
}

/// RFC 7208 §7.1: a macro string that ends in a top label or a macro.
fn domain_spec(text: &str) -> Result<DomainSpec, Fault> {
    let (parts, ends_in_macro) = macro_string(text)?;
    if !ends_in_macro {
        let last = match parts.last() {
            Some(MacroPart::Literal(literal)) => literal.as_str(),
            Some(MacroPart::Expand(_)) | None => "",
        };
        let last = last.strip_suffix('.').unwrap_or(last);
        let label = last.rsplit_once('.').map(|(_, label)| label);
        if !label.is_some_and(is_top_label) {
            return fault("the name must end in a dot and a top-level label", "RFC 7208 §7.1");
        }
    }
    Ok(DomainSpec { parts, text: text.to_owned() })
}

fn is_top_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && !bytes.iter().all(u8::is_ascii_digit)
}

/// Reads a macro string; also says whether it ends in a macro.
fn macro_string(text: &str) -> Result<(Vec<MacroPart>, bool), Fault> {
    macros(text, false)
}

/// Reads the text of an explanation (RFC 7208 §6.2): macros with spaces between, or nothing.
pub fn explanation(text: &str) -> Option<Vec<MacroPart>> {
    macros(text, true).ok().map(|(parts, _)| parts)
}

fn macros(text: &str, explaining: bool) -> Result<(Vec<MacroPart>, bool), Fault> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut ends_in_macro = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        ends_in_macro = first == '%';
        if first != '%' {
            let visible = matches!(first, '\u{21}'..='\u{7e}');
            if !visible && (first != ' ' || !explaining) {
                return fault("only visible ASCII may stand in a name", "RFC 7208 §7.1");
            }
            literal.push(first);
            rest = &rest[1..];
            continue;
        }
        match rest.as_bytes().get(1) {
            Some(b'%') => literal.push('%'),
            Some(b'_') => literal.push(' '),
            Some(b'-') => literal.push_str("%20"),
            Some(b'{') => {
                let Some(end) = rest.find('}') else {
                    return fault("a macro is not closed", "RFC 7208 §7.1");
                };
                if !literal.is_empty() {
                    parts.push(MacroPart::Literal(std::mem::take(&mut literal)));
                }
                parts.push(MacroPart::Expand(macro_expand(&rest[2..end], explaining)?));
                rest = &rest[end + 1..];
                continue;
            }
            _ => return fault("a `%` must begin a macro", "RFC 7208 §7.1"),
        }
        rest = &rest[2..];
    }
    if !literal.is_empty() {
        parts.push(MacroPart::Literal(literal));
    }
    Ok((parts, ends_in_macro))
}

fn macro_expand(text: &str, explaining: bool) -> Result<MacroExpand, Fault> {
    let mut characters = text.chars().peekable();
    let letter = characters.next().unwrap_or(' ');
    let lower = letter.to_ascii_lowercase();
    // `c`, `r` and `t` are for explanations only (§7.2).
    let known = match lower {
        's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'v' => true,
        'c' | 'r' | 't' => explaining,
        _ => false,
    };
    if !known {
        return fault("there is no such macro here", "RFC 7208 §7.2");
    }
    let mut digits = String::new();
    while let Some(digit) = characters.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    let keep = match digits.as_str() {
        "" => None,
        digits => match digits.parse::<u32>() {
            Ok(keep) if keep > 0 => Some(keep),
            _ => return fault("the number in a macro must be from 1 up", "RFC 7208 §7.1"),
        },
    };
    let reverse = characters.next_if(|c| matches!(c, 'r' | 'R')).is_some();
    let delimiters: String = characters.collect();
    if !delimiters.chars().all(|c| matches!(c, '.' | '-' | '+' | ',' | '/' | '_' | '=')) {
        return fault("a macro has an unknown delimiter", "RFC 7208 §7.1");
    }
    Ok(MacroExpand { letter: lower, escape: letter.is_ascii_uppercase(), keep, reverse, delimiters })
}

impl MacroExpand {
    /// Cuts a value as the macro says.
    pub fn apply(&self, value: &str) -> String {
        let delimiters = if self.delimiters.is_empty() { "." } else { &self.delimiters };
        let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if self.reverse {
            parts.reverse();
        }
        let keep = self.keep.map_or(parts.len(), |keep| usize::try_from(keep).unwrap_or(usize::MAX).min(parts.len()));
        let joined = parts[parts.len() - keep..].join(".");
        if !self.escape {
            return joined;
        }
        let mut escaped = String::new();
        for byte in joined.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                escaped.push(char::from(byte));
            } else {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        }
        escaped
    }
}

impl DomainSpec {
    /// The name, if it does not depend on the message: only `%{d}` (the domain whose record this
    /// is) and `%{o}` (the sender's domain) can be filled in beforehand.
    pub fn without_message(&self, domain: &str, sender: &str) -> Option<String> {
        let mut name = String::new();
        for part in &self.parts {
            match part {
                MacroPart::Literal(literal) => name.push_str(literal),
                MacroPart::Expand(expand) => match expand.letter {
                    'd' => name.push_str(&expand.apply(domain)),
                    'o' => name.push_str(&expand.apply(sender)),
                    _ => return None,
                },
            }
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(text: &str) -> Malformed {
        parse(text).unwrap_err()
    }

    #[test]
    fn upper_case_is_spf_and_a_longer_word_is_not() {
        assert!(is_spf("V=SPF1 -all") && is_spf("v=spf1"));
        assert!(!is_spf("v=spf10 -all") && !is_spf("v=spf1;-all") && !is_spf(" v=spf1 -all"));
        assert!(is_lookalike("v=spf10 -all") && is_lookalike(" v=spf1 -all") && is_lookalike("\"v=spf1 -all\""));
        assert!(!is_lookalike("v=spf1 -all") && !is_lookalike("spf2.0/pra -all"));
    }

    #[test]
    fn every_mechanism_is_read() {
        let record = parse(
            "v=spf1  A:a.example/24//64 mx/8 -ip4:192.0.2.0/24 ip6:2001:db8::/32 ?ptr exists:%{ir}.x.example \
             include:%{d2}.y.example ~all redirect=z.example exp=e.example vendor=x",
        )
        .unwrap();
        assert_eq!(record.directives.len(), 8);
        assert!(matches!(record.directives[0].mechanism, Mechanism::A { prefix4: 24, prefix6: 64, .. }));
        assert!(matches!(record.directives[1].mechanism, Mechanism::Mx { prefix4: 8, prefix6: 128, domain: None }));
        assert_eq!(record.directives[2].qualifier, Qualifier::Fail);
        assert_eq!(record.directives[7].qualifier, Qualifier::SoftFail);
        assert!(record.redirect.is_some() && record.explanation.is_some());
    }

    #[test]
    fn one_wrong_term_spoils_the_record_and_is_located() {
        for (text, at) in [
            ("v=spf1 ip4:192.0.2.1/33 -all", 7),
            ("v=spf1 -all ipv4:192.0.2.1", 12),
            ("v=spf1 ip4:192.0.2", 7),
            ("v=spf1 ip4:192.0.2.1/024", 7),
            ("v=spf1 include: -all", 7),
            ("v=spf1 include:example -all", 7),
            ("v=spf1 a:a.example. mx:1.2.3.4", 20),
            ("v=spf1 all:x", 7),
            ("v=spf1 a//", 7),
            ("v=spf1 exists:%{x}.a.example", 7),
            ("v=spf1 exists:%{d0}.a.example", 7),
            ("v=spf1 redirect=a.example redirect=b.example", 26),
            ("v=spf1 include:a.example,b.example -all\tx", 35),
            ("v=spf1 include:ä.example", 7),
            ("v=spf1 mx a:10.0.0.0/99", 10),
        ] {
            assert_eq!(wrong(text).at, at, "{text}");
        }
    }

    #[test]
    fn macros_cut_and_turn_their_value() {
        let spec = |text: &str| match &parse(&format!("v=spf1 exists:{text}")).unwrap().directives[0].mechanism {
            Mechanism::Exists(spec) => spec.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(spec("%{d2r}.x.example").without_message("a.b.example", "s.example").unwrap(), "b.a.x.example");
        assert_eq!(spec("%{o}").without_message("a.example", "s.example").unwrap(), "s.example");
        assert_eq!(spec("%{i}.x.example").without_message("a.example", "s.example"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = parse(&text);
            let _ = parse(&format!("v=spf1 {text}"));
        }

        #[test]
        fn any_near_miss_is_read_without_a_panic(text in "[ a-z0-9:/%{}=.+~?-]{0,60}") {
            let _ = parse(&format!("v=spf1 {text}"));
        }
    }
}
