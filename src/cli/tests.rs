//! Help texts, arguments, exit codes.

use clap::CommandFactory as _;

use super::*;
use crate::policy::{Date, Scope, Severity};
use crate::report::model::{PolicyReport, Report, Schema, SourceReport, Tool, Verdict};

const CONTEXT: Context = Context { color: ColorChoice::Never, quiet: true };

fn parsed(words: &[&str]) -> Result<Cli, String> {
    Cli::try_parse_from(words).map_err(|error| error.to_string())
}

fn request(words: &[&str]) -> crate::verify::Request {
    match parsed(words).unwrap().command {
        Command::Check(args) => args.request(CONTEXT).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_help_of_every_subcommand() {
    let mut command = Cli::command().term_width(80);
    command.build();
    insta::assert_snapshot!("help", command.render_long_help().to_string());
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let help = subcommand.clone().term_width(80).render_long_help().to_string();
        insta::assert_snapshot!(format!("help_{}", subcommand.get_name()), help);
        for below in subcommand.get_subcommands().filter(|below| below.get_name() != "help") {
            let help = below.clone().term_width(80).render_long_help().to_string();
            insta::assert_snapshot!(format!("help_{}_{}", subcommand.get_name(), below.get_name()), help);
        }
    }
}

#[test]
fn every_subcommand_teaches_by_example() {
    Cli::command().debug_assert();
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut waiting: Vec<&clap::Command> = vec![&command];
    let mut seen = 0;
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands());
        let name = command.get_display_name().unwrap_or_default();
        let help = command.get_after_help().unwrap_or_else(|| panic!("{name} has no examples")).to_string();
        assert!(help.contains("Example") && help.contains("  plimsoll "), "{name}");
        let examples = help.lines().filter(|line| line.starts_with("  plimsoll ") || line.contains("| plimsoll "));
        for example in examples {
            let word = example.split("plimsoll ").nth(1).unwrap().split_whitespace().next().unwrap();
            assert!(Cli::command().find_subcommand(word).is_some(), "{name}: {example}");
        }
        seen += 1;
    }
    assert!(seen > 15, "{seen}");
}

#[test]
fn the_arguments_of_check_become_a_request() {
    let plain = request(&["plimsoll", "check", "-"]);
    assert_eq!((plain.source.input.to_str(), plain.policy), (Some("-"), crate::policy::Policy::shipped("default").unwrap()));
    let full = request(&[
        "plimsoll",
        "check",
        "a.tar",
        "--image",
        "x:1",
        "--platform",
        "linux/arm64/v8",
        "--fail-on",
        "low",
        "--yours-only",
        "--as-of",
        "2026-11-21",
        "--policy",
        "default",
        "--show-waived",
        "--allow-incomplete",
        "--limit",
        "layers=9",
        "--limit",
        "layer-bytes=2GiB",
    ]);
    assert_eq!(full.source.image.as_deref(), Some("x:1"));
    assert_eq!(full.source.platforms[0].to_string(), "linux/arm64/v8");
    assert_eq!((full.policy.fail_on, full.policy.allow_incomplete), (Severity::Low, true));
    assert_eq!((full.policy.fail_on_origin, full.as_of), (Scope::Yours, Date::parse("2026-11-21").unwrap()));
    assert_eq!((full.limits.layers, full.limits.layer_bytes), (9, 2 << 30));
}

#[test]
fn a_wrong_limit_is_told_what_there_is() {
    let error = parsed(&["plimsoll", "check", "a", "--limit", "layer-byte=1"]).unwrap_err();
    assert!(error.contains("did you mean layer-bytes") && error.contains("plimsoll limits"), "{error}");
    for bad in ["layers", "layers=", "layers=x", "layers=-1", "=1"] {
        assert!(input::limit(bad).is_err(), "{bad}");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for words in [
        &["plimsoll"][..],
        &["plimsoll", "check"],
        &["plimsoll", "check", "a", "--platform", "arm"],
        &["plimsoll", "check", "a", "--fail-on", "info"],
        &["plimsoll", "check", "a", "--as-of", "2026-02-29"],
        &["plimsoll", "ls", "a", "--format", "yaml"],
        &["plimsoll", "explain"],
        &["plimsoll", "base"],
        &["plimsoll", "check", "a", "--base"],
        &["plimsoll", "check", "a", "--base", "-"],
    ] {
        assert!(parsed(words).is_err(), "{words:?}");
    }
}

#[test]
fn what_is_not_asked_for_is_the_policy_s() {
    let plain = request(&["plimsoll", "check", "-"]);
    assert_eq!((plain.policy.fail_on, plain.policy.fail_on_origin), (Severity::High, Scope::All));
    assert!(plain.as_of > Date::parse("2026-01-01").unwrap() && plain.as_of < Date::default(), "{}", plain.as_of);
}

#[test]
fn a_policy_that_nobody_knows_is_wrong_use() {
    let Command::Check(args) = parsed(&["plimsoll", "check", "-", "--policy", "strickt\u{1b}"]).unwrap().command else {
        panic!()
    };
    let error = args.request(CONTEXT).unwrap_err().1;
    assert!(error.starts_with("error: there is no shipped policy 'strickt\\x1b'"), "{error}");
}

#[test]
fn the_exit_code_follows_the_verdict() {
    let of = |verdict, exit_zero| {
        let source = SourceReport { kind: None, name: "-".into() };
        let report = Report {
            schema: Schema::current(),
            tool: Tool::current(),
            source,
            policy: PolicyReport::default(),
            images: vec![],
            errors: vec![],
            verdict,
        };
        check::exit_code(&report, exit_zero)
    };
    assert_eq!([of(Verdict::Pass, false), of(Verdict::Fail, false), of(Verdict::Unverifiable, false)], [0, 1, 3]);
    assert_eq!([of(Verdict::Pass, true), of(Verdict::Fail, true), of(Verdict::Unverifiable, true)], [0, 0, 3]);
}

#[test]
fn an_unknown_id_is_answered_with_those_like_it() {
    assert_eq!(
        explain::unknown("opaque-rot\u{1b}"),
        "error: there is no check or code 'opaque-rot\\x1b'; did you mean opaque-root?\n"
    );
    assert!(explain::unknown("zzz").contains("plimsoll checks"));
}

#[test]
fn every_limit_is_listed() {
    insta::assert_snapshot!(limits::table(crate::report::text::Look::default()));
}
