//! The parts of a final filesystem add up, are few, and are the same from run to run.

use super::parts::MOST_PARTS;
use super::tests::Sketch;
use super::*;
use crate::rootfs::InodeKind;

/// Path, class, bytes and files of every part.
fn parts(sketch: &mut Sketch) -> Vec<(String, &'static str, u64, u64)> {
    let (image, ballast) = sketch.ballast();
    let parts = ballast.parts(&image);
    assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), ballast.final_bytes(), "the parts add up");
    assert!(parts.len() <= MOST_PARTS, "{} parts", parts.len());
    assert!(parts.is_sorted(), "by path and class");
    assert_eq!(parts, ballast.parts(&image));
    let shown =
        |part: FilesystemPart| (String::from_utf8_lossy(&part.path).into_owned(), part.class.as_str(), part.bytes, part.files);
    parts.into_iter().map(shown).collect()
}

fn of<'p>(parts: &'p [(String, &'static str, u64, u64)], path: &str) -> Vec<(&'p str, u64, u64)> {
    parts.iter().filter(|part| part.0 == path).map(|part| (part.1, part.2, part.3)).collect()
}

#[test]
fn heavy_files_stand_alone_and_light_ones_go_to_the_nearest_folder_that_is_heavy_enough() {
    let mut sketch = Sketch::default();
    sketch.file("/srv/model.bin", 1_000_000).file("/usr/share/doc/a/b/c", 5).file("/usr/share/doc/a/d", 7);
    for number in 0..100 {
        sketch.file(&format!("/srv/app/{number}"), 100);
        sketch.file(&format!("/srv/app/deep/{number}"), 1);
    }
    let parts = parts(&mut sketch);
    assert_eq!(of(&parts, "/srv/model.bin"), [("application", 1_000_000, 1)]);
    assert_eq!(of(&parts, "/srv/app/"), [("application", 10_100, 200)]);
    assert_eq!(of(&parts, "/"), [("documentation", 12, 2)], "what is too light everywhere is the root's");
    assert_eq!(parts.len(), 3);
}

#[test]
fn files_of_two_classes_in_one_folder_are_two_parts() {
    let mut sketch = Sketch::of(&["/usr/share/doc/x/copyright", "/srv/x"]);
    sketch.file("/srv/gcc", 10).finding("compiler", "/srv/gcc");
    let found = parts(&mut sketch);
    assert_eq!(found.iter().map(|part| part.2).sum::<u64>(), 30);
    assert_eq!(of(&found, "/srv/gcc"), [("toolchain", 10, 1)]);
}

#[test]
fn a_file_with_several_names_counts_once_and_at_the_first() {
    let mut sketch = Sketch::of(&["/z/first"]);
    sketch.hard_link("/a/second", "/z/first").hard_link("/m/third", "/z/first");
    assert_eq!(parts(&mut sketch), [("/a/second".to_owned(), "application", 10, 1)]);
}

#[test]
fn names_are_bytes_and_stay_as_they_are() {
    let mut sketch = Sketch::default();
    sketch.rootfs.insert(b"/srv/\xff<b>\x1b[2J", Inode::new(InodeKind::File { size: 9 }, 0o644, 3));
    let (image, ballast) = sketch.ballast();
    let parts = ballast.parts(&image);
    assert_eq!((parts[0].path.as_slice(), parts[0].layer), (b"/srv/\xff<b>\x1b[2J".as_slice(), 3));
}

#[test]
fn a_folder_is_of_the_layer_that_wrote_most_of_it() {
    let mut sketch = Sketch::default();
    sketch.file("/srv/huge", 10_000_000);
    for (name, size, layer) in [("a", 600, 1), ("b", 500, 2), ("c", 6_000, 5), ("d", 200, 2)] {
        let path = format!("/srv/app/{name}");
        sketch.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::File { size }, 0o644, layer));
    }
    let (image, ballast) = sketch.ballast();
    let layer =
        |path: &[u8]| ballast.parts(&image).into_iter().find(|part| part.path == path).map(|part| (part.layer, part.bytes));
    assert_eq!(layer(b"/srv/app/"), Some((5, 7_300)));
}

#[test]
fn an_image_without_files_has_no_parts_and_empty_files_have_no_weight() {
    assert_eq!(parts(&mut Sketch::default()), []);
    assert_eq!(parts(Sketch::default().file("/srv/empty", 0)), [("/".to_owned(), "application", 0, 1)]);
}

#[test]
fn however_many_files_and_folders_there_are_the_parts_are_few() {
    let mut sketch = Sketch::default();
    for number in 0..20_000_u64 {
        sketch.file(&format!("/srv/{}/{}/{number}", number % 300, number % 7), 1 + number % 13);
    }
    assert!(parts(&mut sketch).len() > 100);
    let mut sketch = Sketch::default();
    for number in 0..3_000 {
        sketch.file(&format!("/srv/{number}"), 1 << 40);
    }
    assert_eq!(of(&parts(&mut sketch), "/srv/"), [("application", 3_000 << 40, 3_000)]);
}

proptest::proptest! {
    #[test]
    fn the_parts_of_any_tree_add_up(files in proptest::collection::vec(("(/[a-c]{1,2}){1,5}", 0_u64..5_000), 0..60)) {
        let mut sketch = Sketch::default();
        for (path, size) in &files {
            sketch.file(&format!("{path}.f"), *size);
        }
        parts(&mut sketch);
    }
}
