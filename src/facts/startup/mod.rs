//! Will it start? The way from the config to the program that runs, as runc and crun, the kernel, wrappers and shells take it.
//!
//! Docker, containerd and Kubernetes start `Entrypoint` followed by `Cmd` in `WorkingDir` as `User`, and look a program without a slash
//! up along `PATH` of the config. From there on the kernel reads `#!` lines and names of loaders, wrappers such as tini start what their
//! arguments name, and shells start what their lines name. Each program is a step. What cannot be known without running it is said to be
//! not known and never guessed: a fault is one in every run.

mod access;
mod applets;
mod credentials;
mod env;
mod exec;
mod follow;
mod known;
mod lines;
mod machine;
mod shebang;
mod shell;
mod state;
mod wrappers;

#[cfg(test)]
mod tests;

use super::bodies::Bodies;
use super::users::User;
use crate::oci::{Healthcheck, ImageConfig, RuntimeConfig, escape_text};
use crate::rootfs::NodeId;

pub use machine::{is_for_platform, machine_name};

use self::follow::{Bound, Follower};
use self::shell::Word;

/// What runtimes set when the config has no PATH (moby's and containerd's default).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a container starts, or what a health check runs, as far as it can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Startup {
    /// Programs, interpreters and loaders, in the order in which they are started.
    pub steps: Vec<StartupStep>,
    /// Why it does not start, whatever happens at run time.
    pub problems: Vec<StartupProblem>,
    /// Why the way could not be followed to its end, each reason once; empty when it could.
    pub not_known: Vec<String>,
}

impl Startup {
    /// The files that are started, each once, in order.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        for node in self.steps.iter().filter_map(|step| step.node) {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        nodes
    }

    /// The step that a problem is about.
    #[must_use]
    pub fn step_of(&self, problem: &StartupProblem) -> Option<&StartupStep> {
        self.steps.get(problem.step?)
    }
}

/// One program on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartupStep {
    /// What it is called by, raw.
    pub word: Vec<u8>,
    /// What it ends at, all links followed; None when it is not there.
    pub node: Option<NodeId>,
    /// How it is reached.
    pub how: Reached,
    /// The script in the image that names it; None for what the config names.
    pub script: Option<NodeId>,
}

/// How a program is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// The runtime starts it: the first word.
    Runtime,
    /// A program that starts another one names it: tini, gosu, env, a script's `exec "$@"`.
    Wrapper,
    /// A shell's line names it.
    Shell,
    /// A shell reads it.
    ShellFile,
    /// The `#!` line names it, directly or through env.
    Interpreter,
    /// An ELF program names it as its loader (PT_INTERP).
    Loader,
}

/// Why something does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartupProblem {
    /// Index of the step; None when there is nothing to run or nowhere to run it.
    pub step: Option<usize>,
    /// Why.
    pub fault: StartupFault,
}

/// Why something does not start. Names are raw.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartupFault {
    /// Neither Entrypoint nor Cmd names anything, or a wrapper is given nothing to start.
    NothingToRun,
    /// WORKDIR ends at something that is no directory.
    WorkingDirectory,
    /// There is no such name, or no folder of PATH has it.
    NotFound,
    /// The name ends at a symbolic link (path) that leads nowhere.
    DanglingLink(Vec<u8>),
    /// More symbolic links than the kernel follows.
    TooManyLinks,
    /// A parent (path) is no directory.
    ParentNotADirectory(Vec<u8>),
    /// USER may not look into a directory (its path).
    Closed(Vec<u8>),
    /// It is a directory.
    Directory,
    /// It is a device or a fifo.
    NotAFile,
    /// USER may not execute it.
    NotExecutable,
    /// USER may not read it, which its interpreter has to.
    NotReadable,
    /// It is for another machine than the config's platform: which.
    WrongMachine(String),
    /// It is empty.
    Empty,
    /// It is neither machine code nor does it start with `#!`.
    NoFormat,
    /// It starts as an ELF file that no kernel takes: why.
    BrokenElf(String),
    /// Its `#!` line ends with a carriage return.
    CarriageReturn,
    /// Its `#!` line names no interpreter, or is cut by the kernel.
    NoInterpreter,
    /// More interpreters of interpreters than the kernel follows.
    TooManyInterpreters,
}

/// What starts, and what the health check runs, if there is one that Docker runs.
pub(super) fn read(config: &ImageConfig, user: &User, bodies: &mut Bodies<'_>) -> (Startup, Option<Startup>) {
    let runtime = &config.runtime;
    if !is_linux(config) {
        let not_known = vec![format!("how {} starts programs", escape_text(&config.platform.os))];
        return (Startup { not_known, ..Startup::default() }, None);
    }
    let mut follow = |words, bound| {
        let mut follower = Follower::new(config, Some(user), bodies);
        follower.start(words, bound);
        follower.finish()
    };
    let startup = follow(words_of(runtime), Bound::Start);
    let probe = runtime.healthcheck.as_ref().filter(|check| check.is_run());
    (startup, probe.map(|check| follow(probe_words(check, runtime), Bound::Probe)))
}

/// Files that [`read`] would look into and that have no body yet: scripts, and what has no known form.
pub(super) fn wanted(config: &ImageConfig, bodies: &mut Bodies<'_>) -> Vec<NodeId> {
    if !is_linux(config) {
        return Vec::new();
    }
    let runtime = &config.runtime;
    let argv = words_of(runtime);
    let probe = runtime.healthcheck.as_ref().filter(|check| check.is_run()).map(|check| probe_words(check, runtime));
    let mut wanted = Vec::new();
    for (argv, bound) in [(argv, Bound::Start)].into_iter().chain(probe.map(|words| (words, Bound::Probe))) {
        let mut follower = Follower::new(config, None, bodies);
        follower.start(argv, bound);
        wanted.append(&mut follower.unread);
    }
    let has_body = |node: &NodeId| bodies.rootfs.inode(*node).content.as_ref().is_some_and(|content| content.body.is_some());
    wanted.retain(|node| !has_body(node));
    wanted
}

/// Windows starts programs otherwise.
fn is_linux(config: &ImageConfig) -> bool {
    matches!(config.platform.os.as_str(), "linux" | "")
}

fn words_of(runtime: &RuntimeConfig) -> Vec<Word> {
    runtime.entrypoint.iter().chain(&runtime.cmd).map(|word| Word::of(word)).collect()
}

/// The words that Docker runs for a health check (moby, daemon/health.go).
fn probe_words(check: &Healthcheck, config: &RuntimeConfig) -> Vec<Word> {
    let (kind, words) = check.test.split_first().map_or(("", &[][..]), |(kind, words)| (kind.as_str(), words));
    let shell: Vec<Word> = match kind {
        "CMD" => Vec::new(),
        _ if config.shell.is_empty() => vec![Word::of("/bin/sh"), Word::of("-c")],
        _ => config.shell.iter().map(|word| Word::of(word)).collect(),
    };
    shell.into_iter().chain(words.iter().map(|word| Word::of(word))).collect()
}
