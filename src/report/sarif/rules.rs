//! The table of rules: checks, requirements, the policy's own rules, and what says that an image was not verified.

use super::log::{Configuration, Help, Level, Rule, RuleProperties, Text};
use crate::checks::{self, Check, Family, Reference};
use crate::policy::requirement::{REQUIREMENTS, Requirement};
use crate::report::model::{Report, RuleReport};
use crate::report::wording::shown;

/// Characters of a description that code scanning takes.
const DESCRIPTION: usize = 1024;
/// Rules of a run that code scanning takes.
pub(super) const RULES: usize = 25_000;
/// Tags of a rule that code scanning takes.
const TAGS: usize = 20;
/// Where the pages that rules point to are published.
const DOCS: &str = "https://github.com/plimsoll/plimsoll/blob/main/docs";

pub(super) const UNVERIFIABLE: &str = "unverifiable";
pub(super) const NOT_EXAMINED: &str = "not-examined";
pub(super) const VERDICT: &str = "verdict";
pub(super) const CUT: &str = "report-cut";

/// A rule of the report itself.
struct Own {
    id: &'static str,
    title: &'static str,
    /// `critical` and so on; None for what is no matter of security.
    severity: Option<&'static str>,
    what: &'static str,
    why: &'static str,
    fix: &'static str,
}

const OWN: [Own; 4] = [
    Own {
        id: NOT_EXAMINED,
        title: "Content could not be examined",
        severity: Some("critical"),
        what: "Something in the image could not be looked at, such as a package database of unknown form, and the policy does not accept \
               that.",
        why: "What nobody looked at may be anything: such an image is never reported as clean.",
        fix: "Read in the report what was not examined. Where that is acceptable, give --allow-incomplete.",
    },
    Own {
        id: CUT,
        title: "The report is larger than code scanning takes",
        severity: None,
        what: "Code scanning takes 20 images, 25,000 results of an image and 10 MB of compressed data. What is beyond that was left out, \
               the least severe first.",
        why: "What is left out here is missing in the list of alerts, and not because it was mended.",
        fix: "Read the text or JSON report: it holds everything. Verify fewer images at once, or mend what is reported most.",
    },
    Own {
        id: UNVERIFIABLE,
        title: "The image could not be verified",
        severity: Some("critical"),
        what: "The image is malformed, a limit was hit, or it could not be read: no verdict about its content is possible.",
        why: "What could not be verified may be anything: such an image is never reported as clean.",
        fix: "Read the errors in the message. Build the image again with an ordinary builder, or raise the limit that is named.",
    },
    Own {
        id: VERDICT,
        title: "The image fails the policy",
        severity: Some("high"),
        what: "The image fails the policy, and none of its findings says why.",
        why: "A verdict must not be lost because its reason is.",
        fix: "Read the text or JSON report of the image.",
    },
];

/// The table, sorted by id; the same for every run of a report, and for every report under one policy by one release.
pub(super) fn table(report: &Report) -> Vec<Rule> {
    let mut rules: Vec<Rule> = checks::ALL.iter().map(|check| of_check(check)).collect();
    rules.extend(REQUIREMENTS.iter().map(of_requirement));
    rules.extend(OWN.iter().map(of_own));
    rules.extend(report.policy.rules.iter().take(RULES.saturating_sub(rules.len())).map(of_policy));
    // the sort is stable, so that what the program itself says of an id comes before what a policy says
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules.dedup_by(|a, b| a.id == b.id);
    // a report of another release can name checks that this one does not know
    let findings = report.images.iter().flat_map(|image| &image.findings);
    let mut unknown: Vec<String> = findings.map(|it| shown(&it.check)).filter(|id| find(&rules, id).is_none()).collect();
    unknown.sort();
    unknown.dedup();
    unknown.truncate(RULES.saturating_sub(rules.len()));
    rules.extend(unknown.into_iter().map(of_unknown));
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    rules
}

/// The index of a rule in the table.
pub(super) fn find(rules: &[Rule], id: &str) -> Option<usize> {
    rules.binary_search_by(|rule| rule.id.as_str().cmp(id)).ok()
}

/// Level of a finding that does not fail, or of a rule.
pub(super) fn level(severity: Option<&str>) -> Level {
    match severity {
        Some("critical" | "high") => Level::Error,
        Some("medium") => Level::Warning,
        _ => Level::Note,
    }
}

/// Within the range that code scanning gives the same name, away from its borders: 9.0 is in none.
fn security_severity(severity: &str) -> &'static str {
    match severity {
        "critical" => "9.5",
        "high" => "8.0",
        "medium" => "5.5",
        _ => "2.0",
    }
}

fn problem_severity(severity: &str) -> &'static str {
    match severity {
        "critical" | "high" => "error",
        "medium" => "warning",
        _ => "recommendation",
    }
}

/// What all kinds of rules have; texts are Markdown.
struct Parts<'a> {
    id: String,
    title: String,
    severity: &'a str,
    is_security: bool,
    tags: Vec<String>,
    precision: &'static str,
    what: String,
    why: &'a str,
    fix: String,
    example: &'a str,
    references: &'a [Reference],
    uri: String,
}

fn rule(parts: Parts<'_>) -> Rule {
    let mut tags = parts.tags;
    if parts.is_security {
        tags.insert(0, "security".to_owned());
    }
    tags.truncate(TAGS);
    let help = help(&parts.what, parts.why, &parts.fix, parts.example, parts.references, &parts.uri);
    Rule {
        name: pascal_case(&parts.id),
        id: parts.id,
        short_description: Text { text: description(&parts.title) },
        full_description: Text { text: description(&unmarked(&parts.what)) },
        help,
        help_uri: parts.uri,
        default_configuration: Configuration { level: level(Some(parts.severity)) },
        properties: RuleProperties {
            tags,
            precision: parts.precision,
            security_severity: parts.is_security.then(|| security_severity(parts.severity)),
            problem_severity: (!parts.is_security).then(|| problem_severity(parts.severity)),
        },
    }
}

/// Markdown of these rules as plain text: without backticks, and without the backslashes that keep text from being markup.
fn unmarked(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut characters = markdown.chars();
    while let Some(character) = characters.next() {
        match character {
            '`' => {}
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}

/// Never empty, and never longer than code scanning takes.
fn description(text: &str) -> String {
    let cut: String = text.chars().take(DESCRIPTION).collect();
    if cut.trim().is_empty() { "A rule without a description.".to_owned() } else { cut }
}

fn help(what: &str, why: &str, fix: &str, example: &str, references: &[Reference], uri: &str) -> Help {
    let (mut text, mut markdown) = (vec![unmarked(what)], vec![what.to_owned()]);
    for (title, said) in [("Why it matters", why), ("How to fix it", fix)] {
        if !said.is_empty() {
            text.push(format!("{title}: {}", unmarked(said)));
            markdown.push(format!("**{title}.** {said}"));
        }
    }
    let example = example.trim_matches('\n');
    if !example.is_empty() {
        text.push(format!("Example:\n{example}"));
        markdown.push(format!("```dockerfile\n{example}\n```"));
    }
    let links: Vec<String> = references.iter().map(|it| format!("[{}]({})", it.name, it.url)).collect();
    if !links.is_empty() {
        markdown.push(format!("References: {}.", links.join(", ")));
    }
    text.push(format!("More: {uri}"));
    markdown.push(format!("[More in the documentation]({uri})."));
    Help { text: text.join("\n\n"), markdown: markdown.join("\n\n") }
}

fn of_check(check: &Check) -> Rule {
    let mut tags = vec![check.family.as_str().to_owned()];
    tags.extend(check.references.iter().filter_map(|it| tag(it.name)));
    rule(Parts {
        id: check.id.to_owned(),
        title: check.title.to_owned(),
        severity: check.severity.as_str(),
        is_security: true,
        tags,
        // what a program can do is told by its name or content, all else is read off the image
        precision: if matches!(check.family, Family::Toolchain | Family::Packages) { "high" } else { "very-high" },
        what: check.what.trim().to_owned(),
        why: check.why.trim(),
        fix: check.fix.trim().to_owned(),
        example: check.example,
        references: check.references,
        uri: format!("{DOCS}/checks.md#{}", check.id),
    })
}

/// `CWE-250` as `external/cwe/cwe-250`, `CIS Docker 4.1` as `external/cis/docker-4.1`; None for other references.
fn tag(reference: &str) -> Option<String> {
    if let Some(number) = reference.strip_prefix("CWE-") {
        return Some(format!("external/cwe/cwe-{number}"));
    }
    reference.strip_prefix("CIS ").map(|rest| format!("external/cis/{}", rest.to_ascii_lowercase().replace(' ', "-")))
}

fn of_requirement(it: &Requirement) -> Rule {
    rule(Parts {
        id: it.id.to_owned(),
        title: it.title.to_owned(),
        severity: it.severity.as_str(),
        // sizes, labels and scores are the policy's wishes; an unknown base may be anything
        is_security: it.id == "unapproved-base",
        tags: vec!["requirement".to_owned()],
        precision: "very-high",
        what: it.what.to_owned(),
        why: it.why,
        fix: it.fix.to_owned(),
        example: "",
        references: &[],
        uri: format!("{DOCS}/checks.md#{}", it.id),
    })
}

fn of_own(it: &Own) -> Rule {
    rule(Parts {
        id: it.id.to_owned(),
        title: it.title.to_owned(),
        severity: it.severity.unwrap_or("medium"),
        is_security: it.severity.is_some(),
        tags: vec!["report".to_owned()],
        precision: "very-high",
        what: it.what.to_owned(),
        why: it.why,
        fix: it.fix.to_owned(),
        example: "",
        references: &[],
        uri: format!("{DOCS}/code-scanning.md#{}", it.id),
    })
}

fn of_policy(it: &RuleReport) -> Rule {
    rule(Parts {
        id: shown(&it.id),
        title: shown(&it.title),
        severity: &it.severity,
        is_security: true,
        tags: vec!["policy".to_owned()],
        precision: "high",
        what: plain(&it.message),
        why: "",
        fix: plain(&it.fix),
        example: "",
        references: &[],
        uri: format!("{DOCS}/rules.md"),
    })
}

fn of_unknown(id: String) -> Rule {
    rule(Parts {
        title: id.clone(),
        what: "A rule that this release of plimsoll does not know: the report was written by another one.".to_owned(),
        id,
        severity: "high",
        is_security: true,
        tags: vec!["report".to_owned()],
        precision: "high",
        why: "",
        fix: String::new(),
        example: "",
        references: &[],
        uri: format!("{DOCS}/checks.md"),
    })
}

/// Text of a policy within Markdown: nothing of it is taken for markup.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in shown(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' | '@') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// `root-user` as `RootUser`: code scanning asks for a name that is not the id.
fn pascal_case(id: &str) -> String {
    let capitalised = |word: &str| match word.chars().next() {
        Some(first) => first.to_uppercase().chain(word.chars().skip(1)).collect::<String>(),
        None => String::new(),
    };
    let name: String = id.split(|it: char| !it.is_alphanumeric()).map(capitalised).take(32).collect();
    let name: String = name.chars().take(200).collect();
    // SARIF's own validator compares them without case
    if name.eq_ignore_ascii_case(id) { format!("{name}Rule") } else { name }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::*;

    #[test]
    fn every_rule_has_all_that_code_scanning_reads() {
        let table = table(&samples::located());
        assert!(table.is_sorted_by(|a, b| a.id < b.id));
        assert_eq!(table.len(), checks::ALL.len() + REQUIREMENTS.len() + OWN.len() + 1, "an own rule");
        for rule in &table {
            for text in [&rule.short_description.text, &rule.full_description.text] {
                assert!(!text.is_empty() && text.chars().count() <= DESCRIPTION, "{}", rule.id);
            }
            assert!(!rule.name.eq_ignore_ascii_case(&rule.id) && rule.name.len() <= 255, "{}", rule.id);
            assert!(rule.help.markdown.contains(&rule.help_uri) && rule.help.text.contains(&rule.help_uri));
            let properties = &rule.properties;
            assert!(properties.tags.len() <= TAGS);
            let is_security = properties.tags.iter().any(|tag| tag == "security");
            assert_eq!(is_security, properties.security_severity.is_some(), "{}", rule.id);
            assert_ne!(is_security, properties.problem_severity.is_some(), "{}", rule.id);
            let value: f64 = properties.security_severity.unwrap_or("1").parse().unwrap();
            assert!(value > 0.0 && value <= 10.0 && !(8.9..9.1).contains(&value));
        }
    }

    #[test]
    fn tags_name_weaknesses_and_benchmarks() {
        assert_eq!(tag("CWE-250").as_deref(), Some("external/cwe/cwe-250"));
        assert_eq!(tag("CIS Docker 4.1").as_deref(), Some("external/cis/docker-4.1"));
        assert_eq!(tag("NIST SP 800-190 4.1.2"), None);
    }

    #[test]
    fn what_a_policy_writes_is_no_markup() {
        assert_eq!(plain("[x](y) <b> *a*"), "\\[x\\](y) \\<b\\> \\*a\\*");
        assert_eq!(unmarked(&plain("[x] `y` \\ z")), "[x] `y` \\ z");
        assert_eq!(unmarked("`gcc` is"), "gcc is");
        assert_eq!((pascal_case("root-user"), pascal_case("compiler")), ("RootUser".to_owned(), "CompilerRule".to_owned()));
    }
}
