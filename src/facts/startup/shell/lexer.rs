//! Words and operators of a shell script (POSIX, 2.2 to 2.4 and 2.10; bash's additions where they change where a word ends).

use super::{Form, Word};
use crate::rootfs::NodeId;

/// Tokens that are read at most.
const MOST_TOKENS: usize = 20_000;
/// Nesting of quotes and substitutions in one word.
const MOST_NESTING: usize = 64;

/// A piece of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word.
    Word(Word),
    /// What a command's output or input is, with its target; whether it writes there.
    Redirection(Word, bool),
    /// A control operator or a parenthesis.
    Operator(Operator),
}

/// Control operators; a newline is a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Sequence,
    And,
    Or,
    Pipe,
    Background,
    /// `;;`, `;&`, `;;&`.
    EndOfCase,
    Open,
    Close,
}

/// The tokens, and whether all of the text was understood.
pub(super) fn tokens(text: &[u8], script: Option<NodeId>) -> (Vec<Token>, bool) {
    let mut lexer = Lexer { text, at: 0, script, tokens: Vec::new(), documents: Vec::new() };
    let is_complete = lexer.run().is_some() && lexer.documents.is_empty();
    (lexer.tokens, is_complete)
}

struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    script: Option<NodeId>,
    tokens: Vec<Token>,
    /// Delimiters of here-documents that begin after this line, and whether tabs before them are taken off.
    documents: Vec<(Vec<u8>, bool)>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at.checked_add(ahead)?).copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn starts_with(&self, start: &[u8]) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(start))
    }

    fn operator(&mut self, operator: Operator, bytes: usize) {
        self.skip(bytes);
        self.tokens.push(Token::Operator(operator));
    }

    /// None where the text cannot be understood.
    fn run(&mut self) -> Option<()> {
        while let Some(byte) = self.peek(0) {
            if self.tokens.len() >= MOST_TOKENS {
                return None;
            }
            match byte {
                b' ' | b'\t' | b'\r' => self.skip(1),
                b'\\' if self.peek(1) == Some(b'\n') => self.skip(2),
                b'#' => self.skip_line(),
                b'\n' => {
                    self.operator(Operator::Sequence, 1);
                    self.skip_documents()?;
                }
                b';' if self.starts_with(b";;&") => self.operator(Operator::EndOfCase, 3),
                b';' if self.starts_with(b";;") || self.starts_with(b";&") => self.operator(Operator::EndOfCase, 2),
                b';' => self.operator(Operator::Sequence, 1),
                b'&' if self.starts_with(b"&&") => self.operator(Operator::And, 2),
                b'&' if self.starts_with(b"&>") => self.redirection()?,
                b'&' => self.operator(Operator::Background, 1),
                b'|' if self.starts_with(b"||") => self.operator(Operator::Or, 2),
                b'|' if self.starts_with(b"|&") => self.operator(Operator::Pipe, 2),
                b'|' => self.operator(Operator::Pipe, 1),
                b'(' => self.operator(Operator::Open, 1),
                b')' => self.operator(Operator::Close, 1),
                b'<' | b'>' if self.peek(1) == Some(b'(') => self.word_token()?,
                b'<' | b'>' => self.redirection()?,
                _ => self.word_token()?,
            }
        }
        Some(())
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.skip(1);
        }
    }

    /// Bodies of here-documents, up to their delimiters.
    fn skip_documents(&mut self) -> Option<()> {
        for (delimiter, takes_tabs_off) in std::mem::take(&mut self.documents) {
            loop {
                let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                let line = rest.get(..length)?;
                self.skip(length.saturating_add(1));
                let tabs = if takes_tabs_off { line.iter().take_while(|byte| **byte == b'\t').count() } else { 0 };
                if line.get(tabs..) == Some(&delimiter) {
                    break;
                }
            }
        }
        Some(())
    }

    fn redirection(&mut self) -> Option<()> {
        const FORMS: &[(&[u8], bool)] = &[
            (b"<<<", false),
            (b"<<-", false),
            (b"<<", false),
            (b"<&", false),
            (b"<>", true),
            (b"<", false),
            (b"&>>", true),
            (b"&>", true),
            (b">>", true),
            (b">&", true),
            (b">|", true),
            (b">", true),
        ];
        let (form, writes) = FORMS.iter().find(|(form, _)| self.starts_with(form))?;
        self.skip(form.len());
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.skip(1);
        }
        let target = self.word()?;
        if matches!(*form, b"<<" | b"<<-") {
            self.documents.push((target.text.clone(), *form == b"<<-"));
        }
        self.tokens.push(Token::Redirection(target, *writes));
        Some(())
    }

    fn word_token(&mut self) -> Option<()> {
        let word = self.word()?;
        let is_descriptor = !word.text.is_empty() && word.text.len() == word.plain && word.text.iter().all(u8::is_ascii_digit);
        if !(is_descriptor && matches!(self.peek(0), Some(b'<' | b'>')) && self.peek(1) != Some(b'(')) {
            self.tokens.push(Token::Word(word));
        }
        Some(())
    }

    fn word(&mut self) -> Option<Word> {
        let mut word = Builder::default();
        let start = self.at;
        let mut is_in_double_quotes = false;
        let mut brace_at = None;
        loop {
            let Some(byte) = self.peek(0) else {
                if is_in_double_quotes {
                    return None;
                }
                break;
            };
            match byte {
                b'"' => {
                    is_in_double_quotes = !is_in_double_quotes;
                    word.quote();
                    self.skip(1);
                }
                b'\\' => self.escape(&mut word, is_in_double_quotes),
                b'$' if matches!(self.peek(1), Some(b'\'' | b'"')) && !is_in_double_quotes => {
                    // C escapes, or a translation
                    self.skip_nested(self.peek(1)?)?;
                    word.cut();
                }
                b'$' | b'`' => self.expansion(&mut word)?,
                b'\'' if !is_in_double_quotes => {
                    self.skip(1);
                    word.quote();
                    let rest = self.text.get(self.at..)?;
                    let length = rest.iter().position(|byte| *byte == b'\'')?;
                    word.extend(rest.get(..length)?);
                    self.skip(length.saturating_add(1));
                }
                _ if is_in_double_quotes => self.plain(&mut word, byte),
                b'<' | b'>' if self.at == start && self.peek(1) == Some(b'(') => {
                    self.skip_nested(b')')?;
                    word.cut();
                }
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => break,
                b'\r' if self.peek(1).is_none_or(|next| next == b'\n') => break,
                b'*' | b'?' => {
                    word.cut();
                    self.skip(1);
                }
                b'~' if self.at == start => {
                    word.cut();
                    self.skip(1);
                }
                _ => {
                    brace_at = brace_at.or((byte == b'{').then_some(self.at));
                    if brace_at.is_some() && byte == b',' {
                        word.cut();
                    }
                    self.plain(&mut word, byte);
                }
            }
        }
        (self.at > start).then(|| word.finish(self.text.get(start..self.at).unwrap_or_default(), self.script))
    }

    fn plain(&mut self, word: &mut Builder, byte: u8) {
        word.extend(&[byte]);
        self.skip(1);
    }

    fn escape(&mut self, word: &mut Builder, is_in_double_quotes: bool) {
        word.quote();
        let next = self.peek(1);
        self.skip(2);
        match next {
            Some(b'\n') | None => {}
            Some(next) if is_in_double_quotes && !matches!(next, b'$' | b'`' | b'"' | b'\\') => word.extend(&[b'\\', next]),
            Some(next) => word.extend(&[next]),
        }
    }

    /// `$NAME`, `${...}`, `$(...)`, a back quote; a lone `$` is itself.
    fn expansion(&mut self, word: &mut Builder) -> Option<()> {
        let closer = match (self.peek(0)?, self.peek(1)) {
            (b'`', _) => b'`',
            (_, Some(b'(')) => b')',
            (_, Some(b'{')) => b'}',
            (_, Some(next)) if next.is_ascii_alphanumeric() || b"_@*#?$!-".contains(&next) => {
                self.skip(2);
                while next.is_ascii_alphabetic() || next == b'_' {
                    if !self.peek(0).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                        break;
                    }
                    self.skip(1);
                }
                word.cut();
                return Some(());
            }
            _ => {
                self.plain(word, b'$');
                return Some(());
            }
        };
        self.skip_nested(closer)?;
        word.cut();
        Some(())
    }

    /// Goes behind what `closer` ends, from its opening (one or two bytes) on.
    fn skip_nested(&mut self, closer: u8) -> Option<()> {
        let opening = if closer == b'`' { 1 } else { 2 };
        self.skip(opening);
        let mut closers = vec![closer];
        while let Some(top) = closers.last().copied() {
            let byte = self.peek(0)?;
            self.skip(1);
            let next = self.peek(0);
            match byte {
                b'\\' => self.skip(1),
                _ if byte == top => drop(closers.pop()),
                b'\'' if top == b')' => {
                    while self.peek(0)? != b'\'' {
                        self.skip(1);
                    }
                    self.skip(1);
                }
                _ if top == b'\'' => {}
                b'"' | b'`' if top != b'`' => closers.push(byte),
                b'$' if next == Some(b'(') => {
                    self.skip(1);
                    closers.push(b')');
                }
                b'$' if next == Some(b'{') => {
                    self.skip(1);
                    closers.push(b'}');
                }
                b'(' if top == b')' => closers.push(b')'),
                _ => {}
            }
            if closers.len() > MOST_NESTING {
                return None;
            }
        }
        Some(())
    }
}

/// A word that grows until it is cut.
#[derive(Default)]
struct Builder {
    text: Vec<u8>,
    /// Length of the text at the first quote.
    plain: Option<usize>,
    is_cut: bool,
}

impl Builder {
    fn extend(&mut self, bytes: &[u8]) {
        if !self.is_cut {
            self.text.extend_from_slice(bytes);
        }
    }

    fn quote(&mut self) {
        self.plain.get_or_insert(self.text.len());
    }

    fn cut(&mut self) {
        self.quote();
        self.is_cut = true;
    }

    fn finish(self, written: &[u8], script: Option<NodeId>) -> Word {
        let form = match written {
            b"\"$@\"" | b"$@" | b"\"${@}\"" | b"${1+\"$@\"}" | b"\"${@:1}\"" => Form::Arguments,
            _ if self.is_cut => Form::Cut,
            _ => Form::Whole,
        };
        let plain = self.plain.unwrap_or(self.text.len());
        Word { text: self.text, form, plain, script, node: None }
    }
}
