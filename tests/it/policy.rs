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

#[test]
fn the_policies_of_the_readme_and_of_the_page_of_rules_are_in_order_and_their_rules_compile() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    for page in ["README.md", "docs/rules.md", "docs/policy.md"] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let blocks: Vec<&str> = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(!blocks.is_empty(), "{page}");
        // the page of policies extends files of its own: they are loaded by a unit test
        for block in blocks.into_iter().filter(|block| !block.contains(".toml\"")) {
            std::fs::write(&path, block).unwrap();
            let path = path.to_str().unwrap();
            let arguments = ["serve", "--check-config", "--config", path];
            let output = if block.contains("[gate]") { run(&arguments) } else { run(&["policy", "check", path]) };
            assert_eq!(output.status.code(), Some(0), "{page}:\n{block}\n{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn a_rule_that_does_not_compile_is_wrong_use_before_any_image_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    let rule = "[[rules]]\nid = 'x'\ntitle = 'x'\nseverity = 'low'\nwhen = 'image.usr.uid == 0'\nmessage = 'x'\nfix = 'x'\n";
    std::fs::write(&path, rule).unwrap();
    let output = run(&["check", "no-such-image.tar", "--policy", path.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("policy.toml:") && said.contains("did you mean \"user\""), "{said}");
}
