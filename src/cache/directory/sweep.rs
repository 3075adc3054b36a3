//! Keeping a cache folder within its room. Only what this program names its own files is ever looked at or removed.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType};

use super::{Directory, UNFINISHED, Usage, subfolder};
use crate::cache::Kind;

/// Files that are being written for so long belong to a process that is gone.
const STALE_SECONDS: i64 = 3_600;
/// Disks give out space by blocks.
const BLOCK_BYTES: u64 = 4_096;
/// Files that one sweep looks at: a folder filled by somebody else's hand costs no more time than that.
const MOST_FILES: usize = 1_000_000;

/// A file of ours.
#[derive(Debug)]
struct Kept {
    used: (i64, i64),
    bytes: u64,
    is_unfinished: bool,
    kind: Kind,
    shard: u8,
    name: String,
}

impl Directory {
    /// Sweeps after the first entry, then each time that a sixteenth of the room has been written.
    pub(super) fn sweep_after(&self, bytes: u64) {
        let unswept = self.unswept.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if unswept > self.most_bytes / 16 {
            self.unswept.store(0, Ordering::Relaxed);
            self.sweep();
        }
    }

    /// Removes what was used longest ago until a tenth of the room is free, when there is more than the room.
    fn sweep(&self) {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
        let (stale, mut kept): (Vec<_>, Vec<_>) =
            self.files().into_iter().partition(|file| file.is_unfinished && now.saturating_sub(file.used.0) > STALE_SECONDS);
        for file in stale {
            self.remove_file(&file);
        }
        let mut bytes = kept.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        if bytes <= self.most_bytes {
            return;
        }
        let enough = self.most_bytes.saturating_sub(self.most_bytes / 10);
        kept.retain(|file| !file.is_unfinished);
        kept.sort_unstable_by_key(|file| file.used);
        for file in kept {
            if bytes <= enough {
                break;
            }
            self.remove_file(&file);
            bytes = bytes.saturating_sub(file.bytes);
        }
    }

    /// What the folder holds, by kind.
    #[must_use]
    pub fn usage(&self) -> Vec<(Kind, Usage)> {
        let mut usage: Vec<(Kind, Usage)> = Kind::ALL.into_iter().map(|kind| (kind, Usage::default())).collect();
        for file in self.files().into_iter().filter(|file| !file.is_unfinished) {
            for (_, usage) in usage.iter_mut().filter(|(kind, _)| *kind == file.kind) {
                usage.entries = usage.entries.saturating_add(1);
                usage.bytes = usage.bytes.saturating_add(file.bytes);
            }
        }
        usage
    }

    /// Removes every entry; how much that was. Folders, and files that are not ours, stay.
    #[must_use]
    pub fn clear(&self) -> Usage {
        let mut removed = Usage::default();
        for file in self.files() {
            if self.remove_file(&file) && !file.is_unfinished {
                removed.entries = removed.entries.saturating_add(1);
                removed.bytes = removed.bytes.saturating_add(file.bytes);
            }
        }
        removed
    }

    fn remove_file(&self, file: &Kept) -> bool {
        let Ok(Some(kind)) = subfolder(&self.root, file.kind.as_str(), false) else { return false };
        let Ok(Some(shard)) = subfolder(&kind, &shard_name(file.shard), false) else { return false };
        rustix::fs::unlinkat(&shard, &file.name, AtFlags::empty()).is_ok()
    }

    fn files(&self) -> Vec<Kept> {
        let mut files = Vec::new();
        for kind in Kind::ALL {
            let Ok(Some(folder)) = subfolder(&self.root, kind.as_str(), false) else { continue };
            for shard in 0..=u8::MAX {
                if let Ok(Some(folder)) = subfolder(&folder, &shard_name(shard), false) {
                    list(&folder, kind, shard, &mut files);
                }
            }
        }
        files
    }
}

fn shard_name(shard: u8) -> String {
    format!("{shard:02x}")
}

fn list(folder: &OwnedFd, kind: Kind, shard: u8, files: &mut Vec<Kept>) {
    let Ok(entries) = Dir::read_from(folder) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().to_str() else { continue };
        let is_unfinished = name.starts_with(UNFINISHED);
        if files.len() >= MOST_FILES || !(is_unfinished || is_entry(name)) {
            continue;
        }
        let Ok(stat) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            continue;
        }
        let bytes = u64::try_from(stat.st_size).unwrap_or_default().next_multiple_of(BLOCK_BYTES);
        let used = (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default());
        files.push(Kept { used, bytes, is_unfinished, kind, shard, name: name.to_owned() });
    }
}

/// The rest of a key's name, after its shard.
fn is_entry(name: &str) -> bool {
    name.len() == 62 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
