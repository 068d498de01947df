//! Reads recipients as exporters write them, and keeps of each only the domain and a keyed rest.
//!
//! The display part can itself be an address, and a directory entry can lead outside: both have
//! made auditors call outside recipients internal. So the address is what stands in the last
//! `[SMTP:…]`, and a directory entry stays unresolved until the tenant's recipients resolve it.
//! Which class an address is of is not decided here: facts know the tenant's domains.

use super::row::{Cell, Row};
use crate::evidence::export::Target;
use crate::keyed::KeyedReference;
use crate::names::DomainName;
use crate::seen::{NotObserved, Seen};

/// The recipients of one column.
pub fn targets(row: &Row, column: &'static str, key: &KeyedReference) -> Seen<Vec<Target>> {
    row.seen(column).map(|cell| {
        let mut found = Vec::new();
        of_cell(cell, key, &mut found);
        found
    })
}

/// The recipients of several columns together, and why one may be missing.
///
/// Only where every column was there and empty are there none.
pub fn over(columns: &[Seen<Vec<Target>>]) -> (Seen<Vec<Target>>, Option<NotObserved>) {
    let mut found = Vec::new();
    let mut missing: Option<NotObserved> = None;
    for column in columns {
        match column {
            Seen::Absent => {}
            Seen::Present(targets) => found.extend(targets.iter().cloned()),
            Seen::Malformed(malformed) => {
                let reason = NotObserved::Unreadable { why: malformed.why.clone(), line: None };
                missing = Some(worse(missing, reason));
            }
            Seen::Unknown(reason) => missing = Some(worse(missing, reason.clone())),
        }
    }
    found.sort();
    found.dedup();
    match (found.is_empty(), missing) {
        (true, Some(reason)) => (Seen::Unknown(reason), None),
        (true, None) => (Seen::Absent, None),
        (false, missing) => (Seen::Present(found), missing),
    }
}

/// A lost value says more than a column that nobody exported.
fn worse(known: Option<NotObserved>, new: NotObserved) -> NotObserved {
    match known {
        Some(known) if matches!(new, NotObserved::NotProvided { .. }) => known,
        Some(_) | None => new,
    }
}

fn of_cell(cell: &Cell, key: &KeyedReference, found: &mut Vec<Target>) {
    match cell {
        Cell::List(items) => items.iter().for_each(|item| of_cell(item, key, found)),
        Cell::Object(_) => found.push(of_object(cell, key)),
        Cell::Text(text) => found.extend(of_text(text, key)),
        Cell::Boolean(_) | Cell::Number(_) | Cell::TooLarge => found.push(Target::Unparseable),
        Cell::Null => {}
    }
}

/// Graph's `{"emailAddress": {"name": …, "address": …}}`, and PowerShell objects with an address.
fn of_object(cell: &Cell, key: &KeyedReference) -> Target {
    let inner = cell.field("emailaddress").unwrap_or(cell);
    let address = inner.field("address").or_else(|| inner.field("primarysmtpaddress")).or(Some(inner));
    match address.and_then(Cell::text) {
        Some(text) if !text.is_empty() => one(text, key),
        _ => Target::Unparseable,
    }
}

/// Every recipient of a text: `"Jane Home" [SMTP:jane@a.example], "B" [EX:/o=…]`.
pub fn of_text(text: &str, key: &KeyedReference) -> Vec<Target> {
    split(text).into_iter().map(|part| one(part, key)).collect()
}

/// Cuts at commas, semicolons and line ends that stand outside quotes and brackets. A part that
/// is nothing but addresses with spaces between them is cut there as well.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut quoted, mut depth, mut from) = (false, 0usize, 0usize);
    // A quote without a partner must not swallow the recipients after it.
    let paired = text.bytes().filter(|byte| *byte == b'"').count().is_multiple_of(2);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if paired => quoted = !quoted,
            b'[' | b'<' if !quoted => depth += 1,
            b']' | b'>' if !quoted => depth = depth.saturating_sub(1),
            b',' | b';' | b'\n' if !quoted && depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
        .into_iter()
        .flat_map(|part| {
            let words: Vec<&str> = part.split_whitespace().collect();
            let all_addresses = words.len() > 1 && words.iter().all(|word| plain_address(word).is_some());
            if all_addresses { words } else { vec![part.trim()] }
        })
        .filter(|part| !part.is_empty())
        .collect()
}

/// One recipient.
fn one(text: &str, key: &KeyedReference) -> Target {
    let text = text.trim();
    if let Some((scheme, value)) = last_bracket(text) {
        return match scheme.to_ascii_lowercase().as_str() {
            "smtp" | "mailto" => keyed_address(value, key),
            "ex" | "x500" => unresolved(value, key),
            _ => Target::Unparseable,
        };
    }
    if let Some(inner) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')).map(|(_, inner)| inner) {
        return keyed_address(inner, key);
    }
    if let Some((scheme, value)) = text.split_once(':')
        && !scheme.contains('@')
        && !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        return match scheme.to_ascii_lowercase().as_str() {
            "smtp" | "mailto" => keyed_address(value, key),
            "ex" | "x500" => unresolved(value, key),
            _ => Target::Unparseable,
        };
    }
    if text.contains('@') {
        return keyed_address(text.trim_matches('"'), key);
    }
    // A legacy directory name, a canonical name, a display name or a GUID.
    let name = text.trim_matches('"').trim();
    if name.chars().any(char::is_alphanumeric) { unresolved(name, key) } else { Target::Unparseable }
}

/// The scheme and value of the last `[SCHEME:value]`; the display part before it is not read.
fn last_bracket(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_end().strip_suffix(']')?;
    // The address may itself end in a literal: `[SMTP:x@[192.0.2.1]]`, or be nothing but one.
    let at = if inner.ends_with(']') { inner[..inner.rfind("@[")?].rfind('[')? } else { inner.rfind('[')? };
    if inner[..at].ends_with('@') {
        return None;
    }
    inner[at + 1..].split_once(':')
}

fn plain_address(text: &str) -> Option<(&str, DomainName)> {
    let (local, domain) = text.rsplit_once('@')?;
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let plain = !local.is_empty()
        && !local.chars().any(|c| c.is_whitespace() || matches!(c, '"' | '[' | ']' | '<' | '>' | '@' | '(' | ')'));
    let domain: DomainName = domain.trim().parse().ok()?;
    // A name without a dot is no domain that mail is sent to.
    (local.len() <= 64 && (quoted || plain) && domain.as_str().contains('.')).then_some((local, domain))
}

/// An address at a host that is named by its number (RFC 5321 section 4.1.3): `x@[192.0.2.1]`.
fn address_literal(text: &str) -> Option<(&str, String)> {
    let (local, inside) = text.strip_suffix(']')?.rsplit_once("@[")?;
    let number = inside.strip_prefix("IPv6:").unwrap_or(inside);
    let address: std::net::IpAddr = number.parse().ok()?;
    (!local.is_empty() && local.len() <= 64).then(|| (local, format!("[{address}]")))
}

fn keyed_address(text: &str, key: &KeyedReference) -> Target {
    let text = text.trim();
    let text = match text.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("smtp:") => &text[5..],
        _ => text,
    };
    if let Some((local, literal)) = address_literal(text) {
        return Target::Address { domain: literal, local: key.of(&local.to_lowercase()) };
    }
    match plain_address(text) {
        // A guest's account is here, the mailbox is not; the directory may say where.
        Some((local, _)) if local.to_ascii_lowercase().contains("#ext#") => unresolved(text, key),
        // An address of another system, wrapped into one of here (RFC 5321 knows no such thing).
        Some((local, _)) if local.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("imcea")) => {
            Target::Unparseable
        }
        Some((local, domain)) => {
            Target::Address { domain: domain.to_string(), local: key.of(&local.trim_matches('"').to_lowercase()) }
        }
        None => Target::Unparseable,
    }
}

fn unresolved(name: &str, key: &KeyedReference) -> Target {
    Target::Unresolved { reference: reference(name, key) }
}

/// The keyed reference of a directory name, the same however it is written: without its prefix,
/// lower case.
pub fn reference(name: &str, key: &KeyedReference) -> String {
    let name = name.trim();
    let bare = match name.split_once(':') {
        Some((prefix, rest)) if ["smtp", "x500", "ex"].contains(&prefix.to_ascii_lowercase().as_str()) => rest,
        _ => name,
    };
    key.of(&bare.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeyedReference {
        KeyedReference::new(b"test")
    }

    fn domains(text: &str) -> Vec<String> {
        of_text(text, &key())
            .into_iter()
            .map(|target| match target {
                Target::Address { domain, .. } => domain,
                Target::Unresolved { .. } => "?".to_owned(),
                Target::Unparseable => "!".to_owned(),
            })
            .collect()
    }

    #[test]
    fn the_address_is_what_stands_in_the_last_bracket() {
        assert_eq!(domains(r#""jane@clinic.example" [SMTP:jane@webmail.example]"#), ["webmail.example"]);
        assert_eq!(domains(r#""x [SMTP:a@clinic.example]" [SMTP:b@webmail.example]"#), ["webmail.example"]);
        assert_eq!(domains(r#""x@y.example" [SMTP:x@y.example]"#), ["y.example"]);
    }

    #[test]
    fn commas_and_semicolons_inside_quotes_do_not_cut() {
        assert_eq!(
            domains(r#""Smith, Jane; MD" [SMTP:j@a.example], "B" [EX:/o=ExchangeLabs/ou=X, Y/cn=b]"#),
            ["a.example", "?"]
        );
        assert_eq!(domains("a@a.example; b@b.example"), ["a.example", "b.example"]);
        assert_eq!(domains("a@a.example b@b.example"), ["a.example", "b.example"]);
        assert_eq!(domains("a@a.example,b@b.example"), ["a.example", "b.example"]);
    }

    #[test]
    fn a_quote_without_a_partner_swallows_nobody() {
        assert_eq!(domains(r#""Jane [SMTP:j@a.example], b@b.example"#), ["a.example", "b.example"]);
    }

    #[test]
    fn a_directory_entry_is_not_internal_and_keeps_its_reference() {
        let dn = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=0a";
        let bracketed = of_text(&format!(r#""Rob" [EX:{dn}]"#), &key());
        assert_eq!(bracketed, [Target::Unresolved { reference: reference(&format!("X500:{dn}"), &key()) }]);
        assert_eq!(of_text(dn, &key()), bracketed);
        assert_eq!(domains("contoso.example/Users/Jane"), ["?"]);
        assert_eq!(domains("Jane Home"), ["?"]);
        assert_eq!(domains("0b3c3f2e-5a44-4a6c-9a3a-000000000001"), ["?"]);
    }

    #[test]
    fn prefixes_are_read_in_any_case_and_only_mail_counts() {
        for text in
            ["smtp:x@y.example", "SMTP:x@y.example", "\"N\" [smtp:x@y.example]", "N <x@y.example>", "x@Y.Example"]
        {
            assert_eq!(domains(text), ["y.example"], "{text}");
        }
        for text in [
            "sip:x@y.example",
            "SPO:SPO_x@SPO_y",
            "[FAX:+1 555 0100]",
            "x@",
            "@y.example",
            "x@y@",
            "\"\"",
            "x@y z.example",
        ] {
            assert_eq!(domains(text), ["!"], "{text}");
        }
    }

    #[test]
    fn the_local_part_leaves_only_as_a_keyed_reference() {
        let found = format!("{:?}", of_text("Jane.Patient@webmail.example", &key()));
        assert!(!found.to_lowercase().contains("jane"), "{found}");
        assert_eq!(of_text("JANE@a.example", &key()), of_text("jane@A.example", &key()));
        assert_ne!(of_text("jane@a.example", &key()), of_text("jane@a.example", &KeyedReference::new(b"other")));
    }

    #[test]
    fn international_domains_are_compared_in_a_labels() {
        assert_eq!(domains("x@Bücher.example"), ["xn--bcher-kva.example"]);
    }

    #[test]
    fn a_lost_column_beside_an_empty_one_is_not_absent() {
        let lost = Seen::Unknown(NotObserved::Lost { why: "x".to_owned() });
        let (seen, missing) = over(&[Seen::Absent, lost.clone()]);
        assert!(matches!(seen, Seen::Unknown(NotObserved::Lost { .. })) && missing.is_none());
        let (seen, missing) = over(&[Seen::Present(vec![Target::Unparseable]), lost]);
        assert!(seen.present().is_some() && missing.is_some());
        assert_eq!(over(&[Seen::Absent, Seen::Absent]), (Seen::Absent, None));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = of_text(&text, &key());
        }
    }
}
