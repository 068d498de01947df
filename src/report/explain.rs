//! One finding, check or risk in the terminal, in the words of the report.
//!
//! Reads the same page as every other output, so it cannot say anything else than they do.

use super::json::v1::{Assessment, Outcome};
use super::model::words::{counted, grade_words, number, outcome_word, paragraph, sentence};
use super::model::{FindingGroup, Page, RiskView};
use crate::text::visible;

/// Columns of a line.
const WIDTH: usize = 80;
/// The fewest characters of a fingerprint that name a finding.
const FINGERPRINT: usize = 8;

/// What the term names in the assessment: a check's id (or its id in the reference catalogue), the
/// beginning of a fingerprint, a risk's id, number (`risk 3`) or scenario, or a plan item. `None`
/// where it names nothing.
pub fn explain(assessment: &Assessment, term: &str) -> Option<String> {
    let page = Page::of(assessment);
    let mut text = Text::default();
    if let Some(finding) = by_fingerprint(assessment, term) {
        text.line(&format!("Finding {}", visible(&finding.fingerprint)));
        text.line(&format!(
            "{}, {}: {}",
            outcome_word(finding.outcome),
            finding.severity.as_str(),
            sentence(&finding.message)
        ));
        text.line(&format!("open since {} ({})", finding.opened, counted(finding.age as usize, "quarter", "quarters")));
        text.gap();
        check(assessment, &page, &finding.check, &mut text);
    } else if let Some(id) = check_named(assessment, term) {
        check(assessment, &page, &id, &mut text);
    } else if let Some(risk) = risk_named(assessment, &page, term) {
        risk_text(risk, &mut text);
    } else if let Some(item) = assessment.plan.iter().find(|item| item.id == term) {
        check(assessment, &page, &item.check, &mut text);
    } else {
        return None;
    }
    text.gap();
    text.line(&format!("as of {}, evidence {}", page.about.as_of, page.about.evidence_digest));
    Some(text.0)
}

/// Names that look like the term, for the message when it names nothing.
pub fn like(assessment: &Assessment, term: &str) -> Vec<String> {
    let term = term.to_lowercase();
    let words: Vec<&str> = term.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2).collect();
    let mut scored: Vec<(usize, &str)> = assessment
        .coverage
        .checks
        .iter()
        .map(|check| check.check.as_str())
        .chain(assessment.risks.iter().map(|risk| risk.id.as_str()))
        .map(|name| (words.iter().filter(|word| name.contains(**word)).count(), name))
        .filter(|(score, _)| *score > 0)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup();
    scored.into_iter().take(5).map(|(_, name)| visible(name)).collect()
}

fn by_fingerprint<'a>(assessment: &'a Assessment, term: &str) -> Option<&'a super::json::v1::Finding> {
    let hexadecimal = term.len() >= FINGERPRINT && term.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal
        .then(|| assessment.findings.iter().find(|finding| finding.fingerprint.starts_with(&term.to_lowercase())))
        .flatten()
}

fn check_named(assessment: &Assessment, term: &str) -> Option<String> {
    let known = assessment.coverage.checks.iter().map(|check| check.check.as_str());
    if let Some(id) = known.into_iter().find(|id| *id == term) {
        return Some(id.to_owned());
    }
    assessment
        .findings
        .iter()
        .find(|finding| {
            finding.check == term || finding.catalogue.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(term))
        })
        .map(|finding| finding.check.clone())
}

fn risk_named<'a>(assessment: &Assessment, page: &'a Page, term: &str) -> Option<&'a RiskView> {
    let number = term.strip_prefix("risk").map(|rest| rest.trim_matches([' ', '-'])).and_then(|rest| rest.parse().ok());
    let at = match number {
        Some(number) => usize::checked_sub(number, 1)?,
        None => assessment.risks.iter().position(|risk| risk.id == term || risk.scenario == term)?,
    };
    page.risks.get(at)
}

fn check(assessment: &Assessment, page: &Page, id: &str, text: &mut Text) {
    let coverage = assessment.coverage.checks.iter().find(|check| check.check == id);
    let groups: Vec<&FindingGroup> = page.findings.iter().filter(|group| group.check == paragraph(id)).collect();
    let title = coverage.map(|check| check.title.as_str()).or_else(|| {
        assessment.findings.iter().find(|finding| finding.check == id).map(|finding| finding.title.as_str())
    });
    text.line(&format!("{id}: {}", title.map_or_else(|| "no title".to_owned(), paragraph)));
    if let Some(check) = coverage {
        let mut parts = Vec::new();
        for (count, word) in [
            (check.failed, "x fail"),
            (check.needs_review, "! review"),
            (check.not_assessed, "? not assessed"),
            (check.passed, ". pass"),
            (check.not_applicable, "not applicable"),
        ] {
            if count > 0 {
                parts.push(format!("{word} {}", number(count as u64)));
            }
        }
        let judged = if parts.is_empty() { "nothing judged".to_owned() } else { parts.join(", ") };
        text.line(&format!("area {}, grade {}: {judged}", check.area, grade_words(check.grade)));
        if let Some(because) = &check.because {
            text.line(&sentence(because));
        }
    }
    for group in &groups {
        text.gap();
        text.line(&format!("{}, {}: {}", group.outcome_word, group.severity.word, group.said));
        if group.members.len() > 1 {
            for member in &group.members[1..] {
                text.item(&with_disposition(&member.sentence, member.disposition.as_deref()));
            }
            if let Some(rest) = &group.rest {
                text.item(rest);
            }
        }
        text.labelled("Why it matters", &group.why);
        if let Some(question) = &group.question {
            text.labelled("To decide", question);
        }
        text.labelled("What to do", &group.fix);
        let evidence = if group.evidence.is_empty() { "none recorded".to_owned() } else { group.evidence.join(", ") };
        text.labelled("How we know", &format!("Grade {}. Evidence: {evidence}.", group.grade));
        if let Some(rest) = &group.evidence_rest {
            text.item(rest);
        }
        let cites: Vec<String> =
            group.cites.iter().map(|cite| format!("{} {} ({})", cite.spec, cite.title, cite.supports)).collect();
        if !cites.is_empty() {
            text.labelled("Paragraphs of the Security Rule", &cites.join("; "));
        }
    }
    gaps(assessment, id, text);
    if let Some(passed) = assessment.passed.iter().find(|passed| passed.check == id) {
        text.gap();
        text.line(&format!(". pass: held for {}", number(passed.count as u64)));
        let mut names: Vec<String> = passed.subjects.iter().take(8).map(|name| paragraph(name)).collect();
        if passed.count > names.len() {
            names.push(format!("and {} more", number((passed.count - names.len()) as u64)));
        }
        text.item(&names.join(", "));
    }
    let fingerprints: std::collections::BTreeSet<&str> = assessment
        .findings
        .iter()
        .filter(|finding| finding.check == id)
        .map(|finding| finding.fingerprint.as_str())
        .collect();
    let bears: Vec<&RiskView> = assessment
        .risks
        .iter()
        .zip(&page.risks)
        .filter(|(risk, _)| {
            risk.controls.iter().any(|control| control == id)
                || risk.vulnerabilities.iter().any(|fingerprint| fingerprints.contains(fingerprint.as_str()))
        })
        .map(|(_, view)| view)
        .collect();
    if !bears.is_empty() {
        text.gap();
        text.line("Bears on:");
        for risk in bears {
            text.item(&format!("risk {} ({}): {}", risk.number, risk.residual.risk.word, risk.title));
        }
    }
}

/// What of the check could not be assessed, by reason.
fn gaps(assessment: &Assessment, id: &str, text: &mut Text) {
    let mut by_reason: std::collections::BTreeMap<(&str, &str), Vec<&str>> = std::collections::BTreeMap::new();
    for finding in assessment.findings.iter().filter(|finding| finding.check == id) {
        if let (Outcome::NotAssessed, Some(gap)) = (finding.outcome, &finding.gap) {
            by_reason.entry((&gap.because, &gap.to_close)).or_default().push(&finding.subject.name);
        }
    }
    for ((because, to_close), names) in by_reason {
        text.gap();
        let mut shown: Vec<String> = names.iter().take(5).map(|name| paragraph(name)).collect();
        if names.len() > shown.len() {
            shown.push(format!("and {} more", number((names.len() - shown.len()) as u64)));
        }
        text.line(&format!("? not assessed: {} ({})", paragraph(because), shown.join(", ")));
        text.labelled("To close", &sentence(to_close));
    }
}

fn risk_text(risk: &RiskView, text: &mut Text) {
    text.line(&format!("Risk {}: {}", risk.number, risk.title));
    text.line(&format!(
        "now {} (likelihood {}, impact {}); inherent {}; target {}",
        risk.residual.risk.word,
        risk.residual.likelihood.word,
        risk.residual.impact.word,
        risk.inherent.risk.word,
        risk.target.risk.word
    ));
    text.gap();
    text.line(&risk.statement);
    text.labelled("Threat", &risk.threat);
    text.labelled("Assets", &risk.assets);
    text.label("Weaknesses it rests on");
    for weakness in &risk.weaknesses {
        text.item(&weakness.words);
    }
    match (&risk.unassessed, risk.weaknesses.is_empty()) {
        (Some(unassessed), _) => text.item(unassessed),
        (None, true) => text.item("None found."),
        (None, false) => {}
    }
    text.label("Measures that lower it");
    for control in &risk.controls {
        text.item(control);
    }
    if risk.controls.is_empty() {
        text.item("None that evidence supports.");
    }
    let low = if risk.low_confidence { ": do not rely on this level" } else { "" };
    text.labelled("Confidence", &format!("{}{low}", risk.confidence));
    text.label("How the level came about");
    for step in &risk.explain {
        text.item(step);
    }
    if !risk.tips_on.is_empty() {
        text.labelled("One step would change the level", &risk.tips_on.join("; "));
    }
    text.labelled("Treatment", &format!("{}, owner: {}, {}", risk.treatment, risk.owner, risk.due));
    text.line(&format!("scenario {}, risk {}", risk.scenario, risk.id));
}

fn with_disposition(sentence: &str, disposition: Option<&str>) -> String {
    disposition.map_or_else(|| sentence.to_owned(), |words| format!("{sentence} ({words})"))
}

/// Lines of at most 80 columns; everything shown passes here.
#[derive(Default)]
struct Text(String);

impl Text {
    fn gap(&mut self) {
        self.0.push('\n');
    }

    fn line(&mut self, words: &str) {
        self.wrapped("", "", words);
    }

    fn item(&mut self, words: &str) {
        self.wrapped("  - ", "    ", words);
    }

    fn label(&mut self, words: &str) {
        self.gap();
        self.line(&format!("{words}:"));
    }

    fn labelled(&mut self, label: &str, words: &str) {
        self.label(label);
        self.wrapped("  ", "  ", words);
    }

    fn wrapped(&mut self, first: &str, other: &str, words: &str) {
        let shown = visible(words);
        let mut line = first.to_owned();
        let mut used = line.chars().count();
        let mut begun = false;
        for word in shown.split_whitespace() {
            let wide = word.chars().count();
            if begun && used + 1 + wide > WIDTH {
                self.0.push_str(&line);
                self.0.push('\n');
                line = other.to_owned();
                used = line.chars().count();
                begun = false;
            }
            if begun {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += wide;
            begun = true;
        }
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maple_street() -> Assessment {
        serde_json::from_str(include_str!("../../fixtures/maple-street-assessment/assessment.json")).unwrap()
    }

    #[test]
    fn a_check_a_fingerprint_and_a_risk_are_told_in_the_reports_words() {
        let assessment = maple_street();
        let page = Page::of(&assessment);
        let group = &page.findings[0];
        let told = explain(&assessment, &group.check).unwrap();
        for words in ["Why it matters:", "What to do:", "How we know:", "Bears on:"] {
            assert!(told.contains(words), "{words}\n{told}");
        }
        let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [&group.said, &group.why, &group.fix] {
            assert!(flat.contains(words.as_str()), "{words}\n{told}");
        }
        let fingerprint = &assessment.findings[0].fingerprint;
        assert!(explain(&assessment, &fingerprint[..10]).unwrap().starts_with("Finding "));
        let risk = explain(&assessment, &assessment.risks[0].id).unwrap();
        assert_eq!(risk, explain(&assessment, "risk 1").unwrap());
        assert!(risk.contains("How the level came about:"));
        for text in [told, risk] {
            assert!(text.lines().all(|line| line.chars().count() <= WIDTH || !line.trim().contains(' ')), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_explained_and_neighbours_are_offered() {
        let assessment = maple_street();
        assert_eq!(explain(&assessment, "no-such-check"), None);
        assert_eq!(explain(&assessment, "risk 0"), None);
        assert_eq!(explain(&assessment, "risk 9999"), None);
        let known = &assessment.coverage.checks[0].check;
        assert!(like(&assessment, known).contains(known));
    }

    #[test]
    fn hostile_names_reach_no_terminal() {
        let mut assessment = maple_street();
        let check = assessment.findings[0].check.clone();
        for finding in &mut assessment.findings {
            finding.message = "\u{1b}[2J\u{202e}bad".to_owned();
            finding.why = "a\nb\u{7}".to_owned();
        }
        let told = explain(&assessment, &check).unwrap();
        assert!(!told.chars().any(|character| character != '\n' && crate::text::is_unsafe(character)));
    }
}
