//! The words of a line that begin a heredoc, found as BuildKit's shell lexer finds them, with no variable set.

/// What a `<<` says.
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) strips_tabs: bool,
    pub(super) expands: bool,
}

/// The heredocs that a line begins, in order. A line whose quotes or braces do not close has none. None when what follows a
/// `<<` is no word by itself.
pub(super) fn heredocs(line: &str) -> Option<Vec<Mark>> {
    let mut found = Vec::new();
    for word in words(line, true).unwrap_or_default() {
        let Some((strips_tabs, rest)) = mark(&word) else { continue };
        let plain = words(rest, false)?;
        let [name] = plain.as_slice() else { continue };
        let quotes = |text: &str| text.matches(['\'', '"']).count();
        let expands = quotes(name) == quotes(rest);
        found.push(Mark { name: name.clone(), strips_tabs, expands });
    }
    Some(found)
}

/// `[N]<<[-]WORD` with no further `<`: whether there is the `-`, and the word.
fn mark(word: &str) -> Option<(bool, &str)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
    let (strips_tabs, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    (!rest.is_empty() && !rest.contains('<')).then_some((strips_tabs, rest))
}

/// What the lexer is inside of.
#[derive(PartialEq, Eq)]
enum Inside {
    /// `"`: blanks part no words.
    Quote,
    /// `${NAME:-`: quotes in it count, blanks part words all the same.
    Brace,
}

/// The words of a line; `raw` keeps quotes and escapes. None when a quote or brace does not close, or a `${` is none that
/// BuildKit knows.
fn words(line: &str, raw: bool) -> Option<Vec<String>> {
    let mut words = Words::default();
    let mut inside: Vec<Inside> = Vec::new();
    let mut quotes = 0_usize;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next();
                let is_kept = raw || (inside.last() == Some(&Inside::Quote) && !matches!(next, Some('"' | '$' | '\\')));
                words.word.extend(is_kept.then_some(c).into_iter().chain(next));
            }
            '\'' if inside.last() != Some(&Inside::Quote) => {
                words.word.extend(raw.then_some(c));
                loop {
                    match chars.next()? {
                        '\'' => break,
                        quoted => words.add(quoted, inside.is_empty() || quotes > 0),
                    }
                }
                words.word.extend(raw.then_some(c));
            }
            '"' => {
                if inside.last() == Some(&Inside::Quote) {
                    inside.pop();
                    quotes = quotes.saturating_sub(1);
                } else {
                    inside.push(Inside::Quote);
                    quotes = quotes.saturating_add(1);
                }
                words.word.extend(raw.then_some(c));
            }
            '$' if chars.peek() == Some(&'{') => {
                words.word.push(c);
                words.word.extend(chars.next());
                if opens(&mut chars, &mut words.word)? {
                    inside.push(Inside::Brace);
                }
            }
            '}' if inside.last() == Some(&Inside::Brace) => {
                inside.pop();
                words.word.push(c);
            }
            _ => words.add(c, quotes > 0),
        }
    }
    words.end();
    inside.is_empty().then_some(words.done)
}

/// Reads `NAME}`, or `NAME` and what stands before an alternative: true then. None for what BuildKit refuses.
fn opens(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut String) -> Option<bool> {
    if matches!(chars.peek()?, '{' | '}' | ':') {
        return None;
    }
    let is_special = |c: &char| "@*#!?-$".contains(*c);
    if let Some(special) = chars.next_if(is_special) {
        word.push(special);
    } else {
        while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
        }
    }
    let mut next = chars.next()?;
    word.push(next);
    if next == ':' {
        next = chars.next().filter(|c| matches!(c, '+' | '-' | '?'))?;
        word.push(next);
    }
    match next {
        '}' => Some(false),
        '+' | '-' | '?' | '#' | '%' | '/' => Some(true),
        _ => None,
    }
}

/// Words as they grow.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
}

impl Words {
    fn add(&mut self, c: char, is_quoted: bool) {
        if c.is_whitespace() && !is_quoted {
            self.end();
        } else {
            self.word.push(c);
        }
    }

    fn end(&mut self) {
        if !self.word.is_empty() {
            self.done.push(std::mem::take(&mut self.word));
        }
    }
}
