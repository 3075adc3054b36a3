//! Writes the documents of the samples for the validators of `tests/validate.sh`: what no image at hand has, such as lines and waivers.
#![expect(clippy::disallowed_methods, reason = "a test that on demand writes files")]

use std::path::PathBuf;

use super::*;

#[test]
#[ignore = "tests/validate.sh runs it, and validates what it writes to the folder that PLIMSOLL_REPORTS names"]
fn write_samples() {
    let folder = PathBuf::from(std::env::var_os("PLIMSOLL_REPORTS").expect("PLIMSOLL_REPORTS names a folder"));
    for (name, report) in every_sample() {
        for (kind, category) in [("usual", Category::OfImage), ("none", Category::None)] {
            let mut out = Vec::new();
            write(&report, &Options { category, shows_waived: true }, &mut out).unwrap();
            std::fs::write(folder.join(format!("sample-{name}-{kind}.sarif")), out).unwrap();
        }
        let mut out = Vec::new();
        crate::report::gitlab::write(&report, &mut out).unwrap();
        std::fs::write(folder.join(format!("sample-{name}.gitlab.json")), out).unwrap();
        std::fs::write(folder.join(format!("sample-{name}.junit.xml")), crate::report::junit::render(&report)).unwrap();
    }
}
