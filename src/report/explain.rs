//! `plimsoll checks` and `plimsoll explain`: what the program knows about its checks, requirements and codes, for the terminal.

use crate::checks::{self, Check};
use crate::oci::{Code, Tier};
use crate::policy::likest;
use crate::policy::requirement::{self, REQUIREMENTS, Requirement};

use super::checks_page::TIERS;
use super::text::Look;
use super::text::page::{MILD, Page, QUIET, STRONG};

/// The table of checks, and of the requirements that a policy can make.
#[must_use]
pub fn table(look: Look) -> String {
    table_of(checks::ALL, REQUIREMENTS, look)
}

fn table_of(all: &[&Check], requirements: &[Requirement], look: Look) -> String {
    let mut page = Page::new(look);
    let ids = all.iter().map(|check| check.id).chain(requirements.iter().map(|requirement| requirement.id));
    let widest = ids.map(str::len).max().unwrap_or(0);
    for family in checks::Family::ALL {
        let members: Vec<&Check> = all.iter().copied().filter(|check| check.family == family).collect();
        if members.is_empty() {
            continue;
        }
        page.blank();
        page.headline(STRONG, family.as_str(), "", "");
        for check in members {
            page.columns(&[(check.id, widest, MILD), (check.severity.as_str(), 8, QUIET)], check.title);
        }
    }
    if !requirements.is_empty() {
        page.blank();
        page.headline(STRONG, "requirements of policies", "", "");
        for requirement in requirements {
            page.columns(&[(requirement.id, widest, MILD), (requirement.severity.as_str(), 8, QUIET)], requirement.title);
        }
    }
    page.blank();
    page.text(0, "plimsoll explain ID tells what a check looks for, why, and how to fix what it finds.");
    page.finish()
}

/// All that is known about the check, requirement or code called `id`; None when there is none.
#[must_use]
pub fn explain(id: &str, look: Look) -> Option<String> {
    if let Some(check) = checks::find(id) {
        return Some(explain_check(check, look));
    }
    if let Some(requirement) = requirement::find(id) {
        return Some(explain_requirement(requirement, look));
    }
    Code::ALL.iter().find(|code| code.as_str() == id).map(|code| explain_code(*code, look))
}

/// Whether [`explain`] knows of it: policies bring rules of their own.
#[must_use]
pub fn is_known(id: &str) -> bool {
    names().any(|name| name == id)
}

/// Names of checks, requirements and codes that are spelt much like `id`, the likest first.
#[must_use]
pub fn alike(id: &str) -> Vec<&'static str> {
    likest(id, names())
}

/// Every id that can be explained.
fn names() -> impl Iterator<Item = &'static str> {
    let checks = checks::ALL.iter().map(|check| check.id);
    let requirements = REQUIREMENTS.iter().map(|requirement| requirement.id);
    checks.chain(requirements).chain(Code::ALL.iter().map(|code| code.as_str()))
}

fn explain_check(check: &Check, look: Look) -> String {
    let mut page = Page::new(look);
    let about = format!("{}, {}, since {}", check.severity.as_str(), check.family.as_str(), check.since);
    page.headline(STRONG, check.id, "", &about);
    page.text(0, check.title);
    chapters(&mut page, [("What", check.what), ("Why", check.why), ("Fix", check.fix)]);
    if !check.example.trim().is_empty() {
        page.blank();
        page.headline(STRONG, "Example", "", "");
        for line in check.example.trim_matches('\n').lines() {
            page.verbatim(4, line.trim_end());
        }
    }
    if !check.references.is_empty() {
        page.blank();
        page.headline(STRONG, "References", "", "");
        for reference in check.references {
            page.text(2, reference.name);
            page.verbatim(4, reference.url);
        }
    }
    page.finish()
}

fn explain_requirement(requirement: &Requirement, look: Look) -> String {
    let mut page = Page::new(look);
    let about = format!("{}, requirement of policies, since {}", requirement.severity.as_str(), requirement.since);
    page.headline(STRONG, requirement.id, "", &about);
    page.text(0, requirement.title);
    chapters(&mut page, [("What", requirement.what), ("Why", requirement.why), ("Fix", requirement.fix)]);
    page.finish()
}

fn chapters(page: &mut Page, chapters: [(&str, &str); 3]) {
    for (title, text) in chapters {
        page.blank();
        page.headline(STRONG, title, "", "");
        page.text(2, text);
    }
}

fn explain_code(code: Code, look: Look) -> String {
    let mut page = Page::new(look);
    let (title, follows) =
        TIERS.iter().find(|(tier, ..)| *tier == code.tier()).map_or(("", ""), |(_, title, text)| (*title, *text));
    page.headline(STRONG, code.as_str(), "", &title.to_lowercase());
    page.text(0, &capitalised(code.meaning()));
    page.blank();
    page.headline(STRONG, "What follows", "", "");
    page.text(2, follows);
    page.blank();
    page.headline(STRONG, "What to do", "", "");
    page.text(2, advice(code));
    page.finish()
}

/// What a person can do about it.
fn advice(code: Code) -> &'static str {
    match (code, code.tier()) {
        (Code::LimitExceeded, _) => {
            "Raise the limit that the error names, with --limit NAME=VALUE, if you trust the image. \
             `plimsoll limits` lists them all."
        }
        (Code::ArchiveSeveralImages | Code::ImageNotFound, _) => {
            "Choose one with --image NAME or --platform OS/ARCH; the error lists what there is."
        }
        (Code::NotAnImage | Code::InputUnreadable, _) => {
            "Give a file written by `docker save`, `podman save` or `docker buildx build --output type=oci`, an OCI layout \
             folder, or - to read standard input: docker save IMAGE | plimsoll check -"
        }
        (Code::UserIsRoot | Code::UserUnresolved | Code::UserOutOfRange, _) => {
            "Set USER to a number from 1 to 2147483647, such as USER 10001: it needs no entry in /etc/passwd."
        }
        (_, Tier::Reject) => {
            "Write the image again from where it was built. If the same error comes back, the builder is at fault, or \
             somebody has changed the image: do not run it."
        }
        (_, Tier::Fail) => {
            "Rebuild the image with an ordinary builder. If you did not make it this way on purpose, treat the image as hostile."
        }
        (_, Tier::Flag | Tier::Info) => {
            "Nothing, if you know why it is so; otherwise rebuild the image with a current builder and look again."
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_table_of_two_checks() {
        insta::assert_snapshot!(table_of(samples::CHECKS, &[], Look::default()));
    }

    #[test]
    fn a_check_explained() {
        insta::assert_snapshot!(explain_check(samples::CHECKS[0], Look::default()));
    }

    #[test]
    fn a_code_explained() {
        insta::assert_snapshot!(explain("opaque-root", Look::default()).unwrap());
    }

    #[test]
    fn a_requirement_explained() {
        insta::assert_snapshot!(explain("required-label", Look::default()).unwrap());
    }

    #[test]
    fn the_table_lists_requirements_after_the_checks() {
        let text = table(Look::default());
        let (_, requirements) = text.split_once("\nrequirements of policies\n").unwrap();
        assert!(REQUIREMENTS.iter().all(|requirement| requirements.contains(requirement.id)), "{text}");
    }

    #[test]
    fn every_check_every_requirement_and_every_code_is_explained() {
        for id in names() {
            assert!(explain(id, Look::default()).is_some_and(|text| text.contains(id)), "{id}");
        }
        assert_eq!(explain("no-such-thing", Look::default()), None);
    }

    #[test]
    fn a_misspelt_name_finds_those_like_it() {
        assert!(alike("opaque-rot").contains(&"opaque-root"));
        assert!(alike("OPAQUE").contains(&"opaque-root"));
        assert!(alike("require-labels").contains(&"required-label"));
        assert!(alike("zzzz").is_empty());
        assert!(alike("").is_empty());
    }
}
