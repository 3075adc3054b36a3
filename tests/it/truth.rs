//! Images whose content is known from other tools (umoci, find, getcap, dpkg): the tree line for line, and the labels.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{self, Checked, list, text};

/// One image in one container, with what is known of it.
struct Case {
    container: PathBuf,
    /// Arguments that choose the image.
    choice: Vec<String>,
    truth: Value,
    /// The compressed list of entries, if there is one.
    tree: PathBuf,
    healthcheck_kept: bool,
}

impl Case {
    fn name(&self) -> String {
        format!("{} {}", self.container.file_name().unwrap().to_string_lossy(), self.choice.join(" "))
    }

    fn choice(&self) -> Vec<&str> {
        self.choice.iter().map(String::as_str).collect()
    }

    fn verify(&self) -> Vec<String> {
        let checked = program::check(&self.container, &self.choice());
        let engine = self.truth["engine_20_10_overlay2"].as_str().unwrap_or("same");
        let wrong = if engine.starts_with("refused") && !ENGINE_LIMITS.iter().any(|limit| engine.contains(limit)) {
            refused_or_flagged(&checked)
        } else if engine.contains("/no: umoci None docker ('dir'") {
            // h-whiteout-nothing: whether a whiteout makes its missing folder is all that differs, and hides nothing.
            [self.labels_of_config(&checked), self.labels_of_tree(&checked)].concat()
        } else if engine.contains("differences") {
            [refused_or_flagged(&checked), self.labels_of_config(&checked)].concat()
        } else {
            [self.labels_of_config(&checked), self.labels_of_tree(&checked), self.same_tree()].concat()
        };
        wrong.into_iter().map(|what| format!("{}: {what}", self.name())).collect()
    }

    fn labels_of_config(&self, checked: &Checked) -> Vec<String> {
        let Some(image) = checked.images().first() else {
            return vec![format!("exit {:?}, errors {:?}", checked.exit, checked.error_codes())];
        };
        let expected = &self.truth["expected"];
        let mut wrong = Vec::new();
        let healthcheck = self.healthcheck_kept && expected["healthcheck"] == true;
        if image["healthcheck"]["present"] != healthcheck {
            wrong.push(format!("healthcheck is {}", image["healthcheck"]));
        }
        if fires(image, "missing-healthcheck") == healthcheck {
            wrong.push("missing-healthcheck is wrong".into());
        }
        match &expected["root_user"] {
            Value::Bool(root) if fires(image, "root-user") != *root => wrong.push(format!("root user: expected {root}")),
            Value::Null if fires(image, "root-user") || !fires(image, "unknown-user") => {
                wrong.push("a user that the image does not know: expected unknown-user".into());
            }
            _ => {}
        }
        wrong
    }

    fn labels_of_tree(&self, checked: &Checked) -> Vec<String> {
        let Some(image) = checked.images().first() else { return Vec::new() };
        let expected = &self.truth["expected"];
        let labels = [
            ("compilers", &["compiler"][..]),
            ("package_managers", &["os-package-manager", "language-package-manager"]),
            ("setuid", &["setuid-file"]),
            ("setgid", &["setgid-file"]),
        ];
        let mut wrong = Vec::new();
        for (label, checks) in labels {
            let expected: BTreeSet<String> = list(&expected[label]).filter_map(text).collect();
            let found = paths(image, checks);
            let missing: Vec<_> = expected.difference(&found).collect();
            // the label knows /usr/lib/go-1.19/bin/go and no link that ends at it
            let is_known_link =
                |path: &&String| label == "compilers" && path.as_str() == "/usr/bin/go" && links(image).contains(*path);
            let surplus: Vec<_> = found.difference(&expected).filter(|path| !is_known_link(path)).collect();
            if !missing.is_empty() || !surplus.is_empty() {
                wrong.push(format!("{label}: missing {missing:?}, surplus {surplus:?}"));
            }
        }
        wrong.extend(self.packages(image));
        wrong.extend(self.startup(image));
        if fires(image, "apt-lists") != (expected["apt_lists"] == true) {
            wrong.push(format!("apt lists: expected {}", expected["apt_lists"]));
        }
        wrong
    }

    /// Whether it starts, and whether its health check can run.
    fn startup(&self, image: &Value) -> Vec<String> {
        const CHECKS: [&str; 4] = ["broken-script-entrypoint", "missing-entrypoint", "missing-interpreter", "wrong-architecture"];
        let expected = &self.truth["expected"];
        if expected.get("start_command").is_none() {
            return Vec::new();
        }
        // the label of this image is of an unpacker that gives the root directory the mode of the layer's entry for it; engines do not
        let is_closed = expected["start_command_executable_by_user"] == false && self.truth["image"] != "h-root-entry";
        let fails =
            expected["start_command_path"].is_null() || expected["start_command_interpreter_present"] == false || is_closed;
        let mut wrong = Vec::new();
        if CHECKS.iter().any(|check| fires(image, check)) != fails {
            wrong.push(format!("start-up: expected to fail: {fails}"));
        }
        let is_broken = self.healthcheck_kept && expected["healthcheck_command_present"] == false;
        if fires(image, "broken-healthcheck") != is_broken {
            wrong.push(format!("health check: expected to be broken: {is_broken}"));
        }
        wrong
    }

    /// Packages of dpkg and apk; no label counts those of rpm.
    fn packages(&self, image: &Value) -> Option<String> {
        let expected = &self.truth["expected"];
        let counts = ["dpkg_installed", "dpkg_status_d", "apk_installed"].map(|label| expected[label].as_u64());
        let known: u64 = counts.into_iter().sum::<Option<u64>>().filter(|_| list(&expected["rpmdb"]).next().is_none())?;
        let found = &image["measurements"]["os_packages"];
        (*found != known).then(|| format!("packages: expected {known}, found {found}"))
    }

    fn same_tree(&self) -> Vec<String> {
        let Ok(file) = std::fs::File::open(&self.tree) else { return Vec::new() };
        let json = String::from_utf8(zstd::decode_all(file).unwrap()).unwrap();
        let mut expected: Vec<String> = json.lines().map(truth_line).collect();
        expected.sort();
        let mut wrong = program::difference(&expected, &program::listing(&self.container, &self.choice()));
        wrong.truncate(20);
        wrong
    }
}

/// Refusals of the engine that are its own limits, not the image's fault.
const ENGINE_LIMITS: [&str; 1] = ["max depth exceeded"];

fn refused_or_flagged(checked: &Checked) -> Vec<String> {
    let flagged = !checked.codes().is_empty() || checked.exit == Some(3);
    if flagged { Vec::new() } else { vec!["runtimes disagree on it, and nothing is said".into()] }
}

fn fires(image: &Value, check: &str) -> bool {
    list(&image["findings"]).any(|finding| finding["check"] == check)
}

fn paths(image: &Value, checks: &[&str]) -> BTreeSet<String> {
    let findings = list(&image["findings"]).filter(|finding| checks.iter().any(|check| finding["check"] == *check));
    findings.flat_map(|finding| list(&finding["evidence"])).filter_map(|evidence| text(&evidence["path"])).collect()
}

fn links(image: &Value) -> BTreeSet<String> {
    let evidence = list(&image["findings"]).flat_map(|finding| list(&finding["evidence"]));
    evidence.filter(|evidence| evidence["linkname"].is_string()).filter_map(|evidence| text(&evidence["path"])).collect()
}

/// One line of a truth file, which writes bytes that are not UTF-8 as lone surrogates, as Python does.
fn truth_line(json: &str) -> String {
    let mut entry: Value = serde_json::from_str(&json.replace("\\udc", "\\ue0")).unwrap();
    for (key, of_listing) in [("path", "path"), ("linkname", "linktarget")] {
        if let Some(text) = entry[key].as_str() {
            entry[of_listing] = plimsoll::oci::escape(&raw(text)).into();
        }
    }
    program::entry_line(&entry)
}

fn raw(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for c in text.chars() {
        match u32::from(c) {
            byte @ 0xe080..=0xe0ff => bytes.push(byte.to_le_bytes()[0]),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Truth files in a folder: those that end so, with the rest of the name.
pub(crate) fn truths(folder: &Path, ending: &str) -> Vec<(String, Value)> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(ending)?.to_owned()))
        .collect();
    found.sort();
    found.into_iter().map(|name| (name.clone(), json(&folder.join(name + ending)))).collect()
}

/// Images labelled by an oracle whose labels are not disputed.
pub(crate) fn is_scored(truth: &Value) -> bool {
    truth["oracle"].is_string() && truth["class"] != "ambiguous" && truth["class"] != "malformed"
}

fn verify(cases: &[Case]) {
    let wrong: Vec<String> = cases.iter().flat_map(Case::verify).collect();
    eprintln!("{} images compared", cases.len());
    program::assert_none(&wrong);
}

#[test]
fn the_small_images_are_what_other_tools_say() {
    let Some(shared) = program::shared_images() else { return };
    let small = shared.join("small");
    let mut cases = Vec::new();
    for (name, truth) in truths(&small.join("truth"), ".json") {
        let tree = small.join(format!("truth/{name}.tree.json.zst"));
        for place in list(&truth["formats_here"]).filter_map(text).filter(|_| is_scored(&truth)) {
            let (path, tag) = place.rsplit_once(':').map_or((place.as_str(), None), |(path, tag)| (path, Some(tag)));
            let choice = tag.map(|tag| vec!["--image".to_owned(), tag.to_owned()]).unwrap_or_default();
            cases.push(Case {
                container: small.join(path),
                choice,
                truth: truth.clone(),
                tree: tree.clone(),
                healthcheck_kept: true,
            });
        }
    }
    let name = "c-static-good";
    cases.push(Case {
        container: small.join(format!("layouts/{name}.skopeo-oci")),
        choice: Vec::new(),
        truth: json(&small.join(format!("truth/{name}.json"))),
        tree: small.join(format!("truth/{name}.tree.json.zst")),
        healthcheck_kept: false,
    });
    assert!(cases.len() > 100);
    verify(&cases);
}

#[test]
fn images_of_a_real_engine_and_of_other_projects_are_what_other_tools_say() {
    let Some(shared) = program::shared_images() else { return };
    let case = |image: OtherImage| {
        let tree = image.container.with_file_name(format!("{}.truth.tree.json.zst", image.name));
        Case { container: image.container, choice: image.choice, truth: image.truth, tree, healthcheck_kept: true }
    };
    verify(&other_images(&shared).into_iter().map(case).collect::<Vec<_>>());
}

/// A labelled image of a real engine, or of another project.
pub(crate) struct OtherImage {
    pub(crate) name: String,
    pub(crate) container: PathBuf,
    /// Arguments that choose the image.
    pub(crate) choice: Vec<String>,
    pub(crate) truth: Value,
}

/// All of them.
pub(crate) fn other_images(shared: &Path) -> Vec<OtherImage> {
    let mut images = Vec::new();
    for folder in ["realdocker", "thirdparty"].map(|name| shared.join("small").join(name)) {
        for (name, truth) in truths(&folder, ".truth.json").into_iter().filter(|(_, truth)| is_scored(truth)) {
            let candidates = [name.clone(), format!("{name}.gz"), format!("{name}.tar.gz")].map(|file| folder.join(file));
            let container =
                candidates.into_iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no container for {name}"));
            let platform = ["os", "architecture"].map(|key| text(&truth["expected"][key]).unwrap_or_default()).join("/");
            let choice = if container.is_dir() { vec!["--platform".into(), platform] } else { Vec::new() };
            images.push(OtherImage { name, container, choice, truth });
        }
    }
    images
}

#[test]
fn the_big_images_are_what_other_tools_say() {
    let Some(folder) = std::env::var_os("PLIMSOLL_IMAGES").map(PathBuf::from) else {
        eprintln!("skipped: PLIMSOLL_IMAGES names no folder with images/ and truth/");
        return;
    };
    let mut cases = Vec::new();
    for (name, truth) in truths(&folder.join("truth"), ".json").into_iter().filter(|(_, truth)| is_scored(truth)) {
        for format in list(&truth["formats"]).cloned().collect::<Vec<_>>() {
            let container = folder.join(format["path"].as_str().unwrap());
            if container.exists() {
                let tree = folder.join(format!("truth/{name}.tree.json.zst"));
                let healthcheck_kept = format["healthcheck_kept"] != false;
                cases.push(Case { container, choice: Vec::new(), truth: truth.clone(), tree, healthcheck_kept });
            }
        }
    }
    assert!(!cases.is_empty());
    verify(&cases);
}
