//! The steps of a build (`llbDefinition`).

use serde_json::Value;

const IMAGE_SOURCE: &str = "docker-image://";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `step0`.
    pub id: String,
    /// What it does.
    pub operation: Operation,
    /// Outputs of other steps (`step0:0`) that it takes.
    pub inputs: Vec<String>,
}

/// What a step does; numbers are indexes into the step's inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Takes an image; its name.
    Image(String),
    /// Takes something else from outside: the build context, a repository, a download.
    Source,
    /// Runs a command.
    Exec {
        /// The root filesystem; None when it starts empty.
        root: Option<usize>,
    },
    /// Copies or writes files.
    Copy {
        /// The filesystem that is written to; None when it starts empty.
        root: Option<usize>,
        /// Where the files come from, in order, each once.
        from: Vec<usize>,
    },
    /// Makes a folder, and nothing else.
    Folder {
        /// The filesystem that is written to; None when it starts empty.
        root: Option<usize>,
    },
    /// Lays filesystems over one another.
    Merge {
        /// The lowest.
        root: Option<usize>,
    },
    /// What is not known here, and the result.
    Other,
}

impl Step {
    pub(super) fn read(value: &Value) -> Option<Self> {
        let id = value.get("id").and_then(Value::as_str)?.to_owned();
        let inputs = value.get("inputs").and_then(Value::as_array).into_iter().flatten();
        let inputs = inputs.map(|input| input.as_str().unwrap_or_default().to_owned()).collect();
        Some(Self { id, operation: value.pointer("/op/Op").and_then(operation).unwrap_or(Operation::Other), inputs })
    }
}

fn operation(value: &Value) -> Option<Operation> {
    if let Some(source) = value.get("source") {
        let image = source.get("identifier").and_then(Value::as_str)?.strip_prefix(IMAGE_SOURCE);
        return Some(image.map_or(Operation::Source, |image| Operation::Image(image.to_owned())));
    }
    if let Some(exec) = value.get("exec") {
        let mounts = exec.get("mounts")?.as_array()?;
        let root = mounts.iter().find(|mount| mount.get("dest").and_then(Value::as_str) == Some("/"))?;
        return Some(Operation::Exec { root: index(input(root, "input")?) });
    }
    if let Some(file) = value.get("file") {
        let actions = file.get("actions")?.as_array()?;
        // later actions go on from the outputs of earlier ones
        let root = index(input(actions.first()?, "input")?);
        if actions.iter().all(|action| action.pointer("/Action/mkdir").is_some()) {
            return Some(Operation::Folder { root });
        }
        let mut from: Vec<usize> = Vec::new();
        for action in actions {
            let second = input(action, "secondaryInput").and_then(index);
            from.extend(second.filter(|second| !from.contains(second)));
        }
        return Some(Operation::Copy { root, from });
    }
    if let Some(merge) = value.get("merge") {
        return Some(Operation::Merge { root: index(input(merge.get("inputs")?.as_array()?.first()?, "input")?) });
    }
    None
}

/// The number of an input, negative for none; numbers that are 0 may be left out. None when it is no number.
fn input(value: &Value, name: &str) -> Option<i64> {
    value.get(name).map_or(Some(0), Value::as_i64)
}

fn index(input: i64) -> Option<usize> {
    usize::try_from(input).ok()
}
