//! Faults of starting, in words: what the checks of start-up and of health checks have to say of one.

use super::wording;
use super::{evidence, tools};
use crate::facts::{Image, Reached, Startup, StartupFault as Fault, StartupProblem, StartupStep};
use crate::finding::{Evidence, Observation};
use crate::oci::{escape, escape_text};

/// The check that a fault belongs to, when it keeps the container from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// `missing-entrypoint`.
    Program,
    /// `wrong-architecture`.
    Machine,
    /// `missing-interpreter`.
    Interpreter,
    /// `broken-script-entrypoint`.
    Script,
}

impl Cause {
    fn of(startup: &Startup, problem: &StartupProblem) -> Self {
        let step = startup.step_of(problem);
        match (&problem.fault, step.map(|step| step.how)) {
            (Fault::WrongMachine(_), _) => Self::Machine,
            (
                Fault::CarriageReturn | Fault::NoFormat | Fault::NoInterpreter | Fault::NotReadable | Fault::TooManyInterpreters,
                Some(how),
            ) if how != Reached::Loader => Self::Script,
            (_, Some(Reached::Interpreter | Reached::Loader)) => Self::Interpreter,
            _ if step.is_some_and(|step| step.script.is_some()) => Self::Script,
            _ => Self::Program,
        }
    }
}

/// What keeps the container from starting for this cause.
pub(super) fn observations(image: &Image, cause: Cause) -> Vec<Observation> {
    let field = if image.config.runtime.entrypoint.is_empty() { "config.Cmd" } else { "config.Entrypoint" };
    let problems = image.startup.problems.iter().filter(|problem| Cause::of(&image.startup, problem) == cause);
    described(image, &image.startup, problems, field)
}

/// What keeps the health check from running.
pub(super) fn of_probe(image: &Image) -> Vec<Observation> {
    let Some(probe) = &image.probe else { return Vec::new() };
    described(image, probe, probe.problems.iter(), "config.Healthcheck")
}

fn described<'a>(
    image: &Image,
    startup: &Startup,
    problems: impl Iterator<Item = &'a StartupProblem>,
    field: &str,
) -> Vec<Observation> {
    let mut seen: Vec<Observation> = Vec::new();
    for problem in problems {
        let step = startup.step_of(problem);
        let observation = Observation {
            subject: step.map(|step| wording::path_key(&step.word)).unwrap_or_default(),
            message: message(image, startup, problem),
            evidence: evidence_of(image, startup, problem, field),
            ..Observation::default()
        };
        if !seen.iter().any(|one| one.subject == observation.subject) {
            seen.push(observation);
        }
    }
    seen
}

fn evidence_of(image: &Image, startup: &Startup, problem: &StartupProblem, field: &str) -> Vec<Evidence> {
    let step = startup.step_of(problem);
    let node =
        step.and_then(|step| step.node.or(step.script).or_else(|| before(startup, problem).and_then(|before| before.node)));
    let at = node.map(|node| Evidence { bytes: 0, ..evidence::of_node(image, image.rootfs.path(node), node) });
    let is_of_config = step.is_none_or(|step| step.script.is_none() && step.how != Reached::Loader);
    at.into_iter().chain(is_of_config.then(|| Evidence::of_config(field))).collect()
}

/// The step before, which for a loader is the program that names it.
fn before<'a>(startup: &'a Startup, problem: &StartupProblem) -> Option<&'a StartupStep> {
    startup.steps.get(problem.step?.checked_sub(1)?)
}

fn message(image: &Image, startup: &Startup, problem: &StartupProblem) -> String {
    let Some(step) = startup.step_of(problem) else {
        return match problem.fault {
            Fault::WorkingDirectory => format!("WORKDIR {} is no directory", escape_text(&image.config.runtime.working_dir)),
            _ => "Nothing to run: neither Entrypoint nor Cmd names a program".to_owned(),
        };
    };
    let word = escape(&step.word);
    if problem.fault == Fault::NothingToRun {
        return format!("Nothing to run: {word} is given no program to start");
    }
    let path = |node| escape(&image.rootfs.path(node));
    let subject = match (step.how, step.script, before(startup, problem).and_then(|before| before.node)) {
        (Reached::Loader, _, Some(program)) => format!("{word}, the loader of {}, ", path(program)),
        (Reached::Interpreter, Some(script), _) => format!("{word}, the interpreter of {}, ", path(script)),
        (_, Some(script), _) => format!("{word}, which {} starts, ", path(script)),
        _ => format!("{word} "),
    };
    format!("{subject}{}", predicate(image, step, &problem.fault))
}

fn predicate(image: &Image, step: &StartupStep, fault: &Fault) -> String {
    let who = image.user.uid.map_or_else(|| "the user".to_owned(), |uid| format!("uid {uid}"));
    let mode = |path: Option<&[u8]>| {
        let inode = path.and_then(|path| tools::entry(&image.rootfs, path)).or(step.node).map(|node| image.rootfs.inode(node));
        inode.map_or_else(String::new, |inode| format!("{:04o} {}:{}", inode.mode, inode.uid, inode.gid))
    };
    match fault {
        Fault::NotFound if step.word.contains(&b'/') => "is not in the image".to_owned(),
        Fault::NotFound if step.how == Reached::ShellFile => "is not in the working directory".to_owned(),
        Fault::NotFound => "is in no folder of PATH".to_owned(),
        Fault::DanglingLink(link) if *link == step.word => "is a symbolic link that leads nowhere".to_owned(),
        Fault::DanglingLink(link) => format!("ends at {}, a symbolic link that leads nowhere", escape(link)),
        Fault::TooManyLinks => "leads through more than 40 symbolic links".to_owned(),
        Fault::ParentNotADirectory(parent) => format!("lies below {}, which is no directory", escape(parent)),
        Fault::Closed(folder) => format!("cannot be reached by {who}: {} is closed ({})", escape(folder), mode(Some(folder))),
        Fault::Directory => "is a directory".to_owned(),
        Fault::NotAFile => "is no regular file".to_owned(),
        Fault::NotExecutable => format!("cannot be executed by {who} ({})", mode(None)),
        Fault::NotReadable => format!("cannot be read by {who}, and whatever runs it has to ({})", mode(None)),
        Fault::WrongMachine(machine) => format!("is for {}, and the image for {}", escape_text(machine), image.config.platform),
        Fault::Empty => "is empty: exec format error".to_owned(),
        Fault::NoFormat => "is neither machine code nor a script with a #! line: exec format error".to_owned(),
        Fault::BrokenElf(reason) => format!("starts as machine code and is none: {}", escape_text(reason)),
        Fault::CarriageReturn => {
            "has a carriage return at the end of its #! line, which belongs to the last word there".to_owned()
        }
        Fault::NoInterpreter => "has a #! line that names no interpreter, or is cut by the kernel".to_owned(),
        Fault::TooManyInterpreters => "is a script of a script, deeper than the kernel follows".to_owned(),
        _ => "cannot be started".to_owned(),
    }
}
