//! JSON read strictly: one pass that sees every key, because readers disagree on doubled and case-folded ones.
//!
//! Go's `encoding/json`, which the runtimes use, matches keys without regard to case and keeps the last of two; most other
//! readers do neither. A document that the two kinds read differently is refused, never interpreted.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write as _;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{Code, escape_text};

/// The type of a value, as the decoder of the format declares it.
#[derive(Debug)]
pub enum Shape {
    /// A field that nobody decodes: any value, any distinct keys below it.
    Any,
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// A number without fraction or exponent.
    Integer,
    /// A string or a list of strings (Docker's `StrSlice`).
    Texts,
    /// A list.
    List(&'static Shape),
    /// A free-form object: any distinct keys, one shape of value.
    Map(&'static Shape),
    /// An object with known keys; unknown ones are ignored by all readers, and may hold anything.
    Object(&'static [(&'static str, &'static Shape)]),
}

/// Caps on one document.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Nesting of objects and arrays.
    pub depth: u64,
    /// Members of all objects and arrays.
    pub members: u64,
}

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A fault with a code of its own.
    #[error("{}{}{detail}", at, if at.is_empty() { "" } else { ": " })]
    Wrong {
        /// The code.
        code: Code,
        /// Path of the value, such as `layers[2].size`; empty for the document itself.
        at: String,
        /// What is wrong, escaped.
        detail: String,
    },
    /// Nested deeper than the bound.
    #[error("JSON is nested {found} deep")]
    TooDeep {
        /// The first depth over the bound.
        found: u64,
    },
    /// More members than the bound.
    #[error("JSON has {found} members")]
    TooManyMembers {
        /// The first count over the bound.
        found: u64,
    },
}

impl Error {
    pub(super) fn malformed(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Wrong { code: Code::JsonMalformed, at: at.into(), detail: detail.into() }
    }
}

/// Reads one document. Members that are null are left out of [`Shape::Object`]s, as Go leaves them unset.
pub fn read(bytes: &[u8], shape: &'static Shape, bounds: Bounds) -> Result<Value, Error> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| Error::malformed("", format!("not UTF-8 at byte {}", error.valid_up_to())))?;
    let pass = Pass { bounds, members: Cell::new(0), path: RefCell::default(), refusal: RefCell::default() };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Seed { pass: &pass, shape, depth: 0, may_be_null: false };
    let value = seed.deserialize(&mut deserializer).map_err(|error| {
        let refusal = pass.refusal.borrow_mut().take();
        refusal.unwrap_or_else(|| Error::malformed(pass.place(), escape_text(&error.to_string())))
    })?;
    deserializer.end().map_err(|_| Error::Wrong {
        code: Code::JsonTrailingData,
        at: String::new(),
        detail: "data follows the JSON value".into(),
    })?;
    Ok(value)
}

/// `key` as Go's `encoding/json` folds it when it looks for a field: ASCII case, the long s and the Kelvin sign.
fn fold(key: &str) -> String {
    let fold = |character: char| match character {
        '\u{17F}' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).collect()
}

struct Pass {
    bounds: Bounds,
    members: Cell<u64>,
    path: RefCell<Vec<Step>>,
    refusal: RefCell<Option<Error>>,
}

enum Step {
    Key(String),
    Index(usize),
}

impl Pass {
    fn refuse<E: serde::de::Error>(&self, error: Error) -> E {
        *self.refusal.borrow_mut() = Some(error);
        E::custom("refused")
    }

    fn wrong<E: serde::de::Error>(&self, code: Code, detail: String) -> E {
        self.refuse(Error::Wrong { code, at: self.place(), detail })
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for step in self.path.borrow().iter() {
            match step {
                Step::Key(key) if place.is_empty() => place = escape_text(key),
                // writing to a String cannot fail
                Step::Key(key) => drop(write!(place, ".{}", escape_text(key))),
                Step::Index(index) => drop(write!(place, "[{index}]")),
            }
        }
        place.chars().take(300).collect()
    }

    fn count_member<E: serde::de::Error>(&self) -> Result<(), E> {
        let found = self.members.get().saturating_add(1);
        self.members.set(found);
        if found > self.bounds.members { Err(self.refuse(Error::TooManyMembers { found })) } else { Ok(()) }
    }
}

struct Seed<'a> {
    pass: &'a Pass,
    shape: &'static Shape,
    depth: u64,
    may_be_null: bool,
}

impl Seed<'_> {
    fn mismatch<E: serde::de::Error>(&self, found: &str) -> E {
        let expected = match self.shape {
            Shape::Any => "another value",
            Shape::Text => "a string",
            Shape::Flag => "true or false",
            Shape::Integer => "an integer",
            Shape::Texts => "a string or a list of strings",
            Shape::List(_) => "a list",
            Shape::Map(_) | Shape::Object(_) => "an object",
        };
        self.pass.wrong(Code::JsonMalformed, format!("{found} where {expected} is expected"))
    }

    fn below(&self, shape: &'static Shape, may_be_null: bool) -> Self {
        Self { pass: self.pass, shape, depth: self.depth.saturating_add(1), may_be_null }
    }

    fn check_depth<E: serde::de::Error>(&self) -> Result<(), E> {
        let found = self.depth.saturating_add(1);
        if found > self.pass.bounds.depth { Err(self.pass.refuse(Error::TooDeep { found })) } else { Ok(()) }
    }

    /// The shape of member `key`, once its name is known to be harmless.
    fn check_key<E: serde::de::Error>(&self, key: &str, seen: &mut HashMap<String, String>) -> Result<&'static Shape, E> {
        let Shape::Object(known) = self.shape else {
            if seen.insert(key.to_owned(), String::new()).is_some() {
                return Err(self.pass.wrong(Code::JsonDuplicateKey, format!("key \"{}\" is there twice", escape_text(key))));
            }
            return Ok(if let Shape::Map(values) = self.shape { values } else { &Shape::Any });
        };
        let folded = fold(key);
        if let Some(other) = seen.get(&folded) {
            return Err(if other == key {
                self.pass.wrong(Code::JsonDuplicateKey, format!("key \"{}\" is there twice", escape_text(key)))
            } else {
                self.case_variant(key, other)
            });
        }
        if let Some((_, shape)) = known.iter().find(|(name, _)| *name == key) {
            seen.insert(folded, key.to_owned());
            return Ok(shape);
        }
        if let Some((name, _)) = known.iter().find(|(name, _)| fold(name) == folded) {
            return Err(self.case_variant(key, name));
        }
        seen.insert(folded, key.to_owned());
        Ok(&Shape::Any)
    }

    fn case_variant<E: serde::de::Error>(&self, key: &str, other: &str) -> E {
        let detail = format!("Go takes key \"{}\" for \"{}\"", escape_text(key), escape_text(other));
        self.pass.wrong(Code::JsonCaseVariantKey, detail)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Value, E> {
        if self.may_be_null { Ok(Value::Null) } else { Err(self.mismatch("null")) }
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        match self.shape {
            Shape::Flag | Shape::Any => Ok(Value::Bool(value)),
            _ => Err(self.mismatch("a boolean")),
        }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        match self.shape {
            Shape::Integer | Shape::Any => Ok(value.into()),
            _ => Err(self.mismatch("a number")),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        match self.shape {
            Shape::Integer | Shape::Any => Ok(value.into()),
            _ => Err(self.mismatch("a number")),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        match self.shape {
            Shape::Any => Ok(value.into()),
            _ => Err(self.mismatch("a number with a fraction or exponent")),
        }
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        match self.shape {
            Shape::Text | Shape::Texts | Shape::Any => Ok(value.into()),
            _ => Err(self.mismatch("a string")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let (shape, may_be_null): (&'static Shape, bool) = match self.shape {
            Shape::List(values) => (values, false),
            Shape::Texts => (&Shape::Text, false),
            Shape::Any => (&Shape::Any, true),
            _ => return Err(self.mismatch("a list")),
        };
        self.check_depth()?;
        let mut values = Vec::new();
        loop {
            self.pass.path.borrow_mut().push(Step::Index(values.len()));
            let Some(value) = sequence.next_element_seed(self.below(shape, may_be_null))? else { break };
            self.pass.path.borrow_mut().pop();
            self.pass.count_member()?;
            values.push(value);
        }
        self.pass.path.borrow_mut().pop();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if !matches!(self.shape, Shape::Object(_) | Shape::Map(_) | Shape::Any) {
            return Err(self.mismatch("an object"));
        }
        self.check_depth()?;
        let mut seen = HashMap::new();
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.pass.count_member()?;
            let shape = self.check_key(&key, &mut seen)?;
            self.pass.path.borrow_mut().push(Step::Key(key.clone()));
            let value = map.next_value_seed(self.below(shape, true))?;
            self.pass.path.borrow_mut().pop();
            if !(value.is_null() && matches!(self.shape, Shape::Object(_))) {
                members.insert(key, value);
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
