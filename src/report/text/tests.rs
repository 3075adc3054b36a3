//! The text of whole reports, as people see it.

use super::page::columns;
use super::*;
use crate::report::samples;

const WAIVED: Parts = Parts { waived: true, score: false };

#[test]
fn a_good_image() {
    insta::assert_snapshot!(render(&samples::good(), Look::default()));
}

#[test]
fn a_bad_image() {
    insta::assert_snapshot!(render(&samples::bad(), Look::default()));
}

#[test]
fn a_bad_image_with_lines_of_its_dockerfile() {
    insta::assert_snapshot!(render(&samples::located(), Look::default()));
}

#[test]
fn how_lines_are_known_is_said_once_and_calmly() {
    let mut report = samples::located();
    let hint = "  lines     not known: name the Dockerfile with --dockerfile PATH\n";
    assert!(!render(&report, Look::default()).contains("not known: name"));
    report.images[0].dockerfile = None;
    assert_eq!(render(&report, Look::default()).matches(hint).count(), 1);
    report.images[0].layers.last_mut().unwrap().instruction = Some("bazel build ...".into());
    assert!(!render(&report, Look::default()).contains(hint));
}

#[test]
fn an_unverifiable_image() {
    insta::assert_snapshot!(render(&samples::unverifiable(), Look::default()));
}

#[test]
fn something_that_is_no_image() {
    insta::assert_snapshot!(render(&samples::refused(), Look::default()));
}

#[test]
fn an_image_of_two_platforms() {
    insta::assert_snapshot!(render(&samples::two_platforms(), Look::default()));
}

#[test]
fn an_image_judged_by_a_policy_with_waivers_and_controls() {
    insta::assert_snapshot!(render(&samples::by_policy(), Look::default()));
}

#[test]
fn waived_findings_shown() {
    insta::assert_snapshot!(render_with(&samples::by_policy(), Look::default(), WAIVED));
}

#[test]
fn the_errors_alone() {
    insta::assert_snapshot!(render_errors(&samples::unverifiable(), Look { width: 60, colour: false }));
}

#[test]
fn no_line_is_wider_than_the_page_but_for_a_single_path() {
    for width in [60, 80, 100] {
        for (name, report) in samples::all() {
            for line in render_with(&report, Look { width, colour: false }, WAIVED).lines() {
                let item = line.trim_start().trim_start_matches("paths").trim_start_matches("path").trim_start();
                let is_path = item.starts_with('/') && !item.contains(' ');
                assert!(columns(line) <= width || is_path, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn no_control_character_and_no_trailing_blank_is_written() {
    for (name, report) in samples::all() {
        let text = render(&report, Look::default());
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{name}");
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{name}");
        assert!(text.lines().all(|line| !line.trim_start().starts_with("::")), "{name}");
        assert!(!text.contains("##["), "{name}");
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for (name, report) in samples::all() {
        let coloured = render(&report, Look { colour: true, ..Look::default() });
        assert!(coloured.contains('\u{1b}'), "{name}");
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), render(&report, Look::default()), "{name}");
    }
}

#[test]
fn the_last_line_is_the_verdict() {
    let last = |report: &Report| render(report, Look::default()).lines().last().unwrap().to_owned();
    assert_eq!(last(&samples::good()), "PASS  nothing found");
    assert_eq!(last(&samples::bad()), "FAIL  5 of 7 findings fail: 1 critical, 4 high");
    assert_eq!(last(&samples::unverifiable()), "UNVERIFIABLE  2 errors, 2 places not examined");
    assert_eq!(last(&samples::refused()), "UNVERIFIABLE  1 error");
    assert_eq!(last(&samples::two_platforms()), "FAIL  1 of 2 images fails");
    assert_eq!(last(&samples::by_policy()), "FAIL  2 of 3 findings fail: 2 high; 3 findings waived");
    assert_eq!(last(&samples::all_waived()), "PASS  nothing found; 1 finding waived");
}

#[test]
fn waived_findings_are_always_counted_and_listed_on_request_only() {
    let (report, look) = (samples::all_waived(), Look::default());
    let hidden = render(&report, look);
    assert!(hidden.contains("1 finding waived: see --show-waived\n") && !hidden.contains("GCC"), "{hidden}");
    assert!(!hidden.contains("Next:"), "there is nothing to mend: {hidden}");
    let shown = render_with(&report, look, WAIVED);
    assert!(shown.contains("GCC") && shown.contains("SEC-112") && !shown.contains("--show-waived"), "{shown}");
}

#[test]
fn unused_waivers_are_not_told_where_nothing_could_be_judged() {
    let mut report = samples::by_policy();
    report.images[0].verdict = Verdict::Unverifiable;
    let text = render(&report, Look::default());
    assert!(text.contains("EXPIRED WAIVERS") && !text.contains("UNUSED WAIVERS"), "{text}");
    report.images.clear();
    assert!(!render(&report, Look::default()).contains("UNUSED WAIVERS"));
}
