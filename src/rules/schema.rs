//! What rules may read: every variable and field with type and meaning. `docs/rules.md` is held against these tables.

use super::facts::{Record, Value};
use crate::facts::Language;
use crate::oci::{Healthcheck, escape};
use crate::rootfs::InodeKind;

/// A variable that every rule may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    Image,
    Files,
    Packages,
    Executables,
}

impl Root {
    pub(super) const ALL: [Self; 4] = [Self::Image, Self::Files, Self::Packages, Self::Executables];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Files => "files",
            Self::Packages => "packages",
            Self::Executables => "executables",
        }
    }

    pub(super) fn of(self) -> Of {
        match self {
            Self::Image => Of::Record(&IMAGE),
            Self::Files => Of::Records(&FILE),
            Self::Packages => Of::Records(&PACKAGE),
            Self::Executables => Of::Records(&EXECUTABLE),
        }
    }
}

/// Something with fields.
#[derive(Debug)]
pub(super) struct RecordType {
    /// As error messages call it.
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// The type of a field or variable.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Bool,
    Int,
    Text,
    Ints,
    Texts,
    /// From text to text.
    Map,
    Record(&'static RecordType),
    Records(&'static RecordType),
}

/// One field of a record.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) of: Of,
    /// One clause for `docs/rules.md`.
    #[cfg(test)]
    pub(super) about: &'static str,
    /// The field of the image config that it comes from.
    pub(super) config: Option<&'static str>,
    /// None when this record has no such value.
    pub(super) read: for<'f> fn(Record<'f>) -> Option<Value<'f>>,
}

/// One field: the pattern names the record that it is read from.
macro_rules! field {
    ($name:literal, $of:expr, $about:literal, $kind:ident($record:ident) => $value:expr) => {
        field!(@ $name, $of, $about, $kind($record) => Some($value), None)
    };
    ($name:literal, $of:expr, $about:literal, $kind:ident($record:ident) => $value:expr, config: $config:literal) => {
        field!(@ $name, $of, $about, $kind($record) => Some($value), Some($config))
    };
    ($name:literal, $of:expr, $about:literal, $kind:ident($record:ident) => $value:expr, optional) => {
        field!(@ $name, $of, $about, $kind($record) => $value, None)
    };
    (@ $name:literal, $of:expr, $about:literal, $kind:ident($record:ident) => $value:expr, $config:expr) => {
        Field {
            name: $name,
            of: $of,
            #[cfg(test)]
            about: $about,
            config: $config,
            read: |record| match record {
                Record::$kind($record) => $value,
                _ => None,
            },
        }
    };
}

#[rustfmt::skip]
pub(super) static IMAGE: RecordType = RecordType { name: "image", fields: &[
    field!("user", Of::Record(&USER), "Who the container runs as.", Image(facts) => Value::Record(Record::Image(facts)), config: "config.User"),
    field!("env", Of::Map, "Environment, by name.", Image(facts) => Value::Map(&facts.env), config: "config.Env"),
    field!("labels", Of::Map, "Labels, by name.", Image(facts) => Value::Map(&facts.labels), config: "config.Labels"),
    field!("entrypoint", Of::Texts, "`ENTRYPOINT`, word by word; empty when unset.", Image(facts) => Value::Texts(&facts.image.config.runtime.entrypoint), config: "config.Entrypoint"),
    field!("cmd", Of::Texts, "`CMD`, word by word; empty when unset.", Image(facts) => Value::Texts(&facts.image.config.runtime.cmd), config: "config.Cmd"),
    field!("workdir", Of::Text, "`WORKDIR`; empty when unset.", Image(facts) => Value::text(&facts.image.config.runtime.working_dir), config: "config.WorkingDir"),
    field!("ports", Of::Texts, "`EXPOSE`, such as `8080/tcp`; sorted.", Image(facts) => Value::Texts(&facts.image.config.runtime.exposed_ports), config: "config.ExposedPorts"),
    field!("volumes", Of::Texts, "`VOLUME`; sorted.", Image(facts) => Value::Texts(&facts.image.config.runtime.volumes), config: "config.Volumes"),
    field!("stop_signal", Of::Text, "`STOPSIGNAL`; empty when unset.", Image(facts) => Value::text(facts.image.config.runtime.stop_signal.as_deref().unwrap_or_default()), config: "config.StopSignal"),
    field!("healthcheck", Of::Record(&HEALTHCHECK), "The health check.", Image(facts) => Value::Record(Record::Image(facts)), config: "config.Healthcheck"),
    field!("platform", Of::Record(&PLATFORM), "What the image runs on, as its config says.", Image(facts) => Value::Record(Record::Image(facts)), config: "architecture"),
    field!("distribution", Of::Record(&DISTRIBUTION), "What the image says it is (os-release).", Image(facts) => Value::Record(Record::Image(facts))),
    field!("language", Of::Text, "Language of the program that the container starts: `python`, `node`, `java`, `go`, `rust` or `other`.", Image(facts) => Value::text(language(facts.image.runtime.language))),
    field!("layers", Of::Int, "How many layers it has.", Image(facts) => Value::int(facts.image.steps.len())),
    field!("history", Of::Texts, "The instruction of every line of the history, base first, without builder noise and build arguments.", Image(facts) => Value::Texts(&facts.history), config: "history"),
] };

#[rustfmt::skip]
pub(super) static USER: RecordType = RecordType { name: "image.user", fields: &[
    field!("configured", Of::Text, "`USER` as written; empty when unset.", Image(facts) => Value::text(&facts.image.user.configured)),
    field!("uid", Of::Int, "Effective uid; missing when the user does not resolve.", Image(facts) => facts.image.user.uid.map(Value::int), optional),
    field!("gid", Of::Int, "Effective gid; missing when the user does not resolve.", Image(facts) => facts.image.user.gid.map(Value::int), optional),
    field!("groups", Of::Ints, "Supplementary groups, sorted.", Image(facts) => Value::List(facts.image.user.groups.iter().map(|gid| Value::int(*gid)).collect::<Vec<_>>().into())),
] };

#[rustfmt::skip]
pub(super) static HEALTHCHECK: RecordType = RecordType { name: "image.healthcheck", fields: &[
    field!("present", Of::Bool, "Whether Docker runs something.", Image(facts) => Value::Bool(facts.image.config.runtime.healthcheck.as_ref().is_some_and(Healthcheck::is_run))),
    field!("test", Of::Texts, "The test as configured, word by word.", Image(facts) => Value::Texts(facts.image.config.runtime.healthcheck.as_ref().map_or(&[], |check| &check.test))),
] };

#[rustfmt::skip]
pub(super) static PLATFORM: RecordType = RecordType { name: "image.platform", fields: &[
    field!("os", Of::Text, "Such as `linux`.", Image(facts) => Value::text(&facts.image.config.platform.os)),
    field!("architecture", Of::Text, "Such as `amd64`.", Image(facts) => Value::text(&facts.image.config.platform.architecture)),
    field!("variant", Of::Text, "Such as `v8`; empty when unset.", Image(facts) => Value::text(facts.image.config.platform.variant.as_deref().unwrap_or_default())),
] };

#[rustfmt::skip]
pub(super) static DISTRIBUTION: RecordType = RecordType { name: "image.distribution", fields: &[
    field!("id", Of::Text, "Such as `debian`; empty when the image does not say.", Image(facts) => Value::text(facts.image.os_release.as_ref().map_or("", |os| &os.id))),
    field!("version", Of::Text, "Such as `12`; empty when the image does not say.", Image(facts) => Value::text(facts.image.os_release.as_ref().and_then(|os| os.version_id.as_deref()).unwrap_or_default())),
    field!("name", Of::Text, "For people; empty when the image does not say.", Image(facts) => Value::text(facts.image.os_release.as_ref().and_then(|os| os.pretty_name.as_deref()).unwrap_or_default())),
] };

#[rustfmt::skip]
pub(super) static FILE: RecordType = RecordType { name: "file", fields: &[
    field!("path", Of::Text, "Absolute path.", File(file) => Value::text(&file.path)),
    field!("name", Of::Text, "Last component of the path.", File(file) => Value::text(split(&file.path).1)),
    field!("folder", Of::Text, "Path of the directory that it lies in, without a slash at the end; empty for the root.", File(file) => Value::text(split(&file.path).0)),
    field!("type", Of::Text, "`file`, `directory`, `symlink`, `character-device`, `block-device` or `fifo`.", File(file) => Value::text(kind(&file.inode.kind))),
    field!("mode", Of::Int, "Permission bits with setuid, setgid and sticky.", File(file) => Value::int(file.inode.mode)),
    field!("uid", Of::Int, "Owner.", File(file) => Value::int(file.inode.uid)),
    field!("gid", Of::Int, "Group.", File(file) => Value::int(file.inode.gid)),
    field!("size", Of::Int, "Bytes of a regular file; 0 for the rest.", File(file) => Value::int(file.inode.size())),
    field!("layer", Of::Int, "Index of the layer that last set it, base first.", File(file) => Value::int(file.inode.layer)),
    field!("package", Of::Text, "Name of the package that owns it; empty for none.", File(file) => Value::text(file.package)),
    field!("target", Of::Text, "Target of a symbolic link as written; empty for the rest.", File(file) => Value::Text(super::facts::Text::Owned(escape(file.inode.target().unwrap_or_default()).into()))),
    field!("setuid", Of::Bool, "A regular file with the set-user-ID bit.", File(file) => Value::Bool(file.inode.is_file() && file.inode.mode & 0o4000 != 0)),
    field!("setgid", Of::Bool, "A regular file with the set-group-ID bit.", File(file) => Value::Bool(file.inode.is_file() && file.inode.mode & 0o2000 != 0)),
    field!("sticky", Of::Bool, "A directory with the sticky bit.", File(file) => Value::Bool(file.inode.is_directory() && file.inode.mode & 0o1000 != 0)),
    field!("executable", Of::Bool, "A regular file with an execute bit.", File(file) => Value::Bool(file.inode.is_executable_file())),
    field!("owner_writable", Of::Bool, "Its owner may write; false for symbolic links.", File(file) => Value::Bool(has_bit(file.inode, 0o200))),
    field!("group_writable", Of::Bool, "Its group may write; false for symbolic links.", File(file) => Value::Bool(has_bit(file.inode, 0o020))),
    field!("world_writable", Of::Bool, "Everybody may write; false for symbolic links.", File(file) => Value::Bool(has_bit(file.inode, 0o002))),
    field!("world_readable", Of::Bool, "Everybody may read; false for symbolic links.", File(file) => Value::Bool(has_bit(file.inode, 0o004))),
] };

#[rustfmt::skip]
pub(super) static PACKAGE: RecordType = RecordType { name: "package", fields: &[
    field!("name", Of::Text, "Name, without architecture.", Package(package) => Value::text(&package.name)),
    field!("version", Of::Text, "Version as the database writes it.", Package(package) => Value::text(&package.version)),
    field!("architecture", Of::Text, "Architecture as the database writes it.", Package(package) => Value::text(&package.architecture)),
    field!("source", Of::Text, "Source package; empty when the database names none.", Package(package) => Value::text(package.source.as_deref().unwrap_or_default())),
] };

#[rustfmt::skip]
pub(super) static EXECUTABLE: RecordType = RecordType { name: "executable", fields: &[
    field!("path", Of::Text, "Absolute path of its first own name.", Executable(executable) => Value::text(&executable.file.path)),
    field!("names", Of::Texts, "Last components of all names that end at it, links too; sorted.", Executable(executable) => Value::Texts(&executable.names)),
    field!("size", Of::Int, "Bytes.", Executable(executable) => Value::int(executable.file.inode.size())),
    field!("layer", Of::Int, "Index of the layer that last set it, base first.", Executable(executable) => Value::int(executable.file.inode.layer)),
    field!("package", Of::Text, "Name of the package that owns it; empty for none.", Executable(executable) => Value::text(executable.file.package)),
    field!("elf", Of::Bool, "An ELF file, and not a script.", Executable(executable) => Value::Bool(executable.is_elf)),
    field!("on_path", Of::Bool, "One of its names lies in a folder of `PATH`.", Executable(executable) => Value::Bool(executable.on_path)),
] };

/// Every record with its name in `docs/rules.md`, in the order of the page.
#[cfg(test)]
pub(super) static RECORDS: [&RecordType; 8] =
    [&IMAGE, &USER, &HEALTHCHECK, &PLATFORM, &DISTRIBUTION, &FILE, &PACKAGE, &EXECUTABLE];

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn has_bit(inode: &crate::rootfs::Inode, bit: u16) -> bool {
    inode.target().is_none() && inode.mode & bit != 0
}

fn kind(kind: &InodeKind) -> &'static str {
    match kind {
        InodeKind::File { .. } => "file",
        InodeKind::Directory => "directory",
        InodeKind::Symlink { .. } => "symlink",
        InodeKind::CharDevice { .. } => "character-device",
        InodeKind::BlockDevice { .. } => "block-device",
        InodeKind::Fifo => "fifo",
    }
}

fn language(language: Language) -> &'static str {
    match language {
        Language::Python => "python",
        Language::Node => "node",
        Language::Java => "java",
        Language::Go => "go",
        Language::Rust => "rust",
        Language::Other => "other",
    }
}
