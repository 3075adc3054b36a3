//! What tells the language of an image.

use super::*;
use crate::facts::executables::executables;
use crate::layer::Content;
use crate::layer::probe::ElfFacts;
use crate::rootfs::{Inode, InodeKind};

#[derive(Default)]
struct Tree {
    rootfs: Rootfs,
    working_dir: &'static str,
}

impl Tree {
    fn add(mut self, path: &str, content: Content) -> Self {
        let inode = Inode { content: Some(content.into()), ..Inode::new(InodeKind::File { size: 9 }, 0o755, 0) };
        self.rootfs.insert(path.as_bytes(), inode);
        self
    }

    fn elf(self, path: &str, elf: ElfFacts) -> Self {
        self.add(path, Content { elf: Some(Box::new(ElfFacts { is_program: true, ..elf })), ..Content::default() })
    }

    fn program(self, path: &str) -> Self {
        self.elf(path, ElfFacts::default())
    }

    fn script(self, path: &str, line: &str) -> Self {
        self.add(path, Content { shebang: Some(line.as_bytes().into()), ..Content::default() })
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::Symlink { target: target.as_bytes().into() }, 0o777, 0));
        self
    }

    fn runtime(&self, words: &[&str]) -> Runtime {
        self.both(words).0
    }

    fn files(&self, words: &[&str]) -> Vec<String> {
        let (_, files) = self.both(words);
        files.into_iter().map(|file| String::from_utf8(self.rootfs.path(file)).unwrap()).collect()
    }

    fn both(&self, words: &[&str]) -> (Runtime, Vec<NodeId>) {
        let limits = Limits::default();
        let config = RuntimeConfig {
            entrypoint: words.iter().map(|&word| word.to_owned()).collect(),
            working_dir: self.working_dir.to_owned(),
            ..RuntimeConfig::default()
        };
        let search_path = SearchPath::of(&config, &self.rootfs, &limits);
        let executables = executables(&self.rootfs, &limits);
        let links = &mut Links::new(&self.rootfs, &limits);
        let (config, rootfs, executables, search_path) = (&config, &self.rootfs, executables.as_slice(), &search_path);
        let mut finder = Finder { config, rootfs, executables, search_path, links, limits: &limits };
        (finder.runtime(), finder.files())
    }

    fn language(&self, words: &[&str]) -> Language {
        self.runtime(words).language
    }
}

fn go(path: &str) -> ElfFacts {
    ElfFacts { go_path: Some(path.into()), ..ElfFacts::default() }
}

fn rust() -> ElfFacts {
    ElfFacts { markers: [Marker::RustStd].into(), ..ElfFacts::default() }
}

#[test]
fn interpreters_are_told_by_name_through_links() {
    let tree = Tree::default().program("/usr/bin/python3.12").link("/usr/local/bin/run", "/usr/bin/python3.12");
    assert_eq!(tree.language(&["/usr/local/bin/run", "app.py"]), Language::Python);
    let runtime = tree.runtime(&["python3.12", "-m", "app"]);
    assert_eq!(runtime.reason, "its entry point /usr/bin/python3.12 is an interpreter of Python");
    for (name, language) in
        [("pypy3", Language::Python), ("node", Language::Node), ("nodejs", Language::Node), ("java", Language::Java)]
    {
        assert_eq!(Tree::default().program(&format!("/bin/{name}")).language(&[name, "x"]), language, "{name}");
    }
}

#[test]
fn programs_of_go_and_rust_are_told_by_content() {
    let tree = Tree::default().elf("/app", go("example.org/app")).elf("/tool", go("cmd/go")).elf("/srv/x", rust());
    assert_eq!(tree.runtime(&["/app"]).reason, "its entry point /app is a Go program, example.org/app");
    assert_eq!(tree.language(&["/srv/x"]), Language::Rust);
    assert_eq!(tree.language(&["/tool", "/srv/x"]), Language::Rust, "a tool chain is not what the image is for");
    assert_eq!(Tree::default().elf("/bin/node", go("example.org/node")).language(&["node"]), Language::Go);
}

#[test]
fn scripts_are_told_by_their_first_line() {
    let tree = Tree::default()
        .program("/usr/local/bin/python3")
        .script("/usr/local/bin/gunicorn", "/usr/local/bin/python3")
        .program("/usr/local/bin/node")
        .script("/usr/lib/npm-cli.js", "/usr/bin/env node")
        .link("/usr/local/bin/npm", "../../lib/npm-cli.js");
    let runtime = tree.runtime(&["gunicorn", "app:app"]);
    let said = "its entry point /usr/local/bin/gunicorn is a script that /usr/local/bin/python3 runs, an interpreter of Python";
    assert_eq!((runtime.language, runtime.reason.as_str()), (Language::Python, said));
    assert_eq!(tree.language(&["npm", "start"]), Language::Node);
}

#[test]
fn wrappers_and_entry_scripts_leave_it_to_the_next_word() {
    let tree = Tree::default()
        .elf("/usr/bin/gosu", go("github.com/tianon/gosu"))
        .elf("/sbin/tini", rust())
        .script("/entry.sh", "/bin/sh")
        .program("/bin/sh")
        .program("/usr/bin/java");
    assert_eq!(tree.language(&["/sbin/tini", "--", "/entry.sh", "gosu", "app", "java", "-jar", "a.jar"]), Language::Java);
    assert_eq!(tree.language(&["/bin/sh", "-c", "A=1 exec java -jar a.jar"]), Language::Java);
}

#[test]
fn words_are_looked_up_as_a_runtime_does() {
    let tree = Tree { working_dir: "srv/app", ..Tree::default() }.elf("/srv/app/server", rust());
    assert_eq!(tree.language(&["./server"]), Language::Rust);
    assert_eq!(tree.language(&["bin/../server"]), Language::Other, "no folder bin");
    assert_eq!(tree.language(&["server"]), Language::Other, "not on PATH");
    assert_eq!(tree.language(&[&"./".repeat(4_096), "/srv/app/server"]), Language::Rust, "too long for a path");
    let missing = Tree::default().program("/opt/java");
    assert_eq!(missing.language(&["/usr/bin/java"]), Language::Other, "what is not there does not run");
}

#[test]
fn applications_that_embed_a_runtime_are_told_by_their_libraries() {
    let jlink = Tree::default().script("/opt/app/bin/serve", "/bin/sh").add("/opt/app/lib/server/libjvm.so", Content::default());
    assert_eq!(jlink.language(&["/opt/app/bin/serve"]), Language::Java);
    let uwsgi = ElfFacts { needed: vec![b"libpython3.11.so.1.0"[..].into()], ..ElfFacts::default() };
    assert_eq!(Tree::default().elf("/bin/uwsgi", uwsgi).language(&["uwsgi"]), Language::Python);
}

#[test]
fn where_the_entry_point_does_not_tell_the_interpreters_on_path_do() {
    let tree = Tree::default().script("/entry.sh", "/bin/sh").program("/usr/bin/python3").program("/opt/java");
    let runtime = tree.runtime(&["/entry.sh"]);
    assert_eq!(runtime.reason, "its entry point does not tell, and /usr/bin/python3 is on PATH");
    let tree = tree.program("/usr/bin/java").program("/bin/node");
    assert_eq!(tree.language(&[]), Language::Java);
    let other = Tree::default().program("/bin/nginx").runtime(&["nginx"]);
    assert_eq!((other.language, other.reason.contains("no known runtime")), (Language::Other, true));
    assert_eq!(Tree::default().runtime(&[]).reason, "it has no entry point, and no interpreter is on PATH");
}

#[test]
fn names_that_only_begin_like_an_interpreter_are_none() {
    for name in ["python3-config", "pythonista", "java.sh", "node_exporter", "pypy3-c", "javac"] {
        assert_eq!(by_name(name.as_bytes()), None, "{name}");
    }
    assert_eq!(by_name(b"python3.13t"), Some(Language::Python));
}

#[test]
fn interpreters_that_name_one_another_end() {
    let tree = Tree::default().script("/a", "/b").script("/b", "/a");
    assert_eq!(tree.language(&["/a"]), Language::Other);
}

#[test]
fn the_files_that_the_command_line_names_are_found() {
    let mut tree = Tree { working_dir: "/app", ..Tree::default() }.program("/usr/bin/node").script("/entry.sh", "/bin/sh");
    tree = tree.script("/app/server.js", "node").script("/app/other.js", "node");
    assert_eq!(
        tree.files(&["/entry.sh", "node", "server.js", "node", "gone.js"]),
        ["/entry.sh", "/usr/bin/node", "/app/server.js"]
    );
    assert_eq!(tree.files(&["sh", "-c", "exec node ./other.js"]), ["/usr/bin/node", "/app/other.js"]);
}
