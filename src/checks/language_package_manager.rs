//! `language-package-manager`: pip, npm, gem, cargo and their like can be run.
//!
//! Machine code (uv, cargo, bun) counts by name. An entry script counts with the module it starts, when a package owns it, or when it
//! holds its whole program (composer, zip applications); an entry script alone cannot run, nor can one of a virtual environment whose
//! interpreter is gone. A module without its entry script still runs
//! by `python -m pip` and is reported as such.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::{ComponentKind, Executable, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::rootfs::Inode;
use tools::Form;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "language-package-manager",
    title: "A language's package manager can be run",
    family: Family::Packages,
    severity: Severity::Low,
    what: "A package manager of a programming language can be run: pip, uv, Poetry, conda, npm, npx, yarn, pnpm, corepack, bun, gem, \
           bundler, Composer, Cargo, LuaRocks, cpan and others. An entry script without its module does not count.",
    why: "Dependencies are installed while the image is built. At run time a package manager only serves an intruder, and its bundled \
          libraries show up in every vulnerability scan.",
    fix: "Install dependencies in a build stage and copy the result, or remove the package manager in the step that used it last.",
    example: "FROM python:3.12 AS build\nCOPY requirements.txt .\nRUN pip install --no-cache-dir --target=/packages -r requirements.txt\n\n\
              FROM gcr.io/distroless/python3-debian12:nonroot\nCOPY --from=build /packages /packages\nENV PYTHONPATH=/packages\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "MITRE ATT&CK T1105", url: "https://attack.mitre.org/techniques/T1105/" },
    ],
    since: "0.1.0",
    run,
};

/// A package manager: what it is called, its names, and ends of paths of which one must be there for a script of the name to run.
struct Manager {
    label: &'static str,
    names: &'static [&'static str],
    modules: &'static [&'static str],
}

const MANAGERS: &[Manager] = &[
    Manager {
        label: "pip",
        names: &["pip", "pip2", "pip3"],
        modules: &["site-packages/pip", "dist-packages/pip", "python-wheels"],
    },
    Manager { label: "pipx", names: &["pipx"], modules: &["site-packages/pipx", "dist-packages/pipx"] },
    Manager { label: "pipenv", names: &["pipenv"], modules: &["site-packages/pipenv", "dist-packages/pipenv"] },
    Manager { label: "Poetry", names: &["poetry"], modules: &["site-packages/poetry", "dist-packages/poetry"] },
    Manager { label: "PDM", names: &["pdm"], modules: &["site-packages/pdm", "dist-packages/pdm"] },
    Manager { label: "uv", names: &["uv"], modules: &["site-packages/uv", "dist-packages/uv"] },
    Manager {
        label: "easy_install",
        names: &["easy_install"],
        modules: &["site-packages/setuptools", "dist-packages/setuptools"],
    },
    Manager {
        label: "conda",
        names: &["conda", "mamba", "micromamba"],
        modules: &["site-packages/conda", "site-packages/mamba"],
    },
    Manager { label: "npm", names: &["npm", "npx"], modules: &["node_modules/npm", "nodejs/npm"] },
    Manager {
        label: "Yarn",
        names: &["yarn"],
        modules: &["bin/yarn.js", "node_modules/yarn", "nodejs/yarn", "dist/yarn.js", "lib/yarn.js"],
    },
    Manager { label: "pnpm", names: &["pnpm"], modules: &["node_modules/pnpm", "dist/pnpm.js", "bin/pnpm.cjs"] },
    Manager { label: "Corepack", names: &["corepack"], modules: &["node_modules/corepack", "dist/corepack.js"] },
    Manager { label: "Bun", names: &["bun"], modules: &["node_modules/bun"] },
    Manager { label: "RubyGems", names: &["gem"], modules: &["rubygems/commands"] },
    Manager { label: "Bundler", names: &["bundle", "bundler"], modules: &["lib/bundler", "bundler/cli"] },
    Manager { label: "Composer", names: &["composer"], modules: &["php/Composer", "vendor/composer/composer"] },
    Manager { label: "Cargo", names: &["cargo"], modules: &[] },
    Manager { label: "NuGet", names: &["nuget"], modules: &["nuget/NuGet.exe", "nuget.exe"] },
    Manager { label: "LuaRocks", names: &["luarocks"], modules: &["luarocks/core"] },
    Manager { label: "CPAN", names: &["cpan", "cpanm"], modules: &["perl/CPAN.pm", "CPAN/Shell.pm"] },
    Manager { label: "opam", names: &["opam"], modules: &[] },
    Manager { label: "Cabal", names: &["cabal"], modules: &[] },
];

fn manager_of(name: &ExecutableName) -> Option<&'static Manager> {
    let base = std::str::from_utf8(name.base_name()).ok()?;
    let exact = |base: &str| MANAGERS.iter().find(|manager| manager.names.contains(&base));
    // pip3.12, easy_install-3.8
    let unversioned = || base.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').trim_end_matches('-');
    exact(base).or_else(|| exact(unversioned()).filter(|manager| matches!(manager.label, "pip" | "easy_install")))
}

fn run(image: &Image) -> Vec<Observation> {
    let modules = Modules::of(image);
    let mut seen: BTreeMap<&str, Vec<Evidence>> = BTreeMap::new();
    let mut wrappers = Vec::new();
    for executable in &image.executables {
        let Some((manager, evidence)) = observe(image, executable) else { continue };
        if is_runnable(image, executable, manager, &modules) {
            seen.entry(manager.label).or_default().extend(evidence);
        } else {
            wrappers.push((manager.label, evidence));
        }
    }
    // a script beside the real manager is a way to run it
    for (label, evidence) in wrappers {
        if let Some(known) = seen.get_mut(label) {
            known.extend(evidence);
        }
    }
    let mut observations: Vec<_> = seen
        .iter()
        .map(|(label, evidence)| {
            let listed = wording::names(evidence::base_names(evidence));
            let (subject, message) = (wording::key(label), format!("{label} can be run: {listed}"));
            Observation { subject, message, evidence: evidence.clone(), ..Observation::default() }
        })
        .collect();
    if !seen.contains_key("pip") {
        observations.extend(pip_module(image, &modules));
    }
    observations
}

fn observe(image: &Image, executable: &Executable) -> Option<(&'static Manager, Vec<Evidence>)> {
    let inode = image.rootfs.inode(executable.node);
    let form = tools::form(inode);
    if form == Form::Other || tools::is_multi_call(executable, inode) {
        return None;
    }
    // a Go program of one of these names is another program
    let is_other = tools::elf(inode).is_some_and(|elf| elf.go_path.is_some());
    let listed = |name: &ExecutableName| {
        manager_of(name).filter(|_| !is_other && (form == Form::Program || tools::is_command_path(&name.path)))
    };
    let manager = executable.names.iter().find_map(listed)?;
    let is_listed = |name: &ExecutableName| listed(name).is_some_and(|found| found.label == manager.label);
    Some((manager, evidence::of_names(image, executable, is_listed)))
}

/// Whether there is something behind the name: machine code, a whole program in one script, a package, or the module it loads.
fn is_runnable(image: &Image, executable: &Executable, manager: &Manager, modules: &Modules) -> bool {
    let inode = image.rootfs.inode(executable.node);
    if is_of_broken_environment(image, inode) {
        return false;
    }
    tools::form(inode) == Form::Program
        || tools::is_self_contained(inode)
        || tools::owner(image, executable.node).is_some()
        || manager.modules.iter().any(|module| modules.found.contains_key(module))
}

/// Whether a script asks for the interpreter of a virtual environment that has none: `/opt/venv/bin/python` leads nowhere.
fn is_of_broken_environment(image: &Image, script: &Inode) -> bool {
    let Some(line) = script.content.as_ref().and_then(|content| content.shebang.as_deref()) else { return false };
    let interpreter = line.trim_ascii_start();
    image.applications.of_kind(ComponentKind::PythonEnvironment).any(|environment| {
        let is_inside = interpreter.strip_prefix(&environment.path[..]).is_some_and(|rest| rest.starts_with(b"/"));
        is_inside && environment.details.get("interpreter").is_some_and(|interpreter| interpreter == "absent")
    })
}

/// The modules of all package managers that are in the tree.
struct Modules {
    /// Paths by the end that is looked for.
    found: BTreeMap<&'static str, Vec<Vec<u8>>>,
}

impl Modules {
    fn of(image: &Image) -> Self {
        let wanted: BTreeSet<&'static str> = MANAGERS.iter().flat_map(|manager| manager.modules).copied().collect();
        let mut found: BTreeMap<&'static str, Vec<Vec<u8>>> = BTreeMap::new();
        for (path, node) in image.rootfs.entries() {
            let is_end = |end: &&&'static str| path.strip_suffix(end.as_bytes()).is_some_and(|rest| rest.ends_with(b"/"));
            if let Some(end) = wanted.iter().find(is_end)
                && (image.rootfs.inode(node).is_file() || image.rootfs.children(node).next().is_some())
            {
                found.entry(end).or_default().push(path);
            }
        }
        Self { found }
    }
}

/// pip without an entry script, where there is a Python to run it.
fn pip_module(image: &Image, modules: &Modules) -> Option<Observation> {
    let is_python = |name: &ExecutableName| {
        name.base_name()
            .strip_prefix(b"python")
            .is_some_and(|rest| rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
    };
    image.executables.iter().flat_map(|executable| &executable.names).find(|name| is_python(name))?;
    let folders = ["site-packages/pip", "dist-packages/pip"].iter().filter_map(|end| modules.found.get(end)).flatten();
    let evidence: Vec<_> = folders
        .filter_map(|path| {
            let main = tools::beside(path, 0, "__main__.py");
            tools::entry(&image.rootfs, &main).map(|node| evidence::of_node(image, main, node))
        })
        .collect();
    let message = "pip can be run as a module, without its entry script: python -m pip".to_owned();
    let subject = wording::key("pip");
    (!evidence.is_empty()).then(|| Observation { subject, message, evidence, ..Observation::default() })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_pip_with_its_module() {
        let mut builder = Builder::default();
        builder.script("/usr/local/bin/pip", 227).script("/usr/local/bin/pip3.11", 227).link("/usr/local/bin/pip3", "pip");
        builder.file("/usr/local/lib/python3.11/site-packages/pip/__main__.py", 9);
        let seen = builder.run(&CHECK);
        assert_eq!(seen.len(), 1);
        assert_eq!(paths(&seen[0]), ["/usr/local/bin/pip", "/usr/local/bin/pip3", "/usr/local/bin/pip3.11"]);
    }

    #[test]
    fn fires_on_npm_through_its_links_and_scripts() {
        let mut builder = Builder::default();
        let root = "/usr/local/lib/node_modules/npm/bin";
        builder.script(&format!("{root}/npm-cli.js"), 9).script(&format!("{root}/npm"), 9).script(&format!("{root}/npx"), 9);
        builder.link("/usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js");
        let expected = ["/usr/local/bin/npm".to_owned(), format!("{root}/npm"), format!("{root}/npx")];
        assert_eq!(paths(&builder.run(&CHECK)[0]), expected);
    }

    #[test]
    fn fires_on_machine_code_and_self_contained_scripts_by_name() {
        for name in ["uv", "cargo", "bun", "micromamba", "opam"] {
            assert_eq!(Builder::default().program(&format!("/root/.local/{name}"), 9).run(&CHECK).len(), 1, "{name}");
        }
        for name in ["composer", "pip", "cpanm", "yarn"] {
            assert_eq!(Builder::default().script(&format!("/usr/local/bin/{name}"), 300_000).run(&CHECK).len(), 1, "{name}");
        }
    }

    #[test]
    fn fires_on_a_wrapper_script_beside_the_real_manager() {
        let mut builder = Builder::default();
        builder.script("/usr/share/cargo/bin/cargo", 9_824).program("/usr/bin/cargo", 9);
        assert_eq!(paths(&builder.run(&CHECK)[0]), ["/usr/bin/cargo", "/usr/share/cargo/bin/cargo"]);
    }

    #[test]
    fn fires_on_what_a_package_owns() {
        assert_eq!(Builder::default().script("/usr/bin/cpan", 9).in_package("perl", &["/usr/bin/cpan"]).run(&CHECK).len(), 1);
    }

    #[test]
    fn fires_on_a_module_that_python_can_run() {
        let mut builder = Builder::default();
        builder.program("/usr/bin/python3.11", 9).file("/usr/lib/python3/dist-packages/pip/__main__.py", 9);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "pip can be run as a module, without its entry script: python -m pip");
    }

    #[test]
    fn is_silent_on_an_entry_script_without_its_module() {
        for name in
            "pip pip3 pip3.12 pipx uv poetry conda npm npx yarn pnpm corepack gem bundle composer cargo luarocks cpan".split(' ')
        {
            assert!(Builder::default().script(&format!("/usr/local/bin/{name}"), 200).run(&CHECK).is_empty(), "{name}");
        }
    }

    fn environment(home: &str) -> Builder {
        let mut builder = Builder::default();
        builder.text("/opt/venv/pyvenv.cfg", "home = /usr/local/bin\nversion = 3.12.1\n").link("/opt/venv/bin/python", home);
        builder.script_of("/opt/venv/bin/pip", "#!/opt/venv/bin/python\nimport pip\n");
        builder.file("/opt/venv/lib/python3.12/site-packages/pip/__main__.py", 9);
        builder
    }

    #[test]
    fn fires_on_pip_of_an_environment_and_not_without_its_interpreter() {
        let mut builder = environment("/usr/local/bin/python3");
        builder.program("/usr/local/bin/python3", 9);
        assert_eq!(builder.run(&CHECK)[0].message, "pip can be run: pip");
        assert!(environment("/usr/local/bin/python3").run(&CHECK).is_empty());
        let mut builder = environment("/usr/local/bin/python3");
        builder.program("/usr/bin/python3.11", 9);
        assert!(builder.run(&CHECK)[0].message.ends_with("python -m pip"), "another interpreter runs the module");
    }

    #[test]
    fn is_silent_on_what_is_only_called_so() {
        let mut builder = Builder::default();
        builder
            .directory("/app/bin/npm", 0o755)
            .directory("/app/pip", 0o755)
            .file("/usr/local/lib/python3.11/ensurepip/_bundled/pip-23-py3-none-any.whl", 9)
            .file("/usr/lib/python3/dist-packages/pip/__main__.py", 9)
            .script("/usr/share/bash-completion/completions/pip", 9)
            .go_program("/app/bin/gem", "example.org/gem")
            .link("/usr/bin/npm", "/nowhere");
        let seen = builder.run(&CHECK);
        assert!(seen.is_empty(), "{seen:?}");
    }
}
