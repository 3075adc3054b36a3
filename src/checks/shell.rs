//! As much of the shell's language (POSIX, Shell Command Language) as tells which simple commands a line runs, one after another.
//! What is beyond it is not read at all, so that nothing is concluded from half a reading.

/// What stands before a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// The start, `;`, `&` or a new line: it runs whatever came before.
    Next,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|`.
    Pipe,
}

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// What stands before it.
    pub(super) joint: Joint,
    /// Its words without quotes, assignments before it left out.
    pub(super) words: Vec<String>,
}

impl Command {
    /// The last component of the program's name.
    pub(super) fn program(&self) -> &str {
        self.words.first().map(|word| word.rsplit('/').next().unwrap_or_default()).unwrap_or_default()
    }
}

/// Words that begin what is no simple command.
const KEYWORDS: &[&str] = &["if", "for", "while", "until", "case", "function", "select", "{", "}", "(", "[[", "((", "then", "do"];

/// Names of shells.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// The text that a shell is given with `-c`, when the words start one: `["/bin/sh", "-c", TEXT]`.
pub(super) fn text_of<'w>(words: &[&'w str]) -> Option<&'w str> {
    let (shell, rest) = words.split_first()?;
    if !SHELLS.contains(&shell.rsplit('/').next().unwrap_or_default()) {
        return None;
    }
    let mut rest = rest.iter();
    while let Some(option) = rest.next() {
        let letters = option.strip_prefix('-').or_else(|| option.strip_prefix('+'))?;
        if letters.contains('c') && !letters.starts_with('-') {
            return rest.next().copied();
        }
        if letters.ends_with('o') {
            rest.next();
        }
    }
    None
}

/// The simple commands of a text; None when it holds anything else.
pub(super) fn commands(text: &str) -> Option<Vec<Command>> {
    let mut reader = Reader { found: Vec::new(), joint: Joint::Next, words: Vec::new(), word: None };
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        match c {
            '\\' => match characters.next()? {
                '\n' => {}
                escaped => reader.push(escaped),
            },
            '\'' | '"' => reader.quoted(c, &mut characters)?,
            '`' | '(' | ')' => return None,
            '$' if next == Some('(') => return None,
            '#' if reader.word.is_none() => while characters.next_if(|c| *c != '\n').is_some() {},
            '&' if reader.is_redirection() || next == Some('>') => reader.push(c),
            '&' | '|' if next == Some(c) => {
                characters.next();
                reader.end(if c == '&' { Joint::And } else { Joint::Or })?;
            }
            '|' => reader.end(Joint::Pipe)?,
            ';' | '\n' | '&' => reader.end(Joint::Next)?,
            _ if c.is_whitespace() => reader.end_word(),
            _ => reader.push(c),
        }
    }
    reader.end(Joint::Next)?;
    (reader.joint == Joint::Next).then_some(reader.found)
}

struct Reader {
    found: Vec<Command>,
    joint: Joint,
    words: Vec<String>,
    word: Option<String>,
}

impl Reader {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    /// `2>` and `<`, which an `&` may follow.
    fn is_redirection(&self) -> bool {
        self.word.as_ref().is_some_and(|word| word.ends_with(['>', '<']))
    }

    fn quoted(&mut self, quote: char, rest: &mut impl Iterator<Item = char>) -> Option<()> {
        self.word.get_or_insert_default();
        loop {
            match rest.next()? {
                c if c == quote => return Some(()),
                '`' if quote == '"' => return None,
                '\\' if quote == '"' => {
                    let escaped = rest.next()?;
                    self.push(escaped);
                }
                '(' if quote == '"' && self.word.as_ref().is_some_and(|word| word.ends_with('$')) => return None,
                c => self.push(c),
            }
        }
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    /// Ends a command. None when it is no simple one.
    fn end(&mut self, next: Joint) -> Option<()> {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        let words: Vec<String> = words.into_iter().skip_while(|word| is_assignment(word)).collect();
        if words.first().is_some_and(|word| KEYWORDS.contains(&word.as_str())) {
            return None;
        }
        if words.is_empty() {
            // `a &&` and a new line go on with the next line
            return (next == Joint::Next).then_some(());
        }
        self.found.push(Command { joint: self.joint, words });
        self.joint = next;
        Some(())
    }
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && is_name(name) && !name.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let joint = |joint| match joint {
            Joint::Next => ";",
            Joint::And => "&&",
            Joint::Or => "||",
            Joint::Pipe => "|",
        };
        Some(commands(text)?.iter().map(|one| format!("{} {}", joint(one.joint), one.words.join(" "))).collect())
    }

    #[test]
    fn simple_commands_are_read_with_what_joins_them() {
        assert_eq!(
            read("A=1 curl -f 'http://x/ y' 2>&1 >/dev/null || exit 1; ps | grep \"a b\" && echo \\; # end").unwrap(),
            ["; curl -f http://x/ y 2>&1 >/dev/null", "|| exit 1", "; ps", "| grep a b", "&& echo ;"]
        );
        assert_eq!(read("a &&\n b\n\nc &").unwrap(), ["; a", "&& b", "; c"]);
        assert_eq!(read("").unwrap(), [] as [&str; 0]);
    }

    #[test]
    fn anything_else_is_not_read() {
        for text in
            ["if a; then b; fi", "(a)", "{ a; }", "a $(b)", "a \"$(b)\"", "a `b`", "'open", "a ||", "while a; do b; done", "a\\"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_text_of_a_shell_follows_its_option() {
        assert_eq!(text_of(&["/bin/sh", "-c", "x", "y"]), Some("x"));
        assert_eq!(text_of(&["bash", "-o", "pipefail", "-ec", "x"]), Some("x"));
        for words in [&["sh", "/start.sh"][..], &["sh", "-c"], &["python", "-c", "x"], &["sh"], &[]] {
            assert_eq!(text_of(words), None, "{words:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_not(text: String) {
            commands(&text);
        }
    }
}
