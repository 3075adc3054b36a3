//! The names of measurements, as policies and baselines write them.

/// What the numbers of a measurement are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// 0 or 1.
    YesNo,
}

impl Unit {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::YesNo => "yes-no",
        }
    }
}

macro_rules! measures {
    ($($name:ident $text:literal $unit:ident $label:literal: $what:literal;)+) => {
        /// A measurement that a policy can weigh and that a baseline holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub enum Measure {
            $(#[doc = $what] $name,)+
        }

        impl Measure {
            /// All measurements, in the order of `score.md`.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name in policies, baselines and reports.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What its numbers are.
            #[must_use]
            pub fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit,)+ }
            }

            /// A word or two for people.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            /// What it is, one clause.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)+ }
            }
        }
    };
}

measures! {
    ShippedBytes "shipped_bytes" Bytes "shipped": "sum of the uncompressed layers, buried bytes included";
    FileBytes "file_bytes" Bytes "size": "regular files of all layers, in the final filesystem or buried";
    ToolchainBytes "toolchain_bytes" Bytes "toolchain": "compilers, build tools, debuggers, version control, headers and static libraries";
    CacheBytes "cache_bytes" Bytes "caches": "package lists, package caches and temporary files";
    DocumentationBytes "documentation_bytes" Bytes "documentation": "doc, man, info and locale";
    BuriedBytes "buried_bytes" Bytes "buried": "shipped but not in the final filesystem";
    Compilers "compilers" Count "compilers": "distinct toolchains that can be run";
    PackageManagers "package_managers" Count "package managers": "distinct package managers, of the system and of languages, that can be run";
    OsPackages "os_packages" Count "OS packages": "packages in the databases of the operating system";
    Executables "executables" Count "executables": "regular files that some user may execute";
    SetuidFiles "setuid_files" Count "setuid files": "files with a setuid bit, a setgid bit or a file capability";
    Root "root" YesNo "root user": "whether the container runs as uid 0";
    HealthcheckMissing "healthcheck_missing" YesNo "no health check": "whether no health check is run";
}

impl Measure {
    /// From its name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|measure| measure.as_str() == text)
    }
}
