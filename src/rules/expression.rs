//! A rule's expression after it was checked: every name found, every type known.

use regex::Regex;

use super::schema::{Field, Root};

/// A node, and the byte of the source that it is about.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: u32,
    pub(super) kind: Kind,
}

/// What a node does. Operands have the types that it needs.
#[derive(Debug)]
pub(super) enum Kind {
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Node>),
    Root(Root),
    /// A variable of a macro: its depth among those in scope.
    Variable(usize),
    Field(Box<Node>, &'static Field),
    /// Whether a field of a record is there.
    HasField(Box<Node>, &'static Field),
    /// Whether a map has a key: `has(m.k)`, `k in m`.
    HasKey(Box<Node>, Box<Node>),
    Key(Box<Node>, Box<Node>),
    Item(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Choose(Box<[Node; 3]>),
    Binary(Binary, Box<Node>, Box<Node>),
    /// Size of a text in characters, of a list or map in elements.
    Size(Box<Node>),
    Matches(Box<Node>, Pattern),
    Fold(Box<Fold>),
}

/// Operators and functions of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Equal,
    Differs,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// An element, and the list that may hold it.
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    /// `+` of texts.
    Join,
    StartsWith,
    EndsWith,
    Contains,
}

/// A regular expression, compiled when the rule is.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// What a byte of text costs in steps of sixteen bytes.
    pub(super) weight: u64,
}

/// One of CEL's macros over a list, or the keys of a map.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) kind: FoldKind,
    pub(super) range: Node,
    /// What each element is asked; none for `map` of two arguments.
    pub(super) test: Option<Node>,
    /// What `map` makes of each element.
    pub(super) result: Option<Node>,
}

/// Which macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}
