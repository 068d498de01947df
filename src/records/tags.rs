//! Tag lists, `a=1; b=2` (RFC 6376 §3.2, RFC 9989 §4.8): the syntax that DKIM, DMARC and others share.

/// One tag with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag<'t> {
    /// As written.
    pub name: &'t str,
    /// Without the white space around it.
    pub value: &'t str,
    /// Byte offset of the name in the whole text.
    pub at: usize,
}

/// What is wrong with a tag list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFault {
    /// Byte offset in the whole text.
    pub at: usize,
    /// What is wrong, as a clause.
    pub why: String,
}

/// Splits a text at semicolons. Faulty pieces are left out of the list and named beside it, in
/// order: some standards go on after a fault and some do not.
pub fn split(text: &str) -> (Vec<Tag<'_>>, Vec<TagFault>) {
    split_where(text, str::eq_ignore_ascii_case)
}

/// The same for DKIM, whose tag names are case-sensitive (RFC 6376 §3.2): `P` is not `p`.
pub fn split_exactly(text: &str) -> (Vec<Tag<'_>>, Vec<TagFault>) {
    split_where(text, |one, other| one == other)
}

fn split_where(text: &str, same: fn(&str, &str) -> bool) -> (Vec<Tag<'_>>, Vec<TagFault>) {
    let (mut tags, mut faults) = (Vec::<Tag<'_>>::new(), Vec::new());
    let mut start = 0;
    let pieces: Vec<&str> = text.split(';').collect();
    let last = pieces.len() - 1;
    for (index, piece) in pieces.into_iter().enumerate() {
        let at = start + (piece.len() - piece.trim_start().len());
        let trimmed = piece.trim();
        start += piece.len() + 1;
        if trimmed.is_empty() {
            // One semicolon may end the list (RFC 6376 §3.2).
            if index != last {
                faults.push(TagFault { at, why: "a tag is empty".to_owned() });
            }
            continue;
        }
        let Some((name, value)) = trimmed.split_once('=') else {
            faults.push(TagFault { at, why: format!("`{}` has no `=`", short(trimmed)) });
            continue;
        };
        let (name, value) = (name.trim_end(), value.trim_start());
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            faults.push(TagFault { at, why: format!("`{}` is no tag name", short(name)) });
        } else if tags.iter().any(|tag| same(tag.name, name)) {
            faults.push(TagFault { at, why: format!("the tag `{name}` stands twice") });
        } else {
            tags.push(Tag { name, value, at });
        }
    }
    (tags, faults)
}

/// The value of a tag, by name without case.
pub fn value<'t>(tags: &[Tag<'t>], name: &str) -> Option<&'t str> {
    tags.iter().find(|tag| tag.name.eq_ignore_ascii_case(name)).map(|tag| tag.value)
}

/// The value of a tag, by its exact name.
pub fn value_exactly<'t>(tags: &[Tag<'t>], name: &str) -> Option<&'t str> {
    tags.iter().find(|tag| tag.name == name).map(|tag| tag.value)
}

/// The start of a foreign text, for messages.
pub fn short(text: &str) -> String {
    crate::text::visible_cow(text).chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tag_that_stands_twice_is_a_fault_at_its_place() {
        let (tags, faults) = split("v=DKIM1; p=abc ;p=def;");
        assert_eq!(value(&tags, "p"), Some("abc"));
        assert_eq!(faults, [TagFault { at: 16, why: "the tag `p` stands twice".to_owned() }]);
    }

    #[test]
    fn one_semicolon_may_end_the_list_and_two_may_not() {
        assert!(split("a=1;").1.is_empty());
        assert_eq!(split("a=1;;b=2").1.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_split_without_a_panic(text: String) {
            let (tags, _) = split(&text);
            for tag in tags {
                prop_assert!(text[tag.at..].starts_with(tag.name));
            }
        }
    }
}
