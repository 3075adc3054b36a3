//! What is installed beside the packages of the system, in one line.

use std::collections::BTreeMap;

use crate::report::model::ComponentReport;
use crate::report::quantity::counted;

/// What the kinds are called, in the order of the line; of each what one is and what it adds when it stands alone.
const KINDS: &[(&str, &str)] = &[
    ("python-distribution", "Python package"),
    ("python-environment", "virtual environment"),
    ("python-bytecode", "byte code tree"),
    ("npm-package", "npm package"),
    ("java-runtime", "Java runtime"),
    ("java-archive", "Java archive"),
    ("go-module", "Go module"),
    ("rust-program", "Rust program"),
    ("dotnet-framework", ".NET framework"),
    ("dotnet-sdk", ".NET SDK"),
    ("nuget-package", "NuGet package"),
    ("ruby-gem", "Ruby gem"),
    ("composer-package", "Composer package"),
];

/// Runtimes that are named; JSON has all of them.
const MOST_NAMED: usize = 3;

/// `31 Python packages, 1 Java runtime (Debian 17.0.21, JRE)`.
pub(super) fn line(components: &[ComponentReport]) -> String {
    let mut by_kind: BTreeMap<&str, Vec<&ComponentReport>> = BTreeMap::new();
    for component in components {
        by_kind.entry(&component.kind).or_default().push(component);
    }
    let mut parts = Vec::new();
    for (kind, label) in KINDS {
        let Some(found) = by_kind.remove(kind) else { continue };
        let named: Vec<String> = found.iter().filter_map(|one| named(one)).take(MOST_NAMED).collect();
        let more = if named.len() < found.len() && !named.is_empty() { ", ..." } else { "" };
        let named = if named.is_empty() { String::new() } else { format!(" ({}{more})", named.join(", ")) };
        parts.push(format!("{}{named}", counted(found.len(), label)));
    }
    // kinds that a later version wrote
    let others: usize = by_kind.values().map(Vec::len).sum();
    if others > 0 {
        parts.push(format!("{others} of other kinds"));
    }
    match components.iter().filter(|component| component.problem.is_some()).count() {
        0 => {}
        partly => parts.push(format!("{partly} of them read in part")),
    }
    parts.join(", ")
}

/// `express 4.18.2, npm package at /app/node_modules/express`
pub(in crate::report) fn described(component: &ComponentReport) -> String {
    let version = component.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let label = KINDS.iter().find(|(kind, _)| *kind == component.kind).map_or(component.kind.as_str(), |(_, label)| label);
    format!("{}{version}, {label} at {}", component.name, component.path)
}

/// Runtimes, which are few, by name and version.
fn named(component: &ComponentReport) -> Option<String> {
    let version = component.version.as_deref().unwrap_or("of unknown version");
    match component.kind.as_str() {
        "java-runtime" => {
            let image = component.details.get("image").map(|image| format!(" {}", image.to_uppercase())).unwrap_or_default();
            Some(format!("{} {version}{image}", component.name))
        }
        "dotnet-framework" => Some(format!("{} {version}", component.name)),
        "dotnet-sdk" => Some(version.to_owned()),
        "python-environment" => {
            let is_broken = component.details.get("interpreter").is_some_and(|interpreter| interpreter == "absent");
            Some(format!("{}{}", component.path, if is_broken { " without its interpreter" } else { "" }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(kind: &str, name: &str, version: &str, detail: (&str, &str)) -> ComponentReport {
        ComponentReport {
            kind: kind.into(),
            name: name.into(),
            version: Some(version.into()),
            path: "/opt/venv".into(),
            details: [(detail.0.to_owned(), detail.1.to_owned())].into(),
            ..ComponentReport::default()
        }
    }

    #[test]
    fn kinds_are_counted_and_runtimes_are_named() {
        let mut all = vec![
            component("npm-package", "a", "1", ("", "")),
            component("npm-package", "b", "1", ("", "")),
            component("java-runtime", "Debian", "17.0.21", ("image", "jre")),
            component("python-environment", "venv", "3.12", ("interpreter", "absent")),
            component("of-tomorrow", "x", "1", ("", "")),
        ];
        all[1].problem = Some("cut".into());
        assert_eq!(
            line(&all),
            "1 virtual environment (/opt/venv without its interpreter), 2 npm packages, 1 Java runtime (Debian 17.0.21 JRE), \
             1 of other kinds, 1 of them read in part"
        );
    }
}
