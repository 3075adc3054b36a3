//! What others say of an image, check by check: the oracle of the shared images, the scripts of `tests/labels`, the images' recipes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::program::{list, text};

/// What a check should say of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    /// Whether it fires.
    Fires(bool),
    /// The paths of its evidence, the subjects of its findings, or their codes.
    These(BTreeSet<String>),
}

/// What labels of a check are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Image,
    Path,
    /// What a finding is about: the name of a variable, an account's number.
    Subject,
    /// A code of `docs/findings.md`.
    Code,
}

impl Unit {
    pub(super) fn of(check: &str) -> Self {
        match check {
            "compiler"
            | "build-tool"
            | "debugger"
            | "version-control"
            | "os-package-manager"
            | "language-package-manager"
            | "setuid-file"
            | "setgid-file"
            | "file-capability"
            | "world-writable"
            | "privilege-tool"
            | "ssh-server"
            | "private-key"
            | "credential-file"
            | "secret-token"
            | "buried-secret"
            | "build-leftovers"
            | "executable-stack"
            | "insecure-runpath"
            | "weak-hardening"
            | "wrong-architecture" => Self::Path,
            "insecure-environment" | "secret-in-environment" | "secret-in-history" | "duplicate-id" | "missing-library" => {
                Self::Subject
            }
            "ambiguous-layer" | "ambiguous-image" => Self::Code,
            _ => Self::Image,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Path => "path",
            Self::Subject => "subject",
            Self::Code => "code",
        }
    }
}

/// Where labels come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    EdgeCases,
    Dockerfile,
    Oracle,
    Script,
}

impl Source {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::EdgeCases => "edge cases",
            Self::Oracle => "oracle",
            Self::Dockerfile => "Dockerfile",
            Self::Script => "script",
        }
    }
}

pub(super) type Labels = BTreeMap<String, (Source, Label)>;

/// All labels of one image: those of the script, then of the oracle, if it labelled the image, and of its Dockerfile, which win.
pub(super) fn of(truth: &Value, of_script: Option<&Value>) -> Labels {
    let mut labels = Labels::new();
    let script = of_script.and_then(|script| script["labels"].as_object()).into_iter().flatten();
    for (check, label) in script.filter(|(_, label)| !label.is_null()) {
        let label = label.as_bool().map_or_else(|| Label::These(texts(label).collect()), Label::Fires);
        labels.insert(check.clone(), (Source::Script, label));
    }
    if truth.is_null() {
        return labels;
    }
    labels.extend(of_oracle(truth).into_iter().map(|(check, label)| (check.to_owned(), (Source::Oracle, label))));
    if is_built(truth) {
        let hidden = if truth["image"] == "f-secrets-lower" { &["/app/.env", "/root/.ssh/id_rsa"][..] } else { &[] };
        let hidden = Label::These(hidden.iter().map(ToString::to_string).collect());
        labels.insert("buried-secret".to_owned(), (Source::Dockerfile, hidden));
    }
    labels
}

/// Whether a builder wrote the image from a Dockerfile that is known.
fn is_built(truth: &Value) -> bool {
    ["app", "base", "control", "flaw"].iter().any(|class| truth["class"] == *class)
}

fn texts(value: &Value) -> impl Iterator<Item = String> {
    list(value).filter_map(text)
}

/// Names of package managers of languages, in the oracle's list of both kinds.
const OF_LANGUAGES: [&str; 22] = [
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "corepack",
    "pip",
    "pipx",
    "uv",
    "poetry",
    "conda",
    "mamba",
    "gem",
    "bundle",
    "bundler",
    "composer",
    "cargo",
    "luarocks",
    "cpan",
    "easy_install",
    "pip3",
    "bun",
    "pipenv",
];

fn is_of_language(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    OF_LANGUAGES.contains(&name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-'))
        || name.starts_with("pip3")
}

/// The oracle's labels (`tools/oracle.py` of the shared images), corrected where they look wrong.
fn of_oracle(truth: &Value) -> Vec<(&'static str, Label)> {
    let expected = &truth["expected"];
    let these = |fields: &[&str]| -> BTreeSet<String> { fields.iter().flat_map(|field| texts(&expected[*field])).collect() };
    let (of_languages, of_system) = these(&["package_managers"]).into_iter().partition(|path| is_of_language(path));
    let capable = list(&expected["file_capabilities"]).filter_map(|one| text(&one["path"])).collect();
    let mut labels = vec![
        ("compiler", these(&["compilers"])),
        ("build-tool", these(&["binutils", "build_tools"])),
        ("debugger", these(&["debug_tools"])),
        ("os-package-manager", of_system),
        ("language-package-manager", of_languages),
        ("setuid-file", these(&["setuid"])),
        ("setgid-file", these(&["setgid"])),
        ("file-capability", capable),
        ("world-writable", these(&["world_writable_dirs", "world_writable_files"])),
    ];
    if is_built(truth) {
        // builders wrote these, and engines and umoci unpack them alike
        labels.extend([("ambiguous-layer", BTreeSet::new()), ("ambiguous-image", BTreeSet::new())]);
    }
    for (check, paths) in &mut labels {
        WRONG.iter().filter(|wrong| wrong.check == *check && (wrong.of)(truth)).for_each(|wrong| wrong.correct(paths));
    }
    let mut labels: Vec<_> = labels.into_iter().map(|(check, paths)| (check, Label::These(paths))).collect();
    let mut fires = |check, is: Option<bool>| labels.extend(is.map(|is| (check, Label::Fires(is))));
    fires("missing-healthcheck", expected["healthcheck"].as_bool().map(|has| !has));
    fires("broken-healthcheck", Some(expected["healthcheck_command_present"] == false));
    fires("root-user", Some(expected["root_user"] == true));
    fires("apt-lists", expected["apt_lists"].as_bool());
    labels
}

/// A label of the oracle that looks wrong.
pub(super) struct Wrong {
    pub(super) check: &'static str,
    /// Whether it is so in this image.
    of: fn(&Value) -> bool,
    /// Paths that the label has and should not have.
    pub(super) surplus: &'static [&'static str],
    /// Paths that it lacks.
    pub(super) lacking: &'static [&'static str],
    pub(super) why: &'static str,
}

impl Wrong {
    fn correct(&self, label: &mut BTreeSet<String>) {
        label.retain(|path| !self.surplus.contains(&path.as_str()));
        label.extend(self.lacking.iter().map(ToString::to_string));
    }
}

fn is_busybox(truth: &Value) -> bool {
    truth["expected"]["dpkg_installed"] == 0 && list(&truth["expected"]["shells"]).any(|shell| shell == "/bin/ash")
}

fn has_pkgconf(truth: &Value) -> bool {
    list(&truth["expected"]["build_tools"]).any(|path| path == "/usr/bin/pkgconf")
}

fn is_go(truth: &Value) -> bool {
    truth["image"] == "go-single"
}

/// Every label of the oracle that looks wrong, with the reason.
pub(super) const WRONG: &[Wrong] = &[
    Wrong {
        check: "compiler",
        of: is_go,
        surplus: &[],
        lacking: &["/usr/bin/go"],
        why: "a link to `/usr/lib/go-1.19/bin/go`, which the label has: links that end at a compiler are listed with it",
    },
    Wrong {
        check: "build-tool",
        of: is_busybox,
        surplus: &["/bin/ar", "/bin/patch", "/usr/bin/patch"],
        lacking: &[],
        why: "applets of BusyBox: as with its `dpkg` and `rpm`, which the label leaves out, one program answers to these names",
    },
    Wrong {
        check: "build-tool",
        of: has_pkgconf,
        surplus: &[],
        lacking: &["/usr/bin/x86_64-linux-gnu-pkg-config", "/usr/bin/x86_64-linux-gnu-pkgconf"],
        why: "`pkgconf` under its names with a triplet, which the label knows of compilers and binutils only",
    },
    Wrong {
        check: "build-tool",
        of: is_go,
        surplus: &["/usr/lib/go-1.19/pkg/tool/linux_amd64/nm", "/usr/lib/go-1.19/pkg/tool/linux_amd64/objdump"],
        lacking: &[],
        why: "Go's own tools, called like those of binutils: they belong to Go, which `compiler` reports, and build nothing",
    },
];
