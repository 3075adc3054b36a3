//! `plimsoll cat`: the bytes that come out are those that went in, from every container, and nothing else comes out.

use std::path::{Path, PathBuf};

use sha2::Digest as _;

use crate::program::{self, assert_none, run, run_with_stdin};
use crate::recipe;

/// What `cat` says: exit code, standard output, standard error.
fn cat(image: &Path, more: &[&str]) -> (Option<i32>, Vec<u8>, String) {
    let output = run(&[&["cat", image.to_str().unwrap()], more].concat());
    (output.status.code(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

/// Two versions of one file, links of both kinds, a loop, a device, control characters, and what is deleted.
const SHOP: &str = r#"
about = "one"
containers = ["oci", "docker"]

[[layer]]
entries = [
    { dir = "etc" },
    { file = "etc/motd", text = "old\n" },
    { file = "etc/gone", text = "still shipped" },
    { file = "bin/tool", text = '\x1b[2J\x00\xff{A*70000}' },
    { hardlink = "bin/again", to = "bin/tool" },
    { symlink = "tool", to = "../../bin/again" },
    { symlink = "loop", to = "loop" },
    { symlink = "out", to = "../../../../../../etc/hostname-of-the-host" },
    { file = "empty", text = "" },
]

[[layer]]
entries = [{ file = "etc/motd", text = "new\n" }, { file = "etc/.wh.gone", text = "" }]

[expect]
verdict = "accept"
codes = []
tree = ""
"#;

fn shop(folder: &Path) -> Vec<PathBuf> {
    recipe::write(&recipe::of_text(SHOP), folder)
}

fn tool() -> Vec<u8> {
    [&b"\x1b[2J\0\xff"[..], &vec![b'A'; 70_000]].concat()
}

#[test]
fn bytes_come_out_of_every_container_as_they_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let containers = shop(folder.path());
    assert_eq!(containers.len(), 3);
    for image in containers {
        for (path, expected) in [
            ("/etc/motd", b"new\n".to_vec()),
            ("etc/motd", b"new\n".to_vec()),
            ("/bin/tool", tool()),
            ("/bin/again", tool()),
            ("/tool", tool()),
            ("/empty", Vec::new()),
        ] {
            assert_eq!(cat(&image, &[path]), (Some(0), expected, String::new()), "{} {path}", image.display());
        }
    }
}

#[test]
fn a_layer_gives_the_version_that_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let image = &shop(folder.path())[0];
    assert_eq!(cat(image, &["/etc/motd", "--layer", "0"]).1, b"old\n");
    assert_eq!(cat(image, &["/etc/motd", "--layer", "1"]).1, b"new\n");
    assert_eq!(cat(image, &["/etc/gone", "--layer", "0"]).1, b"still shipped");
    for (arguments, expected) in [
        (
            &["/etc/gone"][..],
            "error: the final filesystem has no /etc/gone; layer 0 shipped one: add --layer 0 for that version\n",
        ),
        (&["/etc/gone", "--layer", "1"], "error: as of layer 1, there is no /etc/gone; layer 0 shipped one\n"),
        (
            &["/bin/tool", "--layer", "1"],
            "error: layer 1 did not write /bin/tool; as of then it is that of layer 0: use --layer 0\n",
        ),
        (&["/etc/motd", "--layer", "2"], "error: there is no layer 2: the layers are 0 (the base) to 1\n"),
    ] {
        assert_eq!(cat(image, arguments), (Some(2), Vec::new(), expected.to_owned()), "{arguments:?}");
    }
}

#[test]
fn what_is_no_file_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let image = &shop(folder.path())[0];
    for (path, expected) in [
        ("/etc/mtod", "there is no /etc/mtod; did you mean /etc/motd?"),
        ("/etc", "/etc is a folder: plimsoll ls IMAGE '/etc/**' lists what is in it"),
        ("/loop", "/loop leads through more links than a kernel follows"),
        ("/out", "/out leads nowhere: /out is a link to ../../../../../../etc/hostname-of-the-host, and that is not there"),
        ("/etc/motd/x", "/etc/motd/x cannot be: a name on the way to it is no folder"),
        ("/zzz", "there is no /zzz; plimsoll ls lists what there is"),
    ] {
        assert_eq!(cat(image, &[path]), (Some(2), Vec::new(), format!("error: {expected}\n")), "{path}");
    }
}

#[test]
fn a_stream_gives_what_is_asked_for_by_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    for image in shop(folder.path()).into_iter().filter(|image| image.is_file()) {
        let bytes = std::fs::read(&image).unwrap();
        for (path, expected) in [("/etc/motd", b"new\n".to_vec()), ("/bin/tool", tool())] {
            let output = run_with_stdin(&["cat", "-", path], &bytes);
            assert_eq!((output.status.code(), output.stdout), (Some(0), expected), "{path}");
        }
    }
}

/// A layer that is too large to be kept whole as a stream passes.
#[test]
fn of_a_stream_what_was_not_kept_is_said_to_be_gone() {
    let folder = tempfile::tempdir().unwrap();
    let text = SHOP.replace("containers = [\"oci\", \"docker\"]", "containers = [\"docker\"]");
    let image = &recipe::write(&recipe::of_text(&text), folder.path())[0];
    let bytes = std::fs::read(image).unwrap();
    let said = |arguments: &[&str]| {
        let output = run_with_stdin(arguments, &bytes);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for asked in ["/bin/again", "/x/tool"] {
        let (code, reason) = said(&["cat", "-", asked]);
        assert_eq!(code, Some(if asked == "/x/tool" { 2 } else { 3 }));
        let gone = "error: /bin/again leads to /bin/tool, and its layer has streamed by: ask for /bin/tool, or write the image";
        assert!(asked == "/x/tool" || reason.starts_with(gone), "{reason}");
    }
    let (code, reason) = said(&["cat", "-", "/bin/tool", "--limit", "kept-bytes=60000"]);
    assert!(code == Some(3) && reason.contains("is too large to be kept"), "{reason}");
}

#[test]
fn a_layer_that_is_cut_gives_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["gzip_truncated", "truncated_body", "layer_digest_wrong"] {
        for image in recipe::write(&recipe::named(name), &folder.path().join(name)) {
            let (code, out, reason) = cat(&image, &["/a"]);
            assert_eq!((code, out.len()), (Some(3), 0), "{} {reason}", image.display());
            assert!(reason.contains("error"), "{reason}");
        }
    }
}

/// The docker archive of a layer with these entries.
fn archive(folder: &Path, entries: &str) -> PathBuf {
    let text = format!(
        "about = \"x\"\ncontainers = [\"docker\"]\n[[layer]]\nentries = [{entries}]\n[expect]\nverdict = \"accept\"\ncodes = []\ntree = \"\"\n"
    );
    recipe::write(&recipe::of_text(&text), folder).remove(0)
}

#[test]
fn a_hundred_thousand_names_of_one_file_are_one_body() {
    let folder = tempfile::tempdir().unwrap();
    let links: Vec<String> = (0..100_000).map(|number| format!("{{ hardlink = \"d/{number}\", to = \"f\" }}")).collect();
    let entries = format!("{{ file = \"f\", text = \"body\" }}, {}", links.join(", "));
    let image = archive(folder.path(), &entries);
    assert_eq!(cat(&image, &["/d/99999"]).1, b"body");
    let output = run(&["why", image.to_str().unwrap(), "/d/99999"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("and 99,992 more names of the same file"), "{said}");
    assert!(said.contains("the file alone frees 0 B; the file stays under its other names"), "{said}");
}

#[test]
fn every_file_of_a_small_image_is_what_other_tools_say() {
    let Some(shared) = program::shared_images() else { return };
    let small = shared.join("small");
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in ["h-hardlink-removed", "h-sparse-pax10", "h-dup-entries", "h-gzip-members", "f-secrets-lower", "go-scratch"] {
        let truth: serde_json::Value =
            serde_json::from_slice(&std::fs::read(small.join(format!("truth/{name}.json"))).unwrap()).unwrap();
        let tree = std::fs::File::open(small.join(format!("truth/{name}.tree.json.zst"))).unwrap();
        let tree = String::from_utf8(zstd::decode_all(tree).unwrap()).unwrap();
        let files: Vec<serde_json::Value> = tree.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for place in program::list(&truth["formats_here"]).filter_map(program::text) {
            let (path, tag) = place.rsplit_once(':').map_or((place.as_str(), None), |(path, tag)| (path, Some(tag)));
            let choice = tag.map(|tag| vec!["--image", tag]).unwrap_or_default();
            for file in files.iter().filter(|file| file["type"] == "file") {
                let arguments = [&[file["path"].as_str().unwrap()][..], &choice].concat();
                let (code, bytes, reason) = cat(&small.join(path), &arguments);
                let digest = recipe::hex(&sha2::Sha256::digest(&bytes));
                count += 1;
                if code != Some(0) || Some(digest.as_str()) != file["sha256"].as_str() {
                    wrong.push(format!("{place} {}: {code:?} {reason}", file["path"]));
                }
            }
        }
    }
    assert!(count > 50, "{count}");
    assert_none(&wrong);
}
