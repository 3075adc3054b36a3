//! `weakened-repository-trust`: package managers are told not to verify what they install.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, evidence};
use crate::build::tidy;
use crate::facts::{ConfigFile, ConfigKind, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::oci::escape;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "weakened-repository-trust",
    title: "Packages are not verified",
    family: Family::Packages,
    severity: Severity::Medium,
    what: "A configuration file switches verification off for a repository that is in use: `trusted=yes` and `allow-insecure` of apt, \
           `gpgcheck=0` and `sslverify=0` of dnf, yum and zypper, `trusted-host` of pip, `strict-ssl=false` of npm; or the history shows \
           `apk --allow-untrusted`.",
    why: "Whoever sits between the build and the repository chooses what is installed, in this build and in all that start from this image.",
    fix: "Give the package manager the repository's key and certificates instead, and remove the setting.",
    example: "ADD --checksum=sha256:<digest> https://example.com/archive.asc /etc/apt/keyrings/example.asc\n\
              RUN echo 'deb [signed-by=/etc/apt/keyrings/example.asc] https://example.com/debian stable main' \\\n    \
              > /etc/apt/sources.list.d/example.list\n",
    references: &[
        Reference { name: "CWE-347", url: "https://cwe.mitre.org/data/definitions/347.html" },
        Reference { name: "CWE-295", url: "https://cwe.mitre.org/data/definitions/295.html" },
        Reference { name: "NIST SP 800-190 4.1.5", url: "https://doi.org/10.6028/NIST.SP.800-190" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let mut seen = Vec::new();
    for file in &image.config_files {
        let mut settings = settings(file);
        settings.sort_unstable();
        settings.dedup();
        if settings.is_empty() {
            continue;
        }
        let path = escape(&file.path);
        let message = format!("{path} switches verification off: {}", settings.join(", "));
        let evidence = vec![Evidence { bytes: 0, ..evidence::of_node(image, file.path.clone(), file.node) }];
        seen.push(Observation { subject: super::wording::path_key(&file.path), message, evidence, ..Observation::default() });
    }
    seen.extend(untrusted_apk(image));
    seen
}

/// The settings of a file that are in effect and switch verification off.
fn settings(file: &ConfigFile) -> Vec<&'static str> {
    match file.kind {
        ConfigKind::AptSources => apt_sources(file),
        ConfigKind::Apt => file.lines().flat_map(|line| apt_options(&line)).collect(),
        ConfigKind::Rpm => rpm(file),
        ConfigKind::Pip => pip(file),
        ConfigKind::Npm => file.lines().filter_map(|line| assignment(&line).and_then(npm)).collect(),
        ConfigKind::Sudo | ConfigKind::Doas => Vec::new(),
    }
}

/// One line each, or stanzas of deb822, of which those with `Enabled: no` are not in use.
fn apt_sources(file: &ConfigFile) -> Vec<&'static str> {
    let (mut found, mut stanza, mut is_enabled) = (Vec::new(), Vec::new(), true);
    for line in file.lines().chain([String::new()]) {
        let lower = line.to_ascii_lowercase();
        if lower.is_empty() {
            if is_enabled {
                found.append(&mut stanza);
            }
            (stanza, is_enabled) = (Vec::new(), true);
        } else if let Some(options) =
            lower.strip_prefix("deb").and_then(|rest| rest.split_once('[')).and_then(|(_, rest)| rest.split_once(']'))
        {
            found.extend(options.0.split_whitespace().filter_map(|option| match option.split_once('=') {
                Some(("trusted", "yes")) => Some("trusted=yes"),
                Some(("allow-insecure", "yes")) => Some("allow-insecure=yes"),
                _ => None,
            }));
        } else if let Some((name, value)) = lower.split_once(':') {
            match (name.trim(), value.trim()) {
                ("trusted", "yes") => stanza.push("Trusted: yes"),
                ("allow-insecure", "yes") => stanza.push("Allow-Insecure: yes"),
                ("enabled", "no") => is_enabled = false,
                _ => {}
            }
        }
    }
    found
}

/// Options of apt.conf(5), written in full or within braces.
fn apt_options(line: &str) -> Vec<&'static str> {
    const OPTIONS: &[(&str, bool, &str)] = &[
        ("allowinsecurerepositories", true, "AllowInsecureRepositories"),
        ("allowdowngradetoinsecurerepositories", true, "AllowDowngradeToInsecureRepositories"),
        ("allowunauthenticated", true, "AllowUnauthenticated"),
        ("verify-peer", false, "Verify-Peer"),
        ("verify-host", false, "Verify-Host"),
    ];
    if line.starts_with("//") || line.starts_with('#') {
        return Vec::new();
    }
    let lower = line.to_ascii_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || "\"';{}".contains(c)).filter(|word| !word.is_empty()).collect();
    let pairs = words.windows(2).filter_map(|pair| Some((pair.first()?.rsplit("::").next()?, *pair.get(1)?)));
    pairs
        .filter_map(|(name, value)| {
            let (_, when, label) = OPTIONS.iter().find(|(known, ..)| *known == name)?;
            (truth(value) == Some(*when)).then_some(*label)
        })
        .collect()
}

/// Sections of repositories, of which those with `enabled=0` are not in use.
fn rpm(file: &ConfigFile) -> Vec<&'static str> {
    let (mut found, mut section, mut is_enabled) = (Vec::new(), BTreeMap::new(), true);
    for line in file.lines().chain(["[]".to_owned()]) {
        if line.starts_with('[') {
            if is_enabled {
                found.extend(section.values().copied().flatten());
            }
            (section, is_enabled) = (BTreeMap::new(), true);
        } else if let Some((name, value)) = assignment(&line) {
            match name.as_str() {
                "enabled" => is_enabled = truth(&value) != Some(false),
                // the last of a name counts
                "gpgcheck" => drop(section.insert("gpgcheck", (truth(&value) == Some(false)).then_some("gpgcheck=0"))),
                "sslverify" => drop(section.insert("sslverify", (truth(&value) == Some(false)).then_some("sslverify=0"))),
                _ => {}
            }
        }
    }
    found
}

/// `trusted-host` with hosts on its line or on the next.
fn pip(file: &ConfigFile) -> Vec<&'static str> {
    let lines: Vec<String> = file.lines().collect();
    let is_set = |(number, line): (usize, &String)| {
        let Some((name, value)) = assignment(line) else { return false };
        let goes_on = lines
            .get(number.saturating_add(1))
            .is_some_and(|next| !next.is_empty() && !next.starts_with(['[', '#', ';']) && assignment(next).is_none());
        name.replace('_', "-") == "trusted-host" && (!value.is_empty() || goes_on)
    };
    if lines.iter().enumerate().any(is_set) { vec!["trusted-host"] } else { Vec::new() }
}

fn npm((name, value): (String, String)) -> Option<&'static str> {
    (name == "strict-ssl" && value == "false").then_some("strict-ssl=false")
}

/// `name = value` in lower case, without quotes; None for comments.
fn assignment(line: &str) -> Option<(String, String)> {
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (name, value) = line.split_once('=')?;
    Some((name.trim().to_ascii_lowercase(), value.trim().trim_matches(['"', '\'']).to_ascii_lowercase()))
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Packages that were installed without a signature; apk's database does not tell.
fn untrusted_apk(image: &Image) -> Option<Observation> {
    let is_untrusted = |line: &str| {
        let words: Vec<&str> = line.split([' ', ';', '&', '|', '(', ')']).collect();
        let is_apk = words.iter().any(|word| word.rsplit('/').next() == Some("apk"));
        is_apk && words.contains(&"--allow-untrusted")
    };
    let evidence: Vec<Evidence> = image
        .config
        .history
        .iter()
        .enumerate()
        .filter(|(_, entry)| tidy(&entry.created_by).is_some_and(|line| line.starts_with("RUN ") && is_untrusted(&line)))
        .map(|(number, _)| {
            let layer = image.steps.iter().position(|step| step.history == Some(number));
            Evidence { layer, history: Some(number), ..Evidence::default() }
        })
        .collect();
    let message = "An instruction installed packages with apk --allow-untrusted".to_owned();
    (!evidence.is_empty()).then(|| Observation { subject: "apk".to_owned(), message, evidence, ..Observation::default() })
}

#[cfg(test)]
mod tests;
