//! A policy and all that it extends: read, laid over one another, every value with its place.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize as _;
use toml::de::DeTable;

use super::error::PolicyError;
use super::file::PolicyFile;
use super::likeness;
use super::load::Read;
use super::place::{Place, Spot, Text};
use super::shipped;
use super::tree::{self, Node, NotFinite};

/// Policies above one another.
const MOST_ABOVE: usize = 8;
/// Policies in all, read and laid over one another.
const MOST_IN_ALL: usize = 32;

/// Keys that speak of one file alone.
const OWN_KEYS: [&str; 3] = ["name", "description", "extends"];

/// What a policy is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A shipped policy.
    Shipped(String),
    /// A file.
    File(PathBuf),
}

impl Origin {
    /// What `--policy` or `extends` means by a word; paths are relative to the file that holds the word.
    pub(super) fn of(word: &str, asked_by: Option<&Self>) -> Self {
        if shipped::is_name(word) {
            return Self::Shipped(word.to_owned());
        }
        let path = match asked_by {
            Some(Self::File(path)) => path.parent().unwrap_or(Path::new("")).join(word),
            _ => PathBuf::from(word),
        };
        Self::File(path.components().filter(|part| *part != Component::CurDir).collect())
    }

    /// The name in places.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Shipped(name) => shipped::file_name(name),
            Self::File(path) => path.to_string_lossy().into_owned(),
        }
    }

    /// The same for two ways to write one path, so far as the path alone tells.
    fn plain(&self) -> Self {
        let Self::File(path) = self else { return self.clone() };
        let mut plain = PathBuf::new();
        for part in path.components() {
            let goes_up = part == Component::ParentDir && matches!(plain.components().next_back(), Some(Component::Normal(_)));
            if goes_up {
                plain.pop();
            } else {
                plain.push(part);
            }
        }
        Self::File(plain)
    }
}

/// Files that are laid over one another.
pub(super) struct Chain<'c, 'r> {
    read: &'c mut Read<'r>,
    /// Every text, in the order in which it was read.
    pub(super) texts: Vec<Text>,
    /// Origins of the texts, and whether all that they extend is laid under them.
    origins: Vec<(Origin, bool)>,
    /// What is laid over one another so far.
    pub(super) merged: Option<Node>,
}

impl<'c, 'r> Chain<'c, 'r> {
    pub(super) fn new(read: &'c mut Read<'r>) -> Self {
        Self { read, texts: Vec::new(), origins: Vec::new(), merged: None }
    }

    /// Lays a policy, and before it all that it extends, over what is there. Deeper by one with each `above`, which is bounded.
    pub(super) fn lay(&mut self, origin: &Origin, asked_at: Option<&Place>, above: usize) -> Result<(), PolicyError> {
        let is_last = asked_at.is_none();
        let place = asked_at.cloned().unwrap_or_else(|| Place::start_of(&origin.name()));
        if above > MOST_ABOVE {
            return Err(PolicyError::TooMany { place, limit: MOST_ABOVE, how: "above one another" });
        }
        if self.texts.len() >= MOST_IN_ALL {
            return Err(PolicyError::TooMany { place, limit: MOST_IN_ALL, how: "in all" });
        }
        let text = self.text(origin, asked_at)?;
        let known = self.origins.iter().zip(&self.texts).find(|((other, _), held)| {
            // links may make one path of two files: only the same text is the same file
            other.plain() == origin.plain() && held.as_str() == text
        });
        match known {
            Some(((_, true), _)) => return Ok(()),
            Some(((_, false), _)) => return Err(PolicyError::Circle { place, file: origin.name() }),
            None => {}
        }
        let index = self.texts.len();
        let text = Text::new(origin.name(), text);
        let (file, mut tree) = parse(&text, index)?;
        self.texts.push(text);
        self.origins.push((origin.clone(), false));
        let asked = file.extends.as_ref().map(|extends| extends.all().to_vec()).unwrap_or_default();
        for (number, word) in asked.iter().enumerate() {
            let node = tree.below(&["extends", &number.to_string()]).or_else(|| tree.below(&["extends"]));
            let place = self.place(node.map_or(tree.at, |node| node.at));
            self.lay(&Origin::of(word, Some(origin)), Some(&place), above.saturating_add(1))?;
        }
        if !is_last {
            tree.forget(&OWN_KEYS);
        }
        match &mut self.merged {
            Some(under) => under.lay_over(tree, ""),
            None => self.merged = Some(tree),
        }
        if let Some((_, is_laid)) = self.origins.get_mut(index) {
            *is_laid = true;
        }
        Ok(())
    }

    /// Where a byte of the chain stands.
    pub(super) fn place(&self, spot: Spot) -> Place {
        self.texts.get(spot.file).map_or_else(|| Place::start_of(""), |text| text.place(spot.offset))
    }

    fn text(&mut self, origin: &Origin, asked_at: Option<&Place>) -> Result<String, PolicyError> {
        let place = asked_at.cloned();
        match origin {
            Origin::Shipped(name) => shipped::text(name).map(ToOwned::to_owned).ok_or_else(|| {
                let names: Vec<&str> = shipped::SHIPPED.iter().map(|(name, _)| *name).collect();
                let otherwise =
                    format!("there are {}; a file's name ends with .toml or holds a slash: ./{name}", names.join(", "));
                let advice = likeness::advice(name, names.into_iter(), &otherwise);
                PolicyError::UnknownPolicy { place, name: name.clone(), advice }
            }),
            Origin::File(path) => (self.read)(path).map_err(|problem| PolicyError::Unreadable {
                place,
                file: path.to_string_lossy().into_owned(),
                problem,
            }),
        }
    }
}

/// One text: its kinds and keys held by the structs, and its tree.
pub(super) fn parse(text: &Text, index: usize) -> Result<(PolicyFile, Node), PolicyError> {
    let told = |error: &toml::de::Error| {
        let place = text.place(error.span().map_or(0, |span| span.start));
        wrong(place, error.message())
    };
    let table = DeTable::parse(text.as_str()).map_err(|error| told(&error))?;
    let file = PolicyFile::deserialize(toml::de::Deserializer::from(table.clone())).map_err(|error| told(&error))?;
    let tree = tree::plant(&table, index).map_err(|NotFinite(offset)| PolicyError::Malformed {
        place: text.place(offset),
        problem: "this is not a finite number".to_owned(),
    })?;
    Ok((file, tree))
}

/// An error of the parser, with what was probably meant.
fn wrong(place: Place, message: &str) -> PolicyError {
    let unknown = |prefix: &str| message.strip_prefix(prefix)?.split_once("`, expected ");
    for (prefix, what, list) in
        [("unknown field `", "key", "the keys here are"), ("unknown variant `", "value", "the values here are")]
    {
        if let Some((word, expected)) = unknown(prefix) {
            let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
            let advice = likeness::advice(word, known.iter().copied(), &format!("{list} {}", known.join(", ")));
            return PolicyError::UnknownWord { place, what, word: word.to_owned(), advice };
        }
    }
    if message == "wanted string or table" {
        return PolicyError::Malformed { place, problem: "this must be a word in quotes".to_owned() };
    }
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let problem = missing.map_or_else(|| message.to_owned(), |key| format!("the key `{key}` is missing here"));
    PolicyError::Malformed { place, problem }
}
