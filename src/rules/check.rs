//! Names and types of a parsed rule. What passes here can fail on an image for few reasons: a value that is missing there, an
//! element or a number out of range, too many steps.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};
use regex::RegexBuilder;

use super::compile::{Found, Starts};
use super::error::{Fault, quoted, suggestion};
use super::expression::{Binary, Fold, FoldKind, Kind, Node, Pattern};
use super::schema::Root;
use super::types::{Element, Type};
use crate::limits::Limits;

/// Bytes of a compiled regular expression: plain ones, whose every step is cheap.
const SMALL_PATTERN: usize = 16 * 1024;
/// Bytes of a compiled regular expression: the most.
const LARGE_PATTERN: usize = 256 * 1024;
/// Nesting of groups in a regular expression.
const PATTERN_DEPTH: u32 = 32;

/// A node with its type.
type Typed = (Node, Type);

/// Walks a tree; its depth is bounded by a limit, so that all that recurs over the expression is too.
pub(super) struct Checker<'a> {
    starts: &'a Starts,
    limits: &'a Limits,
    /// Variables of macros in scope, outermost first.
    scope: Vec<(String, Type)>,
    depth: u64,
    found: Found,
}

impl<'a> Checker<'a> {
    pub(super) fn new(starts: &'a Starts, limits: &'a Limits) -> Self {
        Self { starts, limits, scope: Vec::new(), depth: 0, found: Found::default() }
    }

    /// A whole rule: a truth value, or a list of what is at fault.
    pub(super) fn rule(mut self, tree: &IdedExpr) -> Result<(Node, Found), Fault> {
        let (node, of) = self.node(tree)?;
        match of {
            Type::Bool | Type::List(None | Some(Element::Text | Element::Record(_))) => Ok((node, self.found)),
            _ => Err(Fault::new(
                node.at,
                format!("it yields {of}; a rule yields bool, or a list of strings, files, packages or executables"),
            )),
        }
    }

    fn node(&mut self, tree: &IdedExpr) -> Result<Typed, Fault> {
        let at = (self.starts)(tree);
        self.depth = self.depth.saturating_add(1);
        self.limits.rule_depth(self.depth).map_err(|hit| Fault::new(at, hit.to_string()))?;
        let (kind, of) = match &tree.expr {
            Expr::Literal(literal) => constant(at, literal)?,
            Expr::Ident(name) => self.variable(at, name)?,
            Expr::Select(select) => self.field(at, select)?,
            Expr::List(list) => self.list(at, &list.elements)?,
            Expr::Call(call) => self.call(at, call)?,
            Expr::Map(_) | Expr::Struct(_) => return Err(Fault::new(at, "maps and messages cannot be written in a rule")),
            Expr::Comprehension(_) | Expr::Unspecified => return Err(Fault::new(at, "it is no expression")),
        };
        self.depth = self.depth.saturating_sub(1);
        Ok((Node { at, kind }, of))
    }

    fn variable(&mut self, at: u32, name: &str) -> Result<(Kind, Type), Fault> {
        if let Some(index) = self.scope.iter().position(|(known, _)| known == name)
            && let Some((_, of)) = self.scope.get(index)
        {
            return Ok((Kind::Variable(index), *of));
        }
        let Some(root) = Root::ALL.into_iter().find(|root| root.name() == name) else {
            let known = self.scope.iter().map(|(name, _)| name.as_str()).chain(Root::ALL.map(Root::name));
            return Err(Fault::new(at, format!("there is no variable {}{}", quoted(name), suggestion(name, known))));
        };
        self.found.roots.insert(root);
        Ok((Kind::Root(root), root.of().into()))
    }

    fn field(&mut self, at: u32, select: &SelectExpr) -> Result<(Kind, Type), Fault> {
        let (operand, of) = self.node(&select.operand)?;
        let name = select.field.as_str();
        let record = match of {
            Type::Record(record) => record,
            Type::Map => {
                let key = Node { at, kind: Kind::Text(name.to_owned()) };
                return Ok((Kind::Key(operand.into(), key.into()), Type::Text));
            }
            _ => return Err(Fault::new(at, format!("{of} has no fields, so there is no {}", quoted(name)))),
        };
        let Some(field) = record.fields.iter().find(|field| field.name == name) else {
            let known = record.fields.iter().map(|field| field.name);
            return Err(Fault::new(at, format!("{} has no {}{}", record.name, quoted(name), suggestion(name, known))));
        };
        self.found.config.extend(field.config);
        Ok((Kind::Field(operand.into(), field), field.of.into()))
    }

    fn list(&mut self, at: u32, items: &[IdedExpr]) -> Result<(Kind, Type), Fault> {
        let mut nodes = Vec::with_capacity(items.len());
        let mut of: Option<Type> = None;
        for item in items {
            let (node, next) = self.node(item)?;
            let joined = of.map_or(Some(next), |of| of.joined(next));
            let Some(joined) = joined else {
                return Err(Fault::new(node.at, format!("a list holds values of one type, and this is {next}")));
            };
            nodes.push(node);
            of = Some(joined);
        }
        Ok((Kind::List(nodes), list_of(at, of)?))
    }

    fn call(&mut self, at: u32, call: &CallExpr) -> Result<(Kind, Type), Fault> {
        if let Some(target) = &call.target {
            return self.method(at, target, &call.func_name, &call.args);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::HAS, [asked]) => self.has(at, asked),
            ("size", [of]) => self.size(at, of),
            (operators::LOGICAL_NOT, [a]) => Ok((Kind::Not(self.want(a, Type::Bool)?.into()), Type::Bool)),
            (operators::NEGATE, [a]) => Ok((Kind::Negate(self.want(a, Type::Int)?.into()), Type::Int)),
            (operators::LOGICAL_AND, [a, b]) => {
                Ok((Kind::And(self.want(a, Type::Bool)?.into(), self.want(b, Type::Bool)?.into()), Type::Bool))
            }
            (operators::LOGICAL_OR, [a, b]) => {
                Ok((Kind::Or(self.want(a, Type::Bool)?.into(), self.want(b, Type::Bool)?.into()), Type::Bool))
            }
            (operators::CONDITIONAL, [asked, yes, no]) => {
                let asked = self.want(asked, Type::Bool)?;
                let (yes, no, of) = self.pair(yes, no)?;
                Ok((Kind::Choose(Box::new([asked, yes, no])), of))
            }
            (operators::INDEX, [a, b]) => self.index(at, a, b),
            (operators::IN, [a, b]) => self.contained(at, a, b),
            (name, [a, b]) => self.operator(at, name, a, b),
            (name, _) => Err(unknown_function(at, name)),
        }
    }

    /// `has(x.y)`.
    fn has(&mut self, at: u32, asked: &IdedExpr) -> Result<(Kind, Type), Fault> {
        let wrong = || Fault::new(at, "has() asks for a field, such as has(image.user.uid)");
        let Expr::Select(_) = &asked.expr else { return Err(wrong()) };
        match self.node(asked)?.0.kind {
            Kind::Field(operand, field) => Ok((Kind::HasField(operand, field), Type::Bool)),
            Kind::Key(map, key) => Ok((Kind::HasKey(map, key), Type::Bool)),
            _ => Err(wrong()),
        }
    }

    fn size(&mut self, at: u32, of: &IdedExpr) -> Result<(Kind, Type), Fault> {
        match self.node(of)? {
            (node, Type::Text | Type::Map | Type::List(_)) => Ok((Kind::Size(node.into()), Type::Int)),
            (_, of) => Err(Fault::new(at, format!("{of} has no size"))),
        }
    }

    fn index(&mut self, at: u32, a: &IdedExpr, b: &IdedExpr) -> Result<(Kind, Type), Fault> {
        match self.node(a)? {
            (map, Type::Map) => Ok((Kind::Key(map.into(), self.want(b, Type::Text)?.into()), Type::Text)),
            (list, Type::List(Some(element))) => Ok((Kind::Item(list.into(), self.want(b, Type::Int)?.into()), element.into())),
            (_, of) => Err(Fault::new(at, format!("{of} has no elements to choose by []"))),
        }
    }

    fn contained(&mut self, at: u32, a: &IdedExpr, b: &IdedExpr) -> Result<(Kind, Type), Fault> {
        let (item, of) = self.node(a)?;
        match self.node(b)? {
            (map, Type::Map) if matches!(of, Type::Text) => Ok((Kind::HasKey(map.into(), item.into()), Type::Bool)),
            (list, Type::List(element)) if of.is_plain() && element.is_none_or(|one| of.joined(one.into()).is_some()) => {
                Ok((Kind::Binary(Binary::In, item.into(), list.into()), Type::Bool))
            }
            (_, held) => Err(Fault::new(at, format!("{of} cannot be in {held}"))),
        }
    }

    /// Operators of two values of one type.
    fn operator(&mut self, at: u32, name: &str, a: &IdedExpr, b: &IdedExpr) -> Result<(Kind, Type), Fault> {
        use Binary::{
            Add, Differs, Divide, Equal, Greater, GreaterOrEqual, Join, Less, LessOrEqual, Multiply, Remainder, Subtract,
        };
        let by_name = [
            (operators::EQUALS, Equal),
            (operators::NOT_EQUALS, Differs),
            (operators::LESS, Less),
            (operators::LESS_EQUALS, LessOrEqual),
            (operators::GREATER, Greater),
            (operators::GREATER_EQUALS, GreaterOrEqual),
            (operators::ADD, Add),
            (operators::SUBSTRACT, Subtract),
            (operators::MULTIPLY, Multiply),
            (operators::DIVIDE, Divide),
            (operators::MODULO, Remainder),
        ];
        let Some((_, operator)) = by_name.into_iter().find(|(known, _)| *known == name) else {
            return Err(unknown_function(at, name));
        };
        let (a, b, of) = self.pair(a, b)?;
        let (operator, result) = match (operator, of) {
            (Equal | Differs, of) if of.is_plain() => (operator, Type::Bool),
            (Less | LessOrEqual | Greater | GreaterOrEqual, Type::Int | Type::Text) => (operator, Type::Bool),
            (Add | Subtract | Multiply | Divide | Remainder, Type::Int) => (operator, Type::Int),
            (Add, Type::Text) => (Join, Type::Text),
            _ => return Err(Fault::new(at, format!("{} is not offered for {of}", quoted(name.trim_matches('_'))))),
        };
        Ok((Kind::Binary(operator, a.into(), b.into()), result))
    }

    fn method(&mut self, at: u32, target: &IdedExpr, name: &str, args: &[IdedExpr]) -> Result<(Kind, Type), Fault> {
        let text = |operator: Binary, checker: &mut Self, arg: &IdedExpr| {
            let (text, part) = (checker.want(target, Type::Text)?, checker.want(arg, Type::Text)?);
            Ok((Kind::Binary(operator, text.into(), part.into()), Type::Bool))
        };
        match (name, args) {
            ("startsWith", [arg]) => text(Binary::StartsWith, self, arg),
            ("endsWith", [arg]) => text(Binary::EndsWith, self, arg),
            ("contains", [arg]) => text(Binary::Contains, self, arg),
            ("matches", [arg]) => {
                let text = self.want(target, Type::Text)?;
                Ok((Kind::Matches(text.into(), pattern((self.starts)(arg), arg)?), Type::Bool))
            }
            ("size", []) => self.size(at, target),
            ("all", [variable, test]) => self.fold(FoldKind::All, target, variable, Some(test), None),
            ("exists", [variable, test]) => self.fold(FoldKind::Exists, target, variable, Some(test), None),
            ("exists_one" | "existsOne", [variable, test]) => self.fold(FoldKind::ExistsOne, target, variable, Some(test), None),
            ("filter", [variable, test]) => self.fold(FoldKind::Filter, target, variable, Some(test), None),
            ("map", [variable, result]) => self.fold(FoldKind::Map, target, variable, None, Some(result)),
            ("map", [variable, test, result]) => self.fold(FoldKind::Map, target, variable, Some(test), Some(result)),
            _ => Err(unknown_function(at, name)),
        }
    }

    fn fold(
        &mut self,
        kind: FoldKind,
        range: &IdedExpr,
        variable: &IdedExpr,
        test: Option<&IdedExpr>,
        result: Option<&IdedExpr>,
    ) -> Result<(Kind, Type), Fault> {
        let (range, ranged) = self.node(range)?;
        let at = (self.starts)(variable);
        let element = match ranged {
            Type::Map => Type::Text,
            Type::List(Some(element)) => element.into(),
            _ => return Err(Fault::new(range.at, format!("{ranged} has no elements to go through"))),
        };
        let Expr::Ident(name) = &variable.expr else { return Err(Fault::new(at, "a macro's first argument is a plain name")) };
        if self.scope.iter().any(|(known, _)| known == name) || Root::ALL.iter().any(|root| root.name() == name) {
            return Err(Fault::new(at, format!("{} has a meaning here already", quoted(name))));
        }
        self.scope.push((name.clone(), element));
        let nesting = u64::try_from(self.scope.len()).unwrap_or(u64::MAX);
        self.limits.rule_nesting(nesting).map_err(|hit| Fault::new(at, hit.to_string()))?;
        let test = test.map(|test| self.want(test, Type::Bool)).transpose()?;
        let result = result.map(|result| self.node(result)).transpose()?;
        self.scope.pop();
        let of = match (kind, &result) {
            (FoldKind::Map, Some((node, of))) => list_of(node.at, Some(*of))?,
            (FoldKind::Filter, _) => Type::List(element.element()),
            _ => Type::Bool,
        };
        Ok((Kind::Fold(Box::new(Fold { kind, range, test, result: result.map(|(node, _)| node) })), of))
    }

    fn want(&mut self, tree: &IdedExpr, wanted: Type) -> Result<Node, Fault> {
        let (node, of) = self.node(tree)?;
        if of.joined(wanted).is_none() {
            return Err(Fault::new(node.at, format!("this is {of}, and {wanted} is wanted")));
        }
        Ok(node)
    }

    fn pair(&mut self, a: &IdedExpr, b: &IdedExpr) -> Result<(Node, Node, Type), Fault> {
        let ((a, left), (b, right)) = (self.node(a)?, self.node(b)?);
        match left.joined(right) {
            Some(of) => Ok((a, b, of)),
            None => Err(Fault::new(b.at, format!("this is {right}, and the other side is {left}"))),
        }
    }
}

fn constant(at: u32, literal: &LiteralValue) -> Result<(Kind, Type), Fault> {
    match literal {
        LiteralValue::Boolean(value) => Ok((Kind::Bool(*value.inner()), Type::Bool)),
        LiteralValue::Int(value) => Ok((Kind::Int(*value.inner()), Type::Int)),
        LiteralValue::String(value) => Ok((Kind::Text(value.inner().to_owned()), Type::Text)),
        LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::Null | LiteralValue::UInt(_) => {
            Err(Fault::new(at, "constants are true, false, whole numbers, strings and lists of these"))
        }
    }
}

fn list_of(at: u32, of: Option<Type>) -> Result<Type, Fault> {
    match of.map(Type::element) {
        None => Ok(Type::List(None)),
        Some(Some(element)) => Ok(Type::List(Some(element))),
        Some(None) => Err(Fault::new(at, "lists hold no lists and no maps")),
    }
}

/// A regular expression that stands in the rule, so that it is compiled once and judged before any image is read.
fn pattern(at: u32, arg: &IdedExpr) -> Result<Pattern, Fault> {
    let Expr::Literal(LiteralValue::String(text)) = &arg.expr else {
        return Err(Fault::new(at, "matches() takes a string that stands in the rule"));
    };
    let built = |bytes: usize| {
        RegexBuilder::new(text.inner()).size_limit(bytes).dfa_size_limit(LARGE_PATTERN).nest_limit(PATTERN_DEPTH).build()
    };
    let weighed =
        [(SMALL_PATTERN, 1), (LARGE_PATTERN, 16)].map(|(bytes, weight)| built(bytes).map(|regex| Pattern { regex, weight }));
    let [small, large] = weighed;
    small.or(large).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Fault::new(at, format!("the pattern {} is too large", quoted(text.inner()))),
        _ => Fault::new(at, format!("{} is no regular expression, or nested too deep", quoted(text.inner()))),
    })
}

const FUNCTIONS: [&str; 12] =
    ["all", "contains", "endsWith", "exists", "exists_one", "filter", "has", "in", "map", "matches", "size", "startsWith"];

fn unknown_function(at: u32, name: &str) -> Fault {
    if FUNCTIONS.contains(&name) {
        return Fault::new(at, format!("{} is not called like this: see docs/rules.md", quoted(name)));
    }
    Fault::new(at, format!("there is no function {}{}", quoted(name), suggestion(name, FUNCTIONS.into_iter())))
}
