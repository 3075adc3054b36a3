//! action.yml: its steps are run one after the other, as GitHub's runner does, on images made for it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::desk::{Desk, is_annotation, root, said, yaml};

type Map = BTreeMap<String, String>;

/// What a run of the action left.
struct Ran {
    /// The action's outputs.
    outputs: Map,
    /// What stands in the job's log.
    log: String,
    summary: String,
    /// `with` of the upload, when it was done.
    upload: Option<Map>,
    /// Exit code of the last step that failed; 0 when none did.
    code: i32,
}

impl Ran {
    fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }
}

/// What expressions can name.
#[derive(Default)]
struct Known {
    inputs: Map,
    steps: BTreeMap<String, Map>,
    has_failed: bool,
}

impl Known {
    /// `inputs.x`, `steps.x.outputs.y` or `'text'`.
    fn value(&self, name: &str) -> String {
        let parts: Vec<&str> = name.trim().split('.').collect();
        match parts.as_slice() {
            ["inputs", input] => self.inputs.get(*input).unwrap_or_else(|| panic!("no input {input}")).clone(),
            ["steps", step, "outputs", output] => {
                self.steps.get(*step).and_then(|step| step.get(*output)).cloned().unwrap_or_default()
            }
            [text] => text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap().to_owned(),
            _ => panic!("{name}"),
        }
    }

    /// A text that is one expression, or none.
    fn text(&self, text: &str) -> String {
        match text.strip_prefix("${{").and_then(|text| text.strip_suffix("}}")) {
            Some(name) => self.value(name),
            None if text.contains("${{") => panic!("{text}"),
            None => text.to_owned(),
        }
    }

    /// Terms joined by `&&`.
    fn holds(&self, condition: &str) -> bool {
        let inner = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
        let terms: Vec<&str> = inner.split("&&").map(str::trim).filter(|term| !term.is_empty()).collect();
        let is_always = terms.contains(&"always()");
        (is_always || !self.has_failed)
            && terms.iter().filter(|term| **term != "always()").all(|term| {
                let same = term.split_once("==").map(|(left, right)| self.value(left) == self.value(right));
                let other = || term.split_once("!=").map(|(left, right)| self.value(left) != self.value(right));
                same.or_else(other).unwrap_or_else(|| panic!("{term}"))
            })
    }

    fn map(&self, value: &Value) -> Map {
        let members = value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.clone(), self.text(value.as_str().unwrap()))).collect()
    }
}

/// Runs the action with these inputs; `variables` are what the machine adds.
fn run(desk: &Desk, inputs: &[(&str, &str)], variables: &[(&str, &str)]) -> Ran {
    let action = yaml("action.yml").remove(0);
    let mut known = Known::default();
    for (name, input) in action["inputs"].as_object().unwrap() {
        known.inputs.insert(name.clone(), input["default"].as_str().unwrap_or_else(|| panic!("{name}")).to_owned());
    }
    for (name, value) in [("plimsoll-path", "plimsoll")].iter().chain(inputs) {
        assert!(known.inputs.insert((*name).to_owned(), (*value).to_owned()).is_some(), "{name} is no input");
    }
    let mut ran = Ran { outputs: Map::new(), log: String::new(), summary: String::new(), upload: None, code: 0 };
    for step in action["runs"]["steps"].as_array().unwrap() {
        if !known.holds(step["if"].as_str().unwrap_or_default().trim()) {
            continue;
        }
        if step["uses"].is_string() {
            ran.upload = Some(known.map(&step["with"]));
        } else {
            run_step(desk, step, &mut known, &mut ran, variables);
        }
    }
    let outputs = action["outputs"].as_object().unwrap();
    ran.outputs = outputs.iter().map(|(name, it)| (name.clone(), known.text(it["value"].as_str().unwrap()))).collect();
    ran
}

fn run_step(desk: &Desk, step: &Value, known: &mut Known, ran: &mut Ran, variables: &[(&str, &str)]) {
    assert_eq!(step["shell"], "bash");
    for file in ["output", "summary"] {
        desk.write(&format!("temp/{file}"), b"");
    }
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let runner = [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_ACTION_PATH", root().to_str().unwrap().to_owned()),
        ("GITHUB_WORKSPACE", path("work")),
        ("GITHUB_OUTPUT", path("temp/output")),
        ("GITHUB_STEP_SUMMARY", path("temp/summary")),
        ("RUNNER_TEMP", path("temp")),
    ];
    let of_step = known.map(&step["env"]);
    let mut all: Vec<(&str, &str)> = runner.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend(of_step.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.extend(variables);
    desk.write("temp/script.sh", step["run"].as_str().unwrap().as_bytes());
    let output = desk.shell(&["bash", "--noprofile", "--norc", "-eo", "pipefail", &path("temp/script.sh")], &all);
    ran.log.push_str(&said(&output));
    ran.summary.push_str(&desk.read("temp/summary"));
    if !output.status.success() {
        known.has_failed = true;
        ran.code = output.status.code().unwrap();
    }
    let text = desk.read("temp/output");
    let lines = text.lines().map(|line| line.split_once('=').unwrap_or_else(|| panic!("no output: {text}")));
    let found: Map = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if let Some(id) = step["id"].as_str() {
        known.steps.insert(id.to_owned(), found);
    }
}

/// Nothing in a log is an order but our own annotations.
fn assert_gives_no_orders(log: &str) {
    for line in log.split(['\n', '\r']).filter(|line| line.trim_start().starts_with("::")) {
        assert!(is_annotation(line), "{line}");
    }
    assert!(!log.contains("##[") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn a_good_image_passes_and_nothing_is_uploaded_unless_it_is_asked_for() {
    let desk = Desk::new();
    let ran = run(&desk, &[("archive", "good.tar")], &[]);
    assert_eq!((ran.code, ran.output("verdict"), ran.output("exit-code")), (0, "pass", "0"), "{}", ran.log);
    assert!(ran.log.ends_with("PASS  nothing found\n"), "{}", ran.log);
    assert!(ran.summary.starts_with("## plimsoll: pass"), "{}", ran.summary);
    assert_eq!((ran.output("sarif-file"), ran.upload.is_none()), ("plimsoll.sarif", true));
    let report: Value = serde_json::from_slice(&std::fs::read(ran.output("json-file")).unwrap()).unwrap();
    assert_eq!(report["verdict"], "pass");
}

#[test]
fn a_bad_image_fails_last_after_its_sarif_was_uploaded() {
    let desk = Desk::new();
    let inputs = [("archive", "shop.tar"), ("upload-sarif", "true"), ("category", "shop"), ("dockerfile", "Dockerfile")];
    let ran = run(&desk, &inputs, &[]);
    assert_eq!((ran.code, ran.output("verdict"), ran.output("exit-code")), (1, "fail", "1"), "{}", ran.log);
    let score: f64 = ran.output("score").parse().unwrap();
    assert!((0.0..100.0).contains(&score));
    let upload = ran.upload.unwrap();
    assert_eq!((upload["sarif_file"].as_str(), upload["category"].as_str()), ("plimsoll.sarif", "shop"));
    assert!(ran.log.contains("title=plimsoll%3A compiler (high)::"), "{}", ran.log);
    assert_gives_no_orders(&ran.log);
    let silent = run(&desk, &[("archive", "shop.tar"), ("annotations", "false"), ("summary", "false"), ("sarif-file", "")], &[]);
    assert_eq!((silent.code, silent.summary.as_str(), silent.output("sarif-file")), (1, "", ""));
    assert!(!silent.log.contains("::error"));
    let lenient = run(&desk, &[("archive", "shop.tar"), ("fail-on", "critical")], &[]);
    assert_eq!((lenient.code, lenient.output("verdict")), (0, "pass"), "{}", lenient.log);
}

#[test]
fn what_cannot_be_verified_fails_with_3_and_what_is_wrong_use_with_2() {
    let desk = Desk::new();
    let ran = run(&desk, &[("archive", "cut.tar"), ("upload-sarif", "true")], &[]);
    assert_eq!((ran.code, ran.output("verdict"), ran.output("score")), (3, "unverifiable", ""), "{}", ran.log);
    assert!(ran.upload.is_some());
    let none = run(&desk, &[("archive", "good.tar"), ("plimsoll-path", "no-such-program"), ("upload-sarif", "true")], &[]);
    assert_eq!((none.code, none.output("verdict"), none.upload.is_none()), (3, "", true), "{}", none.log);
    assert!(none.log.contains("plimsoll-path names no program") && none.log.contains("the image was not checked"));
    for inputs in [
        &[][..],
        &[("archive", "good.tar"), ("image", "good")],
        &[("archive", "good.tar"), ("policy", "strickt")],
        &[("archive", "good.tar"), ("sarif-file", "a\nverdict=pass")],
        &[("archive", "good.tar"), ("fail-on", "info")],
    ] {
        let ran = run(&desk, inputs, &[]);
        assert_eq!((ran.code, ran.output("verdict")), (2, "unverifiable"), "{inputs:?}: {}", ran.log);
        assert!(ran.upload.is_none() && ran.output("json-file").is_empty());
    }
}

#[test]
fn an_image_of_the_daemon_is_read_whole_or_is_no_pass() {
    let desk = Desk::new();
    let image = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let ran = run(&desk, &[("image", "shop:1.4")], &[]);
    assert_eq!((ran.code, ran.output("verdict")), (1, "fail"), "{}", ran.log);
    assert_eq!(desk.read("docker-asked"), "save\0--\0shop:1.4\0");
    let good = image("work/good.tar");
    let ran = run(&desk, &[("image", "good")], &[("DOCKER_IMAGE", &good)]);
    assert_eq!((ran.code, ran.output("verdict")), (0, "pass"), "{}", ran.log);
    let ran = run(&desk, &[("image", "good")], &[("DOCKER_IMAGE", &good), ("DOCKER_EXIT", "1")]);
    assert_eq!((ran.code, ran.output("verdict"), ran.output("exit-code")), (3, "unverifiable", "3"), "{}", ran.log);
    let cut = image("work/cut.tar");
    let ran = run(&desk, &[("image", "good")], &[("DOCKER_IMAGE", &cut), ("DOCKER_EXIT", "1")]);
    assert_eq!((ran.code, ran.output("verdict")), (3, "unverifiable"), "{}", ran.log);
}

#[test]
fn hostile_names_give_no_orders_to_shell_or_runner() {
    let desk = Desk::new();
    let odd = "x\n::stop-commands::y\nverdict=pass\n$(touch owned)`touch owned`; touch owned";
    desk.hostile_image("work/hostile.tar");
    std::fs::copy(desk.path("work/hostile.tar"), desk.path("work").join(odd)).unwrap();
    let hostile = desk.path("work/hostile.tar").to_str().unwrap().to_owned();
    for inputs in [
        &[("archive", "hostile.tar")][..],
        &[("archive", odd)],
        &[("image", odd)],
        &[("archive", "hostile.tar"), ("dockerfile", odd)],
    ] {
        let ran = run(&desk, inputs, &[("DOCKER_IMAGE", &hostile)]);
        assert_ne!(ran.code, 0, "{}", ran.log);
        assert_ne!(ran.output("verdict"), "pass");
        assert_gives_no_orders(&ran.log);
        assert!(!ran.summary.contains("\n::"), "{}", ran.summary);
        assert!(!desk.path("work/owned").exists());
    }
    for name in ["policy", "baseline", "platform", "fail-on", "layout"] {
        let ran = run(&desk, &[("archive", if name == "layout" { "" } else { "hostile.tar" }), (name, odd)], &[]);
        assert_ne!(ran.code, 0, "{name}");
        assert_gives_no_orders(&ran.log);
        assert!(!desk.path("work/owned").exists(), "{name}");
    }
}

#[test]
fn only_the_pinned_release_is_fetched() {
    let desk = Desk::new();
    let scripts = desk.path("temp/ci/github");
    std::fs::create_dir_all(&scripts).unwrap();
    let install = scripts.join("install.sh");
    std::fs::copy(root().join("ci/github/install.sh"), &install).unwrap();
    desk.script("temp/plimsoll", "#!/bin/sh\n");
    let tar = desk.shell(&["tar", "-C", "../temp", "-czf", "../temp/release.tar.gz", "plimsoll"], &[]);
    assert!(tar.status.success());
    desk.script(
        "bin/curl",
        "#!/bin/sh\necho \"$*\" >\"$ASKED\"\nwhile [ \"$1\" != -o ]; do shift; done\ncp \"$RELEASE\" \"$2\"\n",
    );
    desk.script("bin/uname", "#!/bin/sh\nif [ \"$1\" = -s ]; then echo Linux; else echo x86_64; fi\n");
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let (output, temp, release, asked) = (path("temp/output"), path("temp"), path("temp/release.tar.gz"), path("asked"));
    let of = |pins: &str| {
        desk.write("temp/ci/github/binaries.txt", pins.as_bytes());
        desk.write("temp/output", b"");
        let variables = [
            ("GITHUB_OUTPUT", &*output),
            ("RUNNER_TEMP", &*temp),
            ("RELEASE", &*release),
            ("ASKED", &*asked),
            ("PLIMSOLL_PATH", ""),
        ];
        let ran = desk.shell(&["bash", install.to_str().unwrap()], &variables);
        (ran.status.code().unwrap(), said(&ran), desk.read("temp/output"))
    };
    let digest = plimsoll_digest(&std::fs::read(&release).unwrap());
    let held = std::fs::read_to_string(root().join("ci/github/binaries.txt")).unwrap();
    assert!(held.lines().all(|line| line.starts_with('#')), "there is a release: say so in docs/ci.md, and change this test");
    let (code, said, _) = of(&held);
    assert!(code == 2 && said.contains("plimsoll-path") && !desk.path("asked").exists(), "{said}");
    let (code, said, path) = of(&format!("# pins\n0.1.0 linux-aarch64 {digest}\n0.1.0 linux-x86_64 {digest}\n"));
    assert_eq!((code, said.as_str()), (0, ""));
    assert!(path.starts_with("path=") && path.ends_with("/plimsoll\n"), "{path}");
    assert!(desk.read("asked").contains("/releases/download/v0.1.0/plimsoll-0.1.0-linux-x86_64.tar.gz"));
    let (code, said, path) = of(&format!("0.1.0 linux-x86_64 {}\n", "0".repeat(64)));
    assert!(code == 2 && said.contains("SHA-256 differs") && path.is_empty(), "{said}");
    for bad in ["latest linux-x86_64 0", "0.1.0 linux-x86_64", "../0 linux-x86_64 0"] {
        assert_eq!(of(bad).0, 2, "{bad}");
    }
}

fn plimsoll_digest(bytes: &[u8]) -> String {
    crate::recipe::hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
}

#[test]
fn no_value_is_pasted_into_a_script_and_every_action_is_pinned_by_its_commit() {
    let example = yaml("ci/github/example.yml").remove(0);
    let action = yaml("action.yml").remove(0);
    let lists = [&action["runs"]["steps"], &example["jobs"]["image"]["steps"]];
    for step in lists.into_iter().flat_map(|steps| steps.as_array().unwrap()) {
        let script = step["run"].as_str().unwrap_or_default();
        assert!(!script.contains("${{"), "{script}");
        if let Some(used) = step["uses"].as_str() {
            let (_, commit) = used.split_once('@').unwrap();
            let is_pinned = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_pinned || used == "plimsoll/plimsoll@REVISION", "{used}");
        }
    }
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    assert!(!text.contains("secrets.") && !text.contains("token"), "the action takes no token");
    for script in ["install.sh", "check.sh", "verdict.sh"] {
        let text = std::fs::read_to_string(root().join("ci/github").join(script)).unwrap();
        assert!(text.contains("set -euo pipefail") && !text.contains("latest") && !text.contains("eval "), "{script}");
    }
}
