//! What rules can say, what is refused before any image is read, and what becomes a finding.

use std::time::Duration;

use super::testing::{Builder, compiled, evaluated, fires, rule};
use super::*;

fn image() -> Image {
    Builder::default()
        .file("/usr/bin/su", 0o4755, 0)
        .file("/app/data", 0o666, 1000)
        .hard_link("/app/same", "/app/data")
        .link(b"/app/caf\xe9", b"/usr\\x")
        .package("login", &["/usr/bin/su"])
        .history("/bin/sh -c #(nop)  ENV TOKEN=secret1")
        .config(|config| {
            config.env = vec!["A=1".into(), "A=2".into(), "PATH=/bin:/sbin".into()];
            config.labels = vec![("maintainer".into(), "me".into())];
            config.exposed_ports = vec!["22/tcp".into(), "80/tcp".into()];
        })
        .image()
}

fn refused(when: &str) -> String {
    compiled(when).expect_err(when)
}

#[test]
fn rules_that_hold_and_rules_that_do_not() {
    let image = image();
    for when in [
        "image.user.uid == 10001 && image.user.groups == [10001] && 10001 in image.user.groups",
        "image.env['A'] == '2' && image.env.A == '2' && has(image.env.A) && 'A' in image.env && !has(image.env.B)",
        "image.labels.exists(k, k == 'maintainer') && size(image.labels) == 1",
        "image.ports == ['22/tcp', '80/tcp'] && image.ports[1].startsWith('80')",
        "files.exists(f, f.path == '/app/caf\\\\xe9' && f.target == '/usr\\\\\\\\x' && f.type == 'symlink')",
        "files.exists_one(f, f.setuid) && files.all(f, f.layer == 0 && f.size <= 10)",
        "files.filter(f, f.folder == '/app').map(f, f.name) == ['caf\\\\xe9', 'data', 'same']",
        "files.map(f, f.world_writable, f.path).size() == 2",
        "executables.exists(e, 'su' in e.names && e.elf && e.package == 'login')",
        "packages.exists(p, p.name == 'login' && p.version == '1')",
        "image.platform.architecture in ['amd64', 'arm64'] && image.language == 'other'",
        "'abc'.matches('^a.c$') && 'abc'.contains('b') && 'abc'.endsWith('c') && 'é'.size() == 1",
        "(1 + 2 * 3 - 4) / 3 % 2 == 1 && -1 < 0 && 'a' + 'b' == 'ab' && 'a' < 'b' && (true ? 1 : 2) == 1",
        "[].size() == 0 && !(1 in []) && image.cmd == []",
        "image.history.exists(h, h.startsWith('ENV '))",
        // what is missing does not matter where the other side decides
        "image.labels['x'] == 'y' || true",
        "['a'].filter(y, image.labels['x'] == y) == [] || ['b'].exists(z, z == 'b')",
        "image.ports.exists(p, image.labels['x'] == p || p == '22/tcp')",
    ] {
        assert_eq!(fires(when, &image), Ok(true), "{when}");
        assert_eq!(fires(&format!("!({when})"), &image), Ok(false), "{when}");
    }
    for when in ["files.filter(f, f.size > 10)", "packages.filter(p, false)", "[]", "image.volumes"] {
        assert_eq!(fires(when, &image), Ok(false), "{when}");
    }
}

#[test]
fn what_has_no_answer_is_never_a_pass() {
    let image = image();
    for (when, reason) in [
        ("image.labels.nope == 'x'", "line 1, column 13 of `when`: there is no \"nope\""),
        ("image.env[\"a\\nb\"] == ''", "line 1, column 10 of `when`: there is no \"a\\x0ab\""),
        ("true &&\n image.ports[9] == ''", "line 2, column 13 of `when`: the list has 2 elements, and no number 9"),
        ("1 / image.volumes.size() == 1", "line 1, column 3 of `when`: a division by zero"),
        ("9223372036854775807 + image.layers > 0", "line 1, column 21 of `when`: a number that is too large"),
        ("image.ports.all(p, image.labels[p] == '')", "line 1, column 32 of `when`: there is no \"22/tcp\""),
    ] {
        assert_eq!(fires(when, &image), Err(reason.to_owned()), "{when}");
    }
    let ghost = Builder::default().user(None).image();
    let reason = fires("image.user.uid == 0", &ghost).unwrap_err();
    assert_eq!(reason, "line 1, column 11 of `when`: this image has no value for \"uid\"");
    assert_eq!(fires("!has(image.user.uid) || image.user.uid == 0", &ghost), Ok(true));
}

#[test]
fn a_rule_that_does_not_compile_is_not_evaluated() {
    let evaluated = evaluated("nope", &image());
    assert!(evaluated.findings.is_empty());
    assert!(evaluated.not_evaluated[0].1.starts_with("line 1, column 1 of `when`: there is no variable \"nope\""));
    let errors = compile_all(&[rule("true"), rule("1"), rule("2")], &Limits::default()).unwrap_err();
    assert_eq!(errors.len(), 2);
}

#[test]
fn unknown_names_are_refused_with_a_suggestion() {
    for (when, expected) in [
        ("imge.user.uid == 0", "line 1, column 1 of `when`: there is no variable \"imge\"; did you mean \"image\"?"),
        ("true ||\n  image.usr.uid == 0", "line 2, column 8 of `when`: image has no \"usr\"; did you mean \"user\"?"),
        ("files.exists(f, f.pth == '')", "file has no \"pth\"; did you mean \"path\"?"),
        ("files.exits(f, true)", "there is no function \"exits\"; did you mean \"exists\"?"),
        ("'é' == image.x", "column 13 of `when`: image has no \"x\"; there are user, env,"),
        ("has(image.nope)", "image has no \"nope\""),
        ("tick__()", "there is no function \"tick__\"; there are all, contains,"),
        ("files.exists(f, g == 1)", "there is no variable \"g\"; there are f, image, files, packages, executables"),
        ("image.user.exists(1)", "\"exists\" is not called like this"),
    ] {
        assert!(refused(when).contains(expected), "{when}: {}", refused(when));
    }
}

#[test]
fn types_that_do_not_fit_are_refused() {
    for (when, expected) in [
        ("image.user.uid == 'root'", "this is string, and the other side is int"),
        ("image.user == image.user", "\"==\" is not offered for image.user"),
        ("true && 1", "this is int, and bool is wanted"),
        ("1 in ['a']", "int cannot be in list of string"),
        ("[1, 'a'] == []", "a list holds values of one type, and this is string"),
        ("[[1]] == []", "lists hold no lists"),
        ("files.map(f, files.map(g, 1)).size() == 1", "lists hold no lists"),
        ("image.user.uid", "it yields int; a rule yields bool, or a list"),
        ("[1]", "it yields list of int"),
        ("1.5 > 1.0", "constants are"),
        ("1u == 1u", "constants are"),
        ("null == null", "constants are"),
        ("{'a': 1}.size() == 1", "maps and messages cannot be written"),
        ("'a'.matches(image.workdir)", "matches() takes a string that stands in the rule"),
        ("'a'.matches('(')", "\"(\" is no regular expression"),
        ("'a'.matches('((a{1000}){1000}){1000}')", "is too large"),
        ("files.exists(f, files.exists(f, true))", "\"f\" has a meaning here already"),
        ("files.exists(image, true)", "\"image\" has a meaning here already"),
        ("[].exists(x, true)", "empty list has no elements to go through"),
        ("image.user.uid.x == 1", "int has no fields"),
        ("image[0] == 1", "image has no elements"),
        ("has(files)", "has() asks for a field"),
        ("size(1) == 1", "int has no size"),
        ("files.exists(1, true)", "first argument is a plain name"),
        ("-true", "this is bool, and int is wanted"),
    ] {
        assert!(refused(when).contains(expected), "{when}: {}", refused(when));
    }
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    for (when, place) in [("1 +", "line 1, column 4"), ("true &&\n'é' == ) 1", "line 2, column 8"), ("", "line 1, column 1")] {
        let error = refused(when);
        assert!(error.starts_with(&format!("rule own: {place} of `when`: it is no expression")), "{error}");
    }
}

#[test]
fn size_depth_and_nesting_are_limited() {
    assert!(refused(&format!("true{}", " ".repeat(5000))).contains("limit rule-bytes is 4096, found 5004"));
    assert!(refused(&format!("{}1 == 1", "1 + ".repeat(500))).contains("limit rule-depth is 100, found 101"));
    assert!(refused("files.all(a, files.all(b, files.all(c, true)))").contains("limit rule-nesting is 2, found 3"));
}

#[test]
fn sources_that_repeat_one_thing_are_refused_or_read_in_good_time() {
    let image = image();
    for part in
        ["(", "[", "!", "-", "{", "a.", "a[", "true?", "has(", "'", "\\", "f(", "[].map(x,", "\"\"\"", "é", "1+", "true||", "//"]
    {
        let source = part.repeat(4096 / part.len());
        let started = std::thread::spawn({
            let source = source.clone();
            move || compiled(&source).is_ok()
        });
        for _ in 0..200 {
            std::thread::sleep(Duration::from_millis(50));
            if started.is_finished() {
                break;
            }
        }
        assert!(started.is_finished(), "{part}");
        let _ = fires(&source, &image);
    }
}

#[test]
fn the_steps_are_limited_and_nothing_makes_up_for_it() {
    let image = image();
    let limits = Limits { rule_steps: 20, ..Limits::default() };
    for when in ["files.all(f, files.all(g, g.path != f.path + 'x'))", "files.exists(f, files.all(g, f.size < g.size)) || true"] {
        let evaluated = evaluate(&[rule(when), rule("true")], &image, &limits);
        assert_eq!(evaluated.findings.len(), 1, "{when}");
        let reason = "limit rule-steps is 20, found 21; raise it with --limit rule-steps=N if you trust the image";
        assert_eq!(evaluated.not_evaluated, [("own".to_owned(), reason.to_owned())], "{when}");
    }
}

#[test]
fn texts_that_double_are_stopped() {
    let doubled = format!("['{}']{}.size() == 1", "a".repeat(1000), ".map(x, x + x)".repeat(30));
    let reason = fires(&doubled, &image()).unwrap_err();
    assert!(reason.ends_with("+ would make a string of 128000 bytes, and 65536 is the most"), "{reason}");
}

#[test]
fn files_become_evidence_with_layer_history_owner_and_bytes() {
    let found = evaluated("files.filter(f, f.world_writable || f.setuid)", &image()).findings.remove(0);
    assert_eq!((found.check.as_str(), found.severity), ("own", crate::policy::Severity::High));
    assert_eq!(found.observation.message, "It is wrong");
    assert_eq!(found.observation.fix.as_deref(), Some("Mend it."));
    let seen: Vec<_> = found.observation.evidence.iter().map(|one| (one.path.clone().unwrap(), one.bytes)).collect();
    assert_eq!(seen, [(b"/app/data".to_vec(), 10), (b"/app/same".to_vec(), 0), (b"/usr/bin/su".to_vec(), 10)]);
    let su = &found.observation.evidence[2];
    assert_eq!((su.layer, su.history, su.package.as_deref()), (Some(0), Some(0), Some("login")));
}

#[test]
fn texts_that_are_paths_become_evidence_and_others_are_named() {
    let image = image();
    let paths = evaluated("files.map(f, f.type == 'symlink', f.path) ", &image).findings.remove(0);
    assert_eq!(paths.observation.evidence[0].path.as_deref(), Some(&b"/app/caf\xe9"[..]));
    assert_eq!(paths.observation.evidence[0].linkname.as_deref(), Some(&b"/usr\\x"[..]));
    let ports = evaluated("image.ports.filter(p, p != '443/tcp')", &image).findings.remove(0);
    assert_eq!(ports.observation.message, "It is wrong: 22/tcp, 80/tcp");
    assert_eq!(ports.observation.evidence, [crate::finding::Evidence::of_config("config.ExposedPorts")]);
    let many = evaluated("['g', 'a', 'b', 'c', 'd', 'e', '/nowhere\\n']", &image).findings.remove(0);
    assert_eq!(many.observation.message, "It is wrong: /nowhere\\x0a, a, b, c, d and 2 more");
    let secret = evaluated("image.history", &image).findings.remove(0);
    assert!(!secret.observation.message.contains("secret1"), "{}", secret.observation.message);
}

#[test]
fn a_truth_about_the_config_names_its_fields() {
    let found = evaluated("image.user.uid != 0 && size(image.labels) == 1", &image()).findings.remove(0);
    let fields: Vec<_> = found.observation.evidence.iter().filter_map(|one| one.config.as_deref()).collect();
    assert_eq!(fields, ["config.Labels", "config.User"]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(source in "\\PC{0,60}") {
        let _ = fires(&source, &Builder::default().image());
    }

    #[test]
    fn any_row_of_words_is_compiled_or_refused_and_ends(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..25)
    ) {
        let limits = Limits { rule_steps: 10_000, ..Limits::default() };
        let image = image();
        let evaluated = evaluate(&[rule(&words.join(" "))], &image, &limits);
        proptest::prop_assert_eq!(evaluated, evaluate(&[rule(&words.join(" "))], &image, &limits));
    }
}

const WORDS: &[&str] = &[
    "image",
    "files",
    "packages",
    "executables",
    ".",
    ".user",
    ".uid",
    ".labels",
    ".exists(x,",
    ".map(x,",
    ".filter(y,",
    ".path",
    "x",
    "y",
    ")",
    "(",
    "[",
    "]",
    "==",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "1",
    "'a'",
    "true",
    "in",
    "?",
    ":",
    ",",
    "has(",
    "size(",
    "<",
    "{",
    "}",
];
