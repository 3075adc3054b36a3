//! A checked expression on the facts of one image. Every step is counted, and what a step may cost is bounded: the same rule on
//! the same image always ends in the same way.

use std::cmp::Ordering;
use std::rc::Rc;

use super::error::{Failure, Fault, quoted};
use super::expression::{Binary, Fold, FoldKind, Kind, Node};
use super::facts::{Facts, Record, Text, Value};
use super::schema::{Field, Root};

/// Bytes of text that cost one step.
const STEP_BYTES: usize = 16;
/// Bytes of the longest text that `+` makes.
const TEXT_BYTES: usize = 64 * 1024;

type Result<T> = std::result::Result<T, Failure>;

/// Evaluates one expression.
pub(super) struct Evaluator<'f> {
    facts: &'f Facts<'f>,
    steps: u64,
    /// The variables of macros, outermost first.
    scope: Vec<Value<'f>>,
    /// The lists that the variables stand for, once they were asked for.
    lists: Vec<(Root, Value<'f>)>,
}

impl<'f> Evaluator<'f> {
    pub(super) fn new(facts: &'f Facts<'f>, steps: u64) -> Self {
        Self { facts, steps, scope: Vec::new(), lists: Vec::new() }
    }

    pub(super) fn value(&mut self, node: &'f Node) -> Result<Value<'f>> {
        self.charge(1)?;
        match &node.kind {
            Kind::Bool(value) => Ok(Value::Bool(*value)),
            Kind::Int(value) => Ok(Value::Int(*value)),
            Kind::Text(text) => Ok(Value::text(text)),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>>>()?;
                Ok(Value::List(Rc::new(items)))
            }
            Kind::Root(root) => self.root(*root),
            Kind::Variable(index) => self.scope.get(*index).cloned().ok_or_else(|| unexpected(node)),
            Kind::Field(operand, field) => self.field(node, operand, field),
            Kind::HasField(operand, field) => Ok(Value::Bool((field.read)(self.record(operand)?).is_some())),
            Kind::HasKey(map, key) => self.key(map, key).map(|(value, _)| Value::Bool(value.is_some())),
            Kind::Key(map, key) => match self.key(map, key)? {
                (Some(value), _) => Ok(Value::text(value)),
                (None, key) => Err(Failure::new(node.at, format!("there is no {}", quoted(key.as_str())))),
            },
            Kind::Item(list, index) => self.item(node, list, index),
            Kind::Not(operand) => Ok(Value::Bool(!self.bool(operand)?)),
            Kind::Negate(operand) => self.int(operand)?.checked_neg().map(Value::Int).ok_or_else(|| overflow(node)),
            Kind::And(a, b) => self.decide(a, b, false),
            Kind::Or(a, b) => self.decide(a, b, true),
            Kind::Choose(parts) => {
                let [asked, yes, no] = &**parts;
                let chosen = if self.bool(asked)? { yes } else { no };
                self.value(chosen)
            }
            Kind::Binary(operator, a, b) => self.binary(node, *operator, a, b),
            Kind::Size(operand) => self.size(operand),
            Kind::Matches(operand, pattern) => {
                let text = self.text(operand)?;
                let length = text.as_str().len();
                self.charge_bytes(length.saturating_mul(usize::try_from(pattern.weight).unwrap_or(usize::MAX)))?;
                Ok(Value::Bool(pattern.regex.is_match(text.as_str())))
            }
            Kind::Fold(fold) => self.fold(node, fold),
        }
    }

    fn charge(&mut self, steps: u64) -> Result<()> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.map(drop).ok_or(Failure::Steps)
    }

    fn charge_bytes(&mut self, bytes: usize) -> Result<()> {
        self.charge(u64::try_from(bytes / STEP_BYTES).unwrap_or(u64::MAX))
    }

    fn charge_items(&mut self, items: usize) -> Result<()> {
        self.charge(u64::try_from(items).unwrap_or(u64::MAX))
    }

    /// The list of all files is made once for each rule.
    fn root(&mut self, root: Root) -> Result<Value<'f>> {
        let facts = self.facts;
        if root == Root::Image {
            return Ok(Value::Record(Record::Image(facts)));
        }
        if let Some((_, list)) = self.lists.iter().find(|(known, _)| *known == root) {
            return Ok(list.clone());
        }
        let records: Vec<Value<'f>> = match root {
            Root::Files => facts.files.iter().map(|file| Value::Record(Record::File(file))).collect(),
            Root::Packages => facts.image.packages.list.iter().map(|one| Value::Record(Record::Package(one))).collect(),
            Root::Executables => facts.executables.iter().map(|one| Value::Record(Record::Executable(one))).collect(),
            Root::Image => Vec::new(),
        };
        self.charge_items(records.len())?;
        let list = Value::List(Rc::new(records));
        self.lists.push((root, list.clone()));
        Ok(list)
    }

    fn field(&mut self, node: &Node, operand: &'f Node, field: &'static Field) -> Result<Value<'f>> {
        let value = (field.read)(self.record(operand)?);
        let value = value.ok_or_else(|| Failure::new(node.at, format!("this image has no value for \"{}\"", field.name)))?;
        match &value {
            Value::List(items) => self.charge_items(items.len())?,
            Value::Text(Text::Owned(text)) => self.charge_bytes(text.len())?,
            _ => {}
        }
        Ok(value)
    }

    /// The value of a map's key, and the key.
    fn key(&mut self, map: &'f Node, key: &'f Node) -> Result<(Option<&'f str>, Text<'f>)> {
        let held = self.value(map)?;
        let name = self.text(key)?;
        self.charge_bytes(name.as_str().len())?;
        match held {
            Value::Map(map) => Ok((map.get(name.as_str()).map(String::as_str), name)),
            _ => Err(unexpected(map)),
        }
    }

    fn item(&mut self, node: &Node, list: &'f Node, index: &'f Node) -> Result<Value<'f>> {
        let (list, index) = (self.value(list)?, self.int(index)?);
        let found = usize::try_from(index).ok().and_then(|index| list.item(index));
        found.ok_or_else(|| Failure::new(node.at, format!("the list has {} elements, and no number {index}", list.len())))
    }

    /// `&&` (decided by false) and `||` (decided by true): either side may decide alone, whatever becomes of the other.
    fn decide(&mut self, a: &'f Node, b: &'f Node, decisive: bool) -> Result<Value<'f>> {
        let lacking = match self.bool(a) {
            Ok(value) if value == decisive => return Ok(Value::Bool(value)),
            Ok(_) => None,
            Err(Failure::Steps) => return Err(Failure::Steps),
            Err(lacking) => Some(lacking),
        };
        match (self.bool(b)?, lacking) {
            (value, Some(lacking)) if value != decisive => Err(lacking),
            (value, _) => Ok(Value::Bool(value)),
        }
    }

    fn size(&mut self, operand: &'f Node) -> Result<Value<'f>> {
        let value = self.value(operand)?;
        if let Value::Text(text) = &value {
            self.charge_bytes(text.as_str().len())?;
            return Ok(Value::int(text.as_str().chars().count()));
        }
        Ok(Value::int(value.len()))
    }

    fn binary(&mut self, node: &Node, operator: Binary, a: &'f Node, b: &'f Node) -> Result<Value<'f>> {
        let (left, right) = (self.value(a)?, self.value(b)?);
        let value = match operator {
            Binary::Equal => self.is_equal(&left, &right)?,
            Binary::Differs => !self.is_equal(&left, &right)?,
            Binary::In => self.is_in(&left, &right)?,
            Binary::Less => self.order(node, &left, &right)?.is_lt(),
            Binary::LessOrEqual => self.order(node, &left, &right)?.is_le(),
            Binary::Greater => self.order(node, &left, &right)?.is_gt(),
            Binary::GreaterOrEqual => self.order(node, &left, &right)?.is_ge(),
            Binary::StartsWith | Binary::EndsWith | Binary::Contains => {
                let (Value::Text(text), Value::Text(part)) = (&left, &right) else { return Err(unexpected(node)) };
                self.search(operator, text.as_str(), part.as_str())?
            }
            Binary::Join => return self.join(node, &left, &right),
            Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => {
                let (Value::Int(left), Value::Int(right)) = (left, right) else { return Err(unexpected(node)) };
                return arithmetic(node, operator, left, right);
            }
        };
        Ok(Value::Bool(value))
    }

    fn search(&mut self, operator: Binary, text: &str, part: &str) -> Result<bool> {
        if operator == Binary::Contains {
            self.charge_bytes(text.len())?;
        }
        self.charge_bytes(part.len().min(text.len()))?;
        Ok(match operator {
            Binary::StartsWith => text.starts_with(part),
            Binary::EndsWith => text.ends_with(part),
            _ => text.contains(part),
        })
    }

    fn join(&mut self, node: &Node, a: &Value<'f>, b: &Value<'f>) -> Result<Value<'f>> {
        let (Value::Text(a), Value::Text(b)) = (a, b) else { return Err(unexpected(node)) };
        let bytes = a.as_str().len().saturating_add(b.as_str().len());
        // what is made is also kept: four times as dear as what is read
        self.charge_bytes(bytes.saturating_mul(4))?;
        if bytes > TEXT_BYTES {
            return Err(Failure::new(node.at, format!("+ would make a string of {bytes} bytes, and {TEXT_BYTES} is the most")));
        }
        Ok(Value::Text(Text::Owned([a.as_str(), b.as_str()].concat().into())))
    }

    fn is_equal(&mut self, a: &Value<'f>, b: &Value<'f>) -> Result<bool> {
        match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
            (Value::Int(a), Value::Int(b)) => Ok(a == b),
            (Value::Text(a), Value::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                if a.len() != b.len() {
                    return Ok(false);
                }
                self.charge_bytes(a.len())?;
                Ok(a == b)
            }
            _ if a.len() != b.len() => Ok(false),
            _ => {
                for index in 0..a.len() {
                    self.charge(1)?;
                    // lists hold no lists, so this recurs once
                    let (Some(a), Some(b)) = (a.item(index), b.item(index)) else { return Ok(false) };
                    if !self.is_equal(&a, &b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn is_in(&mut self, item: &Value<'f>, list: &Value<'f>) -> Result<bool> {
        for index in 0..list.len() {
            self.charge(1)?;
            if let Some(one) = list.item(index)
                && self.is_equal(item, &one)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn order(&mut self, node: &Node, a: &Value<'f>, b: &Value<'f>) -> Result<Ordering> {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) => {
                self.charge_bytes(a.as_str().len().min(b.as_str().len()))?;
                Ok(a.as_str().cmp(b.as_str()))
            }
            _ => Err(unexpected(node)),
        }
    }

    /// However it ends, its variable goes out of scope: `||` may get over the failure and read on.
    fn fold(&mut self, node: &Node, fold: &'f Fold) -> Result<Value<'f>> {
        let outer = self.scope.len();
        let value = self.folded(node, fold);
        self.scope.truncate(outer);
        value
    }

    fn folded(&mut self, node: &Node, fold: &'f Fold) -> Result<Value<'f>> {
        let mut range = self.value(&fold.range)?;
        if let Value::Map(map) = range {
            self.charge_items(map.len())?;
            range = Value::List(Rc::new(map.keys().map(|key| Value::text(key)).collect()));
        }
        let mut kept = Vec::new();
        let mut held = 0_u64;
        let mut lacking = None;
        for index in 0..range.len() {
            self.charge(1)?;
            let Some(item) = range.item(index) else { return Err(unexpected(node)) };
            self.scope.push(item);
            let answer = fold.test.as_ref().map_or(Ok(true), |test| self.bool(test));
            match (fold.kind, answer) {
                (FoldKind::Exists, Ok(true)) => return Ok(Value::Bool(true)),
                (FoldKind::All, Ok(false)) => return Ok(Value::Bool(false)),
                (FoldKind::Exists | FoldKind::All, Err(failure @ Failure::Lacking(_))) => drop(lacking.get_or_insert(failure)),
                (_, Err(failure)) => return Err(failure),
                (FoldKind::ExistsOne, Ok(true)) => held = held.saturating_add(1),
                (FoldKind::Filter, Ok(true)) => kept.extend(self.scope.last().cloned()),
                (FoldKind::Map, Ok(true)) => {
                    let Some(result) = &fold.result else { return Err(unexpected(node)) };
                    kept.push(self.value(result)?);
                }
                _ => {}
            }
            self.scope.pop();
        }
        match (fold.kind, lacking) {
            (_, Some(lacking)) => Err(lacking),
            (FoldKind::Filter | FoldKind::Map, None) => Ok(Value::List(Rc::new(kept))),
            (FoldKind::ExistsOne, None) => Ok(Value::Bool(held == 1)),
            (kind, None) => Ok(Value::Bool(kind == FoldKind::All)),
        }
    }

    fn bool(&mut self, node: &'f Node) -> Result<bool> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            _ => Err(unexpected(node)),
        }
    }

    fn int(&mut self, node: &'f Node) -> Result<i64> {
        match self.value(node)? {
            Value::Int(value) => Ok(value),
            _ => Err(unexpected(node)),
        }
    }

    fn text(&mut self, node: &'f Node) -> Result<Text<'f>> {
        match self.value(node)? {
            Value::Text(text) => Ok(text),
            _ => Err(unexpected(node)),
        }
    }

    fn record(&mut self, node: &'f Node) -> Result<Record<'f>> {
        match self.value(node)? {
            Value::Record(record) => Ok(record),
            _ => Err(unexpected(node)),
        }
    }
}

fn arithmetic<'f>(node: &Node, operator: Binary, a: i64, b: i64) -> Result<Value<'f>> {
    if b == 0 && matches!(operator, Binary::Divide | Binary::Remainder) {
        return Err(Failure::new(node.at, "a division by zero"));
    }
    let result = match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.map(Value::Int).ok_or_else(|| overflow(node))
}

fn overflow(node: &Node) -> Failure {
    Failure::new(node.at, "a number that is too large")
}

/// A value of a type that the check of the rule should have refused: still no panic, and never a pass.
fn unexpected(node: &Node) -> Failure {
    Failure::Lacking(Fault::new(node.at, "a value of an unexpected type"))
}
