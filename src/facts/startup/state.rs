//! What is known between two commands of a script: the arguments, PATH, the working directory, and what is certain.

use super::follow::{Directory, Scene};
use super::known::{MAKERS, is_in};
use super::shell::{Command, Form, Opaque, Reading, Word};

/// What is known between two commands.
pub(super) struct State {
    pub(super) scene: Scene,
    /// None when something may have changed them.
    pub(super) arguments: Option<Vec<Word>>,
    pub(super) stops_on_errors: bool,
    /// The commands that follow are reached, and what they find is the tree as it is.
    pub(super) is_certain: bool,
    /// Words that were named before: what they name may have been made.
    pub(super) mentioned: Vec<Vec<u8>>,
}

impl State {
    pub(super) fn spliced(&self, words: &[Word]) -> Vec<Word> {
        let mut spliced = Vec::new();
        for word in words {
            match (word.form, &self.arguments) {
                (Form::Arguments, Some(arguments)) => spliced.extend(arguments.iter().cloned()),
                (Form::Arguments, None) => spliced.push(Word { form: Form::Cut, text: Vec::new(), ..word.clone() }),
                _ => spliced.push(word.clone()),
            }
        }
        spliced
    }

    pub(super) fn set_path(&mut self, word: &Word, is_conditional: bool) {
        let value = word.text.strip_prefix(b"PATH=").unwrap_or_default();
        match word.form {
            Form::Whole if !is_conditional && !self.scene.is_path_open => self.scene.path = Some(value.to_vec()),
            _ => self.scene.is_path_open = true,
        }
    }

    /// The arguments of `set`.
    pub(super) fn set(&mut self, words: &[Word], is_conditional: bool) {
        let mut rest = words;
        while let Some((word, after)) = rest.split_first() {
            let Some(text) = word.whole() else { break };
            match text {
                b"--" => {
                    return self.set_arguments(after, is_conditional);
                }
                b"-o" | b"+o" => {
                    let is_named = after.first().is_some_and(|option| option.text == b"errexit");
                    self.stops_on_errors = (self.stops_on_errors && !is_named) || (is_named && text == b"-o" && !is_conditional);
                    rest = after.get(1..).unwrap_or_default();
                }
                _ if text.starts_with(b"-") && text.len() > 1 => {
                    self.stops_on_errors |= text.contains(&b'e') && !is_conditional;
                    // -euo pipefail
                    rest = if text.ends_with(b"o") { after.get(1..).unwrap_or_default() } else { after };
                }
                _ if text.starts_with(b"+") && text.len() > 1 => {
                    self.stops_on_errors &= !text.contains(&b'e');
                    rest = after;
                }
                _ => return self.set_arguments(rest, is_conditional),
            }
        }
        if rest.first().is_some_and(|word| word.form != Form::Whole) {
            self.set_arguments(rest, is_conditional);
        }
    }

    fn set_arguments(&mut self, words: &[Word], is_conditional: bool) {
        self.arguments = (!is_conditional && words.iter().all(|word| word.form == Form::Whole)).then(|| words.to_vec());
    }

    /// A compound or a function may have run.
    pub(super) fn meet(&mut self, opaque: &Opaque, reading: &Reading) {
        let mut names = opaque.names.clone();
        // functions that it calls, and those that they call
        for _ in 0..reading.functions.len() {
            let called: Vec<_> = reading.functions.iter().filter(|(name, _)| names.contains(*name)).collect();
            names.extend(called.into_iter().flat_map(|(_, function)| function.names.iter().cloned()));
        }
        let has = |wanted: &[&[u8]]| wanted.iter().any(|name| names.contains(*name));
        if has(&[b".", b"source", b"eval", b"alias"]) {
            self.meet_anything();
        }
        if has(&[b"exec", b"exit", b"return"]) || opaque.has_unknown || names.iter().any(|name| is_in(MAKERS, name)) {
            self.is_certain = false;
        }
        if has(&[b"set", b"shift", b"getopts"]) {
            self.arguments = None;
        }
        if has(&[b"cd", b"pushd", b"popd"]) {
            self.scene.directory = Directory::Unknown;
        }
        self.scene.is_path_open |= has(&[b"PATH="]);
        self.mentioned.extend(opaque.words.iter().cloned());
        self.mentioned.extend(names);
    }

    /// Code that is not read here has run. It seldom touches the arguments; whatever it did, nothing is certain any more.
    pub(super) fn meet_anything(&mut self) {
        self.is_certain = false;
        self.scene.is_path_open = true;
    }

    pub(super) fn mention(&mut self, command: &Command) {
        let said = command.words.iter().skip(1).chain(&command.targets);
        self.mentioned.extend(said.filter(|word| word.form != Form::Arguments).map(|word| word.text.clone()));
    }
}
