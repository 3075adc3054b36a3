//! Policies from files: what is laid over what, what is refused and where.

use std::path::Path;

use super::*;

mod documented;
mod refused;

const FULL: &str = include_str!("testing/full.toml");
const SCHEMA: &str = include_str!("../../docs/schema/policy-1.0.0.json");

/// Loads the first of `files`, which hold all that can be read.
fn loaded(files: &[(&str, &str)]) -> Result<Loaded, Vec<PolicyError>> {
    let mut read = |path: &Path| {
        let known = files.iter().find(|(name, _)| Path::new(name) == path);
        known.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "no such file".to_owned())
    };
    load(files.first().unwrap().0, &mut read, |rule| {
        if rule.when.contains("wrong") { Err("wrong is unknown".to_owned()) } else { Ok(()) }
    })
}

fn policy(files: &[(&str, &str)]) -> Policy {
    loaded(files).unwrap_or_else(|errors| panic!("{errors:?}")).policy
}

/// What is said of the first of the files, one line for each fault.
fn said_of(files: &[(&str, &str)]) -> String {
    let errors = loaded(files).map(|loaded| loaded.policy).expect_err("it is not in order");
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What is said of a file that is called `p.toml`.
fn said(text: &str) -> String {
    said_of(&[("p.toml", text)])
}

#[test]
fn every_shipped_policy_loads() {
    for (name, _) in SHIPPED {
        let policy = Policy::shipped(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(policy.name, name);
        assert!(policy.waivers.is_empty() && policy.rules.is_empty() && !policy.allow_incomplete, "{name}");
        let weights: f64 = policy.score.groups.iter().flat_map(|group| &group.weights).map(|(_, weight)| weight).sum();
        assert!((weights - 100.0).abs() < 1e-9, "{name}: {weights}");
    }
}

#[test]
fn the_default_policy_holds_the_numbers_of_the_score() {
    let policy = Policy::shipped("default").unwrap();
    assert_eq!((policy.fail_on, policy.fail_on_origin), (Severity::High, Scope::All));
    assert_eq!((policy.score.bytes_unit, policy.score.count_unit), (1 << 20, 1));
    let first = policy.score.groups.first().unwrap();
    assert_eq!(first.name, "build tools");
    assert_eq!(first.weights, [(Measure::ToolchainBytes, 18.0), (Measure::Compilers, 12.0)], "in the file's order");
    assert_eq!(policy.score.grades, [(Grade::A, 90.0), (Grade::B, 75.0), (Grade::C, 60.0), (Grade::D, 40.0)]);
    assert_eq!(policy.score.caps.len(), 3);
    assert_eq!(policy.score.caps[1].checks, ["root-user", "compiler"]);
}

#[test]
fn the_benchmark_policy_has_every_item_and_says_what_an_image_cannot_tell() {
    let controls = Policy::shipped("cis-docker").unwrap().controls;
    let of = |framework: &'static str| -> Vec<&str> {
        controls.iter().filter(|one| one.framework.starts_with(framework)).map(|one| one.id.as_str()).collect()
    };
    let cis: Vec<String> = (1..=12).map(|number| format!("4.{number}")).collect();
    let nist: Vec<String> = (1..=5).map(|number| format!("4.1.{number}")).collect();
    assert_eq!(of("CIS Docker"), cis);
    assert_eq!(of("NIST"), nist);
    assert_eq!(of("OWASP").len(), 15, "RULE 0 to 13, and 5a");
    for control in &controls {
        assert!(control.checks.is_sorted(), "{}", control.id);
        assert!(control.note.ends_with('.') && !control.title.ends_with('.'), "{} {}", control.framework, control.id);
    }
    let answered: std::collections::BTreeSet<&str> =
        controls.iter().flat_map(|control| &control.checks).map(String::as_str).collect();
    let unasked: Vec<&str> = crate::checks::ALL.iter().map(|check| check.id).filter(|id| !answered.contains(id)).collect();
    let expected = [
        "broken-script-entrypoint",
        "build-leftovers",
        "buried-files",
        "debug-symbols",
        "development-files",
        "documentation",
        "executable-stack",
        "insecure-runpath",
        "missing-entrypoint",
        "missing-interpreter",
        "missing-library",
        "missing-package-database",
        "missing-source-label",
        "missing-symbol-version",
        "non-numeric-user",
        "onbuild-trigger",
        "package-cache",
        "privileged-port",
        "shell-form-command",
        "temporary-files",
        "user-writable-code",
        "weak-hardening",
        "wrong-architecture",
    ];
    assert_eq!(unasked, expected, "no item asks for them");
}

#[test]
fn a_policy_that_does_not_exist_is_told_those_that_do() {
    let error = Policy::shipped("defualt").unwrap_err();
    assert_eq!(error.to_string(), "there is no shipped policy 'defualt'; did you mean default?");
    assert!(Policy::shipped("mine").unwrap_err().to_string().contains("cis-docker; a file's name ends with .toml"));
    assert!(Policy::shipped("./mine.toml").is_err());
}

#[test]
fn every_key_reaches_the_policy() {
    insta::assert_debug_snapshot!(policy(&[("ci/full.toml", FULL)]));
}

#[test]
fn an_empty_file_is_a_policy_that_says_nothing() {
    assert_eq!(policy(&[("p.toml", "")]), Policy { name: "p.toml".into(), ..Policy::default() });
}

#[test]
fn every_policy_is_valid_by_the_published_schema_and_its_faults_are_not() {
    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let json = |text: &str| {
        let (_, tree) = chain::parse(&place::Text::new("p.toml".into(), text.to_owned()), 0).unwrap();
        tree.to_json()
    };
    for (name, text) in SHIPPED.into_iter().chain([("full", FULL), ("empty", "")]) {
        let value = json(text);
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    for (key, wrong) in [("fail_on", "hihg"), ("fail_onn", "high"), ("allow_incomplete", "yes")] {
        assert!(!schema.is_valid(&serde_json::json!({ key: wrong })), "{key}");
    }
    assert!(!schema.is_valid(&serde_json::json!({ "waivers": [{ "check": "compiler", "expires": "2027-01-01" }] })));
}

mod extending {
    use super::*;

    const BASE: (&str, &str) = (
        "org.toml",
        "name = 'org'\nfail_on = 'low'\n[checks.compiler]\nseverity = 'low'\nallow = ['/a']\n[checks.root-user]\nenabled = false\n\
         [[waivers]]\ncheck = 'compiler'\nreason = 'org'\nexpires = 2027-01-01\n",
    );

    #[test]
    fn tables_are_laid_over_key_by_key_and_waivers_are_kept() {
        let near = "extends = './org.toml'\n[checks.compiler]\nallow = ['/b', '/c']\n\
                    [[waivers]]\ncheck = 'root-user'\nreason = 'near'\nexpires = 2027-01-01\n";
        let policy = policy(&[("near.toml", near), BASE]);
        assert_eq!((policy.name.as_str(), policy.fail_on), ("near.toml", Severity::Low));
        let compiler = &policy.checks["compiler"];
        assert_eq!(
            (compiler.severity, compiler.allow.as_slice()),
            (Some(Severity::Low), &["/b".to_owned(), "/c".to_owned()][..])
        );
        assert!(policy.checks["root-user"].is_off);
        let waivers: Vec<_> = policy.waivers.iter().map(|waiver| (waiver.reason.as_str(), waiver.place.as_str())).collect();
        assert_eq!(waivers, [("org", "org.toml:8"), ("near", "near.toml:4")]);
    }

    #[test]
    fn groups_and_caps_are_replaced_as_a_whole() {
        let near = "extends = 'default'\n[[score.groups]]\nname = 'one'\nweights = { root = 1 }\n\
                    [[score.caps]]\ngrade = 'D'\nseverity = 'low'\n[score.grades]\nD = 30\n";
        let score = policy(&[("p.toml", near)]).score;
        assert_eq!((score.groups.len(), score.caps.len(), score.bytes_unit), (1, 1, 1 << 20));
        assert_eq!(score.grades.last(), Some(&(Grade::D, 30.0)), "grades are a table: key by key");
        assert_eq!(score.grades.len(), 4);
        assert!(policy(&[("p.toml", "extends = 'default'\nscore.caps = []\n")]).score.caps.is_empty());
    }

    #[test]
    fn of_several_the_later_lies_over_the_earlier_and_this_file_over_all() {
        let files = |extends| {
            [
                ("p.toml", extends),
                ("a.toml", "fail_on = 'low'\n[floors]\nscore = 1\n"),
                ("sub/b.toml", "extends = '../a.toml'\nfail_on = 'critical'\n[floors]\nscore = 2\ngrade = 'D'\n"),
                ("sub/../a.toml", "fail_on = 'low'\n[floors]\nscore = 1\n"),
            ]
        };
        let both = policy(&files("extends = ['a.toml', 'sub/b.toml']\n[floors]\ngrade = 'C'\n"));
        assert_eq!((both.fail_on, both.floors), (Severity::Critical, Floors { score: Some(2.0), grade: Some(Grade::C) }));
        let turned = policy(&files("extends = ['sub/b.toml', 'a.toml']\n"));
        assert_eq!(turned.fail_on, Severity::Critical, "a.toml is laid once, where it is met first");
    }

    #[test]
    fn a_file_that_is_reached_twice_is_laid_once() {
        let files = [
            ("p.toml", "extends = ['a.toml', 'b.toml']\n"),
            ("a.toml", "extends = 'org.toml'\n"),
            ("b.toml", "extends = 'org.toml'\n"),
            BASE,
        ];
        assert_eq!(policy(&files).waivers.len(), 1);
    }

    #[test]
    fn circles_are_told_where_they_close() {
        assert_eq!(
            said_of(&[
                ("x/a.toml", "extends = 'b.toml'\n"),
                ("x/b.toml", "\nextends = ['../x/a.toml']\n"),
                ("x/../x/a.toml", "extends = 'b.toml'\n")
            ]),
            "x/b.toml:2:12: 'x/../x/a.toml' extends itself by way of this file; take one of the two out of `extends`"
        );
        assert!(said_of(&[("p.toml", "extends = './p.toml'\n"), ("q.toml", "")]).contains("extends itself"));
    }

    #[test]
    fn chains_are_bounded_in_depth_and_in_number() {
        let mut read = |path: &Path| {
            let number: usize = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            Ok(format!("extends = '{}.toml'", number + 1))
        };
        let deep = load("0.toml", &mut read, |_| Ok(())).unwrap_err();
        assert_eq!(deep[0].to_string(), "7.toml:1:11: more than 8 policies above one another; put some of them into one file");
        let names: Vec<String> = (1..40).map(|number| format!("'{number}.toml'")).collect();
        let wide = format!("extends = [{}]", names.join(", "));
        let mut read = |path: &Path| Ok(if path == Path::new("0.toml") { wide.clone() } else { String::new() });
        let wide = load("0.toml", &mut read, |_| Ok(())).unwrap_err();
        assert!(wide[0].to_string().contains("more than 32 policies in all"), "{wide:?}");
    }

    #[test]
    fn what_cannot_be_read_is_told_with_the_place_that_asks_for_it() {
        assert_eq!(
            said_of(&[("p.toml", "extends = 'no.toml'")]),
            "p.toml:1:11: cannot read the policy file 'no.toml': no such file"
        );
        assert_eq!(
            said("extends = ['default', 'stritc']"),
            "p.toml:1:23: there is no shipped policy 'stritc'; did you mean strict?"
        );
        let missing = load("no.toml", &mut |_: &Path| Err("no such file".to_owned()), |_| Ok(())).unwrap_err();
        assert_eq!(missing[0].to_string(), "cannot read the policy file 'no.toml': no such file");
    }

    #[test]
    fn faults_of_an_extended_file_are_told_in_that_file() {
        assert_eq!(
            said_of(&[("p.toml", "extends = 'a.toml'"), ("a.toml", "\n[checks.compilr]\n")]),
            "a.toml:2:9: unknown check 'compilr'; did you mean compiler?"
        );
    }

    #[test]
    fn ids_of_rules_are_known_in_the_whole_chain() {
        let rule = "extends = 'a.toml'\n[[rules]]\nid = 'no-curl'\ntitle = 't'\nseverity = 'low'\nwhen = 'w'\nmessage = 'm'\nfix = 'f'\n";
        let far = "[checks.no-curl]\nenabled = false\n";
        assert!(policy(&[("p.toml", rule), ("a.toml", far)]).checks["no-curl"].is_off);
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_policy_or_an_error(text: String) {
        let _ = loaded(&[("p.toml", &text)]);
    }

    #[test]
    fn a_policy_with_a_piece_torn_out_or_put_in_is_a_policy_or_an_error(
        from in 0usize..4000, length in 0usize..200, piece in "[\\[\\]{}='\"a-z0-9., \n#\\\\é-]{0,20}",
    ) {
        let cut = |at: usize| FULL.char_indices().map(|(at, _)| at).nth(at).unwrap_or(FULL.len());
        let torn = format!("{}{piece}{}", &FULL[..cut(from)], &FULL[cut(from.saturating_add(length))..]);
        match loaded(&[("p.toml", &torn)]) {
            Ok(loaded) => proptest::prop_assert!(loaded.policy.waivers.iter().all(|waiver| !waiver.reason.trim().is_empty())),
            Err(errors) => proptest::prop_assert!(!errors.is_empty()),
        }
    }
}
