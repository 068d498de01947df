//! Words that no text of ours may use, because no evidence could support them.

/// Phrases, lower case, matched as whole words.
const CLAIMS: [&str; 7] =
    ["compliant", "certified", "hipaa-approved", "no phi", "no breach", "fully secure", "end-to-end secure"];

/// The first phrase in `text` that claims too much.
pub fn overclaim(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    CLAIMS.into_iter().find(|claim| {
        text.match_indices(claim).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + claim.len()..].chars().next();
            ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_as_words_only() {
        assert_eq!(overclaim("This vendor is HIPAA Compliant."), Some("compliant"));
        assert_eq!(overclaim("a noncompliant text"), None);
        assert_eq!(overclaim("Compliance officers read this"), None);
    }
}
