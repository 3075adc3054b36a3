//! `insecure-environment`: variables of the config, or the loader's file, switch a protection off or let others choose what is run.

use std::collections::BTreeMap;

use super::{Check, Family, Reference, access, evidence, tools, wording};
use crate::facts::{Image, PRELOAD_FILE, preloaded};
use crate::finding::{Evidence, Observation, Severity};
use crate::limits::Limits;
use crate::oci::{escape, escape_text};
use crate::rootfs::NodeId;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "insecure-environment",
    title: "A variable weakens what runs",
    family: Family::Config,
    severity: Severity::Medium,
    what: "A variable of the config switches the verification of certificates off (`NODE_TLS_REJECT_UNAUTHORIZED=0`, \
           `PYTHONHTTPSVERIFY=0`, `GIT_SSL_NO_VERIFY`, `PIP_TRUSTED_HOST`, ...), loads code into every program (`LD_PRELOAD`, `LD_AUDIT`; \
           low for libraries of packages), or puts an empty, a relative or a folder that the container's user may write to into `PATH` or \
           `LD_LIBRARY_PATH`. The file `/etc/ld.so.preload`, which glibc's loader reads for every program, counts as `LD_PRELOAD` does; \
           it is high when the container's user may write to it or to a library that it names.",
    why: "It holds for every process of the container. Without verification whoever sits on the network is the server; with a writable \
          folder on the search path whoever writes one file there runs code as the next process.",
    fix: "Remove the variable, give programs the certificates they need, and let PATH name absolute folders that root owns.",
    example: "COPY internal-ca.pem /usr/local/share/ca-certificates/internal-ca.crt\nRUN update-ca-certificates\n\
              ENV PATH=/opt/app/bin:/usr/local/bin:/usr/bin:/bin\n",
    references: &[
        Reference { name: "CWE-295", url: "https://cwe.mitre.org/data/definitions/295.html" },
        Reference { name: "CWE-427", url: "https://cwe.mitre.org/data/definitions/427.html" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
    ],
    since: "0.1.0",
    run,
};

/// Which values of a variable switch something off.
#[derive(Debug, Clone, Copy)]
enum Values {
    /// `0`, `false`, `no`, `off`.
    No,
    /// Any value: its presence counts.
    Any,
    /// Any but an empty one.
    Some,
}

const SWITCHES: &[(&str, Values, &str)] = &[
    ("NODE_TLS_REJECT_UNAUTHORIZED", Values::No, "Node.js does not verify certificates"),
    ("PYTHONHTTPSVERIFY", Values::No, "Python does not verify certificates"),
    // git looks for the name alone
    ("GIT_SSL_NO_VERIFY", Values::Any, "git does not verify certificates"),
    ("PIP_TRUSTED_HOST", Values::Some, "pip does not verify certificates of these hosts"),
    ("UV_INSECURE_HOST", Values::Some, "uv does not verify certificates of these hosts"),
    ("NPM_CONFIG_STRICT_SSL", Values::No, "npm does not verify certificates"),
    ("YARN_ENABLE_STRICT_SSL", Values::No, "Yarn does not verify certificates"),
    ("CONDA_SSL_VERIFY", Values::No, "conda does not verify certificates"),
    ("PERL_LWP_SSL_VERIFY_HOSTNAME", Values::No, "Perl does not verify certificates"),
    ("BUNDLE_SSL_VERIFY_MODE", Values::No, "Bundler does not verify certificates"),
    ("GOINSECURE", Values::Some, "Go fetches these modules without verification"),
];

/// Variables that name libraries which every program loads.
const PRELOADS: &[&str] = &["LD_PRELOAD", "LD_AUDIT"];

/// Libraries of the loader's file that are looked at; real ones name one or two.
const MOST_LIBRARIES: usize = 64;

/// Search paths.
const PATHS: &[&str] = &["PATH", "LD_LIBRARY_PATH"];

fn run(image: &Image) -> Vec<Observation> {
    // the last of a name counts
    let variables: BTreeMap<&str, &str> = image.config.runtime.env.iter().filter_map(|entry| entry.split_once('=')).collect();
    let mut seen = Vec::new();
    for (name, value) in variables {
        let switch = SWITCHES.iter().find(|(known, ..)| name == *known || (is_npm(name) && name.eq_ignore_ascii_case(known)));
        if let Some((_, values, means)) = switch {
            let is_off = match values {
                Values::No => matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off"),
                Values::Any => true,
                Values::Some => !value.trim().is_empty(),
            };
            seen.extend(is_off.then(|| observation(name, &format!("{name} is set: {means}"))));
        } else if PRELOADS.contains(&name) && !value.trim().is_empty() {
            seen.push(preload(image, name, value));
        } else if PATHS.contains(&name) && !value.is_empty() {
            seen.extend(search_path(image, name, value));
        }
    }
    seen.extend(preload_file(image));
    seen
}

/// npm reads its variables in either case.
fn is_npm(name: &str) -> bool {
    name.starts_with("npm_config_")
}

fn observation(subject: &str, message: &str) -> Observation {
    let evidence = vec![Evidence::of_config("config.Env")];
    Observation { subject: subject.to_owned(), message: message.to_owned(), evidence, ..Observation::default() }
}

/// Libraries that packages own are somebody's considered choice (jemalloc, libeatmydata); anything else is not known.
fn preload(image: &Image, name: &str, value: &str) -> Observation {
    let mut libraries = value.split([' ', ':']).filter(|library| !library.is_empty());
    let is_owned = |library: &str| {
        let node = library.starts_with('/').then(|| resolve(image, library)).flatten();
        node.is_some_and(|node| tools::owner(image, node).is_some() && !access::may_replace(image, node))
    };
    let severity = libraries.all(is_owned).then_some(Severity::Low);
    let message = format!("{name} loads {} into every program", escape_text(value));
    Observation { severity, ..observation(name, &message) }
}

/// What `/etc/ld.so.preload` says to glibc's loader.
fn preload_file(image: &Image) -> Option<Observation> {
    let limits = Limits::default();
    let resolve = |path: &[u8]| image.rootfs.resolve(path, &limits).ok().filter(|node| image.rootfs.inode(*node).is_file());
    let file = resolve(PRELOAD_FILE).filter(|_| has_glibc(image))?;
    let body = image.rootfs.inode(file).content.as_deref().and_then(|content| content.body.as_deref()).unwrap_or_default();
    let is_path = |name: &&[u8]| limits.path_bytes(u64::try_from(name.len()).unwrap_or(u64::MAX)).is_ok();
    let names: Vec<&[u8]> = preloaded(body).filter(is_path).take(MOST_LIBRARIES).collect();
    let is_all = preloaded(body).count() == names.len();
    let libraries: Vec<Option<NodeId>> =
        names.iter().map(|name| name.starts_with(b"/").then(|| resolve(name)).flatten()).collect();
    let writable =
        std::iter::once(&Some(file)).chain(&libraries).flatten().find_map(|node| Some((*node, replacer(image, *node)?)));
    let (severity, message) = match writable {
        Some((node, who)) => {
            let path = escape(&image.rootfs.path(node));
            let what =
                if node == file { "the loader of every program reads" } else { "/etc/ld.so.preload loads into every program" };
            (Some(Severity::High), format!("{path}, which {what}, may be changed by {who}"))
        }
        None if names.is_empty() && is_all => return None,
        None => {
            let is_owned = |node: &Option<NodeId>| node.is_some_and(|node| tools::owner(image, node).is_some());
            let severity = (is_all && libraries.iter().all(is_owned)).then_some(Severity::Low);
            let (shown, others) = (wording::names(names.into_iter()), if is_all { "" } else { " and others" });
            (severity, format!("/etc/ld.so.preload loads {shown}{others} into every program"))
        }
    };
    let evidence = vec![evidence::of_node(image, PRELOAD_FILE.to_vec(), file)];
    Some(Observation { severity, evidence, ..observation("ld.so.preload", &message) })
}

/// Whether there is a program that another loader than musl's starts.
fn has_glibc(image: &Image) -> bool {
    let interpreter = |node| tools::elf(image.rootfs.inode(node)).and_then(|elf| elf.interpreter.as_deref());
    let mut interpreters = image.executables.iter().filter_map(|executable| interpreter(executable.node));
    interpreters.any(|path: &[u8]| !path.windows(8).any(|part| part == b"ld-musl-"))
}

/// Who but root may write to a file or put another in its place.
fn replacer(image: &Image, file: NodeId) -> Option<&'static str> {
    let is_open = image.rootfs.inode(file).mode & 0o002 != 0;
    is_open.then_some("everybody").or_else(|| access::may_replace(image, file).then_some("the container's user"))
}

/// What is wrong with the folders of a search path, each folder once.
fn search_path(image: &Image, name: &str, value: &str) -> Vec<Observation> {
    let mut found: BTreeMap<String, Observation> = BTreeMap::new();
    for folder in value.split(':') {
        let (subject, message) = if folder.is_empty() {
            (format!("{name}:empty"), format!("{name} has an empty entry, which is the current folder"))
        } else if !folder.starts_with('/') {
            let shown = escape_text(folder);
            (format!("{name}:{folder}"), format!("{name} has a relative entry, {shown}, which depends on the current folder"))
        } else {
            let Some(who) = resolve(image, folder).and_then(|node| writer(image, node)) else { continue };
            (format!("{name}:{folder}"), format!("{name} has {}, which {who} may write to", escape_text(folder)))
        };
        found.entry(subject.clone()).or_insert_with(|| observation(&subject, &message));
    }
    found.into_values().collect()
}

/// Who but root may put files into a folder.
fn writer(image: &Image, folder: NodeId) -> Option<&'static str> {
    let inode = image.rootfs.inode(folder);
    if !inode.is_directory() {
        None
    } else if inode.mode & 0o002 != 0 {
        Some("everybody")
    } else {
        (access::is_ordinary(image) && access::may_change(&image.user, inode)).then_some("the container's user")
    }
}

fn resolve(image: &Image, path: &str) -> Option<NodeId> {
    let limits = Limits::default();
    limits.path_bytes(u64::try_from(path.len()).unwrap_or(u64::MAX)).ok()?;
    image.rootfs.resolve(path.as_bytes(), &limits).ok()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Builder;
    use super::*;
    use crate::facts::ElfFacts;

    fn seen_in(builder: &mut Builder, env: &[&str]) -> Vec<String> {
        builder.runtime.env = env.iter().map(|&entry| entry.to_owned()).collect();
        builder.run(&CHECK).into_iter().map(|one| one.subject).collect()
    }

    fn seen(env: &[&str]) -> Vec<String> {
        seen_in(&mut Builder::default(), env)
    }

    #[test]
    fn fires_on_switches() {
        for entry in [
            "NODE_TLS_REJECT_UNAUTHORIZED=0",
            "PYTHONHTTPSVERIFY=0",
            "GIT_SSL_NO_VERIFY=true",
            "GIT_SSL_NO_VERIFY=",
            "PIP_TRUSTED_HOST=pypi.org",
            "npm_config_strict_ssl=false",
            "NPM_CONFIG_STRICT_SSL=false",
        ] {
            assert_eq!(seen(&[entry]).len(), 1, "{entry}");
        }
    }

    #[test]
    fn fires_on_libraries_for_every_program_lightly_when_packages_own_them() {
        let mut builder = Builder::default();
        builder.library("/usr/lib/libjemalloc.so.2", 9).in_package("libjemalloc2", &["/usr/lib/libjemalloc.so.2"]);
        builder.runtime.env = vec!["LD_PRELOAD=/usr/lib/libjemalloc.so.2".into()];
        assert_eq!(builder.run(&CHECK)[0].severity, Some(Severity::Low));
        for value in ["/app/hook.so", "libjemalloc.so.2"] {
            let mut builder = Builder::default();
            builder.runtime.env = vec![format!("LD_PRELOAD={value}")];
            let seen = builder.run(&CHECK);
            assert_eq!((seen[0].severity, seen[0].message.contains(value)), (None, true));
        }
    }

    #[test]
    fn fires_on_folders_that_are_empty_relative_or_writable() {
        assert_eq!(seen(&["PATH=/usr/bin::/bin:"]), ["PATH:empty"]);
        assert_eq!(
            seen(&["LD_LIBRARY_PATH=:/opt/lib", "PATH=./bin:~/bin"]),
            ["LD_LIBRARY_PATH:empty", "PATH:./bin", "PATH:~/bin"]
        );
        let mut builder = Builder::default();
        builder.directory("/srv/bin", 0o755).owned_by("/srv/bin", 0o755, 1000, 1000).directory("/open", 0o1777).as_uid(1000);
        assert_eq!(seen_in(&mut builder, &["PATH=/usr/bin:/srv/bin:/open"]), ["PATH:/open", "PATH:/srv/bin"]);
    }

    /// An image of a program that `loader` starts, a library, and `/etc/ld.so.preload`.
    fn preloading(loader: &str, body: &str) -> Builder {
        let elf = ElfFacts { is_program: true, interpreter: Some(loader.as_bytes().into()), ..ElfFacts::default() };
        let mut builder = Builder::default();
        builder.elf("/bin/app", 9, elf).library("/usr/lib/hook.so", 9).text("/etc/ld.so.preload", body);
        builder
    }

    const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";

    #[test]
    fn fires_on_the_loader_s_file_as_on_its_variable() {
        let seen = preloading(GLIBC, "# hooks\n/usr/lib/hook.so\n").run(&CHECK);
        assert_eq!((seen[0].subject.as_str(), seen[0].severity), ("ld.so.preload", None));
        assert_eq!(seen[0].message, "/etc/ld.so.preload loads /usr/lib/hook.so into every program");
        assert_eq!(seen[0].evidence[0].path.as_deref(), Some(&b"/etc/ld.so.preload"[..]));
        let many = preloading(GLIBC, &"/usr/lib/hook.so ".repeat(65)).in_package("hook", &["/usr/lib/hook.so"]).run(&CHECK);
        assert_eq!(many[0].severity, None);
        assert_eq!(many[0].message, "/etc/ld.so.preload loads /usr/lib/hook.so and others into every program");
        let owned = preloading(GLIBC, "/usr/lib/hook.so").in_package("hook", &["/usr/lib/hook.so"]).run(&CHECK);
        assert_eq!(owned[0].severity, Some(Severity::Low));
    }

    #[test]
    fn fires_harder_where_the_container_s_user_may_choose_the_library() {
        for path in ["/etc/ld.so.preload", "/usr/lib/hook.so"] {
            let mut builder = preloading(GLIBC, "/usr/lib/hook.so");
            let seen = builder.owned_by(path, 0o644, 1000, 1000).as_uid(1000).run(&CHECK);
            assert_eq!(seen[0].severity, Some(Severity::High), "{path}");
            assert!(
                seen[0].message.starts_with(path) && seen[0].message.ends_with("the container's user"),
                "{}",
                seen[0].message
            );
        }
        let empty = preloading(GLIBC, "").owned_by("/etc/ld.so.preload", 0o666, 0, 0).as_uid(1000).run(&CHECK);
        assert!(empty[0].message.ends_with("everybody"), "{}", empty[0].message);
    }

    #[test]
    fn is_silent_on_a_loader_s_file_that_names_nothing_or_that_no_loader_reads() {
        assert!(preloading(GLIBC, "# none\n").as_uid(1000).run(&CHECK).is_empty());
        assert!(preloading("/lib/ld-musl-x86_64.so.1", "/usr/lib/hook.so").run(&CHECK).is_empty());
    }

    #[test]
    fn is_silent_on_what_protects() {
        let quiet = [
            "NODE_TLS_REJECT_UNAUTHORIZED=1",
            "PYTHONHTTPSVERIFY=1",
            "PIP_TRUSTED_HOST=",
            "LD_PRELOAD=",
            "LD_LIBRARY_PATH=",
            "PATH=/usr/local/sbin:/usr/bin:/nowhere",
            "MY_LD_PRELOAD=/x",
            "PATHS=:",
            "NPM_CONFIG_STRICT_SSL=true",
            "no equals sign",
        ];
        assert_eq!(seen(&quiet), [] as [&str; 0]);
        assert_eq!(seen(&["PYTHONHTTPSVERIFY=0", "PYTHONHTTPSVERIFY=1"]), [] as [&str; 0], "the last counts");
    }

    #[test]
    fn is_silent_on_folders_of_root_who_may_write_anyhow() {
        let mut builder = Builder::default();
        builder.directory("/srv/bin", 0o755).as_uid(0);
        assert_eq!(seen_in(&mut builder, &["PATH=/srv/bin"]), [] as [&str; 0]);
    }
}
