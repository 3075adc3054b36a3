//! The Dockerfile inside a statement, and the lines that steps come from.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::limits::Limits;

/// Sources of one statement that are kept: a build reads one Dockerfile, and few more.
const SOURCES: usize = 16;

/// A file that was read as a build definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Its path in the Dockerfile's context, as written.
    pub filename: String,
    /// Its bytes; None when they are missing, no base64, or longer than a Dockerfile may be.
    pub text: Option<Vec<u8>>,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Index of the source.
    pub source: usize,
    /// The first line, from 1.
    pub start: usize,
    /// The last line.
    pub end: usize,
}

pub(super) fn sources(value: Option<&Value>, limits: &Limits) -> Vec<Source> {
    let source = |info: &Value| {
        let data = info.get("data").and_then(Value::as_str).filter(|data| {
            // base64 is a third longer than its bytes
            let bytes = u64::try_from(data.len() / 4).unwrap_or(u64::MAX).saturating_mul(3);
            limits.dockerfile_bytes(bytes.saturating_sub(2)).is_ok()
        });
        Source {
            filename: info.get("filename").and_then(Value::as_str).unwrap_or_default().to_owned(),
            text: data.and_then(|data| STANDARD.decode(data).ok()),
        }
    };
    value.and_then(Value::as_array).into_iter().flatten().take(SOURCES).map(source).collect()
}

pub(super) fn locations(value: Option<&Value>) -> BTreeMap<String, Vec<Lines>> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    let places = |step: &Value| {
        let list = step.get("locations").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(lines).collect::<Vec<_>>()
    };
    members.map(|(id, step)| (id.clone(), places(step))).collect()
}

/// One range stands for one physical line: the place reaches from the first to the last of them.
fn lines(location: &Value) -> Option<Lines> {
    // what is 0 is left out
    let source = match location.get("sourceIndex") {
        None => 0,
        Some(index) => number(index)?,
    };
    let ranges = location.get("ranges")?.as_array()?;
    let line = |range: &Value, end: &str| range.get(end)?.get("line").and_then(number);
    let starts = ranges.iter().filter_map(|range| line(range, "start"));
    let ends = ranges.iter().filter_map(|range| line(range, "end"));
    let (start, end) = (starts.min()?, ends.max()?);
    (0 < start && start <= end).then_some(Lines { source, start, end })
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}
