//! TXT records: several character-strings, joined without a space (RFC 7208 §3.3, RFC 6376
//! §3.6.2.2, RFC 9989 §4.7).

use super::dns_message::Rdata;

/// The text of a TXT record. Bytes that are not UTF-8 become U+FFFD, which no record allows.
pub fn join(strings: &[Vec<u8>]) -> String {
    String::from_utf8_lossy(&strings.concat()).into_owned()
}

/// Every TXT record among the answers, joined, in a fixed order (servers rotate them).
pub fn texts(data: &[Rdata]) -> Vec<String> {
    let mut texts: Vec<String> = data
        .iter()
        .filter_map(|record| match record {
            Rdata::Txt(strings) => Some(join(strings)),
            Rdata::A(_)
            | Rdata::Aaaa(_)
            | Rdata::Caa(_)
            | Rdata::Mx { .. }
            | Rdata::Other
            | Rdata::Srv { .. }
            | Rdata::Tlsa(_) => None,
        })
        .collect();
    texts.sort();
    texts
}

/// True if the text holds control or invisible characters, which no mail record needs.
pub fn has_control_characters(text: &str) -> bool {
    text.chars().any(|character| crate::text::is_unsafe(character) || character == '\u{fffd}')
}

/// The text in lower case starts with `prefix` (given in lower case). ASCII only.
pub fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_joined_without_a_space() {
        let strings = vec![b"v=spf1 include:a.ex".to_vec(), b"ample -all".to_vec()];
        assert_eq!(join(&strings), "v=spf1 include:a.example -all");
    }

    #[test]
    fn the_order_of_answers_leaves_no_trace() {
        let one = Rdata::Txt(vec![b"b".to_vec()]);
        let other = Rdata::Txt(vec![b"a".to_vec()]);
        assert_eq!(texts(&[one.clone(), other.clone()]), texts(&[other, one]));
    }
}
