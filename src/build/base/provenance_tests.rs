//! Statements as BuildKit writes them, and as nobody does.

use serde_json::{Value, json};

use super::*;
use crate::build::provenance::read;
use crate::build::provenance::tests::{layers, slsa_0_2, slsa_1, steps};
use crate::limits::Limits;

fn found_in(statements: &[Vec<u8>], digests: &[&str]) -> Option<Base> {
    let layer_digests: Vec<Option<String>> = digests.iter().map(|digest| Some((*digest).to_owned())).collect();
    let provenance = read(statements, &Limits::default());
    base(&Making { diff_ids: &[], layer_digests: &layer_digests, history: &[], provenance: &provenance })
}

fn found(statement: &Value, digests: &[&str]) -> Option<Base> {
    found_in(&[statement.to_string().into_bytes()], digests)
}

#[test]
fn the_base_is_what_the_last_stage_comes_from() {
    for statement in [slsa_1(&steps(), &layers()), slsa_0_2(&steps(), &layers())] {
        let base = found(&statement, &["d", "e", "f", "g"]).unwrap();
        assert_eq!((base.name.as_deref(), base.layers), (Some("docker.io/library/debian:12@sha256:bb"), 2));
        assert_eq!((base.told_by, base.confidence), (ToldBy::Provenance, Confidence::Likely));
    }
}

#[test]
fn layers_that_are_not_the_images_claim_nothing() {
    let statement = slsa_1(&steps(), &layers());
    // the builder stage's image would match; it is not the last stage's
    for digests in [&["d", "y"][..], &["e", "d"], &["d"], &[]] {
        assert_eq!(found(&statement, digests), None, "{digests:?}");
    }
    let provenance = read(&[statement.to_string().into_bytes()], &Limits::default());
    let making = Making { diff_ids: &[], layer_digests: &[None, None], history: &[], provenance: &provenance };
    assert_eq!(base(&making), None);
}

#[test]
fn a_last_stage_from_scratch_has_no_base() {
    let mut steps = steps();
    steps[4]["op"]["Op"]["file"]["actions"][0]["input"] = json!(-1);
    assert_eq!(found(&slsa_1(&steps, &layers()), &["d", "e"]), None);
}

#[test]
fn steps_that_make_no_build_claim_nothing() {
    let mut circle = steps();
    circle[3]["inputs"] = json!(["step4:0"]);
    let mut dangling = steps();
    dangling[3]["inputs"] = json!(["step9:0"]);
    let mut unknown = steps();
    unknown[5]["op"]["Op"] = json!({"diff": {}});
    let mut local = steps();
    local[1]["op"]["Op"]["source"]["identifier"] = json!("local://context");
    for steps in [circle, dangling, unknown, local, json!([]), json!([1]), json!({"id": 1}), json!(null)] {
        assert_eq!(found(&slsa_1(&steps, &layers()), &["d", "e"]), None, "{steps}");
    }
}

#[test]
fn other_statements_and_other_bytes_claim_nothing() {
    let mut other = slsa_1(&steps(), &layers());
    other["predicateType"] = json!("https://spdx.dev/Document");
    assert_eq!(found(&other, &["d", "e"]), None);
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    for bytes in [&b""[..], b"\xff", b"{}", b"[]", b"{\"predicateType\": 1}", &deep] {
        assert_eq!(found_in(&[bytes.to_vec()], &["d", "e"]), None);
    }
    // and do not keep the next one from being read
    let statements = [b"{".to_vec(), slsa_0_2(&steps(), &layers()).to_string().into_bytes()];
    assert_eq!(found_in(&statements, &["d", "e"]).unwrap().layers, 2);
}

proptest::proptest! {
    #[test]
    fn no_bytes_are_too_odd(bytes: Vec<u8>, cut in 0_usize..4_000, at in 0_usize..4_000, byte: u8) {
        let _ = found_in(&[bytes], &["d", "e"]);
        let mut text = slsa_1(&steps(), &layers()).to_string().into_bytes();
        if let Some(old) = text.get_mut(at) {
            *old = byte;
        }
        let _ = found_in(&[text.clone()], &["d", "e"]);
        text.truncate(cut);
        let _ = found_in(&[text], &["d", "e"]);
    }
}
