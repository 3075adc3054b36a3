//! Statements as BuildKit writes them.

use serde_json::{Value, json};

use super::*;

/// Steps of a build with two stages: the first on golang, the last on debian; COPY --from joins them.
pub(crate) fn steps() -> Value {
    let image = |name: &str| json!({"Op": {"source": {"identifier": format!("docker-image://{name}")}}});
    json!([
        {"id": "step0", "op": image("docker.io/library/golang:1@sha256:aa")},
        {"id": "step1", "op": image("docker.io/library/debian:12@sha256:bb")},
        {"id": "step2", "inputs": ["step0:0"], "op": {"Op": {"exec": {"mounts": [{"dest": "/"}]}}}},
        {"id": "step3", "inputs": ["step1:0"], "op": {"Op": {"exec": {"mounts": [
            {"dest": "/cache", "input": -1}, {"dest": "/", "input": 0}]}}}},
        {"id": "step4", "inputs": ["step3:0", "step2:0"], "op": {"Op": {"file": {"actions": [
            {"input": 0, "secondaryInput": 1, "Action": {}}]}}}},
        {"id": "step5", "inputs": ["step4:0", "step2:0"], "op": {"Op": {"merge": {"inputs": [{}, {"input": 1}]}}}},
        {"id": "step6", "inputs": ["step5:0"], "op": {"Op": null}},
    ])
}

pub(crate) fn chain(digests: &[&str]) -> Value {
    digests.iter().map(|digest| json!({"digest": digest, "size": 1})).collect::<Vec<_>>().into()
}

pub(crate) fn layers() -> Value {
    json!({"step0:0": [chain(&["d"])], "step1:0": [chain(&["x"]), chain(&["d", "e"])], "step3:0": [chain(&["d", "e", "f"])]})
}

pub(crate) fn slsa_1(steps: &Value, layers: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {"internalParameters": {"buildConfig": {"llbDefinition": steps}}},
            "runDetails": {"metadata": {"buildkit_metadata": {"layers": layers}}},
        },
    })
}

pub(crate) fn slsa_0_2(steps: &Value, layers: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": {
            "buildConfig": {"llbDefinition": steps},
            "metadata": {"https://mobyproject.org/buildkit@v1#metadata": {"layers": layers}},
        },
    })
}

fn read_one(statement: &Value) -> Provenance {
    read(&[statement.to_string().into_bytes()], &Limits::default()).remove(0)
}

#[test]
fn both_predicates_tell_the_same() {
    let (new, old) = (slsa_1(&steps(), &layers()), slsa_0_2(&steps(), &layers()));
    assert_eq!(read_one(&new), read_one(&old));
    assert_eq!(read_one(&new).steps.len(), 7);
}

#[test]
fn the_root_filesystem_is_followed_back_to_its_image() {
    let found = read_one(&slsa_1(&steps(), &layers()));
    let chain = found.root_chain();
    let outputs: Vec<&str> = chain.outputs.iter().map(|(output, _)| *output).collect();
    assert_eq!((outputs, chain.is_whole), (vec!["step1:0", "step3:0", "step4:0", "step5:0"], true));
}

#[test]
fn a_circle_of_steps_ends() {
    let mut steps = steps();
    steps[3]["inputs"] = json!(["step4:0"]);
    let found = read_one(&slsa_1(&steps, &layers()));
    assert!(!found.root_chain().is_whole);
}
