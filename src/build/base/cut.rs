//! Where the history of an image stops being its base's: a guess from the habits of builders.
//!
//! A history is one list without marks: the base's lines, then the image's own. These signs of the cut are looked for; when
//! they contradict each other or the lines' times, nothing is said.
//!
//! - buildah writes `FROM NAME` into the comment of the first line of a build (within the build, the id of the step before).
//! - A change of builder: the last lines are all of one builder, those before of another one, of none (the `# debian.sh` of
//!   debuerreotype) or of Bazel (distroless).
//! - A `CMD` or `ENTRYPOINT` that further layers follow: it stands last in nearly every Dockerfile.

use super::times::{Gap, gaps};
use super::{Base, Confidence, Making, ToldBy};
use crate::build::instruction;
use crate::oci::History;

/// What the lines of one build lie apart at most, a long `RUN` included.
const ONE_BUILD: Gap = Gap::Seconds(3600);

/// What wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Builder {
    BuildKit,
    Buildah,
    Classic,
    Kaniko,
    Jib,
    Ko,
    /// Whatever makes base images, or nothing that is known.
    Other,
}

/// A cut that a sign suggests.
struct Cut<'a> {
    /// The first line of the image's own.
    own: usize,
    name: Option<&'a str>,
    reason: String,
}

/// The base that the history suggests.
pub(super) fn base(making: &Making<'_>) -> Option<Base> {
    let history = making.history;
    let made = history.iter().filter(|entry| !entry.empty_layer).count();
    if made != making.diff_ids.len() {
        return None;
    }
    let cut = find(history)?;
    let layers = history.iter().take(cut.own).filter(|entry| !entry.empty_layer).count();
    (layers > 0).then(|| Base {
        name: cut.name.map(str::to_owned),
        layers,
        told_by: ToldBy::History,
        confidence: Confidence::Guess,
        reason: cut.reason,
    })
}

fn find(history: &[History]) -> Option<Cut<'_>> {
    let builders: Vec<Builder> = history.iter().map(builder).collect();
    let change = change_of_builder(&builders);
    let changed_at = change.as_ref().map_or(0, |change| change.own);
    if let Some(from) = from_line(history).filter(|from| changed_at <= from.own) {
        return Some(from);
    }
    let gaps = gaps(history);
    let cut = match start_command(history, &gaps, changed_at) {
        StartCommand::Unclear => return None,
        StartCommand::Absent => change,
        StartCommand::Found(cut) => Some(cut),
    }?;
    let at_cut = gaps.get(cut.own).copied().unwrap_or(Gap::Unknown);
    // base images are older than their children by more than the layers of one build lie apart: a wider gap further on says
    // that there is another base on top
    let later = gaps.iter().skip(cut.own.saturating_add(1)).max().copied().unwrap_or(Gap::Unknown);
    (later <= ONE_BUILD || later <= at_cut).then_some(cut)
}

/// Who wrote a line, by what each writes into it.
fn builder(entry: &History) -> Builder {
    let created_by = entry.created_by.as_str();
    match (entry.author.as_str(), entry.comment.as_str()) {
        ("kaniko", _) => Builder::Kaniko,
        ("Jib", _) => Builder::Jib,
        ("ko", _) => Builder::Ko,
        (_, "buildkit.dockerfile.v0") => Builder::BuildKit,
        (_, comment) if comment.starts_with("FROM ") => Builder::Buildah,
        (_, "") if created_by.starts_with("/bin/sh -c ") || created_by.starts_with('|') => Builder::Classic,
        _ => Builder::Other,
    }
}

/// The last build by buildah that began from a named image.
fn from_line(history: &[History]) -> Option<Cut<'_>> {
    let is_id = |name: &str| name.len() >= 12 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let names = history.iter().map(|entry| entry.comment.strip_prefix("FROM ").map(str::trim));
    let mut named =
        names.enumerate().filter_map(|(own, name)| Some((own, name.filter(|name| !name.is_empty() && !is_id(name))?)));
    let (own, name) = named.next_back()?;
    Some(Cut {
        own,
        name: Some(name),
        reason: format!("the comment of history line {own} says FROM this image, as buildah writes it"),
    })
}

/// Where the last run of lines by one builder begins.
fn change_of_builder(builders: &[Builder]) -> Option<Cut<'static>> {
    let last = *builders.last().filter(|last| **last != Builder::Other)?;
    // the first step of buildah's FROM scratch has no comment, and looks like the classic builder's
    let is_same = |builder: Builder| builder == last || (last == Builder::Buildah && builder == Builder::Classic);
    let before = builders.iter().rposition(|builder| !is_same(*builder))?;
    let own = before.saturating_add(1);
    Some(Cut { own, name: None, reason: format!("another builder wrote the history from line {own} on") })
}

enum StartCommand<'a> {
    Found(Cut<'a>),
    Absent,
    /// There are start commands, and they can be the base's or the image's own.
    Unclear,
}

/// The last `CMD` or `ENTRYPOINT` of the base, where it stands in the lines that one builder wrote, from `changed_at` on.
fn start_command(history: &[History], gaps: &[Gap], changed_at: usize) -> StartCommand<'static> {
    let words: Vec<String> = history.iter().map(keyword).collect();
    let Some(last_layer) = history.iter().rposition(|entry| !entry.empty_layer) else { return StartCommand::Unclear };
    let command = match overridden(&words, last_layer) {
        Some(command) => Some(command),
        None => {
            let trailing = words.iter().skip(last_layer);
            if trailing.skip_while(|word| *word != "CMD").skip(1).any(|word| !MAY_FOLLOW.contains(&word.as_str())) {
                // the CMD may be the base's, and what follows it all that the image adds
                return StartCommand::Unclear;
            }
            words.iter().take(last_layer).rposition(|word| is_start(word))
        }
    };
    let Some(own) = command.map(|command| command.saturating_add(1)).filter(|own| *own > changed_at) else {
        return StartCommand::Absent;
    };
    let is_root_and_command = own == 2 && history.first().is_some_and(is_root_filesystem);
    let gap = gaps.get(own).copied().unwrap_or(Gap::Unknown);
    if gap <= ONE_BUILD && !is_root_and_command {
        return StartCommand::Unclear;
    }
    let word = words.get(changed_at.max(own.saturating_sub(1))).map_or("", String::as_str);
    let reason = format!("the image goes on after the {word} before history line {own}, and {word} ends most Dockerfiles");
    StartCommand::Found(Cut { own, name: None, reason })
}

/// Of two `CMD` or two `ENTRYPOINT` after the last layer, the first: a Dockerfile has one, so the image only adds to the config.
fn overridden(words: &[String], last_layer: usize) -> Option<usize> {
    ["CMD", "ENTRYPOINT"].into_iter().find_map(|start| {
        let mut found = words.iter().enumerate().skip(last_layer).filter(|(_, word)| *word == start).map(|(index, _)| index);
        let _ = found.next_back()?;
        found.next_back()
    })
}

/// Instructions that people and tools (`--label`) put after the `CMD` of one Dockerfile.
const MAY_FOLLOW: [&str; 5] = ["EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL"];

fn is_start(word: &str) -> bool {
    matches!(word, "CMD" | "ENTRYPOINT")
}

/// The instruction's keyword, where it made no layer.
fn keyword(entry: &History) -> String {
    let line = if entry.empty_layer { instruction::tidy(&entry.created_by).unwrap_or_default() } else { String::new() };
    line.split(' ').next().unwrap_or_default().to_owned()
}

/// Whether the line unpacks an archive into the root folder.
fn is_root_filesystem(entry: &History) -> bool {
    let line = instruction::tidy(&entry.created_by).unwrap_or_default();
    line.starts_with("ADD ") && (line.ends_with(" in /") || line.ends_with(" /"))
}

#[cfg(test)]
#[path = "cut_tests.rs"]
mod tests;
