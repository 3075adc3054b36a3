//! Tests of what files say of the software that they describe.

use proptest::prelude::*;

use super::*;

/// What a file says, in whatever chunks it comes.
fn declared(path: &str, body: &[u8]) -> Option<Declared> {
    let read = |chunk: usize| {
        let mut probe = DeclaredProbe::default();
        probe.start(path.as_bytes(), u64::try_from(body.len()).unwrap(), &Limits::default());
        body.chunks(chunk).for_each(|bytes| probe.push(bytes));
        probe.finish().map(|declared| *declared)
    };
    let whole = read(body.len().max(1));
    for chunk in [1, 7, 100] {
        assert_eq!(read(chunk), whole, "chunks of {chunk}");
    }
    whole
}

fn names(path: &str, body: &str) -> Vec<(String, String)> {
    let declared = declared(path, body.as_bytes()).unwrap();
    assert_eq!(declared.fault, None);
    let pair = |named: Named| (named.name.into(), named.version.unwrap_or_else(|| "none".into()).into());
    declared.named.into_iter().map(pair).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
}

#[test]
fn package_json_gives_name_and_version() {
    let path = "/app/node_modules/a/package.json";
    let body = r#"{"dependencies": {"name": "no"}, "name": "@x/a", "files": [[{}]], "version": "1.2.3"}"#;
    assert_eq!(names(path, body), pairs(&[("@x/a", "1.2.3")]));
    assert_eq!(names(path, &format!("\u{feff}{body}")), pairs(&[("@x/a", "1.2.3")]));
    assert_eq!(names(path, r#"{"name": "a", "version": 3}"#), pairs(&[("a", "none")]));
    assert_eq!(names(path, r#"{"private": true, "name": ["a"]}"#), []);
    for wrong in ["", "{", "[]", "null", r#"{"name": "a", "name": "b"}"#, "{\"name\": \"\u{1}\"}"] {
        assert!(declared(path, wrong.as_bytes()).unwrap().fault.is_some(), "{wrong}");
    }
}

#[test]
fn metadata_of_python_gives_name_and_version_of_its_headers() {
    let body = "Metadata-Version: 2.1\r\nName: Django\r\nVersion: 5.0\r\n\r\nName: other\n";
    for path in
        ["/s/django-5.0.dist-info/METADATA", "/s/Django.egg-info/PKG-INFO", "/s/x-1.egg/EGG-INFO/PKG-INFO", "/s/x-1.egg-info"]
    {
        assert_eq!(names(path, body), pairs(&[("Django", "5.0")]), "{path}");
    }
    assert_eq!(names("/a.dist-info/METADATA", "name: a\n"), pairs(&[("a", "none")]));
    for wrong in ["", "\nName: late\n", "Summary: x\n", "Name:\n"] {
        assert!(declared("/a.dist-info/METADATA", wrong.as_bytes()).unwrap().fault.is_some(), "{wrong}");
    }
}

#[test]
fn a_line_without_an_end_is_not_kept() {
    let mut probe = DeclaredProbe::default();
    probe.start(b"/a.dist-info/METADATA", 1 << 30, &Limits::default());
    for _ in 0..100 {
        probe.push(&[b'x'; 10_000]);
    }
    assert!(probe.bytes.len() < HEADER_BYTES + 10_000);
    assert!(probe.finish().unwrap().fault.is_some());
}

#[test]
fn a_file_over_the_limit_is_said_and_not_read() {
    let mut probe = DeclaredProbe::default();
    probe.start(b"/node_modules/a/package.json", 5 << 20, &Limits::default());
    assert!(!probe.is_active());
    probe.push(b"{}");
    assert!(probe.finish().unwrap().fault.unwrap().contains("declared-bytes"));
    let long = format!(r#"{{"name": "{}"}}"#, "x".repeat(2_000));
    assert!(declared("/a/package.json", long.as_bytes()).unwrap().fault.unwrap().contains("longer"));
}

#[test]
fn lists_give_every_package() {
    let body = r#"{"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"}, "libraries": {
        "app/1.0.0": {"type": "project"}, "Serilog/3.1.1": {"type": "package", "sha512": ""}, "x": {"type": "package"}}}"#;
    assert_eq!(names("/app/app.deps.json", body), pairs(&[("Serilog", "3.1.1"), ("x", "none")]));
    let list = r#"[{"name": "monolog/monolog", "version": "3.5.0"}, {"name": "psr/log"}]"#;
    let expected = pairs(&[("monolog/monolog", "3.5.0"), ("psr/log", "none")]);
    assert_eq!(names("/app/vendor/composer/installed.json", list), expected);
    assert_eq!(names("/app/vendor/composer/installed.json", &format!(r#"{{"packages": {list}, "dev": true}}"#)), expected);
}

#[test]
fn other_files_say_nothing() {
    for path in
        ["/app/package-lock.json", "/METADATA", "/s/METADATA", "/app/installed.json", "/a.egg-info/x", "/package.json.bak"]
    {
        assert_eq!(declared(path, b"{}"), None, "{path}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_said(form in 0_usize..4, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let paths = ["/a/package.json", "/a.dist-info/METADATA", "/a.deps.json", "/composer/installed.json"];
        let _ = declared(paths[form], &body);
    }

    #[test]
    fn any_json_is_read_or_said(form in 0_usize..4, body in r#"(\{|\}|\[|\]|"name"|"version"|"packages"|"libraries"|"a"|:|,|1){0,30}"#) {
        let paths = ["/a/package.json", "/a.dist-info/METADATA", "/a.deps.json", "/composer/installed.json"];
        let _ = declared(paths[form], body.as_bytes());
    }
}
