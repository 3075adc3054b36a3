//! Python packages that only test, check or debug other code: nothing needs them at run time.

/// Their normalised names (PyPI's name normalisation).
const NAMES: &[&str] = &[
    "autoflake",
    "autopep8",
    "bandit",
    "black",
    "bpython",
    "codespell",
    "coverage",
    "debugpy",
    "docformatter",
    "flake8",
    "freezegun",
    "hypothesis",
    "ipdb",
    "ipython",
    "isort",
    "mccabe",
    "mutmut",
    "mypy",
    "nose",
    "nose2",
    "nox",
    "pip-audit",
    "pre-commit",
    "pudb",
    "pycodestyle",
    "pydocstyle",
    "pyflakes",
    "pylint",
    "pyright",
    "pytest",
    "requests-mock",
    "respx",
    "ruff",
    "safety",
    "time-machine",
    "tox",
    "vcrpy",
    "vulture",
    "yapf",
];

/// What the names of their plug-ins, and of packages of type stubs, start with.
const STARTS: &[&str] = &["pytest-", "flake8-", "pylint-", "types-"];

/// The name of a test tool that a `NAME-VERSION.dist-info` or `.egg-info` folder is of, normalised.
#[must_use]
pub fn test_tool(folder: &[u8]) -> Option<String> {
    let folder = std::str::from_utf8(folder).ok()?;
    let stem = folder.strip_suffix(".dist-info").or_else(|| folder.strip_suffix(".egg-info"))?;
    let name = normalised(stem.split('-').next().unwrap_or_default());
    (NAMES.contains(&name.as_str()) || STARTS.iter().any(|start| name.starts_with(start))).then_some(name)
}

/// In lower case, runs of `-`, `_` and `.` as one hyphen.
fn normalised(name: &str) -> String {
    let parts: Vec<_> = name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_told_by_the_normalised_name_of_their_folder() {
        let told = |folder: &str| test_tool(folder.as_bytes());
        assert_eq!(told("pytest-8.3.4.dist-info").as_deref(), Some("pytest"));
        assert_eq!(told("pytest_cov-5.0.dist-info").as_deref(), Some("pytest-cov"));
        assert_eq!(told("Pre_Commit-3-py3.11.egg-info").as_deref(), Some("pre-commit"));
        assert_eq!(told("black.egg-info").as_deref(), Some("black"));
        for other in ["pytest-8", "pluggy-1.dist-info", "blackboard-1.dist-info", "mypy_extensions-1.dist-info", ".dist-info"] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(test_tool(b"pytest\xff-1.dist-info"), None);
    }
}
