//! What an expression may say. Each rule here closes a way in which something not known could
//! become a verdict, or in which a slip of the pen could go unnoticed.
//!
//! Refused: names that are no facts, values of the wrong type, groups as values, walks over lists
//! that may be empty, comparisons of two constants. What the tree cannot even hold (`has()`,
//! indexing, `?:`, arithmetic, functions) was already refused on the way in.

use std::collections::BTreeSet;

use super::expression::Fault;
use super::paths::{FactPath, Kind, Named, Refusal, STATE, STATES, Vocabulary};

/// A node and the byte of the expression where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub at: usize,
    pub node: Node,
}

/// An expression as our rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    And(Vec<Placed>),
    Compare(Comparison, Box<Placed>, Box<Placed>),
    Constant(Constant),
    In(Box<Placed>, Box<Placed>),
    List(Vec<Placed>),
    Name(Vec<String>),
    Not(Box<Placed>),
    Or(Vec<Placed>),
    Refused(Refusal),
    Size(Box<Placed>),
    Walk { quantifier: Quantifier, list: Box<Placed>, variable: String, body: Box<Placed> },
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constant {
    Boolean,
    Integer(i64),
    Text(String),
}

impl Constant {
    const fn kind(&self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Integer(_) => Kind::Integer,
            Self::Text(_) => Kind::Text,
        }
    }
}

/// How a list is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    All,
    Exists,
}

impl Quantifier {
    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
        }
    }
}

/// What an allowed expression reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub reads: BTreeSet<FactPath>,
    pub limits: BTreeSet<String>,
    /// The texts that text facts are compared with.
    pub words: BTreeSet<(FactPath, String)>,
}

/// Checks a whole expression: it must be true or false.
pub fn check(root: &Placed, vocabulary: Vocabulary<'_>) -> Result<Known, Fault> {
    let mut walker = Walker { vocabulary, known: Known::default(), variable: None };
    walker.boolean(root, &[])?;
    Ok(walker.known)
}

struct Walker<'v> {
    vocabulary: Vocabulary<'v>,
    known: Known,
    /// The loop variable in scope; walks are not nested.
    variable: Option<String>,
}

impl Walker<'_> {
    /// Demands a condition. `guards` are the lists known to be non-empty where it stands.
    fn boolean(&mut self, placed: &Placed, guards: &[&[String]]) -> Result<(), Fault> {
        match &placed.node {
            Node::And(_) => {
                let sides = flattened(placed);
                let mut guards = guards.to_vec();
                guards.extend(sides.iter().filter_map(|side| non_empty_guard(side)));
                sides.iter().try_for_each(|side| self.boolean(side, &guards))
            }
            // What one side of `||` demands does not hold on the other; what stands before both does.
            Node::Or(sides) => sides.iter().try_for_each(|side| self.boolean(side, guards)),
            Node::Not(of) => self.boolean(of, guards),
            Node::Compare(comparison, left, right) => self.comparison(*comparison, placed.at, left, right),
            Node::In(item, list) => self.membership(item, list),
            Node::Walk { quantifier, list, variable, body } => self.walk(*quantifier, list, variable, body, guards),
            Node::Constant(_) | Node::List(_) | Node::Name(_) | Node::Size(_) | Node::Refused(_) => {
                match self.value(placed)? {
                    Kind::Boolean => Ok(()),
                    kind @ (Kind::Integer | Kind::List | Kind::Text) => Err(fault(
                        placed.at,
                        format!("this is {}, where a condition is expected", kind.in_words()),
                        "compare it with something",
                    )),
                }
            }
        }
    }

    fn comparison(&mut self, comparison: Comparison, at: usize, left: &Placed, right: &Placed) -> Result<(), Fault> {
        let (left_kind, right_kind) = (self.value(left)?, self.value(right)?);
        if matches!((&left.node, &right.node), (Node::Constant(_), Node::Constant(_))) {
            return Err(fault(at, "two constants are compared", "one side must be a fact"));
        }
        if left_kind != right_kind {
            return Err(fault(
                right.at,
                format!("{} is compared with {}", left_kind.in_words(), right_kind.in_words()),
                format!("both sides must be of one type; the left side is {}", left_kind.in_words()),
            ));
        }
        self.word(left, right)?;
        self.word(right, left)?;
        let equality = match comparison {
            Comparison::Equal | Comparison::NotEqual => true,
            Comparison::Greater | Comparison::GreaterOrEqual | Comparison::Less | Comparison::LessOrEqual => false,
        };
        match left_kind {
            Kind::Integer => Ok(()),
            Kind::Boolean | Kind::Text if equality => Ok(()),
            Kind::Boolean | Kind::Text => {
                Err(fault(at, format!("{} has no order", left_kind.in_words()), "use `==`, `!=` or `in`"))
            }
            Kind::List => {
                Err(fault(at, "lists are not compared", "count one with `size(list)`, or ask with `\"x\" in list`"))
            }
        }
    }

    /// Notes that a text fact is compared with a text. A state has three words and no others.
    fn word(&mut self, fact: &Placed, constant: &Placed) -> Result<(), Fault> {
        let (Node::Name(name), Node::Constant(Constant::Text(word))) = (&fact.node, &constant.node) else {
            return Ok(());
        };
        let segments: Vec<&str> = name.iter().map(String::as_str).collect();
        let Ok(Named::Fact(path, Kind::Text)) = self.vocabulary.resolve(&segments) else { return Ok(()) };
        if path.field == Some(STATE) && !STATES.contains(&word.as_str()) {
            let help =
                format!("a state is one of {}; what is unknown is never seen by an expression", STATES.join(", "));
            return Err(fault(constant.at, format!("`{path}` is never `{word}`"), help));
        }
        self.known.words.insert((path, word.clone()));
        Ok(())
    }

    fn membership(&mut self, item: &Placed, list: &Placed) -> Result<(), Fault> {
        let kind = self.value(item)?;
        match &list.node {
            Node::List(elements) if elements.is_empty() => {
                Err(fault(list.at, "nothing is in an empty list", "name the values that are meant"))
            }
            Node::List(elements) => elements.iter().try_for_each(|element| match &element.node {
                Node::Constant(constant) if constant.kind() == kind => self.word(item, element),
                Node::Constant(constant) => Err(fault(
                    element.at,
                    format!("{} is looked for among {}", kind.in_words(), constant.kind().in_words()),
                    "the values of the list must be of the type on the left",
                )),
                _ => Err(fault(element.at, "only constants may stand in a list", "")),
            }),
            _ => match (kind, self.value(list)?) {
                (Kind::Text, Kind::List) => Ok(()),
                (_, Kind::List) => Err(fault(item.at, "only text can be in a list of texts", "")),
                (_, other) => Err(fault(
                    list.at,
                    format!("`in` needs a list on its right; this is {}", other.in_words()),
                    "compare with `==`",
                )),
            },
        }
    }

    fn walk(
        &mut self,
        quantifier: Quantifier,
        list: &Placed,
        variable: &str,
        body: &Placed,
        guards: &[&[String]],
    ) -> Result<(), Fault> {
        if self.variable.is_some() {
            return Err(fault(list.at, "walks over lists are not nested", "compute it as a fact"));
        }
        let Node::Name(name) = &list.node else {
            return Err(fault(list.at, "only a list fact can be walked", ""));
        };
        if self.value(list)? != Kind::List {
            return Err(fault(list.at, format!("`{}` is not a list", name.join(".")), ""));
        }
        if !guards.contains(&name.as_slice()) {
            let path = name.join(".");
            return Err(fault(
                list.at,
                format!("`{path}.{}(…)` also holds for an empty list", quantifier.as_str()),
                format!("put `size({path}) > 0 &&` before it, in the same conjunction"),
            ));
        }
        if variable == "limit" || variable == self.vocabulary.kind.as_str() {
            return Err(fault(list.at, format!("`{variable}` already has a meaning"), "choose another variable"));
        }
        self.variable = Some(variable.to_owned());
        let result = self.boolean(body, &[]);
        self.variable = None;
        result
    }

    /// The type of a value.
    fn value(&mut self, placed: &Placed) -> Result<Kind, Fault> {
        match &placed.node {
            Node::Constant(constant) => Ok(constant.kind()),
            Node::Name(name) if name.len() == 1 && self.variable.as_deref() == Some(name[0].as_str()) => Ok(Kind::Text),
            Node::Name(name) => {
                let segments: Vec<&str> = name.iter().map(String::as_str).collect();
                match self.vocabulary.resolve(&segments).map_err(|refusal| Fault { at: placed.at, refusal })? {
                    Named::Fact(path, kind) => {
                        self.known.reads.insert(path);
                        Ok(kind)
                    }
                    Named::Limit(name) => {
                        self.known.limits.insert(name);
                        Ok(Kind::Integer)
                    }
                }
            }
            Node::Size(list) => match self.value(list)? {
                Kind::List => Ok(Kind::Integer),
                kind @ (Kind::Boolean | Kind::Integer | Kind::Text) => {
                    Err(fault(list.at, format!("`size` counts lists; this is {}", kind.in_words()), ""))
                }
            },
            Node::Refused(refusal) => Err(Fault { at: placed.at, refusal: refusal.clone() }),
            Node::List(_) => Err(fault(placed.at, "a written list may only stand on the right of `in`", "")),
            Node::And(_) | Node::Compare(..) | Node::In(..) | Node::Not(_) | Node::Or(_) | Node::Walk { .. } => {
                self.boolean(placed, &[])?;
                Ok(Kind::Boolean)
            }
        }
    }
}

/// The sides of a conjunction, however its brackets lie.
fn flattened(placed: &Placed) -> Vec<&Placed> {
    match &placed.node {
        Node::And(sides) => sides.iter().flat_map(flattened).collect(),
        _ => vec![placed],
    }
}

/// The list in `size(list) > 0` and its like.
fn non_empty_guard(placed: &Placed) -> Option<&[String]> {
    let Node::Compare(comparison, left, right) = &placed.node else { return None };
    let (Node::Size(list), Node::Constant(Constant::Integer(number))) = (&left.node, &right.node) else { return None };
    let demands_one = match comparison {
        Comparison::Greater => *number >= 0,
        Comparison::GreaterOrEqual => *number >= 1,
        Comparison::NotEqual => *number == 0,
        Comparison::Equal => *number >= 1,
        Comparison::Less | Comparison::LessOrEqual => false,
    };
    match &list.node {
        Node::Name(name) if demands_one => Some(name),
        _ => None,
    }
}

fn fault(at: usize, what: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault { at, refusal: Refusal::new(what, help) }
}
