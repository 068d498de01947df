//! Compiles and evaluates the expressions of checks. The only file that names the `cel` crate.
//!
//! The language is the Common Expression Language, cut down to what cannot turn ignorance into a
//! verdict: see [`super::rules`]. Facts that are not known are left out of what an expression
//! sees, so reading one is an error that becomes [`Truth::Unknown`]; `false && unknown` is false
//! and `true || unknown` is true, as in three-valued logic.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use cel::parser::Parser;
use cel::{Context, Env, ExecutionError};

use super::paths::{FactPath, Reading, Refusal, Vocabulary};
use super::rules::{self, Comparison, Constant, Node, Placed, Quantifier};
use crate::facts::shape::{EncodedSubject, Value};

/// Longer expressions are a sign of a missing fact.
const LONGEST: usize = 400;
/// Brackets may be nested this deep before the text is even parsed.
const DEEPEST_BRACKETS: usize = 12;

/// A fault in an expression, at a byte of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub refusal: Refusal,
}

/// What an expression says of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    False,
    True,
    /// It depends on facts that are not known: these.
    Unknown(BTreeSet<FactPath>),
}

/// An expression that was checked against the facts of its subject kind.
#[derive(Clone)]
pub struct Expression {
    text: String,
    root: Arc<IdedExpr>,
    reads: BTreeSet<FactPath>,
    /// By name, only those it uses.
    limits: BTreeMap<String, i64>,
    words: BTreeSet<(FactPath, String)>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expression({})", self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.reads == other.reads && self.limits == other.limits
    }
}

impl Eq for Expression {}

impl Expression {
    /// Compiles `text`, or says what is wrong with it and where.
    pub fn compile(text: &str, vocabulary: Vocabulary<'_>) -> Result<Self, Fault> {
        before_parsing(text)?;
        let parsed = std::panic::catch_unwind(|| {
            Parser::new().max_recursion_depth(64).error_recovery_limit(1).parse_with_source_info(text)
        });
        let (root, source) = match parsed {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(errors)) => return Err(in_our_words(text, &errors)),
            Err(_) => return Err(fault(0, "the expression cannot be read", "write it in smaller steps")),
        };
        let known = rules::check(&convert(&root, &source), vocabulary)?;
        let limits = known.limits.into_iter().map(|name| (name.clone(), vocabulary.limits[&name])).collect();
        Ok(Self { text: text.to_owned(), root: Arc::new(root), reads: known.reads, limits, words: known.words })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every value of the subject that it reads.
    pub fn reads(&self) -> &BTreeSet<FactPath> {
        &self.reads
    }

    /// The thresholds it compares with.
    pub fn limits(&self) -> impl Iterator<Item = &str> {
        self.limits.keys().map(String::as_str)
    }

    /// The texts that it compares text facts with.
    pub fn words(&self) -> &BTreeSet<(FactPath, String)> {
        &self.words
    }

    /// True when it reads nothing: `true`.
    pub fn is_constant(&self) -> bool {
        self.reads.is_empty()
    }

    /// Evaluates it for one subject. An error is a fault of the check, never of the subject.
    pub fn evaluate(&self, subject: &EncodedSubject) -> Result<Truth, String> {
        let mut unknown = BTreeSet::new();
        let context = self.bind(subject, &mut unknown)?;
        match truth(&self.root, &context) {
            Ok(true) => Ok(Truth::True),
            Ok(false) => Ok(Truth::False),
            Err(ExecutionError::NoSuchKey(_)) if !unknown.is_empty() => {
                let mut missing = BTreeSet::new();
                self.missing(&self.root, &context, &unknown, &mut missing);
                Ok(Truth::Unknown(if missing.is_empty() { unknown } else { missing }))
            }
            Err(error) => Err(format!("`{}`: {error}", self.text)),
        }
    }

    /// Binds the known values that the expression reads; the others are collected in `unknown`.
    fn bind(
        &self,
        subject: &EncodedSubject,
        unknown: &mut BTreeSet<FactPath>,
    ) -> Result<Context<'static, 'static>, String> {
        let mut facts: HashMap<String, cel::Value> = HashMap::new();
        let mut groups: BTreeMap<&str, HashMap<String, cel::Value>> = BTreeMap::new();
        for path in &self.reads {
            let value = match path.read(subject) {
                Reading::Known(value) => to_cel(value),
                Reading::Name(name) => cel::Value::from(name),
                Reading::NoSuchFact => {
                    return Err(format!("`{path}` is missing from {} {}", subject.kind, subject.name));
                }
                Reading::Unknown(_) => {
                    unknown.insert(*path);
                    continue;
                }
            };
            match path.field {
                Some(field) => _ = groups.entry(path.fact).or_default().insert(field.to_owned(), value),
                None => _ = facts.insert(path.fact.to_owned(), value),
            }
        }
        facts.extend(groups.into_iter().map(|(name, fields)| (name.to_owned(), fields.into())));
        static STANDARD: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
        let mut context = Context::with_env(Arc::clone(&STANDARD));
        context.add_variable_from_value(subject.kind.as_str(), facts);
        let limits: HashMap<String, i64> = self.limits.clone().into_iter().collect();
        context.add_variable_from_value("limit", limits);
        Ok(context)
    }

    /// Collects the unknown facts that keep `expression` from having a value. A side whose value
    /// is known keeps nothing back.
    fn missing(
        &self,
        expression: &IdedExpr,
        context: &Context<'_, '_>,
        unknown: &BTreeSet<FactPath>,
        into: &mut BTreeSet<FactPath>,
    ) {
        if truth(expression, context).is_ok() {
            return;
        }
        match &expression.expr {
            Expr::Call(call)
                if matches!(
                    call.func_name.as_str(),
                    operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT
                ) =>
            {
                for side in &call.args {
                    self.missing(side, context, unknown, into);
                }
            }
            _ => {
                let mut names = Vec::new();
                names_in(expression, &mut names);
                into.extend(
                    unknown
                        .iter()
                        .filter(|path| names.iter().any(|name| name.get(1).is_some_and(|fact| *fact == path.fact))),
                );
            }
        }
    }
}

fn truth(expression: &IdedExpr, context: &Context<'_, '_>) -> Result<bool, ExecutionError> {
    match cel::Value::resolve(expression, context)? {
        cel::Value::Bool(value) => Ok(value),
        other => Err(ExecutionError::InternalError(format!("{:?} where true or false was expected", other.type_of()))),
    }
}

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Boolean(value) => cel::Value::Bool(*value),
        Value::Integer(value) => cel::Value::Int(*value),
        Value::Text(value) => cel::Value::from(value.as_str()),
        Value::List(items) => cel::Value::from(items.iter().map(String::as_str).collect::<Vec<_>>()),
        Value::Group(fields) => {
            let fields: HashMap<String, cel::Value> =
                fields.iter().map(|(name, value)| (name.clone(), to_cel(value))).collect();
            fields.into()
        }
    }
}

fn fault(at: usize, what: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault { at, refusal: Refusal::new(what, help) }
}

/// Bounds the text before a parser sees it.
fn before_parsing(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(fault(0, "the expression is empty", "write `true` where a check applies to every subject"));
    }
    if text.len() > LONGEST {
        let what = format!("the expression has {} characters; at most {LONGEST} are allowed", text.len());
        return Err(fault(0, what, "compute part of it as a fact"));
    }
    if let Some((at, _)) =
        text.char_indices().find(|(_, c)| !c.is_ascii() || (c.is_ascii_control() && !c.is_ascii_whitespace()))
    {
        return Err(fault(at, "only printable ASCII characters may stand in an expression", ""));
    }
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST_BRACKETS {
            return Err(fault(at, "the expression is nested too deeply", "compute part of it as a fact"));
        }
    }
    Ok(())
}

/// The parser speaks of tokens and grammars; a reader needs the place and the word.
fn in_our_words(text: &str, errors: &cel::ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else { return fault(0, "the expression cannot be read", "") };
    let line = usize::try_from(first.pos.0).unwrap_or(0);
    let column = usize::try_from(first.pos.1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = (before + column.saturating_sub(1)).min(text.len());
    let word: String = text.get(at..).unwrap_or_default().chars().take_while(|c| !c.is_whitespace()).take(20).collect();
    let what = if word.is_empty() {
        "the expression ends too early".to_owned()
    } else if first.msg.contains("has()") {
        "`has()` is not allowed".to_owned()
    } else {
        format!("the expression cannot be read from `{word}` on")
    };
    fault(at, what, "expressions are written in CEL: `a == \"x\" && b in [\"y\", \"z\"]`")
}

/// Turns the parser's tree into ours, in which what we do not allow is one kind of node.
fn convert(expression: &IdedExpr, source: &SourceInfo) -> Placed {
    let at = leftmost(expression, source);
    let one = |expression: &IdedExpr| Box::new(convert(expression, source));
    let refused = |what: &str, help: &str| Node::Refused(Refusal::new(what, help));
    let node = match &expression.expr {
        Expr::Call(call) if call.target.is_some() => refused(
            &format!("`.{}()` is not allowed", call.func_name),
            "expressions never take text apart; if this is needed, a fact is missing (lists are counted with `size(list)`)",
        ),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, sides) => Node::And(sides.iter().map(|side| convert(side, source)).collect()),
            (operators::LOGICAL_OR, sides) => Node::Or(sides.iter().map(|side| convert(side, source)).collect()),
            (operators::LOGICAL_NOT, [of]) => Node::Not(one(of)),
            (operators::IN, [item, list]) => Node::In(one(item), one(list)),
            ("size", [list]) => Node::Size(one(list)),
            (operators::NEGATE, [of]) => match &of.expr {
                Expr::Literal(LiteralValue::Int(number)) => {
                    Node::Constant(Constant::Integer(number.inner().saturating_neg()))
                }
                _ => refused("only a number may be negative", ""),
            },
            (operators::CONDITIONAL, _) => refused("`?:` is not allowed", "say it with `&&` and `||`"),
            (operators::INDEX | operators::OPT_INDEX, _) => {
                refused("indexing with `[…]` is not allowed", "name the fact, or ask with `in`")
            }
            (name, [left, right]) if comparison(name).is_some() => {
                let comparison = comparison(name).expect("just seen to be one");
                Node::Compare(comparison, one(left), one(right))
            }
            (name, _) if name.starts_with('_') || name.starts_with('-') => {
                refused("arithmetic is not allowed", "compute it as a fact, or name a threshold")
            }
            (name, _) => refused(&format!("there is no function `{name}()`"), "the only function is `size(list)`"),
        },
        Expr::Comprehension(walk) => convert_walk(walk, source),
        Expr::Ident(name) => Node::Name(vec![name.clone()]),
        Expr::Select(select) if select.test => {
            refused("`has()` is not allowed", "a fact that is not known must make the check not assessed")
        }
        Expr::Select(select) => match name_of(select) {
            Some(name) => Node::Name(name),
            None => refused("only facts have fields", "write the whole path, such as `domain.dmarc.policy`"),
        },
        Expr::List(list) => Node::List(list.elements.iter().map(|element| convert(element, source)).collect()),
        Expr::Literal(LiteralValue::Boolean(_)) => Node::Constant(Constant::Boolean),
        Expr::Literal(LiteralValue::Int(number)) => Node::Constant(Constant::Integer(*number.inner())),
        Expr::Literal(LiteralValue::String(text)) => Node::Constant(Constant::Text(text.inner().to_owned())),
        Expr::Literal(
            LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::Null | LiteralValue::UInt(_),
        ) => refused("only texts, whole numbers, true and false may be compared with", ""),
        Expr::Map(_) | Expr::Struct(_) => refused("a map is not allowed", "compare with a list: `x in [\"a\", \"b\"]`"),
        Expr::Unspecified => refused("the expression cannot be read", ""),
    };
    Placed { at, node }
}

/// `list.all(x, …)` and `list.exists(x, …)` come expanded; anything else that walks is refused.
fn convert_walk(walk: &ComprehensionExpr, source: &SourceInfo) -> Node {
    let step = match &walk.loop_step.expr {
        Expr::Call(call) if call.target.is_none() => match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [accumulated, body]) => Some((Quantifier::All, accumulated, body)),
            (operators::LOGICAL_OR, [accumulated, body]) => Some((Quantifier::Exists, accumulated, body)),
            _ => None,
        },
        _ => None,
    };
    let accumulates = |expression: &IdedExpr| matches!(&expression.expr, Expr::Ident(name) if *name == walk.accu_var);
    match step {
        Some((quantifier, accumulated, body)) if accumulates(accumulated) && accumulates(&walk.result) => Node::Walk {
            quantifier,
            list: Box::new(convert(&walk.iter_range, source)),
            variable: walk.iter_var.clone(),
            body: Box::new(convert(body, source)),
        },
        _ => Node::Refused(Refusal::new(
            "only `all` and `exists` may walk a list",
            "`map`, `filter` and `exists_one` are not allowed; if they are needed, a fact is missing",
        )),
    }
}

fn comparison(function: &str) -> Option<Comparison> {
    match function {
        operators::EQUALS => Some(Comparison::Equal),
        operators::NOT_EQUALS => Some(Comparison::NotEqual),
        operators::GREATER => Some(Comparison::Greater),
        operators::GREATER_EQUALS => Some(Comparison::GreaterOrEqual),
        operators::LESS => Some(Comparison::Less),
        operators::LESS_EQUALS => Some(Comparison::LessOrEqual),
        _ => None,
    }
}

/// The segments of `a.b.c`.
fn name_of(select: &SelectExpr) -> Option<Vec<String>> {
    let mut name = match &select.operand.expr {
        Expr::Ident(first) => vec![first.clone()],
        Expr::Select(inner) if !inner.test => name_of(inner)?,
        _ => return None,
    };
    name.push(select.field.clone());
    Some(name)
}

/// Every dotted name in `expression`.
fn names_in(expression: &IdedExpr, into: &mut Vec<Vec<String>>) {
    match &expression.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).for_each(|part| names_in(part, into)),
        Expr::Comprehension(walk) => {
            names_in(&walk.iter_range, into);
            names_in(&walk.loop_step, into);
        }
        Expr::List(list) => list.elements.iter().for_each(|element| names_in(element, into)),
        Expr::Select(select) => into.extend(name_of(select)),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {}
    }
}

/// The byte where `expression` begins. The parser places an operator at its sign.
fn leftmost(expression: &IdedExpr, source: &SourceInfo) -> usize {
    let own = source.offset_for(expression.id).map_or(usize::MAX, |(start, _)| start as usize);
    let inner = match &expression.expr {
        Expr::Select(select) => leftmost(&select.operand, source),
        Expr::Comprehension(walk) => leftmost(&walk.iter_range, source),
        Expr::Call(call) => {
            call.target.as_deref().into_iter().chain(&call.args).map(|part| leftmost(part, source)).min().unwrap_or(own)
        }
        Expr::Ident(_) | Expr::List(_) | Expr::Literal(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => own,
    };
    own.min(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{domain, unknown_domain};
    use crate::facts;
    use crate::names::SubjectKind;
    use proptest::prelude::*;

    fn compile(text: &str) -> Result<Expression, Fault> {
        let limits = BTreeMap::from([("spf_lookups".to_owned(), 10)]);
        let facts = facts::shapes()[&SubjectKind::Domain];
        Expression::compile(text, Vocabulary { kind: SubjectKind::Domain, facts, limits: &limits })
    }

    fn what(text: &str) -> String {
        match compile(text) {
            Ok(expression) => panic!("{expression:?} was allowed"),
            Err(fault) => format!("{}: {} ({})", fault.at, fault.refusal.what, fault.refusal.help),
        }
    }

    fn evaluate(text: &str, subject: &EncodedSubject) -> Truth {
        compile(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).evaluate(subject).unwrap()
    }

    fn missing(text: &str, subject: &EncodedSubject) -> Vec<String> {
        match evaluate(text, subject) {
            Truth::Unknown(paths) => paths.iter().map(ToString::to_string).collect(),
            truth @ (Truth::False | Truth::True) => panic!("{text} is {truth:?}"),
        }
    }

    #[test]
    fn facts_are_read_compared_and_counted() {
        let subject = domain();
        for text in [
            "domain.exists",
            "domain.name == \"a.example\"",
            "domain.dmarc.policy in [\"quarantine\", \"reject\"] && !domain.dmarc.testing",
            "domain.spf.lookups <= limit.spf_lookups",
            "\"spf.soft_all\" in domain.spf.notes",
            "size(domain.spf.notes) == 1 && domain.dmarc.state == \"present\"",
            "size(domain.mx.hosts) > 0 && domain.mx.hosts.all(host, host != \"localhost\")",
            "size(domain.mx.hosts) > 0 && !domain.mx.hosts.exists(host, host in [\"a\", \"b\"])",
            "domain.spf.lookups > -1",
            "domain.sends == true",
        ] {
            assert_eq!(evaluate(text, &subject), Truth::True, "{text}");
        }
    }

    #[test]
    fn what_turns_ignorance_into_a_verdict_is_refused() {
        for (text, why) in [
            ("has(domain.dmarc.policy)", "has()"),
            ("domain.dmarc.policy == \"x\" ? true : false", "?:"),
            ("domain.spf.notes[0] == \"x\"", "indexing"),
            ("domain[\"exists\"]", "indexing"),
            ("\"dmarc\" in domain", "whole subject"),
            ("\"policy\" in domain.dmarc", "group"),
            ("domain.dmarc == domain.spf", "group"),
            ("domain.mx.hosts.all(host, host != \"x\")", "size(domain.mx.hosts) > 0"),
            ("size(domain.spf.notes) > 0 && domain.mx.hosts.all(host, host != \"x\")", "empty list"),
            ("size(domain.mx.hosts) > 0 || domain.mx.hosts.all(host, host != \"x\")", "empty list"),
            ("size(domain.mx.hosts) >= 0 && domain.mx.hosts.exists(host, host != \"x\")", "empty list"),
            ("size(domain.mx.hosts) < 5 && domain.mx.hosts.exists(host, host != \"x\")", "empty list"),
            ("domain.mx.hosts.exists_one(host, host == \"x\")", "only `all` and `exists`"),
            ("size(domain.mx.hosts.filter(host, host == \"x\")) > 0", "only `all` and `exists`"),
            ("domain.mx.hosts.map(host, host) == [\"x\"]", "only `all` and `exists`"),
            ("domain.dmarc.policy == 1", "text is compared with a whole number"),
            ("domain.exists == \"true\"", "compared with text"),
            ("domain.dmarc.policy < \"x\"", "no order"),
            ("domain.spf.lookups in [\"1\"]", "looked for among text"),
            ("domain.dmarc.policy in []", "empty list"),
            ("domain.mx.hosts == [\"x\"]", "a written list may only stand"),
            ("domain.dmarc.policy.startsWith(\"p\")", "never take text apart"),
            ("domain.mx.hosts.size() > 0", "size(list)"),
            ("matches(domain.dmarc.policy, \"p\")", "no function"),
            ("domain.spf.lookups + 1 > 2", "arithmetic"),
            ("domain.spf.lookups > 1.5", "whole numbers"),
            ("domain.dmarc.policy == null", "whole numbers"),
            ("domain.dmarc.policy", "where a condition is expected"),
            ("size(domain.dmarc.policy) > 0", "counts lists"),
            ("1 == 1", "two constants"),
            ("domain.dmarc.state == \"unknown\"", "never `unknown`"),
            ("domain.dmarc.state in [\"absent\", \"missing\"]", "never `missing`"),
            ("mailbox.enabled", "cannot read"),
            ("limit.spf_lookup > 1", "limit.spf_lookups"),
            ("domain.exists.state == \"present\"", "no fact"),
            ("domain.exists && ", "ends too early"),
            ("domain.exists &&& domain.sends", "cannot be read"),
            ("", "empty"),
            ("domain.sends == domain.naïve", "ASCII"),
        ] {
            let said = what(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn an_unknown_path_is_placed_and_the_nearest_one_named() {
        assert_eq!(
            what("domain.exists && domain.dmrac.policy == \"reject\""),
            "17: there is no fact `domain.dmrac.policy` (did you mean `domain.dmarc.policy`?)"
        );
        assert_eq!(
            what("domain.dmarc.polici == \"x\"").split(" (").next(),
            Some("0: there is no fact `domain.dmarc.polici`")
        );
        assert!(what(&format!("domain.exists{}", " && domain.exists".repeat(40))).contains("at most 400"));
        assert!(what(&format!("{}domain.exists{}", "(".repeat(20), ")".repeat(20))).contains("nested too deeply"));
    }

    #[test]
    fn the_value_decides_where_it_can_and_the_unknown_fact_is_named_where_it_cannot() {
        let subject = unknown_domain(&["dmarc", "spf"]);
        assert_eq!(evaluate("domain.dmarc.testing || domain.exists", &subject), Truth::True);
        assert_eq!(evaluate("domain.exists || domain.dmarc.testing", &subject), Truth::True);
        assert_eq!(evaluate("domain.dmarc.testing && !domain.exists", &subject), Truth::False);
        assert_eq!(evaluate("!domain.exists && domain.dmarc.testing", &subject), Truth::False);
        assert_eq!(missing("domain.exists && !domain.dmarc.testing", &subject), ["domain.dmarc.testing"]);
        assert_eq!(missing("domain.dmarc.policy in [\"reject\"]", &subject), ["domain.dmarc.policy"]);
        assert_eq!(missing("domain.dmarc.policy != \"none\"", &subject), ["domain.dmarc.policy"]);
        assert_eq!(
            missing("(!domain.exists && domain.dmarc.testing) || domain.spf.verdict == \"pass\"", &subject),
            ["domain.spf.verdict"],
            "a side whose value is known keeps nothing back"
        );
        assert_eq!(
            missing("size(domain.spf.notes) > 0 && domain.spf.notes.all(n, n != \"x\")", &subject),
            ["domain.spf.notes"]
        );
        assert_eq!(missing("\"x\" in domain.spf.notes", &subject), ["domain.spf.notes"]);
        assert_eq!(missing("!(\"x\" in domain.spf.notes)", &subject), ["domain.spf.notes"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_compiler_panic(text in "[a-z.()\\[\\]\"&|!=<>?:, {}0-9]{0,60}") {
            let _ = compile(&text);
        }

        #[test]
        fn no_expression_of_known_words_makes_it_panic(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "domain.exists", "domain.dmarc.policy", "domain.spf.notes", "limit.spf_lookups", "size(", ")", "(",
                    " && ", " || ", "!", " == ", " in ", "[", "]", "\"x\"", "7", ".all(x, ", "x", ", ", "true", " > ",
                ]),
                0..14,
            )
        ) {
            if let Ok(expression) = compile(&words.concat()) {
                expression.evaluate(&domain()).unwrap();
                expression.evaluate(&unknown_domain(&["dmarc", "spf"])).unwrap();
            }
        }
    }
}
