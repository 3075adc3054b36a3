//! Starting one program: what the kernel does with its file, and what the program then starts.

use super::credentials::{Credentials, READ};
use super::env;
use super::follow::{Directory, Follower, Miss, Starter, Task};
use super::lines::Script;
use super::shell::{Form, Word};
use super::{Reached, StartupFault as Fault, applets, machine, shebang, wrappers};
use crate::facts::users;
use crate::layer::Content;
use crate::layer::probe::{ElfFacts, Marker};
use crate::oci::escape;
use crate::rootfs::NodeId;

/// Interpreters of interpreters that the kernel follows (fs/exec.c: five rewrites).
const MOST_INTERPRETERS: usize = 5;

/// Scripts inside scripts that are read.
const MOST_DEPTH: u8 = 3;

/// Bytes of a script that is read.
const MOST_SCRIPT_BYTES: u64 = 64 * crate::limits::KIB;

/// Scripts that are read for one way.
const MOST_SCRIPTS: usize = 16;

/// Bytes of a file without a known form that is looked into.
const MOST_LOOKED_INTO: u64 = 16 * crate::limits::MIB;

const SHELLS: &[&[u8]] = &[b"sh", b"bash", b"dash", b"ash", b"ksh", b"mksh", b"zsh", b"rbash"];

/// What the kernel makes of a file.
enum FileForm<'c> {
    Elf(&'c ElfFacts),
    Broken(&'c str),
    Script(&'c [u8]),
    Empty,
    Text,
    /// It was not looked into.
    Unknown,
}

impl Follower<'_, '_> {
    /// Starts a task's program, and puts what that starts on the list.
    pub(super) fn exec(&mut self, task: Task) {
        let Some(word) = task.words.first().cloned() else {
            let step = self.startup.steps.len().checked_sub(1);
            if task.is_needed && task.is_certain {
                self.startup.problems.push(super::StartupProblem { step, fault: Fault::NothingToRun });
            }
            return;
        };
        match self.program(&word, &task.scene) {
            Ok(node) => {
                let step = self.step(&word, Some(node), task.how);
                self.load(task, node, step);
            }
            Err(miss) => {
                let is_applet = matches!(task.starter, Starter::Shell { is_busybox: true }) && applets::is_applet(&word.text);
                let miss = if is_applet { Miss::NotKnown("the shell may have it built in") } else { miss };
                self.lost(&task, &word, task.how, miss);
            }
        }
    }

    /// What the kernel does with the file: interpreters, then the program.
    fn load(&mut self, mut task: Task, mut node: NodeId, mut step: usize) {
        let rootfs = self.rootfs;
        for depth in 0..=MOST_INTERPRETERS {
            let inode = rootfs.inode(node);
            let line = match form(inode.content.as_deref(), inode.size()) {
                FileForm::Elf(elf) => {
                    if self.is_loaded(&task, elf, node, step) {
                        self.program_starts(task, node);
                    }
                    return;
                }
                FileForm::Script(line) => line,
                other => return self.without_form(&task, &other, node, step),
            };
            if depth == MOST_INTERPRETERS {
                return self.fail(&task, step, Fault::TooManyInterpreters);
            }
            if shebang::ends_with_carriage_return(line) {
                return self.fail(&task, step, Fault::CarriageReturn);
            }
            let Some(found) = shebang::parse(line) else { return self.fail(&task, step, Fault::NoInterpreter) };
            if !task.scene.who.may(inode, READ) {
                return self.fail(&task, step, Fault::NotReadable);
            }
            let interpreter = Word::said_by(found.interpreter, Some(node));
            // a name without a slash is one in the working directory, never looked up along PATH
            let path = Word { text: [b"./", interpreter.text.as_slice()].concat(), ..interpreter.clone() };
            let asked = if interpreter.text.contains(&b'/') { &interpreter } else { &path };
            let next = match self.program(asked, &task.scene) {
                Ok(next) => next,
                Err(miss) => return self.lost(&task, asked, Reached::Interpreter, miss),
            };
            let script = Word { node: Some(node), ..Word::said_by(rootfs.path(node), None) };
            let argument = found.argument.map(|argument| Word::said_by(argument, Some(node)));
            step = self.step(&interpreter, Some(next), Reached::Interpreter);
            let rest = task.words.into_iter().skip(1);
            task.words = [interpreter].into_iter().chain(argument).chain([script]).chain(rest).collect();
            task.how = Reached::Interpreter;
            node = next;
        }
    }

    /// A file that the kernel does not take.
    fn without_form(&mut self, task: &Task, form: &FileForm<'_>, node: NodeId, step: usize) {
        let is_read_by_a_shell = task.starter != Starter::Runtime && step.checked_add(1) == Some(self.startup.steps.len());
        match form {
            FileForm::Broken(reason) => self.fail(task, step, Fault::BrokenElf((*reason).to_owned())),
            FileForm::Empty | FileForm::Text if is_read_by_a_shell && task.how != Reached::Interpreter => {
                self.not_known(format!("what the shell makes of {}, which has no #! line", escape(&self.rootfs.path(node))));
            }
            FileForm::Empty => self.fail(task, step, Fault::Empty),
            FileForm::Text => self.fail(task, step, Fault::NoFormat),
            FileForm::Unknown | FileForm::Elf(_) | FileForm::Script(_) => {
                if self.is_planning && self.rootfs.inode(node).size() <= MOST_LOOKED_INTO {
                    self.unread.push(node);
                }
                self.not_known(format!("what kind of program {} is", escape(&self.rootfs.path(node))));
            }
        }
    }

    /// Whether the kernel takes an ELF file: its machine, and its loader.
    fn is_loaded(&mut self, task: &Task, elf: &ElfFacts, node: NodeId, step: usize) -> bool {
        const OBJECT: u16 = 1;
        const CORE: u16 = 4;
        if machine::is_for_platform(elf, &self.config.platform) == Some(false) {
            let name = machine::machine_name(elf).map_or_else(|| format!("machine {}", elf.machine), str::to_owned);
            self.fail(task, step, Fault::WrongMachine(name));
            return false;
        }
        if matches!(elf.kind, OBJECT | CORE) {
            self.fail(task, step, Fault::BrokenElf("it is an object file or a core dump".to_owned()));
            return false;
        }
        let Some(loader) = &elf.interpreter else { return true };
        let word = Word::said_by(loader.to_vec(), None);
        let asked = if loader.contains(&b'/') { word.clone() } else { Word::said_by([b"./", &**loader].concat(), None) };
        match self.program(&asked, &task.scene) {
            Err(miss) => {
                self.lost(task, &asked, Reached::Loader, miss);
                false
            }
            // the program itself, which needs no loader to be a loader
            Ok(loader) if loader == node => true,
            Ok(loader) => {
                let step = self.step(&word, Some(loader), Reached::Loader);
                let inode = self.rootfs.inode(loader);
                match form(inode.content.as_deref(), inode.size()) {
                    FileForm::Elf(loader) if machine::is_for_platform(loader, &self.config.platform) == Some(false) => {
                        let name =
                            machine::machine_name(loader).map_or_else(|| format!("machine {}", loader.machine), str::to_owned);
                        self.fail(task, step, Fault::WrongMachine(name));
                        false
                    }
                    FileForm::Elf(_) | FileForm::Unknown => true,
                    _ => {
                        self.fail(task, step, Fault::NoFormat);
                        false
                    }
                }
            }
        }
    }

    /// An ELF program runs: what it starts, by the name it is called by and by the file's own.
    fn program_starts(&mut self, mut task: Task, node: NodeId) {
        let own = self.rootfs.path(node);
        let mut called = task.words.first().map(|word| base_name(&word.text).to_vec()).unwrap_or_default();
        let content = self.rootfs.inode(node).content.as_deref();
        let is_busybox =
            content.and_then(|content| content.elf.as_ref()).is_some_and(|elf| elf.markers.contains(&Marker::BusyBox));
        if is_busybox && called.starts_with(b"busybox") {
            task.words.remove(0);
            let Some(applet) = task.words.first() else { return };
            called.clone_from(&applet.text);
        }
        if is_busybox && !applets::is_applet(&called) {
            return self.not_known(format!("whether busybox has an applet called {}", escape(&called)));
        }
        for name in [called.as_slice(), base_name(&own)] {
            if SHELLS.contains(&name) {
                return self.shell(task, name, is_busybox);
            }
            if name == b"env" {
                return self.env(task, is_busybox);
            }
            if matches!(name, b"su" | b"sudo" | b"runuser" | b"doas") {
                return self.not_known(format!("what {} starts", escape(name)));
            }
            if wrappers::is_wrapper(name) {
                return self.wrapper(task, name);
            }
        }
    }

    fn wrapper(&mut self, mut task: Task, name: &[u8]) {
        let Some(wrapped) = wrappers::parse(name, &task.words) else {
            return self.not_known(format!("what {} starts", escape(name)));
        };
        if let Some(user) = &wrapped.user {
            let user = users::resolve(&String::from_utf8_lossy(user), self.bodies);
            task.scene.who = Credentials::of(&user);
        } else if wrapped.is_user_unknown {
            task.scene.who = Credentials::default();
        }
        task.words.drain(..wrapped.before.min(task.words.len()));
        task.how = Reached::Wrapper;
        task.starter = Starter::Library;
        self.tasks.push(task);
    }

    fn env(&mut self, mut task: Task, is_busybox: bool) {
        let how = if task.how == Reached::Interpreter { Reached::Interpreter } else { Reached::Wrapper };
        let told = env::parse(task.words.get(1..).unwrap_or_default()).filter(|told| !(told.is_split && is_busybox));
        let Some(told) = told else { return self.not_known("what env starts".to_owned()) };
        if told.words.is_empty() {
            return;
        }
        match told.path {
            env::Path::Kept => {}
            env::Path::Unset => task.scene.path = None,
            env::Path::Set(path) => task.scene.path = Some(path),
        }
        if told.changes_directory {
            task.scene.directory = Directory::Unknown;
        }
        self.tasks.push(Task { words: told.words, how, starter: Starter::Library, ..task });
    }

    /// A shell: its options, then a line or a script (POSIX, sh).
    fn shell(&mut self, mut task: Task, name: &[u8], is_busybox: bool) {
        let mut words = std::mem::take(&mut task.words).into_iter().skip(1).peekable();
        let (mut is_line, mut stops, mut is_login) = (false, false, false);
        while let Some(option) = words.next_if(|word| matches!(word.text.first(), Some(b'-' | b'+')) && word.form == Form::Whole)
        {
            match option.text.as_slice() {
                b"-" | b"--" => break,
                b"--login" => is_login = true,
                b"--rcfile" | b"--init-file" => drop(words.next()),
                long if long.starts_with(b"--") => {}
                letters => {
                    is_line |= letters.contains(&b'c');
                    is_login |= letters.contains(&b'l');
                    stops |= letters.starts_with(b"-") && letters.contains(&b'e');
                    if letters.contains(&b's') {
                        return self.not_known("what a shell reads from its input".to_owned());
                    }
                    if letters.ends_with(b"o") || letters.ends_with(b"O") {
                        stops |= words.next().is_some_and(|option| option.text == b"errexit");
                    }
                }
            }
        }
        let starts_with_a_file = name == b"bash" && self.config.runtime.env("BASH_ENV").is_some();
        task.scene.is_path_open |= is_login || starts_with_a_file;
        task.starter = Starter::Shell { is_busybox };
        // with neither it is the shell itself that was wanted
        let Some(subject) = words.next() else { return };
        if is_line {
            let Some(line) = subject.whole().map(<[u8]>::to_vec) else {
                return self.not_known("what a shell's line says".to_owned());
            };
            let arguments = words.skip(1).collect();
            return self.script(&task, &line, Script { node: subject.script, arguments, stops_on_errors: stops });
        }
        let arguments: Vec<Word> = words.collect();
        self.shell_file(task, &subject, Script { node: None, arguments, stops_on_errors: stops });
    }

    /// `sh FILE`: the file is read, and needs no execute bit.
    fn shell_file(&mut self, mut task: Task, subject: &Word, script: Script) {
        let node = match subject.node {
            Some(node) => node,
            None if subject.form != Form::Whole => return self.not_known("which script a shell reads".to_owned()),
            None => match self.walk(&subject.text, &task.scene) {
                Ok(node) => {
                    let step = self.step(subject, Some(node), Reached::ShellFile);
                    let inode = self.rootfs.inode(node);
                    if inode.is_directory() {
                        return self.fail(&task, step, Fault::Directory);
                    }
                    if !task.scene.who.may(inode, READ) {
                        return self.fail(&task, step, Fault::NotReadable);
                    }
                    node
                }
                // some shells look along PATH then
                Err(_) if !subject.text.contains(&b'/') && self.program(subject, &task.scene).is_ok() => {
                    return self.not_known(format!("whether the shell finds {}", escape(&subject.text)));
                }
                Err(miss) => return self.lost(&task, subject, Reached::ShellFile, miss),
            },
        };
        let inode = self.rootfs.inode(node);
        let path = escape(&self.rootfs.path(node));
        self.scripts = self.scripts.saturating_add(1);
        if task.scene.depth >= MOST_DEPTH || self.scripts > MOST_SCRIPTS {
            return self.not_known(format!("what {path} starts: it is one of many scripts"));
        }
        if inode.size() > MOST_SCRIPT_BYTES {
            return self.not_known(format!("what {path} starts: it is long"));
        }
        task.scene.depth = task.scene.depth.saturating_add(1);
        let body = inode.content.as_ref().and_then(|content| content.body.as_deref());
        match body {
            _ if inode.size() == 0 => {}
            Some(body) => self.script(&task, body, Script { node: Some(node), ..script }),
            None if self.is_planning => {
                self.unread.push(node);
                // it may go on with its arguments
                let mut words = script.arguments;
                if words.first().is_some_and(|first| first.form == Form::Whole) {
                    task.words = std::mem::take(&mut words);
                    self.tasks.push(task);
                }
            }
            None => self.not_known(format!("what {path} starts: its content was not kept")),
        }
    }
}

fn form(content: Option<&Content>, size: u64) -> FileForm<'_> {
    if size == 0 {
        return FileForm::Empty;
    }
    let Some(content) = content else { return FileForm::Unknown };
    if let Some(elf) = &content.elf {
        return FileForm::Elf(elf);
    }
    if let Some(reason) = &content.broken_elf {
        return FileForm::Broken(reason);
    }
    if let Some(line) = &content.shebang {
        return FileForm::Script(line);
    }
    // a program that was too large to look into has none of them: only the bytes themselves can tell
    match &content.body {
        Some(body) if !body.starts_with(b"\x7fELF") => FileForm::Text,
        _ => FileForm::Unknown,
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}
