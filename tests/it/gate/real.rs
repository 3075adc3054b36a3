//! The distribution project's registry and skopeo: real pushes through the gate.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use super::stand_ins::asked;
use super::*;
use plimsoll::serve::Access;

/// bcrypt of `s3cret`.
const HTPASSWD: &str = "pusher:$2b$04$FKhegUU72JnaLUORR7Q9auTDHqT0MCrcYEq9sujCHUNUdfTYsl9E.\n";
/// `pusher:s3cret`
pub(crate) const BASIC: &str = "Basic cHVzaGVyOnMzY3JldA==";

/// Whether these programs can be run here; in CI they must.
pub(crate) fn has(programs: &[&str]) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &str| std::env::split_paths(&folders).any(|folder| folder.join(program).is_file());
    let missing: Vec<_> = programs.iter().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        eprintln!("skipped: needs {missing:?}");
        assert!(std::env::var_os("CI").is_none(), "in CI {missing:?} must be installed");
    }
    missing.is_empty()
}

/// A running docker-registry with an empty store; it ends when it is dropped.
pub(crate) struct Registry {
    pub(crate) host: String,
    child: Child,
    _folder: TempDir,
}

impl Registry {
    pub(crate) fn start(has_passwords: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let passwords = folder.path().join("htpasswd");
        std::fs::write(&passwords, HTPASSWD).unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: tests, path: {}}}}}\n", passwords.display());
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\nhttp:\n  addr: {host}\n{}",
            folder.path().join("store").display(),
            if has_passwords { auth } else { String::new() },
        );
        let config = folder.path().join("config.yml");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self { host, child: command.spawn().unwrap(), _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "docker-registry does not start");
            thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.host.parse().unwrap()
    }

    /// What the registry itself says of a manifest.
    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Reply {
        let accept = ["application/vnd.docker.distribution.manifest.v2+json", OCI_MANIFEST, OCI_INDEX];
        let mut headers: Vec<(&str, &str)> = accept.iter().map(|kind| ("Accept", *kind)).collect();
        headers.push(("Authorization", BASIC));
        ask(self.address(), "GET", &format!("/v2/{repository}/manifests/{reference}"), &headers, b"")
    }

    /// Tags and manifests of a repository: what a client could pull.
    pub(crate) fn is_empty(&self, repository: &str) -> bool {
        ask(self.address(), "GET", &format!("/v2/{repository}/tags/list"), &[("Authorization", BASIC)], b"").status == 404
            || self.manifest(repository, "1").status == 404
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn skopeo(arguments: &[&str]) -> Output {
    Command::new("skopeo").args(["--insecure-policy", "--command-timeout", "60s"]).args(arguments).output().unwrap()
}

pub(crate) fn good() -> String {
    format!("docker-archive:{}", Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images/good.tar").display())
}

fn copy(source: &str, gate: &Gate, name: &str, more: &[&str]) -> (bool, String) {
    let target = format!("docker://{}/{name}", gate.address());
    let arguments = [&["copy", "--dest-tls-verify=false", "--src-tls-verify=false"], more, &[source, &target]].concat();
    let output = skopeo(&arguments);
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A layout with an index of two images, made of the good image.
pub(crate) fn layout(folder: &Path) -> PathBuf {
    let layout = folder.join("layout");
    let target = format!("oci:{}:one", layout.display());
    assert!(skopeo(&["copy", &good(), &target]).status.success());
    let index: Value = serde_json::from_slice(&std::fs::read(layout.join("index.json")).unwrap()).unwrap();
    let blob = |digest: &str| layout.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap());
    let first: Value =
        serde_json::from_slice(&std::fs::read(blob(index["manifests"][0]["digest"].as_str().unwrap())).unwrap()).unwrap();
    let mut children = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let mut manifest = first.clone();
        manifest["annotations"] = json!({ "for": architecture });
        let bytes = manifest.to_string().into_bytes();
        std::fs::write(blob(&sha256(&bytes)), &bytes).unwrap();
        let mut child = descriptor(OCI_MANIFEST, &bytes);
        child["platform"] = json!({ "os": "linux", "architecture": architecture });
        children.push(child);
    }
    let list = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children }).to_string().into_bytes();
    std::fs::write(blob(&sha256(&list)), &list).unwrap();
    let mut top = descriptor(OCI_INDEX, &list);
    top["annotations"] = json!({ "org.opencontainers.image.ref.name": "list" });
    let top = json!({ "schemaVersion": 2, "manifests": [top] });
    std::fs::write(layout.join("index.json"), top.to_string()).unwrap();
    layout
}

#[test]
fn a_good_image_is_pushed_and_pulled_and_tagged_again() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let gate = Gate::before(&registry.host);
    for format in [&["--format", "oci"][..], &["--format", "v2s2"], &[]] {
        let (is_done, said) = copy(&good(), &gate, "shop/good:1", format);
        assert!(is_done, "{said}");
    }
    let pushed = registry.manifest("shop/good", "1");
    assert_eq!(pushed.status, 200);
    let folder = tempfile::tempdir().unwrap();
    let target = format!("oci:{}:x", folder.path().join("pulled").display());
    let pulled = skopeo(&["copy", "--src-tls-verify=false", &format!("docker://{}/shop/good:1", gate.address()), &target]);
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
    // a new tag for what is there is judged again
    let before = asked(&format!("{}/shop/good", registry.host)).len();
    let source = format!("docker://{}/shop/good:1", gate.address());
    let (is_done, said) = copy(&source, &gate, "shop/good:2", &[]);
    assert!(is_done, "{said}");
    assert_eq!(asked(&format!("{}/shop/good", registry.host)).len(), before + 1);
    assert_eq!(registry.manifest("shop/good", "2").body, pushed.body);
}

#[test]
fn bad_images_are_refused_with_their_message_and_are_not_in_the_registry() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let gate = Gate::with(&registry.host, "deadline = '2s'", "");
    for (name, told) in [
        (
            "shop/bad",
            "shop/bad:1 fails the policy admission: secret, root-user, compiler and 1 more; see https://plimsoll.example/",
        ),
        ("shop/bomb", "the limit layer-bytes was hit"),
        ("shop/broken", "shop/broken:1 cannot be verified"),
        ("shop/refused", "the registry answers 401"),
    ] {
        for format in [&["--format", "oci"][..], &["--format", "v2s2"]] {
            let (is_done, said) = copy(&good(), &gate, &format!("{name}:1"), format);
            assert!(!is_done && said.contains("denied") && said.contains(told), "{name}: {said}");
            assert!(registry.is_empty(name), "{name}");
        }
    }
    for name in ["shop/late", "shop/down", "shop/fault", "shop/hangs"] {
        let (is_done, said) = copy(&good(), &gate, &format!("{name}:1"), &[]);
        assert!(!is_done && registry.is_empty(name), "{name}: {said}");
    }
    // and where it is only warned of, it is
    let (is_done, said) = copy(&good(), &gate, "warn/bad:1", &[]);
    assert!(is_done && !registry.is_empty("warn/bad"), "{said}");
}

#[test]
fn an_index_is_pushed_with_its_children_or_not_at_all() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(false);
    let gate = Gate::before(&registry.host);
    let folder = tempfile::tempdir().unwrap();
    let source = format!("oci:{}:list", layout(folder.path()).display());
    let (is_done, said) = copy(&source, &gate, "list/good:1", &["--all"]);
    assert!(is_done, "{said}");
    let kinds: Vec<String> = asked(&format!("{}/list/good", registry.host)).into_iter().map(|asked| asked.media_type).collect();
    assert_eq!(kinds, [OCI_MANIFEST, OCI_MANIFEST, OCI_INDEX]);
    assert_eq!(registry.manifest("list/good", "1").header("content-type"), Some(OCI_INDEX));
    let (is_done, said) = copy(&source, &gate, "list/bad:1", &["--all"]);
    assert!(!is_done && said.contains("denied") && registry.is_empty("list/bad"), "{said}");
}

#[test]
fn challenges_and_passwords_pass_and_the_callers_are_those_asked_with() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(true);
    let gate = Gate::before(&registry.host);
    let direct = ask(registry.address(), "GET", "/v2/", &[], b"");
    let through = gate.ask("GET", "/v2/", &[], b"");
    assert_eq!((through.status, through.header("www-authenticate")), (401, direct.header("www-authenticate")));
    let (is_done, said) = copy(&good(), &gate, "auth/good:1", &["--dest-creds", "pusher:s3cret"]);
    assert!(is_done, "{said}");
    assert!(asked(&format!("{}/auth/good", registry.host)).iter().all(|asked| asked.access == Access::Caller(BASIC.into())));
    let (is_done, said) = copy(&good(), &gate, "auth/good:2", &["--dest-creds", "pusher:wrong"]);
    assert!(!is_done && said.contains("unauthorized"), "{said}");
    // who may not push learns nothing of what a verdict would be
    for headers in [&[][..], &[("Authorization", "Basic cHVzaGVyOndyb25n")]] {
        let headers = [&[("Content-Type", OCI_MANIFEST)], headers].concat();
        let reply = gate.ask("PUT", "/v2/auth/bad/manifests/1", &headers, &image("auth"));
        assert_eq!((reply.status, reply.text().contains("secret")), (401, false));
    }
    let (is_done, said) = copy(&good(), &gate, "auth/bad:1", &["--dest-creds", "pusher:s3cret"]);
    assert!(!is_done && said.contains("secret, root-user") && registry.is_empty("auth/bad"), "{said}");
}

#[test]
fn a_registry_that_is_killed_while_an_image_is_judged_has_nothing_of_it() {
    if !has(&["docker-registry"]) {
        return;
    }
    let mut registry = Registry::start(false);
    let gate = Gate::before(&registry.host);
    let address = gate.address();
    let pushing = thread::spawn(move || {
        let headers = [("Content-Type", OCI_MANIFEST), ("Authorization", "Bearer x")];
        ask(address, "PUT", "/v2/killed/slow/manifests/1", &headers, &image("killed"))
    });
    let name = format!("{}/killed/slow", registry.host);
    until("the question", || (!asked(&name).is_empty()).then_some(()));
    registry.kill();
    assert_eq!(pushing.join().unwrap().code(), (502, "UNAVAILABLE".into()));
    assert_eq!(gate.ask("GET", "/v2/", &[], b"").status, 502);
}
