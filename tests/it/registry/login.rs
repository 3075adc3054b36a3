//! Logging in: who learns of credentials, who does not, and what comes of tokens that end too early.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::{command, is_examined, refusal};
use crate::program::{self, Checked};
use crate::registry_server::image::Store;
use crate::registry_server::{Reply, Seen, Sent, Server};

/// `me:hunter2` in base64.
const ME: &str = "bWU6aHVudGVyMg==";
const PASSWORD: [(&str, &str); 2] = [("PLIMSOLL_REGISTRY_USERNAME", "me"), ("PLIMSOLL_REGISTRY_PASSWORD", "hunter2")];

fn run(command: &mut Command) -> Checked {
    let output = command.output().unwrap();
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let all = String::from_utf8_lossy(&all);
    for secret in [ME, "hunter2", "sekrit", "first-token", "second-token", "refresh-me"] {
        assert!(!all.contains(secret), "{secret} is shown: {all}");
    }
    program::checked(&output)
}

/// A registry that takes the tokens for which `is_good` holds, and its token service at `realm` (itself when that is empty).
fn guarded(
    realm: &'static str,
    token: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    is_good: impl Fn(&Seen) -> bool + Send + Sync + 'static,
) -> Server {
    let store = Store::image();
    Server::start(move |seen| {
        if seen.target.starts_with("/token") {
            return token(seen);
        }
        if is_good(seen) {
            return store.answer(seen);
        }
        let own = format!("http://{}/token", seen.header("host"));
        let realm = if realm.is_empty() { &own } else { realm };
        let challenge = format!("Bearer realm=\"{realm}\",service=\"the registry\",scope=\"repository:other:push\"");
        Reply::new(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
            .with("WWW-Authenticate", challenge)
    })
}

fn token(text: &str) -> Reply {
    Reply::new(200, format!(r#"{{"token":"{text}","expires_in":60}}"#))
}

#[test]
fn an_anonymous_token_is_asked_for_once_and_for_pulling_alone() {
    let server = guarded("", |_| token("first-token"), |seen| seen.header("authorization") == "Bearer first-token");
    assert!(is_examined(&run(&mut command(&server, ":1", &[]))));
    let asked: Vec<Seen> = server.seen().into_iter().filter(|seen| seen.target.starts_with("/token")).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].target, "/token?service=the%20registry&scope=repository%3Ashop%2Fcart%3Apull");
    assert_eq!(asked[0].header("authorization"), "");
}

#[test]
fn credentials_buy_a_token_and_go_nowhere_else() {
    let is_me = |seen: &Seen| seen.header("authorization") == format!("Basic {ME}");
    let answer = move |seen: &Seen| if is_me(seen) { token("first-token") } else { Reply::new(401, "{}") };
    let server = guarded("", answer, |seen| seen.header("authorization") == "Bearer first-token");
    assert!(is_examined(&run(command(&server, ":1", &[]).envs(PASSWORD))));
    let wrong = run(command(&server, ":1", &[]).envs([PASSWORD[0], ("PLIMSOLL_REGISTRY_PASSWORD", "sekrit")]));
    let (code, message) = refusal(&wrong);
    assert!(
        code == "registry-unauthorized" && message.contains("docker login") && message.contains("PLIMSOLL_REGISTRY_USERNAME"),
        "{message}"
    );
    let given = run(command(&server, ":1", &[]).env("PLIMSOLL_REGISTRY_TOKEN", "first-token"));
    assert!(is_examined(&given));
}

#[test]
fn a_token_that_ends_in_the_middle_is_replaced_once() {
    // every token is good for two requests
    let uses = std::sync::Mutex::new(std::collections::BTreeMap::<String, usize>::new());
    let is_good = move |seen: &Seen| {
        let mut uses = uses.lock().unwrap();
        let count = uses.entry(seen.header("authorization").to_owned()).or_default();
        *count += 1;
        seen.header("authorization").starts_with("Bearer t") && *count <= 2
    };
    let server = guarded("", |seen| token(&format!("t{}", seen.before)), is_good);
    assert!(is_examined(&run(&mut command(&server, ":1", &[]))));
    // four documents and blobs
    assert!((2..=4).contains(&server.count("/token")), "{}", server.count("/token"));
}

#[test]
fn tokens_that_do_not_help_are_not_asked_for_without_end() {
    let server = guarded("", |_| token("first-token"), |_| false);
    let (code, message) = refusal(&run(&mut command(&server, ":1", &[])));
    assert!(
        code == "registry-unauthorized" && message.contains("authentication required") && message.contains("no credentials"),
        "{message}"
    );
    assert_eq!((server.count("/token"), server.count("/v2/")), (1, 2));
}

#[test]
fn an_identity_token_is_posted_to_the_token_service() {
    let answer = |seen: &Seen| {
        let is_right = seen.method == "POST"
            && seen.body
                == "grant_type=refresh_token&client_id=plimsoll&scope=repository%3Ashop%2Fcart%3Apull&service=the%20registry&refresh_token=refresh-me";
        if is_right { Reply::new(200, r#"{"access_token":"first-token"}"#) } else { Reply::new(400, "{}") }
    };
    let server = guarded("", answer, |seen| seen.header("authorization") == "Bearer first-token");
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), &format!(r#"{{"auths":{{"{}":{{"identitytoken":"refresh-me"}}}}}}"#, server.host));
    assert!(is_examined(&run(command(&server, ":1", &[]).env("DOCKER_CONFIG", folder.path()))));
    assert!(server.seen().iter().all(|seen| !seen.target.contains("refresh")));
}

fn config(folder: &Path, text: &str) {
    std::fs::write(folder.join("config.json"), text).unwrap();
}

/// A registry that asks for a name and a password.
fn basic() -> Server {
    let store = Store::image();
    Server::start(move |seen| match seen.header("authorization") {
        "Basic bWU6aHVudGVyMg==" => store.answer(seen),
        _ => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\""),
    })
}

#[test]
fn passwords_come_from_files_of_docker_and_podman_and_from_helpers() {
    let server = basic();
    let folder = tempfile::tempdir().unwrap();
    let auths = format!(r#"{{"auths":{{"{}/shop":{{"auth":"{ME}"}}}}}}"#, server.host);
    config(folder.path(), &auths);
    assert!(is_examined(&run(command(&server, ":1", &[]).env("DOCKER_CONFIG", folder.path()))));
    assert!(is_examined(&run(command(&server, ":1", &[]).env("REGISTRY_AUTH_FILE", folder.path().join("config.json")))));
    let other = format!(r#"{{"auths":{{"{}/shopping":{{"auth":"{ME}"}},"127.0.0.1":{{"auth":"{ME}"}}}}}}"#, server.host);
    config(folder.path(), &other);
    let (code, _) = refusal(&run(command(&server, ":1", &[]).env("DOCKER_CONFIG", folder.path())));
    assert_eq!(code, "registry-unauthorized");

    let helper = folder.path().join("docker-credential-sesame");
    std::fs::write(&helper, "#!/bin/sh\n/bin/cat >/dev/null\necho '{\"Username\":\"me\",\"Secret\":\"hunter2\"}'\n").unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    for text in [format!(r#"{{"credHelpers":{{"{}":"sesame"}}}}"#, server.host), r#"{"credsStore":"sesame"}"#.to_owned()] {
        config(folder.path(), &text);
        let mut command = command(&server, ":1", &[]);
        assert!(is_examined(&run(command.env("DOCKER_CONFIG", folder.path()).env("PATH", folder.path()))), "{text}");
    }
    config(folder.path(), r#"{"credsStore":"absent"}"#);
    let (_, message) = refusal(&run(command(&server, ":1", &[]).env("DOCKER_CONFIG", folder.path())));
    assert!(message.contains("docker-credential-absent cannot be run") && !message.contains("tmp"), "{message}");
}

#[test]
fn a_broken_file_of_credentials_does_not_stop_public_images() {
    let folder = tempfile::tempdir().unwrap();
    config(folder.path(), "{");
    let store = Store::image();
    let server = Server::start(move |seen| store.answer(seen));
    assert!(is_examined(&run(command(&server, ":1", &[]).env("DOCKER_CONFIG", folder.path()))));
    let server = basic();
    let (_, message) = refusal(&run(command(&server, ":1", &[]).env("DOCKER_CONFIG", folder.path())));
    assert!(message.contains("Docker's config.json could not be read"), "{message}");
}

#[test]
fn a_blob_that_lies_elsewhere_is_fetched_without_authorization() {
    let store = Store::image();
    let storage = Server::start({
        let store = store.clone();
        move |seen| store.answer(seen)
    });
    let away = storage.host.clone();
    let server = Server::start(move |seen| match (seen.header("authorization"), seen.is_blob()) {
        ("Basic bWU6aHVudGVyMg==", true) => {
            Reply::new(307, "").with("Location", format!("http://{away}{}?signature=sekrit", seen.target))
        }
        ("Basic bWU6aHVudGVyMg==", false) => store.answer(seen),
        _ => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\""),
    });
    assert!(is_examined(&run(command(&server, ":1", &[]).envs(PASSWORD))));
    assert!(storage.count("/blobs/") >= 3);
    assert!(storage.authorizations().is_empty(), "{:?}", storage.authorizations());
}

#[test]
fn a_mirror_does_not_get_what_is_meant_for_the_registry() {
    let origin = basic();
    let mirror = Server::start(|_| Reply::new(401, "").with("WWW-Authenticate", "Basic realm=\"x\""));
    let told = format!("{}={}", origin.host, mirror.host);
    let more = ["--registry-mirror", told.as_str(), "--plain-http", &mirror.host];
    assert!(is_examined(&run(command(&origin, ":1", &more).envs(PASSWORD))));
    assert!(mirror.count("/manifests/") == 1 && mirror.authorizations().is_empty());
}

#[test]
fn token_services_out_of_bounds_are_not_asked() {
    for realm in [
        "http://token.example/token",
        "ftp://token.example/",
        "/token",
        "",
        "file:///etc/passwd",
        "http://u:p@127.0.0.1/",
        "https://",
    ] {
        if realm.is_empty() {
            continue;
        }
        let server = guarded(realm, |_| token("first-token"), |_| false);
        let (code, message) = refusal(&run(command(&server, ":1", &[]).envs(PASSWORD)));
        assert!(code == "registry-error" && message.contains("token service"), "{realm}: {message}");
        assert!(server.authorizations().is_empty());
    }
}

#[test]
fn token_services_that_misbehave_are_refused() {
    let answers: Vec<(Reply, &str)> = vec![
        (Reply::new(307, "").with("Location", "/token2"), "redirects"),
        (Reply::new(200, "<html>"), "without a token"),
        (Reply::new(200, r#"{"token":""}"#), "without a token"),
        (Reply::new(200, r#"{"token":"a\r\nX-Evil: b"}"#), "no header can hold"),
        (Reply::new(200, vec![b' '; 1 << 17]), "more than"),
        (Reply::new(200, vec![b' '; 1 << 16]).sent(Sent::Endlessly), "more than"),
        (Reply::new(200, vec![b'['; 60_000]), "without a token"),
        (Reply::new(503, ""), "503"),
        (Reply::new(404, ""), "has no a token"),
    ];
    for (reply, expected) in answers {
        let server = guarded("", move |_| reply.clone(), |_| false);
        let (code, message) = refusal(&run(command(&server, ":1", &[]).envs(PASSWORD)));
        assert!(code.starts_with("registry-") && message.contains(expected), "{expected}: {code} {message}");
        assert_eq!(server.count("/token2"), 0);
    }
}

#[test]
fn challenges_that_are_not_understood_are_said_to_be_that() {
    for challenge in ["Negotiate", "Bearer realm=\"unclosed", "Digest realm=\"x\"", ""] {
        let server = Server::start(move |_| Reply::new(401, "").with("WWW-Authenticate", challenge));
        let (code, message) = refusal(&run(command(&server, ":1", &[]).envs(PASSWORD)));
        assert!(code == "registry-error" && message.contains("way to log in"), "{challenge}: {message}");
        assert_eq!(server.seen().len(), 1);
    }
}
