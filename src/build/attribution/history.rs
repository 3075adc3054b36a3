//! A history against a Dockerfile: the stage whose instructions, by their keywords, are the end of the history.
//!
//! BuildKit, the classic builder and buildah write one entry for each instruction of a stage; texts are not compared, since no two
//! builders write them alike, but for the commands of RUN: a stage none of whose commands is in the history is another one of the
//! same shape. kaniko writes only the instructions that changed files.

use super::plan::{Entry, Plan, Spot, changes_files};
use super::{Confidence, Mark};
use crate::build::base::{self, Base};
use crate::build::dockerfile::{Instruction, KEYWORDS};
use crate::build::instruction;
use crate::oci::History;

/// One entry of a history, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    keyword: Option<&'static str>,
    makes_layer: bool,
    is_kaniko: bool,
    /// buildah writes what the entry was built on into its comment.
    names_base: bool,
}

/// A history whose entries and layers agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lines {
    lines: Vec<Line>,
    /// What each entry says, on one line, without what builders put around it.
    texts: Vec<String>,
}

/// A stage that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fit {
    pub(super) stage: usize,
    /// What each entry at the end of the history comes from.
    entries: Vec<Entry>,
}

impl Fit {
    /// How many entries agree.
    pub(super) fn length(&self) -> usize {
        self.entries.len()
    }
}

impl Lines {
    /// Err says why nothing can be aligned with it.
    pub(super) fn read(history: &[History], layers: usize) -> Result<Self, String> {
        let texts: Vec<String> = history.iter().map(|entry| instruction::tidy(&entry.created_by).unwrap_or_default()).collect();
        let lines: Vec<Line> = history.iter().zip(&texts).map(|(entry, text)| line(entry, text)).collect();
        let made = lines.iter().filter(|line| line.makes_layer).count();
        let Some(last) = lines.last() else { return Err("the image has no history".to_owned()) };
        if last.keyword.is_none() {
            return Err("the image's history was not written by a builder that reads Dockerfiles".to_owned());
        }
        if made != layers {
            return Err(format!("the history tells of {}, and the image has {layers}", counted(made, "layer")));
        }
        Ok(Self { lines, texts })
    }

    fn is_kaniko(&self) -> bool {
        self.lines.last().is_some_and(|line| line.is_kaniko)
    }

    /// What `stage` writes, where that is the end of the history.
    fn fit(&self, plan: &Plan, stage: usize, base: Option<&Base>) -> Option<Fit> {
        let written = plan.entries(stage);
        let variants = if self.is_kaniko() {
            let only = |with_folders: bool| {
                let is_kept = |entry: &&Entry| changes_files(entry.keyword) || (with_folders && entry.keyword == "WORKDIR");
                written.iter().filter(is_kept).copied().collect()
            };
            vec![only(true), only(false)]
        } else {
            vec![written]
        };
        variants
            .into_iter()
            .find(|entries| self.ends_with(entries) && self.begins_well(plan, stage, entries, base))
            .filter(|entries| self.foreign_command(plan, entries).is_none())
            .map(|entries| Fit { stage, entries })
    }

    fn ends_with(&self, entries: &[Entry]) -> bool {
        let is_equal = |(line, entry): (&Line, &Entry)| line.keyword == Some(entry.keyword) && line.is_kaniko == self.is_kaniko();
        let pairs = self.lines.iter().rev().zip(entries.iter().rev());
        !entries.is_empty() && entries.len() <= self.lines.len() && pairs.into_iter().all(is_equal)
    }

    /// What stands before the stage's entries must be able to be its base image.
    fn begins_well(&self, plan: &Plan, stage: usize, entries: &[Entry], base: Option<&Base>) -> bool {
        let before = self.lines.len().saturating_sub(entries.len());
        let layers = self.lines.iter().take(before).filter(|line| line.makes_layer).count();
        let is_inside_base = base.is_some_and(|base| base.confidence == base::Confidence::Certain && layers < base.layers);
        let fits_from = match plan.is_from_scratch(stage) {
            Some(true) => before == 0,
            Some(false) => before > 0,
            None => true,
        };
        fits_from && !is_inside_base
    }

    /// The stages of a plan that fit, or the one that is asked for.
    pub(super) fn fits(&self, plan: &Plan, only: Option<usize>, base: Option<&Base>) -> Vec<Fit> {
        let stages = 0..plan.file.stages.len();
        stages.filter(|stage| only.is_none_or(|only| only == *stage)).filter_map(|stage| self.fit(plan, stage, base)).collect()
    }

    /// The first command of the entries, when the history has none of them: then the Dockerfile is another one of the same shape.
    /// Every builder writes the command of a RUN as it stands, behind the shell; heredocs and lists are written in ways of their own.
    fn foreign_command(&self, plan: &Plan, entries: &[Entry]) -> Option<Spot> {
        let before = self.lines.len().saturating_sub(entries.len());
        let mut first = None;
        for (text, entry) in self.texts.iter().skip(before).zip(entries).filter(|(_, entry)| entry.keyword == "RUN") {
            let is_plain = |found: &&Instruction| found.heredocs.is_empty() && !found.arguments.starts_with('[');
            let Some(found) = entry.spot.at.and_then(|_| plan.instruction(entry.spot)).filter(is_plain) else { continue };
            if text.ends_with(&found.arguments.split_whitespace().collect::<Vec<_>>().join(" ")) {
                return None;
            }
            first = first.or(Some(entry.spot));
        }
        first
    }

    /// Whether there are commands among the entries, and all of them are those of the stage, word for word: what tells stages apart
    /// that fit equally well.
    pub(super) fn has_commands_of(&self, plan: &Plan, fit: &Fit) -> bool {
        let before = self.lines.len().saturating_sub(fit.entries.len());
        let commands = self.texts.iter().skip(before).zip(&fit.entries).filter(|(_, entry)| entry.keyword == "RUN");
        let is_equal = |(text, entry): (&String, &Entry)| {
            let arguments = plan.instruction(entry.spot).map(|found| found.arguments.split_whitespace());
            arguments.is_some_and(|words| std::iter::once("RUN").chain(words).eq(text.split(' ')))
        };
        let agree: Vec<bool> = commands.map(is_equal).collect();
        !agree.is_empty() && agree.into_iter().all(|agrees| agrees)
    }

    /// For each layer the instruction that made it; the FROM for what stands before.
    pub(super) fn marks(&self, plan: &Plan, fit: &Fit) -> Vec<Option<Mark>> {
        let before = self.lines.len().saturating_sub(fit.entries.len());
        let from = plan.outermost(fit.stage);
        let inherited = self.lines.iter().take(before).filter(|line| line.makes_layer);
        let mut marks: Vec<Option<Mark>> = inherited.map(|_| Some(Mark::of(from, Confidence::Base))).collect();
        let own: Vec<(&Line, &Entry)> = self.lines.iter().skip(before).zip(&fit.entries).collect();
        for group in own.chunk_by(|a, b| a.1.spot.stage == b.1.spot.stage) {
            let is_squashed = is_squashed(group);
            for (line, entry) in group.iter().filter(|(line, _)| line.makes_layer) {
                let is_config = !changes_files(entry.keyword) && entry.keyword != "WORKDIR";
                marks.push(Some(match entry.spot.at {
                    _ if is_squashed || is_config => {
                        Mark { spot: Spot::from(entry.spot.stage), confidence: Confidence::Stage, within: Some(entry.spot.stage) }
                    }
                    None => Mark::of(entry.spot, Confidence::Base),
                    Some(_) => Mark::of(entry.spot, Confidence::Aligned),
                }));
                debug_assert!(line.keyword == Some(entry.keyword));
            }
        }
        marks
    }

    /// Why no stage of a plan fits: where the one that comes closest parts from the history.
    pub(super) fn parting(&self, plan: &Plan, only: Option<usize>) -> (usize, String) {
        let mut best = (0, "the Dockerfile's stages have no instructions".to_owned());
        for stage in (0..plan.file.stages.len()).filter(|stage| only.is_none_or(|only| only == *stage)) {
            let entries = plan.entries(stage);
            let pairs = || self.lines.iter().rev().zip(entries.iter().rev());
            let common = pairs().take_while(|(line, entry)| line.keyword == Some(entry.keyword)).count();
            if common < best.0 || entries.is_empty() {
                continue;
            }
            let why = match pairs().nth(common) {
                Some((line, entry)) => {
                    let has = line.keyword.unwrap_or("nothing of a Dockerfile");
                    let at = plan.instruction(entry.spot).map_or(0, |found| found.start);
                    format!("the history has {has} where the Dockerfile has {} (line {at})", entry.keyword)
                }
                None if entries.len() > self.lines.len() => {
                    let (has, all) = (counted(self.lines.len(), "entry"), counted(entries.len(), "instruction"));
                    format!("the history has {has}, and the stage {} has {all}", plan.name(stage))
                }
                None => match self.foreign_command(plan, &entries).and_then(|spot| plan.instruction(spot)) {
                    Some(command) => {
                        format!("the history has none of the Dockerfile's commands, such as that of line {}", command.start)
                    }
                    None => format!("what stands before the stage {} in the history cannot be its base image", plan.name(stage)),
                },
            };
            best = (common, why);
        }
        best
    }
}

/// Whether one layer holds all that a stage did, as buildah makes it without `--layers`: only the last entry makes one,
/// although others before it change files.
fn is_squashed(group: &[(&Line, &Entry)]) -> bool {
    let Some(((last, _), others)) = group.split_last() else { return false };
    let is_empty = |keywords: &[&str]| others.iter().any(|(_, entry)| keywords.contains(&entry.keyword));
    let is_only = last.makes_layer && others.iter().all(|(line, _)| !line.makes_layer);
    // a RUN that changes nothing makes no layer with the classic builder either
    let is_buildah = last.names_base && others.iter().all(|(line, _)| !line.names_base);
    is_only && (is_empty(&["ADD", "COPY"]) || (is_buildah && is_empty(&["RUN"])))
}

fn line(entry: &History, text: &str) -> Line {
    let word = text.split(' ').next().unwrap_or_default();
    Line {
        // a FROM begins a history, and is in none
        keyword: KEYWORDS.into_iter().find(|keyword| *keyword == word && word != "FROM"),
        makes_layer: !entry.empty_layer,
        is_kaniko: entry.author == "kaniko",
        names_base: entry.comment.starts_with("FROM "),
    }
}

/// `1 layer`, `2 layers`, `3 entries`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if noun == "entry" => format!("{count} {stem}ies"),
        _ => format!("{count} {noun}s"),
    }
}
