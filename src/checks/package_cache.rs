//! `package-cache`: what package managers keep of downloads and builds is still there.
//!
//! A file that a package owns is no cache, unless it lies in `/var/cache`, where nothing else has business. `.yarn/cache` of a
//! project, Deno's cache and vendored modules are what the application runs from, and no cache either.

use std::collections::BTreeMap;

use super::contents::Contents;
use super::{Check, Family, Reference, evidence, tools, wording};
use crate::facts::Image;
use crate::finding::{Observation, Severity};

/// The check.
pub(super) static CHECK: Check = Check {
    id: "package-cache",
    title: "Caches of package managers",
    family: Family::Packages,
    severity: Severity::Medium,
    what: "Downloads or build results that a package manager keeps for its next run are in the final filesystem: archives and indexes of \
           apt, apk, dnf, yum, zypper and pacman, and the caches of pip, uv, Poetry, npm, Yarn, pnpm, Composer, Cargo, Go, Maven, Gradle, \
           conda, RubyGems, NuGet and others. Empty folders do not count.",
    why: "Nothing reads them at run time. They enlarge every pull, and scanners report the packages in them.",
    fix: "Keep caches out of the layer with a cache mount, or remove them in the same RUN that filled them.",
    example: "RUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install -r requirements.txt\n\n\
              RUN apk add --no-cache ca-certificates\nRUN npm ci --omit=dev && npm cache clean --force\n",
    references: &[
        Reference { name: "Docker: cache mounts", url: "https://docs.docker.com/build/cache/optimize/#use-cache-mounts" },
        Reference { name: "Docker: build best practices", url: "https://docs.docker.com/build/building/best-practices/" },
    ],
    since: "0.1.0",
    run,
};

/// Where a cache lies.
enum Place {
    /// A folder from the root.
    Folder(&'static str),
    /// A folder below any other: home folders differ, and `HOME` and `XDG_CACHE_HOME` are the builder's.
    Anywhere(&'static str),
    /// Files with an ending in a folder of any parent: `folder`, `ending`.
    Files(&'static str, &'static str),
}

use Place::{Anywhere, Files, Folder};

const CACHES: &[(&str, &[Place])] = &[
    (
        "apt",
        &[
            Files("/var/cache/apt", "pkgcache.bin"),
            Files("/var/cache/apt/archives", ".deb"),
            Files("/var/cache/apt/archives/partial", ".deb"),
        ],
    ),
    ("apk", &[Folder("/var/cache/apk"), Folder("/etc/apk/cache")]),
    ("dnf", &[Folder("/var/cache/dnf"), Folder("/var/cache/libdnf5"), Folder("/var/cache/yum"), Folder("/var/cache/PackageKit")]),
    ("zypper", &[Folder("/var/cache/zypp")]),
    ("pacman", &[Folder("/var/cache/pacman/pkg"), Folder("/var/lib/pacman/sync")]),
    ("opkg", &[Folder("/var/opkg-lists"), Folder("/var/lib/opkg/lists")]),
    ("pip", &[Anywhere("/.cache/pip")]),
    ("pipenv", &[Anywhere("/.cache/pipenv")]),
    ("uv", &[Anywhere("/.cache/uv")]),
    ("Poetry", &[Anywhere("/.cache/pypoetry")]),
    (
        "conda",
        &[
            Anywhere("/conda/pkgs"),
            Anywhere("/miniconda3/pkgs"),
            Anywhere("/miniconda/pkgs"),
            Anywhere("/anaconda3/pkgs"),
            Anywhere("/miniforge3/pkgs"),
            Anywhere("/mambaforge/pkgs"),
            Anywhere("/micromamba/pkgs"),
        ],
    ),
    ("npm", &[Anywhere("/.npm/_cacache"), Anywhere("/.npm/_npx")]),
    ("node-gyp", &[Anywhere("/.cache/node-gyp"), Anywhere("/.node-gyp")]),
    ("Yarn", &[Anywhere("/.cache/yarn"), Anywhere("/.yarn/berry/cache"), Anywhere("/.yarn-cache")]),
    ("pnpm", &[Anywhere("/.local/share/pnpm/store"), Anywhere("/.pnpm-store"), Anywhere("/.cache/pnpm")]),
    ("Bun", &[Anywhere("/.bun/install/cache")]),
    ("Composer", &[Anywhere("/.composer/cache"), Anywhere("/.cache/composer")]),
    (
        "Cargo",
        &[
            Anywhere("/.cargo/registry"),
            Anywhere("/.cargo/git/db"),
            Anywhere("/.cargo/git/checkouts"),
            Anywhere("/cargo/registry"),
            Anywhere("/cargo/git/db"),
            Anywhere("/cargo/git/checkouts"),
        ],
    ),
    ("Go modules", &[Anywhere("/go/pkg/mod"), Anywhere("/go/pkg/sumdb")]),
    ("Go builds", &[Anywhere("/.cache/go-build")]),
    ("Maven", &[Anywhere("/.m2/repository")]),
    ("Gradle", &[Anywhere("/.gradle/caches"), Anywhere("/.gradle/wrapper/dists")]),
    ("sbt", &[Anywhere("/.ivy2/cache"), Anywhere("/.cache/coursier")]),
    ("Bazel", &[Anywhere("/.cache/bazel")]),
    ("RubyGems", &[Files("cache", ".gem")]),
    ("NuGet", &[Anywhere("/.nuget/packages"), Anywhere("/.local/share/NuGet")]),
];

fn run(image: &Image) -> Vec<Observation> {
    let finder = Finder::new();
    let mut seen: BTreeMap<usize, Contents> = BTreeMap::new();
    for (path, node) in image.rootfs.entries() {
        if image.rootfs.inode(node).is_file()
            && !is_bookkeeping(&path)
            && let Some((cache, root)) = finder.find(&path)
            && (path.starts_with(b"/var/cache/") || tools::owner(image, node).is_none())
        {
            seen.entry(cache).or_default().add(image, path.get(..root).unwrap_or_default(), node);
        }
    }
    seen.into_iter().filter_map(|(cache, contents)| observe(cache, contents)).collect()
}

/// The size is that of what goes with the cache: conda's packages are linked to where they are used.
fn observe(cache: usize, contents: Contents) -> Option<Observation> {
    let (label, _) = CACHES.get(cache)?;
    let files = wording::counted(contents.files, "file");
    let evidence = contents.evidence();
    let message = format!("Cache of {label}: {files}, {}", wording::bytes(evidence::bytes(&evidence)));
    Some(Observation { subject: wording::key(label), message, evidence, ..Observation::default() })
}

/// The places of [`CACHES`] by the byte that follows their first slash: every file of the image is looked up.
struct Finder {
    places: BTreeMap<u8, Vec<(usize, &'static Place)>>,
    files: Vec<(usize, &'static Place)>,
}

impl Finder {
    fn new() -> Self {
        let mut finder = Self { places: BTreeMap::new(), files: Vec::new() };
        for (cache, (_, places)) in CACHES.iter().enumerate() {
            for place in *places {
                match place {
                    Folder(folder) | Anywhere(folder) => {
                        let first = folder.as_bytes().get(1).copied().unwrap_or_default();
                        finder.places.entry(first).or_default().push((cache, place));
                    }
                    Files(..) => finder.files.push((cache, place)),
                }
            }
        }
        finder
    }

    /// The cache that a file belongs to, and the length of the part of its path that is evidence: the cache's folder, or the file.
    fn find(&self, path: &[u8]) -> Option<(usize, usize)> {
        let fits = |(cache, place): &(usize, &Place), at| Some((*cache, end_in(place, path, at)?));
        let in_folder = path.iter().zip(path.iter().skip(1)).enumerate().filter(|(_, (byte, _))| **byte == b'/');
        let mut in_folder = in_folder.filter_map(|(at, (_, next))| Some((at, self.places.get(next)?)));
        let found = in_folder.find_map(|(at, places)| places.iter().find_map(|place| fits(place, at)));
        found.or_else(|| self.files.iter().find_map(|place| fits(place, 0)))
    }
}

/// Where a cache's folder ends in `path`, when `path` from the slash at `at` on starts with it and goes on below.
fn end_in(place: &Place, path: &[u8], at: usize) -> Option<usize> {
    let rest = path.get(at..).unwrap_or_default();
    match place {
        Folder(_) | Files(..) if at > 0 => None,
        Folder(folder) | Anywhere(folder) => {
            rest.strip_prefix(folder.as_bytes()).filter(|below| below.starts_with(b"/")).map(|_| at.saturating_add(folder.len()))
        }
        Files(folder, ending) => is_file_of(path, folder.as_bytes(), ending.as_bytes()).then_some(path.len()),
    }
}

fn is_file_of(path: &[u8], folder: &[u8], ending: &[u8]) -> bool {
    let cut = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let parent = path.get(..cut).unwrap_or_default();
    let is_in =
        if folder.starts_with(b"/") { parent == folder } else { parent.rsplit(|byte| *byte == b'/').next() == Some(folder) };
    is_in && path.ends_with(ending)
}

/// Locks and place holders that are there without any cache.
fn is_bookkeeping(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    matches!(name, b"lock" | b".lock" | b".gitkeep" | b".gitignore" | b"CACHEDIR.TAG" | b".keep" | b"tempfiles.json")
        || name.ends_with(b".lock")
        || name.ends_with(b"_lock.pid")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_every_cache_of_the_catalogue() {
        let files = [
            "/var/cache/apt/archives/curl_8_amd64.deb",
            "/var/cache/apt/pkgcache.bin",
            "/var/cache/apt/srcpkgcache.bin",
            "/var/cache/apk/APKINDEX.066df28d.tar.gz",
            "/etc/apk/cache/x.apk",
            "/var/cache/dnf/updates/repodata/primary.xml.gz",
            "/var/cache/libdnf5/x/y.solv",
            "/var/cache/yum/x",
            "/var/cache/zypp/raw/x",
            "/var/cache/pacman/pkg/x.zst",
            "/root/.cache/pip/http-v2/a",
            "/home/app/.cache/pip/wheels/b",
            "/root/.npm/_cacache/index-v5/13/a",
            "/usr/local/share/.cache/yarn/v6/x",
            "/root/.local/share/pnpm/store/v3/x",
            "/root/.composer/cache/files/x",
            "/usr/local/cargo/registry/index/x",
            "/home/dev/.cargo/registry/cache/x.crate",
            "/go/pkg/mod/cache/download/x",
            "/root/go/pkg/mod/example.org/m@v1/go.mod",
            "/root/.cache/go-build/00/a",
            "/root/.m2/repository/org/x.jar",
            "/home/gradle/.gradle/caches/x",
            "/opt/conda/pkgs/x.conda",
            "/usr/local/bundle/cache/rack-3.0.gem",
            "/usr/local/lib/ruby/gems/3.3.0/cache/debug-1.9.gem",
            "/root/.nuget/packages/x",
            "/root/.bun/install/cache/x",
            "/root/.cache/uv/x",
            "/root/.cache/pypoetry/x",
        ];
        for file in files {
            let seen = Builder::default().file(file, 1024).run(&CHECK);
            assert_eq!(seen.len(), 1, "{file}");
            assert_eq!(seen[0].evidence[0].bytes, 1024, "{file}");
        }
    }

    #[test]
    fn fires_once_for_a_cache_with_its_folder_and_bytes() {
        let mut builder = Builder::default();
        builder.file("/root/.npm/_cacache/a/1", 1024).file("/root/.npm/_cacache/b/2", 1024);
        let seen = builder.run(&CHECK);
        assert_eq!(seen[0].message, "Cache of npm: 2 files, 2.0 KiB");
        assert_eq!(paths(&seen[0]), ["/root/.npm/_cacache"]);
    }

    #[test]
    fn every_cache_is_a_subject_of_its_own() {
        let keys: std::collections::BTreeSet<_> = CACHES.iter().map(|(label, _)| wording::key(label)).collect();
        assert_eq!(keys.len(), CACHES.len());
        assert!(keys.contains("go-modules"));
    }

    #[test]
    fn fires_without_bytes_for_files_that_are_linked_elsewhere() {
        let mut builder = Builder::default();
        builder.file("/opt/conda/pkgs/x", 1024).hard_link("/opt/conda/lib/x", "/opt/conda/pkgs/x");
        builder.file("/opt/conda/pkgs/y", 1024).hard_link("/opt/conda/pkgs/z", "/opt/conda/pkgs/y");
        assert_eq!(builder.run(&CHECK)[0].message, "Cache of conda: 3 files, 1.0 KiB");
    }

    #[test]
    fn fires_on_the_system_s_caches_whoever_owns_them() {
        let path = "/var/cache/dnf/updates/repodata/primary.xml.gz";
        assert_eq!(Builder::default().file(path, 9).in_package("dnf", &[path]).run(&CHECK).len(), 1);
    }

    #[test]
    fn is_silent_on_what_is_no_cache() {
        let mut builder = Builder::default();
        builder
            .directory("/var/cache/apk", 0o755)
            .directory("/root/.cache/pip/http", 0o755)
            .file("/var/cache/apt/archives/lock", 0)
            .file("/var/cache/dnf/metadata_lock.pid", 0)
            .file("/var/cache/debconf/config.dat", 9)
            .file("/var/cache/ldconfig/aux-cache", 9)
            .file("/app/.yarn/cache/left-pad.zip", 9)
            .file("/app/.cache/pipeline/x", 9)
            .file("/packages/django/core/cache/__init__.py", 9)
            .file("/app/vendor/cache.gem", 9)
            .file("/usr/share/cargo/registry/x/Cargo.toml", 9)
            .in_package("librust-x-dev", &["/usr/share/cargo/registry/x/Cargo.toml"]);
        let seen = builder.run(&CHECK);
        assert!(seen.is_empty(), "{seen:?}");
    }
}
