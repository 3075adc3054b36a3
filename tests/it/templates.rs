//! The templates for GitLab, Jenkins and Tekton: their scripts are run as their runners do, on images made for it.

use std::process::Output;

use serde_json::Value;

use crate::desk::{Desk, root, said, yaml};

const GITLAB: &str = "ci/gitlab/templates/plimsoll/template.yml";
const TEKTON: &str = "ci/tekton/task.yaml";

/// `archive`, and the exit code and verdict that are expected of it.
const CASES: [(&str, i32, &str); 4] = [
    ("good.tar", 0, "pass"),
    ("shop.tar", 1, "fail"),
    ("cut.tar", 3, "unverifiable"),
    ("x\n::stop-commands::y $(touch owned)", 3, "unverifiable"),
];

/// `NAME=VALUE` for a process.
type Variables = Vec<(String, String)>;

fn shell(desk: &Desk, words: &[&str], variables: &Variables) -> Output {
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let output = desk.shell(words, &variables);
    assert!(!desk.path("work/owned").exists());
    output
}

/// The text with `$[[ inputs.x ]]` or `$(params.x)` replaced, where the whole of it is one of them.
fn filled(text: &str, start: &str, end: &str, value: impl Fn(&str) -> String) -> String {
    match text.strip_prefix(start).and_then(|text| text.strip_suffix(end)) {
        Some(name) => value(name.trim()),
        None => text.to_owned(),
    }
}

fn gitlab(desk: &Desk, inputs: &[(&str, &str)]) -> Output {
    let documents = yaml(GITLAB);
    let [header, jobs] = documents.as_slice() else { panic!("a header and jobs") };
    let job = &jobs["$[[ inputs.job-name ]]"];
    let input = |name: &str| {
        let name = name.strip_prefix("inputs.").unwrap();
        let given = inputs.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        let known = &header["spec"]["inputs"][name];
        assert!(known.is_object(), "{name}");
        given.unwrap_or_else(|| known["default"].as_str().unwrap_or_else(|| panic!("{name} is required")).to_owned())
    };
    let fill = |(name, value): (&String, &Value)| (name.clone(), filled(value.as_str().unwrap(), "$[[", "]]", input));
    let mut variables: Variables = job["variables"].as_object().unwrap().iter().map(fill).collect();
    variables.push(("CI_PROJECT_DIR".to_owned(), desk.path("work").to_str().unwrap().to_owned()));
    let lines: Vec<&str> = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(!lines.concat().contains("$[["), "no value is pasted into a script");
    shell(desk, &["sh", "-ec", &lines.join("\n")], &variables)
}

#[test]
fn the_gitlab_component_writes_the_reports_that_it_names_and_fails_as_plimsoll_does() {
    for (archive, code, verdict) in CASES {
        let desk = Desk::new();
        let output = gitlab(&desk, &[("archive", archive), ("dockerfile", "Dockerfile")]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let job = &yaml(GITLAB)[1]["$[[ inputs.job-name ]]"];
        assert_eq!(job["artifacts"]["when"], "always");
        let reports = job["artifacts"]["reports"].as_object().unwrap().values();
        for file in reports.chain(job["artifacts"]["paths"].as_array().unwrap()) {
            assert!(!desk.read(&format!("work/{}", file.as_str().unwrap())).is_empty(), "{file}");
        }
        assert!(desk.read("work/plimsoll.env").contains(&format!("PLIMSOLL_VERDICT={verdict}\n")));
        assert!(desk.read("work/plimsoll.xml").starts_with("<?xml "));
    }
    let desk = Desk::new();
    assert_eq!(gitlab(&desk, &[("archive", "shop.tar"), ("fail-on", "critical")]).status.code(), Some(0));
}

#[test]
fn the_jenkins_stage_writes_the_reports_that_it_publishes_and_fails_as_plimsoll_does() {
    let file = std::fs::read_to_string(root().join("ci/jenkins/Jenkinsfile")).unwrap();
    assert!(!file.contains("\"\"\""), "a Groovy string that takes values would paste them into the script");
    let script = file.split("sh '''").nth(1).unwrap().split("'''").next().unwrap();
    let published: Vec<&str> = file.split('\'').filter(|text| text.starts_with("plimsoll.")).collect();
    assert_eq!(published, ["plimsoll.sarif", "plimsoll.xml", "plimsoll.json"]);
    for (archive, code, _) in CASES {
        let desk = Desk::new();
        let workspace = desk.path("work").to_str().unwrap().to_owned();
        let variables = [
            ("PLIMSOLL_ARCHIVE", archive),
            ("PLIMSOLL_DOCKERFILE", "Dockerfile"),
            ("PLIMSOLL_POLICY", "default"),
            ("WORKSPACE", &workspace),
        ];
        for (name, _) in &variables[..3] {
            assert!(file.contains(&format!("{name} = '")), "{name}");
        }
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let output = shell(&desk, &["sh", "-xec", script], &variables);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        for file in &published {
            assert!(!desk.read(&format!("work/{file}")).is_empty(), "{file}");
        }
    }
}

/// Runs the task's one step; results are files.
fn tekton(desk: &Desk, params: &[(&str, &str)]) -> Output {
    let task = yaml(TEKTON).remove(0);
    let spec = &task["spec"];
    let list = |value: &Value| value.as_array().unwrap().clone();
    let value = |name: &str| {
        if let Some(result) = name.strip_prefix("results.").and_then(|name| name.strip_suffix(".path")) {
            assert!(list(&spec["results"]).iter().any(|known| known["name"] == result), "{result}");
            return desk.path("temp").join(result).to_str().unwrap().to_owned();
        }
        let name = name.strip_prefix("params.").unwrap();
        let params_known = list(&spec["params"]);
        let known = params_known.iter().find(|known| known["name"] == name).unwrap_or_else(|| panic!("{name}"));
        let given = params.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        given.unwrap_or_else(|| known["default"].as_str().unwrap().to_owned())
    };
    let step = &spec["steps"][0];
    let variable = |it: &Value| {
        let text = |key: &str| it[key].as_str().unwrap();
        (text("name").to_owned(), filled(text("value"), "$(", ")", value))
    };
    let variables: Variables = list(&step["env"]).iter().map(variable).collect();
    let script = step["script"].as_str().unwrap();
    assert!(script.starts_with("#!/bin/sh\n") && !script.contains("$(params") && !script.contains("$(results"), "{script}");
    desk.script("temp/step", script);
    let path = desk.path("temp/step");
    shell(desk, &[path.to_str().unwrap()], &variables)
}

#[test]
fn the_tekton_task_has_verdict_and_score_for_results_and_is_a_gate_when_asked() {
    for (archive, code, verdict) in CASES {
        let desk = Desk::new();
        let output = tekton(&desk, &[("archive", archive), ("dockerfile", "Dockerfile")]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert_eq!(desk.read("temp/verdict"), verdict);
        assert_eq!(desk.read("temp/score").parse::<f64>().is_ok(), code < 2, "{}", desk.read("temp/score"));
        assert_eq!(tekton(&desk, &[("archive", archive), ("gate", "false")]).status.code(), Some(0));
        assert_eq!(desk.read("temp/verdict"), verdict, "the verdict stays without the gate");
    }
    let desk = Desk::new();
    assert_eq!(tekton(&desk, &[("archive", "good.tar"), ("policy", "strickt")]).status.code(), Some(2));
    assert_eq!(desk.read("temp/verdict"), "unverifiable");
}

#[test]
fn the_tekton_task_has_the_form_of_a_task() {
    let task = yaml(TEKTON).remove(0);
    assert_eq!(
        (&task["apiVersion"], &task["kind"], &task["metadata"]["name"]),
        (&"tekton.dev/v1".into(), &"Task".into(), &"plimsoll".into())
    );
    let keys: Vec<&String> = task["spec"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["description", "params", "workspaces", "results", "steps"]);
}
