//! The registry of the distribution project and skopeo, on the spot: pushed images, passwords, certificates.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{bare, is_examined, refusal};
use crate::program::{self, Checked};
use crate::recipe;

/// Whether these programs can be run here; in CI they must.
fn has(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        eprintln!("skipped: needs {missing:?}");
        assert!(std::env::var_os("CI").is_none(), "in CI {missing:?} must be installed");
    }
    missing.is_empty()
}

fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// A running docker-registry with an empty store; it ends when it is dropped.
struct Registry {
    host: String,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Registry {
    /// `more` goes below `http:` and after it, indented.
    fn start(more: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: {host}\n{}",
            folder.path().join("store").display(),
            more(folder.path()),
        );
        let config = folder.path().join("config.yml");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let registry = Self { host, child, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "docker-registry does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    fn push(&self, source: &str, name: &str, more: &[&str]) {
        let target = format!("docker://{}/{name}", self.host);
        let mut command = Command::new("skopeo");
        command.args(["copy", "-q", "--insecure-policy", "--dest-tls-verify=false"]).args(more).args([source, &target]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{source}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn check(&self, name: &str, more: &[&str], environment: &[(&str, &str)]) -> Checked {
        let reference = format!("{}/{name}", self.host);
        let arguments = [&["check", &reference, "--format", "json"], more].concat();
        program::checked(&bare(&arguments).envs(environment.iter().copied()).output().unwrap())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The report without what says where the image came from.
fn without_source(mut report: Value) -> Value {
    report.as_object_mut().unwrap().remove("source");
    for image in report["images"].as_array_mut().unwrap() {
        image.as_object_mut().unwrap().remove("reference");
    }
    report
}

/// Whether a report says something of a layout's index, which is lost when the image alone is pushed.
fn is_about_index(report: &Value) -> bool {
    let report = report.to_string();
    ["platform-mismatch", "index-entry-not-examined", "index-ambiguous-platform"].iter().any(|code| report.contains(code))
}

#[test]
fn pushed_images_give_the_reports_of_their_layouts() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(|_| String::new());
    let (mut compared, mut differing) = (0, Vec::new());
    for recipe in recipe::all() {
        let folder = tempfile::tempdir().unwrap();
        let Some(layout) = recipe::write(&recipe, folder.path()).into_iter().find(|path| path.is_dir()) else { continue };
        let expected = program::check(&layout, &[]);
        // skopeo takes one image of a layout, and refuses what is malformed
        if expected.images().len() != 1 || expected.exit == Some(3) || is_about_index(&expected.report) {
            continue;
        }
        let name = format!("case{compared}:1");
        let target = format!("docker://{}/{name}", registry.host);
        let source = format!("oci:{}", layout.display());
        let mut push = Command::new("skopeo");
        push.args(["copy", "-q", "--insecure-policy", "--dest-tls-verify=false", "--preserve-digests", &source, &target]);
        if !push.output().unwrap().status.success() {
            continue;
        }
        let found = registry.check(&name, &[], &[]);
        if without_source(found.report.clone()) != without_source(expected.report) {
            differing.push(format!("{}: {}", layout.display(), found.report));
        }
        compared += 1;
    }
    program::assert_none(&differing);
    assert!(compared >= 10, "only {compared} images were compared");
}

#[test]
fn small_images_of_real_builders_give_the_reports_of_their_files() {
    let Some(shared) = program::shared_images().filter(|_| has(&["docker-registry", "skopeo"])) else { return };
    let registry = Registry::start(|_| String::new());
    let mut archives: Vec<_> =
        std::fs::read_dir(shared.join("small/realdocker")).unwrap().flatten().map(|entry| entry.path()).collect();
    archives.retain(|path| path.extension().is_some_and(|ending| ending == "gz"));
    archives.sort();
    let mut compared = 0;
    for archive in archives.iter().take(6) {
        let expected = program::check(archive, &[]);
        if expected.images().len() != 1 {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("image.tar");
        let mut input = flate2::read::MultiGzDecoder::new(std::fs::File::open(archive).unwrap());
        std::io::copy(&mut input, &mut std::fs::File::create(&plain).unwrap()).unwrap();
        registry.push(&format!("docker-archive:{}", plain.display()), &format!("real{compared}:1"), &[]);
        let found = registry.check(&format!("real{compared}:1"), &[], &[]);
        assert_eq!((found.exit, found.codes()), (expected.exit, expected.codes()), "{}", archive.display());
        compared += 1;
    }
    assert!(compared > 0);
}

#[test]
fn the_other_commands_take_references_too() {
    if !has(&["docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::start(|_| String::new());
    let folder = tempfile::tempdir().unwrap();
    let layout = recipe::write(&recipe::named("opq_first"), folder.path()).into_iter().find(|path| path.is_dir()).unwrap();
    registry.push(&format!("oci:{}", layout.display()), "shop/cart:1", &[]);
    let reference = format!("{}/shop/cart:1", registry.host);
    let scheme = format!("docker://{reference}");
    let file = layout.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["ls", &reference],
        &["ls", &scheme, "--format", "json"],
        &["base", &reference],
        &["compare", file, &reference],
        &["baseline", "record", &reference, "--family", "x", "--stage", "single"],
        &["check", file, "--base", &reference, "--exit-zero"],
    ];
    for arguments in commands {
        let output = bare(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_registry_with_passwords_is_read_with_the_right_one() {
    if !has(&["docker-registry", "skopeo", "htpasswd"]) {
        return;
    }
    let registry = Registry::start(|folder| {
        let output = Command::new("htpasswd").args(["-Bbn", "me", "pass:word"]).output().unwrap();
        let path = folder.join("htpasswd");
        std::fs::write(&path, output.stdout).unwrap();
        format!("auth: {{htpasswd: {{realm: shop, path: {}}}}}\n", path.display())
    });
    let folder = tempfile::tempdir().unwrap();
    let layout = recipe::write(&recipe::named("opq_first"), folder.path()).into_iter().find(|path| path.is_dir()).unwrap();
    registry.push(&format!("oci:{}", layout.display()), "shop/cart:1", &["--dest-creds", "me:pass:word"]);
    assert_eq!(refusal(&registry.check("shop/cart:1", &[], &[])).0, "registry-unauthorized");
    let name = ("PLIMSOLL_REGISTRY_USERNAME", "me");
    assert_eq!(
        refusal(&registry.check("shop/cart:1", &[], &[name, ("PLIMSOLL_REGISTRY_PASSWORD", "x")])).0,
        "registry-unauthorized"
    );
    assert!(is_examined(&registry.check("shop/cart:1", &[], &[name, ("PLIMSOLL_REGISTRY_PASSWORD", "pass:word")])));
    // what skopeo's own login writes
    let file = folder.path().join("auth.json");
    let login =
        ["login", "-u", "me", "-p", "pass:word", "--tls-verify=false", "--authfile", file.to_str().unwrap(), &registry.host];
    assert!(Command::new("skopeo").args(login).output().unwrap().status.success());
    assert!(is_examined(&registry.check("shop/cart:1", &[], &[("REGISTRY_AUTH_FILE", file.to_str().unwrap())])));
}

#[test]
fn a_certificate_counts_when_its_authority_is_given() {
    if !has(&["docker-registry", "skopeo", "openssl"]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let path = |name: &str| made.path().join(name).display().to_string();
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    std::fs::write(path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    openssl(
        &[&["req", "-x509", "-subj", "/CN=authority", "-keyout", &path("ca.key"), "-out", &path("ca.pem")], key.as_slice()]
            .concat(),
    );
    openssl(&[&["req", "-subj", "/CN=registry", "-keyout", &path("key"), "-out", &path("csr")], &key[..5]].concat());
    let sign = ["x509", "-req", "-in", &path("csr"), "-CA", &path("ca.pem"), "-CAkey", &path("ca.key"), "-CAcreateserial"];
    openssl(&[&sign, ["-days", "2", "-extfile", &path("names"), "-out", &path("crt")].as_slice()].concat());
    let registry = Registry::start(|_| format!("  tls: {{certificate: {}, key: {}}}\n", path("crt"), path("key")));
    let folder = tempfile::tempdir().unwrap();
    let layout = recipe::write(&recipe::named("opq_first"), folder.path()).into_iter().find(|path| path.is_dir()).unwrap();
    registry.push(&format!("oci:{}", layout.display()), "shop/cart:1", &[]);

    let (code, message) = refusal(&registry.check("shop/cart:1", &[], &[]));
    assert!(code == "registry-unreachable" && message.contains("--registry-ca"), "{message}");
    assert!(is_examined(&registry.check("shop/cart:1", &["--registry-ca", &path("ca.pem")], &[])));
    assert!(is_examined(&registry.check("shop/cart:1", &[], &[("SSL_CERT_FILE", &path("ca.pem"))])));
    let (code, _) = refusal(&registry.check("shop/cart:1", &["--registry-ca", &path("key")], &[]));
    assert_eq!(code, "input-unreadable");
}
