//! Sentences without the program's own shorthand: ids of checks and questions become their titles,
//! conditions become words. What is shown whole stays in assessment.json.

use std::collections::BTreeMap;

use super::words::{paragraph, plain_words};
use crate::report::json::v1::{Assessment, Finding, Value};

/// What ids stand for.
pub(super) struct Shorthand<'a> {
    titles: BTreeMap<&'a str, &'a str>,
}

impl<'a> Shorthand<'a> {
    pub(super) fn of(assessment: &'a Assessment) -> Self {
        let mut titles: BTreeMap<&str, &str> =
            assessment.coverage.checks.iter().map(|check| (check.check.as_str(), check.title.as_str())).collect();
        // A question and a check may share an id; a sentence about an answer means the question.
        titles.extend(assessment.attested.iter().map(|one| (one.id.as_str(), one.asks.as_str())));
        titles.retain(|id, title| id.contains('-') && !title.is_empty());
        Self { titles }
    }

    /// A finding's sentence.
    pub(super) fn said(&self, finding: &Finding) -> String {
        let mut text = paragraph(&finding.message);
        for (path, value) in &finding.values {
            if let Value::Text(word) = value
                && path.ends_with(".state")
                && word.contains('-')
            {
                text = text.replace(word.as_str(), &plain_words(word));
            }
        }
        self.spelled(&text)
    }

    /// Text in which an id that stands alone is quoted as its title. An id in parentheses stands
    /// beside its words already.
    fn spelled(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 64);
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                out.push(' ');
            }
            let id = word.trim_end_matches([',', '.', ';']);
            match self.titles.get(id) {
                Some(title) if at > 0 => {
                    out.push('“');
                    out.push_str(&paragraph(title));
                    out.push('”');
                    out.push_str(&word[id.len()..]);
                }
                Some(_) | None => out.push_str(word),
            }
        }
        out
    }
}

/// A reason in which a condition of the catalogue is put into words:
/// `it applies only where mailbox.provider == "google-workspace"`.
pub(super) fn reason(because: &str) -> String {
    const LEAD: &str = "it applies only where ";
    match because.split_once(LEAD) {
        Some((before, condition)) => format!("{before}it applies only where {}", condition_in_words(condition)),
        None => because.to_owned(),
    }
}

/// The operators of the expression language as words, paths without their dots.
fn condition_in_words(condition: &str) -> String {
    let mut words = String::with_capacity(condition.len() + 16);
    let mut rest = condition;
    while let Some(first) = rest.chars().next() {
        let (taken, word) = operator(rest).unwrap_or_else(|| {
            if first == '"' {
                let end = rest[1..].find('"').map_or(rest.len(), |end| end + 2);
                (end, format!(" {} ", plain_words(rest[..end].trim_matches('"'))))
            } else if first.is_ascii_alphanumeric() || first == '_' {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
                (end, format!(" {} ", path_in_words(&rest[..end])))
            } else {
                (first.len_utf8(), first.to_string())
            }
        });
        words.push_str(&word);
        rest = &rest[taken..];
    }
    let joined = words.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.replace(" ,", ",").replace("( ", "(").replace(" )", ")")
}

fn operator(rest: &str) -> Option<(usize, String)> {
    const WORDS: [(&str, &str); 14] = [
        ("size(", " the number of ("),
        ("&&", " and "),
        ("||", " or "),
        ("==", " is "),
        ("!=", " is not "),
        (">=", " is at least "),
        ("<=", " is at most "),
        (">", " is more than "),
        ("<", " is less than "),
        ("!", " not "),
        ("[", " (one of) "),
        ("]", " "),
        ("in [", " is one of "),
        ("in ", " is among "),
    ];
    let (symbol, word) =
        WORDS.iter().filter(|(symbol, _)| rest.starts_with(symbol)).max_by_key(|(symbol, _)| symbol.len())?;
    Some((symbol.len(), (*word).to_owned()))
}

/// `domain.dane.verdict` as `the domain's dane verdict`, `limit.rsa_bits` as `the limit rsa bits`.
fn path_in_words(path: &str) -> String {
    match path {
        "true" => return "yes".to_owned(),
        "false" => return "no".to_owned(),
        _ => {}
    }
    match path.split_once('.') {
        Some((subject, fact)) => format!("the {}'s {}", plain_words(subject), fact.replace(['.', '_'], " ")),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_becomes_words() {
        assert_eq!(
            reason("it applies only where domain.dane.verdict in [\"match\", \"mismatch\"]"),
            "it applies only where the domain's dane verdict is one of match, mismatch"
        );
        assert_eq!(
            reason("it applies only where forwarding_rule.origin == \"journal\" && forwarding_rule.enabled"),
            "it applies only where the forwarding rule's origin is journal and the forwarding rule's enabled"
        );
        assert_eq!(
            reason("it applies only where !(domain.sends) || size(domain.mx) > 0"),
            "it applies only where not (the domain's sends) or the number of (the domain's mx) is more than 0"
        );
        assert_eq!(reason("no mailbox is known"), "no mailbox is known");
    }

    #[test]
    fn an_id_that_stands_alone_is_spelled_out() {
        let titles = BTreeMap::from([("retention-schedule", "Is it written down?"), ("phi-mail", "Mail is young")]);
        let shorthand = Shorthand { titles };
        assert_eq!(
            shorthand.spelled("The answer to retention-schedule is yes, but phi-mail fails (retention-schedule)"),
            "The answer to “Is it written down?” is yes, but “Mail is young” fails (retention-schedule)"
        );
    }
}
