//! What is known of interpreters, plugins and data by name. Every entry adds to what is needed, none takes away but [`INSTALL_ONLY`].

/// Packages that maintainer scripts of others need while they are installed, and no program at run time. They are reached only when the
/// start-up path names a file of theirs; that packages require them does not count.
pub(super) const INSTALL_ONLY: &[&str] = &[
    "adduser",
    "alternatives",
    "cdebconf",
    "debconf",
    "dpkg",
    "init-system-helpers",
    "install-info",
    "ucf",
    "update-alternatives",
];

/// Interpreters, by the beginning of the program's name or of its library's.
const LANGUAGES: &[(&str, Language)] = &[
    ("python", Language::Python),
    ("pypy", Language::Python),
    ("uwsgi", Language::Python),
    ("libpython", Language::Python),
    ("node", Language::Node),
    ("libnode.so", Language::Node),
    ("perl", Language::Perl),
    ("libperl", Language::Perl),
    ("ruby", Language::Ruby),
    ("libruby", Language::Ruby),
    ("php", Language::Php),
    ("libphp", Language::Php),
    ("java", Language::Java),
    ("libjli.so", Language::Java),
    ("libjvm.so", Language::Java),
];

/// A language whose interpreter loads what lies in folders of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    Python,
    Node,
    Perl,
    Ruby,
    Php,
    Java,
}

impl Language {
    /// Whose interpreter a program or library is, by its file's name.
    pub(super) fn of_program(name: &[u8]) -> Option<Self> {
        LANGUAGES.iter().find(|(start, _)| name.starts_with(start.as_bytes())).map(|(_, language)| *language)
    }

    /// Whose interpreter loads what lies below a folder, by its name and that of the folder around it.
    pub(super) fn of_folder(around: &[u8], name: &[u8]) -> Option<Self> {
        let is_lib = matches!(around, b"lib" | b"lib64") || around.windows(7).any(|part| part == b"-linux-");
        let is_lib_or_share = is_lib || around == b"share";
        match name {
            b"site-packages" | b"dist-packages" | b"lib-dynload" => Some(Self::Python),
            b"node_modules" => Some(Self::Node),
            b"gems" => Some(Self::Ruby),
            b"jvm" => Some(Self::Java),
            b"java" | b"openjdk" | b"jdk" | b"jre" if around == b"opt" || around == b"java" => Some(Self::Java),
            b"nodejs" if is_lib_or_share => Some(Self::Node),
            b"ruby" if is_lib => Some(Self::Ruby),
            b"php" | b"php8" | b"php7" if is_lib => Some(Self::Php),
            b"perl" | b"perl5" | b"perl-base" if is_lib_or_share => Some(Self::Perl),
            _ if is_lib && (name.starts_with(b"python3") || name.starts_with(b"python2")) => Some(Self::Python),
            _ => None,
        }
    }

    /// Whether packages that own files in its folders are needed for that. A JDK's tools lie beside the runtime, and are not.
    pub(super) fn owns_libraries(self) -> bool {
        self != Self::Java
    }
}

/// Folders inside a language's that only compiling extensions needs.
pub(super) fn is_for_compiling(folder: &[u8]) -> bool {
    folder == b"include" || folder.starts_with(b"config-")
}

/// Folders of plugins that a library loads when asked to, by the beginning of its name.
const PLUGINS: &[(&str, &str)] = &[
    ("libMagickCore", "ImageMagick"),
    ("libapr", "apr-util-1"),
    ("libc.so", "gconv"),
    ("libcrypto.so", "engines-"),
    ("libcrypto.so", "ossl-modules"),
    ("libgdk_pixbuf", "gdk-pixbuf-2.0"),
    ("libgio-2", "gio"),
    ("libgs.so", "ghostscript"),
    ("libgstreamer", "gstreamer-"),
    ("libgtk-", "gtk-"),
    ("libkrb5.so", "krb5"),
    ("libodbc.so", "odbc"),
    ("libp11-kit", "pkcs11"),
    ("libpam.so", "security"),
    ("libproxy.so", "libproxy"),
    ("libQt", "qt"),
    ("libsasl2", "sasl2"),
    ("libvips", "vips-modules"),
];

/// Beginnings of the names of folders with plugins of a library.
pub(super) fn plugins_of(library: &[u8]) -> impl Iterator<Item = &'static [u8]> + '_ {
    PLUGINS.iter().filter(|(start, _)| library.starts_with(start.as_bytes())).map(|(_, folder)| folder.as_bytes())
}

/// Data that is read by fixed names, whoever runs: the package that owns a file there is needed when it is present. Each is small, and
/// nothing on the start-up path names it.
pub(super) const DATA: &[(&str, &str)] = &[
    ("/etc/host.conf", "the resolver"),
    ("/etc/hosts", "the resolver"),
    ("/etc/mime.types", "web servers and languages: types of files"),
    ("/etc/nsswitch.conf", "the C library and Go: where names are looked up"),
    ("/etc/os-release", "languages: what system it is"),
    ("/etc/passwd", "the C library: users"),
    ("/etc/pki/ca-trust", "TLS: authorities"),
    ("/etc/pki/tls/cert.pem", "TLS: authorities"),
    ("/etc/pki/tls/certs", "TLS: authorities"),
    ("/etc/protocols", "the C library and Go: names of protocols"),
    ("/etc/services", "the C library and Go: names of ports"),
    ("/etc/ssl/cert.pem", "TLS: authorities"),
    ("/etc/ssl/certs", "TLS: authorities"),
    ("/usr/lib/os-release", "languages: what system it is"),
    ("/usr/share/ca-certificates", "TLS: authorities"),
    ("/usr/share/pki/ca-trust-source", "TLS: authorities"),
    ("/usr/share/zoneinfo", "time zones"),
];

/// Packages of such data by name, since some databases (distroless) do not list files below `/etc` and generated ones.
pub(super) const DATA_PACKAGES: &[&str] = &[
    "base-files",
    "ca-certificates",
    "ca-certificates-bundle",
    "ca-certificates-mozilla",
    "iana-etc",
    "media-types",
    "mime-support",
    "netbase",
    "setup",
    "tzdata",
];

/// Data that the C library reads for a dynamic program: character sets, locales, ways to look names up.
pub(super) const C_LIBRARY_DATA: &[&str] = &["/usr/lib/locale", "/usr/lib64/gconv", "/usr/lib/gconv", "/usr/share/i18n/charmaps"];

/// Data that a library reads by fixed names, by the beginning of its name.
const LIBRARY_DATA: &[(&str, &str)] = &[
    ("libcrypto.so", "/etc/crypto-policies"),
    ("libcrypto.so", "/etc/pki/tls"),
    ("libcrypto.so", "/etc/ssl"),
    ("libcrypto.so", "/usr/lib/ssl"),
    ("libfontconfig.so", "/etc/fonts"),
    ("libfontconfig.so", "/usr/share/fontconfig"),
    ("libfontconfig.so", "/usr/share/fonts"),
    ("libmagic.so", "/usr/share/misc"),
    ("libncurses", "/etc/terminfo"),
    ("libncurses", "/lib/terminfo"),
    ("libncurses", "/usr/share/terminfo"),
    ("libssl.so", "/etc/crypto-policies"),
    ("libssl.so", "/etc/pki/tls"),
    ("libssl.so", "/etc/ssl"),
    ("libssl.so", "/usr/lib/ssl"),
    ("libtinfo", "/etc/terminfo"),
    ("libtinfo", "/lib/terminfo"),
    ("libtinfo", "/usr/share/terminfo"),
    ("libreadline", "/etc/inputrc"),
    ("libkrb5.so", "/etc/krb5.conf"),
    ("libldap", "/etc/ldap"),
    ("libpam.so", "/etc/pam.d"),
    ("libX11", "/usr/share/X11"),
];

/// Paths of data that a library reads.
pub(super) fn data_of(library: &[u8]) -> impl Iterator<Item = &'static str> + '_ {
    LIBRARY_DATA.iter().filter(|(start, _)| library.starts_with(start.as_bytes())).map(|(_, path)| *path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_told_by_name() {
        assert_eq!(Language::of_program(b"python3.11"), Some(Language::Python));
        assert_eq!(Language::of_program(b"libpython3.13.so.1.0"), Some(Language::Python));
        assert_eq!(Language::of_program(b"php-fpm8.2"), Some(Language::Php));
        assert_eq!(Language::of_program(b"server"), None);
    }

    #[test]
    fn folders_of_languages_are_told_from_documentation_and_headers() {
        assert_eq!(Language::of_folder(b"python3", b"dist-packages"), Some(Language::Python));
        assert_eq!(Language::of_folder(b"lib", b"python3.13"), Some(Language::Python));
        assert_eq!(Language::of_folder(b"x86_64-linux-gnu", b"perl-base"), Some(Language::Perl));
        assert_eq!(Language::of_folder(b"opt", b"java"), Some(Language::Java));
        for (around, name) in [("doc", "perl"), ("include", "python3.11"), ("share", "python3"), ("share", "java")] {
            assert_eq!(Language::of_folder(around.as_bytes(), name.as_bytes()), None, "{around}/{name}");
        }
    }

    #[test]
    fn tables_are_without_doubles() {
        for list in [INSTALL_ONLY.to_vec(), DATA.iter().map(|(path, _)| *path).collect()] {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), list.len());
        }
    }
}
