//! Every fault of a file, with what it is told as, and the file of the documentation.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::policy::{self, Date};
use crate::serve::host::Host;

fn read(path: &Path, most: u64) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.kind().to_string())?;
    if text.len() as u64 > most { Err("too large".into()) } else { Ok(text) }
}

const HOST: Host =
    Host { read, open_policy: |name| policy::load(name, &mut |path| read(path, 1 << 20), |_| Ok(())), today: Date::default };

fn loaded(text: &str) -> Result<Config, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::write(folder.path().join("short-token"), "abc").unwrap();
    std::fs::write(folder.path().join("token"), "0123456789abcdef\n").unwrap();
    std::fs::write(folder.path().join("bad.toml"), "[checks.compilr]\n").unwrap();
    load(&path, &HOST).map_err(|faults| {
        let start = format!("{}/", folder.path().display());
        faults.iter().map(|fault| fault.to_string().replace(&start, "")).collect()
    })
}

/// The only fault of a text.
fn fault(text: &str) -> String {
    let faults = loaded(text).unwrap_err();
    assert_eq!(faults.len(), 1, "{text}: {faults:?}");
    faults[0].strip_prefix("plimsoll.toml:").unwrap().to_owned()
}

#[test]
fn an_empty_file_is_a_server_on_loopback() {
    let config = loaded("").unwrap();
    assert!(config.server.api.ip().is_loopback() && config.server.operations.ip().is_loopback() && config.gate.is_none());
    let profile = &config.profiles["default"];
    assert_eq!((profile.policy_name.as_str(), profile.mode), ("admission", Mode::Enforce));
    assert_eq!(profile.policy.as_ref(), &policy::Policy::shipped("admission").unwrap());
    assert_eq!(profile.policy_digest, crate::serve::key::policy_digest(&profile.policy));
    assert_eq!((config.limits.layers, config.limits.image_entries, config.limits.index_manifests), (128, 500_000, 64));
}

#[test]
fn the_limits_of_a_server_are_no_looser_than_those_of_the_command_line() {
    let values = |limits: &Limits| -> Vec<u64> {
        let text = format!("{limits:?}");
        text.split(": ").skip(1).map(|value| value.split([',', ' ']).next().unwrap().parse().unwrap()).collect()
    };
    let (server, plain) = (values(&limits()), values(&Limits::default()));
    assert_eq!((server.len(), plain.len()), (Limits::ALL.len(), Limits::ALL.len()));
    for ((own, default), (name, ..)) in server.iter().zip(&plain).zip(Limits::ALL) {
        assert!(own <= default, "{name}: {own}");
    }
    assert!(server.iter().zip(&plain).filter(|(own, default)| own < default).count() >= 10);
}

#[test]
fn the_file_of_the_documentation_is_in_order_and_says_what_it_seems_to() {
    let page = include_str!("../../../docs/serve.md");
    let example = page.split("```toml\n").nth(1).unwrap().split("\n```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plimsoll.toml");
    std::fs::write(folder.path().join("api.token"), "0123456789abcdef").unwrap();
    std::fs::write(folder.path().join("shop.toml"), "extends = \"strict\"\n").unwrap();
    // the certificates of the page are nowhere
    let text = example.lines().filter(|line| !line.contains("# PEM")).collect::<Vec<_>>().join("\n");
    let text = text.replace("[server.tls]\n", "").replace("[gate.tls]\n", "").replace("0.0.0.0:8443", "127.0.0.1:8443");
    std::fs::write(&path, text).unwrap();
    let config = load(&path, &HOST).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(config.server.drain, Duration::from_secs(25));
    assert_eq!(config.profiles.keys().collect::<Vec<_>>(), ["default", "shop"]);
    assert_eq!(config.profile(Hook::Kubernetes, "shop-live", "registry.example/a").unwrap().name, "shop");
    assert_eq!(config.profile(Hook::Gate, "", "registry.example/shop/cart").unwrap().name, "shop");
    assert_eq!(config.profile(Hook::Gate, "", "registry.example/other").unwrap().name, "default");
    assert_eq!(config.gate.unwrap().upstream, "https://registry.example");
}

#[test]
fn every_key_of_the_file_stands_in_the_documentation() {
    let page = include_str!("../../../docs/serve.md");
    let sources = [include_str!("load.rs"), include_str!("profiles.rs"), include_str!("registries.rs"), include_str!("hooks.rs")];
    let readers = [
        "text", "parsed", "path", "address", "duration", "flag", "count", "bytes", "word", "texts", "section", "sections",
        "named",
    ];
    let mut keys = std::collections::BTreeSet::new();
    for source in sources {
        for reader in readers {
            for after in source.split(&format!(".{reader}(\"")).skip(1) {
                keys.insert(after.split('"').next().unwrap());
            }
        }
    }
    let missing: Vec<_> = keys.iter().filter(|key| !page.contains(&format!("`{key}`"))).collect();
    assert!(keys.len() > 35 && missing.is_empty(), "{missing:?}");
}

/// A text with one fault, and what is told of it.
const FAULTS: &[(&str, &str)] = &[
    ("[server]\napi = 'here'", "2:7: `api` is 'here'; write an address and a port, such as 127.0.0.1:8443 or [::]:8443"),
    ("[server]\napi = 1", "2:7: `api` must be text in quotes, and not empty"),
    ("[sever]", "1:2: unknown key 'sever'; did you mean server?"),
    ("[server]\nmax_boddy = 1", "2:1: unknown key 'max_boddy'; did you mean max_body?"),
    ("[server]\ndrain = '25'", "2:9: `drain` is '25'; write a duration above zero, such as 500ms, 50s or 5m"),
    ("[server]\nmax_body = '8 MB'", "2:12: `max_body` must be a size, such as \"8MiB\" or a number of bytes"),
    ("[server]\nworkers = 0", "2:11: `workers` must be a whole number from 1 to 1024"),
    ("[server]\napi = '0.0.0.0:8443'", "2:7: `api` is 0.0.0.0:8443: only a loopback address may do without [server.tls]"),
    ("[server]\ntoken_file = 'none'", "2:14: the token cannot be read: entity not found"),
    ("[server]\ntoken_file = 'short-token'", "2:14: the token must have at least 16 characters"),
    (
        "[server]\npublic_url = 'plimsoll'",
        "2:14: `public_url` is 'plimsoll'; write a URL without path or user, such as https://plimsoll.example:8443",
    ),
    ("[server.tls]\ncert = 'a.pem'", "1:1: `cert` and `key` are both needed, each the path of a PEM file"),
    ("[server.tls]\ncert = 'token'\nkey = 'token'", "1:1: `cert` cannot be used: no certificate in PEM in it"),
    (
        "[gate]\nlisten = '127.0.0.1:5000'",
        "1:1: `listen` and `upstream` are both needed, such as 0.0.0.0:5000 and https://registry.example",
    ),
    (
        "[gate]\nlisten = '127.0.0.1:5000'\nupstream = 'https://u:p@r.example'",
        "3:12: `upstream` must be a registry's URL without path or user, such as https://registry.example",
    ),
    (
        "[gate]\nlisten = '127.0.0.1:5000'\nupstream = 'http://r.example'",
        "3:12: `upstream` is plain HTTP and not on loopback; use https://, or set `insecure = true` in [registries.\"r.example\"]",
    ),
    (
        "[gate]\nlisten = '127.0.0.1:9090'\nupstream = 'https://r.example'",
        "1:1: server.operations and gate.listen both listen on port 9090; give each its own",
    ),
    ("[profiles.default]\nmode = 'enforced'", "2:8: unknown value of `mode` 'enforced'; did you mean enforce?"),
    (
        "[profiles.default]\non_unknown = 'x'",
        "2:14: unknown value of `on_unknown` 'x'; the values here are verify, deny, allow, warn",
    ),
    ("[profiles.Shop]", "1:11: 'Shop' cannot name a profile; use at most 63 of a-z, 0-9 and -"),
    ("[profiles.auto]", "1:11: 'auto' cannot name a profile: in the path of a hook it stands for what [[match]] says"),
    ("[profiles.default]\nplatforms = ['arm']", "2:14: 'arm' is no platform; write linux/amd64 or linux/arm/v7"),
    ("[profiles.default]\nplatforms = 'linux/arm'", "2:13: `platforms` must be a list of texts in quotes"),
    (
        "[profiles.default.break_glass]\nannotation = 'a'",
        "1:1: `annotation` and `groups` are both needed: the annotation alone proves nothing",
    ),
    ("[profiles.default]\nenforce_workloads = 1", "2:21: `enforce_workloads` must be true or false"),
    ("[[match]]\nprofile = 'shop'", "2:11: unknown profile 'shop'; the profiles here are default"),
    ("[[match]]\nhooks = ['api']", "1:1: `profile` is missing here: the name of a [profiles.NAME]"),
    ("[[match]]\nprofile = 'default'\nhooks = ['gat']", "3:10: unknown hook 'gat'; did you mean gate?"),
    ("[match]\nprofile = 'default'", "1:1: `match` must be a list of tables: [[match]]"),
    (
        "[registries.'https://r.example']",
        "1:13: 'https://r.example' is no registry's host; write it as references do: registry.example:5000",
    ),
    ("[registries.'r.example']\nauth = 'basic-file'", "1:1: this `auth` needs `auth_file`, the path of the file that holds it"),
    (
        "[registries.'r.example']\nauth_file = 'x'",
        "1:1: `auth_file` needs `auth` to say what is in it: docker-config, basic-file or token-file",
    ),
    ("[registries.'r.example']\nca = 'token'", "2:6: `ca` cannot be used: no certificate in PEM in it"),
    (
        "[limits]\nlayer = 1",
        "2:1: unknown limit 'layer'; did you mean layers or image-layers or layer-bytes? `plimsoll limits` lists them all",
    ),
    ("[limits]\nlayers = 'many'", "2:10: `layers` must be a whole number, or text such as \"8GiB\""),
    (
        "[cache]\nredis = 'http://u:secret@x'",
        "2:9: `redis`: the scheme of the Redis server's address is not known; write redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or redis+unix:///PATH",
    ),
    ("server = 1", "1:10: `server` must be a table"),
    (
        "[profiles.default]\npolicy = 'strickt'",
        "2:10: the policy is not in order: there is no shipped policy 'strickt'; did you mean strict?",
    ),
];

#[test]
fn each_fault_is_told_with_its_place_and_what_to_do() {
    for (text, expected) in FAULTS {
        let told = fault(text);
        let is_advice = expected.contains("did you mean layers");
        assert!(
            told == *expected || (is_advice && told.starts_with("2:1: unknown limit 'layer'; did you mean")),
            "{text}\n{told}\n{expected}"
        );
    }
}

#[test]
fn a_glob_and_a_policy_file_that_are_wrong_are_told() {
    let told = fault("[[match]]\nprofile = 'default'\nnamespaces = ['[']");
    assert!(told.starts_with("3:15: '[' is not a glob: "), "{told}");
    let told = fault("[profiles.default]\npolicy = 'bad.toml'");
    assert!(told.contains("unknown check 'compilr'; did you mean compiler?"), "{told}");
}

#[test]
fn names_of_clients_are_names_and_have_an_authority() {
    let told = |text: &str| loaded(&format!("[server.tls]\n{text}")).unwrap_err().join("\n");
    let without = told("client_names = ['ci.example']");
    assert!(without.contains("1:1: `client_names` needs `client_ca`, the authority of these certificates"), "{without}");
    let empty = told("client_ca = 'ca'\nclient_names = []");
    assert!(empty.contains("`client_names` holds no name; leave it out to take every certificate of `client_ca`"), "{empty}");
    let malformed = told("client_ca = 'ca'\nclient_names = ['ci.example', 'a b']");
    assert!(malformed.contains("3:31: 'a b' is no name of a client; write a DNS name, an address, or a URI"), "{malformed}");
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_file() {
    let faults =
        loaded("[server]\nworkers = 0\n[cache]\nmemry = 1\n[profiles.default]\nmode = 'x'\n[limits]\nlayrs = 1\n").unwrap_err();
    let lines: Vec<&str> = faults.iter().map(|fault| fault.split(':').nth(1).unwrap()).collect();
    assert_eq!(lines, ["2", "4", "6", "8"]);
    let syntax = loaded("[server\na = = 1\n").unwrap_err();
    assert!(syntax.len() >= 2 && syntax.iter().all(|fault| !fault.contains("unknown key")), "{syntax:?}");
}

#[test]
fn what_a_file_holds_is_escaped_and_cut() {
    let told = fault("\"\\u001b[2J\\u202e\" = 1");
    assert!(told.contains("unknown key '\\x1b[2J\\xe2\\x80\\xae'"), "{told}");
    assert!(fault(&format!("{} = 1", "k".repeat(10_000))).len() < 400);
    let redis = fault("[cache]\nredis = 'http://u:secret@x'");
    assert!(!redis.contains("secret"), "{redis}");
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let faults = load(Path::new("no/such\u{1b}.toml"), &HOST).unwrap_err();
    assert_eq!(faults[0].to_string(), "no/such\\x1b.toml: cannot be read: entity not found");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(\\[?\\[?[a-z.\"]{0,12}\\]?\\]?\n|[a-z_]{1,12} ?= ?('[^']{0,12}'|[0-9tf\\[\\]{}]{1,5})\n){0,8}|\\PC{0,60}") {
        let _ = loaded(&text);
    }
}
