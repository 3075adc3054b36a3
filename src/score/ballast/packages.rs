//! Classes told by a package's name, in the habits of Debian, Alpine and Fedora.

use super::Class;

/// Package names of toolchains, debuggers and version control.
const TOOLCHAIN: &[&str] = &[
    "ant",
    "autoconf",
    "autoconf-archive",
    "automake",
    "binutils",
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
    "flang",
    "g++",
    "gcc",
    "gdb",
    "gfortran",
    "git",
    "git-core",
    "git-core-doc",
    "git-man",
    "golang",
    "golang-any",
    "golang-bin",
    "golang-doc",
    "golang-go",
    "golang-misc",
    "golang-race",
    "golang-tests",
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
    "lld",
    "lldb",
    "ltrace",
    "m4",
    "make",
    "maven",
    "mercurial",
    "mercurial-common",
    "meson",
    "nasm",
    "ninja",
    "ninja-build",
    "patch",
    "pkg-config",
    "pkgconf",
    "pkgconf-bin",
    "rust",
    "rust-all",
    "rust-analyzer",
    "rust-clippy",
    "rust-doc",
    "rust-gdb",
    "rust-lldb",
    "rust-std-static",
    "rustc",
    "rustfmt",
    "strace",
    "subversion",
    "tcpdump",
    "valgrind",
    "yasm",
];

/// How names of toolchains, debuggers and version control start when a version follows.
const TOOLCHAIN_WITH_VERSION: &[&str] = &[
    "binutils-",
    "clang-",
    "cpp-",
    "g++-",
    "gcc-",
    "gfortran-",
    "golang-1",
    "libasan",
    "libclang",
    "libhwasan",
    "libisl",
    "libitm",
    "LLVM",
    "llvm",
    "libstd-rust-",
    "libtsan",
    "libubsan",
    "linux-perf",
    "lldb-",
    "rust-1",
];

/// How names of packages end that only builds need. `-static` is not among them: `busybox-static` is a shell, and static libraries
/// are told by their own names.
const TOOLCHAIN_ENDINGS: &[&str] =
    &["-dev", "-devel", "-dev-bin", "-dbg", "-dbgsym", "-debuginfo", "-jdk-headless", "-jdk", "-src", "-headers"];

/// How names of libraries start that compilers bring, and databases and graphics drivers too. They are of a toolchain where one of
/// [`USERS_OF_LLVM`] is installed.
const LIBRARIES_OF_LLVM: &[&str] = &["libllvm", "llvm-libs", "libz3-"];

/// How names of toolchains start that are built on LLVM.
const USERS_OF_LLVM: &[&str] = &["bpftrace", "clang", "flang", "lld", "llvm", "rust"];

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

/// The class of each of an image's packages by its name.
pub(super) fn classes(names: &[&str]) -> Vec<Option<Class>> {
    let starts = |name: &str, with: &[&str]| with.iter().any(|start| name.starts_with(start));
    let is_library = |name: &str| starts(name, LIBRARIES_OF_LLVM) || is_llvm_of_alpine(name);
    let has_llvm = names.iter().any(|name| starts(name, USERS_OF_LLVM) && !is_library(name) && class(name).is_some());
    let class = |name: &&str| if is_library(name) { has_llvm.then_some(Class::Toolchain) } else { class(name) };
    names.iter().map(class).collect()
}

/// `llvm17-libs`.
fn is_llvm_of_alpine(name: &str) -> bool {
    let version = name.strip_prefix("llvm").and_then(|rest| rest.strip_suffix("-libs"));
    version.is_some_and(|version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()))
}

fn class(name: &str) -> Option<Class> {
    // what every program of GCC's languages needs at run time
    let is_runtime = name == "gcc-libs" || name.starts_with("gcc-") && name.ends_with("-base");
    let starts = |start: &&str| name.starts_with(*start);
    if PACKAGE_MANAGERS.contains(&name) {
        Some(Class::PackageManager)
    } else if !is_runtime
        && (TOOLCHAIN.contains(&name)
            || TOOLCHAIN_WITH_VERSION.iter().any(starts)
            || TOOLCHAIN_ENDINGS.iter().any(|ending| name.ends_with(ending)))
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
            "gcc-libs",
            "rust-coreutils",
            "busybox-static",
            "golang-docker-credential-helpers",
        ] {
            assert_eq!(class(name), None, "{name}");
        }
    }

    #[test]
    fn libraries_of_llvm_are_toolchain_beside_a_compiler_and_run_time_libraries_beside_a_database() {
        for name in ["libllvm14", "llvm17-libs", "llvm-libs", "libz3-4"] {
            assert_eq!(classes(&[name, "postgresql-15"]), [None, None], "{name}");
            assert_eq!(classes(&[name, "rustc", "rust-coreutils"]), [Some(Class::Toolchain), Some(Class::Toolchain), None]);
        }
        assert_eq!(classes(&["libllvm14", "rust-coreutils"]), [None, None]);
    }

    #[test]
    fn package_managers_are_their_own_class() {
        for name in ["apt", "dpkg", "apk-tools", "rpm-libs", "python3-pip"] {
            assert_eq!(class(name), Some(Class::PackageManager), "{name}");
        }
    }
}
