//! What is refused, where, and what is said.

use super::*;

#[test]
fn faults_are_told_with_their_place_and_what_was_meant() {
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeX";
    let base = format!("[[base.allowed]]\nname = 'x'\ndiff_ids = ['{digest}']");
    for (text, message) in [
        ("fial_on = 'high'", "p.toml:1:1: unknown key 'fial_on'; did you mean fail_on or fail_on_origin?"),
        ("fail_on = 'hihg'", "p.toml:1:11: unknown value 'hihg'; did you mean high?"),
        ("fail_on = 'info'", "p.toml:1:11: unknown value 'info'; the values here are low, medium, high, critical"),
        ("fail_on = 1", "p.toml:1:11: this must be a word in quotes"),
        ("[checks.compiler]\n\nseverty = 'low'", "p.toml:3:1: unknown key 'severty'; did you mean severity?"),
        ("[checks.root_user]", "p.toml:1:9: unknown check 'root_user'; did you mean root-user?"),
        ("[checks.zzz]", "p.toml:1:9: unknown check 'zzz'; `plimsoll checks` lists the checks"),
        ("[checks.compiler]\nallow = ['/a', '/b[']", "p.toml:2:16: '/b[' is not a glob"),
        ("[checks.compiler]\nmin_bytes = '5 MB'", "p.toml:2:13: '5 MB' is not a size; write a whole number with KiB"),
        ("[sizes]\nshipped = -1", "p.toml:2:11: a size cannot be negative"),
        ("[floors]\nscore = 101", "p.toml:2:9: `floors.score` is 101; it must be a number from 0 to 100"),
        ("[floors]\nscore = nan", "p.toml:2:9: this is not a finite number"),
        ("[floors]\ngrade = 'E'", "p.toml:2:9: unknown value 'E'; the values here are A, B, C, D, F"),
        (base.as_str(), "p.toml:3:13: 'sha256:"),
        ("[[base.allowed]]\nname = 'x'\ndiff_ids = []", "p.toml:3:12: `diff_ids` must not be empty"),
        ("a = 1\na = 2", "p.toml:2:1: "),
        ("a = ", "p.toml:1:5: "),
    ] {
        let said = said(text);
        assert!(said.starts_with(message), "{text}\n{said}");
    }
}

#[test]
fn waivers_must_say_what_why_and_until_when() {
    for (text, message) in [
        ("[[waivers]]\nreason = 'r'\nexpires = 2027-01-01", "p.toml:1:1: the key `check` is missing here"),
        ("[[waivers]]\ncheck = 'compiler'\nexpires = 2027-01-01", "p.toml:1:1: the key `reason` is missing here"),
        ("[[waivers]]\ncheck = 'compiler'\nreason = 'r'", "p.toml:1:1: the key `expires` is missing here"),
        ("[[waivers]]\ncheck = 'compiler'\nreason = ' '\nexpires = 2027-01-01", "p.toml:3:10: `reason` must not be empty"),
        ("[[waivers]]\ncheck = 'compiler'\nreason = 'r'\nexpires = '2027-02-30'", "p.toml:4:11: '2027-02-30' is not a day"),
        (
            "[[waivers]]\ncheck = 'compiler'\nreason = 'r'\nexpires = 2027-02-01T00:00:00Z",
            "p.toml:4:11: '2027-02-01T00:00:00Z' is not a day",
        ),
        ("[[waivers]]\ncheck = 'compiler'\nreason = 'r'\nexpires = 5", "p.toml:4:11: invalid type: integer `5`, expected a day"),
        ("[[waivers]]\ncheck = 'c'\nreason = 'r'\nexpires = 2027-01-01", "p.toml:2:9: unknown check 'c'"),
    ] {
        let said = said(text);
        assert!(said.starts_with(message), "{text}\n{said}");
    }
}

#[test]
fn rules_must_have_ids_of_their_own_and_expressions_that_compile() {
    let rule = |id: &str, when: &str| {
        format!("[[rules]]\nid = '{id}'\ntitle = 't'\nseverity = 'low'\nwhen = '{when}'\nmessage = 'm'\nfix = 'f'\n")
    };
    assert!(said(&rule("compiler", "w")).contains("p.toml:2:6: 'compiler' cannot be the id of a rule: a built-in check has it"));
    for id in ["No", "a_b", "a--b", "", "1a", "a-"] {
        assert!(said(&rule(id, "w")).contains("lower-case words with dashes"), "{id}");
    }
    assert_eq!(said(&rule("no-curl", "wrong")), "p.toml:5:8: the rule 'no-curl' cannot be understood: wrong is unknown");
    let twice = rule("no-curl", "w").repeat(2);
    assert_eq!(said(&twice), "p.toml:9:6: the rule 'no-curl' is already at p.toml:2:6; take one of them out");
}

#[test]
fn scores_must_make_sense() {
    let head = "[score]\nbytes_unit = 1\ncount_unit = 1\ngrades = { A = 90, B = 75 }\n";
    let group = |weights: &str| format!("{head}[[score.groups]]\nname = 'g'\nweights = {{ {weights} }}\n");
    for (text, message) in [
        (group("rooot = 1"), "p.toml:7:13: unknown measurement 'rooot'; did you mean root?"),
        (group("compressed_bytes = 1"), "p.toml:7:13: unknown measurement 'compressed_bytes'"),
        (group("root = -1"), "p.toml:7:20: `root` is -1; it must be a number from 0 to 1000"),
        (group("root = 0"), "p.toml:5:1: `sum of the weights` is 0; it must be more than 0"),
        (
            group("root = 1") + "[[score.groups]]\nname = 'g'\nweights = {}\n",
            "p.toml:9:8: the group 'g' is already at p.toml:6:8",
        ),
        (
            group("root = 1") + "[[score.groups]]\nname = 'h'\nweights = { root = 1 }\n",
            "p.toml:10:13: the measurement 'root' is already at p.toml:7:13",
        ),
        ("[score]\nbytes_unit = 0".into(), "p.toml:2:14: `bytes_unit` is 0; it must be 1 or more"),
        ("[score.grades]\nA = 50\nB = 50".into(), "p.toml:3:5: grade A starts at 50, grade B at 50"),
        ("[score.grades]\nF = 5".into(), "p.toml:2:1: unknown key 'F'"),
        ("[[score.caps]]\ngrade = 'C'".into(), "p.toml:1:1: this cap would hold for every image"),
        ("[[score.caps]]\ngrade = 'C'\nchecks = ['compilr']".into(), "p.toml:3:11: unknown check 'compilr'"),
        ("[[score.groups]]\nname = 'g'\nweights = { root = 1 }".into(), "p.toml:1:3: the key `bytes_unit` is missing here"),
    ] {
        let said = said(&text);
        assert!(said.starts_with(message), "{text}\n{said}");
    }
}

#[test]
fn controls_must_be_there_once_and_name_checks_that_exist() {
    let control = "[[controls]]\nframework = 'f'\nid = '1'\ntitle = 't'\nchecks = ['nope']\n";
    let said = said(&control.repeat(2));
    assert!(said.contains("p.toml:5:11: unknown check 'nope'"), "{said}");
    assert!(said.contains("p.toml:8:6: the control 'f 1' is already at p.toml:3:6"), "{said}");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_up_to_a_bound() {
    let text: String = (0..80).map(|number| format!("[checks.q{number}]\n")).collect::<Vec<_>>().concat();
    assert_eq!(said(&text).lines().count(), 50);
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    assert!(said(&format!("a = {}", "[".repeat(100_000))).starts_with("p.toml:1:"));
    assert!(said(&format!("extends = {}1{}", "[".repeat(70), "]".repeat(70))).starts_with("p.toml:1:"));
}
