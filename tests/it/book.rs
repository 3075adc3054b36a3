//! The documents: links lead somewhere, every page is in the contents, and commands that are shown with `console run` do what is shown.
//!
//! In such a block, `$ ` starts a command, `# exit N` at its end tells the exit code where it is not 0, and the lines below are in
//! its output, in this order; `[...]` stands for lines that are not shown. A block runs in a folder with the images of [`Desk`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::desk::{Desk, root, said};
use crate::program::assert_none;

/// Every document, by its path in the project.
fn documents() -> BTreeMap<String, String> {
    let mut paths: Vec<PathBuf> = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "policies/baselines/README.md"]
        .into_iter()
        .chain(["testdata/README.md"])
        .map(|name| root().join(name))
        .collect();
    paths.extend(std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let is_page = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(&path).unwrap())
    };
    paths.into_iter().filter(is_page).map(named).collect()
}

/// A page's lines outside and inside of fenced blocks; a block with the words after its fence.
fn parts(text: &str) -> (Vec<&str>, Vec<(&str, Vec<&str>)>) {
    let (mut prose, mut blocks): (Vec<&str>, Vec<(&str, Vec<&str>)>) = (Vec::new(), Vec::new());
    let mut is_inside = false;
    for line in text.lines() {
        if let Some(words) = line.trim_start().strip_prefix("```") {
            is_inside = !is_inside;
            if is_inside {
                blocks.push((words, Vec::new()));
            }
        } else if is_inside {
            blocks.last_mut().unwrap().1.push(line);
        } else {
            prose.push(line);
        }
    }
    assert!(!is_inside, "a block that is not closed");
    (prose, blocks)
}

/// Without code spans, in which brackets are no links.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("")
}

/// Targets of `[text](target)`, and of `<https://...>`.
fn links(text: &str) -> Vec<String> {
    let prose: Vec<String> = parts(text).0.into_iter().map(without_code).collect();
    let prose = prose.join("\n");
    let mut found: Vec<String> =
        prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().trim().to_owned()).collect();
    found.extend(prose.split("<http").skip(1).map(|rest| format!("http{}", rest.split('>').next().unwrap())));
    found
}

/// What `#...` may name in a page: its headings as GitHub writes them, and its own anchors.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = parts(text).0.into_iter().filter(|line| line.starts_with('#'));
    let slug = |line: &str| -> String {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let mut found: BTreeSet<String> = headings.map(slug).collect();
    found.extend(text.split("<a id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
    found
}

/// What is wrong with a link of the page at `from`.
fn fault(documents: &BTreeMap<String, String>, from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        let host = target.strip_prefix("https://").unwrap_or_default().split('/').next().unwrap();
        return (!host.contains('.') || target.contains(' ')).then(|| format!("{from}: {target} is no https address"));
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let folder = Path::new(from).parent().unwrap();
    let file = if path.is_empty() { root().join(from) } else { root().join(folder).join(path) };
    let Ok(file) = file.canonicalize() else { return Some(format!("{from}: {target} is not there")) };
    let name = file.strip_prefix(root().canonicalize().unwrap()).map(|name| name.to_str().unwrap().to_owned()).ok()?;
    let (page, anchor) = (documents.get(&name)?, anchor?);
    (!anchors(page).contains(anchor)).then(|| format!("{from}: {name} has no #{anchor}"))
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (from, text) in &documents {
        let links = links(text);
        count += links.len();
        wrong.extend(links.iter().filter_map(|target| fault(&documents, from, target)));
    }
    assert!(count > 60, "{count}");
    assert_none(&wrong);
}

#[test]
fn faults_of_links_are_found() {
    let documents = documents();
    let of = |target: &str| fault(&documents, "docs/README.md", target);
    for good in ["report.md", "report.md#exit-codes", "../README.md", "https://example.org/a", "findings.md#digest-mismatch"] {
        assert_eq!(of(good), None, "{good}");
    }
    for bad in ["nothing.md", "report.md#no-such-heading", "http://example.org", "https://", "#nowhere", "../../etc"] {
        assert!(of(bad).is_some(), "{bad}");
    }
    assert_eq!(links("a [b](c) `[d](e)` <https://f.g>\n```\n[h](i)\n```\n"), ["c", "https://f.g"]);
}

#[test]
fn every_page_is_in_the_contents_once() {
    let documents = documents();
    let listed = links(&documents["docs/SUMMARY.md"]);
    let pages: BTreeSet<&str> =
        documents.keys().filter_map(|name| name.strip_prefix("docs/")).filter(|name| *name != "SUMMARY.md").collect();
    assert_eq!(listed.iter().map(String::as_str).collect::<BTreeSet<&str>>(), pages);
    assert_eq!(listed.len(), pages.len(), "{listed:?}");
}

/// What is wrong with one command of a block, or with its output.
fn run(desk: &Desk, command: &str, expected: &[&str]) -> Option<String> {
    let (command, code) = match command.rsplit_once("# exit ") {
        Some((command, code)) => (command.trim(), code.trim().parse().unwrap()),
        None => (command, 0),
    };
    let output = desk.shell(&["bash", "-o", "pipefail", "-c", command], &[("NO_COLOR", "1")]);
    let said = said(&output);
    if output.status.code() != Some(code) {
        return Some(format!("$ {command}\nexits with {}, not with {code}:\n{said}", output.status));
    }
    let mut lines = said.lines();
    let shown = expected.iter().filter(|line| !line.trim().is_empty() && line.trim() != "[...]");
    let missing = shown.into_iter().find(|shown| !lines.any(|line| line.trim_end() == shown.trim_end()));
    missing.map(|missing| format!("$ {command}\ndoes not say, or not in this order:\n{missing}\nbut:\n{said}"))
}

#[test]
fn commands_that_are_shown_do_what_is_shown() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, text) in documents() {
        for (_, lines) in parts(&text).1.into_iter().filter(|(words, _)| *words == "console run") {
            let desk = Desk::new();
            let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("$ ")).collect();
            assert_eq!(starts.first(), Some(&0), "{name}: a block starts with a command: {lines:?}");
            for (index, start) in starts.iter().enumerate() {
                let end = starts.get(index + 1).copied().unwrap_or(lines.len());
                count += 1;
                wrong.extend(run(&desk, &lines[*start][2..], &lines[start + 1..end]).map(|fault| format!("{name}: {fault}")));
            }
        }
    }
    assert!(count > 20, "{count}");
    assert_none(&wrong);
}
