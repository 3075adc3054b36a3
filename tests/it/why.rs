//! `plimsoll why`: layers, packages and their chains, earlier versions, and what removal frees, from images made here.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::desk::root;
use crate::program::{list, run, run_with_stdin};
use crate::recipe;

/// Debian as small as it goes: `tool` was asked for and needs `libtool1`, which needs `libbase1`; `other` needs `libbase1` too; `base`
/// is essential.
const DEBIAN: &str = r#"
about = "one"
containers = ["oci", "docker"]

[[layer]]
entries = [
    { file = "etc/os-release", text = "ID=debian\nVERSION_ID=\"12\"\n" },
    { file = "var/lib/dpkg/status", text = '''
Package: base
Essential: yes
Status: install ok installed
Architecture: amd64
Version: 1

Package: libbase1
Status: install ok installed
Architecture: amd64
Version: 2:1.0-1

Package: libtool1
Status: install ok installed
Architecture: amd64
Version: 1.1
Depends: libbase1 (>= 1), libdata

Package: libdata
Status: install ok installed
Architecture: all
Version: 3
Depends: libtool1

Package: tool
Status: install ok installed
Architecture: amd64
Version: 4
Depends: libtool1 | libnothing

Package: other
Status: install ok installed
Architecture: amd64
Version: 5
Depends: libbase1
''' },
    { file = "var/lib/apt/extended_states", text = '''
Package: libbase1
Architecture: amd64
Auto-Installed: 1

Package: libtool1
Architecture: amd64
Auto-Installed: 1

Package: libdata
Architecture: amd64
Auto-Installed: 1
''' },
    { file = "var/lib/dpkg/info/libbase1:amd64.list", text = "/usr/lib/libbase.so\n" },
    { file = "var/lib/dpkg/info/libtool1:amd64.list", text = "/usr/lib/libtool.so\n/usr/lib/libtool.so.1\n" },
    { file = "var/lib/dpkg/info/libdata.list", text = "/usr/share/data\n" },
    { file = "var/lib/dpkg/info/tool.list", text = "/usr/bin/tool\n" },
    { file = "var/lib/dpkg/info/other.list", text = "/usr/bin/other\n" },
    { file = "var/lib/dpkg/info/base.list", text = "/bin/base\n" },
    { file = "usr/lib/libbase.so", text = "{b*100}" },
    { file = "usr/lib/libtool.so.1", text = "{t*1000}" },
    { symlink = "usr/lib/libtool.so", to = "libtool.so.1" },
    { file = "usr/share/data", text = "{d*10000}" },
    { file = "usr/bin/tool", text = "{x*20}" },
    { file = "usr/bin/other", text = "{x*30}" },
    { file = "bin/base", text = "{x*40}" },
    { file = "app/.env", text = "MODE=a" },
    { file = "app/deep/one", text = "{y*7}" },
]

[[layer]]
entries = [
    { file = "app/.env", text = "MODE=bb" },
    { file = "usr/bin/tool", text = "{x*20}", mode = "0700" },
    { file = "app/.wh.deep", text = "" },
]

[[layer]]
entries = [{ file = "app/.wh..env", text = "" }]

[expect]
verdict = "accept"
codes = []
tree = ""
"#;

fn debian(folder: &Path) -> PathBuf {
    recipe::write(&recipe::of_text(DEBIAN), folder).remove(0)
}

fn why(image: &Path, path: &str) -> Value {
    let output = run(&["why", image.to_str().unwrap(), path, "--format", "json"]);
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn chains(why: &Value) -> Vec<String> {
    let text = |chain: &Value| {
        let names: Vec<&str> = list(&chain["packages"]).map(|name| name.as_str().unwrap()).collect();
        format!("{} ({})", names.join(" <- "), chain["root"].as_str().unwrap())
    };
    list(&why["package"]["chains"]).map(text).collect()
}

#[test]
fn chains_go_up_to_what_was_asked_for_the_shortest_first() {
    let folder = tempfile::tempdir().unwrap();
    let image = debian(folder.path());
    let library = why(&image, "/usr/lib/libbase.so");
    assert_eq!(chains(&library), ["libbase1 <- other (asked-for)", "libbase1 <- libtool1 <- tool (asked-for)"]);
    assert_eq!((&library["package"]["version"], &library["package"]["standing"]), (&json!("2:1.0-1"), &json!("needed")));
    assert_eq!(chains(&why(&image, "/usr/share/data")), ["libdata <- libtool1 <- tool (asked-for)"], "a ring is no way");
    for (path, standing) in [("/usr/bin/tool", "asked-for"), ("/bin/base", "base")] {
        let told = why(&image, path);
        assert_eq!((&told["package"]["standing"], chains(&told)), (&json!(standing), vec![]), "{path}");
    }
    assert_eq!(why(&image, "/etc/os-release")["package"], Value::Null);
}

#[test]
fn removal_takes_what_needs_the_package_and_what_nothing_needs_then() {
    let folder = tempfile::tempdir().unwrap();
    let image = debian(folder.path());
    let tool = &why(&image, "/usr/bin/tool")["removal"];
    assert_eq!((&tool["bytes"], &tool["earlier_bytes"]), (&json!(20), &json!(20)));
    assert_eq!(tool["package"]["dependents"]["count"], 0);
    assert_eq!(tool["package"]["orphans"], json!({"count": 2, "bytes": 11_000, "names": ["libdata", "libtool1"]}));
    assert_eq!(tool["package"]["total_bytes"], 11_020);
    let library = &why(&image, "/usr/lib/libtool.so")["removal"];
    assert_eq!(library["bytes"], 0, "a link");
    assert_eq!(library["package"]["dependents"]["names"], json!(["libdata", "tool"]));
    assert_eq!(library["package"]["orphans"]["count"], 0, "other needs libbase1, too");
}

#[test]
fn earlier_versions_and_those_of_what_is_gone_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let image = debian(folder.path());
    let version = |told: &Value| {
        let one = |it: &Value| format!("{} {} {} {}", it["written_by"]["layer"], it["size"], it["fate"], it["ended_by"]);
        list(&told["earlier"]).map(one).collect::<Vec<_>>()
    };
    let tool = why(&image, "/usr/bin/tool");
    assert_eq!((version(&tool), &tool["written_by"]["layer"]), (vec!["0 20 \"copied\" 1".to_owned()], &json!(1)));
    let gone = why(&image, "app//.env");
    assert_eq!((&gone["present"], &gone["asked"]), (&json!(false), &json!("/app/.env")));
    assert_eq!(version(&gone), ["0 6 \"replaced\" 1"]);
    assert_eq!((&gone["written_by"]["layer"], &gone["deleted_by"]["layer"]), (&json!(1), &json!(2)));
    assert_eq!((&gone["removal"]["bytes"], &gone["removal"]["earlier_bytes"]), (&json!(7), &json!(6)));
    let folder = why(&image, "/app/deep");
    assert_eq!((&folder["present"], &folder["folder"]["files"]["bytes"]), (&json!(false), &json!(7)));
    assert_eq!(folder["deleted_by"]["layer"], 1);
}

#[test]
fn a_folder_tells_what_is_in_it_and_who_owns_that() {
    let folder = tempfile::tempdir().unwrap();
    let usr = why(&debian(folder.path()), "/usr");
    assert_eq!((&usr["folder"]["files"]["files"], &usr["folder"]["files"]["bytes"]), (&json!(6), &json!(11_150)));
    assert_eq!(usr["folder"]["files"]["biggest"][0], json!({"path": "/usr/share/data", "bytes": 10_000}));
    assert_eq!(usr["folder"]["owners"][0], json!({"package": "libdata", "files": 1, "bytes": 10_000}));
    assert_eq!((&usr["folder"]["owner_count"], &usr["folder"]["unowned"]["files"]), (&json!(5), &json!(0)));
    assert_eq!(usr["removal"]["bytes"], 11_150);
}

#[test]
fn every_container_and_a_stream_tell_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let containers = recipe::write(&recipe::of_text(DEBIAN), folder.path());
    let body = |mut told: Value| {
        for member in ["source", "reference"] {
            told.as_object_mut().unwrap().remove(member);
        }
        told
    };
    let first = body(why(&containers[0], "/usr/lib/libtool.so"));
    for image in &containers[1..] {
        assert_eq!(body(why(image, "/usr/lib/libtool.so")), first, "{}", image.display());
        let stream = run_with_stdin(&["why", "-", "/usr/lib/libtool.so", "--format", "json"], &std::fs::read(image).unwrap());
        assert_eq!(body(serde_json::from_slice(&stream.stdout).unwrap()), first);
    }
}

#[test]
fn what_no_layer_has_is_answered_with_what_is_like_it() {
    let folder = tempfile::tempdir().unwrap();
    let image = debian(folder.path());
    for (path, expected) in [
        ("/usr/bin/tol", "error: no layer has /usr/bin/tol; did you mean /usr/bin/tool?\n"),
        ("/bin/base/x", "error: /bin/base/x cannot be: a name on the way to it is no folder\n"),
        ("/zzz", "error: no layer has /zzz; plimsoll ls lists what there is\n"),
    ] {
        let output = run(&["why", image.to_str().unwrap(), path]);
        assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(2), expected));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_image_that_cannot_be_read_is_no_answer() {
    for name in ["gzip_truncated", "symlink_loop_parent", "layer_missing"] {
        let folder = tempfile::tempdir().unwrap();
        for image in recipe::write(&recipe::named(name), folder.path()) {
            let output = run(&["why", image.to_str().unwrap(), "/"]);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(3), 0), "{}", image.display());
        }
    }
}

#[test]
fn the_line_of_the_dockerfile_is_told() {
    let images = root().join("testdata/images");
    let (image, file) = (images.join("demo.tar"), images.join("demo.Dockerfile"));
    let arguments = ["why", image.to_str().unwrap(), "/app/server", "--format", "json", "--dockerfile", file.to_str().unwrap()];
    let told: Value =
        serde_json::from_slice(&run(&[&arguments[..], &["--source-root", root().to_str().unwrap()]].concat()).stdout).unwrap();
    let writer = &told["written_by"];
    assert_eq!((&writer["layer"], &writer["location"]["line"]), (&json!(3), &json!(6)));
    assert_eq!(writer["location"]["file"], "testdata/images/demo.Dockerfile");
    assert_eq!(told["earlier"][0]["written_by"]["location"]["line"], 4);
    assert_eq!(told["earlier"][0]["fate"], "copied");
    assert!(list(&told["findings"]).any(|finding| finding["check"] == "setuid-file"), "{}", told["findings"]);
}

#[test]
fn hostile_recipes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    for recipe in recipe::all() {
        let folder = folder.path().join(&recipe.name);
        std::fs::create_dir(&folder).unwrap();
        if let Some(image) = recipe::write(&recipe, &folder).into_iter().next_back() {
            for command in ["why", "cat"] {
                let output = run(&[command, image.to_str().unwrap(), "/a"]);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(
                    !said.contains("panicked") && output.status.code().is_some_and(|code| code != 1),
                    "{}: {said}",
                    recipe.name
                );
            }
        }
    }
}
