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
const PUBLISHED: &[&str] = &[
    "/node_modules/",
    "/pkg/mod/",
    "/.cargo/registry/",
    "/cargo/registry/",
    "/.rustup/",
    "/rustup/toolchains/",
    "/.m2/repository/",
    "/ruby/gems/",
    "/.gem/ruby/",
    "/.nuget/packages/",
    "/usr/local/go/",
    "/usr/lib/go-",
    "/usr/share/go-",
    "/google-cloud-sdk/",
];

/// Folders that hold packages, and may hold what is the image's own too: only their tests and examples are published.
const LIBRARIES: &[&str] = &[
    "/site-packages/",
    "/dist-packages/",
    "/usr/lib/",
    "/usr/lib64/",
    "/usr/local/lib/",
    "/usr/share/",
    "/usr/local/share/",
    "/usr/include/",
    "/usr/libexec/",
    "/opt/conda/",
    "/opt/java/",
    "/lib/python",
    "/lib/ruby/",
    "/lib/perl",
    "/vendor/",
    "/third_party/",
    "/go/src/",
];

/// Folders whose files are the image's own even when a package owns their names: settings are written into them.
const SETTINGS: &[&str] = &["/etc/", "/root/", "/home/", "/srv/", "/var/lib/", "/run/"];

/// Folders of tests, in anybody's tree.
const TESTS: &[&str] = &[
    "test",
    "tests",
    "testdata",
    "test_data",
    "test-data",
    "fixture",
    "fixtures",
    "__tests__",
    "__mocks__",
    "mocks",
    "spec",
    "specs",
    "examples",
    "samples",
];

/// Words of names, below the folders of packages, that are for tests, examples and documents.
const WORDS: &[&str] = &[
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
    "dummyserver",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "certdata",
    "selftest",
    "selftests",
    "keycert",
    "testutils",
    "conftest",
    "readme",
    "changelog",
    "changes",
    "news",
    "md",
    "rst",
    "egg",
    "dist",
];

/// Whose the file at `path` is, when a package of the operating system owns it or not.
pub(super) fn of(path: &[u8], is_owned: bool) -> Standing {
    let path = String::from_utf8_lossy(path);
    let is_setting = SETTINGS.iter().any(|folder| path.starts_with(folder));
    let is_library = LIBRARIES.iter().any(|folder| path.contains(folder));
    let is_published = PUBLISHED.iter().any(|folder| path.contains(folder));
    if (is_owned && !is_setting) || is_published || (is_library && names(&path).any(has_word)) {
        Standing::Published
    } else if names(&path).any(|name| TESTS.contains(&name)) {
        Standing::Test
    } else {
        Standing::Own
    }
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

fn has_word(name: &str) -> bool {
    TESTS.contains(&name) || name.split(['_', '-', '.']).any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
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
            "/usr/local/lib/python3.12/site-packages/PyJWT-2.6.0.dist-info/METADATA",
            "/usr/local/go/src/crypto/x509/platform_root_key.pem",
            "/usr/share/doc/python3-jwt/README.rst",
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
            "/app/docs/deploy.md",
            "/srv/example.com/privkey.pem",
            "/etc/ssl/private/ssl-cert-snakeoil.key",
        ] {
            assert_eq!(found(path), Standing::Own, "{path}");
        }
        assert_eq!(owned("/etc/ssl/private/ssl.key"), Standing::Own);
    }

    #[test]
    fn own_tests_are_told_apart() {
        for path in ["/app/tests/fixtures/key.pem", "/usr/src/app/test_data/key.pem", "/srv/examples/key"] {
            assert_eq!(found(path), Standing::Test, "{path}");
        }
    }
}
