//! `docs/checks.md` and `docs/findings.md`, written from the checks' and the codes' own data.

use std::fmt::Write as _;

use crate::checks::{self, Check, Family};
use crate::oci::{Code, Tier};
use crate::policy::requirement::{REQUIREMENTS, Requirement};

/// What stands at the top of every generated page.
const GENERATED: &str = "<!-- generated; to refresh: PLIMSOLL_BLESS=1 cargo test --lib report::generated -->\n";

/// Tiers, heaviest first, each with a heading and what follows from it.
pub(crate) const TIERS: [(Tier, &str, &str); 4] = [
    (
        Tier::Reject,
        "Rejected",
        "No verdict about the content is possible: the image is unverifiable, the exit code is 3. Reported in `errors`.",
    ),
    (
        Tier::Fail,
        "Fails",
        "The final filesystem is known, and the image is hostile or means different things to different runtimes: \
         a finding of severity high, which fails by default.",
    ),
    (
        Tier::Flag,
        "Flagged",
        "Unusual, and readers differ: a finding of severity medium, or that of the check which the code belongs to.",
    ),
    (Tier::Info, "Noted", "Worth knowing, judged by nobody. Reported in `notes`."),
];

/// `docs/checks.md`.
#[must_use]
pub fn checks() -> String {
    page(checks::ALL, REQUIREMENTS)
}

fn page(all: &[&Check], requirements: &[Requirement]) -> String {
    let mut out = format!(
        "# Checks\n\n{GENERATED}\n\
         What `plimsoll check` looks for, by family. `plimsoll explain ID` shows the same in the terminal.\n\
         Severities are the defaults; a policy may set others. From the policy's `fail_on` or `--fail-on` (`high` by default) upwards \
         a finding fails the image.\n"
    );
    for family in Family::ALL {
        let members: Vec<&Check> = all.iter().copied().filter(|check| check.family == family).collect();
        if members.is_empty() {
            continue;
        }
        // writing to a String cannot fail
        let _ = write!(out, "\n## {}\n\n| check | severity | |\n|---|---|---|\n", heading(family));
        for check in &members {
            let _ = writeln!(out, "| [`{0}`](#{0}) | {1} | {2} |", check.id, check.severity.as_str(), cell(check.title));
        }
        for check in members {
            section(&mut out, check);
        }
    }
    of_policies(&mut out, requirements);
    out
}

/// What a policy can ask of the image as a whole.
fn of_policies(out: &mut String, requirements: &[Requirement]) {
    if requirements.is_empty() {
        return;
    }
    let heading = "Requirements of policies";
    let about = "What a policy asks of the image as a whole; where it asks nothing, none of these is found.";
    let _ = write!(out, "\n## {heading}\n\n{about}\n\n| requirement | severity | |\n|---|---|---|\n");
    for it in requirements {
        let _ = writeln!(out, "| [`{0}`](#{0}) | {1} | {2} |", it.id, it.severity.as_str(), cell(it.title));
    }
    for it in requirements {
        let severity = it.severity.as_str();
        let _ = write!(
            out,
            "\n### `{0}`\n\n<a id=\"{0}\"></a>\n**{1}**. Severity: {severity}. Since {2}.\n\n{3}\n\n*Why it matters.* {4}\n\n*How to fix \
             it.* {5}\n",
            it.id, it.title, it.since, it.what, it.why, it.fix
        );
    }
}

fn section(out: &mut String, check: &Check) {
    let _ = write!(
        out,
        "\n### `{}`\n\n<a id=\"{}\"></a>\n**{}**. Severity: {}. Since {}.\n\n{}\n\n*Why it matters.* {}\n\n*How to fix it.* {}\n",
        check.id,
        check.id,
        check.title,
        check.severity.as_str(),
        check.since,
        check.what.trim(),
        check.why.trim(),
        check.fix.trim(),
    );
    if !check.example.trim().is_empty() {
        let _ = write!(out, "\n```dockerfile\n{}\n```\n", check.example.trim_matches('\n'));
    }
    if !check.references.is_empty() {
        let links: Vec<String> = check.references.iter().map(|it| format!("[{}]({})", it.name, it.url)).collect();
        let _ = write!(out, "\nReferences: {}.\n", links.join(", "));
    }
}

/// `docs/findings.md`.
#[must_use]
pub fn findings() -> String {
    let mut out = format!(
        "# Finding codes\n\n{GENERATED}\n\
         What can be wrong with the form of an image: its archive, documents, layers, and users. The codes are for ever.\n\
         `plimsoll explain CODE` shows the same in the terminal.\n"
    );
    for (tier, title, follows) in TIERS {
        let _ = write!(out, "\n## {title}\n\n{follows}\n\n| code | meaning |\n|---|---|\n");
        for code in Code::ALL.iter().filter(|code| code.tier() == tier) {
            let _ = writeln!(out, "| <a id=\"{0}\"></a>`{0}` | {1} |", code.as_str(), cell(code.meaning()));
        }
    }
    out
}

fn heading(family: Family) -> String {
    let name = family.as_str();
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Text that stays within a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_page_of_two_checks() {
        insta::assert_snapshot!(page(samples::CHECKS, &[]));
    }

    #[test]
    fn every_check_and_every_code_is_on_its_page() {
        let page = checks();
        assert!(checks::ALL.iter().all(|check| page.contains(&format!("### `{}`", check.id))));
        assert!(REQUIREMENTS.iter().all(|it| page.contains(&format!("### `{}`", it.id))));
        let page = findings();
        assert!(Code::ALL.iter().all(|code| page.contains(&format!("`{}` | {}", code.as_str(), cell(code.meaning())))));
    }

    #[test]
    fn a_cell_stays_in_its_row() {
        assert_eq!(cell("a | b\n  c"), "a \\| b c");
    }
}
