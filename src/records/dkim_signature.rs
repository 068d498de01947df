//! Reads which selectors sign a message from its DKIM-Signature fields (RFC 6376 §3.5), and nothing
//! else of it.

use super::tags;
use crate::names::DomainName;

/// Signatures of one message that are read.
const SIGNATURES: usize = 50;
const FIELD: &[u8] = b"dkim-signature";
/// One field; what is longer is not read beyond.
const FIELD_BYTES: usize = 8 * 1024;

/// Who signed, and with which key. Whether the signature verifies is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signature {
    pub domain: DomainName,
    pub selector: DomainName,
}

/// The signatures of a message; its header section ends at the first empty line, and a text that ends
/// before has none but what it shows.
pub fn signatures(message: &[u8]) -> Vec<Signature> {
    let mut found = Vec::new();
    let mut field: Option<String> = None;
    for line in message.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        if found.len() == SIGNATURES {
            break;
        }
        let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if folded && let Some(field) = &mut field {
            if field.len() + line.len() < FIELD_BYTES {
                field.push(' ');
                field.push_str(&String::from_utf8_lossy(line));
            }
            continue;
        }
        found.extend(field.take().as_deref().and_then(signature));
        if line.is_empty() {
            return found;
        }
        if let Some(colon) = line.iter().position(|byte| *byte == b':')
            && line[..colon].trim_ascii_end().eq_ignore_ascii_case(FIELD)
        {
            let value = &line[colon + 1..];
            field = Some(String::from_utf8_lossy(&value[..value.len().min(FIELD_BYTES)]).into_owned());
        }
    }
    found.extend(field.as_deref().and_then(signature));
    found
}

fn signature(value: &str) -> Option<Signature> {
    let (tags, _) = tags::split_exactly(value);
    let name = |tag: &str| -> Option<DomainName> { tags::value_exactly(&tags, tag)?.parse().ok() };
    Some(Signature { domain: name("d")?, selector: name("s")? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(message: &str) -> Vec<String> {
        signatures(message.as_bytes())
            .iter()
            .map(|found| format!("{}._domainkey.{}", found.selector, found.domain))
            .collect()
    }

    #[test]
    fn folded_fields_are_read_and_bodies_are_not() {
        let message = "Received: from x\r\n\tby y\r\nDKIM-Signature: v=1; a=rsa-sha256;\r\n\td=c.example; s=s1;\r\n b=abc\r\n  def;\r\n\
                       dkim-signature : v=1; d=V.example; s=k2.2026; b=\r\nSubject: x\r\n\r\nDKIM-Signature: d=b.example; s=body\r\n";
        assert_eq!(shown(message), ["s1._domainkey.c.example", "k2.2026._domainkey.v.example"]);
    }

    #[test]
    fn a_field_is_read_up_to_a_bound() {
        let filler: String = (0..2_000).map(|number| format!("a{number}=;")).collect();
        assert_eq!(shown(&format!("DKIM-Signature: d=c.example; s=s1; {filler}\n\n")), ["s1._domainkey.c.example"]);
        assert_eq!(shown(&format!("DKIM-Signature: {filler} d=c.example; s=s1\n\n")), [""; 0]);
        assert_eq!(
            shown(&format!("DKIM-Signature: v=1;\n {filler}\n d=c.example; s=s1\n\n")),
            ["s1._domainkey.c.example"]
        );
    }

    #[test]
    fn what_names_no_key_is_left_out() {
        assert_eq!(
            shown("DKIM-Signature: v=1; s=s1\nDKIM-Signature: d=c.example; s=a b\nX: d=c.example; s=s1\n\n"),
            [""; 0]
        );
        assert_eq!(shown("DKIM-Signature: d=c.example; s=s1"), ["s1._domainkey.c.example"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = signatures(&bytes);
            let _ = signatures(&[b"DKIM-Signature: ", &bytes[..]].concat());
        }
    }
}
