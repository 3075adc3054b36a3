//! `os-package-manager`: apt, dpkg, apk, dnf, rpm and their like can be run.
//!
//! By name, as machine code anywhere or as a script in a folder of commands when a package owns it, the family's package database is
//! there, or machine code of the family is. Applets of BusyBox called `dpkg` or `rpm` only unpack and never count. A copy of apk, dpkg
//! or rpm under another name is told by its content.

use std::collections::BTreeMap;

use super::{Check, Family as Section, Reference, evidence, tools, wording};
use crate::facts::Marker;
use crate::facts::{DatabaseKind, Executable, ExecutableName, Image};
use crate::finding::{Evidence, Observation, Severity};
use crate::rootfs::Inode;
use tools::Form;

/// The check.
pub(super) static CHECK: Check = Check {
    id: "os-package-manager",
    title: "The system's package manager can be run",
    family: Section::Packages,
    severity: Severity::Medium,
    what: "A package manager of the operating system is in the final filesystem and can be run: apt, dpkg, apk, dnf, microdnf, yum, rpm, \
           zypper, pacman, opkg, snap, flatpak and others. Applets of BusyBox under these names do not count.",
    why: "An intruder installs what he needs with one command. An image is replaced, not updated in place, so nothing at run time needs \
          to install packages.",
    fix: "Start the final stage from an image without a package manager (distroless, scratch), or remove it as the last step of the \
          stage and flatten the result.",
    example: "FROM debian:12 AS build\n# ... apt-get install, compile ...\n\nFROM gcr.io/distroless/base-debian12:nonroot\n\
              COPY --from=build /out/app /app\nENTRYPOINT [\"/app\"]\n",
    references: &[
        Reference { name: "CIS Docker 4.3", url: "https://www.cisecurity.org/benchmark/docker" },
        Reference { name: "NIST SP 800-190 4.1.2", url: "https://doi.org/10.6028/NIST.SP.800-190" },
        Reference { name: "MITRE ATT&CK T1105", url: "https://attack.mitre.org/techniques/T1105/" },
    ],
    since: "0.1.0",
    run,
};

/// Package managers of one kind, reported together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Apt,
    Apk,
    Rpm,
    Pacman,
    Opkg,
    Snap,
    Flatpak,
    Nix,
    Other,
}

impl Family {
    fn label(self) -> &'static str {
        match self {
            Self::Apt => "apt and dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm and its front ends",
            Self::Pacman => "pacman",
            Self::Opkg => "opkg",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
            Self::Nix => "Nix",
            Self::Other => "A package manager",
        }
    }

    /// The subject of its observation: for ever, each another.
    fn key(self) -> &'static str {
        match self {
            Self::Apt => "apt",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Pacman => "pacman",
            Self::Opkg => "opkg",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
            Self::Nix => "nix",
            Self::Other => "other",
        }
    }

    fn has_database(self, image: &Image) -> bool {
        image.packages.databases.iter().any(|database| {
            self == match database.kind {
                DatabaseKind::Dpkg => Self::Apt,
                DatabaseKind::Apk => Self::Apk,
                DatabaseKind::RpmSqlite | DatabaseKind::RpmNdb | DatabaseKind::RpmBdb => Self::Rpm,
                // distroless lists what it was made of and holds no package manager
                DatabaseKind::DpkgStatusD => return false,
            }
        })
    }
}

fn lookup(name: &str) -> Option<Family> {
    Some(match name {
        "apt" | "apt-get" | "apt-cache" | "apt-config" | "apt-cdrom" | "apt-key" | "apt-mark" | "aptitude"
        | "aptitude-curses" | "dselect" | "dpkg" | "dpkg-deb" | "dpkg-query" | "dpkg-split" | "dpkg-divert" | "nala" => {
            Family::Apt
        }
        "apk" | "apk.static" => Family::Apk,
        "rpm" | "yum" | "dnf" | "dnf-3" | "dnf4" | "dnf5" | "microdnf" | "tdnf" | "zypper" | "urpmi" => Family::Rpm,
        "pacman" => Family::Pacman,
        "opkg" => Family::Opkg,
        "snap" => Family::Snap,
        "flatpak" => Family::Flatpak,
        "nix" | "nix-env" => Family::Nix,
        "emerge" | "xbps-install" | "swupd" | "eopkg" => Family::Other,
        _ => return None,
    })
}

fn run(image: &Image) -> Vec<Observation> {
    let mut families: BTreeMap<Family, Vec<Evidence>> = BTreeMap::new();
    let mut scripts = Vec::new();
    for executable in &image.executables {
        let inode = image.rootfs.inode(executable.node);
        let seen = match tools::form(inode) {
            _ if tools::is_multi_call(executable, inode) => None,
            Form::Program => program(image, executable, inode),
            Form::Script => {
                scripts.push(executable);
                None
            }
            Form::Other => None,
        };
        if let Some((family, seen)) = seen {
            families.entry(family).or_default().extend(seen);
        }
    }
    for executable in scripts {
        if let Some((family, seen)) = script(image, executable, |family| families.contains_key(&family)) {
            families.entry(family).or_default().extend(seen);
        }
    }
    families.into_iter().map(|(family, seen)| observe(family, seen)).collect()
}

fn observe(family: Family, seen: Vec<Evidence>) -> Observation {
    let listed = wording::names(evidence::base_names(&seen));
    let message = format!("{} can be run: {listed}, {}", family.label(), wording::bytes(evidence::bytes(&seen)));
    Observation { subject: family.key().to_owned(), message, evidence: seen, ..Observation::default() }
}

fn family_of(name: &ExecutableName) -> Option<Family> {
    lookup(std::str::from_utf8(name.base_name()).ok()?)
}

fn program(image: &Image, executable: &Executable, inode: &Inode) -> Option<(Family, Vec<Evidence>)> {
    if let Some(family) = executable.names.iter().find_map(family_of) {
        let is_other_program = tools::elf(inode).is_some_and(|elf| elf.go_path.is_some()) && family != Family::Snap;
        return (!is_other_program)
            .then(|| (family, evidence::of_names(image, executable, |name| family_of(name) == Some(family))));
    }
    let family = renamed(image, executable, inode)?;
    Some((family, evidence::of_names(image, executable, |_| true)))
}

/// The family of a copy under another name. The managers' own helpers bear the same signs: packages own them, and where the database
/// was removed their names and folders tell.
fn renamed(image: &Image, executable: &Executable, inode: &Inode) -> Option<Family> {
    let is_helper = |name: &ExecutableName| {
        let folders = [&b"/usr/lib/apt/"[..], b"/usr/lib/dpkg/", b"/usr/libexec/dpkg/", b"/usr/lib/rpm/", b"/lib/apk/"];
        let stems = [&b"apt-"[..], b"dpkg-", b"rpm", b"dnf", b"yum", b"zypp"];
        let tools = [&b"update-alternatives"[..], b"start-stop-daemon", b"gendiff"];
        let base = name.base_name();
        folders.iter().any(|folder| name.path.starts_with(folder))
            || stems.iter().any(|stem| base.starts_with(stem))
            || tools.contains(&base)
    };
    if tools::owner(image, executable.node).is_some() || tools::own_names(executable).any(is_helper) {
        return None;
    }
    [(Marker::Apk, Family::Apk), (Marker::Dpkg, Family::Apt), (Marker::Rpm, Family::Rpm)]
        .into_iter()
        .find_map(|(marker, family)| tools::has_marker(inode, marker).then_some(family))
}

fn script(image: &Image, executable: &Executable, is_present: impl Fn(Family) -> bool) -> Option<(Family, Vec<Evidence>)> {
    let is_command = |name: &ExecutableName| family_of(name).filter(|_| tools::is_command_path(&name.path));
    let family = executable.names.iter().find_map(is_command)?;
    let is_confirmed = tools::owner(image, executable.node).is_some() || family.has_database(image) || is_present(family);
    is_confirmed.then(|| (family, evidence::of_names(image, executable, |name| is_command(name) == Some(family))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Builder, paths};
    use super::*;

    #[test]
    fn fires_on_every_name_of_the_catalogue() {
        let names = "apt apt-get apt-cache apt-config apt-cdrom apt-mark aptitude dpkg dpkg-deb dpkg-query dpkg-split dpkg-divert dselect apk \
                     apk.static rpm yum dnf dnf-3 dnf5 microdnf tdnf zypper pacman opkg snap flatpak";
        for name in names.split_whitespace() {
            let seen = Builder::default().program(&format!("/usr/bin/{name}"), 9).run(&CHECK);
            assert_eq!(seen.len(), 1, "{name}");
        }
    }

    #[test]
    fn fires_once_for_a_family_with_its_scripts() {
        let mut builder = Builder::default();
        builder.program("/usr/bin/apt-get", 1024).program("/usr/bin/dpkg", 1024).script("/usr/bin/apt-key", 9);
        let seen = builder.run(&CHECK);
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].message, "apt and dpkg can be run: apt-get, apt-key, dpkg, 2.0 KiB");
    }

    #[test]
    fn fires_on_dnf_which_is_a_script_with_links() {
        let mut builder = Builder::default();
        builder
            .script("/usr/bin/dnf-3", 9)
            .link("/usr/bin/dnf", "dnf-3")
            .link("/usr/bin/yum", "dnf-3")
            .database(DatabaseKind::RpmSqlite);
        let seen = builder.run(&CHECK);
        assert_eq!(paths(&seen[0]), ["/usr/bin/dnf", "/usr/bin/dnf-3", "/usr/bin/yum"]);
        let mut owned = Builder::default();
        owned.script("/usr/bin/rpm", 9).in_package("dnf", &["/usr/bin/rpm"]);
        assert_eq!(owned.run(&CHECK).len(), 1);
    }

    #[test]
    fn fires_on_a_copy_under_another_name() {
        for marker in [Marker::Apk, Marker::Dpkg, Marker::Rpm] {
            assert_eq!(Builder::default().marked("/opt/tool", 9, marker).run(&CHECK).len(), 1);
        }
    }

    #[test]
    fn is_silent_on_applets_of_busybox() {
        let mut links = Builder::default();
        links.marked("/bin/busybox", 9, Marker::BusyBox).link("/bin/dpkg", "busybox").link("/bin/rpm", "/bin/busybox");
        assert!(links.run(&CHECK).is_empty());
        let mut hard_links = Builder::default();
        hard_links.marked("/bin/busybox", 9, Marker::BusyBox).hard_link("/bin/dpkg", "/bin/busybox");
        assert!(hard_links.run(&CHECK).is_empty());
    }

    #[test]
    fn fires_on_a_manager_that_has_busybox_for_a_further_name() {
        let mut builder = Builder::default();
        builder.program("/usr/bin/dpkg", 9).hard_link("/opt/busybox", "/usr/bin/dpkg");
        assert_eq!(builder.run(&CHECK).len(), 1);
    }

    #[test]
    fn is_silent_on_what_is_only_called_so() {
        let mut builder = Builder::default();
        builder
            .script("/etc/cron.daily/dpkg", 9)
            .script("/usr/share/bug/dpkg", 9)
            .directory("/usr/lib/apt-cacher", 0o755)
            .directory("/app/apt", 0o755)
            .script("/usr/local/bin/apt", 9)
            .go_program("/app/bin/apk", "example.org/apk")
            .file("/usr/bin/yum", 9)
            .link("/usr/bin/dnf", "/nowhere")
            .library("/usr/lib/libapt-pkg.so", 9)
            .marked("/usr/lib/apt/methods/http", 9, Marker::Dpkg)
            .marked("/usr/bin/update-alternatives", 9, Marker::Dpkg)
            .program("/usr/bin/dpkg-trigger", 9)
            .database(DatabaseKind::DpkgStatusD);
        let seen = builder.run(&CHECK);
        assert!(seen.is_empty(), "{seen:?}");
    }
}
