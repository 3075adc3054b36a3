//! Executables along PATH: the folders that a bare command name is looked for in when a container starts.

use crate::limits::Limits;
use crate::oci::RuntimeConfig;
use crate::rootfs::{NodeId, Rootfs};

/// What runtimes set when the config has no PATH (moby's and containerd's default).
const DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The folders of PATH that exist, links followed, in order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchPath {
    folders: Vec<NodeId>,
}

impl SearchPath {
    /// Reads PATH of the config; what is relative starts at the working directory.
    #[must_use]
    pub fn of(config: &RuntimeConfig, rootfs: &Rootfs, limits: &Limits) -> Self {
        let mut folders = Vec::new();
        for entry in config.env("PATH").unwrap_or(DEFAULT).split(':') {
            let path = if entry.starts_with('/') { entry.to_owned() } else { format!("/{}/{entry}", config.working_dir) };
            if limits.path_bytes(u64::try_from(path.len()).unwrap_or(u64::MAX)).is_err() {
                continue;
            }
            let Ok(folder) = rootfs.resolve(path.as_bytes(), limits) else { continue };
            if rootfs.inode(folder).is_directory() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        Self { folders }
    }

    /// Whether a name lies in one of the folders, so that it can be run without its path.
    #[must_use]
    pub fn has(&self, rootfs: &Rootfs, name: NodeId) -> bool {
        self.folders.contains(&rootfs.folder_of(name))
    }

    /// What is called `name` in the folders, in order, not followed.
    pub(super) fn names(&self, rootfs: &Rootfs, name: &[u8]) -> impl Iterator<Item = NodeId> {
        self.folders.iter().filter_map(move |folder| rootfs.child(*folder, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rootfs::{Inode, InodeKind};

    fn tree() -> Rootfs {
        let mut rootfs = Rootfs::default();
        let program = || Inode::new(InodeKind::File { size: 1 }, 0o755, 0);
        for path in ["/usr/bin/a", "/opt/tools/b", "/srv/app/c"] {
            rootfs.insert(path.as_bytes(), program());
        }
        rootfs.insert(b"/bin", Inode::new(InodeKind::Symlink { target: b"usr/bin"[..].into() }, 0o777, 0));
        rootfs
    }

    fn found(path: Option<&str>, working_dir: &str) -> Vec<&'static str> {
        let rootfs = tree();
        let env = path.map(|path| format!("PATH={path}")).into_iter().collect();
        let config = RuntimeConfig { env, working_dir: working_dir.to_owned(), ..RuntimeConfig::default() };
        let search = SearchPath::of(&config, &rootfs, &Limits::default());
        let is_found = |path: &&str| search.has(&rootfs, rootfs.resolve(path.as_bytes(), &Limits::default()).unwrap());
        ["/usr/bin/a", "/opt/tools/b", "/srv/app/c"].into_iter().filter(is_found).collect()
    }

    #[test]
    fn the_default_holds_when_there_is_no_path() {
        assert_eq!(found(None, ""), ["/usr/bin/a"]);
    }

    #[test]
    fn folders_are_reached_through_links_and_missing_ones_are_nothing() {
        assert_eq!(found(Some("/nowhere:/bin:/opt/tools"), ""), ["/usr/bin/a", "/opt/tools/b"]);
    }

    #[test]
    fn an_empty_or_relative_folder_starts_at_the_working_directory() {
        assert_eq!(found(Some(":/usr/bin"), "/srv/app"), ["/usr/bin/a", "/srv/app/c"]);
        assert_eq!(found(Some("app"), "/srv"), ["/srv/app/c"]);
        assert_eq!(found(Some(""), ""), [] as [&str; 0]);
    }
}
