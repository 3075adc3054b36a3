//! A folder of entries that several processes share: `KIND/ab/REST-OF-THE-NAME`.
//!
//! The folder is opened once, and all is named relative to what was opened; no link is followed. A folder that others may write to,
//! or that belongs to somebody else, is not used: whoever writes there would decide what images are said to hold. An entry is
//! written beside its place and moved there, so that no reader sees half of one. Use is noted as the file's time; when the folder
//! outgrows its room, what was used longest ago goes first (`sweep`).

mod sweep;
#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use super::{Fault, Key, Store, Token, entry};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// What is no regular file must not keep the opening waiting.
const ENTRY: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const NEW: OFlags = OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FOLDER_MODE: u32 = 0o700;
const ENTRY_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// Starts the names of files that are being written.
const UNFINISHED: &str = ".new-";

/// A cache folder.
#[derive(Debug)]
pub struct Directory {
    root: OwnedFd,
    most_bytes: u64,
    /// Bytes written since the folder was last swept.
    unswept: AtomicU64,
}

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// It is not there and cannot be made, or cannot be opened.
    #[error("{0}")]
    Unusable(#[source] std::io::Error),
    /// Somebody else decides what is in it.
    #[error("{0}")]
    Distrusted(&'static str),
}

/// What a folder holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Directory {
    /// Opens the folder at `path`, made where it is missing, for at most `most_bytes` of entries.
    pub fn open(path: &Path, most_bytes: u64) -> Result<Self, Refused> {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(Refused::Unusable)?;
        let root = rustix::fs::openat(CWD, path, FOLDER, Mode::empty()).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => Refused::Distrusted("it is a symbolic link or no folder"),
            other => Refused::Unusable(other.into()),
        })?;
        match distrust(&root).map_err(|error| Refused::Unusable(error.into()))? {
            None => Ok(Self { root, most_bytes, unswept: AtomicU64::new(u64::MAX) }),
            Some(reason) => Err(Refused::Distrusted(reason)),
        }
    }

    /// The folder of a key's kind and shard; None when it is not there and not to be made.
    fn shard(&self, key: &Key, is_made: bool) -> Result<Option<OwnedFd>, Fault> {
        let Some(kind) = subfolder(&self.root, key.kind().as_str(), is_made)? else { return Ok(None) };
        let (shard, _) = split(key);
        subfolder(&kind, shard, is_made)
    }
}

/// `ab` and the rest of a key's name.
fn split(key: &Key) -> (&str, &str) {
    key.name().split_at_checked(2).unwrap_or(("00", ""))
}

/// Opens `name` in `folder`.
fn subfolder(folder: &OwnedFd, name: &str, is_made: bool) -> Result<Option<OwnedFd>, Fault> {
    let open = || rustix::fs::openat(folder, name, FOLDER, Mode::empty());
    let opened = match open() {
        Err(Errno::NOENT) if is_made => {
            match rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(0o700)) {
                // another process may have been faster
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(Fault::io("making a folder")(error.into())),
            }
            open()
        }
        other => other,
    };
    let fault = |reason| Fault::Distrusted { what: format!("its folder {name}"), reason };
    match opened {
        Ok(opened) => match distrust(&opened).map_err(|error| Fault::io("looking at a folder")(error.into()))? {
            None => Ok(Some(opened)),
            Some(reason) => Err(fault(reason)),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(Errno::LOOP | Errno::NOTDIR) => Err(fault("it is a symbolic link or no folder")),
        Err(error) => Err(Fault::io("opening a folder")(error.into())),
    }
}

/// Why what is in a folder may be somebody else's word.
fn distrust(folder: &OwnedFd) -> Result<Option<&'static str>, Errno> {
    let stat = rustix::fs::fstat(folder)?;
    Ok(if stat.st_uid != rustix::process::geteuid().as_raw() {
        Some("it belongs to another user")
    } else if Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
        Some("others may write to it")
    } else {
        None
    })
}

impl Store for Directory {
    fn name(&self) -> &'static str {
        "cache folder"
    }

    fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Fault> {
        let Some(shard) = self.shard(key, false)? else { return Ok(None) };
        let (_, name) = split(key);
        let file = match rustix::fs::openat(&shard, name, ENTRY, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => {
                self.remove(key);
                return Ok(None);
            }
            Err(error) => return Err(Fault::io("opening an entry")(error.into())),
        };
        let stat = rustix::fs::fstat(&file).map_err(|error| Fault::io("looking at an entry")(error.into()))?;
        let is_whole = u64::try_from(stat.st_size).is_ok_and(|bytes| bytes <= entry::MOST_BYTES);
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || !is_whole {
            self.remove(key);
            return Ok(None);
        }
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        // on a file system that is read-only, use is not noted
        let _ = rustix::fs::futimens(&file, &Timestamps { last_access: now, last_modification: now });
        let mut bytes = Vec::with_capacity(usize::try_from(stat.st_size).unwrap_or_default());
        let read = File::from(file).take(entry::MOST_BYTES.saturating_add(1)).read_to_end(&mut bytes);
        read.map(|_| Some(bytes)).map_err(Fault::io("reading an entry"))
    }

    fn put(&self, key: &Key, entry: &[u8]) -> Result<(), Fault> {
        let bytes = u64::try_from(entry.len()).unwrap_or(u64::MAX);
        if bytes > self.most_bytes / 4 {
            return Ok(());
        }
        let Some(shard) = self.shard(key, true)? else { return Ok(()) };
        let (_, name) = split(key);
        // random: containers that share a folder have processes of one number
        let unfinished = format!("{UNFINISHED}{}", Token::random().as_str());
        let file = rustix::fs::openat(&shard, &unfinished, NEW, ENTRY_MODE);
        let file = file.map_err(|error| Fault::io("making an entry")(error.into()))?;
        let written = File::from(file).write_all(entry).map_err(Fault::io("writing an entry")).and_then(|()| {
            rustix::fs::renameat(&shard, &unfinished, &shard, name).map_err(|error| Fault::io("naming an entry")(error.into()))
        });
        if let Err(fault) = written {
            let _ = rustix::fs::unlinkat(&shard, &unfinished, AtFlags::empty());
            return Err(fault);
        }
        self.sweep_after(bytes);
        Ok(())
    }

    fn remove(&self, key: &Key) {
        if let Ok(Some(shard)) = self.shard(key, false) {
            let _ = rustix::fs::unlinkat(&shard, split(key).1, AtFlags::empty());
        }
    }

    /// A disk that is full stays full for a while.
    fn pause(&self) -> Duration {
        Duration::from_mins(1)
    }
}
