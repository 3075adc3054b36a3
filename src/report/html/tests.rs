//! What the page holds, and that no string of a report becomes markup.
#![allow(clippy::disallowed_methods, reason = "x")]
use super::*;
use crate::report::samples;

#[test]
fn write_samples() {
    let Ok(dir) = std::env::var("PLIMSOLL_PAGES") else { return };
    for (name, report) in samples::all() {
        std::fs::write(format!("{dir}/{name}.html"), render(&report)).unwrap();
    }
    std::fs::write(format!("{dir}/located.html"), render(&samples::located::located())).unwrap();
}
