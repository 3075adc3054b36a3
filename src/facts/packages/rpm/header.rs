//! rpm header blobs as databases store them: two big-endian counts, index entries of 16 bytes, a data store
//! (rpm's `lib/header.c`; tags from `rpmtag.h`).

use super::super::relations::{Relations, Writer};
use super::super::{ListedFile, Package, text};
use super::numbers::{be16, be32, size, slice};
use super::rich;

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const ARCH: u32 = 1022;
const OLDFILENAMES: u32 = 1027;
const FILEMODES: u32 = 1030;
const SOURCERPM: u32 = 1044;
const PROVIDENAME: u32 = 1047;
const REQUIREFLAGS: u32 = 1048;
const REQUIRENAME: u32 = 1049;
const REQUIREVERSION: u32 = 1050;
const PROVIDEFLAGS: u32 = 1112;
const PROVIDEVERSION: u32 = 1113;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;

const INT16: u32 = 3;
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Folders of one package: many times as many as the largest packages have, and few enough to keep.
const MOST_FOLDERS: usize = 1_000_000;

struct Header<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

#[derive(Clone, Copy)]
struct Entry {
    kind: u32,
    offset: usize,
    count: usize,
}

pub(super) fn parse(blob: &[u8]) -> Result<(Package, FileTable<'_>), &'static str> {
    let entries = be32(blob, 0).ok_or("it is shorter than its counts")?;
    let data = be32(blob, 4).ok_or("it is shorter than its counts")?;
    let index_bytes = size(entries).checked_mul(16).ok_or("its index is larger than it is")?;
    let header = Header {
        entries: slice(blob, 8, index_bytes).ok_or("its index is larger than it is")?,
        data: slice(blob, index_bytes.saturating_add(8), size(data)).ok_or("its data is larger than it is")?,
    };
    let package = header.package()?;
    let files = header.files()?;
    Ok((package, files))
}

impl<'a> Header<'a> {
    fn entry(&self, tag: u32, kinds: &[u32]) -> Option<Entry> {
        let raw = self.entries.chunks_exact(16).find(|raw| be32(raw, 0) == Some(tag))?;
        let kind = be32(raw, 4).filter(|kind| kinds.contains(kind))?;
        Some(Entry { kind, offset: size(be32(raw, 8)?), count: size(be32(raw, 12)?) })
    }

    /// The strings of an array; their end is checked here.
    fn strings(&self, tag: u32) -> Result<Strings<'a>, &'static str> {
        let Some(entry) = self.entry(tag, &[STRING, STRING_ARRAY, I18N_STRING]) else { return Ok(Strings::default()) };
        let left = if entry.kind == STRING { 1 } else { entry.count };
        let strings = Strings { rest: self.data.get(entry.offset..).unwrap_or_default(), left };
        if strings.clone().count() == left { Ok(strings) } else { Err("a string leaves its data") }
    }

    fn string(&self, tag: u32) -> Result<Option<String>, &'static str> {
        let Some(entry) = self.entry(tag, &[STRING, I18N_STRING, STRING_ARRAY]) else { return Ok(None) };
        let rest = self.data.get(entry.offset..).unwrap_or_default();
        let end = memchr::memchr(0, rest).ok_or("a string leaves its data")?;
        Ok(rest.get(..end).map(text))
    }

    /// Bytes of an array of numbers, `width` bytes each.
    fn numbers(&self, tag: u32, kind: u32, width: usize) -> Result<Option<&'a [u8]>, &'static str> {
        let Some(entry) = self.entry(tag, &[kind]) else { return Ok(None) };
        let bytes = entry.count.checked_mul(width).and_then(|length| slice(self.data, entry.offset, length));
        bytes.map(Some).ok_or("an array leaves its data")
    }

    fn package(&self) -> Result<Package, &'static str> {
        let name = self.string(NAME)?.filter(|name| !name.is_empty()).ok_or("it has no name")?;
        let version = self.string(VERSION)?.unwrap_or_default();
        let release = self.string(RELEASE)?;
        let epoch = self.numbers(EPOCH, INT32, 4)?.and_then(|epoch| be32(epoch, 0));
        let version = match release {
            Some(release) => format!("{version}-{release}"),
            None => version,
        };
        Ok(Package {
            name,
            version: epoch.map_or(version.clone(), |epoch| format!("{epoch}:{version}")),
            architecture: self.string(ARCH)?.unwrap_or_default(),
            source: self.string(SOURCERPM)?.as_deref().and_then(source_name),
            requires: self.relations(REQUIRENAME, REQUIREFLAGS, REQUIREVERSION)?,
            provides: self.relations(PROVIDENAME, PROVIDEFLAGS, PROVIDEVERSION)?,
            ..Package::default()
        })
    }

    /// Three arrays of one length, the names and what narrows them; where flags or versions are fewer, the names stand alone.
    fn relations(&self, names: u32, flags: u32, versions: u32) -> Result<Relations, &'static str> {
        let flags = self.numbers(flags, INT32, 4)?.unwrap_or_default();
        let mut versions = self.strings(versions)?;
        let mut writer = Writer::default();
        for (index, name) in self.strings(names)?.enumerate() {
            let flag = index.checked_mul(4).and_then(|at| be32(flags, at)).unwrap_or_default();
            let version = versions.next().map(String::from_utf8_lossy).unwrap_or_default();
            rich::write(&String::from_utf8_lossy(name), flag, &version, &mut writer);
        }
        Ok(writer.finish())
    }

    fn files(&self) -> Result<FileTable<'a>, &'static str> {
        let modes = self.numbers(FILEMODES, INT16, 2)?.unwrap_or_default();
        let bases = self.strings(BASENAMES)?;
        if bases.left == 0 {
            return Ok(FileTable { names: self.strings(OLDFILENAMES)?, folders: None, indexes: &[], modes });
        }
        let folders = self.strings(DIRNAMES)?;
        if folders.left > MOST_FOLDERS {
            return Err("it has more than 1000000 folders");
        }
        let folders: Vec<_> = folders.collect();
        let indexes = self.numbers(DIRINDEXES, INT32, 4)?.unwrap_or_default();
        let is_known = |raw: &[u8]| be32(raw, 0).is_some_and(|folder| size(folder) < folders.len());
        if indexes.len() / 4 != bases.left || !indexes.chunks_exact(4).all(is_known) {
            return Err("a file has no folder");
        }
        Ok(FileTable { names: bases, folders: Some(folders), indexes, modes })
    }
}

/// Strings that end in a NUL, one after the other.
#[derive(Clone, Default)]
struct Strings<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let end = memchr::memchr(0, self.rest)?;
        let (string, after) = self.rest.split_at_checked(end)?;
        self.rest = after.get(1..)?;
        Some(string)
    }
}

/// The files of a package: whole paths, or last components with numbers of folders.
pub(super) struct FileTable<'a> {
    names: Strings<'a>,
    folders: Option<Vec<&'a [u8]>>,
    indexes: &'a [u8],
    modes: &'a [u8],
}

impl FileTable<'_> {
    pub(super) fn iter(&self) -> impl Iterator<Item = ListedFile<'_>> {
        self.names.clone().enumerate().map(|(index, name)| {
            let file = match &self.folders {
                None => ListedFile::of_path(name),
                Some(folders) => {
                    let folder = index.checked_mul(4).and_then(|at| be32(self.indexes, at)).map_or(0, size);
                    ListedFile { folder: folders.get(folder).copied().unwrap_or_default(), name, mode: None }
                }
            };
            let mode = index.checked_mul(2).and_then(|at| be16(self.modes, at));
            ListedFile { mode: mode.map(|mode| mode & 0o7777), ..file }
        })
    }
}

/// `bash` of `bash-5.1-2.src.rpm`.
fn source_name(file: &str) -> Option<String> {
    let name = file.strip_suffix(".rpm")?.rsplitn(3, '-').nth(2)?;
    Some(name.to_owned())
}
