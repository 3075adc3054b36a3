//! Compilers that are scripts by nature: they count together with the implementation they start.

use crate::checks::tools::{self, Match};
use crate::facts::{Executable, Image};
use crate::rootfs::Rootfs;

use super::names::{self, Family};

/// Files of which one must lie beside the script for it to be the compiler: components to leave, path from there.
/// A path that ends in `*` stands for any name that starts so.
const IMPLEMENTATIONS: &[(Family, &[(usize, &str)])] = &[
    (Family::TypeScript, &[(2, "lib/tsc.js"), (2, "lib/_tsc.js"), (2, "lib/typescript.js")]),
    (Family::Kotlin, &[(2, "lib/kotlin-compiler*"), (2, "konan/lib/kotlin-native*")]),
    (Family::Scala, &[(2, "lib/scala-compiler*"), (2, "lib/scala3-compiler*"), (2, "lib/scala.jar"), (2, "maven2")]),
    (Family::Groovy, &[(2, "lib/groovy-*"), (2, "lib/groovy.jar")]),
    (Family::Emscripten, &[(1, "emcc.py"), (1, "tools")]),
    (Family::Erlang, &[(2, "lib/elixir/ebin")]),
    (Family::DotNet, &[(2, "lib/mono")]),
    (Family::Cuda, &[(2, "nvvm/bin/cicc")]),
    (Family::Haskell, &[(2, "lib/ghc*")]),
    (Family::Swift, &[(1, "swift-frontend")]),
];

/// The family of a script that is a compiler, told by one of its own names and by what lies beside it or owns it.
pub(super) fn family(image: &Image, executable: &Executable) -> Option<Family> {
    tools::own_names(executable).find_map(|name| {
        let Match { value: (family, _), .. } = tools::find(name.base_name(), names::lookup)?;
        let (_, places) = IMPLEMENTATIONS.iter().find(|(known, _)| *known == family)?;
        let is_owned = tools::owner(image, executable.node).is_some_and(|package| names::is_package_of(family, package));
        (is_owned || places.iter().any(|(up, rest)| exists(&image.rootfs, &tools::beside(&name.path, *up, rest))))
            .then_some(family)
    })
}

fn exists(rootfs: &Rootfs, path: &[u8]) -> bool {
    let Some(stem) = path.strip_suffix(b"*") else { return tools::entry(rootfs, path).is_some() };
    let cut = stem.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let (folder, prefix) = (stem.get(..cut).unwrap_or_default(), stem.get(cut.saturating_add(1)..).unwrap_or_default());
    tools::entry(rootfs, folder).is_some_and(|folder| rootfs.children(folder).any(|(name, _)| name.starts_with(prefix)))
}
