//! containerd, which hides the bodies of refusals: what it is told stands in the status line.

use std::process::Output;

use super::*;
use crate::gate::real::{Registry, has};

/// A containerd of its own, in a folder of its own; it ends with its value.
struct Containerd {
    child: Child,
    socket: PathBuf,
    _folder: TempDir,
}

impl Containerd {
    /// None where it cannot be run: it needs root.
    fn start() -> Option<Self> {
        if !has(&["containerd", "ctr"]) {
            return None;
        }
        let user = Command::new("id").arg("-u").output().unwrap();
        if user.stdout.trim_ascii() != b"0" {
            eprintln!("skipped: containerd needs root");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (path, socket) = (folder.path().display(), folder.path().join("c.sock"));
        let config = format!(
            "version = 2\nroot = '{path}/root'\nstate = '{path}/state'\ndisabled_plugins = ['io.containerd.grpc.v1.cri', \
             'io.containerd.internal.v1.opt']\n[grpc]\naddress = '{}'\n",
            socket.display()
        );
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        let mut command = Command::new("containerd");
        command.arg("--config").arg(folder.path().join("config.toml")).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let containerd = Self { child, socket, _folder: folder };
        until("containerd", || containerd.ctr(&["version"]).status.success().then_some(()));
        Some(containerd)
    }

    fn ctr(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(&self.socket).args(["--timeout", "60s"]).args(arguments).stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Whether it went well, and all that was said.
    fn told(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.ctr(arguments);
        let said = [output.stdout.as_slice(), &output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // asked, so that it unmounts what it mounted
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        let began = Instant::now();
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && began.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn containerd_says_why_a_push_is_refused_and_pulls_what_is_good() {
    let Some(containerd) = Containerd::start().filter(|_| has(&["docker-registry"])) else { return };
    let registry = Registry::start(false);
    let replica = Replica::start(&registry.host, "", "");
    for (name, is_good) in [("good", true), ("demo", false)] {
        let archive = root().join(format!("testdata/images/{name}.tar"));
        let (is_done, said) = containerd.told(&["images", "import", "--no-unpack", archive.to_str().unwrap()]);
        assert!(is_done, "{said}");
        let (_, names) = containerd.told(&["images", "list", "--quiet"]);
        let imported = names.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{names}"));
        let target = format!("{}/clients/{name}:1", replica.gate());
        let (is_done, said) = containerd.told(&["images", "push", "--plain-http", &target, imported]);
        assert_eq!(is_done, is_good, "{said}");
        assert_eq!(registry.is_empty(&format!("clients/{name}")), !is_good);
        if is_good {
            let (is_done, said) = containerd.told(&["content", "fetch", "--plain-http", &target]);
            assert!(is_done, "{said}");
        } else {
            assert!(said.contains("403 Forbidden: clients/demo:1 fails the policy admission: "), "{said}");
        }
    }
}
