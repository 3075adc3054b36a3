//! What files of credentials say, and what is made of files that say nothing.

use super::*;

fn file() -> AuthFile {
    AuthFile { path: "none".into(), name: "config.json" }
}

fn look(json: &str, host: &str, repository: &str) -> Option<String> {
    let config = parse(json.as_bytes()).unwrap();
    let found = in_config(&config, &Access::default(), &file(), host, repository).unwrap();
    found.map(|(credential, _)| match credential {
        Credential::Basic { username, password } => format!("{username} {}", password.reveal()),
        Credential::Identity(token) => format!("identity {}", token.reveal()),
        Credential::Bearer(token) => format!("bearer {}", token.reveal()),
    })
}

fn auths(entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, auth)| format!(r#""{key}": {{"auth": "{auth}"}}"#)).collect();
    format!(r#"{{"auths": {{{}}}, "currentContext": "x"}}"#, entries.join(","))
}

const A: &str = "YTphLXBhc3M=";
const B: &str = "YjpiOnBhc3M=";

#[test]
fn an_entry_is_found_by_every_name_that_docker_wrote_it_under() {
    for key in ["r.example", "https://r.example", "https://r.example/v1/", "http://r.example/v2/", "R.example/"] {
        assert_eq!(look(&auths(&[(key, A)]), "r.example", "x/y").as_deref(), Some("a a-pass"), "{key}");
    }
    for key in ["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"] {
        assert_eq!(look(&auths(&[(key, B)]), "docker.io", "library/x").as_deref(), Some("b b:pass"), "{key}");
    }
}

#[test]
fn an_entry_of_another_host_port_or_namespace_is_not_taken() {
    for key in ["r.example.org", "example", "r.example:5000", "r.example/other", "r.example/x/y/z", "r.example/x/yy"] {
        assert_eq!(look(&auths(&[(key, A)]), "r.example", "x/y"), None, "{key}");
    }
}

#[test]
fn the_entry_of_the_nearest_namespace_counts() {
    let both = auths(&[("r.example", A), ("r.example/x", B)]);
    assert_eq!(look(&both, "r.example", "x/y").as_deref(), Some("b b:pass"));
    assert_eq!(look(&both, "r.example", "z").as_deref(), Some("a a-pass"));
}

#[test]
fn tokens_and_plain_names_are_taken() {
    let of = |entry: &str| look(&format!(r#"{{"auths": {{"r.example": {entry}}}}}"#), "r.example", "x");
    assert_eq!(of(r#"{"auth": "YTphLXBhc3M=", "identitytoken": "t"}"#).as_deref(), Some("identity t"));
    assert_eq!(of(r#"{"registrytoken": "t"}"#).as_deref(), Some("bearer t"));
    assert_eq!(of(r#"{"username": "u", "password": "p"}"#).as_deref(), Some("u p"));
    // what credential stores leave behind
    assert_eq!(of("{}"), None);
    assert_eq!(of("null"), None);
}

#[test]
fn what_is_wrong_with_a_file_is_said_without_its_content() {
    let config = parse(br#"{"auths": {"r.example": {"auth": "hunter2!"}}}"#).unwrap();
    let error = in_config(&config, &Access::default(), &file(), "r.example", "x").unwrap_err();
    assert!(!error.contains("hunter2"), "{error}");
    for text in [r#"{"auths": {"r.example": {"auth": ["hunter2"]}}}"#, r#"{"auths": "hunter2"}"#, "hunter2", ""] {
        let error = parse(text.as_bytes()).unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_the_environment_gives_is_for_the_host_of_the_reference_alone() {
    let given = Some((Credential::Bearer(Secret::new("t".into())), "the environment"));
    let access = Access { given, ..Access::default() };
    assert!(find(&access, "r.example", "x", true, &Limits::default()).credential.is_some());
    let other = find(&access, "mirror.example", "x", false, &Limits::default());
    assert!(other.credential.is_none() && other.told.contains("no credentials"), "{}", other.told);
}

#[test]
fn files_are_bounded_and_their_absence_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let access = Access { auth_files: vec![AuthFile { path: path.clone(), name: "config.json" }], ..Access::default() };
    let told = |limits: &Limits| find(&access, "r.example", "x", true, limits).told;
    assert_eq!(told(&Limits::default()), "no credentials are known for it");
    std::fs::write(&path, auths(&[("r.example", A)])).unwrap();
    assert_eq!(told(&Limits::default()), "config.json");
    assert!(told(&Limits { registry_auth_file_bytes: 10, ..Limits::default() }).contains("limit registry-auth-file-bytes"));
    let folder =
        Access { auth_files: vec![AuthFile { path: folder.path().to_owned(), name: "config.json" }], ..Access::default() };
    assert!(find(&folder, "r.example", "x", true, &Limits::default()).told.contains("no regular file"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        probe(&bytes);
    }
}
