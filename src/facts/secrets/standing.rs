//! Whose a file is: of the image's maker, or of a package that everybody can download, whose secrets are none.

/// Whose a file with a secret is, from the least to the most that it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// A published package brought it: an example or a test's key that everybody has.
    Published,
    /// It lies in a folder for tests or examples, of the image's own.
    Test,
    /// The image's own.
    Own,
}

/// Folders that hold published packages only, by a part of the path.
const PUBLISHED: &[&str] =
    &["/node_modules/", "/pkg/mod/", "/.cargo/registry/", "/.m2/repository/", "/ruby/gems/", "/.gem/ruby/", "/.nuget/packages/"];

/// Folders that hold packages, and may hold what is the image's own too: only their tests and examples are published.
const LIBRARIES: &[&str] = &[
    "/site-packages/",
    "/dist-packages/",
    "/usr/lib/",
    "/usr/lib64/",
    "/usr/local/lib/",
    "/usr/share/",
    "/usr/local/share/",
    "/usr/local/go/",
    "/usr/include/",
    "/usr/libexec/",
    "/opt/conda/",
    "/opt/java/",
    "/lib/python",
    "/lib/ruby/",
    "/lib/perl",
    "/vendor/",
    "/go/src/",
];

/// Folders whose files are the image's own even when a package owns their names: settings are written into them.
const SETTINGS: &[&str] = &["/etc/", "/root/", "/home/", "/srv/", "/var/lib/", "/run/"];

/// Words of the names of folders and files that are for tests, examples and documents.
const TESTS: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "testcase",
    "testcases",
    "tester",
    "fixture",
    "fixtures",
    "spec",
    "specs",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "mock",
    "mocks",
    "vectors",
    "doc",
    "docs",
    "snakeoil",
    "dummy",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "certdata",
    "selftest",
    "selftests",
    "certs4test",
    "keycert",
    "testutils",
    "conftest",
];

/// Whose the file at `path` is, when a package of the operating system owns it or not.
pub(super) fn of(path: &[u8], is_owned: bool) -> Standing {
    let path = String::from_utf8_lossy(path);
    let is_setting = SETTINGS.iter().any(|folder| path.starts_with(folder));
    let is_test = is_for_tests(&path);
    let is_library = LIBRARIES.iter().any(|folder| path.contains(folder));
    if (is_owned && !is_setting) || PUBLISHED.iter().any(|folder| path.contains(folder)) || (is_library && is_test) {
        Standing::Published
    } else if is_test {
        Standing::Test
    } else {
        Standing::Own
    }
}

/// Whether a folder on the way is one for tests or examples, or the file's own name says so.
fn is_for_tests(path: &str) -> bool {
    let is_word = |word: &str| TESTS.contains(&word.to_ascii_lowercase().as_str());
    path.split('/')
        .filter(|name| !name.is_empty())
        .any(|name| matches!(name, "__tests__" | "__mocks__") || name.split(['_', '-', '.']).any(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(path: &str) -> Standing {
        of(path.as_bytes(), true)
    }

    fn found(path: &str) -> Standing {
        of(path.as_bytes(), false)
    }

    #[test]
    fn keys_of_published_packages_are_everybody_s() {
        for path in [
            "/usr/local/lib/python3.11/test/certdata/badkey.pem",
            "/usr/share/go-1.19/src/crypto/tls/testdata/example-key.pem",
            "/usr/local/go/src/crypto/tls/testdata/example-key.pem",
            "/app/node_modules/agent-base/test/ssl-cert-snakeoil.key",
            "/app/node_modules/webpack-dev-server/ssl/server.pem",
            "/go/pkg/mod/golang.org/x/crypto@v0.1.0/ssh/keys.go",
            "/opt/venv/lib/python3.11/site-packages/tornado/test/test.key",
            "/usr/lib/python3/dist-packages/twisted/test/server.pem",
        ] {
            assert_eq!(found(path), Standing::Published, "{path}");
        }
        assert_eq!(owned("/usr/lib/ssl/misc/key.pem"), Standing::Published);
    }

    #[test]
    fn what_is_not_of_a_package_is_the_image_s_own() {
        for path in [
            "/etc/tls/server.key",
            "/root/.ssh/id_rsa",
            "/app/config.py",
            "/usr/src/app/key.pem",
            "/opt/venv/lib/python3.11/site-packages/app/key.pem",
            "/usr/local/lib/app/key.pem",
            "/opt/contest/key.pem",
            "/app/latest/key.pem",
        ] {
            assert_eq!(found(path), Standing::Own, "{path}");
        }
        assert_eq!(owned("/etc/ssl/private/ssl.key"), Standing::Own);
    }

    #[test]
    fn own_tests_are_told_apart() {
        for path in ["/app/tests/fixtures/key.pem", "/usr/src/app/test_data/key.pem", "/srv/example.key"] {
            assert_eq!(found(path), Standing::Test, "{path}");
        }
    }
}
