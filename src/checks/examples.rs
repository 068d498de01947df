//! The examples every check carries: invented subjects and what the check must say of them.
//!
//! Examples are whole. They name every value that the expressions and the message read, so that
//! an example shows what it is about, and a fact added to an expression shows in its examples.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Written;

use super::check::{Check, Verdict};
use super::paths::{FactPath, Kind, Refusal, Vocabulary, kind_of};
use super::read::{Page, fully_built};
use crate::facts;
use crate::facts::shape::{EncodedFact, EncodedSubject, FactShape, Shape, Value};
use crate::names::SubjectKind;
use crate::seen::NotObserved;
use crate::yaml::Spanned;

/// What a check must say of an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expected {
    Fail,
    NeedsReview,
    NotApplicable,
    NotAssessed,
    Pass,
}

impl Expected {
    const ALL: [Self; 5] = [Self::Fail, Self::NeedsReview, Self::NotApplicable, Self::NotAssessed, Self::Pass];

    /// The word in a check's file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::NeedsReview => "review",
            Self::NotApplicable => "not-applicable",
            Self::NotAssessed => "not-assessed",
            Self::Pass => "pass",
        }
    }

    /// What a verdict amounts to.
    pub const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Fail => Self::Fail,
            Verdict::NeedsReview => Self::NeedsReview,
            Verdict::NotApplicable => Self::NotApplicable,
            Verdict::NotAssessed(_) => Self::NotAssessed,
            Verdict::Pass => Self::Pass,
        }
    }
}

/// One invented subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `None` for an `absent` example that leaves the outcome open.
    pub expected: Option<Expected>,
    pub subject: EncodedSubject,
    /// Where it stands in the file, from 1.
    pub line: u64,
}

/// An example that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surprise {
    pub check: String,
    pub line: u64,
    pub expected: Option<Expected>,
    /// The outcome, or why there was none.
    pub found: Result<Expected, String>,
}

impl std::fmt::Display for Surprise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let expected = self.expected.map_or("any outcome", Expected::as_str);
        match &self.found {
            Ok(found) => {
                write!(f, "{}, line {}: expected {expected}, found {}", self.check, self.line, found.as_str())
            }
            Err(why) => write!(f, "{}, line {}: expected {expected}, but {why}", self.check, self.line),
        }
    }
}

/// Runs every example of a check.
pub fn run(check: &Check) -> Vec<Surprise> {
    let surprise = |example: &Example| {
        let found = check.verdict(&example.subject).map(|verdict| Expected::of(&verdict)).map_err(|broken| broken.why);
        let as_expected = match (&found, example.expected) {
            (Ok(found), Some(expected)) => *found == expected,
            (Ok(_), None) => true,
            (Err(_), _) => false,
        };
        (!as_expected).then(|| Surprise {
            check: check.id.clone(),
            line: example.line,
            expected: example.expected,
            found,
        })
    };
    check.examples().iter().filter_map(surprise).collect()
}

/// The `examples` of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenExamples {
    #[serde(default)]
    pass: Vec<Spanned<Written>>,
    #[serde(default)]
    fail: Vec<Spanned<Written>>,
    #[serde(default)]
    unknown: Vec<Spanned<Written>>,
    #[serde(default)]
    absent: Vec<Spanned<Written>>,
    #[serde(default)]
    review: Vec<Spanned<Written>>,
    #[serde(default)]
    not_applicable: Vec<Spanned<Written>>,
}

/// Reads and completes the examples of `check`. Faults go to the page.
pub(super) fn read(
    written: &Spanned<WrittenExamples>,
    check: &Check,
    vocabulary: Vocabulary<'_>,
    page: &mut Page<'_>,
) -> Vec<Example> {
    let groups = [
        ("pass", &written.value.pass, Some(Expected::Pass)),
        ("fail", &written.value.fail, Some(Expected::Fail)),
        ("unknown", &written.value.unknown, Some(Expected::NotAssessed)),
        ("absent", &written.value.absent, None),
        ("review", &written.value.review, Some(Expected::NeedsReview)),
        ("not_applicable", &written.value.not_applicable, Some(Expected::NotApplicable)),
    ];
    let reads = check.all_reads();
    let mut examples = Vec::new();
    let mut absent_seen = false;
    for (group, all, expected) in groups {
        let required = match group {
            "pass" | "fail" | "unknown" => true,
            "review" => check.review_when().is_some(),
            _ => false,
        };
        if required && all.is_empty() {
            page.refuse(written, format!("there is no `{group}` example"), "every outcome is shown by an example");
        }
        for one in all {
            match read_one(one, group, expected, check.subject, vocabulary, &reads) {
                Ok((example, absent)) => {
                    absent_seen |= absent;
                    examples.push(example);
                }
                Err(refusal) => page.refuse(one, refusal.what, refusal.help),
            }
        }
    }
    let can_be_absent = |path: &FactPath| vocabulary.facts.iter().any(|f| f.name == path.fact && f.can_be_absent);
    if let Some(path) = check.verdict_reads().iter().find(|path| can_be_absent(path))
        && !absent_seen
    {
        let what = format!("`{}` can be absent, and no example says what then", path.whole_fact());
        page.refuse(written, what, format!("add an example with `{}: absent`", path.fact));
    }
    examples
}

/// Reads one example and says whether a fact in it is absent.
fn read_one(
    written: &Spanned<Written>,
    group: &str,
    expected: Option<Expected>,
    kind: SubjectKind,
    vocabulary: Vocabulary<'_>,
    reads: &BTreeSet<FactPath>,
) -> Result<(Example, bool), Refusal> {
    let mut body = &written.value;
    let mut expected = expected;
    if group == "absent"
        && let (Some(expect), Some(with)) = (body.get("expect"), body.get("with"))
    {
        let word = expect.as_str().unwrap_or_default();
        let known = Expected::ALL.into_iter().find(|expected| expected.as_str() == word);
        expected = Some(known.ok_or_else(|| {
            let words = Expected::ALL.map(Expected::as_str).join(", ");
            Refusal::new(format!("`{}` is no outcome", crate::text::visible(word)), format!("one of {words}"))
        })?);
        body = with;
    }
    let fields = body
        .as_object()
        .filter(|object| object.len() == 1)
        .and_then(|object| object.get(kind.as_str()))
        .and_then(Written::as_object)
        .ok_or_else(|| Refusal::new("this is no example", format!("write `{{ {kind}: {{ name: …, … }} }}`")))?;

    let absent_values = facts::absent_values(kind);
    let mut name = "example".to_owned();
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut absent = false;
    let mut encoded: BTreeMap<&'static str, EncodedFact> = BTreeMap::new();
    for (key, value) in fields {
        if key == "name" {
            value.as_str().ok_or_else(|| Refusal::new("`name` is a text", ""))?.clone_into(&mut name);
            named.insert(key.clone());
            continue;
        }
        let Some(shape) = vocabulary.facts.iter().find(|shape| shape.name == key) else {
            // The vocabulary's own refusal names the nearest fact.
            let refusal = vocabulary.resolve(&[kind.as_str(), key]).err();
            return Err(refusal.unwrap_or_else(|| Refusal::new(format!("there is no fact `{kind}.{key}`"), "")));
        };
        absent |= value == "absent";
        let (value, read) = read_fact(shape, value, absent_values.get(shape.name), kind)?;
        named.extend(read);
        encoded.insert(shape.name, EncodedFact { value, evidence: Vec::new() });
    }
    for path in reads {
        let key = path.field.map_or_else(|| path.fact.to_owned(), |field| format!("{}.{field}", path.fact));
        if !named.contains(&key) && !named.contains(&format!("{}.*", path.fact)) {
            let help = "examples are whole: they name every value that the expressions and the message read";
            return Err(Refusal::new(format!("the example does not say what `{path}` is"), help));
        }
    }
    let subject = EncodedSubject { kind, name, facts: encoded };
    fully_built(reads, &subject)
        .map_err(|path| Refusal::new(format!("the example does not say what `{path}` is"), ""))?;
    Ok((Example { expected, subject, line: written.referenced.line() }, absent))
}

type KnownOrNot = Result<Value, NotObserved>;

/// Reads one fact of an example, with the paths that it gives: `dmarc.policy`, or `dmarc.*` for
/// a whole group.
fn read_fact(
    shape: &FactShape,
    written: &Written,
    absent: Option<&Value>,
    kind: SubjectKind,
) -> Result<(KnownOrNot, Vec<String>), Refusal> {
    let path = format!("{kind}.{}", shape.name);
    let whole = vec![match shape.shape {
        Shape::Group(_) => format!("{}.*", shape.name),
        Shape::Boolean | Shape::Integer | Shape::List | Shape::Text => shape.name.to_owned(),
    }];
    let with_state = |state: &str| match absent {
        Some(Value::Group(fields)) => {
            let mut fields = fields.clone();
            fields.insert("state".to_owned(), Value::Text(state.to_owned()));
            Some(Value::Group(fields))
        }
        Some(plain) => Some(plain.clone()),
        None => None,
    };
    match written.as_str() {
        Some("unknown") => {
            return Ok((Err(NotObserved::NotProvided { what: format!("{path}, in an example") }), whole));
        }
        Some(word @ ("absent" | "malformed")) => {
            let value = match (with_state(word), word) {
                (Some(value), _) => Ok(value),
                (None, "malformed") => Err(NotObserved::Unreadable { why: "in an example".to_owned(), line: None }),
                (None, _) => {
                    let help = "it declares no absent value; where nobody knows, write `unknown`";
                    return Err(Refusal::new(format!("`{path}` is never absent"), help));
                }
            };
            return Ok((value, whole));
        }
        Some(_) | None => {}
    }
    match shape.shape {
        Shape::Group(fields) => {
            let object = written.as_object().ok_or_else(|| {
                Refusal::new(
                    format!("`{path}` is a group"),
                    format!("write `{}: {{ field: value }}`, or `absent`, `malformed`, `unknown`", shape.name),
                )
            })?;
            let mut values = BTreeMap::from([("state".to_owned(), Value::Text("present".to_owned()))]);
            let mut named = vec![format!("{}.state", shape.name)];
            for (key, written) in object {
                let field = fields.iter().find(|field| field.name == key).ok_or_else(|| {
                    let known = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
                    Refusal::new(
                        format!("`{path}` has no field `{}`", crate::text::visible(key)),
                        format!("one of {known}"),
                    )
                })?;
                let kind = kind_of(field.shape).expect("fields of a group are never groups");
                values.insert(key.clone(), read_value(&format!("{path}.{key}"), kind, written)?);
                named.push(format!("{}.{key}", shape.name));
            }
            Ok((Ok(Value::Group(values)), named))
        }
        plain @ (Shape::Boolean | Shape::Integer | Shape::List | Shape::Text) => {
            let kind = kind_of(plain).expect("groups are above");
            // `{ is: unknown }` says the text itself where it is also one of the three words.
            let literal = written.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("is"));
            Ok((Ok(read_value(&path, kind, literal.unwrap_or(written))?), whole))
        }
    }
}

fn read_value(path: &str, kind: Kind, written: &Written) -> Result<Value, Refusal> {
    let value = match kind {
        Kind::Boolean => written.as_bool().map(Value::Boolean),
        Kind::Integer => written.as_i64().map(Value::Integer),
        Kind::Text => written.as_str().map(|text| Value::Text(text.to_owned())),
        Kind::List => written.as_array().and_then(|items| {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>().map(Value::List)
        }),
    };
    value.ok_or_else(|| {
        Refusal::new(format!("`{path}` is {}", kind.in_words()), "quote a text that looks like a number")
    })
}
