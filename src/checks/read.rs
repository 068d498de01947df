//! Reads a check from its YAML file and verifies it.
//!
//! Everything that can be wrong with a check is found here, at its line and column, before it may
//! judge anything. All faults of a file come back together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::check::{Check, Cite, Hole, Supports};
use super::examples::{self, WrittenExamples};
use super::expression::Expression;
use super::frameworks::Framework;
use super::paths::{FactPath, Named, Reading, Vocabulary};
use super::wording;
use crate::facts;
use crate::facts::shape::EncodedSubject;
use crate::finding::Severity;
use crate::names::SubjectKind;
use crate::yaml::{self, Located, Spanned};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: Spanned<String>,
    #[serde(default)]
    catalogue: Option<Spanned<String>>,
    title: Spanned<String>,
    subject: Spanned<String>,
    applies_when: Spanned<String>,
    #[serde(default)]
    review_when: Option<Spanned<String>>,
    pass_when: Spanned<String>,
    severity: Spanned<String>,
    cites: Vec<WrittenCite>,
    finding: Spanned<String>,
    why: Spanned<String>,
    fix: Spanned<String>,
    #[serde(default)]
    question: Option<Spanned<String>>,
    #[serde(default)]
    references: Vec<String>,
    since: Spanned<String>,
    examples: Spanned<WrittenExamples>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCite {
    spec: Spanned<String>,
    supports: Spanned<String>,
}

/// What a check is read against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelf<'s> {
    pub framework: &'s Framework,
    /// Thresholds by name.
    pub limits: &'s BTreeMap<String, i64>,
}

/// A file being read, with all the faults found in it so far.
pub(super) struct Page<'p> {
    pub file: &'p Path,
    pub text: &'p str,
    pub faults: Vec<Located>,
}

impl Page<'_> {
    /// Notes a fault at a value.
    pub fn refuse<T>(&mut self, at: &Spanned<T>, what: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Located::at_value(self.file, self.text, at, what, help));
    }
}

/// Reads one check. All faults of the file come back together.
pub(super) fn read(file: &Path, text: &str, area: &str, own: bool, shelf: Shelf<'_>) -> Result<Check, Vec<Located>> {
    let written: Written = yaml::read_words(file, text).map_err(|fault| vec![with_help(fault)])?;
    let mut page = Page { file, text, faults: Vec::new() };
    check_id(&written.id, &mut page);
    let severity = severity(&written.severity, &mut page);
    let Some(kind) = SubjectKind::ALL.into_iter().find(|kind| kind.as_str() == written.subject.value) else {
        let known = SubjectKind::ALL.map(SubjectKind::as_str).join(", ");
        page.refuse(&written.subject, "there is no such kind of subject", format!("one of {known}"));
        return Err(page.faults);
    };
    let shapes = facts::shapes();
    let vocabulary = Vocabulary { kind, facts: shapes[&kind], limits: shelf.limits };
    let applies_when = compile(&written.applies_when, vocabulary, &mut page);
    let review_when = written.review_when.as_ref().map(|text| compile(text, vocabulary, &mut page));
    let pass_when = compile(&written.pass_when, vocabulary, &mut page);
    let cites = written.cites.iter().filter_map(|cite| read_cite(cite, kind, shelf.framework, &mut page)).collect();
    let holes = holes(&written.finding, vocabulary, &mut page);
    check_words(&written, &mut page);

    let (Some(applies_when), Some(pass_when), Some(severity)) = (applies_when, pass_when, severity) else {
        return Err(page.faults);
    };
    let review_when = match review_when {
        None => None,
        Some(Some(review_when)) => Some(review_when),
        Some(None) => return Err(page.faults),
    };
    if pass_when.is_constant() {
        page.refuse(&written.pass_when, "this reads no fact, so it would judge every subject alike", "name a fact");
    }
    let mut check = Check {
        id: written.id.value,
        catalogue: written.catalogue.map(|catalogue| catalogue.value),
        area: area.to_owned(),
        title: written.title.value,
        subject: kind,
        severity,
        cites,
        finding: written.finding.value,
        why: written.why.value,
        fix: written.fix.value,
        question: written.question.map(|question| question.value),
        references: written.references,
        since: written.since.value,
        own,
        applies_when,
        review_when,
        pass_when,
        holes,
        examples: Vec::new(),
    };
    check.examples = examples::read(&written.examples, &check, vocabulary, &mut page);
    if page.faults.is_empty() { Ok(check) } else { Err(page.faults) }
}

/// An expression that begins with `!` or `"` means something else to YAML, unless it is quoted.
fn with_help(mut fault: Located) -> Located {
    let value = fault.excerpt.split_once("_when:").map(|(_, value)| value.trim_start());
    if value.is_some_and(|value| value.starts_with(['!', '"', '&', '*', '[', '{'])) {
        fault.help = "put the whole expression into single quotes".to_owned();
    }
    fault
}

fn check_id(id: &Spanned<String>, page: &mut Page<'_>) {
    let stem = page.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.value.is_empty() || id.value.len() > 80 || !id.value.bytes().all(allowed) {
        page.refuse(id, "an id is made of a-z, 0-9 and `-`", "state the good condition, as in `dmarc-enforced`");
    } else if id.value != stem {
        let help = format!("name the file `{}.yaml`, or change the id", id.value);
        page.refuse(id, format!("the id is not the file's name, `{}`", crate::text::visible(stem)), help);
    }
}

fn severity(written: &Spanned<String>, page: &mut Page<'_>) -> Option<Severity> {
    let all = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];
    let found = all.into_iter().find(|severity| severity.as_str() == written.value);
    if found.is_none() {
        page.refuse(written, "there is no such severity", "one of critical, high, medium, low, info");
    }
    found
}

fn compile(written: &Spanned<String>, vocabulary: Vocabulary<'_>, page: &mut Page<'_>) -> Option<Expression> {
    match Expression::compile(&written.value, vocabulary) {
        Ok(expression) => Some(expression),
        Err(fault) => {
            let (line, column) = place(page.text, written, fault.at);
            let refusal = fault.refusal;
            page.faults.push(Located::at(page.file, page.text, line, column, refusal.what, refusal.help));
            None
        }
    }
}

/// The line and column of byte `at` of a YAML text value. Quoting and folding move characters, so
/// the word that stands there is counted in the value and found again in the file.
fn place(file: &str, value: &Spanned<String>, at: usize) -> (u64, u64) {
    let (line, column) = (value.referenced.line(), value.referenced.column());
    let word: &str = value.value.get(at..).unwrap_or_default().split_whitespace().next().unwrap_or_default();
    let before = value.value.get(..at).unwrap_or_default();
    // Matches are counted with overlap on both sides, so that both counts mean the same.
    let starts = |text: &str, upto: usize| {
        text.char_indices().take_while(|(index, _)| *index < upto).filter(|(i, _)| text[*i..].starts_with(word)).count()
    };
    if word.is_empty() {
        return (line, column);
    }
    let skip = starts(&value.value, before.len());
    let mut seen = 0;
    for (number, text) in file.lines().enumerate().skip(usize::try_from(line.saturating_sub(1)).unwrap_or(0)) {
        let first =
            if number + 1 == usize::try_from(line).unwrap_or(0) { usize::try_from(column).unwrap_or(1) } else { 1 };
        for (index, (byte, _)) in text.char_indices().enumerate().skip(first - 1) {
            if text[byte..].starts_with(word) {
                if seen == skip {
                    return (number as u64 + 1, index as u64 + 1);
                }
                seen += 1;
            }
        }
    }
    (line, column)
}

fn read_cite(written: &WrittenCite, kind: SubjectKind, framework: &Framework, page: &mut Page<'_>) -> Option<Cite> {
    let supports = match written.supports.value.as_str() {
        "direct" => Supports::Direct,
        "indirect" => Supports::Indirect,
        _ => {
            page.refuse(&written.supports, "a citation supports `direct` or `indirect`", "");
            return None;
        }
    };
    let Some(spec) = framework.get(&written.spec.value) else {
        let help = format!("did you mean `{}`?", framework.nearest(&written.spec.value));
        page.refuse(&written.spec, "there is no such paragraph in the rule catalogue", help);
        return None;
    };
    if supports == Supports::Direct && spec.category.needs_documents() && !speaks_for_documents(kind) {
        let what = format!(
            "a check about `{kind}` cannot directly support {}, an {} specification",
            spec.id,
            spec.category.in_words()
        );
        let help = "write `supports: indirect`: only attestations, registers, agreements and the organization's own declarations support it directly";
        page.refuse(&written.supports, what, help);
    }
    Some(Cite { spec: written.spec.value.clone(), supports })
}

/// Kinds whose evidence is a document or an answer about what people do.
fn speaks_for_documents(kind: SubjectKind) -> bool {
    match kind {
        SubjectKind::Attestation | SubjectKind::Organization | SubjectKind::Register | SubjectKind::Vendor => true,
        SubjectKind::ContentFolder
        | SubjectKind::Domain
        | SubjectKind::Endpoint
        | SubjectKind::ExportFile
        | SubjectKind::ForwardingPath
        | SubjectKind::ForwardingRule
        | SubjectKind::Mailbox
        | SubjectKind::Partner
        | SubjectKind::Tenant => false,
    }
}

/// The `{{path}}` holes of the message.
fn holes(finding: &Spanned<String>, vocabulary: Vocabulary<'_>, page: &mut Page<'_>) -> BTreeMap<String, Hole> {
    let mut holes = BTreeMap::new();
    let mut rest = finding.value.as_str();
    while let Some((_, hole_on)) = rest.split_once("{{") {
        let Some((path, after)) = hole_on.split_once("}}") else {
            page.refuse(finding, "a hole of the message is not closed", "write `{{path}}`");
            break;
        };
        let path = path.trim();
        match vocabulary.resolve(&path.split('.').collect::<Vec<_>>()) {
            Ok(Named::Fact(fact, _)) => _ = holes.insert(path.to_owned(), Hole::Fact(fact)),
            Ok(Named::Limit(name)) => _ = holes.insert(path.to_owned(), Hole::Limit(vocabulary.limits[&name])),
            Err(refusal) => page.refuse(finding, format!("in the message: {}", refusal.what), refusal.help),
        }
        rest = after;
    }
    let of_the_subject = |hole: &Hole| matches!(hole, Hole::Fact(_));
    if !holes.values().any(of_the_subject) && vocabulary.kind != SubjectKind::Organization {
        let help = format!("put `{{{{{}.name}}}}` into it", vocabulary.kind);
        page.refuse(finding, "the message does not say which subject it is about", help);
    }
    holes
}

/// Texts that a report prints: there, one line where one line is meant, and without claims that
/// no evidence supports.
fn check_words(written: &Written, page: &mut Page<'_>) {
    let texts = [
        Some(&written.title),
        Some(&written.finding),
        Some(&written.why),
        Some(&written.fix),
        written.question.as_ref(),
    ];
    for text in texts.into_iter().flatten() {
        if text.value.trim().is_empty() {
            page.refuse(text, "this text is empty", "");
        } else if let Some(claim) = wording::overclaim(&text.value) {
            let help = "say what the evidence supports, lacks or contradicts";
            page.refuse(text, format!("`{claim}` claims what no evidence supports"), help);
        }
    }
    for line in [&written.title, &written.finding] {
        if line.value.trim().contains('\n') {
            page.refuse(line, "this is one sentence on one line", "");
        }
    }
    if written.since.value.split('.').filter(|part| part.parse::<u32>().is_ok()).count() != 3 {
        page.refuse(&written.since, "`since` is a version such as 0.1.0", "");
    }
    match (&written.review_when, &written.question) {
        (Some(review_when), None) => {
            page.refuse(review_when, "`review_when` needs a `question`", "say what a person has to decide");
        }
        (None, Some(question)) => {
            page.refuse(question, "`question` belongs to `review_when`, which is missing", "");
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
    if written.cites.is_empty() {
        page.refuse(&written.id, "the check cites no paragraph of the rule", "add `cites`");
    }
}

/// True when the subject has every value that the paths read.
pub(super) fn fully_built(paths: &BTreeSet<FactPath>, subject: &EncodedSubject) -> Result<(), FactPath> {
    match paths.iter().find(|path| path.read(subject) == Reading::NoSuchFact) {
        Some(path) => Err(*path),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Verdict;
    use crate::checks::examples;
    use crate::checks::testing::{domain, unknown_domain};
    use crate::checks::{Catalog, frameworks::Framework};
    use crate::facts::shape::Value;

    const DMARC: &str = r#"id: dmarc-enforced
title: Receivers are told to reject or quarantine mail that forges the domain
subject: domain
applies_when: domain.exists
pass_when: domain.dmarc.policy in ["quarantine", "reject"] && !domain.dmarc.testing
severity: high
cites: [{ spec: 164.308(a)(5)(ii)(B), supports: indirect }, { spec: 164.312(e)(2)(i), supports: indirect }]
finding: "{{domain.name}}: the DMARC policy that applies is {{domain.dmarc.policy}}"
why: Anyone can send mail that appears to come from this domain, to patients and staff alike.
fix: Publish `v=DMARC1; p=quarantine; rua=mailto:…`, read the reports for two weeks, then move to `p=reject`.
since: "0.1.0"
examples:
  pass:    [{ domain: { name: a.example, exists: true, dmarc: { policy: reject, testing: false } } }]
  fail:    [{ domain: { name: b.example, exists: true, dmarc: { policy: none, testing: false } } },
            { domain: { name: c.example, exists: true, dmarc: absent } }]
  unknown: [{ domain: { name: d.example, exists: true, dmarc: unknown } }]
  absent:  [{ expect: fail, with: { domain: { name: e.example, exists: true, dmarc: malformed } } }]
  not_applicable: [{ domain: { name: f.example, exists: false, dmarc: unknown } }]
"#;

    fn framework() -> Framework {
        Catalog::built_in().unwrap().framework
    }

    fn read_text(text: &str) -> Result<Check, Vec<Located>> {
        let limits = BTreeMap::from([("days".to_owned(), 30)]);
        let framework = framework();
        let shelf = Shelf { framework: &framework, limits: &limits };
        read(Path::new("checks/sender-identity/dmarc-enforced.yaml"), text, "sender-identity", false, shelf)
    }

    /// The one fault in the check when `from` is replaced by `to`: line, column, text.
    fn fault(from: &str, to: &str) -> (u64, u64, String) {
        assert!(DMARC.contains(from), "{from}");
        let mut faults = read_text(&DMARC.replacen(from, to, 1)).expect_err("the check should be refused");
        let first = faults.remove(0);
        (first.line, first.column, format!("{} ({})", first.what, first.help))
    }

    #[test]
    fn a_check_is_read_and_its_examples_hold() {
        let check = read_text(DMARC).unwrap();
        assert_eq!((check.examples().len(), examples::run(&check)), (6, Vec::new()));
        assert_eq!(check.verdict(&domain()).unwrap(), Verdict::Pass);
        let Verdict::NotAssessed(missing) = check.verdict(&unknown_domain(&["dmarc"])).unwrap() else { panic!() };
        assert!(missing.iter().all(|path| path.whole_fact() == "domain.dmarc"));
        let message = check.message(&domain());
        assert_eq!(message.values.get("domain.dmarc.policy"), Some(&Value::Text("reject".to_owned())));
        assert_eq!(message.render(), "a.example: the DMARC policy that applies is reject");
    }

    #[test]
    fn faults_are_located() {
        let (line, column, what) = fault("domain.dmarc.testing\n", "domain.dmarc.tesing\n");
        assert_eq!((line, column), (5, 64), "{what}");
        assert!(what.contains("did you mean `domain.dmarc.testing`"), "{what}");
        let (line, column, what) = fault("severity: high", "severity: bad");
        assert_eq!((line, column), (6, 11), "{what}");
        let (line, _, what) = fault("severity: high", "severity: high\nseverity: low");
        assert!(line == 7 && what.contains("duplicate"), "{line} {what}");
        let (line, _, what) = fault("since:", "colour: red\nsince:");
        assert!(line == 11 && what.contains("colour"), "{line} {what}");
        let (line, _, what) = fault("164.308(a)(5)(ii)(B)", "164.308(a)(5)(ii)(Z)");
        assert!(line == 7 && what.contains("did you mean `164.308(a)(5)(ii)("), "{what}");
        assert!(fault("subject: domain", "subject: domains").2.contains("no such kind"));
        assert!(fault("id: dmarc-enforced", "id: dmarc-on").2.contains("file's name"));
    }

    #[test]
    fn what_yaml_does_to_expressions_is_told_plainly() {
        let quotes = "(put the whole expression into single quotes)";
        let (line, _, what) = fault("applies_when: domain.exists", "applies_when: !domain.exists");
        assert_eq!((line, what), (4, format!("a value is missing here {quotes}")));
        let (line, _, what) = fault("pass_when: domain", "pass_when: \"a\" in domain.spf.notes && domain");
        assert!(line == 5 && what.contains(quotes), "{what}");
        let (line, _, what) =
            fault("exists: true, dmarc: { policy: reject", "exists: true, exists: false, dmarc: { policy: reject");
        assert_eq!((line, what.as_str()), (13, "duplicate mapping key: exists ()"));
        read_text(&DMARC.replace("applies_when: domain.exists", "applies_when: true")).unwrap();
    }

    #[test]
    fn a_folded_expression_is_placed_on_its_own_line() {
        let folded =
            "pass_when: >-\n  domain.exists\n  && domain.exists\n  && domain.dmarc.polcy == \"reject\"\nseverity";
        let start = DMARC.find("pass_when").unwrap();
        let end = DMARC.find("severity").unwrap();
        let text = format!("{}{folded}{}", &DMARC[..start], &DMARC[end + "severity".len()..]);
        let faults = read_text(&text).unwrap_err();
        assert_eq!((faults[0].line, faults[0].column), (8, 6), "{}", faults[0]);
    }

    #[test]
    fn a_probe_never_directly_supports_an_administrative_specification() {
        let what = fault("supports: indirect", "supports: direct").2;
        assert!(what.contains("cannot directly support 164.308(a)(5)(ii)(B)"), "{what}");
        read_text(&DMARC.replace("164.312(e)(2)(i), supports: indirect", "164.312(e)(2)(i), supports: direct"))
            .unwrap();
    }

    #[test]
    fn examples_are_whole_and_complete() {
        assert!(fault(", testing: false } } }]", " } } }]").2.contains("does not say what `domain.dmarc.testing` is"));
        assert!(fault("a.example, exists: true", "a.example, exist: true").2.contains("did you mean `domain.exists`"));
        assert!(fault("exists: true, dmarc: unknown", "exists: absent, dmarc: unknown").2.contains("never absent"));
        assert!(fault("exists: true, dmarc: unknown", "exists: 1, dmarc: unknown").2.contains("true or false"));
        assert!(fault("policy: reject", "polcy: reject").2.contains("no field `polcy`"));
        assert!(fault("expect: fail", "expect: bad").2.contains("no outcome"));
        let without = |word: &str| {
            let text: String =
                DMARC.lines().filter(|line| !line.contains(word)).map(|line| format!("{line}\n")).collect();
            read_text(&text).unwrap_err().remove(0).what
        };
        assert!(without("  unknown:").contains("no `unknown` example"));
        let text = DMARC.replace("dmarc: absent", "dmarc: { policy: none, testing: true }");
        let text: String =
            text.lines().filter(|line| !line.contains("expect")).map(|line| format!("{line}\n")).collect();
        assert!(read_text(&text).unwrap_err()[0].what.contains("can be absent, and no example says what then"));
    }

    #[test]
    fn an_example_that_comes_out_otherwise_is_noticed() {
        let check =
            read_text(&DMARC.replace("policy: none, testing: false", "policy: reject, testing: false")).unwrap();
        let surprises = examples::run(&check);
        assert_eq!(surprises.len(), 1);
        assert_eq!(surprises[0].to_string(), "dmarc-enforced, line 14: expected fail, found pass");
    }

    #[test]
    fn review_needs_a_question_and_texts_claim_nothing() {
        let review = DMARC.replace("severity:", "review_when: domain.dmarc.testing\nseverity:");
        let whats: Vec<_> = read_text(&review).unwrap_err().into_iter().map(|fault| fault.what).collect();
        assert_eq!(whats, ["`review_when` needs a `question`", "there is no `review` example"]);
        assert!(fault("why: Anyone", "why: A compliant domain. Anyone").2.contains("claims what no evidence supports"));
        assert!(fault("{{domain.dmarc.policy}}", "{{domain.dmarc}}").2.contains("group"));
        let unnamed =
            DMARC.replace("{{domain.name}}: the DMARC policy that applies is {{domain.dmarc.policy}}", "No policy");
        assert!(read_text(&unnamed).unwrap_err()[0].what.contains("which subject it is about"));
    }

    #[test]
    fn what_cannot_be_decided_for_applicability_is_not_assessed() {
        let check = read_text(DMARC).unwrap();
        assert!(matches!(check.verdict(&unknown_domain(&["exists"])).unwrap(), Verdict::NotAssessed(_)));
    }
}
