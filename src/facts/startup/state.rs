//! What is known between two commands of a script: the arguments, PATH, the working directory, and what is certain.

use std::collections::BTreeSet;

use super::follow::{Directory, Scene};
use super::known::{MAKERS, is_in};
use super::shell::{Command, Form, Opaque, Reading, Word};

/// Compounds and functions of one script that are looked at.
const MOST_MET: usize = 500;

/// What is known between two commands.
pub(super) struct State {
    pub(super) scene: Scene,
    /// None when something may have changed them.
    pub(super) arguments: Option<Vec<Word>>,
    pub(super) stops_on_errors: bool,
    /// The commands that follow are reached, and what they find is the tree as it is.
    pub(super) is_certain: bool,
    /// Words that were named before: what they name may have been made.
    pub(super) mentioned: BTreeSet<Vec<u8>>,
    /// Compounds and functions that were met.
    pub(super) met: usize,
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
        self.met = self.met.saturating_add(1);
        if self.met > MOST_MET {
            self.arguments = None;
            self.scene.directory = Directory::Unknown;
            return self.meet_anything();
        }
        let mut names = opaque.names.clone();
        let mut has_unknown = opaque.has_unknown;
        // functions that it calls, and those that they call
        let mut left: Vec<Vec<u8>> = names.iter().cloned().collect();
        while let Some(name) = left.pop() {
            let Some(function) = reading.functions.get(&name) else { continue };
            has_unknown |= function.has_unknown;
            left.extend(function.names.iter().filter(|name| names.insert((*name).clone())).cloned());
        }
        let has = |wanted: &[&[u8]]| wanted.iter().any(|name| names.contains(*name));
        if has(&[b".", b"source", b"eval", b"alias"]) {
            self.meet_anything();
        }
        if has(&[b"exec", b"exit", b"return"]) || has_unknown || names.iter().any(|name| is_in(MAKERS, name)) {
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
