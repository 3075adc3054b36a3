//! From a rule's value to a finding: places become evidence as those of built-in checks do.

use std::collections::{BTreeMap, BTreeSet};

use super::compile::Compiled;
use super::facts::{Facts, Record, Value};
use crate::build::redact;
use crate::finding::{Evidence, Finding, Observation};
use crate::oci::escape_text;
use crate::rootfs::NodeId;

/// Texts that a message names.
const NAMED: usize = 5;
/// Characters of one text that a message names.
const SHOWN: usize = 80;

/// The finding of a rule with this value; None when it does not fire.
pub(super) fn finding(rule: &Compiled, value: &Value<'_>, facts: &Facts<'_>) -> Option<Finding> {
    let mut places = Places { facts, by_path: None, evidence: Vec::new(), named: BTreeSet::new(), counted: BTreeSet::new() };
    match value {
        Value::Bool(true) => {}
        Value::List(_) | Value::Texts(_) if value.len() > 0 => {
            (0..value.len()).filter_map(|index| value.item(index)).for_each(|item| places.add(&item));
        }
        _ => return None,
    }
    let Places { mut evidence, named, .. } = places;
    if evidence.is_empty() {
        evidence = rule.config.iter().map(|field| Evidence::of_config(field)).collect();
    }
    let observation =
        Observation { message: message(&rule.message, &named), evidence, fix: Some(rule.fix.clone()), ..Observation::default() };
    Some(Finding::new(&rule.id, rule.severity, observation))
}

/// What a rule points at.
struct Places<'f> {
    facts: &'f Facts<'f>,
    /// Names of the tree by escaped path, once a text that looks like a path asks for them.
    by_path: Option<BTreeMap<String, NodeId>>,
    evidence: Vec<Evidence>,
    /// What is no place in the tree: names of packages, ports, labels.
    named: BTreeSet<String>,
    /// Inodes whose bytes were counted.
    counted: BTreeSet<u32>,
}

impl Places<'_> {
    fn add(&mut self, item: &Value<'_>) {
        match item {
            Value::Record(Record::File(file)) => self.add_node(file.node),
            Value::Record(Record::Executable(executable)) => self.add_node(executable.file.node),
            Value::Record(Record::Package(package)) => drop(self.named.insert(package.name.clone())),
            Value::Text(text) => self.add_text(text.as_str()),
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        let image = self.facts.image;
        let node = text.starts_with('/').then(|| {
            let by_path = self.by_path.get_or_insert_with(|| {
                let escaped = |(path, node): (Vec<u8>, NodeId)| (crate::oci::escape(&path), node);
                image.rootfs.entries().into_iter().map(escaped).collect()
            });
            by_path.get(text).copied()
        });
        match node.flatten() {
            Some(node) => self.add_node(node),
            None => drop(self.named.insert(text.to_owned())),
        }
    }

    /// Bytes of an inode are counted at the first of its names.
    fn add_node(&mut self, node: NodeId) {
        let image = self.facts.image;
        let inode = image.rootfs.inode(node);
        let is_first = self.counted.insert(image.rootfs.inode_number(node));
        self.evidence.push(Evidence {
            path: Some(image.rootfs.path(node)),
            layer: Some(inode.layer),
            history: image.steps.get(inode.layer).and_then(|step| step.history),
            linkname: inode.target().map(<[u8]>::to_vec),
            package: image.packages.owner(&image.rootfs, node).map(|(package, _)| package.name.clone()),
            bytes: if is_first { inode.size() } else { 0 },
            ..Evidence::default()
        });
    }
}

/// The rule's message, and what it found that is no place in the tree. Secrets in instructions and the like are masked.
fn message(message: &str, named: &BTreeSet<String>) -> String {
    if named.is_empty() {
        return message.to_owned();
    }
    let shown = |text: &String| {
        let masked = redact(text);
        let cut: String = masked.chars().take(SHOWN).collect();
        let more = if cut.len() < masked.len() { "..." } else { "" };
        format!("{}{more}", escape_text(&cut))
    };
    let names: Vec<String> = named.iter().take(NAMED).map(shown).collect();
    let more = named.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{message}: {}{rest}", names.join(", "))
}
