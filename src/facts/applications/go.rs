//! Go: the modules that a program says it was built from (`debug/buildinfo`).

use std::collections::BTreeMap;

use super::ComponentKind;
use super::collect::{Collector, Extent, Found};
use super::places::Places;
use crate::facts::GoBuildInfo;
use crate::rootfs::NodeId;

/// A module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Module {
    path: String,
    version: String,
    /// What it stands in for: path and version.
    replaces: Option<String>,
}

/// The module information of a program.
#[derive(Debug, Default, PartialEq, Eq)]
struct Modules {
    package: String,
    main: Option<Module>,
    dependencies: Vec<Module>,
    settings: BTreeMap<String, String>,
    /// Number of the first line that cannot be read.
    fault: Option<usize>,
}

pub(super) fn read(collector: &mut Collector<'_, '_>, places: &Places) {
    for program in &places.programs {
        let elf = collector.content(*program).and_then(|content| content.elf.as_deref());
        if let Some(info) = elf.and_then(|elf| elf.go.as_deref()) {
            modules(collector, *program, info);
        }
    }
}

fn modules(collector: &mut Collector<'_, '_>, program: NodeId, info: &GoBuildInfo) {
    let modules = parse(&String::from_utf8_lossy(&info.modules));
    let main = modules.main.unwrap_or_else(|| Module { path: modules.package.clone(), ..Module::default() });
    let name = if main.path.is_empty() { collector.base_name(program) } else { main.path };
    let mut found = Found::named(name, Some(main.version));
    found.extent = Extent::File(program);
    found.detail("go", info.version.as_deref().unwrap_or_default());
    found.detail("package", modules.package);
    for (key, name) in [("vcs.revision", "revision"), ("vcs.modified", "modified")] {
        found.detail(name, modules.settings.get(key).cloned().unwrap_or_default());
    }
    found.problem = match modules.fault {
        _ if info.is_cut => Some("its build information is cut".to_owned()),
        Some(line) => Some(format!("line {line} of its build information is malformed")),
        None => None,
    };
    collector.add(ComponentKind::GoModule, program, program, found);
    for module in modules.dependencies {
        let mut found = Found::named(module.path, Some(module.version));
        found.detail("replaces", module.replaces.unwrap_or_default());
        collector.add(ComponentKind::GoModule, program, program, found);
    }
}

/// Lines of fields apart by tabs (`runtime/debug`, `ParseBuildInfo`). Lines of other kinds are passed over, as Go does.
fn parse(text: &str) -> Modules {
    let mut modules = Modules::default();
    for (number, line) in text.lines().enumerate() {
        let mut fields = line.split('\t');
        let (kind, first, second) = (fields.next().unwrap_or_default(), fields.next(), fields.next());
        let is_understood = match (kind, first, second) {
            ("path", Some(path), _) => {
                path.clone_into(&mut modules.package);
                true
            }
            ("mod", Some(path), Some(version)) => {
                modules.main = Some(Module::of(path, version));
                true
            }
            ("dep", Some(path), Some(version)) => {
                modules.dependencies.push(Module::of(path, version));
                true
            }
            ("=>", Some(path), Some(version)) => {
                let replaced = modules.dependencies.last_mut().or(modules.main.as_mut());
                replaced.map(|replaced| replaced.replace(path, version)).is_some()
            }
            ("build", Some(setting), _) => {
                let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
                modules.settings.insert(key.to_owned(), value.trim_matches('"').to_owned());
                true
            }
            ("path" | "mod" | "dep" | "=>" | "build", ..) => false,
            _ => true,
        };
        if !is_understood {
            modules.fault.get_or_insert(number.saturating_add(1));
        }
    }
    modules
}

impl Module {
    fn of(path: &str, version: &str) -> Self {
        Self { path: path.to_owned(), version: version.to_owned(), replaces: None }
    }

    /// What was compiled is the other; of a folder only the path is known, which tells nobody what it is.
    fn replace(&mut self, path: &str, version: &str) {
        let is_folder = path.starts_with('.') || path.starts_with('/');
        if is_folder {
            self.replaces = Some(format!("{} {} by {path}", self.path, self.version));
        } else {
            *self = Self { replaces: Some(format!("{} {}", self.path, self.version)), ..Self::of(path, version) };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_give_modules_replacements_and_settings() {
        let text = "path\texample.org/app/cmd/x\nmod\texample.org/app\tv1.2.0\th1:x\ndep\ta.org/b\tv0.1.0\th1:y\n\
                    dep\tc.org/d\tv2.0.0\n=>\te.org/f\tv2.0.1\th1:z\ndep\tg\tv1\n=>\t./g\t(devel)\n\
                    build\tvcs.revision=abc\nbuild\t-ldflags=\"-s -w\"\nnew\tkind\n";
        let modules = parse(text);
        assert_eq!((modules.package.as_str(), modules.fault), ("example.org/app/cmd/x", None));
        assert_eq!(modules.main, Some(Module::of("example.org/app", "v1.2.0")));
        let replaced = Module { replaces: Some("c.org/d v2.0.0".into()), ..Module::of("e.org/f", "v2.0.1") };
        let local = Module { replaces: Some("g v1 by ./g".into()), ..Module::of("g", "v1") };
        assert_eq!(modules.dependencies, [Module::of("a.org/b", "v0.1.0"), replaced, local]);
        assert_eq!(modules.settings.get("vcs.revision").map(String::as_str), Some("abc"));
        assert_eq!(modules.settings.get("-ldflags").map(String::as_str), Some("-s -w"));
    }

    #[test]
    fn lines_that_lie_are_said() {
        assert_eq!(parse("path\tx\ndep\ta\n").fault, Some(2));
        assert_eq!(parse("=>\ta\tb\n").fault, Some(1));
        assert_eq!(parse(""), Modules::default());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "((path|mod|dep|=>|build|x)?\t?[a-z.=]{0,4}\t?[a-z]?\n?){0,20}") {
            let modules = parse(&text);
            prop_assert!(modules.dependencies.len() <= text.lines().count());
        }
    }
}
