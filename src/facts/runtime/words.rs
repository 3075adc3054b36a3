//! The words of a command line that may name the program that runs.

use crate::oci::RuntimeConfig;

/// Words that are looked up. The program stands among the first, and each costs a walk.
const MOST_WORDS: usize = 64;

/// Programs that only start another, whose name is one of the next words.
const WRAPPERS: &[&str] = &[
    "tini",
    "tini-static",
    "docker-init",
    "dumb-init",
    "catatonit",
    "gosu",
    "su-exec",
    "setpriv",
    "runuser",
    "su",
    "sudo",
    "env",
    "nice",
    "ionice",
    "nohup",
    "stdbuf",
    "timeout",
    "exec",
];

const SHELLS: &[&str] = &["sh", "bash", "dash", "ash"];

/// The words of entry point and command that may name a program, in order; a text for a shell is split as far as that needs.
pub(super) fn of(config: &RuntimeConfig) -> Vec<&str> {
    let mut words = config.entrypoint.iter().chain(&config.cmd).map(String::as_str).peekable();
    let mut found = Vec::new();
    while let Some(word) = words.next().filter(|_| found.len() < MOST_WORDS) {
        if SHELLS.contains(&base_name(word)) && words.peek().is_some_and(|option| is_text_option(option)) {
            words.next();
            let text = words.next().unwrap_or_default();
            let separators = |c: char| c.is_whitespace() || matches!(c, '&' | '|' | ';' | '(' | ')');
            let parts = text.split(separators).map(|part| part.trim_matches(['"', '\'']));
            found.extend(parts.filter(|part| is_candidate(part)).take(MOST_WORDS));
        } else if is_candidate(word) {
            found.push(word);
        }
    }
    found.truncate(MOST_WORDS);
    found
}

/// The program that a script's first line names, without `#!`: what `env` is told to run, when it is `env`.
pub(super) fn interpreter(line: &[u8]) -> Option<Vec<u8>> {
    let line = std::str::from_utf8(line).ok()?;
    line.split_whitespace().find(|word| is_candidate(word)).map(|word| word.as_bytes().to_vec())
}

/// `-c`, `-ec`, `-lc`.
fn is_text_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| letters.contains('c') && letters.chars().all(|c| c.is_ascii_alphabetic()))
}

fn is_candidate(word: &str) -> bool {
    let name = base_name(word);
    !word.is_empty() && !word.starts_with('-') && !is_assignment(word) && !WRAPPERS.contains(&name) && !SHELLS.contains(&name)
}

/// `NAME=value`.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(entrypoint: &[&str], cmd: &[&str]) -> Vec<String> {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let config = RuntimeConfig { entrypoint: owned(entrypoint), cmd: owned(cmd), ..RuntimeConfig::default() };
        of(&config).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn wrappers_options_and_assignments_are_passed_over() {
        assert_eq!(words(&["/sbin/tini", "--", "gosu"], &["app", "A=b", "/srv/run", "-x"]), ["app", "/srv/run"]);
        assert_eq!(words(&["/usr/bin/env", "timeout", "-k"], &["sh", "/start.sh"]), ["/start.sh"]);
    }

    #[test]
    fn the_text_of_a_shell_is_split() {
        let text = "set -e; cd /app&&exec FOO=1 \"java\" $OPTS -jar app.jar || exit";
        assert_eq!(words(&[], &["/bin/sh", "-c", text]), ["set", "cd", "/app", "java", "$OPTS", "app.jar", "exit"]);
        assert_eq!(words(&["tini", "bash", "-lc", "node x"], &["y"]), ["node", "x", "y"]);
        assert_eq!(words(&["sh", "-c"], &[]), [] as [&str; 0]);
    }

    #[test]
    fn interpreters_are_read_through_env() {
        let of = |line: &str| interpreter(line.as_bytes()).map(|word| String::from_utf8(word).unwrap());
        assert_eq!(of("/usr/bin/env -S A=b node --trace").as_deref(), Some("node"));
        assert_eq!(of(" /usr/bin/python3 -u").as_deref(), Some("/usr/bin/python3"));
        assert_eq!((of("/bin/sh"), of(""), interpreter(b"\xff")), (None, None, None));
    }

    proptest::proptest! {
        #[test]
        fn few_words_are_taken_of_any_text(texts in proptest::collection::vec(".*", 0..8), many in 0_usize..200) {
            let config = RuntimeConfig { entrypoint: vec!["sh".into(), "-c".into(), "a ".repeat(many)], cmd: texts, ..RuntimeConfig::default() };
            proptest::prop_assert!(of(&config).len() <= MOST_WORDS);
        }
    }
}
