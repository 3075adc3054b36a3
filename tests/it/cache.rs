//! With a cold cache, with a warm one and with none, every report is the same; whatever befalls the cache.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use plimsoll::cache::{Directory, Kind, Layers, Tiers};
use plimsoll::policy::Policy;
use plimsoll::report::json;
use plimsoll::source;
use plimsoll::verify::{Progress, Request, verify};

use crate::{program, recipe, robustness};

const ROOM: u64 = 1 << 30;

/// A cache in this folder, with nothing in memory.
fn cache_in(folder: &Path) -> Layers {
    Layers::new(0, Tiers::new(vec![Box::new(Directory::open(folder, ROOM).unwrap())]))
}

fn report(input: &Path, cache: &Layers) -> String {
    let source = source::Request { input: input.to_path_buf(), ..source::Request::default() };
    let policy = Policy::shipped("default").unwrap();
    let request = Request { source, policy, cache: cache.clone(), ..Request::default() };
    let mut text = Vec::new();
    json::write(&verify(&request, &Progress::default()), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Files and folders that may be images, at any depth; what is inside a layout is left to it.
fn images_below(folder: &Path) -> Vec<PathBuf> {
    let mut images = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_layout = path.join("index.json").exists() || path.join("oci-layout").exists() || path.join("blobs").exists();
            if path.is_dir() && !is_layout {
                folders.push(path);
            } else if path.is_dir() || path.to_string_lossy().contains(".tar") {
                images.push(path);
            }
        }
    }
    images.sort();
    images
}

/// What differs between the reports without a cache, with a cold one and with a warm one, for every image; one cache for all.
fn differences(images: &[PathBuf], folder: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let (none, memory) = (Layers::default(), Layers::new(ROOM, Tiers::default()));
    for image in images {
        let fresh = report(image, &none);
        for (name, cache) in
            [("cold", &cache_in(folder)), ("warm", &cache_in(folder)), ("memory, cold", &memory), ("memory, warm", &memory)]
        {
            if report(image, cache) != fresh {
                wrong.push(format!("{}: {name}", image.display()));
            }
        }
    }
    wrong
}

#[test]
fn every_recipe_gives_one_report_whatever_the_cache() {
    let (scratch, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut images = Vec::new();
    for (number, recipe) in recipe::all().iter().enumerate() {
        let folder = scratch.path().join(number.to_string());
        std::fs::create_dir(&folder).unwrap();
        images.extend(recipe::write(recipe, &folder));
    }
    assert!(images.len() > 100);
    program::assert_none(&differences(&images, cache.path()));
}

#[test]
fn every_shared_image_gives_one_report_whatever_the_cache() {
    let Some(shared) = program::shared_images() else { return };
    let cache = tempfile::tempdir().unwrap();
    let images = images_below(&shared.join("small"));
    program::assert_none(&differences(&images, cache.path()));
    let usage = Directory::open(cache.path(), ROOM).unwrap().usage();
    eprintln!("{} images, {usage:?}", images.len());
    // and a warm cache does serve
    let warm = cache_in(cache.path());
    for image in &images {
        report(image, &warm);
    }
    let counts = warm.tiers().counts()[0].1;
    assert!(counts.hits > 50 && counts.spoilt == 0 && counts.faults == 0, "{counts:?}");
}

#[test]
fn damaged_images_are_judged_the_same_beside_the_facts_of_the_sound_ones() {
    let (scratch, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = scratch.path().join("image.tar");
    let mut numbers = robustness::Numbers(0x5eed_0f91_3502);
    let cache = cache_in(cache.path());
    for name in ["opq_first", "gzip_members", "user_and_group"] {
        let recipe = recipe::named(name);
        for sound in [recipe::oci_archive(&recipe), recipe::docker_archive(&recipe)] {
            std::fs::write(&image, &sound).unwrap();
            report(&image, &cache);
            for run in 0..60 {
                std::fs::write(&image, robustness::damage(&sound, &mut numbers)).unwrap();
                assert_eq!(report(&image, &cache), report(&image, &Layers::default()), "{name}, run {run}");
            }
        }
    }
}

#[test]
fn spoilt_entries_are_misses_and_are_replaced() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(scratch.path());
    let fresh = report(&image, &cache_in(folder.path()));
    let entries = files_below(folder.path());
    assert!(!entries.is_empty());
    let spoilt = |name: &str, entry: Vec<u8>| match name {
        "empty" => Vec::new(),
        "cut" => entry[..entry.len() / 2].to_vec(),
        "inverted" => entry.iter().map(|byte| !byte).collect(),
        "twice" => entry.repeat(2),
        _ => vec![0; 100_000],
    };
    for name in ["empty", "cut", "inverted", "twice", "zeros"] {
        for entry in &entries {
            std::fs::write(entry, spoilt(name, std::fs::read(entry).unwrap())).unwrap();
        }
        let cache = cache_in(folder.path());
        assert_eq!(report(&image, &cache), fresh);
        assert!(cache.tiers().counts()[0].1.spoilt > 0, "{name}");
        let cache = cache_in(folder.path());
        assert_eq!(report(&image, &cache), fresh);
        let counts = cache.tiers().counts()[0].1;
        assert!(counts.spoilt == 0 && counts.hits > 0, "{counts:?}");
    }
}

/// An image without faults, of one layer.
fn sound_image(folder: &Path) -> PathBuf {
    let image = folder.join("image.tar");
    std::fs::write(&image, recipe::oci_archive(&recipe::named("user_and_group"))).unwrap();
    image
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// `plimsoll check IMAGE --format json` with a cache in `folder`.
fn checking(image: &Path, folder: &Path) -> Command {
    let mut command = program::command(&["check", image.to_str().unwrap(), "--format", "json"]);
    command.env_remove("PLIMSOLL_NO_CACHE").env("PLIMSOLL_CACHE_DIR", folder).stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn assert_same(one: &Output, other: &Output) {
    assert_eq!(one.status.code(), other.status.code(), "{} {}", stderr(one), stderr(other));
    assert!(one.stdout == other.stdout && !one.stdout.is_empty());
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn many_processes_share_a_folder() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(scratch.path());
    for round in 0..3 {
        let children: Vec<Child> = (0..6).map(|_| checking(&image, folder.path()).spawn().unwrap()).collect();
        let outputs: Vec<Output> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        assert!(outputs.iter().all(|output| output.stdout == outputs[0].stdout && output.stderr.is_empty()), "round {round}");
    }
    assert!(files_below(folder.path()).iter().all(|file| !file.to_string_lossy().contains(".new-")));
    let cache = cache_in(folder.path());
    report(&image, &cache);
    let counts = cache.tiers().counts()[0].1;
    assert!(counts.hits > 0 && counts.spoilt == 0 && counts.misses == 0, "{counts:?}");
}

#[test]
fn processes_that_are_killed_leave_nothing_that_is_served() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(scratch.path());
    let fresh = report(&image, &Layers::default());
    for run in 0..20 {
        let mut child = checking(&image, folder.path()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(run * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        let cache = cache_in(folder.path());
        assert_eq!(report(&image, &cache), fresh);
        assert_eq!(cache.tiers().counts()[0].1.spoilt, 0);
    }
}

#[test]
fn a_disk_without_room_costs_a_warning_and_nothing_else() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(scratch.path());
    let usual = program::run(&["check", image.to_str().unwrap(), "--format", "json"]);
    let mut command = Command::new("sh");
    // no file may grow, and the signal that says so is ignored
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_plimsoll")]);
    command.args(["check", image.to_str().unwrap(), "--format", "json", "--cache-dir", folder.path().to_str().unwrap()]);
    let output = command.output().unwrap();
    assert_same(&output, &usual);
    let warnings = stderr(&output);
    assert!(warnings.starts_with("warning: the cache folder is not used for now: writing an entry: "), "{warnings}");
    assert_eq!(warnings.lines().count(), 1, "{warnings}");
    assert!(files_below(folder.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_trusted_is_not_used() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(scratch.path());
    let usual = program::run(&["check", image.to_str().unwrap(), "--format", "json"]);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let output = checking(&image, folder.path()).output().unwrap();
    assert_same(&output, &usual);
    assert!(stderr(&output).contains("others may write to it") && stderr(&output).contains("--cache-dir"), "{}", stderr(&output));
    assert!(files_below(folder.path()).is_empty());
    let quiet = checking(&image, folder.path()).arg("--quiet").output().unwrap();
    assert!(quiet.stderr.is_empty());
}

#[test]
fn a_home_that_cannot_be_written_to_is_no_matter() {
    let scratch = tempfile::tempdir().unwrap();
    let image = sound_image(scratch.path());
    std::fs::write(scratch.path().join("home"), b"no folder").unwrap();
    for home in [Some(scratch.path().join("home")), Some("relative".into()), None] {
        let mut command = checking(&image, Path::new(""));
        command.env_remove("XDG_CACHE_HOME").env_remove("HOME");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        let output = command.output().unwrap();
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{}", stderr(&output));
    }
}

#[test]
fn the_folder_is_the_one_asked_for_or_that_of_the_desktop() {
    let (scratch, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(image.path());
    let run = |more: &[&str], variables: &[(&str, &str)]| {
        let mut command = program::command(&[&["check", image.to_str().unwrap()], more].concat());
        command.env_remove("PLIMSOLL_NO_CACHE").env_remove("PLIMSOLL_CACHE_DIR").env_remove("XDG_CACHE_HOME");
        command.env("HOME", scratch.path().join("home"));
        for (name, folder) in variables {
            command.env(name, scratch.path().join(folder));
        }
        assert!(command.output().unwrap().stderr.is_empty());
    };
    let has = |folder: &str| {
        let folder = scratch.path().join(folder);
        folder.is_dir() && !files_below(&folder).is_empty()
    };
    run(&["--no-cache"], &[]);
    assert!(!has("home"));
    run(&[], &[]);
    assert!(has("home/.cache/plimsoll/layers"));
    run(&[], &[("XDG_CACHE_HOME", "xdg")]);
    assert!(has("xdg/plimsoll/layers"));
    run(&[], &[("XDG_CACHE_HOME", "xdg2"), ("PLIMSOLL_CACHE_DIR", "named")]);
    assert!(has("named/layers") && !has("xdg2"));
    let given = scratch.path().join("given");
    run(&["--cache-dir", given.to_str().unwrap()], &[("PLIMSOLL_CACHE_DIR", "named2")]);
    assert!(has("given/layers") && !has("named2"));
}

#[test]
fn the_cache_can_be_found_counted_and_emptied() {
    let (scratch, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = sound_image(scratch.path());
    checking(&image, folder.path()).output().unwrap();
    let run = |command: &str| {
        let output = program::run(&["cache", command, "--cache-dir", folder.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run("dir").trim_end(), folder.path().to_str().unwrap());
    assert!(run("stat").starts_with("layers           1 entries"), "{}", run("stat"));
    assert!(run("clear").starts_with("removed 1 entries"));
    assert!(run("stat").starts_with("layers           0 entries"));
    assert_eq!(
        Directory::open(folder.path(), ROOM).unwrap().usage().iter().find(|(kind, _)| *kind == Kind::Layer).unwrap().1.entries,
        0
    );
}
