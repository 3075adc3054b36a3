//! `plimsoll policy`: exit codes, and that what is shown is in order itself.

use crate::program::run;

#[test]
fn a_policy_in_order_gives_0_and_any_other_2_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let name = path.to_str().unwrap();
    std::fs::write(&path, "extends = \"strict\"\n").unwrap();
    let output = run(&["policy", "check", name]);
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    std::fs::write(&path, "extends = \"strict\"\nfail_onn = \"low\"\n").unwrap();
    let output = run(&["policy", "check", name]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.ends_with("policy.toml:2:1: unknown key 'fail_onn'; did you mean fail_on or fail_on_origin?\n"), "{said}");
    assert_eq!(run(&["policy", "check", "no/such.toml"]).status.code(), Some(2));
}

#[test]
fn what_is_shown_is_a_policy_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.toml");
    for name in ["default", "strict", "admission", "cis-docker"] {
        let shown = run(&["policy", "show", name]);
        assert_eq!(shown.status.code(), Some(0), "{name}");
        std::fs::write(&path, &shown.stdout).unwrap();
        assert_eq!(run(&["policy", "check", path.to_str().unwrap()]).status.code(), Some(0), "{name}");
        assert!(String::from_utf8(run(&["policy", "list"]).stdout).unwrap().contains(name));
    }
}
