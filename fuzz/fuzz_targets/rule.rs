//! Arbitrary text as an own rule of a policy: it is refused, or it ends within its steps, and always in the same way.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use plimsoll::facts::Image;
use plimsoll::finding::Severity;
use plimsoll::limits::Limits;
use plimsoll::policy::Rule;
use plimsoll::rules;
use plimsoll_fuzz::facts_of;

static IMAGE: LazyLock<Image> =
    LazyLock::new(|| facts_of(&[("/bin/sh", b"#!/bin/x"), ("/etc/passwd", b"a:x:7:7::/:/bin/sh"), ("/a\\b", b"")], "a").0);

fuzz_target!(|data: &[u8]| {
    let rule = Rule {
        id: "own".into(),
        title: "Own".into(),
        severity: Severity::High,
        when: String::from_utf8_lossy(data).into_owned(),
        message: "It is wrong".into(),
        fix: "Mend it.".into(),
    };
    let limits = Limits { rule_steps: 100_000, ..Limits::default() };
    let rules = [rule];
    let evaluated = rules::evaluate(&rules, &IMAGE, &limits);
    assert_eq!(evaluated, rules::evaluate(&rules, &IMAGE, &limits));
    assert!(evaluated.findings.len() + evaluated.not_evaluated.len() <= 1);
    let is_refused = rules::compile_all(&rules, &limits).is_err();
    assert!(!is_refused || evaluated.not_evaluated.len() == 1, "what is refused is never passed over");
});
