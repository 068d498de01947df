//! Which names an expression or a message may speak of: the facts of one subject kind, the
//! subject's name, and `limit.<name>`.

use std::collections::BTreeMap;

use crate::facts::shape::{EncodedSubject, FactShape, Shape, Value};
use crate::names::SubjectKind;
use crate::seen::NotObserved;

/// The field every group has beside its own.
pub(super) const STATE: &str = "state";
/// What it can be.
pub(super) const STATES: [&str; 3] = ["present", "absent", "malformed"];
/// The pseudo-fact that every subject has.
const NAME: &str = "name";

/// One value of a subject: a plain fact, a field of a group, or the subject's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactPath {
    pub kind: SubjectKind,
    /// The fact, or `name`.
    pub fact: &'static str,
    /// The field, for groups only.
    pub field: Option<&'static str>,
}

impl std::fmt::Display for FactPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.kind, self.fact)?;
        self.field.map_or(Ok(()), |field| write!(f, ".{field}"))
    }
}

impl FactPath {
    /// True for `<kind>.name`, which is always known.
    pub fn is_name(&self) -> bool {
        self.fact == NAME
    }

    /// The fact without its field: `domain.dmarc` of `domain.dmarc.policy`. Facts, not fields,
    /// are known or unknown.
    pub fn whole_fact(&self) -> String {
        format!("{}.{}", self.kind, self.fact)
    }

    /// What this path reads of `subject`.
    pub fn read<'s>(&self, subject: &'s EncodedSubject) -> Reading<'s> {
        if self.is_name() {
            return Reading::Name(&subject.name);
        }
        let Some(fact) = subject.facts.get(self.fact) else { return Reading::NoSuchFact };
        match (&fact.value, self.field) {
            (Err(reason), _) => Reading::Unknown(reason),
            (Ok(value), None) => Reading::Known(value),
            (Ok(Value::Group(fields)), Some(field)) => fields.get(field).map_or(Reading::NoSuchFact, Reading::Known),
            (Ok(Value::Boolean(_) | Value::Integer(_) | Value::List(_) | Value::Text(_)), Some(_)) => {
                Reading::NoSuchFact
            }
        }
    }
}

/// What a path reads of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading<'s> {
    Known(&'s Value),
    Name(&'s str),
    /// The subject was not built from the declared shape.
    NoSuchFact,
    Unknown(&'s NotObserved),
}

impl Reading<'_> {
    /// The value, if it is known.
    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Known(value) => Some((*value).clone()),
            Self::Name(name) => Some(Value::Text((*name).to_owned())),
            Self::NoSuchFact | Self::Unknown(_) => None,
        }
    }
}

/// The type of a value as expressions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Integer,
    /// A list of texts.
    List,
    Text,
}

impl Kind {
    /// The words for error messages.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number",
            Self::List => "a list of texts",
            Self::Text => "text",
        }
    }
}

/// Something that may not be said, and what to say instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub what: String,
    pub help: String,
}

impl Refusal {
    /// A refusal with help.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }
}

/// What a dotted name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    Fact(FactPath, Kind),
    /// `limit.<name>`.
    Limit(String),
}

/// All names that a check about one kind of subject may use.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary<'v> {
    pub kind: SubjectKind,
    pub facts: &'static [FactShape],
    /// Thresholds by name.
    pub limits: &'v BTreeMap<String, i64>,
}

impl Vocabulary<'_> {
    /// Resolves a dotted name such as `["domain", "dmarc", "policy"]`.
    pub fn resolve(&self, segments: &[&str]) -> Result<Named, Refusal> {
        let path = segments.join(".");
        let unknown = |what: String| Refusal::new(what, self.nearest(&path));
        match segments {
            ["limit", name] if self.limits.contains_key(*name) => Ok(Named::Limit((*name).to_owned())),
            ["limit", ..] => Err(unknown(format!("there is no threshold `{path}`"))),
            [first, ..] if *first != self.kind.as_str() => {
                let other = SubjectKind::ALL.iter().any(|kind| kind.as_str() == *first);
                Err(if other {
                    Refusal::new(
                        format!("a check about `{}` cannot read `{path}`", self.kind),
                        "one check judges one kind of subject; add a fact to it, or write a second check",
                    )
                } else {
                    unknown(format!("there is no fact `{path}`"))
                })
            }
            [_] => Err(Refusal::new(
                format!("`{path}` is a whole subject, not a value"),
                format!(
                    "name one of its facts, such as `{}.{}`",
                    self.kind,
                    self.facts.first().map_or(NAME, |f| f.name)
                ),
            )),
            [_, NAME] => Ok(Named::Fact(FactPath { kind: self.kind, fact: NAME, field: None }, Kind::Text)),
            [_, fact, rest @ ..] => {
                let fact = self
                    .facts
                    .iter()
                    .find(|shape| shape.name == *fact)
                    .ok_or_else(|| unknown(format!("there is no fact `{path}`")))?;
                self.resolve_in(fact, rest, &path)
            }
            [] => Err(unknown("an empty name stands for nothing".to_owned())),
        }
    }

    fn resolve_in(&self, fact: &FactShape, rest: &[&str], path: &str) -> Result<Named, Refusal> {
        let whole = |field, kind| Ok(Named::Fact(FactPath { kind: self.kind, fact: fact.name, field }, kind));
        match (fact.shape, rest) {
            (Shape::Boolean, []) => whole(None, Kind::Boolean),
            (Shape::Integer, []) => whole(None, Kind::Integer),
            (Shape::List, []) => whole(None, Kind::List),
            (Shape::Text, []) => whole(None, Kind::Text),
            (Shape::Group(fields), []) => Err(Refusal::new(
                format!("`{path}` is a group of facts, not a value"),
                format!(
                    "name one of its fields: {}, or `{path}.{STATE}`",
                    fields.iter().map(|field| format!("`{path}.{}`", field.name)).collect::<Vec<_>>().join(", ")
                ),
            )),
            (Shape::Group(_), [STATE]) => whole(Some(STATE), Kind::Text),
            (Shape::Group(fields), [field]) => {
                let field = fields
                    .iter()
                    .find(|shape| shape.name == *field)
                    .ok_or_else(|| Refusal::new(format!("there is no fact `{path}`"), self.nearest(path)))?;
                whole(Some(field.name), kind_of(field.shape).expect("fields of a group are never groups"))
            }
            (Shape::Boolean | Shape::Group(_) | Shape::Integer | Shape::List | Shape::Text, _) => {
                Err(Refusal::new(format!("there is no fact `{path}`"), self.nearest(path)))
            }
        }
    }

    /// Every name, in order.
    pub fn all(&self) -> Vec<String> {
        let mut names = vec![format!("{}.{NAME}", self.kind)];
        for fact in self.facts {
            match fact.shape {
                Shape::Boolean | Shape::Integer | Shape::List | Shape::Text => {
                    names.push(format!("{}.{}", self.kind, fact.name));
                }
                Shape::Group(fields) => {
                    let path = format!("{}.{}", self.kind, fact.name);
                    names.extend(fields.iter().map(|field| format!("{path}.{}", field.name)));
                    names.push(format!("{path}.{STATE}"));
                }
            }
        }
        names.extend(self.limits.keys().map(|name| format!("limit.{name}")));
        names.sort();
        names
    }

    /// Help that names the known path most like `wanted`.
    fn nearest(&self, wanted: &str) -> String {
        let nearest = self.all().into_iter().min_by_key(|known| (distance(known, wanted), known.clone()));
        match nearest {
            Some(known) if distance(&known, wanted) <= wanted.len().div_ceil(2) => format!("did you mean `{known}`?"),
            Some(_) | None => format!("the facts of `{}` are listed in docs/checks.md", self.kind),
        }
    }
}

/// The type of a plain shape; a group is no value.
pub fn kind_of(shape: Shape) -> Option<Kind> {
    match shape {
        Shape::Boolean => Some(Kind::Boolean),
        Shape::Group(_) => None,
        Shape::Integer => Some(Kind::Integer),
        Shape::List => Some(Kind::List),
        Shape::Text => Some(Kind::Text),
    }
}

/// Letters to insert, remove, replace or swap to get from one text to the other.
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(120).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = '\0';
    for (row, letter) in one.chars().take(120).enumerate() {
        let mut current = vec![row + 1];
        for (column, &second) in other.iter().enumerate() {
            let mut best =
                (last[column] + usize::from(letter != second)).min(last[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && letter == other[column - 1] && previous == second {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        previous = letter;
        before_last = std::mem::replace(&mut last, current);
    }
    last[other.len()]
}
