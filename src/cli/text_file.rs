//! Text files that arguments name: policies, saved reports, recorded baselines.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::limits::MIB;

/// The text of a file of at most `most` bytes; why it cannot be read, in one clause without the file's name.
pub(super) fn read(path: &Path, most: u64) -> Result<String, String> {
    // opening a named pipe would wait for its writer
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("not a regular file".to_owned());
    }
    read_from(File::open(path).map_err(|error| error.to_string())?, most)
}

/// The text of a stream, likewise.
pub(super) fn read_from(stream: impl Read, most: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    stream.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(format!("larger than {} MiB", most / MIB));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_bounded_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.toml");
        std::fs::write(&path, " ".repeat(1 << 20)).unwrap();
        assert_eq!(read(&path, MIB).unwrap().len(), 1 << 20);
        std::fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
        assert_eq!(read(&path, MIB).unwrap_err(), "larger than 1 MiB");
        assert_eq!(read(folder.path(), MIB).unwrap_err(), "not a regular file");
        assert!(read(&folder.path().join("none.toml"), MIB).unwrap_err().contains("No such file"));
        std::fs::write(&path, [0xff]).unwrap();
        assert_eq!(read(&path, MIB).unwrap_err(), "not UTF-8");
    }
}
