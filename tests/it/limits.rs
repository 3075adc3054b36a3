//! Every limit can be set from the command line, and a hit is said with its name or its own code, and is never a pass.

use std::path::PathBuf;

use serde_json::Value;

use super::program::{self, Checked};
use super::recipe;

/// Limits that `demo.tar` does not reach with 0: the value and the recipe that does, and the code when it is one of its own.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("path-bytes", "1", "names_long", "path-too-long"),
    ("name-bytes", "1", "names_long", "name-too-long"),
    ("link-bytes", "0", "symlink_parent_same_layer", "path-too-long"),
    ("index-depth", "1", "index_chain_deep", "index-too-deep"),
    ("index-manifests", "0", "opq_first", "limit-exceeded"),
    ("attestation-bytes", "0", "index_with_attestation", "limit-exceeded"),
    ("tar-extension-bytes", "1", "uid_large", "tar-header-too-large"),
    ("tar-extensions", "0", "uid_large", "limit-exceeded"),
    ("zstd-window-bytes", "1", "zstd_frames", "limit-exceeded"),
    ("sparse-extents", "0", "sparse_pax_1_0", "limit-exceeded"),
    ("xattr-bytes", "0", "overlay_opaque_xattr", "limit-exceeded"),
    ("xattrs-bytes", "0", "overlay_opaque_xattr", "limit-exceeded"),
];

/// Limits that need more than a small image, or that are no error when they are hit, with the test that holds them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("xz-memory-bytes", "xz_memory_over_the_limit_is_a_limit_that_was_hit"),
    ("elf-head-bytes", "facts_beyond_the_head_are_read_when_they_come_later_and_told_when_not"),
    ("secret-file-bytes", "no error: small_texts_are_searched_for_everything_and_large_ones_for_keys"),
    ("linker-file-bytes", "a program that misses a library: a_cache_that_was_not_read_leaves_open_what_is_missing"),
    ("build-info-bytes", "no error: what_is_longer_than_the_limit_or_the_file_is_said_to_be_cut"),
    ("declared-bytes", "no error: a_file_over_the_limit_is_said_and_not_read"),
    ("components", "an image with two: more_components_than_the_limit_are_said_once"),
    ("package-relations", "packages that need others: too_many_requirements_are_not_examined_and_the_packages_stand"),
    ("linking-steps", "a dynamic program: too_many_names_are_a_limit_and_no_silence"),
    ("symlink-hops", "a longer chain is a dangling link, as for the kernel: tests of rootfs::resolve"),
    ("archive-kept-bytes", "streams only: streams.rs"),
    ("source-entries", "more than one image: the test below"),
    ("rule-bytes", "of a policy, not of an image: size_depth_and_nesting_are_limited"),
    ("rule-depth", "of a policy, not of an image: size_depth_and_nesting_are_limited"),
    ("rule-nesting", "of a policy, not of an image: size_depth_and_nesting_are_limited"),
    ("rule-steps", "rules only: the_steps_are_limited_and_nothing_makes_up_for_it"),
    ("dockerfile-bytes", "of a Dockerfile, not of an image: bytes_lines_and_their_lengths_are_limited"),
    ("dockerfile-stages", "of a Dockerfile, not of an image: a_dockerfile_of_very_many_stages_is_not_taken_apart"),
    ("dockerfiles", "of the folder of sources, not of an image: what_a_limit_cuts_off_is_said"),
    ("source-root-entries", "of the folder of sources, not of an image: what_a_limit_cuts_off_is_said"),
    ("source-root-depth", "of the folder of sources, not of an image: what_a_limit_cuts_off_is_said"),
    ("dockerfile-lines", "of a Dockerfile, not of an image: bytes_lines_and_their_lengths_are_limited"),
    ("dockerfile-line-bytes", "of a Dockerfile, not of an image: bytes_lines_and_their_lengths_are_limited"),
];

/// Whether the report says the limit or the code, as an error or as something not examined.
fn says(checked: &Checked, limit: &str, code: &str) -> bool {
    let report = &checked.report;
    let images = || report["images"].as_array().into_iter().flatten();
    let errors = report["errors"].as_array().into_iter().flatten().chain(images().flat_map(|image| items(&image["errors"])));
    let is_said = |error: &Value| error["limit"]["name"] == limit || (code != "limit-exceeded" && error["code"] == code);
    let unseen = || images().flat_map(|image| items(&image["examined"]["not_examined"]));
    let is_named = |item: &Value| item["reason"].as_str().is_some_and(|reason| reason.contains(limit));
    let mut errors = errors;
    errors.any(is_said) || unseen().any(is_named)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[test]
fn every_limit_that_is_hit_is_said_and_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/images/demo.tar");
    let mut wrong = Vec::new();
    for (limit, _, _) in plimsoll::limits::Limits::ALL {
        // those on registries are hit by the registries of `tests/it/registry/`
        if limit.starts_with("registry-") || ELSEWHERE.iter().any(|(name, _)| name == limit) {
            continue;
        }
        let row = ROWS.iter().find(|(name, ..)| name == limit);
        let (value, image, code) = match row {
            Some((_, value, name, code)) => {
                let image = folder.path().join(format!("{name}.tar"));
                std::fs::write(&image, recipe::oci_archive(&recipe::named(name))).unwrap();
                (*value, image, *code)
            }
            None => ("0", demo.clone(), "limit-exceeded"),
        };
        let checked = program::check(&image, &["--limit", &format!("{limit}={value}")]);
        if !says(&checked, limit, code) || checked.report["verdict"] == "pass" {
            wrong.push(format!("{limit}: exit {:?}, {:?}", checked.exit, checked.error_codes()));
        }
    }
    program::assert_none(&wrong);
}

#[test]
fn images_after_the_entries_of_all_are_used_up_are_unverifiable() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("two.tar");
    std::fs::write(&image, recipe::oci_archive(&recipe::named("index_two_same_platform"))).unwrap();
    let checked = program::check(&image, &["--limit", "source-entries=0"]);
    let verdicts: Vec<&Value> = checked.images().iter().map(|image| &image["verdict"]).collect();
    assert_eq!(verdicts.len(), 2);
    assert!(*verdicts[0] != "unverifiable" && *verdicts[1] == "unverifiable", "{verdicts:?}");
    assert!(says(&checked, "source-entries", "limit-exceeded"));
}

#[test]
fn what_streams_by_is_counted_before_anything_says_that_it_is_wanted() {
    let demo = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/images/demo.tar")).unwrap();
    let checked =
        program::checked(&program::run_with_stdin(&["check", "-", "--format", "json", "--limit", "source-entries=0"], &demo));
    assert!(says(&checked, "source-entries", "limit-exceeded"), "{}", checked.report);
    assert_eq!(checked.exit, Some(3));
    assert!(!checked.error_codes().contains("digest-mismatch"), "what was not read has no digest");
}
