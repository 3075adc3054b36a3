//! What a folder or file is for, told by where it lies: places that the Filesystem Hierarchy Standard and the tools themselves fix.

/// What files of a place are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Headers, macros, libraries to link: to build programs against.
    Development,
    /// Temporary files and logs.
    Temporary,
    /// Caches and lists of packages.
    Cache,
    /// doc, man, info, locale.
    Documentation,
    /// What package managers bring for themselves.
    PackageManager,
}

/// Folders from the root.
const FOLDERS: &[(&[u8], Purpose)] = &[
    (b"/usr/include", Purpose::Development),
    (b"/usr/local/include", Purpose::Development),
    (b"/usr/share/aclocal", Purpose::Development),
    (b"/usr/share/pkgconfig", Purpose::Development),
    (b"/tmp", Purpose::Temporary),
    (b"/var/tmp", Purpose::Temporary),
    (b"/var/log", Purpose::Temporary),
    (b"/var/cache", Purpose::Cache),
    (b"/var/lib/apt/lists", Purpose::Cache),
    (b"/root/.cache", Purpose::Cache),
    (b"/root/.npm", Purpose::Cache),
    (b"/usr/man", Purpose::Documentation),
    (b"/usr/local/man", Purpose::Documentation),
    (b"/usr/local/doc", Purpose::Documentation),
    (b"/usr/share/python-wheels", Purpose::PackageManager),
];

/// Folders of documentation below `/usr/share` and `/usr/local/share`.
const DOCUMENTATION: &[&[u8]] = &[b"doc", b"doc-base", b"gtk-doc", b"help", b"info", b"locale", b"man"];

/// What all files below a folder are for, when its path tells.
#[must_use]
pub fn of_folder(path: &[u8]) -> Option<Purpose> {
    if let Some((_, purpose)) = FOLDERS.iter().find(|(folder, _)| path == *folder) {
        return Some(*purpose);
    }
    if let Some(name) = path.strip_prefix(b"/usr/share/").or_else(|| path.strip_prefix(b"/usr/local/share/")) {
        return DOCUMENTATION.contains(&name).then_some(Purpose::Documentation);
    }
    // programs that were unpacked below /opt
    if path.strip_prefix(b"/opt/").and_then(|rest| rest.strip_suffix(b"/include")).is_some_and(|name| !name.contains(&b'/')) {
        return Some(Purpose::Development);
    }
    // the cache of a user, whose name is unknown
    let below_home = path.strip_prefix(b"/home/")?;
    let is_cache = below_home.strip_suffix(b"/.cache").is_some_and(|user| !user.contains(&b'/'));
    is_cache.then_some(Purpose::Cache)
}

/// Whether a file is one to link programs from: a static library, a libtool archive, an object file, Rust's library.
#[must_use]
pub fn is_for_linking(folder: &[u8], name: &[u8]) -> bool {
    let is_below_library = || folder.split(|byte| *byte == b'/').any(|one| one.starts_with(b"lib"));
    let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else { return false };
    match name.get(dot.saturating_add(1)..).unwrap_or_default() {
        b"a" | b"la" if name.starts_with(b"lib") => true,
        b"a" | b"la" | b"o" | b"rlib" => is_below_library(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_what_is_below_them() {
        assert_eq!(of_folder(b"/usr/include"), Some(Purpose::Development));
        assert_eq!(of_folder(b"/usr/local/share/man"), Some(Purpose::Documentation));
        assert_eq!(of_folder(b"/opt/x/include"), Some(Purpose::Development));
        assert_eq!(of_folder(b"/tmp"), Some(Purpose::Temporary));
        assert_eq!(of_folder(b"/home/app/.cache"), Some(Purpose::Cache));
        for other in [&b"/usr/share/doc/x"[..], b"/app/tmp", b"/home/a/b/.cache", b""] {
            assert_eq!(of_folder(other), None);
        }
    }

    #[test]
    fn libraries_to_link_are_told_by_their_ending() {
        assert!(!is_for_linking(b"/usr/lib", b"a") && !is_for_linking(b"/usr/lib", b"o"));
        assert!(is_for_linking(b"/opt", b"libx.a") && is_for_linking(b"/usr/lib/gcc", b"crt1.o"));
        assert!(
            !is_for_linking(b"/app", b"data.a") && !is_for_linking(b"/app", b"x.o") && !is_for_linking(b"/usr/lib", b"libx.so")
        );
    }
}
