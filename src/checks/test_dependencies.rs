//! `test-dependencies`: packages that only tests and development need are installed beside the application.

use std::collections::BTreeSet;

use super::contents::Contents;
use super::{Check, Family, Reference, wording};
use crate::facts::{Image, TestPackage};
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "test-dependencies",
    title: "Packages for tests and development",
    family: Family::Toolchain,
    severity: Severity::Medium,
    what: "Python distributions that test, check or debug code (pytest, black, flake8, mypy, coverage, tox, ...) or npm packages that the \
           lock file in `node_modules` marks as for development only are installed.",
    why: "Nothing imports them at run time. They bring dependencies and faults of their own, and scanners report those.",
    fix: "Install the requirements of production only: a requirements file without the tools, `npm ci --omit=dev`.",
    example: "RUN pip install --no-cache-dir -r requirements.txt\nRUN npm ci --omit=dev\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "npm ci --omit", url: "https://docs.npmjs.com/cli/commands/npm-ci#omit" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
    ],
    since: "0.1.0",
    run,
};

fn run(image: &Image) -> Vec<Observation> {
    let of = |is_kind: fn(&TestPackage) -> bool| image.test_packages.iter().filter(move |package| is_kind(package));
    let python = observe(image, "Python", "python", &of(is_python).collect::<Vec<_>>());
    let npm = observe(image, "npm", "npm", &of(is_npm).collect::<Vec<_>>());
    python.into_iter().chain(npm).collect()
}

/// Whether a package was told by its `.dist-info` or `.egg-info`; CPython's own suite is no dependency.
fn is_python(package: &TestPackage) -> bool {
    package.path.ends_with(b".dist-info") || package.path.ends_with(b".egg-info")
}

fn is_npm(package: &TestPackage) -> bool {
    !is_python(package) && package.path.split(|byte| *byte == b'/').any(|folder| folder == b"node_modules")
}

fn observe(image: &Image, label: &str, subject: &str, packages: &[&TestPackage]) -> Option<Observation> {
    let mut sum = Contents::default();
    for package in packages {
        for file in &package.files {
            sum.add(image, &place(package, &image.rootfs.path(*file)), *file);
        }
    }
    let names: BTreeSet<&[u8]> =
        packages.iter().filter(|package| !package.files.is_empty()).map(|package| package.name.as_bytes()).collect();
    if names.is_empty() {
        return None;
    }
    let count = wording::counted(wording::count(names.len()), "package");
    let message = format!(
        "{label}: {count} for tests and development, {}: {}",
        wording::bytes(sum.bytes),
        wording::names(names.into_iter())
    );
    Some(Observation { subject: subject.to_owned(), message, evidence: sum.evidence(), ..Observation::default() })
}

/// What is evidence of a file: the folder that tells of the package, the module beside it, or the file itself.
fn place(package: &TestPackage, file: &[u8]) -> Vec<u8> {
    let is_below = |folder: &[u8]| file.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"));
    if is_below(&package.path) {
        return package.path.clone();
    }
    let site = package.path.iter().rposition(|byte| *byte == b'/').and_then(|cut| package.path.get(..cut)).unwrap_or_default();
    let rest = file.get(site.len().saturating_add(1)..).filter(|_| is_below(site)).unwrap_or_default();
    match rest.split(|byte| *byte == b'/').next() {
        // byte code of all modules lies there together
        Some(module) if !module.is_empty() && module != b"__pycache__" => [site, module].join(&b'/'),
        _ => file.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::super::tools;
    use super::*;

    fn seen(packages: &[(&str, &str, &[&str])]) -> Vec<Observation> {
        let mut builder = Builder::default();
        for file in packages.iter().flat_map(|(.., files)| *files) {
            builder.file(file, 1024);
        }
        builder.run_with(&CHECK, |image| {
            let node = |path: &&str| tools::entry(&image.rootfs, path.as_bytes()).unwrap();
            image.test_packages = packages
                .iter()
                .map(|(name, path, files)| TestPackage {
                    name: (*name).to_owned(),
                    path: path.as_bytes().to_vec(),
                    files: files.iter().map(node).collect(),
                })
                .collect();
        })
    }

    #[test]
    fn fires_once_for_each_language() {
        let seen = seen(&[
            (
                "pytest",
                "/s/pytest-8.dist-info",
                &["/s/pytest/a.py", "/s/pytest/b.py", "/s/pytest-8.dist-info/RECORD", "/srv/bin/pytest"],
            ),
            ("black", "/s/black-24.dist-info", &["/s/black.py"]),
            ("eslint", "/app/node_modules/eslint", &["/app/node_modules/eslint/index.js"]),
        ]);
        let messages: Vec<_> = seen.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "Python: 2 packages for tests and development, 5.0 KiB: black, pytest",
                "npm: 1 package for tests and development, 1.0 KiB: eslint"
            ]
        );
        assert_eq!(paths(&seen[0]), ["/s/black.py", "/s/pytest", "/s/pytest-8.dist-info", "/srv/bin/pytest"]);
    }

    #[test]
    fn is_silent_on_the_suite_of_python_itself_and_on_packages_without_files() {
        assert!(seen(&[("CPython's test suite", "/usr/lib/python3.12/test", &["/usr/lib/python3.12/test/a.py"])]).is_empty());
        assert!(seen(&[("pytest", "/s/pytest-8.dist-info", &[])]).is_empty());
        assert!(seen(&[]).is_empty());
    }
}
