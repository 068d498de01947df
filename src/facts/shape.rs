//! The shape of facts: declared once in Rust, used to check expressions, to bind them, and to
//! write the reference.
//!
//! A subject is a struct of [`Fact`]s made by [`subject!`]; a fact with several fields is a group
//! made by [`fact_group!`]. Each field of a group declares its absent value beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::evidence::EvidenceId;
use crate::names::SubjectKind;
use crate::seen::{NotObserved, Seen};

/// A value that an expression can read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Text(String),
    List(Vec<String>),
    Group(BTreeMap<String, Value>),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Boolean,
    /// A group; its fields are never groups themselves.
    Group(&'static [FieldShape]),
    Integer,
    /// A list of texts. `complete` lists may be counted and walked in expressions.
    List,
    Text,
}

/// One field of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldShape {
    pub name: &'static str,
    pub shape: Shape,
    pub doc: &'static str,
}

/// One fact of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactShape {
    pub name: &'static str,
    pub shape: Shape,
    /// Whether `absent` is a state this fact can be in.
    pub can_be_absent: bool,
    pub doc: &'static str,
}

/// What Rust types can be facts.
pub trait Encode {
    const SHAPE: Shape;
    fn encode(&self) -> Value;
}

impl Encode for bool {
    const SHAPE: Shape = Shape::Boolean;
    fn encode(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Encode for i64 {
    const SHAPE: Shape = Shape::Integer;
    fn encode(&self) -> Value {
        Value::Integer(*self)
    }
}

impl Encode for String {
    const SHAPE: Shape = Shape::Text;
    fn encode(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Encode for Vec<String> {
    const SHAPE: Shape = Shape::List;
    fn encode(&self) -> Value {
        Value::List(self.clone())
    }
}

/// One thing known of a subject, with the observations it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact<T> {
    pub seen: Seen<T>,
    pub evidence: Vec<EvidenceId>,
}

impl<T> Fact<T> {
    /// A fact that rests on `evidence`.
    pub fn new(seen: Seen<T>, evidence: Vec<EvidenceId>) -> Self {
        Self { seen, evidence }
    }

    /// A present fact.
    pub fn present(value: T, evidence: Vec<EvidenceId>) -> Self {
        Self { seen: Seen::Present(value), evidence }
    }

    /// A fact nobody could find out.
    pub fn unknown(because: NotObserved) -> Self {
        Self { seen: Seen::Unknown(because), evidence: Vec::new() }
    }
}

/// One fact made ready for expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFact {
    /// The value, or why there is none. Groups carry `state` beside their fields.
    pub value: Result<Value, NotObserved>,
    pub evidence: Vec<EvidenceId>,
}

/// One subject made ready for expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedSubject {
    pub kind: SubjectKind,
    pub name: String,
    /// By fact name; every fact of the kind is here.
    pub facts: BTreeMap<&'static str, EncodedFact>,
}

/// A kind of subject: its shape, and how one is encoded.
pub trait Subject {
    const KIND: SubjectKind;
    const FACTS: &'static [FactShape];
    fn encode_subject(&self) -> EncodedSubject;
    /// The declared absent value of each fact that can be absent, without `state`.
    fn absent_values() -> BTreeMap<&'static str, Value>;
}

/// Encodes one fact. `absent` is the declared absent value; without one, absence and malformed
/// text are things we did not find out.
pub fn encode_fact<T: Encode>(path: &str, fact: &Fact<T>, absent: Option<T>) -> EncodedFact {
    let with_state = |value: &T, state: &str| match value.encode() {
        Value::Group(mut fields) => {
            fields.insert("state".to_owned(), Value::Text(state.to_owned()));
            Value::Group(fields)
        }
        plain @ (Value::Boolean(_) | Value::Integer(_) | Value::Text(_) | Value::List(_)) => plain,
    };
    let value = match (&fact.seen, absent) {
        (Seen::Present(value), _) => Ok(with_state(value, "present")),
        (Seen::Absent, Some(absent)) => Ok(with_state(&absent, "absent")),
        (Seen::Malformed(_), Some(absent)) => Ok(with_state(&absent, "malformed")),
        (Seen::Absent, None) => Err(NotObserved::NotProvided { what: path.to_owned() }),
        (Seen::Malformed(malformed), None) => {
            Err(NotObserved::Unreadable { why: format!("{} ({})", malformed.why, malformed.rule), line: None })
        }
        (Seen::Unknown(reason), _) => Err(reason.clone()),
    };
    EncodedFact { value, evidence: fact.evidence.clone() }
}

/// Declares a group of fields that are known or absent together.
macro_rules! fact_group {
    ($(#[doc = $group_doc:literal])* pub struct $group:ident {
        $($(#[doc = $doc:literal])+ $field:ident : $type:ty = $absent:expr,)+
    }) => {
        $(#[doc = $group_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $group { $($(#[doc = $doc])+ pub $field: $type,)+ }

        impl $group {
            /// The declared absent values.
            pub fn absent() -> Self {
                Self { $($field: $absent,)+ }
            }
        }

        impl $crate::facts::shape::Encode for $group {
            const SHAPE: $crate::facts::shape::Shape = $crate::facts::shape::Shape::Group(&[
                $($crate::facts::shape::FieldShape {
                    name: stringify!($field),
                    shape: <$type as $crate::facts::shape::Encode>::SHAPE,
                    doc: concat!($($doc),+),
                },)+
            ]);
            fn encode(&self) -> $crate::facts::shape::Value {
                $crate::facts::shape::Value::Group(std::collections::BTreeMap::from([
                    $((stringify!($field).to_owned(), $crate::facts::shape::Encode::encode(&self.$field)),)+
                ]))
            }
        }
    };
}
pub(crate) use fact_group;

/// Declares a kind of subject. A fact with `= value` can be absent, and this is its absent value.
macro_rules! subject {
    ($(#[doc = $subject_doc:literal])* pub struct $subject:ident is $kind:ident {
        $($(#[doc = $doc:literal])+ $fact:ident : $type:ty $(= $absent:expr)?,)+
    }) => {
        $(#[doc = $subject_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $subject {
            /// The canonical name, always known.
            pub name: String,
            $($(#[doc = $doc])+ pub $fact: $crate::facts::shape::Fact<$type>,)+
        }

        impl $crate::facts::shape::Subject for $subject {
            const KIND: $crate::names::SubjectKind = $crate::names::SubjectKind::$kind;
            const FACTS: &'static [$crate::facts::shape::FactShape] = &[
                $($crate::facts::shape::FactShape {
                    name: stringify!($fact),
                    shape: <$type as $crate::facts::shape::Encode>::SHAPE,
                    can_be_absent: $crate::facts::shape::subject!(@has $($absent)?),
                    doc: concat!($($doc),+),
                },)+
            ];
            fn encode_subject(&self) -> $crate::facts::shape::EncodedSubject {
                $crate::facts::shape::EncodedSubject {
                    kind: Self::KIND,
                    name: self.name.clone(),
                    facts: std::collections::BTreeMap::from([
                        $((stringify!($fact), $crate::facts::shape::encode_fact(
                            concat!(stringify!($fact)),
                            &self.$fact,
                            $crate::facts::shape::subject!(@option $($absent)?),
                        )),)+
                    ]),
                }
            }
            fn absent_values() -> std::collections::BTreeMap<&'static str, $crate::facts::shape::Value> {
                let absent = [
                    $($crate::facts::shape::subject!(@encoded $type $(, $absent)?)
                        .map(|value| (stringify!($fact), value)),)+
                ];
                absent.into_iter().flatten().collect()
            }
        }
    };
    (@encoded $type:ty) => { None };
    (@encoded $type:ty, $absent:expr) => { Some(<$type as $crate::facts::shape::Encode>::encode(&$absent)) };
    (@has) => { false };
    (@has $absent:expr) => { true };
    (@option) => { None };
    (@option $absent:expr) => { Some($absent) };
}
pub(crate) use subject;

#[cfg(test)]
mod tests {
    use super::*;

    fact_group! {
        /// A record.
        pub struct Record {
            /// The policy.
            policy: String = "none".to_owned(),
            /// The count.
            count: i64 = 0,
        }
    }

    subject! {
        /// A thing.
        pub struct Thing is Domain {
            /// Whether it exists.
            exists: bool,
            /// Its record.
            record: Record = Record::absent(),
        }
    }

    fn thing(record: Seen<Record>) -> EncodedSubject {
        Thing {
            name: "a.example".to_owned(),
            exists: Fact::present(true, Vec::new()),
            record: Fact::new(record, Vec::new()),
        }
        .encode_subject()
    }

    #[test]
    fn an_absent_group_carries_its_absent_values_and_says_so() {
        let encoded = thing(Seen::Absent);
        let Ok(Value::Group(fields)) = &encoded.facts["record"].value else { panic!("a group") };
        assert_eq!(fields["policy"], Value::Text("none".to_owned()));
        assert_eq!(fields["state"], Value::Text("absent".to_owned()));
    }

    #[test]
    fn an_unknown_fact_has_a_reason_and_no_value() {
        let encoded = thing(Seen::Unknown(NotObserved::TimedOut { after_ms: 10 }));
        assert_eq!(encoded.facts["record"].value, Err(NotObserved::TimedOut { after_ms: 10 }));
        assert_eq!(Thing::FACTS[1].name, "record");
        assert!(Thing::FACTS[1].can_be_absent && !Thing::FACTS[0].can_be_absent);
    }
}
