//! Graphs of small sets of packages, and of any.

use proptest::prelude::*;

use super::super::relations::Writer;
use super::*;

/// `NAME requires provides`, the lists separated by commas.
fn package(text: &str) -> Package {
    let mut fields = text.split(' ');
    let mut next = || fields.next().unwrap_or_default();
    let relations = |text: &str| {
        let mut writer = Writer::default();
        for requirement in text.split(',') {
            requirement.split('|').for_each(|name| writer.alternative(name, None));
            writer.end();
        }
        writer.finish()
    };
    let name = next().to_owned();
    Package { name, requires: relations(next()), provides: relations(next()), ..Package::default() }
}

fn list(texts: &[&str]) -> Vec<Package> {
    texts.iter().map(|text| package(text)).collect()
}

fn graph(list: &[Package]) -> Graph {
    Graph::of(list, &Limits::default(), |path| (path == "/bin/sh").then_some(0)).unwrap()
}

#[test]
fn names_come_before_what_is_provided_and_files_come_last() {
    let graph = graph(&list(&["sh", "a b,/bin/sh,gone", "b c", "x  c", "y  c,b", "z b|x,z"]));
    assert_eq!(graph.needs(1), [0, 2]);
    assert_eq!(graph.needs(2), [3, 4]);
    assert_eq!(graph.needs(5), [2, 3]);
    assert_eq!(graph.needed_by(2), [1, 5]);
    assert_eq!((graph.needs(9), graph.needed_by(9)), (&[][..], &[][..]));
}

#[test]
fn libraries_of_two_architectures_are_told_apart() {
    let mut packages = list(&["libc", "libc", "app libc", "data libc"]);
    for (package, architecture) in packages.iter_mut().zip(["amd64", "i386", "i386", "all"]) {
        architecture.clone_into(&mut package.architecture);
    }
    let graph = graph(&packages);
    assert_eq!(graph.needs(2), [1]);
    assert_eq!(graph.needs(3), [0, 1]);
}

#[test]
fn closures_go_through_cycles() {
    let graph = graph(&list(&["a b", "b c", "c a", "d a", "e"]));
    assert_eq!(graph.closure([0]), [0, 1, 2]);
    assert_eq!(graph.closure([3]), [0, 1, 2, 3]);
    assert_eq!(graph.closure([]), [0_usize; 0]);
}

#[test]
fn chains_lead_up_to_what_was_asked_for_the_shortest_first() {
    let mut packages = list(&["app lib,mid", "mid lib", "tool mid", "lib", "gcc lib"]);
    for (package, asked) in packages.iter_mut().zip([true, false, true, false, false]) {
        package.asked_for = Some(asked);
    }
    let graph = graph(&packages);
    assert_eq!(graph.chains(3, 9), [vec![3, 0], vec![3, 1, 2]]);
    assert_eq!(graph.chains(3, 1), [vec![3, 0]]);
    assert!(graph.chains(0, 9).is_empty() && graph.chains(4, 9).is_empty());
}

#[test]
fn what_nothing_requires_stands_for_itself_when_nobody_remembers() {
    let graph = graph(&list(&["app lib", "lib"]));
    assert!(graph.is_root(0) && !graph.is_root(1));
    assert_eq!(graph.chains(1, 9), [vec![1, 0]]);
}

#[test]
fn orphans_are_needed_by_nothing_that_stays() {
    let mut packages = list(&["app lib,own,base", "tool lib", "lib", "own deep", "deep own", "base"]);
    packages[5].is_base = true;
    let graph = graph(&packages);
    assert_eq!(graph.orphans(&[0]), [3, 4]);
    assert_eq!(graph.orphans(&[0, 1]), [2, 3, 4]);
    assert!(graph.orphans(&[5]).is_empty());
}

#[test]
fn a_limit_is_an_error() {
    let limits = Limits { package_relations: 3, ..Limits::default() };
    // two providers and two that require them: quadratic, were it not bounded
    let packages = list(&["a  v", "b  v", "c v", "d v"]);
    let hit = Graph::of(&packages, &limits, |_| None).unwrap_err();
    assert_eq!(hit.name, "package-relations");
}

fn any_packages() -> impl Strategy<Value = Vec<Package>> {
    let relations = prop::collection::vec("[a-h]", 0..4).prop_map(|names| names.join(","));
    let one = ("[a-h]", relations.clone(), relations, any::<Option<bool>>(), any::<bool>());
    let one = one.prop_map(|(name, requires, provides, asked_for, is_base)| Package {
        asked_for,
        is_base,
        ..package(&format!("{name} {requires} {provides}"))
    });
    prop::collection::vec(one, 0..12)
}

proptest! {
    #[test]
    fn both_directions_are_one(packages in any_packages()) {
        let graph = graph(&packages);
        for from in 0..packages.len() {
            for to in 0..packages.len() {
                prop_assert_eq!(graph.needs(from).contains(&to), graph.needed_by(to).contains(&from));
            }
            prop_assert!(!graph.needs(from).contains(&from));
        }
    }

    #[test]
    fn a_closure_is_closed_and_holds_no_more_than_it_must(packages in any_packages(), start in 0_usize..12) {
        let graph = graph(&packages);
        let closure = graph.closure([start]);
        for package in &closure {
            prop_assert!(graph.needs(*package).iter().all(|needed| closure.contains(needed)));
            prop_assert!(*package == start || graph.needed_by(*package).iter().any(|needer| closure.contains(needer)));
        }
        prop_assert_eq!(closure.contains(&start), start < packages.len());
    }

    #[test]
    fn chains_are_ways_to_different_roots(packages in any_packages(), start in 0_usize..12) {
        let graph = graph(&packages);
        let chains = graph.chains(start, 99);
        let mut roots: Vec<_> = chains.iter().filter_map(|chain| chain.last()).collect();
        for chain in &chains {
            prop_assert_eq!(chain[0], start);
            prop_assert!(chain.windows(2).all(|pair| graph.needed_by(pair[0]).contains(&pair[1])));
            let (root, way) = chain.split_last().unwrap();
            prop_assert!(graph.is_root(*root) && way.iter().all(|package| !graph.is_root(*package)));
        }
        let count = roots.len();
        roots.sort_unstable();
        roots.dedup();
        prop_assert_eq!(roots.len(), count);
    }

    #[test]
    fn orphans_are_below_what_goes_and_nothing_that_stays_requires_them(packages in any_packages(), gone: Vec<u8>) {
        let graph = graph(&packages);
        let gone: Vec<usize> = gone.into_iter().map(usize::from).filter(|gone| *gone < packages.len()).collect();
        let orphans = graph.orphans(&gone);
        for orphan in &orphans {
            prop_assert!(!graph.is_root(*orphan) && !gone.contains(orphan));
            for needer in graph.needed_by(*orphan) {
                prop_assert!(gone.contains(needer) || orphans.contains(needer));
            }
        }
    }
}
