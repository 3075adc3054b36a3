//! From a layer to the line of the Dockerfile that made it, and how sure that is.
//!
//! What BuildKit's provenance records comes first; then the history against Dockerfiles at hand; then the FROM for what the base
//! image brought. Everything that is read here was written by the image's maker: it is shown, and decides nothing.

mod choice;
mod history;
mod plan;
mod recorded;
#[cfg(test)]
mod tests;
mod text;

pub use recorded::repository_path;

use std::collections::{BTreeMap, BTreeSet};

use super::base::{Base, Making};
use super::dockerfile::Instruction;
use super::line_hash;
use crate::limits::Limits;
use plan::{Plan, Spot};

/// Bytes of instructions in which names are looked for: what is longer was not written by hand.
const SEARCHED: usize = 32 * 1024;

/// How sure a line is, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The builder's provenance says so.
    Exact,
    /// The history and the Dockerfile agree instruction by instruction.
    Aligned,
    /// One layer holds a whole stage; or it is about the image as a whole.
    Stage,
    /// What the base image brought: the FROM.
    Base,
    /// A Dockerfile was named, and does not agree with the image.
    Given,
}

impl Confidence {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Aligned => "aligned",
            Self::Stage => "stage",
            Self::Base => "base",
            Self::Given => "given",
        }
    }
}

/// What tells of a Dockerfile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FoundBy {
    /// The provenance in the image.
    Provenance,
    /// The user named it.
    #[default]
    Given,
    /// It lies below the folder that the user named.
    SourceRoot,
}

impl FoundBy {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provenance => "provenance",
            Self::Given => "given",
            Self::SourceRoot => "source-root",
        }
    }
}

/// A Dockerfile at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtHand {
    /// Its path from the root of the repository, parts joined by `/`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The Dockerfiles at hand, sorted by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dockerfiles {
    /// The files.
    pub files: Vec<AtHand>,
    /// How they were found.
    pub found_by: FoundBy,
    /// What the search left out, one clause; None when it saw all.
    pub cut: Option<String>,
}

/// The Dockerfile of an image, as far as known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path from the root of the repository, raw.
    pub path: String,
    /// What tells it.
    pub found_by: FoundBy,
    /// The stage that the image is; None when it is not known.
    pub target: Option<String>,
    /// How sure its lines are; None when it has none to show.
    pub confidence: Option<Confidence>,
    /// Why, one clause.
    pub detail: String,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The line to show, from 1: within the instruction.
    pub line: usize,
    /// The instruction.
    pub instruction: Lined,
    /// How sure it is.
    pub confidence: Confidence,
    /// The line's hash, as code scanning computes it.
    pub line_hash: Option<String>,
    /// For a COPY from another stage, instructions there that made what it copies.
    pub related: Vec<Lined>,
}

/// An instruction with its lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lined {
    /// The first line, from 1.
    pub start: usize,
    /// The last line.
    pub end: usize,
    /// What stands on them, on one line, without secrets; raw, not escaped.
    pub text: String,
}

/// What made one layer, or what the image as a whole comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    spot: Spot,
    confidence: Confidence,
    /// The stage whose instructions all may have made it.
    within: Option<usize>,
}

impl Mark {
    fn of(spot: Spot, confidence: Confidence) -> Self {
        Self { spot, confidence, within: None }
    }
}

/// A name that may stand on a line: a path or a package, and whether only where a mode is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Anywhere.
    Name(String),
    /// On a line with `chmod` or `install`.
    Mode(String),
}

/// An image and the Dockerfile that it was built from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// The Dockerfile; None when none is known.
    pub dockerfile: Option<Found>,
    known: Option<Known>,
}

/// A Dockerfile that lines are shown of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    plan: Plan,
    stage: usize,
    /// How sure the Dockerfile and the stage are.
    confidence: Confidence,
    /// By layer.
    marks: Vec<Option<Mark>>,
    /// By line, the first at 0.
    hashes: Vec<String>,
    /// What is shown of the instructions that made layers.
    shown: BTreeMap<Spot, Shown>,
}

/// An instruction, and those that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    instruction: Lined,
    related: Vec<Lined>,
}

impl Known {
    fn new(plan: Plan, stage: usize, confidence: Confidence, marks: Vec<Option<Mark>>) -> Self {
        let hashes = line_hash::of_lines(&plan.bytes);
        let spots: BTreeSet<Spot> = marks.iter().flatten().map(|mark| mark.spot).collect();
        let shown = spots.into_iter().filter_map(|spot| Some((spot, Shown::of(&plan, spot)?))).collect();
        Self { plan, stage, confidence, marks, hashes, shown }
    }
}

/// Finds the Dockerfile of an image among those at hand and in its provenance, and the lines of its layers.
#[must_use]
pub fn attribute(making: &Making<'_>, base: Option<&Base>, at_hand: &Dockerfiles, limits: &Limits) -> Attribution {
    choice::choose(making, base, at_hand, limits)
}

impl Attribution {
    /// The line that made a layer. Where an instruction has several lines, or one layer a whole stage, the one on which the first
    /// of `tokens` stands that stands on one line only.
    #[must_use]
    pub fn of_layer(&self, layer: usize, tokens: &[Token]) -> Option<Location> {
        let known = self.known.as_ref()?;
        let mark = known.marks.get(layer).copied().flatten()?;
        let (spot, line) = known.refined(mark, tokens);
        known.location(spot, line, mark.confidence)
    }

    /// The last line that sets a field of the config (`config.User`, `config.Env.NAME`), else the FROM of the image's stage.
    #[must_use]
    pub fn of_config(&self, field: &str) -> Option<Location> {
        let known = self.known.as_ref()?;
        let Some((keyword, name)) = keyword_of(field) else { return self.of_image() };
        let names_it = |found: &Instruction| name.is_none_or(|name| sets(found, name));
        match known.plan.last_of(known.stage, keyword, names_it) {
            Some(spot) => known.location(spot, None, known.confidence),
            None => self.of_image(),
        }
    }

    /// The FROM of the image's stage.
    #[must_use]
    pub fn of_image(&self) -> Option<Location> {
        let known = self.known.as_ref()?;
        let confidence = match known.confidence {
            Confidence::Given => Confidence::Given,
            _ => Confidence::Stage,
        };
        known.location(Spot::from(known.stage), None, confidence)
    }
}

impl Shown {
    fn of(plan: &Plan, spot: Spot) -> Option<Self> {
        let lined = |spot: Spot| {
            let found = plan.instruction(spot)?;
            Some(Lined { start: found.start, end: found.end, text: plan.shown(spot) })
        };
        Some(Self { instruction: lined(spot)?, related: plan.related(spot).into_iter().filter_map(lined).collect() })
    }
}

impl Known {
    fn location(&self, spot: Spot, line: Option<usize>, confidence: Confidence) -> Option<Location> {
        let Shown { instruction, related } = self.shown.get(&spot).cloned().or_else(|| Shown::of(&self.plan, spot))?;
        let line = line.unwrap_or(instruction.start);
        let line_hash = line.checked_sub(1).and_then(|index| self.hashes.get(index)).cloned();
        Some(Location { line, instruction, confidence, line_hash, related })
    }

    /// The instruction and the line that a token picks.
    fn refined(&self, mark: Mark, tokens: &[Token]) -> (Spot, Option<usize>) {
        let candidates: Vec<Spot> = match mark.within {
            None => vec![mark.spot],
            Some(stage) => {
                let changes = |spot: &Spot| self.plan.instruction(*spot).is_some_and(|found| plan::changes_files(found.keyword));
                self.plan.spots_of(stage).filter(changes).collect()
            }
        };
        let is_one_line = |spot: &Spot| self.plan.instruction(*spot).is_some_and(|found| found.start == found.end);
        if tokens.is_empty() || matches!(candidates.as_slice(), [one] if is_one_line(one)) || !self.is_short(&candidates) {
            return (mark.spot, None);
        }
        let found = tokens.iter().find_map(|token| {
            let lines: BTreeSet<(usize, Spot)> = candidates.iter().flat_map(|spot| self.lines_with(*spot, token)).collect();
            let mut lines = lines.into_iter();
            let first = lines.next()?;
            lines.next().is_none().then_some(first)
        });
        found.map_or((mark.spot, None), |(line, spot)| (spot, Some(line)))
    }

    /// Whether all of these together are short enough to look for many names in them.
    fn is_short(&self, spots: &[Spot]) -> bool {
        let bytes = |found: &Instruction| self.plan.text.bytes(found.start, found.end);
        let each = spots.iter().filter_map(|spot| self.plan.instruction(*spot)).map(bytes);
        each.fold(0, usize::saturating_add) <= SEARCHED
    }

    fn lines_with(&self, spot: Spot, token: &Token) -> Vec<(usize, Spot)> {
        let Some(found) = self.plan.instruction(spot) else { return Vec::new() };
        let with = |word: &str| self.plan.text.with(found.start, found.end, word);
        let lines = match token {
            Token::Name(name) => with(name),
            Token::Mode(name) => {
                let setting: BTreeSet<usize> = ["chmod", "install"].into_iter().flat_map(with).collect();
                with(name).into_iter().filter(|line| setting.contains(line)).collect()
            }
        };
        lines.into_iter().map(|line| (line, spot)).collect()
    }
}

/// The instruction that sets a field of the config, and the name in it that is meant.
fn keyword_of(field: &str) -> Option<(&'static str, Option<&str>)> {
    let field = field.strip_prefix("config.")?;
    let (field, name) = field.split_once('.').map_or((field, None), |(field, name)| (field, Some(name)));
    Some(match field {
        "User" => ("USER", None),
        "Healthcheck" => ("HEALTHCHECK", None),
        "Env" => ("ENV", name),
        "Labels" => ("LABEL", name),
        "Cmd" => ("CMD", None),
        "Entrypoint" => ("ENTRYPOINT", None),
        "ExposedPorts" => ("EXPOSE", name),
        "Volumes" => ("VOLUME", name),
        "StopSignal" => ("STOPSIGNAL", None),
        "WorkingDir" => ("WORKDIR", None),
        "Shell" => ("SHELL", None),
        "OnBuild" => ("ONBUILD", None),
        _ => return None,
    })
}

/// Whether an instruction with `NAME=VALUE` or `NAME VALUE`, or a list of names, has this name.
fn sets(found: &Instruction, name: &str) -> bool {
    let name_of =
        |word: &str| word.split_once('=').map_or(word, |(name, _)| name).trim_matches(['"', '\'', '[', ']', ',']).to_owned();
    let mut words = found.arguments.split_whitespace().map(name_of);
    // `ENV NAME some value` sets one name only
    let is_pairs =
        !matches!(found.keyword, "ENV" | "LABEL") || found.arguments.split_whitespace().next().is_some_and(|it| it.contains('='));
    if is_pairs { words.any(|word| word == name) } else { words.next().is_some_and(|word| word == name) }
}
