//! A Dockerfile as a plan of images: which stage is built on which, and what each writes into a history.

use std::collections::BTreeMap;

use super::text::{Text, stands_in};
use crate::build::dockerfile::{self, Dockerfile, DockerfileError, Instruction, Stage};
use crate::limits::Limits;

/// Instructions of another stage that are named beside a COPY.
const RELATED: usize = 3;
/// Paths of one COPY that are looked for.
const SOURCES: usize = 8;

/// An instruction of a stage; the FROM where `at` is None.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) stage: usize,
    pub(super) at: Option<usize>,
}

impl Spot {
    pub(super) fn from(stage: usize) -> Self {
        Self { stage, at: None }
    }
}

/// What one instruction writes into a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The keyword that is written.
    pub(super) keyword: &'static str,
    /// The instruction; the FROM for what a stage's ONBUILD sets off in another stage.
    pub(super) spot: Spot,
}

/// One Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) path: String,
    pub(super) file: Dockerfile,
    pub(super) text: Text,
    pub(super) bytes: Vec<u8>,
    /// By stage: the earlier stage that it is built on.
    parents: Vec<Option<usize>>,
    /// By stage: the base with its variables replaced, as far as known.
    bases: Vec<String>,
}

impl Plan {
    /// `arguments` are the build arguments that were asked for, as far as known.
    pub(super) fn read(
        path: &str,
        bytes: &[u8],
        arguments: &BTreeMap<String, String>,
        limits: &Limits,
    ) -> Result<Self, DockerfileError> {
        let file = dockerfile::parse(bytes, limits)?;
        limits.dockerfile_stages(u64::try_from(file.stages.len()).unwrap_or(u64::MAX))?;
        let values = global_arguments(&file.global, arguments);
        let bases: Vec<String> = file.stages.iter().map(|stage| expanded(&stage.base, &values)).collect();
        let parent = |(index, base): (usize, &String)| {
            let name = base.to_lowercase();
            file.stages.iter().take(index).rposition(|stage| stage.name.as_deref() == Some(&name))
        };
        let parents = bases.iter().enumerate().map(parent).collect();
        let text = Text::new(bytes, file.escape);
        Ok(Self { path: path.to_owned(), file, text, bytes: bytes.to_vec(), parents, bases })
    }

    fn stage(&self, index: usize) -> Option<&Stage> {
        self.file.stages.get(index)
    }

    pub(super) fn instruction(&self, spot: Spot) -> Option<&Instruction> {
        let stage = self.stage(spot.stage)?;
        spot.at.map_or(Some(&stage.from), |at| stage.instructions.get(at))
    }

    /// The stage that is asked for, by name or number; the last one when none is.
    pub(super) fn target(&self, asked: Option<&str>) -> Option<usize> {
        let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return self.file.stages.len().checked_sub(1) };
        let name = asked.to_lowercase();
        let by_name = self.file.stages.iter().position(|stage| stage.name.as_deref() == Some(&name));
        by_name.or_else(|| asked.parse().ok().filter(|number| *number < self.file.stages.len()))
    }

    /// What a stage is called in reports: its name, or its number.
    pub(super) fn name(&self, stage: usize) -> String {
        self.stage(stage).and_then(|stage| stage.name.clone()).unwrap_or_else(|| stage.to_string())
    }

    /// A stage and those that it is built on, the first one of them first.
    pub(super) fn chain(&self, stage: usize) -> Vec<usize> {
        // a parent stands before its child, so this ends
        let mut chain: Vec<usize> =
            std::iter::successors(Some(stage), |stage| self.parents.get(*stage).copied().flatten()).collect();
        chain.reverse();
        chain
    }

    /// The FROM that names the base image of a stage, through all stages that it is built on.
    pub(super) fn outermost(&self, stage: usize) -> Spot {
        Spot::from(self.chain(stage).first().copied().unwrap_or(stage))
    }

    /// Whether the stage begins with nothing; None when a variable decides.
    pub(super) fn is_from_scratch(&self, stage: usize) -> Option<bool> {
        let base = self.bases.get(self.outermost(stage).stage)?;
        (!base.contains('$')).then_some(base == "scratch")
    }

    /// What an image of this stage has in its history behind that of its base image.
    pub(super) fn entries(&self, stage: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut triggers: Vec<&'static str> = Vec::new();
        for index in self.chain(stage) {
            let Some(stage) = self.stage(index) else { continue };
            entries.extend(triggers.drain(..).map(|keyword| Entry { keyword, spot: Spot::from(index) }));
            for (at, instruction) in stage.instructions.iter().enumerate() {
                entries.push(Entry { keyword: instruction.keyword, spot: Spot { stage: index, at: Some(at) } });
                triggers.extend(instruction.trigger.as_ref().map(|trigger| trigger.keyword));
            }
        }
        entries
    }

    /// Every FROM and instruction.
    pub(super) fn spots(&self) -> impl Iterator<Item = Spot> {
        self.file.stages.iter().enumerate().flat_map(|(stage, found)| {
            std::iter::once(None).chain((0..found.instructions.len()).map(Some)).map(move |at| Spot { stage, at })
        })
    }

    /// Every instruction of one stage, without its FROM.
    pub(super) fn spots_of(&self, stage: usize) -> impl Iterator<Item = Spot> {
        let count = self.stage(stage).map_or(0, |stage| stage.instructions.len());
        (0..count).map(move |at| Spot { stage, at: Some(at) })
    }

    /// The instruction that a line belongs to.
    pub(super) fn spot_on(&self, line: usize) -> Option<Spot> {
        let stage = self.file.stages.partition_point(|stage| stage.from.start <= line).checked_sub(1)?;
        let found = self.stage(stage)?;
        let at = found.instructions.partition_point(|instruction| instruction.start <= line).checked_sub(1);
        let spot = Spot { stage, at };
        self.instruction(spot).filter(|instruction| line <= instruction.end).map(|_| spot)
    }

    /// The last instruction with this keyword, of the stage or of one that it is built on, that `is_meant`.
    pub(super) fn last_of(&self, stage: usize, keyword: &str, is_meant: impl Fn(&Instruction) -> bool) -> Option<Spot> {
        self.chain(stage).into_iter().rev().find_map(|index| {
            let is_it = |found: &Instruction| found.keyword == keyword && is_meant(found);
            let at = self.stage(index)?.instructions.iter().rposition(is_it)?;
            Some(Spot { stage: index, at: Some(at) })
        })
    }

    /// An instruction on one line, without secrets.
    pub(super) fn shown(&self, spot: Spot) -> String {
        self.instruction(spot).map(|found| self.text.shown(found.start, found.end)).unwrap_or_default()
    }

    /// An instruction on one line, whole.
    pub(super) fn joined(&self, spot: Spot) -> String {
        self.instruction(spot).map(|found| self.text.joined(found.start, found.end)).unwrap_or_default()
    }

    /// For a COPY from another stage, the instructions there that name what is copied; when none does, the last one there that
    /// changes files.
    pub(super) fn related(&self, spot: Spot) -> Vec<Spot> {
        let Some(copy) = self.instruction(spot).filter(|found| found.keyword == "COPY") else { return Vec::new() };
        let Some(from) = copy.flags.iter().find_map(|flag| flag.strip_prefix("--from=")) else { return Vec::new() };
        let Some(source) = self.target(Some(from)).filter(|source| *source < spot.stage) else { return Vec::new() };
        let sources = sources(&copy.arguments);
        let makers: Vec<Spot> =
            self.entries(source).iter().filter(|entry| changes_files(entry.keyword)).map(|entry| entry.spot).collect();
        let names = |spot: &Spot| {
            let text = self.joined(*spot);
            sources.iter().any(|source| stands_in(&text, source))
        };
        let naming: Vec<Spot> = makers.iter().copied().filter(|spot| spot.at.is_some() && names(spot)).take(RELATED).collect();
        if naming.is_empty() { makers.last().copied().into_iter().collect() } else { naming }
    }
}

/// Whether an instruction is one that changes files: WORKDIR only makes a folder.
pub(super) fn changes_files(keyword: &str) -> bool {
    matches!(keyword, "ADD" | "COPY" | "RUN")
}

/// What a COPY copies, without a slash at the end; a single slash is everything, and names nothing.
fn sources(arguments: &str) -> Vec<String> {
    let words: Vec<String> = serde_json::from_str(arguments)
        .unwrap_or_else(|_| arguments.split_whitespace().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect());
    let count = words.len().saturating_sub(1);
    let clean = |word: String| word.trim_end_matches(['/', '*', '.']).trim_end_matches('/').to_owned();
    words.into_iter().take(count).map(clean).filter(|word| word.len() > 1).take(SOURCES).collect()
}

/// The values of ARG before the first FROM.
fn global_arguments(global: &[Instruction], asked: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for word in global.iter().flat_map(|argument| argument.arguments.split_whitespace()) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let value = expanded(value.trim_matches(['"', '\'']), &values);
        values.insert(name.to_owned(), asked.get(name).cloned().unwrap_or(value));
    }
    values
}

/// `$NAME`, `${NAME}` and `${NAME:-VALUE}` replaced where the value is known; what is not keeps its `$`.
fn expanded(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, default, left) = if let Some((inner, left)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
            (name, default, left)
        } else {
            let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
            (after.get(..end).unwrap_or_default(), None, after.get(end..).unwrap_or_default())
        };
        if let Some(value) = values.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(default) {
            out.push_str(value);
        } else {
            out.push('$');
            out.push_str(name);
        }
        rest = left;
    }
    out.push_str(rest);
    out
}
