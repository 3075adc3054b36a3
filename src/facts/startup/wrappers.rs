//! Programs that start another one, which one of their arguments names.

use super::shell::{Form, Word};

/// What a wrapper was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrapped {
    /// How many words come before the program, the wrapper's name included.
    pub(super) before: usize,
    /// The user that it starts the program as.
    pub(super) user: Option<Vec<u8>>,
    /// The user changes in a way that is not read here.
    pub(super) is_user_unknown: bool,
}

/// How a wrapper reads its arguments.
struct Grammar {
    names: &'static [&'static str],
    /// Short options that take a value, in the same word or the next.
    with_value: &'static str,
    /// Short options without a value.
    alone: &'static str,
    /// Long options that take a value, in the same word after `=` or in the next.
    long_with_value: &'static [&'static str],
    /// Long options without a value.
    long_alone: &'static [&'static str],
    /// Words that stand between the options and the program.
    operands: usize,
    /// Whether the first operand is the user.
    is_user: bool,
    /// Options that change the user, short ones first.
    user_options: (&'static str, &'static [&'static str]),
}

const PLAIN: Grammar = Grammar {
    names: &[],
    with_value: "",
    alone: "",
    long_with_value: &[],
    long_alone: &[],
    operands: 0,
    is_user: false,
    user_options: ("", &[]),
};

static WRAPPERS: &[Grammar] = &[
    Grammar { names: &["tini", "tini-static", "docker-init"], with_value: "ep", alone: "hsvwgl", ..PLAIN },
    Grammar {
        names: &["dumb-init"],
        with_value: "r",
        alone: "cvhV",
        long_with_value: &["rewrite"],
        long_alone: &["single-child", "verbose"],
        ..PLAIN
    },
    Grammar { names: &["catatonit"], alone: "gPL", ..PLAIN },
    Grammar { names: &["gosu", "su-exec", "s6-setuidgid", "setuidgid"], operands: 1, is_user: true, ..PLAIN },
    Grammar {
        names: &["setpriv"],
        alone: "",
        long_with_value: &[
            "ambient-caps",
            "inh-caps",
            "bounding-set",
            "ruid",
            "euid",
            "rgid",
            "egid",
            "reuid",
            "regid",
            "groups",
            "securebits",
            "pdeathsig",
            "selinux-label",
            "apparmor-profile",
        ],
        long_alone: &["no-new-privs", "nnp", "init-groups", "keep-groups", "clear-groups", "reset-env"],
        user_options: ("", &["ruid", "euid", "reuid", "rgid", "egid", "regid", "groups", "init-groups", "clear-groups"]),
        ..PLAIN
    },
    Grammar { names: &["chpst"], with_value: "uUbe/nlLmdopfcrt", alone: "vP012", user_options: ("uU/", &[]), ..PLAIN },
    Grammar { names: &["nice"], with_value: "n", alone: "0123456789", long_with_value: &["adjustment"], ..PLAIN },
    Grammar {
        names: &["ionice"],
        with_value: "cn",
        alone: "t",
        long_with_value: &["class", "classdata"],
        long_alone: &["ignore"],
        ..PLAIN
    },
    Grammar {
        names: &["nohup", "setsid", "with-contenv", "unbuffer"],
        alone: "wcf",
        long_alone: &["wait", "fork", "ctty"],
        ..PLAIN
    },
    Grammar { names: &["stdbuf"], with_value: "ioe", long_with_value: &["input", "output", "error"], ..PLAIN },
    Grammar {
        names: &["timeout"],
        with_value: "ks",
        alone: "v",
        long_with_value: &["kill-after", "signal"],
        long_alone: &["preserve-status", "foreground", "verbose"],
        operands: 1,
        ..PLAIN
    },
];

/// Whether a program of this name starts what its arguments name.
pub(super) fn is_wrapper(name: &[u8]) -> bool {
    of(name).is_some()
}

fn of(name: &[u8]) -> Option<&'static Grammar> {
    WRAPPERS.iter().find(|form| form.names.iter().any(|known| known.as_bytes() == name))
}

/// Reads the words of a wrapper called `name`, its own name first. None when they cannot be understood.
pub(super) fn parse(name: &[u8], words: &[Word]) -> Option<Wrapped> {
    let form = of(name)?;
    let mut wrapped = Wrapped { before: 1, user: None, is_user_unknown: false };
    let text = |at: usize| words.get(at).filter(|word| word.form != Form::Cut || word.plain > 0).map(|word| word.text.as_slice());
    while let Some(option) = text(wrapped.before).filter(|option| option.starts_with(b"-") && option.len() > 1) {
        wrapped.before = wrapped.before.checked_add(1)?;
        let takes_next = match option.strip_prefix(b"--") {
            Some(b"") => break,
            Some(long) => long_option(form, long, &mut wrapped)?,
            None => short_options(form, option.get(1..)?, &mut wrapped)?,
        };
        if takes_next {
            words.get(wrapped.before)?;
            wrapped.before = wrapped.before.checked_add(1)?;
        }
    }
    for _ in 0..form.operands {
        let operand = words.get(wrapped.before)?;
        if form.is_user {
            wrapped.user = operand.whole().map(<[u8]>::to_vec);
            wrapped.is_user_unknown = wrapped.user.is_none();
        }
        if operand.form == Form::Arguments {
            return None;
        }
        wrapped.before = wrapped.before.checked_add(1)?;
    }
    Some(wrapped)
}

/// Whether the next word is the option's value.
fn long_option(form: &Grammar, option: &[u8], wrapped: &mut Wrapped) -> Option<bool> {
    let (name, has_value) = match option.iter().position(|byte| *byte == b'=') {
        Some(end) => (option.get(..end)?, true),
        None => (option, false),
    };
    let is_in = |list: &[&str]| list.iter().any(|known| known.as_bytes() == name);
    wrapped.is_user_unknown |= is_in(form.user_options.1);
    match (is_in(form.long_with_value), is_in(form.long_alone)) {
        (true, _) => Some(!has_value),
        (_, true) => Some(false),
        _ => None,
    }
}

fn short_options(form: &Grammar, letters: &[u8], wrapped: &mut Wrapped) -> Option<bool> {
    for (at, letter) in letters.iter().enumerate() {
        wrapped.is_user_unknown |= form.user_options.0.as_bytes().contains(letter);
        if form.with_value.as_bytes().contains(letter) {
            return Some(at.checked_add(1) == Some(letters.len()));
        }
        if !form.alone.as_bytes().contains(letter) {
            return None;
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest<'a>(words: &[&'a str]) -> Option<Vec<&'a str>> {
        let read: Vec<Word> = words.iter().map(|word| Word::of(word)).collect();
        let wrapped = parse(words[0].as_bytes(), &read)?;
        Some(words[wrapped.before..].to_vec())
    }

    #[test]
    fn the_program_stands_behind_options_and_operands() {
        for words in [
            &["tini", "--", "app", "-x"][..],
            &["tini", "-g", "-vv", "-e", "143", "app", "-x"],
            &["dumb-init", "--rewrite", "15:2", "-c", "app", "-x"],
            &["gosu", "user:group", "app", "-x"],
            &["setpriv", "--reuid=7", "--regid", "7", "--clear-groups", "app", "-x"],
            &["chpst", "-u", "user", "-e/env", "app", "-x"],
            &["nice", "-n", "5", "app", "-x"],
            &["nice", "-10", "app", "-x"],
            &["timeout", "-k", "5", "--preserve-status", "30s", "app", "-x"],
            &["stdbuf", "-oL", "app", "-x"],
        ] {
            assert_eq!(rest(words).as_deref(), Some(&["app", "-x"][..]), "{words:?}");
        }
        assert_eq!(rest(&["tini", "--"]).as_deref(), Some(&[][..]));
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for words in [&["tini", "--unknown", "app"][..], &["setpriv", "-x", "app"], &["gosu"], &["app", "x"], &["timeout"]] {
            assert_eq!(rest(words), None, "{words:?}");
        }
    }

    #[test]
    fn the_user_is_told_when_it_stands_there() {
        let of = |words: &[&str]| {
            let read: Vec<Word> = words.iter().map(|word| Word::of(word)).collect();
            let wrapped = parse(words[0].as_bytes(), &read).unwrap();
            (wrapped.user, wrapped.is_user_unknown)
        };
        assert_eq!(of(&["su-exec", "redis", "app"]), (Some(b"redis".to_vec()), false));
        assert_eq!(of(&["chpst", "-u", "redis", "app"]), (None, true));
        assert_eq!(of(&["setpriv", "--reuid=7", "app"]), (None, true));
        assert_eq!(of(&["tini", "app"]), (None, false));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_words_never_panic_and_leave_a_rest(words in proptest::collection::vec("(-[a-z0-9]{0,4}|--[a-z-]{0,12}|.*)", 0..6)) {
            for form in WRAPPERS {
                let name = form.names[0];
                let read: Vec<Word> = std::iter::once(name).chain(words.iter().map(String::as_str)).map(Word::of).collect();
                if let Some(wrapped) = parse(name.as_bytes(), &read) {
                    proptest::prop_assert!(wrapped.before <= read.len());
                }
            }
        }
    }
}
