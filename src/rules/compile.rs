//! From the text of a rule to a checked expression: parsed by the `cel` crate, then every name and type is looked up.
//!
//! The crate's parser runs on a thread of its own with room for the deepest tree that the longest source can make.

use std::thread;

use cel::Env;
use cel::common::ast::IdedExpr;

use super::RuleError;
use super::check::Checker;
use super::error::{Fault, place, quoted};
use super::expression::Node;
use super::schema::Root;
use crate::limits::Limits;
use crate::oci::escape_text;
use crate::policy::Rule;

/// Stack of a rule's thread, whatever the rule.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Stack for each byte of the source: the parser, the walk of its tree, the tree's end and the evaluation recur at most once for each.
const STACK_BYTES_EACH: usize = 16 * 1024;

/// A rule that can be evaluated.
#[derive(Debug)]
pub struct Compiled {
    pub(super) id: String,
    pub(super) severity: crate::finding::Severity,
    /// Escaped, without a full stop.
    pub(super) message: String,
    /// Escaped.
    pub(super) fix: String,
    pub(super) when: String,
    pub(super) expression: Node,
    /// Fields of the image config that it reads, sorted.
    pub(super) config: Vec<&'static str>,
    roots: Vec<Root>,
}

impl Compiled {
    /// Whether it reads this variable.
    pub(super) fn uses(&self, root: Root) -> bool {
        self.roots.contains(&root)
    }
}

/// Parses and checks a rule.
pub fn compile(rule: &Rule, limits: &Limits) -> Result<Compiled, RuleError> {
    let (expression, found) = checked(&rule.when, limits).map_err(|fault| {
        let (line, column) = place(&rule.when, fault.at);
        RuleError { rule: escape_text(&rule.id), line, column, reason: fault.reason }
    })?;
    Ok(Compiled {
        id: rule.id.clone(),
        severity: rule.severity,
        message: escape_text(rule.message.trim().trim_end_matches('.')),
        fix: escape_text(rule.fix.trim()),
        when: rule.when.clone(),
        expression,
        config: found.config.into_iter().collect(),
        roots: found.roots.into_iter().collect(),
    })
}

/// What the walk of a tree found besides the expression.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) config: std::collections::BTreeSet<&'static str>,
    pub(super) roots: std::collections::BTreeSet<Root>,
}

fn checked(source: &str, limits: &Limits) -> Result<(Node, Found), Fault> {
    let length = u64::try_from(source.len()).unwrap_or(u64::MAX);
    limits.rule_bytes(length).map_err(|hit| Fault::new(0, hit.to_string()))?;
    let work = || {
        let (tree, starts) = parse(source)?;
        Checker::new(&starts, limits).rule(&tree)
    };
    // a panic of the parser is a rule that it cannot read
    on_large_stack(source.len(), work).unwrap_or_else(|| Err(Fault::new(0, "the parser gave up on it")))
}

/// Runs `work` where rules of so many bytes have room; None when it panics, or when there is no memory for a thread.
pub(super) fn on_large_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> Option<T> {
    let stack = STACK_BYTES.saturating_add(bytes.saturating_mul(STACK_BYTES_EACH));
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("rule".to_owned()).stack_size(stack).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// Where the nodes of a tree start: bytes from the start of the source.
pub(super) type Starts = dyn Fn(&IdedExpr) -> u32;

/// The tree as it is written: macros stay calls.
fn parse(source: &str) -> Result<(IdedExpr, Box<Starts>), Fault> {
    let parser = Env::default().parser().enable_optional_syntax(false);
    let (tree, info) = parser.parse_with_source_info(source).map_err(|errors| {
        // their own text may panic (its line numbers wrap); these fields do not
        let Some(error) = errors.errors.into_iter().next() else { return Fault::new(0, "it is no expression") };
        let reason = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg).to_owned();
        Fault::new(offset(source, error.pos), format!("it is no expression: {}", quoted(&reason)))
    })?;
    let starts = move |node: &IdedExpr| info.offset_for(node.id).map_or(0, |(start, _)| start);
    Ok((tree, Box::new(starts)))
}

/// The byte at a line and character, both from 1; the start for what lies outside.
fn offset(source: &str, (line, column): (isize, isize)) -> u32 {
    let (Ok(line), Ok(column)) = (usize::try_from(line), usize::try_from(column)) else { return 0 };
    let before = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).fold(0_usize, usize::saturating_add);
    let rest = source.get(before..).unwrap_or_default().chars();
    let within = rest.take(column.saturating_sub(1)).map(char::len_utf8).fold(0_usize, usize::saturating_add);
    u32::try_from(before.saturating_add(within)).unwrap_or(0)
}
