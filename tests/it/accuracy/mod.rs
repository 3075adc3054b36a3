//! Precision and recall of every check over all labelled images: both must be 1, and stand so in `docs/accuracy.md`.
//!
//! `PLIMSOLL_BLESS=1 cargo test --test it accuracy::` writes the tables anew. Where the labels come from is told on that page.

mod labels;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{self, Checked, list, text};
use crate::recipe::Verdict;
use crate::{checks, shared, truth};
use labels::{Label, Labels, Source};
use table::Tally;

/// The day on which releases are judged: that of the labels.
const AS_OF: &str = "2026-11-01";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One image to measure on.
struct Case {
    name: String,
    container: PathBuf,
    /// Arguments that choose the image.
    choice: Vec<String>,
    labels: Labels,
    /// Digest over the layers that the script's labels are of.
    layers: Option<String>,
}

/// The labels of the script for a set of images.
fn of_script(set: &str) -> Value {
    truth::json(&root().join(format!("testdata/labels/{set}.json")))
}

/// Images that the oracle labelled and that engines and unpackers read alike.
fn is_labelled(truth: &Value) -> bool {
    truth::is_scored(truth) && matches!(truth["engine_20_10_overlay2"].as_str(), None | Some("same"))
}

/// Reports of all cases, two at a time.
fn measure(cases: &[Case], tally: &mut Tally) {
    let halves = cases.split_at(cases.len() / 2);
    let check = |case: &Case| {
        let mut more = vec!["--as-of", AS_OF];
        more.extend(case.choice.iter().map(String::as_str));
        program::check(&case.container, &more)
    };
    let checked: Vec<Checked> = std::thread::scope(|scope| {
        let other = scope.spawn(|| halves.1.iter().map(check).collect::<Vec<_>>());
        let mut first: Vec<_> = halves.0.iter().map(check).collect();
        first.extend(other.join().unwrap());
        first
    });
    for (case, checked) in cases.iter().zip(&checked) {
        let Some(image) = checked.images().first() else {
            tally.wrong.push(format!("{}: {:?}", case.name, checked.error_codes()));
            continue;
        };
        let found = layers(image);
        match &case.layers {
            Some(of_labels) if *of_labels != found => {
                tally.wrong.push(format!("{}: labels are of other layers: run tests/labels/labels.py", case.name));
            }
            _ => tally.add(&case.name, image, &case.labels),
        }
    }
}

/// SHA-256 over the image's `diff_id`s, one a line, as the script writes it.
fn layers(image: &Value) -> String {
    use sha2::Digest as _;
    let ids: Vec<String> = list(&image["layers"]).filter_map(|layer| text(&layer["diff_id"])).collect();
    crate::recipe::hex(&sha2::Sha256::digest(ids.join("\n")))
}

fn case(name: &str, container: PathBuf, choice: Vec<String>, truth: &Value, script: &Value) -> Case {
    let of_script = script.get(name);
    let layers = of_script.and_then(|script| text(&script["layers"]));
    Case { name: name.to_owned(), container, choice, labels: labels::of(truth, of_script), layers }
}

fn small_cases(shared: &Path) -> Vec<Case> {
    let small = shared.join("small");
    let script = of_script("small");
    let mut cases = Vec::new();
    for (name, truth) in truth::truths(&small.join("truth"), ".json").into_iter().filter(|(_, truth)| is_labelled(truth)) {
        let Some(place) = list(&truth["formats_here"]).find_map(text) else { continue };
        let (path, tag) = place.rsplit_once(':').map_or((place.as_str(), None), |(path, tag)| (path, Some(tag)));
        let choice = tag.map(|tag| vec!["--image".to_owned(), tag.to_owned()]).unwrap_or_default();
        cases.push(case(&name, small.join(path), choice, &truth, &script));
    }
    let others = truth::other_images(shared).into_iter().filter(|image| is_labelled(&image.truth));
    cases.extend(others.map(|image| case(&image.name, image.container, image.choice, &image.truth, &Value::Null)));
    cases
}

/// Counts the codes of the shared edge cases, each in one container.
fn measure_edge_cases(tally: &mut Tally) {
    let folder = tempfile::tempdir().unwrap();
    let Some(cases) = shared::unpack(folder.path()) else { return };
    for case in cases {
        let expect = shared::expect(&case);
        let container = ["oci", "oci.tar", "docker.tar"].map(|kind| case.join(kind)).into_iter().find(|path| path.exists());
        let Some(container) = container.filter(|_| expect.verdict != Verdict::Reject) else { continue };
        let checked = program::check(&container, &[]);
        let findings: Vec<&Value> = checked.images().iter().flat_map(|image| list(&image["findings"])).collect();
        let check_of = |code: &str| findings.iter().find(|one| one["code"] == code).and_then(|one| text(&one["check"]));
        let mut labels: Labels = ["ambiguous-image", "ambiguous-layer"]
            .map(|check| {
                // codes that may stand beside are no false alarms, and no hits either
                (check.to_owned(), (Source::EdgeCases, Label::These(BTreeSet::new())))
            })
            .into();
        let is_finding = |code: &str| {
            plimsoll::oci::Code::ALL.iter().any(|known| {
                known.as_str() == code && matches!(known.tier(), plimsoll::oci::Tier::Fail | plimsoll::oci::Tier::Flag)
            })
        };
        for code in expect.codes.iter().filter(|code| is_finding(code)) {
            let check = check_of(code).unwrap_or_else(|| "ambiguous-layer".to_owned());
            if let Some((_, Label::These(codes))) = labels.get_mut(&check) {
                codes.insert(code.clone());
            }
        }
        let findings = findings.into_iter().filter(|one| !expect.also.iter().any(|code| one["code"] == code.as_str())).cloned();
        let image = serde_json::json!({ "findings": findings.collect::<Vec<_>>() });
        tally.add(&shared::name(&case), &image, &labels);
    }
}

/// Compares, or writes when asked to, what stands between the comments `<!-- NAME -->` and `<!-- end of NAME -->`.
fn hold(name: &str, generated: &str) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _held = ONE_AT_A_TIME.lock().unwrap();
    let path = root().join("docs/accuracy.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = page.split_once(&start).unwrap();
    let (held, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{start}{generated}{end}{after}")).unwrap();
    } else {
        assert!(
            held == generated,
            "docs/accuracy.md is stale: run PLIMSOLL_BLESS=1 cargo test --test it accuracy::\n{generated}"
        );
    }
}

fn all_checks() -> impl Iterator<Item = &'static str> {
    let mut ids: Vec<_> = plimsoll::checks::ALL.iter().map(|check| check.id).collect();
    ids.sort_unstable();
    ids.into_iter()
}

#[test]
fn precision_and_recall_are_1_on_the_small_images_and_the_edge_cases() {
    let Some(shared) = program::shared_images() else { return };
    let mut tally = Tally::default();
    measure(&small_cases(&shared), &mut tally);
    let images = tally.images;
    measure_edge_cases(&mut tally);
    program::assert_none(&tally.wrong);
    let summary = format!("{images} images and {} edge cases.\n\n", tally.images - images);
    hold("small images", &format!("{summary}{}", tally.table(all_checks())));
}

#[test]
fn precision_and_recall_are_1_on_our_own_recipes() {
    let mut tally = Tally::default();
    let script = of_script("recipes");
    for judged in checks::recipes() {
        // layouts that umoci does not read have no labels of the script, nor have recipes that are younger than they
        let Some(of_script) = script.get(judged.name()).filter(|of| of["layers"] == layers(&judged.report)) else {
            eprintln!("left out: {} has no labels; see tests/labels/README.md", judged.name());
            continue;
        };
        let labels = labels::of(&Value::Null, Some(of_script));
        tally.add(&judged.name(), &judged.report, &labels);
    }
    program::assert_none(&tally.wrong);
    let (fires, silent): (Vec<_>, Vec<_>) =
        checks::recipes().iter().filter(|judged| judged.is_right()).partition(|one| one.is_to_fire);
    let all = plimsoll::checks::ALL.len();
    let summary = format!(
        "{} of {all} checks fire on the image made for that, and {} of {all} are silent on the other one. The script reads {} of these \
         {} images.\n\n",
        fires.len(),
        silent.len(),
        tally.images,
        2 * all
    );
    hold("recipes", &format!("{summary}{}", tally.table(all_checks())));
}

/// Writes the layouts of the recipes for the script: `PLIMSOLL_RECIPES=FOLDER cargo test --test it accuracy::`.
#[test]
fn the_layouts_of_our_own_recipes_are_written_where_they_are_wanted() {
    let Some(folder) = std::env::var_os("PLIMSOLL_RECIPES").map(PathBuf::from) else { return };
    for check in plimsoll::checks::ALL {
        for kind in ["fires", "silent"] {
            let place = folder.join(format!("{}.{kind}", check.id));
            crate::recipe::write(&crate::recipe::of_check(check.id, kind), &place);
        }
    }
}

#[test]
fn precision_and_recall_are_1_on_the_big_images() {
    let Some(folder) = std::env::var_os("PLIMSOLL_IMAGES").map(PathBuf::from) else {
        eprintln!("skipped: PLIMSOLL_IMAGES names no folder with images/ and truth/");
        return;
    };
    let script = of_script("big");
    let mut cases = Vec::new();
    for (name, truth) in truth::truths(&folder.join("truth"), ".json").into_iter().filter(|(_, truth)| is_labelled(truth)) {
        let container = folder.join(format!("images/{name}/{name}.oci"));
        if container.exists() {
            cases.push(case(&name, container, Vec::new(), &truth, &script));
        } else {
            eprintln!("skipped: {name} is not at hand");
        }
    }
    let mut tally = Tally::default();
    measure(&cases, &mut tally);
    program::assert_none(&tally.wrong);
    hold("big images", &format!("{} images.\n\n{}", tally.images, tally.table(all_checks())));
}

#[test]
fn labels_that_look_wrong_are_listed() {
    let rows = labels::WRONG.iter().map(|wrong| {
        let paths = |paths: &[&str]| paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(" ");
        let says = if wrong.surplus.is_empty() { "leaves out" } else { "has" };
        format!("| `{}` | {says} {}{} | {} |\n", wrong.check, paths(wrong.surplus), paths(wrong.lacking), wrong.why)
    });
    let table: String = rows.collect();
    hold("wrong labels", &format!("| check | the label | why it looks wrong |\n|---|---|---|\n{table}"));
}
