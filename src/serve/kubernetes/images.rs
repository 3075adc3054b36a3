//! Where an object names images: in every place of its pod specs that is called `image`, known or not.
//!
//! Every new field of Kubernetes that holds an image was a way around somebody's list. So there is no list of fields to ask about: a
//! pod spec is walked whole, and only the few places are left out that cannot hold an image. The lists of containers, which must
//! name one each, are looked at more strictly.

use std::fmt::Write as _;

use serde_json::Value;

use super::reference::shown;

/// Values of one pod spec that are looked at.
const MOST_VALUES: usize = 200_000;
/// Images that one object may name.
const MOST_IMAGES: usize = 128;
/// The lists of containers of a pod spec.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// The API groups whose workloads are known.
const GROUPS: [&str; 4] = ["", "apps", "batch", "extensions"];
/// Known kinds, and what their pods are made from.
const KINDS: [(&str, &str); 9] = [
    ("Pod", ""),
    ("PodTemplate", "/template"),
    ("Deployment", "/spec/template"),
    ("ReplicaSet", "/spec/template"),
    ("StatefulSet", "/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("Job", "/spec/template"),
    ("ReplicationController", "/spec/template"),
    ("CronJob", "/spec/jobTemplate/spec/template"),
];
/// Where kinds that are not known may have pods.
const ELSEWHERE: [&str; 3] = ["/spec/template", "/spec/jobTemplate/spec/template", "/template"];

/// What an object names.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Names of images as they are written, in the order of the object, each once.
    pub(super) images: Vec<String>,
    /// Where an image must be and none can be read: sentences.
    pub(super) problems: Vec<String>,
}

impl Found {
    fn image(&mut self, name: &str) {
        if self.images.iter().any(|known| known == name) {
            return;
        }
        if self.images.len() >= MOST_IMAGES {
            self.problem(format!("the object names more than {MOST_IMAGES} images"));
        } else {
            self.images.push(name.to_owned());
        }
    }

    fn problem(&mut self, problem: String) {
        // what is wrong ten times is wrong
        if self.problems.len() < 10 && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// Everything that `object`, which is of this group and kind, names.
pub(super) fn find(group: &str, kind: &str, object: &Value) -> Found {
    let mut found = Found::default();
    let known = KINDS.iter().find(|(name, _)| *name == kind && GROUPS.contains(&group));
    match known {
        // the kind of the subresource before Kubernetes 1.22
        None if group.is_empty() && kind == "EphemeralContainers" => {
            if !object.get("ephemeralContainers").is_some_and(Value::is_array) {
                found.problem("ephemeralContainers is no list of containers".to_owned());
            }
            spec(object, "", false, &mut found);
        }
        Some((_, place)) => match object.pointer(&format!("{place}/spec")) {
            Some(value @ Value::Object(_)) => spec(value, &written(place), true, &mut found),
            _ => found.problem(format!("{} is missing, or no object", written(place))),
        },
        None => {
            for place in ELSEWHERE {
                if let Some(value @ Value::Object(_)) = object.pointer(&format!("{place}/spec")) {
                    spec(value, &written(place), false, &mut found);
                }
            }
            if let Some(value) = object.get("spec").filter(|value| LISTS.iter().any(|list| value.get(list).is_some())) {
                spec(value, "spec", false, &mut found);
            }
        }
    }
    found
}

/// The annotations of the pods that the object makes.
pub(super) fn annotations<'a>(group: &str, kind: &str, object: &'a Value) -> Option<&'a serde_json::Map<String, Value>> {
    let known = KINDS.iter().find(|(name, _)| *name == kind && GROUPS.contains(&group));
    let place = known.map_or("", |(_, place)| place);
    object.pointer(&format!("{place}/metadata/annotations"))?.as_object()
}

/// Whether the object runs as it is, and is not what others are made from.
pub(super) fn is_pod(group: &str, kind: &str) -> bool {
    group.is_empty() && matches!(kind, "Pod" | "EphemeralContainers")
}

/// `/spec/template` as `spec.template.spec`.
fn written(place: &str) -> String {
    format!("{place}/spec").trim_start_matches('/').replace('/', ".")
}

/// One value of a pod spec.
struct Node<'a> {
    value: &'a Value,
    /// Its place among the nodes; the root is its own.
    parent: usize,
    step: Step<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

/// A walk over a pod spec, without recursion.
struct Walk<'a> {
    nodes: Vec<Node<'a>>,
    root: &'a str,
}

fn spec(value: &Value, place: &str, is_strict: bool, found: &mut Found) {
    let mut walk = Walk { nodes: vec![Node { value, parent: 0, step: Step::Root }], root: place };
    if is_strict && value.get("containers").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        found.problem(format!("{} is no list of containers", walk.name(0, "containers")));
    }
    let mut at = 0;
    while let Some(node) = walk.nodes.get(at) {
        match node.value {
            Value::Object(_) if walk.is_free(at) => {}
            Value::Object(fields) => {
                walk.judge(at, fields, is_strict, found);
                walk.nodes.extend(fields.iter().map(|(key, value)| Node { value, parent: at, step: Step::Key(key) }));
            }
            Value::Array(values) => {
                let nodes = values.iter().enumerate();
                walk.nodes.extend(nodes.map(|(index, value)| Node { value, parent: at, step: Step::Index(index) }));
            }
            _ => {}
        }
        if walk.nodes.len() > MOST_VALUES {
            found.problem(format!("the pod spec holds more than {MOST_VALUES} values"));
            return;
        }
        at = at.saturating_add(1);
    }
}

impl<'a> Walk<'a> {
    fn judge(&self, at: usize, fields: &serde_json::Map<String, Value>, is_strict: bool, found: &mut Found) {
        let is_container = self.is_container(at);
        match fields.get("image") {
            Some(Value::String(name)) => {
                if !self.is_block_device(at) {
                    found.image(name);
                }
            }
            Some(Value::Object(image)) => match image.get("reference") {
                Some(Value::String(name)) => found.image(name),
                None if !is_container && !self.is_volume(at) => {}
                _ => found.problem(format!("{} holds no `reference`", self.name(at, "image"))),
            },
            None | Some(Value::Null) if is_container && is_strict => {
                found.problem(format!("{} names no image", shown(&self.path(at))));
            }
            None | Some(Value::Null) => {}
            Some(_) => found.problem(format!("{} is no name of an image", self.name(at, "image"))),
        }
        if at != 0 {
            return;
        }
        for list in LISTS {
            match fields.get(list) {
                None | Some(Value::Null) => {}
                Some(Value::Array(containers)) => {
                    if !containers.iter().all(Value::is_object) {
                        found.problem(format!("{} holds something else than containers", self.name(at, list)));
                    }
                }
                Some(_) => found.problem(format!("{} is no list of containers", self.name(at, list))),
            }
        }
    }

    fn step(&self, at: usize) -> (Step<'a>, usize) {
        self.nodes.get(at).map_or((Step::Root, 0), |node| (node.step, node.parent))
    }

    /// The steps to a value, the last one first.
    fn steps(&self, mut at: usize) -> impl Iterator<Item = Step<'a>> {
        std::iter::from_fn(move || {
            let (step, parent) = self.step(at);
            at = parent;
            (step != Step::Root).then_some(step)
        })
    }

    /// An element of one of the lists of containers.
    fn is_container(&self, at: usize) -> bool {
        let mut steps = self.steps(at);
        matches!(steps.next(), Some(Step::Index(_)))
            && matches!(steps.next(), Some(Step::Key(list)) if LISTS.contains(&list))
            && steps.next().is_none()
    }

    /// An element of `volumes`.
    fn is_volume(&self, at: usize) -> bool {
        let mut steps = self.steps(at);
        matches!(steps.next(), Some(Step::Index(_))) && steps.next() == Some(Step::Key("volumes")) && steps.next().is_none()
    }

    /// `volumes[].rbd`, whose `image` is a block device of Ceph.
    fn is_block_device(&self, at: usize) -> bool {
        let (step, parent) = self.step(at);
        step == Step::Key("rbd") && self.is_volume(parent)
    }

    /// Objects whose keys are names that users make up: a label may well be called `image`.
    fn is_free(&self, at: usize) -> bool {
        let mut steps = self.steps(at);
        match steps.next() {
            Some(Step::Key("nodeSelector")) => steps.next().is_none(),
            Some(Step::Key("labels" | "annotations")) => steps.next() == Some(Step::Key("metadata")),
            Some(Step::Key("matchLabels")) => matches!(steps.next(), Some(Step::Key(selector)) if selector.ends_with("elector")),
            _ => false,
        }
    }

    fn path(&self, at: usize) -> String {
        let mut steps: Vec<Step<'_>> = self.steps(at).collect();
        steps.reverse();
        let mut path = self.root.to_owned();
        for step in steps {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => path.extend([".", key]),
                // writing to a String does not fail
                Step::Index(index) => drop(write!(path, "[{index}]")),
                Step::Root => {}
            }
        }
        path
    }

    /// The path of a field, as a message shows it.
    fn name(&self, at: usize, field: &str) -> String {
        let path = self.path(at);
        shown(&if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") })
    }
}
