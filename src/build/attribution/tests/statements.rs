//! Lines of BuildKit's provenance, and the Dockerfiles at hand beside it.

use serde_json::{Value, json};

use super::*;
use crate::build::provenance;

const TEXT: &str = "# syntax=docker/dockerfile:1
FROM golang:1 AS build
RUN go build -o /out/app

FROM debian:12 AS final
WORKDIR /w
RUN apt-get update \\
 && apt-get install -y gcc
COPY --from=build /out/app /usr/bin/app
USER 1000
";

/// Base64 of a text.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(DIGITS[usize::try_from(bits & 63).unwrap()]);
    let three = |chunk: &[u8]| {
        let bits = chunk.iter().chain([0, 0].iter()).take(3).fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let text: String = [18, 12, 6, 0].map(|shift| digit(bits >> shift)).iter().take(chunk.len().saturating_add(1)).collect();
        format!("{text:=<4}")
    };
    bytes.chunks(3).map(three).collect()
}

/// Layers a to f: the base has a and b, ONBUILD of it made c.
fn statement() -> Value {
    let step = |id: &str, inputs: Value, op: Value| json!({"id": id, "inputs": inputs, "op": {"Op": op}});
    let exec = || json!({"exec": {"mounts": [{"dest": "/"}]}});
    let image = |name: &str| json!({"source": {"identifier": format!("docker-image://{name}")}});
    let at = |lines: &[usize]| {
        let ranges: Vec<Value> = lines.iter().map(|line| json!({"start": {"line": line}, "end": {"line": line}})).collect();
        json!({"locations": [{"ranges": ranges}]})
    };
    let chain = |names: &str| json!([names.chars().map(|name| json!({"digest": name.to_string()})).collect::<Vec<_>>()]);
    json!({
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "internalParameters": {"buildConfig": {"llbDefinition": [
                    step("step0", json!([]), image("debian:12")),
                    step("step1", json!([]), image("golang:1")),
                    step("step2", json!(["step1:0"]), exec()),
                    step("step3", json!(["step0:0"]), exec()),
                    step("step4", json!(["step3:0"]), json!({"file": {"actions": [{"Action": {"mkdir": {}}}]}})),
                    step("step5", json!(["step4:0"]), exec()),
                    step("step6", json!(["step5:0", "step2:0"]), json!({"file": {"actions": [{"secondaryInput": 1, "Action": {"copy": {}}}]}})),
                    step("step7", json!(["step6:0"]), json!(null)),
                ]}},
                "externalParameters": {"request": {"args": {"target": "Final"}}},
            },
            "runDetails": {"metadata": {"buildkit_metadata": {
                "vcs": {"localdir:dockerfile": "docker/api"},
                "source": {
                    "infos": [{"filename": "Dockerfile", "data": base64(TEXT.as_bytes())}],
                    "locations": {
                        "step0": at(&[5]), "step1": at(&[2]), "step2": at(&[3]), "step3": at(&[1]), "step4": at(&[6]),
                        "step5": at(&[7, 8]), "step6": at(&[9]),
                    },
                },
                "layers": {
                    "step0:0": chain("ab"), "step1:0": chain("xyz"), "step2:0": chain("xyzv"), "step3:0": chain("abc"),
                    "step4:0": chain("abcd"), "step5:0": chain("abcde"), "step6:0": chain("abcdef"),
                },
            }}},
        },
    })
}

fn with(statement: &Value, digests: &str, at_hand: &Dockerfiles) -> Attribution {
    let provenance = provenance::read(&[statement.to_string().into_bytes()], &Limits::default());
    let digests: Vec<Option<String>> = digests.chars().map(|name| Some(name.to_string())).collect();
    let diff_ids = diff_ids(digests.len());
    let making = Making { diff_ids: &diff_ids, layer_digests: &digests, history: &[], provenance: &provenance };
    attribute(&making, None, at_hand, &Limits::default())
}

const EXPECTED: [&str; 6] = ["5 base", "5 base", "5 base", "6 exact", "7 exact", "9 exact"];

#[test]
fn lines_are_those_of_the_steps_and_a_false_line_1_is_the_from() {
    let found = with(&statement(), "abcdef", &Dockerfiles::default());
    assert_eq!(lines(&found, 6), EXPECTED);
    let dockerfile = found.dockerfile.as_ref().unwrap();
    assert_eq!((dockerfile.path.as_str(), dockerfile.found_by), ("docker/api/Dockerfile", FoundBy::Provenance));
    assert_eq!((dockerfile.target.as_deref(), dockerfile.confidence), (Some("final"), Some(Confidence::Exact)));
    assert_eq!(found.of_layer(5, &[]).unwrap().related[0].start, 3);
    assert_eq!(found.of_layer(4, &[Token::Name("gcc".into())]).unwrap().line, 8);
    assert_eq!(found.of_config("config.User").map(|it| (it.line, it.confidence)), Some((10, Confidence::Exact)));
}

#[test]
fn digests_of_another_compression_change_nothing_and_another_number_of_layers_all() {
    assert_eq!(lines(&with(&statement(), "ghijkl", &Dockerfiles::default()), 6), EXPECTED);
    let found = with(&statement(), "abcde", &Dockerfiles::default());
    assert_eq!(lines(&found, 5), [""; 5]);
    assert_eq!(detail(&found), "BuildKit's provenance tells of 6 layers, and the image has 5");
}

#[test]
fn a_step_on_the_line_of_another_kind_of_instruction_has_no_line() {
    let mut odd = statement();
    let locations = odd.pointer_mut("/predicate/runDetails/metadata/buildkit_metadata/source/locations").unwrap();
    locations["step5"] = locations["step6"].clone();
    locations["step4"] = json!({});
    let found = with(&odd, "abcdef", &Dockerfiles::default());
    assert_eq!(lines(&found, 6), ["5 base", "5 base", "5 base", "", "", "9 exact"]);
    assert_eq!(detail(&found), "BuildKit's provenance names the lines of the layers, but not of 2 of 6");
}

#[test]
fn the_same_file_in_the_checkout_has_the_same_lines() {
    let found = with(&statement(), "abcdef", &given(&TEXT.replace('\n', "\r\n")));
    assert_eq!(lines(&found, 6), EXPECTED);
    assert_eq!(found.dockerfile.unwrap().path, "docker/Dockerfile");
    let copies = below_root(&[("a/Dockerfile", TEXT), ("docker/api/Dockerfile", TEXT)]);
    assert_eq!(with(&statement(), "abcdef", &copies).dockerfile.unwrap().path, "docker/api/Dockerfile");
    let copies = below_root(&[("a/Dockerfile", TEXT), ("b/Dockerfile", TEXT)]);
    let found = with(&statement(), "abcdef", &copies);
    assert_eq!(lines(&found, 6), [""; 6]);
    assert_eq!(detail(&found), "several Dockerfiles are the one of BuildKit's provenance: a/Dockerfile, b/Dockerfile");
}

#[test]
fn a_changed_file_shows_what_stands_once_in_both() {
    let changed = format!("# new\n{}", TEXT.replace("gcc", "clang"));
    for at_hand in [given(&changed), below_root(&[("docker/api/Dockerfile", &changed), ("x/Dockerfile", "FROM y")])] {
        let found = with(&statement(), "abcdef", &at_hand);
        assert_eq!(lines(&found, 6), ["6 given", "6 given", "6 given", "7 given", "6 given", "10 given"]);
    }
    let found = with(&statement(), "abcdef", &below_root(&[("x/Dockerfile", "FROM y")]));
    assert_eq!(lines(&found, 6), [""; 6]);
    assert_eq!(detail(&found), "the Dockerfile of BuildKit's provenance is not below the source root");
}

#[test]
fn a_path_that_leads_out_of_the_repository_is_none() {
    for folder in ["..", "/etc", "a/../..", "a\\b", "a\nb", "c:", "https://x"] {
        let mut hostile = statement();
        hostile["predicate"]["runDetails"]["metadata"]["buildkit_metadata"]["vcs"]["localdir:dockerfile"] = folder.into();
        assert_eq!(with(&hostile, "abcdef", &Dockerfiles::default()), Attribution::default(), "{folder}");
        // beside the file itself its path does not matter
        assert_eq!(lines(&with(&hostile, "abcdef", &given(TEXT)), 6), EXPECTED);
    }
    assert_eq!(repository_path("./a//b/./Dockerfile").as_deref(), Some("a/b/Dockerfile"));
    assert_eq!((repository_path(""), repository_path("./.")), (None, None));
}

#[test]
fn one_step_of_two_stages_is_on_the_line_of_the_images_stage() {
    let mut shared = statement();
    let locations = shared.pointer_mut("/predicate/runDetails/metadata/buildkit_metadata/source/locations").unwrap();
    let both: Vec<Value> =
        [3, 7].map(|line| json!({"ranges": [{"start": {"line": line}, "end": {"line": line}}]})).into_iter().collect();
    locations["step5"] = json!({"locations": both});
    assert_eq!(lines(&with(&shared, "abcdef", &Dockerfiles::default()), 6)[4], "7 exact");
}

proptest::proptest! {
    #[test]
    fn no_statement_is_too_odd(at in 0_usize..4_000, byte: u8, cut in 0_usize..4_000, digests in "[a-g]{0,8}") {
        let mut text = statement().to_string().into_bytes();
        if let Some(old) = text.get_mut(at) {
            *old = byte;
        }
        for text in [text.clone(), text[..cut.min(text.len())].to_vec()] {
            let provenance = provenance::read(&[text], &Limits::default());
            let layer_digests: Vec<Option<String>> = digests.chars().map(|name| Some(name.to_string())).collect();
            let diff_ids = diff_ids(layer_digests.len());
            let making = Making { diff_ids: &diff_ids, layer_digests: &layer_digests, history: &[], provenance: &provenance };
            let found = attribute(&making, None, &Dockerfiles::default(), &Limits::default());
            for location in (0..layer_digests.len()).filter_map(|layer| found.of_layer(layer, &[])) {
                proptest::prop_assert!(location.line >= 1);
            }
        }
    }
}
