//! A policy file as a tree of values that know where they stand, and how one file is laid over another.
//!
//! Trees are made only of texts that [`super::file::PolicyFile`] accepts: nothing here is nested deeper than its structs are.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::place::Spot;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Where its key starts; of an element of a list, the value.
    pub(super) key: Spot,
    /// Where the value starts.
    pub(super) at: Spot,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A string, number, truth value, or a date as string.
    Scalar(Value),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Node>),
}

/// A number that is none, and the byte it starts at.
pub(super) struct NotFinite(pub(super) usize);

/// The tree of a text that is file number `file` of its chain.
pub(super) fn plant(table: &Spanned<DeTable<'_>>, file: usize) -> Result<Node, NotFinite> {
    let start = Spot { file, offset: table.span().start };
    let kind = Kind::Table(entries(table.get_ref(), file)?);
    Ok(Node { key: start, at: start, kind })
}

fn entries(table: &DeTable<'_>, file: usize) -> Result<BTreeMap<String, Node>, NotFinite> {
    let mut nodes = BTreeMap::new();
    for (key, value) in table {
        let spot = Spot { file, offset: key.span().start };
        nodes.insert(key.get_ref().to_string(), node(value, Some(spot), file)?);
    }
    Ok(nodes)
}

fn node(value: &Spanned<DeValue<'_>>, key: Option<Spot>, file: usize) -> Result<Node, NotFinite> {
    let at = Spot { file, offset: value.span().start };
    let kind = match value.get_ref() {
        DeValue::Table(table) => Kind::Table(entries(table, file)?),
        DeValue::Array(list) => {
            Kind::List(list.iter().map(|element| node(element, None, file)).collect::<Result<_, NotFinite>>()?)
        }
        DeValue::String(text) => Kind::Scalar(Value::from(text.as_ref())),
        DeValue::Boolean(is) => Kind::Scalar(Value::from(*is)),
        DeValue::Datetime(date) => Kind::Scalar(Value::from(date.to_string())),
        DeValue::Integer(number) => Kind::Scalar(match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::from(number),
            Err(_) => u64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from),
        }),
        DeValue::Float(number) => {
            let number = number.as_str().parse().ok().and_then(Number::from_f64).ok_or(NotFinite(at.offset))?;
            Kind::Scalar(Value::Number(number))
        }
    };
    Ok(Node { key: key.unwrap_or(at), at, kind })
}

/// Lists of tables that the nearer file replaces as a whole: parts of one calculation.
const REPLACED: [&str; 2] = ["groups", "caps"];

impl Node {
    /// Lays `over` over this: tables key by key, lists of tables one after the other, all else replaced.
    pub(super) fn lay_over(&mut self, over: Self, key: &str) {
        match (&mut self.kind, over.kind) {
            (Kind::Table(under), Kind::Table(over)) => {
                for (key, value) in over {
                    match under.get_mut(&key) {
                        Some(node) => node.lay_over(value, &key),
                        None => {
                            under.insert(key, value);
                        }
                    }
                }
            }
            (Kind::List(under), Kind::List(over)) if !REPLACED.contains(&key) && (has_tables(under) || has_tables(&over)) => {
                under.extend(over);
            }
            (_, kind) => *self = Self { key: over.key, at: over.at, kind },
        }
    }

    /// Takes out what belongs to one file alone, when that file is extended.
    pub(super) fn forget(&mut self, keys: &[&str]) {
        if let Kind::Table(entries) = &mut self.kind {
            entries.retain(|key, _| !keys.contains(&key.as_str()));
        }
    }

    /// The value below, by keys and indexes.
    pub(super) fn below(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| match &node.kind {
            Kind::Table(entries) => entries.get(*step),
            Kind::List(elements) => elements.get(step.parse::<usize>().ok()?),
            Kind::Scalar(_) => None,
        })
    }

    /// The entries of a table in the order in which they stand in their files; none of anything else.
    pub(super) fn in_order(&self) -> Vec<(&str, &Self)> {
        let Kind::Table(entries) = &self.kind else { return Vec::new() };
        let mut ordered: Vec<(&str, &Self)> = entries.iter().map(|(key, node)| (key.as_str(), node)).collect();
        ordered.sort_by_key(|(_, node)| node.key);
        ordered
    }

    /// The value without its places.
    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(elements) => elements.iter().map(Self::to_json).collect(),
            Kind::Table(_) => Value::Object(
                self.in_order().into_iter().map(|(key, node)| (key.to_owned(), node.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// Whether this is a table.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table(_))
    }

    /// Whether this is a list that holds tables.
    pub(super) fn is_list_of_tables(&self) -> bool {
        matches!(&self.kind, Kind::List(elements) if has_tables(elements))
    }
}

fn has_tables(list: &[Node]) -> bool {
    list.iter().any(Node::is_table)
}
