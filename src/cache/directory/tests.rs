//! Cache folders: whose they are, what is in them, and how much.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use crate::cache::{Kind, opened, sealed};
use crate::limits::{GIB, KIB};

fn key(name: &str) -> Key {
    Key::new(Kind::Layer, name)
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn place(root: &Path, key: &Key) -> PathBuf {
    let (shard, name) = split(key);
    root.join(key.kind().as_str()).join(shard).join(name)
}

#[test]
fn what_is_put_is_found_by_another_process_that_opens_the_folder() {
    let root = folder();
    let path = root.path().join("a/b");
    Directory::open(&path, GIB).unwrap().put(&key("x"), b"entry").unwrap();
    let other = Directory::open(&path, GIB).unwrap();
    assert_eq!(other.get(&key("x")).unwrap().as_deref(), Some(&b"entry"[..]));
    assert_eq!(other.get(&key("y")).unwrap(), None);
    other.remove(&key("x"));
    assert_eq!(other.get(&key("x")).unwrap(), None);
}

#[test]
fn nobody_else_may_read_what_is_made() {
    let root = folder();
    let path = root.path().join("cache");
    Directory::open(&path, GIB).unwrap().put(&key("x"), b"entry").unwrap();
    let entry = place(&path, &key("x"));
    assert_eq!(mode(&entry), 0o600);
    for folder in entry.ancestors().skip(1).take(3) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    for bits in [0o770, 0o702, 0o777, 0o1777] {
        let root = folder();
        std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(bits)).unwrap();
        assert!(matches!(Directory::open(root.path(), GIB), Err(Refused::Distrusted(_))), "{bits:o}");
    }
    let root = folder();
    std::fs::set_permissions(root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Directory::open(root.path(), GIB).is_ok(), "reading is no harm");
}

#[test]
fn a_folder_of_another_user_is_refused() {
    // somebody's folder, whoever runs the test
    let root = folder();
    if std::os::unix::fs::chown(root.path(), Some(65_534), None).is_err() {
        let other = Path::new("/usr");
        assert!(matches!(Directory::open(other, GIB), Err(Refused::Distrusted(_))), "of root");
        return;
    }
    assert!(matches!(Directory::open(root.path(), GIB), Err(Refused::Distrusted("it belongs to another user"))));
}

#[test]
fn a_folder_inside_that_others_may_write_to_is_a_fault() {
    let root = folder();
    let directory = Directory::open(root.path(), GIB).unwrap();
    directory.put(&key("x"), b"entry").unwrap();
    let shard = place(root.path(), &key("x")).parent().unwrap().to_owned();
    std::fs::set_permissions(&shard, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(directory.get(&key("x")), Err(Fault::Distrusted { .. })));
    assert!(matches!(directory.put(&key("x"), b"entry"), Err(Fault::Distrusted { .. })));
}

#[test]
fn links_are_not_followed() {
    let (root, elsewhere) = (folder(), folder());
    let there = Directory::open(elsewhere.path(), GIB).unwrap();
    there.put(&key("x"), b"elsewhere").unwrap();
    // the folder itself
    let link = root.path().join("link");
    symlink(elsewhere.path(), &link).unwrap();
    assert!(matches!(Directory::open(&link, GIB), Err(Refused::Distrusted(_))));
    // a folder in it
    let directory = Directory::open(&root.path().join("cache"), GIB).unwrap();
    symlink(elsewhere.path().join("layers"), root.path().join("cache/layers")).unwrap();
    assert!(matches!(directory.get(&key("x")), Err(Fault::Distrusted { .. })));
    assert!(matches!(directory.put(&key("x"), b"here"), Err(Fault::Distrusted { .. })));
    // an entry
    std::fs::remove_file(root.path().join("cache/layers")).unwrap();
    let entry = place(&root.path().join("cache"), &key("x"));
    std::fs::create_dir_all(entry.parent().unwrap()).unwrap();
    for folder in entry.ancestors().skip(1).take(2) {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    symlink(place(elsewhere.path(), &key("x")), &entry).unwrap();
    assert_eq!(directory.get(&key("x")).unwrap(), None);
    assert!(entry.symlink_metadata().is_err(), "the link was removed");
    assert_eq!(there.get(&key("x")).unwrap().as_deref(), Some(&b"elsewhere"[..]), "and what it pointed to was not");
}

#[test]
fn what_is_no_file_is_no_entry_and_keeps_nobody_waiting() {
    let root = folder();
    let directory = Directory::open(root.path(), GIB).unwrap();
    directory.put(&key("x"), b"entry").unwrap();
    let entry = place(root.path(), &key("x"));
    std::fs::remove_file(&entry).unwrap();
    rustix::fs::mknodat(CWD, &entry, FileType::Fifo, ENTRY_MODE, 0).unwrap();
    assert_eq!(directory.get(&key("x")).unwrap(), None);
    assert!(!entry.exists());
    std::fs::create_dir(&entry).unwrap();
    assert_eq!(directory.get(&key("x")).unwrap(), None);
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_with_the_systems_words() {
    let root = folder();
    std::fs::write(root.path().join("file"), b"").unwrap();
    assert!(matches!(Directory::open(&root.path().join("file/cache"), GIB), Err(Refused::Unusable(_))));
    assert!(matches!(Directory::open(&root.path().join("file"), GIB), Err(Refused::Unusable(_) | Refused::Distrusted(_))));
}

#[test]
fn what_was_used_longest_ago_goes_first_when_the_room_is_full() {
    let root = folder();
    // every write is swept after, as each is more than a sixteenth of the room
    let directory = Directory::open(root.path(), 160 * KIB).unwrap();
    let entry = vec![1; 16_384];
    for number in 0..10 {
        directory.put(&key(&number.to_string()), &entry).unwrap();
        let file = File::options().write(true).open(place(root.path(), &key(&number.to_string()))).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000 + number)).unwrap();
    }
    assert!(directory.get(&key("0")).unwrap().is_some(), "the oldest is used once more");
    directory.put(&key("new"), &entry).unwrap();
    let is_there = |name: &str| directory.get(&key(name)).unwrap().is_some();
    assert!(is_there("0") && is_there("new") && is_there("9"));
    assert!(!is_there("1") && !is_there("2"));
    let bytes: u64 = directory.usage().iter().map(|(_, usage)| usage.bytes).sum();
    assert!(bytes <= 160 * KIB, "{bytes}");
}

#[test]
fn an_entry_that_would_push_out_all_else_is_not_kept() {
    let root = folder();
    let directory = Directory::open(root.path(), 100).unwrap();
    directory.put(&key("x"), &[0; 26]).unwrap();
    assert_eq!(directory.get(&key("x")).unwrap(), None);
}

#[test]
fn what_killed_processes_left_is_swept_and_what_is_not_ours_is_not() {
    let root = folder();
    let open = || Directory::open(root.path(), GIB).unwrap();
    open().put(&key("x"), b"entry").unwrap();
    let shard = place(root.path(), &key("x")).parent().unwrap().to_owned();
    let names = [".new-0123456789abcdef-old", ".new-fresh", "notes.txt"];
    for name in names {
        std::fs::write(shard.join(name), b"half").unwrap();
    }
    let file = File::options().write(true).open(shard.join(names[0])).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_hours(2)).unwrap();
    open().put(&key("x"), b"entry").unwrap();
    assert_eq!(names.map(|name| shard.join(name).exists()), [false, true, true]);
    let removed = open().clear();
    assert_eq!(removed.entries, 1);
    assert_eq!(names.map(|name| shard.join(name).exists()), [false, false, true]);
}

#[test]
fn usage_counts_entries_by_kind() {
    let root = folder();
    let directory = Directory::open(root.path(), GIB).unwrap();
    directory.put(&key("x"), b"entry").unwrap();
    directory.put(&key("y"), &[0; 5_000]).unwrap();
    directory.put(&Key::new(Kind::Verdict, "x"), b"entry").unwrap();
    let usage = |entries, bytes| Usage { entries, bytes };
    assert_eq!(
        directory.usage(),
        [(Kind::Layer, usage(2, 12 * KIB)), (Kind::Bodies, usage(0, 0)), (Kind::Verdict, usage(1, 4 * KIB))]
    );
}

#[test]
fn a_full_disk_is_a_fault_and_leaves_nothing_behind() {
    // /dev/full cannot stand in for a folder; a limit on the size of files can, but not in this process: see tests/it/cache.rs
    let root = folder();
    let directory = Directory::open(root.path(), GIB).unwrap();
    directory.put(&key("x"), b"entry").unwrap();
    let entry = place(root.path(), &key("x"));
    std::fs::remove_file(&entry).unwrap();
    std::fs::create_dir(&entry).unwrap();
    assert!(matches!(directory.put(&key("x"), b"entry"), Err(Fault::Io { what: "naming an entry", .. })));
    let left = std::fs::read_dir(entry.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "the folder that stands in the way");
}

#[test]
fn many_writers_and_readers_never_see_half_of_an_entry() {
    let root = folder();
    let values: Vec<Vec<u8>> = (0..4_u8).map(|number| vec![number; 262_144]).collect();
    std::thread::scope(|scope| {
        for value in &values {
            let root = root.path();
            scope.spawn(move || {
                let directory = Directory::open(root, GIB).unwrap();
                let entry = sealed(&key("x"), value).unwrap();
                for _ in 0..30 {
                    directory.put(&key("x"), &entry).unwrap();
                    let found = directory.get(&key("x")).unwrap().unwrap();
                    let value = opened(&key("x"), &found).expect("an entry is whole");
                    assert!(value.iter().all(|byte| *byte == value[0]));
                }
            });
        }
    });
}
