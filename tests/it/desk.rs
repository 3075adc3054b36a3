//! A folder in which scripts of pipelines and commands of the documents are run: images, a PATH with plimsoll and a docker that saves.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::recipe;

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// `docker save -- NAME`: writes the image of the test, and remembers what it was asked.
const DOCKER: &str = r#"#!/usr/bin/env bash
printf '%s\0' "$@" >"$DOCKER_ASKED"
cat "$DOCKER_IMAGE"
exit "${DOCKER_EXIT:-0}"
"#;

/// The folder.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    /// With `shop.tar`, which has faults, `good.tar`, which has none, `cut.tar`, which is half of one, and a Dockerfile.
    pub(crate) fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        for folder in ["bin", "work", "temp"] {
            std::fs::create_dir(desk.path(folder)).unwrap();
        }
        let image = |name: &str| std::fs::read(root().join("testdata/images").join(name)).unwrap();
        let demo = image("demo.tar");
        desk.write("work/shop.tar", &demo);
        desk.write("work/cut.tar", &demo[..demo.len() / 2]);
        desk.write("work/good.tar", &image("good.tar"));
        desk.write("work/Dockerfile", &image("demo.Dockerfile"));
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_plimsoll"), desk.path("bin/plimsoll")).unwrap();
        desk.script("bin/docker", DOCKER);
        desk
    }

    /// A path in the folder; commands run in `work`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A program.
    pub(crate) fn script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text.as_bytes());
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A shell with these words, in `work`, with plimsoll and docker on its PATH and next to nothing else in its environment.
    pub(crate) fn shell(&self, words: &[&str], variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new(words[0])
            .args(&words[1..])
            .current_dir(self.path("work"))
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("temp"))
            .env("DOCKER_ASKED", self.path("docker-asked"))
            .env("DOCKER_IMAGE", self.path("work/shop.tar"))
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    /// An image whose names are orders to terminals and runners: a set-uid program, the image's user, its history.
    pub(crate) fn hostile_image(&self, name: &str) {
        let text = r#"
about = "names that are orders"
containers = ["docker"]

[config]
user = '::error::x'

[[layer]]
entries = [
    { file = 'app/\x0a::stop-commands::x', mode = '4755', text = '\x7fELF\x02\x01\x01{\x00*9}\x02\x00>\x00\x01\x00\x00\x00x\x00@{\x00*5}@{\x00*19}@\x008\x00\x01{\x00*7}\x01\x00\x00\x00\x05{\x00*13}@{\x00*7}@{\x00*5}x{\x00*7}x{\x00*8}\x10{\x00*6}' },
    { file = 'usr/bin/gcc\x0d::set-output name=verdict::pass', mode = '4755', text = '\x7fELF\x02\x01\x01{\x00*9}\x02\x00>\x00\x01\x00\x00\x00x\x00@{\x00*5}@{\x00*19}@\x008\x00\x01{\x00*7}\x01\x00\x00\x00\x05{\x00*13}@{\x00*7}@{\x00*5}x{\x00*7}x{\x00*8}\x10{\x00*6}' },
]

[expect]
verdict = "accept"
tree = ''
"#;
        self.write(name, &recipe::docker_archive(&recipe::of_text(text)));
    }
}

/// Standard output and standard error of a run.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap()).concat()
}

/// A document of the project, or one of several in a file, from YAML.
pub(crate) fn yaml(path: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether a line is a workflow command that plimsoll wrote: an annotation with its title, whatever the file that it stands on.
pub(crate) fn is_annotation(line: &str) -> bool {
    let levels = ["::error ", "::warning ", "::notice "];
    let properties = levels.iter().find_map(|level| line.strip_prefix(level)).and_then(|rest| rest.split("::").next());
    properties.is_some_and(|properties| properties.split(',').any(|property| property.starts_with("title=plimsoll")))
}
