//! The house rules that a compiler does not hold: who may name whom, sizes, names, and that checks are listed and documented.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests read the source and fail by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms of `src/` and which other rooms each may name. The data flows one way.
const ROOMS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("oci", &[]),
    ("secret", &[]),
    ("finding", &["oci"]),
    ("archive", &["oci", "limits"]),
    ("source", &["oci", "limits", "archive"]),
    ("layer", &["oci", "secret", "limits", "archive"]),
    ("rootfs", &["oci", "limits", "layer"]),
    ("build", &["oci", "secret", "limits", "rootfs"]),
    ("facts", &["oci", "secret", "limits", "layer", "rootfs", "build"]),
    ("checks", &["oci", "secret", "limits", "rootfs", "build", "facts", "finding"]),
    ("policy", &["finding", "checks"]),
    ("rules", &["oci", "limits", "rootfs", "build", "facts", "finding", "policy"]),
    ("score", &["oci", "rootfs", "finding", "policy", "facts"]),
    ("report", &["oci", "finding", "checks", "policy", "score", "build"]),
    ("cache", &["oci", "limits", "layer"]),
    (
        "verify",
        &[
            "archive", "build", "cache", "checks", "facts", "finding", "layer", "limits", "oci", "policy", "report", "rootfs",
            "rules", "score", "source",
        ],
    ),
    ("serve", &["verify", "report", "policy", "rules", "score", "cache", "source", "oci", "limits", "checks", "finding"]),
    ("cli", &["verify", "report", "policy", "rules", "score", "cache", "source", "oci", "limits", "checks", "finding", "serve"]),
    ("lib", &["cli"]),
    ("main", &["cli"]),
];

/// Names that a room may use beyond the table, with the reason.
const EXTRA_NAMES: &[(&str, &str, &str)] = &[
    ("policy", "oci", "messages of requirements escape names, as those of checks do; waivers have days"),
    ("cache", "archive", "its tests make layer indexes of every compression"),
    ("rootfs", "secret", "its tests hide files with secrets"),
    ("cache", "secret", "its tests make layer indexes with secrets of every kind"),
];

/// Files over 400 lines, with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Functions over 60 lines, with the reason: `FILE: NAME`.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 60;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Folders that the fuzzer fills; nothing of them is the project's.
const MADE_BY_TOOLS: [&str; 3] = ["fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// Every file below `folder` with this ending, as path in the project and text; sorted.
fn files(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                if !MADE_BY_TOOLS.iter().any(|made| path.ends_with(made)) {
                    folders.push(path);
                }
            } else if endings.contains(&ending.as_str()) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<(String, String)> {
    ["src", "tests", "benches", "fuzz"].into_iter().flat_map(|folder| files(folder, &["rs"])).collect()
}

/// Reports all failures of one rule at once.
fn assert_none(rule: &str, failures: &[String]) {
    assert!(failures.is_empty(), "{rule}:\n{}", failures.join("\n"));
}

/// `src/layer/probe/mod.rs` is in the room `layer`, `src/limits.rs` in `limits`.
fn room(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap();
    inside.split(['/', '.']).next().unwrap()
}

/// The rooms that a text names by `crate::`, also inside braces: `use crate::{layer::X, oci::Y}`.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut named = BTreeSet::new();
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect();
    for after in code.split("crate::").skip(1) {
        let Some(list) = after.strip_prefix('{') else {
            named.insert(word(after));
            continue;
        };
        let mut depth = 1;
        let mut part = String::new();
        for c in list.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 || (depth == 1 && c == ',') {
                named.insert(word(part.trim_start()));
                part.clear();
            } else {
                part.push(c);
            }
            if depth == 0 {
                break;
            }
        }
    }
    named.remove("");
    named
}

#[test]
fn rooms_name_only_the_rooms_below_them() {
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    let mut wrong = Vec::new();
    for (path, text) in files("src", &["rs"]) {
        let room = room(&path);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{path}: the room {room} is not in the table"));
            continue;
        };
        for named in rooms_named(&text).iter().filter(|named| known.contains(named.as_str()) && *named != room) {
            let extra = EXTRA_NAMES.iter().any(|(from, to, _)| *from == room && to == named);
            if !allowed.contains(&named.as_str()) && !extra {
                wrong.push(format!("{path} names {named}"));
            }
        }
    }
    assert_none("rooms name only the rooms below them", &wrong);
}

#[test]
fn the_table_is_acyclic() {
    for (index, (room, allowed)) in ROOMS.iter().enumerate() {
        let above = ROOMS[index..].iter().find(|(name, _)| allowed.contains(name));
        assert!(above.is_none(), "{room} may name {above:?}, which stands after it");
    }
}

#[test]
fn names_are_found_in_paths_and_in_lists() {
    let text = "use crate::{layer::{Xattr, Content}, oci};\n// crate::score\nlet x = crate::limits::Limits::default();";
    let named: Vec<String> = rooms_named(text).into_iter().collect();
    assert_eq!(named, ["layer", "limits", "oci"]);
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    let wrong: Vec<String> =
        rust_files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert_none("every file opens with //!", &wrong);
}

#[test]
fn files_have_at_most_400_lines() {
    let long =
        rust_files().into_iter().map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > MAX_FILE_LINES);
    let wrong: Vec<String> = long
        .filter(|(path, _)| !LONG_FILES.iter().any(|(allowed, _)| allowed == path))
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert_none("files have at most 400 lines", &wrong);
}

/// Functions as name and number of lines: from the line of `fn` to the brace that closes at the same depth, as rustfmt sets it.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some((before, after)) = code.split_once("fn ") else { continue };
        let is_signature = before
            .split_whitespace()
            .all(|word| ["const", "async", "unsafe", "extern"].contains(&word) || word.starts_with("pub"));
        if !is_signature || code.ends_with(';') || code.ends_with('}') {
            continue;
        }
        let closing = format!("{}}}", &line[..line.len() - code.len()]);
        let length = lines[start..].iter().position(|line| *line == closing).map_or(0, |end| end + 1);
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        found.push((name, length));
    }
    found
}

#[test]
fn functions_have_at_most_60_lines() {
    let mut wrong = Vec::new();
    for (path, text) in rust_files() {
        for (name, lines) in functions(&text) {
            let place = format!("{path}: {name}");
            if lines > MAX_FUNCTION_LINES && !LONG_FUNCTIONS.iter().any(|(allowed, _)| *allowed == place) {
                wrong.push(format!("{place}: {lines} lines"));
            }
        }
    }
    assert_none("functions have at most 60 lines", &wrong);
}

#[test]
fn nothing_is_called_utils_helpers_or_common() {
    let wrong: Vec<String> = rust_files()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| {
            path.split(['/', '.']).any(|part| ["utils", "util", "helpers", "helper", "common", "misc"].contains(&part))
        })
        .collect();
    assert_none("names say what a file holds", &wrong);
}

#[test]
fn every_check_has_a_file_a_place_in_the_list_and_a_chapter_in_the_docs() {
    let file_of = |id: &str| format!("src/checks/{}.rs", id.replace('-', "_"));
    let sources = files("src/checks", &["rs"]);
    let declared: BTreeSet<String> = sources
        .iter()
        .filter(|(_, text)| {
            text.contains("pub static CHECK: Check")
                || text.contains("pub(super) static CHECK: Check")
                || text.contains("pub(crate) static CHECK: Check")
        })
        .map(|(path, _)| path.replace("/mod.rs", ".rs"))
        .collect();
    let listed: Vec<&str> = plimsoll::checks::ALL.iter().map(|check| check.id).collect();
    assert!(listed.is_sorted(), "the list of checks is sorted by id");
    let expected: BTreeSet<String> = listed.iter().map(|id| file_of(id)).collect();
    assert_eq!(declared, expected, "files that declare a check, and files of the checks that are listed");
    let docs = std::fs::read_to_string(root().join("docs/checks.md")).unwrap_or_default();
    let wrong: Vec<String> = listed.iter().filter(|id| !docs.contains(&format!("`{id}`"))).map(|id| (*id).to_owned()).collect();
    assert_none("docs/checks.md describes every check", &wrong);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let mut wrong = Vec::new();
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let Ok(text) = std::fs::read_to_string(root().join(manifest)) else { continue };
        let mut in_dependencies = false;
        let mut previous = "";
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
            } else if in_dependencies && line.contains(" = ") && !line.starts_with('#') && !explained(previous) {
                wrong.push(format!("{manifest}: {line}"));
            }
            previous = line;
        }
    }
    assert_none("every dependency has a comment", &wrong);
}

/// A comment, or a dependency of the same group, which was explained itself.
fn explained(previous: &str) -> bool {
    previous.starts_with('#') || previous.contains(" = ")
}

#[test]
fn no_file_names_a_machine() {
    // Written so that this file does not name them itself.
    let places = [["/wo", "rk/"], ["/tmp", "/w/"], ["/ho", "me/"], ["/Us", "ers/"], ["/ro", "ot/."]].map(|parts| parts.concat());
    let mut all: Vec<(String, String)> = ["src", "tests", "benches", "ci", "docs", "fuzz", ".ci", "testdata", "policies"]
        .into_iter()
        .filter(|folder| root().join(folder).is_dir())
        .flat_map(|folder| files(folder, &["rs", "toml", "md", "sh", "py", "json", "yml", "yaml", "txt", ""]))
        .collect();
    for name in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "Cargo.toml", "deny.toml", "action.yml"] {
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            all.push((name.to_owned(), text));
        }
    }
    let mut wrong = Vec::new();
    for (path, text) in all {
        // An image may well have such paths: tests of rules about them name them as paths of an image.
        for place in places.iter().filter(|place| text.contains(place.as_str())) {
            if !MACHINE_LIKE.iter().any(|(allowed, _)| *allowed == path) {
                wrong.push(format!("{path}: {place}"));
            }
        }
    }
    assert_none("no file names a machine", &wrong);
}

/// Files that name such a path as one inside an image, with the reason.
const MACHINE_LIKE: &[(&str, &str)] = &[
    ("src/checks/buried_secret.rs", "files of an image's users"),
    ("src/facts/secrets/standing.rs", "folders of an image's users"),
    ("src/facts/secrets/tests.rs", "files of an image's users"),
    ("testdata/labels/big.json", "files of images' users"),
    ("testdata/labels/small.json", "files of images' users"),
    ("tests/it/accuracy/labels.rs", "files of an image's users"),
    ("tests/it/secrets.rs", "files of an image's users"),
    ("src/checks/language_package_manager.rs", "caches and tools of an image's users"),
    ("src/checks/package_cache.rs", "caches and tools of an image's users"),
    ("src/facts/places.rs", "caches of an image's users"),
    ("src/score/ballast/tests.rs", "caches of an image's users"),
    ("docs/checks.md", "caches and tools of an image's users"),
];

#[test]
fn exceptions_still_exist() {
    let gone: Vec<&str> = LONG_FILES
        .iter()
        .chain(MACHINE_LIKE)
        .map(|(path, _)| *path)
        .filter(|path| !Path::new(&root()).join(path).exists())
        .collect();
    assert!(gone.is_empty(), "exceptions for files that are gone: {gone:?}");
}

#[test]
fn security_names_tests_and_recipes_that_exist() {
    let page = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let sources: String = ["src", "tests"].into_iter().flat_map(|folder| files(folder, &["rs"])).map(|(_, text)| text).collect();
    let is_name =
        |word: &&str| word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_name).filter(|word| *word != "unsafe_code").collect();
    let is_gone = |name: &&&str| {
        let is_file = |path: String| root().join(path).is_file();
        !sources.contains(&format!("fn {name}("))
            && !is_file(format!("testdata/hostile/{name}.toml"))
            && !is_file(format!("fuzz/fuzz_targets/{name}.rs"))
    };
    let missing: Vec<&&str> = named.iter().filter(is_gone).collect();
    assert!(named.len() > 10 && missing.is_empty(), "SECURITY.md names what is not there: {missing:?}");
}
