//! Dockerfiles: stages and instructions with the lines that they stand on, cut as BuildKit's parser cuts them
//! (`frontend/dockerfile/parser` of moby/buildkit).
//!
//! Only what tells where an instruction begins, ends and belongs is read: variables are not expanded, and arguments are not
//! checked. Lines count from 1. Bytes that are no UTF-8 become U+FFFD.

mod command;
mod lines;
#[cfg(test)]
mod tests;
mod words;

use std::ops::Range;

use crate::limits::{LimitHit, Limits};
use command::Command;
pub(in crate::build) use command::KEYWORDS;
use lines::{Line, Lines};

/// One Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dockerfile {
    /// The character that continues lines: `\`, or a backtick when the escape directive says so.
    pub escape: char,
    /// The parser directives at the top (`syntax`, `escape`, `check`), in order, each once.
    pub directives: Vec<Directive>,
    /// What stands before the first FROM: only ARG may.
    pub global: Vec<Instruction>,
    /// The stages, in order; at least one.
    pub stages: Vec<Stage>,
}

/// A parser directive, such as `# syntax=docker/dockerfile:1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The name, in lower case.
    pub name: &'static str,
    /// The value without the spaces around it.
    pub value: String,
    /// The line.
    pub line: usize,
}

/// From one FROM to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The name after AS, in lower case as BuildKit compares it; not checked to be one that BuildKit takes.
    pub name: Option<String>,
    /// What the stage is built on, as written: an image, an earlier stage or `scratch`; may hold variables.
    pub base: String,
    /// The value of `--platform`, as written.
    pub platform: Option<String>,
    /// The FROM itself; the stage begins on its first line.
    pub from: Instruction,
    /// What follows the FROM, in order.
    pub instructions: Vec<Instruction>,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// The keyword, in upper case.
    pub keyword: &'static str,
    /// The words with `--` right after the keyword, without their quotes.
    pub flags: Vec<String>,
    /// What follows the flags, continued lines joined, comments and empty lines among them left out; no heredoc bodies.
    pub arguments: String,
    /// The first line.
    pub start: usize,
    /// The last line: of the last heredoc's end, or the last that was read for a continuation.
    pub end: usize,
    /// The heredocs of RUN, COPY and ADD (also behind ONBUILD), in order.
    pub heredocs: Vec<Heredoc>,
    /// What an ONBUILD sets off; none for all others.
    pub trigger: Option<Trigger>,
}

/// The instruction behind ONBUILD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The keyword, in upper case.
    pub keyword: &'static str,
    /// As of an instruction.
    pub flags: Vec<String>,
    /// As of an instruction.
    pub arguments: String,
}

/// A here-document: `<<NAME` and the lines up to the one that is `NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, without quotes.
    pub name: String,
    /// Whether tabs at the start of its lines do not count (`<<-`).
    pub strips_tabs: bool,
    /// Whether variables in it are expanded: no part of the word is quoted.
    pub expands: bool,
    /// The lines of the body; the line that ends it is `body.end`.
    pub body: Range<usize>,
}

/// Why a text is no Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerfileError {
    /// A cap of `Limits` was hit.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The escape directive's value is neither `\` nor a backtick.
    #[error("line {line}: the escape directive must be \\ or `")]
    Escape {
        /// The line.
        line: usize,
    },
    /// A parser directive stands twice.
    #[error("line {line}: the directive {name} stands twice")]
    Repeated {
        /// The line of the second.
        line: usize,
        /// The directive.
        name: &'static str,
    },
    /// A keyword that no Dockerfile has.
    #[error("line {line}: unknown instruction {keyword:?}")]
    Unknown {
        /// The instruction's first line.
        line: usize,
        /// The word, as written; at most 32 characters of it.
        keyword: String,
    },
    /// An instruction other than ARG before the first FROM.
    #[error("line {line}: {keyword} stands before the first FROM")]
    NoStage {
        /// The instruction's first line.
        line: usize,
        /// Its keyword.
        keyword: &'static str,
    },
    /// A FROM that is not `FROM BASE` or `FROM BASE AS NAME`.
    #[error("line {line}: FROM takes a base, or a base, AS and a name")]
    From {
        /// The instruction's first line.
        line: usize,
    },
    /// An ONBUILD without an instruction, or with one that it must not set off.
    #[error("line {line}: ONBUILD takes an instruction other than ONBUILD, FROM and MAINTAINER")]
    Onbuild {
        /// The instruction's first line.
        line: usize,
    },
    /// A heredoc's word cannot be read.
    #[error("line {line}: the word after << cannot be read")]
    Heredoc {
        /// The instruction's first line.
        line: usize,
    },
    /// The file ends before the heredoc does.
    #[error("line {line}: a heredoc does not end")]
    Unterminated {
        /// The instruction's first line.
        line: usize,
    },
    /// There is no FROM.
    #[error("there is no FROM")]
    Empty,
}

/// Reads a Dockerfile.
pub fn parse(text: &[u8], limits: &Limits) -> Result<Dockerfile, DockerfileError> {
    let mut lines = Lines::new(text, limits)?;
    let (mut global, mut stages) = (Vec::new(), Vec::<Stage>::new());
    while let Some(line) = lines.next_logical()? {
        let instruction = instruction(&line, &mut lines)?;
        if instruction.keyword == "FROM" {
            stages.push(stage(instruction)?);
        } else if let Some(stage) = stages.last_mut() {
            stage.instructions.push(instruction);
        } else if instruction.keyword == "ARG" {
            global.push(instruction);
        } else {
            return Err(DockerfileError::NoStage { line: instruction.start, keyword: instruction.keyword });
        }
    }
    if stages.is_empty() {
        return Err(DockerfileError::Empty);
    }
    Ok(Dockerfile { escape: char::from(lines.escape()), directives: lines.directives, global, stages })
}

/// The instruction of a logical line; takes the bodies of its heredocs from the lines that follow.
fn instruction(line: &Line, lines: &mut Lines<'_>) -> Result<Instruction, DockerfileError> {
    let command = Command::split(&line.text, line.start)?;
    let trigger = match command.keyword {
        "ONBUILD" => {
            let inner = Command::split(&command.arguments, line.start).map_err(|error| {
                if command.arguments.is_empty() { DockerfileError::Onbuild { line: line.start } } else { error }
            })?;
            if ["ONBUILD", "FROM", "MAINTAINER"].contains(&inner.keyword) {
                return Err(DockerfileError::Onbuild { line: line.start });
            }
            Some(inner)
        }
        _ => None,
    };
    let mut heredocs = Vec::new();
    if trigger.as_ref().unwrap_or(&command).may_have_heredocs() && line.text.contains("<<") {
        for mark in words::heredocs(&line.text).ok_or(DockerfileError::Heredoc { line: line.start })? {
            let body = lines.heredoc(&mark.name, mark.strips_tabs).ok_or(DockerfileError::Unterminated { line: line.start })?;
            heredocs.push(Heredoc { name: mark.name, strips_tabs: mark.strips_tabs, expands: mark.expands, body });
        }
    }
    Ok(Instruction {
        keyword: command.keyword,
        flags: command.flags,
        arguments: command.arguments,
        start: line.start,
        end: lines.read(),
        heredocs,
        trigger: trigger.map(|inner| Trigger { keyword: inner.keyword, flags: inner.flags, arguments: inner.arguments }),
    })
}

/// The stage that a FROM begins.
fn stage(from: Instruction) -> Result<Stage, DockerfileError> {
    let words: Vec<&str> = from.arguments.split(command::is_blank).filter(|word| !word.is_empty()).collect();
    let (base, name) = match words.as_slice() {
        [base] => (*base, None),
        [base, word, name] if word.eq_ignore_ascii_case("as") => (*base, Some(name.to_lowercase())),
        _ => return Err(DockerfileError::From { line: from.start }),
    };
    let platform = from.flags.iter().find_map(|flag| flag.strip_prefix("--platform=")).map(str::to_owned);
    Ok(Stage { name, base: base.to_owned(), platform, from, instructions: Vec::new() })
}
