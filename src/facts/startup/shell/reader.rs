//! Simple commands and compounds of a shell script, in a straight line.

use std::collections::{BTreeMap, BTreeSet};

use super::Word;
use super::lexer::{Operator, Token, tokens};
use crate::rootfs::NodeId;

/// Nesting of compounds.
const MOST_NESTING: usize = 64;

/// What a script says at its first level.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Reading {
    /// In order.
    pub(in super::super) items: Vec<Item>,
    /// What its functions hold.
    pub(in super::super) functions: BTreeMap<Vec<u8>, Opaque>,
    /// Whether it was understood to its end.
    pub(in super::super) is_complete: bool,
}

/// A command or a compound, and what links it with its neighbours.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Item {
    pub(in super::super) kind: Kind,
    pub(in super::super) before: Link,
    pub(in super::super) after: Link,
}

/// What stands between two commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) enum Link {
    /// A newline, a semicolon, or nothing.
    #[default]
    Sequence,
    And,
    Or,
    Pipe,
    Background,
}

#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Command(Command),
    Opaque(Opaque),
}

/// A simple command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Command {
    /// Assignments before it.
    pub(in super::super) assignments: Vec<Word>,
    /// Its name and arguments; empty for assignments and redirections alone.
    pub(in super::super) words: Vec<Word>,
    /// What it writes to.
    pub(in super::super) targets: Vec<Word>,
}

/// A compound: what it may do, not what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Opaque {
    /// Names of its commands; `PATH=` when that is assigned to.
    pub(in super::super) names: BTreeSet<Vec<u8>>,
    /// Other words of its commands.
    pub(in super::super) words: Vec<Vec<u8>>,
    /// Whether the name of one is not known.
    pub(in super::super) has_unknown: bool,
}

/// Reads a script, or the line of `sh -c`.
pub(in super::super) fn read(text: &[u8], script: Option<NodeId>) -> Reading {
    let (tokens, is_complete) = tokens(text, script);
    let mut reader = Reader { tokens: &tokens, at: 0, reading: Reading::default(), before: Link::Sequence };
    let is_understood = reader.run().is_some();
    Reading { is_complete: is_complete && is_understood, ..reader.reading }
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    reading: Reading,
    before: Link,
}

/// What ends a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closer {
    Fi,
    Done,
    Esac { is_pattern: bool },
    Brace,
    Parenthesis,
    Brackets,
}

impl Reader<'_> {
    fn operator(&self, ahead: usize) -> Option<Operator> {
        match self.tokens.get(self.at.checked_add(ahead)?)? {
            Token::Operator(operator) => Some(*operator),
            _ => None,
        }
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// None where it cannot be understood.
    fn run(&mut self) -> Option<()> {
        while let Some(token) = self.tokens.get(self.at) {
            match token {
                Token::Operator(Operator::Open) => self.compound()?,
                Token::Operator(operator) => {
                    let link = link(*operator)?;
                    self.advance();
                    // a newline may follow && || and |
                    if link == Link::Sequence && matches!(self.before, Link::And | Link::Or | Link::Pipe) {
                        continue;
                    }
                    if self.before == Link::Sequence || link != Link::Sequence {
                        self.before = link;
                    }
                    if let Some(last) = self.reading.items.last_mut().filter(|last| last.after == Link::Sequence) {
                        last.after = link;
                    }
                    // what stands behind a background command begins anew
                    if link == Link::Background {
                        self.before = Link::Sequence;
                    }
                }
                Token::Word(word) => match word.unquoted() {
                    Some(b"!") => {
                        // a negated command proves nothing
                        self.advance();
                        self.push(Kind::Opaque(Opaque::default()));
                        self.before = Link::And;
                    }
                    Some(b"time") => self.advance(),
                    Some(b"if" | b"for" | b"select" | b"while" | b"until" | b"case" | b"{" | b"[[" | b"function") => {
                        self.compound()?;
                    }
                    Some(b"fi" | b"done" | b"esac" | b"}" | b"then" | b"do" | b"else" | b"elif" | b"coproc") => return None,
                    _ => self.simple()?,
                },
                Token::Redirection(..) => self.simple()?,
            }
        }
        Some(())
    }

    fn push(&mut self, kind: Kind) {
        let before = std::mem::take(&mut self.before);
        self.reading.items.push(Item { kind, before, after: Link::Sequence });
    }

    fn simple(&mut self) -> Option<()> {
        let mut command = Command::default();
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) if command.words.is_empty() && word.assigned().is_some() => {
                    command.assignments.push(word.clone());
                }
                Some(Token::Word(word)) => command.words.push(word.clone()),
                Some(Token::Redirection(target, writes)) => command.targets.extend(writes.then(|| target.clone())),
                Some(Token::Operator(Operator::Open)) if command.words.is_empty() && !command.assignments.is_empty() => {
                    // an array
                    let (opaque, end) = self.skip_compound(self.at)?;
                    self.at = end;
                    self.push(Kind::Opaque(Opaque { names: BTreeSet::new(), ..opaque }));
                    return Some(());
                }
                Some(Token::Operator(Operator::Open)) => return self.function(&command),
                Some(Token::Operator(_)) | None => break,
            }
            self.advance();
        }
        self.push(Kind::Command(command));
        Some(())
    }

    /// `NAME() ...`: the parenthesis was reached.
    fn function(&mut self, command: &Command) -> Option<()> {
        let [name] = command.words.as_slice() else { return None };
        if self.operator(1) != Some(Operator::Close) {
            return None;
        }
        self.at = self.at.saturating_add(2);
        self.body_of(name.whole()?.to_vec())
    }

    fn body_of(&mut self, name: Vec<u8>) -> Option<()> {
        while self.operator(0) == Some(Operator::Sequence) {
            self.advance();
        }
        let (opaque, end) = self.skip_compound(self.at)?;
        self.at = end;
        self.skip_redirections();
        self.reading.functions.insert(name, opaque);
        Some(())
    }

    fn compound(&mut self) -> Option<()> {
        if let Some(Token::Word(word)) = self.tokens.get(self.at)
            && word.unquoted() == Some(b"function")
        {
            self.advance();
            let Some(Token::Word(name)) = self.tokens.get(self.at) else { return None };
            let name = name.whole()?.to_vec();
            self.advance();
            if self.operator(0) == Some(Operator::Open) && self.operator(1) == Some(Operator::Close) {
                self.at = self.at.saturating_add(2);
            }
            return self.body_of(name);
        }
        let (opaque, end) = self.skip_compound(self.at)?;
        self.at = end;
        self.skip_redirections();
        self.push(Kind::Opaque(opaque));
        Some(())
    }

    fn skip_redirections(&mut self) {
        while matches!(self.tokens.get(self.at), Some(Token::Redirection(..))) {
            self.advance();
        }
    }

    /// The compound that begins at `start`, and where it ends.
    fn skip_compound(&self, start: usize) -> Option<(Opaque, usize)> {
        let mut skipper = Skipper { closers: Vec::new(), opaque: Opaque::default(), is_command: true };
        let mut at = start;
        loop {
            skipper.take(self.tokens.get(at)?)?;
            // what begins no compound is none
            if at == start && skipper.closers.is_empty() {
                return None;
            }
            at = at.checked_add(1)?;
            if skipper.closers.is_empty() {
                return Some((skipper.opaque, at));
            }
            if skipper.closers.len() > MOST_NESTING {
                return None;
            }
        }
    }
}

fn link(operator: Operator) -> Option<Link> {
    match operator {
        Operator::Sequence => Some(Link::Sequence),
        Operator::And => Some(Link::And),
        Operator::Or => Some(Link::Or),
        Operator::Pipe => Some(Link::Pipe),
        Operator::Background => Some(Link::Background),
        Operator::EndOfCase | Operator::Open | Operator::Close => None,
    }
}

/// Goes through a compound.
struct Skipper {
    closers: Vec<Closer>,
    opaque: Opaque,
    /// The next word may be a command's name or a reserved word.
    is_command: bool,
}

impl Skipper {
    /// None when it does not fit.
    fn take(&mut self, token: &Token) -> Option<()> {
        let top = self.closers.last().copied();
        if top == Some(Closer::Brackets) {
            if let Token::Word(word) = token
                && word.unquoted() == Some(b"]]")
            {
                self.close(Closer::Brackets)?;
            }
            return Some(());
        }
        let is_pattern = top == Some(Closer::Esac { is_pattern: true });
        match token {
            Token::Redirection(target, _) => self.opaque.words.push(target.text.clone()),
            Token::Operator(Operator::Open) if is_pattern => {}
            Token::Operator(Operator::Close) if is_pattern => self.set_pattern(false),
            Token::Operator(Operator::EndOfCase) => {
                if !matches!(top, Some(Closer::Esac { .. })) {
                    return None;
                }
                self.set_pattern(true);
            }
            Token::Operator(Operator::Open) => self.open(Closer::Parenthesis),
            Token::Operator(Operator::Close) => self.close(Closer::Parenthesis)?,
            Token::Operator(_) => self.is_command = !is_pattern,
            Token::Word(word) if is_pattern => {
                if word.unquoted() == Some(b"esac") {
                    self.close(Closer::Esac { is_pattern })?;
                }
            }
            Token::Word(word) if self.is_command => self.name(word)?,
            Token::Word(word) => {
                if word.text.starts_with(b"PATH=") {
                    self.opaque.names.insert(b"PATH=".to_vec());
                }
                self.opaque.words.push(word.text.clone());
            }
        }
        Some(())
    }

    fn open(&mut self, closer: Closer) {
        self.closers.push(closer);
        self.is_command = !matches!(closer, Closer::Esac { .. });
    }

    fn close(&mut self, closer: Closer) -> Option<()> {
        let top = self.closers.pop()?;
        let is_same = top == closer || matches!((top, closer), (Closer::Esac { .. }, Closer::Esac { .. }));
        self.is_command = true;
        is_same.then_some(())
    }

    fn set_pattern(&mut self, is_pattern: bool) {
        if let Some(top) = self.closers.last_mut() {
            *top = Closer::Esac { is_pattern };
        }
        self.is_command = !is_pattern;
    }

    fn name(&mut self, word: &Word) -> Option<()> {
        match word.unquoted() {
            Some(b"if") => self.open(Closer::Fi),
            Some(b"while" | b"until") => self.open(Closer::Done),
            Some(b"for" | b"select") => {
                self.open(Closer::Done);
                self.is_command = false;
            }
            Some(b"case") => self.open(Closer::Esac { is_pattern: true }),
            Some(b"{") => self.open(Closer::Brace),
            Some(b"[[") => self.open(Closer::Brackets),
            Some(b"fi") => self.close(Closer::Fi)?,
            Some(b"done") => self.close(Closer::Done)?,
            Some(b"esac") => self.close(Closer::Esac { is_pattern: false })?,
            Some(b"}") => self.close(Closer::Brace)?,
            Some(b"then" | b"do" | b"else" | b"elif" | b"!" | b"time") => {}
            _ => self.command_name(word),
        }
        Some(())
    }

    fn command_name(&mut self, word: &Word) {
        if let Some(name) = word.assigned() {
            if name == b"PATH" {
                self.opaque.names.insert(b"PATH=".to_vec());
            }
            return;
        }
        self.is_command = false;
        match word.whole() {
            Some(name) => {
                self.opaque.names.insert(name.to_vec());
            }
            None => self.opaque.has_unknown = true,
        }
    }
}
