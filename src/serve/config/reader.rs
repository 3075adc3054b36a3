//! Reads a TOML file key by key and gathers every fault with its place, so that one look at the file mends all of them.

use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::oci::escape_text;
use crate::policy::likest;
use crate::report::quantity;

/// Faults that are told at most; the rest can wait for the next look.
const MOST_FAULTS: usize = 50;
/// Characters of somebody's word that are repeated.
const MOST_SHOWN: usize = 100;

/// What is wrong with a configuration file: where, what, and what to do. Printable: names of the file are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file as it was asked for.
    pub file: String,
    /// Line and column, each from 1; None when it is the file as a whole.
    pub place: Option<(usize, usize)>,
    /// One sentence without a full stop.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(formatter, ":{line}:{column}")?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

/// Somebody's word, as it may be shown.
pub(super) fn shown(word: &str) -> String {
    escape_text(&word.chars().take(MOST_SHOWN).collect::<String>())
}

/// A value, and the byte where it starts.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// The text and what is wrong with it so far.
pub(super) struct Faults<'t> {
    file: String,
    /// The folder of the file: paths in it are relative to there.
    folder: PathBuf,
    text: &'t str,
    found: RefCell<Vec<(usize, String)>>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(path: &Path, text: &'t str) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self { file: escape_text(&path.to_string_lossy()), folder, text, found: RefCell::default() }
    }

    pub(super) fn add(&self, at: usize, problem: impl Into<String>) {
        self.found.borrow_mut().push((at, problem.into()));
    }

    /// A path of the file, relative to its folder.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    /// All of them, in the order of the file.
    pub(super) fn told(self) -> Vec<Fault> {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        let place = |at: usize| {
            let before = self.text.get(..at).unwrap_or(self.text);
            let line = before.matches('\n').count().saturating_add(1);
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()).saturating_add(1);
            (line, column)
        };
        let told = found.into_iter().take(MOST_FAULTS);
        told.map(|(at, problem)| Fault { file: self.file.clone(), place: Some(place(at)), problem }).collect()
    }
}

/// One table of the file.
pub(super) struct Section<'d> {
    table: &'d DeTable<'d>,
    faults: &'d Faults<'d>,
    /// Where it starts.
    pub(super) at: usize,
    known: Vec<&'static str>,
}

impl<'d> Section<'d> {
    pub(super) fn new(table: &'d DeTable<'d>, at: usize, faults: &'d Faults<'d>) -> Self {
        Self { table, faults, at, known: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn wrong(&self, value: &Spanned<DeValue<'_>>, key: &str, wanted: &str) {
        self.faults.add(value.span().start, format!("`{key}` must be {wanted}"));
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<At<String>> {
        let value = self.take(key)?;
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(At { value: text.to_string(), at: value.span().start }),
            _ => {
                self.wrong(value, key, "text in quotes, and not empty");
                None
            }
        }
    }

    /// A text that `read` understands; `wanted` says what that is.
    pub(super) fn parsed<T>(&mut self, key: &'static str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Option<At<T>> {
        let text = self.text(key)?;
        let value = read(&text.value);
        if value.is_none() {
            self.faults.add(text.at, format!("`{key}` is '{}'; write {wanted}", shown(&text.value)));
        }
        Some(At { value: value?, at: text.at })
    }

    pub(super) fn path(&mut self, key: &'static str) -> Option<At<PathBuf>> {
        self.text(key).map(|text| At { value: self.faults.path(&text.value), at: text.at })
    }

    pub(super) fn address(&mut self, key: &'static str) -> Option<At<SocketAddr>> {
        self.parsed(key, "an address and a port, such as 127.0.0.1:8443 or [::]:8443", |text| text.parse().ok())
    }

    pub(super) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.parsed(key, "a duration above zero, such as 500ms, 50s or 5m", duration).map(|at| at.value)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(value, key, "true or false");
        }
        flag
    }

    /// A whole number from `least` to `most`.
    pub(super) fn count(&mut self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let value = self.take(key)?;
        let number = integer(value.get_ref()).filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(value, key, &format!("a whole number from {least} to {most}"));
        }
        number
    }

    /// Bytes: a number, or text with a unit.
    pub(super) fn bytes(&mut self, key: &'static str) -> Option<u64> {
        let value = self.take(key)?;
        let bytes = size(value.get_ref());
        if bytes.is_none() {
            self.wrong(value, key, "a size, such as \"8MiB\" or a number of bytes");
        }
        bytes
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text.value).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.unknown(text.at, &format!("value of `{key}`"), &text.value, &names, "the values here are");
        }
        found
    }

    /// Whether the table holds the key at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let elements = value.get_ref().as_array().map(|list| list.iter().collect::<Vec<_>>());
        let texts = elements.and_then(|elements| {
            let text = |one: &Spanned<DeValue<'_>>| Some(At { value: one.get_ref().as_str()?.to_owned(), at: one.span().start });
            elements.into_iter().map(text).collect::<Option<Vec<_>>>()
        });
        texts.unwrap_or_else(|| {
            self.wrong(value, key, "a list of texts in quotes");
            Vec::new()
        })
    }

    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        let value = self.take(key)?;
        let section = self.below(value);
        if section.is_none() {
            self.wrong(value, key, "a table");
        }
        section
    }

    /// The tables of `[[key]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let all = value.get_ref().as_array().and_then(|list| list.iter().map(|one| self.below(one)).collect::<Option<Vec<_>>>());
        all.unwrap_or_else(|| {
            self.wrong(value, key, &format!("a list of tables: [[{key}]]"));
            Vec::new()
        })
    }

    /// The tables of `[key.NAME]`.
    pub(super) fn named(&mut self, key: &'static str) -> Vec<(At<String>, Self)> {
        let Some(parent) = self.section(key) else { return Vec::new() };
        let mut found = Vec::new();
        for (name, value) in parent.table {
            match self.below(value) {
                Some(section) => found.push((At { value: name.get_ref().to_string(), at: name.span().start }, section)),
                None => self.wrong(value, name.get_ref(), "a table"),
            }
        }
        found
    }

    /// Every key with its bytes, for a table whose keys are not fixed.
    pub(super) fn sizes(&self) -> Vec<(At<String>, Option<u64>)> {
        let one = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            let bytes = size(value.get_ref());
            if bytes.is_none() {
                self.wrong(value, &shown(key.get_ref()), "a whole number, or text such as \"8GiB\"");
            }
            (At { value: key.get_ref().to_string(), at: key.span().start }, bytes)
        };
        self.table.iter().map(one).collect()
    }

    fn below(&self, value: &'d Spanned<DeValue<'d>>) -> Option<Self> {
        Some(Self::new(value.get_ref().as_table()?, value.span().start, self.faults))
    }

    /// Tells of a word that is not known, and those like it.
    pub(super) fn unknown(&self, at: usize, what: &str, word: &str, known: &[&str], otherwise: &str) {
        let alike = likest(word, known.iter().copied());
        let advice = match alike.as_slice() {
            [] => format!("{otherwise} {}", known.join(", ")),
            alike => format!("did you mean {}?", alike.join(" or ")),
        };
        self.faults.add(at, format!("unknown {what} '{}'; {advice}", shown(word)));
    }

    /// Tells of keys that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table {
            let word = key.get_ref().as_ref();
            if !self.known.contains(&word) {
                self.unknown(key.span().start, "key", word, &self.known, "the keys here are");
            }
        }
    }
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn size(value: &DeValue<'_>) -> Option<u64> {
    integer(value).or_else(|| quantity::parse(&value.as_str()?.replacen(' ', "", 1)))
}

/// Reads `500ms`, `50s`, `5m`, `1h`; None when it is no such duration, or none at all.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|number| is_number && *number > 0)?;
    match text.strip_prefix(digits)? {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_whole_number_with_a_unit() {
        for (text, millis) in [("500ms", 500), ("50s", 50_000), ("5m", 300_000), ("1h", 3_600_000)] {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for bad in ["", "s", "5", "0s", "-5s", "5 s", "1.5s", "5d", "+5s", "99999999999999999999s", "18446744073709551615h"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }
}
