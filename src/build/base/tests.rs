//! Known bases.

use super::*;

pub(super) fn diff_id(number: u8) -> DiffId {
    format!("sha256:{}", format!("{number:02x}").repeat(32)).parse().unwrap()
}

pub(super) fn diff_ids(numbers: &[u8]) -> Vec<DiffId> {
    numbers.iter().copied().map(diff_id).collect()
}

fn known(name: &str, layers: &[u8], told_by: ToldBy) -> Known {
    Known { name: name.to_owned(), diff_ids: diff_ids(layers).iter().map(ToString::to_string).collect(), told_by }
}

fn found(known: &[Known], layers: &[u8]) -> Option<Base> {
    find(known, &Making { diff_ids: &diff_ids(layers), layer_digests: &[], history: &[], provenance: &[] })
}

#[test]
fn the_longest_known_image_whose_layers_come_first_is_the_base() {
    let all = [
        known("debian", &[1], ToldBy::Policy),
        known("python", &[1, 2], ToldBy::Policy),
        known("node", &[1, 3, 4], ToldBy::Given),
        known("empty", &[], ToldBy::Given),
        known("later", &[2, 3], ToldBy::Given),
    ];
    let base = found(&all, &[1, 2, 3]).unwrap();
    assert_eq!((base.name.as_deref(), base.layers), (Some("python"), 2));
    assert_eq!((base.told_by, base.confidence), (ToldBy::Policy, Confidence::Certain));
    assert_eq!(base.reason, "the image's first 2 diff_ids are those of this base image");
    assert_eq!(found(&all, &[1, 3]).unwrap().name.as_deref(), Some("debian"));
    assert_eq!(found(&all, &[5, 1]), None);
    assert_eq!(found(&all, &[]), None);
}

#[test]
fn of_equal_ones_the_given_comes_before_the_policys_and_the_first_before_the_next() {
    let all = [known("a", &[1], ToldBy::Policy), known("b", &[1], ToldBy::Given), known("c", &[1], ToldBy::Given)];
    let base = found(&all, &[1, 2]).unwrap();
    assert_eq!((base.name.as_deref(), base.told_by), (Some("b"), ToldBy::Given));
    assert_eq!(found(&[known("long", &[1, 2], ToldBy::Policy), known("short", &[1], ToldBy::Given)], &[1, 2]).unwrap().layers, 2);
}

#[test]
fn an_image_that_is_the_base_has_inherited_all() {
    let base = found(&[known("a", &[1, 2], ToldBy::Given)], &[1, 2]).unwrap();
    assert_eq!(base.layers, 2);
}

#[test]
fn one_layer_more_or_another_one_is_another_image() {
    let all = [known("a", &[1, 2, 3], ToldBy::Given)];
    assert_eq!(found(&all, &[1, 2]), None);
    assert_eq!(found(&all, &[1, 2, 4]), None);
}
