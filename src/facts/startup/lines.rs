//! Which commands of a script or a line are started for certain, and which of them matter.
//!
//! A command in a straight line is started. It matters when what runs is lost without it: it is the last command, what `exec` names, or
//! any command where the shell stops at errors. What follows a compound that may leave the script is not certain.

use std::collections::BTreeSet;

use super::Reached;
use super::follow::{Bound, Directory, Follower, Task};
use super::known::{BUILTINS, MAKERS, TESTS, is_in};
use super::shell::{Command, Form, Item, Kind, Link, Reading, Word, read};
use super::state::State;
use crate::oci::escape;
use crate::rootfs::NodeId;

/// Programs of one script that are followed.
const MOST_COMMANDS: usize = 64;

/// A script or a line.
pub(super) struct Script {
    /// The file; None for a line of the config.
    pub(super) node: Option<NodeId>,
    /// `$1` and on.
    pub(super) arguments: Vec<Word>,
    /// `set -e`.
    pub(super) stops_on_errors: bool,
}

/// What becomes of a script after a command.
enum Onward {
    /// It goes on.
    Next,
    /// Nothing more of it runs.
    Ends,
}

impl Follower<'_, '_> {
    /// Puts what a script starts on the list.
    pub(super) fn script(&mut self, task: &Task, text: &[u8], script: Script) {
        let reading = read(text, script.node);
        if !reading.is_complete {
            self.not_known(match script.node {
                Some(node) => format!("what {} starts: its form is not understood", escape(&self.rootfs.path(node))),
                None => "what the shell's line starts: its form is not understood".to_owned(),
            });
        }
        let mut state = State {
            scene: task.scene.clone(),
            arguments: Some(script.arguments),
            stops_on_errors: script.stops_on_errors,
            is_certain: task.is_certain && reading.is_complete,
            mentioned: BTreeSet::new(),
            met: 0,
        };
        let mut tasks = Vec::new();
        let mut chain = Chain::default();
        for index in 0..reading.items.len() {
            let Some(item) = reading.items.get(index).filter(|_| tasks.len() < MOST_COMMANDS) else {
                self.not_known("what comes after many commands".to_owned());
                break;
            };
            chain.enter(item, index);
            match &item.kind {
                Kind::Opaque(opaque) => {
                    state.meet(opaque, &reading);
                    chain.is_conditional = true;
                }
                Kind::Command(command) => {
                    let place = Place {
                        reading: &reading,
                        index,
                        is_conditional: chain.is_conditional,
                        is_line: script.node.is_none(),
                        task,
                    };
                    match self.command(command, &place, &mut state, &mut tasks) {
                        Onward::Ends if !chain.is_conditional => break,
                        Onward::Ends => state.is_certain = false,
                        Onward::Next => {}
                    }
                    chain.leave(command);
                }
            }
        }
        // the list is taken from its end
        self.tasks.extend(tasks.into_iter().rev());
    }

    fn command(&mut self, command: &Command, place: &Place<'_>, state: &mut State, tasks: &mut Vec<Task>) -> Onward {
        for path in command.assignments.iter().filter(|word| word.assigned() == Some(b"PATH")) {
            if command.words.is_empty() {
                state.set_path(path, place.is_conditional);
            }
        }
        let words = state.spliced(&command.words);
        let Some(first) = words.first() else { return Onward::Next };
        let outcome = match first.whole() {
            None => {
                self.not_known(format!("which command a shell runs: {}...", escape(&first.text)));
                state.is_certain = false;
                Onward::Next
            }
            Some(name) if place.reading.functions.contains_key(name) => {
                if let Some(opaque) = place.reading.functions.get(name) {
                    state.meet(opaque, place.reading);
                }
                Onward::Next
            }
            Some(b"exec") => return self.replaces(command, &words, place, state, tasks),
            Some(b"command") if !words.get(1).is_some_and(|word| word.text.starts_with(b"-")) => {
                self.external(command, words.get(1..).unwrap_or_default(), place, state, tasks);
                Onward::Next
            }
            Some(name) if is_in(BUILTINS, name) => return self.builtin(name, &words, place, state),
            Some(_) => {
                self.external(command, &words, place, state, tasks);
                Onward::Next
            }
        };
        state.mention(command);
        outcome
    }

    /// `exec PROGRAM`: the last that a script does.
    fn replaces(
        &mut self,
        command: &Command,
        words: &[Word],
        place: &Place<'_>,
        state: &mut State,
        tasks: &mut Vec<Task>,
    ) -> Onward {
        let mut rest = words.get(1..).unwrap_or_default();
        while let Some(option) = rest.first().filter(|word| word.text.starts_with(b"-") && word.text != b"-") {
            let taken = match option.text.as_slice() {
                b"-a" => 2,
                _ => 1,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        if rest.is_empty() {
            // redirections alone, or no arguments
            return if command.words.len() == words.len() { Onward::Next } else { Onward::Ends };
        }
        let mut task = self.task_of(command, rest, place, state);
        task.is_needed = place.task.is_needed;
        task.is_certain &= !place.is_conditional;
        tasks.push(task);
        Onward::Ends
    }

    fn external(&mut self, command: &Command, words: &[Word], place: &Place<'_>, state: &mut State, tasks: &mut Vec<Task>) {
        let Some(name) = words.first() else { return };
        let mut task = self.task_of(command, words, place, state);
        task.is_needed = place.task.is_needed && self.matters(place, state);
        tasks.push(task);
        if name.whole().is_none_or(|name| is_in(MAKERS, name.rsplit(|byte| *byte == b'/').next().unwrap_or_default())) {
            state.is_certain &= self.bound == Bound::Probe;
        }
    }

    fn task_of(&self, command: &Command, words: &[Word], place: &Place<'_>, state: &State) -> Task {
        let is_argument = command.words.first().is_none_or(|first| first.form == Form::Arguments)
            || command
                .words
                .iter()
                .find(|word| !matches!(word.text.as_slice(), b"exec" | b"command"))
                .is_some_and(|word| word.form == Form::Arguments);
        let name =
            words.first().map(|word| word.text.rsplit(|byte| *byte == b'/').next().unwrap_or_default()).unwrap_or_default();
        let is_mentioned = !name.is_empty()
            && !is_argument
            && state.mentioned.iter().any(|said| said.windows(name.len()).any(|part| part == name));
        let mut scene = state.scene.clone();
        scene.is_path_open |= command.assignments.iter().any(|word| word.assigned() == Some(b"PATH"));
        Task {
            words: words.to_vec(),
            how: if is_argument { Reached::Wrapper } else { Reached::Shell },
            starter: place.task.starter,
            scene,
            is_needed: false,
            is_certain: state.is_certain && !place.is_conditional && !(is_mentioned && self.bound == Bound::Start),
        }
    }

    /// Whether a command that is not there makes the whole fail.
    fn matters(&self, place: &Place<'_>, state: &State) -> bool {
        let list = place.list();
        let after = list.get(place.index.saturating_sub(place.list_start())..).unwrap_or_default();
        if after.iter().any(|item| item.after == Link::Background) {
            return false;
        }
        let alternative = after.iter().position(|item| item.after == Link::Or).and_then(|at| after.get(at.saturating_add(1)));
        let rescue = alternative.map_or(Rescue::None, |item| Rescue::of(item, place.reading));
        match self.bound {
            Bound::Start => {
                let stops =
                    state.stops_on_errors && after.first().is_some_and(|item| matches!(item.after, Link::Sequence | Link::Or));
                matches!(rescue, Rescue::None | Rescue::Fails) && (place.is_last() || stops || rescue == Rescue::Fails)
            }
            Bound::Probe => match rescue {
                // another program may answer instead, if it can be started
                Rescue::Program => {
                    let program = alternative.and_then(|item| match &item.kind {
                        Kind::Command(command) => command.words.first(),
                        Kind::Opaque(_) => None,
                    });
                    program.is_some_and(|word| self.program(word, &state.scene).is_err())
                }
                // a line is asked for its first program too; a script may go on without it
                Rescue::None | Rescue::Fails | Rescue::Passes => place.is_last() || (place.is_line && place.list_start() == 0),
            },
        }
    }

    fn builtin(&mut self, name: &[u8], words: &[Word], place: &Place<'_>, state: &mut State) -> Onward {
        let first = words.get(1);
        match name {
            b"cd" | b"pushd" | b"popd" => {
                let target = first.filter(|_| name == b"cd" && words.len() == 2 && !place.is_conditional).and_then(Word::whole);
                let found = target.filter(|path| *path != b"-").and_then(|path| self.walk(path, &state.scene).ok());
                let folder = found.filter(|node| self.rootfs.inode(*node).is_directory());
                state.scene.directory = folder.map_or(Directory::Unknown, Directory::At);
            }
            b"set" => state.set(words.get(1..).unwrap_or_default(), place.is_conditional),
            b"shift" => {
                let count = first.map_or(Some(1), |word| std::str::from_utf8(word.whole()?).ok()?.parse::<usize>().ok());
                state.arguments = match (state.arguments.take(), count) {
                    (Some(mut arguments), Some(count)) if count <= arguments.len() && !place.is_conditional => {
                        Some(arguments.split_off(count))
                    }
                    _ => None,
                };
            }
            b"export" | b"readonly" | b"declare" | b"typeset" | b"local" => {
                for word in words.iter().filter(|word| word.text.starts_with(b"PATH=")) {
                    state.set_path(word, place.is_conditional);
                }
            }
            b"." | b"source" | b"eval" | b"alias" => {
                self.not_known(format!("what comes after {} of a shell", escape(name)));
                state.meet_anything();
            }
            b"exit" | b"return" | b"logout" => return Onward::Ends,
            _ => {}
        }
        Onward::Next
    }
}

/// Where a command stands.
struct Place<'t> {
    reading: &'t Reading,
    index: usize,
    /// Whether it is started depends on what ran before it.
    is_conditional: bool,
    /// It stands in a line of the config, not in a script.
    is_line: bool,
    task: &'t Task,
}

impl<'t> Place<'t> {
    /// Index of the first item of the list of commands that `&&`, `||` and pipes make.
    fn list_start(&self) -> usize {
        let items = self.reading.items.get(..=self.index).unwrap_or_default();
        items.iter().rposition(|item| item.before == Link::Sequence).unwrap_or(0)
    }

    fn list(&self) -> &'t [Item] {
        let start = self.list_start();
        let items = self.reading.items.get(start..).unwrap_or_default();
        let length =
            items.iter().skip(1).position(|item| item.before == Link::Sequence).map_or(items.len(), |at| at.saturating_add(1));
        items.get(..length).unwrap_or_default()
    }

    /// Nothing stands behind its list.
    fn is_last(&self) -> bool {
        self.list_start().checked_add(self.list().len()) == Some(self.reading.items.len())
    }
}

/// What stands behind `||`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rescue {
    /// Nothing.
    None,
    /// The whole fails all the same: `exit 1`.
    Fails,
    /// The whole goes on: `true`, `echo`.
    Passes,
    /// Another program.
    Program,
}

impl Rescue {
    fn of(item: &Item, reading: &Reading) -> Self {
        let Kind::Command(command) = &item.kind else { return Self::Passes };
        match command.words.first().and_then(Word::whole) {
            Some(b"exit" | b"return" | b"false" | b"kill") => {
                let is_zero = command.words.get(1).is_some_and(|code| code.text == b"0");
                if is_zero { Self::Passes } else { Self::Fails }
            }
            Some(name) if is_in(BUILTINS, name) || reading.functions.contains_key(name) => Self::Passes,
            Some(_) => Self::Program,
            None => Self::Passes,
        }
    }
}

/// Whether the commands of one list depend on one another.
#[derive(Default)]
struct Chain {
    is_conditional: bool,
    was_test: bool,
}

impl Chain {
    fn enter(&mut self, item: &Item, index: usize) {
        match item.before {
            Link::Sequence => *self = Self::default(),
            Link::Or => self.is_conditional = index > 0,
            Link::And => self.is_conditional |= self.was_test,
            Link::Pipe | Link::Background => {}
        }
    }

    fn leave(&mut self, command: &Command) {
        let name = command.words.first().and_then(Word::whole);
        self.was_test = name.is_none_or(|name| is_in(TESTS, name)) && !command.words.is_empty();
    }
}
