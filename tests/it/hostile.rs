//! Every recipe of `testdata/hostile`, from every container it is made for: verdict, codes, user and both trees.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::program::{self, Checked, list};
use crate::recipe::{self, Expect, User, Verdict};

/// Compares one container with what is expected of it; returns what differs.
pub(crate) fn compare(container: &Path, expect: &Expect) -> Vec<String> {
    let checked = program::check(container, &[]);
    let mut wrong = match expect.verdict {
        Verdict::Reject => refused(&checked, &expect.codes),
        Verdict::Accept | Verdict::Flag => judged(&checked, expect),
    };
    if expect.verdict != Verdict::Reject && wrong.is_empty() {
        wrong.extend(trees(container, &checked, expect));
    }
    let name = container.file_name().unwrap().to_string_lossy().into_owned();
    wrong.into_iter().map(|what| format!("{name}: {what}")).collect()
}

fn refused(checked: &Checked, codes: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    if checked.exit != Some(3) || checked.report["verdict"] != "unverifiable" {
        wrong.push(format!("exit {:?}, verdict {}: should be refused", checked.exit, checked.report["verdict"]));
    }
    let found = checked.error_codes();
    if !codes.iter().all(|code| found.contains(code)) {
        wrong.push(format!("errors are {found:?}, expected {codes:?}"));
    }
    wrong
}

fn judged(checked: &Checked, expect: &Expect) -> Vec<String> {
    let mut wrong = Vec::new();
    let errors = checked.error_codes();
    if !errors.is_empty() || !matches!(checked.exit, Some(0 | 1)) {
        wrong.push(format!("exit {:?} with errors {errors:?}", checked.exit));
    }
    let found = checked.codes();
    let expected: BTreeSet<String> = expect.codes.iter().cloned().collect();
    let differs = checked.images().iter().any(|image| list(&image["trees_differ"]).next().is_some());
    if expect.sequential.is_some() && !differs {
        wrong.push("trees_differ is empty".into());
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    let beside = |code: &&String| *code == "user-is-root" || expect.also.contains(code);
    let surplus: Vec<_> = found.difference(&expected).filter(|code| !beside(code)).collect();
    if !missing.is_empty() || !surplus.is_empty() {
        wrong.push(format!("codes missing {missing:?}, surplus {surplus:?}"));
    }
    if let (Some(user), Some(image)) = (&expect.user, checked.images().first()) {
        let found = serde_json::from_value::<UserFound>(image["user"].clone()).ok().map(User::from);
        if found.as_ref() != Some(user) {
            wrong.push(format!("user is {}, expected {user:?}", image["user"]));
        }
    }
    wrong
}

#[derive(serde::Deserialize)]
struct UserFound {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

impl From<UserFound> for User {
    fn from(found: UserFound) -> Self {
        Self { uid: found.uid, gid: found.gid, groups: found.groups }
    }
}

fn trees(container: &Path, checked: &Checked, expect: &Expect) -> Vec<String> {
    // Of several images, the first is listed.
    let first = checked.images().first().and_then(|image| image["manifest_digest"].as_str());
    let choice: Vec<&str> = match (checked.images().len(), first) {
        (0 | 1, _) | (_, None) => Vec::new(),
        (_, Some(digest)) => vec!["--image", digest],
    };
    let stacked = recipe::lines(&expect.tree);
    let sequential = expect.sequential.as_deref().map_or_else(|| stacked.clone(), recipe::lines);
    let mut wrong = Vec::new();
    for (name, expected, more) in [("stacked", stacked, &[][..]), ("sequential", sequential, &["--sequential"][..])] {
        if name == "sequential" && expect.sequential_unknown {
            continue;
        }
        let found = program::listing(container, &[&choice, more].concat());
        wrong.extend(program::difference(&expected, &found).into_iter().map(|line| format!("{name}: {line}")));
    }
    wrong
}

#[test]
fn every_recipe_is_judged_as_it_says_from_every_container() {
    let mut wrong = Vec::new();
    for recipe in recipe::all() {
        let folder = tempfile::tempdir().unwrap();
        for container in recipe::write(&recipe, folder.path()) {
            wrong.extend(compare(&container, &recipe.expect).into_iter().map(|what| format!("{}: {what}", recipe.name)));
        }
    }
    program::assert_none(&wrong);
}

#[test]
fn every_code_that_a_recipe_names_is_one_of_the_crates() {
    let known: BTreeSet<&str> = plimsoll::oci::Code::ALL.iter().map(|code| code.as_str()).collect();
    for recipe in recipe::all() {
        for code in recipe.expect.codes.iter().chain(&recipe.expect.also) {
            assert!(known.contains(code.as_str()), "{}: {code}", recipe.name);
        }
    }
}

#[test]
fn every_code_has_a_recipe_that_shows_it() {
    let shown: BTreeSet<String> =
        recipe::all().into_iter().flat_map(|recipe| [recipe.expect.codes, recipe.expect.also].concat()).collect();
    let missing: Vec<&str> = plimsoll::oci::Code::ALL
        .iter()
        .map(|code| code.as_str())
        // what registries do wrong is shown by those of `tests/it/registry/`
        .filter(|code| !shown.contains(*code) && !ELSEWHERE.contains(code) && !code.starts_with("registry-"))
        .collect();
    assert!(missing.is_empty(), "no recipe shows {missing:?}");
}

/// Codes that need more than an image: shown by other tests.
const ELSEWHERE: [&str; 6] = [
    "index-entry-not-examined", // needs an index with what is neither image nor attestation: tests of source
    "image-not-found",          // cli.rs: asks for one by name
    "input-unreadable",         // cli.rs: a file that is not there
    "content-not-kept",         // standard input only, with bodies over the limit
    "xz-malformed",             // containers.rs: outer archives only
    "archive-malformed",        // malformed.rs: outer archives only
];

#[test]
fn the_same_recipe_makes_the_same_bytes() {
    let recipe = recipe::named("opq_root");
    assert_eq!(recipe::oci_archive(&recipe), recipe::oci_archive(&recipe));
    let value: Value = serde_json::json!({"path": "/d", "type": "dir", "mode": "0755", "uid": 0, "gid": 0});
    assert_eq!(program::entry_line(&value), "/d dir 0755 0:0");
}
