//! What packages require and provide, as names with version constraints, in one text a package.
//!
//! Managers write these differently; here all are lists of requirements, each of which any one of its alternatives meets.

use std::fmt;

/// Between requirements; names of no manager hold it.
const END: char = '\n';
/// Between alternatives, likewise.
const OR: char = '\t';
/// Between a name and the constraint on its version; names of rpm may hold spaces.
const WITH: char = '\r';

/// Requirements, or names that are provided.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relations(Box<str>);

impl Relations {
    /// Each of them, in the database's order.
    pub fn iter(&self) -> impl Iterator<Item = Relation<'_>> {
        self.0.split_terminator(END).map(Relation)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A requirement that any one of its alternatives meets; shown as Debian writes it: `libc6 (>= 2.36) | libc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation<'r>(&'r str);

impl<'r> Relation<'r> {
    /// What meets it, in the order of preference; one at least.
    pub fn alternatives(self) -> impl Iterator<Item = Capability<'r>> {
        self.0.split(OR).map(|text| match text.split_once(WITH) {
            Some((name, constraint)) => Capability { name, constraint: Some(constraint) },
            None => Capability { name: text, constraint: None },
        })
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.alternatives().enumerate() {
            formatter.write_str(if index == 0 { "" } else { " | " })?;
            formatter.write_str(one.name)?;
            if let Some(constraint) = one.constraint {
                write!(formatter, " ({constraint})")?;
            }
        }
        Ok(())
    }
}

/// A name that packages provide, perhaps at some versions only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability<'r> {
    /// A package's name, `so:libz.so.1`, `libz.so.1()(64bit)`, `/bin/sh`.
    pub name: &'r str,
    /// Operator and version: `>= 2.36`, `= 1.2`.
    pub constraint: Option<&'r str>,
}

/// Gathers relations.
#[derive(Debug, Default)]
pub(super) struct Writer {
    text: String,
    is_inside: bool,
}

impl Writer {
    /// One more alternative of the requirement at hand. Empty names are nobody's.
    pub(super) fn alternative(&mut self, name: &str, constraint: Option<(&str, &str)>) {
        if name.is_empty() {
            return;
        }
        if self.is_inside {
            self.text.push(OR);
        }
        self.is_inside = true;
        self.push_clean(name);
        if let Some((operator, version)) = constraint {
            self.text.push(WITH);
            self.push_clean(operator);
            self.text.push(' ');
            self.push_clean(version);
        }
    }

    /// The requirement at hand has no more alternatives.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_inside) {
            self.text.push(END);
        }
    }

    /// A requirement with one way to meet it.
    pub(super) fn one(&mut self, name: &str, constraint: Option<(&str, &str)>) {
        self.alternative(name, constraint);
        self.end();
    }

    pub(super) fn finish(mut self) -> Relations {
        self.end();
        Relations(self.text.into_boxed_str())
    }

    fn push_clean(&mut self, text: &str) {
        if text.contains([END, OR, WITH]) {
            self.text.extend(text.chars().map(|c| if matches!(c, END | OR | WITH) { ' ' } else { c }));
        } else {
            self.text.push_str(text);
        }
    }
}

/// The operator and version at the end of a word, as apk writes them: `musl>=1.2`, `so:libz.so.1=1.3`, `!bad`.
pub(super) fn split_word(word: &str) -> (&str, Option<(&str, &str)>) {
    let is_operator = |c: char| matches!(c, '<' | '>' | '=' | '~');
    let Some(at) = word.find(is_operator) else { return (word, None) };
    let (name, rest) = word.split_at_checked(at).unwrap_or_default();
    let version = rest.trim_start_matches(is_operator);
    let operator = rest.strip_suffix(version).unwrap_or_default();
    (name, Some((operator, version)))
}

#[cfg(test)]
pub(super) fn shown(relations: &Relations) -> Vec<String> {
    relations.iter().map(|relation| relation.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_shown() {
        let mut writer = Writer::default();
        writer.one("a", Some((">=", "1.2")));
        writer.alternative("b", None);
        writer.alternative("", None);
        writer.alternative("c", Some(("=", "1")));
        writer.end();
        writer.end();
        writer.alternative("(x if y)\nz", None);
        let relations = writer.finish();
        assert_eq!(shown(&relations), ["a (>= 1.2)", "b | c (= 1)", "(x if y) z"]);
        assert!(!relations.is_empty() && Relations::default().is_empty());
        let first = relations.iter().next().unwrap().alternatives().next().unwrap();
        assert_eq!(first, Capability { name: "a", constraint: Some(">= 1.2") });
    }

    #[test]
    fn words_are_split_at_the_first_operator() {
        assert_eq!(split_word("musl"), ("musl", None));
        assert_eq!(split_word("so:libz.so.1=1.3"), ("so:libz.so.1", Some(("=", "1.3"))));
        assert_eq!(split_word("a>=2~3"), ("a", Some((">=", "2~3"))));
        assert_eq!(split_word("a="), ("a", Some(("=", ""))));
    }

    proptest::proptest! {
        #[test]
        fn any_names_come_back_as_many(names: Vec<String>) {
            let mut writer = Writer::default();
            for name in &names {
                writer.one(name, None);
            }
            let count = names.iter().filter(|name| !name.is_empty()).count();
            proptest::prop_assert_eq!(writer.finish().iter().count(), count);
        }

        #[test]
        fn any_word_is_split(word: String) {
            let (name, rest) = split_word(&word);
            let again = rest.map_or(name.to_owned(), |(operator, version)| format!("{name}{operator}{version}"));
            proptest::prop_assert_eq!(again, word);
        }
    }
}
