//! Types of values in a rule.

use std::fmt;

use super::schema::{Of, RecordType};

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Type {
    Bool,
    Int,
    Text,
    Record(&'static RecordType),
    /// From text to text.
    Map,
    /// Lists hold no lists. Of the empty list, the elements are of no type.
    List(Option<Element>),
}

/// The type of a list's elements.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    Bool,
    Int,
    Text,
    Record(&'static RecordType),
}

impl From<Element> for Type {
    fn from(element: Element) -> Self {
        match element {
            Element::Bool => Self::Bool,
            Element::Int => Self::Int,
            Element::Text => Self::Text,
            Element::Record(record) => Self::Record(record),
        }
    }
}

impl From<Of> for Type {
    fn from(of: Of) -> Self {
        match of {
            Of::Bool => Self::Bool,
            Of::Int => Self::Int,
            Of::Text => Self::Text,
            Of::Map => Self::Map,
            Of::Record(record) => Self::Record(record),
            Of::Ints => Self::List(Some(Element::Int)),
            Of::Texts => Self::List(Some(Element::Text)),
            Of::Records(record) => Self::List(Some(Element::Record(record))),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => out.write_str("bool"),
            Self::Int => out.write_str("int"),
            Self::Text => out.write_str("string"),
            Self::Map => out.write_str("map"),
            Self::Record(record) => out.write_str(record.name),
            Self::List(None) => out.write_str("empty list"),
            Self::List(Some(element)) => write!(out, "list of {}", Self::from(*element)),
        }
    }
}

impl Type {
    /// What it is as an element of a list; None for what lists do not hold.
    pub(super) fn element(self) -> Option<Element> {
        match self {
            Self::Bool => Some(Element::Bool),
            Self::Int => Some(Element::Int),
            Self::Text => Some(Element::Text),
            Self::Record(record) => Some(Element::Record(record)),
            Self::Map | Self::List(_) => None,
        }
    }

    /// The type of both, when a value may be of either.
    pub(super) fn joined(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::List(None), Self::List(_)) => Some(other),
            (Self::List(Some(a)), Self::List(Some(b))) => Self::from(a).joined(b.into()).map(|_| self),
            (Self::Record(a), Self::Record(b)) => std::ptr::eq(a, b).then_some(self),
            (Self::List(_), Self::List(None))
            | (Self::Bool, Self::Bool)
            | (Self::Int, Self::Int)
            | (Self::Text, Self::Text)
            | (Self::Map, Self::Map) => Some(self),
            _ => None,
        }
    }

    /// Whether values of it can be compared by `==`.
    pub(super) fn is_plain(self) -> bool {
        match self {
            Self::Bool | Self::Int | Self::Text | Self::List(None) => true,
            Self::List(Some(element)) => Self::from(element).is_plain(),
            Self::Record(_) | Self::Map => false,
        }
    }
}
