//! Tests of the way from the config to the program.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::layer::Content;
use crate::layer::probe::{ElfFacts, Marker};
use crate::limits::Limits;
use crate::oci::Platform;
use crate::rootfs::{Inode, InodeKind, Rootfs};

/// An image of programs for amd64, scripts and links.
#[derive(Default)]
struct Tree {
    rootfs: Rootfs,
    runtime: RuntimeConfig,
    user: User,
}

impl Tree {
    fn add(mut self, path: &str, size: usize, content: Content) -> Self {
        let inode = Inode::new(InodeKind::File { size: size as u64 }, 0o755, 0);
        self.rootfs.insert(path.as_bytes(), Inode { content: Some(Arc::new(content)), ..inode });
        self
    }

    fn elf(self, path: &str, change: impl Fn(&mut ElfFacts)) -> Self {
        let mut elf =
            ElfFacts { machine: 62, is_64: true, is_little_endian: true, kind: 2, is_program: true, ..ElfFacts::default() };
        change(&mut elf);
        self.add(path, 100, Content { elf: Some(Box::new(elf)), ..Content::default() })
    }

    fn programs(self, paths: &[&str]) -> Self {
        paths.iter().fold(self, |tree, path| tree.elf(path, |_| {}))
    }

    fn busybox(self, path: &str) -> Self {
        self.elf(path, |elf| elf.markers = [Marker::BusyBox].into())
    }

    fn script(self, path: &str, text: &str) -> Self {
        let shebang = text.strip_prefix("#!").map(|rest| rest.split('\n').next().unwrap_or_default().as_bytes().into());
        self.add(path, text.len(), Content { shebang, body: Some(text.as_bytes().into()), ..Content::default() })
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        self.rootfs.insert(path.as_bytes(), Inode::new(InodeKind::Symlink { target: target.as_bytes().into() }, 0o777, 0));
        self
    }

    fn config(&self, words: &[&str]) -> ImageConfig {
        let platform = Platform { os: "linux".into(), architecture: "amd64".into(), variant: None };
        let cmd = words.iter().map(|&word| word.to_owned()).collect();
        let runtime = RuntimeConfig { cmd, ..self.runtime.clone() };
        ImageConfig { platform, runtime, diff_ids: Vec::new(), history: Vec::new(), created: None, author: None }
    }

    fn start(&self, words: &[&str]) -> Startup {
        let limits = Limits::default();
        read(&self.config(words), &self.user, &mut Bodies::new(&self.rootfs, &limits)).0
    }

    /// The files that are started, and the faults.
    fn shown(&self, words: &[&str]) -> (Vec<String>, Vec<StartupFault>) {
        let startup = self.start(words);
        let path = |node| String::from_utf8_lossy(&self.rootfs.path(node)).into_owned();
        (startup.nodes().into_iter().map(path).collect(), startup.problems.into_iter().map(|problem| problem.fault).collect())
    }

    fn starts(&self, words: &[&str]) -> Vec<String> {
        let (paths, faults) = self.shown(words);
        assert_eq!(faults, [], "{words:?}");
        paths
    }

    fn fault(&self, words: &[&str]) -> StartupFault {
        let (paths, mut faults) = self.shown(words);
        assert_eq!(faults.len(), 1, "{words:?}: {paths:?} {faults:?}");
        faults.remove(0)
    }
}

#[test]
fn every_wrapper_shell_and_interpreter_on_the_way_is_a_step() {
    let tree = Tree::default()
        .programs(&["/sbin/tini", "/usr/sbin/gosu", "/usr/bin/env", "/bin/dash", "/usr/bin/python3", "/usr/bin/app"])
        .link("/bin/sh", "dash")
        .script("/usr/local/bin/entry.sh", "#!/bin/sh\nset -e\nchown x /data 2>/dev/null || true\nexec gosu 7 \"$@\"\n")
        .script("/usr/bin/web", "#!/usr/bin/env python3\nimport x\n");
    assert_eq!(
        tree.starts(&["tini", "--", "entry.sh", "web", "-x"]),
        [
            "/sbin/tini",
            "/usr/local/bin/entry.sh",
            "/bin/dash",
            "/usr/sbin/gosu",
            "/usr/bin/web",
            "/usr/bin/env",
            "/usr/bin/python3"
        ]
    );
    assert_eq!(tree.starts(&["/bin/sh", "-c", "A=b exec app --port $PORT"]), ["/bin/dash", "/usr/bin/app"]);
    assert_eq!(
        tree.starts(&["sh", "/usr/local/bin/entry.sh", "app"]),
        ["/bin/dash", "/usr/local/bin/entry.sh", "/usr/sbin/gosu", "/usr/bin/app"]
    );
    assert_eq!(tree.starts(&["env", "-i", "PATH=/usr/bin", "app"]), ["/usr/bin/env", "/usr/bin/app"]);
    assert_eq!(tree.fault(&["env", "PATH=/none", "app"]), StartupFault::NotFound);
}

#[test]
fn path_is_that_of_the_config_and_runtimes_have_one_of_their_own() {
    let mut tree = Tree::default().programs(&["/opt/app", "/usr/local/bin/tool"]);
    assert_eq!(tree.starts(&["tool"]), ["/usr/local/bin/tool"]);
    assert_eq!(tree.fault(&["app"]), StartupFault::NotFound);
    tree.runtime.env = vec!["PATH=/usr/bin".into(), "PATH=/none:/opt".into()];
    assert_eq!(tree.starts(&["app"]), ["/opt/app"], "the last counts");
    assert_eq!(tree.fault(&["tool"]), StartupFault::NotFound);
    tree.runtime.env = vec!["PATH=".into()];
    assert_eq!(tree.fault(&["tool"]), StartupFault::NotFound);
}

#[test]
fn a_relative_program_starts_at_the_working_directory() {
    let mut tree = Tree::default().programs(&["/srv/app/run"]);
    tree.rootfs.insert(b"/file", Inode::new(InodeKind::File { size: 1 }, 0o644, 0));
    tree.runtime.working_dir = "/srv/app".into();
    assert_eq!(tree.starts(&["./run"]), ["/srv/app/run"]);
    tree.runtime.working_dir = "/srv".into();
    assert_eq!((tree.starts(&["app/run"]), tree.fault(&["./run"])), (vec!["/srv/app/run".to_owned()], StartupFault::NotFound));
    tree.runtime.working_dir = "/made".into();
    assert_eq!(tree.fault(&["./run"]), StartupFault::NotFound, "it is made, and empty");
    assert_eq!(tree.starts(&["/srv/app/run"]), ["/srv/app/run"]);
    tree.runtime.working_dir = "/file".into();
    assert_eq!(tree.fault(&["/srv/app/run"]), StartupFault::WorkingDirectory);
}

#[test]
fn the_parents_of_the_working_directory_need_not_be_open() {
    let mut tree = Tree::default();
    tree.rootfs.insert(b"/root", Inode::new(InodeKind::Directory, 0o700, 0));
    let mut tree = tree.programs(&["/root/app/run"]);
    tree.user = User { uid: Some(7), gid: Some(7), ..User::default() };
    tree.runtime.working_dir = "/root/app".into();
    assert_eq!(tree.starts(&["./run"]), ["/root/app/run"]);
    assert_eq!(tree.fault(&["/root/app/run"]), StartupFault::Closed(b"/root".to_vec()));
    let script = tree.programs(&["/bin/sh"]).script("/root/app/start", "#!/bin/sh\nexec ./run\n");
    assert_eq!(script.starts(&["./start"]), ["/root/app/start", "/bin/sh", "/root/app/run"]);
}

#[test]
fn the_kernel_follows_five_interpreters() {
    let mut tree = Tree::default().programs(&["/s0"]);
    for number in 1..=6 {
        tree = tree.script(&format!("/s{number}"), &format!("#!/s{}\n", number - 1));
    }
    assert_eq!(tree.starts(&["/s5"]).len(), 6);
    assert_eq!(tree.fault(&["/s6"]), StartupFault::TooManyInterpreters);
    let itself = Tree::default().script("/s", "#!/s\n");
    assert_eq!(itself.fault(&["/s"]), StartupFault::TooManyInterpreters);
}

#[test]
fn what_the_kernel_refuses_is_told_apart() {
    let tree = Tree::default()
        .programs(&["/bin/sh"])
        .elf("/arm", |elf| elf.machine = 183)
        .elf("/object", |elf| elf.kind = 1)
        .elf("/linked", |elf| elf.interpreter = Some(b"/lib/ld.so".as_slice().into()))
        .elf("/mixed", |elf| elf.interpreter = Some(b"/arm".as_slice().into()))
        .script("/text", "echo hello\n")
        .script("/blank", "#!  \n")
        .script("/crlf", "#!/bin/sh\r\n")
        .add("/empty", 0, Content::default())
        .add("/broken", 9, Content { broken_elf: Some("cut".into()), ..Content::default() });
    let wrong = || StartupFault::WrongMachine("arm64".to_owned());
    assert_eq!((tree.fault(&["/arm"]), tree.fault(&["/mixed"])), (wrong(), wrong()));
    assert!(matches!(tree.fault(&["/object"]), StartupFault::BrokenElf(_)));
    assert_eq!(tree.fault(&["/broken"]), StartupFault::BrokenElf("cut".to_owned()));
    assert_eq!(tree.fault(&["/linked"]), StartupFault::NotFound);
    assert_eq!((tree.fault(&["/text"]), tree.fault(&["/empty"])), (StartupFault::NoFormat, StartupFault::Empty));
    assert_eq!((tree.fault(&["/blank"]), tree.fault(&["/crlf"])), (StartupFault::NoInterpreter, StartupFault::CarriageReturn));
    assert_eq!(tree.starts(&["/bin/sh", "-c", "/text"]), ["/bin/sh", "/text"], "a shell reads it itself");
}

#[test]
fn a_file_that_was_not_looked_into_is_not_known() {
    let tree = Tree::default().add("/big", 9, Content::default());
    let startup = tree.start(&["/big"]);
    assert_eq!((startup.problems.len(), startup.not_known), (0, vec!["what kind of program /big is".to_owned()]));
    let limits = Limits::default();
    let wanted = wanted(&tree.config(&["/big"]), &mut Bodies::new(&tree.rootfs, &limits));
    assert_eq!(wanted.len(), 1, "its body is asked for");
}

#[test]
fn busybox_is_what_it_is_called() {
    let tree =
        Tree::default().busybox("/bin/busybox").link("/bin/sh", "busybox").link("/bin/app", "busybox").programs(&["/bin/run"]);
    assert_eq!(tree.starts(&["sh", "-c", "exec run"]), ["/bin/busybox", "/bin/run"]);
    assert_eq!(tree.starts(&["busybox", "sh", "-c", "run"]), ["/bin/busybox", "/bin/run"]);
    assert_eq!(tree.fault(&["sh", "-c", "curl x"]), StartupFault::NotFound);
    assert_eq!(tree.start(&["app"]).not_known, ["whether busybox has an applet called app"]);
    let silent = tree.start(&["sh", "-c", "wget x"]);
    assert_eq!((silent.problems, silent.not_known), (vec![], vec!["what wget is: the shell may have it built in".to_owned()]));
}

#[test]
fn what_may_be_mounted_or_set_is_not_known() {
    let mut tree = Tree::default().programs(&["/bin/sh"]).link("/app/run", "/data/run");
    tree.runtime.volumes = vec!["/data/".into()];
    for words in [&["/data/bin/run"][..], &["/proc/self/exe"], &["/app/run"], &["/bin/sh", "/data/start.sh"]] {
        let startup = tree.start(words);
        assert_eq!((startup.problems.len(), startup.not_known.len()), (0, 1), "{words:?}: {startup:?}");
    }
    assert_eq!(tree.fault(&["/bin/sh", "/start.sh"]), StartupFault::NotFound);
}

#[test]
fn scripts_without_a_body_are_wanted_and_so_is_what_they_may_go_on_with() {
    let bare = |path: &str, tree: Tree| {
        tree.add(path, 50, Content { shebang: Some(b"/bin/sh".as_slice().into()), ..Content::default() })
    };
    let mut tree = bare("/check.sh", bare("/start.sh", bare("/entry.sh", Tree::default().programs(&["/bin/sh"]))));
    tree.runtime.entrypoint = vec!["/entry.sh".into()];
    tree.runtime.healthcheck = Some(Healthcheck { test: vec!["CMD-SHELL".into(), "/check.sh".into()], ..Healthcheck::default() });
    let limits = Limits::default();
    let wanted = wanted(&tree.config(&["/start.sh"]), &mut Bodies::new(&tree.rootfs, &limits));
    let paths: Vec<_> = wanted.iter().map(|node| String::from_utf8(tree.rootfs.path(*node)).unwrap()).collect();
    assert_eq!(paths, ["/entry.sh", "/start.sh", "/check.sh"]);
    assert_eq!(tree.start(&["/start.sh"]).not_known, ["what /entry.sh starts: its content was not kept"]);
}

#[test]
fn images_for_other_systems_are_not_followed() {
    let mut config = Tree::default().config(&["app.exe"]);
    config.platform.os = "windows".into();
    let (rootfs, limits) = (Rootfs::default(), Limits::default());
    let (startup, probe) = read(&config, &User::default(), &mut Bodies::new(&rootfs, &limits));
    assert_eq!((startup.problems.len(), startup.not_known.len(), probe), (0, 1, None));
}

#[test]
fn a_script_that_starts_itself_ends() {
    let tree = Tree::default().programs(&["/bin/sh"]).script("/s", "#!/bin/sh\n/s\n/s\n/s\n");
    assert!(tree.start(&["/s"]).steps.len() < 1000);
}

#[test]
fn arguments_are_followed_through_set_and_shift() {
    let tree = Tree::default()
        .programs(&["/bin/sh", "/bin/app", "/bin/other"])
        .script("/shift", "#!/bin/sh\nshift\nexec \"$@\"\n")
        .script("/set", "#!/bin/sh\nset -- other \"$@\"\nexec \"$@\"\n")
        .script("/maybe", "#!/bin/sh\nif [ -z \"$1\" ]; then set -- other; fi\nexec \"$@\"\n");
    assert_eq!(tree.starts(&["/shift", "x", "app"]), ["/shift", "/bin/sh", "/bin/app"]);
    assert_eq!(tree.starts(&["/maybe", "gone"]), ["/maybe", "/bin/sh"], "not known");
    assert_eq!(tree.starts(&["/set", "gone"]), ["/set", "/bin/sh", "/bin/other"]);
}

#[test]
fn cd_is_followed_when_it_is_plain() {
    let tree = Tree::default().programs(&["/bin/sh", "/srv/run"]);
    assert_eq!(tree.starts(&["sh", "-c", "cd /srv && ./run"]), ["/bin/sh", "/srv/run"]);
    assert_eq!(tree.fault(&["sh", "-c", "cd /srv && ./gone"]), StartupFault::NotFound);
    assert_eq!(tree.starts(&["sh", "-c", "cd $X && ./gone"]), ["/bin/sh"]);
}

proptest! {
    #[test]
    fn arbitrary_words_and_scripts_never_panic_and_end(
        words in proptest::collection::vec("(/s|sh|-c|env|-S|busybox|tini|--|/e|[ -~]{0,20})", 0..6),
        text: String, line in "[ -~]{0,40}", env in "[ -~]{0,20}",
    ) {
        let mut tree = Tree::default()
            .busybox("/bin/busybox").link("/bin/sh", "busybox").programs(&["/bin/env", "/bin/tini"])
            .script("/s", &format!("#!{line}\n{text}")).script("/e", &format!("#!/bin/sh\n{text}\nexec \"$@\"\n"));
        tree.runtime.env = vec![format!("PATH=/bin:{env}")];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let startup = tree.start(&words);
        let is_step = |problem: &StartupProblem| problem.step.is_none_or(|step| step < startup.steps.len());
        prop_assert!(startup.problems.iter().all(is_step));
    }
}
