//! The Dockerfiles that findings are shown on: `--dockerfile`, `--source-root`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::USAGE;
use super::reference::Refusal;
use crate::limits::{LimitHit, Limits};
use crate::verify::{AtHand, Dockerfiles, FoundBy};

/// Folders that hold what others wrote, or what tools made.
const SKIPPED: [&str; 14] = [
    ".cache",
    ".git",
    ".gradle",
    ".hg",
    ".svn",
    ".terraform",
    ".tox",
    ".venv",
    "__pycache__",
    "bower_components",
    "node_modules",
    "target",
    "vendor",
    "venv",
];

/// Where the Dockerfile is.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Source {
    /// The Dockerfile that the image was built from: findings are shown on its lines
    #[arg(long, value_name = "PATH")]
    dockerfile: Option<PathBuf>,

    /// The root of the repository, which paths of Dockerfiles start from (the current folder without it); alone, the Dockerfile
    /// that fits the image is looked for below it
    #[arg(long, value_name = "DIR")]
    source_root: Option<PathBuf>,
}

impl Source {
    /// Reads the files.
    pub(super) fn read(&self, limits: &Limits) -> Result<Dockerfiles, Refusal> {
        if let Some(root) = self.source_root.as_deref().filter(|root| !root.is_dir()) {
            return Err((USAGE, format!("--source-root {}: not a folder", root.display())));
        }
        match (&self.dockerfile, &self.source_root) {
            (Some(path), root) => {
                let root = root.as_deref().unwrap_or(Path::new("."));
                let file =
                    given(path, root, limits).map_err(|reason| (USAGE, format!("--dockerfile {}: {reason}", path.display())))?;
                Ok(Dockerfiles { files: vec![file], found_by: FoundBy::Given, cut: None })
            }
            (None, Some(root)) => Ok(Search::new(limits).below(root)),
            (None, None) => Ok(Dockerfiles::default()),
        }
    }
}

/// The file that was named, with its path from the root.
fn given(path: &Path, root: &Path, limits: &Limits) -> Result<AtHand, String> {
    let file = path.canonicalize().map_err(|error| error.to_string())?;
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    let Ok(inside) = file.strip_prefix(&root) else {
        let shown = root.display();
        return Err(format!("it lies outside of {shown}; name the root of its repository with --source-root DIR"));
    };
    let path = joined(inside).ok_or("its path is not UTF-8")?;
    Ok(AtHand { path, bytes: bytes_of(&file, limits)? })
}

/// Parts joined by `/`.
fn joined(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

fn bytes_of(path: &Path, limits: &Limits) -> Result<Vec<u8>, String> {
    // opening a named pipe would wait for its writer
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let most = limits.dockerfile_bytes.saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    limits.dockerfile_bytes(length(&bytes)).map_err(|hit| hit.to_string())?;
    Ok(bytes)
}

fn length<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}

/// A search below a folder: links are not followed, folders of tools not looked into.
struct Search<'a> {
    limits: &'a Limits,
    entries: u64,
    unread: usize,
    hit: Option<LimitHit>,
    found: Vec<AtHand>,
}

impl<'a> Search<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self { limits, entries: 0, unread: 0, hit: None, found: Vec::new() }
    }

    fn below(mut self, root: &Path) -> Dockerfiles {
        let mut folders = vec![(root.to_path_buf(), String::new(), 0_u64)];
        while let Some((folder, prefix, depth)) = folders.pop() {
            let mut inside = Vec::new();
            for (name, is_folder) in self.entries_of(&folder) {
                let path = format!("{prefix}{name}");
                if is_folder && !SKIPPED.contains(&name.as_str()) {
                    inside.push((folder.join(&name), format!("{path}/"), depth.saturating_add(1)));
                } else if !is_folder && is_dockerfile(&name) {
                    self.keep(&folder.join(&name), path);
                }
            }
            if let Some(Err(hit)) = inside.first().map(|(.., depth)| self.limits.source_root_depth(*depth)) {
                self.hit.get_or_insert(hit);
                inside.clear();
            }
            folders.extend(inside.into_iter().rev());
        }
        self.found.sort_by(|a, b| a.path.cmp(&b.path));
        let cut = self.cut();
        Dockerfiles { files: self.found, found_by: FoundBy::SourceRoot, cut }
    }

    /// Names and whether they are folders, sorted; what is neither a folder nor a file is left out.
    fn entries_of(&mut self, folder: &Path) -> Vec<(String, bool)> {
        let Ok(listed) = std::fs::read_dir(folder) else {
            self.unread = self.unread.saturating_add(1);
            return Vec::new();
        };
        let mut entries = Vec::new();
        for entry in listed {
            self.entries = self.entries.saturating_add(1);
            if let Err(hit) = self.limits.source_root_entries(self.entries) {
                self.hit.get_or_insert(hit);
                break;
            }
            let Some((name, kind)) = entry.ok().and_then(|it| Some((it.file_name().into_string().ok()?, it.file_type().ok()?)))
            else {
                continue;
            };
            if kind.is_dir() || kind.is_file() {
                entries.push((name, kind.is_dir()));
            }
        }
        entries.sort();
        entries
    }

    fn keep(&mut self, file: &Path, path: String) {
        if let Err(hit) = self.limits.dockerfiles(length(&self.found).saturating_add(1)) {
            self.hit.get_or_insert(hit);
            return;
        }
        match bytes_of(file, self.limits) {
            Ok(bytes) => self.found.push(AtHand { path, bytes }),
            Err(_) => self.unread = self.unread.saturating_add(1),
        }
    }

    fn cut(&self) -> Option<String> {
        if let Some(LimitHit { name, limit, .. }) = &self.hit {
            return Some(format!("the search below the source root is not complete: limit {name} is {limit}"));
        }
        let plural = if self.unread == 1 { "" } else { "s" };
        (self.unread > 0)
            .then(|| format!("{} file{plural} or folder{plural} below the source root could not be read", self.unread))
    }
}

fn is_dockerfile(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_named = |word: &str| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) || name.ends_with(&format!(".{word}"))
    };
    (is_named("dockerfile") || is_named("containerfile"))
        && !name.ends_with(".dockerignore")
        && !name.ends_with(".containerignore")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn read(dockerfile: Option<PathBuf>, source_root: Option<PathBuf>) -> Result<Dockerfiles, String> {
        Source { dockerfile, source_root }.read(&Limits::default()).map_err(|(_, reason)| reason)
    }

    fn paths(found: &Dockerfiles) -> Vec<&str> {
        found.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn a_named_file_has_its_path_from_the_root() {
        let root = tree(&[("api/Dockerfile", "FROM a"), ("other/x", "")]);
        let file = root.path().join("other/../api/Dockerfile");
        let found = read(Some(file.clone()), Some(root.path().into())).unwrap();
        assert_eq!(
            (paths(&found), found.files[0].bytes.as_slice(), found.found_by),
            (vec!["api/Dockerfile"], &b"FROM a"[..], FoundBy::Given)
        );
        let reason = read(Some(file), Some(root.path().join("other"))).unwrap_err();
        assert!(reason.contains("lies outside of") && reason.contains("--source-root DIR"), "{reason}");
        assert!(read(Some(root.path().join("none")), None).unwrap_err().contains("No such file"));
        assert!(read(Some(root.path().join("api")), Some(root.path().into())).unwrap_err().contains("not a regular file"));
        assert!(read(None, Some(root.path().join("other/x"))).unwrap_err().contains("not a folder"));
    }

    #[test]
    fn below_a_root_files_of_the_usual_names_are_found_in_order() {
        let root = tree(&[
            ("b/api.Dockerfile", ""),
            ("a/Dockerfile.dev", ""),
            ("Dockerfile", ""),
            ("c/Containerfile", ""),
            ("c/x.dockerfile", ""),
            ("Dockerfile.dockerignore", ""),
            ("Dockerfiles.md", ""),
            ("node_modules/x/Dockerfile", ""),
            (".git/Dockerfile", ""),
            ("target/Dockerfile", ""),
        ]);
        let found = read(None, Some(root.path().into())).unwrap();
        assert_eq!(paths(&found), ["Dockerfile", "a/Dockerfile.dev", "b/api.Dockerfile", "c/Containerfile", "c/x.dockerfile"]);
        assert_eq!((found.found_by, found.cut), (FoundBy::SourceRoot, None));
    }

    #[test]
    fn links_are_not_followed() {
        let outside = tree(&[("Dockerfile", "FROM outside")]);
        let root = tree(&[("x", "")]);
        std::os::unix::fs::symlink(outside.path(), root.path().join("folder")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("Dockerfile"), root.path().join("Dockerfile")).unwrap();
        assert!(read(None, Some(root.path().into())).unwrap().files.is_empty());
    }

    #[test]
    fn what_a_limit_cuts_off_is_said() {
        let root = tree(&[("Dockerfile", "FROM a"), ("a/Dockerfile", "FROM b"), ("a/b/Dockerfile", "FROM c")]);
        for (name, value, found) in [
            ("dockerfiles", 1, vec!["Dockerfile"]),
            ("source-root-depth", 1, vec!["Dockerfile", "a/Dockerfile"]),
            ("source-root-entries", 0, vec![]),
        ] {
            let mut limits = Limits::default();
            assert!(limits.set(name, value));
            let files = Search::new(&limits).below(root.path());
            assert_eq!(paths(&files), found, "{name}");
            assert!(files.cut.unwrap().ends_with(&format!("limit {name} is {value}")));
        }
        let mut limits = Limits::default();
        limits.set("dockerfile-bytes", 5);
        assert_eq!(
            Search::new(&limits).below(root.path()).cut.unwrap(),
            "3 files or folders below the source root could not be read"
        );
    }
}
