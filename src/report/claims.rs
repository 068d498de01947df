//! Refuses sentences that promise more than evidence can carry.
//!
//! It reads our own words only: templates, check texts, texts of a theme. Data of an organization
//! is never linted, since nobody may be stopped from quoting what was found. It knows phrases, not
//! meaning: a sentence that passes is not thereby true.

use std::sync::LazyLock;

use regex::Regex;

/// A phrase that may not stand in a text of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{phrase}` may not be said: {why}")]
pub struct ForbiddenClaim {
    /// The line it stands on, from 1.
    pub line: usize,
    /// The words found.
    pub phrase: String,
    /// What is wrong with saying so.
    pub why: &'static str,
}

/// The phrases, each with the reason. Written for text whose white space runs are one blank.
const FORBIDDEN: &[(&str, &str)] = &[
    (r"\b(?:non-?)?compliant\b", "evidence supports, lacks or contradicts; only a regulator or court says more"),
    (
        r"\bcompliance (?:score|percentage|rate|level|grade|status)\b|\b\d+ ?% complian",
        "a percentage is no state of the law",
    ),
    (r"\bcertif(?:ied|ies|y)\b", "nobody certifies a practice under the Security Rule, and this program does not"),
    (
        r"\b(?:OCR|HHS|government|federally)[- ](?:approved|endorsed|recognized|accepted)\b",
        "no authority approves a product or a report",
    ),
    (r"\bapproved by (?:OCR|HHS|the government)\b", "no authority approves a product or a report"),
    (r"\bguarante(?:e|es|ed|eing)\b", "nothing measured at one moment can promise"),
    (r"\bno (?:e?PHI|protected health information)\b", "a search has a size and a bound; say those"),
    (r"\bPHI[- ]free\b|\bfree of (?:e?PHI)\b", "a search has a size and a bound; say those"),
    (r"\bno breach(?:es)?\b", "whether a breach happened is a finding of fact and law"),
    (
        r"\b100 ?% (?:secure|safe|protected|private|encrypted)\b|\b(?:fully|completely|totally|perfectly|absolutely) (?:secure|safe|protected|private)\b",
        "nothing is wholly secure",
    ),
    (
        r"\b(?:mail|e-?mail|mailbox(?:es)?|system|organization|clinic|practice|you|it|data|information) (?:is|are) (?:now )?(?:secure|safe)\b",
        "say which evidence supports which measure",
    ),
    (r"\bHIPAA[- ](?:safe|secure|ready|proof|grade|compliance guaranteed)\b", "there is no such state"),
    (
        r"\bend[- ]to[- ]end encrypt(?:ed|ion is|s)\b|\bencrypted (?:from )?end[- ]to[- ]end\b",
        "a probe sees one hop, not the ends",
    ),
    (
        r"\b(?:e-?mails?|mail|messages?|mailbox(?:es)?)\b[^.;:]{0,60}\b(?:must|shall|has to|have to|required to|needs? to)\b[^.;:]{0,40}\b(?:six|6)[- ]years?\b",
        "HIPAA sets no retention period for mail; six years is for documentation under 164.316(b)(2)(i)",
    ),
    (
        r"\b(?:must|shall|has to|have to|required to)\b[^.;:]{0,30}\b(?:keep|retain|kept|retained|store|archive|preserve)\b[^.;:]{0,30}\b(?:e-?mails?|mail|messages?)\b[^.;:]{0,40}\b(?:six|6)[- ]years?\b",
        "HIPAA sets no retention period for mail; six years is for documentation under 164.316(b)(2)(i)",
    ),
    (
        r"\b(?:expected|predicted|likely|estimated|potential) (?:fine|penalty|settlement)s?\b",
        "no fine can be computed from findings",
    ),
    (r"\bNPRM (?:requires|mandates)\b", "a proposed rule requires nothing yet"),
    (
        r"\bproves? (?:guilt|negligence|a violation)\b|\b(?:is|are) in violation of\b",
        "settlements and findings prove no guilt",
    ),
];

static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    FORBIDDEN
        .iter()
        .map(|(pattern, why)| {
            (Regex::new(&format!("(?i){pattern}")).expect("the phrases are valid, tested below"), *why)
        })
        .collect()
});

/// A word that turns the claim round: "never say `certified`".
static DENIAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:not|never|nobody|nothing|none|cannot|neither|nor|no such)\b").expect("valid")
});
static ONLY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\bnot only\b").expect("valid"));

/// How far before a phrase a denial still counts, in bytes.
const DENIAL_REACH: usize = 60;

/// Every forbidden claim in a text of ours, in order. A phrase that its own sentence denies just
/// before ("does not guarantee") is no claim.
pub fn lint(text: &str) -> Vec<ForbiddenClaim> {
    let (flat, lines) = flatten(text);
    let mut found = Vec::new();
    for (pattern, why) in PATTERNS.iter() {
        for hit in pattern.find_iter(&flat) {
            if !denied(&flat, hit.start()) {
                found.push(ForbiddenClaim { line: lines[hit.start()], phrase: hit.as_str().to_owned(), why });
            }
        }
    }
    found.sort_by(|a, b| (a.line, &a.phrase).cmp(&(b.line, &b.phrase)));
    found
}

/// The text with runs of white space and Markdown emphasis as one blank, so that a phrase cannot
/// hide over a line break, and the line each byte came from.
fn flatten(text: &str) -> (String, Vec<usize>) {
    let mut flat = String::with_capacity(text.len());
    let mut lines = Vec::with_capacity(text.len());
    let mut line = 1;
    for character in text.chars() {
        let blank = character.is_whitespace() || matches!(character, '*' | '_');
        if !blank {
            flat.push(character);
        } else if !flat.ends_with(' ') {
            flat.push(' ');
        }
        lines.resize(flat.len(), line);
        line += usize::from(character == '\n');
    }
    (flat, lines)
}

fn denied(flat: &str, at: usize) -> bool {
    let mut from = at.saturating_sub(DENIAL_REACH);
    while !flat.is_char_boundary(from) {
        from += 1;
    }
    let before = &flat[from..at];
    let sentence = before.rfind(['.', ';', ':', '?', '!']).map_or(before, |end| &before[end..]);
    DENIAL.is_match(sentence) && !ONLY.is_match(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_found_over_line_breaks_and_in_any_case() {
        for text in [
            "You are now HIPAA\n  Compliant.",
            "A **certified** product.",
            "OCR-approved method",
            "This guarantees delivery.",
            "no PHI was found",
            "Your mail is 100% secure.",
            "The mailbox is secure",
            "Mail must be kept for six years.",
            "You must retain all e-mail for at least 6 years",
            "Messages are encrypted end to end.",
            "The NPRM requires MFA.",
            "A compliance score of 80",
            "Not only certified, but tested",
        ] {
            assert!(!lint(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn honest_sentences_pass() {
        for text in [
            "This report does not guarantee anything.",
            "Never write that a vendor is \"HIPAA compliant\".",
            "The certificate expires on 2026-12-01.",
            "Unsecured PHI (45 CFR 164.402).",
            "The Security Rule keeps documentation for six years (164.316(b)(2)(i)).",
            "HIPAA sets no retention period for mail.",
            "Evidence supports this measure.",
        ] {
            assert_eq!(lint(text), [], "{text}");
        }
    }

    #[test]
    fn the_line_is_the_one_the_phrase_begins_on() {
        assert_eq!(lint("one\ntwo\nthree guaranteed").first().map(|claim| claim.line), Some(3));
    }

    #[test]
    fn what_we_ship_promises_nothing() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = Vec::new();
        for place in ["report-templates", "checks", "docs", "README.md"] {
            gather(&root.join(place), &mut texts);
        }
        assert!(!texts.is_empty());
        let mut found = Vec::new();
        for path in texts {
            let text = std::fs::read_to_string(&path).unwrap();
            // The rule's own words, reported cases and what vendors say are quoted, not claimed.
            if path.parent().is_some_and(|folder| folder.ends_with("frameworks")) || path.ends_with("vendors.yaml") {
                continue;
            }
            found.extend(lint(&text).into_iter().map(|claim| format!("{}: {claim}", path.display())));
        }
        assert_eq!(found, Vec::<String>::new());
    }

    fn gather(path: &std::path::Path, texts: &mut Vec<std::path::PathBuf>) {
        if !path.exists() {
            return;
        }
        if path.is_dir() {
            let mut entries: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
            entries.sort();
            entries.iter().for_each(|entry| gather(entry, texts));
        } else if path.extension().is_some_and(|kind| ["yaml", "hbs", "md"].iter().any(|known| kind == *known)) {
            texts.push(path.to_owned());
        }
    }
}
