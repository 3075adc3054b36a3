//! Classes told by a package's name, in the habits of Debian, Alpine and Fedora.

use super::Class;

/// Package names of toolchains, debuggers and version control.
const TOOLCHAIN: &[&str] = &[
    "ant",
    "autoconf",
    "autoconf-archive",
    "automake",
    "bison",
    "bpftrace",
    "build-base",
    "build-essential",
    "cargo",
    "clang",
    "cmake",
    "cmake-data",
    "cpp",
    "dpkg-dev",
    "fakeroot",
    "flex",
    "g++",
    "gcc",
    "gdb",
    "gfortran",
    "git",
    "git-core",
    "git-core-doc",
    "git-man",
    "gradle",
    "libcc1-0",
    "libdpkg-perl",
    "libfakeroot",
    "libbinutils",
    "libctf-nobfd0",
    "libctf0",
    "libgprofng0",
    "libisl23",
    "liblsan0",
    "libmpc3",
    "libmpfr6",
    "isl25",
    "isl26",
    "libmpc",
    "lldb",
    "ltrace",
    "m4",
    "make",
    "maven",
    "mercurial",
    "mercurial-common",
    "meson",
    "ninja",
    "ninja-build",
    "patch",
    "pkg-config",
    "pkgconf",
    "pkgconf-bin",
    "rust",
    "rustc",
    "strace",
    "subversion",
    "tcpdump",
    "valgrind",
];

/// How names of toolchains, debuggers and version control start when a version follows.
const TOOLCHAIN_WITH_VERSION: &[&str] = &[
    "binutils-",
    "clang-",
    "cpp-",
    "g++-",
    "gcc-",
    "gfortran-",
    "golang-",
    "libasan",
    "libclang",
    "libhwasan",
    "libisl",
    "libitm",
    "libllvm",
    "LLVM",
    "llvm",
    "libstd-rust-",
    "libtsan",
    "libubsan",
    "linux-perf",
    "lldb-",
    "rust-",
];

/// How names of packages end that only builds need.
const TOOLCHAIN_ENDINGS: &[&str] =
    &["-dev", "-devel", "-dev-bin", "-static", "-dbg", "-dbgsym", "-debuginfo", "-jdk-headless", "-jdk", "-src", "-headers"];

/// Package managers and what only they use.
const PACKAGE_MANAGERS: &[&str] = &[
    "apk-tools",
    "apt",
    "apt-utils",
    "aptitude",
    "dnf",
    "dnf-data",
    "dpkg",
    "libapk2",
    "libapt-pkg6.0",
    "libapt-pkg7.0",
    "libapt-pkg6.0t64",
    "libdnf",
    "libdnf5",
    "libdnf5-cli",
    "dnf5",
    "librpm9",
    "libzypp",
    "microdnf",
    "npm",
    "pacman",
    "py3-pip",
    "python3-dnf",
    "python3-pip",
    "python3-pip-whl",
    "python3-setuptools-whl",
    "rpm",
    "rpm-libs",
    "tdnf",
    "yum",
    "zypper",
];

/// The class of a package by its name.
pub(super) fn class(name: &str) -> Option<Class> {
    // what every program of GCC's languages needs at run time
    let is_base = name.starts_with("gcc-") && name.ends_with("-base");
    let starts = |start: &&&str| name.starts_with(**start);
    if PACKAGE_MANAGERS.contains(&name) {
        Some(Class::PackageManager)
    } else if is_base {
        None
    } else if TOOLCHAIN.contains(&name)
        || TOOLCHAIN_WITH_VERSION.iter().any(|start| starts(&start))
        || TOOLCHAIN_ENDINGS.iter().any(|ending| name.ends_with(ending))
    {
        Some(Class::Toolchain)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_only_builds_need_are_toolchain() {
        for name in [
            "gcc-12",
            "g++",
            "libstdc++-12-dev",
            "linux-libc-dev",
            "golang-1.19-go",
            "openjdk-17-jdk-headless",
            "git",
            "glibc-devel",
        ] {
            assert_eq!(class(name), Some(Class::Toolchain), "{name}");
        }
    }

    #[test]
    fn packages_that_programs_need_are_not() {
        for name in [
            "gcc-12-base",
            "libgcc-s1",
            "libstdc++6",
            "openjdk-17-jre-headless",
            "libc6",
            "device-mapper",
            "gccgo",
            "perl-base",
            "libgomp1",
        ] {
            assert_eq!(class(name), None, "{name}");
        }
    }

    #[test]
    fn package_managers_are_their_own_class() {
        for name in ["apt", "dpkg", "apk-tools", "rpm-libs", "python3-pip"] {
            assert_eq!(class(name), Some(Class::PackageManager), "{name}");
        }
    }
}
