//! What env(1) starts: its options, `-S` strings and assignments, as GNU coreutils reads them.

use super::shell::{Form, Word};

/// What becomes of PATH.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Path {
    /// It stays.
    #[default]
    Kept,
    /// It is taken out of the environment.
    Unset,
    /// It is set.
    Set(Vec<u8>),
}

/// What a word of short options leads to.
enum Cluster {
    /// The next word.
    Read,
    /// A string to be split.
    Split(Vec<u8>),
}

/// What env was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Env {
    /// The program and its arguments; empty when it only prints.
    pub(super) words: Vec<Word>,
    /// What becomes of PATH.
    pub(super) path: Path,
    /// It changes the working directory.
    pub(super) changes_directory: bool,
    /// A `-S` string was split, which busybox's env cannot do.
    pub(super) is_split: bool,
}

/// Strings inside strings that are split.
const MOST_SPLITS: usize = 16;

/// Reads the arguments of env, its own name left out. None when they cannot be understood.
pub(super) fn parse(arguments: &[Word]) -> Option<Env> {
    let mut env = Env::default();
    // what is left to read, the next word last
    let mut left: Vec<Word> = arguments.iter().rev().cloned().collect();
    let mut splits = 0_usize;
    while let Some(word) = left.pop() {
        let text = word.text.clone();
        if word.form == Form::Cut && (word.plain == 0 || text.starts_with(b"-")) {
            return None;
        }
        match text.as_slice() {
            b"--" => break,
            b"-" | b"-i" | b"--ignore-environment" => env.path = Path::Unset,
            b"-0" | b"--null" | b"-v" | b"--debug" => {}
            b"-u" | b"--unset" => unset(&mut env, &left.pop()?.text),
            b"-C" | b"--chdir" => {
                left.pop()?;
                env.changes_directory = true;
            }
            option if option.starts_with(b"--") => long_option(&mut env, option, &mut left, &word)?,
            option if option.starts_with(b"-") => {
                if let Cluster::Split(string) = cluster(&mut env, option, &mut left)? {
                    splits = splits.checked_add(1).filter(|splits| *splits <= MOST_SPLITS)?;
                    env.is_split = true;
                    left.extend(split(&string, &word)?.into_iter().rev());
                }
            }
            _ => {
                left.push(word);
                break;
            }
        }
    }
    while left.last().is_some_and(|word| word.form != Form::Arguments && word.text.contains(&b'=')) {
        let Some(word) = left.pop() else { break };
        if let Some(value) = word.text.strip_prefix(b"PATH=") {
            word.whole()?;
            env.path = Path::Set(value.to_vec());
        }
    }
    left.reverse();
    env.words = left;
    Some(env)
}

fn unset(env: &mut Env, name: &[u8]) {
    if name == b"PATH" {
        env.path = Path::Unset;
    }
}

fn long_option(env: &mut Env, option: &[u8], left: &mut Vec<Word>, word: &Word) -> Option<()> {
    if let Some(name) = option.strip_prefix(b"--unset=") {
        unset(env, name);
    } else if option.starts_with(b"--chdir=") {
        env.changes_directory = true;
    } else if let Some(string) = option.strip_prefix(b"--split-string=") {
        env.is_split = true;
        left.extend(split(string, word)?.into_iter().rev());
    } else if option == b"--split-string" {
        let string = left.pop()?;
        env.is_split = true;
        left.extend(split(string.whole()?, word)?.into_iter().rev());
    } else if ![&b"--block-signal"[..], b"--default-signal", b"--ignore-signal", b"--list-signal-handling"]
        .iter()
        .any(|known| option.starts_with(known))
    {
        return None;
    }
    Some(())
}

/// Short options in one word; the string of `-S`, which takes all that follows it.
fn cluster(env: &mut Env, option: &[u8], left: &mut Vec<Word>) -> Option<Cluster> {
    let mut letters = option.get(1..)?;
    while let Some((letter, rest)) = letters.split_first() {
        match letter {
            b'i' => env.path = Path::Unset,
            b'0' | b'v' => {}
            b'S' if rest.is_empty() => return Some(Cluster::Split(left.pop()?.whole()?.to_vec())),
            b'S' => return Some(Cluster::Split(rest.to_vec())),
            b'u' if rest.is_empty() => {
                unset(env, &left.pop()?.text);
                return Some(Cluster::Read);
            }
            b'u' => {
                unset(env, rest);
                return Some(Cluster::Read);
            }
            b'C' => {
                if rest.is_empty() {
                    left.pop()?;
                }
                env.changes_directory = true;
                return Some(Cluster::Read);
            }
            _ => return None,
        }
        letters = rest;
    }
    Some(Cluster::Read)
}

/// The words of a `-S` string. A variable cuts its word. None when env refuses it.
fn split(string: &[u8], of: &Word) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut current: Option<Word> = None;
    let mut quote = None;
    let mut bytes = string.iter().copied().peekable();
    let grow = |current: &mut Option<Word>, byte: u8| {
        let word = current.get_or_insert_with(|| Word::said_by(Vec::new(), of.script));
        if word.form == Form::Whole {
            word.text.push(byte);
            word.plain = word.text.len();
        }
    };
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                current.get_or_insert_with(|| Word::said_by(Vec::new(), of.script));
            }
            (byte, Some(open)) if byte == open => quote = None,
            (b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r', None) => words.extend(current.take()),
            (b'#', None) if current.is_none() => break,
            (b'\\', Some(b'\'')) if !matches!(bytes.peek(), Some(b'\\' | b'\'')) => grow(&mut current, byte),
            (b'\\', _) => match bytes.next()? {
                b'c' if quote.is_none() => break,
                b'_' if quote.is_none() => words.extend(current.take()),
                b'_' => grow(&mut current, b' '),
                b'f' => grow(&mut current, b'\x0c'),
                b'n' => grow(&mut current, b'\n'),
                b'r' => grow(&mut current, b'\r'),
                b't' => grow(&mut current, b'\t'),
                b'v' => grow(&mut current, b'\x0b'),
                escaped @ (b'"' | b'#' | b'$' | b'\'' | b'\\') => grow(&mut current, escaped),
                _ => return None,
            },
            (b'$', None | Some(b'"')) => {
                if bytes.next() != Some(b'{') {
                    return None;
                }
                while bytes.next()? != b'}' {}
                current.get_or_insert_with(|| Word::said_by(Vec::new(), of.script)).form = Form::Cut;
            }
            (byte, _) => grow(&mut current, byte),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(current);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str]) -> Option<(Vec<String>, Env)> {
        let arguments: Vec<Word> = arguments.iter().map(|word| Word::of(word)).collect();
        let env = parse(&arguments)?;
        let text = |word: &Word| {
            let text = String::from_utf8_lossy(&word.text).into_owned();
            if word.form == Form::Cut { text + "?" } else { text }
        };
        Some((env.words.iter().map(text).collect(), env))
    }

    fn words(arguments: &[&str]) -> Vec<String> {
        told(arguments).unwrap().0
    }

    #[test]
    fn options_and_assignments_are_passed_over() {
        assert_eq!(words(&["app", "-i"]), ["app", "-i"]);
        assert_eq!(words(&["-u", "X", "--unset=Y", "-v0", "A=b", "C=", "app", "D=e"]), ["app", "D=e"]);
        assert_eq!(words(&["--", "A=b", "app"]), ["app"]);
        assert_eq!(words(&["python3 -u"]), ["python3 -u"], "one word without -S");
        assert_eq!(words(&[]), [] as [&str; 0]);
    }

    #[test]
    fn strings_are_split_as_env_does() {
        assert_eq!(words(&["-S", "python3 -u", "x"]), ["python3", "-u", "x"]);
        assert_eq!(words(&["-Snode --a", "x"]), ["node", "--a", "x"]);
        assert_eq!(words(&["-S A=b \"a b\" 'c\\'d' e\\_f # no"]), ["a b", "c'd", "e", "f"]);
        assert_eq!(words(&["--split-string=a -b\\c d"]), ["a", "-b"]);
        assert_eq!(words(&["-vS", "-i app"]), ["app"], "a string may begin with options");
        assert_eq!(words(&["-S", "app${X}y z"]), ["app?", "z"]);
    }

    #[test]
    fn what_env_refuses_is_not_guessed() {
        for arguments in [&["-x"][..], &["--what"], &["-S", "'a"], &["-S", "$X"], &["-S", "\\q"], &["-u"], &["-S"]] {
            assert_eq!(told(arguments), None, "{arguments:?}");
        }
    }

    #[test]
    fn what_becomes_of_path_is_told() {
        assert_eq!(told(&["-i", "app"]).unwrap().1.path, Path::Unset);
        assert_eq!(told(&["-i", "PATH=/a", "app"]).unwrap().1.path, Path::Set(b"/a".to_vec()));
        assert_eq!(told(&["X=1", "app"]).unwrap().1.path, Path::Kept);
        assert!(told(&["-C", "/x", "app"]).unwrap().1.changes_directory);
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_arguments_never_panic_and_end(arguments in proptest::collection::vec("[-SiuC0v=a${}'\"\\\\ #_]{0,12}|.*", 0..6)) {
            let arguments: Vec<Word> = arguments.iter().map(|word| Word::of(word)).collect();
            parse(&arguments);
        }
    }
}
