//! Real Dockerfiles, and the lines that BuildKit's own parser gave their instructions.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::decode;
use plimsoll::build::dockerfile::{Dockerfile, Instruction, parse};
use plimsoll::limits::Limits;
use serde_json::Value;

use super::program;

/// Layouts with provenance of the highest mode, and how many places in each are of triggers of the base: BuildKit before
/// 2024-10 puts those on line 1.
const LAYOUTS: &[(&str, usize)] = &[
    ("docker26-provenance-v0.2.oci.tar.gz", 4),
    ("buildkit0.32-provenance-v1.oci.tar.gz", 0),
    ("buildkit0.32-type-docker.tar.gz", 0),
];

/// Base64, which the provenance holds Dockerfiles in.
mod base64 {
    /// The bytes of a padded text.
    pub(super) fn decode(text: &str) -> Vec<u8> {
        let value = |c: u8| match c {
            b'A'..=b'Z' => Some(c - b'A'),
            b'a'..=b'z' => Some(c - b'a' + 26),
            b'0'..=b'9' => Some(c - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            _ => None,
        };
        let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
        for six in text.bytes().filter_map(value) {
            bits = (bits << 6) | u32::from(six);
            held += 6;
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from((bits >> held) & 0xff).unwrap());
            }
        }
        bytes
    }
}

/// Every Dockerfile below a folder.
fn dockerfiles(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with("Dockerfile") || name.ends_with(".Dockerfile") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn instructions(dockerfile: &Dockerfile) -> Vec<&Instruction> {
    let staged = dockerfile.stages.iter().flat_map(|stage| std::iter::once(&stage.from).chain(&stage.instructions));
    dockerfile.global.iter().chain(staged).collect()
}

/// What a line that is outside of all instructions must be: empty or a comment.
fn lines_left_out(text: &str, found: &Dockerfile) -> Vec<String> {
    let covered: BTreeSet<usize> = instructions(found).into_iter().flat_map(|found| found.start..=found.end).collect();
    let left = text.lines().enumerate().filter(|(index, _)| !covered.contains(&(index + 1)));
    left.filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with('#')).map(|(_, line)| line.to_owned()).collect()
}

#[test]
fn every_shared_dockerfile_is_read_whole() {
    let Some(shared) = program::shared_images() else { return };
    let paths: Vec<PathBuf> = ["build", "provenance"].iter().flat_map(|folder| dockerfiles(&shared.join(folder))).collect();
    assert!(paths.len() > 30, "{}", paths.len());
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        match parse(text.as_bytes(), &Limits::default()) {
            Ok(found) => {
                wrong.extend(lines_left_out(&text, &found).into_iter().map(|line| format!("{}: {line}", path.display())));
            }
            Err(error) => wrong.push(format!("{}: {error}", path.display())),
        }
    }
    program::assert_none(&wrong);
}

/// BuildKit's record of the sources, from the provenance of a layout in a tar.
fn recorded_source(path: &Path) -> Value {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()));
    for entry in tar.entries().unwrap() {
        let mut bytes = Vec::new();
        entry.unwrap().read_to_end(&mut bytes).unwrap();
        let Ok(statement) = serde_json::from_slice::<Value>(&bytes) else { continue };
        let old = &statement["predicate"]["metadata"]["https://mobyproject.org/buildkit@v1#metadata"];
        let new = &statement["predicate"]["runDetails"]["metadata"]["buildkit_metadata"];
        if let Some(metadata) = [old, new].into_iter().find(|metadata| metadata["source"].is_object()) {
            return metadata["source"].clone();
        }
    }
    panic!("{} holds no provenance with sources", path.display());
}

/// First and last line of every recorded place.
fn recorded_lines(source: &Value) -> Vec<(usize, usize)> {
    let steps = source["locations"].as_object().unwrap().values();
    let places = steps.flat_map(|step| step["locations"].as_array().into_iter().flatten());
    let line = |value: &Value| usize::try_from(value["line"].as_u64().unwrap()).unwrap();
    let ends = |place: &Value| {
        let ranges = place["ranges"].as_array().unwrap();
        (line(&ranges[0]["start"]), line(&ranges[ranges.len() - 1]["end"]))
    };
    places.map(ends).collect()
}

#[test]
fn instructions_stand_on_the_lines_that_provenance_records() {
    let Some(shared) = program::shared_images() else { return };
    for (name, on_line_1) in LAYOUTS {
        let source = recorded_source(&shared.join("provenance").join(name));
        let text = decode(source["infos"][0]["data"].as_str().unwrap());
        let found = parse(&text, &Limits::default()).unwrap();
        let ours: BTreeSet<_> = instructions(&found).into_iter().map(|found| (found.start, found.end)).collect();
        let recorded = recorded_lines(&source);
        let missing: Vec<_> = recorded.iter().filter(|place| !ours.contains(*place)).collect();
        assert_eq!(missing, vec![&(1, 1); *on_line_1], "{name}");
        assert!(recorded.len() - missing.len() >= 10, "{name}");
    }
}
