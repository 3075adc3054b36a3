//! Following the way from program to program: what is to be started next, and what was met.

use super::access::Walker;
use super::credentials::{Credentials, EXECUTE};
use super::shell::{Form, Word};
use super::{DEFAULT_PATH, Reached, Startup, StartupFault as Fault, StartupProblem, StartupStep};
use crate::facts::bodies::Bodies;
use crate::facts::users::User;
use crate::oci::{ImageConfig, escape};
use crate::rootfs::{NodeId, Rootfs};

/// Commands that are followed in one image.
const MOST_TASKS: usize = 256;

/// Folders of PATH that are looked into.
const MOST_FOLDERS: usize = 512;

/// Volumes that are looked at.
const MOST_VOLUMES: usize = 256;

/// What a way is followed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// The container starts.
    Start,
    /// Docker runs the health check.
    Probe,
}

/// Who starts a program, which decides what becomes of a file that is neither machine code nor starts with `#!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Starter {
    /// The runtime: the kernel's answer stands.
    Runtime,
    /// `execvp` of a C library: glibc's runs it with `/bin/sh`.
    Library,
    /// A shell, which reads it itself; whether it is busybox, which may run its applets without their links.
    Shell { is_busybox: bool },
}

/// The working directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directory {
    At(NodeId),
    /// Made when the container starts, and empty.
    New,
    Unknown,
}

/// What a program is started in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scene {
    pub(super) who: Credentials,
    pub(super) directory: Directory,
    /// PATH; None when it is unset.
    pub(super) path: Option<Vec<u8>>,
    /// There may be more in PATH than that.
    pub(super) is_path_open: bool,
    /// Scripts inside scripts.
    pub(super) depth: u8,
}

/// A command that is to be started.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) words: Vec<Word>,
    pub(super) how: Reached,
    pub(super) starter: Starter,
    pub(super) scene: Scene,
    /// What it is for fails without it.
    pub(super) is_needed: bool,
    /// It is certain that it is started, and from the tree as it is.
    pub(super) is_certain: bool,
}

/// Why a name leads to no program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    Fault(Fault),
    NotKnown(&'static str),
}

/// Follows one way.
pub(super) struct Follower<'a, 'b> {
    pub(super) config: &'b ImageConfig,
    pub(super) rootfs: &'a Rootfs,
    pub(super) bodies: &'b mut Bodies<'a>,
    pub(super) walker: Walker<'a>,
    who: Credentials,
    /// Names of the folders that may be mounted over; None when they are too many to look at.
    volumes: Option<Vec<Vec<Vec<u8>>>>,
    /// Scripts that were read.
    pub(super) scripts: usize,
    pub(super) bound: Bound,
    pub(super) startup: Startup,
    /// Scripts whose bodies are not there.
    pub(super) unread: Vec<NodeId>,
    /// Bodies are still to be fetched: what scripts without one may start is followed too.
    pub(super) is_planning: bool,
    pub(super) tasks: Vec<Task>,
}

impl<'a, 'b> Follower<'a, 'b> {
    /// Follows as `user`; without one, to find the scripts that are to be read.
    pub(super) fn new(config: &'b ImageConfig, user: Option<&User>, bodies: &'b mut Bodies<'a>) -> Self {
        let rootfs = bodies.rootfs;
        Self {
            config,
            rootfs,
            walker: Walker::new(rootfs, bodies.limits),
            volumes: volumes(config),
            scripts: 0,
            bodies,
            who: user.map(Credentials::of).unwrap_or_default(),
            bound: Bound::Start,
            startup: Startup::default(),
            unread: Vec::new(),
            is_planning: user.is_none(),
            tasks: Vec::new(),
        }
    }

    /// Follows what `words` of the config start.
    pub(super) fn start(&mut self, words: Vec<Word>, bound: Bound) {
        self.bound = bound;
        if words.iter().all(|word| word.text.is_empty()) {
            self.startup.problems.push(StartupProblem { step: None, fault: Fault::NothingToRun });
            return;
        }
        let Some(directory) = self.working_directory() else {
            self.startup.problems.push(StartupProblem { step: None, fault: Fault::WorkingDirectory });
            return;
        };
        let path = self.config.runtime.env("PATH").unwrap_or(DEFAULT_PATH).as_bytes().to_vec();
        let scene = Scene { who: self.who.clone(), directory, path: Some(path), is_path_open: false, depth: 0 };
        let (how, starter) = (Reached::Runtime, Starter::Runtime);
        self.tasks.push(Task { words, how, starter, scene, is_needed: true, is_certain: true });
        for _ in 0..MOST_TASKS {
            let Some(task) = self.tasks.pop() else { return };
            self.exec(task);
        }
        if !self.tasks.is_empty() {
            self.not_known("what comes after many commands".to_owned());
        }
    }

    /// All that was met.
    pub(super) fn finish(self) -> Startup {
        self.startup
    }

    /// WORKDIR, which runtimes enter as root and make when it is absent. None when it is no directory.
    fn working_directory(&self) -> Option<Directory> {
        let written = self.config.runtime.working_dir.as_bytes();
        let path = [b"/", written].concat();
        match self.walker.walk(self.rootfs.root(), &path, &Credentials::default()) {
            Ok(node) if self.rootfs.inode(node).is_directory() => Some(Directory::At(node)),
            _ if self.is_volatile(&path) => Some(Directory::Unknown),
            Ok(_) | Err(Fault::ParentNotADirectory(_)) => None,
            Err(Fault::NotFound) => Some(Directory::New),
            Err(_) => Some(Directory::Unknown),
        }
    }

    /// Says why the way cannot be followed.
    pub(super) fn not_known(&mut self, reason: String) {
        if !self.startup.not_known.contains(&reason) {
            self.startup.not_known.push(reason);
        }
    }

    /// Adds a step, and says which it is.
    pub(super) fn step(&mut self, word: &Word, node: Option<NodeId>, how: Reached) -> usize {
        let index = self.startup.steps.len();
        self.startup.steps.push(StartupStep { word: word.text.clone(), node, how, script: word.script });
        index
    }

    /// A step does not start: a problem when that is certain and matters.
    pub(super) fn fail(&mut self, task: &Task, step: usize, fault: Fault) {
        if task.is_needed && task.is_certain {
            let problem = StartupProblem { step: Some(step), fault };
            if !self.startup.problems.contains(&problem) {
                self.startup.problems.push(problem);
            }
        } else if task.is_needed {
            let word = self.startup.steps.get(step).map(|step| escape(&step.word)).unwrap_or_default();
            self.not_known(format!("whether {word} is started, and what it is by then"));
        }
    }

    /// A word leads to no program.
    pub(super) fn lost(&mut self, task: &Task, word: &Word, how: Reached, miss: Miss) {
        match miss {
            Miss::NotKnown(why) => self.not_known(format!("what {} is: {why}", escape(&word.text))),
            Miss::Fault(_) if !task.is_needed => {}
            Miss::Fault(fault) => {
                let node = self.nearest(word, &task.scene);
                let step = self.step(word, node, how);
                self.fail(task, step, fault);
                if !task.is_certain {
                    self.startup.steps.pop();
                }
            }
        }
    }

    /// The program that a word names: with a slash a path, else along PATH (execvp(3), and Go's `exec.LookPath` in runc).
    pub(super) fn program(&self, word: &Word, scene: &Scene) -> Result<NodeId, Miss> {
        if let Some(node) = word.node {
            return Ok(node);
        }
        let name = word.text.as_slice();
        if word.form != Form::Whole {
            return Err(Miss::NotKnown("it is told at run time"));
        }
        if name.contains(&b'/') {
            let found = self.walk(name, scene)?;
            return self.executable(found, &scene.who).map(|()| found).map_err(Miss::Fault);
        }
        if name.is_empty() {
            return Err(Miss::Fault(Fault::NotFound));
        }
        let mut best = None;
        let path = scene.path.as_deref().unwrap_or(b"/bin:/usr/bin");
        let mut folders = path.split(|byte| *byte == b':').filter(|_| !path.is_empty());
        let looked_into: Vec<&[u8]> = folders.by_ref().take(MOST_FOLDERS).collect();
        let mut is_open = scene.is_path_open || folders.next().is_some();
        for folder in looked_into {
            let candidate = [if folder.is_empty() { b"." } else { folder }, b"/", name].concat();
            let found = self
                .walk(&candidate, scene)
                .and_then(|node| self.executable(node, &scene.who).map(|()| node).map_err(Miss::Fault));
            match found {
                Ok(node) => return Ok(node),
                Err(Miss::NotKnown(_)) => is_open = true,
                Err(Miss::Fault(Fault::Closed(folder))) if self.is_behind(&candidate, scene) => {
                    best = best.or(Some(Fault::Closed(folder)));
                }
                Err(Miss::Fault(fault @ (Fault::NotExecutable | Fault::DanglingLink(_)))) => best = best.or(Some(fault)),
                Err(Miss::Fault(_)) => {}
            }
        }
        if is_open {
            return Err(Miss::NotKnown("PATH may lead elsewhere at run time"));
        }
        Err(Miss::Fault(best.unwrap_or(Fault::NotFound)))
    }

    /// What a word names that cannot be started as it is, whoever asks.
    fn nearest(&self, word: &Word, scene: &Scene) -> Option<NodeId> {
        let anybody = Scene { who: Credentials::default(), ..scene.clone() };
        if word.text.contains(&b'/') {
            return self.walk(&word.text, &anybody).ok();
        }
        let path = scene.path.as_deref().unwrap_or_default();
        let mut folders = path.split(|byte| *byte == b':').take(MOST_FOLDERS);
        let found = folders.find_map(|folder| self.walk(&[folder, b"/", &word.text].concat(), &anybody).ok());
        found.filter(|node| self.rootfs.inode(*node).is_file())
    }

    /// What a path ends at.
    pub(super) fn walk(&self, path: &[u8], scene: &Scene) -> Result<NodeId, Miss> {
        if self.walker.is_tired() {
            return Err(Miss::NotKnown("its paths are long"));
        }
        let start = match scene.directory {
            Directory::At(node) => node,
            _ if path.starts_with(b"/") => self.rootfs.root(),
            Directory::New => return Err(Miss::Fault(Fault::NotFound)),
            Directory::Unknown => return Err(Miss::NotKnown("the working directory is told at run time")),
        };
        self.walker.walk(start, path, &scene.who).map_err(|fault| {
            let absolute =
                if path.starts_with(b"/") { path.to_vec() } else { [&self.rootfs.path(start), &b"/"[..], path].concat() };
            let is_absent = matches!(fault, Fault::NotFound | Fault::DanglingLink(_) | Fault::ParentNotADirectory(_));
            let target = match &fault {
                Fault::DanglingLink(link) => self.target_of(link),
                _ => None,
            };
            let is_mounted = self.is_volatile(&absolute) || target.is_some_and(|target| self.is_volatile(&target));
            if is_absent && is_mounted { Miss::NotKnown("it may be mounted at run time") } else { Miss::Fault(fault) }
        })
    }

    /// The target of a dangling link, when it is absolute.
    fn target_of(&self, link: &[u8]) -> Option<Vec<u8>> {
        let names = link.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        let node = names.into_iter().try_fold(self.rootfs.root(), |at, name| self.rootfs.child(at, name))?;
        self.rootfs.inode(node).target().filter(|target| target.starts_with(b"/")).map(<[u8]>::to_vec)
    }

    /// Whether a program is there behind a directory that is closed.
    fn is_behind(&self, path: &[u8], scene: &Scene) -> bool {
        let anybody = Scene { who: Credentials::default(), ..scene.clone() };
        self.walk(path, &anybody).is_ok_and(|node| self.rootfs.inode(node).is_executable_file())
    }

    fn executable(&self, node: NodeId, who: &Credentials) -> Result<(), Fault> {
        let inode = self.rootfs.inode(node);
        if inode.is_directory() {
            return Err(Fault::Directory);
        }
        if !inode.is_file() {
            return Err(Fault::NotAFile);
        }
        // even where nothing is known of the user, nobody executes what has no execute bit
        if inode.mode & 0o111 == 0 || !who.may(inode, EXECUTE) {
            return Err(Fault::NotExecutable);
        }
        Ok(())
    }

    /// Whether something may be mounted over a path.
    fn is_volatile(&self, path: &[u8]) -> bool {
        let path = names(path);
        self.volumes.as_ref().is_none_or(|volumes| volumes.iter().any(|volume| path.starts_with(volume)))
    }
}

/// What runtimes mount over an image, and the image's volumes.
fn volumes(config: &ImageConfig) -> Option<Vec<Vec<Vec<u8>>>> {
    let volumes = &config.runtime.volumes;
    let mounted = ["/proc", "/sys", "/dev"].into_iter().chain(volumes.iter().map(String::as_str));
    (volumes.len() <= MOST_VOLUMES).then(|| mounted.map(|volume| names(volume.as_bytes())).collect())
}

fn names(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").map(<[u8]>::to_vec).collect()
}
